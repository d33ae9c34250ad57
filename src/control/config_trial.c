/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plan on a shadow: each step becomes an ifconfig line, a sysctl or a vnet.
 * What of a line is so already is taken out of it before it is run
 * (line_parsed()); what remains, and was not refused, is noted as a command
 * for the net.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ether.h"
#include "base/str.h"
#include "base/util.h"
#include "base/vlanset.h"
#include "control/bsderr.h"
#include "control/config_impl.h"
#include "control/ifconfig_impl.h"
#include "control/info_json.h"
#include "control/oplist.h"
#include "control/shadow.h"
#include "net/impair.h"

/* --- what is so already ------------------------------------------------------
 */

/* "addm em0": an operation of a row as its save() would put it. */
static void
canonical(const struct ifc_op *op, struct text *t)
{
	char set[VLAN_SET_TEXT_MAX];
	char mac[ETH_ADDR_STRLEN];
	struct vlan_set vlans;

	text_puts(t, op->row->name);
	for (uint32_t i = 0; i < KEYWORD_ARGS_MAX; i++) {
		const struct keyword_arg *arg = &op->row->args[i];
		const union keyword_value *v = &op->v[i];
		const char *literal = arg->literal;

		switch (arg->kind) {
		case KEYWORD_ARG_END:
			break;
		case KEYWORD_ARG_VLANS:
			if (v->str == NULL ||
			    vlan_set_parse(v->str, &vlans) != 0)
				break;
			(void)vlan_set_format(&vlans, set);
			text_printf(t, "%s%s %s", literal != NULL ? " " : "",
			    literal != NULL ? literal : "",
			    set[0] != '\0' ? set : "none");
			break;
		case KEYWORD_ARG_IFNAME:
		case KEYWORD_ARG_WORD:
		case KEYWORD_ARG_CHOICE:
			if (v->str != NULL)
				text_printf(t, "%s%s %s",
				    literal != NULL ? " " : "",
				    literal != NULL ? literal : "", v->str);
			break;
		case KEYWORD_ARG_VLAN:
			if (literal == NULL || v->num != 0)
				text_printf(t, "%s%s %llu",
				    literal != NULL ? " " : "",
				    literal != NULL ? literal : "",
				    (unsigned long long)v->num);
			break;
		case KEYWORD_ARG_NUMBER:
			if (literal != NULL && v->num == 0)
				break;
			text_printf(t, "%s%s %llu", literal != NULL ? " " : "",
			    literal != NULL ? literal : "",
			    (unsigned long long)v->num);
			break;
		case KEYWORD_ARG_MAC:
			text_printf(t, " %s", ether_format(v->mac, mac));
			break;
		}
	}
}

/* A line that is being tried. */
struct attempt {
	struct config_trial *trial;
	const struct ifconfig_run *line;
	json_t *said; /* word: set of what its row says of the interface */
};

/* What the row of an operation says of @ifp: a set of texts. Borrowed. */
static json_t *
row_said(struct attempt *t, const struct iface *ifp, const struct ifc_op *op)
{
	const struct iface_keyword *row = op->row;
	struct op_list l;
	struct op each;
	json_t *set;

	if (row->save == NULL && row->saved_by != NULL)
		row = ifc_row(ifp->ops, row->saved_by);
	if (row != NULL && row->save == NULL && row->saved_by != NULL)
		row = ifc_row(NULL, row->saved_by); /* hidden by its own */
	if (row == NULL || row->save == NULL)
		return NULL;
	set = json_object_get(t->said, row->name);
	if (set != NULL)
		return set;
	set = json_object();
	op_list_init(&l, true, true);
	row->save(ifp, &l.sink);
	for (op_first(&l, &each); each.count > 0; op_next(&l, &each)) {
		struct text key = { 0 };

		op_text(&each, &key);
		/* "inet6 accept_rtadv" */
		json_object_set_new(set,
		    text_str(&key) +
		        (str_has_prefix(text_str(&key), "inet6 ") ? 6 : 0),
		    json_true());
		text_free(&key);
	}
	if (!op_list_ok(&l))
		t->trial->no_memory = true;
	op_list_free(&l);
	json_object_set_new(t->said, row->name, set);
	return set;
}

static bool
row_is_so(struct attempt *t, const struct iface *ifp, const struct ifc_op *op)
{
	json_t *said = row_said(t, ifp, op);
	struct text key = { 0 };
	bool so;

	canonical(op, &key);
	so = said != NULL && json_object_get(said, text_str(&key)) != NULL;
	text_free(&key);
	return so;
}

static bool
address_is_so(const struct iface *ifp, const struct ifc_addr *a)
{
	json_t *list = ifc_addresses(ifp), *e;
	bool found = false;
	size_t i;

	json_array_foreach(list, i, e)
	{
		const char *addr =
		    json_string_value(json_object_get(e, "address"));
		const char *dst =
		    json_string_value(json_object_get(e, "destination"));

		if (addr != NULL && strcmp(addr, a->addr) == 0 &&
		    json_integer_value(json_object_get(e, "prefixlen")) ==
		        (json_int_t)a->prefixlen &&
		    strcmp(dst != NULL ? dst : "", a->dst) == 0)
			found = true;
	}
	json_decref(list);
	return found == (a->mode != IFC_ADDR_DELETE);
}

/* Would the words change nothing? */
static bool
impair_is_so(const struct ifconfig_run *line, const struct iface *ifp,
    const struct ifc_op *op)
{
	char why[IMPAIR_WHY_MAX], old[IMPAIR_TEXT_MAX], new[IMPAIR_TEXT_MAX];
	struct impair_change change;

	if (impair_parse((const char *const *)line->words + op->word + 1,
	        op->words - 1, &change, why, sizeof(why)) < 0)
		return false;
	for (int dir = IMPAIR_IN; dir <= IMPAIR_OUT; dir++) {
		const struct impair_config *is =
		    iface_impair_config(ifp, (enum impair_direction)dir);
		struct impair_config would;

		if (change.set[dir] == 0)
			continue;
		if (is == NULL)
			return false;
		would = *is;
		if (impair_merge(&would, &change, (enum impair_direction)dir,
		        why, sizeof(why)) != 0 ||
		    strcmp(impair_format(is, true, old),
		        impair_format(&would, true, new)) != 0)
			return false;
	}
	return true;
}

/* Does a line end with the interface down? */
static bool
goes_down(const struct ifconfig_run *line)
{
	bool down = false;

	for (uint32_t i = 0; i < line->op_count; i++) {
		const struct iface_keyword *row = line->ops[i].row;

		if (row != NULL && strcmp(row->name, "down") == 0)
			down = true;
		else if (row != NULL && strcmp(row->name, "up") == 0)
			down = false;
	}
	return down;
}

static bool
noimpair_is_so(const struct iface *ifp, const struct ifc_op *op)
{
	bool in = op->str == NULL || strcmp(op->str, "in") == 0;
	bool out = op->str == NULL || strcmp(op->str, "out") == 0;

	return !(in && iface_impair_config(ifp, IMPAIR_IN) != NULL) &&
	       !(out && iface_impair_config(ifp, IMPAIR_OUT) != NULL);
}

/* Is it so already what @op would do? */
static bool
is_so(struct attempt *t, const struct iface *ifp, const struct ifc_op *op)
{
	switch (op->kind) {
	case IFC_ROW:
		return row_is_so(t, ifp, op);
	case IFC_LLADDR:
		return ether_equal(ifp->mac, op->v[0].mac);
	case IFC_NAME:
		return strcmp(ifp->name, op->str) == 0;
	case IFC_HOST:
		return ifp->host != NULL;
	case IFC_NOHOST:
		return ifp->host == NULL;
	case IFC_VNET:
		return ifp->host != NULL &&
		       strcmp(ifp->host->vnet->name, op->str) == 0;
	case IFC_RVNET:
		return ifp->host != NULL && ifp->host->vnet == ifp->vnet;
	case IFC_DHCP:
		return ifp->dhcp == op->v[0].num &&
		       (ifp->dhcp == IFACE_DHCP_OFF ||
		           (ifp->flags & IFACE_UP) != 0 || goes_down(t->line));
	case IFC_IMPAIR:
		return impair_is_so(t->line, ifp, op);
	case IFC_NOIMPAIR:
		return noimpair_is_so(ifp, op);
	case IFC_ADDR:
		return address_is_so(ifp, &op->addr);
	case IFC_SHOW:
		return true;
	case IFC_CREATE:
	case IFC_ADOPT:
	case IFC_TWIN:
	case IFC_DESTROY:
		return false;
	}
	return false;
}

/* "addm em0 untagged 5" where em0 is a member: what is left is "ifuntagged em0
 * 5". Into @out, KEYWORD_ARGS_MAX at most. Return: how many; 0: none of this.
 */
static uint32_t
op_split(struct attempt *t, const struct iface *ifp, const struct ifc_op *op,
    struct ifc_op *out)
{
	struct ifc_op bare = *op;
	uint32_t count = 0;
	bool optional = false;

	for (uint32_t i = 0; op->kind == IFC_ROW && i < KEYWORD_ARGS_MAX; i++)
		if (op->row->args[i].as != NULL) {
			optional = true;
			bare.v[i] = (union keyword_value){ 0 };
		}
	if (!optional || !row_is_so(t, ifp, &bare))
		return 0;
	for (uint32_t i = 0; i < KEYWORD_ARGS_MAX; i++) {
		const struct keyword_arg *arg = &op->row->args[i];
		bool given = arg->kind == KEYWORD_ARG_VLAN
		                 ? op->v[i].num != 0
		                 : op->v[i].str != NULL;
		const struct iface_keyword *row;

		row = arg->as != NULL && given ? ifc_row(ifp->ops, arg->as)
		                               : NULL;
		if (row == NULL)
			continue;
		out[count] = (struct ifc_op){
			.kind = IFC_ROW, .word = op->word, .row = row
		};
		out[count].v[0] = op->v[0];
		out[count++].v[1] = op->v[i];
	}
	return count;
}

/* Operations that stay. */
struct ops {
	struct ifc_op *list; /* owned */
	uint32_t count, room;
};

static void
ops_put(struct attempt *t, struct ops *ops, const struct ifc_op *op)
{
	struct ifc_op *grown;

	if (ops->count == ops->room) {
		uint32_t room = ops->room != 0 ? 2 * ops->room : 8;

		grown = reallocarray(ops->list, room, sizeof(*grown));
		if (grown == NULL) {
			t->trial->no_memory = true;
			return;
		}
		ops->list = grown;
		ops->room = room;
	}
	ops->list[ops->count++] = *op;
}

/* Between understanding a line and doing it: only what is not so stays. */
static void
line_parsed(struct ifconfig_run *line, void *arg)
{
	struct attempt *t = arg;
	const struct iface *ifp = ifc_iface(line);
	struct ops kept = { 0 };

	t->line = line;
	if (ifp == NULL || line->op_count == 0)
		return;
	for (uint32_t i = 0; i < line->op_count; i++) {
		struct ifc_op split[KEYWORD_ARGS_MAX];
		uint32_t n = op_split(t, ifp, &line->ops[i], split);

		for (uint32_t k = 0; k < n; k++)
			if (!is_so(t, ifp, &split[k]))
				ops_put(t, &kept, &split[k]);
		if (n == 0 && !is_so(t, ifp, &line->ops[i]))
			ops_put(t, &kept, &line->ops[i]);
	}
	free(line->ops);
	line->ops = kept.list;
	line->op_count = kept.count;
	line->op_room = kept.room;
}

/* --- commands ---------------------------------------------------------------
 */

static struct config_command *
command_of(
    struct config_trial *t, const struct config_step *s, const char *vnet)
{
	struct config_command *c = config_command_add(t->commands, vnet);

	if (c != NULL) {
		c->where = s->where;
		c->variable = s->variable;
	}
	return c;
}

static char *
copy(struct config_trial *t, const char *s)
{
	char *new = strdup(s);

	if (new == NULL)
		t->no_memory = true;
	return new;
}

/* The words of an operation that op_split() made. */
static void
split_words(const struct ifc_op *op, json_t *list)
{
	struct text t = { 0 };
	char *save = NULL;

	canonical(op, &t);
	for (char *w = strtok_r(t.s, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save))
		json_array_append_new(list, json_string(w));
	text_free(&t);
}

/* Notes what a line has done. @name: of its interface before it. */
static void
line_done(struct config_trial *t, const struct config_step *s,
    const struct vnet *vnet, const char *name, const struct ifconfig_run *line)
{
	struct config_command *c;
	json_t *argv;

	if (line->op_count == 0)
		return;
	argv = json_array();
	json_array_append_new(argv, json_string(name));
	for (uint32_t i = 0; i < line->op_count; i++) {
		const struct ifc_op *op = &line->ops[i];

		if (op->kind == IFC_ROW && op->words == 0)
			split_words(op, argv);
		else
			ifc_op_words(line, op, argv);
	}
	c = command_of(t, s, vnet->name);
	for (uint32_t i = 0; c != NULL && i < line->op_count; i++)
		if (line->ops[i].kind == IFC_DHCP &&
		    line->ops[i].v[0].num == IFACE_DHCP_SYNC)
			c->sync = true;
	if (c != NULL)
		c->argv = argv;
	else
		json_decref(argv);
}

/* --- steps
 * ------------------------------------------------------------------------
 */

static void
name_key(uint32_t section, const char *name, char key[CONFIG_MANGLED_MAX + 16])
{
	snprintf(key, CONFIG_MANGLED_MAX + 16, "%u %.63s", section, name);
}

/* What a line was refused with, with the line of the word where it happened. */
static void
line_refused(struct config_trial *t, const struct config_step *s,
    uint32_t words, const struct ifconfig_run *line)
{
	struct rc_where where = s->where;
	char key[CONFIG_MANGLED_MAX + 16];
	char text[384];
	uint32_t at = line->at;

	if (at >= words && at - words < s->count)
		where.line = s->words[at - words].line;
	config_line_message(line, text, sizeof(text));
	rcconf_error(
	    t->rc, where, "%.64s: %.16s: %s", s->variable, s->name, text);
	if (s->phase == CONFIG_LINES)
		return;
	name_key(s->vnet, s->name, key); /* more about it would only follow */
	json_object_set_new(t->refused, key, json_true());
}

/* Words that were only kept, for one notice an interface. */
static void
recorded_add(struct config_trial *t, const json_t *part)
{
	const char *name = json_string_value(json_object_get(part, "iface"));
	json_t *so_far = json_object_get(t->recorded, name);

	if (so_far == NULL) {
		so_far = json_pack("{s:O,s:[]}", "kind",
		    json_object_get(part, "kind"), "words");
		json_object_set_new(t->recorded, name, so_far);
	}
	json_array_extend(json_object_get(so_far, "words"),
	    json_object_get(part, "recorded"));
}

/* Warnings of a line. */
static void
line_notices(struct config_trial *t, const struct ifconfig_run *line)
{
	const json_t *part;
	size_t i;

	json_array_foreach(line->out, i, part)
	{
		const char *what =
		    json_string_value(json_object_get(part, "part"));

		if (what == NULL || strcmp(what, "notice") != 0)
			continue;
		if (json_object_get(part, "recorded") != NULL)
			recorded_add(t, part);
		else
			json_array_append(
			    t->notices, json_object_get(part, "text"));
	}
}

static void
put_notices(struct config_trial *t)
{
	const char *name;
	const json_t *e;
	char text[512];
	struct sbuf b = sbuf_init(text, sizeof(text));

	json_object_foreach(t->recorded, name, e) json_array_append_new(
	    t->notices, ifc_recorded_text(name,
	                    json_string_value(json_object_get(e, "kind")),
	                    json_object_get(e, "words")));
	if (json_array_size(t->strange) == 0)
		return;
	sbuf_puts(&b, "left alone, no sysctls of coax: ");
	for (size_t i = 0; i < json_array_size(t->strange); i++)
		sbuf_printf(&b, "%s%s", i > 0 ? ", " : "",
		    json_string_value(json_array_get(t->strange, i)));
	json_array_append_new(t->notices, json_string(text));
}

/* One line on the shadow: "NAME [create] WORDS". */
static void
run_line(struct config_trial *t, const struct config_step *s, struct vnet *vnet,
    const char *name, bool create)
{
	struct attempt a = { .trial = t, .said = json_object() };
	struct ifconfig_request request = {
		.net = t->shadow,
		.vnet = vnet,
		.home = vnet == t->shadow->home,
		.long_line = true,
		.parsed = line_parsed,
		.arg = &a,
	};
	const char **argv = calloc((size_t)s->count + 3, sizeof(*argv));
	char *before = copy(t, name); /* the line may rename it */
	struct ifconfig_run *line;
	uint32_t words = 0;

	if (argv == NULL || before == NULL || a.said == NULL)
		goto no_memory;
	argv[words++] = before;
	if (create)
		argv[words++] = "create";
	for (uint32_t i = 0; i < s->count; i++)
		argv[words + i] = s->words[i].text;
	request.argv = argv;
	request.argc = words + s->count;
	if (request.argc == 1)
		goto out; /* it is there, and nothing is to be told */
	if (ifconfig_start(&request, &line) != 0)
		goto no_memory;
	if (ifconfig_exit(line) != 0)
		line_refused(t, s, words, line);
	else
		line_done(t, s, vnet, before, line);
	line_notices(t, line);
	ifconfig_free(line);
	goto out;

no_memory:
	t->no_memory = true;
out:
	json_decref(a.said);
	free(argv);
	free(before);
}

struct iface *
config_clone_find(struct net *net, struct vnet *vnet, const char *name)
{
	const struct iface_ops *ops;
	char full[IFACE_NAME_MAX];
	uint32_t unit;

	if (net_kind_of_name(net, vnet, name, &ops) != 0)
		return net_iface_find(net, vnet, name);
	/* As net_unit_name() writes it, and not otherwise. */
	if (!str_has_prefix(name, ops->kind) ||
	    str_u32(name + strlen(ops->kind), 10, 0, UINT32_MAX, &unit) != 0 ||
	    net_unit_name(ops, unit, '\0', full) != 0 ||
	    strcmp(full, name) != 0)
		return NULL;
	return net_unit_find(net, vnet, ops, unit);
}

static void
do_vnet(struct config_trial *t, const struct config_step *s)
{
	struct config_command *c;
	struct vnet *v;
	int err;

	if (net_vnet_find(t->shadow, s->name) != NULL)
		return;
	t->shadow->message[0] = '\0';
	err = net_vnet_create(t->shadow, s->name, &v);
	if (err != 0) {
		rcconf_error(t->rc, s->where, "%.64s: vnet \"%.64s\": %s%s%s",
		    s->variable, s->name, bsd_strerror(err),
		    t->shadow->message[0] != '\0' ? ": " : "",
		    t->shadow->message);
		return;
	}
	c = command_of(t, s, "");
	if (c != NULL)
		c->name = copy(t, s->name);
}

/* Names that only coax has: what is unknown there is a mistake. */
static bool
is_our_sysctl(const char *name)
{
	return str_has_prefix(name, "net.link.") ||
	       str_has_prefix(name, "coax.");
}

static void
do_sysctl(
    struct config_trial *t, const struct config_step *s, struct vnet *vnet)
{
	struct sysctl_request request = { .net = t->shadow,
		.vnet = vnet,
		.tree = t->tree,
		.home = t->home,
		.trial = true };
	struct config_command *c;
	int is = sysctl_is(&request, s->name, s->value);
	int err = is;

	if (is > 0)
		return;
	if (err == 0)
		err = sysctl_set(&request, s->name, s->value);
	if (err == -ENOENT && !is_our_sysctl(s->name)) {
		json_array_append_new(t->strange, json_string(s->name));
		return;
	}
	if (err != 0) {
		rcconf_error(t->rc, s->where, "%.64s=%.64s: %s", s->name,
		    s->value,
		    err == -ENOENT   ? "there is no such sysctl"
		    : err == -EPERM  ? "it cannot be set"
		    : err == -EINVAL ? "it is not such a value: see sysctl -d"
		                     : bsd_strerror(err));
		return;
	}
	c = command_of(t, s, vnet->name);
	if (c == NULL)
		return;
	c->name = copy(t, s->name);
	c->value = copy(t, s->value);
}

/* Steps that name interfaces, to find them. */
static void
index_names(struct config_trial *t)
{
	char key[CONFIG_MANGLED_MAX + 16];

	for (size_t i = 0; i < t->plan->count; i++) {
		const struct config_step *s = &t->plan->steps[i];

		if (s->phase != CONFIG_NAMES)
			continue;
		name_key(s->vnet, s->name, key);
		json_object_set_new(t->names, key, json_integer((json_int_t)i));
		name_key(s->vnet, s->value, key);
		json_object_set_new(t->given, key, json_true());
	}
}

/* The step that gives @name away in the section of @s, or NULL. */
static const struct config_step *
name_step(
    const struct config_trial *t, const struct config_step *s, const char *name)
{
	char key[CONFIG_MANGLED_MAX + 16];
	const json_t *at;

	name_key(s->vnet, name, key);
	at = json_object_get(t->names, key);
	return at != NULL ? &t->plan->steps[json_integer_value(at)] : NULL;
}

/* Is @name what a step calls an interface? */
static bool
is_given(
    const struct config_trial *t, const struct config_step *s, const char *name)
{
	char key[CONFIG_MANGLED_MAX + 16];

	name_key(s->vnet, name, key);
	return json_object_get(t->given, key) != NULL;
}

/* ifconfig_X_name="Y". Where names go round, one passes through a third: then Y
 * is another step's X. */
static void
do_name(struct config_trial *t, struct config_step *s, struct vnet *vnet)
{
	struct iface *ifp = config_clone_find(t->shadow, vnet, s->name);

	if (ifp == NULL)
		ifp = net_iface_find(t->shadow, vnet, s->name);
	if (net_iface_find(t->shadow, vnet, s->value) != NULL)
		return; /* it is done */
	if (ifp == NULL && is_given(t, s, s->name))
		return;
	if (ifp != NULL && strcmp(ifp->name, s->name) != 0 &&
	    name_step(t, s, s->value) != NULL)
		return;
	s->words = calloc(2, sizeof(*s->words));
	if (s->words == NULL) {
		t->no_memory = true;
		return;
	}
	s->count = 2;
	s->words[0] = (struct rc_word){ copy(t, "name"), s->where.line };
	s->words[1] = (struct rc_word){ copy(t, s->value), s->where.line };
	if (!t->no_memory)
		run_line(t, s, vnet, ifp != NULL ? ifp->name : s->name, false);
}

/* What ifconfig_X_name calls it, if that is one of its kind without a unit:
 * made under a name of its own, it is exported so when that does not fit it any
 * more. */
static struct iface *
clone_by_name(
    struct config_trial *t, const struct config_step *s, struct vnet *vnet)
{
	const struct config_step *o = name_step(t, s, s->name);
	const struct iface_ops *ops;
	struct iface *ifp;

	if (o == NULL || net_kind_of_name(t->shadow, vnet, s->name, &ops) != 0)
		return NULL;
	ifp = net_iface_find(t->shadow, vnet, o->value);
	return ifp != NULL && ifp->ops == ops && ifp->unit == IFACE_UNIT_NONE
	           ? ifp
	           : NULL;
}

/* A child of a name that is no kind's: a VLAN that is made under the next free
 * number and called so. */
static void
do_named_child(struct config_trial *t, struct config_step *s, struct vnet *vnet)
{
	char name[IFACE_NAME_MAX] = "vlan0";
	struct rc_word *grown;
	uint32_t unit = 0;

	while (net_iface_find(t->shadow, vnet, name) != NULL ||
	       config_clone_find(t->shadow, vnet, name) != NULL)
		snprintf(name, sizeof(name), "vlan%u", ++unit);
	grown = reallocarray(s->words, s->count + 2, sizeof(*grown));
	if (grown == NULL) {
		t->no_memory = true;
		return;
	}
	s->words = grown;
	grown[s->count] = (struct rc_word){ copy(t, "name"), s->where.line };
	grown[s->count + 1] =
	    (struct rc_word){ copy(t, s->name), s->where.line };
	s->count += 2;
	if (!t->no_memory)
		run_line(t, s, vnet, name, true);
}

/* "em0.5": the name says what it is. */
static bool
is_dotted(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot != NULL && dot[1] != '\0' &&
	       dot[1 + strspn(dot + 1, "0123456789")] == '\0';
}

/* cloned_interfaces, vlans_P. */
static void
do_clone(struct config_trial *t, struct config_step *s, struct vnet *vnet)
{
	const struct iface *ifp = config_clone_find(t->shadow, vnet, s->name);
	const struct iface_ops *ops;

	if (ifp == NULL)
		ifp = clone_by_name(t, s, vnet);
	if (s->phase == CONFIG_CHILDREN && ifp == NULL && !is_dotted(s->name) &&
	    net_kind_of_name(t->shadow, vnet, s->name, &ops) != 0) {
		ifp = net_iface_find(t->shadow, vnet, s->name);
		if (ifp == NULL) {
			do_named_child(t, s, vnet);
			return;
		}
	}
	run_line(t, s, vnet, ifp != NULL ? ifp->name : s->name, ifp == NULL);
}

/* The vnet of a step on the shadow; NULL: there is none (reported). */
static struct vnet *
vnet_of(struct config_trial *t, const struct config_step *s)
{
	const char *name = s->vnet == 0 ? t->vnet : t->rc->vnets[s->vnet];
	struct vnet *v = net_vnet_find(t->shadow, name);

	if (v == NULL && json_object_get(t->refused, name) == NULL)
		rcconf_error(t->rc, s->where,
		    "%.64s: there is no vnet %.64s: vnets=\"%.64s\" is "
		    "expected in [rc.conf], or coax vnet attach before",
		    s->variable, name, name);
	if (v == NULL)
		json_object_set_new(t->refused, name, json_true());
	return v;
}

static void
do_step(struct config_trial *t, struct config_step *s)
{
	struct vnet *vnet;
	char key[CONFIG_MANGLED_MAX + 16];

	if (t->rc->error_count == RCCONF_ERRORS_MAX)
		return;
	vnet = vnet_of(t, s);
	name_key(s->vnet, s->name, key);
	if (vnet == NULL || json_object_get(t->refused, key) != NULL)
		return;
	switch (s->phase) {
	case CONFIG_VNETS:
		do_vnet(t, s);
		break;
	case CONFIG_SYSCTLS:
		do_sysctl(t, s, vnet);
		break;
	case CONFIG_CLONES:
	case CONFIG_CHILDREN:
		do_clone(t, s, vnet);
		break;
	case CONFIG_NAMES:
		do_name(t, s, vnet);
		break;
	case CONFIG_LINES:
		run_line(t, s, vnet, s->name, false);
		break;
	case CONFIG_PHASES:
		break;
	}
}

/* Lines in an order that the file need not have: bridges after what can be
 * their members, and after them what hangs on bridges. */
static void
do_lines(struct config_trial *t)
{
	for (uint32_t rank = 0; rank < SHADOW_RANKS; rank++)
		for (size_t i = 0; i < t->plan->count; i++) {
			struct config_step *s = &t->plan->steps[i];
			struct iface *ifp = NULL;
			struct vnet *vnet;

			if (s->phase != CONFIG_LINES || s->done)
				continue;
			vnet = net_vnet_find(t->shadow,
			    s->vnet == 0 ? t->vnet : t->rc->vnets[s->vnet]);
			if (vnet != NULL)
				ifp = net_iface_find(t->shadow, vnet, s->name);
			if (ifp != NULL && shadow_rank(ifp) > rank)
				continue;
			s->done = true;
			do_step(t, s);
		}
}

int
config_trial(struct config_trial *t)
{
	t->refused = json_object();
	t->strange = json_array();
	t->recorded = json_object();
	t->names = json_object();
	t->given = json_object();
	if (t->refused == NULL || t->strange == NULL || t->recorded == NULL ||
	    t->names == NULL || t->given == NULL)
		t->no_memory = true;
	else
		index_names(t);
	for (int phase = 0; phase < CONFIG_LINES && !t->no_memory; phase++)
		for (size_t i = 0; i < t->plan->count; i++)
			if (t->plan->steps[i].phase == (enum config_phase)phase)
				do_step(t, &t->plan->steps[i]);
	if (!t->no_memory)
		do_lines(t);
	put_notices(t);
	json_decref(t->refused);
	json_decref(t->strange);
	json_decref(t->recorded);
	json_decref(t->names);
	json_decref(t->given);
	if (t->no_memory || t->rc->no_memory || t->commands->no_memory)
		return -ENOMEM;
	return t->rc->error_count > 0 ? -EINVAL : 0;
}
