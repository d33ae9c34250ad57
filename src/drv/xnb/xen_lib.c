/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xnb on Xen: the calls, by libxenstore, libxengnttab and libxenevtchn.
 *
 * One handle of each for all vifs. The store's is opened and used on the helper
 * thread alone; libxenstore has a thread of its own besides, which reads what
 * xenstored sends.
 *
 * Grants are copied, never mapped, but for the rings' pages: a map and an unmap
 * cost more than copying a few kilobytes, and no guest has to trust us to have
 * unmapped a packet.
 *
 * The descriptor of event channels is read and written directly, many channels
 * a call: the library knows one at a time.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xenevtchn.h>
#include <xengnttab.h>
#include <xenstore.h>

#include "base/str.h"
#include "base/util.h"
#include "coax/netif.h"
#include "drv/xnb/xen_host.h"
#include "drv/xnb/xnb.h"

#define GNTDEV        "/dev/xen/gntdev"
#define EVTCHN        "/dev/xen/evtchn"
#define KERNEL_DRIVER "/sys/bus/xen-backend/drivers/vif"

#define COPY_MAX COAX_NETIF_TX_SLOTS /* pieces in a call */

/* linux/include/uapi/xen/evtchn.h */
#define EVTCHN_RESET _IOC(_IOC_NONE, 'E', 5, 0)

struct xen_host {
	struct xs_handle *store;
	xengnttab_handle *grants;
	xenevtchn_handle *events;
	int lock;
	xengnttab_grant_copy_segment_t segs[COPY_MAX];
};

/* --- life ------------------------------------------------------------------
 */

/* One daemon serves a machine's vifs. The lock is on the device itself: it is
 * where Xen is, whatever else the daemons do not share, and nothing stays when
 * one is killed. */
static int
take_lock(struct xen_host *h, char *why, size_t size)
{
	int err;

	h->lock = open(EVTCHN, O_RDWR | O_CLOEXEC);
	if (h->lock >= 0 && flock(h->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	err = errno;
	snprintf(why, size,
	    err == EWOULDBLOCK
	        ? "another coaxd serves the domains of this machine"
	        : "%s: %s",
	    EVTCHN, strerror(err));
	return -err;
}

static void
lib_destroy(struct xen_host *h)
{
	if (h->events != NULL)
		(void)xenevtchn_close(h->events);
	if (h->grants != NULL)
		(void)xengnttab_close(h->grants);
	if (h->store != NULL)
		xs_close(h->store);
	if (h->lock >= 0)
		(void)close(h->lock);
	free(h);
}

static int
lib_create(struct xen_host **out, char *why, size_t size)
{
	struct xen_host *h;
	int err;

	/* The libraries would complain on standard error. */
	if (access(GNTDEV, R_OK | W_OK) < 0 ||
	    access(EVTCHN, R_OK | W_OK) < 0) {
		err = -errno;
		snprintf(
		    why, size, "%s, %s: %s", GNTDEV, EVTCHN, strerror(-err));
		return err;
	}
	h = calloc(1, sizeof(*h));
	if (h == NULL)
		return -ENOMEM;
	err = take_lock(h, why, size);
	if (err == 0) {
		h->grants = xengnttab_open(NULL, 0);
		h->events = xenevtchn_open(NULL, 0);
		if (h->grants == NULL || h->events == NULL) {
			err = errno != 0 ? -errno : -ENODEV;
			snprintf(why, size, "%s, %s: %s", GNTDEV, EVTCHN,
			    strerror(-err));
		}
	}
	if (err < 0)
		lib_destroy(h);
	else
		*out = h;
	return err;
}

static bool
lib_kernel_serves(struct xen_host *h)
{
	(void)h;
	return access(KERNEL_DRIVER, F_OK) == 0;
}

/* --- the store -------------------------------------------------------------
 */

static int
last_error(void)
{
	return errno != 0 ? -errno : -EIO;
}

static int
lib_store_open(struct xen_host *h, uint32_t *domid)
{
	unsigned int len;
	char *text;

	if (h->store == NULL)
		h->store = xs_open(0);
	if (h->store == NULL)
		return last_error();
	text = xs_read(h->store, XBT_NULL, "domid", &len);
	if (text == NULL)
		return last_error();
	if (str_u32(text, 10, 0, UINT16_MAX, domid) < 0) {
		free(text);
		return -EBADMSG;
	}
	free(text);
	return 0;
}

static int
lib_begin(struct xen_host *h, uint32_t *txn)
{
	*txn = xs_transaction_start(h->store);
	return *txn != XBT_NULL ? 0 : last_error();
}

static int
lib_end(struct xen_host *h, uint32_t txn, bool abort)
{
	return xs_transaction_end(h->store, txn, abort) ? 0 : last_error();
}

static int
lib_read(struct xen_host *h, uint32_t txn, const char *path,
    void (*take)(void *arg, const char *data, size_t len), void *arg)
{
	unsigned int len;
	char *data = xs_read(h->store, txn, path, &len);

	if (data == NULL)
		return last_error();
	take(arg, data, len);
	free(data);
	return 0;
}

static int
lib_list(struct xen_host *h, const char *path,
    void (*each)(void *arg, const char *name), void *arg)
{
	unsigned int count;
	char **names = xs_directory(h->store, XBT_NULL, path, &count);

	if (names == NULL)
		return last_error();
	for (unsigned int i = 0; i < count; i++)
		each(arg, names[i]);
	free(names);
	return 0;
}

static int
lib_write(struct xen_host *h, uint32_t txn, const char *path, const char *value)
{
	unsigned int len = (unsigned int)strlen(value);

	return xs_write(h->store, txn, path, value, len) ? 0 : last_error();
}

static int
lib_watch(struct xen_host *h, const char *path, const char *token)
{
	return xs_watch(h->store, path, token) ? 0 : last_error();
}

static void
lib_unwatch(struct xen_host *h, const char *path, const char *token)
{
	(void)xs_unwatch(h->store, path, token);
}

static bool
lib_next_event(struct xen_host *h,
    void (*take)(void *arg, const char *path, const char *token), void *arg)
{
	char **event = xs_check_watch(h->store);

	if (event == NULL)
		return false;
	take(arg, event[0], event[1]);
	free(event);
	return true;
}

static bool
lib_domain_lives(struct xen_host *h, uint32_t domid)
{
	errno = 0;
	/* Who cannot be asked is not gone. */
	return xs_is_domain_introduced(h->store, domid) || errno != 0;
}

static int
lib_store_fd(struct xen_host *h)
{
	return xs_fileno(h->store);
}

/* --- memory ----------------------------------------------------------------
 */

static void
fill(xengnttab_grant_copy_segment_t *s, uint32_t domid, bool from,
    const struct xnb_copy *c)
{
	union xengnttab_copy_ptr *theirs = from ? &s->source : &s->dest;
	union xengnttab_copy_ptr *ours = from ? &s->dest : &s->source;

	memset(s, 0, sizeof(*s));
	theirs->foreign.ref = c->ref;
	theirs->foreign.offset = c->offset;
	theirs->foreign.domid = (uint16_t)domid;
	ours->virt = c->mem;
	s->len = c->len;
	s->flags = from ? GNTCOPY_source_gref : GNTCOPY_dest_gref;
}

static uint32_t
lib_copy(struct xen_host *h, uint32_t domid, bool from, struct xnb_copy *c,
    uint32_t count)
{
	uint32_t failed = 0;

	for (uint32_t at = 0; at < count;) {
		uint32_t n = COAX_MIN(count - at, (uint32_t)COPY_MAX);
		int err;

		for (uint32_t i = 0; i < n; i++)
			fill(&h->segs[i], domid, from, &c[at + i]);
		err = xengnttab_grant_copy(h->grants, n, h->segs);
		/* 0 means that all were tried; after an error nothing is
		 * known of any. */
		for (uint32_t i = 0; i < n; i++, at++) {
			bool good = err == 0 && h->segs[i].status == GNTST_okay;

			c[at].status = good ? 0 : -EFAULT;
			failed += !good;
		}
	}
	return failed;
}

static int
lib_map(struct xen_host *h, uint32_t domid, uint32_t ref, void **page)
{
	errno = 0;
	*page = xengnttab_map_grant_ref(
	    h->grants, domid, ref, PROT_READ | PROT_WRITE);
	return *page != NULL ? 0 : last_error();
}

static void
lib_unmap(struct xen_host *h, void *page)
{
	(void)xengnttab_unmap(h->grants, page, 1);
}

/* --- events ----------------------------------------------------------------
 */

static int
lib_bind(struct xen_host *h, uint32_t domid, uint32_t remote, uint32_t *local)
{
	xenevtchn_port_or_error_t port;

	errno = 0;
	port = xenevtchn_bind_interdomain(h->events, domid, remote);
	if (port < 0)
		return last_error();
	*local = (uint32_t)port;
	return 0;
}

static void
lib_unbind(struct xen_host *h, uint32_t local)
{
	(void)xenevtchn_unbind(h->events, local);
}

static void
lib_notify(struct xen_host *h, uint32_t local)
{
	(void)xenevtchn_notify(h->events, local);
}

static int
lib_pending(struct xen_host *h, uint32_t *locals, uint32_t max)
{
	int fd = xenevtchn_fd(h->events);
	ssize_t n = read(fd, locals, max * sizeof(*locals));

	if (n >= 0)
		return (int)((size_t)n / sizeof(*locals));
	if (errno != EFBIG)
		return -errno;
	/* The kernel has lost count of them. */
	(void)ioctl(fd, EVTCHN_RESET, 0);
	return -EOVERFLOW;
}

static void
lib_unmask(struct xen_host *h, const uint32_t *locals, uint32_t count)
{
	ssize_t n =
	    write(xenevtchn_fd(h->events), locals, count * sizeof(*locals));

	(void)n; /* a channel that is not bound any more is passed over */
}

static int
lib_event_fd(struct xen_host *h)
{
	return xenevtchn_fd(h->events);
}

const struct xen_host_ops xen_host_lib = {
	.create = lib_create,
	.destroy = lib_destroy,
	.kernel_serves = lib_kernel_serves,
	.store_open = lib_store_open,
	.begin = lib_begin,
	.end = lib_end,
	.read = lib_read,
	.list = lib_list,
	.write = lib_write,
	.watch = lib_watch,
	.unwatch = lib_unwatch,
	.next_event = lib_next_event,
	.domain_lives = lib_domain_lives,
	.store_fd = lib_store_fd,
	.copy = lib_copy,
	.map = lib_map,
	.unmap = lib_unmap,
	.bind = lib_bind,
	.unbind = lib_unbind,
	.notify = lib_notify,
	.pending = lib_pending,
	.unmask = lib_unmask,
	.event_fd = lib_event_fd,
};
