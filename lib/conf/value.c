// SPDX-License-Identifier: Apache-2.0
// Values: from a node (or a text of the environment, a flag, a default) into the field that a
// row of the option table names.
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/str.h"
#include "lib/conf/value.h"

void *value_field(const struct option_row *row, void *at)
{
	return (char *)at + row->offset;
}

void *value_also(const struct option_row *row, void *at)
{
	return row->also ? (char *)at + row->also : NULL;
}

bool value_wrong_kind(struct load *l, const struct node *n, const char *wanted)
{
	return node_err(n, l->e, "%s is wanted, not %s", wanted, node_kind_name(n->kind));
}

// The parsers of str.h say what is wrong; the place is added here.
bool value_wrong(struct load *l, const struct node *n, const struct err *why)
{
	return node_err(n, l->e, "%s", why->text);
}

static bool set_string(struct load *l, const struct option_row *row, const struct node *n,
		       void *at)
{
	bool number = n->kind == NODE_INT || n->kind == NODE_REAL;
	bool lenient = row->type == OPTION_ID || !options_stanza(row->stanza)->strict;
	if (n->kind != NODE_STRING && !(number && lenient))
		return value_wrong_kind(l, n, "a string");
	// "" in a document is the same as no value, as in the peer.
	*(const char **)value_field(row, at) =
		n->text[0] ? pool_strdup(l->pool, n->text) : NULL;
	return true;
}

static bool set_bool(struct load *l, const struct option_row *row, const struct node *n,
		     void *at)
{
	struct err why = ERR_INIT;
	bool lenient = n->from_text || row->type == OPTION_BOOL;
	if (n->kind == NODE_BOOL) {
		*(bool *)value_field(row, at) = n->truth;
		return true;
	}
	if (n->kind == NODE_STRING && !lenient)
		return node_err(n, l->e,
				"true or false is wanted without quotes, not a string");
	if (!lenient || (n->kind != NODE_STRING && n->kind != NODE_INT))
		return value_wrong_kind(l, n, "true or false");
	if (n->kind == NODE_STRING && n->text[0] == '\0' && !n->from_text) {
		*(bool *)value_field(row, at) = false; // as the peer
		return true;
	}
	return str_bool(n->text, value_field(row, at), &why) || value_wrong(l, n, &why);
}

bool value_duration(struct load *l, const struct node *n, int64_t *ret)
{
	struct err why = ERR_INIT;
	if (n->kind == NODE_REAL) {
		if (n->real < 0 || n->real > 9e9)
			return node_err(n, l->e,
					"a duration may not be negative or above "
					"292 years");
		*ret = (int64_t)(n->real * 1000 + 0.999);
		return true;
	}
	if (n->kind != NODE_STRING && n->kind != NODE_INT)
		return value_wrong_kind(l, n,
					"a duration (\"30s\", or a number of seconds)");
	if (n->kind == NODE_INT) { // seconds, however the number was spelt
		if (n->integer < 0 || n->integer > INT64_MAX / 1000000000)
			return node_err(n, l->e,
					"a duration may not be negative or above "
					"292 years");
		*ret = n->integer * 1000;
		return true;
	}
	return str_duration_ms(n->text, ret, &why) || value_wrong(l, n, &why);
}

static bool set_ttl(struct load *l, const struct option_row *row, const struct node *n,
		    void *at)
{
	int64_t ms;
	if (!value_duration(l, n, &ms))
		return false;
	*(const char **)value_field(row, at) =
		ms == 0 ? NULL : pool_printf(l->pool, "%s", n->text);
	return true;
}

// "perms": 400 in JSON (or 400 in HCL) is decimal and means 0620, which nobody wants.
static bool looks_octal(const struct node *n)
{
	const char *t = n->text;
	return strlen(t) == 3 && t[0] == '4' && strchr("046", t[1]) &&
	       strchr("046", t[2]);
}

static bool set_mode(struct load *l, const struct option_row *row, const struct node *n,
		     void *at)
{
	struct err why = ERR_INIT;
	unsigned *to = value_field(row, at);
	bool *given = value_also(row, at);
	if (n->kind == NODE_STRING) {
		if (n->text[0] == '\0')
			return true; // no value
		if (!str_mode(n->text, to, &why))
			return value_wrong(l, n, &why);
	} else if (n->kind != NODE_INT) {
		return value_wrong_kind(l, n, "a file mode (\"0640\")");
	} else if (n->integer < 0 || n->integer > 0777) {
		return node_err(
			n, l->e,
			"%s is a decimal number and no file mode; write \"0640\" for "
			"rw-r-----",
			n->text);
	} else {
		*to = (unsigned)n->integer;
		if (looks_octal(n) &&
		    !load_warn(
			    l, n,
			    "%s is decimal and means the mode %04o; write \"0%s\" if you "
			    "mean octal",
			    n->text, *to, n->text))
			return false;
	}
	if (given)
		*given = true;
	return true;
}

static bool integer_of(struct load *l, const struct node *n, int64_t min, int64_t max,
		       int64_t *ret)
{
	struct err why = ERR_INIT;
	int64_t v;
	if (n->kind == NODE_INT)
		v = n->integer;
	else if (n->kind != NODE_STRING)
		return value_wrong_kind(l, n, "a whole number");
	else if (!str_int64(n->text, &v, &why))
		return value_wrong(l, n, &why);
	if (v < min || v > max)
		return node_err(n, l->e, "a number from %lld to %lld is wanted",
				(long long)min, (long long)max);
	*ret = v;
	return true;
}

static bool set_count(struct load *l, const struct option_row *row, const struct node *n,
		      void *at)
{
	int64_t v;
	if (!integer_of(l, n, 0, 1000000, &v))
		return false;
	*(unsigned *)value_field(row, at) = (unsigned)v;
	return true;
}

static bool set_real(struct load *l, const struct option_row *row, const struct node *n,
		     void *at)
{
	struct err why = ERR_INIT;
	double *to = value_field(row, at);
	if (n->kind == NODE_INT)
		*to = (double)n->integer;
	else if (n->kind == NODE_REAL)
		*to = n->real;
	else if (n->kind != NODE_STRING)
		return value_wrong_kind(l, n, "a number");
	else if (!str_double(n->text, to, &why))
		return value_wrong(l, n, &why);
	return true;
}

// A list of strings, or one string, which from an environment is split at commas.
static bool list_of(struct load *l, const struct node *n, const char *const **ret)
{
	const char **list = NULL;
	size_t count = 0;
	if (n->kind == NODE_STRING) {
		struct str rest = str_of(n->text), part;
		while (str_next(&rest, ',', &part)) {
			part = str_trim(part);
			list = pool_append(l->pool, list, &count, sizeof(*list));
			list[count - 1] = pool_strndup(l->pool, part.p, part.len);
		}
	} else if (n->kind != NODE_LIST) {
		return value_wrong_kind(l, n, "a list of strings");
	}
	for (const struct node *c = n->first; n->kind == NODE_LIST && c; c = c->next) {
		if (c->kind != NODE_STRING)
			return node_err(n, l->e,
					"a list of strings is wanted; it holds %s",
					node_kind_name(c->kind));
		list = pool_append(l->pool, list, &count, sizeof(*list));
		list[count - 1] = c->text;
	}
	for (size_t i = 0; i < count; i++)
		if (list[i][0] == '\0')
			return node_err(n, l->e, "an empty name in the list");
	list = pool_append(l->pool, list, &count, sizeof(*list));
	list[count - 1] = NULL;
	*ret = list;
	return true;
}

static bool set_word(struct load *l, const struct option_row *row, const struct node *n,
		     void *at)
{
	unsigned i = 0;
	size_t count = 0;
	while (row->words[count])
		count++;
	if (n->kind != NODE_STRING)
		return value_wrong_kind(l, n, "a string");
	while (row->words[i] && strcmp(row->words[i], n->text) != 0)
		i++;
	if (!row->words[i]) {
		AUTO_BUF struct buf b = BUF_INIT(ERR_TEXT_MAX);
		for (size_t k = 0; k < count; k++)
			buf_printf(&b, "%s%s",
				   k == 0          ? ""
				   : k + 1 < count ? ", "
						   : " or ",
				   row->words[k]);
		return node_err(n, l->e, "%s is wanted", buf_str(&b));
	}
	memcpy(value_field(row, at), &i, sizeof(i));
	if (row->also)
		*(bool *)value_also(row, at) = true;
	return true;
}

static bool set_log(struct load *l, const struct option_row *row, const struct node *n,
		    void *at)
{
	if (n->kind != NODE_STRING)
		return value_wrong_kind(l, n, "a string");
	if (row->type == OPTION_LOG_LEVEL)
		return log_level_parse(n->text, value_field(row, at)) ||
		       node_err(n, l->e, "trace, debug, info, warn or error is wanted");
	return log_format_parse(n->text, value_field(row, at)) ||
	       node_err(n, l->e, "text or json is wanted");
}

bool value_set(struct load *l, const struct option_row *row, const struct node *n,
	       void *at)
{
	switch (row->type) {
	case OPTION_STRING:
	case OPTION_ID:
		return set_string(l, row, n, at);
	case OPTION_TTL:
		return set_ttl(l, row, n, at);
	case OPTION_BOOL:
	case OPTION_BOOL_STRICT:
		return set_bool(l, row, n, at);
	case OPTION_DURATION:
		return value_duration(l, n, value_field(row, at));
	case OPTION_MODE:
		return set_mode(l, row, n, at);
	case OPTION_COUNT:
		return set_count(l, row, n, at);
	case OPTION_NUMBER:
		return integer_of(l, n, INT32_MIN, UINT32_MAX, value_field(row, at));
	case OPTION_REAL:
		return set_real(l, row, n, at);
	case OPTION_LIST:
		return list_of(l, n, value_field(row, at));
	case OPTION_ARGV:
		return value_set_argv(l, n, value_field(row, at));
	case OPTION_WORD:
		return set_word(l, row, n, at);
	case OPTION_LOG_LEVEL:
	case OPTION_LOG_FORMAT:
		return set_log(l, row, n, at);
	case OPTION_NOTIFY:
		return value_set_notify(l, row, n, at);
	case OPTION_COMMAND:
		return value_set_command(l, row, n, at);
	case OPTION_UNREAD:
		return value_set_unread(l, row, n, at);
	case OPTION_WAIT:
		return value_set_wait(l, row, n, at);
	case OPTION_BLOCK:
	case OPTION_ANY:
	case OPTION_IGNORED:
		break;
	}
	return true;
}
