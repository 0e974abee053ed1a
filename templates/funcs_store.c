// SPDX-License-Identifier: Apache-2.0
// Functions that ask the source: secret, secrets, pkiCert, file; and writeToFile, which
// takes effect when the run is complete. The others that reach out of the template are
// refused with the remedy.
#include <string.h>

#include "lib/base/str.h"
#include "templates/funcs.h"
#include "templates/literal.h"
#include "templates/object.h"
#include "templates/run.h"

static struct str trimmed(const char *p, size_t len)
{
	return str_trim((struct str){ p, len });
}

// "k=v" arguments, blanks around both trimmed; empty ones are skipped.
static bool pairs(struct run *r, const struct val *args, size_t n, struct tmpl_want *want)
{
	const char **list = arena_calloc(&r->arena, n + 1, sizeof(*list));
	for (size_t i = 0; i < n; i++) {
		struct val a = args[i];
		if (!a.s.len)
			continue;
		const char *eq = memchr(a.s.p, '=', a.s.len);
		if (!eq)
			return func_fail(r, "argument %zu is no k=v pair", i + 2);
		struct str k = trimmed(a.s.p, (size_t)(eq - a.s.p));
		struct str v = trimmed(eq + 1, (size_t)(a.s.p + a.s.len - eq - 1));
		char *pair = arena_alloc(&r->arena, k.len + v.len + 2);
		memcpy(pair, k.p, k.len);
		pair[k.len] = '=';
		memcpy(pair + k.len + 1, v.p, v.len);
		list[want->n_args++] = pair;
	}
	want->args = list;
	return true;
}

// *ret is NULL while the answer is wanted.
static bool ask(struct run *r, enum tmpl_want_kind kind, const struct val *args, size_t n,
		const json_t **ret)
{
	struct err e = ERR_INIT;
	struct tmpl_want want = { .kind = kind };
	*ret = NULL;
	if (!r->source || !r->source->lookup)
		return func_fail(r, "there is no store here");
	if (memchr(args[0].s.p, 0, args[0].s.len))
		return func_fail(r, "the path holds a NUL byte");
	want.path = arena_dup(&r->arena, args[0].s.p, args[0].s.len);
	if (!pairs(r, args + 1, n - 1, &want))
		return false;
	switch (r->source->lookup(r->source->ctx, &want, ret, &e)) {
	case TMPL_FOUND:
		return true;
	case TMPL_WANTED:
		r->wanted = true;
		*ret = NULL;
		return true;
	case TMPL_FAILED:
		break;
	}
	if (r->e && r->e->kind == ERR_NONE) {
		run_fail_kind(r, e.kind ? e.kind : ERR_CONFIG, "%s: %s", r->func->name,
			      e.text);
		r->e->cause = e.cause;
		r->e->retry_ms = e.retry_ms;
	}
	return false;
}

static bool object_or_nil(struct run *r, enum tmpl_want_kind kind, enum object_type type,
			  const struct val *args, size_t n, struct val *ret)
{
	const json_t *j = NULL;
	*ret = (struct val){ .kind = VAL_NONE };
	if (n == 0 || args[0].s.len == 0)
		return n == 0 || func_fail(r, "the path is empty");
	if (!ask(r, kind, args, n, &j))
		return false;
	*ret = object_new(&r->arena, type, j);
	return true;
}

static bool fn_secret(struct run *r, const struct val *args, size_t n, struct val *ret)
{
	return object_or_nil(r, TMPL_WANT_SECRET, OBJ_SECRET, args, n, ret);
}

static bool fn_pki(struct run *r, const struct val *args, size_t n, struct val *ret)
{
	return object_or_nil(r, TMPL_WANT_PKICERT, OBJ_PKI, args, n, ret);
}

static bool fn_secrets(struct run *r, const struct val *args, size_t n, struct val *ret)
{
	const json_t *j = NULL;
	*ret = (struct val){ .kind = VAL_LIST, .sub = LIST_STR };
	if (!args[0].s.len)
		return true;
	if (!ask(r, TMPL_WANT_LIST, args, n, &j))
		return false;
	if (!json_is_array(j))
		return true;
	struct val all = val_json(&r->arena, j);
	struct list *l = list_new(&r->arena, LIST_STR, list_len(all.list));
	for (size_t i = 0; i < list_len(all.list); i++) {
		struct val v = list_at(&r->arena, all.list, i);
		if (v.kind == VAL_STR)
			list_add(&r->arena, l, v);
	}
	*ret = val_list(l);
	return true;
}

// Whether a path without ".." lies in one of the granted folders.
static bool granted(const struct run *r, const char *path)
{
	size_t len = strlen(path);
	if (strstr(path, "/../") || (len >= 3 && strcmp(path + len - 3, "/..") == 0))
		return false;
	for (const char *const *d = r->opts->grants.read_dirs; d && *d; d++) {
		size_t n = strlen(*d);
		while (n && (*d)[n - 1] == '/')
			n--;
		if (strncmp(path, *d, n) == 0 && path[n] == '/')
			return true;
	}
	return false;
}

static bool fn_file(struct run *r, const struct val *args, size_t n, struct val *ret)
{
	const json_t *j = NULL;
	*ret = val_strz("");
	if (!args[0].s.len)
		return true;
	const char *path = arena_dup(&r->arena, args[0].s.p, args[0].s.len);
	if (!granted(r, path))
		return func_fail_kind(r, ERR_DENIED,
				      "the path is in no folder that templates may read; "
				      "policy { read_dirs } grants one");
	if (!ask(r, TMPL_WANT_FILE, args, n, &j))
		return false;
	if (json_is_string(j))
		*ret = val_str(json_string_value(j), json_string_length(j));
	return true;
}

static bool octal(struct val perms)
{
	uint64_t mode = 0;
	return literal_uint((struct str){ perms.s.p, perms.s.len }, 8, &mode) &&
	       mode <= 07777;
}

static bool fn_write(struct run *r, const struct val *args, size_t n, struct val *ret)
{
	struct arena *a = &r->arena;
	*ret = val_strz("");
	if (!r->source || !r->source->write)
		return func_fail_kind(
			r, ERR_DENIED,
			"templates may write no files here; a folder of the "
			"pod's volumes can be granted by policy { write_dirs }");
	if (n < 5)
		return func_fail(r, "the content is missing");
	if (!octal(args[3]))
		return func_fail(r, "the permissions are no octal mode");
	const char *flags = n == 6 ? arena_dup(a, args[4].s.p, args[4].s.len) : "";
	struct run_write *w = arena_alloc(a, sizeof(*w));
	w->file = (struct tmpl_file){
		.path = arena_dup(a, args[0].s.p, args[0].s.len),
		.user = arena_dup(a, args[1].s.p, args[1].s.len),
		.group = arena_dup(a, args[2].s.p, args[2].s.len),
		.perms = arena_dup(a, args[3].s.p, args[3].s.len),
		.append = strstr(flags, "append") != NULL,
		.newline = strstr(flags, "newline") != NULL,
		.content = arena_dup(a, args[n - 1].s.p, args[n - 1].s.len),
		.len = args[n - 1].s.len,
	};
	*r->writes_end = w;
	r->writes_end = &w->next;
	return true;
}

static bool fn_plugin(struct run *r, const struct val *args UNUSED, size_t n UNUSED,
		      struct val *ret UNUSED)
{
	return func_fail_kind(r, ERR_DENIED,
			      "templates run no programs; compute the value in "
			      "the application or store it as a secret");
}

static bool fn_sockaddr(struct run *r, const struct val *args UNUSED, size_t n UNUSED,
			struct val *ret UNUSED)
{
	return func_fail_kind(
		r, ERR_DENIED,
		"a pod's addresses are not read here; pass them by the downward "
		"API (status.podIP) and use env");
}

const struct func funcs_store[] = {
	FUNC("secret", "s*", fn_secret,
	     "reads a secret, or writes k=v pairs and reads the answer: .Data, .LeaseID, "
	     "…",
	     "", "", 0),
	FUNC("secrets", "s", fn_secrets, "the names under a path, sorted", "", "", 0),
	FUNC("pkiCert", "s*", fn_pki, "issues a certificate: .Cert, .Key, .CA, .CAChain",
	     "", "", 0),
	FUNC("file", "s", fn_file, "content of a file in a granted folder", "", "", 0),
	FUNC("writeToFile", "sssss*", fn_write,
	     "writes its last argument to a file: path, user, group, mode, "
	     "\"append,newline\"",
	     "", "", 0),
	FUNC("plugin", "ss*", fn_plugin, "refused: a template runs no program", "", "",
	     0),
	FUNC("sockaddr", "s*", fn_sockaddr, "refused: use the downward API", "", "", 0),
	{ .name = NULL },
};
