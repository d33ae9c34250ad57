/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening a tap: what the method tap.open does.  tap.c has the rest.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "drv/drv.h"

/* SO_SNDBUF of an app's end, as far as the system allows it: a few of the
 * longest frames, for apps that do not wait. */
#define TAP_APP_SNDBUF   (1 << 20)
#define TAP_QUEUES_MAX   8
#define TAP_VNET_HDR_MIN 10 /* struct virtio_net_hdr */
#define TAP_VNET_HDR_MAX 64

/* What stands before each frame in the descriptor, both ways. */
struct tap_format {
	bool pi; /* first Linux's struct tun_pi: flags, EtherType */
	/* Then a struct virtio_net_hdr in so many bytes: TAP_VNET_HDR_MIN and
	 * zeroes.  0: none. */
	uint32_t vnet_hdr;
	/* OFFLOAD_* that the reader takes; only with vnet_hdr. */
	uint32_t caps;
};

struct tap_open_options {
	uint32_t uid; /* who opens: shown in the print-out */
	int32_t pid;  /* 0: not known */
	struct tap_format format;
	/*
	 * Open as Linux's TUNSETIFF does: @name is made if it does not exist;
	 * it may be any name, or have a "%d" for the lowest free number.  Then
	 * the interface ends with its last descriptor.  An existing tap keeps
	 * its own lifetime.
	 */
	bool make;
	bool multi_queue; /* up to TAP_QUEUES_MAX descriptors may be open */
	/*
	 * Connects the app's socket, instead of a new one: gives our end
	 * (owned, non-blocking) and the SO_COOKIE of the app's.  0 or -errno.
	 * @fd_out of tap_open() is then -1.
	 */
	int (*join)(void *arg, int *ours, uint64_t *cookie);
	void *arg;
};

/**
 * tap_open() - open a tap as open(2) of /dev/tapN or /dev/tap would
 * @vnet:   the caller's; NULL is home
 * @name:   "tap0": a fixed unit; NULL: a clone, the lowest free unit, that ends
 *          with the last descriptor
 * @opts:   NULL for the defaults
 * @fd_out: the app's descriptor, blocking, close-on-exec; owned by the caller,
 *          who sends it to the app and closes it
 * @out:    the interface, borrowed as from net_iface_create()
 *
 * The host side of a clone is the caller's to make, as with net_iface_create();
 * if that fails, closing the descriptor ends the clone.
 *
 * Return: 0; -ENXIO (no such tap), -EBUSY (open already), -EOPNOTSUPP (no
 * loop), -EINVAL (not a tap, or other headers than the queues before), -E2BIG
 * (too many queues), -EPERM (somebody else's), or -errno of the socket or of
 * net_iface_create() and net_iface_rename().
 */
int tap_open(struct net *net, struct vnet *vnet, const char *name,
    const struct tap_open_options *opts, int *fd_out, struct iface **out);

/** tap_is() - is this interface one of ours? */
bool tap_is(const struct iface *ifp);

/** tap_by_cookie() - the tap of which an app has a descriptor, or NULL */
struct iface *tap_by_cookie(struct net *net, uint64_t cookie);

struct tap_state {
	struct tap_format format;
	bool open;
	bool made; /* ends with its last descriptor */
	bool multi_queue;
	bool detached;         /* the cookie's queue gets no frames */
	uint32_t owner, group; /* net/actor.h; NET_ID_NONE: not a user's */
};

/** tap_get_state() - @cookie: 0, or that of one of its descriptors */
void tap_get_state(
    const struct iface *ifp, uint64_t cookie, struct tap_state *out);

/* Each 0 or -errno with nothing changed. */
/* -EINVAL: no vnet_hdr, or a length that none can have.  Frames that the app
 * has not read yet keep what they have. */
int tap_set_vnet_hdr(struct iface *ifp, uint32_t len);
void tap_set_caps(struct iface *ifp, uint32_t caps);
/* Whether it outlives its last descriptor. */
void tap_set_made(struct iface *ifp, bool made);
/* Who may open it, besides root. */
/* -EINVAL: not opened for several queues, or it is so already. */
int tap_set_detached(struct iface *ifp, uint64_t cookie, bool detached);
