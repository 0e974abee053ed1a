// SPDX-License-Identifier: Apache-2.0
// Questions about certificates: is this its key, its host, its issuer?
#include <string.h>
#include <strings.h>

#include <arpa/inet.h>

#include "lib/base/str.h"
#include "lib/crypto/der.h"
#include "lib/crypto/x509.h"

enum { SPKI_MAX = 8192 };

bool x509_matches_key(const struct x509 *c, const struct pkey *k, struct err *e)
{
	// Both go through the library, which checks that the certificate's is a real key.
	AUTO_PKEY struct pkey *own = NULL;
	AUTO_BUF struct buf a = BUF_INIT(SPKI_MAX);
	AUTO_BUF struct buf b = BUF_INIT(SPKI_MAX);
	if (!pkey_public_from_der(c->spki, &own, e) || !pkey_public_der(own, &a, e) ||
	    !pkey_public_der(k, &b, e))
		return err_wrap(e, "certificate '%s'", c->subject);
	return buf_equal(&a, &b) ||
	       err_set(e, ERR_CONFIG, 0,
		       "the private key does not belong to certificate '%s'", c->subject);
}

static bool ip_equal(const char *a, const char *b)
{
	unsigned char x[16], y[16];
	if (inet_pton(AF_INET, a, x) == 1)
		return inet_pton(AF_INET, b, y) == 1 && memcmp(x, y, 4) == 0;
	return inet_pton(AF_INET6, a, x) == 1 && inet_pton(AF_INET6, b, y) == 1 &&
	       memcmp(x, y, 16) == 0;
}

static bool dns_matches(const char *pattern, struct str host)
{
	if (strlen(pattern) == host.len && strncasecmp(pattern, host.p, host.len) == 0)
		return true;
	const char *dot = memchr(host.p, '.', host.len);
	// "*.svc" would speak for a whole top level: two labels must follow the star.
	if (pattern[0] != '*' || pattern[1] != '.' || !strchr(pattern + 2, '.') || !dot ||
	    dot == host.p)
		return false;
	size_t tail = host.len - (size_t)(dot - host.p);
	return strlen(pattern + 1) == tail && strncasecmp(pattern + 1, dot, tail) == 0;
}

// No top-level domain is a number: "10.0.0.1." is an address in disguise, and what a
// certificate says of DNS names does not speak for it.
static bool ends_in_number(struct str host)
{
	size_t i = host.len;
	while (i > 0 && host.p[i - 1] >= '0' && host.p[i - 1] <= '9')
		i--;
	return i < host.len && (i == 0 || host.p[i - 1] == '.');
}

bool x509_names_host(const struct x509 *c, const char *host)
{
	unsigned char ip[16];
	bool is_ip =
		inet_pton(AF_INET, host, ip) == 1 || inet_pton(AF_INET6, host, ip) == 1;
	struct str name = str_of(host);
	if (name.len > 1 && name.p[name.len - 1] == '.')
		name.len--;
	if (!is_ip && ends_in_number(name))
		return false;
	for (size_t i = 0; i < c->n_sans; i++) {
		const struct x509_san *s = &c->sans[i];
		if (is_ip ? s->type == X509_IP && ip_equal(s->text, host)
			  : s->type == X509_DNS && dns_matches(s->text, name))
			return true;
	}
	return false;
}

// The digest that a signature algorithm names (RFC 8017 appendix A.2.4, RFC 5758).
static bool signature_digest(struct bytes alg, enum digest_alg *ret,
			     enum pkey_type *ret_type)
{
	static const unsigned char rsa[] = { 0x2a, 0x86, 0x48, 0x86,
					     0xf7, 0x0d, 0x01, 0x01 };
	static const unsigned char ecdsa[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03 };
	struct bytes seq, oid;
	if (!der_take(&alg, DER_SEQ, &seq) || !der_take(&seq, DER_OID, &oid) ||
	    oid.len < 8)
		return false;
	unsigned last = oid.p[oid.len - 1];
	struct bytes stem = bytes_of(oid.p, oid.len - 1);
	bool is_rsa = der_equal(stem, BYTES_OF(rsa));
	if (!is_rsa && !der_equal(stem, BYTES_OF(ecdsa)))
		return false;
	unsigned first = is_rsa ? 11 : 2;
	if (last < first || last > first + 2)
		return false;
	*ret = (enum digest_alg)(DIGEST_SHA256 + (last - first));
	*ret_type = is_rsa ? PKEY_RSA : PKEY_P256;
	return true;
}

bool x509_issued_by(const struct x509 *c, const struct x509 *issuer, struct err *e)
{
	enum digest_alg alg;
	enum pkey_type type;
	AUTO_PKEY struct pkey *key = NULL;
	if (!issuer->is_ca || !der_equal(c->issuer_der, issuer->subject_der))
		return err_set(e, ERR_DENIED, 0, "'%s' was not issued by '%s'",
			       c->subject, issuer->subject);
	if (!signature_digest(c->signature_alg, &alg, &type))
		return err_set(e, ERR_CONFIG, 0,
			       "'%s' is signed in a way that we do not know", c->subject);
	if (!pkey_public_from_der(issuer->spki, &key, e))
		return err_wrap(e, "certificate '%s'", issuer->subject);
	if ((type == PKEY_RSA) != (pkey_type(key) == PKEY_RSA))
		return err_set(e, ERR_DENIED, 0, "'%s' was not signed by '%s'",
			       c->subject, issuer->subject);
	return pkey_verify(key, alg, c->tbs, c->signature, e) ||
	       err_wrap(e, "'%s' from '%s'", c->subject, issuer->subject);
}
