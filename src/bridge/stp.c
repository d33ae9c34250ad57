/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spanning tree on a bridge: stp/ decides, this file tells it what happens and
 * does what it says.
 *
 * Theory of operation
 *
 * Each bridge has a struct stp from birth; it holds what is set of the bridge.
 * A member has a port in it only while its flag STP is set (`stp IF'); until
 * then its settings wait in struct bridge_port.  A bridge without such ports
 * has no timer, and one that has them has one timer, whatever their number.
 *
 *   in   BPDUs (input_group() in forward.c), carrier and flags of members and
 *        bridge (bridge_stp_link(), bridge_stp_links()), the bridge's address,
 *        settings, the timer
 *   out  do_effects(): states of ports, which forward.c asks for each frame;
 *        addresses that are forgotten, at once and of one port; BPDUs; log and
 *        events
 *
 * There is no moment at which a port that must discard forwards: all of this
 * runs between two frames, what was decided before a BPDU has left the bridge
 * before the BPDU counts (bridge_stp_input()), and states are set before the
 * BPDU goes out that promises them.
 *
 * A driver may tell of another link while it is given a BPDU to send: stp/'s
 * list of effects would be gone.  Such news waits until the list is done
 * (stp_busy, stp_links_stale).
 *
 * Ticks of bridges fall into TICK_SLOTS places of a second, by a hash of the
 * bridge's name: a thousand bridges do not all send at once, and do not wake
 * the worker a thousand times.
 *
 * Differs from FreeBSD's if_bridge(4):
 *   - the bridge identifier has the bridge's own address, not the lowest of the
 *     members': it does not change as members come and go;
 *   - ports are numbered from 1 in each bridge, not by interface index, which
 *     may be the same modulo 4096;
 *   - a member without link state counts as up while it runs;
 *   - `ptp' and `-ptp' hold, which ends `autoptp'; there the next change of the
 *     link undoes them.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/ether.h"
#include "base/hash.h"
#include "base/util.h"
#include "bridge/bridge_impl.h"
#include "frame/tag.h"

#define NS_PER_S   1000000000u
#define TICK_SLOTS 32u
#define TOLD_PER_S 1000 /* events and log lines; the next says how many not */
#define TIMES_RELATION                                         \
	"2 * (fwddelay - 1) >= maxage >= 2 * (hellotime + 1) " \
	"does not hold (IEEE 802.1D 17.14)"
#define STP_HELLO_DEFAULT 2u
#define FRAME_LENGTH      60u /* an Ethernet frame's least, without FCS */

static enum bridge_stp_state
state_of(enum stp_state state)
{
	static const enum bridge_stp_state states[] = {
		[STP_STATE_DISCARDING] = BRIDGE_STP_DISCARDING,
		[STP_STATE_LEARNING] = BRIDGE_STP_LEARNING,
		[STP_STATE_FORWARDING] = BRIDGE_STP_FORWARDING,
	};

	return states[state];
}

/* A line for people, in the log (net.link.bridge.log_stp; FreeBSD's is
 * "bridge0: state changed to forwarding on em0") and as an event. */
static void COAX_PRINTF(4, 5) tell(struct bridge *br, struct bridge_port *p,
    struct net_event ev, const char *fmt, ...)
{
	struct net *net = br->ifp.net;
	char text[LOG_LINE_MAX / 4];
	va_list ap;
	bool log = bridge_tunable_get(br->ifp.vnet, BRIDGE_LOG_STP) != 0;

	if (!log && TAILQ_EMPTY(&net->subscribers))
		return;
	if (!ratelimit_allow(&br->stp_limit, net->now_ns, &ev.value))
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (log)
		log_notice("%s: %s%s%s", br->ifp.name, text,
		    p != NULL ? " on " : "", p != NULL ? p->ifp->name : "");
	ev.type = NET_EVENT_STP;
	ev.ifp = &br->ifp;
	ev.other = p != NULL ? p->ifp : NULL;
	ev.vlan = -1;
	ev.text = text;
	net_emit(net, &ev);
}

/* Untagged, whatever VLANs the port has, and past the bridge's counters. */
static void
send_bpdu(struct bridge_port *p, const uint8_t *bpdu, size_t len)
{
	struct frame_batch batch = { .count = 1 };
	struct frame *f = frame_alloc(p->ifp->net->pool, FRAME_LENGTH);

	if (f == NULL) {
		iface_count_drop(p->ifp, DROP_NO_FRAME, 1);
		return;
	}
	memset(f->data, 0, FRAME_LENGTH);
	(void)stp_frame_encode(p->ifp->mac, bpdu, len, f->data);
	f->len = FRAME_LENGTH;
	batch.frames[0] = f;
	iface_output(p->ifp, &batch);
}

static void
do_effect(struct bridge *br, struct bridge_port *p, const struct stp_effect *e)
{
	switch (e->type) {
	case STP_EFFECT_STATE:
		if (p->state == state_of(e->state))
			return;
		p->state = state_of(e->state);
		tell(br, p,
		    (struct net_event){ .state = stp_state_name(e->state) },
		    "state changed to %s", stp_state_name(e->state));
		return;
	case STP_EFFECT_ROLE:
		tell(br, p,
		    (struct net_event){ .role = stp_role_name(e->role) },
		    "role changed to %s", stp_role_name(e->role));
		return;
	case STP_EFFECT_FLUSH:
		fdb_flush_port(&br->fdb, p->number, false);
		return;
	case STP_EFFECT_AGE:
		fdb_age_port(&br->fdb, p->number, bridge_now_s(br), e->seconds);
		bridge_age_arm(br);
		return;
	case STP_EFFECT_MOVE:
		fdb_move_port(&br->fdb, p->number, e->to);
		return;
	case STP_EFFECT_SEND:
		send_bpdu(p, e->bpdu.data, e->bpdu.len);
		return;
	case STP_EFFECT_NOTE:
		tell(br, p, (struct net_event){ 0 }, "%s",
		    stp_note_text(e->note));
		return;
	}
	COAX_UNREACHABLE();
}

static void
arm(struct bridge *br)
{
	struct timerheap *timers = br->ifp.net->timers;
	uint64_t next_ns = stp_next_ns(br->stp);

	if (timers == NULL)
		return;
	if (next_ns == STP_NEVER)
		timerheap_del(timers, &br->stp_timer);
	else if (!timer_is_set(&br->stp_timer) ||
	         br->stp_timer.due_ns != next_ns)
		(void)timerheap_add(timers, &br->stp_timer, next_ns);
}

/* What the bridge itself has to say; port 0 in an effect. */
static void
tell_bridge(struct bridge *br, enum stp_note note)
{
	char text[ETH_ADDR_STRLEN];
	uint8_t mac[ETH_ADDR_LEN];
	struct stp_info i;

	if (stp_port_count(br->stp) == 0)
		return;
	if (note != STP_NOTE_ROOT) {
		tell(br, NULL, (struct net_event){ 0 }, "%s",
		    stp_note_text(note));
		return;
	}
	stp_get(br->stp, &i);
	u64_to_mac(stp_id_address(i.root_id), mac);
	tell(br, NULL, (struct net_event){ 0 }, "the root is %s priority %u",
	    ether_format(mac, text), (unsigned int)(i.root_id >> 48));
}

static void
do_effects_once(struct bridge *br)
{
	uint32_t count;
	const struct stp_effect *e = stp_effects(br->stp, &count);

	br->stp_busy = true;
	for (uint32_t i = 0; i < count; i++) {
		if (e[i].port != 0)
			do_effect(br, br->ports[e[i].port], &e[i]);
		else
			tell_bridge(br, e[i].note);
	}
	br->stp_busy = false;
}

/* Is the port's link as spanning tree has it?  In monitor mode there is none:
 * nothing is heard, and nothing must be said. */
static void
tell_link(struct bridge_port *p)
{
	struct bridge *br = p->bridge;
	const struct stp_port_options o = { .speed_bps = BRIDGE_SPEED_BPS };
	bool up = iface_running(&br->ifp) &&
	          (br->ifp.flags & IFACE_MONITOR) == 0 &&
	          iface_running(p->ifp) && p->ifp->link != IFACE_LINK_DOWN;

	if ((p->flags & BRIDGE_STP) == 0 || up == p->stp_link)
		return;
	p->stp_link = up;
	(void)stp_port_link(
	    br->stp, (uint16_t)p->number, up, &o, br->ifp.net->now_ns);
	do_effects_once(br);
}

/* The end of each event: news of links that came meanwhile, as they are by
 * now, and the next tick. */
static void
finish(struct bridge *br)
{
	struct bridge_port *p;

	while (br->stp_links_stale) {
		br->stp_links_stale = false;
		TAILQ_FOREACH (p, &br->members, link)
			tell_link(p);
	}
	arm(br);
}

/* What an event of stp/'s returned: refused, it has left the list of the one
 * before. */
static int
do_effects(struct bridge *br, int err)
{
	if (err < 0)
		return err;
	do_effects_once(br);
	finish(br);
	return 0;
}

/* Before an event that has no time of its own. */
static void
to_now(struct bridge *br)
{
	ASSERT(!br->stp_busy);
	stp_tick(br->stp, br->ifp.net->now_ns);
	(void)do_effects(br, 0);
}

static void
timer_run(struct timer *t, uint64_t now_ns)
{
	struct bridge *br = CONTAINER_OF(t, struct bridge, stp_timer);
	struct net *net = br->ifp.net;

	net->now_ns = COAX_MAX(net->now_ns, now_ns);
	to_now(br);
}

/* Birth, end, and what happens to the bridge. */

int
bridge_stp_init(struct bridge *br)
{
	const struct net *net = br->ifp.net;
	uint64_t slot =
	    hash_bytes(net->identity, br->ifp.name, strlen(br->ifp.name)) %
	    TICK_SLOTS;
	struct stp_options o = { 0 };

	/* Slots are places in the clock's seconds: bridges share them. */
	o.tick_phase_ns = (slot * (NS_PER_S / TICK_SLOTS) + NS_PER_S -
	                      net->now_ns % NS_PER_S) %
	                  NS_PER_S;
	ether_copy(o.mac, br->generated_mac);
	br->stp_timer.fn = timer_run;
	br->stp_limit.period_ns = NS_PER_S;
	br->stp_limit.burst = TOLD_PER_S;
	return stp_create(&o, net->now_ns, &br->stp);
}

void
bridge_stp_fini(struct bridge *br)
{
	if (br->ifp.net->timers != NULL)
		timerheap_del(br->ifp.net->timers, &br->stp_timer);
	stp_destroy(br->stp);
	br->stp = NULL;
}

void
bridge_stp_lladdr(struct bridge *br)
{
	to_now(br);
	(void)do_effects(br, stp_set_mac(br->stp, br->ifp.mac));
}

void
bridge_stp_links(struct bridge *br)
{
	br->stp_links_stale = true;
	if (!br->stp_busy)
		to_now(br);
}

/* What happens to a member. */

void
bridge_stp_link(struct bridge_port *p)
{
	struct bridge *br = p->bridge;

	if ((p->flags & BRIDGE_STP) == 0)
		return;
	if (br->stp_busy) {
		br->stp_links_stale = true;
		return;
	}
	to_now(br);
	tell_link(p);
	finish(br);
}

/* Where the BPDU is, behind a tag that has only a priority; len 0: nowhere. The
 * decoder does not look at the addresses, so it may start amidst them. */
static const uint8_t *
find_bpdu(const struct frame *f, size_t *len)
{
	uint32_t tag = frame_tpid(f) != 0 ? ETH_VLAN_LEN : 0;
	const uint8_t *bpdu = f->data;

	*len = 0;
	(void)stp_frame_decode(f->data + tag, f->len - tag, &bpdu, len);
	return bpdu;
}

void
bridge_stp_input(struct bridge_port *in, struct frame *f, uint32_t vid)
{
	struct bridge *br = in->bridge;
	const uint8_t *bpdu;
	size_t len;
	int err;

	if ((in->flags & BRIDGE_STP) == 0) {
		iface_drop(in->ifp, f, DROP_BPDU);
		return;
	}
	if (vid != 0) { /* somebody's in that VLAN, not ours */
		iface_drop(in->ifp, f, DROP_RESERVED);
		return;
	}
	ASSERT(!br->stp_busy);
	bpdu = find_bpdu(f, &len);
	if (br->ifp.net->tracer != NULL) { /* what it would do, nobody asks */
		struct stp_bpdu b;

		net_trace(
		    &br->ifp, "stp", "for spanning tree on %s", in->ifp->name);
		if (stp_bpdu_decode(bpdu, len, &b) < 0)
			iface_drop(in->ifp, f, DROP_BPDU_BAD);
		else
			frame_release(f);
		return;
	}
	err = stp_receive(
	    br->stp, (uint16_t)in->number, bpdu, len, br->ifp.net->now_ns);
	do_effects_once(br);
	finish(br);
	if (err == 0)
		frame_release(f);
	else if (err == -EBUSY)
		iface_drop(in->ifp, f, DROP_BPDU_RATE);
	else if (err == -EACCES)
		iface_drop(in->ifp, f, DROP_BPDU_GUARD);
	else
		iface_drop(in->ifp, f, DROP_BPDU_BAD);
}

/* Settings. */

static uint16_t
number_of(const struct bridge_port *p)
{
	return (uint16_t)p->number;
}

static void
apply_ptp(const struct bridge_port *p)
{
	struct bridge *br = p->bridge;

	(void)do_effects(br, stp_port_set_p2p(br->stp, number_of(p),
	                         !p->ptp_said || (p->flags & BRIDGE_PTP) != 0));
	(void)do_effects(
	    br, stp_port_set_auto_p2p(br->stp, number_of(p),
	            !p->ptp_said && (p->flags & BRIDGE_AUTOPTP) != 0));
}

static void
apply_edge(const struct bridge_port *p)
{
	struct bridge *br = p->bridge;

	(void)do_effects(br, stp_port_set_auto_edge(br->stp, number_of(p),
	                         (p->flags & BRIDGE_AUTOEDGE) != 0));
	(void)do_effects(br, stp_port_set_edge(br->stp, number_of(p),
	                         (p->flags & BRIDGE_EDGE) != 0));
}

/* `stp': the port begins, discarding. */
static int
port_start(struct bridge_port *p)
{
	struct bridge *br = p->bridge;
	uint32_t count = stp_port_count(br->stp);

	if ((p->ifp->ops->kind_flags & IFACE_KIND_TUNNEL) != 0)
		return net_error(br->ifp.net, -EINVAL,
		    "spanning tree does not run over interfaces of kind %s",
		    p->ifp->ops->kind);
	if (stp_reserve(br->stp,
	        COAX_MIN((count / 8 + 1) * 8, STP_PORT_NUMBER_MAX)) < 0)
		return -ENOMEM;
	p->state = BRIDGE_STP_DISCARDING;
	p->flags |= BRIDGE_STP;
	p->stp_link = false;
	(void)do_effects(
	    br, stp_port_add(br->stp, number_of(p), br->ifp.net->now_ns));
	(void)do_effects(
	    br, stp_port_set_priority(br->stp, number_of(p), p->stp_priority));
	(void)do_effects(
	    br, stp_port_set_cost(br->stp, number_of(p), p->stp_cost));
	(void)do_effects(
	    br, stp_port_set_guards(br->stp, number_of(p), p->stp_guards));
	apply_ptp(p);
	apply_edge(p);
	tell_link(p);
	finish(br);
	return 0;
}

/* `-stp': the port forwards always. */
static void
port_stop(struct bridge_port *p)
{
	struct bridge *br = p->bridge;

	p->flags &= ~BRIDGE_STP;
	(void)do_effects(
	    br, stp_port_remove(br->stp, number_of(p), br->ifp.net->now_ns));
	p->state = BRIDGE_STP_FORWARDING;
}

void
bridge_stp_join(struct bridge_port *p)
{
	p->state = BRIDGE_STP_FORWARDING;
	p->stp_priority = STP_PORT_PRI_DEFAULT;
}

void
bridge_stp_leave(struct bridge_port *p)
{
	if ((p->flags & BRIDGE_STP) != 0 && !p->bridge->ifp.dying)
		port_stop(p);
}

int
bridge_stp_set_flags(struct bridge_port *p, uint32_t set, uint32_t clear)
{
	struct bridge *br = p->bridge;
	bool on = (p->flags & BRIDGE_STP) != 0;

	to_now(br);
	if (((set | clear) & BRIDGE_PTP) != 0)
		p->ptp_said = true;
	if (((set | clear) & BRIDGE_AUTOPTP) != 0)
		p->ptp_said = false;
	p->flags = (p->flags & (~clear | BRIDGE_STP)) | (set & ~BRIDGE_STP);
	if (!on)
		return (set & BRIDGE_STP) != 0 ? port_start(p) : 0;
	if ((clear & BRIDGE_STP) != 0) {
		port_stop(p);
		return 0;
	}
	if (((set | clear) & (BRIDGE_PTP | BRIDGE_AUTOPTP)) != 0)
		apply_ptp(p);
	if (((set | clear) & (BRIDGE_EDGE | BRIDGE_AUTOEDGE)) != 0)
		apply_edge(p);
	return 0;
}

static int
not_member(const struct bridge *br, const struct iface *ifp)
{
	return net_error(br->ifp.net, -ENOENT, "%s is not a member of %s",
	    ifp->name, br->ifp.name);
}

int
bridge_set_if_priority(
    struct iface *bridge, struct iface *ifp, uint32_t priority)
{
	struct bridge *br = bridge_of(bridge);
	struct bridge_port *p = bridge_member(br, ifp);

	if (p == NULL)
		return not_member(br, ifp);
	if (priority > STP_PORT_PRI_MAX)
		return net_error(bridge->net, -EINVAL,
		    "the priority of a member is 0 to %u", STP_PORT_PRI_MAX);
	p->stp_priority = (uint8_t)(priority - priority % STP_PORT_PRI_STEP);
	if ((p->flags & BRIDGE_STP) == 0)
		return 0;
	to_now(br);
	return do_effects(
	    br, stp_port_set_priority(br->stp, number_of(p), priority));
}

int
bridge_set_if_cost(struct iface *bridge, struct iface *ifp, uint32_t cost)
{
	struct bridge *br = bridge_of(bridge);
	struct bridge_port *p = bridge_member(br, ifp);

	if (p == NULL)
		return not_member(br, ifp);
	if (cost > STP_COST_MAX)
		return net_error(bridge->net, -EINVAL,
		    "the path cost of a member is 1 to %u, or 0: by its speed",
		    STP_COST_MAX);
	p->stp_cost = cost;
	if ((p->flags & BRIDGE_STP) == 0)
		return 0;
	to_now(br);
	return do_effects(br, stp_port_set_cost(br->stp, number_of(p), cost));
}

const struct bridge_guard_name bridge_guard_names[] = {
	{ STP_GUARD_ROOT, "root" },
	{ STP_GUARD_TC, "tc" },
	{ STP_GUARD_BPDU, "bpdu" },
	{ STP_GUARD_FILTER, "filter" },
	{ STP_GUARD_LOOP, "loop" },
	{ STP_GUARD_ASSURANCE, "assurance" },
	{ 0, NULL },
};

/* Guards that contradict each other, and why. */
static const struct {
	uint32_t both;
	const char *why;
} contradictions[] = {
	{ STP_GUARD_ROOT | STP_GUARD_LOOP,
	    "root is for ports that must not lead to the root, "
	    "loop for those that do" },
	{ STP_GUARD_ASSURANCE | STP_GUARD_FILTER,
	    "assurance holds a port that hears no BPDU, and filter hears "
	    "none" },
	{ STP_GUARD_ASSURANCE | STP_GUARD_BPDU,
	    "assurance wants BPDUs, and bpdu none" },
	{ STP_GUARD_LOOP | STP_GUARD_FILTER,
	    "loop waits for BPDUs, and filter hears none" },
};

int
bridge_set_guards(
    struct iface *bridge, struct iface *ifp, uint32_t set, uint32_t clear)
{
	struct bridge *br = bridge_of(bridge);
	struct bridge_port *p = bridge_member(br, ifp);
	uint32_t guards;

	if (p == NULL)
		return not_member(br, ifp);
	guards = (p->stp_guards & ~clear) | set;
	for (size_t i = 0; i < ARRAY_LEN(contradictions); i++) {
		if ((guards & contradictions[i].both) == contradictions[i].both)
			return net_error(bridge->net, -EINVAL, "guards: %s",
			    contradictions[i].why);
	}
	p->stp_guards = guards;
	if ((p->flags & BRIDGE_STP) == 0)
		return 0;
	to_now(br);
	return do_effects(
	    br, stp_port_set_guards(br->stp, number_of(p), guards));
}

int
bridge_mcheck(struct iface *bridge, struct iface *ifp)
{
	struct bridge *br = bridge_of(bridge);
	struct bridge_port *p = bridge_member(br, ifp);

	if (p == NULL)
		return not_member(br, ifp);
	if ((p->flags & BRIDGE_STP) == 0)
		return net_error(bridge->net, -EINVAL,
		    "spanning tree does not run on %s", ifp->name);
	to_now(br);
	return do_effects(br, stp_port_mcheck(br->stp, number_of(p)));
}

static int
set_version(struct stp *s, uint32_t version)
{
	return stp_set_version(s, (enum stp_version)version);
}

/* One row a setting of the bridge. */
static const struct {
	int (*set)(struct stp *s, uint32_t value);
	const char *what; /* "the hello time is 1 to 2 seconds" */
	bool time;        /* one of the three that have to fit together */
} params[] = {
	[BRIDGE_PARAM_PRIORITY] = { stp_set_priority,
	    "the priority of a bridge is 0 to 61440", false },
	[BRIDGE_PARAM_HELLO] = { stp_set_hello,
	    "the hello time is 1 or 2 seconds", true },
	[BRIDGE_PARAM_FWD_DELAY] = { stp_set_fwd_delay,
	    "the forward delay is 4 to 30 seconds", true },
	[BRIDGE_PARAM_MAX_AGE] = { stp_set_max_age,
	    "the max age is 6 to 40 seconds", true },
	[BRIDGE_PARAM_HOLD_COUNT] = { stp_set_hold_count,
	    "the hold count is 1 to 10", false },
	[BRIDGE_PARAM_PROTO] = { set_version, "no such protocol", false },
};

int
bridge_set_param(struct iface *bridge, enum bridge_param what, uint32_t value)
{
	struct bridge *br = bridge_of(bridge);
	struct stp_info info;
	int err;

	ASSERT((size_t)what < ARRAY_LEN(params));
	to_now(br);
	stp_get(br->stp, &info);
	if (what == BRIDGE_PARAM_HELLO && info.version != STP_VERSION_STP)
		return net_error(bridge->net, -EPERM,
		    "the hello time can be set in proto stp only");
	err = do_effects(br, params[what].set(br->stp, value));
	if (err < 0)
		return net_error(bridge->net, err, "%s", params[what].what);
	if (what == BRIDGE_PARAM_PROTO && value != info.version)
		err = do_effects(br, stp_set_hello(br->stp, STP_HELLO_DEFAULT));
	stp_get(br->stp, &info);
	if (params[what].time &&
	    !stp_times_fit(info.max_age, info.hello, info.fwd_delay)) {
		log_warning("%s: " TIMES_RELATION, bridge->name);
		net_notice(bridge->net, bridge, "%s", TIMES_RELATION);
	}
	return err;
}

const struct stp *
bridge_stp(const struct iface *bridge)
{
	return bridge_of_const(bridge)->stp;
}
