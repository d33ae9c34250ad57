/* SPDX-License-Identifier: BSD-2-Clause */
/* base/assert.h: a failed assertion says which, then the program ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"

static jmp_buf escape;
static char said[512];

static void
sink(const char *line)
{
	snprintf(said, sizeof(said), "%s", line);
	longjmp(escape, 1);
}

static int
teardown(void **state)
{
	(void)state;
	assert_set_sink(NULL);
	return 0;
}

static void
test_true_condition_does_nothing(void **state)
{
	int evaluated = 0;

	(void)state;
	ASSERT(++evaluated == 1);
	assert_int_equal(evaluated, 1);
}

static void
test_false_condition_is_named_with_its_place(void **state)
{
	volatile int one = 1;

	(void)state;
	said[0] = '\0';
	assert_set_sink(sink);
	if (setjmp(escape) == 0) {
		ASSERT(one == 2);
		fail_msg("went on after a failed assertion");
	}
	assert_non_null(strstr(said, "one == 2"));
	assert_non_null(strstr(said, "test_base_assert.c:"));
	assert_non_null(strstr(said, __func__));
}

static void
test_unreachable_place_is_reported(void **state)
{
	(void)state;
	said[0] = '\0';
	assert_set_sink(sink);
	if (setjmp(escape) == 0)
		COAX_UNREACHABLE();
	assert_non_null(strstr(said, "unreachable"));
}

/* Without a sink: the line on standard error, then SIGABRT. */
static void
test_program_ends_by_abort(void **state)
{
	char text[512] = "";
	int fds[2];
	int status;
	pid_t pid;

	(void)state;
	assert_set_sink(NULL);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		volatile int zero = 0;

		signal(SIGABRT, SIG_DFL);
		dup2(fds[1], STDERR_FILENO);
		ASSERT(zero != 0);
		_exit(0);
	}
	close(fds[1]);
	assert_true(read(fds[0], text, sizeof(text) - 1) > 0);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_non_null(strstr(text, "zero != 0"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_true_condition_does_nothing),
		cmocka_unit_test_teardown(
		    test_false_condition_is_named_with_its_place, teardown),
		cmocka_unit_test_teardown(
		    test_unreachable_place_is_reported, teardown),
		cmocka_unit_test(test_program_ends_by_abort),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
