/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The syntax of rc.conf(5), sysctl.conf(5) and loader.conf(5): text to
 * assignments. What variables mean is config_plan.c's.
 *
 *     # comment
 *     name="value" other='value' third=value    # or on lines of their own
 *     list="${list} more"                       # a variable set above
 *     long="one \
 *         two"                                  # lines within quotes too
 *     net.link.bridge.inherit_mac=1             # a sysctl: it has a dot
 *     [sysctl.conf]                             # only sysctls from here on
 *     [vnet alice]                              # alice's own from here on
 *     [rc.conf]                                 # the daemon's own vnet again
 *
 * This is sh(1) without its programs: what would run a command, read a file or
 * test something is refused, with its line and what is expected there. A
 * variable that is assigned again has its last value, as in sh. Sections are
 * coax's own.
 *
 * Hostile input: no more than RCCONF_FILE_MAX bytes a file, RCCONF_VALUES_MAX
 * bytes of values (a variable can be used in others, which doubles it),
 * RCCONF_ASSIGN_MAX assignments,
 * RCCONF_WORDS_MAX words of a value and RCCONF_TOTAL_MAX in all,
 * RCCONF_ERRORS_MAX errors.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/text.h"

#define RCCONF_FILE_MAX   ((size_t)16 * 1024 * 1024)
#define RCCONF_FILE_SMALL ((size_t)1024 * 1024) /* of a vnet's own */
#define RCCONF_VALUES_MAX ((size_t)64 * 1024 * 1024)
#define RCCONF_ASSIGN_MAX 262144u /* assignments */
#define RCCONF_NAME_MAX   256
#define RCCONF_WORDS_MAX  131072u /* of one value */
#define RCCONF_ERRORS_MAX 20
#define RCCONF_FILES_MAX  16
#define RCCONF_VNETS_MAX  4096
#define RCCONF_TOTAL_MAX  1000000u /* words that become something */

/* Where a thing stands; line 0: nowhere. */
struct rc_where {
	uint32_t file; /* index into rcconf.files */
	uint32_t line;
};

/* A value goes on in another line from @at on. */
struct rc_break {
	size_t at;
	uint32_t line;
};

struct rc_entry {
	char *name;
	char *value;           /* without quotes, variables replaced */
	struct rc_where where; /* of the name */
	uint32_t value_line;   /* where the value begins */
	struct rc_break *breaks;
	uint32_t break_count;
	uint32_t vnet;   /* index into rcconf.vnets; 0: the daemon's own */
	bool sysctl;     /* its name has a dot */
	bool superseded; /* assigned again later */
	bool used;       /* the planner's: it was understood */
};

struct rc_error {
	char *text; /* "FILE:LINE: what, what is expected" */
	struct rc_where where;
};

struct rcconf {
	struct rc_entry *entries; /* owned, as is all below */
	size_t count, room;
	size_t file_max; /* bytes; rcconf_init() */
	size_t value_size;
	char *files[RCCONF_FILES_MAX];
	uint32_t file_count;
	char **vnets; /* of sections; vnets[0] is "" */
	uint32_t vnet_count;
	struct rc_error errors[RCCONF_ERRORS_MAX];
	uint32_t error_count;
	bool no_memory;
	void *index; /* by name, to find what is assigned again */
};

/** rcconf_init() - nothing yet; rcconf_fini() frees what was added */
void rcconf_init(struct rcconf *rc);
void rcconf_fini(struct rcconf *rc);

/**
 * rcconf_parse() - one more file, which begins in the daemon's own vnet
 * @name: for messages; copied
 * @text: @len bytes; borrowed for the call
 *
 * Errors are collected, up to RCCONF_ERRORS_MAX, in rc->errors.
 *
 * Return: 0, -EINVAL (there are errors) or -ENOMEM.
 */
int rcconf_parse(
    struct rcconf *rc, const char *name, const char *text, size_t len);

/** rcconf_find() - the value of a variable, or NULL; @vnet as in an entry */
struct rc_entry *rcconf_find(
    const struct rcconf *rc, uint32_t vnet, const char *name);

/** rcconf_error() - add "FILE:LINE: " and a text; what is more than there is
 * room for is not kept */
void rcconf_error(struct rcconf *rc, struct rc_where where, const char *fmt,
    ...) COAX_PRINTF(3, 4);

/* A word of a value. */
struct rc_word {
	char *text;
	uint32_t line;
};

struct rc_words {
	struct rc_word *list; /* owned */
	uint32_t count;
	char *memory;
};

/**
 * rcconf_words() - a value as words, RCCONF_WORDS_MAX at most
 *
 * Blanks and lines part them. Within a value, quotes of the other kind and
 * backslashes keep blanks, which sh does not do: "ssid 'my ap'".
 *
 * Return: 0, -EINVAL (a quote without its end), -E2BIG or -ENOMEM.
 */
int rcconf_words(const struct rc_entry *e, struct rc_words *out);
void rcconf_words_free(struct rc_words *w);

/** rcconf_put_word() - append a word to a value, quoted if need be */
void rcconf_put_word(struct text *value, const char *word);

/** rcconf_put() - append an assignment to a file: name="value", long values
 * over several lines. @prefix begins each line ("" or "+") */
void rcconf_put(
    struct text *t, const char *prefix, const char *name, const char *value);
