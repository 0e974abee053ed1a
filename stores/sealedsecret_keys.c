// SPDX-License-Identifier: Apache-2.0
// The private keys of a Sealed Secrets controller: PEM, or Secrets with a tls.key.
#include <string.h>

#include "lib/base/codec.h"
#include "lib/base/mem.h"
#include "lib/crypto/pem.h"
#include "stores/sealedsecret.h"

void sealedsecret_keys_release(struct sealedsecret_keys *k)
{
	for (size_t i = 0; i < k->n; i++)
		pkey_free(k->keys[i]);
	*k = (struct sealedsecret_keys){ 0 };
}

static bool add_pem(struct sealedsecret_keys *k, struct bytes pem, struct err *e)
{
	AUTO_PKEY struct pkey *key = NULL;
	if (k->n == SEALEDSECRET_KEYS_MAX)
		return err_set(e, ERR_LIMIT, 0, "more than %d private keys",
			       SEALEDSECRET_KEYS_MAX);
	if (!pkey_from_pem(pem, &key, e))
		return false;
	if (pkey_type(key) != PKEY_RSA)
		return err_set(e, ERR_CONFIG, 0, "a private key that is not RSA");
	k->keys[k->n++] = TAKE(key);
	return true;
}

// All private keys among the blocks; certificates between them are skipped.
static bool parse_pem(struct sealedsecret_keys *k, struct bytes text, struct err *e)
{
	struct bytes rest = text;
	for (;;) {
		AUTO_PEM struct pem_block b = PEM_BLOCK_INIT;
		struct bytes from = rest;
		if (!pem_next(&rest, &b, e))
			return false;
		if (!b.label[0])
			return true;
		from.len -= rest.len;
		if (str_ends(b.label, "PRIVATE KEY") && !add_pem(k, from, e))
			return false;
	}
}

static bool parse_secret(struct sealedsecret_keys *k, const json_t *doc, struct err *e)
{
	const char *text = manifest_str(doc, "data", "tls.key");
	AUTO_BUF struct buf pem = BUF_INIT(PEM_DER_MAX);
	if (!text)
		return true;
	if (!codec_b64_decode(text, strlen(text), B64_STD | B64_NEWLINES, &pem, e))
		return err_wrap(e, "data.tls.key");
	return parse_pem(k, bytes_of(buf_str(&pem), pem.len), e);
}

static bool has_pem(struct str text)
{
	static const char mark[] = "-----BEGIN ";
	return memmem(text.p ? text.p : "", text.len, mark, strlen(mark)) != NULL;
}

bool sealedsecret_keys_parse(struct sealedsecret_keys *k, struct str text,
			     const char *name, struct err *e)
{
	size_t before = k->n;
	if (has_pem(text)) {
		if (!parse_pem(k, bytes_of(text.p, text.len), e))
			return err_wrap(e, "key file '%s'", name);
	} else {
		AUTO_MANIFEST struct manifest m = { 0 };
		if (!manifest_parse(text, name, &m, e))
			return err_wrap(e, "key file");
		for (size_t i = 0; i < m.n; i++)
			if (!parse_secret(k, m.docs[i].root, e))
				return err_wrap(e, "key file '%s' line %u", name,
						m.docs[i].line);
	}
	return k->n > before ||
	       err_set(e, ERR_CONFIG, 0,
		       "key file '%s' holds no private key: give it PEM, or the Secrets "
		       "that "
		       "'kubectl get secret -n kube-system -l "
		       "sealedsecrets.bitnami.com/sealed-secrets-key -o yaml' prints",
		       name);
}
