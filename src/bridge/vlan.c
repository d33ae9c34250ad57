/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VLANs on a bridge: which may enter and leave where, and with which tag.
 *
 * A port has a VLAN of its own for untagged frames (`untagged', the PVID), a
 * set of VLANs that it takes and sends tagged, the protocol of its tags, and a
 * flag that allows frames which carry a second tag.  The sets count only while
 * the bridge filters (`vlanfilter'); PVID and protocol always do.
 *
 * Inside the bridge a frame has a VLAN beside it and keeps the form in which it
 * came: nothing is written on input.  Where a port wants another form the frame
 * is changed for it: in place if nobody else has it, else once for all ports
 * of a flood that want the same (struct vlan_forms).  A bridge where none of
 * this is configured does not get here at all (vlan_work is false).
 *
 * Ingress
 *   V1 the VLAN is that of the outer tag, 802.1Q or 802.1ad; 0: there is none,
 *      or only a priority.  4095, or a tag that is cut off: refused always
 *   V2 untagged to a group that does not leave the link (01:80:c2:00:00:0X):
 *      no VLAN, and always let in
 *   V3 filter on: a second tag only with QINQ; untagged needs a PVID, tagged
 *      must be in the set, also if it is the PVID
 *   V4 untagged belongs to the PVID
 * Egress
 *   V5 filter on: the PVID and the set; untagged only what V2 let in
 *   V6 the PVID leaves untagged, all else with the port's protocol
 *
 * Source: FreeBSD 15 if_bridge(4).
 * Differs:
 *   - V2: there a BPDU is refused on a port without a PVID, and spanning tree
 *     cannot work on it;
 *   - what a member's own host sends and hears is subject to the member's VLANs
 *     as if it came by the wire, so it is in the VLAN that its wire is in;
 * there it is sent unfiltered, and hears frames with tags that were never
 * there;
 *   - span ports get a tag that was added with the protocol of the port where
 *     the frame came in; there it has the protocol 0;
 *   - a bridge without any VLAN setting does not convert 802.1ad tags;
 *   - addresses learned on a port are forgotten when its VLANs change.
 */
#include <errno.h>

#include "base/bytes.h"
#include "base/ether.h"
#include "bridge/bridge_impl.h"
#include "frame/tag.h"

static inline bool
is_tag(uint16_t type)
{
	return type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ;
}

bool
vlan_is_reserved(const struct frame *f)
{
	return (be64_get(f->data) >> 16 & ~0xfull) == 0x0180c2000000u;
}

int
vlan_enter(const struct bridge *br, const struct bridge_port *in,
    const struct frame *f, enum drop_reason *why)
{
	bool tagged = is_tag(be16_get(f->data + 12));
	uint32_t vid = 0, type_at = 12;

	*why = DROP_VLAN_BAD;
	if (tagged) {
		if (f->len < ETH_HDR_LEN + ETH_VLAN_LEN)
			return -1;
		vid = FRAME_VID(frame_tci(f));
		type_at += ETH_VLAN_LEN;
	}
	if (vid > VLAN_ID_MAX)
		return -1;
	if (in == NULL || (vid == 0 && vlan_is_reserved(f)))
		return (int)vid;
	if ((br->vlan_flags & BRIDGE_VLANFILTER) == 0)
		return vid != 0 ? (int)vid : in->pvid;
	*why = DROP_VLAN_INGRESS;
	if ((in->flags & BRIDGE_QINQ) == 0 &&
	    is_tag(be16_get(f->data + type_at)))
		return -1;
	if (vid != 0)
		return vlan_set_has(&in->tagged, vid) ? (int)vid : -1;
	return in->pvid != 0 ? in->pvid : -1;
}

bool
vlan_may_leave(const struct bridge_port *p, uint32_t vid, const struct frame *f)
{
	if ((p->bridge->vlan_flags & BRIDGE_VLANFILTER) == 0)
		return true;
	if (vid == 0)
		return vlan_is_reserved(f);
	return vid == p->pvid || vlan_set_has(&p->tagged, vid);
}

/* Forms: 0 is untagged. */
static const uint16_t form_tpid[VLAN_FORMS] = { 0, ETH_TYPE_VLAN,
	ETH_TYPE_QINQ };

static uint32_t
form_of(uint16_t tpid)
{
	return tpid == 0 ? 0 : tpid == ETH_TYPE_QINQ ? 2 : 1;
}

/* The form that @vid has on the wire of @p. */
static inline uint32_t
form_wanted(const struct bridge_port *p, uint32_t vid)
{
	return vid == p->pvid ? 0 : form_of(p->vlan_proto);
}

/* The form that @f is in, or VLAN_FORMS: tagged, but not with its VLAN. */
static inline uint32_t
form_now(const struct frame *f, uint32_t vid)
{
	uint16_t tpid = frame_tpid(f);

	if (tpid != 0 && FRAME_VID(frame_tci(f)) != vid)
		return VLAN_FORMS;
	return form_of(tpid);
}

/* Consumes a claim on @f.  NULL: no frame. */
static struct frame *
form_make(struct frame *f, uint32_t vid, uint32_t form)
{
	uint16_t tpid = frame_tpid(f), priority;

	if (form == 0)
		return frame_tag_take(f);
	if (tpid == 0)
		return frame_tag_put(f, form_tpid[form], (uint16_t)vid);
	priority = (uint16_t)(frame_tci(f) & ~0xfffu);
	return frame_tag_set(f, form_tpid[form], (uint16_t)(priority | vid));
}

struct frame *
vlan_dress(struct frame *f, uint32_t vid, const struct bridge_port *p)
{
	uint32_t form;

	if (vid == 0)
		return f;
	form = form_wanted(p, vid);
	return form == form_now(f, vid) ? f : form_make(f, vid, form);
}

struct frame *
vlan_dress_tagged(struct frame *f, uint32_t vid, uint16_t tpid)
{
	uint16_t now = frame_tpid(f);

	if (vid == 0 || (now != 0 && FRAME_VID(frame_tci(f)) == vid))
		return f;
	return form_make(f, vid, form_of(now != 0 ? now : tpid));
}

void
vlan_forms_begin(struct vlan_forms *v, struct frame *f, uint32_t vid)
{
	*v = (struct vlan_forms){
		.frame = f,
		.vid = vid,
		.now = vid != 0 ? form_now(f, vid) : VLAN_FORMS,
	};
}

struct frame *
vlan_forms_take(struct vlan_forms *v, const struct bridge_port *p)
{
	uint32_t form;

	if (v->vid == 0)
		return frame_take(v->frame);
	form = form_wanted(p, v->vid);
	if (form == v->now)
		return frame_take(v->frame);
	if (v->made[form] == NULL)
		v->made[form] = form_make(frame_take(v->frame), v->vid, form);
	return v->made[form] != NULL ? frame_take(v->made[form]) : NULL;
}

void
vlan_forms_end(struct vlan_forms *v)
{
	for (uint32_t i = 0; i < VLAN_FORMS; i++) {
		if (v->made[i] != NULL)
			frame_release(v->made[i]);
	}
}

/* Configuration. */

void
bridge_vlan_update(struct bridge *br)
{
	const struct bridge_port *p;
	bool work = (br->vlan_flags & BRIDGE_VLANFILTER) != 0;

	TAILQ_FOREACH (p, &br->members, link)
		work = work || p->pvid != 0 || p->vlan_proto != ETH_TYPE_VLAN;
	br->vlan_work = work;
}

void
bridge_vlan_join(struct bridge_port *p)
{
	const struct bridge *br = p->bridge;

	p->vlan_proto = ETH_TYPE_VLAN;
	p->pvid = (uint16_t)br->defuntagged;
	if ((br->vlan_flags & BRIDGE_DEFQINQ) != 0)
		p->flags |= BRIDGE_QINQ;
}

static void
port_vlans_changed(struct bridge_port *p)
{
	fdb_flush_port(&p->bridge->fdb, p->number, false);
	bridge_vlan_update(p->bridge);
}

static int
member_find(struct iface *bridge, struct iface *ifp, struct bridge_port **out)
{
	*out = bridge_member(bridge_of(bridge), ifp);
	if (*out != NULL)
		return 0;
	return net_error(bridge->net, -ENOENT, "%s is not a member of %s",
	    ifp->name, bridge->name);
}

int
bridge_set_untagged(struct iface *bridge, struct iface *ifp, uint32_t vid)
{
	struct bridge_port *p;
	int err;

	if (vid > VLAN_ID_MAX)
		return -EINVAL;
	err = member_find(bridge, ifp, &p);
	if (err < 0 || p->pvid == vid)
		return err;
	p->pvid = (uint16_t)vid;
	port_vlans_changed(p);
	return 0;
}

int
bridge_set_tagged(struct iface *bridge, struct iface *ifp,
    const struct vlan_set *set, enum bridge_vlan_op op)
{
	struct bridge_port *p;
	int err;

	if (vlan_set_has(set, 0) || vlan_set_has(set, VLAN_ID_MAX + 1))
		return -EINVAL;
	err = member_find(bridge, ifp, &p);
	if (err < 0)
		return err;
	switch (op) {
	case BRIDGE_VLAN_SET:
		p->tagged = *set;
		break;
	case BRIDGE_VLAN_ADD:
		vlan_set_add(&p->tagged, set);
		break;
	case BRIDGE_VLAN_DELETE:
		vlan_set_remove(&p->tagged, set);
		break;
	}
	port_vlans_changed(p);
	return 0;
}

int
bridge_set_vlan_proto(struct iface *bridge, struct iface *ifp, uint16_t tpid)
{
	struct bridge_port *p;
	int err;

	if (!is_tag(tpid))
		return -EINVAL;
	err = member_find(bridge, ifp, &p);
	if (err < 0)
		return err;
	p->vlan_proto = tpid;
	bridge_vlan_update(p->bridge);
	return 0;
}

void
bridge_set_vlan_flags(struct iface *bridge, uint32_t set, uint32_t clear)
{
	struct bridge *br = bridge_of(bridge);

	br->vlan_flags = (br->vlan_flags & ~clear) | set;
	bridge_vlan_update(br);
}

int
bridge_set_defuntagged(struct iface *bridge, uint32_t vid)
{
	if (vid > VLAN_ID_MAX)
		return -EINVAL;
	bridge_of(bridge)->defuntagged = vid;
	return 0;
}

int
bridge_set_group_fwd(struct iface *bridge, struct iface *ifp, uint32_t group,
    enum bridge_group_fwd what)
{
	struct bridge_port *p;
	int err;

	if (group >= BRIDGE_GROUPS || what > BRIDGE_GROUP_FORWARD)
		return -EINVAL;
	err = member_find(bridge, ifp, &p);
	if (err < 0)
		return err;
	p->group_fwd &= ~(3u << 2 * group);
	p->group_fwd |= (uint32_t)what << 2 * group;
	return 0;
}
