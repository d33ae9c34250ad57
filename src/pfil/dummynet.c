/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pipes and queues. See dummynet.h.
 *
 * A pipe has links: one, or with a mask one a flow.  A link has flows that
 * wait, of the pipe itself and of its queues; when it is free it takes the
 * first packet of one of them (link_run()), and knows at once when its last bit
 * will have left: from then on it is in the pipe's delay line.  A link with
 * waiting flows has a timer for when it is free, a pipe one for its line.
 *
 * WF2Q+ (Bennett, Zhang: "Hierarchical packet fair queueing algorithms"): each
 * flow that waits has a virtual start and finish; of those that may have
 * started by the link's virtual time the one that finishes first is taken.
 * Times are in bytes a unit of weight, with 16 bits of fraction.
 *
 * Everything is allocated by dn_config().
 */
#include "pfil/dummynet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/util.h"
#include "frame/offload.h"
#include "pipe/loss.h"

#define FLOWS_PER_BUCKET       16u
#define IDLE_LOOKS             64u /* flows that are looked at for an idle one */
#define BATCH_MAX              256u /* frames that one timer hands on */
#define VIRTUAL(bytes, weight) (((uint64_t)(bytes) << 16) / (weight))

/* What a mask has left of a packet. */
struct dn_id {
	uint8_t src[16], dst[16];
	uint16_t src_port, dst_port;
	uint8_t proto, family;
	uint8_t zero[2];
};

struct node {
	struct frame *frame; /* owned */
	struct pfil_where where;
	uint64_t arrived_ns;
	struct node *next; /* of its flow, or free */
};

struct link;

struct flow {
	struct dn_id id;
	struct link *link;   /* NULL: not in use */
	struct dn_pipe *set; /* whose settings it has */
	struct node *head, *tail;
	uint32_t count, bytes;
	uint64_t start, finish; /* virtual */
	uint64_t packets, bytes_seen, drops;
	struct flow *hash_next;
	TAILQ_ENTRY(flow) waits; /* while count != 0 */
};
TAILQ_HEAD(flows, flow);

struct link {
	struct dn_id id;
	struct dn_pipe *pipe;
	bool used;
	struct rate rate;
	uint64_t virtual;
	uint32_t weights; /* of flows that wait */
	uint32_t flows;
	struct flows waiting;
	struct timer timer;
	struct link *hash_next;
};

struct dn_pipe {
	TAILQ_ENTRY(dn_pipe) link;
	struct dummynet *dn;
	bool queue, closing;
	uint32_t number;
	struct dn_config config;
	uint64_t lost;
	/* Flows of its own. */
	struct flow *flows;
	struct flow **flow_buckets;
	uint32_t flow_room, flow_fresh, flow_hand, flow_count;
	/* A pipe only: */
	struct link *links;
	struct link **link_buckets;
	uint32_t link_room, link_fresh, link_hand;
	struct node *nodes, *free;
	struct delay_line line;
	struct timer timer;
	bool running;
	uint32_t small, large; /* frames held */
};

void
dummynet_init(struct dummynet *dn, struct net *net, uint64_t seed)
{
	*dn = (struct dummynet){ .net = net, .prng = prng_init(seed) };
	TAILQ_INIT(&dn->pipes);
}

struct dn_config
dn_defaults(void)
{
	return (struct dn_config){
		.slots = DN_SLOTS,
		.buckets = DN_BUCKETS,
		.weight = 1,
	};
}

static struct dn_pipe *
find(const struct dummynet *dn, bool queue, uint32_t number)
{
	struct dn_pipe *p;

	TAILQ_FOREACH (p, &dn->pipes, link)
		if (p->queue == queue && p->number == number)
			return p;
	return NULL;
}

const struct dn_config *
dn_get(const struct dummynet *dn, bool queue, uint32_t number)
{
	const struct dn_pipe *p = find(dn, queue, number);

	return p != NULL ? &p->config : NULL;
}

/* --- frames end or go on -------------------------------------------------- */

static void
lose(struct dummynet *dn, struct frame *f, const struct pfil_where *w,
    enum drop_reason why)
{
	struct iface *ifp = net_iface_by_index(dn->net, w->ifp);

	if (ifp != NULL)
		iface_drop(ifp, f, why);
	else
		frame_release(f);
}

static struct node *
node_get(struct dn_pipe *p)
{
	struct node *n = p->free;

	if (n != NULL)
		p->free = n->next;
	return n;
}

/* The frame leaves the pipe's hold. */
static struct frame *
node_put(struct dn_pipe *p, struct node *n, struct pfil_where *w)
{
	struct frame *f = n->frame;

	*w = n->where;
	pipe_share_give(&p->dn->net->pipe_share, &p->small, &p->large, f);
	n->next = p->free;
	p->free = n;
	return f;
}

static void
line_arm(struct dn_pipe *p)
{
	struct timerheap *timers = p->dn->net->timers;
	uint64_t due_ns = delay_line_due(&p->line);

	/* Its place is reserved: dn_config(). */
	if (timers != NULL && p->timer.due_ns != due_ns)
		(void)timerheap_add(timers, &p->timer, due_ns);
}

/* What is due goes on, @max frames at most. */
static void
line_run(struct dn_pipe *p, uint32_t max)
{
	struct pfil_where w;
	struct node *n;

	if (p->running)
		return;
	p->running = true;
	while (max-- != 0 &&
	       (n = delay_line_pop(&p->line, p->dn->net->now_ns)) != NULL) {
		struct frame *f = node_put(p, n, &w);

		pfil_resume(p->dn->net, f, &w);
	}
	p->running = false;
	line_arm(p);
}

/* --- the scheduler -------------------------------------------------------- */

static void
flow_waits(struct link *l, struct flow *f)
{
	/* A queue that was idle starts now, or where it was. */
	f->start = COAX_MAX(l->virtual, f->finish);
	f->finish =
	    f->start + VIRTUAL(f->head->frame->len, f->set->config.weight);
	if (l->weights == 0)
		l->virtual = COAX_MAX(l->virtual, f->start);
	l->weights += f->set->config.weight;
	TAILQ_INSERT_TAIL(&l->waiting, f, waits);
}

static void
flow_stops(struct link *l, struct flow *f)
{
	l->weights -= f->set->config.weight;
	TAILQ_REMOVE(&l->waiting, f, waits);
}

/* Whose turn is it? */
static struct flow *
link_choose(struct link *l)
{
	struct flow *f, *best = NULL;
	uint64_t first = UINT64_MAX;

	TAILQ_FOREACH (f, &l->waiting, waits)
		first = COAX_MIN(first, f->start);
	l->virtual = COAX_MAX(l->virtual, first);
	TAILQ_FOREACH (f, &l->waiting, waits)
		if (f->start <= l->virtual &&
		    (best == NULL || f->finish < best->finish))
			best = f;
	return best;
}

static struct node *
flow_pop(struct flow *f)
{
	struct node *n = f->head;

	f->head = n->next;
	if (f->head == NULL)
		f->tail = NULL;
	f->count--;
	f->bytes -= n->frame->len;
	return n;
}

/* As long as it is free at @now_ns, the link takes packets. */
static void
link_run(struct link *l, uint64_t now_ns)
{
	struct timerheap *timers = l->pipe->dn->net->timers;
	struct dn_pipe *p = l->pipe;
	struct rate_next next;
	struct flow *f;

	while (!TAILQ_EMPTY(&l->waiting) &&
	       (l->rate.bits_s == 0 || l->rate.free_ns <= now_ns)) {
		uint64_t delay_ns = p->config.delay_ms * (uint64_t)1000000;
		struct node *n;
		uint32_t len;

		f = link_choose(l);
		len = f->head->frame->len;
		next = rate_next(&l->rate, f->head->arrived_ns, len);
		rate_take(&l->rate, &next);
		l->virtual += VIRTUAL(len, l->weights);
		n = flow_pop(f);
		delay_line_push(&p->line, n, next.depart_ns + delay_ns);
		if (f->count == 0) {
			flow_stops(l, f);
		} else {
			f->start = f->finish;
			f->finish +=
			    VIRTUAL(f->head->frame->len, f->set->config.weight);
		}
	}
	if (timers != NULL && !TAILQ_EMPTY(&l->waiting))
		(void)timerheap_add(timers, &l->timer, l->rate.free_ns);
}

static void
link_due(struct timer *t, uint64_t now_ns)
{
	struct link *l = CONTAINER_OF(t, struct link, timer);

	link_run(l, now_ns);
	line_run(l->pipe, BATCH_MAX);
}

static void
line_due(struct timer *t, uint64_t now_ns)
{
	struct dn_pipe *p = CONTAINER_OF(t, struct dn_pipe, timer);

	(void)now_ns;
	p->timer.due_ns = 0; /* the heap has let go of it: set it again */
	line_run(p, BATCH_MAX);
}

/* --- flows ---------------------------------------------------------------- */

static void
mask_bytes(uint8_t *to, const uint8_t *from, const uint8_t *mask, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		to[i] = from[i] & mask[i];
}

static struct dn_id
masked(const struct dn_mask *m, const struct frame *f, const struct parsed *ip)
{
	const uint8_t *l3 = f->data + ip->l3;
	struct dn_id id = { .family = 0 };
	uint8_t src[4], dst[4];

	if (!m->set || ip->ip == 0)
		return id;
	id.family = ip->ip;
	id.proto = ip->proto & m->proto;
	if (ip->ip == 4) {
		be32_put(src, m->src_ip);
		be32_put(dst, m->dst_ip);
		mask_bytes(id.src, l3 + 12, src, 4);
		mask_bytes(id.dst, l3 + 16, dst, 4);
	} else {
		mask_bytes(id.src, l3 + 8, m->src_ip6, 16);
		mask_bytes(id.dst, l3 + 24, m->dst_ip6, 16);
	}
	if (ip->l4_ok && ip->l4_len >= 4 &&
	    (ip->proto == IP_PROTO_TCP || ip->proto == IP_PROTO_UDP ||
	        ip->proto == IP_PROTO_SCTP)) {
		id.src_port = be16_get(f->data + ip->l4) & m->src_port;
		id.dst_port = be16_get(f->data + ip->l4 + 2) & m->dst_port;
	}
	return id;
}

static uint32_t
id_hash(const struct dn_pipe *p, const struct dn_id *id)
{
	return (uint32_t)hash_bytes(p->dn->net->hash_seed, id, sizeof(*id));
}

static bool
same(const struct dn_id *a, const struct dn_id *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static void
flow_forget(struct flow *f)
{
	struct dn_pipe *set = f->set;
	struct flow **at =
	    &set->flow_buckets[id_hash(set, &f->id) % set->config.buckets];

	while (*at != f)
		at = &(*at)->hash_next;
	*at = f->hash_next;
	f->link->flows--;
	f->link = NULL;
	set->flow_count--;
}

/* An unused flow of @set, or an idle one; NULL: all are busy. */
static struct flow *
flow_free(struct dn_pipe *set)
{
	if (set->flow_fresh < set->flow_room)
		return &set->flows[set->flow_fresh++];
	for (uint32_t i = 0; i < IDLE_LOOKS; i++) {
		struct flow *f = &set->flows[set->flow_hand];

		set->flow_hand = (set->flow_hand + 1) % set->flow_room;
		if (f->link == NULL)
			return f;
		if (f->count == 0) {
			flow_forget(f);
			return f;
		}
	}
	return NULL;
}

static struct flow *
flow_of(struct dn_pipe *set, struct link *l, const struct dn_id *id)
{
	uint32_t bucket = id_hash(set, id) % set->config.buckets;
	struct flow *f;

	for (f = set->flow_buckets[bucket]; f != NULL; f = f->hash_next)
		if (f->link == l && same(&f->id, id))
			return f;
	f = flow_free(set);
	if (f == NULL) /* shared with whoever is there */
		return set->flows[0].link == l ? &set->flows[0] : NULL;
	*f = (struct flow){ .id = *id, .link = l, .set = set };
	f->hash_next = set->flow_buckets[bucket];
	set->flow_buckets[bucket] = f;
	set->flow_count++;
	l->flows++;
	return f;
}

static void
link_forget(struct link *l)
{
	struct dn_pipe *p = l->pipe;
	struct link **at =
	    &p->link_buckets[id_hash(p, &l->id) % p->config.buckets];

	while (*at != l)
		at = &(*at)->hash_next;
	*at = l->hash_next;
	if (p->dn->net->timers != NULL)
		timerheap_del(p->dn->net->timers, &l->timer);
	l->used = false;
}

/* Its flows, none of which waits. */
static void
link_flows_forget(struct link *l)
{
	struct dn_pipe *p;

	TAILQ_FOREACH (p, &l->pipe->dn->pipes, link)
		for (uint32_t i = 0; l->flows != 0 && i < p->flow_fresh; i++)
			if (p->flows[i].link == l)
				flow_forget(&p->flows[i]);
}

static struct link *
link_free(struct dn_pipe *p, uint64_t now_ns)
{
	if (p->link_fresh < p->link_room)
		return &p->links[p->link_fresh++];
	for (uint32_t i = 0; i < IDLE_LOOKS; i++) {
		struct link *l = &p->links[p->link_hand];

		p->link_hand = (p->link_hand + 1) % p->link_room;
		if (!l->used)
			return l;
		if (TAILQ_EMPTY(&l->waiting) && l->rate.free_ns <= now_ns) {
			link_flows_forget(l);
			link_forget(l);
			return l;
		}
	}
	return NULL;
}

static struct link *
link_of(struct dn_pipe *p, const struct dn_id *id)
{
	uint32_t bucket = id_hash(p, id) % p->config.buckets;
	struct link *l;

	for (l = p->link_buckets[bucket]; l != NULL; l = l->hash_next)
		if (same(&l->id, id))
			return l;
	l = link_free(p, p->dn->net->now_ns);
	if (l == NULL)
		return &p->links[0];
	*l = (struct link){ .id = *id, .pipe = p, .used = true };
	rate_set(&l->rate, p->config.bw, p->config.burst);
	TAILQ_INIT(&l->waiting);
	l->timer.fn = link_due;
	l->hash_next = p->link_buckets[bucket];
	p->link_buckets[bucket] = l;
	return l;
}

/* --- packets come --------------------------------------------------------- */

/* On its way in; made plain first. */
struct entry {
	struct dn_pipe *pipe, *set;
	struct link *link;
	struct flow *flow;
	const struct pfil_where *where;
};

static void
enqueue(void *arg, struct frame *f)
{
	const struct entry *e = arg;
	const struct dn_config *c = &e->set->config;
	struct dn_pipe *p = e->pipe;
	struct dummynet *dn = p->dn;
	struct flow *flow = e->flow;
	enum drop_reason why = DROP_PIPE_FULL;
	struct node *n;

	flow->packets++;
	flow->bytes_seen += f->len;
	if (c->plr != 0 && chance(prng_u64(&dn->prng), c->plr)) {
		e->set->lost++;
		lose(dn, f, e->where, DROP_PIPE_LOSS);
		return;
	}
	if (c->slots != 0 ? flow->count >= c->slots
	                  : flow->bytes + f->len > c->bytes)
		goto out_lose;
	why = DROP_PIPE_SHARE;
	if (p->free == NULL ||
	    !pipe_share_take(&dn->net->pipe_share, &p->small, &p->large, f))
		goto out_lose;
	n = node_get(p);
	n->frame = f;
	n->where = *e->where;
	n->arrived_ns = dn->net->now_ns;
	n->next = NULL;
	if (flow->tail != NULL)
		flow->tail->next = n;
	else
		flow->head = n;
	flow->tail = n;
	flow->count++;
	flow->bytes += f->len;
	if (flow->count == 1)
		flow_waits(e->link, flow);
	return;

out_lose:
	flow->drops++;
	lose(dn, f, e->where, why);
}

static void
entry_drop(void *arg, struct frame *f, enum drop_reason why)
{
	const struct entry *e = arg;

	lose(e->pipe->dn, f, e->where, why);
}

enum pfil_verdict
dummynet_take(struct dummynet *dn, bool queue, uint32_t number,
    struct pfil_packet *p, const struct parsed *parsed)
{
	struct dn_pipe *set = find(dn, queue, number);
	struct dn_pipe *pipe =
	    set != NULL && queue ? find(dn, false, set->config.pipe) : set;
	struct entry e = { pipe, set, NULL, NULL, &p->where };
	const struct offload_output plain = {
		.emit = enqueue,
		.drop = entry_drop,
		.arg = &e,
	};
	struct dn_id id;

	p->why = DROP_PIPE_NONE;
	if (pipe == NULL || pipe->closing || set->closing)
		return PFIL_DROPPED;
	id = masked(&pipe->config.mask, p->frame, parsed);
	e.link = link_of(pipe, &id);
	/* What it has sent by now, it has chosen without this one. */
	link_run(e.link, dn->net->now_ns);
	if (queue)
		id = masked(&set->config.mask, p->frame, parsed);
	e.flow = flow_of(set, e.link, &id);
	if (e.flow == NULL) {
		p->why = DROP_PIPE_FULL;
		return PFIL_DROPPED;
	}
	offload_fit(p->frame, &plain);
	link_run(e.link, dn->net->now_ns);
	line_run(pipe, BATCH_MAX);
	return PFIL_CONSUMED;
}

/* --- configuration -------------------------------------------------------- */

/* All that a set holds: on, or (@drop) dropped. */
static void
flow_empty(struct dn_pipe *pipe, struct flow *f, bool drop)
{
	struct pfil_where w;

	if (f->count == 0)
		return;
	flow_stops(f->link, f);
	while (f->count != 0) {
		struct frame *frame = node_put(pipe, flow_pop(f), &w);

		if (drop)
			lose(pipe->dn, frame, &w, DROP_PIPE_NONE);
		else
			pfil_resume(pipe->dn->net, frame, &w);
	}
}

/* Flows of @set, and what belongs to them, end. */
static void
flows_end(struct dn_pipe *set, bool drop)
{
	set->closing = true;
	for (uint32_t i = 0; i < set->flow_fresh; i++) {
		struct flow *f = &set->flows[i];

		if (f->link == NULL)
			continue;
		flow_empty(f->link->pipe, f, drop);
		flow_forget(f);
	}
	set->flow_fresh = set->flow_hand = 0;
	set->closing = false;
}

static void
line_empty(struct dn_pipe *p, bool drop)
{
	struct pfil_where w;
	struct node *n;

	while ((n = delay_line_pop(&p->line, UINT64_MAX - 1)) != NULL) {
		struct frame *f = node_put(p, n, &w);

		if (drop)
			lose(p->dn, f, &w, DROP_PIPE_NONE);
		else
			pfil_resume(p->dn->net, f, &w);
	}
}

/* A pipe's links end, with the flows of its queues. */
static void
links_end(struct dn_pipe *p, bool drop)
{
	struct dn_pipe *q;

	p->closing = true;
	TAILQ_FOREACH (q, &p->dn->pipes, link)
		if (q->queue && q->config.pipe == p->number)
			flows_end(q, drop);
	flows_end(p, drop);
	p->closing = true;
	line_empty(p, drop);
	for (uint32_t i = 0; i < p->link_fresh; i++)
		if (p->links[i].used)
			link_forget(&p->links[i]);
	p->link_fresh = p->link_hand = 0;
	line_arm(p);
	p->closing = false;
}

static void
pipe_free(struct dn_pipe *p)
{
	if (p->dn->net->timers != NULL)
		timerheap_del(p->dn->net->timers, &p->timer);
	free(p->flows);
	free(p->flow_buckets);
	free(p->links);
	free(p->link_buckets);
	free(p->nodes);
	free(p->line.heap);
	free(p);
}

/* How many flows or links there are to be. */
static uint32_t
room_of(const struct dn_config *c)
{
	return c->mask.set
	           ? COAX_MIN(c->buckets * FLOWS_PER_BUCKET, DN_FLOWS_MAX)
	           : 1;
}

/* Memory for what @p has by its configuration. */
static int
pipe_room(struct dn_pipe *p)
{
	const struct pipe_share *share = &p->dn->net->pipe_share;
	struct timerheap *timers = p->dn->net->timers;
	const struct dn_pipe *pipe =
	    p->queue ? find(p->dn, false, p->config.pipe) : p;
	uint32_t nodes = share->small_one + share->large_one;

	p->flow_room = room_of(&p->config);
	if (pipe != NULL)
		p->flow_room = COAX_MAX(p->flow_room, room_of(&pipe->config));
	p->flows = calloc(p->flow_room, sizeof(*p->flows));
	p->flow_buckets = calloc(p->config.buckets, sizeof(struct flow *));
	if (p->flows == NULL || p->flow_buckets == NULL)
		return -ENOMEM;
	if (p->queue)
		return 0;
	p->link_room = room_of(&p->config);
	p->links = calloc(p->link_room, sizeof(*p->links));
	p->link_buckets = calloc(p->config.buckets, sizeof(struct link *));
	p->nodes = calloc(nodes, sizeof(*p->nodes));
	p->line.heap = calloc(nodes, sizeof(struct delay_entry));
	if (p->links == NULL || p->link_buckets == NULL || p->nodes == NULL ||
	    p->line.heap == NULL)
		return -ENOMEM;
	p->line.room = nodes;
	for (uint32_t i = 0; i < nodes; i++) {
		p->nodes[i].next = p->free;
		p->free = &p->nodes[i];
	}
	if (timers == NULL)
		return 0;
	if (timerheap_reserve(timers, timers->count + p->link_room + 1) != 0)
		return -ENOMEM;
	return timerheap_add(timers, &p->timer, TIMERHEAP_NEVER);
}

static bool
pipe_before(const struct dn_pipe *a, bool queue, uint32_t number)
{
	return a->queue != queue ? !a->queue : a->number < number;
}

static int
pipe_make(struct dummynet *dn, bool queue, uint32_t number,
    const struct dn_config *config)
{
	struct dn_pipe *p = calloc(1, sizeof(*p)), *at;
	int err;

	if (p == NULL)
		return -ENOMEM;
	p->dn = dn;
	p->queue = queue;
	p->number = number;
	p->config = *config;
	p->timer.fn = line_due;
	p->timer.punctual = true;
	err = pipe_room(p);
	if (err != 0) {
		pipe_free(p);
		return err;
	}
	TAILQ_FOREACH (at, &dn->pipes, link)
		if (!pipe_before(at, queue, number))
			break;
	if (at != NULL)
		TAILQ_INSERT_BEFORE(at, p, link);
	else
		TAILQ_INSERT_TAIL(&dn->pipes, p, link);
	dn->count++;
	return 0;
}

static bool
same_shape(const struct dn_config *a, const struct dn_config *b)
{
	return a->buckets == b->buckets && a->pipe == b->pipe &&
	       memcmp(&a->mask, &b->mask, sizeof(a->mask)) == 0;
}

/* The weights of flows that wait change with that of their queue. */
static void
weights_change(struct dn_pipe *p, uint32_t weight)
{
	for (uint32_t i = 0; i < p->flow_fresh; i++) {
		struct flow *f = &p->flows[i];

		if (f->link != NULL && f->count != 0)
			f->link->weights += weight - p->config.weight;
	}
	p->config.weight = weight;
}

/* A pipe's queues have as many flows as it has links; none of them is used. */
static int
queues_grow(
    struct dummynet *dn, uint32_t number, const struct dn_config *config)
{
	struct dn_pipe *q;

	TAILQ_FOREACH (q, &dn->pipes, link) {
		struct flow *grown;

		if (!q->queue || q->config.pipe != number ||
		    q->flow_room >= room_of(config))
			continue;
		grown = calloc(room_of(config), sizeof(*grown));
		if (grown == NULL)
			return -ENOMEM;
		free(q->flows);
		q->flows = grown;
		q->flow_room = room_of(config);
	}
	return 0;
}

int
dn_config(struct dummynet *dn, bool queue, uint32_t number,
    const struct dn_config *config)
{
	struct dn_pipe *p = find(dn, queue, number);
	int err;

	if (p == NULL && dn->count == DN_PIPES_MAX)
		return -ENOSPC;
	if (p == NULL) {
		err = pipe_make(dn, queue, number, config);
		return err != 0 || queue ? err
		                         : queues_grow(dn, number, config);
	}
	if (same_shape(&p->config, config)) {
		weights_change(p, config->weight);
		p->config = *config;
		for (uint32_t i = 0; i < p->link_fresh; i++) {
			struct link *l = &p->links[i];

			if (!l->used)
				continue;
			rate_set(&l->rate, config->bw, config->burst);
			link_run(l, dn->net->now_ns);
		}
		if (!queue)
			line_run(p, BATCH_MAX);
		return 0;
	}
	if (queue)
		flows_end(p, false);
	else
		links_end(p, false);
	TAILQ_REMOVE(&dn->pipes, p, link);
	dn->count--;
	err = pipe_make(dn, queue, number, config);
	if (err != 0) {
		/* As it was, but for what waited. */
		TAILQ_INSERT_TAIL(&dn->pipes, p, link);
		dn->count++;
		return err;
	}
	pipe_free(p);
	return queue ? 0 : queues_grow(dn, number, config);
}

int
dn_delete(struct dummynet *dn, bool queue, uint32_t number)
{
	struct dn_pipe *p = find(dn, queue, number), *q, *next;

	if (p == NULL)
		return -ENOENT;
	if (queue) {
		flows_end(p, true);
	} else {
		links_end(p, true);
		for (q = TAILQ_FIRST(&dn->pipes); q != NULL; q = next) {
			next = TAILQ_NEXT(q, link);
			if (q->queue && q->config.pipe == number)
				(void)dn_delete(dn, true, q->number);
		}
	}
	TAILQ_REMOVE(&dn->pipes, p, link);
	dn->count--;
	pipe_free(p);
	return 0;
}

void
dn_flush(struct dummynet *dn)
{
	struct dn_pipe *p;

	while ((p = TAILQ_FIRST(&dn->pipes)) != NULL)
		(void)dn_delete(dn, p->queue, p->number);
}

void
dummynet_fini(struct dummynet *dn)
{
	dn_flush(dn);
}

/* --- print-outs ----------------------------------------------------------- */

static void
tell_flow(const struct flow *f,
    void (*flow)(void *arg, const struct dn_flow_info *info), void *arg)
{
	struct dn_flow_info i = {
		.proto = f->id.proto,
		.family = f->id.family,
		.src_port = f->id.src_port,
		.dst_port = f->id.dst_port,
		.packets = f->packets,
		.bytes = f->bytes_seen,
		.waiting = f->count,
		.wait_bytes = f->bytes,
		.drops = f->drops,
	};

	memcpy(i.src, f->id.src, 16);
	memcpy(i.dst, f->id.dst, 16);
	flow(arg, &i);
}

void
dn_each(const struct dummynet *dn,
    void (*one)(void *arg, const struct dn_info *info),
    void (*flow)(void *arg, const struct dn_flow_info *info), void *arg)
{
	const struct dn_pipe *p;

	TAILQ_FOREACH (p, &dn->pipes, link) {
		const struct dn_info i = {
			.queue = p->queue,
			.number = p->number,
			.config = p->config,
			.flows = p->flow_count,
			.lost = p->lost,
			.on_line = p->line.count,
		};

		one(arg, &i);
		for (uint32_t n = 0; flow != NULL && n < p->flow_fresh; n++)
			if (p->flows[n].link != NULL)
				tell_flow(&p->flows[n], flow, arg);
	}
}
