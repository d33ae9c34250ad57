/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses that the host has given to a bridge and its members: whether there
 * are any, and the scope rule of IPv6.
 *
 * A link-local scope zone is one link (RFC 4007, section 5), and bridging makes
 * one link of several. So where a bridge has a link-local address, a member
 * that joins loses its IPv6 addresses, and so do members that have a link-local
 * one: unless net.link.bridge.allow_llz_overlap says that overlapping zones are
 * wanted. Only members whose host side is where the bridge's is are concerned;
 * a vether's host is a station of its own.
 *
 * Source: FreeBSD if_bridge(4); it removes all IPv6 addresses likewise.
 */
#include <stdio.h>
#include <string.h>

#include "bridge/bridge_impl.h"
#include "net/info.h"

#define ADDRESS_MAX 64 /* "ADDRESS/LENGTH" */
#define PER_ROUND   16u
#define ROUNDS_MAX  64u /* more is not taken away: nobody has so many */

/* A sink for net_system.addr_list. */
struct addresses {
	struct info info;
	uint32_t count, inet6; /* all; IPv6's */
	bool linklocal;
	/* Of the object that is being read. */
	bool is_inet6;
	char address[48];
	uint64_t prefixlen;
	/* IPv6's, as addr_del takes them. */
	char list[PER_ROUND][ADDRESS_MAX];
};

static void
read_str(struct info *i, const char *key, const char *value)
{
	struct addresses *a = CONTAINER_OF(i, struct addresses, info);

	if (key != NULL && strcmp(key, "family") == 0)
		a->is_inet6 = strcmp(value, "inet6") == 0;
	else if (key != NULL && strcmp(key, "address") == 0)
		snprintf(a->address, sizeof(a->address), "%s", value);
}

static void
read_u64(struct info *i, const char *key, uint64_t value)
{
	struct addresses *a = CONTAINER_OF(i, struct addresses, info);

	if (key != NULL && strcmp(key, "prefixlen") == 0)
		a->prefixlen = value;
	else if (key != NULL && strcmp(key, "scopeid") == 0)
		a->linklocal = true; /* others have none */
}

static void
read_i64(struct info *i, const char *key, int64_t value)
{
	(void)i, (void)key, (void)value;
}

static void
read_boolean(struct info *i, const char *key, bool value)
{
	(void)i, (void)key, (void)value;
}

static void
read_null(struct info *i, const char *key)
{
	(void)i, (void)key;
}

static void
read_object(struct info *i, const char *key)
{
	struct addresses *a = CONTAINER_OF(i, struct addresses, info);

	(void)key;
	a->count++;
	a->is_inet6 = false;
	a->address[0] = '\0';
	a->prefixlen = 0;
}

/* Of a list, or of an address, which has one inside. */
static void
read_end(struct info *i)
{
	struct addresses *a = CONTAINER_OF(i, struct addresses, info);

	if (!a->is_inet6 || a->address[0] == '\0')
		return;
	if (a->inet6 < PER_ROUND)
		snprintf(a->list[a->inet6], ADDRESS_MAX, "%s/%u", a->address,
		    (unsigned int)a->prefixlen);
	a->inet6++;
	a->address[0] = '\0'; /* told */
}

static bool
read_addresses(const struct iface *ifp, struct addresses *a)
{
	const struct net_system *system = &ifp->net->system;

	*a = (struct addresses){
		.info = {
			.str = read_str,
			.u64 = read_u64,
			.i64 = read_i64,
			.boolean = read_boolean,
			.null = read_null,
			.begin_object = read_object,
			.begin_list = read_null,
			.end = read_end,
		},
	};
	return ifp->host != NULL && system->addr_list != NULL &&
	       system->addr_list(system->arg, ifp, &a->info) == 0;
}

bool
hostaddr_any(const struct iface *ifp)
{
	struct addresses a;

	return read_addresses(ifp, &a) && a.count != 0;
}

/* Takes all IPv6 addresses off @ifp; true if there were any. */
static bool
strip(struct iface *ifp)
{
	const struct net_system *system = &ifp->net->system;
	struct addresses a;
	bool any = false;

	if (system->addr_del == NULL)
		return false;
	for (uint32_t round = 0; round < ROUNDS_MAX; round++) {
		uint32_t gone = 0;

		if (!read_addresses(ifp, &a) || a.inet6 == 0)
			break;
		for (uint32_t i = 0; i < COAX_MIN(a.inet6, PER_ROUND); i++)
			gone +=
			    system->addr_del(system->arg, ifp, a.list[i]) == 0;
		if (gone == 0)
			break;
		any = true;
	}
	return any;
}

static void
told(struct bridge *br, struct iface *ifp, const char *when)
{
	char text[200];

	snprintf(text, sizeof(text),
	    "IPv6 addresses on %s have been removed %sto prevent IPv6 address "
	    "scope violation.",
	    ifp->name, when);
	net_notice(br->ifp.net, &br->ifp, "%s", text);
}

void
hostaddr_no_overlap(struct bridge *br, struct iface *joins)
{
	struct vnet *where = net_host_vnet(&br->ifp);
	struct bridge_port *p;
	struct addresses a;

	if (bridge_tunable_get(bridge_vnet(br), BRIDGE_ALLOW_LLZ_OVERLAP) !=
	        0 ||
	    !read_addresses(&br->ifp, &a) || !a.linklocal)
		return;
	TAILQ_FOREACH (p, &br->members, link) {
		if (p->wire_host || net_host_vnet(p->ifp) != where)
			continue;
		if (read_addresses(p->ifp, &a) && a.linklocal && strip(p->ifp))
			told(br, p->ifp, "");
	}
	if ((joins->ops->kind_flags & IFACE_KIND_HOST_IS_WIRE) == 0 &&
	    net_host_vnet(joins) == where && strip(joins))
		told(br, joins, "before adding it as a member ");
}
