// SPDX-License-Identifier: Apache-2.0
// Errors. A function that can fail returns bool (true is success) and fills a struct err
// that its caller owns. No allocation, so that it works when memory is short.
//
// The kind is a decision, not a description: it says what the caller shall do next. The
// text is for a person: it names the field, the place and the remedy, and never holds a
// secret, a token, a response body or a template's value.
//
//	if (fd < 0)
//		return err_set(e, ERR_CONFIG, errno, "open '%s'", path);
//	if (!parse(...))
//		return err_wrap(e, "template '%s'", name);
//
// The first error wins: err_set() on an error that is already set changes nothing, so that
// a clean-up that fails too cannot hide the cause. Every function accepts e == NULL.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/auto.h"

enum err_kind {
	ERR_NONE,   // no error
	ERR_CONFIG, // the user must change something: stop, say where
	ERR_AUTH,   // the credential is refused or gone: log in again
	ERR_DENIED, // the credential is good, the right is missing: report, do not retry fast
	ERR_MISSING, // there is no such thing: follow the template's rule
	ERR_RETRY,   // it may work later: back off
	ERR_LIMIT,   // a limit of ours was met: refuse
	ERR_BUG,     // our own mistake
};

enum { ERR_TEXT_MAX = 512 };

struct err {
	enum err_kind kind;
	int cause;        // errno or an HTTP status when there is one, else 0
	int64_t retry_ms; // ERR_RETRY: the other side asked to wait this long; 0 = our choice
	char text[ERR_TEXT_MAX];
};

#define ERR_INIT                                                                         \
	{                                                                                \
		.kind = ERR_NONE                                                         \
	}

// Sets kind, cause and text; appends ": <strerror>" when cause is an errno (1..133).
// Always returns false, so that it can stand in a return statement.
bool err_set(struct err *e, enum err_kind kind, int cause, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

// Puts "<context>: " before the text. Always returns false.
bool err_wrap(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

// Forgets the error so that the struct can be used again.
void err_clear(struct err *e);

// The kind's name in logs, metrics and status: "config", "auth", "denied", …
const char *err_kind_name(enum err_kind kind);
