/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xnb: frames become packets in the buffers that the front end has posted.
 *
 * transmit puts frames into the queue's backlog, flush (at the end of the
 * round) works it off in batches: as many whole packets as there are buffers
 * for, one call of the transport for all copies, one store of the shared line.
 * A packet that lacks buffers waits; the backlog has a limit in frames and in
 * bytes, and one that does not move for XNB_STALL_NS is dropped with the link
 * (iface.c), so a front end that posts nothing, or always one buffer too few,
 * holds no memory.
 *
 * A response stands in the slot of the request whose buffer it used: front ends
 * find their buffers by the slot's number. An extra info takes a slot, and its
 * buffer is not used.
 */
#include "drv/xnb/xnb.h"

#include <errno.h>
#include <string.h>

#include "base/ether.h"
#include "base/util.h"
#include "frame/offload.h"
#include "ring/netslot.h"

_Static_assert(sizeof(struct coax_netif_rx_request) == COAX_NETIF_RX_SLOT_SIZE,
    "protocol");
_Static_assert(sizeof(struct coax_netif_rx_response) == COAX_NETIF_RX_SLOT_SIZE,
    "protocol");

#define FIRST_MIN 256u /* bytes: what front ends want to find in one piece */

_Static_assert(1 + (COAX_NETIF_PACKET_MAX - FIRST_MIN + COAX_RING_PAGE - 1) /
                           COAX_RING_PAGE <
                   COAX_NETIF_PACKET_SLOTS,
    "Linux' front end takes so many");

#define SPREAD_BYTES 64u /* a cache line */
#define SPREAD_SLOTS 32u

/* What goes into a slot, as its words. */
struct rx_answer {
	uint32_t words[2];
	bool data; /* a piece of data: the next of the copies */
};

struct rx_batch {
	uint32_t count, copies, answers;
	struct frame *frames[XNB_BATCH];
	uint16_t frame_answers[XNB_BATCH];
	struct xnb_copy copy[COAX_NETIF_RX_SLOTS];
	struct rx_answer answer[COAX_NETIF_RX_SLOTS];
};

/* Data bytes that a slot takes. */
static inline uint32_t
slot_room(const struct xnb *x)
{
	return COAX_RING_PAGE - x->features.headroom;
}

static inline uint32_t
extras_of(const struct xnb *x, const struct frame *f)
{
	return (f->off.gso_type != FRAME_GSO_NONE ? 1u : 0u) +
	       (x->features.headroom != 0 ? 1u : 0u);
}

/* Slots of data, with so much in the first. */
static inline uint32_t
data_slots(const struct xnb *x, const struct frame *f, uint32_t first)
{
	uint32_t room = slot_room(x);

	return f->len <= first ? 1 : 1 + (f->len - first + room - 1) / room;
}

/* Data bytes in a packet's first slot. Where a piece is not to cross a page of
 * ours it ends with the page, and so do those after it; that may take a slot
 * more, but never too many. */
static inline uint32_t
first_room(const struct xnb *x, const struct frame *f)
{
	uint32_t room = slot_room(x), left;

	if (f->len <= room || x->features.headroom != 0 || !x->t->ops->by_page)
		return room;
	left = COAX_RING_PAGE - (uint32_t)((uintptr_t)f->data % COAX_RING_PAGE);
	return left < FIRST_MIN ? room : left;
}

static inline uint32_t
slots_of(const struct xnb *x, const struct frame *f)
{
	return data_slots(x, f, first_room(x, f)) + extras_of(x, f);
}

static bool
multicast_refused(const struct xnb *x, const struct frame *f)
{
	return ether_is_multicast(f->data) && !ether_is_broadcast(f->data) &&
	       !xnb_mcast_has(&x->mcast, f->data);
}

/* May this frame go to the front end?  If not, @why. */
static inline bool
acceptable(
    const struct xnb_queue *q, const struct frame *f, enum drop_reason *why)
{
	const struct xnb *x = q->xnb;

	if (__builtin_expect(f->len > slot_room(x), 0)) {
		*why = x->features.sg ? DROP_TX_SIZE : DROP_XNB_NO_SCATTER;
		if (!x->features.sg || f->len > COAX_NETIF_PACKET_MAX)
			return false;
	}
	*why = DROP_XNB_MULTICAST;
	if (x->features.mcast && multicast_refused(x, f))
		return false;
	*why = DROP_XNB_STALLED;
	return !q->stalled;
}

/* The usual: frames that are all acceptable, and for which there is room. */
static inline bool
push_all(struct xnb_queue *q, struct frame *const *frames, uint32_t count)
{
	uint32_t room = slot_room(q->xnb), longest = 0;
	uint64_t bytes = 0;

	if (q->xnb->features.mcast || q->stalled)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t len = frames[i]->len;

		bytes += len;
		longest = COAX_MAX(longest, len);
	}
	return longest <= room &&
	       frame_ring_push_all(&q->backlog, frames, count, bytes);
}

void
xnb_rx_push(struct xnb_queue *q, struct frame *const *frames, uint32_t count)
{
	struct iface *ifp = &q->xnb->ifp;
	enum drop_reason why;

	if (frame_ring_count(&q->backlog) == 0)
		q->progress_ns = ifp->net->now_ns;
	if (push_all(q, frames, count))
		return;
	for (uint32_t i = 0; i < count; i++) {
		struct frame *f = frames[i];
		int err;

		if (!acceptable(q, f, &why)) {
			iface_drop(ifp, f, why);
			continue;
		}
		err = frame_ring_push(&q->backlog, f);
		if (err != 0)
			iface_drop(ifp, f,
			    err == -EDQUOT ? DROP_QUEUE_BYTES
			                   : DROP_QUEUE_FULL);
	}
}

void
xnb_rx_drop(struct xnb_queue *q, enum drop_reason why)
{
	struct frame *f;

	while ((f = frame_ring_pop(&q->backlog)) != NULL)
		iface_drop(&q->xnb->ifp, f, why);
}

static uint16_t
flags_of(const struct frame *f)
{
	if ((f->off.flags & FRAME_CSUM_PARTIAL) != 0)
		return COAX_NETRXF_CSUM_BLANK | COAX_NETRXF_DATA_VALIDATED;
	if ((f->off.flags & FRAME_CSUM_VALID) != 0)
		return COAX_NETRXF_DATA_VALIDATED;
	return 0;
}

/* Takes the next request; says where its answer goes. */
static inline struct rx_answer *
next_answer(
    struct xnb_queue *q, struct rx_batch *b, struct coax_netif_rx_request *req)
{
	netslot_get_rx_request(&q->rx, q->rx.req_cons++, req);
	return &b->answer[b->answers++];
}

static void
add_extra(struct xnb_queue *q, struct rx_batch *b,
    const struct coax_netif_extra *extra)
{
	struct coax_netif_rx_request unused;
	struct rx_answer *a = next_answer(q, b, &unused);

	a->data = false;
	memcpy(a->words, extra, sizeof(a->words));
}

static void
add_extras(struct xnb_queue *q, struct rx_batch *b, const struct frame *f)
{
	uint8_t type = f->off.gso_type & (uint8_t)~FRAME_GSO_ECN;
	uint32_t headroom = q->xnb->features.headroom;
	struct coax_netif_extra gso = {
		.type = COAX_NETIF_EXTRA_GSO,
		.flags = headroom != 0 ? COAX_NETIF_EXTRA_FLAG_MORE : 0,
		.u.gso = {
			.size = f->off.gso_size,
			.type = type == FRAME_GSO_TCPV4 ? COAX_NETIF_GSO_TCPV4
			                                : COAX_NETIF_GSO_TCPV6,
		},
	};
	struct coax_netif_extra xdp = {
		.type = COAX_NETIF_EXTRA_XDP,
		.u.xdp.headroom = (uint16_t)headroom,
	};

	if (type != FRAME_GSO_NONE)
		add_extra(q, b, &gso);
	if (headroom != 0)
		add_extra(q, b, &xdp);
}

/*
 * Where in its page a small packet begins. Beginnings of pages share a few sets
 * of every cache, and of a batch each would drive out another.
 */
static inline uint32_t
spread(const struct xnb *x, const struct frame *f, uint16_t id)
{
	if (!x->t->ops->any_offset || x->features.headroom != 0 ||
	    f->len > COAX_RING_PAGE - SPREAD_SLOTS * SPREAD_BYTES)
		return 0;
	return id % SPREAD_SLOTS * SPREAD_BYTES;
}

/* One slot of data, of at most @room bytes, with these flags and, if more
 * follows, that one; returns the bytes that it holds. */
static inline uint32_t
add_data(struct xnb_queue *q, struct rx_batch *b, const struct frame *f,
    uint32_t at, uint32_t room, uint16_t flags)
{
	uint32_t headroom = q->xnb->features.headroom;
	uint32_t len = COAX_MIN(f->len - at, room);
	struct coax_netif_rx_request req;
	struct rx_answer *a = next_answer(q, b, &req);
	uint32_t begin = headroom + spread(q->xnb, f, req.id);

	b->copy[b->copies++] = (struct xnb_copy){
		.mem = f->data + at,
		.ref = req.gref,
		.offset = (uint16_t)begin,
		.len = (uint16_t)len,
	};
	if (at + len < f->len)
		flags |= COAX_NETRXF_MORE_DATA;
	a->data = true;
	a->words[0] = netslot_pair(req.id, (uint16_t)(begin - headroom));
	a->words[1] = netslot_pair(flags, (uint16_t)(headroom + len));
	return len;
}

static inline void
add_packet(struct xnb_queue *q, struct rx_batch *b, struct frame *f)
{
	bool extras = extras_of(q->xnb, f) != 0;
	uint32_t before = b->answers;
	uint32_t at = add_data(q, b, f, 0, first_room(q->xnb, f),
	    flags_of(f) | (extras ? COAX_NETRXF_EXTRA_INFO : 0));

	if (extras)
		add_extras(q, b, f);
	while (at < f->len)
		at += add_data(q, b, f, at, slot_room(q->xnb), 0);
	b->frame_answers[b->count] = (uint16_t)(b->answers - before);
	b->frames[b->count++] = f;
}

/* A piece that could not be copied: its slot says so, and the front end drops
 * the packet and keeps its buffers. */
static void
judge_copies(struct xnb_queue *q, struct rx_batch *b)
{
	const struct xnb_copy *c = b->copy;
	struct rx_answer *a = b->answer;

	for (uint32_t i = 0; i < b->count; i++) {
		bool bad = false;

		for (uint32_t k = 0; k < b->frame_answers[i]; k++, a++) {
			if (!a->data || (c++)->status == 0)
				continue;
			a->words[1] = netslot_pair(netslot_first(a->words[1]),
			    (uint16_t)COAX_NETIF_RSP_ERROR);
			bad = true;
		}
		if (!bad)
			continue;
		q->stats.rx_errors++;
		iface_drop(&q->xnb->ifp, b->frames[i], DROP_XNB_RX_COPY);
		b->frames[i] = NULL;
	}
}

static void
finish(struct xnb_queue *q, struct rx_batch *b)
{
	struct xnb_transport *t = q->xnb->t;

	if (t->ops->copy_to(t, b->copy, b->copies) != 0)
		judge_copies(q, b);
	for (uint32_t i = 0; i < b->answers; i++)
		netslot_put_rx(&q->rx, b->answer[i].words);
	if (netring_back_publish(&q->rx))
		q->notify_rx = true;
	for (uint32_t i = 0; i < b->count; i++) {
		if (b->frames[i] == NULL)
			continue;
		iface_count_out(&q->xnb->ifp, b->frames[i]);
		frame_release(b->frames[i]);
	}
	q->stats.rx_packets += b->count;
	q->stats.rx_slots += b->answers;
}

/* --- the short way ---------------------------------------------------------
 *
 * As in tx.c: packets of one slot each into memory that is mapped. It ends at
 * the first frame or buffer that is anything else.
 */

struct rx_run {
	uint32_t count;
	struct rx_run_packet {
		uint8_t *to;
		uint32_t words[2];
	} packets[XNB_BATCH];
	struct frame *frames[XNB_BATCH];
};

/* Finds buffers for the first frames of the backlog. */
static inline void
run_take(struct xnb_queue *q, struct rx_run *run, uint32_t max)
{
	const struct xnb *x = q->xnb;
	const struct xnb_transport *t = x->t;
	uint32_t n;

	for (n = 0; n < max; n++) {
		const struct frame *f = frame_ring_at(&q->backlog, n);
		struct coax_netif_rx_request req;
		uint32_t begin;

		netslot_get_rx_request(&q->rx, q->rx.req_cons + n, &req);
		if (__builtin_expect(f->len > COAX_RING_PAGE ||
		                         f->off.gso_type != FRAME_GSO_NONE ||
		                         req.gref >= t->pages,
		        0))
			break;
		begin = spread(x, f, req.id);
		run->packets[n].to =
		    t->mem + (size_t)req.gref * COAX_RING_PAGE + begin;
		shm_will_write(run->packets[n].to);
		run->packets[n].words[0] =
		    netslot_pair(req.id, (uint16_t)begin);
		run->packets[n].words[1] =
		    netslot_pair(flags_of(f), (uint16_t)f->len);
	}
	q->rx.req_cons += n;
	run->count = frame_ring_pop_many(&q->backlog, run->frames, n);
}

/* Return: packets that were sent. */
static uint32_t
short_run(struct xnb_queue *q)
{
	uint32_t max =
	    COAX_MIN(netring_back_known(&q->rx), frame_ring_count(&q->backlog));
	struct rx_run run;

	if (q->xnb->t->mem == NULL || q->xnb->features.headroom != 0)
		return 0;
	run_take(q, &run, COAX_MIN(max, XNB_BATCH));
	if (run.count == 0)
		return 0;
	for (uint32_t i = 0; i < run.count; i++) {
		const struct frame *f = run.frames[i];

		shm_copy_to(run.packets[i].to, f->data, f->len);
		netslot_put_rx(&q->rx, run.packets[i].words);
	}
	if (netring_back_publish(&q->rx))
		q->notify_rx = true;
	iface_count_out_all(&q->xnb->ifp, run.frames, run.count);
	for (uint32_t i = 0; i < run.count; i++)
		frame_release(run.frames[i]);
	q->stats.rx_packets += run.count;
	q->stats.rx_slots += run.count;
	return run.count;
}

/* --- both ways -------------------------------------------------------------
 */

int
xnb_rx_run(struct xnb_queue *q)
{
	struct xnb *x = q->xnb;
	int total = 0;

	while (frame_ring_count(&q->backlog) != 0) {
		struct rx_batch b;
		struct frame *f;
		int avail = netring_back_poll(&q->rx);
		uint32_t n;

		if (avail < 0)
			return xnb_fatal(x, DROP_XNB_RING);
		netring_back_expect(
		    &q->rx, COAX_MIN((uint32_t)avail, XNB_BATCH));
		n = short_run(q);
		if (n != 0) {
			q->progress_ns = x->ifp.net->now_ns;
			total += (int)n;
			continue;
		}
		b.count = b.copies = b.answers = 0;
		while (b.count < XNB_BATCH &&
		       (f = frame_ring_peek(&q->backlog)) != NULL) {
			uint32_t need = slots_of(x, f);

			if (need > netring_back_known(&q->rx)) {
				q->rx_want = need;
				break;
			}
			(void)frame_ring_pop(&q->backlog);
			add_packet(q, &b, f);
		}
		if (b.count == 0)
			break;
		finish(q, &b);
		q->progress_ns = x->ifp.net->now_ns;
		total += (int)b.count;
	}
	return total;
}

void
xnb_notify(struct xnb_queue *q)
{
	struct xnb_transport *t = q->xnb->t;

	/* One event for both rings where they share a channel. */
	if (q->notify_tx && q->notify_rx && q->tx_ch == q->rx_ch)
		q->notify_rx = false;
	if (q->notify_tx) {
		t->ops->notify(t, q->tx_ch);
		q->stats.notified++;
	}
	if (q->notify_rx) {
		t->ops->notify(t, q->rx_ch);
		q->stats.notified++;
	}
	q->notify_tx = q->notify_rx = false;
}
