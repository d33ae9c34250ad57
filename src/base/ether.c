/* SPDX-License-Identifier: BSD-2-Clause */
/* Ethernet addresses as text, and the well-known ones. See ether.h. */
#include "base/ether.h"

#include <errno.h>
#include <stdio.h>

const uint8_t eth_broadcast[ETH_ADDR_LEN] = { 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff };
const uint8_t eth_zero[ETH_ADDR_LEN] = { 0 };
const uint8_t eth_stp_group[ETH_ADDR_LEN] = { 0x01, 0x80, 0xc2, 0, 0, 0 };

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
ether_parse(const char *s, uint8_t mac[ETH_ADDR_LEN])
{
	uint8_t m[ETH_ADDR_LEN];

	for (int i = 0; i < ETH_ADDR_LEN; i++) {
		int hi, lo;

		if (i > 0 && *s++ != ':')
			return -EINVAL;
		lo = hex_digit(*s);
		if (lo < 0)
			return -EINVAL;
		s++;
		m[i] = (uint8_t)lo;
		hi = lo;
		lo = hex_digit(*s);
		if (lo >= 0) {
			s++;
			m[i] = (uint8_t)(hi << 4 | lo);
		}
	}
	if (*s != '\0')
		return -EINVAL;
	ether_copy(mac, m);
	return 0;
}

char *
ether_format(const uint8_t mac[ETH_ADDR_LEN], char s[ETH_ADDR_STRLEN])
{
	snprintf(s, ETH_ADDR_STRLEN, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0],
	    mac[1], mac[2], mac[3], mac[4], mac[5]);
	return s;
}
