/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files config*.c share: config.c (life of an application),
 * config_export.c (a net to variables), config_plan.c (variables to steps),
 * config_trial.c (steps on a shadow),
 * config_undo.c (taking back what was done).
 */
#pragma once

#include "control/config.h"
#include "control/ifconfig.h"

struct config {
	struct config_options options;
	json_t *presets; /* sysctls at the start: name, value */
	struct config_run *running;
	TAILQ_HEAD(, config_run) waiting;
};

#define CONFIG_MANGLED_MAX 64

/** config_mangle() - an interface's name as the names of variables have it */
void config_mangle(const char *name, char out[CONFIG_MANGLED_MAX]);

/* --- steps: config_plan.c ---------------------------------------------------
 */

/* In the order in which they are done. */
enum config_phase {
	CONFIG_VNETS,    /* name: make that vnet */
	CONFIG_SYSCTLS,  /* name, value */
	CONFIG_CLONES,   /* name: make it, with these words */
	CONFIG_NAMES,    /* name: call it @value */
	CONFIG_CHILDREN, /* as clones: P.N, when P has its name */
	CONFIG_LINES,    /* name: these words */
	CONFIG_PHASES
};

/* One thing that a file wants. */
struct config_step {
	enum config_phase phase;
	uint32_t vnet; /* section */
	struct rc_where where;
	const struct rc_entry *entry; /* borrowed from the rcconf */
	const char *variable;         /* its name */
	char *name, *value;           /* owned */
	struct rc_word *words;        /* owned, with their texts */
	uint32_t count;
	bool done;
};

struct config_plan {
	struct config_step *steps; /* owned */
	size_t count, room;
	uint32_t words;  /* of all, and the steps */
	json_t *notices; /* lines */
	bool no_memory;
};

/**
 * config_plan() - what the variables mean
 * @net: for the names of interfaces that are there
 * @vnet: of section 0
 * @home: there may be other sections
 *
 * Errors are added to @rc.
 * Return: 0, -EINVAL or -ENOMEM. @out is owned in any case.
 */
int config_plan(struct rcconf *rc, struct net *net, struct vnet *vnet,
    bool home, struct config_plan *out);
void config_plan_free(struct config_plan *p);

/* --- on the shadow: config_trial.c ------------------------------------------
 */

struct config_commands;

struct config_trial {
	struct net *shadow;
	const struct sysctl_tree *tree;
	struct rcconf *rc; /* errors are added */
	struct config_plan *plan;
	const char *vnet; /* of section 0 */
	bool home;
	struct config_commands *commands; /* what is to be done on the net */
	json_t *notices;                  /* lines are added */
	bool no_memory;
	/* config_trial()'s: */
	json_t *refused, *strange, *recorded;
	json_t *names; /* steps of CONFIG_NAMES: "SECTION X": place */
	json_t *given; /* "SECTION Y": true */
};

/** config_trial() - do all steps. 0, -EINVAL (errors) or -ENOMEM */
int config_trial(struct config_trial *t);

/** config_clone_find() - the interface that would be made by @name ("feth0"),
 * if it is there, whatever it is called by now; or NULL */
struct iface *config_clone_find(
    struct net *net, struct vnet *vnet, const char *name);

/** config_line_message() - what a line was refused with, in one line */
void config_line_message(
    const struct ifconfig_run *line, char *text, size_t size);

/* --- what is done: config.c, config_undo.c -----------------------------------
 */

/* A command for the net: as ifconfig_start() takes it, or a sysctl. */
struct config_command {
	char *vnet;   /* owned */
	json_t *argv; /* of a line: strings; NULL: none */
	/* Without words: a sysctl, or without a value a vnet, which is made or
	 * destroyed. */
	char *name, *value;
	bool destroy;
	bool sync; /* a lease is waited for afterwards */
	struct rc_where where;
	const char *variable;
};

struct config_commands {
	struct config_command *list; /* owned */
	size_t count, room;
	bool no_memory;
};

struct config_command *config_command_add(
    struct config_commands *c, const char *vnet);
void config_commands_free(struct config_commands *c);

/* What a net was, to be made again. */
struct config_before;

/** config_before_create() - remember. 0 or -ENOMEM */
int config_before_create(
    const struct config *config, struct net *net, struct config_before **out);
void config_before_destroy(struct config_before *b);
/**
 * config_undo() - the next commands that bring it back
 * @round: 0, 1, ...: each after the commands of the one before were done
 *
 * Return: false if there is no such round.
 */
bool config_undo(const struct config_before *b, struct net *net, uint32_t round,
    struct config_commands *out);
/** config_same() - is it as it was? If not, one line about what is not */
bool config_same(
    const struct config_before *b, struct net *net, struct text *why);
