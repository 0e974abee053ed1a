// SPDX-License-Identifier: Apache-2.0
// links: templates
// Runs many templates in one process, for the differential tests (test/diff). Each request
// on stdin is a line "KIND TEMPLATE-BYTES DATA-BYTES MISSING-KEY" and then the bytes:
//
//	render 11 7 zero	a template and its data as JSON; "zero << >>" sets delimiters
//	regexp 5 9 -		an expression and "TEXT\0REPLACEMENT"
//
// Each answer is a line "ok BYTES" with the output, or "err BYTES" with the error's text.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "templates/regexp.h"
#include "templates/template.h"

enum { INPUT_MAX = 4 << 20 };

static void answer(const char *kind, const char *text, size_t len)
{
	printf("%s %zu\n", kind, len);
	fwrite(text, 1, len, stdout);
	fflush(stdout);
}

// Numbers of plain data are float64, as Go's decoder makes them.
static json_t *floats(const json_t *j)
{
	json_t *to = NULL;
	if (json_number_text(j))
		return json_real(strtod(json_number_text(j), NULL));
	if (json_is_object(j)) {
		to = json_object();
		json_t *from = (json_t *)(size_t)j;
		for (void *it = json_object_iter(from); it;
		     it = json_object_iter_next(from, it))
			json_object_setn_new_nocheck(to, json_object_iter_key(it),
						     json_object_iter_key_len(it),
						     floats(json_object_iter_value(it)));
	} else if (json_is_array(j)) {
		to = json_array();
		for (size_t i = 0; i < json_array_size(j); i++)
			json_array_append_new(to, floats(json_array_get(j, i)));
	}
	return to ? to : json_deep_copy(j);
}

struct how {
	char missing[16], left[16], right[16];
};

static void render(const char *text, size_t len, const char *data, size_t data_len,
		   const struct how *how)
{
	const char *missing = how->missing;
	struct err e = ERR_INIT;
	AUTO_JSON json_t *kept = NULL;
	AUTO_JSON json_t *j = NULL;
	AUTO_BUF struct buf out = BUF_INIT(INPUT_MAX);
	struct tmpl *t = NULL;
	struct tmpl_opts opts = { .name = "t",
				  .left_delim = how->left,
				  .right_delim = how->right };
	bool complete = false;
	opts.missing_key = *missing == 'e'   ? TMPL_MISSING_ERROR
			   : *missing == 'z' ? TMPL_MISSING_ZERO
					     : TMPL_MISSING_DEFAULT;
	bool ok = json_parse(data, data_len, INPUT_MAX, JSON_KEEP_NUMBERS, &kept, &e);
	if (ok)
		j = strchr(missing, 'n') ? json_incref(kept) : floats(kept);
	ok = ok && tmpl_parse(text, len, &opts, &t, &e) &&
	     tmpl_run(t, NULL, j, &out, &complete, &e);
	tmpl_free(t);
	if (ok)
		answer("ok", buf_str(&out), out.len);
	else
		answer("err", e.text, strlen(e.text));
}

static void match(const char *expr, size_t len, const char *text, size_t text_len)
{
	struct err e = ERR_INIT;
	AUTO_ARENA struct arena a = ARENA_INIT(SIZE_MAX);
	AUTO_BUF struct buf out = BUF_INIT(INPUT_MAX);
	struct regexp *re = NULL;
	struct regexp_budget b = { .left = 100000000 };
	size_t s_len = strlen(text);
	struct str s = { text, s_len };
	struct str with = { text + s_len + 1, text_len - s_len - 1 };
	if (!regexp_compile(&a, (struct str){ expr, len }, &re, &e)) {
		answer("err", e.text, strlen(e.text));
		return;
	}
	size_t *caps = arena_calloc(&a, 2 * regexp_groups(re), sizeof(*caps));
	buf_printf(&out, "%d", regexp_match(re, s, &b));
	if (regexp_find(re, s, 0, caps, &b))
		for (size_t i = 0; i < 2 * regexp_groups(re); i++)
			buf_printf(&out, " %ld", (long)caps[i]);
	buf_putc(&out, '|');
	regexp_replace_all(re, s, with, &out, &b);
	answer("ok", buf_str(&out), out.len);
}

int main(void)
{
	char kind[16], end = 0;
	struct how how;
	size_t len = 0, data_len = 0;
	mem_init(false);
	while (scanf("%15s %zu %zu %15s%c", kind, &len, &data_len, how.missing, &end) ==
	       5) {
		how.left[0] = how.right[0] = '\0';
		if (end == ' ' && scanf("%15s %15s%c", how.left, how.right, &end) != 3)
			return 2;
		if (len > INPUT_MAX || data_len > INPUT_MAX || end != '\n')
			return 2;
		AUTO_FREE char *text = mem_alloc(len + 1);
		AUTO_FREE char *data = mem_alloc(data_len + 1);
		if (fread(text, 1, len, stdin) != len ||
		    fread(data, 1, data_len, stdin) != data_len)
			return 2;
		if (*kind == 'r' && kind[2] == 'n')
			render(text, len, data, data_len, &how);
		else
			match(text, len, data, data_len);
	}
	return 0;
}
