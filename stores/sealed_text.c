// SPDX-License-Identifier: Apache-2.0
// The text of a sealed file, read and written.
#include <inttypes.h>
#include <string.h>

#include "lib/base/mem.h"
#include "stores/sealed_file_int.h"
#include "stores/sealed_word.h"

static const char intro[] = "ampoule-sealed v1";
enum { COMMENTS_MAX = 64 * 1024, LINES_MAX = 200000 };

static bool starts(struct str line, const char *prefix)
{
	size_t n = strlen(prefix);
	return line.len >= n && memcmp(line.p, prefix, n) == 0;
}

static bool is_marker(struct str line)
{
	return starts(line, "<<<<<<<") || starts(line, "=======") ||
	       starts(line, ">>>>>>>") || starts(line, "|||||||");
}

static void add_damaged(struct sealed_file *f, struct str line, unsigned number,
			const char *why)
{
	struct sealed_line l = { .number = number,
				 .text = mem_strndup(line.p, line.len),
				 .len = line.len,
				 .damage = mem_strdup(why) };
	sealed_file_append(f, &l);
}

// recipient KEY [NAME]
static void read_recipient(struct sealed_file *f, struct str line, unsigned number)
{
	struct str rest = line, word, key, name = { NULL, 0 };
	struct err e = ERR_INIT;
	struct age_recipient r;
	str_next(&rest, ' ', &word);
	bool ok = str_next(&rest, ' ', &key) && age_recipient_read(key, &r, &e);
	if (str_next(&rest, ' ', &name))
		ok = ok && sealed_author_ok(name, &e) && rest.len == 0;
	AUTO_FREE char *text = name.len ? mem_strndup(name.p, name.len) : NULL;
	if (!ok || !sealed_file_add_recipient(f, &r, text, &e))
		add_damaged(f, line, number,
			    e.kind ? e.text : "not of the form 'recipient KEY [NAME]'");
}

static void read_line(struct sealed_file *f, struct str line, unsigned number,
		      struct buf *comments)
{
	if (line.len == 0)
		return;
	if (line.p[0] == '#' && !memchr(line.p, '\0', line.len)) {
		buf_add(comments, line.p, line.len);
		buf_putc(comments, '\n');
	} else if (starts(line, "recipient ")) {
		read_recipient(f, line, number);
	} else if (starts(line, "entry ")) {
		struct sealed_line l;
		sealed_line_parse(line, number, &l);
		sealed_file_append(f, &l);
	} else if (is_marker(line)) {
		f->conflict = f->conflict ? f->conflict : number;
		add_damaged(f, line, number, "a conflict marker of a Git merge");
	} else {
		add_damaged(f, line, number,
			    "it begins with none of 'entry', 'recipient', '#'");
	}
}

static void mark_double(struct sealed_line *a, const struct sealed_line *b)
{
	if (a->damage)
		return;
	a->damage = mem_printf("lines %u and %u are both version %" PRIu64
			       " of '%s' (two branches wrote it; one of them may stay)",
			       a->number < b->number ? a->number : b->number,
			       a->number < b->number ? b->number : a->number,
			       a->entry.version, a->entry.path);
}

static bool same_version(const struct sealed_line *a, const struct sealed_line *b)
{
	return a->entry.path && b->entry.path && a->entry.version == b->entry.version &&
	       strcmp(a->entry.path, b->entry.path) == 0;
}

// Equal lines count once; different ones for one version damage each other.
static void find_doubles(struct sealed_file *f)
{
	size_t kept = 0;
	for (size_t i = 0; i < f->n; i++) {
		struct sealed_line *a = kept ? &f->lines[kept - 1] : NULL,
				   *b = &f->lines[i];
		bool same = a && same_version(a, b);
		if (same && a->len == b->len && memcmp(a->text, b->text, a->len) == 0) {
			sealed_line_release(b);
			continue;
		}
		if (same) {
			mark_double(a, b);
			mark_double(b, a);
		}
		f->lines[kept++] = *b;
	}
	f->n = kept;
}

static struct str without_cr(struct str line)
{
	while (line.len > 0 && line.p[line.len - 1] == '\r')
		line.len--;
	return line;
}

bool sealed_file_parse(struct str text, const char *name, struct sealed_file *ret,
		       struct err *e)
{
	struct str rest = text, line;
	if (text.len > SEALED_FILE_MAX)
		return err_set(e, ERR_LIMIT, 0, "%s is longer than %d bytes", name,
			       SEALED_FILE_MAX);
	if (!str_next(&rest, '\n', &line) || !str_eq(without_cr(line), intro))
		return err_set(e, ERR_CONFIG, 0,
			       "%s is no sealed file: its first line is not '%s'", name,
			       intro);
	AUTO_SEALED_FILE struct sealed_file f;
	sealed_file_init(&f, name);
	AUTO_BUF struct buf comments = BUF_INIT(COMMENTS_MAX);
	for (unsigned number = 2; str_next(&rest, '\n', &line); number++) {
		if (number > LINES_MAX)
			return err_set(e, ERR_LIMIT, 0, "%s has more than %d lines", name,
				       LINES_MAX);
		read_line(&f, without_cr(line), number, &comments);
	}
	if (buf_failed(&comments))
		return err_set(e, ERR_LIMIT, 0, "%s has more than %d bytes of comments",
			       name, COMMENTS_MAX);
	if (comments.len > 0)
		f.comments = buf_take(&comments, NULL);
	sealed_file_sort(&f);
	find_doubles(&f);
	*ret = f;
	f = (struct sealed_file){ 0 };
	return true;
}

bool sealed_file_write(struct sealed_file *f, struct buf *to, struct err *e)
{
	buf_printf(to, "%s\n", intro);
	if (f->comments)
		buf_puts(to, f->comments);
	for (size_t i = 0; i < f->n_recipients; i++) {
		buf_puts(to, "recipient ");
		age_recipient_write(&f->recipients[i].key, to);
		if (f->recipients[i].name)
			buf_printf(to, " %s", f->recipients[i].name);
		buf_putc(to, '\n');
	}
	// The blank line keeps a Git merge of a new recipient and a new first entry apart.
	buf_putc(to, '\n');
	for (size_t i = 0; i < f->n; i++) {
		buf_add(to, f->lines[i].text, f->lines[i].len);
		buf_putc(to, '\n');
	}
	return !buf_failed(to) || err_set(e, ERR_LIMIT, 0,
					  "%s would be longer than %zu bytes: 'ampoule "
					  "seal prune' drops old "
					  "versions, or split the file",
					  f->name, to->max);
}
