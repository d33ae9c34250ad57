/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xnb: the local transport. The front end is a program on this machine.
 *
 * How it works (doc/ring.md is the protocol, for who writes a front end)
 *
 *   Its memory is a memfd that it made and sealed, so that it cannot shrink
 *   under us; a grant reference is the number of a page in it. Rings, buffers
 *   and packets are all there.
 *
 *   An event channel is a pair of eventfds that we make when the front end
 *   names its number, one for each direction. Nobody reads them: they are
 *   watched edge-triggered, so every signal is an event, and nothing that the
 *   other end does to the counter or to the descriptor's flags matters; ours
 *   are sent by kick_send(), which cannot be made to wait.
 *
 *   The handshake is an exchange of keys and values, those of xenstore, over a
 *   SEQPACKET socket: one message is a list of pairs that were written
 *   together. Each end sees what the other wrote in its own directory. When the
 *   socket hangs up the program is gone.
 *
 * What we keep of the front end's directory is bounded (KEYS_SIZE); so is what
 * waits to be sent: who does not read its messages is cut off.
 */
#include "drv/xnb/local.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ether.h"
#include "base/keys.h"
#include "base/log.h"
#include "base/str.h"
#include "base/util.h"
#include "drv/xnb/xnb.h"
#include "net/info.h"
#include "os/kick.h"
#include "os/loop.h"
#include "os/sock.h"

#define PAGES_MAX    32768u /* of a front end's memory: 128 MiB */
#define CHANNELS_MAX (2 * XNB_QUEUES_MAX + 1)
#define FDS_CHANNELS (SOCK_FDS_MAX / 2) /* channels in a message */
#define AHEAD        8u /* pieces: how far ahead memory is asked for */
#define READ_BUDGET  4  /* messages a wake-up takes */

_Static_assert(KEYS_VALUE_MAX == XNB_VALUE_MAX, "values");

struct xnb_channel {
	struct xnb_local *local;
	uint32_t port;        /* the front end's number for it */
	uint32_t refs;        /* 0: not bound */
	struct loop_fd watch; /* the front end's signals */
	int fd;               /* ours */
};

struct xnb_local {
	struct xnb_transport t;
	struct net *net;
	struct loop_fd store; /* our end of the socket */
	uint32_t uid;
	int32_t pid;
	uint32_t depth; /* of begin */
	bool failed;    /* the socket does not take what we write */
	struct xnb_channel *channels[CHANNELS_MAX]; /* owned */
	uint32_t channel_count;
	uint32_t channels_told; /* the front end has their descriptors */
	struct keys front;      /* what it wrote */
	struct keys out;        /* what we wrote and is not sent yet */
};

static struct xnb_local *
local_of(struct xnb_transport *t)
{
	return CONTAINER_OF(t, struct xnb_local, t);
}

static const struct xnb_local *
local_of_const(const struct xnb_transport *t)
{
	return (
	    const struct xnb_local *)(const void *)((const char *)t -
	                                            offsetof(
	                                                struct xnb_local, t));
}

static struct loop *
loop_of(const struct xnb_local *l)
{
	return drv_context(l->net)->loop;
}

/* --- data ------------------------------------------------------------------
 */

/* Where a piece is in the front end's memory; NULL: nowhere. */
static inline uint8_t *
piece(const struct xnb_local *l, const struct xnb_copy *c)
{
	if (__builtin_expect(c->ref >= l->t.pages, 0))
		return NULL;
	return l->t.mem + (size_t)c->ref * COAX_RING_PAGE + c->offset;
}

static uint32_t
local_copy_from(struct xnb_transport *t, struct xnb_copy *c, uint32_t count)
{
	const struct xnb_local *l = local_of(t);
	uint32_t failed = 0;

	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *from = piece(l, &c[i]);

		if (i + AHEAD < count)
			shm_will_read(piece(l, &c[i + AHEAD]));
		c[i].status = from != NULL ? 0 : -EFAULT;
		if (from != NULL)
			shm_copy_from(c[i].mem, from, c[i].len);
		else
			failed++;
	}
	return failed;
}

static uint32_t
local_copy_to(struct xnb_transport *t, struct xnb_copy *c, uint32_t count)
{
	const struct xnb_local *l = local_of(t);
	uint32_t failed = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint8_t *to = piece(l, &c[i]);

		if (i + AHEAD < count)
			shm_will_write(piece(l, &c[i + AHEAD]));
		c[i].status = to != NULL ? 0 : -EFAULT;
		if (to != NULL)
			shm_copy_to(to, c[i].mem, c[i].len);
		else
			failed++;
	}
	return failed;
}

static int
local_map(struct xnb_transport *t, uint32_t ref, void **page)
{
	struct xnb_local *l = local_of(t);

	if (ref >= l->t.pages)
		return -EFAULT;
	*page = l->t.mem + (size_t)ref * COAX_RING_PAGE;
	return 0;
}

static void
local_unmap(struct xnb_transport *t, void *page)
{
	(void)t;
	(void)page; /* part of the memory, which stays */
}

/* The front end's memory has come. 0 or -errno with the reason told. */
static int
take_memory(struct xnb_local *l, int fd)
{
	struct stat st;
	size_t size;
	void *mem;
	int err;

	if (l->t.mem != NULL)
		return net_error(l->net, -EEXIST, "memory came twice");
	if (fstat(fd, &st) < 0)
		return net_error(l->net, -errno, "memory: no descriptor");
	if (st.st_size < COAX_RING_PAGE ||
	    st.st_size > (off_t)PAGES_MAX * COAX_RING_PAGE ||
	    st.st_size % COAX_RING_PAGE != 0)
		return net_error(l->net, -EINVAL,
		    "memory of %lld bytes: 1 to %u pages of 4096 can be had",
		    (long long)st.st_size, PAGES_MAX);
	size = (size_t)st.st_size;
	err = memfd_check(fd, size);
	if (err < 0)
		return net_error(l->net, err,
		    "memory is not a memfd that is sealed against shrinking");
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mem == MAP_FAILED)
		return net_error(l->net, -errno, "memory cannot be mapped");
	l->t.mem = mem;
	l->t.pages = (uint32_t)(size / COAX_RING_PAGE);
	return 0;
}

/* --- events ----------------------------------------------------------------
 */

static void
channel_event(struct loop_fd *w, uint32_t revents)
{
	struct xnb_channel *ch = w->arg;

	(void)revents;
	if (ch->local->t.xnb != NULL)
		xnb_event(ch->local->t.xnb);
}

static void
channel_free(struct xnb_channel *ch)
{
	if (ch->watch.fd >= 0)
		loop_fd_del(loop_of(ch->local), &ch->watch);
	fd_close(&ch->watch.fd);
	fd_close(&ch->fd);
	free(ch);
}

static int
channel_make(struct xnb_local *l, uint32_t port, struct xnb_channel **out)
{
	struct xnb_channel *ch;
	int err;

	if (l->channel_count == CHANNELS_MAX)
		return -ENOSPC;
	ch = calloc(1, sizeof(*ch));
	if (ch == NULL)
		return -ENOMEM;
	ch->local = l;
	ch->port = port;
	ch->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ch->watch = (struct loop_fd){
		.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
		.events = EPOLLIN | EPOLLET,
		.fn = channel_event,
		.arg = ch,
	};
	err = ch->fd < 0 || ch->watch.fd < 0
	          ? -errno
	          : loop_fd_add(loop_of(l), &ch->watch);
	if (err < 0) {
		channel_free(ch);
		return err;
	}
	l->channels[l->channel_count++] = ch;
	*out = ch;
	return 0;
}

static int
local_bind(struct xnb_transport *t, uint32_t port, struct xnb_queue *q,
    enum xnb_event what, struct xnb_channel **out)
{
	struct xnb_local *l = local_of(t);
	struct xnb_channel *ch = NULL;
	int err = 0;

	(void)q;
	(void)what;
	for (uint32_t i = 0; i < l->channel_count; i++) {
		if (l->channels[i]->port == port)
			ch = l->channels[i];
	}
	if (ch == NULL)
		err = channel_make(l, port, &ch);
	if (err < 0)
		return err;
	ch->refs++;
	*out = ch;
	return 0;
}

static void
local_unbind(struct xnb_transport *t, struct xnb_channel *ch)
{
	struct xnb_local *l = local_of(t);
	uint32_t i = 0;

	if (--ch->refs != 0)
		return;
	while (l->channels[i] != ch)
		i++;
	memmove(&l->channels[i], &l->channels[i + 1],
	    (l->channel_count - i - 1) * sizeof(l->channels[0]));
	l->channel_count--;
	if (i < l->channels_told)
		l->channels_told--;
	channel_free(ch);
}

static void
local_notify(struct xnb_transport *t, struct xnb_channel *ch)
{
	const struct xnb_local *l = local_of(t);

	/* An eventfd of ours: it cannot fail in a way that matters. */
	(void)kick_send(drv_context(l->net)->kick, ch->fd);
}

/* --- keys and values -------------------------------------------------------
 */

static int
copy_value(const char *from, char *value)
{
	if (from == NULL)
		return -ENOENT;
	return str_copy(value, XNB_VALUE_MAX, from) < 0 ? -EMSGSIZE : 0;
}

static int
local_read_front(struct xnb_transport *t, const char *key, char *value)
{
	return copy_value(keys_get(&local_of(t)->front, key), value);
}

/* No tool has written anything: ifconfig sets the interface itself. */
static int
local_read_back(struct xnb_transport *t, const char *key, char *value)
{
	(void)t;
	(void)key;
	(void)value;
	return -ENOENT;
}

/* Sends one message. What does not fit into the socket ends the port. */
static void
send_message(
    struct xnb_local *l, const struct keys *k, const int *fds, uint32_t count)
{
	ssize_t n;

	if (l->failed || k->len == 0)
		return;
	n = sock_send_fds(l->store.fd, k->data, k->len, fds, count);
	if (n != (ssize_t)k->len)
		l->failed = true; /* the next event of the socket ends it */
}

/* Descriptors of channels that the front end does not have yet. */
static void
send_channels(struct xnb_local *l)
{
	while (l->channels_told < l->channel_count) {
		char text[KEYS_VALUE_MAX];
		struct sbuf b = sbuf_init(text, sizeof(text));
		struct keys k = { .len = 0 };
		int fds[SOCK_FDS_MAX];
		uint32_t n = 0;

		while (
		    n < FDS_CHANNELS && l->channels_told < l->channel_count) {
			const struct xnb_channel *ch =
			    l->channels[l->channels_told++];

			sbuf_printf(&b, "%s%u", n != 0 ? " " : "", ch->port);
			fds[2 * n] = ch->watch.fd;
			fds[2 * n + 1] = ch->fd;
			n++;
		}
		(void)keys_append(&k, "event-channels", text);
		send_message(l, &k, fds, 2 * n);
	}
}

static void
flush_out(struct xnb_local *l)
{
	send_channels(l);
	send_message(l, &l->out, NULL, 0);
	l->out.len = 0;
}

static int
local_write(struct xnb_transport *t, const char *key, const char *value)
{
	struct xnb_local *l = local_of(t);
	int err = keys_append(&l->out, key, value);

	if (err == -ENOSPC) {
		flush_out(l);
		err = keys_append(&l->out, key, value);
	}
	if (l->depth == 0)
		flush_out(l);
	return err;
}

static void
local_begin(struct xnb_transport *t)
{
	local_of(t)->depth++;
}

static void
local_end(struct xnb_transport *t)
{
	struct xnb_local *l = local_of(t);

	if (--l->depth == 0)
		flush_out(l);
}

static void
local_error(struct xnb_transport *t, int err, const char *text)
{
	char clean[KEYS_VALUE_MAX];

	(void)err;
	snprintf(clean, sizeof(clean), "%s", text);
	(void)local_write(t, "error", clean);
}

static void
local_close(struct xnb_transport *t)
{
	struct xnb_local *l = local_of(t);

	flush_out(l);
	loop_fd_del(loop_of(l), &l->store);
	fd_close(&l->store.fd);
	while (l->channel_count != 0)
		channel_free(l->channels[--l->channel_count]);
	if (l->t.mem != NULL)
		(void)munmap(l->t.mem, (size_t)l->t.pages * COAX_RING_PAGE);
	free(l);
}

static void
local_get(const struct xnb_transport *t, struct info *out)
{
	const struct xnb_local *l = local_of_const(t);

	info_u64(out, "pages", l->t.pages);
	info_u64(out, "opened_by_uid", l->uid);
	if (l->pid != 0)
		info_i64(out, "opened_by_pid", l->pid);
}

static const struct xnb_transport_ops local_ops = {
	.name = "local",
	.any_offset = true,
	.copy_from = local_copy_from,
	.copy_to = local_copy_to,
	.map = local_map,
	.unmap = local_unmap,
	.bind = local_bind,
	.unbind = local_unbind,
	.notify = local_notify,
	.read_front = local_read_front,
	.read_back = local_read_back,
	.write = local_write,
	.begin = local_begin,
	.end = local_end,
	.error = local_error,
	.close = local_close,
	.get = local_get,
};

/* --- the socket ------------------------------------------------------------
 */

/* The program is gone, or cut off. */
static void
program_gone(struct xnb_local *l)
{
	struct xnb *x = l->t.xnb;

	if (x->persist)
		xnb_detach(x);
	else
		(void)net_iface_destroy(&x->ifp, NULL);
}

static void
cut_off(struct xnb_local *l, const char *why)
{
	xnb_vif_tell(l->t.xnb, "the program is cut off", why);
	l->t.xnb->pace.failed = true;
	local_error(&l->t, -EPROTO, why);
	program_gone(l);
}

/* One message, which may bring the memory. 0, or -errno with the reason. */
static int
take_message(struct xnb_local *l, const char *data, size_t len, const int *fds,
    uint32_t count)
{
	const char *key, *value;
	uint32_t state = UINT32_MAX;
	size_t at = 0;
	int err = 0;

	if (!keys_check(data, len))
		return net_error(l->net, -EINVAL, "not a message of keys");
	if (count > 1)
		return net_error(l->net, -EINVAL, "too many descriptors");
	if (count == 1)
		err = take_memory(l, fds[0]);
	while (err == 0 && keys_next(data, len, &at, &key, &value)) {
		err = keys_set(&l->front, key, value);
		if (err < 0)
			return net_error(l->net, err, "too many keys");
		if (strcmp(key, "state") == 0 &&
		    str_u32(value, 10, 0, COAX_NETIF_STATE_RECONFIGURED,
		        &state) < 0)
			return net_error(l->net, -EINVAL, "no such state");
	}
	if (err < 0)
		return err;
	if (state == UINT32_MAX)
		state = l->t.xnb->front_state;
	if (state == COAX_NETIF_STATE_UNKNOWN && l->t.xnb->front_state == state)
		return 0; /* keys, before it has said anything of its state */
	xnb_vif_front_changed(l->t.xnb, state);
	return 0;
}

static void
store_event(struct loop_fd *w, uint32_t revents)
{
	struct xnb_local *l = w->arg;
	struct net *net = l->net;
	char data[KEYS_SIZE];

	(void)revents;
	if (l->failed) {
		cut_off(l, "it does not read its messages");
		return;
	}
	for (int i = 0; i < READ_BUDGET; i++) {
		int fds[SOCK_FDS_MAX];
		unsigned int count;
		bool truncated;
		int err;
		ssize_t n = sock_recv_fds(w->fd, data, sizeof(data), fds,
		    SOCK_FDS_MAX, &count, &truncated);

		if (n == -EAGAIN)
			return;
		net->message[0] = '\0';
		if (n <= 0)
			err = -EPIPE;
		else if (truncated)
			err = net_error(net, -EMSGSIZE, "a message too long");
		else
			err = take_message(
			    l, data, (size_t)n, fds, (uint32_t)count);
		while (count > 0)
			fd_close(&fds[--count]);
		if (n <= 0) {
			program_gone(l);
			return;
		}
		if (err < 0) {
			char why[256];

			(void)str_copy(why, sizeof(why), net->message);
			cut_off(l, why);
			return;
		}
	}
}

/* --- opening ---------------------------------------------------------------
 */

static int
local_make(struct net *net, const struct xnb_local_options *opts, int *theirs,
    struct xnb_local **out)
{
	struct drv_context *ctx = drv_context(net);
	struct xnb_local *l;
	int fds[2];
	int err = 0;

	if (ctx->kick == NULL) {
		err = kick_create(0, &ctx->kick);
		if (err == 0 && !kick_is_safe(ctx->kick))
			log_warning("xnb: no asynchronous I/O: a program can "
			            "hold the daemon up");
	}
	if (err == 0 && !kick_is_safe(ctx->kick) && opts->uid != 0 &&
	    opts->uid != geteuid())
		err = net_error(net, -EPERM,
		    "without asynchronous I/O (io_setup(2)) ring ports are "
		    "for the daemon's own user");
	if (err < 0)
		return err;
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return -ENOMEM;
	err = sock_seqpacket_pair(0, fds);
	if (err < 0)
		goto out_free;
	l->t.ops = &local_ops;
	l->net = net;
	l->uid = opts->uid;
	l->pid = opts->pid;
	l->store = (struct loop_fd){
		.fd = fds[0],
		.events = EPOLLIN | EPOLLRDHUP,
		.fn = store_event,
		.arg = l,
	};
	err = fd_set_nonblock(fds[1], false);
	if (err == 0)
		err = loop_fd_add(ctx->loop, &l->store);
	if (err < 0)
		goto out_close;
	*theirs = fds[1];
	*out = l;
	return 0;

out_close:
	fd_close(&fds[0]);
	fd_close(&fds[1]);
out_free:
	free(l);
	return err;
}

/* Keys that say what the front end's card is to be. */
static void
put_card(struct xnb *x, struct xnb_local *l)
{
	char text[ETH_ADDR_STRLEN];

	(void)local_write(&l->t, "interface", x->ifp.name);
	(void)local_write(&l->t, "mac", ether_format(x->front_mac, text));
}

int
xnb_local_open(struct net *net, struct vnet *vnet, const char *name,
    const struct xnb_local_options *opts, int *fd_out, struct iface **out)
{
	static const struct xnb_local_options defaults;
	struct iface *ifp = NULL;
	struct xnb_local *l;
	bool made = false;
	int err = 0;

	if (drv_context(net) == NULL || drv_context(net)->loop == NULL)
		return net_error(
		    net, -EOPNOTSUPP, "this program serves no descriptors");
	if (opts == NULL)
		opts = &defaults;
	if (name != NULL)
		ifp = net_iface_find(net, vnet, name);
	if (ifp == NULL && (name == NULL || opts->make)) {
		err = net_iface_create(
		    net, vnet, name != NULL ? name : xnb_ops.kind, &ifp);
		made = err == 0;
	}
	if (err < 0)
		return err;
	if (made)
		ifp->transient = true;
	if (ifp == NULL || ifp->ops != &xnb_ops) {
		if (made)
			(void)net_iface_destroy(ifp, NULL);
		return -ENXIO;
	}
	if (xnb_of(ifp)->t != NULL)
		return -EBUSY;
	err = local_make(net, opts, fd_out, &l);
	if (err < 0) {
		if (made)
			(void)net_iface_destroy(ifp, NULL);
		return err;
	}
	l->depth++;
	put_card(xnb_of(ifp), l);
	(void)xnb_attach(xnb_of(ifp), &l->t);
	local_end(&l->t);
	*out = ifp;
	return 0;
}

void
xnb_local_leave(struct net *net)
{
	struct iface *ifp;

	TAILQ_FOREACH (ifp, &net->ifaces, all_link) {
		struct xnb_transport *t;

		if (ifp->ops != &xnb_ops)
			continue;
		t = xnb_of(ifp)->t;
		if (t != NULL && t->ops == &local_ops)
			local_of(t)->failed = true; /* nothing is sent */
	}
}
