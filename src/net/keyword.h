/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ifconfig grammar as rows.  A kind's own words stand in its file and
 * hang on its iface_ops; the words of every interface stand in control/.  The
 * parser (control/) reads arguments by the row, refuses the whole line on a
 * bad one with BSD's wording, and then applies the rows left to right.
 */
#pragma once

#include <stdint.h>

#include "net/iface.h"

#define KEYWORD_ARGS_MAX 3

enum keyword_arg_kind {
	KEYWORD_ARG_END = 0,
	KEYWORD_ARG_IFNAME, /* an interface name; str */
	KEYWORD_ARG_NUMBER, /* strtoul base 0, min..max; num */
	KEYWORD_ARG_MAC,    /* mac */
	KEYWORD_ARG_WORD,   /* any word; str */
	KEYWORD_ARG_VLAN,   /* 1..4094, or 0 when the optional word is absent */
};

struct keyword_arg {
	enum keyword_arg_kind kind;
	const char *name;  /* for messages and manual: "interface", "mac" */
	uint64_t min, max; /* of a number */
	/* Optional: present only if the next word is this literal ("vlan"). */
	const char *literal;
};

union keyword_value {
	const char *str; /* borrowed for the call */
	uint64_t num;
	uint8_t mac[6];
};

struct iface_keyword {
	const char *name; /* "addm", "-learn"; NULL ends a table */
	struct keyword_arg args[KEYWORD_ARGS_MAX];
	/* 0 or -errno; net_error() may add a detail. @v has one value an arg */
	int (*apply)(struct iface *ifp, const union keyword_value *v);
	/* The name that BSD prints before the argument when the system refuses:
	 * "BRDGADD" gives `ifconfig: BRDGADD epair1a: Invalid argument`. */
	const char *bsd_name;
	const char *help; /* one line */
	/* The word prints instead of changing ("addr"): apply is NULL and
	 * show describes through the sink, rendered as print-out part @name. */
	void (*show)(const struct iface *ifp, struct info *out);
	/* Used instead of apply when the word stands on the line that creates
	 * @ifp; NULL: apply.  On an error the parser destroys @ifp again, so
	 * nothing remains of the line (feth: `create peer NAME`). */
	int (*apply_create)(struct iface *ifp, const union keyword_value *v);
};
