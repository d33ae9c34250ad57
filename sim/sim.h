/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coax-sim: networks of bridges in virtual time.
 *
 * Theory of operation
 *
 * A simulated bridge is the daemon's own spanning tree (src/stp) and address
 * table (src/bridge/fdb), with the least of a data plane around them: a port
 * has a state, a frame goes where the table says.  LANs have any number of
 * ends; a BPDU sent on one arrives at each other end after the LAN's delay.
 *
 * Time is virtual.  Events are in a heap, in the order (time, order of
 * scheduling); bridges may have clocks of their own (rate, phase).  Everything
 * random comes from one seed, so a run repeats exactly.
 *
 *   sim.c     the engine: time, LANs, bridges, data frames, trace
 *   check.c   properties that hold always (P), at rest (Q); the static solver
 *   case.c    cases in JSON, as tests/sim/README.md describes them
 *   random.c  random topologies with faults, and the shrinking of a failure
 *   main.c    the command line
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/prng.h"
#include "bridge/fdb.h"
#include "stp/stp.h"

#define SIM_MS   1000000ull
#define SIM_S    1000000000ull
#define SIM_NAME 32
#define SIM_NONE UINT32_MAX

struct sim_port {
	uint32_t node;
	uint16_t number;
	bool present;          /* it belongs to its bridge */
	bool down;             /* by command, or its bridge is dead */
	bool far_keeps;        /* ... and the other end does not see that */
	bool link;             /* what the bridge was told */
	bool shared;           /* ... and of the LAN's kind */
	uint32_t lan;          /* or SIM_NONE */
	enum stp_state state;  /* of the data plane */
	uint64_t forwarded_ns; /* when first; UINT64_MAX: never */
	uint64_t sent[12];     /* when BPDUs were sent, a ring */
	uint32_t sent_count;
	uint32_t sent_in_row; /* since the hold count began anew */
	/* What comes in here: faults. */
	bool deaf; /* one-way link: nothing arrives */
	uint32_t lost_in_row;
	uint64_t last_arrival_ns;
};

struct sim_node {
	char name[SIM_NAME];
	uint64_t mac;
	struct stp *stp;
	struct fdb fdb;
	bool alive;
	int32_t ppm;         /* how fast its clock runs */
	uint64_t tick_ns;    /* of the event in the heap, or STP_NEVER */
	uint32_t ports[256]; /* by number: index in sim.ports, or SIM_NONE */
	bool sent_since_check;
};

struct sim_lan {
	char name[SIM_NAME];
	bool down;
	bool unplugged; /* one end was pulled out: no carrier at the other */
	uint64_t delay_ns;
};

enum sim_event_type {
	SIM_TICK,
	SIM_BPDU
};

struct sim_event {
	uint64_t ns, order;
	enum sim_event_type type;
	uint32_t at; /* node or port */
	uint8_t len;
	uint8_t data[STP_BPDU_LEN_MAX];
};

/* Faults on the wire, in 1/1000. */
struct sim_faults {
	uint32_t loss, duplicate, reorder, jitter_us;
};

struct sim {
	uint64_t now_ns, order;
	struct sim_event *heap;
	uint32_t heap_count, heap_room;
	struct sim_node *nodes;
	uint32_t node_count, node_room;
	struct sim_port *ports;
	uint32_t port_count, port_room;
	struct sim_lan *lans;
	uint32_t lan_count, lan_room;
	struct prng prng;
	struct sim_faults faults;
	bool trace;
	bool moved; /* a port's state or a LAN changed since the last check */
	uint64_t delivered;
	uint64_t changed_ns; /* when a role or state changed last */
	/* Loops are excused until then, because of ... */
	uint64_t excused_ns;
	const char *excuse;
	char problem[256];        /* the first violation; "": none */
	uint64_t loop_since_ns;   /* or UINT64_MAX */
	uint64_t loop_excused_ns; /* time spent in excused loops */
	uint64_t loop_longest_ns;
	bool strict; /* no loop is too short to be a violation */
	bool loop_unexcused;
	uint32_t short_loops; /* not excused, shorter than SIM_SHORT_NS */
	uint64_t short_longest_ns;
};

/* Agreements that cross newer words on the wire can close a loop until those
 * arrive.  Shorter than this it is counted and reported, but fails only with
 * --strict. */
#define SIM_SHORT_NS (100 * SIM_MS)

void sim_init(struct sim *s, uint64_t seed);
void sim_fini(struct sim *s);

uint32_t sim_node_add(struct sim *s, const char *name, const uint8_t mac[6],
    uint64_t phase_ns, int32_t ppm);
uint32_t sim_lan_add(struct sim *s, const char *name);
/* A port of a node, on a LAN or (SIM_NONE) on none; without link yet. */
uint32_t sim_port_add(
    struct sim *s, uint32_t node, uint16_t number, uint32_t lan);
/* After any change of LANs and ports: tells the bridges about their links. */
void sim_links(struct sim *s);

void sim_link_set(struct sim *s, uint32_t lan, bool up);
void sim_port_down(struct sim *s, uint32_t port, bool far_keeps);
void sim_port_up(struct sim *s, uint32_t port);
void sim_port_move(struct sim *s, uint32_t port, uint32_t lan, bool silent);
void sim_port_remove(struct sim *s, uint32_t port);
void sim_node_down(struct sim *s, uint32_t node, bool carrier_lost);
void sim_node_up(struct sim *s, uint32_t node, uint64_t phase_ns);
/* A BPDU made by hand arrives. */
void sim_bpdu(struct sim *s, uint32_t port, const uint8_t *data, size_t len);
/* After a command to a node's stp: does what it asks. */
void sim_effects(struct sim *s, uint32_t node);
/* The time as the node's clock has it. */
uint64_t sim_local_ns(const struct sim *s, uint32_t node);

/* The next event, if it is due by @until_ns; false: there is none. */
bool sim_step(struct sim *s, uint64_t until_ns);
void sim_run(struct sim *s, uint64_t duration_ns);

/*
 * A data frame comes in at @port_number of @node (0: its host) and travels at
 * once. @out gets the ports (indices) it leaves by, in order; returns how many,
 * or -1: it circles.
 */
int sim_send(struct sim *s, uint32_t node, uint16_t number,
    const uint8_t src[6], const uint8_t dst[6], uint32_t *out, uint32_t room);

uint32_t sim_node_find(const struct sim *s, const char *name);
uint32_t sim_lan_find(const struct sim *s, const char *name);
uint32_t sim_port_find(const struct sim *s, uint32_t node, uint64_t number);
uint32_t sim_lan_ends(const struct sim *s, uint32_t lan);
/* May frames pass this end of its LAN? */
bool sim_port_carries(const struct sim *s, const struct sim_port *p);
void sim_problem(struct sim *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void sim_excuse(struct sim *s, uint64_t for_ns, const char *why);

/* check.c */
void sim_check_now(struct sim *s); /* P, after an event */
/* Q; false: sim.problem says. @deep: some bridge is further from the root than
 * messages live, and nothing was checked. */
bool sim_check_rest(struct sim *s, bool *deep);

/* case.c: 0 passed, 1 failed, as written to @what; -1: the case is wrong. */
struct json_t;
int sim_case(struct json_t *json, bool trace, char *what, size_t size);

/* random.c: one run. true: no violation. */
struct sim_random {
	uint64_t events, topologies;
	uint64_t loops, loop_ns, loop_longest_ns;
	uint64_t rest_max_ns; /* longest time to come to rest */
	uint32_t steps_max;
	uint64_t short_loops, short_longest_ns;
	uint32_t rest_skipped; /* too deep for max age, or equal identifiers */
};
struct sim_random_options {
	uint64_t seed;
	uint32_t bridges; /* 0: as the seed says */
	uint64_t mask;    /* faults left out, a bit each; shrinking */
	bool trace, strict;
};
bool sim_random_run(const struct sim_random_options *o,
    struct sim_random *total, char *what, size_t size);
#define SIM_FAULTS_MAX 48u
