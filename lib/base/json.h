// SPDX-License-Identifier: Apache-2.0
// JSON with limits: jansson's values, read and written here. A json_t lives on the wiping
// heap (mem.h), so that a freed document leaves nothing behind.
//
// Numbers of store data keep their text, as Go's json.Number does in the peers' templates:
// with JSON_KEEP_NUMBERS a number is loaded as a string that begins with a per-process
// random mark which no input can contain; json_number_text() tells such a string from
// another one. Without the flag numbers are jansson's (64-bit integers, doubles).
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

void auto_json_(json_t **j);
#define AUTO_JSON AUTO(auto_json_)

enum json_flags {
	JSON_PLAIN = 0,
	JSON_KEEP_NUMBERS = 1, // numbers keep their text; lone surrogates become U+FFFD
};

enum { JSON_DEPTH_MAX = 64 };

// Parses a whole document of at most `max` bytes. Errors name line and column, never a
// value. Duplicate keys are refused in plain documents (a configuration), and the last one
// wins in store data, as Go has it. kind is ERR_CONFIG; the caller wraps.
MUST_CHECK bool json_parse(const char *text, size_t len, size_t max,
			   enum json_flags flags, json_t **ret, struct err *e);
// The same for a text of somebody who is not trusted with our memory: "{}" takes 3 bytes of
// text and 250 of the heap. More than max_values values is refused.
MUST_CHECK bool json_parse_few(const char *text, size_t len, size_t max,
			       unsigned max_values, json_t **ret, struct err *e);

// The text of a kept number, or NULL when j is anything else.
const char *json_number_text(const json_t *j);
// A kept number from its text (which must be a valid JSON number).
json_t *json_number_new(const char *text, size_t len);

// Appends the compact text with sorted keys; kept numbers come out bare. False: it does not
// fit, and nothing is appended.
MUST_CHECK bool json_write(const json_t *j, struct buf *to, struct err *e);
// The same with each object's members in their own order.
MUST_CHECK bool json_put(const json_t *j, struct buf *to);
// That text on the heap. mem_free() it.
char *json_text(const json_t *j) __attribute__((returns_nonnull));

// Typed getters of an object's member. A missing member leaves *ret as it is and succeeds;
// another type is an error that names the key. ret_str borrows from the document.
MUST_CHECK bool json_get_str(const json_t *o, const char *key, const char **ret,
			     struct err *e);
MUST_CHECK bool json_get_int(const json_t *o, const char *key, int64_t *ret,
			     struct err *e);
MUST_CHECK bool json_get_bool(const json_t *o, const char *key, bool *ret, struct err *e);
MUST_CHECK bool json_get_obj(const json_t *o, const char *key, json_t **ret,
			     struct err *e);
MUST_CHECK bool json_get_arr(const json_t *o, const char *key, json_t **ret,
			     struct err *e);

// The word for j's type in messages: "string", "number", "object", …
const char *json_type_name(const json_t *j);

// True for a member that is true, "true" or 1: what configurations may write for a flag.
bool json_is_on(const json_t *object, const char *key);

// A new string value; the bytes may hold NUL.
json_t *json_str(const char *s, size_t len);
