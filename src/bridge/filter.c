/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packet filters on the way through a bridge: F7 and what follows of it.
 *
 * A row of the table is a place where hooks are called: which list, which
 * interface they see, the sysctl that switches it, and what comes next.  A
 * frame enters the table at the first row of one of these ways, and leaves it
 * behind the last:
 *
 *     in       member IN, bridge IN              then it is looked up
 *     known    layer 2, bridge OUT, member OUT   then it is sent
 *     flood    bridge OUT                        then, for each port:
 *     port     layer 2, member OUT               then it is sent
 *     local    member IN                         then the host gets it
 *
 * As in FreeBSD, at the beginning of each way:
 *   - ARP and RARP pass, unless net.link.bridge.ipfw_arp shows them to layer 2;
 *   - what is neither these nor IP is dropped if pfil_onlyip is set, or seen by
 *     layer 2 only;
 *   - on the ways in the IP header is checked.
 * With pfil_member, pfil_bridge and ipfw all 0 nothing of this happens.
 *
 * Differs: a frame that a hook held (dummynet) goes on exactly behind the hook,
 * wherever that was; there only what layer 2 held stays in the bridge.
 */
#include "base/util.h"
#include "bridge/bridge_impl.h"
#include "frame/fragment.h"

enum seen {
	SEEN_IN,     /* the port that it came in by */
	SEEN_BRIDGE, /* the bridge */
	SEEN_OUT,    /* the port that it goes out of */
};

#define NEXT_NONE BRIDGE_STAGES

static const struct stage {
	enum seen seen;
	enum pfil_dir dir;
	bool ether;
	enum bridge_tunable on; /* if set */
	enum bridge_stage next;
} stages[] = {
	[BRIDGE_MEMBER_IN] = { SEEN_IN, PFIL_IN, false, BRIDGE_PFIL_MEMBER,
	    BRIDGE_BRIDGE_IN },
	[BRIDGE_BRIDGE_IN] = { SEEN_BRIDGE, PFIL_IN, false, BRIDGE_PFIL_BRIDGE,
	    NEXT_NONE },
	[BRIDGE_KNOWN_ETHER] = { SEEN_OUT, PFIL_OUT, true, BRIDGE_IPFW,
	    BRIDGE_KNOWN_BRIDGE },
	[BRIDGE_KNOWN_BRIDGE] = { SEEN_BRIDGE, PFIL_OUT, false,
	    BRIDGE_PFIL_BRIDGE, BRIDGE_MEMBER_OUT },
	[BRIDGE_FLOOD_BRIDGE] = { SEEN_BRIDGE, PFIL_OUT, false,
	    BRIDGE_PFIL_BRIDGE, NEXT_NONE },
	[BRIDGE_FLOOD_ETHER] = { SEEN_OUT, PFIL_OUT, true, BRIDGE_IPFW,
	    BRIDGE_MEMBER_OUT },
	[BRIDGE_MEMBER_OUT] = { SEEN_OUT, PFIL_OUT, false, BRIDGE_PFIL_MEMBER,
	    NEXT_NONE },
	[BRIDGE_LOCAL] = { SEEN_IN, PFIL_IN, false, BRIDGE_PFIL_MEMBER,
	    NEXT_NONE },
};

static bool
is_set(const struct bridge *br, enum bridge_tunable t)
{
	return bridge_tunable_get(bridge_vnet(br), t) != 0;
}

bool
bridge_filter_wanted(const struct vnet *vnet)
{
	return bridge_tunable_get(vnet, BRIDGE_PFIL_MEMBER) != 0 ||
	       bridge_tunable_get(vnet, BRIDGE_PFIL_BRIDGE) != 0 ||
	       bridge_tunable_get(vnet, BRIDGE_IPFW) != 0;
}

bool
bridge_stage_goes_out(enum bridge_stage stage)
{
	return stage == BRIDGE_KNOWN_BRIDGE || stages[stage].seen == SEEN_OUT;
}

static struct iface *
seen_iface(const struct bridge_filter *w, enum seen seen)
{
	switch (seen) {
	case SEEN_IN:
		return w->in->ifp;
	case SEEN_OUT:
		return w->out->ifp;
	case SEEN_BRIDGE:
		break;
	}
	return &w->br->ifp;
}

/* The way begins.  False: @f was dropped. */
static bool
enter(const struct bridge_filter *w, struct frame *f, enum pfil_kind kind,
    uint32_t l3, const struct stage *s)
{
	enum drop_reason why;

	if (kind == PFIL_KIND_OTHER && is_set(w->br, BRIDGE_PFIL_ONLYIP)) {
		iface_drop(seen_iface(w, s->seen), f, DROP_NOT_IP);
		return false;
	}
	if (s->dir == PFIL_IN && !pfil_check(f, kind, l3, &why)) {
		iface_drop(seen_iface(w, s->seen), f, why);
		return false;
	}
	return true;
}

/* Through one place.  NULL: dropped, or held. */
static struct frame *
place(const struct bridge_filter *w, struct frame *f, enum pfil_kind kind,
    uint16_t type, uint16_t l3, enum bridge_stage stage,
    const struct pfil_where *again)
{
	const struct stage *s = &stages[stage];
	struct pfil_packet p = {
		.frame = f,
		.ifp = seen_iface(w, s->seen),
		.vnet = host_vnet(&w->br->ifp),
		.dir = s->dir,
		.layer = s->ether                 ? PFIL_ETHER
		         : kind == PFIL_KIND_IP4 ? PFIL_IP4
		                                 : PFIL_IP6,
		.ethertype = type,
		.l3 = l3,
		.bridged = true,
		.trace = w->br->ifp.net->tracer != NULL,
		.where = {
		    .point = &bridge_point,
		    .in = w->in->ifp->index,
		    .bridge = w->br->ifp.index,
		    .to = w->out != NULL ? w->out->ifp->index : w->to,
		    .vid = (uint16_t)w->vid,
		    .stage = (uint8_t)stage,
		},
	};

	if (!is_set(w->br, s->on) ||
	    (!s->ether && kind != PFIL_KIND_IP4 && kind != PFIL_KIND_IP6) ||
	    !pfil_hooked(p.vnet, p.layer, p.dir))
		return f;
	p.rcvif = s->dir == PFIL_IN ? p.ifp : w->in->ifp;
	p.where.ifp = p.ifp->index;
	if (again != NULL) {
		p.where.hook = again->hook;
		p.where.cookie = again->cookie;
	}
	switch (pfil_run(&p)) {
	case PFIL_PASS:
		return p.frame;
	case PFIL_DROPPED:
		iface_drop(p.ifp, p.frame, p.why);
		break;
	case PFIL_CONSUMED:
		break;
	}
	return NULL;
}

struct frame *
bridge_filter(const struct bridge_filter *w, struct frame *f,
    enum bridge_stage from, const struct pfil_where *again)
{
	uint16_t type, l3;
	enum pfil_kind kind = pfil_look(f, &type, &l3);

	/* The gate, again: a sysctl may have changed meanwhile. */
	if (kind == PFIL_KIND_ARP && !is_set(w->br, BRIDGE_IPFW_ARP))
		return f;
	if (again == NULL && !enter(w, f, kind, l3, &stages[from]))
		return NULL;
	while (from != NEXT_NONE && f != NULL) {
		f = place(w, f, kind, type, l3, from, again);
		again = NULL;
		from = stages[from].next;
	}
	return f;
}

/* --- what is too long behind a filter ------------------------------------- */

bool
bridge_filter_too_long(const struct bridge_port *out, const struct frame *f)
{
	uint16_t type, l3;

	return !offload_fits(f, OFFLOAD_ALL, out->ifp->mtu) &&
	       is_set(out->bridge, BRIDGE_PFIL_MEMBER) &&
	       pfil_look(f, &type, &l3) == PFIL_KIND_IP4;
}

struct cut {
	const struct bridge_port *out;
	const struct offload_output *pieces;
};

/* A packet, or a segment of one. */
static void
cut_one(void *arg, struct frame *f)
{
	const struct cut *c = arg;
	uint16_t type, l3;
	enum drop_reason why;

	if (pfil_look(f, &type, &l3) == PFIL_KIND_IP4 &&
	    pfil_check(f, PFIL_KIND_IP4, l3, &why))
		fragment4(f, l3, c->pieces);
	else
		iface_drop(c->out->ifp, f, DROP_MTU);
}

static void
cut_drop(void *arg, struct frame *f, enum drop_reason why)
{
	const struct cut *c = arg;

	iface_drop(c->out->ifp, f, why);
}

void
bridge_filter_cut(const struct bridge_port *out, struct frame *f,
    offload_emit_fn *emit, offload_drop_fn *lost, void *arg)
{
	const struct offload_output pieces = {
		.mtu = out->ifp->mtu,
		.emit = emit,
		.drop = lost,
		.arg = arg,
	};
	struct cut c = { .out = out, .pieces = &pieces };
	const struct offload_output segments = {
		.emit = cut_one,
		.drop = cut_drop,
		.arg = &c,
	};

	if (f->off.gso_type != FRAME_GSO_NONE)
		offload_fit(f, &segments);
	else
		cut_one(&c, f);
}
