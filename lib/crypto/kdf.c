// SPDX-License-Identifier: Apache-2.0
// Key derivation above the seam: HKDF from HMAC, the limits of PBKDF2, and what digests
// need beside the library.
#include <string.h>

#include "lib/base/mem.h"
#include "lib/crypto/digest.h"
#include "lib/crypto/seam.h"

enum {
	PBKDF2_ITERATIONS_MAX = 10000000,
	PBKDF2_LEN_MAX = 1024,
	PBKDF2_INPUT_MAX = 1 << 20
};

size_t digest_len(enum digest_alg alg)
{
	static const size_t lens[] = {
		[DIGEST_MD5] = 16,    [DIGEST_SHA1] = 20,   [DIGEST_SHA256] = 32,
		[DIGEST_SHA384] = 48, [DIGEST_SHA512] = 64,
	};
	return lens[alg];
}

void auto_digest_(struct digest **d)
{
	digest_free(*d);
	*d = NULL;
}

// RFC 5869 section 2.3: T(i) = HMAC(PRK, T(i-1) | info | i).
static bool expand(const unsigned char prk[static DIGEST_SHA256_LEN], struct bytes info,
		   unsigned char *ret, size_t len, struct err *e)
{
	unsigned char block[DIGEST_SHA256_LEN + HKDF_INFO_MAX + 1];
	unsigned char t[DIGEST_SHA256_LEN];
	size_t t_len = 0;
	bool ok = true;
	for (unsigned char i = 1; ok && len > 0; i++) {
		memcpy(block, t, t_len);
		if (info.len)
			memcpy(block + t_len, info.p, info.len);
		block[t_len + info.len] = i;
		ok = hmac_of(DIGEST_SHA256, bytes_of(prk, DIGEST_SHA256_LEN),
			     bytes_of(block, t_len + info.len + 1), t, e);
		if (!ok)
			break;
		t_len = sizeof(t);
		size_t n = len < t_len ? len : t_len;
		memcpy(ret, t, n);
		ret += n;
		len -= n;
	}
	mem_wipe(block, sizeof(block));
	mem_wipe(t, sizeof(t));
	return ok;
}

bool hkdf_sha256(const struct hkdf *in, unsigned char *ret, size_t len, struct err *e)
{
	if (len > HKDF_LEN_MAX || in->info.len > HKDF_INFO_MAX)
		return err_set(e, ERR_LIMIT, 0, "HKDF: too much asked for");
	unsigned char prk[DIGEST_SHA256_LEN];
	// An empty HMAC key is padded to zeros, which is what an absent salt stands for.
	bool ok = hmac_of(DIGEST_SHA256, in->salt, in->secret, prk, e) &&
		  expand(prk, in->info, ret, len, e);
	mem_wipe(prk, sizeof(prk));
	return ok;
}

bool pbkdf2_sha256(const struct pbkdf2 *in, unsigned char *ret, size_t len, struct err *e)
{
	if (in->iterations < 1 || in->iterations > PBKDF2_ITERATIONS_MAX || len < 1 ||
	    len > PBKDF2_LEN_MAX || in->password.len > PBKDF2_INPUT_MAX ||
	    in->salt.len > PBKDF2_INPUT_MAX)
		return err_set(e, ERR_LIMIT, 0, "PBKDF2: outside of its limits");
	return pbkdf2_derive(in, ret, len, e);
}
