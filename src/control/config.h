/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Configurations: what a net is, as rc.conf(5) text, and text made into what a
 * net is.
 *
 * Theory of operation
 *
 *   export   every interface says by its words what it has been told
 *            (ifconfig_save()), every sysctl its value if it is not the one at
 *            the daemon's start; config_export.c gives them the names of
 *            rc.conf's variables.
 *
 *   apply    text --rcconf.c--> assignments --config_plan.c--> steps
 *            steps run on a shadow of the net (shadow.h): whatever is wrong is
 *            found there, with its file and line, and nothing has been touched.
 *            The difference of the shadow's export before and after is what is
 *            printed. Then what was done on the shadow is done on the net. If
 *            the system refuses something there, all is taken back
 *            (config_undo.c).
 *
 * A file adds: what it names will be as it says, what it does not name stays.
 * What is there already is not done again, so a file can be applied twice.
 *
 * One is applied at a time; the next one waits. While the net is being changed
 * the owner may hold other clients (config_options.hold), so that nobody sees
 * or disturbs half of it.
 *
 * Parts of the output (see ifconfig.h): "notice", and
 *   {"part":"difference","settings":[{"vnet","name","old"?,"new"?}...]}
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "control/rcconf.h"
#include "control/sysctl.h"
#include "net/net.h"

struct config;
struct config_run;

struct config_options {
	struct net *net;                /* borrowed, as is all here */
	const struct sysctl_tree *tree; /* of its sysctls */
	/* While @on, requests of others wait. May be NULL. */
	void (*hold)(void *arg, bool on);
	void *arg;
};

/**
 * config_create() - values of sysctls are from here on what a daemon begins
 * with. 0 or -ENOMEM
 */
int config_create(const struct config_options *options, struct config **out);
/** config_destroy() - no run is under way; NULL is valid */
void config_destroy(struct config *config);

/* --- export ----------------------------------------------------------------
 */

/* One assignment, in the order of a file. */
struct config_setting {
	char *vnet; /* section; "" is the daemon's own vnet */
	char *name;
	char *value;
};

struct config_settings {
	struct config_setting *list; /* owned, as is all here */
	size_t count, room;
	struct text notes; /* lines: what a file cannot say */
	bool no_memory;
};

/**
 * config_settings() - what @net is
 * @vnet: only of this one, as its own configuration; NULL: of all
 * @transient: also what ends with a program
 *
 * @out: owned; config_settings_free(), also on an error
 * Return: 0 or -ENOMEM.
 */
int config_settings(const struct config *config, struct net *net,
    struct vnet *vnet, bool transient, struct config_settings *out);
void config_settings_free(struct config_settings *s);

/** config_text() - settings as a file, appended */
void config_text(const struct config_settings *s, struct text *t);

/* --- apply ------------------------------------------------------------------
 */

struct config_request {
	struct config *config;
	struct rcconf rc;  /* consumed; config_free() ends it */
	struct vnet *vnet; /* whose configuration it is; NULL: home's, which
	                    * may have sections for all */
	bool dry_run;      /* only say what would change */
	const char *cause; /* copied; may be NULL */
	/* Called once, if config_apply() said -EINPROGRESS. It may call
	 * config_free(). */
	void (*done)(struct config_run *run, void *arg);
	void *arg;
};

/**
 * config_apply() - make the net what a file says, or leave it as it is
 * @out: owned: config_free() after its end
 *
 * Return: 0 (it has ended, well or not), -EINPROGRESS (done() will be called)
 * or -ENOMEM (no run; request->rc was freed).
 */
int config_apply(const struct config_request *request, struct config_run **out);

/** config_failed() - nothing was changed, or all was taken back */
bool config_failed(const struct config_run *run);
/** config_out() - array of parts; new reference */
json_t *config_out(const struct config_run *run);
/** config_errors() - array of lines, each with its file and line if it has
 * one; new reference */
json_t *config_errors(const struct config_run *run);
void config_free(struct config_run *run);
