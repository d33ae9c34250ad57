/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From data to text: what the daemon answers (JSON) in the form that the BSD
 * tools print, byte for byte, and coax's own listings in 80 columns.
 *
 * Used by the command line program and by the golden tests. The data comes
 * from a peer: whatever it is, nothing here crashes; what is missing or of
 * another type is left out. Control characters from it are printed as '?'.
 *
 * The parts of an interface are a table (printout.c): each row has the key of
 * the iface object, and the function that prints its lines, in BSD's order.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "control/text.h"

#define PRINTOUT_VERBOSE 0x01u /* -v: kind, index, counters, drops as well */

/**
 * printout_result() - the answer of the methods "ifconfig" and "sysctl"
 * @program: name for messages: "ifconfig"
 * @result:  {"out":[PART...],"exit":N?}; borrowed
 * @out, @err: texts for standard output and standard error; appended to
 *
 * Return: the exit status (result's "exit", else 0).
 */
int printout_result(const char *program, const json_t *result, struct text *out,
    struct text *err);

/**
 * printout_error() - an error object of JSON-RPC
 *
 * Prints data.done first (as printout_result()), then "PROGRAM: MESSAGE" and,
 * if there is a detail, "PROGRAM: (DETAIL)"; or a line for each of data.errors.
 *
 * Return: the exit status (data's "exit", else 1).
 */
int printout_error(const char *program, const json_t *error, struct text *out,
    struct text *err);

/* One part of ifconfig's or sysctl's output. */
void printout_part(const char *program, const json_t *part, struct text *out,
    struct text *err);

/* One iface object, in ifconfig's format; @flags PRINTOUT_*. */
void printout_iface(const json_t *iface, unsigned int flags, struct text *out);

/* Lines "MAC VlanN IF SECONDS flags=N<...>" of an addresses array. */
void printout_addresses(const json_t *addresses, struct text *out);
void printout_address(const json_t *address, struct text *out);

/* The answer of iface.list (an array of iface objects) as a table. */
void printout_iface_table(const json_t *list, struct text *out);

/* The answer of xen.list: a table, or why there is none. */
void printout_xen(const json_t *result, struct text *out);

/* The answer of vnet.list as a table. */
void printout_vnets(const json_t *list, struct text *out);

/* The answer of trace: the frame, and a line a step. */
void printout_trace(const json_t *result, struct text *out);

/* The answer of drops: reason, count, sentence; "no drops" if there are none.*/
void printout_drops(const json_t *result, struct text *out);

/* The answer of pool.get. */
void printout_pool(const json_t *pool, struct text *out);

/* The answer of rpc.methods. */
void printout_methods(const json_t *methods, struct text *out);

/* The parameters of an event notification: one line of coax monitor. */
void printout_event(const json_t *event, struct text *out);

/* Any JSON, indented, with a newline: --json. */
void printout_json(const json_t *value, struct text *out);
