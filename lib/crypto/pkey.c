// SPDX-License-Identifier: Apache-2.0
// Keys above the seam: PEM in and out, which forms are accepted, digests before signatures.
#include "lib/crypto/pkey.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/crypto/der.h"
#include "lib/crypto/pem.h"
#include "lib/crypto/seam.h"
#include "lib/crypto/x509.h"

enum { KEY_DER_MAX = 8192 };

// Contents of OBJECT IDENTIFIERs: rsaEncryption (RFC 3279), id-ecPublicKey (RFC 5480).
static const unsigned char oid_rsa[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7,
					 0x0d, 0x01, 0x01, 0x01 };
static const unsigned char oid_ec[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01 };

void pkey_free(struct pkey *k)
{
	if (!k)
		return;
	pkey_half_free(k->impl);
	mem_free(k);
}

void auto_pkey_(struct pkey **k)
{
	pkey_free(*k);
	*k = NULL;
}

enum pkey_type pkey_type(const struct pkey *k)
{
	return k->type;
}

unsigned pkey_bits(const struct pkey *k)
{
	return k->bits;
}

bool pkey_is_private(const struct pkey *k)
{
	return k->is_private;
}

static bool load(bool is_private, struct bytes der, struct pkey **ret, struct err *e)
{
	struct bytes rest = der, content;
	if (!der_take(&rest, DER_SEQ, &content) || rest.len != 0)
		return err_set(e, ERR_CONFIG, 0, "key: malformed DER");
	AUTO_PKEY struct pkey *k = mem_alloc(sizeof(*k));
	k->is_private = is_private;
	if (!pkey_half_load(k, der, e))
		return false;
	if (k->type == PKEY_RSA && (k->bits < PKEY_BITS_MIN || k->bits > PKEY_BITS_MAX))
		return err_set(e, ERR_CONFIG, 0,
			       "RSA key of %u bits; %d to %d are accepted", k->bits,
			       PKEY_BITS_MIN, PKEY_BITS_MAX);
	*ret = TAKE(k);
	return true;
}

bool pkey_from_pem(struct bytes pem, struct pkey **ret, struct err *e)
{
	AUTO_PEM struct pem_block b = PEM_BLOCK_INIT;
	if (!pem_find(pem, "*PRIVATE KEY", &b, e))
		return err_wrap(e, "private key");
	if (strcmp(b.label, "PRIVATE KEY") != 0 &&
	    strcmp(b.label, "RSA PRIVATE KEY") != 0 &&
	    strcmp(b.label, "EC PRIVATE KEY") != 0)
		return err_set(e, ERR_CONFIG, 0, "a key of kind '%s' is not supported",
			       b.label);
	return load(true, bytes_of(b.der.data, b.der.len), ret, e);
}

// SubjectPublicKeyInfo ::= SEQUENCE { SEQUENCE { OID, parameters }, BIT STRING }. The two
// libraries differ in which spellings of a curve and a point they take, so that is settled
// here: a curve by its name, a point uncompressed.
static bool public_form_ok(struct bytes spki)
{
	struct bytes content, alg, oid, curve, bits;
	if (!der_take(&spki, DER_SEQ, &content) || !der_take(&content, DER_SEQ, &alg) ||
	    !der_take(&alg, DER_OID, &oid) || !der_take_bits(&content, &bits))
		return false;
	if (der_equal(oid, BYTES_OF(oid_rsa)))
		return true;
	return der_equal(oid, BYTES_OF(oid_ec)) && der_take(&alg, DER_OID, &curve) &&
	       alg.len == 0 && bits.len > 1 && bits.p[0] == 4;
}

bool pkey_public_from_der(struct bytes spki, struct pkey **ret, struct err *e)
{
	if (!public_form_ok(spki))
		return err_set(
			e, ERR_CONFIG, 0,
			"the public key is neither RSA nor an uncompressed ECDSA point "
			"of a named curve");
	return load(false, spki, ret, e);
}

// PKCS#1's RSAPublicKey inside a SubjectPublicKeyInfo, the form that both halves load.
static bool wrap_rsa_public(struct bytes pkcs1, struct buf *to)
{
	AUTO_BUF struct buf alg = BUF_INIT(64);
	AUTO_BUF struct buf spki = BUF_INIT(KEY_DER_MAX);
	return der_write(&alg, DER_OID, BYTES_OF(oid_rsa)) &&
	       der_write(&alg, DER_NULL, BYTES_NONE) &&
	       der_write(&spki, DER_SEQ, bytes_of(alg.data, alg.len)) &&
	       der_write_bits(&spki, pkcs1) &&
	       der_write(to, DER_SEQ, bytes_of(spki.data, spki.len));
}

bool pkey_public_from_pem(struct bytes pem, struct pkey **ret, struct err *e)
{
	AUTO_PEM struct pem_block b = PEM_BLOCK_INIT;
	do {
		if (!pem_next(&pem, &b, e))
			return err_wrap(e, "public key");
		struct bytes der = bytes_of(b.der.data, b.der.len);
		if (strcmp(b.label, "PUBLIC KEY") == 0)
			return pkey_public_from_der(der, ret, e);
		if (strcmp(b.label, "RSA PUBLIC KEY") == 0) {
			AUTO_BUF struct buf spki = BUF_INIT(KEY_DER_MAX);
			if (!wrap_rsa_public(der, &spki))
				return err_set(e, ERR_CONFIG, 0,
					       "RSA public key too long");
			return load(false, bytes_of(spki.data, spki.len), ret, e);
		}
		if (strcmp(b.label, "CERTIFICATE") == 0) {
			AUTO_X509 struct x509 *cert = NULL;
			return x509_from_der(der, &cert, e) &&
			       load(false, cert->spki, ret, e);
		}
	} while (b.label[0]);
	return err_set(e, ERR_MISSING, 0,
		       "there is no public key or certificate in the PEM");
}

bool pkey_generate_p256(struct pkey **ret, struct err *e)
{
	AUTO_PKEY struct pkey *k = mem_alloc(sizeof(*k));
	k->is_private = true;
	if (!pkey_half_generate_p256(k, e))
		return false;
	*ret = TAKE(k);
	return true;
}

// RFC 5915's ECPrivateKey: version 1, the number, the curve, the public point.
static bool write_sec1(const struct pkey *k, struct buf *to, struct err *e)
{
	unsigned char scalar[PKEY_SCALAR_MAX];
	AUTO_BUF struct buf spki = BUF_INIT(KEY_DER_MAX);
	AUTO_BUF struct buf seq = BUF_INIT(KEY_DER_MAX);
	AUTO_BUF struct buf point = BUF_INIT(256);
	if (!pkey_public_der(k, &spki, e))
		return false;
	struct bytes in = bytes_of(spki.data, spki.len), content, alg, oid, curve, bits;
	if (!der_take(&in, DER_SEQ, &content) || !der_take(&content, DER_SEQ, &alg) ||
	    !der_take(&alg, DER_OID, &oid) || !der_take_whole(&alg, DER_OID, &curve) ||
	    !der_take_bits(&content, &bits))
		return err_set(e, ERR_BUG, 0, "write the private key");
	bool ok = pkey_half_scalar(k, scalar, e) &&
		  der_write_uint(&seq, bytes_of("\x01", 1)) &&
		  der_write(&seq, DER_OCTETS, bytes_of(scalar, k->bits / 8)) &&
		  der_write_bits(&point, bits) &&
		  der_write(&seq, DER_CONTEXT_SEQ | 0, curve) &&
		  der_write(&seq, DER_CONTEXT_SEQ | 1, bytes_of(point.data, point.len)) &&
		  der_write(to, DER_SEQ, bytes_of(seq.data, seq.len));
	mem_wipe(scalar, sizeof(scalar));
	return ok || err_set(e, ERR_BUG, 0, "write the private key");
}

bool pkey_to_pem(const struct pkey *k, struct buf *to, struct err *e)
{
	if (!k->is_private || k->type == PKEY_RSA)
		return err_set(e, ERR_BUG, 0,
			       "only a private elliptic key can be written");
	AUTO_BUF struct buf der = BUF_INIT(KEY_DER_MAX);
	return write_sec1(k, &der, e) &&
	       pem_write("EC PRIVATE KEY", bytes_of(der.data, der.len), to, e);
}

bool pkey_public_der(const struct pkey *k, struct buf *to, struct err *e)
{
	return pkey_half_public_der(k, to, e);
}

bool pkey_public_pem(const struct pkey *k, struct buf *to, struct err *e)
{
	AUTO_BUF struct buf der = BUF_INIT(KEY_DER_MAX);
	return pkey_public_der(k, &der, e) &&
	       pem_write("PUBLIC KEY", bytes_of(der.data, der.len), to, e);
}
