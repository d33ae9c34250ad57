/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xnb: the back half of a paravirtual network card. Private to drv/xnb/.
 *
 * How it works
 *
 *     front end (a guest, a program)
 *        |  rings in shared memory, events, keys and values
 *     struct xnb_transport     local.c: a memfd, eventfds, a socket; others
 *        |                     (Xen) implement the same few operations
 *     vif.c                    handshake and life cycle: which rings, features
 *     tx.c   requests -> frames -> iface_input()
 *     rx.c   iface_output() -> frames -> responses
 *     ctrl.c, mcast.c, credit.c   the control ring, multicast list, `rate'
 *     pace.c                   who connects again and again has to wait
 *     iface.c                  the interface: words, print-out, polling
 *
 * All but the transports compute: they make no system call and know nothing of
 * what a grant reference is, but for packets of one slot where a transport says
 * that the memory is mapped. All other copies of a batch go to the transport in
 * one call, and so do the wishes to be told: one store of a shared line and at
 * most one event a batch.
 *
 * Polling. A queue is served when its event comes, and from then on, without
 * events, until it has been empty for as long as the loop polls after work
 * (loop_spin_ns()). Then it asks to be told, looks once more, and sleeps.
 *
 * The front end is hostile. What it can do wrong without the protocol's being
 * broken costs the packet (an error response, a counted reason); what cannot
 * happen with an honest front end ends the connection (xnb_fatal()): nothing is
 * answered any more, the link goes down, and only a new handshake from the
 * beginning helps. Table in xnb(4), DIAGNOSTICS.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/burst.h"
#include "base/timerheap.h"
#include "coax/netif.h"
#include "drv/drv.h"
#include "frame/frags.h"
#include "net/net.h"
#include "ring/netring.h"

#define XNB_QUEUES_MAX    8
#define XNB_BATCH         FRAME_BATCH_MAX
#define XNB_KEY_MAX       64  /* name of a key, with its 0 */
#define XNB_VALUE_MAX     256 /* value of a key, with its 0 */
#define XNB_BACKLOG       512 /* frames that wait for buffers, a queue */
#define XNB_BACKLOG_BYTES (1u << 20)
#define XNB_STALL_NS      10000000000u /* without a buffer: the link goes down */
#define XNB_MTU_MIN       68
#define XNB_MTU_MAX       65521 /* with the Ethernet header: 65535 */

/* --- transports ------------------------------------------------------------
 */

/* One piece of a copy between a page of the front end and our memory. It
 * does not cross the end of the page: offset + len <= COAX_RING_PAGE, checked
 * by who fills it in. */
struct xnb_copy {
	void *mem;
	uint32_t ref; /* grant reference */
	uint16_t offset;
	uint16_t len;
	int status; /* set by the transport: 0 or a negative errno */
};

/* Which of a queue's events: with one channel for both it is the same. */
enum xnb_event {
	XNB_EVENT_TX,
	XNB_EVENT_RX,
	XNB_EVENT_CTRL,
};

struct xnb;
struct xnb_transport;
struct xnb_queue;

/* A bound event channel; the transport's struct begins with it or not. */
struct xnb_channel;

/*
 * What the core needs of a transport. All of these are called on the worker.
 * Those that return int: 0 or a negative errno.
 */
struct xnb_transport_ops {
	const char *name; /* "local", "xen" */
	bool any_offset;  /* its front ends take data anywhere in a page */
	bool by_itself;   /* its interfaces come and go by themselves */
	bool by_page;     /* a piece that crosses a page of ours costs two */

	/* Data. The status of each piece is set; pieces are independent. What
	 * is read goes to @c[i].mem, which is private memory. Return: how many
	 * have failed. */
	uint32_t (*copy_from)(
	    struct xnb_transport *t, struct xnb_copy *c, uint32_t count);
	uint32_t (*copy_to)(
	    struct xnb_transport *t, struct xnb_copy *c, uint32_t count);

	/* Map a ring's page, to read and write; unmapped before the front end
	 * hears that the connection has ended. */
	int (*map)(struct xnb_transport *t, uint32_t ref, void **page);
	void (*unmap)(struct xnb_transport *t, void *page);

	/* Bind an event channel by the front end's number for it. Events on it
	 * are reported by xnb_event(); @q is NULL for the control ring. One
	 * that is bound already is bound again (one channel for both rings) and
	 * counts twice. */
	int (*bind)(struct xnb_transport *t, uint32_t port, struct xnb_queue *q,
	    enum xnb_event what, struct xnb_channel **out);
	void (*unbind)(struct xnb_transport *t, struct xnb_channel *ch);
	/* Tell the front end; never waits. May be put off until flush. */
	void (*notify)(struct xnb_transport *t, struct xnb_channel *ch);
	/* All queues sleep: from now on events must be reported again, if they
	 * are not after a first one. NULL: they always are. */
	void (*armed)(struct xnb_transport *t);

	/* Keys and values. read_front: of the front end's directory (hostile);
	 * read_back: of ours (the tool's who made the interface); write: to
	 * ours. @key is relative: "state", "queue-0/tx-ring-ref". Values are
	 * text; @value has XNB_VALUE_MAX bytes. -ENOENT: no such key;
	 * -EMSGSIZE: too long. */
	int (*read_front)(
	    struct xnb_transport *t, const char *key, char *value);
	int (*read_back)(struct xnb_transport *t, const char *key, char *value);
	int (*write)(
	    struct xnb_transport *t, const char *key, const char *value);

	/* Before the first and after the last write of one change; may be
	 * NULL. */
	void (*begin)(struct xnb_transport *t);
	void (*end)(struct xnb_transport *t);

	/* For the operator, where the transport has a place for it; or NULL. */
	void (*error)(struct xnb_transport *t, int err, const char *text);

	/* May the state go to Connected now? A transport holds it back until
	 * who waits for InitWait has seen it (hotplug-status), and then calls
	 * xnb_vif_ready(). NULL: at once. */
	bool (*may_connect)(struct xnb_transport *t);

	/* The interface is being destroyed: let go of everything. */
	void (*close)(struct xnb_transport *t);

	/* The transport's part of the print-out; or NULL. */
	void (*get)(const struct xnb_transport *t, struct info *out);
};

/* Embedded in the transport's struct. */
struct xnb_transport {
	const struct xnb_transport_ops *ops;
	struct xnb *xnb; /* the interface; set by xnb_attach() */
	/* The front end's memory where all of it is mapped, and a reference is
	 * a page's number: small packets are copied without a call. NULL: it is
	 * not. */
	uint8_t *mem;
	uint32_t pages;
};

/* --- queues ----------------------------------------------------------------
 */

/* `rate': credit.c. */
struct xnb_credit {
	uint64_t bytes;      /* in each period; 0: no limit */
	uint64_t period_ns;  /* > 0 if bytes is */
	int64_t left;        /* of this period; negative: a debt */
	uint64_t refill_ns;  /* when the next begins */
	struct timer timer;  /* set while the queue waits for it */
	struct xnb_queue *q; /* the timer's */
};

struct xnb_queue_stats {
	uint64_t tx_packets, tx_slots, tx_errors;
	uint64_t rx_packets, rx_slots, rx_errors;
	uint64_t events;    /* that came */
	uint64_t notified;  /* events that were sent */
	uint64_t gso_fixed; /* super-frames without a blank sum */
};

struct xnb_queue {
	struct xnb *xnb;
	uint32_t index;
	void *tx_page, *rx_page; /* mapped */
	struct netring_back tx, rx;
	struct xnb_channel *tx_ch, *rx_ch; /* may be the same */
	struct frame_ring backlog;         /* waits for buffers */
	uint32_t rx_want;     /* buffers that its head lacks; 0: unknown */
	uint64_t progress_ns; /* last time that the backlog moved */
	bool stalled;         /* no buffers for XNB_STALL_NS */
	bool notify_tx, notify_rx;
	struct xnb_credit credit;
	struct xnb_queue_stats stats;
};

/* What the front end said that it can do. */
struct xnb_features {
	bool sg;           /* packets of several slots */
	bool gso4, gso6;   /* super-frames */
	bool csum4;        /* blank sums in IPv4 */
	bool csum6;        /* ... and in IPv6 */
	bool rx_notify;    /* it tells when it posts buffers */
	bool mcast;        /* it lists its multicast addresses */
	uint16_t headroom; /* XDP: free bytes before data in each slot */
};

#define XNB_MCAST_MAX 64

struct xnb_mcast {
	uint32_t count;
	uint8_t addr[XNB_MCAST_MAX][6];
};

/* How soon it may connect again: pace.c. */
struct xnb_pace {
	uint32_t count;     /* connections in a row that did not hold */
	bool failed;        /* the last one was cut off */
	uint64_t again_ns;  /* when one was last begun anew */
	uint64_t until_ns;  /* none is offered before */
	uint64_t since_ns;  /* of this connection */
	struct timer timer; /* set while one waits to be offered */
};

/* ifconfig's words that switch an offload off. */
#define XNB_OFF_TXCSUM  0x01u
#define XNB_OFF_TXCSUM6 0x02u
#define XNB_OFF_RXCSUM  0x04u
#define XNB_OFF_RXCSUM6 0x08u
#define XNB_OFF_TSO4    0x10u
#define XNB_OFF_TSO6    0x20u
#define XNB_OFF_LRO     0x40u

struct xnb {
	struct iface ifp;                /* first */
	struct xnb_transport *t;         /* NULL: nobody is there */
	uint32_t number;                 /* N of dev.xnb.N */
	uint32_t off;                    /* XNB_OFF_* */
	bool persist;                    /* outlives its program */
	uint64_t rate_bytes, rate_usecs; /* ifconfig's `rate'; 0: none */

	/* vif.c */
	uint32_t state;       /* ours, COAX_NETIF_STATE_* */
	uint32_t front_state; /* the front end's, as last seen */
	bool connected;       /* rings are mapped */
	bool resumed;         /* the rings were another back end's */
	bool broken;          /* fatal error: down until a new handshake */
	enum drop_reason broken_why;
	bool split; /* two event channels a queue */
	struct xnb_pace pace;
	struct burst told; /* of being cut off */
	struct xnb_features features;
	struct xnb_queue *queues; /* owned */
	uint32_t queue_count;
	void *ctrl_page;
	struct netring_back ctrl;
	struct xnb_channel *ctrl_ch;
	struct xnb_mcast mcast;

	/* iface.c */
	uint8_t front_mac[6]; /* what the front end is told to have */
	bool look_ctrl;       /* the control ring may have something */
	uint32_t next_queue;  /* whose turn it was last */
	uint64_t work_ns;     /* last time that there was something to do */
	struct timer stall;   /* looks after the backlogs */
	struct timer rx_poll; /* for front ends that do not tell */

	/* tx.c */
	struct frags *frags;      /* owned; NULL until there was one */
	struct timer frags_timer; /* set while something is held */
};

static inline struct xnb *
xnb_of(struct iface *ifp)
{
	return (struct xnb *)(void *)ifp;
}

static inline const struct xnb *
xnb_of_const(const struct iface *ifp)
{
	return (const struct xnb *)(const void *)ifp;
}

/* --- iface.c ---------------------------------------------------------------
 */

/** xnb_event() - a transport heard the front end on a channel of @x */
void xnb_event(struct xnb *x);

/** xnb_attach() - a front end's transport appears on @x
 * @t: borrowed until ops->close
 * Return: 0, or -EBUSY. */
int xnb_attach(struct xnb *x, struct xnb_transport *t);

/** xnb_attach_connected() - the same for one whose front end was connected to
 * another back end, which has gone without a word: nothing is said, and its
 * rings are taken as they are with the first xnb_vif_front_changed() */
int xnb_attach_connected(struct xnb *x, struct xnb_transport *t);

/** xnb_detach() - the front end is gone for good: disconnect, ops->close */
void xnb_detach(struct xnb *x);

/** xnb_caps_update() - what the front end takes or what is off has changed */
void xnb_caps_update(struct xnb *x);

/* --- vif.c -----------------------------------------------------------------
 */

/** xnb_vif_start() - write our features, go to InitWait; not before it may */
void xnb_vif_start(struct xnb *x);
/** xnb_vif_front_changed() - the front end's directory has changed
 * @state: its state, read and parsed by the transport; 0 if it is gone */
void xnb_vif_front_changed(struct xnb *x, uint32_t state);
/** xnb_vif_ready() - what may_connect() waited for has come */
void xnb_vif_ready(struct xnb *x);
/** xnb_vif_unplug() - our state was set to Closing by who takes the interface
 * away: the front end is to close now */
void xnb_vif_unplug(struct xnb *x);
/** xnb_vif_tell() - to the operator: @what, why. Not more often than is of use
 */
void xnb_vif_tell(struct xnb *x, const char *what, const char *why);
/** xnb_vif_close() - we end it: Closing, disconnect, Closed */
void xnb_vif_close(struct xnb *x);
/** xnb_vif_mtu() - the MTU was changed: the front end can read it */
void xnb_vif_mtu(struct xnb *x);
/** xnb_vif_rate() - the rate was changed by ifconfig: it holds at once */
void xnb_vif_rate(struct xnb *x);
/** xnb_vif_disconnect() - unmap and unbind everything; idempotent */
void xnb_vif_disconnect(struct xnb *x);
/**
 * xnb_fatal() - the front end broke the protocol
 * @why: the reason that is counted
 *
 * The rings are not touched after this. Return: -EPROTO.
 */
int xnb_fatal(struct xnb *x, enum drop_reason why);
/** xnb_vif_broken() - end the connection after xnb_fatal(), once nothing of
 * it is in use any more */
void xnb_vif_broken(struct xnb *x);

/* --- tx.c, rx.c ------------------------------------------------------------
 */

/**
 * xnb_tx_run() - take up to XNB_BATCH packets
 *
 * Return: packets taken (also bad ones); 0: none there (or no credit);
 * -EPROTO: the connection has ended.
 */
int xnb_tx_run(struct xnb_queue *q);

/** xnb_tx_forget() - drop what is held for want of the rest */
void xnb_tx_forget(struct xnb *x, enum drop_reason why);

/** xnb_rx_push() - queue frames; consumes all */
void xnb_rx_push(
    struct xnb_queue *q, struct frame *const *frames, uint32_t count);
/**
 * xnb_rx_run() - put what is queued into the buffers posted
 * Return: packets, or -EPROTO.
 */
int xnb_rx_run(struct xnb_queue *q);
/** xnb_rx_drop() - empty the backlog */
void xnb_rx_drop(struct xnb_queue *q, enum drop_reason why);
/** xnb_notify() - send the events that tx and rx have asked for */
void xnb_notify(struct xnb_queue *q);

/* --- ctrl.c, mcast.c, credit.c, pace.c ------------------------------------
 */

/** xnb_pace_again() - one more connection is begun */
void xnb_pace_again(struct xnb_pace *p, uint64_t now_ns);
/** xnb_pace_ended() - one has ended that was there since @p->since_ns */
void xnb_pace_ended(struct xnb_pace *p, uint64_t now_ns);

/** xnb_ctrl_run() - answer the control ring. Return: requests, or -EPROTO */
int xnb_ctrl_run(struct xnb *x);

/** xnb_credit_init() - @bytes each @period_ns from @now_ns on; 0: no limit */
void xnb_credit_init(
    struct xnb_queue *q, uint64_t bytes, uint64_t period_ns, uint64_t now_ns);
void xnb_credit_fini(struct xnb_queue *q);
/** xnb_credit_allows() - may a packet of @size be taken now?  If not, the queue
 * is looked at again when there is more credit. */
bool xnb_credit_allows(struct xnb_queue *q, uint32_t size);
/** xnb_credit_charge() - it was taken; @gso_size 0: no super-frame */
void xnb_credit_charge(struct xnb_queue *q, uint32_t size, uint32_t gso_size);

/** xnb_mcast_add() - 0, also if it is there; -ENOSPC */
int xnb_mcast_add(struct xnb_mcast *m, const uint8_t addr[6]);
void xnb_mcast_del(struct xnb_mcast *m, const uint8_t addr[6]);
bool xnb_mcast_has(const struct xnb_mcast *m, const uint8_t addr[6]);
