/* SPDX-License-Identifier: BSD-2-Clause */
/* base/ether.h: addresses as text and numbers; beside the system headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/if_ether.h>
#include <net/ethernet.h>

#include "base/ether.h"

static void
test_parse_takes_bsd_forms(void **state)
{
	static const struct {
		const char *text;
		uint8_t mac[ETH_ADDR_LEN];
	} good[] = {
		{ "f2:0b:a4:01:02:03", { 0xf2, 0x0b, 0xa4, 1, 2, 3 } },
		{ "2:b:a4:1:2:3", { 0x02, 0x0b, 0xa4, 1, 2, 3 } },
		{ "0:0:0:0:0:0", { 0 } },
		{ "FF:fF:Ff:ff:0A:a", { 0xff, 0xff, 0xff, 0xff, 10, 10 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		uint8_t mac[ETH_ADDR_LEN] = { 0xee };

		assert_int_equal(ether_parse(good[i].text, mac), 0);
		assert_memory_equal(mac, good[i].mac, ETH_ADDR_LEN);
	}
}

static void
test_parse_refuses_the_rest(void **state)
{
	static const char *const bad[] = { "", "1", "1:2:3:4:5",
		"1:2:3:4:5:", "1:2:3:4:5:6:", "1:2:3:4:5:6:7", ":1:2:3:4:5:6",
		"1::3:4:5:6", "001:2:3:4:5:6", "1:2:3:4:5:006", "1:2:3:4:5:g",
		"1-2-3-4-5-6", " 1:2:3:4:5:6", "1:2:3:4:5:6 ", "0x1:2:3:4:5:6",
		"f20ba4010203", "1:2:3:4:5:-6" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t mac[ETH_ADDR_LEN] = { 1, 2, 3, 4, 5, 6 };

		assert_int_equal(ether_parse(bad[i], mac), -EINVAL);
		assert_memory_equal(mac, "\1\2\3\4\5\6", ETH_ADDR_LEN);
	}
}

static void
test_format_has_two_digits_each(void **state)
{
	static const uint8_t mac[] = { 0xf2, 0x0b, 0xa4, 0, 1, 0xff };
	char s[ETH_ADDR_STRLEN];

	(void)state;
	assert_ptr_equal(ether_format(mac, s), s);
	assert_string_equal(s, "f2:0b:a4:00:01:ff");
}

static void
test_kinds_of_address(void **state)
{
	static const uint8_t uni[] = { 0x00, 0x16, 0x3e, 1, 2, 3 };
	static const uint8_t local[] = { 0xf2, 0x0b, 0xa4, 1, 2, 3 };
	static const uint8_t multi[] = { 0x01, 0x00, 0x5e, 1, 2, 3 };
	static const uint8_t near[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe };

	(void)state;
	assert_false(ether_is_multicast(uni));
	assert_false(ether_is_multicast(local));
	assert_true(ether_is_multicast(multi));
	assert_true(ether_is_multicast(eth_broadcast));
	assert_true(ether_is_broadcast(eth_broadcast));
	assert_false(ether_is_broadcast(near));
	assert_true(ether_is_zero(eth_zero));
	assert_false(ether_is_zero(uni));
	assert_true(ether_is_local(local));
	assert_false(ether_is_local(uni));
	assert_true(ether_equal(uni, uni));
	assert_false(ether_equal(uni, local));
}

/* 802.1D-2004 table 7-10: ..00 to ..0f, and no others. */
static void
test_reserved_addresses_are_sixteen(void **state)
{
	uint8_t mac[] = { 0x01, 0x80, 0xc2, 0, 0, 0 };

	(void)state;
	for (unsigned int i = 0; i < 256; i++) {
		mac[5] = (uint8_t)i;
		assert_int_equal(ether_is_reserved(mac), i < 16);
	}
	mac[5] = 0;
	mac[4] = 1;
	assert_false(ether_is_reserved(mac));
	mac[4] = 0;
	mac[0] = 0;
	assert_false(ether_is_reserved(mac));
	assert_true(ether_is_reserved(eth_stp_group));
}

static void
test_number_and_address_convert_both_ways(void **state)
{
	static const uint8_t mac[] = { 0xf2, 0x0b, 0xa4, 1, 2, 3 };
	uint8_t back[ETH_ADDR_LEN];

	(void)state;
	assert_true(mac_to_u64(mac) == 0xf20ba4010203u);
	u64_to_mac(0xf20ba4010203u, back);
	assert_memory_equal(back, mac, ETH_ADDR_LEN);
	u64_to_mac(0xfffff20ba4010203u, back); /* bits above are ignored */
	assert_memory_equal(back, mac, ETH_ADDR_LEN);
	ether_copy(back, eth_broadcast);
	assert_true(mac_to_u64(back) == 0xffffffffffffu);
}

/* Our numbers are the system's. */
static void
test_constants_agree_with_the_system(void **state)
{
	(void)state;
	assert_int_equal(ETH_ADDR_LEN, ETH_ALEN);
	assert_int_equal(ETH_HDR_LEN, ETHER_HDR_LEN);
	assert_int_equal(ETH_LEN_MIN, ETH_ZLEN);
	assert_int_equal(ETH_MTU_DEFAULT, ETHERMTU);
	assert_int_equal(ETH_TYPE_IPV4, ETH_P_IP);
	assert_int_equal(ETH_TYPE_ARP, ETH_P_ARP);
	assert_int_equal(ETH_TYPE_TEB, ETH_P_TEB);
	assert_int_equal(ETH_TYPE_RARP, ETH_P_RARP);
	assert_int_equal(ETH_TYPE_VLAN, ETH_P_8021Q);
	assert_int_equal(ETH_TYPE_IPV6, ETH_P_IPV6);
	assert_int_equal(ETH_TYPE_PAUSE, ETH_P_PAUSE);
	assert_int_equal(ETH_TYPE_SLOW, ETH_P_SLOW);
	assert_int_equal(ETH_TYPE_MPLS, ETH_P_MPLS_UC);
	assert_int_equal(ETH_TYPE_EAPOL, ETH_P_PAE);
	assert_int_equal(ETH_TYPE_QINQ, ETH_P_8021AD);
	assert_int_equal(ETH_TYPE_LLDP, ETH_P_LLDP);
	assert_int_equal(ETH_TYPE_MIN, ETH_P_802_3_MIN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_takes_bsd_forms),
		cmocka_unit_test(test_parse_refuses_the_rest),
		cmocka_unit_test(test_format_has_two_digits_each),
		cmocka_unit_test(test_kinds_of_address),
		cmocka_unit_test(test_reserved_addresses_are_sixteen),
		cmocka_unit_test(test_number_and_address_convert_both_ways),
		cmocka_unit_test(test_constants_agree_with_the_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
