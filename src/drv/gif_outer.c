/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a gif has of the system: raw sockets of IP protocol 97 in vnets, and
 * their routes.  See gif.h.
 *
 * DF is clear unless it is wanted; then the kernel keeps the path MTU, as ICMP
 * tells it, and refuses what is longer (EMSGSIZE).  IPv6 has no routers that
 * fragment: the source does it, for the path MTU that ICMP has told.
 */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "drv/gif.h"
#include "drv/host.h"
#include "frame/etherip.h"
#include "os/netns.h"
#include "os/rtnl.h"
#include "os/sock.h"

#define RCVBUF (4 << 20) /* what comes while the worker does other things */
/* Little: what the kernel holds it holds in queues of some hundred packets, and
 * what waits here is not lost. */
#define SNDBUF (256 << 10)

static int
option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno
	                                                              : 0;
}

static socklen_t
address(int family, const struct gif_end *e, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *sin = (struct sockaddr_in *)ss;

	memset(ss, 0, sizeof(*ss));
	if (family == AF_INET) {
		sin->sin_family = AF_INET;
		memcpy(&sin->sin_addr, e->addr, 4);
		return sizeof(*sin);
	}
	sin6->sin6_family = AF_INET6;
	memcpy(&sin6->sin6_addr, e->addr, 16);
	if (e->scope[0] != '\0')
		sin6->sin6_scope_id = if_nametoindex(e->scope);
	return sizeof(*sin6);
}

static int
set_up_v4(int fd, const struct gif_socket *want)
{
	int err = option(fd, IPPROTO_IP, IP_TTL, (int)want->ttl);

	if (err == 0)
		err = option(fd, IPPROTO_IP, IP_MTU_DISCOVER,
		    want->df ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT);
	if (err == 0)
		err = option(fd, IPPROTO_IP, IP_PKTINFO, 1);
	return err == 0 ? option(fd, IPPROTO_IP, IP_RECVERR, 1) : err;
}

static int
set_up_v6(int fd, const struct gif_socket *want)
{
	int err = option(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, (int)want->ttl);

	if (err == 0)
		err = option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
		    want->df ? IPV6_PMTUDISC_DO : IPV6_PMTUDISC_WANT);
	/* Of a raw socket WANT does not fragment without this. */
	if (err == 0)
		err = option(fd, IPPROTO_IPV6, IPV6_DONTFRAG, want->df);
	if (err == 0)
		err = option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	return err == 0 ? option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1) : err;
}

struct open_args {
	const struct gif_socket *want;
	const char *what; /* failed */
};

static int
open_here(void *arg)
{
	struct open_args *a = arg;
	const struct gif_socket *want = a->want;
	struct sockaddr_storage ss;
	socklen_t len;
	int fd, err;

	a->what = "a raw socket";
	fd = socket(want->family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    ETHERIP_PROTO);
	if (fd < 0)
		return -errno;
	err = want->family == AF_INET6 ? set_up_v6(fd, want)
	                               : set_up_v4(fd, want);
	if (err != 0)
		goto out_close;
	/* Without CAP_NET_ADMIN of the machine what its limit allows. */
	if (option(fd, SOL_SOCKET, SO_RCVBUFFORCE, RCVBUF) != 0)
		(void)option(fd, SOL_SOCKET, SO_RCVBUF, RCVBUF);
	if (option(fd, SOL_SOCKET, SO_SNDBUFFORCE, SNDBUF) != 0)
		(void)option(fd, SOL_SOCKET, SO_SNDBUF, SNDBUF);
	(void)option(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
	a->what = "the source";
	len = address(want->family, &want->local, &ss);
	if (bind(fd, (const struct sockaddr *)&ss, len) < 0) {
		err = -errno;
		goto out_close;
	}
	a->what = "the destination";
	len = address(want->family, &want->remote, &ss);
	if (want->connected &&
	    connect(fd, (const struct sockaddr *)&ss, len) < 0) {
		err = -errno;
		goto out_close;
	}
	return fd;

out_close:
	close(fd);
	return err;
}

/* In the namespace of a vnet; home is where the daemon is. */
static int
run_in(struct net *net, struct vnet *vnet, int (*fn)(void *arg), void *arg)
{
	int fd, err;

	if (vnet == net->home)
		return fn(arg);
	fd = host_vnet_open(net, vnet);
	if (fd < 0)
		return fd;
	err = netns_run(fd, fn, arg);
	close(fd);
	return err;
}

static int
outer_open(void *arg, struct net *net, struct vnet *vnet,
    const struct gif_socket *want)
{
	struct open_args a = { .want = want, .what = "the vnet" };
	int fd = run_in(net, vnet, open_here, &a);

	(void)arg;
	if (fd == -EPERM)
		return net_error(
		    net, fd, "%s of IP protocol 97 needs CAP_NET_RAW", a.what);
	if (fd < 0)
		return net_error(net, fd, "%s: %s%s%s", a.what, strerror(-fd),
		    vnet == net->home ? "" : ", in vnet ", vnet->name);
	return fd;
}

struct route_args {
	int family;
	const uint8_t *addr;
};

static int
route_here(void *arg)
{
	const struct route_args *a = arg;
	struct rtnl *r;
	int err = rtnl_open(&r);

	if (err != 0)
		return err;
	err = rtnl_route_get(r, a->family, a->addr);
	rtnl_close(r);
	return err;
}

static int
outer_route(void *arg, struct net *net, struct vnet *vnet, int family,
    const uint8_t *addr)
{
	struct route_args a = { family, addr };

	(void)arg;
	return run_in(net, vnet, route_here, &a);
}

static void
outer_check(void *arg, struct net *net, struct vnet *vnet)
{
	(void)arg;
	host_vnet_check(net, vnet);
}

const struct gif_outer gif_outer_system = {
	.open = outer_open,
	.route = outer_route,
	.check = outer_check,
};
