/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a packet socket gives an ether: any record of offloads, any words beside
 * it and any bytes must give a frame whose record the forwarding may believe,
 * with its tag, or a reason.
 *
 * Input: a byte of flags, a byte that says how many bytes of control messages
 * follow, those, then the packet: record and frame.
 */
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/ether.h"
#include "base/util.h"
#include "drv/ether_recv.h"
#include "frame/offload.h"

#define TRUNCATED 1u /* flags */

/* As recvmsg(2) puts it down: the record, then the slot's frames. */
static uint32_t
fill(struct ether_slot *s, const uint8_t *data, size_t size)
{
	uint32_t sizes[3] = { (uint32_t)s->iov[0].iov_len,
		(uint32_t)s->iov[1].iov_len, (uint32_t)s->iov[2].iov_len };
	uint32_t at = 0;

	for (uint32_t i = 0; i < 3 && at < size; i++) {
		uint32_t n = COAX_MIN(sizes[i], (uint32_t)size - at);

		memcpy(s->iov[i].iov_base, data + at, n);
		at += n;
	}
	return (uint32_t)size;
}

static void
check(struct ether_packet p, uint32_t size, bool control)
{
	enum drop_reason why = DROP_COUNT;

	if (p.why != DROP_COUNT) {
		ASSERT(p.why < DROP_COUNT);
		if (p.f != NULL)
			frame_release(p.f);
		return;
	}
	ASSERT(p.f != NULL && p.f->refs == 1);
	/* What is believed may be believed with its tag, too. */
	ASSERT(offload_check(p.f, &why) == 0);
	size -= (uint32_t)sizeof(struct frame_offload);
	ASSERT(
	    p.f->len == size || (control && p.f->len == size + ETH_VLAN_LEN));
	frame_release(p.f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct frame_pool_options options = { 8, 4 };
	static struct frame_pool *pool;
	struct ether_slot s = { 0 };
	struct msghdr m = { 0 };
	struct ether_packet p;
	uint32_t flags, control, len;

	if (pool == NULL) {
		ASSERT(frame_pool_create(&options, &pool) == 0);
	}
	if (size < 2)
		return 0;
	flags = data[0];
	control = COAX_MIN(COAX_MIN((uint32_t)data[1], (uint32_t)size - 2),
	    (uint32_t)sizeof(s.control));
	memcpy(s.control, data + 2, control);
	data += 2 + control;
	size -= 2 + control;
	ASSERT(recv_slot_ready(&s.room, pool, NULL, &s.iov[1]) > 0);
	s.iov[0].iov_base = &s.hdr;
	s.iov[0].iov_len = sizeof(s.hdr);
	len = fill(&s, data, size);
	m.msg_control = s.control;
	m.msg_controllen = control;
	m.msg_flags = (flags & TRUNCATED) != 0 ? MSG_TRUNC : 0;
	p = ether_recv_take(&s, &m, len);
	check(p, len, control != 0);
	recv_slot_trim(&s.room);
	return 0;
}
