/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filter programs: what is refused, that what is taken runs as libpcap runs it,
 * and the text form.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pcap/pcap.h>

#include "base/prng.h"
#include "base/util.h"
#include "capture/program.h"

/* pcap.h declares it for itself only. */
int bpf_validate(const struct bpf_insn *f, int len);

#define P(...)                                                                \
	&(struct program)                                                     \
	{                                                                     \
		.count = ARRAY_LEN(((struct program_insn[]){ __VA_ARGS__ })), \
		.insns = (struct program_insn[])                              \
		{                                                             \
			__VA_ARGS__                                           \
		}                                                             \
	}

#define LD_IMM(n)                           \
	{                                   \
		BPF_LD | BPF_IMM, 0, 0, (n) \
	}
#define LDX_IMM(n)                           \
	{                                    \
		BPF_LDX | BPF_IMM, 0, 0, (n) \
	}
#define LD_B(n)                                     \
	{                                           \
		BPF_LD | BPF_B | BPF_ABS, 0, 0, (n) \
	}
#define RET(n)                             \
	{                                  \
		BPF_RET | BPF_K, 0, 0, (n) \
	}
#define RET_A                            \
	{                                \
		BPF_RET | BPF_A, 0, 0, 0 \
	}

static void
assert_refused_at(const struct program *p, uint32_t where)
{
	uint32_t at = 99;

	assert_int_equal(program_check(p, &at), -EINVAL);
	assert_int_equal(at, where);
}

static void
test_taken(void **state)
{
	uint32_t at;

	(void)state;
	assert_int_equal(program_check(P(RET(0)), &at), 0);
	assert_int_equal(
	    program_check(P({ BPF_JMP | BPF_JA, 0, 0, 0 }, RET(1)), &at), 0);
	assert_int_equal(
	    program_check(
	        P({ BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 5 }, RET(1), RET(0)), &at),
	    0);
}

static void
test_refused(void **state)
{
	struct program none = { 0 };
	uint32_t at;

	(void)state;
	assert_int_equal(program_check(&none, &at), -EINVAL);
	assert_refused_at(P(LD_IMM(1)), 0); /* no return */
	assert_refused_at(P(RET(1), LD_IMM(1)), 1);
	/* jumps: past the end, backwards, to itself */
	assert_refused_at(P({ BPF_JMP | BPF_JA, 0, 0, 1 }, RET(1)), 0);
	assert_refused_at(
	    P(LD_IMM(1), { BPF_JMP | BPF_JA, 0, 0, (uint32_t)-2 }, RET(1)), 1);
	assert_refused_at(
	    P({ BPF_JMP | BPF_JA, 0, 0, (uint32_t)-1 }, RET(1)), 0);
	assert_refused_at(P({ BPF_JMP | BPF_JGT | BPF_K, 1, 0, 1 }, RET(1)), 0);
	assert_refused_at(P({ BPF_JMP | BPF_JGT | BPF_K, 0, 1, 1 }, RET(1)), 0);
	/* cells */
	assert_refused_at(P({ BPF_ST, 0, 0, 16 }, RET(1)), 0);
	assert_refused_at(P({ BPF_STX, 0, 0, UINT32_MAX }, RET(1)), 0);
	assert_refused_at(P({ BPF_LD | BPF_MEM, 0, 0, 16 }, RET(1)), 0);
	assert_refused_at(P({ BPF_LDX | BPF_MEM, 0, 0, 16 }, RET(1)), 0);
	/* arithmetic */
	assert_refused_at(P({ BPF_ALU | BPF_DIV | BPF_K, 0, 0, 0 }, RET(1)), 0);
	assert_refused_at(P({ BPF_ALU | BPF_MOD | BPF_K, 0, 0, 0 }, RET(1)), 0);
	assert_refused_at(
	    P({ BPF_ALU | BPF_LSH | BPF_K, 0, 0, 32 }, RET(1)), 0);
	assert_refused_at(
	    P({ BPF_ALU | BPF_RSH | BPF_K, 0, 0, 99 }, RET(1)), 0);
}

/* Why libpcap's own validator will not do: it takes a program that never ends,
 * and one at which its own interpreter aborts. */
static void
test_stricter_than_libpcap(void **state)
{
	static const struct bpf_insn loop[] = {
		LD_IMM(0),
		{ BPF_JMP | BPF_JA, 0, 0, (uint32_t)-2 },
		RET(1),
	};
	static const struct bpf_insn odd[] = {
		{ BPF_LD | BPF_IMM | BPF_B, 0, 0, 0 },
		RET(1),
	};

	(void)state;
	assert_true(bpf_validate(loop, ARRAY_LEN(loop)));
	assert_true(bpf_validate(odd, ARRAY_LEN(odd)));
	assert_refused_at(
	    P(LD_IMM(0), { BPF_JMP | BPF_JA, 0, 0, (uint32_t)-2 }, RET(1)), 1);
	assert_refused_at(P({ BPF_LD | BPF_IMM | BPF_B, 0, 0, 0 }, RET(1)), 0);
}

/* Of all 65536 codes: only those that libpcap takes, and those run. */
static void
test_every_code(void **state)
{
	uint8_t frame[64] = { 0 };
	uint32_t taken = 0;

	(void)state;
	for (uint32_t code = 0; code <= UINT16_MAX; code++) {
		struct program *p = P({ (uint16_t)code, 0, 0, 1 }, RET(7));
		struct bpf_insn insns[] = { { (uint16_t)code, 0, 0, 1 },
			RET(7) };
		uint32_t at;

		if (program_check(p, &at) != 0)
			continue;
		taken++;
		assert_true(bpf_validate(insns, 2));
		assert_int_equal(program_run(p, frame, sizeof(frame)),
		    bpf_filter(insns, frame, sizeof(frame), sizeof(frame)));
	}
	assert_int_equal(taken, 48);
}

static void
test_length_limit(void **state)
{
	static struct program_insn insns[PROGRAM_MAX + 1];
	struct program p = { PROGRAM_MAX, insns };
	uint32_t at;

	(void)state;
	for (uint32_t i = 0; i <= PROGRAM_MAX; i++)
		insns[i] = (struct program_insn)RET(i);
	assert_int_equal(program_check(&p, &at), 0);
	p.count++;
	assert_int_equal(program_check(&p, &at), -EINVAL);
}

/* Past the end, at any distance, is the end of the run. */
static void
test_loads_stay_inside(void **state)
{
	static const struct {
		uint16_t size;
		uint32_t bytes;
	} sizes[] = { { BPF_B, 1 }, { BPF_H, 2 }, { BPF_W, 4 } };
	uint8_t frame[10] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		uint32_t last = 10 - sizes[i].bytes;
		const uint32_t past[] = { last + 1, 10, 11, 0x7fffffff,
			0xfffff000, UINT32_MAX };
		uint16_t size = sizes[i].size;

		assert_int_not_equal(
		    program_run(
		        P({ BPF_LD | size | BPF_ABS, 0, 0, last }, RET_A),
		        frame, 10),
		    0);
		for (size_t n = 0; n < ARRAY_LEN(past); n++) {
			assert_int_equal(
			    program_run(
			        P({ BPF_LD | size | BPF_ABS, 0, 0, past[n] },
			            RET(9)),
			        frame, 10),
			    0);
			assert_int_equal(
			    program_run(
			        P(LDX_IMM(past[n]),
			            { BPF_LD | size | BPF_IND, 0, 0, 0 },
			            RET(9)),
			        frame, 10),
			    0);
			/* The sum must not wrap into the frame. */
			assert_int_equal(
			    program_run(P(LDX_IMM(past[n]),
			                    { BPF_LD | size | BPF_IND, 0, 0,
			                        0u - past[n] },
			                    RET(9)),
			        frame, 10),
			    0);
		}
	}
	assert_int_equal(
	    program_run(
	        P({ BPF_LDX | BPF_B | BPF_MSH, 0, 0, 10 }, RET(9)), frame, 10),
	    0);
	assert_int_equal(program_run(P(LD_B(0), RET(9)), frame, 0), 0);
}

static void
test_cells_are_zero_at_first(void **state)
{
	uint8_t frame[1] = { 0 };

	(void)state;
	for (uint32_t i = 0; i < PROGRAM_CELLS; i++)
		assert_int_equal(
		    program_run(
		        P({ BPF_LD | BPF_MEM, 0, 0, i }, RET_A), frame, 1),
		    0);
}

static void
test_division_by_x_of_zero(void **state)
{
	uint8_t frame[1] = { 0 };

	(void)state;
	assert_int_equal(
	    program_run(P(LD_IMM(5), LDX_IMM(0),
	                    { BPF_ALU | BPF_DIV | BPF_X, 0, 0, 0 }, RET(9)),
	        frame, 1),
	    0);
	assert_int_equal(
	    program_run(P(LD_IMM(5), LDX_IMM(0),
	                    { BPF_ALU | BPF_MOD | BPF_X, 0, 0, 0 }, RET(9)),
	        frame, 1),
	    0);
}

static void
test_text(void **state)
{
	static struct program_insn insns[PROGRAM_MAX];
	struct program p;
	char text[256];

	(void)state;
	assert_int_equal(
	    program_parse(
	        "4,40 0 0 12,21 0 1 2048,6 0 0 4294967295,6 0 0 0", insns, &p),
	    0);
	assert_int_equal(p.count, 4);
	assert_int_equal(p.insns[1].code, 21);
	assert_int_equal(p.insns[1].jf, 1);
	assert_int_equal(p.insns[1].k, 2048);
	assert_int_equal(p.insns[2].k, UINT32_MAX);
	assert_int_equal(program_format(&p, text, sizeof(text)), 0);
	assert_string_equal(
	    text, "4,40 0 0 12,21 0 1 2048,6 0 0 4294967295,6 0 0 0");
	assert_int_equal(program_format(&p, text, 20), -ENAMETOOLONG);
	assert_int_equal(program_parse("1,6 0 0 0,", insns, &p), 0);
}

static void
test_text_refused(void **state)
{
	static const char *const bad[] = { "", "0", "0,", "1", "1,", "1,6 0 0",
		"1,6 0 0 ", "2,6 0 0 0", "1,6 0 0 0,6 0 0 0", "1,6 0 0 0 ",
		" 1,6 0 0 0", "1, 6 0 0 0", "1,6  0 0 0", "1,-6 0 0 0",
		"1,6 0 0 -1", "1,6 0 0 4294967296", "1,65536 0 0 0",
		"1,6 256 0 0", "1,6 0 256 0", "1,0x6 0 0 0", "a,6 0 0 0",
		"1;6 0 0 0", "4294967296,6 0 0 0",
		"1,99999999999999999999999999 0 0 0", "1,6 0 0 0,," };
	static struct program_insn insns[PROGRAM_MAX];
	struct program p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (program_parse(bad[i], insns, &p) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(program_parse("4097,6 0 0 0", insns, &p), -E2BIG);
}

/* The longest program fits the room that is promised for it. */
static void
test_text_of_the_longest(void **state)
{
	static struct program_insn insns[PROGRAM_MAX], back[PROGRAM_MAX];
	static char text[PROGRAM_TEXT_MAX];
	struct program p = { PROGRAM_MAX, insns };
	struct program q;

	(void)state;
	memset(insns, 0xff, sizeof(insns));
	assert_int_equal(program_format(&p, text, sizeof(text)), 0);
	assert_int_equal(program_parse(text, back, &q), 0);
	assert_memory_equal(insns, back, sizeof(insns));
}

/* --- beside libpcap ---------------------------------------------------------
 */

static void
both_run(const struct program *p, const uint8_t *frame, uint32_t len)
{
	struct bpf_insn insns[PROGRAM_MAX];

	for (uint32_t i = 0; i < p->count; i++)
		insns[i] = (struct bpf_insn){ p->insns[i].code, p->insns[i].jt,
			p->insns[i].jf, p->insns[i].k };
	assert_int_equal(
	    program_run(p, frame, len), bpf_filter(insns, frame, len, len));
}

/* Something like a frame: the fields that filters look at have likely values.
 */
static uint32_t
random_frame(struct prng *g, uint8_t *frame)
{
	static const uint16_t types[] = { 0x0800, 0x0806, 0x86dd, 0x8100,
		0x88a8, 0x8863, 60 };
	static const uint8_t protos[] = { 1, 6, 17, 2, 58, 132, 44, 0 };
	uint32_t len = (uint32_t)prng_range(g, 0, 128);
	uint32_t at = 12;

	prng_bytes(g, frame, 128);
	for (int i = 0; i < 3; i++) {
		uint16_t type = types[prng_below(g, ARRAY_LEN(types))];

		frame[at] = (uint8_t)(type >> 8);
		frame[at + 1] = (uint8_t)type;
		if (type != 0x8100 && type != 0x88a8)
			break;
		at += 4;
	}
	if (prng_chance(g, 2, 3)) {
		frame[at + 2] = prng_chance(g, 1, 2) ? 0x45 : 0x60;
		frame[at + 2 + 6] = protos[prng_below(g, ARRAY_LEN(protos))];
		frame[at + 2 + 9] = protos[prng_below(g, ARRAY_LEN(protos))];
		if (frame[at + 2] == 0x45)
			frame[at + 2 + 6] = frame[at + 2 + 7] = 0;
		frame[at + 22] = 0;
		frame[at + 23] = 80;
	}
	return len;
}

/* What people write is compiled by libpcap, taken, and run alike. */
static void
test_filters_of_libpcap(void **state)
{
	static const char *const filters[] = { "", "ip", "ip6", "arp",
		"tcp port 80", "udp", "icmp or icmp6", "host 192.0.2.1",
		"not net 10.0.0.0/8 and tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
		"vlan", "vlan 10 and ip", "vlan and vlan 5 and tcp",
		"ether host 02:00:00:00:00:01", "broadcast", "multicast",
		"greater 100", "less 60", "len > 50 and len < 100",
		"ip[0] & 0xf != 5", "ether proto 0x88cc", "ip6 host fe80::1",
		"tcp[2:2] % 2 = 1", "ip[2:2] / 4 > 10", "ether[0] << 2 > 8",
		"portrange 1-1024", "sctp", "ip proto 47", "pppoes", "mpls",
		"ip broadcast", "ether[12:2] ^ 0x800 = 0", "stp",
		"-ether[5] < 7", "ip and not (tcp or udp)" };
	pcap_t *pc = pcap_open_dead(DLT_EN10MB, 262144);
	struct prng g = prng_init(11);
	uint8_t frame[128];

	(void)state;
	assert_non_null(pc);
	for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
		struct bpf_program bpf;
		struct program p;
		uint32_t at;

		if (pcap_compile(pc, &bpf, filters[i], 1, 0xffffff00) != 0)
			fail_msg("%s: %s", filters[i], pcap_geterr(pc));
		p.count = bpf.bf_len;
		p.insns = calloc(p.count, sizeof(p.insns[0]));
		for (uint32_t n = 0; n < p.count; n++)
			p.insns[n] =
			    (struct program_insn){ bpf.bf_insns[n].code,
				    bpf.bf_insns[n].jt, bpf.bf_insns[n].jf,
				    bpf.bf_insns[n].k };
		if (program_check(&p, &at) != 0)
			fail_msg("%s: instruction %u", filters[i], at);
		for (int n = 0; n < 500; n++) {
			uint32_t len = random_frame(&g, frame);

			both_run(&p, frame, len);
		}
		free(p.insns);
		pcap_freecode(&bpf);
	}
	pcap_close(pc);
}

/* Any program that is taken. */
static void
test_random_programs(void **state)
{
	static const uint16_t codes[] = { 0x20, 0x28, 0x30, 0x40, 0x48, 0x50,
		0x00, 0x60, 0x80, 0x01, 0x61, 0x81, 0xb1, 0x02, 0x03, 0x04,
		0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x34, 0x3c, 0x44, 0x4c, 0x54,
		0x5c, 0x64, 0x6c, 0x74, 0x7c, 0x84, 0x94, 0x9c, 0xa4, 0xac,
		0x05, 0x15, 0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d, 0x06,
		0x16, 0x07, 0x87 };
	struct program_insn insns[48];
	struct prng g = prng_init(12);
	uint8_t frame[128];
	uint32_t ran = 0;

	(void)state;
	for (int n = 0; n < 50000; n++) {
		struct program p = { 0, insns };
		uint32_t at;

		/* libpcap's cells have no value at first. */
		for (; p.count < PROGRAM_CELLS; p.count++)
			insns[p.count] =
			    (struct program_insn){ BPF_ST, 0, 0, p.count };
		while (p.count < ARRAY_LEN(insns) - 1) {
			uint32_t k = prng_chance(&g, 3, 4)
			                 ? (uint32_t)prng_below(&g, 16)
			                 : prng_u32(&g);

			insns[p.count++] = (struct program_insn){
				codes[prng_below(&g, ARRAY_LEN(codes) - 3)],
				(uint8_t)prng_below(&g, 4),
				(uint8_t)prng_below(&g, 4), k
			};
			if (prng_chance(&g, 1, 20))
				break;
		}
		insns[p.count++] = (struct program_insn)RET_A;
		if (program_check(&p, &at) != 0)
			continue;
		both_run(&p, frame, random_frame(&g, frame));
		ran++;
	}
	assert_true(ran > 5000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_stricter_than_libpcap),
		cmocka_unit_test(test_every_code),
		cmocka_unit_test(test_length_limit),
		cmocka_unit_test(test_loads_stay_inside),
		cmocka_unit_test(test_cells_are_zero_at_first),
		cmocka_unit_test(test_division_by_x_of_zero),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_text_refused),
		cmocka_unit_test(test_text_of_the_longest),
		cmocka_unit_test(test_filters_of_libpcap),
		cmocka_unit_test(test_random_programs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
