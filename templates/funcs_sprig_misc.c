// SPDX-License-Identifier: Apache-2.0
// sprig's JSON, time and random functions, and the methods of a time.
#include <string.h>
#include <time.h>

#include "lib/crypto/crypto.h"
#include "templates/convert.h"
#include "templates/funcs.h"
#include "templates/funcs_shared.h"
#include "templates/gotime.h"
#include "templates/read.h"
#include "templates/run.h"
#include "templates/text.h"

static bool fn_from_json(struct run *r, const struct val *args, size_t n UNUSED,
			 struct val *ret)
{
	struct err e = ERR_INIT;
	*ret = (struct val){ .kind = VAL_NIL };
	if (!read_json(&r->arena, val_text(&args[0]), ret, &e))
		*ret = (struct val){ .kind = VAL_NIL };
	return true;
}

static bool fn_must_from_json(struct run *r, const struct val *args, size_t n UNUSED,
			      struct val *ret)
{
	struct err e = ERR_INIT;
	return read_json(&r->arena, val_text(&args[0]), ret, &e) ||
	       func_fail(r, "%s", e.text);
}

static bool fn_now(struct run *r UNUSED, const struct val *args UNUSED, size_t n UNUSED,
		   struct val *ret)
{
	*ret = gotime_now();
	return true;
}

static bool format(struct run *r, const struct val *t, struct str layout, struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	gotime_format(&out, t, layout);
	return run_take(r, &out, ret);
}

static bool fn_date(struct run *r, const struct val *args, size_t n UNUSED,
		    struct val *ret)
{
	struct val t = args[1];
	if (t.kind == VAL_INT) {
		t = (struct val){ .kind = VAL_TIME };
		t.t.sec = args[1].i;
	} else if (t.kind != VAL_TIME) {
		t = gotime_now();
	}
	return format(r, &t, val_text(&args[0]), ret);
}

static bool fn_epoch(struct run *r, const struct val *args, size_t n UNUSED,
		     struct val *ret)
{
	AUTO_BUF struct buf out = BUF_INIT(32);
	if (args[0].kind != VAL_TIME)
		return func_fail(r, "expected a time");
	buf_printf(&out, "%lld", (long long)args[0].t.sec);
	return run_take(r, &out, ret);
}

static bool fn_uuid(struct run *r, const struct val *args UNUSED, size_t n UNUSED,
		    struct val *ret)
{
	struct err e = ERR_INIT;
	unsigned char b[16];
	AUTO_BUF struct buf out = BUF_INIT(64);
	if (!crypto_random(b, sizeof(b), &e))
		return func_fail_kind(r, e.kind, "%s", e.text);
	b[6] = (unsigned char)(0x40 | (b[6] & 0x0F));
	b[8] = (unsigned char)(0x80 | (b[8] & 0x3F));
	for (size_t i = 0; i < sizeof(b); i++)
		buf_printf(&out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x",
			   b[i]);
	return run_take(r, &out, ret);
}

enum { RANDOM_MAX = 4096 };

// n letters of the set, each as likely.
static bool random_text(struct run *r, const struct val *count, const char *set,
			struct val *ret)
{
	struct err e = ERR_INIT;
	AUTO_BUF struct buf out = BUF_INIT(RANDOM_MAX + 1);
	size_t size = strlen(set);
	unsigned limit = 256 - 256 % (unsigned)size;
	if (count->i < 0 || count->i > RANDOM_MAX)
		return func_fail(r, "the length must be 0 to %d", RANDOM_MAX);
	while (out.len < (size_t)count->i) {
		unsigned char b = 0;
		if (!crypto_random(&b, 1, &e))
			return func_fail_kind(r, e.kind, "%s", e.text);
		if (b < limit)
			buf_putc(&out, set[b % size]);
	}
	return run_take(r, &out, ret);
}

static bool fn_rand_alnum(struct run *r, const struct val *args, size_t n UNUSED,
			  struct val *ret)
{
	return random_text(
		r, &args[0],
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", ret);
}

static bool fn_rand_alpha(struct run *r, const struct val *args, size_t n UNUSED,
			  struct val *ret)
{
	return random_text(r, &args[0],
			   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", ret);
}

static bool fn_rand_numeric(struct run *r, const struct val *args, size_t n UNUSED,
			    struct val *ret)
{
	return random_text(r, &args[0], "0123456789", ret);
}

const struct func funcs_sprig_misc[] = {
	FUNC("sprig_toJson", "a", fn_to_json, "JSON on one line",
	     "{{sprig_toJson (sprig_list 1)}}", "[1]", 0),
	FUNC("sprig_toPrettyJson", "a", fn_to_pretty, "JSON with lines",
	     "{{sprig_toPrettyJson (sprig_list 1)}}", "[\n  1\n]", 0),
	FUNC("sprig_toRawJson", "a", fn_to_raw, "JSON with <, > and & as they are",
	     "{{sprig_toRawJson \"<\"}}", "\"<\"", 0),
	FUNC("sprig_fromJson", "s", fn_from_json,
	     "the value of a JSON text, nil when it is none",
	     "{{sprig_fromJson \"[1]\"}}", "[1]", 0),
	FUNC("sprig_mustFromJson", "s", fn_must_from_json,
	     "the same; an error when it is none", "{{sprig_mustFromJson \"[1]\"}}",
	     "[1]", 0),
	FUNC("sprig_now", "", fn_now, "the time (UTC)",
	     "{{sprig_now.Format \"2006\" | len}}", "4", 0),
	FUNC("sprig_date", "sa", fn_date, "a time by Go's layout",
	     "{{sprig_date \"2006-01-02\" 0}}", "1970-01-01", 0),
	FUNC("sprig_unixEpoch", "a", fn_epoch, "seconds since 1970",
	     "{{sprig_now | sprig_unixEpoch | len}}", "10", 0),
	FUNC("sprig_uuidv4", "", fn_uuid, "a random UUID, another at each render",
	     "{{sprig_uuidv4 | len}}", "36", FUNC_RANDOM),
	FUNC("sprig_randAlphaNum", "n", fn_rand_alnum, "random letters and digits",
	     "{{sprig_randAlphaNum 5 | len}}", "5", FUNC_RANDOM),
	FUNC("sprig_randAlpha", "n", fn_rand_alpha, "random letters",
	     "{{sprig_randAlpha 5 | len}}", "5", FUNC_RANDOM),
	FUNC("sprig_randNumeric", "n", fn_rand_numeric, "random digits",
	     "{{sprig_randNumeric 5 | len}}", "5", FUNC_RANDOM),
	{ .name = NULL },
};

static bool time_format(struct run *r, const struct val *args, size_t n UNUSED,
			struct val *ret)
{
	return format(r, r->receiver_value, val_text(&args[0]), ret);
}

static bool time_unix(struct run *r, const struct val *args UNUSED, size_t n UNUSED,
		      struct val *ret)
{
	*ret = val_int64(r->receiver_value->t.sec);
	return true;
}

static bool time_utc(struct run *r, const struct val *args UNUSED, size_t n UNUSED,
		     struct val *ret)
{
	*ret = *r->receiver_value;
	return true;
}

static bool time_year(struct run *r, const struct val *args UNUSED, size_t n UNUSED,
		      struct val *ret)
{
	time_t sec = (time_t)r->receiver_value->t.sec;
	struct tm tm = { 0 };
	gmtime_r(&sec, &tm);
	*ret = val_int(tm.tm_year + 1900);
	return true;
}

const struct func methods_time[] = {
	FUNC("Format", "s", time_format, "", "", "", 0),
	FUNC("Unix", "", time_unix, "", "", "", 0),
	FUNC("UTC", "", time_utc, "", "", "", 0),
	FUNC("Year", "", time_year, "", "", "", 0),
	{ .name = NULL },
};
