// SPDX-License-Identifier: Apache-2.0
// X25519 key agreement (RFC 7748). Private keys are 32 random bytes; they are clamped where
// they are used, as the RFC says.
#pragma once

#include <stdbool.h>

#include "lib/base/err.h"

enum { X25519_LEN = 32 };

// A fresh private key. The caller wipes it.
MUST_CHECK bool x25519_generate(unsigned char ret_private[static X25519_LEN],
				struct err *e);
MUST_CHECK bool x25519_public(const unsigned char private_key[static X25519_LEN],
			      unsigned char ret_public[static X25519_LEN], struct err *e);
// The shared secret. A peer whose key gives the all-zero secret (a point of small order) is
// refused with ERR_DENIED, as RFC 7748 section 6.1 asks and age requires.
MUST_CHECK bool x25519_shared(const unsigned char private_key[static X25519_LEN],
			      const unsigned char peer_public[static X25519_LEN],
			      unsigned char ret_secret[static X25519_LEN], struct err *e);
