// SPDX-License-Identifier: Apache-2.0
// One line an event on stderr, as text or JSON, with named fields. Only agent/, webhook/ and
// cmd/ log, once, where they decide; libraries return errors. There is no field type for a
// secret, and none may be added.
//
//	log_info("secret fetched", LOG_STR("path", path), LOG_INT("version", 3));
//	log_fail(LOG_WARN, &e, "template not rendered", LOG_STR("template", name));
//
// Text: 2026-11-21T04:36:05.123Z info  secret fetched path=kv/db version=3
// JSON: {"time":"…","level":"info","msg":"secret fetched","path":"kv/db","version":3}
//
// Audit lines have the level "audit", are never filtered, and carry what a security team
// asks for: event, store, path, version, container (design.md section 9).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

enum log_level { LOG_TRACE, LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_AUDIT };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

struct log_field {
	const char *key;
	const char *str; // NULL: the number counts
	int64_t num;
};

#define LOG_STR(k, v) ((struct log_field){ .key = (k), .str = (v) ? (v) : "" })
#define LOG_INT(k, v) ((struct log_field){ .key = (k), .num = (v) })

// The program's choice; before it, text at level info.
void log_setup(enum log_level level, enum log_format format);
// "trace" … "error" ("err" and "warning" too, as the peers write them), any case.
bool log_level_parse(const char *name, enum log_level *ret);
// "text", "standard" (the peer's word for text) or "json", any case.
bool log_format_parse(const char *name, enum log_format *ret);
bool log_enabled(enum log_level level);

// Where lines go; 2 by default. Tests set a pipe.
void log_set_fd(int fd);
// Audit lines go there instead, as JSON whatever the format; -1: with the others.
void log_set_audit_fd(int fd);
// From log_hold() on lines wait, at most 4 KiB of them, for log_release(): a server's come behind
// its answers, since whoever reads the log is woken for each write, and takes the processor. Not
// for longer than one round of a loop: a process that is killed loses them. Audit lines that
// have a place of their own never wait. True: they did not wait already, so that it is for the
// caller to release them.
bool log_hold(void);
void log_release(void);
// Also told of each line (status, tests), at once; NULL ends it.
typedef void log_tap_fn(void *ctx, enum log_level level, const char *line, size_t len);
void log_set_tap(log_tap_fn *fn, void *ctx);

void log_write(enum log_level level, const char *msg, const struct log_field *fields,
	       size_t n);
// The error's text and kind become the fields "error" and "kind".
void log_write_err(enum log_level level, const struct err *e, const char *msg,
		   const struct log_field *fields, size_t n);

// The first field is empty, so that a line without fields is still a valid array.
#define LOG_ARRAY_(...)                                                                  \
	(const struct log_field[])                                                       \
	{                                                                                \
		{ .key = NULL }, __VA_ARGS__                                             \
	}
#define LOG_FIELDS_(...)                                                                 \
	LOG_ARRAY_(__VA_ARGS__),                                                         \
		sizeof(LOG_ARRAY_(__VA_ARGS__)) / sizeof(struct log_field)
#define log_at(level, msg, ...) log_write(level, msg, LOG_FIELDS_(__VA_ARGS__))
#define log_trace(msg, ...) log_at(LOG_TRACE, msg, __VA_ARGS__)
#define log_debug(msg, ...) log_at(LOG_DEBUG, msg, __VA_ARGS__)
#define log_info(msg, ...) log_at(LOG_INFO, msg, __VA_ARGS__)
#define log_warn(msg, ...) log_at(LOG_WARN, msg, __VA_ARGS__)
#define log_error(msg, ...) log_at(LOG_ERROR, msg, __VA_ARGS__)
#define log_audit(event, ...) log_at(LOG_AUDIT, event, __VA_ARGS__)
#define log_fail(level, e, msg, ...)                                                     \
	log_write_err(level, e, msg, LOG_FIELDS_(__VA_ARGS__))
