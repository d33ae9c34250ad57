/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libcoax against a daemon that is a script: a thread that listens on a path,
 * reads lines and answers with prepared ones. What the connection makes of
 * answers, refusals, events in between, descriptors, nonsense and the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "coax/coax.h"
#include "coax/tap.h"
#include "os/sock.h"

/* What the daemon says after each line that it reads. */
struct script {
	const char *answers[8]; /* NULL ends it: it closes */
	int send_fd;            /* goes with the last answer; -1: none */
};

struct rig {
	char dir[64];
	char path[128];
	struct sock_listener listener;
	pthread_t thread;
	struct script script;
	char lines[8][1024]; /* what it has read */
	unsigned int line_count;
	unsigned int fd_count; /* descriptors that came with them */
};

/* Reads one line into the rig's list; false at the end. */
static bool
daemon_line(struct rig *r, int fd)
{
	char *line = r->lines[r->line_count];
	size_t len = 0;

	for (;;) {
		int fds[SOCK_FDS_MAX];
		unsigned int count;
		ssize_t n = sock_recv_fds(
		    fd, line + len, 1, fds, SOCK_FDS_MAX, &count, NULL);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return false;
		r->fd_count += count;
		for (unsigned int i = 0; i < count; i++)
			close(fds[i]);
		if (line[len] == '\n') {
			line[len] = '\0';
			r->line_count++;
			return true;
		}
		if (len < sizeof(r->lines[0]) - 1)
			len++;
	}
}

static void *
daemon_thread(void *arg)
{
	struct rig *r = arg;
	int fd;

	do {
		fd = sock_accept(r->listener.fd);
	} while (fd == -EINTR);
	if (fd < 0)
		return NULL;
	(void)fd_set_nonblock(fd, false);
	for (int i = 0; r->script.answers[i] != NULL; i++) {
		const char *s = r->script.answers[i];
		bool last = r->script.answers[i + 1] == NULL;

		if (!daemon_line(r, fd))
			break;
		if (*s != '\0' &&
		    sock_send_fds(fd, s, strlen(s), &r->script.send_fd,
		        last && r->script.send_fd >= 0 ? 1 : 0) < 0)
			break;
	}
	close(fd);
	return NULL;
}

static void
rig_open(struct rig *r, const struct script *script)
{
	memset(r, 0, sizeof(*r));
	r->script = *script;
	strcpy(r->dir, "/tmp/coax-test-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	(void)snprintf(r->path, sizeof(r->path), "%s/c.sock", r->dir);
	assert_int_equal(sock_listen_unix(r->path, NULL, &r->listener), 0);
	assert_int_equal(fd_set_nonblock(r->listener.fd, false), 0);
	assert_int_equal(setenv("COAX_SOCKET", r->path, 1), 0);
	assert_int_equal(pthread_create(&r->thread, NULL, daemon_thread, r), 0);
}

static void
rig_close(struct rig *r)
{
	assert_int_equal(pthread_join(r->thread, NULL), 0);
	sock_listener_close(&r->listener);
	assert_int_equal(rmdir(r->dir), 0);
}

#define HELLO_OK "{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{}}\n"

static void
test_request(void **state)
{
	static const struct script s = { .send_fd = -1,
		.answers = { HELLO_OK,
		    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[1,\"x\"]}\n" } };
	struct rig r;
	struct coax *c;
	char *text;

	(void)state;
	rig_open(&r, &s);
	assert_int_equal(coax_connect(NULL, &c), 0);
	assert_int_equal(
	    coax_request(c, "some.thing", "{\n\"a\": 1}", &text), 0);
	assert_string_equal(text, "[1,\"x\"]");
	free(text);
	assert_string_equal(coax_errmsg(c), "");
	assert_null(coax_error(c));
	coax_close(c);
	rig_close(&r);
	/* The namespace's descriptor goes first; a request is one line. */
	assert_non_null(strstr(r.lines[0], "\"method\":\"session.hello\""));
	assert_non_null(strstr(r.lines[0], "\"client\":\"test_lib_client\""));
	assert_int_equal(r.fd_count, 1);
	assert_string_equal(r.lines[1],
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"some.thing\","
	    "\"params\":{\"a\":1}}");
}

static void
test_refusal(void **state)
{
	static const struct script s = { .send_fd = -1,
		.answers = { HELLO_OK,
		    "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32000,"
		    "\"message\":\"SIOCIFCREATE2 (tap0): File exists\","
		    "\"data\":{\"errno\":\"EEXIST\",\"exit\":1,"
		    "\"detail\":\"it does\"}}}\n",
		    "{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32601,"
		    "\"message\":\"method not found\"}}\n",
		    "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":null}\n" } };
	struct rig r;
	struct coax *c;
	char *text = NULL;

	(void)state;
	rig_open(&r, &s);
	assert_int_equal(coax_connect(r.path, &c), 0);
	assert_int_equal(coax_request(c, "a", NULL, &text), -EEXIST);
	assert_null(text);
	assert_string_equal(
	    coax_errmsg(c), "SIOCIFCREATE2 (tap0): File exists (it does)");
	assert_non_null(strstr(coax_error(c), "\"errno\":\"EEXIST\""));
	assert_int_equal(coax_request(c, "b", NULL, &text), -ENOSYS);
	/* A later success forgets it. */
	assert_int_equal(coax_request(c, "c", "[]", &text), 0);
	assert_string_equal(text, "null");
	assert_null(coax_error(c));
	free(text);
	coax_close(c);
	rig_close(&r);
}

/* What is not JSON is refused here, before anything is sent. */
static void
test_bad_params_are_not_sent(void **state)
{
	static const struct script s = { .send_fd = -1,
		.answers = { HELLO_OK,
		    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":7}\n" } };
	struct rig r;
	struct coax *c;
	char *text = NULL;
	int fds[1] = { 0 };

	(void)state;
	rig_open(&r, &s);
	assert_int_equal(coax_connect(NULL, &c), 0);
	assert_int_equal(coax_request(c, "a", "{\"x\":", &text), -EINVAL);
	assert_int_equal(coax_request(c, "a", "{} {}", &text), -EINVAL);
	assert_int_equal(coax_request(c, "\xff", NULL, &text), -EINVAL);
	assert_int_equal(coax_request_fds(c, "a", NULL, fds, COAX_FDS_MAX + 1,
	                     &text, NULL, 0, NULL),
	    -EINVAL);
	assert_int_equal(
	    coax_request_fds(c, "a", "[]", fds, 1, &text, NULL, 0, NULL),
	    -EINVAL);
	assert_null(text);
	assert_true(coax_errmsg(c)[0] != '\0');
	assert_int_equal(coax_request(c, "a", NULL, NULL), 0);
	coax_close(c);
	rig_close(&r);
	assert_int_equal(r.line_count, 2);
}

/* Events before an answer are kept, in order; ones after it are waited for. */
static void
test_events(void **state)
{
	static const struct script s = { .send_fd = -1,
		.answers = { "",
		    "{\"jsonrpc\":\"2.0\",\"method\":\"event\","
		    "\"params\":{\"n\":1}}\n" HELLO_OK
		    "{\"jsonrpc\":\"2.0\",\"method\":\"event\","
		    "\"params\":{\"n\":2}}\n"
		    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":true}\n"
		    "{\"jsonrpc\":\"2.0\",\"method\":\"event\","
		    "\"params\":{\"n\":3}}\n" } };
	struct rig r;
	struct coax *c;
	char *text;

	(void)state;
	rig_open(&r, &s);
	assert_int_equal(coax_connect(NULL, &c), 0);
	assert_int_equal(coax_request(c, "events.subscribe", NULL, NULL), 0);
	for (int i = 1; i <= 3; i++) {
		char expected[16];

		(void)snprintf(expected, sizeof(expected), "{\"n\":%d}", i);
		assert_int_equal(coax_next_event(c, 5000, &text), 1);
		assert_string_equal(text, expected);
		free(text);
	}
	assert_int_equal(coax_next_event(c, -1, &text), -EPIPE);
	coax_close(c);
	rig_close(&r);
}

static void
test_no_event_is_a_timeout(void **state)
{
	static const struct script s = { .send_fd = -1,
		.answers = { HELLO_OK, HELLO_OK } };
	struct rig r;
	struct coax *c;
	char *text = NULL;

	(void)state;
	rig_open(&r, &s);
	assert_int_equal(coax_connect(NULL, &c), 0);
	assert_int_equal(coax_next_event(c, 0, &text), 0);
	assert_int_equal(coax_next_event(c, 1, &text), 0);
	assert_null(text);
	coax_close(c);
	rig_close(&r);
}

static void
test_descriptor_with_the_answer(void **state)
{
	struct script s = { .answers = { HELLO_OK,
		                "{\"jsonrpc\":\"2.0\",\"id\":1,"
		                "\"result\":{\"fd\":0}}\n" } };
	unsigned int count = 0;
	struct rig r;
	struct coax *c;
	int pipefd[2];
	int got = -1;
	char byte;

	(void)state;
	assert_int_equal(pipe(pipefd), 0);
	s.send_fd = pipefd[1];
	rig_open(&r, &s);
	assert_int_equal(coax_connect(NULL, &c), 0);
	assert_int_equal(coax_request_fds(c, "a", "{\"k\":1}", &pipefd[0], 1,
	                     NULL, &got, 1, &count),
	    0);
	assert_int_equal(count, 1);
	assert_int_equal(fcntl(got, F_GETFD), FD_CLOEXEC);
	coax_close(c); /* does not take it away */
	rig_close(&r);
	assert_non_null(strstr(r.lines[1], "\"fds\":1"));
	assert_int_equal(r.fd_count, 2); /* the namespace, and ours */
	assert_int_equal(write(got, "x", 1), 1);
	assert_int_equal(read(pipefd[0], &byte, 1), 1);
	close(got);
	close(pipefd[0]);
	close(pipefd[1]);
}

/* A daemon that says something else than JSON-RPC, or ends. */
static void
test_nonsense_and_the_end(void **state)
{
	static const char *const nonsense[] = { "hello\n", "[]\n", "17\n",
		"{\"jsonrpc\":\"2.0\",\"id\":1}\n" };
	char *text = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		struct script s = { .send_fd = -1,
			.answers = { HELLO_OK, nonsense[i] } };
		struct rig r;
		struct coax *c;

		rig_open(&r, &s);
		assert_int_equal(coax_connect(NULL, &c), 0);
		assert_int_equal(coax_request(c, "a", NULL, &text), -EPROTO);
		assert_null(text);
		assert_true(coax_errmsg(c)[0] != '\0');
		coax_close(c);
		rig_close(&r);
	}
	{
		static const struct script s = { .send_fd = -1,
			.answers = { HELLO_OK,
			    "{\"jsonrpc\":\"2.0\",\"id\":1,\"resu" } };
		struct rig r;
		struct coax *c;

		rig_open(&r, &s);
		assert_int_equal(coax_connect(NULL, &c), 0);
		assert_int_equal(coax_request(c, "a", NULL, &text), -EPIPE);
		assert_null(text);
		coax_close(c);
		rig_close(&r);
	}
}

/* An error whose id is null is the answer: what was sent was not understood. */
static void
test_error_without_id(void **state)
{
	static const struct script s = { .send_fd = -1,
		.answers = { "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{"
		             "\"code\":-32000,\"message\":\"too many\","
		             "\"data\":{\"errno\":\"EUSERS\"}}}\n" } };
	struct rig r;
	struct coax *c;

	(void)state;
	rig_open(&r, &s);
	assert_int_equal(coax_connect(NULL, &c), 0);
	assert_int_equal(coax_request(c, "a", NULL, NULL), -EUSERS);
	assert_string_equal(coax_errmsg(c), "too many");
	coax_close(c);
	rig_close(&r);
}

static void
test_connect_without_daemon(void **state)
{
	char dir[] = "/tmp/coax-test-XXXXXX";
	struct coax *c = NULL;
	char path[300];

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/none.sock", dir);
	assert_int_equal(coax_connect(path, &c), -ENOENT);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(coax_connect(path, &c), -ENAMETOOLONG);
	assert_int_equal(coax_connect(path, NULL), -EINVAL);
	assert_null(c);
	coax_close(NULL);
	assert_int_equal(rmdir(dir), 0);
}

static void
test_tap_open_and_name(void **state)
{
	struct script s = { .answers = { HELLO_OK,
		                "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{"
		                "\"name\":\"tap3\",\"fd\":0}}\n" } };
	static const struct script named = { .send_fd = -1,
		.answers = { HELLO_OK, "{\"jsonrpc\":\"2.0\",\"id\":1,"
		                       "\"result\":{\"name\":\"tap3\"}}\n" } };
	char name[COAX_TAP_NAME_MAX] = "";
	char buf[16];
	uint64_t cookie;
	socklen_t len = sizeof(cookie);
	char expected[64];
	struct rig r;
	int fds[2];
	int fd;

	(void)state;
	assert_int_equal(sock_seqpacket_pair(0, fds), 0);
	s.send_fd = fds[1];
	rig_open(&r, &s);
	fd = coax_tap_open(NULL, name);
	assert_true(fd >= 0);
	rig_close(&r);
	assert_string_equal(name, "tap3");
	assert_non_null(
	    strstr(r.lines[1], "\"params\":{\"name\":null,\"netns\":0,"));
	assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);

	/* The size of the next frame, not of all. */
	assert_int_equal(coax_tap_next_size(fd), 0);
	assert_int_equal(send(fds[0], "12345", 5, 0), 5);
	assert_int_equal(send(fds[0], "1234567", 7, 0), 7);
	assert_int_equal(coax_tap_next_size(fd), 5);
	assert_int_equal(read(fd, buf, sizeof(buf)), 5);
	assert_int_equal(coax_tap_next_size(fd), 7);
	assert_int_equal(coax_tap_next_size(-1), -EBADF);

	/* Its name, by the socket's cookie, also of a duplicate. */
	assert_int_equal(
	    getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len), 0);
	(void)snprintf(expected, sizeof(expected), "{\"cookie\":%llu}",
	    (unsigned long long)cookie);
	memset(name, 0, sizeof(name));
	rig_open(&r, &named);
	assert_int_equal(coax_tap_ifname(dup(fd), name), 0);
	rig_close(&r);
	assert_string_equal(name, "tap3");
	assert_non_null(strstr(r.lines[1], expected));
	assert_int_equal(coax_tap_ifname(-1, name), -EBADF);
	close(fd);
	close(fds[0]);
	close(fds[1]);
}

static void
test_tap_open_refused(void **state)
{
	static const struct script s = { .send_fd = -1,
		.answers = { HELLO_OK,
		    "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32000,"
		    "\"message\":\"tap9: Device not configured\","
		    "\"data\":{\"errno\":\"ENXIO\",\"exit\":1}}}\n" } };
	/* An answer that promises a descriptor but brings none. */
	static const struct script lie = { .send_fd = -1,
		.answers = { HELLO_OK,
		    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{"
		    "\"name\":\"tap3\",\"fd\":0}}\n" } };
	char name[COAX_TAP_NAME_MAX] = "same";
	struct rig r;

	(void)state;
	rig_open(&r, &s);
	assert_int_equal(coax_tap_open("tap9", name), -ENXIO);
	rig_close(&r);
	rig_open(&r, &lie);
	assert_int_equal(coax_tap_open(NULL, name), -EPROTO);
	rig_close(&r);
	assert_string_equal(name, "same");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_refusal),
		cmocka_unit_test(test_bad_params_are_not_sent),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_no_event_is_a_timeout),
		cmocka_unit_test(test_descriptor_with_the_answer),
		cmocka_unit_test(test_nonsense_and_the_end),
		cmocka_unit_test(test_error_without_id),
		cmocka_unit_test(test_connect_without_daemon),
		cmocka_unit_test(test_tap_open_and_name),
		cmocka_unit_test(test_tap_open_refused),
	};

	return cmocka_run_group_tests_name("lib_client", tests, NULL, NULL);
}
