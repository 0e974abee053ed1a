// SPDX-License-Identifier: Apache-2.0
// The webhook's list of ready-made templates is the list of the templates.
#include "lib/conf/stock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "templates/template.h"

static void test_names_are_those_of_the_templates(void **state)
{
	size_t i = 0;
	(void)state;
	for (; conf_stock_names[i] && tmpl_stock_name(i); i++)
		assert_string_equal(conf_stock_names[i], tmpl_stock_name(i));
	assert_null(conf_stock_names[i]);
	assert_null(tmpl_stock_name(i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_are_those_of_the_templates),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
