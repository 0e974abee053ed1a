// SPDX-License-Identifier: Apache-2.0
// Ed25519 signatures (RFC 8032, the pure form without a context).
//
// Both halves accept exactly the same signatures, so that one agent cannot see a writer's
// line as signed and another not: before the library is asked, a public key that is not
// canonical or of small order, and an S that is not below the group order, are refused here.
// The equation is the one without the cofactor, which both halves compute.
#pragma once

#include <stdbool.h>

#include "lib/base/err.h"
#include "lib/crypto/bytes.h"

enum { ED25519_KEY_LEN = 32, ED25519_SIG_LEN = 64 };

// A fresh private key (RFC 8032's seed). The caller wipes it.
MUST_CHECK bool ed25519_generate(unsigned char ret_private[static ED25519_KEY_LEN],
				 struct err *e);
MUST_CHECK bool ed25519_public(const unsigned char private_key[static ED25519_KEY_LEN],
			       unsigned char ret_public[static ED25519_KEY_LEN],
			       struct err *e);
// Takes no public key on purpose: signing under another one than the private key's gives
// the private key away.
MUST_CHECK bool ed25519_sign(const unsigned char private_key[static ED25519_KEY_LEN],
			     struct bytes message,
			     unsigned char ret_signature[static ED25519_SIG_LEN],
			     struct err *e);
// ERR_DENIED when the signature is not of this key and message.
MUST_CHECK bool ed25519_verify(const unsigned char public_key[static ED25519_KEY_LEN],
			       struct bytes message,
			       const unsigned char signature[static ED25519_SIG_LEN],
			       struct err *e);
