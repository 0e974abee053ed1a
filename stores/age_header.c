// SPDX-License-Identifier: Apache-2.0
// The header of an age file, read line by line from a cursor.
#include "stores/age_header.h"

#include <string.h>

#include "lib/base/codec.h"
#include "lib/base/str.h"

static const char intro[] = "age-encryption.org/v1";
static const char stanza_mark[] = "-> ";
static const char mac_mark[] = "---";
enum { BODY_LINE = 64 };

struct cursor {
	const char *text;
	size_t len, at;
};

// The next line without its LF; a line that does not end is an error.
static bool next_line(struct cursor *c, struct str *ret, struct err *e)
{
	const char *from = c->text + c->at;
	const char *end = c->at < c->len ? memchr(from, '\n', c->len - c->at) : NULL;
	if (!end)
		return err_set(e, ERR_CONFIG, 0, "the age header is cut off");
	*ret = (struct str){ from, (size_t)(end - from) };
	c->at += ret->len + 1;
	return true;
}

static bool decode_32(struct str text, unsigned char ret[static 32], struct err *e)
{
	AUTO_BUF struct buf b = BUF_INIT(32);
	if (!codec_b64_decode(text.p, text.len, B64_NOPAD, &b, e) || b.len != 32) {
		err_clear(e);
		return err_set(e, ERR_CONFIG, 0, "the age header has bad Base64");
	}
	memcpy(ret, b.data, 32);
	return true;
}

// Arguments are one or more visible ASCII letters, with single spaces between them.
static bool check_arguments(struct str line, struct err *e)
{
	bool was_space = true;
	for (size_t i = 0; i < line.len; i++) {
		bool space = line.p[i] == ' ';
		if ((space && was_space) ||
		    (!space && (line.p[i] < 33 || line.p[i] > 126)))
			return err_set(e, ERR_CONFIG, 0,
				       "an age stanza has bad arguments");
		was_space = space;
	}
	return !was_space || err_set(e, ERR_CONFIG, 0, "an age stanza has no arguments");
}

// Full lines of 64 letters and one shorter one, which may be empty.
static bool read_body(struct cursor *c, struct buf *to, struct err *e)
{
	AUTO_BUF struct buf letters = BUF_INIT(AGE_BODY_MAX * 4 / 3 + 4);
	struct str line = { NULL, BODY_LINE };
	while (line.len == BODY_LINE) {
		if (!next_line(c, &line, e))
			return false;
		if (line.len > BODY_LINE || !buf_add(&letters, line.p, line.len))
			return err_set(
				e, ERR_CONFIG, 0,
				"an age stanza's body has a line that is too long, or "
				"too many");
	}
	if (codec_b64_decode(buf_str(&letters), letters.len, B64_NOPAD, to, e))
		return true;
	err_clear(e);
	return err_set(e, ERR_CONFIG, 0, "an age stanza's body has bad Base64");
}

// A stanza of a type that we know is kept; of another one only its form is checked.
static bool read_stanza(struct cursor *c, struct str line, struct age_header *h,
			struct err *e)
{
	struct str args = { line.p + strlen(stanza_mark),
			    line.len - strlen(stanza_mark) };
	AUTO_BUF struct buf body = BUF_INIT(AGE_BODY_MAX);
	if (!check_arguments(args, e) || !read_body(c, &body, e))
		return false;
	struct str rest = args, type, share, extra;
	if (!str_next(&rest, ' ', &type) || !str_eq(type, "X25519"))
		return true;
	if (!str_next(&rest, ' ', &share) || str_next(&rest, ' ', &extra) ||
	    body.len != AGE_WRAPPED_LEN)
		return err_set(e, ERR_CONFIG, 0, "an age X25519 stanza has a wrong form");
	struct age_stanza *s = &h->stanzas[h->n];
	if (!decode_32(share, s->share, e))
		return false;
	memcpy(s->wrapped, body.data, AGE_WRAPPED_LEN);
	h->n++;
	return true;
}

bool age_header_parse(struct bytes file, struct age_header *ret, struct err *e)
{
	struct cursor c = { .text = (const char *)file.p, .len = file.len };
	*ret = (struct age_header){ 0 };
	struct str line;
	if (!next_line(&c, &line, e))
		return false;
	if (!str_eq(line, intro))
		return err_set(e, ERR_CONFIG, 0, "not an age v1 file");
	for (unsigned count = 0;; count++) {
		size_t start = c.at;
		if (!next_line(&c, &line, e))
			return false;
		if (line.len > 4 && memcmp(line.p, "--- ", 4) == 0) {
			ret->mac_over = start + strlen(mac_mark);
			ret->len = c.at;
			struct str mac = { line.p + 4, line.len - 4 };
			return decode_32(mac, ret->mac, e);
		}
		if (line.len < 4 || memcmp(line.p, stanza_mark, 3) != 0)
			return err_set(e, ERR_CONFIG, 0, "the age header has a bad line");
		if (count == AGE_STANZAS_MAX)
			return err_set(e, ERR_LIMIT, 0, "more than %d recipients",
				       AGE_STANZAS_MAX);
		if (!read_stanza(&c, line, ret, e))
			return false;
	}
}

bool age_header_write(const struct age_stanza *stanzas, size_t n, struct buf *to)
{
	buf_printf(to, "%s\n", intro);
	for (size_t i = 0; i < n; i++) {
		buf_printf(to, "%sX25519 ", stanza_mark);
		codec_b64_encode(stanzas[i].share, X25519_LEN, B64_NOPAD, to);
		buf_putc(to, '\n');
		codec_b64_encode(stanzas[i].wrapped, AGE_WRAPPED_LEN, B64_NOPAD, to);
		buf_putc(to, '\n');
	}
	buf_puts(to, mac_mark);
	return !buf_failed(to);
}

bool age_header_finish(const unsigned char mac[static AGE_MAC_LEN], struct buf *to)
{
	buf_putc(to, ' ');
	codec_b64_encode(mac, AGE_MAC_LEN, B64_NOPAD, to);
	buf_putc(to, '\n');
	return !buf_failed(to);
}
