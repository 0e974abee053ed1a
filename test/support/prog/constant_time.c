// SPDX-License-Identifier: Apache-2.0
// links: lib/crypto
// X25519 and Ed25519 with a private key that valgrind takes for uninitialised: each branch
// and each address that depends on it is an error of memcheck. Exit 3 without valgrind's
// header or outside of it.
#include <stdio.h>

#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/seam.h"

#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#else
#define RUNNING_ON_VALGRIND 0
#define VALGRIND_MAKE_MEM_UNDEFINED(p, n) ((void)(p))
#define VALGRIND_MAKE_MEM_DEFINED(p, n) ((void)(p))
#endif

// Whether a call succeeded is no secret.
static bool told(bool ok)
{
	VALGRIND_MAKE_MEM_DEFINED(&ok, sizeof(ok));
	return ok;
}

int main(void)
{
	unsigned char key[32], public_key[32], secret[32], sig[ED25519_SIG_LEN];
	static const unsigned char peer[32] = { 9 };
	mem_init(false);
	if (!RUNNING_ON_VALGRIND)
		return 3;
	if (!crypto_init(NULL) || !crypto_random(key, sizeof(key), NULL))
		return 1;
	VALGRIND_MAKE_MEM_UNDEFINED(key, sizeof(key));
	bool ok = told(x25519_public(key, public_key, NULL)) &&
		  told(x25519_multiply(key, peer, secret, NULL)) &&
		  told(ed25519_public(key, public_key, NULL)) &&
		  told(ed25519_sign(key, bytes_of_str("message"), sig, NULL));
	return ok ? 0 : 1;
}
