/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VLANs on a bridge: frames in other forms, and configuration.  The rules are
 * in vlan_rules.h.
 */
#include <errno.h>

#include "bridge/vlan_rules.h"

/* Forms: 0 is untagged. */
static const uint16_t form_tpid[VLAN_FORMS] = { 0, ETH_TYPE_VLAN,
	ETH_TYPE_QINQ };

struct frame *
vlan_form_make(struct frame *f, uint32_t vid, uint32_t form)
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
vlan_dress_tagged(struct frame *f, uint32_t vid, uint16_t tpid)
{
	uint16_t now = frame_tpid(f);

	if (vid == 0 || (now != 0 && FRAME_VID(frame_tci(f)) == vid))
		return f;
	return vlan_form_make(f, vid, vlan_form_of(now != 0 ? now : tpid));
}

void
vlan_forms_begin(struct vlan_forms *v, struct frame *f, uint32_t vid)
{
	*v = (struct vlan_forms){
		.frame = f,
		.vid = vid,
		.now = vid != 0 ? vlan_form_now(f, vid) : VLAN_FORMS,
	};
}

struct frame *
vlan_forms_take(struct vlan_forms *v, const struct bridge_port *p)
{
	uint32_t form;

	if (v->vid == 0)
		return frame_take(v->frame);
	form = vlan_form_wanted(p, v->vid);
	if (form == v->now)
		return frame_take(v->frame);
	if (v->made[form] == NULL)
		v->made[form] =
		    vlan_form_make(frame_take(v->frame), v->vid, form);
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

	if (!vlan_is_tag(tpid))
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
