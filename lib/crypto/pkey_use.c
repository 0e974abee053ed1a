// SPDX-License-Identifier: Apache-2.0
// What keys do, above the seam: digests before signatures, limits, one error for OAEP.
#include <assert.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/crypto/der.h"
#include "lib/crypto/pkey.h"
#include "lib/crypto/seam.h"

enum { OAEP_LABEL_MAX = 64 * 1024 };

static bool append(struct buf *to, const unsigned char *p, size_t len, struct err *e)
{
	return buf_add(to, p, len) ||
	       err_set(e, ERR_LIMIT, 0, "the result is longer than %zu bytes", to->max);
}

bool pkey_sign(const struct pkey *k, enum digest_alg alg, struct bytes message,
	       struct buf *to, struct err *e)
{
	assert(k->is_private && alg >= DIGEST_SHA256);
	unsigned char hash[DIGEST_LEN_MAX], sig[PKEY_SIG_MAX];
	size_t sig_len = 0;
	if (!digest_of(alg, message, hash, e))
		return false;
	return pkey_half_sign(k, alg, bytes_of(hash, digest_len(alg)), sig, &sig_len,
			      e) &&
	       append(to, sig, sig_len, e);
}

// A positive INTEGER in its shortest form.
static bool take_number(struct bytes *in)
{
	struct bytes n;
	return der_take(in, DER_INT, &n) && n.len > 0 && n.p[0] < 0x80 &&
	       (n.p[0] != 0 || (n.len > 1 && n.p[1] >= 0x80));
}

// ECDSA-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER }, in DER: the libraries differ in how
// much of BER they let pass.
static bool ecdsa_form_ok(struct bytes signature)
{
	struct bytes numbers;
	return der_take(&signature, DER_SEQ, &numbers) && signature.len == 0 &&
	       take_number(&numbers) && take_number(&numbers) && numbers.len == 0;
}

bool pkey_verify(const struct pkey *k, enum digest_alg alg, struct bytes message,
		 struct bytes signature, struct err *e)
{
	assert(alg >= DIGEST_SHA256);
	unsigned char hash[DIGEST_LEN_MAX];
	if (!digest_of(alg, message, hash, e))
		return false;
	if (signature.len == 0 || signature.len > PKEY_SIG_MAX ||
	    (k->type != PKEY_RSA && !ecdsa_form_ok(signature)) ||
	    !pkey_half_verify(k, alg, bytes_of(hash, digest_len(alg)), signature))
		return err_set(e, ERR_DENIED, 0,
			       "the signature is not of this key and message");
	return true;
}

bool pkey_oaep_encrypt(const struct pkey *k, struct bytes label, struct bytes message,
		       struct buf *to, struct err *e)
{
	if (k->type != PKEY_RSA)
		return err_set(e, ERR_CONFIG, 0, "RSA-OAEP needs an RSA key");
	// RFC 8017 section 7.1.1: mLen <= k - 2hLen - 2.
	size_t max = (k->bits + 7) / 8 - 2 * DIGEST_SHA256_LEN - 2;
	if (message.len > max || label.len > OAEP_LABEL_MAX)
		return err_set(e, ERR_LIMIT, 0, "RSA-OAEP: more than %zu bytes", max);
	unsigned char out[PKEY_SIG_MAX];
	struct oaep_io io = { .label = label, .in = message, .ret = out };
	return pkey_half_oaep_encrypt(k, &io, e) && append(to, out, io.ret_len, e);
}

bool pkey_oaep_decrypt(const struct pkey *k, struct bytes label, struct bytes sealed,
		       struct buf *to, struct err *e)
{
	if (k->type != PKEY_RSA || !k->is_private)
		return err_set(e, ERR_CONFIG, 0, "RSA-OAEP needs a private RSA key");
	unsigned char out[PKEY_SIG_MAX];
	struct oaep_io io = { .label = label, .in = sealed, .ret = out };
	bool ok = sealed.len == (k->bits + 7) / 8 && label.len <= OAEP_LABEL_MAX &&
		  pkey_half_oaep_decrypt(k, &io);
	if (ok)
		ok = append(to, out, io.ret_len, e);
	else
		err_set(e, ERR_DENIED, 0,
			"RSA-OAEP: wrong key or label, or changed bytes");
	mem_wipe(out, sizeof(out));
	return ok;
}
