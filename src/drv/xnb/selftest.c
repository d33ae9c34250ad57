/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xnb: running the built-in tests, and what they stand on: a private net with
 * one interface, whose transport is an array of pages in this very process.
 */
#include "drv/xnb/selftest.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/log.h"
#include "base/str.h"
#include "drv/xnb/selftest_impl.h"

#define TX_WORDS (COAX_NETIF_TX_SLOT_SIZE / sizeof(uint32_t))
#define RX_WORDS (COAX_NETIF_RX_SLOT_SIZE / sizeof(uint32_t))

static void __attribute__((format(printf, 2, 3)))
say(struct st *s, const char *fmt, ...)
{
	size_t room = ST_TEXT_MAX - s->text_len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(s->text + s->text_len, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		s->text_len += COAX_MIN((size_t)n, room - 1);
}

void
st_fail(struct st *s, const char *function, int line, const char *what)
{
	s->errors++;
	say(s, "%s:%d Assertion Error: %s\n", function, line, what);
}

/* --- the transport ---------------------------------------------------------
 */

static struct st *
st_of(struct xnb_transport *t)
{
	return CONTAINER_OF(t, struct st, t);
}

static uint32_t
copy(struct st *s, struct xnb_copy *c, uint32_t count, bool from)
{
	uint32_t failed = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint8_t *page;

		if (s->log_count < ST_LOG_MAX)
			s->log[s->log_count] =
			    (struct st_log){ .from = from, .c = c[i] };
		s->log_count++;
		c[i].status = 0;
		if (c[i].ref >= ST_PAGES || c[i].ref == s->bad_ref) {
			c[i].status = -EFAULT;
			failed++;
			continue;
		}
		page = s->pages + (size_t)c[i].ref * COAX_RING_PAGE;
		if (from)
			shm_copy_from(c[i].mem, page + c[i].offset, c[i].len);
		else
			shm_copy_to(page + c[i].offset, c[i].mem, c[i].len);
	}
	return failed;
}

static uint32_t
st_copy_from(struct xnb_transport *t, struct xnb_copy *c, uint32_t count)
{
	return copy(st_of(t), c, count, true);
}

static uint32_t
st_copy_to(struct xnb_transport *t, struct xnb_copy *c, uint32_t count)
{
	return copy(st_of(t), c, count, false);
}

static int
st_map(struct xnb_transport *t, uint32_t ref, void **page)
{
	if (ref >= ST_PAGES)
		return -EFAULT;
	*page = st_of(t)->pages + (size_t)ref * COAX_RING_PAGE;
	return 0;
}

static void
st_unmap(struct xnb_transport *t, void *page)
{
	(void)t;
	(void)page;
}

static int
st_bind(struct xnb_transport *t, uint32_t port, struct xnb_queue *q,
    enum xnb_event what, struct xnb_channel **out)
{
	struct st *s = st_of(t);

	(void)port;
	(void)q;
	(void)what;
	s->channels++;
	*out = (struct xnb_channel *)(void *)s; /* never looked into */
	return 0;
}

static void
st_unbind(struct xnb_transport *t, struct xnb_channel *ch)
{
	(void)ch;
	st_of(t)->channels--;
}

static void
st_notify(struct xnb_transport *t, struct xnb_channel *ch)
{
	(void)ch;
	st_of(t)->notified++;
}

static int
st_read_front(struct xnb_transport *t, const char *key, char *value)
{
	const char *v = keys_get(&st_of(t)->front, key);

	return v == NULL ? -ENOENT : str_copy(value, XNB_VALUE_MAX, v);
}

static int
st_read_back(struct xnb_transport *t, const char *key, char *value)
{
	(void)t;
	(void)key;
	(void)value;
	return -ENOENT;
}

static int
st_write(struct xnb_transport *t, const char *key, const char *value)
{
	return keys_set(&st_of(t)->back, key, value);
}

static void
st_close(struct xnb_transport *t)
{
	st_of(t)->closed = true;
}

static const struct xnb_transport_ops st_ops = {
	.name = "test",
	.copy_from = st_copy_from,
	.copy_to = st_copy_to,
	.map = st_map,
	.unmap = st_unmap,
	.bind = st_bind,
	.unbind = st_unbind,
	.notify = st_notify,
	.read_front = st_read_front,
	.read_back = st_read_back,
	.write = st_write,
	.close = st_close,
};

void
st_map_memory(struct st *s, bool on)
{
	s->t.mem = on ? s->pages : NULL;
	s->t.pages = on ? ST_PAGES : 0;
}

/* --- the front end ---------------------------------------------------------
 */

uint8_t
st_byte(uint32_t at)
{
	return (uint8_t)(at * 151 + (at >> 8) * 7 + 3);
}

void
st_pattern(uint8_t *to, uint32_t len, uint32_t at)
{
	for (uint32_t i = 0; i < len; i++)
		to[i] = st_byte(at + i);
}

bool
st_pattern_is(const uint8_t *data, uint32_t len, uint32_t at)
{
	for (uint32_t i = 0; i < len; i++) {
		if (data[i] != st_byte(at + i))
			return false;
	}
	return true;
}

void
st_tx_raw(struct st *s, const struct coax_netif_tx_request *req)
{
	netring_front_put(&s->tx, req, TX_WORDS);
}

uint8_t *
st_tx(struct st *s, uint16_t size, uint16_t flags, uint16_t offset)
{
	uint32_t slot = s->tx.req_prod_pvt % COAX_NETIF_TX_SLOTS;
	struct coax_netif_tx_request req = {
		.gref = ST_TX_PAGE + slot,
		.offset = offset,
		.flags = flags,
		.id = (uint16_t)(1000 + slot),
		.size = size,
	};

	st_tx_raw(s, &req);
	return s->pages + (size_t)req.gref * COAX_RING_PAGE + offset;
}

void
st_tx_extra(
    struct st *s, uint8_t type, uint8_t flags, const void *body, size_t len)
{
	uint8_t slot[COAX_NETIF_TX_SLOT_SIZE] = { type, flags };

	if (len != 0)
		memcpy(slot + 2, body, len);
	netring_front_put(&s->tx, slot, TX_WORDS);
}

void
st_tcp(uint8_t *at)
{
	memset(at, 0, 54);
	memcpy(at, "\x02\0\0\0\0\1\x02\0\0\0\0\2\x08\0\x45", 15);
	at[23] = 6;
	at[46] = 0x50;
}

void
st_tx_gso(struct st *s, uint8_t type, uint16_t size)
{
	struct coax_netif_extra e = {
		.u.gso = { .size = size, .type = type },
	};

	st_tx_extra(s, COAX_NETIF_EXTRA_GSO, 0, &e.u, sizeof(e.u));
}

int
st_run_tx(struct st *s)
{
	int n;

	(void)netring_front_publish(&s->tx);
	n = xnb_tx_run(s->q);
	xnb_notify(s->q);
	return n;
}

bool
st_tx_rsp(struct st *s, struct coax_netif_tx_response *rsp)
{
	if (netring_front_poll(&s->tx) <= 0)
		return false;
	netring_front_get(&s->tx, s->tx.rsp_cons++, rsp, 1);
	return true;
}

bool
st_tx_rsp_is(struct st *s, int id, int status)
{
	struct coax_netif_tx_response rsp;

	return st_tx_rsp(s, &rsp) && rsp.status == status &&
	       rsp.id == (id < 0 ? 0 : id);
}

void
st_post(struct st *s, uint32_t count, uint16_t id)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t slot = s->rx.req_prod_pvt % COAX_NETIF_RX_SLOTS;
		struct coax_netif_rx_request req = {
			.id = (uint16_t)(id + i),
			.gref = ST_RX_PAGE + slot,
		};

		netring_front_put(&s->rx, &req, RX_WORDS);
	}
	(void)netring_front_publish(&s->rx);
}

struct frame *
st_frame(struct st *s, uint32_t len)
{
	struct frame *f = frame_alloc(s->net->pool, len);

	if (f == NULL) {
		st_fail(s, __func__, __LINE__, "f != NULL");
		return NULL;
	}
	f->len = len;
	st_pattern(f->data, len, 0);
	f->data[0] &= 0xfe; /* to one station */
	return f;
}

int
st_run_rx(struct st *s, struct frame *f)
{
	int n;

	if (f != NULL)
		xnb_rx_push(s->q, &f, 1);
	n = xnb_rx_run(s->q);
	xnb_notify(s->q);
	return n;
}

bool
st_rx_rsp(struct st *s, struct coax_netif_rx_response *rsp)
{
	if (netring_front_poll(&s->rx) <= 0)
		return false;
	netring_front_get(&s->rx, s->rx.rsp_cons++, rsp, RX_WORDS);
	return true;
}

const uint8_t *
st_rx_page(const struct st *s)
{
	uint32_t slot = (s->rx.rsp_cons - 1) % COAX_NETIF_RX_SLOTS;

	return s->pages + (size_t)(ST_RX_PAGE + slot) * COAX_RING_PAGE;
}

uint16_t
st_sum(const void *pseudo, size_t pseudo_len, const void *data, size_t len)
{
	const uint8_t *parts[2] = { pseudo, data };
	size_t lens[2] = { pseudo_len, len };
	uint32_t sum = 0;

	for (int p = 0; p < 2; p++) {
		for (size_t i = 0; i < lens[p]; i++)
			sum += i % 2 == 0 ? (uint32_t)parts[p][i] << 8
			                  : parts[p][i];
		sum = (sum & 0xffff) + (sum >> 16);
	}
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* --- the interface ---------------------------------------------------------
 */

/* Keeps what comes in. */
static void
stack_input(
    struct iface_stack *stack, struct iface *ifp, struct frame_batch *batch)
{
	struct st *s = CONTAINER_OF(stack, struct st, stack);

	(void)ifp;
	for (uint32_t i = 0; i < batch->count; i++) {
		if (s->frame_count < ST_FRAMES)
			s->frames[s->frame_count++] = batch->frames[i];
		else
			frame_release(batch->frames[i]);
	}
}

static void
stack_detach(struct iface_stack *stack, struct iface *ifp)
{
	(void)stack;
	iface_stack_detach(ifp);
}

const struct frame *
st_in(const struct st *s, uint32_t i)
{
	static uint8_t nothing[COAX_NETIF_PACKET_MAX + 1];
	static const struct frame none = { .data = nothing };

	return i < s->frame_count ? s->frames[i] : &none;
}

struct frame *
st_take(struct st *s)
{
	return s->frame_count > 0 ? s->frames[--s->frame_count] : NULL;
}

void
st_forget(struct st *s)
{
	while (s->frame_count > 0)
		frame_release(s->frames[--s->frame_count]);
}

/* An error of the test's interface is one like any other's. */
static void
log_event(struct net_subscriber *sub, const struct net_event *ev)
{
	const struct st *s = CONTAINER_OF(sub, struct st, subscriber);

	if (ev->type == NET_EVENT_NOTICE && ev->text != NULL)
		log_notice("xnb unit test %s: %s", s->name, ev->text);
}

static void
through_emit(void *arg, struct frame *f)
{
	*(struct frame **)arg = f;
}

static void
through_drop(void *arg, struct frame *f, enum drop_reason why)
{
	(void)arg;
	(void)why;
	frame_release(f);
}

struct frame *
st_through(struct st *s, const uint8_t *data, uint32_t len, uint16_t flags)
{
	struct frame *out = NULL;
	struct offload_output to = {
		.emit = through_emit,
		.drop = through_drop,
		.arg = &out,
	};

	st_forget(s);
	memcpy(st_tx(s, (uint16_t)len, flags, 0), data, len);
	if (st_run_tx(s) != 1 || s->frame_count != 1)
		return NULL;
	offload_fit(s->frames[0], &to);
	s->frames[0] = out;
	s->frame_count = out != NULL;
	return out;
}

static const char usual_keys[] =
    "request-rx-copy=1 feature-rx-notify=1 feature-sg=1 feature-gso-tcpv4=1 "
    "feature-gso-tcpv6=1 feature-ipv6-csum-offload=1";

void
st_connect(struct st *s, const char *pairs)
{
	char text[1024], *save = NULL, *w, *eq;

	xnb_vif_front_changed(s->x, COAX_NETIF_STATE_CLOSED);
	xnb_vif_front_changed(s->x, COAX_NETIF_STATE_INITIALISING);
	/* Zero again, at no cost for those that nobody has written to. */
	(void)madvise(s->pages, ST_BYTES, MADV_DONTNEED);
	netring_front_init(&s->tx, s->pages + ST_TX_RING * COAX_RING_PAGE,
	    COAX_NETIF_TX_SLOTS, COAX_NETIF_TX_SLOT_SIZE);
	netring_front_init(&s->rx, s->pages + ST_RX_RING * COAX_RING_PAGE,
	    COAX_NETIF_RX_SLOTS, COAX_NETIF_RX_SLOT_SIZE);
	netring_front_init(&s->ctrl, s->pages + ST_CTRL * COAX_RING_PAGE,
	    COAX_NETIF_CTRL_SLOTS, COAX_NETIF_CTRL_SLOT_SIZE);
	s->front.len = 0;
	snprintf(text, sizeof(text),
	    "%s tx-ring-ref=%u rx-ring-ref=%u event-channel=0 "
	    "ctrl-ring-ref=%u event-channel-ctrl=1",
	    pairs, ST_TX_RING, ST_RX_RING, ST_CTRL);
	for (w = strtok_r(text, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save)) {
		eq = strchr(w, '=');
		*eq = '\0';
		(void)keys_set(&s->front, w, eq + 1);
	}
	xnb_vif_front_changed(s->x, COAX_NETIF_STATE_CONNECTED);
	ST_CHECK(s, s->x->connected);
	s->q = s->x->queues;
	s->notified = s->log_count = 0;
}

uint8_t *
st_pages(void)
{
	void *p = mmap(NULL, ST_BYTES, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p != MAP_FAILED ? p : NULL;
}

int
st_begin(struct st *s)
{
	static const struct iface_ops *const kinds[] = { &xnb_ops, NULL };
	const struct net_options o = {
		.pool = s->pool,
		.kinds = kinds,
		.now_ns = 1000000000,
	};
	struct iface *ifp;
	int err = net_create(&o, &s->net);

	if (err < 0)
		return err;
	s->subscriber.event = log_event;
	net_subscribe(s->net, &s->subscriber);
	s->bad_ref = ST_NOBODY;
	s->t.ops = &st_ops;
	s->stack = (struct iface_stack){
		.kind = "test",
		.input = stack_input,
		.detach = stack_detach,
	};
	err = net_iface_create(s->net, NULL, xnb_ops.kind, &ifp);
	if (err == 0)
		err = iface_set_flags(ifp, IFACE_UP, 0);
	if (err == 0)
		err = iface_stack_attach(ifp, &s->stack);
	if (err == 0) {
		s->x = xnb_of(ifp);
		err = xnb_attach(s->x, &s->t);
	}
	if (err < 0) {
		net_destroy(s->net);
		return err;
	}
	st_connect(s, usual_keys);
	return 0;
}

void
st_end(struct st *s)
{
	st_forget(s);
	net_destroy(s->net);
	ST_CHECK(s, s->closed);
	ST_CHECK(s, s->channels == 0);
}

static const struct frame_pool_options pool = {
	.small_count = 256,
	.large_count = 32,
};

static void
run_one(struct st *s, const struct st_test *t, uint32_t index,
    struct xnb_selftest_result *r)
{
	uint8_t *pages = s->pages;
	char *text = s->text;
	size_t len = s->text_len;

	memset(s, 0, sizeof(*s));
	s->pages = pages;
	s->text = text;
	s->text_len = len;
	s->name = t->name;
	s->pool = pool;
	if (st_begin(s) < 0) {
		say(s, "Setup failed for test idx %u\n", index);
		r->failed++;
		return;
	}
	t->fn(s);
	st_end(s);
	if (s->errors == 0)
		r->passed++;
	else
		r->failed++;
}

int
xnb_selftest_run(struct xnb_selftest_result *out)
{
	static const struct st_test *const lists[] = {
		st_bsd_tests,
		st_more_tests,
	};
	struct xnb_selftest_result r = { 0 };
	struct st *s = calloc(1, sizeof(*s));
	uint32_t index = 0;

	if (s == NULL)
		return -ENOMEM;
	s->text = calloc(1, ST_TEXT_MAX);
	s->pages = st_pages();
	if (s->text == NULL || s->pages == NULL) {
		free(s->text);
		if (s->pages != NULL)
			(void)munmap(s->pages, ST_BYTES);
		free(s);
		return -ENOMEM;
	}
	for (size_t l = 0; l < ARRAY_LEN(lists); l++) {
		for (const struct st_test *t = lists[l]; t->name != NULL; t++)
			run_one(s, t, index++, &r);
	}
	say(s, "%u Tests Passed\n", r.passed);
	if (r.failed != 0)
		say(s, "%u Tests FAILED\n", r.failed);
	r.text = s->text;
	*out = r;
	(void)munmap(s->pages, ST_BYTES);
	free(s);
	return 0;
}
