/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fragments with a blank sum: the input is a list of frames, each a head (two
 * bytes of length, one of flags) and its bytes. Whatever comes, what is held
 * stays within its limits, every frame goes on or is dropped, and at the end
 * all are back.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/util.h"
#include "frame/frags.h"
#include "frame/offload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct frame_pool *pool;
static struct frags frags;

static void
emit(void *arg, struct frame *f)
{
	(void)arg;
	frame_release(f);
}

static void
drop(void *arg, struct frame *f, enum drop_reason why)
{
	(void)arg;
	(void)why;
	frame_release(f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frame_pool_options options = { 2048, 40 };
	struct rd r = rd_init(data, size);
	struct frame_pool_stats st;
	uint64_t now_ns = 1;

	if (pool == NULL)
		ASSERT(frame_pool_create(&options, &pool) == 0);
	memset(&frags, 0, sizeof(frags));
	frags.emit = emit;
	frags.drop = drop;
	while (rd_left(&r) >= 3) {
		uint32_t len = rd_be16(&r);
		uint8_t flags = rd_u8(&r);
		enum drop_reason why;
		struct frame *f;
		int err = 0;

		len = COAX_MIN(len, (uint32_t)rd_left(&r));
		f = frame_alloc(pool, len);
		ASSERT(f != NULL);
		rd_copy(&r, f->data, len);
		f->len = len;
		if ((flags & 1) != 0)
			err = offload_blank(f, &why);
		if (err != 0 && err != -EINPROGRESS) {
			frame_release(f);
			continue;
		}
		now_ns += (uint64_t)(flags >> 1) * 10000000u;
		if (!frags_input(&frags, f, err == -EINPROGRESS, now_ns))
			frame_release(f);
		ASSERT(frags.count <= FRAGS_DATAGRAMS);
		ASSERT(frags.bytes <= FRAGS_BYTES);
		if ((flags & 0x40) != 0)
			(void)frags_expire(&frags, now_ns);
	}
	frags_clear(&frags, DROP_DESTROYED);
	ASSERT(frags.count == 0 && frags.bytes == 0);
	frame_pool_stats(pool, &st);
	ASSERT(
	    st.small_free == st.small_total && st.large_free == st.large_total);
	return 0;
}
