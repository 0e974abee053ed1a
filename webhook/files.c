// SPDX-License-Identifier: Apache-2.0
// The files that a pod asks for: each <n> of secret-<n>, template-<n>, template-file-<n> is a
// template of the agent's configuration.
#include <ctype.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/conf/stock.h"
#include "webhook/notes.h"
#include "webhook/plan.h"

#define SECRET "agent-inject-secret-<n>"
#define TEMPLATE "agent-inject-template-<n>"
#define TEMPLATE_FILE "agent-inject-template-file-<n>"
#define FILE_NAME "agent-inject-file-<n>"
#define VOLUME_PATH "secret-volume-path-<n>"
#define KEEP_CASE "preserve-secret-case-<n>"

enum { TEXT_MAX = 256 * 1024, PATH_TEXT_MAX = 1024, NAMES_MAX = 256 };

static bool is_blank(const char *s)
{
	return str_trim(str_of(s)).len == 0;
}

static const struct asked_entry *given(const struct plan *p, const char *name,
				       const char *n)
{
	const struct asked_entry *entry = asked_find(&p->asked, name, n);
	return entry && !is_blank(entry->value) ? entry : NULL;
}

// A path without "." and "//", relative; NULL when ".." leads out.
static char *clean_path(struct plan *p, const char *path)
{
	char out[PATH_TEXT_MAX];
	size_t len = 0;
	struct str rest = str_of(path), part;
	while (str_next(&rest, '/', &part)) {
		if (part.len == 0 || str_eq(part, "."))
			continue;
		if (str_eq(part, "..")) {
			if (len == 0)
				return NULL;
			while (len > 0 && out[len - 1] != '/')
				len--;
			len -= len > 0;
			continue;
		}
		if (len + part.len + 2 > sizeof(out))
			return NULL;
		if (len > 0)
			out[len++] = '/';
		memcpy(out + len, part.p, part.len);
		len += part.len;
	}
	return pool_strndup(&p->pool, out, len);
}

const char *plan_below(struct plan *p, const char *path, const char *folder)
{
	const char *clean = clean_path(p, path);
	size_t len = strlen(folder + 1);
	if (!clean || strncmp(clean, folder + 1, len) != 0)
		return NULL;
	return !clean[len] ? "" : clean[len] == '/' ? clean + len + 1 : NULL;
}

bool plan_mount(struct plan *p, const struct asked_entry *from, const char *path,
		size_t *ret, const char **ret_folder, struct err *e)
{
	const char *clean = clean_path(p, path);
	if (path[0] != '/' || !clean || !*clean || strchr(path, ':'))
		return asked_wrong(
			from, e,
			"'%.100s' is no absolute path of a folder; an example: "
			"/vault/secrets",
			path);
	clean = pool_printf(&p->pool, "/%s", clean);
	*ret_folder = clean;
	for (*ret = 0; *ret < p->n_mounts; ++*ret)
		if (plan_below(p, clean, p->mounts[*ret].path))
			return true;
	for (size_t i = 0; i < p->n_mounts; i++)
		if (plan_below(p, p->mounts[i].path, clean))
			return asked_wrong(from, e,
					   "the folder %.100s lies in it; choose one "
					   "beside or below that",
					   p->mounts[i].path);
	p->mounts = pool_append(&p->pool, p->mounts, &p->n_mounts, sizeof(*p->mounts));
	p->mounts[*ret].path = clean;
	return true;
}

// --- contents

// The text as a Go string literal without its quotes.
static void put_quoted(struct buf *to, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_putc(to, '\\');
		if (*text == '\n')
			buf_puts(to, "\\n");
		else
			buf_putc(to, *text);
	}
}

// The peer's own default templates.
static bool default_template(const struct plan *p, const char *path, json_t *to,
			     struct err *e)
{
	AUTO_BUF struct buf b = BUF_INIT(TEXT_MAX);
	const struct asked_entry *kind =
		asked_find(&p->asked, "agent-inject-default-template", NULL);
	AUTO_JSON json_t *word = NULL;
	if (kind && !asked_value(kind, &word, e))
		return false;
	bool json = word && strcmp(json_string_value(word), "json") == 0;
	buf_puts(&b, "{{ with secret \"");
	put_quoted(&b, path);
	buf_puts(&b,
		 json ? "\" }}{{ .Data | toJSON }}\n{{ end }}"
		      : "\" }}{{ range $k, $v := .Data }}{{ $k }}: {{ $v }}\n{{ end }}"
			"{{ end }}");
	json_object_set_new(to, "contents", json_str(buf_str(&b), b.len));
	return true;
}

// A template of the operator's, or a ready-made one.
static bool put_named(const struct plan *p, const struct asked_entry *entry,
		      const char *name, json_t *to, struct err *e)
{
	const char *names[NAMES_MAX], *own;
	size_t n = 0;
	json_t *text;
	for (const char *const *s = conf_stock_names; *s; s++) {
		names[n++] = *s;
		if (strcmp(*s, name) == 0)
			json_object_set_new(to, "stock", json_string(name));
	}
	json_object_foreach(p->ask->settings->templates, own, text)
	{
		if (n < NAMES_MAX)
			names[n++] = own;
	}
	text = json_object_get(p->ask->settings->templates, name);
	if (text) {
		json_object_set(to, "contents", text);
		json_object_del(to, "stock");
	}
	if (text || json_object_get(to, "stock"))
		return true;
	const char *near = str_nearest(name, names, n);
	return asked_wrong(entry, e,
			   "there is no template '%.60s'%s%.60s%s; json, env, yaml and "
			   "more are ready-made, others stand in the webhook's "
			   "configuration",
			   name, near ? " (did you mean " : "", near ? near : "",
			   near ? "?)" : "");
}

// A path may hold a ':', but who writes one mostly means a store. The stores that the pod has
// are told.
static void warn_path(const struct plan *p, const struct asked_entry *entry,
		      const char *said, const json_t *chosen)
{
	AUTO_BUF struct buf b = BUF_INIT(PATH_TEXT_MAX);
	const json_t *one;
	const char *name;
	json_t *body;
	POD_EACH (chosen, i, one)
		buf_printf(&b, " %s", json_string_value(one));
	json_object_foreach(chosen ? NULL : p->ask->settings->stores, name, body)
	{
		buf_printf(&b, " %s", name);
	}
	notes_add(p->warnings,
		  "annotation %s: no store is named '%.63s' (there are:%.80s), so it is "
		  "part of the path; name the store before it (STORE:%.20s:) if that is "
		  "meant",
		  entry->key, said, b.len ? buf_str(&b) : " vault", said);
}

// What stands before the first ':' may be a store: one of the pod's, or nearly one of the
// operator's, which would be a path to the agent.
static bool check_store(const struct plan *p, const struct asked_entry *entry,
			struct str path, struct err *e)
{
	const char *names[NAMES_MAX], *name, *near;
	const json_t *one;
	json_t *body;
	size_t n = 0;
	struct str word;
	AUTO_JSON json_t *chosen = NULL;
	if (!memchr(path.p, ':', path.len) || !str_next(&path, ':', &word) ||
	    memchr(word.p, '/', word.len))
		return true;
	AUTO_FREE char *said = mem_strndup(word.p, word.len);
	if (!asked_list(&p->asked, "stores", &chosen, e))
		return false;
	json_object_foreach(p->ask->settings->stores, name, body)
	{
		if (n < NAMES_MAX)
			names[n++] = name;
	}
	if (json_object_get(p->ask->settings->stores, said)) {
		bool mine = !chosen;
		POD_EACH (chosen, i, one)
			mine |= strcmp(json_string_value(one), said) == 0;
		return mine ||
		       asked_wrong(entry, e,
				   "ampoule.dev/stores leaves the store '%.63s' out; "
				   "name it there, too",
				   said);
	}
	if (strcmp(said, "vault") == 0)
		return true;
	near = str_nearest(said, names, n);
	if (near)
		return asked_wrong(entry, e,
				   "there is no store '%.63s' (did you mean %.63s?)",
				   said, near);
	if (!strpbrk(said, "?#"))
		warn_path(p, entry, said, chosen);
	return true;
}

// Of a version a number is wanted.
static bool is_version(struct str path)
{
	static const char key[] = "version=";
	const char *end = path.p + path.len, *at = strstr(path.p, key);
	if (!at || at >= end || at == path.p || !strchr("?&", at[-1]))
		return true;
	at += strlen(key);
	size_t digits = strspn(at, "0123456789");
	return digits > 0 && (at + digits >= end || strchr("#&", at[digits]));
}

// [store:]path[?version=N][#key] [| template]
bool plan_secret(const struct plan *p, const struct asked_entry *entry, json_t *to,
		 struct err *e)
{
	const char *bar = strrchr(entry->value, '|');
	struct str path =
		str_trim(bar ? (struct str){ entry->value, (size_t)(bar - entry->value) }
			     : str_of(entry->value));
	struct str name = str_trim(str_of(bar ? bar + 1 : ""));
	bool wrong = path.len == 0 || path.p[path.len - 1] == '#' || !is_version(path);
	for (size_t i = 0; i < path.len; i++)
		wrong |= path.p[i] == '|' || (unsigned char)path.p[i] < ' ';
	if (wrong)
		return asked_wrong(entry, e,
				   "a path is wanted: [store:]path[?version=N][#key] "
				   "[| template]");
	if (bar && name.len == 0)
		return asked_wrong(entry, e, "the name of a template is wanted behind |");
	if (!check_store(p, entry, path, e))
		return false;
	json_object_set_new(to, "secret", json_str(path.p, path.len));
	if (name.len == 0)
		return true;
	AUTO_FREE char *word = mem_strndup(name.p, name.len);
	return put_named(p, entry, word, to, e);
}

// The annotation that asks for the file; NULL: none does.
static const struct asked_entry *asker_of(const struct plan *p, const char *n)
{
	static const char *const names[] = { SECRET, TEMPLATE, TEMPLATE_FILE };
	const struct asked_entry *entry = NULL;
	for (size_t i = 0; i < ARRAY_LEN(names) && !entry; i++)
		entry = given(p, names[i], n);
	return entry;
}

static bool put_contents(const struct plan *p, const char *n, json_t *to, struct err *e)
{
	const struct asked_entry *text = given(p, TEMPLATE, n),
				 *file = given(p, TEMPLATE_FILE, n),
				 *secret = given(p, SECRET, n);
	if (text) {
		json_object_set_new(to, "contents",
				    json_str(text->value, strlen(text->value)));
		if (file)
			asked_warn_beside(text, file->key, p->warnings);
	} else if (file) {
		if (file->value[0] != '/')
			return asked_wrong(file, e,
					   "an absolute path in the agent's container is "
					   "wanted");
		json_object_set_new(to, "source", json_string(file->value));
	} else if (secret->prefix == PREFIX_OURS) {
		return plan_secret(p, secret, to, e);
	} else {
		return default_template(p, secret->value, to, e);
	}
	return true;
}

// --- one file

// File names keep their case under our prefix and with preserve-secret-case.
static bool keeps_case(const struct plan *p, const char *n,
		       const struct asked_entry *first)
{
	static const char *const names[] = { "preserve-secret-case", KEEP_CASE };
	bool keep = first->prefix == PREFIX_OURS;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct asked_entry *entry =
			asked_find(&p->asked, names[i], i ? n : NULL);
		bool value = false;
		if (entry && str_bool(entry->value, &value, NULL))
			keep = value;
	}
	return keep;
}

static bool put_destination(struct plan *p, const char *n,
			    const struct asked_entry *first, json_t *to, struct err *e)
{
	const struct asked_entry *name = given(p, FILE_NAME, n),
				 *folder = given(p, VOLUME_PATH, n);
	size_t mount = 0;
	struct err why = ERR_INIT;
	const char *at = p->mounts[0].path;
	if (folder && !plan_mount(p, folder, folder->value, &mount, &at, e))
		return false;
	char *file = pool_strdup(&p->pool, name ? name->value : n);
	for (char *c = file; !name && !keeps_case(p, n, first) && *c; c++)
		*c = (char)tolower((unsigned char)*c);
	const char *clean = clean_path(p, file);
	const struct asked_entry *said = name ? name : first;
	if (!clean || !*clean)
		return asked_wrong(said, e,
				   "'%.100s' leads out of %s; a path below it is wanted",
				   file, at);
	if (!file_path_ok(clean, &why))
		return asked_wrong(said, e, "%s", why.text);
	p->mounts[mount].used = true;
	json_object_set_new(to, "destination",
			    json_string(pool_printf(&p->pool, "%s/%s", at, clean)));
	return true;
}

static const struct plan_target *find_target(const struct plan *p, const char *name)
{
	for (size_t i = 0; i < p->n_targets; i++)
		if (strcmp(p->targets[i].name, name) == 0)
			return &p->targets[i];
	return NULL;
}

// containers-<n>: those that the pod has. One that another webhook adds later gets the file
// when we are called again.
static bool put_containers(struct plan *p, const struct asked_entry *entry, json_t *list,
			   json_t *to, struct err *e)
{
	json_t *there = json_array(), *one;
	POD_EACH (list, i, one) {
		if (find_target(p, json_string_value(one)))
			json_array_append(there, one);
		else
			notes_add(p->warnings,
				  "annotation %s: the pod has no container '%s' "
				  "that is "
				  "injected",
				  entry->key, json_string_value(one));
	}
	bool ok = json_array_size(there) > 0 ||
		  asked_wrong(entry, e, "it names no container that is injected");
	json_object_set_new(to, "containers", there);
	return ok;
}

// The rows of <n> that are keys of the template stanza and need no thought.
static bool put_plain(struct plan *p, const struct asked_entry *entry, json_t *to,
		      struct err *e)
{
	static const char *const thought[] = { SECRET, TEMPLATE, TEMPLATE_FILE,
					       FILE_NAME };
	AUTO_JSON json_t *value = NULL;
	for (size_t i = 0; i < ARRAY_LEN(thought); i++)
		if (strcmp(asked_name(entry->row), thought[i]) == 0)
			return true;
	if (entry->row->stanza != STANZA_TEMPLATE || !*entry->value)
		return true;
	if (!asked_value(entry, &value, e))
		return false;
	if (strcmp(entry->row->key, "containers") == 0)
		return put_containers(p, entry, value, to, e);
	json_object_set(to, entry->row->key, value);
	return true;
}

static bool add_file(struct plan *p, const char *n, const struct asked_entry *first,
		     struct err *e)
{
	json_t *to = json_object();
	json_array_append_new(p->templates, to);
	json_object_set_new(to, "name", json_string(n));
	if (!put_contents(p, n, to, e) || !put_destination(p, n, first, to, e))
		return false;
	for (size_t i = 0; i < p->asked.n; i++) {
		const struct asked_entry *entry = &p->asked.entries[i];
		if (entry->n && strcmp(entry->n, n) == 0 && !put_plain(p, entry, to, e))
			return false;
	}
	if (first->prefix == PREFIX_OURS && !json_object_get(to, "on_revoked"))
		json_object_set_new(to, "on_revoked", json_string("remove"));
	return true;
}

// Two files at one place, or one below the other: the second would be lost.
static bool check_twice(struct plan *p, const json_t *file,
			const struct asked_entry *first, struct err *e)
{
	const char *path = pod_text(file, "destination");
	const json_t *other;
	POD_EACH (p->templates, i, other) {
		const char *there = pod_text(other, "destination");
		if (other != file &&
		    (plan_below(p, there, path) || plan_below(p, path, there)))
			return asked_wrong(
				first, e,
				"it and %.253s want the same place %.200s; give one "
				"another file-<n>, or preserve-secret-case",
				asker_of(p, pod_text(other, "name"))->key,
				strlen(there) < strlen(path) ? there : path);
	}
	return true;
}

static bool is_file_row(const struct option_row *row)
{
	return row->stanza == STANZA_TEMPLATE ||
	       strcmp(asked_name(row), VOLUME_PATH) == 0 ||
	       strcmp(asked_name(row), KEEP_CASE) == 0;
}

bool plan_files(struct plan *p, struct err *e)
{
	const char *last = NULL;
	for (size_t i = 0; i < p->asked.n; i++) {
		const struct asked_entry *entry = &p->asked.entries[i];
		if (!entry->n || !is_file_row(entry->row) ||
		    (last && strcmp(last, entry->n) == 0))
			continue;
		const struct asked_entry *first = asker_of(p, entry->n);
		if (!first) {
			notes_add(
				p->warnings,
				"annotation %s has no effect: there is no secret and no "
				"template named '%s'",
				entry->key, entry->n);
			continue;
		}
		last = entry->n;
		if (!add_file(p, entry->n, first, e) ||
		    !check_twice(p,
				 json_array_get(p->templates,
						json_array_size(p->templates) - 1),
				 first, e))
			return false;
	}
	return true;
}
