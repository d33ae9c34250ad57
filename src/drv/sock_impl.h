/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the three files of the kind sock share: sock.c (the interface and its
 * words), sock_stream.c (connections), sock_dgram.c (datagrams).
 */
#pragma once

#include <sys/types.h>

#include "base/timerheap.h"
#include "base/util.h"
#include "drv/drv.h"
#include "drv/endpoint.h"
#include "drv/framing.h"
#include "net/net.h"
#include "os/loop.h"
#include "os/sock.h"

#define SOCK_HDR_MAX 64 /* of a virtio_net_hdr in front of each frame */

struct sock {
	struct iface ifp;
	/* As it was told. */
	struct endpoint local, remote; /* listen, connect */
	bool dgram;
	uint32_t vnet_hdr; /* bytes; 0: none */
	/* What is open. */
	struct sock_listener path; /* of a Unix socket that has a name */
	struct loop_fd listener;   /* stream: accepts; fd -1: none */
	struct loop_fd wire;       /* connection, or datagrams; fd -1: none */
	bool connecting;           /* its connect() is under way */
	struct timer timer;        /* to connect again, or to look for a peer */
	uint64_t backoff_ns;
	uint64_t since_ns; /* of the connection */
	int last_error;    /* why there is no peer, or 0 */
	/* Who is at the other end. */
	bool peered;
	struct endpoint peer; /* where it is known */
	uint32_t peer_uid;
	int32_t peer_pid; /* 0: not known */
	/* On the way. */
	struct framing rx;    /* stream */
	struct frame_ring tx; /* no slots: nothing is open */
	uint32_t tx_done;     /* bytes of its first record that are sent */
	bool blocked;         /* waits to be able to send */
	struct timer again;   /* datagrams: tries again then */
	uint64_t again_ns;    /* the next time after so long */
	uint64_t connects, refused;
};

/** sock_peer() - there is a peer: the link is up */
void sock_peer(struct sock *sc);
/** sock_no_peer() - it is gone: link down, what waits is dropped */
void sock_no_peer(struct sock *sc, int err);
/** sock_drop_queue() - but for a record that is half sent */
void sock_drop_queue(struct sock *sc, enum drop_reason why);
/** sock_want() - what to watch the wire for */
void sock_want(struct sock *sc, bool blocked);
/** sock_put_hdr() - the virtio_net_hdr before a frame; its length */
size_t sock_put_hdr(
    const struct sock *sc, const struct frame *f, uint8_t hdr[SOCK_HDR_MAX]);
/** sock_take_hdr() - believe it, or drop; consumes @f. NULL: dropped */
struct frame *sock_take_hdr(
    struct sock *sc, struct frame *f, const uint8_t *hdr);
/** sock_timer() - run sc->timer after a time */
void sock_timer(struct sock *sc, uint64_t delay_ns);

#define SOCK_BACKOFF_MIN_NS UINT64_C(50000000)
#define SOCK_BACKOFF_MAX_NS UINT64_C(2000000000)

/* How long to wait for the next attempt to connect, where it was @ns before the
 * last; 0: there was none, or it has become a connection that lasted. */
static inline uint64_t
sock_backoff_next(uint64_t ns)
{
	return COAX_MIN(
	    COAX_MAX(2 * ns, SOCK_BACKOFF_MIN_NS), SOCK_BACKOFF_MAX_NS);
}

static inline struct loop *
sock_loop(const struct sock *sc)
{
	return drv_context(sc->ifp.net)->loop;
}

/* Each opens what the settings ask for: 0 or -errno with nothing open.  Ends by
 * sock_close() of sock.c. */
int sock_stream_open(struct sock *sc);
int sock_dgram_open(struct sock *sc);
/** sock_stream_give() - a connected socket, consumed, becomes the wire */
void sock_stream_give(struct sock *sc, int fd);
/* Send what waits. */
void sock_stream_flush(struct sock *sc);
void sock_dgram_flush(struct sock *sc);
/* sc->timer is due. */
void sock_stream_due(struct sock *sc);
void sock_dgram_due(struct sock *sc);
