/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames to and from the host's netdevs.
 *
 * Writes are gathered for all netdevs in one list and go at the end of the
 * loop's round, or together with the next reads if there are any before.
 *
 * A wake-up reads one frame first (latency), then twice as many each time
 * reads come back full, up to HOST_READ_MAX and a budget.  A read goes to
 * [record][small frame][large frame from where the small one ends]: a short
 * frame stays in the small one, a super-frame's first bytes are copied over to
 * the large one.  Without a free frame the bytes go to a scratch area and the
 * frame is a counted drop.
 */
#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "drv/host_impl.h"
#include "frame/offload.h"
#include "os/iobatch.h"

_Static_assert(sizeof(struct frame_offload) == TUN_HDR_LEN, "vnet header");

/* --- to the host ---------------------------------------------------------- */

static void
writes_add(struct host_system *hs)
{
	for (uint32_t i = 0; i < hs->tx_count; i++) {
		struct host_tx *t = &hs->tx[i];

		t->iov[0].iov_base = &t->f->off;
		t->iov[0].iov_len = TUN_HDR_LEN;
		t->iov[1].iov_base = t->f->data;
		t->iov[1].iov_len = t->f->len;
		iobatch_writev(hs->batch, t->h->fd, t->iov, 2, &t->res);
	}
}

static void
writes_done(struct host_system *hs)
{
	uint32_t count = hs->tx_count;

	hs->tx_count = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct host_tx *t = &hs->tx[i];

		if (t->res >= 0)
			frame_release(t->f);
		else if (t->res == -EIO || t->res == -EBADFD)
			iface_drop(t->h->ifp, t->f, DROP_HOST_DOWN);
		else
			iface_drop(t->h->ifp, t->f, DROP_HOST_ERROR);
	}
}

static void
writes_flush(struct host_system *hs)
{
	if (hs->tx_count == 0)
		return;
	writes_add(hs);
	(void)iobatch_submit(hs->batch);
	writes_done(hs);
}

bool
host_io_flush(struct loop_hook *hook, uint64_t now_ns)
{
	(void)now_ns;
	writes_flush(hook->arg);
	return false;
}

static void
tx_add(struct host_if *h, struct frame *f)
{
	struct host_system *hs = h->hs;

	if (hs->tx_count == HOST_TX_MAX)
		writes_flush(hs);
	hs->tx[hs->tx_count].h = h;
	hs->tx[hs->tx_count++].f = f;
}

static void
tx_emit(void *arg, struct frame *f)
{
	tx_add(arg, f);
}

static void
tx_drop(void *arg, struct frame *f, enum drop_reason why)
{
	struct host_if *h = arg;

	iface_drop(h->ifp, f, why);
}

void
host_io_deliver(
    struct iface_host *host, struct iface *ifp, struct frame_batch *batch)
{
	struct host_if *h = CONTAINER_OF(host, struct host_if, host);
	struct offload_output out = {
		.caps = h->caps,
		.emit = tx_emit,
		.drop = tx_drop,
		.arg = h,
	};

	if (h->fd < 0 || !host->up) {
		iface_drop_batch(ifp, batch, DROP_HOST_DOWN);
		return;
	}
	for (uint32_t i = 0; i < batch->count; i++) {
		if (offload_fits(batch->frames[i], h->caps, 0))
			tx_add(h, batch->frames[i]);
		else
			offload_fit(batch->frames[i], &out);
	}
	batch->count = 0;
}

void
host_io_forget(struct host_if *h)
{
	struct host_system *hs = h->hs;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < hs->tx_count; i++) {
		if (hs->tx[i].h == h) {
			iface_drop(h->ifp, hs->tx[i].f, DROP_DESTROYED);
		} else {
			hs->tx[kept].h = hs->tx[i].h;
			hs->tx[kept++].f = hs->tx[i].f;
		}
	}
	hs->tx_count = kept;
}

/* --- from the host -------------------------------------------------------- */

void
host_io_trim(struct host_system *hs, unsigned int keep)
{
	for (unsigned int i = keep; i < HOST_READ_MAX; i++)
		recv_slot_trim(&hs->slots[i].room);
}

static void
read_add(struct host_if *h, struct host_slot *s)
{
	struct host_system *hs = h->hs;
	int parts;

	s->iov[0].iov_base = &s->hdr;
	s->iov[0].iov_len = TUN_HDR_LEN;
	parts = 1 + recv_slot_ready(
	                &s->room, hs->net->pool, hs->scratch, &s->iov[1]);
	iobatch_readv(hs->batch, h->fd, s->iov, parts, &s->res);
}

/* The frame that a read has brought, believed; or NULL: counted. */
static struct frame *
read_take(struct host_if *h, struct host_slot *s)
{
	enum drop_reason why = DROP_RUNT;
	struct frame *f;

	if (s->res < TUN_HDR_LEN) {
		iface_count_drop(h->ifp, DROP_RUNT, 1);
		return NULL;
	}
	f = recv_slot_take(&s->room, (uint32_t)s->res - TUN_HDR_LEN);
	if (f == NULL) {
		iface_count_drop(h->ifp, DROP_NO_FRAME, 1);
		return NULL;
	}
	f->off = s->hdr;
	if (offload_check(f, &why) == 0)
		return f;
	iface_drop(h->ifp, f, why);
	return NULL;
}

/* One submit: the writes that wait, and @want reads.  Return: frames read, or
 * -EBADFD: the netdev has gone. */
static int
read_round(struct host_if *h, uint32_t want, uint64_t *bytes)
{
	struct host_system *hs = h->hs;
	struct frame_batch batch = { 0 };
	bool gone = false;
	int got = 0;

	writes_add(hs);
	for (uint32_t i = 0; i < want; i++)
		read_add(h, &hs->slots[i]);
	(void)iobatch_submit(hs->batch);
	writes_done(hs);
	for (uint32_t i = 0; i < want; i++) {
		struct host_slot *s = &hs->slots[i];
		struct frame *f;

		gone |= s->res == -EBADFD;
		if (s->res < 0) {
			/* The kernel has let go of the frame. */
			if (s->res != -EBADFD && s->res != -EAGAIN &&
			    s->res != -EINTR)
				iface_count_drop(h->ifp, DROP_HOST_READ, 1);
			continue;
		}
		got++;
		*bytes += (uint32_t)s->res;
		f = read_take(h, s);
		if (f != NULL)
			batch.frames[batch.count++] = f;
	}
	if (batch.count > 0)
		iface_host_input(h->ifp, &batch);
	return gone ? -EBADFD : got;
}

void
host_io_event(struct loop_fd *w, uint32_t revents)
{
	struct host_if *h = w->arg;
	struct host_system *hs = h->hs;
	uint32_t want = h->first, frames = 0;
	uint64_t bytes = 0;
	int got = 0;

	hs->net->now_ns = loop_now_ns(hs->loop);
	if ((revents & EPOLLERR) != 0) {
		host_lost(h);
		return;
	}
	while (want > 0) {
		got = read_round(h, want, &bytes);
		if (got < 0) {
			host_lost(h);
			return;
		}
		frames += (uint32_t)got;
		if ((uint32_t)got < want)
			break;
		want = COAX_MIN(want * 2, HOST_READ_MAX);
		if (frames >= HOST_READ_BUDGET || bytes >= HOST_READ_BYTES)
			break;
	}
	/* The budget ended it: there is more, begin with a full batch. */
	h->first = frames >= HOST_READ_BUDGET ? HOST_READ_MAX : 1;
	if (bytes >= HOST_BULK_BYTES)
		loop_hold_spin(hs->loop, HOST_BULK_HOLD_NS);
	host_io_trim(hs, 4);
}
