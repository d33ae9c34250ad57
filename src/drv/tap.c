/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tap: a descriptor is a network card.  The model is NetBSD's tap(4).
 *
 * How it works
 *
 *   The app's descriptor is one end of a SOCK_SEQPACKET pair, the other end
 *   (fd) is watched by the loop.  One write(2) of the app is one frame from the
 *   wire, one read(2) takes one frame that was sent out of the interface.
 *
 *   transmit puts frames into the queue, flush (at the end of the round) writes
 *   what the socket takes.  The queue is ours, QUEUE_FRAMES frames and
 *   QUEUE_BYTES bytes, so an app that does not read costs the pool no more than
 *   that.  EPOLLOUT is watched only while frames wait.  It comes when three
 *   quarters of the socket have been read: its SO_SNDBUF is large enough for
 *   the app to have something to read until then, and for each wake-up to move
 *   many frames.  A frame counts as sent when the socket has taken it.
 *
 *   What surely has room goes by one io_uring: sendmmsg(2) offers the processor
 *   to others between two messages, and the reader, woken by the first of them,
 *   would come and go for every few frames where it shares ours.
 *
 *   Where most of what an app wrote found the queues of other ports full, or
 *   half full, the app is not read for a moment.  Its socket fills, it waits in
 *   write(2), and the processor's time is for those who are to read, instead of
 *   for frames that are dropped.
 *
 *   The app's last close, however it comes about (close, exit, kill, any number
 *   of dup and fork before), is a hang-up of our end.  What the app wrote
 * before is read to the end; then the link goes down, and a clone is destroyed.
 *
 * Two lifetimes: a fixed unit (made by ifconfig) goes back to "nobody reads":
 * what it sends is counted as sent and freed.  A clone (made by
 * tap_open() without a name) is destroyed at the hang-up.
 *
 * A tap that was opened as Linux's tun may have several descriptors, each a
 * queue with a socket of its own.  What comes from any of them enters by the
 * interface; what goes out is spread by flow.  The last one counts for the
 * link and the lifetime.  In front of each frame may be the headers of struct
 * tap_format; they are the interface's, as on Linux.
 *
 * COMPATIBILITY, what a socket cannot say or says otherwise than NetBSD's
 * character device:
 *   - read and write while the interface is down: no EHOSTDOWN.  A write
 *     succeeds, as there; the frame is dropped ("if-down-in").  A read waits.
 *     What waits in the queue is dropped when the interface goes down; what the
 *     socket has taken before can still be read.
 *   - `ifconfig tapN destroy` while it is open: reads give 0 and writes EPIPE
 *     (without SIGPIPE), not ENXIO.
 *   - a write may block, or give EAGAIN, while the daemon has not yet read
 *     earlier ones: BSD's never does.  A write of more than about 200 kB is
 *     EMSGSIZE; what is longer than a frame may be is dropped ("giant"), and
 *     what is shorter than an Ethernet header, also nothing at all, too
 *     ("runt"), after a write that succeeded, as there.
 *   - FIONREAD gives the sum of what the socket holds, not the next frame's
 *     length: coax_tap_next_size() does.
 *   - frames count as sent when the socket takes them, not when they are read.
 *   - FIONBIO is the descriptor's, not the device's.
 *   - MTU: up to 65521; 9000 there.
 */
#include "drv/tap.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/bytes.h"
#include "base/ether.h"
#include "base/str.h"
#include "base/tapmark.h"
#include "base/util.h"
#include "frame/flow.h"
#include "frame/offload.h"
#include "net/info.h"
#include "os/iobatch.h"
#include "os/loop.h"
#include "os/sock.h"

#define TAP_MTU_MIN  68
#define TAP_MTU_MAX  65521
#define QUEUE_FRAMES 512
#define QUEUE_BYTES  (4u << 20)
#define SNDBUF       212992 /* the kernel doubles it */
/* Room for tags, offload record and the kernel's own structures. */
#define SNDBUF_EXTRA    4096
#define READ_BUDGET     64           /* records a wake-up may take */
#define READ_BYTES      (256u << 10) /* about: they stay in the cache */
#define WRITE_BATCH     64
#define AT_ONCE_MIN     8
#define RECORD_OVERHEAD 2048 /* at most what the kernel adds to a record */
#define REST_MIN_NS     50000u
#define REST_MAX_NS     800000u

#define PI_LEN    4
#define HDR_MAX   (PI_LEN + TAP_VNET_HDR_MAX)
#define NAMES_MAX 65536 /* "name%d" is tried up to here */

/* One open descriptor. */
struct tap_queue {
	struct tap *tap;
	struct loop_fd watch; /* our end */
	uint64_t cookie;      /* of the app's end */
	struct frame_ring ring;
	uint32_t size; /* of the socket */
	bool hung_up;  /* the app is gone, what it wrote is still being read */
	bool blocked;  /* the socket is full: EPOLLOUT is watched */
	bool resting;  /* is not read: EPOLLIN is not watched */
	struct timer rest;
	uint64_t rest_ns; /* the next time for so long */
	bool detached;    /* gets no frames */
};

struct tap {
	struct iface ifp;
	struct tap_queue *queues[TAP_QUEUES_MAX]; /* owned */
	uint32_t queue_count;                     /* 0: nobody has it open */
	struct tap_format format;
	bool multi_queue;
	uint32_t uid; /* who opened it */
	int32_t pid;
};

static struct tap *
tap_of(struct iface *ifp)
{
	return (struct tap *)(void *)ifp;
}

static const struct tap *
tap_of_const(const struct iface *ifp)
{
	return (const struct tap *)(const void *)ifp;
}

static struct loop *
loop_of(const struct tap *sc)
{
	return drv_context(sc->ifp.net)->loop;
}

static int
tap_create(struct iface *ifp)
{
	net_lladdr_choose(ifp, 0xf20ba4, ifp->mac);
	iface_set_link(ifp, IFACE_LINK_DOWN);
	return 0;
}

static void
queue_drop(struct tap_queue *q, enum drop_reason why)
{
	struct frame *f;

	while ((f = frame_ring_pop(&q->ring)) != NULL)
		iface_drop(&q->tap->ifp, f, why);
}

/* Sent, as far as the interface is concerned: nobody reads. */
static void
discard(struct iface *ifp, struct frame *f)
{
	iface_count_out(ifp, f);
	frame_release(f);
}

/* Ends a queue that is not, or no longer, in the tap's array. */
static void
queue_free(struct tap_queue *q)
{
	if (q->watch.fd >= 0) {
		loop_timer_del(loop_of(q->tap), &q->rest);
		loop_fd_del(loop_of(q->tap), &q->watch);
		fd_close(&q->watch.fd);
	}
	frame_ring_fini(&q->ring);
	free(q);
}

static void
tap_destroy(struct iface *ifp)
{
	struct tap *sc = tap_of(ifp);

	for (uint32_t i = 0; i < sc->queue_count; i++) {
		queue_drop(sc->queues[i], DROP_DESTROYED);
		queue_free(sc->queues[i]);
	}
	sc->queue_count = 0;
}

/* The app is gone and all that it wrote is in.  With the last queue a clone
 * goes too. */
static void
queue_close(struct tap_queue *q)
{
	struct tap *sc = q->tap;
	struct frame *f;
	uint32_t i = 0;

	if (sc->ifp.transient && sc->queue_count == 1) {
		(void)net_iface_destroy(&sc->ifp, NULL);
		return;
	}
	while ((f = frame_ring_pop(&q->ring)) != NULL)
		discard(&sc->ifp, f);
	while (sc->queues[i] != q)
		i++;
	sc->queues[i] = sc->queues[--sc->queue_count];
	queue_free(q);
	if (sc->queue_count != 0)
		return;
	sc->format = (struct tap_format){ 0 };
	sc->multi_queue = false;
	iface_set_caps(&sc->ifp, 0);
	iface_set_link(&sc->ifp, IFACE_LINK_DOWN);
}

/* The headers that an app of this format gets before a frame; their length. */
static size_t
put_headers(const struct tap_format *format, const struct frame *f,
    uint8_t hdr[HDR_MAX])
{
	size_t len = 0;

	if (format->pi) {
		memset(hdr, 0, 2);
		memcpy(hdr + 2, f->data + 2 * ETH_ADDR_LEN, 2);
		len = PI_LEN;
	}
	if (format->vnet_hdr != 0) {
		memset(hdr + len, 0, format->vnet_hdr);
		memcpy(hdr + len, &f->off, sizeof(f->off));
		len += format->vnet_hdr;
	}
	return len;
}

/* The queue's first frames, for the kernel. */
struct gathered {
	uint32_t count;
	uint32_t parts; /* of each iov that are used, from the last back */
	uint8_t hdr[WRITE_BATCH][HDR_MAX];
	struct iovec iov[WRITE_BATCH][2];
};

static void
gather(const struct tap_queue *q, struct gathered *g)
{
	const struct tap_format *format = &q->tap->format;
	const struct frame_ring *r = &q->ring;

	g->parts = format->pi || format->vnet_hdr != 0 ? 2 : 1;
	g->count = COAX_MIN(frame_ring_count(r), WRITE_BATCH);
	for (uint32_t i = 0; i < g->count; i++) {
		struct frame *f = r->slots[(r->head + i) & (r->size - 1)];

		if (g->parts == 2) {
			g->iov[i][0].iov_base = g->hdr[i];
			g->iov[i][0].iov_len =
			    put_headers(format, f, g->hdr[i]);
		}
		g->iov[i][1].iov_base = f->data;
		g->iov[i][1].iov_len = f->len;
	}
}

/* How many of them the socket has room for, whatever else happens: it takes one
 * while what it holds is less than its size. */
static uint32_t
room_for(const struct tap_queue *q, const struct gathered *g)
{
	int held;
	uint64_t sum;
	uint32_t n = 0;

	if (ioctl(q->watch.fd, SIOCOUTQ, &held) < 0 || held < 0)
		return 0;
	for (sum = (uint32_t)held; n < g->count && sum < q->size; n++)
		sum += 2 * g->iov[n][1].iov_len + HDR_MAX + RECORD_OVERHEAD;
	return n;
}

/* The first @n, for which there is room, in one call.  False: not done. */
static bool
write_at_once(struct tap_queue *q, const struct gathered *g, uint32_t n)
{
	struct iobatch *batch = drv_context(q->tap->ifp.net)->batch;
	struct iface *ifp = &q->tap->ifp;
	int32_t res[WRITE_BATCH];

	if (batch == NULL || !iobatch_uses_uring(batch) ||
	    iobatch_room(batch) < n || iobatch_count(batch) != 0)
		return false;
	for (uint32_t i = 0; i < n; i++)
		iobatch_writev(batch, q->watch.fd, &g->iov[i][2 - g->parts],
		    (int)g->parts, &res[i]);
	(void)iobatch_submit(batch);
	for (uint32_t i = 0; i < n; i++) {
		struct frame *f = frame_ring_pop(&q->ring);

		if (res[i] >= 0 || res[i] == -EPIPE || res[i] == -ECONNRESET)
			discard(ifp, f);
		else
			iface_drop(ifp, f,
			    res[i] == -EMSGSIZE ? DROP_TX_SIZE : DROP_TX_ERROR);
	}
	return true;
}

/*
 * The queue's first frames to the socket.  Return: how many it took, or -errno.
 */
static int
write_some(struct tap_queue *q)
{
	struct mmsghdr msgs[WRITE_BATCH];
	struct gathered g;
	int sent;

	gather(q, &g);
	if (g.count >= AT_ONCE_MIN) {
		uint32_t n = room_for(q, &g);

		if (n >= AT_ONCE_MIN && write_at_once(q, &g, n))
			return 0;
	}
	memset(msgs, 0, g.count * sizeof(msgs[0]));
	for (uint32_t i = 0; i < g.count; i++) {
		msgs[i].msg_hdr.msg_iov = &g.iov[i][2 - g.parts];
		msgs[i].msg_hdr.msg_iovlen = g.parts;
	}
	sent =
	    sendmmsg(q->watch.fd, msgs, g.count, MSG_DONTWAIT | MSG_NOSIGNAL);
	return sent < 0 ? -errno : sent;
}

static void
want_events(struct tap_queue *q, bool blocked)
{
	uint32_t events = EPOLLRDHUP;

	q->blocked = blocked;
	if (!q->resting)
		events |= EPOLLIN;
	if (blocked)
		events |= EPOLLOUT;
	(void)loop_fd_mod(loop_of(q->tap), &q->watch, events);
}

static void
queue_flush(struct tap_queue *q)
{
	struct iface *ifp = &q->tap->ifp;
	struct frame *f;
	int n;

	while (frame_ring_count(&q->ring) != 0) {
		n = write_some(q);
		for (int i = 0; i < n; i++)
			discard(ifp, frame_ring_pop(&q->ring));
		if (n >= 0 || n == -EINTR)
			continue;
		if (n == -EAGAIN) {
			if (!q->blocked)
				want_events(q, true);
			return;
		}
		f = frame_ring_pop(&q->ring);
		if (n == -EPIPE || n == -ECONNRESET)
			discard(ifp, f); /* gone; the hang-up will tell */
		else if (n == -EMSGSIZE)
			iface_drop(ifp, f, DROP_TX_SIZE);
		else
			iface_drop(ifp, f, DROP_TX_ERROR);
	}
	if (q->blocked)
		want_events(q, false);
}

static void
tap_flush(struct iface *ifp)
{
	struct tap *sc = tap_of(ifp);

	for (uint32_t i = 0; i < sc->queue_count; i++)
		queue_flush(sc->queues[i]);
}

/* Which queue a frame goes to: that of its flow, so that order is kept.  NULL:
 * all are detached. */
static struct tap_queue *
queue_choose(const struct tap *sc, const struct frame *f)
{
	struct tap_queue *q[TAP_QUEUES_MAX];
	uint64_t seed = sc->ifp.net->hash_seed;
	uint32_t n = 0;

	for (uint32_t i = 0; i < sc->queue_count; i++) {
		if (!sc->queues[i]->detached)
			q[n++] = sc->queues[i];
	}
	if (n <= 1)
		return n == 0 ? NULL : q[0];
	return q[flow_hash(seed, f) % n];
}

static void
tap_transmit(struct iface *ifp, struct frame_batch *batch)
{
	struct tap *sc = tap_of(ifp);
	bool flush = false;
	int err;

	for (uint32_t i = 0; i < batch->count; i++) {
		struct frame *f = batch->frames[i];
		struct tap_queue *q = NULL;

		if (sc->queue_count == 1 && !sc->queues[0]->detached)
			q = sc->queues[0];
		else if (sc->queue_count != 0)
			q = queue_choose(sc, f);
		if (q == NULL) {
			discard(ifp, f);
			continue;
		}
		err = frame_ring_push(&q->ring, f);
		if (err != 0)
			iface_drop(ifp, f,
			    err == -EDQUOT ? DROP_QUEUE_BYTES
			                   : DROP_QUEUE_FULL);
		else if (frame_ring_crowded(&q->ring))
			ifp->net->full++;
		flush = flush || !q->blocked;
	}
	if (flush)
		net_flush_later(ifp);
}

/* Has the app closed?  Only for the rare record of no bytes. */
static bool
peer_closed(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };

	return poll(&p, 1, 0) == 1 &&
	       (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

/*
 * After the hang-up: is there nothing left to read?  A record of no bytes looks
 * like the end, but only a record comes with its sender's credentials.
 */
static bool
at_end(int fd)
{
	char control[CMSG_SPACE(sizeof(struct ucred))];
	struct msghdr msg = {
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int on = 1;
	ssize_t n;

	(void)setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	do {
		n = recvmsg(fd, &msg, MSG_PEEK | MSG_DONTWAIT);
		/* Told once: the app left without reading all. */
	} while (n < 0 && (errno == ECONNRESET || errno == EINTR));
	return n < 0 || (n == 0 && msg.msg_controllen == 0);
}

/* One record that was taken, or the reason why there is no frame of it.  False:
 * nothing was taken. */
static bool
take_record(struct tap_queue *q, int err, const uint8_t *hdr, struct frame *f,
    struct frame_batch *batch)
{
	const struct tap_format *format = &q->tap->format;
	struct iface *ifp = &q->tap->ifp;
	enum drop_reason why;

	switch (err) {
	case 0:
		break;
	case 1: /* the end, or a record of no bytes */
		if (!q->hung_up && peer_closed(q->watch.fd))
			q->hung_up = true;
		else
			iface_count_drop(ifp, DROP_RUNT, 1);
		return true;
	case -EBADMSG:
		iface_count_drop(ifp, DROP_RUNT, 1);
		return true;
	case -EMSGSIZE:
		iface_count_drop(ifp, DROP_GIANT, 1);
		return true;
	case -ENOBUFS:
		iface_count_drop(ifp, DROP_NO_FRAME, 1);
		return true;
	case -ECONNRESET:
	case -EINTR:
		return true;
	default:
		return false;
	}
	if (format->vnet_hdr != 0) {
		memcpy(
		    &f->off, hdr + (format->pi ? PI_LEN : 0), sizeof(f->off));
		if (offload_check(f, &why) != 0) {
			iface_drop(ifp, f, why);
			return true;
		}
	}
	batch->frames[batch->count++] = f;
	return true;
}

static void
rest_over(struct timer *t, uint64_t now_ns)
{
	struct tap_queue *q = CONTAINER_OF(t, struct tap_queue, rest);

	(void)now_ns;
	q->resting = false;
	want_events(q, q->blocked);
}

/* Nobody could take what the app wrote: let it wait for a moment. */
static void
rest(struct tap_queue *q)
{
	q->rest.fn = rest_over;
	if (q->hung_up ||
	    loop_timer_in(loop_of(q->tap), &q->rest, q->rest_ns) < 0)
		return;
	q->rest_ns = COAX_MIN(2 * q->rest_ns, REST_MAX_NS);
	q->resting = true;
	want_events(q, q->blocked);
}

/* Reads what the app wrote, READ_BUDGET records at most.  Return: true when
 * the app is gone and all is in. */
static bool
queue_read(struct tap_queue *q)
{
	const struct tap_format *format = &q->tap->format;
	struct iface *ifp = &q->tap->ifp;
	struct frame_batch batch = { 0 };
	uint8_t hdr[HDR_MAX];
	size_t head = (format->pi ? PI_LEN : 0) + format->vnet_hdr;
	struct net_mark mark;
	uint32_t bytes = 0;
	bool end = false;

	for (uint32_t i = 0; i < READ_BUDGET && bytes < READ_BYTES; i++) {
		struct frame *f = NULL;
		int err;

		end = q->hung_up && at_end(q->watch.fd);
		if (end)
			break;
		err = drv_read_frame(ifp->net, q->watch.fd, hdr, head, &f);
		bytes += err == 0 ? f->len : 0;
		if (!take_record(q, err, hdr, f, &batch))
			break;
	}
	if (batch.count != 0) {
		mark = net_mark(ifp->net);
		iface_input(ifp, &batch);
		if (net_crowded(ifp->net, mark))
			rest(q);
		else
			q->rest_ns = REST_MIN_NS;
	}
	return end;
}

static void
queue_event(struct loop_fd *w, uint32_t revents)
{
	struct tap_queue *q = w->arg;

	if ((revents & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
		q->hung_up = true;
	if ((revents & EPOLLOUT) != 0 && !q->hung_up)
		net_flush_later(&q->tap->ifp);
	if ((revents & EPOLLIN) != 0 || q->hung_up) {
		if (queue_read(q))
			queue_close(q);
	}
}

static void
tap_changed(struct iface *ifp, uint32_t what)
{
	struct tap *sc = tap_of(ifp);
	bool up = (ifp->flags & IFACE_UP) != 0;

	if ((what & IFACE_CHANGED_FLAGS) == 0)
		return;
	iface_set_running(ifp, up);
	for (uint32_t i = 0; !up && i < sc->queue_count; i++)
		queue_drop(sc->queues[i], DROP_IF_DOWN);
}

/* The socket must take the longest frame of this MTU. */
static int
sndbuf_for(uint32_t mtu)
{
	return (int)COAX_MAX(mtu + SNDBUF_EXTRA, SNDBUF);
}

static int
sndbuf_set(struct tap_queue *q, uint32_t mtu)
{
	int size = sndbuf_for(mtu);
	socklen_t len = sizeof(size);

	if (setsockopt(
	        q->watch.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) < 0 ||
	    getsockopt(q->watch.fd, SOL_SOCKET, SO_SNDBUF, &size, &len) < 0)
		return -errno;
	q->size = (uint32_t)size;
	return 0;
}

static int
tap_set_mtu(struct iface *ifp, uint32_t mtu)
{
	struct tap *sc = tap_of(ifp);
	int err = 0;

	for (uint32_t i = 0; err == 0 && i < sc->queue_count; i++)
		err = sndbuf_set(sc->queues[i], mtu);
	return err;
}

static void
tap_get(const struct iface *ifp, struct info *out)
{
	const struct tap *sc = tap_of_const(ifp);
	uint64_t queued = 0;

	for (uint32_t i = 0; i < sc->queue_count; i++)
		queued += frame_ring_count(&sc->queues[i]->ring);
	info_bool(out, "clone", ifp->transient);
	info_bool(out, "open", sc->queue_count != 0);
	info_u64(out, "queued", queued);
	if (sc->queue_count == 0)
		return;
	info_u64(out, "opened_by_uid", sc->uid);
	if (sc->pid != 0)
		info_i64(out, "opened_by_pid", sc->pid);
	if (sc->format.vnet_hdr != 0)
		info_u64(out, "vnet_hdr", sc->format.vnet_hdr);
	if (sc->format.pi)
		info_bool(out, "pi", true);
	if (sc->multi_queue)
		info_u64(out, "queues", sc->queue_count);
}

static int
cookie_of(int fd, uint64_t *cookie)
{
	socklen_t len = sizeof(*cookie);

	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, cookie, &len) < 0)
		return -errno;
	return 0;
}

/* A new pair; the app's end is marked as a tap (base/tapmark.h). */
static int
make_pair(int *ours, int *theirs, uint64_t *cookie)
{
	uint32_t mark = TAPMARK_TAP;
	int fds[2];
	int err;

	err = sock_seqpacket_pair(TAP_APP_SNDBUF, fds);
	if (err != 0)
		return err;
	err = fd_set_nonblock(fds[1], false);
	if (err == 0 && setsockopt(fds[1], SOL_SOCKET, SO_MAX_PACING_RATE,
	                    &mark, sizeof(mark)) < 0)
		err = -errno;
	if (err == 0)
		err = cookie_of(fds[1], cookie);
	if (err != 0) {
		fd_close(&fds[0]);
		fd_close(&fds[1]);
		return err;
	}
	*ours = fds[0];
	*theirs = fds[1];
	return 0;
}

/* One more descriptor. */
static int
tap_connect(struct tap *sc, const struct tap_open_options *opts, int *fd_out)
{
	struct tap_queue *q = calloc(1, sizeof(*q));
	int theirs = -1;
	int err;

	if (q == NULL)
		return -ENOMEM;
	q->tap = sc;
	q->rest_ns = REST_MIN_NS;
	q->watch = (struct loop_fd){
		.fd = -1,
		.events = EPOLLIN | EPOLLRDHUP,
		.fn = queue_event,
		.arg = q,
	};
	err = frame_ring_init(&q->ring, QUEUE_FRAMES, QUEUE_BYTES);
	if (err != 0) {
		free(q);
		return err;
	}
	net_user_queue(&sc->ifp, &q->ring);
	if (opts->join != NULL)
		err = opts->join(opts->arg, &q->watch.fd, &q->cookie);
	else
		err = make_pair(&q->watch.fd, &theirs, &q->cookie);
	if (err != 0)
		goto out_free;
	err = sndbuf_set(q, sc->ifp.mtu);
	if (err != 0)
		goto out_close;
	err = loop_fd_add(loop_of(sc), &q->watch);
	if (err != 0)
		goto out_close;
	sc->queues[sc->queue_count++] = q;
	*fd_out = theirs;
	if (sc->queue_count > 1)
		return 0;
	sc->format = opts->format;
	sc->multi_queue = opts->multi_queue;
	sc->uid = opts->uid;
	sc->pid = opts->pid;
	iface_set_caps(
	    &sc->ifp, opts->format.vnet_hdr != 0 ? opts->format.caps : 0);
	iface_set_link(&sc->ifp, IFACE_LINK_UP);
	return 0;

out_close:
	fd_close(&q->watch.fd);
	fd_close(&theirs);
out_free:
	queue_free(q);
	return err;
}

/* May this tap get (another) descriptor? */
static int
open_check(const struct tap *sc, const struct tap_open_options *opts)
{
	if (sc->queue_count == 0)
		return 0;
	if (!opts->multi_queue)
		return -EBUSY;
	if (!sc->multi_queue || sc->format.pi != opts->format.pi ||
	    (sc->format.vnet_hdr != 0) != (opts->format.vnet_hdr != 0))
		return -EINVAL;
	return sc->queue_count == TAP_QUEUES_MAX ? -E2BIG : 0;
}

/* The first free name of a pattern, which has one "%d" and nothing like it. */
static int
name_choose(struct net *net, const struct vnet *vnet, const char *pattern,
    char name[IFACE_NAME_MAX])
{
	const char *at = strchr(pattern, '%');
	struct sbuf b;

	if (at[1] != 'd' || strchr(at + 1, '%') != NULL)
		return -EINVAL;
	for (int i = 0; i < NAMES_MAX; i++) {
		b = sbuf_init(name, IFACE_NAME_MAX);
		sbuf_printf(
		    &b, "%.*s%d%s", (int)(at - pattern), pattern, i, at + 2);
		if (!sbuf_ok(&b))
			return -EINVAL;
		if (!net_name_taken(net, vnet, name, NULL))
			return 0;
	}
	return -ENFILE;
}

/* Makes a tap that ends with its last descriptor; @name NULL: lowest unit. */
static int
tap_make(
    struct net *net, struct vnet *vnet, const char *name, struct iface **out)
{
	char chosen[IFACE_NAME_MAX];
	struct iface *ifp;
	int err;

	if (vnet == NULL)
		vnet = net->home;
	if (name != NULL && (name[0] == '\0' || strcmp(name, "tap%d") == 0))
		name = NULL;
	if (name != NULL && strchr(name, '%') != NULL) {
		err = name_choose(net, vnet, name, chosen);
		if (err != 0)
			return err;
		name = chosen;
	}
	err = -EINVAL;
	/* A unit's number, or (another kind's name, a word) just a name. */
	if (name != NULL && str_has_prefix(name, tap_ops.kind))
		err = net_iface_create(net, vnet, name, &ifp);
	if (err == -EINVAL) {
		err = net_iface_create(net, vnet, tap_ops.kind, &ifp);
		if (err == 0 && name != NULL) {
			err = net_iface_rename(ifp, name);
			if (err != 0)
				(void)net_iface_destroy(ifp, NULL);
		}
	}
	if (err != 0)
		return err;
	ifp->transient = true;
	*out = ifp;
	return 0;
}

int
tap_open(struct net *net, struct vnet *vnet, const char *name,
    const struct tap_open_options *opts, int *fd_out, struct iface **out)
{
	static const struct tap_open_options defaults;
	struct iface *ifp = NULL;
	bool made = false;
	int err;

	if (drv_context(net) == NULL || drv_context(net)->loop == NULL)
		return net_error(
		    net, -EOPNOTSUPP, "this program serves no descriptors");
	if (opts == NULL)
		opts = &defaults;
	if (name != NULL)
		ifp = net_iface_find(net, vnet, name);
	if (ifp != NULL && !tap_is(ifp))
		return opts->make ? -EINVAL : -ENXIO;
	if (ifp == NULL && name != NULL && !opts->make)
		return -ENXIO;
	if (ifp == NULL) {
		err = tap_make(net, vnet, name, &ifp);
		made = err == 0;
	} else {
		err = open_check(tap_of(ifp), opts);
	}
	if (err != 0)
		return err;
	err = tap_connect(tap_of(ifp), opts, fd_out);
	if (err != 0) {
		if (made)
			(void)net_iface_destroy(ifp, NULL);
		return err;
	}
	*out = ifp;
	return 0;
}

/* --- for the daemon's methods --------------------------------------------- */

bool
tap_is(const struct iface *ifp)
{
	return ifp->ops == &tap_ops;
}

static struct tap_queue *
queue_by_cookie(const struct tap *sc, uint64_t cookie)
{
	for (uint32_t i = 0; i < sc->queue_count; i++) {
		if (sc->queues[i]->cookie == cookie)
			return sc->queues[i];
	}
	return NULL;
}

struct iface *
tap_by_cookie(struct net *net, uint64_t cookie)
{
	struct iface *ifp;

	TAILQ_FOREACH (ifp, &net->ifaces, all_link) {
		if (tap_is(ifp) && queue_by_cookie(tap_of(ifp), cookie) != NULL)
			return ifp;
	}
	return NULL;
}

void
tap_get_state(const struct iface *ifp, uint64_t cookie, struct tap_state *out)
{
	const struct tap *sc = tap_of_const(ifp);
	const struct tap_queue *q = queue_by_cookie(sc, cookie);

	*out = (struct tap_state){
		.format = sc->format,
		.open = sc->queue_count != 0,
		.made = sc->ifp.transient,
		.multi_queue = sc->multi_queue,
		.detached = q != NULL && q->detached,
		.owner = ifp->user != NULL ? ifp->uid : NET_ID_NONE,
		.group = ifp->gid,
	};
	out->format.caps = ifp->caps;
}

int
tap_set_vnet_hdr(struct iface *ifp, uint32_t len)
{
	struct tap *sc = tap_of(ifp);

	if (sc->format.vnet_hdr == 0 || len < TAP_VNET_HDR_MIN ||
	    len > TAP_VNET_HDR_MAX)
		return -EINVAL;
	sc->format.vnet_hdr = len;
	return 0;
}

void
tap_set_caps(struct iface *ifp, uint32_t caps)
{
	if (tap_of(ifp)->format.vnet_hdr != 0)
		iface_set_caps(ifp, caps);
}

void
tap_set_made(struct iface *ifp, bool made)
{
	ifp->transient = made;
}

int
tap_set_detached(struct iface *ifp, uint64_t cookie, bool detached)
{
	struct tap *sc = tap_of(ifp);
	struct tap_queue *q = queue_by_cookie(sc, cookie);

	if (!sc->multi_queue || q == NULL || q->detached == detached)
		return -EINVAL;
	q->detached = detached;
	if (detached)
		queue_drop(q, DROP_QUEUE_FULL);
	return 0;
}

const struct iface_ops tap_ops = {
	.kind = "tap",
	.about = "a network card whose wire is a descriptor",
	.kind_flags = IFACE_KIND_ETHERNET | IFACE_KIND_USERS,
	.unit_max = 0x7fff,
	.mtu_default = ETH_MTU_DEFAULT,
	.mtu_min = TAP_MTU_MIN,
	.mtu_max = TAP_MTU_MAX,
	.flags = IFACE_BROADCAST | IFACE_SIMPLEX | IFACE_MULTICAST,
	.size = sizeof(struct tap),
	.create = tap_create,
	.destroy = tap_destroy,
	.transmit = tap_transmit,
	.flush = tap_flush,
	.changed = tap_changed,
	.set_mtu = tap_set_mtu,
	.get = tap_get,
};
