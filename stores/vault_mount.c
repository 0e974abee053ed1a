// SPDX-License-Identifier: Apache-2.0
// Which mount a path belongs to and which KV version it has: asked once a mount, by one op
// for all that wait for the same answer. The endpoint needs no policy beyond any right on the
// path. When the store refuses to say, the path is used as it is written.
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "stores/vault_int.h"

const struct vault_mount *vault_mount_of(const struct vault *v, const char *path)
{
	const struct vault_mount *m = v->mounts;
	while (m && !vault_path_below(path, m->path))
		m = m->next;
	return m;
}

static void mount_free(struct vault_mount *m)
{
	mem_free(m->path);
	mem_free(m);
}

void vault_mount_doubt(struct vault *v, const char *path, int64_t min_age_ms)
{
	struct vault_mount **p = &v->mounts;
	while (*p && !vault_path_below(path, (*p)->path))
		p = &(*p)->next;
	struct vault_mount *m = *p;
	if (!m || clock_mono_ms() - m->seen_ms < min_age_ms)
		return;
	*p = m->next;
	mount_free(m);
}

void vault_mounts_free(struct vault *v)
{
	for (struct vault_mount *m; (m = v->mounts);) {
		v->mounts = m->next;
		mount_free(m);
	}
}

// The mount as paths begin with it. Below a namespace that stands in the path, a server may
// name it without ("kv/" for "team/kv/app").
static char *mount_in_path(const char *path, const char *mount)
{
	if (vault_path_below(path, mount))
		return mem_strdup(mount);
	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/'))
		if (vault_path_below(p + 1, mount))
			return mem_printf("%.*s%s", (int)(p + 1 - path), path, mount);
	return NULL;
}

static void remember(struct vault *v, const char *path,
		     const struct vault_mount_info *info)
{
	AUTO_FREE char *begins = mount_in_path(path, info->path);
	if (!begins || vault_mount_of(v, path))
		return;
	struct vault_mount *m = mem_alloc(sizeof(*m));
	m->path = TAKE(begins);
	m->kv = info->kv;
	m->seen_ms = clock_mono_ms();
	m->next = v->mounts;
	v->mounts = m;
}

// --- one question for all -----------------------------------------------------------------

static bool same_start(const char *a, const char *b)
{
	size_t n = strcspn(a, "/");
	return strcspn(b, "/") == n && strncmp(a, b, n) == 0;
}

static struct vault_op *finder_for(const struct vault *v, const char *path)
{
	for (struct vault_op *op = v->ops; op; op = op->next)
		if (op->finding && same_start(op->path.path, path))
			return op;
	return NULL;
}

static void go_on(struct vault_op *op)
{
	const struct vault_mount *m = vault_mount_of(op->vault, op->path.path);
	op->kv = m ? m->kv : VAULT_KV_UNKNOWN;
	op->next_step(op);
}

static void ask(struct vault_op *op);

// Those who waited for this answer: they have it now, or ask for themselves, or fail alike.
// Nothing here calls back, so the list stays as it is but for what moves on.
static void wake(struct vault_op *by, const struct err *e)
{
	struct vault *v = by->vault;
	for (struct vault_op *op = v->ops; op; op = op->next) {
		if (!op->waiting || !same_start(op->path.path, by->path.path))
			continue;
		op->waiting = false;
		if (e)
			vault_op_fail_later(op, e, op->failed);
		else if (vault_mount_of(v, op->path.path))
			go_on(op);
		else
			ask(op);
	}
}

static void found(struct vault_op *op, const struct vault_got *got, const struct err *e)
{
	struct err why = ERR_INIT;
	op->finding = false;
	if (e) {
		why = *e;
	} else if (got->status == 200) {
		struct vault_mount_info info;
		if (vault_answer_mount(&got->reply, &info, &why))
			remember(op->vault, op->path.path, &info);
	} else if (got->status < 400 || got->status == 412 || got->status == 429 ||
		   got->status >= 472) {
		vault_got_refused(got,
				  (struct vault_refusal){ .act = VAULT_READ,
							  .path = op->path.path },
				  &why);
	} // else: the store does not say, which is an answer too
	if (!why.kind) {
		go_on(op);
		wake(op, NULL);
		return;
	}
	wake(op, &why);
	op->failed(op, NULL, &why); // frees the op
}

static void ask(struct vault_op *op)
{
	AUTO_FREE char *path = mem_printf("sys/internal/ui/mounts/%s", op->path.path);
	op->finding = true;
	vault_send(op,
		   &(struct vault_request){
			   .method = "GET", .path = path, .token = op->vault->token },
		   found);
}

void vault_mount_find(struct vault_op *op, vault_step_fn *failed, vault_next_fn *next)
{
	op->failed = failed;
	op->next_step = next;
	if (vault_mount_of(op->vault, op->path.path) || op->vault->inline_auth)
		go_on(op);
	else if (finder_for(op->vault, op->path.path))
		op->waiting = true;
	else
		ask(op);
}
