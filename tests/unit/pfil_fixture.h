/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests of packet filters: packets of IP, and a package that remembers
 * where it was called and answers as it is told.
 */
#pragma once

#include "bridge_fixture.h"
#include "frame/csum.h"
#include "frame/l4.h"
#include "pfil/pfil.h"

#define SPY_MAX 128

/* "in port0 ip4", "out port1 ether" ... one after the other. */
struct spy {
	char text[4096];
	enum pfil_verdict verdict;
	char deny[64]; /* the call that is answered by verdict; "": all */
	bool again;    /* what is held comes back to this hook */
	struct frame *held;
	struct pfil_where where;
	uint32_t calls;
};
static struct spy spy;

static inline enum pfil_verdict
spy_run(void *state, struct pfil_packet *p)
{
	static const char *const layers[] = { "ether", "ip4", "ip6" };
	char call[64];
	size_t len = strlen(spy.text);

	(void)state;
	snprintf(call, sizeof(call), "%s %s %s",
	    p->dir == PFIL_IN ? "in" : "out", p->ifp->name, layers[p->layer]);
	snprintf(spy.text + len, sizeof(spy.text) - len, "%s%s%s",
	    len != 0 ? ", " : "", call, p->where.cookie != 0 ? " again" : "");
	spy.calls++;
	if (spy.verdict == PFIL_PASS || p->where.cookie != 0 ||
	    (spy.deny[0] != '\0' && strcmp(spy.deny, call) != 0))
		return PFIL_PASS;
	if (spy.verdict == PFIL_CONSUMED) {
		assert_null(spy.held);
		spy.held = p->frame;
		spy.where = p->where;
		if (spy.again)
			spy.where.cookie = 1;
		else
			spy.where.hook++;
	}
	return spy.verdict;
}

static const struct pfil_hook spy_hooks[] = {
	{ PFIL_ETHER, PFIL_OUT, spy_run },
	{ PFIL_ETHER, PFIL_IN, spy_run },
	{ PFIL_IP4, PFIL_IN, spy_run },
	{ PFIL_IP4, PFIL_OUT, spy_run },
	{ PFIL_IP6, PFIL_IN, spy_run },
	{ PFIL_IP6, PFIL_OUT, spy_run },
	{ .run = NULL },
};
static const struct pfil_package spy_package = {
	.name = "spy",
	.about = "test",
	.hooks = spy_hooks,
};

static inline void
spy_reset(void)
{
	assert_null(spy.held);
	spy = (struct spy){ 0 };
}

/* Where was it called since the last time? */
#define assert_calls(expected)                           \
	do {                                             \
		assert_string_equal(spy.text, expected); \
		spy.text[0] = '\0';                      \
	} while (0)

struct packet {
	uint64_t dst, src; /* MACs */
	uint32_t vid;
	uint32_t sip, dip;
	uint8_t proto;
	uint16_t sport, dport;
	uint8_t tcp_flags;
	uint8_t icmp_type;
	uint16_t frag; /* the field */
	uint16_t ip_id;
	uint8_t tos, ttl;
	uint32_t payload;
	bool v6; /* sip and dip are the last four bytes of 2001:db8:: */
	uint32_t id;
};

/* The frame's number is in its last four bytes (bridge_fixture.h). */
static inline struct frame *
packet_make(struct net *net, const struct packet *k)
{
	uint32_t l4 = k->proto == IP_PROTO_TCP ? 20 : 8, at = ETH_HDR_LEN;
	uint32_t hdr = k->v6 ? 40 : 20;
	uint32_t payload = k->payload < 4 ? 4 : k->payload;
	struct frame *f =
	    frame_alloc(net->pool, ETH_HDR_LEN + 4 + hdr + l4 + payload);
	uint8_t *ip, *t;

	assert_non_null(f);
	u64_to_mac(k->dst, f->data);
	u64_to_mac(k->src, f->data + 6);
	if (k->vid != 0) {
		be16_put(f->data + 12, ETH_TYPE_VLAN);
		be16_put(f->data + 14, (uint16_t)k->vid);
		at += 4;
	}
	be16_put(f->data + at - 2, k->v6 ? ETH_TYPE_IPV6 : ETH_TYPE_IPV4);
	ip = f->data + at;
	f->len = at + hdr + l4 + payload;
	memset(ip, 0, f->len - at);
	t = ip + hdr;
	if (k->v6) {
		be32_put(ip, 0x60000000u | (uint32_t)k->tos << 20);
		be16_put(ip + 4, (uint16_t)(l4 + payload));
		ip[6] = k->proto;
		ip[7] = k->ttl != 0 ? k->ttl : 64;
		be32_put(ip + 8, 0x20010db8);
		be32_put(ip + 20, k->sip);
		be32_put(ip + 24, 0x20010db8);
		be32_put(ip + 36, k->dip);
	} else {
		ip[0] = 0x45;
		ip[1] = k->tos;
		be16_put(ip + 2, (uint16_t)(f->len - at));
		be16_put(ip + 4, k->ip_id);
		be16_put(ip + 6, k->frag);
		ip[8] = k->ttl != 0 ? k->ttl : 64;
		ip[9] = k->proto;
		be32_put(ip + 12, k->sip);
		be32_put(ip + 16, k->dip);
		be16_put(ip + 10, (uint16_t)~csum_fold(csum_add(0, ip, 20)));
	}
	if (k->proto == IP_PROTO_ICMP || k->proto == IP_PROTO_ICMP6) {
		t[0] = k->icmp_type;
	} else {
		be16_put(t, k->sport);
		be16_put(t + 2, k->dport);
	}
	if (k->proto == IP_PROTO_TCP) {
		be32_put(t + 4, 1000); /* seq */
		t[12] = 0x50;
		t[13] = k->tcp_flags;
	} else if (k->proto == IP_PROTO_UDP) {
		be16_put(t + 4, (uint16_t)(l4 + payload));
	}
	be32_put(f->data + f->len - 4, k->id);
	return f;
}

static inline void
packet_in(struct lab *l, uint32_t port, const struct packet *k)
{
	struct frame_batch b = {
		.count = 1,
		.frames = { packet_make(l->net, k) },
	};

	iface_input(l->p[port], &b);
}

static inline void
packet_from_host(struct iface *ifp, const struct packet *k)
{
	struct frame_batch b = {
		.count = 1,
		.frames = { packet_make(ifp->net, k) },
	};

	iface_host_input(ifp, &b);
}
