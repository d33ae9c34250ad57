/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host behind an adopted netdev.
 *
 * A packet socket sends only to the cable.  What stations on other members send
 * to the netdev's address has to come in on it instead: so there is a TAP
 * beside it (coaxhN, with the same address, no IP) whose frames the kernel
 * hands on to the netdev as if they had come from the cable (a traffic-control
 * filter: u32, mirred).  A group's frame is addressed to the netdev itself on
 * that way, since the socket's filter tells by that what has come from us
 * (ether_io.c); ARP, IP and IPv6 do not mind.
 *
 * `-host' takes the netdev from its host, as OpenBSD's veb does: two filters on
 * the netdev itself lead what it has got and what its host sends to the TAP,
 * where it ends.  Packet sockets get frames before such filters, and ours sends
 * past them.
 *
 * A kernel without these filters: the host is heard and does not hear, which an
 * event says, and `-host' is refused.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/ether.h"
#include "base/util.h"
#include "drv/ether_impl.h"
#include "drv/host.h"
#include "os/rtnl.h"
#include "os/sock.h"
#include "os/tun.h"

#define REDIRECT_PRIORITY 0xc0a0u

static int
tap_set_up(struct ether *sc, struct rtnl *r, const char *name)
{
	struct sock_filter none[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
	struct sock_fprog drop;
	struct rtnl_change c = {
		.what = RTNL_SET_MAC | RTNL_SET_ADDRGEN | RTNL_SET_NOARP |
		        RTNL_SET_UP | RTNL_SET_MTU,
		.addrgen = RTNL_ADDRGEN_NONE,
		.noarp = true,
		.up = true,
		.mtu = TUN_MTU_MAX,
	};
	const struct rtnl_redirect in = {
		.to = sc->ifindex,
		.priority = REDIRECT_PRIORITY,
	};
	bool made;
	int err;

	/* Nothing that it is to send is ever read. */
	memset(&drop, 0, sizeof(drop)); /* what is between its members, too */
	drop.len = 1;
	drop.filter = none;
	if (ioctl(sc->inject, TUNATTACHFILTER, &drop) < 0)
		return -errno;
	ether_copy(c.mac, sc->ifp.mac);
	sc->inject_index = rtnl_link_index(r, name);
	if (sc->inject_index < 0)
		return sc->inject_index;
	err = rtnl_link_set(r, sc->inject_index, &c);
	if (err == 0)
		err = rtnl_clsact_add(r, sc->inject_index, &made);
	if (err == 0)
		err = rtnl_redirect_add(r, sc->inject_index, &in);
	return err;
}

/* Where the netdev's own traffic ends while it is taken. */
static const struct rtnl_redirect *
ends(const struct ether *sc, bool egress, struct rtnl_redirect *out)
{
	*out = (struct rtnl_redirect){
		.egress = egress,
		.to = sc->inject_index,
		.to_egress = true,
		.priority = REDIRECT_PRIORITY,
	};
	return out;
}

static void
redirects_remove(struct ether *sc, struct rtnl *r)
{
	struct rtnl_redirect rd;

	if (!sc->redirected)
		return;
	(void)rtnl_redirect_del(r, sc->ifindex, ends(sc, false, &rd));
	(void)rtnl_redirect_del(r, sc->ifindex, ends(sc, true, &rd));
	if (sc->made_clsact)
		(void)rtnl_clsact_del(r, sc->ifindex);
	sc->redirected = sc->made_clsact = false;
}

static int
redirects_add(struct ether *sc, struct rtnl *r)
{
	struct rtnl_redirect rd;
	int err = rtnl_clsact_add(r, sc->ifindex, &sc->made_clsact);

	if (err != 0)
		return err;
	/* Of a daemon that was killed. */
	(void)rtnl_redirect_del(r, sc->ifindex, ends(sc, false, &rd));
	(void)rtnl_redirect_del(r, sc->ifindex, ends(sc, true, &rd));
	sc->redirected = true;
	err = rtnl_redirect_add(r, sc->ifindex, ends(sc, false, &rd));
	if (err == 0)
		err = rtnl_redirect_add(r, sc->ifindex, ends(sc, true, &rd));
	if (err != 0)
		redirects_remove(sc, r);
	return err;
}

static int
open_here(void *arg)
{
	struct ether *sc = arg;
	struct tun tun;
	struct rtnl *r;
	int err = rtnl_open(&r);

	if (err != 0)
		return err;
	err = tun_open("coaxh%d", &tun);
	if (err == 0) {
		sc->inject = tun.fd;
		err = tap_set_up(sc, r, tun.name);
		if (err == 0 && sc->ifp.host_taken)
			err = redirects_add(sc, r);
	}
	rtnl_close(r);
	return err;
}

static int
close_here(void *arg)
{
	struct ether *sc = arg;
	struct rtnl *r;
	int err = rtnl_open(&r);

	if (err != 0)
		return err;
	redirects_remove(sc, r);
	rtnl_close(r);
	return 0;
}

static int
way_open(struct ether *sc)
{
	int err = ether_run(sc, open_here, sc);

	if (err != 0 && sc->inject >= 0) {
		host_bury_tap(sc->ifp.net, sc->inject);
		sc->inject = -1;
	}
	return err;
}

void
ether_host_open(struct ether *sc)
{
	int err;

	if (sc->inject >= 0)
		return;
	err = way_open(sc);
	if (err != 0 && err != sc->inject_error)
		net_notice(sc->ifp.net, &sc->ifp,
		    "%s: its host cannot be reached from other members, for "
		    "want of a traffic-control filter (u32, mirred): %s",
		    sc->ifp.name, strerror(-err));
	sc->inject_error = err;
}

void
ether_host_close(struct ether *sc)
{
	if (sc->inject < 0)
		return;
	if (sc->redirected)
		(void)ether_run(sc, close_here, sc);
	host_bury_tap(sc->ifp.net, sc->inject);
	sc->inject = -1;
	sc->redirected = false;
}

int
ether_host_take(struct ether *sc, bool taken)
{
	struct net *net = sc->ifp.net;
	int err;

	if (sc->wire.fd < 0) {
		sc->ifp.host_taken = taken; /* when it is used */
		return 0;
	}
	ether_host_close(sc);
	ether_io_close(sc, DROP_DESTROYED);
	sc->ifp.host_taken = taken;
	err = ether_io_open(sc);
	if (err == 0)
		err = way_open(sc);
	sc->inject_error = err;
	if (err == 0 || !taken)
		return 0;
	/* As it was. */
	sc->ifp.host_taken = false;
	ether_io_close(sc, DROP_DESTROYED);
	if (ether_io_open(sc) == 0)
		ether_host_open(sc);
	return net_error(net, err,
	    "this kernel has no traffic-control filter (u32, mirred) that "
	    "would keep the host away: %s",
	    strerror(-err));
}

int
ether_host_give(struct ether *sc, const struct frame *f)
{
	struct frame_offload off = f->off;
	struct iovec iov[3] = {
		{ &off, sizeof(off) },
		{ sc->ifp.mac, ETH_ADDR_LEN },
		{ f->data + ETH_ADDR_LEN, f->len - ETH_ADDR_LEN },
	};

	if (sc->inject < 0)
		return -ENETDOWN;
	return writev(sc->inject, iov, 3) < 0 ? -errno : 0;
}
