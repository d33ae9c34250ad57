/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xnb: the 53 cases of FreeBSD's driver (netback_unit_tests.c), made anew from
 * what each is about, under the same names.
 *
 * There they look into functions of that driver; here they look at what a front
 * end sees: which slots are taken, which copies are asked for, what is
 * answered, what comes in. A case that would pass there by accident
 * (comparing equal constants, assigning where it means to compare, asserting
 * the wrong bytes) asserts here what its name says.
 *
 * Differs, on purpose: a packet that goes on where nothing was published, and
 * an unknown extra info, end the connection (cases 6 and 12); a buffer that
 * cannot be written is said in its own slot, so that the packets behind it keep
 * theirs (case 43); an IPv4 header's sum is the sender's (cases 45 to 48).
 */
#include <errno.h>
#include <stdio.h>

#include "drv/xnb/selftest_impl.h"

#define MCLBYTES  2048u /* a cluster */
#define MINCLSIZE 256u  /* what would not fit a plain mbuf */

#define MORE  COAX_NETTXF_MORE_DATA
#define EXTRA COAX_NETTXF_EXTRA_INFO

/* Both rings of a front end stand at slot @at, everything answered. */
static void
go_to(struct st *s, uint32_t at)
{
	struct coax_netif_tx_response tx;
	struct coax_netif_rx_response rx;

	for (uint32_t i = 0; i < at; i++) {
		(void)st_tx(s, 60, 0, 0);
		(void)st_run_tx(s);
		(void)st_tx_rsp(s, &tx);
		st_post(s, 1, 0);
		(void)st_run_rx(s, st_frame(s, 60));
		(void)st_rx_rsp(s, &rx);
	}
	st_forget(s);
	s->log_count = s->notified = 0;
}

/* Is copy @i of that page and place? */
static bool
copied(
    const struct st *s, uint32_t i, uint32_t ref, uint32_t offset, uint32_t len)
{
	const struct xnb_copy *c = &s->log[i].c;

	return i < s->log_count && c->ref == ref && c->offset == offset &&
	       c->len == len;
}

/* --- requests to packets ---------------------------------------------------
 */

static void
ring2pkt_emptyring(struct st *s)
{
	ST_CHECK(s, st_run_tx(s) == 0);
	ST_CHECK(s, s->q->tx.req_cons == 0);
	ST_CHECK(s, s->frame_count == 0);
}

static void
ring2pkt_1req(struct st *s)
{
	st_pattern(st_tx(s, 69, 0, 0), 69, 0);
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, s->q->tx.req_cons == 1);
	ST_CHECK(s, s->log_count == 1 && copied(s, 0, ST_TX_PAGE, 0, 69));
	ST_CHECK(s, s->frame_count == 1);
	ST_CHECK(s, st_in(s, 0)->len == 69);
	ST_CHECK(s, st_in(s, 0)->off.flags == 0);
	ST_CHECK(s, st_in(s, 0)->off.gso_type == 0);
	ST_CHECK(s, st_pattern_is(st_in(s, 0)->data, 69, 0));
}

static void
ring2pkt_2req(struct st *s)
{
	st_pattern(st_tx(s, 100, MORE, 0), 60, 0);
	st_pattern(st_tx(s, 40, 0, 0), 40, 60);
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, s->q->tx.req_cons == 2);
	ST_CHECK(s, s->log_count == 2);
	ST_CHECK(s, copied(s, 0, ST_TX_PAGE, 0, 60));
	ST_CHECK(s, copied(s, 1, ST_TX_PAGE + 1, 0, 40));
	ST_CHECK(s, s->frame_count == 1 && st_in(s, 0)->len == 100);
	ST_CHECK(s, st_pattern_is(st_in(s, 0)->data, 100, 0));
}

static void
ring2pkt_3req(struct st *s)
{
	st_pattern(st_tx(s, 200, MORE, 0), 110, 0);
	st_pattern(st_tx(s, 40, MORE, 0), 40, 110);
	st_pattern(st_tx(s, 50, 0, 0), 50, 150);
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, s->q->tx.req_cons == 3);
	ST_CHECK(s, s->log_count == 3);
	ST_CHECK(s, copied(s, 0, ST_TX_PAGE, 0, 110));
	ST_CHECK(s, copied(s, 1, ST_TX_PAGE + 1, 0, 40));
	ST_CHECK(s, copied(s, 2, ST_TX_PAGE + 2, 0, 50));
	ST_CHECK(s, s->frame_count == 1 && st_in(s, 0)->len == 200);
	ST_CHECK(s, st_pattern_is(st_in(s, 0)->data, 200, 0));
}

/* A TCP packet over IPv4 of @len bytes, its header sum right. */
static void
put_tcp(uint8_t *p, uint32_t len)
{
	memset(p, 0, len);
	memcpy(p, "\x02\0\0\0\0\1\x02\0\0\0\0\2\x08\0", 14);
	p[14] = 0x45;
	be16_put(p + 16, (uint16_t)(len - 14));
	p[22] = 64;
	p[23] = 6;
	memcpy(p + 26, "\x0a\0\0\1\x0a\0\0\2", 8);
	be16_put(p + 24, st_sum(NULL, 0, p + 14, 20));
	p[46] = 0x50;
	p[47] = 0x10;
}

static void
ring2pkt_extra(struct st *s)
{
	uint8_t packet[1500];

	put_tcp(packet, 150);
	memcpy(st_tx(s, 150, EXTRA | MORE, 0), packet, 100);
	st_tx_gso(s, COAX_NETIF_GSO_TCPV4, 250);
	memcpy(st_tx(s, 50, 0, 0), packet + 100, 50);
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, s->q->tx.req_cons == 3);
	ST_CHECK(s, s->log_count == 2);
	ST_CHECK(s, copied(s, 0, ST_TX_PAGE, 0, 100));
	ST_CHECK(s, copied(s, 1, ST_TX_PAGE + 2, 0, 50));
	ST_CHECK(s, s->frame_count == 1 && st_in(s, 0)->len == 150);
	/* Payload for one segment: nothing of a super-frame is left. */
	ST_CHECK(s, st_in(s, 0)->off.gso_type == FRAME_GSO_NONE);
	st_forget(s);

	put_tcp(packet, sizeof(packet));
	memcpy(st_tx(s, sizeof(packet), EXTRA, 0), packet, sizeof(packet));
	st_tx_gso(s, COAX_NETIF_GSO_TCPV4, 250);
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, s->frame_count == 1);
	ST_CHECK(s, st_in(s, 0)->off.gso_type == FRAME_GSO_TCPV4);
	ST_CHECK(s, st_in(s, 0)->off.gso_size == 250);
	ST_CHECK(s, st_in(s, 0)->off.hdr_len == 54);
	ST_CHECK(s, st_in(s, 0)->off.flags == FRAME_CSUM_PARTIAL);
}

static void
ring2pkt_partial(struct st *s)
{
	struct coax_netif_tx_response rsp;

	(void)st_tx(s, 150, MORE, 0);
	ST_CHECK(s, st_run_tx(s) == -EPROTO);
	ST_CHECK(s, s->x->broken);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_XNB_UNFINISHED] == 1);
	ST_CHECK(s, !st_tx_rsp(s, &rsp));
	ST_CHECK(s, s->frame_count == 0);
	xnb_vif_broken(s->x);
	ST_CHECK(s, !s->x->connected);
	ST_CHECK(s, s->x->state == COAX_NETIF_STATE_CLOSED);
}

static void
ring2pkt_wraps(struct st *s)
{
	go_to(s, COAX_NETIF_TX_SLOTS - 2);
	st_pattern(st_tx(s, 200, MORE, 0), 100, 0);
	st_pattern(st_tx(s, 60, MORE, 0), 60, 100);
	st_pattern(st_tx(s, 40, 0, 0), 40, 160);
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, s->q->tx.req_cons == COAX_NETIF_TX_SLOTS + 1);
	ST_CHECK(s, s->log_count == 3);
	ST_CHECK(s, copied(s, 0, ST_TX_PAGE + 254, 0, 100));
	ST_CHECK(s, copied(s, 1, ST_TX_PAGE + 255, 0, 60));
	ST_CHECK(s, copied(s, 2, ST_TX_PAGE, 0, 40));
	ST_CHECK(s, s->frame_count == 1);
	ST_CHECK(s, st_pattern_is(st_in(s, 0)->data, 200, 0));
}

/* --- packets to responses --------------------------------------------------
 */

static void
txpkt2rsp_emptypkt(struct st *s)
{
	struct coax_netif_tx_response rsp;

	ST_CHECK(s, st_run_tx(s) == 0);
	ST_CHECK(s, s->q->tx.rsp_prod_pvt == 0);
	ST_CHECK(s, !st_tx_rsp(s, &rsp));
	ST_CHECK(s, s->notified == 0);
}

static void
txpkt2rsp_1req(struct st *s)
{
	struct coax_netif_tx_request req = {
		.gref = ST_TX_PAGE,
		.id = 0x1234,
		.size = 1000,
	};

	st_tx_raw(s, &req);
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, s->q->tx.rsp_prod_pvt == s->tx.req_prod);
	ST_CHECK(s, st_tx_rsp_is(s, 0x1234, COAX_NETIF_RSP_OKAY));
}

static void
txpkt2rsp_extra(struct st *s)
{
	struct coax_netif_tx_request req = {
		.gref = ST_TX_PAGE,
		.flags = EXTRA,
		.id = 69,
		.size = 1000,
	};

	put_tcp(s->pages + ST_TX_PAGE * COAX_RING_PAGE, 1000);
	st_tx_raw(s, &req);
	st_tx_gso(s, COAX_NETIF_GSO_TCPV4, 300);
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, s->q->tx.rsp_prod_pvt == 2);
	ST_CHECK(s, st_tx_rsp_is(s, 69, COAX_NETIF_RSP_OKAY));
	ST_CHECK(s, st_tx_rsp_is(s, -1, COAX_NETIF_RSP_NULL));
}

static void
txpkt2rsp_long(struct st *s)
{
	struct coax_netif_tx_request req = {
		.gref = ST_TX_PAGE,
		.flags = EXTRA | MORE,
		.id = 254,
		.size = 3750,
	};

	/* A good one; the pieces are all of one page. */
	st_tcp(s->pages + (size_t)ST_TX_PAGE * COAX_RING_PAGE);
	st_tx_raw(s, &req);
	st_tx_gso(s, COAX_NETIF_GSO_TCPV4, 300);
	req.flags = MORE;
	req.id = 1034;
	req.size = 1000;
	st_tx_raw(s, &req);
	req.flags = 0;
	req.id = 34;
	st_tx_raw(s, &req);
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, st_tx_rsp_is(s, 254, COAX_NETIF_RSP_OKAY));
	ST_CHECK(s, st_tx_rsp_is(s, -1, COAX_NETIF_RSP_NULL));
	ST_CHECK(s, st_tx_rsp_is(s, 1034, COAX_NETIF_RSP_OKAY));
	ST_CHECK(s, st_tx_rsp_is(s, 34, COAX_NETIF_RSP_OKAY));
	ST_CHECK(s, netring_front_poll(&s->tx) == 0);
	ST_CHECK(s, s->frame_count == 1);
}

static void
txpkt2rsp_invalid(struct st *s)
{
	struct coax_netif_tx_response rsp;

	(void)st_tx(s, 1000, EXTRA, 0);
	st_tx_extra(s, 255, 0, NULL, 0);
	ST_CHECK(s, st_run_tx(s) == -EPROTO);
	ST_CHECK(s, s->x->ifp.count.drops[DROP_XNB_EXTRA] == 1);
	ST_CHECK(s, !st_tx_rsp(s, &rsp));
	ST_CHECK(s, s->frame_count == 0);
}

static void
txpkt2rsp_error(struct st *s)
{
	s->bad_ref = ST_TX_PAGE;
	(void)st_tx(s, 1000, 0, 0);
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, st_tx_rsp_is(s, 1000, COAX_NETIF_RSP_ERROR));
	ST_CHECK(s, s->x->ifp.count.drops[DROP_XNB_COPY] == 1);
	ST_CHECK(s, s->frame_count == 0);
}

static void
txpkt2rsp_wraps(struct st *s)
{
	struct coax_netif_tx_request req = {
		.gref = ST_TX_PAGE,
		.flags = MORE,
		.id = 1,
		.size = 550,
	};

	go_to(s, COAX_NETIF_TX_SLOTS - 2);
	st_tx_raw(s, &req);
	req.id = 2;
	req.size = 100;
	st_tx_raw(s, &req);
	req.id = 3;
	req.flags = 0;
	st_tx_raw(s, &req);
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, st_tx_rsp_is(s, 1, COAX_NETIF_RSP_OKAY));
	ST_CHECK(s, st_tx_rsp_is(s, 2, COAX_NETIF_RSP_OKAY));
	ST_CHECK(s, st_tx_rsp_is(s, 3, COAX_NETIF_RSP_OKAY));
}

/* --- buffers for packets ---------------------------------------------------
 */

static void
pkt2mbufc_empty(struct st *s)
{
	(void)st_tx(s, 0, 0, 0);
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, s->frame_count == 0);
	ST_CHECK(s, st_tx_rsp_is(s, 1000, COAX_NETIF_RSP_ERROR));
}

/* A packet of @size bytes, in slots of a page at most: one buffer holds it. */
static void
fits_one_buffer(struct st *s, uint32_t size)
{
	uint32_t at = 0;

	while (at < size) {
		uint32_t left = size - at;
		uint32_t len = COAX_MIN(left, COAX_RING_PAGE);
		uint16_t says = (uint16_t)(at == 0 ? size : len);

		st_pattern(st_tx(s, says, left > len ? MORE : 0, 0), len, at);
		at += len;
	}
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, s->frame_count == 1);
	ST_CHECK(s, st_in(s, 0)->len == size);
	ST_CHECK(s, st_pattern_is(st_in(s, 0)->data, size, 0));
	/* All of it in the one. */
	ST_CHECK(s, s->frame_count != 1 || frame_room(st_in(s, 0)) >= size);
}

static void
pkt2mbufc_short(struct st *s)
{
	fits_one_buffer(s, MINCLSIZE - 1);
}

static void
pkt2mbufc_csum(struct st *s)
{
	(void)st_tx(s, MINCLSIZE - 1, COAX_NETTXF_DATA_VALIDATED, 0);
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, s->frame_count == 1);
	ST_CHECK(s, st_in(s, 0)->off.flags == FRAME_CSUM_VALID);
}

static void
pkt2mbufc_1cluster(struct st *s)
{
	fits_one_buffer(s, MINCLSIZE);
}

static void
pkt2mbufc_largecluster(struct st *s)
{
	fits_one_buffer(s, MCLBYTES + 1);
}

static void
pkt2mbufc_2cluster(struct st *s)
{
	fits_one_buffer(s, 2 * MCLBYTES + 1);
}

/* --- copies out of the front end's pages -----------------------------------
 */

static void
txpkt2gnttab_empty(struct st *s)
{
	(void)st_tx(s, 0, 0, 0);
	(void)st_run_tx(s);
	ST_CHECK(s, s->log_count == 0);
}

static void
txpkt2gnttab_short(struct st *s)
{
	struct coax_netif_tx_request req = {
		.gref = 7,
		.offset = 17,
		.size = MINCLSIZE - 1,
	};

	st_pattern(s->pages + 7 * COAX_RING_PAGE + 17, MINCLSIZE - 1, 5);
	st_tx_raw(s, &req);
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, s->log_count == 1);
	ST_CHECK(s, copied(s, 0, 7, 17, MINCLSIZE - 1));
	ST_CHECK(s, s->log[0].from);
	ST_CHECK(s, s->frame_count == 1);
	ST_CHECK(s, s->log[0].c.mem == st_in(s, 0)->data);
	ST_CHECK(s, st_pattern_is(st_in(s, 0)->data, MINCLSIZE - 1, 5));
}

static void
txpkt2gnttab_2req(struct st *s)
{
	(void)st_tx(s, 1900, MORE, 0);
	(void)st_tx(s, 500, 0, 0);
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, s->log_count == 2);
	ST_CHECK(s, copied(s, 0, ST_TX_PAGE, 0, 1400));
	ST_CHECK(s, copied(s, 1, ST_TX_PAGE + 1, 0, 500));
	ST_CHECK(s, s->frame_count == 1);
	ST_CHECK(s, s->log[0].c.mem == st_in(s, 0)->data);
	ST_CHECK(s, s->log[1].c.mem == st_in(s, 0)->data + 1400);
}

static void
txpkt2gnttab_2cluster(struct st *s)
{
	uint8_t *to;
	uint32_t len = 0;

	fits_one_buffer(s, 2 * MCLBYTES + 1);
	ST_CHECK(s, s->log_count == 2 || s->log_count == 3);
	to = s->log[0].c.mem;
	for (uint32_t i = 0; i < s->log_count; i++) {
		ST_CHECK(s, s->log[i].c.mem == to + len);
		ST_CHECK(
		    s, s->log[i].c.offset + s->log[i].c.len <= COAX_RING_PAGE);
		len += s->log[i].c.len;
	}
	ST_CHECK(s, len == 2 * MCLBYTES + 1);
}

static void
update_mbufc_short(struct st *s)
{
	fits_one_buffer(s, MINCLSIZE - 1);
}

static void
update_mbufc_2req(struct st *s)
{
	st_pattern(st_tx(s, 1900, MORE, 0), 1400, 0);
	st_pattern(st_tx(s, 500, 0, 0), 500, 1400);
	ST_CHECK(s, st_run_tx(s) == 1);
	ST_CHECK(s, s->frame_count == 1 && st_in(s, 0)->len == 1900);
	ST_CHECK(s, st_pattern_is(st_in(s, 0)->data, 1900, 0));
}

static void
update_mbufc_2cluster(struct st *s)
{
	fits_one_buffer(s, 2 * MCLBYTES + 1);
}

/* --- frames to packets -----------------------------------------------------
 */

static void
mbufc2pkt_empty(struct st *s)
{
	st_post(s, 4, 0);
	ST_CHECK(s, st_run_rx(s, NULL) == 0);
	ST_CHECK(s, s->q->rx.req_cons == 0);
}

/* A frame of @len bytes goes out at slot @at, in @slots slots. */
static void
goes_out(struct st *s, uint32_t at, uint32_t len, uint32_t slots)
{
	struct coax_netif_rx_response rsp = { 0 };
	uint32_t sum = 0, skip;

	go_to(s, at);
	st_post(s, 16, 100);
	ST_CHECK(s, st_run_rx(s, st_frame(s, len)) == 1);
	ST_CHECK(s, s->q->rx.req_cons == at + slots);
	for (uint32_t i = 0; i < slots; i++) {
		ST_CHECK(s, st_rx_rsp(s, &rsp));
		ST_CHECK(s, rsp.id == 100 + i);
		ST_CHECK(s, (rsp.flags & EXTRA) == 0);
		ST_CHECK(s, ((rsp.flags & MORE) != 0) == (i + 1 < slots));
		ST_CHECK(s, rsp.status > 0);
		/* But for the first byte, which was made a station's. */
		skip = i == 0 ? 1u : 0u;
		ST_CHECK(s, st_pattern_is(st_rx_page(s) + skip,
		                (uint16_t)rsp.status - skip, sum + skip));
		sum += (uint16_t)rsp.status;
	}
	ST_CHECK(s, sum == len);
	ST_CHECK(s, !st_rx_rsp(s, &rsp));
}

static void
mbufc2pkt_short(struct st *s)
{
	goes_out(s, 9, 128, 1);
}

static void
mbufc2pkt_1cluster(struct st *s)
{
	goes_out(s, 12, MCLBYTES, 1);
}

/* What came in two pieces goes out in one. */
static void
mbufc2pkt_2short(struct st *s)
{
	struct coax_netif_rx_response rsp;

	st_pattern(st_tx(s, 128, MORE, 0), 64, 0);
	st_pattern(st_tx(s, 64, 0, 0), 64, 64);
	ST_CHECK(s, st_run_tx(s) == 1 && s->frame_count == 1);
	st_post(s, 4, 0);
	ST_CHECK(s, st_run_rx(s, st_take(s)) == 1);
	ST_CHECK(s, s->q->rx.req_cons == 1);
	ST_CHECK(s, st_rx_rsp(s, &rsp));
	ST_CHECK(s, rsp.status == 128 && rsp.flags == 0);
	ST_CHECK(s, st_pattern_is(st_rx_page(s), 128, 0));
}

static void
mbufc2pkt_long(struct st *s)
{
	goes_out(s, 250, 14 * MCLBYTES / 3, 3);
}

/* A super-frame for the front end, as another interface would send it. */
static struct frame *
super_frame(struct st *s, uint32_t len, uint16_t mss)
{
	struct frame *f = frame_alloc(s->net->pool, len);
	enum drop_reason why;

	if (f == NULL) {
		ST_CHECK(s, f != NULL);
		return NULL;
	}
	f->len = len;
	put_tcp(f->data, len);
	f->off.gso_type = FRAME_GSO_TCPV4;
	f->off.gso_size = mss;
	ST_CHECK(s, offload_check(f, &why) == 0);
	return f;
}

static void
mbufc2pkt_extra(struct st *s)
{
	uint32_t len = 14 * MCLBYTES / 3;
	struct coax_netif_rx_response rsp;
	struct coax_netif_extra e;

	st_post(s, 8, 50);
	ST_CHECK(s, st_run_rx(s, super_frame(s, len, 1448)) == 1);
	ST_CHECK(s, s->q->rx.req_cons == 4);
	ST_CHECK(s, st_rx_rsp(s, &rsp));
	ST_CHECK(s, (rsp.flags & COAX_NETRXF_EXTRA_INFO) != 0);
	ST_CHECK(s, (rsp.flags & COAX_NETRXF_DATA_VALIDATED) != 0);
	ST_CHECK(s, (rsp.flags & COAX_NETRXF_MORE_DATA) != 0);
	ST_CHECK(s, rsp.status == COAX_RING_PAGE && rsp.id == 50);
	ST_CHECK(s, st_rx_rsp(s, (void *)&e));
	ST_CHECK(s, e.type == COAX_NETIF_EXTRA_GSO);
	ST_CHECK(s, (e.flags & COAX_NETIF_EXTRA_FLAG_MORE) == 0);
	ST_CHECK(s, e.u.gso.size == 1448);
	ST_CHECK(s, e.u.gso.type == COAX_NETIF_GSO_TCPV4);
	ST_CHECK(s, e.u.gso.features == 0);
	/* The second piece is in the slot after the extra info. */
	ST_CHECK(s, st_rx_rsp(s, &rsp));
	ST_CHECK(s, rsp.id == 52 && rsp.status == COAX_RING_PAGE);
	ST_CHECK(s, st_rx_rsp(s, &rsp));
	ST_CHECK(s, rsp.id == 53 && rsp.flags == 0);
	ST_CHECK(s, (uint32_t)rsp.status == len - 2 * COAX_RING_PAGE);
}

static void
mbufc2pkt_nospace(struct st *s)
{
	uint32_t len = 14 * MCLBYTES / 3;

	st_post(s, 2, 0);
	ST_CHECK(s, st_run_rx(s, st_frame(s, len)) == 0);
	ST_CHECK(s, s->q->rx.req_cons == 0);
	ST_CHECK(s, frame_ring_count(&s->q->backlog) == 1);
	ST_CHECK(s, s->q->rx_want == 3);
	/* One more, and it goes. */
	st_post(s, 1, 2);
	ST_CHECK(s, st_run_rx(s, NULL) == 1);
	ST_CHECK(s, s->q->rx.req_cons == 3);
}

/* --- copies into the front end's pages -------------------------------------
 */

static void
rxpkt2gnttab_empty(struct st *s)
{
	st_post(s, 4, 0);
	(void)st_run_rx(s, NULL);
	ST_CHECK(s, s->log_count == 0);
}

static void
rxpkt2gnttab_short(struct st *s)
{
	st_post(s, 4, 0);
	ST_CHECK(s, st_run_rx(s, st_frame(s, 128)) == 1);
	ST_CHECK(s, s->log_count == 1);
	ST_CHECK(s, copied(s, 0, ST_RX_PAGE, 0, 128));
	ST_CHECK(s, !s->log[0].from);
}

static void
rxpkt2gnttab_2req(struct st *s)
{
	uint32_t sum = 0;

	st_post(s, 4, 0);
	ST_CHECK(s, st_run_rx(s, st_frame(s, COAX_RING_PAGE + 1)) == 1);
	ST_CHECK(s, s->log_count >= 2);
	for (uint32_t i = 0; i < s->log_count; i++) {
		const struct xnb_copy *c = &s->log[i].c;

		ST_CHECK(s, !s->log[i].from);
		ST_CHECK(s, c->offset + c->len <= COAX_RING_PAGE);
		sum += c->len;
	}
	ST_CHECK(s, sum == COAX_RING_PAGE + 1);
}

/* --- responses of the receive ring -----------------------------------------
 */

static void
rxpkt2rsp_empty(struct st *s)
{
	struct coax_netif_rx_response rsp;

	st_post(s, 4, 0);
	(void)st_run_rx(s, NULL);
	ST_CHECK(s, s->q->rx.rsp_prod_pvt == 0);
	ST_CHECK(s, !st_rx_rsp(s, &rsp));
	ST_CHECK(s, s->notified == 0);
}

static void
rxpkt2rsp_short(struct st *s)
{
	struct coax_netif_rx_response rsp = { 0 };

	st_post(s, 4, 777);
	ST_CHECK(s, st_run_rx(s, st_frame(s, 128)) == 1);
	ST_CHECK(s, st_rx_rsp(s, &rsp));
	ST_CHECK(s, rsp.id == 777);
	ST_CHECK(s, rsp.offset == 0);
	ST_CHECK(s, rsp.flags == 0);
	ST_CHECK(s, rsp.status == 128);
	ST_CHECK(s, s->notified == 1);
}

static void
rxpkt2rsp_extra(struct st *s)
{
	struct coax_netif_rx_response rsp = { 0 };
	struct coax_netif_extra e = { 0 };

	st_post(s, 4, 9);
	ST_CHECK(s, st_run_rx(s, super_frame(s, 2100, 700)) == 1);
	ST_CHECK(s, s->q->rx.rsp_prod_pvt == 2);
	ST_CHECK(s, st_rx_rsp(s, &rsp));
	ST_CHECK(s, rsp.id == 9 && rsp.status == 2100);
	ST_CHECK(s,
	    rsp.flags == (COAX_NETRXF_EXTRA_INFO | COAX_NETRXF_DATA_VALIDATED |
	                     COAX_NETRXF_CSUM_BLANK));
	ST_CHECK(s, st_rx_rsp(s, (void *)&e));
	ST_CHECK(s, e.type == COAX_NETIF_EXTRA_GSO && e.flags == 0);
	ST_CHECK(s, e.u.gso.type == COAX_NETIF_GSO_TCPV4);
	ST_CHECK(s, e.u.gso.size == 700);
}

static void
rxpkt2rsp_2short(struct st *s)
{
	mbufc2pkt_2short(s);
	ST_CHECK(s, s->q->rx.rsp_prod_pvt == 1);
}

static void
rxpkt2rsp_2slots(struct st *s)
{
	struct coax_netif_rx_response rsp = { 0 };

	st_post(s, 1, 17);
	st_post(s, 1, 37);
	ST_CHECK(s, st_run_rx(s, st_frame(s, COAX_RING_PAGE + 100)) == 1);
	ST_CHECK(s, st_rx_rsp(s, &rsp));
	ST_CHECK(s, rsp.id == 17 && rsp.status == COAX_RING_PAGE);
	ST_CHECK(s, rsp.flags == COAX_NETRXF_MORE_DATA);
	ST_CHECK(s, st_rx_rsp(s, &rsp));
	ST_CHECK(s, rsp.id == 37 && rsp.status == 100);
	ST_CHECK(s, rsp.flags == 0);
}

static void
rxpkt2rsp_copyerror(struct st *s)
{
	struct coax_netif_rx_response rsp = { 0 };
	struct coax_netif_rx_request canary = { 0 };

	st_post(s, 4, 60);
	s->bad_ref = ST_RX_PAGE + 1;
	(void)st_run_rx(s, st_frame(s, COAX_RING_PAGE + 100));
	ST_CHECK(s, s->x->ifp.count.drops[DROP_XNB_RX_COPY] == 1);
	ST_CHECK(s, s->x->ifp.count.opackets == 0);
	ST_CHECK(s, st_rx_rsp(s, &rsp) && rsp.id == 60);
	ST_CHECK(s, st_rx_rsp(s, &rsp) && rsp.id == 61);
	ST_CHECK(s, rsp.status == COAX_NETIF_RSP_ERROR);
	ST_CHECK(s, !st_rx_rsp(s, &rsp));
	/* The next slot is still the request that it was. */
	netring_front_get(&s->rx, 2, &canary, 2);
	ST_CHECK(s, canary.id == 62 && canary.gref == ST_RX_PAGE + 2);
	/* And is used for the next packet. */
	ST_CHECK(s, st_run_rx(s, st_frame(s, 60)) == 1);
	ST_CHECK(s, st_rx_rsp(s, &rsp) && rsp.id == 62 && rsp.status == 60);
}

/* --- checksums -------------------------------------------------------------
 */

static const uint8_t ether_ip[14] = { 0x00, 0x16, 0x3e, 0x23, 0x50, 0x0b, 0x00,
	0x16, 0x3e, 0x00, 0x00, 0x00, 0x08, 0x00 };

/* 192.168.10.4 to .5: @id, @flags, protocol, @len bytes behind the header. */
static void
put_bsd_ip(uint8_t *p, uint16_t id, uint16_t flags, uint8_t proto, uint32_t len)
{
	memcpy(p, ether_ip, sizeof(ether_ip));
	memset(p + 14, 0, 20);
	p[14] = 0x45;
	be16_put(p + 16, (uint16_t)(20 + len));
	be16_put(p + 18, id);
	be16_put(p + 20, flags);
	p[22] = 64;
	p[23] = proto;
	memcpy(p + 26, "\xc0\xa8\x0a\x04\xc0\xa8\x0a\x05", 8);
	be16_put(p + 24, st_sum(NULL, 0, p + 14, 20));
}

#define BLANK (COAX_NETTXF_CSUM_BLANK | COAX_NETTXF_DATA_VALIDATED)

/* True if @f is @data but for two bytes at @at. */
static bool
only_sum_changed(
    const struct frame *f, const uint8_t *data, uint32_t len, uint32_t at)
{
	return f->len == len && memcmp(f->data, data, at) == 0 &&
	       memcmp(f->data + at + 2, data + at + 2, len - at - 2) == 0;
}

static void
add_mbuf_cksum_arp(struct st *s)
{
	uint8_t p[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0x16, 0x3e, 0,
		0, 0, 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1 };
	const struct frame *f;

	st_pattern(p + 22, 38, 0);
	f = st_through(s, p, sizeof(p), BLANK);
	ST_CHECK(s, f != NULL && f->len == sizeof(p));
	ST_CHECK(s, f != NULL && memcmp(f->data, p, sizeof(p)) == 0);
}

static void
add_mbuf_cksum_icmp(struct st *s)
{
	uint8_t p[98] = { 0 };
	const struct frame *f;

	put_bsd_ip(p, 28, 0, 1, 64);
	ST_CHECK(s, be16_get(p + 24) == 0xe533);
	p[34] = 8; /* echo request */
	st_pattern(p + 38, 60, 0);
	be16_put(p + 36, st_sum(NULL, 0, p + 34, 64));
	/* Sums are there: whatever the sender says, nothing changes. */
	for (int blank = 0; blank < 2; blank++) {
		f = st_through(s, p, sizeof(p),
		    blank ? BLANK : COAX_NETTXF_DATA_VALIDATED);
		ST_CHECK(s, f != NULL && memcmp(f->data, p, sizeof(p)) == 0);
	}
}

static void
put_bsd_tcp(uint8_t p[74])
{
	static const uint8_t tcp[40] = { 0x9c, 0xd9, 0x08, 0xae, 0x00, 0xf7,
		0x2b, 0x10, 0x7f, 0x37, 0xba, 0x6c, 0x80, 0x18, 0x04, 0x10,
		0xbe, 0xef, 0x00, 0x00, 0x01, 0x01, 0x08, 0x0a, 0x00, 0x00,
		0x81, 0xdf, 0xce, 0x18, 0x20, 0x7f, 'F', 'r', 'e', 'e', 'B',
		'S', 'D', '\n' };

	put_bsd_ip(p, 8, 0x4000, 6, 40);
	memcpy(p + 34, tcp, sizeof(tcp));
}

static void
add_mbuf_cksum_tcp(struct st *s)
{
	uint8_t p[74];
	const struct frame *f;

	put_bsd_tcp(p);
	ST_CHECK(s, be16_get(p + 24) == 0xa55a);
	f = st_through(s, p, sizeof(p), BLANK);
	ST_CHECK(s, f != NULL && only_sum_changed(f, p, sizeof(p), 50));
	ST_CHECK(s, f != NULL && be16_get(f->data + 50) == 0x2f64);
	/* A header sum that is wrong stays wrong for all to see. */
	be16_put(p + 24, 0xdead);
	f = st_through(s, p, sizeof(p), BLANK);
	ST_CHECK(s, f != NULL && only_sum_changed(f, p, sizeof(p), 50));
}

static void
add_mbuf_cksum_tcp_swcksum(struct st *s)
{
	uint8_t p[74];
	const struct frame *f;

	put_bsd_tcp(p); /* its sum is 0xbeef */
	be16_put(p + 24, 0xdead);
	f = st_through(s, p, sizeof(p), 0);
	ST_CHECK(s, f != NULL && memcmp(f->data, p, sizeof(p)) == 0);
	/* Nor is one that was vouched for made anew. */
	f = st_through(s, p, sizeof(p), COAX_NETTXF_DATA_VALIDATED);
	ST_CHECK(s, f != NULL && memcmp(f->data, p, sizeof(p)) == 0);
}

static void
add_mbuf_cksum_udp(struct st *s)
{
	static const uint8_t udp[16] = { 0x51, 0xae, 0x08, 0xae, 0x00, 0x10,
		0xbe, 0xef, 'F', 'r', 'e', 'e', 'B', 'S', 'D', '\n' };
	uint8_t p[50];
	const struct frame *f;

	put_bsd_ip(p, 4, 0, 17, 16);
	memcpy(p + 34, udp, sizeof(udp));
	ST_CHECK(s, be16_get(p + 24) == 0xe56b);
	f = st_through(s, p, sizeof(p), BLANK);
	ST_CHECK(s, f != NULL && only_sum_changed(f, p, sizeof(p), 40));
	ST_CHECK(s, f != NULL && be16_get(f->data + 40) == 0xdde2);
}

/* --- sscanf ----------------------------------------------------------------
 *
 * The kernel of the original has a sscanf() of its own, which its driver reads
 * keys with; here it is the C library's.
 */

static void
sscanf_hhd(struct st *s)
{
	signed char d[3] = { 1, 2, 3 };

	ST_CHECK(s, sscanf("-27", "%hhd", &d[1]) == 1);
	ST_CHECK(s, d[1] == -27);
	ST_CHECK(s, d[0] == 1 && d[2] == 3);
}

static void
sscanf_hhu(struct st *s)
{
	unsigned char d[3] = { 1, 2, 3 };

	ST_CHECK(s, sscanf("137", "%hhu", &d[1]) == 1);
	ST_CHECK(s, d[1] == 137);
	ST_CHECK(s, d[0] == 1 && d[2] == 3);
}

static void
sscanf_lld(struct st *s)
{
	long long d[3] = { 1, 2, 3 };

	ST_CHECK(s, sscanf("-123456789012345", "%lld", &d[1]) == 1);
	ST_CHECK(s, d[1] == -123456789012345);
	ST_CHECK(s, d[0] == 1 && d[2] == 3);
}

static void
sscanf_llu(struct st *s)
{
	unsigned long long d[3] = { 1, 2, 3 };

	ST_CHECK(s, sscanf("12802747070103273189", "%llu", &d[1]) == 1);
	ST_CHECK(s, d[1] == 12802747070103273189ull);
	ST_CHECK(s, d[0] == 1 && d[2] == 3);
}

static void
sscanf_hhn(struct st *s)
{
	char text[161];
	unsigned char n[3] = { 1, 2, 3 };

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	(void)sscanf(text, "%*s%hhn", (signed char *)&n[1]);
	ST_CHECK(s, n[1] == 160);
	ST_CHECK(s, n[0] == 1 && n[2] == 3);
}

#define T(f)          \
	{             \
#f, f \
	}
const struct st_test st_bsd_tests[] = {
	T(ring2pkt_emptyring),
	T(ring2pkt_1req),
	T(ring2pkt_2req),
	T(ring2pkt_3req),
	T(ring2pkt_extra),
	T(ring2pkt_partial),
	T(ring2pkt_wraps),
	T(txpkt2rsp_emptypkt),
	T(txpkt2rsp_1req),
	T(txpkt2rsp_extra),
	T(txpkt2rsp_long),
	T(txpkt2rsp_invalid),
	T(txpkt2rsp_error),
	T(txpkt2rsp_wraps),
	T(pkt2mbufc_empty),
	T(pkt2mbufc_short),
	T(pkt2mbufc_csum),
	T(pkt2mbufc_1cluster),
	T(pkt2mbufc_largecluster),
	T(pkt2mbufc_2cluster),
	T(txpkt2gnttab_empty),
	T(txpkt2gnttab_short),
	T(txpkt2gnttab_2req),
	T(txpkt2gnttab_2cluster),
	T(update_mbufc_short),
	T(update_mbufc_2req),
	T(update_mbufc_2cluster),
	T(mbufc2pkt_empty),
	T(mbufc2pkt_short),
	T(mbufc2pkt_1cluster),
	T(mbufc2pkt_2short),
	T(mbufc2pkt_long),
	T(mbufc2pkt_extra),
	T(mbufc2pkt_nospace),
	T(rxpkt2gnttab_empty),
	T(rxpkt2gnttab_short),
	T(rxpkt2gnttab_2req),
	T(rxpkt2rsp_empty),
	T(rxpkt2rsp_short),
	T(rxpkt2rsp_extra),
	T(rxpkt2rsp_2short),
	T(rxpkt2rsp_2slots),
	T(rxpkt2rsp_copyerror),
	T(add_mbuf_cksum_arp),
	T(add_mbuf_cksum_icmp),
	T(add_mbuf_cksum_tcp),
	T(add_mbuf_cksum_tcp_swcksum),
	T(add_mbuf_cksum_udp),
	T(sscanf_hhd),
	T(sscanf_hhu),
	T(sscanf_lld),
	T(sscanf_llu),
	T(sscanf_hhn),
	{ NULL, NULL },
};
