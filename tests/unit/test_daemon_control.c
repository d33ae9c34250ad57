/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control sockets: limits, and clients that flood, half-close, stall, die,
 * send without end, or are not permitted. Clients are the other ends of socket
 * pairs, or connect to a path in a directory of the test's own; the loop is
 * stepped by hand.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "control/methods.h"
#include "daemon/control.h"
#include "os/clock.h"
#include "os/sock.h"

#define DEADLINE_NS (10 * CLOCK_NS_PER_SEC)

static unsigned int calls[4]; /* of test.count, by "who" */
static unsigned int most_apart;
static struct control *the_control;

static void
method_count(struct rpc_call *call)
{
	unsigned int who = (unsigned int)rpc_param_int(call, "who", 0);
	unsigned int apart;

	calls[who]++;
	apart = calls[0] > calls[1] ? calls[0] - calls[1] : calls[1] - calls[0];
	if (apart > most_apart)
		most_apart = apart;
	rpc_reply(call, json_integer(calls[who]));
}

/* An answer of a megabyte. */
static void
method_big(struct rpc_call *call)
{
	size_t len = 1000 * 1000;
	char *s = malloc(len + 1);

	assert_non_null(s);
	memset(s, 'x', len);
	s[len] = '\0';
	rpc_reply(call, json_string(s));
	free(s);
}

static void
method_subscribe(struct rpc_call *call)
{
	struct subscription *sub = control_subscription(call->session);

	sub->active = true;
	sub->types = UINT32_MAX;
	control_subscribed(the_control);
	rpc_reply(call, json_true());
}

static const struct rpc_method methods[] = {
	{ .name = "test.count",
	    .flags = RPC_READ_ONLY,
	    .params = { { .name = "who",
	        .type = RPC_INTEGER,
	        .optional = true,
	        .max = 3 } },
	    .handler = method_count,
	    .about = "counts" },
	{ .name = "test.change",
	    .handler = method_count,
	    .about = "not for readers" },
	{ .name = "test.big",
	    .flags = RPC_READ_ONLY,
	    .handler = method_big,
	    .about = "a long answer" },
	{ .name = "test.subscribe",
	    .flags = RPC_READ_ONLY,
	    .handler = method_subscribe,
	    .about = "all events" },
	{ .name = NULL },
};

static const struct rpc_method *const tables[] = { methods, NULL };

struct rig {
	struct loop *loop;
	struct net *net;
	struct rpc_server *server;
	struct control *control;
	char dir[64];
	char path[128];
};

static void
rig_open(struct rig *r, uint32_t clients_max, uint64_t stall_ns)
{
	struct net_options no = { 0 };
	struct rpc_server_options so = {
		.tables = tables,
		.close_fd = control_close_fd,
	};
	struct control_options co = {
		.clients_max = clients_max,
		.stall_ns = stall_ns,
	};

	memset(calls, 0, sizeof(calls));
	most_apart = 0;
	assert_int_equal(loop_create(&r->loop), 0);
	loop_set_spin(r->loop, 0);
	assert_int_equal(net_create(&no, &r->net), 0);
	so.net = r->net;
	co.loop = r->loop;
	co.net = r->net;
	assert_int_equal(rpc_server_create(&so, &r->server), 0);
	co.server = r->server;
	assert_int_equal(control_create(&co, &r->control), 0);
	the_control = r->control;
	strcpy(r->dir, "/tmp/coax-test-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	(void)snprintf(r->path, sizeof(r->path), "%s/c.sock", r->dir);
}

static void
rig_close(struct rig *r)
{
	control_destroy(r->control);
	rpc_server_destroy(r->server);
	net_destroy(r->net);
	loop_destroy(r->loop);
	/* Nothing may be left in the directory. */
	assert_int_equal(rmdir(r->dir), 0);
}

/* The client's end of a pair whose other end the control has. */
static int
rig_client(struct rig *r, bool read_only)
{
	int fds[2];

	assert_int_equal(
	    socketpair(
	        AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
	    0);
	assert_int_equal(control_adopt(r->control, fds[1], read_only), 0);
	return fds[0];
}

static void
client_send(int fd, const char *s)
{
	assert_int_equal(
	    send(fd, s, strlen(s), MSG_NOSIGNAL), (ssize_t)strlen(s));
}

/*
 * Steps the loop until the client has a line: its length; 0 at the end of the
 * connection. Fails after the deadline.
 */
static size_t
client_line(struct rig *r, int fd, char *buf, size_t size)
{
	uint64_t deadline = clock_now_ns() + DEADLINE_NS;
	size_t len = 0;

	while (clock_now_ns() < deadline) {
		ssize_t n = recv(fd, buf + len, 1, 0);

		if (n == 1) {
			if (buf[len++] == '\n') {
				buf[len - 1] = '\0';
				return len;
			}
			assert_true(len < size);
			continue;
		}
		if (n == 0 || errno == ECONNRESET)
			return 0;
		(void)loop_step(r->loop, CLOCK_NS_PER_MSEC);
	}
	fail_msg("no answer");
	return 0;
}

/* Steps until there are @count clients. */
static void
rig_wait_clients(struct rig *r, uint32_t count)
{
	uint64_t deadline = clock_now_ns() + DEADLINE_NS;

	while (control_clients(r->control) != count) {
		assert_true(clock_now_ns() < deadline);
		(void)loop_step(r->loop, CLOCK_NS_PER_MSEC);
	}
}

static const char count_line[] =
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"test.count\"}\n";

static void
test_request_is_answered(void **state)
{
	struct rig r;
	char buf[512];
	int fd;

	(void)state;
	rig_open(&r, 0, 0);
	fd = rig_client(&r, false);
	client_send(fd, count_line);
	assert_true(client_line(&r, fd, buf, sizeof(buf)) > 0);
	assert_string_equal(buf, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1}");
	close(fd);
	rig_wait_clients(&r, 0);
	rig_close(&r);
}

/* A client that sends many requests at once does not get ahead of another. */
static void
test_clients_take_turns(void **state)
{
	enum {
		N = 200
	};
	struct rig r;
	char line[128];
	int fds[2];

	(void)state;
	rig_open(&r, 0, 0);
	for (int who = 0; who < 2; who++) {
		fds[who] = rig_client(&r, false);
		(void)snprintf(line, sizeof(line),
		    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"test.count\","
		    "\"params\":{\"who\":%d}}\n",
		    who);
		for (int i = 0; i < N; i++)
			client_send(fds[who], line);
	}
	while (calls[0] < N || calls[1] < N)
		assert_true(loop_step(r.loop, 0) >= 0);
	/* One each a turn; the second may begin a turn later. */
	assert_in_range(most_apart, 0, 2);
	close(fds[0]);
	close(fds[1]);
	rig_wait_clients(&r, 0);
	rig_close(&r);
}

/* After shutdown(SHUT_WR) the answers still come, then the end. */
static void
test_half_closed_client_gets_its_answers(void **state)
{
	struct rig r;
	char buf[512];
	int fd;

	(void)state;
	rig_open(&r, 0, 0);
	fd = rig_client(&r, false);
	client_send(fd, count_line);
	/* The last line lacks its newline. */
	client_send(
	    fd, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"test.count\"}");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_true(client_line(&r, fd, buf, sizeof(buf)) > 0);
	assert_non_null(strstr(buf, "\"id\":1,\"result\":1"));
	assert_true(client_line(&r, fd, buf, sizeof(buf)) > 0);
	assert_non_null(strstr(buf, "\"id\":2,\"result\":2"));
	assert_int_equal(client_line(&r, fd, buf, sizeof(buf)), 0);
	assert_int_equal(control_clients(r.control), 0);
	close(fd);
	rig_close(&r);
}

static void
test_dead_client_is_dropped_with_work_left(void **state)
{
	struct rig r;
	int fd;

	(void)state;
	rig_open(&r, 0, 0);
	fd = rig_client(&r, false);
	for (int i = 0; i < 100; i++)
		client_send(fd, count_line);
	close(fd);
	rig_wait_clients(&r, 0);
	assert_true(calls[0] < 100);
	rig_close(&r);
}

/* A line of 100 MB: refused after RPC_LINE_MAX of them, with an error. */
static void
test_endless_line_is_refused_and_closed(void **state)
{
	static char chunk[65536];
	struct rig r;
	char buf[1024];
	size_t sent = 0;
	int fd;

	(void)state;
	memset(chunk, '[', sizeof(chunk));
	rig_open(&r, 0, 0);
	fd = rig_client(&r, false);
	while (sent < 100 * 1000 * 1000) {
		ssize_t n = send(fd, chunk, sizeof(chunk), MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			break;
		sent += n > 0 ? (size_t)n : 0;
		(void)loop_step(r.loop, CLOCK_NS_PER_MSEC);
	}
	assert_in_range(sent, 1, 4 * RPC_LINE_MAX);
	assert_int_equal(control_clients(r.control), 0);
	assert_true(client_line(&r, fd, buf, sizeof(buf)) > 0);
	assert_non_null(strstr(buf, "\"error\""));
	assert_int_equal(client_line(&r, fd, buf, sizeof(buf)), 0);
	close(fd);
	rig_close(&r);
}

/* Who does not take answers is not read from, and is dropped in the end. */
static void
test_stalled_client_is_dropped(void **state)
{
	struct rig r;
	int slow, quick;
	char buf[512];

	(void)state;
	rig_open(&r, 0, 50 * CLOCK_NS_PER_MSEC);
	slow = rig_client(&r, false);
	quick = rig_client(&r, false);
	for (int i = 0; i < 100; i++)
		client_send(slow, "{\"jsonrpc\":\"2.0\",\"id\":1,"
		                  "\"method\":\"test.big\"}\n");
	/* Meanwhile another is served. */
	client_send(quick, count_line);
	assert_true(client_line(&r, quick, buf, sizeof(buf)) > 0);
	rig_wait_clients(&r, 1);
	client_send(quick, count_line);
	assert_true(client_line(&r, quick, buf, sizeof(buf)) > 0);
	close(slow);
	close(quick);
	rig_wait_clients(&r, 0);
	rig_close(&r);
}

/* The same requests from a client that reads slowly are all answered. */
static void
test_slow_reader_gets_all(void **state)
{
	struct rig r;
	size_t got = 0;
	size_t lines = 0;
	uint64_t deadline = clock_now_ns() + DEADLINE_NS;
	static char buf[65536];
	int fd;

	(void)state;
	rig_open(&r, 0, 0);
	fd = rig_client(&r, false);
	for (int i = 0; i < 20; i++)
		client_send(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,"
		                "\"method\":\"test.big\"}\n");
	while (lines < 20) {
		ssize_t n;

		assert_true(clock_now_ns() < deadline);
		(void)loop_step(r.loop, 0);
		n = recv(fd, buf, sizeof(buf), 0);
		for (ssize_t i = 0; i < n; i++)
			lines += buf[i] == '\n';
		got += n > 0 ? (size_t)n : 0;
	}
	assert_true(got > 20 * 1000 * 1000);
	close(fd);
	rig_wait_clients(&r, 0);
	rig_close(&r);
}

static void
test_read_only_socket_refuses_changes(void **state)
{
	struct rig r;
	char buf[512];
	int fd;

	(void)state;
	rig_open(&r, 0, 0);
	fd = rig_client(&r, true);
	client_send(
	    fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"test.change\"}\n");
	assert_true(client_line(&r, fd, buf, sizeof(buf)) > 0);
	assert_non_null(strstr(buf, "\"error\""));
	assert_int_equal(calls[0], 0);
	client_send(fd, count_line);
	assert_true(client_line(&r, fd, buf, sizeof(buf)) > 0);
	assert_non_null(strstr(buf, "\"result\":1"));
	close(fd);
	rig_wait_clients(&r, 0);
	rig_close(&r);
}

static void
test_too_many_clients_are_told_so(void **state)
{
	struct rig r;
	char buf[512];
	int fds[2], one, two;

	(void)state;
	rig_open(&r, 2, 0);
	one = rig_client(&r, false);
	two = rig_client(&r, false);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(control_adopt(r.control, fds[1], false), -EUSERS);
	assert_true(client_line(&r, fds[0], buf, sizeof(buf)) > 0);
	assert_non_null(strstr(buf, "too many clients"));
	assert_int_equal(client_line(&r, fds[0], buf, sizeof(buf)), 0);
	close(fds[0]);
	close(one);
	rig_wait_clients(&r, 1);
	one = rig_client(&r, false); /* there is room again */
	close(one);
	close(two);
	rig_wait_clients(&r, 0);
	rig_close(&r);
}

static int
try_client(struct rig *r, bool read_only, int *out)
{
	int fds[2], err;

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	err = control_adopt(r->control, fds[1], read_only);
	*out = fds[0];
	return err;
}

/* As many readers as like to: the other socket answers. */
static void
test_readers_do_not_take_the_writers_places(void **state)
{
	struct rig r;
	char buf[512];
	int fds[64], extra, fd;

	(void)state;
	rig_open(&r, 128, 0);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		assert_int_equal(try_client(&r, true, &fds[i]), 0);
	assert_int_equal(try_client(&r, true, &extra), -EUSERS);
	close(extra);
	fd = rig_client(&r, false);
	client_send(fd, count_line);
	assert_true(client_line(&r, fd, buf, sizeof(buf)) > 0);
	assert_non_null(strstr(buf, "\"result\":1"));
	close(fd);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
	rig_wait_clients(&r, 0);
	rig_close(&r);
}

/* One more connection, made by another user of the daemon's group. */
static int
try_client_of(struct rig *r, uid_t uid, bool read_only, int *out)
{
	int fds[2];

	assert_int_equal(seteuid(uid), 0);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(seteuid(0), 0);
	*out = fds[0];
	return control_adopt(r->control, fds[1], read_only);
}

/* No user takes another's places, and all of them leave some to the owner. */
static void
test_users_have_a_share_and_the_owner_a_reserve(void **state)
{
	struct rig r;
	int fds[64], extra, count = 0;

	(void)state;
	if (geteuid() != 0)
		skip();       /* nobody else can be impersonated */
	rig_open(&r, 128, 0); /* 64 readers, 16 a user, 48 of users */
	for (uid_t uid = 60001; uid <= 60004; uid++) {
		for (int i = 0; i < 16 && count < 48; i++)
			assert_int_equal(
			    try_client_of(&r, uid, true, &fds[count++]), 0);
		assert_int_equal(try_client_of(&r, uid, true, &extra), -EUSERS);
		close(extra);
	}
	assert_int_equal(count, 48);
	while (count < 64)
		assert_int_equal(try_client(&r, true, &fds[count++]), 0);
	assert_int_equal(try_client(&r, true, &extra), -EUSERS);
	close(extra);
	while (count > 0)
		close(fds[--count]);
	rig_wait_clients(&r, 0);
	rig_close(&r);
}

static void
test_stranger_is_refused(void **state)
{
	struct rig r;
	char buf[512];
	int fds[2];

	(void)state;
	if (geteuid() != 0)
		skip(); /* nobody else can be impersonated */
	rig_open(&r, 0, 0);
	/* A pair carries the credentials of its maker. */
	assert_int_equal(setegid(65534), 0);
	assert_int_equal(seteuid(65534), 0);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(setegid(0), 0);
	/* Root may be in the group that the stranger has not given up. */
	if (getgroups(0, NULL) == 0) {
		int copy = fcntl(fds[1], F_DUPFD_CLOEXEC, 0);

		assert_int_equal(control_adopt(r.control, copy, true), -EACCES);
		assert_true(client_line(&r, fds[0], buf, sizeof(buf)) > 0);
	}
	assert_int_equal(control_adopt(r.control, fds[1], false), -EACCES);
	assert_true(client_line(&r, fds[0], buf, sizeof(buf)) > 0);
	assert_non_null(strstr(buf, "\"errno\":\"EACCES\""));
	assert_int_equal(client_line(&r, fds[0], buf, sizeof(buf)), 0);
	close(fds[0]);
	rig_close(&r);
}

/* Descriptors that no request claims do not stay open. */
static void
test_unclaimed_descriptors_are_closed(void **state)
{
	struct rig r;
	int fd, pipefd[2];
	char c;

	(void)state;
	rig_open(&r, 0, 0);
	fd = rig_client(&r, false);
	assert_int_equal(pipe2(pipefd, O_NONBLOCK), 0);
	assert_int_equal(
	    sock_send_fds(fd, count_line, strlen(count_line), &pipefd[1], 1),
	    (ssize_t)strlen(count_line));
	close(pipefd[1]);
	assert_int_equal(read(pipefd[0], &c, 1), -1); /* still in flight */
	close(fd);
	rig_wait_clients(&r, 0);
	assert_int_equal(read(pipefd[0], &c, 1), 0); /* nobody has it */
	close(pipefd[0]);
	rig_close(&r);
}

/* A subscriber that does not read loses events, and is told how many. */
static void
test_slow_subscriber_is_told_what_it_lost(void **state)
{
	enum {
		N = 20000
	};
	static char buf[65536];
	struct net_event ev = {
		.type = NET_EVENT_NOTICE,
		.vlan = -1,
		.text = "something happened, and it is worth a line or two",
	};
	unsigned long long lost = 0;
	unsigned int got = 0;
	struct rig r;
	int fd;

	(void)state;
	rig_open(&r, 0, 0);
	fd = rig_client(&r, true);
	client_send(fd,
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"test.subscribe\"}\n");
	assert_true(client_line(&r, fd, buf, sizeof(buf)) > 0);
	for (int i = 0; i < N; i++) {
		net_emit(r.net, &ev);
		if (i % 64 == 0)
			assert_true(loop_step(r.loop, 0) >= 0);
	}
	while (got + lost < N) {
		const char *p;

		assert_true(client_line(&r, fd, buf, sizeof(buf)) > 0);
		if (strstr(buf, "\"lost\"") == NULL) {
			got++;
			continue;
		}
		p = strstr(buf, "\"count\":");
		assert_non_null(p);
		lost += strtoull(p + 8, NULL, 10);
	}
	assert_int_equal(got + lost, N);
	assert_true(lost > 0);
	/* What it held was bounded: its socket, and CONTROL_EVENTS_SIZE. */
	assert_true(got > 0 && got < N / 2);
	close(fd);
	rig_wait_clients(&r, 0);
	rig_close(&r);
}

static void
test_path_of_the_read_only_socket(void **state)
{
	static const char *const cases[][2] = {
		{ "/run/coax/coax.sock", "/run/coax/coax-ro.sock" },
		{ "/tmp/x.d/ctl", "/tmp/x.d/ctl-ro" },
		{ "/tmp/.hidden", "/tmp/.hidden-ro" },
		{ "s.a.b", "s.a-ro.b" },
	};
	char buf[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(
		    control_path_ro(cases[i][0], buf, sizeof(buf)), 0);
		assert_string_equal(buf, cases[i][1]);
	}
	assert_int_equal(
	    control_path_ro("/run/coax/coax.sock", buf, 10), -ENAMETOOLONG);
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	return st.st_mode & 07777;
}

/* Both sockets answer, have their modes, and go at the end. */
static void
test_sockets_of_a_path(void **state)
{
	struct rig r;
	char ro[160];
	char buf[512];
	int fd;

	(void)state;
	rig_open(&r, 0, 0);
	assert_int_equal(control_listen(r.control, r.path), 0);
	assert_int_equal(control_path_ro(r.path, ro, sizeof(ro)), 0);
	assert_int_equal(mode_of(r.path), 0600);
	assert_int_equal(mode_of(ro), 0660);
	fd = sock_connect_unix(ro, SOCK_STREAM);
	assert_true(fd >= 0);
	assert_int_equal(fd_set_nonblock(fd, true), 0);
	client_send(fd, count_line);
	assert_true(client_line(&r, fd, buf, sizeof(buf)) > 0);
	client_send(
	    fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"test.change\"}\n");
	assert_true(client_line(&r, fd, buf, sizeof(buf)) > 0);
	assert_non_null(strstr(buf, "\"error\""));
	close(fd);
	rig_close(&r); /* checks that the directory is empty */
}

static void
test_second_daemon_is_refused_stale_socket_replaced(void **state)
{
	struct control_options co = { 0 };
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct control *second;
	struct rig r;
	int fd;

	(void)state;
	rig_open(&r, 0, 0);
	/* What a killed daemon leaves: a socket that nobody listens on. */
	assert_true(strlen(r.path) < sizeof(sa.sun_path));
	strcpy(sa.sun_path, r.path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	close(fd);
	assert_int_equal(control_listen(r.control, r.path), 0);

	co.loop = r.loop;
	co.net = r.net;
	co.server = r.server;
	assert_int_equal(control_create(&co, &second), 0);
	assert_int_equal(control_listen(second, r.path), -EADDRINUSE);
	control_destroy(second);
	/* The first one's sockets are still there. */
	assert_int_equal(mode_of(r.path), 0600);
	rig_close(&r);
}

/*
 * Out of descriptors a client waits in the queue; the loop sleeps meanwhile,
 * and serves it when there is one again.
 */
static void
test_out_of_descriptors(void **state)
{
	struct rlimit old, none;
	struct loop_stats before, after;
	struct rig r;
	char buf[512];
	uint64_t end;
	int fd, next;

	(void)state;
	rig_open(&r, 0, 0);
	assert_int_equal(control_listen(r.control, r.path), 0);
	fd = sock_connect_unix(r.path, SOCK_STREAM);
	assert_true(fd >= 0);
	assert_int_equal(fd_set_nonblock(fd, true), 0);
	client_send(fd, count_line);
	next = dup(fd);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = (rlim_t)next;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);

	loop_get_stats(r.loop, &before);
	end = clock_now_ns() + 250 * CLOCK_NS_PER_MSEC;
	while (clock_now_ns() < end)
		(void)loop_step(r.loop, 50 * CLOCK_NS_PER_MSEC);
	loop_get_stats(r.loop, &after);
	assert_int_equal(control_clients(r.control), 0);
	assert_in_range(after.iterations - before.iterations, 1, 40);

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_true(client_line(&r, fd, buf, sizeof(buf)) > 0);
	assert_non_null(strstr(buf, "\"result\":1"));
	close(fd);
	rig_wait_clients(&r, 0);
	rig_close(&r);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_is_answered),
		cmocka_unit_test(test_clients_take_turns),
		cmocka_unit_test(test_half_closed_client_gets_its_answers),
		cmocka_unit_test(test_dead_client_is_dropped_with_work_left),
		cmocka_unit_test(test_endless_line_is_refused_and_closed),
		cmocka_unit_test(test_stalled_client_is_dropped),
		cmocka_unit_test(test_slow_reader_gets_all),
		cmocka_unit_test(test_read_only_socket_refuses_changes),
		cmocka_unit_test(test_too_many_clients_are_told_so),
		cmocka_unit_test(test_readers_do_not_take_the_writers_places),
		cmocka_unit_test(
		    test_users_have_a_share_and_the_owner_a_reserve),
		cmocka_unit_test(test_stranger_is_refused),
		cmocka_unit_test(test_unclaimed_descriptors_are_closed),
		cmocka_unit_test(test_slow_subscriber_is_told_what_it_lost),
		cmocka_unit_test(test_path_of_the_read_only_socket),
		cmocka_unit_test(test_sockets_of_a_path),
		cmocka_unit_test(
		    test_second_daemon_is_refused_stale_socket_replaced),
		cmocka_unit_test(test_out_of_descriptors),
	};

	return cmocka_run_group_tests_name("daemon_control", tests, NULL, NULL);
}
