/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sock whose socket somebody gives: what the method sock.open does.  sock.c
 * has the rest.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/net.h"

/** sock_is() - is this interface one of ours? */
bool sock_is(const struct iface *ifp);

/**
 * sock_give() - an interface whose wire is this connected stream
 * @vnet:     the caller's; NULL is home
 * @name:     "sock3", or NULL: the lowest free unit
 * @fd:       a connected stream socket; consumed, also on error
 * @vnet_hdr: bytes of a virtio_net_hdr before each frame, or 0
 * @out:      borrowed as from net_iface_create()
 *
 * It ends when the other end of the socket is closed.
 *
 * Return: 0, -EOPNOTSUPP (no loop), or -errno.
 */
int sock_give(struct net *net, struct vnet *vnet, const char *name, int fd,
    uint32_t vnet_hdr, struct iface **out);
