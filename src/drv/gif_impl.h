/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the kind gif share: gif.c (the interface and its words),
 * gif_io.c (packets), gif_outer.c (sockets of the system).
 */
#pragma once

#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/log.h"
#include "base/timerheap.h"
#include "drv/drv.h"
#include "drv/gif.h"
#include "drv/recvslot.h"
#include "frame/etherip.h"
#include "net/net.h"
#include "os/loop.h"

/* FreeBSD's numbers. */
#define GIF_ACCEPT_REV    0x01u
#define GIF_IGNORE_SOURCE 0x02u
#define GIF_SEND_REV      0x10u

/* Sysctls, values of the vnet where the interface's host side is. */
enum gif_tunable {
	GIF_NESTING,
	GIF_TTL,
	GIF_HLIM,
	GIF_TUNABLES,
};
_Static_assert(GIF_TUNABLES <= NET_TUNABLES_GIF, "room in a vnet");

/* Sources that the ingress filter has looked up lately. */
#define GIF_ROUTES 16

struct gif_route {
	uint8_t addr[16];
	int ifindex;       /* as struct gif_outer's route() has it */
	uint64_t until_ns; /* 0: an empty place */
};

struct gif {
	struct iface ifp;
	TAILQ_ENTRY(gif) link; /* struct gif_shared's list */
	/* As it was told. */
	int family; /* of the tunnel; AF_UNSPEC: there is none */
	struct gif_end local, remote;
	uint32_t options; /* GIF_* */
	uint32_t ttl;     /* 0: the sysctl's */
	bool df;
	bool outer_set; /* another vnet than its own: */
	uint32_t outer_id;
	char outer_name[NET_VNET_NAME_MAX];
	/* What is open. */
	struct loop_fd wire;  /* fd -1: nothing */
	uint32_t open_in;     /* the id of its vnet */
	bool connected;       /* ... to the far end */
	bool blocked;         /* waits to be able to send */
	struct timer timer;   /* to try again; to see whether a vnet lives */
	int last_error;       /* why there is nothing, or 0 */
	struct frame_ring tx; /* no slots: never opened */
	uint32_t rxq_ovfl;    /* the socket's count of what it lost */
	struct gif_route routes[GIF_ROUTES];
	uint32_t route_next;
	/* What ICMP said. */
	uint64_t icmp_unreachable, icmp_too_big, icmp_exceeded, icmp_other;
	int icmp_error;    /* the last, as an errno; or 0 */
	uint32_t path_mtu; /* the last that it gave; or 0 */
	struct ratelimit icmp_limit, nest_limit;
};

/* Room for one packet: a small frame, and a large one for what is longer. */
struct gif_slot {
	struct recv_slot room;
	struct iovec iov[2];
	struct sockaddr_storage from;
	_Alignas(8) uint8_t control[128];
};

/* What the gifs of a net share; begins with the first, ends with the last. */
struct gif_shared {
	TAILQ_HEAD(, gif) gifs;
	struct net *net;
	struct net_subscriber vnets; /* a vnet may have come or gone */
	struct loop_task look;
	struct gif_slot *slots;
};

static inline struct gif *
gif_of(struct iface *ifp)
{
	return (struct gif *)(void *)ifp;
}

static inline const struct gif *
gif_of_const(const struct iface *ifp)
{
	return (const struct gif *)(const void *)ifp;
}

static inline struct loop *
gif_loop(const struct gif *sc)
{
	return drv_context(sc->ifp.net)->loop;
}

static inline struct gif_shared *
gif_shared(const struct net *net)
{
	return drv_context(net)->gif;
}

/* gif.c */
/** gif_retry() - the socket is of no use any more: close, try again later */
void gif_retry(struct gif *sc, int err);
/** gif_outer_vnet() - where outer packets leave; NULL: it has ended */
struct vnet *gif_outer_vnet(const struct gif *sc);
uint32_t gif_tunable_get(const struct vnet *vnet, enum gif_tunable t);
const struct gif_outer *gif_outer_of(const struct net *net);

/* gif_io.c */
void gif_io_event(struct loop_fd *w, uint32_t revents);
void gif_io_transmit(struct iface *ifp, struct frame_batch *batch);
void gif_io_flush(struct iface *ifp);
bool gif_io_poll(struct iface *ifp, uint32_t budget);
void gif_io_drop_queue(struct gif *sc, enum drop_reason why);
/** gif_io_ingress() - may a packet from @source have come in by netdev
 * @ifindex?  0: nobody knows where it came in */
bool gif_io_ingress(struct gif *sc, const uint8_t *source, int ifindex);
/** gif_io_slots_free() - frames in reserve go back to the pool */
void gif_io_slots_free(struct gif_shared *sh);
