/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Capture files; see pcapfile.h.
 */
#include "control/pcapfile.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/util.h"

#define PCAP_HEAD   24u
#define PCAP_RECORD 16u
#define LINK_TYPE   1u /* Ethernet */

#define NG_SECTION     0x0a0d0d0au
#define NG_MAGIC       0x1a2b3c4du
#define NG_IFACE       1u
#define NG_SIMPLE      3u
#define NG_PACKET      6u
#define NG_BLOCK_MIN   12u
#define NG_BLOCK_FRAME 8u /* type and length, before the body */

static uint16_t
get16(const struct pcapfile *p, const uint8_t *at)
{
	return p->little ? le16_get(at) : be16_get(at);
}

static uint32_t
get32(const struct pcapfile *p, const uint8_t *at)
{
	return p->little ? le32_get(at) : be32_get(at);
}

/* Microseconds and nanoseconds; true if @magic is one of the two. */
static bool
is_pcap(uint32_t magic)
{
	return magic == 0xa1b2c3d4 || magic == 0xa1b23c4d;
}

int
pcapfile_open(struct pcapfile *p, const void *data, size_t len, uint32_t *type)
{
	*p = (struct pcapfile){ .data = data, .len = len };
	if (len < NG_BLOCK_MIN)
		return -EINVAL;
	if (be32_get(p->data) == NG_SECTION) {
		p->ng = true;
		return 0;
	}
	p->little = is_pcap(le32_get(p->data));
	if (len < PCAP_HEAD || (!p->little && !is_pcap(be32_get(p->data))))
		return -EINVAL;
	*type = get32(p, p->data + 20) & 0x0fffffff; /* above: the FCS */
	p->at = PCAP_HEAD;
	return *type == LINK_TYPE ? 0 : -EPROTONOSUPPORT;
}

static int
pcap_next(
    struct pcapfile *p, const uint8_t **frame, uint32_t *len, uint32_t *whole)
{
	const uint8_t *head = p->data + p->at;
	uint32_t n;

	if (p->at == p->len)
		return 0;
	if (p->len - p->at < PCAP_RECORD)
		return -EBADMSG;
	n = get32(p, head + 8);
	if (n > p->len - p->at - PCAP_RECORD)
		return -EBADMSG;
	*frame = head + PCAP_RECORD;
	*len = n;
	*whole = get32(p, head + 12);
	p->at += PCAP_RECORD + n;
	return 1;
}

/* A new section: its byte order. */
static int
ng_section(struct pcapfile *p)
{
	const uint8_t *head = p->data + p->at;

	if (p->len - p->at < NG_BLOCK_MIN)
		return -EBADMSG;
	p->little = le32_get(head + 8) == NG_MAGIC;
	if (!p->little && be32_get(head + 8) != NG_MAGIC)
		return -EBADMSG;
	p->iface_count = 0;
	p->snaplen = 0;
	return 0;
}

static void
ng_iface(struct pcapfile *p, const uint8_t *body, uint32_t size)
{
	if (size < 8)
		return;
	if (p->iface_count == 0)
		p->snaplen = get32(p, body + 4);
	if (p->iface_count < PCAPFILE_IFACES_MAX)
		p->ethernet[p->iface_count] = get16(p, body) == LINK_TYPE;
	p->iface_count++;
}

static bool
is_ethernet(const struct pcapfile *p, uint32_t iface)
{
	return iface < COAX_MIN(p->iface_count, PCAPFILE_IFACES_MAX) &&
	       p->ethernet[iface];
}

/* The frame of a packet's block. 1, 0: none that is wanted, -EBADMSG. */
static int
ng_packet(struct pcapfile *p, uint32_t type, const uint8_t *body, uint32_t size,
    const uint8_t **frame, uint32_t *len, uint32_t *whole)
{
	uint32_t head = type == NG_PACKET ? 20 : 4, iface = 0;

	if (size < head)
		return -EBADMSG;
	if (type == NG_PACKET) {
		iface = get32(p, body);
		*len = get32(p, body + 12);
		*whole = get32(p, body + 16);
		if (*len > size - head)
			return -EBADMSG;
	} else {
		*whole = get32(p, body);
		*len = COAX_MIN(*whole, size - head);
		if (p->snaplen != 0)
			*len = COAX_MIN(*len, p->snaplen);
	}
	*frame = body + head;
	if (is_ethernet(p, iface))
		return 1;
	p->others++;
	return 0;
}

static int
ng_next(
    struct pcapfile *p, const uint8_t **frame, uint32_t *len, uint32_t *whole)
{
	while (p->at < p->len) {
		const uint8_t *block = p->data + p->at;
		const uint8_t *body = block + NG_BLOCK_FRAME;
		uint32_t type, size;
		int err = 0;

		if (p->len - p->at < NG_BLOCK_MIN)
			return -EBADMSG;
		/* Its type reads the same in both orders. */
		if (be32_get(block) == NG_SECTION && ng_section(p) < 0)
			return -EBADMSG;
		type = get32(p, block);
		size = get32(p, block + 4);
		if (size % 4 != 0 || size < NG_BLOCK_MIN ||
		    size > p->len - p->at)
			return -EBADMSG;
		p->at += size;
		if (type == NG_IFACE)
			ng_iface(p, body, size - NG_BLOCK_MIN);
		else if (type == NG_PACKET || type == NG_SIMPLE)
			err = ng_packet(p, type, body, size - NG_BLOCK_MIN,
			    frame, len, whole);
		if (err != 0)
			return err;
	}
	return 0;
}

int
pcapfile_next(
    struct pcapfile *p, const uint8_t **frame, uint32_t *len, uint32_t *whole)
{
	return p->ng ? ng_next(p, frame, len, whole)
	             : pcap_next(p, frame, len, whole);
}
