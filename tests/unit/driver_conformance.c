/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every kind of interface has to do, whatever its wire is: one suite, run
 * for each row of far_ends[].  A row says how the far end of the wire is
 * reached: how a frame is put in there, what has come out.
 *
 * The law behind most of it is conservation: what was offered to an interface
 * has gone out, or was dropped under a reason, or waits in it; and when it is
 * gone, every frame is back in the pool.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/timerheap.h"
#include "drv/gif.h"
#include "drv/tap.h"
#include "frame/etherip.h"
#include "frame/tag.h"
#include "net/impair.h"
#include "net_fixture.h"
#include "os/loop.h"
#include "xnb_front.h"

struct far_end {
	const char *kind;
	const char *how;  /* where a kind has several; else "" */
	uint32_t mtu_max; /* largest that may be set */
	void (*connect)(void);
	void (*disconnect)(void); /* the link goes down */
	void (*inject)(uint32_t len);
	uint32_t (*collect)(void); /* frames that came out since */
	/* What is offered while nobody is at the far end counts as sent. */
	bool sends_into_nothing;
	bool link_is_up;        /* the link follows UP, not the far end */
	bool runs_with_far_end; /* and not without */
	bool has_queue;         /* output waits until somebody takes it */
	bool flushes;           /* at the end of a round */
	bool twin;   /* it is born with its far end, has a link and runs */
	bool tunnel; /* it has no Ethernet address, and other flags */
	enum drop_reason runt; /* what too short a frame is; DROP_RUNT if 0 */
};

static struct {
	const struct far_end *end;
	struct loop *loop;
	struct net *net;
	struct iface *ifp, *peer;
	struct fixture_sink sink, peer_sink;
	struct timerheap timers; /* of the impairment: virtual time */
	int fd;
	char dir[32]; /* of sockets; "": none */
	struct front front;
} c;

static void
run(void)
{
	bool more = true;

	while (more) {
		more = loop_step(c.loop, 0) == 1;
		while (net_poll(c.net))
			more = true;
	}
}

/* epair: the twin. */
static void
epair_connect(void)
{
	c.peer = c.ifp->twin;
	assert_int_equal(iface_set_flags(c.peer, IFACE_UP, 0), 0);
	fixture_sink_init(&c.peer_sink);
	assert_int_equal(iface_stack_attach(c.peer, &c.peer_sink.stack), 0);
}

static void
epair_inject(uint32_t len)
{
	struct frame_batch b;

	/* Whatever the length: past the twin's own checks. */
	fixture_batch(c.net, &b, 1, len);
	epair_ops.transmit(c.peer, &b);
}

/* feth: the peer. */
static void
feth_connect(void)
{
	c.peer = fixture_iface_up(c.net, "feth");
	fixture_sink_init(&c.peer_sink);
	assert_int_equal(iface_stack_attach(c.peer, &c.peer_sink.stack), 0);
	assert_int_equal(
	    fixture_word(c.ifp, "peer", c.peer->name, 0, false), 0);
}

static void
feth_disconnect(void)
{
	net_iface_destroy(c.peer, NULL);
}

static void
feth_inject(uint32_t len)
{
	struct frame_batch b;

	/* Whatever the length: past the peer's own checks. */
	fixture_batch(c.net, &b, 1, len);
	feth_ops.transmit(c.peer, &b);
}

static uint32_t
feth_collect(void)
{
	uint32_t n;

	run();
	n = c.peer_sink.frames;
	c.peer_sink.frames = 0;
	return n;
}

/* tap: the app. */
static void
tap_app_connect(void)
{
	struct iface *ifp;

	assert_int_equal(
	    tap_open(c.net, NULL, c.ifp->name, NULL, &c.fd, &ifp), 0);
}

static void
tap_app_disconnect(void)
{
	close(c.fd);
	c.fd = -1;
	run();
}

static void
tap_inject(uint32_t len)
{
	uint8_t data[2048];

	fixture_bytes(data, len, 7);
	assert_int_equal(send(c.fd, data, len, MSG_DONTWAIT), len);
}

static uint32_t
tap_collect(void)
{
	static uint8_t data[FRAME_LARGE_MAX];
	uint32_t n = 0, before;

	do {
		before = n;
		run();
		while (recv(c.fd, data, sizeof(data), MSG_DONTWAIT) > 0)
			n++;
	} while (n != before);
	return n;
}

/* vether: the host, here one that takes all at once. */
static void
host_connect(void)
{
	fixture_sink_init(&c.peer_sink);
	c.ifp->host = &c.peer_sink.host;
}

static void
host_disconnect(void)
{
	c.ifp->host = NULL;
}

static void
host_inject(uint32_t len)
{
	struct frame_batch b;

	fixture_batch(c.net, &b, 1, len);
	iface_host_input(c.ifp, &b);
}

static uint32_t
host_collect(void)
{
	uint32_t n = c.peer_sink.host_frames;

	c.peer_sink.host_frames = 0;
	return n;
}

/* vlan: what its parent, a vether, has on the wire. */
static void
vlan_connect(void)
{
	c.peer = fixture_iface_up(c.net, "vether");
	assert_int_equal(iface_set_mtu(c.peer, 65521), 0);
	fixture_sink_init(&c.peer_sink);
	c.peer->host = &c.peer_sink.host;
	assert_int_equal(fixture_word(c.ifp, "vlan", NULL, 10, false), 0);
	assert_int_equal(
	    fixture_word(c.ifp, "vlandev", c.peer->name, 0, false), 0);
}

static void
vlan_disconnect(void)
{
	c.peer->host = NULL;
	net_iface_destroy(c.peer, NULL);
}

static void
vlan_inject(uint32_t len)
{
	struct frame_batch b;

	fixture_batch(c.net, &b, 1, len);
	if (len < ETH_HDR_LEN) { /* cannot have a tag */
		iface_input(c.ifp, &b);
		return;
	}
	b.frames[0] = frame_tag_put(b.frames[0], ETH_TYPE_VLAN, 10);
	iface_host_input(c.peer, &b);
}

/* sock: a program's socket, of one framing or the other. */
static struct sockaddr_un
sock_path(const char *name)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/%s", c.dir, name);
	return sun;
}

static void
sock_word(const char *word, const char *name, const char *framing)
{
	union keyword_value v[KEYWORD_ARGS_MAX] = { { 0 } };
	const struct iface_keyword *k = sock_ops.keywords;
	char address[64];

	snprintf(address, sizeof(address), "unix:%s/%s", c.dir, name);
	v[0].str = address;
	v[1].str = framing;
	while (strcmp(k->name, word) != 0)
		k++;
	assert_int_equal(k->apply(c.ifp, v), 0);
}

static void
sock_dir(void)
{
	if (c.dir[0] == '\0') {
		strcpy(c.dir, "/tmp/coax-conf-XXXXXX");
		assert_non_null(mkdtemp(c.dir));
	}
}

static void
stream_connect(void)
{
	struct sockaddr_un sun;

	sock_dir();
	sock_word("listen", "s", NULL);
	sun = sock_path("s");
	c.fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(
	    connect(c.fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	run();
}

static void
sock_disconnect(void)
{
	close(c.fd);
	c.fd = -1;
	run();
}

static void
stream_inject(uint32_t len)
{
	uint8_t data[4 + 2048] = { 0, 0, (uint8_t)(len >> 8), (uint8_t)len };

	fixture_bytes(data + 4, len, 7);
	assert_int_equal(send(c.fd, data, 4 + len, MSG_DONTWAIT), 4 + len);
}

/* Reads exactly so much of what is there, or nothing. */
static bool
stream_read(uint8_t *data, size_t len)
{
	size_t got = 0;
	ssize_t n;

	while (got < len) {
		run();
		n = recv(c.fd, data + got, len - got, MSG_DONTWAIT);
		if (n <= 0) {
			assert_int_equal(got, 0);
			return false;
		}
		got += (size_t)n;
	}
	return true;
}

static uint32_t
stream_collect(void)
{
	static uint8_t data[FRAME_LARGE_MAX];
	uint8_t hdr[4];
	uint32_t n = 0;

	while (stream_read(hdr, 4)) {
		assert_int_equal(hdr[0], 0);
		assert_true(stream_read(
		    data, (size_t)hdr[1] << 16 | (size_t)hdr[2] << 8 | hdr[3]));
		n++;
	}
	return n;
}

static void
dgram_connect(void)
{
	struct sockaddr_un local, remote;

	sock_dir();
	local = sock_path("far");
	remote = sock_path("near");
	unlink(local.sun_path);
	c.fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(
	    bind(c.fd, (struct sockaddr *)&local, sizeof(local)), 0);
	sock_word("listen", "near", "dgram");
	sock_word("connect", "far", "dgram");
	assert_int_equal(
	    connect(c.fd, (struct sockaddr *)&remote, sizeof(remote)), 0);
	run();
}

/* Nobody notices before something is sent. */
static void
dgram_disconnect(void)
{
	bool up = (c.ifp->flags & IFACE_UP) != 0;

	sock_disconnect();
	iface_set_flags(c.ifp, IFACE_UP, 0);
	fixture_output(c.ifp, 1, 60);
	run();
	if (!up)
		iface_set_flags(c.ifp, 0, IFACE_UP);
	assert_int_equal(fixture_word(c.ifp, "-connect", NULL, 0, false), 0);
}

static void
dgram_inject(uint32_t len)
{
	uint8_t data[2048];

	fixture_bytes(data, len, 7);
	assert_int_equal(send(c.fd, data, len, 0), len);
	run();
}

/* The queue of a Unix socket is short: it is tried again after a moment. */
static uint32_t
dgram_collect(void)
{
	static uint8_t data[FRAME_LARGE_MAX];
	uint32_t n = 0, idle = 0;

	while (idle < 20) {
		loop_step(c.loop, 1000000);
		run();
		for (idle++; recv(c.fd, data, sizeof(data), MSG_DONTWAIT) >= 0;
		     idle = 0)
			n++;
	}
	return n;
}

/* xnb: a program's rings. */
static void
port_connect(void)
{
	front_open(&c.front, c.net, c.loop, c.ifp->name);
	assert_int_equal(fixture_word(c.ifp, "persist", NULL, 0, false), 0);
	front_connect(&c.front, FRONT_KEYS);
	front_post(&c.front, 256);
}

static void
port_disconnect(void)
{
	front_close(&c.front);
	run();
}

static void
port_inject(uint32_t len)
{
	fixture_bytes(front_tx(&c.front, (uint16_t)len, 0, 0), len, 7);
	front_send(&c.front);
}

static uint32_t
port_collect(void)
{
	return front_collect(&c.front);
}

/* gif: a socket that stands for one of IP protocol 97. */
static int
outer_open(void *arg, struct net *net, struct vnet *vnet,
    const struct gif_socket *want)
{
	int fds[2];

	(void)arg, (void)net, (void)vnet, (void)want;
	if (c.fd >= 0)
		close(c.fd);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
	c.fd = fds[0];
	return fds[1];
}

static void
gif_connect(void)
{
	static const struct gif_outer outer = { .open = outer_open };
	const union keyword_value v[KEYWORD_ARGS_MAX] = { { .str = "1.2.3.4" },
		{ .str = "5.6.7.8" } };
	const struct iface_keyword *k = gif_ops.keywords;

	drv_context(c.net)->gif_outer = &outer;
	while (strcmp(k->name, "tunnel") != 0)
		k++;
	assert_int_equal(k->apply(c.ifp, v), 0);
}

static void
gif_disconnect(void)
{
	assert_int_equal(
	    fixture_word(c.ifp, "deletetunnel", NULL, 0, false), 0);
}

static void
gif_inject(uint32_t len)
{
	uint8_t data[22 + 2048] = { 0x45, [9] = ETHERIP_PROTO, [12] = 5, 6, 7,
		8, 1, 2, 3, 4, 0x30 };

	fixture_bytes(data + 22, len, 7);
	assert_int_equal(send(c.fd, data, 22 + len, MSG_DONTWAIT), 22 + len);
	run();
}

static const struct far_end far_ends[] = {
	{ .kind = "gif",
	    .mtu_max = 8192,
	    .connect = gif_connect,
	    .disconnect = gif_disconnect,
	    .inject = gif_inject,
	    .collect = tap_collect,
	    .flushes = true,
	    .has_queue = true,
	    .runs_with_far_end = true,
	    .tunnel = true,
	    .runt = DROP_ETHERIP_SHORT },
	{ .kind = "feth",
	    .mtu_max = 2048,
	    .connect = feth_connect,
	    .disconnect = feth_disconnect,
	    .inject = feth_inject,
	    .collect = feth_collect,
	    .has_queue = true },
	{ .kind = "epair",
	    .mtu_max = 65521,
	    .connect = epair_connect,
	    .inject = epair_inject,
	    .collect = feth_collect,
	    .has_queue = true,
	    .twin = true },
	{ .kind = "sock",
	    .mtu_max = 65521,
	    .connect = stream_connect,
	    .disconnect = sock_disconnect,
	    .inject = stream_inject,
	    .collect = stream_collect,
	    .flushes = true,
	    .has_queue = true },
	{ .kind = "sock",
	    .how = "_dgram",
	    .mtu_max = 65521,
	    .connect = dgram_connect,
	    .disconnect = dgram_disconnect,
	    .inject = dgram_inject,
	    .collect = dgram_collect,
	    .flushes = true,
	    .has_queue = true },
	{ .kind = "tap",
	    .mtu_max = 65521,
	    .connect = tap_app_connect,
	    .disconnect = tap_app_disconnect,
	    .inject = tap_inject,
	    .collect = tap_collect,
	    .sends_into_nothing = true,
	    .flushes = true,
	    .has_queue = true },
	{ .kind = "vether",
	    .mtu_max = 65521,
	    .connect = host_connect,
	    .disconnect = host_disconnect,
	    .inject = host_inject,
	    .collect = host_collect,
	    .link_is_up = true },
	{ .kind = "vlan",
	    .mtu_max = 65521,
	    .connect = vlan_connect,
	    .disconnect = vlan_disconnect,
	    .inject = vlan_inject,
	    .collect = host_collect,
	    .runs_with_far_end = true },
	{ .kind = "xnb",
	    .mtu_max = 65521,
	    .connect = port_connect,
	    .disconnect = port_disconnect,
	    .inject = port_inject,
	    .collect = port_collect,
	    .has_queue = true },
};

static int
setup(void **state)
{
	const struct far_end *end = *state;

	memset(&c, 0, sizeof(c));
	c.end = end;
	c.fd = -1;
	assert_int_equal(loop_create(&c.loop), 0);
	loop_set_spin(c.loop, 0);
	c.net = fixture_net(drv_kinds, NULL, 4096);
	assert_int_equal(drv_init(c.net, c.loop), 0);
	c.net->timers = &c.timers;
	c.ifp = fixture_iface(c.net, end->kind);
	fixture_sink_init(&c.sink);
	assert_int_equal(iface_stack_attach(c.ifp, &c.sink.stack), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	net_destroy(c.net); /* asserts that all frames are back */
	assert_int_equal(c.timers.count, 0);
	timerheap_fini(&c.timers);
	if (c.fd >= 0)
		close(c.fd);
	if (c.front.mem != NULL)
		front_close(&c.front);
	loop_destroy(c.loop);
	if (c.dir[0] != '\0') {
		(void)unlink(sock_path("far").sun_path);
		assert_int_equal(rmdir(c.dir), 0);
	}
	return 0;
}

static void
up(void)
{
	assert_int_equal(iface_set_flags(c.ifp, IFACE_UP, 0), 0);
}

static void
test_birth(void **state)
{
	const struct iface *ifp = c.ifp;
	uint32_t more = c.end->twin ? IFACE_RUNNING | IFACE_LOWER_UP : 0;

	(void)state;
	assert_int_equal(ifp->flags,
	    c.end->tunnel
	        ? IFACE_POINTOPOINT | IFACE_MULTICAST
	        : IFACE_BROADCAST | IFACE_SIMPLEX | IFACE_MULTICAST | more);
	assert_int_equal(ifp->mtu, c.end->tunnel ? 1280 : 1500);
	assert_false(ether_is_multicast(ifp->mac));
	assert_true(ether_is_local(ifp->mac));
	assert_true(iface_group_has(ifp, c.end->kind));
	assert_int_equal(
	    ifp->link, c.end->twin ? IFACE_LINK_UP : IFACE_LINK_DOWN);
	assert_non_null(ifp->ops->about);
}

static void
test_link_follows_the_far_end(void **state)
{
	(void)state;
	if (c.end->twin)
		return; /* that is never away */
	for (int i = 0; i < 2; i++) {
		if (c.end->link_is_up)
			up();
		c.end->connect();
		assert_int_equal(c.ifp->link, IFACE_LINK_UP);
		assert_true(c.ifp->flags & IFACE_LOWER_UP);
		c.end->disconnect();
		if (c.end->link_is_up)
			iface_set_flags(c.ifp, 0, IFACE_UP);
		assert_int_equal(c.ifp->link, IFACE_LINK_DOWN);
		assert_false(c.ifp->flags & IFACE_LOWER_UP);
	}
	assert_true(c.sink.changes & IFACE_CHANGED_LINK);
}

static void
test_running_follows_up(void **state)
{
	(void)state;
	if (c.end->runs_with_far_end)
		c.end->connect();
	for (int i = 0; i < 2; i++) {
		up();
		assert_true(iface_running(c.ifp));
		iface_set_flags(c.ifp, 0, IFACE_UP);
		assert_int_equal(
		    (c.ifp->flags & IFACE_RUNNING) != 0, c.end->twin);
	}
}

static void
test_counters_both_ways(void **state)
{
	const struct iface_counters *k = &c.ifp->count;
	struct frame_batch b;

	(void)state;
	up();
	c.end->connect();
	for (uint32_t i = 0; i < 70; i++)
		c.end->inject(60 + i);
	run();
	assert_int_equal(c.sink.frames, 70);
	assert_int_equal(k->ipackets, 70);
	assert_int_equal(k->ibytes, 70 * 60 + 69 * 70 / 2);
	fixture_batch(c.net, &b, 20, 100);
	for (uint32_t i = 0; i < 5; i++)
		b.frames[i]->data[0] = 0xff;
	iface_output(c.ifp, &b);
	assert_int_equal(c.end->collect(), 20);
	assert_int_equal(k->opackets, 20);
	assert_int_equal(k->obytes, 2000);
	assert_int_equal(k->omcasts, 5);
	assert_int_equal(fixture_drops(c.ifp), 0);
	assert_int_equal(k->ierrors + k->oerrors + k->iqdrops + k->noproto, 0);
}

static void
test_runts_are_counted(void **state)
{
	(void)state;
	up();
	c.end->connect();
	c.end->inject(13);
	c.end->inject(14);
	run();
	assert_int_equal(c.sink.frames, 1);
	assert_int_equal(c.ifp->count.drops[c.end->runt], 1);
	assert_int_equal(c.ifp->count.ierrors, 1);
}

static void
test_mtu(void **state)
{
	const struct iface_ops *ops = c.ifp->ops;
	uint32_t small = COAX_MAX(1000u, ops->mtu_min);

	(void)state;
	up();
	c.end->connect();
	assert_int_equal(iface_set_mtu(c.ifp, ops->mtu_min - 1), -EINVAL);
	assert_int_equal(iface_set_mtu(c.ifp, c.end->mtu_max + 1), -EINVAL);
	assert_int_equal(c.ifp->mtu, ops->mtu_default);
	assert_int_equal(iface_set_mtu(c.ifp, c.end->mtu_max), 0);
	fixture_output(c.ifp, 1, c.end->mtu_max + 14);
	assert_int_equal(c.end->collect(), 1);
	assert_int_equal(iface_set_mtu(c.ifp, small), 0);
	fixture_output(c.ifp, 1, small + 14);
	fixture_output(c.ifp, 1, small + 15);
	assert_int_equal(c.end->collect(), 1);
	assert_int_equal(c.ifp->count.drops[DROP_MTU], 1);
}

static void
test_lladdr_can_be_set(void **state)
{
	static const uint8_t mac[6] = { 2, 1, 2, 3, 4, 5 };
	static const uint8_t group[6] = { 3, 1, 2, 3, 4, 5 };

	(void)state;
	assert_int_equal(iface_set_lladdr(c.ifp, group), -EINVAL);
	if (c.end->tunnel) {
		assert_int_equal(iface_set_lladdr(c.ifp, mac), -EOPNOTSUPP);
		return;
	}
	assert_int_equal(iface_set_lladdr(c.ifp, mac), 0);
	assert_memory_equal(c.ifp->mac, mac, 6);
}

static void
test_down_stops_both_ways(void **state)
{
	(void)state;
	up();
	c.end->connect();
	iface_set_flags(c.ifp, 0, IFACE_UP);
	fixture_output(c.ifp, 3, 60);
	assert_int_equal(c.end->collect(), 0);
	assert_int_equal(c.ifp->count.drops[DROP_IF_DOWN], 3);
	up();
	fixture_output(c.ifp, 3, 60);
	assert_int_equal(c.end->collect(), 3);
	c.end->inject(60);
	run();
	assert_int_equal(c.sink.frames, 1);
}

static void
test_without_a_far_end_frames_are_accounted_for(void **state)
{
	(void)state;
	up();
	fixture_output(c.ifp, 9, 60);
	run();
	fixture_pool_is_whole(c.net, 0);
	assert_int_equal(
	    c.ifp->count.opackets, c.end->sends_into_nothing ? 9 : 0);
	assert_int_equal(c.ifp->count.opackets + fixture_drops(c.ifp), 9);
}

/* Nobody takes anything out: bounded, counted; then all comes, and the sum is
 * what was offered. */
static void
test_full_queue_conserves(void **state)
{
	struct frame_pool_stats s;
	uint32_t got;

	(void)state;
	up();
	c.end->connect();
	for (int i = 0; i < 60; i++) {
		fixture_output(c.ifp, 64, 100);
		/* Only its own writes: nobody polls the peer. */
		if (c.end->flushes)
			run();
	}
	frame_pool_stats(c.net->pool, &s);
	assert_true(s.small_total - s.small_free <= 1024);
	assert_int_equal(
	    c.ifp->count.drops[DROP_QUEUE_FULL] > 0, c.end->has_queue);
	got = c.end->collect();
	assert_int_equal(got, c.ifp->count.opackets);
	assert_int_equal(got + fixture_drops(c.ifp), 60 * 64);
	fixture_pool_is_whole(c.net, 0);
	/* And it goes on. */
	fixture_output(c.ifp, 10, 100);
	assert_int_equal(c.end->collect(), 10);
}

/* A shared frame goes to many outputs; no driver may change it. */
static void
test_shared_frames_stay_as_they_are(void **state)
{
	struct frame *f = fixture_frame(c.net, 200, 9);
	struct frame_batch b = { .count = 2 };

	(void)state;
	up();
	c.end->connect();
	b.frames[0] = frame_take(f);
	b.frames[1] = frame_take(f);
	iface_output(c.ifp, &b);
	assert_int_equal(c.end->collect(), 2);
	assert_int_equal(f->refs, 1);
	assert_int_equal(f->len, 200);
	assert_int_equal(f->data[199], 9);
	frame_release(f);
}

static void
test_destroy_while_busy(void **state)
{
	struct fixture_events ev;

	(void)state;
	up();
	c.end->connect();
	for (int i = 0; i < 20; i++) {
		fixture_output(c.ifp, 64, 500);
		c.end->inject(60);
	}
	fixture_subscribe(c.net, &ev);
	assert_int_equal(net_iface_destroy(c.ifp, NULL), 0);
	assert_int_equal(ev.count[NET_EVENT_DESTROY], c.end->twin ? 2 : 1);
	assert_int_equal(c.sink.detached, 1);
	net_unsubscribe(c.net, &ev.sub);
	run();
	/* But for the one that stands ready for a long frame. */
	fixture_pool_is_whole(c.net, drv_context(c.net)->spare != NULL);
	/* The same unit comes back as new. */
	c.ifp = fixture_iface(c.net, c.end->kind);
	assert_int_equal(c.ifp->unit, 0);
	assert_int_equal(c.ifp->count.opackets, 0);
	assert_int_equal(
	    c.ifp->link, c.end->twin ? IFACE_LINK_UP : IFACE_LINK_DOWN);
}

static void
impair(const char *name, const char *value)
{
	const char *words[] = { name, value, "delay", "5ms", "seed", "1" };
	struct impair_change ch;
	char why[IMPAIR_WHY_MAX];

	assert_int_equal(
	    impair_parse(words, ARRAY_LEN(words), &ch, why, sizeof(why)),
	    ARRAY_LEN(words));
	assert_int_equal(iface_impair(c.ifp, &ch), 0);
}

/* Whatever the wire is, it can be a bad one: both ways, and all is accounted
 * for. */
static void
test_impaired(void **state)
{
	(void)state;
	up();
	c.end->connect();
	impair("duplicate", "100%");
	for (int i = 0; i < 5; i++)
		c.end->inject(60);
	fixture_output(c.ifp, 7, 60);
	run();
	assert_int_equal(c.sink.frames, 0);
	assert_int_equal(c.end->collect(), 0);
	c.net->now_ns += 5000000;
	timerheap_run(&c.timers, c.net->now_ns, 8);
	run();
	assert_int_equal(c.sink.frames, 10);
	assert_int_equal(c.end->collect(), 14);
	assert_int_equal(c.ifp->count.ipackets, 10);
	assert_int_equal(c.ifp->count.opackets, 14);

	impair("loss", "50%");
	fixture_output(c.ifp, 60, 60);
	assert_in_range(c.ifp->count.drops[DROP_IMPAIR_LOSS], 10, 50);
	/* Perfect again: what waits goes on at once. */
	iface_impair_off(c.ifp, true, true);
	assert_int_equal(
	    c.end->collect(), 2 * (60 - c.ifp->count.drops[DROP_IMPAIR_LOSS]));
	assert_int_equal(
	    fixture_drops(c.ifp), c.ifp->count.drops[DROP_IMPAIR_LOSS]);
	impair("loss", "0");
	fixture_output(c.ifp, 3, 60); /* and destroyed with them */
}

static void
test_unit_numbers(void **state)
{
	char name[IFACE_NAME_MAX + 8];
	struct iface *ifp;

	(void)state;
	snprintf(name, sizeof(name), "%s0", c.end->kind);
	assert_int_equal(net_iface_create(c.net, NULL, name, &ifp), -EEXIST);
	snprintf(name, sizeof(name), "%s%u", c.end->kind, c.ifp->ops->unit_max);
	assert_int_equal(net_iface_create(c.net, NULL, name, &ifp), 0);
	snprintf(
	    name, sizeof(name), "%s%u", c.end->kind, c.ifp->ops->unit_max + 1);
	assert_int_equal(net_iface_create(c.net, NULL, name, &ifp), -EINVAL);
}

int
main(void)
{
	static const struct {
		const char *name;
		CMUnitTestFunction fn;
	} cases[] = {
#define T(name) { #name, name }
		T(test_birth),
		T(test_link_follows_the_far_end),
		T(test_running_follows_up),
		T(test_counters_both_ways),
		T(test_runts_are_counted),
		T(test_mtu),
		T(test_lladdr_can_be_set),
		T(test_down_stops_both_ways),
		T(test_without_a_far_end_frames_are_accounted_for),
		T(test_full_queue_conserves),
		T(test_shared_frames_stay_as_they_are),
		T(test_destroy_while_busy),
		T(test_impaired),
		T(test_unit_numbers),
	};
	static struct CMUnitTest tests[ARRAY_LEN(far_ends) * ARRAY_LEN(cases)];
	static char names[ARRAY_LEN(tests)][96];
	size_t n = 0;

	for (size_t e = 0; e < ARRAY_LEN(far_ends); e++) {
		for (size_t i = 0; i < ARRAY_LEN(cases); i++, n++) {
			snprintf(names[n], sizeof(names[n]), "%s_%s%s",
			    cases[i].name, far_ends[e].kind,
			    far_ends[e].how != NULL ? far_ends[e].how : "");
			tests[n] = (struct CMUnitTest){
				.name = names[n],
				.test_func = cases[i].fn,
				.setup_func = setup,
				.teardown_func = teardown,
				.initial_state =
				    (void *)(uintptr_t)&far_ends[e],
			};
		}
	}
	return cmocka_run_group_tests_name(
	    "driver_conformance", tests, NULL, NULL);
}
