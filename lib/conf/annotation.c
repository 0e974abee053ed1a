// SPDX-License-Identifier: Apache-2.0
// Look-up of annotations in the option table, and their values.
#include "lib/conf/annotation.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/conf/conf.h"
#include "lib/conf/load.h"

enum { NAMES_MAX = 256, PATTERNS_MAX = 64, LIST_WORDS_MAX = 1000 };

static const char *const prefixes[PREFIX_COUNT] = {
	[PREFIX_NONE] = "",
	[PREFIX_VAULT] = "vault.hashicorp.com/",
	[PREFIX_BAO_OLD] = "openbao.openbao.org/",
	[PREFIX_BAO] = "openbao.org/",
	[PREFIX_OURS] = "ampoule.dev/",
};

const char *annotation_prefix_text(enum annotation_prefix prefix)
{
	return prefixes[prefix];
}

enum annotation_prefix annotation_prefix_of(const char *key, const char **ret_suffix)
{
	for (enum annotation_prefix p = PREFIX_VAULT; p < PREFIX_COUNT; p++)
		if (str_starts(key, prefixes[p])) {
			*ret_suffix = key + strlen(prefixes[p]);
			return p;
		}
	return PREFIX_NONE;
}

const char *annotation_name(const struct option_row *row, enum annotation_prefix prefix)
{
	if (prefix != PREFIX_OURS)
		return row->peer;
	if (row->annotation || !row->peer)
		return row->annotation;
	return str_starts(row->peer, "agent-") ? row->peer + strlen("agent-") : row->peer;
}

// The letters before <n>; the whole name of a fixed one.
static size_t stem(const char *name)
{
	return strcspn(name, "<");
}

struct named {
	const char *name;
	const struct option_row *row;
};

// The names under our prefix and under the peers', made at the first look: fixed ones sorted.
static struct names {
	struct named fixed[NAMES_MAX], patterns[PATTERNS_MAX];
	size_t n_fixed, n_patterns;
} names_of[2];

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static const struct names *all_names(enum annotation_prefix prefix)
{
	struct names *all = &names_of[prefix == PREFIX_OURS];
	if (all->n_fixed > 0)
		return all;
	for (const struct option_row *r = NULL; (r = options_next(r));) {
		struct named one = { annotation_name(r, prefix), r };
		if (one.name && one.name[stem(one.name)]) {
			assert(all->n_patterns < PATTERNS_MAX);
			all->patterns[all->n_patterns++] = one;
		} else if (one.name) {
			assert(all->n_fixed < NAMES_MAX);
			all->fixed[all->n_fixed++] = one;
		}
	}
	qsort(all->fixed, all->n_fixed, sizeof(all->fixed[0]), by_name);
	return all;
}

const struct option_row *annotation_find(enum annotation_prefix prefix,
					 const char *suffix, const char **ret_n)
{
	const struct names *all = all_names(prefix);
	struct named wanted = { .name = suffix };
	const struct named *fixed = bsearch(&wanted, all->fixed, all->n_fixed,
					    sizeof(all->fixed[0]), by_name);
	const struct option_row *best = NULL;
	size_t longest = 0;
	*ret_n = NULL;
	if (fixed)
		return fixed->row;
	for (size_t i = 0; i < all->n_patterns; i++) {
		const char *name = all->patterns[i].name;
		size_t len = stem(name);
		if (len > longest && strncmp(name, suffix, len) == 0 && suffix[len]) {
			best = all->patterns[i].row;
			longest = len;
			*ret_n = suffix + len;
		}
	}
	return best;
}

// What follows as many dashes as the pattern has: "inject-secrt-db" has "db" for
// "inject-secret-<n>".
static const char *tail_of(const char *suffix, const char *pattern)
{
	for (; *pattern != '<'; pattern++)
		if (*pattern == '-') {
			suffix = strchr(suffix, '-');
			if (!suffix)
				return "";
			suffix++;
		}
	return suffix;
}

// Whether what stands before the tail may be a misspelt pattern.
static bool is_near(const char *suffix, const char *tail, const char *name, size_t len)
{
	AUTO_FREE char *said = mem_strndup(suffix, (size_t)(tail - suffix));
	AUTO_FREE char *known = mem_strndup(name, len);
	const char *one = known;
	return str_nearest(said, &one, 1);
}

// A peer's name, or the rest of one, under our prefix: by the name that is right here.
static char *ours_of(const char *suffix)
{
	static const char *const before[] = { "", "agent-", "agent-inject-" };
	const char *n;
	for (size_t i = 0; i < ARRAY_LEN(before); i++) {
		AUTO_FREE char *whole = mem_printf("%s%s", before[i], suffix);
		const struct option_row *row = annotation_find(PREFIX_VAULT, whole, &n);
		const char *name = row ? annotation_name(row, PREFIX_OURS) : NULL;
		if (name)
			return mem_printf("%s%.*s%s", prefixes[PREFIX_OURS],
					  (int)stem(name), name, n ? n : "");
	}
	return NULL;
}

char *annotation_nearest(enum annotation_prefix prefix, const char *suffix)
{
	AUTO_POOL struct pool pool = { 0 };
	const char *names[NAMES_MAX];
	size_t n = 0;
	char *ours = prefix == PREFIX_OURS ? ours_of(suffix) : NULL;
	if (ours)
		return ours;
	for (const struct option_row *r = NULL; (r = options_next(r)) && n < NAMES_MAX;) {
		const char *name = annotation_name(r, prefix);
		if (!name || str_ends(name, "inject-status")) // which nobody writes
			continue;
		size_t len = stem(name);
		if (name[len] && strlen(suffix) <= len &&
		    strncmp(suffix, name, len - 1) == 0) // <n> is missing
			return mem_printf("%s%s", prefixes[prefix], name);
		const char *tail = name[len] ? tail_of(suffix, name) : "";
		if (name[len] && (!*tail || !is_near(suffix, tail, name, len)))
			continue;
		names[n++] = pool_printf(&pool, "%.*s%s", (int)len, name, tail);
	}
	const char *near = str_nearest(suffix, names, n);
	if (near)
		return mem_printf("%s%s", prefixes[prefix], near);
	const char *unused;
	// A name of ours under a peer's prefix, or the other way round.
	if (prefix != PREFIX_OURS && annotation_find(PREFIX_OURS, suffix, &unused))
		return mem_printf("%s%s", prefixes[PREFIX_OURS], suffix);
	return NULL;
}

// --- values

static json_t *list_value(const char *text)
{
	json_t *list = json_array();
	struct str rest = str_of(text), one;
	while (str_next(&rest, ',', &one)) {
		one = str_trim(one);
		if (one.len > 0)
			json_array_append_new(list, json_str(one.p, one.len));
	}
	return list;
}

static bool word_value(const struct option_row *row, const char *text, json_t **ret,
		       struct err *e)
{
	char all[128] = "";
	for (const char *const *w = row->words; *w; w++) {
		if (strcasecmp(*w, text) == 0) {
			*ret = json_string(*w);
			return true;
		}
		size_t used = strlen(all);
		snprintf(all + used, sizeof(all) - used, "%s%s", used ? ", " : "", *w);
	}
	return err_set(e, ERR_CONFIG, 0, "one of %s is wanted", all);
}

// By type alone; what more a key wants is checked by the loader's own code.
static bool typed_value(const struct option_row *row, const char *text, json_t **ret,
			struct err *e)
{
	bool truth = false;
	int64_t number;
	double real;
	switch (row->type) {
	case OPTION_BOOL:
	case OPTION_BOOL_STRICT:
		if (*text && !str_bool(text, &truth, e))
			return false;
		*ret = json_boolean(truth);
		return true;
	case OPTION_COUNT:
	case OPTION_NUMBER:
		if (!str_int64(text, &number, e))
			return false;
		*ret = json_integer(number);
		return true;
	case OPTION_REAL:
		if (!str_double(text, &real, e))
			return false;
		*ret = json_real(real);
		return true;
	case OPTION_LIST:
		*ret = list_value(text);
		return json_array_size(*ret) <= LIST_WORDS_MAX ||
		       err_set(e, ERR_LIMIT, 0, "at most %d words are wanted",
			       LIST_WORDS_MAX);
	case OPTION_WORD:
		return word_value(row, text, ret, e);
	default:
		*ret = json_str(text, strlen(text));
		return true;
	}
}

// Sets the value into scratch memory, as conf_load() would.
static bool check_value(const struct option_row *row, const char *text, struct err *e)
{
	AUTO_POOL struct pool pool = { 0 };
	struct err why = ERR_INIT;
	struct conf_load_opts opts = { .strict = false };
	struct load l = { .pool = &pool, .opts = &opts, .e = &why };
	struct node n = { .kind = NODE_STRING, .from_text = true, .text = text };
	void *at = pool_alloc(&pool, options_stanza(row->stanza)->size);
	if (value_set(&l, row, &n, at))
		return true;
	// The place ("FILE:LINE: key: ") is the annotation here, which the caller names.
	return err_set(e, ERR_CONFIG, 0, "%s", why.text);
}

// What goes into a header, a path or a log line is one line.
static bool is_one_line(const struct option_row *row, const char *text)
{
	bool short_ = row->stanza == STANZA_STORE || row->stanza == STANZA_AUTH ||
		      (row->key && strcmp(row->key, "owner") == 0);
	for (; short_ && *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

bool annotation_value(const struct option_row *row, const char *text, json_t **ret,
		      struct err *e)
{
	AUTO_JSON json_t *value = NULL;
	if (!str_valid_utf8(text, strlen(text)))
		return err_set(e, ERR_CONFIG, 0, "it is not UTF-8");
	if (!is_one_line(row, text))
		return err_set(e, ERR_CONFIG, 0,
			       "it holds a line break or control letter");
	if (!typed_value(row, text, &value, e))
		return false;
	if (options_stanza(row->stanza)->size && row->type != OPTION_BLOCK && *text &&
	    row->type != OPTION_LIST && !check_value(row, text, e))
		return false;
	*ret = TAKE(value);
	return true;
}
