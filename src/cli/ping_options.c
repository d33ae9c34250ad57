/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line of ping and ping6, with FreeBSD's words, ranges and exit
 * status. See ping.h.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "base/util.h"
#include "cli/ping.h"

const char ping_usage[] =
    "usage: ping [-46AaDdfHLnoQqrv] [-c count] [-G sweepmaxsize]\n"
    "            [-g sweepminsize] [-h sweepincrsize] [-I interface]\n"
    "            [-i wait] [-l preload] [-m ttl] [-p pattern]\n"
    "            [-S src_addr] [-s packetsize] [-T ttl] [-t timeout]\n"
    "            [-W waittime] [-z tos] host\n";

/* Options that others have and that this one says no to. */
static const char refused_options[] = "bCEekMNOPRuYyZ";

struct parse {
	struct ping_options *o;
	struct sbuf message;
};

static int
refuse(struct parse *p, const char *what, const char *value)
{
	sbuf_printf(&p->message, "%s: `%s'", what, value);
	return PING_EX_USAGE;
}

static int
number(struct parse *p, const char *what, uint64_t min, uint64_t max,
    uint64_t *out)
{
	return str_u64(optarg, 0, min, max, out) == 0 ? 0
	                                              : refuse(p, what, optarg);
}

static int
number32(struct parse *p, const char *what, uint32_t min, uint32_t max,
    uint32_t *out)
{
	uint64_t value = 0;
	int status = number(p, what, min, max, &value);

	if (status == 0)
		*out = (uint32_t)value;
	return status;
}

static int
small(struct parse *p, const char *what, int *out)
{
	uint32_t value = 0;
	int status = number32(p, what, 0, 255, &value);

	if (status == 0)
		*out = (int)value;
	return status;
}

/* "1", "0.25": seconds. */
static int
seconds(struct parse *p, const char *what, uint64_t *ns)
{
	char *end;
	double s;

	if (!isdigit((unsigned char)optarg[0]) && optarg[0] != '.')
		return refuse(p, what, optarg);
	s = strtod(optarg, &end);
	if (end == optarg || *end != '\0' || !(s > 0) || s > 1e9)
		return refuse(p, what, optarg);
	*ns = (uint64_t)(s * 1e9);
	if (*ns == 0)
		*ns = 1;
	return 0;
}

static int
pattern(struct parse *p)
{
	const char *s = optarg;
	size_t len = strlen(s);

	p->o->pattern_len = 0;
	for (size_t i = 0; i < len && p->o->pattern_len < PING_PATTERN_MAX;
	     i += 2) {
		char digits[3] = { s[i], s[i + 1], '\0' };
		uint32_t byte;

		if (!isxdigit((unsigned char)digits[0]) ||
		    (digits[1] != '\0' && !isxdigit((unsigned char)digits[1])))
			break;
		(void)str_u32(digits, 16, 0, 255, &byte);
		p->o->pattern[p->o->pattern_len++] = (uint8_t)byte;
		if (digits[1] == '\0')
			return 0;
	}
	if (len == 0 || strspn(s, "0123456789abcdefABCDEF") != len) {
		sbuf_puts(
		    &p->message, "patterns must be specified as hex digits");
		return PING_EX_USAGE;
	}
	return 0;
}

static bool
flag(struct ping_options *o, int opt)
{
	const struct {
		int opt;
		bool *flag;
	} rows[] = {
		{ 'A', &o->bell_missed },
		{ 'a', &o->bell },
		{ 'D', &o->dont_fragment },
		{ 'd', &o->debug },
		{ 'f', &o->flood },
		{ 'H', &o->names },
		{ 'L', &o->no_loop },
		{ 'o', &o->once },
		{ 'Q', &o->quiet_errors },
		{ 'q', &o->quiet },
		{ 'r', &o->dont_route },
		{ 'v', &o->verbose },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].opt == opt) {
			*rows[i].flag = true;
			return true;
		}
	return false;
}

static int
option(struct parse *p, int opt)
{
	struct ping_options *o = p->o;

	if (flag(o, opt))
		return 0;
	switch (opt) {
	case '4':
		o->family = AF_INET;
		return 0;
	case '6':
		o->family = AF_INET6;
		return 0;
	case 'c':
		o->count_given = true;
		return number(p, "invalid count of packets to transmit", 1,
		    INT64_MAX, &o->count);
	case 'G':
		o->sweep = true;
		return number32(
		    p, "invalid packet size", 1, PING_DATA_MAX, &o->sweep_max);
	case 'g':
		return number32(
		    p, "invalid packet size", 1, PING_DATA_MAX, &o->sweep_min);
	case 'h':
		return number32(p, "invalid increment size", 1, PING_DATA_MAX,
		    &o->sweep_step);
	case 'I':
		o->iface = optarg;
		return 0;
	case 'i':
		return seconds(p, "invalid timing interval", &o->interval_ns);
	case 'l':
		return number32(
		    p, "invalid preload value", 0, INT32_MAX, &o->preload);
	case 'm':
		return small(p, "invalid TTL", &o->ttl);
	case 'n':
		o->names = false;
		return 0;
	case 'p':
		return pattern(p);
	case 'S':
		o->source = optarg;
		return 0;
	case 's':
		o->size_given = true;
		return number32(
		    p, "invalid packet size", 0, PING_DATA_MAX, &o->size);
	case 'T':
		return small(p, "invalid multicast TTL", &o->multicast_ttl);
	case 't':
		return number(
		    p, "invalid timeout", 1, INT32_MAX, &o->timeout_s);
	case 'W':
		o->wait_given = true;
		return number(
		    p, "invalid timing interval", 1, INT32_MAX, &o->wait_ms);
	case 'z':
		return small(p, "invalid TOS", &o->tos);
	default:
		if (opt == '?' && strchr(refused_options, optopt) != NULL)
			sbuf_printf(
			    &p->message, "option -%c is not here", optopt);
		return PING_EX_USAGE;
	}
}

/* What does not go together. */
static int
check(struct parse *p)
{
	struct ping_options *o = p->o;

	if (!o->sweep)
		return 0;
	if (o->sweep_min == 0)
		o->sweep_min = PING_DATA_DEFAULT;
	if (o->sweep_min > o->sweep_max) {
		sbuf_puts(&p->message,
		    "Maximum packet size must be no less than the minimum "
		    "packet size");
		return PING_EX_USAGE;
	}
	o->size = o->sweep_min;
	o->size_given = true;
	return 0;
}

int
ping_options_parse(struct ping_options *o, int argc, char **argv, bool six,
    char *message, size_t size)
{
	struct parse p = { .o = o, .message = sbuf_init(message, size) };
	int opt, status;

	*o = (struct ping_options){
		.family = six ? AF_INET6 : AF_UNSPEC,
		.interval_ns = 1000000000,
		.wait_ms = 10000,
		.size = PING_DATA_DEFAULT,
		.sweep_step = 1,
		.ttl = -1,
		.multicast_ttl = -1,
		.tos = -1,
	};
	optind = 1;
	opterr = 0;
	while ((opt = getopt(argc, argv,
	            "+46Aac:DdfG:g:Hh:I:i:Ll:m:nop:QqrS:s:T:t:vW:z:")) != -1) {
		status = option(&p, opt);
		if (status != 0)
			return status;
	}
	if (optind + 1 != argc)
		return PING_EX_USAGE;
	o->host = argv[optind];
	return check(&p);
}
