/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coax-bench: what the core costs, without a system call in the way.
 *
 *   coax-bench [NAME...] [--json] [--list]
 *
 * A benchmark is a row of the table at the end: it prepares, then runs for a
 * slice of time, several times; slices of all benchmarks are interleaved, so a
 * noisy moment of the machine hits all alike.  Times are medians, ratios the
 * medians of the ratios in each round.  Only ratios mean something on another
 * machine.
 *
 *   core-1k, core-100k    a 64-byte frame from feth to feth through a bridge
 *                         that knows so many addresses, batches of 32, all
 *                         costs of the core: frame from the pool, both wires,
 *                         source refresh and look-up, frame to the pool
 *   vlan-1k, vlan-trunk   the same with the VLAN filter, both ports untagged in
 *                         one VLAN; and tagged on the way out
 *   capture-1k            the same as core-1k, captured whole on the bridge
 *   capture-none-1k       the same, by a filter (ten instructions) that takes
 *                         none
 *   filter-none           as core-1k with UDP over IPv4, 1000 sources; no
 * filter filter-c-1, -c-1000   the same, in and out of members through a filter
 * of so many rules that is written in C, as such rules would be: read the
 * headers, compare one by one filter-ipfw-1, -1000  through the same rules of
 * ipfw; none matches filter-table          through one rule, a table of 100 000
 * addresses filter-states         through one rule that keeps state, 100 000
 * states fdb-floor-1k, -100k   what the least table would cost: open
 * addressing, 16 bytes an entry, prefetch, batches of 32, destination look-up
 * and source refresh fdb-1k, fdb-100k      the same look-ups and refreshes in
 * coax's table rte-1k, -100k, -1m    DPDK's rte_hash: destinations alone, in
 * bulk; and rte-refresh-1m        with sources (in builds with -Ddpdk=enabled)
 *   fdb-learn             a new address into a table that grows to a million
 *                         (and the longest batch)
 *   core-learn            the same as core-1k, each frame from a new address,
 *                         up to a million (and the longest batch)
 *   ring                  a 64-byte packet of a ring port to its interface and
 *                         another back, both ends, memory that is mapped
 *   ring-pieces           the same, through the transport's lists of pieces
 *   frame-alloc           take and return a frame
 *   csum                  a kilobyte of Internet checksum
 *   segment               a segment of 1448 bytes out of 64 KiB of TCP
 *   flood-8, flood-256    one copy of a flooded frame, so many members
 *   stp-bpdu              a BPDU that says what the port knows, on a bridge of
 *                         8 ports; each 128 of them with one tick of all ports
 *   stp-news              one with another root: all roles are chosen anew
 *   stp-tick              a second of one port, of 8 that send a BPDU every two
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef COAX_DPDK
#include "rte_hash.h"
#endif
#include "base/bytes.h"
#include "base/ether.h"
#include "base/prng.h"
#include "base/util.h"
#include "bridge/bridge.h"
#include "bridge/bridge_impl.h"
#include "bridge/fdb.h"
#include "capture/capture.h"
#include "drv/drv.h"
#include "drv/xnb/selftest_impl.h"
#include "frame/csum.h"
#include "frame/frame.h"
#include "frame/offload.h"
#include "net/net.h"
#include "pfil/ipfw.h"
#include "ring/netslot.h"
#include "ring/stream.h"
#include "stp/stp.h"

#define ROUNDS   15
#define SLICE_NS 15000000u
#define BATCH    32u
#define QUERIES  65536u /* a power of two */
#define FRAME    64u

#define FLOOR_SHIFT 7777u /* sources are the destinations, so much later */

struct bench;

struct kind {
	const char *name, *unit, *about;
	uint32_t arg;
	void (*prepare)(struct bench *b);
	/* One piece of work; returns how many units it was. */
	uint64_t (*work)(struct bench *b);
	const char *against; /* print the ratio to this one */
	const char *also;    /* and to this, if there is such a one */
};

struct floor_entry {
	uint64_t key;
	uint32_t port, age;
};

struct bench {
	const struct kind *kind;
	bool wanted;
	double ns[ROUNDS]; /* sorted at the end */
	double by_round[ROUNDS];
	double longest_ns;  /* learning */
	double entry_bytes; /* memory of a table, for each address */
	struct rte_table *rte;
	uint64_t *keys, *queries;
	uint64_t at, fresh;
	uint64_t sources; /* of IPv4 */
	struct net *net;
	struct iface *from;
	struct iface_stack sink;
	struct fdb fdb;
	struct floor_entry *table;
	uint64_t mask;
	struct frame *super;
	uint8_t *data;
	struct capture *capture;
	struct stream_reader reader;
	struct st *st;
	struct stp *stp;
	uint8_t bpdus[2][STP_BPDU_LEN_MAX];
	size_t bpdu_len;
	uint64_t now_ns;
	uint64_t sum; /* keeps results alive */
};

/* What this thread has computed: other programs do not count. */
static uint64_t
cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void *
must(void *p)
{
	if (p == NULL) {
		fprintf(stderr, "coax-bench: out of memory\n");
		exit(1);
	}
	return p;
}

static void
must_be(int err, const char *what)
{
	if (err < 0) {
		fprintf(stderr, "coax-bench: %s: %s\n", what, strerror(-err));
		exit(1);
	}
}

/* Random addresses, and queries among them. */
static void
prepare_keys(struct bench *b)
{
	struct prng g = prng_init(b->kind->arg);
	uint32_t n = b->kind->arg;

	b->keys = must(calloc(n, sizeof(uint64_t)));
	b->queries = must(calloc(QUERIES, sizeof(uint64_t)));
	for (uint32_t i = 0; i < n; i++)
		b->keys[i] = (prng_u64(&g) & 0xfcffffffffffu) | 0x020000000000u;
	for (uint32_t i = 0; i < QUERIES; i++)
		b->queries[i] = b->keys[prng_u64(&g) % n];
}

/* The floor. */

static inline uint64_t
floor_hash(uint64_t key)
{
	return (key * 0x9e3779b97f4a7c15u) >> 32;
}

static void
prepare_floor(struct bench *b)
{
	uint64_t size = 64;

	prepare_keys(b);
	while (size < b->kind->arg * 2u)
		size *= 2;
	b->table = must(aligned_alloc(64, size * sizeof(*b->table)));
	memset(b->table, 0, size * sizeof(*b->table));
	b->mask = size - 1;
	for (uint32_t i = 0; i < b->kind->arg; i++) {
		uint64_t x = floor_hash(b->keys[i]) & b->mask;

		while (b->table[x].key != 0 && b->table[x].key != b->keys[i])
			x = (x + 1) & b->mask;
		b->table[x].key = b->keys[i];
		b->table[x].port = i & 31;
	}
}

static uint64_t
work_floor(struct bench *b)
{
	struct floor_entry *table = b->table;
	uint64_t mask = b->mask;
	const uint64_t *dst = b->queries + (b->at & (QUERIES - 1));
	uint64_t src_at = b->at + FLOOR_SHIFT;
	uint32_t age = (uint32_t)(b->at >> 20);
	uint64_t d[BATCH], s[BATCH];

	for (uint32_t j = 0; j < BATCH; j++) {
		d[j] = floor_hash(dst[j]) & mask;
		__builtin_prefetch(&table[d[j]]);
	}
	for (uint32_t j = 0; j < BATCH; j++) {
		s[j] =
		    floor_hash(b->queries[(src_at + j) & (QUERIES - 1)]) & mask;
		__builtin_prefetch(&table[s[j]]);
	}
	for (uint32_t j = 0; j < BATCH; j++) {
		uint64_t x = d[j];

		while (table[x].key != dst[j])
			x = (x + 1) & mask;
		b->sum += table[x].port;
	}
	for (uint32_t j = 0; j < BATCH; j++) {
		uint64_t x = s[j];
		uint64_t key = b->queries[(src_at + j) & (QUERIES - 1)];

		while (table[x].key != key)
			x = (x + 1) & mask;
		if (table[x].age != age)
			table[x].age = age;
	}
	b->at += BATCH;
	return BATCH;
}

/* coax's table. */

/* Memory that this process has touched. */
static double
resident(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	if (f == NULL || fscanf(f, "%*u %lu", &pages) != 1)
		pages = 0;
	if (f != NULL)
		fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void
prepare_fdb(struct bench *b)
{
	double before;
	uint32_t old;

	prepare_keys(b);
	before = resident();
	must_be(fdb_init(&b->fdb, 12345, 64), "fdb_init");
	must_be(fdb_set_max(&b->fdb, FDB_MAX_HIGHEST, 0), "maxaddr");
	for (uint32_t i = 0; i < b->kind->arg; i++)
		must_be(fdb_learn(&b->fdb, fdb_key_u64(b->keys[i], 0), 1, false,
		            1, &old),
		    "fdb_learn");
	b->entry_bytes = (resident() - before) / b->kind->arg;
}

#ifdef COAX_DPDK
static void
prepare_rte(struct bench *b)
{
	rte_table_init();
	prepare_keys(b);
	b->rte = rte_table_create(b->keys, b->kind->arg);
}

static uint64_t
work_rte(struct bench *b)
{
	b->sum += rte_table_lookup(
	    b->rte, b->queries + (b->at & (QUERIES - 1)), BATCH);
	b->at += BATCH;
	return BATCH;
}

static uint64_t
work_rte_refresh(struct bench *b)
{
	uint64_t src_at = (b->at + FLOOR_SHIFT / BATCH * BATCH) & (QUERIES - 1);

	b->sum += rte_table_lookup(
	    b->rte, b->queries + (b->at & (QUERIES - 1)), BATCH);
	rte_table_refresh(
	    b->rte, b->queries + src_at, BATCH, (uint32_t)(b->at >> 20));
	b->at += BATCH;
	return BATCH;
}
#endif

static uint64_t
work_fdb(struct bench *b)
{
	struct fdb *f = &b->fdb;
	const uint64_t *dst = b->queries + (b->at & (QUERIES - 1));
	uint64_t src_at = b->at + FLOOR_SHIFT;
	uint32_t now_s = 1 + (uint32_t)(b->at >> 20);
	uint32_t expire_s = fdb_expiry(f, now_s);
	struct {
		uint64_t dst, src;
		uint32_t dst_hash, src_hash;
	} q[BATCH];

	for (uint32_t j = 0; j < BATCH; j++) {
		q[j].dst = fdb_key_u64(dst[j], 0);
		q[j].src =
		    fdb_key_u64(b->queries[(src_at + j) & (QUERIES - 1)], 0);
		q[j].dst_hash = fdb_hash(f, q[j].dst);
		q[j].src_hash = fdb_hash(f, q[j].src);
		fdb_prefetch(f, q[j].dst_hash);
		fdb_prefetch(f, q[j].src_hash);
	}
	for (uint32_t j = 0; j < BATCH; j++) {
		b->sum +=
		    fdb_refresh(f, q[j].src, q[j].src_hash, 1, now_s, expire_s);
		b->sum += fdb_lookup(f, q[j].dst, q[j].dst_hash, now_s);
	}
	b->at += BATCH;
	return BATCH;
}

static uint64_t
work_learn(struct bench *b)
{
	uint64_t start, ns;
	uint32_t old;

	if (fdb_count(&b->fdb) >= b->kind->arg) {
		fdb_fini(&b->fdb);
		must_be(fdb_init(&b->fdb, b->at, 64), "fdb_init");
		must_be(fdb_set_max(&b->fdb, FDB_MAX_HIGHEST, 0), "maxaddr");
	}
	start = cpu_ns();
	for (uint32_t j = 0; j < BATCH; j++) {
		uint64_t mac = (b->at++ * 0x9e3779b97f4a7c15u) >> 16;

		mac = (mac & 0xfcffffffffffu) | 0x020000000000u;
		(void)fdb_learn(
		    &b->fdb, fdb_key_u64(mac, 0), 1, false, 1, &old);
	}
	ns = cpu_ns() - start;
	if ((double)ns > b->longest_ns)
		b->longest_ns = (double)ns;
	return BATCH;
}

static void
prepare_learn(struct bench *b)
{
	must_be(fdb_init(&b->fdb, 12345, 64), "fdb_init");
	must_be(fdb_set_max(&b->fdb, FDB_MAX_HIGHEST, 0), "maxaddr");
}

/* The core. */

static void
sink_input(struct iface_stack *s, struct iface *ifp, struct frame_batch *batch)
{
	(void)s, (void)ifp;
	for (uint32_t i = 0; i < batch->count; i++)
		frame_release(batch->frames[i]);
}

static struct iface *
iface_up(struct net *net, const char *name)
{
	struct iface *ifp;

	must_be(net_iface_create(net, NULL, name, &ifp), name);
	must_be(iface_set_flags(ifp, IFACE_UP, 0), name);
	return ifp;
}

static void
word(struct iface *ifp, const char *name, const union keyword_value *v)
{
	const struct iface_keyword *k = ifp->ops->keywords;

	while (strcmp(k->name, name) != 0)
		k++;
	must_be(k->apply(ifp, v), name);
}

/* A feth and its far end. */
static struct iface *
wire(struct net *net, uint32_t n, struct iface **far)
{
	union keyword_value v[KEYWORD_ARGS_MAX] = { { 0 } };
	struct iface *near;
	char name[IFACE_NAME_MAX], peer[IFACE_NAME_MAX];

	snprintf(name, sizeof(name), "feth%u", 2 * n);
	snprintf(peer, sizeof(peer), "feth%u", 2 * n + 1);
	*far = iface_up(net, peer);
	near = iface_up(net, name);
	v[0].str = peer;
	word(near, "peer", v);
	return near;
}

/* A bridge of @count wires; the far end of the first is b->from, those of the
 * others end in sinks. */
static struct iface *
prepare_net(struct bench *b, uint32_t count)
{
	struct net_options o = {
		.kinds = drv_kinds,
		.hash_seed = 99,
		.random_seed = 98,
		.now_ns = 1000000000,
	};
	struct iface *bridge, *far, *near;

	must_be(net_create(&o, &b->net), "net_create");
	must_be(drv_init(b->net, NULL), "drv_init");
	bridge = iface_up(b->net, "bridge0");
	b->sink.kind = "sink";
	b->sink.master = bridge;
	b->sink.input = sink_input;
	for (uint32_t i = 0; i < count; i++) {
		near = wire(b->net, i, &far);
		must_be(bridge_add(bridge, near), "bridge_add");
		if (i == 0)
			b->from = far;
		else
			far->stack = &b->sink; /* shared by all: no detach */
	}
	return bridge;
}

static inline struct frame *
make_frame(struct net *net, uint64_t dst, uint64_t src)
{
	struct frame *f = frame_alloc(net->pool, FRAME);

	ASSERT(f != NULL);
	f->len = FRAME;
	/* Destination, source, type: 16 bytes; the rest is as it was. */
	be64_put(f->data, dst << 16 | src >> 32);
	be32_put(f->data + 8, (uint32_t)src);
	be16_put(f->data + 12, 0x88b5);
	return f;
}

/* A bridge of two ports that knows its addresses, in VLAN @vid. */
static struct bridge *
prepare_bridge(struct bench *b, uint32_t members, uint32_t vid)
{
	uint32_t n = b->kind->arg;
	struct bridge *br;
	uint32_t old;

	prepare_keys(b);
	br = bridge_of(prepare_net(b, members));
	must_be(fdb_set_max(&br->fdb, FDB_MAX_HIGHEST, 1), "maxaddr");
	/* The first half is behind the first port, number 1. */
	for (uint32_t i = 0; i < n; i++)
		must_be(fdb_learn(&br->fdb, fdb_key_u64(b->keys[i], vid),
		            i < n / 2 ? 1 : 2, false, 1, &old),
		    "fdb_learn");
	/* Even queries are sources, odd ones destinations. */
	struct prng g = prng_init(n);
	for (uint32_t i = 0; i < QUERIES; i++) {
		uint64_t r = prng_u64(&g) % (n / 2);

		b->queries[i] = b->keys[(i & 1) == 0 ? r : r + n / 2];
	}
	return br;
}

static void
prepare_core(struct bench *b)
{
	(void)prepare_bridge(b, 2, 0);
}

/* Each member has an address that is asked for (member_ifaddrs). */
static void
prepare_members(struct bench *b)
{
	(void)prepare_bridge(b, 1000, 0);
}

static void
prepare_vlan(struct bench *b)
{
	struct bridge *br = prepare_bridge(b, 2, 1);
	struct bridge_port *p;

	/* Before the addresses would be forgotten by it. */
	TAILQ_FOREACH (p, &br->members, link)
		p->pvid = 1;
	bridge_set_vlan_flags(&br->ifp, BRIDGE_VLANFILTER, 0);
}

static void
prepare_trunk(struct bench *b)
{
	struct bridge *br;

	prepare_vlan(b);
	br = bridge_of(net_iface_find(b->net, NULL, "bridge0"));
	br->ports[2]->pvid = 0;
	br->ports[2]->tagged.words[0] = 1u << 1;
}

static uint64_t
work_core(struct bench *b)
{
	const uint64_t *q = b->queries + (b->at & (QUERIES - 1));
	struct frame_batch batch;

	for (uint32_t j = 0; j < BATCH; j++)
		batch.frames[j] = make_frame(b->net, q[2 * j + 1], q[2 * j]);
	batch.count = BATCH;
	b->at += 2 * BATCH;
	b->net->now_ns = 1000000000 + (b->at << 7);
	iface_output(b->from, &batch);
	while (net_poll(b->net))
		;
	return BATCH;
}

/* --- packet filters: UDP over IPv4 -----------------------------------------
 */

#define SOURCES 100000u
#define IP_AT   14
#define UDP_AT  34
#define FILTER_NET                                                \
	0x0a400000u /* 10.64.0.0: where rules look, and nobody is \
	             */

/* As make_frame(), and what an honest sender does: a right sum. */
static inline struct frame *
make_packet(struct net *net, uint64_t dst, uint64_t src, uint32_t n)
{
	static const uint8_t head[28] = { 0x45, 0, 0, 50, 0, 1, 0, 0, 64, 17, 0,
		0, 10, 0, 0, 0, 192, 0, 2, 1, 0x30, 0x39, 0, 99, 0, 30, 0, 0 };
	struct frame *f = make_frame(net, dst, src);

	be16_put(f->data + 12, ETH_TYPE_IPV4);
	memcpy(f->data + IP_AT, head, sizeof(head));
	be32_put(f->data + IP_AT + 12, 0x0a000000 + n);
	be16_put(f->data + IP_AT + 10,
	    (uint16_t)~csum_fold(csum_add(0, f->data + IP_AT, 20)));
	return f;
}

static uint64_t
work_filter(struct bench *b)
{
	const uint64_t *q = b->queries + (b->at & (QUERIES - 1));
	struct frame_batch batch;

	for (uint32_t j = 0; j < BATCH; j++) {
		b->fresh = b->fresh + 1 == b->sources ? 0 : b->fresh + 1;
		batch.frames[j] = make_packet(
		    b->net, q[2 * j + 1], q[2 * j], (uint32_t)b->fresh);
	}
	batch.count = BATCH;
	b->at += 2 * BATCH;
	b->net->now_ns = 1000000000 + (b->at << 7);
	iface_output(b->from, &batch);
	while (net_poll(b->net))
		;
	return BATCH;
}

/* Rules by hand: a list of networks that may not send UDP to port 53. */
static struct {
	uint32_t net, mask;
} by_hand[1000];
static uint32_t by_hand_count;

static enum pfil_verdict
hand_run(void *state, struct pfil_packet *p)
{
	const uint8_t *ip = p->frame->data + p->l3, *udp;
	uint32_t avail = p->frame->len - p->l3, hlen = (ip[0] & 15u) * 4;
	const uint32_t *count = state;
	uint32_t src, total = be16_get(ip + 2);

	if (avail < 20 || ip[0] >> 4 != 4 || hlen < 20 || hlen > avail ||
	    total > avail || total < hlen)
		return PFIL_DROPPED;
	if (ip[9] != 17 || (be16_get(ip + 6) & 0x1fff) != 0)
		return PFIL_PASS;
	if (total - hlen < 8)
		return PFIL_DROPPED;
	udp = ip + hlen;
	src = be32_get(ip + 12);
	for (uint32_t i = 0; i < *count; i++)
		if ((src & by_hand[i].mask) == by_hand[i].net &&
		    be16_get(udp + 2) == 53)
			return PFIL_DROPPED;
	return PFIL_PASS;
}

static const struct pfil_hook hand_hooks[] = {
	{ PFIL_IP4, PFIL_IN, hand_run },
	{ PFIL_IP4, PFIL_OUT, hand_run },
	{ .run = NULL },
};

static int
hand_create(struct net *net, struct vnet *vnet, void **state)
{
	uint32_t *count = must(malloc(sizeof(*count)));

	(void)net, (void)vnet;
	*count = by_hand_count;
	*state = count;
	return 0;
}

static const struct pfil_package hand_package = {
	.name = "hand",
	.about = "rules in C",
	.hooks = hand_hooks,
	.create = hand_create,
	.destroy = free,
};

static void
prepare_filter(struct bench *b)
{
	b->sources = 1000;
	(void)prepare_bridge(b, 2, 0);
	pfil_init(b->net);
	must_be(
	    bridge_tunable_set(b->net->home, BRIDGE_PFIL_MEMBER, 1), "sysctl");
}

static void
prepare_filter_none(struct bench *b)
{
	prepare_filter(b);
}

static void
by_hand_make(void)
{
	for (uint32_t i = 0; i < ARRAY_LEN(by_hand); i++) {
		by_hand[i].net = FILTER_NET + (i << 8);
		by_hand[i].mask = 0xffffff00;
	}
}

/* The number that its name ends in. */
static uint32_t
rules_of(const struct bench *b)
{
	return (uint32_t)strtoul(strrchr(b->kind->name, '-') + 1, NULL, 10);
}

static void
prepare_filter_c(struct bench *b)
{
	prepare_filter(b);
	by_hand_make();
	by_hand_count = rules_of(b);
	must_be(pfil_switch(b->net->home, &hand_package, true), "pfil");
}

static struct ipfw *
filter_ipfw(struct bench *b)
{
	struct ipfw *fw;

	prepare_filter(b);
	must_be(ipfw_of(b->net->home, &fw), "ipfw");
	return fw;
}

static void
rule(struct ipfw *fw, const char *text)
{
	struct ipfw_text *t = must(malloc(sizeof(*t)));
	struct ipfw_error error;
	uint32_t number;

	must_be(ipfw_parse(&text, 1, t, &error), error.text);
	must_be(ipfw_add(fw, t, &number), "ipfw_add");
	free(t);
}

static void
prepare_filter_ipfw(struct bench *b)
{
	struct ipfw *fw = filter_ipfw(b);
	char text[96];

	by_hand_make();
	for (uint32_t i = 0; i < rules_of(b); i++) {
		uint32_t n = by_hand[i].net;

		snprintf(text, sizeof(text),
		    "%u deny udp from %u.%u.%u.0/24 to any 53", i + 1, n >> 24,
		    n >> 16 & 255, n >> 8 & 255);
		rule(fw, text);
	}
	must_be(ipfw_commit(fw), "ipfw_commit");
}

static void
prepare_filter_table(struct bench *b)
{
	struct ipfw *fw = filter_ipfw(b);
	struct ipfw_table *t;

	must_be(ipfw_table_make(fw, "t", IPFW_TABLE_ADDR, &t), "table");
	for (uint32_t i = 0; i < SOURCES; i++) {
		struct ipfw_key k = ipfw_key4(FILTER_NET + i);

		must_be(ipfw_table_add(t, &k, 0, false), "table");
	}
	rule(fw, "1 deny ip from table(t) to any");
	must_be(ipfw_commit(fw), "ipfw_commit");
	b->sources = SOURCES;
}

static void
prepare_filter_states(struct bench *b)
{
	struct ipfw *fw = filter_ipfw(b);

	b->sources = SOURCES;
	must_be(ipfw_set(fw, IPFW_DYN_MAX, 2 * SOURCES), "dyn_max");
	must_be(ipfw_set(fw, IPFW_DYN_UDP_LIFETIME, 1000000), "lifetime");
	rule(fw, "1 allow udp from any to any keep-state");
	must_be(ipfw_commit(fw), "ipfw_commit");
	for (uint32_t i = 0; i < SOURCES; i += BATCH)
		(void)work_filter(b);
	ASSERT(fw->states.count == SOURCES);
}

/* A capture on the bridge, and its reader: the same thread, which has room in
 * memory that the cache does not hold. */

static uint64_t
capture_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void
capture_dirty(struct capture *c)
{
	(void)c;
}

static void
capture_ended(struct capture *c, enum capture_end why)
{
	(void)c, (void)why;
}

static void
capture_begin(struct bench *b, struct program program)
{
	size_t size = stream_size(16u * 1024 * 1024);
	void *memory = must(aligned_alloc(4096, size));

	memset(memory, 0, size);
	must_be(stream_reader_init(&b->reader, memory, size), "stream");
	must_be(capture_create(net_iface_find(b->net, NULL, "bridge0"),
	            &(struct capture_options){
	                .program = program,
	                .memory = memory,
	                .memory_size = size,
	                .clock_ns = capture_clock,
	                .dirty = capture_dirty,
	                .ended = capture_ended,
	            },
	            &b->capture),
	    "capture");
}

static void
prepare_capture(struct bench *b)
{
	prepare_core(b);
	capture_begin(b, (struct program){ 0 });
}

/* Nothing has this type: each comparison fails. */
static void
prepare_capture_none(struct bench *b)
{
	struct program p = { 10, must(calloc(10, sizeof(p.insns[0]))) };

	prepare_core(b);
	for (uint32_t i = 0; i < 9; i += 3) {
		p.insns[i] = (struct program_insn){ 0x28, 0, 0, 12 };
		p.insns[i + 1] = (struct program_insn){ 0x54, 0, 0, 0xffff };
		p.insns[i + 2] =
		    (struct program_insn){ 0x15, (uint8_t)(6 - i), 0, 1 };
	}
	p.insns[9] = (struct program_insn){ 0x06, 0, 0, 0 };
	capture_begin(b, p);
}

static uint64_t
work_capture(struct bench *b)
{
	uint64_t n = work_core(b);
	const uint8_t *at;
	long got;

	(void)capture_flush(b->capture);
	while ((got = stream_peek(&b->reader, &at)) > 0)
		stream_skip(&b->reader, (size_t)got);
	return n;
}

static void
prepare_core_learn(struct bench *b)
{
	(void)prepare_bridge(b, 2, 0);
}

/* New sources, known destinations. */
static uint64_t
work_core_learn(struct bench *b)
{
	struct bridge *br = bridge_of(net_iface_find(b->net, NULL, "bridge0"));
	const uint64_t *q = b->queries + (b->at & (QUERIES - 1));
	struct frame_batch batch = { .count = BATCH };
	uint64_t start, ns;

	if (fdb_count(&br->fdb) >= 1000000)
		fdb_flush_port(&br->fdb, 1, false); /* nobody waits for it */
	start = cpu_ns();
	for (uint32_t j = 0; j < BATCH; j++) {
		uint64_t mac = (++b->fresh * 0x9e3779b97f4a7c15u) >> 16;

		mac = (mac & 0xfcffffffffffu) | 0x020000000000u;
		batch.frames[j] = make_frame(b->net, q[2 * j + 1], mac);
	}
	b->at += 2 * BATCH;
	b->net->now_ns = 1000000000 + (b->at << 7);
	iface_output(b->from, &batch);
	while (net_poll(b->net))
		;
	ns = cpu_ns() - start;
	if ((double)ns > b->longest_ns)
		b->longest_ns = (double)ns;
	return BATCH;
}

static void
prepare_flood(struct bench *b)
{
	prepare_net(b, b->kind->arg);
}

static uint64_t
work_flood(struct bench *b)
{
	struct frame_batch batch;

	for (uint32_t j = 0; j < BATCH; j++)
		batch.frames[j] =
		    make_frame(b->net, 0xffffffffffffu, 0x020000000001u);
	batch.count = BATCH;
	iface_output(b->from, &batch);
	while (net_poll(b->net))
		;
	return (uint64_t)BATCH * (b->kind->arg - 1);
}

/* Frames. */

static void
prepare_pool(struct bench *b)
{
	struct net_options o = { .kinds = drv_kinds };

	must_be(net_create(&o, &b->net), "net_create");
	b->data = must(calloc(1, 1024));
}

static uint64_t
work_alloc(struct bench *b)
{
	struct frame *f[BATCH];

	for (uint32_t i = 0; i < BATCH; i++)
		f[i] = frame_alloc(b->net->pool, FRAME);
	for (uint32_t i = 0; i < BATCH; i++)
		frame_release(f[i]);
	return BATCH;
}

static uint64_t
work_csum(struct bench *b)
{
	for (uint32_t i = 0; i < BATCH; i++) {
		b->data[i]++;
		b->sum += csum_fold(csum_add(0, b->data, 1024));
	}
	return BATCH;
}

/* 45 segments of 1448 bytes of TCP over IPv4. */
static void
prepare_segment(struct bench *b)
{
	static const uint8_t head[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8,
		0, 0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192,
		0, 2, 2, 0x12, 0x34, 0x56, 0x78, 0, 0, 0, 1, 0, 0, 0, 1, 0x80,
		0x18, 1, 0, 0, 0, 0, 0, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2 };
	enum drop_reason why;
	struct frame *f;

	prepare_pool(b);
	f = must(frame_alloc(b->net->pool, FRAME_LARGE_MAX));
	f->len = sizeof(head) + 45 * 1448;
	memset(f->data, 0x5a, f->len);
	memcpy(f->data, head, sizeof(head));
	be16_put(f->data + 16, (uint16_t)(f->len - 14));
	be16_put(
	    f->data + 24, (uint16_t)~csum_fold(csum_add(0, f->data + 14, 20)));
	f->off = (struct frame_offload){
		.flags = FRAME_CSUM_PARTIAL,
		.gso_type = FRAME_GSO_TCPV4,
		.hdr_len = sizeof(head),
		.gso_size = 1448,
		.csum_start = 34,
		.csum_offset = 16,
	};
	must_be(offload_check(f, &why), "offload_check");
	b->super = f;
}

static void
segment_emit(void *arg, struct frame *f)
{
	struct bench *b = arg;

	b->sum++;
	frame_release(f);
}

static void
segment_drop(void *arg, struct frame *f, enum drop_reason why)
{
	(void)arg;
	fprintf(stderr, "coax-bench: segment: %s\n", drop_info(why)->text);
	frame_release(f);
	exit(1);
}

static uint64_t
work_segment(struct bench *b)
{
	struct offload_output out = {
		.mtu = 1500,
		.emit = segment_emit,
		.drop = segment_drop,
		.arg = b,
	};
	uint64_t before = b->sum;

	offload_fit(frame_take(b->super), &out);
	return b->sum - before;
}

/* Spanning tree: a bridge whose first port leads to the root, seven that
 * forward. */

#define STP_BPDUS 128u /* between two ticks: fewer than a port hears */

static void
stp_second(struct bench *b)
{
	uint32_t count;

	b->now_ns += 1000000000;
	stp_tick(b->stp, b->now_ns);
	(void)stp_effects(b->stp, &count);
	b->sum += count;
}

static void
prepare_stp_alone(struct bench *b)
{
	const struct stp_options o = { .mac = { 2, 0, 0, 0, 0, 2 },
		.ports = 8 };

	must_be(stp_create(&o, 0, &b->stp), "stp_create");
	for (uint16_t p = 1; p <= 8; p++) {
		must_be(stp_port_add(b->stp, p, 0), "stp_port_add");
		must_be(
		    stp_port_link(b->stp, p, true, NULL, 0), "stp_port_link");
	}
	for (uint32_t i = 0; i < 60; i++)
		stp_second(b);
}

static void
prepare_stp(struct bench *b)
{
	struct stp_bpdu m = {
		.type = STP_BPDU_RST,
		.flags = STP_BPDU_ROLE_DESIGNATED << 2 | STP_FLAG_LEARNING |
		         STP_FLAG_FORWARDING,
		.root_id = 0x1000020000000001u,
		.bridge_id = 0x1000020000000001u,
		.port_id = 0x8001,
		.times = { 0, 20, 2, 15 },
	};

	prepare_stp_alone(b);
	b->bpdu_len = stp_bpdu_encode(&m, b->bpdus[0]);
	m.root_path_cost = 4; /* the root is further away */
	(void)stp_bpdu_encode(&m, b->bpdus[1]);
}

static uint64_t
stp_hear(struct bench *b, uint32_t other)
{
	uint32_t count;

	for (uint32_t i = 0; i < STP_BPDUS; i++) {
		must_be(stp_receive(b->stp, 1, b->bpdus[i & other], b->bpdu_len,
		            b->now_ns),
		    "stp_receive");
		(void)stp_effects(b->stp, &count);
		b->sum += count;
	}
	stp_second(b);
	return STP_BPDUS;
}

static uint64_t
work_stp(struct bench *b)
{
	return stp_hear(b, 0);
}

static uint64_t
work_stp_news(struct bench *b)
{
	return stp_hear(b, 1);
}

static uint64_t
work_stp_tick(struct bench *b)
{
	stp_second(b);
	return 8;
}

/* A ring port whose interface sends back what comes in. */

static void
send_back(
    struct iface_stack *stack, struct iface *ifp, struct frame_batch *batch)
{
	(void)stack;
	iface_output(ifp, batch);
}

static void
prepare_ring(struct bench *b)
{
	struct st *s = must(calloc(1, sizeof(*s)));

	s->name = "bench";
	s->pages = must(st_pages());
	s->text = must(calloc(1, ST_TEXT_MAX));
	must_be(st_begin(s), "ring");
	s->stack.input = send_back;
	st_map_memory(s, b->kind->arg != 0);
	for (uint32_t i = 0; i < COAX_NETIF_TX_SLOTS; i++) {
		uint8_t *p = s->pages +
		             (size_t)(ST_TX_PAGE + i) * COAX_RING_PAGE +
		             i % 32 * 64;

		memset(p, 2, FRAME);
	}
	st_post(s, COAX_NETIF_RX_SLOTS, 0);
	b->st = s;
}

static void
ring_front(struct st *s)
{
	struct coax_netif_tx_request req = { .size = FRAME };
	int n = netring_front_poll(&s->tx);

	for (; n > 0; n--)
		(void)netslot_get_tx_response(&s->tx, s->tx.rsp_cons++);
	for (n = netring_front_poll(&s->rx); n > 0; n--) {
		uint32_t slot = s->rx.rsp_cons % COAX_NETIF_RX_SLOTS;

		(void)netslot_get_rx_response(&s->rx, s->rx.rsp_cons++);
		netslot_put_rx_request(
		    &s->rx, (uint16_t)slot, ST_RX_PAGE + slot);
	}
	(void)netring_front_publish(&s->rx);
	for (uint32_t i = 0; i < XNB_BATCH; i++) {
		uint32_t slot = s->tx.req_prod_pvt % COAX_NETIF_TX_SLOTS;

		req.id = (uint16_t)slot;
		req.gref = ST_TX_PAGE + slot;
		req.offset = (uint16_t)(slot % 32 * 64);
		netslot_put_tx_request(&s->tx, &req);
	}
	(void)netring_front_publish(&s->tx);
}

static uint64_t
work_ring(struct bench *b)
{
	struct st *s = b->st;

	ring_front(s);
	net_ready(&s->x->ifp);
	(void)net_poll(s->net);
	s->log_count = 0;
	return XNB_BATCH;
}

static const struct kind kinds[] = {
	{ "core-1k", "frame", "feth to feth through a bridge, 1000 addresses",
	    1000, prepare_core, work_core, "fdb-floor-1k", NULL },
	{ "core-100k", "frame", "the same, 100 000 addresses", 100000,
	    prepare_core, work_core, "fdb-floor-100k", NULL },
	{ "core-members", "frame", "the same as core-1k, 1000 members", 1000,
	    prepare_members, work_core, "core-1k", NULL },
	{ "vlan-1k", "frame", "the same as core-1k in a filtered VLAN", 1000,
	    prepare_vlan, work_core, "core-1k", NULL },
	{ "vlan-trunk", "frame", "the same, tagged on the way out", 1000,
	    prepare_trunk, work_core, "core-1k", NULL },
	{ "capture-1k", "frame", "the same as core-1k, captured whole", 1000,
	    prepare_capture, work_capture, "core-1k", NULL },
	{ "capture-none-1k", "frame", "the same, a filter takes none", 1000,
	    prepare_capture_none, work_capture, "core-1k", NULL },
	{ "filter-none", "frame", "UDP over IPv4, no filter", 1000,
	    prepare_filter_none, work_filter, "core-1k", NULL },
	{ "filter-c-1", "frame", "a filter in C, one rule", 1000,
	    prepare_filter_c, work_filter, "filter-none", NULL },
	{ "filter-ipfw-1", "frame", "ipfw, one rule", 1000, prepare_filter_ipfw,
	    work_filter, "filter-c-1", "filter-none" },
	{ "filter-c-1000", "frame", "a filter in C, 1000 rules", 1000,
	    prepare_filter_c, work_filter, "filter-none", NULL },
	{ "filter-ipfw-1000", "frame", "ipfw, 1000 rules", 1000,
	    prepare_filter_ipfw, work_filter, "filter-c-1000", "filter-none" },
	{ "filter-table", "frame", "ipfw, a table of 100 000 addresses", 1000,
	    prepare_filter_table, work_filter, "filter-none", NULL },
	{ "filter-states", "frame", "ipfw, 100 000 dynamic states", 1000,
	    prepare_filter_states, work_filter, "filter-none", NULL },
	{ "fdb-floor-1k", "frame", "least table: look-up and refresh", 1000,
	    prepare_floor, work_floor, NULL, NULL },
	{ "fdb-floor-100k", "frame", "the same, 100 000 addresses", 100000,
	    prepare_floor, work_floor, NULL, NULL },
	{ "fdb-floor-1m", "frame", "the same, 1 000 000 addresses", 1000000,
	    prepare_floor, work_floor, NULL, NULL },
#ifdef COAX_DPDK
	{ "rte-1k", "frame", "DPDK's rte_hash: look-up alone, in bulk", 1000,
	    prepare_rte, work_rte, NULL, NULL },
	{ "rte-100k", "frame", "the same, 100 000 addresses", 100000,
	    prepare_rte, work_rte, NULL, NULL },
	{ "rte-1m", "frame", "the same, 1 000 000 addresses", 1000000,
	    prepare_rte, work_rte, NULL, NULL },
	{ "rte-refresh-1m", "frame", "the same, look-up and refresh", 1000000,
	    prepare_rte, work_rte_refresh, NULL, NULL },
#endif
	{ "fdb-1k", "frame", "coax's table: look-up and refresh", 1000,
	    prepare_fdb, work_fdb, "fdb-floor-1k", "rte-1k" },
	{ "fdb-100k", "frame", "the same, 100 000 addresses", 100000,
	    prepare_fdb, work_fdb, "fdb-floor-100k", "rte-100k" },
	{ "fdb-1m", "frame", "the same, 1 000 000 addresses", 1000000,
	    prepare_fdb, work_fdb, "fdb-floor-1m", "rte-1m" },
	{ "fdb-learn", "address", "new addresses, up to 1 000 000", 1000000,
	    prepare_learn, work_learn, NULL, NULL },
	{ "core-learn", "frame", "through the bridge, each from a new address",
	    1000, prepare_core_learn, work_core_learn, "core-1k", NULL },
	{ "flood-8", "copy", "a flooded frame, 8 members", 8, prepare_flood,
	    work_flood, NULL, NULL },
	{ "flood-256", "copy", "a flooded frame, 256 members", 256,
	    prepare_flood, work_flood, "flood-8", NULL },
	{ "stp-bpdu", "BPDU", "heard again, 8 ports, a tick with 128", 0,
	    prepare_stp, work_stp, NULL, NULL },
	{ "stp-news", "BPDU", "the same with another way to the root", 0,
	    prepare_stp, work_stp_news, "stp-bpdu", NULL },
	{ "stp-tick", "port", "a second of a port that sends", 0,
	    prepare_stp_alone, work_stp_tick, NULL, NULL },
	{ "ring", "frame", "in and out of a ring port, mapped", 1, prepare_ring,
	    work_ring, NULL, NULL },
	{ "ring-pieces", "frame", "the same, through lists of pieces", 0,
	    prepare_ring, work_ring, "ring", NULL },
	{ "frame-alloc", "frame", "take and return", 0, prepare_pool,
	    work_alloc, NULL, NULL },
	{ "csum", "KiB", "Internet checksum", 0, prepare_pool, work_csum, NULL,
	    NULL },
	{ "segment", "segment", "64 KiB of TCP into segments of 1448 bytes", 0,
	    prepare_segment, work_segment, NULL, NULL },
};

#define KINDS ARRAY_LEN(kinds)

static struct bench benches[KINDS];

/* "core" means core-1k and core-100k. */
static bool
name_matches(const char *name, const char *asked)
{
	size_t len = strlen(asked);

	return strncmp(name, asked, len) == 0 &&
	       (name[len] == '\0' || name[len] == '-');
}

static bool
is(const char *name, const char *other)
{
	return other != NULL && strcmp(name, other) == 0;
}

static void
want(const char *asked)
{
	bool found = false;

	for (size_t i = 0; i < KINDS; i++) {
		if (!name_matches(kinds[i].name, asked))
			continue;
		benches[i].wanted = true;
		found = true;
		/* What it is compared with is measured in the same run. */
		for (size_t j = 0; j < KINDS; j++)
			if (is(kinds[j].name, kinds[i].against) ||
			    is(kinds[j].name, kinds[i].also))
				benches[j].wanted = true;
	}
	if (!found) {
		fprintf(stderr, "coax-bench: no benchmark %s (see --list)\n",
		    asked);
		exit(1);
	}
}

static void
slice(struct bench *b, uint32_t round)
{
	uint64_t start = cpu_ns(), ns, units = 0;

	do {
		for (uint32_t i = 0; i < 16; i++)
			units += b->kind->work(b);
		ns = cpu_ns() - start;
	} while (ns < SLICE_NS);
	b->ns[round] = b->by_round[round] = (double)ns / (double)units;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(const struct bench *b)
{
	return b->ns[ROUNDS / 2];
}

/* The two were measured next to each other in each round: the quotients of the
 * rounds, not that of the medians, take out what the machine did meanwhile. */
static double
ratio(const struct bench *b, const struct bench *o)
{
	double q[ROUNDS];

	for (uint32_t i = 0; i < ROUNDS; i++)
		q[i] = b->by_round[i] / o->by_round[i];
	qsort(q, ROUNDS, sizeof(double), compare);
	return q[ROUNDS / 2];
}

/* What it is held against; NULL: nothing. */
static const struct bench *
find(const char *name)
{
	for (size_t i = 0; i < KINDS; i++)
		if (is(kinds[i].name, name))
			return &benches[i];
	return NULL;
}

static void
report(bool json)
{
	const char *separator = "";

	if (json)
		printf("{\"rounds\":%d,\"results\":[", ROUNDS);
	else
		printf("%-16s %9s %9s %9s  %-8s %s\n", "", "median ns", "min",
		    "max", "per", "ratio");
	for (size_t i = 0; i < KINDS; i++) {
		const struct bench *b = &benches[i],
		                   *o = find(b->kind->against);
		const struct bench *also = find(b->kind->also);

		if (!b->wanted)
			continue;
		if (json) {
			printf("%s{\"name\":\"%s\",\"per\":\"%s\","
			       "\"median_ns\":%.2f,\"min_ns\":%.2f,"
			       "\"max_ns\":%.2f",
			    separator, b->kind->name, b->kind->unit, median(b),
			    b->ns[0], b->ns[ROUNDS - 1]);
			if (o != NULL)
				printf(",\"against\":\"%s\",\"ratio\":%.3f",
				    o->kind->name, ratio(b, o));
			if (also != NULL)
				printf(",\"also\":\"%s\",\"also_ratio\":%.3f",
				    also->kind->name, ratio(b, also));
			if (b->longest_ns > 0)
				printf(",\"longest_ns\":%.0f", b->longest_ns);
			if (b->entry_bytes > 0)
				printf(",\"entry_bytes\":%.1f", b->entry_bytes);
			printf("}");
			separator = ",";
			continue;
		}
		printf("%-16s %9.2f %9.2f %9.2f  %-8s", b->kind->name,
		    median(b), b->ns[0], b->ns[ROUNDS - 1], b->kind->unit);
		if (o != NULL)
			printf(" %.2f x %s", ratio(b, o), o->kind->name);
		if (also != NULL)
			printf(", %.2f x %s", ratio(b, also), also->kind->name);
		if (b->longest_ns > 0)
			printf(" longest batch %.0f us", b->longest_ns / 1000);
		if (b->entry_bytes > 0)
			printf(", %.1f bytes an address", b->entry_bytes);
		printf("\n");
	}
	if (json)
		printf("]}\n");
}

int
main(int argc, char **argv)
{
	bool json = false, some = false;

	for (size_t i = 0; i < KINDS; i++)
		benches[i].kind = &kinds[i];
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			json = true;
		} else if (strcmp(argv[i], "--list") == 0) {
			for (size_t j = 0; j < KINDS; j++)
				printf("%-16s %s\n", kinds[j].name,
				    kinds[j].about);
			return 0;
		} else if (argv[i][0] == '-') {
			fprintf(stderr, "usage: coax-bench [NAME...] [--json] "
			                "[--list]\n");
			return 1;
		} else {
			want(argv[i]);
			some = true;
		}
	}
	for (size_t i = 0; i < KINDS; i++) {
		benches[i].wanted = benches[i].wanted || !some;
		if (benches[i].wanted)
			kinds[i].prepare(&benches[i]);
	}
	for (uint32_t r = 0; r < ROUNDS; r++)
		for (size_t i = 0; i < KINDS; i++)
			if (benches[i].wanted)
				slice(&benches[i], r);
	for (size_t i = 0; i < KINDS; i++)
		qsort(benches[i].ns, ROUNDS, sizeof(double), compare);
	report(json);
	return 0;
}
