// SPDX-License-Identifier: Apache-2.0
// Replays test/cases/template: NAME.tmpl with NAME.json (its data), NAME.secrets.json (what
// the store answers) and NAME.opts.json (missing_key, left, right), against NAME.out or
// NAME.err, which holds the error without the template's name.
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "templates/template.h"

static const char folder[] = "test/cases/template";

enum { FILE_LEN_MAX = 1 << 20, CASES_MIN = 400 };

static bool read_case(const char *name, const char *ext, struct buf *to)
{
	struct err e = ERR_INIT;
	AUTO_FREE char *path = mem_printf("%s/%s.%s", folder, name, ext);
	return file_read(path, to, &e);
}

static json_t *json_case(const char *name, const char *ext)
{
	struct err e = ERR_INIT;
	json_t *j = NULL;
	AUTO_BUF struct buf b = BUF_INIT(FILE_LEN_MAX);
	if (!read_case(name, ext, &b))
		return NULL;
	if (!json_parse(buf_str(&b), b.len, FILE_LEN_MAX, JSON_KEEP_NUMBERS, &j, &e))
		fail_msg("%s.%s: %s", name, ext, e.text);
	return j;
}

// As `ampoule render` turns the numbers of --data into floats.
static json_t *floats(json_t *j)
{
	const char *key;
	json_t *v;
	size_t i;
	if (json_number_text(j))
		return json_real(strtod(json_number_text(j), NULL));
	if (json_is_object(j)) {
		json_t *to = json_object();
		json_object_foreach(j, key, v) json_object_set_new(to, key, floats(v));
		return to;
	}
	if (json_is_array(j)) {
		json_t *to = json_array();
		json_array_foreach(j, i, v) json_array_append_new(to, floats(v));
		return to;
	}
	return json_copy(j);
}

static enum tmpl_answer answer(void *ctx, const struct tmpl_want *w, const json_t **ret,
			       struct err *e)
{
	*ret = json_object_get(ctx, w->path);
	if (*ret)
		return TMPL_FOUND;
	err_set(e, ERR_MISSING, 0, "no such secret");
	return TMPL_FAILED;
}

static void set_options(struct tmpl_opts *opts, const json_t *j)
{
	const char *missing = json_string_value(json_object_get(j, "missing_key"));
	opts->missing_key = TMPL_MISSING_ZERO;
	if (missing && strcmp(missing, "error") == 0)
		opts->missing_key = TMPL_MISSING_ERROR;
	opts->left_delim = json_string_value(json_object_get(j, "left"));
	opts->right_delim = json_string_value(json_object_get(j, "right"));
}

// What of a case came out, as its .out or .err would hold it.
static bool run_template_of(const char *name, struct buf *out, bool *ret_ok)
{
	struct err e = ERR_INIT;
	AUTO_BUF struct buf text = BUF_INIT(FILE_LEN_MAX);
	AUTO_JSON json_t *kept = json_case(name, "json");
	AUTO_JSON json_t *secrets = json_case(name, "secrets.json");
	AUTO_JSON json_t *options = json_case(name, "opts.json");
	AUTO_JSON json_t *data = kept ? floats(kept) : NULL;
	struct tmpl_opts opts = { .name = "t" };
	struct tmpl_source source = { .lookup = answer, .ctx = secrets };
	struct tmpl *t = NULL;
	bool complete = false;
	if (!read_case(name, "tmpl", &text))
		return false;
	set_options(&opts, options);
	*ret_ok = tmpl_parse(buf_str(&text), text.len, &opts, &t, &e) &&
		  tmpl_run(t, &source, data, out, &complete, &e);
	tmpl_free(t);
	if (!*ret_ok) {
		buf_reset(out);
		buf_printf(out, "%s\n", e.text + (strncmp(e.text, "t:", 2) == 0 ? 2 : 0));
	}
	return true;
}

static void show(const char *what, const struct buf *b)
{
	printf("  %s:\n%s%s", what, buf_str(b),
	       b->len && buf_str(b)[b->len - 1] == '\n' ? "" : "<no newline>\n");
}

// Says all about a case that fails: its file, what was wanted, what came, from which byte on.
static bool run_case(const char *name)
{
	AUTO_BUF struct buf out = BUF_INIT(FILE_LEN_MAX);
	AUTO_BUF struct buf want = BUF_INIT(FILE_LEN_MAX);
	bool ok = false;
	bool should_fail = read_case(name, "err", &want);
	if (!should_fail && !read_case(name, "out", &want)) {
		printf("FAIL %s/%s.tmpl: there is neither .out nor .err\n", folder, name);
		return false;
	}
	if (!run_template_of(name, &out, &ok)) {
		printf("FAIL %s/%s.tmpl cannot be read\n", folder, name);
		return false;
	}
	if (ok != should_fail && buf_equal(&want, &out))
		return true;
	size_t at = 0;
	while (at < want.len && at < out.len && buf_str(&want)[at] == buf_str(&out)[at])
		at++;
	printf("FAIL %s/%s.tmpl: it %s, %s from byte %zu on\n", folder, name,
	       ok ? "renders" : "fails",
	       ok == should_fail ? "which it should not;" : "but otherwise", at);
	show(should_fail ? "wanted the error" : "wanted", &want);
	show("got", &out);
	return false;
}

// All cases, or those whose names begin with AMPOULE_CASE.
static void test_cases(void **state)
{
	(void)state;
	const char *only = getenv("AMPOULE_CASE");
	DIR *d = opendir(folder);
	assert_non_null(d);
	size_t n = 0, bad = 0;
	for (struct dirent *entry = readdir(d); entry; entry = readdir(d)) {
		if (!str_ends(entry->d_name, ".tmpl") ||
		    (only && strncmp(entry->d_name, only, strlen(only)) != 0))
			continue;
		AUTO_FREE char *name = mem_strndup(
			entry->d_name, strlen(entry->d_name) - strlen(".tmpl"));
		bad += !run_case(name);
		n++;
	}
	closedir(d);
	printf("%zu cases, %zu bad\n", n, bad);
	assert_int_equal(bad, 0);
	assert_true(only || n >= CASES_MIN);
}

int main(void)
{
	mem_init(false);
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
