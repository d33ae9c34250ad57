/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xnb's built-in suite, the same that dev.xnb.N.unit_test_results runs: all
 * pass, all 53 of the original are among them, and the text is as it is
 * described.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "drv/xnb/selftest.h"
#include "drv/xnb/selftest_impl.h"

static uint32_t lines;

static void
count_lines(void *arg, enum log_level level, const char *line)
{
	(void)arg;
	(void)level;
	if (strncmp(line, "xnb unit test ", 14) == 0)
		lines++;
}

static void
test_all_pass(void **state)
{
	struct xnb_selftest_result r;
	char text[64];

	(void)state;
	log_set_sink(count_lines, NULL);
	assert_int_equal(xnb_selftest_run(&r), 0);
	log_set_sink(NULL, NULL);
	if (r.failed != 0)
		print_message("%s", r.text);
	assert_int_equal(r.failed, 0);
	snprintf(text, sizeof(text), "%u Tests Passed\n", r.passed);
	assert_string_equal(r.text, text);
	/* Simulated errors were told as real ones are. */
	assert_true(lines > 1);
	free(r.text);
}

static void
test_the_original_ones_are_there(void **state)
{
	uint32_t n = 0;

	(void)state;
	while (st_bsd_tests[n].name != NULL)
		n++;
	assert_int_equal(n, 53);
	assert_string_equal(st_bsd_tests[0].name, "ring2pkt_emptyring");
	assert_string_equal(st_bsd_tests[42].name, "rxpkt2rsp_copyerror");
	assert_string_equal(st_bsd_tests[52].name, "sscanf_hhn");
}

/* A suite that cannot fail would prove nothing. */
static void
test_a_failure_is_reported(void **state)
{
	struct st *s = calloc(1, sizeof(*s));
	char expect[128];

	(void)state;
	assert_non_null(s);
	s->text = calloc(1, ST_TEXT_MAX);
	assert_non_null(s->text);
	ST_CHECK(s, 1 + 1 == 2);
	assert_int_equal(s->errors, 0);
	ST_CHECK(s, 1 + 1 == 3);
	snprintf(expect, sizeof(expect), "%s:%d Assertion Error: %s\n",
	    __func__, __LINE__ - 2, "1 + 1 == 3");
	assert_string_equal(s->text, expect);
	assert_int_equal(s->errors, 1);
	/* However many there are, they stay in their room. */
	for (int i = 0; i < 5000; i++)
		ST_CHECK(s, 1 + 1 == 3);
	assert_true(strlen(s->text) < ST_TEXT_MAX);
	free(s->text);
	free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_pass),
		cmocka_unit_test(test_the_original_ones_are_there),
		cmocka_unit_test(test_a_failure_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
