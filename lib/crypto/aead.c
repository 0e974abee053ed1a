// SPDX-License-Identifier: Apache-2.0
// AEAD above the seam: limits, room in the caller's buffer, one error for what does not open.
#include "lib/crypto/aead.h"

#include "lib/base/mem.h"
#include "lib/crypto/seam.h"

static bool inputs_ok(const struct aead *a, size_t len, struct err *e)
{
	if (len > AEAD_INPUT_MAX || a->aad.len > AEAD_INPUT_MAX)
		return err_set(e, ERR_LIMIT, 0, "AEAD: message too long");
	return true;
}

// Room in `to` for len bytes, or an error.
static unsigned char *room(struct buf *to, size_t len, struct err *e)
{
	unsigned char *p = (unsigned char *)buf_room(to, len);
	if (!p)
		err_set(e, ERR_LIMIT, 0, "AEAD: the result is longer than %zu bytes",
			to->max);
	return p;
}

bool aead_seal(const struct aead *a, struct bytes plain, struct buf *to, struct err *e)
{
	if (!inputs_ok(a, plain.len, e))
		return false;
	size_t len = plain.len + AEAD_TAG_LEN;
	unsigned char *out = room(to, len, e);
	if (!out)
		return false;
	bool ok = aead_half_seal(a, plain, out);
	if (ok)
		to->len += len;
	buf_end(to);
	return ok || err_set(e, ERR_BUG, 0, "AEAD: the library refused to seal");
}

bool aead_open(const struct aead *a, struct bytes sealed, struct buf *to, struct err *e)
{
	if (sealed.len < AEAD_TAG_LEN)
		return err_set(e, ERR_DENIED, 0, "AEAD: shorter than its tag");
	size_t len = sealed.len - AEAD_TAG_LEN;
	if (!inputs_ok(a, len, e))
		return false;
	unsigned char *out = room(to, len, e);
	if (!out)
		return false;
	bool ok = aead_half_open(a, sealed, out);
	if (ok)
		to->len += len;
	else
		mem_wipe(out, len); // both libraries write before they know the tag
	buf_end(to);
	return ok ||
	       err_set(e, ERR_DENIED, 0, "AEAD: wrong key, or the bytes were changed");
}
