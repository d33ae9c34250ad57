/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests and fuzz targets of xnb on Xen: a Xen of pretence, in one thread. A
 * store with watches, pages that every domain has granted, event channels, and
 * a guest's side of a vif (struct fake_guest). Jobs wait in a list until
 * fake_run(), so that a test decides what happens between a reading and its
 * being taken.
 */
#pragma once

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/str.h"
#include "coax/netif.h"
#include "drv/xnb/xen.h"
#include "drv/xnb/xnb.h"
#include "os/jobs.h"
#include "ring/netring.h"

#define FAKE_NODES    512
#define FAKE_WATCHES  64
#define FAKE_EVENTS   1024
#define FAKE_PAGES    600u
#define FAKE_CHANNELS 256u
#define FAKE_DOMAINS  16u
#define FAKE_PATH     512
#define FAKE_US       3u /* our domain: not 0, a driver domain */

struct fake_node {
	char path[FAKE_PATH];
	char value[320];
	size_t len; /* of the value, which may have any bytes */
	bool there;
};

struct xen_host {
	struct fake_node nodes[FAKE_NODES];
	uint32_t node_count;
	struct {
		char path[FAKE_PATH], token[64];
	} watches[FAKE_WATCHES];
	uint32_t watch_count;
	struct {
		char path[FAKE_PATH], token[64];
	} events[FAKE_EVENTS];
	uint32_t event_first, event_count;
	bool lost; /* more events than there is room for */
	bool dead[FAKE_DOMAINS];
	bool kernel;     /* the kernel's driver is there */
	bool closed;     /* the store cannot be opened */
	uint32_t again;  /* transactions that are to fail */
	bool no_txn;     /* none can be begun */
	uint32_t writes; /* so far */
	bool in_txn;
	uint8_t *pages; /* FAKE_PAGES */
	uint32_t mapped;
	uint32_t bad_ref; /* cannot be mapped or copied */
	uint32_t copies;
	uint32_t crossed; /* pieces that cross a page of ours */
	struct {
		bool bound, pending, masked;
		uint32_t domid, remote, notified;
	} channels[FAKE_CHANNELS];
	bool overflow;
	struct job *jobs[64];
	uint32_t job_count;
};

/* One at a time: create() has nothing to find it by. */
static struct xen_host *fake_xen;

/* --- the store -------------------------------------------------------------
 */

static inline bool
fake_below(const char *path, const char *top)
{
	size_t len = strlen(top);

	return strncmp(path, top, len) == 0 &&
	       (path[len] == '\0' || path[len] == '/');
}

static inline void
fake_event(struct xen_host *h, const char *path, const char *token)
{
	uint32_t at = (h->event_first + h->event_count) % FAKE_EVENTS;

	if (h->event_count == FAKE_EVENTS) {
		h->lost = true;
		return;
	}
	(void)str_copy(h->events[at].path, FAKE_PATH, path);
	(void)str_copy(h->events[at].token, sizeof(h->events[at].token), token);
	h->event_count++;
}

static inline void
fake_fire(struct xen_host *h, const char *path)
{
	for (uint32_t i = 0; i < h->watch_count; i++) {
		/* Who watches below what was removed hears of it, too. */
		if (fake_below(path, h->watches[i].path))
			fake_event(h, path, h->watches[i].token);
		else if (fake_below(h->watches[i].path, path))
			fake_event(h, h->watches[i].path, h->watches[i].token);
	}
}

static inline struct fake_node *
fake_node(struct xen_host *h, const char *path)
{
	for (uint32_t i = 0; i < h->node_count; i++) {
		if (strcmp(h->nodes[i].path, path) == 0)
			return &h->nodes[i];
	}
	return NULL;
}

static inline void
fake_put(struct xen_host *h, const char *path, const void *value, size_t len)
{
	struct fake_node *n = fake_node(h, path);

	if (n == NULL) {
		ASSERT(h->node_count < FAKE_NODES);
		n = &h->nodes[h->node_count++];
		(void)str_copy(n->path, sizeof(n->path), path);
	}
	ASSERT(len < sizeof(n->value));
	memcpy(n->value, value, len);
	n->value[len] = '\0';
	n->len = len;
	n->there = true;
	fake_fire(h, path);
}

static inline void
fake_set(
    struct xen_host *h, const char *dir, const char *key, const char *value)
{
	char path[FAKE_PATH];

	snprintf(path, sizeof(path), "%s/%s", dir, key);
	fake_put(h, path, value, strlen(value));
}

static inline const char *
fake_get(struct xen_host *h, const char *dir, const char *key)
{
	char path[FAKE_PATH];
	const struct fake_node *n;

	snprintf(path, sizeof(path), "%s/%s", dir, key);
	n = fake_node(h, path);
	return n != NULL && n->there ? n->value : "";
}

static inline void
fake_remove(struct xen_host *h, const char *path)
{
	for (uint32_t i = 0; i < h->node_count; i++) {
		if (fake_below(h->nodes[i].path, path))
			h->nodes[i].there = false;
	}
	fake_fire(h, path);
}

/* --- the table of calls ----------------------------------------------------
 */

static inline int
fake_create(struct xen_host **out, char *why, size_t size)
{
	if (fake_xen == NULL) {
		snprintf(why, size, "no Xen of pretence");
		return -ENOENT;
	}
	*out = fake_xen;
	return 0;
}

static inline void
fake_destroy(struct xen_host *h)
{
	(void)h;
}

static inline bool
fake_kernel_serves(struct xen_host *h)
{
	return h->kernel;
}

static inline int
fake_store_open(struct xen_host *h, uint32_t *domid)
{
	*domid = FAKE_US;
	h->watch_count = 0; /* those of a connection before went with it */
	return h->closed ? -ECONNREFUSED : 0;
}

static inline int
fake_begin(struct xen_host *h, uint32_t *txn)
{
	*txn = 7;
	if (h->no_txn)
		return -EDQUOT;
	ASSERT(!h->in_txn);
	h->in_txn = true;
	return 0;
}

static inline int
fake_end(struct xen_host *h, uint32_t txn, bool abort)
{
	ASSERT(txn == 7 && h->in_txn);
	h->in_txn = false;
	if (abort || h->again == 0)
		return 0;
	h->again--;
	return -EAGAIN;
}

static inline int
fake_read(struct xen_host *h, uint32_t txn, const char *path,
    void (*take)(void *arg, const char *data, size_t len), void *arg)
{
	const struct fake_node *n = fake_node(h, path);

	(void)txn;
	if (n == NULL || !n->there)
		return -ENOENT;
	take(arg, n->value, n->len);
	return 0;
}

static inline int
fake_list(struct xen_host *h, const char *path,
    void (*each)(void *arg, const char *name), void *arg)
{
	size_t len = strlen(path);
	char names[64][32];
	uint32_t count = 0;

	for (uint32_t i = 0; i < h->node_count; i++) {
		const char *rest = h->nodes[i].path + len + 1;
		char name[32];
		bool seen = false;

		if (!h->nodes[i].there || !fake_below(h->nodes[i].path, path) ||
		    h->nodes[i].path[len] == '\0')
			continue;
		snprintf(
		    name, sizeof(name), "%.*s", (int)strcspn(rest, "/"), rest);
		for (uint32_t k = 0; k < count; k++)
			seen = seen || strcmp(names[k], name) == 0;
		if (!seen && count < 64)
			memcpy(names[count++], name, sizeof(name));
	}
	for (uint32_t k = 0; k < count; k++)
		each(arg, names[k]);
	return 0;
}

static inline int
fake_write(
    struct xen_host *h, uint32_t txn, const char *path, const char *value)
{
	(void)txn;
	/* What will fail leaves nothing behind. */
	if (h->again != 0)
		return 0;
	h->writes++;
	fake_put(h, path, value, strlen(value));
	return 0;
}

static inline int
fake_watch(struct xen_host *h, const char *path, const char *token)
{
	ASSERT(h->watch_count < FAKE_WATCHES);
	(void)str_copy(h->watches[h->watch_count].path, FAKE_PATH, path);
	(void)str_copy(h->watches[h->watch_count].token,
	    sizeof(h->watches[0].token), token);
	h->watch_count++;
	fake_event(h, path, token); /* it fires once at once */
	return 0;
}

static inline void
fake_unwatch(struct xen_host *h, const char *path, const char *token)
{
	for (uint32_t i = 0; i < h->watch_count; i++) {
		if (strcmp(h->watches[i].path, path) != 0 ||
		    strcmp(h->watches[i].token, token) != 0)
			continue;
		h->watches[i] = h->watches[--h->watch_count];
		return;
	}
}

static inline bool
fake_next_event(struct xen_host *h,
    void (*take)(void *arg, const char *path, const char *token), void *arg)
{
	uint32_t at = h->event_first;

	if (h->event_count == 0)
		return false;
	h->event_first = (h->event_first + 1) % FAKE_EVENTS;
	h->event_count--;
	take(arg, h->events[at].path, h->events[at].token);
	return true;
}

static inline bool
fake_domain_lives(struct xen_host *h, uint32_t domid)
{
	return domid >= FAKE_DOMAINS || !h->dead[domid];
}

static inline int
fake_fd(struct xen_host *h)
{
	(void)h;
	return -1;
}

static inline uint32_t
fake_copy(struct xen_host *h, uint32_t domid, bool from, struct xnb_copy *c,
    uint32_t count)
{
	uint32_t failed = 0;

	(void)domid;
	h->copies += count != 0;
	for (uint32_t i = 0; i < count; i++) {
		uint8_t *page = h->pages + (size_t)c[i].ref * COAX_RING_PAGE;

		ASSERT(c[i].offset + c[i].len <= COAX_RING_PAGE);
		h->crossed += c[i].len + (uintptr_t)c[i].mem % COAX_RING_PAGE >
		              COAX_RING_PAGE;
		c[i].status = 0;
		if (c[i].ref >= FAKE_PAGES || c[i].ref == h->bad_ref) {
			c[i].status = -EFAULT;
			failed++;
		} else if (from) {
			memcpy(c[i].mem, page + c[i].offset, c[i].len);
		} else {
			memcpy(page + c[i].offset, c[i].mem, c[i].len);
		}
	}
	return failed;
}

static inline int
fake_map(struct xen_host *h, uint32_t domid, uint32_t ref, void **page)
{
	(void)domid;
	if (ref >= FAKE_PAGES || ref == h->bad_ref)
		return -EINVAL;
	h->mapped++;
	*page = h->pages + (size_t)ref * COAX_RING_PAGE;
	return 0;
}

static inline void
fake_unmap(struct xen_host *h, void *page)
{
	(void)page;
	ASSERT(h->mapped != 0);
	h->mapped--;
}

static inline int
fake_bind(struct xen_host *h, uint32_t domid, uint32_t remote, uint32_t *local)
{
	if (remote > 4095)
		return -EINVAL;
	for (uint32_t i = 1; i < FAKE_CHANNELS; i++) {
		if (h->channels[i].bound)
			continue;
		memset(&h->channels[i], 0, sizeof(h->channels[i]));
		h->channels[i].bound = true;
		h->channels[i].domid = domid;
		h->channels[i].remote = remote;
		*local = i;
		return 0;
	}
	return -ENOSPC;
}

static inline void
fake_unbind(struct xen_host *h, uint32_t local)
{
	ASSERT(h->channels[local].bound);
	h->channels[local].bound = false;
}

static inline void
fake_notify(struct xen_host *h, uint32_t local)
{
	ASSERT(h->channels[local].bound);
	h->channels[local].notified++;
}

static inline int
fake_pending(struct xen_host *h, uint32_t *locals, uint32_t max)
{
	uint32_t n = 0;

	if (h->overflow) {
		h->overflow = false;
		return -EOVERFLOW;
	}
	for (uint32_t i = 1; i < FAKE_CHANNELS && n < max; i++) {
		if (!h->channels[i].pending || h->channels[i].masked)
			continue;
		h->channels[i].pending = false;
		h->channels[i].masked = true;
		locals[n++] = i;
	}
	return (int)n;
}

static inline void
fake_unmask(struct xen_host *h, const uint32_t *locals, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		h->channels[locals[i]].masked = false;
}

static const struct xen_host_ops fake_ops = {
	.create = fake_create,
	.destroy = fake_destroy,
	.kernel_serves = fake_kernel_serves,
	.store_open = fake_store_open,
	.begin = fake_begin,
	.end = fake_end,
	.read = fake_read,
	.list = fake_list,
	.write = fake_write,
	.watch = fake_watch,
	.unwatch = fake_unwatch,
	.next_event = fake_next_event,
	.domain_lives = fake_domain_lives,
	.store_fd = fake_fd,
	.copy = fake_copy,
	.map = fake_map,
	.unmap = fake_unmap,
	.bind = fake_bind,
	.unbind = fake_unbind,
	.notify = fake_notify,
	.pending = fake_pending,
	.unmask = fake_unmask,
	.event_fd = fake_fd,
};

/* --- jobs, turns -----------------------------------------------------------
 */

static inline void
fake_submit(void *arg, struct job *job)
{
	struct xen_host *h = arg;

	ASSERT(h->job_count < 64);
	h->jobs[h->job_count++] = job;
}

/* Runs the first job: the store sees it; its done() is still to come. */
static inline struct job *
fake_run_one(struct xen_host *h)
{
	struct job *job = h->jobs[0];

	if (h->job_count == 0)
		return NULL;
	h->job_count--;
	memmove(h->jobs, h->jobs + 1, h->job_count * sizeof(struct job *));
	job->run(job);
	return job;
}

/* Everything that was asked for, until the store has nothing to tell. */
static inline void
fake_run(struct xen_host *h, struct xnb_xen *xen)
{
	struct job *job;

	if (h->event_count != 0)
		xnb_xen_look(xen);
	while ((job = fake_run_one(h)) != NULL) {
		job->done(job, NULL);
		if (h->job_count == 0 && h->event_count != 0)
			xnb_xen_look(xen);
	}
}

static inline struct xen_host *
fake_new(void)
{
	struct xen_host *h = calloc(1, sizeof(*h));

	ASSERT(h != NULL);
	h->pages = aligned_alloc(4096, (size_t)FAKE_PAGES * COAX_RING_PAGE);
	ASSERT(h->pages != NULL);
	memset(h->pages, 0, (size_t)FAKE_PAGES * COAX_RING_PAGE);
	h->bad_ref = UINT32_MAX;
	fake_xen = h;
	return h;
}

static inline uint32_t
fake_bound(const struct xen_host *h)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < FAKE_CHANNELS; i++)
		n += h->channels[i].bound;
	return n;
}

static inline void
fake_free(struct xen_host *h)
{
	ASSERT(h->mapped == 0 && fake_bound(h) == 0 && h->job_count == 0);
	fake_xen = NULL;
	free(h->pages);
	free(h);
}

/* --- a guest, and its toolstack --------------------------------------------
 */

struct fake_guest {
	struct xen_host *h;
	uint32_t domid, handle;
	char back[128], front[128];
	struct netring_front tx, rx;
};

#define FAKE_RING_PAGE(domid) (4 * (domid)) /* the first of a guest's rings */
#define FAKE_DATA_PAGE        100u

static inline void
fake_guest(
    struct fake_guest *g, struct xen_host *h, uint32_t domid, uint32_t handle)
{
	*g = (struct fake_guest){ .h = h, .domid = domid, .handle = handle };
	snprintf(g->back, sizeof(g->back), "/local/domain/%u/backend/vif/%u/%u",
	    FAKE_US, domid, handle);
	snprintf(g->front, sizeof(g->front), "/local/domain/%u/device/vif/%u",
	    domid, handle);
}

/* What libxl writes in one transaction. */
static inline void
fake_plug(struct fake_guest *g)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", g->domid);
	fake_set(g->h, g->front, "state", "1");
	fake_set(g->h, g->back, "frontend-id", text);
	fake_set(g->h, g->back, "frontend", g->front);
	fake_set(g->h, g->back, "online", "1");
	fake_set(g->h, g->back, "script", "/etc/xen/scripts/vif-coax");
	fake_set(g->h, g->back, "mac", "00:16:3e:77:00:01");
	fake_set(g->h, g->back, "bridge", "xenbr0");
	fake_set(g->h, g->back, "hotplug-status", "");
	fake_set(g->h, g->back, "state", "1");
}

/* What Linux' netfront publishes. */
static inline void
fake_publish(struct fake_guest *g)
{
	uint32_t page = FAKE_RING_PAGE(g->domid);
	uint8_t *base = g->h->pages + (size_t)page * COAX_RING_PAGE;
	char text[16];

	netring_front_init(
	    &g->tx, base, COAX_NETIF_TX_SLOTS, COAX_NETIF_TX_SLOT_SIZE);
	netring_front_init(&g->rx, base + COAX_RING_PAGE, COAX_NETIF_RX_SLOTS,
	    COAX_NETIF_RX_SLOT_SIZE);
	snprintf(text, sizeof(text), "%u", page);
	fake_set(g->h, g->front, "tx-ring-ref", text);
	snprintf(text, sizeof(text), "%u", page + 1);
	fake_set(g->h, g->front, "rx-ring-ref", text);
	fake_set(g->h, g->front, "event-channel-tx", "11");
	fake_set(g->h, g->front, "event-channel-rx", "12");
	fake_set(g->h, g->front, "request-rx-copy", "1");
	fake_set(g->h, g->front, "feature-rx-notify", "1");
	fake_set(g->h, g->front, "feature-sg", "1");
	fake_set(g->h, g->front, "feature-gso-tcpv4", "1");
	fake_set(g->h, g->front, "feature-gso-tcpv6", "1");
	fake_set(g->h, g->front, "feature-ipv6-csum-offload", "1");
	fake_set(g->h, g->front, "state", "4");
}

/* Our number of its channel; 0: it is not bound. */
static inline uint32_t
fake_channel(const struct fake_guest *g, uint32_t remote)
{
	for (uint32_t i = 1; i < FAKE_CHANNELS; i++) {
		if (g->h->channels[i].bound &&
		    g->h->channels[i].domid == g->domid &&
		    g->h->channels[i].remote == remote)
			return i;
	}
	return 0;
}
