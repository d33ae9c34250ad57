/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ether: a netdev of the host's, as it is, as a port: a card, an end of a veth,
 * an access point.
 *
 * How it works
 *
 *   An interface of the netdev's name is made when it is named in a command
 *   that does more than print (net_iface_adopt()); drv/host_adopt.c is its
 *   host side, so state follows in both directions.  The frames go through a
 *   packet socket (ether_io.c), which is open while the interface is up and
 *   somebody uses it: a bridge, or VLAN children.
 *
 *   The wire is where the netdev is: behind it are the stations on the cable,
 *   and the host itself (IFACE_KIND_HOST_IS_WIRE, as a vether).  What the host
 *   sends on the netdev comes in as from any station, and the kernel puts it on
 *   the cable as well; what is for the netdev's address is given to the host
 *   (ether_host.c).  So the host's own use goes on as before, unless `-host'
 *   takes the netdev away.
 *
 * When the interface ends, the netdev is as it was: only MTU, address, and up
 * or down, which somebody has set, stay.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/ether.h"
#include "base/util.h"
#include "drv/ether_impl.h"
#include "drv/host.h"
#include "frame/offload.h"
#include "net/info.h"
#include "os/netns.h"
#include "os/rtnl.h"

#define ETHER_MTU_MIN 68
#define ETHER_MTU_MAX 65535
#define QUEUE_FRAMES  1024
#define QUEUE_BYTES   (4u << 20)
#define AGAIN_NS      UINT64_C(1000000000)
/* USO is too new to be taken for granted. */
#define ETHER_CAPS \
	(OFFLOAD_CSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6 | OFFLOAD_TSO_ECN)

int
ether_run(struct ether *sc, int (*fn)(void *arg), void *arg)
{
	struct net *net = sc->ifp.net;
	struct vnet *vnet = net_host_vnet(&sc->ifp);
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

bool
ether_shares(const struct ether *sc)
{
	return net_lladdr_taken(&sc->ifp, sc->ifp.mac);
}

static bool
pretends(const struct iface *ifp)
{
	return drv_context(ifp->net)->pretend ||
	       drv_context(ifp->net)->loop == NULL;
}

/* The netdev's number; where nothing is real it is taken to be there, and what
 * ifp->host is of is not ours to look into. */
static int
netdev_of(const struct iface *ifp)
{
	return pretends(ifp) ? 1 : host_netdev_index(ifp);
}

static bool
wanted(const struct ether *sc)
{
	const struct iface *ifp = &sc->ifp;

	return !ifp->dying && (ifp->flags & IFACE_UP) != 0 &&
	       (ifp->stack != NULL || ifp->vlans != NULL) && netdev_of(ifp) > 0;
}

static void
follow(struct ether *sc)
{
	struct iface *ifp = &sc->ifp;
	bool want = wanted(sc);
	int err;

	iface_set_running(
	    ifp, (ifp->flags & IFACE_UP) != 0 && netdev_of(ifp) > 0);
	if (pretends(ifp))
		return;
	if (sc->wire.fd >= 0 && (!want || sc->ifindex != netdev_of(ifp))) {
		ether_host_close(sc);
		ether_io_close(sc, DROP_IF_DOWN);
	}
	if (!want || sc->wire.fd >= 0)
		return;
	sc->ifindex = netdev_of(ifp);
	err = ether_io_open(sc);
	if (err != 0 && err != sc->last_error)
		net_notice(ifp->net, ifp, "%s: no packet socket: %s", ifp->name,
		    strerror(-err));
	sc->last_error = err;
	if (err == 0)
		ether_host_open(sc);
	else
		(void)loop_timer_in(ether_loop(sc), &sc->again, AGAIN_NS);
}

static void
again_due(struct timer *t, uint64_t now_ns)
{
	struct ether *sc = CONTAINER_OF(t, struct ether, again);

	sc->ifp.net->now_ns = now_ns;
	sc->blocked = false;
	follow(sc);
	net_flush_later(&sc->ifp);
}

static int
ether_create(struct iface *ifp)
{
	const struct net_system *sys = &ifp->net->system;
	struct ether *sc = ether_of(ifp);
	int err;

	sc->wire.fd = sc->inject = -1;
	sc->again.fn = again_due;
	if (sys->netdev_adopt == NULL)
		return -ENODEV;
	err = frame_ring_init(&sc->tx, QUEUE_FRAMES, QUEUE_BYTES);
	if (err != 0)
		return err;
	err = sys->netdev_adopt(sys->arg, ifp);
	if (err != 0) {
		frame_ring_fini(&sc->tx);
		return err;
	}
	ifp->caps = ETHER_CAPS;
	if ((ifp->flags & IFACE_UP) != 0)
		ifp->flags |= IFACE_RUNNING;
	return 0;
}

static void
ether_destroy(struct iface *ifp)
{
	struct ether *sc = ether_of(ifp);

	ether_host_close(sc);
	ether_io_close(sc, DROP_DESTROYED);
	if (ether_loop(sc) != NULL)
		loop_timer_del(ether_loop(sc), &sc->again);
	frame_ring_fini(&sc->tx);
}

static void
ether_changed(struct iface *ifp, uint32_t what)
{
	struct ether *sc = ether_of(ifp);

	if ((what & (IFACE_CHANGED_FLAGS | IFACE_CHANGED_STACK |
	                IFACE_CHANGED_VLANS | IFACE_CHANGED_NETDEV)) != 0)
		follow(sc);
	/* The TAP has the netdev's address. */
	if ((what & IFACE_CHANGED_LLADDR) != 0 && sc->wire.fd >= 0) {
		ether_host_close(sc);
		ether_host_open(sc);
	}
}

static int
ether_set_mtu(struct iface *ifp, uint32_t mtu)
{
	const struct rtnl_change c = { .what = RTNL_SET_MTU, .mtu = mtu };

	return pretends(ifp) ? 0 : host_netdev_set(ifp, &c);
}

static int
ether_set_lladdr(struct iface *ifp, const uint8_t mac[6])
{
	struct rtnl_change c = { .what = RTNL_SET_MAC };

	ether_copy(c.mac, mac);
	return pretends(ifp) ? 0 : host_netdev_set(ifp, &c);
}

static int
ether_set_host(struct iface *ifp, bool on)
{
	struct ether *sc = ether_of(ifp);

	if (sc->ifp.host_taken == !on)
		return 0;
	return ether_host_take(sc, !on);
}

static bool
ether_lladdr_given(const struct iface *ifp)
{
	(void)ifp;
	return true; /* by the netdev */
}

static void
ether_get(const struct iface *ifp, struct info *out)
{
	const struct ether *sc = ether_of_const(ifp);

	info_bool(out, "present", netdev_of(ifp) > 0);
	info_bool(out, "open", sc->wire.fd >= 0);
	info_bool(out, "promiscuous", sc->promisc);
	info_str(out, "host",
	    sc->ifp.host_taken ? "taken"
	    : sc->inject >= 0  ? "reached"
	    : sc->wire.fd >= 0 ? "unreached"
	                       : "untouched");
	if (sc->inject_error != 0)
		info_str(out, "host_error", strerror(-sc->inject_error));
	if (sc->last_error != 0)
		info_str(out, "error", strerror(-sc->last_error));
}

const struct iface_ops ether_ops = {
	.kind = "ether",
	.about = "a netdev of the host's: a card, an end of a veth",
	.kind_flags =
	    IFACE_KIND_ETHERNET | IFACE_KIND_HOST_IS_WIRE | IFACE_KIND_ADOPTED,
	.mtu_default = ETH_MTU_DEFAULT,
	.mtu_min = ETHER_MTU_MIN,
	.mtu_max = ETHER_MTU_MAX,
	.flags = IFACE_BROADCAST | IFACE_SIMPLEX | IFACE_MULTICAST,
	.size = sizeof(struct ether),
	.create = ether_create,
	.destroy = ether_destroy,
	.transmit = ether_io_transmit,
	.flush = ether_io_flush,
	.changed = ether_changed,
	.set_mtu = ether_set_mtu,
	.set_lladdr = ether_set_lladdr,
	.set_host = ether_set_host,
	.lladdr_given = ether_lladdr_given,
	.get = ether_get,
	.info_name = "netdev", /* "ether" is an address */
};
