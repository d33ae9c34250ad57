/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the kind ether share: ether.c (the interface), ether_io.c
 * (frames; what is read: ether_recv.h), ether_host.c (its host).
 */
#pragma once

#include <sys/uio.h>

#include "drv/drv.h"
#include "frame/frame.h"
#include "net/net.h"
#include "os/loop.h"

struct ether {
	struct iface ifp;
	int ifindex;         /* of the netdev, while the socket is open */
	struct loop_fd wire; /* the packet socket; fd -1: not open */
	struct timer again;  /* tries to open it, or to send */
	bool blocked;
	bool promisc; /* the socket has asked for it */
	bool closed;  /* ... does not take frames to the netdev's own address */
	int last_error;
	struct frame_ring tx;
	uint64_t kernel_drops; /* for which its queue had no room */
	/* The host, ether_host.c. */
	int inject;       /* a TAP whose frames the netdev gets; -1: none */
	int inject_index; /* of the TAP */
	uint8_t inject_mac[6];
	int inject_error; /* why there is none, or 0 */
	bool made_clsact;
	bool redirected; /* the netdev's traffic goes to the TAP, and ends */
};

static inline struct ether *
ether_of(struct iface *ifp)
{
	return (struct ether *)(void *)ifp;
}

static inline const struct ether *
ether_of_const(const struct iface *ifp)
{
	return (const struct ether *)(const void *)ifp;
}

static inline struct loop *
ether_loop(const struct ether *sc)
{
	return drv_context(sc->ifp.net)->loop;
}

/* ether.c */
/** ether_run() - in the namespace of its netdev */
int ether_run(struct ether *sc, int (*fn)(void *arg), void *arg);
/** ether_shares() - has another interface its address, so that frames for it
 * are not the netdev's host's alone? */
bool ether_shares(const struct ether *sc);

/* ether_io.c */
int ether_io_open(struct ether *sc);
void ether_io_close(struct ether *sc, enum drop_reason why);
void ether_io_transmit(struct iface *ifp, struct frame_batch *batch);
void ether_io_flush(struct iface *ifp);

/* ether_host.c */
/** ether_host_open() - the way to the netdev's host, and what -host asks for.
 * Without it the host is heard, and does not hear */
void ether_host_open(struct ether *sc);
void ether_host_close(struct ether *sc);
/** ether_host_take() - `-host', `host'. 0 or -errno */
int ether_host_take(struct ether *sc, bool taken);
/** ether_host_give() - @f to the host; a group's is addressed to it.  Borrows
 * @f. 0 or -errno */
int ether_host_give(struct ether *sc, const struct frame *f);
