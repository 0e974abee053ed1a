// SPDX-License-Identifier: Apache-2.0
// The error struct: set once, wrapped outwards, cut at its size and never allocated.
#include "lib/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ERRNO_LAST = 133 }; // EHWPOISON; above it a cause is an HTTP status

static void text_cut_mark(struct err *e)
{
	static const char mark[] = "...";
	memcpy(e->text + sizeof(e->text) - sizeof(mark), mark, sizeof(mark));
}

bool err_set(struct err *e, enum err_kind kind, int cause, const char *fmt, ...)
{
	if (!e || e->kind != ERR_NONE)
		return false;
	e->kind = kind;
	e->cause = cause;
	e->retry_ms = 0;
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	if (n < 0)
		e->text[0] = '\0';
	if (n >= (int)sizeof(e->text)) {
		text_cut_mark(e);
		return false;
	}
	if (cause > 0 && cause <= ERRNO_LAST) {
		size_t len = strlen(e->text);
		snprintf(e->text + len, sizeof(e->text) - len, ": %s", strerror(cause));
	}
	return false;
}

bool err_wrap(struct err *e, const char *fmt, ...)
{
	if (!e || e->kind == ERR_NONE)
		return false;
	char inner[ERR_TEXT_MAX];
	memcpy(inner, e->text, sizeof(inner));
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	if (n < 0)
		n = 0;
	if (n >= (int)sizeof(e->text))
		n = (int)sizeof(e->text) - 1;
	size_t room = sizeof(e->text) - (size_t)n;
	if (snprintf(e->text + n, room, ": %s", inner) >= (int)room)
		text_cut_mark(e);
	return false;
}

void err_clear(struct err *e)
{
	if (!e)
		return;
	e->kind = ERR_NONE;
	e->cause = 0;
	e->retry_ms = 0;
	e->text[0] = '\0';
}

const char *err_kind_name(enum err_kind kind)
{
	static const char *const names[] = {
		[ERR_NONE] = "none",     [ERR_CONFIG] = "config",   [ERR_AUTH] = "auth",
		[ERR_DENIED] = "denied", [ERR_MISSING] = "missing", [ERR_RETRY] = "retry",
		[ERR_LIMIT] = "limit",   [ERR_BUG] = "bug",
	};
	return (size_t)kind < ARRAY_LEN(names) ? names[kind] : "unknown";
}
