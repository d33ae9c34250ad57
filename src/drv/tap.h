/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening a tap: what the method tap.open does.  tap.c has the rest.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "drv/drv.h"

struct tap_open_options {
	uint32_t uid; /* who opens: shown in the print-out */
	int32_t pid;  /* 0: not known */
	/* Each frame has a struct virtio_net_hdr of 10 bytes in front, both
	 * ways, and the reader takes these OFFLOAD_*.  Zero: plain frames. */
	bool vnet_hdr;
	uint32_t caps;
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
 * loop), or -errno of the socket or of net_iface_create().
 */
int tap_open(struct net *net, struct vnet *vnet, const char *name,
    const struct tap_open_options *opts, int *fd_out, struct iface **out);
