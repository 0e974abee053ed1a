// SPDX-License-Identifier: Apache-2.0
// The end of an OpenSSH certificate.
#include "stores/ssh_cert.h"

#include <string.h>

#include "lib/base/codec.h"
#include "lib/base/str.h"

enum { CERT_MAX = 64 * 1024 };

// How many strings stand between the type's name and the serial number: the nonce and the
// public key's parts.
static const struct {
	const char *type;
	unsigned strings;
} types[] = {
	{ "ssh-ed25519-cert-v01@openssh.com", 2 },
	{ "ssh-rsa-cert-v01@openssh.com", 3 },
	{ "ecdsa-sha2-nistp256-cert-v01@openssh.com", 3 },
	{ "ecdsa-sha2-nistp384-cert-v01@openssh.com", 3 },
	{ "ecdsa-sha2-nistp521-cert-v01@openssh.com", 3 },
	{ "sk-ssh-ed25519-cert-v01@openssh.com", 3 },
	{ "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com", 4 },
};

static bool number(struct str *s, size_t len, uint64_t *ret)
{
	if (s->len < len)
		return false;
	*ret = 0;
	for (size_t i = 0; i < len; i++)
		*ret = *ret << 8 | (unsigned char)s->p[i];
	s->p += len;
	s->len -= len;
	return true;
}

static bool string(struct str *s, struct str *ret)
{
	uint64_t len;
	if (!number(s, 4, &len) || s->len < len)
		return false;
	*ret = (struct str){ s->p, len };
	s->p += len;
	s->len -= len;
	return true;
}

static unsigned strings_of(struct str type)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_eq(type, types[i].type))
			return types[i].strings;
	return 0;
}

// Strings of the key, serial, kind, key id, principals, valid after, valid before.
static bool read_end(struct str s, uint64_t *ret)
{
	struct str word;
	unsigned n = string(&s, &word) ? strings_of(word) : 0;
	uint64_t skipped;
	if (!n)
		return false;
	while (n--)
		if (!string(&s, &word))
			return false;
	return number(&s, 8, &skipped) && number(&s, 4, &skipped) && string(&s, &word) &&
	       string(&s, &word) && number(&s, 8, &skipped) && number(&s, 8, ret);
}

bool ssh_cert_end(const char *text, uint64_t *ret)
{
	AUTO_BUF struct buf b = BUF_INIT(CERT_MAX);
	size_t skip = strcspn(text, " ");
	const char *b64 = text + skip + (text[skip] ? 1 : 0);
	return codec_b64_decode(b64, strcspn(b64, " \r\n"), B64_STD, &b, NULL) &&
	       read_end((struct str){ buf_str(&b), b.len }, ret);
}
