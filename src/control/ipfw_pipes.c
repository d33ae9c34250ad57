/* SPDX-License-Identifier: BSD-2-Clause */
/* `ipfw pipe' and `ipfw queue'. See ipfw.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/quantity.h"
#include "base/util.h"
#include "control/bsderr.h"
#include "control/ipfw.h"

/* A number with at most nine places, times @unit. False: it is none. */
static bool
decimal(const char *s, const char **end, uint64_t unit, uint64_t *out)
{
	uint64_t v = 0, part = 1;
	bool any = false;

	for (; *s >= '0' && *s <= '9'; s++, any = true)
		if (__builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
			return false;
	if (__builtin_mul_overflow(v, unit, &v))
		return false;
	if (*s == '.') {
		uint64_t digits = 0;

		for (s++; *s >= '0' && *s <= '9'; s++, any = true)
			if (part < 1000000000u) {
				digits = digits * 10 + (uint64_t)(*s - '0');
				part *= 10;
			}
		/* Both are below 10^10. */
		v += digits * unit / part;
	}
	if (!any)
		return false;
	*end = s;
	*out = v;
	return true;
}

static uint64_t
scale(const char **s)
{
	switch (**s) {
	case 'k':
	case 'K':
		++*s;
		return 1000;
	case 'm':
	case 'M':
		++*s;
		return 1000000;
	case 'g':
	case 'G':
		++*s;
		return 1000000000;
	default:
		return 1;
	}
}

/* Is it one of the words? */
static bool
is_unit(const char *s, const char *const *units)
{
	for (; *units != NULL; units++)
		if (strcasecmp(s, *units) == 0)
			return true;
	return false;
}

static const char *const bit_units[] = { "", "bit", "bits", "bit/s", "bits/s",
	"bps", NULL };
static const char *const rate_byte_units[] = { "byte", "bytes", "byte/s",
	"bytes/s", "Bps", NULL };
static const char *const byte_units[] = { "b", "byte", "bytes", NULL };

/* "10Mbit/s", "1500000Byte/s", "64K": the unit is bit/s if none is said. */
static bool
bandwidth(struct ipfw_cmd *c, const char *s, struct dn_config *out)
{
	const char *at = s + strspn(s, "0123456789."), *end;
	uint64_t unit, v;

	if (at == s)
		return ipfw_fail(c, IPFW_EX_UNAVAILABLE,
		    "bw %.64s: a pipe has a rate of its own", s);
	unit = scale(&at);
	if (strncmp(at, "Bps", 3) != 0 && is_unit(at, bit_units))
		; /* as it is */
	else if (is_unit(at, rate_byte_units))
		unit *= 8;
	else
		return ipfw_fail(
		    c, IPFW_EX_DATAERR, "invalid bandwidth %.64s", s);
	if (!decimal(s, &end, unit, &v) || v > RATE_MAX)
		return ipfw_fail(
		    c, IPFW_EX_DATAERR, "invalid bandwidth %.64s", s);
	out->bw = v;
	return true;
}

/* "50", "30KBytes": slots, or bytes. */
static bool
queue_size(struct ipfw_cmd *c, const char *s, struct dn_config *out)
{
	const char *at = s + strspn(s, "0123456789"), *end, *after = at;
	uint64_t unit = 1, v;
	bool bytes = *at != '\0';

	if (*at == 'k' || *at == 'K')
		unit = 1024;
	else if (*at == 'm' || *at == 'M')
		unit = 1024 * 1024;
	after += unit != 1;
	if ((bytes && !is_unit(after, byte_units) &&
	        !(unit != 1 && *after == '\0')) ||
	    !decimal(s, &end, unit, &v) || end != at)
		return ipfw_fail(
		    c, IPFW_EX_DATAERR, "invalid queue size %.64s", s);
	if (v == 0 || v > (bytes ? DN_BYTES_MAX : DN_SLOTS_MAX))
		return ipfw_fail(c, IPFW_EX_DATAERR,
		    "queue size %.64s: 1 to %u %s", s,
		    bytes ? DN_BYTES_MAX : DN_SLOTS_MAX,
		    bytes ? "bytes" : "slots");
	out->slots = bytes ? 0 : (uint32_t)v;
	out->bytes = bytes ? (uint32_t)v : 0;
	return true;
}

static bool
delay(struct ipfw_cmd *c, const char *s, struct dn_config *out)
{
	char text[32];
	size_t n = strspn(s, "0123456789");

	if (n < sizeof(text) &&
	    (s[n] == '\0' || strcasecmp(s + n, "ms") == 0)) {
		memcpy(text, s, n);
		text[n] = '\0';
		if (str_u32(text, 10, 0, DN_DELAY_MAX_MS, &out->delay_ms) == 0)
			return true;
	}
	return ipfw_fail(c, IPFW_EX_DATAERR,
	    "invalid delay %.64s: 0 to %u milliseconds", s, DN_DELAY_MAX_MS);
}

static bool
loss(struct ipfw_cmd *c, const char *s, struct dn_config *out)
{
	const char *end;
	uint64_t v;

	if (!decimal(s, &end, QUANTITY_WHOLE, &v) || *end != '\0' ||
	    v > QUANTITY_WHOLE)
		return ipfw_fail(
		    c, IPFW_EX_DATAERR, "packet loss rate %.64s: 0 to 1", s);
	out->plr = (uint32_t)v;
	return true;
}

static bool
burst(struct ipfw_cmd *c, const char *s, struct dn_config *out)
{
	const char *at = s + strspn(s, "0123456789."), *end;
	uint64_t unit = scale(&at), v;

	if ((*at != '\0' && !is_unit(at, byte_units)) ||
	    !decimal(s, &end, unit, &v) || v > DN_BURST_MAX)
		return ipfw_fail(c, IPFW_EX_DATAERR,
		    "invalid burst %.64s: 0 to %u bytes", s, DN_BURST_MAX);
	out->burst = v;
	return true;
}

static bool
number(struct ipfw_cmd *c, const char *what, const char *s, uint32_t min,
    uint32_t max, uint32_t *out)
{
	return str_u32(s, 10, min, max, out) == 0 ||
	       ipfw_fail(c, IPFW_EX_DATAERR, "invalid %s %.64s: %u to %u", what,
	           s, min, max);
}

static bool
buckets(struct ipfw_cmd *c, const char *s, struct dn_config *out)
{
	return number(c, "buckets", s, 1, 65536, &out->buckets);
}

static bool
weight(struct ipfw_cmd *c, const char *s, struct dn_config *out)
{
	return number(c, "weight", s, 1, DN_WEIGHT_MAX, &out->weight);
}

static bool
of_pipe(struct ipfw_cmd *c, const char *s, struct dn_config *out)
{
	return number(c, "pipe", s, 1, DN_NUMBER_MAX, &out->pipe);
}

/* --- masks ---------------------------------------------------------------- */

static void
prefix6(uint32_t bits, uint8_t mask[16])
{
	for (uint32_t i = 0; i < 16; i++) {
		uint32_t n = bits > 8 * i ? bits - 8 * i : 0;

		mask[i] = n >= 8 ? 0xff : (uint8_t)(0xff00u >> n);
	}
}

static bool
mask_value(struct ipfw_cmd *c, const char *what, uint32_t max, uint32_t *out)
{
	const char *s = ipfw_next(c);
	uint32_t bits, width = (uint32_t)(32 - __builtin_clz(max));

	if (s == NULL)
		return ipfw_fail(
		    c, IPFW_EX_USAGE, "mask: %s needs value", what);
	if (*s == '/') {
		if (str_u32(s + 1, 10, 0, width, &bits) != 0)
			return ipfw_fail(
			    c, IPFW_EX_DATAERR, "mask: bad value %.64s", s);
		/* FreeBSD's: of so many bits from the right. */
		*out = bits == 32 ? UINT32_MAX : (1u << bits) - 1;
		return true;
	}
	return str_u32(s, 0, 0, max, out) == 0 ||
	       ipfw_fail(c, IPFW_EX_DATAERR, "mask: bad value %.64s", s);
}

static bool
mask6(struct ipfw_cmd *c, uint8_t mask[16])
{
	const char *s = ipfw_next(c);
	uint32_t bits;

	if (s == NULL)
		return ipfw_fail(c, IPFW_EX_USAGE, "mask: needs value");
	if (*s == '/' && str_u32(s + 1, 10, 0, 128, &bits) == 0) {
		prefix6(bits, mask);
		return true;
	}
	return inet_pton(AF_INET6, s, mask) == 1 ||
	       ipfw_fail(c, IPFW_EX_DATAERR, "mask: bad value %.64s", s);
}

static bool
mask(struct ipfw_cmd *c, struct dn_config *out)
{
	struct dn_mask m = { .set = true };
	uint32_t v;

	for (;;) {
		if (ipfw_take(c, "all")) {
			m.proto = 0xff;
			m.src_port = m.dst_port = 0xffff;
			m.src_ip = m.dst_ip = UINT32_MAX;
			memset(m.src_ip6, 0xff, 16);
			memset(m.dst_ip6, 0xff, 16);
		} else if (ipfw_take(c, "none")) {
			m = (struct dn_mask){ .set = false };
			break;
		} else if (ipfw_take(c, "src-ip")) {
			if (!mask_value(c, "src-ip", UINT32_MAX, &m.src_ip))
				return false;
		} else if (ipfw_take(c, "dst-ip")) {
			if (!mask_value(c, "dst-ip", UINT32_MAX, &m.dst_ip))
				return false;
		} else if (ipfw_take(c, "src-ip6")) {
			if (!mask6(c, m.src_ip6))
				return false;
		} else if (ipfw_take(c, "dst-ip6")) {
			if (!mask6(c, m.dst_ip6))
				return false;
		} else if (ipfw_take(c, "src-port")) {
			if (!mask_value(c, "src-port", 0xffff, &v))
				return false;
			m.src_port = (uint16_t)v;
		} else if (ipfw_take(c, "dst-port")) {
			if (!mask_value(c, "dst-port", 0xffff, &v))
				return false;
			m.dst_port = (uint16_t)v;
		} else if (ipfw_take(c, "proto")) {
			if (!mask_value(c, "proto", 0xff, &v))
				return false;
			m.proto = (uint8_t)v;
		} else {
			break;
		}
	}
	out->mask = m;
	return true;
}

/* --- config --------------------------------------------------------------- */

static const struct word {
	const char *word;
	bool (*parse)(struct ipfw_cmd *c, const char *s, struct dn_config *out);
	bool pipe, queue; /* of which it is */
	const char *refused;
} words[] = {
	{ "bw", bandwidth, true, false, NULL },
	{ "bandwidth", bandwidth, true, false, NULL },
	{ "delay", delay, true, false, NULL },
	{ "queue", queue_size, true, true, NULL },
	{ "plr", loss, true, true, NULL },
	{ "burst", burst, true, false, NULL },
	{ "buckets", buckets, true, true, NULL },
	{ "weight", weight, false, true, NULL },
	{ "pipe", of_pipe, false, true, NULL },
	{ "red", NULL, true, true, "queues drop what does not fit" },
	{ "gred", NULL, true, true, "queues drop what does not fit" },
	{ "codel", NULL, true, true, "queues drop what does not fit" },
	{ "pie", NULL, true, true, "queues drop what does not fit" },
	{ "ecn", NULL, true, true, "packets are not rewritten" },
	{ "sched", NULL, true, true, "name the pipe instead" },
	{ "type", NULL, true, true, "a pipe has one scheduler: WF2Q+" },
	{ "flowset", NULL, true, true, "name the queue instead" },
	{ "flow_mask", NULL, true, true, "see mask" },
	{ "sched_mask", NULL, true, true, "see mask" },
	{ "lmax", NULL, true, true, "WF2Q+ needs no largest packet" },
	{ "pri", NULL, true, true, "there are weights, no priorities" },
	{ "profile", NULL, true, true, "a link has no MAC layer" },
};

static bool
config_word(
    struct ipfw_cmd *c, bool queue, const char *s, struct dn_config *out)
{
	const struct word *w = NULL;
	const char *arg;

	if (strcasecmp(s, "mask") == 0)
		return mask(c, out);
	if (strcasecmp(s, "droptail") == 0 || strcasecmp(s, "noerror") == 0)
		return true;
	for (size_t i = 0; w == NULL && i < ARRAY_LEN(words); i++)
		if (strcasecmp(words[i].word, s) == 0)
			w = &words[i];
	if (w == NULL)
		return ipfw_fail(
		    c, IPFW_EX_USAGE, "unrecognised option ``%.64s''", s);
	if (w->refused != NULL)
		return ipfw_fail(c, IPFW_EX_UNAVAILABLE,
		    "%s is not supported: %s", w->word, w->refused);
	if (!(queue ? w->queue : w->pipe))
		return ipfw_fail(c, IPFW_EX_DATAERR, "%s is only valid for %s",
		    w->word, queue ? "pipes" : "queues");
	arg = ipfw_next(c);
	if (arg == NULL)
		return ipfw_fail(
		    c, IPFW_EX_USAGE, "%s: missing argument", w->word);
	/* "10 Mbit/s", "30 KBytes", "10 ms": in two words. */
	if (c->at < c->argc && strspn(arg, "0123456789.") == strlen(arg)) {
		const char *unit = c->argv[c->at], *bare = unit;
		char both[64];

		if (w->parse != delay)
			(void)scale(&bare);
		if (*unit != '\0' &&
		    (w->parse == delay ? strcasecmp(unit, "ms") == 0
		        : w->parse == bandwidth
		            ? *bare != '\0' &&
		                  (is_unit(bare, bit_units) ||
		                      is_unit(bare, rate_byte_units))
		        : w->parse == queue_size || w->parse == burst
		            ? is_unit(bare, byte_units)
		            : false)) {
			snprintf(both, sizeof(both), "%.30s%.30s", arg, unit);
			c->at++;
			return w->parse(c, both, out);
		}
	}
	return w->parse(c, arg, out);
}

static bool
config(struct ipfw_cmd *c, bool queue, uint32_t n)
{
	/* What is not said is as at first. */
	struct dn_config cfg = dn_defaults();
	const char *s;
	int err;

	while ((s = ipfw_next(c)) != NULL)
		if (!config_word(c, queue, s, &cfg))
			return false;
	if (queue && cfg.pipe == 0)
		return ipfw_fail(c, IPFW_EX_DATAERR, "must specify a pipe");
	if (c->check)
		return true;
	err = dn_config(&c->fw->pipes, queue, n, &cfg);
	return err == 0 || ipfw_fail(c, IPFW_EX_OSERR, "setsockopt(%s): %s",
	                       "IP_DUMMYNET_CONFIGURE", bsd_strerror(-err));
}

/* --- list ----------------------------------------------------------------- */

struct listing {
	struct ipfw_cmd *c;
	bool queue;
	uint32_t number; /* or 0: all */
	bool wanted;     /* the one that flows are of */
	bool header;
	uint32_t found;
};

static void
put_mask(const struct dn_mask *m, struct sbuf *b)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];

	if (!m->set)
		return;
	sbuf_printf(b, "\n    mask: 0x%02x 0x%08x/0x%04x -> 0x%08x/0x%04x",
	    m->proto, m->src_ip, m->src_port, m->dst_ip, m->dst_port);
	if (inet_ntop(AF_INET6, m->src_ip6, src, sizeof(src)) != NULL &&
	    inet_ntop(AF_INET6, m->dst_ip6, dst, sizeof(dst)) != NULL &&
	    (strcmp(src, "::") != 0 || strcmp(dst, "::") != 0))
		sbuf_printf(b, "\n    mask: %s -> %s", src, dst);
}

static void
put_bw(uint64_t bw, struct sbuf *b)
{
	if (bw == 0)
		sbuf_puts(b, "unlimited        ");
	else if (bw >= 1000000000)
		sbuf_printf(b, "%llu.%03llu Gbit/s",
		    (unsigned long long)(bw / 1000000000),
		    (unsigned long long)(bw / 1000000 % 1000));
	else if (bw >= 1000000)
		sbuf_printf(b, "%3llu.%03llu Mbit/s",
		    (unsigned long long)(bw / 1000000),
		    (unsigned long long)(bw / 1000 % 1000));
	else if (bw >= 1000)
		sbuf_printf(b, "%3llu.%03llu Kbit/s",
		    (unsigned long long)(bw / 1000),
		    (unsigned long long)(bw % 1000));
	else
		sbuf_printf(b, "%3llu.000 bit/s ", (unsigned long long)bw);
}

static void
put_one(void *arg, const struct dn_info *info)
{
	const struct dn_config *cfg = &info->config;
	struct listing *l = arg;
	char text[768], size[32], plr[32] = "";
	struct sbuf b = sbuf_init(text, sizeof(text));

	l->wanted = info->queue == l->queue &&
	            (l->number == 0 || l->number == info->number);
	if (!l->wanted)
		return;
	l->found++;
	l->header = false;
	if (!ipfw_wanted(l->c))
		return;
	if (cfg->slots != 0)
		snprintf(size, sizeof(size), "%3u sl.", cfg->slots);
	else if (cfg->bytes >= 8192)
		snprintf(size, sizeof(size), "%u KB", cfg->bytes / 1024);
	else
		snprintf(size, sizeof(size), "%u B", cfg->bytes);
	if (cfg->plr != 0)
		snprintf(plr, sizeof(plr), " plr %u.%09u",
		    cfg->plr / QUANTITY_WHOLE, cfg->plr % QUANTITY_WHOLE);
	if (info->queue) {
		sbuf_printf(&b,
		    "q%05u %s%s %u flows (%u buckets) pipe %u "
		    "weight %u droptail",
		    info->number, size, plr, info->flows, cfg->buckets,
		    cfg->pipe, cfg->weight);
	} else {
		sbuf_printf(&b, "%05u: ", info->number);
		put_bw(cfg->bw, &b);
		sbuf_printf(&b,
		    " %4u ms burst %llu\n  %s%s %u flows (%u "
		    "buckets) droptail",
		    cfg->delay_ms, (unsigned long long)cfg->burst, size, plr,
		    info->flows, cfg->buckets);
	}
	put_mask(&cfg->mask, &b);
	ipfw_part(l->c,
	    json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,"
	              "s:I}",
	        "part", "ipfw-pipe", "kind", info->queue ? "queue" : "pipe",
	        "number", (json_int_t)info->number, "bw_bit_s",
	        (json_int_t)cfg->bw, "delay_ms", (json_int_t)cfg->delay_ms,
	        "slots", (json_int_t)cfg->slots, "bytes",
	        (json_int_t)cfg->bytes, "plr_ppb", (json_int_t)cfg->plr,
	        "burst_bytes", (json_int_t)cfg->burst, "weight",
	        (json_int_t)cfg->weight, "pipe", (json_int_t)cfg->pipe, "flows",
	        (json_int_t)info->flows, "lost", (json_int_t)info->lost,
	        "on_line", (json_int_t)info->on_line),
	    "%s", text);
}

static void
put_flow(void *arg, const struct dn_flow_info *f)
{
	struct listing *l = arg;
	char src[INET6_ADDRSTRLEN] = "0.0.0.0",
	     dst[INET6_ADDRSTRLEN] = "0.0.0.0";
	char ends[2][INET6_ADDRSTRLEN + 8];
	int family = f->family == 6 ? AF_INET6 : AF_INET;

	if (!l->wanted)
		return;
	if (!ipfw_wanted(l->c)) {
		l->header = true;
		return;
	}
	if (!l->header)
		ipfw_line(l->c,
		    "BKT Prot ___Source IP/port____ ____Dest. IP/port____ "
		    "Tot_pkt/bytes Pkt/Byte Drp");
	l->header = true;
	(void)inet_ntop(family, f->src, src, sizeof(src));
	(void)inet_ntop(family, f->dst, dst, sizeof(dst));
	snprintf(ends[0], sizeof(ends[0]), "%s/%u", src, f->src_port);
	snprintf(ends[1], sizeof(ends[1]), "%s/%u", dst, f->dst_port);
	ipfw_part(l->c,
	    json_pack("{s:s,s:I,s:s,s:s,s:I,s:I,s:I,s:I,s:I}", "part",
	        "ipfw-flow", "protocol", (json_int_t)f->proto, "from", ends[0],
	        "to", ends[1], "packets", (json_int_t)f->packets, "bytes",
	        (json_int_t)f->bytes, "waiting", (json_int_t)f->waiting,
	        "waiting_bytes", (json_int_t)f->wait_bytes, "drops",
	        (json_int_t)f->drops),
	    "  0 %s %22s %22s %4llu %8llu %2u %4u %3llu",
	    f->proto == 6    ? "tcp "
	    : f->proto == 17 ? "udp "
	    : f->proto == 1  ? "icmp"
	                     : "ip  ",
	    ends[0], ends[1], (unsigned long long)f->packets,
	    (unsigned long long)f->bytes, f->waiting, f->wait_bytes,
	    (unsigned long long)f->drops);
}

static bool
list(struct ipfw_cmd *c, bool queue, uint32_t n)
{
	struct listing l = { .c = c, .queue = queue, .number = n };

	dn_each(&c->fw->pipes, put_one, put_flow, &l);
	return n == 0 || l.found != 0 ||
	       ipfw_fail(c, IPFW_EX_UNAVAILABLE, "%s %u does not exist",
	           queue ? "queue" : "pipe", n);
}

/* --- the commands --------------------------------------------------------- */

static bool delete (struct ipfw_cmd *c, bool queue, uint32_t n)
{
	if (!c->check && dn_delete(&c->fw->pipes, queue, n) != 0)
		return ipfw_fail(c, IPFW_EX_UNAVAILABLE, "%s %u: %s",
		    queue ? "queue" : "pipe", n, bsd_strerror(EINVAL));
	return true;
}

static bool
pipe_number(struct ipfw_cmd *c, bool need, uint32_t *out)
{
	const char *s = c->at < c->argc ? c->argv[c->at] : NULL;

	if (s == NULL || *s < '0' || *s > '9')
		return !need ||
		       ipfw_fail(c, IPFW_EX_USAGE, "missing pipe/queue number");
	c->at++;
	return number(c, "number", s, 1, DN_NUMBER_MAX, out);
}

/* "pipe 5 config ...", "pipe config 5 ...", "pipe list 5" ... */
bool
ipfw_cmd_pipe(struct ipfw_cmd *c, bool queue)
{
	uint32_t n = 0;
	const char *s;

	if (!pipe_number(c, false, &n))
		return false;
	s = ipfw_next(c);
	if (s == NULL)
		return ipfw_fail(c, IPFW_EX_USAGE,
		    "%s: config, list, show, "
		    "delete or flush",
		    queue ? "queue" : "pipe");
	if (strcasecmp(s, "list") == 0 || strcasecmp(s, "show") == 0)
		return (n != 0 || pipe_number(c, false, &n)) &&
		       list(c, queue, n);
	if (!ipfw_may_change(c))
		return false;
	if (strcasecmp(s, "flush") == 0) {
		if (!c->check)
			dn_flush(&c->fw->pipes);
		if (!c->quiet)
			ipfw_line(c, "Flushed all pipes.");
		return true;
	}
	if (strcasecmp(s, "config") != 0 && strcasecmp(s, "delete") != 0)
		return ipfw_fail(c, IPFW_EX_USAGE, "bad command `%.64s'", s);
	if (n == 0 && !pipe_number(c, true, &n))
		return false;
	return strcasecmp(s, "config") == 0 ? config(c, queue, n)
	                                    : delete (c, queue, n);
}
