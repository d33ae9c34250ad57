/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals to eventfds: they arrive, and nobody can make the sender wait. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/kick.h"

static struct kick *kick;
static int fd;

static int
setup(void **state)
{
	(void)state;
	assert_int_equal(kick_create(0, &kick), 0);
	fd = eventfd(0, EFD_NONBLOCK);
	assert_true(fd >= 0);
	return 0;
}

static int
setup_plain(void **state)
{
	(void)state;
	assert_int_equal(kick_create(KICK_PLAIN, &kick), 0);
	assert_false(kick_is_safe(kick));
	fd = eventfd(0, EFD_NONBLOCK);
	assert_true(fd >= 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	close(fd);
	kick_destroy(kick);
	kick_destroy(NULL);
	return 0;
}

/* However often, each one is seen by who watches for edges, and counts. */
static void
test_each_signal_is_an_edge(void **state)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	int ep = epoll_create1(0);
	uint64_t n;

	(void)state;
	assert_int_equal(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev), 0);
	assert_int_equal(epoll_wait(ep, &ev, 1, 0), 0);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(kick_send(kick, fd), 0);
		assert_int_equal(epoll_wait(ep, &ev, 1, 0), 1);
		assert_int_equal(epoll_wait(ep, &ev, 1, 0), 0);
	}
	assert_int_equal(read(fd, &n, sizeof(n)), sizeof(n));
	assert_int_equal(n, 1000);
	close(ep);
}

/* (The alarm ends a test that hangs.) */
static void
test_a_full_counter_does_not_stop_us(void **state)
{
	uint64_t full = UINT64_MAX - 1;

	(void)state;
	if (!kick_is_safe(kick)) {
		print_message("# skip: no asynchronous I/O here\n");
		skip();
	}
	alarm(20);
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	assert_int_equal(write(fd, &full, sizeof(full)), sizeof(full));
	for (int i = 0; i < 10; i++)
		assert_int_equal(kick_send(kick, fd), 0);
	alarm(0);
}

/* Without asynchronous I/O it is looked at first. */
static void
test_plain_looks_first(void **state)
{
	uint64_t full = UINT64_MAX - 1;

	(void)state;
	alarm(20);
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	assert_int_equal(write(fd, &full, sizeof(full)), sizeof(full));
	assert_int_equal(kick_send(kick, fd), -EAGAIN);
	alarm(0);
}

static void
test_what_is_no_eventfd(void **state)
{
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	if (kick_is_safe(kick)) {
		assert_int_equal(kick_send(kick, p[1]), -EINVAL);
		assert_int_equal(kick_send(kick, -1), -EBADF);
	}
	close(p[0]);
	close(p[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_each_signal_is_an_edge, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_a_full_counter_does_not_stop_us, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_what_is_no_eventfd, setup, teardown),
		{ "plain_each_signal_is_an_edge", test_each_signal_is_an_edge,
		    setup_plain, teardown, NULL },
		cmocka_unit_test_setup_teardown(
		    test_plain_looks_first, setup_plain, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
