/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vlan: one VLAN of another interface, as an interface of its own.  The model
 * is FreeBSD vlan(4).
 *
 * A child takes from its parent's input the frames that carry its tag, without
 * it (iface_input() asks before anybody else), and what is sent on the child
 * goes out of the parent with the tag.  The parent may be any Ethernet
 * interface, another vlan (two tags), or a bridge: then the child is the host's
 * port on that VLAN of the bridge ("SVI").  Linux has no part in it: the
 * child's host side is a netdev as any other, and frames reach it untagged.
 *
 * The children of one parent stand in a struct vlan_trunk, which hangs on
 * parent->vlans while there are any.  Frames for a child gather in it and go on
 * at the end of the parent's batch.
 *
 * Link, address and MTU follow the parent's; an address that was given to the
 * child itself stays, and the MTU may be smaller.  Checksums and super-frames
 * pass a child as they are: the parent makes them fit.
 *
 * A tag is recognised by its VLAN; 802.1Q and 802.1ad are the same on input (as
 * in FreeBSD), so a parent has one child a VLAN.
 *
 * Ownership: a trunk is its children's; the last frees it.
 *
 * Differs: a child that has no parent has a random address, not zero; it keeps
 * an address of its own when the parent's changes; vlanproto can change alone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/str.h"
#include "base/vlanset.h"
#include "drv/drv.h"
#include "frame/offload.h"
#include "frame/tag.h"
#include "net/info.h"
#include "net/keyword.h"
#include "os/tun.h"

#define VLAN_UNIT_MAX  0x7fff
#define VLAN_DEPTH_MAX 6 /* tags; parsing passes PARSE_TAGS_MAX, 8 */
#define PCP_SHIFT      13

struct vlan {
	struct iface ifp;
	struct vlan_trunk *trunk; /* NULL: no parent */
	uint16_t vid, tpid;
	uint8_t pcp;
	bool own_mac;   /* it was given one */
	bool following; /* the parent's is being taken over */
	/* What `vlan' and `vlandev' on one line said so far. */
	uint32_t want_vid;
	char want_parent[64];
	LIST_ENTRY(vlan) link;
	SLIST_ENTRY(vlan) pending_link;
	bool pending; /* in has frames */
	struct frame_batch in;
};
LIST_HEAD(vlan_list, vlan);
SLIST_HEAD(vlan_pending, vlan);

struct vlan_trunk {
	struct iface_vlans hooks;
	struct iface *parent;
	uint32_t mtu; /* the parent's, as the children know it */
	struct vlan_list children;
	struct vlan_pending pending;
	struct vlan *by_vid[VLAN_IDS];
};

static struct vlan *
vlan_of(struct iface *ifp)
{
	return (struct vlan *)(void *)ifp;
}

static struct vlan_trunk *
trunk_of(struct iface *parent)
{
	return CONTAINER_OF(parent->vlans, struct vlan_trunk, hooks);
}

/* Frames. */

static void
child_flush(struct vlan *v)
{
	uint32_t count = v->in.count;

	if (count == 0)
		return;
	iface_input(&v->ifp, &v->in);
	v->in.count = 0;
}

static bool
trunk_input(struct iface *parent, struct frame *f)
{
	struct vlan_trunk *t = trunk_of(parent);
	struct vlan *v;

	if (frame_tpid(f) == 0)
		return false;
	v = t->by_vid[FRAME_VID(frame_tci(f))];
	if (v == NULL)
		return false;
	f = frame_tag_take(f);
	if (f == NULL) {
		iface_count_drop(&v->ifp, DROP_NO_FRAME, 1);
		return true;
	}
	if (!v->pending) {
		v->pending = true;
		SLIST_INSERT_HEAD(&t->pending, v, pending_link);
	}
	v->in.frames[v->in.count++] = f;
	if (v->in.count == FRAME_BATCH_MAX)
		child_flush(v);
	return true;
}

static void
trunk_flush(struct iface *parent)
{
	struct vlan_trunk *t = trunk_of(parent);
	struct vlan *v;

	while ((v = SLIST_FIRST(&t->pending)) != NULL) {
		SLIST_REMOVE_HEAD(&t->pending, pending_link);
		v->pending = false;
		child_flush(v);
	}
}

static void
child_tag(const struct iface *child, uint16_t *tpid, uint16_t *tci)
{
	const struct vlan *v = (const struct vlan *)(const void *)child;

	*tpid = v->tpid;
	*tci = (uint16_t)(v->pcp << PCP_SHIFT | v->vid);
}

static void
vlan_transmit(struct iface *ifp, struct frame_batch *batch)
{
	const struct vlan *v = vlan_of(ifp);
	struct iface *parent = ifp->parent;
	struct frame_batch out = { 0 };

	if (parent == NULL) {
		iface_drop_batch(ifp, batch, DROP_IF_DOWN);
		return;
	}
	for (uint32_t i = 0; i < batch->count; i++) {
		struct frame *f = batch->frames[i];

		iface_count_out(ifp, f);
		f = frame_tag_put(
		    f, v->tpid, (uint16_t)(v->pcp << PCP_SHIFT | v->vid));
		if (f == NULL) {
			iface_count_drop(ifp, DROP_NO_FRAME, 1);
			continue;
		}
		out.frames[out.count++] = f;
		/* A member's listener is shown it on the way out, unless it
		 * looks like the member's own. */
		if (iface_shown(parent) &&
		    (parent->stack == NULL ||
		        ether_equal(f->data + ETH_ADDR_LEN, parent->mac)))
			iface_show(parent, frame_take(f));
	}
	if (out.count != 0)
		iface_output(parent, &out);
}

/* Following the parent. */

static void
follow_running(struct vlan *v)
{
	iface_set_running(&v->ifp, (v->ifp.flags & IFACE_UP) != 0 &&
	                               v->trunk != NULL &&
	                               iface_running(v->trunk->parent));
}

static void
follow_link(struct vlan *v)
{
	iface_set_link(&v->ifp,
	    v->trunk != NULL ? v->trunk->parent->link : IFACE_LINK_DOWN);
}

static void
follow_mac(struct vlan *v)
{
	if (v->own_mac)
		return;
	v->following = true;
	(void)iface_set_lladdr(&v->ifp, v->trunk->parent->mac);
	v->following = false;
}

/* A bridge that it is a member of has the last word. */
static void
follow_mtu(struct vlan *v, uint32_t old)
{
	uint32_t mtu = v->trunk->parent->mtu;

	if (v->ifp.stack == NULL && (v->ifp.mtu == old || v->ifp.mtu > mtu))
		(void)iface_set_mtu(&v->ifp, mtu);
}

static void
trunk_changed(struct iface *parent, uint32_t what)
{
	struct vlan_trunk *t = trunk_of(parent);
	struct vlan *v;

	LIST_FOREACH (v, &t->children, link) {
		if ((what & IFACE_CHANGED_FLAGS) != 0)
			follow_running(v);
		if ((what & IFACE_CHANGED_LINK) != 0)
			follow_link(v);
		if ((what & IFACE_CHANGED_LLADDR) != 0)
			follow_mac(v);
		if ((what & IFACE_CHANGED_MTU) != 0)
			follow_mtu(v, t->mtu);
	}
	t->mtu = parent->mtu;
}

static struct iface *
trunk_next(const struct iface *parent, uint32_t *vid)
{
	const struct vlan_trunk *t =
	    CONTAINER_OF(parent->vlans, const struct vlan_trunk, hooks);

	for (uint32_t i = *vid; i < VLAN_IDS; i++) {
		if (t->by_vid[i] != NULL) {
			*vid = i;
			return &t->by_vid[i]->ifp;
		}
	}
	return NULL;
}

/* Parent and child. */

static void
vlan_detach(struct vlan *v)
{
	struct vlan_trunk *t = v->trunk;
	struct iface *parent;

	if (t == NULL)
		return;
	if (v->pending) {
		SLIST_REMOVE(&t->pending, v, vlan, pending_link);
		v->pending = false;
		iface_drop_batch(&v->ifp, &v->in, DROP_DESTROYED);
		v->in.count = 0;
	}
	LIST_REMOVE(v, link);
	t->by_vid[v->vid] = NULL;
	v->trunk = NULL;
	v->vid = 0;
	v->ifp.parent = NULL;
	parent = t->parent;
	if (LIST_EMPTY(&t->children)) {
		parent->vlans = NULL;
		free(t);
	}
	iface_vlans_changed(parent);
	follow_running(v);
	follow_link(v);
}

static void
trunk_detach(struct iface *parent)
{
	while (parent->vlans != NULL)
		vlan_detach(LIST_FIRST(&trunk_of(parent)->children));
}

static int
trunk_get(struct iface *parent, struct vlan_trunk **out)
{
	struct vlan_trunk *t;

	if (parent->vlans != NULL) {
		*out = trunk_of(parent);
		return 0;
	}
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return -ENOMEM;
	t->hooks.input = trunk_input;
	t->hooks.flush = trunk_flush;
	t->hooks.changed = trunk_changed;
	t->hooks.detach = trunk_detach;
	t->hooks.next = trunk_next;
	t->hooks.tag = child_tag;
	t->parent = parent;
	t->mtu = parent->mtu;
	parent->vlans = &t->hooks;
	*out = t;
	return 0;
}

/* May @parent be the parent of @v? */
static int
parent_check(const struct vlan *v, const struct iface *parent)
{
	struct net *net = v->ifp.net;
	uint32_t depth = 1;
	int err;

	if ((parent->ops->kind_flags & IFACE_KIND_TUNNEL) != 0 ||
	    ((parent->ops->kind_flags & IFACE_KIND_ETHERNET) == 0 &&
	        (parent->ops->kind_flags & IFACE_KIND_VLANS) == 0))
		return net_error(net, -EPROTONOSUPPORT,
		    "interfaces of kind %s have no VLANs", parent->ops->kind);
	/* A child gets its VLAN of all that the parent has. */
	err = net_need(parent, NET_ACCESS_OWN);
	if (err != 0)
		return err;
	for (const struct iface *p = parent; p != NULL; p = p->parent) {
		if (p == &v->ifp)
			return net_error(net, -EINVAL,
			    "%s would be its own parent", v->ifp.name);
		if (depth++ > VLAN_DEPTH_MAX)
			return net_error(net, -EINVAL,
			    "at most %d VLANs in one another", VLAN_DEPTH_MAX);
	}
	return 0;
}

static int
vlan_attach(struct vlan *v, struct iface *parent, uint32_t vid)
{
	struct net *net = v->ifp.net;
	struct vlan_trunk *t = NULL;
	int err;

	if (vid < VLAN_ID_MIN || vid > VLAN_ID_MAX)
		return net_error(
		    net, -EINVAL, "a VLAN is from 1 to %u", VLAN_ID_MAX);
	if (v->trunk != NULL && v->trunk->parent != parent)
		return net_error(net, -EBUSY, "%s belongs to %s: -vlandev",
		    v->ifp.name, v->trunk->parent->name);
	err = parent_check(v, parent);
	if (err == 0)
		err = trunk_get(parent, &t);
	if (err < 0)
		return err;
	if (t->by_vid[vid] == v)
		return 0;
	if (t->by_vid[vid] != NULL)
		return net_error(net, -EEXIST, "VLAN %u of %s is %s", vid,
		    parent->name, t->by_vid[vid]->ifp.name);
	if (v->trunk != NULL) {
		t->by_vid[v->vid] = NULL;
	} else {
		LIST_INSERT_HEAD(&t->children, v, link);
		v->trunk = t;
		v->ifp.parent = parent;
	}
	t->by_vid[vid] = v;
	v->vid = (uint16_t)vid;
	follow_mac(v);
	follow_mtu(v, v->ifp.mtu);
	follow_link(v);
	follow_running(v);
	iface_vlans_changed(parent);
	return 0;
}

/* As an interface. */

/* "PARENT.VID": the parent's name into @parent (IFACE_NAME_MAX bytes). 0: it is
 * not; -EINVAL: nearly. */
static int
name_split(const char *name, char *parent, uint32_t *vid)
{
	const char *dot = strrchr(name, '.');
	size_t len = dot != NULL ? (size_t)(dot - name) : 0;

	if (len == 0 || len >= IFACE_NAME_MAX)
		return 0;
	memcpy(parent, name, len);
	parent[len] = '\0';
	if (dot[1] == '0' ||
	    str_u32(dot + 1, 10, VLAN_ID_MIN, VLAN_ID_MAX, vid) != 0)
		return -EINVAL;
	return 1;
}

static int
vlan_name_match(struct net *net, const struct vnet *vnet, const char *name)
{
	char parent[IFACE_NAME_MAX];
	uint32_t vid;
	int match = name_split(name, parent, &vid);

	if (match < 0)
		return net_error(net, -EINVAL, "invalid vlan tag");
	if (match == 0)
		return 0;
	if (strlen(name) >= IFACE_NAME_MAX)
		return net_error(net, -EINVAL, "the name is too long");
	if (net_iface_find(net, vnet, parent) == NULL)
		return net_error(
		    net, -EINVAL, "there is no interface %s", parent);
	return 1;
}

static int
vlan_create(struct iface *ifp)
{
	struct vlan *v = vlan_of(ifp);
	char parent[IFACE_NAME_MAX];
	uint32_t vid;

	v->tpid = ETH_TYPE_VLAN;
	u64_to_mac(net_random(ifp->net), ifp->mac);
	ifp->mac[0] = (uint8_t)((ifp->mac[0] & 0xfc) | 0x02);
	/* The parent makes fit what it does not take. */
	ifp->caps = OFFLOAD_ALL;
	iface_set_link(ifp, IFACE_LINK_DOWN);
	if (name_split(ifp->name, parent, &vid) <= 0)
		return 0;
	return vlan_attach(v, net_iface_find(ifp->net, ifp->vnet, parent), vid);
}

static void
vlan_destroy(struct iface *ifp)
{
	vlan_detach(vlan_of(ifp));
}

static void
vlan_changed(struct iface *ifp, uint32_t what)
{
	if ((what & IFACE_CHANGED_FLAGS) != 0)
		follow_running(vlan_of(ifp));
	if ((what & (IFACE_CHANGED_LLADDR | IFACE_CHANGED_VLANS)) != 0 &&
	    ifp->parent != NULL)
		iface_vlans_changed(ifp->parent);
}

static int
vlan_set_mtu(struct iface *ifp, uint32_t mtu)
{
	const struct vlan *v = vlan_of(ifp);

	if (v->trunk == NULL || mtu <= v->trunk->parent->mtu)
		return 0;
	return net_error(ifp->net, -EINVAL, "the mtu of its parent %s is %u",
	    v->trunk->parent->name, v->trunk->parent->mtu);
}

static int
vlan_set_lladdr(struct iface *ifp, const uint8_t mac[6])
{
	struct vlan *v = vlan_of(ifp);

	/* Given its parent's, it follows that again. */
	if (!v->following)
		v->own_mac = v->trunk == NULL ||
		             !ether_equal(mac, v->trunk->parent->mac);
	return 0;
}

/* Its parent's, unless it has one of its own. */
static bool
vlan_lladdr_given(const struct iface *ifp)
{
	const struct vlan *v = (const struct vlan *)(const void *)ifp;

	return v->trunk != NULL &&
	       (!v->own_mac || ether_equal(ifp->mac, ifp->parent->mac));
}

static void
vlan_get(const struct iface *ifp, struct info *out)
{
	const struct vlan *v = (const struct vlan *)(const void *)ifp;

	info_u64(out, "vlan", v->vid);
	info_str(
	    out, "vlanproto", v->tpid == ETH_TYPE_QINQ ? "802.1ad" : "802.1q");
	info_u64(out, "vlanpcp", v->pcp);
	if (v->trunk != NULL)
		info_str(out, "parent", v->trunk->parent->name);
	else
		info_null(out, "parent");
}

/* Words. */

/* When both have been said. */
static int
config(struct vlan *v)
{
	struct iface *ifp = &v->ifp, *parent;
	uint32_t vid = v->want_vid;
	int err;

	if (vid == 0 || v->want_parent[0] == '\0')
		return 0;
	parent = net_iface_find(ifp->net, ifp->vnet, v->want_parent);
	if (parent == NULL)
		parent = net_iface_find(
		    ifp->net, net_host_vnet(ifp), v->want_parent);
	err = parent != NULL ? vlan_attach(v, parent, vid)
	                     : net_error(ifp->net, -ENOENT,
	                           "there is no interface %s", v->want_parent);
	v->want_vid = 0;
	v->want_parent[0] = '\0';
	return err;
}

static int
word_vlan(struct iface *ifp, const union keyword_value *v)
{
	/* 0 and 4095 are refused as the kernel does: with the rest. */
	vlan_of(ifp)->want_vid = v[0].num == 0 ? VLAN_IDS : (uint32_t)v[0].num;
	return config(vlan_of(ifp));
}

static int
word_vlandev(struct iface *ifp, const union keyword_value *v)
{
	struct vlan *vlan = vlan_of(ifp);

	if (str_copy(vlan->want_parent, sizeof(vlan->want_parent), v[0].str) !=
	    0)
		return net_error(
		    ifp->net, -ENOENT, "there is no such interface");
	return config(vlan);
}

static int
word_no_vlandev(struct iface *ifp, const union keyword_value *v)
{
	(void)v;
	vlan_detach(vlan_of(ifp));
	return 0;
}

static int
word_vlanproto(struct iface *ifp, const union keyword_value *v)
{
	vlan_of(ifp)->tpid =
	    strcmp(v[0].str, "802.1ad") == 0 ? ETH_TYPE_QINQ : ETH_TYPE_VLAN;
	return 0;
}

static int
word_vlanpcp(struct iface *ifp, const union keyword_value *v)
{
	vlan_of(ifp)->pcp = (uint8_t)v[0].num;
	return 0;
}

static void
save_vlandev(const struct iface *ifp, struct keyword_sink *s)
{
	const struct vlan *v = (const struct vlan *)(const void *)ifp;
	char name[NET_IFACE_TEXT_MAX];

	if (v->trunk != NULL && keyword_may_say(s, ifp, v->trunk->parent))
		keyword_put(s, "vlandev %s vlan %u",
		    net_iface_name_in(v->trunk->parent, ifp->vnet, name),
		    v->vid);
	else if (s->all && v->trunk == NULL)
		keyword_put(s, "-vlandev");
}

static void
save_vlanproto(const struct iface *ifp, struct keyword_sink *s)
{
	const struct vlan *v = (const struct vlan *)(const void *)ifp;

	if (v->tpid != ETH_TYPE_VLAN || s->all)
		keyword_put(s, "vlanproto %s",
		    v->tpid == ETH_TYPE_QINQ ? "802.1ad" : "802.1q");
}

static void
save_vlanpcp(const struct iface *ifp, struct keyword_sink *s)
{
	const struct vlan *v = (const struct vlan *)(const void *)ifp;

	keyword_put_number(s, "vlanpcp", v->pcp, 0);
}

static const char both[] = "both vlan and vlandev must be specified";

static const struct iface_keyword vlan_keywords[] = {
	{
	    .name = "vlan",
	    .args = { { .kind = KEYWORD_ARG_NUMBER,
	        .name = "vlan",
	        .max = UINT16_MAX,
	        .bad = "invalid value for vlan" } },
	    .apply = word_vlan,
	    .apply_create = word_vlan,
	    .saved_by = "vlandev",
	    .bsd_name = "SIOCSETVLAN",
	    .bsd_arg = -1,
	    .help = "the VLAN, with vlandev",
	    .with = "vlandev",
	    .without = both,
	    .without_create = "must specify a parent device for vlan create",
	},
	{
	    .name = "vlandev",
	    .args = { { .kind = KEYWORD_ARG_IFNAME, .name = "interface" } },
	    .apply = word_vlandev,
	    .apply_create = word_vlandev,
	    .save = save_vlandev,
	    .undo = "-vlandev",
	    .bsd_name = "SIOCSETVLAN",
	    .bsd_arg = -1,
	    .help = "the parent, with vlan",
	    .with = "vlan",
	    .without = both,
	    .without_create = "must specify a tag for vlan create",
	},
	{
	    .name = "-vlandev",
	    .apply = word_no_vlandev,
	    .saved_by = "vlandev",
	    .bsd_name = "SIOCSETVLAN",
	    .help = "leave the parent",
	},
	{
	    .name = "vlanproto",
	    .args = { { .kind = KEYWORD_ARG_CHOICE,
	        .name = "802.1q or 802.1ad",
	        .choices = "802.1q\0802.1ad\0",
	        .bad = "invalid value for vlanproto" } },
	    .apply = word_vlanproto,
	    .save = save_vlanproto,
	    .bsd_name = "SIOCSETVLAN",
	    .bsd_arg = -1,
	    .help = "the protocol of the tags",
	},
	{
	    .name = "vlanpcp",
	    .args = { { .kind = KEYWORD_ARG_NUMBER,
	        .name = "priority",
	        .max = 7,
	        .bad = "invalid value for vlanpcp" } },
	    .apply = word_vlanpcp,
	    .save = save_vlanpcp,
	    .bsd_name = "SIOCSVLANPCP",
	    .bsd_arg = -1,
	    .help = "the priority in tags that are sent",
	},
	{ .name = NULL },
};

const struct iface_ops vlan_ops = {
	.kind = "vlan",
	.about = "one VLAN of another interface",
	.kind_flags = IFACE_KIND_ETHERNET | IFACE_KIND_USERS,
	.unit_max = VLAN_UNIT_MAX,
	.mtu_default = ETH_MTU_DEFAULT,
	.mtu_min = TUN_MTU_MIN,
	.mtu_max = TUN_MTU_MAX,
	.flags = IFACE_BROADCAST | IFACE_SIMPLEX | IFACE_MULTICAST,
	.size = sizeof(struct vlan),
	.name_match = vlan_name_match,
	.create = vlan_create,
	.destroy = vlan_destroy,
	.transmit = vlan_transmit,
	.changed = vlan_changed,
	.set_mtu = vlan_set_mtu,
	.set_lladdr = vlan_set_lladdr,
	.lladdr_given = vlan_lladdr_given,
	.get = vlan_get,
	.keywords = vlan_keywords,
};
