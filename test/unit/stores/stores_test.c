// SPDX-License-Identifier: Apache-2.0
// The array of stores, and which failures concern all of one.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/conf/store_type.h"
#include "stores/store.h"

static void every_store_has_its_functions(void **state UNUSED)
{
	for (size_t i = 0; store_type(i); i++) {
		const struct store_ops *s = store_type(i);
		assert_ptr_equal(store_find(s->type), s);
		assert_true(store_type_known(s->type));
		assert_true(s->help && s->open && s->close && s->fetch);
		assert_true(!s->renew == !s->revoke);
		assert_true(!s->login == !s->token);
	}
	assert_null(store_find("nothing"));
	assert_false(store_type_known("nothing") || store_type_known("aws"));
	assert_true(store_type_known(NULL));
	assert_null(store_find(NULL));
}

static void whole_faults(void **state UNUSED)
{
	static const struct {
		enum err_kind kind;
		int cause;
		bool whole;
	} cases[] = {
		{ ERR_RETRY, 0, true },    { ERR_RETRY, ECONNREFUSED, true },
		{ ERR_RETRY, 412, true },  { ERR_RETRY, 429, true },
		{ ERR_RETRY, 473, true },  { ERR_RETRY, 502, true },
		{ ERR_RETRY, 503, true },  { ERR_RETRY, 500, false },
		{ ERR_RETRY, 200, false }, { ERR_RETRY, 404, false },
		{ ERR_RETRY, 403, false }, { ERR_DENIED, 503, false },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = { .kind = cases[i].kind, .cause = cases[i].cause };
		assert_int_equal(store_fault_is_whole(&e), cases[i].whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_store_has_its_functions),
		cmocka_unit_test(whole_faults),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
