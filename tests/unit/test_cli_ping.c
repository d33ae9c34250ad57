/* SPDX-License-Identifier: BSD-2-Clause */
/* ping: the command line, requests, replies, errors, statistics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <sys/socket.h>

#include "base/bytes.h"
#include "base/util.h"
#include "cli/ping.h"

#define ID 0x1234

static struct ping_options o;
static char message[256];

/* "-c 3 host" */
static int
parse(const char *line, bool six)
{
	static char buf[256];
	char *argv[32] = { (char *)(uintptr_t) "ping" };
	char *p = buf;
	int argc = 1;

	assert_true(strlen(line) < sizeof(buf));
	strcpy(buf, line);
	while ((argv[argc] = strsep(&p, " ")) != NULL)
		argc++;
	message[0] = '\0';
	return ping_options_parse(
	    &o, argc, argv, six, message, sizeof(message));
}

static void
test_defaults(void **state)
{
	(void)state;
	assert_int_equal(parse("192.0.2.1", false), 0);
	assert_int_equal(o.family, AF_UNSPEC);
	assert_int_equal(o.size, 56);
	assert_false(o.size_given);
	assert_int_equal(o.interval_ns, 1000000000);
	assert_int_equal(o.wait_ms, 10000);
	assert_int_equal(o.timeout_s, 0);
	assert_false(o.count_given);
	assert_int_equal(o.ttl, -1);
	assert_string_equal(o.host, "192.0.2.1");
	assert_int_equal(parse("::1", true), 0);
	assert_int_equal(o.family, AF_INET6);
}

static void
test_options(void **state)
{
	(void)state;
	assert_int_equal(
	    parse("-4oqn -c 3 -t 1 -W 250 -i 0.25 -m 7 -T 8 -z 0x10 -s 0 "
	          "-S 192.0.2.9 -I epair0a -l 2 -p ab1 -aADdfLQrv -H h",
	        false),
	    0);
	assert_int_equal(o.family, AF_INET);
	assert_int_equal(o.count, 3);
	assert_true(o.count_given);
	assert_int_equal(o.timeout_s, 1);
	assert_int_equal(o.wait_ms, 250);
	assert_true(o.wait_given);
	assert_int_equal(o.interval_ns, 250000000);
	assert_int_equal(o.ttl, 7);
	assert_int_equal(o.multicast_ttl, 8);
	assert_int_equal(o.tos, 16);
	assert_int_equal(o.size, 0);
	assert_string_equal(o.source, "192.0.2.9");
	assert_string_equal(o.iface, "epair0a");
	assert_int_equal(o.preload, 2);
	assert_int_equal(o.pattern_len, 2);
	assert_int_equal(o.pattern[0], 0xab);
	assert_int_equal(o.pattern[1], 0x1);
	assert_true(o.once && o.quiet && o.bell && o.bell_missed &&
	            o.dont_fragment && o.debug && o.flood && o.no_loop &&
	            o.quiet_errors && o.dont_route && o.verbose && o.names);
	assert_int_equal(parse("-g 100 -G 1000 -h 300 h", false), 0);
	assert_int_equal(o.size, 100);
	assert_int_equal(o.sweep_max, 1000);
	assert_int_equal(parse("-G 1000 h", false), 0);
	assert_int_equal(o.size, 56);
}

static void
test_refused_with_the_words_of_bsd(void **state)
{
	static const struct {
		const char *line, *message;
	} rows[] = {
		{ "-c 0 h", "invalid count of packets to transmit: `0'" },
		{ "-c -1 h", "invalid count of packets to transmit: `-1'" },
		{ "-c x h", "invalid count of packets to transmit: `x'" },
		{ "-c 99999999999999999999 h",
		    "invalid count of packets to transmit: "
		    "`99999999999999999999'" },
		{ "-i 0 h", "invalid timing interval: `0'" },
		{ "-i -1 h", "invalid timing interval: `-1'" },
		{ "-i nan h", "invalid timing interval: `nan'" },
		{ "-i 1x h", "invalid timing interval: `1x'" },
		{ "-i 1e300 h", "invalid timing interval: `1e300'" },
		{ "-t 0 h", "invalid timeout: `0'" },
		{ "-W 0 h", "invalid timing interval: `0'" },
		{ "-m 256 h", "invalid TTL: `256'" },
		{ "-T 256 h", "invalid multicast TTL: `256'" },
		{ "-z 256 h", "invalid TOS: `256'" },
		{ "-s 65468 h", "invalid packet size: `65468'" },
		{ "-l -1 h", "invalid preload value: `-1'" },
		{ "-p xy h", "patterns must be specified as hex digits" },
		{ "-p 0x12 h", "patterns must be specified as hex digits" },
		{ "-p  h", "patterns must be specified as hex digits" },
		{ "-g 200 -G 100 h",
		    "Maximum packet size must be no less than the minimum "
		    "packet size" },
		{ "-R h", "option -R is not here" },
		{ "-M mask h", "option -M is not here" },
		{ "-x h", "" },
		{ "-c", "" },
		{ "a b", "" },
		{ "-q", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(parse(rows[i].line, false), PING_EX_USAGE);
		assert_string_equal(message, rows[i].message);
	}
}

/* RFC 1071: over header and data it is 0. */
static uint16_t
sum(const uint8_t *p, size_t len)
{
	uint32_t s = 0;

	for (size_t i = 0; i < len; i++)
		s += (uint32_t)p[i] << (i % 2 == 0 ? 8 : 0);
	while (s >> 16 != 0)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

/* An IPv4 packet around @len bytes of ICMP at @out + 20. */
static size_t
ip4(uint8_t *out, size_t len)
{
	memset(out, 0, 20);
	out[0] = 0x45;
	out[8] = 63; /* TTL */
	out[9] = 1;
	return 20 + len;
}

static void
test_a_request_comes_back_as_its_reply(void **state)
{
	uint8_t b[2048];
	struct ping_packet p;
	uint8_t want;

	(void)state;
	assert_int_equal(parse("-s 101 h", false), 0);
	ping_request(&o, AF_INET, ID, 7, 101, 123456789, b + 20);
	assert_int_equal(b[20], 8);
	assert_int_equal(sum(b + 20, 109), 0);
	/* The request is no reply. */
	ping_parse(AF_INET, ID, b, ip4(b, 109), &p);
	assert_int_equal(p.kind, PING_OTHER);
	b[20] = 0;
	be16_put(b + 22, 0);
	be16_put(b + 22, sum(b + 20, 109));
	ping_parse(AF_INET, ID, b, ip4(b, 109), &p);
	assert_int_equal(p.kind, PING_REPLY);
	assert_int_equal(p.seq, 7);
	assert_int_equal(p.ttl, 63);
	assert_int_equal(p.icmp_len, 109);
	assert_int_equal(p.data_len, 101);
	assert_true(p.stamped);
	assert_int_equal(p.sent_ns, 123456789);
	assert_false(p.bad_checksum);
	assert_int_equal(ping_wrong_byte(&o, &p, &want), -1);
	b[20 + 8 + 60] ^= 1;
	ping_parse(AF_INET, ID, b, ip4(b, 109), &p);
	assert_true(p.bad_checksum);
	assert_int_equal(ping_wrong_byte(&o, &p, &want), 60);
	assert_int_equal(want, 60);
	/* Somebody else's. */
	ping_parse(AF_INET, ID + 1, b, ip4(b, 109), &p);
	assert_int_equal(p.kind, PING_OTHER);
	/* IPv6: no IP header, no sum. */
	assert_int_equal(parse("-p c0ffee h", false), 0);
	ping_request(&o, AF_INET6, ID, 65535, 11, 1, b);
	assert_int_equal(b[0], 128);
	assert_int_equal(be16_get(b + 2), 0);
	assert_int_equal(b[8 + 8], 0xee); /* the ninth of the pattern */
	assert_int_equal(b[8 + 9], 0xc0);
	b[0] = 129;
	ping_parse(AF_INET6, ID, b, 19, &p);
	assert_int_equal(p.kind, PING_REPLY);
	assert_int_equal(p.seq, 65535);
	assert_int_equal(ping_wrong_byte(&o, &p, &want), -1);
}

static void
test_without_room_there_is_no_time(void **state)
{
	uint8_t b[64];
	struct ping_packet p;
	uint8_t want;

	(void)state;
	assert_int_equal(parse("-s 7 h", false), 0);
	ping_request(&o, AF_INET6, ID, 0, 7, 5, b);
	assert_int_equal(b[8], 0);
	assert_int_equal(b[14], 6);
	b[0] = 129;
	ping_parse(AF_INET6, ID, b, 15, &p);
	assert_int_equal(p.kind, PING_REPLY);
	assert_false(p.stamped);
	assert_int_equal(ping_wrong_byte(&o, &p, &want), -1);
}

static void
test_truncated_packets_are_nothing(void **state)
{
	uint8_t b[128];
	struct ping_packet p;

	(void)state;
	assert_int_equal(parse("h", false), 0);
	ping_request(&o, AF_INET, ID, 1, 8, 5, b + 20);
	b[20] = 0;
	for (size_t len = 0; len < 28; len++) {
		(void)ip4(b, 16);
		ping_parse(AF_INET, ID, b, len, &p);
		assert_int_equal(p.kind, PING_OTHER);
	}
	/* A header length that is none, another protocol, version 6. */
	(void)ip4(b, 16);
	b[0] = 0x44;
	ping_parse(AF_INET, ID, b, 36, &p);
	assert_int_equal(p.kind, PING_OTHER);
	b[0] = 0x4f;
	ping_parse(AF_INET, ID, b, 36, &p);
	assert_int_equal(p.kind, PING_OTHER);
	(void)ip4(b, 16);
	b[9] = 17;
	ping_parse(AF_INET, ID, b, 36, &p);
	assert_int_equal(p.kind, PING_OTHER);
	(void)ip4(b, 16);
	b[0] = 0x65;
	ping_parse(AF_INET, ID, b, 36, &p);
	assert_int_equal(p.kind, PING_OTHER);
}

static void
test_errors_about_our_requests(void **state)
{
	uint8_t b[256] = { 0 };
	struct ping_packet p;

	(void)state;
	assert_int_equal(parse("h", false), 0);
	/* ICMP 3/1 that quotes an IPv4 header and our request. */
	ping_request(&o, AF_INET, ID, 9, 8, 5, b + 48);
	(void)ip4(b + 28, 16);
	b[20] = 3;
	b[21] = 1;
	(void)ip4(b, 44);
	ping_parse(AF_INET, ID, b, 64, &p);
	assert_int_equal(p.kind, PING_ERROR);
	assert_int_equal(p.seq, 9);
	assert_string_equal(ping_error_text(AF_INET, p.type, p.code),
	    "Destination Host Unreachable");
	ping_parse(AF_INET, ID + 1, b, 64, &p);
	assert_int_equal(p.kind, PING_OTHER);
	for (size_t len = 20; len < 56; len++) {
		ping_parse(AF_INET, ID, b, len, &p);
		assert_int_equal(p.kind, PING_OTHER);
	}
	/* ICMPv6 3/0. */
	memset(b, 0, sizeof(b));
	b[0] = 3;
	b[8] = 0x60;
	b[8 + 6] = 58;
	ping_request(&o, AF_INET6, ID, 4, 8, 5, b + 48);
	ping_parse(AF_INET6, ID, b, 64, &p);
	assert_int_equal(p.kind, PING_ERROR);
	assert_int_equal(p.seq, 4);
	assert_string_equal(
	    ping_error_text(AF_INET6, p.type, p.code), "Time to live exceeded");
	for (size_t len = 0; len < 56; len++) {
		ping_parse(AF_INET6, ID, b, len, &p);
		assert_int_equal(p.kind, PING_OTHER);
	}
	assert_string_equal(
	    ping_error_text(AF_INET, 3, 99), "Destination Unreachable");
	assert_string_equal(ping_error_text(AF_INET, 99, 0), "Bad ICMP type");
}

static void
test_statistics(void **state)
{
	struct ping_stats s = { 0 };
	char text[512];

	(void)state;
	ping_stats_text(&s, "h", AF_INET, true, text, sizeof(text));
	assert_string_equal(text,
	    "--- h ping statistics ---\n"
	    "0 packets transmitted, 0 packets received, \n");
	for (uint16_t i = 0; i < 3; i++)
		ping_stats_sent(&s, i);
	ping_stats_text(&s, "h", AF_INET, true, text, sizeof(text));
	assert_string_equal(text,
	    "--- h ping statistics ---\n"
	    "3 packets transmitted, 0 packets received, 100.0% packet loss\n");
	assert_false(ping_stats_seen(&s, 0));
	assert_true(ping_stats_seen(&s, 0));
	assert_false(ping_stats_seen(&s, 65535));
	ping_stats_add(&s, 1);
	ping_stats_add(&s, 3);
	s.repeats = 1;
	s.late = 2;
	ping_stats_text(&s, "h", AF_INET, true, text, sizeof(text));
	assert_string_equal(text,
	    "--- h ping statistics ---\n"
	    "3 packets transmitted, 2 packets received, +1 duplicates, 33.3% "
	    "packet loss, 2 packets out of wait time\n"
	    "round-trip min/avg/max/stddev = 1.000/2.000/3.000/1.000 ms\n");
	/* A number that is used again is new. */
	ping_stats_sent(&s, 0);
	assert_false(ping_stats_seen(&s, 0));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_refused_with_the_words_of_bsd),
		cmocka_unit_test(test_a_request_comes_back_as_its_reply),
		cmocka_unit_test(test_without_room_there_is_no_time),
		cmocka_unit_test(test_truncated_packets_are_nothing),
		cmocka_unit_test(test_errors_about_our_requests),
		cmocka_unit_test(test_statistics),
	};

	return cmocka_run_group_tests_name("cli_ping", tests, NULL, NULL);
}
