// SPDX-License-Identifier: Apache-2.0
// Every case for policies, in test/cases/policy and beside the ready policies: what `ampoule
// policy test` runs, so that a broken rule shows in `make check`.
#include "cmd/policy_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/mem.h"
#include "test/support/expect.h"

struct tally {
	unsigned cases, failed;
};

static void on_case(void *ctx, const char *file)
{
	struct tally *t = ctx;
	struct policy_case c;
	struct err e = ERR_INIT;
	t->cases++;
	if (!policy_case_run(file, &c, &e) || !c.passed) {
		t->failed++;
		print_message("%s: %s\n%s", file, c.difference ? c.difference : e.text,
			      c.reasons ? c.reasons : "\n");
	}
	policy_case_release(&c);
}

static void check_folder(const char *folder, unsigned least)
{
	struct tally t = { 0 };
	EXPECT_OK(policy_cases_each(folder, on_case, &t, &err));
	assert_int_equal(t.failed, 0);
	assert_true(t.cases >= least);
}

static void every_case_comes_out_as_it_says(void **state)
{
	(void)state;
	check_folder("test/cases/policy", 200);
	check_folder("manifests/policies", 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case_comes_out_as_it_says),
	};
	mem_init(true);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
