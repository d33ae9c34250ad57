/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xnb: handshake and life cycle, as of Xen's xenbus, whatever the transport.
 *
 *     we                            the front end
 *     features, state 2 InitWait
 *                                   rings, channels, features, state 4
 *     map, bind, state 4 Connected
 *     ...                           5 Closing
 *     unmap, state 5
 *                                   6 Closed
 *     state 6                       1: begin again
 *
 * A front end that was reloaded, or whose kernel was replaced, may go from 4 to
 * 1 without a word between: it is disconnected first.
 *
 * Every key that the front end writes is read once, when it matters, parsed
 * strictly and held against a range; a bad one is a failed handshake, which
 * ends in Closed with the reason in words (ops->error).
 */
#include "drv/xnb/xnb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ether.h"
#include "base/str.h"
#include "base/util.h"

#define HEADROOM_MAX 2048 /* of a page: most of it is for data */

/* That somebody was cut off is told once in a while for each interface, and so
 * often for all, since a program can have as many as it likes. */
#define TELL_NS  10000000000u
#define TELL_MAX 10u

static void
begin(struct xnb *x)
{
	if (x->t->ops->begin != NULL)
		x->t->ops->begin(x->t);
}

static void
end(struct xnb *x)
{
	if (x->t->ops->end != NULL)
		x->t->ops->end(x->t);
}

static void
put(struct xnb *x, const char *key, const char *value)
{
	(void)x->t->ops->write(x->t, key, value);
}

static void
put_num(struct xnb *x, const char *key, uint32_t value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	put(x, key, text);
}

static void
set_state(struct xnb *x, uint32_t state)
{
	if (x->state == state)
		return;
	x->state = state;
	put_num(x, "state", state);
}

/* A number of the front end's: 0, -ENOENT, or -EINVAL with the reason told. */
static int
get_num(struct xnb *x, const char *key, uint32_t max, uint32_t *out)
{
	char value[XNB_VALUE_MAX];
	int err = x->t->ops->read_front(x->t, key, value);

	if (err == -ENOENT)
		return err;
	if (err == 0)
		err = str_u32(value, 10, 0, max, out);
	if (err == 0)
		return 0;
	return net_error(
	    x->ifp.net, -EINVAL, "%s is not a number up to %u", key, max);
}

/* The same, with a default. */
static int
get_opt(
    struct xnb *x, const char *key, uint32_t max, uint32_t def, uint32_t *out)
{
	int err = get_num(x, key, max, out);

	if (err == -ENOENT) {
		*out = def;
		err = 0;
	}
	return err;
}

/* The same, which must be there. */
static int
get_must(struct xnb *x, const char *prefix, const char *key, uint32_t *out)
{
	char full[XNB_KEY_MAX];
	int err;

	snprintf(full, sizeof(full), "%s%s", prefix, key);
	err = get_num(x, full, UINT32_MAX, out);
	if (err == -ENOENT)
		err = net_error(
		    x->ifp.net, -EINVAL, "the front end has no %s", full);
	return err;
}

/* --- connecting ------------------------------------------------------------
 */

static int
read_features(struct xnb *x)
{
	struct xnb_features *f = &x->features;
	struct {
		const char *key;
		uint32_t max, def, value;
	} k[] = {
		{ "request-rx-copy", 1, 0, 0 },
		{ "feature-sg", 1, 0, 0 },
		{ "feature-gso-tcpv4", 1, 0, 0 },
		{ "feature-gso-tcpv6", 1, 0, 0 },
		{ "feature-no-csum-offload", 1, 0, 0 },
		{ "feature-ipv6-csum-offload", 1, 0, 0 },
		{ "feature-rx-notify", 1, 0, 0 },
		{ "request-multicast-control", 1, 0, 0 },
		{ "xdp-headroom", HEADROOM_MAX, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(k); i++) {
		int err = get_opt(x, k[i].key, k[i].max, k[i].def, &k[i].value);

		if (err < 0)
			return err;
	}
	if (k[0].value == 0)
		return net_error(x->ifp.net, -EINVAL,
		    "the front end does not ask for copying "
		    "(request-rx-copy)");
	*f = (struct xnb_features){
		.sg = k[1].value != 0,
		.gso4 = k[2].value != 0,
		.gso6 = k[3].value != 0,
		.csum4 = k[4].value == 0,
		.csum6 = k[5].value != 0,
		.rx_notify = k[6].value != 0,
		.mcast = k[7].value != 0,
		.headroom = (uint16_t)k[8].value,
	};
	return 0;
}

static int
map_ring(struct xnb *x, uint32_t ref, void **page, struct netring_back *r,
    uint32_t slots, uint32_t slot_size, const char *what)
{
	int err = x->t->ops->map(x->t, ref, page);

	if (err < 0) {
		*page = NULL;
		return net_error(x->ifp.net, err,
		    "the page of the %s ring, %u, cannot be mapped", what, ref);
	}
	err = netring_back_attach(r, *page, slots, slot_size);
	if (err < 0)
		return net_error(x->ifp.net, err,
		    "the %s ring has indices that cannot be", what);
	return 0;
}

static int
bind_channel(struct xnb *x, uint32_t port, struct xnb_queue *q,
    enum xnb_event what, struct xnb_channel **ch)
{
	int err = x->t->ops->bind(x->t, port, q, what, ch);

	if (err < 0)
		return net_error(
		    x->ifp.net, err, "event channel %u cannot be bound", port);
	return 0;
}

static int
bind_queue(struct xnb_queue *q, const char *prefix)
{
	struct xnb *x = q->xnb;
	char key[XNB_KEY_MAX];
	uint32_t tx, rx;
	int err;

	snprintf(key, sizeof(key), "%sevent-channel-tx", prefix);
	err = get_num(x, key, UINT32_MAX, &tx);
	if (err == -EINVAL)
		return err;
	if (err == 0) {
		x->split = true;
		err = get_must(x, prefix, "event-channel-rx", &rx);
	} else {
		err = get_must(x, prefix, "event-channel", &tx);
		rx = tx;
	}
	if (err == 0)
		err = bind_channel(x, tx, q, XNB_EVENT_TX, &q->tx_ch);
	if (err < 0)
		return err;
	if (rx == tx)
		q->rx_ch = q->tx_ch;
	else
		err = bind_channel(x, rx, q, XNB_EVENT_RX, &q->rx_ch);
	return err;
}

/* "bytes,usecs" of the tool's directory; nonsense is no limit, as in Linux. */
static void
read_rate(struct xnb *x, uint64_t *bytes, uint64_t *period_ns)
{
	char value[XNB_VALUE_MAX];
	char *comma;
	uint64_t usecs;

	*bytes = *period_ns = 0;
	if (x->rate_bytes != 0) { /* ifconfig has the last word */
		*bytes = x->rate_bytes;
		*period_ns = x->rate_usecs * 1000;
		return;
	}
	if (x->t->ops->read_back(x->t, "rate", value) < 0)
		return;
	comma = strchr(value, ',');
	if (comma == NULL)
		return;
	*comma = '\0';
	if (str_u64(value, 10, 1, UINT32_MAX, bytes) < 0 ||
	    str_u64(comma + 1, 10, 1, UINT32_MAX, &usecs) < 0)
		*bytes = 0;
	else
		*period_ns = usecs * 1000;
}

void
xnb_vif_mtu(struct xnb *x)
{
	if (x->t != NULL)
		put_num(x, "mtu", x->ifp.mtu);
}

void
xnb_vif_rate(struct xnb *x)
{
	uint64_t bytes, period_ns;

	if (!x->connected)
		return;
	read_rate(x, &bytes, &period_ns);
	for (uint32_t i = 0; i < x->queue_count; i++)
		xnb_credit_init(
		    &x->queues[i], bytes, period_ns, x->ifp.net->now_ns);
	xnb_event(x);
}

static int
connect_queue(struct xnb *x, uint32_t i)
{
	struct xnb_queue *q = &x->queues[i];
	uint64_t bytes, period_ns;
	char prefix[XNB_KEY_MAX / 2] = "";
	uint32_t tx_ref, rx_ref;
	int err;

	q->xnb = x;
	q->index = i;
	if (x->queue_count > 1)
		snprintf(prefix, sizeof(prefix), "queue-%u/", i);
	err = frame_ring_init(&q->backlog, XNB_BACKLOG, XNB_BACKLOG_BYTES);
	if (err < 0)
		return err;
	net_user_queue(&x->ifp, &q->backlog);
	read_rate(x, &bytes, &period_ns);
	xnb_credit_init(q, bytes, period_ns, x->ifp.net->now_ns);
	err = get_must(x, prefix, "tx-ring-ref", &tx_ref);
	if (err == 0)
		err = get_must(x, prefix, "rx-ring-ref", &rx_ref);
	if (err == 0)
		err = map_ring(x, tx_ref, &q->tx_page, &q->tx,
		    COAX_NETIF_TX_SLOTS, COAX_NETIF_TX_SLOT_SIZE, "transmit");
	if (err == 0)
		err = map_ring(x, rx_ref, &q->rx_page, &q->rx,
		    COAX_NETIF_RX_SLOTS, COAX_NETIF_RX_SLOT_SIZE, "receive");
	/* A program keeps its rings when the daemon is another. */
	if (err == 0 && (q->tx.rsp_prod != 0 || q->rx.rsp_prod != 0))
		x->resumed = true;
	if (err == 0)
		err = bind_queue(q, prefix);
	return err;
}

static int
connect_ctrl(struct xnb *x)
{
	uint32_t ref, port;
	int err = get_num(x, "ctrl-ring-ref", UINT32_MAX, &ref);

	if (err < 0)
		return err == -ENOENT ? 0 : err;
	err = get_must(x, "", "event-channel-ctrl", &port);
	if (err == 0)
		err = map_ring(x, ref, &x->ctrl_page, &x->ctrl,
		    COAX_NETIF_CTRL_SLOTS, COAX_NETIF_CTRL_SLOT_SIZE,
		    "control");
	if (err == 0)
		err = bind_channel(x, port, NULL, XNB_EVENT_CTRL, &x->ctrl_ch);
	return err;
}

static int
connect_all(struct xnb *x)
{
	uint32_t count;
	int err = read_features(x);

	if (err == 0)
		err =
		    get_opt(x, "multi-queue-num-queues", UINT32_MAX, 1, &count);
	if (err < 0)
		return err;
	if (count == 0 || count > XNB_QUEUES_MAX)
		return net_error(x->ifp.net, -EINVAL,
		    "%u queues: 1 to %u can be had", count, XNB_QUEUES_MAX);
	if (!x->features.sg && x->ifp.mtu > COAX_RING_PAGE - ETH_HDR_LEN)
		return net_error(x->ifp.net, -EINVAL,
		    "an MTU of %u needs a front end with feature-sg",
		    x->ifp.mtu);
	x->queues = calloc(count, sizeof(*x->queues));
	if (x->queues == NULL)
		return -ENOMEM;
	x->queue_count = count;
	for (uint32_t i = 0; err == 0 && i < count; i++)
		err = connect_queue(x, i);
	if (err == 0)
		err = connect_ctrl(x);
	return err;
}

static void
release_queue(struct xnb_queue *q)
{
	struct xnb_transport *t = q->xnb->t;

	xnb_credit_fini(q);
	xnb_rx_drop(q, DROP_DESTROYED);
	frame_ring_fini(&q->backlog);
	if (q->rx_ch != NULL && q->rx_ch != q->tx_ch)
		t->ops->unbind(t, q->rx_ch);
	if (q->tx_ch != NULL)
		t->ops->unbind(t, q->tx_ch);
	if (q->tx_page != NULL)
		t->ops->unmap(t, q->tx_page);
	if (q->rx_page != NULL)
		t->ops->unmap(t, q->rx_page);
}

void
xnb_vif_disconnect(struct xnb *x)
{
	for (uint32_t i = 0; i < x->queue_count; i++) {
		/* One that was never begun has nothing. */
		if (x->queues[i].xnb != NULL)
			release_queue(&x->queues[i]);
	}
	free(x->queues);
	x->queues = NULL;
	x->queue_count = 0;
	if (x->ctrl_ch != NULL)
		x->t->ops->unbind(x->t, x->ctrl_ch);
	if (x->ctrl_page != NULL)
		x->t->ops->unmap(x->t, x->ctrl_page);
	x->ctrl_ch = NULL;
	x->ctrl_page = NULL;
	x->split = false;
	x->mcast.count = 0;
	x->features = (struct xnb_features){ 0 };
	if (!x->connected)
		return;
	x->connected = false;
	xnb_pace_ended(&x->pace, x->ifp.net->now_ns);
	xnb_tx_forget(x, DROP_DESTROYED);
	iface_set_link(&x->ifp, IFACE_LINK_DOWN);
	xnb_caps_update(x);
}

void
xnb_vif_tell(struct xnb *x, const char *what, const char *why)
{
	struct net *net = x->ifp.net;
	struct drv_context *ctx = drv_context(net);
	unsigned long long held;

	if (!burst_may(&x->told, 1, TELL_NS, net->now_ns) ||
	    (ctx != NULL &&
	        !burst_may(&ctx->xnb_told, TELL_MAX, TELL_NS, net->now_ns)))
		return;
	held = burst_held(&x->told);
	if (ctx != NULL)
		held += burst_held(&ctx->xnb_told);
	if (held != 0)
		net_notice(net, &x->ifp, "%s: %s (%llu more were not told)",
		    what, why, held);
	else
		net_notice(net, &x->ifp, "%s: %s", what, why);
}

/* What cannot go on is told and closed. */
static void
give_up(struct xnb *x, int err, const char *text)
{
	xnb_vif_tell(x, "the front end is cut off", text);
	x->pace.failed = true;
	if (x->t->ops->error != NULL)
		x->t->ops->error(x->t, err, text);
	xnb_vif_close(x);
}

static void
vif_connect(struct xnb *x)
{
	int err;

	x->ifp.net->message[0] = '\0';
	err = connect_all(x);
	if (err < 0) {
		const char *why = x->ifp.net->message;
		char text[256];

		(void)str_copy(text, sizeof(text),
		    why[0] != '\0' ? why : strerrordesc_np(-err));
		xnb_vif_disconnect(x);
		give_up(x, err, text);
		return;
	}
	x->connected = true;
	x->pace.failed = false;
	x->pace.since_ns = x->ifp.net->now_ns;
	xnb_caps_update(x);
	if (x->t->ops->may_connect == NULL || x->t->ops->may_connect(x->t))
		xnb_vif_ready(x);
}

/*
 * Who had the rings before may have published responses and ended before it
 * could say so. The front end waits for that event still: for what comes now it
 * asks no other, and with a full ring that would be for ever.
 */
static void
say_what_was_left(struct xnb *x)
{
	for (uint32_t i = 0; i < x->queue_count; i++) {
		x->queues[i].notify_tx = x->queues[i].notify_rx = true;
		xnb_notify(&x->queues[i]);
	}
	if (x->ctrl_ch != NULL)
		x->t->ops->notify(x->t, x->ctrl_ch);
	x->resumed = false;
}

void
xnb_vif_ready(struct xnb *x)
{
	if (!x->connected || x->state != COAX_NETIF_STATE_INIT_WAIT)
		return;
	begin(x);
	set_state(x, COAX_NETIF_STATE_CONNECTED);
	end(x);
	iface_set_link(&x->ifp, IFACE_LINK_UP);
	if (x->resumed)
		say_what_was_left(x);
	/* The rings may have something already, and no event comes for that. */
	xnb_event(x);
}

/* --- states ----------------------------------------------------------------
 */

static void
put_features(struct xnb *x)
{
	put(x, "feature-sg", "1");
	put(x, "feature-gso-tcpv4", (x->off & XNB_OFF_LRO) == 0 ? "1" : "0");
	put(x, "feature-gso-tcpv6", (x->off & XNB_OFF_LRO) == 0 ? "1" : "0");
	put(x, "feature-ipv6-csum-offload", "1");
	put(x, "feature-rx-copy", "1");
	put(x, "feature-rx-flip", "0");
	put(x, "feature-multicast-control", "1");
	put(x, "feature-dynamic-multicast-control", "1");
	put(x, "feature-xdp-headroom", "1");
	put(x, "feature-split-event-channels", "1");
	put_num(x, "multi-queue-max-queues", XNB_QUEUES_MAX);
	put(x, "feature-ctrl-ring", "1");
}

/* InitWait may be offered now. The front end may have gone ahead. */
static void
start_due(struct timer *t, uint64_t now_ns)
{
	struct xnb *x = CONTAINER_OF(t, struct xnb, pace.timer);

	(void)now_ns;
	xnb_vif_start(x);
	if (x->front_state == COAX_NETIF_STATE_CONNECTED)
		xnb_vif_front_changed(x, x->front_state);
}

/* It was to be, and is not wanted any more. */
static void
start_cancel(struct xnb *x)
{
	if (x->ifp.net->timers != NULL)
		timerheap_del(x->ifp.net->timers, &x->pace.timer);
}

void
xnb_vif_start(struct xnb *x)
{
	struct net *net = x->ifp.net;

	if (net->now_ns < x->pace.until_ns && net->timers != NULL) {
		x->pace.timer.fn = start_due;
		if (timerheap_add(
		        net->timers, &x->pace.timer, x->pace.until_ns) == 0)
			return;
	}
	begin(x);
	put_features(x);
	put_num(x, "mtu", x->ifp.mtu);
	x->broken = false;
	set_state(x, COAX_NETIF_STATE_INIT_WAIT);
	end(x);
}

void
xnb_vif_close(struct xnb *x)
{
	if (x->t == NULL)
		return;
	start_cancel(x);
	begin(x);
	if (x->state != COAX_NETIF_STATE_CLOSED)
		set_state(x, COAX_NETIF_STATE_CLOSING);
	xnb_vif_disconnect(x);
	set_state(x, COAX_NETIF_STATE_CLOSED);
	end(x);
}

void
xnb_vif_unplug(struct xnb *x)
{
	start_cancel(x);
	x->state = COAX_NETIF_STATE_CLOSING;
	iface_set_link(&x->ifp, IFACE_LINK_DOWN);
}

/* The multicast list may be switched on and off at any time. */
static void
reread_dynamic(struct xnb *x)
{
	uint32_t value;

	if (get_opt(x, "request-multicast-control", 1, 0, &value) == 0)
		x->features.mcast = value != 0;
}

static void
reconfigure(struct xnb *x)
{
	uint32_t value;

	if (get_opt(x, "xdp-headroom", HEADROOM_MAX, 0, &value) < 0) {
		give_up(x, -EINVAL, x->ifp.net->message);
		return;
	}
	x->features.headroom = (uint16_t)value;
	begin(x);
	set_state(x, COAX_NETIF_STATE_RECONFIGURED);
	end(x);
}

void
xnb_vif_front_changed(struct xnb *x, uint32_t state)
{
	x->front_state = state;
	switch (state) {
	case COAX_NETIF_STATE_INITIALISING:
		if (x->state == COAX_NETIF_STATE_INIT_WAIT && !x->connected)
			return;
		xnb_vif_close(x);
		xnb_pace_again(&x->pace, x->ifp.net->now_ns);
		xnb_vif_start(x);
		return;
	case COAX_NETIF_STATE_CONNECTED:
		if (x->connected) {
			if (x->state == COAX_NETIF_STATE_RECONFIGURED)
				set_state(x, COAX_NETIF_STATE_CONNECTED);
			reread_dynamic(x);
		} else if (x->state == COAX_NETIF_STATE_INIT_WAIT) {
			vif_connect(x);
		}
		return;
	case COAX_NETIF_STATE_RECONFIGURING:
		if (x->connected)
			reconfigure(x);
		return;
	case COAX_NETIF_STATE_CLOSING:
		start_cancel(x);
		begin(x);
		xnb_vif_disconnect(x);
		set_state(x, COAX_NETIF_STATE_CLOSING);
		end(x);
		return;
	case COAX_NETIF_STATE_UNKNOWN:
	case COAX_NETIF_STATE_CLOSED:
		xnb_vif_close(x);
		return;
	default:
		return; /* Initialised: it goes on by itself; or nonsense */
	}
}

int
xnb_fatal(struct xnb *x, enum drop_reason why)
{
	iface_count_drop(&x->ifp, why, 1);
	x->broken = true;
	x->broken_why = why;
	return -EPROTO;
}

void
xnb_vif_broken(struct xnb *x)
{
	give_up(x, -EPROTO, drop_info(x->broken_why)->text);
}
