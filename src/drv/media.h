/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which netdevs carry Ethernet, so that a bridge can have them: by their link
 * type, their kind and, of wireless ones, the mode.
 */
#pragma once

#include <stdint.h>

/* Modes of wireless cards, with the numbers of <linux/wireless.h>. */
enum media_wlan {
	MEDIA_WLAN_NONE = -1, /* no wireless card */
	MEDIA_WLAN_AUTO = 0,
	MEDIA_WLAN_ADHOC = 1,
	MEDIA_WLAN_STATION = 2,
	MEDIA_WLAN_MASTER = 3,
	MEDIA_WLAN_REPEATER = 4,
	MEDIA_WLAN_SECOND = 5,
	MEDIA_WLAN_MONITOR = 6,
	MEDIA_WLAN_MESH = 7,
};

/**
 * media_refusal() - why a netdev cannot be bridged
 * @type: ARPHRD_*
 * @kind: of the kernel's, as rtnl_link has it; "" for a card
 *
 * Return: a sentence (static), or NULL: it can.
 */
const char *media_refusal(
    uint16_t type, const char *kind, enum media_wlan wlan);
