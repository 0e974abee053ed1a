// SPDX-License-Identifier: Apache-2.0
// The words that write versions: put, remove, rollback; and prune, which drops them.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/seal_int.h"
#include "lib/base/mem.h"

static void say(const struct seal_append *p, const char *what)
{
	fprintf(stderr, "%s: '%s' version %" PRIu64 " %s\n", p->args->file, p->path,
		p->version, what);
}

// The editor begins with the present value when there is a key for it, and what it began
// with must still be the newest version when it ends.
static bool load_present(struct seal_append *p, struct buf *value, struct err *e)
{
	AUTO_SEALED_FILE struct sealed_file f = { 0 };
	struct err missing = ERR_INIT;
	if (!sealed_load(p->args->file, &f, &missing)) {
		if (missing.kind == ERR_MISSING) {
			p->if_version = p->if_version < 0 ? 0 : p->if_version;
			return true;
		}
		return err_set(e, missing.kind, 0, "%s", missing.text);
	}
	const struct sealed_line *l = sealed_file_find(&f, p->path, 0);
	if (p->if_version < 0)
		p->if_version = l ? (int64_t)l->entry.version : 0;
	if (!l || p->args->identities.n == 0)
		return true;
	AUTO_AGE_KEYRING struct age_keyring *ring = NULL;
	AUTO_SEALED_VALUE struct sealed_value v = SEALED_VALUE_INIT;
	if (!seal_ring(p->args, &ring, e))
		return false;
	struct sealed_reader reader = { .file = &f, .ring = ring };
	if (!sealed_read(&reader, p->path, 0, &v, &missing))
		return missing.kind == ERR_MISSING ||
		       err_set(e, missing.kind, 0, "%s", missing.text);
	buf_add(value, v.bytes.data, v.bytes.len);
	return true;
}

bool seal_put(const struct seal_args *a, struct err *e)
{
	struct seal_append p = { .args = a,
				 .path = a->operands.items[0],
				 .action = SEALED_PUT,
				 .if_version = a->if_version };
	AUTO_BUF struct buf value = BUF_INIT(SEALED_VALUE_MAX);
	if (!sealed_path_ok(p.path, e))
		return err_wrap(e, "'%s'", p.path);
	if ((a->edit && !load_present(&p, &value, e)) || !seal_value_read(a, &value, e))
		return false;
	p.value = bytes_of(buf_str(&value), value.len);
	if (!seal_append(&p, e))
		return false;
	AUTO_FREE char *what = mem_printf(
		"sealed for %s", strcmp(p.bound, "*") == 0
					 ? "any namespace (--namespace binds it to one)"
					 : p.bound);
	say(&p, what);
	return true;
}

bool seal_remove(const struct seal_args *a, struct err *e)
{
	struct seal_append p = { .args = a,
				 .path = a->operands.items[0],
				 .action = SEALED_REMOVE,
				 .if_version = a->if_version };
	if (!seal_append(&p, e))
		return false;
	say(&p, "says that it is removed; older versions stay in the file until 'prune', "
		"and in "
		"Git for ever: change the secret itself too");
	return true;
}

bool seal_rollback(const struct seal_args *a, struct err *e)
{
	struct seal_append p = { .args = a,
				 .path = a->operands.items[0],
				 .action = SEALED_ROLLBACK,
				 .if_version = a->if_version };
	if (!seal_append(&p, e))
		return false;
	say(&p, "returns to an older value");
	return true;
}

// --- prune

struct prune {
	const struct seal_args *args;
	const char *path; // NULL = all
	size_t dropped;
};

// How many undamaged versions of lines[i]'s entry are newer.
static uint64_t newer(const struct sealed_file *f, size_t i)
{
	uint64_t n = 0;
	for (size_t k = i + 1; k < f->n; k++) {
		const struct sealed_line *l = &f->lines[k];
		if (l->entry.path && strcmp(l->entry.path, f->lines[i].entry.path) != 0)
			break;
		n += !l->damage;
	}
	return n;
}

// Whether a version that stays has its value here.
static bool is_source(const struct sealed_file *f, size_t i, uint64_t keep)
{
	const struct sealed_entry *old = &f->lines[i].entry;
	for (size_t k = i + 1; k < f->n; k++) {
		const struct sealed_line *l = &f->lines[k];
		if (l->damage)
			continue;
		if (strcmp(l->entry.path, old->path) != 0)
			break;
		if (l->entry.action == SEALED_ROLLBACK &&
		    l->entry.source == old->version && newer(f, k) < keep)
			return true;
	}
	return false;
}

static bool prune_change(void *ctx, struct sealed_file *f, struct err *e)
{
	struct prune *p = ctx;
	p->dropped = 0;
	if (p->path && !sealed_file_find(f, p->path, 0))
		return err_set(e, ERR_MISSING, 0, "%s has no entry '%s'", f->name,
			       p->path);
	AUTO_FREE bool *drop = mem_calloc(f->n + 1, sizeof(*drop));
	for (size_t i = 0; i < f->n; i++) {
		const struct sealed_line *l = &f->lines[i];
		drop[i] = !l->damage &&
			  (!p->path || strcmp(l->entry.path, p->path) == 0) &&
			  newer(f, i) >= p->args->keep && !is_source(f, i, p->args->keep);
	}
	for (size_t i = f->n; i > 0; i--) {
		if (!drop[i - 1])
			continue;
		sealed_file_remove(f, i - 1);
		p->dropped++;
	}
	return true;
}

bool seal_prune(const struct seal_args *a, struct err *e)
{
	struct prune p = { .args = a,
			   .path = a->operands.n ? a->operands.items[0] : NULL };
	struct sealed_update u = { a->file, false, prune_change, &p };
	size_t size;
	if (!sealed_update(&u, &size, e))
		return false;
	fprintf(stderr, "%s: %zu old versions dropped; it has %zu bytes\n", a->file,
		p.dropped, size);
	return true;
}
