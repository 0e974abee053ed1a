// SPDX-License-Identifier: Apache-2.0
// The middle part of a token (RFC 7519), read for messages only.
#include "stores/auth/jwt_claims.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/codec.h"
#include "lib/base/json.h"
#include "lib/base/str.h"

enum { CLAIMS_MAX = 16 * 1024, NAME_MAX_LEN = 80 };
#define YEAR_9999_S INT64_C(253402300799)

static bool claims_of(const char *token, json_t **ret)
{
	AUTO_BUF struct buf b = BUF_INIT(CLAIMS_MAX);
	struct str rest = str_of(token), part;
	if (!str_next(&rest, '.', &part) || !str_next(&rest, '.', &part))
		return false;
	return codec_b64_decode(part.p, part.len, B64_URL | B64_NOPAD, &b, NULL) &&
	       json_parse(buf_str(&b), b.len, CLAIMS_MAX, JSON_KEEP_NUMBERS, ret, NULL) &&
	       json_is_object(*ret);
}

// A name as it may stand in a message: short, printable, in quotes.
static void add_name(const char *before, const json_t *name, struct buf *to)
{
	const char *s = json_string_value(name);
	if (!s || json_number_text(name))
		return;
	size_t len = strlen(s);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] < ' ' || (unsigned char)s[i] >= 0x7f)
			return;
	buf_printf(to, "%s'%.*s%s'", before, NAME_MAX_LEN, s,
		   len > NAME_MAX_LEN ? "…" : "");
}

// An audience is one name or a list of them; three are enough for a message.
static void add_audience(const json_t *aud, struct buf *to)
{
	if (json_is_string(aud)) {
		add_name(" for ", aud, to);
		return;
	}
	for (size_t i = 0; i < json_array_size(aud) && i < 3; i++)
		add_name(i ? ", " : " for ", json_array_get(aud, i), to);
}

void jwt_describe(const char *token, int64_t wall_ms, struct buf *to)
{
	AUTO_JSON json_t *claims = NULL;
	int64_t ends = 0;
	char when[CLOCK_RFC3339_LEN];
	if (!token || !claims_of(token, &claims))
		return;
	buf_puts(to, "the token is");
	add_audience(json_object_get(claims, "aud"), to);
	add_name(", of ", json_object_get(claims, "sub"), to);
	if (!json_get_int(claims, "exp", &ends, NULL) || ends <= 0 || ends > YEAR_9999_S)
		return;
	clock_rfc3339(ends * 1000, when);
	buf_printf(to, ", and %s at %s", ends * 1000 < wall_ms ? "ended" : "ends", when);
}
