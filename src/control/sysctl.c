/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree of tunables. See sysctl.h.
 *
 * Three sources make one sorted list of nodes: the rows of the tree's tables
 * (a dynamic row makes one node a child), the kinds' tunables
 * (iface_ops.tunables) and the bridge's, which are values of a vnet.
 *
 * Source of options, wording and exit status: FreeBSD sysctl(8), as of 15.
 * Differs: -b, -B, -f, -F and -l are refused; -h, -o and -w change nothing.
 */
#include "control/sysctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ether.h"
#include "base/str.h"
#include "base/util.h"
#include "bridge/bridge.h"
#include "control/bsderr.h"
#include "control/info_json.h"
#include "control/methods.h"
#include "control/text.h"
#include "frame/frame.h"
#include "net/tunable.h"

#define NAME_MAX_LEN 128

static const char usage_text[] =
    "usage: sysctl [-j vnet] [-dehiNnoqTtWwx] name[=value] ...\n"
    "       sysctl [-j vnet] [-dehNnoqTtWx] -a\n";

/* A name of the tree, and where its value is. */
struct node {
	char name[NAME_MAX_LEN];
	const struct sysctl_row *row; /* one of these three */
	const struct iface_tunable *tunable;
	const struct bridge_tunable_info *bridge;
	enum bridge_tunable bridge_tunable;
	char child[IFACE_NAME_MAX]; /* of a dynamic row */
};

struct nodes {
	struct node *list;
	size_t count, room;
	bool failed;
};

static struct node *
nodes_add(struct nodes *n)
{
	struct node *grown;

	if (n->count == n->room) {
		size_t room = n->room != 0 ? 2 * n->room : 64;

		grown = reallocarray(n->list, room, sizeof(*grown));
		if (grown == NULL) {
			n->failed = true;
			return NULL;
		}
		n->list = grown;
		n->room = room;
	}
	grown = &n->list[n->count++];
	*grown = (struct node){ 0 };
	return grown;
}

static void
add_rows(struct nodes *n, struct sysctl_ctx *ctx, const struct sysctl_row *row)
{
	char child[IFACE_NAME_MAX];
	struct node *node;

	for (; row->name != NULL; row++) {
		if (row->list == NULL) {
			node = nodes_add(n);
			if (node == NULL)
				return;
			node->row = row;
			snprintf(
			    node->name, sizeof(node->name), "%s", row->name);
			continue;
		}
		for (uint32_t i = 0; row->list(ctx, i, child); i++) {
			node = nodes_add(n);
			if (node == NULL)
				return;
			node->row = row;
			memcpy(node->child, child, sizeof(child));
			snprintf(node->name, sizeof(node->name), "%s%s%s",
			    row->name, child,
			    row->suffix != NULL ? row->suffix : "");
		}
	}
}

static void
add_tunables(struct nodes *n, const struct net *net)
{
	const struct iface_tunable *t;
	struct node *node;

	for (const struct iface_ops *const *k = net->kinds;
	     k != NULL && *k != NULL; k++) {
		t = (*k)->tunables;
		for (; t != NULL && t->name != NULL; t++) {
			node = nodes_add(n);
			if (node == NULL)
				return;
			node->tunable = t;
			snprintf(node->name, sizeof(node->name), "%s", t->name);
		}
	}
	if (net_kind(net, "bridge") == NULL)
		return;
	for (int i = 0; i < BRIDGE_TUNABLE_COUNT; i++) {
		node = nodes_add(n);
		if (node == NULL)
			return;
		node->bridge_tunable = (enum bridge_tunable)i;
		node->bridge = bridge_tunable_info(node->bridge_tunable);
		snprintf(node->name, sizeof(node->name), "net.link.bridge.%s",
		    node->bridge->name);
	}
}

/* tap2 before tap10: numbers in names sort as numbers. */
static int
compare(const void *pa, const void *pb)
{
	const struct node *a = pa, *b = pb;

	return strverscmp(a->name, b->name);
}

static int
nodes_make(
    struct nodes *n, struct sysctl_ctx *ctx, const struct sysctl_tree *tree)
{
	*n = (struct nodes){ 0 };
	if (tree != NULL && tree->tables != NULL)
		for (const struct sysctl_row *const *t = tree->tables;
		     *t != NULL; t++)
			add_rows(n, ctx, *t);
	add_tunables(n, ctx->net);
	if (n->failed) {
		free(n->list);
		return -ENOMEM;
	}
	if (n->count > 0)
		qsort(n->list, n->count, sizeof(*n->list), compare);
	return 0;
}

/* What a node is, whatever its source. */

static enum sysctl_type
node_type(const struct node *n)
{
	return n->row != NULL ? n->row->type : SYSCTL_INT;
}

static bool
node_writable(const struct node *n)
{
	return n->row == NULL || (n->row->flags & SYSCTL_RW) != 0;
}

static bool
node_of_vnet(const struct node *n)
{
	if (n->bridge != NULL ||
	    (n->tunable != NULL && n->tunable->vnet_get != NULL))
		return true;
	return n->row != NULL && (n->row->flags & SYSCTL_VNET) != 0;
}

static const char *
node_about(const struct node *n)
{
	if (n->row != NULL)
		return n->row->about;
	return n->tunable != NULL ? n->tunable->about : n->bridge->about;
}

static void
node_range(const struct node *n, uint64_t *min, uint64_t *max)
{
	*min = 0;
	*max = INT32_MAX;
	if (n->tunable != NULL) {
		*min = n->tunable->min;
		*max = n->tunable->max;
	} else if (n->bridge != NULL) {
		*max = n->bridge->max;
	} else if (n->row->type == SYSCTL_BOOL) {
		*max = 1;
	} else if (n->row->min != 0 || n->row->max != 0) {
		*min = n->row->min;
		*max = n->row->max;
	} else if (n->row->type == SYSCTL_U64) {
		*max = UINT64_MAX;
	}
}

static int
node_get(const struct node *n, struct sysctl_ctx *ctx, struct sysctl_value *v)
{
	const uint32_t *p;

	*v = (struct sysctl_value){ 0 };
	if (n->tunable != NULL) {
		v->num = n->tunable->vnet_get != NULL
		             ? n->tunable->vnet_get(ctx->vnet)
		             : n->tunable->get(ctx->net);
		return 0;
	}
	if (n->bridge != NULL) {
		v->num = bridge_tunable_get(ctx->vnet, n->bridge_tunable);
		return 0;
	}
	if (n->row->get == NULL) {
		p = (const uint32_t *)(const void *)((const char *)ctx->net +
		                                     n->row->offset);
		v->num = *p;
		return 0;
	}
	ctx->child = n->child[0] != '\0' ? n->child : NULL;
	ctx->arg = n->row->arg;
	return n->row->get(ctx, v);
}

static int
node_set(
    const struct node *n, struct sysctl_ctx *ctx, const struct sysctl_value *v)
{
	if (n->tunable != NULL && n->tunable->vnet_set != NULL)
		return n->tunable->vnet_set(ctx->vnet, v->num);
	if (n->tunable != NULL)
		return n->tunable->set(ctx->net, v->num);
	if (n->bridge != NULL)
		return bridge_tunable_set(
		    ctx->vnet, n->bridge_tunable, (uint32_t)v->num);
	if (n->row->set == NULL) {
		*(uint32_t *)(void *)((char *)ctx->net + n->row->offset) =
		    (uint32_t)v->num;
		return 0;
	}
	ctx->child = n->child[0] != '\0' ? n->child : NULL;
	ctx->arg = n->row->arg;
	return n->row->set(ctx, v);
}

/* Does setting it change anything outside of the net? */
static bool
node_outside(const struct node *n)
{
	return n->row != NULL && n->row->set != NULL &&
	       (n->row->flags & SYSCTL_NET) == 0;
}

static const char *
type_name(enum sysctl_type type)
{
	switch (type) {
	case SYSCTL_INT:
	case SYSCTL_BOOL:
		return "integer";
	case SYSCTL_U64:
		return "uint64_t";
	case SYSCTL_STRING:
		return "string";
	}
	return "integer";
}

static json_t *
value_json(const struct node *n, const struct sysctl_value *v, bool hex)
{
	char text[24];

	if (v->text != NULL)
		return json_string(v->text); /* lines of the daemon's own */
	if (node_type(n) == SYSCTL_STRING)
		return info_json_text(v->str);
	if (!hex)
		return json_integer((json_int_t)v->num);
	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)v->num);
	return json_string(text);
}

/* What is written in the words of a BOOL. */
static bool
bool_word(const char *s, uint64_t *num)
{
	static const char *const words[][2] = { { "false", "true" },
		{ "off", "on" }, { "no", "yes" } };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		for (uint64_t b = 0; b < 2; b++)
			if (strcasecmp(s, words[i][b]) == 0) {
				*num = b;
				return true;
			}
	return false;
}

/* 0, -EINVAL (not a value of the type), -ERANGE. */
static int
value_parse(const struct node *n, const char *s, struct sysctl_value *v)
{
	uint64_t min, max;
	int err;

	node_range(n, &min, &max);
	*v = (struct sysctl_value){ 0 };
	if (node_type(n) == SYSCTL_STRING) {
		size_t len = strlen(s);

		if (n->row->min == 0 && n->row->max == 0)
			max = sizeof(v->str) - 1;
		if (len < min || len > max || len >= sizeof(v->str))
			return -ERANGE;
		memcpy(v->str, s, len + 1);
		return 0;
	}
	if (node_type(n) == SYSCTL_BOOL && bool_word(s, &v->num))
		return 0;
	err = str_u64(s, 0, min, max, &v->num);
	/* "-1" is a number, if one out of range. */
	if (err == -EINVAL && s[0] == '-' &&
	    str_u64(s + 1, 0, 0, UINT64_MAX, &v->num) == 0)
		return -ERANGE;
	return err;
}

/* The command line. */

struct command {
	const struct sysctl_request *request;
	struct sysctl_ctx ctx;
	struct nodes nodes;
	json_t *out;
	long warnings;
	bool all, about, equal, ignore, name_only, value_only, quiet, type;
	bool writable, tunable, hex;
};

static void COAX_PRINTF(2, 3) warning(struct command *c, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->warnings++;
	json_array_append_new(c->out, json_pack("{s:s,s:o}", "part", "warning",
	                                  "text", info_json_text(text)));
}

static json_t *
usage(struct command *c)
{
	json_array_append_new(c->out,
	    json_pack("{s:s,s:s}", "part", "usage", "text", usage_text));
	c->warnings = 1;
	return c->out;
}

/* The part that shows @n, or NULL when it has no value to show. */
static json_t *
node_part(struct command *c, const struct node *n)
{
	bool shown = !c->name_only && !c->about && !c->type;
	struct sysctl_value v = { 0 };
	json_t *part;

	/* What is hidden from -a may have a cost: not unless it is wanted. */
	if ((shown || n->row == NULL || (n->row->flags & SYSCTL_HIDE) == 0) &&
	    node_get(n, &c->ctx, &v) != 0)
		return NULL;
	part = json_pack("{s:s,s:s,s:s,s:o,s:s,s:s}", "part", "sysctl", "name",
	    n->name, "type", type_name(node_type(n)), "value",
	    value_json(n, &v, c->hex), "show",
	    c->name_only ? "name"
	    : c->about   ? "description"
	    : c->type    ? "type"
	                 : "both",
	    "separator", c->equal ? "=" : ": ");
	if (v.text != NULL)
		json_object_set_new(part, "lines", json_true());
	free(v.text);
	json_object_set_new(part, "description", json_string(node_about(n)));
	if (c->value_only)
		json_object_set_new(part, "bare", json_true());
	return part;
}

static void
show_node(struct command *c, const struct node *n)
{
	json_t *part;

	/* -T: loader tunables, of which there are none. */
	if (c->tunable || (c->writable && !node_writable(n)))
		return;
	part = node_part(c, n);
	if (part != NULL)
		json_array_append_new(c->out, part);
}

/* Everything below @name ("" is the root). Return: how many there are. */
static size_t
show_tree(struct command *c, const char *name)
{
	size_t len = strlen(name), shown = 0;

	while (len > 0 && name[len - 1] == '.')
		len--;
	for (size_t i = 0; i < c->nodes.count; i++) {
		const struct node *n = &c->nodes.list[i];

		if (len > 0 &&
		    (strncmp(n->name, name, len) != 0 || n->name[len] != '.'))
			continue;
		shown++;
		if (len > 0 || n->row == NULL ||
		    (n->row->flags & SYSCTL_HIDE) == 0)
			show_node(c, n);
	}
	return shown;
}

static const struct node *
node_find(const struct nodes *nodes, const char *name)
{
	for (size_t i = 0; i < nodes->count; i++)
		if (strcmp(nodes->list[i].name, name) == 0)
			return &nodes->list[i];
	return NULL;
}

static bool
is_node(const struct nodes *nodes, const char *name)
{
	size_t len = strlen(name);

	while (len > 0 && name[len - 1] == '.')
		len--;
	for (size_t i = 0; len > 0 && i < nodes->count; i++)
		if (strncmp(nodes->list[i].name, name, len) == 0 &&
		    nodes->list[i].name[len] == '.')
			return true;
	return false;
}

/* May this asker set it? */
static int
set_allowed(const struct sysctl_request *r, const struct node *n)
{
	return r->read_only || (!r->home && !node_of_vnet(n)) ? -EPERM : 0;
}

static void
set_node(
    struct command *c, const struct node *n, const char *word, const char *text)
{
	json_t *part, *shown;
	struct sysctl_value v;
	int err;

	if (!node_writable(n)) {
		warning(c, "oid '%s' is read only", n->name);
		return;
	}
	if (node_type(n) != SYSCTL_STRING && text[0] == '\0') {
		warning(c, "empty numeric value");
		return;
	}
	err = value_parse(n, text, &v);
	if (err == -EINVAL) {
		warning(
		    c, "invalid %s '%.128s'", type_name(node_type(n)), text);
		return;
	}
	if (err == -ERANGE)
		err = -EINVAL; /* what the kernel says of it */
	part = node_part(c, n);
	if (err == 0)
		err = set_allowed(c->request, n);
	if (err == 0)
		err = node_set(n, &c->ctx, &v);
	if (err != 0) {
		if (part != NULL)
			json_array_append_new(c->out, part);
		warning(c, "%.200s: %s", word, bsd_strerror(err));
		return;
	}
	shown = node_part(c, n);
	if (part != NULL && shown != NULL)
		json_object_set(shown, "old", json_object_get(part, "value"));
	json_decref(part);
	if (shown != NULL)
		json_array_append_new(c->out, shown);
}

/* NAME, NAME=VALUE or NAME:VALUE. */
static void
do_word(struct command *c, const char *word)
{
	char name[NAME_MAX_LEN];
	size_t len = strcspn(word, "=:");
	const char *value = word[len] != '\0' ? word + len + 1 : NULL;
	const struct node *n;
	char quoted[SYSCTL_STRING_MAX];

	while (len > 0 && (word[len - 1] == ' ' || word[len - 1] == '\t'))
		len--;
	snprintf(name, sizeof(name), "%.*s",
	    (int)COAX_MIN(len, sizeof(name) - 1), word);
	n = node_find(&c->nodes, name);
	if (len >= sizeof(name))
		n = NULL;
	if (n == NULL && !is_node(&c->nodes, name)) {
		if (c->ignore)
			return;
		if (c->quiet)
			c->warnings++;
		else
			warning(c, "unknown oid '%s'", name);
		return;
	}
	if (value == NULL || c->about) {
		if (n != NULL)
			show_node(c, n);
		else
			show_tree(c, name);
		return;
	}
	if (n == NULL) {
		warning(c, "oid '%s' isn't a leaf node", name);
		return;
	}
	while (*value == ' ' || *value == '\t')
		value++;
	/* A pair of quotes around it goes. */
	len = strlen(value);
	if ((value[0] == '"' || value[0] == '\'') && len >= 2 &&
	    len - 2 < sizeof(quoted) && value[len - 1] == value[0]) {
		memcpy(quoted, value + 1, len - 2);
		quoted[len - 2] = '\0';
		value = quoted;
	}
	set_node(c, n, word, value);
}

/* Leading options; index of the first word after them, or -1 (usage). */
static int
do_options(struct command *c, const char **vnet)
{
	const struct sysctl_request *r = c->request;
	uint32_t at = 0;

	while (
	    at < r->argc && r->argv[at][0] == '-' && r->argv[at][1] != '\0') {
		const char *s = r->argv[at++] + 1;

		if (strcmp(s, "-") == 0)
			break;
		for (; *s != '\0'; s++) {
			switch (*s) {
			case 'A':
			case 'a':
				c->all = true;
				break;
			case 'X':
				c->all = c->hex = true;
				break;
			case 'd':
				c->about = true;
				break;
			case 'e':
				c->equal = true;
				break;
			case 'i':
				c->ignore = true;
				break;
			case 'N':
				c->name_only = true;
				break;
			case 'n':
				c->value_only = true;
				break;
			case 'q':
				c->quiet = true;
				break;
			case 't':
				c->type = true;
				break;
			case 'T':
				c->tunable = true;
				break;
			case 'W':
				c->writable = true;
				break;
			case 'x':
				c->hex = true;
				break;
			case 'h':
			case 'o':
			case 'w':
				break;
			case 'j':
				if (s[1] != '\0')
					*vnet = s + 1;
				else if (at < r->argc)
					*vnet = r->argv[at++];
				else
					return -1;
				s += strlen(s) - 1;
				break;
			default:
				return -1;
			}
		}
	}
	return (int)at;
}

static json_t *
run_line(struct command *c)
{
	const struct sysctl_request *r = c->request;
	const char *vnet = NULL;
	int at = do_options(c, &vnet);

	if (at < 0 || (c->name_only && c->value_only))
		return usage(c);
	if (vnet != NULL && strcmp(vnet, c->ctx.vnet->name) != 0) {
		if (!r->home) {
			warning(c, "cannot attach to jail: %s",
			    bsd_strerror(EPERM));
			return c->out;
		}
		c->ctx.vnet = net_vnet_named(r->net, vnet);
		if (c->ctx.vnet == NULL) {
			warning(c, "jail \"%.64s\" not found", vnet);
			return c->out;
		}
	}
	if (!c->all && (uint32_t)at == r->argc)
		return usage(c);
	if (nodes_make(&c->nodes, &c->ctx, r->tree) != 0)
		return NULL;
	if (c->all && (uint32_t)at == r->argc)
		show_tree(c, "");
	for (uint32_t i = (uint32_t)at; i < r->argc; i++) {
		if ((c->tunable || c->writable) &&
		    strpbrk(r->argv[i], "=:") != NULL) {
			warning(c, "Can't set variables when using -T or -W");
			return usage(c);
		}
		do_word(c, r->argv[i]);
	}
	return c->out;
}

json_t *
sysctl_run(const struct sysctl_request *r)
{
	struct command c = {
		.request = r,
		.ctx = { .net = r->net,
		    .vnet = r->vnet != NULL ? r->vnet : r->net->home,
		    .user = r->tree != NULL ? r->tree->user : NULL },
		.out = json_array(),
	};
	json_t *out = c.out != NULL ? run_line(&c) : NULL;

	free(c.nodes.list);
	if (out == NULL) {
		json_decref(c.out);
		return NULL;
	}
	return json_pack(
	    "{s:o,s:i}", "out", out, "exit", (int)COAX_MIN(c.warnings, 255));
}

int
sysctl_get(const struct sysctl_request *r, const char *name, json_t **value)
{
	struct sysctl_ctx ctx = { .net = r->net,
		.vnet = r->vnet != NULL ? r->vnet : r->net->home,
		.user = r->tree != NULL ? r->tree->user : NULL };
	struct sysctl_value v;
	const struct node *n;
	struct nodes nodes;
	int err = nodes_make(&nodes, &ctx, r->tree);

	if (err != 0)
		return err;
	n = node_find(&nodes, name);
	err = n != NULL ? node_get(n, &ctx, &v) : -ENOENT;
	if (err == 0)
		*value = node_type(n) == SYSCTL_BOOL ? json_boolean(v.num)
		                                     : value_json(n, &v, false);
	if (err == 0)
		free(v.text);
	free(nodes.list);
	return err;
}

/* Finds @name and reads @value for it, to be set. */
static int
set_prepare(const struct sysctl_request *r, const struct nodes *nodes,
    const char *name, const char *value, const struct node **n,
    struct sysctl_value *v)
{
	int err;

	*n = node_find(nodes, name);
	if (*n == NULL)
		return -ENOENT;
	if (!node_writable(*n))
		return -EPERM;
	err = value_parse(*n, value, v);
	if (err != 0)
		return -EINVAL;
	return set_allowed(r, *n);
}

int
sysctl_set(const struct sysctl_request *r, const char *name, const char *value)
{
	struct sysctl_ctx ctx = { .net = r->net,
		.vnet = r->vnet != NULL ? r->vnet : r->net->home,
		.user = r->tree != NULL ? r->tree->user : NULL };
	struct sysctl_value v;
	const struct node *n;
	struct nodes nodes;
	int err = nodes_make(&nodes, &ctx, r->tree);

	if (err != 0)
		return err;
	err = set_prepare(r, &nodes, name, value, &n, &v);
	if (err == 0 && !(r->trial && node_outside(n)))
		err = node_set(n, &ctx, &v);
	free(nodes.list);
	return err;
}

int
sysctl_is(const struct sysctl_request *r, const char *name, const char *value)
{
	struct sysctl_ctx ctx = { .net = r->net,
		.vnet = r->vnet != NULL ? r->vnet : r->net->home,
		.user = r->tree != NULL ? r->tree->user : NULL };
	struct sysctl_value v, now;
	const struct node *n;
	struct nodes nodes;
	int err = nodes_make(&nodes, &ctx, r->tree);

	if (err != 0)
		return err;
	err = set_prepare(r, &nodes, name, value, &n, &v);
	if (err == 0)
		err = node_get(n, &ctx, &now);
	if (err == 0)
		err = v.num == now.num && strcmp(v.str, now.str) == 0;
	free(nodes.list);
	return err;
}

int
sysctl_each(const struct sysctl_request *r,
    void (*each)(void *arg, const char *name, const char *value, bool of_vnet),
    void *arg)
{
	struct sysctl_ctx ctx = { .net = r->net,
		.vnet = r->vnet != NULL ? r->vnet : r->net->home,
		.user = r->tree != NULL ? r->tree->user : NULL };
	struct sysctl_value v;
	struct nodes nodes;
	char text[24];
	int err = nodes_make(&nodes, &ctx, r->tree);

	if (err != 0)
		return err;
	for (size_t i = 0; i < nodes.count; i++) {
		const struct node *n = &nodes.list[i];

		if (!node_writable(n) || n->child[0] != '\0' ||
		    node_get(n, &ctx, &v) != 0)
			continue;
		snprintf(text, sizeof(text), "%llu", (unsigned long long)v.num);
		each(arg, n->name, node_type(n) == SYSCTL_STRING ? v.str : text,
		    node_of_vnet(n));
	}
	free(nodes.list);
	return 0;
}

/* control's own rows. */

static int
get_one(const struct sysctl_ctx *ctx, struct sysctl_value *v)
{
	(void)ctx;
	v->num = 1;
	return 0;
}

static int
get_version(const struct sysctl_ctx *ctx, struct sysctl_value *v)
{
	(void)ctx;
	return str_copy(v->str, sizeof(v->str), control_version());
}

static int
get_interfaces(const struct sysctl_ctx *ctx, struct sysctl_value *v)
{
	v->num = ctx->net->iface_count;
	return 0;
}

static int
get_vnets(const struct sysctl_ctx *ctx, struct sysctl_value *v)
{
	struct vnet *vnet;

	TAILQ_FOREACH (vnet, &ctx->net->vnets, link)
		v->num++;
	return 0;
}

#define POOL_GET(field)                                           \
	static int get_##field(                                   \
	    const struct sysctl_ctx *ctx, struct sysctl_value *v) \
	{                                                         \
		struct frame_pool_stats s;                        \
                                                                  \
		frame_pool_stats(ctx->net->pool, &s);             \
		v->num = s.field;                                 \
		return 0;                                         \
	}
POOL_GET(small_total)
POOL_GET(small_free)
POOL_GET(large_total)
POOL_GET(large_free)
POOL_GET(failures)
#undef POOL_GET

/* The address of each tap, as NetBSD's net.link.tap.tapN. */
static bool
list_taps(const struct sysctl_ctx *ctx, uint32_t i, char name[IFACE_NAME_MAX])
{
	const struct iface *ifp;

	TAILQ_FOREACH (ifp, &ctx->net->ifaces, all_link)
		if (strcmp(ifp->ops->kind, "tap") == 0 &&
		    net_iface_visible(ifp, ctx->vnet) && i-- == 0) {
			memcpy(name, ifp->name, IFACE_NAME_MAX);
			return true;
		}
	return false;
}

static int
get_tap(const struct sysctl_ctx *ctx, struct sysctl_value *v)
{
	const struct iface *ifp =
	    net_iface_find(ctx->net, ctx->vnet, ctx->child);

	if (ifp == NULL)
		return -ENOENT;
	ether_format(ifp->mac, v->str);
	return 0;
}

static int
set_tap(const struct sysctl_ctx *ctx, const struct sysctl_value *v)
{
	struct iface *ifp = net_iface_find(ctx->net, ctx->vnet, ctx->child);
	uint8_t mac[ETH_ADDR_LEN];

	if (ifp == NULL)
		return -ENOENT;
	if (ether_parse(v->str, mac) != 0)
		return -EINVAL;
	return iface_set_lladdr(ifp, mac);
}

/* clang-format off */
const struct sysctl_row sysctl_control_rows[] = {
	{ .name = "coax.interfaces", .type = SYSCTL_INT,
	    .get = get_interfaces, .about = "Interfaces of the daemon" },
	{ .name = "coax.pool.failures", .type = SYSCTL_U64,
	    .get = get_failures,
	    .about = "Frames that were wanted when the pool was empty" },
	{ .name = "coax.pool.large_free", .type = SYSCTL_INT,
	    .get = get_large_free, .about = "Free frames of the large class" },
	{ .name = "coax.pool.large_total", .type = SYSCTL_INT,
	    .get = get_large_total, .about = "Frames of the large class" },
	{ .name = "coax.pool.small_free", .type = SYSCTL_INT,
	    .get = get_small_free, .about = "Free frames of the small class" },
	{ .name = "coax.pool.small_total", .type = SYSCTL_INT,
	    .get = get_small_total, .about = "Frames of the small class" },
	{ .name = "coax.version", .type = SYSCTL_STRING, .get = get_version,
	    .about = "Version of the program" },
	{ .name = "coax.vnets", .type = SYSCTL_INT, .get = get_vnets,
	    .about = "Vnets, with the daemon's own" },
	{ .name = "kern.features.vimage", .type = SYSCTL_INT, .get = get_one,
	    .about = "There are vnets" },
	{ .name = "net.link.host_attach", .type = SYSCTL_BOOL,
	    .flags = SYSCTL_RW, .offset = offsetof(struct net, host_attach),
	    .about = "New interfaces get a netdev of the same name" },
	{ .name = "net.link.host_dhcp_wait", .type = SYSCTL_INT,
	    .flags = SYSCTL_RW, .max = 3600,
	    .offset = offsetof(struct net, host_dhcp_wait_s),
	    .about = "Seconds that SYNCDHCP waits for an address at most" },
	{ .name = "net.link.host_retrans", .type = SYSCTL_INT,
	    .flags = SYSCTL_RW, .max = 60000,
	    .offset = offsetof(struct net, host_retrans_ms),
	    .about = "Milliseconds between ARP requests of new netdevs; "
	             "0: the kernel's" },
#define USER_LIMIT(limit, text) \
	{ .name = "security.user." #limit, .type = SYSCTL_INT, \
	    .flags = SYSCTL_RW, \
	    .offset = offsetof(struct net, user_limits.limit), .about = (text) }
	USER_LIMIT(ports, "Interfaces, and vnets, that a user may have; 0: any"),
	USER_LIMIT(addresses, "Addresses learned behind a user's; 0: any"),
	USER_LIMIT(requests, "Requests a second of a user; 0: as everybody"),
	USER_LIMIT(queues_kib,
	    "KiB that may wait in a user's queues, when opened; 0: any"),
#undef USER_LIMIT
	{ .name = "net.link.tap.", .type = SYSCTL_STRING,
	    .flags = SYSCTL_RW | SYSCTL_VNET | SYSCTL_NET, .min = 11, .max = 17,
	    .list = list_taps, .get = get_tap, .set = set_tap,
	    .about = "Ethernet address of the tap" },
	{ .name = NULL },
};
/* clang-format on */
