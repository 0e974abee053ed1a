// SPDX-License-Identifier: Apache-2.0
// Makes certificates: a CA for one purpose and leaves for servers (RFC 5280, version 3).
#include <arpa/inet.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/der.h"
#include "lib/crypto/x509.h"

enum { CERT_MAX = 32 * 1024, SERIAL_LEN = 16, KEY_ID_LEN = 20, COMMON_NAME_MAX = 64 };

// Contents of OBJECT IDENTIFIERs.
static const unsigned char oid_ecdsa_sha256[] = { 0x2a, 0x86, 0x48, 0xce,
						  0x3d, 0x04, 0x03, 0x02 };
static const unsigned char oid_common_name[] = { 0x55, 0x04, 0x03 };
static const unsigned char oid_key_id[] = { 0x55, 0x1d, 0x0e };
static const unsigned char oid_key_usage[] = { 0x55, 0x1d, 0x0f };
static const unsigned char oid_sans[] = { 0x55, 0x1d, 0x11 };
static const unsigned char oid_basic[] = { 0x55, 0x1d, 0x13 };
static const unsigned char oid_issuer_key_id[] = { 0x55, 0x1d, 0x23 };
static const unsigned char oid_ext_usage[] = { 0x55, 0x1d, 0x25 };
static const unsigned char oid_server[] = { 0x2b, 6, 1, 5, 5, 7, 3, 1 };
static const unsigned char oid_client[] = { 0x2b, 6, 1, 5, 5, 7, 3, 2 };

static struct bytes content(const struct buf *b)
{
	return bytes_of(b->data, b->len);
}

static bool put_algorithm(struct buf *to)
{
	AUTO_BUF struct buf alg = BUF_INIT(64);
	return der_write(&alg, DER_OID, BYTES_OF(oid_ecdsa_sha256)) &&
	       der_write(to, DER_SEQ, content(&alg));
}

static bool put_name(struct buf *to, const char *common_name)
{
	AUTO_BUF struct buf pair = BUF_INIT(256);
	AUTO_BUF struct buf seq = BUF_INIT(256);
	AUTO_BUF struct buf set = BUF_INIT(256);
	return der_write(&pair, DER_OID, BYTES_OF(oid_common_name)) &&
	       der_write(&pair, DER_UTF8, bytes_of_str(common_name)) &&
	       der_write(&seq, DER_SEQ, content(&pair)) &&
	       der_write(&set, DER_SET, content(&seq)) &&
	       der_write(to, DER_SEQ, content(&set));
}

static bool put_validity(struct buf *to, const struct x509_spec *spec)
{
	AUTO_BUF struct buf v = BUF_INIT(64);
	return der_write_time(&v, spec->not_before) &&
	       der_write_time(&v, spec->not_after) && der_write(to, DER_SEQ, content(&v));
}

// One extension around `value`, which is DER itself.
static bool put_extension(struct buf *to, struct bytes oid, bool critical,
			  struct bytes value)
{
	AUTO_BUF struct buf ext = BUF_INIT(CERT_MAX);
	return der_write(&ext, DER_OID, oid) &&
	       (!critical || der_write(&ext, DER_BOOL, bytes_of("\xff", 1))) &&
	       der_write(&ext, DER_OCTETS, value) &&
	       der_write(to, DER_SEQ, content(&ext));
}

static bool put_sans(struct buf *to, const struct x509_spec *spec)
{
	AUTO_BUF struct buf names = BUF_INIT(CERT_MAX);
	AUTO_BUF struct buf seq = BUF_INIT(CERT_MAX);
	if (spec->n_names == 0)
		return true;
	for (size_t i = 0; i < spec->n_names; i++) {
		const char *name = spec->names[i];
		unsigned char ip[16];
		bool ok =
			inet_pton(AF_INET, name, ip) == 1
				? der_write(&names, DER_CONTEXT | 7, bytes_of(ip, 4))
			: inet_pton(AF_INET6, name, ip) == 1
				? der_write(&names, DER_CONTEXT | 7, bytes_of(ip, 16))
				: der_write(&names, DER_CONTEXT | 2, bytes_of_str(name));
		if (!ok)
			return false;
	}
	return der_write(&seq, DER_SEQ, content(&names)) &&
	       put_extension(to, BYTES_OF(oid_sans), false, content(&seq));
}

static bool put_usage(struct buf *to, const struct x509_spec *spec, bool ca)
{
	// BIT STRINGs with unused bits: keyCertSign and cRLSign, or digitalSignature.
	static const unsigned char ca_bits[] = { DER_BIT_STRING, 2, 1, 0x06 };
	static const unsigned char leaf_bits[] = { DER_BIT_STRING, 2, 7, 0x80 };
	// SEQUENCE { TRUE, pathLen 0 }, and the empty one of a leaf.
	static const unsigned char ca_basic[] = { DER_SEQ, 6,       DER_BOOL, 1,
						  0xff,    DER_INT, 1,        0 };
	static const unsigned char leaf_basic[] = { DER_SEQ, 0 };
	AUTO_BUF struct buf purposes = BUF_INIT(64);
	AUTO_BUF struct buf seq = BUF_INIT(64);
	if (ca)
		return put_extension(to, BYTES_OF(oid_basic), true, BYTES_OF(ca_basic)) &&
		       put_extension(to, BYTES_OF(oid_key_usage), true,
				     BYTES_OF(ca_bits));
	return put_extension(to, BYTES_OF(oid_basic), true, BYTES_OF(leaf_basic)) &&
	       put_extension(to, BYTES_OF(oid_key_usage), true, BYTES_OF(leaf_bits)) &&
	       der_write(&purposes, DER_OID, BYTES_OF(oid_server)) &&
	       (!spec->client || der_write(&purposes, DER_OID, BYTES_OF(oid_client))) &&
	       der_write(&seq, DER_SEQ, content(&purposes)) &&
	       put_extension(to, BYTES_OF(oid_ext_usage), false, content(&seq));
}

static bool put_key_ids(struct buf *to, struct bytes own, struct bytes issuer)
{
	AUTO_BUF struct buf octets = BUF_INIT(64);
	AUTO_BUF struct buf id = BUF_INIT(64);
	AUTO_BUF struct buf seq = BUF_INIT(64);
	return der_write(&octets, DER_OCTETS, own) &&
	       put_extension(to, BYTES_OF(oid_key_id), false, content(&octets)) &&
	       (issuer.len == 0 || issuer.len > KEY_ID_LEN ||
		(der_write(&id, DER_CONTEXT | 0, issuer) &&
		 der_write(&seq, DER_SEQ, content(&id)) &&
		 put_extension(to, BYTES_OF(oid_issuer_key_id), false, content(&seq))));
}

// What both kinds of certificate need: who signs, and the subject's key.
struct making {
	const struct x509_spec *spec;
	const struct x509 *issuer; // NULL: self-signed
	const struct pkey *key;
	const struct pkey *signer;
};

static bool put_extensions(struct buf *to, const struct making *m, struct bytes spki)
{
	unsigned char hash[DIGEST_SHA256_LEN];
	AUTO_BUF struct buf exts = BUF_INIT(CERT_MAX);
	AUTO_BUF struct buf seq = BUF_INIT(CERT_MAX);
	if (!digest_of(DIGEST_SHA256, spki, hash, NULL))
		return false;
	struct bytes issuer_id = m->issuer ? m->issuer->key_id : BYTES_NONE;
	return put_usage(&exts, m->spec, !m->issuer) && put_sans(&exts, m->spec) &&
	       put_key_ids(&exts, bytes_of(hash, KEY_ID_LEN), issuer_id) &&
	       der_write(&seq, DER_SEQ, content(&exts)) &&
	       der_write(to, DER_CONTEXT_SEQ | 3, content(&seq));
}

static bool put_tbs(struct buf *to, const struct making *m, struct bytes serial,
		    struct bytes spki)
{
	static const unsigned char v3[] = { DER_CONTEXT_SEQ | 0, 3, DER_INT, 1, 2 };
	AUTO_BUF struct buf tbs = BUF_INIT(CERT_MAX);
	return buf_add(&tbs, v3, sizeof(v3)) && der_write_uint(&tbs, serial) &&
	       put_algorithm(&tbs) &&
	       (m->issuer ? buf_add(&tbs, m->issuer->subject_der.p,
				    m->issuer->subject_der.len)
			  : put_name(&tbs, m->spec->common_name)) &&
	       put_validity(&tbs, m->spec) && put_name(&tbs, m->spec->common_name) &&
	       buf_add(&tbs, spki.p, spki.len) && put_extensions(&tbs, m, spki) &&
	       der_write(to, DER_SEQ, content(&tbs));
}

// Visible ASCII: an IA5String that no client reads differently.
static bool host_name_ok(const char *name)
{
	for (const char *p = name; *p; p++)
		if (*p <= ' ' || *p > '~')
			return false;
	return name[0] != '\0';
}

static bool spec_ok(const struct making *m, struct err *e)
{
	const struct x509_spec *s = m->spec;
	size_t n = s->common_name ? strlen(s->common_name) : 0;
	if (n == 0 || n > COMMON_NAME_MAX || !str_valid_utf8(s->common_name, n))
		return err_set(e, ERR_CONFIG, 0,
			       "a certificate's name has 1 to %d letters",
			       COMMON_NAME_MAX);
	if (s->not_after <= s->not_before)
		return err_set(e, ERR_CONFIG, 0,
			       "a certificate must end after it begins");
	for (size_t i = 0; i < s->n_names; i++)
		if (!host_name_ok(s->names[i]))
			return err_set(e, ERR_CONFIG, 0,
				       "name %zu of the certificate is no host name",
				       i + 1);
	if (pkey_type(m->signer) == PKEY_RSA || !pkey_is_private(m->signer))
		return err_set(e, ERR_BUG, 0,
			       "certificates are signed by elliptic keys only");
	return true;
}

static bool make(const struct making *m, struct x509 **ret, struct err *e)
{
	unsigned char serial[SERIAL_LEN];
	AUTO_BUF struct buf spki = BUF_INIT(CERT_MAX);
	AUTO_BUF struct buf body = BUF_INIT(CERT_MAX);
	AUTO_BUF struct buf sig = BUF_INIT(1024);
	AUTO_BUF struct buf cert = BUF_INIT(CERT_MAX);
	if (!spec_ok(m, e) || !crypto_random(serial, sizeof(serial), e) ||
	    !pkey_public_der(m->key, &spki, e))
		return err_wrap(e, "make a certificate");
	serial[0] = (serial[0] & 0x7f) | 0x40; // positive, and always of the same length
	if (!put_tbs(&body, m, BYTES_OF(serial), content(&spki)))
		return err_set(e, ERR_LIMIT, 0, "certificate longer than %d bytes",
			       CERT_MAX);
	if (!pkey_sign(m->signer, DIGEST_SHA256, content(&body), &sig, e))
		return err_wrap(e, "make a certificate");
	if (!put_algorithm(&body) || !der_write_bits(&body, content(&sig)) ||
	    !der_write(&cert, DER_SEQ, content(&body)))
		return err_set(e, ERR_LIMIT, 0, "certificate longer than %d bytes",
			       CERT_MAX);
	return x509_from_der(content(&cert), ret, e);
}

bool x509_make_ca(const struct x509_spec *spec, const struct pkey *key, struct x509 **ret,
		  struct err *e)
{
	return make(&(struct making){ .spec = spec, .key = key, .signer = key }, ret, e);
}

bool x509_make_leaf(const struct x509_spec *spec, const struct pkey *key,
		    const struct x509_issuer *by, struct x509 **ret, struct err *e)
{
	const struct making m = {
		.spec = spec, .issuer = by->cert, .key = key, .signer = by->key
	};
	return make(&m, ret, e);
}
