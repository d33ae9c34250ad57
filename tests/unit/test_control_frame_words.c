/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames in words and in digits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "control/frame_words.h"
#include "frame/csum.h"

static uint8_t frame[2048];
static char why[256];

/* The frame of words that blanks separate; -EINVAL: @why. */
static int
build(const char *line)
{
	static const uint8_t src[6] = { 2, 0, 0, 0, 0, 9 };
	static char text[512];
	const char *words[FRAME_WORDS_MAX];
	struct sbuf out = sbuf_init(why, sizeof(why));
	uint32_t n = 0;
	char *save = NULL;

	snprintf(text, sizeof(text), "%s", line);
	for (char *w = strtok_r(text, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	memset(frame, 0xee, sizeof(frame));
	return frame_words_build(words, n, src, frame, sizeof(frame), &out);
}

static void
assert_frame(const char *line, const char *hex)
{
	struct sbuf out = sbuf_init(why, sizeof(why));
	uint8_t want[512];
	int len = build(line), want_len;

	want_len = frame_words_hex(hex, want, sizeof(want), &out);
	assert_true(want_len > 0);
	assert_true(len >= want_len);
	assert_int_equal(len, want_len < 60 ? 60 : want_len);
	assert_memory_equal(frame, want, (size_t)want_len);
	for (int i = want_len; i < len; i++)
		assert_int_equal(frame[i], 0);
}

static void
test_arp(void **state)
{
	(void)state;
	assert_frame("arp who-has 192.0.2.1 tell 192.0.2.7",
	    "ffffffffffff 020000000009 0806 0001 0800 06 04 0001"
	    "020000000009 c0000207 000000000000 c0000201");
	assert_frame("arp who-has 192.0.2.1 tell 192.0.2.7 src 2:0:0:0:0:1 "
	             "dst 2:0:0:0:0:2",
	    "020000000002 020000000001 0806 0001 0800 06 04 0001"
	    "020000000001 c0000207 000000000000 c0000201");
	assert_frame("dst 2:0:0:0:0:2 arp reply 192.0.2.1 is-at 2:0:0:0:0:1 "
	             "to 192.0.2.7",
	    "020000000002 020000000009 0806 0001 0800 06 04 0002"
	    "020000000001 c0000201 020000000002 c0000207");
	assert_frame("arp reply 192.0.2.1 is-at 2:0:0:0:0:1",
	    "ffffffffffff 020000000009 0806 0001 0800 06 04 0002"
	    "020000000001 c0000201 000000000000 c0000201");
}

/* The sum of an IPv4 header, and of what is above IP, is right. */
static void
assert_sums(uint8_t proto)
{
	uint64_t sum = 0;
	const uint8_t *ip = frame + 14;
	uint32_t head = 20, len;

	if (ip[0] == 0x45) {
		assert_int_equal(csum_fold(csum_add(0, ip, 20)), 0xffff);
		len = (uint32_t)(ip[2] << 8 | ip[3]) - 20;
		assert_int_equal(ip[9], proto);
		if (proto != 1)
			sum = csum_pseudo4(ip + 12, ip + 16, proto, len);
	} else {
		head = 40;
		len = (uint32_t)(ip[4] << 8 | ip[5]);
		assert_int_equal(ip[6], proto);
		sum = csum_pseudo6(ip + 8, ip + 24, proto, len);
	}
	assert_int_equal(csum_fold(csum_add(sum, ip + head, len)), 0xffff);
}

static void
test_ip(void **state)
{
	(void)state;
	assert_int_equal(
	    build("icmp 192.0.2.1 to 192.0.2.2 dst 2:0:0:0:0:2"), 98);
	assert_sums(1);
	assert_int_equal(frame[34], 8);
	assert_int_equal(build("icmp 2001:db8::1 to ff02::1"), 118);
	assert_sums(58);
	assert_int_equal(frame[54], 128);
	assert_memory_equal(frame, "\x33\x33\0\0\0\x01", 6);
	assert_int_equal(build("udp 192.0.2.1:53 to 239.129.2.3:5353"), 60);
	assert_sums(17);
	assert_memory_equal(frame, "\x01\0\x5e\x01\x02\x03", 6);
	assert_memory_equal(frame + 34, "\0\x35\x14\xe9", 4);
	assert_int_equal(build("udp 192.0.2.1:68 to 255.255.255.255:67"), 60);
	assert_memory_equal(frame, "\xff\xff\xff\xff\xff\xff", 6);
	assert_int_equal(
	    build("tcp [2001:db8::1]:1 to [2001:db8::2]:443 dst 2:0:0:0:0:2"),
	    74);
	assert_sums(6);
	assert_int_equal(frame[54 + 13], 2); /* SYN */
	/* As tcpdump writes them. */
	assert_int_equal(build("tcp 192.0.2.1.80 > 192.0.2.2.65535 "
	                       "dst 2:0:0:0:0:2"),
	    60);
	assert_sums(6);
	assert_int_equal(build("udp 2001:db8::1.53 > ff02::fb.5353"), 72);
	assert_sums(17);
}

static void
test_tags_and_lengths(void **state)
{
	(void)state;
	assert_frame("svlan 5 pcp 3 vlan 10 ether 0x88b5 dst 2:0:0:0:0:2",
	    "020000000002 020000000009 88a8 6005 8100 000a 88b5");
	assert_frame("ether 2048 vlan 4095 vlan 0 dst 2:0:0:0:0:2",
	    "020000000002 020000000009 8100 0fff 8100 0000 0800");
	assert_int_equal(build("len 1500 ether 0 dst 2:0:0:0:0:2"), 1500);
	assert_int_equal(build("len 14 ether 0 dst 2:0:0:0:0:2"), 14);
}

static void
test_groups(void **state)
{
	(void)state;
	assert_frame("lldp", "0180c200000e 020000000009 88cc");
	assert_frame("eapol", "0180c2000003 020000000009 888e 0101");
	assert_int_equal(build("lacp"), 124);
	assert_memory_equal(frame, "\x01\x80\xc2\0\0\x02", 6);
	assert_frame("stp",
	    "0180c2000000 020000000009 0026 424203 0000 00 00 00"
	    "f000 000000000000 00000000 f000 000000000000 8001"
	    "0000 1400 0200 0f00");
	/* To somebody else all the same. */
	assert_frame("lldp dst 2:0:0:0:0:2", "020000000002 020000000009 88cc");
}

static void
test_refusals(void **state)
{
	static const char *const bad[][2] = {
		{ "", "say what it is" },
		{ "vlan 10", "say what it is" },
		{ "foo", "\"foo\" is no word" },
		{ "arp", "missing" },
		{ "arp who-is", "\"who-has\" or \"reply\"" },
		{ "arp who-has", "missing" },
		{ "arp who-has 192.0.2.1", "tell is missing" },
		{ "arp who-has 192.0.2.1 says 192.0.2.2", "\"tell\"" },
		{ "arp who-has 192.0.2.256 tell 192.0.2.2", "not an IP" },
		{ "arp who-has ::1 tell ::2", "other IP version" },
		{ "arp reply 192.0.2.1 is-at 2:0:0:0:0", "six octets" },
		{ "icmp 192.0.2.1 to ::1", "other IP version" },
		{ "icmp 192.0.2.1 to 192.0.2.2", "dst" },
		{ "udp 192.0.2.1 to 192.0.2.2", "port" },
		{ "udp 192.0.2.1:65536 to 192.0.2.2:1", "port" },
		{ "udp 192.0.2.1: to 192.0.2.2:1", "port" },
		{ "udp : to 192.0.2.2:1", "port" },
		{ "udp :1 to 192.0.2.2:1", "port" },
		{ "udp []:1 to 192.0.2.2:1", "port" },
		{ "udp 192.0.2.1:1 to [ff02::1]:1", "other IP version" },
		{ "lldp lldp", "after another" },
		{ "lldp vlan 4096", "from 0 to 4095" },
		{ "lldp vlan 5000", "from 0 to 4095" },
		{ "lldp vlan -1", "from 0 to 4095" },
		{ "lldp vlan x", "from 0 to 4095" },
		{ "lldp vlan", "missing" },
		{ "lldp pcp 1", "behind the vlan" },
		{ "lldp vlan 1 pcp 8", "from 0 to 7" },
		{ "lldp dst 2:0:0:0:0", "six octets" },
		{ "lldp src 2:0:0:0:0:0:0", "six octets" },
		{ "lldp src", "missing" },
		{ "lldp len 13", "from 14" },
		{ "ether 65536", "from 0 to 65535" },
		{ "icmp 192.0.2.1 to 224.0.0.1 len 60", "98 at least" },
		{ "lldp len 2049", "too long" },
		{ "vlan 1 vlan 1 vlan 1 vlan 1 vlan 1 vlan 1 vlan 1 vlan 1 "
		  "vlan 1 vlan 1 vlan 1 vlan 1 vlan 1 vlan 1 vlan 1 vlan 1 "
		  "vlan 1",
		    "more than 16" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_true(build(bad[i][0]) < 0);
		if (strstr(why, bad[i][1]) == NULL)
			fail_msg("%s: %s", bad[i][0], why);
	}
}

static void
test_digits(void **state)
{
	static const char *const bad[] = { "0", "0g", "00 0", "xx", "0x0",
		"00,00", "00 00 00 00 0" };
	struct sbuf out = sbuf_init(why, sizeof(why));
	uint8_t b[4];

	(void)state;
	assert_int_equal(frame_words_hex("", b, 4, &out), 0);
	assert_int_equal(frame_words_hex("0xDEadbeef", b, 4, &out), 4);
	assert_memory_equal(b, "\xde\xad\xbe\xef", 4);
	assert_int_equal(frame_words_hex(" 01:02.03-04\n", b, 4, &out), 4);
	assert_memory_equal(b, "\1\2\3\4", 4);
	assert_true(frame_words_hex("0102030405", b, 4, &out) < 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_true(frame_words_hex(bad[i], b, 4, &out) < 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arp),
		cmocka_unit_test(test_ip),
		cmocka_unit_test(test_tags_and_lengths),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
