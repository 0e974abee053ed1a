// SPDX-License-Identifier: Apache-2.0
// Keys of age v1: recipients (public, "age1…") and identities (private,
// "AGE-SECRET-KEY-1…"), in the files that age-keygen writes.
//
// A struct age_keyring holds private keys on the wiping heap. Its file is refused when it
// belongs to the caller and group or others may read it, as ssh does; a file of another
// owner (a mounted Kubernetes Secret, which is root's) is the mount's business.
#pragma once

#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/crypto/x25519.h"

enum { AGE_KEYS_MAX = 64, AGE_KEY_FILE_MAX = 64 * 1024 };

struct age_recipient {
	unsigned char key[X25519_LEN];
};

MUST_CHECK bool age_recipient_read(struct str text, struct age_recipient *ret,
				   struct err *e);
bool age_recipient_write(const struct age_recipient *r, struct buf *to);

struct age_identity {
	unsigned char secret[X25519_LEN];
	struct age_recipient recipient;
};

struct age_keyring {
	struct age_identity ids[AGE_KEYS_MAX];
	size_t n;
};

struct age_keyring *age_keyring_new(void) __attribute__((returns_nonnull));
void age_keyring_free(struct age_keyring *k);
void auto_age_keyring_(struct age_keyring **k);
#define AUTO_AGE_KEYRING AUTO(auto_age_keyring_)

// Adds the keys of a file's text: one a line; blank lines and '#' comments are skipped.
// `name` is for messages.
MUST_CHECK bool age_keyring_parse(struct age_keyring *k, struct str text,
				  const char *name, struct err *e);
// Adds the keys of the file. At least one must be there.
MUST_CHECK bool age_keyring_load(struct age_keyring *k, const char *path, struct err *e);

// Reads a file with private keys of any kind, after the check of its mode.
MUST_CHECK bool age_private_file(const char *path, struct buf *to, struct err *e);

// A fresh key as the text of age-keygen's file; the recipient goes to *ret as well.
MUST_CHECK bool age_keygen(const char *created, struct buf *to, struct age_recipient *ret,
			   struct err *e);
