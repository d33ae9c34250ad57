/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What coax's commands share. A command is a row in main.c and a function; it
 * gets its own words as argv[0], argv[1], ... and returns the exit status.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "lib/client.h"

struct text;

struct cli {
	const char *program; /* in messages: "coax", "ifconfig", "sysctl" */
	const char *socket;  /* -S, or NULL */
	bool json;           /* --json was given */
};

struct cli_command {
	const char *name; /* NULL ends the table */
	int (*run)(struct cli *cli, int argc, char **argv);
	bool by_name;     /* also when the program is called by that name */
	const char *args; /* for the usage */
	const char *about;
};

int cli_ifconfig(struct cli *cli, int argc, char **argv);
int cli_brconfig(struct cli *cli, int argc, char **argv);
int cli_ipfw(struct cli *cli, int argc, char **argv);
int cli_sysctl(struct cli *cli, int argc, char **argv);
int cli_trace(struct cli *cli, int argc, char **argv);
int cli_drops(struct cli *cli, int argc, char **argv);
int cli_capture(struct cli *cli, int argc, char **argv);
int cli_monitor(struct cli *cli, int argc, char **argv);
int cli_rpc(struct cli *cli, int argc, char **argv);
int cli_vnet(struct cli *cli, int argc, char **argv);
int cli_jexec(struct cli *cli, int argc, char **argv);
int cli_lab(struct cli *cli, int argc, char **argv);
int cli_status(struct cli *cli, int argc, char **argv);
int cli_jail(struct cli *cli, int argc, char **argv);
int cli_jls(struct cli *cli, int argc, char **argv);
int cli_kldload(struct cli *cli, int argc, char **argv);
int cli_kldunload(struct cli *cli, int argc, char **argv);
int cli_kldstat(struct cli *cli, int argc, char **argv);
int cli_ping(struct cli *cli, int argc, char **argv);
int cli_ping6(struct cli *cli, int argc, char **argv);
int cli_bsd_env(struct cli *cli, int argc, char **argv);
int cli_sed(struct cli *cli, int argc, char **argv);
int cli_run(struct cli *cli, int argc, char **argv);
int cli_tap(struct cli *cli, int argc, char **argv);
int cli_uplink(struct cli *cli, int argc, char **argv);
int cli_xen(struct cli *cli, int argc, char **argv);
int cli_list(struct cli *cli, int argc, char **argv);
int cli_apply(struct cli *cli, int argc, char **argv);
int cli_export(struct cli *cli, int argc, char **argv);

/* --- cli/util.c ------------------------------------------------------------
 */

/* "PROGRAM: ..." on standard error. Return: 1. */
int cli_error(const struct cli *cli, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* "usage: ..." on standard error. Return: 1. */
int cli_usage(const struct cli *cli, const char *args);

/* Connects; without a daemon that is one line and NULL. */
struct coax *cli_connect(const struct cli *cli);

/*
 * Calls a method (@params is consumed). On failure prints why.
 * Return: 0 with *@result a new reference (@result may be NULL), or the exit
 * status.
 */
int cli_call(const struct cli *cli, struct coax *c, const char *method,
    json_t *params, json_t **result);

/* Prints why a call with the result @err has failed. Return: exit status. */
int cli_refused(const struct cli *cli, struct coax *c, int err);

/* Takes every "--json" out of argv, and sets cli->json if there was one. */
void cli_take_json(struct cli *cli, int *argc, char **argv);

/* The words as a JSON array of strings, or NULL with a message. */
json_t *cli_words(const struct cli *cli, int argc, char **argv);

/* Writes a text to standard output and frees it; 0, or 1 with a message. */
int cli_put(const struct cli *cli, struct text *t);

/* The same for both streams. */
int cli_put_both(const struct cli *cli, struct text *out, struct text *err);

/* A method without parameters, printed by @print or as JSON. */
int cli_list_method(struct cli *cli, const char *method, json_t *params,
    void (*print)(const json_t *result, struct text *out));

/* --- cli/jexec.c ------------------------------------------------------------
 */

struct netns_enter_options;

/* What is needed to enter a vnet, by its name or number; the descriptors are
 * the caller's. 0 or the exit status. */
int cli_open_enter(
    const struct cli *cli, const char *name, struct netns_enter_options *enter);

/* --- cli/jexec_helper.c -----------------------------------------------------
 */

/*
 * Makes the netdev that the daemon may not make itself, and gives it to it.
 * @helper: the member "helper" of an ifconfig error. Return: 0 or exit status.
 */
int cli_help_daemon(
    const struct cli *cli, struct coax *c, const json_t *helper);

/*
 * Afterwards, when the rest of the words has been done: the netdev gets the MTU
 * and the up of the interface, which the daemon cannot set there. As above.
 */
int cli_help_finish(
    const struct cli *cli, struct coax *c, const json_t *helper);

/*
 * Opens the namespaces behind a vnet of the list: @net_fd, and @user_fd if
 * another user namespace has to be entered first, else -1. 0 or -errno.
 */
int cli_open_vnet(struct coax *c, const char *name, int *user_fd, int *net_fd);

/* The row of a vnet in the list, by its name or its number: new reference, or
 * NULL (none, or an error: coax_error_object()). */
json_t *cli_vnet_row(struct coax *c, const char *name);
/* Is that the row of a vnet of that name or number? */
bool cli_vnet_is(const json_t *row, const char *name);

/*
 * Opens what `vnet attach` passes: the namespace and, for a process, a pidfd.
 * Return: how many (0 to 2); what could not be opened is left to the daemon.
 */
unsigned int cli_open_what(const char *what, int fds[2]);
