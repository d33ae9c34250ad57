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
 * What every frame goes through is inline here; the rest is in vlan.c.
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
#pragma once

#include "base/bytes.h"
#include "base/ether.h"
#include "bridge/bridge_impl.h"
#include "frame/tag.h"

/* Is it the type of a tag? */
static inline bool
vlan_is_tag(uint16_t type)
{
	return type == ETH_TYPE_VLAN || type == ETH_TYPE_QINQ;
}

/* To 01:80:c2:00:00:00 - :0f? */
static inline bool
vlan_is_reserved(const struct frame *f)
{
	return (be64_get(f->data) >> 16 & ~0xfull) == 0x0180c2000000u;
}

/* What a port says about the VLANs of frames that come in: read once a batch.
 */
struct vlan_ingress {
	const struct vlan_set *tagged; /* NULL: all may enter */
	int untagged; /* the VLAN of frames without a tag; -1: they must not */
	bool stacked; /* a second tag may follow */
	bool host;    /* not from a port: the bridge's host has sent it */
};

static inline struct vlan_ingress
vlan_ingress_of(const struct bridge *br, const struct bridge_port *in)
{
	bool filter = (br->vlan_flags & BRIDGE_VLANFILTER) != 0;
	struct vlan_ingress v = { .host = in == NULL, .stacked = true };

	if (in == NULL)
		return v;
	v.untagged = in->pvid;
	if (!filter)
		return v;
	v.tagged = &in->tagged;
	v.stacked = (in->flags & BRIDGE_QINQ) != 0;
	if (in->pvid == 0)
		v.untagged = -1;
	return v;
}

/* The VLAN of a frame with a tag, or with a part of one; -1 as below. */
static inline int
vlan_enter_tagged(
    const struct vlan_ingress *v, const struct frame *f, enum drop_reason *why)
{
	uint32_t vid;

	*why = DROP_VLAN_BAD;
	if (f->len < ETH_HDR_LEN + ETH_VLAN_LEN)
		return -1;
	vid = FRAME_VID(frame_tci(f));
	if (vid > VLAN_ID_MAX)
		return -1;
	if (v->host || (vid == 0 && vlan_is_reserved(f)))
		return (int)vid;
	*why = DROP_VLAN_INGRESS;
	if (!v->stacked &&
	    vlan_is_tag(be16_get(f->data + ETH_HDR_LEN + ETH_VLAN_LEN - 2)))
		return -1;
	if (vid == 0)
		return v->untagged;
	return v->tagged == NULL || vlan_set_has(v->tagged, vid) ? (int)vid
	                                                         : -1;
}

/* The VLAN of a frame that comes in; -1: it must not, @why. */
static inline int
vlan_enter(
    const struct vlan_ingress *v, const struct frame *f, enum drop_reason *why)
{
	if (vlan_is_tag(be16_get(f->data + ETH_HDR_LEN - 2)))
		return vlan_enter_tagged(v, f, why);
	*why = DROP_VLAN_INGRESS;
	return v->untagged != 0 && vlan_is_reserved(f) ? 0 : v->untagged;
}

/* V5, filter on. */
static inline bool
vlan_is_let_out(
    const struct bridge_port *p, uint32_t vid, const struct frame *f)
{
	if (vid == 0)
		return vlan_is_reserved(f);
	return vid == p->pvid || vlan_set_has(&p->tagged, vid);
}

/* V5. */
static inline bool
vlan_may_leave(const struct bridge_port *p, uint32_t vid, const struct frame *f)
{
	return (p->bridge->vlan_flags & BRIDGE_VLANFILTER) == 0 ||
	       vlan_is_let_out(p, vid, f);
}

/* The forms of a frame: untagged, 802.1Q, 802.1ad. */
#define VLAN_FORMS 3

static inline uint32_t
vlan_form_of(uint16_t tpid)
{
	return tpid == 0 ? 0 : tpid == ETH_TYPE_QINQ ? 2 : 1;
}

/* V6: the form that @vid has on the wire of @p. */
static inline uint32_t
vlan_form_wanted(const struct bridge_port *p, uint32_t vid)
{
	return vid == p->pvid ? 0 : vlan_form_of(p->vlan_proto);
}

/* The form that @f is in, or VLAN_FORMS: tagged, but not with its VLAN. */
static inline uint32_t
vlan_form_now(const struct frame *f, uint32_t vid)
{
	uint16_t tpid = frame_tpid(f);

	if (tpid != 0 && FRAME_VID(frame_tci(f)) != vid)
		return VLAN_FORMS;
	return vlan_form_of(tpid);
}

/* Another form of @f, of which it consumes a claim.  NULL: no frame. */
struct frame *vlan_form_make(struct frame *f, uint32_t vid, uint32_t form);

/* @f as it goes on the wire of @p; consumes a claim. NULL: no frame. */
static inline struct frame *
vlan_dress(struct frame *f, uint32_t vid, const struct bridge_port *p)
{
	uint32_t form;

	if (vid == 0)
		return f;
	form = vlan_form_wanted(p, vid);
	if (form == vlan_form_now(f, vid))
		return f;
	if (form != 0 && frame_tpid(f) == 0) /* from access to trunk */
		return frame_tag_put(f, p->vlan_proto, (uint16_t)vid);
	return vlan_form_make(f, vid, form);
}

/* @f tagged, with @tpid if it is not yet; consumes a claim. NULL: no frame. */
struct frame *vlan_dress_tagged(struct frame *f, uint32_t vid, uint16_t tpid);

/* One frame that many ports get. */
struct vlan_forms {
	struct frame *frame; /* borrowed */
	uint32_t vid;
	uint32_t now; /* form of @frame */
	struct frame *made[VLAN_FORMS];
};
void vlan_forms_begin(struct vlan_forms *v, struct frame *f, uint32_t vid);
/* A claim on the form for @p; NULL: no frame. */
struct frame *vlan_forms_take(
    struct vlan_forms *v, const struct bridge_port *p);
void vlan_forms_end(struct vlan_forms *v);
