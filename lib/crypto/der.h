// SPDX-License-Identifier: Apache-2.0
// Just enough DER (ITU-T X.690) to look into keys and certificates and to make certificates.
// Definite, minimal lengths and one-byte tags only; whatever else appears is an error. Only
// lib/crypto includes this.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/crypto/bytes.h"

enum der_tag {
	DER_BOOL = 0x01,
	DER_INT = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTETS = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_UTF8 = 0x0c,
	DER_UTC_TIME = 0x17,
	DER_TIME = 0x18, // GeneralizedTime
	DER_SEQ = 0x30,
	DER_SET = 0x31,
	DER_CONTEXT = 0x80,     // | number: primitive
	DER_CONTEXT_SEQ = 0xa0, // | number: constructed
};

// Takes one element off *in; *ret is its content. False leaves both untouched.
bool der_read(struct bytes *in, unsigned *ret_tag, struct bytes *ret);
// The same when the next tag must be `tag`.
bool der_take(struct bytes *in, unsigned tag, struct bytes *ret);
// The same with the tag and length bytes included in *ret.
bool der_take_whole(struct bytes *in, unsigned tag, struct bytes *ret);
// Takes it only when it is there; *ret is empty (p NULL) when it is not. False when what is
// there is malformed.
bool der_take_optional(struct bytes *in, unsigned tag, struct bytes *ret);
// The bytes of a BIT STRING whose bits fill whole bytes.
bool der_take_bits(struct bytes *in, struct bytes *ret);
// UTCTime or GeneralizedTime in the forms of RFC 5280 section 4.1.2.5, as seconds since 1970.
bool der_take_time(struct bytes *in, int64_t *ret);

bool der_equal(struct bytes a, struct bytes b);

// Appends an element. False when `to` is full.
bool der_write(struct buf *to, unsigned tag, struct bytes content);
// INTEGER from big-endian unsigned bytes: leading zeros dropped, a sign byte added.
bool der_write_uint(struct buf *to, struct bytes big_endian);
bool der_write_bits(struct buf *to, struct bytes bits);
// UTCTime before 2050, GeneralizedTime from then on, as RFC 5280 demands.
bool der_write_time(struct buf *to, int64_t seconds);
