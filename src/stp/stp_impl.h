/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The variables and machines of clause 17, shared by the files of stp/ and
 * their tests.  Names are the standard's, with underscores: rcvdInfoWhile is
 * rcvd_info_while.
 *
 * Each machine is a function X_step(s, p): it makes one transition if a guard
 * holds, and says whether it did.  States that the standard leaves at once
 * (UCT) are functions only, not values: the enum has the states in which a
 * machine can rest.
 *
 * The struct stp owns everything; ports stand in one array in order of their
 * numbers, so that what happens does not depend on who came first.  Pointers
 * to ports are valid until a port is added or removed.
 */
#pragma once

#include "base/assert.h"
#include "stp/stp.h"

#define STP_MIGRATE_TIME     3u /* seconds; clause 17.13.9 */
#define STP_STALL_S          6u /* three hello times */
#define STP_ROUNDS_MAX       64u
#define STP_STEPS_MAX        1024u
#define STP_SAID_MAX         8u
#define STP_ROOTS_MAX        4u
#define STP_EFFECTS_A_PORT   32u
#define STP_EFFECTS_A_BRIDGE 16u

enum stp_prx {
	PRX_DISCARD,
	PRX_RECEIVE
};
enum stp_ppm {
	PPM_CHECKING_RSTP,
	PPM_SENSING,
	PPM_SELECTING_STP
};
enum stp_bdm {
	BDM_EDGE,
	BDM_NOT_EDGE
};
enum stp_pim {
	PIM_DISABLED,
	PIM_AGED,
	PIM_CURRENT
};
enum stp_prt {
	PRT_DISABLE_PORT,
	PRT_DISABLED_PORT,
	PRT_ROOT_PORT,
	PRT_DESIGNATED_PORT,
	PRT_BLOCK_PORT,
	PRT_ALTERNATE_PORT, /* or Backup */
};
enum stp_pst {
	PST_DISCARDING,
	PST_LEARNING,
	PST_FORWARDING
};
enum stp_tcm {
	TCM_INACTIVE,
	TCM_LEARNING,
	TCM_ACTIVE
};

enum stp_info_is {
	STP_INFO_DISABLED,
	STP_INFO_AGED,
	STP_INFO_MINE,
	STP_INFO_RECEIVED,
};

enum stp_rcvd_info {
	STP_RCVD_SUPERIOR_DESIGNATED,
	STP_RCVD_REPEATED_DESIGNATED,
	STP_RCVD_INFERIOR_DESIGNATED,
	STP_RCVD_INFERIOR_ROOT_ALTERNATE,
	STP_RCVD_OTHER,
};

/* What a designated port said, and when: answers.c. */
struct stp_said {
	struct stp_vector vector;
	uint16_t message_age;
	uint64_t ns;
};

struct stp_port {
	uint16_t number;

	/* Set by the operator. */
	uint8_t priority;
	uint32_t admin_cost; /* 0: automatic */
	uint32_t guards;
	bool admin_edge, auto_edge, admin_p2p, auto_p2p;

	/* Of the link. */
	bool link_up, shared;
	uint64_t speed_bps;

	/* Clause 17.19, and 17.17 (the timers, in seconds). */
	bool port_enabled, oper_p2p, oper_edge;
	bool agree, agreed, proposed, proposing;
	bool disputed, learn, learning, forward, forwarding;
	bool mcheck, new_info, rcvd_bpdu, rcvd_msg, rcvd_rstp, rcvd_stp;
	bool rcvd_tc, rcvd_tc_ack, rcvd_tcn, tc_ack, tc_prop;
	bool re_root, reselect, selected, send_rstp, sync, synced, updt_info;
	enum stp_info_is info_is;
	enum stp_role role, selected_role;
	uint32_t port_path_cost;
	struct stp_vector port_priority, designated_priority, msg_priority;
	struct stp_times port_times, designated_times, msg_times;
	uint16_t edge_delay_while, fd_while, hello_when, mdelay_while;
	uint16_t rb_while, rcvd_info_while, rr_while, tc_while, tx_count;
	struct stp_bpdu msg; /* what rcvd_msg is about */

	enum stp_prx prx;
	enum stp_ppm ppm;
	enum stp_bdm bdm;
	enum stp_pim pim;
	enum stp_prt prt;
	enum stp_pst pst;
	enum stp_tcm tcm;

	/* Beyond the standard. */
	bool heard;        /* a BPDU since the link came up */
	bool withdrawn;    /* what was heard: it did not just end */
	bool err_disabled; /* by BPDU guard */
	bool loop_guarded; /* silent; held until a BPDU comes */
	bool unassured;    /* nothing heard in assured_while */
	bool rate_told, guard_told, stale_told;
	uint16_t self_loop_while; /* held for that long */
	uint16_t assured_while;
	uint16_t disputed_while; /* no second note before */
	uint16_t rx_count;       /* since the last tick */
	uint64_t tx_last_ns;     /* of the last BPDU */
	uint64_t ask_ns;         /* propose again then; 0: no need */
	bool has_addresses;      /* may have dynamic addresses behind it */
	bool told_tc;            /* that the topology changed, in this second */

	struct stp_said said[STP_SAID_MAX]; /* oldest first */
	uint8_t said_count;
	bool answered;      /* the last of them */
	uint64_t answer_ns; /* the longest, since link up; 0: none yet */
	bool peer_cost_known;
	uint32_t peer_cost; /* what the other end adds */

	uint64_t event; /* the event that @steps counts in */
	uint32_t steps;
	struct stp_counters count;
};

/* How near a root was: root_memory.c. */
struct stp_root {
	bool known;
	uint64_t id;
	uint32_t least, last;    /* root path costs */
	uint32_t raises;         /* of what is no nearer than that */
	uint16_t memory_while;   /* then forgotten */
	uint16_t distrust_while; /* only who is nearer is believed */
};

struct stp {
	uint64_t mac; /* 48 bits */
	uint16_t priority;
	struct stp_times bridge_times; /* message age is 0 */
	uint16_t tx_hold_count;
	enum stp_version force_version;

	/* Clause 17.18. */
	struct stp_vector root_priority;
	struct stp_times root_times;
	uint16_t root_port;  /* number; 0: none */
	bool root_is_nearer; /* who the root port hears, than we ever were */

	struct stp_port *ports; /* by number */
	uint32_t port_count, port_room;
	uint32_t enabled_count;

	struct stp_root roots[STP_ROOTS_MAX];

	uint64_t now_ns, next_tick_ns;
	uint64_t next_tx_ns; /* a port that waits may send; or STP_NEVER */
	bool wide;           /* what changed may concern every port */
	bool reselect;       /* some port's */
	uint64_t event;
	uint32_t steps_max;
	uint64_t topology_changes, topology_changed_ns;

	struct stp_effect *effects;
	uint32_t effect_count, effect_room;
};

static inline uint64_t
stp_bridge_id(const struct stp *s)
{
	return (uint64_t)s->priority << 48 | s->mac;
}

static inline uint16_t
stp_port_id(const struct stp_port *p)
{
	return (uint16_t)(p->priority << 8 | p->number);
}

#define STP_EACH_PORT(s, p)                   \
	for (struct stp_port *p = (s)->ports; \
	     p < (s)->ports + (s)->port_count; p++)

/* Clause 17.20. */
static inline bool
stp_rstp_version(const struct stp *s)
{
	return s->force_version >= STP_VERSION_RSTP;
}

static inline uint16_t
stp_hello_time(const struct stp_port *p)
{
	return p->designated_times.hello;
}

static inline uint16_t
stp_fwd_delay(const struct stp_port *p)
{
	return p->designated_times.fwd_delay;
}

static inline uint16_t
stp_forward_delay(const struct stp_port *p)
{
	return p->send_rstp ? stp_hello_time(p) : stp_fwd_delay(p);
}

/* How long a bridge that was heard may take to answer a proposal. */
static inline uint16_t
stp_answer_delay(const struct stp_port *p)
{
	return p->send_rstp && p->heard ? (uint16_t)(3 * stp_hello_time(p))
	                                : stp_forward_delay(p);
}

static inline uint16_t
stp_edge_delay(const struct stp_port *p)
{
	return p->oper_p2p ? STP_MIGRATE_TIME : p->designated_times.max_age;
}

/* Must it not forward, whatever role and timers say?  Not in the standard. */
static inline bool
stp_held(const struct stp_port *p)
{
	return p->self_loop_while > 0 || p->loop_guarded || p->unassured ||
	       (p->role == STP_ROLE_ROOT && p->disputed_while > 0);
}

/* The machines: true if there was a transition. */
bool stp_prx_step(struct stp *s, struct stp_port *p);
bool stp_ppm_step(struct stp *s, struct stp_port *p);
bool stp_bdm_step(struct stp *s, struct stp_port *p);
bool stp_pim_step(struct stp *s, struct stp_port *p);
bool stp_prt_step(struct stp *s, struct stp_port *p);
bool stp_pst_step(struct stp *s, struct stp_port *p);
bool stp_tcm_step(struct stp *s, struct stp_port *p);
void stp_prs_run(struct stp *s);
void stp_ptx_run(struct stp *s, struct stp_port *p);
void stp_timers_tick(struct stp_port *p);

/* BEGIN, of the machines of one port. */
void stp_prx_begin(struct stp_port *p);
void stp_ppm_begin(struct stp *s, struct stp_port *p);
void stp_bdm_begin(struct stp_port *p);
void stp_pim_begin(struct stp *s, struct stp_port *p);
void stp_prt_begin(struct stp_port *p);
void stp_pst_begin(struct stp *s, struct stp_port *p);
void stp_tcm_begin(struct stp *s, struct stp_port *p);
void stp_ptx_begin(struct stp_port *p);

/* root_memory.c */
/* May that be the way to a root? */
bool stp_root_believed(struct stp *s, const struct stp_vector *said);
/* @root is to be root port, with @path; false: that root is not believed any
 * more, choose again. */
bool stp_root_adopt(
    struct stp *s, const struct stp_port *root, const struct stp_vector *path);
/* Another root than that is better now. */
void stp_root_left(struct stp *s, uint64_t id);
/* A designated port says something new. */
void stp_root_heard(struct stp *s, const struct stp_vector *said);
void stp_roots_tick(struct stp *s);

/* answers.c */
/* The designated port @p has sent a BPDU. */
void stp_said_add(struct stp *s, struct stp_port *p);
/* It is no more designated. */
void stp_said_end(struct stp *s, struct stp_port *p);
/* It hears of a better one: p->msg_priority. */
void stp_said_forget(struct stp_port *p);
/* Is p->msg, of a port that is not designated, about what @p says now? */
bool stp_said_answered(struct stp *s, struct stp_port *p);

/* Procedures that more than one machine has, clause 17.21. */
void stp_new_tc_while(struct stp *s, struct stp_port *p);
void stp_flush(struct stp *s, struct stp_port *p, bool gone);
void stp_dispute(struct stp *s, struct stp_port *p);
void stp_withdraw(struct stp_port *p);
void stp_reselect(struct stp *s, struct stp_port *p);

/* A place for one more effect. */
struct stp_effect *stp_effect_add(
    struct stp *s, enum stp_effect_type type, const struct stp_port *p);
void stp_note(struct stp *s, const struct stp_port *p, enum stp_note note);
