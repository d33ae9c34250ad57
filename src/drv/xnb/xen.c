/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xnb: the transport Xen. The front ends are guests.
 *
 * How it works
 *
 *   Watches in xenstore say that something of a vif has changed; a helper
 *   thread (xen_store.c) takes their events and reads both directories of each
 *   such vif; the worker takes what was read (xenvif.c decides, vif.c does the
 *   handshake) and gives the thread what is to be written. So the worker never
 *   waits for xenstored, and never sees half of a change. One reading is under
 *   way at a time; what happens meanwhile is the next one's.
 *
 *   Requests of a batch are copied by one call (grant copy); the rings' pages
 *   are mapped. All event channels come through one descriptor. A channel that
 *   was signalled stays masked until its queues sleep again (xen_armed()): a
 *   guest that signals without end is heard once a turn.
 *
 *   libxl waits for a state that is exactly InitWait before it goes on, and
 *   would miss it if the guest were faster; so Connected is held back until the
 *   hotplug script has reported. With a script that does not report, until
 *   HOLD_NS after InitWait: by then libxl has seen it.
 *
 *   When the daemon ends nothing is said to the guests. The next one finds both
 *   ends Connected and goes on with the very same rings.
 *
 * Kernel calls of the worker's: grant copy, map, bind, notify. None of them
 * waits for a guest.
 */
#include "drv/xnb/xen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ether.h"
#include "base/list.h"
#include "base/log.h"
#include "base/str.h"
#include "base/util.h"
#include "drv/xnb/xen_store.h"
#include "drv/xnb/xnb.h"
#include "net/info.h"
#include "os/clock.h"
#include "os/loop.h"

#define HOLD_NS      (2 * CLOCK_NS_PER_SEC)
#define RETRY_NS     (5 * CLOCK_NS_PER_SEC) /* xenstored is not there yet */
#define LEAVE_NS     (3 * CLOCK_NS_PER_SEC)
#define CHANNELS_MAX (2 * XNB_QUEUES_MAX + 1)
#define EVENTS_MAX   64u        /* channels that are taken a call */
#define PORTS_MAX    (1u << 17) /* Xen has no more */

_Static_assert(KEYS_VALUE_MAX == XNB_VALUE_MAX, "values");

struct xnb_channel {
	struct xen_vif *v;
	uint32_t remote, local; /* the guest's number for it, and ours */
	uint32_t refs;
	bool masked; /* it was signalled, and is not heard */
};

struct xen_vif {
	struct xnb_transport t;
	struct xnb_xen *xen;
	struct xenvif v;
	TAILQ_ENTRY(xen_vif) link;
	struct keys front, back; /* as they were read last */
	struct keys out;         /* to be written together */
	uint32_t depth;          /* of begin */
	uint32_t said;           /* the state written last; 0: none */
	uint32_t said_then;      /* ... when the reading under way began */
	bool disowned;           /* the directory is not ours any more */
	bool ending;             /* the interface ends because we want it */
	uint64_t hold_ns;        /* Connected not before; 0: at once */
	struct timer hold;
	char watched[KEYS_VALUE_MAX]; /* the front end's path; "": none */
	char why[KEYS_VALUE_MAX];     /* the last error; "": none */
	struct xnb_channel *channels[CHANNELS_MAX]; /* owned */
	uint32_t channel_count;
};

TAILQ_HEAD(xen_vifs, xen_vif);

struct xnb_xen {
	struct net *net;
	struct loop *loop;
	const struct xen_host_ops *ops;
	struct xen_host *host;
	struct jobs *jobs; /* owned; NULL: submit is somebody else's */
	void (*submit)(void *arg, struct job *job);
	void *arg;
	int (*join)(struct iface *ifp, const char *bridge);
	bool open;     /* the store is */
	bool scanning; /* a reading is under way */
	bool again;    /* events came meanwhile */
	bool leaving;
	bool kernel_told; /* that the kernel's driver is there */
	uint32_t domid;
	char root[XENVIF_PATH_MAX];
	char why[128]; /* the store is not open */
	struct timer retry;
	struct loop_fd store_watch, event_watch;
	struct xen_vifs vifs;
	uint32_t vif_count;
	struct xnb_channel **ports; /* by our number */
	uint32_t port_count;
};

static struct xen_vif *
vif_of(struct xnb_transport *t)
{
	return CONTAINER_OF(t, struct xen_vif, t);
}

static const struct xen_vif *
vif_of_const(const struct xnb_transport *t)
{
	return (
	    const struct xen_vif *)(const void *)((const char *)t -
	                                          offsetof(struct xen_vif, t));
}

/* Of a directory that was read; "": there is none. */
static const char *
value_of(const struct keys *k, const char *key)
{
	const char *value = keys_get(k, key);

	return value != NULL ? value : "";
}

static const char *
state_name(uint32_t state)
{
	static const char *const names[] = {
		[COAX_NETIF_STATE_UNKNOWN] = "Unknown",
		[COAX_NETIF_STATE_INITIALISING] = "Initialising",
		[COAX_NETIF_STATE_INIT_WAIT] = "InitWait",
		[COAX_NETIF_STATE_INITIALISED] = "Initialised",
		[COAX_NETIF_STATE_CONNECTED] = "Connected",
		[COAX_NETIF_STATE_CLOSING] = "Closing",
		[COAX_NETIF_STATE_CLOSED] = "Closed",
		[COAX_NETIF_STATE_RECONFIGURING] = "Reconfiguring",
		[COAX_NETIF_STATE_RECONFIGURED] = "Reconfigured",
	};

	return state < ARRAY_LEN(names) ? names[state] : names[0];
}

/* --- writing to the store --------------------------------------------------
 */

static void
write_done(struct job *job, struct loop *loop)
{
	struct xen_write *w = job->arg;

	(void)loop;
	/* What was removed meanwhile needs nothing any more. */
	if (job->status < 0 && job->status != -ENOENT &&
	    job->status != -ECANCELED)
		log_warning("xenstore: %s cannot be written: %s", w->path,
		    strerror(-job->status));
	free(w);
}

static void
write_keys(struct xen_vif *v, const char *path, const struct keys *keys,
    bool must_exist)
{
	struct xnb_xen *xen = v->xen;
	struct xen_write *w;

	if (xen->leaving || v->disowned || keys->len == 0)
		return;
	w = calloc(1, sizeof(*w));
	if (w == NULL) {
		log_err("xenstore: no memory to write %s", path);
		return;
	}
	w->job = (struct job){
		.run = xen_write_run,
		.done = write_done,
		.arg = w,
	};
	w->ops = xen->ops;
	w->host = xen->host;
	w->must_exist = must_exist;
	w->keys = *keys;
	(void)str_copy(w->path, sizeof(w->path), path);
	xen->submit(xen->arg, &w->job);
}

static void
flush_out(struct xen_vif *v)
{
	char path[XENVIF_PATH_MAX + 32];

	snprintf(path, sizeof(path), "%s/%u/%u", v->xen->root, v->v.domid,
	    v->v.handle);
	write_keys(v, path, &v->out, true);
	v->out.len = 0;
}

static int
xen_write(struct xnb_transport *t, const char *key, const char *value)
{
	struct xen_vif *v = vif_of(t);
	int err;

	if (strcmp(key, "state") == 0)
		(void)str_u32(value, 10, 0, UINT32_MAX, &v->said);
	err = keys_set(&v->out, key, value);
	if (err == -ENOSPC) {
		flush_out(v);
		err = keys_set(&v->out, key, value);
	}
	if (v->depth == 0)
		flush_out(v);
	return err;
}

static void
xen_begin(struct xnb_transport *t)
{
	vif_of(t)->depth++;
}

static void
xen_end(struct xnb_transport *t)
{
	struct xen_vif *v = vif_of(t);

	if (--v->depth == 0)
		flush_out(v);
}

static void
say_state(struct xen_vif *v, uint32_t state)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", state);
	(void)xen_write(&v->t, "state", text);
}

/* Where the toolstack's users look. */
static void
say_error(struct xen_vif *v, int err, const char *text)
{
	struct keys k = { .len = 0 };
	char path[XENVIF_PATH_MAX], line[KEYS_VALUE_MAX];
	int n = snprintf(line, sizeof(line), "%d %s", -err, text);

	xenvif_value(line, COAX_MIN((size_t)n, sizeof(line) - 1), v->why);
	snprintf(path, sizeof(path), "/local/domain/%u/error/backend/vif/%u/%u",
	    v->xen->domid, v->v.domid, v->v.handle);
	(void)keys_set(&k, "error", v->why);
	write_keys(v, path, &k, false);
}

static void
xen_error(struct xnb_transport *t, int err, const char *text)
{
	say_error(vif_of(t), err, text);
}

/* --- reading from what was read --------------------------------------------
 */

static int
copy_value(const char *from, char *value)
{
	if (from == NULL)
		return -ENOENT;
	return str_copy(value, XNB_VALUE_MAX, from) < 0 ? -EMSGSIZE : 0;
}

static int
xen_read_front(struct xnb_transport *t, const char *key, char *value)
{
	return copy_value(keys_get(&vif_of(t)->front, key), value);
}

static int
xen_read_back(struct xnb_transport *t, const char *key, char *value)
{
	return copy_value(keys_get(&vif_of(t)->back, key), value);
}

/* --- data ------------------------------------------------------------------
 */

static uint32_t
xen_copy_from(struct xnb_transport *t, struct xnb_copy *c, uint32_t count)
{
	const struct xen_vif *v = vif_of(t);

	return v->xen->ops->copy(v->xen->host, v->v.domid, true, c, count);
}

static uint32_t
xen_copy_to(struct xnb_transport *t, struct xnb_copy *c, uint32_t count)
{
	const struct xen_vif *v = vif_of(t);

	return v->xen->ops->copy(v->xen->host, v->v.domid, false, c, count);
}

static int
xen_map(struct xnb_transport *t, uint32_t ref, void **page)
{
	const struct xen_vif *v = vif_of(t);

	return v->xen->ops->map(v->xen->host, v->v.domid, ref, page);
}

static void
xen_unmap(struct xnb_transport *t, void *page)
{
	const struct xen_vif *v = vif_of(t);

	v->xen->ops->unmap(v->xen->host, page);
}

/* --- events ----------------------------------------------------------------
 */

/* Room in the table for our number of a channel. */
static int
ports_grow(struct xnb_xen *xen, uint32_t local)
{
	uint32_t count = COAX_MAX(xen->port_count, 64u);
	struct xnb_channel **more;

	if (local < xen->port_count)
		return 0;
	if (local >= PORTS_MAX)
		return -ERANGE;
	while (count <= local)
		count *= 2;
	more = realloc(xen->ports, count * sizeof(struct xnb_channel *));
	if (more == NULL)
		return -ENOMEM;
	for (uint32_t i = xen->port_count; i < count; i++)
		more[i] = NULL;
	xen->ports = more;
	xen->port_count = count;
	return 0;
}

static void
channel_free(struct xnb_channel *ch)
{
	struct xnb_xen *xen = ch->v->xen;

	xen->ops->unbind(xen->host, ch->local);
	xen->ports[ch->local] = NULL;
	free(ch);
}

static int
channel_make(struct xen_vif *v, uint32_t remote, struct xnb_channel **out)
{
	struct xnb_xen *xen = v->xen;
	struct xnb_channel *ch;
	uint32_t local;
	int err;

	if (v->channel_count == CHANNELS_MAX)
		return -ENOSPC;
	ch = calloc(1, sizeof(*ch));
	if (ch == NULL)
		return -ENOMEM;
	err = xen->ops->bind(xen->host, v->v.domid, remote, &local);
	if (err == 0) {
		err = ports_grow(xen, local);
		if (err < 0)
			xen->ops->unbind(xen->host, local);
	}
	if (err < 0) {
		free(ch);
		return err;
	}
	*ch = (struct xnb_channel){
		.v = v,
		.remote = remote,
		.local = local,
	};
	xen->ports[local] = ch;
	v->channels[v->channel_count++] = ch;
	*out = ch;
	return 0;
}

static int
xen_bind(struct xnb_transport *t, uint32_t port, struct xnb_queue *q,
    enum xnb_event what, struct xnb_channel **out)
{
	struct xen_vif *v = vif_of(t);
	struct xnb_channel *ch = NULL;
	int err = 0;

	(void)q;
	(void)what;
	for (uint32_t i = 0; i < v->channel_count; i++) {
		if (v->channels[i]->remote == port)
			ch = v->channels[i];
	}
	if (ch == NULL)
		err = channel_make(v, port, &ch);
	if (err < 0)
		return err;
	ch->refs++;
	*out = ch;
	return 0;
}

static void
xen_unbind(struct xnb_transport *t, struct xnb_channel *ch)
{
	struct xen_vif *v = vif_of(t);
	uint32_t i = 0;

	if (--ch->refs != 0)
		return;
	while (v->channels[i] != ch)
		i++;
	v->channels[i] = v->channels[--v->channel_count];
	channel_free(ch);
}

static void
xen_notify(struct xnb_transport *t, struct xnb_channel *ch)
{
	const struct xen_vif *v = vif_of(t);

	v->xen->ops->notify(v->xen->host, ch->local);
}

static void
xen_armed(struct xnb_transport *t)
{
	const struct xen_vif *v = vif_of(t);
	uint32_t locals[CHANNELS_MAX], count = 0;

	for (uint32_t i = 0; i < v->channel_count; i++) {
		if (v->channels[i]->masked)
			locals[count++] = v->channels[i]->local;
		v->channels[i]->masked = false;
	}
	if (count != 0)
		v->xen->ops->unmask(v->xen->host, locals, count);
}

static void
heard(struct xnb_channel *ch)
{
	ch->masked = true;
	if (ch->v->t.xnb != NULL)
		xnb_event(ch->v->t.xnb);
}

void
xnb_xen_hear(struct xnb_xen *xen)
{
	uint32_t locals[EVENTS_MAX];
	int n = xen->ops->pending(xen->host, locals, EVENTS_MAX);

	if (n == -EOVERFLOW) {
		for (uint32_t i = 0; i < xen->port_count; i++) {
			if (xen->ports[i] != NULL)
				heard(xen->ports[i]);
		}
	}
	for (int i = 0; i < n; i++) {
		if (locals[i] < xen->port_count &&
		    xen->ports[locals[i]] != NULL)
			heard(xen->ports[locals[i]]);
	}
}

static void
event_ready(struct loop_fd *w, uint32_t revents)
{
	(void)revents;
	xnb_xen_hear(w->arg);
}

/* --- the hold --------------------------------------------------------------
 */

static bool
xen_may_connect(struct xnb_transport *t)
{
	struct xen_vif *v = vif_of(t);
	struct net *net = v->xen->net;

	if (xenvif_may_connect(&v->v) || net->now_ns >= v->hold_ns)
		return true;
	if (net->timers == NULL)
		return true;
	if (!timer_is_set(&v->hold))
		(void)timerheap_add(net->timers, &v->hold, v->hold_ns);
	return false;
}

static void
hold_due(struct timer *timer, uint64_t now_ns)
{
	struct xen_vif *v = CONTAINER_OF(timer, struct xen_vif, hold);

	(void)now_ns;
	if (v->t.xnb != NULL)
		xnb_vif_ready(v->t.xnb);
}

/* --- the interface ---------------------------------------------------------
 */

static void
xen_close(struct xnb_transport *t)
{
	struct xen_vif *v = vif_of(t);
	struct timerheap *timers = v->xen->net->timers;

	while (v->channel_count != 0)
		channel_free(v->channels[--v->channel_count]);
	if (timers != NULL && timer_is_set(&v->hold))
		timerheap_del(timers, &v->hold);
	v->t.xnb = NULL;
	if (!v->ending) /* somebody's ifconfig */
		xenvif_gone(&v->v);
}

static void
put_text(struct info *out, const char *name, const char *value)
{
	if (value != NULL)
		info_str(out, name, value);
	else
		info_null(out, name);
}

static void
xen_get(const struct xnb_transport *t, struct info *out)
{
	const struct xen_vif *v = vif_of_const(t);

	info_u64(out, "domid", v->v.domid);
	info_u64(out, "handle", v->v.handle);
	put_text(out, "front_mac", keys_get(&v->back, "mac"));
}

static const struct xnb_transport_ops xen_ops = {
	.name = "xen",
	.by_itself = true,
	.by_page = true,
	.copy_from = xen_copy_from,
	.copy_to = xen_copy_to,
	.map = xen_map,
	.unmap = xen_unmap,
	.bind = xen_bind,
	.unbind = xen_unbind,
	.notify = xen_notify,
	.armed = xen_armed,
	.read_front = xen_read_front,
	.read_back = xen_read_back,
	.write = xen_write,
	.begin = xen_begin,
	.end = xen_end,
	.error = xen_error,
	.may_connect = xen_may_connect,
	.close = xen_close,
	.get = xen_get,
};

/* The toolstack's settings of a new interface. */
static void
set_up(struct xen_vif *v, struct iface *ifp)
{
	struct xnb_xen *xen = v->xen;
	struct net *net = xen->net;
	const char *mac = keys_get(&v->back, "mac");
	const char *mtu = keys_get(&v->back, "mtu");
	const char *bridge = keys_get(&v->back, "bridge");
	uint8_t address[6];
	uint32_t number;
	int err;

	if (mac != NULL && ether_parse(mac, address) == 0)
		ether_copy(xnb_of(ifp)->front_mac, address);
	if (mtu != NULL &&
	    (str_u32(mtu, 10, XNB_MTU_MIN, XNB_MTU_MAX, &number) < 0 ||
	        iface_set_mtu(ifp, number) < 0))
		net_notice(
		    net, ifp, "the MTU in xenstore, \"%s\", is no MTU", mtu);
	if (net_host_wanted(net, ifp->vnet)) {
		err = net_host_attach(ifp, NULL);
		if (err < 0 && err != -EINPROGRESS)
			net_notice(net, ifp, "no netdev: %s", strerror(-err));
	}
	if (bridge != NULL && bridge[0] != '\0' && xen->join != NULL) {
		net->message[0] = '\0';
		err = xen->join(ifp, bridge);
		if (err < 0)
			net_notice(net, ifp, "not in a bridge: %s",
			    net->message[0] != '\0' ? net->message
			                            : strerror(-err));
	}
	(void)iface_set_flags(ifp, IFACE_UP, 0);
}

/* What the guest sees is watched, too. */
static void
watch_done(struct job *job, struct loop *loop)
{
	struct xen_watch *w = job->arg;

	(void)loop;
	if (w->on && job->status < 0 && job->status != -ECANCELED)
		log_warning("xenstore: %s cannot be watched: %s", w->path,
		    strerror(-job->status));
	free(w);
}

static void
watch_front(struct xen_vif *v, bool on)
{
	struct xnb_xen *xen = v->xen;
	struct xen_watch *w;

	if (xen->leaving || v->watched[0] == '\0')
		return;
	w = calloc(1, sizeof(*w));
	if (w == NULL) {
		log_err("xenstore: no memory to watch %s", v->watched);
		return;
	}
	w->job = (struct job){
		.run = xen_watch_run,
		.done = watch_done,
		.arg = w,
	};
	w->ops = xen->ops;
	w->host = xen->host;
	w->on = on;
	w->of = (struct xen_number){ v->v.domid, v->v.handle };
	(void)str_copy(w->path, sizeof(w->path), v->watched);
	xen->submit(xen->arg, &w->job);
}

/* The path may be another when the toolstack has made the vif anew. */
static void
watch_update(struct xen_vif *v)
{
	const char *path = keys_get(&v->back, "frontend");

	if (path == NULL || path[0] != '/' || strcmp(path, v->watched) == 0)
		return;
	watch_front(v, false);
	(void)str_copy(v->watched, sizeof(v->watched), path);
	watch_front(v, true);
}

static void
refuse(struct xen_vif *v, int err, const char *text)
{
	log_warning("xnb%u.%u: %s", v->v.domid, v->v.handle, text);
	say_error(v, err, text);
	say_state(v, COAX_NETIF_STATE_CLOSED);
	xenvif_gone(&v->v);
}

/* A vif of the kernel's: nothing of it is touched. */
static bool
is_the_kernels(struct xen_vif *v)
{
	struct xnb_xen *xen = v->xen;

	if (!xen->ops->kernel_serves(xen->host))
		return false;
	if (!xen->kernel_told)
		log_warning("xnb%u.%u: the kernel's xen-netback is loaded and "
		            "serves vifs: xnb(4)",
		    v->v.domid, v->v.handle);
	xen->kernel_told = true;
	(void)str_copy(
	    v->why, sizeof(v->why), "the kernel's xen-netback serves it");
	v->disowned = true;
	xenvif_gone(&v->v);
	return true;
}

static void
make(struct xen_vif *v, bool resume)
{
	struct xnb_xen *xen = v->xen;
	struct net *net = xen->net;
	char name[IFACE_NAME_MAX];
	struct iface *ifp;
	int err;

	if (is_the_kernels(v))
		return;
	v->disowned = v->ending = false;
	v->why[0] = '\0';
	v->out.len = v->depth = 0;
	snprintf(name, sizeof(name), "xnb%u.%u", v->v.domid, v->v.handle);
	net->message[0] = '\0';
	drv_context(net)->xen_makes = true;
	err = net_iface_create(net, NULL, name, &ifp);
	drv_context(net)->xen_makes = false;
	if (err < 0) {
		refuse(v, err,
		    net->message[0] != '\0' ? net->message : strerror(-err));
		return;
	}
	ifp->transient = true;
	set_up(v, ifp);
	v->hold_ns = resume ? 0 : net->now_ns + HOLD_NS;
	if (resume) {
		v->said = COAX_NETIF_STATE_CONNECTED; /* by another */
		(void)xnb_attach_connected(xnb_of(ifp), &v->t);
	} else {
		(void)xnb_attach(xnb_of(ifp), &v->t);
	}
}

static void
end_interface(struct xen_vif *v)
{
	if (v->t.xnb == NULL)
		return;
	v->ending = true;
	(void)net_iface_destroy(&v->t.xnb->ifp, NULL);
	v->ending = false;
}

static void
vif_free(struct xen_vif *v)
{
	watch_front(v, false);
	TAILQ_REMOVE(&v->xen->vifs, v, link);
	v->xen->vif_count--;
	free(v);
}

/* --- taking what was read --------------------------------------------------
 */

/* One action. Those that are about an interface need one. */
static void
act(struct xen_vif *v, enum xenvif_action what, uint32_t front)
{
	struct xnb *x = v->t.xnb;

	switch (what) {
	case XENVIF_MAKE:
		make(v, false);
		return;
	case XENVIF_RESUME:
		make(v, true);
		return;
	case XENVIF_READY:
		if (x != NULL)
			xnb_vif_ready(x);
		return;
	case XENVIF_FRONT:
		if (x != NULL)
			xnb_vif_front_changed(x, front);
		return;
	case XENVIF_REFUSE:
		if (x == NULL)
			return;
		say_error(v, -EIO, "the hotplug script has failed");
		net_notice(
		    x->ifp.net, &x->ifp, "the hotplug script has failed");
		xnb_vif_close(x);
		return;
	case XENVIF_UNPLUG:
		v->said = COAX_NETIF_STATE_CLOSING;
		if (x != NULL)
			xnb_vif_unplug(x);
		return;
	case XENVIF_CLOSE:
		if (x != NULL)
			xnb_vif_close(x);
		return;
	case XENVIF_SAY_CLOSED:
		say_state(v, COAX_NETIF_STATE_CLOSED);
		return;
	case XENVIF_DESTROY:
		end_interface(v);
		return;
	case XENVIF_DISOWN:
		v->disowned = true;
		return;
	case XENVIF_FORGET:
		vif_free(v);
		return;
	}
	COAX_UNREACHABLE();
}

static struct xen_vif *
find(const struct xnb_xen *xen, struct xen_number of)
{
	struct xen_vif *v;

	TAILQ_FOREACH (v, &xen->vifs, link) {
		if (v->v.domid == of.domid && v->v.handle == of.handle)
			return v;
	}
	return NULL;
}

static struct xen_vif *
vif_new(struct xnb_xen *xen, struct xen_number of)
{
	struct xen_vif *v = NULL;

	if (xen->vif_count < NET_IFACES_MAX)
		v = calloc(1, sizeof(*v));
	if (v == NULL) {
		log_err("xnb%u.%u: no room for it", of.domid, of.handle);
		return NULL;
	}
	v->t.ops = &xen_ops;
	v->xen = xen;
	v->v.domid = of.domid;
	v->v.handle = of.handle;
	v->hold.fn = hold_due;
	TAILQ_INSERT_TAIL(&xen->vifs, v, link);
	xen->vif_count++;
	return v;
}

static void
take_result(struct xnb_xen *xen, const struct xen_result *r)
{
	struct xen_vif *v = find(xen, r->of);
	struct xenvif_actions actions;
	struct xenvif_view view;
	bool rate;

	if (v == NULL && r->dirs.there)
		v = vif_new(xen, r->of);
	if (v == NULL)
		return;
	rate = strcmp(value_of(&v->back, "rate"),
	           value_of(&r->dirs.back, "rate")) != 0;
	v->back = r->dirs.back;
	v->front = r->dirs.front;
	view = xenvif_view_of(&r->dirs, v->said_then);
	if (r->dirs.there)
		watch_update(v);
	xenvif_step(&v->v, &view, &actions);
	if (rate && v->t.xnb != NULL)
		xnb_vif_rate(v->t.xnb);
	for (uint32_t i = 0; i < actions.count; i++)
		act(v, actions.list[i], actions.front);
}

static void
scan_done(struct job *job, struct loop *loop)
{
	struct xen_scan *s = job->arg;
	struct xnb_xen *xen = s->xen;

	(void)loop;
	xen->scanning = false;
	xen->again = xen->again || s->more;
	net_set_cause(xen->net, "xen");
	for (const struct xen_result *r = s->first;
	     r != NULL && !xen->leaving && job->status == 0; r = r->next)
		take_result(xen, r);
	net_set_cause(xen->net, NULL);
	xen_scan_free(s);
	if (xen->leaving)
		return;
	if (xen->loop != NULL)
		(void)loop_fd_mod(xen->loop, &xen->store_watch, EPOLLIN);
	if (xen->again)
		xnb_xen_look(xen);
}

void
xnb_xen_look(struct xnb_xen *xen)
{
	struct xen_scan *s;
	struct xen_vif *v;
	uint32_t i = 0;

	if (!xen->open || xen->leaving)
		return;
	xen->again = xen->scanning;
	if (xen->scanning)
		return;
	s = xen_scan_new(xen->vif_count);
	if (s == NULL) {
		log_err("xenstore: no memory to read it");
		return;
	}
	s->ops = xen->ops;
	s->host = xen->host;
	s->xen = xen;
	s->job.done = scan_done;
	(void)str_copy(s->root, sizeof(s->root), xen->root);
	TAILQ_FOREACH (v, &xen->vifs, link) {
		s->vifs[i++].of =
		    (struct xen_number){ v->v.domid, v->v.handle };
		v->said_then = v->said;
	}
	/* Until it is done the descriptor stays as it is. */
	if (xen->loop != NULL)
		(void)loop_fd_mod(xen->loop, &xen->store_watch, 0);
	xen->scanning = true;
	xen->submit(xen->arg, &s->job);
}

static void
store_ready(struct loop_fd *w, uint32_t revents)
{
	(void)revents;
	xnb_xen_look(w->arg);
}

/* --- opening the store -----------------------------------------------------
 */

static void open_store(struct xnb_xen *xen);

static void
retry_due(struct timer *t, uint64_t now_ns)
{
	(void)now_ns;
	open_store(CONTAINER_OF(t, struct xnb_xen, retry));
}

static void
store_opened(struct xnb_xen *xen)
{
	int err = 0;

	xen->open = true;
	xen->why[0] = '\0';
	log_info("xen: serving vifs as domain %u", xen->domid);
	if (xen->loop == NULL) {
		xnb_xen_look(xen);
		return;
	}
	xen->store_watch = (struct loop_fd){
		.fd = xen->ops->store_fd(xen->host),
		.events = EPOLLIN,
		.fn = store_ready,
		.arg = xen,
		.quiet = true,
	};
	err = loop_fd_add(xen->loop, &xen->store_watch);
	if (err < 0) {
		snprintf(
		    xen->why, sizeof(xen->why), "xenstore: %s", strerror(-err));
		log_err("xen: %s", xen->why);
	}
}

static void
open_done(struct job *job, struct loop *loop)
{
	struct xen_open *o = job->arg;
	struct xnb_xen *xen = o->xen;
	int err = job->status;

	(void)loop;
	xen->domid = o->domid;
	(void)str_copy(xen->root, sizeof(xen->root), o->root);
	free(o);
	if (xen->leaving)
		return;
	if (err == 0) {
		store_opened(xen);
		return;
	}
	snprintf(xen->why, sizeof(xen->why), "xenstore: %s", strerror(-err));
	log_debug("xen: %s", xen->why);
	if (xen->net->timers != NULL)
		(void)timerheap_add(
		    xen->net->timers, &xen->retry, xen->net->now_ns + RETRY_NS);
}

static void
open_store(struct xnb_xen *xen)
{
	struct xen_open *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return;
	o->job = (struct job){
		.run = xen_open_run,
		.done = open_done,
		.arg = o,
	};
	o->ops = xen->ops;
	o->host = xen->host;
	o->xen = xen;
	xen->submit(xen->arg, &o->job);
}

/* --- life ------------------------------------------------------------------
 */

static void
submit_own(void *arg, struct job *job)
{
	struct xnb_xen *xen = arg;

	jobs_submit(xen->jobs, job);
}

static int
start_loop(struct xnb_xen *xen, bool own)
{
	int err = 0;

	if (own) {
		err = jobs_create(xen->loop, &xen->jobs);
		xen->submit = submit_own;
		xen->arg = xen;
	}
	if (err < 0 || xen->loop == NULL)
		return err;
	xen->event_watch = (struct loop_fd){
		.fd = xen->ops->event_fd(xen->host),
		.events = EPOLLIN,
		.fn = event_ready,
		.arg = xen,
	};
	return loop_fd_add(xen->loop, &xen->event_watch);
}

int
xnb_xen_start(struct net *net, const struct xnb_xen_options *options,
    struct xnb_xen **out, char *why, size_t size)
{
	const struct xen_host_ops *ops =
	    options->ops != NULL ? options->ops : &xen_host_lib;
	struct xen_host *host;
	struct xnb_xen *xen;
	int err = ops->create(&host, why, size);

	if (err < 0)
		return err;
	xen = calloc(1, sizeof(*xen));
	if (xen == NULL) {
		ops->destroy(host);
		return -ENOMEM;
	}
	xen->net = net;
	xen->loop = options->loop;
	xen->ops = ops;
	xen->host = host;
	xen->submit = options->submit;
	xen->arg = options->arg;
	xen->join = options->join;
	xen->retry.fn = retry_due;
	TAILQ_INIT(&xen->vifs);
	(void)str_copy(xen->why, sizeof(xen->why), "xenstore: not open yet");
	err = start_loop(xen, options->submit == NULL);
	if (err < 0) {
		snprintf(why, size, "%s", strerror(-err));
		xen->leaving = true;
		xnb_xen_stop(xen);
		return err;
	}
	open_store(xen);
	*out = xen;
	return 0;
}

void
xnb_xen_leave(struct xnb_xen *xen)
{
	if (xen == NULL)
		return;
	/* What was said before is still written. */
	if (xen->jobs != NULL &&
	    jobs_drain(xen->jobs, clock_now_ns() + LEAVE_NS) < 0)
		log_warning("xenstored does not answer");
	xen->leaving = true;
	if (xen->net->timers != NULL && timer_is_set(&xen->retry))
		timerheap_del(xen->net->timers, &xen->retry);
	if (xen->loop != NULL) {
		loop_fd_del(xen->loop, &xen->store_watch);
		loop_fd_del(xen->loop, &xen->event_watch);
	}
}

void
xnb_xen_stop(struct xnb_xen *xen)
{
	struct xen_vif *v;

	if (xen == NULL)
		return;
	/* A thread that waits for xenstored has what it works with; both end
	 * with the process. */
	if (xen->jobs != NULL && jobs_pending(xen->jobs) != 0)
		return;
	jobs_destroy(xen->jobs);
	while ((v = TAILQ_FIRST(&xen->vifs)) != NULL) {
		TAILQ_REMOVE(&xen->vifs, v, link);
		free(v);
	}
	xen->ops->destroy(xen->host);
	free(xen->ports);
	free(xen);
}

/* --- the print-out ---------------------------------------------------------
 */

static const char *
hotplug_name(enum xenvif_hotplug hotplug)
{
	switch (hotplug) {
	case XENVIF_HOTPLUG_NONE:
		return "none";
	case XENVIF_HOTPLUG_PENDING:
		return "pending";
	case XENVIF_HOTPLUG_CONNECTED:
		return "connected";
	case XENVIF_HOTPLUG_ERROR:
		return "error";
	}
	COAX_UNREACHABLE();
}

static const char *
phase_name(const struct xen_vif *v)
{
	switch (v->v.phase) {
	case XENVIF_NEW:
		return "waiting";
	case XENVIF_SERVED:
		return v->v.unplugged ? "unplugged" : "served";
	case XENVIF_ENDED:
		return "ended";
	}
	COAX_UNREACHABLE();
}

static void
put_features(const struct xnb_features *f, struct info *out)
{
	const struct {
		const char *name;
		bool on;
	} all[] = {
		{ "sg", f->sg },
		{ "gso-tcpv4", f->gso4 },
		{ "gso-tcpv6", f->gso6 },
		{ "csum", f->csum4 },
		{ "ipv6-csum", f->csum6 },
		{ "rx-notify", f->rx_notify },
		{ "multicast-control", f->mcast },
		{ "xdp-headroom", f->headroom != 0 },
	};

	info_list(out, "features");
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (all[i].on)
			info_str(out, NULL, all[i].name);
	}
	info_end(out);
}

static void
put_vif(const struct xen_vif *v, struct info *out)
{
	const struct xnb *x = v->t.xnb;
	const struct xnb_features none = { 0 };

	info_object(out, NULL);
	info_u64(out, "domid", v->v.domid);
	info_u64(out, "handle", v->v.handle);
	put_text(out, "interface", x != NULL ? x->ifp.name : NULL);
	info_str(out, "phase", phase_name(v));
	info_str(out, "state", state_name(x != NULL ? x->state : v->said));
	info_str(out, "front_state", state_name(v->v.front));
	info_bool(
	    out, "online", strcmp(value_of(&v->back, "online"), "0") != 0);
	info_str(out, "hotplug", hotplug_name(v->v.hotplug));
	put_text(out, "mac", keys_get(&v->back, "mac"));
	put_text(out, "bridge", keys_get(&v->back, "bridge"));
	put_text(out, "script", keys_get(&v->back, "script"));
	put_text(out, "rate", keys_get(&v->back, "rate"));
	info_bool(out, "connected", x != NULL && x->connected);
	info_u64(out, "queues", x != NULL ? x->queue_count : 0);
	info_u64(out, "channels", v->channel_count);
	put_features(x != NULL ? &x->features : &none, out);
	put_text(out, "error", v->why[0] != '\0' ? v->why : NULL);
	info_end(out);
}

void
xnb_xen_get(const struct xnb_xen *xen, struct info *out)
{
	const struct xen_vif *v;

	info_u64(out, "domid", xen->domid);
	info_bool(out, "open", xen->open);
	put_text(out, "why", xen->why[0] != '\0' ? xen->why : NULL);
	info_list(out, "vifs");
	TAILQ_FOREACH (v, &xen->vifs, link)
		put_vif(v, out);
	info_end(out);
}
