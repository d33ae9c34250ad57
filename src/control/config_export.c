/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a net is, as the variables of rc.conf(5). See config.h.
 *
 * Interfaces come by cloned_interfaces in the order in which they were made;
 * P.N children of another one by vlans_P, which is after names have been given.
 * What ifconfig_save() says of each goes where rc.conf has a place for it: the
 * name, the description, further addresses; the rest is ifconfig_IF.
 *
 * The names of variables have letters, digits and '_': two interfaces whose
 * names differ in other characters only cannot both be named. The second is
 * left out, with a note.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "control/config_impl.h"
#include "control/ifconfig.h"
#include "control/info_json.h"
#include "control/oplist.h"
#include "pfil/ipfw.h"

/* The export of one vnet's section. */
struct section {
	const struct config *config;
	struct config_settings *out;
	struct net *net;
	struct vnet *vnet;
	const char *name; /* of the section */
	bool transient;
	json_t *mangled; /* names of variables that are taken: interface */
	struct text clones;
	uint32_t spare; /* next unit of vlans that have names of others */
};

void
config_mangle(const char *name, char out[CONFIG_MANGLED_MAX])
{
	size_t i;

	for (i = 0; name[i] != '\0' && i < CONFIG_MANGLED_MAX - 1; i++) {
		char c = name[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		             (c >= '0' && c <= '9');

		out[i] = plain ? c : '_';
	}
	out[i] = '\0';
}

void
config_settings_free(struct config_settings *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free(s->list[i].vnet);
		free(s->list[i].name);
		free(s->list[i].value);
	}
	free(s->list);
	text_free(&s->notes);
	*s = (struct config_settings){ 0 };
}

static void
put(struct section *s, const char *name, const char *value)
{
	struct config_settings *out = s->out;
	struct config_setting *grown, *e;

	if (out->count == out->room) {
		size_t room = out->room != 0 ? 2 * out->room : 64;

		grown = reallocarray(out->list, room, sizeof(*grown));
		if (grown == NULL) {
			out->no_memory = true;
			return;
		}
		out->list = grown;
		out->room = room;
	}
	e = &out->list[out->count];
	*e = (struct config_setting){ strdup(s->name), strdup(name),
		strdup(value) };
	if (e->vnet == NULL || e->name == NULL || e->value == NULL)
		out->no_memory = true;
	out->count++;
}

/* "ifconfig_NAME_descr": @head, the interface's name for variables, @tail. */
static void
put_of(struct section *s, const char *head, const struct iface *ifp,
    const char *tail, const char *value)
{
	char mangled[CONFIG_MANGLED_MAX], name[CONFIG_MANGLED_MAX + 48];

	config_mangle(ifp->name, mangled);
	snprintf(name, sizeof(name), "%.16s%.*s%.24s", head, CONFIG_MANGLED_MAX,
	    mangled, tail);
	put(s, name, value);
}

/* --- which interfaces, and by which names they are made ---------------------
 */

/* Is it of this section? */
static bool
is_mine(const struct section *s, const struct iface *ifp)
{
	return ifp->vnet == s->vnet && !ifp->dying &&
	       (s->transient || !ifp->transient);
}

/* The VLAN of an interface of kind vlan; 0: of another kind, or none. */
static uint32_t
vlan_of(const struct iface *ifp)
{
	json_t *o;
	struct info_json j;
	uint32_t vid;

	if (ifp->parent == NULL || ifp->ops->get == NULL)
		return 0;
	o = json_object();
	info_json_init(&j, o);
	ifp->ops->get(ifp, &j.info);
	vid = (uint32_t)json_integer_value(json_object_get(o, "vlan"));
	json_decref(o);
	return vid;
}

/* "P.N", made by vlans_P: parent and VLAN still are what the name says. */
static bool
is_child(const struct section *s, const struct iface *ifp)
{
	char name[IFACE_NAME_MAX + 16];

	if (ifp->unit != IFACE_UNIT_NONE || ifp->parent == NULL ||
	    !is_mine(s, ifp->parent))
		return false;
	snprintf(name, sizeof(name), "%s.%u", ifp->parent->name, vlan_of(ifp));
	return strcmp(name, ifp->name) == 0;
}

/* Of twins, the one that is made with the other. */
static bool
is_second(const struct iface *ifp)
{
	return ifp->twin != NULL && ifp->twin_letter != ifp->ops->twins[0];
}

/* How it is made: "feth0"; of twins the first makes both. */
static bool
clone_name(
    struct section *s, const struct iface *ifp, char name[IFACE_NAME_MAX])
{
	if (ifp->unit != IFACE_UNIT_NONE)
		return net_unit_name(ifp->ops, ifp->unit, '\0', name) == 0;
	/* A child of a parent that is called otherwise by now. */
	while (net_unit_taken(s->net, s->vnet, ifp->ops, s->spare, NULL))
		s->spare++;
	return net_unit_name(ifp->ops, s->spare++, '\0', name) == 0;
}

/* False: another interface has its variables. */
static bool
claim(struct section *s, const struct iface *ifp)
{
	char mangled[CONFIG_MANGLED_MAX];
	const char *other;

	config_mangle(ifp->name, mangled);
	other = json_string_value(json_object_get(s->mangled, mangled));
	if (other == NULL) {
		json_object_set_new(
		    s->mangled, mangled, json_string(ifp->name));
		return true;
	}
	text_printf(&s->out->notes,
	    "%s is left out: its variables would be those of %s\n", ifp->name,
	    other);
	return false;
}

/* --- one interface -------------------------------------------------------- */

static void
put_words(struct text *t, const struct op *op, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		rcconf_put_word(t, op->words[i]);
}

static void
put_alias(struct section *s, const struct iface *ifp, const struct op *op,
    uint32_t *number)
{
	struct text t = { 0 };
	char tail[32];
	uint32_t count = op->count;

	if (strcmp(op->words[count - 1], "alias") == 0)
		count--; /* the variable says it */
	put_words(&t, op, count);
	snprintf(tail, sizeof(tail), "_alias%u", (*number)++);
	put_of(s, "ifconfig_", ifp, tail, text_str(&t));
	s->out->no_memory = s->out->no_memory || !text_ok(&t);
	text_free(&t);
}

/* "inet6 accept_rtadv": what IPv6 shall do. */
static bool
is_nd6(const struct op *op)
{
	return strcmp(op->words[0], "inet6") == 0 && !op_is_address(op);
}

/* ifconfig_IF_ipv6, which says auto_linklocal by being there. */
static void
put_ipv6(struct section *s, const struct iface *ifp, const struct op_list *l)
{
	struct text t = { 0 };
	struct op op;

	for (op_first(l, &op); op.count > 0; op_next(l, &op)) {
		if (!is_nd6(&op) || strcmp(op.words[1], "auto_linklocal") == 0)
			continue;
		if (t.len == 0)
			rcconf_put_word(&t, "inet6");
		for (uint32_t i = 1; i < op.count; i++)
			rcconf_put_word(&t, op.words[i]);
	}
	put_of(s, "ifconfig_", ifp, "_ipv6",
	    t.len > 0 ? text_str(&t) : "inet6 auto_linklocal");
	s->out->no_memory = s->out->no_memory || !text_ok(&t);
	text_free(&t);
}

static bool
is(const struct op *op, const char *word)
{
	return strcmp(op->words[0], word) == 0;
}

/* Words that belong to the line that makes the interface. */
static bool
is_create(const struct op *op)
{
	return is(op, "host") || is(op, "-host");
}

/* create_args of what is called @clone then. */
static void
put_create(struct section *s, const struct op_list *l, const char *clone)
{
	char name[CONFIG_MANGLED_MAX + 16], mangled[CONFIG_MANGLED_MAX];
	struct text t = { 0 };
	struct op op;

	for (op_first(l, &op); op.count > 0; op_next(l, &op))
		if (is_create(&op))
			put_words(&t, &op, op.count);
	if (t.len > 0) {
		config_mangle(clone, mangled);
		snprintf(name, sizeof(name), "create_args_%s", mangled);
		put(s, name, text_str(&t));
	}
	text_free(&t);
}

/* ifconfig_IF and what follows it. @child: its parent and VLAN are in its
 * name. */
static void
put_iface(struct section *s, const struct iface *ifp, bool child)
{
	struct text main = { 0 };
	bool inet = false, addresses = false, ipv6 = false;
	const char *descr = NULL;
	uint32_t alias = 0;
	struct op_list l;
	struct op op;

	/* Twins are made with or without host sides as the first one is. */
	if (is_second(ifp) && (ifp->host == NULL) != (ifp->twin->host == NULL))
		text_puts(&main, ifp->host != NULL ? "host" : "-host");
	else if (ifp->host_taken)
		text_puts(&main, "-host");
	op_list_init(&l, false, s->transient);
	ifconfig_save(ifp, &l.sink);
	for (op_first(&l, &op); op.count > 0; op_next(&l, &op))
		ipv6 = ipv6 || (is_nd6(&op) &&
		                   strcmp(op.words[1], "auto_linklocal") == 0);
	for (op_first(&l, &op); op.count > 0; op_next(&l, &op)) {
		if (is(&op, "name") || is_create(&op) ||
		    (child && is(&op, "vlandev")))
			continue;
		addresses = addresses || op_is_address(&op) ||
		            ifp->dhcp != IFACE_DHCP_OFF;
		if (is(&op, "description")) {
			descr = op.words[1];
		} else if (is(&op, "inet") && !inet) {
			inet = true;
			put_words(&main, &op, op.count);
		} else if (is_nd6(&op) ? !ipv6 : !op_is_address(&op)) {
			put_words(&main, &op, op.count);
		}
	}
	/* Addresses would bring it up, and who asks for one. */
	if (addresses && (ifp->flags & IFACE_UP) == 0)
		rcconf_put_word(&main, "down");
	if (main.len > 0)
		put_of(s, "ifconfig_", ifp, "", text_str(&main));
	if (ipv6)
		put_ipv6(s, ifp, &l);
	inet = false;
	for (op_first(&l, &op); op.count > 0; op_next(&l, &op)) {
		if (op_is_address(&op) && (inet || is(&op, "inet6")))
			put_alias(s, ifp, &op, &alias);
		inet = inet || is(&op, "inet");
	}
	if (descr != NULL)
		put_of(s, "ifconfig_", ifp, "_descr", descr);
	if (l.sink.unsaid)
		text_printf(&s->out->notes,
		    "%s: interfaces of other vnets, which it cannot name, are "
		    "left out\n",
		    ifp->name);
	if (!text_ok(&main) || !op_list_ok(&l))
		s->out->no_memory = true;
	text_free(&main);
	op_list_free(&l);
}

/* --- one section ------------------------------------------------------------
 */

static void
put_vnets(struct section *s)
{
	const struct vnet *v;
	struct text t = { 0 };

	TAILQ_FOREACH (v, &s->net->vnets, link) {
		if (v == s->net->home)
			continue;
		if (!v->adopted)
			rcconf_put_word(&t, v->name);
		else
			text_printf(&s->out->notes,
			    "vnet %s is attached: coax vnet attach %s ... must "
			    "come before this file\n",
			    v->name, v->name);
	}
	if (t.len > 0)
		put(s, "vnets", text_str(&t));
	text_free(&t);
}

/* An interface of the section, and what it is made as. */
struct made {
	const struct iface *ifp;
	char clone[IFACE_NAME_MAX]; /* "": not by cloned_interfaces */
	bool child;
	uint32_t depth;        /* how many parents it has */
	uint32_t rank, parent; /* place among all as they were made; its
	                        * parent's, or NO_PARENT */
	uint32_t parent_place; /* the parent's in the order of the file */
};

#define NO_PARENT UINT32_MAX

static int
index_compare(const void *key, const void *element)
{
	const struct iface *ifp = key;
	const struct made *m = element;

	return ifp->index < m->ifp->index ? -1 : ifp->index > m->ifp->index;
}

/* Parents first; of one parent, those that it makes last. So the order depends
 * on what there is, and little on how it came about. */
static int
made_compare(const void *pa, const void *pb)
{
	const struct made *a = pa, *b = pb;

	if (a->depth != b->depth)
		return a->depth < b->depth ? -1 : 1;
	if (a->parent_place != b->parent_place)
		return a->parent_place < b->parent_place ? -1 : 1;
	if (a->child != b->child)
		return a->child ? 1 : -1;
	return a->rank < b->rank ? -1 : a->rank > b->rank;
}

/* Depth by depth: the place of a parent must be known. False: no memory. */
static bool
sort_made(struct made *m, uint32_t count)
{
	uint32_t *places = calloc(count + 1, sizeof(*places));
	uint32_t begin = 0, end;

	if (places == NULL)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		const struct made *parent = NULL;

		m[i].rank = i;
		if (m[i].ifp->parent != NULL)
			parent = bsearch(m[i].ifp->parent, m, count, sizeof(*m),
			    index_compare);
		m[i].parent =
		    parent != NULL ? (uint32_t)(parent - m) : NO_PARENT;
	}
	if (count > 0)
		qsort(m, count, sizeof(*m), made_compare);
	for (; begin < count; begin = end) {
		for (end = begin; end < count && m[end].depth == m[begin].depth;
		     end++)
			m[end].parent_place = m[end].parent != NO_PARENT
			                          ? places[m[end].parent]
			                          : 0;
		qsort(m + begin, end - begin, sizeof(*m), made_compare);
		for (uint32_t i = begin; i < end; i++)
			places[m[i].rank] = i;
	}
	free(places);
	return true;
}

static uint32_t
depth_of(const struct iface *ifp)
{
	uint32_t n = 0;

	while ((ifp = ifp->parent) != NULL)
		n++;
	return n;
}

static void
put_clones(struct section *s, const struct made *m, uint32_t count)
{
	struct text list = { 0 };
	struct op_list l;

	for (uint32_t i = 0; i < count; i++)
		if (m[i].clone[0] != '\0')
			rcconf_put_word(&list, m[i].clone);
	if (list.len > 0)
		put(s, "cloned_interfaces", text_str(&list));
	text_free(&list);
	for (uint32_t i = 0; i < count; i++) {
		op_list_init(&l, false, s->transient);
		ifconfig_save(m[i].ifp, &l.sink);
		if (m[i].clone[0] != '\0')
			put_create(s, &l, m[i].clone);
		else if (m[i].child)
			put_create(s, &l, m[i].ifp->name);
		op_list_free(&l);
	}
}

/* What it is called when it has been made. */
static void
born_name(const struct made *m, char name[IFACE_NAME_MAX])
{
	const struct iface *ifp = m->ifp;

	if ((ifp->ops->kind_flags & IFACE_KIND_ADOPTED) != 0)
		memcpy(name, ifp->name, IFACE_NAME_MAX);
	else if (ifp->twin_letter != 0)
		(void)net_unit_name(
		    ifp->ops, ifp->unit, ifp->twin_letter, name);
	else
		memcpy(name, m->clone, IFACE_NAME_MAX);
}

static void
put_name(struct section *s, const char *from, const char *to)
{
	char name[CONFIG_MANGLED_MAX + 24], mangled[CONFIG_MANGLED_MAX];

	config_mangle(from, mangled);
	snprintf(name, sizeof(name), "ifconfig_%s_name", mangled);
	put(s, name, to);
}

/* Names in an order in which each is free when it is given. Where they go
 * round, one is called by a passing name first. */
static void
put_names(struct section *s, const struct made *m, uint32_t count)
{
	char(*now)[IFACE_NAME_MAX] = calloc(count + 1, sizeof(*now));
	uint32_t left = 0, passing = 0;
	bool moved;

	if (now == NULL) {
		s->out->no_memory = true;
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (m[i].child)
			continue;
		born_name(&m[i], now[i]);
		left += strcmp(now[i], m[i].ifp->name) != 0;
	}
	while (left > 0) {
		moved = false;
		for (uint32_t i = 0; i < count; i++) {
			bool taken = false;

			if (m[i].child || strcmp(now[i], m[i].ifp->name) == 0)
				continue;
			for (uint32_t k = 0; k < count && !taken; k++)
				taken = k != i &&
				        strcmp(now[k], m[i].ifp->name) == 0;
			if (taken)
				continue;
			put_name(s, now[i], m[i].ifp->name);
			memcpy(now[i], m[i].ifp->name, IFACE_NAME_MAX);
			moved = true;
			left--;
		}
		for (uint32_t i = 0; !moved && i < count; i++) {
			char name[IFACE_NAME_MAX];

			if (m[i].child || strcmp(now[i], m[i].ifp->name) == 0)
				continue;
			snprintf(name, sizeof(name), "passing%u", passing++);
			put_name(s, now[i], name);
			memcpy(now[i], name, IFACE_NAME_MAX);
			moved = true;
		}
	}
	free(now);
}

/* vlans_P; children of one parent stand together. */
static void
put_children(struct section *s, const struct made *m, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct iface *parent = m[i].ifp->parent;
		struct text t = { 0 };

		if (!m[i].child)
			continue;
		for (; i < count && m[i].child && m[i].ifp->parent == parent;
		     i++)
			rcconf_put_word(&t, strrchr(m[i].ifp->name, '.') + 1);
		i--;
		put_of(s, "vlans_", parent, "", text_str(&t));
		text_free(&t);
	}
}

static void
put_sysctl(void *arg, const char *name, const char *value, bool of_vnet)
{
	struct section *s = arg;
	const char *preset =
	    json_string_value(json_object_get(s->config->presets, name));

	if ((of_vnet || s->vnet == s->net->home) &&
	    (preset == NULL || strcmp(preset, value) != 0))
		put(s, name, value);
}

static void
put_section(struct section *s)
{
	struct sysctl_request request = { .net = s->net,
		.vnet = s->vnet,
		.tree = s->config->options.tree,
		.home = true };
	const struct iface *ifp;
	uint32_t count = 0;
	struct made *m;

	m = calloc(s->net->iface_count + 1, sizeof(*m));
	s->mangled = json_object();
	if (m == NULL || s->mangled == NULL) {
		s->out->no_memory = true;
		goto out_free;
	}
	if (sysctl_each(&request, put_sysctl, s) != 0)
		s->out->no_memory = true;
	TAILQ_FOREACH (ifp, &s->net->ifaces, all_link) {
		if (!is_mine(s, ifp) || !claim(s, ifp))
			continue;
		m[count].ifp = ifp;
		m[count].child = is_child(s, ifp);
		if (!m[count].child && !is_second(ifp) &&
		    (ifp->ops->kind_flags &
		        (IFACE_KIND_NO_CLONE | IFACE_KIND_ADOPTED)) == 0 &&
		    !clone_name(s, ifp, m[count].clone))
			m[count].clone[0] = '\0';
		m[count].depth = depth_of(ifp);
		count++;
	}
	if (!sort_made(m, count))
		s->out->no_memory = true;
	put_clones(s, m, count);
	put_names(s, m, count);
	put_children(s, m, count);
	for (uint32_t i = 0; i < count; i++)
		put_iface(s, m[i].ifp, m[i].child);
out_free:
	json_decref(s->mangled);
	free(m);
}

/* Rules of a packet filter are no settings: another file has them. */
static void
note_rules(struct section *s)
{
	const struct ipfw *fw = ipfw_peek(s->vnet);

	if (fw == NULL || (fw->rule_count == 0 && fw->table_count == 0 &&
	                      fw->pipes.count == 0))
		return;
	text_printf(&s->out->notes,
	    "%s%s%sipfw: %u rules, %u tables, %u pipes and queues are not in "
	    "this file\n",
	    s->vnet != s->net->home ? "vnet " : "", s->vnet->name,
	    s->vnet != s->net->home ? ": " : "", fw->rule_count,
	    fw->table_count, fw->pipes.count);
}

int
config_settings(const struct config *config, struct net *net, struct vnet *vnet,
    bool transient, struct config_settings *out)
{
	struct section s = {
		.config = config,
		.out = out,
		.net = net,
		.transient = transient,
		.name = "",
	};
	struct vnet *v;

	*out = (struct config_settings){ 0 };
	if (vnet == NULL)
		s.vnet = net->home, put_vnets(&s);
	TAILQ_FOREACH (v, &net->vnets, link) {
		if (vnet != NULL && v != vnet)
			continue;
		s.vnet = v;
		s.name = vnet != NULL ? "" : v->name;
		s.spare = 0;
		put_section(&s);
		note_rules(&s);
	}
	return out->no_memory || out->notes.failed ? -ENOMEM : 0;
}

static bool
is_sysctl(const struct config_setting *e)
{
	return strchr(e->name, '.') != NULL;
}

/* The daemon's own vnet: variables, then sysctls; then a section a vnet. */
void
config_text(const struct config_settings *s, struct text *t)
{
	const char *note, *end, *vnet = "";
	bool sysctls = false;

	text_puts(t, "# Made by \"coax export\", for \"coax apply\".\n");
	for (note = text_str(&s->notes); *note != '\0'; note = end + 1) {
		end = strchr(note, '\n');
		text_printf(t, "# %.*s\n", (int)(end - note), note);
	}
	for (size_t i = 0; i < s->count; i++)
		if (s->list[i].vnet[0] == '\0' && !is_sysctl(&s->list[i]))
			rcconf_put(t, "", s->list[i].name, s->list[i].value);
	for (size_t i = 0; i < s->count; i++) {
		if (s->list[i].vnet[0] != '\0' || !is_sysctl(&s->list[i]))
			continue;
		if (!sysctls)
			text_puts(t, "\n[sysctl.conf]\n");
		sysctls = true;
		rcconf_put(t, "", s->list[i].name, s->list[i].value);
	}
	for (size_t i = 0; i < s->count; i++) {
		if (s->list[i].vnet[0] == '\0')
			continue;
		if (strcmp(s->list[i].vnet, vnet) != 0)
			text_printf(t, "\n[vnet %s]\n", s->list[i].vnet);
		vnet = s->list[i].vnet;
		rcconf_put(t, "", s->list[i].name, s->list[i].value);
	}
}
