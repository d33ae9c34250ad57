/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock: an interface whose wire is a socket, for programs that bring their
 * network card along: QEMU (-netdev stream, dgram), passt, clients of
 * socket_vmnet, vfkit and krun.
 *
 * How it works
 *
 *   Two settings, listen and connect, say where; a framing says how:
 *
 *     stream   one peer at a time, frames behind their length (framing.h);
 *              connect tries for ever, at growing intervals
 *     dgram    one frame a datagram; listen is the own address, connect the
 *              peer's, and one of them is enough
 *
 *   With vnethdr a virtio_net_hdr of that many bytes stands before each frame,
 *   and super-frames and blank checksums cross the wire whole.
 *
 *   transmit puts frames into the queue, flush writes what the socket takes:
 *   a peer that does not read costs QUEUE_FRAMES frames and QUEUE_BYTES bytes
 *   and nobody else anything.  The link is up while there is a peer.
 *
 * An interface that was made for a socket somebody gave (sock_give()) ends with
 * it.
 */
#include "drv/sock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/ether.h"
#include "base/util.h"
#include "drv/sock_impl.h"
#include "frame/offload.h"
#include "net/info.h"
#include "net/keyword.h"

#define SOCK_UNIT_MAX 0x7fff
#define SOCK_MTU_MIN  68
#define SOCK_MTU_MAX  65521
#define SOCK_HDR_MIN  10 /* struct virtio_net_hdr */
#define SOCK_OUI      0xf20ba4
#define QUEUE_FRAMES  1024
#define QUEUE_BYTES   (4u << 20)
/* USO is too new to be taken for granted. */
#define SOCK_CAPS (OFFLOAD_CSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6 | OFFLOAD_TSO_ECN)

static struct sock *
sock_of(struct iface *ifp)
{
	return (struct sock *)(void *)ifp;
}

static const struct sock *
sock_of_const(const struct iface *ifp)
{
	return (const struct sock *)(const void *)ifp;
}

static bool
is_open(const struct sock *sc)
{
	return sc->tx.slots != NULL;
}

/* --- for the two framings ------------------------------------------------- */

void
sock_drop_queue(struct sock *sc, enum drop_reason why)
{
	struct frame *f, *half = NULL;

	if (sc->tx_done != 0)
		half = frame_ring_pop(&sc->tx);
	while ((f = frame_ring_pop(&sc->tx)) != NULL)
		iface_drop(&sc->ifp, f, why);
	if (half != NULL)
		(void)frame_ring_push(&sc->tx, half);
}

void
sock_peer(struct sock *sc)
{
	sc->peered = true;
	sc->last_error = 0;
	sc->connects++;
	loop_timer_del(sock_loop(sc), &sc->timer);
	iface_set_link(&sc->ifp, IFACE_LINK_UP);
}

void
sock_no_peer(struct sock *sc, int err)
{
	sc->peered = false;
	sc->last_error = err;
	sc->peer = (struct endpoint){ 0 };
	sc->peer_pid = 0;
	sock_drop_queue(sc, DROP_NO_PEER);
	iface_set_link(&sc->ifp, IFACE_LINK_DOWN);
}

void
sock_want(struct sock *sc, bool blocked)
{
	sc->blocked = blocked;
	(void)loop_fd_mod(sock_loop(sc), &sc->wire,
	    EPOLLIN | (sc->dgram ? 0u : (uint32_t)EPOLLRDHUP) |
	        (blocked ? (uint32_t)EPOLLOUT : 0u));
}

size_t
sock_put_hdr(
    const struct sock *sc, const struct frame *f, uint8_t hdr[SOCK_HDR_MAX])
{
	if (sc->vnet_hdr == 0)
		return 0;
	memset(hdr, 0, sc->vnet_hdr);
	memcpy(hdr, &f->off, sizeof(f->off));
	return sc->vnet_hdr;
}

struct frame *
sock_take_hdr(struct sock *sc, struct frame *f, const uint8_t *hdr)
{
	enum drop_reason why;

	if (sc->vnet_hdr == 0)
		return f;
	memcpy(&f->off, hdr, sizeof(f->off));
	if (offload_check(f, &why) == 0)
		return f;
	iface_drop(&sc->ifp, f, why);
	return NULL;
}

void
sock_timer(struct sock *sc, uint64_t delay_ns)
{
	(void)loop_timer_in(sock_loop(sc), &sc->timer, delay_ns);
}

/* --- opening and closing -------------------------------------------------- */

static void
timer_due(struct timer *t, uint64_t now_ns)
{
	struct sock *sc = CONTAINER_OF(t, struct sock, timer);

	(void)now_ns;
	if (sc->dgram)
		sock_dgram_due(sc);
	else
		sock_stream_due(sc);
}

static void
sock_close(struct sock *sc, enum drop_reason why)
{
	struct loop *loop;

	if (!is_open(sc))
		return;
	loop = sock_loop(sc);
	loop_timer_del(loop, &sc->timer);
	loop_timer_del(loop, &sc->again);
	loop_fd_del(loop, &sc->listener);
	loop_fd_del(loop, &sc->wire);
	/* A Unix socket with a name is the path's to close. */
	if (sc->path.path[0] != '\0' && sc->wire.fd == sc->path.fd)
		sc->wire.fd = -1;
	if (sc->path.path[0] != '\0' && sc->listener.fd == sc->path.fd)
		sc->listener.fd = -1;
	sock_listener_close(&sc->path);
	fd_close(&sc->listener.fd);
	fd_close(&sc->wire.fd);
	sc->tx_done = 0;
	sc->connecting = false;
	sc->blocked = false;
	sc->backoff_ns = 0;
	sock_drop_queue(sc, why);
	frame_ring_fini(&sc->tx);
	free(sc->rx.buf);
	sc->rx = (struct framing){ 0 };
	sock_no_peer(sc, 0);
}

/* What the settings ask for; with none of them, nothing. */
static int
sock_open(struct sock *sc)
{
	int err;

	if (drv_context(sc->ifp.net) != NULL &&
	    drv_context(sc->ifp.net)->pretend) {
		iface_set_caps(&sc->ifp, sc->vnet_hdr != 0 ? SOCK_CAPS : 0);
		return 0;
	}
	if (drv_context(sc->ifp.net) == NULL || sock_loop(sc) == NULL)
		return net_error(
		    sc->ifp.net, -EOPNOTSUPP, "this program serves no sockets");
	err = frame_ring_init(&sc->tx, QUEUE_FRAMES, QUEUE_BYTES);
	if (err != 0)
		return err;
	sc->timer.fn = timer_due;
	err = sc->dgram ? sock_dgram_open(sc) : sock_stream_open(sc);
	if (err != 0) {
		sock_close(sc, DROP_DESTROYED);
		return err;
	}
	iface_set_caps(&sc->ifp, sc->vnet_hdr != 0 ? SOCK_CAPS : 0);
	return 0;
}

/* --- words ---------------------------------------------------------------- */

struct settings {
	struct endpoint local, remote;
	bool dgram;
	uint32_t vnet_hdr;
};

static void
settings_use(struct sock *sc, const struct settings *s)
{
	sc->local = s->local;
	sc->remote = s->remote;
	sc->dgram = s->dgram;
	sc->vnet_hdr = s->vnet_hdr;
}

/* Opens anew with other settings, or leaves all as it was. */
static int
settings_change(struct sock *sc, const struct settings *s)
{
	const struct settings old = { sc->local, sc->remote, sc->dgram,
		sc->vnet_hdr };
	char message[sizeof(sc->ifp.net->message)];
	int err = 0;

	if (endpoint_equal(&old.local, &s->local) &&
	    endpoint_equal(&old.remote, &s->remote) && old.dgram == s->dgram &&
	    old.vnet_hdr == s->vnet_hdr && is_open(sc))
		return 0;
	sock_close(sc, DROP_DESTROYED);
	settings_use(sc, s);
	if (s->local.kind == ENDPOINT_NONE && s->remote.kind == ENDPOINT_NONE) {
		iface_set_caps(&sc->ifp, 0);
		return 0;
	}
	err = sock_open(sc);
	if (err == 0)
		return 0;
	settings_use(sc, &old);
	memcpy(message, sc->ifp.net->message, sizeof(message));
	if (old.local.kind != ENDPOINT_NONE || old.remote.kind != ENDPOINT_NONE)
		(void)sock_open(sc);
	memcpy(sc->ifp.net->message, message, sizeof(message));
	return err;
}

/* Do they belong together?  What is not said follows from the address. */
static int
settings_check(struct net *net, struct settings *s, const char *framing)
{
	enum endpoint_kind kind =
	    s->local.kind != ENDPOINT_NONE ? s->local.kind : s->remote.kind;
	bool both =
	    s->local.kind != ENDPOINT_NONE && s->remote.kind != ENDPOINT_NONE;

	if (both && s->local.kind != s->remote.kind)
		return net_error(
		    net, -EINVAL, "listen and connect are of different kinds");
	if (both && endpoint_equal(&s->local, &s->remote))
		return net_error(net, -EINVAL, "it would be its own far end");
	if (kind == ENDPOINT_TCP && framing != NULL &&
	    strcmp(framing, "dgram") == 0)
		return net_error(net, -EINVAL, "TCP is a stream");
	if (kind == ENDPOINT_UDP && framing != NULL &&
	    strcmp(framing, "stream") == 0)
		return net_error(net, -EINVAL, "UDP has datagrams only");
	if (framing != NULL)
		s->dgram = strcmp(framing, "dgram") == 0;
	else if (kind != ENDPOINT_UNIX)
		s->dgram = kind == ENDPOINT_UDP;
	else if (!both)
		s->dgram = false;
	if (both && !s->dgram)
		return net_error(net, -EBUSY,
		    "a stream either listens or connects: take away the "
		    "other first");
	return 0;
}

/* "listen ADDRESS [framing F] [vnethdr N]", and connect. */
static int
set_end(struct iface *ifp, const union keyword_value *v, bool listen)
{
	struct sock *sc = sock_of(ifp);
	struct settings s = { sc->local, sc->remote, sc->dgram, sc->vnet_hdr };
	struct endpoint *end = listen ? &s.local : &s.remote;
	const char *why;
	int err;

	if (sc->ifp.transient)
		return net_error(ifp->net, -EBUSY,
		    "%s has the socket that it was made for", ifp->name);
	err = endpoint_parse(v[0].str, end, &why);
	if (err != 0)
		return net_error(ifp->net, err, "%s", why);
	err = settings_check(ifp->net, &s, v[1].str);
	if (err != 0)
		return err;
	if (v[2].num != 0)
		s.vnet_hdr = (uint32_t)v[2].num;
	return settings_change(sc, &s);
}

static int
set_listen(struct iface *ifp, const union keyword_value *v)
{
	return set_end(ifp, v, true);
}

static int
set_connect(struct iface *ifp, const union keyword_value *v)
{
	return set_end(ifp, v, false);
}

static int
clear_end(struct iface *ifp, bool listen)
{
	struct sock *sc = sock_of(ifp);
	struct settings s = { sc->local, sc->remote, sc->dgram, sc->vnet_hdr };
	struct endpoint *end = listen ? &s.local : &s.remote;

	if (end->kind == ENDPOINT_NONE)
		return 0;
	*end = (struct endpoint){ 0 };
	if (s.local.kind == ENDPOINT_NONE && s.remote.kind == ENDPOINT_NONE) {
		s.dgram = false;
		s.vnet_hdr = 0;
	}
	return settings_change(sc, &s);
}

static int
clear_listen(struct iface *ifp, const union keyword_value *v)
{
	(void)v;
	return clear_end(ifp, true);
}

static int
clear_connect(struct iface *ifp, const union keyword_value *v)
{
	(void)v;
	return clear_end(ifp, false);
}

static void
save_end(const struct iface *ifp, bool listen, struct keyword_sink *s)
{
	const struct sock *sc = sock_of_const(ifp);
	const struct endpoint *end = listen ? &sc->local : &sc->remote;
	const char *word = listen ? "listen" : "connect";
	char text[ENDPOINT_TEXT_MAX], hdr[32] = "";

	if (end->kind == ENDPOINT_NONE) {
		if (s->all)
			keyword_put(s, "-%s", word);
		return;
	}
	if (sc->vnet_hdr != 0)
		snprintf(hdr, sizeof(hdr), " vnethdr %u", sc->vnet_hdr);
	keyword_put(s, "%s %s framing %s%s", word, endpoint_format(end, text),
	    sc->dgram ? "dgram" : "stream", hdr);
}

static void
save_listen(const struct iface *ifp, struct keyword_sink *s)
{
	save_end(ifp, true, s);
}

static void
save_connect(const struct iface *ifp, struct keyword_sink *s)
{
	save_end(ifp, false, s);
}

#define END_ARGS                                                     \
	{                                                            \
		{ .kind = KEYWORD_ARG_WORD, .name = "address" },     \
		    { .kind = KEYWORD_ARG_CHOICE,                    \
			    .name = "framing",                       \
			    .literal = "framing",                    \
			    .choices = "stream\0dgram\0" },          \
		{                                                    \
			.kind = KEYWORD_ARG_NUMBER, .name = "bytes", \
			.literal = "vnethdr", .min = SOCK_HDR_MIN,   \
			.max = SOCK_HDR_MAX                          \
		}                                                    \
	}

static const struct iface_keyword sock_keywords[] = {
	{
	    .name = "listen",
	    .args = END_ARGS,
	    .apply = set_listen,
	    .apply_create = set_listen,
	    .save = save_listen,
	    .bsd_name = "listen",
	    .help = "wait there for the program that is the wire",
	},
	{
	    .name = "-listen",
	    .apply = clear_listen,
	    .saved_by = "listen",
	    .bsd_name = "-listen",
	    .help = "do not",
	},
	{
	    .name = "connect",
	    .args = END_ARGS,
	    .apply = set_connect,
	    .apply_create = set_connect,
	    .save = save_connect,
	    .bsd_name = "connect",
	    .help = "connect to it there, again and again",
	},
	{
	    .name = "-connect",
	    .apply = clear_connect,
	    .saved_by = "connect",
	    .bsd_name = "-connect",
	    .help = "do not",
	},
	{ .name = NULL },
};

/* --- the interface -------------------------------------------------------- */

static int
sock_create(struct iface *ifp)
{
	struct sock *sc = sock_of(ifp);

	sc->wire.fd = -1;
	sc->listener.fd = -1;
	sc->path.fd = -1;
	net_lladdr_choose(ifp, SOCK_OUI, ifp->mac);
	iface_set_link(ifp, IFACE_LINK_DOWN);
	return 0;
}

static void
sock_destroy(struct iface *ifp)
{
	sock_close(sock_of(ifp), DROP_DESTROYED);
}

static void
sock_transmit(struct iface *ifp, struct frame_batch *batch)
{
	struct sock *sc = sock_of(ifp);
	int err;

	if (!sc->peered) {
		iface_drop_batch(ifp, batch, DROP_NO_PEER);
		return;
	}
	for (uint32_t i = 0; i < batch->count; i++) {
		struct frame *f = batch->frames[i];

		err = frame_ring_push(&sc->tx, f);
		if (err != 0)
			iface_drop(ifp, f,
			    err == -EDQUOT ? DROP_QUEUE_BYTES
			                   : DROP_QUEUE_FULL);
		else if (frame_ring_crowded(&sc->tx))
			ifp->net->full++;
	}
	if (!sc->blocked)
		net_flush_later(ifp);
}

static void
sock_flush(struct iface *ifp)
{
	struct sock *sc = sock_of(ifp);

	if (!sc->peered)
		return;
	if (sc->dgram)
		sock_dgram_flush(sc);
	else
		sock_stream_flush(sc);
}

static void
sock_changed(struct iface *ifp, uint32_t what)
{
	struct sock *sc = sock_of(ifp);
	bool up = (ifp->flags & IFACE_UP) != 0;

	if ((what & IFACE_CHANGED_FLAGS) == 0)
		return;
	iface_set_running(ifp, up);
	if (!up && is_open(sc))
		sock_drop_queue(sc, DROP_IF_DOWN);
}

static void
get_end(struct info *out, const char *key, const struct endpoint *e)
{
	char text[ENDPOINT_TEXT_MAX];

	if (e->kind == ENDPOINT_NONE)
		info_null(out, key);
	else
		info_str(out, key, endpoint_format(e, text));
}

static void
sock_get(const struct iface *ifp, struct info *out)
{
	const struct sock *sc = sock_of_const(ifp);

	get_end(out, "listen", &sc->local);
	get_end(out, "connect", &sc->remote);
	info_str(out, "framing", sc->dgram ? "dgram" : "stream");
	info_u64(out, "vnethdr", sc->vnet_hdr);
	info_bool(out, "connected", sc->peered);
	get_end(out, "peer_address", &sc->peer);
	if (sc->peer_pid != 0) {
		info_i64(out, "peer_pid", sc->peer_pid);
		info_u64(out, "peer_uid", sc->peer_uid);
	}
	if (sc->last_error != 0)
		info_str(out, "error", strerror(-sc->last_error));
	info_u64(out, "connects", sc->connects);
	info_u64(out, "refused", sc->refused);
}

bool
sock_is(const struct iface *ifp)
{
	return ifp->ops == &sock_ops;
}

int
sock_give(struct net *net, struct vnet *vnet, const char *name, int fd,
    uint32_t vnet_hdr, struct iface **out)
{
	struct iface *ifp;
	struct sock *sc;
	int err;

	err = net_iface_create(
	    net, vnet, name != NULL ? name : sock_ops.kind, &ifp);
	if (err == 0 && !sock_is(ifp)) {
		(void)net_iface_destroy(ifp, NULL);
		err = -EINVAL;
	}
	if (err != 0) {
		fd_close(&fd);
		return err;
	}
	sc = sock_of(ifp);
	sc->vnet_hdr = vnet_hdr;
	err = fd_set_nonblock(fd, true);
	if (err == 0)
		err = sock_open(sc);
	if (err != 0) {
		fd_close(&fd);
		(void)net_iface_destroy(ifp, NULL);
		return err;
	}
	sock_stream_give(sc, fd);
	if (!sc->peered) {
		(void)net_iface_destroy(ifp, NULL);
		return -EIO;
	}
	sc->peer_pid = 0; /* who made the socket, which need not be the peer */
	ifp->transient = true;
	*out = ifp;
	return 0;
}

const struct iface_ops sock_ops = {
	.kind = "sock",
	.about = "a network card whose wire is a socket, as QEMU has it",
	.kind_flags = IFACE_KIND_ETHERNET,
	.unit_max = SOCK_UNIT_MAX,
	.mtu_default = ETH_MTU_DEFAULT,
	.mtu_min = SOCK_MTU_MIN,
	.mtu_max = SOCK_MTU_MAX,
	.flags = IFACE_BROADCAST | IFACE_SIMPLEX | IFACE_MULTICAST,
	.size = sizeof(struct sock),
	.create = sock_create,
	.destroy = sock_destroy,
	.transmit = sock_transmit,
	.flush = sock_flush,
	.changed = sock_changed,
	.get = sock_get,
	.keywords = sock_keywords,
};
