// SPDX-License-Identifier: Apache-2.0
// Adds versions to a sealed file: what put, remove, rollback and import share.
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/seal_int.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"

void seal_now(char ret[static SEALED_TIME_LEN + 1])
{
	char text[CLOCK_RFC3339_LEN];
	clock_rfc3339(clock_wall_ms(), text);
	memcpy(ret, text, SEALED_TIME_LEN - 1);
	ret[SEALED_TIME_LEN - 1] = 'Z';
	ret[SEALED_TIME_LEN] = '\0';
}

static char *author_of(const struct seal_args *a)
{
	const char *const names[] = { a->author, getenv("AMPOULE_AUTHOR"),
				      getenv("GIT_AUTHOR_EMAIL"), getenv("EMAIL") };
	AUTO_BUF struct buf escaped = BUF_INIT(2 * SEALED_AUTHOR_MAX);
	for (size_t i = 0; i < ARRAY_LEN(names) && escaped.len == 0; i++)
		if (names[i])
			sealed_author_escape(names[i], &escaped);
	if (escaped.len == 0) {
		char host[256] = "localhost";
		gethostname(host, sizeof(host) - 1);
		const char *user = getenv("USER");
		AUTO_FREE char *name =
			user && user[0]
				? mem_printf("%s@%s", user, host)
				: mem_printf("uid%u@%s", (unsigned)geteuid(), host);
		sealed_author_escape(name, &escaped);
	}
	return buf_take(&escaped, NULL);
}

// The newest version that can be told, also from a damaged line: numbers are not used twice.
static uint64_t newest_version(const struct sealed_file *f, const char *path)
{
	const struct sealed_line *l = sealed_file_find(f, path, 0);
	return l ? l->entry.version : 0;
}

// The newest undamaged line of the entry, or NULL.
static const struct sealed_line *newest_whole(const struct sealed_file *f,
					      const char *path)
{
	const struct sealed_line *best = NULL;
	for (size_t i = 0; i < f->n; i++)
		if (!f->lines[i].damage && strcmp(f->lines[i].entry.path, path) == 0)
			best = &f->lines[i];
	return best;
}

static bool scope_of(const struct seal_append *p, const struct sealed_line *before,
		     char **ret, struct err *e)
{
	const struct seal_args *a = p->args;
	if (a->anywhere && (a->namespace_ || a->service_account))
		return err_set(e, ERR_CONFIG, 0,
			       "--anywhere excludes --namespace and --service-account");
	if (a->service_account && !a->namespace_)
		return err_set(e, ERR_CONFIG, 0, "--service-account needs --namespace");
	if (a->namespace_ && strpbrk(a->namespace_, "/*"))
		return err_set(e, ERR_CONFIG, 0,
			       "--namespace is one name (see --anywhere)");
	if (a->anywhere)
		*ret = mem_strdup("*");
	else if (a->namespace_ && a->service_account)
		*ret = mem_printf("%s/%s", a->namespace_, a->service_account);
	else if (a->namespace_)
		*ret = mem_strdup(a->namespace_);
	else if (p->scope)
		*ret = mem_strdup(p->scope);
	else
		*ret = mem_strdup(before ? before->entry.scope : "*");
	return sealed_scope_ok(*ret, e);
}

static bool check_expected(const struct seal_append *p, const struct sealed_file *f,
			   struct err *e)
{
	uint64_t newest = newest_version(f, p->path);
	if (p->if_version < 0 || (uint64_t)p->if_version == newest)
		return true;
	const struct sealed_line *l = newest_whole(f, p->path);
	AUTO_BUF struct buf author = BUF_INIT(4 * SEALED_AUTHOR_MAX);
	if (l)
		sealed_author_show(l->entry.author, &author);
	return err_set(e, ERR_CONFIG, 0,
		       "the newest version is %" PRIu64 "%s%s%s%s, not %" PRId64
		       ": look at it and try again; nothing was written",
		       newest, l ? " (by " : "", buf_str(&author), l ? ", " : "",
		       l ? l->entry.time : "", p->if_version);
}

// A rollback names the version with the value, never another rollback.
static bool resolve_source(const struct seal_append *p, const struct sealed_file *f,
			   uint64_t *ret, struct err *e)
{
	uint64_t newest = newest_version(f, p->path);
	uint64_t to = p->args->to ? p->args->to : newest - 1;
	if (newest < 2 && !p->args->to)
		return err_set(e, ERR_CONFIG, 0,
			       "there is no older version to return to");
	const struct sealed_line *l = to > 0 ? sealed_file_find(f, p->path, to) : NULL;
	if (l && !l->damage && l->entry.action == SEALED_ROLLBACK)
		l = sealed_file_find(f, p->path, l->entry.source);
	if (!l)
		return err_set(e, ERR_CONFIG, 0,
			       "version %" PRIu64 " is not there (pruned?)", to);
	if (!sealed_line_check(f, l, e))
		return false;
	if (l->entry.action != SEALED_PUT)
		return err_set(e, ERR_CONFIG, 0,
			       "version %" PRIu64
			       " is a removal; name the version with --to N",
			       to);
	*ret = l->entry.version;
	return true;
}

static bool check_removal(const struct sealed_line *before, struct err *e)
{
	if (!before)
		return err_set(e, ERR_MISSING, 0, "there is no such entry");
	return before->entry.action != SEALED_REMOVE ||
	       err_set(e, ERR_MISSING, 0, "it was removed already, in version %" PRIu64,
		       before->entry.version);
}

static bool fill_entry(const struct seal_append *p, const struct sealed_file *f,
		       struct sealed_entry *to, struct err *e)
{
	const struct sealed_line *before = newest_whole(f, p->path);
	if (!sealed_path_ok(p->path, e) || !check_expected(p, f, e))
		return false;
	if (p->action == SEALED_REMOVE && !check_removal(before, e))
		return false;
	if (p->action == SEALED_ROLLBACK && !resolve_source(p, f, &to->source, e))
		return false;
	to->path = mem_strdup(p->path);
	to->version = newest_version(f, p->path) + 1;
	to->action = p->action;
	to->author = author_of(p->args);
	seal_now(to->time);
	return scope_of(p, before, &to->scope, e);
}

static bool append_one(struct seal_append *p, struct sealed_file *f, struct err *e)
{
	AUTO_SEALED_ENTRY struct sealed_entry entry = { 0 };
	AUTO_SEALED_LINE struct sealed_line line = { 0 };
	AUTO_SEALED_SIGNER struct sealed_signer *signer = NULL;
	AUTO_FREE struct age_recipient *keys = mem_calloc(AGE_KEYS_MAX, sizeof(*keys));
	if (!fill_entry(p, f, &entry, e) ||
	    !sealed_seal(&entry, seal_to(f, keys), p->value, &line, e))
		return err_wrap(e, "'%s'", p->path);
	const char *sign_key = p->args->sign_key;
	const struct sealed_line *before = newest_whole(f, p->path);
	if (sign_key &&
	    (!sealed_signer_load(sign_key, &signer, e) || !sealed_sign(signer, &line, e)))
		return false;
	if (!sign_key && before && before->signature.len > 0)
		seal_note("'%s': the version before is signed, this one is not (--sign): "
			  "an "
			  "agent that demands signatures refuses it",
			  p->path);
	p->version = entry.version;
	snprintf(p->bound, sizeof(p->bound), "%s", entry.scope);
	sealed_file_add(f, &line);
	return true;
}

struct job {
	struct seal_append *all;
	size_t n;
	bool created;
};

static bool change(void *ctx, struct sealed_file *f, struct err *e)
{
	struct job *job = ctx;
	job->created = f->n == 0 && f->n_recipients == 0;
	if (!seal_recipients(job->all[0].args, f, e))
		return false;
	for (size_t i = 0; i < job->n; i++)
		if (!append_one(&job->all[i], f, e))
			return false;
	return true;
}

// Whether a folder above the file is a Git work tree.
static bool in_git(const char *file)
{
	AUTO_FREE char *real = mem_alloc(PATH_MAX);
	if (!realpath(file, real))
		return false;
	for (char *slash = strrchr(real, '/'); slash; slash = strrchr(real, '/')) {
		*slash = '\0';
		AUTO_FREE char *git = mem_printf("%s/.git", real);
		if (access(git, F_OK) == 0)
			return true;
	}
	return false;
}

bool seal_append_all(struct seal_append *all, size_t n, struct err *e)
{
	struct job job = { .all = all, .n = n };
	bool put = all[0].action == SEALED_PUT;
	const char *file = all[0].args->file;
	struct sealed_update u = { file, put, change, &job };
	size_t size = 0;
	if (!sealed_update(&u, &size, e))
		return false;
	if (size >= SEALED_CONFIGMAP_NEAR)
		seal_note("%s has %zu bytes%s, and a ConfigMap may hold %d in all: "
			  "'ampoule seal "
			  "prune' drops old versions, or split the file",
			  file, size, size > SEALED_CONFIGMAP_MAX ? " now" : "",
			  SEALED_CONFIGMAP_MAX);
	if (job.created && in_git(file)) {
		const char *slash = strrchr(file, '/');
		seal_note("so that Git merges branches that add entries, once: echo '%s "
			  "merge=union' >>.gitattributes",
			  slash ? slash + 1 : file);
	}
	return true;
}

bool seal_append(struct seal_append *p, struct err *e)
{
	return seal_append_all(p, 1, e);
}
