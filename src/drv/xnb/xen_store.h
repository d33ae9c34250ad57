/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xnb on Xen: what is done on the helper thread: reading the store, writing,
 * watching. Private to xen.c and xen_store.c.
 *
 * Each is a job: filled in and submitted on the worker, run on the thread,
 * which touches nothing but the job and the store, and taken up again in
 * done(). They run in the order of submission; so what is read has all that was
 * written before.
 */
#pragma once

#include "drv/xnb/xen_host.h"
#include "drv/xnb/xenvif.h"
#include "os/jobs.h"

#define XEN_PATH_MAX (KEYS_VALUE_MAX + KEYS_KEY_MAX)

struct xnb_xen;

struct xen_number {
	uint32_t domid, handle;
};

/* What was read of one. */
struct xen_result {
	struct xen_number of;
	struct xenvif_dirs dirs;
	struct xen_result *next;
};

struct xen_scanned {
	struct xen_number of;
	bool dirty; /* to be read */
};

/* Takes the watches' events and reads what they are about. */
struct xen_scan {
	struct job job;
	struct xnb_xen *xen; /* the worker's */
	const struct xen_host_ops *ops;
	struct xen_host *host;
	char root[XENVIF_PATH_MAX]; /* ".../backend/vif" */
	/* The vifs that are known, and those that are found; owned. */
	struct xen_scanned *vifs;
	uint32_t count, room;
	bool more; /* events were left */
	/* Results, owned: xen_scan_free(). */
	struct xen_result *first, **last;
};

/** xen_scan_new() - for @count known vifs; NULL: no memory */
struct xen_scan *xen_scan_new(uint32_t count);
void xen_scan_free(struct xen_scan *scan);
/** xen_scan_run() - job.run */
void xen_scan_run(struct job *job);

/* Opens the store, and watches it. job.status */
struct xen_open {
	struct job job;
	struct xnb_xen *xen; /* the worker's */
	const struct xen_host_ops *ops;
	struct xen_host *host;
	uint32_t domid;
	char root[XENVIF_PATH_MAX];
};

void xen_open_run(struct job *job);

/* Writes keys to a directory, all or none. job.status: -ENOENT: @must_exist,
 * and it does not (any more). */
struct xen_write {
	struct job job;
	const struct xen_host_ops *ops;
	struct xen_host *host;
	char path[XEN_PATH_MAX];
	bool must_exist;
	struct keys keys;
};

void xen_write_run(struct job *job);

/* Watches a front end's directory, or no more. */
struct xen_watch {
	struct job job;
	const struct xen_host_ops *ops;
	struct xen_host *host;
	bool on;
	char path[XEN_PATH_MAX];
	struct xen_number of;
};

void xen_watch_run(struct job *job);
