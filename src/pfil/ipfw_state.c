/* SPDX-License-Identifier: BSD-2-Clause */
/* Dynamic states of ipfw. See ipfw_state.h. */
#include "pfil/ipfw_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/util.h"
#include "frame/parse.h"
#include "pfil/ipfw.h"

#define NS_PER_S   1000000000u
#define EXPIRE_MAX 64 /* looked at for one packet */
#define FIN        0x01
#define SYN        0x02
#define RST        0x04

int
ipfw_states_init(struct ipfw_states *s, uint32_t max, uint64_t seed)
{
	struct ipfw_state *slots;
	uint32_t *buckets, size = 1;

	if (s->slots != NULL && s->size == max)
		return 0;
	ASSERT(max >= 1 && max <= IPFW_STATES_MAX);
	while (size < max + max / 2)
		size *= 2;
	slots = calloc((size_t)max + 1, sizeof(*slots));
	buckets = calloc(size, sizeof(*buckets));
	if (slots == NULL || buckets == NULL) {
		free(slots);
		free(buckets);
		return -ENOMEM;
	}
	free(s->slots);
	free(s->buckets);
	s->slots = slots;
	s->buckets = buckets;
	s->size = max;
	s->bucket_mask = size - 1;
	s->fresh = 1;
	s->free = s->oldest = s->newest = s->count = 0;
	s->swept = 1;
	s->seed = seed;
	return 0;
}

void
ipfw_states_fini(struct ipfw_states *s)
{
	free(s->slots);
	free(s->buckets);
	*s = (struct ipfw_states){ 0 };
}

int
ipfw_state_name(struct ipfw_states *s, const char *name)
{
	for (uint32_t i = 0; i < s->name_count; i++)
		if (strcmp(s->names[i], name) == 0)
			return (int)i;
	if (s->name_count == IPFW_STATE_NAMES)
		return -ENOSPC;
	(void)str_copy(s->names[s->name_count], sizeof(s->names[0]), name);
	return (int)s->name_count++;
}

static inline uint64_t
end_hash(const struct ipfw_states *s, const struct ipfw_flow *f, int end)
{
	const uint8_t *a = f->addr[end];

	return hash_u64(s->seed ^ f->port[end],
	    be64_get(a) ^ (be64_get(a + 8) * 0x9e3779b97f4a7c15u));
}

/* The same for both directions. */
static inline uint32_t
flow_hash(const struct ipfw_states *s, const struct ipfw_flow *f)
{
	uint64_t h = end_hash(s, f, 0) + end_hash(s, f, 1) +
	             f->proto * 0xe7037ed1a0b428dbu;

	return (uint32_t)(h >> 32 ^ h);
}

static inline bool
ends_equal(const struct ipfw_flow *a, int i, const struct ipfw_flow *b, int j)
{
	return a->port[i] == b->port[j] &&
	       memcmp(a->addr[i], b->addr[j], 16) == 0;
}

static uint32_t
index_of(const struct ipfw_states *s, const struct ipfw_state *st)
{
	return (uint32_t)(st - s->slots);
}

/* --- the order of idleness ------------------------------------------------ */

static void
age_out(struct ipfw_states *s, struct ipfw_state *st)
{
	if (st->older != 0)
		s->slots[st->older].newer = st->newer;
	else
		s->oldest = st->newer;
	if (st->newer != 0)
		s->slots[st->newer].older = st->older;
	else
		s->newest = st->older;
}

static void
age_in(struct ipfw_states *s, struct ipfw_state *st)
{
	uint32_t i = index_of(s, st);

	st->older = s->newest;
	st->newer = 0;
	if (s->newest != 0)
		s->slots[s->newest].newer = i;
	else
		s->oldest = i;
	s->newest = i;
}

/* --- birth and end -------------------------------------------------------- */

static void
unhash(struct ipfw_states *s, const struct ipfw_state *st)
{
	uint32_t i = index_of(s, st);
	uint32_t *at = &s->buckets[flow_hash(s, &st->flow) & s->bucket_mask];

	while (*at != i)
		at = &s->slots[*at].hash_next;
	*at = st->hash_next;
}

static void
state_free(struct ipfw_states *s, struct ipfw_state *st)
{
	uint32_t parent = st->parent;

	unhash(s, st);
	if (st->kind != IPFW_STATE_PARENT)
		age_out(s, st);
	*st = (struct ipfw_state){ .kind = IPFW_STATE_FREE, .newer = s->free };
	s->free = index_of(s, st);
	s->count--;
	if (parent != 0) {
		struct ipfw_state *p = &s->slots[parent];

		if (--p->children == 0)
			state_free(s, p);
	}
}

/* Parents are not in the order: each goes with its last child. */
static bool
evict(struct ipfw_states *s)
{
	if (s->oldest == 0)
		return false;
	s->evicted++;
	state_free(s, &s->slots[s->oldest]);
	return true;
}

static struct ipfw_state *
state_alloc(struct ipfw_states *s, const struct ipfw_flow *flow)
{
	struct ipfw_state *st;
	uint32_t i, bucket;

	if (s->slots == NULL)
		return NULL;
	if (s->free == 0 && s->fresh > s->size && !evict(s))
		return NULL;
	if (s->free != 0) {
		i = s->free;
		s->free = s->slots[i].newer;
	} else {
		i = s->fresh++;
	}
	st = &s->slots[i];
	*st = (struct ipfw_state){ .flow = *flow };
	bucket = flow_hash(s, flow) & s->bucket_mask;
	st->hash_next = s->buckets[bucket];
	s->buckets[bucket] = i;
	age_in(s, st);
	s->count++;
	return st;
}

/* --- packets -------------------------------------------------------------- */

struct ipfw_state *
ipfw_state_find(struct ipfw_states *s, const struct ipfw_flow *flow, int name,
    uint64_t now_ns, bool *reverse)
{
	uint32_t i;

	if (s->count == 0)
		return NULL;
	i = s->buckets[flow_hash(s, flow) & s->bucket_mask];
	for (; i != 0; i = s->slots[i].hash_next) {
		struct ipfw_state *st = &s->slots[i];

		if (st->kind == IPFW_STATE_PARENT ||
		    st->flow.proto != flow->proto ||
		    st->flow.family != flow->family ||
		    (name >= 0 && st->name != name) || st->expire_ns <= now_ns)
			continue;
		if (ends_equal(&st->flow, 0, flow, 0) &&
		    ends_equal(&st->flow, 1, flow, 1)) {
			*reverse = false;
			return st;
		}
		if (ends_equal(&st->flow, 0, flow, 1) &&
		    ends_equal(&st->flow, 1, flow, 0)) {
			*reverse = true;
			return st;
		}
	}
	return NULL;
}

static uint32_t
lifetime(const struct ipfw_state *st, const struct ipfw_lifetimes *life)
{
	uint32_t a = st->flags[0], b = st->flags[1];

	if (st->flow.proto == IP_PROTO_UDP)
		return life->udp;
	if (st->flow.proto != IP_PROTO_TCP)
		return life->other;
	if (((a | b) & RST) != 0)
		return life->rst;
	if ((a & b & FIN) != 0)
		return life->fin;
	if ((a & b & SYN) != 0)
		return life->ack;
	/* Begun in the middle: as one that has been opened. */
	if (((a | b) & SYN) == 0)
		return life->ack;
	return life->syn;
}

void
ipfw_state_touch(struct ipfw_states *s, struct ipfw_state *st, bool reverse,
    uint8_t tcp_flags, uint32_t bytes, const struct ipfw_lifetimes *life,
    uint64_t now_ns)
{
	uint32_t now_s = (uint32_t)(now_ns / NS_PER_S);

	st->flags[reverse] |= tcp_flags & (SYN | FIN | RST);
	st->expire_ns = now_ns + (uint64_t)lifetime(st, life) * NS_PER_S;
	st->packets++;
	st->bytes += bytes;
	if (st->touched_s != now_s) {
		st->touched_s = now_s;
		age_out(s, st);
		age_in(s, st);
	}
}

/* What a `limit' counts by. */
static struct ipfw_flow
limit_key(const struct ipfw_flow *flow, uint32_t by)
{
	struct ipfw_flow k = { .family = flow->family, .proto = flow->proto };

	if ((by & IPFW_BY_SRC_ADDR) != 0)
		memcpy(k.addr[0], flow->addr[0], 16);
	if ((by & IPFW_BY_DST_ADDR) != 0)
		memcpy(k.addr[1], flow->addr[1], 16);
	if ((by & IPFW_BY_SRC_PORT) != 0)
		k.port[0] = flow->port[0];
	if ((by & IPFW_BY_DST_PORT) != 0)
		k.port[1] = flow->port[1];
	return k;
}

static struct ipfw_state *
parent_find(struct ipfw_states *s, const struct ipfw_flow *k, uint32_t rule,
    uint32_t by)
{
	uint32_t i = s->buckets[flow_hash(s, k) & s->bucket_mask];

	for (; i != 0; i = s->slots[i].hash_next) {
		struct ipfw_state *st = &s->slots[i];

		if (st->kind == IPFW_STATE_PARENT && st->rule == rule &&
		    st->by == by && memcmp(&st->flow, k, sizeof(*k)) == 0)
			return st;
	}
	return NULL;
}

/* Makes room among a parent's children, if some of the longest idle have
 * expired; the sweep finds the others. */
static void
children_expire(struct ipfw_states *s, uint32_t parent, uint64_t now_ns)
{
	uint32_t next;

	for (uint32_t i = s->oldest, n = 0; i != 0 && n < EXPIRE_MAX;
	     i = next, n++) {
		struct ipfw_state *st = &s->slots[i];

		next = st->newer;
		if (st->parent == parent && st->expire_ns <= now_ns &&
		    s->slots[parent].children > 1)
			state_free(s, st);
	}
}

struct ipfw_state *
ipfw_state_make(struct ipfw_states *s, const struct ipfw_flow *flow,
    uint8_t name, struct ipfw_rule *rule, uint32_t by, uint32_t max,
    uint64_t now_ns)
{
	struct ipfw_state *st, *parent = NULL;
	struct ipfw_flow k;
	uint32_t number = 0;

	if (s->slots == NULL)
		return NULL;
	if (by != 0) {
		k = limit_key(flow, by);
		parent = parent_find(s, &k, rule->id, by);
		if (parent != NULL && parent->children >= max)
			children_expire(s, index_of(s, parent), now_ns);
		if (parent != NULL && parent->children >= max) {
			s->limited++;
			return NULL;
		}
		if (parent == NULL) {
			parent = state_alloc(s, &k);
			if (parent == NULL)
				return NULL;
			age_out(s, parent);
			parent->kind = IPFW_STATE_PARENT;
			parent->by = (uint8_t)by;
			parent->name = name;
			parent->rule = rule->id;
			parent->of = rule;
		}
		/* It must not go to make room for its child. */
		parent->children++;
		number = index_of(s, parent);
	}
	st = state_alloc(s, flow);
	if (st == NULL) {
		if (parent != NULL && --parent->children == 0)
			state_free(s, parent);
		return NULL;
	}
	st->kind = by != 0 ? IPFW_STATE_LIMIT : IPFW_STATE_KEEP;
	st->name = name;
	st->rule = rule->id;
	st->of = rule;
	st->parent = number;
	return st;
}

/* --- ends ----------------------------------------------------------------- */

void
ipfw_states_forget(struct ipfw_states *s, bool all)
{
	for (uint32_t i = 1; s->slots != NULL && i < s->fresh; i++) {
		struct ipfw_state *st = &s->slots[i];

		/* A parent goes with its last child. */
		if (st->kind != IPFW_STATE_FREE &&
		    st->kind != IPFW_STATE_PARENT && (all || st->of->gone))
			state_free(s, st);
	}
}

void
ipfw_states_sweep(struct ipfw_states *s, uint64_t now_ns, uint32_t slots)
{
	if (s->slots == NULL || s->fresh == 1)
		return;
	for (slots = COAX_MIN(slots, s->fresh - 1); slots != 0; slots--) {
		struct ipfw_state *st;

		if (s->swept >= s->fresh)
			s->swept = 1;
		st = &s->slots[s->swept++];
		if ((st->kind == IPFW_STATE_KEEP ||
		        st->kind == IPFW_STATE_LIMIT) &&
		    st->expire_ns <= now_ns)
			state_free(s, st);
	}
}
