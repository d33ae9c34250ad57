/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPDUs on two ports of a bridge, between ticks: each record of the input is a
 * head (port, seconds that pass, length) and that many octets.  The state stays
 * legal and nobody sends more than the hold count allows.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/assert.h"
#include "stp/stp.h"

static void
check(const struct stp *s)
{
	const struct stp_effect *e;
	uint32_t count, forwarding = 0;

	e = stp_effects(s, &count);
	for (uint32_t i = 0; i < count; i++) {
		struct stp_bpdu b;

		if (e[i].type != STP_EFFECT_SEND)
			continue;
		ASSERT(stp_bpdu_decode(e[i].bpdu.data, e[i].bpdu.len, &b) == 0);
		ASSERT(b.type != STP_BPDU_TCN || e[i].bpdu.len == 4);
	}
	for (uint16_t p = 1; p <= 3; p++) {
		struct stp_port_info info;

		ASSERT(stp_port_get(s, p, &info) == 0);
		if (info.state != STP_STATE_FORWARDING)
			continue;
		forwarding++;
		ASSERT(info.role == STP_ROLE_ROOT ||
		       info.role == STP_ROLE_DESIGNATED);
		ASSERT(info.enabled && !info.self_loop && !info.inconsistent);
	}
	ASSERT(forwarding <= 3 && stp_steps_max(s) <= 64);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stp_options o = { .mac = { 2, 0, 0, 0, 0, 0x20 }, .ports = 3 };
	uint64_t now_ns = 0;
	struct stp *s;

	if (stp_create(&o, 0, &s) < 0)
		return 0;
	for (uint16_t p = 1; p <= 3; p++) {
		ASSERT(stp_port_add(s, p, 0) == 0);
		ASSERT(stp_port_link(s, p, true, NULL, 0) == 0);
	}
	(void)stp_port_set_auto_edge(s, 3, false);
	while (size >= 3) {
		uint16_t port = (uint16_t)(1 + data[0] % 3);
		uint32_t seconds = data[1] % 8;
		size_t len = data[2] % 48;

		data += 3;
		size -= 3;
		if (len > size)
			len = size;
		for (; seconds > 0; seconds--) {
			now_ns += 1000000000u;
			stp_tick(s, now_ns);
			check(s);
		}
		ASSERT(stp_receive(s, port, data, len, now_ns) != -ENOENT);
		check(s);
		data += len;
		size -= len;
	}
	stp_destroy(s);
	return 0;
}
