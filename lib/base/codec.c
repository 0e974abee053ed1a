// SPDX-License-Identifier: Apache-2.0
// Base64, hex and URL escapes. Letters are computed, not looked up, because keys and tokens
// pass through here and a table indexed by a secret leaves traces in the cache.
#include "lib/base/codec.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/lanes.h"

// 1 when lo <= c <= hi, else 0, without a branch.
static unsigned in_range(unsigned c, unsigned lo, unsigned hi)
{
	return ((c - lo) >> 31 ^ 1) & ((hi - c) >> 31 ^ 1);
}

// Eight 6-bit values, each in a byte, as letters; n_above() is 1 where a value is above k.
static uint64_t n_above(uint64_t v, unsigned k)
{
	return (v + LANES(0x7f - k)) >> 7 & LANES(1);
}

static uint64_t b64_letters(uint64_t v, unsigned flags)
{
	bool url = flags & B64_URL;
	uint64_t c = v + LANES('A');
	c += n_above(v, 25) * ('a' - 'Z' - 1);
	c -= n_above(v, 51) * ('z' - '0' + 1);
	c -= n_above(v, 61) * (url ? '9' - '-' + 1 : '9' - '+' + 1);
	return c + n_above(v, 62) * (url ? '_' - '-' - 1 : '/' - '+' - 1);
}

// The letters of the first six bytes, as they stand in memory; those behind the end mean
// nothing.
static uint64_t b64_group(const unsigned char *p, size_t len, unsigned flags)
{
	uint64_t v = 0;
	if (len >= sizeof(v)) {
		memcpy(&v, p, sizeof(v));
		v = be64toh(v) >> 16;
	} else {
		for (size_t i = 0; i < 6; i++)
			v = v << 8 | (i < len ? p[i] : 0);
	}
	v = (v & 0xffffff000000) << 8 | (v & 0xffffff); // halves, halves of them, …
	v = (v & 0xfff00000fff000) << 4 | (v & 0xfff00000fff);
	v = (v & 0xfc00fc00fc00fc0) << 2 | (v & 0x3f003f003f003f);
	return htobe64(b64_letters(v, flags));
}

// The value of a letter with bit 8 set, or 0 when it is none.
static unsigned b64_value(unsigned c, unsigned flags)
{
	unsigned c62 = flags & B64_URL ? '-' : '+';
	unsigned c63 = flags & B64_URL ? '_' : '/';
	unsigned v = in_range(c, 'A', 'Z') * (0x100 | (c - 'A'));
	v |= in_range(c, 'a', 'z') * (0x100 | (c - 'a' + 26));
	v |= in_range(c, '0', '9') * (0x100 | (c - '0' + 52));
	v |= in_range(c, c62, c62) * (0x100 | 62);
	v |= in_range(c, c63, c63) * (0x100 | 63);
	return v & 0x13f;
}

bool codec_b64_encode(const void *bytes, size_t len, unsigned flags, struct buf *to)
{
	const unsigned char *p = bytes;
	size_t letters = len / 3 * 4 + (len % 3 ? len % 3 + 1 : 0);
	size_t n = flags & B64_NOPAD ? letters : (len + 2) / 3 * 4;
	char *out = buf_room(to, n);
	if (!out)
		return false;
	for (size_t i = 0; i < letters; i += 8, p += 6) {
		uint64_t group = b64_group(p, len - i / 8 * 6, flags);
		memcpy(out + i, &group, letters - i < 8 ? letters - i : 8);
	}
	memset(out + letters, '=', n - letters);
	to->len += n;
	buf_end(to);
	return true;
}

struct b64_state {
	uint32_t bits;    // what the letters since the last whole byte gave
	unsigned letters; // of the group of four
	unsigned pads;
};

static bool b64_finish(const struct b64_state *s, unsigned flags, struct err *e)
{
	unsigned want = flags & B64_NOPAD ? 0 : (4 - s->letters) % 4;
	if (s->letters == 1 || s->pads != want)
		return err_set(e, ERR_CONFIG, 0, "base64: wrong length or padding");
	unsigned stray = s->letters == 2 ? 4 : s->letters == 3 ? 2 : 0;
	if (s->bits & ((1u << stray) - 1))
		return err_set(e, ERR_CONFIG, 0, "base64: stray bits at the end");
	return true;
}

// Decodes into out, which has room for len / 4 * 3 + 3 bytes.
static bool b64_decode(const char *text, size_t len, unsigned flags, unsigned char *out,
		       size_t *ret_len, struct err *e)
{
	struct b64_state s = { 0 };
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		unsigned c = (unsigned char)text[i];
		if ((flags & B64_NEWLINES) && (c == '\r' || c == '\n'))
			continue;
		if (c == '=' && s.letters >= 2 && s.pads < 2) {
			s.pads++;
			continue;
		}
		unsigned v = b64_value(c, flags);
		if (v == 0 || s.pads)
			return err_set(e, ERR_CONFIG, 0,
				       "base64: wrong letter at byte %zu", i);
		s.bits = s.bits << 6 | (v & 63);
		s.letters = (s.letters + 1) % 4;
		if (s.letters != 1)
			out[n++] = (unsigned char)(s.bits >>
						   (6 - 2 * ((s.letters + 3) % 4)));
	}
	*ret_len = n;
	return b64_finish(&s, flags, e);
}

bool codec_b64_decode(const char *text, size_t len, unsigned flags, struct buf *to,
		      struct err *e)
{
	AUTO_BUF struct buf tmp = BUF_INIT(len / 4 * 3 + 3);
	unsigned char *out = (unsigned char *)buf_room(&tmp, tmp.max);
	if (!b64_decode(text, len, flags, out, &tmp.len, e))
		return false;
	if (!buf_add(to, tmp.data, tmp.len))
		return err_set(e, ERR_LIMIT, 0, "base64: longer than %zu bytes", to->max);
	return true;
}

static char hex_letter(unsigned v)
{
	return (char)('0' + v + in_range(v, 10, 15) * ('a' - '0' - 10));
}

// The value with bit 8 set, or 0.
static unsigned hex_value(unsigned c)
{
	unsigned v = in_range(c, '0', '9') * (0x100 | (c - '0'));
	v |= in_range(c, 'a', 'f') * (0x100 | (c - 'a' + 10));
	v |= in_range(c, 'A', 'F') * (0x100 | (c - 'A' + 10));
	return v & 0x10f;
}

bool codec_hex_encode(const void *bytes, size_t len, struct buf *to)
{
	const unsigned char *p = bytes;
	char *out = buf_room(to, 2 * len);
	if (!out)
		return false;
	for (size_t i = 0; i < len; i++) {
		*out++ = hex_letter(p[i] >> 4);
		*out++ = hex_letter(p[i] & 15);
	}
	to->len += 2 * len;
	buf_end(to);
	return true;
}

bool codec_hex_decode(const char *text, size_t len, struct buf *to, struct err *e)
{
	if (len % 2)
		return err_set(e, ERR_CONFIG, 0, "hex: odd number of letters");
	char *out = buf_room(to, len / 2);
	if (!out)
		return err_set(e, ERR_LIMIT, 0, "hex: longer than %zu bytes", to->max);
	for (size_t i = 0; i < len; i += 2) {
		unsigned hi = hex_value((unsigned char)text[i]);
		unsigned lo = hex_value((unsigned char)text[i + 1]);
		if (!hi || !lo) {
			buf_end(to); // what was written behind the content is no content
			return err_set(e, ERR_CONFIG, 0, "hex: wrong letter at byte %zu",
				       hi ? i + 1 : i);
		}
		out[i / 2] = (char)((hi & 15) << 4 | (lo & 15));
	}
	to->len += len / 2;
	buf_end(to);
	return true;
}

static bool url_plain(char c, const char *keep)
{
	unsigned u = (unsigned char)c;
	return in_range(u, 'A', 'Z') || in_range(u, 'a', 'z') || in_range(u, '0', '9') ||
	       (c != '\0' && (strchr("-._~", c) || strchr(keep, c)));
}

bool codec_url_escape(const char *s, size_t len, const char *keep, struct buf *to)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t start = to->len;
	for (size_t i = 0; i < len; i++) {
		unsigned u = (unsigned char)s[i];
		const char esc[3] = { '%', digits[u >> 4], digits[u & 15] };
		bool ok =
			url_plain(s[i], keep) ? buf_putc(to, s[i]) : buf_add(to, esc, 3);
		if (!ok) {
			buf_truncate(to, start);
			return false;
		}
	}
	return true;
}

bool codec_url_unescape(const char *s, size_t len, struct buf *to, struct err *e)
{
	size_t start = to->len;
	for (size_t i = 0; i < len; i++) {
		char c = s[i];
		if (c == '%') {
			unsigned hi =
				len - i > 2 ? hex_value((unsigned char)s[i + 1]) : 0;
			unsigned lo =
				len - i > 2 ? hex_value((unsigned char)s[i + 2]) : 0;
			if (!hi || !lo) {
				buf_truncate(to, start);
				return err_set(e, ERR_CONFIG, 0,
					       "URL: wrong escape at byte %zu", i);
			}
			c = (char)((hi & 15) << 4 | (lo & 15));
			i += 2;
		}
		if (!buf_putc(to, c)) {
			buf_truncate(to, start);
			return err_set(e, ERR_LIMIT, 0, "URL: longer than %zu bytes",
				       to->max);
		}
	}
	return true;
}
