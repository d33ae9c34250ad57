/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of an ether: a packet socket with a virtio_net_hdr before each frame
 * (PACKET_VNET_HDR), so that super-frames and blank checksums cross whole in
 * both directions; recvmmsg(2) and sendmmsg(2), since that is the only way by
 * which frames of 64 KiB and of 64 bytes both come in full
 * (doc/decisions/0011-packet-sockets.md).
 *
 *   - What is read is checked, and has its VLAN tag put back, in ether_recv.c.
 *   - What we have sent is not given to the socket that has sent it; what the
 *     host sends is.
 *   - Frames to the netdev's own address are its host's, who has them already:
 *     a filter leaves them out, unless a bridge or a VLAN has the same address,
 *     or the host has none of it (-host).  It also leaves out what is injected
 *     for the host (ether_host.c), so nothing can go round.
 *   - Promiscuous by the socket's own membership, which ends with it, while the
 *     interface is a member of a bridge.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/ether.h"
#include "base/util.h"
#include "drv/ether_impl.h"
#include "drv/ether_recv.h"
#include "frame/offload.h"
#include "frame/tag.h"
#include "os/sock.h"

#define READ_BUDGET 128
#define READ_BYTES  (2u << 20)
#define WRITE_BATCH 32
#define RCVBUF      (8 << 20)
#define AGAIN_NS    UINT64_C(1000000)
#define HDR_LEN     sizeof(struct frame_offload)

_Static_assert(sizeof(struct virtio_net_hdr) == sizeof(struct frame_offload),
    "the record");

/* --- opening -------------------------------------------------------------- */

static int
filter_set(struct ether *sc, bool closed)
{
	struct sock_filter leave_out[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_HOST, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_filter all[] = { BPF_STMT(BPF_RET | BPF_K, UINT32_MAX) };
	const struct sock_fprog p = {
		.len = closed ? ARRAY_LEN(leave_out) : ARRAY_LEN(all),
		.filter = closed ? leave_out : all,
	};

	if (setsockopt(
	        sc->wire.fd, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p)) < 0)
		return -errno;
	sc->closed = closed;
	return 0;
}

/* Somebody may have got the netdev's address, or lost it. */
static void
filter_follow(struct ether *sc)
{
	bool closed = !sc->ifp.host_taken && !ether_shares(sc);

	if (sc->wire.fd >= 0 && closed != sc->closed)
		(void)filter_set(sc, closed);
}

static int
open_here(void *arg)
{
	struct ether *sc = arg;
	int on = 1, size = RCVBUF, fd;

	/* Of no protocol yet: nothing is queued before all is set. */
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	sc->wire.fd = fd;
	if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) < 0)
		return -errno;
	/* -host: frames of ours must pass where the host's do not. */
	if (sc->ifp.host_taken)
		(void)setsockopt(
		    fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(
		    fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return 0;
}

static void ether_event(struct loop_fd *w, uint32_t revents);

/* Room to read into, of all ethers; made before there is anything to read. */
static int
slots_make(struct net *net)
{
	struct drv_context *ctx = drv_context(net);

	if (ctx->ether_slots == NULL)
		ctx->ether_slots =
		    calloc(ETHER_READ_MAX, sizeof(struct ether_slot));
	return ctx->ether_slots != NULL ? 0 : -ENOMEM;
}

int
ether_io_open(struct ether *sc)
{
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = sc->ifindex,
	};
	const struct packet_mreq m = {
		.mr_ifindex = sc->ifindex,
		.mr_type = PACKET_MR_PROMISC,
	};
	int err = slots_make(sc->ifp.net);

	if (err != 0)
		return err;
	err = ether_run(sc, open_here, sc);
	if (err == 0)
		err = filter_set(sc, !sc->ifp.host_taken && !ether_shares(sc));
	if (err == 0 &&
	    bind(sc->wire.fd, (struct sockaddr *)&ll, sizeof(ll)) < 0)
		err = -errno;
	if (err == 0) {
		sc->wire.events = EPOLLIN;
		sc->wire.fn = ether_event;
		sc->wire.arg = sc;
		err = loop_fd_add(ether_loop(sc), &sc->wire);
	}
	if (err != 0) {
		fd_close(&sc->wire.fd);
		return err;
	}
	sc->promisc = setsockopt(sc->wire.fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP,
	                  &m, sizeof(m)) == 0;
	if (!sc->promisc)
		net_notice(sc->ifp.net, &sc->ifp,
		    "%s: not promiscuous (%s): only frames to its own address "
		    "and to groups come in",
		    sc->ifp.name, strerror(errno));
	return 0;
}

static void
drop_queue(struct ether *sc, enum drop_reason why)
{
	struct frame *f;

	while ((f = frame_ring_pop(&sc->tx)) != NULL)
		iface_drop(&sc->ifp, f, why);
}

void
ether_io_close(struct ether *sc, enum drop_reason why)
{
	if (sc->wire.fd < 0)
		return;
	loop_timer_del(ether_loop(sc), &sc->again);
	loop_fd_del(ether_loop(sc), &sc->wire);
	fd_close(&sc->wire.fd);
	sc->blocked = sc->promisc = false;
	drop_queue(sc, why);
}

/* --- receiving ------------------------------------------------------------ */

/* With nobody there but VLAN children, what has no tag is the host's alone. */
static bool
is_for_us(const struct ether *sc, const struct frame *f)
{
	return sc->ifp.stack != NULL ||
	       (sc->ifp.vlans != NULL && frame_tpid(f) != 0);
}

static uint32_t
read_round(
    struct ether *sc, struct ether_slot *slots, uint32_t want, uint64_t *bytes)
{
	struct frame_batch batch = { 0 };
	struct ether_packet packets[ETHER_READ_MAX];
	uint32_t read;
	uint32_t n = ether_recv(
	    sc->wire.fd, sc->ifp.net->pool, slots, want, packets, &read, bytes);

	for (uint32_t i = 0; i < n; i++) {
		const struct ether_packet *p = &packets[i];

		if (p->why != DROP_COUNT && p->f == NULL)
			iface_count_drop(&sc->ifp, p->why, 1);
		else if (p->why != DROP_COUNT)
			iface_drop(&sc->ifp, p->f, p->why);
		else if (!is_for_us(sc, p->f))
			frame_release(p->f);
		else
			batch.frames[batch.count++] = p->f;
	}
	if (batch.count != 0)
		iface_input(&sc->ifp, &batch);
	return read;
}

static void
count_lost(struct ether *sc)
{
	struct tpacket_stats st;
	socklen_t len = sizeof(st);

	/* Since the last time that it was asked. */
	if (getsockopt(sc->wire.fd, SOL_PACKET, PACKET_STATISTICS, &st, &len) ==
	        0 &&
	    st.tp_drops != 0)
		iface_count_drop(&sc->ifp, DROP_ETHER_RX_QUEUE, st.tp_drops);
}

static void
ether_event(struct loop_fd *w, uint32_t revents)
{
	struct ether *sc = w->arg;
	struct ether_slot *slots = drv_context(sc->ifp.net)->ether_slots;
	uint32_t want = 1, total = 0, got;
	uint64_t bytes = 0;
	socklen_t len = sizeof(int);
	int err;

	sc->ifp.net->now_ns = loop_now_ns(ether_loop(sc));
	if ((revents & EPOLLERR) != 0)
		(void)getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	if ((revents & EPOLLOUT) != 0) {
		sc->blocked = false;
		(void)loop_fd_mod(ether_loop(sc), w, EPOLLIN);
		net_flush_later(&sc->ifp);
	}
	if ((revents & EPOLLIN) == 0)
		return;
	filter_follow(sc);
	do {
		got = read_round(sc, slots, want, &bytes);
		total += got;
		if (got < want || sc->wire.fd < 0)
			break;
		want = COAX_MIN(want * 2, ETHER_READ_MAX);
	} while (total < READ_BUDGET && bytes < READ_BYTES);
	if (total >= READ_BUDGET && sc->wire.fd >= 0)
		count_lost(sc);
	for (uint32_t i = 0; i < ETHER_READ_MAX; i++)
		recv_slot_trim(&slots[i].room);
}

/* --- sending -------------------------------------------------------------- */

static void
to_wire(struct ether *sc, struct frame *f)
{
	int err = sc->wire.fd < 0 ? -ENETDOWN : frame_ring_push(&sc->tx, f);

	if (err != 0)
		iface_drop(&sc->ifp, f,
		    err == -ENETDOWN ? DROP_IF_DOWN
		    : err == -EDQUOT ? DROP_QUEUE_BYTES
		                     : DROP_QUEUE_FULL);
}

void
ether_io_transmit(struct iface *ifp, struct frame_batch *batch)
{
	struct ether *sc = ether_of(ifp);

	for (uint32_t i = 0; i < batch->count; i++) {
		struct frame *f = batch->frames[i];
		bool group = ether_is_multicast(f->data);

		if (sc->ifp.host_taken ||
		    (!group && !ether_equal(f->data, ifp->mac))) {
			to_wire(sc, f);
			continue;
		}
		if (group) {
			/* The host is one station of many. */
			if (sc->inject >= 0 && !ether_shares(sc))
				(void)ether_host_give(sc, f);
			to_wire(sc, f);
		} else if (ether_host_give(sc, f) == 0) {
			iface_count_out(ifp, f);
			frame_release(f);
		} else {
			iface_drop(ifp, f, DROP_HOST_DOWN);
		}
	}
	if (!sc->blocked)
		net_flush_later(ifp);
}

static int
write_some(struct ether *sc)
{
	struct mmsghdr msgs[WRITE_BATCH];
	struct iovec iov[WRITE_BATCH][2];
	struct frame_ring *r = &sc->tx;
	uint32_t n = COAX_MIN(frame_ring_count(r), WRITE_BATCH);
	int sent;

	memset(msgs, 0, n * sizeof(msgs[0]));
	for (uint32_t i = 0; i < n; i++) {
		struct frame *f = r->slots[(r->head + i) & (r->size - 1)];

		iov[i][0] = (struct iovec){ &f->off, HDR_LEN };
		iov[i][1] = (struct iovec){ f->data, f->len };
		msgs[i].msg_hdr.msg_iov = iov[i];
		msgs[i].msg_hdr.msg_iovlen = 2;
	}
	sent = sendmmsg(sc->wire.fd, msgs, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	return sent < 0 ? -errno : sent;
}

void
ether_io_flush(struct iface *ifp)
{
	struct ether *sc = ether_of(ifp);
	struct frame *f;
	int n;

	while (sc->wire.fd >= 0 && frame_ring_count(&sc->tx) != 0) {
		n = write_some(sc);
		for (int i = 0; i < n; i++) {
			f = frame_ring_pop(&sc->tx);
			iface_count_out(ifp, f);
			frame_release(f);
		}
		if (n > 0 || n == -EINTR)
			continue;
		if (n == -EAGAIN) {
			sc->blocked = true;
			(void)loop_fd_mod(
			    ether_loop(sc), &sc->wire, EPOLLIN | EPOLLOUT);
			return;
		}
		if (n == -ENOBUFS) {
			/* The card's queue is full, and nothing tells when it
			 * is not. */
			sc->blocked = true;
			(void)loop_timer_in(
			    ether_loop(sc), &sc->again, AGAIN_NS);
			return;
		}
		f = frame_ring_pop(&sc->tx);
		iface_drop(ifp, f,
		    n == -EMSGSIZE                  ? DROP_TX_SIZE
		    : n == -ENETDOWN || n == -ENXIO ? DROP_IF_DOWN
		                                    : DROP_TX_ERROR);
	}
}
