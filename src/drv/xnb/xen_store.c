/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xnb on Xen: what is done on the helper thread. See xen_store.h.
 *
 * Each answer of xenstored is a round trip, so what is read is bounded: a fixed
 * list of keys, and of front ends that have not published anything only their
 * state.
 */
#include "drv/xnb/xen_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "net/net.h"

#define EVENTS_MAX 1024u /* that one reading takes */
#define TRIES      16    /* of a transaction that others got in the way of */

/* --- reading ---------------------------------------------------------------
 */

/* A directory that is being read. */
struct reading {
	const struct xen_host_ops *ops;
	struct xen_host *host;
	uint32_t txn;
	const char *dir;
	struct keys *to;
	const char *key;
};

static void
take_value(void *arg, const char *data, size_t len)
{
	struct reading *r = arg;
	char value[KEYS_VALUE_MAX];

	xenvif_value(data, len, value);
	(void)keys_set(r->to, r->key, value); /* there is room for all */
}

/* Reads one key, if it is there. 0 or -errno. */
static int
read_key(struct reading *r, const char *key)
{
	char path[XEN_PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s", r->dir, key);

	if (n >= (int)sizeof(path))
		return -ENAMETOOLONG;
	r->key = key;
	return r->ops->read(r->host, r->txn, path, take_value, r);
}

static void
read_front(struct reading *r)
{
	char text[KEYS_KEY_MAX];
	const char *key;

	if (read_key(r, "state") != 0 || !xenvif_wants_front(r->to))
		return;
	for (uint32_t i = 0; (key = xenvif_front_key(i)) != NULL; i++)
		(void)read_key(r, key);
	for (uint32_t q = 0; q < xenvif_queues(r->to); q++) {
		for (uint32_t i = 0; xenvif_queue_key(q, i, text); i++)
			(void)read_key(r, text);
	}
}

/* Both directories, at one moment. */
static void
read_vif(struct xen_scan *s, struct xen_result *to)
{
	struct xenvif_dirs *d = &to->dirs;
	struct reading r = { .ops = s->ops, .host = s->host };
	char path[XENVIF_PATH_MAX + 32];
	const char *key;

	snprintf(path, sizeof(path), "%s/%u/%u", s->root, to->of.domid,
	    to->of.handle);
	/* Who has no transactions left reads without. */
	if (s->ops->begin(s->host, &r.txn) < 0)
		r.txn = 0;
	r.dir = path;
	r.to = &d->back;
	for (uint32_t i = 0; (key = xenvif_back_key(i)) != NULL; i++)
		(void)read_key(&r, key);
	d->there = d->back.len != 0;
	r.dir = keys_get(&d->back, "frontend");
	r.to = &d->front;
	if (r.dir != NULL && r.dir[0] == '/')
		read_front(&r);
	if (r.txn != 0)
		(void)s->ops->end(s->host, r.txn, true);
	d->dead = !s->ops->domain_lives(s->host, to->of.domid);
}

static void
read_result(struct xen_scan *s, struct xen_number of)
{
	struct xen_result *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return; /* its next event tries again */
	r->of = of;
	read_vif(s, r);
	*s->last = r;
	s->last = &r->next;
}

/* --- what is to be read ----------------------------------------------------
 */

/* One that nobody knew. */
static void
add(struct xen_scan *s, uint32_t domid, uint32_t handle)
{
	if (s->count == s->room) {
		uint32_t room = 2 * s->room + 16;
		struct xen_scanned *more = NULL;

		if (room <= 4 * NET_IFACES_MAX)
			more = realloc(s->vifs, room * sizeof(*more));
		if (more == NULL)
			return;
		s->vifs = more;
		s->room = room;
	}
	s->vifs[s->count++] = (struct xen_scanned){
		.of = { domid, handle },
		.dirty = true,
	};
}

static void
mark(struct xen_scan *s, uint32_t domid, uint32_t handle)
{
	for (uint32_t i = 0; i < s->count; i++) {
		if (s->vifs[i].of.domid == domid &&
		    s->vifs[i].of.handle == handle) {
			s->vifs[i].dirty = true;
			return;
		}
	}
	add(s, domid, handle);
}

static void
mark_domain(struct xen_scan *s, uint32_t domid)
{
	for (uint32_t i = 0; i < s->count; i++)
		s->vifs[i].dirty |= s->vifs[i].of.domid == domid;
}

struct listing {
	struct xen_scan *scan;
	uint32_t domid;
	struct xen_number *found; /* domains */
	uint32_t count;
};

static void
list_handle(void *arg, const char *name)
{
	struct listing *l = arg;
	uint32_t handle;

	if (xenvif_number(name, XENVIF_HANDLE_MAX, &handle))
		mark(l->scan, l->domid, handle);
}

static void
scan_domain(struct xen_scan *s, uint32_t domid)
{
	struct listing l = { .scan = s, .domid = domid };
	char path[XENVIF_PATH_MAX + 16];

	mark_domain(s, domid);
	snprintf(path, sizeof(path), "%s/%u", s->root, domid);
	(void)s->ops->list(s->host, path, list_handle, &l);
}

static void
list_domain(void *arg, const char *name)
{
	struct listing *l = arg;
	struct xen_number *more;
	uint32_t domid;

	if (!xenvif_number(name, XENVIF_DOMID_MAX, &domid))
		return;
	more = realloc(l->found, (l->count + 1) * sizeof(*more));
	if (more == NULL)
		return;
	l->found = more;
	l->found[l->count++].domid = domid;
}

static void
scan_all(struct xen_scan *s)
{
	struct listing l = { .scan = s };

	for (uint32_t i = 0; i < s->count; i++)
		s->vifs[i].dirty = true;
	(void)s->ops->list(s->host, s->root, list_domain, &l);
	for (uint32_t i = 0; i < l.count; i++)
		scan_domain(s, l.found[i].domid);
	free(l.found);
}

/* A domain has ended somewhere: one of ours? */
static void
scan_ended(struct xen_scan *s)
{
	for (uint32_t i = 0; i < s->count; i++) {
		struct xen_scanned *v = &s->vifs[i];

		if (!v->dirty)
			v->dirty = !s->ops->domain_lives(s->host, v->of.domid);
	}
}

static void
take_event(void *arg, const char *path, const char *token)
{
	struct xen_scan *s = arg;
	uint32_t domid, handle;

	switch (xenvif_event(s->root, path, token, &domid, &handle)) {
	case XENVIF_EVENT_NONE:
		return;
	case XENVIF_EVENT_ALL:
		scan_all(s);
		return;
	case XENVIF_EVENT_DOMAIN:
		scan_domain(s, domid);
		return;
	case XENVIF_EVENT_VIF:
		mark(s, domid, handle);
		return;
	case XENVIF_EVENT_DOMAINS:
		scan_ended(s);
		return;
	}
}

void
xen_scan_run(struct job *job)
{
	struct xen_scan *s = job->arg;

	/* Guests can make events as fast as they are taken. */
	s->more = true;
	for (uint32_t n = 0; s->more && n < EVENTS_MAX; n++)
		s->more = s->ops->next_event(s->host, take_event, s);
	for (uint32_t i = 0; i < s->count; i++) {
		if (s->vifs[i].dirty)
			read_result(s, s->vifs[i].of);
	}
}

struct xen_scan *
xen_scan_new(uint32_t count)
{
	struct xen_scan *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->job = (struct job){ .run = xen_scan_run, .arg = s };
	s->count = s->room = count;
	s->last = &s->first;
	s->vifs = calloc(count + 1, sizeof(*s->vifs));
	if (s->vifs == NULL) {
		xen_scan_free(s);
		return NULL;
	}
	return s;
}

void
xen_scan_free(struct xen_scan *s)
{
	struct xen_result *r;

	while ((r = s->first) != NULL) {
		s->first = r->next;
		free(r);
	}
	free(s->vifs);
	free(s);
}

/* --- opening ---------------------------------------------------------------
 */

void
xen_open_run(struct job *job)
{
	struct xen_open *o = job->arg;
	int err = o->ops->store_open(o->host, &o->domid);

	snprintf(
	    o->root, sizeof(o->root), "/local/domain/%u/backend/vif", o->domid);
	if (err == 0)
		err = o->ops->watch(o->host, o->root, XENVIF_TOKEN_BACK);
	if (err == 0)
		err = o->ops->watch(
		    o->host, "@releaseDomain", XENVIF_TOKEN_RELEASE);
	job->status = err;
}

/* --- writing ---------------------------------------------------------------
 */

static void
take_nothing(void *arg, const char *data, size_t len)
{
	(void)arg;
	(void)data;
	(void)len;
}

static int
write_keys(struct xen_write *w, uint32_t txn)
{
	const char *key, *value;
	char path[XEN_PATH_MAX + KEYS_KEY_MAX];
	size_t at = 0;
	int err = 0;

	/* Writing would make a directory that was removed again. */
	if (w->must_exist) {
		snprintf(path, sizeof(path), "%s/frontend", w->path);
		err = w->ops->read(w->host, txn, path, take_nothing, NULL);
	}
	while (err == 0 &&
	       keys_next(w->keys.data, w->keys.len, &at, &key, &value)) {
		snprintf(path, sizeof(path), "%s/%s", w->path, key);
		err = w->ops->write(w->host, txn, path, value);
	}
	return err;
}

void
xen_write_run(struct job *job)
{
	struct xen_write *w = job->arg;
	int err = -EAGAIN;

	for (int i = 0; err == -EAGAIN && i < TRIES; i++) {
		uint32_t txn;
		int ended;

		err = w->ops->begin(w->host, &txn);
		if (err < 0)
			break;
		err = write_keys(w, txn);
		ended = w->ops->end(w->host, txn, err != 0);
		if (err == 0)
			err = ended;
	}
	job->status = err;
}

/* --- watching --------------------------------------------------------------
 */

void
xen_watch_run(struct job *job)
{
	/* What the front end may change after it has connected. */
	static const char *const keys[] = { "state",
		"request-multicast-control" };
	struct xen_watch *w = job->arg;
	char token[32], path[XEN_PATH_MAX + KEYS_KEY_MAX];
	int err = 0;

	snprintf(token, sizeof(token), XENVIF_TOKEN_FRONT "/%u/%u", w->of.domid,
	    w->of.handle);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		snprintf(path, sizeof(path), "%s/%s", w->path, keys[i]);
		if (!w->on)
			w->ops->unwatch(w->host, path, token);
		else if (err == 0)
			err = w->ops->watch(w->host, path, token);
	}
	job->status = err;
}
