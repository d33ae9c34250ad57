/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests of interfaces: a net, frames, and a stack user, a host and a
 * subscriber that remember what they got.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/ether.h"
#include "base/util.h"
#include "net/info.h"
#include "net/keyword.h"
#include "net/net.h"

struct fixture_sink {
	struct iface_stack stack;
	struct iface_host host;
	uint32_t frames, host_frames, changes, host_changes;
	uint64_t bytes;
	uint8_t last[2048]; /* of the last frame */
	uint32_t last_len;
	struct frame_offload last_off;
	struct frame *last_frame; /* only to compare: it has gone */
	uint32_t batches, detached;
	int mtu_answer;
};

static inline void
fixture_take(struct fixture_sink *k, struct frame_batch *batch)
{
	k->batches++;
	for (uint32_t i = 0; i < batch->count; i++) {
		struct frame *f = batch->frames[i];

		k->bytes += f->len;
		k->last_len = f->len;
		k->last_off = f->off;
		k->last_frame = f;
		memcpy(k->last, f->data, f->len < 2048 ? f->len : 2048);
		frame_release(f);
	}
}

static inline void
fixture_stack_input(
    struct iface_stack *s, struct iface *ifp, struct frame_batch *batch)
{
	struct fixture_sink *k = CONTAINER_OF(s, struct fixture_sink, stack);

	(void)ifp;
	k->frames += batch->count;
	fixture_take(k, batch);
}

static inline void
fixture_stack_changed(struct iface_stack *s, struct iface *ifp, uint32_t what)
{
	struct fixture_sink *k = CONTAINER_OF(s, struct fixture_sink, stack);

	(void)ifp;
	k->changes |= what;
}

static inline int
fixture_mtu_check(struct iface_stack *s, struct iface *ifp, uint32_t mtu)
{
	(void)ifp;
	(void)mtu;
	return CONTAINER_OF(s, struct fixture_sink, stack)->mtu_answer;
}

static inline void
fixture_detach(struct iface_stack *s, struct iface *ifp)
{
	CONTAINER_OF(s, struct fixture_sink, stack)->detached++;
	iface_stack_detach(ifp);
}

static inline void
fixture_host_deliver(
    struct iface_host *h, struct iface *ifp, struct frame_batch *batch)
{
	struct fixture_sink *k = CONTAINER_OF(h, struct fixture_sink, host);

	(void)ifp;
	k->host_frames += batch->count;
	fixture_take(k, batch);
}

static inline void
fixture_host_changed(struct iface_host *h, struct iface *ifp, uint32_t what)
{
	(void)ifp;
	CONTAINER_OF(h, struct fixture_sink, host)->host_changes |= what;
}

static inline void
fixture_sink_init(struct fixture_sink *k)
{
	*k = (struct fixture_sink){
		.stack = {
			.kind = "test",
			.input = fixture_stack_input,
			.changed = fixture_stack_changed,
			.mtu_check = fixture_mtu_check,
			.detach = fixture_detach,
		},
		.host = {
			.deliver = fixture_host_deliver,
			.changed = fixture_host_changed,
			.up = true,
		},
	};
}

static inline struct net *
fixture_net(const struct iface_ops *const *kinds,
    const struct net_system *system, uint32_t frames)
{
	struct net_options o = {
		.pool = { .small_count = frames, .large_count = 128 },
		.kinds = kinds,
		.hash_seed = 1,
		.random_seed = 2,
		.now_ns = 1000000000,
		.system = system,
	};
	struct net *net;

	assert_int_equal(net_create(&o, &net), 0);
	return net;
}

/* Every frame is back in the pool, but for @out. */
static inline void
fixture_pool_is_whole(const struct net *net, uint32_t out)
{
	struct frame_pool_stats s;

	frame_pool_stats(net->pool, &s);
	assert_int_equal(
	    s.small_total - s.small_free + s.large_total - s.large_free, out);
}

static inline struct iface *
fixture_iface(struct net *net, const char *name)
{
	struct iface *ifp;

	assert_int_equal(net_iface_create(net, NULL, name, &ifp), 0);
	return ifp;
}

static inline struct iface *
fixture_iface_up(struct net *net, const char *name)
{
	struct iface *ifp = fixture_iface(net, name);

	assert_int_equal(iface_set_flags(ifp, IFACE_UP, 0), 0);
	return ifp;
}

/* A plain frame to a unicast address, with a byte that tells it apart. */
static inline void
fixture_bytes(uint8_t *data, uint32_t len, uint8_t mark)
{
	static const uint8_t head[ETH_HDR_LEN] = { 0x02, 0, 0, 0, 0, 0xb, 0x02,
		0, 0, 0, 0, 0xa, 0x88, 0xb5 };

	memset(data, mark, len);
	memcpy(data, head, len < ETH_HDR_LEN ? len : ETH_HDR_LEN);
}

static inline struct frame *
fixture_frame(struct net *net, uint32_t len, uint8_t mark)
{
	struct frame *f = frame_alloc(net->pool, len);

	assert_non_null(f);
	fixture_bytes(f->data, len, mark);
	f->len = len;
	return f;
}

static inline void
fixture_batch(
    struct net *net, struct frame_batch *b, uint32_t count, uint32_t len)
{
	b->count = count;
	for (uint32_t i = 0; i < count; i++)
		b->frames[i] = fixture_frame(net, len, (uint8_t)i);
}

static inline void
fixture_output(struct iface *ifp, uint32_t count, uint32_t len)
{
	struct frame_batch b;

	fixture_batch(ifp->net, &b, count, len);
	iface_output(ifp, &b);
}

static inline uint64_t
fixture_drops(const struct iface *ifp)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < DROP_COUNT; i++)
		n += ifp->count.drops[i];
	return n;
}

/* Applies a word of the interface's kind, as the parser does. */
static inline int
fixture_word(struct iface *ifp, const char *name, const char *str, uint64_t num,
    bool create)
{
	union keyword_value v[KEYWORD_ARGS_MAX] = { { 0 } };
	const struct iface_keyword *k = ifp->ops->keywords;

	while (k->name != NULL && strcmp(k->name, name) != 0)
		k++;
	assert_non_null(k->name);
	if (str != NULL)
		v[0].str = str;
	else
		v[0].num = num;
	if (create && k->apply_create != NULL)
		return k->apply_create(ifp, v);
	return k->apply(ifp, v);
}

struct fixture_events {
	struct net_subscriber sub;
	uint32_t count[NET_EVENT_NOTICE + 1];
	struct net_event last;
	char text[256];
	char cause[32];
};

static inline void
fixture_event(struct net_subscriber *s, const struct net_event *ev)
{
	struct fixture_events *e = CONTAINER_OF(s, struct fixture_events, sub);

	e->count[ev->type]++;
	e->last = *ev;
	if (ev->text != NULL)
		snprintf(e->text, sizeof(e->text), "%s", ev->text);
	if (ev->cause != NULL)
		snprintf(e->cause, sizeof(e->cause), "%s", ev->cause);
}

static inline void
fixture_subscribe(struct net *net, struct fixture_events *e)
{
	memset(e, 0, sizeof(*e));
	e->sub.event = fixture_event;
	net_subscribe(net, &e->sub);
}

/* What a driver says of itself: "key=value key=value ". */
struct fixture_info {
	struct info info;
	char text[2048];
};

static inline void
fixture_info_add(struct info *i, const char *key, const char *value)
{
	struct fixture_info *t = CONTAINER_OF(i, struct fixture_info, info);
	size_t len = strlen(t->text);

	snprintf(t->text + len, sizeof(t->text) - len, "%s=%s ", key, value);
}

static inline void
fixture_info_u64(struct info *i, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	fixture_info_add(i, key, text);
}

static inline void
fixture_info_i64(struct info *i, const char *key, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	fixture_info_add(i, key, text);
}

static inline void
fixture_info_bool(struct info *i, const char *key, bool value)
{
	fixture_info_add(i, key, value ? "true" : "false");
}

static inline void
fixture_info_null(struct info *i, const char *key)
{
	fixture_info_add(i, key, "null");
}

/* As objects: " in key=value key=value  out ...". */
static inline void
fixture_info_begin(struct info *i, const char *key)
{
	struct fixture_info *t = CONTAINER_OF(i, struct fixture_info, info);
	size_t len = strlen(t->text);

	snprintf(t->text + len, sizeof(t->text) - len, " %s ", key);
}

static inline void
fixture_info_end(struct info *i)
{
	(void)i;
}

static inline void
fixture_get_init(struct fixture_info *t)
{
	*t = (struct fixture_info){
		.info = {
			.str = fixture_info_add,
			.u64 = fixture_info_u64,
			.i64 = fixture_info_i64,
			.boolean = fixture_info_bool,
			.null = fixture_info_null,
			.begin_object = fixture_info_begin,
			.begin_list = fixture_info_begin,
			.end = fixture_info_end,
		},
	};
}

static inline const char *
fixture_get(const struct iface *ifp, struct fixture_info *t)
{
	fixture_get_init(t);
	ifp->ops->get(ifp, &t->info);
	return t->text;
}
