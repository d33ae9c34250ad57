/* SPDX-License-Identifier: BSD-2-Clause */
/* base/log.h: levels, one clean line an event, and the rate limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "base/log.h"

static char last[LOG_LINE_MAX];
static enum log_level last_level;
static int lines;

static void
sink(void *arg, enum log_level level, const char *line)
{
	assert_ptr_equal(arg, last);
	snprintf(last, sizeof(last), "%s", line);
	last_level = level;
	lines++;
}

static int
setup(void **state)
{
	(void)state;
	lines = 0;
	last[0] = '\0';
	log_set_level(COAX_LOG_INFO);
	log_set_sink(sink, last);
	return 0;
}

static void
test_line_reaches_the_sink_with_its_level(void **state)
{
	(void)state;
	log_err("%s: %d", "tap0", 7);
	assert_string_equal(last, "tap0: 7");
	assert_int_equal(last_level, COAX_LOG_ERR);
	assert_int_equal(lines, 1);
}

static void
test_lines_below_the_level_are_dropped(void **state)
{
	(void)state;
	log_debug("quiet");
	assert_int_equal(lines, 0);
	assert_false(log_enabled(COAX_LOG_DEBUG));
	log_info("heard");
	assert_int_equal(lines, 1);
	log_set_level(COAX_LOG_DEBUG);
	assert_true(log_enabled(COAX_LOG_DEBUG));
	log_debug("heard");
	assert_int_equal(lines, 2);
	log_set_level(COAX_LOG_WARNING);
	log_notice("quiet");
	assert_int_equal(lines, 2);
	log_warning("heard");
	assert_int_equal(lines, 3);
}

static void
test_without_a_sink_nothing_happens(void **state)
{
	(void)state;
	log_set_sink(NULL, NULL);
	assert_false(log_enabled(COAX_LOG_EMERG));
	log_err("lost");
	assert_int_equal(lines, 0);
}

/* What a stranger wrote cannot make a second line or move the cursor. */
static void
test_control_characters_are_replaced(void **state)
{
	(void)state;
	log_info("a%sb", "\n\r\t\x1b[31m\x7f");
	assert_string_equal(last, "a????[31m?b");
	log_info("caf\xc3\xa9");
	assert_string_equal(last, "caf\xc3\xa9");
}

static void
test_long_line_is_cut(void **state)
{
	(void)state;
	log_info("%*d", 3 * LOG_LINE_MAX, 1);
	assert_int_equal(strlen(last), LOG_LINE_MAX - 1);
}

static void
test_level_names_go_both_ways(void **state)
{
	(void)state;
	for (int i = COAX_LOG_EMERG; i <= COAX_LOG_DEBUG; i++) {
		assert_int_equal(
		    log_level_parse(log_level_name((enum log_level)i)), i);
	}
	assert_int_equal(log_level_parse("err"), COAX_LOG_ERR);
	assert_int_equal(log_level_parse("loud"), -EINVAL);
	assert_int_equal(log_level_parse(""), -EINVAL);
}

static void
test_rate_limit_lets_a_burst_through(void **state)
{
	struct ratelimit rl = { .period_ns = 1000, .burst = 2 };
	uint64_t held = 99;

	(void)state;
	assert_true(ratelimit_allow(&rl, 5, &held));
	assert_int_equal(held, 0);
	assert_true(ratelimit_allow(&rl, 6, NULL));
	assert_false(ratelimit_allow(&rl, 7, &held));
	assert_false(ratelimit_allow(&rl, 1004, &held));
	assert_true(ratelimit_allow(&rl, 1005, &held)); /* a new window */
	assert_int_equal(held, 2);
	assert_true(ratelimit_allow(&rl, 1006, &held));
	assert_int_equal(held, 0);
	assert_false(ratelimit_allow(&rl, 2004, &held));
	assert_true(ratelimit_allow(&rl, 2005, &held));
}

static void
test_rate_limit_of_zero_holds_all_back(void **state)
{
	struct ratelimit rl = { .period_ns = 1000, .burst = 0 };
	uint64_t held = 99;

	(void)state;
	assert_false(ratelimit_allow(&rl, 0, &held));
	assert_false(ratelimit_allow(&rl, 5000, &held));
	assert_int_equal(held, 99);
	assert_int_equal(rl.suppressed, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    test_line_reaches_the_sink_with_its_level, setup),
		cmocka_unit_test_setup(
		    test_lines_below_the_level_are_dropped, setup),
		cmocka_unit_test_setup(
		    test_without_a_sink_nothing_happens, setup),
		cmocka_unit_test_setup(
		    test_control_characters_are_replaced, setup),
		cmocka_unit_test_setup(test_long_line_is_cut, setup),
		cmocka_unit_test_setup(test_level_names_go_both_ways, setup),
		cmocka_unit_test_setup(
		    test_rate_limit_lets_a_burst_through, setup),
		cmocka_unit_test_setup(
		    test_rate_limit_of_zero_holds_all_back, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
