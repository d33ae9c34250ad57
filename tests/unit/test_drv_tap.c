/* SPDX-License-Identifier: BSD-2-Clause */
/* tap: its descriptor, its two lifetimes, what a socket says otherwise.  What
 * it shares with every kind is in driver_conformance.c. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "drv/tap.h"
#include "frame/offload.h"
#include "net_fixture.h"
#include "os/loop.h"

static const struct iface_ops *const kinds[] = { &feth_ops, &tap_ops, NULL };

struct bench {
	struct loop *loop;
	struct net *net;
	struct iface *ifp;
	struct fixture_sink sink;
	int fd;
};
static struct bench b;

static int
setup(void **state)
{
	(void)state;
	assert_int_equal(loop_create(&b.loop), 0);
	loop_set_spin(b.loop, 0);
	b.net = fixture_net(kinds, NULL, 1024);
	assert_int_equal(drv_init(b.net, b.loop), 0);
	b.ifp = fixture_iface_up(b.net, "tap0");
	fixture_sink_init(&b.sink);
	assert_int_equal(iface_stack_attach(b.ifp, &b.sink.stack), 0);
	b.fd = -1;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	if (b.fd >= 0)
		close(b.fd);
	net_destroy(b.net);
	loop_destroy(b.loop);
	return 0;
}

/* Until there is nothing to do. */
static void
run(void)
{
	bool more = true;

	while (more) {
		more = loop_step(b.loop, 0) == 1;
		while (net_poll(b.net))
			more = true;
	}
}

/* Waits for what another process causes. */
static void
run_until_gone(const char *name)
{
	for (int i = 0; net_iface_find(b.net, NULL, name) != NULL; i++) {
		assert_true(i < 1000);
		assert_true(loop_step(b.loop, 10000000) >= 0);
	}
}

static int
tap_open_fixed(void)
{
	struct iface *ifp;
	int fd;

	assert_int_equal(tap_open(b.net, NULL, "tap0", NULL, &fd, &ifp), 0);
	assert_ptr_equal(ifp, b.ifp);
	return fd;
}

static struct iface *
tap_clone(int *fd)
{
	struct iface *ifp;

	assert_int_equal(tap_open(b.net, NULL, NULL, NULL, fd, &ifp), 0);
	return ifp;
}

static void
app_write(int fd, uint32_t len)
{
	static uint8_t data[70000];

	fixture_bytes(data, len, 5);
	assert_int_equal(send(fd, data, len, MSG_DONTWAIT), len);
}

static ssize_t
app_read(int fd)
{
	static uint8_t data[70000];

	return recv(fd, data, sizeof(data), MSG_DONTWAIT);
}

static void
test_address_and_birth(void **state)
{
	struct iface *other = fixture_iface(b.net, "tap1");
	static const uint8_t prefix[3] = { 0xf2, 0x0b, 0xa4 };

	(void)state;
	assert_memory_equal(b.ifp->mac, prefix, 3);
	assert_memory_equal(other->mac, prefix, 3);
	assert_memory_not_equal(b.ifp->mac, other->mac, 6);
	assert_int_equal(b.ifp->link, IFACE_LINK_DOWN);
	assert_true(iface_running(b.ifp));
	assert_false(other->flags & IFACE_RUNNING);
	assert_int_equal(other->mtu, 1500);
	assert_int_equal(iface_set_mtu(other, 67), -EINVAL);
	assert_int_equal(iface_set_mtu(other, 65522), -EINVAL);
	assert_int_equal(iface_set_mtu(other, 65521), 0);
}

static void
test_open_errors(void **state)
{
	struct iface *ifp;
	int fd;

	(void)state;
	fixture_iface(b.net, "feth0");
	assert_int_equal(
	    tap_open(b.net, NULL, "tap9", NULL, &fd, &ifp), -ENXIO);
	assert_int_equal(tap_open(b.net, NULL, "tap", NULL, &fd, &ifp), -ENXIO);
	assert_int_equal(
	    tap_open(b.net, NULL, "feth0", NULL, &fd, &ifp), -ENXIO);
	b.fd = tap_open_fixed();
	assert_int_equal(
	    tap_open(b.net, NULL, "tap0", NULL, &fd, &ifp), -EBUSY);
	assert_true(fcntl(b.fd, F_GETFD) & FD_CLOEXEC);
	assert_false(fcntl(b.fd, F_GETFL) & O_NONBLOCK);
	drv_context(b.net)->loop = NULL;
	assert_int_equal(
	    tap_open(b.net, NULL, "tap0", NULL, &fd, &ifp), -EOPNOTSUPP);
	drv_context(b.net)->loop = b.loop;
}

static void
test_fixed_unit_outlives_its_descriptor(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		int fd = tap_open_fixed();

		assert_int_equal(b.ifp->link, IFACE_LINK_UP);
		close(fd);
		run();
		assert_int_equal(b.ifp->link, IFACE_LINK_DOWN);
	}
}

static void
test_nobody_reading_counts_as_sent(void **state)
{
	(void)state;
	fixture_output(b.ifp, 7, 60);
	assert_int_equal(b.ifp->count.opackets, 7);
	assert_int_equal(b.ifp->count.obytes, 420);
	assert_int_equal(fixture_drops(b.ifp), 0);
	fixture_pool_is_whole(b.net, 0);
}

static void
test_frames_go_both_ways(void **state)
{
	(void)state;
	b.fd = tap_open_fixed();
	app_write(b.fd, 60);
	app_write(b.fd, 1514);
	app_write(b.fd, 9000);
	app_write(b.fd, 65535);
	app_write(b.fd, FRAME_LARGE_MAX);
	run();
	assert_int_equal(b.sink.frames, 5);
	assert_int_equal(
	    b.sink.bytes, 60 + 1514 + 9000 + 65535 + FRAME_LARGE_MAX);
	assert_int_equal(b.sink.last[2000], 5); /* past the small part */
	fixture_output(b.ifp, 2, 100);
	run();
	assert_int_equal(app_read(b.fd), 100);
	assert_int_equal(app_read(b.fd), 100);
	assert_int_equal(app_read(b.fd), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(b.ifp->count.opackets, 2);
}

/* A long read is put together from a small and a large buffer. */
static void
test_long_frame_is_what_was_written(void **state)
{
	static uint8_t data[5000];

	(void)state;
	b.fd = tap_open_fixed();
	for (uint32_t len = 1918; len < 1924; len++) {
		for (uint32_t i = 0; i < len; i++)
			data[i] = (uint8_t)(i * 7 + len);
		assert_int_equal(write(b.fd, data, len), len);
		run();
		assert_int_equal(b.sink.last_len, len);
		assert_memory_equal(b.sink.last, data, len);
	}
}

static void
test_odd_writes_are_counted(void **state)
{
	static uint8_t big[70000];

	(void)state;
	b.fd = tap_open_fixed();
	app_write(b.fd, 13);
	app_write(b.fd, 1);
	assert_int_equal(send(b.fd, "", 0, 0), 0);
	assert_int_equal(
	    send(b.fd, big, FRAME_LARGE_MAX + 1, 0), FRAME_LARGE_MAX + 1);
	app_write(b.fd, 14);
	run();
	assert_int_equal(b.sink.frames, 1);
	assert_int_equal(b.ifp->count.drops[DROP_RUNT], 3);
	assert_int_equal(b.ifp->count.drops[DROP_GIANT], 1);
	assert_int_equal(b.ifp->count.ierrors, 4);
	/* None of them was a hang-up. */
	assert_int_equal(b.ifp->link, IFACE_LINK_UP);
}

static void
test_write_while_down_succeeds_and_is_dropped(void **state)
{
	(void)state;
	b.fd = tap_open_fixed();
	iface_set_flags(b.ifp, 0, IFACE_UP);
	app_write(b.fd, 60);
	run();
	assert_int_equal(b.ifp->count.drops[DROP_IF_DOWN_IN], 1);
	assert_int_equal(b.sink.frames, 0);
}

static void
test_clone_dies_with_the_last_descriptor(void **state)
{
	int fd, dup_fd;
	struct iface *ifp = tap_clone(&fd);
	char name[IFACE_NAME_MAX];

	(void)state;
	assert_string_equal(ifp->name, "tap1");
	memcpy(name, ifp->name, sizeof(name));
	dup_fd = dup(fd);
	close(fd);
	run();
	assert_non_null(net_iface_find(b.net, NULL, name));
	iface_set_flags(ifp, IFACE_UP, 0);
	/* Also with frames waiting in socket and queue. */
	for (int i = 0; i < 4; i++)
		fixture_output(ifp, 64, 1000);
	run();
	close(dup_fd);
	run();
	assert_null(net_iface_find(b.net, NULL, name));
	fixture_pool_is_whole(b.net, 0);
	/* And its unit is free. */
	assert_string_equal(tap_clone(&fd)->name, "tap1");
	close(fd);
	run();
}

static void
test_clone_dies_when_its_holder_is_killed(void **state)
{
	int fd;
	struct iface *ifp = tap_clone(&fd);
	pid_t pid;

	(void)state;
	assert_string_equal(ifp->name, "tap1");
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		pause();
		_exit(0);
	}
	close(fd);
	run();
	assert_non_null(net_iface_find(b.net, NULL, "tap1"));
	kill(pid, SIGKILL);
	run_until_gone("tap1");
	waitpid(pid, NULL, 0);
}

/* All that was written before the close comes in, empty records too. */
static void
test_last_words_are_heard(void **state)
{
	int fd;
	struct iface *ifp = tap_clone(&fd);
	struct fixture_sink k;

	(void)state;
	fixture_sink_init(&k);
	iface_set_flags(ifp, IFACE_UP, 0);
	assert_int_equal(iface_stack_attach(ifp, &k.stack), 0);
	for (int i = 0; i < 100; i++)
		app_write(fd, 60);
	close(fd);
	run();
	assert_int_equal(k.frames, 100);
	assert_int_equal(k.detached, 1);

	/* The same for a fixed unit that leaves frames unread as well. */
	fd = tap_open_fixed();
	fixture_output(b.ifp, 3, 60);
	run();
	app_write(fd, 60);
	assert_int_equal(send(fd, "", 0, 0), 0);
	app_write(fd, 60);
	assert_int_equal(send(fd, "", 0, 0), 0);
	close(fd);
	run();
	assert_int_equal(b.sink.frames, 2);
	assert_int_equal(b.ifp->count.drops[DROP_RUNT], 2);
	assert_int_equal(b.ifp->link, IFACE_LINK_DOWN);
}

static uint32_t
drain(int fd)
{
	uint32_t n = 0;

	while (app_read(fd) > 0)
		n++;
	return n;
}

/* A reader that stalls costs its queue and no more; then all come, in order,
 * and nothing is lost that was not counted. */
static void
test_stalled_reader(void **state)
{
	uint32_t got = 0, n;
	uint8_t data[2000];

	(void)state;
	b.fd = tap_open_fixed();
	for (int i = 0; i < 30; i++) {
		fixture_output(b.ifp, 64, 100);
		run();
	}
	assert_true(b.ifp->count.drops[DROP_QUEUE_FULL] > 0);
	assert_int_equal(
	    b.ifp->count.oerrors, b.ifp->count.drops[DROP_QUEUE_FULL]);
	fixture_pool_is_whole(b.net, 512);
	assert_int_equal(recv(b.fd, data, sizeof(data), 0), 100);
	got = 1;
	do {
		n = drain(b.fd);
		got += n;
		run();
	} while (n != 0);
	assert_int_equal(got, b.ifp->count.opackets);
	assert_int_equal(got + b.ifp->count.drops[DROP_QUEUE_FULL], 30 * 64);
	fixture_pool_is_whole(b.net, 0);
}

/* What comes in at one tap goes out of the other. */
static void
cross(struct iface_stack *s, struct iface *ifp, struct frame_batch *batch)
{
	(void)s;
	(void)ifp;
	iface_output(b.ifp, batch);
}

/* A writer whose frames nobody takes is not read for a moment: they wait with
 * it instead of being lost.  But it is read again, and all is accounted for. */
static void
test_a_writer_waits_for_a_full_reader(void **state)
{
	struct fixture_sink to_reader;
	uint32_t sent = 0, got = 0, full;
	struct iface *writer;
	int fd;

	(void)state;
	b.fd = tap_open_fixed();
	writer = tap_clone(&fd);
	assert_int_equal(iface_set_flags(writer, IFACE_UP, 0), 0);
	fixture_sink_init(&to_reader);
	to_reader.stack.input = cross;
	assert_int_equal(iface_stack_attach(writer, &to_reader.stack), 0);
	/* Until it has been lost a while, though it was written more. */
	for (int i = 0; i < 200; i++) {
		uint8_t data[100];

		fixture_bytes(data, sizeof(data), 1);
		while (send(fd, data, sizeof(data), MSG_DONTWAIT) > 0)
			sent++;
		(void)loop_step(b.loop, 0);
		while (net_poll(b.net))
			;
	}
	full = (uint32_t)b.ifp->count.drops[DROP_QUEUE_FULL];
	/* Read at full speed it would have lost nearly all of 200 * 64; it
	 * waits before the first is lost. */
	assert_true(full < 40 * 64);
	assert_true(sent - full > 256);
	for (int idle = 0; idle < 20;) {
		uint32_t n = drain(b.fd);

		got += n;
		idle = n != 0 ? 0 : idle + 1;
		(void)loop_step(b.loop, 1000000);
		run();
	}
	assert_int_equal(got + b.ifp->count.drops[DROP_QUEUE_FULL], sent);
	close(fd);
	run_until_gone("tap1");
}

/* Many frames go at once: each as it was, in their order, with their headers;
 * more than the socket takes wait; nobody there takes them all. */
static void
test_many_at_once(void **state)
{
	static const struct tap_open_options with_header = {
		.format = { .vnet_hdr = 12 },
	};
	struct iface *ifp;

	(void)state;
	for (uint32_t head = 0; head <= 12; head += 12) {
		assert_int_equal(
		    tap_open(b.net, NULL, "tap0",
		        head != 0 ? &with_header : NULL, &b.fd, &ifp),
		    0);
		for (uint32_t len = 60; len < 500; len++)
			fixture_output(b.ifp, 1, len);
		run();
		for (uint32_t len = 60; len < 500; len++) {
			assert_int_equal(app_read(b.fd), head + len);
			run();
		}
		assert_int_equal(app_read(b.fd), -1);
		/* Into a socket whose other end has gone unnoticed. */
		for (uint32_t len = 60; len < 160; len++)
			fixture_output(b.ifp, 1, len);
		close(b.fd);
		b.fd = -1;
		run();
		fixture_pool_is_whole(b.net, 0);
	}
	assert_int_equal(b.ifp->count.opackets, 2 * 540);
	assert_int_equal(b.ifp->count.oerrors, 0);
}

static void
test_queue_has_a_quota_of_bytes(void **state)
{
	struct frame_pool_stats s;

	(void)state;
	b.fd = tap_open_fixed();
	assert_int_equal(iface_set_mtu(b.ifp, 65521), 0);
	for (int i = 0; i < 100; i++) {
		fixture_output(b.ifp, 1, 65000);
		run();
	}
	assert_true(b.ifp->count.drops[DROP_QUEUE_BYTES] > 0);
	frame_pool_stats(b.net->pool, &s);
	assert_int_equal(s.large_total - s.large_free, (4 << 20) / 65000);
	while (app_read(b.fd) == 65000)
		run();
	assert_int_equal(
	    b.ifp->count.opackets + b.ifp->count.drops[DROP_QUEUE_BYTES], 100);
}

static void
test_down_drops_the_queue(void **state)
{
	uint64_t sent;

	(void)state;
	b.fd = tap_open_fixed();
	for (int i = 0; i < 5; i++)
		fixture_output(b.ifp, 64, 1000);
	run();
	sent = b.ifp->count.opackets;
	iface_set_flags(b.ifp, 0, IFACE_UP);
	assert_int_equal(b.ifp->count.drops[DROP_IF_DOWN] + sent +
	                     b.ifp->count.drops[DROP_QUEUE_FULL],
	    320);
	assert_true(b.ifp->count.drops[DROP_IF_DOWN] > 0);
	fixture_pool_is_whole(b.net, 0);
	/* What the socket has is still readable. */
	assert_int_equal(drain(b.fd), sent);
}

/* Destroyed while open: the app sees an end; nothing is destroyed twice. */
static void
test_destroy_while_open(void **state)
{
	int fd = tap_open_fixed();

	(void)state;
	for (int i = 0; i < 6; i++)
		fixture_output(b.ifp, 64, 1000);
	run();
	net_iface_destroy(b.ifp, NULL);
	fixture_pool_is_whole(b.net, 0);
	while (app_read(fd) > 0)
		;
	assert_int_equal(app_read(fd), 0);
	assert_int_equal(send(fd, "x", 1, MSG_NOSIGNAL), -1);
	assert_int_equal(errno, EPIPE);
	close(fd);
	run();
}

/* The pool is empty: counted, and it heals. */
static void
test_empty_pool_is_a_counted_drop(void **state)
{
	struct frame *held[2048];
	uint32_t n = 0;

	(void)state;
	b.fd = tap_open_fixed();
	app_write(b.fd, 60);
	run(); /* now the spare frame is out too */
	while ((held[n] = frame_alloc(b.net->pool, 60)) != NULL)
		n++;
	app_write(b.fd, 60);
	app_write(b.fd, 9000); /* takes the spare one */
	app_write(b.fd, 9000);
	run();
	assert_int_equal(b.ifp->count.drops[DROP_NO_FRAME], 2);
	assert_int_equal(b.ifp->count.iqdrops, 2);
	while (n != 0)
		frame_release(held[--n]);
	app_write(b.fd, 9000);
	app_write(b.fd, 9000);
	run();
	assert_int_equal(b.sink.frames, 4);
	assert_int_equal(b.ifp->count.drops[DROP_NO_FRAME], 2);
}

/* A flooding app gets its share of a turn, not more. */
static void
test_reading_is_bounded_in_a_turn(void **state)
{
	(void)state;
	b.fd = tap_open_fixed();
	for (int i = 0; i < 100; i++)
		app_write(b.fd, 60);
	assert_true(loop_step(b.loop, 0) >= 0);
	assert_int_equal(b.sink.frames, 64);
	run();
	assert_int_equal(b.sink.frames, 100);
}

/* With offload records: they cross as they are, and bad ones are dropped. */
static void
test_vnet_hdr(void **state)
{
	struct tap_open_options o = {
		.format = { .vnet_hdr = 10, .caps = OFFLOAD_CSUM },
		.uid = 1000,
		.pid = 4321,
	};
	struct {
		struct frame_offload off;
		uint8_t data[60];
	} m = { 0 };
	struct fixture_info i;
	struct iface *ifp;

	(void)state;
	assert_int_equal(sizeof(m), 70);
	assert_int_equal(tap_open(b.net, NULL, "tap0", &o, &b.fd, &ifp), 0);
	assert_string_equal(fixture_get(b.ifp, &i),
	    "clone=false open=true queued=0 opened_by_uid=1000 "
	    "opened_by_pid=4321 vnet_hdr=10 ");
	assert_int_equal(ifp->caps, OFFLOAD_CSUM);
	fixture_bytes(m.data, 60, 1);
	assert_int_equal(write(b.fd, &m, sizeof(m)), 70);
	run();
	assert_int_equal(b.sink.last_len, 60);
	m.off.gso_type = FRAME_GSO_TCPV4; /* of size 0 */
	assert_int_equal(write(b.fd, &m, sizeof(m)), 70);
	assert_int_equal(write(b.fd, &m, 9), 9);
	run();
	assert_int_equal(b.ifp->count.drops[DROP_BAD_OFFLOAD], 1);
	assert_int_equal(b.ifp->count.drops[DROP_RUNT], 1);
	assert_int_equal(b.sink.frames, 1);
	fixture_output(b.ifp, 1, 60);
	run();
	memset(&m, 0xee, sizeof(m));
	assert_int_equal(recv(b.fd, &m, sizeof(m), MSG_DONTWAIT), 70);
	assert_int_equal(m.off.flags, 0);
	assert_int_equal(m.data[59], 0);
	/* The next who opens it plainly gets plain frames. */
	close(b.fd);
	run();
	b.fd = tap_open_fixed();
	assert_int_equal(ifp->caps, 0);
	fixture_output(b.ifp, 1, 60);
	run();
	assert_int_equal(app_read(b.fd), 60);
}

/* select and poll work as on a device. */
static void
test_poll_says_what_there_is(void **state)
{
	struct pollfd p;

	(void)state;
	b.fd = tap_open_fixed();
	p = (struct pollfd){ .fd = b.fd, .events = POLLIN | POLLOUT };
	assert_int_equal(poll(&p, 1, 0), 1);
	assert_int_equal(p.revents, POLLOUT);
	fixture_output(b.ifp, 1, 60);
	run();
	assert_int_equal(poll(&p, 1, 0), 1);
	assert_int_equal(p.revents, POLLIN | POLLOUT);
	/* A short buffer cuts the frame, the rest is gone. */
	uint8_t small[10];
	assert_int_equal(read(b.fd, small, sizeof(small)), 10);
	assert_int_equal(app_read(b.fd), -1);
}

/* No descriptor left: nothing remains of the attempt. */
static void
test_out_of_descriptors(void **state)
{
	struct rlimit saved, none;
	struct iface *ifp;
	int fd;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &saved), 0);
	none = saved;
	none.rlim_cur = 1; /* what is open stays open */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(tap_open(b.net, NULL, NULL, NULL, &fd, &ifp), -EMFILE);
	assert_int_equal(
	    tap_open(b.net, NULL, "tap0", NULL, &fd, &ifp), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &saved), 0);
	assert_null(net_iface_find(b.net, NULL, "tap1"));
	assert_int_equal(b.ifp->link, IFACE_LINK_DOWN);
	b.fd = tap_open_fixed();
}

/* --- as Linux's tun ---------------------------------------------------------
 */

static int
tun_open(const char *name, struct tap_open_options *o, int *fd)
{
	struct iface *ifp;

	o->make = true;
	return tap_open(b.net, NULL, name, o, fd, &ifp);
}

/* Any name can be had; "" and "%d" are the lowest that is free. */
static void
test_made_by_name(void **state)
{
	static const struct {
		const char *name, *got;
		int err;
	} cases[] = {
		{ "", "tap1", 0 },
		{ "tap%d", "tap2", 0 },
		{ "tap9", "tap9", 0 },
		{ "vpn%d", "vpn0", 0 },
		{ "vpn%d", "vpn1", 0 },
		{ "a%dz", "a0z", 0 },
		{ "tape", "tape", 0 },
		{ "tap05", "tap05", 0 },
		{ "feth9", "feth9", 0 },
		{ "feth0", NULL, -EINVAL }, /* there, and no tap */
		{ "a%sz", NULL, -EINVAL },
		{ "a%", NULL, -EINVAL },
		{ "%d%d", NULL, -EINVAL },
		{ "a/b", NULL, -EINVAL },
		{ "averyveryverylo%d", NULL, -EINVAL },
		{ "averyveryverylongone", NULL, -EINVAL },
		{ "tap0", "tap0", 0 },
		{ "tap0", NULL, -EBUSY },
	};
	int fds[ARRAY_LEN(cases)];

	(void)state;
	(void)fixture_iface(b.net, "feth0");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct tap_open_options o = { 0 };
		struct iface *ifp = NULL;

		fds[i] = -1;
		o.make = true;
		assert_int_equal(
		    tap_open(b.net, NULL, cases[i].name, &o, &fds[i], &ifp),
		    cases[i].err);
		if (cases[i].err == 0)
			assert_string_equal(ifp->name, cases[i].got);
	}
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	run();
	/* What was made went; what was there stays. */
	assert_int_equal(b.net->iface_count, 2);
	assert_non_null(net_iface_find(b.net, NULL, "tap0"));
}

/* struct tun_pi and a longer virtio_net_hdr, both ways. */
static void
test_headers(void **state)
{
	struct tap_open_options o = {
		.format = { .pi = true, .vnet_hdr = 10 },
	};
	uint8_t m[4 + 12 + 60] = { 0 };

	(void)state;
	assert_int_equal(tun_open("tap0", &o, &b.fd), 0);
	assert_int_equal(tap_set_vnet_hdr(b.ifp, 9), -EINVAL);
	assert_int_equal(tap_set_vnet_hdr(b.ifp, 65), -EINVAL);
	assert_int_equal(tap_set_vnet_hdr(b.ifp, 12), 0);
	fixture_bytes(m + 16, 60, 3);
	assert_int_equal(write(b.fd, m, sizeof(m)), sizeof(m));
	assert_int_equal(write(b.fd, m, 15), 15);
	run();
	assert_int_equal(b.sink.frames, 1);
	assert_int_equal(b.sink.last_len, 60);
	assert_memory_equal(b.sink.last, m + 16, 60);
	assert_int_equal(b.ifp->count.drops[DROP_RUNT], 1);
	fixture_output(b.ifp, 1, 60);
	run();
	memset(m, 0xee, sizeof(m));
	assert_int_equal(recv(b.fd, m, sizeof(m), MSG_DONTWAIT), sizeof(m));
	assert_memory_equal(m, "\0\0", 2);
	assert_memory_equal(m + 2, m + 16 + 12, 2); /* the EtherType */
	assert_memory_equal(m + 4, "\0\0\0\0\0\0\0\0\0\0\0\0", 12);
	/* A tap that has none cannot be given one; a new app starts anew. */
	close(b.fd);
	run();
	b.fd = tap_open_fixed();
	assert_int_equal(tap_set_vnet_hdr(b.ifp, 12), -EINVAL);
	app_write(b.fd, 60);
	run();
	assert_int_equal(b.sink.frames, 2);
}

/* Descriptors of one tap: each a queue; what comes from any comes in. */
static void
test_queues(void **state)
{
	struct tap_open_options o = { .multi_queue = true };
	struct tap_open_options plain = { 0 };
	int fds[TAP_QUEUES_MAX], fd, with[TAP_QUEUES_MAX] = { 0 };
	uint64_t cookies[TAP_QUEUES_MAX];
	socklen_t len = sizeof(cookies[0]);
	struct tap_state st;
	uint32_t sum = 0;

	(void)state;
	for (int i = 0; i < TAP_QUEUES_MAX; i++) {
		assert_int_equal(tun_open("tap0", &o, &fds[i]), 0);
		assert_int_equal(getsockopt(fds[i], SOL_SOCKET, SO_COOKIE,
		                     &cookies[i], &len),
		    0);
		assert_ptr_equal(tap_by_cookie(b.net, cookies[i]), b.ifp);
	}
	assert_int_equal(tun_open("tap0", &o, &fd), -E2BIG);
	assert_int_equal(tun_open("tap0", &plain, &fd), -EBUSY);
	o.format.pi = true;
	assert_int_equal(tun_open("tap0", &o, &fd), -EINVAL);
	for (int i = 0; i < TAP_QUEUES_MAX; i++)
		app_write(fds[i], 60);
	run();
	assert_int_equal(b.sink.frames, TAP_QUEUES_MAX);
	/* One off: -EINVAL twice, and it gets nothing. */
	assert_int_equal(tap_set_detached(b.ifp, cookies[0], true), 0);
	assert_int_equal(tap_set_detached(b.ifp, cookies[0], true), -EINVAL);
	assert_int_equal(tap_set_detached(b.ifp, 12345, true), -EINVAL);
	tap_get_state(b.ifp, cookies[0], &st);
	assert_true(st.detached && st.multi_queue && st.open);
	for (uint32_t i = 0; i < 200; i++) {
		struct frame_batch batch;
		struct frame *f = fixture_frame(b.net, 60, (uint8_t)i);

		f->data[11] = (uint8_t)i;
		batch.count = 1;
		batch.frames[0] = f;
		iface_output(b.ifp, &batch);
		run();
	}
	for (int i = 0; i < TAP_QUEUES_MAX; i++) {
		while (app_read(fds[i]) == 60)
			with[i]++;
		assert_true(i == 0 ? with[i] == 0 : with[i] > 5);
		sum += (uint32_t)with[i];
	}
	assert_int_equal(sum, 200);
	/* What waited for one that is taken off is dropped, and counted. */
	assert_int_equal(tap_set_detached(b.ifp, cookies[0], false), 0);
	for (int i = 1; i < TAP_QUEUES_MAX; i++)
		assert_int_equal(tap_set_detached(b.ifp, cookies[i], true), 0);
	const uint64_t *drops = b.ifp->count.drops;
	uint64_t before = drops[DROP_QUEUE_FULL], at_once;
	for (int i = 0; i < 30; i++) {
		fixture_output(b.ifp, 64, 60);
		run();
	}
	at_once = drops[DROP_QUEUE_FULL];
	assert_int_equal(tap_set_detached(b.ifp, cookies[0], true), 0);
	at_once = drops[DROP_QUEUE_FULL] - at_once;
	assert_true(at_once > 0);
	assert_int_equal(tap_set_detached(b.ifp, cookies[0], false), 0);
	sum = 0;
	while (app_read(fds[0]) == 60)
		sum++;
	run();
	assert_true(app_read(fds[0]) < 0);
	assert_int_equal(sum + drops[DROP_QUEUE_FULL] - before, 30 * 64);
	for (int i = 1; i < TAP_QUEUES_MAX; i++)
		assert_int_equal(tap_set_detached(b.ifp, cookies[i], false), 0);
	/* The link stays until the last. */
	for (int i = 0; i < TAP_QUEUES_MAX; i++) {
		assert_int_equal(b.ifp->link, IFACE_LINK_UP);
		close(fds[i]);
		run();
		assert_null(tap_by_cookie(b.net, cookies[i]));
	}
	assert_int_equal(b.ifp->link, IFACE_LINK_DOWN);
	tap_get_state(b.ifp, 0, &st);
	assert_false(st.open || st.multi_queue);
}

/* A made tap can be told to stay, and a fixed one to go. */
static void
test_persistence_and_owner(void **state)
{
	static const struct net_actor owner = { .uid = 1000 };
	static const struct net_actor other = { .uid = 1001 };
	struct tap_open_options o = { .uid = 1000 };
	struct iface *ifp;
	int fd;

	(void)state;
	assert_int_equal(tun_open("tap5", &o, &fd), 0);
	ifp = net_iface_find(b.net, NULL, "tap5");
	tap_set_made(ifp, false);
	assert_int_equal(net_user_change(ifp, 1000), 0);
	close(fd);
	run();
	assert_ptr_equal(net_iface_find(b.net, NULL, "tap5"), ifp);
	/* For another user there is none, and the name is taken. */
	b.net->actor = &other;
	assert_int_equal(tun_open("tap5", &o, &fd), -EEXIST);
	b.net->actor = NULL;
	assert_int_equal(tun_open("tap5", &o, &fd), 0);
	close(fd);
	run();
	b.net->actor = &owner;
	assert_int_equal(tun_open("tap5", &o, &fd), 0);
	b.net->actor = NULL;
	tap_set_made(ifp, true);
	close(fd);
	run();
	assert_null(net_iface_find(b.net, NULL, "tap5"));
}

/* The app's own socket cannot be had: nothing remains. */
static int
no_join(void *arg, int *ours, uint64_t *cookie)
{
	(void)arg;
	(void)ours;
	(void)cookie;
	return -EEXIST;
}

static void
test_join_refused(void **state)
{
	struct tap_open_options o = { .join = no_join };
	int fd = -2;

	(void)state;
	assert_int_equal(tun_open("tap5", &o, &fd), -EEXIST);
	assert_int_equal(tun_open("tap0", &o, &fd), -EEXIST);
	assert_int_equal(fd, -2);
	assert_null(net_iface_find(b.net, NULL, "tap5"));
	assert_int_equal(b.ifp->link, IFACE_LINK_DOWN);
	b.fd = tap_open_fixed();
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_address_and_birth),
		T(test_open_errors),
		T(test_fixed_unit_outlives_its_descriptor),
		T(test_nobody_reading_counts_as_sent),
		T(test_frames_go_both_ways),
		T(test_long_frame_is_what_was_written),
		T(test_odd_writes_are_counted),
		T(test_write_while_down_succeeds_and_is_dropped),
		T(test_clone_dies_with_the_last_descriptor),
		T(test_clone_dies_when_its_holder_is_killed),
		T(test_last_words_are_heard),
		T(test_stalled_reader),
		T(test_a_writer_waits_for_a_full_reader),
		T(test_many_at_once),
		T(test_queue_has_a_quota_of_bytes),
		T(test_down_drops_the_queue),
		T(test_destroy_while_open),
		T(test_empty_pool_is_a_counted_drop),
		T(test_reading_is_bounded_in_a_turn),
		T(test_vnet_hdr),
		T(test_poll_says_what_there_is),
		T(test_out_of_descriptors),
		T(test_made_by_name),
		T(test_headers),
		T(test_queues),
		T(test_persistence_and_owner),
		T(test_join_refused),
	};

	return cmocka_run_group_tests_name("drv_tap", tests, NULL, NULL);
}
