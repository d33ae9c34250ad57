/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way back: what a net was before, and the commands that make it that
 * again. See config.h.
 *
 * Interfaces are known by their index, which a new name does not change. Rounds
 * of commands, each computed from what is by then:
 *   0  interfaces that were not there end, the newest first
 *   1  names, by way of passing ones
 *   2  what was added to lists is taken out (a row's undo)
 *   3  what is missing, or otherwise, is told
 *   4  sysctls, and vnets that were not there
 * Nothing here waits or fails: config.c runs the commands, and looks at the end
 * whether it is as it was (config_same()).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "control/config_impl.h"
#include "control/ifconfig_impl.h"
#include "control/oplist.h"
#include "control/shadow.h"

struct before_iface {
	uint32_t index;
	char name[IFACE_NAME_MAX];
	struct op_list said;
	uint32_t nd6, nd6_said;
};

struct config_before {
	const struct config *config;
	struct before_iface *ifaces; /* by index, rising */
	uint32_t count;
	json_t *sysctls; /* "VNET NAME": value */
	json_t *vnets;   /* name: true */
};

/* --- remembering
 * -------------------------------------------------------------- */

struct sysctl_walk {
	json_t *into;
	const char *vnet;
	bool home;
};

static void
sysctl_key(char *key, size_t size, const char *vnet, const char *name)
{
	snprintf(key, size, "%s %s", vnet, name);
}

static void
put_sysctl(void *arg, const char *name, const char *value, bool of_vnet)
{
	const struct sysctl_walk *w = arg;
	char key[NET_VNET_NAME_MAX + 160];

	if (!of_vnet && !w->home)
		return;
	sysctl_key(key, sizeof(key), w->vnet, name);
	json_object_set_new(w->into, key, json_string(value));
}

/* All sysctls of all vnets; new reference, NULL: no memory. */
static json_t *
sysctls_of(const struct config *config, struct net *net)
{
	struct sysctl_walk w = { .into = json_object() };
	struct vnet *v;

	TAILQ_FOREACH (v, &net->vnets, link) {
		struct sysctl_request request = { .net = net,
			.vnet = v,
			.tree = config->options.tree,
			.home = true };

		w.vnet = v->name;
		w.home = v == net->home;
		if (w.into == NULL ||
		    sysctl_each(&request, put_sysctl, &w) != 0) {
			json_decref(w.into);
			return NULL;
		}
	}
	return w.into;
}

int
config_before_create(
    const struct config *config, struct net *net, struct config_before **out)
{
	struct config_before *b = calloc(1, sizeof(*b));
	const struct iface *ifp;
	const struct vnet *v;
	bool ok = true;

	if (b == NULL)
		return -ENOMEM;
	b->config = config;
	b->ifaces = calloc(net->iface_count + 1, sizeof(*b->ifaces));
	b->sysctls = sysctls_of(config, net);
	b->vnets = json_object();
	if (b->ifaces == NULL || b->sysctls == NULL || b->vnets == NULL)
		goto out_free;
	TAILQ_FOREACH (v, &net->vnets, link)
		json_object_set_new(b->vnets, v->name, json_true());
	TAILQ_FOREACH (ifp, &net->ifaces, all_link) {
		struct before_iface *e = &b->ifaces[b->count];

		if (ifp->dying)
			continue;
		e->index = ifp->index;
		memcpy(e->name, ifp->name, sizeof(e->name));
		e->nd6 = ifp->nd6;
		e->nd6_said = ifp->nd6_said;
		op_list_init(&e->said, true, true);
		ifconfig_save(ifp, &e->said.sink);
		ok = ok && op_list_ok(&e->said);
		b->count++;
	}
	if (!ok)
		goto out_free;
	*out = b;
	return 0;

out_free:
	config_before_destroy(b);
	return -ENOMEM;
}

void
config_before_destroy(struct config_before *b)
{
	if (b == NULL)
		return;
	for (uint32_t i = 0; i < b->count; i++)
		op_list_free(&b->ifaces[i].said);
	free(b->ifaces);
	json_decref(b->sysctls);
	json_decref(b->vnets);
	free(b);
}

static int
index_compare(const void *key, const void *element)
{
	const uint32_t *a = key;
	const struct before_iface *e = element;

	return *a < e->index ? -1 : *a > e->index;
}

static const struct before_iface *
before_of(const struct config_before *b, const struct iface *ifp)
{
	return bsearch(&ifp->index, b->ifaces, b->count, sizeof(*b->ifaces),
	    index_compare);
}

/* --- commands
 * ------------------------------------------------------------------ */

static json_t *
line_add(struct config_commands *out, const struct iface *ifp, const char *name)
{
	struct config_command *c = config_command_add(out, ifp->vnet->name);

	if (c == NULL)
		return NULL;
	c->argv = json_array();
	json_array_append_new(c->argv, json_string(name));
	return c->argv;
}

static void
word_add(json_t *argv, const char *word)
{
	if (argv != NULL)
		json_array_append_new(argv, json_string(word));
}

static void
undo_new(
    const struct config_before *b, struct net *net, struct config_commands *out)
{
	const struct iface *ifp;

	TAILQ_FOREACH_REVERSE(ifp, &net->ifaces, iface_list, all_link)
	{
		/* The second of twins goes with the first. */
		if (before_of(b, ifp) != NULL || ifp->transient || ifp->dying ||
		    (ifp->twin != NULL &&
		        ifp->twin_letter != ifp->ops->twins[0]))
			continue;
		word_add(line_add(out, ifp, ifp->name), "destroy");
	}
}

static void
undo_names(
    const struct config_before *b, struct net *net, struct config_commands *out)
{
	const struct before_iface *e;
	const struct iface *ifp;
	char passing[IFACE_NAME_MAX];
	json_t *argv;

	for (int second = 0; second < 2; second++)
		TAILQ_FOREACH (ifp, &net->ifaces, all_link) {
			e = before_of(b, ifp);
			if (e == NULL || ifp->dying ||
			    strcmp(e->name, ifp->name) == 0)
				continue;
			snprintf(passing, sizeof(passing), "~%u", ifp->index);
			argv = line_add(out, ifp, second ? passing : ifp->name);
			word_add(argv, "name");
			word_add(argv, second ? e->name : passing);
		}
}

/* A key that is the same for the same state: an address is one with "alias" or
 * without. */
static void
op_key(const struct op *op, struct text *key)
{
	struct op bare = *op;

	if (op_is_address(op) && strcmp(op->words[op->count - 1], "alias") == 0)
		bare.count--;
	op_text(&bare, key);
}

static json_t *
keys_of(const struct op_list *l)
{
	json_t *set = json_object();
	struct op op;

	for (op_first(l, &op); op.count > 0; op_next(l, &op)) {
		struct text key = { 0 };

		op_key(&op, &key);
		json_object_set_new(set, text_str(&key), json_true());
		text_free(&key);
	}
	return set;
}

static bool
has(const json_t *set, const struct op *op)
{
	struct text key = { 0 };
	bool found;

	op_key(op, &key);
	found = json_object_get(set, text_str(&key)) != NULL;
	text_free(&key);
	return found;
}

/* The value of @arg among the words of an operation as save() puts it, or NULL:
 * arguments in their order, behind their literals if they have one. */
static const char *
op_arg(const struct iface_keyword *row, const struct op *op,
    const struct keyword_arg *arg)
{
	uint32_t at = 1;

	if (arg->literal != NULL) {
		for (; at + 1 < op->count; at++)
			if (strcmp(op->words[at], arg->literal) == 0)
				return op->words[at + 1];
		return NULL;
	}
	for (uint32_t i = 0; i < KEYWORD_ARGS_MAX; i++) {
		const struct keyword_arg *a = &row->args[i];

		if (a->kind == KEYWORD_ARG_END || a->literal != NULL)
			continue;
		if (a->kind == arg->kind)
			return at < op->count ? op->words[at] : NULL;
		at++;
	}
	return NULL;
}

/* Takes an entry of a list out again. */
static void
undo_op(
    const struct iface *ifp, const struct op *op, struct config_commands *out)
{
	const struct iface_keyword *row = ifc_row(ifp->ops, op->words[0]);
	const struct iface_keyword *undo;
	json_t *argv;

	if (op_is_address(op)) {
		argv = line_add(out, ifp, ifp->name);
		word_add(argv, op->words[0]);
		word_add(argv, op->words[1]);
		word_add(argv, "-alias");
		return;
	}
	if (row == NULL || row->undo == NULL)
		return;
	undo = ifc_row(ifp->ops, row->undo);
	argv = line_add(out, ifp, ifp->name);
	word_add(argv, row->undo);
	for (uint32_t i = 0; undo != NULL && i < KEYWORD_ARGS_MAX; i++) {
		const struct keyword_arg *arg = &undo->args[i];
		const char *value;

		if (arg->kind == KEYWORD_ARG_END)
			continue;
		value = op_arg(row, op, arg);
		if (value == NULL)
			continue;
		if (arg->literal != NULL)
			word_add(argv, arg->literal);
		word_add(argv, value);
	}
}

/* The addresses of a list, in their order, as one text. */
static void
addresses_of(const struct op_list *l, struct text *t)
{
	struct op op;

	for (op_first(l, &op); op.count > 0; op_next(l, &op))
		if (op_is_address(&op)) {
			op_key(&op, t);
			text_puts(t, "\n");
		}
}

/* Their order matters, too: if it is another, all are given anew. */
static bool
same_addresses(const struct op_list *a, const struct op_list *b)
{
	struct text of_a = { 0 }, of_b = { 0 };
	bool same;

	addresses_of(a, &of_a);
	addresses_of(b, &of_b);
	same = strcmp(text_str(&of_a), text_str(&of_b)) == 0;
	text_free(&of_a);
	text_free(&of_b);
	return same;
}

static void
undo_lists(
    const struct config_before *b, struct net *net, struct config_commands *out)
{
	const struct before_iface *e;
	struct iface *ifp;

	TAILQ_FOREACH (ifp, &net->ifaces, all_link) {
		struct op_list now;
		struct op op;
		json_t *was;
		bool same;

		e = before_of(b, ifp);
		if (e == NULL || ifp->dying)
			continue;
		/* No word takes back that something was said. */
		iface_restore_nd6(ifp, e->nd6, e->nd6_said);
		was = keys_of(&e->said);
		op_list_init(&now, true, true);
		ifconfig_save(ifp, &now.sink);
		same = same_addresses(&e->said, &now);
		for (op_first(&now, &op); op.count > 0; op_next(&now, &op))
			if (op_is_address(&op) ? !same : !has(was, &op))
				undo_op(ifp, &op, out);
		op_list_free(&now);
		json_decref(was);
	}
}

static bool
has_words(const struct op_list *l, const char *word)
{
	struct op op;

	for (op_first(l, &op); op.count > 0; op_next(l, &op))
		if (op.count == 1 && strcmp(op.words[0], word) == 0)
			return true;
	return false;
}

/* In the order of ranks: what members are, before what bridges are. */
static void
undo_settings(
    const struct config_before *b, struct net *net, struct config_commands *out)
{
	const struct before_iface *e;
	const struct iface *ifp;

	for (uint32_t rank = 0; rank < SHADOW_RANKS; rank++)
		TAILQ_FOREACH (ifp, &net->ifaces, all_link) {
			struct op_list now;
			struct op op;
			bool up = false;
			json_t *is;

			e = before_of(b, ifp);
			if (e == NULL || ifp->dying || shadow_rank(ifp) != rank)
				continue;
			op_list_init(&now, true, true);
			ifconfig_save(ifp, &now.sink);
			is = keys_of(&now);
			for (op_first(&e->said, &op); op.count > 0;
			     op_next(&e->said, &op)) {
				json_t *argv;

				if (has(is, &op))
					continue;
				argv = line_add(out, ifp, ifp->name);
				for (uint32_t i = 0; i < op.count; i++)
					word_add(argv, op.words[i]);
				if (op_is_address(&op)) /* beside the rest */
					word_add(argv, "alias");
				up = up || op_is_address(&op) ||
				     strcmp(op.words[0], "DHCP") == 0 ||
				     strcmp(op.words[0], "SYNCDHCP") == 0;
			}
			/* An address brings it up, or who asks for one. */
			if (up && has_words(&e->said, "down"))
				word_add(line_add(out, ifp, ifp->name), "down");
			op_list_free(&now);
			json_decref(is);
		}
}

static void
undo_system(
    const struct config_before *b, struct net *net, struct config_commands *out)
{
	json_t *now = sysctls_of(b->config, net);
	struct config_command *c;
	const struct vnet *v;
	const char *key;
	json_t *old;

	json_object_foreach(b->sysctls, key, old)
	{
		const char *blank = strchr(key, ' ');
		char vnet[NET_VNET_NAME_MAX];

		if (now == NULL || json_equal(json_object_get(now, key), old))
			continue;
		snprintf(vnet, sizeof(vnet), "%.*s", (int)(blank - key), key);
		c = config_command_add(out, vnet);
		if (c == NULL)
			break;
		c->name = strdup(blank + 1);
		c->value = strdup(json_string_value(old));
		if (c->name == NULL || c->value == NULL)
			out->no_memory = true;
	}
	json_decref(now);
	TAILQ_FOREACH (v, &net->vnets, link) {
		if (v->dead || json_object_get(b->vnets, v->name) != NULL)
			continue;
		c = config_command_add(out, "");
		if (c == NULL)
			break;
		c->name = strdup(v->name);
		c->destroy = true;
		if (c->name == NULL)
			out->no_memory = true;
	}
}

bool
config_undo(const struct config_before *b, struct net *net, uint32_t round,
    struct config_commands *out)
{
	static void (*const rounds[])(const struct config_before *b,
	    struct net *net, struct config_commands *out) = { undo_new,
		undo_names, undo_lists, undo_settings,
		/* A name may have been free only where the host side was. */
		undo_names, undo_settings, undo_system };

	if (round >= ARRAY_LEN(rounds))
		return false;
	rounds[round](b, net, out);
	return true;
}

bool
config_same(const struct config_before *b, struct net *net, struct text *why)
{
	const struct iface *ifp;
	uint32_t found = 0;
	bool same = true;

	TAILQ_FOREACH (ifp, &net->ifaces, all_link) {
		const struct before_iface *e = before_of(b, ifp);
		struct op_list now;
		struct op op;
		json_t *is;

		if (e == NULL)
			continue;
		found++;
		op_list_init(&now, true, true);
		ifconfig_save(ifp, &now.sink);
		is = keys_of(&now);
		for (op_first(&e->said, &op); same && op.count > 0;
		     op_next(&e->said, &op))
			if (!has(is, &op)) {
				text_printf(why, "%s was: ", ifp->name);
				op_text(&op, why);
				same = false;
			}
		op_list_free(&now);
		json_decref(is);
	}
	if (same && found < b->count) {
		text_puts(why, "an interface has gone meanwhile");
		same = false;
	}
	return same;
}
