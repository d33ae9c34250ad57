/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the variables of rc.conf(5) mean: assignments to steps. See config.h.
 *
 * A variable about an interface has its name in its own, with '_' for what
 * cannot stand there: "ifconfig_em0_5_alias0". So all interfaces that there
 * are, or that the file makes or renames, are gathered first (struct planner's
 * known), and the variable is the one whose interface is among them.
 *
 * What a file says of other things is left alone, and said so; what is nearly
 * the name of a variable is refused.
 *
 * Source: rc.conf(5) and network.subr of FreeBSD 15. Differs:
 *   - aliasN may have gaps;
 *   - names that FreeBSD would skip in silence (of interfaces that are not
 *     there) are errors;
 *   - what is said of a bridge is done after what is said of others, so that
 *     the order in the file does not matter.
 */
#include <errno.h>
#include <fnmatch.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/util.h"
#include "control/config_impl.h"
#include "control/info_json.h"

#define RANGE_MAX   2048 /* addresses of one "192.0.2.1-5/24" */
#define ALIASES_MAX 4096
#define DEPTH_MAX   8 /* of children of children, in any order */

/* Everything that is said of one interface. */
struct about {
	char *name;
	struct rc_entry *create, *main, *ipv4_addrs, *ipv6, *aliases,
	    *ipv6_addrs, *descr, *rename;
	struct alias {
		uint32_t number;
		struct rc_entry *entry;
	} * alias; /* owned */
	uint32_t alias_count;
	bool made; /* by this file */
};

struct planner {
	struct rcconf *rc;
	struct net *net;
	struct config_plan *out;
	uint32_t section;
	struct rc_entry *
	    *entries; /* of the section, without what is superseded */
	size_t count;
	struct vnet *vnet; /* of the section; NULL: it is not there yet */
	json_t *known;     /* mangled name: name; null: of two */
	json_t *index;     /* name: place in abouts */
	struct about *abouts;
	uint32_t about_count, about_room;
	json_t *pending; /* children that were not planned yet */
	json_t *given;   /* names that ifconfig_X_name gives */
	bool sync_dhcp;
	struct rc_entry *preset; /* ifconfig_DEFAULT */
	struct text left;        /* names of variables left alone */
};

/* --- small things -----------------------------------------------------------
 */

static void COAX_PRINTF(3, 4)
    notice(struct planner *p, const struct rc_entry *e, const char *fmt, ...)
{
	char text[384];
	struct sbuf b = sbuf_init(text, sizeof(text));
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	sbuf_printf(&b, "%.96s:%u: %s", p->rc->files[e->where.file],
	    e->where.line, what);
	json_array_append_new(p->out->notices, info_json_text(text));
}

/* Of all words, and steps: false if they are too many, which was reported. */
static bool
count_word(struct planner *p, const struct rc_entry *e)
{
	if (p->out->words == RCCONF_TOTAL_MAX)
		return false;
	if (++p->out->words < RCCONF_TOTAL_MAX)
		return true;
	rcconf_error(p->rc, e->where,
	    "%.64s: the words of all variables together are more than %u",
	    e->name, RCCONF_TOTAL_MAX);
	return false;
}

static struct config_step *
step_add(struct planner *p, enum config_phase phase, const struct rc_entry *e,
    const char *name)
{
	struct config_plan *out = p->out;
	struct config_step *grown, *s;

	if (!count_word(p, e))
		return NULL;
	if (out->count == out->room) {
		size_t room = out->room != 0 ? 2 * out->room : 64;

		grown = reallocarray(out->steps, room, sizeof(*grown));
		if (grown == NULL) {
			out->no_memory = true;
			return NULL;
		}
		out->steps = grown;
		out->room = room;
	}
	s = &out->steps[out->count++];
	*s = (struct config_step){
		.phase = phase,
		.vnet = p->section,
		.where = e->where,
		.entry = e,
		.variable = e->name,
		.name = strdup(name),
	};
	if (s->name == NULL)
		out->no_memory = true;
	return s;
}

static void
step_word(
    struct planner *p, struct config_step *s, const char *word, uint32_t line)
{
	struct rc_word *grown;

	if (s == NULL || p->out->no_memory || !count_word(p, s->entry))
		return;
	/* Powers of two. */
	if ((s->count & (s->count - 1)) == 0) {
		grown = reallocarray(s->words,
		    s->count != 0 ? 2 * (size_t)s->count : 1, sizeof(*grown));
		if (grown == NULL) {
			p->out->no_memory = true;
			return;
		}
		s->words = grown;
	}
	s->words[s->count] =
	    (struct rc_word){ .text = strdup(word), .line = line };
	if (s->words[s->count].text == NULL)
		p->out->no_memory = true;
	else
		s->count++;
}

static void
step_words(
    struct planner *p, struct config_step *s, const struct rc_words *words)
{
	for (uint32_t i = 0; i < words->count; i++)
		step_word(p, s, words->list[i].text, words->list[i].line);
}

/* The words of a value; false: an error was reported. */
static bool
words_of(struct planner *p, const struct rc_entry *e, struct rc_words *w)
{
	int err = rcconf_words(e, w);

	if (err == -EINVAL)
		rcconf_error(p->rc, e->where,
		    "%.64s: a quote within the value has no end", e->name);
	else if (err == -E2BIG)
		rcconf_error(p->rc, e->where,
		    "%.64s: a value has %u words at most", e->name,
		    RCCONF_WORDS_MAX);
	else if (err != 0)
		p->out->no_memory = true;
	return err == 0;
}

/* The one word that a value must be, or NULL: an error was reported. */
static char *
word_of(struct planner *p, const struct rc_entry *e, const char *expected)
{
	struct rc_words w;
	char *word = NULL;

	if (!words_of(p, e, &w))
		return NULL;
	if (w.count != 1)
		rcconf_error(p->rc, e->where, "%.64s: %s is expected", e->name,
		    expected);
	else if ((word = strdup(w.list[0].text)) == NULL)
		p->out->no_memory = true;
	rcconf_words_free(&w);
	return word;
}

static bool
is_yes(const char *value)
{
	static const char *const words[] = { "YES", "TRUE", "ON", "1" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasecmp(words[i], value) == 0)
			return true;
	return false;
}

static bool
all_digits(const char *s)
{
	return *s != '\0' && s[strspn(s, "0123456789")] == '\0';
}

/* --- which interfaces there are ---------------------------------------------
 */

static void
known_add(struct planner *p, const char *name)
{
	char mangled[CONFIG_MANGLED_MAX];
	const json_t *old;

	config_mangle(name, mangled);
	old = json_object_get(p->known, mangled);
	if (old == NULL)
		json_object_set_new(p->known, mangled, info_json_text(name));
	else if (json_is_string(old) &&
	         strcmp(json_string_value(old), name) != 0)
		json_object_set_new(p->known, mangled, json_null());
}

/* The interface of that name in variables, or NULL. */
static const char *
known_find(struct planner *p, const struct rc_entry *e, const char *mangled)
{
	const json_t *v = json_object_get(p->known, mangled);

	if (json_is_null(v))
		rcconf_error(p->rc, e->where,
		    "%.64s: there are two interfaces whose names can be "
		    "written so; rename one",
		    e->name);
	return json_string_value(v);
}

static struct about *
about_get(struct planner *p, const char *name)
{
	const json_t *at = json_object_get(p->index, name);
	struct about *grown, *a;

	if (at != NULL)
		return &p->abouts[json_integer_value(at)];
	if (p->about_count == p->about_room) {
		uint32_t room = p->about_room != 0 ? 2 * p->about_room : 32;

		grown = reallocarray(p->abouts, room, sizeof(*grown));
		if (grown == NULL)
			goto no_memory;
		p->abouts = grown;
		p->about_room = room;
	}
	a = &p->abouts[p->about_count];
	*a = (struct about){ .name = strdup(name) };
	if (a->name == NULL ||
	    json_object_set_new(
	        p->index, name, json_integer((json_int_t)p->about_count)) < 0) {
		free(a->name);
		goto no_memory;
	}
	p->about_count++;
	return a;

no_memory:
	p->out->no_memory = true;
	return NULL;
}

static void
made(struct planner *p, const char *name)
{
	struct about *a = about_get(p, name);

	known_add(p, name);
	if (a != NULL)
		a->made = true;
}

/* Kind and unit; what they are, the net says. */
static bool
clone_ok(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < IFACE_NAME_MAX && name[0] != '-' &&
	       strchr(name, '@') == NULL && name[len - 1] >= '0' &&
	       name[len - 1] <= '9';
}

static void
too_many(struct planner *p, const struct rc_entry *e)
{
	rcconf_error(p->rc, e->where, "%.64s: there are %d interfaces at most",
	    e->name, NET_IFACES_MAX);
}

/* All that cloned_interfaces names; twins have two names each. */
static void
gather_clones(struct planner *p)
{
	struct rc_entry *e =
	    rcconf_find(p->rc, p->section, "cloned_interfaces");
	const struct iface_ops *ops;
	char twin[IFACE_NAME_MAX + 2];
	struct rc_words w;

	if (e == NULL || !words_of(p, e, &w))
		return;
	if (w.count > NET_IFACES_MAX) {
		too_many(p, e);
		w.count = NET_IFACES_MAX;
	}
	for (uint32_t i = 0; i < w.count; i++) {
		const char *name = w.list[i].text;
		struct rc_where where = { e->where.file, w.list[i].line };

		if (!clone_ok(name)) {
			rcconf_error(p->rc, where,
			    "%.64s: \"%.32s\" is no interface that could be "
			    "made: kind and unit are expected, as in bridge0",
			    e->name, name);
			continue;
		}
		if (net_kind_of_name(p->net,
		        p->vnet != NULL ? p->vnet : p->net->home, name,
		        &ops) == 0 &&
		    ops->twins != NULL) {
			for (const char *t = ops->twins; *t != '\0'; t++) {
				snprintf(twin, sizeof(twin), "%s%c", name, *t);
				made(p, twin);
			}
			continue;
		}
		made(p, name);
	}
	rcconf_words_free(&w);
}

/* True if @name is "ifconfig_X_name"; X into @mangled. */
static bool
is_rename(const char *name, char mangled[CONFIG_MANGLED_MAX])
{
	size_t len = strlen(name);

	if (!str_has_prefix(name, "ifconfig_") || len < 15 ||
	    strcmp(name + len - 5, "_name") != 0 ||
	    len - 14 >= CONFIG_MANGLED_MAX)
		return false;
	memcpy(mangled, name + 9, len - 14);
	mangled[len - 14] = '\0';
	return true;
}

/* Is ifconfig_X_name="NAME" so already? Then X is known, though it is nobody's
 * name any more: it was made by that. */
static void
gather_former(struct planner *p, const char *mangled, const char *name)
{
	const struct iface *ifp =
	    p->vnet != NULL ? net_iface_find(p->net, p->vnet, name) : NULL;
	char former[CONFIG_MANGLED_MAX];

	if (ifp == NULL || ifp->unit == IFACE_UNIT_NONE)
		return;
	snprintf(former, sizeof(former), "%s%u", ifp->ops->kind, ifp->unit);
	if (strcmp(former, mangled) == 0)
		known_add(p, former);
}

static void
gather_names(struct planner *p)
{
	char mangled[CONFIG_MANGLED_MAX];
	struct rc_words w;

	for (size_t i = 0; i < p->count; i++) {
		const struct rc_entry *e = p->entries[i];

		if (!is_rename(e->name, mangled))
			continue;
		if (rcconf_words(e, &w) != 0)
			continue; /* reported later */
		if (w.count == 1) {
			known_add(p, w.list[0].text);
			gather_former(p, mangled, w.list[0].text);
		}
		rcconf_words_free(&w);
	}
}

/* "em0.5" of "5", or an interface of its own name. */
static void
child_name(const char *parent, const char *word, char name[2 * IFACE_NAME_MAX])
{
	bool digits = all_digits(word);

	snprintf(name, 2 * IFACE_NAME_MAX, "%s%s%.*s", digits ? parent : "",
	    digits ? "." : "", IFACE_NAME_MAX, word);
}

/* vlans_P: P.N, or other interfaces whose parent is P. Once more as long as
 * children appear whose own children are named. */
static void
gather_children(struct planner *p)
{
	char name[2 * IFACE_NAME_MAX];
	bool more = true;

	for (uint32_t depth = 0; more && depth < DEPTH_MAX; depth++) {
		uint32_t count = 0;

		more = false;
		for (size_t i = 0; i < p->count; i++) {
			const struct rc_entry *e = p->entries[i];
			const char *parent;
			struct rc_words w;

			if (!str_has_prefix(e->name, "vlans_"))
				continue;
			parent = json_string_value(
			    json_object_get(p->known, e->name + 6));
			if (parent == NULL || rcconf_words(e, &w) != 0)
				continue;
			count += w.count;
			if (count > NET_IFACES_MAX) {
				too_many(p, e);
				rcconf_words_free(&w);
				return;
			}
			for (uint32_t k = 0; k < w.count; k++) {
				char mangled[CONFIG_MANGLED_MAX];

				child_name(parent, w.list[k].text, name);
				json_object_set_new(
				    p->pending, name, json_true());
				if (strlen(name) >= IFACE_NAME_MAX)
					continue; /* refused later */
				config_mangle(name, mangled);
				more = more || json_object_get(
				                   p->known, mangled) == NULL;
				made(p, name);
			}
			rcconf_words_free(&w);
		}
	}
}

/* Netdevs of the host that variables are about: they are adopted when their
 * turn comes.  "ifconfig_em0_alias0": whatever may be the name. */
static void
gather_netdevs(struct planner *p)
{
	static const char prefix[] = "ifconfig_";
	char name[IFACE_NAME_MAX];

	for (size_t i = 0; p->vnet != NULL && i < p->count; i++) {
		const struct rc_entry *e = p->entries[i];
		const char *rest = e->name + sizeof(prefix) - 1;

		if (!str_has_prefix(e->name, prefix))
			continue;
		for (size_t n = strlen(rest); n > 0; n--) {
			if (n >= sizeof(name) ||
			    (rest[n] != '\0' && rest[n] != '_'))
				continue;
			memcpy(name, rest, n);
			name[n] = '\0';
			if (json_object_get(p->known, name) == NULL &&
			    net_adopt_check(p->net, p->vnet, name) == 0)
				known_add(p, name);
		}
	}
}

static void
gather(struct planner *p)
{
	const struct iface *ifp;

	TAILQ_FOREACH (ifp, &p->net->ifaces, all_link)
		if (p->vnet != NULL && !ifp->dying &&
		    net_iface_visible(ifp, p->vnet))
			known_add(p, ifp->name);
	gather_clones(p);
	gather_names(p);
	gather_netdevs(p);
	gather_children(p);
}

/* --- what a variable is ------------------------------------------------------
 */

/* Variables of other programs, and why they are left alone; NULL: all in one
 * notice; "": in silence. */
static const struct {
	const char *pattern, *why;
} strangers[] = {
	{ "*_load", "" }, /* loader.conf: what it would load is there */
	{ "kld_list", "" },
	{ "cloned_interfaces_sticky", "" },
	{ "network_interfaces", "" },
	{ "defaultrouter*", "routes are the host's" },
	{ "ipv6_defaultrouter*", "routes are the host's" },
	{ "static_routes", "routes are the host's" },
	{ "ipv6_static_routes", "routes are the host's" },
	{ "route_*", "routes are the host's" },
	{ "ipv6_route_*", "routes are the host's" },
	{ "gateway_enable", "forwarding of packets is the host's" },
	{ "ipv6_gateway_enable", "forwarding of packets is the host's" },
	{ "ifconfig_lo0*", "lo0 is the host's" },
	{ "wlans_*", "there is no radio; a card of another kind may have that "
	             "name" },
	{ "dhclient_*", "coax chooses the DHCP client" },
	{ "background_dhclient*", "coax runs DHCP clients in the background" },
	{ "autobridge_*", "members are added by addm" },
	{ "*_enable", NULL },
	{ "*_flags", NULL },
	{ "*_program", NULL },
	{ "hostname", NULL },
};

/* Names, and beginnings of names, that mean something here. */
static const char *const ours[] = { "cloned_interfaces", "vnets",
	"synchronous_dhclient", "ifconfig_", "create_args_", "vlans_",
	"ipv4_addrs_", "ipv6_addrs_" };

/* Nearly one of ours: a slip of the finger. Else NULL. */
static const char *
nearly(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		size_t len = strlen(ours[i]);
		bool whole = ours[i][len - 1] != '_';
		unsigned int best = 3;

		for (size_t n = whole ? strlen(name) : len - 1; n <= len + 1;
		     n++) {
			char begin[STR_DISTANCE_MAX];

			if (n >= sizeof(begin) || n > strlen(name))
				break;
			memcpy(begin, name, n);
			begin[n] = '\0';
			best = COAX_MIN(best, str_distance(begin, ours[i]));
			if (whole)
				break;
		}
		if (best <= (len > 7 ? 2u : 1u))
			return ours[i];
	}
	return NULL;
}

static void
stranger(struct planner *p, struct rc_entry *e)
{
	const char *near;

	for (size_t i = 0; i < ARRAY_LEN(strangers); i++) {
		const char *why = strangers[i].why;

		if (fnmatch(strangers[i].pattern, e->name, 0) != 0)
			continue;
		if (why == NULL)
			text_printf(&p->left, "%s%s",
			    p->left.len > 0 ? ", " : "", e->name);
		else if (*why != '\0')
			notice(p, e, "%.64s is left alone: %s", e->name, why);
		return;
	}
	near = nearly(e->name);
	if (near != NULL)
		rcconf_error(p->rc, e->where,
		    "%.64s: no such variable; is it %s%s?", e->name, near,
		    near[strlen(near) - 1] == '_' ? "..." : "");
	else
		text_printf(
		    &p->left, "%s%s", p->left.len > 0 ? ", " : "", e->name);
}

/* "ifconfig_IF" and what may follow. */

static void
alias_add(struct planner *p, struct about *a, uint32_t n, struct rc_entry *e)
{
	struct alias *grown;

	if (a->alias_count == ALIASES_MAX) {
		rcconf_error(p->rc, e->where, "%.64s: more than %d aliases",
		    e->name, ALIASES_MAX);
		return;
	}
	if ((a->alias_count & (a->alias_count - 1)) == 0) {
		grown = reallocarray(a->alias,
		    a->alias_count != 0 ? 2 * a->alias_count : 1,
		    sizeof(*grown));
		if (grown == NULL) {
			p->out->no_memory = true;
			return;
		}
		a->alias = grown;
	}
	a->alias[a->alias_count++] = (struct alias){ n, e };
}

/* "..._alias7": the place of "_alias", and the number. */
static bool
is_alias(const char *rest, size_t *len, uint32_t *number)
{
	size_t n = strlen(rest);

	while (n > 0 && rest[n - 1] >= '0' && rest[n - 1] <= '9')
		n--;
	if (n < 7 || strncmp(rest + n - 6, "_alias", 6) != 0 ||
	    str_u32(rest + n, 10, 0, UINT32_MAX, number) != 0)
		return false;
	*len = n - 6;
	return true;
}

static void
no_interface(struct planner *p, const struct rc_entry *e, const char *mangled)
{
	rcconf_error(p->rc, e->where,
	    "%.64s: there is no interface %.32s: cloned_interfaces makes one, "
	    "ifconfig_IF_name gives one its name",
	    e->name, mangled);
}

/* Names the interface that a variable is about; NULL: it is not known. */
static struct about *
about_of(struct planner *p, const struct rc_entry *e, const char *mangled)
{
	const char *name = known_find(p, e, mangled);

	return name != NULL ? about_get(p, name) : NULL;
}

static void
ifconfig_variable(struct planner *p, struct rc_entry *e)
{
	static const struct {
		const char *suffix;
		size_t offset;
	} roles[] = {
		{ "_name", offsetof(struct about, rename) },
		{ "_descr", offsetof(struct about, descr) },
		{ "_ipv6", offsetof(struct about, ipv6) },
		{ "_aliases", offsetof(struct about, aliases) },
	};
	const char *rest = e->name + strlen("ifconfig_");
	char mangled[CONFIG_MANGLED_MAX];
	size_t len = strlen(rest), n;
	struct about *a;
	uint32_t number;

	if (strcmp(rest, "DEFAULT") == 0) {
		p->preset = e;
		return;
	}
	if (json_object_get(p->known, rest) != NULL) {
		a = about_of(p, e, rest);
		if (a != NULL)
			a->main = e;
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
		n = strlen(roles[i].suffix);
		if (len <= n || strcmp(rest + len - n, roles[i].suffix) != 0 ||
		    len - n >= sizeof(mangled))
			continue;
		memcpy(mangled, rest, len - n);
		mangled[len - n] = '\0';
		a = about_of(p, e, mangled);
		if (a != NULL)
			*(struct rc_entry **)(void *)((char *)a +
			                              roles[i].offset) = e;
		else if (json_object_get(p->known, mangled) == NULL)
			no_interface(p, e, mangled);
		return;
	}
	if (is_alias(rest, &n, &number) && n < sizeof(mangled)) {
		memcpy(mangled, rest, n);
		mangled[n] = '\0';
		a = about_of(p, e, mangled);
		if (a != NULL)
			alias_add(p, a, number, e);
		else if (json_object_get(p->known, mangled) == NULL)
			no_interface(p, e, mangled);
		return;
	}
	no_interface(p, e, rest);
}

/* "create_args_IF" and its like. */
static void
iface_variable(
    struct planner *p, struct rc_entry *e, const char *prefix, size_t offset)
{
	const char *mangled = e->name + strlen(prefix);
	char twin[CONFIG_MANGLED_MAX];
	struct about *a = about_of(p, e, mangled);

	/* Twins are made by one name: it is the first one's. */
	if (a == NULL && strlen(mangled) < sizeof(twin) - 1) {
		snprintf(twin, sizeof(twin), "%sa", mangled);
		if (json_object_get(p->known, twin) != NULL)
			a = about_of(p, e, twin);
	}
	if (a != NULL)
		*(struct rc_entry **)(void *)((char *)a + offset) = e;
	else if (json_object_get(p->known, mangled) == NULL)
		no_interface(p, e, mangled);
}

static void
sysctl_entry(struct planner *p, struct rc_entry *e)
{
	struct config_step *s;
	size_t len;

	if (strlen(e->value) == 0) {
		rcconf_error(
		    p->rc, e->where, "%.64s: a value is expected", e->name);
		return;
	}
	s = step_add(p, CONFIG_SYSCTLS, e, e->name);
	if (s == NULL)
		return;
	len = strlen(e->value);
	s->value = strdup(e->value);
	if (s->value == NULL)
		p->out->no_memory = true;
	else if (len > 0 && s->value[len - 1] == '\n')
		s->value[len - 1] = '\0';
}

static void
variable(struct planner *p, struct rc_entry *e)
{
	if (e->sysctl)
		sysctl_entry(p, e);
	else if (strcmp(e->name, "cloned_interfaces") == 0)
		return; /* gathered, and planned by itself */
	else if (strcmp(e->name, "vnets") == 0 && p->section != 0)
		rcconf_error(p->rc, e->where,
		    "vnets: only the daemon's own vnet has others; [rc.conf] "
		    "is expected before it");
	else if (strcmp(e->name, "vnets") == 0)
		return;
	else if (strcmp(e->name, "synchronous_dhclient") == 0)
		p->sync_dhcp = is_yes(e->value);
	else if (str_has_prefix(e->name, "ifconfig_lo0"))
		stranger(p, e);
	else if (str_has_prefix(e->name, "ifconfig_"))
		ifconfig_variable(p, e);
	else if (str_has_prefix(e->name, "create_args_"))
		iface_variable(
		    p, e, "create_args_", offsetof(struct about, create));
	else if (str_has_prefix(e->name, "ipv4_addrs_"))
		iface_variable(
		    p, e, "ipv4_addrs_", offsetof(struct about, ipv4_addrs));
	else if (str_has_prefix(e->name, "ipv6_addrs_"))
		iface_variable(
		    p, e, "ipv6_addrs_", offsetof(struct about, ipv6_addrs));
	else if (!str_has_prefix(e->name, "vlans_"))
		stranger(p, e);
	else if (json_object_get(p->known, e->name + 6) == NULL)
		no_interface(p, e, e->name + 6);
}

/* --- steps
 * -------------------------------------------------------------------- */

static void
plan_vnets(struct planner *p)
{
	struct rc_entry *e = rcconf_find(p->rc, 0, "vnets");
	struct rc_words w;

	if (p->section != 0 || e == NULL || !words_of(p, e, &w))
		return;
	for (uint32_t i = 0; i < w.count; i++) {
		struct config_step *s =
		    step_add(p, CONFIG_VNETS, e, w.list[i].text);

		if (s != NULL)
			s->where.line = w.list[i].line;
	}
	rcconf_words_free(&w);
}

/* The words of create_args behind a step. */
static void
create_args(struct planner *p, struct config_step *s, const char *name)
{
	const json_t *at = json_object_get(p->index, name);
	struct rc_entry *e;
	struct rc_words w;

	if (at == NULL || s == NULL)
		return;
	e = p->abouts[json_integer_value(at)].create;
	if (e == NULL || !words_of(p, e, &w))
		return;
	step_words(p, s, &w);
	rcconf_words_free(&w);
	/* What goes wrong is more likely there. */
	s->where = e->where;
	s->variable = e->name;
}

static void
plan_clones(struct planner *p)
{
	struct rc_entry *e =
	    rcconf_find(p->rc, p->section, "cloned_interfaces");
	struct config_step *s;
	struct rc_words w;

	if (e == NULL || rcconf_words(e, &w) != 0)
		return;
	/* More were refused. */
	w.count = COAX_MIN(w.count, (uint32_t)NET_IFACES_MAX);
	for (uint32_t i = 0; i < w.count; i++) {
		const char *name = w.list[i].text;
		const struct iface_ops *ops;
		char twin[IFACE_NAME_MAX + 2];

		if (!clone_ok(name))
			continue; /* reported */
		s = step_add(p,
		    strchr(name, '.') != NULL ? CONFIG_CHILDREN : CONFIG_CLONES,
		    e, name);
		if (s == NULL)
			break;
		s->where.line = w.list[i].line;
		if (net_kind_of_name(p->net,
		        p->vnet != NULL ? p->vnet : p->net->home, name,
		        &ops) == 0 &&
		    ops->twins != NULL) {
			snprintf(
			    twin, sizeof(twin), "%s%c", name, ops->twins[0]);
			create_args(p, s, twin);
		} else {
			create_args(p, s, name);
		}
	}
	rcconf_words_free(&w);
}

/* In the order of the file: one may be named what another was. */
static void
plan_names(struct planner *p)
{
	char mangled[CONFIG_MANGLED_MAX];

	for (size_t i = 0; i < p->count; i++) {
		struct rc_entry *e = p->entries[i];
		struct config_step *s;
		const char *name;
		char *new;

		if (!is_rename(e->name, mangled) ||
		    json_object_get(p->known, e->name + strlen("ifconfig_")) !=
		        NULL)
			continue;
		name = json_string_value(json_object_get(p->known, mangled));
		if (name == NULL)
			continue; /* reported */
		new = word_of(p, e, "one name");
		if (new == NULL)
			continue;
		s = step_add(p, CONFIG_NAMES, e, name);
		json_object_set_new(p->given, new, json_true());
		if (s != NULL)
			s->value = new;
		else
			free(new);
	}
}

/* "em0.5" of em0. */
static bool
says_both(const char *parent, const char *word)
{
	size_t len = strlen(parent);

	return strncmp(word, parent, len) == 0 && word[len] == '.' &&
	       all_digits(word + len + 1);
}

/* The children of one parent. */
static void
plan_children_of(struct planner *p, struct rc_entry *e, const char *parent)
{
	char name[2 * IFACE_NAME_MAX];
	struct rc_words w;

	if (!words_of(p, e, &w))
		return;
	for (uint32_t k = 0; k < w.count; k++) {
		const char *word = w.list[k].text;
		struct config_step *s;

		child_name(parent, word, name);
		json_object_del(p->pending, name);
		s = step_add(p, CONFIG_CHILDREN, e, name);
		if (s == NULL)
			break;
		s->where.line = w.list[k].line;
		if (!all_digits(word) && !says_both(parent, word)) {
			step_word(p, s, "vlandev", w.list[k].line);
			step_word(p, s, parent, w.list[k].line);
		}
		create_args(p, s, name);
	}
	rcconf_words_free(&w);
}

/* Parents before their children, whatever the order of the lines. */
static void
plan_children(struct planner *p)
{
	bool *done = calloc(p->count + 1, sizeof(*done));
	bool force = false;

	if (done == NULL) {
		p->out->no_memory = true;
		return;
	}
	for (uint32_t depth = 0; depth <= DEPTH_MAX; depth++) {
		/* What is left is its own ancestor: that is refused later. */
		force = depth == DEPTH_MAX;
		for (size_t i = 0; i < p->count; i++) {
			struct rc_entry *e = p->entries[i];
			const char *parent;

			if (done[i] || !str_has_prefix(e->name, "vlans_"))
				continue;
			parent = known_find(p, e, e->name + 6);
			if (parent == NULL) {
				done[i] = true; /* reported */
				continue;
			}
			if (!force &&
			    json_object_get(p->pending, parent) != NULL)
				continue;
			plan_children_of(p, e, parent);
			done[i] = true;
		}
	}
	free(done);
}

/* Words of rc.conf that are none of ifconfig's; what is left of one. NULL: it
 * is not passed on. */
static const char *
main_word(struct planner *p, const struct rc_entry *e, const char *word)
{
	static const char *const dhcp[] = { "DHCP", "SYNCDHCP", "NOSYNCDHCP" };
	static const char *const radio[] = { "WPA", "HOSTAP" };

	for (size_t i = 0; i < ARRAY_LEN(dhcp); i++)
		if (strcasecmp(dhcp[i], word) == 0)
			return i == 1 || (i == 0 && p->sync_dhcp) ? "SYNCDHCP"
			                                          : "DHCP";
	for (size_t i = 0; i < ARRAY_LEN(radio); i++)
		if (strcasecmp(radio[i], word) == 0) {
			notice(p, e,
			    "%.64s: %s is left alone: there is no "
			    "radio",
			    e->name, radio[i]);
			return NULL;
		}
	return word;
}

/* Is the word behind @word its argument, whatever it is? */
static bool
takes_any_word(const char *word)
{
	static const char *const words[] = { "ssid", "description", "descr",
		"group", "-group", "media", "mode", "channel", "wlanmode",
		"name", "vnet" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(words[i], word) == 0)
			return true;
	return false;
}

/* ifconfig_IF. False: NOAUTO, nothing is done. */
static bool
plan_main(
    struct planner *p, const struct about *a, struct rc_entry *e, bool *down)
{
	struct config_step *s;
	struct rc_words w;

	*down = false;
	if (e == NULL || !words_of(p, e, &w))
		return true;
	for (uint32_t i = 0; i < w.count; i++)
		if (strcasecmp(w.list[i].text, "NOAUTO") == 0) {
			notice(p, e, "%.64s is left alone: NOAUTO", e->name);
			rcconf_words_free(&w);
			return false;
		}
	s = step_add(p, CONFIG_LINES, e, a->name);
	for (uint32_t i = 0; s != NULL && i < w.count; i++) {
		const char *word = w.list[i].text;

		if (i == 0 || !takes_any_word(w.list[i - 1].text))
			word = main_word(p, e, word);
		if (word == NULL)
			continue;
		if (strcmp(word, "down") == 0)
			*down = true;
		else if (strcmp(word, "up") == 0)
			*down = false;
		step_word(p, s, word, w.list[i].line);
	}
	rcconf_words_free(&w);
	return true;
}

/* A range of addresses: "192.0.2.1-5/24", "2001:db8::1-f/64". */
struct range {
	char head[INET6_ADDRSTRLEN];
	uint32_t from, to;
	int base;
	const char *tail; /* "/24", or "" */
};

/* 0: one address; 1: a range; -EINVAL */
static int
range_parse(const char *word, struct range *r)
{
	bool six = strchr(word, ':') != NULL;
	const char *dash = strchr(word, '-');
	const char *last = strrchr(word, six ? ':' : '.');
	const char *slash = strchr(word, '/');
	char number[16];
	size_t len;

	*r = (struct range){ .base = six ? 16 : 10 };
	if (dash == NULL)
		return 0;
	r->tail = slash != NULL ? slash : word + strlen(word);
	if (last == NULL || last > dash || r->tail < dash ||
	    (size_t)(last + 1 - word) >= sizeof(r->head))
		return -EINVAL;
	len = (size_t)(last + 1 - word);
	memcpy(r->head, word, len);
	r->head[len] = '\0';
	len = (size_t)(dash - last - 1);
	if (len >= sizeof(number))
		return -EINVAL;
	memcpy(number, last + 1, len);
	number[len] = '\0';
	if (str_u32(number, r->base, 0, six ? 0xffff : 255, &r->from) != 0)
		return -EINVAL;
	len = (size_t)(r->tail - dash - 1);
	if (len >= sizeof(number))
		return -EINVAL;
	memcpy(number, dash + 1, len);
	number[len] = '\0';
	if (str_u32(number, r->base, r->from, six ? 0xffff : 255, &r->to) != 0)
		return -EINVAL;
	return r->to - r->from < RANGE_MAX ? 1 : -EINVAL;
}

/* "inet ADDRESS REST alias", once for each address of a range: the first has
 * the length that is given, those after it are single ones (IPv4). */
static void
plan_address(struct planner *p, struct config_step *s, const struct rc_entry *e,
    const char *family, const struct rc_word *w, uint32_t count)
{
	struct rc_where where = { e->where.file, w->line };
	char text[2 * INET6_ADDRSTRLEN];
	struct range r;
	int range = range_parse(w->text, &r);

	if (range < 0) {
		rcconf_error(p->rc, where,
		    "%.64s: \"%.48s\" is no range of addresses such as "
		    "192.0.2.1-5/24",
		    e->name, w->text);
		return;
	}
	for (uint32_t n = r.from; n <= r.to; n++) {
		if (range == 0)
			snprintf(text, sizeof(text), "%.60s", w->text);
		else if (r.base == 16)
			snprintf(
			    text, sizeof(text), "%s%x%.8s", r.head, n, r.tail);
		else
			snprintf(text, sizeof(text), "%s%u%.8s", r.head, n,
			    n == r.from ? r.tail : "/32");
		step_word(p, s, family, w->line);
		step_word(p, s, text, w->line);
		for (uint32_t i = 1; i < count; i++)
			step_word(p, s, w[i].text, w[i].line);
		step_word(p, s, "alias", w->line);
	}
}

static bool
is_family(const char *word)
{
	return strcmp(word, "inet") == 0 || strcmp(word, "inet6") == 0;
}

/* aliasN, aliases: "inet ADDRESS ... inet6 ADDRESS ..."; what begins otherwise
 * ("ether ...") is passed on. */
static void
plan_alias(struct planner *p, const struct about *a, struct rc_entry *e)
{
	struct config_step *s;
	struct rc_words w;
	uint32_t i = 0, end;

	if (!words_of(p, e, &w))
		return;
	s = step_add(p, CONFIG_LINES, e, a->name);
	while (s != NULL && i < w.count) {
		const char *family = "inet";
		const char *word = w.list[i].text;

		if (is_family(word)) {
			family = word;
			i++;
		} else if (strspn(word, "0123456789.") < 3) {
			break;
		}
		for (end = i; end < w.count && !is_family(w.list[end].text);)
			end++;
		if (end == i) {
			rcconf_error(p->rc, e->where,
			    "%.64s: an address is expected after %s", e->name,
			    family);
			break;
		}
		plan_address(p, s, e, family, &w.list[i], end - i);
		i = end;
	}
	for (; s != NULL && i < w.count; i++)
		step_word(p, s, w.list[i].text, w.list[i].line);
	rcconf_words_free(&w);
}

/* ipv4_addrs_IF, ipv6_addrs_IF: addresses only. */
static void
plan_addresses(struct planner *p, const struct about *a, struct rc_entry *e,
    const char *family)
{
	struct config_step *s;
	struct rc_words w;

	if (e == NULL || !words_of(p, e, &w))
		return;
	s = step_add(p, CONFIG_LINES, e, a->name);
	for (uint32_t i = 0; s != NULL && i < w.count; i++)
		plan_address(p, s, e, family, &w.list[i], 1);
	rcconf_words_free(&w);
}

/* ifconfig_IF_ipv6: IPv6 is wanted, so there is a link-local address. */
static void
plan_ipv6(struct planner *p, const struct about *a, struct rc_entry *e)
{
	struct config_step *s;
	struct rc_words w;

	if (e == NULL || !words_of(p, e, &w))
		return;
	s = step_add(p, CONFIG_LINES, e, a->name);
	if (w.count > 0) {
		step_word(p, s, "inet6", w.list[0].line);
		step_word(p, s, "auto_linklocal", w.list[0].line);
	}
	if (s != NULL)
		step_words(p, s, &w);
	rcconf_words_free(&w);
}

static void
plan_descr(struct planner *p, const struct about *a, struct rc_entry *e)
{
	struct config_step *s;

	if (e == NULL)
		return;
	s = step_add(p, CONFIG_LINES, e, a->name);
	step_word(p, s, "description", e->where.line);
	step_word(p, s, e->value, e->where.line);
}

static int
alias_compare(const void *pa, const void *pb)
{
	const struct alias *a = pa, *b = pb;

	return a->number < b->number ? -1 : a->number > b->number;
}

/* A name that is given away, and no other interface's: what is said of it is
 * said of nobody. */
static bool
renamed(struct planner *p, const struct about *a)
{
	const struct rc_entry *rest[] = { a->main, a->descr, a->ipv6,
		a->aliases, a->ipv4_addrs, a->ipv6_addrs,
		a->alias_count > 0 ? a->alias[0].entry : NULL };

	if (a->rename == NULL || json_object_get(p->given, a->name) != NULL)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(rest); i++)
		if (rest[i] != NULL)
			rcconf_error(p->rc, rest[i]->where,
			    "%.64s: %s is called %.16s by %.64s: its variables "
			    "have the new name",
			    rest[i]->name, a->name, a->rename->value,
			    a->rename->name);
	return true;
}

static void
plan_lines(struct planner *p, struct about *a)
{
	struct rc_entry *main = a->main;
	struct config_step *s;
	struct rc_words w;
	bool down;

	if (renamed(p, a))
		return;
	if (a->create != NULL && !a->made && words_of(p, a->create, &w)) {
		s = step_add(p, CONFIG_LINES, a->create, a->name);
		if (s != NULL)
			step_words(p, s, &w);
		rcconf_words_free(&w);
	}
	if (main == NULL && a->made)
		main = p->preset;
	if (!plan_main(p, a, main, &down))
		return;
	plan_addresses(p, a, a->ipv4_addrs, "inet");
	plan_ipv6(p, a, a->ipv6);
	if (a->alias_count > 0)
		qsort(
		    a->alias, a->alias_count, sizeof(*a->alias), alias_compare);
	for (uint32_t i = 0; i < a->alias_count; i++)
		plan_alias(p, a, a->alias[i].entry);
	if (a->aliases != NULL)
		plan_alias(p, a, a->aliases);
	plan_addresses(p, a, a->ipv6_addrs, "inet6");
	plan_descr(p, a, a->descr);
	/* Addresses bring an interface up. */
	if (down && main != NULL) {
		s = step_add(p, CONFIG_LINES, main, a->name);
		step_word(p, s, "down", main->where.line);
	}
}

static void
planner_free(struct planner *p)
{
	for (uint32_t i = 0; i < p->about_count; i++) {
		free(p->abouts[i].name);
		free(p->abouts[i].alias);
	}
	free(p->abouts);
	json_decref(p->known);
	json_decref(p->index);
	json_decref(p->pending);
	json_decref(p->given);
	text_free(&p->left);
}

static void
plan_section(struct planner *p)
{
	p->known = json_object();
	p->index = json_object();
	p->pending = json_object();
	p->given = json_object();
	if (p->known == NULL || p->index == NULL || p->pending == NULL ||
	    p->given == NULL) {
		p->out->no_memory = true;
		return;
	}
	gather(p);
	for (size_t i = 0; i < p->count; i++)
		variable(p, p->entries[i]);
	plan_vnets(p);
	plan_clones(p);
	plan_names(p);
	plan_children(p);
	for (uint32_t i = 0; i < p->about_count; i++)
		plan_lines(p, &p->abouts[i]);
	if (p->left.len > 0) {
		char text[512];

		snprintf(text, sizeof(text),
		    "left alone, not about interfaces: %.440s",
		    text_str(&p->left));
		json_array_append_new(p->out->notices, info_json_text(text));
	}
}

/* Only the daemon's own vnet may say something of others. */
static bool
sections_allowed(struct rcconf *rc, bool home)
{
	for (size_t i = 0; !home && i < rc->count; i++)
		if (rc->entries[i].vnet != 0) {
			rcconf_error(rc, rc->entries[i].where,
			    "%.64s: only the daemon's own vnet reaches "
			    "others, and may have sections",
			    rc->entries[i].name);
			return false;
		}
	return true;
}

/* All entries that count, those of a section together: @starts[i] is where
 * section i begins. NULL: no memory. */
static struct rc_entry **
by_section(struct rcconf *rc, size_t *starts)
{
	struct rc_entry **list = calloc(rc->count + 1, sizeof(*list));
	size_t *next = calloc(rc->vnet_count + 1, sizeof(*next));
	size_t sum = 0;

	if (list == NULL || next == NULL) {
		free(list);
		free(next);
		return NULL;
	}
	for (size_t i = 0; i < rc->count; i++)
		if (!rc->entries[i].superseded)
			next[rc->entries[i].vnet]++;
	for (uint32_t i = 0; i <= rc->vnet_count; i++) {
		size_t count = next[i];

		starts[i] = next[i] = sum;
		sum += count;
	}
	for (size_t i = 0; i < rc->count; i++)
		if (!rc->entries[i].superseded)
			list[next[rc->entries[i].vnet]++] = &rc->entries[i];
	free(next);
	return list;
}

int
config_plan(struct rcconf *rc, struct net *net, struct vnet *vnet, bool home,
    struct config_plan *out)
{
	size_t *starts = calloc(rc->vnet_count + 2, sizeof(*starts));
	struct rc_entry **entries = NULL;

	*out = (struct config_plan){ .notices = json_array() };
	if (starts != NULL)
		entries = by_section(rc, starts);
	out->no_memory = out->notices == NULL || entries == NULL;
	for (uint32_t i = 0; !out->no_memory && i < rc->vnet_count &&
	                     sections_allowed(rc, home);
	     i++) {
		struct planner p = {
			.rc = rc,
			.net = net,
			.out = out,
			.section = i,
			.entries = entries + starts[i],
			.count = starts[i + 1] - starts[i],
			.vnet =
			    i == 0 ? vnet : net_vnet_find(net, rc->vnets[i]),
		};

		plan_section(&p);
		out->no_memory = out->no_memory || p.left.failed;
		planner_free(&p);
	}
	free(starts);
	free(entries);
	if (out->no_memory || rc->no_memory)
		return -ENOMEM;
	return rc->error_count > 0 ? -EINVAL : 0;
}

void
config_plan_free(struct config_plan *p)
{
	for (size_t i = 0; i < p->count; i++) {
		struct config_step *s = &p->steps[i];

		free(s->name);
		free(s->value);
		for (uint32_t k = 0; k < s->count; k++)
			free(s->words[k].text);
		free(s->words);
	}
	free(p->steps);
	json_decref(p->notices);
	*p = (struct config_plan){ 0 };
}
