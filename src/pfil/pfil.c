/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packages, the lists of vnets, header checks, and the hook points at the
 * host's door.  See pfil.h.
 */
#include "pfil/pfil.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/ether.h"
#include "frame/csum.h"

#define IP4_HDR_MIN  20
#define IP6_HDR_LEN  40
#define LLC_SNAP_LEN 8

/* --- packages ------------------------------------------------------------- */

/* Written before main() only. */
static struct pfil_row *rows, **rows_end = &rows;

void
pfil_add(struct pfil_row *row)
{
	*rows_end = row;
	rows_end = &row->next;
}

const struct pfil_row *
pfil_first(void)
{
	return rows;
}

const struct pfil_package *
pfil_package(const char *name)
{
	for (const struct pfil_row *r = rows; r != NULL; r = r->next)
		if (strcmp(r->package->name, name) == 0)
			return r->package;
	return NULL;
}

/* --- vnets ---------------------------------------------------------------- */

/* What hangs on a vnet. */
struct pfil_vnet {
	struct pfil_heads heads; /* vnet->pfil if one has hooks */
	uint32_t count;
	struct {
		const struct pfil_package *package;
		void *state;
		bool made, on;
	} packages[PFIL_PACKAGES_MAX];
};

static int
slot_of(struct pfil_vnet *v, const struct pfil_package *package)
{
	for (uint32_t i = 0; v != NULL && i < v->count; i++)
		if (v->packages[i].package == package)
			return (int)i;
	return -1;
}

/* The slot of @package, made if need be; or -errno. */
static int
slot_make(struct vnet *vnet, const struct pfil_package *package)
{
	struct pfil_vnet *v = vnet->filters;
	int slot = slot_of(v, package);

	if (slot >= 0)
		return slot;
	if (v == NULL) {
		v = calloc(1, sizeof(*v));
		if (v == NULL)
			return -ENOMEM;
		vnet->filters = v;
	}
	if (v->count == PFIL_PACKAGES_MAX)
		return -ENOSPC;
	v->packages[v->count].package = package;
	return (int)v->count++;
}

int
pfil_state(struct vnet *vnet, const struct pfil_package *package, void **state)
{
	struct pfil_vnet *v;
	int slot = slot_make(vnet, package), err = 0;

	if (slot < 0)
		return slot;
	v = vnet->filters;
	if (!v->packages[slot].made && package->create != NULL)
		err =
		    package->create(vnet->net, vnet, &v->packages[slot].state);
	if (err != 0)
		return err;
	v->packages[slot].made = true;
	*state = v->packages[slot].state;
	return 0;
}

void *
pfil_peek(const struct vnet *vnet, const struct pfil_package *package)
{
	int slot = slot_of(vnet->filters, package);

	return slot >= 0 ? vnet->filters->packages[slot].state : NULL;
}

bool
pfil_is_on(const struct vnet *vnet, const struct pfil_package *package)
{
	int slot = slot_of(vnet->filters, package);

	return slot >= 0 && vnet->filters->packages[slot].on;
}

static void
list_remove(struct pfil_list *l, const struct pfil_package *package)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < l->count; i++)
		if (l->hooks[i].package != package)
			l->hooks[n++] = l->hooks[i];
	l->count = n;
}

/* Is there a hook in any list? */
static void
settle(struct vnet *vnet)
{
	struct pfil_vnet *v = vnet->filters;
	uint32_t count = 0;

	for (int i = 0; i < PFIL_LAYERS; i++)
		for (int j = 0; j < PFIL_DIRS; j++)
			count += v->heads.lists[i][j].count;
	vnet->pfil = count != 0 ? &v->heads : NULL;
}

static void
hooks_remove(struct vnet *vnet, const struct pfil_package *package)
{
	struct pfil_vnet *v = vnet->filters;

	for (int i = 0; i < PFIL_LAYERS; i++)
		for (int j = 0; j < PFIL_DIRS; j++)
			list_remove(&v->heads.lists[i][j], package);
	settle(vnet);
}

int
pfil_switch(struct vnet *vnet, const struct pfil_package *package, bool on)
{
	const struct pfil_hook *h;
	struct pfil_vnet *v;
	void *state;
	int slot, err;

	if (on == pfil_is_on(vnet, package))
		return 0;
	err = pfil_state(vnet, package, &state);
	if (err != 0)
		return err;
	v = vnet->filters;
	slot = slot_of(v, package);
	v->packages[slot].on = false;
	if (!on) {
		hooks_remove(vnet, package);
		return 0;
	}
	for (h = package->hooks; h->run != NULL; h++) {
		struct pfil_list *l = &v->heads.lists[h->layer][h->dir];

		if (l->count == PFIL_HOOKS_MAX) {
			hooks_remove(vnet, package);
			return -ENOSPC;
		}
		l->hooks[l->count].run = h->run;
		l->hooks[l->count].state = state;
		l->hooks[l->count].package = package;
		l->count++;
	}
	v->packages[slot].on = true;
	settle(vnet);
	return 0;
}

static void
vnet_end(struct vnet *vnet)
{
	struct pfil_vnet *v = vnet->filters;

	vnet->pfil = NULL;
	if (v == NULL)
		return;
	for (uint32_t i = 0; i < v->count; i++)
		if (v->packages[i].made &&
		    v->packages[i].package->destroy != NULL)
			v->packages[i].package->destroy(v->packages[i].state);
	vnet->filters = NULL;
	free(v);
}

/* --- packets -------------------------------------------------------------- */

enum pfil_verdict
pfil_run(struct pfil_packet *p)
{
	const struct pfil_list *l;
	enum pfil_verdict v;

	p->why = DROP_FILTERED;
	if (p->vnet->pfil == NULL)
		return PFIL_PASS;
	l = &p->vnet->pfil->lists[p->layer][p->dir];
	while (p->where.hook < l->count) {
		uint8_t i = p->where.hook;

		v = l->hooks[i].run(l->hooks[i].state, p);
		if (v != PFIL_PASS)
			return v;
		p->where.cookie = 0;
		p->where.hook = (uint8_t)(i + 1);
	}
	p->where.hook = 0;
	return PFIL_PASS;
}

void
pfil_resume(struct net *net, struct frame *f, const struct pfil_where *w)
{
	w->point->resume(net, f, w);
}

void
pfil_answer(struct net *net, struct frame *f, const struct pfil_where *w)
{
	w->point->answer(net, f, w);
}

enum pfil_kind
pfil_look(const struct frame *f, uint16_t *ethertype, uint16_t *l3)
{
	static const uint8_t snap[6] = { 0xaa, 0xaa, 0x03, 0, 0, 0 };
	uint32_t at = ETH_HDR_LEN;
	uint16_t type = be16_get(f->data + 12);

	if (__builtin_expect(
	        type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ, 0) &&
	    f->len >= ETH_HDR_LEN + ETH_VLAN_LEN) {
		type = be16_get(f->data + 16);
		at += ETH_VLAN_LEN;
	}
	if (__builtin_expect(type < ETH_TYPE_MIN, 0) &&
	    f->len >= at + LLC_SNAP_LEN && memcmp(f->data + at, snap, 3) == 0) {
		type = be16_get(f->data + at + 6);
		at += LLC_SNAP_LEN;
	}
	*ethertype = type;
	*l3 = (uint16_t)at;
	switch (type) {
	case ETH_TYPE_IPV4:
		return PFIL_KIND_IP4;
	case ETH_TYPE_IPV6:
		return PFIL_KIND_IP6;
	case ETH_TYPE_ARP:
	case ETH_TYPE_RARP:
		return PFIL_KIND_ARP;
	default:
		return PFIL_KIND_OTHER;
	}
}

static bool
check4(const uint8_t *ip, uint32_t avail, bool gso, enum drop_reason *why)
{
	uint32_t hlen, total;

	*why = DROP_IP_SHORT;
	if (avail < IP4_HDR_MIN)
		return false;
	*why = DROP_IP_VERSION;
	if (ip[0] >> 4 != 4)
		return false;
	hlen = (uint32_t)(ip[0] & 15) * 4;
	*why = DROP_IP_HEADER;
	if (hlen < IP4_HDR_MIN)
		return false;
	*why = DROP_IP_SHORT;
	if (hlen > avail)
		return false;
	if (gso) /* each segment will have a header of its own */
		return true;
	*why = DROP_IP_CSUM;
	if (csum_fold(csum_add(0, ip, hlen)) != 0xffff)
		return false;
	total = be16_get(ip + 2);
	*why = DROP_IP_HEADER;
	if (hlen > total)
		return false;
	*why = DROP_IP_LENGTH;
	return total <= avail;
}

static bool
check6(const uint8_t *ip, uint32_t avail, bool gso, enum drop_reason *why)
{
	*why = DROP_IP_SHORT;
	if (avail < IP6_HDR_LEN)
		return false;
	*why = DROP_IP_VERSION;
	if (ip[0] >> 4 != 6)
		return false;
	*why = DROP_IP_LENGTH;
	return gso || be16_get(ip + 4) <= avail - IP6_HDR_LEN;
}

bool
pfil_check(const struct frame *f, enum pfil_kind kind, uint32_t l3,
    enum drop_reason *why)
{
	bool gso = f->off.gso_type != FRAME_GSO_NONE;

	if (kind == PFIL_KIND_IP4)
		return check4(f->data + l3, f->len - l3, gso, why);
	if (kind == PFIL_KIND_IP6)
		return check6(f->data + l3, f->len - l3, gso, why);
	return true;
}

/* --- the host's door ------------------------------------------------------ */

static const struct pfil_point door;

/* The state of one frame; false: it has gone. */
static bool
door_one(struct iface *ifp, struct frame **fp, bool in,
    const struct pfil_where *again)
{
	struct pfil_packet p = {
		.frame = *fp,
		.ifp = ifp,
		.rcvif = in ? ifp : NULL,
		.vnet = ifp->host->vnet,
		.dir = in ? PFIL_IN : PFIL_OUT,
		.trace = ifp->net->tracer != NULL,
		.where = { .point = &door, .ifp = ifp->index },
	};
	enum pfil_kind kind;
	enum drop_reason why;

	if (p.frame->len < ETH_HDR_LEN) /* its wire is where it is dropped */
		return true;
	kind = pfil_look(p.frame, &p.ethertype, &p.l3);
	/* Nobody's stack takes what is for another station. */
	if (in && !ether_is_multicast(p.frame->data) &&
	    !ether_equal(p.frame->data, ifp->mac))
		return true;
	if (kind != PFIL_KIND_IP4 && kind != PFIL_KIND_IP6)
		return true;
	p.layer = kind == PFIL_KIND_IP4 ? PFIL_IP4 : PFIL_IP6;
	if (!pfil_hooked(p.vnet, p.layer, p.dir))
		return true;
	p.where.stage = (uint8_t)p.dir;
	if (again != NULL) {
		p.where.hook = again->hook;
		p.where.cookie = again->cookie;
	} else if (in && !pfil_check(p.frame, kind, p.l3, &why)) {
		iface_drop(ifp, p.frame, why);
		return false;
	}
	switch (pfil_run(&p)) {
	case PFIL_PASS:
		*fp = p.frame;
		return true;
	case PFIL_DROPPED:
		iface_drop(ifp, p.frame, p.why);
		return false;
	case PFIL_CONSUMED:
		break;
	}
	return false;
}

static void
door_batch(struct iface *ifp, struct frame_batch *batch, bool in)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < batch->count; i++) {
		struct frame *f = batch->frames[i];

		if (door_one(ifp, &f, in, NULL))
			batch->frames[n++] = f;
	}
	batch->count = n;
}

static void
door_go_on(struct iface *ifp, struct frame *f, bool in)
{
	struct frame_batch one = { .count = 1, .frames = { f } };

	if (in)
		iface_host_deliver_now(ifp, &one);
	else
		iface_host_input_now(ifp, &one);
}

/* Whom to count a drop on when the interface has ended: nobody is left. */
static struct iface *
door_iface(struct net *net, struct frame *f, const struct pfil_where *w)
{
	struct iface *ifp = net_iface_by_index(net, w->ifp);

	if (ifp == NULL)
		frame_release(f);
	else if (ifp->host == NULL)
		iface_drop(ifp, f, DROP_HOST_DOWN);
	else
		return ifp;
	return NULL;
}

static void
door_resume(struct net *net, struct frame *f, const struct pfil_where *w)
{
	struct iface *ifp = door_iface(net, f, w);
	bool in = w->stage == PFIL_IN;

	if (ifp != NULL && door_one(ifp, &f, in, w))
		door_go_on(ifp, f, in);
}

static void
door_answer(struct net *net, struct frame *f, const struct pfil_where *w)
{
	struct iface *ifp = door_iface(net, f, w);

	if (ifp != NULL)
		door_go_on(ifp, f, w->stage != PFIL_IN);
}

static const struct pfil_point door = {
	.name = "host",
	.resume = door_resume,
	.answer = door_answer,
};

void
pfil_init(struct net *net)
{
	net->pfil = (struct net_pfil){
		.host = door_batch,
		.vnet_end = vnet_end,
	};
}
