/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xnb on Xen: what is asked of Xen, as a table of calls, so that xen.c can be
 * tested where there is none. xen_lib.c has the real ones (libxenstore,
 * libxengnttab, libxenevtchn), xen_nolib.c stands there without the libraries.
 *
 * Those of the store wait for xenstored and are called on a helper thread, one
 * at a time; the others are called on the worker, and do not wait for anybody.
 * Those that return int: 0 or a negative errno.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xen_host;
struct xnb_copy;

struct xen_host_ops {
	/* --- life: on the worker ---------------------------------------- */

	/* Is there a Xen here that can be served? @why: of @size bytes, why
	 * not. Does not wait. */
	int (*create)(struct xen_host **out, char *why, size_t size);
	/* Everything that is still bound or mapped goes, too. */
	void (*destroy)(struct xen_host *h);
	/* Does the kernel's own back end serve vifs? */
	bool (*kernel_serves)(struct xen_host *h);

	/* --- the store: on the helper thread ------------------------------ */

	/* @domid: our own. */
	int (*store_open)(struct xen_host *h, uint32_t *domid);
	/* A transaction; @end: -EAGAIN: nothing was done, try again. */
	int (*begin)(struct xen_host *h, uint32_t *txn);
	int (*end)(struct xen_host *h, uint32_t txn, bool abort);
	/* @take is called with the value, which may be any bytes. -ENOENT:
	 * there is no such key; -EACCES. */
	int (*read)(struct xen_host *h, uint32_t txn, const char *path,
	    void (*take)(void *arg, const char *data, size_t len), void *arg);
	int (*list)(struct xen_host *h, const char *path,
	    void (*each)(void *arg, const char *name), void *arg);
	int (*write)(struct xen_host *h, uint32_t txn, const char *path,
	    const char *value);
	int (*watch)(struct xen_host *h, const char *path, const char *token);
	void (*unwatch)(
	    struct xen_host *h, const char *path, const char *token);
	/* The next watch's event, if there is one. */
	bool (*next_event)(struct xen_host *h,
	    void (*take)(void *arg, const char *path, const char *token),
	    void *arg);
	/* False: the domain does not exist (any more). */
	bool (*domain_lives)(struct xen_host *h, uint32_t domid);

	/* Readable when there are watches' events; after store_open. Worker. */
	int (*store_fd)(struct xen_host *h);

	/* --- memory and events: on the worker ----------------------------- */

	/* Copies between pages of @domid and our memory; sets each status. */
	uint32_t (*copy)(struct xen_host *h, uint32_t domid, bool from,
	    struct xnb_copy *c, uint32_t count);
	int (*map)(
	    struct xen_host *h, uint32_t domid, uint32_t ref, void **page);
	void (*unmap)(struct xen_host *h, void *page);
	/* @local: our number of the channel */
	int (*bind)(struct xen_host *h, uint32_t domid, uint32_t remote,
	    uint32_t *local);
	void (*unbind)(struct xen_host *h, uint32_t local);
	void (*notify)(struct xen_host *h, uint32_t local);
	/* Channels that were signalled since; each is then masked. -EOVERFLOW:
	 * any of them may have been. Not to be called unless event_fd is
	 * readable. */
	int (*pending)(struct xen_host *h, uint32_t *locals, uint32_t max);
	void (*unmask)(
	    struct xen_host *h, const uint32_t *locals, uint32_t count);
	int (*event_fd)(struct xen_host *h);
};

/* That of this build. */
extern const struct xen_host_ops xen_host_lib;
