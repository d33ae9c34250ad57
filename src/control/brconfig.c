/* SPDX-License-Identifier: BSD-2-Clause */
/* NetBSD's brconfig(8). See brconfig.h. */
#include "control/brconfig.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ether.h"
#include "base/str.h"
#include "base/util.h"
#include "control/address_list.h"
#include "control/bsderr.h"
#include "control/printout.h"

#define OUT_AT_ONCE 65536 /* bytes of a list that is written */
#define FLAG_UP     0x1
#define FLAG_RUN    0x40
#define FLAG_PRIV   0x800 /* of a member */
#define FLAG_SPAN   0x8

/* What a command's last argument is. */
enum last {
	NOTHING,
	INTERFACE,
	ADDRESS,
	NUMBER,
};

enum does {
	DOES_WORD, /* ifconfig's word, with the arguments */
	DOES_FLAG, /* likewise, of a member's flag */
	DOES_UP,
	DOES_DOWN,
	DOES_ADDR,
	DOES_FILTER,
};

static const struct command {
	const char *name;
	int args;
	const char *word; /* ifconfig's */
	enum does does;
	enum last last;
	uint32_t max; /* of a NUMBER */
	const char *usage;
} commands[] = {
	{ "up", 0, "up", DOES_UP, NOTHING, 0, "up|down" },
	{ "down", 0, "down", DOES_DOWN, NOTHING, 0, NULL },
	{ "addr", 0, NULL, DOES_ADDR, NOTHING, 0, "addr" },
	{ "add", 1, "addm", DOES_WORD, INTERFACE, 0, "add <interface>" },
	{ "delete", 1, "deletem", DOES_WORD, INTERFACE, 0,
	    "delete <interface>" },
	{ "maxaddr", 1, "maxaddr", DOES_WORD, NUMBER, UINT32_MAX,
	    "maxaddr <size>" },
	{ "timeout", 1, "timeout", DOES_WORD, NUMBER, UINT32_MAX,
	    "timeout <time>" },
	{ "static", 2, "static", DOES_WORD, ADDRESS, 0,
	    "static <interface> <address>" },
	{ "deladdr", 1, "deladdr", DOES_WORD, ADDRESS, 0, "deladdr <address>" },
	{ "flush", 0, "flush", DOES_WORD, NOTHING, 0, "flush" },
	{ "flushall", 0, "flushall", DOES_WORD, NOTHING, 0, "flushall" },
	{ "discover", 1, "discover", DOES_FLAG, INTERFACE, 0,
	    "discover|-discover <interface>" },
	{ "-discover", 1, "-discover", DOES_FLAG, INTERFACE, 0, NULL },
	{ "ipf", 0, NULL, DOES_FILTER, NOTHING, 0, "ipf|-ipf" },
	{ "-ipf", 0, NULL, DOES_WORD, NOTHING, 0, NULL },
	{ "learn", 1, "learn", DOES_FLAG, INTERFACE, 0,
	    "learn|-learn <interface>" },
	{ "-learn", 1, "-learn", DOES_FLAG, INTERFACE, 0, NULL },
	{ "protect", 1, "private", DOES_FLAG, INTERFACE, 0,
	    "protect|-protect <interface>" },
	{ "-protect", 1, "-private", DOES_FLAG, INTERFACE, 0, NULL },
	{ "stp", 1, "stp", DOES_FLAG, INTERFACE, 0, "stp|-stp <interface>" },
	{ "-stp", 1, "-stp", DOES_FLAG, INTERFACE, 0, NULL },
	{ "maxage", 1, "maxage", DOES_WORD, NUMBER, 255, "maxage <time>" },
	{ "fwddelay", 1, "fwddelay", DOES_WORD, NUMBER, 255,
	    "fwddelay <time>" },
	{ "hellotime", 1, "hellotime", DOES_WORD, NUMBER, 255,
	    "hellotime <time>" },
	{ "priority", 1, "priority", DOES_WORD, NUMBER, 65535,
	    "priority <value>" },
	{ "ifpriority", 2, "ifpriority", DOES_WORD, NUMBER, 255,
	    "ifpriority <interface> <value>" },
	/* Differs: NetBSD's costs have 16 bits, of which 8 are used. */
	{ "ifpathcost", 2, "ifpathcost", DOES_WORD, NUMBER, UINT32_MAX,
	    "ifpathcost <interface> <value>" },
};

struct run {
	const struct brconfig_io *io;
	struct text *err;
	const char *bridge;
};

/* --- messages --------------------------------------------------------------
 */

static int
usage(const struct run *r)
{
	const char *program = r->io->program;

	text_printf(
	    r->err, "usage: %s -a\n       %s <bridge>\n", program, program);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (commands[i].usage != NULL)
			text_printf(r->err, "       %s <bridge> %s\n", program,
			    commands[i].usage);
	return 1;
}

static int COAX_PRINTF(2, 3) fail(const struct run *r, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_printf(r->err, "%s: %s\n", r->io->program, text);
	return 1;
}

/* "WHAT: Sentence", and the daemon's own explanation. @error is consumed. */
static int
refused(const struct run *r, json_t *error, const char *what)
{
	const json_t *data = json_object_get(error, "data");
	const char *name = json_string_value(json_object_get(data, "errno"));
	const char *detail = json_string_value(json_object_get(data, "detail"));
	const char *message =
	    json_string_value(json_object_get(error, "message"));
	int number = name != NULL ? bsd_errno(name) : 0;

	if (error == NULL)
		return 1; /* that was said */
	(void)fail(r, "%s: %s", what,
	    number != 0       ? bsd_strerror(number)
	    : message != NULL ? message
	                      : "refused");
	if (detail != NULL && *detail != '\0')
		(void)fail(r, "(%s)", detail);
	json_decref(error);
	return 1;
}

static bool
is_error(const json_t *error, int number)
{
	const char *name = json_string_value(
	    json_object_get(json_object_get(error, "data"), "errno"));

	return name != NULL && bsd_errno(name) == number;
}

/* --- print-outs ------------------------------------------------------------
 */

static json_int_t
get_int(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* From a peer: nothing in it moves the cursor. */
static void
put_str(struct text *t, const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	for (; s != NULL && *s != '\0'; s++)
		text_printf(
		    t, "%c", (unsigned char)*s < ' ' || *s == 0x7f ? '?' : *s);
}

struct bit {
	uint32_t bit;
	const char *name;
};

static void
put_bits(
    struct text *t, uint32_t value, const struct bit *bits, size_t bit_count)
{
	const char *comma = "";

	text_printf(t, "flags=%x<", value);
	for (size_t i = 0; i < bit_count; i++) {
		if ((value & bits[i].bit) == 0)
			continue;
		text_printf(t, "%s%s", comma, bits[i].name);
		comma = ",";
	}
	text_puts(t, ">");
}

/* As NetBSD's bridge has them: it is running while it is up, and has no bits
 * for what every coax bridge can. */
static void
put_flags(struct text *t, const json_t *iface)
{
	static const struct bit bits[] = { { FLAG_UP, "UP" },
		{ FLAG_RUN, "RUNNING" }, { 0x100, "PROMISC" },
		{ 0x1000, "LINK0" }, { 0x2000, "LINK1" }, { 0x4000, "LINK2" } };
	uint32_t flags = (uint32_t)get_int(iface, "flags");

	flags &= FLAG_UP | FLAG_RUN | 0x100u | 0x7000u;
	if ((flags & FLAG_UP) == 0)
		flags &= ~(uint32_t)FLAG_RUN;
	put_bits(t, flags, bits, ARRAY_LEN(bits));
}

static void
put_member(struct text *t, const json_t *m)
{
	static const struct bit bits[] = { { 1, "LEARNING" }, { 2, "DISCOVER" },
		{ 4, "STP" }, { 8, "PROTECTED" } };
	uint32_t flags = (uint32_t)get_int(m, "flags");
	const char *state = json_string_value(json_object_get(m, "state"));

	if ((flags & FLAG_SPAN) != 0)
		return; /* NetBSD has none */
	text_puts(t, "\t\t");
	put_str(t, m, "name");
	text_puts(t, " ");
	put_bits(t, (flags & 7) | ((flags & FLAG_PRIV) != 0 ? 8 : 0), bits,
	    ARRAY_LEN(bits));
	text_printf(t, "\n\t\t\tport %lld priority %lld",
	    (long long)get_int(m, "port"), (long long)get_int(m, "priority"));
	if ((flags & 4) != 0) {
		text_printf(
		    t, " path cost %lld ", (long long)get_int(m, "path_cost"));
		/* RSTP has one state for what STP calls blocking and
		 * listening. */
		if (state != NULL && strcmp(state, "discarding") == 0)
			text_puts(t, "blocking");
		else
			put_str(t, m, "state");
	}
	text_puts(t, "\n");
}

struct address_format {
	bool json;
	const char *indent;
};

/* As printout_json() has it in an array, without the array. */
static void
format_element(const json_t *a, struct text *t)
{
	json_t *list = json_pack("[O]", a);
	char *s = json_dumps(list, JSON_INDENT(2));
	size_t len = s != NULL ? strlen(s) : 0;

	if (len > 4) /* "[\n" and "\n]" */
		text_putn(t, s + 2, len - 4);
	free(s);
	json_decref(list);
}

static void
format_address(void *arg, const json_t *a, struct text *t)
{
	static const struct bit bits[] = { { 1, "STATIC" }, { 2, "STICKY" } };
	const struct address_format *as = arg;

	if (as->json) {
		format_element(a, t);
		return;
	}
	text_puts(t, as->indent);
	put_str(t, a, "mac");
	text_puts(t, " ");
	put_str(t, a, "iface");
	text_printf(t, " %lld ", (long long)get_int(a, "expires"));
	put_bits(t, (uint32_t)get_int(a, "flags"), bits, ARRAY_LEN(bits));
	text_puts(t, "\n");
}

/* Piece by piece: there can be millions. */
static int
get_addresses(const struct run *r, const char *bridge,
    struct address_format *as, struct address_list *list)
{
	const struct brconfig_io *io = r->io;
	json_t *cursor = json_string("");
	int err = 0;

	while (cursor != NULL) {
		json_t *page = NULL, *error = NULL;
		json_t *params =
		    json_pack("{s:s,s:o}", "name", bridge, "cursor", cursor);

		if (io->call(io->arg, "bridge.addresses", params, &page,
		        &error) != 0)
			return refused(r, error, "unable to get address cache");
		err = address_list_add(list, page, format_address, as);
		cursor = err == 0 ? json_incref(json_object_get(page, "cursor"))
		                  : NULL;
		json_decref(page);
	}
	return err == 0 ? 0 : fail(r, "no memory for the addresses");
}

static int
show_addresses(const struct run *r, const char *bridge, const char *indent)
{
	struct address_format as = { r->io->json, indent };
	struct address_list list = { 0 };
	struct text out = { 0 };
	int status = get_addresses(r, bridge, &as, &list);

	address_list_sort(&list);
	text_puts(&out, !as.json || status != 0 ? ""
	                : list.count != 0       ? "[\n"
	                                        : "[");
	for (size_t i = 0; i < list.count && status == 0; i++) {
		text_puts(&out, as.json && i > 0 ? ",\n" : "");
		text_puts(&out, list.lines[i].text);
		if (out.len < OUT_AT_ONCE)
			continue;
		status = r->io->put(r->io->arg, &out);
		out = (struct text){ 0 };
	}
	if (as.json && status == 0)
		text_puts(&out, list.count != 0 ? "\n]\n" : "]\n");
	address_list_free(&list);
	if (status == 0)
		return r->io->put(r->io->arg, &out);
	text_free(&out);
	return status;
}

static int
show_status(const struct run *r, const char *name, const json_t *iface)
{
	const json_t *b = json_object_get(iface, "bridge"), *m;
	struct text out = { 0 };
	size_t i;

	if (r->io->json) {
		printout_json(iface, &out);
		return r->io->put(r->io->arg, &out);
	}
	text_printf(&out, "%s: ", name);
	put_flags(&out, iface);
	text_printf(&out,
	    "\n\tConfiguration:\n\t\tpriority %lld hellotime %lld fwddelay "
	    "%lld maxage %lld\n\t\tipfilter disabled flags 0x0\n"
	    "\tInterfaces:\n",
	    (long long)get_int(b, "priority"),
	    (long long)get_int(b, "hellotime"),
	    (long long)get_int(b, "fwddelay"), (long long)get_int(b, "maxage"));
	json_array_foreach(json_object_get(b, "members"), i, m)
	{
		put_member(&out, m);
	}
	text_printf(&out, "\tAddress cache (max cache: %lld, timeout: %lld):\n",
	    (long long)get_int(b, "maxaddr"), (long long)get_int(b, "timeout"));
	if (r->io->put(r->io->arg, &out) != 0)
		return 1;
	return show_addresses(r, name, "\t\t");
}

static bool
is_bridge(const json_t *iface)
{
	const char *kind = json_string_value(json_object_get(iface, "kind"));

	return kind != NULL && strcmp(kind, "bridge") == 0;
}

static int
show_all(const struct run *r)
{
	const struct brconfig_io *io = r->io;
	json_t *list = NULL, *error = NULL, *iface;
	int status = 0;
	size_t i;

	if (io->call(io->arg, "iface.list", json_object(), &list, &error) != 0)
		return refused(r, error, "unable to get interfaces");
	json_array_foreach(list, i, iface)
	{
		const char *name =
		    json_string_value(json_object_get(iface, "name"));

		if (name != NULL && is_bridge(iface) && status == 0)
			status = show_status(r, name, iface);
	}
	json_decref(list);
	return status;
}

/* --- commands --------------------------------------------------------------
 */

/* "bridge" and a digit: all that NetBSD asks of a name. */
static bool
named_so(const char *name)
{
	return strncmp(name, "bridge", 6) == 0 && name[6] >= '0' &&
	       name[6] <= '9';
}

/* The bridge, new reference; NULL: that was said. */
static json_t *
get_bridge(const struct run *r)
{
	const struct brconfig_io *io = r->io;
	json_t *iface = NULL, *error = NULL;
	bool there =
	    io->call(io->arg, "iface.get",
	        json_pack("{s:s}", "name", r->bridge), &iface, &error) == 0;

	/* Differs: a bridge may have another name. */
	if (there && is_bridge(iface))
		return iface;
	if (there || (error != NULL && !named_so(r->bridge)))
		(void)fail(r, "%.64s is not a bridge", r->bridge);
	else if (is_error(error, ENOENT) || is_error(error, ENXIO))
		(void)fail(r, "unable to get interface flags: %s",
		    bsd_strerror(ENXIO));
	else
		(void)refused(
		    r, json_incref(error), "unable to get interface flags");
	json_decref(iface);
	json_decref(error);
	return NULL;
}

/* ifconfig BRIDGE WORD ARGS */
static int
do_word(const struct run *r, const char *word, int argc,
    const char *const *argv, json_t **error)
{
	const struct brconfig_io *io = r->io;
	json_t *words = json_pack("[s,s]", r->bridge, word);
	json_t *result = NULL;
	int status;

	for (int i = 0; i < argc; i++)
		json_array_append_new(words, json_string(argv[i]));
	status = io->call(io->arg, "ifconfig",
	    json_pack("{s:o}", "argv", words), &result, error);
	json_decref(result);
	return status;
}

/* As strtoul(3) with base 0 takes it, but no sign and no blanks. */
static bool
number_ok(const char *s, uint32_t max)
{
	uint32_t value;

	return str_u32(s, 0, 0, max, &value) == 0;
}

/* How a failure of a command begins. */
static const char *
what(const struct command *c, const char *const *argv, char text[256])
{
	struct sbuf b = sbuf_init(text, 256);

	sbuf_puts(&b, c->name);
	for (int i = 0; i < c->args; i++)
		sbuf_printf(&b, " %.64s", argv[i]);
	return text;
}

/* Is @name a member, so that its flags can be got? */
static bool
has_member(const json_t *iface, const char *name)
{
	const json_t *members =
	    json_object_get(json_object_get(iface, "bridge"), "members");
	const json_t *m;
	size_t i;

	json_array_foreach(members, i, m)
	{
		const char *s = json_string_value(json_object_get(m, "name"));

		if (s != NULL && strcmp(s, name) == 0)
			return true;
	}
	return false;
}

static int
do_flag(const struct run *r, const struct command *c, const char *const *argv)
{
	json_t *error = NULL, *iface;
	bool member;

	if (do_word(r, c->word, c->args, argv, &error) == 0)
		return 0;
	if (error == NULL)
		return 1;
	iface = get_bridge(r);
	member = iface != NULL && has_member(iface, argv[0]);
	json_decref(iface);
	return refused(r, error,
	    member ? "unable to set bridge flags"
	           : "unable to get bridge flags");
}

static int
do_command(
    const struct run *r, const struct command *c, const char *const *argv)
{
	const char *last = c->args > 0 ? argv[c->args - 1] : NULL;
	uint8_t mac[ETH_ADDR_LEN];
	json_t *error = NULL;
	char text[256];

	if (c->last == NUMBER && !number_ok(last, c->max))
		return fail(r, "%s: invalid value: %.64s", c->name, last);
	if (c->last == ADDRESS && ether_parse(last, mac) != 0)
		return fail(r, "%s: invalid address: %.64s", c->name, last);
	switch (c->does) {
	case DOES_ADDR:
		return show_addresses(r, r->bridge, "\t");
	case DOES_FILTER:
		(void)fail(r, "%s: %s", c->name, bsd_strerror(EOPNOTSUPP));
		return fail(r, "(a bridge has no packet filter of its own; "
		               "sysctl net.link.bridge says where a vnet's "
		               "looks)");
	case DOES_FLAG:
		return do_flag(r, c, argv);
	case DOES_UP:
	case DOES_DOWN:
		return 0; /* at the end */
	case DOES_WORD:
		break;
	}
	if (c->word == NULL || do_word(r, c->word, c->args, argv, &error) == 0)
		return 0;
	return refused(r, error, what(c, argv, text));
}

static const struct command *
find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int
do_commands(const struct run *r, int argc, const char *const *argv)
{
	const struct command *flag = NULL, *c;
	json_t *error = NULL;
	int status;

	while (argc > 0) {
		c = find(argv[0]);
		if (c == NULL)
			return fail(r, "unknown command: %.64s", argv[0]);
		if (argc - 1 < c->args)
			return fail(r, "command %s requires %d argument%s",
			    c->name, c->args, c->args == 1 ? "" : "s");
		status = do_command(r, c, argv + 1);
		if (status != 0)
			return status;
		if (c->does == DOES_UP || c->does == DOES_DOWN)
			flag = c;
		argc -= 1 + c->args;
		argv += 1 + c->args;
	}
	if (flag != NULL && do_word(r, flag->word, 0, NULL, &error) != 0)
		return refused(r, error, "unable to set interface flags");
	return 0;
}

int
brconfig_run(const struct brconfig_io *io, int argc, const char *const *argv,
    struct text *err)
{
	struct run r = { .io = io, .err = err };
	json_t *iface;
	bool all = false;
	int status;

	/* getopt(3)'s ways. */
	while (argc > 0 && argv[0][0] == '-' && argv[0][1] != '\0') {
		bool end = strcmp(argv[0], "--") == 0;

		for (const char *p = argv[0] + 1; !end && *p != '\0'; p++) {
			if (*p != 'a') {
				(void)fail(&r, "unknown option -- %c", *p);
				return usage(&r);
			}
			all = true;
		}
		argc--;
		argv++;
		if (end)
			break;
	}
	if (all != (argc == 0))
		return usage(&r);
	if (all)
		return show_all(&r);
	r.bridge = argv[0];
	iface = get_bridge(&r);
	if (iface == NULL)
		return 1;
	status = argc == 1 ? show_status(&r, r.bridge, iface)
	                   : do_commands(&r, argc - 1, argv + 1);
	json_decref(iface);
	return status;
}
