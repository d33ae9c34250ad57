/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcapng blocks: written for captures, read back for their text.
 */
#include "capture/pcapng.h"

#include <errno.h>
#include <string.h>

#include "base/assert.h"
#include "base/ether.h"
#include "base/util.h"

#define BLOCK_SECTION    0x0a0d0d0au
#define BLOCK_INTERFACE  1u
#define BLOCK_STATISTICS 5u

#define BYTE_ORDER_MAGIC  0x1a2b3c4du
#define LINKTYPE_ETHERNET 1u
#define TIME_NS           9u /* if_tsresol: 10^-9 */

#define OPT_END      0u
#define OPT_COMMENT  1u
#define SHB_USERAPPL 4u
#define IF_NAME      2u
#define IF_DESCR     3u
#define IF_MACADDR   6u
#define IF_TSRESOL   9u
#define IF_FILTER    11u
#define EPB_FLAGS    2u
#define EPB_DROPS    4u
#define ISB_START    2u
#define ISB_END      3u
#define ISB_RECV     4u
#define ISB_DROP     5u
#define ISB_USER     8u

#define STRING_MAX 1024u /* of the interface's options */

static inline uint32_t
pad4(uint32_t len)
{
	return (len + 3) & ~3u;
}

/* The machine's byte order is the file's. */
static void
put16(struct wr *w, uint32_t v)
{
	uint16_t host = (uint16_t)v;

	wr_bytes(w, &host, sizeof(host));
}

static void
put32(struct wr *w, uint32_t v)
{
	wr_bytes(w, &v, sizeof(v));
}

static void
put_option(struct wr *w, uint32_t code, const void *value, size_t len)
{
	put16(w, code);
	put16(w, (uint32_t)len);
	wr_bytes(w, value, len);
	wr_zero(w, pad4((uint32_t)len) - len);
}

static void
put_string(struct wr *w, uint32_t code, const char *s)
{
	if (s != NULL && s[0] != '\0')
		put_option(w, code, s, strnlen(s, STRING_MAX));
}

/* A count, or a time in the resolution of the interface: two words, the higher
 * first for a time. */
static void
put_u64(struct wr *w, uint32_t code, uint64_t v)
{
	put_option(w, code, &v, sizeof(v));
}

static void
put_time(struct wr *w, uint32_t code, uint64_t ns)
{
	uint32_t words[2] = { (uint32_t)(ns >> 32), (uint32_t)ns };

	put_option(w, code, words, sizeof(words));
}

/* Where a block's length will be. */
static uint8_t *
block_begin(struct wr *w, uint32_t type)
{
	put32(w, type);
	return wr_reserve(w, 4);
}

static void
block_end(struct wr *w, uint8_t *at)
{
	uint8_t *end;
	uint32_t len;

	put16(w, OPT_END);
	put16(w, 0);
	end = wr_reserve(w, 4);
	if (at == NULL || end == NULL)
		return;
	len = (uint32_t)(end + 4 - (at - 4));
	memcpy(at, &len, sizeof(len));
	memcpy(end, &len, sizeof(len));
}

void
pcapng_begin(struct wr *w, const struct pcapng_interface *i)
{
	const uint8_t resolution = TIME_NS;
	uint8_t *at = block_begin(w, BLOCK_SECTION);

	put32(w, BYTE_ORDER_MAGIC);
	put16(w, 1); /* version 1.0 */
	put16(w, 0);
	put32(w, UINT32_MAX); /* the section's length is not known */
	put32(w, UINT32_MAX);
	put_string(w, SHB_USERAPPL, i->program);
	block_end(w, at);

	at = block_begin(w, BLOCK_INTERFACE);
	put16(w, LINKTYPE_ETHERNET);
	put16(w, 0);
	put32(w, i->snaplen);
	put_string(w, IF_NAME, i->name);
	put_string(w, IF_DESCR, i->description);
	if (i->mac != NULL)
		put_option(w, IF_MACADDR, i->mac, ETH_ADDR_LEN);
	put_option(w, IF_TSRESOL, &resolution, 1);
	if (i->filter != NULL && i->filter[0] != '\0') {
		size_t len = strnlen(i->filter, STRING_MAX);

		put16(w, IF_FILTER);
		put16(w, (uint32_t)len + 1);
		wr_u8(w, 0); /* a libpcap string */
		wr_bytes(w, i->filter, len);
		wr_zero(w, pad4((uint32_t)len + 1) - (len + 1));
	}
	block_end(w, at);
}

static uint32_t
comment_size(const char *s)
{
	if (s == NULL)
		return 0;
	return 4 + pad4((uint32_t)strnlen(s, PCAPNG_COMMENT_MAX));
}

uint32_t
pcapng_packet_size(const struct pcapng_packet *p)
{
	return PCAPNG_HEAD_SIZE + pad4(p->kept) + 8 + (p->lost != 0 ? 12u : 0) +
	       comment_size(p->comment[0]) + comment_size(p->comment[1]) + 8;
}

void
pcapng_packet_head(
    const struct pcapng_packet *p, uint8_t head[PCAPNG_HEAD_SIZE])
{
	const uint32_t words[] = {
		PCAPNG_PACKET,
		pcapng_packet_size(p),
		0, /* the interface */
		(uint32_t)(p->time_ns >> 32),
		(uint32_t)p->time_ns,
		p->kept,
		p->len,
	};
	_Static_assert(sizeof(words) == PCAPNG_HEAD_SIZE, "packet block");

	memcpy(head, words, sizeof(words));
}

size_t
pcapng_packet_tail(const struct pcapng_packet *p, uint8_t tail[PCAPNG_TAIL_MAX])
{
	struct wr w = wr_init(tail, PCAPNG_TAIL_MAX);
	uint32_t flags = (uint32_t)p->direction;

	wr_zero(&w, pad4(p->kept) - p->kept);
	put_option(&w, EPB_FLAGS, &flags, sizeof(flags));
	if (p->lost != 0)
		put_u64(&w, EPB_DROPS, p->lost);
	for (size_t i = 0; i < ARRAY_LEN(p->comment); i++) {
		if (p->comment[i] != NULL)
			put_option(&w, OPT_COMMENT, p->comment[i],
			    strnlen(p->comment[i], PCAPNG_COMMENT_MAX));
	}
	put16(&w, OPT_END);
	put16(&w, 0);
	put32(&w, pcapng_packet_size(p));
	ASSERT(wr_ok(&w));
	return wr_len(&w);
}

void
pcapng_end(struct wr *w, const struct pcapng_statistics *s)
{
	uint8_t *at = block_begin(w, BLOCK_STATISTICS);

	put32(w, 0); /* the interface */
	put32(w, (uint32_t)(s->end_ns >> 32));
	put32(w, (uint32_t)s->end_ns);
	put_time(w, ISB_START, s->begin_ns);
	put_time(w, ISB_END, s->end_ns);
	put_u64(w, ISB_RECV, s->received);
	put_u64(w, ISB_DROP, s->lost);
	put_u64(w, ISB_USER, s->received - s->lost);
	block_end(w, at);
}

/* --- reading ---------------------------------------------------------------
 */

static uint32_t
get32(struct rd *r)
{
	uint32_t v;

	rd_copy(r, &v, sizeof(v));
	return v;
}

static uint16_t
get16(struct rd *r)
{
	uint16_t v;

	rd_copy(r, &v, sizeof(v));
	return v;
}

uint32_t
pcapng_block(const uint8_t *data, uint32_t *len)
{
	struct rd r = rd_init(data, PCAPNG_BLOCK_MIN);
	uint32_t type = get32(&r);
	uint32_t n = get32(&r);

	if (n < PCAPNG_BLOCK_MIN || n % 4 != 0)
		return 0;
	*len = n;
	return type;
}

int
pcapng_read_packet(const uint8_t *data, uint32_t len, struct pcapng_packet *out,
    const uint8_t **at, char comment[2][PCAPNG_COMMENT_MAX + 1])
{
	struct rd r = rd_init(data, len);
	struct pcapng_packet p = { 0 };
	const uint8_t *bytes;
	uint32_t comments = 0, size_said;

	if (len < PCAPNG_BLOCK_MIN ||
	    pcapng_block(data, &size_said) != PCAPNG_PACKET || size_said != len)
		return -EBADMSG;
	rd_skip(&r, 12);
	p.time_ns = (uint64_t)get32(&r) << 32;
	p.time_ns |= get32(&r);
	p.kept = get32(&r);
	p.len = get32(&r);
	if (p.kept > PCAPNG_SNAPLEN_MAX)
		return -EBADMSG;
	bytes = rd_bytes(&r, p.kept);
	rd_skip(&r, pad4(p.kept) - p.kept);
	while (rd_left(&r) > 4) {
		uint32_t code = get16(&r);
		uint32_t size = get16(&r);
		const uint8_t *value = rd_bytes(&r, size);

		rd_skip(&r, pad4(size) - size);
		if (code == OPT_END || value == NULL)
			break;
		if (code == EPB_FLAGS && size == 4) {
			uint32_t flags;

			memcpy(&flags, value, sizeof(flags));
			p.direction = flags & 3;
		} else if (code == EPB_DROPS && size == 8) {
			memcpy(&p.lost, value, sizeof(p.lost));
		} else if (code == OPT_COMMENT && comments < 2) {
			size = COAX_MIN(size, PCAPNG_COMMENT_MAX);
			memcpy(comment[comments], value, size);
			comment[comments][size] = '\0';
			p.comment[comments] = comment[comments];
			comments++;
		}
	}
	rd_skip(&r, 4);
	if (!rd_ok(&r) || rd_left(&r) != 0 || p.direction > PCAPNG_OUT)
		return -EBADMSG;
	*out = p;
	*at = bytes;
	return 0;
}
