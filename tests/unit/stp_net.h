/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests of spanning tree: one bridge, BPDUs made by hand, effects. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "stp/stp.h"
#include "stp/stp_impl.h"

#define NET_S    1000000000ull
#define NET_SELF (0x8000ull << 48 | 0x020000000020ull)
#define NET_GOOD (0x8000ull << 48 | 0x020000000010ull) /* better than we */
#define NET_BAD  (0x8000ull << 48 | 0x020000000030ull) /* worse */

static uint64_t net_now __attribute__((unused));

static inline struct stp *
net_new(uint16_t ports)
{
	struct stp_options o = { .mac = { 2, 0, 0, 0, 0, 0x20 },
		.ports = ports };
	struct stp_port_options link = { .speed_bps = 1000000000 };
	struct stp *s;

	net_now = 0;
	assert_int_equal(stp_create(&o, net_now, &s), 0);
	for (uint16_t i = 1; i <= ports; i++) {
		assert_int_equal(stp_port_add(s, i, net_now), 0);
		assert_int_equal(stp_port_link(s, i, true, &link, net_now), 0);
	}
	return s;
}

static inline void
net_seconds(struct stp *s, unsigned int seconds)
{
	while (seconds-- > 0) {
		net_now += NET_S;
		stp_tick(s, net_now);
	}
}

static inline struct stp_bpdu
net_rst(uint64_t root, uint32_t cost, uint64_t bridge, uint16_t port,
    enum stp_bpdu_role role, uint8_t flags)
{
	return (struct stp_bpdu){
		.type = STP_BPDU_RST,
		.flags = (uint8_t)(role << 2 | flags),
		.root_id = root,
		.root_path_cost = cost,
		.bridge_id = bridge,
		.port_id = port,
		.times = { .max_age = 20, .hello = 2, .fwd_delay = 15 },
	};
}

static inline void
net_hear(struct stp *s, uint16_t port, const struct stp_bpdu *b)
{
	uint8_t data[STP_BPDU_LEN_MAX];
	size_t len = stp_bpdu_encode(b, data);

	assert_int_not_equal(stp_receive(s, port, data, len, net_now), -ENOENT);
}

/* The BPDU that the last event sent on @port, or type TCN if none. */
static inline bool
net_sent(const struct stp *s, uint16_t port, struct stp_bpdu *out)
{
	uint32_t count;
	const struct stp_effect *e = stp_effects(s, &count);

	for (uint32_t i = 0; i < count; i++) {
		if (e[i].type == STP_EFFECT_SEND && e[i].port == port)
			return stp_bpdu_decode(
			           e[i].bpdu.data, e[i].bpdu.len, out) == 0;
	}
	return false;
}

static inline bool
net_effect(const struct stp *s, enum stp_effect_type type, uint16_t port)
{
	uint32_t count;
	const struct stp_effect *e = stp_effects(s, &count);

	for (uint32_t i = 0; i < count; i++) {
		if (e[i].type == type && e[i].port == port)
			return true;
	}
	return false;
}

static inline bool
net_noted(const struct stp *s, enum stp_note note)
{
	uint32_t count;
	const struct stp_effect *e = stp_effects(s, &count);

	for (uint32_t i = 0; i < count; i++) {
		if (e[i].type == STP_EFFECT_NOTE && e[i].note == note)
			return true;
	}
	return false;
}

static inline struct stp_port_info
net_port(const struct stp *s, uint16_t port)
{
	struct stp_port_info info;

	assert_int_equal(stp_port_get(s, port, &info), 0);
	return info;
}
