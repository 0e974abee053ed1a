// SPDX-License-Identifier: Apache-2.0
// The asking side of the agent's socket: how long an answer is waited for.
#include "agent/control.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "test/support/clock_fake.h"

#define MINUTE_MS (60 * INT64_C(1000))

struct late {
	struct sockaddr_un at;
	int fd;
	int64_t after_ms; // of the fake clock, between question and answer
	const char *answer;
};

// An agent of one question.
static void *serve(void *ctx)
{
	struct late *l = ctx;
	char line[64];
	int fd = accept(l->fd, NULL, NULL);
	if (read(fd, line, sizeof(line)) > 0) {
		clock_fake_advance(l->after_ms);
		(void)send(fd, l->answer, strlen(l->answer),
			   MSG_NOSIGNAL); // who asked may be gone
	}
	close(fd);
	return NULL;
}

// What control_ask() says of an agent that answers after so long.
static bool ask(int64_t timeout_ms, int64_t after_ms, const char *answer, struct buf *to,
		struct err *e)
{
	char folder[] = "/tmp/control.XXXXXX";
	struct late l = { .at = { .sun_family = AF_UNIX },
			  .after_ms = after_ms,
			  .answer = answer };
	pthread_t thread;
	assert_non_null(mkdtemp(folder));
	snprintf(l.at.sun_path, sizeof(l.at.sun_path), "%s/s", folder);
	l.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(l.fd, (struct sockaddr *)&l.at, sizeof(l.at)), 0);
	assert_int_equal(listen(l.fd, 1), 0);
	clock_fake_set(1000000, 0);
	assert_int_equal(pthread_create(&thread, NULL, serve, &l), 0);
	struct control_question q = { .socket = l.at.sun_path,
				      .line = "probe startup wait",
				      .timeout_ms = timeout_ms,
				      .patient = true };
	bool ok = control_ask(&q, to, e);
	pthread_join(thread, NULL);
	close(l.fd);
	unlink(l.at.sun_path);
	rmdir(folder);
	return ok;
}

static void test_without_a_limit_the_agents_own_one_counts(void **state)
{
	AUTO_BUF struct buf got = BUF_INIT(1 << 16);
	struct err e = ERR_INIT;
	(void)state;
	assert_true(ask(0, 60 * MINUTE_MS, "ok\n", &got, &e));
	assert_string_equal(buf_str(&got), "ok\n");
}

static void test_an_agent_that_ends_ends_the_waiting(void **state)
{
	AUTO_BUF struct buf got = BUF_INIT(1 << 16);
	struct err e = ERR_INIT;
	(void)state;
	assert_false(ask(0, 60 * MINUTE_MS, "", &got, &e));
	assert_string_equal(e.text, "the agent ended before it answered");
}

static void test_a_limit_is_kept(void **state)
{
	AUTO_BUF struct buf got = BUF_INIT(1 << 16);
	struct err e = ERR_INIT;
	(void)state;
	assert_true(ask(10 * MINUTE_MS, 9 * MINUTE_MS, "ok\n", &got, &e));
	assert_false(ask(10 * MINUTE_MS, 10 * MINUTE_MS, "ok\n", &got, &e));
	assert_string_equal(e.text, "the agent did not answer in time");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_a_limit_the_agents_own_one_counts),
		cmocka_unit_test(test_an_agent_that_ends_ends_the_waiting),
		cmocka_unit_test(test_a_limit_is_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
