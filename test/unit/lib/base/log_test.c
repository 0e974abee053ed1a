// SPDX-License-Identifier: Apache-2.0
// Log lines through a pipe: text and JSON, levels, escapes, lines that are too long.
#include "lib/base/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"

enum { LINE = 16384 };

static int fds[2];
static char line[LINE];

static int open_pipe(void **state)
{
	(void)state;
	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) != 0)
		return -1;
	log_set_fd(fds[1]);
	return 0;
}

static int close_pipe(void **state)
{
	(void)state;
	log_set_fd(STDERR_FILENO);
	log_set_tap(NULL, NULL);
	log_setup(LOG_INFO, LOG_FORMAT_TEXT);
	return close(fds[0]) | close(fds[1]);
}

// What has been written since the last call.
static const char *written(void)
{
	ssize_t n = read(fds[0], line, sizeof(line) - 1);
	line[n > 0 ? n : 0] = '\0';
	// The time of this layer's tests is real: its form is checked, then it becomes TIME.
	static const char form[] = "0000-00-00T00:00:00.000Z";
	char *at = line + (line[0] == '{' ? strlen("{\"time\":\"") : 0);
	if (n < (ssize_t)sizeof(form) + 10)
		return line;
	for (size_t i = 0; form[i]; i++)
		assert_true(form[i] == '0' ? at[i] >= '0' && at[i] <= '9'
					   : at[i] == form[i]);
	memcpy(at, "TIME", 4);
	memmove(at + 4, at + strlen(form), strlen(at + strlen(form)) + 1);
	return line;
}

static json_t *written_json(void)
{
	json_error_t je;
	const char *text = written();
	size_t len = strlen(text);
	assert_true(len > 0 && text[len - 1] == '\n');
	assert_null(memchr(text, '\n', len - 1));
	json_t *j = json_loads(text, JSON_REJECT_DUPLICATES, &je);
	if (!j)
		fail_msg("no JSON: %s in %.200s", je.text, text);
	return j;
}

static void test_text(void **state)
{
	(void)state;
	log_setup(LOG_INFO, LOG_FORMAT_TEXT);
	log_info("secret fetched", LOG_STR("path", "kv/db"), LOG_INT("version", 3));
	assert_string_equal(written(),
			    "TIME info  secret fetched path=kv/db version=3\n");
	log_warn("odd", LOG_STR("a", ""), LOG_STR("b", "x y"), LOG_STR("c", "q\"="),
		 LOG_STR("d", "l1\nl2\x1b"), LOG_STR("e", NULL), LOG_INT("f", -9));
	assert_string_equal(written(), "TIME warn  odd a=\"\" b=\"x y\" "
				       "c=\"q\\\"=\" d=\"l1\\nl2\\u001b\" e=\"\" f=-9\n");
}

static void test_json(void **state)
{
	(void)state;
	log_setup(LOG_INFO, LOG_FORMAT_JSON);
	log_audit("read", LOG_STR("path", "a\"\\\n\t\x01"),
		  LOG_INT("version", INT64_MIN));
	assert_string_equal(
		written(), "{\"time\":\"TIME\",\"level\":\"audit\",\"msg\":"
			   "\"read\",\"path\":\"a\\\"\\\\\\n\\u0009\\u0001\",\"version\":"
			   "-9223372036854775808}\n");
}

static void test_error_fields(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	log_setup(LOG_INFO, LOG_FORMAT_TEXT);
	log_fail(LOG_ERROR, &e, "none", LOG_INT("n", 1));
	assert_string_equal(written(), "TIME error none n=1\n");
	err_set(&e, ERR_DENIED, 403, "no right");
	log_fail(LOG_ERROR, &e, "failed", LOG_STR("path", "p"));
	assert_string_equal(written(), "TIME error failed path=p "
				       "kind=denied error=\"no right\"\n");
}

static void test_levels(void **state)
{
	(void)state;
	log_setup(LOG_WARN, LOG_FORMAT_TEXT);
	log_info("no", LOG_INT("n", 1));
	log_debug("no", LOG_INT("n", 1));
	log_trace("no", LOG_INT("n", 1));
	assert_string_equal(written(), "");
	assert_false(log_enabled(LOG_INFO));
	assert_true(log_enabled(LOG_WARN));
	log_setup(LOG_ERROR, LOG_FORMAT_TEXT);
	log_audit("always", LOG_INT("n", 1));
	assert_non_null(strstr(written(), "audit always n=1"));
}

static void test_parse(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum log_level level;
	} good[] = { { "trace", LOG_TRACE },  { "DEBUG", LOG_DEBUG },
		     { "Info", LOG_INFO },    { "warn", LOG_WARN },
		     { "error", LOG_ERROR },  { "ERR", LOG_ERROR },
		     { "warning", LOG_WARN }, { "notice", LOG_INFO } };
	enum log_level level;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(log_level_parse(good[i].name, &level) &&
			    level == good[i].level);
	assert_false(log_level_parse("", &level) || log_level_parse("audit", &level) ||
		     log_level_parse("infos", &level) ||
		     log_level_parse(" info", &level));
	enum log_format format;
	assert_true(log_format_parse("JSON", &format) && format == LOG_FORMAT_JSON);
	assert_true(log_format_parse("text", &format) && format == LOG_FORMAT_TEXT);
	assert_true(log_format_parse("standard", &format) && format == LOG_FORMAT_TEXT);
	assert_false(log_format_parse("xml", &format) || log_format_parse("", &format));
}

// Whatever the length and the bytes: one line, and in JSON one valid object.
static void test_long_lines(void **state)
{
	(void)state;
	static const char *const units[] = {
		"a", "\"", "\n", "\x01", "\xe2\x82\xac", "\\", "\xf0\x9f\x98\x80"
	};
	log_setup(LOG_INFO, LOG_FORMAT_JSON);
	for (size_t u = 0; u < ARRAY_LEN(units); u++)
		for (size_t start = 7900; start < 8200; start += 7) {
			size_t unit = strlen(units[u]);
			AUTO_FREE char *big = mem_alloc(start + unit + 1);
			for (size_t i = 0; i + unit <= start; i += unit)
				memcpy(big + i, units[u], unit);
			log_info("long", LOG_INT("first", 1), LOG_STR("big", big),
				 LOG_STR("after", big), LOG_INT("last", 2));
			AUTO_JSON json_t *j = written_json();
			assert_int_equal(json_integer_value(json_object_get(j, "first")),
					 1);
			const char *kept = json_string_value(json_object_get(j, "big"));
			assert_true(kept && strncmp(kept, big, strlen(kept)) == 0);
			assert_true(strlen(kept) > 1000);
		}
	log_setup(LOG_INFO, LOG_FORMAT_TEXT);
	AUTO_FREE char *big = mem_alloc(20001);
	memset(big, 'x', 20000);
	log_info(big, LOG_STR("path", big), LOG_INT("n", 1));
	const char *text = written();
	assert_int_equal(text[strlen(text) - 1], '\n');
	assert_true(strlen(text) < 8192);
}

static void test_many_fields(void **state)
{
	(void)state;
	static struct log_field fields[2000];
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		fields[i] = LOG_INT(mem_printf("field%zu", i), (int64_t)i);
	log_setup(LOG_INFO, LOG_FORMAT_JSON);
	for (size_t n = 0; n < ARRAY_LEN(fields); n += 13) {
		log_write(LOG_INFO, "m", fields, n);
		AUTO_JSON json_t *j = written_json();
		assert_true(json_object_size(j) <= n + 3);
	}
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		mem_free((void *)(uintptr_t)fields[i].key);
}

static void test_bytes_that_are_no_text(void **state)
{
	(void)state;
	log_setup(LOG_INFO, LOG_FORMAT_JSON);
	log_info("m", LOG_STR("v", "a\xff\xe2\x82"
				   "b\xc2\x9b"
				   "c\xc3"));
	AUTO_JSON json_t *j = written_json();
	assert_string_equal(json_string_value(json_object_get(j, "v")),
			    "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
			    "b\xc2\x9b"
			    "c\xef\xbf\xbd");
	log_setup(LOG_INFO, LOG_FORMAT_TEXT);
	log_info("m", LOG_STR("v", "\xc2\x9b"
				   "31m"));
	assert_non_null(strstr(written(), "v=\"\\u009b31m\"\n"));
}

static size_t tapped;
static char tap_line[256];

static void on_line(void *ctx, enum log_level level, const char *text, size_t len)
{
	assert_ptr_equal(ctx, &tapped);
	assert_int_equal(level, LOG_INFO);
	memcpy(tap_line, text, len < sizeof(tap_line) ? len : sizeof(tap_line));
	tapped = len;
}

static void test_tap(void **state)
{
	(void)state;
	log_setup(LOG_INFO, LOG_FORMAT_TEXT);
	log_set_tap(on_line, &tapped);
	log_info("hello", LOG_INT("n", 1));
	const char *text = written();
	assert_int_equal(tapped, strlen("2026-11-21T04:36:05.123Z info  hello n=1"));
	assert_string_equal(text, "TIME info  hello n=1\n");
	assert_memory_equal(tap_line + tapped - 9, "hello n=1", 9);
}

// Nobody listens: the program goes on.
static void test_closed_fd(void **state)
{
	(void)state;
	log_set_fd(-1);
	log_info("lost", LOG_INT("n", 1));
	log_set_fd(fds[1]);
	assert_string_equal(written(), "");
}

// Audit lines may go elsewhere; they are JSON there, whatever the log's form.
static void test_audit_apart(void **state)
{
	(void)state;
	log_setup(LOG_ERROR, LOG_FORMAT_TEXT);
	log_set_fd(-1);
	log_set_audit_fd(fds[1]);
	log_error("to the log", LOG_INT("n", 1));
	log_audit("read", LOG_INT("n", 2));
	log_set_audit_fd(-1);
	assert_string_equal(written(), "{\"time\":\"TIME\",\"level\":\"audit\",\"msg\":"
				       "\"read\",\"n\":2}\n");
	log_set_fd(fds[1]);
	log_audit("read", LOG_INT("n", 3));
	assert_string_equal(written(), "TIME audit read n=3\n");
}

// Held lines come together, in their order, and none is lost, however many there are.
static void test_held(void **state)
{
	(void)state;
	log_setup(LOG_INFO, LOG_FORMAT_TEXT);
	log_hold();
	log_info("one", LOG_INT("n", 1));
	log_info("two", LOG_INT("n", 2));
	assert_string_equal(written(), "");
	log_release();
	const char *text = written();
	assert_non_null(strstr(text, " info  one n=1\n"));
	assert_non_null(strstr(text, " info  two n=2\n"));
	assert_true(strstr(text, "one") < strstr(text, "two"));
	log_info("three", LOG_INT("n", 3));
	assert_string_equal(written(), "TIME info  three n=3\n");
	char wide[5001] = "", seen[4 * sizeof(wide)] = "";
	const char *value = memset(wide, 'x', sizeof(wide) - 1);
	log_hold();
	log_info("before", LOG_INT("n", 4));
	log_info("wide", LOG_STR("text", value));
	for (int i = 0; i < 200; i++)
		log_info("many", LOG_INT("n", i));
	log_release();
	ssize_t n = read(fds[0], seen, sizeof(seen) - 1);
	assert_true(n > 0 && strstr(seen, "before n=4\n") < strstr(seen, "text=xxx"));
	const char *at = strstr(seen, "xxx\n");
	for (int i = 0; i < 200; i++) {
		char want[32];
		snprintf(want, sizeof(want), " many n=%d\n", i);
		assert_non_null(at);
		at = strstr(at, want);
	}
	assert_non_null(at);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_pipe, close_pipe)

int main(void)
{
	mem_init(false);
	const struct CMUnitTest tests[] = {
		TEST(test_text),         TEST(test_json),
		TEST(test_error_fields), TEST(test_levels),
		TEST(test_parse),        TEST(test_long_lines),
		TEST(test_many_fields),  TEST(test_tap),
		TEST(test_closed_fd),    TEST(test_bytes_that_are_no_text),
		TEST(test_audit_apart),  TEST(test_held),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
