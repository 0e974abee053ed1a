// SPDX-License-Identifier: Apache-2.0
// The function table and its functions.
#include "templates/simple/func.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/codec.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

enum { TEXT_MAX = 1 << 20 };

bool value_true(const json_t *v)
{
	if (json_number_text(v))
		return true;
	switch (v ? json_typeof(v) : JSON_NULL) {
	case JSON_OBJECT:
		return json_object_size(v) > 0;
	case JSON_ARRAY:
		return json_array_size(v) > 0;
	case JSON_STRING:
		return json_string_length(v) > 0;
	case JSON_INTEGER:
		return json_integer_value(v) != 0;
	case JSON_REAL:
		return json_real_value(v) != 0;
	case JSON_TRUE:
		return true;
	default:
		return false;
	}
}

bool value_print(const json_t *v, bool top, struct buf *to)
{
	const char *number = json_number_text(v);
	if (number)
		return buf_puts(to, number);
	if (!v || json_is_null(v))
		return buf_puts(to, top ? "<no value>" : "<nil>");
	if (json_is_string(v))
		return buf_add(to, json_string_value(v), json_string_length(v));
	return json_write(v, to, NULL);
}

static const char *text_of(const json_t *v)
{
	const char *number = json_number_text(v);
	return number ? number : json_string_value(v);
}

static bool want_text(const struct call *c, size_t i, const char **ret, struct err *e)
{
	*ret = text_of(c->args[i]);
	return *ret || err_set(e, ERR_CONFIG, 0, "argument %zu must be a string, not %s",
			       i + 1, json_type_name(c->args[i]));
}

static bool done(struct buf *b, json_t **ret, struct err *e)
{
	if (buf_failed(b))
		return err_set(e, ERR_LIMIT, 0, "the result is too long");
	*ret = json_str(buf_str(b), b->len);
	return *ret || err_set(e, ERR_CONFIG, 0, "the result is not UTF-8 text");
}

// --- the store

static json_t *as_secret(const json_t *body)
{
	static const struct {
		const char *go, *key;
	} names[] = { { "RequestID", "request_id" },
		      { "LeaseID", "lease_id" },
		      { "LeaseDuration", "lease_duration" },
		      { "Renewable", "renewable" },
		      { "Data", "data" },
		      { "Warnings", "warnings" },
		      { "Auth", "auth" },
		      { "WrapInfo", "wrap_info" } };
	json_t *o = json_object();
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		json_t *v = json_object_get(body, names[i].key);
		json_object_set(o, names[i].go, v ? v : json_null());
	}
	return o;
}

static bool look_up(const struct call *c, enum tmpl_want_kind kind, json_t **ret,
		    struct err *e)
{
	const char *text[64];
	const json_t *got = NULL;
	for (size_t i = 0; i < c->n && i < ARRAY_LEN(text); i++)
		if (!want_text(c, i, &text[i], e))
			return false;
	if (!c->source || !c->source->lookup)
		return err_set(e, ERR_CONFIG, 0, "there is no store here");
	struct tmpl_want want = {
		.kind = kind, .path = text[0], .args = text + 1, .n_args = c->n - 1
	};
	switch (c->source->lookup(c->source->ctx, &want, &got, e)) {
	case TMPL_FOUND:
		*ret = kind == TMPL_WANT_SECRET ? as_secret(got)
						: json_incref((json_t *)(uintptr_t)got);
		return true;
	case TMPL_WANTED:
		*c->waits = true;
		return true;
	default:
		return false;
	}
}

static bool f_secret(const struct call *c, json_t **ret, struct err *e)
{
	return look_up(c, TMPL_WANT_SECRET, ret, e);
}

static bool f_secrets(const struct call *c, json_t **ret, struct err *e)
{
	return look_up(c, TMPL_WANT_LIST, ret, e);
}

// --- text

static bool f_to_json(const struct call *c, json_t **ret, struct err *e)
{
	AUTO_BUF struct buf b = BUF_INIT(TEXT_MAX);
	return json_write(c->args[0], &b, e) && done(&b, ret, e);
}

static bool f_base64_decode(const struct call *c, json_t **ret, struct err *e)
{
	AUTO_BUF struct buf b = BUF_INIT(TEXT_MAX);
	const char *s;
	return want_text(c, 0, &s, e) &&
	       codec_b64_decode(s, strlen(s), B64_STD | B64_NEWLINES, &b, e) &&
	       done(&b, ret, e);
}

static bool f_base64_encode(const struct call *c, json_t **ret, struct err *e)
{
	AUTO_BUF struct buf b = BUF_INIT(TEXT_MAX);
	const char *s;
	return want_text(c, 0, &s, e) && codec_b64_encode(s, strlen(s), B64_STD, &b) &&
	       done(&b, ret, e);
}

static bool map_letters(const struct call *c, char from, char to, int by, json_t **ret,
			struct err *e)
{
	const char *s;
	if (!want_text(c, 0, &s, e))
		return false;
	AUTO_FREE char *copy = mem_strdup(s);
	for (char *p = copy; *p; p++)
		if (*p >= from && *p <= to)
			*p = (char)(*p + by);
	*ret = json_string(copy);
	return true;
}

static bool f_upper(const struct call *c, json_t **ret, struct err *e)
{
	return map_letters(c, 'a', 'z', 'A' - 'a', ret, e);
}

static bool f_lower(const struct call *c, json_t **ret, struct err *e)
{
	return map_letters(c, 'A', 'Z', 'a' - 'A', ret, e);
}

static bool f_trim_space(const struct call *c, json_t **ret, struct err *e)
{
	const char *s;
	if (!want_text(c, 0, &s, e))
		return false;
	struct str t = str_trim(str_of(s));
	*ret = json_str(t.p, t.len);
	return true;
}

static bool f_replace_all(const struct call *c, json_t **ret, struct err *e)
{
	AUTO_BUF struct buf b = BUF_INIT(TEXT_MAX);
	const char *from, *to, *s;
	if (!want_text(c, 0, &from, e) || !want_text(c, 1, &to, e) ||
	    !want_text(c, 2, &s, e))
		return false;
	size_t n = strlen(from);
	for (const char *p; n && (p = strstr(s, from)); s = p + n) {
		buf_add(&b, s, (size_t)(p - s));
		buf_puts(&b, to);
	}
	buf_puts(&b, s);
	return done(&b, ret, e);
}

static bool f_printf(const struct call *c, json_t **ret, struct err *e)
{
	AUTO_BUF struct buf b = BUF_INIT(TEXT_MAX);
	const char *f;
	size_t i = 1;
	if (!want_text(c, 0, &f, e))
		return false;
	for (; *f; f++) {
		if (*f != '%') {
			buf_putc(&b, *f);
		} else if (*++f == '%') {
			buf_putc(&b, '%');
		} else if (!*f || !strchr("svdq", *f)) {
			return err_set(e, ERR_CONFIG, 0,
				       "only %%s %%v %%d %%q are supported yet");
		} else if (i >= c->n) {
			buf_printf(&b, "%%!%c(MISSING)", *f);
		} else if (*f == 'q') {
			if (!json_write(c->args[i++], &b, e))
				return false;
		} else {
			value_print(c->args[i++], false, &b);
		}
	}
	return done(&b, ret, e);
}

static bool f_index(const struct call *c, json_t **ret, struct err *e)
{
	json_t *v = c->args[0];
	for (size_t i = 1; i < c->n; i++) {
		if (json_is_array(v) && json_is_integer(c->args[i]))
			v = json_array_get(v, (size_t)json_integer_value(c->args[i]));
		else if (json_is_object(v) && text_of(c->args[i]))
			v = json_object_get(v, text_of(c->args[i]));
		else
			return err_set(e, ERR_CONFIG, 0, "cannot index %s with %s",
				       json_type_name(v), json_type_name(c->args[i]));
	}
	*ret = json_incref(v);
	return true;
}

static bool f_eq(const struct call *c, json_t **ret, struct err *e)
{
	(void)e;
	bool same = false;
	for (size_t i = 1; i < c->n; i++)
		same |= json_equal(c->args[0], c->args[i]);
	*ret = json_boolean(same);
	return true;
}

static bool f_ne(const struct call *c, json_t **ret, struct err *e)
{
	(void)e;
	*ret = json_boolean(!json_equal(c->args[0], c->args[1]));
	return true;
}

static bool f_not(const struct call *c, json_t **ret, struct err *e)
{
	(void)e;
	*ret = json_boolean(!value_true(c->args[0]));
	return true;
}

static bool pick(const struct call *c, bool until, json_t **ret)
{
	size_t i = 0;
	while (i + 1 < c->n && value_true(c->args[i]) != until)
		i++;
	*ret = json_incref(c->args[i]);
	return true;
}

static bool f_and(const struct call *c, json_t **ret, struct err *e)
{
	(void)e;
	return pick(c, false, ret);
}

static bool f_or(const struct call *c, json_t **ret, struct err *e)
{
	(void)e;
	return pick(c, true, ret);
}

static bool f_len(const struct call *c, json_t **ret, struct err *e)
{
	const json_t *v = c->args[0];
	if (json_is_object(v))
		*ret = json_integer((json_int_t)json_object_size(v));
	else if (json_is_array(v))
		*ret = json_integer((json_int_t)json_array_size(v));
	else if (json_is_string(v))
		*ret = json_integer((json_int_t)strlen(text_of(v)));
	else
		return err_set(e, ERR_CONFIG, 0, "len of %s", json_type_name(v));
	return true;
}

static const struct func table[] = {
	{ "and", 1, -1, f_and, "the first false argument, else the last" },
	{ "base64Decode", 1, 1, f_base64_decode, "text of standard base64" },
	{ "base64Encode", 1, 1, f_base64_encode, "standard base64" },
	{ "eq", 2, -1, f_eq, "whether the first equals one of the others" },
	{ "index", 1, -1, f_index, "a member of a map or list" },
	{ "len", 1, 1, f_len, "number of elements or bytes" },
	{ "ne", 2, 2, f_ne, "whether two values differ" },
	{ "not", 1, 1, f_not, "the opposite of a truth" },
	{ "or", 1, -1, f_or, "the first true argument, else the last" },
	{ "printf", 1, -1, f_printf, "formatted text" },
	{ "replaceAll", 3, 3, f_replace_all, "replaceAll FROM TO TEXT" },
	{ "secret", 1, -1, f_secret, "a secret of a store" },
	{ "secrets", 1, 1, f_secrets, "the names below a path" },
	{ "toJSON", 1, 1, f_to_json, "compact JSON" },
	{ "toLower", 1, 1, f_lower, "small letters" },
	{ "toUnescapedJSON", 1, 1, f_to_json, "compact JSON" },
	{ "toUpper", 1, 1, f_upper, "capital letters" },
	{ "trimSpace", 1, 1, f_trim_space, "without blanks at both ends" },
};

const struct func *func_find(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (strlen(table[i].name) == len && memcmp(table[i].name, name, len) == 0)
			return &table[i];
	return NULL;
}

const char *func_nearest(const char *name, size_t len)
{
	const char *names[ARRAY_LEN(table)];
	AUTO_FREE char *text = mem_strndup(name, len);
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		names[i] = table[i].name;
	return str_nearest(text, names, ARRAY_LEN(names));
}

const char *tmpl_stock(const char *name)
{
	(void)name;
	return NULL;
}

const char *tmpl_stock_name(size_t i)
{
	(void)i;
	return NULL;
}
