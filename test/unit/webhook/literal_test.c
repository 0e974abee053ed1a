// SPDX-License-Identifier: Apache-2.0
// forbid.env_literals over its corpus, test/cases/literals: of the harmless lines at most one in
// a hundred may be taken for a credential, of the credentials at least nineteen in twenty must be
// found. Each miss and each false alarm is printed.
#include "webhook/policy_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/file.h"
#include "lib/base/str.h"
#include "test/support/expect.h"

enum { TEXT = 256 * 1024, LINE = 4096 };

// The line without '~', split at the first '='. False: a comment.
static bool read_line(struct str line, char *text, const char **ret_value)
{
	size_t len = 0;
	if (line.len == 0 || line.p[0] == '#')
		return false;
	for (size_t i = 0; i < line.len && len + 1 < LINE; i++)
		if (line.p[i] != '~')
			text[len++] = line.p[i];
	text[len] = '\0';
	char *eq = strchr(text, '=');
	assert_non_null(eq);
	*eq = '\0';
	*ret_value = eq + 1;
	return true;
}

// How many lines are not as `found` says; *ret_all is all of them.
static unsigned wrong(const char *file, bool found, unsigned *ret_all)
{
	AUTO_BUF struct buf b = BUF_INIT(TEXT);
	struct str rest, line;
	char text[LINE];
	const char *value;
	unsigned n = 0;
	*ret_all = 0;
	EXPECT_OK(file_read(file, &b, &err));
	rest = str_of(buf_str(&b));
	while (str_next(&rest, '\n', &line)) {
		if (!read_line(line, text, &value))
			continue;
		++*ret_all;
		const char *why = literal_credential(text, value);
		if ((why != NULL) == found)
			continue;
		n++;
		print_message("%s: %s: %s\n", file, text, why ? why : "not found");
	}
	return n;
}

static void at_most_one_false_alarm_in_a_hundred(void **state)
{
	unsigned all, n = wrong("test/cases/literals/harmless.txt", false, &all);
	(void)state;
	print_message("false alarms: %u of %u\n", n, all);
	assert_true(all >= 300);
	assert_true(n * 100 <= all);
}

static void most_credentials_are_found(void **state)
{
	unsigned all, n = wrong("test/cases/literals/credentials.txt", true, &all);
	(void)state;
	print_message("found: %u of %u\n", all - n, all);
	assert_true(all >= 120);
	assert_true(n * 20 <= all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_most_one_false_alarm_in_a_hundred),
		cmocka_unit_test(most_credentials_are_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
