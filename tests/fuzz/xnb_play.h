/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For the fuzz targets of xnb: an input is a play, a list of moves of a front
 * end that may do anything to its memory, its keys and its state, of frames
 * that are sent to it, and of time. The back end gets its turn after each.
 *
 * What must hold, whatever is played: nothing is read or written outside of the
 * pages (the transport checks references as all do, ASan the rest), every frame
 * is back at the end (the pool asserts it), and a front end that was cut off
 * stays so until it begins anew.
 */
#pragma once

#include <stdlib.h>

#include "base/timerheap.h"
#include "drv/xnb/dump.h"
#include "drv/xnb/selftest_impl.h"

static struct st *play_st;
static struct timerheap play_timers;

static inline struct st *
play_begin(void)
{
	struct st *s = play_st;
	uint8_t *pages;
	char *text;

	if (s == NULL) {
		s = calloc(1, sizeof(*s));
		ASSERT(s != NULL);
		s->pages = st_pages();
		s->text = calloc(1, ST_TEXT_MAX);
		ASSERT(s->pages != NULL && s->text != NULL);
		play_st = s;
	}
	pages = s->pages;
	text = s->text;
	memset(s, 0, sizeof(*s));
	s->pages = pages;
	s->text = text;
	s->name = "fuzz";
	s->pool.small_count = 64;
	s->pool.large_count = 6;
	ASSERT(st_begin(s) == 0);
	s->net->timers = &play_timers;
	return s;
}

static inline void
play_end(struct st *s)
{
	st_end(s);
	ASSERT(play_timers.count == 0);
}

/* The back end's turn, as the worker gives it. */
static inline void
play_turn(struct st *s)
{
	bool broken;

	net_ready(&s->x->ifp);
	for (int i = 0; i < 4 && net_poll(s->net); i++)
		;
	s->q = s->x->queues;
	st_forget(s);
	broken = s->x->broken;
	ASSERT(!broken || !s->x->connected);
}

/* Templates of packets, so that most of an input's packets mean something. */
static inline uint32_t
play_packet(struct rd *r, uint8_t *to)
{
	static const uint8_t ip4[] = "\x45\0\0\0\0\1\0\0\x40\6\0\0\xa\0\0\1"
	                             "\xa\0\0\2";
	static const uint8_t ip6[] = "\x60\0\0\0\0\0\6\x40\x20\1\0\0\0\0\0\0\0"
	                             "\0\0\0\0\0\0\1\x20\1\0\0\0\0\0\0\0\0\0\0"
	                             "\0\0\0\2";
	uint8_t kind = rd_u8(r), proto = rd_u8(r);
	uint32_t at = 12, l3;

	memcpy(to, "\x02\0\0\0\0\1\x02\0\0\0\0\2", 12);
	if ((kind & 1) != 0) {
		memcpy(to + at, "\x81\0\0\7", 4);
		at += 4;
	}
	l3 = at + 2;
	if ((kind & 2) != 0) {
		memcpy(to + at, "\x86\xdd", 2);
		memcpy(to + l3, ip6, 40);
		be16_put(to + l3 + 4, rd_be16(r));
		to[l3 + 6] = proto;
		at = l3 + 40;
	} else {
		memcpy(to + at, "\x08\0", 2);
		memcpy(to + l3, ip4, 20);
		be16_put(to + l3 + 2, rd_be16(r));
		be16_put(to + l3 + 6, rd_be16(r));
		to[l3 + 9] = proto;
		at = l3 + 20;
	}
	to[at + 12] = 0x50;
	be16_put(to + at + 4, rd_be16(r));
	return at + 20;
}

/* The same into the front end's memory, where others may be, too. */
static inline void
play_put(struct rd *r, uint8_t *to)
{
	uint8_t packet[128] = { 0 };

	shm_copy_to(to, packet, play_packet(r, packet));
}

static inline void
play_key(struct st *s, struct rd *r)
{
	static const char *const keys[] = { "request-rx-copy", "feature-sg",
		"feature-gso-tcpv4", "feature-gso-tcpv6",
		"feature-no-csum-offload", "feature-ipv6-csum-offload",
		"feature-rx-notify", "request-multicast-control",
		"xdp-headroom", "multi-queue-num-queues", "tx-ring-ref",
		"rx-ring-ref", "event-channel", "event-channel-tx",
		"event-channel-rx", "ctrl-ring-ref", "event-channel-ctrl",
		"queue-0/tx-ring-ref", "queue-0/rx-ring-ref",
		"queue-0/event-channel", "queue-1/tx-ring-ref",
		"queue-1/rx-ring-ref", "queue-1/event-channel" };
	static const char *const values[] = { "0", "1", "2", "3", "256", "2048",
		"4294967295", "99999999999999999999", "-1", "", "x", "0x1" };
	const char *key = keys[rd_u8(r) % ARRAY_LEN(keys)];

	(void)keys_set(&s->front, key, values[rd_u8(r) % ARRAY_LEN(values)]);
}

static inline struct coax_ring *
play_ring(struct st *s, uint8_t which)
{
	return (struct coax_ring *)(void *)(s->pages + (size_t)(which % 4) *
	                                                   COAX_RING_PAGE);
}

static inline void
play_move(struct st *s, struct rd *r)
{
	uint8_t move = rd_u8(r);

	switch (move % 16) {
	case 0: { /* any slot at all */
		struct coax_netif_tx_request req;

		req.gref = rd_be32(r) % (ST_PAGES + 2);
		req.offset = rd_be16(r);
		req.flags = rd_be16(r);
		req.id = rd_u8(r);
		req.size = rd_be16(r);
		st_tx_raw(s, &req);
		return;
	}
	case 1:
	case 2: { /* a packet, in one slot */
		uint16_t size = rd_be16(r), flags = rd_u8(r) & 3;

		play_put(r, st_tx(s, size % 4096, flags, 0));
		return;
	}
	case 3: { /* the first slot of one in several */
		uint16_t size = rd_be16(r);

		play_put(r, st_tx(s, size, rd_u8(r) & 15, 0));
		return;
	}
	case 4: /* a later one */
		(void)st_tx(s, rd_be16(r) % 4097, rd_u8(r) & 4, 0);
		return;
	case 5: {
		uint8_t type = rd_u8(r) % 8, flags = rd_u8(r) & 1, body[6];

		rd_copy(r, body, sizeof(body));
		st_tx_extra(s, type, flags, body, sizeof(body));
		return;
	}
	case 6:
		(void)netring_front_publish(&s->tx);
		break;
	case 7: { /* an index, moved by little or by much */
		uint32_t *word =
		    &play_ring(s, rd_u8(r))->req_prod + rd_u8(r) % 4;
		uint8_t how = rd_u8(r);

		shm_store_relaxed(word, (how & 1) != 0
		                            ? rd_be32(r)
		                            : shm_load_relaxed(word) + how / 2);
		break;
	}
	case 8:
		st_post(s, rd_u8(r) % 64, rd_u8(r));
		break;
	case 9: { /* a buffer that is none */
		struct coax_netif_rx_request req = {
			.gref = rd_be32(r) % (ST_PAGES + 2),
		};

		netring_front_put(&s->rx, &req, 2);
		(void)netring_front_publish(&s->rx);
		break;
	}
	case 10: { /* a frame for the front end */
		struct frame_batch batch = { .count = 1 };
		uint32_t len = 64 + rd_be16(r) % 65472;
		struct frame *f = frame_alloc(s->net->pool, len);
		enum drop_reason why;

		if (f == NULL)
			return;
		f->len = len;
		memset(f->data, 0, 128);
		(void)play_packet(r, f->data);
		f->off.gso_type = rd_u8(r) & 5;
		f->off.gso_size = rd_be16(r);
		f->off.flags = rd_u8(r) & 2;
		if (offload_check(f, &why) < 0) {
			frame_release(f);
			return;
		}
		batch.frames[0] = f;
		iface_output(&s->x->ifp, &batch);
		break;
	}
	case 11: { /* the control ring */
		uint32_t slot[4] = { rd_be32(r), rd_be32(r), 0, 0 };

		netring_front_put(&s->ctrl, slot, 4);
		(void)netring_front_publish(&s->ctrl);
		xnb_event(s->x);
		break;
	}
	case 12:
		play_key(s, r);
		return;
	case 13:
		xnb_vif_front_changed(s->x, rd_u8(r) % 10);
		s->q = s->x->queues;
		break;
	case 14: { /* any bytes anywhere */
		uint32_t at = rd_be32(r) % (ST_PAGES * COAX_RING_PAGE - 8);
		uint8_t body[8];

		rd_copy(r, body, sizeof(body));
		shm_copy_to(s->pages + at, body, sizeof(body));
		return;
	}
	default: /* time; or the memory is mapped now, or is not any more */
		if (move / 16 == 15)
			st_map_memory(s, s->t.mem == NULL);
		s->net->now_ns += (uint64_t)rd_u8(r) * 100000000u;
		timerheap_run(&play_timers, s->net->now_ns, 100);
		free(xnb_dump_rings(&s->x->ifp));
		break;
	}
	play_turn(s);
}
