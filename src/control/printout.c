/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON as text. See printout.h.
 *
 * An interface is printed by the rows of iface_lines[], in their order; a kind
 * whose original prints otherwise has a row in styles[]. What a peer sends is
 * read by get_str() and get_int() only, which take any type.
 */
#include "control/printout.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "control/rcconf.h"

#define WIDTH 80

/* Reading. */

static const char *
get_str(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static long long
get_int(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static bool
get_true(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return json_is_true(v) || (json_is_integer(v) && json_integer_value(v));
}

/* Writing: what came from the peer, without control characters. */
static void
put(struct text *t, const char *s)
{
	if (s == NULL)
		return;
	while (*s != '\0') {
		size_t n = 0;

		while ((unsigned char)s[n] >= ' ' && s[n] != 0x7f)
			n++;
		text_putn(t, s, n);
		s += n;
		if (*s != '\0') {
			text_puts(t, "?");
			s++;
		}
	}
}

/* The same, but lines stay lines. */
static void
put_lines(struct text *t, const char *s)
{
	const char *nl;
	char line[512];

	while ((nl = strchr(s, '\n')) != NULL) {
		size_t n = COAX_MIN((size_t)(nl - s), sizeof(line) - 1);

		memcpy(line, s, n);
		line[n] = '\0';
		put(t, line);
		text_puts(t, "\n");
		s = nl + 1;
	}
	put(t, s);
}

/* @s in a column of @width, followed by one blank at least. */
static void
put_column(struct text *t, const char *s, size_t width)
{
	size_t start = t->len;

	put(t, s);
	do {
		text_puts(t, " ");
	} while (text_ok(t) && t->len - start <= width);
}

/* Words of @s at @indent, wrapped at the width; the first line has begun.
 * @tab: lines begin with one. */
static void
put_wrapped(struct text *t, const char *s, size_t indent, bool tab)
{
	size_t column = indent;

	while (s != NULL && *s != '\0') {
		size_t n = strcspn(s, " ");
		char word[128];

		if (column + n > WIDTH - 1 && column > indent) {
			text_printf(t, "\n%s%*s", tab ? "\t" : "",
			    (int)indent - (tab ? 8 : 0), "");
			column = indent;
		} else if (column > indent) {
			text_puts(t, " ");
			column++;
		}
		snprintf(word, sizeof(word), "%.*s", (int)n, s);
		put(t, word);
		column += n;
		s += n;
		while (*s == ' ')
			s++;
	}
	text_puts(t, "\n");
}

/* "<A,B>", or nothing when there is none and not @always. */
static void
put_names(struct text *t, const json_t *names, bool always)
{
	size_t n = json_array_size(names);

	if (n == 0 && !always)
		return;
	text_puts(t, "<");
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			text_puts(t, ",");
		put(t, json_string_value(json_array_get(names, i)));
	}
	text_puts(t, ">");
}

/* A word of flags by a table of bits, when there are no names in the data. */
struct bit_name {
	long long bit;
	const char *name;
};

static void
put_bits(struct text *t, long long v, const struct bit_name *rows)
{
	bool any = false;

	text_printf(t, "%llx<", (unsigned long long)v);
	for (; rows->name != NULL; rows++)
		if ((v & rows->bit) != 0) {
			text_printf(t, "%s%s", any ? "," : "", rows->name);
			any = true;
		}
	text_puts(t, ">");
}

/* FreeBSD's IFBIF_* in the order in which ifconfig names them. */
static const struct bit_name member_bits[] = {
	{ 0x001, "LEARNING" },
	{ 0x002, "DISCOVER" },
	{ 0x004, "STP" },
	{ 0x008, "SPAN" },
	{ 0x010, "STICKY" },
	{ 0x800, "PRIVATE" },
	{ 0x020, "EDGE" },
	{ 0x040, "AUTOEDGE" },
	{ 0x080, "PTP" },
	{ 0x100, "AUTOPTP" },
	{ 0x1000, "QINQ" },
	{ 0, NULL },
};

static const struct bit_name bridge_bits[] = {
	{ 0x1, "VLANFILTER" },
	{ 0x2, "DEFQINQ" },
	{ 0, NULL },
};

static const struct bit_name address_bits[] = {
	{ 0x1, "STATIC" },
	{ 0x2, "STICKY" },
	{ 0, NULL },
};

/* Interfaces. */

static void
line_description(const json_t *o, struct text *t)
{
	const char *s = get_str(o, "description");

	if (s != NULL && *s != '\0') {
		text_puts(t, "\tdescription: ");
		put(t, s);
		text_puts(t, "\n");
	}
}

static void
line_owner(const json_t *o, struct text *t)
{
	const char *macs = get_str(o, "macs");
	bool user = json_object_get(o, "user") != NULL;
	bool group = json_object_get(o, "usergroup") != NULL;

	if (user || group)
		text_puts(t, "\t");
	if (user)
		text_printf(t, "user: %lld", (long long)get_int(o, "user"));
	if (group)
		text_printf(t, "%susergroup: %lld", user ? " " : "",
		    (long long)get_int(o, "usergroup"));
	if (user || group)
		text_puts(t, "\n");
	if (macs != NULL) {
		text_puts(t, "\tmacs: ");
		put(t, macs);
		text_puts(t, "\n");
	}
}

static void
line_options(const json_t *o, struct text *t)
{
	if (!json_is_integer(json_object_get(o, "options")))
		return;
	text_printf(
	    t, "\toptions=%llx", (unsigned long long)get_int(o, "options"));
	put_names(t, json_object_get(o, "option_names"), false);
	text_puts(t, "\n");
}

static void
line_ether(const json_t *o, struct text *t)
{
	const char *s = get_str(o, "ether");

	if (s != NULL) {
		text_puts(t, "\tether ");
		put(t, s);
		text_puts(t, "\n");
	}
}

static void
put_inet(const json_t *a, struct text *t)
{
	long long len = get_int(a, "prefixlen");
	uint32_t mask =
	    len <= 0 || len > 32 ? 0 : (uint32_t)(0xffffffffu << (32 - len));

	text_puts(t, "\tinet ");
	put(t, get_str(a, "address"));
	if (get_str(a, "destination") != NULL) {
		text_puts(t, " --> ");
		put(t, get_str(a, "destination"));
	}
	text_printf(t, " netmask 0x%" PRIx32, mask);
	if (get_str(a, "broadcast") != NULL) {
		text_puts(t, " broadcast ");
		put(t, get_str(a, "broadcast"));
	}
	text_puts(t, "\n");
}

static void
put_inet6(const json_t *o, const json_t *a, struct text *t)
{
	const json_t *flags = json_object_get(a, "flags");
	long long scope = get_int(a, "scopeid");

	text_puts(t, "\tinet6 ");
	put(t, get_str(a, "address"));
	if (scope != 0) {
		text_puts(t, "%");
		put(t, get_str(o, "name"));
	}
	if (get_str(a, "destination") != NULL) {
		text_puts(t, " --> ");
		put(t, get_str(a, "destination"));
	}
	text_printf(t, " prefixlen %lld", get_int(a, "prefixlen"));
	for (size_t i = 0; i < json_array_size(flags); i++) {
		text_puts(t, " ");
		put(t, json_string_value(json_array_get(flags, i)));
	}
	if (scope != 0)
		text_printf(t, " scopeid 0x%llx", (unsigned long long)scope);
	text_puts(t, "\n");
}

/* All of inet first, as the kernel sorts them. */
static void
line_addresses(const json_t *o, struct text *t)
{
	static const char *const families[] = { "inet", "inet6" };
	const json_t *list = json_object_get(o, "addresses"), *a;

	for (size_t f = 0; f < ARRAY_LEN(families); f++)
		for (size_t i = 0; i < json_array_size(list); i++) {
			const char *family;

			a = json_array_get(list, i);
			family = get_str(a, "family");
			if (family == NULL || strcmp(family, families[f]) != 0)
				continue;
			if (f == 0)
				put_inet(a, t);
			else
				put_inet6(o, a, t);
		}
}

static void
line_nd6(const json_t *o, struct text *t)
{
	const json_t *n = json_object_get(o, "nd6");

	if (!json_is_object(n))
		return;
	text_printf(
	    t, "\tnd6 options=%llx", (unsigned long long)get_int(n, "options"));
	put_names(t, json_object_get(n, "option_names"), false);
	text_puts(t, "\n");
}

static void
line_vnet(const json_t *o, struct text *t)
{
	const char *s = get_str(o, "away");

	if (s != NULL) {
		text_puts(t, "\tvnet: ");
		put(t, *s != '\0' ? s : "<home>");
		text_puts(t, "\n");
	}
}

static void
line_groups(const json_t *o, struct text *t)
{
	const json_t *list = json_object_get(o, "groups");

	if (json_array_size(list) == 0)
		return;
	text_puts(t, "\tgroups:");
	for (size_t i = 0; i < json_array_size(list); i++) {
		text_puts(t, " ");
		put(t, json_string_value(json_array_get(list, i)));
	}
	text_puts(t, "\n");
}

/* Darwin shows no groups: those that somebody gave are shown all the same. */
static void
line_groups_given(const json_t *o, struct text *t)
{
	const char *kind = get_str(o, "kind"), *first;

	first =
	    json_string_value(json_array_get(json_object_get(o, "groups"), 0));
	if (kind != NULL && first != NULL && strcmp(kind, first) == 0 &&
	    json_array_size(json_object_get(o, "groups")) == 1)
		return;
	line_groups(o, t);
}

/* A line of one string, if @o has it under @key. */
static void
line_str(const json_t *o, const char *key, const char *label, struct text *t)
{
	const char *s = get_str(o, key);

	if (s != NULL) {
		text_puts(t, label);
		put(t, s);
		text_puts(t, "\n");
	}
}

static void
line_media(const json_t *o, struct text *t)
{
	line_str(o, "media", "\tmedia: Ethernet ", t);
}

static void
line_media_bare(const json_t *o, struct text *t)
{
	line_str(o, "media", "\tmedia: ", t);
}

static void
line_status(const json_t *o, struct text *t)
{
	line_str(o, "status", "\tstatus: ", t);
}

static void
line_feth(const json_t *o, struct text *t)
{
	const json_t *k = json_object_get(o, "feth");
	const char *peer = get_str(k, "peer");

	if (!json_is_object(k))
		return;
	text_puts(t, "\tpeer: ");
	put(t, peer != NULL ? peer : "<none>");
	text_puts(t, "\n");
}

/* The test features that are on: after all that Darwin prints. */
static void
line_feth_faults(const json_t *o, struct text *t)
{
	const json_t *k = json_object_get(o, "feth");
	bool any = false;

	static const char *const numbers[] = { "txdrops", "trailer" };
	static const char *const switches[] = { "fcs", "stall" };

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (get_int(k, numbers[i]) != 0) {
			text_printf(t, "%s %s %lld",
			    any ? "" : "\tfaults:", numbers[i],
			    get_int(k, numbers[i]));
			any = true;
		}
	for (size_t i = 0; i < ARRAY_LEN(switches); i++)
		if (get_true(k, switches[i])) {
			text_printf(
			    t, "%s %s", any ? "" : "\tfaults:", switches[i]);
			any = true;
		}
	if (get_int(k, "held") != 0)
		text_printf(t, " held %lld", get_int(k, "held"));
	if (any)
		text_puts(t, "\n");
}

static void
line_tunnel(const json_t *o, struct text *t)
{
	const json_t *k = json_object_get(o, "gif");
	const char *s;

	if (get_str(k, "family") != NULL) {
		text_puts(t, "\ttunnel ");
		put(t, get_str(k, "family"));
		text_puts(t, " ");
		put(t, get_str(k, "source"));
		text_puts(t, " --> ");
		put(t, get_str(k, "destination"));
		if ((s = get_str(k, "error")) != NULL) {
			text_puts(t, " (");
			put(t, s);
			text_puts(t, ")");
		}
		text_puts(t, "\n");
	}
	line_str(k, "tunnelvnet", "\ttunnelvnet: ", t);
}

/* FreeBSD's bits, and what only coax has. */
static void
line_gif_options(const json_t *o, struct text *t)
{
	const json_t *k = json_object_get(o, "gif");
	bool any = false;

	if (get_int(k, "options") != 0) {
		text_printf(t, "\toptions=%llx",
		    (unsigned long long)get_int(k, "options"));
		put_names(t, json_object_get(k, "option_names"), false);
		text_puts(t, "\n");
	}
	if (get_int(k, "ttl") != 0) {
		text_printf(t, "\tttl %lld", get_int(k, "ttl"));
		any = true;
	}
	if (get_true(k, "df")) {
		text_printf(t, "%sdf", any ? " " : "\t");
		any = true;
	}
	if (get_true(k, "df") && get_int(k, "path_mtu") != 0)
		text_printf(t, " path mtu %lld", get_int(k, "path_mtu"));
	if (any)
		text_puts(t, "\n");
}

/* Where the wire is, and who is there. */
static void
line_sock(const json_t *o, struct text *t)
{
	static const char *const ends[] = { "listen", "connect" };
	const json_t *k = json_object_get(o, "sock");
	const char *s;

	if (!json_is_object(k))
		return;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		if ((s = get_str(k, ends[i])) == NULL)
			continue;
		text_printf(t, "\t%s: ", ends[i]);
		put(t, s);
		text_puts(t, " framing ");
		put(t, get_str(k, "framing"));
		if (get_int(k, "vnethdr") != 0)
			text_printf(t, " vnethdr %lld", get_int(k, "vnethdr"));
		text_puts(t, "\n");
	}
	text_puts(t, "\tpeer:");
	if (!get_true(k, "connected")) {
		text_puts(t, " <none>");
		if ((s = get_str(k, "error")) != NULL) {
			text_puts(t, " (");
			put(t, s);
			text_puts(t, ")");
		}
	} else if ((s = get_str(k, "peer_address")) != NULL) {
		text_puts(t, " ");
		put(t, s);
	} else if (get_int(k, "peer_pid") == 0) {
		text_puts(t, " connected");
	}
	if (get_int(k, "peer_pid") != 0)
		text_printf(t, " pid %lld uid %lld", get_int(k, "peer_pid"),
		    get_int(k, "peer_uid"));
	text_puts(t, "\n");
}

/* Only coax has it. */
static void
line_dhcp(const json_t *o, struct text *t)
{
	const json_t *d = json_object_get(o, "dhcp");
	const char *state = get_str(d, "state");

	if (!json_is_object(d))
		return;
	text_puts(t, "\tdhcp: ");
	put(t, state);
	if (get_str(d, "address") != NULL) {
		text_puts(t, " ");
		put(t, get_str(d, "address"));
		text_printf(t, "/%lld", get_int(d, "prefixlen"));
	}
	if (get_str(d, "router") != NULL) {
		text_puts(t, " router ");
		put(t, get_str(d, "router"));
	}
	if (get_str(d, "server") != NULL) {
		text_puts(t, " server ");
		put(t, get_str(d, "server"));
	}
	if (get_str(d, "address") != NULL)
		text_printf(t, " lease %lld s", get_int(d, "lease_s"));
	if (get_str(d, "error") != NULL) {
		text_puts(t, " (");
		put(t, get_str(d, "error"));
		text_puts(t, ")");
	}
	text_puts(t, "\n");
}

/* Only coax has it. */
static void
line_impair(const json_t *o, struct text *t)
{
	static const char *const heads[] = { "\timpair in: ",
		"\timpair out: " };
	static const char *const ways[] = { "in", "out" };

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		const json_t *w =
		    json_object_get(json_object_get(o, "impair"), ways[i]);

		if (!json_is_object(w))
			continue;
		text_puts(t, heads[i]);
		put_wrapped(t, get_str(w, "words"), 7 + strlen(heads[i]), true);
	}
}

static void
line_vlan(const json_t *o, struct text *t)
{
	const json_t *k = json_object_get(o, "vlan");
	const char *parent = get_str(k, "parent");

	text_printf(t, "\tvlan: %lld vlanproto: ", get_int(k, "vlan"));
	/* What BSD's ifconfig shows of the protocol where there is no tag. */
	put(t, parent != NULL ? get_str(k, "vlanproto") : "0x0000");
	text_printf(
	    t, " vlanpcp: %lld parent interface: ", get_int(k, "vlanpcp"));
	put(t, parent != NULL ? parent : "<none>");
	text_puts(t, "\n");
}

static void
line_tap(const json_t *o, struct text *t)
{
	const json_t *k = json_object_get(o, "tap");

	if (get_int(k, "opened_by_pid") > 0)
		text_printf(
		    t, "\tOpened by PID %lld\n", get_int(k, "opened_by_pid"));
}

/* Only coax has it: a line of its own, if anything is not as at first. */
static void
put_group_fwd(const json_t *list, struct text *t)
{
	if (json_array_size(list) == 0)
		return;
	text_puts(t, "\t        group-fwd");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *g = json_array_get(list, i);

		text_printf(
		    t, "%s %lld ", i != 0 ? "," : "", get_int(g, "group"));
		put(t, get_str(g, "action"));
	}
	text_puts(t, "\n");
}

/* Likewise. */
static void
put_storms(const json_t *storm, struct text *t)
{
	static const char *const names[] = { "broadcast", "multicast",
		"unknown" };
	bool any = false;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (get_int(storm, names[i]) == 0)
			continue;
		text_printf(t, "%s %s %lld", any ? "" : "\t        storm",
		    names[i], get_int(storm, names[i]));
		any = true;
	}
	if (any)
		text_puts(t, "\n");
}

/* A list of words, "a,b"; nothing if there are none. */
static void
put_words(const json_t *list, const char *before, struct text *t)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		text_puts(t, i == 0 ? before : ",");
		put(t, json_string_value(json_array_get(list, i)));
	}
}

/* Of coax only, as put_group_fwd(). */
static void
put_guards(const json_t *stp, struct text *t)
{
	const json_t *guards = json_object_get(stp, "guards");
	const json_t *held = json_object_get(stp, "held");

	if (json_array_size(guards) + json_array_size(held) == 0)
		return;
	text_puts(t, "\t       ");
	put_words(guards, " stp-guard ", t);
	put_words(held, " held by ", t);
	text_puts(t, "\n");
}

static void
put_member(const json_t *m, struct text *t)
{
	const char *s;

	text_puts(t, "\tmember: ");
	put(t, get_str(m, "name"));
	text_puts(t, " flags=");
	put_bits(t, get_int(m, "flags"), member_bits);
	text_puts(t, "\n");
	if ((get_int(m, "flags") & 0x8) != 0)
		return; /* a span port has no more */
	text_puts(t, "\t        ");
	if (get_int(m, "ifmaxaddr") != 0)
		text_printf(t, "ifmaxaddr %lld ", get_int(m, "ifmaxaddr"));
	text_printf(t, "port %lld priority %lld path cost %lld",
	    get_int(m, "port"), get_int(m, "priority"),
	    get_int(m, "path_cost"));
	if ((get_int(m, "flags") & 0x4) != 0) {
		text_puts(t, " proto ");
		put(t, get_str(m, "proto"));
		text_puts(t, "\n\t        role ");
		put(t, get_str(m, "role"));
		text_puts(t, " state ");
		put(t, get_str(m, "state"));
	}
	if ((s = get_str(m, "vlan_protocol")) != NULL) {
		text_puts(t, " vlan protocol ");
		put(t, s);
	}
	if (get_int(m, "untagged") != 0)
		text_printf(t, " untagged %lld", get_int(m, "untagged"));
	if ((s = get_str(m, "tagged")) != NULL && *s != '\0') {
		text_puts(t, " tagged ");
		put(t, s);
	}
	text_puts(t, "\n");
	put_group_fwd(json_object_get(m, "group_fwd"), t);
	put_storms(json_object_get(m, "storm"), t);
	put_guards(json_object_get(m, "stp"), t);
}

static void
line_bridge(const json_t *o, struct text *t)
{
	static const char none[] = "00:00:00:00:00:00";
	const json_t *b = json_object_get(o, "bridge");
	const json_t *members = json_object_get(b, "members");
	const json_t *flapdamp;
	const char *s;

	if (!json_is_object(b))
		return;
	s = get_str(b, "id");
	text_puts(t, "\tid ");
	put(t, s != NULL ? s : none);
	text_printf(t, " priority %lld hellotime %lld fwddelay %lld\n",
	    get_int(b, "priority"), get_int(b, "hellotime"),
	    get_int(b, "fwddelay"));
	text_printf(t, "\tmaxage %lld holdcnt %lld proto ",
	    get_int(b, "maxage"), get_int(b, "holdcnt"));
	s = get_str(b, "proto");
	put(t, s != NULL ? s : "-");
	text_printf(t, " maxaddr %lld timeout %lld\n", get_int(b, "maxaddr"),
	    get_int(b, "timeout"));
	s = get_str(b, "root_id");
	text_puts(t, "\troot id ");
	put(t, s != NULL ? s : none);
	text_printf(t, " priority %lld ifcost %lld port %lld\n",
	    get_int(b, "root_priority"), get_int(b, "root_cost"),
	    get_int(b, "root_port"));
	text_puts(t, "\tbridge flags=");
	put_bits(t, get_int(b, "flags"), bridge_bits);
	if (get_int(b, "defuntagged") != 0)
		text_printf(t, " defuntagged=%lld", get_int(b, "defuntagged"));
	text_puts(t, "\n");
	flapdamp = json_object_get(b, "flapdamp");
	if (json_is_object(flapdamp))
		text_printf(t, "\tflapdamp %lld hold %lld\n",
		    get_int(flapdamp, "moves"), get_int(flapdamp, "hold"));
	for (size_t i = 0; i < json_array_size(members); i++)
		put_member(json_array_get(members, i), t);
}

/* "\tinput: ipackets 0 ibytes 0 ...": a counter and its value stay together,
 * and what does not fit the line goes on below the first. */
static void
put_counters(struct text *t, const char *head, const json_t *counters,
    const char *const *names, size_t count)
{
	size_t indent = 8 + strlen(head), column = indent;
	char pair[64];

	text_printf(t, "\t%s", head);
	for (size_t i = 0; i < count && names[i] != NULL; i++) {
		int n = snprintf(pair, sizeof(pair), " %s %lld", names[i],
		    get_int(counters, names[i]));

		if (column + (size_t)n > WIDTH - 1 && column > indent) {
			text_printf(t, "\n\t%*s", (int)strlen(head), "");
			column = indent;
		}
		text_puts(t, pair);
		column += (size_t)n;
	}
	text_puts(t, "\n");
}

static void
put_impaired(struct text *t, const char *head, const json_t *way)
{
	static const char *const names[] = { "frames", "lost", "duplicated",
		"reordered", "corrupted", "over_limit", "over_share", "held" };

	if (json_is_object(way))
		put_counters(t, head, way, names, ARRAY_LEN(names));
}

/* -v: what only coax knows. */
static void
line_verbose(const json_t *o, struct text *t)
{
	static const char *const rows[][6] = {
		{ "ipackets", "ibytes", "ierrors", "imcasts", "iqdrops",
		    "noproto" },
		{ "opackets", "obytes", "oerrors", "omcasts", "collisions",
		    NULL },
	};
	const json_t *c = json_object_get(o, "counters");
	const json_t *impair = json_object_get(o, "impair");
	const char *key;
	json_t *v;

	text_puts(t, "\tdrivername: ");
	put(t, get_str(o, "kind"));
	if (get_int(o, "unit") >= 0)
		text_printf(t, "%lld", get_int(o, "unit"));
	text_printf(t, "\n\tindex: %lld\n", get_int(o, "index"));
	if (get_str(o, "member_of") != NULL) {
		text_puts(t, "\tmember of: ");
		put(t, get_str(o, "member_of"));
		text_puts(t, "\n");
	}
	for (size_t r = 0; json_is_object(c) && r < ARRAY_LEN(rows); r++)
		put_counters(t, r == 0 ? "input:" : "output:", c, rows[r],
		    ARRAY_LEN(rows[r]));
	put_impaired(t, "impaired in:", json_object_get(impair, "in"));
	put_impaired(t, "impaired out:", json_object_get(impair, "out"));
	json_object_foreach(json_object_get(o, "drops"), key, v)
	{
		text_puts(t, "\tdrops: ");
		put(t, key);
		text_printf(t, " %lld\n", (long long)json_integer_value(v));
	}
}

/* As ifconfig shows a radio's, with what it cannot show. */
static void
line_wlan(const json_t *o, struct text *t)
{
	static const char *const words[] = { "ssid", "channel", "mode",
		"wlanmode" };
	const json_t *w = json_object_get(o, "wlan");
	const char *s;
	bool any = false;

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		s = get_str(w, words[i]);
		if (s == NULL)
			continue;
		text_printf(t, "%s%s ", any ? " " : "\t", words[i]);
		text_puts(t, strchr(s, ' ') != NULL ? "\"" : "");
		put(t, s);
		text_puts(t, strchr(s, ' ') != NULL ? "\"" : "");
		any = true;
	}
	if (any)
		text_puts(t, " (recorded: no radio)\n");
}

struct iface_line {
	void (*print)(const json_t *o, struct text *t);
	bool verbose; /* only with PRINTOUT_VERBOSE */
};

/* FreeBSD's order. */
static const struct iface_line lines_freebsd[] = {
	{ line_description, false },
	{ line_options, false },
	{ line_ether, false },
	{ line_addresses, false },
	{ line_vnet, false },
	{ line_bridge, false },
	{ line_groups, false },
	{ line_media, false },
	{ line_status, false },
	{ line_tap, false },
	{ line_sock, false },
	{ line_impair, false },
	{ line_owner, false },
	{ line_wlan, false },
	{ line_nd6, false },
	{ line_dhcp, false },
	{ line_verbose, true },
	{ NULL, false },
};

/* A bridge has no medium. */
static const struct iface_line lines_bridge[] = {
	{ line_description, false },
	{ line_options, false },
	{ line_ether, false },
	{ line_addresses, false },
	{ line_vnet, false },
	{ line_bridge, false },
	{ line_groups, false },
	{ line_media, true },
	{ line_status, true },
	{ line_owner, false },
	{ line_wlan, false },
	{ line_nd6, false },
	{ line_dhcp, false },
	{ line_verbose, true },
	{ NULL, false },
};

static const struct iface_line lines_vlan[] = {
	{ line_description, false },
	{ line_options, false },
	{ line_ether, false },
	{ line_addresses, false },
	{ line_vnet, false },
	{ line_groups, false },
	{ line_vlan, false },
	{ line_media, false },
	{ line_status, false },
	{ line_impair, false },
	{ line_owner, false },
	{ line_wlan, false },
	{ line_nd6, false },
	{ line_dhcp, false },
	{ line_verbose, true },
	{ NULL, false },
};

/* Darwin's. */
static const struct iface_line lines_feth[] = {
	{ line_description, false },
	{ line_options, true },
	{ line_ether, false },
	{ line_addresses, false },
	{ line_vnet, false },
	{ line_feth, false },
	{ line_media_bare, false },
	{ line_status, false },
	{ line_feth_faults, false },
	{ line_groups_given, false },
	{ line_impair, false },
	{ line_owner, false },
	{ line_wlan, false },
	{ line_nd6, false },
	{ line_dhcp, false },
	{ line_verbose, true },
	{ NULL, false },
};

/* FreeBSD's gif(4). */
static const struct iface_line lines_gif[] = {
	{ line_description, false },
	{ line_options, false },
	{ line_tunnel, false },
	{ line_addresses, false },
	{ line_vnet, false },
	{ line_groups, false },
	{ line_status, true },
	{ line_impair, false },
	{ line_owner, false },
	{ line_wlan, false },
	{ line_nd6, false },
	{ line_gif_options, false },
	{ line_verbose, true },
	{ NULL, false },
};

static const struct style {
	const char *kind;
	const struct iface_line *lines;
} styles[] = {
	{ "bridge", lines_bridge },
	{ "vlan", lines_vlan },
	{ "feth", lines_feth },
	{ "gif", lines_gif },
};

void
printout_iface(const json_t *o, unsigned int flags, struct text *t)
{
	const struct iface_line *row = lines_freebsd;
	const char *kind = get_str(o, "kind");

	for (size_t i = 0; i < ARRAY_LEN(styles); i++)
		if (kind != NULL && strcmp(kind, styles[i].kind) == 0)
			row = styles[i].lines;
	put(t, get_str(o, "name"));
	text_printf(t, ": flags=%llx", (unsigned long long)get_int(o, "flags"));
	put_names(t, json_object_get(o, "flag_names"), false);
	text_printf(t, " metric %lld mtu %lld\n", get_int(o, "metric"),
	    get_int(o, "mtu"));
	for (; row->print != NULL; row++)
		if (!row->verbose || (flags & PRINTOUT_VERBOSE) != 0)
			row->print(o, t);
}

void
printout_address(const json_t *a, struct text *t)
{
	put(t, get_str(a, "mac"));
	text_printf(t, " Vlan%lld ", get_int(a, "vlan"));
	put(t, get_str(a, "iface"));
	text_printf(t, " %lld flags=", get_int(a, "expires"));
	put_bits(t, get_int(a, "flags"), address_bits);
	text_puts(t, "\n");
}

void
printout_addresses(const json_t *list, struct text *t)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		printout_address(json_array_get(list, i), t);
}

/* Parts. */

static void
part_iface(const json_t *p, struct text *out)
{
	printout_iface(p, get_true(p, "verbose") ? PRINTOUT_VERBOSE : 0, out);
}

/* On one line, or one a line. */
static void
part_names(const json_t *p, struct text *out)
{
	const json_t *names = json_object_get(p, "names");
	bool lines = get_true(p, "lines");

	for (size_t i = 0; i < json_array_size(names); i++) {
		if (i > 0 && !lines)
			text_puts(out, " ");
		put(out, json_string_value(json_array_get(names, i)));
		if (lines)
			text_puts(out, "\n");
	}
	if (!lines)
		text_puts(out, "\n");
}

static void
part_created(const json_t *p, struct text *out)
{
	put(out, get_str(p, "name"));
	text_puts(out, "\n");
}

static void
part_addresses(const json_t *p, struct text *out)
{
	printout_addresses(json_object_get(p, "addresses"), out);
}

static void
part_kinds(const json_t *p, struct text *out)
{
	const json_t *kinds = json_object_get(p, "kinds");
	bool verbose = get_true(p, "verbose");

	for (size_t i = 0; i < json_array_size(kinds); i++) {
		const json_t *k = json_array_get(kinds, i);

		if (verbose) {
			put_column(out, get_str(k, "kind"), 8);
			put(out, get_str(k, "about"));
			text_puts(out, "\n");
		} else {
			text_puts(out, i > 0 ? " " : "");
			put(out, get_str(k, "kind"));
		}
	}
	if (!verbose)
		text_puts(out, "\n");
}

static void
put_value(struct text *t, const json_t *v, bool lines)
{
	if (json_is_string(v) && lines)
		put_lines(t, json_string_value(v));
	else if (json_is_string(v))
		put(t, json_string_value(v));
	else if (json_is_boolean(v))
		text_puts(t, json_is_true(v) ? "1" : "0");
	else if (json_is_integer(v))
		text_printf(t, "%lld", (long long)json_integer_value(v));
}

static void
part_sysctl(const json_t *p, struct text *out)
{
	const char *show = get_str(p, "show"), *sep = get_str(p, "separator");
	const json_t *old = json_object_get(p, "old");

	if (show == NULL)
		show = "both";
	if (sep == NULL)
		sep = ": ";
	if (strcmp(show, "name") == 0) {
		put(out, get_str(p, "name"));
		text_puts(out, "\n");
		return;
	}
	if (!get_true(p, "bare")) {
		put(out, get_str(p, "name"));
		put(out, sep);
	}
	if (strcmp(show, "description") == 0)
		put(out, get_str(p, "description"));
	else if (strcmp(show, "type") == 0)
		put(out, get_str(p, "type"));
	else {
		if (old != NULL) {
			put_value(out, old, false);
			text_puts(out, " -> ");
		}
		put_value(
		    out, json_object_get(p, "value"), get_true(p, "lines"));
	}
	text_puts(out, "\n");
}

/* What a configuration changes: "-old" and "+new" lines as a file has them. */
static void
part_difference(const json_t *p, struct text *out)
{
	const json_t *list = json_object_get(p, "settings");
	const char *vnet = "";

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *e = json_array_get(list, i);
		const char *name = get_str(e, "name"), *of = get_str(e, "vnet");
		const char *old = get_str(e, "old"), *new = get_str(e, "new");

		if (name == NULL)
			continue;
		if (of != NULL && strcmp(of, vnet) != 0) {
			text_puts(out, " [");
			put(out, *of != '\0' ? "vnet " : "rc.conf");
			put(out, of);
			text_puts(out, "]\n");
			vnet = of;
		}
		if (old != NULL)
			rcconf_put(out, "-", name, old);
		if (new != NULL)
			rcconf_put(out, "+", name, new);
	}
}

/* Lines as they are. */
static void
part_lines(const json_t *part, struct text *out)
{
	const char *text = get_str(part, "text");

	put_lines(out, text != NULL ? text : "");
	text_puts(out, "\n");
}

/* Data, whose lines the daemon has made. */
static void
part_data_lines(const json_t *part, struct text *out)
{
	const char *text = get_str(part, "lines");

	if (text == NULL)
		return;
	put_lines(out, text);
	text_puts(out, "\n");
}

/* A rule: "NUMBER [COUNTERS] [TIME] RULE". */
static void
part_ipfw_rule(const json_t *part, struct text *out)
{
	const char *head = get_str(part, "head");
	const char *time = get_str(part, "time"); /* the client's */
	const char *body = get_str(part, "body");

	put(out, head != NULL ? head : "");
	put(out, time != NULL ? time : "");
	put(out, body != NULL ? body : "");
	text_puts(out, "\n");
}

static const struct part {
	const char *name;
	void (*print)(const json_t *p, struct text *out);
} parts[] = {
	{ "lines", part_lines },
	{ "ipfw-rule", part_ipfw_rule },
	{ "ipfw-state", part_data_lines },
	{ "ipfw-table", part_data_lines },
	{ "ipfw-entry", part_data_lines },
	{ "ipfw-pipe", part_data_lines },
	{ "ipfw-flow", part_data_lines },
	{ "iface", part_iface },
	{ "names", part_names },
	{ "created", part_created },
	{ "addresses", part_addresses },
	{ "kinds", part_kinds },
	{ "sysctl", part_sysctl },
	{ "difference", part_difference },
};

void
printout_part(
    const char *program, const json_t *part, struct text *out, struct text *err)
{
	const char *name = get_str(part, "part"), *text = get_str(part, "text");

	if (name == NULL)
		return;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (strcmp(name, parts[i].name) == 0) {
			parts[i].print(part, out);
			return;
		}
	if (text == NULL)
		return;
	if (strcmp(name, "usage") == 0) {
		put_lines(err, text);
	} else if (strcmp(name, "notice") == 0 ||
	           strcmp(name, "warning") == 0) {
		text_printf(err, "%s: ", program);
		put_lines(err, text);
		text_puts(err, "\n");
	}
}

static void
put_parts(
    const char *program, const json_t *list, struct text *out, struct text *err)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		printout_part(program, json_array_get(list, i), out, err);
}

/* An exit status of the peer's, within what a process can have. */
static int
get_exit(const json_t *o, int def)
{
	const json_t *v = json_object_get(o, "exit");

	if (!json_is_integer(v) || json_integer_value(v) < 0 ||
	    json_integer_value(v) > 255)
		return def;
	return (int)json_integer_value(v);
}

int
printout_result(const char *program, const json_t *result, struct text *out,
    struct text *err)
{
	put_parts(program, json_object_get(result, "out"), out, err);
	return get_exit(result, 0);
}

int
printout_error(const char *program, const json_t *error, struct text *out,
    struct text *err)
{
	const json_t *data = json_object_get(error, "data");
	const json_t *errors = json_object_get(data, "errors");
	const char *message = get_str(error, "message");
	const char *detail = get_str(data, "detail");

	put_parts(program, json_object_get(data, "done"), out, err);
	if (json_array_size(errors) > 0) {
		for (size_t i = 0; i < json_array_size(errors); i++) {
			text_printf(err, "%s: ", program);
			put(err, json_string_value(json_array_get(errors, i)));
			text_puts(err, "\n");
		}
	} else if (message == NULL || *message != '\0') {
		text_printf(err, "%s: ", program);
		put(err, message != NULL ? message : "refused");
		text_puts(err, "\n");
	}
	if (detail != NULL && *detail != '\0') {
		text_printf(err, "%s: (", program);
		put(err, detail);
		text_puts(err, ")\n");
	}
	return get_exit(data, 1);
}

/* coax's own listings. */

void
printout_iface_table(const json_t *list, struct text *t)
{
	text_puts(t, "NAME             KIND     STATE LINK    MTU   "
	             "ADDRESS           MEMBER OF\n");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *o = json_array_get(list, i);
		char mtu[24];

		put_column(t, get_str(o, "name"), 16);
		put_column(t, get_str(o, "kind"), 8);
		put_column(t, get_int(o, "flags") & 1 ? "up" : "down", 5);
		put_column(t, get_str(o, "link"), 7);
		snprintf(mtu, sizeof(mtu), "%lld", get_int(o, "mtu"));
		put_column(t, mtu, 5);
		put_column(t, get_str(o, "ether"), 17);
		put(t, get_str(o, "member_of") != NULL ? get_str(o, "member_of")
		                                       : "-");
		text_puts(t, "\n");
	}
}

void
printout_vnets(const json_t *list, struct text *t)
{
	text_puts(t, "VNET                             INTERFACES  HOSTS\n");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *o = json_array_get(list, i);
		const char *name = get_str(o, "name");
		char n[24];

		put_column(
		    t, name != NULL && *name != '\0' ? name : "<home>", 32);
		snprintf(n, sizeof(n), "%lld", get_int(o, "interfaces"));
		put_column(t, n, 11);
		text_printf(t, "%lld", get_int(o, "hosts"));
		if (get_true(o, "adopted"))
			text_puts(t, "  adopted");
		text_puts(t, "\n");
	}
}

/* One that has no interface is "1.0". */
static void
put_vif(const json_t *o, struct text *t)
{
	const char *bridge = get_str(o, "bridge"), *error = get_str(o, "error");
	char text[32];

	snprintf(text, sizeof(text), "%lld.%lld", get_int(o, "domid"),
	    get_int(o, "handle"));
	put_column(t,
	    get_str(o, "interface") != NULL ? get_str(o, "interface") : text,
	    12);
	put_column(t, get_str(o, "phase"), 9);
	put_column(t, get_str(o, "state"), 13);
	put_column(t, get_str(o, "front_state"), 13);
	snprintf(text, sizeof(text), "%lld", get_int(o, "queues"));
	put_column(t, text, 6);
	put(t, bridge != NULL ? bridge : "-");
	text_puts(t, "\n");
	if (error != NULL) {
		text_puts(t, "             ");
		put_wrapped(t, error, 13, false);
	}
}

void
printout_xen(const json_t *result, struct text *t)
{
	const json_t *vifs = json_object_get(result, "vifs");
	const char *why = get_str(result, "why");

	if (why != NULL) {
		text_puts(t, "no vifs are served: ");
		put(t, why);
		text_puts(t, "\n");
	}
	if (vifs == NULL || (why != NULL && json_array_size(vifs) == 0))
		return;
	text_puts(t, "INTERFACE    PHASE     STATE         GUEST         "
	             "QUEUES BRIDGE\n");
	for (size_t i = 0; i < json_array_size(vifs); i++)
		put_vif(json_array_get(vifs, i), t);
}

void
printout_trace(const json_t *result, struct text *t)
{
	const json_t *steps = json_object_get(result, "steps");

	if (get_str(result, "about") != NULL)
		put_lines(t, get_str(result, "about"));
	for (size_t i = 0; i < json_array_size(steps); i++) {
		const json_t *s = json_array_get(steps, i);

		text_printf(t, "%4zu ", i + 1);
		put_column(t, get_str(s, "step"), 6);
		put_column(t, get_str(s, "iface"), 8);
		put(t, get_str(s, "text"));
		text_puts(t, "\n");
	}
}

void
printout_drops(const json_t *result, struct text *t)
{
	const json_t *list = json_object_get(result, "drops");
	size_t n = json_array_size(list);

	if (n == 0) {
		text_puts(t, "no drops\n");
		return;
	}
	text_puts(t, "INTERFACE        REASON               COUNT  WHY\n");
	for (size_t i = 0; i < n; i++) {
		const json_t *o = json_array_get(list, i);
		size_t start = t->len;

		put_column(t, get_str(o, "iface"), 16);
		put_column(t, get_str(o, "reason"), 15);
		text_printf(t, "%10lld  ", get_int(o, "count"));
		if (t->len - start > 45)
			text_printf(t, "\n%*s", 45, "");
		put_wrapped(t, get_str(o, "text"), 45, false);
	}
}

void
printout_pool(const json_t *p, struct text *t)
{
	static const char *const classes[] = { "small", "large" };

	text_puts(t, "FRAMES       TOTAL       FREE       SIZE\n");
	for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
		const json_t *c = json_object_get(p, classes[i]);

		text_printf(t, "%-6s  %10lld %10lld %10lld\n", classes[i],
		    get_int(c, "total"), get_int(c, "free"),
		    get_int(c, "size"));
	}
	text_printf(t, "failures %lld\n", get_int(p, "failures"));
}

void
printout_methods(const json_t *list, struct text *t)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *m = json_array_get(list, i);
		const json_t *params = json_object_get(m, "params");

		put(t, get_str(m, "name"));
		text_puts(t, get_true(m, "read_only") ? "\n" : " (changes)\n");
		text_puts(t, "        ");
		put_wrapped(t, get_str(m, "about"), 8, false);
		for (size_t k = 0; k < json_array_size(params); k++) {
			const json_t *p = json_array_get(params, k);

			text_puts(t, "        ");
			put_column(t, get_str(p, "name"), 10);
			put(t, get_str(p, "type"));
			text_puts(
			    t, get_true(p, "optional") ? ", optional: " : ": ");
			put(t, get_str(p, "about"));
			text_puts(t, "\n");
		}
	}
}

void
printout_event(const json_t *e, struct text *t)
{
	static const char *const keys[] = { "mac", "other", "link", "reason",
		"ether", "description" };
	const json_t *changed = json_object_get(e, "changed");
	long long ms = get_int(e, "time_ns") / 1000000;
	const char *type = get_str(e, "type"), *vnet = get_str(e, "vnet");

	text_printf(t, "%lld.%03lld ", ms / 1000, ms < 0 ? 0 : ms % 1000);
	if (get_str(e, "iface") != NULL) {
		put(t, get_str(e, "iface"));
		if (vnet != NULL && *vnet != '\0') {
			text_puts(t, "@");
			put(t, vnet);
		}
		text_puts(t, ": ");
	}
	put(t, type != NULL ? type : "event");
	for (size_t i = 0; i < json_array_size(changed); i++) {
		text_puts(t, i == 0 ? " " : ",");
		put(t, json_string_value(json_array_get(changed, i)));
	}
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (get_str(e, keys[i]) != NULL) {
			text_puts(t, " ");
			put(t, get_str(e, keys[i]));
		}
	if (json_object_get(e, "vlan") != NULL)
		text_printf(t, " vlan %lld", get_int(e, "vlan"));
	if (json_object_get(e, "mtu") != NULL)
		text_printf(t, " %lld", get_int(e, "mtu"));
	if (json_object_get(e, "flag_names") != NULL) {
		text_puts(t, " ");
		put_names(t, json_object_get(e, "flag_names"), true);
	}
	if (json_object_get(e, "count") != NULL)
		text_printf(t, " %lld", get_int(e, "count"));
	if (get_str(e, "text") != NULL) {
		text_puts(t, " ");
		put(t, get_str(e, "text"));
	}
	if (get_str(e, "cause") != NULL) {
		text_puts(t, " (");
		put(t, get_str(e, "cause"));
		text_puts(t, ")");
	}
	text_puts(t, "\n");
}

void
printout_json(const json_t *value, struct text *t)
{
	char *s = json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY);

	if (s == NULL) {
		t->failed = true;
		return;
	}
	text_puts(t, s);
	text_puts(t, "\n");
	free(s);
}
