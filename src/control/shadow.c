/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A net in memory that is as another one is: see shadow.h.
 *
 * How it is made: vnets; all interfaces by their kind and unit; names, first
 * passing ones, since two may have exchanged theirs; host sides and where they
 * are; then every interface is told what the real one says of itself
 * (ifconfig_save()). What cannot be repeated is left out: a change that builds
 * on it is then refused here, and not half done there.
 */
#include "control/shadow.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "base/util.h"
#include "bridge/bridge.h"
#include "control/ifconfig.h"
#include "control/oplist.h"
#include "net/info.h"

#define POOL_SMALL 64
#define POOL_LARGE 8

/* --- the system: lists ---------------------------------------------------- */

struct shadow_address {
	char text[64]; /* "ADDRESS/LENGTH" */
	char dst[64], broadcast[64];
};

struct shadow_host {
	struct iface_host host; /* first */
	struct shadow_address *addresses;
	uint32_t count, room;
};

/* The arg of its struct net_system. */
struct shadow {
	struct net *real;
};

static struct shadow_host *
host_of(const struct iface *ifp)
{
	return (struct shadow_host *)(void *)ifp->host;
}

static void
host_deliver(struct iface_host *h, struct iface *ifp, struct frame_batch *batch)
{
	(void)h;
	iface_drop_batch(ifp, batch, DROP_HOST_DOWN);
}

/* Has the real host a netdev of that name which is nobody's of ours? */
static bool
host_name_taken(void *arg, struct vnet *vnet, const char *name)
{
	struct shadow *s = arg;
	const struct net_system *sys = &s->real->system;
	struct vnet *real = net_vnet_find(s->real, vnet->name);

	return real != NULL && sys->host_name_taken != NULL &&
	       sys->host_name_taken(sys->arg, real, name);
}

static int
host_attach(void *arg, struct iface *ifp, struct net_wait *w)
{
	struct shadow_host *h;

	(void)w;
	if (host_name_taken(arg, ifp->vnet, ifp->name))
		return -EEXIST;
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return -ENOMEM;
	h->host.deliver = host_deliver;
	h->host.vnet = ifp->vnet;
	ifp->host = &h->host;
	return 0;
}

static int
netdev_check(void *arg, struct vnet *vnet, const char *name)
{
	struct shadow *s = arg;
	const struct net_system *sys = &s->real->system;
	struct vnet *real = net_vnet_find(s->real, vnet->name);
	struct iface *ifp;
	int err;

	if (real == NULL || sys->netdev_check == NULL)
		return -ENODEV;
	ifp = net_iface_find(s->real, real, name);
	if (ifp != NULL && (ifp->ops->kind_flags & IFACE_KIND_ADOPTED) != 0)
		return 0;
	err = sys->netdev_check(sys->arg, real, name);
	if (err != 0)
		(void)net_error(vnet->net, err, "%s", s->real->message);
	return err;
}

static int
netdev_adopt(void *arg, struct iface *ifp)
{
	int err = netdev_check(arg, ifp->vnet, ifp->name);
	struct shadow_host *h;

	if (err != 0)
		return err;
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return -ENOMEM;
	h->host.deliver = host_deliver;
	h->host.vnet = ifp->vnet;
	ifp->host = &h->host;
	return 0;
}

static int
host_detach(void *arg, struct iface *ifp, struct net_wait *w)
{
	struct shadow_host *h = host_of(ifp);

	(void)arg;
	(void)w;
	ifp->host = NULL;
	free(h->addresses);
	free(h);
	return 0;
}

static int
host_move(void *arg, struct iface *ifp, struct vnet *vnet, struct net_wait *w)
{
	(void)w;
	if (host_name_taken(arg, vnet, ifp->name))
		return -EEXIST;
	ifp->host->vnet = vnet;
	host_of(ifp)->count = 0; /* as Linux: addresses stay behind */
	return 0;
}

static int
host_rename(void *arg, struct iface *ifp, const char *name)
{
	return host_name_taken(arg, ifp->host->vnet, name) ? -EEXIST : 0;
}

static struct shadow_address *
address_find(struct shadow_host *h, const char *text)
{
	for (uint32_t i = 0; i < h->count; i++)
		if (strcmp(h->addresses[i].text, text) == 0)
			return &h->addresses[i];
	return NULL;
}

static int
addr_add(void *arg, struct iface *ifp, const char *addr, const char *dst,
    const char *broadcast)
{
	struct shadow_host *h = host_of(ifp);
	struct shadow_address *a, *grown;
	int err;

	(void)arg;
	if (address_find(h, addr) != NULL)
		return -EEXIST;
	if (h->count == h->room) {
		uint32_t room = h->room != 0 ? 2 * h->room : 4;

		grown = reallocarray(h->addresses, room, sizeof(*grown));
		if (grown == NULL)
			return -ENOMEM;
		h->addresses = grown;
		h->room = room;
	}
	a = &h->addresses[h->count];
	*a = (struct shadow_address){ 0 };
	err = str_copy(a->text, sizeof(a->text), addr);
	if (err == 0 && dst != NULL)
		err = str_copy(a->dst, sizeof(a->dst), dst);
	if (err == 0 && broadcast != NULL)
		err = str_copy(a->broadcast, sizeof(a->broadcast), broadcast);
	if (err == 0)
		h->count++;
	return err;
}

static int
addr_del(void *arg, struct iface *ifp, const char *addr)
{
	struct shadow_host *h = host_of(ifp);
	struct shadow_address *a = address_find(h, addr);

	(void)arg;
	if (a == NULL)
		return -EADDRNOTAVAIL;
	h->count--;
	memmove(a, a + 1, (size_t)(&h->addresses[h->count] - a) * sizeof(*a));
	return 0;
}

static int
addr_list(void *arg, const struct iface *ifp, struct info *out)
{
	const struct shadow_host *h = host_of(ifp);

	(void)arg;
	info_list(out, "addresses");
	for (uint32_t i = 0; i < h->count; i++) {
		const struct shadow_address *a = &h->addresses[i];
		const char *slash = strchr(a->text, '/');
		char text[sizeof(a->text)];
		uint32_t len = 0;

		if (slash == NULL)
			continue;
		snprintf(text, sizeof(text), "%.*s", (int)(slash - a->text),
		    a->text);
		(void)str_u32(slash + 1, 10, 0, 128, &len);
		info_object(out, NULL);
		info_str(out, "family",
		    strchr(text, ':') != NULL ? "inet6" : "inet");
		info_str(out, "address", text);
		info_u64(out, "prefixlen", len);
		if (a->dst[0] != '\0')
			info_str(out, "destination", a->dst);
		if (a->broadcast[0] != '\0')
			info_str(out, "broadcast", a->broadcast);
		info_end(out);
	}
	info_end(out);
	return 0;
}

/* Whether there is a client, the real system knows. */
static int
dhcp_check(void *arg, const struct iface *ifp)
{
	struct shadow *s = arg;
	int err = s->real->system.dhcp_check(s->real->system.arg, NULL);

	return err != 0 ? net_error(ifp->net, err, "%s", s->real->message) : 0;
}

static int
vnet_create(void *arg, struct vnet *vnet)
{
	(void)arg;
	(void)vnet;
	return 0;
}

static int
vnet_attach(void *arg, struct vnet *vnet, const char *what, const int *fds,
    uint32_t fd_count)
{
	(void)arg;
	(void)vnet;
	(void)what;
	(void)fds;
	(void)fd_count;
	return 0;
}

static void
vnet_destroy(void *arg, struct vnet *vnet, struct net_wait *w)
{
	(void)arg;
	(void)vnet;
	w->done(w, 0);
}

/* --- the copy ---------------------------------------------------------------
 */

uint32_t
shadow_rank(const struct iface *ifp)
{
	uint32_t rank = (ifp->ops->kind_flags & IFACE_KIND_ETHERNET) == 0;

	for (ifp = ifp->parent; ifp != NULL; ifp = ifp->parent)
		if ((ifp->ops->kind_flags & IFACE_KIND_ETHERNET) == 0)
			return 2;
	return rank;
}

/* An interface and its shadow. */
struct pair {
	const struct iface *real;
	struct iface *shadow;
};

static void
copy_vnets(const struct net *real, struct net *shadow)
{
	const struct vnet *v;
	struct vnet *copy;
	int err;

	TAILQ_FOREACH (v, &real->vnets, link) {
		if (v == real->home)
			continue;
		if (v->adopted)
			err = net_vnet_attach(
			    shadow, v->name, "", NULL, 0, &copy);
		else
			err = net_vnet_create(shadow, v->name, &copy);
		if (err != 0)
			log_debug("shadow: vnet %s: %d", v->name, err);
	}
}

/* @relaxed: members are allowed all that they ever were. */
static void
copy_tunables(const struct net *real, struct net *shadow, bool relaxed)
{
	const struct vnet *v;
	struct vnet *copy;

	TAILQ_FOREACH (v, &real->vnets, link) {
		copy = net_vnet_find(shadow, v->name);
		if (copy == NULL)
			continue;
		memcpy(copy->tunables, v->tunables, sizeof(copy->tunables));
		if (!relaxed)
			continue;
		(void)bridge_tunable_set(copy, BRIDGE_MEMBER_IFADDRS, 1);
		(void)bridge_tunable_set(copy, BRIDGE_MTU_EXACT, 0);
	}
}

/* By kind and unit; what has a name of its own takes any unit, afterwards. */
static void
copy_iface(struct pair *p, struct net *shadow)
{
	const struct iface *ifp = p->real;
	struct vnet *vnet = net_vnet_find(shadow, ifp->vnet->name);
	char name[IFACE_NAME_MAX];
	int err;

	if (vnet == NULL)
		return;
	if ((ifp->ops->kind_flags & IFACE_KIND_ADOPTED) != 0) {
		if (net_iface_adopt(shadow, vnet, ifp->name, &p->shadow) == 0)
			p->shadow->host_taken = ifp->host_taken;
		return;
	}
	if (ifp->unit == IFACE_UNIT_NONE)
		err = str_copy(name, sizeof(name), ifp->ops->kind);
	else
		err = net_unit_name(ifp->ops, ifp->unit, '\0', name);
	if (err == 0)
		err = net_iface_create(shadow, vnet, name, &p->shadow);
	if (err != 0)
		log_debug("shadow: %s: %d", ifp->name, err);
	else if (ifp->unit == IFACE_UNIT_NONE)
		net_unit_set(p->shadow, IFACE_UNIT_NONE);
}

static void
copy_ifaces(struct pair *pairs, uint32_t count, struct net *shadow)
{
	for (uint32_t i = 0; i < count; i++)
		if (pairs[i].real->unit != IFACE_UNIT_NONE &&
		    pairs[i].shadow == NULL) {
			copy_iface(&pairs[i], shadow);
			/* The second of twins follows the first. */
			if (pairs[i].shadow != NULL &&
			    pairs[i].real->twin != NULL && i + 1 < count &&
			    pairs[i + 1].real == pairs[i].real->twin)
				pairs[i + 1].shadow = pairs[i].shadow->twin;
		}
	for (uint32_t i = 0; i < count; i++)
		if (pairs[i].real->unit == IFACE_UNIT_NONE)
			copy_iface(&pairs[i], shadow);
}

static void
copy_names(const struct pair *pairs, uint32_t count)
{
	char passing[IFACE_NAME_MAX];

	for (uint32_t i = 0; i < count; i++) {
		if (pairs[i].shadow == NULL)
			continue;
		pairs[i].shadow->transient = pairs[i].real->transient;
		snprintf(passing, sizeof(passing), "~%u", i);
		if (strcmp(pairs[i].shadow->name, pairs[i].real->name) != 0)
			(void)net_iface_rename(pairs[i].shadow, passing);
	}
	for (uint32_t i = 0; i < count; i++)
		if (pairs[i].shadow != NULL)
			(void)net_iface_rename(
			    pairs[i].shadow, pairs[i].real->name);
}

static void
copy_hosts(const struct pair *pairs, uint32_t count, struct net *shadow)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct iface_host *host = pairs[i].real->host;
		struct iface *ifp = pairs[i].shadow;
		struct vnet *vnet;

		if (host == NULL || ifp == NULL)
			continue;
		vnet = net_vnet_find(shadow, host->vnet->name);
		if (net_host_attach(ifp, NULL) == 0 && vnet != NULL &&
		    vnet != ifp->vnet)
			(void)net_host_move(ifp, vnet, NULL);
	}
}

/* What copy_names() and copy_hosts() have done. */
static bool
is_done(const char *word)
{
	static const char *const words[] = { "name", "host", "-host", "vnet",
		"-vnet" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(words[i], word) == 0)
			return true;
	return false;
}

/* One line; what cannot be done again is left out. */
static void
tell(struct iface *ifp, const char **argv, uint32_t argc)
{
	struct ifconfig_request request = {
		.net = ifp->net,
		.vnet = ifp->vnet,
		.home = ifp->vnet == ifp->net->home,
		.argc = argc,
		.argv = argv,
		.long_line = true,
	};
	struct ifconfig_run *run;

	if (argc > 1 && ifconfig_start(&request, &run) == 0)
		ifconfig_free(run);
}

static int
copy_settings(const struct pair *p)
{
	struct op_list l;
	struct op op;
	const char **argv;
	bool given;
	int err = 0;

	op_list_init(&l, true, true);
	ifconfig_save(p->real, &l.sink);
	argv = reallocarray(NULL, OP_WORDS_MAX + 1, sizeof(*argv));
	if (!op_list_ok(&l) || argv == NULL) {
		err = -ENOMEM;
		goto out_free;
	}
	argv[0] = p->shadow->name;
	given = p->real->ops->lladdr_given != NULL &&
	        p->real->ops->lladdr_given(p->real);
	for (op_first(&l, &op); op.count > 0; op_next(&l, &op)) {
		if (is_done(op.words[0]) ||
		    (given && strcmp(op.words[0], "ether") == 0))
			continue;
		memcpy(argv + 1, op.words, op.count * sizeof(*argv));
		tell(p->shadow, argv, op.count + 1);
	}
	/* Addresses have brought it up. */
	if ((p->real->flags & IFACE_UP) == 0)
		(void)iface_set_flags(p->shadow, 0, IFACE_UP);
	(void)iface_set_lladdr(p->shadow, p->real->mac);
out_free:
	free(argv);
	op_list_free(&l);
	return err;
}

static int
copy_net(const struct net *real, struct net *shadow)
{
	struct pair *pairs = calloc(real->iface_count + 1, sizeof(*pairs));
	const struct iface *ifp;
	uint32_t count = 0;
	int err = 0;

	if (pairs == NULL)
		return -ENOMEM;
	copy_vnets(real, shadow);
	copy_tunables(real, shadow, true);
	TAILQ_FOREACH (ifp, &real->ifaces, all_link)
		if (!ifp->dying)
			pairs[count++].real = ifp;
	copy_ifaces(pairs, count, shadow);
	copy_names(pairs, count);
	copy_hosts(pairs, count, shadow);
	for (uint32_t rank = 0; err == 0 && rank < SHADOW_RANKS; rank++)
		for (uint32_t i = 0; err == 0 && i < count; i++)
			if (pairs[i].shadow != NULL &&
			    shadow_rank(pairs[i].real) == rank)
				err = copy_settings(&pairs[i]);
	copy_tunables(real, shadow, false);
	free(pairs);
	return err;
}

int
shadow_create(struct net *real, struct net **out)
{
	struct net_options options = {
		.pool = { .small_count = POOL_SMALL,
		    .large_count = POOL_LARGE },
		.kinds = real->kinds,
		.hash_seed = real->hash_seed,
		.now_ns = real->now_ns,
	};
	struct net_system pretend = {
		.vnet_create = vnet_create,
		.vnet_attach = vnet_attach,
		.vnet_destroy = vnet_destroy,
	};
	struct shadow *s = calloc(1, sizeof(*s));
	struct net *shadow;
	int err;

	if (s == NULL)
		return -ENOMEM;
	s->real = real;
	pretend.arg = s;
	if (real->system.host_attach != NULL) {
		pretend.host_attach = host_attach;
		pretend.netdev_check = netdev_check;
		pretend.netdev_adopt = netdev_adopt;
		pretend.host_detach = host_detach;
		pretend.host_move = host_move;
		pretend.host_rename = host_rename;
		pretend.host_name_taken = host_name_taken;
		pretend.addr_add = addr_add;
		pretend.addr_del = addr_del;
		pretend.addr_list = addr_list;
		if (real->system.dhcp_check != NULL)
			pretend.dhcp_check = dhcp_check;
	}
	options.system = &pretend;
	err = net_create(&options, &shadow);
	if (err != 0) {
		free(s);
		return err;
	}
	shadow->identity = real->identity;
	if (real->drv_copy != NULL)
		err = real->drv_copy(real, shadow);
	log_hold(true);
	if (err == 0)
		err = copy_net(real, shadow);
	log_hold(false);
	if (err != 0) {
		shadow_destroy(shadow);
		return err;
	}
	shadow->host_attach = real->host_attach;
	shadow->random = real->random;
	*out = shadow;
	return 0;
}

void
shadow_destroy(struct net *shadow)
{
	struct shadow *s;

	if (shadow == NULL)
		return;
	s = shadow->system.arg;
	net_destroy(shadow);
	free(s);
}
