/* SPDX-License-Identifier: BSD-2-Clause */
/* A sock whose far end is this test: what peers do right, and what wrong. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "drv/drv.h"
#include "drv/endpoint.h"
#include "drv/sock.h"
#include "drv/sock_impl.h"
#include "frame/offload.h"
#include "net_fixture.h"
#include "os/clock.h"
#include "os/loop.h"
#include "os/sock.h"

static struct {
	struct loop *loop;
	struct net *net;
	struct iface *ifp;
	struct fixture_sink sink;
	char dir[32];
	int fd; /* our end */
} t;

/* Runs until nothing is left to do. */
static void
run(void)
{
	bool more = true;

	while (more) {
		more = loop_step(t.loop, 0) == 1;
		t.net->now_ns = loop_now_ns(t.loop);
		while (net_poll(t.net))
			more = true;
	}
}

/* Runs until @condition; fails after ten seconds. */
#define RUN_UNTIL(condition)                                   \
	do {                                                   \
		uint64_t end_ = clock_now_ns() + 10000000000u; \
		while (run(), !(condition)) {                  \
			assert_true(clock_now_ns() < end_);    \
			(void)loop_step(t.loop, 5000000);      \
		}                                              \
	} while (0)

static int
setup(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	t.fd = -1;
	strcpy(t.dir, "/tmp/coax-sock-XXXXXX");
	assert_non_null(mkdtemp(t.dir));
	assert_int_equal(loop_create(&t.loop), 0);
	loop_set_spin(t.loop, 0);
	t.net = fixture_net(drv_kinds, NULL, 2048);
	assert_int_equal(drv_init(t.net, t.loop), 0);
	t.ifp = fixture_iface_up(t.net, "sock");
	fixture_sink_init(&t.sink);
	assert_int_equal(iface_stack_attach(t.ifp, &t.sink.stack), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	net_destroy(t.net); /* asserts that all frames are back */
	if (t.fd >= 0)
		close(t.fd);
	loop_destroy(t.loop);
	/* The sock has left no socket and no lock behind. */
	assert_int_equal(rmdir(t.dir), 0);
	return 0;
}

static const char *
path(const char *name)
{
	static char text[64];

	snprintf(text, sizeof(text), "%s/%s", t.dir, name);
	return text;
}

static struct sockaddr_un
sun_of(const char *name)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	strcpy(sun.sun_path, path(name));
	return sun;
}

/* "listen", "unix:s" (the path is below dir), "dgram" or NULL, 0 or bytes. */
static int
word(const char *name, const char *address, const char *framing, uint64_t hdr)
{
	union keyword_value v[KEYWORD_ARGS_MAX] = { { 0 } };
	const struct iface_keyword *k = sock_ops.keywords;
	char text[96] = "";

	if (address != NULL && strncmp(address, "unix:", 5) == 0)
		snprintf(text, sizeof(text), "unix:%s/%s", t.dir, address + 5);
	else if (address != NULL)
		snprintf(text, sizeof(text), "%s", address);
	v[0].str = text;
	v[1].str = framing;
	v[2].num = hdr;
	while (strcmp(k->name, name) != 0)
		k++;
	t.net->message[0] = '\0';
	return k->apply(t.ifp, v);
}

static int
stream_to(const char *name)
{
	struct sockaddr_un sun = sun_of(name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

static void
listening(void)
{
	assert_int_equal(word("listen", "unix:s", NULL, 0), 0);
	t.fd = stream_to("s");
	run();
	assert_int_equal(t.ifp->link, IFACE_LINK_UP);
}

/* A record: its length and a frame. */
static size_t
record(uint8_t *to, uint32_t len, uint8_t mark)
{
	be32_put(to, len);
	fixture_bytes(to + 4, len, mark);
	return 4 + len;
}

static void
sends(const void *data, size_t len)
{
	assert_int_equal(send(t.fd, data, len, MSG_NOSIGNAL), len);
}

static void
send_record(uint32_t len, uint8_t mark)
{
	static uint8_t data[4 + 70000];

	sends(data, record(data, len, mark));
}

/* The next record that the sock sends: its length. */
static uint32_t
receive(uint8_t *data)
{
	uint8_t hdr[4];
	uint32_t len;

	run();
	assert_int_equal(recv(t.fd, hdr, 4, MSG_WAITALL), 4);
	len = be32_get(hdr);
	for (uint32_t got = 0; got < len;) {
		ssize_t n = recv(t.fd, data + got, len - got, MSG_DONTWAIT);

		if (n > 0)
			got += (uint32_t)n;
		else
			run();
	}
	return len;
}

static bool
closed(int fd)
{
	uint8_t byte;

	run();
	return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

/* --- addresses ------------------------------------------------------------ */

static void
test_addresses(void **state)
{
	static const struct {
		const char *in, *out;
	} good[] = {
		{ "unix:/run/vm.sock", "unix:/run/vm.sock" },
		{ "tcp:5000", "tcp:127.0.0.1:5000" },
		{ "tcp:localhost:5000", "tcp:127.0.0.1:5000" },
		{ "tcp:192.0.2.1:1", "tcp:192.0.2.1:1" },
		{ "tcp:0.0.0.0:65535", "tcp:0.0.0.0:65535" },
		{ "udp:[::1]:99", "udp:[::1]:99" },
		{ "udp:[2001:DB8:0::1]:99", "udp:[2001:db8::1]:99" },
	};
	static const char *const bad[] = { "", "unix", "unix:", "unix:rel",
		"/run/x", "tcp:", "tcp:0", "tcp:65536", "tcp:x", "tcp::5",
		"tcp:1.2.3:4", "tcp:::1:5", "tcp:[::1]", "tcp:[::1:5",
		"tcp:[1.2.3.4]:5", "tcp:host:5", "udp:224.0.0.1:5",
		"udp:255.255.255.255:5", "udp:[ff02::1]:5", "sctp:5", "tcp:5 ",
		"tcp:+5", "udp:[]:5",
		"tcp:[aaaa:aaaa:aaaa:aaaa:aaaa:aaaa:aaaa:aaaa:aaaa:aaaa]:5",
		("unix:/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx") };
	char text[ENDPOINT_TEXT_MAX];
	struct endpoint e, again;
	const char *why;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(endpoint_parse(good[i].in, &e, &why), 0);
		assert_null(why);
		assert_string_equal(endpoint_format(&e, text), good[i].out);
		assert_int_equal(endpoint_parse(text, &again, NULL), 0);
		assert_true(endpoint_equal(&e, &again));
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(endpoint_parse(bad[i], &e, &why), -EINVAL);
		assert_non_null(why);
	}
	e = (struct endpoint){ 0 };
	assert_string_equal(endpoint_format(&e, text), "");
	assert_false(endpoint_equal(&e, &again));
}

/* --- the stream ----------------------------------------------------------- */

static void
test_frames_both_ways(void **state)
{
	static uint8_t data[70000];

	(void)state;
	listening();
	send_record(60, 1);
	send_record(1514, 2);
	run();
	assert_int_equal(t.sink.frames, 2);
	assert_int_equal(t.sink.last_len, 1514);
	assert_int_equal(iface_set_mtu(t.ifp, 65521), 0);
	send_record(65535, 3);
	run();
	assert_int_equal(t.sink.frames, 3);
	assert_int_equal(t.sink.last_len, 65535);
	fixture_output(t.ifp, 1, 60);
	fixture_output(t.ifp, 1, 65535);
	assert_int_equal(receive(data), 60);
	assert_int_equal(receive(data), 65535);
	assert_int_equal(t.ifp->count.opackets, 2);
	assert_int_equal(t.ifp->count.obytes, 60 + 65535);
	assert_int_equal(fixture_drops(t.ifp), 0);
}

/* Byte by byte, or many at once: it is a stream. */
static void
test_records_may_be_cut_anywhere(void **state)
{
	uint8_t data[3 * 104];
	size_t len = record(data, 100, 1);

	(void)state;
	listening();
	len += record(data + len, 14, 2);
	len += record(data + len, 100, 3);
	for (size_t i = 0; i < len; i++) {
		sends(data + i, 1);
		run();
	}
	assert_int_equal(t.sink.frames, 3);
	for (size_t cut = 1; cut < len; cut++) {
		t.sink.frames = 0;
		sends(data, cut);
		run();
		sends(data + cut, len - cut);
		run();
		assert_int_equal(t.sink.frames, 3);
	}
	sends(data, len);
	run();
	assert_int_equal(t.sink.frames, 6);
	assert_int_equal(fixture_drops(t.ifp), 0);
}

static void
test_no_frame_is_too_short_to_be_counted(void **state)
{
	(void)state;
	listening();
	send_record(0, 0);
	send_record(13, 0);
	send_record(14, 0);
	run();
	assert_int_equal(t.sink.frames, 1);
	assert_int_equal(t.ifp->count.drops[DROP_RUNT], 2);
}

/* Longer than a frame, but within the protocol: skipped, and on it goes. */
static void
test_giants_are_skipped(void **state)
{
	(void)state;
	listening();
	/* The far end writes more than the socket takes at once. */
	assert_int_equal(fcntl(t.fd, F_SETFL, O_NONBLOCK), 0);
	for (uint32_t len = FRAME_LARGE_MAX; len <= 69632; len += 1984) {
		send_record(len, 1);
		run();
	}
	send_record(60, 2);
	run();
	assert_int_equal(t.ifp->count.drops[DROP_GIANT], 2);
	assert_int_equal(t.sink.frames, 2);
	assert_int_equal(t.ifp->link, IFACE_LINK_UP);
}

static void
test_an_impossible_length_ends_the_connection(void **state)
{
	static const uint32_t lengths[] = { 69633, 0x00ffffff, 0x80000000,
		0xffffffff };
	uint8_t hdr[4];

	(void)state;
	listening();
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		send_record(60, 1);
		be32_put(hdr, lengths[i]);
		sends(hdr, 4);
		assert_true(closed(t.fd));
		assert_int_equal(t.ifp->link, IFACE_LINK_DOWN);
		assert_int_equal(t.sink.frames, i + 1);
		assert_int_equal(t.ifp->count.drops[DROP_SOCK_FRAMING], i + 1);
		close(t.fd);
		/* The next one is welcome. */
		t.fd = stream_to("s");
		run();
		assert_int_equal(t.ifp->link, IFACE_LINK_UP);
	}
	assert_int_equal(t.ifp->count.drops[DROP_SOCK_CUT], 0);
}

static void
test_the_end_in_the_middle_of_a_frame_is_counted(void **state)
{
	uint8_t data[128];

	(void)state;
	for (size_t cut = 1; cut < 64; cut += 20) {
		listening();
		record(data, 60, 1);
		sends(data, 64);
		sends(data, cut);
		close(t.fd);
		t.fd = -1;
		run();
		assert_int_equal(t.ifp->link, IFACE_LINK_DOWN);
	}
	assert_int_equal(t.ifp->count.drops[DROP_SOCK_CUT], 4);
	assert_int_equal(t.sink.frames, 4); /* what was whole came in */
}

/* More than a read takes, then the end: all of it comes in. */
static void
test_what_was_sent_before_the_end_comes_in(void **state)
{
	uint32_t sent = 0;

	(void)state;
	listening();
	assert_int_equal(fcntl(t.fd, F_SETFL, O_NONBLOCK), 0);
	for (;; sent++) {
		uint8_t data[1518];
		size_t len = record(data, 1514, 1);

		if (send(t.fd, data, len, MSG_NOSIGNAL) != (ssize_t)len)
			break;
	}
	assert_true(sent > 50);
	close(t.fd);
	t.fd = -1;
	run();
	assert_int_equal(t.sink.frames, sent);
	assert_int_equal(t.ifp->link, IFACE_LINK_DOWN);
}

static void
test_one_peer_at_a_time(void **state)
{
	struct fixture_info i;
	int second;

	(void)state;
	listening();
	second = stream_to("s");
	assert_true(closed(second));
	close(second);
	assert_non_null(strstr(fixture_get(t.ifp, &i), "refused=1 "));
	send_record(60, 1);
	run();
	assert_int_equal(t.sink.frames, 1);
	/* The first goes and the second comes before anybody has noticed. */
	send_record(60, 2);
	close(t.fd);
	t.fd = stream_to("s");
	run();
	assert_int_equal(t.ifp->link, IFACE_LINK_UP);
	send_record(60, 3);
	run();
	assert_int_equal(t.sink.frames, 3);
	assert_non_null(strstr(fixture_get(t.ifp, &i), "refused=1 "));
	assert_non_null(strstr(fixture_get(t.ifp, &i), "connects=2 "));
	/* Who knocks is heard before the end of the first is. */
	second = stream_to("s");
	close(t.fd);
	t.fd = second;
	run();
	send_record(60, 4);
	run();
	assert_int_equal(t.sink.frames, 4);
	assert_non_null(strstr(fixture_get(t.ifp, &i), "refused=1 "));
	assert_non_null(strstr(fixture_get(t.ifp, &i), "connects=3 "));
}

/* It costs its queue, and what it is then sent is whole. */
static void
test_a_slow_reader_gets_whole_frames(void **state)
{
	static uint8_t data[70000];
	uint32_t got = 0;

	(void)state;
	listening();
	for (int i = 0; i < 100; i++) {
		fixture_output(t.ifp, 30, 1000);
		run();
	}
	assert_true(t.ifp->count.drops[DROP_QUEUE_FULL] > 0);
	fixture_pool_is_whole(t.net, 1024);
	assert_int_equal(t.ifp->link, IFACE_LINK_UP);
	while (got + t.ifp->count.drops[DROP_QUEUE_FULL] < 100 * 30) {
		assert_int_equal(receive(data), 1000);
		assert_int_equal(data[13], 0xb5);
		got++;
	}
	assert_int_equal(t.ifp->count.opackets, got);
	/* Large ones are held by their bytes. */
	assert_int_equal(iface_set_mtu(t.ifp, 65521), 0);
	for (int i = 0; i < 100; i++) {
		fixture_output(t.ifp, 1, 65535);
		run();
	}
	assert_true(t.ifp->count.drops[DROP_QUEUE_BYTES] > 0);
	/* Down: what waits is dropped, but a frame that is half out. */
	iface_set_flags(t.ifp, 0, IFACE_UP);
	assert_true(t.ifp->count.drops[DROP_IF_DOWN] > 0);
	iface_set_flags(t.ifp, IFACE_UP, 0);
	fixture_output(t.ifp, 1, 77);
	do {
		got = receive(data);
		assert_true(got == 65535 || got == 77);
	} while (got != 77);
	close(t.fd);
	t.fd = -1;
	run();
	fixture_pool_is_whole(t.net, 0);
}

static void
test_what_waits_for_a_peer_that_leaves_is_dropped(void **state)
{
	(void)state;
	listening();
	for (int i = 0; i < 100; i++) {
		fixture_output(t.ifp, 30, 1000);
		run();
	}
	close(t.fd);
	t.fd = -1;
	run();
	assert_int_equal(t.ifp->count.drops[DROP_NO_PEER], 1024);
	fixture_output(t.ifp, 3, 60);
	assert_int_equal(t.ifp->count.drops[DROP_NO_PEER], 1027);
	fixture_pool_is_whole(t.net, 0);
}

static void
test_sockets_are_private_and_go(void **state)
{
	struct sockaddr_un sun = sun_of("s");
	struct stat st;

	(void)state;
	listening();
	assert_int_equal(stat(sun.sun_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(word("-listen", NULL, NULL, 0), 0);
	assert_int_equal(stat(sun.sun_path, &st), -1);
	assert_true(closed(t.fd));
	assert_int_equal(t.ifp->link, IFACE_LINK_DOWN);
}

static void
test_it_connects_again_and_again(void **state)
{
	struct fixture_info i;
	struct sock_listener l;

	(void)state;
	assert_int_equal(word("connect", "unix:s", NULL, 0), 0);
	run();
	assert_int_equal(t.ifp->link, IFACE_LINK_DOWN);
	assert_non_null(
	    strstr(fixture_get(t.ifp, &i), "error=No such file or directory "));
	assert_int_equal(sock_listen_unix(path("s"), NULL, &l), 0);
	for (int n = 0; n < 3; n++) {
		RUN_UNTIL(t.ifp->link == IFACE_LINK_UP);
		t.fd = sock_accept(l.fd);
		assert_true(t.fd >= 0);
		assert_int_equal(fd_set_nonblock(t.fd, false), 0);
		send_record(60, 1);
		run();
		assert_int_equal(t.sink.frames, n + 1);
		fixture_output(t.ifp, 1, 60);
		assert_int_equal(receive((uint8_t[60]){ 0 }), 60);
		close(t.fd);
		t.fd = -1;
		run();
		assert_int_equal(t.ifp->link, IFACE_LINK_DOWN);
	}
	sock_listener_close(&l);
	assert_null(strstr(fixture_get(t.ifp, &i), "peer_pid"));
	assert_int_equal(word("-connect", NULL, NULL, 0), 0);
	assert_null(strstr(fixture_get(t.ifp, &i), "error"));
}

/* sock(4) says: up to two seconds. */
static void
test_pauses_between_attempts(void **state)
{
	static const uint64_t ms[] = { 50, 100, 200, 400, 800, 1600, 2000,
		2000 };
	uint64_t ns = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ms); i++) {
		ns = sock_backoff_next(ns);
		assert_int_equal(ns, ms[i] * 1000000);
	}
}

/* Somebody who accepts and hangs up at once does not keep the worker busy. */
static void
test_attempts_become_rarer(void **state)
{
	uint64_t start = clock_now_ns();
	struct sock_listener l;
	uint32_t n = 0;

	(void)state;
	assert_int_equal(sock_listen_unix(path("s"), NULL, &l), 0);
	assert_int_equal(word("connect", "unix:s", NULL, 0), 0);
	while (clock_now_ns() - start < 400000000u) {
		int fd = sock_accept(l.fd);

		if (fd >= 0) {
			n++;
			close(fd);
		}
		run();
		(void)loop_step(t.loop, 5000000);
	}
	assert_in_range(n, 1, 5);
	sock_listener_close(&l);
}

static void
test_tcp(void **state)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	struct fixture_info i;
	char address[48];
	int l = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	/* It connects to us, */
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(l, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(listen(l, 5), 0);
	assert_int_equal(getsockname(l, (struct sockaddr *)&sin, &len), 0);
	snprintf(address, sizeof(address), "tcp:%u", ntohs(sin.sin_port));
	assert_int_equal(word("connect", address, NULL, 0), 0);
	RUN_UNTIL(t.ifp->link == IFACE_LINK_UP);
	t.fd = accept(l, NULL, NULL);
	snprintf(address, sizeof(address), "peer_address=tcp:127.0.0.1:%u ",
	    ntohs(sin.sin_port));
	assert_non_null(strstr(fixture_get(t.ifp, &i), address));
	send_record(1514, 1);
	RUN_UNTIL(t.sink.frames == 1);
	fixture_output(t.ifp, 1, 200);
	assert_int_equal(receive((uint8_t[200]){ 0 }), 200);
	/* and we connect to it, where nobody else may listen meanwhile. */
	assert_int_equal(word("-connect", NULL, NULL, 0), 0);
	assert_int_equal(recv(t.fd, address, 1, 0), 0);
	close(t.fd);
	t.fd = -1;
	snprintf(address, sizeof(address), "tcp:%u", ntohs(sin.sin_port));
	assert_int_equal(word("listen", address, NULL, 0), -EADDRINUSE);
	close(l);
	assert_int_equal(word("listen", address, NULL, 0), 0);
	t.fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(t.fd, (struct sockaddr *)&sin, len), 0);
	RUN_UNTIL(t.ifp->link == IFACE_LINK_UP);
	send_record(60, 1);
	RUN_UNTIL(t.sink.frames == 2);
	/* A refused connection is tried again. */
	assert_int_equal(word("-listen", NULL, NULL, 0), 0);
	assert_int_equal(word("connect", address, NULL, 0), 0);
	RUN_UNTIL(strstr(fixture_get(t.ifp, &i), "error=Connection refused ") !=
	          NULL);
}

/* --- datagrams ------------------------------------------------------------ */

static int
dgram_at(const char *name)
{
	struct sockaddr_un sun = sun_of(name);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

static void
dgram_to(int fd, const char *name, uint32_t len, uint8_t mark)
{
	static uint8_t data[70000];
	struct sockaddr_un sun = sun_of(name);

	fixture_bytes(data, len, mark);
	assert_int_equal(
	    sendto(fd, data, len, 0, (struct sockaddr *)&sun, sizeof(sun)),
	    len);
	run();
}

/* As QEMU's -netdev dgram: each end has its own path and knows the other's. */
static void
test_datagrams_between_two_paths(void **state)
{
	uint8_t data[2000];
	int other;

	(void)state;
	assert_int_equal(word("listen", "unix:near", "dgram", 0), 0);
	assert_int_equal(word("connect", "unix:far", NULL, 0), 0);
	assert_int_equal(t.ifp->link, IFACE_LINK_DOWN); /* not there yet */
	t.fd = dgram_at("far");
	RUN_UNTIL(t.ifp->link == IFACE_LINK_UP);
	dgram_to(t.fd, "near", 1514, 1);
	assert_int_equal(t.sink.frames, 1);
	assert_int_equal(t.sink.last_len, 1514);
	fixture_output(t.ifp, 1, 99);
	run();
	assert_int_equal(recv(t.fd, data, sizeof(data), MSG_DONTWAIT), 99);
	/* Somebody else. */
	other = dgram_at("other");
	dgram_to(other, "near", 60, 1);
	assert_int_equal(t.ifp->count.drops[DROP_SOCK_STRANGER], 1);
	close(other);
	unlink(path("other"));
	/* Started anew, and what it sends at once is taken. */
	close(t.fd);
	unlink(path("far"));
	t.fd = dgram_at("far");
	dgram_to(t.fd, "near", 60, 2);
	assert_int_equal(t.sink.frames, 2);
	/* Gone: noticed when something is sent, and again when it is back. */
	close(t.fd);
	fixture_output(t.ifp, 1, 60);
	run();
	assert_int_equal(t.ifp->link, IFACE_LINK_DOWN);
	assert_int_equal(t.ifp->count.drops[DROP_NO_PEER], 1);
	unlink(path("far"));
	t.fd = dgram_at("far");
	RUN_UNTIL(t.ifp->link == IFACE_LINK_UP);
	fixture_output(t.ifp, 1, 61);
	run();
	assert_int_equal(recv(t.fd, data, sizeof(data), MSG_DONTWAIT), 61);
	unlink(path("far"));
}

/* Who sends is the peer: clients of vfkit and krun do not tell their path. */
static void
test_a_datagram_peer_is_learned(void **state)
{
	uint8_t data[2000];
	int other, nameless = socket(AF_UNIX, SOCK_DGRAM, 0);

	(void)state;
	assert_int_equal(word("listen", "unix:near", "dgram", 0), 0);
	assert_int_equal(t.ifp->link, IFACE_LINK_DOWN);
	t.fd = dgram_at("far");
	dgram_to(t.fd, "near", 60, 1);
	assert_int_equal(t.ifp->link, IFACE_LINK_UP);
	fixture_output(t.ifp, 1, 70);
	run();
	assert_int_equal(recv(t.fd, data, sizeof(data), MSG_DONTWAIT), 70);
	other = dgram_at("other");
	dgram_to(other, "near", 60, 1);
	fixture_output(t.ifp, 1, 71);
	run();
	assert_int_equal(recv(other, data, sizeof(data), MSG_DONTWAIT), 71);
	close(other);
	unlink(path("other"));
	fixture_output(t.ifp, 1, 72);
	run();
	assert_int_equal(t.ifp->link, IFACE_LINK_DOWN);
	/* One without a name is heard, and cannot be answered. */
	dgram_to(nameless, "near", 60, 1);
	assert_int_equal(t.sink.frames, 3);
	fixture_output(t.ifp, 1, 73);
	run();
	assert_int_equal(t.ifp->count.drops[DROP_NO_PEER], 2);
	close(nameless);
	unlink(path("far"));
}

static void
test_odd_datagrams_are_counted(void **state)
{
	static uint8_t data[FRAME_LARGE_MAX + 1];

	(void)state;
	assert_int_equal(word("listen", "unix:near", "dgram", 12), 0);
	t.fd = dgram_at("far");
	dgram_to(t.fd, "near", 0, 1);
	dgram_to(t.fd, "near", 11, 1);
	memset(data, 0, sizeof(data));
	for (uint32_t len = 25; len <= 26; len++) {
		struct sockaddr_un sun = sun_of("near");

		assert_int_equal(sendto(t.fd, data, len, 0,
		                     (struct sockaddr *)&sun, sizeof(sun)),
		    len);
	}
	run();
	assert_int_equal(t.ifp->count.drops[DROP_RUNT], 3);
	assert_int_equal(t.sink.frames, 1);
	unlink(path("far"));
}

/* A reader that stalls: bounded, and tried more and more rarely. */
static void
test_a_slow_reader_of_datagrams(void **state)
{
	uint8_t data[2000];
	struct loop_stats before, after;
	uint32_t got = 0, idle = 0;
	uint64_t start;

	(void)state;
	assert_int_equal(word("listen", "unix:near", "dgram", 0), 0);
	assert_int_equal(word("connect", "unix:far", "dgram", 0), 0);
	t.fd = dgram_at("far");
	RUN_UNTIL(t.ifp->link == IFACE_LINK_UP);
	for (int i = 0; i < 30; i++) {
		fixture_output(t.ifp, 64, 100);
		run();
	}
	assert_true(t.ifp->count.drops[DROP_QUEUE_FULL] > 0);
	loop_get_stats(t.loop, &before);
	for (start = clock_now_ns(); clock_now_ns() - start < 300000000u;) {
		run();
		(void)loop_step(t.loop, 20000000);
	}
	loop_get_stats(t.loop, &after);
	assert_true(after.timers - before.timers < 40);
	while (idle < 100) {
		ssize_t n = recv(t.fd, data, sizeof(data), MSG_DONTWAIT);

		if (n < 0) {
			(void)loop_step(t.loop, 1000000);
			run();
			idle++;
			continue;
		}
		assert_int_equal(n, 100);
		got++;
		idle = 0;
	}
	assert_int_equal(got, t.ifp->count.opackets);
	assert_int_equal(got + fixture_drops(t.ifp), 30 * 64);
	unlink(path("far"));
}

static void
test_udp(void **state)
{
	struct sockaddr_in sin = { .sin_family = AF_INET }, near;
	socklen_t len = sizeof(sin);
	char address[32];
	uint8_t data[2000];
	int other;

	(void)state;
	t.fd = socket(AF_INET, SOCK_DGRAM, 0);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(t.fd, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(getsockname(t.fd, (struct sockaddr *)&sin, &len), 0);
	snprintf(address, sizeof(address), "udp:%u", ntohs(sin.sin_port));
	assert_int_equal(word("connect", address, NULL, 0), 0);
	assert_int_equal(t.ifp->link, IFACE_LINK_UP);
	fixture_output(t.ifp, 1, 99);
	run();
	len = sizeof(near);
	assert_int_equal(recvfrom(t.fd, data, sizeof(data), 0,
	                     (struct sockaddr *)&near, &len),
	    99);
	fixture_bytes(data, 60, 1);
	assert_int_equal(
	    sendto(t.fd, data, 60, 0, (struct sockaddr *)&near, len), 60);
	RUN_UNTIL(t.sink.frames == 1);
	other = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(
	    sendto(other, data, 60, 0, (struct sockaddr *)&near, len), 60);
	RUN_UNTIL(t.ifp->count.drops[DROP_SOCK_STRANGER] == 1);
	close(other);
	/* A whole UDP datagram, and one byte more than that. */
	assert_int_equal(iface_set_mtu(t.ifp, 65521), 0);
	fixture_output(t.ifp, 1, 65507);
	fixture_output(t.ifp, 1, 65508);
	run();
	assert_int_equal(t.ifp->count.drops[DROP_TX_SIZE], 1);
	assert_int_equal(t.ifp->count.opackets, 2);
}

/* --- the header ----------------------------------------------------------- */

/* A super-frame crosses whole, both ways; one that lies is dropped. */
static void
test_vnet_hdr(void **state)
{
	static uint8_t data[4 + 12 + 3054];
	uint8_t *frame = data + 16;
	struct frame_offload off = {
		.flags = FRAME_CSUM_PARTIAL,
		.gso_type = FRAME_GSO_TCPV4,
		.gso_size = 1000,
		.csum_start = 34,
		.csum_offset = 16,
	};
	static const uint8_t ip[20] = { 0x45, 0, 0x0b, 0xe0, 0, 0, 0, 0, 64, 6,
		0, 0, 192, 0, 2, 1, 192, 0, 2, 2 };
	struct frame_batch b = { .count = 1 };
	struct frame *f;

	(void)state;
	assert_int_equal(word("listen", "unix:s", NULL, 12), 0);
	t.fd = stream_to("s");
	run();
	assert_true((t.ifp->caps & OFFLOAD_TSO4) != 0);
	be32_put(data, 12 + 3054);
	memcpy(data + 4, &off, sizeof(off));
	fixture_bytes(frame, 3054, 0);
	be16_put(frame + 12, 0x0800);
	memcpy(frame + 14, ip, sizeof(ip));
	frame[46] = 0x50; /* TCP's header: five words */
	sends(data, sizeof(data));
	run();
	assert_int_equal(t.sink.frames, 1);
	assert_int_equal(t.sink.last_len, 3054);
	assert_int_equal(t.sink.last_off.gso_type, FRAME_GSO_TCPV4);
	assert_int_equal(t.sink.last_off.gso_size, 1000);
	/* And back. */
	f = frame_alloc(t.net->pool, 3054);
	memcpy(f->data, frame, 3054);
	f->len = 3054;
	f->off = t.sink.last_off;
	b.frames[0] = f;
	iface_output(t.ifp, &b);
	memset(data, 0, sizeof(data));
	assert_int_equal(receive(data), 12 + 3054);
	memcpy(&off, data, sizeof(off));
	assert_int_equal(off.gso_type, FRAME_GSO_TCPV4);
	assert_int_equal(data[10] | data[11], 0);
	assert_int_equal(data[12 + 12], 0x08);
	/* No segment size. */
	off.gso_size = 0;
	be32_put(data, 12 + 3054);
	memcpy(data + 4, &off, sizeof(off));
	memcpy(frame + 12, "\x08\0", 2);
	sends(data, sizeof(data));
	run();
	assert_int_equal(t.ifp->count.drops[DROP_BAD_OFFLOAD], 1);
	assert_int_equal(t.ifp->link, IFACE_LINK_UP);
}

/* --- settings ------------------------------------------------------------- */

static void
test_what_does_not_fit_together_is_refused(void **state)
{
	struct fixture_info i;

	(void)state;
	assert_int_equal(word("listen", "somewhere", NULL, 0), -EINVAL);
	assert_non_null(strstr(t.net->message, "unix:PATH"));
	assert_int_equal(word("listen", "tcp:5", "dgram", 0), -EINVAL);
	assert_int_equal(word("listen", "udp:5", "stream", 0), -EINVAL);
	assert_int_equal(word("listen", "unix:no/dir", NULL, 0), -ENOENT);
	listening();
	assert_int_equal(word("connect", "unix:b", NULL, 0), -EBUSY);
	assert_int_equal(word("connect", "tcp:5", NULL, 0), -EINVAL);
	/* Nothing has changed. */
	send_record(60, 1);
	run();
	assert_int_equal(t.sink.frames, 1);
	/* What cannot be opened leaves what was, opened anew. */
	assert_int_equal(word("listen", "unix:no/dir", NULL, 0), -ENOENT);
	assert_non_null(
	    strstr(fixture_get(t.ifp, &i), "/s connect=null framing=stream"));
	close(t.fd);
	t.fd = stream_to("s");
	run();
	assert_int_equal(t.ifp->link, IFACE_LINK_UP);
	/* The same once more is no change: the peer stays. */
	assert_int_equal(word("listen", "unix:s", "stream", 0), 0);
	send_record(60, 1);
	run();
	assert_int_equal(t.sink.frames, 2);
}

static void
test_two_socks_cannot_have_one_path(void **state)
{
	struct iface *first = t.ifp;

	(void)state;
	assert_int_equal(word("listen", "unix:s", NULL, 0), 0);
	t.ifp = fixture_iface(t.net, "sock");
	assert_int_equal(word("listen", "unix:s", NULL, 0), -EADDRINUSE);
	assert_int_equal(word("listen", "unix:s", "dgram", 0), -EADDRINUSE);
	t.ifp = first;
}

static void
test_without_a_loop_there_are_no_sockets(void **state)
{
	struct loop *loop = drv_context(t.net)->loop;

	(void)state;
	drv_context(t.net)->loop = NULL;
	assert_int_equal(word("listen", "unix:s", NULL, 0), -EOPNOTSUPP);
	drv_context(t.net)->loop = loop;
}

/* A socket that somebody gave, and its interface, end together. */
static void
test_a_given_socket(void **state)
{
	struct fixture_events ev;
	struct iface *ifp;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(sock_give(t.net, NULL, NULL, fds[0], 0, &ifp), 0);
	assert_string_equal(ifp->name, "sock1");
	assert_true(sock_is(ifp));
	assert_int_equal(ifp->link, IFACE_LINK_UP);
	assert_int_equal(iface_set_flags(ifp, IFACE_UP, 0), 0);
	t.fd = fds[1];
	fixture_output(ifp, 1, 60);
	assert_int_equal(receive((uint8_t[60]){ 0 }), 60);
	/* Its wire cannot be another. */
	t.ifp = ifp;
	assert_int_equal(word("listen", "unix:s", NULL, 0), -EBUSY);
	fixture_subscribe(t.net, &ev);
	close(t.fd);
	t.fd = -1;
	run();
	assert_int_equal(ev.count[NET_EVENT_DESTROY], 1);
	assert_null(net_iface_find(t.net, NULL, "sock1"));
	net_unsubscribe(t.net, &ev.sub);
	/* One that is no socket. */
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(
	    sock_give(t.net, NULL, "tap9", fds[0], 0, &ifp), -EINVAL);
	assert_null(net_iface_find(t.net, NULL, "tap9"));
	close(fds[1]);
}

int
main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		T(test_frames_both_ways),
		T(test_records_may_be_cut_anywhere),
		T(test_no_frame_is_too_short_to_be_counted),
		T(test_giants_are_skipped),
		T(test_an_impossible_length_ends_the_connection),
		T(test_the_end_in_the_middle_of_a_frame_is_counted),
		T(test_what_was_sent_before_the_end_comes_in),
		T(test_one_peer_at_a_time),
		T(test_a_slow_reader_gets_whole_frames),
		T(test_what_waits_for_a_peer_that_leaves_is_dropped),
		T(test_sockets_are_private_and_go),
		T(test_it_connects_again_and_again),
		cmocka_unit_test(test_pauses_between_attempts),
		T(test_attempts_become_rarer),
		T(test_tcp),
		T(test_datagrams_between_two_paths),
		T(test_a_datagram_peer_is_learned),
		T(test_odd_datagrams_are_counted),
		T(test_a_slow_reader_of_datagrams),
		T(test_udp),
		T(test_vnet_hdr),
		T(test_what_does_not_fit_together_is_refused),
		T(test_two_socks_cannot_have_one_path),
		T(test_without_a_loop_there_are_no_sockets),
		T(test_a_given_socket),
	};
#undef T
	return cmocka_run_group_tests_name("drv_sock", tests, NULL, NULL);
}
