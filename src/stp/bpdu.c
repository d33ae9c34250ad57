/* SPDX-License-Identifier: BSD-2-Clause */
/* BPDUs: IEEE 802.1D-2004 clause 9.3; one line a field, in wire order. */
#include <errno.h>

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
wr_time(struct wr *w, uint16_t seconds)
{
	wr_be16(w, (uint16_t)(seconds * TIME_UNITS_S));
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
	uint16_t protocol, age, max_age, hello, fwd_delay;
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
	if (b.times.message_age >= b.times.max_age ||
	    out_of(max_age, STP_MAX_AGE_MIN, STP_MAX_AGE_MAX))
		return -ERANGE;
	if (out_of(hello, STP_HELLO_MIN, STP_HELLO_RX_MAX) ||
	    out_of(fwd_delay, STP_FWD_DELAY_MIN, STP_FWD_DELAY_MAX))
		return -ERANGE;
	if (b.type == STP_BPDU_CONFIG)
		b.flags &= STP_FLAG_TC | STP_FLAG_TCA;
	*out = b;
	return 0;
}

size_t
stp_bpdu_encode(const struct stp_bpdu *b, uint8_t out[STP_BPDU_LEN_MAX])
{
	struct wr w = wr_init(out, STP_BPDU_LEN_MAX);

	wr_be16(&w, 0);
	wr_u8(&w, b->type == STP_BPDU_RST ? 2 : 0);
	wr_u8(&w, (uint8_t)b->type);
	if (b->type == STP_BPDU_TCN)
		return wr_len(&w);
	if (b->type == STP_BPDU_RST)
		wr_u8(&w, b->flags & 0x7f);
	else
		wr_u8(&w, b->flags & (STP_FLAG_TC | STP_FLAG_TCA));
	wr_be64(&w, b->root_id);
	wr_be32(&w, b->root_path_cost);
	wr_be64(&w, b->bridge_id);
	wr_be16(&w, b->port_id);
	wr_time(&w, b->times.message_age);
	wr_time(&w, b->times.max_age);
	wr_time(&w, b->times.hello);
	wr_time(&w, b->times.fwd_delay);
	if (b->type == STP_BPDU_RST)
		wr_u8(&w, 0);
	return wr_len(&w);
}

size_t
stp_frame_encode(const uint8_t src[6], const uint8_t *bpdu, size_t len,
    uint8_t out[STP_FRAME_LEN_MAX])
{
	struct wr w = wr_init(out, STP_FRAME_LEN_MAX);

	wr_bytes(&w, eth_stp_group, ETH_ADDR_LEN);
	wr_bytes(&w, src, ETH_ADDR_LEN);
	wr_be16(&w, (uint16_t)(STP_LLC_LEN + len));
	wr_u8(&w, STP_LLC_SAP);
	wr_u8(&w, STP_LLC_SAP);
	wr_u8(&w, STP_LLC_UI);
	wr_bytes(&w, bpdu, len);
	return wr_len(&w);
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
