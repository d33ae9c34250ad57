/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interfaces come and go: names, unit numbers, creation, destruction, search.
 *
 * Names, units, indexes and addresses stand in hash tables.  A name is taken in
 * the vnet that it belongs to and in the one where the host side is; so two
 * interfaces of one name can stand in the table, in different vnets.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ether.h"
#include "base/hash.h"
#include "base/str.h"
#include "net/impair.h"
#include "net/net.h"

static struct iface_bucket *
bucket(struct net *net, const char *name)
{
	uint64_t h = hash_bytes(net->hash_seed, name, strlen(name));

	return &net->names[h % NET_BUCKETS];
}

static bool
is_in(const struct iface *ifp, const struct vnet *vnet)
{
	if (vnet == NULL)
		vnet = ifp->net->home;
	return ifp->vnet == vnet ||
	       (ifp->host != NULL && ifp->host->vnet == vnet);
}

bool
net_iface_visible(const struct iface *ifp, const struct vnet *vnet)
{
	return is_in(ifp, vnet) && net_access(ifp) != NET_ACCESS_NONE;
}

static struct iface *
find_in(struct net *net, const struct vnet *vnet, const char *name,
    const struct iface *but)
{
	struct iface *ifp;

	LIST_FOREACH (ifp, bucket(net, name), name_link) {
		if (ifp != but && strcmp(ifp->name, name) == 0 &&
		    is_in(ifp, vnet))
			return ifp;
	}
	return NULL;
}

bool
net_name_taken(struct net *net, const struct vnet *vnet, const char *name,
    const struct iface *but)
{
	return find_in(net, vnet, name, but) != NULL;
}

static struct iface_bucket *
lladdr_bucket(struct net *net, const uint8_t mac[6])
{
	uint64_t h = hash_bytes(net->hash_seed, mac, 6);

	return &net->lladdrs[h % NET_BUCKETS];
}

bool
net_lladdr_taken(const struct iface *but, const uint8_t mac[6])
{
	const struct iface *ifp;

	LIST_FOREACH (ifp, lladdr_bucket(but->net, mac), lladdr_link) {
		if (ifp != but && ether_equal(ifp->mac, mac))
			return true;
	}
	return false;
}

void
net_lladdr_choose(const struct iface *ifp, uint32_t prefix, uint8_t mac[6])
{
	uint64_t chosen = (uint64_t)prefix << 24;

	do
		u64_to_mac(chosen | (net_random(ifp->net) & 0xffffff), mac);
	while (net_lladdr_taken(ifp, mac));
}

void
net_lladdr_placed(struct iface *ifp)
{
	if (!ifp->born)
		return; /* iface_new() does it */
	LIST_REMOVE(ifp, lladdr_link);
	LIST_INSERT_HEAD(lladdr_bucket(ifp->net, ifp->mac), ifp, lladdr_link);
}

/* One that is being destroyed has its name still, but is nobody's any more. */
static struct iface *
living(struct iface *ifp)
{
	return ifp == NULL || ifp->dying || net_access(ifp) == NET_ACCESS_NONE
	           ? NULL
	           : ifp;
}

struct iface *
net_iface_find(struct net *net, const struct vnet *vnet, const char *name)
{
	const char *at = strchr(name, '@');
	char plain[IFACE_NAME_MAX];

	if (vnet == NULL)
		vnet = net->home;
	if (at == NULL)
		return living(find_in(net, vnet, name, NULL));
	if (vnet != net->home || (size_t)(at - name) >= sizeof(plain))
		return NULL;
	memcpy(plain, name, (size_t)(at - name));
	plain[at - name] = '\0';
	vnet = net_vnet_find(net, at + 1);
	return vnet == NULL ? NULL : living(find_in(net, vnet, plain, NULL));
}

const char *
net_iface_name_in(const struct iface *ifp, const struct vnet *vnet,
    char text[NET_IFACE_TEXT_MAX])
{
	bool plain = vnet != ifp->net->home || net_iface_visible(ifp, vnet);

	snprintf(text, NET_IFACE_TEXT_MAX, "%s%s%s", ifp->name,
	    plain ? "" : "@", plain ? "" : ifp->vnet->name);
	return text;
}

bool
net_iface_can_name(const struct iface *who, const struct iface *ifp)
{
	char text[NET_IFACE_TEXT_MAX];
	const struct iface *found;

	(void)net_iface_name_in(ifp, who->vnet, text);
	found = net_iface_find(who->net, who->vnet, text);
	if (found == NULL)
		found = net_iface_find(who->net, net_host_vnet(who), text);
	return found == ifp;
}

struct iface *
net_iface_by_index(struct net *net, uint32_t index)
{
	struct iface *ifp;

	LIST_FOREACH (ifp, &net->indexes[index % NET_BUCKETS], index_link) {
		if (ifp->index == index)
			return living(ifp);
	}
	return NULL;
}

/* The unit in what was asked for, or -1: digits only, no leading zero. */
static int64_t
unit_asked(const struct iface_ops *ops, const char *name)
{
	size_t len = strlen(ops->kind);
	uint32_t unit;

	if (strncmp(name, ops->kind, len) != 0)
		return -1;
	name += len;
	if (name[0] == '0' && name[1] != '\0')
		return -1;
	if (str_u32(name, 10, ops->unit_min, ops->unit_max, &unit) != 0)
		return -1;
	return unit;
}

/* The unit in an interface's name, or -1: a twin's has a letter behind it. */
static int64_t
unit_of(const struct iface_ops *ops, const char *name)
{
	char plain[IFACE_NAME_MAX];
	size_t len = strlen(name);

	if (ops->twins == NULL)
		return unit_asked(ops, name);
	if (len == 0 || strchr(ops->twins, name[len - 1]) == NULL)
		return -1;
	memcpy(plain, name, len - 1);
	plain[len - 1] = '\0';
	return unit_asked(ops, plain);
}

int
net_unit_name(const struct iface_ops *ops, uint32_t unit, char letter,
    char name[IFACE_NAME_MAX])
{
	const char end[2] = { letter, '\0' };
	int n = snprintf(name, IFACE_NAME_MAX, "%s%u%s", ops->kind, unit, end);

	return n >= IFACE_NAME_MAX ? -ENAMETOOLONG : 0;
}

/* What the names of a unit end in, a letter each; "" for nothing, once. */
static const char *
letters_of(const struct iface_ops *ops)
{
	return ops->twins != NULL ? ops->twins : "";
}

bool
net_unit_taken(const struct net *net, const struct vnet *vnet,
    const struct iface_ops *ops, uint32_t unit, const struct iface *but)
{
	const struct iface *ifp;

	LIST_FOREACH (ifp, &net->units[unit % NET_BUCKETS], unit_link) {
		if (ifp != but && (but == NULL || ifp != but->twin) &&
		    ifp->vnet == vnet && ifp->ops == ops && ifp->unit == unit)
			return true;
	}
	return false;
}

struct iface *
net_unit_find(const struct net *net, const struct vnet *vnet,
    const struct iface_ops *ops, uint32_t unit)
{
	struct iface *ifp, *found = NULL;

	LIST_FOREACH (ifp, &net->units[unit % NET_BUCKETS], unit_link) {
		if (ifp->vnet == vnet && ifp->ops == ops && ifp->unit == unit &&
		    !ifp->dying &&
		    (found == NULL || ifp->twin_letter < found->twin_letter))
			found = ifp;
	}
	return found;
}

bool
net_unit_elsewhere(const struct iface *ifp)
{
	const struct iface *o;

	LIST_FOREACH (o, &ifp->net->units[ifp->unit % NET_BUCKETS], unit_link) {
		if (o != ifp && o->ops == ifp->ops && o->unit == ifp->unit)
			return true;
	}
	return false;
}

void
net_unit_set(struct iface *ifp, uint32_t unit)
{
	struct iface_bucket *units = ifp->net->units;

	if (ifp->unit != IFACE_UNIT_NONE)
		LIST_REMOVE(ifp, unit_link);
	ifp->unit = unit;
	if (unit != IFACE_UNIT_NONE)
		LIST_INSERT_HEAD(&units[unit % NET_BUCKETS], ifp, unit_link);
}

/* Has the host a netdev of that name which is not ours? */
static bool
host_has(struct net *net, struct vnet *vnet, const struct iface_ops *ops,
    uint32_t unit)
{
	const char *letter = letters_of(ops);
	char name[IFACE_NAME_MAX];
	bool taken = false;

	if (net->system.host_name_taken == NULL)
		return false;
	do {
		taken =
		    net_unit_name(ops, unit, *letter, name) == 0 &&
		    net->system.host_name_taken(net->system.arg, vnet, name);
	} while (!taken && *letter != '\0' && *++letter != '\0');
	return taken;
}

/*
 * One walk marks what is taken, by a unit or by a name.  Each interface marks
 * two at most, so among the first 2n + 1 one is free; beyond them all are,
 * but for the host's.
 */
int
net_unit_free(struct net *net, struct vnet *vnet, const struct iface_ops *ops,
    const struct iface *but, bool host, uint32_t *in_out)
{
	uint32_t room = 2 * net->iface_count + 1;
	const struct iface *ifp;
	int64_t unit;
	uint32_t lowest = COAX_MAX(*in_out, ops->unit_min);
	bool *taken;

	taken = calloc(room, sizeof(*taken));
	if (taken == NULL)
		return -ENOMEM;
	TAILQ_FOREACH (ifp, &net->ifaces, all_link) {
		if (ifp == but || (but != NULL && ifp == but->twin))
			continue;
		if (ifp->vnet == vnet && ifp->ops == ops && ifp->unit < room)
			taken[ifp->unit] = true;
		if (!is_in(ifp, vnet))
			continue;
		unit = unit_of(ops, ifp->name);
		if (unit >= 0 && unit < room)
			taken[unit] = true;
	}
	while (lowest <= ops->unit_max &&
	       ((lowest < room && taken[lowest]) ||
	           (host && host_has(net, vnet, ops, lowest))))
		lowest++;
	free(taken);
	if (lowest > ops->unit_max)
		return -ENFILE;
	*in_out = lowest;
	return 0;
}

/* Does a kind take @name as it is? */
static int
kind_match(const struct net *net, const struct vnet *vnet, const char *name,
    const struct iface_ops **out)
{
	const struct iface_ops *const *k;
	int match = 0;

	for (k = net->kinds; match == 0 && k != NULL && *k != NULL; k++) {
		if ((*k)->name_match == NULL)
			continue;
		match =
		    (*k)->name_match((struct net *)(uintptr_t)net, vnet, name);
		*out = *k;
	}
	return match;
}

int
net_kind_of_name(const struct net *net, const struct vnet *vnet,
    const char *name, const struct iface_ops **out)
{
	const struct iface_ops *ops = NULL;
	char kind[IFACE_NAME_MAX];
	size_t len = strcspn(name, "0123456789");
	int match = kind_match(net, vnet, name, &ops);

	if (match < 0)
		return match;
	if (match == 0) {
		if (len == 0 || len >= sizeof(kind))
			return -EINVAL;
		memcpy(kind, name, len);
		kind[len] = '\0';
		ops = net_kind(net, kind);
	}
	if (ops == NULL ||
	    (ops->kind_flags & (IFACE_KIND_NO_CLONE | IFACE_KIND_ADOPTED)) != 0)
		return -EINVAL;
	*out = ops;
	return match;
}

/* The unit that @name asks for, checked to be free. */
static int
unit_choose(struct net *net, struct vnet *vnet, const struct iface_ops *ops,
    const char *name, uint32_t *out)
{
	const char *letter = letters_of(ops);
	char full[IFACE_NAME_MAX];
	int64_t unit;

	*out = 0;
	if (strcmp(name, ops->kind) == 0)
		return net_unit_free(
		    net, vnet, ops, NULL, net_host_wanted(net, vnet), out);
	unit = unit_asked(ops, name);
	if (unit < 0 && unit_of(ops, name) >= 0)
		return net_error(net, -EINVAL,
		    "interfaces of kind %s are made in pairs: create %s%lld",
		    ops->kind, ops->kind, (long long)unit_of(ops, name));
	if (unit < 0)
		return -EINVAL;
	do {
		if (net_unit_name(ops, (uint32_t)unit, *letter, full) != 0)
			return -EINVAL;
		if (net_name_taken(net, vnet, full, NULL))
			return -EEXIST;
	} while (*letter != '\0' && *++letter != '\0');
	if (net_unit_taken(net, vnet, ops, (uint32_t)unit, NULL))
		return net_error(net, -EEXIST,
		    "unit %u of %s lives under another name", (uint32_t)unit,
		    ops->kind);
	*out = (uint32_t)unit;
	return 0;
}

static void
list_in(struct iface *ifp)
{
	struct net *net = ifp->net;

	TAILQ_INSERT_TAIL(&net->ifaces, ifp, all_link);
	LIST_INSERT_HEAD(bucket(net, ifp->name), ifp, name_link);
	LIST_INSERT_HEAD(
	    &net->indexes[ifp->index % NET_BUCKETS], ifp, index_link);
	net->iface_count++;
}

static void
list_out(struct iface *ifp)
{
	struct net *net = ifp->net;

	if (ifp->ready) {
		TAILQ_REMOVE(&net->ready, ifp, ready_link);
		net->ready_count--;
		ifp->ready = false;
	}
	if (ifp->flush_later) {
		TAILQ_REMOVE(&net->flushing, ifp, flush_link);
		ifp->flush_later = false;
	}
	LIST_REMOVE(ifp, name_link);
	LIST_REMOVE(ifp, index_link);
	if (ifp->born)
		LIST_REMOVE(ifp, lladdr_link);
	net_unit_set(ifp, IFACE_UNIT_NONE);
	TAILQ_REMOVE(&net->ifaces, ifp, all_link);
	net->iface_count--;
	net->iface_gone++;
}

/* One interface, whose name and unit are free.  @twin: the first of the two
 * that belong together, or NULL. */
static int
iface_new(struct net *net, struct vnet *vnet, const struct iface_ops *ops,
    const char *name, uint32_t unit, struct iface *twin, struct iface **out)
{
	struct net_event ev = { .type = NET_EVENT_CREATE, .vlan = -1 };
	struct iface *ifp;
	int err;

	if (net->iface_count >= NET_IFACES_MAX)
		return net_error(
		    net, -ENFILE, "there are %u interfaces", net->iface_count);
	ASSERT(ops->size >= sizeof(*ifp) && ops->size % IFACE_ALIGN == 0);
	ifp = aligned_alloc(IFACE_ALIGN, ops->size);
	if (ifp == NULL)
		return -ENOMEM;
	memset(ifp, 0, ops->size);
	if (str_copy(ifp->name, sizeof(ifp->name), name) != 0) {
		free(ifp);
		return -EINVAL;
	}
	ifp->ops = ops;
	ifp->net = net;
	ifp->vnet = vnet;
	ifp->unit = IFACE_UNIT_NONE;
	if (ops->twins != NULL)
		ifp->twin_letter = ops->twins[twin != NULL];
	ifp->flags = ops->flags != 0
	                 ? ops->flags
	                 : IFACE_BROADCAST | IFACE_SIMPLEX | IFACE_MULTICAST;
	ifp->mtu = ops->mtu_default;
	ifp->index = net->next_index++;
	ifp->created_ns = net->now_ns;
	ifp->link_changed_ns = net->now_ns;
	(void)iface_group_add(ifp, ops->kind);
	err = net_user_take(ifp);
	if (err != 0) {
		free(ifp);
		return err;
	}
	net_unit_set(ifp, unit);
	list_in(ifp);
	ifp->twin = twin;
	err = ops->create(ifp);
	if (err != 0) {
		list_out(ifp);
		net_user_give(ifp);
		free(ifp);
		return err;
	}
	if (twin != NULL)
		twin->twin = ifp;
	ifp->caps_taken = ifp->caps;
	ifp->born = true;
	LIST_INSERT_HEAD(lladdr_bucket(net, ifp->mac), ifp, lladdr_link);
	ev.ifp = ifp;
	net_emit(net, &ev);
	*out = ifp;
	return 0;
}

int
net_iface_create(
    struct net *net, struct vnet *vnet, const char *name, struct iface **out)
{
	const struct iface_ops *ops;
	struct iface *ifp, *second;
	uint32_t unit = IFACE_UNIT_NONE;
	char full[IFACE_NAME_MAX];
	bool own_name;
	int err;

	if (vnet == NULL)
		vnet = net->home;
	err = net_kind_of_name(net, vnet, name, &ops);
	if (err < 0)
		return err;
	own_name = err > 0;
	if (vnet->dead)
		return -ENXIO;
	if (!net_is_admin(net) && (ops->kind_flags & IFACE_KIND_USERS) == 0)
		return net_error(net, -EPERM,
		    "interfaces of kind %s are made by administrators",
		    ops->kind);
	if (own_name)
		err = net_name_taken(net, vnet, name, NULL) ? -EEXIST : 0;
	else
		err = unit_choose(net, vnet, ops, name, &unit);
	if (err != 0)
		return err;
	if (!own_name) {
		if (net_unit_name(ops, unit, letters_of(ops)[0], full) != 0)
			return -EINVAL;
		name = full;
	}
	err = iface_new(net, vnet, ops, name, unit, NULL, &ifp);
	if (err != 0 || ops->twins == NULL)
		goto out;
	err = net_unit_name(ops, unit, ops->twins[1], full);
	if (err == 0)
		err = iface_new(net, vnet, ops, full, unit, ifp, &second);
	if (err != 0)
		(void)net_iface_destroy(ifp, NULL);
out:
	if (err == 0)
		*out = ifp;
	return err;
}

static const struct iface_ops *
adopting_kind(const struct net *net)
{
	for (uint32_t i = 0; net->kinds != NULL && net->kinds[i] != NULL; i++) {
		if ((net->kinds[i]->kind_flags & IFACE_KIND_ADOPTED) != 0)
			return net->kinds[i];
	}
	return NULL;
}

int
net_adopt_check(struct net *net, struct vnet *vnet, const char *name)
{
	const struct net_system *sys = &net->system;
	int err;

	if (vnet == NULL)
		vnet = net->home;
	if (adopting_kind(net) == NULL || sys->netdev_check == NULL ||
	    vnet->dead)
		return -ENODEV;
	if (net_name_taken(net, vnet, name, NULL))
		return -EEXIST;
	err = sys->netdev_check(sys->arg, vnet, name);
	if (err != -ENODEV && !net_is_admin(net))
		return net_error(net, -EPERM,
		    "netdevs of the host are adopted by administrators");
	return err;
}

int
net_iface_adopt(
    struct net *net, struct vnet *vnet, const char *name, struct iface **out)
{
	int err = net_adopt_check(net, vnet, name);

	if (err != 0)
		return err;
	return iface_new(net, vnet != NULL ? vnet : net->home,
	    adopting_kind(net), name, IFACE_UNIT_NONE, NULL, out);
}

int
net_iface_destroy(struct iface *ifp, struct net_wait *w)
{
	struct net *net = ifp->net;
	struct net_event ev = {
		.type = NET_EVENT_DESTROY,
		.ifp = ifp,
		.vlan = -1,
	};
	int err = 0;

	ASSERT(!ifp->dying);
	ifp->dying = true;
	/* First, so that who waits for this one's netdev waits for both. */
	if (ifp->twin != NULL) {
		ifp->twin->twin = NULL;
		(void)net_iface_destroy(ifp->twin, NULL);
		ifp->twin = NULL;
	}
	if (ifp->stack != NULL)
		ifp->stack->detach(ifp->stack, ifp);
	ASSERT(ifp->stack == NULL);
	if (ifp->vlans != NULL)
		ifp->vlans->detach(ifp);
	ASSERT(ifp->vlans == NULL);
	if (ifp->host != NULL && net->system.host_detach != NULL)
		err = net->system.host_detach(net->system.arg, ifp, w);
	ifp->host = NULL;
	impair_destroy(ifp);
	ifp->ops->destroy(ifp);
	if (ifp->capture != NULL)
		ifp->capture->detach(ifp->capture, ifp);
	ASSERT(ifp->capture == NULL);
	net_emit(net, &ev);
	list_out(ifp);
	net_user_give(ifp);
	free(ifp->macs);
	free(ifp);
	/* Another error of the system's concerns a netdev that is not ours any
	 * more: the interface is gone. */
	return err == -EINPROGRESS && w != NULL ? -EINPROGRESS : 0;
}

/* A name that both BSD and Linux would take, and that no address looks like. */
static bool
name_good(const char *name)
{
	size_t len = strlen(name);
	bool digits = true;

	if (len == 0 || len >= IFACE_NAME_MAX)
		return false;
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c <= ' ' || c >= 0x7f || c == '/' || c == ':' || c == '@')
			return false;
		digits = digits && isdigit(c);
	}
	return !digits;
}

int
net_iface_rename(struct iface *ifp, const char *name)
{
	struct net *net = ifp->net;
	struct net_event ev = {
		.type = NET_EVENT_CHANGE,
		.ifp = ifp,
		.vlan = -1,
		.what = IFACE_CHANGED_NAME,
	};
	char old[IFACE_NAME_MAX];
	int err;

	if (!name_good(name))
		return -EINVAL;
	if (strcmp(name, ifp->name) == 0)
		return 0;
	if (net_name_taken(net, ifp->vnet, name, ifp) ||
	    net_name_taken(net, net_host_vnet(ifp), name, ifp))
		return -EEXIST;
	if (ifp->host != NULL && net->system.host_rename != NULL) {
		err = net->system.host_rename(net->system.arg, ifp, name);
		if (err != 0)
			return err;
	}
	memcpy(old, ifp->name, sizeof(old));
	LIST_REMOVE(ifp, name_link);
	memset(ifp->name, 0, sizeof(ifp->name));
	memcpy(ifp->name, name, strlen(name));
	LIST_INSERT_HEAD(bucket(net, name), ifp, name_link);
	if (ifp->ops->changed != NULL)
		ifp->ops->changed(ifp, IFACE_CHANGED_NAME);
	if (ifp->stack != NULL && ifp->stack->changed != NULL)
		ifp->stack->changed(ifp->stack, ifp, IFACE_CHANGED_NAME);
	if (ifp->host != NULL && ifp->host->changed != NULL)
		ifp->host->changed(ifp->host, ifp, IFACE_CHANGED_NAME);
	ev.text = old;
	net_emit(net, &ev);
	return 0;
}
