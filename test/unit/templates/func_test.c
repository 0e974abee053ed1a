// SPDX-License-Identifier: Apache-2.0
// The table of functions: each row is whole, and each example renders what the row says,
// so that the README's page cannot be wrong.
#include "templates/func.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/mem.h"
#include "templates/template.h"

static void run_example(const struct func *f)
{
	struct err e = ERR_INIT;
	struct tmpl *t = NULL;
	struct tmpl_opts opts = { .name = f->name };
	AUTO_BUF struct buf out = BUF_INIT(65536);
	bool complete = false;
	const char *text = func_example(f);
	if (!tmpl_parse(text, strlen(text), &opts, &t, &e) ||
	    !tmpl_run(t, NULL, NULL, &out, &complete, &e))
		fail_msg("%s: %s", f->name, e.text);
	tmpl_free(t);
	if (strcmp(buf_str(&out), func_result(f)) != 0)
		fail_msg("%s: the example gives '%s', the row says '%s'", f->name,
			 buf_str(&out), func_result(f));
}

static void test_examples(void **state)
{
	(void)state;
	size_t n = 0;
	for (const struct func_group *g = func_groups; g->title; g++)
		for (const struct func *f = g->funcs; f->name; f++, n++) {
			assert_true(*func_help(f) != '\0');
			if (*func_example(f))
				run_example(f);
		}
	assert_true(n > 200);
}

static void test_names(void **state)
{
	(void)state;
	for (const struct func_group *g = func_groups; g->title; g++)
		for (const struct func *f = g->funcs; f->name; f++) {
			// A name leads to its own row: no row hides another.
			assert_ptr_equal(func_find(str_of(f->name)), f);
			size_t len = strlen(f->params);
			const char *star = strchr(f->params, '*');
			assert_true(!star || (star == f->params + len - 1 && len > 1));
			assert_int_equal(strspn(f->params, "snlfbtmiav*"), len);
		}
	assert_null(func_find(str_of("nope")));
	assert_null(func_find(str_of("toJSO")));
	assert_string_equal(func_nearest(str_of("tojson")), "toJSON");
	assert_null(func_nearest(str_of("zzzzzzzz")));
}

int main(void)
{
	mem_init(false);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
