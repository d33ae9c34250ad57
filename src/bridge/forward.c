/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way of frames through a bridge.
 *
 * The rules are FreeBSD's if_bridge(4).  They are numbered here, and the
 * numbers stand at the code:
 *
 * Input from a member
 *   I1  the VLAN is that of the outermost tag, 0 if there is none
 *   I2  a vlan child of the member goes first (iface_input() has done that)
 *   I3  the bridge is down: the member is a plain interface
 *   I4  the bridge monitors: show, count, drop
 *   I5  VLAN ingress; the rules about VLANs are in vlan_rules.h
 *   I6  copy to the span ports
 *   I7  group addresses: 01:80:c2:00:00:00 is spanning tree's; else forwarded,
 *       and given to the host on the bridge and on every member; what a port's
 *       `group-fwd' says of reserved groups goes first, then its storm limits
 *   I8  unicast on a port that discards: as I3
 *   I9  unicast to or from an address of the bridge (in their VLAN, also of
 *       its vlan children) or a member, in that order, the receiving one
 *       first: to the host, or our own came back
 *   I10 forward
 * Forward
 *   F1 count; F2 port discards: drop; F3 learn; F4 port only learns: drop;
 *   F5 look up; F6 show on the bridge; F7 packet filters (filter.c), here and
 *   at the ports; F8 flood, within the
 *   port's storm limit;
 *   F9 to a known port: not if it is down, both are private, or it does not
 *   forward (spanning tree)
 * Flood
 *   L1 to each member in order, but not: the source, private to private, ports
 *   that do not forward, unknown unicast where DISCOVER is off, ports that are
 *   down
 * Transmit
 *   T1 VLAN egress; T2 count; T3 hand over
 * From the host
 *   H1 on the bridge: to the known port if it forwards, else flood
 *   H2 on a member: bridge down or in monitor mode, or the member does not
 *      forward: out of that member; copy to the span ports; known: to that port
 *      if it is up and forwards; else to all that are up and forward, but no
 *      tunnel; show on the bridge unless it is known behind that member
 *
 * Differs:
 *   - what is received to a group is given to the host side of every member
 *     (NetBSD), not only of the receiving one: an address on any member can be
 *     resolved through any port;
 *   - only members whose host side is in the bridge's vnet take part in I7 and
 *     I9, and no vether, whose host is behind its wire; no tunnel does, which
 *     has no address there either;
 *   - a port that only learns does not send either (802.1D 7.7.1); there it
 *     does, and a known port even when it discards (H1, H2): bridges beyond it
 *     would learn a way that is none;
 *   - where a member does not forward, its host is alone with the wire (H2, as
 *     I8); there a group goes to the other members as well, and arrives twice;
 *   - a frame over the receiving port's ifmaxaddr is not given to the host
 *     either;
 *   - a tagged frame for the host is given to it as it is, tag and all, if no
 *     vlan child of the bridge takes it;
 *   - frames are counted on the bridge as sent when they are handed to the
 *     port; what is lost there is the port's drop.
 *
 * Each frame ends in outputs, deliveries, or exactly one drop, counted on the
 * receiving interface (on the bridge for what the host sent on it).
 */
#include <stdio.h>

#include "base/bytes.h"
#include "base/ether.h"
#include "bridge/bridge_impl.h"
#include "bridge/vlan_rules.h"

/* What the first pass finds out about a frame. */
struct looked {
	uint64_t src_key, dst_key;
	uint32_t src_hash, dst_hash;
	uint32_t vid;
};

#define NO_GROUP BRIDGE_GROUPS

/* What holds for a whole batch. */
struct pass {
	struct bridge *br;
	struct bridge_port *in; /* NULL: the host's, on the bridge */
	uint32_t now_s;
	uint32_t expire_s;
	bool mirror;       /* the bridge's netdev listens to everything */
	bool trace;        /* a copy: every step is told */
	bool watch;        /* one of these two, or captures */
	bool vlan;         /* something about VLANs is configured */
	bool vlan_filter;  /* not all may leave everywhere */
	bool one_by_one;   /* ... or traced, filtered: a flood does not wait */
	bool filter;       /* packet filters look on (filter.c) */
	bool svi;          /* vlan children of the bridge got something */
	struct vnet *vnet; /* of the bridge's host side */
	uint64_t bytes, obytes;
	uint32_t packets, mcasts, opackets, omcasts;
	uint32_t flooded; /* frames in br->flooded */
	uint64_t learned; /* the last source that is where it was; 0: none */
};

static inline uint64_t
key_mac(uint64_t key)
{
	return key & 0xffffffffffffu;
}

static inline bool
key_is_group(uint64_t key)
{
	return (key >> 40 & 1) != 0;
}

/* 01:80:c2:00:00:00 to :0f */
static inline bool
key_is_reserved(uint64_t key)
{
	return (key_mac(key) & ~0xfull) == 0x0180c2000000u;
}

static inline enum bridge_group_fwd
port_group(const struct bridge_port *p, uint32_t group)
{
	return (enum bridge_group_fwd)(p->group_fwd >> 2 * group & 3);
}

static inline void
outlet_send(struct outlet *o)
{
	if (o->to_host)
		iface_host_deliver(o->ifp, &o->batch);
	else
		iface_output(o->ifp, &o->batch);
	o->batch.count = 0;
}

/* Consumes one claim on @f. */
static inline void
outlet_put(struct bridge *br, struct outlet *o, struct frame *f)
{
	if (!o->pending) {
		o->pending = true;
		SLIST_INSERT_HEAD(&br->pending, o, link);
	}
	o->batch.frames[o->batch.count++] = f;
	if (o->batch.count == FRAME_BATCH_MAX)
		outlet_send(o);
}

/* T3. The end of a batch: hand over all that is in the outlets. */
static inline void
outlets_send(struct bridge *br)
{
	struct outlet *o;

	while ((o = SLIST_FIRST(&br->pending)) != NULL) {
		SLIST_REMOVE_HEAD(&br->pending, link);
		if (SLIST_FIRST(&br->pending) != NULL)
			iface_prefetch(SLIST_FIRST(&br->pending)->ifp);
		o->pending = false;
		if (o->batch.count != 0)
			outlet_send(o);
	}
}

static void flood_end(struct pass *pass);
static struct pass pass_begin(struct bridge *br, struct bridge_port *in);
static void pass_end(struct pass *pass);

/* T2: @f is handed to @ports ports. */
static inline void
count_out(struct pass *pass, const struct frame *f, uint32_t ports)
{
	pass->opackets += ports;
	pass->obytes += (uint64_t)ports * f->len;
	if ((f->data[0] & 1) != 0)
		pass->omcasts += ports;
}

/* T1. May the VLAN leave here? */
static inline bool
vlan_egress(const struct pass *pass, const struct bridge_port *p, uint32_t vid,
    const struct frame *f)
{
	return __builtin_expect(!pass->vlan_filter, 1) ||
	       vlan_is_let_out(p, vid, f);
}

/* T1, T2: with the tag that the port wants. Consumes one claim on @f. */
static inline void
port_send(
    struct pass *pass, struct bridge_port *p, struct frame *f, uint32_t vid)
{
	if (__builtin_expect(pass->vlan, 0)) {
		f = vlan_dress(f, vid, p);
		if (f == NULL) {
			iface_count_drop(p->ifp, DROP_NO_FRAME, 1);
			return;
		}
	}
	if (__builtin_expect(pass->flooded != 0, 0))
		flood_end(pass);
	count_out(pass, f, 1);
	outlet_put(pass->br, &p->wire, f);
}

/* I1. -1: the tag is cut off. */
static inline int
frame_vid(const struct frame *f)
{
	uint16_t type = be16_get(f->data + 12);

	if (__builtin_expect(type != ETH_TYPE_VLAN && type != ETH_TYPE_QINQ, 1))
		return 0;
	if (f->len < ETH_HDR_LEN + ETH_VLAN_LEN)
		return -1;
	return be16_get(f->data + ETH_HDR_LEN) & 0xfff;
}

/* The first pass: parses, prefetches, drops what must not enter. */
static __attribute__((always_inline)) inline uint32_t
look_at(struct pass *pass, struct frame_batch *batch, struct looked *looked,
    bool vlan)
{
	const struct vlan_ingress in = vlan_ingress_of(pass->br, pass->in);
	struct bridge *br = pass->br;
	uint32_t n = 0;

	for (uint32_t i = 0; i < batch->count; i++) {
		struct frame *f = batch->frames[i];
		struct looked *l = &looked[n];
		enum drop_reason why = DROP_VLAN_BAD;
		int vid;

		vid = vlan ? vlan_enter(&in, f, &why) : frame_vid(f);
		/* I5. 4095 is none, and a tag must be whole. */
		if (__builtin_expect(vid < 0 || vid == 0xfff, 0)) {
			iface_drop(&br->ifp, f, why);
			continue;
		}
		l->vid = (uint32_t)vid;
		/* Both reads stay inside the Ethernet header. */
		l->dst_key =
		    fdb_key_u64(be64_get(f->data) >> 16, (uint32_t)vid);
		l->src_key = fdb_key_u64(
		    be64_get(f->data + ETH_ADDR_LEN) >> 16, (uint32_t)vid);
		l->dst_hash = fdb_hash(&br->fdb, l->dst_key);
		l->src_hash = fdb_hash(&br->fdb, l->src_key);
		fdb_prefetch(&br->fdb, l->dst_hash);
		fdb_prefetch(&br->fdb, l->src_hash);
		batch->frames[n++] = f;
	}
	batch->count = n;
	return n;
}

static inline uint32_t
look(struct pass *pass, struct frame_batch *batch, struct looked *looked)
{
	return pass->vlan ? look_at(pass, batch, looked, true)
	                  : look_at(pass, batch, looked, false);
}

/* The VLANs that were found. */
static void
told(const struct pass *pass, const struct frame_batch *batch,
    const struct looked *looked)
{
	for (uint32_t i = 0; i < batch->count; i++)
		trace_vlan(pass->br, pass->in, batch->frames[i], looked[i].vid);
}

/* The tag that is put on a frame of a port without one. */
static inline uint16_t
tpid_in(const struct pass *pass)
{
	return pass->in != NULL ? pass->in->vlan_proto : ETH_TYPE_VLAN;
}

/* I6, H2. */
static void
span(const struct pass *pass, const struct frame_batch *batch,
    struct looked *looked)
{
	struct bridge *br = pass->br;
	struct bridge_port *p;

	for (uint32_t i = 0; i < batch->count; i++) {
		struct frame *f = frame_take(batch->frames[i]);

		if (pass->vlan)
			f = vlan_dress_tagged(f, looked[i].vid, tpid_in(pass));
		TAILQ_FOREACH (p, &br->spans, link) {
			if (!iface_running(p->ifp))
				continue;
			if (pass->trace)
				net_trace(p->ifp, "span",
				    "span port %s gets a copy", p->ifp->name);
			if (f != NULL)
				outlet_put(br, &p->wire, frame_take(f));
			else
				iface_count_drop(p->ifp, DROP_NO_FRAME, 1);
		}
		if (f != NULL)
			frame_release(f);
	}
}

/* Does the host have this member, where the bridge is?  Not one without a link:
 * as NetBSD has it, the addresses of a card that is connected to nothing are
 * out of use. */
static inline bool
has_local_host(const struct pass *pass, const struct bridge_port *p)
{
	return p->ifp->host != NULL && !p->wire_host &&
	       p->ifp->host->vnet == pass->vnet &&
	       p->ifp->link != IFACE_LINK_DOWN;
}

/* The first of bridge (with its vlan children), receiving member, other members
 * that has the address of @key, as rank; 0: none. */
static uint32_t
own_find(const struct pass *pass, uint64_t key, struct bridge_port **out)
{
	const struct bridge *br = pass->br;
	uint64_t mac = key_mac(key);

	for (uint32_t slot = own_slot(br, mac); br->own[slot].rank != 0;
	     slot = (slot + 1) & br->own_mask) {
		const struct own_address *o = &br->own[slot];

		if (o->mac != mac ||
		    (o->vid != 0 && o->vid != fdb_key_vid(key)))
			continue;
		if (o->port == NULL) {
			if (br->ifp.host == NULL && br->ifp.vlans == NULL)
				continue;
			*out = NULL;
			return o->rank;
		}
		if (bridge_tunable_get(
		        bridge_vnet(br), BRIDGE_MEMBER_IFADDRS) == 0)
			continue;
		if (has_local_host(pass, pass->in) &&
		    mac_to_u64(pass->in->ifp->mac) == mac) {
			*out = pass->in;
			return 2;
		}
		if (!has_local_host(pass, o->port))
			continue;
		*out = o->port;
		return o->rank;
	}
	return 0;
}

static void
drop(const struct pass *pass, struct frame *f, enum drop_reason why)
{
	iface_drop(pass->in != NULL ? pass->in->ifp : &pass->br->ifp, f, why);
}

/* I3, I8. As if there were no bridge: to the member's own host. */
static void
to_member(struct pass *pass, struct frame *f, enum drop_reason why)
{
	struct bridge_port *in = pass->in;

	if (pass->flooded != 0)
		flood_end(pass);
	if (pass->trace)
		net_trace(in->ifp, "plain", "%s is a plain interface: %s",
		    in->ifp->name, drop_info(why)->text);
	if (in->ifp->host != NULL && !in->wire_host)
		outlet_put(pass->br, &in->host, f);
	else
		drop(pass, f, why);
}

static void
count_in(struct pass *pass, const struct frame *f)
{
	pass->packets++;
	pass->bytes += f->len;
}

/* F6. tcpdump on the bridge's netdev sees what is forwarded; what the host gets
 * anyway, and groups that it sent itself, it does not get twice. */
static inline void
show(const struct pass *pass, struct frame *f, uint32_t vid)
{
	if (__builtin_expect(!pass->mirror, 1))
		return;
	f = frame_take(f);
	if (pass->vlan)
		f = vlan_dress_tagged(f, vid, tpid_in(pass));
	if (f != NULL)
		outlet_put(pass->br, &pass->br->host, f);
	else
		iface_count_drop(&pass->br->ifp, DROP_NO_FRAME, 1);
}

static void
seen_slow(const struct pass *pass, struct frame *f, uint32_t vid, bool out)
{
	struct iface *ifp = &pass->br->ifp;
	struct frame_batch one = { .count = 1, .frames = { f } };
	struct frame *tagged = NULL;

	if (pass->vlan) {
		tagged = vlan_dress_tagged(frame_take(f), vid, tpid_in(pass));
		if (tagged != NULL)
			one.frames[0] = tagged;
	}
	ifp->capture->frames(ifp->capture, ifp, &one, out);
	if (tagged != NULL)
		frame_release(tagged);
}

/* F6, I7 d, H2. What captures on the bridge see, as BSD's bpf does: @f is not
 * consumed. */
static inline void
seen(const struct pass *pass, struct frame *f, uint32_t vid, bool out)
{
	if (__builtin_expect(pass->br->ifp.capture != NULL, 0))
		seen_slow(pass, f, vid, out);
}

/* To the host on the bridge: a vlan child of the bridge goes first.  Consumes a
 * claim on @f.  False: nobody is there, which is a drop if it is for it @only.
 */
static bool
to_bridge(struct pass *pass, struct frame *f, uint32_t vid, bool only)
{
	struct iface *ifp = &pass->br->ifp;

	if (pass->vlan) {
		f = vlan_dress_tagged(f, vid, tpid_in(pass));
		if (f == NULL) {
			iface_count_drop(ifp, DROP_NO_FRAME, 1);
			return true;
		}
	}
	if (vid != 0 && ifp->vlans != NULL && ifp->vlans->input(ifp, f)) {
		pass->svi = true;
		return true;
	}
	if (ifp->host == NULL || !ifp->host->up) {
		if (only)
			iface_drop(ifp, f, DROP_HOST_DOWN);
		else
			frame_release(f);
		return false;
	}
	outlet_put(pass->br, &pass->br->host, f);
	return true;
}

/* To the host of a member, which is in the VLANs that its wire is in.  Consumes
 * a claim on @f.  False: not in this one, which is a drop if it is for it
 * @only. */
static bool
to_host(struct pass *pass, struct bridge_port *p, struct frame *f, uint32_t vid,
    bool only)
{
	if (pass->flooded != 0)
		flood_end(pass);
	if (pass->vlan) {
		if (p != pass->in && !vlan_may_leave(p, vid, f)) {
			if (only)
				drop(pass, f, DROP_VLAN_EGRESS);
			else
				frame_release(f);
			return false;
		}
		f = vlan_dress(f, vid, p);
		if (f == NULL) {
			iface_count_drop(p->ifp, DROP_NO_FRAME, 1);
			return true;
		}
	}
	outlet_put(pass->br, &p->host, f);
	return true;
}

static void
moved(
    struct bridge *br, const struct bridge_port *in, uint64_t key, uint32_t old)
{
	struct net *net = br->ifp.net;
	const struct bridge_port *from = br->ports[old];
	char text[3 * IFACE_NAME_MAX + 64], mac_text[ETH_ADDR_STRLEN];
	uint8_t mac[ETH_ADDR_LEN];
	uint64_t held = 0;

	if (!ratelimit_allow(&br->flap_limit, net->now_ns, &held))
		return;
	u64_to_mac(key_mac(key), mac);
	snprintf(text, sizeof(text),
	    "%s: mac address %s vlan %u moved from %s to %s", br->ifp.name,
	    ether_format(mac, mac_text), fdb_key_vid(key),
	    from != NULL ? from->ifp->name : "?", in->ifp->name);
	if (bridge_tunable_get(bridge_vnet(br), BRIDGE_LOG_MAC_FLAP) != 0)
		log_notice("%s", text);
	bridge_event(br, NET_EVENT_MOVED, key, in->ifp, text, held);
}

/* Is the source held elsewhere? */
static bool
is_damped(struct pass *pass, uint64_t key)
{
	struct bridge *br = pass->br;
	const struct fdb_entry *e =
	    fdb_find(&br->fdb, key, fdb_hash(&br->fdb, key));

	if (e == NULL || e->type != FDB_DYNAMIC || e->expire_s <= pass->now_s ||
	    e->port == pass->in->number)
		return false;
	return !bridge_flap_allows(
	    br, key, e->port, pass->in->number, pass->now_s);
}

static bool
learn_slow(struct pass *pass, struct frame *f, uint64_t key)
{
	struct bridge *br = pass->br;
	struct bridge_port *in = pass->in;
	struct net *net = br->ifp.net;
	uint64_t held = 0;
	uint32_t old = 0;
	int result;

	if (br->flaps != NULL && is_damped(pass, key)) {
		drop(pass, f, DROP_MAC_FLAP);
		return false;
	}
	result = fdb_learn(&br->fdb, key, in->number,
	    (in->flags & BRIDGE_STICKY) != 0, pass->now_s, &old);
	if (pass->trace)
		trace_learned(in, key, result, old);
	if (result == FDB_MOVED)
		moved(br, in, key, old);
	else if (result == FDB_NEW && !TAILQ_EMPTY(&net->subscribers) &&
	         ratelimit_allow(&br->learned_limit, net->now_ns, &held))
		bridge_event(br, NET_EVENT_LEARNED, key, in->ifp, NULL, held);
	if (result >= 0 || br->fdb.ports[in->number].limit == 0)
		return true;
	drop(pass, f, DROP_ADDR_LIMIT);
	return false;
}

/* F3. False: @f was dropped, because its source is held elsewhere, or over the
 * limit that the port has. */
static inline bool
learn(struct pass *pass, struct frame *f, const struct looked *l)
{
	struct bridge_port *in = pass->in;

	if (__builtin_expect((in->flags & (BRIDGE_LEARNING | BRIDGE_TRACED)) !=
	                         BRIDGE_LEARNING,
	        0)) {
		if (pass->trace)
			trace_learning(in, l->src_key);
		if ((in->flags & BRIDGE_LEARNING) == 0)
			return true;
	}
	/* Frames come in trains. */
	if (l->src_key == pass->learned)
		return true;
	if (__builtin_expect(
	        !fdb_refresh(&pass->br->fdb, l->src_key, l->src_hash,
	            in->number, pass->now_s, pass->expire_s),
	        0))
		return learn_slow(pass, f, l->src_key);
	pass->learned = l->src_key;
	return true;
}

/* Why a port does not send. */
static enum drop_reason
stp_reason(const struct bridge_port *p)
{
	return p->state == BRIDGE_STP_LEARNING ? DROP_STP_LEARNING
	                                       : DROP_STP_DISCARDING;
}

/* F5. NULL: the destination is not known. */
static struct bridge_port *
known(const struct pass *pass, const struct looked *l)
{
	uint32_t number =
	    fdb_lookup(&pass->br->fdb, l->dst_key, l->dst_hash, pass->now_s);

	return number != FDB_NONE ? pass->br->ports[number] : NULL;
}

/* L1: why not to @p? */
static inline enum flood_skip
flood_skips(const struct pass *pass, const struct bridge_port *p, bool unknown)
{
	const struct bridge_port *in = pass->in;

	if (p == in)
		return FLOOD_SOURCE;
	if (in != NULL && (in->flags & p->flags & BRIDGE_PRIVATE) != 0)
		return FLOOD_PRIVATE;
	if (p->state != BRIDGE_STP_FORWARDING)
		return FLOOD_STP;
	if (unknown && (p->flags & BRIDGE_DISCOVER) == 0)
		return FLOOD_DISCOVER;
	return iface_running(p->ifp) ? FLOOD_TAKES : FLOOD_DOWN;
}

/* The same for a frame by itself, with what its VLAN or group adds. */
static inline enum flood_skip
flood_skips_one(const struct pass *pass, const struct bridge_port *p,
    const struct frame *f, uint32_t vid, bool unknown, uint32_t group)
{
	enum flood_skip why = flood_skips(pass, p, unknown);

	if (why == FLOOD_TAKES && !vlan_egress(pass, p, vid, f))
		why = FLOOD_VLAN;
	if (why == FLOOD_TAKES && group != NO_GROUP &&
	    port_group(p, group) != BRIDGE_GROUP_FORWARD)
		why = FLOOD_GROUP;
	if (__builtin_expect(pass->trace, 0))
		trace_skip(p, why);
	return why;
}

struct piece {
	struct pass *pass;
	struct bridge_port *to;
	uint32_t vid;
};

static void
piece_send(void *arg, struct frame *f)
{
	const struct piece *x = arg;

	port_send(x->pass, x->to, f, x->vid);
}

static void
piece_lost(void *arg, struct frame *f, enum drop_reason why)
{
	const struct piece *x = arg;

	iface_drop(x->to->ifp, f, why);
}

/* T1 to T3 behind a filter: what is too long goes in pieces.  Consumes @f. */
static void
filtered_send(
    struct pass *pass, struct bridge_port *p, struct frame *f, uint32_t vid)
{
	struct piece x = { pass, p, vid };

	if (__builtin_expect(bridge_filter_too_long(p, f), 0))
		bridge_filter_cut(p, f, piece_send, piece_lost, &x);
	else
		port_send(pass, p, f, vid);
}

/* L1: one of the ports of a flood.  Consumes @f. */
static void
filter_port(
    struct pass *pass, struct bridge_port *p, struct frame *f, uint32_t vid)
{
	const struct bridge_filter w = {
		.br = pass->br,
		.in = pass->in,
		.out = p,
		.vid = vid,
	};

	f = bridge_filter(&w, f, BRIDGE_FLOOD_ETHER, NULL);
	if (f != NULL)
		filtered_send(pass, p, f, vid);
}

/* L1 for one frame at once: where VLANs are configured, of a reserved group, or
 * traced.
 * Returns how many took it; the caller keeps its claim. */
static uint32_t
flood_one(struct pass *pass, struct frame *f, uint32_t vid, bool unknown,
    uint32_t group)
{
	struct bridge *br = pass->br;
	struct vlan_forms forms;
	struct bridge_port *p;
	struct frame *form;
	uint32_t count = 0;

	if (pass->flooded != 0)
		flood_end(pass);
	vlan_forms_begin(&forms, f, vid);
	TAILQ_FOREACH (p, &br->members, link) {
		if (flood_skips_one(pass, p, f, vid, unknown, group) !=
		    FLOOD_TAKES)
			continue;
		count++;
		if (__builtin_expect(pass->filter, 0)) {
			filter_port(pass, p, frame_take(f), vid);
			continue;
		}
		form = pass->vlan ? vlan_forms_take(&forms, p) : frame_take(f);
		if (form == NULL) {
			iface_count_drop(p->ifp, DROP_NO_FRAME, 1);
			continue;
		}
		count_out(pass, form, 1);
		outlet_put(br, &p->wire, form);
	}
	vlan_forms_end(&forms);
	return count;
}

/* I7 d: the host hears it on the bridge. */
static uint32_t
bridge_hears(struct pass *pass, struct frame *f, uint32_t vid)
{
	const struct iface *ifp = &pass->br->ifp;

	if ((ifp->host == NULL || !ifp->host->up) && ifp->vlans == NULL)
		return 0;
	return to_bridge(pass, frame_take(f), vid, false);
}

/* I7 e: has @p a host that hears it, too? */
static inline bool
member_hears(const struct pass *pass, const struct bridge_port *p)
{
	return has_local_host(pass, p) && p->ifp->host->up;
}

static uint32_t
members_hear(struct pass *pass, struct frame *f, uint32_t vid)
{
	struct bridge_port *p;
	uint32_t count = 0;

	TAILQ_FOREACH (p, &pass->br->members, link) {
		if (member_hears(pass, p))
			count += to_host(pass, p, frame_take(f), vid, false);
	}
	return count;
}

/* A claim ends: @f went to @takers. */
static inline void
flood_done(const struct pass *pass, struct frame *f, uint32_t takers)
{
	if (takers == 0)
		drop(pass, f, DROP_NO_PORT);
	else
		frame_release(f);
}

/* L1 and I7 e for the frames that gathered: port by port, since a port is more
 * memory than a frame. */
static void
flood_end(struct pass *pass)
{
	struct bridge *br = pass->br;
	uint32_t takers = 0, unknown_takers = 0, hearers = 0;
	struct bridge_port *p;

	TAILQ_FOREACH (p, &br->members, link) {
		const struct bridge_port *next = TAILQ_NEXT(p, link);
		bool discover = (p->flags & BRIDGE_DISCOVER) != 0;

		if (next != NULL) {
			__builtin_prefetch(&next->wire);
			__builtin_prefetch(next->ifp);
			next = TAILQ_NEXT(next, link);
			if (next != NULL)
				__builtin_prefetch(next);
		}
		if (pass->in != NULL && member_hears(pass, p)) {
			hearers++;
			for (uint32_t i = 0; i < pass->flooded; i++) {
				const struct flooded *x = &br->flooded[i];

				if (!x->unknown)
					outlet_put(
					    br, &p->host, frame_take(x->frame));
			}
		}
		if (flood_skips(pass, p, false) != FLOOD_TAKES)
			continue;
		takers++;
		unknown_takers += discover;
		for (uint32_t i = 0; i < pass->flooded; i++) {
			const struct flooded *x = &br->flooded[i];

			if (!x->unknown || discover)
				outlet_put(br, &p->wire, frame_take(x->frame));
		}
	}
	for (uint32_t i = 0; i < pass->flooded; i++) {
		const struct flooded *x = &br->flooded[i];
		uint32_t n = x->unknown ? unknown_takers : takers;

		count_out(pass, x->frame, n);
		if (!x->unknown)
			n += x->heard + hearers;
		flood_done(pass, x->frame, n);
	}
	pass->flooded = 0;
}

/* L1, and of a group from a port I7 e.  Consumes @f; @heard: has the bridge's
 * host got it already?  Frames that are flooded one after the other wait for
 * one another: whatever else goes to a port ends that. */
static inline void
flood(struct pass *pass, struct frame *f, uint32_t vid, bool unknown,
    uint32_t heard)
{
	if (__builtin_expect(!pass->one_by_one, 1)) {
		pass->br->flooded[pass->flooded++] =
		    (struct flooded){ f, heard, unknown };
		return;
	}
	if (pass->in != NULL && !unknown)
		heard += members_hear(pass, f, vid);
	flood_done(pass, f, flood_one(pass, f, vid, unknown, NO_GROUP) + heard);
}

/* L1 behind the filter's places on the bridge.  Consumes @f; @heard as in
 * flood(). */
static void
filtered_out(struct pass *pass, struct frame *f, uint32_t vid, bool unknown,
    uint32_t group, uint32_t heard)
{
	const struct bridge_filter w = {
		.br = pass->br,
		.in = pass->in,
		.vid = vid,
		.to = group,
	};

	f = bridge_filter(&w, f, BRIDGE_FLOOD_BRIDGE, NULL);
	if (f != NULL)
		flood_done(
		    pass, f, flood_one(pass, f, vid, unknown, group) + heard);
}

/* F7 and L1 of a group. */
static void
filtered_flood(struct pass *pass, struct frame *f, uint32_t vid, bool unknown,
    uint32_t group, uint32_t heard)
{
	const struct bridge_filter w = {
		.br = pass->br,
		.in = pass->in,
		.vid = vid,
		.to = group,
	};

	f = bridge_filter(&w, f, BRIDGE_MEMBER_IN, NULL);
	if (f != NULL)
		filtered_out(pass, f, vid, unknown, group, heard);
}

/* I7: not spanning tree's, and not refused by `group-fwd'. */
static bool
group_is_heard(const struct bridge_port *in, const struct frame *f)
{
	uint32_t group = f->data[ETH_ADDR_LEN - 1] & 0xfu;

	if (!vlan_is_reserved(f))
		return true;
	switch (port_group(in, group)) {
	case BRIDGE_GROUP_DROP:
		return false;
	case BRIDGE_GROUP_FORWARD:
		return true;
	default:
		return group != 0;
	}
}

/* Groups of other stations are given to the netdevs where the bridge is (I7); a
 * frame that the host sent has been seen on the netdev of that port. */
bool
bridge_port_host_gets(struct iface_stack *s, const struct iface *ifp,
    const struct frame *f, bool out)
{
	const struct bridge_port *p =
	    CONTAINER_OF(s, struct bridge_port, stack);
	const struct bridge *br = p->bridge;

	/* I3.  Out goes only what the host sent on this port. */
	if (!iface_running(&br->ifp))
		return true;
	if (out && br->from_host)
		return p == br->host_port;
	/* I4: no host is to have it. */
	if (!out && (br->ifp.flags & IFACE_MONITOR) != 0)
		return true;
	if (!ether_is_multicast(f->data)) /* I8 */
		return !out && p->state == BRIDGE_STP_DISCARDING;
	if (!out && !group_is_heard(p, f))
		return false;
	if (!out && p->state == BRIDGE_STP_DISCARDING)
		return true;
	return ifp->host->vnet == host_vnet(&br->ifp);
}

/* All that comes in is its host's; what goes out is a copy. */
bool
bridge_span_host_gets(struct iface_stack *s, const struct iface *ifp,
    const struct frame *f, bool out)
{
	(void)s;
	(void)ifp;
	(void)f;
	return !out;
}

/* I7.  False: more than the port's storm limit, and @f was dropped. */
static inline bool
group_allowed(struct pass *pass, struct frame *f, uint64_t key)
{
	enum bridge_storm which = key_mac(key) == 0xffffffffffffu
	                              ? BRIDGE_STORM_BROADCAST
	                              : BRIDGE_STORM_MULTICAST;

	if (bridge_storm_allows(pass->in, which))
		return true;
	drop(pass, f, bridge_storms[which].why);
	return false;
}

/* I7. */
static void
input_group(struct pass *pass, struct frame *f, const struct looked *l)
{
	bool reserved = key_is_reserved(l->dst_key);
	uint32_t group = NO_GROUP, heard;

	if (__builtin_expect(reserved && pass->in->group_fwd != 0, 0)) {
		enum bridge_group_fwd what =
		    port_group(pass->in, l->dst_key & 0xf);

		if (pass->trace)
			net_trace(pass->in->ifp, "group", "group-fwd of %s: %s",
			    pass->in->ifp->name, bridge_group_names[what]);
		if (what == BRIDGE_GROUP_DROP) {
			drop(pass, f, DROP_RESERVED);
			return;
		}
		if (what == BRIDGE_GROUP_FORWARD) {
			reserved = false;
			group = l->dst_key & 0xf;
		}
	}
	if (reserved && (l->dst_key & 0xf) == 0) {
		/* a. Spanning tree's, whether there is one or not.  What was
		 * decided before leaves before. */
		if (pass->flooded != 0)
			flood_end(pass);
		outlets_send(pass->br);
		bridge_stp_input(pass->in, f, l->vid);
		return;
	}
	if (pass->in->state == BRIDGE_STP_DISCARDING) {
		to_member(pass, f, DROP_STP_DISCARDING); /* b */
		return;
	}
	if (!reserved && !group_allowed(pass, f, l->dst_key))
		return;
	/* c: F1, F3, F4, F5, F8 */
	count_in(pass, f);
	if (!learn(pass, f, l))
		return;
	if (pass->trace)
		trace_group(pass->br, l->dst_key, reserved);
	seen(pass, f, l->vid, false);
	heard = bridge_hears(pass, f, l->vid); /* d, e */
	if (reserved) {
		if (member_hears(pass, pass->in))
			heard += to_host(
			    pass, pass->in, frame_take(f), l->vid, false);
	} else if (pass->in->state == BRIDGE_STP_LEARNING ||
	           group != NO_GROUP) {
		heard += members_hear(pass, f, l->vid);
	}
	if (pass->in->state == BRIDGE_STP_LEARNING || reserved) {
		if (heard != 0)
			frame_release(f);
		else
			drop(pass, f,
			    pass->in->state == BRIDGE_STP_LEARNING
			        ? DROP_STP_LEARNING
			        : DROP_RESERVED);
		return;
	}
	pass->mcasts++;
	if (__builtin_expect(pass->filter, 0)) {
		if (group == NO_GROUP)
			heard += members_hear(pass, f, l->vid);
		filtered_flood(pass, f, l->vid, false, group, heard);
		return;
	}
	if (group == NO_GROUP)
		flood(pass, f, l->vid, false, heard);
	else
		flood_done(
		    pass, f, flood_one(pass, f, l->vid, false, group) + heard);
}

/* I9: on the port that it came in by, besides where the host has it. */
static struct frame *
filter_local(const struct pass *pass, struct frame *f, uint32_t vid,
    const struct bridge_port *to)
{
	const struct bridge_filter w = {
		.br = pass->br,
		.in = pass->in,
		.vid = vid,
		.to = to != NULL ? to->ifp->index : pass->br->ifp.index,
	};

	if (bridge_tunable_get(pass->vnet, BRIDGE_PFIL_LOCAL_PHYS) == 0)
		return f;
	return bridge_filter(&w, f, BRIDGE_LOCAL, NULL);
}

/* I9. True: consumed. */
static bool
input_own(struct pass *pass, struct frame *f, const struct looked *l)
{
	struct bridge_port *to = NULL, *from = NULL;
	uint32_t to_rank = own_find(pass, l->dst_key, &to);
	uint32_t from_rank = own_find(pass, l->src_key, &from);

	if (to_rank == 0 && from_rank == 0)
		return false;
	if (pass->trace)
		trace_own(pass->br, to_rank != 0 ? l->dst_key : l->src_key,
		    to_rank != 0 ? to : from, to_rank != 0);
	if (to_rank == 0 || (from_rank != 0 && from_rank < to_rank)) {
		drop(pass, f, DROP_OWN_ADDRESS);
		return true;
	}
	if (!learn(pass, f, l))
		return true;
	if (to != pass->in) {
		count_in(pass, f);
		seen(pass, f, l->vid, false);
		if (to != NULL)
			show(pass, f, l->vid);
	}
	if (__builtin_expect(pass->filter, 0) && to != pass->in) {
		f = filter_local(pass, f, l->vid, to);
		if (f == NULL)
			return true;
	}
	if (to == NULL)
		(void)to_bridge(pass, f, l->vid, true);
	else
		(void)to_host(pass, to, f, l->vid, true);
	return true;
}

/* F6, and what is told of F5. */
static void
watched(
    struct pass *pass, struct frame *f, const struct looked *l, uint32_t number)
{
	if (pass->trace)
		trace_known(pass->br, l->dst_key,
		    number != FDB_NONE ? pass->br->ports[number] : NULL);
	if (number == pass->in->number)
		return;
	seen(pass, f, l->vid, false);
	show(pass, f, l->vid);
}

/* F9. False: @f was dropped. */
static inline bool
may_go(const struct pass *pass, struct bridge_port *out, struct frame *f,
    uint32_t vid)
{
	if (!iface_running(out->ifp))
		drop(pass, f, DROP_PORT_DOWN);
	else if ((pass->in->flags & out->flags & BRIDGE_PRIVATE) != 0)
		drop(pass, f, DROP_PRIVATE);
	else if (out->state != BRIDGE_STP_FORWARDING)
		drop(pass, f, stp_reason(out));
	else if (!vlan_egress(pass, out, vid, f))
		drop(pass, f, DROP_VLAN_EGRESS);
	else
		return true;
	return false;
}

/* --- behind a packet filter ------------------------------------------------
 */

/* F8 to F9 of a frame that has passed the ways in. */
static void
filtered_on(struct pass *pass, struct frame *f, uint32_t vid, uint32_t number)
{
	struct bridge_filter w = { .br = pass->br, .in = pass->in, .vid = vid };

	if (number == FDB_NONE) {
		if (bridge_storm_allows(pass->in, BRIDGE_STORM_UNKNOWN))
			filtered_out(pass, f, vid, true, NO_GROUP, 0);
		else
			drop(pass, f, DROP_STORM_UNKNOWN);
		return;
	}
	w.out = pass->br->ports[number];
	if (!may_go(pass, w.out, f, vid))
		return;
	f = bridge_filter(&w, f, BRIDGE_KNOWN_ETHER, NULL);
	if (f != NULL)
		filtered_send(pass, w.out, f, vid);
}

/* F7 to F9. */
static void
filtered(struct pass *pass, struct frame *f, uint32_t vid, uint32_t number)
{
	const struct bridge_filter w = {
		.br = pass->br,
		.in = pass->in,
		.vid = vid,
	};

	f = bridge_filter(&w, f, BRIDGE_MEMBER_IN, NULL);
	if (f != NULL)
		filtered_on(pass, f, vid, number);
}

static struct bridge_port *
where_port(const struct bridge *br, uint32_t index)
{
	struct iface *ifp = net_iface_by_index(br->ifp.net, index);

	return ifp != NULL ? bridge_member(br, ifp) : NULL;
}

/* The bridge of a frame that was held, and the port that it came in by; false:
 * one of them has gone, and @f with it. */
static bool
where_find(struct net *net, struct frame *f, const struct pfil_where *w,
    struct bridge_filter *out)
{
	struct iface *br = net_iface_by_index(net, w->bridge);
	struct bridge_port *in;

	if (br == NULL) {
		frame_release(f);
		return false;
	}
	in = where_port(bridge_of(br), w->in);
	if (in == NULL || !iface_running(br)) {
		iface_drop(
		    br, f, in == NULL ? DROP_DESTROYED : DROP_BRIDGE_DOWN);
		return false;
	}
	*out = (struct bridge_filter){
		.br = bridge_of(br),
		.in = in,
		.out = where_port(bridge_of(br), w->to),
		.vid = w->vid,
		.to = w->to,
	};
	return true;
}

/* To where the host has it, I9. */
static void
resume_local(struct pass *pass, struct frame *f, const struct bridge_filter *w)
{
	if (w->out != NULL)
		(void)to_host(pass, w->out, f, w->vid, true);
	else
		(void)to_bridge(pass, f, w->vid, true);
}

/* A hook that held @f gives it back. */
static void
bridge_resume(struct net *net, struct frame *f, const struct pfil_where *again)
{
	struct bridge_filter w;
	enum bridge_stage stage = again->stage;
	bool group = ether_is_multicast(f->data);
	struct pass pass;
	uint64_t key;

	if (!where_find(net, f, again, &w))
		return;
	pass = pass_begin(w.br, w.in);
	if (w.out == NULL && bridge_stage_goes_out(stage)) {
		drop(&pass, f, DROP_DESTROYED);
		return;
	}
	/* The switches may be off by now: then it just goes on. */
	pass.one_by_one = true;
	if (w.br->own_stale)
		own_fill(w.br);
	f = bridge_filter(&w, f, stage, again);
	if (f == NULL) {
		pass_end(&pass);
		return;
	}
	switch (stage) {
	case BRIDGE_MEMBER_IN:
	case BRIDGE_BRIDGE_IN:
		key = fdb_key_u64(be64_get(f->data) >> 16, w.vid);
		if (group)
			filtered_out(&pass, f, w.vid, false, w.to, 0);
		else
			filtered_on(&pass, f, w.vid,
			    fdb_lookup(&w.br->fdb, key,
			        fdb_hash(&w.br->fdb, key), pass.now_s));
		break;
	case BRIDGE_FLOOD_BRIDGE:
		flood_done(&pass, f, flood_one(&pass, f, w.vid, !group, w.to));
		break;
	case BRIDGE_LOCAL:
		resume_local(&pass, f, &w);
		break;
	case BRIDGE_KNOWN_ETHER:
	case BRIDGE_KNOWN_BRIDGE:
	case BRIDGE_FLOOD_ETHER:
	case BRIDGE_MEMBER_OUT:
		if (may_go(&pass, w.out, f, w.vid))
			filtered_send(&pass, w.out, f, w.vid);
		break;
	case BRIDGE_STAGES:
		COAX_UNREACHABLE();
	}
	pass_end(&pass);
}

/* Back out of the port that the frame came in by. */
static void
bridge_answer(struct net *net, struct frame *f, const struct pfil_where *to)
{
	struct bridge_filter w;
	struct frame_batch one = { .count = 1 };

	if (!where_find(net, f, to, &w))
		return;
	f = vlan_dress(f, w.vid, w.in);
	if (f == NULL) {
		iface_count_drop(w.in->ifp, DROP_NO_FRAME, 1);
		return;
	}
	one.frames[0] = f;
	iface_output(w.in->ifp, &one);
}

const struct pfil_point bridge_point = {
	.name = "bridge",
	.resume = bridge_resume,
	.answer = bridge_answer,
};

/* I10 and F. */
static inline void
forward(struct pass *pass, struct frame *f, const struct looked *l)
{
	struct bridge *br = pass->br;
	struct bridge_port *in = pass->in, *out;
	uint32_t number;

	count_in(pass, f);      /* F1 */
	if (!learn(pass, f, l)) /* F3 */
		return;
	if (__builtin_expect(in->state == BRIDGE_STP_LEARNING, 0)) {
		drop(pass, f, DROP_STP_LEARNING); /* F4 */
		return;
	}
	/* F5 */
	number = fdb_lookup(&br->fdb, l->dst_key, l->dst_hash, pass->now_s);
	if (__builtin_expect(pass->watch, 0))
		watched(pass, f, l, number);
	if (number == in->number) {
		drop(pass, f, DROP_SAME_PORT);
		return;
	}
	if (__builtin_expect(pass->filter, 0)) { /* F7 to F9 */
		filtered(pass, f, l->vid, number);
		return;
	}
	if (number == FDB_NONE) { /* F8 */
		if (bridge_storm_allows(in, BRIDGE_STORM_UNKNOWN))
			flood(pass, f, l->vid, true, 0);
		else
			drop(pass, f, DROP_STORM_UNKNOWN);
		return;
	}
	out = br->ports[number]; /* F9 */
	if (may_go(pass, out, f, l->vid))
		port_send(pass, out, f, l->vid);
}

static struct pass
pass_begin(struct bridge *br, struct bridge_port *in)
{
	const struct iface_host *h = br->ifp.host;
	struct pass pass = {
		.br = br,
		.in = in,
		.now_s = bridge_now_s(br),
		.vlan = br->vlan_work,
		.vlan_filter = (br->vlan_flags & BRIDGE_VLANFILTER) != 0,
		.mirror = h != NULL && h->promisc && h->up,
		.trace = br->ifp.net->tracer != NULL,
		.vnet = host_vnet(&br->ifp),
	};

	pass.filter = __builtin_expect(pass.vnet->pfil != NULL, 0) &&
	              bridge_filter_wanted(pass.vnet);
	pass.watch = pass.mirror || pass.trace || br->ifp.capture != NULL;
	pass.one_by_one = pass.vlan || pass.trace || pass.filter;
	pass.expire_s = fdb_expiry(&br->fdb, pass.now_s);
	return pass;
}

static void
pass_end(struct pass *pass)
{
	struct bridge *br = pass->br;

	if (pass->flooded != 0)
		flood_end(pass);
	br->ifp.count.ipackets += pass->packets;
	br->ifp.count.ibytes += pass->bytes;
	br->ifp.count.imcasts += pass->mcasts;
	br->ifp.count.opackets += pass->opackets;
	br->ifp.count.obytes += pass->obytes;
	br->ifp.count.omcasts += pass->omcasts;
	iface_captured_done(&br->ifp);
	outlets_send(br);
	if (__builtin_expect(pass->svi, 0))
		br->ifp.vlans->flush(&br->ifp);
	if (br->fdb.due_s < br->armed_s)
		bridge_age_arm(br);
}

/* I4. */
static void
input_monitor(struct bridge *br, struct frame_batch *batch)
{
	br->ifp.count.ipackets += batch->count;
	for (uint32_t i = 0; i < batch->count; i++)
		br->ifp.count.ibytes += batch->frames[i]->len;
	if (br->ifp.capture != NULL)
		iface_captured(&br->ifp, batch, false);
	iface_drop_batch(&br->ifp, batch, DROP_MONITOR);
}

void
bridge_port_input(
    struct iface_stack *s, struct iface *ifp, struct frame_batch *batch)
{
	struct bridge_port *in = CONTAINER_OF(s, struct bridge_port, stack);
	struct bridge *br = in->bridge;
	struct pass pass = pass_begin(br, in);
	struct looked looked[FRAME_BATCH_MAX];
	uint32_t count;

	if (__builtin_expect(!iface_running(&br->ifp), 0)) { /* I3 */
		for (uint32_t i = 0; i < batch->count; i++)
			to_member(&pass, batch->frames[i], DROP_BRIDGE_DOWN);
		outlets_send(br);
		return;
	}
	if ((br->ifp.flags & IFACE_MONITOR) != 0) {
		input_monitor(br, batch);
		return;
	}
	if (br->own_stale)
		own_fill(br);
	(void)ifp;
	count = look(&pass, batch, looked); /* I1, I5 */
	if (__builtin_expect(pass.trace, 0))
		told(&pass, batch, looked);
	if (!TAILQ_EMPTY(&br->spans))
		span(&pass, batch, looked);
	for (uint32_t i = 0; i < count; i++) {
		struct frame *f = batch->frames[i];
		const struct looked *l = &looked[i];

		if (key_is_group(l->dst_key))
			input_group(&pass, f, l);
		else if (__builtin_expect(
		             in->state == BRIDGE_STP_DISCARDING, 0))
			to_member(&pass, f, DROP_STP_DISCARDING); /* I8, F2 */
		else if (__builtin_expect(
		             !own_perhaps(br, key_mac(l->dst_key)) &&
		                 !own_perhaps(br, key_mac(l->src_key)),
		             1) ||
		         !input_own(&pass, f, l))
			forward(&pass, f, l);
	}
	pass_end(&pass);
}

/* A span port only sends; for its own host it is a plain interface. */
void
bridge_span_input(
    struct iface_stack *s, struct iface *ifp, struct frame_batch *batch)
{
	struct bridge_port *p = CONTAINER_OF(s, struct bridge_port, stack);

	if (ifp->host != NULL && !p->wire_host)
		iface_host_deliver(ifp, batch);
	else
		iface_drop_batch(ifp, batch, DROP_SPAN_INPUT);
}

/* H1. */
void
bridge_transmit(struct iface *ifp, struct frame_batch *batch)
{
	struct bridge *br = bridge_of(ifp);
	struct pass pass = pass_begin(br, NULL);
	struct looked looked[FRAME_BATCH_MAX];
	uint32_t count = look(&pass, batch, looked);

	if (__builtin_expect(pass.trace, 0))
		told(&pass, batch, looked);
	/* What the host sends on its netdev, that has seen already; and its
	 * filters have passed it. */
	pass.mirror = false;
	pass.filter = false;
	br->from_host = true;
	br->host_port = NULL;
	for (uint32_t i = 0; i < count; i++) {
		struct frame *f = batch->frames[i];
		const struct looked *l = &looked[i];
		struct bridge_port *out = NULL;
		bool group = key_is_group(l->dst_key);

		if (!group) {
			out = known(&pass, l);
			if (pass.trace)
				trace_known(br, l->dst_key, out);
		}
		if (out != NULL && out->state != BRIDGE_STP_FORWARDING)
			drop(&pass, f, stp_reason(out));
		else if (out != NULL && vlan_egress(&pass, out, l->vid, f))
			port_send(&pass, out, f, l->vid);
		else if (out != NULL)
			drop(&pass, f, DROP_VLAN_EGRESS);
		else
			flood(&pass, f, l->vid, !group, 0);
	}
	pass_end(&pass);
	br->from_host = false;
}

/* H2, unknown or group: every port that is up and forwards, the one that it was
 * sent on included. */
static uint32_t
host_flood(struct pass *pass, struct frame *f, uint32_t vid)
{
	struct bridge *br = pass->br;
	struct vlan_forms forms;
	struct bridge_port *p;
	struct frame *form;
	uint32_t count = 0;

	vlan_forms_begin(&forms, f, vid);
	TAILQ_FOREACH (p, &br->members, link) {
		if (p->tunnel || p->state != BRIDGE_STP_FORWARDING ||
		    !iface_running(p->ifp) || !vlan_egress(pass, p, vid, f))
			continue;
		form = pass->vlan ? vlan_forms_take(&forms, p) : frame_take(f);
		count++;
		if (form == NULL) {
			iface_count_drop(p->ifp, DROP_NO_FRAME, 1);
			continue;
		}
		count_out(pass, form, 1);
		outlet_put(br, &p->wire, form);
	}
	vlan_forms_end(&forms);
	return count;
}

/* H2. */
void
bridge_port_host_output(
    struct iface_stack *s, struct iface *ifp, struct frame_batch *batch)
{
	struct bridge_port *in = CONTAINER_OF(s, struct bridge_port, stack);
	struct bridge *br = in->bridge;
	struct pass pass = pass_begin(br, in);
	struct looked looked[FRAME_BATCH_MAX];
	uint32_t count;

	if (!iface_running(&br->ifp)) {
		iface_output(ifp, batch);
		return;
	}
	br->from_host = true;
	br->host_port = in;
	if ((br->ifp.flags & IFACE_MONITOR) != 0 ||
	    in->state != BRIDGE_STP_FORWARDING) {
		iface_output(ifp, batch);
		br->from_host = false;
		return;
	}
	pass.filter = false;
	count = look(&pass, batch, looked);
	if (__builtin_expect(pass.trace, 0))
		told(&pass, batch, looked);
	if (!TAILQ_EMPTY(&br->spans))
		span(&pass, batch, looked);
	for (uint32_t i = 0; i < count; i++) {
		struct frame *f = batch->frames[i];
		const struct looked *l = &looked[i];
		struct bridge_port *out = NULL;

		if (!key_is_group(l->dst_key)) {
			out = known(&pass, l);
			if (pass.trace)
				trace_known(br, l->dst_key, out);
			show(&pass, f, l->vid);
		}
		if (out != in)
			seen(&pass, f, l->vid, true);
		if (out == NULL) {
			if (host_flood(&pass, f, l->vid) == 0)
				drop(&pass, f, DROP_NO_PORT);
			else
				frame_release(f);
		} else if (!iface_running(out->ifp)) {
			drop(&pass, f, DROP_PORT_DOWN);
		} else if (out->state != BRIDGE_STP_FORWARDING) {
			drop(&pass, f, stp_reason(out));
		} else if (!vlan_egress(&pass, out, l->vid, f)) {
			drop(&pass, f, DROP_VLAN_EGRESS);
		} else {
			port_send(&pass, out, f, l->vid);
		}
	}
	pass_end(&pass);
	br->from_host = false;
}
