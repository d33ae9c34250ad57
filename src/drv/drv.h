/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The drivers: the table of kinds, and what they share.
 *
 * A kind is one file drv/NAME.c with its row `NAME_ops`; table.c lists the
 * rows.  What drivers need of the shell (the loop) and what holds for all
 * interfaces of a kind (its sysctls) is in struct drv_context, which hangs on
 * the net and ends with it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/burst.h"
#include "net/net.h"

struct gif_outer;
struct gif_shared;
struct iobatch;
struct kick;
struct loop;

/* Every kind that `ifconfig KIND create` knows; ends with NULL. */
extern const struct iface_ops *const drv_kinds[];

extern const struct iface_ops epair_ops;
extern const struct iface_ops ether_ops;
extern const struct iface_ops feth_ops;
extern const struct iface_ops gif_ops;
extern const struct iface_ops sock_ops;
extern const struct iface_ops lo_ops;
extern const struct iface_ops tap_ops;
extern const struct iface_ops vether_ops;
extern const struct iface_ops vlan_ops;
extern const struct iface_ops xnb_ops;

/* What later feths are born with: sysctl net.link.fake.* */
struct feth_tunables {
	uint32_t max_mtu;
	uint32_t tx_drops;
	uint32_t trailer_length;
	uint32_t fcs;
};

struct drv_context {
	struct loop *loop;     /* NULL: no driver with descriptors works */
	bool pretend;          /* settings only: nothing is opened for them */
	struct iobatch *batch; /* for drivers that gather; NULL: no memory */
	struct kick *kick;     /* wakes ring ports; made with the first */
	struct burst xnb_told; /* what front ends make xnb say */
	struct feth_tunables feth;
	bool xen_makes; /* an interface that is being made is a domain's */
	/* Of gifs: what they share, and what they have of the system (NULL: the
	 * real one). */
	struct gif_shared *gif;
	const struct gif_outer *gif_outer;
	void *ether_slots; /* of ethers: room for what is read */
	/* A large frame that stands ready to be read into, since the next one
	 * may be long; or NULL. */
	struct frame *spare;
	uint8_t *trash; /* as large as its buffer, for when there is none */
};

/**
 * drv_init() - give a net its drivers' context
 * @loop: borrowed until net_destroy(); NULL: no descriptors (tests, simulator)
 *
 * Return: 0 or -ENOMEM.  net_destroy() ends it.
 */
int drv_init(struct net *net, struct loop *loop);

/** drv_context() - of a net that went through drv_init(), else NULL */
static inline struct drv_context *
drv_context(const struct net *net)
{
	return net->drv;
}

/**
 * drv_read_frame() - take one record from a SEQPACKET socket or a tun
 * @head: bytes before the frame that go to @hdr (a virtio_net_hdr): 0 to
 *        FRAME_HEADROOM
 * @hdr:  room for them
 * @out:  owned, when the result is 0
 *
 * A short frame takes a small buffer, and a long one a large buffer, though
 * which it is is not known before: the read goes to a spare large frame, which
 * becomes the frame if that is long; a short one is copied, out of memory that
 * is warm since the last time.  One buffer is cheaper for the kernel than two.
 *
 * Return: 0; 1 (the descriptor returned 0: end, or an empty record);
 * -EAGAIN (nothing there) or another -errno of the call; -EMSGSIZE, -EBADMSG
 * and -ENOBUFS mean that a record was taken and lost: too long, shorter than
 * @head, no frame in the pool.
 */
int drv_read_frame(
    struct net *net, int fd, void *hdr, size_t head, struct frame **out);

struct sockaddr;
/** drv_recv_frame() - the same from a datagram socket, and whose it is */
int drv_recv_frame(struct net *net, int fd, void *hdr, size_t head,
    struct sockaddr *from, unsigned int *from_len, struct frame **out);
