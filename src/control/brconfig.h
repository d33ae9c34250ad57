/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NetBSD's brconfig(8) as a front end: its words become ifconfig's words for a
 * bridge, its print-outs are made of what the structured methods say, and its
 * error texts of the names of errors.
 *
 * One command is one request, as it is one ioctl there: what was done before a
 * refused one stays done.  `up' and `down' come last, whatever their place.
 *
 * Data in, data out: the caller calls the methods and prints.
 *
 * Source: brconfig(8) of NetBSD 10.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "control/text.h"

struct brconfig_io {
	/* Calls a method; @params is consumed.  0 with *@result, or -1 with
	 * *@error (an error object of JSON-RPC; NULL: there is no more of a
	 * connection, and that was said).  New references. */
	int (*call)(void *arg, const char *method, json_t *params,
	    json_t **result, json_t **error);
	/* Prints @out to standard output, and frees it; 0, or not: enough. */
	int (*put)(void *arg, struct text *out);
	void *arg;
	const char *program; /* in messages: "brconfig" */
	bool json;           /* print data */
};

/**
 * brconfig_run() - a command line
 * @argc, @argv: its words, without the program's name
 * @err: text for standard error; appended to
 *
 * Return: exit status: 0 or 1.
 */
int brconfig_run(const struct brconfig_io *io, int argc,
    const char *const *argv, struct text *err);
