// SPDX-License-Identifier: Apache-2.0
// The words that show: get, list, history.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/seal_int.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

// One member of a JSON object, as text: a string bare, another value as JSON.
static bool print_member(const struct buf *value, const char *key, struct err *e)
{
	AUTO_JSON json_t *j = NULL;
	AUTO_BUF struct buf text = BUF_INIT(SEALED_VALUE_MAX);
	if (!json_parse(buf_str(value), value->len, SEALED_VALUE_MAX, JSON_KEEP_NUMBERS,
			&j, NULL) ||
	    !json_is_object(j))
		return err_set(e, ERR_CONFIG, 0, "--key: the value is no JSON object");
	const json_t *member = json_object_get(j, key);
	if (!member)
		return err_set(e, ERR_MISSING, 0, "the value has no member '%s'", key);
	if (json_is_string(member) && !json_number_text(member))
		buf_add(&text, json_string_value(member), json_string_length(member));
	else if (!json_write(member, &text, e))
		return false;
	return seal_value_print(&text, e);
}

bool seal_get(const struct seal_args *a, struct err *e)
{
	AUTO_SEALED_FILE struct sealed_file f = { 0 };
	AUTO_AGE_KEYRING struct age_keyring *ring = NULL;
	AUTO_SEALED_VALUE struct sealed_value v = SEALED_VALUE_INIT;
	struct sealed_writers writers;
	if (!sealed_load(a->file, &f, e) || !seal_ring(a, &ring, e) ||
	    !seal_writers(a, &writers, e))
		return false;
	struct sealed_reader r = { .file = &f,
				   .ring = ring,
				   .writers = writers.n ? &writers : NULL };
	if (!sealed_read(&r, a->operands.items[0], a->version, &v, e))
		return false;
	return a->key ? print_member(&v.bytes, a->key, e) : seal_value_print(&v.bytes, e);
}

static const char *action_name(const struct sealed_entry *entry, char *buf, size_t size)
{
	if (entry->action == SEALED_ROLLBACK)
		snprintf(buf, size, "rollback to %" PRIu64, entry->source);
	else
		snprintf(buf, size, "%s", entry->action == SEALED_PUT ? "put" : "remove");
	return buf;
}

// "no", "bad", or the writer's key.
static const char *signer_name(const struct sealed_line *l, struct buf *to)
{
	struct sealed_writer w;
	buf_reset(to);
	if (l->signature.len == 0)
		return "no";
	if (!sealed_verify(l, NULL, &w, NULL))
		return "bad";
	sealed_writer_write(&w, to);
	return buf_str(to);
}

static json_t *line_json(const struct sealed_line *l)
{
	AUTO_BUF struct buf author = BUF_INIT(4 * SEALED_AUTHOR_MAX),
			    writer = BUF_INIT(200);
	char action[48];
	sealed_author_show(l->entry.author, &author);
	return json_pack("{s:s, s:I, s:s, s:s, s:s, s:s, s:s}", "path", l->entry.path,
			 "version", (json_int_t)l->entry.version, "action",
			 action_name(&l->entry, action, sizeof(action)), "scope",
			 l->entry.scope, "time", l->entry.time, "author",
			 buf_str(&author), "signed", signer_name(l, &writer));
}

static bool print_json(json_t *take_list, struct err *e)
{
	AUTO_JSON json_t *list = take_list;
	AUTO_BUF struct buf text = BUF_INIT(SEALED_FILE_MAX);
	if (!json_write(list, &text, e) || !buf_putc(&text, '\n'))
		return false;
	fwrite(text.data, 1, text.len, stdout);
	return true;
}

static void print_line(const struct sealed_line *l, bool path)
{
	AUTO_BUF struct buf author = BUF_INIT(4 * SEALED_AUTHOR_MAX),
			    writer = BUF_INIT(200);
	char action[48];
	sealed_author_show(l->entry.author, &author);
	if (path)
		printf("%-32s ", l->entry.path);
	printf("%4" PRIu64 "  %-14s %-20s %s  %s", l->entry.version,
	       action_name(&l->entry, action, sizeof(action)), l->entry.scope,
	       l->entry.time, buf_str(&author));
	if (l->signature.len > 0)
		printf("  signed: %s", signer_name(l, &writer));
	putchar('\n');
}

static bool below(const char *path, const char *prefix)
{
	size_t n = strlen(prefix);
	while (n > 0 && prefix[n - 1] == '/')
		n--;
	return strncmp(path, prefix, n) == 0 &&
	       (n == 0 || path[n] == '\0' || path[n] == '/');
}

struct show {
	const struct seal_args *args;
	const struct sealed_file *file;
	bool (*wanted)(const struct sealed_file *, size_t, const char *);
	const char *word;
	bool with_path;
	size_t n; // out
};

// Prints the lines that are wanted; damaged ones go to stderr.
static bool show(struct show *s, struct err *e)
{
	json_t *list = json_array();
	for (size_t i = 0; i < s->file->n; i++) {
		const struct sealed_line *l = &s->file->lines[i];
		struct err damage = ERR_INIT;
		if (!sealed_line_check(s->file, l, &damage)) {
			fprintf(stderr, "%s\n", damage.text);
			continue;
		}
		if (!s->wanted(s->file, i, s->word))
			continue;
		if (s->args->json)
			json_array_append_new(list, line_json(l));
		else
			print_line(l, s->with_path);
		s->n++;
	}
	if (s->args->json)
		return print_json(list, e);
	json_decref(list);
	return true;
}

static bool is_listed(const struct sealed_file *f, size_t i, const char *prefix)
{
	return sealed_file_is_newest(f, i) && below(f->lines[i].entry.path, prefix);
}

static bool is_of(const struct sealed_file *f, size_t i, const char *path)
{
	return strcmp(f->lines[i].entry.path, path) == 0;
}

bool seal_list(const struct seal_args *a, struct err *e)
{
	AUTO_SEALED_FILE struct sealed_file f = { 0 };
	struct show s = { .args = a,
			  .file = &f,
			  .wanted = is_listed,
			  .word = a->operands.n ? a->operands.items[0] : "",
			  .with_path = true };
	return sealed_load(a->file, &f, e) && show(&s, e);
}

bool seal_history(const struct seal_args *a, struct err *e)
{
	AUTO_SEALED_FILE struct sealed_file f = { 0 };
	struct show s = {
		.args = a, .file = &f, .wanted = is_of, .word = a->operands.items[0]
	};
	if (!sealed_load(a->file, &f, e) || !show(&s, e))
		return false;
	return s.n > 0 ||
	       err_set(e, ERR_MISSING, 0, "%s has no entry '%s'", a->file, s.word);
}
