/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A frame is followed through copies; see trace.h.
 */
#include "bridge/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ether.h"
#include "base/list.h"
#include "base/util.h"
#include "bridge/bridge_impl.h"
#include "frame/tag.h"
#include "net/impair.h"
#include "net/info.h"

#define TAGS_SHOWN 8u
#define COPY_SMALL 512u /* frames of the copy's pool */
#define COPY_LARGE 8u

/* The copy of an interface. */
struct copy {
	const struct iface *real;
	struct iface *ifp; /* a struct bridge, if the real one is */
	struct iface_ops ops;
	struct iface_host host;
	struct iface_vlans vlans;
	struct iface_capture capture;
	struct trace *trace;
	LIST_ENTRY(copy) link;
};
LIST_HEAD(copy_list, copy);

struct trace {
	struct net_tracer tracer;
	struct net *net; /* of the copies */
	struct info *out;
	struct copy_list copies;
	uint64_t macs[2];     /* of the frame */
	struct vlan_set vids; /* in its tags, and 0 */
	bool failed;          /* memory is out */
};

/* --- What is told ----------------------------------------------------------
 */

static void
step_begin(struct info *out, const char *step, const struct iface *ifp,
    const char *text)
{
	info_object(out, NULL);
	info_str(out, "step", step);
	info_str(out, "iface", ifp->name);
	info_str(out, "text", text);
}

static void
tell(struct net_tracer *t, const struct iface *ifp, const char *step,
    const char *text)
{
	struct info *out = CONTAINER_OF(t, struct trace, tracer)->out;

	step_begin(out, step, ifp, text);
	info_end(out);
}

/* "untagged"; "802.1Q 20 in 802.1ad 5" */
static void
tags_text(const struct frame *f, char *text, size_t size)
{
	uint32_t at = ETH_HDR_LEN - 2;
	size_t len = 0;

	snprintf(text, size, "untagged");
	for (uint32_t i = 0; i < TAGS_SHOWN && at + 4 <= f->len; i++) {
		uint16_t tpid = be16_get(f->data + at);

		if (tpid != ETH_TYPE_VLAN && tpid != ETH_TYPE_QINQ)
			break;
		len += (size_t)snprintf(text + len, size - len, "%s%s tag %u",
		    i != 0 ? ", " : "",
		    tpid == ETH_TYPE_QINQ ? "802.1ad" : "802.1Q",
		    FRAME_VID(be16_get(f->data + at + 2)));
		if (len >= size)
			return;
		at += ETH_VLAN_LEN;
	}
}

static void
put_tags(struct info *out, const struct frame *f)
{
	uint32_t at = ETH_HDR_LEN - 2;

	info_list(out, "tags");
	for (uint32_t i = 0; i < TAGS_SHOWN && at + 4 <= f->len; i++) {
		uint16_t tpid = be16_get(f->data + at);

		if (tpid != ETH_TYPE_VLAN && tpid != ETH_TYPE_QINQ)
			break;
		info_object(out, NULL);
		info_str(
		    out, "tpid", tpid == ETH_TYPE_QINQ ? "802.1ad" : "802.1q");
		info_u64(out, "vlan", FRAME_VID(be16_get(f->data + at + 2)));
		info_end(out);
		at += ETH_VLAN_LEN;
	}
	info_end(out);
}

/* A frame leaves. */
static void
tell_frame(const struct iface *ifp, const char *step, const struct frame *f,
    const char *where)
{
	struct trace *t = CONTAINER_OF(ifp->net->tracer, struct trace, tracer);
	char tags[160], text[320];

	tags_text(f, tags, sizeof(tags));
	snprintf(text, sizeof(text), "%s, %s", where, tags);
	step_begin(t->out, step, ifp, text);
	put_tags(t->out, f);
	info_u64(t->out, "length", f->len);
	info_end(t->out);
}

static void
told_dropped(struct iface_capture *c, struct iface *ifp, const struct frame *f,
    enum drop_reason why, bool out, uint64_t n)
{
	struct trace *t = CONTAINER_OF(c, struct copy, capture)->trace;

	(void)f, (void)out, (void)n;
	step_begin(t->out, "drop", ifp, drop_info(why)->text);
	info_str(t->out, "reason", drop_info(why)->name);
	info_end(t->out);
}

static void
told_frames(struct iface_capture *c, struct iface *ifp,
    const struct frame_batch *batch, bool out)
{
	(void)c, (void)ifp, (void)batch, (void)out;
}

static void
told_detach(struct iface_capture *c, struct iface *ifp)
{
	(void)c, (void)ifp;
}

/* "", or " of vnet NAME" */
static void
vnet_text(const struct vnet *vnet, char *text, size_t size)
{
	text[0] = '\0';
	if (vnet != NULL && vnet->name[0] != '\0')
		snprintf(text, size, " of vnet %s", vnet->name);
}

static const struct copy *
copy_of(const struct iface *ifp)
{
	return (const struct copy *)(const void *)((const char *)ifp->ops -
	                                           offsetof(struct copy, ops));
}

/* It had to be left out of the copy: what it does is not foreseen. */
static void
tell_impair(const struct iface *real, const struct iface *ifp,
    enum impair_direction dir, const char *where)
{
	const struct impair_config *config = iface_impair_config(real, dir);
	char text[IMPAIR_TEXT_MAX];

	if (config == NULL)
		return;
	net_trace(ifp, "impair", "the wire of %s may lose or change it %s (%s)",
	    ifp->name, where, impair_format(config, false, text));
}

static struct copy *copy_find(const struct trace *t, const struct iface *real);
static struct iface *copy_get(struct trace *t, const struct iface *real);
static struct iface *copy_bridge(struct trace *t, const struct iface *real);

/* What goes out of a VLAN goes on to its parent, with a tag. */
static void
vlan_goes_on(struct iface *ifp, struct frame_batch *batch)
{
	const struct copy *c = copy_of(ifp);
	const struct iface *parent = c->real->parent;
	struct iface *on = NULL;
	struct frame_batch out = { 0 };
	uint16_t tpid = 0, tci = 0;
	uint32_t vid;

	parent->vlans->tag(c->real, &tpid, &tci);
	vid = FRAME_VID(tci);
	net_trace(ifp, "vlan", "%s is VLAN %u of %s: on with an %s tag",
	    ifp->name, vid, parent->name,
	    tpid == ETH_TYPE_QINQ ? "802.1ad" : "802.1Q");
	/* Its bridge is copied with what it knows in that VLAN. */
	c->trace->vids.words[vid / 64] |= 1ull << vid % 64;
	if (copy_find(c->trace, parent) != NULL || !bridge_is(parent))
		on = copy_get(c->trace, parent);
	else
		on = copy_bridge(c->trace, parent);
	for (uint32_t i = 0; i < batch->count; i++) {
		struct frame *f = frame_tag_put(batch->frames[i], tpid, tci);

		if (f == NULL)
			c->trace->failed = true;
		else if (on == NULL)
			frame_release(f);
		else
			out.frames[out.count++] = f;
	}
	if (out.count != 0)
		iface_output(on, &out);
}

/* A driver is given frames. */
static void
told_transmit(struct iface *ifp, struct frame_batch *batch)
{
	bool host = (ifp->ops->kind_flags & IFACE_KIND_HOST_IS_WIRE) != 0;
	char where[160], vnet[80];

	if (host && (ifp->host == NULL || !ifp->host->up)) {
		iface_drop_batch(ifp, batch, DROP_HOST_DOWN);
		return;
	}
	if (host) {
		vnet_text(ifp->host->vnet, vnet, sizeof(vnet));
		snprintf(where, sizeof(where), "out of %s to the host%s",
		    ifp->name, vnet);
	} else {
		snprintf(where, sizeof(where), "out of %s%s", ifp->name,
		    ifp->link == IFACE_LINK_DOWN ? ", which has no link" : "");
	}
	tell_impair(copy_of(ifp)->real, ifp, IMPAIR_OUT, "on its way out");
	if (ifp->parent != NULL) {
		vlan_goes_on(ifp, batch);
		return;
	}
	for (uint32_t i = 0; i < batch->count; i++) {
		tell_frame(ifp, "send", batch->frames[i], where);
		frame_release(batch->frames[i]);
	}
}

/* A host is given frames. */
static void
told_deliver(struct iface_host *h, struct iface *ifp, struct frame_batch *batch)
{
	char where[160], vnet[80];

	vnet_text(h->vnet, vnet, sizeof(vnet));
	snprintf(where, sizeof(where), "to the host%s on %s", vnet, ifp->name);
	for (uint32_t i = 0; i < batch->count; i++) {
		tell_frame(ifp, "host", batch->frames[i], where);
		frame_release(batch->frames[i]);
	}
}

/* --- Copies ----------------------------------------------------------------
 */

/* A vlan child takes what is its own. */
static bool
copy_vlan_input(struct iface *parent, struct frame *f)
{
	const struct copy *c = copy_of(parent);
	uint16_t tpid = frame_tpid(f);
	uint32_t vid = tpid != 0 ? FRAME_VID(frame_tci(f)) : 0, found = vid;
	struct frame_batch batch = { .count = 1 };
	struct iface *child;

	if (tpid == 0)
		return false;
	child = c->real->vlans->next(c->real, &found);
	if (child == NULL || found != vid)
		return false;
	child = copy_get(c->trace, child);
	f = frame_tag_take(f);
	if (child == NULL || f == NULL) {
		if (f != NULL)
			frame_release(f);
		return true;
	}
	net_trace(child, "vlan", "VLAN %u of %s is %s: without its tag", vid,
	    parent->name, child->name);
	batch.frames[0] = f;
	iface_input(child, &batch);
	return true;
}

static struct iface *
copy_vlan_next(const struct iface *parent, uint32_t *vid)
{
	const struct iface *real = copy_of(parent)->real;

	return real->vlans->next(real, vid);
}

static void
copy_vlan_flush(struct iface *parent)
{
	(void)parent;
}

static struct bridge_port *
port_copy(struct trace *t, struct bridge *br, const struct bridge_port *real)
{
	struct bridge_port *p = aligned_alloc(IFACE_ALIGN, sizeof(*p));

	if (p == NULL)
		return NULL;
	*p = *real;
	p->bridge = br;
	p->flags |= BRIDGE_TRACED;
	p->stack.master = &br->ifp;
	p->wire.pending = p->host.pending = false;
	p->wire.batch.count = p->host.batch.count = 0;
	p->ifp = NULL;
	TAILQ_INSERT_TAIL(
	    real->number != 0 ? &br->members : &br->spans, p, link);
	if (real->number != 0)
		br->ports[real->number] = p;
	p->ifp = copy_get(t, real->ifp);
	if (p->ifp == NULL)
		return NULL;
	p->wire.ifp = p->host.ifp = p->ifp;
	p->ifp->stack = &p->stack;
	return p;
}

/* Of @real and all its ports; the frame comes in by @in (NULL: the host's). */
static bool
bridge_copy(struct trace *t, struct bridge *br, const struct bridge *real,
    const struct bridge_port *in)
{
	const struct bridge_port *p;
	struct vlan_set vids = t->vids;

	TAILQ_INIT(&br->members);
	TAILQ_INIT(&br->spans);
	SLIST_INIT(&br->pending);
	br->stp = NULL;
	br->own = NULL;
	br->fdb = (struct fdb){ 0 };
	br->age_timer = (struct timer){ 0 };
	br->host.ifp = &br->ifp;
	br->host.pending = false;
	br->host.batch.count = 0;
	br->ports = calloc(br->ports_size, sizeof(struct bridge_port *));
	if (br->ports == NULL || bridge_flaps_copy(br) < 0) {
		br->flaps = NULL;
		return false;
	}
	if (in != NULL)
		vids.words[in->pvid / 64] |= 1ull << in->pvid % 64;
	if (fdb_copy_part(&real->fdb, t->macs, ARRAY_LEN(t->macs), &vids,
	        bridge_now_s(real), &br->fdb) < 0)
		return false;
	TAILQ_FOREACH (p, &real->members, link) {
		if (port_copy(t, br, p) == NULL)
			return false;
	}
	TAILQ_FOREACH (p, &real->spans, link) {
		if (port_copy(t, br, p) == NULL)
			return false;
	}
	return own_reserve(br) == 0;
}

static void
bridge_copy_free(struct bridge *br)
{
	struct bridge_port *p;

	while ((p = TAILQ_FIRST(&br->members)) != NULL) {
		TAILQ_REMOVE(&br->members, p, link);
		free(p);
	}
	while ((p = TAILQ_FIRST(&br->spans)) != NULL) {
		TAILQ_REMOVE(&br->spans, p, link);
		free(p);
	}
	fdb_fini(&br->fdb);
	free(br->ports);
	free(br->own);
	free(br->flaps);
}

/* The port of @real, and its bridge; NULL: it is in none. */
static const struct bridge_port *
port_of(const struct iface *real, const struct bridge **br)
{
	if (real->stack == NULL || !bridge_is(real->stack->master))
		return NULL;
	*br = bridge_of_const(real->stack->master);
	return CONTAINER_OF(real->stack, const struct bridge_port, stack);
}

static struct copy *
copy_find(const struct trace *t, const struct iface *real)
{
	struct copy *c;

	LIST_FOREACH (c, &t->copies, link) {
		if (c->real == real)
			return c;
	}
	return NULL;
}

/* The copy without what it hangs on. */
static struct copy *
copy_make(struct trace *t, const struct iface *real)
{
	bool bridge = bridge_is(real);
	size_t size = bridge ? sizeof(struct bridge) : sizeof(struct iface);
	struct copy *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->ifp = aligned_alloc(IFACE_ALIGN, size);
	if (c->ifp == NULL) {
		free(c);
		return NULL;
	}
	memcpy(c->ifp, real, size);
	c->real = real;
	c->trace = t;
	c->ops = (struct iface_ops){
		.kind = real->ops->kind,
		.kind_flags = real->ops->kind_flags,
		.transmit = bridge ? bridge_transmit : told_transmit,
	};
	c->capture.frames = told_frames;
	c->capture.dropped = told_dropped;
	c->capture.detach = told_detach;
	c->ifp->ops = &c->ops;
	c->ifp->net = t->net;
	c->ifp->capture = &c->capture;
	c->ifp->impair = NULL;
	c->ifp->stack = NULL;
	c->ifp->ready = c->ifp->flush_later = false;
	if (real->host != NULL) {
		c->host = (struct iface_host){
			.deliver = told_deliver,
			.vnet = real->host->vnet,
			.up = real->host->up,
		};
		c->ifp->host = &c->host;
	}
	if (real->vlans != NULL) {
		c->vlans = (struct iface_vlans){
			.input = copy_vlan_input,
			.flush = copy_vlan_flush,
			.next = copy_vlan_next,
		};
		c->ifp->vlans = &c->vlans;
	}
	LIST_INSERT_HEAD(&t->copies, c, link);
	return c;
}

/* NULL: memory is out. */
static struct iface *
copy_get(struct trace *t, const struct iface *real)
{
	const struct bridge_port *port;
	const struct bridge *br;
	struct copy *c = copy_find(t, real), *b;

	if (c != NULL)
		return c->ifp;
	c = copy_make(t, real);
	if (c == NULL)
		goto out_failed;
	/* A member's bridge is there already if the member is copied for it. */
	port = port_of(real, &br);
	if (port == NULL || copy_find(t, &br->ifp) != NULL)
		return c->ifp;
	b = copy_make(t, &br->ifp);
	if (b != NULL && bridge_copy(t, bridge_of(b->ifp), br, port))
		return c->ifp;

out_failed:
	t->failed = true;
	return NULL;
}

/* The same for a bridge on which the host sends. */
static struct iface *
copy_bridge(struct trace *t, const struct iface *real)
{
	struct copy *c = copy_make(t, real);

	if (c != NULL &&
	    bridge_copy(t, bridge_of(c->ifp), bridge_of_const(real), NULL))
		return c->ifp;
	t->failed = true;
	return NULL;
}

static void
copies_free(struct trace *t)
{
	struct copy *c;

	while ((c = LIST_FIRST(&t->copies)) != NULL) {
		LIST_REMOVE(c, link);
		if (bridge_is(c->real))
			bridge_copy_free(bridge_of(c->ifp));
		free(c->ifp);
		free(c);
	}
}

/* --- A frame ---------------------------------------------------------------
 */

static void
note_vids(struct trace *t, const struct frame *f)
{
	uint32_t at = ETH_HDR_LEN - 2;

	t->vids.words[0] = 1;
	for (uint32_t i = 0; i < TAGS_SHOWN && at + 4 <= f->len; i++) {
		uint16_t tpid = be16_get(f->data + at);
		uint32_t vid = FRAME_VID(be16_get(f->data + at + 2));

		if (tpid != ETH_TYPE_VLAN && tpid != ETH_TYPE_QINQ)
			break;
		t->vids.words[vid / 64] |= 1ull << vid % 64;
		at += ETH_VLAN_LEN;
	}
}

static void
run(struct trace *t, const struct trace_request *r, struct frame *f)
{
	struct frame_batch batch = { .count = 1, .frames = { f } };
	bool from_host = r->from_host || bridge_is(r->ifp);
	struct iface *ifp;

	if (f->len >= ETH_HDR_LEN) {
		t->macs[0] = be64_get(f->data) >> 16;
		t->macs[1] = be64_get(f->data + ETH_ADDR_LEN) >> 16;
		note_vids(t, f);
	}
	ifp = bridge_is(r->ifp) ? copy_bridge(t, r->ifp) : copy_get(t, r->ifp);
	if (ifp == NULL) {
		frame_release(f);
		return;
	}
	t->net->tracer = &t->tracer;
	net_trace(ifp, "in", "%u bytes %s %s", f->len,
	    from_host ? "that the host sends on" : "come in on", ifp->name);
	if (from_host) {
		iface_host_input(ifp, &batch);
	} else {
		tell_impair(r->ifp, ifp, IMPAIR_IN, "on its way in");
		iface_input(ifp, &batch);
	}
}

int
bridge_trace(const struct trace_request *r, struct info *out)
{
	const struct net_options o = {
		.pool = { .small_count = COPY_SMALL,
		    .large_count = COPY_LARGE },
		.now_ns = r->ifp->net->now_ns,
	};
	struct trace t = { .tracer.step = tell, .out = out };
	struct frame *f;
	int err;

	if (r->len > FRAME_LARGE_MAX)
		return -EMSGSIZE;
	err = net_create(&o, &t.net);
	if (err < 0)
		return err;
	LIST_INIT(&t.copies);
	t.net->pfil.host = r->ifp->net->pfil.host;
	f = frame_alloc(t.net->pool, r->len);
	if (f == NULL) {
		t.failed = true;
	} else {
		memcpy(f->data, r->data, r->len);
		f->len = r->len;
		run(&t, r, f);
	}
	copies_free(&t);
	net_destroy(t.net);
	return t.failed ? -ENOMEM : 0;
}

/* --- Steps of forward.c ----------------------------------------------------
 */

static const char *
key_text(uint64_t key, char text[ETH_ADDR_STRLEN])
{
	uint8_t mac[ETH_ADDR_LEN];

	u64_to_mac(key & 0xffffffffffffu, mac);
	return ether_format(mac, text);
}

/* "", or " in VLAN 20" */
static const char *
in_vlan(uint64_t key, char text[24])
{
	uint32_t vid = fdb_key_vid(key);

	text[0] = '\0';
	if (vid != 0)
		snprintf(text, 24, " in VLAN %u", vid);
	return text;
}

static const char *
type_text(enum fdb_type type)
{
	switch (type) {
	case FDB_DYNAMIC:
		return "learned";
	case FDB_STATIC:
		return "static";
	case FDB_STICKY:
		return "sticky";
	}
	return "";
}

void
trace_vlan(const struct bridge *br, const struct bridge_port *in,
    const struct frame *f, uint32_t vid)
{
	bool tagged = frame_tpid(f) != 0 && FRAME_VID(frame_tci(f)) == vid;

	if (vid == 0 && !br->vlan_work)
		return;
	if (vid == 0)
		net_trace(&br->ifp, "vlan", "in no VLAN");
	else if (tagged || in == NULL)
		net_trace(&br->ifp, "vlan", "in VLAN %u, by its tag", vid);
	else
		net_trace(&br->ifp, "vlan", "in VLAN %u, untagged on %s", vid,
		    in->ifp->name);
}

void
trace_learning(const struct bridge_port *in, uint64_t key)
{
	const struct bridge *br = in->bridge;
	const struct fdb_entry *e =
	    fdb_find(&br->fdb, key, fdb_hash(&br->fdb, key));
	char mac[ETH_ADDR_STRLEN], vlan[24];

	(void)key_text(key, mac);
	(void)in_vlan(key, vlan);
	if ((in->flags & BRIDGE_LEARNING) == 0)
		net_trace(&br->ifp, "learn", "source %s is not learned on %s",
		    mac, in->ifp->name);
	else if (e != NULL && e->port == in->number &&
	         e->expire_s > bridge_now_s(br))
		net_trace(&br->ifp, "learn", "source %s%s is %s on %s already",
		    mac, vlan, type_text(e->type), in->ifp->name);
}

void
trace_learned(
    const struct bridge_port *in, uint64_t key, int result, uint32_t old_port)
{
	const struct bridge *br = in->bridge;
	const struct fdb_entry *e;
	char mac[ETH_ADDR_STRLEN], vlan[24];

	(void)key_text(key, mac);
	(void)in_vlan(key, vlan);
	switch (result) {
	case FDB_NEW:
		net_trace(&br->ifp, "learn", "source %s%s is learned on %s",
		    mac, vlan, in->ifp->name);
		return;
	case FDB_MOVED:
		net_trace(&br->ifp, "learn", "source %s%s moves from %s to %s",
		    mac, vlan, br->ports[old_port]->ifp->name, in->ifp->name);
		return;
	case FDB_SAME:
		e = fdb_find(&br->fdb, key, fdb_hash(&br->fdb, key));
		if (e != NULL && e->port != in->number)
			net_trace(&br->ifp, "learn",
			    "source %s%s is %s on %s and stays there", mac,
			    vlan, type_text(e->type),
			    br->ports[e->port]->ifp->name);
		return;
	case -ENOSPC:
		net_trace(&br->ifp, "learn",
		    "source %s%s is not learned: maxaddr is %u", mac, vlan,
		    br->fdb.max);
		return;
	case -EDQUOT:
		net_trace(&br->ifp, "learn",
		    "source %s%s is not learned: ifmaxaddr of %s is %u", mac,
		    vlan, in->ifp->name, br->fdb.ports[in->number].limit);
		return;
	default:
		net_trace(&br->ifp, "learn",
		    "source %s is nobody's address and not learned", mac);
	}
}

void
trace_known(
    const struct bridge *br, uint64_t key, const struct bridge_port *out)
{
	char mac[ETH_ADDR_STRLEN], vlan[24];

	(void)key_text(key, mac);
	(void)in_vlan(key, vlan);
	if (out != NULL)
		net_trace(&br->ifp, "lookup", "destination %s%s is on %s", mac,
		    vlan, out->ifp->name);
	else
		net_trace(&br->ifp, "lookup",
		    "destination %s%s is not known: to all", mac, vlan);
}

void
trace_group(const struct bridge *br, uint64_t key, bool reserved)
{
	char mac[ETH_ADDR_STRLEN];

	net_trace(&br->ifp, "lookup", "destination %s is a group%s",
	    key_text(key, mac),
	    reserved ? " that stays on this link" : ": to all");
}

void
trace_skip(const struct bridge_port *p, enum flood_skip why)
{
	static const char *const reasons[] = {
		[FLOOD_TAKES] = NULL,
		[FLOOD_SOURCE] = NULL,
		[FLOOD_PRIVATE] = "both are private",
		[FLOOD_STP] = "spanning tree does not let it forward",
		[FLOOD_DISCOVER] = "it takes no unknown addresses (-discover)",
		[FLOOD_DOWN] = "it is not up",
		[FLOOD_VLAN] = "the VLAN is not allowed there",
		[FLOOD_GROUP] = "its group-fwd is not forward",
	};

	if (reasons[why] != NULL)
		net_trace(p->ifp, "skip", "not out of %s: %s", p->ifp->name,
		    reasons[why]);
}

void
trace_own(const struct bridge *br, uint64_t key, const struct bridge_port *p,
    bool destination)
{
	const struct iface *ifp = p != NULL ? p->ifp : &br->ifp;
	char mac[ETH_ADDR_STRLEN];

	net_trace(&br->ifp, "own", "%s %s is the host's own, on %s",
	    destination ? "destination" : "source", key_text(key, mac),
	    ifp->name);
}
