/* SPDX-License-Identifier: BSD-2-Clause */
/* BPDUs: IEEE 802.1D-2004 clause 9.3; one line a field, in wire order. */
#include <errno.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/ether.h"
#include "stp/bpdu.h"

#define STP_LLC_SAP  0x42
#define STP_LLC_UI   0x03
#define TIME_UNITS_S 256u

static uint16_t
rd_time(struct rd *r, uint16_t *raw)
{
	*raw = rd_be16(r);
	return (uint16_t)((*raw + TIME_UNITS_S / 2) / TIME_UNITS_S);
}

static void
put_time(uint8_t *p, uint16_t seconds)
{
	be16_put(p, (uint16_t)(seconds * TIME_UNITS_S));
}

static bool
out_of(uint16_t raw, unsigned int min_s, unsigned int max_s)
{
	return raw < min_s * TIME_UNITS_S || raw > max_s * TIME_UNITS_S;
}

int
stp_bpdu_decode(const void *data, size_t len, struct stp_bpdu *out)
{
	struct rd r = rd_init(data, len);
	struct stp_bpdu b = { 0 };
	uint16_t protocol, max_age, hello, fwd_delay, age;
	uint8_t type;

	protocol = rd_be16(&r);
	b.version = rd_u8(&r);
	type = rd_u8(&r);
	if (!rd_ok(&r))
		return -EBADMSG;
	if (protocol != 0)
		return -EPROTONOSUPPORT;
	switch (type) {
	case STP_BPDU_TCN:
		b.type = STP_BPDU_TCN;
		*out = b;
		return 0;
	case STP_BPDU_CONFIG:
		b.type = STP_BPDU_CONFIG;
		break;
	case STP_BPDU_RST:
		if (b.version < 2)
			return -EPROTONOSUPPORT;
		b.type = STP_BPDU_RST;
		break;
	default:
		return -EPROTONOSUPPORT;
	}
	b.flags = rd_u8(&r);
	b.root_id = rd_be64(&r);
	b.root_path_cost = rd_be32(&r);
	b.bridge_id = rd_be64(&r);
	b.port_id = rd_be16(&r);
	b.times.message_age = rd_time(&r, &age);
	b.times.max_age = rd_time(&r, &max_age);
	b.times.hello = rd_time(&r, &hello);
	b.times.fwd_delay = rd_time(&r, &fwd_delay);
	if (b.type == STP_BPDU_RST)
		rd_skip(&r, 1); /* version 1 length */
	if (!rd_ok(&r))
		return -EBADMSG;
	if (out_of(max_age, STP_MAX_AGE_MIN, STP_MAX_AGE_MAX) ||
	    out_of(hello, STP_HELLO_MIN, STP_HELLO_RX_MAX) ||
	    out_of(fwd_delay, STP_FWD_DELAY_MIN, STP_FWD_DELAY_MAX))
		return -ERANGE;
	if (b.type == STP_BPDU_CONFIG)
		b.flags &= STP_FLAG_TC | STP_FLAG_TCA;
	*out = b;
	return 0;
}

/* At fixed places: all lengths are known. */
size_t
stp_bpdu_encode(const struct stp_bpdu *b, uint8_t out[STP_BPDU_LEN_MAX])
{
	be16_put(out, 0);
	out[2] = b->type == STP_BPDU_RST ? 2 : 0;
	out[3] = (uint8_t)b->type;
	if (b->type == STP_BPDU_TCN)
		return STP_BPDU_TCN_LEN;
	out[4] = b->flags & (STP_FLAG_TC | STP_FLAG_TCA);
	if (b->type == STP_BPDU_RST)
		out[4] = b->flags & (uint8_t)~STP_FLAG_TCA;
	be64_put(out + 5, b->root_id);
	be32_put(out + 13, b->root_path_cost);
	be64_put(out + 17, b->bridge_id);
	be16_put(out + 25, b->port_id);
	put_time(out + 27, b->times.message_age);
	put_time(out + 29, b->times.max_age);
	put_time(out + 31, b->times.hello);
	put_time(out + 33, b->times.fwd_delay);
	if (b->type == STP_BPDU_CONFIG)
		return STP_BPDU_CONFIG_LEN;
	out[35] = 0; /* version 1 length */
	return STP_BPDU_RST_LEN;
}

size_t
stp_frame_encode(const uint8_t src[6], const uint8_t *bpdu, size_t len,
    uint8_t out[STP_FRAME_LEN_MAX])
{
	ASSERT(len <= STP_BPDU_LEN_MAX);
	ether_copy(out, eth_stp_group);
	ether_copy(out + 6, src);
	be16_put(out + 12, (uint16_t)(STP_LLC_LEN + len));
	out[14] = out[15] = STP_LLC_SAP;
	out[16] = STP_LLC_UI;
	memcpy(out + 17, bpdu, len);
	return 17 + len;
}

int
stp_frame_decode(
    const void *frame, size_t len, const uint8_t **bpdu, size_t *bpdu_len)
{
	struct rd r = rd_init(frame, len);
	uint16_t length;

	rd_skip(&r, 2 * ETH_ADDR_LEN);
	length = rd_be16(&r);
	if (!rd_ok(&r) || length < STP_LLC_LEN || length > rd_left(&r))
		return -EBADMSG;
	if (rd_u8(&r) != STP_LLC_SAP || rd_u8(&r) != STP_LLC_SAP ||
	    rd_u8(&r) != STP_LLC_UI)
		return -EPROTONOSUPPORT;
	*bpdu_len = length - STP_LLC_LEN;
	*bpdu = rd_bytes(&r, *bpdu_len);
	return 0;
}
