/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xnb on Xen: the vifs of this domain as a back end, as many as the toolstack
 * makes. xen.c has the rest.
 */
#pragma once

#include <stddef.h>

#include "drv/xnb/xen_host.h"
#include "net/net.h"

struct info;
struct job;
struct loop;
struct xnb_xen;

struct xnb_xen_options {
	const struct xen_host_ops *ops; /* NULL: xen_host_lib */
	struct loop *loop; /* NULL (tests): descriptors are not watched */
	/* Calls job->run() where it may wait and then job->done() on the
	 * worker, never from inside: in the order of submission. NULL: a helper
	 * thread of its own. */
	void (*submit)(void *arg, struct job *job);
	void *arg;
	/* @ifp is to be a member of that bridge. 0 or -errno with a message. */
	int (*join)(struct iface *ifp, const char *bridge);
};

/**
 * xnb_xen_start() - serve Xen's vifs, if this is a Xen
 * @why: of @size bytes: why not, on an error
 *
 * Return: 0; -EOPNOTSUPP (built without the libraries), -ENOENT (no Xen here),
 * -EACCES, -EWOULDBLOCK (another daemon does), or -errno.
 */
int xnb_xen_start(struct net *net, const struct xnb_xen_options *options,
    struct xnb_xen **out, char *why, size_t size);

/**
 * xnb_xen_leave() - this daemon ends, its vifs do not
 *
 * Nothing is written to the store any more: guests stay connected, and the next
 * daemon goes on with them. Before net_destroy(). NULL is allowed.
 */
void xnb_xen_leave(struct xnb_xen *xen);

/** xnb_xen_stop() - after net_destroy(); NULL is allowed */
void xnb_xen_stop(struct xnb_xen *xen);

/** xnb_xen_get() - "domid", "store", and list "vifs" */
void xnb_xen_get(const struct xnb_xen *xen, struct info *out);

/** xnb_xen_look() - events of the store are there (for tests without a loop) */
void xnb_xen_look(struct xnb_xen *xen);
/** xnb_xen_hear() - channels were signalled (the same) */
void xnb_xen_hear(struct xnb_xen *xen);
