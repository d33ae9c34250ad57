/* SPDX-License-Identifier: BSD-2-Clause */
/* Capture files: both formats, both byte orders, and damaged ones. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "control/pcapfile.h"

static uint8_t file[4096];
static size_t len;
static bool little;

static void
put16(uint16_t v)
{
	if (little)
		le16_put(file + len, v);
	else
		be16_put(file + len, v);
	len += 2;
}

static void
put32(uint32_t v)
{
	if (little)
		le32_put(file + len, v);
	else
		be32_put(file + len, v);
	len += 4;
}

static void
put_bytes(uint8_t byte, size_t n)
{
	memset(file + len, byte, n);
	len += n;
}

static void
pcap_head(uint32_t magic, uint32_t type)
{
	put32(magic);
	put16(2);
	put16(4);
	put32(0);
	put32(0);
	put32(65535);
	put32(type);
}

static void
pcap_record(uint8_t byte, uint32_t caught, uint32_t whole)
{
	put32(1);
	put32(2);
	put32(caught);
	put32(whole);
	put_bytes(byte, caught);
}

static void
block(uint32_t type, size_t body, void (*fill)(uint32_t a, uint32_t b),
    uint32_t a, uint32_t b)
{
	uint32_t size = (uint32_t)(12 + (body + 3) / 4 * 4);
	size_t start = len;

	put32(type);
	put32(size);
	fill(a, b);
	put_bytes(0, start + size - 4 - len);
	put32(size);
}

static void
fill_section(uint32_t a, uint32_t b)
{
	(void)a, (void)b;
	put32(0x1a2b3c4d);
	put16(1);
	put16(0);
	put32(UINT32_MAX);
	put32(UINT32_MAX);
}

static void
fill_iface(uint32_t type, uint32_t snaplen)
{
	put16((uint16_t)type);
	put16(0);
	put32(snaplen);
}

/* Of interface @a, @b bytes. */
static void
fill_packet(uint32_t a, uint32_t b)
{
	put32(a);
	put32(0);
	put32(0);
	put32(b);
	put32(b + 1);
	put_bytes((uint8_t)b, b);
}

static void
fill_simple(uint32_t a, uint32_t b)
{
	put32(b);
	put_bytes((uint8_t)b, a);
}

static void
fill_nothing(uint32_t a, uint32_t b)
{
	(void)a, (void)b;
}

/* The lengths of the frames, or -1 for an error at the end. */
static int
read_all(int lens[8], uint64_t *others)
{
	const uint8_t *frame;
	struct pcapfile p;
	uint32_t n, whole, type = 0;
	int count = 0, more;

	assert_int_equal(pcapfile_open(&p, file, len, &type), 0);
	while ((more = pcapfile_next(&p, &frame, &n, &whole)) > 0) {
		assert_in_range(count, 0, 7);
		assert_true(frame >= file && frame + n <= file + len);
		for (uint32_t i = 1; i < n; i++)
			assert_int_equal(frame[i], frame[0]);
		assert_true(whole >= n);
		lens[count++] = (int)n;
	}
	*others = p.others;
	return more < 0 ? -1 : count;
}

static void
test_pcap(void **state)
{
	static const uint32_t magics[] = { 0xa1b2c3d4, 0xa1b23c4d };
	uint64_t others;
	int lens[8];

	(void)state;
	for (int i = 0; i < 4; i++) {
		little = i % 2 != 0;
		len = 0;
		pcap_head(magics[i / 2], 1);
		pcap_record(0x11, 60, 60);
		pcap_record(0x22, 64, 1514);
		pcap_record(0x33, 0, 0);
		assert_int_equal(read_all(lens, &others), 3);
		assert_int_equal(lens[0], 60);
		assert_int_equal(lens[1], 64);
		assert_int_equal(lens[2], 0);
	}
}

static void
test_pcapng(void **state)
{
	uint64_t others;
	int lens[8];

	(void)state;
	for (int i = 0; i < 2; i++) {
		little = i != 0;
		len = 0;
		block(0x0a0d0d0a, 20, fill_section, 0, 0);
		block(1, 8, fill_iface, 1, 50);
		block(1, 8, fill_iface, 113, 0); /* not Ethernet */
		block(6, 20 + 61, fill_packet, 0, 61);
		block(6, 20 + 30, fill_packet, 1, 30);
		block(6, 20 + 31, fill_packet, 7, 31); /* no such one */
		block(5, 0, fill_nothing, 0, 0);
		block(3, 4 + 52, fill_simple, 52, 900); /* cut by snaplen */
		/* Another section in the other order. */
		little = !little;
		block(0x0a0d0d0a, 20, fill_section, 0, 0);
		block(6, 20 + 30, fill_packet, 0, 30); /* no interface yet */
		block(1, 8, fill_iface, 1, 0);
		block(6, 20 + 14, fill_packet, 0, 14);
		assert_int_equal(read_all(lens, &others), 3);
		assert_int_equal(lens[0], 61);
		assert_int_equal(lens[1], 50);
		assert_int_equal(lens[2], 14);
		assert_int_equal(others, 3);
	}
}

/* Every proper prefix is read as far as it goes, or refused. */
static void
test_prefixes(void **state)
{
	uint32_t type = 0;
	size_t whole;

	(void)state;
	for (int format = 0; format < 2; format++) {
		len = 0;
		little = true;
		if (format == 0) {
			pcap_head(0xa1b2c3d4, 1);
			pcap_record(0x11, 60, 60);
		} else {
			block(0x0a0d0d0a, 20, fill_section, 0, 0);
			block(1, 8, fill_iface, 1, 50);
			block(6, 20 + 61, fill_packet, 0, 61);
		}
		whole = len;
		for (len = 0; len < whole; len++) {
			const uint8_t *frame;
			struct pcapfile p;
			uint32_t n, w;

			if (pcapfile_open(&p, file, len, &type) < 0)
				continue;
			assert_true(pcapfile_next(&p, &frame, &n, &w) <= 0);
		}
	}
}

static void
test_refused(void **state)
{
	struct pcapfile p;
	uint32_t type = 0;
	uint64_t others;
	int lens[8];

	(void)state;
	len = 0;
	put_bytes('x', 100);
	assert_int_equal(pcapfile_open(&p, file, len, &type), -EINVAL);
	len = 0;
	pcap_head(0xa1b2c3d4, 113);
	assert_int_equal(pcapfile_open(&p, file, len, &type), -EPROTONOSUPPORT);
	assert_int_equal(type, 113);
	/* Lengths that go beyond the end, or are none. */
	len = 0;
	pcap_head(0xa1b2c3d4, 1);
	put32(0);
	put32(0);
	put32(0xfffffff0);
	put32(60);
	put_bytes(0, 60);
	assert_int_equal(read_all(lens, &others), -1);
	for (uint32_t i = 0; i < 4; i++) {
		static const uint32_t sizes[] = { 0, 13, 8, 0xfffffffc };

		len = 0;
		block(0x0a0d0d0a, 20, fill_section, 0, 0);
		put32(6);
		put32(sizes[i]);
		put_bytes(0, 64);
		assert_int_equal(read_all(lens, &others), -1);
	}
	len = 0;
	block(0x0a0d0d0a, 20, fill_section, 0, 0);
	block(1, 8, fill_iface, 1, 0);
	block(6, 20, fill_packet, 0, 0);
	/* Says it has more than its block. */
	le32_put(file + len - 12, 0);
	le32_put(file + 32 + 20 + 8 + 12, 5);
	be32_put(file + 32 + 20 + 8 + 12, 5);
	assert_int_equal(read_all(lens, &others), -1);
	/* A section of no byte order. */
	len = 0;
	block(0x0a0d0d0a, 20, fill_section, 0, 0);
	file[8] ^= 0xff;
	assert_int_equal(read_all(lens, &others), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pcap),
		cmocka_unit_test(test_pcapng),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
