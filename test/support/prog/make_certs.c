// SPDX-License-Identifier: Apache-2.0
// links: lib/crypto
// Makes certificates with lib/crypto/x509.h for the system tests:
//
//	make_certs FOLDER RSA_KEY
//
// FOLDER gets ca.pem, other-ca.pem, and server certificates for localhost and 127.0.0.1 with
// their keys: ec.pem and ec.key (P-256), rsa.pem (for RSA_KEY), late.pem (another ec.key of
// the same CA: late.key), expired.pem (for ec.key); client.pem, client.key of ca.pem, and
// alien.pem, alien.key of other-ca.pem.
#include <stdio.h>
#include <time.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/x509.h"

enum { DAY = 86400 };

struct authority {
	struct pkey *key;
	struct x509 *cert;
};

static const char *folder;
static int64_t now;

static bool put(const char *name, const char *suffix, const struct buf *b, struct err *e)
{
	AUTO_FREE char *path = mem_printf("%s/%s.%s", folder, name, suffix);
	const struct file_attr attr = { .mode = 0600,
					.uid = (uid_t)-1,
					.gid = (gid_t)-1 };
	return file_replace(path, b->data, b->len, attr, e);
}

static bool put_cert(const char *name, const struct x509 *c, struct err *e)
{
	AUTO_BUF struct buf pem = BUF_INIT(1 << 16);
	return x509_to_pem(c, &pem, e) && put(name, "pem", &pem, e);
}

static bool make_ca(const char *name, struct authority *a, struct err *e)
{
	const struct x509_spec spec = { .common_name = name,
					.not_before = now - DAY,
					.not_after = now + 10 * DAY };
	return pkey_generate_p256(&a->key, e) &&
	       x509_make_ca(&spec, a->key, &a->cert, e) && put_cert(name, a->cert, e);
}

static bool make_leaf(const char *name, const struct authority *a, const struct pkey *key,
		      struct x509_spec spec, struct err *e)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "::1" };
	const struct x509_issuer by = { .cert = a->cert, .key = a->key };
	AUTO_X509 struct x509 *c = NULL;
	spec.common_name = name;
	spec.names = names;
	spec.n_names = ARRAY_LEN(names);
	return x509_make_leaf(&spec, key, &by, &c, e) && put_cert(name, c, e);
}

static bool make_key(const char *name, struct pkey **ret, struct err *e)
{
	AUTO_BUF struct buf pem = BUF_INIT(1 << 16);
	return pkey_generate_p256(ret, e) && pkey_to_pem(*ret, &pem, e) &&
	       put(name, "key", &pem, e);
}

static bool make_all(const char *rsa_file, struct err *e)
{
	struct authority ca = { 0 }, other = { 0 };
	struct pkey *ec = NULL, *rsa = NULL, *late = NULL, *client = NULL, *alien = NULL;
	AUTO_BUF struct buf rsa_pem = BUF_INIT(1 << 16);
	const struct x509_spec server = { .not_before = now - DAY,
					  .not_after = now + DAY };
	const struct x509_spec past = { .not_before = now - 9 * DAY,
					.not_after = now - DAY };
	struct x509_spec user = server;
	user.client = true;
	return make_ca("ca", &ca, e) && make_ca("other-ca", &other, e) &&
	       make_key("ec", &ec, e) && make_key("late", &late, e) &&
	       make_key("client", &client, e) && make_key("alien", &alien, e) &&
	       file_read(rsa_file, &rsa_pem, e) &&
	       pkey_from_pem(bytes_of(rsa_pem.data, rsa_pem.len), &rsa, e) &&
	       make_leaf("ec", &ca, ec, server, e) &&
	       make_leaf("rsa", &ca, rsa, server, e) &&
	       make_leaf("late", &ca, late, server, e) &&
	       make_leaf("expired", &ca, ec, past, e) &&
	       make_leaf("client", &ca, client, user, e) &&
	       make_leaf("alien", &other, alien, user, e);
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	mem_init(false);
	now = time(NULL);
	folder = argc == 3 ? argv[1] : NULL;
	if (!folder || !crypto_init(&e) || !make_all(argv[2], &e)) {
		fprintf(stderr, "make_certs: %s\n", e.text);
		return 1;
	}
	return 0;
}
