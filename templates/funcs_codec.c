// SPDX-License-Identifier: Apache-2.0
// Base64 and digests.
#include <string.h>

#include "lib/base/codec.h"
#include "lib/crypto/digest.h"
#include "templates/funcs.h"
#include "templates/funcs_shared.h"
#include "templates/run.h"
#include "templates/text.h"

static bool encode(struct run *r, const struct val *v, unsigned flags, struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	codec_b64_encode(v->s.p, v->s.len, flags, &out);
	return run_take(r, &out, ret);
}

static bool decode(struct run *r, const struct val *v, unsigned flags, struct val *ret)
{
	struct err e = ERR_INIT;
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	if (!codec_b64_decode(v->s.p, v->s.len, flags | B64_NEWLINES, &out, &e))
		return func_fail(r, "the text is no valid base64%s",
				 flags & B64_URL ? " for URLs" : "");
	return run_take(r, &out, ret);
}

static bool fn_b64enc(struct run *r, const struct val *args, size_t n UNUSED,
		      struct val *ret)
{
	return encode(r, &args[0], B64_STD, ret);
}

bool fn_b64dec(struct run *r, const struct val *args, size_t n UNUSED, struct val *ret)
{
	return decode(r, &args[0], B64_STD, ret);
}

static bool fn_urlenc(struct run *r, const struct val *args, size_t n UNUSED,
		      struct val *ret)
{
	return encode(r, &args[0], B64_URL, ret);
}

static bool fn_urldec(struct run *r, const struct val *args, size_t n UNUSED,
		      struct val *ret)
{
	return decode(r, &args[0], B64_URL, ret);
}

static bool hex(struct run *r, const unsigned char *bytes, size_t len, struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(2 * DIGEST_LEN_MAX + 1);
	codec_hex_encode(bytes, len, &out);
	return run_take(r, &out, ret);
}

static struct bytes val_bytes(const struct val *v)
{
	return bytes_of(v->s.p, v->s.len);
}

static bool digest(struct run *r, enum digest_alg alg, const struct val *v,
		   struct val *ret)
{
	struct err e = ERR_INIT;
	unsigned char sum[DIGEST_LEN_MAX];
	if (!digest_of(alg, val_bytes(v), sum, &e))
		return func_fail(r, "%s", e.text);
	return hex(r, sum, digest_len(alg), ret);
}

static bool fn_sha1(struct run *r, const struct val *args, size_t n UNUSED,
		    struct val *ret)
{
	return digest(r, DIGEST_SHA1, &args[0], ret);
}

static bool fn_sha256(struct run *r, const struct val *args, size_t n UNUSED,
		      struct val *ret)
{
	return digest(r, DIGEST_SHA256, &args[0], ret);
}

static bool fn_sha512(struct run *r, const struct val *args, size_t n UNUSED,
		      struct val *ret)
{
	return digest(r, DIGEST_SHA512, &args[0], ret);
}

static bool fn_md5(struct run *r, const struct val *args, size_t n UNUSED,
		   struct val *ret)
{
	return digest(r, DIGEST_MD5, &args[0], ret);
}

static bool fn_hmac(struct run *r, const struct val *args, size_t n UNUSED,
		    struct val *ret)
{
	struct err e = ERR_INIT;
	unsigned char sum[DIGEST_LEN_MAX];
	if (!hmac_of(DIGEST_SHA256, val_bytes(&args[1]), val_bytes(&args[0]), sum, &e))
		return func_fail(r, "%s", e.text);
	return hex(r, sum, DIGEST_SHA256_LEN, ret);
}

const struct func funcs_codec[] = {
	FUNC("base64Encode", "s", fn_b64enc, "base64", "{{base64Encode \"a?>\"}}", "YT8+",
	     0),
	FUNC("base64Decode", "s", fn_b64dec, "bytes of base64",
	     "{{base64Decode \"aGk=\"}}", "hi", 0),
	FUNC("base64URLEncode", "s", fn_urlenc, "base64 for URLs",
	     "{{base64URLEncode \"a?>\"}}", "YT8-", 0),
	FUNC("base64URLDecode", "s", fn_urldec, "bytes of base64 for URLs",
	     "{{base64URLDecode \"YT8-\"}}", "a?>", 0),
	FUNC("sha256Hex", "s", fn_sha256, "SHA-256 in hexadecimal",
	     "{{sha256Hex \"a\" | printf \"%.8s\"}}", "ca978112", 0),
	FUNC("md5sum", "s", fn_md5, "MD5 in hexadecimal",
	     "{{md5sum \"a\" | printf \"%.8s\"}}", "0cc175b9", 0),
	FUNC("hmacSHA256Hex", "ss", fn_hmac, "HMAC-SHA-256 of a message with a key",
	     "{{hmacSHA256Hex \"m\" \"k\" | printf \"%.8s\"}}", "b60090e3", 0),
	FUNC("sprig_sha1sum", "s", fn_sha1, "SHA-1 in hexadecimal",
	     "{{sprig_sha1sum \"a\" | printf \"%.8s\"}}", "86f7e437", 0),
	FUNC("sprig_sha256sum", "s", fn_sha256, "SHA-256 in hexadecimal",
	     "{{sprig_sha256sum \"a\" | printf \"%.8s\"}}", "ca978112", 0),
	FUNC("sprig_sha512sum", "s", fn_sha512, "SHA-512 in hexadecimal",
	     "{{sprig_sha512sum \"a\" | printf \"%.8s\"}}", "1f40fc92", 0),
	FUNC("sprig_b64enc", "s", fn_b64enc, "base64", "{{sprig_b64enc \"hi\"}}",
	     "aGk=", 0),
	{ .name = NULL },
};
