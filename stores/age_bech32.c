// SPDX-License-Identifier: Apache-2.0
// Bech32 for keys of 32 bytes: 52 letters of data, 6 of checksum.
#include "stores/age_bech32.h"

#include <ctype.h>
#include <string.h>

#include "lib/base/mem.h"

enum { DATA_LETTERS = 52, SUM_LETTERS = 6, LETTERS = DATA_LETTERS + SUM_LETTERS };

static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static uint32_t polymod_step(uint32_t sum, unsigned char value)
{
	static const uint32_t generator[5] = { 0x3b6a57b2, 0x26508e6d, 0x1ea119fa,
					       0x3d4233dd, 0x2a1462b3 };
	uint32_t top = sum >> 25;
	sum = (sum & 0x1ffffff) << 5 ^ value;
	for (unsigned i = 0; i < 5; i++)
		if (top >> i & 1)
			sum ^= generator[i];
	return sum;
}

// The checksum's state after the human-readable part.
static uint32_t polymod_hrp(const char *hrp)
{
	uint32_t sum = 1;
	for (const char *p = hrp; *p; p++)
		sum = polymod_step(sum, (unsigned char)tolower((unsigned char)*p) >> 5);
	sum = polymod_step(sum, 0);
	for (const char *p = hrp; *p; p++)
		sum = polymod_step(sum, (unsigned char)tolower((unsigned char)*p) & 31);
	return sum;
}

static bool is_upper(const char *hrp)
{
	return isupper((unsigned char)hrp[0]) != 0;
}

bool bech32_write(const char *hrp, const unsigned char key[static BECH32_KEY_LEN],
		  struct buf *to)
{
	unsigned char five[LETTERS] = { 0 };
	for (unsigned bit = 0; bit < BECH32_KEY_LEN * 8; bit++)
		if (key[bit / 8] >> (7 - bit % 8) & 1)
			five[bit / 5] |= (unsigned char)(16 >> bit % 5);
	uint32_t sum = polymod_hrp(hrp);
	for (unsigned i = 0; i < LETTERS; i++)
		sum = polymod_step(sum, five[i]);
	sum ^= 1;
	for (unsigned i = 0; i < SUM_LETTERS; i++)
		five[DATA_LETTERS + i] = sum >> 5 * (SUM_LETTERS - 1 - i) & 31;

	buf_puts(to, hrp);
	buf_putc(to, '1');
	for (unsigned i = 0; i < LETTERS; i++) {
		char c = alphabet[five[i]];
		buf_putc(to, is_upper(hrp) ? (char)toupper((unsigned char)c) : c);
	}
	mem_wipe(five, sizeof(five));
	return !buf_failed(to);
}

// The letter's five bits, or -1. Constant time is not needed: a key file is read by its
// owner, alone.
static int value_of(char c, bool upper)
{
	if (upper ? islower((unsigned char)c) : isupper((unsigned char)c))
		return -1;
	const char *at = c ? strchr(alphabet, tolower((unsigned char)c)) : NULL;
	return at ? (int)(at - alphabet) : -1;
}

bool bech32_read(struct str text, const char *hrp,
		 unsigned char ret[static BECH32_KEY_LEN], struct err *e)
{
	size_t head = strlen(hrp);
	if (text.len != head + 1 + LETTERS || memcmp(text.p, hrp, head) != 0 ||
	    text.p[head] != '1')
		return err_set(e, ERR_CONFIG, 0,
			       "not a key of the form %s1… with %zu letters", hrp,
			       head + 1 + LETTERS);
	unsigned char key[BECH32_KEY_LEN + 1] = { 0 }; // 260 bits
	uint32_t sum = polymod_hrp(hrp);
	bool ok = true;
	for (unsigned i = 0; i < LETTERS; i++) {
		int v = value_of(text.p[head + 1 + i], is_upper(hrp));
		ok = ok && v >= 0;
		sum = polymod_step(sum, (unsigned char)(v & 31));
		for (unsigned b = 0; b < 5 && i < DATA_LETTERS; b++)
			if (v >> (4 - b) & 1)
				key[(i * 5 + b) / 8] |=
					(unsigned char)(128 >> (i * 5 + b) % 8);
	}
	ok = ok && sum == 1 && key[BECH32_KEY_LEN] == 0;
	if (ok)
		memcpy(ret, key, BECH32_KEY_LEN);
	mem_wipe(key, sizeof(key));
	return ok ||
	       err_set(e, ERR_CONFIG, 0,
		       "the key's checksum is wrong: a letter is missing or changed; "
		       "copy it again");
}
