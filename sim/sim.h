/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coax-sim: networks of bridges in virtual time.
 *
 * Theory of operation
 *
 * A simulated bridge is the daemon's own object code: a struct net with a
 * bridge (src/bridge, src/stp) whose members are feths (src/drv); what a shell
 * would do, keep time and poll, the engine does.  The far end of each member's
 * feth is the engine's: what comes out there goes onto a LAN, and after the
 * LAN's delay into the far ends of the others there.  LANs have any number of
 * ends; with more than two they are shared, and the members are told so (-ptp).
 *
 * Time is virtual.  Events are in a heap, in the order (time, bridge, port,
 * order of scheduling), and one is done completely before the next.  Each net
 * has a clock of its own, with its own rate and phase.  Everything random comes
 * from one seed, so a run repeats exactly.
 *
 * Nothing of spanning tree, bridge or wire is written here a second time:
 * meson.build links the daemon's own libraries.  What a port sent is read at
 * the far end of its wire, what it does is read in the bridge's own tables.
 *
 *   sim.c     the engine: time, nets, LANs, faults on the wire, data frames
 *   check.c   what must be true always (P)
 *   rest.c    what must be true at rest (Q), by a solver of its own
 *   trace.c   the ladder of --trace
 *   case.c    cases in JSON, as tests/sim/README.md describes them
 *   random.c  random topologies with faults; the shrinking of a failure
 *   jobs.c    many of them, on several cores
 *   report.c  what is printed
 *   main.c    the command line
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/prng.h"
#include "base/timerheap.h"
#include "bridge/bridge.h"
#include "bridge/fdb.h"
#include "net/net.h"
#include "stp/stp.h"

#define SIM_MS          1000000ull
#define SIM_S           1000000000ull
#define SIM_NAME        64
#define SIM_NONE        UINT32_MAX
#define SIM_BRIDGES_MAX 500u /* of a random topology */
#define SIM_PORT_MAX    255u /* highest port number */
#define SIM_SENT        16u  /* BPDUs of a port whose times are kept */

struct sim;
struct stp_port;

/* A port as it was after the last event of its bridge. */
struct sim_watch {
	enum stp_role role;
	enum stp_state state;
	bool enabled, oper_edge, agreed, agree;
	uint16_t fd_while;
};

struct sim_port {
	uint32_t node;
	uint16_t number;
	bool present;         /* it belongs to its bridge */
	bool down;            /* by command, or its bridge is dead */
	bool far_keeps;       /* ... and the other end does not see that */
	bool link;            /* it has carrier */
	bool shared;          /* its LAN has more than two ends */
	bool forced_p2p;      /* ... and it is told otherwise */
	uint32_t lan;         /* or SIM_NONE */
	uint32_t plugged;     /* so often into another, or lost its carrier */
	struct iface *member; /* of the bridge */
	struct iface *far;    /* the engine's end of the wire */
	struct iface_stack stack; /* of the far end */
	struct sim *sim;
	struct sim_watch was;
	uint64_t forwarded_ns;   /* when first; UINT64_MAX: never */
	uint64_t sent[SIM_SENT]; /* when BPDUs came out, a ring */
	uint64_t sent_count;
	uint32_t sent_in_row; /* since the hold count began anew */
	/* STP's first BPDU without RSTP since; 0: none */
	uint64_t old_heard_ns;
	/* What comes in here: faults. */
	bool deaf; /* one-way link: nothing arrives */
	uint32_t lost_in_row;
	uint64_t last_arrival_ns;
};

struct sim_node {
	char name[SIM_NAME];
	uint64_t mac;
	struct net *net;
	struct timerheap timers;
	struct iface *bridge;
	bool alive;
	int32_t ppm;       /* how fast its clock runs */
	uint64_t began_ns; /* what it showed at time 0 */
	uint64_t armed_ns; /* of the event in the heap, or STP_NEVER */
	uint64_t event;    /* the last one of its stp that was checked */
	uint32_t ports[SIM_PORT_MAX + 1]; /* by number: index, or SIM_NONE */
};

struct sim_lan {
	char name[SIM_NAME];
	bool down;
	bool unplugged; /* one end was pulled out: no carrier at the other */
	uint64_t delay_ns;
	uint32_t *ends; /* indices of ports, ascending */
	uint32_t end_count, end_room;
};

enum sim_event_type {
	SIM_TIMER,
	SIM_BPDU
};

struct sim_event {
	uint64_t ns, order;
	uint32_t node, port; /* number of the port, or SIM_NONE */
	uint32_t plugged;    /* so often into another, or lost its carrier */
	enum sim_event_type type;
	uint8_t len;
	uint8_t data[STP_BPDU_LEN_MAX];
};

/* Faults on the wire: chances in 1/1000. */
struct sim_faults {
	uint32_t loss, duplicate, reorder, jitter_us;
};

/* Why a loop may be: the exceptions of P1. */
enum sim_excuse {
	SIM_EXCUSE_NONE,
	SIM_EXCUSE_LOSS,     /* more than three BPDUs lost in a row */
	SIM_EXCUSE_ONE_WAY,  /* a link carries one way, to or from STP */
	SIM_EXCUSE_FORCED,   /* a shared LAN taken for point-to-point */
	SIM_EXCUSE_UNSEEN,   /* a cable was moved, no end noticed */
	SIM_EXCUSE_FORGED,   /* BPDUs made up */
	SIM_EXCUSE_INFINITY, /* a word better than any way goes round */
	SIM_EXCUSES
};
extern const char *const sim_excuse_names[SIM_EXCUSES];

struct sim_loops {
	uint64_t count, total_ns, longest_ns;
};

struct sim {
	uint64_t now_ns, order;
	struct sim_event *heap;
	uint32_t heap_count, heap_room;
	struct sim_node **nodes;
	uint32_t node_count, node_room;
	struct sim_port **ports;
	uint32_t port_count, port_room;
	struct sim_lan *lans;
	uint32_t lan_count, lan_room;
	struct prng prng;
	struct sim_faults faults;
	bool trace;
	uint64_t hash;       /* of all that was sent and decided */
	uint64_t delivered;  /* BPDUs that arrived */
	uint64_t changed_ns; /* when a role or state changed last */
	uint32_t steps_max;  /* transitions of a port in one event */
	bool news_lost;      /* a cable was moved so, ends are deaf: no L2 */
	bool in_tick;        /* the event that is done is a timer's */
	/* Since the last check: */
	bool opened, moved;
	uint64_t excused_ns[SIM_EXCUSES]; /* until when */
	struct sim_loops loops[SIM_EXCUSES];
	uint64_t loop_since_ns; /* or UINT64_MAX */
	enum sim_excuse loop_excuse;
	bool strict;              /* no excuse for counting to infinity */
	uint64_t parted_since_ns; /* bridges are parted that wires join;
	                             UINT64_MAX: not */
	uint64_t joined_ns;       /* when that ended last */
	char problem[512];        /* the first violation; "": none */
	/* Of --trace: */
	char *sent_lines;
	size_t sent_lines_len;
	/* Data frames under way: the engine's ends that took them. */
	uint32_t *leaving;
	uint32_t leaving_count, leaving_room;
};

/* 0, or -ENOMEM.  Who cannot have memory later ends the program. */
void sim_init(struct sim *s, uint64_t seed);
void sim_fini(struct sim *s);

uint32_t sim_node_add(struct sim *s, const char *name, const uint8_t mac[6],
    uint64_t phase_ns, int32_t ppm);
uint32_t sim_lan_add(struct sim *s, const char *name);
/* A port of a node, on a LAN or (SIM_NONE) on none; without carrier yet. */
uint32_t sim_port_add(
    struct sim *s, uint32_t node, uint16_t number, uint32_t lan);
/* After any change of LANs and ports: carrier, as it is now. */
void sim_links(struct sim *s);

void sim_link_set(struct sim *s, uint32_t lan, bool up);
void sim_port_down(struct sim *s, uint32_t port, bool far_keeps);
void sim_port_up(struct sim *s, uint32_t port);
void sim_port_move(struct sim *s, uint32_t port, uint32_t lan, bool silent);
void sim_port_remove(struct sim *s, uint32_t port);
void sim_node_down(struct sim *s, uint32_t node, bool carrier_lost);
void sim_node_up(struct sim *s, uint32_t node, uint64_t phase_ns);

/* Commands: as the words of ifconfig. */
void sim_set(
    struct sim *s, uint32_t node, enum bridge_param what, uint32_t value);
void sim_set_priority(struct sim *s, uint32_t port, uint32_t priority);
void sim_set_cost(struct sim *s, uint32_t port, uint32_t cost);
void sim_set_flags(struct sim *s, uint32_t port, uint32_t set, uint32_t clear);
void sim_mcheck(struct sim *s, uint32_t port);

/* A BPDU, or whatever follows its destination address, arrives. */
void sim_bpdu(struct sim *s, uint32_t port, const uint8_t *data, size_t len);
void sim_reserved(
    struct sim *s, uint32_t port, const uint8_t *frame, size_t len);

/* The next event, if it is due by @until_ns; false: there is none. */
bool sim_step(struct sim *s, uint64_t until_ns);
void sim_run(struct sim *s, uint64_t duration_ns);

/*
 * A data frame comes in at @number of @node (0: its host) and travels at once.
 * @out gets the ports (indices) it leaves by, in order; returns how many, or
 * -1: it circles, or there is no room.
 */
int sim_send(struct sim *s, uint32_t node, uint16_t number,
    const uint8_t src[6], const uint8_t dst[6], uint32_t *out, uint32_t room);

uint32_t sim_node_find(const struct sim *s, const char *name);
uint32_t sim_lan_find(const struct sim *s, const char *name);
uint32_t sim_port_find(const struct sim *s, uint32_t node, uint64_t number);
/* Nobody on its LAN hears anything: no frame passes there. */
bool sim_is_cut(const struct sim *s, const struct sim_port *p);
/* May frames pass this end of its LAN? */
bool sim_carries(const struct sim *s, const struct sim_port *p);
/* ... and does its bridge live and see that? */
bool sim_usable(const struct sim *s, const struct sim_port *p);
const struct stp *sim_stp(const struct sim *s, uint32_t node);
const struct fdb *sim_fdb(const struct sim *s, uint32_t node);
uint32_t sim_now_s(const struct sim *s, uint32_t node); /* by its own clock */
/* What the machine has of a port; NULL: none. */
const struct stp_port *sim_stp_port(
    const struct sim *s, const struct sim_port *p);
/* In the data plane. */
enum stp_state sim_state(const struct sim *s, const struct sim_port *p);
void sim_problem(struct sim *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void sim_excuse(struct sim *s, uint64_t for_ns, enum sim_excuse why);

/* check.c */
void sim_check_sent(struct sim *s, struct sim_port *p, const uint8_t *frame,
    size_t len, const uint8_t *bpdu, size_t bpdu_len);
/* After each event of a node; before the first of a new one. */
void sim_check_node(struct sim *s, uint32_t node);
/* After each event. */
void sim_check_now(struct sim *s);
/* At the end: a loop that is still there is counted. */
void sim_check_end(struct sim *s);
/* Adds what was excused. */
void sim_loops_add(struct sim_loops *to, const struct sim_loops *from);

/* rest.c */
/* Q1 to Q6, Q8 (if @changes), Q9 now, and L2; false: sim.problem says.  @deep:
 * some bridge is further from the root than messages live, and Q was checked of
 * the others' roots, costs and ages only. */
bool sim_check_rest(struct sim *s, bool changes, bool *deep);
/* Is some bridge further from the root than messages live? */
bool sim_is_deep(const struct sim *s);
/* Is there a port that is to forward and does not yet, or another timer that
 * will change something?  @changes: those of topology changes too. @what: "b1.2
 * with a topology change" */
bool sim_is_busy(const struct sim *s, bool changes, char *what, size_t size);
/* Q7: runs for 20 seconds. */
bool sim_check_hellos(struct sim *s);
/* Does a bridge believe in a root, or a way, that is better than any? */
bool sim_stale_word(const struct sim *s);

/* trace.c */
/* From now on: the network is built. */
void sim_trace_begin(struct sim *s);
void sim_trace_bpdu(
    struct sim *s, const struct sim_port *p, const uint8_t *bpdu, size_t len);
/* The end of an event: now the lines of the BPDUs that it sent. */
void sim_trace_sent(struct sim *s);
void sim_trace_forged(const struct sim *s, const struct sim_port *p,
    const uint8_t *bpdu, size_t len);
void sim_trace_node(const struct sim *s, uint32_t node, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void sim_trace_all(const struct sim *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* case.c: 0 passed, 1 failed, as written to @what; -1: the case is wrong.
 * @loops has SIM_EXCUSES of them: what was excused is added. */
struct json_t;
int sim_case(struct json_t *json, bool trace, struct sim_loops *loops,
    char *what, size_t size);

/* random.c: one run. true: no violation. */
struct sim_random {
	uint64_t events, topologies;
	struct sim_loops loops[SIM_EXCUSES];
	uint64_t single_faults;     /* L1; of these */
	uint64_t rstp_faults;       /* with RSTP on point-to-point links: */
	uint64_t rstp_quick;        /* joined within 0.1 s */
	uint64_t joined_longest_ns; /* after one of them */
	uint64_t rest_longest_ns;
	uint32_t steps_max;
	uint64_t not_at_rest; /* too deep for max age, or equal identifiers */
	uint64_t twins;       /* run twice: ports in another order */
	uint64_t hash;
};
struct sim_random_options {
	uint64_t seed;
	uint32_t bridges; /* 0: as the seed says */
	uint64_t mask;    /* faults left out, a bit each; shrinking */
	bool trace, strict;
	bool reverse; /* ports are added in another order */
};
bool sim_random_run(const struct sim_random_options *o,
    struct sim_random *total, char *what, size_t size);
/* Leaves out one fault after another, and bridges, as long as @fails says so.
 */
void sim_shrink(struct sim_random_options *o,
    bool (*fails)(const struct sim_random_options *o, void *arg), void *arg);
void sim_random_add(struct sim_random *to, const struct sim_random *from);
#define SIM_FAULTS_MAX 48u
