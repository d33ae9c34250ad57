/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rtnetlink, namespaces and TAP devices against the real kernel, in a network
 * namespace of the test's own (with a user namespace where it is not root).
 * Where that is not permitted every case is skipped and says so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "frame/offload.h"
#include "os/iobatch.h"
#include "os/netns.h"
#include "os/rtnl.h"
#include "os/sock.h"
#include "os/tun.h"

static const char *why_not; /* no network for us: the reason */
static bool have_tun;

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
	if (geteuid() == 0 && unshare(CLONE_NEWNET) == 0) {
		/* ours already */
	} else {
		(void)snprintf(map, sizeof(map), "0 %u 1", geteuid());
		if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
			why_not = "no user or network namespaces here";
			return 0;
		}
		if (put("/proc/self/setgroups", "deny") < 0 ||
		    put("/proc/self/uid_map", map) < 0) {
			why_not = "cannot map ids";
			return 0;
		}
	}
	fd = tun_open_unattached();
	have_tun = fd >= 0;
	fd_close(&fd);
	return 0;
}

static void
need_net(void)
{
	if (why_not != NULL) {
		print_message("# skip: %s\n", why_not);
		skip();
	}
}

static void
need_tun(void)
{
	need_net();
	if (!have_tun) {
		print_message("# skip: /dev/net/tun cannot be opened\n");
		skip();
	}
}

static struct rtnl *
open_rtnl(void)
{
	struct rtnl *r;

	assert_int_equal(rtnl_open(&r), 0);
	return r;
}

/* --- links --------------------------------------------------------------- */

static int
count_links(void *arg, const struct rtnl_link *link)
{
	unsigned int *n = arg;

	assert_true(link->ifindex > 0);
	assert_true(link->name[0] != '\0');
	(*n)++;
	return 0;
}

static int
find_vp(void *arg, const struct rtnl_link *link)
{
	if (strcmp(link->name, "vp") != 0)
		return 0;
	*(int *)arg = link->ifindex;
	return 42;
}

static void
test_link_is_made_changed_and_deleted(void **state)
{
	static const uint8_t mac[6] = { 0xf2, 0x0b, 0xa4, 1, 2, 3 };
	struct rtnl_change c = {
		.what = RTNL_SET_MTU | RTNL_SET_MAC | RTNL_SET_NAME |
		        RTNL_SET_ALIAS | RTNL_SET_GROUP | RTNL_SET_TXQLEN,
		.mtu = 1400,
		.name = "renamed",
		.alias = "a wire",
		.group = 77,
		.txqlen = 17,
	};
	struct rtnl *r;
	struct rtnl_link link, peer;
	unsigned int n = 0;
	int index = 0;

	(void)state;
	need_net();
	r = open_rtnl();
	assert_int_equal(rtnl_link_get(r, "va", &link), -ENODEV);
	assert_int_equal(rtnl_veth_add(r, "va", "vp", -1), 0);
	assert_int_equal(rtnl_veth_add(r, "va", "vq", -1), -EEXIST);
	assert_int_equal(rtnl_link_get(r, "va", &link), 0);
	assert_string_equal(link.kind, "veth");
	assert_true(link.has_mac);
	assert_true(link.has_stats);
	assert_int_equal(link.mtu, 1500);
	assert_false(link.flags & IFF_UP);

	assert_int_equal(rtnl_link_dump(r, count_links, &n), 0);
	assert_int_equal(n, 3); /* lo, va, vp */
	assert_int_equal(rtnl_link_dump(r, find_vp, &index), 42);
	assert_int_equal(rtnl_link_index(r, "vp"), index);
	assert_int_equal(link.peer_index, index);

	memcpy(c.mac, mac, sizeof(mac));
	assert_int_equal(rtnl_link_set(r, link.ifindex, &c), 0);
	assert_int_equal(
	    rtnl_link_get_index(r, RTNL_NSID_NONE, link.ifindex, &link), 0);
	assert_string_equal(link.name, "renamed");
	assert_string_equal(link.alias, "a wire");
	assert_memory_equal(link.mac, mac, sizeof(mac));
	assert_int_equal(link.mtu, 1400);
	assert_int_equal(link.group, 77);
	assert_int_equal(link.txqlen, 17);

	assert_int_equal(rtnl_link_set_up(r, link.ifindex, true), 0);
	assert_int_equal(rtnl_link_set_up(r, index, true), 0);
	assert_int_equal(rtnl_link_get(r, "renamed", &link), 0);
	assert_true(link.flags & IFF_UP);
	assert_true(link.carrier);
	c.what = RTNL_SET_PROMISC | RTNL_SET_UP;
	c.promisc = true;
	c.up = false;
	assert_int_equal(rtnl_link_set(r, index, &c), 0);
	assert_int_equal(rtnl_link_get(r, "vp", &peer), 0);
	assert_int_equal(peer.promiscuity, 1);
	assert_false(peer.flags & IFF_UP);

	assert_int_equal(rtnl_link_del(r, link.ifindex), 0);
	assert_int_equal(rtnl_link_del(r, link.ifindex), -ENODEV);
	assert_int_equal(rtnl_link_index(r, "vp"), -ENODEV);
	rtnl_close(r);
}

static void
test_refusals_name_the_kernels_reason(void **state)
{
	struct rtnl_link link;
	struct rtnl *r;
	int index;

	(void)state;
	need_net();
	r = open_rtnl();
	assert_int_equal(rtnl_link_get(r, "", &link), -EINVAL);
	assert_int_equal(
	    rtnl_link_get(r, "a-name-too-long-for-it", &link), -EINVAL);
	assert_int_equal(rtnl_link_get_index(r, 4000, 1, &link), -EINVAL);
	assert_int_equal(rtnl_link_del(r, 0), -ENODEV);
	assert_int_equal(rtnl_link_del_group(r, 0), -EINVAL);
	assert_int_equal(rtnl_link_del_group(r, 0x7fff0001), 0);
	assert_int_equal(rtnl_link_add(r, "x0", "no-such-kind"), -EOPNOTSUPP);
	assert_string_not_equal(rtnl_strerror(r, -EOPNOTSUPP), "");
	assert_int_equal(rtnl_veth_add(r, "va", "vp", -1), 0);
	index = rtnl_link_index(r, "va");
	assert_int_equal(rtnl_link_set_name(r, index, "vp"), -EEXIST);
	/* The kernel's words, not strerror()'s. */
	assert_int_equal(rtnl_link_set_mtu(r, index, 3), -EINVAL);
	assert_string_not_equal(rtnl_strerror(r, -EINVAL), strerror(EINVAL));
	assert_string_equal(rtnl_strerror(NULL, -ENOENT), strerror(ENOENT));
	assert_int_equal(rtnl_link_del(r, index), 0);
	rtnl_close(r);
}

static void
test_group_goes_in_one_request(void **state)
{
	struct rtnl *r;
	unsigned int n = 0;
	char a[16], b[16];

	(void)state;
	need_net();
	r = open_rtnl();
	for (int i = 0; i < 8; i++) {
		(void)snprintf(a, sizeof(a), "g%d", i);
		(void)snprintf(b, sizeof(b), "h%d", i);
		assert_int_equal(rtnl_veth_add(r, a, b, -1), 0);
		assert_int_equal(
		    rtnl_link_set_group(r, rtnl_link_index(r, a), 4711), 0);
	}
	assert_int_equal(rtnl_link_del_group(r, 4711), 0);
	assert_int_equal(rtnl_link_dump(r, count_links, &n), 0);
	assert_int_equal(n, 1);
	rtnl_close(r);
}

/* --- addresses ----------------------------------------------------------- */

struct found {
	unsigned int count;
	struct rtnl_addr addrs[8];
};

static int
collect(void *arg, const struct rtnl_addr *addr)
{
	struct found *f = arg;

	assert_true(f->count < ARRAY_LEN(f->addrs));
	f->addrs[f->count++] = *addr;
	return 0;
}

static void
test_addresses_come_and_go(void **state)
{
	struct rtnl_addr a4 = { .family = AF_INET, .prefixlen = 24 };
	struct rtnl_addr pp = {
		.family = AF_INET,
		.prefixlen = 32,
		.has_peer = true,
	};
	struct rtnl_addr a6 = {
		.family = AF_INET6,
		.prefixlen = 64,
		.flags = IFA_F_NODAD,
	};
	const struct rtnl_change quiet = {
		.what = RTNL_SET_UP | RTNL_SET_ADDRGEN | RTNL_SET_ARP,
		.up = true,
		.addrgen = RTNL_ADDRGEN_NONE,
		.arp_ignore = 1,
		.arp_announce = 2,
	};
	static const uint8_t bcast[4] = { 192, 0, 2, 255 };
	struct found f = { 0 };
	struct rtnl *r;
	char value[8] = "";
	int index, fd;

	(void)state;
	need_net();
	inet_pton(AF_INET, "192.0.2.1", a4.addr);
	inet_pton(AF_INET, "10.0.0.1", pp.addr);
	inet_pton(AF_INET, "10.0.0.2", pp.peer);
	inet_pton(AF_INET6, "2001:db8::1", a6.addr);
	r = open_rtnl();
	assert_int_equal(rtnl_veth_add(r, "va", "vp", -1), 0);
	index = rtnl_link_index(r, "va");
	assert_int_equal(rtnl_link_set(r, index, &quiet), 0);
	assert_int_equal(
	    rtnl_link_set_up(r, rtnl_link_index(r, "vp"), true), 0);

	/* No address has made itself, and the ARP settings have arrived. */
	assert_int_equal(
	    rtnl_addr_list(r, RTNL_NSID_NONE, index, 0, collect, &f), 0);
	assert_int_equal(f.count, 0);
	fd = open(
	    "/proc/sys/net/ipv4/conf/va/arp_announce", O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		assert_true(read(fd, value, sizeof(value) - 1) > 0);
		assert_string_equal(value, "2\n");
		close(fd);
	}

	assert_int_equal(rtnl_addr_add(r, index, &a4), 0);
	assert_int_equal(rtnl_addr_add(r, index, &a4), -EEXIST);
	assert_int_equal(rtnl_addr_add(r, index, &pp), 0);
	assert_int_equal(rtnl_addr_add(r, index, &a6), 0);
	assert_int_equal(
	    rtnl_addr_list(r, RTNL_NSID_NONE, index, 0, collect, &f), 0);
	assert_int_equal(f.count, 3);
	assert_memory_equal(f.addrs[0].addr, a4.addr, 4);
	assert_int_equal(f.addrs[0].prefixlen, 24);
	assert_true(f.addrs[0].has_broadcast);
	assert_memory_equal(f.addrs[0].broadcast, bcast, 4);
	assert_false(f.addrs[0].has_peer);
	assert_true(f.addrs[1].has_peer);
	assert_memory_equal(f.addrs[1].peer, pp.peer, 4);
	assert_false(f.addrs[1].has_broadcast);
	assert_int_equal(f.addrs[2].family, AF_INET6);
	assert_memory_equal(f.addrs[2].addr, a6.addr, 16);
	assert_true(f.addrs[2].flags & IFA_F_NODAD);
	assert_int_equal(f.addrs[2].ifindex, index);

	/* With the wrong length it is another address; 0 takes any. */
	a4.prefixlen = 25;
	assert_int_equal(rtnl_addr_del(r, index, &a4), -EADDRNOTAVAIL);
	a4.prefixlen = 0;
	assert_int_equal(rtnl_addr_del(r, index, &a4), 0);
	a6.prefixlen = 0;
	assert_int_equal(rtnl_addr_del(r, index, &a6), 0);
	assert_int_equal(rtnl_addr_del(r, index, &a6), -EADDRNOTAVAIL);
	/* It is the same address without its far end. */
	pp.has_peer = false;
	assert_int_equal(rtnl_addr_del(r, index, &pp), 0);
	f.count = 0;
	assert_int_equal(
	    rtnl_addr_list(r, RTNL_NSID_NONE, index, 0, collect, &f), 0);
	assert_int_equal(f.count, 0);

	a4.prefixlen = 33;
	assert_int_equal(rtnl_addr_add(r, index, &a4), -EINVAL);
	a4.family = AF_UNIX;
	assert_int_equal(rtnl_addr_add(r, index, &a4), -EINVAL);
	assert_int_equal(rtnl_link_del(r, index), 0);
	rtnl_close(r);
}

/* --- namespaces ---------------------------------------------------------- */

static int
index_of_lo(void *arg)
{
	struct rtnl *r;
	int err, index;

	(void)arg;
	err = rtnl_open(&r);
	if (err < 0)
		return err;
	index = rtnl_link_index(r, "lo");
	rtnl_close(r);
	return index;
}

static void
test_namespace_is_made_entered_and_left(void **state)
{
	struct netns_id home, made, again;
	struct rtnl_link lo;
	struct rtnl *r;
	int here, ns, pipefd[2];

	(void)state;
	need_net();
	here = netns_current();
	assert_true(here >= 0);
	assert_int_equal(netns_get_id(here, &home), 0);
	ns = netns_create();
	assert_true(ns >= 0);
	assert_true(netns_is(ns));
	assert_int_equal(netns_get_id(ns, &made), 0);
	assert_false(netns_id_equal(&home, &made));
	assert_int_equal(netns_run(ns, index_of_lo, NULL), 1);
	close(here);
	here = netns_current();
	assert_int_equal(netns_get_id(here, &again), 0);
	assert_true(netns_id_equal(&home, &again));

	assert_int_equal(rtnl_open_in(ns, &r), 0);
	assert_int_equal(rtnl_link_get(r, "lo", &lo), 0);
	assert_true(lo.flags & IFF_UP);
	rtnl_close(r);

	assert_int_equal(pipe2(pipefd, O_CLOEXEC), 0);
	assert_false(netns_is(pipefd[0]));
	assert_int_equal(netns_run(pipefd[0], index_of_lo, NULL), -EINVAL);
	close(pipefd[0]);
	close(pipefd[1]);
	close(ns);
	close(here);
}

static void
test_namespaces_are_opened_by_process_and_path(void **state)
{
	struct netns_id a, b;
	int fd, other;

	(void)state;
	need_net();
	fd = netns_open_pid(getpid());
	assert_true(fd >= 0);
	other = netns_open_path("/proc/thread-self/ns/net");
	assert_true(other >= 0);
	assert_int_equal(netns_get_id(fd, &a), 0);
	assert_int_equal(netns_get_id(other, &b), 0);
	assert_true(netns_id_equal(&a, &b));
	close(fd);
	close(other);
	assert_int_equal(netns_open_path("/dev/null"), -EINVAL);
	assert_int_equal(netns_open_path("/proc/self/ns/mnt"), -EINVAL);
	assert_int_equal(netns_open_path("/nonexistent"), -ENOENT);
	assert_int_equal(netns_open_pid(0), -ESRCH);
	assert_int_equal(netns_open_pid(0x7ffffffe), -ESRCH);
}

static void
test_link_moves_and_is_seen_from_afar(void **state)
{
	struct rtnl *r, *there;
	struct rtnl_link link;
	struct found f = { 0 };
	struct rtnl_addr a = { .family = AF_INET, .prefixlen = 8 };
	int ns, nsid, index;

	(void)state;
	need_net();
	r = open_rtnl();
	ns = netns_create();
	assert_true(ns >= 0);
	assert_int_equal(rtnl_nsid_get(r, ns), -ENOENT);
	nsid = rtnl_nsid_ensure(r, ns);
	assert_true(nsid >= 0);
	assert_int_equal(rtnl_nsid_ensure(r, ns), nsid);
	assert_int_equal(rtnl_nsid_get(r, ns), nsid);

	assert_int_equal(rtnl_veth_add(r, "va", "vp", -1), 0);
	index = rtnl_link_index(r, "va");
	assert_int_equal(rtnl_link_move(r, index, ns, "moved"), 0);
	assert_int_equal(rtnl_link_get(r, "va", &link), -ENODEV);
	assert_int_equal(rtnl_open_in(ns, &there), 0);
	index = rtnl_link_index(there, "moved");
	assert_true(index > 0);
	/* Stats and addresses without a descriptor of that namespace. */
	assert_int_equal(rtnl_link_get_index(r, nsid, index, &link), 0);
	assert_string_equal(link.name, "moved");
	assert_true(link.has_stats);
	inet_pton(AF_INET, "10.9.8.7", a.addr);
	assert_int_equal(rtnl_addr_add(there, index, &a), 0);
	assert_int_equal(
	    rtnl_addr_list(r, nsid, index, AF_INET, collect, &f), 0);
	assert_int_equal(f.count, 1);
	assert_int_equal(rtnl_link_del(there, index), 0);
	rtnl_close(there);
	rtnl_close(r);
	close(ns);
}

struct seen {
	unsigned int new_here, new_there, del, addr, gone, overflow;
	int nsid;
	char name[IFNAMSIZ];
	uint32_t promiscuity;
};

static void
on_event(void *arg, const struct rtnl_event *ev)
{
	struct seen *s = arg;

	switch (ev->type) {
	case RTNL_EVENT_LINK_NEW:
		if (strcmp(ev->link->name, "va") != 0)
			break;
		if (ev->nsid == RTNL_NSID_NONE)
			s->new_here++;
		else if (ev->nsid == s->nsid)
			s->new_there++;
		s->promiscuity = ev->link->promiscuity;
		break;
	case RTNL_EVENT_LINK_DEL:
		if (strcmp(ev->link->name, "va") == 0)
			s->del++;
		break;
	case RTNL_EVENT_ADDR_NEW:
		if (ev->addr->family == AF_INET)
			s->addr++;
		break;
	case RTNL_EVENT_ADDR_DEL:
		break;
	case RTNL_EVENT_NSID_DEL:
		if (ev->nsid == s->nsid)
			s->gone++;
		break;
	case RTNL_EVENT_OVERFLOW:
		s->overflow++;
		break;
	}
}

/* Reads until *@what is not 0, with a deadline. */
static void
await(struct rtnl_monitor *m, const unsigned int *what)
{
	struct pollfd p = { .fd = rtnl_monitor_fd(m), .events = POLLIN };

	while (*what == 0) {
		assert_int_equal(poll(&p, 1, 10000), 1);
		assert_true(rtnl_monitor_read(m, 16) >= 0);
	}
}

static void
test_monitor_hears_all_namespaces(void **state)
{
	const struct rtnl_change promisc = {
		.what = RTNL_SET_PROMISC,
		.promisc = true,
	};
	struct rtnl_addr a = { .family = AF_INET, .prefixlen = 24 };
	struct rtnl_monitor *m;
	struct rtnl *r, *there;
	struct seen s = { 0 };
	int ns, index;

	(void)state;
	need_net();
	r = open_rtnl();
	ns = netns_create();
	assert_true(ns >= 0);
	s.nsid = rtnl_nsid_ensure(r, ns);
	assert_int_equal(rtnl_monitor_open(-1, on_event, &s, &m), 0);
	assert_int_equal(rtnl_monitor_read(m, 16), 0);

	assert_int_equal(rtnl_veth_add(r, "va", "vp", -1), 0);
	await(m, &s.new_here);
	index = rtnl_link_index(r, "va");
	inet_pton(AF_INET, "192.0.2.9", a.addr);
	assert_int_equal(rtnl_addr_add(r, index, &a), 0);
	await(m, &s.addr);
	assert_int_equal(rtnl_link_move(r, index, ns, NULL), 0);
	await(m, &s.del);
	assert_int_equal(rtnl_open_in(ns, &there), 0);
	assert_int_equal(
	    rtnl_link_set(there, rtnl_link_index(there, "va"), &promisc), 0);
	await(m, &s.new_there);
	while (s.promiscuity == 0) {
		s.new_there = 0;
		await(m, &s.new_there);
	}
	assert_int_equal(rtnl_link_del(there, index), 0);
	rtnl_close(there);
	close(ns); /* the last holder: its id goes */
	await(m, &s.gone);
	assert_int_equal(s.overflow, 0);

	/* More than the socket holds: that is said, and it goes on. */
	{
		int size = 1;

		assert_int_equal(setsockopt(rtnl_monitor_fd(m), SOL_SOCKET,
		                     SO_RCVBUF, &size, sizeof(size)),
		    0);
	}
	for (int i = 0; i < 20; i++) {
		assert_int_equal(rtnl_veth_add(r, "vx", "vy", -1), 0);
		assert_int_equal(rtnl_link_del(r, rtnl_link_index(r, "vx")), 0);
	}
	await(m, &s.overflow);
	rtnl_monitor_close(m);
	rtnl_close(r);
}

/* --- processes ----------------------------------------------------------- */

static int
open_null(void *arg)
{
	int fd;

	if (arg != NULL)
		return -ENXIO;
	fd = open("/dev/null", O_RDWR);
	return fd < 0 ? -errno : fd;
}

static int
die(void *arg)
{
	(void)arg;
	_exit(3);
}

static void
test_descriptor_is_fetched_from_a_child(void **state)
{
	int ns, fd;

	(void)state;
	need_net();
	ns = netns_create();
	assert_true(ns >= 0);
	fd = netns_fd_from(-1, ns, open_null, NULL);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	assert_int_equal(netns_fd_from(-1, ns, open_null, &ns), -ENXIO);
	assert_int_equal(netns_fd_from(-1, ns, die, NULL), -ECHILD);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(netns_fd_from(-1, fd, open_null, NULL), -EINVAL);
	close(fd);
	close(ns);
}

static void
test_program_is_started_in_a_namespace(void **state)
{
	char *sh[] = { "sh", "-c",
		"test $(wc -l </proc/net/dev) -eq 3 && ls /sys/class/net &&"
		" echo to-stderr >&2; exit 5",
		NULL };
	char *none[] = { "/nonexistent/program", NULL };
	struct netns_spawn_options o = { .argv = sh, .die_with_parent = true };
	char text[64] = "";
	int ns, p[2], pidfd, status;
	struct pollfd ended = { .events = POLLIN };
	ssize_t n, got = 0;
	pid_t pid;

	(void)state;
	need_net();
	ns = netns_create();
	assert_true(ns >= 0);
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	o.enter.net_fd = ns;
	o.stdio[0] = -1;
	o.stdio[1] = p[1];
	o.stdio[2] = p[1];
	assert_int_equal(netns_spawn(&o, &pid, &pidfd), 0);
	close(p[1]);
	while ((n = read(p[0], text + got, sizeof(text) - 1 - (size_t)got)) > 0)
		got += n;
	close(p[0]);
	/* Its /sys is its namespace's: lo alone. */
	assert_string_equal(text, "lo\nto-stderr\n");
	ended.fd = pidfd;
	assert_int_equal(poll(&ended, 1, 10000), 1);
	assert_true(netns_pidfd_ended(pidfd));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 5);
	close(pidfd);

	o = (struct netns_spawn_options){ .argv = none, .in_place = true };
	assert_int_equal(netns_spawn(&o, &pid, NULL), -ENOENT);
	assert_int_equal(waitpid(-1, &status, WNOHANG), -1);
	pidfd = netns_pidfd(getpid());
	assert_true(pidfd >= 0);
	assert_false(netns_pidfd_ended(pidfd));
	close(pidfd);
	assert_true(netns_pidfd(0x7ffffffe) < 0);
	close(ns);
}

/* --- TAP ----------------------------------------------------------------- */

static void
test_tap_lives_as_long_as_its_descriptor(void **state)
{
	static const uint8_t mac[6] = { 0xf2, 0x0b, 0xa4, 9, 9, 9 };
	struct rtnl_link link;
	struct tun t, second;
	struct rtnl *r;
	uint8_t got[6];
	char name[IFNAMSIZ];
	uint32_t features, caps;

	(void)state;
	need_tun();
	r = open_rtnl();
	assert_int_equal(tun_open("", &t), -EINVAL);
	assert_int_equal(tun_open("a-name-too-long-for-it", &t), -EINVAL);
	assert_int_equal(tun_open("lo", &t), -EEXIST);
	assert_int_equal(tun_open("ctap%d", &t), 0);
	assert_string_equal(t.name, "ctap0");
	assert_int_equal(tun_open("ctap0", &second), -EEXIST);
	assert_int_equal(t.caps & ~(uint32_t)OFFLOAD_USO,
	    OFFLOAD_ALL & ~(uint32_t)OFFLOAD_USO);
	assert_int_equal(tun_get_features(t.fd, &features), 0);
	assert_int_equal(tun_set_offload(t.fd, OFFLOAD_CSUM, &caps), 0);
	assert_int_equal(caps, OFFLOAD_CSUM);
	assert_true(fcntl(t.fd, F_GETFL) & O_NONBLOCK);

	assert_int_equal(tun_set_mac(t.fd, mac), 0);
	assert_int_equal(tun_get_mac(t.fd, got), 0);
	assert_memory_equal(got, mac, 6);
	assert_int_equal(rtnl_link_get(r, "ctap0", &link), 0);
	assert_string_equal(link.kind, "tun");
	assert_memory_equal(link.mac, mac, 6);
	assert_int_equal(rtnl_link_set_up(r, link.ifindex, true), 0);
	assert_int_equal(rtnl_link_get(r, "ctap0", &link), 0);
	assert_true(link.carrier);
	assert_int_equal(tun_set_carrier(t.fd, false), 0);
	assert_int_equal(rtnl_link_get(r, "ctap0", &link), 0);
	assert_false(link.carrier);
	assert_int_equal(tun_set_persist(t.fd, false), 0);

	assert_int_equal(rtnl_link_set_up(r, link.ifindex, false), 0);
	assert_int_equal(rtnl_link_set_name(r, link.ifindex, "other"), 0);
	assert_int_equal(tun_get_name(t.fd, name), 0);
	assert_string_equal(name, "other");
	close(t.fd);
	assert_int_equal(rtnl_link_get(r, "other", &link), -ENODEV);
	rtnl_close(r);
}

static void
test_tap_is_made_again_after_deletion(void **state)
{
	struct pollfd p = { .events = POLLIN };
	struct rtnl *r;
	struct tun t;
	char buf[64], name[IFNAMSIZ];

	(void)state;
	need_tun();
	r = open_rtnl();
	assert_int_equal(tun_open("ctap0", &t), 0);
	assert_int_equal(tun_attach(&t, "ctap1"), -EEXIST);
	assert_int_equal(rtnl_link_del(r, rtnl_link_index(r, "ctap0")), 0);
	p.fd = t.fd;
	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_true(p.revents & POLLERR);
	assert_int_equal(read(t.fd, buf, sizeof(buf)), -1);
	assert_int_equal(errno, EBADFD);
	assert_int_equal(tun_get_name(t.fd, name), -EBADFD);
	t.caps = 0;
	assert_int_equal(tun_attach(&t, "ctap1"), 0);
	assert_string_equal(t.name, "ctap1");
	assert_true(t.caps & OFFLOAD_TSO4);
	assert_true(rtnl_link_index(r, "ctap1") > 0);
	assert_int_equal(read(t.fd, buf, sizeof(buf)), -1);
	assert_int_equal(errno, EAGAIN);
	close(t.fd);
	rtnl_close(r);
}

static void
test_adopt_takes_only_taps(void **state)
{
	struct tun t, mine = { .fd = -1 };
	int fd;

	(void)state;
	need_tun();
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_int_equal(tun_adopt(fd, &mine), -ENOTTY);
	close(fd);
	fd = tun_open_unattached();
	assert_int_equal(tun_adopt(fd, &mine), -EBADFD);
	close(fd);
	assert_int_equal(mine.fd, -1);
	assert_int_equal(tun_open("ctap0", &t), 0);
	assert_int_equal(tun_adopt(t.fd, &mine), 0);
	assert_string_equal(mine.name, "ctap0");
	assert_int_equal(mine.caps, t.caps);
	close(t.fd);
}

/* Frames through a TAP in batches: what is written arrives in order. */
static void
tap_batch(uint32_t flags)
{
	enum {
		COUNT = 20,
		LEN = TUN_HDR_LEN + 60
	};
	static char frame[COUNT][LEN], got[COUNT + 1][2048];
	struct iovec v[COUNT + 1];
	int32_t res[COUNT + 1];
	struct iobatch *b;
	struct tun t;
	struct rtnl *r;
	const struct rtnl_change up = {
		.what = RTNL_SET_UP | RTNL_SET_ADDRGEN,
		.up = true,
		.addrgen = RTNL_ADDRGEN_NONE,
	};
	int raw;
	struct sockaddr_ll to = { .sll_family = AF_PACKET };

	r = open_rtnl();
	assert_int_equal(tun_open("ctap0", &t), 0);
	assert_int_equal(rtnl_link_set(r, rtnl_link_index(r, "ctap0"), &up), 0);
	assert_int_equal(iobatch_create(COUNT + 1, flags, &b), 0);

	/* Into the kernel ... */
	for (int i = 0; i < COUNT; i++) {
		memset(frame[i], 0, LEN);
		memset(frame[i] + TUN_HDR_LEN, 0xff, 6);
		frame[i][TUN_HDR_LEN + 6] = 2;
		frame[i][TUN_HDR_LEN + 12] = (char)0x88;
		frame[i][TUN_HDR_LEN + 13] = (char)0xb5;
		frame[i][TUN_HDR_LEN + 14] = (char)i;
		v[i] = (struct iovec){ frame[i], LEN };
		iobatch_writev(b, t.fd, &v[i], 1, &res[i]);
	}
	assert_int_equal(iobatch_submit(b), COUNT);
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(res[i], LEN);

	/* ... and out of it: sent by a packet socket, read from the TAP. */
	raw = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	assert_true(raw >= 0);
	to.sll_ifindex = rtnl_link_index(r, "ctap0");
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(
		    sendto(raw, frame[i] + TUN_HDR_LEN, LEN - TUN_HDR_LEN, 0,
		        (const struct sockaddr *)(const void *)&to, sizeof(to)),
		    LEN - TUN_HDR_LEN);
	for (int i = 0; i <= COUNT; i++) {
		v[i] = (struct iovec){ got[i], sizeof(got[i]) };
		iobatch_readv(b, t.fd, &v[i], 1, &res[i]);
	}
	assert_int_equal(iobatch_submit(b), COUNT);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(res[i], LEN);
		assert_int_equal(got[i][TUN_HDR_LEN + 14], i);
	}
	assert_int_equal(res[COUNT], -EAGAIN);
	close(raw);
	close(t.fd);
	iobatch_destroy(b);
	rtnl_close(r);
}

static void
test_tap_in_batches(void **state)
{
	(void)state;
	need_tun();
	tap_batch(0);
}

static void
test_tap_in_plain_calls(void **state)
{
	(void)state;
	need_tun();
	tap_batch(IOBATCH_PLAIN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_link_is_made_changed_and_deleted),
		cmocka_unit_test(test_refusals_name_the_kernels_reason),
		cmocka_unit_test(test_group_goes_in_one_request),
		cmocka_unit_test(test_addresses_come_and_go),
		cmocka_unit_test(test_namespace_is_made_entered_and_left),
		cmocka_unit_test(
		    test_namespaces_are_opened_by_process_and_path),
		cmocka_unit_test(test_link_moves_and_is_seen_from_afar),
		cmocka_unit_test(test_monitor_hears_all_namespaces),
		cmocka_unit_test(test_descriptor_is_fetched_from_a_child),
		cmocka_unit_test(test_program_is_started_in_a_namespace),
		cmocka_unit_test(test_tap_lives_as_long_as_its_descriptor),
		cmocka_unit_test(test_tap_is_made_again_after_deletion),
		cmocka_unit_test(test_adopt_takes_only_taps),
		cmocka_unit_test(test_tap_in_batches),
		cmocka_unit_test(test_tap_in_plain_calls),
	};

	return cmocka_run_group_tests_name("os_net", tests, group_setup, NULL);
}
