// SPDX-License-Identifier: Apache-2.0
// links: lib/crypto
// Private keys, as PEM and as bare DER under each label, and OAEP blocks for a good key. An
// elliptic key that is accepted signs, and comes back from its PEM as the same key.
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/pem.h"
#include "lib/crypto/pkey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct pkey *rsa;

static void start(void)
{
	AUTO_BUF struct buf pem = BUF_INIT(1 << 16);
	mem_init(false);
	if (!crypto_init(NULL) ||
	    !file_read("test/cases/keys/rsa2048.pkcs8.pem", &pem, NULL) ||
	    !pkey_from_pem(bytes_of(pem.data, pem.len), &rsa, NULL))
		abort();
}

static void check_elliptic(const struct pkey *k)
{
	AUTO_BUF struct buf pem = BUF_INIT(1 << 16);
	AUTO_BUF struct buf a = BUF_INIT(1 << 16);
	AUTO_BUF struct buf b = BUF_INIT(1 << 16);
	AUTO_BUF struct buf sig = BUF_INIT(1 << 10);
	AUTO_PKEY struct pkey *again = NULL;
	// A private number that is not that of the public point is found out here at the
	// latest: then nothing verifies.
	if (!pkey_sign(k, DIGEST_SHA256, BYTES_NONE, &sig, NULL))
		return;
	(void)!pkey_verify(k, DIGEST_SHA256, BYTES_NONE, bytes_of(sig.data, sig.len),
			   NULL);
	if (!pkey_to_pem(k, &pem, NULL) || !pkey_public_der(k, &a, NULL))
		abort();
	if (pkey_from_pem(bytes_of(pem.data, pem.len), &again, NULL)) {
		if (!pkey_public_der(again, &b, NULL))
			abort();
		assert(buf_equal(&a, &b));
	}
}

static void check_pem(struct bytes pem)
{
	AUTO_PKEY struct pkey *k = NULL;
	AUTO_BUF struct buf der = BUF_INIT(1 << 16);
	if (!pkey_from_pem(pem, &k, NULL))
		return;
	assert(pkey_is_private(k));
	(void)!pkey_public_der(k, &der, NULL);
	if (pkey_type(k) != PKEY_RSA)
		check_elliptic(k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const labels[] = { "PRIVATE KEY", "RSA PRIVATE KEY",
					      "EC PRIVATE KEY" };
	if (!rsa)
		start();
	struct bytes in = bytes_of(data, size);
	check_pem(in);
	if (size > PEM_DER_MAX)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
		AUTO_BUF struct buf pem = BUF_INIT(1 << 18);
		if (!pem_write(labels[i], in, &pem, NULL))
			abort();
		check_pem(bytes_of(pem.data, pem.len));
	}
	if (size == 256) {
		AUTO_BUF struct buf plain = BUF_INIT(256);
		(void)!pkey_oaep_decrypt(rsa, bytes_of_str("default/db"), in, &plain,
					 NULL);
	}
	return 0;
}
