// SPDX-License-Identifier: Apache-2.0
// Writers' signatures: Ed25519 over a whole sealed line. They tell who wrote a line, which
// sealing alone does not (every holder of the public keys can seal). A reader that demands
// them refuses lines of other writers; it cannot see that signed lines were left out
// (high-water mark, min_generation: FORMAT.md).
//
// A writer's public key is written "ampoule-writer1…", the private one
// "AMPOULE-WRITER-KEY-1…", both Bech32. SIGNATURE is the Base64 of public key and signature
// together, so that a line says who signed it.
#pragma once

#include <stdbool.h>

#include "lib/base/err.h"
#include "lib/base/str.h"
#include "lib/crypto/ed25519.h"
#include "stores/sealed_line.h"

enum { SEALED_WRITERS_MAX = 64 };

struct sealed_writer {
	unsigned char key[ED25519_KEY_LEN];
};

struct sealed_writers {
	struct sealed_writer keys[SEALED_WRITERS_MAX];
	size_t n;
};

MUST_CHECK bool sealed_writer_read(struct str text, struct sealed_writer *ret,
				   struct err *e);
bool sealed_writer_write(const struct sealed_writer *w, struct buf *to);
// Adds one; an equal one counts once.
MUST_CHECK bool sealed_writers_add(struct sealed_writers *all, struct str text,
				   struct err *e);

// A private key on the wiping heap.
struct sealed_signer {
	unsigned char secret[ED25519_KEY_LEN];
	struct sealed_writer writer;
};
void auto_sealed_signer_(struct sealed_signer **s);
#define AUTO_SEALED_SIGNER AUTO(auto_sealed_signer_)
MUST_CHECK bool sealed_signer_load(const char *path, struct sealed_signer **ret,
				   struct err *e);
// A fresh key as text of its file; the public key goes to *ret as well.
MUST_CHECK bool sealed_signer_make(const char *created, struct buf *to,
				   struct sealed_writer *ret, struct err *e);

// Replaces the line by its signed form.
MUST_CHECK bool sealed_sign(const struct sealed_signer *s, struct sealed_line *l,
			    struct err *e);
// Proves the line's signature, and that its writer is one of `allowed` (NULL: anybody).
// ERR_DENIED when not, or when there is none.
MUST_CHECK bool sealed_verify(const struct sealed_line *l,
			      const struct sealed_writers *allowed,
			      struct sealed_writer *ret_writer, struct err *e);
