/* SPDX-License-Identifier: BSD-2-Clause */
/* Listeners and their paths, descriptors in messages, pairs, memfds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "os/sock.h"

static char dir[64], path[80], lock[88];

static int
setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/coax-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/s", dir);
	(void)snprintf(lock, sizeof(lock), "%s.lock", path);
	return 0;
}

/* The directory is empty again: nothing was left behind. */
static int
teardown(void **state)
{
	(void)state;
	return rmdir(dir);
}

static void
test_listener_serves_and_leaves_nothing(void **state)
{
	const struct sock_listen_options o = { .mode = 0660 };
	struct sock_listener l;
	struct stat st;
	struct ucred cred;
	int c, s;

	(void)state;
	assert_int_equal(sock_listen_unix(path, NULL, &l), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	sock_listener_close(&l);
	sock_listener_close(&l); /* closed already: nothing happens */

	assert_int_equal(sock_listen_unix(path, &o, &l), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_int_equal(sock_accept(l.fd), -EAGAIN);
	assert_int_equal(sock_connect_unix(path, SOCK_SEQPACKET), -EPROTOTYPE);
	c = sock_connect_unix(path, SOCK_STREAM);
	assert_true(c >= 0);
	s = sock_accept(l.fd);
	assert_true(s >= 0);
	assert_true(fcntl(s, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(s, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(sock_peer_cred(s, &cred), 0);
	assert_int_equal(cred.pid, getpid());
	assert_int_equal(cred.uid, geteuid());
	close(c);
	close(s);
	sock_listener_close(&l);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(sock_connect_unix(path, SOCK_STREAM), -ENOENT);
}

static void
test_living_listener_is_not_replaced(void **state)
{
	struct sock_listener l, second = { .fd = -2 };
	int c;

	(void)state;
	assert_int_equal(sock_listen_unix(path, NULL, &l), 0);
	assert_int_equal(sock_listen_unix(path, NULL, &second), -EADDRINUSE);
	assert_int_equal(second.fd, -2);
	/* One that knows nothing of the lock is found by connecting. */
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(sock_listen_unix(path, NULL, &second), -EADDRINUSE);
	c = sock_connect_unix(path, SOCK_STREAM);
	assert_true(c >= 0);
	close(c);
	sock_listener_close(&l);
}

/* What a killed process leaves is replaced. */
static void
test_stale_socket_is_replaced(void **state)
{
	struct sock_listener l;
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (sock_listen_unix(path, NULL, &l) == 0)
			(void)raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(sock_connect_unix(path, SOCK_STREAM), -ECONNREFUSED);
	assert_int_equal(sock_listen_unix(path, NULL, &l), 0);
	sock_listener_close(&l);
}

static void
test_listen_refuses(void **state)
{
	char longer[200];
	struct sock_listener l;
	int fd;

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(sock_listen_unix(longer, NULL, &l), -ENAMETOOLONG);
	assert_int_equal(sock_listen_unix("", NULL, &l), -EINVAL);
	assert_int_equal(
	    sock_listen_unix("/nonexistent/dir/s", NULL, &l), -ENOENT);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(sock_listen_unix(path, NULL, &l), -ENOTSOCK);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(unlink(path), 0);
}

/* A listener whose path now is somebody else's leaves that alone. */
static void
test_close_removes_only_its_own_socket(void **state)
{
	struct sock_listener l;
	int fd;

	(void)state;
	assert_int_equal(sock_listen_unix(path, NULL, &l), 0);
	assert_int_equal(unlink(path), 0);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	sock_listener_close(&l);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(unlink(path), 0);
}

static unsigned int
open_fds(void)
{
	unsigned int n = 0;

	for (int fd = 0; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			n++;
	return n;
}

static void
test_descriptors_travel(void **state)
{
	int pair[2], fds[SOCK_FDS_MAX], many[SOCK_FDS_MAX + 1], p[2];
	unsigned int count, before;
	bool lost;
	char buf[8];

	(void)state;
	assert_int_equal(sock_seqpacket_pair(0, pair), 0);
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = p[1];
	before = open_fds();
	assert_int_equal(
	    sock_send_fds(pair[0], "x", 1, many, SOCK_FDS_MAX + 1), -EINVAL);
	assert_int_equal(
	    sock_recv_fds(pair[1], buf, 8, fds, 1, &count, NULL), -EAGAIN);
	assert_int_equal(count, 0);

	assert_int_equal(sock_send_fds(pair[0], "hello", 5, &p[1], 1), 5);
	assert_int_equal(
	    sock_recv_fds(pair[1], buf, 8, fds, 1, &count, &lost), 5);
	assert_int_equal(count, 1);
	assert_false(lost);
	assert_memory_equal(buf, "hello", 5);
	assert_true(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(fds[0], "!", 1), 1);
	assert_int_equal(read(p[0], buf, 1), 1);
	close(fds[0]);

	/* More than wanted: the surplus is closed, and that is said. */
	assert_int_equal(sock_send_fds(pair[0], "x", 1, many, SOCK_FDS_MAX), 1);
	assert_int_equal(
	    sock_recv_fds(pair[1], buf, 8, fds, 2, &count, &lost), 1);
	assert_int_equal(count, 2);
	assert_true(lost);
	assert_int_equal(open_fds(), before + 2);
	close(fds[0]);
	close(fds[1]);

	/* A record that is too long is cut, and that is said too. */
	assert_int_equal(sock_send_fds(pair[0], "0123456789", 10, NULL, 0), 10);
	assert_int_equal(sock_next_len(pair[1]), 10);
	assert_int_equal(
	    sock_recv_fds(pair[1], buf, 8, fds, 0, &count, &lost), 8);
	assert_true(lost);

	close(pair[0]);
	assert_int_equal(
	    sock_recv_fds(pair[1], buf, 8, fds, 1, &count, NULL), 0);
	assert_int_equal(sock_send_fds(pair[1], "x", 1, NULL, 0), -EPIPE);
	close(pair[1]);
	close(p[0]);
	close(p[1]);
}

/* A small send buffer holds few records; the rest is -EAGAIN. */
static void
test_pair_has_the_buffer_asked_for(void **state)
{
	static const int sizes[2] = { 8192, 0 };
	int pair[2], fit[2] = { 0, 0 };
	char frame[1500] = { 0 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sock_seqpacket_pair(sizes[i], pair), 0);
		while (write(pair[0], frame, sizeof(frame)) > 0)
			fit[i]++;
		assert_int_equal(errno, EAGAIN);
		assert_int_equal(sock_next_len(pair[1]), sizeof(frame));
		assert_int_equal(sock_next_len(pair[0]), -EAGAIN);
		close(pair[0]);
		close(pair[1]);
	}
	assert_in_range(fit[0], 1, fit[1] - 1);
}

static void
test_memfd_cannot_change_its_size(void **state)
{
	int fd, huge, loose;

	(void)state;
	fd = memfd_sealed("coax-test", 8192);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 4096), -1);
	assert_int_equal(ftruncate(fd, 16384), -1);
	assert_int_equal(memfd_check(fd, 8192), 0);
	assert_int_equal(memfd_check(fd, 8193), -EMSGSIZE);
	close(fd);
	loose = memfd_create("loose", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_true(loose >= 0);
	assert_int_equal(memfd_check(loose, 0), -EPERM);
	close(loose);
	assert_int_equal(memfd_check(STDIN_FILENO, 0), -EPERM);
	/* Sealed, but of pages that may not be there when they are needed. */
	huge = memfd_create("huge", MFD_ALLOW_SEALING | MFD_HUGETLB);
	if (huge >= 0) {
		assert_int_equal(fcntl(huge, F_ADD_SEALS, F_SEAL_SHRINK), 0);
		assert_int_equal(memfd_check(huge, 0), -EPERM);
		close(huge);
	}
}

static void
test_descriptor_flags(void **state)
{
	int fd = memfd_create("flags", 0), copy;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fd_set_cloexec(fd, true), 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(fd_set_cloexec(fd, false), 0);
	assert_false(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(fd_set_nonblock(fd, true), 0);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	copy = fd;
	fd_close(&fd);
	assert_int_equal(fd, -1);
	fd_close(&fd);
	assert_int_equal(fd_set_nonblock(copy, true), -EBADF);
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_listener_serves_and_leaves_nothing),
		T(test_living_listener_is_not_replaced),
		T(test_stale_socket_is_replaced),
		T(test_listen_refuses),
		T(test_close_removes_only_its_own_socket),
		cmocka_unit_test(test_descriptors_travel),
		cmocka_unit_test(test_pair_has_the_buffer_asked_for),
		cmocka_unit_test(test_memfd_cannot_change_its_size),
		cmocka_unit_test(test_descriptor_flags),
	};
#undef T
	return cmocka_run_group_tests_name("os_sock", tests, NULL, NULL);
}
