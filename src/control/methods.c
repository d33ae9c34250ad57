/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handlers of the methods in methods.h, and their table at the end.
 *
 * A command (ifconfig, and what is one in disguise: iface.create,
 * iface.destroy) is a struct command from its start to its answer; the others
 * answer at once, but for vnet.destroy, which waits for the system.
 */
#include "control/methods.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "bridge/bridge.h"
#include "control/bsderr.h"
#include "control/ifconfig.h"
#include "control/info_json.h"
#include "control/ipfw.h"
#include "frame/frame.h"
#include "net/keyword.h"

#define ADDRESSES_AT_ONCE 4096 /* without pages */

static const struct sysctl_row *const own_tables[] = { sysctl_control_rows,
	sysctl_pfil_rows, NULL };
static const struct sysctl_tree own_tree = { .tables = own_tables };
static const struct sysctl_tree *sysctl_tree = &own_tree;

void
control_set_sysctl_tree(const struct sysctl_tree *tree)
{
	sysctl_tree = tree;
}

const struct sysctl_tree *
control_sysctl_tree(void)
{
	return sysctl_tree;
}

const char *
control_version(void)
{
	return COAX_VERSION;
}

static void
no_memory(struct rpc_call *call)
{
	rpc_fail(call, RPC_FAILED, bsd_strerror(ENOMEM),
	    rpc_error_data(ENOMEM, NULL));
}

struct iface *
control_param_iface(struct rpc_call *call)
{
	const char *name = rpc_param_str(call, "name");
	struct iface *ifp = net_iface_find(call->net, call->vnet, name);

	/* Only from home does NAME@VNET mean something. */
	if (ifp == NULL || (strchr(name, '@') != NULL && !call->home)) {
		char message[128];

		snprintf(message, sizeof(message),
		    "interface %.64s does not exist", name);
		rpc_fail(
		    call, RPC_FAILED, message, rpc_error_data(ENXIO, NULL));
		return NULL;
	}
	return ifp;
}

static void
do_ping(struct rpc_call *call)
{
	rpc_reply(call, json_string("pong"));
}

/* rpc.methods */

static const char *
type_name(enum rpc_type type)
{
	switch (type) {
	case RPC_TYPE_END:
		break;
	case RPC_STRING:
		return "string";
	case RPC_STRING_OR_NULL:
		return "string or null";
	case RPC_INTEGER:
		return "integer";
	case RPC_BOOLEAN:
		return "boolean";
	case RPC_STRINGS:
		return "array of strings";
	case RPC_OBJECT:
		return "object";
	}
	return "";
}

static void
do_methods(struct rpc_call *call)
{
	const struct rpc_method *const *t = rpc_server_tables(call->server);
	json_t *list = json_array();

	for (; *t != NULL; t++)
		for (const struct rpc_method *m = *t; m->name != NULL; m++) {
			json_t *params = json_array();

			for (const struct rpc_param *p = m->params;
			     p->name != NULL; p++)
				json_array_append_new(params,
				    json_pack("{s:s,s:s,s:b,s:s}", "name",
				        p->name, "type", type_name(p->type),
				        "optional", p->optional, "about",
				        p->about != NULL ? p->about : ""));
			json_array_append_new(
			    list, json_pack("{s:s,s:s,s:b,s:o}", "name",
			              m->name, "about", m->about, "read_only",
			              (m->flags & RPC_READ_ONLY) != 0, "params",
			              params));
		}
	rpc_reply(call, list);
}

/* Commands. */

struct command {
	struct rpc_call *call;
	struct ifconfig_run *run;
	/* Answers a run that went well. */
	void (*answer)(struct rpc_call *call, const struct ifconfig_run *run);
};

static void
command_end(struct ifconfig_run *run, void *arg)
{
	struct command *c = arg;
	json_t *error = ifconfig_error(run), *data;

	if (error == NULL) {
		c->answer(c->call, run);
	} else {
		data = json_incref(json_object_get(error, "data"));
		rpc_fail(c->call, RPC_FAILED,
		    json_string_value(json_object_get(error, "message")), data);
		json_decref(error);
	}
	ifconfig_free(run);
	free(c);
}

static void
command_background(struct ifconfig_run *run, void *arg)
{
	struct command *c = arg;

	(void)run;
	rpc_call_overlap(c->call);
}

static void
command_abandon(struct rpc_call *call)
{
	struct command *c = call->state;

	ifconfig_free(c->run);
	free(c);
}

static void
command_start(struct rpc_call *call, const char *const *argv, uint32_t argc,
    void (*answer)(struct rpc_call *call, const struct ifconfig_run *run))
{
	struct command *c = calloc(1, sizeof(*c));
	struct ifconfig_request request = {
		.net = call->net,
		.vnet = call->vnet,
		.home = call->home,
		.read_only = call->read_only,
		.argc = argc,
		.argv = argv,
		.cause = call->cause,
		.paged = json_object_get(call->params, "after") != NULL,
		.after = (uint32_t)rpc_param_int(call, "after", 0),
		.done = command_end,
		.destroying = command_background,
		.arg = c,
	};
	int err;

	if (c == NULL) {
		no_memory(call);
		return;
	}
	c->call = call;
	c->answer = answer;
	err = ifconfig_start(&request, &c->run);
	if (err == -EINPROGRESS) {
		call->state = c;
		call->abandon = command_abandon;
	} else if (err == 0) {
		command_end(c->run, c);
	} else {
		free(c);
		no_memory(call);
	}
}

/* The words of a parameter after @before; NULL: answered. Freed by the caller
 * (the array alone). */
static const char **
words_of(
    struct rpc_call *call, const char *name, uint32_t before, uint32_t *argc)
{
	const json_t *list = json_object_get(call->params, name);
	size_t n = json_array_size(list);
	const char **argv;

	if (n > IFCONFIG_WORDS_MAX) {
		rpc_fail(call, RPC_FAILED, bsd_strerror(E2BIG),
		    rpc_error_data(E2BIG, NULL));
		return NULL;
	}
	argv = calloc(before + n + 1, sizeof(*argv));
	if (argv == NULL) {
		no_memory(call);
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		argv[before + i] = json_string_value(json_array_get(list, i));
	*argc = before + (uint32_t)n;
	return argv;
}

static void
answer_out(struct rpc_call *call, const struct ifconfig_run *run)
{
	json_t *o = json_pack("{s:o}", "out", ifconfig_out(run));

	if (ifconfig_next(run) != 0)
		json_object_set_new(
		    o, "next", json_integer(ifconfig_next(run)));
	rpc_reply(call, o);
}

static void
do_ifconfig(struct rpc_call *call)
{
	const char **argv;
	uint32_t argc;

	argv = words_of(call, "argv", 0, &argc);
	if (argv == NULL)
		return;
	command_start(call, argv, argc, answer_out);
	free(argv);
}

static void
answer_iface(struct rpc_call *call, const struct ifconfig_run *run)
{
	const struct iface *ifp = ifconfig_iface(run);

	/* A word of the line may have ended it. */
	rpc_reply(call,
	    ifp != NULL ? control_iface_json(ifp, ifp->vnet) : json_null());
}

static void
answer_null(struct rpc_call *call, const struct ifconfig_run *run)
{
	(void)run;
	rpc_reply(call, json_null());
}

static void
do_iface_create(struct rpc_call *call)
{
	const char *name = rpc_param_str(call, "name");
	const char **argv;
	uint32_t argc;

	if (name[0] == '-' || name[0] == '\0') {
		rpc_fail_param(call, "name", "not a name");
		return;
	}
	if (net_iface_find(call->net, call->vnet, name) != NULL) {
		char message[128];

		snprintf(message, sizeof(message),
		    "interface %.64s already exists", name);
		rpc_fail(
		    call, RPC_FAILED, message, rpc_error_data(EEXIST, NULL));
		return;
	}
	argv = words_of(call, "args", 2, &argc);
	if (argv == NULL)
		return;
	argv[0] = name;
	argv[1] = "create";
	command_start(call, argv, argc, answer_iface);
	free(argv);
}

static void
do_iface_destroy(struct rpc_call *call)
{
	const char *argv[] = { rpc_param_str(call, "name"), "destroy" };

	if (argv[0][0] == '-' || argv[0][0] == '\0') {
		rpc_fail_param(call, "name", "not a name");
		return;
	}
	command_start(call, argv, 2, answer_null);
}

static void
do_sysctl(struct rpc_call *call)
{
	struct sysctl_request request = {
		.net = call->net,
		.vnet = call->vnet,
		.tree = sysctl_tree,
		.home = call->home,
		/* What one sets, all have. */
		.read_only = call->read_only || !net_is_admin(call->net),
	};
	const char **argv = words_of(call, "argv", 0, &request.argc);
	json_t *result;

	if (argv == NULL)
		return;
	request.argv = argv;
	result = sysctl_run(&request);
	free(argv);
	if (result == NULL)
		no_memory(call);
	else
		rpc_reply(call, result);
}

/* Interfaces. */

static void
do_iface_list(struct rpc_call *call)
{
	const char *group = rpc_param_str(call, "group");
	const struct iface *ifp;
	json_t *list = json_array();

	TAILQ_FOREACH (ifp, &call->net->ifaces, all_link)
		if (net_iface_visible(ifp, call->vnet) &&
		    (group == NULL || iface_group_has(ifp, group)))
			json_array_append_new(
			    list, control_iface_json(ifp, call->vnet));
	rpc_reply(call, list);
}

static void
do_iface_get(struct rpc_call *call)
{
	const struct iface *ifp = control_param_iface(call);

	if (ifp != NULL)
		rpc_reply(call, control_iface_json(ifp, call->vnet));
}

/* The parameter's interface, if it is a bridge. NULL: answered. */
static struct iface *
param_bridge(struct rpc_call *call)
{
	struct iface *ifp = control_param_iface(call);

	if (ifp != NULL && strcmp(ifp->ops->kind, "bridge") != 0) {
		(void)net_error(
		    call->net, -EINVAL, "%s is not a bridge", ifp->name);
		rpc_fail_errno(call, -EINVAL, "%s", ifp->name);
		return NULL;
	}
	return ifp;
}

static void
do_bridge_get(struct rpc_call *call)
{
	const struct iface *ifp = param_bridge(call);

	if (ifp != NULL)
		rpc_reply(call, control_iface_json(ifp, call->vnet));
}

/* One page, as an object. NULL: memory is out. */
static json_t *
addresses_page(const struct iface *ifp, struct bridge_addresses *page)
{
	json_t *o = json_object();
	struct info_json j;

	info_json_init(&j, o);
	if (bridge_addresses(ifp, page, &j.info) == 0 && info_json_ok(&j))
		return o;
	json_decref(o);
	return NULL;
}

/* All of a small table, as an array. */
static void
addresses_all(struct rpc_call *call, const struct iface *ifp,
    struct bridge_addresses *page)
{
	json_t *all = json_array(), *o;

	do {
		o = addresses_page(ifp, page);
		if (o == NULL || json_array_extend(all,
		                     json_object_get(o, "addresses")) < 0) {
			json_decref(o);
			json_decref(all);
			no_memory(call);
			return;
		}
		json_decref(o);
		page->continued = true;
		page->after = page->next;
	} while (page->more && json_array_size(all) < ADDRESSES_AT_ONCE);
	if (!page->more) {
		rpc_reply(call, all);
		return;
	}
	json_decref(all);
	rpc_fail(call, RPC_FAILED,
	    "there are more than 4096 addresses: ask for pages (max, after)",
	    rpc_error_data(EMSGSIZE, NULL));
}

/* A piece of a long table, as it lies there. */
static void
addresses_scan(struct rpc_call *call, const struct iface *ifp)
{
	struct bridge_scan scan = {
		.max =
		    (uint32_t)rpc_param_int(call, "max", BRIDGE_ADDRESSES_FEW),
		.only_static = rpc_param_bool(call, "static", false),
	};
	json_t *o = json_object();
	struct info_json j;

	info_json_init(&j, o);
	if (str_copy(scan.cursor, sizeof(scan.cursor),
	        rpc_param_str(call, "cursor")) < 0 ||
	    bridge_scan_addresses(ifp, &scan, &j.info) < 0) {
		json_decref(o);
		rpc_fail(call, RPC_INVALID_PARAMS,
		    "cursor: not one that this method has given", NULL);
	} else if (info_json_ok(&j)) {
		rpc_reply(call, o);
	} else {
		json_decref(o);
		no_memory(call);
	}
}

static void
do_bridge_addresses(struct rpc_call *call)
{
	struct bridge_addresses page = {
		.max =
		    (uint32_t)rpc_param_int(call, "max", BRIDGE_ADDRESSES_MAX),
		.only_static = rpc_param_bool(call, "static", false),
		.continued = json_object_get(call->params, "after") != NULL,
		.after = (uint32_t)rpc_param_int(call, "after", 0),
	};
	const struct iface *ifp = param_bridge(call);
	json_t *o;

	if (ifp == NULL)
		return;
	if (json_object_get(call->params, "cursor") != NULL) {
		addresses_scan(call, ifp);
		return;
	}
	if (!page.continued && json_object_get(call->params, "max") == NULL) {
		addresses_all(call, ifp, &page);
		return;
	}
	o = addresses_page(ifp, &page);
	if (o != NULL)
		rpc_reply(call, o);
	else
		no_memory(call);
}

/* drops */

struct drop {
	const struct iface *ifp;
	enum drop_reason reason;
	uint64_t count;
};

static int
drop_compare(const void *pa, const void *pb)
{
	const struct drop *a = pa, *b = pb;

	if (a->count != b->count)
		return a->count < b->count ? 1 : -1;
	if (a->ifp != b->ifp)
		return a->ifp->index < b->ifp->index ? -1 : 1;
	return (int)a->reason - (int)b->reason;
}

/* Appends @ifp's drops; false when memory ends. */
static bool
drops_add(struct iface *ifp, struct drop **list, size_t *count)
{
	const struct net_system *sys = &ifp->net->system;
	struct drop *grown;

	if (ifp->host != NULL && sys->host_refresh != NULL)
		sys->host_refresh(sys->arg, ifp);
	for (int r = 0; r < DROP_COUNT; r++) {
		if (ifp->count.drops[r] == 0)
			continue;
		grown = reallocarray(*list, *count + 1, sizeof(*grown));
		if (grown == NULL)
			return false;
		grown[(*count)++] = (struct drop){ .ifp = ifp,
			.reason = (enum drop_reason)r,
			.count = ifp->count.drops[r] };
		*list = grown;
	}
	return true;
}

static void
do_drops(struct rpc_call *call)
{
	struct drop *list = NULL;
	size_t count = 0;
	struct iface *ifp;
	json_t *out;
	bool ok = true;

	if (rpc_param_str(call, "name") != NULL) {
		ifp = control_param_iface(call);
		if (ifp == NULL)
			return;
		ok = drops_add(ifp, &list, &count);
	} else {
		TAILQ_FOREACH (ifp, &call->net->ifaces, all_link)
			if (ok && net_iface_visible(ifp, call->vnet))
				ok = drops_add(ifp, &list, &count);
	}
	if (!ok) {
		free(list);
		no_memory(call);
		return;
	}
	if (count > 0)
		qsort(list, count, sizeof(*list), drop_compare);
	out = json_array();
	for (size_t i = 0; i < count; i++) {
		const struct drop_info *info = drop_info(list[i].reason);

		json_array_append_new(
		    out, json_pack("{s:s,s:s,s:I,s:s}", "iface",
		             list[i].ifp->name, "reason", info->name, "count",
		             (json_int_t)list[i].count, "text", info->text));
	}
	free(list);
	rpc_reply(call, json_pack("{s:o}", "drops", out));
}

/* vnets */

static json_t *
vnet_json(const struct net *net, const struct vnet *vnet)
{
	json_int_t interfaces = 0, hosts = 0;
	const struct iface *ifp;
	struct info_json j;
	json_t *o;

	TAILQ_FOREACH (ifp, &net->ifaces, all_link) {
		interfaces += ifp->vnet == vnet;
		hosts += ifp->host != NULL && ifp->host->vnet == vnet;
	}
	o = json_pack("{s:s,s:I,s:b,s:I,s:I,s:I}", "name", vnet->name, "id",
	    (json_int_t)vnet->id, "adopted", vnet->adopted, "interfaces",
	    interfaces, "hosts", hosts, "created_ns",
	    (json_int_t)vnet->created_ns);
	if (o != NULL && net->system.vnet_get != NULL) {
		info_json_init(&j, o);
		net->system.vnet_get(net->system.arg, vnet, &j.info);
	}
	return o;
}

/* Outside home there is one: the own. */
static void
do_vnet_list(struct rpc_call *call)
{
	const struct vnet *vnet;
	json_t *list = json_array();

	TAILQ_FOREACH (vnet, &call->net->vnets, link)
		if ((call->home || vnet == call->vnet) &&
		    net_vnet_mine(call->net, vnet))
			json_array_append_new(list, vnet_json(call->net, vnet));
	rpc_reply(call, list);
}

/* Refuses a new vnet, and says which rule @name breaks if it does. */
static void
vnet_refused(struct rpc_call *call, int err, const char *name)
{
	struct net *net = call->net;

	if (net->message[0] == '\0' && err == -EEXIST)
		(void)net_error(net, err, "there is a vnet of that name");
	if (net->message[0] == '\0' && err == -EINVAL &&
	    (name[0] == '\0' || strlen(name) >= NET_VNET_NAME_MAX))
		(void)net_error(net, err, "a vnet's name has 1 to %d letters",
		    NET_VNET_NAME_MAX - 1);
	if (net->message[0] == '\0' && err == -EINVAL &&
	    (name[0] == '.' || name[0] == '-'))
		(void)net_error(
		    net, err, "a vnet's name does not begin with '.' or '-'");
	for (const char *p = name; *p != '\0'; p++)
		if (net->message[0] == '\0' && err == -EINVAL &&
		    (*p <= ' ' || (unsigned char)*p >= 0x7f || *p == '/' ||
		        *p == '@'))
			(void)net_error(net, err,
			    "a vnet's name has letters of ASCII, digits and "
			    "signs, but no blank, '/' or '@'");
	rpc_fail_errno(call, err, "vnet %.64s", name);
}

static void
do_vnet_create(struct rpc_call *call)
{
	const char *name = rpc_param_str(call, "name");
	struct vnet *vnet;
	int err = net_vnet_create(call->net, name, &vnet);

	if (err != 0)
		vnet_refused(call, err, name);
	else
		rpc_reply(call, vnet_json(call->net, vnet));
}

static void
do_vnet_attach(struct rpc_call *call)
{
	const char *name = rpc_param_str(call, "name");
	const char *what = rpc_param_str(call, "what");
	struct vnet *vnet;
	int err;

	if (what == NULL && call->fd_count == 0) {
		rpc_fail_param(call, "what", "missing, and no descriptor came");
		return;
	}
	err = net_vnet_attach(
	    call->net, name, what, call->fds, call->fd_count, &vnet);
	if (err != 0)
		vnet_refused(call, err, name);
	else
		rpc_reply(call, vnet_json(call->net, vnet));
}

struct vnet_wait {
	struct net_wait wait;
	struct rpc_call *call;
};

static void
vnet_destroyed(struct net_wait *w, int err)
{
	struct vnet_wait *v = CONTAINER_OF(w, struct vnet_wait, wait);

	(void)err; /* it is gone, whatever the system says */
	rpc_reply(v->call, json_null());
	free(v);
}

static void
vnet_abandon(struct rpc_call *call)
{
	free(call->state);
}

static void
do_vnet_destroy(struct rpc_call *call)
{
	const char *name = rpc_param_str(call, "name");
	struct vnet *vnet = net_vnet_named(call->net, name);
	struct vnet_wait *v;
	int err;

	if (vnet == NULL || name[0] == '\0' ||
	    !net_vnet_mine(call->net, vnet)) {
		char message[128];

		snprintf(
		    message, sizeof(message), "jail \"%.64s\" not found", name);
		rpc_fail(
		    call, RPC_FAILED, message, rpc_error_data(ENOENT, NULL));
		return;
	}
	v = calloc(1, sizeof(*v));
	if (v == NULL) {
		no_memory(call);
		return;
	}
	v->wait.done = vnet_destroyed;
	v->call = call;
	err = net_vnet_destroy(vnet, &v->wait);
	if (err == -EINPROGRESS) {
		call->state = v;
		call->abandon = vnet_abandon;
		rpc_call_overlap(call);
		return;
	}
	free(v);
	if (err != 0)
		rpc_fail_errno(call, err, "vnet %.64s", name);
	else
		rpc_reply(call, json_null());
}

/* {"small":{"total","free","size"},"large":{...},"failures"} */
static void
do_pool_get(struct rpc_call *call)
{
	struct frame_pool_stats s;

	frame_pool_stats(call->net->pool, &s);
	rpc_reply(call,
	    json_pack("{s:{s:I,s:I,s:I},s:{s:I,s:I,s:I},s:I}", "small", "total",
	        (json_int_t)s.small_total, "free", (json_int_t)s.small_free,
	        "size", (json_int_t)FRAME_SMALL_MAX, "large", "total",
	        (json_int_t)s.large_total, "free", (json_int_t)s.large_free,
	        "size", (json_int_t)FRAME_LARGE_MAX, "failures",
	        (json_int_t)s.failures));
}

/* clang-format off */
#define PARAM_NAME(what) { .name = "name", .type = RPC_STRING, .about = (what) }

const struct rpc_method control_methods[] = {
	{ .name = "ping", .flags = RPC_READ_ONLY | RPC_USERS, .handler = do_ping,
	    .about = "Answers \"pong\"." },
	{ .name = "rpc.methods", .flags = RPC_READ_ONLY | RPC_USERS,
	    .handler = do_methods,
	    .about = "The methods with their parameters." },
	{ .name = "ifconfig", .flags = RPC_READ_ONLY | RPC_USERS, .handler = do_ifconfig,
	    .params = { { .name = "argv", .type = RPC_STRINGS,
	        .about = "the words of the line" },
	        { .name = "after", .type = RPC_INTEGER, .optional = true,
	            .min = 0, .max = UINT32_MAX,
	            .about = "-a in pages: 0, then the next of the page before" } },
	    .about = "One ifconfig(8) command line." },
	{ .name = "sysctl", .flags = RPC_READ_ONLY | RPC_USERS, .handler = do_sysctl,
	    .params = { { .name = "argv", .type = RPC_STRINGS,
	        .about = "the words of the line" } },
	    .about = "One sysctl(8) command line." },
	{ .name = "iface.list", .flags = RPC_READ_ONLY | RPC_USERS,
	    .handler = do_iface_list,
	    .params = { { .name = "group", .type = RPC_STRING,
	        .optional = true, .about = "only these" } },
	    .about = "All interfaces that the vnet sees." },
	{ .name = "iface.get", .flags = RPC_READ_ONLY | RPC_USERS,
	    .handler = do_iface_get,
	    .params = { PARAM_NAME("interface") },
	    .about = "One interface." },
	{ .name = "iface.create", .flags = RPC_USERS, .handler = do_iface_create,
	    .params = { PARAM_NAME("kind, or kind and unit"),
	        { .name = "args", .type = RPC_STRINGS, .optional = true,
	            .about = "ifconfig words" } },
	    .about = "Creates an interface; returns it." },
	{ .name = "iface.destroy", .flags = RPC_USERS, .handler = do_iface_destroy,
	    .params = { PARAM_NAME("interface") },
	    .about = "Destroys one; answers when its netdev is gone." },
	{ .name = "bridge.get", .flags = RPC_READ_ONLY | RPC_USERS,
	    .handler = do_bridge_get,
	    .params = { PARAM_NAME("bridge") },
	    .about = "One bridge with its members." },
	{ .name = "bridge.addresses", .flags = RPC_READ_ONLY | RPC_USERS,
	    .handler = do_bridge_addresses,
	    .params = { PARAM_NAME("bridge"),
	        { .name = "max", .type = RPC_INTEGER, .optional = true,
	            .min = 1, .max = BRIDGE_ADDRESSES_MAX,
	            .about = "a page of so many: addresses, next" },
	        { .name = "after", .type = RPC_INTEGER, .optional = true,
	            .min = 0, .max = UINT32_MAX,
	            .about = "the next of the page before" },
	        { .name = "static", .type = RPC_BOOLEAN, .optional = true,
	            .about = "only those that are static" },
	        { .name = "cursor", .type = RPC_STRING, .optional = true,
	            .about = "a piece in any order: addresses, births, cursor" } },
	    .about = "Its address table, newest first." },
	{ .name = "trace", .flags = RPC_READ_ONLY, .handler = control_trace,
	    .params = { PARAM_NAME("where the frame comes in"),
	        { .name = "words", .type = RPC_STRINGS, .optional = true,
	            .about = "the frame in words: arp who-has ..." },
	        { .name = "frame", .type = RPC_STRING, .optional = true,
	            .about = "or in hexadecimal digits" },
	        { .name = "host", .type = RPC_BOOLEAN, .optional = true,
	            .about = "the host sends it there" } },
	    .about = "What would happen to a frame, step by step." },
	{ .name = "drops", .flags = RPC_READ_ONLY | RPC_USERS, .handler = do_drops,
	    .params = { { .name = "name", .type = RPC_STRING,
	        .optional = true, .about = "one interface only" } },
	    .about = "Dropped frames by reason, largest first." },
	{ .name = "vnet.list", .flags = RPC_READ_ONLY | RPC_USERS,
	    .handler = do_vnet_list, .about = "The vnets." },
	{ .name = "vnet.create", .flags = RPC_HOME_ONLY,
	    .handler = do_vnet_create, .params = { PARAM_NAME("vnet") },
	    .about = "Makes a vnet." },
	{ .name = "vnet.destroy", .flags = RPC_HOME_ONLY | RPC_USERS,
	    .handler = do_vnet_destroy, .params = { PARAM_NAME("vnet") },
	    .about = "Ends one; what was moved in goes home first." },
	{ .name = "vnet.attach", .flags = RPC_HOME_ONLY | RPC_USERS,
	    .handler = do_vnet_attach,
	    .params = { PARAM_NAME("vnet"),
	        { .name = "what", .type = RPC_STRING, .optional = true,
	            .about = "process id or path, unless by descriptor" } },
	    .about = "Adopts a network namespace." },
	{ .name = "pool.get", .flags = RPC_READ_ONLY, .handler = do_pool_get,
	    .about = "The pool of frames." },
	{ .name = NULL },
};
/* clang-format on */
