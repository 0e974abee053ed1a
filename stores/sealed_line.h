// SPDX-License-Identifier: Apache-2.0
// One line of a sealed file: one version of one entry. The grammar is in FORMAT.md:
//
//	entry PATH VERSION ACTION SCOPE TIME AUTHOR SEALED [SIGNATURE]
//
// The words before SEALED stand in the clear, so that history, diffs and write-only writers
// need no private key; the same words are the first line inside SEALED, where a reader
// compares them (sealed_seal.h). Parsing here proves the form only, not the content.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

enum {
	SEALED_PATH_MAX = 512,
	SEALED_SCOPE_MAX = 320, // a namespace of 63, a service account of 253
	SEALED_AUTHOR_MAX = 200,
	SEALED_CLEAR_MAX = 1536, // all clear words
	SEALED_VALUE_MAX = 64 * 1024,
	SEALED_BODY_MAX = 128 * 1024, // letters of SEALED
	SEALED_TIME_LEN = 20,         // 2026-11-21T04:36:05Z
	SEALED_SIG_LETTERS = 128,
};
#define SEALED_VERSION_MAX 1000000000000000ull

enum sealed_action {
	SEALED_PUT,
	SEALED_REMOVE,   // the entry is gone from this version on
	SEALED_ROLLBACK, // the value is that of the older version `source`
};

// The clear words. Strings belong to the struct.
struct sealed_entry {
	char *path;
	uint64_t version; // 1, 2, 3, …
	enum sealed_action action;
	uint64_t source;
	char *scope; // "*", "NAMESPACE" or "NAMESPACE/SERVICE-ACCOUNT"
	char time[SEALED_TIME_LEN + 1];
	char *author; // percent-encoded, as it stands in the line
};

struct sealed_line {
	unsigned number; // in the file that was read; 0 = new
	char *text;      // the whole line, without its end
	size_t len;
	struct sealed_entry entry; // of a damaged line: path NULL, or path and version
	size_t clear_len;          // bytes of text before the space and SEALED
	struct str sealed;         // Base64 of an age message; points into text
	struct str signature;      // len 0 = not signed; points into text
	char *damage;              // why the line cannot be used, or NULL
};

// Takes a copy of the text. A line that does not parse is kept with its damage told; the
// call itself cannot fail.
void sealed_line_parse(struct str text, unsigned number, struct sealed_line *ret);
// Copies the line's text without its signature, or with another one when given.
void sealed_line_sign(const struct sealed_line *l, const char *signature,
		      struct sealed_line *ret);
void sealed_line_release(struct sealed_line *l);
#define AUTO_SEALED_LINE AUTO(sealed_line_release)

void sealed_entry_copy(const struct sealed_entry *from, struct sealed_entry *ret);
void sealed_entry_release(struct sealed_entry *e);
#define AUTO_SEALED_ENTRY AUTO(sealed_entry_release)

// The clear words as they stand in the line, after checking each.
MUST_CHECK bool sealed_entry_write(const struct sealed_entry *entry, struct buf *to,
				   struct err *e);

// "a/b", at most 512 bytes: letters, digits and . _ - @ + = ~ : in segments, none of which is
// empty, "." or "..".
MUST_CHECK bool sealed_path_ok(const char *path, struct err *e);
// "*", or names as Kubernetes has them, "NAMESPACE[/SERVICE-ACCOUNT]".
MUST_CHECK bool sealed_scope_ok(const char *scope, struct err *e);
// The author as people read it: escapes undone, control letters shown as '?'.
void sealed_author_show(const char *author, struct buf *to);
// The reverse, cut at the limit.
void sealed_author_escape(const char *text, struct buf *to);
