/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests of bridges: a driver kind that remembers what it is given to send,
 * a host side that remembers what it is given to take, frames with a number.
 */
#pragma once

#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "bridge/bridge_impl.h"
#include "frame/offload.h"
#include "net_fixture.h"

#define SEEN_MAX 4096

/* Numbers of frames, in order. */
struct seen {
	uint32_t count;
	uint32_t ids[SEEN_MAX];
};

struct mock {
	struct iface ifp;
	struct seen sent;
	struct iface_host host;
	struct seen heard;
	uint32_t mtu_max;
};

static inline struct mock *
mock_of(struct iface *ifp)
{
	return (struct mock *)(void *)ifp;
}

/* The number of a frame is in its last four bytes. */
static inline uint32_t
frame_id(const struct frame *f)
{
	return be32_get(f->data + f->len - 4);
}

static inline void
seen_batch(struct seen *s, struct frame_batch *batch)
{
	for (uint32_t i = 0; i < batch->count; i++) {
		assert_true(s->count < SEEN_MAX);
		s->ids[s->count++] = frame_id(batch->frames[i]);
		frame_release(batch->frames[i]);
	}
}

static inline void
mock_transmit(struct iface *ifp, struct frame_batch *batch)
{
	for (uint32_t i = 0; i < batch->count; i++)
		iface_count_out(ifp, batch->frames[i]);
	seen_batch(&mock_of(ifp)->sent, batch);
}

static inline int
mock_create(struct iface *ifp)
{
	const uint8_t mac[6] = { 2, 0, 0, 0xaa, 0, (uint8_t)ifp->unit };

	ether_copy(ifp->mac, mac);
	ifp->caps = OFFLOAD_ALL;
	return 0;
}

static inline void
mock_destroy(struct iface *ifp)
{
	(void)ifp;
}

static inline void
mock_changed(struct iface *ifp, uint32_t what)
{
	if ((what & IFACE_CHANGED_FLAGS) != 0)
		iface_set_running(ifp, (ifp->flags & IFACE_UP) != 0);
}

static inline int
mock_set_mtu(struct iface *ifp, uint32_t mtu)
{
	uint32_t max = mock_of(ifp)->mtu_max;

	return max != 0 && mtu > max ? -EINVAL : 0;
}

static inline void
mock_deliver(struct iface_host *h, struct iface *ifp, struct frame_batch *batch)
{
	(void)ifp;
	seen_batch(&CONTAINER_OF(h, struct mock, host)->heard, batch);
}

#define MOCK(kind_, flags_)                                               \
	{                                                                 \
		.kind = (kind_), .about = "test", .kind_flags = (flags_), \
		.unit_max = 4095, .mtu_default = 1500, .mtu_min = 72,     \
		.mtu_max = 65535, .size = sizeof(struct mock),            \
		.create = mock_create, .destroy = mock_destroy,           \
		.transmit = mock_transmit, .changed = mock_changed,       \
		.set_mtu = mock_set_mtu,                                  \
	}

static const struct iface_ops mock_port_ops = MOCK("port", IFACE_KIND_ETHERNET);
static const struct iface_ops mock_vether_ops =
    MOCK("vether", IFACE_KIND_ETHERNET | IFACE_KIND_HOST_IS_WIRE);
static const struct iface_ops mock_gre_ops = MOCK("gre", 0);
static const struct iface_ops *const mock_kinds[] = { &mock_port_ops,
	&mock_vether_ops, &mock_gre_ops, &bridge_ops, NULL };

/* A host side for a mock, or for a bridge (its own struct mock beside it). */
static inline void
host_give(struct iface *ifp, struct mock *m, struct vnet *vnet)
{
	m->host = (struct iface_host){
		.deliver = mock_deliver,
		.vnet = vnet,
		.up = true,
	};
	ifp->host = &m->host;
}

struct lab {
	struct net *net;
	struct timerheap timers;
	struct iface *br;
	struct mock br_host; /* only its host and heard are used */
	struct iface *p[8];
};

static inline struct bridge *
lab_bridge(struct lab *l)
{
	return bridge_of(l->br);
}

/* A bridge that is up with @count ports, port0 its first member. */
static inline void
lab_init(struct lab *l, uint32_t count)
{
	char name[16];

	memset(l, 0, sizeof(*l));
	l->net = fixture_net(mock_kinds, NULL, 2048);
	l->net->timers = &l->timers;
	l->br = fixture_iface_up(l->net, "bridge0");
	for (uint32_t i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "port%u", i);
		l->p[i] = fixture_iface_up(l->net, name);
		assert_int_equal(bridge_add(l->br, l->p[i]), 0);
	}
}

/* Every frame must have come back. */
static inline void
lab_fini(struct lab *l)
{
	struct iface *ifp;

	fixture_pool_is_whole(l->net, 0);
	TAILQ_FOREACH (ifp, &l->net->ifaces, all_link)
		ifp->host = NULL;
	net_destroy(l->net);
	timerheap_fini(&l->timers);
}

/* Station n's address. */
static inline uint64_t
station(uint32_t n)
{
	return 0x020000bb0000u + n;
}

#define BROADCAST 0xffffffffffffu
#define GROUP     0x01005e000001u

static inline struct frame *
frame_make(
    struct net *net, uint64_t dst, uint64_t src, uint32_t vid, uint32_t id)
{
	struct frame *f = frame_alloc(net->pool, 64);

	assert_non_null(f);
	memset(f->data, 0, 64);
	u64_to_mac(dst, f->data);
	u64_to_mac(src, f->data + 6);
	be16_put(f->data + 12, 0x88b5);
	if (vid != 0) {
		be16_put(f->data + 12, ETH_TYPE_VLAN);
		be16_put(f->data + 14, (uint16_t)vid);
		be16_put(f->data + 16, 0x88b5);
	}
	be32_put(f->data + 60, id);
	f->len = 64;
	return f;
}

static inline void
lab_in_vlan(struct lab *l, uint32_t port, uint64_t dst, uint64_t src,
    uint32_t vid, uint32_t id)
{
	struct frame_batch b = {
		.count = 1,
		.frames = { frame_make(l->net, dst, src, vid, id) },
	};

	iface_input(l->p[port], &b);
}

static inline void
lab_in(struct lab *l, uint32_t port, uint64_t dst, uint64_t src, uint32_t id)
{
	lab_in_vlan(l, port, dst, src, 0, id);
}

/* What the host sends on an interface. */
static inline void
lab_host_in(
    struct lab *l, struct iface *ifp, uint64_t dst, uint64_t src, uint32_t id)
{
	struct frame_batch b = {
		.count = 1,
		.frames = { frame_make(l->net, dst, src, 0, id) },
	};

	iface_host_input(ifp, &b);
}

/* Was exactly frame @id seen since the last time?  0: nothing. */
#define assert_seen(s, id)                                    \
	do {                                                  \
		struct seen *seen_ = &(s);                    \
		uint32_t id_ = (id);                          \
                                                              \
		assert_int_equal(seen_->count, id_ != 0);     \
		if (id_ != 0)                                 \
			assert_int_equal(seen_->ids[0], id_); \
		seen_->count = 0;                             \
	} while (0)

#define assert_sent(l, port, id)  assert_seen(mock_of((l)->p[port])->sent, id)
#define assert_heard(l, port, id) assert_seen(mock_of((l)->p[port])->heard, id)
#define assert_drop(ifp, why, n) \
	assert_int_equal((ifp)->count.drops[DROP_##why], n)

/* A word of the bridge's, with an interface or a number. */
static inline int
bridge_word2(struct iface *br, const char *name, union keyword_value a,
    union keyword_value b, union keyword_value c)
{
	const union keyword_value v[KEYWORD_ARGS_MAX] = { a, b, c };
	const struct iface_keyword *k = br->ops->keywords;

	while (k->name != NULL && strcmp(k->name, name) != 0)
		k++;
	assert_non_null(k->name);
	return k->apply(br, v);
}

static inline union keyword_value
v_str(const char *s)
{
	return (union keyword_value){ .str = s };
}

static inline union keyword_value
v_num(uint64_t n)
{
	return (union keyword_value){ .num = n };
}

static inline union keyword_value
v_mac(uint64_t mac)
{
	union keyword_value v = { 0 };

	u64_to_mac(mac, v.mac);
	return v;
}

#define WORD(br, name)           bridge_word2(br, name, v_num(0), v_num(0), v_num(0))
#define WORD1(br, name, a)       bridge_word2(br, name, a, v_num(0), v_num(0))
#define WORD2(br, name, a, b)    bridge_word2(br, name, a, b, v_num(0))
#define WORD3(br, name, a, b, c) bridge_word2(br, name, a, b, c)

static inline uint32_t
lab_lookup(struct lab *l, uint64_t mac, uint32_t vid)
{
	struct bridge *br = lab_bridge(l);
	uint64_t key = fdb_key_u64(mac, vid);

	return fdb_lookup(
	    &br->fdb, key, fdb_hash(&br->fdb, key), bridge_now_s(br));
}

static inline void
lab_time(struct lab *l, uint32_t seconds)
{
	l->net->now_ns = seconds * (uint64_t)1000000000u;
	while (timerheap_run(&l->timers, l->net->now_ns, 64) == 64)
		;
}
