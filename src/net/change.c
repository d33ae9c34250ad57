/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes of an interface: flags, MTU, addresses, link, groups, its stack user.
 *
 * A change is told in one order: the driver (ops->changed), the stack user, the
 * host, then an event.  What the driver itself changes while it is told (up
 * makes a feth RUNNING) is added to the same round, so nobody sees half of it.
 * While an interface is being created nothing is told.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/ether.h"
#include "base/str.h"
#include "net/impair.h"
#include "net/net.h"

static void
changed_outside(struct iface *ifp, uint32_t what)
{
	struct net_event ev = {
		.ifp = ifp,
		.vlan = -1,
		.what = what,
	};

	if (ifp->stack != NULL && ifp->stack->changed != NULL)
		ifp->stack->changed(ifp->stack, ifp, what);
	if (ifp->host != NULL && ifp->host->changed != NULL)
		ifp->host->changed(ifp->host, ifp, what);
	if (ifp->vlans != NULL)
		ifp->vlans->changed(ifp, what);
	if (ifp->impair != NULL)
		impair_changed(ifp, what);
	if ((what & IFACE_CHANGED_LINK) != 0) {
		ev.type = NET_EVENT_LINK;
		ev.value = ifp->link;
		net_emit(ifp->net, &ev);
	}
	if ((what & ~IFACE_CHANGED_LINK) != 0) {
		ev.type = NET_EVENT_CHANGE;
		ev.value = 0;
		net_emit(ifp->net, &ev);
	}
}

/* By a command: the driver is told too. */
static void
changed(struct iface *ifp, uint32_t what)
{
	if (!ifp->born || ifp->dying)
		return;
	if (ifp->changing) {
		ifp->changed |= what;
		return;
	}
	if (ifp->ops->changed != NULL) {
		ifp->changing = true;
		ifp->changed = 0;
		ifp->ops->changed(ifp, what);
		ifp->changing = false;
		what |= ifp->changed;
	}
	changed_outside(ifp, what);
}

void
iface_changed(struct iface *ifp, uint32_t what)
{
	changed(ifp, what);
}

/* By the driver, which knows. */
static void
changed_by_driver(struct iface *ifp, uint32_t what)
{
	if (!ifp->born || ifp->dying)
		return;
	if (ifp->changing)
		ifp->changed |= what;
	else
		changed_outside(ifp, what);
}

int
iface_set_flags(struct iface *ifp, uint32_t set, uint32_t clear)
{
	uint32_t flags = (ifp->flags & ~clear) | set;

	if (flags == ifp->flags)
		return 0;
	ifp->flags = flags;
	changed(ifp, IFACE_CHANGED_FLAGS);
	return 0;
}

int
iface_set_nd6(struct iface *ifp, uint32_t set, uint32_t clear)
{
	iface_restore_nd6(
	    ifp, (ifp->nd6 & ~clear) | set, ifp->nd6_said | set | clear);
	return 0;
}

int
iface_set_dhcp(struct iface *ifp, uint32_t mode)
{
	const struct net_system *sys = &ifp->net->system;
	int err = 0;

	if (mode == ifp->dhcp)
		return mode == IFACE_DHCP_OFF
		           ? 0
		           : iface_set_flags(ifp, IFACE_UP, 0);
	if (mode != IFACE_DHCP_OFF &&
	    (ifp->ops->kind_flags & IFACE_KIND_NO_ADDRESS) != 0)
		return net_error(ifp->net, -EOPNOTSUPP,
		    "%s has no Ethernet address", ifp->name);
	if (mode != IFACE_DHCP_OFF && ifp->host == NULL)
		return net_error(ifp->net, -EADDRNOTAVAIL,
		    "%s has no host side; give it one: ifconfig %s host",
		    ifp->name, ifp->name);
	if (mode != IFACE_DHCP_OFF)
		err = sys->dhcp_check != NULL ? sys->dhcp_check(sys->arg, ifp)
		                              : -EOPNOTSUPP;
	if (err != 0)
		return err;
	if (mode != IFACE_DHCP_OFF)
		err = iface_set_flags(ifp, IFACE_UP, 0);
	if (err != 0)
		return err;
	ifp->dhcp = (uint8_t)mode;
	changed(ifp, IFACE_CHANGED_DHCP);
	return 0;
}

void
iface_restore_nd6(struct iface *ifp, uint32_t nd6, uint32_t said)
{
	if (nd6 == ifp->nd6 && said == ifp->nd6_said)
		return;
	ifp->nd6 = nd6;
	ifp->nd6_said = said;
	changed(ifp, IFACE_CHANGED_ND6);
}

static int
mtu_set(struct iface *ifp, uint32_t mtu, bool ask)
{
	int err;

	if (mtu < ifp->ops->mtu_min || mtu > ifp->ops->mtu_max)
		return -EINVAL;
	if (ask && ifp->stack != NULL && ifp->stack->mtu_check != NULL) {
		err = ifp->stack->mtu_check(ifp->stack, ifp, mtu);
		if (err != 0)
			return err;
	}
	if (mtu == ifp->mtu)
		return 0;
	if (ifp->ops->set_mtu != NULL) {
		err = ifp->ops->set_mtu(ifp, mtu);
		if (err != 0)
			return err;
	}
	ifp->mtu = mtu;
	changed(ifp, IFACE_CHANGED_MTU);
	return 0;
}

int
iface_set_mtu(struct iface *ifp, uint32_t mtu)
{
	return mtu_set(ifp, mtu, true);
}

int
iface_set_mtu_forced(struct iface *ifp, uint32_t mtu)
{
	return mtu_set(ifp, mtu, false);
}

int
iface_set_lladdr(struct iface *ifp, const uint8_t mac[6])
{
	int err;

	if (ether_is_multicast(mac) || ether_is_zero(mac))
		return -EINVAL;
	if (ether_equal(mac, ifp->mac))
		return 0;
	if (ifp->ops->set_lladdr != NULL) {
		err = ifp->ops->set_lladdr(ifp, mac);
		if (err != 0)
			return err;
	}
	ether_copy(ifp->mac, mac);
	net_lladdr_placed(ifp);
	changed(ifp, IFACE_CHANGED_LLADDR);
	return 0;
}

int
iface_set_descr(struct iface *ifp, const char *descr)
{
	int err;

	if (strcmp(ifp->descr, descr) == 0)
		return 0;
	err = str_copy(ifp->descr, sizeof(ifp->descr), descr);
	if (err != 0)
		return err;
	changed(ifp, IFACE_CHANGED_DESCR);
	return 0;
}

/* The place of a group, or group_count. */
static uint32_t
group_place(const struct iface *ifp, const char *group)
{
	uint32_t i;

	for (i = 0; i < ifp->group_count; i++) {
		if (strcmp(ifp->groups[i], group) == 0)
			break;
	}
	return i;
}

bool
iface_group_has(const struct iface *ifp, const char *group)
{
	return strcmp(group, "all") == 0 ||
	       group_place(ifp, group) < ifp->group_count;
}

int
iface_group_add(struct iface *ifp, const char *group)
{
	size_t len = strlen(group);

	/* A digit at the end would make it look like an interface. */
	if (len == 0 || len >= IFACE_NAME_MAX ||
	    isdigit((unsigned char)group[len - 1]))
		return -EINVAL;
	if (iface_group_has(ifp, group))
		return -EEXIST;
	if (ifp->group_count == IFACE_GROUPS_MAX)
		return -ENOMEM;
	memcpy(ifp->groups[ifp->group_count++], group, len + 1);
	changed(ifp, IFACE_CHANGED_DESCR);
	return 0;
}

int
iface_group_del(struct iface *ifp, const char *group)
{
	uint32_t i = group_place(ifp, group);

	if (i == ifp->group_count)
		return -ENOENT;
	ifp->group_count--;
	memmove(ifp->groups[i], ifp->groups[i + 1],
	    (ifp->group_count - i) * sizeof(ifp->groups[0]));
	changed(ifp, IFACE_CHANGED_DESCR);
	return 0;
}

void
iface_set_link(struct iface *ifp, enum iface_link link)
{
	if (ifp->link == link)
		return;
	ifp->link = link;
	if (link == IFACE_LINK_UP)
		ifp->flags |= IFACE_LOWER_UP;
	else
		ifp->flags &= ~IFACE_LOWER_UP;
	ifp->link_changed_ns = ifp->net->now_ns;
	changed_by_driver(ifp, IFACE_CHANGED_LINK);
}

void
iface_set_running(struct iface *ifp, bool running)
{
	if (((ifp->flags & IFACE_RUNNING) != 0) == running)
		return;
	ifp->flags ^= IFACE_RUNNING;
	changed_by_driver(ifp, IFACE_CHANGED_FLAGS);
}

void
iface_set_caps(struct iface *ifp, uint32_t caps)
{
	if (ifp->caps_taken == caps)
		return;
	ifp->caps_taken = caps;
	ifp->caps = caps & ~ifp->caps_off;
	changed_by_driver(ifp, IFACE_CHANGED_CAPS);
}

static void
caps_masked(struct iface *ifp)
{
	uint32_t off = ifp->caps_off_bridge | ifp->caps_off_user;

	if (ifp->caps_off == off)
		return;
	ifp->caps_off = off;
	ifp->caps = ifp->caps_taken & ~off;
	changed_by_driver(ifp, IFACE_CHANGED_CAPS);
}

void
iface_mask_caps(struct iface *ifp, uint32_t off)
{
	ifp->caps_off_bridge = off;
	caps_masked(ifp);
}

void
iface_switch_caps(struct iface *ifp, uint32_t caps, bool on)
{
	if (on)
		ifp->caps_off_user &= ~caps;
	else
		ifp->caps_off_user |= caps;
	caps_masked(ifp);
}

void
iface_vlans_changed(struct iface *parent)
{
	if (parent->born && !parent->dying && parent->ops->changed != NULL)
		parent->ops->changed(parent, IFACE_CHANGED_VLANS);
}

int
iface_stack_attach(struct iface *ifp, struct iface_stack *stack)
{
	if (ifp->stack != NULL || ifp->dying)
		return -EBUSY;
	ifp->stack = stack;
	changed(ifp, IFACE_CHANGED_STACK);
	return 0;
}

void
iface_stack_detach(struct iface *ifp)
{
	if (ifp->stack == NULL)
		return;
	ifp->stack = NULL;
	changed(ifp, IFACE_CHANGED_STACK);
}
