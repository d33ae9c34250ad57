/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * EtherIP: Ethernet frames as the payload of IP protocol 97 (RFC 3378).
 *
 *     0       4                              16
 *     +-------+------------------------------+-------------------
 *     |   3   |  reserved, 0                 |  Ethernet frame, no FCS
 *     +-------+------------------------------+-------------------
 *
 * so every packet begins with 30 00.  FreeBSD up to 7.2 took the version for
 * the low half of the first byte and sent 03 00: the reversed form, which is
 * taken in where that is wanted.  As in FreeBSD's gif(4), reserved bits are not
 * looked at.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/drop.h"

#define ETHERIP_PROTO   97
#define ETHERIP_HDR_LEN 2
#define ETHERIP_VERSION 3

/* An outer address pair, IPv4 in the first four bytes. */
struct etherip_pair {
	uint8_t family; /* 4 or 6 */
	uint8_t src[16], dst[16];
};

/* What etherip_decap() is to take. */
struct etherip_rules {
	uint8_t family;       /* 4: an IPv4 header comes first; 6: none does */
	bool accept_reversed; /* 03 00 */
	const uint8_t *src;   /* IPv4: only from there; NULL: from anywhere */
};

/**
 * etherip_decap() - find the frame in what a raw socket has brought
 * @data: @len bytes; IPv4: with the IP header, as raw sockets have it
 * @why:  set on error
 *
 * Return: the offset of the frame, which has a whole Ethernet header, or
 * -EBADMSG.
 */
int etherip_decap(const uint8_t *data, size_t len,
    const struct etherip_rules *rules, enum drop_reason *why);

/** etherip_header() - the two bytes before a frame */
static inline void
etherip_header(uint8_t hdr[ETHERIP_HDR_LEN], bool reversed)
{
	hdr[0] = reversed ? ETHERIP_VERSION : ETHERIP_VERSION << 4;
	hdr[1] = 0;
}

/** etherip_perhaps() - is an Ethernet frame worth a look by etherip_next()?
 * A few instructions for every frame that a tunnel sends. */
bool etherip_perhaps(const uint8_t *frame, size_t len);

/**
 * etherip_next() - the tunnel packet that an Ethernet frame holds
 * @frame: @len bytes, perhaps with VLAN tags; a first fragment, too
 * @out:   whose it is
 *
 * Return: the offset of the inner frame; 0: the frame holds a tunnel's packet
 * (@out is set), but no whole inner frame; -ENOENT: it holds none.
 */
int etherip_next(const uint8_t *frame, size_t len, struct etherip_pair *out);
