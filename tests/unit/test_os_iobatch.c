/* SPDX-License-Identifier: BSD-2-Clause */
/* Batches of calls, by io_uring and by plain calls: the same results. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/iobatch.h"
#include "os/sock.h"

#define N 16

struct fixture {
	struct iobatch *b;
	int pair[2];
};

static int
setup_with(void **state, uint32_t flags)
{
	static struct fixture f;

	assert_int_equal(iobatch_create(N, flags, &f.b), 0);
	assert_int_equal(sock_seqpacket_pair(0, f.pair), 0);
	*state = &f;
	return 0;
}

static int
setup_uring(void **state)
{
	return setup_with(state, 0);
}

static int
setup_plain(void **state)
{
	return setup_with(state, IOBATCH_PLAIN);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	iobatch_destroy(f->b);
	close(f->pair[0]);
	close(f->pair[1]);
	return 0;
}

/* A batch of writes, a batch of more reads than there are records. */
static void
test_every_operation_gets_its_result_in_order(void **state)
{
	struct fixture *f = *state;
	char out[N / 2][2][8], in[N][16];
	struct iovec wv[N / 2][2], rv[N];
	int32_t res[N];

	for (int i = 0; i < N / 2; i++) {
		(void)snprintf(out[i][0], 8, "rec%d-", i);
		(void)snprintf(out[i][1], 8, "end%d", i);
		wv[i][0] = (struct iovec){ out[i][0], 5 };
		wv[i][1] = (struct iovec){ out[i][1], 4 };
		iobatch_writev(f->b, f->pair[0], wv[i], 2, &res[i]);
		assert_int_equal(res[i], -EINPROGRESS);
	}
	assert_int_equal(iobatch_count(f->b), N / 2);
	assert_int_equal(iobatch_room(f->b), N - N / 2);
	assert_int_equal(iobatch_submit(f->b), N / 2);
	for (int i = 0; i < N / 2; i++)
		assert_int_equal(res[i], 9);
	assert_int_equal(iobatch_count(f->b), 0);

	for (int i = 0; i < N; i++) {
		rv[i] = (struct iovec){ in[i], sizeof(in[i]) };
		iobatch_readv(f->b, f->pair[1], &rv[i], 1, &res[i]);
	}
	assert_int_equal(iobatch_submit(f->b), N / 2);
	for (int i = 0; i < N; i++) {
		char want[16];

		if (i >= N / 2) {
			assert_int_equal(res[i], -EAGAIN);
			continue;
		}
		(void)snprintf(want, sizeof(want), "rec%d-end%d", i, i);
		assert_int_equal(res[i], 9);
		assert_memory_equal(in[i], want, 9);
	}
}

/* Nothing is left waiting: data that come later are for later reads. */
static void
test_nothing_stays_in_flight(void **state)
{
	struct fixture *f = *state;
	char a[IOBATCH_URING_MIN][8] = { "" }, c[8];
	struct iovec v[IOBATCH_URING_MIN];
	int32_t res[IOBATCH_URING_MIN];

	for (int i = 0; i < IOBATCH_URING_MIN; i++) {
		v[i] = (struct iovec){ a[i], sizeof(a[i]) };
		iobatch_readv(f->b, f->pair[1], &v[i], 1, &res[i]);
	}
	assert_int_equal(iobatch_submit(f->b), 0);
	for (int i = 0; i < IOBATCH_URING_MIN; i++)
		assert_int_equal(res[i], -EAGAIN);
	assert_int_equal(write(f->pair[0], "later", 5), 5);
	assert_int_equal(iobatch_submit(f->b), 0); /* an empty batch */
	for (int i = 0; i < IOBATCH_URING_MIN; i++)
		assert_string_equal(a[i], "");
	assert_int_equal(read(f->pair[1], c, sizeof(c)), 5);
	assert_memory_equal(c, "later", 5);
}

static void
test_errors_are_each_operations_own(void **state)
{
	struct fixture *f = *state;
	char buf[4] = "abc", got[4];
	struct iovec v = { buf, 3 }, g = { got, sizeof(got) };
	int32_t bad, good, read_back, end, res[IOBATCH_URING_MIN];
	int pipefd[2];

	assert_int_equal(pipe2(pipefd, O_NONBLOCK | O_CLOEXEC), 0);
	iobatch_writev(f->b, -1, &v, 1, &bad);
	iobatch_writev(f->b, f->pair[0], &v, 1, &good);
	iobatch_readv(f->b, f->pair[1], &g, 1, &read_back);
	close(pipefd[1]);
	iobatch_readv(f->b, pipefd[0], &g, 1, &end);
	assert_int_equal(iobatch_submit(f->b), 2);
	assert_int_equal(bad, -EBADF);
	assert_int_equal(good, 3);
	assert_int_equal(read_back, 3);
	assert_int_equal(end, 0);
	close(pipefd[0]);
	/* A dead peer, with SIGPIPE at its default for all we know. */
	close(f->pair[1]);
	for (int i = 0; i < IOBATCH_URING_MIN; i++)
		iobatch_writev(f->b, f->pair[0], &v, 1, &res[i]);
	assert_int_equal(iobatch_submit(f->b), 0);
	for (int i = 0; i < IOBATCH_URING_MIN; i++)
		assert_int_equal(res[i], -EPIPE);
	assert_int_equal(sock_seqpacket_pair(0, f->pair), 0);
}

/* The writer of a full queue gets -EAGAIN for just those that did not fit. */
static void
test_full_queue_is_eagain(void **state)
{
	struct fixture *f = *state;
	static char big[60000];
	struct iovec v = { big, sizeof(big) };
	int32_t res[N];
	int fit = 0;

	for (int i = 0; i < N; i++)
		iobatch_writev(f->b, f->pair[0], &v, 1, &res[i]);
	iobatch_submit(f->b);
	while (fit < N && res[fit] == (int32_t)sizeof(big))
		fit++;
	assert_in_range(fit, 1, N - 1);
	for (int i = fit; i < N; i++)
		assert_int_equal(res[i], -EAGAIN);
}

static void
test_create_refuses_bad_arguments(void **state)
{
	struct iobatch *b = NULL;

	(void)state;
	assert_int_equal(iobatch_create(0, 0, &b), -EINVAL);
	assert_int_equal(
	    iobatch_create(IOBATCH_CAPACITY_MAX + 1, 0, &b), -EINVAL);
	assert_int_equal(iobatch_create(1, 0x80, &b), -EINVAL);
	assert_null(b);
	iobatch_destroy(NULL);
}

static void
test_io_uring_can_be_turned_off(void **state)
{
	struct iobatch *b;

	(void)state;
	assert_int_equal(iobatch_create(4, IOBATCH_PLAIN, &b), 0);
	assert_false(iobatch_uses_uring(b));
	iobatch_destroy(b);
	assert_int_equal(setenv("COAX_NO_URING", "1", 1), 0);
	assert_int_equal(iobatch_create(4, 0, &b), 0);
	assert_false(iobatch_uses_uring(b));
	iobatch_destroy(b);
	assert_int_equal(unsetenv("COAX_NO_URING"), 0);
	assert_int_equal(iobatch_create(4, 0, &b), 0);
	if (!iobatch_uses_uring(b))
		print_message("# io_uring is not permitted here\n");
	iobatch_destroy(b);
}

int
main(void)
{
#define U(fn) cmocka_unit_test_setup_teardown(fn, setup_uring, teardown)
#define P(fn)                                                         \
	{                                                             \
		.name = #fn "_plain", .test_func = (fn),              \
		.setup_func = setup_plain, .teardown_func = teardown, \
	}
	const struct CMUnitTest tests[] = {
		U(test_every_operation_gets_its_result_in_order),
		P(test_every_operation_gets_its_result_in_order),
		U(test_nothing_stays_in_flight),
		P(test_nothing_stays_in_flight),
		U(test_errors_are_each_operations_own),
		P(test_errors_are_each_operations_own),
		U(test_full_queue_is_eagain),
		P(test_full_queue_is_eagain),
		cmocka_unit_test(test_create_refuses_bad_arguments),
		cmocka_unit_test(test_io_uring_can_be_turned_off),
	};
#undef U
#undef P
	return cmocka_run_group_tests_name("os_iobatch", tests, NULL, NULL);
}
