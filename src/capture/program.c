/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Classic BPF: checked by table, run by a switch over the same codes.
 */
#include "capture/program.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/str.h"
#include "base/util.h"

/* A code is class | size | mode, class | operation | source, or class | value
 * (bpf(4)); the names here are class, operation, operand. */
enum {
	LD_W_ABS = 0x20,
	LD_H_ABS = 0x28,
	LD_B_ABS = 0x30,
	LD_W_IND = 0x40,
	LD_H_IND = 0x48,
	LD_B_IND = 0x50,
	LD_IMM = 0x00,
	LD_MEM = 0x60,
	LD_LEN = 0x80,
	LDX_IMM = 0x01,
	LDX_MEM = 0x61,
	LDX_LEN = 0x81,
	LDX_MSH = 0xb1, /* 4 * (byte at K & 15): an IPv4 header's length */
	ST = 0x02,
	STX = 0x03,
	ADD_K = 0x04,
	ADD_X = 0x0c,
	SUB_K = 0x14,
	SUB_X = 0x1c,
	MUL_K = 0x24,
	MUL_X = 0x2c,
	DIV_K = 0x34,
	DIV_X = 0x3c,
	OR_K = 0x44,
	OR_X = 0x4c,
	AND_K = 0x54,
	AND_X = 0x5c,
	LSH_K = 0x64,
	LSH_X = 0x6c,
	RSH_K = 0x74,
	RSH_X = 0x7c,
	NEG = 0x84,
	MOD_K = 0x94,
	MOD_X = 0x9c,
	XOR_K = 0xa4,
	XOR_X = 0xac,
	JA = 0x05,
	JEQ_K = 0x15,
	JEQ_X = 0x1d,
	JGT_K = 0x25,
	JGT_X = 0x2d,
	JGE_K = 0x35,
	JGE_X = 0x3d,
	JSET_K = 0x45,
	JSET_X = 0x4d,
	RET_K = 0x06,
	RET_A = 0x16,
	TAX = 0x07,
	TXA = 0x87,
};

/* What is asked of an instruction, by its code; 0: there is no such code. */
enum {
	NONE = 0,
	PLAIN, /* nothing */
	CELL,  /* K is a cell */
	NONZERO,
	SHIFT,
	JUMP,   /* by K */
	BRANCH, /* by JT and JF */
	RETURN,
};

static const uint8_t asked[256] = {
	[LD_W_ABS] = PLAIN,
	[LD_H_ABS] = PLAIN,
	[LD_B_ABS] = PLAIN,
	[LD_W_IND] = PLAIN,
	[LD_H_IND] = PLAIN,
	[LD_B_IND] = PLAIN,
	[LD_IMM] = PLAIN,
	[LD_MEM] = CELL,
	[LD_LEN] = PLAIN,
	[LDX_IMM] = PLAIN,
	[LDX_MEM] = CELL,
	[LDX_LEN] = PLAIN,
	[LDX_MSH] = PLAIN,
	[ST] = CELL,
	[STX] = CELL,
	[ADD_K] = PLAIN,
	[ADD_X] = PLAIN,
	[SUB_K] = PLAIN,
	[SUB_X] = PLAIN,
	[MUL_K] = PLAIN,
	[MUL_X] = PLAIN,
	[DIV_K] = NONZERO,
	[DIV_X] = PLAIN,
	[OR_K] = PLAIN,
	[OR_X] = PLAIN,
	[AND_K] = PLAIN,
	[AND_X] = PLAIN,
	[LSH_K] = SHIFT,
	[LSH_X] = PLAIN,
	[RSH_K] = SHIFT,
	[RSH_X] = PLAIN,
	[NEG] = PLAIN,
	[MOD_K] = NONZERO,
	[MOD_X] = PLAIN,
	[XOR_K] = PLAIN,
	[XOR_X] = PLAIN,
	[JA] = JUMP,
	[JEQ_K] = BRANCH,
	[JEQ_X] = BRANCH,
	[JGT_K] = BRANCH,
	[JGT_X] = BRANCH,
	[JGE_K] = BRANCH,
	[JGE_X] = BRANCH,
	[JSET_K] = BRANCH,
	[JSET_X] = BRANCH,
	[RET_K] = RETURN,
	[RET_A] = RETURN,
	[TAX] = PLAIN,
	[TXA] = PLAIN,
};

/* @after: how many instructions follow this one. */
static bool
insn_good(const struct program_insn *i, uint32_t after)
{
	if (i->code > 0xff)
		return false;
	switch (asked[i->code]) {
	case PLAIN:
		return after > 0;
	case CELL:
		return after > 0 && i->k < PROGRAM_CELLS;
	case NONZERO:
		return after > 0 && i->k != 0;
	case SHIFT:
		return after > 0 && i->k < 32;
	case JUMP:
		return i->k < after;
	case BRANCH:
		return i->jt < after && i->jf < after;
	case RETURN:
		return true;
	default:
		return false;
	}
}

int
program_check(const struct program *p, uint32_t *at)
{
	*at = 0;
	if (p->count == 0 || p->count > PROGRAM_MAX)
		return -EINVAL;
	for (uint32_t i = 0; i < p->count; i++) {
		*at = i;
		if (!insn_good(&p->insns[i], p->count - 1 - i))
			return -EINVAL;
	}
	return 0;
}

/* Are there @size bytes at @at + @more? */
static inline bool
inside(uint32_t len, uint32_t at, uint32_t more, uint32_t size)
{
	uint64_t end = (uint64_t)at + more + size;

	return end <= len;
}

uint32_t
program_run(const struct program *p, const uint8_t *data, uint32_t len)
{
	const struct program_insn *i = p->insns;
	uint32_t cells[PROGRAM_CELLS] = { 0 };
	uint32_t a = 0, x = 0;

	for (;; i++) {
		uint32_t k = i->k;

		switch (i->code) {
		case LD_W_IND:
			if (!inside(len, x, k, 4))
				return 0;
			a = be32_get(data + (x + k));
			break;
		case LD_W_ABS:
			if (!inside(len, 0, k, 4))
				return 0;
			a = be32_get(data + k);
			break;
		case LD_H_IND:
			if (!inside(len, x, k, 2))
				return 0;
			a = be16_get(data + (x + k));
			break;
		case LD_H_ABS:
			if (!inside(len, 0, k, 2))
				return 0;
			a = be16_get(data + k);
			break;
		case LD_B_IND:
			if (!inside(len, x, k, 1))
				return 0;
			a = data[x + k];
			break;
		case LD_B_ABS:
			if (!inside(len, 0, k, 1))
				return 0;
			a = data[k];
			break;
		case LDX_MSH:
			if (!inside(len, 0, k, 1))
				return 0;
			x = (data[k] & 0xfu) * 4;
			break;
		case LD_IMM:
			a = k;
			break;
		case LD_MEM:
			a = cells[k];
			break;
		case LD_LEN:
			a = len;
			break;
		case LDX_IMM:
			x = k;
			break;
		case LDX_MEM:
			x = cells[k];
			break;
		case LDX_LEN:
			x = len;
			break;
		case ST:
			cells[k] = a;
			break;
		case STX:
			cells[k] = x;
			break;
		case ADD_K:
			a += k;
			break;
		case ADD_X:
			a += x;
			break;
		case SUB_K:
			a -= k;
			break;
		case SUB_X:
			a -= x;
			break;
		case MUL_K:
			a *= k;
			break;
		case MUL_X:
			a *= x;
			break;
		case DIV_K:
			a /= k;
			break;
		case DIV_X:
			if (x == 0)
				return 0;
			a /= x;
			break;
		case MOD_K:
			a %= k;
			break;
		case MOD_X:
			if (x == 0)
				return 0;
			a %= x;
			break;
		case OR_K:
			a |= k;
			break;
		case OR_X:
			a |= x;
			break;
		case AND_K:
			a &= k;
			break;
		case AND_X:
			a &= x;
			break;
		case XOR_K:
			a ^= k;
			break;
		case XOR_X:
			a ^= x;
			break;
		case LSH_K:
			a <<= k;
			break;
		case LSH_X:
			a = x < 32 ? a << x : 0;
			break;
		case RSH_K:
			a >>= k;
			break;
		case RSH_X:
			a = x < 32 ? a >> x : 0;
			break;
		case NEG:
			a = 0u - a;
			break;
		case TAX:
			x = a;
			break;
		case TXA:
			a = x;
			break;
		case JA:
			i += k;
			break;
		case JEQ_K:
			i += a == k ? i->jt : i->jf;
			break;
		case JEQ_X:
			i += a == x ? i->jt : i->jf;
			break;
		case JGT_K:
			i += a > k ? i->jt : i->jf;
			break;
		case JGT_X:
			i += a > x ? i->jt : i->jf;
			break;
		case JGE_K:
			i += a >= k ? i->jt : i->jf;
			break;
		case JGE_X:
			i += a >= x ? i->jt : i->jf;
			break;
		case JSET_K:
			i += (a & k) != 0 ? i->jt : i->jf;
			break;
		case JSET_X:
			i += (a & x) != 0 ? i->jt : i->jf;
			break;
		case RET_K:
			return k;
		case RET_A:
			return a;
		default:
			COAX_UNREACHABLE();
		}
	}
}

/* A number up to @max, and what ends it. */
static int
take_number(const char **s, uint32_t max, char end, uint32_t *out)
{
	const char *p = *s;
	uint64_t n = 0;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++) {
		n = n * 10 + (uint64_t)(*p - '0');
		if (n > max)
			return -EINVAL;
	}
	if (*p != end)
		return -EINVAL;
	*out = (uint32_t)n;
	*s = end != '\0' ? p + 1 : p;
	return 0;
}

int
program_parse(const char *s, struct program_insn *insns, struct program *out)
{
	uint32_t count, code, jt, jf, k;

	if (take_number(&s, UINT32_MAX, ',', &count) != 0 || count == 0)
		return -EINVAL;
	if (count > PROGRAM_MAX)
		return -E2BIG;
	for (uint32_t i = 0; i < count; i++) {
		/* A comma after the last is as good as none. */
		const char *end = strchr(s, ',');

		if (take_number(&s, UINT16_MAX, ' ', &code) != 0 ||
		    take_number(&s, UINT8_MAX, ' ', &jt) != 0 ||
		    take_number(&s, UINT8_MAX, ' ', &jf) != 0 ||
		    take_number(&s, UINT32_MAX, end != NULL ? ',' : '\0', &k) !=
		        0)
			return -EINVAL;
		insns[i] = (struct program_insn){ (uint16_t)code, (uint8_t)jt,
			(uint8_t)jf, k };
	}
	if (*s != '\0')
		return -EINVAL;
	*out = (struct program){ count, insns };
	return 0;
}

int
program_format(const struct program *p, char *s, size_t size)
{
	struct sbuf b = sbuf_init(s, size);

	sbuf_printf(&b, "%u", p->count);
	for (uint32_t i = 0; i < p->count; i++) {
		const struct program_insn *n = &p->insns[i];

		sbuf_printf(&b, ",%u %u %u %u", n->code, n->jt, n->jf, n->k);
	}
	return sbuf_ok(&b) ? 0 : -ENAMETOOLONG;
}
