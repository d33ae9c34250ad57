/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parse_frame() and offload_check() on anything: 10 bytes are the offload
 * record, the rest is the frame, which ends where its buffer does so that ASan
 * sees a read past it.
 *
 * A record that passes is in the order that offload.h promises, passes again
 * with nothing changed, and fits every output after offload_fit().
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "frame/l4.h"
#include "frame/offload.h"
#include "frame/parse.h"

static struct frame_pool *pool;

/* An output that takes nothing, with no limit. */
static void
emit(void *arg, struct frame *f)
{
	(void)arg;
	ASSERT(offload_fits(f, 0, 0));
	frame_release(f);
}

static void
drop(void *arg, struct frame *f, enum drop_reason why)
{
	(void)arg;
	ASSERT(why == DROP_GSO_UNSUPPORTED);
	frame_release(f);
}

static void
assert_offsets(const struct parsed *p, size_t len)
{
	uint32_t addr = p->ip == 4 ? 4 : 16;

	if (p->ip == 0)
		return;
	ASSERT(p->ip_end <= len && p->l4 <= p->ip_end);
	ASSERT(p->l4 + p->l4_len == p->ip_end && p->l4_hdr <= p->l4_len);
	ASSERT(p->src + addr <= len && p->dst + addr <= len);
}

static void
assert_in_order(const struct frame *f)
{
	const struct frame_offload *o = &f->off;
	bool gso = o->gso_type != FRAME_GSO_NONE;
	struct parsed p;

	if ((o->flags & FRAME_CSUM_PARTIAL) == 0) {
		ASSERT(!gso && o->csum_start == 0 && o->csum_offset == 0);
		return;
	}
	ASSERT(o->flags == FRAME_CSUM_PARTIAL);
	ASSERT(parse_frame(f->data, f->len, gso, &p) == 0 && l4_whole(&p));
	ASSERT(o->csum_start == p.l4);
	ASSERT(o->csum_offset == l4_csum_offset(&p));
	ASSERT(o->hdr_len == p.l4 + p.l4_hdr);
	ASSERT(gso == (o->gso_size != 0));
	if (gso)
		ASSERT(f->len - o->hdr_len > o->gso_size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame_pool_options options = { .small_count = 2,
		.large_count = 2 };
	struct offload_output out = { .emit = emit, .drop = drop };
	enum drop_reason why;
	struct parsed p;
	struct frame *f, *again;

	if (pool == NULL && frame_pool_create(&options, &pool) < 0)
		return 0;
	if (size < sizeof(f->off) || size - sizeof(f->off) > FRAME_LARGE_MAX)
		return 0;
	f = frame_alloc(pool, (uint32_t)(size - sizeof(f->off)));
	ASSERT(f != NULL);
	f->len = (uint32_t)(size - sizeof(f->off));
	f->data += frame_room(f) - f->len;
	memcpy(&f->off, data, sizeof(f->off));
	memcpy(f->data, data + sizeof(f->off), f->len);

	if (parse_frame(f->data, f->len, false, &p) == 0)
		assert_offsets(&p, f->len);
	if (parse_frame(f->data, f->len, true, &p) == 0)
		assert_offsets(&p, f->len);
	ASSERT(parse_vid(f->data, f->len) <= 4095);
	ASSERT(parse_tags(f->data, f->len) <= PARSE_TAGS_MAX);

	if (offload_check(f, &why) < 0) {
		ASSERT(why == DROP_RUNT || why == DROP_BAD_OFFLOAD);
		frame_release(f);
		return 0;
	}
	assert_in_order(f);
	again = frame_copy(f);
	ASSERT(again != NULL && offload_check(again, &why) == 0);
	ASSERT(memcmp(&again->off, &f->off, sizeof(f->off)) == 0);
	ASSERT(memcmp(again->data, f->data, f->len) == 0);
	frame_release(again);
	offload_fit(f, &out);
	return 0;
}
