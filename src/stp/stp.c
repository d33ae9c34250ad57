/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The protocol entity: its memory, its events, the order in which machines run,
 * and what others may ask.
 *
 * An event changes what the standard calls variables, then settle() runs the
 * machines until none moves: first those of the port concerned, then, if
 * anything changed that others look at (s->wide), those of every port.  A BPDU
 * that repeats what is known costs the work of one port.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/ether.h"
#include "base/util.h"
#include "stp/stp_impl.h"

#define NS_PER_S   1000000000u
#define MAC_GROUP  (1ull << 40)
#define COST_SCALE 20000000000000u /* table 17-3: 20e12 / bits a second */
#define COST_SLOW  55u             /* FreeBSD's, where no speed is known */

struct stp_effect *
stp_effect_add(
    struct stp *s, enum stp_effect_type type, const struct stp_port *p)
{
	struct stp_effect *e;

	ASSERT(s->effect_count < s->effect_room);
	e = &s->effects[s->effect_count++];
	e->type = type;
	e->port = p != NULL ? p->number : 0;
	return e;
}

/* Once an event and port: the list has its bounds. */
void
stp_note(struct stp *s, const struct stp_port *p, enum stp_note note)
{
	uint16_t number = p != NULL ? p->number : 0;

	for (uint32_t i = 0; i < s->effect_count; i++) {
		const struct stp_effect *e = &s->effects[i];

		if (e->type == STP_EFFECT_NOTE && e->port == number &&
		    e->note == note)
			return;
	}
	stp_effect_add(s, STP_EFFECT_NOTE, p)->note = note;
}

void
stp_reselect(struct stp *s, struct stp_port *p)
{
	p->reselect = true;
	p->selected = false;
	s->reselect = true;
	s->wide = true;
}

static void
reselect_all(struct stp *s)
{
	STP_EACH_PORT (s, p)
		stp_reselect(s, p);
	s->reselect = true;
}

/* An event begins. */
static void
begin(struct stp *s)
{
	s->effect_count = 0;
	s->event++;
	s->wide = false;
}

static bool
steps(struct stp *s, struct stp_port *p,
    bool (*step)(struct stp *s, struct stp_port *p))
{
	bool moved = false;

	while (step(s, p)) {
		moved = true;
		p->steps++;
		ASSERT(p->steps < STP_STEPS_MAX);
	}
	return moved;
}

/* Runs the machines of one port until they rest. */
static void
run_port(struct stp *s, struct stp_port *p)
{
	bool moved;

	if (p->event != s->event) {
		p->event = s->event;
		p->steps = 0;
	}
	do {
		moved = steps(s, p, stp_prx_step);
		moved |= steps(s, p, stp_ppm_step);
		moved |= steps(s, p, stp_bdm_step);
		moved |= steps(s, p, stp_pim_step);
		moved |= steps(s, p, stp_prt_step);
		moved |= steps(s, p, stp_pst_step);
		moved |= steps(s, p, stp_tcm_step);
	} while (moved);
	s->steps_max = COAX_MAX(s->steps_max, p->steps);
}

/* To the fixed point. @first is the port concerned; NULL: all are. */
static void
settle(struct stp *s, struct stp_port *first)
{
	bool all = first == NULL;
	uint32_t rounds = 0;

	if (first != NULL)
		run_port(s, first);
	while (s->wide || s->reselect || (all && rounds == 0)) {
		ASSERT(++rounds < STP_ROUNDS_MAX);
		all = true;
		if (s->reselect)
			stp_prs_run(s);
		s->wide = false;
		STP_EACH_PORT (s, p)
			run_port(s, p);
	}
	if (!all) {
		stp_ptx_run(s, first);
		return;
	}
	STP_EACH_PORT (s, p)
		stp_ptx_run(s, p);
}

/* The index of a port, or of the first above it. */
static uint32_t
place(const struct stp *s, uint32_t number)
{
	uint32_t low = 0, high = s->port_count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (s->ports[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct stp_port *
find(const struct stp *s, uint32_t number)
{
	uint32_t i = place(s, number);

	return i < s->port_count && s->ports[i].number == number ? &s->ports[i]
	                                                         : NULL;
}

/* BEGIN for the machines of a port. */
static void
port_begin(struct stp *s, struct stp_port *p)
{
	p->designated_times = p->port_times = s->bridge_times;
	p->info_is = STP_INFO_DISABLED;
	stp_prx_begin(p);
	stp_ppm_begin(s, p);
	stp_bdm_begin(p);
	stp_prt_begin(p);
	stp_pst_begin(s, p);
	stp_pim_begin(s, p);
	stp_tcm_begin(s, p);
	stp_ptx_begin(p);
	p->tc_while = 0;
	p->loop_guarded = p->unassured = false;
	p->self_loop_while = 0;
}

uint32_t
stp_auto_cost(uint64_t speed_bps)
{
	uint64_t cost;

	if (speed_bps == 0)
		return COST_SLOW;
	cost = COST_SCALE / speed_bps;
	return cost < 1              ? 1
	       : cost > STP_COST_MAX ? STP_COST_MAX
	                             : (uint32_t)cost;
}

static void
update_cost(struct stp *s, struct stp_port *p)
{
	uint32_t cost = p->admin_cost;

	if (cost == 0) {
		cost = stp_auto_cost(p->link_up ? p->speed_bps : 0);
		if (!stp_rstp_version(s))
			cost = COAX_MIN(cost, STP_COST_STP_MAX);
	}
	if (cost == p->port_path_cost)
		return;
	p->port_path_cost = cost;
	stp_reselect(s, p);
}

static void
update_p2p(struct stp_port *p)
{
	p->oper_p2p = p->auto_p2p ? !p->shared : p->admin_p2p;
}

/* portEnabled; the first and the last one start and stop the ticks. */
static void
update_enabled(struct stp *s, struct stp_port *p)
{
	bool on = p->link_up && !p->err_disabled;

	if (on == p->port_enabled)
		return;
	p->port_enabled = on;
	if (on) {
		if (s->enabled_count++ == 0)
			while (s->next_tick_ns <= s->now_ns)
				s->next_tick_ns +=
				    (s->now_ns - s->next_tick_ns) / NS_PER_S *
				        NS_PER_S +
				    NS_PER_S;
		p->assured_while = (uint16_t)(3 * s->bridge_times.hello);
		p->unassured = false;
	} else {
		s->enabled_count--;
	}
	p->heard = false;
	p->said_count = 0;
	p->answer_ns = 0;
	p->peer_cost_known = false;
	p->ask_ns = 0;
	p->loop_guarded = p->unassured = false;
	p->self_loop_while = 0;
	p->guard_told = p->stale_told = false;
	s->wide = true;
}

int
stp_create(const struct stp_options *o, uint64_t now_ns, struct stp **out)
{
	struct stp *s;
	int err;

	if (ether_is_multicast(o->mac) || ether_is_zero(o->mac) ||
	    o->tick_phase_ns > NS_PER_S)
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return -ENOMEM;
	s->mac = mac_to_u64(o->mac);
	s->priority = STP_PRIORITY_DEFAULT;
	s->bridge_times = (struct stp_times){ 0, 20, 2, 15 };
	s->root_times = s->bridge_times;
	s->tx_hold_count = 6;
	s->force_version = STP_VERSION_RSTP;
	s->now_ns = now_ns;
	s->next_tick_ns = now_ns + o->tick_phase_ns;
	s->next_tx_ns = STP_NEVER;
	s->root_priority =
	    (struct stp_vector){ stp_bridge_id(s), 0, stp_bridge_id(s), 0 };
	err = stp_reserve(s, o->ports > 0 ? o->ports : 1);
	if (err < 0) {
		stp_destroy(s);
		return err;
	}
	*out = s;
	return 0;
}

void
stp_destroy(struct stp *s)
{
	if (s == NULL)
		return;
	free(s->ports);
	free(s->effects);
	free(s);
}

int
stp_reserve(struct stp *s, uint32_t ports)
{
	uint32_t effects = ports * STP_EFFECTS_A_PORT + STP_EFFECTS_A_BRIDGE;
	struct stp_port *p;
	struct stp_effect *e;

	if (ports > STP_PORT_NUMBER_MAX)
		return -EINVAL;
	if (ports <= s->port_room)
		return 0;
	p = realloc(s->ports, ports * sizeof(*p));
	if (p == NULL)
		return -ENOMEM;
	s->ports = p;
	e = realloc(s->effects, effects * sizeof(*e));
	if (e == NULL)
		return -ENOMEM;
	s->effects = e;
	s->effect_room = effects;
	s->port_room = ports;
	return 0;
}

const struct stp_effect *
stp_effects(const struct stp *s, uint32_t *count)
{
	*count = s->effect_count;
	return s->effects;
}

uint64_t
stp_next_ns(const struct stp *s)
{
	return s->enabled_count > 0 ? COAX_MIN(s->next_tick_ns, s->next_tx_ns)
	                            : STP_NEVER;
}

/* Bridge assurance: is there nobody at the other end? */
static void
check_assured(struct stp *s, struct stp_port *p)
{
	if ((p->guards & STP_GUARD_ASSURANCE) == 0 || !p->port_enabled ||
	    !p->oper_p2p || p->assured_while > 0 || p->unassured)
		return;
	p->unassured = true;
	stp_note(s, p, STP_NOTE_ASSURANCE);
}

void
stp_tick(struct stp *s, uint64_t now_ns)
{
	uint64_t late_ns;

	begin(s);
	s->now_ns = now_ns;
	if (now_ns < stp_next_ns(s))
		return;
	if (now_ns < s->next_tick_ns) {
		s->next_tx_ns = STP_NEVER;
		STP_EACH_PORT (s, p)
			stp_ptx_run(s, p);
		return;
	}
	late_ns = now_ns - s->next_tick_ns;
	s->next_tick_ns += late_ns / NS_PER_S * NS_PER_S + NS_PER_S;
	if (late_ns >= STP_STALL_S * (uint64_t)NS_PER_S) {
		STP_EACH_PORT (s, p)
			port_begin(s, p);
		stp_note(s, NULL, STP_NOTE_STALLED);
	}
	stp_roots_tick(s);
	STP_EACH_PORT (s, p) {
		if (p->rx_count <= STP_RX_PER_S)
			p->rate_told = false;
		stp_timers_tick(p);
		check_assured(s, p);
	}
	s->next_tx_ns = STP_NEVER;
	settle(s, NULL);
}

int
stp_port_add(struct stp *s, uint16_t number, uint64_t now_ns)
{
	uint32_t at = place(s, number);
	struct stp_port *p = &s->ports[at];

	if (number == 0 || number > STP_PORT_NUMBER_MAX)
		return -EINVAL;
	if (find(s, number) != NULL)
		return -EEXIST;
	if (s->port_count == s->port_room)
		return -ENOSPC;
	begin(s);
	s->now_ns = now_ns;
	memmove(p + 1, p, (s->port_count - at) * sizeof(*p));
	s->port_count++;
	*p = (struct stp_port){
		.number = number,
		.priority = STP_PORT_PRI_DEFAULT,
		.auto_edge = true,
		.auto_p2p = true,
		.has_addresses = true,
	};
	update_cost(s, p);
	update_p2p(p);
	port_begin(s, p);
	settle(s, NULL);
	return 0;
}

int
stp_port_remove(struct stp *s, uint16_t number, uint64_t now_ns)
{
	struct stp_port *p = find(s, number);

	if (p == NULL)
		return -ENOENT;
	begin(s);
	s->now_ns = now_ns;
	/* What the loss of its link does to the others, first. */
	p->link_up = false;
	update_enabled(s, p);
	settle(s, NULL);
	s->port_count--;
	memmove(p, p + 1, (size_t)(s->ports + s->port_count - p) * sizeof(*p));
	return 0;
}

int
stp_port_link(struct stp *s, uint16_t number, bool up,
    const struct stp_port_options *o, uint64_t now_ns)
{
	struct stp_port *p = find(s, number);

	if (p == NULL)
		return -ENOENT;
	begin(s);
	s->now_ns = now_ns;
	p->speed_bps = o != NULL ? o->speed_bps : 0;
	p->shared = o != NULL && o->shared;
	p->link_up = up;
	if (!up)
		p->err_disabled = false;
	update_cost(s, p);
	update_p2p(p);
	update_enabled(s, p);
	settle(s, p);
	return 0;
}

/* Is the message not to be believed? Tells why by its counter. */
static bool
refuse(struct stp *s, struct stp_port *p, const struct stp_bpdu *m)
{
	if (m->type == STP_BPDU_TCN)
		return false;
	if (stp_id_address(m->bridge_id) == s->mac &&
	    (m->port_id & STP_PORT_NUMBER) == p->number) {
		p->count.rx_own++;
		if (p->self_loop_while == 0)
			stp_note(s, p, STP_NOTE_SELF_LOOP);
		p->self_loop_while = (uint16_t)(3 * s->bridge_times.hello);
		p->oper_edge = false;
		return true;
	}
	if (m->times.message_age >= m->times.max_age) {
		struct stp_vector v = { m->root_id, m->root_path_cost,
			m->bridge_id, m->port_id };

		/* Too far from its root for us to believe it, but there: what
		 * it said before does not hold any more, and as long as it may
		 * forward, we do not. */
		p->count.rx_old++;
		if (p->info_is == STP_INFO_RECEIVED &&
		    stp_vector_same_source(&v, &p->port_priority))
			stp_withdraw(p);
		if (m->type != STP_BPDU_RST ||
		    (m->flags & STP_FLAG_LEARNING) != 0)
			stp_dispute(s, p);
		return true;
	}
	if (stp_id_address(m->root_id) == s->mac &&
	    m->root_id != stp_bridge_id(s)) {
		p->count.rx_stale++;
		if (!p->stale_told)
			stp_note(s, p, STP_NOTE_OWN_STALE_ROOT);
		p->stale_told = true;
		return true;
	}
	return false;
}

static void
count_message(struct stp_port *p, enum stp_bpdu_type type)
{
	switch (type) {
	case STP_BPDU_CONFIG:
		p->count.rx_config++;
		return;
	case STP_BPDU_RST:
		p->count.rx_rst++;
		return;
	case STP_BPDU_TCN:
		p->count.rx_tcn++;
		return;
	}
	COAX_UNREACHABLE();
}

/* Any BPDU, good or bad: somebody is there who speaks spanning tree. */
static void
hear(struct stp *s, struct stp_port *p)
{
	/* What was open because nobody was there is open without consent. */
	if ((!p->heard || p->oper_edge) && p->learn)
		p->agreed = p->synced = false;
	p->heard = true;
	p->oper_edge = false;
	p->edge_delay_while = STP_MIGRATE_TIME;
	p->assured_while = (uint16_t)(3 * s->bridge_times.hello);
	if (!p->loop_guarded && !p->unassured)
		return;
	p->loop_guarded = p->unassured = false;
	s->wide = true;
}

/* Of a BPDU that is refused for its times: somebody is there who does not hear
 * us as we are, and may forward.  Differs: then we do not. */
static bool
means_to_forward(const uint8_t *bpdu)
{
	return bpdu[3] != STP_BPDU_RST || (bpdu[4] & STP_FLAG_LEARNING) != 0;
}

int
stp_receive(struct stp *s, uint16_t number, const void *data, size_t len,
    uint64_t now_ns)
{
	struct stp_port *p = find(s, number);
	struct stp_bpdu m;
	int err;

	if (p == NULL)
		return -ENOENT;
	begin(s);
	s->now_ns = now_ns;
	if (!p->port_enabled) {
		p->count.rx_filtered++;
		return -EACCES;
	}
	if ((p->guards & STP_GUARD_BPDU) != 0) {
		p->err_disabled = true;
		stp_note(s, p, STP_NOTE_BPDU_GUARD);
		update_enabled(s, p);
		settle(s, p);
		return -EACCES;
	}
	if ((p->guards & STP_GUARD_FILTER) != 0) {
		p->count.rx_filtered++;
		return -EACCES;
	}
	if (p->rx_count >= STP_RX_PER_S) {
		p->count.rx_limited++;
		if (!p->rate_told)
			stp_note(s, p, STP_NOTE_RATE);
		p->rate_told = true;
		p->rx_count = STP_RX_PER_S + 1;
		return -EBUSY;
	}
	p->rx_count++;
	err = stp_bpdu_decode(data, len, &m);
	if (err < 0 && err != -ERANGE) {
		p->count.rx_invalid++;
		return -EBADMSG;
	}
	hear(s, p);
	if (err == -ERANGE) {
		p->count.rx_range++;
		if (means_to_forward(data))
			stp_dispute(s, p);
	} else {
		count_message(p, m.type);
		if (refuse(s, p, &m)) {
			err = -ESTALE;
		} else {
			p->msg = m;
			p->rcvd_bpdu = true;
		}
	}
	settle(s, p);
	return err;
}

int
stp_port_set_priority(struct stp *s, uint16_t number, uint32_t priority)
{
	struct stp_port *p = find(s, number);

	if (p == NULL)
		return -ENOENT;
	if (priority > STP_PORT_PRI_MAX)
		return -EINVAL;
	begin(s);
	priority -= priority % STP_PORT_PRI_STEP;
	if (p->priority == priority)
		return 0;
	p->priority = (uint8_t)priority;
	stp_reselect(s, p);
	settle(s, p);
	return 0;
}

int
stp_port_set_cost(struct stp *s, uint16_t number, uint32_t cost)
{
	struct stp_port *p = find(s, number);

	if (p == NULL)
		return -ENOENT;
	if (cost > STP_COST_MAX)
		return -EINVAL;
	begin(s);
	p->admin_cost = cost;
	update_cost(s, p);
	settle(s, p);
	return 0;
}

/* As FreeBSD it takes effect at once, unless a bridge was heard there. */
int
stp_port_set_edge(struct stp *s, uint16_t number, bool admin_edge)
{
	struct stp_port *p = find(s, number);

	if (p == NULL)
		return -ENOENT;
	begin(s);
	if (p->admin_edge == admin_edge)
		return 0;
	p->admin_edge = admin_edge;
	if (admin_edge && !p->heard) {
		p->bdm = BDM_EDGE;
		p->oper_edge = true;
	} else if (!admin_edge) {
		p->oper_edge = false;
	}
	s->wide = true;
	settle(s, p);
	return 0;
}

int
stp_port_set_auto_edge(struct stp *s, uint16_t number, bool on)
{
	struct stp_port *p = find(s, number);

	if (p == NULL)
		return -ENOENT;
	begin(s);
	p->auto_edge = on;
	s->wide = true;
	settle(s, p);
	return 0;
}

int
stp_port_set_p2p(struct stp *s, uint16_t number, bool admin_p2p)
{
	struct stp_port *p = find(s, number);

	if (p == NULL)
		return -ENOENT;
	begin(s);
	p->admin_p2p = admin_p2p;
	update_p2p(p);
	s->wide = true;
	settle(s, p);
	return 0;
}

int
stp_port_set_auto_p2p(struct stp *s, uint16_t number, bool on)
{
	struct stp_port *p = find(s, number);

	if (p == NULL)
		return -ENOENT;
	begin(s);
	p->auto_p2p = on;
	update_p2p(p);
	s->wide = true;
	settle(s, p);
	return 0;
}

int
stp_port_set_guards(struct stp *s, uint16_t number, uint32_t guards)
{
	struct stp_port *p = find(s, number);

	if (p == NULL)
		return -ENOENT;
	if ((guards & ~STP_GUARD_ALL) != 0 ||
	    ((guards & STP_GUARD_ROOT) != 0 && (guards & STP_GUARD_LOOP) != 0))
		return -EINVAL;
	begin(s);
	if ((guards & STP_GUARD_BPDU) == 0)
		p->err_disabled = false;
	if ((guards & STP_GUARD_LOOP) == 0)
		p->loop_guarded = false;
	if ((guards & STP_GUARD_ASSURANCE) == 0)
		p->unassured = false;
	else if ((p->guards & STP_GUARD_ASSURANCE) == 0)
		p->assured_while = (uint16_t)(3 * s->bridge_times.hello);
	p->guards = guards;
	p->guard_told = false;
	update_enabled(s, p);
	stp_reselect(s, p);
	settle(s, p);
	return 0;
}

int
stp_port_mcheck(struct stp *s, uint16_t number)
{
	struct stp_port *p = find(s, number);

	if (p == NULL)
		return -ENOENT;
	begin(s);
	p->mcheck = stp_rstp_version(s);
	settle(s, p);
	return 0;
}

int
stp_set_mac(struct stp *s, const uint8_t mac[6])
{
	if (ether_is_multicast(mac) || ether_is_zero(mac))
		return -EINVAL;
	begin(s);
	if (s->mac == mac_to_u64(mac))
		return 0;
	s->mac = mac_to_u64(mac);
	reselect_all(s);
	settle(s, NULL);
	return 0;
}

int
stp_set_priority(struct stp *s, uint32_t priority)
{
	if (priority > STP_PRIORITY_MAX)
		return -EINVAL;
	begin(s);
	priority -= priority % STP_PRIORITY_STEP;
	if (s->priority == priority)
		return 0;
	s->priority = (uint16_t)priority;
	STP_EACH_PORT (s, p)
		p->stale_told = false;
	reselect_all(s);
	settle(s, NULL);
	return 0;
}

static int
set_time(
    struct stp *s, uint16_t *time, uint32_t seconds, uint32_t min, uint32_t max)
{
	if (seconds < min || seconds > max)
		return -EINVAL;
	begin(s);
	if (*time == seconds)
		return 0;
	*time = (uint16_t)seconds;
	reselect_all(s);
	settle(s, NULL);
	return 0;
}

int
stp_set_max_age(struct stp *s, uint32_t seconds)
{
	return set_time(s, &s->bridge_times.max_age, seconds, STP_MAX_AGE_MIN,
	    STP_MAX_AGE_MAX);
}

int
stp_set_hello(struct stp *s, uint32_t seconds)
{
	return set_time(
	    s, &s->bridge_times.hello, seconds, STP_HELLO_MIN, STP_HELLO_MAX);
}

int
stp_set_fwd_delay(struct stp *s, uint32_t seconds)
{
	return set_time(s, &s->bridge_times.fwd_delay, seconds,
	    STP_FWD_DELAY_MIN, STP_FWD_DELAY_MAX);
}

int
stp_set_hold_count(struct stp *s, uint32_t count)
{
	if (count < STP_HOLD_MIN || count > STP_HOLD_MAX)
		return -EINVAL;
	begin(s);
	if (s->tx_hold_count == count)
		return 0;
	s->tx_hold_count = (uint16_t)count;
	STP_EACH_PORT (s, p)
		p->tx_count = 0;
	settle(s, NULL);
	return 0;
}

int
stp_set_version(struct stp *s, enum stp_version version)
{
	if (version != STP_VERSION_STP && version != STP_VERSION_RSTP)
		return -EINVAL;
	begin(s);
	if (s->force_version == version)
		return 0;
	s->force_version = version;
	STP_EACH_PORT (s, p) {
		update_cost(s, p);
		port_begin(s, p);
	}
	settle(s, NULL);
	return 0;
}

bool
stp_times_fit(uint32_t max_age, uint32_t hello, uint32_t fwd_delay)
{
	return 2 * (fwd_delay - 1) >= max_age && max_age >= 2 * (hello + 1);
}

void
stp_get(const struct stp *s, struct stp_info *out)
{
	*out = (struct stp_info){
		.bridge_id = stp_bridge_id(s),
		.root_id = s->root_priority.root_id,
		.root_path_cost = s->root_priority.root_path_cost,
		.root_port = s->root_port,
		.priority = s->priority,
		.max_age = s->bridge_times.max_age,
		.hello = s->bridge_times.hello,
		.fwd_delay = s->bridge_times.fwd_delay,
		.root_times = s->root_times,
		.hold_count = s->tx_hold_count,
		.version = s->force_version,
		.topology_changes = s->topology_changes,
		.topology_changed_ns = s->topology_changed_ns,
	};
}

int
stp_port_get(const struct stp *s, uint16_t number, struct stp_port_info *out)
{
	const struct stp_port *p = find(s, number);

	if (p == NULL)
		return -ENOENT;
	*out = (struct stp_port_info){
		.number = p->number,
		.port_id = stp_port_id(p),
		.priority = p->priority,
		.role = p->role,
		.state = p->forwarding ? STP_STATE_FORWARDING
		         : p->learning ? STP_STATE_LEARNING
		                       : STP_STATE_DISCARDING,
		.enabled = p->port_enabled,
		.disputed = p->disputed_while > 0,
		.self_loop = p->self_loop_while > 0,
		.err_disabled = p->err_disabled,
		.inconsistent = p->loop_guarded || p->unassured,
		.rstp = p->send_rstp,
		.admin_edge = p->admin_edge,
		.auto_edge = p->auto_edge,
		.oper_edge = p->oper_edge,
		.admin_p2p = p->admin_p2p,
		.auto_p2p = p->auto_p2p,
		.oper_p2p = p->oper_p2p,
		.auto_cost = p->admin_cost == 0,
		.path_cost = p->port_path_cost,
		.guards = p->guards,
		.designated = p->port_priority,
		.count = p->count,
	};
	return 0;
}

uint32_t
stp_port_count(const struct stp *s)
{
	return s->port_count;
}

uint32_t
stp_steps_max(const struct stp *s)
{
	return s->steps_max;
}

const char *
stp_role_name(enum stp_role role)
{
	static const char *const names[] = {
		[STP_ROLE_DISABLED] = "disabled",
		[STP_ROLE_ROOT] = "root",
		[STP_ROLE_DESIGNATED] = "designated",
		[STP_ROLE_ALTERNATE] = "alternate",
		[STP_ROLE_BACKUP] = "backup",
	};

	return names[role];
}

const char *
stp_state_name(enum stp_state state)
{
	static const char *const names[] = {
		[STP_STATE_DISCARDING] = "discarding",
		[STP_STATE_LEARNING] = "learning",
		[STP_STATE_FORWARDING] = "forwarding",
	};

	return names[state];
}

const char *
stp_note_text(enum stp_note note)
{
	static const char *const texts[] = {
		[STP_NOTE_ROOT] = "another root",
		[STP_NOTE_TOPOLOGY] = "topology change",
		[STP_NOTE_DISPUTED] =
		    "disputed: the other end does not hear us and forwards",
		[STP_NOTE_SELF_LOOP] = "the port hears itself",
		[STP_NOTE_BPDU_GUARD] = "disabled: a BPDU came (bpdu guard)",
		[STP_NOTE_ROOT_GUARD] = "a better root refused (root guard)",
		[STP_NOTE_LOOP_GUARD] = "held: BPDUs stopped (loop guard)",
		[STP_NOTE_ASSURANCE] = "held: no BPDUs (bridge assurance)",
		[STP_NOTE_RATE] = "too many BPDUs: the rest is dropped",
		[STP_NOTE_OWN_STALE_ROOT] =
		    "dropped: a BPDU with our former identifier as root",
		[STP_NOTE_MIGRATED] = "the port speaks another version now",
		[STP_NOTE_STALE_ROOT] =
		    "a root that went keeps returning: not believed",
		[STP_NOTE_STALLED] = "the daemon stood still: ports start anew",
	};

	return texts[note];
}
