// SPDX-License-Identifier: Apache-2.0
// Log lines: built in one static buffer, written with one write(), never allocated.
#include "lib/base/log.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"

// A field is written when its key, its quotes and a number have room.
enum { LINE_MAX_BYTES = 8192, FIELD_MIN = 32 };

static struct {
	enum log_level level;
	enum log_format format;
	int fd, audit_fd;
	log_tap_fn *tap;
	void *tap_ctx;
} state = { .level = LOG_INFO, .fd = STDERR_FILENO, .audit_fd = -1 };

static struct {
	bool on;
	size_t len;
	char text[4096];
} held;

static const char *const level_names[] = {
	[LOG_TRACE] = "trace", [LOG_DEBUG] = "debug", [LOG_INFO] = "info",
	[LOG_WARN] = "warn",   [LOG_ERROR] = "error", [LOG_AUDIT] = "audit",
};

// One line under construction; it is cut, never split.
struct line {
	char text[LINE_MAX_BYTES];
	size_t len;
};

void log_setup(enum log_level level, enum log_format format)
{
	state.level = level;
	state.format = format;
}

bool log_level_parse(const char *name, enum log_level *ret)
{
	static const struct {
		const char *name;
		enum log_level level;
	} other[] = { { "err", LOG_ERROR },
		      { "warning", LOG_WARN },
		      { "notice", LOG_INFO } };
	for (size_t i = 0; i < LOG_AUDIT; i++)
		if (strcasecmp(name, level_names[i]) == 0) {
			*ret = (enum log_level)i;
			return true;
		}
	for (size_t i = 0; i < ARRAY_LEN(other); i++)
		if (strcasecmp(name, other[i].name) == 0) {
			*ret = other[i].level;
			return true;
		}
	return false;
}

bool log_format_parse(const char *name, enum log_format *ret)
{
	if (strcasecmp(name, "json") == 0)
		*ret = LOG_FORMAT_JSON;
	else if (strcasecmp(name, "text") == 0 || strcasecmp(name, "standard") == 0)
		*ret = LOG_FORMAT_TEXT;
	else
		return false;
	return true;
}

bool log_enabled(enum log_level level)
{
	return level >= state.level;
}

void log_set_fd(int fd)
{
	state.fd = fd;
}

void log_set_audit_fd(int fd)
{
	state.audit_fd = fd;
}

// Audit lines may have a place and a form of their own.
static bool is_apart(enum log_level level)
{
	return level == LOG_AUDIT && state.audit_fd >= 0;
}

static bool is_json(enum log_level level)
{
	return state.format == LOG_FORMAT_JSON || is_apart(level);
}

void log_set_tap(log_tap_fn *fn, void *ctx)
{
	state.tap = fn;
	state.tap_ctx = ctx;
}

// Bytes kept back for what closes a line: quote, brace, newline, NUL.
enum { CLOSING = 4 };

static bool fits(const struct line *l, size_t n)
{
	return l->len + n + CLOSING <= sizeof(l->text);
}

static void put(struct line *l, const char *s, size_t n)
{
	size_t room = sizeof(l->text) - 2 - l->len; // newline and NUL
	if (n > room)
		n = room;
	memcpy(l->text + l->len, s, n);
	l->len += n;
}

static void put_str(struct line *l, const char *s)
{
	put(l, s, strlen(s));
}

// One letter of a quoted value, escaped where JSON or a terminal wants it. Returns the bytes
// of s that it took.
static size_t quoted_letter(const char *s, char ret[static 8], size_t *ret_len)
{
	unsigned char c = (unsigned char)*s, next = (unsigned char)s[1];
	size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (c == '"' || c == '\\')
		*ret_len = (size_t)snprintf(ret, 8, "\\%c", c);
	else if (c == '\n')
		*ret_len = (size_t)snprintf(ret, 8, "\\n");
	else if (c < 0x20 || c == 0x7f)
		*ret_len = (size_t)snprintf(ret, 8, "\\u%04x", c);
	else if (c == 0xc2 && next >= 0x80 && next < 0xa0) // C1 control letters
		*ret_len = (size_t)snprintf(ret, 8, "\\u%04x", next);
	else if (strnlen(s, n) < n || !str_valid_utf8(s, n)) {
		*ret_len = (size_t)snprintf(ret, 8, "\\ufffd");
		return 1;
	} else {
		memcpy(ret, s, n);
		*ret_len = n;
	}
	return n;
}

// As a JSON string; also used for text values that hold blanks, quotes or control letters.
// What does not fit is cut between two letters, so that the line stays one JSON object.
static void put_quoted(struct line *l, const char *s)
{
	put_str(l, "\"");
	while (*s) {
		char letter[8];
		size_t len;
		s += quoted_letter(s, letter, &len);
		if (!fits(l, len))
			break;
		put(l, letter, len);
	}
	put_str(l, "\"");
}

static void put_plain(struct line *l, const char *s)
{
	bool plain = *s != '\0';
	for (const char *p = s; *p && plain; p++)
		plain = *p > ' ' && *p != '"' && *p != '=' && *p != 0x7f;
	if (plain)
		put_str(l, s);
	else
		put_quoted(l, s);
}

static void put_int(struct line *l, int64_t n)
{
	char text[24];
	put(l, text, (size_t)snprintf(text, sizeof(text), "%lld", (long long)n));
}

static void put_fields(struct line *l, const struct log_field *f, size_t n, bool json)
{
	for (size_t i = 0; i < n; i++) {
		if (!f[i].key)
			continue;
		if (!fits(l, strlen(f[i].key) + FIELD_MIN))
			return;
		put_str(l, json ? ",\"" : " ");
		put_str(l, f[i].key);
		put_str(l, json ? "\":" : "=");
		if (!f[i].str)
			put_int(l, f[i].num);
		else if (json)
			put_quoted(l, f[i].str);
		else
			put_plain(l, f[i].str);
	}
}

static void put_head(struct line *l, enum log_level level, const char *msg)
{
	char when[CLOCK_RFC3339_LEN];
	clock_rfc3339(clock_wall_ms(), when);
	if (is_json(level)) {
		put_str(l, "{\"time\":\"");
		put_str(l, when);
		put_str(l, "\",\"level\":\"");
		put_str(l, level_names[level]);
		put_str(l, "\",\"msg\":");
		put_quoted(l, msg);
		return;
	}
	char head[CLOCK_RFC3339_LEN + 8];
	snprintf(head, sizeof(head), "%s %-5s ", when, level_names[level]);
	put_str(l, head);
	put_str(l, msg);
}

static void write_out(int fd, const char *text, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, text + done, len - done);
		if (n <= 0)
			return; // nobody to tell
		done += (size_t)n;
	}
}

static void give_held(void)
{
	write_out(state.fd, held.text, held.len);
	held.len = 0;
}

static void finish(struct line *l, enum log_level level)
{
	if (is_json(level))
		put_str(l, "}");
	if (state.tap)
		state.tap(state.tap_ctx, level, l->text, l->len);
	l->text[l->len++] = '\n';
	if (is_apart(level)) {
		write_out(state.audit_fd, l->text, l->len);
		return;
	}
	if (l->len > sizeof(held.text) - held.len)
		give_held();
	if (!held.on || l->len > sizeof(held.text)) {
		write_out(state.fd, l->text, l->len);
		return;
	}
	memcpy(held.text + held.len, l->text, l->len);
	held.len += l->len;
}

bool log_hold(void)
{
	bool first = !held.on;
	held.on = true;
	return first;
}

void log_release(void)
{
	held.on = false;
	give_held();
}

void log_write(enum log_level level, const char *msg, const struct log_field *fields,
	       size_t n)
{
	log_write_err(level, NULL, msg, fields, n);
}

void log_write_err(enum log_level level, const struct err *e, const char *msg,
		   const struct log_field *fields, size_t n)
{
	static struct line l;
	if (!log_enabled(level))
		return;
	bool json = is_json(level);
	l.len = 0;
	put_head(&l, level, msg);
	put_fields(&l, fields, n, json);
	if (e && e->kind != ERR_NONE) {
		const struct log_field about[] = {
			LOG_STR("kind", err_kind_name(e->kind)), LOG_STR("error", e->text)
		};
		put_fields(&l, about, ARRAY_LEN(about), json);
	}
	finish(&l, level);
}
