/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sock whose wire is datagrams, one frame each: QEMU's -netdev dgram.
 *
 * The socket is never connected: a connected Unix socket would shut out a peer
 * that has been started anew.  If the peer's address was told (connect), only
 * what comes from there is taken; else whoever sends becomes the peer.
 *
 * A Unix peer is there if its path answers: before that, and after a datagram
 * to it was refused, the path is tried every now and then.  Its queue is short
 * (net.unix.max_dgram_qlen) and cannot be waited for from an unconnected
 * socket, so a full one is tried again after a moment, and the longer the
 * rarer.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/util.h"
#include "drv/sock_impl.h"

#define READ_BUDGET  64 /* datagrams a wake-up may take */
#define WRITE_BATCH  32
#define PROBE_NS     500000000u
#define AGAIN_MIN_NS 100000u
#define AGAIN_MAX_NS 20000000u
/* The queue is ours: the socket holds little more than the longest frame. */
#define SNDBUF (FRAME_LARGE_MAX + 4096)

static void dgram_event(struct loop_fd *w, uint32_t revents);

static const char *
path_of(const struct endpoint *e)
{
	return ((const struct sockaddr_un *)&e->storage)->sun_path;
}

/* --- the peer ------------------------------------------------------------- */

/* Is somebody there at all? */
static bool
answers(const struct endpoint *e)
{
	int fd;

	if (e->kind != ENDPOINT_UNIX)
		return true; /* nobody can say */
	fd = sock_connect_unix(path_of(e), SOCK_DGRAM);
	if (fd >= 0)
		close(fd);
	return fd >= 0 || fd == -EPERM; /* it listens to one only: to us? */
}

void
sock_dgram_due(struct sock *sc)
{
	if (sc->wire.fd < 0 || sc->peered || sc->remote.kind == ENDPOINT_NONE)
		return;
	if (answers(&sc->remote)) {
		sc->peer = sc->remote;
		sock_peer(sc);
	} else {
		sc->last_error = -ECONNREFUSED;
		sock_timer(sc, PROBE_NS);
	}
}

static void
peer_lost(struct sock *sc, int err)
{
	sock_no_peer(sc, err);
	if (sc->remote.kind != ENDPOINT_NONE)
		sock_timer(sc, PROBE_NS);
}

/* May @from speak?  Who was not told of becomes the peer. */
static bool
peer_check(struct sock *sc, const struct endpoint *from)
{
	if (sc->remote.kind != ENDPOINT_NONE) {
		if (!endpoint_equal(from, &sc->remote))
			return false;
		if (!sc->peered)
			sock_dgram_due(sc);
		return true;
	}
	/* One without a name cannot be answered. */
	if (from->len <= sizeof(sa_family_t)) {
		if (!sc->peered) {
			sc->peer = (struct endpoint){ 0 };
			sock_peer(sc);
		}
		return true;
	}
	if (!sc->peered || !endpoint_equal(from, &sc->peer)) {
		sc->peer = *from;
		sock_peer(sc);
	}
	return true;
}

/* --- frames --------------------------------------------------------------- */

/* One datagram that was taken, or the reason why there is no frame of it.
 * False: there was none. */
static bool
take(struct sock *sc, int err, const struct endpoint *from, const uint8_t *hdr,
    struct frame *f, struct frame_batch *batch)
{
	struct iface *ifp = &sc->ifp;

	switch (err) {
	case 0:
		break;
	case 1: /* an empty one */
	case -EBADMSG:
		iface_count_drop(ifp, DROP_RUNT, 1);
		return true;
	case -EMSGSIZE:
		iface_count_drop(ifp, DROP_GIANT, 1);
		return true;
	case -ENOBUFS:
		iface_count_drop(ifp, DROP_NO_FRAME, 1);
		return true;
	case -ECONNREFUSED: /* of a datagram that was sent */
	case -EINTR:
		return true;
	default:
		return false;
	}
	if (!peer_check(sc, from)) {
		iface_drop(ifp, f, DROP_SOCK_STRANGER);
		return true;
	}
	f = sock_take_hdr(sc, f, hdr);
	if (f != NULL)
		batch->frames[batch->count++] = f;
	return true;
}

static void
dgram_read(struct sock *sc)
{
	enum endpoint_kind kind =
	    sc->local.kind != ENDPOINT_NONE ? sc->local.kind : sc->remote.kind;
	struct frame_batch batch = { 0 };
	uint8_t hdr[SOCK_HDR_MAX];

	for (uint32_t i = 0; i < READ_BUDGET; i++) {
		struct endpoint from = { .kind = kind };
		struct frame *f = NULL;
		int err;

		from.len = sizeof(from.storage);
		err = drv_recv_frame(sc->ifp.net, sc->wire.fd, hdr,
		    sc->vnet_hdr, &from.sa, &from.len, &f);
		if (!take(sc, err, &from, hdr, f, &batch))
			break;
	}
	if (batch.count != 0)
		iface_input(&sc->ifp, &batch);
}

static void
dgram_event(struct loop_fd *w, uint32_t revents)
{
	struct sock *sc = w->arg;

	if ((revents & EPOLLOUT) != 0)
		net_flush_later(&sc->ifp);
	if ((revents & (EPOLLIN | EPOLLERR)) != 0)
		dgram_read(sc);
}

/* The queue's first frames: how many the socket took, or -errno. */
static int
write_some(struct sock *sc)
{
	uint8_t hdr[WRITE_BATCH][SOCK_HDR_MAX];
	struct mmsghdr msgs[WRITE_BATCH];
	struct iovec iov[WRITE_BATCH][2];
	struct frame_ring *r = &sc->tx;
	uint32_t n = COAX_MIN(frame_ring_count(r), WRITE_BATCH);
	int sent;

	memset(msgs, 0, n * sizeof(msgs[0]));
	for (uint32_t i = 0; i < n; i++) {
		struct frame *f = r->slots[(r->head + i) & (r->size - 1)];
		size_t head = sock_put_hdr(sc, f, hdr[i]);

		iov[i][0] = (struct iovec){ hdr[i], head };
		iov[i][1] = (struct iovec){ f->data, f->len };
		msgs[i].msg_hdr.msg_iov = &iov[i][head == 0];
		msgs[i].msg_hdr.msg_iovlen = head == 0 ? 1 : 2;
		msgs[i].msg_hdr.msg_name = &sc->peer.storage;
		msgs[i].msg_hdr.msg_namelen = sc->peer.len;
	}
	sent = sendmmsg(sc->wire.fd, msgs, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	return sent < 0 ? -errno : sent;
}

static void
again_due(struct timer *t, uint64_t now_ns)
{
	struct sock *sc = CONTAINER_OF(t, struct sock, again);

	(void)now_ns;
	sc->blocked = false;
	net_flush_later(&sc->ifp);
}

/* The queue of the other end, or our own buffer, is full. */
static void
wait_to_send(struct sock *sc)
{
	if (sc->peer.kind != ENDPOINT_UNIX) {
		sock_want(sc, true);
		return;
	}
	sc->blocked = true;
	sc->again.fn = again_due;
	(void)loop_timer_in(sock_loop(sc), &sc->again, sc->again_ns);
	sc->again_ns = COAX_MIN(2 * sc->again_ns, AGAIN_MAX_NS);
}

void
sock_dgram_flush(struct sock *sc)
{
	struct iface *ifp = &sc->ifp;
	struct frame *f;
	int n;

	if (sc->peer.kind == ENDPOINT_NONE) {
		sock_drop_queue(sc, DROP_NO_PEER);
		return;
	}
	while (frame_ring_count(&sc->tx) != 0) {
		n = write_some(sc);
		for (int i = 0; i < n; i++) {
			f = frame_ring_pop(&sc->tx);
			iface_count_out(ifp, f);
			frame_release(f);
		}
		if (n > 0)
			sc->again_ns = AGAIN_MIN_NS;
		if (n > 0 || n == -EINTR)
			continue;
		if (n == -EAGAIN) {
			wait_to_send(sc);
			return;
		}
		if (n == -ECONNREFUSED && sc->peer.kind == ENDPOINT_UDP)
			continue; /* said of an earlier one; once */
		if (n == -ECONNREFUSED || n == -ENOENT || n == -ENOTSOCK ||
		    n == -EPROTOTYPE) {
			peer_lost(sc, n);
			return;
		}
		f = frame_ring_pop(&sc->tx);
		iface_drop(
		    ifp, f, n == -EMSGSIZE ? DROP_TX_SIZE : DROP_TX_ERROR);
	}
	sock_want(sc, false);
}

/* --- opening -------------------------------------------------------------- */

static int
dgram_bind(struct sock *sc)
{
	static const struct sock_listen_options o = { .type = SOCK_DGRAM };
	const struct endpoint *e =
	    sc->local.kind != ENDPOINT_NONE ? &sc->local : &sc->remote;
	int on = 1, fd, err;

	if (sc->local.kind == ENDPOINT_UNIX) {
		err = sock_listen_unix(path_of(&sc->local), &o, &sc->path);
		if (err < 0)
			return err;
		return sc->path.fd;
	}
	fd = socket(
	    e->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (e->sa.sa_family == AF_INET6)
		(void)setsockopt(
		    fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (sc->local.kind != ENDPOINT_NONE) {
		err = bind(fd, &sc->local.sa, sc->local.len);
	} else if (sc->remote.kind == ENDPOINT_UNIX) {
		/* A name of the kernel's, so that the peer can answer. */
		struct sockaddr un = { .sa_family = AF_UNIX };

		err = bind(fd, &un, sizeof(sa_family_t));
	} else {
		err = 0; /* gets its port with the first datagram */
	}
	if (err < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int
sock_dgram_open(struct sock *sc)
{
	int size = SNDBUF, err;

	sc->wire.fd = dgram_bind(sc);
	if (sc->wire.fd < 0) {
		err = sc->wire.fd;
		sc->wire.fd = -1;
		return err;
	}
	(void)setsockopt(
	    sc->wire.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	sc->again_ns = AGAIN_MIN_NS;
	sc->wire.events = EPOLLIN;
	sc->wire.fn = dgram_event;
	sc->wire.arg = sc;
	err = loop_fd_add(sock_loop(sc), &sc->wire);
	if (err < 0)
		return err; /* sock_close() closes it */
	sock_dgram_due(sc);
	return 0;
}
