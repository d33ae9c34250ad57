/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xnb: the interface. xnb.h says how the parts hang together.
 *
 * The wire side is the front end's rings; the link is up while one is
 * connected. `ifconfig xnb0 create' makes an interface that waits for a program
 * (local.c); other transports make theirs by themselves.
 *
 * When an interface is idle nothing of it runs: no timer is set and every queue
 * has asked to be told.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/ether.h"
#include "base/str.h"
#include "base/util.h"
#include "drv/xnb/xnb.h"
#include "frame/flow.h"
#include "frame/offload.h"
#include "net/info.h"
#include "net/keyword.h"
#include "os/loop.h"

#define RX_POLL_NS 30000000u /* for front ends that do not tell of buffers */

/* --- polling ---------------------------------------------------------------
 */

void
xnb_event(struct xnb *x)
{
	x->look_ctrl = true;
	x->work_ns = x->ifp.net->now_ns;
	net_ready(&x->ifp);
}

/* A queue that has no credit is woken by its timer. */
static inline bool
waits_for_credit(const struct xnb_queue *q)
{
	return timer_is_set(&q->credit.timer);
}

/* The link is down while a queue's buffers have been missing for long. */
static void
link_update(struct xnb *x)
{
	bool up = x->connected && x->state == COAX_NETIF_STATE_CONNECTED;

	for (uint32_t i = 0; i < x->queue_count; i++)
		up = up && !x->queues[i].stalled;
	iface_set_link(&x->ifp, up ? IFACE_LINK_UP : IFACE_LINK_DOWN);
}

static void
set_timer(struct xnb *x, struct timer *t, uint64_t due_ns)
{
	struct net *net = x->ifp.net;

	if (net->timers != NULL && !timer_is_set(t))
		(void)timerheap_add(net->timers, t, due_ns);
}

/* A queue whose backlog stays: what brings it on again. */
static void
backlog_stays(struct xnb_queue *q)
{
	struct xnb *x = q->xnb;
	uint64_t now_ns = x->ifp.net->now_ns;

	if (x->features.rx_notify)
		set_timer(x, &x->stall, q->progress_ns + XNB_STALL_NS);
	else
		set_timer(x, &x->rx_poll, now_ns + RX_POLL_NS);
}

static void
stall_due(struct timer *t, uint64_t now_ns)
{
	struct xnb *x = CONTAINER_OF(t, struct xnb, stall);

	for (uint32_t i = 0; i < x->queue_count; i++) {
		struct xnb_queue *q = &x->queues[i];

		if (frame_ring_count(&q->backlog) == 0)
			continue;
		if (now_ns - q->progress_ns < XNB_STALL_NS) {
			set_timer(x, t, q->progress_ns + XNB_STALL_NS);
			continue;
		}
		q->stalled = true;
		xnb_rx_drop(q, DROP_XNB_STALLED);
	}
	link_update(x);
}

static void
rx_poll_due(struct timer *t, uint64_t now_ns)
{
	(void)now_ns;
	xnb_event(CONTAINER_OF(t, struct xnb, rx_poll));
}

/* Has a stalled queue got the buffers that it lacked? 0 or -EPROTO. */
static int
unstall(struct xnb_queue *q)
{
	int n = netring_back_poll(&q->rx);

	if (n < 0)
		return xnb_fatal(q->xnb, DROP_XNB_RING);
	if ((uint32_t)n >= q->rx_want) {
		q->stalled = false;
		link_update(q->xnb);
	}
	return 0;
}

/* One turn of a queue: what was done, or -EPROTO. */
static int
queue_turn(struct xnb_queue *q)
{
	int tx = 0, rx = 0;

	if (!waits_for_credit(q))
		tx = xnb_tx_run(q);
	if (tx >= 0 && q->stalled)
		rx = unstall(q);
	else if (tx >= 0 && frame_ring_count(&q->backlog) != 0)
		rx = xnb_rx_run(q);
	xnb_notify(q);
	return tx < 0 ? tx : rx < 0 ? rx : tx + rx;
}

/* True if the queue can sleep. */
static bool
queue_arm(struct xnb_queue *q)
{
	bool more = false;

	if (!waits_for_credit(q))
		more = netring_back_arm(&q->tx, 1);
	if (q->stalled || frame_ring_count(&q->backlog) != 0) {
		more =
		    netring_back_arm(&q->rx, COAX_MAX(q->rx_want, 1u)) || more;
		backlog_stays(q);
	}
	return !more;
}

static int
ctrl_turn(struct xnb *x)
{
	if (x->ctrl_ch == NULL || !x->look_ctrl)
		return 0;
	x->look_ctrl = false;
	return xnb_ctrl_run(x);
}

static bool
arm_all(struct xnb *x)
{
	bool sleep = true;

	for (uint32_t i = 0; i < x->queue_count; i++)
		sleep = queue_arm(&x->queues[i]) && sleep;
	if (x->ctrl_ch != NULL && netring_back_arm(&x->ctrl, 1)) {
		x->look_ctrl = true;
		sleep = false;
	}
	if (sleep && x->t->ops->armed != NULL)
		x->t->ops->armed(x->t);
	return sleep;
}

/* How long a queue without work goes on being looked at. */
static uint64_t
spin_ns(const struct xnb *x)
{
	const struct drv_context *ctx = drv_context(x->ifp.net);

	return ctx != NULL && ctx->loop != NULL ? loop_spin_ns(ctx->loop) : 0;
}

static bool
xnb_poll(struct iface *ifp, uint32_t budget)
{
	struct xnb *x = xnb_of(ifp);
	uint64_t now_ns = ifp->net->now_ns;
	uint32_t done = 0;
	int n;

	if (!x->connected || x->state != COAX_NETIF_STATE_CONNECTED)
		return false;
	n = ctrl_turn(x);
	for (uint32_t i = 0; n >= 0 && i < x->queue_count && done < budget;
	     i++) {
		x->next_queue = (x->next_queue + 1) % x->queue_count;
		n = queue_turn(&x->queues[x->next_queue]);
		if (n > 0)
			done += (uint32_t)n;
	}
	if (n < 0) {
		xnb_vif_broken(x);
		return false;
	}
	if (done != 0) {
		x->work_ns = now_ns;
		return true;
	}
	if (now_ns - x->work_ns < spin_ns(x))
		return true;
	return !arm_all(x);
}

static void
xnb_flush(struct iface *ifp)
{
	struct xnb *x = xnb_of(ifp);

	for (uint32_t i = 0; i < x->queue_count; i++) {
		struct xnb_queue *q = &x->queues[i];

		if (frame_ring_count(&q->backlog) == 0 || q->stalled)
			continue;
		if (xnb_rx_run(q) < 0) {
			xnb_vif_broken(x);
			return;
		}
		xnb_notify(q);
		/* Waiting for buffers is polling, too. */
		if (frame_ring_count(&q->backlog) != 0)
			net_ready(ifp);
	}
}

/* --- frames for the front end ----------------------------------------------
 */

static struct xnb_queue *
queue_choose(const struct xnb *x, const struct frame *f)
{
	uint64_t h = flow_hash(x->ifp.net->hash_seed, f);

	return &x->queues[h % x->queue_count];
}

static void
xnb_transmit(struct iface *ifp, struct frame_batch *batch)
{
	struct xnb *x = xnb_of(ifp);

	if (!x->connected || x->state != COAX_NETIF_STATE_CONNECTED) {
		iface_drop_batch(ifp, batch, DROP_XNB_NO_FRONT);
		return;
	}
	if (x->queue_count == 1) {
		xnb_rx_push(x->queues, batch->frames, batch->count);
	} else {
		for (uint32_t i = 0; i < batch->count; i++)
			xnb_rx_push(queue_choose(x, batch->frames[i]),
			    &batch->frames[i], 1);
	}
	net_flush_later(ifp);
}

/* OFFLOAD_* that the front end takes, less what is off. A super-frame has no
 * sum either. The protocol has no way to say that CWR is set. */
static uint32_t
caps_out(const struct xnb *x)
{
	const struct xnb_features *f = &x->features;
	uint32_t caps = 0;

	if (f->csum4 && (x->off & XNB_OFF_TXCSUM) == 0)
		caps |= OFFLOAD_CSUM4;
	if (f->csum6 && (x->off & XNB_OFF_TXCSUM6) == 0)
		caps |= OFFLOAD_CSUM6;
	if ((caps & OFFLOAD_CSUM4) != 0 && f->sg && f->gso4 &&
	    (x->off & XNB_OFF_TSO4) == 0)
		caps |= OFFLOAD_TSO4;
	if ((caps & OFFLOAD_CSUM6) != 0 && f->sg && f->gso6 &&
	    (x->off & XNB_OFF_TSO6) == 0)
		caps |= OFFLOAD_TSO6;
	return caps;
}

/* What may come in undone. */
static uint32_t
caps_in(const struct xnb *x)
{
	uint32_t caps = 0;

	if ((x->off & XNB_OFF_RXCSUM) == 0)
		caps |= OFFLOAD_CSUM4;
	if ((x->off & XNB_OFF_RXCSUM6) == 0)
		caps |= OFFLOAD_CSUM6;
	if ((x->off & XNB_OFF_LRO) == 0)
		caps |= OFFLOAD_TSO4 | OFFLOAD_TSO6;
	return caps;
}

void
xnb_caps_update(struct xnb *x)
{
	x->ifp.caps_in = caps_in(x);
	iface_set_caps(&x->ifp, x->connected ? caps_out(x) : 0);
}

/* --- life ------------------------------------------------------------------
 */

static int
attach(struct xnb *x, struct xnb_transport *t, uint32_t state)
{
	if (x->t != NULL)
		return -EBUSY;
	t->xnb = x;
	x->t = t;
	x->state = state;
	x->front_state = COAX_NETIF_STATE_UNKNOWN;
	x->resumed = false;
	return 0;
}

int
xnb_attach(struct xnb *x, struct xnb_transport *t)
{
	int err = attach(x, t, COAX_NETIF_STATE_INITIALISING);

	if (err == 0 && x->pace.failed)
		xnb_pace_again(&x->pace, x->ifp.net->now_ns);
	if (err == 0)
		xnb_vif_start(x);
	return err;
}

int
xnb_attach_connected(struct xnb *x, struct xnb_transport *t)
{
	int err = attach(x, t, COAX_NETIF_STATE_INIT_WAIT);

	if (err == 0) {
		x->broken = false;
		x->resumed = true;
	}
	return err;
}

void
xnb_detach(struct xnb *x)
{
	struct xnb_transport *t = x->t;

	if (t == NULL)
		return;
	xnb_vif_close(x);
	x->t = NULL;
	t->ops->close(t);
}

static bool
number_taken(const struct xnb *x, uint32_t number)
{
	const struct iface *other;

	TAILQ_FOREACH (other, &x->ifp.net->ifaces, all_link) {
		if (other != &x->ifp && other->ops == &xnb_ops &&
		    xnb_of_const(other)->number == number)
			return true;
	}
	return false;
}

/* N of dev.xnb.N: the unit if it is free, else the lowest that is. */
static void
number_choose(struct xnb *x)
{
	x->number = x->ifp.unit != IFACE_UNIT_NONE ? x->ifp.unit : 0;
	if (!number_taken(x, x->number))
		return;
	x->number = 0;
	while (number_taken(x, x->number))
		x->number++;
}

/* "xnb1.0" is a domain's, when it comes from there; to others it would be the
 * name of a VLAN of xnb1. */
static int
xnb_name_match(struct net *net, const struct vnet *vnet, const char *name)
{
	const struct drv_context *ctx = drv_context(net);

	(void)vnet;
	return ctx != NULL && ctx->xen_makes &&
	               strncmp(name, xnb_ops.kind, strlen(xnb_ops.kind)) == 0
	           ? 1
	           : 0;
}

static int
xnb_create(struct iface *ifp)
{
	static const uint8_t bridged[6] = { 0xfe, 0xff, 0xff, 0xff, 0xff,
		0xff };
	struct xnb *x = xnb_of(ifp);

	number_choose(x);
	x->stall.fn = stall_due;
	x->rx_poll.fn = rx_poll_due;
	/* The toolstack has one for the guest. Ours is the one that no bridge
	 * prefers to others, until it is set. */
	if (ifp->unit == IFACE_UNIT_NONE)
		ether_copy(ifp->mac, bridged);
	else
		net_lladdr_choose(ifp, 0xf20ba4, ifp->mac);
	net_lladdr_choose(ifp, 0xf20ba4, x->front_mac);
	xnb_caps_update(x);
	iface_set_link(ifp, IFACE_LINK_DOWN);
	return 0;
}

static void
xnb_destroy(struct iface *ifp)
{
	struct xnb *x = xnb_of(ifp);
	struct timerheap *timers = ifp->net->timers;

	xnb_detach(x);
	xnb_tx_forget(x, DROP_DESTROYED);
	if (timers != NULL) {
		timerheap_del(timers, &x->stall);
		timerheap_del(timers, &x->rx_poll);
	}
}

static int
xnb_set_mtu(struct iface *ifp, uint32_t mtu)
{
	const struct xnb *x = xnb_of(ifp);

	if (x->connected && !x->features.sg &&
	    mtu > COAX_RING_PAGE - ETH_HDR_LEN)
		return net_error(ifp->net, -EINVAL,
		    "the front end takes packets of one page only: up to %u",
		    COAX_RING_PAGE - ETH_HDR_LEN);
	return 0;
}

static void
xnb_changed(struct iface *ifp, uint32_t what)
{
	struct xnb *x = xnb_of(ifp);
	bool up = (ifp->flags & IFACE_UP) != 0;

	if ((what & IFACE_CHANGED_MTU) != 0)
		xnb_vif_mtu(x);
	if ((what & IFACE_CHANGED_FLAGS) == 0)
		return;
	iface_set_running(ifp, up);
	for (uint32_t i = 0; !up && i < x->queue_count; i++)
		xnb_rx_drop(&x->queues[i], DROP_IF_DOWN);
}

static void
xnb_get(const struct iface *ifp, struct info *out)
{
	const struct xnb *x = xnb_of_const(ifp);
	uint64_t queued = 0;

	for (uint32_t i = 0; i < x->queue_count; i++)
		queued += frame_ring_count(&x->queues[i].backlog);
	info_u64(out, "number", x->number);
	info_str(out, "transport", x->t != NULL ? x->t->ops->name : "none");
	info_bool(out, "connected", x->connected);
	info_bool(out, "persist", x->persist);
	info_u64(out, "queues", x->queue_count);
	info_u64(out, "queued", queued);
	if (x->t != NULL && x->t->ops->get != NULL)
		x->t->ops->get(x->t, out);
}

/* --- words -----------------------------------------------------------------
 */

static int
set_persist(struct iface *ifp, const union keyword_value *v)
{
	struct xnb *x = xnb_of(ifp);

	(void)v;
	if (x->t != NULL && x->t->ops->by_itself)
		return net_error(ifp->net, -EINVAL,
		    "%s comes and goes with its domain", ifp->name);
	x->persist = true;
	ifp->transient = false;
	return 0;
}

static int
set_nopersist(struct iface *ifp, const union keyword_value *v)
{
	(void)v;
	xnb_of(ifp)->persist = false;
	return 0;
}

static int
switch_offload(struct iface *ifp, uint32_t bits, bool on)
{
	struct xnb *x = xnb_of(ifp);

	x->off = on ? x->off & ~bits : x->off | bits;
	xnb_caps_update(x);
	return 0;
}

/* An offload's two words, and what they have set. */
#define OFFLOAD_WORD(id, bits)                                                 \
	static int set_##id(struct iface *ifp, const union keyword_value *v)   \
	{                                                                      \
		(void)v;                                                       \
		return switch_offload(ifp, bits, true);                        \
	}                                                                      \
	static int unset_##id(struct iface *ifp, const union keyword_value *v) \
	{                                                                      \
		(void)v;                                                       \
		return switch_offload(ifp, bits, false);                       \
	}                                                                      \
	static void save_##id(const struct iface *ifp, struct keyword_sink *s) \
	{                                                                      \
		keyword_put_switch(                                            \
		    s, #id, "", (xnb_of_const(ifp)->off & (bits)) == 0, true); \
	}
OFFLOAD_WORD(rxcsum, XNB_OFF_RXCSUM)
OFFLOAD_WORD(rxcsum6, XNB_OFF_RXCSUM6)
OFFLOAD_WORD(txcsum, XNB_OFF_TXCSUM)
OFFLOAD_WORD(txcsum6, XNB_OFF_TXCSUM6)
OFFLOAD_WORD(tso4, XNB_OFF_TSO4)
OFFLOAD_WORD(tso6, XNB_OFF_TSO6)
OFFLOAD_WORD(lro, XNB_OFF_LRO)
#undef OFFLOAD_WORD

static int
set_tso(struct iface *ifp, const union keyword_value *v)
{
	(void)v;
	return switch_offload(ifp, XNB_OFF_TSO4 | XNB_OFF_TSO6, true);
}

static int
unset_tso(struct iface *ifp, const union keyword_value *v)
{
	(void)v;
	return switch_offload(ifp, XNB_OFF_TSO4 | XNB_OFF_TSO6, false);
}

/* "BYTES/USECS"; a tool's key "rate" has a comma. */
static int
set_rate(struct iface *ifp, const union keyword_value *v)
{
	struct xnb *x = xnb_of(ifp);
	char text[XNB_VALUE_MAX];
	uint64_t bytes, usecs;
	char *slash;

	if (str_copy(text, sizeof(text), v[0].str) < 0)
		return -EINVAL;
	slash = strpbrk(text, "/,");
	if (slash != NULL)
		*slash = '\0';
	if (slash == NULL || str_u64(text, 10, 1, UINT32_MAX, &bytes) < 0 ||
	    str_u64(slash + 1, 10, 1, UINT32_MAX, &usecs) < 0)
		return net_error(ifp->net, -EINVAL,
		    "a rate is BYTES/MICROSECONDS, each from 1 to %u",
		    UINT32_MAX);
	x->rate_bytes = bytes;
	x->rate_usecs = usecs;
	xnb_vif_rate(x);
	return 0;
}

static int
unset_rate(struct iface *ifp, const union keyword_value *v)
{
	struct xnb *x = xnb_of(ifp);

	(void)v;
	x->rate_bytes = x->rate_usecs = 0;
	xnb_vif_rate(x);
	return 0;
}

static void
save_rate(const struct iface *ifp, struct keyword_sink *s)
{
	const struct xnb *x = xnb_of_const(ifp);

	if (x->rate_bytes != 0)
		keyword_put(s, "rate %llu/%llu",
		    (unsigned long long)x->rate_bytes,
		    (unsigned long long)x->rate_usecs);
	else if (s->all)
		keyword_put(s, "-rate");
}

static void
save_persist(const struct iface *ifp, struct keyword_sink *s)
{
	keyword_put_switch(s, "persist", "", xnb_of_const(ifp)->persist, false);
}

static const struct iface_keyword xnb_keywords[] = {
	{
	    .name = "persist",
	    .apply = set_persist,
	    .bsd_name = "persist",
	    .help = "keep the interface when its program ends",
	    .save = save_persist,
	},
	{
	    .name = "-persist",
	    .apply = set_nopersist,
	    .bsd_name = "-persist",
	    .help = "the interface ends with its program",
	    .saved_by = "persist",
	},
	{
	    .name = "rxcsum",
	    .apply = set_rxcsum,
	    .bsd_name = "rxcsum",
	    .help = "take blank TCP and UDP sums over IPv4, believe good ones",
	    .save = save_rxcsum,
	},
	{
	    .name = "-rxcsum",
	    .apply = unset_rxcsum,
	    .bsd_name = "-rxcsum",
	    .help = "complete sums over IPv4 that come in, believe none",
	    .saved_by = "rxcsum",
	},
	{
	    .name = "rxcsum6",
	    .apply = set_rxcsum6,
	    .bsd_name = "rxcsum6",
	    .help = "the same over IPv6",
	    .save = save_rxcsum6,
	},
	{
	    .name = "-rxcsum6",
	    .apply = unset_rxcsum6,
	    .bsd_name = "-rxcsum6",
	    .help = "the same over IPv6",
	    .saved_by = "rxcsum6",
	},
	{
	    .name = "txcsum",
	    .apply = set_txcsum,
	    .bsd_name = "txcsum",
	    .help = "leave sums over IPv4 to the front end",
	    .save = save_txcsum,
	},
	{
	    .name = "-txcsum",
	    .apply = unset_txcsum,
	    .bsd_name = "-txcsum",
	    .help = "complete sums over IPv4 that go out",
	    .saved_by = "txcsum",
	},
	{
	    .name = "txcsum6",
	    .apply = set_txcsum6,
	    .bsd_name = "txcsum6",
	    .help = "leave sums over IPv6 to the front end",
	    .save = save_txcsum6,
	},
	{
	    .name = "-txcsum6",
	    .apply = unset_txcsum6,
	    .bsd_name = "-txcsum6",
	    .help = "complete sums over IPv6 that go out",
	    .saved_by = "txcsum6",
	},
	{
	    .name = "tso",
	    .apply = set_tso,
	    .bsd_name = "tso",
	    .help = "tso4 and tso6",
	    .saved_by = "tso4",
	},
	{
	    .name = "-tso",
	    .apply = unset_tso,
	    .bsd_name = "-tso",
	    .help = "-tso4 and -tso6",
	    .saved_by = "tso4",
	},
	{
	    .name = "tso4",
	    .apply = set_tso4,
	    .bsd_name = "tso4",
	    .help = "give the front end super-frames over IPv4",
	    .save = save_tso4,
	},
	{
	    .name = "-tso4",
	    .apply = unset_tso4,
	    .bsd_name = "-tso4",
	    .help = "segment super-frames over IPv4 that go out",
	    .saved_by = "tso4",
	},
	{
	    .name = "tso6",
	    .apply = set_tso6,
	    .bsd_name = "tso6",
	    .help = "give the front end super-frames over IPv6",
	    .save = save_tso6,
	},
	{
	    .name = "-tso6",
	    .apply = unset_tso6,
	    .bsd_name = "-tso6",
	    .help = "segment super-frames over IPv6 that go out",
	    .saved_by = "tso6",
	},
	{
	    .name = "lro",
	    .apply = set_lro,
	    .bsd_name = "lro",
	    .help = "take super-frames from the front end",
	    .save = save_lro,
	},
	{
	    .name = "-lro",
	    .apply = unset_lro,
	    .bsd_name = "-lro",
	    .help = "segment super-frames that come in",
	    .saved_by = "lro",
	},
	{
	    .name = "rate",
	    .args = { { .kind = KEYWORD_ARG_WORD, .name = "bytes/usecs" } },
	    .apply = set_rate,
	    .bsd_name = "rate",
	    .help = "limit what the front end may send, each queue",
	    .save = save_rate,
	},
	{
	    .name = "-rate",
	    .apply = unset_rate,
	    .bsd_name = "-rate",
	    .help = "no limit",
	    .saved_by = "rate",
	},
	{ .name = NULL },
};

const struct iface_ops xnb_ops = {
	.kind = "xnb",
	.about = "the back half of a paravirtual card, on shared rings",
	.kind_flags = IFACE_KIND_ETHERNET | IFACE_KIND_USERS,
	.unit_max = 0x7fff,
	.mtu_default = ETH_MTU_DEFAULT,
	.mtu_min = XNB_MTU_MIN,
	.mtu_max = XNB_MTU_MAX,
	.flags = IFACE_BROADCAST | IFACE_SIMPLEX | IFACE_MULTICAST,
	.size = sizeof(struct xnb),
	.name_match = xnb_name_match,
	.create = xnb_create,
	.destroy = xnb_destroy,
	.transmit = xnb_transmit,
	.poll = xnb_poll,
	.flush = xnb_flush,
	.changed = xnb_changed,
	.set_mtu = xnb_set_mtu,
	.get = xnb_get,
	.keywords = xnb_keywords,
};
