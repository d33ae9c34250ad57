/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames in words: one for each thing that is known by name, and all of them
 * cut off anywhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "control/frametext.h"

#define MACS "ffffffffffff020000000001"
#define LINE "02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff "

#define IP4(proto, rest)         \
	"0800"                   \
	"4500" rest proto "0000" \
	"c0000201"               \
	"c0000202"
/* total length 0x28, identification, no fragment, TTL */
#define IP4_PLAIN(proto)  \
	IP4(proto, "0028" \
	           "0001" \
	           "0000" \
	           "40")
#define IP6(length, next)                  \
	"86dd"                             \
	"60000000" length next "40"        \
	"20010db8000000000000000000000001" \
	"20010db8000000000000000000000002"

static const struct {
	const char *hex, *text;
} frames[] = {
	{ MACS "88b5"
	       "00",
	    LINE "   15 0x88b5\n" },
	{ MACS "88cc"
	       "00",
	    LINE "   15 LLDP\n" },
	{ MACS "0806"
	       "0001080006040001"
	       "020000000001"
	       "c0000201"
	       "000000000000"
	       "c0000202",
	    LINE "   42 ARP\n    who has 192.0.2.2? tell 192.0.2.1\n" },
	{ MACS "0806"
	       "0001080006040002"
	       "020000000001"
	       "c0000201"
	       "020000000002"
	       "c0000202",
	    LINE "   42 ARP\n    192.0.2.1 is at 02:00:00:00:00:01\n" },
	{ MACS "8035"
	       "0001080006040003"
	       "020000000001"
	       "00000000"
	       "020000000002"
	       "00000000",
	    LINE "   42 RARP\n    who is 02:00:00:00:00:02?\n" },
	{ MACS "0806"
	       "0001080006040009"
	       "020000000001"
	       "00000000"
	       "020000000002"
	       "00000000",
	    LINE "   42 ARP\n    operation 9\n" },
	{ MACS "0806"
	       "0006080006040001",
	    LINE "   22 ARP\n    of another kind, or cut off\n" },
	{ MACS "8100600a"
	       "0806"
	       "0001080006040001"
	       "020000000001"
	       "c0000201"
	       "000000000000"
	       "c0000202",
	    LINE "   46 ARP\n    vlan 10, priority 3: who has 192.0.2.2? tell "
	         "192.0.2.1\n" },
	{ MACS "88a80014"
	       "8100000a"
	       "88b5",
	    LINE "   22 0x88b5\n    802.1ad vlan 20, vlan 10:\n" },
	{ MACS IP4_PLAIN("06") "1389"
	                       "0050"
	                       "00000001"
	                       "00000002"
	                       "50120400"
	                       "00000000",
	    LINE
	    "   54 IPv4\n    192.0.2.1:5001 > 192.0.2.2:80 TCP SYN ACK seq "
	    "1 ack 2 win 1024 len 0\n" },
	/* padding is no payload */
	{ MACS IP4_PLAIN("06") "1389"
	                       "0050"
	                       "00000001"
	                       "00000002"
	                       "50040400"
	                       "00000000"
	                       "000000000000",
	    LINE "   60 IPv4\n    192.0.2.1:5001 > 192.0.2.2:80 TCP RST seq 1 "
	         "win 1024 len 0\n" },
	{ MACS IP4("11", "0021"
	                 "0001"
	                 "0000"
	                 "40") "0035"
	                       "0035"
	                       "000d0000"
	                       "6162636465",
	    LINE "   47 IPv4\n    192.0.2.1:53 > 192.0.2.2:53 UDP len 5\n" },
	{ MACS IP4("11", "0030"
	                 "0001"
	                 "2000"
	                 "40") "0035"
	                       "0035"
	                       "00000000",
	    LINE "   42 IPv4\n    192.0.2.1:53 > 192.0.2.2:53 first fragment, "
	         "UDP len 0\n" },
	{ MACS IP4("11", "0030"
	                 "0001"
	                 "2001"
	                 "40") "0035"
	                       "0035"
	                       "00000000",
	    LINE "   42 IPv4\n    192.0.2.1 > 192.0.2.2 fragment, protocol "
	         "17\n" },
	{ MACS IP4_PLAIN("01") "0800"
	                       "0000"
	                       "0102"
	                       "0003",
	    LINE "   42 IPv4\n    192.0.2.1 > 192.0.2.2 ICMP echo request id "
	         "258 seq 3\n" },
	{ MACS IP4_PLAIN("01") "0303"
	                       "0000"
	                       "0000"
	                       "0000",
	    LINE "   42 IPv4\n    192.0.2.1 > 192.0.2.2 ICMP unreachable code "
	         "3\n" },
	{ MACS IP4_PLAIN("01") "6300"
	                       "0000"
	                       "0000"
	                       "0000",
	    LINE "   42 IPv4\n    192.0.2.1 > 192.0.2.2 ICMP type 99\n" },
	{ MACS IP4_PLAIN("2f") "0000",
	    LINE "   36 IPv4\n    192.0.2.1 > 192.0.2.2 protocol 47\n" },
	{ MACS "0800"
	       "4500",
	    LINE "   16 IPv4\n    its header is cut off or not in order\n" },
	{ MACS IP6("0018", "3a") "87000000"
	                         "00000000"
	                         "20010db8000000000000000000000009",
	    LINE "   78 IPv6\n    2001:db8::1 > 2001:db8::2 ICMPv6 who has "
	         "2001:db8::9\n" },
	{ MACS IP6("0014", "06") "1389"
	                         "0050"
	                         "00000001"
	                         "00000002"
	                         "50100400"
	                         "00000000",
	    LINE
	    "   74 IPv6\n    2001:db8::1.5001 > 2001:db8::2.80 TCP ACK seq "
	    "1 ack 2 win 1024 len 0\n" },
	{ MACS "0026"
	       "424203"
	       "0000020200"
	       "8000020000000001"
	       "00000004"
	       "8000020000000002"
	       "8001"
	       "0000"
	       "1400"
	       "0200"
	       "0f00"
	       "00",
	    LINE "   53 802.3\n    spanning tree: rapid, root "
	         "32768.02:00:00:00:00:01 cost 4, bridge\n"
	         "    32768.02:00:00:00:00:02 port 1\n" },
	{ MACS "0007"
	       "424203"
	       "00000080",
	    LINE "   21 802.3\n    spanning tree: topology change "
	         "notification\n" },
	{ MACS "0008"
	       "424203"
	       "0000000505",
	    LINE "   22 802.3\n    spanning tree: not a BPDU that is known\n" },
	{ MACS "0003"
	       "aaaa03",
	    LINE "   17 802.3\n    LLC aa to aa\n" },
	{ "0102030405", "5 bytes, no Ethernet header\n    01 02 03 04 05\n" },
	{ "", "0 bytes, no Ethernet header\n" },
};

static uint32_t
bytes_of(const char *hex, uint8_t *out)
{
	uint32_t n = 0;

	for (; hex[0] != '\0'; hex += 2) {
		unsigned int v;

		assert_int_equal(sscanf(hex, "%2x", &v), 1);
		out[n++] = (uint8_t)v;
	}
	return n;
}

static void
test_frames(void **state)
{
	uint8_t frame[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
		uint32_t len = bytes_of(frames[i].hex, frame);
		struct text t = { 0 };

		frametext(frame, len, len, &t);
		assert_string_equal(text_str(&t), frames[i].text);
		text_free(&t);
	}
}

/* Every line within the width, and one newline at the end. */
static void
assert_lines(const char *s, size_t first)
{
	size_t col = first;

	assert_int_equal(s[strlen(s) - 1], '\n');
	for (; *s != '\0'; s++) {
		if (*s == '\n') {
			if (col > FRAMETEXT_WIDTH)
				fail_msg("%zu columns", col);
			col = 0;
		} else {
			assert_in_range((unsigned char)*s, ' ', '~');
			col++;
		}
	}
}

static void
test_cut_anywhere(void **state)
{
	uint8_t frame[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
		uint32_t len = bytes_of(frames[i].hex, frame);

		for (uint32_t kept = 0; kept <= len; kept++) {
			uint8_t *copy = malloc(kept > 0 ? kept : 1);
			struct text t = { 0 };

			memcpy(copy, frame, kept);
			frametext(copy, kept, len, &t);
			assert_lines(text_str(&t), 20);
			text_free(&t);
			free(copy);
		}
	}
}

static void
test_long_addresses_fold(void **state)
{
	uint8_t frame[256];
	uint32_t len = bytes_of(MACS "8100efff"
	                             "8100efff"
	                             "86dd"
	                             "60000000"
	                             "0014"
	                             "06"
	                             "40"
	                             "20010db8111122223333444455556666"
	                             "20010db8111122223333444455557777"
	                             "ffff"
	                             "fffe"
	                             "ffffffff"
	                             "ffffffff"
	                             "50ffffff"
	                             "00000000",
	    frame);
	struct text t = { 0 };

	(void)state;
	frametext(frame, len, 65557, &t);
	assert_string_equal(text_str(&t), LINE
	    "65557 IPv6\n"
	    "    vlan 4095, priority 7, vlan 4095, priority 7:\n"
	    "    2001:db8:1111:2222:3333:4444:5555:6666.65535 >\n"
	    "    2001:db8:1111:2222:3333:4444:5555:7777.65534 TCP FIN SYN RST "
	    "PSH ACK URG ECE\n"
	    "    CWR seq 4294967295 ack 4294967295 win 65535 len 0\n");
	text_free(&t);
}

/* A super-frame's own length may say nothing. */
static void
test_length_of_a_super_frame(void **state)
{
	uint8_t frame[256];
	uint32_t len = bytes_of(MACS IP4("06", "0000"
	                                       "0001"
	                                       "0000"
	                                       "40") "1389"
	                                             "0050"
	                                             "00000001"
	                                             "00000002"
	                                             "50100400"
	                                             "00000000",
	    frame);
	struct text t = { 0 };

	(void)state;
	frametext(frame, len, 60054, &t);
	assert_non_null(strstr(text_str(&t), "len 60000"));
	text_free(&t);
}

static void
test_notes(void **state)
{
	struct text t = { 0 };

	(void)state;
	frametext_note("dropped: private: Between two private ports.", &t);
	frametext_note("a\x1b[31mb\n", &t);
	frametext_note("offload: a super-frame of 44 segments with 1448 bytes "
	               "each, checksums not filled in",
	    &t);
	assert_string_equal(text_str(&t),
	    "    dropped: private: Between two private ports.\n"
	    "    a?[31mb?\n"
	    "    offload: a super-frame of 44 segments with 1448 bytes each, "
	    "checksums not\n"
	    "    filled in\n");
	text_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_long_addresses_fold),
		cmocka_unit_test(test_length_of_a_super_frame),
		cmocka_unit_test(test_notes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
