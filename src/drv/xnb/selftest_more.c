/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xnb: what FreeBSD's tests leave out. Sums over IPv6, behind VLAN tags, IP
 * options and extension headers; UDP datagrams of several frames; super-frames
 * both ways; front ends that take less; everything that a hostile front end can
 * write into its rings, one case for each check; and the short way of packets
 * in memory that is mapped.
 */
#include <errno.h>

#include "drv/xnb/selftest_impl.h"

#define MORE  COAX_NETTXF_MORE_DATA
#define EXTRA COAX_NETTXF_EXTRA_INFO
#define BLANK (COAX_NETTXF_CSUM_BLANK | COAX_NETTXF_DATA_VALIDATED)

#define PROTO_TCP 6
#define PROTO_UDP 17

/* --- packets ---------------------------------------------------------------
 */

/* A packet and where its parts are. */
struct packet {
	uint8_t data[4096];
	uint32_t len, l3, l4;
	uint8_t ip, proto;
	uint8_t pseudo[40]; /* pseudo-header */
	uint32_t pseudo_len;
};

static uint32_t
sum_at(const struct packet *p)
{
	return p->l4 + (p->proto == PROTO_TCP ? 16 : 6);
}

static void
add(struct packet *p, const void *data, uint32_t len)
{
	memcpy(p->data + p->len, data, len);
	p->len += len;
}

static void
put_pseudo(struct packet *p, const uint8_t *src, const uint8_t *dst)
{
	uint32_t n = p->ip == 4 ? 4 : 16, l4_len = p->len - p->l4;

	memset(p->pseudo, 0, sizeof(p->pseudo));
	memcpy(p->pseudo, src, n);
	memcpy(p->pseudo + n, dst, n);
	if (p->ip == 4) {
		p->pseudo[9] = p->proto;
		be16_put(p->pseudo + 10, (uint16_t)l4_len);
	} else {
		be32_put(p->pseudo + 32, l4_len);
		p->pseudo[39] = p->proto;
	}
	p->pseudo_len = 2 * n + (p->ip == 4 ? 4 : 8);
}

/* @tags tags, IPv4 with @options words of options or IPv6 with @ext (of
 * @ext_len bytes, begun by a byte that says what follows) between; @payload
 * bytes. */
static void
make(struct packet *p, uint8_t ip, uint8_t proto, uint32_t tags,
    uint32_t options, uint8_t ext_type, const uint8_t *ext, uint32_t ext_len,
    uint32_t payload)
{
	static const uint8_t ether[12] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };
	uint8_t tag[4] = { 0x81, 0x00, 0x00, 0x07 };
	uint8_t nop[4] = { 1, 1, 1, 1 };
	uint8_t h[60] = { 0 };
	uint32_t body = (proto == PROTO_TCP ? 20 : 8) + payload;

	p->len = 0;
	p->ip = ip;
	p->proto = proto;
	add(p, ether, sizeof(ether));
	for (uint32_t i = 0; i < tags; i++)
		add(p, tag, sizeof(tag));
	add(p, ip == 4 ? "\x08\x00" : "\x86\xdd", 2);
	p->l3 = p->len;
	if (ip == 4) {
		h[0] = (uint8_t)(0x45 + options);
		be16_put(h + 2, (uint16_t)(20 + 4 * options + body));
		be16_put(h + 4, 77);
		h[8] = 64;
		h[9] = proto;
		memcpy(h + 12, "\xc0\0\2\1\xc0\0\2\2", 8);
		for (uint32_t i = 0; i < options; i++)
			memcpy(h + 20 + 4 * i, nop, 4);
		be16_put(h + 10, st_sum(NULL, 0, h, 20 + 4 * options));
		add(p, h, 20 + 4 * options);
	} else {
		h[0] = 0x60;
		be16_put(h + 4, (uint16_t)(ext_len + body));
		h[6] = ext_len != 0 ? ext_type : proto;
		h[7] = 64;
		memcpy(h + 8, "\x20\x01\x0d\xb8", 4);
		h[23] = 1;
		memcpy(h + 24, "\x20\x01\x0d\xb8", 4);
		h[39] = 2;
		add(p, h, 40);
		if (ext_len != 0)
			add(p, ext, ext_len);
	}
	p->l4 = p->len;
	memset(h, 0, sizeof(h));
	memcpy(h, "\x12\x34\x56\x78", 4);
	if (proto == PROTO_TCP) {
		h[12] = 0x50;
		h[13] = 0x18;
		be16_put(h + 16, 0xbaad);
		add(p, h, 20);
	} else {
		be16_put(h + 4, (uint16_t)body);
		be16_put(h + 6, 0xbaad);
		add(p, h, 8);
	}
	st_pattern(p->data + p->len, payload, 0);
	p->len += payload;
	put_pseudo(p, p->data + p->l3 + (ip == 4 ? 12 : 8),
	    p->data + p->l3 + (ip == 4 ? 16 : 24));
}

static void
plain(struct packet *p, uint8_t ip, uint8_t proto, uint32_t payload)
{
	make(p, ip, proto, 0, 0, 0, NULL, 0, payload);
}

/* The transport sum as it must be. */
static uint16_t
right_sum(const struct packet *p)
{
	uint8_t l4[4096];
	uint16_t sum;

	memcpy(l4, p->data + p->l4, p->len - p->l4);
	be16_put(l4 + (sum_at(p) - p->l4), 0);
	sum = st_sum(p->pseudo, p->pseudo_len, l4, p->len - p->l4);
	return sum == 0 && p->proto == PROTO_UDP ? 0xffff : sum;
}

/* Sent with a blank sum, it comes out with the right one, else as it was. */
static bool
completed(struct st *s, const struct packet *p)
{
	const struct frame *f = st_through(s, p->data, p->len, BLANK);
	uint32_t at = sum_at(p);

	return f != NULL && f->len == p->len &&
	       be16_get(f->data + at) == right_sum(p) &&
	       memcmp(f->data, p->data, at) == 0 &&
	       memcmp(f->data + at + 2, p->data + at + 2, p->len - at - 2) == 0;
}

/* --- sums ------------------------------------------------------------------
 */

static void
cksum_tcp6(struct st *s)
{
	struct packet p;

	plain(&p, 6, PROTO_TCP, 100);
	ST_CHECK(s, completed(s, &p));
	plain(&p, 6, PROTO_TCP, 101); /* an odd length */
	ST_CHECK(s, completed(s, &p));
}

static void
cksum_udp6(struct st *s)
{
	struct packet p;

	plain(&p, 6, PROTO_UDP, 100);
	ST_CHECK(s, completed(s, &p));
	plain(&p, 6, PROTO_UDP, 0);
	ST_CHECK(s, completed(s, &p));
}

static void
cksum_ip6_extension_headers(struct st *s)
{
	/* Next header, length in 8 bytes less one, PadN. */
	uint8_t hop[8] = { PROTO_TCP, 0, 1, 4 };
	uint8_t home[24] = { PROTO_UDP, 2, 1, 2, 0, 0, 0xc9, 16, 0xfd };
	uint8_t route[24] = { PROTO_UDP, 2, 0, 1, 0, 0, 0, 0, 0xfe, 0x80 };
	struct packet p;

	make(&p, 6, PROTO_TCP, 0, 0, 0, hop, sizeof(hop), 64);
	ST_CHECK(s, completed(s, &p));
	/* The last address of a source route is the destination. */
	make(&p, 6, PROTO_UDP, 0, 0, 43, route, sizeof(route), 64);
	put_pseudo(&p, p.data + p.l3 + 8, p.data + p.l3 + 40 + 8);
	ST_CHECK(s, completed(s, &p));
	/* A home address is the source. */
	make(&p, 6, PROTO_UDP, 0, 0, 60, home, sizeof(home), 64);
	put_pseudo(&p, p.data + p.l3 + 40 + 8, p.data + p.l3 + 24);
	ST_CHECK(s, completed(s, &p));
}

static void
cksum_ip_options(struct st *s)
{
	struct packet p;

	make(&p, 4, PROTO_TCP, 0, 5, 0, NULL, 0, 64);
	ST_CHECK(s, completed(s, &p));
	make(&p, 4, PROTO_UDP, 0, 10, 0, NULL, 0, 64);
	ST_CHECK(s, completed(s, &p));
}

static void
cksum_vlan(struct st *s)
{
	struct packet p;

	make(&p, 4, PROTO_TCP, 1, 0, 0, NULL, 0, 64);
	ST_CHECK(s, completed(s, &p));
	make(&p, 6, PROTO_UDP, 2, 0, 0, NULL, 0, 64);
	ST_CHECK(s, completed(s, &p));
}

/* A UDP sum of zero would mean "none". */
static void
cksum_udp_zero(struct st *s)
{
	struct packet p;

	for (int ip = 4; ip <= 6; ip += 2) {
		plain(&p, (uint8_t)ip, PROTO_UDP, 2);
		be16_put(p.data + p.len - 2, 0);
		be16_put(p.data + p.len - 2, right_sum(&p));
		ST_CHECK(s, right_sum(&p) == 0xffff);
		ST_CHECK(s, completed(s, &p));
	}
}

/* Short packets are padded on the wire; that is not part of the sum. */
static void
cksum_padding(struct st *s)
{
	struct packet p;
	const struct frame *f;
	uint16_t sum;

	plain(&p, 4, PROTO_UDP, 1);
	sum = right_sum(&p);
	memset(p.data + p.len, 0x99, 60 - p.len);
	f = st_through(s, p.data, 60, BLANK);
	ST_CHECK(s, f != NULL && f->len == 60);
	ST_CHECK(s, f != NULL && be16_get(f->data + sum_at(&p)) == sum);
}

static void
cksum_unknown_protocol(struct st *s)
{
	struct packet p;

	plain(&p, 4, PROTO_UDP, 50);
	p.data[p.l3 + 9] = 47;
	ST_CHECK(s, st_through(s, p.data, p.len, BLANK) == NULL);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_CSUM_UNKNOWN] == 1);
}

static void
cksum_longer_than_the_frame(struct st *s)
{
	struct packet p;

	plain(&p, 4, PROTO_UDP, 50);
	be16_put(p.data + p.l3 + 2, 300);
	ST_CHECK(s, st_through(s, p.data, p.len, BLANK) == NULL);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_BAD_OFFLOAD] == 1);
}

/* --- fragments: UDP datagrams that span frames -----------------------------
 */

/* The pieces of @p, of 512 bytes each: @i of them. */
static uint32_t
fragment(const struct packet *p, uint32_t i, uint8_t *out)
{
	uint32_t hdr = p->ip == 4 ? p->l4 : p->l4 + 8, at = i * 512;
	uint32_t total = p->len - p->l4, len = COAX_MIN(512, total - at);
	bool more = at + len < total;

	memcpy(out, p->data, p->l4);
	if (p->ip == 4) {
		be16_put(out + p->l3 + 2, (uint16_t)(20 + len));
		be16_put(
		    out + p->l3 + 6, (uint16_t)(at / 8 | (more ? 0x2000 : 0)));
		be16_put(out + p->l3 + 10, 0);
		be16_put(out + p->l3 + 10, st_sum(NULL, 0, out + p->l3, 20));
	} else {
		be16_put(out + p->l3 + 4, (uint16_t)(8 + len));
		out[p->l3 + 6] = 44;
		memset(out + p->l4, 0, 8);
		out[p->l4] = p->proto;
		be16_put(out + p->l4 + 2, (uint16_t)(at | more));
		be32_put(out + p->l4 + 4, 0x12345678);
	}
	memcpy(out + hdr, p->data + p->l4 + at, len);
	return hdr + len;
}

/* A datagram that spans frames, its sum in the first: untouched, byte for byte
 * (the bug of the original). */
static void
fragments_untouched(struct st *s)
{
	struct packet p;
	uint8_t out[1024];

	for (int ip = 4; ip <= 6; ip += 2) {
		plain(&p, (uint8_t)ip, PROTO_UDP, 1400);
		be16_put(p.data + sum_at(&p), right_sum(&p));
		for (uint32_t i = 0; i < 3; i++) {
			uint32_t len = fragment(&p, i, out);
			const struct frame *f =
			    st_through(s, out, len, COAX_NETTXF_DATA_VALIDATED);

			ST_CHECK(s, f != NULL && f->len == len);
			ST_CHECK(
			    s, f != NULL && memcmp(f->data, out, len) == 0);
		}
	}
}

static void
reassembled(struct st *s, bool zero)
{
	struct packet p;
	uint8_t out[1024];

	for (int ip = 4; ip <= 6; ip += 2) {
		uint32_t at;

		plain(&p, (uint8_t)ip, PROTO_UDP, 1400);
		if (zero) {
			be16_put(p.data + p.len - 2, 0);
			be16_put(p.data + p.len - 2, right_sum(&p));
			ST_CHECK(s, right_sum(&p) == 0xffff);
		}
		at = sum_at(&p) + (ip == 6 ? 8 : 0);
		for (uint32_t i = 0; i < 3; i++) {
			uint32_t len = fragment(&p, i, out);

			ST_CHECK(s, s->frame_count == 0);
			memcpy(st_tx(s, (uint16_t)len, BLANK, 0), out, len);
			ST_CHECK(s, st_run_tx(s) == 1);
		}
		ST_CHECK(s, s->frame_count == 3);
		for (uint32_t i = 0; i < 3; i++) {
			uint32_t len = fragment(&p, i, out);

			if (i == 0)
				be16_put(out + at, right_sum(&p));
			ST_CHECK(s, st_in(s, i)->len == len);
			ST_CHECK(s, memcmp(st_in(s, i)->data, out, len) == 0);
		}
		st_forget(s);
	}
}

/* The same with a blank sum: held until it can be made. */
static void
fragments_reassembled(struct st *s)
{
	reassembled(s, false);
}

/* Here, too, a UDP sum of zero would mean "none". */
static void
fragments_udp_zero(struct st *s)
{
	reassembled(s, true);
}

/* --- super-frames ----------------------------------------------------------
 */

/* Sends @p as one of @mss; the segments that come out at an output that takes
 * none, into s->frames. */
static void
segments_emit(void *arg, struct frame *f)
{
	struct st *s = arg;

	if (s->frame_count < ST_FRAMES)
		s->frames[s->frame_count++] = f;
	else
		frame_release(f);
}

static void
segments_drop(void *arg, struct frame *f, enum drop_reason why)
{
	(void)arg;
	(void)why;
	frame_release(f);
}

static void
super_out(struct st *s, const struct packet *p, uint8_t type, uint16_t mss,
    uint16_t flags)
{
	struct offload_output to = {
		.emit = segments_emit,
		.drop = segments_drop,
		.arg = s,
	};
	struct frame *f;

	st_forget(s);
	memcpy(st_tx(s, (uint16_t)p->len, flags | EXTRA, 0), p->data, p->len);
	st_tx_gso(s, type, mss);
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, s->frame_count == 1);
	f = st_take(s);
	if (f != NULL)
		offload_fit(f, &to);
}

static void
gso_segments(struct st *s)
{
	struct packet p, seg;

	for (int ip = 4; ip <= 6; ip += 2) {
		uint8_t type =
		    ip == 4 ? COAX_NETIF_GSO_TCPV4 : COAX_NETIF_GSO_TCPV6;

		plain(&p, (uint8_t)ip, PROTO_TCP, 3000);
		super_out(s, &p, type, 1000, BLANK);
		ST_CHECK(s, s->frame_count == 3);
		for (uint32_t i = 0; i < 3; i++) {
			const struct frame *f = st_in(s, i);

			seg = p;
			seg.len = p.l4 + 20 + 1000;
			ST_CHECK(s, f->len == seg.len);
			memcpy(seg.data, f->data, seg.len);
			put_pseudo(&seg, seg.data + p.l3 + (ip == 4 ? 12 : 8),
			    seg.data + p.l3 + (ip == 4 ? 16 : 24));
			ST_CHECK(s, be16_get(seg.data + sum_at(&seg)) ==
			                right_sum(&seg));
			ST_CHECK(s, be32_get(f->data + p.l4 + 4) == i * 1000);
			ST_CHECK(s,
			    st_pattern_is(f->data + p.l4 + 20, 1000, i * 1000));
			/* PSH is the last one's. */
			ST_CHECK(
			    s, (f->data[p.l4 + 13] & 8) == (i == 2 ? 8 : 0));
		}
	}
}

/* One that does not say that its sum is blank has none all the same. */
static void
gso_without_blank(struct st *s)
{
	struct packet p;

	plain(&p, 4, PROTO_TCP, 3000);
	super_out(
	    s, &p, COAX_NETIF_GSO_TCPV4, 1000, COAX_NETTXF_DATA_VALIDATED);
	ST_CHECK(s, s->frame_count == 3);
	ST_CHECK(s, s->q->stats.gso_fixed == 1);
	p.len = p.l4 + 20 + 1000;
	memcpy(p.data, st_in(s, 0)->data, p.len);
	put_pseudo(&p, p.data + p.l3 + 12, p.data + p.l3 + 16);
	ST_CHECK(s, be16_get(p.data + sum_at(&p)) == right_sum(&p));
}

static void
gso_refused(struct st *s, const struct packet *p, uint8_t type, uint16_t mss)
{
	uint64_t before = s->x->ifp.count.drops[DROP_BAD_OFFLOAD];

	memcpy(st_tx(s, (uint16_t)p->len, BLANK | EXTRA, 0), p->data, p->len);
	st_tx_gso(s, type, mss);
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, s->frame_count == 0);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_BAD_OFFLOAD] == before + 1);
}

static void
gso_contradicts_the_packet(struct st *s)
{
	struct packet p;

	plain(&p, 6, PROTO_TCP, 3000);
	gso_refused(s, &p, COAX_NETIF_GSO_TCPV4, 1000);
	plain(&p, 4, PROTO_UDP, 3000);
	gso_refused(s, &p, COAX_NETIF_GSO_TCPV4, 1000);
	plain(&p, 4, PROTO_TCP, 3000);
	gso_refused(s, &p, COAX_NETIF_GSO_TCPV6, 1000);
	gso_refused(s, &p, COAX_NETIF_GSO_TCPV4, 47); /* too many segments */
	p.data[p.l4 + 12] = 0x40; /* a TCP header of 16 bytes */
	gso_refused(s, &p, COAX_NETIF_GSO_TCPV4, 1000);
}

static void
gso_of_size_zero_is_fatal(struct st *s)
{
	(void)st_tx(s, 1000, BLANK | EXTRA, 0);
	st_tx_gso(s, COAX_NETIF_GSO_TCPV4, 0);
	ST_CHECK(s, st_run_tx(s) == -EPROTO);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_XNB_GSO] == 1);
}

static void
gso_of_unknown_type_is_fatal(struct st *s)
{
	(void)st_tx(s, 1000, BLANK | EXTRA, 0);
	st_tx_gso(s, 3, 1000);
	ST_CHECK(s, st_run_tx(s) == -EPROTO);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_XNB_GSO] == 1);
}

/* --- what a front end takes ------------------------------------------------
 */

#define SG "request-rx-copy=1 feature-rx-notify=1 feature-sg=1 "

static uint32_t
caps(struct st *s, const char *keys)
{
	st_connect(s, keys);
	return s->x->ifp.caps;
}

static void
features_to_offloads(struct st *s)
{
	/* A blank sum over IPv4 is what every front end takes that does not say
	 * no; the rest has to be asked for. */
	ST_CHECK(s, caps(s, SG) == OFFLOAD_CSUM4);
	ST_CHECK(s, caps(s, SG "feature-no-csum-offload=1") == 0);
	ST_CHECK(s, caps(s, SG "feature-ipv6-csum-offload=1") ==
	                (OFFLOAD_CSUM4 | OFFLOAD_CSUM6));
	ST_CHECK(s, caps(s, SG "feature-gso-tcpv4=1 feature-gso-tcpv6=1") ==
	                (OFFLOAD_CSUM4 | OFFLOAD_TSO4));
	ST_CHECK(s, caps(s, SG "feature-gso-tcpv6=1 "
	                       "feature-ipv6-csum-offload=1 "
	                       "feature-no-csum-offload=1") ==
	                (OFFLOAD_CSUM6 | OFFLOAD_TSO6));
	/* Super-frames need several slots. */
	ST_CHECK(s,
	    caps(s, "request-rx-copy=1 feature-gso-tcpv4=1") == OFFLOAD_CSUM4);
}

/* Behind tags and extension headers front ends look for a sum in vain: it is
 * made for them. */
static void
no_blank_sums_behind_tags(struct st *s)
{
	struct frame_batch batch = { .count = 1 };
	struct coax_netif_rx_response rsp = { 0 };
	struct packet p;

	for (uint32_t tags = 0; tags < 2; tags++) {
		enum drop_reason why;
		struct frame *f;

		make(&p, 4, PROTO_TCP, tags, 0, 0, NULL, 0, 100);
		f = st_frame(s, p.len);
		if (f == NULL)
			return;
		memcpy(f->data, p.data, p.len);
		ST_CHECK(s, offload_blank(f, &why) == 0);
		st_post(s, 1, 0);
		batch.frames[0] = f;
		iface_output(&s->x->ifp, &batch);
		(void)st_run_rx(s, NULL);
		ST_CHECK(
		    s, st_rx_rsp(s, &rsp) && (uint32_t)rsp.status == p.len);
		ST_CHECK(
		    s, rsp.flags == (tags == 0 ? COAX_NETRXF_CSUM_BLANK |
		                                     COAX_NETRXF_DATA_VALIDATED
		                               : 0));
		/* The seed, or the sum. */
		ST_CHECK(s, be16_get(st_rx_page(s) + sum_at(&p)) ==
		                (tags == 0 ? (uint16_t)~st_sum(NULL, 0,
		                                 p.pseudo, p.pseudo_len)
		                           : right_sum(&p)));
	}
}

static void
without_scatter_one_page(struct st *s)
{
	struct coax_netif_rx_response rsp = { 0 };

	st_connect(s, "request-rx-copy=1 feature-rx-notify=1");
	st_post(s, 4, 0);
	ST_CHECK(s, st_run_rx(s, st_frame(s, COAX_RING_PAGE)) == 1);
	ST_CHECK(s, st_rx_rsp(s, &rsp) && rsp.status == COAX_RING_PAGE);
	ST_CHECK(s, st_run_rx(s, st_frame(s, COAX_RING_PAGE + 1)) == 0);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_XNB_NO_SCATTER] == 1);
}

static void
xdp_headroom(struct st *s)
{
	struct coax_netif_rx_response rsp = { 0 };
	struct coax_netif_extra e = { 0 };

	st_connect(s, SG "xdp-headroom=256");
	st_post(s, 8, 0);
	ST_CHECK(s, st_run_rx(s, st_frame(s, 4000)) == 1);
	ST_CHECK(s, s->q->rx.req_cons == 3);
	ST_CHECK(s, st_rx_rsp(s, &rsp));
	ST_CHECK(s, rsp.offset == 0 && rsp.status == COAX_RING_PAGE);
	ST_CHECK(
	    s, rsp.flags == (COAX_NETRXF_EXTRA_INFO | COAX_NETRXF_MORE_DATA));
	ST_CHECK(s, st_pattern_is(st_rx_page(s) + 257, 3839, 1));
	ST_CHECK(s, st_rx_rsp(s, (void *)&e));
	ST_CHECK(s, e.type == COAX_NETIF_EXTRA_XDP && e.flags == 0);
	ST_CHECK(s, e.u.xdp.headroom == 256);
	ST_CHECK(s, st_rx_rsp(s, &rsp));
	ST_CHECK(s, rsp.flags == 0 && rsp.status == 256 + 160);
	ST_CHECK(s, st_pattern_is(st_rx_page(s) + 256, 160, 3840));
}

static void
multicast_list(struct st *s)
{
	uint8_t group[6] = { 1, 0, 0x5e, 0, 0, 9 };
	struct coax_netif_rx_response rsp;
	struct frame *f;

	st_connect(s, SG "request-multicast-control=1");
	st_post(s, 8, 0);
	for (int round = 0; round < 3; round++) {
		f = st_frame(s, 60);
		if (f == NULL)
			return;
		memcpy(f->data, group, 6);
		ST_CHECK(s, st_run_rx(s, f) == (round == 1));
		(void)st_tx(s, 60, EXTRA, 0);
		st_tx_extra(s,
		    round == 0 ? COAX_NETIF_EXTRA_MCAST_ADD
		               : COAX_NETIF_EXTRA_MCAST_DEL,
		    0, group, 6);
		ST_CHECK(s, st_run_tx(s) == 1);
		ST_CHECK(s, st_tx_rsp(s, (void *)&rsp));
		ST_CHECK(s, st_tx_rsp_is(s, -1, COAX_NETIF_RSP_NULL));
	}
	ST_CHECK(s, s->frame_count == 0); /* these carry no packet */
	ST_CHECK(s, s->x->ifp.count.drops[DROP_XNB_MULTICAST] == 2);
	/* Broadcast always passes. */
	f = st_frame(s, 60);
	if (f == NULL)
		return;
	memset(f->data, 0xff, 6);
	ST_CHECK(s, st_run_rx(s, f) == 1);
}

static void
multicast_list_is_bounded(struct st *s)
{
	uint8_t group[6] = { 1, 0, 0x5e, 0, 0, 0 };

	st_connect(s, SG "request-multicast-control=1");
	for (uint32_t i = 0; i < XNB_MCAST_MAX + 2; i++) {
		/* The one before the last is there already. */
		group[5] = (uint8_t)(i == XNB_MCAST_MAX ? 3 : i);
		(void)st_tx(s, 60, EXTRA, 0);
		st_tx_extra(s, COAX_NETIF_EXTRA_MCAST_ADD, 0, group, 6);
		ST_CHECK(s, st_run_tx(s) == 1);
		ST_CHECK(s, st_tx_rsp_is(s, (int)(1000 + 2 * i % 256),
		                i == XNB_MCAST_MAX + 1 ? COAX_NETIF_RSP_ERROR
		                                       : COAX_NETIF_RSP_OKAY));
		ST_CHECK(s, st_tx_rsp_is(s, -1, COAX_NETIF_RSP_NULL));
	}
	ST_CHECK(s, s->x->mcast.count == XNB_MCAST_MAX);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_XNB_GROUPS] == 1);
	/* They were that connection's. */
	st_connect(s, SG "request-multicast-control=1");
	ST_CHECK(s, s->x->mcast.count == 0);
}

/* Both rings have one channel here: who is told of both is told once. */
static void
one_event_for_both_rings(struct st *s)
{
	s->notified = 0;
	s->q->notify_tx = s->q->notify_rx = true;
	xnb_notify(s->q);
	ST_CHECK(s, s->notified == 1);
	xnb_notify(s->q);
	ST_CHECK(s, s->notified == 1);
}

static void
ctrl_ring_has_nothing(struct st *s)
{
	struct coax_netif_ctrl_response rsp;
	uint32_t slot[4];

	for (uint16_t type = 0; type < 12; type++) {
		struct coax_netif_ctrl_request req = {
			.id = (uint16_t)(500 + type),
			.type = type,
			.data = { 0xffffffff, 0xffffffff, 0xffffffff },
		};

		netring_front_put(&s->ctrl, &req, 4);
	}
	(void)netring_front_publish(&s->ctrl);
	ST_CHECK(s, xnb_ctrl_run(s->x) == 12);
	ST_CHECK(s, netring_front_poll(&s->ctrl) == 12);
	for (uint16_t type = 0; type < 12; type++) {
		netring_front_get(&s->ctrl, s->ctrl.rsp_cons++, slot, 4);
		memcpy(&rsp, slot, sizeof(rsp));
		ST_CHECK(s, rsp.id == 500 + type && rsp.type == type);
		ST_CHECK(s, rsp.status == COAX_NETIF_CTRL_STATUS_NOT_SUPPORTED);
		ST_CHECK(s, rsp.data == 0 && slot[3] == 0);
	}
}

/* --- hostile rings ---------------------------------------------------------
 */

static struct coax_ring *
tx_shared(struct st *s)
{
	return (
	    struct coax_ring *)(void *)(s->pages + ST_TX_RING * COAX_RING_PAGE);
}

static struct coax_ring *
rx_shared(struct st *s)
{
	return (
	    struct coax_ring *)(void *)(s->pages + ST_RX_RING * COAX_RING_PAGE);
}

static void
req_prod_far_ahead_is_fatal(struct st *s)
{
	shm_store_release(&tx_shared(s)->req_prod, COAX_NETIF_TX_SLOTS + 1);
	ST_CHECK(s, xnb_tx_run(s->q) == -EPROTO);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_XNB_RING] == 1);
	ST_CHECK(s, s->x->ifp.count.ierrors == 1);
}

static void
req_prod_backwards_is_fatal(struct st *s)
{
	(void)st_tx(s, 60, 0, 0);
	(void)st_run_tx(s);
	shm_store_release(&tx_shared(s)->req_prod, 0);
	ST_CHECK(s, xnb_tx_run(s->q) == -EPROTO);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_XNB_RING] == 1);
}

static void
rx_req_prod_far_ahead_is_fatal(struct st *s)
{
	shm_store_release(&rx_shared(s)->req_prod, COAX_NETIF_RX_SLOTS + 1);
	ST_CHECK(s, st_run_rx(s, st_frame(s, 60)) == -EPROTO);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_XNB_RING] == 1);
}

static void
ctrl_req_prod_far_ahead_is_fatal(struct st *s)
{
	struct coax_ring *shared =
	    (struct coax_ring *)(void *)(s->pages + ST_CTRL * COAX_RING_PAGE);

	shm_store_release(&shared->req_prod, COAX_NETIF_CTRL_SLOTS + 1);
	ST_CHECK(s, xnb_ctrl_run(s->x) == -EPROTO);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_XNB_RING] == 1);
}

/* rsp_prod and req_event are ours: what is written there is not read. */
static void
our_indices_are_not_read(struct st *s)
{
	(void)st_tx(s, 60, 0, 0);
	shm_store_release(&tx_shared(s)->rsp_prod, 77777);
	shm_store_release(&tx_shared(s)->req_event, 99999);
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, shm_load_acquire(&tx_shared(s)->rsp_prod) == 1);
}

static void
crossing_the_page_is_fatal(struct st *s)
{
	(void)st_tx(s, 100, 0, COAX_RING_PAGE - 99);
	ST_CHECK(s, st_run_tx(s) == -EPROTO);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_XNB_CROSS] == 1);
	ST_CHECK(s, s->log_count == 0);
}

static void
up_to_the_end_of_the_page_is_fine(struct st *s)
{
	(void)st_tx(s, 100, 0, COAX_RING_PAGE - 100);
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, s->frame_count == 1);
}

/* The first slot says the packet's size; its own is what is left. */
static void
first_piece_crosses_after_subtraction(struct st *s)
{
	(void)st_tx(s, 200, MORE, COAX_RING_PAGE - 100);
	(void)st_tx(s, 100, 0, 0);
	ST_CHECK(s, st_run_tx(s) == 1); /* exactly 100 are left */
	ST_CHECK(s, s->frame_count == 1);
	(void)st_tx(s, 200, MORE, COAX_RING_PAGE - 100);
	(void)st_tx(s, 99, 0, 0);
	ST_CHECK(s, st_run_tx(s) == -EPROTO);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_XNB_CROSS] == 1);
}

static void
later_piece_crosses(struct st *s)
{
	(void)st_tx(s, 200, MORE, 0);
	(void)st_tx(s, 100, 0, COAX_RING_PAGE - 99);
	ST_CHECK(s, st_run_tx(s) == -EPROTO);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_XNB_CROSS] == 1);
}

static void
offset_wraps_no_number(struct st *s)
{
	(void)st_tx(s, 0xffff, 0, 0xffff);
	ST_CHECK(s, st_run_tx(s) == -EPROTO);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_XNB_CROSS] == 1);
}

static void
pieces_longer_than_the_packet(struct st *s)
{
	struct coax_netif_tx_response rsp;

	(void)st_tx(s, 100, MORE, 0);
	(void)st_tx(s, 101, MORE, 0);
	(void)st_tx(s, 3000, 0, 0);
	(void)st_tx(s, 60, 0, 0); /* an innocent one behind it */
	ST_CHECK(s, st_run_tx(s) == 2);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_XNB_SIZE] == 1);
	for (int i = 0; i < 3; i++)
		ST_CHECK(s, st_tx_rsp_is(s, 1000 + i, COAX_NETIF_RSP_ERROR));
	ST_CHECK(s, st_tx_rsp_is(s, 1003, COAX_NETIF_RSP_OKAY));
	ST_CHECK(s, !st_tx_rsp(s, &rsp));
	ST_CHECK(s, s->frame_count == 1 && st_in(s, 0)->len == 60);
}

/* A sum that fits 16 bits only because it wraps. */
static void
sizes_wrap_no_number(struct st *s)
{
	(void)st_tx(s, 100, MORE, 0);
	for (int i = 0; i < 16; i++)
		(void)st_tx(s, 4096, MORE, 0);
	(void)st_tx(s, 50, 0, 0);
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_XNB_SIZE] == 1);
	ST_CHECK(s, s->frame_count == 0 && s->log_count == 0);
}

static void
empty_pieces_are_accepted(struct st *s)
{
	st_pattern(st_tx(s, 60, MORE, 0), 60, 0);
	(void)st_tx(s, 0, MORE, 0);
	(void)st_tx(s, 0, 0, COAX_RING_PAGE); /* nothing, at the very end */
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, s->log_count == 1);
	ST_CHECK(s, st_in(s, 0)->len == 60);
	/* And a first one of which the others leave nothing. */
	st_forget(s);
	(void)st_tx(s, 60, MORE, 0);
	st_pattern(st_tx(s, 60, 0, 0), 60, 0);
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, st_in(s, 0)->len == 60);
	ST_CHECK(s, st_pattern_is(st_in(s, 0)->data, 60, 0));
}

static void
runts_are_errors(struct st *s)
{
	(void)st_tx(s, 13, 0, 0);
	(void)st_tx(s, 14, 0, 0);
	ST_CHECK(s, st_run_tx(s) == 2);
	ST_CHECK(s, st_tx_rsp_is(s, 1000, COAX_NETIF_RSP_ERROR));
	ST_CHECK(s, st_tx_rsp_is(s, 1001, COAX_NETIF_RSP_OKAY));
	ST_CHECK(s, s->x->ifp.count.drops[DROP_RUNT] == 1);
	ST_CHECK(s, s->frame_count == 1);
	/* Of several pieces, too. */
	(void)st_tx(s, 13, MORE, 0);
	(void)st_tx(s, 5, 0, 0);
	(void)st_tx(s, 14, MORE, 0);
	(void)st_tx(s, 5, 0, 0);
	ST_CHECK(s, st_run_tx(s) == 2);
	ST_CHECK(s, st_tx_rsp_is(s, 1002, COAX_NETIF_RSP_ERROR));
	ST_CHECK(s, st_tx_rsp_is(s, 1003, COAX_NETIF_RSP_ERROR));
	ST_CHECK(s, st_tx_rsp_is(s, 1004, COAX_NETIF_RSP_OKAY));
	ST_CHECK(s, st_tx_rsp_is(s, 1005, COAX_NETIF_RSP_OKAY));
	ST_CHECK(s, s->x->ifp.count.drops[DROP_RUNT] == 2);
	ST_CHECK(s, s->frame_count == 2);
}

/* Who sent what contradicts itself learns it; those beside it are taken. */
static void
bad_offloads_are_errors(struct st *s)
{
	uint8_t *p = st_tx(s, 200, COAX_NETTXF_CSUM_BLANK, 0);

	st_tcp(p);
	p[17] = 186;
	p[23] = 99; /* whose sum is where? */
	st_pattern(st_tx(s, 60, 0, 0), 60, 0);
	st_tcp(st_tx(s, 2000, EXTRA, 0)); /* segments too small */
	st_tx_gso(s, COAX_NETIF_GSO_TCPV4, 47);
	st_tcp(st_tx(s, 2000, EXTRA, 0)); /* not IPv6 */
	st_tx_gso(s, COAX_NETIF_GSO_TCPV6, 500);
	st_tcp(st_tx(s, 2000, EXTRA, 0));
	st_tx_gso(s, COAX_NETIF_GSO_TCPV4, 500);
	ST_CHECK(s, st_run_tx(s) == 5);
	ST_CHECK(s, st_tx_rsp_is(s, 1000, COAX_NETIF_RSP_ERROR));
	ST_CHECK(s, st_tx_rsp_is(s, 1001, COAX_NETIF_RSP_OKAY));
	ST_CHECK(s, st_tx_rsp_is(s, 1002, COAX_NETIF_RSP_ERROR));
	ST_CHECK(s, st_tx_rsp_is(s, -1, COAX_NETIF_RSP_NULL));
	ST_CHECK(s, st_tx_rsp_is(s, 1004, COAX_NETIF_RSP_ERROR));
	ST_CHECK(s, st_tx_rsp_is(s, -1, COAX_NETIF_RSP_NULL));
	ST_CHECK(s, st_tx_rsp_is(s, 1006, COAX_NETIF_RSP_OKAY));
	ST_CHECK(s, st_tx_rsp_is(s, -1, COAX_NETIF_RSP_NULL));
	ST_CHECK(s, s->x->ifp.count.drops[DROP_CSUM_UNKNOWN] == 1);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_BAD_OFFLOAD] == 2);
	ST_CHECK(s, s->q->stats.tx_errors == 3);
	ST_CHECK(s, s->frame_count == 2);
}

/* @slots of data: one packet of 60 bytes each. */
static int
slots(struct st *s, uint32_t count)
{
	(void)st_tx(s, (uint16_t)(60 * count), MORE, 0);
	for (uint32_t i = 1; i < count; i++)
		(void)st_tx(s, 60, i + 1 < count ? MORE : 0, 0);
	return st_run_tx(s);
}

static void
eighteen_slots_and_one_are_taken(struct st *s)
{
	ST_CHECK(s, slots(s, 18) == 1);
	ST_CHECK(s, slots(s, 19) == 1);
	ST_CHECK(s, s->frame_count == 2);
	ST_CHECK(s, st_in(s, 1)->len == 19 * 60);
}

static void
a_few_slots_more_cost_the_packet(struct st *s)
{
	for (uint32_t n = 20; n <= 21; n++) {
		ST_CHECK(s, slots(s, n) == 1);
		for (uint32_t i = 0; i < n; i++) {
			struct coax_netif_tx_response rsp = { 0 };

			ST_CHECK(s, st_tx_rsp(s, &rsp));
			ST_CHECK(s, rsp.status == COAX_NETIF_RSP_ERROR);
		}
	}
	ST_CHECK(s, s->frame_count == 0);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_XNB_SLOTS] == 2);
}

static void
endless_slots_are_fatal(struct st *s)
{
	ST_CHECK(s, slots(s, 22) == -EPROTO);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_XNB_SLOTS_FATAL] == 1);
}

static void
extra_missing_is_fatal(struct st *s)
{
	(void)st_tx(s, 60, EXTRA, 0);
	ST_CHECK(s, st_run_tx(s) == -EPROTO);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_XNB_UNFINISHED] == 1);
}

static void
extra_of_type_none_is_fatal(struct st *s)
{
	(void)st_tx(s, 60, EXTRA, 0);
	st_tx_extra(s, COAX_NETIF_EXTRA_NONE, 0, NULL, 0);
	ST_CHECK(s, st_run_tx(s) == -EPROTO);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_XNB_EXTRA] == 1);
}

static void
extra_twice_is_fatal(struct st *s)
{
	(void)st_tx(s, 60, EXTRA, 0);
	st_tx_extra(
	    s, COAX_NETIF_EXTRA_HASH, COAX_NETIF_EXTRA_FLAG_MORE, NULL, 0);
	st_tx_extra(s, COAX_NETIF_EXTRA_HASH, 0, NULL, 0);
	ST_CHECK(s, st_run_tx(s) == -EPROTO);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_XNB_EXTRA] == 1);
}

static void
endless_extras_are_fatal(struct st *s)
{
	(void)st_tx(s, 60, EXTRA, 0);
	for (uint8_t i = 1; i < COAX_NETIF_EXTRA_COUNT; i++)
		st_tx_extra(s, i, COAX_NETIF_EXTRA_FLAG_MORE, NULL, 0);
	st_tx_extra(s, COAX_NETIF_EXTRA_HASH, 0, NULL, 0);
	ST_CHECK(s, st_run_tx(s) == -EPROTO);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_XNB_EXTRA] == 1);
}

/* Extra infos that say nothing to us are no error. */
static void
hash_and_xdp_are_ignored(struct st *s)
{
	(void)st_tx(s, 60, EXTRA, 0);
	st_tx_extra(
	    s, COAX_NETIF_EXTRA_HASH, COAX_NETIF_EXTRA_FLAG_MORE, NULL, 0);
	st_tx_extra(s, COAX_NETIF_EXTRA_XDP, 0, NULL, 0);
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, s->frame_count == 1);
	ST_CHECK(s, st_tx_rsp_is(s, 1000, COAX_NETIF_RSP_OKAY));
	ST_CHECK(s, st_tx_rsp_is(s, -1, COAX_NETIF_RSP_NULL));
	ST_CHECK(s, st_tx_rsp_is(s, -1, COAX_NETIF_RSP_NULL));
}

static void
unknown_flags_are_masked(struct st *s)
{
	(void)st_tx(s, 60, 0xfff0, 0);
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, s->frame_count == 1 && st_in(s, 0)->off.flags == 0);
}

/* One id for all: it is echoed, and means nothing to us. */
static void
ids_are_only_echoed(struct st *s)
{
	struct coax_netif_tx_request req = {
		.gref = ST_TX_PAGE,
		.id = 0xffff,
		.size = 60,
	};

	for (int i = 0; i < 3; i++)
		st_tx_raw(s, &req);
	ST_CHECK(s, st_run_tx(s) == 3);
	for (int i = 0; i < 3; i++)
		ST_CHECK(s, st_tx_rsp_is(s, 0xffff, COAX_NETIF_RSP_OKAY));
}

/* A page that is not there costs the packet that is in it, whichever piece. */
static void
bad_references_cost_the_packet(struct st *s)
{
	struct coax_netif_tx_request req = { .size = 60 };

	req.gref = 0xffffffff;
	st_tx_raw(s, &req);
	(void)st_tx(s, 60, 0, 0);
	(void)st_tx(s, 120, MORE, 0);
	st_tx_raw(s, &req);
	(void)st_tx(s, 60, 0, 0);
	ST_CHECK(s, st_run_tx(s) == 4);
	ST_CHECK(s, st_tx_rsp_is(s, 0, COAX_NETIF_RSP_ERROR));
	ST_CHECK(s, st_tx_rsp_is(s, 1001, COAX_NETIF_RSP_OKAY));
	ST_CHECK(s, st_tx_rsp_is(s, 1002, COAX_NETIF_RSP_ERROR));
	ST_CHECK(s, st_tx_rsp_is(s, 0, COAX_NETIF_RSP_ERROR));
	ST_CHECK(s, st_tx_rsp_is(s, 1004, COAX_NETIF_RSP_OKAY));
	ST_CHECK(s, s->frame_count == 2);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_XNB_COPY] == 2);
}

static void
bad_buffers_cost_the_packet(struct st *s)
{
	struct coax_netif_rx_response rsp = { 0 };

	st_post(s, 3, 0);
	s->bad_ref = ST_RX_PAGE;
	(void)st_run_rx(s, st_frame(s, 60));
	s->bad_ref = ST_NOBODY;
	ST_CHECK(s, st_run_rx(s, st_frame(s, 60)) == 1);
	ST_CHECK(s, st_rx_rsp(s, &rsp) && rsp.id == 0);
	ST_CHECK(s, rsp.status == COAX_NETIF_RSP_ERROR);
	ST_CHECK(s, st_rx_rsp(s, &rsp) && rsp.id == 1 && rsp.status == 60);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_XNB_RX_COPY] == 1);
	ST_CHECK(s, s->x->ifp.count.opackets == 1);
}

/* One buffer free and two needed is none free. */
static void
backlog_is_bounded(struct st *s)
{
	uint32_t i;

	st_post(s, 1, 0);
	(void)st_run_rx(s, st_frame(s, COAX_RING_PAGE + 1));
	for (i = 0; i < 2 * XNB_BACKLOG; i++) {
		struct frame *f = frame_alloc(s->net->pool, 60);

		if (f == NULL)
			break; /* the pool of this test is small */
		f->len = 60;
		memset(f->data, 0, 60);
		(void)st_run_rx(s, f);
	}
	ST_CHECK(s, s->q->rx.req_cons == 0);
	ST_CHECK(s, frame_ring_count(&s->q->backlog) <= XNB_BACKLOG);
	ST_CHECK(s, i > 100);
}

/* A pool that is empty answers, and goes on when frames are back. */
static void
no_frame_is_no_end(struct st *s)
{
	struct frame *held[512];
	uint32_t n = 0;

	while (n < ARRAY_LEN(held) &&
	       (held[n] = frame_alloc(s->net->pool, 60)) != NULL)
		n++;
	(void)st_tx(s, 60, 0, 0);
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, st_tx_rsp_is(s, 1000, COAX_NETIF_RSP_DROPPED));
	ST_CHECK(s, s->x->ifp.count.drops[DROP_NO_FRAME] == 1);
	while (n > 0)
		frame_release(held[--n]);
	(void)st_tx(s, 60, 0, 0);
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, st_tx_rsp_is(s, 1001, COAX_NETIF_RSP_OKAY));
}

/* After a fatal error nothing is answered, and only a handshake from the
 * beginning helps. */
static void
fatal_is_the_end(struct st *s)
{
	struct coax_netif_tx_response rsp;

	(void)st_tx(s, 60, 0, 0);
	(void)st_tx(s, 60, MORE, 0);
	ST_CHECK(s, st_run_tx(s) == -EPROTO);
	xnb_vif_broken(s->x);
	ST_CHECK(s, !s->x->connected && s->x->queue_count == 0);
	ST_CHECK(s, s->channels == 0);
	ST_CHECK(s, s->x->ifp.link == IFACE_LINK_DOWN);
	ST_CHECK(s, netring_front_poll(&s->tx) == 0);
	ST_CHECK(s, !st_tx_rsp(s, &rsp));
	/* Saying Connected once more does not bring it back. */
	xnb_vif_front_changed(s->x, COAX_NETIF_STATE_CONNECTED);
	ST_CHECK(s, !s->x->connected);
	st_connect(s, SG);
	ST_CHECK(s, s->x->ifp.link == IFACE_LINK_UP);
	(void)st_tx(s, 60, 0, 0);
	ST_CHECK(s, st_run_tx(s) == 1);
}

/* A ring that an earlier back end left is gone on with. */
static void
attach_goes_on(struct st *s)
{
	(void)st_tx(s, 60, 0, 0);
	(void)st_run_tx(s);
	(void)st_tx(s, 70, 0, 0);
	(void)netring_front_publish(&s->tx);
	st_forget(s);
	/* The back end comes anew; the front end's rings are what they were. */
	xnb_vif_close(s->x);
	xnb_vif_start(s->x);
	xnb_vif_front_changed(s->x, COAX_NETIF_STATE_CONNECTED);
	ST_CHECK(s, s->x->connected);
	s->q = s->x->queues;
	ST_CHECK(s, s->q == NULL || xnb_tx_run(s->q) == 1);
	ST_CHECK(s, s->frame_count == 1 && st_in(s, 0)->len == 70);
}

/* Whoever is not asleep is not told. */
static void
events_are_suppressed(struct st *s)
{
	struct coax_netif_tx_response rsp;

	(void)st_tx(s, 60, 0, 0);
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, s->notified == 1); /* it asked for the first */
	(void)st_tx(s, 60, 0, 0);
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, s->notified == 1);
	while (st_tx_rsp(s, &rsp))
		;
	ST_CHECK(s, !netring_front_arm(&s->tx, 2));
	(void)st_tx(s, 60, 0, 0);
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, s->notified == 1);
	for (int i = 0; i < 10; i++)
		(void)st_tx(s, 60, 0, 0);
	ST_CHECK(s, st_run_tx(s) == 10);
	ST_CHECK(s, s->notified == 2); /* once for all of them */
}

/* --- memory that is mapped -------------------------------------------------
 */

static const uint16_t short_sizes[] = { 14, 15, 31, 32, 33, 59, 60, 63, 64, 65,
	127, 128, 129, 1514, FRAME_SMALL_MAX };
#define SHORT_SIZES ((uint32_t)ARRAY_LEN(short_sizes))

/* Without a list of pieces, and each as it was. */
static void
mapped_packets_come_in(struct st *s)
{
	st_map_memory(s, true);
	for (uint32_t i = 0; i < SHORT_SIZES; i++) {
		uint16_t offset = (uint16_t)(COAX_RING_PAGE - short_sizes[i]);

		st_pattern(
		    st_tx(s, short_sizes[i], 0, offset), short_sizes[i], 4 * i);
	}
	ST_CHECK(s, st_run_tx(s) == (int)SHORT_SIZES);
	ST_CHECK(s, s->log_count == 0 && s->frame_count == SHORT_SIZES);
	for (uint32_t i = 0; i < SHORT_SIZES; i++) {
		const struct frame *f = st_in(s, i);

		ST_CHECK(s, f->len == short_sizes[i]);
		ST_CHECK(s, st_pattern_is(f->data, short_sizes[i], 4 * i));
		ST_CHECK(s, f->off.flags == 0);
		ST_CHECK(
		    s, st_tx_rsp_is(s, 1000 + (int)i, COAX_NETIF_RSP_OKAY));
	}
	ST_CHECK(s, s->x->ifp.count.ipackets == SHORT_SIZES);
	ST_CHECK(s, s->q->stats.tx_packets == SHORT_SIZES);
	ST_CHECK(s, s->q->stats.tx_slots == SHORT_SIZES);
}

/* What is anything but a good packet of a slot goes the long way, in its turn:
 * several slots, a reference to nothing, a runt. */
static void
mapped_packets_keep_their_order(struct st *s)
{
	struct coax_netif_tx_request nowhere = { .size = 60, .id = 7 };
	int n = 0;

	st_map_memory(s, true);
	nowhere.gref = ST_PAGES;
	st_pattern(st_tx(s, 60, 0, 0), 60, 0);
	st_pattern(st_tx(s, 120, MORE, 0), 60, 8);
	st_pattern(st_tx(s, 60, 0, 0), 60, 68);
	st_pattern(st_tx(s, 62, 0, 0), 62, 16);
	st_tx_raw(s, &nowhere);
	st_pattern(st_tx(s, 63, 0, 0), 63, 24);
	(void)st_tx(s, 13, 0, 0);
	st_pattern(st_tx(s, 64, 0, 0), 64, 32);
	for (int i = 0; i < 8; i++)
		n += st_run_tx(s);
	ST_CHECK(s, n == 7 && s->frame_count == 5);
	ST_CHECK(s, st_in(s, 0)->len == 60 && st_in(s, 1)->len == 120);
	ST_CHECK(s, st_pattern_is(st_in(s, 1)->data, 120, 8));
	ST_CHECK(s, st_in(s, 2)->len == 62 && st_in(s, 3)->len == 63);
	ST_CHECK(s, st_in(s, 4)->len == 64);
	ST_CHECK(s, st_pattern_is(st_in(s, 4)->data, 64, 32));
	for (int i = 0; i < 4; i++)
		ST_CHECK(s, st_tx_rsp_is(s, 1000 + i, COAX_NETIF_RSP_OKAY));
	ST_CHECK(s, st_tx_rsp_is(s, 7, COAX_NETIF_RSP_ERROR));
	ST_CHECK(s, st_tx_rsp_is(s, 1005, COAX_NETIF_RSP_OKAY));
	ST_CHECK(s, st_tx_rsp_is(s, 1006, COAX_NETIF_RSP_ERROR));
	ST_CHECK(s, st_tx_rsp_is(s, 1007, COAX_NETIF_RSP_OKAY));
	ST_CHECK(s, s->x->ifp.count.drops[DROP_XNB_COPY] == 1);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_RUNT] == 1);
}

static void
mapped_crossing_is_fatal(struct st *s)
{
	st_map_memory(s, true);
	(void)st_tx(s, 60, 0, 0);
	(void)st_tx(s, 61, 0, COAX_RING_PAGE - 60);
	ST_CHECK(s, st_run_tx(s) == 1 && s->frame_count == 1);
	ST_CHECK(s, st_run_tx(s) == -EPROTO && s->frame_count == 1);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_XNB_CROSS] == 1);
}

/* Flags mean what they mean. */
static void
mapped_sums(struct st *s)
{
	struct packet p;

	st_map_memory(s, true);
	make(&p, 4, PROTO_TCP, 0, 0, 0, NULL, 0, 100);
	memcpy(st_tx(s, (uint16_t)p.len, BLANK, 0), p.data, p.len);
	memcpy(st_tx(s, (uint16_t)p.len, COAX_NETTXF_DATA_VALIDATED, 0), p.data,
	    p.len);
	memcpy(st_tx(s, (uint16_t)p.len, 0, 0), p.data, p.len);
	ST_CHECK(s, st_run_tx(s) == 3 && s->frame_count == 3);
	ST_CHECK(s, st_in(s, 0)->off.flags == FRAME_CSUM_PARTIAL);
	ST_CHECK(s, st_in(s, 0)->off.csum_start == p.l4);
	ST_CHECK(s, st_in(s, 1)->off.flags == FRAME_CSUM_VALID);
	ST_CHECK(s, st_in(s, 2)->off.flags == 0);
	/* A batch that begins with something undone goes the long way. */
	ST_CHECK(s, s->log_count == 3);
}

static void
mapped_pool_is_empty(struct st *s)
{
	struct frame_pool_stats st;
	struct frame *held = NULL, *f;
	uint64_t failures;

	st_map_memory(s, true);
	(void)st_tx(s, 60, 0, 0);
	while ((f = frame_alloc(s->net->pool, 60)) != NULL) {
		f->next = held;
		held = f;
	}
	frame_pool_stats(s->net->pool, &st);
	failures = st.failures;
	ST_CHECK(s, st_run_tx(s) == 1 && s->frame_count == 0);
	ST_CHECK(s, st_tx_rsp_is(s, 1000, COAX_NETIF_RSP_DROPPED));
	ST_CHECK(s, s->x->ifp.count.drops[DROP_NO_FRAME] == 1);
	frame_pool_stats(s->net->pool, &st);
	ST_CHECK(s, st.failures == failures + 1);
	while ((f = held) != NULL) {
		held = f->next;
		frame_release(f);
	}
	(void)st_tx(s, 60, 0, 0);
	ST_CHECK(s, st_run_tx(s) == 1 && s->frame_count == 1);
}

/* Out: as long as the frame is, and not a byte of another one behind it. */
static void
mapped_packets_go_out(struct st *s)
{
	st_map_memory(s, true);
	st_post(s, SHORT_SIZES, 40);
	for (uint32_t i = 0; i < SHORT_SIZES; i++) {
		struct frame *f = st_frame(s, short_sizes[i]);

		if (f != NULL)
			xnb_rx_push(s->q, &f, 1);
	}
	ST_CHECK(s, st_run_rx(s, NULL) == (int)SHORT_SIZES);
	ST_CHECK(s, s->log_count == 0);
	for (uint32_t i = 0; i < SHORT_SIZES; i++) {
		struct coax_netif_rx_response rsp = { 0 };
		const uint8_t *page;

		ST_CHECK(s, st_rx_rsp(s, &rsp));
		ST_CHECK(s, rsp.id == 40 + i && rsp.status == short_sizes[i]);
		ST_CHECK(s, rsp.offset == 0 && rsp.flags == 0);
		page = st_rx_page(s);
		ST_CHECK(s, (page[0] ^ st_byte(0)) <= 1);
		ST_CHECK(s, st_pattern_is(page + 1, short_sizes[i] - 1u, 1));
		for (uint32_t k = short_sizes[i]; k < COAX_RING_PAGE; k++)
			ST_CHECK(s, page[k] == 0);
	}
	ST_CHECK(s, s->x->ifp.count.opackets == SHORT_SIZES);
	ST_CHECK(s, s->q->stats.rx_packets == SHORT_SIZES);
}

/* A buffer that is none costs its packet; what needs several goes the long way;
 * what finds no buffer waits. */
static void
mapped_buffers(struct st *s)
{
	struct coax_netif_rx_request nowhere = { .id = 9, .gref = ST_PAGES };
	struct coax_netif_rx_response rsp = { 0 };
	struct frame *f;

	st_map_memory(s, true);
	st_post(s, 1, 0);
	netring_front_put(&s->rx, &nowhere, 2);
	st_post(s, 3, 2);
	for (uint32_t i = 0; i < 5; i++) {
		f = st_frame(s, i == 2 ? COAX_RING_PAGE + 100 : 60 + i);
		if (f != NULL)
			xnb_rx_push(s->q, &f, 1);
	}
	ST_CHECK(s, st_run_rx(s, NULL) == 4);
	ST_CHECK(s, st_rx_rsp(s, &rsp) && rsp.id == 0 && rsp.status == 60);
	ST_CHECK(s, st_rx_rsp(s, &rsp) && rsp.id == 9);
	ST_CHECK(s, rsp.status == COAX_NETIF_RSP_ERROR);
	ST_CHECK(s, st_rx_rsp(s, &rsp) && rsp.id == 2);
	ST_CHECK(s, rsp.status == COAX_RING_PAGE);
	ST_CHECK(s, st_rx_rsp(s, &rsp) && rsp.id == 3 && rsp.status == 100);
	ST_CHECK(s, st_rx_rsp(s, &rsp) && rsp.id == 4 && rsp.status == 63);
	ST_CHECK(s, frame_ring_count(&s->q->backlog) == 1);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_XNB_RX_COPY] == 1);
	st_post(s, 1, 5);
	ST_CHECK(s, st_run_rx(s, NULL) == 1);
	ST_CHECK(s, st_rx_rsp(s, &rsp) && rsp.id == 5 && rsp.status == 64);
}

#define T(f)          \
	{             \
#f, f \
	}
const struct st_test st_more_tests[] = {
	T(cksum_tcp6),
	T(cksum_udp6),
	T(cksum_ip6_extension_headers),
	T(cksum_ip_options),
	T(cksum_vlan),
	T(cksum_udp_zero),
	T(cksum_padding),
	T(cksum_unknown_protocol),
	T(cksum_longer_than_the_frame),
	T(fragments_untouched),
	T(fragments_reassembled),
	T(fragments_udp_zero),
	T(gso_segments),
	T(gso_without_blank),
	T(gso_contradicts_the_packet),
	T(gso_of_size_zero_is_fatal),
	T(gso_of_unknown_type_is_fatal),
	T(features_to_offloads),
	T(no_blank_sums_behind_tags),
	T(without_scatter_one_page),
	T(xdp_headroom),
	T(multicast_list),
	T(multicast_list_is_bounded),
	T(one_event_for_both_rings),
	T(ctrl_ring_has_nothing),
	T(req_prod_far_ahead_is_fatal),
	T(req_prod_backwards_is_fatal),
	T(rx_req_prod_far_ahead_is_fatal),
	T(ctrl_req_prod_far_ahead_is_fatal),
	T(our_indices_are_not_read),
	T(crossing_the_page_is_fatal),
	T(up_to_the_end_of_the_page_is_fine),
	T(first_piece_crosses_after_subtraction),
	T(later_piece_crosses),
	T(offset_wraps_no_number),
	T(pieces_longer_than_the_packet),
	T(sizes_wrap_no_number),
	T(empty_pieces_are_accepted),
	T(runts_are_errors),
	T(bad_offloads_are_errors),
	T(eighteen_slots_and_one_are_taken),
	T(a_few_slots_more_cost_the_packet),
	T(endless_slots_are_fatal),
	T(extra_missing_is_fatal),
	T(extra_of_type_none_is_fatal),
	T(extra_twice_is_fatal),
	T(endless_extras_are_fatal),
	T(hash_and_xdp_are_ignored),
	T(unknown_flags_are_masked),
	T(ids_are_only_echoed),
	T(bad_references_cost_the_packet),
	T(bad_buffers_cost_the_packet),
	T(backlog_is_bounded),
	T(no_frame_is_no_end),
	T(fatal_is_the_end),
	T(attach_goes_on),
	T(events_are_suppressed),
	T(mapped_packets_come_in),
	T(mapped_packets_keep_their_order),
	T(mapped_crossing_is_fatal),
	T(mapped_sums),
	T(mapped_pool_is_empty),
	T(mapped_packets_go_out),
	T(mapped_buffers),
	{ NULL, NULL },
};
