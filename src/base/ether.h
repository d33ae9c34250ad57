/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ethernet addresses and numbers. An address is a uint8_t[ETH_ADDR_LEN], in
 * wire order; as a number (mac_to_u64()) its first octet is the most
 * significant of 48 bits, so that numbers sort as addresses do.
 *
 * The names keep clear of <net/ethernet.h> (ETHER_*, ETHERTYPE_*) and of
 * <linux/if_ether.h> (ETH_ALEN, ETH_P_*): both can be included beside this.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ETH_ADDR_LEN    6  /* octets of an address */
#define ETH_HDR_LEN     14 /* destination, source, type */
#define ETH_VLAN_LEN    4  /* one 802.1Q tag */
#define ETH_CRC_LEN     4  /* frame check sequence; never in a coax frame */
#define ETH_LEN_MIN     60 /* shortest frame on a real wire, without its CRC */
#define ETH_MTU_DEFAULT 1500
#define ETH_MTU_LOWEST  68    /* RFC 791: what every link must carry */
#define ETH_MTU_HIGHEST 65535 /* largest payload of a frame */
#define ETH_TYPE_MIN    0x600 /* smaller is the length of an 802.3 frame */
#define ETH_ADDR_STRLEN 18    /* room for "xx:xx:xx:xx:xx:xx" and 0 */

/* Ethertypes. */
#define ETH_TYPE_IPV4  0x0800
#define ETH_TYPE_ARP   0x0806
#define ETH_TYPE_TEB   0x6558 /* transparent Ethernet bridging */
#define ETH_TYPE_RARP  0x8035
#define ETH_TYPE_VLAN  0x8100 /* 802.1Q customer tag */
#define ETH_TYPE_IPV6  0x86dd
#define ETH_TYPE_PAUSE 0x8808
#define ETH_TYPE_SLOW  0x8809 /* LACP and its kin */
#define ETH_TYPE_MPLS  0x8847
#define ETH_TYPE_EAPOL 0x888e
#define ETH_TYPE_QINQ  0x88a8 /* 802.1ad service tag */
#define ETH_TYPE_LLDP  0x88cc
#define ETH_TYPE_LOOP  0x9000

extern const uint8_t eth_broadcast[ETH_ADDR_LEN]; /* ff:ff:ff:ff:ff:ff */
extern const uint8_t eth_zero[ETH_ADDR_LEN];      /* 00:00:00:00:00:00 */
extern const uint8_t eth_stp_group[ETH_ADDR_LEN]; /* 01:80:c2:00:00:00 */

/**
 * ether_parse() - read an address as BSD's ether_aton(3) does
 * @s:   six groups of one or two hexadecimal digits, separated by colons
 *       ("2:b:a4:1:2:3"); borrowed
 * @mac: result; written only on success
 *
 * Return: 0 or -EINVAL (anything else, so also five or seven groups).
 */
int ether_parse(const char *s, uint8_t mac[ETH_ADDR_LEN]);

/* Writes "xx:xx:xx:xx:xx:xx" in lower case to @s and returns @s. */
char *ether_format(const uint8_t mac[ETH_ADDR_LEN], char s[ETH_ADDR_STRLEN]);

static inline void
ether_copy(uint8_t dst[ETH_ADDR_LEN], const uint8_t src[ETH_ADDR_LEN])
{
	memcpy(dst, src, ETH_ADDR_LEN);
}

static inline bool
ether_equal(const uint8_t a[ETH_ADDR_LEN], const uint8_t b[ETH_ADDR_LEN])
{
	return memcmp(a, b, ETH_ADDR_LEN) == 0;
}

/* Group addresses; the broadcast address is one of them. */
static inline bool
ether_is_multicast(const uint8_t mac[ETH_ADDR_LEN])
{
	return (mac[0] & 1) != 0;
}

static inline bool
ether_is_broadcast(const uint8_t mac[ETH_ADDR_LEN])
{
	return ether_equal(mac, eth_broadcast);
}

static inline bool
ether_is_zero(const uint8_t mac[ETH_ADDR_LEN])
{
	return ether_equal(mac, eth_zero);
}

/* Made by an administrator or a program rather than by a card's maker. */
static inline bool
ether_is_local(const uint8_t mac[ETH_ADDR_LEN])
{
	return (mac[0] & 2) != 0;
}

/*
 * 01:80:c2:00:00:00 to 01:80:c2:00:00:0f, which a bridge never forwards
 * (802.1D-2004 table 7-10).
 */
static inline bool
ether_is_reserved(const uint8_t mac[ETH_ADDR_LEN])
{
	return memcmp(mac, eth_stp_group, ETH_ADDR_LEN - 1) == 0 &&
	       (mac[ETH_ADDR_LEN - 1] & 0xf0) == 0;
}

/* The address as a number of 48 bits, first octet first. */
static inline uint64_t
mac_to_u64(const uint8_t mac[ETH_ADDR_LEN])
{
	return (uint64_t)mac[0] << 40 | (uint64_t)mac[1] << 32 |
	       (uint64_t)mac[2] << 24 | (uint64_t)mac[3] << 16 |
	       (uint64_t)mac[4] << 8 | (uint64_t)mac[5];
}

/* The address of a number; bits above the 48th are ignored. */
static inline void
u64_to_mac(uint64_t v, uint8_t mac[ETH_ADDR_LEN])
{
	for (int i = 0; i < ETH_ADDR_LEN; i++)
		mac[i] = (uint8_t)(v >> (40 - 8 * i));
}
