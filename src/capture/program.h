/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Classic BPF programs: a capture's filter, as libpcap compiles it.
 *
 * The program comes from a stranger.  program_check() takes only what
 * program_run() can run, so that a run ends after at most as many steps as the
 * program has instructions, reads nothing outside of the frame and has nothing
 * that depends on anything else:
 *   - every code is one of the table's, exactly;
 *   - every jump goes forward and stays inside; the last instruction returns;
 *   - scratch memory has PROGRAM_CELLS cells, which are 0 at first;
 *   - no division by a constant 0 and no shift by 32 or more;
 *   - a load past the end of the frame, and a division by an X of 0, end the
 *     run with 0: the frame is not wanted.
 * Linux's loads of metadata (negative offsets) are loads past the end here.
 *
 * As text a program is what iptables' bpf match and tc take, in decimal:
 * "COUNT,CODE JT JF K,CODE JT JF K,...".
 *
 * Source: McCanne and Jacobson, "The BSD Packet Filter", 1992, section 3.3;
 * bpf(4) of FreeBSD.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PROGRAM_MAX   4096u /* instructions */
#define PROGRAM_CELLS 16u

/* Room for any program as text, with its 0. */
#define PROGRAM_TEXT_MAX (PROGRAM_MAX * 27u + 8u)

struct program_insn {
	uint16_t code;
	uint8_t jt, jf;
	uint32_t k;
};

struct program {
	uint32_t count;
	struct program_insn *insns; /* whoever holds the program owns them */
};

/**
 * program_check() - may this be run?
 *
 * Return: 0, or -EINVAL with the offending instruction in @at.
 */
int program_check(const struct program *p, uint32_t *at);

/**
 * program_run() - the first bytes of a frame that are wanted
 * @p:   has been checked
 * @len: of the frame at @data, all of which is there
 *
 * Return: how many bytes, perhaps more than there are; 0: not wanted.
 */
uint32_t program_run(
    const struct program *p, const uint8_t *data, uint32_t len);

/**
 * program_parse() - a program as text
 * @insns: room for PROGRAM_MAX
 * @out:   @insns and their number, not yet checked; written on success
 *
 * Return: 0, -EINVAL (not a program's text) or -E2BIG (over PROGRAM_MAX).
 */
int program_parse(
    const char *s, struct program_insn *insns, struct program *out);

/**
 * program_format() - the text of a program
 * @size: room at @s; PROGRAM_TEXT_MAX always does
 *
 * Return: 0 or -ENAMETOOLONG.
 */
int program_format(const struct program *p, char *s, size_t size);
