/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A wire between two interfaces. See wire.h.
 */
#include "drv/wire.h"

#include <errno.h>
#include <stdio.h>

#include "base/util.h"
#include "net/info.h"

int
wire_init(struct wire *w)
{
	int err =
	    frame_ring_init(&w->inbox, WIRE_INBOX_FRAMES, WIRE_INBOX_BYTES);

	if (err == 0)
		net_user_queue(&w->ifp, &w->inbox);
	return err;
}

void
wire_fini(struct wire *w)
{
	wire_unpair(w);
	wire_ring_drop(&w->ifp, &w->inbox, DROP_DESTROYED);
	frame_ring_fini(&w->inbox);
}

void
wire_pair(struct wire *a, struct wire *b)
{
	a->peer = b;
	b->peer = a;
	iface_set_link(&a->ifp, IFACE_LINK_UP);
	iface_set_link(&b->ifp, IFACE_LINK_UP);
}

void
wire_unpair(struct wire *a)
{
	struct wire *b = a->peer;

	if (b == NULL)
		return;
	a->peer = NULL;
	b->peer = NULL;
	iface_set_link(&a->ifp, IFACE_LINK_DOWN);
	iface_set_link(&b->ifp, IFACE_LINK_DOWN);
}

void
wire_ring_drop(struct iface *ifp, struct frame_ring *r, enum drop_reason why)
{
	struct frame *f;

	while ((f = frame_ring_pop(r)) != NULL)
		iface_drop(ifp, f, why);
}

void
wire_get_peer(const struct wire *w, struct info *out)
{
	char text[NET_IFACE_TEXT_MAX];
	const struct iface *peer;

	if (w->peer == NULL) {
		info_null(out, "peer");
		return;
	}
	peer = &w->peer->ifp;
	if (peer->vnet == w->ifp.vnet || peer->vnet == peer->net->home)
		snprintf(text, sizeof(text), "%s", peer->name);
	else
		snprintf(
		    text, sizeof(text), "%s@%s", peer->name, peer->vnet->name);
	info_str(out, "peer", text);
}

enum drop_reason
wire_blocked(const struct wire *w)
{
	if (w->peer == NULL)
		return DROP_NO_PEER;
	if ((w->peer->ifp.flags & IFACE_UP) == 0)
		return DROP_PEER_DOWN;
	return DROP_COUNT;
}

static enum drop_reason
push_reason(int err)
{
	return err == -EDQUOT ? DROP_QUEUE_BYTES : DROP_QUEUE_FULL;
}

/* The usual case: there is room for all. */
static bool
send_all(struct wire *w, struct frame *const *frames, uint32_t count)
{
	struct iface_counters *c = &w->ifp.count;
	uint64_t bytes = 0, mcasts = 0;

	for (uint32_t i = 0; i < count; i++) {
		bytes += frames[i]->len;
		mcasts += frames[i]->data[0] & 1u;
	}
	if (!frame_ring_push_all(&w->peer->inbox, frames, count, bytes))
		return false;
	c->opackets += count;
	c->obytes += bytes;
	c->omcasts += mcasts;
	net_ready(&w->peer->ifp);
	return true;
}

void
wire_send(struct wire *w, struct frame *const *frames, uint32_t count)
{
	enum drop_reason why = wire_blocked(w);
	struct wire *peer = w->peer;
	uint64_t bytes = 0, mcasts = 0;
	uint32_t sent = 0;
	int err;

	if (why == DROP_COUNT && send_all(w, frames, count))
		return;
	for (uint32_t i = 0; i < count; i++) {
		struct frame *f = frames[i];

		if (why != DROP_COUNT) {
			iface_drop(&w->ifp, f, why);
			continue;
		}
		err = frame_ring_push(&peer->inbox, f);
		if (__builtin_expect(err != 0, 0)) {
			iface_drop(&w->ifp, f, push_reason(err));
			continue;
		}
		bytes += f->len;
		mcasts += f->data[0] & 1u;
		sent++;
	}
	w->ifp.count.opackets += sent;
	w->ifp.count.obytes += bytes;
	w->ifp.count.omcasts += mcasts;
	if (why == DROP_COUNT && frame_ring_count(&peer->inbox) != 0)
		net_ready(&peer->ifp);
}

/* How many frames a turn moves: the budget or, so that an inbox which several
 * fill at once does not run over, half of what waits, within bounds. */
static uint32_t
turn_frames(const struct wire *w, uint32_t budget)
{
	uint32_t half = frame_ring_count(&w->inbox) / 2;

	return COAX_MIN(COAX_MAX(half, budget), WIRE_TURN_MAX * budget);
}

bool
wire_poll(struct iface *ifp, uint32_t budget)
{
	struct wire *w = wire_of(ifp);
	uint32_t left = turn_frames(w, budget);
	struct frame_batch batch;

	do {
		batch.count = frame_ring_pop_many(&w->inbox, batch.frames,
		    COAX_MIN(left, (uint32_t)FRAME_BATCH_MAX));
		left -= batch.count;
		if (batch.count != 0)
			iface_input(ifp, &batch);
	} while (left != 0 && frame_ring_count(&w->inbox) != 0);
	return frame_ring_count(&w->inbox) != 0;
}
