/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dynamic states of ipfw: what `keep-state' and `limit' remember.
 *
 * A state is a flow in both directions, under a name, with the rule that made
 * it; packets of the flow get that rule's action.  It lives as long as the
 * protocol's time-out says after its last packet.  A `limit' rule has besides a
 * parent for each value of what it counts by, which counts its states.
 *
 * All are in one array, made when the first rule needs it, and never more than
 * net.inet.ip.fw.dyn_max: then the one that has been idle longest goes
 * (counted), so strangers can take no memory.
 *
 * The order of idleness is exact to a second.
 *
 * Differs: FreeBSD refuses new flows when there are dyn_max, and keeps idle TCP
 * connections by asking their ends; here nobody is asked.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/timerheap.h"
#include "pfil/ipfw_rule.h"

#define IPFW_STATE_NAMES 64 /* names that rules may use */
#define IPFW_STATES_MAX  (1u << 22)

struct ipfw_rule;

/* Both directions of a flow have one flow key, ends in the order of it. */
struct ipfw_flow {
	uint8_t addr[2][16];
	uint16_t port[2];
	uint8_t proto;
	uint8_t family; /* 4 or 6 */
};

enum ipfw_state_kind {
	IPFW_STATE_FREE,
	IPFW_STATE_KEEP,
	IPFW_STATE_LIMIT,  /* has a parent */
	IPFW_STATE_PARENT, /* counts */
};

struct ipfw_state {
	struct ipfw_flow flow; /* as it was first: [0] is the source */
	uint8_t kind;
	uint8_t name;     /* index */
	uint8_t by;       /* of a parent */
	uint8_t flags[2]; /* TCP's, of each direction */
	uint32_t rule;    /* its id */
	struct ipfw_rule *of;
	uint64_t expire_ns;
	uint64_t packets, bytes;
	uint32_t touched_s;
	uint32_t children;     /* of a parent */
	uint32_t parent;       /* of a child, or 0 */
	uint32_t hash_next;    /* all indexes: 0 is none */
	uint32_t older, newer; /* by idleness; free ones by newer */
};

struct ipfw_states {
	struct ipfw_state *slots; /* from 1 */
	uint32_t *buckets;
	uint32_t size, bucket_mask;
	uint32_t fresh; /* slots from here on were never used */
	uint32_t free;
	uint32_t oldest, newest;
	uint32_t count; /* with parents */
	uint32_t swept; /* slot where the next sweep begins */
	uint64_t seed;
	uint64_t evicted, limited;
	char names[IPFW_STATE_NAMES][IPFW_NAME_MAX];
	uint32_t name_count;
};

/* Time-outs, in seconds. */
struct ipfw_lifetimes {
	uint32_t ack, syn, fin, rst, udp, other;
};

/** ipfw_states_init() - room for @max, now. 0 or -ENOMEM (as it was).  What
 * there was before is forgotten if the size changes. */
int ipfw_states_init(struct ipfw_states *s, uint32_t max, uint64_t seed);
void ipfw_states_fini(struct ipfw_states *s);

/** ipfw_state_name() - its number, or -ENOSPC */
int ipfw_state_name(struct ipfw_states *s, const char *name);

/**
 * ipfw_state_find() - the state of a packet's flow
 * @name: or -1: any
 * @reverse: is the packet from the far end?
 *
 * Return: the state, that has not expired, or NULL.
 */
struct ipfw_state *ipfw_state_find(struct ipfw_states *s,
    const struct ipfw_flow *flow, int name, uint64_t now_ns, bool *reverse);

/** ipfw_state_touch() - a packet of @bytes bytes and these TCP flags passed */
void ipfw_state_touch(struct ipfw_states *s, struct ipfw_state *st,
    bool reverse, uint8_t tcp_flags, uint32_t bytes,
    const struct ipfw_lifetimes *life, uint64_t now_ns);

/**
 * ipfw_state_make() - a state for a flow that has none
 * @by, @max: of limit; @by 0: keep-state
 *
 * Return: the state; NULL: there are @max of that already (counted), or there
 * is no room at all.
 */
struct ipfw_state *ipfw_state_make(struct ipfw_states *s,
    const struct ipfw_flow *flow, uint8_t name, struct ipfw_rule *rule,
    uint32_t by, uint32_t max, uint64_t now_ns);

/** ipfw_states_forget() - those of rules that are gone, or @all */
void ipfw_states_forget(struct ipfw_states *s, bool all);
/** ipfw_states_sweep() - ends what has expired among the next @slots */
void ipfw_states_sweep(struct ipfw_states *s, uint64_t now_ns, uint32_t slots);
