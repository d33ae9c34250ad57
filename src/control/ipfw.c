/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipfw(8): options, and the commands about rules and sets.  See ipfw.h.
 *
 * Source of words, wording and exit status: ipfw(8) of FreeBSD 14.
 */
#include "control/ipfw.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "base/util.h"
#include "control/bsderr.h"
#include "control/info_json.h"

#define LINES_MAX 65536u
#define ALL_SETS  UINT32_MAX

/* --- output --------------------------------------------------------------- */

static void
append(struct ipfw_cmd *c, json_t *part)
{
	json_array_append_new(c->out, part);
}

void
ipfw_line(struct ipfw_cmd *c, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	append(c, json_pack("{s:s,s:o}", "part", "lines", "text",
	              info_json_text(text)));
}

void
ipfw_part(struct ipfw_cmd *c, json_t *part, const char *fmt, ...)
{
	char text[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_object_set_new(part, "lines", info_json_text(text));
	append(c, part);
}

bool
ipfw_fail(struct ipfw_cmd *c, int status, const char *fmt, ...)
{
	char text[512], line[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->status = status;
	if (c->line != 0)
		snprintf(line, sizeof(line), "Line %u: %s\n", c->line, text);
	append(c, c->line != 0 ? json_pack("{s:s,s:o}", "part", "usage", "text",
	                             info_json_text(line))
	                       : json_pack("{s:s,s:o}", "part", "warning",
	                             "text", info_json_text(text)));
	return false;
}

bool
ipfw_wanted(struct ipfw_cmd *c)
{
	if (c->index++ < c->after)
		return false;
	if (c->left == 0) {
		c->more = true;
		return false;
	}
	c->left--;
	return true;
}

const char *
ipfw_next(struct ipfw_cmd *c)
{
	return c->at < c->argc ? c->argv[c->at++] : NULL;
}

bool
ipfw_take(struct ipfw_cmd *c, const char *word)
{
	if (c->at == c->argc || strcasecmp(c->argv[c->at], word) != 0)
		return false;
	c->at++;
	return true;
}

bool
ipfw_may_change(struct ipfw_cmd *c)
{
	return !c->read_only ||
	       ipfw_fail(c, IPFW_EX_OSERR, "%s", bsd_strerror(EPERM));
}

/* --- rules ---------------------------------------------------------------- */

static void
put_rule(struct ipfw_cmd *c, const struct ipfw_rule *r, uint32_t packets_width,
    uint32_t bytes_width)
{
	char body[IPFW_TEXT_MAX], head[96];
	struct sbuf b = sbuf_init(body, sizeof(body));
	struct sbuf h = sbuf_init(head, sizeof(head));
	bool off = (c->fw->sets_off >> r->head.set & 1) != 0;
	json_t *part;

	if (off)
		sbuf_puts(&h, "# DISABLED ");
	sbuf_printf(&h, "%05u ", r->head.number);
	if (c->counters)
		sbuf_printf(&h, "%*llu %*llu ", (int)packets_width,
		    (unsigned long long)r->packets, (int)bytes_width,
		    (unsigned long long)r->bytes);
	if (c->sets)
		sbuf_printf(&b, "set %u ", r->head.set);
	ipfw_print(&r->head, r->insns, r->count,
	    (c->compact ? IPFW_PRINT_COMPACT : 0) |
	        (c->names ? IPFW_PRINT_NAMES : 0) |
	        (c->brief ? IPFW_PRINT_COMMENT : 0),
	    &b);
	part = json_pack("{s:s,s:s,s:o,s:I,s:I,s:I,s:I,s:b}", "part",
	    "ipfw-rule", "head", head, "body", info_json_text(body), "number",
	    (json_int_t)r->head.number, "set", (json_int_t)r->head.set,
	    "packets", (json_int_t)r->packets, "bytes", (json_int_t)r->bytes,
	    "enabled", !off);
	if (c->stamp != 0) {
		char stamp[2] = { c->stamp, '\0' };

		json_object_set_new(part, "stamp", json_string(stamp));
		if (r->last_ns != 0)
			json_object_set_new(part, "age_ms",
			    json_integer(
			        (json_int_t)((c->fw->net->now_ns - r->last_ns) /
			                     1000000)));
	}
	append(c, part);
}

static uint32_t
width_of(uint64_t v)
{
	char text[24];

	return (uint32_t)snprintf(
	    text, sizeof(text), "%llu", (unsigned long long)v);
}

/* "100", "100-200" */
static bool
range_word(struct ipfw_cmd *c, const char *s, struct ipfw_range *out)
{
	char text[32];
	char *dash;

	out->sets = c->set_said ? 1u << c->set : ALL_SETS;
	if (str_copy(text, sizeof(text), s) != 0)
		return ipfw_fail(
		    c, IPFW_EX_USAGE, "invalid rule number: %.64s", s);
	dash = strchr(text, '-');
	if (dash != NULL)
		*dash = '\0';
	if (str_u32(text, 10, 0, IPFW_NUMBER_MAX, &out->first) != 0)
		return ipfw_fail(
		    c, IPFW_EX_USAGE, "invalid rule number: %.64s", s);
	out->last = out->first;
	if (dash != NULL &&
	    (str_u32(dash + 1, 10, 0, IPFW_NUMBER_MAX, &out->last) != 0 ||
	        out->last < out->first))
		return ipfw_fail(
		    c, IPFW_EX_USAGE, "invalid rule range: %.64s", s);
	return true;
}

static struct ipfw_range
all_rules(const struct ipfw_cmd *c)
{
	return (struct ipfw_range){
		.first = 0,
		.last = IPFW_NUMBER_MAX,
		.sets = c->set_said ? 1u << c->set : ALL_SETS,
	};
}

static const struct ipfw_rule *
next_rule(const struct ipfw *fw, const struct ipfw_rule *r)
{
	if (r == fw->last)
		return NULL;
	r = r != NULL ? TAILQ_NEXT(r, link) : TAILQ_FIRST(&fw->rules);
	return r != NULL ? r : fw->last;
}

static bool
listed(const struct ipfw_cmd *c, const struct ipfw_rule *r,
    const struct ipfw_range *range)
{
	if (r->head.number < range->first || r->head.number > range->last ||
	    (range->sets >> r->head.set & 1) == 0)
		return false;
	return c->sets || (c->fw->sets_off >> r->head.set & 1) == 0;
}

static void
list_range(struct ipfw_cmd *c, const struct ipfw_range *range, bool *any)
{
	uint32_t packets = 0, bytes = 0;
	const struct ipfw_rule *r;

	for (r = next_rule(c->fw, NULL); c->counters && r != NULL;
	     r = next_rule(c->fw, r))
		if (listed(c, r, range)) {
			packets = COAX_MAX(packets, width_of(r->packets));
			bytes = COAX_MAX(bytes, width_of(r->bytes));
		}
	for (r = next_rule(c->fw, NULL); r != NULL; r = next_rule(c->fw, r))
		if (listed(c, r, range)) {
			if (ipfw_wanted(c))
				put_rule(c, r, packets, bytes);
			*any = true;
		}
}

static void
put_end(struct sbuf *b, const struct ipfw_flow *f, int end)
{
	char text[96];
	struct sbuf a = sbuf_init(text, sizeof(text));

	ipfw_print_addr(f->family, f->addr[end], 0, &a);
	text[strcspn(text, "/")] = '\0';
	sbuf_printf(b, "%s %u", text, f->port[end]);
}

static void
put_state(struct ipfw_cmd *c, const struct ipfw_state *st)
{
	static const char *const kinds[] = {
		[IPFW_STATE_FREE] = "",
		[IPFW_STATE_KEEP] = "STATE",
		[IPFW_STATE_LIMIT] = "LIMIT",
		[IPFW_STATE_PARENT] = "PARENT",
	};
	uint64_t now_ns = c->fw->net->now_ns;
	uint64_t left_s =
	    st->expire_ns > now_ns
	        ? (st->expire_ns - now_ns + 999999999) / 1000000000
	        : 0;
	const char *proto = ipfw_word_of(ipfw_protocols, st->flow.proto);
	char text[256], kind[32], number[16];
	struct sbuf b = sbuf_init(text, sizeof(text));
	const char *name = c->fw->states.names[st->name];

	snprintf(number, sizeof(number), "%u", st->flow.proto);
	put_end(&b, &st->flow, 0);
	sbuf_puts(&b, " <-> ");
	put_end(&b, &st->flow, 1);
	if (st->kind == IPFW_STATE_PARENT)
		snprintf(kind, sizeof(kind), "PARENT %u", st->children);
	else
		snprintf(kind, sizeof(kind), "%s", kinds[st->kind]);
	ipfw_part(c,
	    json_pack("{s:s,s:I,s:s,s:I,s:s,s:I,s:I,s:I,s:s}", "part",
	        "ipfw-state", "number", (json_int_t)st->of->head.number, "kind",
	        kinds[st->kind], "protocol", (json_int_t)st->flow.proto, "flow",
	        text, "packets", (json_int_t)st->packets, "bytes",
	        (json_int_t)st->bytes, "left_s", (json_int_t)left_s, "name",
	        name),
	    "%05u %llu %llu (%llus) %s %s %s :%s", st->of->head.number,
	    (unsigned long long)st->packets, (unsigned long long)st->bytes,
	    (unsigned long long)left_s, kind, proto != NULL ? proto : number,
	    text, name);
}

static void
list_states(struct ipfw_cmd *c)
{
	const struct ipfw_states *s = &c->fw->states;

	if (ipfw_wanted(c))
		ipfw_line(c, "## Dynamic rules (%u):", s->count);
	for (uint32_t i = 1; s->slots != NULL && i < s->fresh && !c->more;
	     i++) {
		const struct ipfw_state *st = &s->slots[i];

		if (st->kind == IPFW_STATE_FREE)
			continue;
		if (c->set_said && st->of->head.set != c->set)
			continue;
		if (st->kind != IPFW_STATE_PARENT && !c->expired &&
		    st->expire_ns <= c->fw->net->now_ns)
			continue;
		if (ipfw_wanted(c))
			put_state(c, st);
	}
}

static bool
cmd_list(struct ipfw_cmd *c)
{
	struct ipfw_range range = all_rules(c);
	const char *s;
	bool any = false;

	if (c->at == c->argc && !c->only_dynamic)
		list_range(c, &range, &any);
	while ((s = ipfw_next(c)) != NULL) {
		any = false;
		if (!range_word(c, s, &range))
			return false;
		list_range(c, &range, &any);
		if (!any && range.first == range.last && c->after == 0)
			(void)ipfw_fail(c, IPFW_EX_UNAVAILABLE,
			    "rule %u does not exist", range.first);
	}
	if (c->dynamic || c->only_dynamic)
		list_states(c);
	return c->status == 0;
}

static bool
cmd_show(struct ipfw_cmd *c)
{
	c->counters = true;
	return cmd_list(c);
}

static bool
cmd_add(struct ipfw_cmd *c)
{
	struct ipfw_error error;
	struct ipfw_text *text;
	struct ipfw_rule *shown;
	uint32_t number = 0;
	size_t size;
	int err;

	if (!ipfw_may_change(c))
		return false;
	text = malloc(sizeof(*text));
	if (text == NULL)
		return ipfw_fail(c, IPFW_EX_OSERR, "%s", bsd_strerror(ENOMEM));
	if (ipfw_parse(c->argv + c->at, c->argc - c->at, text, &error) != 0) {
		free(text);
		return ipfw_fail(c, error.status, "%s", error.text);
	}
	if (c->set_said)
		text->head.set = c->set;
	err = c->check ? 0 : ipfw_add(c->fw, text, &number);
	if (err != 0) {
		free(text);
		if (err == -ESRCH)
			return ipfw_fail(c, IPFW_EX_DATAERR,
			    "a table of another type has that name");
		return ipfw_fail(c, IPFW_EX_UNAVAILABLE, "%s",
		    err == -ENOSPC ? "too many rules, tables or names of states"
		                   : bsd_strerror(-err));
	}
	c->changed = c->changed || !c->check;
	size = text->count * sizeof(struct ipfw_insn);
	shown = c->quiet ? NULL : calloc(1, sizeof(*shown) + size);
	if (shown != NULL) {
		shown->head = text->head;
		if (!c->check)
			shown->head.number = number;
		shown->count = text->count;
		memcpy(shown->insns, text->insns, size);
		put_rule(c, shown, 0, 0);
		free(shown);
	}
	free(text);
	return true;
}

static bool
cmd_delete(struct ipfw_cmd *c)
{
	struct ipfw_range range;
	const char *s;

	if (!ipfw_may_change(c))
		return false;
	if (ipfw_take(c, "set")) {
		s = ipfw_next(c);
		if (str_u32(s, 10, 0, IPFW_SETS - 1, &c->set) != 0)
			return ipfw_fail(c, IPFW_EX_DATAERR,
			    "illegal set %.64s", s != NULL ? s : "");
		c->set_said = true;
		range = all_rules(c);
		if (c->at == c->argc) {
			if (!c->check)
				(void)ipfw_delete(c->fw, &range);
			c->changed = true;
			return true;
		}
	} else if (c->at == c->argc && c->set_said) {
		range = all_rules(c);
		if (!c->check)
			(void)ipfw_delete(c->fw, &range);
		c->changed = true;
		return true;
	}
	if (c->at == c->argc)
		return ipfw_fail(c, IPFW_EX_USAGE, "missing rule number");
	while ((s = ipfw_next(c)) != NULL) {
		if (!range_word(c, s, &range))
			return false;
		if (range.last == IPFW_NUMBER_MAX &&
		    range.first == IPFW_NUMBER_MAX)
			return ipfw_fail(c, IPFW_EX_UNAVAILABLE,
			    "rule 65535: setsockopt(IP_FW_XDEL): %s",
			    bsd_strerror(EINVAL));
		if (!c->check && ipfw_delete(c->fw, &range) == 0 &&
		    !(c->force && c->quiet))
			(void)ipfw_fail(
			    c, IPFW_EX_UNAVAILABLE, "rule %.32s: not found", s);
		c->changed = true;
	}
	return c->status == 0;
}

static bool
cmd_flush(struct ipfw_cmd *c)
{
	struct ipfw_range range = all_rules(c);

	if (!ipfw_may_change(c))
		return false;
	if (!c->set_said)
		range.sets &= ~(1u << IPFW_SET_KEPT);
	if (!c->check)
		(void)ipfw_delete(c->fw, &range);
	c->changed = true;
	if (!c->quiet)
		ipfw_line(c, "Flushed all rules.");
	return true;
}

static bool
zero(struct ipfw_cmd *c, bool log)
{
	struct ipfw_range range = all_rules(c);
	const char *s;

	if (!ipfw_may_change(c))
		return false;
	if (c->at == c->argc) {
		if (!c->check)
			(void)ipfw_zero(c->fw, &range, log);
		if (!c->quiet)
			ipfw_line(c, "%s",
			    log ? "Logging counts reset."
			        : "Accounting cleared.");
		return true;
	}
	while ((s = ipfw_next(c)) != NULL) {
		if (!range_word(c, s, &range))
			return false;
		if (!c->check && ipfw_zero(c->fw, &range, log) == 0)
			(void)ipfw_fail(c, IPFW_EX_UNAVAILABLE,
			    "rule %.32s: setsockopt(%s): %s", s,
			    log ? "IP_FW_XRESETLOG" : "IP_FW_XZERO",
			    bsd_strerror(EINVAL));
		else if (!c->quiet)
			ipfw_line(c, "Entry %s %s.", s,
			    log ? "logging count reset" : "cleared");
	}
	return c->status == 0;
}

static bool
cmd_zero(struct ipfw_cmd *c)
{
	return zero(c, false);
}

static bool
cmd_resetlog(struct ipfw_cmd *c)
{
	return zero(c, true);
}

/* enable, disable */
static bool
toggle(struct ipfw_cmd *c, bool on)
{
	static const struct {
		const char *word;
		enum ipfw_setting setting;
	} words[] = {
		{ "firewall", IPFW_ENABLE },
		{ "one_pass", IPFW_ONE_PASS },
		{ "verbose", IPFW_VERBOSE },
	};
	const char *s = ipfw_next(c);
	int err;

	if (!ipfw_may_change(c))
		return false;
	if (s == NULL)
		return ipfw_fail(c, IPFW_EX_USAGE, "missing keyword to %s",
		    on ? "enable" : "disable");
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasecmp(words[i].word, s) == 0) {
			err = c->check ? 0
			               : ipfw_set(c->fw, words[i].setting, on);
			return err == 0 || ipfw_fail(c, IPFW_EX_OSERR, "%s",
			                       bsd_strerror(-err));
		}
	return ipfw_fail(c, IPFW_EX_USAGE,
	    "unrecognized %s keyword: %.64s (firewall, one_pass, verbose)",
	    on ? "enable" : "disable", s);
}

static bool
cmd_enable(struct ipfw_cmd *c)
{
	return toggle(c, true);
}

static bool
cmd_disable(struct ipfw_cmd *c)
{
	return toggle(c, false);
}

/* --- sets ----------------------------------------------------------------- */

static bool
set_number(struct ipfw_cmd *c, uint32_t *out)
{
	const char *s = ipfw_next(c);

	if (s == NULL)
		return ipfw_fail(c, IPFW_EX_USAGE, "missing set number");
	return str_u32(s, 10, 0, IPFW_SETS - 1, out) == 0 ||
	       ipfw_fail(c, IPFW_EX_DATAERR, "invalid set number %.64s", s);
}

static void
set_show(struct ipfw_cmd *c)
{
	char text[256];
	struct sbuf b = sbuf_init(text, sizeof(text));

	for (int on = 0; on < 2; on++) {
		bool any = false;

		for (uint32_t i = 0; i < IPFW_SETS; i++) {
			if (((c->fw->sets_off >> i & 1) == 0) != (on != 0))
				continue;
			/* The kept one is not worth a word: it is on. */
			if (i == IPFW_SET_KEPT)
				continue;
			sbuf_printf(&b, "%s%s %u",
			    b.len != 0 && !any ? "\n" : "",
			    any       ? ""
			    : on != 0 ? "enable"
			              : "disable",
			    i);
			any = true;
		}
	}
	ipfw_line(c, "%s", text);
}

static bool
set_move(struct ipfw_cmd *c)
{
	struct ipfw_range range;
	bool rules = ipfw_take(c, "rule");
	const char *s = ipfw_next(c);
	uint32_t from, to;

	if (s == NULL)
		return ipfw_fail(
		    c, IPFW_EX_USAGE, "syntax: set move [rule] X to Y");
	if (rules) {
		if (!range_word(c, s, &range))
			return false;
		range.sets = ALL_SETS;
	} else {
		if (str_u32(s, 10, 0, IPFW_SETS - 1, &from) != 0)
			return ipfw_fail(
			    c, IPFW_EX_DATAERR, "invalid set number %.64s", s);
		range = all_rules(c);
		range.sets = 1u << from;
	}
	if (!ipfw_take(c, "to"))
		return ipfw_fail(
		    c, IPFW_EX_USAGE, "syntax: set move [rule] X to Y");
	if (!set_number(c, &to))
		return false;
	if (!c->check && ipfw_move(c->fw, &range, to) == 0 && rules)
		return ipfw_fail(
		    c, IPFW_EX_UNAVAILABLE, "rule %.32s: not found", s);
	c->changed = true;
	return true;
}

static bool
set_switch(struct ipfw_cmd *c, bool on)
{
	uint32_t bits[2] = { 0, 0 }, n;

	while (c->at < c->argc) {
		if (ipfw_take(c, "enable")) {
			on = true;
		} else if (ipfw_take(c, "disable")) {
			on = false;
		} else {
			if (!set_number(c, &n))
				return false;
			if (!on && n == IPFW_SET_KEPT)
				return ipfw_fail(c, IPFW_EX_DATAERR,
				    "invalid set number %u: it is always on",
				    n);
			bits[on] |= 1u << n;
		}
	}
	if ((bits[0] & bits[1]) != 0)
		return ipfw_fail(c, IPFW_EX_DATAERR,
		    "cannot enable and disable the same set");
	if (!c->check)
		ipfw_sets(c->fw, bits[1], bits[0]);
	c->changed = true;
	return true;
}

static bool run_command(struct ipfw_cmd *c);

static bool
cmd_set(struct ipfw_cmd *c)
{
	uint32_t a, b;

	if (ipfw_take(c, "show")) {
		set_show(c);
		return true;
	}
	if (c->at < c->argc && c->argv[c->at][0] >= '0' &&
	    c->argv[c->at][0] <= '9') {
		if (c->set_said || !set_number(c, &c->set))
			return c->status != 0 ? false
			                      : ipfw_fail(c, IPFW_EX_USAGE,
			                            "set within a set");
		c->set_said = true;
		return run_command(c);
	}
	if (!ipfw_may_change(c))
		return false;
	if (ipfw_take(c, "swap")) {
		if (!set_number(c, &a) || !set_number(c, &b))
			return false;
		if (!c->check)
			ipfw_swap(c->fw, a, b);
		c->changed = true;
		return true;
	}
	if (ipfw_take(c, "move"))
		return set_move(c);
	if (ipfw_take(c, "enable"))
		return set_switch(c, true);
	if (ipfw_take(c, "disable"))
		return set_switch(c, false);
	return ipfw_fail(c, IPFW_EX_USAGE, "invalid set command %.64s",
	    c->at < c->argc ? c->argv[c->at] : "");
}

/* --- the command line ----------------------------------------------------- */

static bool
cmd_pipe(struct ipfw_cmd *c)
{
	return ipfw_cmd_pipe(c, false);
}

static bool
cmd_queue(struct ipfw_cmd *c)
{
	return ipfw_cmd_pipe(c, true);
}

/* A word may be cut to @least letters. */
static const struct command {
	const char *word;
	size_t least;
	bool (*run)(struct ipfw_cmd *c);
	const char *refused;
} commands[] = {
	{ "add", 1, cmd_add, NULL },
	{ "delete", 3, cmd_delete, NULL },
	{ "list", 1, cmd_list, NULL },
	{ "show", 2, cmd_show, NULL },
	{ "print", 2, cmd_list, NULL },
	{ "zero", 1, cmd_zero, NULL },
	{ "resetlog", 5, cmd_resetlog, NULL },
	{ "flush", 1, cmd_flush, NULL },
	{ "enable", 2, cmd_enable, NULL },
	{ "disable", 3, cmd_disable, NULL },
	{ "set", 3, cmd_set, NULL },
	{ "table", 5, ipfw_cmd_table, NULL },
	{ "pipe", 3, cmd_pipe, NULL },
	{ "queue", 2, cmd_queue, NULL },
	{ "sched", 5, NULL,
	    "a pipe has one scheduler: WF2Q+, over its queues" },
	{ "nat", 3, NULL, "addresses are not rewritten" },
	{ "nat64lsn", 8, NULL, "addresses are not rewritten" },
	{ "nat64stl", 8, NULL, "addresses are not rewritten" },
	{ "nat64clat", 9, NULL, "addresses are not rewritten" },
	{ "nptv6", 5, NULL, "addresses are not rewritten" },
	{ "internal", 8, NULL, "there is nothing of that kind inside" },
};

static bool
run_command(struct ipfw_cmd *c)
{
	const char *s = ipfw_next(c);

	if (s == NULL)
		return ipfw_fail(c, IPFW_EX_USAGE,
		    "bad arguments, for usage "
		    "summary ``ipfw''");
	/* "5 pipe config": the number may stand first, as "pipe 5". */
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		size_t n = strlen(s);

		if (n < commands[i].least ||
		    strncasecmp(commands[i].word, s, n) != 0)
			continue;
		if (commands[i].refused != NULL)
			return ipfw_fail(c, IPFW_EX_UNAVAILABLE,
			    "%s is not supported: %s", commands[i].word,
			    commands[i].refused);
		return commands[i].run(c);
	}
	return ipfw_fail(c, IPFW_EX_USAGE, "bad command `%.64s'", s);
}

static const char usage_text[] =
    "usage: ipfw [-abcdDefhinNqStTv] command ...\n"
    "       ipfw [-q] /path/name\n"
    "       add [number] [set N] [prob P] action [log [logamount N]] body\n"
    "       delete number ... | list [number ...] | show [number ...]\n"
    "       zero [number ...] | resetlog [number ...] | flush\n"
    "       enable|disable firewall|one_pass|verbose\n"
    "       set [disable N ...] [enable N ...] | set move [rule] X to Y |\n"
    "       set swap X Y | set show | set N command ...\n"
    "       table name create|destroy|add|delete|lookup|list|info|flush ...\n"
    "       pipe|queue N config ... | pipe|queue list|show|delete ...\n";

/* Leading options; false: usage. */
static bool
options(struct ipfw_cmd *c)
{
	while (c->at < c->argc && c->argv[c->at][0] == '-' &&
	       c->argv[c->at][1] != '\0') {
		const char *s = c->argv[c->at++] + 1;

		for (; *s != '\0'; s++) {
			switch (*s) {
			case 'a':
				c->counters = true;
				break;
			case 'b':
				c->brief = true;
				break;
			case 'c':
				c->compact = true;
				break;
			case 'd':
				c->dynamic = true;
				break;
			case 'D':
				c->only_dynamic = true;
				break;
			case 'e':
				c->expired = true;
				break;
			case 'f':
				c->force = true;
				break;
			case 'n':
				c->check = true;
				break;
			case 'N':
				c->names = true;
				break;
			case 'q':
				c->quiet = true;
				break;
			case 'S':
				c->sets = true;
				break;
			case 't':
			case 'T':
				c->stamp = *s;
				break;
			case 'i': /* values of tables as addresses */
			case 'v':
				break;
			case 's': /* a field to sort pipes by */
				if (s[1] == '\0' && c->at < c->argc)
					c->at++;
				s += strlen(s) - 1;
				break;
			default:
				return false;
			}
		}
	}
	return true;
}

static bool
one_line(struct ipfw_cmd *c, const char *const *argv, uint32_t argc)
{
	c->argv = argv;
	c->argc = argc;
	c->at = 0;
	if (!options(c) || c->at == c->argc) {
		append(c, json_pack("{s:s,s:s}", "part", "usage", "text",
		              usage_text));
		c->status = IPFW_EX_USAGE;
		return false;
	}
	return run_command(c);
}

/* A line of a file: words, without its comment. */
static bool
file_line(struct ipfw_cmd *c, const char *s)
{
	const char *words[IPFW_WORDS_MAX];
	struct ipfw_cmd saved = *c;
	uint32_t n = 0;
	char *text = strdup(s), *at, *hash;
	bool good = true;

	if (text == NULL)
		return ipfw_fail(c, IPFW_EX_OSERR, "%s", bsd_strerror(ENOMEM));
	hash = strchr(text, '#');
	if (hash != NULL)
		*hash = '\0';
	for (char *word = strtok_r(text, " \t\r\n", &at); word != NULL;
	     word = strtok_r(NULL, " \t\r\n", &at)) {
		if (n == IPFW_WORDS_MAX) {
			free(text);
			return ipfw_fail(
			    c, IPFW_EX_USAGE, "too many arguments");
		}
		words[n++] = word;
	}
	if (n != 0)
		good = one_line(c, words, n);
	/* Options of a line hold for the line. */
	saved.changed = c->changed;
	saved.status = c->status;
	*c = saved;
	free(text);
	return good;
}

static void
run_lines(
    struct ipfw_cmd *c, const json_t *argv, const json_t *lines, uint32_t first)
{
	size_t count = json_array_size(argv);
	const char **words = calloc(count + 1, sizeof(*words));

	if (words == NULL) {
		(void)ipfw_fail(c, IPFW_EX_OSERR, "%s", bsd_strerror(ENOMEM));
		return;
	}
	for (size_t i = 0; i < count; i++)
		words[i] = json_string_value(json_array_get(argv, i));
	if (lines == NULL) {
		(void)one_line(c, words, (uint32_t)count);
		free(words);
		return;
	}
	c->argv = words;
	c->argc = (uint32_t)count;
	if (!options(c) || c->at != c->argc)
		(void)ipfw_fail(c, IPFW_EX_USAGE, "options only, with a file");
	for (size_t i = 0; c->status == 0 && i < json_array_size(lines); i++) {
		c->line = first + (uint32_t)i;
		(void)file_line(c, json_string_value(json_array_get(lines, i)));
	}
	free(words);
}

static void
do_ipfw(struct rpc_call *call)
{
	const json_t *argv = json_object_get(call->params, "argv");
	const json_t *lines = json_object_get(call->params, "lines");
	struct ipfw_cmd c = {
		.vnet = call->vnet,
		.read_only = call->read_only,
		.out = json_array(),
		.after = (uint64_t)rpc_param_int(call, "after", 0),
		.left = IPFW_PAGE,
	};
	uint32_t line = (uint32_t)rpc_param_int(call, "line", 1);
	json_t *result;
	int err;

	if (json_array_size(argv) > IPFW_WORDS_MAX ||
	    json_array_size(lines) > LINES_MAX) {
		json_decref(c.out);
		rpc_fail(call, RPC_FAILED, bsd_strerror(E2BIG),
		    rpc_error_data(E2BIG, NULL));
		return;
	}
	err = ipfw_of(call->vnet, &c.fw);
	if (err != 0) {
		json_decref(c.out);
		rpc_fail_errno(call, err, "ipfw");
		return;
	}
	run_lines(&c, argv, lines, line);
	if (c.changed) {
		err = ipfw_commit(c.fw);
		c.line = 0;
		if (err != 0)
			(void)ipfw_fail(
			    &c, IPFW_EX_OSERR, "%s", bsd_strerror(-err));
	}
	result = json_pack("{s:o,s:i}", "out", c.out, "exit", c.status);
	if (c.more)
		json_object_set_new(result, "next",
		    json_integer((json_int_t)(c.after + IPFW_PAGE)));
	rpc_reply(call, result);
}

/* clang-format off */
const struct rpc_method control_ipfw_methods[] = {
	{ .name = "ipfw", .flags = RPC_READ_ONLY, .handler = do_ipfw,
	    .params = { { .name = "argv", .type = RPC_STRINGS,
	            .about = "the words of the line" },
	        { .name = "lines", .type = RPC_STRINGS, .optional = true,
	            .about = "lines of a file; argv has its options" },
	        { .name = "line", .type = RPC_INTEGER, .optional = true,
	            .min = 1, .max = INT32_MAX,
	            .about = "the number of the first of them" },
	        { .name = "after", .type = RPC_INTEGER, .optional = true,
	            .min = 0, .max = UINT32_MAX,
	            .about = "the next of the page before" } },
	    .about = "One ipfw(8) command line, or a file of them." },
	{ .name = NULL },
};
/* clang-format on */

/* --- sysctls -------------------------------------------------------------- */

static int
get_setting(const struct sysctl_ctx *ctx, struct sysctl_value *v)
{
	enum ipfw_setting s = (enum ipfw_setting)ctx->arg;
	const struct ipfw *fw = ipfw_peek(ctx->vnet);

	v->num = fw != NULL ? ipfw_get(fw, s) : ipfw_settings[s].preset;
	return 0;
}

static int
set_setting(const struct sysctl_ctx *ctx, const struct sysctl_value *v)
{
	enum ipfw_setting s = (enum ipfw_setting)ctx->arg;
	struct ipfw *fw;
	int err;

	/* A default need not be remembered. */
	if (ipfw_peek(ctx->vnet) == NULL && v->num == ipfw_settings[s].preset)
		return 0;
	err = ipfw_of(ctx->vnet, &fw);
	return err != 0 ? err : ipfw_set(fw, s, (uint32_t)v->num);
}

static int
get_count(const struct sysctl_ctx *ctx, struct sysctl_value *v)
{
	const struct ipfw *fw = ipfw_peek(ctx->vnet);

	if (fw == NULL)
		return 0;
	switch (ctx->arg) {
	case 0:
		v->num = fw->states.count;
		break;
	case 1:
		v->num = fw->states.evicted;
		break;
	case 2:
		v->num = fw->states.limited;
		break;
	case 3:
		v->num = fw->rule_count + 1;
		break;
	case 4:
		v->num = fw->answered;
		break;
	default:
		v->num = fw->unanswered;
		break;
	}
	return 0;
}

static bool
list_packages(
    const struct sysctl_ctx *ctx, uint32_t i, char name[IFACE_NAME_MAX])
{
	const struct pfil_row *r = pfil_first();

	(void)ctx;
	for (; r != NULL; r = r->next)
		if (!r->package->own_switch && i-- == 0)
			return str_copy(
			           name, IFACE_NAME_MAX, r->package->name) == 0;
	return false;
}

static int
get_package(const struct sysctl_ctx *ctx, struct sysctl_value *v)
{
	const struct pfil_package *p = pfil_package(ctx->child);

	if (p == NULL)
		return -ENOENT;
	v->num = pfil_is_on(ctx->vnet, p);
	return 0;
}

static int
set_package(const struct sysctl_ctx *ctx, const struct sysctl_value *v)
{
	const struct pfil_package *p = pfil_package(ctx->child);

	return p != NULL ? pfil_switch(ctx->vnet, p, v->num != 0) : -ENOENT;
}

/* clang-format off */
#define SETTING(id, word, text) \
	{ .name = "net.inet.ip.fw." word, .type = SYSCTL_INT, \
	    .flags = SYSCTL_RW | SYSCTL_VNET | SYSCTL_NET, \
	    .get = get_setting, .set = set_setting, .arg = (id), \
	    .about = (text) }
#define COUNT(number, word, text) \
	{ .name = "net.inet.ip.fw." word, .type = SYSCTL_U64, \
	    .flags = SYSCTL_VNET, .get = get_count, .arg = (number), \
	    .about = (text) }
const struct sysctl_row sysctl_pfil_rows[] = {
	SETTING(IPFW_ENABLE, "enable", "Filter by ipfw's rules"),
	SETTING(IPFW_DEFAULT_TO_ACCEPT, "default_to_accept", 
	    "What no rule matches is allowed"),
	SETTING(IPFW_ONE_PASS, "one_pass", 
	    "What comes out of a pipe does not meet further rules"),
	SETTING(IPFW_VERBOSE, "verbose", "Log what `log' rules match"),
	SETTING(IPFW_VERBOSE_LIMIT, "verbose_limit", 
	    "Lines that a rule without logamount logs; 0: any"),
	SETTING(IPFW_AUTOINC_STEP, "autoinc_step", 
	    "Distance of numbers that rules get by themselves"),
	SETTING(IPFW_DYN_MAX, "dyn_max", 
	    "Dynamic states at most"),
	SETTING(IPFW_DYN_ACK_LIFETIME, "dyn_ack_lifetime", 
	    "Seconds that an idle TCP connection is remembered"),
	SETTING(IPFW_DYN_SYN_LIFETIME, "dyn_syn_lifetime", 
	    "... while it is opened"),
	SETTING(IPFW_DYN_FIN_LIFETIME, "dyn_fin_lifetime", 
	    "... once it is closed"),
	SETTING(IPFW_DYN_RST_LIFETIME, "dyn_rst_lifetime", 
	    "... once it is reset"),
	SETTING(IPFW_DYN_UDP_LIFETIME, "dyn_udp_lifetime", 
	    "Seconds that idle UDP is remembered"),
	SETTING(IPFW_DYN_SHORT_LIFETIME, "dyn_short_lifetime", 
	    "Seconds that other idle flows are remembered"),
	SETTING(IPFW_ICMP_LIMIT, "answer_limit", 
	    "Answers of reject, reset and unreach a second; 0: any"),
	COUNT(0, "dyn_count", "Dynamic states"),
	COUNT(1, "dyn_evicted",
	    "Idle states that went because there were dyn_max"),
	COUNT(2, "dyn_limited", "Flows that a limit has refused"),
	COUNT(3, "static_count", "Rules, with the default one"),
	COUNT(4, "answered", "Answers of reject, reset and unreach"),
	COUNT(5, "unanswered", "... that were left out for answer_limit"),
	{ .name = "net.pfil.", .type = SYSCTL_BOOL,
	    .flags = SYSCTL_RW | SYSCTL_VNET | SYSCTL_NET,
	    .list = list_packages, .get = get_package, .set = set_package,
	    .about = "That packet filter is switched on" },
	{ .name = NULL },
};
/* clang-format on */
