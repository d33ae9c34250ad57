/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inside of a ring port. Private to src/lib: port.c moves frames,
 * port_control.c connects.
 *
 * How it works
 *
 *   One memfd of ours, sealed, holds for each queue two ring pages, 1 MiB to
 *   transmit from and 256 pages to receive into. It stays the same for the life
 *   of the port: a daemon that comes anew is given it as it is, and goes on
 *   with the rings where the last one left them.
 *
 *   Each of the two areas is mapped twice in a row, so that what goes on beyond
 *   its end is at the beginning, and every frame is contiguous. Receive slot i
 *   always has page i: frames come in the order of the pages.
 *
 *   A queue's thread uses its rings without a lock. What concerns all (the
 *   socket of the handshake, connecting) is under core->lock; a queue learns
 *   that there are new descriptors by core->generation, and only it closes its
 *   old ones.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/keys.h"
#include "coax/port.h"
#include "ring/netring.h"

#define PORT_TX_BYTES    (COAX_NETIF_TX_SLOTS * COAX_RING_PAGE)
#define PORT_RX_BYTES    (COAX_NETIF_RX_SLOTS * COAX_RING_PAGE)
#define PORT_QUEUE_PAGES (2 + COAX_NETIF_TX_SLOTS + COAX_NETIF_RX_SLOTS)
/* Pages of a queue's memory from its first. */
#define PORT_PAGE_TX_RING 0
#define PORT_PAGE_RX_RING 1
#define PORT_PAGE_TX      2
#define PORT_PAGE_RX      (2 + COAX_NETIF_TX_SLOTS)

#define PORT_RETRY_MS 100 /* between attempts to find a daemon again */

struct coax;
struct port_core;

/* What an epoll event of a queue is about. */
enum port_source {
	PORT_SOURCE_CALL,  /* the daemon says: look */
	PORT_SOURCE_STORE, /* an answer or message of the daemon's, or its end
	                    */
	PORT_SOURCE_RETRY, /* time to look for a daemon */
};

/* How far connecting has come, and what is waited for. */
enum port_phase {
	PORT_APART,     /* no daemon: the timer, to look for one */
	PORT_ASKED,     /* the answer to port.open */
	PORT_GREETED,   /* the handshake: InitWait */
	PORT_OFFERED,   /* our rings were told: Connected */
	PORT_CONNECTED, /* messages, and the end */
};

struct port_channel {
	int kick; /* to wake the daemon */
	int call; /* it wakes us */
};

struct coax_port {
	struct port_core *core;
	unsigned int index;
	struct netring_front tx, rx;
	uint8_t *rings;         /* two pages */
	uint8_t *tx_area;       /* PORT_TX_BYTES, twice */
	uint8_t *rx_area;       /* PORT_RX_BYTES, twice */
	uint32_t tx_head;       /* bytes written, free-running */
	uint32_t tx_tail;       /* ... and free again */
	uint32_t rx_borrowed;   /* slots of frames that the caller has */
	uint32_t idle_polls;    /* that found nothing, in a row */
	uint32_t last_cons;     /* tx.rsp_cons at the last look for progress */
	uint64_t looked_ns;     /* ... that was at the socket, too */
	bool wants_fd;          /* coax_port_fd() was called */
	bool corrupt;           /* the ring holds what cannot be */
	int epfd;               /* channel, socket, timer */
	uint32_t generation;    /* of the channel */
	struct port_channel ch; /* in use by this queue's thread */
	struct port_channel next; /* under core->lock: not taken over yet */
	struct coax_port_stats stats;
	/* Of each transmit slot: where tx_tail is once it is answered, or
	 * TX_KEEP. */
	uint32_t tx_after[COAX_NETIF_TX_SLOTS];
	bool tx_extra[COAX_NETIF_TX_SLOTS];
};

struct port_core {
	pthread_mutex_t lock;
	char *socket; /* of the daemon, or NULL */
	char name[COAX_PORT_NAME_MAX];
	bool named; /* the caller gave the name */
	unsigned int flags;
	unsigned int queue_count;
	uint32_t spin_us;
	int memfd;
	enum port_phase phase;
	struct coax *asked;    /* in PORT_ASKED: the daemon's control socket */
	int store;             /* after it: the handshake's socket; else -1 */
	int retry_fd;          /* a timer, set while there is no daemon */
	uint64_t attempt_ns;   /* connecting is not begun anew before */
	unsigned int refusals; /* attempts in a row that the daemon ended */
	bool closed;           /* the daemon has closed the port for good */
	uint32_t state;        /* the daemon's */
	uint32_t generation;
	unsigned int connects;
	struct keys back; /* what the daemon wrote */
	struct coax_port queues[COAX_PORT_QUEUES_MAX];
};

/* Connects for the first time, when nobody else is there: waits until the
 * deadline. 0, -ETIMEDOUT or -errno. */
int port_connect(struct port_core *core, uint64_t deadline_ns);
/* Ends the connection, or what was to become one. */
void port_part(struct port_core *core);
/* What follows from what the daemon has said, or from its end. Does not wait;
 * core->lock is held. */
void port_control_input(struct port_core *core);
/* The timer's tick: begins to connect again. Does not wait; core->lock is
 * held. */
void port_control_retry(struct port_core *core);
/* Takes over the descriptors of a new connection. */
void port_adopt(struct coax_port *q);
