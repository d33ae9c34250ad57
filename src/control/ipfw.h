/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipfw(8)'s command line, on the rules of a vnet (pfil/ipfw.h).
 *
 * The method "ipfw": {"argv":[...]} is one command; {"lines":[...]} are the
 * lines of a file, each a command, with "argv" before them as options.  Lines
 * take effect together, up to the first that is refused.
 *
 * The answer has parts, {"out":[PART...],"exit":N}:
 *   {"part":"ipfw-rule","head","body","number","set","packets","bytes",
 *    "rule","enabled","age_ms"?,"stamp"?}   a rule: its line is head and body;
 *                        with age_ms, between them goes the time of its last
 *                        packet, in the form "t" or "T" of "stamp"
 *   {"part":"ipfw-state", ...}, {"part":"ipfw-table", ...},
 *   {"part":"ipfw-entry", ...}, {"part":"ipfw-pipe", ...},
 *   {"part":"ipfw-flow", ...}: as data, with "lines" for people
 *   {"part":"lines","text"}   standard output
 *   {"part":"warning","text"} standard error
 *
 * A listing comes in pages of IPFW_PAGE items, so that traffic goes on
 * meanwhile: the answer has "next" if there is more, and the same with
 * {"after": next} is the next page.  What changes between two pages may be
 * missing, or be there twice.
 *
 * Rules are an administrator's: nobody else has the method.  The read-only
 * socket lists.
 */
#pragma once

#include <jansson.h>

#include "control/rpc.h"
#include "control/sysctl.h"
#include "pfil/ipfw.h"

#define IPFW_PAGE 500u

extern const struct rpc_method control_ipfw_methods[];
/* net.inet.ip.fw.* and net.pfil.*. */
extern const struct sysctl_row sysctl_pfil_rows[];

/* --- for control/ipfw*.c -------------------------------------------------- */

/* A command under way. */
struct ipfw_cmd {
	struct vnet *vnet;
	struct ipfw *fw;
	bool read_only, changed;
	/* Options. */
	bool counters, dynamic, only_dynamic, expired, sets, compact, names,
	    brief, check, quiet, force;
	char stamp; /* 't', 'T' or 0 */
	bool set_said;
	uint32_t set;
	/* What is left of the line. */
	const char *const *argv;
	uint32_t argc, at;
	uint32_t line; /* of a file, or 0 */
	json_t *out;
	int status;
	/* Of a listing: items before @after are left out, @left more are put,
	 * and then it is said that there are @more. */
	uint64_t after, index;
	uint32_t left;
	bool more;
};

/** ipfw_wanted() - is the next item of a listing in this page? */
bool ipfw_wanted(struct ipfw_cmd *c);

/** ipfw_line() - a line for standard output */
void ipfw_line(struct ipfw_cmd *c, const char *fmt, ...) COAX_PRINTF(2, 3);
/** ipfw_part() - a part with its line; @part is consumed */
void ipfw_part(struct ipfw_cmd *c, json_t *part, const char *fmt, ...)
    COAX_PRINTF(3, 4);
/** ipfw_fail() - the command is refused. Return: false */
bool ipfw_fail(struct ipfw_cmd *c, int status, const char *fmt, ...)
    COAX_PRINTF(3, 4);
/** ipfw_next() - the next word, or NULL */
const char *ipfw_next(struct ipfw_cmd *c);
/** ipfw_take() - is the next word @word? Then it is taken */
bool ipfw_take(struct ipfw_cmd *c, const char *word);
/** ipfw_may_change() - false, with a refusal, on the read-only socket */
bool ipfw_may_change(struct ipfw_cmd *c);

/* ipfw_tables.c, ipfw_pipes.c; the words behind the first. */
bool ipfw_cmd_table(struct ipfw_cmd *c);
bool ipfw_cmd_pipe(struct ipfw_cmd *c, bool queue);
