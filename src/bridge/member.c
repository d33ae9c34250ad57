/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Members and span ports: who may join, what joining changes, and leaving.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/ether.h"
#include "base/list.h"
#include "bridge/bridge_impl.h"
#include "frame/offload.h"
#include "net/info.h"

struct bridge_port *
bridge_member(const struct bridge *br, const struct iface *ifp)
{
	struct bridge_port *p;

	if (ifp->stack == NULL || ifp->stack->input != bridge_port_input)
		return NULL;
	p = CONTAINER_OF(ifp->stack, struct bridge_port, stack);
	return p->bridge == br ? p : NULL;
}

struct bridge_port *
bridge_span(const struct bridge *br, const struct iface *ifp)
{
	struct bridge_port *p;

	if (ifp->stack == NULL || ifp->stack->input != bridge_span_input)
		return NULL;
	p = CONTAINER_OF(ifp->stack, struct bridge_port, stack);
	return p->bridge == br ? p : NULL;
}

static void
member_event(struct bridge *br, struct iface *ifp, const char *text)
{
	struct net_event ev = {
		.type = NET_EVENT_MEMBER,
		.ifp = ifp,
		.other = &br->ifp,
		.vlan = -1,
		.text = text,
	};

	net_emit(br->ifp.net, &ev);
}

/* Differs: 0 is the default, because an output that cannot take a frame gets
 * it made to fit; and with 1 it is what the members have now that counts, not
 * what they had when they joined. */
void
bridge_caps_update(struct bridge *br)
{
	bool mask = bridge_tunable_get(bridge_vnet(br), BRIDGE_CAPMASK) != 0;
	uint32_t all = OFFLOAD_ALL;
	struct bridge_port *p;

	TAILQ_FOREACH (p, &br->members, link)
		all &= p->ifp->caps_taken & ~p->ifp->caps_off_user;
	TAILQ_FOREACH (p, &br->members, link)
		iface_mask_caps(p->ifp, mask ? OFFLOAD_ALL & ~all : 0);
}

static void
port_changed(struct iface_stack *s, struct iface *ifp, uint32_t what)
{
	struct bridge_port *p = CONTAINER_OF(s, struct bridge_port, stack);

	(void)ifp;
	if ((what & IFACE_CHANGED_LLADDR) != 0)
		p->bridge->own_stale = true;
	if ((what & IFACE_CHANGED_CAPS) != 0)
		bridge_caps_update(p->bridge);
	if ((what & (IFACE_CHANGED_LINK | IFACE_CHANGED_FLAGS)) != 0)
		bridge_stp_link(p);
	if ((what & IFACE_CHANGED_LINK) != 0)
		bridge_link_update(p->bridge);
}

/* The bridge sets its members' MTU; nobody else may, even to what it is. */
static int
port_mtu_check(struct iface_stack *s, struct iface *ifp, uint32_t mtu)
{
	(void)mtu;
	return net_error(ifp->net, -EOPNOTSUPP,
	    "%s is a member of %s, which sets its MTU", ifp->name,
	    s->master->name);
}

/* Not on a member where member_ifaddrs is 0; a vether is no card of the
 * bridge's own host.  (What the host does by itself nobody can refuse.) */
static int
port_addr_check(struct iface_stack *s, struct iface *ifp)
{
	const struct bridge_port *p =
	    CONTAINER_OF(s, struct bridge_port, stack);

	if (p->wire_host || bridge_tunable_get(bridge_vnet(p->bridge),
	                        BRIDGE_MEMBER_IFADDRS) != 0)
		return 0;
	return net_error(ifp->net, -EINVAL,
	    "%s is a member of %s (net.link.bridge.member_ifaddrs is 0)",
	    ifp->name, s->master->name);
}

/* The newest member that has an address to inherit; or NULL. */
static struct bridge_port *
first_addressed(const struct bridge *br)
{
	struct bridge_port *p;

	TAILQ_FOREACH (p, &br->members, link) {
		if (!p->tunnel)
			break;
	}
	return p;
}

static void
member_remove(struct bridge_port *p)
{
	struct bridge *br = p->bridge;
	struct iface *ifp = p->ifp;
	const uint8_t *mac = br->generated_mac;

	ASSERT(!p->wire.pending && !p->host.pending);
	bridge_stp_leave(p);
	fdb_flush_port(&br->fdb, p->number, true);
	bridge_flaps_forget(br, p->number);
	br->fdb.ports[p->number] = (struct fdb_port){ 0 };
	TAILQ_REMOVE(&br->members, p, link);
	br->ports[p->number] = NULL;
	br->member_count--;
	br->own_stale = true;
	bridge_vlan_update(br);
	iface_stack_detach(ifp);
	iface_mask_caps(ifp, 0);
	bridge_caps_update(br);
	free(p);
	if (br->inherited == ifp && !br->ifp.dying) {
		p = first_addressed(br);
		br->inherited = p != NULL ? p->ifp : NULL;
		if (p != NULL)
			mac = p->ifp->mac;
		(void)iface_set_lladdr(&br->ifp, mac);
	}
	bridge_link_update(br);
	member_event(br, ifp, "left");
}

static void
member_detach(struct iface_stack *s, struct iface *ifp)
{
	(void)ifp;
	member_remove(CONTAINER_OF(s, struct bridge_port, stack));
}

static void
span_remove(struct bridge_port *p)
{
	struct bridge *br = p->bridge;
	struct iface *ifp = p->ifp;

	ASSERT(!p->wire.pending);
	TAILQ_REMOVE(&br->spans, p, link);
	iface_stack_detach(ifp);
	free(p);
	member_event(br, ifp, "no span port any more");
}

static void
span_detach(struct iface_stack *s, struct iface *ifp)
{
	(void)ifp;
	span_remove(CONTAINER_OF(s, struct bridge_port, stack));
}

void
bridge_remove_all(struct bridge *br)
{
	struct bridge_port *p, *next;

	TAILQ_FOREACH_SAFE (p, &br->members, link, next)
		member_remove(p);
	TAILQ_FOREACH_SAFE (p, &br->spans, link, next)
		span_remove(p);
}

static struct bridge_port *
port_new(struct bridge *br, struct iface *ifp)
{
	struct bridge_port *p = aligned_alloc(IFACE_ALIGN, sizeof(*p));

	if (p == NULL)
		return NULL;
	memset(p, 0, sizeof(*p));
	p->bridge = br;
	p->ifp = ifp;
	p->wire_host = (ifp->ops->kind_flags &
	                   (IFACE_KIND_HOST_IS_WIRE | IFACE_KIND_TUNNEL)) != 0;
	p->tunnel = (ifp->ops->kind_flags & IFACE_KIND_TUNNEL) != 0;
	bridge_stp_join(p);
	p->wire.ifp = ifp;
	p->host.ifp = ifp;
	p->host.to_host = true;
	p->vlan_proto = ETH_TYPE_VLAN;
	p->stack.kind = br->ifp.ops->kind;
	p->stack.master = &br->ifp;
	return p;
}

/* Room for one more port number and own address. */
static int
members_grow(struct bridge *br)
{
	uint32_t size = br->ports_size * 2;
	struct bridge_port **ports;

	if (own_reserve(br) < 0)
		return -ENOMEM;
	if (br->member_count + 1 < br->ports_size)
		return 0;
	if (fdb_reserve_ports(&br->fdb, size) < 0)
		return -ENOMEM;
	ports = realloc(br->ports, size * sizeof(struct bridge_port *));
	if (ports == NULL)
		return -ENOMEM;
	for (uint32_t i = br->ports_size; i < size; i++)
		ports[i] = NULL;
	br->ports = ports;
	br->ports_size = size;
	return 0;
}

/* The first member gives the bridge its MTU; the others get the bridge's. */
static int
member_mtu(struct bridge *br, struct iface *ifp)
{
	struct net *net = br->ifp.net;

	if (TAILQ_EMPTY(&br->members)) {
		if (iface_set_mtu_forced(&br->ifp, ifp->mtu) == 0)
			return 0;
	} else if (ifp->mtu == br->ifp.mtu) {
		return 0;
	} else if (bridge_tunable_get(bridge_vnet(br), BRIDGE_MTU_EXACT) != 0) {
		log_notice("%s: invalid MTU: %u(%s) != %u", br->ifp.name,
		    ifp->mtu, ifp->name, br->ifp.mtu);
		return net_error(net, -EINVAL,
		    "the MTU of %s is %u, that of %s %u "
		    "(net.link.bridge.mtu_exact)",
		    ifp->name, ifp->mtu, br->ifp.name, br->ifp.mtu);
	} else if (iface_set_mtu_forced(ifp, br->ifp.mtu) == 0) {
		return 0;
	}
	log_notice("%s: invalid MTU: %u for new member %s", br->ifp.name,
	    br->ifp.mtu, ifp->name);
	return net_error(net, -EINVAL,
	    "%s cannot have the MTU of %s, which is %u", ifp->name,
	    br->ifp.name, br->ifp.mtu);
}

/* Is it a vlan child of a bridge, however deep? */
static bool
is_svi(const struct iface *ifp)
{
	while ((ifp = ifp->parent) != NULL) {
		if (bridge_is(ifp))
			return true;
	}
	return false;
}

int
bridge_add(struct iface *bridge, struct iface *ifp)
{
	struct bridge *br = bridge_of(bridge);
	struct net *net = bridge->net;
	struct bridge_port *p;
	uint32_t number, mtu = ifp->mtu;
	bool first;
	int err;

	/* In FreeBSD's order. */
	if (bridge_is(ifp))
		return net_error(
		    net, -EINVAL, "a bridge cannot be a member of a bridge");
	if (is_svi(ifp))
		return net_error(net, -EINVAL,
		    "%s is a VLAN of a bridge and cannot be a member of one",
		    ifp->name);
	if (bridge_span(br, ifp) != NULL)
		return net_error(net, -EBUSY, "%s is a span port of %s",
		    ifp->name, bridge->name);
	if (bridge_member(br, ifp) != NULL)
		return net_error(net, -EEXIST, "%s is a member of %s already",
		    ifp->name, bridge->name);
	if (ifp->stack != NULL)
		return net_error(net, -EBUSY, "%s belongs to %s", ifp->name,
		    ifp->stack->master->name);
	if ((ifp->ops->kind_flags & IFACE_KIND_ETHERNET) == 0)
		return net_error(net, -EINVAL,
		    "interfaces of kind %s cannot be members", ifp->ops->kind);
	hostaddr_no_overlap(br, ifp);
	if (bridge_tunable_get(bridge_vnet(br), BRIDGE_MEMBER_IFADDRS) == 0 &&
	    (ifp->ops->kind_flags &
	        (IFACE_KIND_HOST_IS_WIRE | IFACE_KIND_TUNNEL)) == 0 &&
	    hostaddr_any(ifp))
		return net_error(net, -EINVAL,
		    "%s has an address (net.link.bridge.member_ifaddrs is 0)",
		    ifp->name);
	if (br->member_count >= BRIDGE_MEMBERS_MAX)
		return net_error(net, -ENOSPC, "%s has %u members",
		    bridge->name, br->member_count);
	if (members_grow(br) < 0)
		return -ENOMEM;
	p = port_new(br, ifp);
	if (p == NULL)
		return -ENOMEM;
	err = member_mtu(br, ifp);
	if (err < 0)
		goto out_free;

	for (number = 1; br->ports[number] != NULL; number++)
		;
	p->flags = BRIDGE_MEMBER_DEFAULT;
	bridge_vlan_join(p);
	p->number = number;
	p->stack.input = bridge_port_input;
	p->stack.host_output = bridge_port_host_output;
	p->stack.changed = port_changed;
	p->stack.mtu_check = port_mtu_check;
	p->stack.addr_check = port_addr_check;
	p->stack.host_gets = bridge_port_host_gets;
	p->stack.detach = member_detach;
	err = iface_stack_attach(ifp, &p->stack);
	if (err < 0)
		goto out_mtu;
	first = first_addressed(br) == NULL && !p->tunnel;
	TAILQ_INSERT_HEAD(&br->members, p, link);
	br->ports[number] = p;
	if (ifp->user != NULL) {
		br->fdb.ports[number].shared = &ifp->user->addresses;
		br->fdb.ports[number].shared_limit =
		    &ifp->net->user_limits.addresses;
	}
	br->member_count++;
	br->own_stale = true;
	bridge_vlan_update(br);
	bridge_caps_update(br);
	if (bridge_tunable_get(bridge_vnet(br), BRIDGE_INHERIT_MAC) != 0 &&
	    first && ether_equal(bridge->mac, br->generated_mac) &&
	    iface_set_lladdr(bridge, ifp->mac) == 0)
		br->inherited = ifp;
	bridge_link_update(br);
	member_event(br, ifp, "joined");
	return 0;

out_mtu:
	(void)iface_set_mtu_forced(ifp, mtu);
out_free:
	free(p);
	return err;
}

int
bridge_delete(struct iface *bridge, struct iface *ifp)
{
	struct bridge_port *p = bridge_member(bridge_of(bridge), ifp);

	if (p == NULL)
		return net_error(bridge->net, -ENOENT,
		    "%s is not a member of %s", ifp->name, bridge->name);
	member_remove(p);
	return 0;
}

int
bridge_span_add(struct iface *bridge, struct iface *ifp)
{
	struct bridge *br = bridge_of(bridge);
	struct net *net = bridge->net;
	struct bridge_port *p;
	int err;

	if (bridge_span(br, ifp) != NULL)
		return net_error(net, -EBUSY, "%s is a span port of %s already",
		    ifp->name, bridge->name);
	if (bridge_member(br, ifp) != NULL)
		return net_error(net, -EEXIST, "%s is a member of %s",
		    ifp->name, bridge->name);
	if (ifp->stack != NULL)
		return net_error(net, -EBUSY, "%s belongs to %s", ifp->name,
		    ifp->stack->master->name);
	if ((ifp->ops->kind_flags & IFACE_KIND_ETHERNET) == 0)
		return net_error(net, -EINVAL,
		    "interfaces of kind %s cannot be span ports",
		    ifp->ops->kind);
	p = port_new(br, ifp);
	if (p == NULL)
		return -ENOMEM;
	p->flags = BRIDGE_SPAN;
	p->stack.input = bridge_span_input;
	p->stack.host_gets = bridge_span_host_gets;
	p->stack.detach = span_detach;
	err = iface_stack_attach(ifp, &p->stack);
	if (err < 0) {
		free(p);
		return err;
	}
	TAILQ_INSERT_HEAD(&br->spans, p, link);
	member_event(br, ifp, "span port");
	return 0;
}

int
bridge_span_delete(struct iface *bridge, struct iface *ifp)
{
	struct bridge_port *p = bridge_span(bridge_of(bridge), ifp);

	if (p == NULL)
		return net_error(bridge->net, -ENOENT,
		    "%s is not a span port of %s", ifp->name, bridge->name);
	span_remove(p);
	return 0;
}

int
bridge_set_member_flags(
    struct iface *bridge, struct iface *ifp, uint32_t set, uint32_t clear)
{
	struct bridge_port *p = bridge_member(bridge_of(bridge), ifp);

	if (p == NULL)
		return net_error(bridge->net, -ENOENT,
		    "%s is not a member of %s", ifp->name, bridge->name);
	return bridge_stp_set_flags(p, set, clear);
}

/* All members get it, or none. */
int
bridge_set_mtu(struct iface *ifp, uint32_t mtu)
{
	struct bridge *br = bridge_of(ifp);
	struct bridge_port *p, *undo;
	int err;

	TAILQ_FOREACH (p, &br->members, link) {
		err = iface_set_mtu_forced(p->ifp, mtu);
		if (err == 0)
			continue;
		TAILQ_FOREACH (undo, &br->members, link) {
			if (undo == p)
				break;
			(void)iface_set_mtu_forced(undo->ifp, ifp->mtu);
		}
		return net_error(ifp->net, -EINVAL,
		    "member %s cannot have an MTU of %u", p->ifp->name, mtu);
	}
	return 0;
}
