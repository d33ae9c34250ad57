/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libcoax: a ring port, which is a network card in shared memory. coax_port(3).
 *
 * For programs that outgrow one system call a frame: frames are put into and
 * taken out of rings that the program and the daemon share; the kernel is asked
 * only to wake who sleeps. The far end of the card is an interface of the
 * daemon, xnb0, as any other: ifconfig(8) puts it into a bridge.
 *
 *	struct coax_port *p;
 *	struct coax_frame f[COAX_BATCH_MAX];
 *	int n;
 *
 *	if (coax_port_open("xnb0", NULL, &p) < 0)
 *		...
 *	while ((n = coax_port_recv(p, f, COAX_BATCH_MAX, -1)) > 0)
 *		(void)coax_port_send(p, f, n, -1);
 *	coax_port_close(p);
 *
 * What is in the memory, and how to do without this library: <coax/netif.h> and
 * doc/ring.md.
 */
#ifndef COAX_PORT_H
#define COAX_PORT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

#define COAX_BATCH_MAX       64    /* frames in a call */
#define COAX_FRAME_MIN       14    /* bytes of a frame: Ethernet's header */
#define COAX_FRAME_MAX       65535 /* ... and no checksum at the end */
#define COAX_PORT_NAME_MAX   16    /* of an interface, with its 0 */
#define COAX_PORT_QUEUES_MAX 8

/*
 * What a frame leaves to be done, as struct virtio_net_hdr; zero: nothing. In
 * frames that are received there is only what the options asked for.
 */
struct coax_offload {
	uint8_t flags;        /* COAX_OFFLOAD_* */
	uint8_t gso_type;     /* COAX_GSO_* */
	uint16_t hdr_len;     /* Ethernet to the end of TCP's header */
	uint16_t gso_size;    /* payload bytes of a segment */
	uint16_t csum_start;  /* from here to the end is summed ... */
	uint16_t csum_offset; /* ... and stored there, from csum_start */
};

#define COAX_OFFLOAD_CSUM_PARTIAL 0x01 /* TCP's or UDP's sum is to be made */
#define COAX_OFFLOAD_CSUM_VALID   0x02 /* it was checked, or is vouched for */

#define COAX_GSO_NONE  0
#define COAX_GSO_TCPV4 1
#define COAX_GSO_TCPV6 4

struct coax_frame {
	void *data;   /* the destination address first; tags are in it */
	uint32_t len; /* in bytes */
	struct coax_offload offload;
};

struct coax_port_options {
	const char *socket;  /* of the daemon; NULL: as coax_connect(3) */
	unsigned int queues; /* pairs of rings; 0: 1 */
	unsigned int flags;  /* COAX_PORT_* */
	int spin_us;    /* poll so long before sleeping; 0: 50, -1: never */
	int timeout_ms; /* of opening; 0: 10 seconds */
};

#define COAX_PORT_MAKE 0x01u /* make the interface if there is none */
#define COAX_PORT_ONCE 0x02u /* do not connect again after the daemon's end */
/* What may be received: frames without a sum, and super-frames. */
#define COAX_PORT_RX_CSUM 0x10u
#define COAX_PORT_RX_TSO4 0x20u
#define COAX_PORT_RX_TSO6 0x40u

struct coax_port;

struct coax_port_info {
	char name[COAX_PORT_NAME_MAX]; /* of the interface */
	uint8_t mac[6]; /* an address that the program may use as its own */
	uint32_t mtu;   /* of the interface: frames received are no longer */
	unsigned int queues;
	int connected;         /* 0: waits for the daemon to come back */
	unsigned int connects; /* how often it has been connected */
};

struct coax_port_stats {
	uint64_t sent, received; /* frames */
	uint64_t refused;        /* ... that the daemon would not take */
	uint64_t damaged;        /* ... that it could not deliver whole */
	uint64_t wakeups;        /* times that a call slept */
	uint64_t kicks;          /* times that the daemon was woken */
};

/**
 * coax_port_open() - become the far end of an interface
 * @name:    "xnb0"; NULL: a new one, of the lowest free unit
 * @options: borrowed for the call; NULL or zeroed means the defaults
 * @out:     owned by the caller, coax_port_close(); written on success
 *
 * Frames flow once the interface is up (ifconfig xnb0 up). The interface ends
 * with the port unless it is to persist (ifconfig xnb0 persist).
 *
 * Return: 0; -ENXIO (no such interface, and it was not to be made, or not an
 * xnb), -EBUSY (somebody else is its far end), -EINVAL (options), -ETIMEDOUT,
 * -EPROTO (the daemon refused the rings), -ENOMEM, or what coax_connect()
 * returns (-ENOENT, -ECONNREFUSED: no daemon).
 */
int coax_port_open(const char *name, const struct coax_port_options *options,
    struct coax_port **out);

/** coax_port_close() - end it; NULL is allowed. Frames sent and not yet taken
 * by the daemon are lost */
void coax_port_close(struct coax_port *port);

/**
 * coax_port_queue() - one of several pairs of rings, as a port of its own
 * @index: below the number of queues; 0 is @port itself
 *
 * For another thread: the calls on each queue are for one thread at a time, and
 * queues are independent. The daemon spreads frames over queues by flow.
 *
 * Return: borrowed, lives as long as @port; NULL if there is none.
 */
struct coax_port *coax_port_queue(struct coax_port *port, unsigned int index);

/**
 * coax_port_recv() - take received frames from a port's receive ring
 * @port:       open port; borrowed
 * @frames:     array to fill; its data is borrowed until the next call on @port
 *              to receive: it is in the ring's own memory (no copy), and may be
 *              written to
 * @count_max:  room in @frames, in frames; 1 to COAX_BATCH_MAX
 * @timeout_ms: longest wait, in milliseconds; 0 polls, -1 waits for ever
 *
 * After the daemon's end it waits for another one and connects again.
 *
 * Return: number of frames (> 0), 0 on timeout, -EINVAL (argument out of
 * range), -EINTR (a signal), -EPIPE (port closed by the daemon: its interface
 * was destroyed; or gone, with COAX_PORT_ONCE) or -EPROTO (ring corrupt:
 * nothing but coax_port_close() is useful).
 * Threads: one at a time per port; ports are independent.
 */
int coax_port_recv(struct coax_port *port, struct coax_frame *frames,
    unsigned int count_max, int timeout_ms);

/**
 * coax_port_send() - put frames into a port's transmit ring
 * @frames:     borrowed for the call: they are copied
 * @count:      1 to COAX_BATCH_MAX
 * @timeout_ms: longest wait for room; 0: send what fits, -1 waits for ever
 *
 * Return: number of frames sent, from the first on; 0 on timeout; -EINVAL
 * (@count, or the first frame's length or offload record), or as
 * coax_port_recv().
 * Threads: one at a time per port, also between sending and receiving.
 */
int coax_port_send(struct coax_port *port, const struct coax_frame *frames,
    unsigned int count, int timeout_ms);

/**
 * coax_port_drain() - wait until the daemon has taken all frames sent
 *
 * Before coax_port_close(), for who wants none lost.
 *
 * Return: 1 (all are taken), 0 on timeout, or as coax_port_recv().
 */
int coax_port_drain(struct coax_port *port, int timeout_ms);

/**
 * coax_port_fd() - descriptor to wait on by poll(2) or epoll(7), for reading
 *
 * When it is readable, call coax_port_recv() with a timeout of 0 until it
 * returns 0; only then it becomes readable again with the next frame. Each
 * queue has its own.
 *
 * Return: descriptor, borrowed.
 */
int coax_port_fd(struct coax_port *port);

/** coax_port_get_info() - what the port is now */
void coax_port_get_info(struct coax_port *port, struct coax_port_info *out);

/** coax_port_get_stats() - of this queue */
void coax_port_get_stats(
    const struct coax_port *port, struct coax_port_stats *out);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
