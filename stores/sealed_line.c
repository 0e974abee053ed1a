// SPDX-License-Identifier: Apache-2.0
// Splits a line of a sealed file into its words, and checks their form.
#include "stores/sealed_line.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/mem.h"
#include "stores/sealed_word.h"

void sealed_entry_release(struct sealed_entry *e)
{
	mem_free(e->path);
	mem_free(e->scope);
	mem_free(e->author);
	*e = (struct sealed_entry){ 0 };
}

void sealed_entry_copy(const struct sealed_entry *from, struct sealed_entry *ret)
{
	*ret = *from;
	ret->path = mem_strdup(from->path);
	ret->scope = mem_strdup(from->scope);
	ret->author = mem_strdup(from->author);
}

void sealed_line_release(struct sealed_line *l)
{
	sealed_entry_release(&l->entry);
	mem_free(l->text);
	mem_free(l->damage);
	*l = (struct sealed_line){ 0 };
}

static bool read_action(struct str word, struct sealed_entry *to, struct err *e)
{
	static const char rollback[] = "rollback:";
	size_t n = strlen(rollback);
	if (str_eq(word, "put") || str_eq(word, "remove")) {
		to->action = word.p[0] == 'p' ? SEALED_PUT : SEALED_REMOVE;
		return true;
	}
	if (word.len <= n || memcmp(word.p, rollback, n) != 0)
		return err_set(e, ERR_CONFIG, 0,
			       "the action is none of put, remove, rollback:N");
	to->action = SEALED_ROLLBACK;
	if (!sealed_version_read((struct str){ word.p + n, word.len - n }, &to->source,
				 e))
		return false;
	return to->source < to->version ||
	       err_set(e, ERR_CONFIG, 0, "a rollback to a version that is not older");
}

static bool read_scope(struct str word, struct sealed_entry *to, struct err *e)
{
	AUTO_FREE char *scope = mem_strndup(word.p, word.len);
	if (!sealed_scope_ok(scope, e))
		return false;
	to->scope = TAKE(scope);
	return true;
}

static bool read_time(struct str word, struct sealed_entry *to, struct err *e)
{
	if (!sealed_time_ok(word, e))
		return false;
	memcpy(to->time, word.p, SEALED_TIME_LEN);
	return true;
}

static bool read_author(struct str word, struct sealed_entry *to, struct err *e)
{
	if (!sealed_author_ok(word, e))
		return false;
	to->author = mem_strndup(word.p, word.len);
	return true;
}

static bool read_path(struct str word, struct sealed_entry *to, struct err *e)
{
	AUTO_FREE char *path = mem_strndup(word.p, word.len);
	if (!sealed_path_ok(path, e))
		return false;
	to->path = TAKE(path);
	return true;
}

static bool read_version(struct str word, struct sealed_entry *to, struct err *e)
{
	return sealed_version_read(word, &to->version, e);
}

static bool read_clear(struct str *rest, struct sealed_entry *to, struct err *e)
{
	static const struct {
		const char *name;
		bool (*read)(struct str, struct sealed_entry *, struct err *);
	} words[] = { { "path", read_path },     { "version", read_version },
		      { "action", read_action }, { "scope", read_scope },
		      { "time", read_time },     { "author", read_author } };
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		struct str word;
		if (!str_next(rest, ' ', &word))
			return err_set(e, ERR_CONFIG, 0, "cut off before the %s",
				       words[i].name);
		if (!words[i].read(word, to, e))
			return false;
	}
	return true;
}

static bool read_line(struct sealed_line *l, struct err *e)
{
	struct str rest = { l->text, l->len }, word;
	if (l->len > 0 && l->text[l->len - 1] == ' ')
		return err_set(e, ERR_CONFIG, 0, "a blank at its end");
	if (!str_next(&rest, ' ', &word) || !str_eq(word, "entry"))
		return err_set(e, ERR_CONFIG, 0, "not an entry");
	if (!read_clear(&rest, &l->entry, e))
		return false;
	if (!str_next(&rest, ' ', &l->sealed))
		return err_set(e, ERR_CONFIG, 0, "cut off before the sealed value");
	l->clear_len = (size_t)(l->sealed.p - l->text) - 1;
	if (l->sealed.len == 0 || l->sealed.len > SEALED_BODY_MAX)
		return err_set(e, ERR_LIMIT, 0,
			       "a sealed value of %zu letters; at most %d", l->sealed.len,
			       SEALED_BODY_MAX);
	if (!str_next(&rest, ' ', &l->signature))
		return true;
	if (l->signature.len != SEALED_SIG_LETTERS || rest.len > 0)
		return err_set(e, ERR_CONFIG, 0, "a signature of a wrong length");
	return true;
}

void sealed_line_parse(struct str text, unsigned number, struct sealed_line *ret)
{
	*ret = (struct sealed_line){ .number = number,
				     .text = mem_strndup(text.p, text.len),
				     .len = text.len };
	struct err e = ERR_INIT;
	if (memchr(text.p, '\0', text.len))
		err_set(&e, ERR_CONFIG, 0, "a NUL byte");
	else if (read_line(ret, &e))
		return;
	// What names the entry stays, so that the entry fails and not an older version of it
	// takes its place.
	if (ret->entry.version == 0) {
		mem_free(ret->entry.path);
		ret->entry.path = NULL;
	}
	ret->signature = ret->sealed = (struct str){ NULL, 0 };
	ret->damage = mem_strdup(e.text);
}

void sealed_line_sign(const struct sealed_line *l, const char *signature,
		      struct sealed_line *ret)
{
	size_t unsigned_len = (size_t)(l->sealed.p - l->text) + l->sealed.len;
	AUTO_BUF struct buf text = BUF_INIT(SEALED_CLEAR_MAX + SEALED_BODY_MAX + 256);
	buf_add(&text, l->text, unsigned_len);
	if (signature) {
		buf_putc(&text, ' ');
		buf_puts(&text, signature);
	}
	sealed_line_parse((struct str){ buf_str(&text), text.len }, l->number, ret);
}

bool sealed_entry_write(const struct sealed_entry *entry, struct buf *to, struct err *e)
{
	if (!sealed_path_ok(entry->path, e) || !sealed_scope_ok(entry->scope, e) ||
	    !sealed_time_ok(str_of(entry->time), e) ||
	    !sealed_author_ok(str_of(entry->author), e))
		return false;
	static const char *const actions[] = { "put", "remove", "rollback:" };
	buf_printf(to, "entry %s %" PRIu64 " %s", entry->path, entry->version,
		   actions[entry->action]);
	if (entry->action == SEALED_ROLLBACK)
		buf_printf(to, "%" PRIu64, entry->source);
	buf_printf(to, " %s %s %s", entry->scope, entry->time, entry->author);
	return !buf_failed(to) ||
	       err_set(e, ERR_LIMIT, 0, "the entry's clear part is too long");
}
