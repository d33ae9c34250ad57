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
 *   that; the socket is only its head: a small SO_SNDBUF.  EPOLLOUT is watched
 *   only while frames wait.  It comes when three quarters of the socket have
 *   been read, hence not too small: there must be enough left to read while
 *   the loop wakes up.  A frame counts as sent when the socket has taken it.
 *
 *   The app's last close, however it comes about (close, exit, kill, any number
 *   of dup and fork before), is a hang-up of our end.  What the app wrote
 * before is read to the end; then the link goes down, and a clone is destroyed.
 *
 * Two lifetimes: a fixed unit (made by ifconfig) goes back to "nobody reads":
 * what it sends is counted as sent and freed.  A clone (made by
 * tap_open() without a name) is destroyed at the hang-up.
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
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/bytes.h"
#include "base/ether.h"
#include "base/util.h"
#include "frame/offload.h"
#include "net/info.h"
#include "os/loop.h"
#include "os/sock.h"

#define TAP_MTU_MIN  68
#define TAP_MTU_MAX  65521
#define QUEUE_FRAMES 256
#define QUEUE_BYTES  (1u << 20)
#define SNDBUF       65536 /* the kernel doubles it */
/* Room for tags, offload record and the kernel's own structures. */
#define SNDBUF_EXTRA 4096
#define READ_BUDGET  64 /* records a wake-up may take */
#define WRITE_BATCH  32

struct tap {
	struct iface ifp;
	struct loop_fd watch; /* our end; fd is -1 while nobody has it open */
	struct frame_ring queue;
	bool clone;
	bool hung_up; /* the app is gone, what it wrote is still being read */
	bool blocked; /* the socket is full: EPOLLOUT is watched */
	bool vnet_hdr;
	uint32_t uid;
	int32_t pid;
};

static struct tap *
tap_of(struct iface *ifp)
{
	return (struct tap *)(void *)ifp;
}

static struct loop *
loop_of(const struct tap *sc)
{
	return drv_context(sc->ifp.net)->loop;
}

static void
address_choose(struct iface *ifp)
{
	const struct iface *other;
	uint8_t mac[ETH_ADDR_LEN];
	bool taken;

	do {
		u64_to_mac(
		    0xf20ba4000000u | (net_random(ifp->net) & 0xffffff), mac);
		taken = false;
		TAILQ_FOREACH (other, &ifp->net->ifaces, all_link)
			taken = taken ||
			        (other != ifp && ether_equal(other->mac, mac));
	} while (taken);
	ether_copy(ifp->mac, mac);
}

static int
tap_create(struct iface *ifp)
{
	struct tap *sc = tap_of(ifp);
	int err;

	err = frame_ring_init(&sc->queue, QUEUE_FRAMES, QUEUE_BYTES);
	if (err != 0)
		return err;
	sc->watch.fd = -1;
	address_choose(ifp);
	iface_set_link(ifp, IFACE_LINK_DOWN);
	return 0;
}

static void
queue_drop(struct tap *sc, enum drop_reason why)
{
	struct frame *f;

	while ((f = frame_ring_pop(&sc->queue)) != NULL)
		iface_drop(&sc->ifp, f, why);
}

/* Sent, as far as the interface is concerned: nobody reads. */
static void
discard(struct iface *ifp, struct frame *f)
{
	iface_count_out(ifp, f);
	frame_release(f);
}

static void
tap_disconnect(struct tap *sc)
{
	if (sc->watch.fd < 0)
		return;
	loop_fd_del(loop_of(sc), &sc->watch);
	fd_close(&sc->watch.fd);
}

static void
tap_destroy(struct iface *ifp)
{
	struct tap *sc = tap_of(ifp);

	tap_disconnect(sc);
	queue_drop(sc, DROP_DESTROYED);
	frame_ring_fini(&sc->queue);
}

/* The app is gone and all that it wrote is in.  A clone goes too: @sc is gone
 * after that. */
static void
tap_close(struct tap *sc)
{
	struct frame *f;

	tap_disconnect(sc);
	if (sc->clone) {
		(void)net_iface_destroy(&sc->ifp, NULL);
		return;
	}
	while ((f = frame_ring_pop(&sc->queue)) != NULL)
		discard(&sc->ifp, f);
	sc->hung_up = false;
	sc->blocked = false;
	sc->vnet_hdr = false;
	iface_set_caps(&sc->ifp, 0);
	iface_set_link(&sc->ifp, IFACE_LINK_DOWN);
}

/*
 * The queue's first frames to the socket.  Return: how many it took, or -errno.
 */
static int
write_some(struct tap *sc)
{
	struct mmsghdr msgs[WRITE_BATCH];
	struct iovec iov[WRITE_BATCH][2];
	struct frame_ring *q = &sc->queue;
	uint32_t n = COAX_MIN(frame_ring_count(q), WRITE_BATCH);
	int sent;

	memset(msgs, 0, n * sizeof(msgs[0]));
	for (uint32_t i = 0; i < n; i++) {
		struct frame *f = q->slots[(q->head + i) & (q->size - 1)];

		iov[i][0].iov_base = &f->off;
		iov[i][0].iov_len = sizeof(f->off);
		iov[i][1].iov_base = f->data;
		iov[i][1].iov_len = f->len;
		msgs[i].msg_hdr.msg_iov = &iov[i][sc->vnet_hdr ? 0 : 1];
		msgs[i].msg_hdr.msg_iovlen = sc->vnet_hdr ? 2 : 1;
	}
	sent = sendmmsg(sc->watch.fd, msgs, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	return sent < 0 ? -errno : sent;
}

static void
want_events(struct tap *sc, bool blocked)
{
	uint32_t events = EPOLLIN | EPOLLRDHUP;

	sc->blocked = blocked;
	if (blocked)
		events |= EPOLLOUT;
	(void)loop_fd_mod(loop_of(sc), &sc->watch, events);
}

static void
tap_flush(struct iface *ifp)
{
	struct tap *sc = tap_of(ifp);
	struct frame *f;
	int n;

	while (sc->watch.fd >= 0 && frame_ring_count(&sc->queue) != 0) {
		n = write_some(sc);
		for (int i = 0; i < n; i++)
			discard(ifp, frame_ring_pop(&sc->queue));
		if (n > 0 || n == -EINTR)
			continue;
		if (n == -EAGAIN) {
			want_events(sc, true);
			return;
		}
		f = frame_ring_pop(&sc->queue);
		if (n == -EPIPE || n == -ECONNRESET)
			discard(ifp, f); /* gone; the hang-up will tell */
		else if (n == -EMSGSIZE)
			iface_drop(ifp, f, DROP_TX_SIZE);
		else
			iface_drop(ifp, f, DROP_TX_ERROR);
	}
	if (sc->blocked && sc->watch.fd >= 0)
		want_events(sc, false);
}

static void
tap_transmit(struct iface *ifp, struct frame_batch *batch)
{
	struct tap *sc = tap_of(ifp);
	int err;

	for (uint32_t i = 0; i < batch->count; i++) {
		struct frame *f = batch->frames[i];

		if (sc->watch.fd < 0) {
			discard(ifp, f);
			continue;
		}
		err = frame_ring_push(&sc->queue, f);
		if (err != 0)
			iface_drop(ifp, f,
			    err == -EDQUOT ? DROP_QUEUE_BYTES
			                   : DROP_QUEUE_FULL);
	}
	if (sc->watch.fd >= 0 && !sc->blocked)
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
take_record(struct tap *sc, int err, const struct frame_offload *off,
    struct frame *f, struct frame_batch *batch)
{
	struct iface *ifp = &sc->ifp;
	enum drop_reason why;

	switch (err) {
	case 0:
		break;
	case 1: /* the end, or a record of no bytes */
		if (!sc->hung_up && peer_closed(sc->watch.fd))
			sc->hung_up = true;
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
	if (sc->vnet_hdr) {
		f->off = *off;
		if (offload_check(f, &why) != 0) {
			iface_drop(ifp, f, why);
			return true;
		}
	}
	batch->frames[batch->count++] = f;
	return true;
}

/* Reads what the app wrote, READ_BUDGET records at most.  Return: true when
 * the app is gone and all is in. */
static bool
tap_read(struct tap *sc)
{
	struct frame_batch batch = { 0 };
	struct frame_offload off = { 0 };
	size_t head = sc->vnet_hdr ? sizeof(off) : 0;
	bool end = false;

	for (uint32_t i = 0; i < READ_BUDGET; i++) {
		struct frame *f = NULL;
		int err;

		end = sc->hung_up && at_end(sc->watch.fd);
		if (end)
			break;
		err = drv_read_frame(sc->ifp.net, sc->watch.fd, &off, head, &f);
		if (!take_record(sc, err, &off, f, &batch))
			break;
	}
	if (batch.count != 0)
		iface_input(&sc->ifp, &batch);
	return end;
}

static void
tap_event(struct loop_fd *w, uint32_t revents)
{
	struct tap *sc = w->arg;

	if ((revents & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
		sc->hung_up = true;
	if ((revents & EPOLLOUT) != 0 && !sc->hung_up)
		net_flush_later(&sc->ifp);
	if ((revents & EPOLLIN) != 0 || sc->hung_up) {
		if (tap_read(sc))
			tap_close(sc);
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
	if (!up)
		queue_drop(sc, DROP_IF_DOWN);
}

/* The socket must take the longest frame of this MTU. */
static int
sndbuf_for(uint32_t mtu)
{
	return (int)COAX_MAX(mtu + SNDBUF_EXTRA, SNDBUF);
}

static int
sndbuf_set(const struct tap *sc, uint32_t mtu)
{
	int size = sndbuf_for(mtu);

	if (sc->watch.fd >= 0 && setsockopt(sc->watch.fd, SOL_SOCKET, SO_SNDBUF,
	                             &size, sizeof(size)) < 0)
		return -errno;
	return 0;
}

static int
tap_set_mtu(struct iface *ifp, uint32_t mtu)
{
	return sndbuf_set(tap_of(ifp), mtu);
}

static void
tap_get(const struct iface *ifp, struct info *out)
{
	const struct tap *sc = (const struct tap *)(const void *)ifp;

	info_bool(out, "clone", sc->clone);
	info_bool(out, "open", sc->watch.fd >= 0);
	info_u64(out, "queued", frame_ring_count(&sc->queue));
	if (sc->watch.fd < 0)
		return;
	info_u64(out, "opened_by_uid", sc->uid);
	if (sc->pid != 0)
		info_i64(out, "opened_by_pid", sc->pid);
	if (sc->vnet_hdr)
		info_bool(out, "vnet_hdr", true);
}

/* Connects a descriptor to a tap that nobody has open. */
static int
tap_connect(struct tap *sc, const struct tap_open_options *opts, int *fd_out)
{
	struct loop *loop = loop_of(sc);
	int fds[2];
	int err;

	err = sock_seqpacket_pair(0, fds);
	if (err != 0)
		return err;
	err = fd_set_nonblock(fds[1], false);
	if (err != 0)
		goto out_close;
	sc->watch = (struct loop_fd){
		.fd = fds[0],
		.events = EPOLLIN | EPOLLRDHUP,
		.fn = tap_event,
		.arg = sc,
	};
	err = sndbuf_set(sc, sc->ifp.mtu);
	if (err != 0)
		goto out_unset;
	err = loop_fd_add(loop, &sc->watch);
	if (err != 0)
		goto out_unset;
	sc->hung_up = false;
	sc->blocked = false;
	sc->vnet_hdr = opts->vnet_hdr;
	sc->uid = opts->uid;
	sc->pid = opts->pid;
	*fd_out = fds[1];
	iface_set_caps(&sc->ifp, opts->vnet_hdr ? opts->caps : 0);
	iface_set_link(&sc->ifp, IFACE_LINK_UP);
	return 0;

out_unset:
	sc->watch.fd = -1;
out_close:
	fd_close(&fds[0]);
	fd_close(&fds[1]);
	return err;
}

int
tap_open(struct net *net, struct vnet *vnet, const char *name,
    const struct tap_open_options *opts, int *fd_out, struct iface **out)
{
	static const struct tap_open_options defaults;
	struct iface *ifp;
	int err;

	if (drv_context(net) == NULL || drv_context(net)->loop == NULL)
		return net_error(
		    net, -EOPNOTSUPP, "this program serves no descriptors");
	if (opts == NULL)
		opts = &defaults;
	if (name != NULL) {
		ifp = net_iface_find(net, vnet, name);
		if (ifp == NULL || ifp->ops != &tap_ops)
			return -ENXIO;
		if (tap_of(ifp)->watch.fd >= 0)
			return -EBUSY;
		err = tap_connect(tap_of(ifp), opts, fd_out);
	} else {
		err = net_iface_create(net, vnet, tap_ops.kind, &ifp);
		if (err != 0)
			return err;
		tap_of(ifp)->clone = true;
		err = tap_connect(tap_of(ifp), opts, fd_out);
		if (err != 0)
			(void)net_iface_destroy(ifp, NULL);
	}
	if (err != 0)
		return err;
	*out = ifp;
	return 0;
}

const struct iface_ops tap_ops = {
	.kind = "tap",
	.about = "a network card whose wire is a descriptor",
	.kind_flags = IFACE_KIND_ETHERNET,
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
