/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host sides against the real kernel, in a network namespace of the test's own
 * (with a user namespace where it is not root).  Where that is not permitted
 * every case is skipped and says so.  A second netlink socket and packet
 * sockets play "somebody else on this machine".
 */
#include "net_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "drv/drv.h"
#include "drv/host.h"
#include "os/clock.h"
#include "os/loop.h"
#include "os/netns.h"
#include "os/rtnl.h"
#include "os/tun.h"

#define DEADLINE_NS UINT64_C(10000000000)

static const char *why_not;

struct host_test {
	struct loop *loop;
	struct host_system *hs;
	struct net *net;
	struct rtnl *other; /* somebody else's */
	struct loop_hook poll;
	struct fixture_events events;
	struct fixture_sink sink;
};

static int
put(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC), ok;

	if (fd < 0)
		return -1;
	ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return ok ? 0 : -1;
}

static int
group_setup(void **state)
{
	char map[64];
	int fd;

	(void)state;
	if (geteuid() != 0 || unshare(CLONE_NEWNET) != 0) {
		(void)snprintf(map, sizeof(map), "0 %u 1", geteuid());
		if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 ||
		    put("/proc/self/setgroups", "deny") < 0 ||
		    put("/proc/self/uid_map", map) < 0) {
			why_not = "no user or network namespaces here";
			return 0;
		}
	}
	fd = tun_open_unattached();
	if (fd < 0)
		why_not = fd == -EACCES ? "no permission for /dev/net/tun"
		                        : "no /dev/net/tun here";
	else
		close(fd);
	return 0;
}

static bool
net_poll_hook(struct loop_hook *h, uint64_t now_ns)
{
	struct net *net = h->arg;

	net->now_ns = now_ns;
	return net_poll(net);
}

static int
setup_with(void **state, bool no_uring)
{
	struct host_test *t;
	struct host_options o = { 0 };
	struct net_system sys;
	char why[200];

	*state = NULL;
	if (why_not != NULL)
		return 0;
	t = calloc(1, sizeof(*t));
	assert_non_null(t);
	assert_int_equal(loop_create(&t->loop), 0);
	o.loop = t->loop;
	o.no_uring = no_uring;
	assert_int_equal(host_system_create(&o, &t->hs, why, sizeof(why)), 0);
	host_system_ops(t->hs, &sys);
	t->net = fixture_net(drv_kinds, &sys, 2048);
	t->net->now_ns = clock_now_ns();
	assert_int_equal(drv_init(t->net, t->loop), 0);
	host_system_bind(t->hs, t->net);
	t->poll.fn = net_poll_hook;
	t->poll.arg = t->net;
	loop_poll_add(t->loop, &t->poll);
	assert_int_equal(rtnl_open(&t->other), 0);
	fixture_subscribe(t->net, &t->events);
	fixture_sink_init(&t->sink);
	*state = t;
	return 0;
}

static int
setup(void **state)
{
	return setup_with(state, false);
}

static int
setup_plain(void **state)
{
	return setup_with(state, true);
}

static int count_tuns(void *arg, const struct rtnl_link *l);

static int
teardown(void **state)
{
	struct host_test *t = *state;
	int left = 0;

	if (t == NULL)
		return 0;
	assert_int_equal(
	    host_system_shutdown(t->hs, clock_now_ns() + DEADLINE_NS), 0);
	assert_int_equal(rtnl_link_dump(t->other, count_tuns, &left), 0);
	assert_int_equal(left, 0); /* nothing stays behind */
	net_destroy(t->net);       /* asserts that the pool is whole */
	host_system_destroy(t->hs);
	loop_destroy(t->loop);
	rtnl_close(t->other);
	free(t);
	return 0;
}

#define BEGIN(t)                                           \
	struct host_test *t = *state;                      \
	if (t == NULL) {                                   \
		print_message("# skipped: %s\n", why_not); \
		skip();                                    \
	}

/* Runs the loop until @cond; fails at the deadline. */
#define UNTIL(t, cond)                                        \
	do {                                                  \
		uint64_t end_ = clock_now_ns() + DEADLINE_NS; \
		while (!(cond)) {                             \
			assert_true(clock_now_ns() < end_);   \
			(void)loop_step((t)->loop, 20000000); \
		}                                             \
	} while (0)

struct waiter {
	struct net_wait w;
	bool done;
	int err;
};

static void
waiter_done(struct net_wait *w, int err)
{
	struct waiter *x = CONTAINER_OF(w, struct waiter, w);

	assert_false(x->done);
	x->done = true;
	x->err = err;
}

/* The result of an operation that may take its time. */
static int
wait_for(struct host_test *t, struct waiter *x, int err)
{
	if (err != -EINPROGRESS)
		return err;
	UNTIL(t, x->done);
	return x->err;
}

#define WAITER(x) struct waiter x = { .w = { .done = waiter_done } }

static int
move(struct host_test *t, struct iface *ifp, struct vnet *v)
{
	WAITER(x);

	return wait_for(t, &x, net_host_move(ifp, v, &x.w));
}

static int
count_tuns(void *arg, const struct rtnl_link *l)
{
	*(int *)arg += strcmp(l->kind, "tun") == 0;
	return 0;
}

/* The netdev as somebody else sees it. */
static struct rtnl_link
link_of(struct host_test *t, const char *name)
{
	struct rtnl_link l;

	assert_int_equal(rtnl_link_get(t->other, name, &l), 0);
	return l;
}

static struct iface *
hosted(struct host_test *t, const char *name)
{
	struct iface *ifp = fixture_iface(t->net, name);

	assert_int_equal(net_host_attach(ifp, NULL), 0);
	return ifp;
}

/* A packet socket on a netdev, in the calling thread's namespace. */
static int
packet_open(int ifindex)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = ifindex,
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    htons(ETH_P_ALL));

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (void *)&to, sizeof(to)), 0);
	return fd;
}

static void
packet_send(int fd, uint32_t len, uint8_t mark)
{
	uint8_t data[1514];

	fixture_bytes(data, len, mark);
	assert_int_equal(send(fd, data, len, 0), len);
}

/* --- cases ---------------------------------------------------------------- */

static int
count_addr(void *arg, const struct rtnl_addr *a)
{
	(void)a;
	++*(int *)arg;
	return 0;
}

/* Made down, with the interface's name, address, MTU; up follows, and then the
 * first frame that comes out is somebody's: it says nothing by itself. */
static void
test_attach_makes_a_silent_netdev(void **state)
{
	BEGIN(t);
	struct iface *ifp = hosted(t, "vether0");
	struct rtnl_link l = link_of(t, "vether0");
	int fd, addrs = 0;

	assert_true(ether_equal(l.mac, ifp->mac));
	assert_int_equal(l.mtu, 1500);
	assert_string_equal(l.kind, "tun");
	assert_int_equal(l.flags & IFF_UP, 0);
	assert_false(ifp->host->up);
	assert_ptr_equal(ifp->host->vnet, t->net->home);
	assert_int_equal(net_host_attach(ifp, NULL), -EBUSY);
	assert_int_equal(iface_stack_attach(ifp, &t->sink.stack), 0);
	assert_int_equal(iface_set_flags(ifp, IFACE_UP, 0), 0);
	l = link_of(t, "vether0");
	assert_int_not_equal(l.flags & IFF_UP, 0);
	assert_true(l.carrier);
	fd = packet_open(l.ifindex);
	packet_send(fd, 60, 0x5a);
	UNTIL(t, t->sink.frames > 0);
	assert_int_equal(t->sink.frames, 1);
	assert_int_equal(t->sink.last[20], 0x5a);
	assert_int_equal(rtnl_addr_list(t->other, RTNL_NSID_NONE, l.ifindex, 0,
	                     count_addr, &addrs),
	    0);
	assert_int_equal(addrs, 0);
	close(fd);
}

static void
test_frames_cross_in_both_directions(void **state)
{
	BEGIN(t);
	struct iface *ifp = hosted(t, "vether0");
	uint8_t buf[2048];
	int fd;

	assert_int_equal(iface_stack_attach(ifp, &t->sink.stack), 0);
	assert_int_equal(iface_set_flags(ifp, IFACE_UP, 0), 0);
	fd = packet_open(link_of(t, "vether0").ifindex);
	for (int i = 0; i < 200; i++)
		packet_send(fd, (uint32_t)(60 + i), (uint8_t)i);
	UNTIL(t, t->sink.frames >= 200);
	assert_int_equal(t->sink.frames, 200);
	assert_int_equal(ifp->count.ipackets, 200);
	assert_int_equal(t->sink.last_len, 259);
	assert_int_equal(t->sink.last[258], 199);
	/* To the host: a batch, in order. */
	while (recv(fd, buf, sizeof(buf), 0) > 0)
		continue;
	fixture_output(ifp, 64, 300);
	for (int got = 0; got < 64;) {
		ssize_t n;

		(void)loop_step(t->loop, 1000000);
		while ((n = recv(fd, buf, sizeof(buf), 0)) > 0) {
			assert_int_equal(n, 300);
			assert_int_equal(buf[299], got++);
		}
	}
	assert_int_equal(ifp->count.opackets, 64);
	assert_int_equal(fixture_drops(ifp), 0);
	close(fd);
}

/* A frame of 64 KiB stays one, however the read had to gather it. */
static void
test_long_frames_cross_whole(void **state)
{
	BEGIN(t);
	struct iface *ifp = fixture_iface(t->net, "vether0");
	static uint8_t data[60014];
	int fd;

	assert_int_equal(iface_set_mtu(ifp, 60000), 0);
	assert_int_equal(net_host_attach(ifp, NULL), 0);
	assert_int_equal(link_of(t, "vether0").mtu, 60000);
	assert_int_equal(iface_stack_attach(ifp, &t->sink.stack), 0);
	assert_int_equal(iface_set_flags(ifp, IFACE_UP, 0), 0);
	fd = packet_open(link_of(t, "vether0").ifindex);
	fixture_bytes(data, sizeof(data), 7);
	data[FRAME_SMALL_MAX - 1] = 8;
	data[FRAME_SMALL_MAX] = 9;
	assert_int_equal(send(fd, data, sizeof(data), 0), sizeof(data));
	UNTIL(t, t->sink.frames > 0);
	assert_int_equal(t->sink.last_len, sizeof(data));
	assert_memory_equal(t->sink.last, data, sizeof(t->sink.last));
	close(fd);
}

static void
test_flags_follow_both_ways(void **state)
{
	BEGIN(t);
	struct iface *ifp = hosted(t, "vether0");
	int index = link_of(t, "vether0").ifindex;

	assert_int_equal(rtnl_link_set_up(t->other, index, true), 0);
	UNTIL(t, (ifp->flags & IFACE_UP) != 0);
	assert_true(ifp->host->up);
	assert_string_equal(t->events.cause, "the host");
	assert_int_equal(rtnl_link_set_up(t->other, index, false), 0);
	UNTIL(t, (ifp->flags & IFACE_UP) == 0);
	assert_false(ifp->host->up);
	assert_int_equal(iface_set_flags(ifp, IFACE_UP, 0), 0);
	/* Up and down in one go: no event of the past turns it again. */
	assert_int_equal(iface_set_flags(ifp, 0, IFACE_UP), 0);
	assert_int_equal(iface_set_flags(ifp, IFACE_UP, 0), 0);
	assert_int_equal(rtnl_link_set_mtu(t->other, index, 1400), 0);
	UNTIL(t, ifp->mtu == 1400);
	assert_true((ifp->flags & IFACE_UP) != 0);
	assert_true((link_of(t, "vether0").flags & IFF_UP) != 0);
}

static void
test_mtu_follows_or_is_set_back(void **state)
{
	BEGIN(t);
	struct iface *ifp = hosted(t, "vether0");
	int index = link_of(t, "vether0").ifindex;

	assert_int_equal(iface_set_mtu(ifp, 9000), 0);
	assert_int_equal(link_of(t, "vether0").mtu, 9000);
	assert_int_equal(rtnl_link_set_mtu(t->other, index, 2000), 0);
	UNTIL(t, ifp->mtu == 2000);
	/* A bridge member's MTU is the bridge's. */
	t->sink.mtu_answer = -EOPNOTSUPP;
	assert_int_equal(iface_stack_attach(ifp, &t->sink.stack), 0);
	assert_int_equal(rtnl_link_set_mtu(t->other, index, 3000), 0);
	UNTIL(t, strstr(t->events.text, "set MTU 3000") != NULL);
	assert_int_equal(ifp->mtu, 2000);
	assert_int_equal(link_of(t, "vether0").mtu, 2000);
}

static void
test_address_and_name_follow(void **state)
{
	BEGIN(t);
	static const uint8_t a[6] = { 2, 0, 0, 0, 0, 1 };
	static const uint8_t b[6] = { 2, 0, 0, 0, 0, 2 };
	struct iface *ifp = hosted(t, "vether0");
	int index = link_of(t, "vether0").ifindex;

	assert_int_equal(iface_set_lladdr(ifp, a), 0);
	assert_true(ether_equal(link_of(t, "vether0").mac, a));
	assert_int_equal(rtnl_link_set_mac(t->other, index, b), 0);
	UNTIL(t, ether_equal(ifp->mac, b));
	assert_int_equal(net_iface_rename(ifp, "lan"), 0);
	assert_int_equal(link_of(t, "lan").ifindex, index);
	assert_int_equal(rtnl_link_set_name(t->other, index, "wan"), 0);
	UNTIL(t, strcmp(ifp->name, "wan") == 0);
	/* A name that is taken in coax is not followed. */
	(void)fixture_iface(t->net, "vether7");
	assert_int_equal(rtnl_link_set_name(t->other, index, "vether7"), 0);
	UNTIL(t, strstr(t->events.text, "set back") != NULL);
	assert_string_equal(ifp->name, "wan");
	assert_int_equal(link_of(t, "wan").ifindex, index);
}

static void
test_promiscuity_is_known(void **state)
{
	BEGIN(t);
	struct iface *ifp = hosted(t, "vether0");
	int index = link_of(t, "vether0").ifindex;
	struct packet_mreq mr = {
		.mr_ifindex = index,
		.mr_type = PACKET_MR_PROMISC,
	};
	int fd = packet_open(index);

	assert_false(ifp->host->promisc);
	assert_int_equal(
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mr, sizeof(mr)),
	    0);
	UNTIL(t, ifp->host->promisc);
	close(fd);
	UNTIL(t, !ifp->host->promisc);
}

/* A tap without an open descriptor has no carrier; a feth has one with its
 * peer. */
static void
test_carrier_follows_link(void **state)
{
	BEGIN(t);
	struct iface *tap = hosted(t, "tap0");
	struct iface *feth = hosted(t, "feth0");

	(void)fixture_iface(t->net, "feth1");
	assert_int_equal(iface_set_flags(tap, IFACE_UP, 0), 0);
	assert_int_equal(iface_set_flags(feth, IFACE_UP, 0), 0);
	assert_false(link_of(t, "tap0").carrier);
	assert_false(link_of(t, "feth0").carrier);
	assert_int_equal(fixture_word(feth, "peer", "feth1", 0, false), 0);
	UNTIL(t, link_of(t, "feth0").carrier);
	assert_int_equal(fixture_word(feth, "-peer", NULL, 0, false), 0);
	UNTIL(t, !link_of(t, "feth0").carrier);
}

static void
test_taken_name_is_refused(void **state)
{
	BEGIN(t);
	struct iface *ifp = fixture_iface(t->net, "vether0");
	int index;

	assert_int_equal(rtnl_veth_add(t->other, "vether0", "x0", -1), 0);
	assert_int_equal(net_host_attach(ifp, NULL), -EEXIST);
	assert_non_null(strstr(t->net->message, "exists already"));
	assert_null(ifp->host);
	index = link_of(t, "x0").ifindex;
	assert_int_equal(rtnl_link_del(t->other, index), 0);
	assert_int_equal(net_host_attach(ifp, NULL), 0);
	assert_int_equal(rtnl_veth_add(t->other, "lan", "x0", -1), 0);
	assert_int_equal(net_iface_rename(ifp, "lan"), -EEXIST);
	assert_string_equal(ifp->name, "vether0");
	(void)link_of(t, "vether0");
	index = link_of(t, "x0").ifindex;
	assert_int_equal(rtnl_link_del(t->other, index), 0);
}

static void
test_deleted_netdev_is_noticed(void **state)
{
	BEGIN(t);
	struct iface *ifp = hosted(t, "vether0");
	int index = link_of(t, "vether0").ifindex;

	assert_int_equal(iface_set_flags(ifp, IFACE_UP, 0), 0);
	assert_int_equal(rtnl_link_del(t->other, index), 0);
	UNTIL(t, ifp->host == NULL);
	assert_non_null(strstr(t->events.text, "deleted by the host"));
	assert_int_not_equal(ifp->flags & IFACE_UP, 0);
	fixture_output(ifp, 1, 60);
	assert_int_equal(ifp->count.drops[DROP_HOST_DOWN], 1);
	/* It can come back, with offloads and up. */
	{
		WAITER(x);

		assert_int_equal(
		    wait_for(t, &x, net_host_attach(ifp, &x.w)), 0);
	}
	assert_true((link_of(t, "vether0").flags & IFF_UP) != 0);
	assert_true(ifp->host->up);
}

/* Removal goes on in the background; its name waits for it. */
static void
test_name_is_reserved_until_gone(void **state)
{
	BEGIN(t);
	struct iface *ifp = hosted(t, "vether0");
	WAITER(gone);
	WAITER(back);

	assert_int_equal(net_host_detach(ifp, &gone.w), -EINPROGRESS);
	assert_null(ifp->host);
	assert_int_equal(net_host_attach(ifp, &back.w), -EINPROGRESS);
	assert_int_equal(wait_for(t, &back, -EINPROGRESS), 0);
	assert_true(gone.done);
	assert_int_equal(gone.err, 0);
	(void)link_of(t, "vether0");
	/* Who gives up waiting is told. */
	memset(&back.done, 0, sizeof(back.done));
	assert_int_equal(net_host_detach(ifp, NULL), 0);
	assert_int_equal(net_host_attach(ifp, &back.w), -EINPROGRESS);
	assert_int_equal(net_host_detach(ifp, NULL), 0);
	assert_false(back.done); /* not from inside */
	UNTIL(t, back.done);
	assert_int_equal(back.err, -ECANCELED);
}

/* As a create that is given up: destroys what it waited with. */
struct giver {
	struct net_wait w;
	struct net *net;
	uint32_t index;
	bool done, found;
};

static void
giver_done(struct net_wait *w, int err)
{
	struct giver *g = CONTAINER_OF(w, struct giver, w);
	struct iface *ifp = net_iface_by_index(g->net, g->index);

	assert_int_equal(err, -ECANCELED);
	g->done = true;
	g->found = ifp != NULL;
	if (ifp != NULL)
		(void)net_iface_destroy(ifp, NULL);
}

/* destroy, create, destroy, each while the one before is under way. */
static void
test_destroyed_while_it_waits_for_its_name(void **state)
{
	BEGIN(t);
	struct giver g = { .w = { .done = giver_done }, .net = t->net };
	struct iface *ifp = hosted(t, "vether7");
	WAITER(gone);

	assert_int_equal(net_iface_destroy(ifp, &gone.w), -EINPROGRESS);
	ifp = fixture_iface(t->net, "vether7");
	g.index = ifp->index;
	assert_int_equal(net_host_attach(ifp, &g.w), -EINPROGRESS);
	assert_int_equal(net_iface_destroy(ifp, NULL), 0);
	assert_false(g.done);
	UNTIL(t, g.done && gone.done);
	assert_false(g.found);
	/* The same, and then its host side alone: it is destroyed later. */
	ifp = hosted(t, "vether7");
	assert_int_equal(net_host_detach(ifp, NULL), 0);
	g.done = false;
	g.index = ifp->index;
	assert_int_equal(net_host_attach(ifp, &g.w), -EINPROGRESS);
	assert_int_equal(net_host_detach(ifp, NULL), 0);
	assert_int_equal(iface_set_flags(ifp, IFACE_UP, 0), 0);
	UNTIL(t, g.done);
	assert_true(g.found);
	/* Moved meanwhile: it has a host side, elsewhere. */
	{
		struct vnet *v;
		WAITER(back);

		assert_int_equal(net_vnet_create(t->net, "alice", &v), 0);
		ifp = hosted(t, "vether7");
		assert_int_equal(net_host_detach(ifp, NULL), 0);
		assert_int_equal(net_host_attach(ifp, &back.w), -EINPROGRESS);
		assert_int_equal(move(t, ifp, v), 0);
		UNTIL(t, back.done);
		assert_int_equal(back.err, 0);
		assert_ptr_equal(ifp->host->vnet, v);
	}
}

/* One's own choice of a number steps over the host's names, and over nothing
 * that is ours. */
static void
test_lowest_unit_is_free_on_the_host(void **state)
{
	BEGIN(t);
	struct iface *a, *b, *c;
	struct vnet *v;
	WAITER(x);

	t->net->host_attach = 1;
	assert_int_equal(rtnl_veth_add(t->other, "tap0", "x0", -1), 0);
	a = hosted(t, "tap");
	assert_string_equal(a->name, "tap1");
	b = hosted(t, "tap");
	assert_string_equal(b->name, "tap2");
	/* In another vnet that name is free. */
	assert_int_equal(net_vnet_create(t->net, "alice", &v), 0);
	assert_int_equal(net_iface_create(t->net, v, "tap", &c), 0);
	assert_string_equal(c->name, "tap0");
	/* One that is just going is waited for. */
	(void)net_iface_destroy(a, NULL);
	a = fixture_iface(t->net, "tap");
	assert_string_equal(a->name, "tap1");
	assert_int_equal(wait_for(t, &x, net_host_attach(a, &x.w)), 0);
	assert_int_equal(rtnl_link_del(t->other, link_of(t, "x0").ifindex), 0);
}

static void
test_interface_moves_to_a_vnet_and_home(void **state)
{
	BEGIN(t);
	struct iface *ifp = hosted(t, "vether0");
	struct vnet *v;
	struct rtnl_link l;
	struct rtnl *in;
	int fd, addrs = 0;

	assert_int_equal(net_vnet_create(t->net, "alice", &v), 0);
	fd = host_vnet_open(t->net, v);
	assert_true(fd >= 0);
	assert_ptr_equal(host_vnet_of(t->net, fd), v);
	assert_int_equal(rtnl_open_in(fd, &in), 0);
	assert_int_equal(rtnl_link_get(in, "lo", &l), 0);
	assert_int_not_equal(l.flags & IFF_UP, 0);
	assert_int_equal(iface_set_flags(ifp, IFACE_UP, 0), 0);
	assert_int_equal(iface_set_mtu(ifp, 1400), 0);
	assert_int_equal(t->net->system.addr_add(t->net->system.arg, ifp,
	                     "192.0.2.1/24", NULL, NULL),
	    0);
	assert_int_equal(move(t, ifp, v), 0);
	assert_ptr_equal(ifp->host->vnet, v);
	assert_int_equal(rtnl_link_index(t->other, "vether0"), -ENODEV);
	assert_int_equal(rtnl_link_get(in, "vether0", &l), 0);
	assert_int_not_equal(l.flags & IFF_UP, 0);
	assert_int_equal(l.mtu, 1400);
	assert_true(ether_equal(l.mac, ifp->mac));
	assert_int_equal(rtnl_addr_list(in, RTNL_NSID_NONE, l.ifindex, 0,
	                     count_addr, &addrs),
	    0);
	assert_int_equal(addrs, 0); /* they stay behind, as in BSD */
	/* It follows there as well. */
	assert_int_equal(rtnl_link_set_up(in, l.ifindex, false), 0);
	UNTIL(t, (ifp->flags & IFACE_UP) == 0);
	assert_int_equal(iface_set_flags(ifp, IFACE_UP, 0), 0);
	assert_int_equal(rtnl_link_get(in, "vether0", &l), 0);
	assert_int_not_equal(l.flags & IFF_UP, 0);
	/* A name that is taken there: it stays where it was. */
	{
		struct iface *other = hosted(t, "vether1");
		int x;

		assert_int_equal(rtnl_veth_add(in, "vether1", "x0", -1), 0);
		assert_int_equal(move(t, other, v), -EEXIST);
		assert_ptr_equal(other->host->vnet, t->net->home);
		(void)link_of(t, "vether1");
		x = rtnl_link_index(in, "x0");
		assert_int_equal(rtnl_link_del(in, x), 0);
		assert_int_equal(move(t, other, v), 0);
	}
	/* The end of the vnet brings them home, down. */
	{
		WAITER(x);

		rtnl_close(in);
		close(fd);
		assert_int_equal(wait_for(t, &x, net_vnet_destroy(v, &x.w)), 0);
	}
	UNTIL(t, rtnl_link_index(t->other, "vether0") > 0);
	UNTIL(t, ifp->host != NULL);
	assert_ptr_equal(ifp->host->vnet, t->net->home);
	assert_int_equal(ifp->flags & IFACE_UP, 0);
	assert_false(ifp->host->up);
}

/* `ip link set IF netns VNET`, by somebody. */
static void
test_move_by_others_is_followed(void **state)
{
	BEGIN(t);
	struct iface *ifp = hosted(t, "vether0");
	int index = link_of(t, "vether0").ifindex, fd;
	struct vnet *v;
	struct rtnl *in;

	assert_int_equal(net_vnet_create(t->net, "bob", &v), 0);
	fd = host_vnet_open(t->net, v);
	assert_int_equal(rtnl_open_in(fd, &in), 0);
	assert_int_equal(iface_set_flags(ifp, IFACE_UP, 0), 0);
	assert_int_equal(rtnl_link_move(t->other, index, fd, NULL), 0);
	UNTIL(t, ifp->host != NULL && ifp->host->vnet == v);
	UNTIL(t, (ifp->flags & IFACE_UP) == 0); /* it arrives down */
	index = rtnl_link_index(in, "vether0");
	assert_true(index > 0);
	assert_int_equal(rtnl_link_set_up(in, index, true), 0);
	UNTIL(t, (ifp->flags & IFACE_UP) != 0);
	rtnl_close(in);
	close(fd);
}

/* A process in a network namespace of its own. */
static pid_t
container(void)
{
	int sync[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(sync), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) != 0 || write(sync[1], "x", 1) != 1)
			_exit(1);
		/* No descriptor of the test's may live on in here. */
		(void)close_range(0, ~0u, 0);
		for (;;)
			pause();
	}
	close(sync[1]);
	assert_int_equal(read(sync[0], &c, 1), 1);
	close(sync[0]);
	return pid;
}

static void
container_end(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/*
 * A veth with its other end in the namespace @ns: it goes when that really
 * ends, so not as long as a process, a descriptor or a socket holds it.
 */
static void
probe_into(struct host_test *t, int ns)
{
	assert_int_equal(rtnl_veth_add(t->other, "probe0", "probe1", ns), 0);
	assert_true(rtnl_link_index(t->other, "probe0") > 0);
	assert_int_equal(rtnl_link_index(t->other, "probe1"), -ENODEV);
}

static bool
probe_gone(struct host_test *t)
{
	return rtnl_link_index(t->other, "probe0") == -ENODEV;
}

static void
test_adopted_vnet_is_not_pinned(void **state)
{
	BEGIN(t);
	struct iface *ifp = hosted(t, "vether0"), *born;
	pid_t pid = container();
	char what[32];
	struct vnet *v, *again;
	struct netns_id id, other;
	int fd;
	WAITER(x);

	snprintf(what, sizeof(what), "%d", (int)pid);
	assert_int_equal(net_vnet_attach(t->net, "box", what, NULL, 0, &v), 0);
	assert_int_equal(
	    net_vnet_attach(t->net, "box2", what, NULL, 0, &again), -EEXIST);
	assert_int_equal(iface_set_flags(ifp, IFACE_UP, 0), 0);
	assert_int_equal(move(t, ifp, v), 0);
	assert_true(ifp->host->up);
	/* One that is made in there. */
	assert_int_equal(
	    net_iface_create(t->net, v, "vether0", &born), -EEXIST);
	assert_int_equal(net_iface_create(t->net, v, "vether1", &born), 0);
	assert_int_equal(wait_for(t, &x, net_host_attach(born, &x.w)), 0);
	fd = host_vnet_open(t->net, v);
	assert_int_equal(netns_get_id(fd, &id), 0);
	probe_into(t, fd);
	close(fd);
	(void)fixture_iface(t->net, "vether1"); /* another, at home */
	/* The process ends: the namespace too, since nothing holds it. */
	container_end(pid);
	UNTIL(t, probe_gone(t));
	UNTIL(t, net_vnet_find(t->net, "box") == NULL);
	UNTIL(t, ifp->host != NULL && rtnl_link_index(t->other, "vether0") > 0);
	assert_ptr_equal(ifp->host->vnet, t->net->home);
	assert_int_equal(ifp->flags & IFACE_UP, 0);
	assert_int_equal(link_of(t, "vether0").flags & IFF_UP, 0);
	/* The other's name was taken at home. */
	assert_ptr_equal(born->vnet, t->net->home);
	assert_string_equal(born->name, "vether2");
	UNTIL(t, rtnl_link_index(t->other, "vether2") > 0);
	fd = netns_current();
	assert_int_equal(netns_get_id(fd, &other), 0);
	assert_false(netns_id_equal(&id, &other));
	close(fd);
}

/* The number that a namespace had of whose end no event has been read. */
static int
nsid_of_an_ended(struct host_test *t)
{
	pid_t pid = container();
	int fd = netns_open_pid(pid), nsid;

	assert_true(fd >= 0);
	nsid = rtnl_nsid_ensure(t->other, fd);
	probe_into(t, fd);
	close(fd);
	container_end(pid);
	while (!probe_gone(t))
		(void)usleep(1000);
	return nsid;
}

/*
 * The kernel gives a namespace's number away again before its word of the old
 * one's end is read: that is not the new one's end.
 */
static void
test_adopted_vnet_outlives_the_one_before(void **state)
{
	BEGIN(t);
	struct iface *ifp = hosted(t, "vether0");
	char what[64];
	struct vnet *v;
	int nsid;
	pid_t pid;
	int fd;

	for (int by_path = 0; by_path < 2; by_path++) {
		(void)nsid_of_an_ended(t); /* and of all before it */
		nsid = nsid_of_an_ended(t);
		pid = container();
		snprintf(what, sizeof(what),
		    by_path ? "/proc/%d/task/%d/ns/net" : "%d", (int)pid,
		    (int)pid);
		assert_int_equal(
		    net_vnet_attach(t->net, "box", what, NULL, 0, &v), 0);
		fd = host_vnet_open(t->net, v);
		assert_int_equal(rtnl_nsid_get(t->other, fd), nsid);
		probe_into(t, fd);
		close(fd);
		assert_int_equal(move(t, ifp, v), 0);
		assert_ptr_equal(net_vnet_find(t->net, "box"), v);
		container_end(pid);
		UNTIL(t, probe_gone(t));
		UNTIL(t, net_vnet_find(t->net, "box") == NULL);
		UNTIL(t, ifp->host != NULL &&
		             rtnl_link_index(t->other, "vether0") > 0);
	}
}

/* By path there is no process to watch: the namespace's own end tells, with a
 * netdev in it and without. */
static void
test_vnet_adopted_by_path(void **state)
{
	BEGIN(t);
	struct iface *ifp = hosted(t, "vether0");
	char what[64];
	struct vnet *v;
	pid_t pid;
	int fd;

	for (int with = 0; with < 2; with++) {
		pid = container();
		snprintf(what, sizeof(what), "/proc/%d/task/%d/ns/net",
		    (int)pid, (int)pid);
		assert_int_equal(
		    net_vnet_attach(t->net, "box", what, NULL, 0, &v), 0);
		if (with)
			assert_int_equal(move(t, ifp, v), 0);
		fd = host_vnet_open(t->net, v);
		assert_true(fd >= 0);
		probe_into(t, fd);
		close(fd);
		container_end(pid);
		UNTIL(t, probe_gone(t));
		UNTIL(t, net_vnet_find(t->net, "box") == NULL);
		UNTIL(t, ifp->host != NULL &&
		             rtnl_link_index(t->other, "vether0") > 0);
		assert_ptr_equal(ifp->host->vnet, t->net->home);
	}
}

/* What the caller asks for in a vnet that has just ended fails cleanly. */
static void
test_attach_into_a_vnet_that_has_ended(void **state)
{
	BEGIN(t);
	pid_t pid = container();
	struct iface *ifp, *other = hosted(t, "vether0");
	char what[64];
	struct vnet *v;
	WAITER(x);
	WAITER(y);

	snprintf(
	    what, sizeof(what), "/proc/%d/task/%d/ns/net", (int)pid, (int)pid);
	assert_int_equal(net_vnet_attach(t->net, "box", what, NULL, 0, &v), 0);
	assert_int_equal(net_iface_create(t->net, v, "vether1", &ifp), 0);
	container_end(pid);
	assert_int_equal(net_host_attach(ifp, &x.w), -ENXIO);
	assert_null(ifp->host);
	assert_int_equal(net_host_move(other, v, &y.w), -ENXIO);
	assert_ptr_equal(other->host->vnet, t->net->home);
	UNTIL(t, net_vnet_find(t->net, "box") == NULL);
	assert_ptr_equal(ifp->vnet, t->net->home);
}

static void
test_attach_refuses_what_is_no_namespace(void **state)
{
	BEGIN(t);
	struct vnet *v = NULL;

	assert_int_equal(
	    net_vnet_attach(t->net, "a", "/dev/null", NULL, 0, &v), -EINVAL);
	assert_int_equal(
	    net_vnet_attach(t->net, "a", "/nowhere/at/all", NULL, 0, &v),
	    -ENOENT);
	assert_int_equal(
	    net_vnet_attach(t->net, "a", "relative", NULL, 0, &v), -EINVAL);
	assert_int_equal(
	    net_vnet_attach(t->net, "a", "2147483647", NULL, 0, &v), -ESRCH);
	assert_int_equal(
	    net_vnet_attach(t->net, "a", "/proc/self/ns/net", NULL, 0, &v),
	    -EEXIST); /* home */
	assert_null(v);
	assert_null(net_vnet_find(t->net, "a"));
}

static int
open_tap(void *arg)
{
	struct tun tun;
	int err = tun_open(arg, &tun);

	return err < 0 ? err : tun.fd;
}

/* A helper's descriptor serves, and is let go when the owner ends. */
static void
test_given_tap_serves(void **state)
{
	BEGIN(t);
	struct iface *ifp = hosted(t, "vether0");
	pid_t pid = container();
	char what[32];
	struct vnet *v;
	struct rtnl_link l;
	struct rtnl *in;
	int ns, fd;

	snprintf(what, sizeof(what), "%d", (int)pid);
	assert_int_equal(net_vnet_attach(t->net, "box", what, NULL, 0, &v), 0);
	ns = netns_open_pid(pid);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(host_give(t->net, ifp, v, fd) < 0);
	close(fd);
	{
		char wrong[] = "wrong0";

		fd = netns_run(ns, open_tap, wrong);
		assert_int_equal(host_give(t->net, ifp, v, fd), -EINVAL);
		close(fd);
	}
	{
		char right[] = "vether0";

		fd = netns_run(ns, open_tap, right);
		assert_true(fd >= 0);
	}
	assert_int_equal(host_give(t->net, ifp, v, fd), 0);
	assert_ptr_equal(ifp->host->vnet, v);
	assert_int_equal(rtnl_open_in(ns, &in), 0);
	assert_int_equal(rtnl_link_get(in, "vether0", &l), 0);
	assert_true(ether_equal(l.mac, ifp->mac));
	UNTIL(t, rtnl_link_index(t->other, "vether0") == -ENODEV);
	/* Down there, which we cannot see: EIO, counted. */
	assert_int_equal(iface_set_flags(ifp, IFACE_UP, 0), 0);
	fixture_output(ifp, 1, 60);
	UNTIL(t, ifp->count.drops[DROP_HOST_DOWN] == 1);
	assert_int_equal(rtnl_link_set_up(in, l.ifindex, true), 0);
	fixture_output(ifp, 1, 60);
	UNTIL(t,
	    rtnl_link_get(in, "vether0", &l) == 0 && l.stats.rx_packets == 1);
	rtnl_close(in);
	probe_into(t, ns);
	close(ns);
	container_end(pid);
	UNTIL(t, net_vnet_find(t->net, "box") == NULL);
	UNTIL(t, probe_gone(t));
	UNTIL(t, rtnl_link_index(t->other, "vether0") > 0);
	assert_ptr_equal(ifp->host->vnet, t->net->home);
}

static void
test_drops_have_reasons(void **state)
{
	BEGIN(t);
	struct iface *ifp = hosted(t, "vether0");
	struct frame_batch b;
	int fd;

	/* Down: core's own check, and the kernel's. */
	fixture_batch(t->net, &b, 2, 60);
	iface_host_deliver(ifp, &b);
	assert_int_equal(ifp->count.drops[DROP_HOST_DOWN], 2);
	assert_int_equal(iface_set_flags(ifp, IFACE_UP, 0), 0);
	assert_int_equal(iface_stack_attach(ifp, &t->sink.stack), 0);
	assert_int_equal(
	    rtnl_link_set_up(t->other, link_of(t, "vether0").ifindex, false),
	    0);
	fixture_batch(t->net, &b, 3, 60);
	iface_host_deliver(ifp, &b);
	UNTIL(t, ifp->count.drops[DROP_HOST_DOWN] == 5);
	UNTIL(t, (ifp->flags & IFACE_UP) == 0);
	assert_int_equal(iface_set_flags(ifp, IFACE_UP, 0), 0);
	/* The kernel's queue overflows while nobody reads. */
	fd = packet_open(link_of(t, "vether0").ifindex);
	for (int i = 0; i < 1500; i++) {
		uint8_t data[60];

		fixture_bytes(data, sizeof(data), 1);
		(void)!send(fd, data, sizeof(data), 0);
	}
	UNTIL(t, t->sink.frames >= 1000);
	t->net->now_ns = clock_now_ns();
	t->net->system.host_refresh(t->net->system.arg, ifp);
	assert_int_equal(
	    t->sink.frames + ifp->count.drops[DROP_HOST_QUEUE], 1500);
	assert_true(ifp->count.drops[DROP_HOST_QUEUE] > 0);
	close(fd);
}

/* With no frame left in the pool what comes is read, dropped and counted;
 * afterwards all is well again. */
static void
test_empty_pool_heals(void **state)
{
	BEGIN(t);
	struct iface *ifp = hosted(t, "vether0");
	struct frame *head = NULL, *f;
	int fd;

	assert_int_equal(iface_stack_attach(ifp, &t->sink.stack), 0);
	assert_int_equal(iface_set_flags(ifp, IFACE_UP, 0), 0);
	fd = packet_open(link_of(t, "vether0").ifindex);
	while ((f = frame_alloc(t->net->pool, FRAME_LARGE_MAX)) != NULL ||
	       (f = frame_alloc(t->net->pool, 60)) != NULL) {
		f->next = head;
		head = f;
	}
	for (int i = 0; i < 10; i++)
		packet_send(fd, 60, 1);
	UNTIL(t, ifp->count.drops[DROP_NO_FRAME] == 10);
	assert_int_equal(t->sink.frames, 0);
	while ((f = head) != NULL) {
		head = f->next;
		frame_release(f);
	}
	packet_send(fd, 60, 2);
	UNTIL(t, t->sink.frames == 1);
	close(fd);
}

/* What addr_list says, on one line. */
struct addr_info {
	struct info info;
	char text[1024];
};

static void
addr_word(struct info *i, const char *key, const char *value)
{
	struct addr_info *a = CONTAINER_OF(i, struct addr_info, info);
	size_t len = strlen(a->text);

	snprintf(a->text + len, sizeof(a->text) - len, "%s=%s ",
	    key != NULL ? key : "", value);
}

static void
addr_number(struct info *i, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	addr_word(i, key, text);
}

static void
addr_nest(struct info *i, const char *key)
{
	(void)i;
	(void)key;
}

static void
addr_end(struct info *i)
{
	(void)i;
}

static const char *
addresses(struct host_test *t, struct iface *ifp, struct addr_info *a)
{
	*a = (struct addr_info){
		.info = {
			.str = addr_word,
			.u64 = addr_number,
			.begin_object = addr_nest,
			.begin_list = addr_nest,
			.end = addr_end,
		},
	};
	assert_int_equal(
	    t->net->system.addr_list(t->net->system.arg, ifp, &a->info), 0);
	return a->text;
}

static void
test_addresses(void **state)
{
	BEGIN(t);
	struct net_system *s = &t->net->system;
	struct iface *ifp = hosted(t, "vether0");
	struct iface *bare = fixture_iface(t->net, "vether1");
	struct addr_info a;

	assert_string_equal(addresses(t, ifp, &a), "");
	assert_string_equal(addresses(t, bare, &a), "");
	assert_int_equal(s->addr_add(s->arg, bare, "192.0.2.1/24", NULL, NULL),
	    -EADDRNOTAVAIL);
	assert_int_equal(
	    s->addr_add(s->arg, ifp, "192.0.2.1/24", NULL, NULL), 0);
	assert_int_equal(
	    s->addr_add(s->arg, ifp, "192.0.2.1/24", NULL, NULL), -EEXIST);
	assert_string_equal(addresses(t, ifp, &a),
	    "family=inet address=192.0.2.1 prefixlen=24 "
	    "broadcast=192.0.2.255 ");
	assert_int_equal(s->addr_del(s->arg, ifp, "192.0.2.1"), 0);
	assert_int_equal(s->addr_del(s->arg, ifp, "192.0.2.1"), -EADDRNOTAVAIL);
	assert_int_equal(
	    s->addr_add(s->arg, ifp, "192.0.2.1/24", NULL, "192.0.2.0"), 0);
	assert_non_null(strstr(addresses(t, ifp, &a), "broadcast=192.0.2.0 "));
	assert_int_equal(s->addr_del(s->arg, ifp, "192.0.2.1/24"), 0);
	assert_int_equal(
	    s->addr_add(s->arg, ifp, "192.0.2.1/32", "192.0.2.9", NULL), 0);
	assert_string_equal(addresses(t, ifp, &a),
	    "family=inet address=192.0.2.1 prefixlen=32 "
	    "destination=192.0.2.9 ");
	assert_int_equal(s->addr_del(s->arg, ifp, "192.0.2.1"), 0);
	assert_int_equal(
	    s->addr_add(s->arg, ifp, "2001:db8::1/64", NULL, NULL), 0);
	assert_non_null(strstr(addresses(t, ifp, &a),
	    "family=inet6 address=2001:db8::1 prefixlen=64 "));
	assert_int_equal(s->addr_del(s->arg, ifp, "2001:db8::1/64"), 0);
	assert_int_equal(
	    s->addr_add(s->arg, ifp, "192.0.2.1/33", NULL, NULL), -EINVAL);
	assert_int_equal(
	    s->addr_add(s->arg, ifp, "192.0.2", NULL, NULL), -EINVAL);
	assert_int_equal(
	    s->addr_add(s->arg, ifp, "::1/64", NULL, "192.0.2.1"), -EINVAL);
	assert_int_equal(
	    s->addr_add(s->arg, ifp, "192.0.2.1/32", "::1", NULL), -EINVAL);
}

static int
read_conf(const char *family, const char *name, const char *key)
{
	char path[128], buf[16] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family,
	    name, key);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (read(fd, buf, sizeof(buf) - 1) <= 0)
		buf[0] = '\0';
	close(fd);
	return atoi(buf);
}

/* A member's netdev answers ARP for its own addresses only, and takes no
 * advice from routers while it is a member. */
static void
test_member_keeps_quiet(void **state)
{
	BEGIN(t);
	struct iface *feth = hosted(t, "feth0");
	int before = read_conf("ipv6", "feth0", "accept_ra");

	assert_int_equal(read_conf("ipv4", "feth0", "arp_ignore"), 1);
	assert_int_equal(read_conf("ipv4", "feth0", "arp_announce"), 2);
	if (before < 0)
		return; /* no IPv6 */
	assert_int_equal(read_conf("ipv6", "feth0", "addr_gen_mode"), 1);
	assert_int_not_equal(before, 0);
	assert_int_equal(iface_stack_attach(feth, &t->sink.stack), 0);
	assert_int_equal(read_conf("ipv6", "feth0", "accept_ra"), 0);
	iface_stack_detach(feth);
	assert_int_equal(read_conf("ipv6", "feth0", "accept_ra"), before);
}

/* One by one this would take 300 times 18 ms. */
static void
test_many_are_removed_together(void **state)
{
	BEGIN(t);
	struct iface *ifs[300];
	struct waiter x[300];
	uint64_t start;
	char name[16];

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "vether%d", i);
		ifs[i] = hosted(t, name);
		assert_int_equal(iface_set_flags(ifs[i], IFACE_UP, 0), 0);
	}
	(void)loop_step(t->loop, 0);
	start = clock_now_ns();
	for (int i = 0; i < 300; i++) {
		x[i] = (struct waiter){ .w = { .done = waiter_done } };
		assert_int_equal(
		    net_iface_destroy(ifs[i], &x[i].w), -EINPROGRESS);
	}
	for (int i = 0; i < 300; i++)
		UNTIL(t, x[i].done);
	assert_true(clock_now_ns() - start < 3 * CLOCK_NS_PER_SEC);
	assert_int_equal(rtnl_link_index(t->other, "vether299"), -ENODEV);
}

/* A host side may end while it is on its way. */
static void
test_detach_during_a_move(void **state)
{
	BEGIN(t);
	struct iface *ifp = hosted(t, "vether0");
	struct vnet *v;
	WAITER(x);
	WAITER(gone);

	assert_int_equal(net_vnet_create(t->net, "alice", &v), 0);
	assert_int_equal(net_host_move(ifp, v, &x.w), -EINPROGRESS);
	assert_int_equal(net_iface_rename(ifp, "other"), -EBUSY);
	assert_int_equal(net_iface_destroy(ifp, &gone.w), -EINPROGRESS);
	UNTIL(t, x.done && gone.done);
	assert_int_equal(x.err, -ECANCELED);
	assert_int_equal(gone.err, 0);
}

/* The vnet ends before the host side is there: it comes home, down. */
static void
test_vnet_destroyed_during_a_move(void **state)
{
	BEGIN(t);
	struct iface *ifp = hosted(t, "vether0");
	struct vnet *v;
	WAITER(x);
	WAITER(gone);

	assert_int_equal(iface_set_flags(ifp, IFACE_UP, 0), 0);
	assert_int_equal(net_vnet_create(t->net, "alice", &v), 0);
	assert_int_equal(net_host_move(ifp, v, &x.w), -EINPROGRESS);
	assert_int_equal(net_vnet_destroy(v, &gone.w), -EINPROGRESS);
	assert_false(x.done);
	assert_non_null(ifp->host);
	UNTIL(t, x.done && gone.done);
	assert_int_equal(x.err, -ECANCELED);
	UNTIL(t, rtnl_link_index(t->other, "vether0") > 0);
	assert_string_equal(ifp->name, "vether0");
	assert_ptr_equal(ifp->host->vnet, t->net->home);
	assert_int_equal(ifp->flags & IFACE_UP, 0);
	assert_int_equal(link_of(t, "vether0").flags & IFF_UP, 0);
	/* It works as any other. */
	assert_int_equal(iface_set_flags(ifp, IFACE_UP, 0), 0);
	assert_int_not_equal(link_of(t, "vether0").flags & IFF_UP, 0);
	/* Once more, on its way back from there. */
	assert_int_equal(net_vnet_create(t->net, "bob", &v), 0);
	assert_int_equal(move(t, ifp, v), 0);
	x.done = gone.done = false;
	assert_int_equal(net_host_move(ifp, t->net->home, &x.w), -EINPROGRESS);
	assert_int_equal(net_vnet_destroy(v, &gone.w), -EINPROGRESS);
	UNTIL(t, x.done && gone.done);
	assert_int_equal(x.err, 0);
	(void)link_of(t, "vether0");
}

/* At home somebody has taken its name: it gets the next free unit's. */
static void
test_name_taken_at_home_meanwhile(void **state)
{
	BEGIN(t);
	struct iface *ifp = hosted(t, "vether0");
	struct vnet *v;
	WAITER(gone);

	assert_int_equal(net_vnet_create(t->net, "alice", &v), 0);
	assert_int_equal(move(t, ifp, v), 0);
	assert_int_equal(rtnl_veth_add(t->other, "vether0", "vether1", -1), 0);
	assert_int_equal(wait_for(t, &gone, net_vnet_destroy(v, &gone.w)), 0);
	UNTIL(t, rtnl_link_index(t->other, "vether2") > 0);
	assert_string_equal(ifp->name, "vether2");
	assert_int_equal(ifp->unit, 2);
	assert_ptr_equal(ifp->host->vnet, t->net->home);
	assert_string_equal(link_of(t, "vether2").kind, "tun");
	assert_true(t->events.count[NET_EVENT_HOST] >= 3);
	/* Taken only when it is on its way. */
	assert_int_equal(net_vnet_create(t->net, "bob", &v), 0);
	assert_int_equal(move(t, ifp, v), 0);
	gone.done = false;
	{
		struct rtnl_link l = link_of(t, "vether1");
		struct rtnl_change c = { .what = RTNL_SET_NAME };

		memcpy(c.name, "vether2", sizeof("vether2"));
		assert_int_equal(net_vnet_destroy(v, &gone.w), -EINPROGRESS);
		/* Whoever is first; if they are, we step aside. */
		if (rtnl_link_set(t->other, l.ifindex, &c) == 0) {
			UNTIL(t, strcmp(ifp->name, "vether2") != 0);
			assert_string_equal(ifp->name, "vether1");
		}
	}
	UNTIL(t, gone.done);
	UNTIL(t, ifp->host != NULL);
	UNTIL(t, rtnl_link_index(t->other, ifp->name) > 0);
	assert_int_equal(
	    rtnl_link_del(t->other, link_of(t, "vether0").ifindex), 0);
}

/* A frame that the kernel cannot hand over is counted. */
static void
test_read_errors_are_counted(void **state)
{
	BEGIN(t);
	struct iface *ifp = fixture_iface_up(t->net, "vether0");
	struct rtnl_link l;
	struct tun tun;
	int too_long = 1 << 20; /* a header for which there is no room */
	int own, fd;

	assert_int_equal(tun_open("vether0", &tun), 0);
	own = dup(tun.fd);
	assert_int_equal(host_give(t->net, ifp, t->net->home, tun.fd), 0);
	assert_int_equal(iface_stack_attach(ifp, &t->sink.stack), 0);
	l = link_of(t, "vether0");
	assert_int_equal(rtnl_link_set_up(t->other, l.ifindex, true), 0);
	assert_int_equal(ioctl(own, TUNSETVNETHDRSZ, &too_long), 0);
	fd = packet_open(l.ifindex);
	for (int i = 0; i < 3; i++)
		packet_send(fd, 60, 1);
	UNTIL(t, ifp->count.drops[DROP_HOST_READ] == 3);
	assert_int_equal(t->sink.frames, 0);
	close(fd);
	close(own);
}

/* In a created vnet the netdev is made where it belongs; the vnet's end takes
 * it along. */
static void
test_interface_born_in_a_vnet(void **state)
{
	BEGIN(t);
	struct vnet *v;
	struct iface *ifp;
	struct rtnl *in;
	int fd;
	WAITER(x);

	assert_int_equal(net_vnet_create(t->net, "alice", &v), 0);
	assert_int_equal(net_iface_create(t->net, v, "vether0", &ifp), 0);
	assert_int_equal(net_host_attach(ifp, NULL), 0);
	assert_ptr_equal(ifp->host->vnet, v);
	fd = host_vnet_open(t->net, v);
	assert_int_equal(rtnl_open_in(fd, &in), 0);
	assert_true(rtnl_link_index(in, "vether0") > 0);
	assert_int_equal(rtnl_link_index(t->other, "vether0"), -ENODEV);
	assert_int_equal(wait_for(t, &x, net_vnet_destroy(v, &x.w)), 0);
	assert_int_equal(rtnl_link_index(in, "vether0"), -ENODEV);
	rtnl_close(in);
	close(fd);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
#define CASE_PLAIN(fn) \
	cmocka_unit_test_setup_teardown(fn, setup_plain, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_attach_makes_a_silent_netdev),
		CASE(test_frames_cross_in_both_directions),
		CASE(test_long_frames_cross_whole),
		CASE(test_flags_follow_both_ways),
		CASE(test_mtu_follows_or_is_set_back),
		CASE(test_address_and_name_follow),
		CASE(test_promiscuity_is_known),
		CASE(test_carrier_follows_link),
		CASE(test_taken_name_is_refused),
		CASE(test_deleted_netdev_is_noticed),
		CASE(test_name_is_reserved_until_gone),
		CASE(test_destroyed_while_it_waits_for_its_name),
		CASE(test_lowest_unit_is_free_on_the_host),
		CASE(test_interface_moves_to_a_vnet_and_home),
		CASE(test_move_by_others_is_followed),
		CASE(test_adopted_vnet_is_not_pinned),
		CASE(test_adopted_vnet_outlives_the_one_before),
		CASE(test_vnet_adopted_by_path),
		CASE(test_attach_into_a_vnet_that_has_ended),
		CASE(test_attach_refuses_what_is_no_namespace),
		CASE(test_given_tap_serves),
		CASE(test_drops_have_reasons),
		CASE(test_empty_pool_heals),
		CASE(test_addresses),
		CASE(test_member_keeps_quiet),
		CASE(test_many_are_removed_together),
		CASE(test_detach_during_a_move),
		CASE(test_vnet_destroyed_during_a_move),
		CASE(test_name_taken_at_home_meanwhile),
		CASE(test_read_errors_are_counted),
		CASE(test_interface_born_in_a_vnet),
		/* The same without io_uring. */
		CASE_PLAIN(test_frames_cross_in_both_directions),
		CASE_PLAIN(test_long_frames_cross_whole),
		CASE_PLAIN(test_empty_pool_heals),
		CASE_PLAIN(test_read_errors_are_counted),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
