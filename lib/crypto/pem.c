// SPDX-License-Identifier: Apache-2.0
// PEM blocks: the one strict reader for keys and certificates.
#include "lib/crypto/pem.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/codec.h"

static const char begin_mark[] = "-----BEGIN ";
static const char dashes[] = "-----";

// The first `needle` in text, or NULL.
static const unsigned char *find(struct bytes text, const char *needle)
{
	return text.len ? memmem(text.p, text.len, needle, strlen(needle)) : NULL;
}

static struct bytes after(struct bytes text, const unsigned char *p)
{
	return bytes_of(p, text.len - (size_t)(p - text.p));
}

// Takes "LABEL-----" off the text behind a BEGIN mark.
static bool take_label(struct bytes *text, char ret[static PEM_LABEL_MAX])
{
	const unsigned char *end = find(*text, dashes);
	size_t n = end ? (size_t)(end - text->p) : 0;
	if (n == 0 || n >= PEM_LABEL_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (text->p[i] != ' ' && (text->p[i] < '0' || text->p[i] > 'Z'))
			return false;
	memcpy(ret, text->p, n);
	ret[n] = '\0';
	*text = after(*text, end + strlen(dashes));
	return true;
}

// Decodes the base64 between the marks; blanks may stand anywhere.
static bool decode_body(struct bytes body, struct buf *der, struct err *e)
{
	if (find(body, ":"))
		return err_set(
			e, ERR_CONFIG, 0,
			"the PEM block has headers; encrypted keys are not supported");
	AUTO_BUF struct buf letters = BUF_INIT(body.len);
	for (size_t i = 0; i < body.len; i++) {
		char c = (char)body.p[i];
		if (c != ' ' && c != '\t' && c != '\r' && c != '\n' &&
		    !buf_putc(&letters, c))
			return err_set(e, ERR_BUG, 0, "PEM: buffer");
	}
	return codec_b64_decode(buf_str(&letters), letters.len, B64_STD, der, e);
}

bool pem_next(struct bytes *rest, struct pem_block *ret, struct err *e)
{
	buf_reset(&ret->der);
	ret->label[0] = '\0';
	const unsigned char *begin = find(*rest, begin_mark);
	if (!begin) {
		*rest = after(*rest, rest->p + rest->len);
		return true;
	}
	struct bytes text = after(*rest, begin + strlen(begin_mark));
	char label[PEM_LABEL_MAX];
	if (!take_label(&text, label))
		return err_set(e, ERR_CONFIG, 0, "PEM: malformed BEGIN line");
	char end_mark[PEM_LABEL_MAX + 16];
	snprintf(end_mark, sizeof(end_mark), "-----END %s-----", label);
	const unsigned char *end = find(text, end_mark);
	if (!end)
		return err_set(e, ERR_CONFIG, 0, "PEM: block '%s' has no END line",
			       label);
	if (!decode_body(bytes_of(text.p, (size_t)(end - text.p)), &ret->der, e))
		return err_wrap(e, "PEM block '%s'", label);
	memcpy(ret->label, label, sizeof(label));
	*rest = after(text, end + strlen(end_mark));
	return true;
}

static bool label_is(const char *label, const char *want)
{
	if (want[0] != '*')
		return strcmp(label, want) == 0;
	size_t n = strlen(label), m = strlen(want + 1);
	return n >= m && strcmp(label + n - m, want + 1) == 0;
}

bool pem_find(struct bytes pem, const char *label, struct pem_block *ret, struct err *e)
{
	do {
		if (!pem_next(&pem, ret, e))
			return false;
		if (!ret->label[0])
			return err_set(e, ERR_MISSING, 0, "there is no PEM block '%s'",
				       label[0] == '*' ? label + 1 : label);
	} while (!label_is(ret->label, label));
	return true;
}

void pem_block_release(struct pem_block *b)
{
	buf_release(&b->der);
}

bool pem_write(const char *label, struct bytes der, struct buf *to, struct err *e)
{
	AUTO_BUF struct buf b64 = BUF_INIT(der.len / 3 * 4 + 4);
	AUTO_BUF struct buf out = BUF_INIT(to->max);
	bool ok = codec_b64_encode(der.p, der.len, B64_STD, &b64) &&
		  buf_printf(&out, "-----BEGIN %s-----\n", label);
	for (size_t at = 0; ok && at < b64.len; at += 64) {
		size_t n = b64.len - at < 64 ? b64.len - at : 64;
		ok = buf_add(&out, b64.data + at, n) && buf_putc(&out, '\n');
	}
	ok = ok && buf_printf(&out, "-----END %s-----\n", label) &&
	     buf_add(to, out.data, out.len);
	return ok || err_set(e, ERR_LIMIT, 0, "PEM: longer than %zu bytes", to->max);
}
