/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xnb: transmit requests of the front end become frames.
 *
 * A batch goes through five steps, each over all of its packets:
 *
 *   parse     slots are copied out of the ring, each once, and followed from
 *             packet to packet; lengths and places are checked on the copies;
 *             a frame is taken for each good packet
 *   copy      one call of the transport for all pieces
 *   believe   where a sum is blank or a packet is a super-frame, the offload
 *             record is made and checked
 *   answer    responses in the order of the slots, published by one store
 *   input     iface_input(); fragments with a blank sum wait for the others
 *
 * What a front end can do wrong, and what it costs it (doc/ring.md has the
 * list): its packet, by drop(), or the connection, by xnb_fatal().
 *
 * The checks are those that Linux's xen-netback has learnt over the years
 * (XSA-39, 155, 392, 423, 432, 448), with the limits of the protocol
 * description: 18 slots of data after the first are taken, a few more cost the
 * packet, more than that the connection.
 */
#include "drv/xnb/xnb.h"

#include <errno.h>
#include <stdlib.h>

#include "base/ether.h"
#include "base/util.h"
#include "frame/offload.h"
#include "ring/netslot.h"

#define EXTRA_WORDS (sizeof(struct coax_netif_extra) / sizeof(uint32_t))

/* A batch of super-frames is to be in the processor's cache until it is out. */
#define BATCH_BYTES 131072u

#define FRAGS_MAX   18u /* slots of data after the first */
#define FRAGS_FATAL 20u /* more than so many are no accident */
#define EXTRAS_MAX  5u  /* extra infos of one packet */
#define GSO_MIN     48u /* bytes of a segment: no TCP has less */

_Static_assert(sizeof(struct coax_netif_tx_request) == COAX_NETIF_TX_SLOT_SIZE,
    "protocol");
_Static_assert(sizeof(struct coax_netif_tx_response) == 4, "protocol");
_Static_assert(sizeof(struct coax_netif_extra) == 8, "protocol");

/* How a slot is answered. */
struct tx_answer {
	uint16_t id;
	bool extra;
};

struct tx_packet {
	struct frame *f; /* NULL: bad, or only extra infos */
	uint32_t size;
	uint16_t flags; /* of the first slot */
	int16_t status;
	uint16_t gso_size; /* 0: not GSO */
	uint8_t gso_type;
	bool fragment;    /* with a blank sum */
	uint16_t answers; /* slots */
	uint16_t copies;  /* pieces */
};

struct tx_batch {
	uint32_t count, copies, answers;
	uint16_t flags; /* of all packets' first slots */
	struct tx_packet packets[XNB_BATCH];
	struct xnb_copy copy[COAX_NETIF_TX_SLOTS];
	struct tx_answer answer[COAX_NETIF_TX_SLOTS];
};

/* Where parsing is in the ring. */
struct tx_cursor {
	struct xnb_queue *q;
	struct tx_batch *b;
	uint32_t index; /* next slot */
	uint32_t avail; /* slots from there on */
};

/* A packet as it stands in the slots. */
struct tx_parse {
	struct coax_netif_tx_request first;
	struct coax_netif_tx_request frags[FRAGS_MAX];
	uint32_t frag_count;
	uint32_t left; /* of the packet's size, for the first slot */
	bool too_long; /* the pieces are longer than the packet */
	const struct coax_netif_extra *mcast; /* points to extras */
	const struct coax_netif_extra *gso;
	struct coax_netif_extra extras[COAX_NETIF_EXTRA_COUNT];
	uint32_t seen; /* bits: extra types */
};

/* Is there another slot? 0 or -EPROTO. */
static inline int
slot_there(struct tx_cursor *c)
{
	return c->avail != 0 ? 0 : xnb_fatal(c->q->xnb, DROP_XNB_UNFINISHED);
}

/* Takes the next slot, with data. 0 or -EPROTO. */
static inline int
next_request(struct tx_cursor *c, struct coax_netif_tx_request *req)
{
	if (slot_there(c) < 0)
		return -EPROTO;
	netslot_get_tx_request(&c->q->tx, c->index, req);
	c->b->answer[c->b->answers++] = (struct tx_answer){ .id = req->id };
	c->index++;
	c->avail--;
	return 0;
}

/* Takes the next slot, with an extra info. 0 or -EPROTO. */
static int
next_extra(struct tx_cursor *c, struct coax_netif_extra *e)
{
	if (slot_there(c) < 0)
		return -EPROTO;
	netring_back_get(&c->q->tx, c->index, e, EXTRA_WORDS);
	c->b->answer[c->b->answers++] = (struct tx_answer){ .extra = true };
	c->index++;
	c->avail--;
	return 0;
}

static int
parse_extras(struct tx_cursor *c, struct tx_parse *p)
{
	struct xnb *x = c->q->xnb;
	struct coax_netif_extra e;

	for (uint32_t n = 0; n < EXTRAS_MAX; n++) {
		struct coax_netif_extra *to;

		if (next_extra(c, &e) < 0)
			return -EPROTO;
		if (e.type == COAX_NETIF_EXTRA_NONE ||
		    e.type >= COAX_NETIF_EXTRA_COUNT ||
		    (p->seen & 1u << e.type) != 0)
			return xnb_fatal(x, DROP_XNB_EXTRA);
		p->seen |= 1u << e.type;
		to = &p->extras[e.type];
		*to = e;
		if (e.type == COAX_NETIF_EXTRA_GSO)
			p->gso = to;
		else if (e.type == COAX_NETIF_EXTRA_MCAST_ADD ||
		         e.type == COAX_NETIF_EXTRA_MCAST_DEL)
			p->mcast = to;
		if ((e.flags & COAX_NETIF_EXTRA_FLAG_MORE) == 0)
			return 0;
	}
	return xnb_fatal(x, DROP_XNB_EXTRA);
}

/* The slots of data after the first. */
static int
parse_frags(struct tx_cursor *c, struct tx_parse *p)
{
	struct xnb *x = c->q->xnb;
	struct coax_netif_tx_request req;

	do {
		if (p->frag_count == FRAGS_FATAL)
			return xnb_fatal(x, DROP_XNB_SLOTS_FATAL);
		if (next_request(c, &req) < 0)
			return -EPROTO;
		if ((uint32_t)req.offset + req.size > COAX_RING_PAGE)
			return xnb_fatal(x, DROP_XNB_CROSS);
		if (req.size > p->left)
			p->too_long = true;
		else
			p->left -= req.size;
		if (p->frag_count < FRAGS_MAX)
			p->frags[p->frag_count] = req;
		p->frag_count++;
	} while ((req.flags & COAX_NETTXF_MORE_DATA) != 0);
	return 0;
}

static inline void
add_copy(struct tx_batch *b, struct tx_packet *p, uint32_t *at,
    const struct coax_netif_tx_request *req, uint32_t len)
{
	if (len == 0)
		return;
	b->copy[b->copies++] = (struct xnb_copy){
		.mem = p->f->data + *at,
		.ref = req->gref,
		.offset = req->offset,
		.len = (uint16_t)len,
	};
	p->copies++;
	*at += len;
}

/* The packet is lost; its slots are answered. */
static int
drop(struct xnb_queue *q, struct tx_packet *p, int16_t status,
    enum drop_reason why)
{
	p->status = status;
	iface_count_drop(&q->xnb->ifp, why, 1);
	return 0;
}

/* The super-frame's extra info. */
static int
take_gso(struct xnb *x, const struct coax_netif_extra *e, struct tx_packet *p)
{
	if (e->u.gso.type != COAX_NETIF_GSO_TCPV4 &&
	    e->u.gso.type != COAX_NETIF_GSO_TCPV6)
		return xnb_fatal(x, DROP_XNB_GSO);
	if (e->u.gso.size == 0)
		return xnb_fatal(x, DROP_XNB_GSO);
	p->gso_size = e->u.gso.size;
	p->gso_type = e->u.gso.type == COAX_NETIF_GSO_TCPV4 ? FRAME_GSO_TCPV4
	                                                    : FRAME_GSO_TCPV6;
	return 0;
}

static void
take_mcast(struct xnb *x, const struct coax_netif_extra *e, struct tx_packet *p)
{
	if (e->type == COAX_NETIF_EXTRA_MCAST_DEL)
		xnb_mcast_del(&x->mcast, e->u.mcast.addr);
	else if (xnb_mcast_add(&x->mcast, e->u.mcast.addr) < 0) {
		p->status = COAX_NETIF_RSP_ERROR;
		iface_count_drop(&x->ifp, DROP_XNB_GROUPS, 1);
	}
}

/* All pieces between the first and the last fill pages, or one begins where
 * another ended. With the second where it was in its page they cross none. */
static void
align(struct frame *f, const struct tx_parse *parse)
{
	uint32_t at = (uint32_t)(uintptr_t)f->data + parse->left;

	if (f->large && parse->frag_count != 0)
		frame_shift(f, (parse->frags[0].offset - at) % COAX_RING_PAGE);
}

/* A good packet gets its frame, and its pieces go to the list of copies. */
static int
take_data(struct xnb_queue *q, struct tx_batch *b, struct tx_packet *p,
    const struct tx_parse *parse)
{
	uint32_t at = 0;

	p->f = frame_alloc(q->xnb->ifp.net->pool, p->size);
	if (p->f == NULL)
		return drop(q, p, COAX_NETIF_RSP_DROPPED, DROP_NO_FRAME);
	if (q->xnb->t->ops->by_page)
		align(p->f, parse);
	add_copy(b, p, &at, &parse->first, parse->left);
	for (uint32_t i = 0; i < parse->frag_count; i++)
		add_copy(b, p, &at, &parse->frags[i], parse->frags[i].size);
	p->f->len = p->size;
	return 0;
}

/* A packet of one slot, which was taken: most are. 0 or -EPROTO. */
static inline int
parse_single(struct tx_cursor *c, struct tx_packet *p,
    const struct coax_netif_tx_request *req)
{
	struct xnb_queue *q = c->q;
	uint32_t at = 0;

	p->answers = 1;
	if ((uint32_t)req->offset + req->size > COAX_RING_PAGE)
		return xnb_fatal(q->xnb, DROP_XNB_CROSS);
	if (req->size < ETH_HDR_LEN)
		return drop(q, p, COAX_NETIF_RSP_ERROR, DROP_RUNT);
	p->f = frame_alloc(q->xnb->ifp.net->pool, req->size);
	if (p->f == NULL)
		return drop(q, p, COAX_NETIF_RSP_DROPPED, DROP_NO_FRAME);
	p->f->len = req->size;
	add_copy(c->b, p, &at, req, req->size);
	return 0;
}

/* A packet of several slots, whose first was taken. 0 or -EPROTO. */
static int
parse_several(struct tx_cursor *c, struct tx_packet *p,
    const struct coax_netif_tx_request *req)
{
	struct xnb_queue *q = c->q;
	uint32_t answers = c->b->answers - 1;
	struct tx_parse parse;
	int err = 0;

	parse.first = *req;
	parse.frag_count = 0;
	parse.left = req->size;
	parse.too_long = false;
	parse.mcast = parse.gso = NULL;
	parse.seen = 0;
	if ((p->flags & COAX_NETTXF_EXTRA_INFO) != 0)
		err = parse_extras(c, &parse);
	if (err == 0 && parse.mcast != NULL) {
		take_mcast(q->xnb, parse.mcast, p);
		p->answers = (uint16_t)(c->b->answers - answers);
		return 0;
	}
	if (err == 0 && (p->flags & COAX_NETTXF_MORE_DATA) != 0)
		err = parse_frags(c, &parse);
	if (err == 0 && parse.gso != NULL)
		err = take_gso(q->xnb, parse.gso, p);
	if (err < 0)
		return err;
	p->answers = (uint16_t)(c->b->answers - answers);
	if (parse.too_long)
		return drop(q, p, COAX_NETIF_RSP_ERROR, DROP_XNB_SIZE);
	/* The first slot's own length is what the others leave of it. */
	if ((uint32_t)parse.first.offset + parse.left > COAX_RING_PAGE)
		return xnb_fatal(q->xnb, DROP_XNB_CROSS);
	if (parse.frag_count > FRAGS_MAX)
		return drop(q, p, COAX_NETIF_RSP_ERROR, DROP_XNB_SLOTS);
	if (p->size < ETH_HDR_LEN)
		return drop(q, p, COAX_NETIF_RSP_ERROR, DROP_RUNT);
	return take_data(q, c->b, p, &parse);
}

/* One packet: its slots, its frame, its pieces. 0 or -EPROTO. */
static inline int
parse_packet(struct tx_cursor *c, struct tx_packet *p)
{
	struct coax_netif_tx_request req;

	if (next_request(c, &req) < 0)
		return -EPROTO;
	*p = (struct tx_packet){ .size = req.size, .flags = req.flags };
	if ((req.flags & (COAX_NETTXF_MORE_DATA | COAX_NETTXF_EXTRA_INFO)) == 0)
		return parse_single(c, p, &req);
	return parse_several(c, p, &req);
}

/* Has the queue credit for the packet that comes next?  Only a look: its slot
 * is copied again when it is taken. */
static bool
affordable(const struct tx_cursor *c)
{
	struct coax_netif_tx_request req;

	netslot_get_tx_request(&c->q->tx, c->index, &req);
	return xnb_credit_allows(c->q, req.size);
}

/* Takes packets until the batch is full. 0 or -EPROTO: then frames of packets
 * before the bad one are still in the batch. */
static int
parse(struct xnb_queue *q, struct tx_batch *b, uint32_t avail)
{
	struct tx_cursor c = {
		.q = q,
		.b = b,
		.index = q->tx.req_cons,
		.avail = avail,
	};
	uint32_t bytes = 0;
	int err = 0;

	while (c.avail != 0 && b->count < XNB_BATCH && bytes < BATCH_BYTES) {
		struct tx_packet *p = &b->packets[b->count];

		if (q->credit.bytes != 0 && !affordable(&c))
			break;
		err = parse_packet(&c, p);
		if (err < 0)
			break;
		b->count++;
		b->flags |= p->flags;
		bytes += p->size;
		if (q->credit.bytes != 0)
			xnb_credit_charge(q, p->size, p->gso_size);
	}
	q->tx.req_cons = c.index;
	return err;
}

/* Statuses of the pieces, to packets. */
static void
judge_copies(struct xnb_queue *q, struct tx_batch *b)
{
	const struct xnb_copy *c = b->copy;

	for (uint32_t i = 0; i < b->count; i++) {
		struct tx_packet *p = &b->packets[i];
		bool bad = false;

		for (uint32_t k = 0; k < p->copies; k++)
			bad |= (c++)->status != 0;
		if (!bad)
			continue;
		frame_release(p->f);
		p->f = NULL;
		(void)drop(q, p, COAX_NETIF_RSP_ERROR, DROP_XNB_COPY);
	}
}

static void
answer(struct xnb_queue *q, const struct tx_batch *b)
{
	const struct tx_answer *a = b->answer;

	for (uint32_t i = 0; i < b->count; i++) {
		const struct tx_packet *p = &b->packets[i];

		for (uint32_t k = 0; k < p->answers; k++, a++) {
			if (a->extra)
				netslot_put_tx_response(
				    &q->tx, 0, COAX_NETIF_RSP_NULL);
			else
				netslot_put_tx_response(
				    &q->tx, a->id, p->status);
		}
		q->stats.tx_slots += p->answers;
		q->stats.tx_errors += p->status != COAX_NETIF_RSP_OKAY;
	}
	q->stats.tx_packets += b->count;
	if (netring_back_publish(&q->tx))
		q->notify_tx = true;
}

/* --- offload records -------------------------------------------------------
 */

/* What goes on into the interface. */
struct tx_input {
	struct xnb *x;
	struct frame_batch batch;
};

static void
input_flush(struct tx_input *in)
{
	if (in->batch.count != 0)
		iface_input(&in->x->ifp, &in->batch);
	in->batch.count = 0;
}

static void
input_add(void *arg, struct frame *f)
{
	struct tx_input *in = arg;

	in->batch.frames[in->batch.count++] = f;
	if (in->batch.count == FRAME_BATCH_MAX)
		input_flush(in);
}

static void
input_drop(void *arg, struct frame *f, enum drop_reason why)
{
	struct tx_input *in = arg;

	iface_drop(&in->x->ifp, f, why);
}

/* What the interface's words let in undone. */
static uint32_t
caps_taken(const struct xnb *x)
{
	uint32_t caps = OFFLOAD_ALL;

	if ((x->off & XNB_OFF_RXCSUM) != 0)
		caps &= ~(OFFLOAD_CSUM4 | OFFLOAD_TSO4);
	if ((x->off & XNB_OFF_RXCSUM6) != 0)
		caps &= ~(OFFLOAD_CSUM6 | OFFLOAD_TSO6);
	if ((x->off & XNB_OFF_LRO) != 0)
		caps &= ~(OFFLOAD_TSO4 | OFFLOAD_TSO6);
	return caps;
}

/* A frame with a good record: what is not to come in is done here. */
static void
input_fit(struct tx_input *in, struct frame *f)
{
	struct offload_output out = {
		.caps = caps_taken(in->x),
		.emit = input_add,
		.drop = input_drop,
		.arg = in,
	};

	if (out.caps == OFFLOAD_ALL)
		input_add(in, f);
	else
		offload_fit(f, &out);
}

/* --- fragments -------------------------------------------------------------
 */

static void
frags_due(struct timer *t, uint64_t now_ns)
{
	struct xnb *x = CONTAINER_OF(t, struct xnb, frags_timer);
	struct tx_input in;
	uint64_t next_ns;

	in.x = x;
	in.batch.count = 0;
	x->frags->arg = &in;
	next_ns = frags_expire(x->frags, now_ns);
	if (next_ns != 0)
		(void)timerheap_add(x->ifp.net->timers, t, next_ns);
}

void
xnb_tx_forget(struct xnb *x, enum drop_reason why)
{
	struct tx_input in;

	if (x->frags == NULL)
		return;
	if (x->ifp.net->timers != NULL)
		timerheap_del(x->ifp.net->timers, &x->frags_timer);
	in.x = x;
	in.batch.count = 0;
	x->frags->arg = &in;
	frags_clear(x->frags, why);
	free(x->frags);
	x->frags = NULL;
}

static int
frags_make(struct xnb *x)
{
	if (x->frags != NULL)
		return 0;
	x->frags = calloc(1, sizeof(*x->frags));
	if (x->frags == NULL)
		return -ENOMEM;
	x->frags->emit = input_add;
	x->frags->drop = input_drop;
	x->frags_timer.fn = frags_due;
	return 0;
}

/* A fragment with a blank sum waits for the others. */
static void
hold(struct tx_input *in, struct frame *f)
{
	struct xnb *x = in->x;
	struct net *net = x->ifp.net;

	if (frags_make(x) < 0) {
		input_drop(in, f, DROP_FRAGMENTS);
		return;
	}
	x->frags->arg = in;
	if (!frags_input(x->frags, f, true, net->now_ns))
		input_drop(in, f, DROP_CSUM_UNKNOWN);
	if (net->timers != NULL && x->frags->count != 0 &&
	    !timer_is_set(&x->frags_timer))
		(void)timerheap_add(
		    net->timers, &x->frags_timer, net->now_ns + FRAGS_NS);
}

/* --- the kinds of packets --------------------------------------------------
 */

/* One that says nothing of its sum, or that it is good. It may belong to one
 * that is held. */
static void
take_plain(struct tx_input *in, struct frame *f)
{
	struct xnb *x = in->x;

	if (x->frags != NULL) {
		x->frags->arg = in;
		if (frags_input(x->frags, f, false, x->ifp.net->now_ns))
			return;
	}
	input_add(in, f);
}

/* 0, or -EBADMSG with the reason in @why. */
static int
believe_super(
    struct xnb_queue *q, const struct tx_packet *p, enum drop_reason *why)
{
	struct frame *f = p->f;

	if (p->gso_size < GSO_MIN) {
		*why = DROP_BAD_OFFLOAD;
		return -EBADMSG;
	}
	/* Its sum is made anew for each segment, whatever it says. */
	if ((p->flags & COAX_NETTXF_CSUM_BLANK) == 0)
		q->stats.gso_fixed++;
	f->off.gso_type = p->gso_type;
	f->off.gso_size = p->gso_size;
	return offload_check(f, why);
}

static inline bool
is_undone(const struct tx_packet *p)
{
	return p->gso_size != 0 || (p->flags & COAX_NETTXF_CSUM_BLANK) != 0;
}

/* Makes the records of frames that leave something undone. Who sent a bad one
 * learns it by the answer. */
static void
judge_sums(struct xnb_queue *q, struct tx_batch *b)
{
	for (uint32_t i = 0; i < b->count; i++) {
		struct tx_packet *p = &b->packets[i];
		enum drop_reason why;
		int err;

		if (p->f == NULL || !is_undone(p))
			continue;
		err = p->gso_size != 0 ? believe_super(q, p, &why)
		                       : offload_blank(p->f, &why);
		p->fragment = err == -EINPROGRESS;
		if (err == 0 || p->fragment)
			continue;
		iface_drop(&q->xnb->ifp, p->f, why);
		p->f = NULL;
		p->status = COAX_NETIF_RSP_ERROR;
	}
}

/* A packet that leaves nothing undone: in with it. */
static inline void
input_one(struct tx_input *in, struct frame *f, uint16_t flags, bool believe)
{
	if ((flags & COAX_NETTXF_DATA_VALIDATED) != 0 && believe)
		f->off.flags = FRAME_CSUM_VALID;
	take_plain(in, f);
}

static inline bool
believes(const struct xnb *x)
{
	return (x->off & (XNB_OFF_RXCSUM | XNB_OFF_RXCSUM6)) == 0;
}

/* Lets the frames in. */
static void
input(struct xnb_queue *q, struct tx_batch *b)
{
	bool believe = believes(q->xnb);
	struct tx_input in;

	in.x = q->xnb;
	in.batch.count = 0;
	for (uint32_t i = 0; i < b->count; i++) {
		struct tx_packet *p = &b->packets[i];

		if (p->f == NULL)
			continue;
		if (p->fragment)
			hold(&in, p->f);
		else if (is_undone(p))
			input_fit(&in, p->f);
		else
			input_one(&in, p->f, p->flags, believe);
	}
	input_flush(&in);
}

/* --- the short way ---------------------------------------------------------
 *
 * Good packets of one slot each that leave nothing undone, out of memory that
 * is mapped, which is what there is most of: no list of pieces, no call for a
 * copy. It takes what is in order and ends at the first packet that is anything
 * else; that one's slot is copied anew by who goes through all the checks.
 */

struct tx_run {
	uint32_t count;
	uint16_t flags; /* of all together */
	struct tx_run_packet {
		const uint8_t *from;
		uint16_t id, flags;
	} packets[XNB_BATCH];
	struct frame_batch frames;
};

static inline bool
is_short(const struct xnb_transport *t, const struct coax_netif_tx_request *r)
{
	return (r->flags & (COAX_NETTXF_MORE_DATA | COAX_NETTXF_EXTRA_INFO |
	                       COAX_NETTXF_CSUM_BLANK)) == 0 &&
	       r->size >= ETH_HDR_LEN && r->size <= FRAME_SMALL_MAX &&
	       (uint32_t)r->offset + r->size <= COAX_RING_PAGE &&
	       r->gref < t->pages;
}

static inline void
run_take(struct xnb_queue *q, struct tx_run *run, uint32_t max)
{
	const struct xnb_transport *t = q->xnb->t;
	struct frame_pool *pool = q->xnb->ifp.net->pool;
	uint16_t flags = 0;
	uint32_t n;

	for (n = 0; n < max; n++) {
		struct coax_netif_tx_request req;
		struct frame *f;

		netslot_get_tx_request(&q->tx, q->tx.req_cons + n, &req);
		if (__builtin_expect(!is_short(t, &req), 0))
			break;
		run->packets[n].from =
		    t->mem + (size_t)req.gref * COAX_RING_PAGE + req.offset;
		shm_will_read(run->packets[n].from);
		run->packets[n].id = req.id;
		run->packets[n].flags = req.flags;
		flags |= req.flags;
		f = frame_alloc(pool, req.size);
		f->len = req.size;
		run->frames.frames[n] = f;
	}
	q->tx.req_cons += n;
	run->count = n;
	run->flags = flags;
}

static void
run_input(struct xnb_queue *q, struct tx_run *run)
{
	struct xnb *x = q->xnb;
	struct tx_input in;

	if ((run->flags & COAX_NETTXF_DATA_VALIDATED) == 0 &&
	    x->frags == NULL) {
		run->frames.count = run->count;
		iface_input(&x->ifp, &run->frames);
		return;
	}
	in.x = x;
	in.batch.count = 0;
	for (uint32_t i = 0; i < run->count; i++)
		input_one(&in, run->frames.frames[i], run->packets[i].flags,
		    believes(x));
	input_flush(&in);
}

/* Up to @max packets. Return: how many were taken. */
static uint32_t
short_run(struct xnb_queue *q, uint32_t max)
{
	struct tx_run run;

	if (q->xnb->t->mem == NULL || q->credit.bytes != 0)
		return 0;
	run_take(q, &run,
	    COAX_MIN(max, frame_pool_small_free(q->xnb->ifp.net->pool)));
	if (run.count == 0)
		return 0;
	for (uint32_t i = 0; i < run.count; i++) {
		struct frame *f = run.frames.frames[i];

		shm_copy_from(f->data, run.packets[i].from, f->len);
		netslot_put_tx_response(
		    &q->tx, run.packets[i].id, COAX_NETIF_RSP_OKAY);
	}
	q->stats.tx_slots += run.count;
	q->stats.tx_packets += run.count;
	if (netring_back_publish(&q->tx))
		q->notify_tx = true;
	run_input(q, &run);
	return run.count;
}

int
xnb_tx_run(struct xnb_queue *q)
{
	struct xnb_transport *t = q->xnb->t;
	struct tx_batch b;
	int avail = netring_back_poll(&q->tx);
	uint32_t n;
	int err;

	if (avail <= 0)
		return avail == 0 ? 0 : xnb_fatal(q->xnb, DROP_XNB_RING);
	n = COAX_MIN((uint32_t)avail, XNB_BATCH);
	netring_back_expect(&q->tx, n);
	n = short_run(q, n);
	if (n != 0)
		return (int)n;
	b.count = b.copies = b.answers = 0;
	b.flags = 0;
	err = parse(q, &b, (uint32_t)avail);
	if (err < 0) {
		/* Nothing is answered any more. */
		for (uint32_t i = 0; i < b.count; i++) {
			if (b.packets[i].f != NULL)
				iface_drop(&q->xnb->ifp, b.packets[i].f,
				    DROP_DESTROYED);
		}
		return err;
	}
	if (b.copies != 0 && t->ops->copy_from(t, b.copy, b.copies) != 0)
		judge_copies(q, &b);
	if ((b.flags & (COAX_NETTXF_CSUM_BLANK | COAX_NETTXF_EXTRA_INFO)) != 0)
		judge_sums(q, &b);
	answer(q, &b);
	input(q, &b);
	return (int)b.count;
}
