/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An extcap program's words: options as getopt_long(3) takes them, and which of
 * them go together.
 */
#include "cli/extcap_args.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "lib/capture.h"

/* Options that ask for something have 1 + enum extcap_what, to be told from
 * those that say something about it. */
enum {
	OPT_VERSION_OF = 100, /* Wireshark's own version */
	OPT_IFACE,
	OPT_FILTER,
	OPT_FIFO,
	OPT_SOCKET,
	OPT_DIRECTION,
	OPT_SNAPLEN,
	OPT_BUFFER,
	OPT_DROPS,
};

static const struct option options[] = {
	{ "help", no_argument, NULL, 1 + EXTCAP_HELP },
	{ "version", no_argument, NULL, 1 + EXTCAP_VERSION },
	{ "extcap-interfaces", no_argument, NULL, 1 + EXTCAP_INTERFACES },
	{ "extcap-dlts", no_argument, NULL, 1 + EXTCAP_DLTS },
	{ "extcap-config", no_argument, NULL, 1 + EXTCAP_CONFIG },
	{ "capture", no_argument, NULL, 1 + EXTCAP_CAPTURE },
	{ "extcap-version", optional_argument, NULL, OPT_VERSION_OF },
	{ "extcap-interface", required_argument, NULL, OPT_IFACE },
	{ "extcap-capture-filter", required_argument, NULL, OPT_FILTER },
	{ "fifo", required_argument, NULL, OPT_FIFO },
	{ "socket", required_argument, NULL, OPT_SOCKET },
	{ "direction", required_argument, NULL, OPT_DIRECTION },
	{ "snaplen", required_argument, NULL, OPT_SNAPLEN },
	{ "buffer", required_argument, NULL, OPT_BUFFER },
	{ "drops", no_argument, NULL, OPT_DROPS },
	{ NULL, 0, NULL, 0 },
};

static int
say(char *why, size_t size, const char *what, const char *word)
{
	(void)snprintf(
	    why, size, "%s%s%.64s", what, word[0] != '\0' ? ": " : "", word);
	return -EINVAL;
}

/* The value of an option that says something. */
static int
take(int opt, const char *s, struct extcap_args *a, char *why, size_t size)
{
	switch (opt) {
	case OPT_IFACE:
		if (!str_has_prefix(s, EXTCAP_PREFIX))
			return say(why, size,
			    "--extcap-interface: names begin with " EXTCAP_PREFIX,
			    s);
		a->iface = s + strlen(EXTCAP_PREFIX);
		return 0;
	case OPT_FILTER:
		a->filter = s;
		return 0;
	case OPT_FIFO:
		a->fifo = s;
		return 0;
	case OPT_SOCKET:
		a->socket = s[0] != '\0' ? s : NULL;
		return 0;
	case OPT_DIRECTION:
		a->in = strcmp(s, "in") == 0;
		a->out = strcmp(s, "out") == 0;
		if (a->in || a->out || strcmp(s, "both") == 0)
			return 0;
		return say(why, size, "--direction is in, out or both", s);
	case OPT_SNAPLEN:
		if (str_u32(s, 10, 0, PCAPNG_SNAPLEN_MAX, &a->snaplen) == 0)
			return 0;
		return say(why, size, "--snaplen is out of range", s);
	case OPT_BUFFER:
		if (str_u32(s, 10, CAPTURE_ROOM_MIN / 1024,
		        CAPTURE_ROOM_MAX / 1024, &a->buffer_kib) == 0)
			return 0;
		return say(why, size, "--buffer is out of range", s);
	case OPT_DROPS:
		a->drops = true;
		return 0;
	default:
		return 0;
	}
}

/* The one thing that is asked for. */
static int
judge(uint32_t asked, struct extcap_args *a, char *why, size_t size)
{
	if (asked == 0 && a->filter != NULL)
		asked = 1u << EXTCAP_CHECK;
	if (asked == 0)
		return say(why, size, "nothing is asked for", "");
	if ((asked & (asked - 1)) != 0)
		return say(why, size, "two things are asked for at once", "");
	a->what = (enum extcap_what)__builtin_ctz(asked);
	if ((a->what == EXTCAP_DLTS || a->what == EXTCAP_CONFIG ||
	        a->what == EXTCAP_CAPTURE) &&
	    (a->iface == NULL || a->iface[0] == '\0'))
		return say(why, size, "--extcap-interface is missing", "");
	if (a->what == EXTCAP_CAPTURE &&
	    (a->fifo == NULL || a->fifo[0] == '\0'))
		return say(why, size, "--fifo is missing", "");
	return 0;
}

int
extcap_parse(
    int argc, char **argv, struct extcap_args *out, char *why, size_t size)
{
	struct extcap_args a = { 0 };
	uint32_t asked = 0;
	int opt, err;

	optind = 0; /* from the start */
	opterr = 0;
	while ((opt = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (opt == '?')
			return say(why, size, "no such option, or not so",
			    optind > 0 && optind <= argc ? argv[optind - 1]
			                                 : "");
		if (opt < OPT_VERSION_OF) {
			asked |= 1u << (opt - 1);
			continue;
		}
		err = take(opt, optarg, &a, why, size);
		if (err < 0)
			return err;
	}
	if (optind < argc)
		return say(why, size, "no word is expected here", argv[optind]);
	err = judge(asked, &a, why, size);
	if (err < 0)
		return err;
	*out = a;
	return 0;
}

const char *
extcap_value(const char *s, char *buf, size_t size)
{
	size_t n = 0;

	for (; *s != '\0' && n + 1 < size; s++) {
		unsigned char c = (unsigned char)*s;

		if (c != '{' && c != '}' && c >= ' ' && c != 0x7f)
			buf[n++] = (char)c;
	}
	buf[n] = '\0';
	return buf;
}
