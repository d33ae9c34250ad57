/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a gif needs of the system: a socket of IP protocol 97 in a vnet, and
 * where the vnet's routes lead.  gif_outer.c has the real one; a test hangs its
 * own on struct drv_context.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/net.h"

#define GIF_ADDR_TEXT 64 /* "ADDRESS%SCOPE" */

/* An end of a tunnel. */
struct gif_end {
	uint8_t addr[16];           /* 4 or 16 bytes, in network order */
	char scope[IFACE_NAME_MAX]; /* of a link-local one; or "" */
};

/* How the socket is to be. */
struct gif_socket {
	int family; /* AF_INET, AF_INET6 */
	struct gif_end local, remote;
	bool connected; /* takes and sends only from and to @remote */
	bool df;        /* outer packets are not fragmented */
	uint32_t ttl;   /* 1 to 255 */
};

struct gif_outer {
	void *arg;
	/* A descriptor (owned), non-blocking, or -errno; -EADDRNOTAVAIL and
	 * other refusals may end by themselves.  net_error() may say more. */
	int (*open)(void *arg, struct net *net, struct vnet *vnet,
	    const struct gif_socket *want);
	/* The number of the netdev through which the vnet's routes lead to
	 * @addr; 0: an address of its own; or -errno. */
	int (*route)(void *arg, struct net *net, struct vnet *vnet, int family,
	    const uint8_t *addr);
	/* Sees whether an adopted vnet has ended: the core is told later. */
	void (*check)(void *arg, struct net *net, struct vnet *vnet);
};

extern const struct gif_outer gif_outer_system;
