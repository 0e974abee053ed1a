// SPDX-License-Identifier: Apache-2.0
// What auditors get of a finding.
#include "webhook/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/mem.h"

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));
	return text ? text : "";
}

// A long name is cut by bytes, and may end inside of a letter.
static void a_cut_name_costs_no_audit_annotation(void **state)
{
	(void)state;
	const struct policy_finding f = { .policy = "p",
					  .rule = "deny.annotations",
					  .field = "metadata.annotations[a\xc3",
					  .text = "\xe2\x82",
					  .mode = POLICY_ENFORCE };
	struct verdict v = { .message = NULL };
	json_t *warnings = json_array();
	policy_result_add(&v.result, &f);
	verdict_word(warnings, &v);
	assert_string_equal(v.decision, "deny");
	assert_non_null(v.audit);
	assert_string_equal(text_of(v.audit, "policy"), "p");
	assert_string_equal(text_of(v.audit, "rule"), "deny.annotations");
	assert_string_equal(text_of(v.audit, "field"), "metadata.annotations[a");
	json_decref(warnings);
	verdict_release(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cut_name_costs_no_audit_annotation),
	};
	mem_init(false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
