// SPDX-License-Identifier: Apache-2.0
// Slices of text, and strict parsers of what people write into configurations and
// annotations. A parser takes the whole text or fails with a message that shows the form
// that it wants; nothing is skipped or guessed.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

// A borrowed piece of text, not NUL-ended.
struct str {
	const char *p;
	size_t len;
};

struct str str_of(const char *s); // NULL is empty
bool str_eq(struct str a, const char *b);
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);
// Space, tab, CR, LF off both ends.
struct str str_trim(struct str s);
// Takes the text before the next `sep` off *rest; false when nothing is left. "a,,b" gives
// "a", "", "b"; "" gives nothing.
bool str_next(struct str *rest, char sep, struct str *ret);
// Whether the whole of s matches: * is any run of characters (a slash too), ? any one byte.
bool str_glob(const char *pattern, const char *s);
bool str_valid_utf8(const char *s, size_t len);

// Decimal integers without sign games: "+1", "1 ", "0x1", "" fail; "-1" only for int64.
MUST_CHECK bool str_int64(const char *s, int64_t *ret, struct err *e);
MUST_CHECK bool str_uint64(const char *s, uint64_t *ret, struct err *e);
// A finite double in JSON's or Go's decimal form.
MUST_CHECK bool str_double(const char *s, double *ret, struct err *e);

// Go's ParseBool: 1 t T TRUE true True 0 f F FALSE false False.
MUST_CHECK bool str_bool(const char *s, bool *ret, struct err *e);

// A Go duration ("5m30s", "1.5h", "250ms"), or a bare number of seconds as Vault's
// configuration takes it. Result in milliseconds; not negative; at most 292 years.
MUST_CHECK bool str_duration_ms(const char *s, int64_t *ret, struct err *e);

// Bytes: "65536", "64Ki", "1Mi", "64KiB", "1MB" (decimal).
MUST_CHECK bool str_size(const char *s, uint64_t *ret, struct err *e);

// An octal file mode: "0640", "640", "0o640". Only permission bits: a set-uid bit, a mode
// above 0777 or a digit 8 or 9 fails.
MUST_CHECK bool str_mode(const char *s, unsigned *ret, struct err *e);

// The name in `names` that is nearest to `s` (at most a third of its letters changed), or
// NULL. For "did you mean".
const char *str_nearest(const char *s, const char *const *names, size_t n);
