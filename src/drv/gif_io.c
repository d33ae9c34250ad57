/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets of a gif: frames become packets at the end of a round, several in
 * one call and a budget a round: where the outer packets go into a netdev of
 * this daemon's, it takes them from there at the same pace, and that netdev's
 * queue does not run over.  Packets are read in batches, each into a small
 * frame and, where it is longer, a large one; ICMP errors are taken off the
 * socket and counted.
 *
 * What a packet from outside has to pass: the kernel's checks of its outer
 * headers, reassembly, etherip_decap(), the far end's address, and the ingress
 * filter: it must have come in by the netdev by which the way back to its
 * source leads, unless the interface has LINK2.
 */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
/* After <time.h>, whose struct timespec it takes for granted. */
#include <linux/errqueue.h>

#include "base/util.h"
#include "drv/gif_impl.h"

#define READ_MAX     32  /* packets in one call */
#define READ_BUDGET  128 /* ... that a wake-up may take */
#define WRITE_BATCH  32
#define ERROR_BUDGET 64
#define ROUTE_NS     UINT64_C(1000000000) /* how long a look-up holds */
#define SLOTS_KEEP   4                    /* with frames in reserve */
#define LAYERS_MAX   64                   /* that are looked into */

/* --- sending -------------------------------------------------------------- */

void
gif_io_drop_queue(struct gif *sc, enum drop_reason why)
{
	struct frame *f;

	while ((f = frame_ring_pop(&sc->tx)) != NULL)
		iface_drop(&sc->ifp, f, why);
}

static bool
is_pair(const struct gif *sc, const struct etherip_pair *p)
{
	size_t len = p->family == 6 ? 16 : 4;

	return sc->family == (p->family == 6 ? AF_INET6 : AF_INET) &&
	       memcmp(p->src, sc->local.addr, len) == 0 &&
	       memcmp(p->dst, sc->remote.addr, len) == 0;
}

static bool
is_ours(const struct gif *sc, const struct etherip_pair *p)
{
	const struct gif *o;

	TAILQ_FOREACH (o, &gif_shared(sc->ifp.net)->gifs, link) {
		if (is_pair(o, p))
			return true;
	}
	return false;
}

/* May a frame that holds a tunnel's packet go into this one? */
static bool
nesting_allows(
    const struct gif *sc, const struct frame *f, enum drop_reason *why)
{
	uint32_t inside = 1;
	uint32_t most = gif_tunable_get(net_host_vnet(&sc->ifp), GIF_NESTING);
	const uint8_t *at = f->data;
	size_t len = f->len;
	struct etherip_pair pair;
	int n = 1;

	for (uint32_t i = 0; i < LAYERS_MAX && n > 0; i++) {
		n = etherip_next(at, len, &pair);
		if (n < 0)
			break;
		*why = DROP_GIF_LOOP;
		if (is_pair(sc, &pair))
			return false;
		*why = DROP_GIF_NESTING;
		if (is_ours(sc, &pair) && ++inside > most)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

static bool
may_send(struct gif *sc, struct frame *f)
{
	enum drop_reason why;

	if (__builtin_expect(!etherip_perhaps(f->data, f->len), 1) ||
	    nesting_allows(sc, f, &why))
		return true;
	if (ratelimit_allow(&sc->nest_limit, sc->ifp.net->now_ns, NULL))
		log_notice("%s: %s", sc->ifp.name,
		    why == DROP_GIF_LOOP ? "a packet of its own is to go into "
		                           "it again: is its tunnel routed "
		                           "through its bridge?"
		                         : "too many tunnels in one another "
		                           "(net.link.gif.max_nesting)");
	iface_drop(&sc->ifp, f, why);
	return false;
}

static bool send_some(struct iface *ifp, uint32_t most);

void
gif_io_transmit(struct iface *ifp, struct frame_batch *batch)
{
	struct gif *sc = gif_of(ifp);
	int err;

	if (ifp->stack == NULL) {
		iface_drop_batch(ifp, batch, DROP_UNBRIDGED);
		return;
	}
	if (sc->wire.fd < 0) {
		iface_drop_batch(ifp, batch, DROP_GIF_NO_TUNNEL);
		return;
	}
	for (uint32_t i = 0; i < batch->count; i++) {
		struct frame *f = batch->frames[i];

		if (sc->wire.fd < 0) { /* since the flush below */
			iface_drop(ifp, f, DROP_GIF_NO_TUNNEL);
			continue;
		}
		if (!may_send(sc, f))
			continue;
		err = frame_ring_push(&sc->tx, f);
		/* A host's wake-up may bring more segments than there is room
		 * for: the socket takes some of them before the round ends. */
		if (err != 0 && !sc->blocked) {
			(void)send_some(ifp, NET_POLL_BUDGET);
			err = sc->wire.fd < 0 ? -ENETDOWN
			                      : frame_ring_push(&sc->tx, f);
		}
		if (err != 0)
			iface_drop(ifp, f,
			    err == -ENETDOWN ? DROP_GIF_NO_TUNNEL
			    : err == -EDQUOT ? DROP_QUEUE_BYTES
			                     : DROP_QUEUE_FULL);
	}
	if (!sc->blocked)
		net_flush_later(ifp);
}

/* The far end, where the socket is not connected to it. */
static socklen_t
remote_of(const struct gif *sc, struct sockaddr_storage *ss)
{
	memset(ss, 0, sizeof(*ss));
	if (sc->family == AF_INET6) {
		struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;

		sin6->sin6_family = AF_INET6;
		memcpy(&sin6->sin6_addr, sc->remote.addr, 16);
		return sizeof(*sin6);
	}
	((struct sockaddr_in *)ss)->sin_family = AF_INET;
	memcpy(&((struct sockaddr_in *)ss)->sin_addr, sc->remote.addr, 4);
	return sizeof(struct sockaddr_in);
}

/* The queue's first frames: how many the socket took, or -errno. */
static int
write_some(struct gif *sc, uint32_t most)
{
	uint8_t hdr[ETHERIP_HDR_LEN];
	struct mmsghdr msgs[WRITE_BATCH];
	struct iovec iov[WRITE_BATCH][2];
	struct frame_ring *r = &sc->tx;
	uint32_t n = COAX_MIN(
	    COAX_MIN(frame_ring_count(r), most), (uint32_t)WRITE_BATCH);
	struct sockaddr_storage to;
	socklen_t to_len = 0;
	int sent;

	etherip_header(hdr, (sc->options & GIF_SEND_REV) != 0);
	if (!sc->connected)
		to_len = remote_of(sc, &to);
	memset(msgs, 0, n * sizeof(msgs[0]));
	for (uint32_t i = 0; i < n; i++) {
		struct frame *f = r->slots[(r->head + i) & (r->size - 1)];

		iov[i][0] = (struct iovec){ hdr, sizeof(hdr) };
		iov[i][1] = (struct iovec){ f->data, f->len };
		msgs[i].msg_hdr.msg_iov = iov[i];
		msgs[i].msg_hdr.msg_iovlen = 2;
		if (to_len != 0) {
			msgs[i].msg_hdr.msg_name = &to;
			msgs[i].msg_hdr.msg_namelen = to_len;
		}
	}
	sent = sendmmsg(sc->wire.fd, msgs, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	return sent < 0 ? -errno : sent;
}

/* Is that the socket's report of an ICMP error about an earlier packet?  Each
 * is reported once, so trying again is no endless matter. */
static bool
is_report(int err)
{
	return err == -EHOSTUNREACH || err == -ENETUNREACH ||
	       err == -ECONNREFUSED || err == -EPROTO || err == -ENOPROTOOPT ||
	       err == -EHOSTDOWN || err == -ENONET || err == -EACCES ||
	       err == -EOPNOTSUPP || err == -EMSGSIZE || err == -EINTR;
}

/* Is the socket's address, its route or its netdev not there any more? */
static bool
is_outdated(int err)
{
	return err == -EINVAL || err == -EADDRNOTAVAIL || err == -ENETDOWN ||
	       err == -ENETUNREACH || err == -ENODEV || err == -ENXIO;
}

/* Sends at most @most of what waits.  True: there is more, and room for it. */
static bool
send_some(struct iface *ifp, uint32_t most)
{
	struct gif *sc = gif_of(ifp);
	struct frame *f;
	int tries = 0, n;

	while (sc->wire.fd >= 0 && frame_ring_count(&sc->tx) != 0) {
		if (most == 0)
			return true;
		n = write_some(sc, most);
		for (int i = 0; i < n; i++) {
			f = frame_ring_pop(&sc->tx);
			iface_count_out(ifp, f);
			frame_release(f);
		}
		if (n > 0) {
			tries = 0;
			most -= (uint32_t)n;
			continue;
		}
		if (n == -EAGAIN) {
			sc->blocked = true;
			(void)loop_fd_mod(
			    gif_loop(sc), &sc->wire, EPOLLIN | EPOLLOUT);
			return false;
		}
		if (is_report(n) && tries++ == 0)
			continue;
		tries = 0;
		f = frame_ring_pop(&sc->tx);
		iface_drop(
		    ifp, f, n == -EMSGSIZE ? DROP_GIF_PATH_MTU : DROP_TX_ERROR);
		if (is_outdated(n)) {
			gif_retry(sc, n);
			return false;
		}
	}
	return false;
}

void
gif_io_flush(struct iface *ifp)
{
	if (!ifp->ready && send_some(ifp, NET_POLL_BUDGET))
		net_ready(ifp);
}

bool
gif_io_poll(struct iface *ifp, uint32_t budget)
{
	return !gif_of(ifp)->blocked && send_some(ifp, budget);
}

/* --- ICMP ----------------------------------------------------------------- */

static void
count_error(struct gif *sc, const struct sock_extended_err *e)
{
	bool v6 = e->ee_origin == SO_EE_ORIGIN_ICMP6;
	uint64_t *count = &sc->icmp_other;

	if (e->ee_errno == EMSGSIZE) {
		count = &sc->icmp_too_big;
		sc->path_mtu = e->ee_info;
	} else if (e->ee_type == (v6 ? ICMP6_DST_UNREACH : ICMP_DEST_UNREACH)) {
		count = &sc->icmp_unreachable;
	} else if (e->ee_type ==
	           (v6 ? ICMP6_TIME_EXCEEDED : ICMP_TIME_EXCEEDED)) {
		count = &sc->icmp_exceeded;
	}
	++*count;
	if (e->ee_origin == SO_EE_ORIGIN_LOCAL)
		return; /* the drop tells it */
	if (sc->icmp_error != (int)e->ee_errno &&
	    ratelimit_allow(&sc->icmp_limit, sc->ifp.net->now_ns, NULL)) {
		sc->icmp_error = (int)e->ee_errno;
		net_notice(sc->ifp.net, &sc->ifp,
		    "%s: ICMP about the tunnel's packets: %s", sc->ifp.name,
		    strerror((int)e->ee_errno));
	}
}

/* Takes what waits off the error queue; else the socket would stay ready. */
static void
errors_read(struct gif *sc)
{
	_Alignas(8) uint8_t control[256];
	uint8_t data[16];
	int err = 0;
	socklen_t len = sizeof(err);

	for (uint32_t i = 0; i < ERROR_BUDGET; i++) {
		struct iovec iov = { data, sizeof(data) };
		struct msghdr m = {
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		struct sock_extended_err e;

		if (recvmsg(sc->wire.fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			break;
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL;
		     c = CMSG_NXTHDR(&m, c)) {
			if (!(c->cmsg_level == IPPROTO_IP &&
			        c->cmsg_type == IP_RECVERR) &&
			    !(c->cmsg_level == IPPROTO_IPV6 &&
			        c->cmsg_type == IPV6_RECVERR))
				continue;
			if (c->cmsg_len < CMSG_LEN(sizeof(e)))
				continue;
			memcpy(&e, CMSG_DATA(c), sizeof(e));
			count_error(sc, &e);
		}
	}
	/* The last one is the socket's error as well: it must not hit a frame
	 * that has nothing to do with it. */
	(void)getsockopt(sc->wire.fd, SOL_SOCKET, SO_ERROR, &err, &len);
}

/* --- receiving ------------------------------------------------------------ */

/* Where the way to @addr leads, remembered for a while. */
static int
route_to(struct gif *sc, const uint8_t *addr)
{
	const struct gif_outer *outer = gif_outer_of(sc->ifp.net);
	size_t len = sc->family == AF_INET6 ? 16 : 4;
	uint64_t now_ns = sc->ifp.net->now_ns;
	struct vnet *vnet = gif_outer_vnet(sc);
	struct gif_route *r;

	for (uint32_t i = 0; i < GIF_ROUTES; i++) {
		r = &sc->routes[i];
		if (now_ns < r->until_ns && memcmp(r->addr, addr, len) == 0)
			return r->ifindex;
	}
	if (vnet == NULL)
		return -ENXIO;
	r = &sc->routes[sc->route_next++ % GIF_ROUTES];
	memcpy(r->addr, addr, len);
	r->until_ns = now_ns + ROUTE_NS;
	r->ifindex =
	    outer->route(outer->arg, sc->ifp.net, vnet, sc->family, addr);
	return r->ifindex;
}

bool
gif_io_ingress(struct gif *sc, const uint8_t *source, int ifindex)
{
	int back;

	if ((sc->ifp.flags & IFACE_LINK2) != 0 || ifindex == 0 ||
	    sc->remote.scope[0] != '\0')
		return true;
	back = route_to(sc, source);
	/* One's own comes in by lo or not.  A vnet that cannot be asked has no
	 * filter. */
	return back == ifindex || back == 0 ||
	       (back < 0 && back != -ENETUNREACH && back != -EHOSTUNREACH &&
	           back != -EINVAL);
}

/* What the kernel says of a packet beside it. */
static void
control_read(struct gif *sc, struct msghdr *m, int *ifindex)
{
	struct in6_pktinfo info6;
	struct in_pktinfo info;
	uint32_t ovfl;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL;
	     c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			*ifindex = info.ipi_ifindex;
		} else if (c->cmsg_level == IPPROTO_IPV6 &&
		           c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&info6, CMSG_DATA(c), sizeof(info6));
			*ifindex = (int)info6.ipi6_ifindex;
		} else if (c->cmsg_level == SOL_SOCKET &&
		           c->cmsg_type == SO_RXQ_OVFL) {
			memcpy(&ovfl, CMSG_DATA(c), sizeof(ovfl));
			if (ovfl != sc->rxq_ovfl)
				iface_count_drop(&sc->ifp, DROP_GIF_RX_QUEUE,
				    ovfl - sc->rxq_ovfl);
			sc->rxq_ovfl = ovfl;
		}
	}
}

static const uint8_t *
source_of(const struct gif *sc, const struct gif_slot *s, const uint8_t *data)
{
	if (sc->family == AF_INET)
		return data + 12; /* of the IP header, which is there */
	if (s->from.ss_family != AF_INET6)
		return sc->remote.addr;
	return ((const struct sockaddr_in6 *)&s->from)->sin6_addr.s6_addr;
}

/* A packet that was read; NULL: dropped and counted. */
static struct frame *
packet_take(struct gif *sc, struct gif_slot *s, struct mmsghdr *m)
{
	const struct etherip_rules rules = {
		.family = sc->family == AF_INET6 ? 6 : 4,
		.accept_reversed = (sc->options & GIF_ACCEPT_REV) != 0,
		.src = (sc->options & GIF_IGNORE_SOURCE) != 0 ? NULL
		                                              : sc->remote.addr,
	};
	struct iface *ifp = &sc->ifp;
	enum drop_reason why = DROP_RUNT;
	struct frame *f;
	int ifindex = 0, at;

	control_read(sc, &m->msg_hdr, &ifindex);
	if ((m->msg_hdr.msg_flags & MSG_TRUNC) != 0 ||
	    m->msg_len > FRAME_LARGE_MAX) {
		iface_count_drop(ifp, DROP_GIANT, 1);
		return NULL;
	}
	f = recv_slot_take(&s->room, m->msg_len);
	at = etherip_decap(f->data, f->len, &rules, &why);
	if (at >= 0 && rules.family == 6 && rules.src != NULL &&
	    memcmp(source_of(sc, s, f->data), rules.src, 16) != 0) {
		why = DROP_ETHERIP_STRANGER;
		at = -EBADMSG;
	}
	if (at >= 0 &&
	    !gif_io_ingress(sc, source_of(sc, s, f->data), ifindex)) {
		why = DROP_GIF_INGRESS;
		at = -EBADMSG;
	}
	if (at < 0) {
		iface_drop(ifp, f, why);
		return NULL;
	}
	f->data += at;
	f->len -= (uint32_t)at;
	return f;
}

/* Readies a slot; false: the pool is empty. */
static bool
slot_fill(struct frame_pool *pool, struct gif_slot *s, struct mmsghdr *m)
{
	int parts = recv_slot_ready(&s->room, pool, NULL, s->iov);

	if (parts == 0)
		return false;
	memset(m, 0, sizeof(*m));
	m->msg_hdr.msg_iovlen = (size_t)parts;
	m->msg_hdr.msg_iov = s->iov;
	s->from.ss_family = AF_UNSPEC;
	m->msg_hdr.msg_name = &s->from;
	m->msg_hdr.msg_namelen = sizeof(s->from);
	m->msg_hdr.msg_control = s->control;
	m->msg_hdr.msg_controllen = sizeof(s->control);
	return true;
}

static void
slots_trim(struct gif_shared *sh, uint32_t keep)
{
	for (uint32_t i = keep; sh->slots != NULL && i < READ_MAX; i++)
		recv_slot_trim(&sh->slots[i].room);
}

void
gif_io_slots_free(struct gif_shared *sh)
{
	slots_trim(sh, 0);
	free(sh->slots);
	sh->slots = NULL;
}

/* One packet is lost for want of a frame: told, so that the kernel's queue
 * moves. */
static void
discard_one(struct gif *sc)
{
	uint8_t byte;

	if (recv(sc->wire.fd, &byte, 1, MSG_DONTWAIT | MSG_TRUNC) >= 0)
		iface_count_drop(&sc->ifp, DROP_NO_FRAME, 1);
}

/* One call.  Return: how many it brought, or 0. */
static uint32_t
read_round(struct gif *sc, uint32_t want)
{
	struct gif_shared *sh = gif_shared(sc->ifp.net);
	struct frame_batch batch = { 0 };
	struct mmsghdr msgs[READ_MAX];
	uint32_t n = 0;
	int got;

	while (
	    n < want && slot_fill(sc->ifp.net->pool, &sh->slots[n], &msgs[n]))
		n++;
	if (n == 0) {
		discard_one(sc);
		return 0;
	}
	got = recvmmsg(sc->wire.fd, msgs, n, MSG_DONTWAIT, NULL);
	if (got < 0 && errno == EMSGSIZE)
		got = 0;
	for (int i = 0; i < got; i++) {
		struct frame *f = packet_take(sc, &sh->slots[i], &msgs[i]);

		if (f != NULL)
			batch.frames[batch.count++] = f;
	}
	if (batch.count != 0)
		iface_input(&sc->ifp, &batch);
	return got < 0 ? 0 : (uint32_t)got;
}

static void
packets_read(struct gif *sc)
{
	struct gif_shared *sh = gif_shared(sc->ifp.net);
	uint32_t want = 1, total = 0, got;

	if (sh->slots == NULL)
		sh->slots = calloc(READ_MAX, sizeof(*sh->slots));
	if (sh->slots == NULL) {
		discard_one(sc);
		return;
	}
	do {
		got = read_round(sc, want);
		total += got;
		if (got < want || sc->wire.fd < 0)
			break;
		want = COAX_MIN(want * 2, READ_MAX);
	} while (total < READ_BUDGET);
	slots_trim(sh, SLOTS_KEEP);
}

void
gif_io_event(struct loop_fd *w, uint32_t revents)
{
	struct gif *sc = w->arg;

	sc->ifp.net->now_ns = loop_now_ns(gif_loop(sc));
	if ((revents & EPOLLERR) != 0)
		errors_read(sc);
	if ((revents & EPOLLOUT) != 0) {
		sc->blocked = false;
		(void)loop_fd_mod(gif_loop(sc), &sc->wire, EPOLLIN);
		net_flush_later(&sc->ifp);
	}
	if ((revents & EPOLLIN) != 0)
		packets_read(sc);
}
