/* SPDX-License-Identifier: BSD-2-Clause */
/* Which netdevs carry Ethernet. See media.h. */
#include "drv/media.h"

#include <linux/if_arp.h>
#include <stddef.h>
#include <string.h>

#include "base/util.h"

static const struct {
	uint16_t type;
	const char *why;
} types[] = {
	{ ARPHRD_LOOPBACK, "a loopback has no wire" },
	{ ARPHRD_NONE, "it carries IP packets without Ethernet headers" },
	{ ARPHRD_RAWIP, "it carries IP packets without Ethernet headers" },
	{ ARPHRD_PPP, "PPP has no Ethernet addresses" },
	{ ARPHRD_SLIP, "SLIP has no Ethernet addresses" },
	{ ARPHRD_TUNNEL, "it carries IPv4 packets without Ethernet headers" },
	{ ARPHRD_TUNNEL6, "it carries IPv6 packets without Ethernet headers" },
	{ ARPHRD_SIT, "it carries IPv6 packets without Ethernet headers" },
	{ ARPHRD_IPGRE,
	    "it carries packets without Ethernet headers; gretap has them" },
	{ ARPHRD_IP6GRE,
	    "it carries packets without Ethernet headers; ip6gretap has "
	    "them" },
	{ ARPHRD_INFINIBAND,
	    "InfiniBand has addresses of 20 bytes and no source in a frame" },
	{ ARPHRD_IEEE802_TR, "Token Ring has another framing than Ethernet" },
	{ ARPHRD_FDDI, "FDDI has another framing than Ethernet" },
	{ ARPHRD_ARCNET, "ARCnet has another framing than Ethernet" },
	{ ARPHRD_IEEE1394, "FireWire has another framing than Ethernet" },
	{ ARPHRD_IEEE802154, "IEEE 802.15.4 has another framing than "
	                     "Ethernet" },
	{ ARPHRD_6LOWPAN, "6LoWPAN has another framing than Ethernet" },
	{ ARPHRD_CAN, "CAN has another framing than Ethernet" },
	{ ARPHRD_IEEE80211, "it brings frames of 802.11 as they are in the "
	                    "air (monitor mode)" },
	{ ARPHRD_IEEE80211_PRISM, "it brings frames of 802.11 as they are in "
	                          "the air (monitor mode)" },
	{ ARPHRD_IEEE80211_RADIOTAP, "it brings frames of 802.11 as they are "
	                             "in the air (monitor mode)" },
	{ ARPHRD_NETLINK, "it shows netlink's messages" },
	{ ARPHRD_VSOCKMON, "it shows packets of vsock" },
};

static const struct {
	enum media_wlan mode;
	const char *why;
} modes[] = {
	{ MEDIA_WLAN_STATION,
	    "in station mode an access point takes frames from the card's own "
	    "address only" },
	{ MEDIA_WLAN_AUTO,
	    "a wireless card whose mode is not set is a station" },
	{ MEDIA_WLAN_SECOND, "a secondary access point only listens" },
	{ MEDIA_WLAN_MONITOR, "in monitor mode it only listens" },
};

static const struct {
	const char *kind, *why;
} kinds[] = {
	{ "ipvlan", "ipvlan gives out frames of its own address only" },
	{ "ipvtap", "ipvtap gives out frames of its own address only" },
};

const char *
media_refusal(uint16_t type, const char *kind, enum media_wlan wlan)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (types[i].type == type)
			return types[i].why;
	}
	if (type != ARPHRD_ETHER)
		return "its link type is not Ethernet";
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcmp(kinds[i].kind, kind) == 0)
			return kinds[i].why;
	}
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		if (modes[i].mode == wlan)
			return modes[i].why;
	}
	return NULL;
}
