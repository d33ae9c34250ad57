/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A rule of ipfw: what its text says, as data.
 *
 * A rule is a head (number, set, action) and conditions, which are all to hold.
 * A condition is a block: terms of which one is to hold ("{ a or b }").  A term
 * is a list of items of which one is to hold ("80,443"), or none ("not").  An
 * item is one struct ipfw_insn; flags say where lists, terms and blocks begin:
 *
 *     from { 10.0.0.1,10.0.0.2 or not 10.1.0.0/16 } 80
 *          [SRC]     [SRC LIST]    [SRC OR NOT]     [SPORT]
 *
 * Items stand in the order of the text; ipfw_parse() makes them and
 * ipfw_print() writes them, so that what was written reads as the same rule.
 * ipfw_program.h says what becomes of rules.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "net/iface.h"

#define IPFW_NUMBER_MAX  65535u /* the default rule */
#define IPFW_SETS        32u
#define IPFW_SET_KEPT    31u /* not flushed */
#define IPFW_NAME_MAX    64  /* of a table, of states; with the NUL */
#define IPFW_COMMENT_MAX 80
#define IPFW_INSNS_MAX   256         /* in a rule */
#define IPFW_WORDS_MAX   512         /* in its text */
#define IPFW_TEXT_MAX    8192        /* of a rule, printed */
#define IPFW_STEP        100         /* net.inet.ip.fw.autoinc_step */
#define IPFW_TABLEARG    0x10000u    /* an argument: the table's value */
#define IPFW_WHOLE       1000000000u /* prob 1 */

enum ipfw_action {
	IPFW_ALLOW,
	IPFW_DENY,
	IPFW_COUNT,
	IPFW_SKIPTO,
	IPFW_REJECT, /* unreach host */
	IPFW_RESET,
	IPFW_UNREACH,
	IPFW_RESET6,
	IPFW_UNREACH6,
	IPFW_PIPE,
	IPFW_QUEUE,
	IPFW_CHECK_STATE,
	IPFW_ACTIONS
};

enum ipfw_op {
	IPFW_OP_PROTO,   /* num */
	IPFW_OP_VERSION, /* num: 4 or 6 */
	IPFW_OP_SRC_IP4, /* ip4 */
	IPFW_OP_DST_IP4,
	IPFW_OP_SRC_SET, /* set */
	IPFW_OP_DST_SET,
	IPFW_OP_SRC_IP6, /* ip6 */
	IPFW_OP_DST_IP6,
	IPFW_OP_SRC_ME, /* num: 4, 6 or 0: any */
	IPFW_OP_DST_ME,
	IPFW_OP_SRC_TABLE, /* table */
	IPFW_OP_DST_TABLE,
	IPFW_OP_SRC_PORT, /* range */
	IPFW_OP_DST_PORT,
	IPFW_OP_IN,
	IPFW_OP_OUT,
	IPFW_OP_LAYER2,
	IPFW_OP_BRIDGED,
	IPFW_OP_VIA, /* name: may have * and ?, or be "any" */
	IPFW_OP_RECV,
	IPFW_OP_XMIT,
	IPFW_OP_VIA_TABLE, /* table */
	IPFW_OP_RECV_TABLE,
	IPFW_OP_XMIT_TABLE,
	IPFW_OP_MAC,     /* mac: both */
	IPFW_OP_SRC_MAC, /* mac: this one */
	IPFW_OP_DST_MAC,
	IPFW_OP_SRC_MAC_TABLE,
	IPFW_OP_DST_MAC_TABLE,
	IPFW_OP_MAC_TYPE, /* range */
	IPFW_OP_TCPFLAGS, /* bits */
	IPFW_OP_ESTABLISHED,
	IPFW_OP_ICMPTYPES, /* set, of types */
	IPFW_OP_ICMP6TYPES,
	IPFW_OP_FRAG,      /* bits: of IPFW_FRAG_* */
	IPFW_OP_IPOPTIONS, /* bits: of IPFW_OPT_* */
	IPFW_OP_TCPOPTIONS,
	IPFW_OP_IPLEN, /* range */
	IPFW_OP_IPID,
	IPFW_OP_TTL,
	IPFW_OP_TCPDATALEN,
	IPFW_OP_TCPWIN,
	IPFW_OP_TCPACK, /* num */
	IPFW_OP_TCPSEQ,
	IPFW_OP_IPVER, /* num */
	IPFW_OP_PRECEDENCE,
	IPFW_OP_TOS,        /* bits */
	IPFW_OP_DSCP,       /* set */
	IPFW_OP_LOOKUP,     /* table; num: enum ipfw_lookup */
	IPFW_OP_KEEP_STATE, /* state */
	IPFW_OP_LIMIT,      /* state */
	IPFW_OPS
};

#define IPFW_FRAG_MF     1u
#define IPFW_FRAG_DF     2u
#define IPFW_FRAG_RF     4u
#define IPFW_FRAG_OFFSET 8u

/* Which part of the text an item stands in. */
enum ipfw_part {
	IPFW_PART_PROTO,
	IPFW_PART_SRC,
	IPFW_PART_SPORT,
	IPFW_PART_DST,
	IPFW_PART_DPORT,
	IPFW_PART_OPTIONS,
};

/* What `limit' counts by. */
#define IPFW_BY_SRC_ADDR 1u
#define IPFW_BY_SRC_PORT 2u
#define IPFW_BY_DST_ADDR 4u
#define IPFW_BY_DST_PORT 8u

enum ipfw_lookup {
	IPFW_LOOKUP_DST_IP,
	IPFW_LOOKUP_SRC_IP,
	IPFW_LOOKUP_DST_PORT,
	IPFW_LOOKUP_SRC_PORT,
	IPFW_LOOKUP_DST_MAC,
	IPFW_LOOKUP_SRC_MAC,
	IPFW_LOOKUP_DSCP,
	IPFW_LOOKUPS
};

#define IPFW_NOT  1u /* of the whole term: on its first item */
#define IPFW_LIST 2u /* goes on with the term before */
#define IPFW_OR   4u /* a further term of the block before */
#define IPFW_WORD 8u /* it was written as `setup', `src-ip6', `dst-ip6' */

struct ipfw_insn {
	uint8_t op;
	uint8_t flags;
	uint8_t part;
	union {
		uint32_t num;
		struct {
			uint32_t addr, mask; /* numbers, not bytes */
		} ip4;
		struct {
			uint8_t addr[16], mask[16];
		} ip6;
		struct {
			uint32_t addr; /* of bit 0 */
			uint32_t len;  /* of the prefix that was written */
			uint64_t bits[4];
		} set;
		struct {
			uint16_t lo, hi;
		} range;
		struct {
			uint8_t on, off;
		} bits;
		struct {
			uint8_t src[6], src_mask[6];
			uint8_t dst[6], dst_mask[6];
		} mac;
		char name[IFACE_NAME_MAX];
		struct {
			char name[IPFW_NAME_MAX];
			bool valued;
			uint8_t key; /* enum ipfw_lookup */
			uint32_t value;
		} table;
		struct {
			char name[IPFW_NAME_MAX]; /* "default" */
			uint32_t by, max; /* of a limit; max may be tablearg */
		} state;
	};
};

struct ipfw_head {
	uint32_t number; /* 0: the next */
	uint32_t set;
	enum ipfw_action action;
	uint32_t arg;  /* number, code; IPFW_TABLEARG */
	uint32_t prob; /* of IPFW_WHOLE; 0: always */
	bool log;
	uint32_t log_max; /* 0: as net.inet.ip.fw.verbose_limit */
	bool log_max_said;
	char state[IPFW_NAME_MAX]; /* of check-state */
	char comment[IPFW_COMMENT_MAX];
};

/* As parsed; ipfw.h keeps it. */
struct ipfw_text {
	struct ipfw_head head;
	uint32_t count;
	struct ipfw_insn insns[IPFW_INSNS_MAX];
};

/* What a refusal says, and the exit status that ipfw(8) would have. */
#define IPFW_EX_USAGE       64
#define IPFW_EX_DATAERR     65
#define IPFW_EX_NOHOST      68
#define IPFW_EX_UNAVAILABLE 69
#define IPFW_EX_OSERR       71
struct ipfw_error {
	int status;
	char text[256];
};

/**
 * ipfw_parse() - the words behind "add"
 * @words: borrowed; a word may have blanks, commas and braces stuck to it
 * @out:   written only on success
 *
 * Return: 0 or -EINVAL with @error.
 */
int ipfw_parse(const char *const *words, uint32_t count, struct ipfw_text *out,
    struct ipfw_error *error);

#define IPFW_PRINT_COMPACT 1u /* -c */
#define IPFW_PRINT_NAMES   2u /* -N */
#define IPFW_PRINT_COMMENT 4u /* -b: nothing but action and comment */
/**
 * ipfw_print() - the rule behind number and counters: "allow ip from any ..."
 * @insns: of the rule
 */
void ipfw_print(const struct ipfw_head *head, const struct ipfw_insn *insns,
    uint32_t count, uint32_t flags, struct sbuf *out);

/* Words of both; ipfw_words.c.  Tables end with a NULL name. */
struct ipfw_word {
	const char *name;
	uint32_t value;
};
extern const struct ipfw_word ipfw_protocols[], ipfw_services[],
    ipfw_ethertypes[], ipfw_unreach_codes[], ipfw_unreach6_codes[],
    ipfw_tcpflags[], ipfw_tcpoptions[], ipfw_ipoptions[], ipfw_iptos[],
    ipfw_dscps[], ipfw_limits[], ipfw_frags[], ipfw_lookups[];
/** ipfw_word_find() - its row, or NULL */
const struct ipfw_word *ipfw_word_find(
    const struct ipfw_word *table, const char *name);
/** ipfw_word_of() - the first name of @value, or NULL */
const char *ipfw_word_of(const struct ipfw_word *table, uint32_t value);

/** ipfw_parse_addr() - "192.0.2.0/24", "192.0.2.1:255.255.255.0",
 * "2001:db8::/32", as a table has it: 4 or 6, or -EINVAL */
int ipfw_parse_addr(const char *s, uint8_t addr[16], uint32_t *prefix);
/** ipfw_parse_mac() - "00:11:22:33:44:55", "/28", "&ff:..." behind it;
 * "any".  0 or -EINVAL */
int ipfw_parse_mac(const char *s, uint8_t addr[6], uint8_t mask[6]);
/** ipfw_print_addr() - the opposite of the first */
void ipfw_print_addr(
    int family, const uint8_t *addr, uint32_t prefix, struct sbuf *out);
void ipfw_print_mac(
    const uint8_t addr[6], const uint8_t mask[6], struct sbuf *out);
