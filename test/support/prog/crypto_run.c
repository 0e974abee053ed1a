// SPDX-License-Identifier: Apache-2.0
// links: lib/crypto
// lib/crypto as lines: a command and its arguments in hex ("-" is empty; a key's or
// certificate's file name and a digest's number are plain) on stdin, for each a line on
// stdout: the result in hex, "ok", or "error KIND". For comparing the two TLS libraries.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/codec.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/crypto/aead.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/digest.h"
#include "lib/crypto/ed25519.h"
#include "lib/crypto/pkey.h"
#include "lib/crypto/x25519.h"
#include "lib/crypto/x509.h"

enum { ARGS_MAX = 6, LINE_LEN_MAX = 1 << 18 };

struct call {
	char *word[ARGS_MAX];
	struct buf bytes[ARGS_MAX]; // of the words that are hex
	struct buf out;
};

static struct bytes arg(struct call *c, int i)
{
	struct err e = ERR_INIT;
	const char *w = c->word[i];
	buf_release(&c->bytes[i]);
	c->bytes[i].max = LINE_LEN_MAX;
	if (!w ||
	    (strcmp(w, "-") != 0 && !codec_hex_decode(w, strlen(w), &c->bytes[i], &e)))
		exit(2);
	return bytes_of(buf_str(&c->bytes[i]), c->bytes[i].len);
}

// The bytes of an argument that must have len.
static const unsigned char *fixed(struct call *c, int i, size_t len)
{
	struct bytes b = arg(c, i);
	if (b.len != len)
		exit(2);
	return b.p;
}

static enum digest_alg alg(struct call *c, int i)
{
	return (enum digest_alg)(c->word[i][0] - '0');
}

static bool load_key(struct call *c, int i, bool is_private, struct pkey **ret,
		     struct err *e)
{
	AUTO_BUF struct buf pem = BUF_INIT(1 << 16);
	return file_read(c->word[i], &pem, e) &&
	       (is_private ? pkey_from_pem
			   : pkey_public_from_pem)(bytes_of(pem.data, pem.len), ret, e);
}

static bool run_symmetric(struct call *c, struct err *e)
{
	unsigned char out[DIGEST_LEN_MAX];
	const char *name = c->word[0];
	size_t len = DIGEST_SHA256_LEN;
	bool ok = true;
	if (strcmp(name, "digest") == 0) {
		len = digest_len(alg(c, 1));
		ok = digest_of(alg(c, 1), arg(c, 2), out, e);
	} else if (strcmp(name, "hmac") == 0) {
		len = digest_len(alg(c, 1));
		ok = hmac_of(alg(c, 1), arg(c, 2), arg(c, 3), out, e);
	} else if (strcmp(name, "hkdf") == 0) {
		struct hkdf in = { .secret = arg(c, 1),
				   .salt = arg(c, 2),
				   .info = arg(c, 3) };
		ok = hkdf_sha256(&in, out, len, e);
	} else {
		struct pbkdf2 in = { .password = arg(c, 1),
				     .salt = arg(c, 2),
				     .iterations = 7 };
		ok = pbkdf2_sha256(&in, out, len, e);
	}
	buf_add(&c->out, out, len);
	return ok;
}

static bool run_aead(struct call *c, struct err *e)
{
	struct aead a = { .alg = (enum aead_alg)(c->word[1][0] - '0'),
			  .key = fixed(c, 2, AEAD_KEY_LEN),
			  .nonce = fixed(c, 3, AEAD_NONCE_LEN),
			  .aad = arg(c, 4) };
	bool seal = strcmp(c->word[0], "seal") == 0;
	return (seal ? aead_seal : aead_open)(&a, arg(c, 5), &c->out, e);
}

static bool run_curve(struct call *c, struct err *e)
{
	unsigned char out[ED25519_SIG_LEN];
	const char *name = c->word[0];
	const unsigned char *first = fixed(c, 1, 32);
	size_t len = 32;
	bool ok = true;
	if (strcmp(name, "x25519pub") == 0) {
		ok = x25519_public(first, out, e);
	} else if (strcmp(name, "x25519") == 0) {
		ok = x25519_shared(first, fixed(c, 2, 32), out, e);
	} else if (strcmp(name, "edpub") == 0) {
		ok = ed25519_public(first, out, e);
	} else if (strcmp(name, "edsign") == 0) {
		len = ED25519_SIG_LEN;
		ok = ed25519_sign(first, arg(c, 2), out, e);
	} else {
		return ed25519_verify(first, arg(c, 2), fixed(c, 3, ED25519_SIG_LEN), e);
	}
	buf_add(&c->out, out, len);
	return ok;
}

static bool run_key(struct call *c, struct err *e)
{
	AUTO_PKEY struct pkey *k = NULL;
	const char *name = c->word[0];
	bool is_private = strcmp(name, "pubspki") != 0;
	if (!load_key(c, 1, is_private, &k, e))
		return false;
	if (strcmp(name, "sign") == 0)
		return pkey_sign(k, alg(c, 2), arg(c, 3), &c->out, e);
	if (strcmp(name, "verify") == 0)
		return pkey_verify(k, alg(c, 2), arg(c, 3), arg(c, 4), e);
	if (strcmp(name, "encrypt") == 0)
		return pkey_oaep_encrypt(k, arg(c, 2), arg(c, 3), &c->out, e);
	if (strcmp(name, "decrypt") == 0)
		return pkey_oaep_decrypt(k, arg(c, 2), arg(c, 3), &c->out, e);
	return pkey_public_der(k, &c->out, e);
}

// issued LEAF CA: whether the one file's certificate is the other's.
static bool run_issued(struct call *c, struct err *e)
{
	AUTO_BUF struct buf a = BUF_INIT(1 << 16), b = BUF_INIT(1 << 16);
	AUTO_X509 struct x509 *leaf = NULL;
	AUTO_X509 struct x509 *ca = NULL;
	return file_read(c->word[1], &a, e) && file_read(c->word[2], &b, e) &&
	       x509_from_pem(bytes_of(a.data, a.len), &leaf, e) &&
	       x509_from_pem(bytes_of(b.data, b.len), &ca, e) &&
	       x509_issued_by(leaf, ca, e);
}

static const struct {
	const char *name;
	bool (*run)(struct call *c, struct err *e);
} commands[] = {
	{ "digest", run_symmetric }, { "hmac", run_symmetric },
	{ "hkdf", run_symmetric },   { "pbkdf2", run_symmetric },
	{ "seal", run_aead },        { "open", run_aead },
	{ "x25519", run_curve },     { "x25519pub", run_curve },
	{ "edpub", run_curve },      { "edsign", run_curve },
	{ "edverify", run_curve },   { "sign", run_key },
	{ "verify", run_key },       { "encrypt", run_key },
	{ "decrypt", run_key },      { "spki", run_key },
	{ "pubspki", run_key },      { "issued", run_issued },
};

static void run_line(char *line)
{
	struct call c = { .out = { .max = LINE_LEN_MAX } };
	struct err e = ERR_INIT;
	char *rest = line;
	for (int i = 0; i < ARGS_MAX; i++)
		c.word[i] = strsep(&rest, " ");
	bool ok = false;
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(commands[i].name, c.word[0]) == 0)
			ok = commands[i].run(&c, &e);
	AUTO_BUF struct buf hex = BUF_INIT(LINE_LEN_MAX);
	codec_hex_encode(c.out.data, c.out.len, &hex);
	if (!ok)
		printf("error %s\n", err_kind_name(e.kind));
	else
		printf("%s\n", hex.len ? buf_str(&hex) : "ok");
	for (int i = 0; i < ARGS_MAX; i++)
		buf_release(&c.bytes[i]);
	buf_release(&c.out);
}

int main(void)
{
	static char line[LINE_LEN_MAX];
	mem_init(false);
	if (!crypto_init(NULL))
		return 1;
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		run_line(line);
	}
	return 0;
}
