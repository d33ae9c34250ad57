/* SPDX-License-Identifier: BSD-2-Clause */
/* What can be bridged, and what cannot, by name. */
#include <linux/if_arp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "drv/media.h"

static void
test_ethernet_can(void **state)
{
	static const char *const kinds[] = { "", "veth", "vlan", "macvlan",
		"tun", "dummy", "bridge", "bond", "vxlan", "gretap" };

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		assert_null(
		    media_refusal(ARPHRD_ETHER, kinds[i], MEDIA_WLAN_NONE));
	assert_null(media_refusal(ARPHRD_ETHER, "", MEDIA_WLAN_ADHOC));
	assert_null(media_refusal(ARPHRD_ETHER, "", MEDIA_WLAN_MASTER));
	assert_null(media_refusal(ARPHRD_ETHER, "", MEDIA_WLAN_MESH));
	assert_null(media_refusal(ARPHRD_ETHER, "", MEDIA_WLAN_REPEATER));
}

static void
refused(uint16_t type, const char *kind, enum media_wlan wlan, const char *word)
{
	const char *why = media_refusal(type, kind, wlan);

	assert_non_null(why);
	if (strstr(why, word) == NULL)
		fail_msg("\"%s\" without \"%s\"", why, word);
}

static void
test_other_media_cannot(void **state)
{
	(void)state;
	refused(ARPHRD_LOOPBACK, "", MEDIA_WLAN_NONE, "loopback");
	refused(ARPHRD_NONE, "tun", MEDIA_WLAN_NONE, "without Ethernet");
	refused(ARPHRD_NONE, "wireguard", MEDIA_WLAN_NONE, "without Ethernet");
	refused(ARPHRD_INFINIBAND, "ipoib", MEDIA_WLAN_NONE, "InfiniBand");
	refused(ARPHRD_IEEE802_TR, "", MEDIA_WLAN_NONE, "Token Ring");
	refused(ARPHRD_FDDI, "", MEDIA_WLAN_NONE, "FDDI");
	refused(ARPHRD_PPP, "ppp", MEDIA_WLAN_NONE, "PPP");
	refused(ARPHRD_SIT, "sit", MEDIA_WLAN_NONE, "IPv6 packets");
	refused(ARPHRD_TUNNEL, "ipip", MEDIA_WLAN_NONE, "IPv4 packets");
	refused(ARPHRD_IPGRE, "gre", MEDIA_WLAN_NONE, "gretap");
	refused(ARPHRD_CAN, "can", MEDIA_WLAN_NONE, "CAN");
	refused(ARPHRD_IEEE80211_RADIOTAP, "", MEDIA_WLAN_MONITOR, "monitor");
	refused(60000, "", MEDIA_WLAN_NONE, "not Ethernet");
}

static void
test_wireless_by_mode(void **state)
{
	(void)state;
	refused(ARPHRD_ETHER, "", MEDIA_WLAN_STATION, "station mode");
	refused(ARPHRD_ETHER, "", MEDIA_WLAN_AUTO, "station");
	refused(ARPHRD_ETHER, "", MEDIA_WLAN_SECOND, "listens");
	refused(ARPHRD_ETHER, "", MEDIA_WLAN_MONITOR, "listens");
	refused(ARPHRD_ETHER, "ipvlan", MEDIA_WLAN_NONE, "own address");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ethernet_can),
		cmocka_unit_test(test_other_media_cannot),
		cmocka_unit_test(test_wireless_by_mode),
	};

	return cmocka_run_group_tests_name("drv_media", tests, NULL, NULL);
}
