/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One ifconfig(8) command line, from words to changes and print-out parts.
 *
 * Theory of operation
 *
 *   words --parse--> operations --apply, left to right--> parts
 *
 * The whole line is parsed by table first: the rows that hold for every
 * interface (control/words.c) and those of the kind (ops->keywords). A line
 * that does not parse is refused with BSD's wording and nothing is changed.
 * Then the operations run left to right, as BSD's do: when one fails, those
 * before it stay and those after it do not run.
 *
 * What is printed is data: an array of parts, rendered by control/printout.
 *   {"part":"iface", ...iface object, methods.h}   one interface
 *   {"part":"names","names":["tap0",...]}           -l
 *   {"part":"created","name":"tap0"}                KIND create
 *   {"part":"addresses","addresses":[...]}          addr (key = the word)
 *   {"part":"kinds","kinds":[{"kind","about"}...],"verbose":bool}  -C
 *   {"part":"notice","text":"..."}                  a warning: standard error;
 *       about words that were only kept also "iface","kind","recorded":[words]
 *   {"part":"usage","text":"..."}                   the usage: standard error
 *
 * An operation that must wait for the system leaves the run unfinished: the
 * run is resumed by the system (struct net_wait) and tells its owner.
 *
 * Forms (NAME may be NAME@VNET from home):
 *   ifconfig [-j VNET] [-v] [-n] NAME              show
 *   ifconfig [-j VNET] NAME WORDS...               change
 *   ifconfig NAME create [WORDS...]                NAME: kind or kind + unit
 *   ifconfig NAME destroy
 *   ifconfig [-a] [-u] [-d] [-v] [-g GROUP] [-G GROUP]
 *   ifconfig -l [-u] [-d] [-g GROUP];  ifconfig -C [-v]
 *   ifconfig                                       as -a
 * -k -L -m -n -f FORMAT are accepted; what they would add is always printed
 * or does not exist here.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/keyword.h"
#include "net/net.h"

/* Most words of a line; a line of 2000 members fits. */
#define IFCONFIG_WORDS_MAX 8192

struct ifconfig_run;

struct ifconfig_request {
	struct net *net;         /* borrowed for the run's life */
	const struct vnet *vnet; /* where it acts; NULL is home. Only during
	                          * ifconfig_start() */
	bool home;               /* the asker may name other vnets */
	bool read_only; /* whatever changes something is refused, EPERM */
	uint32_t argc;
	const char *const *argv; /* without the program's name; borrowed during
	                          * ifconfig_start() */
	const char *cause;       /* copied; may be NULL */
	bool long_line; /* no limit to its words: they are no client's */
	bool no_wait;   /* not for leases */
	/* -a: only a page, of what comes after the interface with index
	 * @after, 0 at first; ifconfig_next() says whether there is more. */
	bool paged;
	uint32_t after;
	/* Called once, from inside ifconfig_start(), when the line has been
	 * understood and nothing has been done: for control/ itself
	 * (ifconfig_impl.h). May be NULL. */
	void (*parsed)(struct ifconfig_run *run, void *arg);
	/* Called once, if ifconfig_start() said -EINPROGRESS, when the run has
	 * ended. It may call ifconfig_free(). */
	void (*done)(struct ifconfig_run *run, void *arg);
	/* Called at most once, from inside ifconfig_start(), when all that is
	 * left is to wait for a netdev to go in the background. May be NULL. */
	void (*destroying)(struct ifconfig_run *run, void *arg);
	void *arg;
};

/**
 * ifconfig_start() - run a command line
 * @out: the run; owned: ifconfig_free() after it has ended
 *
 * Return: 0 (it has ended, well or not: ask the functions below),
 * -EINPROGRESS (done() will be called) or -ENOMEM (no run).
 */
int ifconfig_start(
    const struct ifconfig_request *request, struct ifconfig_run **out);

/** ifconfig_exit() - exit status of the command: 0, or 1 if refused */
int ifconfig_exit(const struct ifconfig_run *run);

/** ifconfig_out() - the parts printed (also by a run that failed later).
 * Return: new reference */
json_t *ifconfig_out(const struct ifconfig_run *run);

/** ifconfig_next() - where the next page begins (@after), or 0: that was all */
uint32_t ifconfig_next(const struct ifconfig_run *run);

/**
 * ifconfig_error() - what went wrong, or NULL
 *
 * Return: an error object of JSON-RPC, new reference: {"code":-32000,
 * "message":"BRDGADD tap1: Invalid argument", "data":{"errno":"EINVAL",
 * "exit":1, "detail":"one sentence"?, "word":the index of the argument at which
 * it happened, "done":[parts], "helper":{"vnet",
 * "iface","created":bool,"rest":[words]}?}}. helper: the daemon may not enter
 * that vnet; the client's helper can make the netdev (method host.give), then
 * the words in rest are still to be run.
 */
json_t *ifconfig_error(const struct ifconfig_run *run);

/** ifconfig_iface() - the interface of the line, or NULL */
struct iface *ifconfig_iface(const struct ifconfig_run *run);

/** ifconfig_free() - NULL is valid. The run has ended, or the system that it
 * waits for has been shut down */
void ifconfig_free(struct ifconfig_run *run);

/* The words that hold for every interface: same shape as a kind's own. Ended
 * by a NULL name. Words that need more than struct iface_keyword can say
 * (families, addresses, create) are in ifconfig.c's own table and listed by
 * ifconfig_words(). */
extern const struct iface_keyword ifconfig_common_words[];

/**
 * ifconfig_word_list() - calls @each for every word that @ops's interfaces
 * take; @ops NULL: only those of all. @own: from the kind's table
 */
void ifconfig_word_list(const struct iface_ops *ops,
    void (*each)(void *arg, const struct iface_keyword *row, bool own),
    void *arg);

/**
 * ifconfig_save() - puts what @ifp is as operations
 *
 * Done in this order on a new interface of its kind and unit they make it what
 * @ifp is.  Interfaces that they name must exist.  Every word that changes
 * something has a row that says what it has changed (net/keyword.h), so this is
 * all that ifconfig can have said.
 */
void ifconfig_save(const struct iface *ifp, struct keyword_sink *s);
