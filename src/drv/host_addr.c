/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses of host sides: the kernel has them, here they are only passed on.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <string.h>

#include "base/bytes.h"
#include "base/ether.h"
#include "base/str.h"
#include "drv/host_impl.h"
#include "net/info.h"

#define ADDR_TEXT_MAX 64

/* "192.0.2.1/24", "2001:db8::1"; the scope that BSD writes behind '%' is
 * accepted: it can only be the interface itself. */
static int
addr_parse(const char *text, struct rtnl_addr *out)
{
	struct rtnl_addr a = { 0 };
	char buf[ADDR_TEXT_MAX];
	uint32_t len;
	char *slash, *scope;

	if (strlen(text) >= sizeof(buf))
		return -EINVAL;
	memcpy(buf, text, strlen(text) + 1);
	slash = strchr(buf, '/');
	if (slash != NULL)
		*slash++ = '\0';
	scope = strchr(buf, '%');
	if (scope != NULL)
		*scope = '\0';
	if (scope == NULL && inet_pton(AF_INET, buf, a.addr) == 1)
		a.family = AF_INET;
	else if (inet_pton(AF_INET6, buf, a.addr) == 1)
		a.family = AF_INET6;
	else
		return -EINVAL;
	len = a.family == AF_INET ? 32 : 128;
	if (slash != NULL && str_u32(slash, 10, 0, len, &len) != 0)
		return -EINVAL;
	a.prefixlen = (uint8_t)len;
	*out = a;
	return 0;
}

/* The far end or the broadcast address: of the same family, no length. */
static int
addr_parse_other(const char *text, uint8_t family, uint8_t *out)
{
	uint8_t buf[16] = { 0 };

	if (inet_pton(family, text, buf) != 1)
		return -EINVAL;
	memcpy(out, buf, family == AF_INET ? 4 : 16);
	return 0;
}

/* The netdev that addresses are for, and a socket in its namespace. */
static int
addr_begin(struct host_system *hs, struct iface *ifp, struct host_if **out,
    struct rtnl **r)
{
	struct host_if *h = host_if_of(ifp);
	int err;

	if (h == NULL)
		return net_error(hs->net, -EADDRNOTAVAIL,
		    "%s has no host side; give it one: ifconfig %s host",
		    ifp->name, ifp->name);
	if (h->blind)
		return net_error(hs->net, -EACCES,
		    "%s's host side is in a namespace that only its owner can "
		    "configure",
		    ifp->name);
	if (h->move != NULL || h->parked)
		return net_error(
		    hs->net, -EBUSY, "%s's host side is on its way", ifp->name);
	err = host_ns_rtnl(host_ns_of(h->host.vnet), r);
	if (err != 0)
		return err;
	*out = h;
	return 0;
}

/*
 * Who has got an address says so (RFC 5227, "ARP Announcement"), as BSD's
 * kernel does and Linux's does not: bridges learn where it is, and neighbours
 * forget who had it before. It goes out as if the host had sent it.
 */
void
host_announce(const struct host_if *h, const uint8_t *addr)
{
	struct iface *ifp = h->ifp;
	struct frame_batch batch = { .count = 1 };
	struct frame *f;
	uint8_t *p;

	/* What goes out of an adopted netdev is its host's affair. */
	if ((ifp->flags & (IFACE_NOARP | IFACE_LOOPBACK)) != 0 || !h->host.up ||
	    h->adopted)
		return;
	f = frame_alloc(ifp->net->pool, ETH_LEN_MIN);
	if (f == NULL)
		return;
	f->len = ETH_LEN_MIN;
	memset(f->data, 0, f->len);
	memset(f->data, 0xff, ETH_ADDR_LEN);
	ether_copy(f->data + ETH_ADDR_LEN, ifp->mac);
	be16_put(f->data + 2 * ETH_ADDR_LEN, ETH_TYPE_ARP);
	p = f->data + ETH_HDR_LEN;
	be16_put(p, 1); /* Ethernet */
	be16_put(p + 2, ETH_TYPE_IPV4);
	p[4] = ETH_ADDR_LEN;
	p[5] = 4;
	be16_put(p + 6, 1); /* a request, for oneself */
	ether_copy(p + 8, ifp->mac);
	memcpy(p + 14, addr, 4);
	memcpy(p + 24, addr, 4);
	batch.frames[0] = f;
	iface_host_input(ifp, &batch);
}

int
host_addr_add(void *arg, struct iface *ifp, const char *addr, const char *dst,
    const char *broadcast)
{
	struct host_system *hs = arg;
	struct rtnl_addr a;
	struct host_if *h;
	struct rtnl *r;
	int err;

	err = addr_parse(addr, &a);
	if (err == 0 && dst != NULL) {
		a.has_peer = true;
		err = addr_parse_other(dst, a.family, a.peer);
	}
	if (err == 0 && broadcast != NULL) {
		a.has_broadcast = true;
		err = a.family == AF_INET
		          ? addr_parse_other(broadcast, AF_INET, a.broadcast)
		          : -EINVAL;
	}
	if (err != 0)
		return err;
	err = addr_begin(hs, ifp, &h, &r);
	if (err != 0)
		return err;
	err = rtnl_addr_add(r, h->ifindex, &a);
	if (err != 0)
		(void)net_error(
		    hs->net, err, "%s: %s", addr, rtnl_strerror(r, err));
	host_ns_rtnl_put(host_ns_of(h->host.vnet), r);
	if (err == 0 && a.family == AF_INET)
		host_announce(h, a.addr);
	return err;
}

int
host_addr_del(void *arg, struct iface *ifp, const char *addr)
{
	struct host_system *hs = arg;
	struct rtnl_addr a;
	struct host_if *h;
	struct rtnl *r;
	int err;

	err = addr_parse(addr, &a);
	if (err != 0)
		return err;
	if (strchr(addr, '/') == NULL)
		a.prefixlen = 0; /* whatever it is */
	err = addr_begin(hs, ifp, &h, &r);
	if (err != 0)
		return err;
	err = rtnl_addr_del(r, h->ifindex, &a);
	if (err != 0)
		(void)net_error(
		    hs->net, err, "%s: %s", addr, rtnl_strerror(r, err));
	host_ns_rtnl_put(host_ns_of(h->host.vnet), r);
	return err;
}

static void
addr_text(struct info *out, const char *key, int family, const uint8_t *addr)
{
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(family, addr, text, sizeof(text)) != NULL)
		info_str(out, key, text);
}

static int
addr_show(void *arg, const struct rtnl_addr *a)
{
	/* BSD's words where it has them. */
	static const struct {
		uint32_t flag;
		const char *name;
	} flags[] = {
		{ IFA_F_TENTATIVE, "tentative" },
		{ IFA_F_DADFAILED, "duplicated" },
		{ IFA_F_DEPRECATED, "deprecated" },
		{ IFA_F_TEMPORARY, "temporary" },
	};
	struct info *out = arg;

	info_object(out, NULL);
	info_str(out, "family", a->family == AF_INET ? "inet" : "inet6");
	addr_text(out, "address", a->family, a->addr);
	info_u64(out, "prefixlen", a->prefixlen);
	if (a->has_peer)
		addr_text(out, "destination", a->family, a->peer);
	if (a->has_broadcast)
		addr_text(out, "broadcast", AF_INET, a->broadcast);
	info_list(out, "flags");
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if ((a->flags & flags[i].flag) != 0)
			info_str(out, NULL, flags[i].name);
	}
	info_end(out);
	if (a->family == AF_INET6 && a->addr[0] == 0xfe &&
	    (a->addr[1] & 0xc0) == 0x80)
		info_u64(out, "scopeid", (uint64_t)a->ifindex);
	/* By a lease, a router's word, or the kernel itself. */
	if ((a->flags & IFA_F_PERMANENT) == 0 ||
	    a->proto == IFAPROT_KERNEL_RA || a->proto == IFAPROT_KERNEL_LL)
		info_bool(out, "dynamic", true);
	info_end(out);
	return 0;
}

int
host_addr_list(void *arg, const struct iface *ifp, struct info *out)
{
	struct host_system *hs = arg;
	struct host_if *h = host_if_of(ifp);
	int err = 0;

	info_list(out, "addresses");
	if (h != NULL && h->ifindex > 0 && !h->unread && h->move == NULL)
		err = rtnl_addr_list(
		    hs->rtnl, h->nsid, h->ifindex, 0, addr_show, out);
	info_end(out);
	return err;
}
