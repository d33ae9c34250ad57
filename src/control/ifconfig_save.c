/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the words without a row of their own kind have set: name, host side,
 * vnet, bad wire, Ethernet address, addresses. See ifconfig_save().
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/ether.h"
#include "control/ifconfig_impl.h"
#include "control/info_json.h"
#include "net/impair.h"

/* The name that an interface of its kind and unit is born with. */
static bool
name_born(const struct iface *ifp)
{
	char name[IFACE_NAME_MAX];

	if (ifp->unit == IFACE_UNIT_NONE)
		return true;
	return net_unit_name(ifp->ops, ifp->unit, ifp->twin_letter, name) ==
	           0 &&
	       strcmp(name, ifp->name) == 0;
}

void
ifc_save_name(const struct iface *ifp, struct keyword_sink *s)
{
	if (!name_born(ifp) || s->all)
		keyword_put(s, "name %s", ifp->name);
}

void
ifc_save_host(const struct iface *ifp, struct keyword_sink *s)
{
	const struct net *net = ifp->net;

	if (net->system.host_attach == NULL)
		return;
	if (ifp->ops->set_host != NULL) {
		keyword_put_switch(s, "host", "", !ifp->host_taken, true);
		return;
	}
	keyword_put_switch(
	    s, "host", "", ifp->host != NULL, net->host_attach != 0);
}

void
ifc_save_vnet(const struct iface *ifp, struct keyword_sink *s)
{
	if (ifp->host != NULL && ifp->host->vnet != ifp->vnet)
		keyword_put(s, "vnet %s", ifp->host->vnet->name);
	else if (s->all)
		keyword_put(s, "-vnet");
}

void
ifc_save_ether(const struct iface *ifp, struct keyword_sink *s)
{
	char mac[ETH_ADDR_STRLEN];

	if (ifp->ops->lladdr_given == NULL || !ifp->ops->lladdr_given(ifp) ||
	    s->all)
		keyword_put(s, "ether %s", ether_format(ifp->mac, mac));
}

void
ifc_save_dhcp(const struct iface *ifp, struct keyword_sink *s)
{
	if (ifp->dhcp != IFACE_DHCP_OFF && ifp->host != NULL)
		keyword_put(
		    s, ifp->dhcp == IFACE_DHCP_SYNC ? "SYNCDHCP" : "DHCP");
	else if (s->all)
		keyword_put(s, "-DHCP");
}

void
ifc_save_impair(const struct iface *ifp, struct keyword_sink *s)
{
	static const char *const names[] = { "in", "out" };
	char text[IMPAIR_TEXT_MAX];

	for (int dir = IMPAIR_IN; dir <= IMPAIR_OUT; dir++) {
		const struct impair_config *c =
		    iface_impair_config(ifp, (enum impair_direction)dir);

		if (c != NULL)
			keyword_put(s, "impair %s %s", names[dir],
			    impair_format(c, s->all, text));
		else if (s->all)
			keyword_put(s, "-impair %s", names[dir]);
	}
}

json_t *
ifc_addresses(const struct iface *ifp)
{
	const struct net_system *sys = &ifp->net->system;
	json_t *o, *list;
	struct info_json j;

	if (ifp->host == NULL || sys->addr_list == NULL)
		return NULL;
	o = json_object();
	info_json_init(&j, o);
	sys->addr_list(sys->arg, ifp, &j.info);
	list = json_incref(json_object_get(o, "addresses"));
	json_decref(o);
	return list;
}

/* Is @broadcast what an address of that length gets by itself? */
static bool
broadcast_given(const char *addr, uint32_t prefixlen, const char *broadcast)
{
	char text[INET_ADDRSTRLEN];
	struct in_addr in;

	if (prefixlen > 30 || inet_pton(AF_INET, addr, &in) != 1)
		return false;
	in.s_addr |= htonl((uint32_t)(0xffffffffu >> prefixlen));
	return inet_ntop(AF_INET, &in, text, sizeof(text)) != NULL &&
	       strcmp(text, broadcast) == 0;
}

/* "inet ADDR/LEN", perhaps the far end, perhaps a broadcast address; all but
 * the first of IPv4 are aliases. */
static void
put_address(
    const json_t *a, const char *family, bool alias, struct keyword_sink *s)
{
	const char *addr = json_string_value(json_object_get(a, "address"));
	const char *dst = json_string_value(json_object_get(a, "destination"));
	const char *broadcast =
	    json_string_value(json_object_get(a, "broadcast"));
	uint32_t len =
	    (uint32_t)json_integer_value(json_object_get(a, "prefixlen"));

	if (addr == NULL)
		return;
	if (broadcast != NULL && broadcast_given(addr, len, broadcast))
		broadcast = NULL;
	keyword_put(s, "%s %s/%u%s%s%s%s%s", family, addr, len,
	    dst != NULL ? " " : "", dst != NULL ? dst : "",
	    broadcast != NULL ? " broadcast " : "",
	    broadcast != NULL ? broadcast : "", alias ? " alias" : "");
}

static void
save_addresses(
    const struct iface *ifp, const char *family, struct keyword_sink *s)
{
	json_t *list = ifc_addresses(ifp), *a;
	bool alias = strcmp(family, "inet6") == 0;
	const char *f;
	size_t i;

	/* Those of an adopted netdev are its host's affair. */
	if ((ifp->ops->kind_flags & IFACE_KIND_ADOPTED) != 0 && !s->transient) {
		json_decref(list);
		return;
	}

	json_array_foreach(list, i, a)
	{
		f = json_string_value(json_object_get(a, "family"));
		if (f == NULL || strcmp(f, family) != 0 ||
		    (json_is_true(json_object_get(a, "dynamic")) &&
		        !s->transient))
			continue;
		put_address(a, family, alias, s);
		alias = true;
	}
	json_decref(list);
}

void
ifc_save_inet(const struct iface *ifp, struct keyword_sink *s)
{
	save_addresses(ifp, "inet", s);
}

void
ifc_save_inet6(const struct iface *ifp, struct keyword_sink *s)
{
	save_addresses(ifp, "inet6", s);
}
