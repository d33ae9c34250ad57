/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line that Wireshark gives an extcap program.
 *
 * Source: the Wireshark Developer's Guide, "Extcap: Developer Reference".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What names of interfaces begin with, in Wireshark's list. */
#define EXTCAP_PREFIX "coax-"

enum extcap_what {
	EXTCAP_HELP,
	EXTCAP_VERSION,
	EXTCAP_INTERFACES, /* --extcap-interfaces */
	EXTCAP_DLTS,       /* --extcap-dlts */
	EXTCAP_CONFIG,     /* --extcap-config */
	EXTCAP_CHECK,      /* --extcap-capture-filter alone */
	EXTCAP_CAPTURE,    /* --capture */
};

struct extcap_args {
	enum extcap_what what;
	const char *iface; /* without the prefix; NULL: none was given */
	const char *fifo;
	const char *filter; /* NULL: none was given */
	const char *socket;
	uint32_t snaplen;
	uint32_t buffer_kib; /* 0: the default */
	bool in, out, drops;
};

/**
 * extcap_parse() - read the words
 * @argv: borrowed, as are the strings in @out
 * @why:  what is wrong
 *
 * Return: 0, or -EINVAL with @why written.
 */
int extcap_parse(
    int argc, char **argv, struct extcap_args *out, char *why, size_t size);

/** extcap_value() - @s for a line of Wireshark's "{key=value}": without braces
 * and control characters; into @buf, cut to fit */
const char *extcap_value(const char *s, char *buf, size_t size);
