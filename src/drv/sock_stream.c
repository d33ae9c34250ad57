/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sock whose wire is a stream: listening, connecting again and again, frames
 * in their framing (framing.h).
 *
 * One peer at a time.  A second one that connects while the first is there is
 * turned away; a peer that is gone, though nobody has noticed yet, makes place.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/util.h"
#include "drv/sock_impl.h"
#include "frame/offload.h"

#define RX_SIZE     (FRAMING_HDR + SOCK_HDR_MAX + FRAME_LARGE_MAX + 65536)
#define WRITE_BATCH 64
#define LASTED_NS   1000000000u /* then it was a real connection */
/* A dead host behind TCP is noticed after so many seconds. */
#define ALIVE_IDLE_S  10
#define ALIVE_EVERY_S 5
#define ALIVE_COUNT   3

static void stream_event(struct loop_fd *w, uint32_t revents);

/* --- connections come and go ---------------------------------------------- */

static void
wire_close(struct sock *sc)
{
	loop_fd_del(sock_loop(sc), &sc->wire);
	fd_close(&sc->wire.fd);
	sc->connecting = false;
	sc->blocked = false;
	sc->tx_done = 0;
}

static void
retry(struct sock *sc, int err)
{
	sc->last_error = err;
	if (sc->remote.kind == ENDPOINT_NONE)
		return;
	sc->backoff_ns = sock_backoff_next(sc->backoff_ns);
	sock_timer(sc, sc->backoff_ns);
}

/* The connection is over; a transient interface with it. */
static void
hang_up(struct sock *sc, int err)
{
	bool peered = sc->peered;

	if (framing_cut(&sc->rx))
		iface_count_drop(&sc->ifp, DROP_SOCK_CUT, 1);
	wire_close(sc);
	if (peered && sc->ifp.transient) {
		(void)net_iface_destroy(&sc->ifp, NULL);
		return;
	}
	sock_no_peer(sc, err);
	if (peered && sc->ifp.net->now_ns - sc->since_ns >= LASTED_NS)
		sc->backoff_ns = 0;
	retry(sc, err);
}

static void
tcp_options(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, ALIVE_IDLE_S },
		{ IPPROTO_TCP, TCP_KEEPINTVL, ALIVE_EVERY_S },
		{ IPPROTO_TCP, TCP_KEEPCNT, ALIVE_COUNT },
	};

	/* Without them it works as well, on a Unix socket always. */
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		(void)setsockopt(fd, options[i].level, options[i].name,
		    &options[i].value, sizeof(int));
}

/* Who it is, as far as the socket can tell. */
static void
peer_find(struct sock *sc)
{
	struct ucred cred;

	sc->peer = (struct endpoint){ 0 };
	sc->peer_pid = 0;
	if (sock_peer_cred(sc->wire.fd, &cred) == 0) {
		sc->peer_pid = cred.pid;
		sc->peer_uid = cred.uid;
	}
	sc->peer.len = sizeof(sc->peer.storage);
	if (getpeername(sc->wire.fd, &sc->peer.sa, &sc->peer.len) < 0 ||
	    (sc->peer.sa.sa_family != AF_INET &&
	        sc->peer.sa.sa_family != AF_INET6))
		sc->peer = (struct endpoint){ 0 };
	else
		sc->peer.kind = ENDPOINT_TCP;
}

static void
connected(struct sock *sc)
{
	sc->connecting = false;
	tcp_options(sc->wire.fd);
	peer_find(sc);
	sc->rx.start = sc->rx.end = 0;
	sc->rx.skip = 0;
	sc->since_ns = sc->ifp.net->now_ns;
	sock_want(sc, false);
	sock_peer(sc);
}

/* Watches @fd (consumed). 0 or -errno. */
static int
wire_add(struct sock *sc, int fd, uint32_t events)
{
	int err;

	sc->wire.fd = fd;
	sc->wire.events = events;
	sc->wire.fn = stream_event;
	sc->wire.arg = sc;
	err = loop_fd_add(sock_loop(sc), &sc->wire);
	if (err < 0)
		fd_close(&sc->wire.fd);
	return err;
}

void
sock_stream_give(struct sock *sc, int fd)
{
	if (wire_add(sc, fd, EPOLLIN | EPOLLRDHUP) == 0)
		connected(sc);
}

static void
try_connect(struct sock *sc)
{
	int fd = socket(sc->remote.sa.sa_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err = 0;

	if (fd < 0) {
		retry(sc, -errno);
		return;
	}
	if (connect(fd, &sc->remote.sa, sc->remote.len) < 0)
		err = -errno;
	if (err != 0 && err != -EINPROGRESS) {
		close(fd);
		retry(sc, err);
		return;
	}
	sc->connecting = err != 0;
	err = wire_add(sc, fd, EPOLLOUT);
	if (err < 0)
		retry(sc, err);
	else if (!sc->connecting)
		connected(sc);
}

void
sock_stream_due(struct sock *sc)
{
	if (sc->wire.fd < 0 && sc->remote.kind != ENDPOINT_NONE)
		try_connect(sc);
}

static bool
peer_gone(const struct sock *sc)
{
	struct pollfd p = { .fd = sc->wire.fd, .events = POLLRDHUP };

	return poll(&p, 1, 0) == 1 &&
	       (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

static void
accept_event(struct loop_fd *w, uint32_t revents)
{
	struct sock *sc = w->arg;
	int fd = sock_accept(w->fd);

	(void)revents;
	if (fd < 0)
		return;
	if (sc->wire.fd >= 0 && peer_gone(sc))
		stream_event(&sc->wire, EPOLLRDHUP);
	if (sc->wire.fd >= 0) {
		close(fd);
		sc->refused++;
		net_notice(
		    sc->ifp.net, &sc->ifp, "a second peer was turned away");
		return;
	}
	sock_stream_give(sc, fd);
}

static int
listen_inet(const struct endpoint *e)
{
	int fd = socket(
	    e->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1, err;

	if (fd < 0)
		return -errno;
	if (e->sa.sa_family == AF_INET6)
		(void)setsockopt(
		    fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, &e->sa, e->len) < 0 || listen(fd, SOMAXCONN) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

static int
stream_listen(struct sock *sc)
{
	int err;

	if (sc->local.kind == ENDPOINT_UNIX) {
		err = sock_listen_unix(
		    ((const struct sockaddr_un *)&sc->local.storage)->sun_path,
		    NULL, &sc->path);
		sc->listener.fd = err == 0 ? sc->path.fd : -1;
	} else {
		err = listen_inet(&sc->local);
		sc->listener.fd = err;
	}
	if (err < 0)
		return err;
	sc->listener.events = EPOLLIN;
	sc->listener.fn = accept_event;
	sc->listener.arg = sc;
	return loop_fd_add(sock_loop(sc), &sc->listener);
}

int
sock_stream_open(struct sock *sc)
{
	sc->rx.size = RX_SIZE;
	sc->rx.len_max = sc->vnet_hdr + FRAME_LARGE_MAX;
	sc->rx.buf = malloc(RX_SIZE);
	if (sc->rx.buf == NULL)
		return -ENOMEM;
	if (sc->local.kind != ENDPOINT_NONE)
		return stream_listen(sc);
	if (sc->remote.kind != ENDPOINT_NONE)
		try_connect(sc); /* or again, when it does not work now */
	return 0;
}

/* --- frames --------------------------------------------------------------- */

/* A record that has come. */
static void
record(struct sock *sc, const uint8_t *data, uint32_t len,
    struct frame_batch *batch)
{
	struct iface *ifp = &sc->ifp;
	struct frame *f;

	if (len < sc->vnet_hdr) {
		iface_count_drop(ifp, DROP_RUNT, 1);
		return;
	}
	f = frame_alloc(ifp->net->pool, len - sc->vnet_hdr);
	if (f == NULL) {
		iface_count_drop(ifp, DROP_NO_FRAME, 1);
		return;
	}
	f->len = len - sc->vnet_hdr;
	memcpy(f->data, data + sc->vnet_hdr, f->len);
	f = sock_take_hdr(sc, f, data);
	if (f != NULL)
		batch->frames[batch->count++] = f;
}

/* All records that are there: 0, or -EPROTO. */
static int
records(struct sock *sc)
{
	struct frame_batch batch = { 0 };
	const uint8_t *data;
	uint32_t len;
	int n;

	while ((n = framing_next(&sc->rx, &data, &len)) != 0) {
		if (n == -EPROTO)
			break;
		if (n == -EMSGSIZE)
			iface_count_drop(&sc->ifp, DROP_GIANT, 1);
		else
			record(sc, data, len, &batch);
		if (batch.count == FRAME_BATCH_MAX) {
			iface_input(&sc->ifp, &batch);
			batch.count = 0;
		}
	}
	if (batch.count != 0)
		iface_input(&sc->ifp, &batch);
	return n;
}

/* One buffer full. Return: bytes, 0 (the end) or -errno. */
static ssize_t
read_some(struct sock *sc)
{
	size_t room;
	uint8_t *to = framing_room(&sc->rx, &room);
	ssize_t n = recv(sc->wire.fd, to, room, MSG_DONTWAIT);

	if (n < 0)
		return -errno;
	framing_got(&sc->rx, (size_t)n);
	if (n > 0 && records(sc) == -EPROTO) {
		iface_count_drop(&sc->ifp, DROP_SOCK_FRAMING, 1);
		net_notice(sc->ifp.net, &sc->ifp,
		    "the peer sent an impossible length: connection ended");
		sc->rx.start = sc->rx.end;
		return -EPROTO;
	}
	return n;
}

static void
connect_done(struct sock *sc)
{
	socklen_t len = sizeof(int);
	int err = 0;

	if (getsockopt(sc->wire.fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		err = errno;
	if (err != 0) {
		wire_close(sc);
		retry(sc, -err);
		return;
	}
	connected(sc);
}

static void
stream_event(struct loop_fd *w, uint32_t revents)
{
	struct sock *sc = w->arg;
	bool end = (revents & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
	ssize_t n;

	if (sc->connecting) {
		connect_done(sc);
		return;
	}
	if ((revents & EPOLLOUT) != 0)
		net_flush_later(&sc->ifp);
	if ((revents & EPOLLIN) == 0 && !end)
		return;
	/* After the end what was sent before is read, however much. */
	do {
		n = read_some(sc);
	} while (end && n > 0);
	if (n == 0 || (n < 0 && n != -EAGAIN && n != -EINTR))
		hang_up(sc, (int)n);
}

/* The queue's first records to the socket: bytes that it took, or -errno. */
static ssize_t
write_some(struct sock *sc)
{
	uint8_t hdr[WRITE_BATCH][FRAMING_HDR + SOCK_HDR_MAX];
	struct iovec iov[2 * WRITE_BATCH];
	struct msghdr msg = { .msg_iov = iov };
	struct frame_ring *r = &sc->tx;
	uint32_t n = COAX_MIN(frame_ring_count(r), WRITE_BATCH);
	size_t skip = sc->tx_done;
	ssize_t sent;

	for (uint32_t i = 0; i < n; i++) {
		struct frame *f = r->slots[(r->head + i) & (r->size - 1)];
		size_t head = sock_put_hdr(sc, f, hdr[i] + FRAMING_HDR);

		be32_put(hdr[i], (uint32_t)head + f->len);
		iov[2 * i] = (struct iovec){ hdr[i], FRAMING_HDR + head };
		iov[2 * i + 1] = (struct iovec){ f->data, f->len };
	}
	/* Of the first a part is out already. */
	while (skip != 0) {
		size_t step = COAX_MIN(skip, msg.msg_iov->iov_len);

		msg.msg_iov->iov_base = (uint8_t *)msg.msg_iov->iov_base + step;
		msg.msg_iov->iov_len -= step;
		skip -= step;
		if (msg.msg_iov->iov_len == 0)
			msg.msg_iov++;
	}
	msg.msg_iovlen = 2 * n - (size_t)(msg.msg_iov - iov);
	sent = sendmsg(sc->wire.fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	return sent < 0 ? -errno : sent;
}

/* @sent bytes are out: whole frames have gone. */
static void
written(struct sock *sc, size_t sent)
{
	sent += sc->tx_done;
	sc->tx_done = 0;
	while (sent != 0) {
		struct frame *f = frame_ring_peek(&sc->tx);
		size_t len = FRAMING_HDR + sc->vnet_hdr + f->len;

		if (sent < len) {
			sc->tx_done = (uint32_t)sent;
			return;
		}
		sent -= len;
		f = frame_ring_pop(&sc->tx);
		iface_count_out(&sc->ifp, f);
		frame_release(f);
	}
}

void
sock_stream_flush(struct sock *sc)
{
	ssize_t n;

	while (frame_ring_count(&sc->tx) != 0) {
		n = write_some(sc);
		if (n >= 0) {
			written(sc, (size_t)n);
		} else if (n == -EAGAIN) {
			sock_want(sc, true);
			return;
		} else if (n != -EINTR) {
			/* Gone; there may be something to read yet. */
			sock_drop_queue(sc, DROP_NO_PEER);
			return;
		}
	}
	sock_want(sc, false);
}
