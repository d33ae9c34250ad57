/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ifconfig grammar as rows.  A kind's own words stand in its file and
 * hang on its iface_ops; the words of every interface stand in control/.  The
 * parser (control/) reads arguments by the row, refuses the whole line on a
 * bad one with BSD's wording, and then applies the rows left to right.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/iface.h"

#define KEYWORD_ARGS_MAX 3
#define KEYWORD_SAVE_MAX 32 /* words that a save() puts at once */

enum keyword_arg_kind {
	KEYWORD_ARG_END = 0,
	KEYWORD_ARG_IFNAME, /* an interface name; str */
	KEYWORD_ARG_NUMBER, /* strtoul base 0, min..max; num */
	KEYWORD_ARG_MAC,    /* mac */
	KEYWORD_ARG_WORD,   /* any word; str */
	KEYWORD_ARG_VLAN,   /* 1..4094, or 0 when the optional word is absent */
	KEYWORD_ARG_VLANS,  /* a set (base/vlanset.h); str, or NULL if absent */
	KEYWORD_ARG_CHOICE, /* one of choices; str, as it stands there */
};

struct keyword_arg {
	enum keyword_arg_kind kind;
	const char *name;  /* for messages and manual: "interface", "mac" */
	uint64_t min, max; /* of a number */
	/* Optional: present only if one of the next words is this literal
	 * ("vlan").  Optional arguments come in any order, after the others. */
	const char *literal;
	/* What BSD says of a bad value; the value follows if it ends in a
	 * blank.  NULL: "invalid value: ". */
	const char *bad;
	const char *choices; /* "802.1q\0802.1ad\0" */
	/* The word that sets the same of what the first argument names:
	 * "ifuntagged" for the optional argument of "addm". */
	const char *as;
	bool any_case; /* "RSTP" is "rstp" */
	/* What BSD says if an optional argument's literal is the last word;
	 * NULL: that it requires one. */
	const char *usage;
};

union keyword_value {
	const char *str; /* borrowed for the call */
	uint64_t num;
	uint8_t mac[6];
};

/*
 * Where a row says, as words, what it has been told: for the export of a
 * configuration, for knowing whether an operation changes anything, and for
 * taking one back.
 */
struct keyword_sink {
	/* One operation. Strings are borrowed for the call. */
	void (*op)(
	    struct keyword_sink *s, const char *const *words, uint32_t count);
	bool all;       /* also what is as in a new interface */
	bool transient; /* also what is about a struct iface's transient */
	bool unsaid; /* set by save(): there is something that no words say */
};

/** keyword_may_say() - may @who's words be about @ifp?  Not about what ends
 * with a program, unless wanted; and they must find it */
bool keyword_may_say(
    struct keyword_sink *s, const struct iface *who, const struct iface *ifp);

struct iface_keyword {
	const char *name; /* "addm", "-learn"; NULL ends a table */
	struct keyword_arg args[KEYWORD_ARGS_MAX];
	/* 0 or -errno; net_error() may add a detail. @v has one value an arg */
	int (*apply)(struct iface *ifp, const union keyword_value *v);
	/* The name that BSD prints before the argument when the system refuses:
	 * "BRDGADD" gives `ifconfig: BRDGADD epair1a: Invalid argument`. */
	const char *bsd_name;
	int bsd_arg; /* which argument follows it, from 0; -1: none does */
	/* The same if there is no such thing (ENOENT); NULL: bsd_name. */
	const char *bsd_absent;
	/* What BSD says if arguments are missing; NULL: how many it needs. */
	const char *usage;
	const char *help; /* one line */
	/* The word prints instead of changing ("addr"): apply is NULL and
	 * show puts the members of a print-out part. */
	void (*show)(const struct iface *ifp, struct info *out);
	/* Used instead of apply when the word stands on the line that creates
	 * @ifp; NULL: apply.  On an error the parser destroys @ifp again, so
	 * nothing remains of the line (feth: `create peer NAME`). */
	int (*apply_create)(struct iface *ifp, const union keyword_value *v);
	/* The word is refused with this sentence unless the line has the word
	 * @with as well; with_create: the sentence on a line that creates. */
	const char *with, *without, *without_create;
	/* Puts the operations that make a new interface of the kind what @ifp
	 * is, as far as this row and those that name it in saved_by are
	 * concerned.  NULL only with saved_by: every row says where the state
	 * is that it leaves (a test holds all rows to this). */
	void (*save)(const struct iface *ifp, struct keyword_sink *s);
	/* The row whose save() says it: the opposite, a synonym; "": the word
	 * leaves no state. */
	const char *saved_by;
	/* Of a word that adds to a list: the word that takes it out again, with
	 * those of the arguments that it has as well. */
	const char *undo;
	/* The word is kept and shown, and does nothing: said once a line. */
	bool recorded;
	/* Who may say it, where others than administrators may at all; 0: who
	 * owns the interface. */
	enum keyword_who {
		KEYWORD_OWNER,
		KEYWORD_GROUP, /* and who is in its group */
		KEYWORD_ADMIN, /* administrators only */
	} who;
	/* The word takes hold of the interface that its first argument names:
	 * who says it must own that one, too. */
	bool takes;
};

/** keyword_put() - one operation; the text's words have no blanks */
void keyword_put(struct keyword_sink *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/** keyword_put_switch() - "word object", or "-word object" if not @on; @object
 * may be "".  Nothing if it is as @preset, unless all is wanted */
void keyword_put_switch(struct keyword_sink *s, const char *word,
    const char *object, bool on, bool preset);
/** keyword_put_number() - "word N"; nothing if it is as @preset, unless all is
 * wanted */
void keyword_put_number(
    struct keyword_sink *s, const char *word, uint64_t n, uint64_t preset);
