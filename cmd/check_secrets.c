// SPDX-License-Identifier: Apache-2.0
// Walks a tree and looks for Secrets in plaintext.
#include "cmd/check_secrets.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "stores/manifest.h"

enum { TREE_DEPTH_MAX = 64 };

struct search {
	secret_found_fn *found;
	void *ctx;
	size_t n;
};

static void tell(struct search *s, const char *file, unsigned line, const char *name)
{
	AUTO_FREE char *remedy =
		mem_printf("'ampoule seal %s%s' writes the sealed form; then remove this "
			   "one, and change "
			   "the values: Git keeps the old ones",
			   name ? "import " : "put PATH", name ? file : "");
	s->found(s->ctx,
		 &(struct secret_finding){ file, line, name ? name : "?", remedy });
	s->n++;
}

// Whether some value is there and no template expression.
static bool has_values(const json_t *data)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)data, key, value)
	{
		const char *text = json_string_value(value);
		if (text && text[0] && !strstr(text, "{{"))
			return true;
	}
	return false;
}

static void look_at_manifest(struct search *s, const char *file, const struct manifest *m)
{
	for (size_t i = 0; i < m->n; i++) {
		const json_t *doc = m->docs[i].root;
		const char *kind = manifest_str(doc, NULL, "kind");
		const char *name = manifest_str(doc, "metadata", "name");
		if (kind && strcmp(kind, "Secret") == 0 &&
		    (has_values(json_object_get(doc, "data")) ||
		     has_values(json_object_get(doc, "stringData"))))
			tell(s, file, m->docs[i].line, name);
	}
}

// --- text that is no YAML: one document between "---" lines

struct document {
	unsigned line;
	bool is_secret, in_data, has_value;
};

static void look_at_line(struct document *d, struct str line)
{
	struct str text = str_trim(line);
	bool indented = line.len > 0 && (line.p[0] == ' ' || line.p[0] == '\t');
	if (text.len == 0 || text.p[0] == '#')
		return;
	if (!indented) {
		d->is_secret = d->is_secret || str_eq(text, "kind: Secret") ||
			       str_eq(text, "kind: \"Secret\"");
		d->in_data = str_eq(text, "data:") || str_eq(text, "stringData:");
		return;
	}
	const char *colon = memchr(text.p, ':', text.len);
	bool value = colon && colon + 1 < text.p + text.len;
	if (d->in_data && value && !memmem(text.p, text.len, "{{", 2))
		d->has_value = true;
}

static void look_at_text(struct search *s, const char *file, struct str text)
{
	struct str rest = text, line;
	struct document d = { .line = 1 };
	for (unsigned number = 1; str_next(&rest, '\n', &line); number++) {
		if (!str_eq(str_trim(line), "---")) {
			look_at_line(&d, line);
			continue;
		}
		if (d.is_secret && d.has_value)
			tell(s, file, d.line, NULL);
		d = (struct document){ .line = number + 1 };
	}
	if (d.is_secret && d.has_value)
		tell(s, file, d.line, NULL);
}

static bool look_at_file(struct search *s, const char *file, struct err *e)
{
	AUTO_BUF struct buf bytes = BUF_INIT(MANIFEST_MAX);
	AUTO_MANIFEST struct manifest m = { 0 };
	struct err why = ERR_INIT;
	if (!file_read(file, &bytes, &why)) // larger than any manifest may be: none
		return why.kind == ERR_LIMIT || err_set(e, why.kind, 0, "%s", why.text);
	struct str text = { buf_str(&bytes), bytes.len };
	// Most files speak of no Secret at all.
	if (!memmem(text.p, text.len, "Secret", 6))
		return true;
	if (manifest_parse(text, file, &m, &why))
		look_at_manifest(s, file, &m);
	else
		look_at_text(s, file, text);
	return true;
}

static bool look_at_folder(struct search *s, const char *path, unsigned depth,
			   struct err *e);

static bool look_at(struct search *s, const char *path, unsigned depth, struct err *e)
{
	struct stat st;
	if (lstat(path, &st) != 0)
		return err_set(e, ERR_CONFIG, errno, "look at '%s'", path);
	if (S_ISDIR(st.st_mode))
		return look_at_folder(s, path, depth, e);
	bool named = str_ends(path, ".yaml") || str_ends(path, ".yml") ||
		     str_ends(path, ".json");
	bool regular = S_ISREG(st.st_mode) || (S_ISLNK(st.st_mode) && depth == 0);
	return !regular || (depth > 0 && !named) || look_at_file(s, path, e);
}

static bool look_at_folder(struct search *s, const char *path, unsigned depth,
			   struct err *e)
{
	struct dirent **names = NULL;
	if (depth == TREE_DEPTH_MAX)
		return err_set(e, ERR_LIMIT, 0, "'%s' is too deep", path);
	int n = scandir(path, &names, NULL, alphasort);
	if (n < 0)
		return err_set(e, ERR_CONFIG, errno, "open folder '%s'", path);
	bool ok = true;
	for (int i = 0; i < n; i++) {
		const char *name = names[i]->d_name;
		bool skipped = strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
			       strcmp(name, ".git") == 0;
		if (ok && !skipped) {
			AUTO_FREE char *below = mem_printf("%s/%s", path, name);
			ok = look_at(s, below, depth + 1, e);
		}
		free(names[i]);
	}
	free(names);
	return ok;
}

bool check_secrets(const char *path, secret_found_fn *found, void *ctx, size_t *ret_found,
		   struct err *e)
{
	struct search s = { .found = found, .ctx = ctx };
	bool ok = look_at(&s, path, 0, e);
	*ret_found = s.n;
	return ok;
}
