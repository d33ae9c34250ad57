/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rapid spanning tree: one bridge's protocol entity as a pure machine.
 *
 * Theory of operation
 *
 * The caller tells what happens (a port appears, its link comes up, a BPDU
 * arrives, a second has passed, a parameter changes) and afterwards does what
 * stp_effects() lists, in that order: send a BPDU, set a port's state, forget
 * addresses.  Nothing is called back; no clock is read; nothing is allocated
 * but by stp_create() and stp_reserve().  The same events at the same times
 * give the same effects, in whatever order the ports were added.
 *
 * Each event runs the state machines of all ports that it may concern until
 * nothing changes any more; the number of steps is bounded.
 *
 * Source: IEEE 802.1D-2004 clause 17, with the corrections that 802.1Q made
 * since.  What implements which clause (each name begins with stp_):
 *
 *   9.3.1-9.3.4 BPDUs            bpdu.c           bpdu_encode, bpdu_decode
 *   17.5, 17.6  vectors          vector.h         vector_compare, _superior
 *   17.11       addresses move   port_role_selection.c   move_addresses()
 *   17.13       parameters       stp.c            set_*, port_set_*
 *   17.14       their relation   stp.c            times_fit, auto_cost
 *   17.15       order            stp.c            run_port(), settle()
 *   17.20       conditions       port_role_transitions.c
 *                                                 all_synced(), re_rooted()
 *   17.21       procedures       where the machine is that has them: each
 *                                function names its own
 *   17.22 Port Timers            port_timers.c    timers_tick
 *   17.23 Port Receive           port_receive.c   prx_step
 *   17.24 Port Protocol Migration
 *                                port_protocol_migration.c    ppm_step
 *   17.25 Bridge Detection       bridge_detection.c           bdm_step
 *   17.26 Port Transmit          port_transmit.c              ptx_run
 *   17.27 Port Information       port_information.c           pim_step
 *   17.28 Port Role Selection    port_role_selection.c        prs_run
 *   17.29 Port Role Transitions  port_role_transitions.c      prt_step
 *   17.30 Port State Transition  port_state_transition.c      pst_step
 *   17.31 Topology Change        topology_change.c            tcm_step
 *   -     to what an agreement agrees            answers.c    said_*
 *   -     count to infinity                      root_memory.c        root_*
 *
 * Corrections of 802.1Q that are in: an inferior designated message from a port
 * that learns disputes ours (13.29.13; the text of 2004 took it for an
 * agreement, which made loops of one-way links); agreement in designated
 * messages, sent and read; `synced` falls with `agreed`; a root port is synced
 * too; TCNs are not lost; hello time is the bridge's own; repeated information
 * must have been received; root guard (restrictedRole), TC guard
 * (restrictedTcn).
 *
 * Differs, beyond the standard:
 *   - a message whose root has our own address and another priority is dropped:
 *     it is an old word of our own that circles (refuse() in stp.c);
 *   - a root that returns over ways that are no nearer, again and again, is not
 *     believed for a while: such words chase each other through a mesh long
 *     after the root has died, "count to infinity" (root_memory.c);
 *   - an agreement counts if it is, or may well be, to what the port says now
 *     (answers.c);
 *   - what a port said as designated is void when it says that it is not, or
 *     that its root is too far (port_information.c, refuse());
 *   - a bridge that becomes root cuts off its old root port, and one whose
 *     news come over a way that is no nearer all who have not agreed, until
 *     they have (port_role_transitions.c);
 *   - BPDUs of a port that follow each other closely are paced
 *     (port_transmit.c);
 *   - a bridge that was heard has three hello times to answer, not one, before
 *     a port that was cut off forwards all the same; and a port that forwards
 *     because nobody was there, or a timer ran out, was not agreed to;
 *   - hearing our own port on itself (a hub with a loop, a short circuit) holds
 *     the port discarding;
 *   - auto-edge only while no BPDU was heard since the link came up;
 *   - a disputed port is held for as long as the message lives, and a root
 *     port too;
 *   - BPDU guard, BPDU filter, loop guard, bridge assurance;
 *   - more BPDUs in a second than anybody may send are dropped and counted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stp/bpdu.h"
#include "stp/vector.h"

#define STP_PORT_NUMBER_MAX  4095u
#define STP_PRIORITY_DEFAULT 32768u
#define STP_PRIORITY_MAX     61440u
#define STP_PRIORITY_STEP    4096u
#define STP_PORT_PRI_DEFAULT 128u
#define STP_PORT_PRI_MAX     240u
#define STP_PORT_PRI_STEP    16u
#define STP_HOLD_MIN         1u
#define STP_HOLD_MAX         10u
#define STP_COST_MAX         200000000u
#define STP_COST_STP_MAX     65535u /* of an automatic cost in `proto stp` */
#define STP_NEVER            UINT64_MAX
#define STP_RX_PER_S         256u /* BPDUs a port takes between two ticks */

enum stp_role {
	STP_ROLE_DISABLED = 0,
	STP_ROLE_ROOT = 1,
	STP_ROLE_DESIGNATED = 2,
	STP_ROLE_ALTERNATE = 3,
	STP_ROLE_BACKUP = 4,
};

enum stp_state {
	STP_STATE_DISCARDING,
	STP_STATE_LEARNING,
	STP_STATE_FORWARDING,
};

enum stp_version {
	STP_VERSION_STP = 0,
	STP_VERSION_RSTP = 2,
};

/* Guards of a port, any number of them, but root and loop exclude each other:
 * the one is for ports that must not be root, the other for those that are. */
#define STP_GUARD_ROOT      0x01u /* never the way to the root */
#define STP_GUARD_TC        0x02u /* its topology changes stay here */
#define STP_GUARD_BPDU      0x04u /* any BPDU disables the port */
#define STP_GUARD_FILTER    0x08u /* neither sends nor hears BPDUs */
#define STP_GUARD_LOOP      0x10u /* silence is a fault, not an absence */
#define STP_GUARD_ASSURANCE 0x20u /* both ends send always, or discard */
#define STP_GUARD_ALL       0x3fu

/* What is worth a line in a log, and an event. */
enum stp_note {
	STP_NOTE_ROOT,           /* the bridge has another root */
	STP_NOTE_TOPOLOGY,       /* the port detected a topology change */
	STP_NOTE_DISPUTED,       /* the other end is deaf and forwards */
	STP_NOTE_SELF_LOOP,      /* the port hears itself */
	STP_NOTE_BPDU_GUARD,     /* a BPDU came: the port is disabled */
	STP_NOTE_ROOT_GUARD,     /* a better root was refused */
	STP_NOTE_LOOP_GUARD,     /* the other end fell silent */
	STP_NOTE_ASSURANCE,      /* the same, on an assured port */
	STP_NOTE_RATE,           /* BPDUs are being dropped: too many */
	STP_NOTE_OWN_STALE_ROOT, /* dropped: our own former identifier */
	STP_NOTE_MIGRATED,       /* the port speaks STP, or RSTP again */
	STP_NOTE_STALE_ROOT,     /* a dead root is not believed any more */
	STP_NOTE_STALLED,        /* we slept: all ports started again */
};

enum stp_effect_type {
	STP_EFFECT_STATE, /* the port has .state from now on */
	STP_EFFECT_ROLE,  /* the port has .role; nothing to do */
	STP_EFFECT_FLUSH, /* forget dynamic addresses behind the port */
	STP_EFFECT_AGE,   /* as if they timed out after .seconds */
	STP_EFFECT_MOVE,  /* those behind the port are behind .to now */
	STP_EFFECT_SEND,  /* send .bpdu */
	STP_EFFECT_NOTE,  /* say so; .note; port 0: the bridge */
};

struct stp_effect {
	enum stp_effect_type type;
	uint16_t port; /* number */
	union {
		enum stp_state state;
		enum stp_role role;
		uint16_t seconds;
		uint16_t to;
		enum stp_note note;
		struct {
			uint8_t len;
			uint8_t data[STP_BPDU_LEN_MAX];
		} bpdu;
	};
};

/* A zeroed one has the defaults, but for the address. */
struct stp_options {
	uint8_t mac[6];         /* of the bridge identifier */
	uint64_t tick_phase_ns; /* ticks are at now + this + n seconds */
	uint32_t ports;         /* room for so many; stp_reserve() makes more */
};

struct stp_port_options {
	uint64_t speed_bps; /* 0: unknown */
	bool shared;        /* half duplex, or a hub: not point-to-point */
};

struct stp_counters {
	uint64_t rx_config, rx_rst, rx_tcn;
	uint64_t rx_invalid;  /* not a BPDU */
	uint64_t rx_range;    /* its times are out of range */
	uint64_t rx_old;      /* its message age has come to max age */
	uint64_t rx_own;      /* the port's own */
	uint64_t rx_stale;    /* about our own former identifier */
	uint64_t rx_limited;  /* more than STP_RX_PER_S */
	uint64_t rx_filtered; /* BPDU filter, or the port is disabled */
	uint64_t tx_config, tx_rst, tx_tcn;
	uint64_t transitions; /* to forwarding */
};

struct stp;

/* What a port shows of itself. */
struct stp_port_info {
	uint16_t number, port_id;
	uint8_t priority;
	enum stp_role role;
	enum stp_state state;
	bool enabled, disputed, self_loop, err_disabled, inconsistent;
	bool rstp; /* it speaks RSTP, not STP */
	bool admin_edge, auto_edge, oper_edge;
	bool admin_p2p, auto_p2p, oper_p2p;
	bool auto_cost;
	uint32_t path_cost, guards;
	struct stp_vector designated; /* what the LAN's designated port says */
	struct stp_counters count;
};

struct stp_info {
	uint64_t bridge_id, root_id;
	uint32_t root_path_cost;
	uint16_t root_port; /* number; 0: this bridge is the root */
	uint16_t priority, max_age, hello, fwd_delay; /* as set */
	struct stp_times root_times;                  /* in use */
	uint16_t hold_count;
	enum stp_version version;
	uint64_t topology_changes;
	uint64_t topology_changed_ns; /* time of the last; 0: none */
};

/* 0, or -ENOMEM; -EINVAL (a group address or zero, a phase over 1 s). */
int stp_create(const struct stp_options *o, uint64_t now_ns, struct stp **out);
void stp_destroy(struct stp *s);
/** stp_reserve() - room for so many ports in all. 0, -ENOMEM or -EINVAL */
int stp_reserve(struct stp *s, uint32_t ports);

/**
 * stp_effects() - what the last event asks to be done, in this order
 * @count: how many
 *
 * Every function below that is an event (it takes @now_ns, or says so) forgets
 * the list of the one before.  Return: borrowed until the next event.
 */
const struct stp_effect *stp_effects(const struct stp *s, uint32_t *count);

/** stp_next_ns() - when stp_tick() is due next: at a second, or when a BPDU has
 * waited long enough; STP_NEVER: no port is on */
uint64_t stp_next_ns(const struct stp *s);

/**
 * stp_tick() - time has come to @now_ns
 *
 * Does nothing before stp_next_ns().  Seconds that were slept over are not made
 * up for; after STP_STALL_S of them, all ports begin again (Differs): others
 * have since done without us.
 */
void stp_tick(struct stp *s, uint64_t now_ns);

/* Ports.  An event each; a new port has no link yet.
 * -EINVAL (number), -EEXIST, -ENOSPC (stp_reserve() first), -ENOENT. */
int stp_port_add(struct stp *s, uint16_t number, uint64_t now_ns);
int stp_port_remove(struct stp *s, uint16_t number, uint64_t now_ns);
/** stp_port_link() - carrier came or went, or is now another */
int stp_port_link(struct stp *s, uint16_t number, bool up,
    const struct stp_port_options *o, uint64_t now_ns);
/**
 * stp_receive() - a BPDU came in; any bytes, from behind the LLC header
 *
 * An event in all cases but the first; counted, too.
 *
 * Return: 0; -ENOENT (no such port); or why it was not believed: -EBADMSG (not
 * a BPDU), -ERANGE (times out of range), -ESTALE (too old, our own, or about a
 * root that is not believed), -EBUSY (too many in this second) or -EACCES (a
 * guard, or the port is not enabled).
 */
int stp_receive(struct stp *s, uint16_t number, const void *data, size_t len,
    uint64_t now_ns);

/* Parameters of a port: events too. 0, -ENOENT, or -EINVAL (range). */
int stp_port_set_priority(struct stp *s, uint16_t number, uint32_t priority);
/** @cost: 0: automatic, by speed */
int stp_port_set_cost(struct stp *s, uint16_t number, uint32_t cost);
int stp_port_set_edge(struct stp *s, uint16_t number, bool admin_edge);
int stp_port_set_auto_edge(struct stp *s, uint16_t number, bool on);
int stp_port_set_p2p(struct stp *s, uint16_t number, bool admin_p2p);
int stp_port_set_auto_p2p(struct stp *s, uint16_t number, bool on);
/** @guards: STP_GUARD_*; -EINVAL: root and loop together */
int stp_port_set_guards(struct stp *s, uint16_t number, uint32_t guards);
/** stp_port_mcheck() - try RSTP again; nothing happens in `proto stp` */
int stp_port_mcheck(struct stp *s, uint16_t number);

/* Parameters of the bridge: events too. 0 or -EINVAL (range).  Times are in
 * seconds; whether they fit together (clause 17.14) stp_times_fit() says. */
int stp_set_mac(struct stp *s, const uint8_t mac[6]);
int stp_set_priority(struct stp *s, uint32_t priority);
int stp_set_max_age(struct stp *s, uint32_t seconds);
int stp_set_hello(struct stp *s, uint32_t seconds);
int stp_set_fwd_delay(struct stp *s, uint32_t seconds);
int stp_set_hold_count(struct stp *s, uint32_t count);
/** stp_set_version() - all ports begin again if it is another */
int stp_set_version(struct stp *s, enum stp_version version);

/** 2 * (fwd_delay - 1) >= max_age >= 2 * (hello + 1)? */
bool stp_times_fit(uint32_t max_age, uint32_t hello, uint32_t fwd_delay);
/** stp_auto_cost() - table 17-3 by its formula; @speed_bps 0: 55, as FreeBSD */
uint32_t stp_auto_cost(uint64_t speed_bps);

void stp_get(const struct stp *s, struct stp_info *out);
/** -ENOENT: nothing is written */
int stp_port_get(
    const struct stp *s, uint16_t number, struct stp_port_info *out);
uint32_t stp_port_count(const struct stp *s);
/** stp_steps_max() - most state machine transitions of a port in one event,
 * since creation: the bound that tests check */
uint32_t stp_steps_max(const struct stp *s);

const char *stp_role_name(enum stp_role role);    /* "designated" */
const char *stp_state_name(enum stp_state state); /* "forwarding" */
const char *stp_note_text(enum stp_note note);
