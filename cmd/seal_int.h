// SPDX-License-Identifier: Apache-2.0
// What the files of `ampoule seal` share: the functions behind its words, and what several
// of them need. Only cmd/seal*.c include it.
#pragma once

#include "cmd/seal_args.h"
#include "lib/base/buf.h"
#include "stores/sealed_read.h"
#include "stores/sealed_update.h"

bool seal_keygen(const struct seal_args *a, struct err *e);
bool seal_put(const struct seal_args *a, struct err *e);
bool seal_get(const struct seal_args *a, struct err *e);
bool seal_list(const struct seal_args *a, struct err *e);
bool seal_history(const struct seal_args *a, struct err *e);
bool seal_rollback(const struct seal_args *a, struct err *e);
bool seal_remove(const struct seal_args *a, struct err *e);
bool seal_prune(const struct seal_args *a, struct err *e);
bool seal_rekey(const struct seal_args *a, struct err *e);
bool seal_verify(const struct seal_args *a, struct err *e);
bool seal_sign(const struct seal_args *a, struct err *e);
bool seal_import(const struct seal_args *a, struct err *e);

// A line of advice on stderr.
void seal_note(const char *fmt, ...) PRINTF_LIKE(1, 2);

// --- seal_value.c: where values come from and go to

// Reads standard input (a terminal: one line, not shown), --from or the editor.
MUST_CHECK bool seal_value_read(const struct seal_args *a, struct buf *to, struct err *e);
// Lets the user change *value in an editor. Nothing but memory holds it meanwhile.
MUST_CHECK bool seal_value_edit(struct buf *value, struct err *e);
MUST_CHECK bool seal_value_print(const struct buf *value, struct err *e);

// --- seal_append.c: adding a version

struct seal_append {
	const struct seal_args *args;
	const char *path;
	enum sealed_action action;
	struct bytes value;
	int64_t if_version;               // -1: whatever is there
	const char *scope;                // NULL: --namespace…, else as before
	uint64_t version;                 // out: what was written
	char bound[SEALED_SCOPE_MAX + 1]; // out: its scope
};
MUST_CHECK bool seal_append(struct seal_append *p, struct err *e);
// Several at once, all or none.
MUST_CHECK bool seal_append_all(struct seal_append *all, size_t n, struct err *e);

// "2026-11-21T04:36:05Z", now.
void seal_now(char ret[static SEALED_TIME_LEN + 1]);

// --- seal_keys.c

MUST_CHECK bool seal_ring(const struct seal_args *a, struct age_keyring **ret,
			  struct err *e);
// Adds -r and -R to the file's recipients.
MUST_CHECK bool seal_recipients(const struct seal_args *a, struct sealed_file *to,
				struct err *e);
MUST_CHECK bool seal_writers(const struct seal_args *a, struct sealed_writers *ret,
			     struct err *e);
// The recipients as age_seal() wants them; ret has room for AGE_KEYS_MAX.
struct age_to seal_to(const struct sealed_file *f, struct age_recipient *ret);
