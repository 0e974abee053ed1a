// SPDX-License-Identifier: Apache-2.0
// Timers, on a clock that the test moves: order, cancelling and arming from inside
// callbacks, nobody starves.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/loop/loop.h"
#include "test/support/clock_fake.h"

enum { START = 1000000, MANY = 2000 };

static struct loop *l;
static char trail[64];
static unsigned count;

static int setup(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	clock_fake_set(START, 0);
	trail[0] = '\0';
	count = 0;
	return loop_new(&l, &e) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	loop_free(l);
	clock_fake_release();
	return 0;
}

static void round_at(int64_t advance_ms)
{
	struct err e = ERR_INIT;
	clock_fake_advance(advance_ms);
	assert_true(loop_once(l, 0, &e));
}

static void note(void *ctx, struct loop_timer *t)
{
	assert_false(loop_timer_armed(t));
	strncat(trail, ctx, sizeof(trail) - strlen(trail) - 1);
}

static void test_order(void **state)
{
	(void)state;
	struct loop_timer a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };
	loop_timer_in(l, &a, 30, note, "a");
	loop_timer_in(l, &b, 10, note, "b");
	loop_timer_in(l, &c, 20, note, "c");
	loop_timer_in(l, &d, 10, note, "d");
	assert_int_equal(loop_next_timer_ms(l), START + 10);
	round_at(9);
	assert_string_equal(trail, "");
	round_at(1);
	assert_string_equal(trail, "bd");
	round_at(100); // late: still in the order of their times
	assert_string_equal(trail, "bdca");
	assert_int_equal(loop_next_timer_ms(l), INT64_MAX);
}

static void test_move_and_cancel(void **state)
{
	(void)state;
	struct loop_timer a = { 0 }, b = { 0 };
	loop_timer_cancel(&a); // never armed
	loop_timer_in(l, &a, 10, note, "a");
	loop_timer_in(l, &b, 10, note, "b");
	loop_timer_in(l, &a, 50, note, "A"); // moves it
	loop_timer_cancel(&b);
	loop_timer_cancel(&b);
	round_at(20);
	assert_string_equal(trail, "");
	round_at(30);
	assert_string_equal(trail, "A");
}

static void cancel_other(void *ctx, struct loop_timer *t)
{
	(void)t;
	count++;
	loop_timer_cancel(ctx);
}

// Of two that are due in one round, the first may cancel or move the second.
static void test_cancel_due(void **state)
{
	(void)state;
	struct loop_timer a = { 0 }, b = { 0 };
	loop_timer_in(l, &a, 1, cancel_other, &b);
	loop_timer_in(l, &b, 2, cancel_other, &a);
	round_at(5);
	assert_int_equal(count, 1);
	assert_false(loop_timer_armed(&b));
}

static void move_other(void *ctx, struct loop_timer *t)
{
	(void)t;
	count++;
	loop_timer_in(l, ctx, 100, note, "x");
}

static void test_move_due(void **state)
{
	(void)state;
	struct loop_timer a = { 0 }, b = { 0 };
	loop_timer_in(l, &a, 1, move_other, &b);
	loop_timer_in(l, &b, 2, note, "b");
	round_at(5);
	assert_string_equal(trail, "");
	assert_true(loop_timer_armed(&b));
	round_at(100);
	assert_string_equal(trail, "x");
}

static void again(void *ctx, struct loop_timer *t)
{
	count++;
	loop_timer_at(l, t, 0, again, ctx); // for the past
}

static void test_for_the_past(void **state)
{
	(void)state;
	struct loop_timer a = { 0 }, b = { 0 };
	loop_timer_at(l, &a, 0, again, NULL);
	loop_timer_at(l, &b, START, note, "b");
	round_at(0);
	assert_int_equal(count, 1); // once a round, and the other one has run
	assert_string_equal(trail, "b");
	round_at(0);
	assert_int_equal(count, 2);
	loop_timer_cancel(&a);
}

static void test_extremes(void **state)
{
	(void)state;
	struct loop_timer a = { 0 }, b = { 0 };
	loop_timer_in(l, &a, INT64_MAX, note, "a");
	loop_timer_in(l, &b, -5, note, "b");
	round_at(0);
	assert_string_equal(trail, "b");
	assert_true(loop_timer_armed(&a));
	round_at(INT32_MAX);
	assert_string_equal(trail, "b");
	loop_timer_cancel(&a);
}

static int64_t last_at;
static void in_order(void *ctx, struct loop_timer *t)
{
	(void)ctx;
	assert_true(t->at_ms >= last_at);
	last_at = t->at_ms;
	count++;
}

// A pseudo-random crowd, every third cancelled, against what must come out.
static void test_many(void **state)
{
	(void)state;
	static struct loop_timer timers[MANY];
	memset(timers, 0, sizeof(timers));
	uint32_t x = 12345;
	for (unsigned i = 0; i < MANY; i++) {
		x = x * 1664525 + 1013904223;
		loop_timer_in(l, &timers[i], x % 5000, in_order, NULL);
	}
	unsigned left = MANY;
	for (unsigned i = 0; i < MANY; i += 3, left--)
		loop_timer_cancel(&timers[i]);
	last_at = 0;
	for (unsigned i = 0; i < 5000; i++) {
		round_at(1);
		int64_t next = loop_next_timer_ms(l);
		assert_true(next > clock_mono_ms());
	}
	assert_int_equal(count, left);
}

// A jump of the wall clock moves no timer.
static void test_wall_clock(void **state)
{
	(void)state;
	struct loop_timer a = { 0 };
	loop_timer_in(l, &a, 1000, note, "a");
	clock_fake_step_wall(86400000);
	round_at(0);
	assert_string_equal(trail, "");
	loop_timer_cancel(&a);
}

// With the real clock: the wait ends by the timerfd, not before the time.
static void test_real_wait(void **state)
{
	(void)state;
	clock_fake_release();
	struct err e = ERR_INIT;
	struct loop_timer a = { 0 };
	int64_t from = clock_mono_ms();
	loop_timer_in(l, &a, 20, note, "a");
	for (int i = 0; i < 100 && !trail[0]; i++)
		assert_true(loop_once(l, 1000, &e));
	assert_string_equal(trail, "a");
	assert_in_range(clock_mono_ms() - from, 20, 900);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_move_and_cancel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cancel_due, setup, teardown),
		cmocka_unit_test_setup_teardown(test_move_due, setup, teardown),
		cmocka_unit_test_setup_teardown(test_for_the_past, setup, teardown),
		cmocka_unit_test_setup_teardown(test_extremes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wall_clock, setup, teardown),
		cmocka_unit_test_setup_teardown(test_real_wait, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
