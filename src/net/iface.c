/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way of a batch through an interface: in from the wire, out to it, to and
 * from the host; and the counters of all that.  iface.h has the picture.
 *
 * A batch is walked once, for the counters; hooks are called once a batch.  It
 * is taken apart only when it must be: when a frame is too short, when a vlan
 * child takes frames, when a frame does not fit the output as it is.
 */
#include "net/iface.h"

#include "base/ether.h"
#include "frame/offload.h"
#include "net/impair.h"
#include "net/macs.h"
#include "net/net.h"

#define DROPS_TOLD_PERIOD_NS 1000000000u

/* Tells subscribers that drops grow: the first of a reason on an interface,
 * then once a second at most, and only while they grow.  A subscriber cannot
 * get here again: nothing that it may do drops a frame. */
static void
drops_tell(struct iface *ifp, enum drop_reason why)
{
	uint64_t now_ns = ifp->net->now_ns;
	uint64_t *told = &ifp->drops_told_ns[why];
	struct net_event ev = {
		.type = NET_EVENT_DROPS,
		.ifp = ifp,
		.vlan = -1,
		.what = why,
		.value = ifp->count.drops[why],
		.text = drop_info(why)->text,
	};

	/* 0 is "never": a clock that starts at 0 is told of as 1. */
	if (*told != 0 && now_ns - *told < DROPS_TOLD_PERIOD_NS)
		return;
	*told = now_ns != 0 ? now_ns : 1;
	net_emit(ifp->net, &ev);
}

static void
count_drop(struct iface *ifp, enum drop_reason why, uint64_t n)
{
	struct iface_counters *c = &ifp->count;

	if (n == 0)
		return;
	c->drops[why] += n;
	switch (drop_info(why)->counter) {
	case DROP_COUNTS_NONE:
		break;
	case DROP_COUNTS_IERR:
		c->ierrors += n;
		break;
	case DROP_COUNTS_OERR:
		c->oerrors += n;
		break;
	case DROP_COUNTS_IQDROP:
		c->iqdrops += n;
		break;
	case DROP_COUNTS_NOPROTO:
		c->noproto += n;
		break;
	}
	if (why == DROP_QUEUE_FULL || why == DROP_QUEUE_BYTES)
		ifp->net->full += n;
	if (!TAILQ_EMPTY(&ifp->net->subscribers) && ifp->born)
		drops_tell(ifp, why);
}

/* Shows captures a frame that is about to be dropped, or none. */
static inline void
show_drop(
    struct iface *ifp, const struct frame *f, enum drop_reason why, uint64_t n)
{
	struct iface_capture *c = ifp->capture;
	bool out;

	if (__builtin_expect(c == NULL, 1) || c->dropped == NULL)
		return;
	/* Only queues of outputs are left when an interface ends. */
	out = ifp->sending || why == DROP_DESTROYED ||
	      drop_info(why)->counter == DROP_COUNTS_OERR;
	c->dropped(c, ifp, f, why, out, n);
}

void
iface_count_drop(struct iface *ifp, enum drop_reason why, uint64_t n)
{
	if (n != 0)
		show_drop(ifp, NULL, why, n);
	count_drop(ifp, why, n);
}

void
iface_drop(struct iface *ifp, struct frame *f, enum drop_reason why)
{
	show_drop(ifp, f, why, 1);
	frame_release(f);
	count_drop(ifp, why, 1);
}

void
iface_drop_batch(
    struct iface *ifp, struct frame_batch *batch, enum drop_reason why)
{
	for (uint32_t i = 0; i < batch->count; i++) {
		show_drop(ifp, batch->frames[i], why, 1);
		frame_release(batch->frames[i]);
	}
	count_drop(ifp, why, batch->count);
}

void
iface_count_out(struct iface *ifp, const struct frame *f)
{
	ifp->count.opackets++;
	ifp->count.obytes += f->len;
	ifp->count.omcasts += f->data[0] & 1u;
}

void
iface_count_out_all(
    struct iface *ifp, struct frame *const *frames, uint32_t count)
{
	uint64_t bytes = 0, mcasts = 0;

	for (uint32_t i = 0; i < count; i++) {
		bytes += frames[i]->len;
		mcasts += frames[i]->data[0] & 1u;
	}
	ifp->count.opackets += count;
	ifp->count.obytes += bytes;
	ifp->count.omcasts += mcasts;
}

/* Shows a promiscuous netdev what passes through the member that it belongs
 * to; iface.h says which frames, and why not all. */
static void
mirror(struct iface *ifp, const struct frame_batch *batch, bool out)
{
	struct frame_batch copy = { 0 };

	for (uint32_t i = 0; i < batch->count; i++) {
		struct frame *f = batch->frames[i];

		if (ether_equal(f->data, ifp->mac))
			continue;
		/* What the host itself sent, it has seen. */
		if (out && ether_equal(f->data + ETH_ADDR_LEN, ifp->mac))
			continue;
		if (ifp->stack->host_gets != NULL &&
		    ifp->stack->host_gets(ifp->stack, ifp, f, out))
			continue;
		copy.frames[copy.count++] = frame_take(f);
	}
	if (copy.count != 0)
		ifp->host->deliver(ifp->host, ifp, &copy);
}

static inline bool
mirrored(const struct iface *ifp)
{
	return ifp->host != NULL && ifp->host->promisc && ifp->host->up &&
	       ifp->stack != NULL &&
	       (ifp->ops->kind_flags & IFACE_KIND_HOST_IS_WIRE) == 0;
}

static void
drop_runts(struct iface *ifp, struct frame_batch *batch)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < batch->count; i++) {
		struct frame *f = batch->frames[i];

		if (f->len < ETH_HDR_LEN)
			iface_drop(ifp, f, DROP_RUNT);
		else
			batch->frames[n++] = f;
	}
	batch->count = n;
}

/* Counts what came in; runts are dropped. */
static void
count_in(struct iface *ifp, struct frame_batch *batch)
{
	uint64_t bytes = 0, mcasts = 0;
	bool runts = false;

	for (uint32_t i = 0; i < batch->count; i++) {
		const struct frame *f = batch->frames[i];

		runts |= f->len < ETH_HDR_LEN;
		bytes += f->len;
		mcasts += f->data[0] & 1u; /* of a runt too: there is room */
	}
	if (__builtin_expect(runts, 0)) {
		drop_runts(ifp, batch);
		count_in(ifp, batch);
		return;
	}
	ifp->count.ipackets += batch->count;
	ifp->count.ibytes += bytes;
	ifp->count.imcasts += mcasts;
}

void
iface_show(struct iface *ifp, struct frame *f)
{
	struct frame_batch one = { .count = 1, .frames = { f } };

	ifp->host->deliver(ifp->host, ifp, &one);
}

/* Gives the vlan children what is theirs; the rest stays in the batch. */
static void
vlan_in(struct iface *ifp, struct frame_batch *batch)
{
	bool shown = iface_shown(ifp);
	uint32_t n = 0;

	for (uint32_t i = 0; i < batch->count; i++) {
		struct frame *f = batch->frames[i];

		if (shown)
			frame_take(f);
		if (!ifp->vlans->input(ifp, f)) {
			if (shown)
				frame_release(f);
			batch->frames[n++] = f;
		} else if (shown) {
			iface_show(ifp, f);
		}
	}
	batch->count = n;
	ifp->vlans->flush(ifp);
}

void
iface_input(struct iface *ifp, struct frame_batch *batch)
{
	if ((ifp->flags & IFACE_UP) == 0) {
		iface_drop_batch(ifp, batch, DROP_IF_DOWN_IN);
		return;
	}
	if (__builtin_expect(ifp->impair != NULL, 0) &&
	    impair_input(ifp, batch))
		return;
	iface_input_now(ifp, batch);
}

void
iface_input_now(struct iface *ifp, struct frame_batch *batch)
{
	count_in(ifp, batch);
	if (batch->count == 0)
		return;
	if (ifp->capture != NULL)
		iface_captured(ifp, batch, false);
	if ((ifp->flags & IFACE_MONITOR) != 0) {
		iface_drop_batch(ifp, batch, DROP_MONITOR);
		return;
	}
	if (__builtin_expect(ifp->macs != NULL, 0)) {
		iface_macs_input(ifp, batch);
		if (batch->count == 0)
			return;
	}
	if (ifp->vlans != NULL) {
		vlan_in(ifp, batch);
		if (batch->count == 0)
			return;
	}
	if (ifp->stack != NULL) {
		if (mirrored(ifp))
			mirror(ifp, batch, false);
		ifp->stack->input(ifp->stack, ifp, batch);
	} else if ((ifp->ops->kind_flags & IFACE_KIND_TUNNEL) != 0) {
		iface_drop_batch(ifp, batch, DROP_UNBRIDGED);
	} else if (ifp->host != NULL &&
	           (ifp->ops->kind_flags & IFACE_KIND_HOST_IS_WIRE) == 0) {
		iface_host_deliver(ifp, batch);
	} else {
		iface_drop_batch(ifp, batch, DROP_NO_STACK);
	}
}

/* Packet filters at the host's door.  False: nothing is left. */
static inline bool
host_filter(struct iface *ifp, struct frame_batch *batch, bool in)
{
	const struct iface_host *h = ifp->host;

	if (__builtin_expect(
	        h == NULL || h->vnet == NULL || h->vnet->pfil == NULL, 1))
		return true;
	ifp->net->pfil.host(ifp, batch, in);
	return batch->count != 0;
}

void
iface_host_input(struct iface *ifp, struct frame_batch *batch)
{
	if ((ifp->ops->kind_flags & IFACE_KIND_HOST_IS_WIRE) == 0) {
		ifp->sending = true;
		drop_runts(ifp, batch);
	}
	if (host_filter(ifp, batch, false) && batch->count != 0)
		iface_host_input_now(ifp, batch);
	ifp->sending = false;
}

void
iface_host_input_now(struct iface *ifp, struct frame_batch *batch)
{
	if ((ifp->ops->kind_flags & IFACE_KIND_HOST_IS_WIRE) != 0) {
		iface_input(ifp, batch);
		return;
	}
	ifp->sending = true;
	if ((ifp->ops->kind_flags & IFACE_KIND_TUNNEL) != 0)
		iface_drop_batch(ifp, batch, DROP_UNBRIDGED);
	else if (ifp->stack != NULL && ifp->stack->host_output != NULL)
		ifp->stack->host_output(ifp->stack, ifp, batch);
	else
		iface_output(ifp, batch);
	ifp->sending = false;
}

void
iface_host_deliver(struct iface *ifp, struct frame_batch *batch)
{
	if (ifp->host == NULL || !ifp->host->up)
		iface_drop_batch(ifp, batch, DROP_HOST_DOWN);
	else if (host_filter(ifp, batch, true))
		ifp->host->deliver(ifp->host, ifp, batch);
}

void
iface_host_deliver_now(struct iface *ifp, struct frame_batch *batch)
{
	if (ifp->host == NULL || !ifp->host->up)
		iface_drop_batch(ifp, batch, DROP_HOST_DOWN);
	else
		ifp->host->deliver(ifp->host, ifp, batch);
}

static void
transmit(struct iface *ifp, struct frame_batch *batch)
{
	ifp->net->given += batch->count;
	if (ifp->capture != NULL)
		iface_captured(ifp, batch, true);
	if (mirrored(ifp))
		mirror(ifp, batch, true);
	if (__builtin_expect(ifp->impair != NULL, 0) &&
	    impair_output(ifp, batch))
		return;
	ifp->ops->transmit(ifp, batch);
}

/* Where offload_fit() puts what it makes. */
struct refill {
	struct iface *ifp;
	struct frame_batch batch;
};

static void
refill_flush(struct refill *r)
{
	if (r->batch.count != 0)
		transmit(r->ifp, &r->batch);
	r->batch.count = 0;
}

static void
refill_emit(void *arg, struct frame *f)
{
	struct refill *r = arg;

	r->batch.frames[r->batch.count++] = f;
	if (r->batch.count == FRAME_BATCH_MAX)
		refill_flush(r);
}

static void
refill_drop(void *arg, struct frame *f, enum drop_reason why)
{
	struct refill *r = arg;

	iface_drop(r->ifp, f, why);
}

/* The frames one by one: some do not fit the output as they are. */
static void
output_fit(struct iface *ifp, struct frame_batch *batch, uint32_t caps)
{
	struct refill r;
	struct offload_output out = {
		.caps = caps,
		.mtu = ifp->mtu,
		.emit = refill_emit,
		.drop = refill_drop,
		.arg = &r,
	};

	r.ifp = ifp;
	r.batch.count = 0;
	for (uint32_t i = 0; i < batch->count; i++)
		offload_fit(batch->frames[i], &out);
	refill_flush(&r);
}

void
iface_output(struct iface *ifp, struct frame_batch *batch)
{
	uint32_t caps = ifp->caps;

	if (!iface_running(ifp)) {
		iface_drop_batch(ifp, batch, DROP_IF_DOWN);
		return;
	}
	if (__builtin_expect((ifp->flags & IFACE_MONITOR) != 0, 0)) {
		iface_drop_batch(ifp, batch, DROP_MONITOR_OUT);
		return;
	}
	if (__builtin_expect(ifp->impair != NULL, 0) && impair_wants_plain(ifp))
		caps = 0;
	for (uint32_t i = 0; i < batch->count; i++) {
		if (!offload_fits(batch->frames[i], caps, ifp->mtu)) {
			output_fit(ifp, batch, caps);
			return;
		}
	}
	if (batch->count != 0)
		transmit(ifp, batch);
}
