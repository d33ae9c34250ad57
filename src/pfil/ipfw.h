/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipfw: a packet filter in the rule language of FreeBSD's ipfw(8), as a package
 * of pfil/pfil.h.
 *
 * Theory of operation
 *
 * A struct ipfw belongs to a vnet.  It has rules in order (number, then age),
 * tables, dynamic states, pipes.  Rules are text that was parsed
 * (ipfw_rule.h); after each change they are compiled, for each list of hooks
 * apart, into a program (ipfw_program.h) which is what packets meet.  Changes
 * are made between packets, and all at once: ipfw_begin() ... ipfw_end(), which
 * compiles.
 *
 * The hooks are in the vnet's lists while there is something to decide: while
 * it is enabled and has rules, or its default is to deny.  Otherwise it costs
 * nothing.
 *
 * Differs: the default rule is to allow (net.inet.ip.fw.default_to_accept), and
 * can be changed at any time; there it is to deny unless said at boot.
 *
 * Threads: the worker's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/log.h"
#include "base/prng.h"
#include "base/timerheap.h"
#include "frame/parse.h"
#include "pfil/dummynet.h"
#include "pfil/ipfw_rule.h"
#include "pfil/ipfw_state.h"
#include "pfil/ipfw_table.h"
#include "pfil/pfil.h"

#define IPFW_RULES_MAX 65536u

extern const struct pfil_package ipfw_package;

struct ipfw_program;

struct ipfw_rule {
	TAILQ_ENTRY(ipfw_rule) link;
	struct ipfw_head head;
	uint32_t id;    /* of all rules that there were: its age */
	uint32_t order; /* place among all, since the last compilation */
	uint64_t packets, bytes, last_ns;
	uint32_t logged; /* since it was reset */
	bool gone;       /* deleted */
	uint32_t count;
	struct ipfw_insn insns[];
};
TAILQ_HEAD(ipfw_rules, ipfw_rule);
TAILQ_HEAD(ipfw_tables, ipfw_table);

/* Lists of hooks that it has, each with its program. */
enum ipfw_hook {
	IPFW_HOOK_ETHER_OUT,
	IPFW_HOOK_IP4_IN,
	IPFW_HOOK_IP4_OUT,
	IPFW_HOOK_IP6_IN,
	IPFW_HOOK_IP6_OUT,
	IPFW_HOOKS
};

/* sysctl net.inet.ip.fw.*, as control/ipfw.c names them; ipfw_settings has
 * their numbers. */
enum ipfw_setting {
	IPFW_ENABLE,
	IPFW_DEFAULT_TO_ACCEPT,
	IPFW_ONE_PASS,
	IPFW_VERBOSE,
	IPFW_VERBOSE_LIMIT,
	IPFW_AUTOINC_STEP,
	IPFW_DYN_MAX,
	IPFW_DYN_ACK_LIFETIME,
	IPFW_DYN_SYN_LIFETIME,
	IPFW_DYN_FIN_LIFETIME,
	IPFW_DYN_RST_LIFETIME,
	IPFW_DYN_UDP_LIFETIME,
	IPFW_DYN_SHORT_LIFETIME,
	IPFW_ICMP_LIMIT,
	IPFW_SETTINGS
};
struct ipfw_setting_info {
	uint32_t preset, min, max;
};
extern const struct ipfw_setting_info ipfw_settings[IPFW_SETTINGS];

/* Addresses of the host, for `me'; asked for once a second at most. */
#define IPFW_ME_MAX 256
struct ipfw_me {
	uint64_t until_ns;
	uint32_t count;
	struct ipfw_key keys[IPFW_ME_MAX];
};

struct ipfw {
	struct net *net;
	struct vnet *vnet;
	uint32_t settings[IPFW_SETTINGS];
	struct ipfw_rules rules;
	uint32_t rule_count;
	struct ipfw_rules gone; /* deleted, and not yet compiled without */
	struct ipfw_rule *last; /* the default: number 65535, in no list */
	uint32_t next_id;
	uint32_t sets_off; /* a bit a disabled set */
	struct ipfw_program *programs[IPFW_HOOKS];
	struct ipfw_tables tables;
	uint32_t table_count;
	struct ipfw_states states;
	struct dummynet pipes;
	struct prng prng;
	struct ipfw_me me;
	struct timer sweep;
	struct ratelimit answers, log_rate;
	uint64_t answered, unanswered;
};

/** ipfw_of() - of a vnet, made if need be. 0 or -ENOMEM */
int ipfw_of(struct vnet *vnet, struct ipfw **out);
/** ipfw_peek() - the same if there is one, or NULL */
struct ipfw *ipfw_peek(const struct vnet *vnet);

uint32_t ipfw_get(const struct ipfw *fw, enum ipfw_setting s);
/** ipfw_set() - 0, -EINVAL (range), -ENOMEM */
int ipfw_set(struct ipfw *fw, enum ipfw_setting s, uint32_t value);

/**
 * ipfw_add() - a rule; it counts from ipfw_commit() on
 * @number: that it got
 *
 * Return: 0, -ENOSPC (IPFW_RULES_MAX, or no number is free), -ENOMEM.
 */
int ipfw_add(struct ipfw *fw, const struct ipfw_text *text, uint32_t *number);

/* Which rules a command is about. */
struct ipfw_range {
	uint32_t first, last; /* numbers */
	uint32_t sets;        /* a bit each */
};
/** ipfw_delete() - how many; what is deleted ends at ipfw_commit().  The
 * default rule stays. */
uint32_t ipfw_delete(struct ipfw *fw, const struct ipfw_range *range);
/** ipfw_zero() - counters, or (@log) only how many were logged. How many */
uint32_t ipfw_zero(struct ipfw *fw, const struct ipfw_range *range, bool log);
/** ipfw_move() - rules of a range into a set. How many */
uint32_t ipfw_move(
    struct ipfw *fw, const struct ipfw_range *range, uint32_t set);
/** ipfw_swap() - two sets */
void ipfw_swap(struct ipfw *fw, uint32_t a, uint32_t b);
/** ipfw_sets() - enable and disable sets, a bit each; never IPFW_SET_KEPT */
void ipfw_sets(struct ipfw *fw, uint32_t on, uint32_t off);

/**
 * ipfw_commit() - compile, and be what the rules say
 *
 * Return: 0, or -ENOMEM: packets meet the rules as they were, and the next
 * commit tries again.
 */
int ipfw_commit(struct ipfw *fw);

/** ipfw_table() - by name, or NULL */
struct ipfw_table *ipfw_table(const struct ipfw *fw, const char *name);
/** ipfw_table_make() - 0, -EEXIST, -ENOSPC, -ENOMEM */
int ipfw_table_make(struct ipfw *fw, const char *name,
    enum ipfw_table_type type, struct ipfw_table **out);
/** ipfw_table_remove() - 0 or -EBUSY (a rule names it) */
int ipfw_table_remove(struct ipfw *fw, struct ipfw_table *t);
/** ipfw_tables_swap() - contents of two of one type. 0 or -EINVAL */
int ipfw_tables_swap(struct ipfw_table *a, struct ipfw_table *b);

/* --- for pfil/ ------------------------------------------------------------ */

/* ipfw_compile.c, ipfw_run.c; what a rule means to a list of hooks. */
struct ipfw_program *ipfw_compile(struct ipfw *fw, enum ipfw_hook hook);
void ipfw_program_free(struct ipfw_program *p);
/* How many rules a packet that none can match is compared with: for tests. */
uint32_t ipfw_program_linear(const struct ipfw_program *p);
enum pfil_verdict ipfw_run(
    struct ipfw *fw, const struct ipfw_program *prog, struct pfil_packet *p);

/* ipfw.c */
/* States wait for their end. */
void ipfw_sweep_arm(struct ipfw *fw);
bool ipfw_is_me(struct ipfw *fw, const struct ipfw_key *addr);

/* ipfw_answer.c */
/* Answers as @rule says, if that may be: to @p, of which @parsed is what was
 * found. */
void ipfw_answer(struct ipfw *fw, const struct ipfw_rule *rule,
    const struct pfil_packet *p, const struct parsed *parsed);

/* ipfw_log.c: "100 Deny TCP 10.0.0.1:5 10.0.0.2:80 in via em0" */
void ipfw_log_text(const struct ipfw_rule *rule, const struct pfil_packet *p,
    const struct parsed *parsed, struct sbuf *out);
/* The same for what no rule is asked about: "-1 Refuse". */
void ipfw_log_bad(
    struct ipfw *fw, const struct pfil_packet *p, const struct parsed *parsed);
void ipfw_log(struct ipfw *fw, struct ipfw_rule *rule,
    const struct pfil_packet *p, const struct parsed *parsed);
