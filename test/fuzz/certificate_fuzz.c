// SPDX-License-Identifier: Apache-2.0
// links: lib/crypto
// Certificates and public keys, as PEM and as bare DER. What is accepted survives PEM, and
// its texts hold no control character that could forge a log line.
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/pem.h"
#include "lib/crypto/pkey.h"
#include "lib/crypto/x509.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *s)
{
	for (const char *p = s; *p; p++)
		assert((unsigned char)*p >= 0x20 && *p != 0x7f);
	assert(str_valid_utf8(s, strlen(s)) || !*s);
}

static void check_certificate(const struct x509 *c)
{
	AUTO_BUF struct buf pem = BUF_INIT(1 << 18);
	AUTO_X509 struct x509 *again = NULL;
	check_text(c->subject);
	check_text(c->issuer);
	check_text(c->serial);
	for (size_t i = 0; i < c->n_sans; i++) {
		check_text(c->sans[i].text);
		x509_names_host(c, c->sans[i].text);
	}
	x509_names_host(c, "a.b.example.org");
	(void)!x509_issued_by(c, c, NULL);
	if (!x509_to_pem(c, &pem, NULL) ||
	    !x509_from_pem(bytes_of(pem.data, pem.len), &again, NULL))
		abort();
	assert(buf_equal(&c->der, &again->der) && c->not_after == again->not_after);
}

static void check_public(struct bytes spki)
{
	AUTO_PKEY struct pkey *k = NULL;
	AUTO_PKEY struct pkey *again = NULL;
	AUTO_BUF struct buf der = BUF_INIT(1 << 16);
	if (!pkey_public_from_der(spki, &k, NULL))
		return;
	if (!pkey_public_der(k, &der, NULL) ||
	    !pkey_public_from_der(bytes_of(der.data, der.len), &again, NULL))
		abort();
	assert(pkey_bits(k) == pkey_bits(again) && !pkey_is_private(k));
	(void)!pkey_verify(k, DIGEST_SHA256, spki, spki, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;
	if (!started) {
		mem_init(false);
		started = crypto_init(NULL);
	}
	struct bytes in = bytes_of(data, size);
	AUTO_X509_CHAIN struct x509_chain chain = { 0 };
	AUTO_X509 struct x509 *c = NULL;
	AUTO_PKEY struct pkey *k = NULL;
	if (x509_chain_from_pem(in, &chain, NULL))
		for (size_t i = 0; i < chain.n; i++)
			check_certificate(chain.certs[i]);
	if (x509_from_der(in, &c, NULL)) {
		check_certificate(c);
		check_public(c->spki);
	}
	(void)!pkey_public_from_pem(in, &k, NULL);
	check_public(in);
	return 0;
}
