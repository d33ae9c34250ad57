/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Storm control and damping of addresses that move: what keeps a network usable
 * in which something is wrong, spanning tree or not.
 *
 * Storms.  Each port has a limit for frames that it may bring in a second to be
 * flooded: broadcasts, other groups, unicast to unknown addresses.  What is
 * above is dropped before anything is learned from it (of unknown unicast:
 * after), and is not given to the host.  Spanning tree's frames do not count.
 * A storm begins with the first frame that is dropped and is over when a whole
 * second has passed without one; both are told of.
 *
 * Addresses that move.  In a loop every frame comes back by another port, and
 * its source seems to move with it.  With `flapdamp N' an address that has
 * moved more than N times in a second is put back to where it was before, and
 * held there for some time: what comes from it elsewhere is dropped.  So a
 * frame in a loop goes round a few times and ends, and its sender is still
 * heard.  The moves are kept in a table beside the address table, for the
 * addresses that move: of four places that an address may have the one goes
 * whose last move is longest ago, unless it is held.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ether.h"
#include "base/util.h"
#include "bridge/bridge_impl.h"

#define NS_PER_S         1000000000u
#define FLAP_SETS        64u /* a power of two */
#define FLAP_WAYS        4u
#define FLAPS_TOLD_PER_S 5 /* events; the next says how many were left out */

struct flap {
	uint64_t key;      /* 0: free */
	uint64_t start_ns; /* of the second in which it moves */
	uint64_t last_ns;
	uint64_t held_until_ns; /* 0: it is not held */
	uint32_t moves;
	uint32_t home; /* number of the port where it was before */
};

const struct bridge_storm_info bridge_storms[BRIDGE_STORMS] = {
	[BRIDGE_STORM_BROADCAST] = { "broadcast", "broadcasts",
	    DROP_STORM_BROADCAST },
	[BRIDGE_STORM_MULTICAST] = { "multicast", "multicasts",
	    DROP_STORM_MULTICAST },
	[BRIDGE_STORM_UNKNOWN] = { "unknown", "frames to unknown addresses",
	    DROP_STORM_UNKNOWN },
};

static void
storm_tell(struct bridge_port *in, enum bridge_storm which, bool begins)
{
	struct bridge *br = in->bridge;
	uint32_t limit = in->storms[which].limit.burst;
	char text[128];

	if (begins)
		snprintf(text, sizeof(text),
		    "storm on %s: more than %u %s a second", in->ifp->name,
		    limit, bridge_storms[which].many);
	else
		snprintf(text, sizeof(text), "storm of %s on %s is over",
		    bridge_storms[which].many, in->ifp->name);
	bridge_event(br, NET_EVENT_STORM, 0, in->ifp, text, limit);
}

bool
bridge_storm_allows_slow(struct bridge_port *in, enum bridge_storm which)
{
	struct bridge_storm_state *s = &in->storms[which];
	uint64_t now_ns = in->ifp->net->now_ns, held = 0;
	bool first = now_ns - s->limit.start_ns >= NS_PER_S;

	if (!ratelimit_allow(&s->limit, now_ns, &held)) {
		if (!s->raging)
			storm_tell(in, which, true);
		s->raging = true;
		return false;
	}
	/* A new second, and the one before had none too many. */
	if (s->raging && first && held == 0) {
		s->raging = false;
		storm_tell(in, which, false);
	}
	return true;
}

int
bridge_set_storm(struct iface *bridge, struct iface *ifp,
    enum bridge_storm which, uint32_t limit)
{
	struct bridge_port *p = bridge_member(bridge_of(bridge), ifp);

	if (p == NULL)
		return net_error(bridge->net, -ENOENT,
		    "%s is not a member of %s", ifp->name, bridge->name);
	p->storms[which] = (struct bridge_storm_state){
		.limit = { .period_ns = NS_PER_S, .burst = limit },
	};
	return 0;
}

int
bridge_set_flapdamp(struct iface *bridge, uint32_t moves, uint32_t hold_s)
{
	struct bridge *br = bridge_of(bridge);

	if (moves != 0 && br->flaps == NULL) {
		br->flaps = calloc(FLAP_SETS * FLAP_WAYS, sizeof(*br->flaps));
		if (br->flaps == NULL)
			return -ENOMEM;
	} else if (moves == 0) {
		free(br->flaps);
		br->flaps = NULL;
	}
	br->flap_max = moves;
	br->flap_hold_s = hold_s;
	br->flap_told = (struct ratelimit){
		.period_ns = NS_PER_S,
		.burst = FLAPS_TOLD_PER_S,
	};
	return 0;
}

int
bridge_flaps_copy(struct bridge *br)
{
	struct flap *copy;

	if (br->flaps == NULL)
		return 0;
	copy = calloc(FLAP_SETS * FLAP_WAYS, sizeof(*copy));
	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, br->flaps, FLAP_SETS * FLAP_WAYS * sizeof(*copy));
	br->flaps = copy;
	return 0;
}

void
bridge_flaps_forget(struct bridge *br, uint32_t port)
{
	for (uint32_t i = 0; br->flaps != NULL && i < FLAP_SETS * FLAP_WAYS;
	     i++) {
		if (br->flaps[i].home == port)
			br->flaps[i] = (struct flap){ 0 };
	}
}

/* The place of @key: its own, a free one, or the one that moved longest ago.
 * NULL: all others are held. */
static struct flap *
flap_place(struct bridge *br, uint64_t key)
{
	struct flap *set, *best = NULL;

	set =
	    &br->flaps[(fdb_hash(&br->fdb, key) & (FLAP_SETS - 1)) * FLAP_WAYS];
	for (uint32_t i = 0; i < FLAP_WAYS; i++) {
		struct flap *x = &set[i];

		if (x->key == key)
			return x;
		if (x->held_until_ns > br->ifp.net->now_ns)
			continue;
		if (best == NULL || x->last_ns < best->last_ns)
			best = x;
	}
	return best;
}

static void
flap_tell(struct bridge *br, const struct flap *x)
{
	const struct bridge_port *home = br->ports[x->home];
	char text[160], mac_text[ETH_ADDR_STRLEN];
	uint8_t mac[ETH_ADDR_LEN];
	uint64_t left_out = 0;

	if (!ratelimit_allow(&br->flap_told, br->ifp.net->now_ns, &left_out))
		return;
	u64_to_mac(x->key & 0xffffffffffffu, mac);
	snprintf(text, sizeof(text),
	    "mac address %s vlan %u moved %u times in a second: held on %s "
	    "for %u seconds",
	    ether_format(mac, mac_text), fdb_key_vid(x->key), x->moves,
	    home->ifp->name, br->flap_hold_s);
	bridge_event(br, NET_EVENT_FLAP, x->key, home->ifp, text, left_out);
}

bool
bridge_flap_allows(
    struct bridge *br, uint64_t key, uint32_t from, uint32_t to, uint32_t now_s)
{
	uint64_t now_ns = br->ifp.net->now_ns;
	struct flap *x = flap_place(br, key);
	uint32_t old;

	if (x == NULL)
		return true;
	if (x->key == key && x->held_until_ns > now_ns)
		return to == x->home;
	if (x->key != key || x->held_until_ns != 0 ||
	    now_ns - x->start_ns >= NS_PER_S)
		*x = (struct flap){
			.key = key,
			.start_ns = now_ns,
			.home = from,
		};
	x->last_ns = now_ns;
	if (++x->moves <= br->flap_max)
		return true;
	x->held_until_ns = now_ns + (uint64_t)br->flap_hold_s * NS_PER_S;
	if (from != x->home)
		(void)fdb_learn(&br->fdb, key, x->home, false, now_s, &old);
	flap_tell(br, x);
	return to == x->home;
}
