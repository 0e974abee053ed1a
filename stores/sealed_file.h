// SPDX-License-Identifier: Apache-2.0
// A sealed file in memory: its recipients and its lines, sorted by path and version. Text in,
// text out; no cryptography, no disk (sealed_update.h writes, sealed_read.h opens).
//
// A damaged line stays a line: it is reported with its number when its entry is asked for,
// written back as it was, and hurts no other entry. Two different lines for one version (a
// Git merge of two branches that wrote the same entry) are damaged both; two equal ones count
// once.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "stores/age_key.h"
#include "stores/sealed_line.h"

enum {
	SEALED_FILE_MAX = 16 * 1024 * 1024,
	SEALED_CONFIGMAP_MAX = 1024 * 1024, // of all keys of a ConfigMap together
	SEALED_CONFIGMAP_NEAR = 900 * 1024, // said from here on
};

struct sealed_recipient {
	struct age_recipient key;
	char *name; // a person's or cluster's, written as authors are; NULL = none
};

struct sealed_file {
	char *name;     // for messages
	char *comments; // '#' lines of the user, each with its end; NULL = none
	struct sealed_recipient recipients[AGE_KEYS_MAX];
	size_t n_recipients;
	struct sealed_line *lines;
	size_t n, cap;
	unsigned conflict; // number of the first line with a Git conflict marker, or 0
};

// An empty file of that name.
void sealed_file_init(struct sealed_file *f, const char *name);
void sealed_file_release(struct sealed_file *f);
#define AUTO_SEALED_FILE AUTO(sealed_file_release)

// Fails only when the text as a whole is no sealed file. *ret needs no init.
MUST_CHECK bool sealed_file_parse(struct str text, const char *name,
				  struct sealed_file *ret, struct err *e);
// The canonical text: equal content gives equal bytes.
MUST_CHECK bool sealed_file_write(struct sealed_file *f, struct buf *to, struct err *e);

// Adds a line, which becomes the file's (take), or a recipient; keeps the order.
void sealed_file_add(struct sealed_file *f, struct sealed_line *take_line);
void sealed_file_remove(struct sealed_file *f, size_t i);
MUST_CHECK bool sealed_file_add_recipient(struct sealed_file *f,
					  const struct age_recipient *key,
					  const char *name, struct err *e);

// The newest line of the entry, or that of one version (version > 0): NULL when there is
// none. May be damaged: see sealed_line_check().
const struct sealed_line *sealed_file_find(const struct sealed_file *f, const char *path,
					   uint64_t version);
// Fails with file, line number and remedy when the line is damaged.
MUST_CHECK bool sealed_line_check(const struct sealed_file *f,
				  const struct sealed_line *l, struct err *e);

// Whether lines[i] is the newest version of its entry (false for a line without a path).
bool sealed_file_is_newest(const struct sealed_file *f, size_t i);

// The number of versions ever written: the sum over all entries of their newest version. Two
// merged branches add up; pruning does not change it; it falls when a version is lost.
// Only lines that `counts` accepts (NULL: all that are not damaged).
typedef bool sealed_counts_fn(void *ctx, const struct sealed_line *l);
uint64_t sealed_file_generation(const struct sealed_file *f, sealed_counts_fn *counts,
				void *ctx);
