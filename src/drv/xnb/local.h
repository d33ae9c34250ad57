/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ring ports: what the method port.open does. local.c has the rest.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/net.h"

struct xnb_local_options {
	uint32_t uid; /* who opens: shown in the print-out */
	int32_t pid;  /* 0: not known */
	bool make;    /* the interface is made if it does not exist */
};

/**
 * xnb_local_open() - make the far end of an interface a program's
 * @vnet:   the caller's; NULL is home
 * @name:   "xnb0"; NULL: a new one, of the lowest free unit
 * @opts:   NULL for the defaults
 * @fd_out: the program's end of the handshake's socket, close-on-exec, owned
 * @out:    the interface, borrowed as from net_iface_create()
 *
 * The interface ends with the program, unless it is to persist.
 *
 * Return: 0; -ENXIO (no such xnb), -EBUSY (somebody has it), -EOPNOTSUPP (no
 * loop), or -errno of the socket or of net_iface_create().
 */
int xnb_local_open(struct net *net, struct vnet *vnet, const char *name,
    const struct xnb_local_options *opts, int *fd_out, struct iface **out);

/**
 * xnb_local_leave() - this daemon ends, its interfaces do not
 *
 * Programs are not told that their ports are closed: they see the daemon's end,
 * and connect to the next one. Before net_destroy().
 */
void xnb_local_leave(struct net *net);
