/* SPDX-License-Identifier: BSD-2-Clause */
/* A gif whose outer socket is one end of a pair: what goes out, what is taken
 * in, what is refused. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "bridge/bridge.h"
#include "drv/gif_impl.h"
#include "net/tunable.h"
#include "net_fixture.h"
#include "os/clock.h"

#define IP4_LEN 20

static struct {
	struct loop *loop;
	struct net *net;
	struct iface *ifp;
	struct fixture_sink sink;
	int fd;  /* the far end; -1: no socket was made */
	int fd2; /* that of another */
	/* The system. */
	struct gif_socket want;
	struct vnet *where;
	uint32_t opened, asked;
	int open_error, route;
} t;

static int
outer_open(void *arg, struct net *net, struct vnet *vnet,
    const struct gif_socket *want)
{
	int fds[2];

	(void)arg;
	t.opened++;
	t.want = *want;
	t.where = vnet;
	if (t.open_error != 0)
		return net_error(net, t.open_error, "not here");
	if (t.fd >= 0)
		close(t.fd);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
	t.fd = fds[0];
	return fds[1];
}

static int
outer_route(void *arg, struct net *net, struct vnet *vnet, int family,
    const uint8_t *addr)
{
	(void)arg, (void)net, (void)vnet, (void)family, (void)addr;
	t.asked++;
	return t.route;
}

static const struct gif_outer outer = {
	.open = outer_open,
	.route = outer_route,
};

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

static int
setup(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	t.fd = t.fd2 = -1;
	assert_int_equal(loop_create(&t.loop), 0);
	loop_set_spin(t.loop, 0);
	t.net = fixture_net(drv_kinds, NULL, 2048);
	assert_int_equal(drv_init(t.net, t.loop), 0);
	drv_context(t.net)->gif_outer = &outer;
	t.ifp = fixture_iface_up(t.net, "gif");
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
	if (t.fd2 >= 0)
		close(t.fd2);
	loop_destroy(t.loop);
	return 0;
}

static int
tunnel_of(struct iface *ifp, const char *a, const char *b)
{
	const union keyword_value v[KEYWORD_ARGS_MAX] = { { .str = a },
		{ .str = b } };
	const struct iface_keyword *k = gif_ops.keywords;

	while (strcmp(k->name, "tunnel") != 0)
		k++;
	t.net->message[0] = '\0';
	return k->apply(ifp, v);
}

static int
tunnel(const char *a, const char *b)
{
	return tunnel_of(t.ifp, a, b);
}

static int
word(const char *name, uint64_t num)
{
	return fixture_word(t.ifp, name, NULL, num, false);
}

static int
tunable(const char *name, uint64_t value)
{
	const struct iface_tunable *k = gif_ops.tunables;

	while (strcmp(k->name, name) != 0)
		k++;
	return k->vnet_set(t.net->home, value);
}

/* One packet from the far end: an IPv4 header, two bytes, @len of a frame. */
static void
inject(const uint8_t src[4], uint8_t first, uint8_t second, uint32_t len)
{
	uint8_t data[FRAME_LARGE_MAX] = { 0x45, [9] = ETHERIP_PROTO };

	memcpy(data + 12, src, 4);
	data[IP4_LEN] = first;
	data[IP4_LEN + 1] = second;
	fixture_bytes(data + IP4_LEN + 2, len, 7);
	assert_int_equal(send(t.fd, data, IP4_LEN + 2 + len, MSG_DONTWAIT),
	    IP4_LEN + 2 + len);
	run();
}

static const uint8_t far[4] = { 5, 6, 7, 8 };

static uint64_t
drops(enum drop_reason why)
{
	return t.ifp->count.drops[why];
}

static void
test_header_and_frame_go_out(void **state)
{
	uint8_t data[2048];

	(void)state;
	assert_int_equal(tunnel("1.2.3.4", "5.6.7.8"), 0);
	assert_int_equal(t.want.family, AF_INET);
	assert_true(t.want.connected);
	assert_false(t.want.df);
	assert_int_equal(t.want.ttl, 30);
	assert_memory_equal(t.want.local.addr, "\1\2\3\4", 4);
	assert_memory_equal(t.want.remote.addr, "\5\6\7\10", 4);
	assert_true(iface_running(t.ifp));
	fixture_output(t.ifp, 1, 100);
	run();
	assert_int_equal(recv(t.fd, data, sizeof(data), 0), 102);
	assert_memory_equal(data, "\x30\0", 2);
	assert_int_equal(data[2 + 99], 0);
	assert_int_equal(word("send_rev_ethip_ver", 0), 0);
	fixture_output(t.ifp, 1, 100);
	run();
	assert_int_equal(recv(t.fd, data, sizeof(data), 0), 102);
	assert_memory_equal(data, "\3\0", 2);
	assert_int_equal(t.opened, 1); /* that alone is no reason */
}

/* Reads what has come out; how many packets. */
static uint32_t
take_all(void)
{
	uint8_t packet[256];
	uint32_t n = 0;

	while (recv(t.fd, packet, sizeof(packet), 0) > 0)
		n++;
	return n;
}

/* A wake-up may bring hundreds at once: they go a budget a turn, in order; what
 * has no room among those that wait goes before. */
static void
test_sends_a_budget_a_turn(void **state)
{
	(void)state;
	assert_int_equal(tunnel("192.0.2.1", "192.0.2.2"), 0);
	for (int i = 0; i < 3; i++)
		fixture_output(t.ifp, 64, 60);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(take_all(), 0);
		assert_int_equal(net_poll(t.net), i < 2);
		assert_int_equal(take_all(), NET_POLL_BUDGET);
	}
	assert_false(net_poll(t.net));
	for (int i = 0; i < 17; i++)
		fixture_output(t.ifp, 64, 60);
	assert_int_equal(fixture_drops(t.ifp), 0);
	assert_int_equal(take_all(), 64);
	/* The tunnel goes: so does what waits. */
	assert_true(net_poll(t.net));
	assert_int_equal(word("deletetunnel", 0), 0);
	assert_false(net_poll(t.net));
	assert_int_equal(t.ifp->count.opackets, 5 * 64);
	fixture_pool_is_whole(t.net, 0);
}

static void
test_both_forms_come_in(void **state)
{
	(void)state;
	assert_int_equal(tunnel("1.2.3.4", "5.6.7.8"), 0);
	inject(far, 0x30, 0, 60);
	inject(far, 0x03, 0, 61);    /* FreeBSD up to 7.2 */
	inject(far, 0x3f, 0xff, 62); /* reserved bits are not looked at */
	assert_int_equal(t.sink.frames, 3);
	assert_int_equal(t.sink.last_len, 62);
	assert_int_equal(word("-accept_rev_ethip_ver", 0), 0);
	inject(far, 0x03, 0, 61);
	inject(far, 0x40, 0, 61);
	assert_int_equal(t.sink.frames, 3);
	assert_int_equal(drops(DROP_ETHERIP_VERSION), 2);
	assert_int_equal(t.ifp->count.ierrors, 2);
	inject(far, 0x33, 0, 61);
	assert_int_equal(t.sink.frames, 4);
}

static void
test_bad_packets_are_counted(void **state)
{
	static const uint8_t stranger[4] = { 9, 9, 9, 9 };
	static const uint8_t junk[] = { 0x4f, 0, 0 };

	(void)state;
	assert_int_equal(tunnel("1.2.3.4", "5.6.7.8"), 0);
	inject(far, 0x30, 0, 13);
	assert_int_equal(drops(DROP_ETHERIP_SHORT), 1);
	inject(stranger, 0x30, 0, 60);
	assert_int_equal(drops(DROP_ETHERIP_STRANGER), 1);
	assert_int_equal(send(t.fd, junk, sizeof(junk), 0), sizeof(junk));
	run();
	assert_int_equal(drops(DROP_ETHERIP_SHORT), 2);
	assert_int_equal(t.sink.frames, 0);
	/* Longer than the small frames, and the longest of all. */
	inject(far, 0x30, 0, 5000);
	inject(far, 0x30, 0, FRAME_LARGE_MAX - IP4_LEN - 2);
	assert_int_equal(t.sink.frames, 2);
	assert_int_equal(t.sink.last_len, FRAME_LARGE_MAX - IP4_LEN - 2);
	/* From anybody, if that is wanted. */
	assert_int_equal(word("ignore_source", 0), 0);
	assert_false(t.want.connected);
	inject(stranger, 0x30, 0, 60);
	assert_int_equal(t.sink.frames, 3);
}

static void
test_ipv6_has_no_header(void **state)
{
	uint8_t data[2 + 60] = { 0x30 };

	(void)state;
	assert_int_equal(tunnel("2001:db8::1", "2001:db8::2"), 0);
	assert_int_equal(t.want.family, AF_INET6);
	fixture_bytes(data + 2, 60, 7);
	assert_int_equal(send(t.fd, data, sizeof(data), 0), sizeof(data));
	run();
	assert_int_equal(t.sink.frames, 1);
	assert_int_equal(t.sink.last_len, 60);
}

static void
test_ends_are_checked(void **state)
{
	struct iface *other = fixture_iface_up(t.net, "gif");

	(void)state;
	assert_int_equal(tunnel("1.2.3.4", "2001:db8::2"), -EAFNOSUPPORT);
	assert_int_equal(tunnel("0.0.0.0", "5.6.7.8"), -EADDRNOTAVAIL);
	assert_int_equal(tunnel("1.2.3.4", "0.0.0.0"), -EADDRNOTAVAIL);
	assert_int_equal(tunnel("::", "2001:db8::2"), -EADDRNOTAVAIL);
	assert_int_equal(tunnel("1.2.3.4", "224.0.0.5"), -EADDRNOTAVAIL);
	assert_int_equal(tunnel("1.2.3.4", "255.255.255.255"), -EADDRNOTAVAIL);
	assert_int_equal(tunnel("2001:db8::1", "ff02::1"), -EADDRNOTAVAIL);
	/* Its peer is itself. */
	assert_int_equal(tunnel("1.2.3.4", "1.2.3.4"), -EADDRNOTAVAIL);
	assert_non_null(strstr(t.net->message, "itself"));
	assert_int_equal(tunnel("fe80::1", "fe80::2"), -EADDRNOTAVAIL);
	assert_int_equal(tunnel("1.2.3.4", "example.org"), -EINVAL);
	assert_int_equal(tunnel("1.2.3.4%eth0", "5.6.7.8"), -EINVAL);
	assert_int_equal(tunnel("fe80::1%", "fe80::2%eth0"), -EINVAL);
	assert_int_equal(t.opened, 0);
	assert_int_equal(tunnel("fe80::1%eth0", "fe80::2%eth0"), 0);
	assert_string_equal(t.want.local.scope, "eth0");
	/* The same pair once, the same again is no change. */
	assert_int_equal(tunnel("1.2.3.4", "5.6.7.8"), 0);
	assert_int_equal(t.opened, 2);
	assert_int_equal(tunnel("1.2.3.4", "5.6.7.8"), 0);
	assert_int_equal(t.opened, 2);
	assert_int_equal(
	    tunnel_of(other, "1.2.3.4", "5.6.7.8"), -EADDRNOTAVAIL);
	assert_non_null(strstr(t.net->message, "gif0"));
	/* What is refused changes nothing. */
	assert_true(iface_running(t.ifp));
	assert_int_equal(word("deletetunnel", 0), 0);
	assert_false(iface_running(t.ifp));
	assert_int_equal(t.ifp->link, IFACE_LINK_DOWN);
	assert_int_equal(tunnel_of(other, "1.2.3.4", "5.6.7.8"), 0);
}

/* The source is no address of the vnet yet: told once, tried again. */
static void
test_tries_again(void **state)
{
	struct fixture_events ev;
	struct fixture_info info;
	uint64_t end_ns = clock_now_ns() + 20000000000u;

	(void)state;
	fixture_subscribe(t.net, &ev);
	t.open_error = -EADDRNOTAVAIL;
	assert_int_equal(tunnel("1.2.3.4", "5.6.7.8"), 0);
	assert_int_equal(ev.count[NET_EVENT_NOTICE], 1);
	assert_non_null(strstr(ev.text, "not here"));
	assert_false(iface_running(t.ifp));
	assert_int_equal(t.ifp->link, IFACE_LINK_UP);
	assert_non_null(strstr(fixture_get(t.ifp, &info), "error="));
	fixture_output(t.ifp, 3, 60);
	assert_int_equal(drops(DROP_IF_DOWN), 3);
	while (t.opened < 2 && clock_now_ns() < end_ns)
		(void)loop_step(t.loop, 100000000);
	assert_int_equal(t.opened, 2);
	assert_int_equal(ev.count[NET_EVENT_NOTICE], 1);
	t.open_error = 0;
	while (t.opened < 3 && clock_now_ns() < end_ns)
		(void)loop_step(t.loop, 100000000);
	assert_true(iface_running(t.ifp));
	net_unsubscribe(t.net, &ev.sub);
}

static void
test_settings_reach_the_socket(void **state)
{
	struct fixture_info info;

	(void)state;
	assert_int_equal(word("ttl", 7), 0);
	assert_int_equal(word("df", 0), 0);
	assert_int_equal(tunnel("1.2.3.4", "5.6.7.8"), 0);
	assert_int_equal(t.want.ttl, 7);
	assert_true(t.want.df);
	assert_int_equal(word("hlim", 0), 0);
	assert_int_equal(t.want.ttl, 30);
	assert_int_equal(tunable("net.inet.ip.gifttl", 99), 0);
	assert_int_equal(t.want.ttl, 99);
	assert_int_equal(word("-df", 0), 0);
	assert_false(t.want.df);
	assert_non_null(strstr(fixture_get(t.ifp, &info), "df=false"));
	assert_ptr_equal(t.where, t.net->home);
	assert_int_equal(
	    fixture_word(t.ifp, "tunnelvnet", "nowhere", 0, false), -ENOENT);
	assert_int_equal(
	    fixture_word(t.ifp, "tunnelvnet", "home", 0, false), 0);
	assert_non_null(strstr(fixture_get(t.ifp, &info), "tunnelvnet=home"));
	assert_int_equal(word("-tunnelvnet", 0), 0);
	assert_null(strstr(fixture_get(t.ifp, &info), "tunnelvnet="));
}

/* Only what a bridge has carries on. */
static void
test_unbridged_is_dropped(void **state)
{
	struct frame_batch b;

	(void)state;
	assert_int_equal(tunnel("1.2.3.4", "5.6.7.8"), 0);
	t.ifp->host = &t.sink.host;
	fixture_batch(t.net, &b, 2, 60);
	iface_host_input(t.ifp, &b); /* a member, and yet */
	assert_int_equal(drops(DROP_UNBRIDGED), 2);
	iface_stack_detach(t.ifp);
	fixture_batch(t.net, &b, 2, 60);
	iface_host_input(t.ifp, &b);
	assert_int_equal(drops(DROP_UNBRIDGED), 4);
	fixture_output(t.ifp, 1, 60);
	assert_int_equal(drops(DROP_UNBRIDGED), 5);
	inject(far, 0x30, 0, 60);
	assert_int_equal(drops(DROP_UNBRIDGED), 6);
	assert_int_equal(t.sink.host_frames, 0);
	assert_int_equal(t.ifp->count.noproto, 6);
	t.ifp->host = NULL;
}

/* A packet between these, of a tunnel, with a frame in it. */
static struct frame *
nested(const uint8_t src[4], const uint8_t dst[4], uint32_t inner_len)
{
	uint32_t ip_len = IP4_LEN + 2 + inner_len;
	struct frame *f = fixture_frame(t.net, ETH_HDR_LEN + ip_len, 7);
	uint8_t *ip = f->data + ETH_HDR_LEN;

	be16_put(f->data + 12, ETH_TYPE_IPV4);
	memset(ip, 0, IP4_LEN);
	ip[0] = 0x45;
	be16_put(ip + 2, (uint16_t)ip_len);
	ip[9] = ETHERIP_PROTO;
	memcpy(ip + 12, src, 4);
	memcpy(ip + 16, dst, 4);
	be16_put(ip + IP4_LEN, 0x3000);
	fixture_bytes(ip + IP4_LEN + 2, inner_len, 7);
	return f;
}

static void
offer(struct iface *ifp, struct frame *f)
{
	struct frame_batch b = { .count = 1, .frames = { f } };

	iface_output(ifp, &b);
	run();
}

static void
test_nesting_is_limited(void **state)
{
	static const uint8_t a[4] = { 1, 2, 3, 4 }, other[4] = { 10, 0, 0, 1 },
	                     other2[4] = { 10, 0, 0, 2 };
	struct iface *second = fixture_iface_up(t.net, "gif");
	uint8_t data[2048];

	(void)state;
	assert_int_equal(tunnel("1.2.3.4", "5.6.7.8"), 0);
	/* Somebody else's tunnel is a packet like any other. */
	offer(t.ifp, nested(other, other2, 60));
	assert_true(recv(t.fd, data, sizeof(data), 0) > 0);
	/* What this one has sent comes back to it. */
	offer(t.ifp, nested(a, far, 60));
	assert_int_equal(drops(DROP_GIF_LOOP), 1);
	/* A fragment has no inner frame, and is known all the same. */
	{
		struct frame *f = nested(a, far, 60);

		be16_put(f->data + ETH_HDR_LEN + 6, 0x0010);
		offer(t.ifp, f);
	}
	assert_int_equal(drops(DROP_GIF_LOOP), 2);
	/* ... and what it answers does not. */
	offer(t.ifp, nested(far, a, 60));
	assert_true(recv(t.fd, data, sizeof(data), 0) > 0);
	/* Another of ours: once in the other is one too many, unless it is
	 * wanted. */
	{
		int fd = t.fd;

		t.fd = -1;
		assert_int_equal(tunnel_of(second, "10.0.0.1", "10.0.0.2"), 0);
		t.fd2 = t.fd;
		t.fd = fd;
	}
	offer(t.ifp, nested(other, other2, 60));
	assert_int_equal(drops(DROP_GIF_NESTING), 1);
	assert_int_equal(tunable("net.link.gif.max_nesting", 2), 0);
	offer(t.ifp, nested(other, other2, 60));
	assert_int_equal(drops(DROP_GIF_NESTING), 1);
	assert_true(recv(t.fd, data, sizeof(data), 0) > 0);
	assert_int_equal(t.ifp->count.oerrors, 3);
}

/* Where a packet comes in is known from the kernel alone; here from a message
 * that is made up of its parts. */
static void
test_ingress_is_a_table_of_routes(void **state)
{
	struct gif *sc = gif_of(t.ifp);

	(void)state;
	assert_int_equal(tunnel("1.2.3.4", "5.6.7.8"), 0);
	t.route = 4;
	assert_true(gif_io_ingress(sc, far, 4));
	assert_true(gif_io_ingress(sc, far, 4));
	assert_int_equal(t.asked, 1); /* remembered */
	assert_false(gif_io_ingress(sc, far, 5));
	assert_true(gif_io_ingress(sc, far, 0)); /* nobody knows */
	t.net->now_ns += 2000000000;
	t.route = -ENETUNREACH;
	assert_false(gif_io_ingress(sc, far, 4));
	t.net->now_ns += 2000000000;
	t.route = 0; /* an address of the vnet itself */
	assert_true(gif_io_ingress(sc, far, 1));
	t.net->now_ns += 2000000000;
	t.route = -EPERM; /* it cannot be asked */
	assert_true(gif_io_ingress(sc, far, 4));
	t.net->now_ns += 2000000000;
	t.route = 4;
	assert_false(gif_io_ingress(sc, far, 5));
	assert_int_equal(iface_set_flags(t.ifp, IFACE_LINK2, 0), 0);
	assert_true(gif_io_ingress(sc, far, 5));
}

/* In a bridge: no spanning tree, no address of its own, MTU by the bridge. */
static void
test_member_of_a_bridge(void **state)
{
	struct iface *br = fixture_iface_up(t.net, "bridge");
	struct iface *feth = fixture_iface_up(t.net, "feth");

	(void)state;
	iface_stack_detach(t.ifp);
	assert_int_equal(bridge_add(br, feth), 0);
	assert_int_equal(bridge_add(br, t.ifp), 0);
	assert_int_equal(t.ifp->mtu, 1500);
	assert_int_equal(
	    bridge_set_member_flags(br, t.ifp, BRIDGE_STP, 0), -EINVAL);
	assert_int_equal(iface_set_mtu(br, 9000), -EINVAL);
	assert_int_equal(t.ifp->mtu, 1500);
	assert_int_equal(iface_set_mtu(br, 2000), 0);
	assert_int_equal(t.ifp->mtu, 2000);
	assert_int_equal(iface_set_mtu(br, 1279), -EINVAL);
	assert_int_equal(t.ifp->mtu, 2000);
	assert_int_equal(feth->mtu, 2000);
}

/* The far end is gone: frames wait within bounds, and nothing leaks. */
static void
test_destroyed_with_frames(void **state)
{
	(void)state;
	assert_int_equal(tunnel("1.2.3.4", "5.6.7.8"), 0);
	for (int i = 0; i < 30; i++) {
		fixture_output(t.ifp, 64, 100);
		run();
	}
	assert_true(drops(DROP_QUEUE_FULL) > 0);
	assert_int_equal(word("deletetunnel", 0), 0);
	assert_true(drops(DROP_DESTROYED) > 0);
	fixture_pool_is_whole(t.net, 0);
	assert_int_equal(t.ifp->count.opackets + fixture_drops(t.ifp), 30 * 64);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_header_and_frame_go_out),
		T(test_sends_a_budget_a_turn),
		T(test_both_forms_come_in),
		T(test_bad_packets_are_counted),
		T(test_ipv6_has_no_header),
		T(test_ends_are_checked),
		T(test_tries_again),
		T(test_settings_reach_the_socket),
		T(test_unbridged_is_dropped),
		T(test_nesting_is_limited),
		T(test_ingress_is_a_table_of_routes),
		T(test_member_of_a_bridge),
		T(test_destroyed_with_frames),
	};

	return cmocka_run_group_tests_name("drv_gif", tests, NULL, NULL);
}
