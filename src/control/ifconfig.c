/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ifconfig command: options, forms, and the life of a run. See ifconfig.h.
 *
 * Source of wording, order of checks and exit status: FreeBSD ifconfig(8), as
 * of 15. Differs: -C (kinds) is there, -f, -k, -L, -m, -n change nothing.
 */
#include "control/ifconfig.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/str.h"
#include "control/bsderr.h"
#include "control/ifconfig_impl.h"
#include "control/info_json.h"
#include "control/methods.h"

static const char usage_text[] =
    "usage: ifconfig [-j vnet] [-v] interface [address_family]\n"
    "                [address [dest_address]] [parameters]\n"
    "       ifconfig [-j vnet] interface create [parameters]\n"
    "       ifconfig [-j vnet] interface destroy\n"
    "       ifconfig [-j vnet] [-a] [-d] [-u] [-v] [-g group] [-G group]\n"
    "                [address_family]\n"
    "       ifconfig [-j vnet] -l [-d] [-u] [address_family]\n"
    "       ifconfig [-j vnet] -g group\n"
    "       ifconfig -C [-v]\n";

#define PAGE_IFACES 64   /* that a page shows */
#define PAGE_LOOKS  1024 /* ... and looks at */

/* The options of a line. */
struct options {
	bool all, names, up, down, verbose, kinds;
	const char *group, *nogroup, *vnet;
	int family;
	bool by_family;
};

/* Results. */

int
ifc_fail(struct ifconfig_run *run, int err, const char *fmt, ...)
{
	va_list ap;

	run->failed = true;
	run->err = err;
	va_start(ap, fmt);
	vsnprintf(run->message, sizeof(run->message), fmt, ap);
	va_end(ap);
	return err;
}

void
ifc_detail(struct ifconfig_run *run, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(run->detail, sizeof(run->detail), fmt, ap);
	va_end(ap);
}

int
ifc_put(struct ifconfig_run *run, json_t *part)
{
	if (part != NULL && json_array_append_new(run->out, part) == 0)
		return 0;
	return ifc_fail(run, -ENOMEM, "%s", bsd_strerror(ENOMEM));
}

static int
usage(struct ifconfig_run *run)
{
	ifc_put(
	    run, json_pack("{s:s,s:s}", "part", "usage", "text", usage_text));
	return ifc_fail(run, -EINVAL, "%s", "");
}

struct vnet *
ifc_vnet(const struct ifconfig_run *run)
{
	struct vnet *v;

	TAILQ_FOREACH (v, &run->net->vnets, link)
		if (v->id == run->vnet_id)
			return v;
	return NULL;
}

struct iface *
ifc_iface(const struct ifconfig_run *run)
{
	return run->exists ? net_iface_by_index(run->net, run->index) : NULL;
}

struct ifc_op *
ifc_op_add(struct ifconfig_run *run, enum ifc_kind kind)
{
	struct ifc_op *op, *grown;

	if (run->op_count == run->op_room) {
		uint32_t room = run->op_room != 0 ? 2 * run->op_room : 8;

		grown = reallocarray(run->ops, room, sizeof(*grown));
		if (grown == NULL) {
			ifc_fail(run, -ENOMEM, "%s", bsd_strerror(ENOMEM));
			return NULL;
		}
		run->ops = grown;
		run->op_room = room;
	}
	op = &run->ops[run->op_count++];
	*op = (struct ifc_op){ .kind = kind };
	return op;
}

/* Listings. */

/* What BSD shows of an interface when a family is named. */
static void
keep_family(json_t *o, int family)
{
	static const char *const other[] = { "groups", "media", "status",
		"away", "wlan" };
	const char *name = family == AF_INET6 ? "inet6" : "inet";
	json_t *list = json_object_get(o, "addresses"), *a;
	const char *kind = json_string_value(json_object_get(o, "kind"));

	for (size_t i = json_array_size(list); i-- > 0;) {
		const char *f;

		a = json_array_get(list, i);
		f = json_string_value(json_object_get(a, "family"));
		if (family == AF_UNSPEC || f == NULL || strcmp(f, name) != 0)
			json_array_remove(list, i);
	}
	for (size_t i = 0; i < ARRAY_LEN(other); i++)
		json_object_del(o, other[i]);
	if (kind != NULL)
		json_object_del(o, kind);
	if (family != AF_UNSPEC)
		json_object_del(o, "ether");
}

static bool
has_family(const json_t *o, int family)
{
	const char *name = family == AF_INET6 ? "inet6" : "inet";
	const json_t *list = json_object_get(o, "addresses");

	if (family == AF_UNSPEC)
		return true;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *f = json_string_value(
		    json_object_get(json_array_get(list, i), "family"));

		if (f != NULL && strcmp(f, name) == 0)
			return true;
	}
	return false;
}

static bool
flags_match(const struct iface *ifp, const struct options *o)
{
	bool up = (ifp->flags & IFACE_UP) != 0;

	return !(o->up && !up) && !(o->down && up);
}

static bool
group_match(const struct iface *ifp, const char *pattern)
{
	if (fnmatch(pattern, "all", 0) == 0)
		return true;
	for (uint32_t i = 0; i < ifp->group_count; i++)
		if (fnmatch(pattern, ifp->groups[i], 0) == 0)
			return true;
	return false;
}

static int
show_iface(struct ifconfig_run *run, const struct iface *ifp,
    const struct vnet *vnet, const struct options *o)
{
	json_t *part = control_iface_json(ifp, vnet);

	json_object_set_new(part, "part", json_string("iface"));
	if (o->verbose)
		json_object_set_new(part, "verbose", json_true());
	if (o->by_family)
		keep_family(part, o->family);
	return ifc_put(run, part);
}

static bool
list_match(
    const struct iface *ifp, const struct vnet *vnet, const struct options *o)
{
	json_t *object;
	bool match;

	if (!net_iface_visible(ifp, vnet) || !flags_match(ifp, o) ||
	    (o->group != NULL && !group_match(ifp, o->group)) ||
	    (o->nogroup != NULL && group_match(ifp, o->nogroup)))
		return false;
	if (!o->by_family)
		return true;
	object = control_iface_json(ifp, vnet);
	match = has_family(object, o->family);
	json_decref(object);
	return match;
}

/* The first one after that with index @after, which may be gone: they are in
 * the order of their indexes. */
static const struct iface *
iface_after(struct net *net, uint32_t after)
{
	const struct iface *ifp = net_iface_by_index(net, after);

	if (ifp != NULL)
		return TAILQ_NEXT(ifp, all_link);
	TAILQ_FOREACH (ifp, &net->ifaces, all_link) {
		if (ifp->index > after)
			break;
	}
	return ifp;
}

/* -a in pages: ten thousand interfaces take a second to describe, for which no
 * frame should wait. */
static int
list_page(
    struct ifconfig_run *run, const struct vnet *vnet, const struct options *o)
{
	const struct iface *ifp = iface_after(run->net, run->request.after);
	uint32_t shown = 0, looked = 0;

	for (; ifp != NULL; ifp = TAILQ_NEXT(ifp, all_link)) {
		looked += o->by_family ? PAGE_LOOKS / PAGE_IFACES : 1;
		if (list_match(ifp, vnet, o)) {
			int err = show_iface(run, ifp, vnet, o);

			if (err != 0)
				return err;
			shown++;
		}
		if ((shown == PAGE_IFACES || looked >= PAGE_LOOKS) &&
		    TAILQ_NEXT(ifp, all_link) != NULL) {
			run->next = ifp->index;
			return 0;
		}
	}
	return 0;
}

/* -l, -a, and -g GROUP alone (@lines). */
static int
list_ifaces(struct ifconfig_run *run, const struct vnet *vnet,
    const struct options *o, bool names, bool lines)
{
	json_t *list = names ? json_array() : NULL;
	const struct iface *ifp;
	int err = 0;

	if (!names && run->request.paged)
		return list_page(run, vnet, o);
	TAILQ_FOREACH (ifp, &run->net->ifaces, all_link) {
		if (!list_match(ifp, vnet, o))
			continue;
		if (names)
			json_array_append_new(list, json_string(ifp->name));
		else
			err = show_iface(run, ifp, vnet, o);
		if (err != 0)
			return err;
	}
	if (!names)
		return 0;
	return ifc_put(run, json_pack("{s:s,s:o,s:b}", "part", "names", "names",
	                        list, "lines", lines));
}

static int
list_kinds(struct ifconfig_run *run, bool verbose)
{
	json_t *list = json_array();

	for (const struct iface_ops *const *k = run->net->kinds;
	     k != NULL && *k != NULL; k++)
		if (((*k)->kind_flags &
		        (IFACE_KIND_NO_CLONE | IFACE_KIND_ADOPTED)) == 0)
			json_array_append_new(
			    list, json_pack("{s:s,s:s}", "kind", (*k)->kind,
			              "about", (*k)->about));
	return ifc_put(run, json_pack("{s:s,s:o,s:b}", "part", "kinds", "kinds",
	                        list, "verbose", verbose));
}

/* The line. */

/* The value of option @c: the rest of its word, or the next word. */
static const char *
option_arg(const struct ifconfig_run *run, uint32_t *at, const char **c)
{
	const char *s = *c + 1;

	*c = "";
	if (*s != '\0')
		return s;
	if (*at >= run->count)
		return NULL;
	return run->words[(*at)++];
}

/* Leading options. Index of the first word after them in @first. */
static int
parse_options(struct ifconfig_run *run, struct options *o, uint32_t *first)
{
	uint32_t at = 0;

	while (at < run->count && run->words[at][0] == '-' &&
	       run->words[at][1] != '\0') {
		const char *c = run->words[at++] + 1;

		if (strcmp(c, "-") == 0)
			break;
		for (; *c != '\0'; c += *c != '\0') {
			const char *arg;
			char letter = *c;

			switch (letter) {
			case 'a':
				o->all = true;
				break;
			case 'd':
				o->down = true;
				break;
			case 'l':
				o->names = true;
				break;
			case 'u':
				o->up = true;
				break;
			case 'v':
			case 'D':
				o->verbose = true;
				break;
			case 'C':
				o->kinds = true;
				break;
			case 'k':
			case 'L':
			case 'm':
			case 'n':
				break;
			case 'f':
			case 'g':
			case 'G':
			case 'j':
				arg = option_arg(run, &at, &c);
				if (arg == NULL)
					return usage(run);
				if (letter == 'g')
					o->group = arg;
				else if (letter == 'G')
					o->nogroup = arg;
				else if (letter == 'j')
					o->vnet = arg;
				break;
			default:
				return usage(run);
			}
		}
	}
	*first = at;
	return 0;
}

/* Operations that change something are refused to who may only look. */
static int
check_read_only(struct ifconfig_run *run)
{
	if (!run->request.read_only)
		return 0;
	for (uint32_t i = 0; i < run->op_count; i++) {
		const struct ifc_op *op = &run->ops[i];

		if (op->kind == IFC_SHOW)
			continue;
		ifc_detail(run, "this is the read-only socket");
		if (op->kind == IFC_CREATE)
			return ifc_fail(run, -EPERM, "SIOCIFCREATE2 (%s): %s",
			    run->target, bsd_strerror(EPERM));
		return ifc_fail(run, -EPERM, "%s: permission denied",
		    op->words > 0 ? run->words[op->word]
		                  : "ioctl (SIOCAIFADDR)");
	}
	return 0;
}

/* A line about a netdev of the host that is none of ours yet, and that does
 * more than print: it is adopted first.  0, or refused. */
static int
parse_adopt(struct ifconfig_run *run, uint32_t word)
{
	struct ifc_op *op;
	int err;

	err = net_adopt_check(run->net, ifc_vnet(run), run->target);
	/* A name that is taken by what who asks does not see is not there. */
	if (err == -ENODEV || err == -EEXIST)
		return ifc_fail(
		    run, -ENXIO, "interface %s does not exist", run->target);
	if (err != 0) {
		if (run->net->message[0] != '\0')
			ifc_detail(run, "%s", run->net->message);
		return ifc_fail(run, err, "interface %s: %s", run->target,
		    bsd_strerror(err));
	}
	for (uint32_t i = 0; run->net->kinds[i] != NULL; i++) {
		if ((run->net->kinds[i]->kind_flags & IFACE_KIND_ADOPTED) != 0)
			run->kind = run->net->kinds[i];
	}
	op = ifc_op_add(run, IFC_ADOPT);
	if (op == NULL)
		return -ENOMEM;
	op->word = word;
	return 0;
}

/* "NAME create WORDS": the operations before WORDS. */
static int
parse_create(struct ifconfig_run *run, uint32_t word)
{
	struct ifc_op *op;
	int err;

	if (strlen(run->target) >= IFACE_NAME_MAX)
		return ifc_fail(
		    run, -EINVAL, "%s: cloning name too long", run->target);
	err =
	    net_kind_of_name(run->net, ifc_vnet(run), run->target, &run->kind);
	if (err < 0 && run->net->message[0] == '\0' &&
	    net_adopt_check(run->net, ifc_vnet(run), run->target) == 0)
		return parse_adopt(run, word);
	if (err < 0) {
		if (run->net->message[0] == '\0')
			ifc_detail(
			    run, "no such kind of interface: see ifconfig -C");
		else
			ifc_detail(run, "%s", run->net->message);
		return ifc_fail(run, err, "SIOCIFCREATE2 (%s): %s", run->target,
		    bsd_strerror(err));
	}
	op = ifc_op_add(run, IFC_CREATE);
	if (op == NULL)
		return -ENOMEM;
	op->word = word;
	op->words = 1;
	run->creating = true;
	if (run->kind->twins != NULL && ifc_op_add(run, IFC_TWIN) == NULL)
		return -ENOMEM;
	return 0;
}

/* A create line's host words say whether the netdev is made at all. */
static void
choose_create_host(struct ifconfig_run *run)
{
	for (uint32_t i = 0; run->creating && i < run->op_count; i++) {
		if (run->ops[i].kind == IFC_HOST)
			run->create_host = IFC_HOST_YES;
		else if (run->ops[i].kind == IFC_NOHOST)
			run->create_host = IFC_HOST_NO;
	}
}

/* A line about one interface. */
static int
parse_iface(struct ifconfig_run *run, uint32_t first, struct vnet *vnet,
    struct options *o)
{
	const char *name = run->words[first++], *next, *at;
	struct iface *ifp;
	bool create;
	int err;

	next = first < run->count ? run->words[first] : NULL;
	create = next != NULL &&
	         (strcmp(next, "create") == 0 || strcmp(next, "plumb") == 0);
	ifp = net_iface_find(run->net, vnet, name);
	/* NAME@VNET acts there. */
	at = strchr(name, '@');
	if (at != NULL && run->request.home && vnet == run->net->home) {
		vnet = net_vnet_find(run->net, at + 1);
		if (vnet == NULL)
			return ifc_fail(
			    run, -ENOENT, "jail \"%.64s\" not found", at + 1);
		run->vnet_id = vnet->id;
	} else if (at != NULL) {
		ifp = NULL;
	}
	snprintf(run->target, sizeof(run->target), "%.*s",
	    (int)(at != NULL ? COAX_MIN(at - name, 63) : 63), name);
	if (ifp == NULL && !create &&
	    (next == NULL || strcmp(next, "destroy") == 0 ||
	        (first + 1 == run->count && ifc_family(next, &o->family))))
		return ifc_fail(
		    run, -ENXIO, "interface %s does not exist", run->target);
	if (ifp == NULL && !create) {
		err = parse_adopt(run, first);
		if (err != 0)
			return err;
	} else if (ifp == NULL) {
		err = parse_create(run, first++);
		if (err != 0)
			return err;
	} else {
		if (create && first + 1 == run->count)
			return ifc_fail(run, -EEXIST,
			    "interface %s already exists", run->target);
		if (create)
			first++; /* as FreeBSD: the rest is applied to it */
		run->kind = ifp->ops;
		run->index = ifp->index;
		run->exists = true;
		if (first + 1 == run->count &&
		    ifc_family(run->words[first], &o->family)) {
			o->by_family = true;
			first++;
		}
		if (first == run->count)
			return flags_match(ifp, o)
			           ? show_iface(run, ifp, vnet, o)
			           : 0;
		if (!flags_match(ifp, o))
			return 0; /* -u, -d: not for this one */
	}
	err = ifc_parse_words(run, first);
	if (err != 0)
		return err;
	choose_create_host(run);
	return check_read_only(run);
}

/* The whole line into operations, or what it prints. */
static int
parse_line(struct ifconfig_run *run)
{
	struct vnet *vnet = ifc_vnet(run);
	struct options o = { 0 };
	uint32_t first = 0;
	int err;

	err = parse_options(run, &o, &first);
	if (err != 0)
		return err;
	if (o.vnet != NULL && strcmp(o.vnet, vnet->name) != 0) {
		if (!run->request.home) {
			ifc_detail(
			    run, "only the daemon's own vnet reaches others");
			return ifc_fail(run, -EPERM,
			    "cannot attach to jail: %s", bsd_strerror(EPERM));
		}
		vnet = net_vnet_named(run->net, o.vnet);
		if (vnet == NULL)
			return ifc_fail(
			    run, -ENOENT, "jail \"%.64s\" not found", o.vnet);
		run->vnet_id = vnet->id;
	}
	if (o.kinds)
		return first == run->count ? list_kinds(run, o.verbose)
		                           : usage(run);
	if ((o.names && o.all) || (o.up && o.down) ||
	    (o.nogroup != NULL && !o.all))
		return usage(run);
	if (o.group != NULL && !o.all && !o.names)
		return first == run->count
		           ? list_ifaces(run, vnet, &o, true, true)
		           : usage(run);
	if (!o.names && first == run->count)
		o.all = true;
	if (!o.all && !o.names)
		return parse_iface(run, first, vnet, &o);
	if (run->count - first > 1)
		return usage(run);
	if (run->count - first == 1) {
		if (!ifc_family(run->words[first], &o.family)) {
			char text[128];

			snprintf(text, sizeof(text),
			    "Address family '%.64s' unknown.",
			    run->words[first]);
			ifc_put(run, json_pack("{s:s,s:s}", "part", "notice",
			                 "text", text));
			return usage(run);
		}
		o.by_family = true;
	}
	return list_ifaces(run, vnet, &o, o.names, false);
}

/* Life of a run. */

/* Words that were kept and do nothing: said once, whatever their number. */
static void
recorded_notice(struct ifconfig_run *run)
{
	const struct iface *ifp = ifc_iface(run);
	json_t *words = json_array();

	for (uint32_t i = 0; ifp != NULL && i < run->op_next; i++) {
		const struct iface_keyword *row = run->ops[i].row;

		if (row != NULL && row->recorded)
			json_array_append_new(words, json_string(row->name));
	}
	if (json_array_size(words) > 0)
		ifc_put(run,
		    json_pack("{s:s,s:o,s:s,s:s,s:O}", "part", "notice", "text",
		        ifc_recorded_text(ifp->name, ifp->ops->kind, words),
		        "iface", ifp->name, "kind", ifp->ops->kind, "recorded",
		        words));
	json_decref(words);
}

json_t *
ifc_recorded_text(const char *name, const char *kind, const json_t *words)
{
	char text[256];
	struct sbuf b = sbuf_init(text, sizeof(text));

	for (size_t i = 0; i < json_array_size(words); i++)
		sbuf_printf(&b, "%s%s", i == 0 ? ": " : ", ",
		    json_string_value(json_array_get(words, i)));
	return json_sprintf("%s%s: recorded only, %s %s has no radio", name,
	    text, strchr("aeiou", kind[0]) != NULL ? "an" : "a", kind);
}

/* The name is printed at the end when it is not the one that was asked for,
 * also when a later word has failed. */
static void
run_end(struct ifconfig_run *run)
{
	run->ended = true;
	recorded_notice(run);
	if (run->print_name[0] != '\0')
		ifc_put(run, json_pack("{s:s,s:s}", "part", "created", "name",
		                 run->print_name));
}

/* Runs operations until one waits, one fails, or there are no more. */
static int
run_go(struct ifconfig_run *run)
{
	struct net *net = run->net;
	const char *old = net->cause;
	const struct net_actor *old_actor = net->actor;
	int err = 0;

	net->cause = run->cause[0] != '\0' ? run->cause : old;
	net->actor = run->for_actor ? &run->actor : old_actor;
	while (err == 0 && run->op_next < run->op_count) {
		run->at = run->ops[run->op_next].word;
		/* Before: the wait's end finds it set. */
		run->waiting = true;
		err = ifc_apply(run, &run->ops[run->op_next]);
		run->waiting = err == -EINPROGRESS;
		if (err == 0)
			run->op_next++;
	}
	net->cause = old;
	net->actor = old_actor;
	if (err == -EINPROGRESS)
		return err;
	run_end(run);
	return 0;
}

static void
run_waited(struct net_wait *w, int err)
{
	struct ifconfig_run *run = CONTAINER_OF(w, struct ifconfig_run, wait);

	ASSERT(run->waiting && !run->ended);
	run->waiting = false;
	if (ifc_applied(run, &run->ops[run->op_next], err) != 0) {
		run_end(run);
	} else {
		run->op_next++;
		if (run_go(run) == -EINPROGRESS)
			return;
	}
	run->request.done(run, run->request.arg);
}

void
ifconfig_free(struct ifconfig_run *run)
{
	if (run == NULL)
		return;
	for (uint32_t i = 0; run->words != NULL && i < run->count; i++)
		free(run->words[i]);
	free(run->words);
	free(run->ops);
	json_decref(run->out);
	json_decref(run->helper);
	free(run);
}

int
ifconfig_start(
    const struct ifconfig_request *request, struct ifconfig_run **out)
{
	const struct vnet *vnet =
	    request->vnet != NULL ? request->vnet : request->net->home;
	struct ifconfig_run *run = calloc(1, sizeof(*run));
	int err;

	if (run == NULL)
		return -ENOMEM;
	run->request = *request;
	run->net = request->net;
	run->vnet_id = vnet->id;
	run->wait.done = run_waited;
	if (request->cause != NULL)
		snprintf(run->cause, sizeof(run->cause), "%s", request->cause);
	if (run->net->actor != NULL) {
		run->for_actor = true;
		run->actor = *run->net->actor;
	}
	run->out = json_array();
	run->words = calloc((size_t)request->argc + 1, sizeof(*run->words));
	if (run->out == NULL || run->words == NULL)
		goto out_free;
	for (; run->count < request->argc; run->count++) {
		run->words[run->count] = strdup(request->argv[run->count]);
		if (run->words[run->count] == NULL)
			goto out_free;
	}
	*out = run;
	run->net->message[0] = '\0';
	if (request->argc > IFCONFIG_WORDS_MAX && !request->long_line)
		err = ifc_fail(run, -E2BIG, "%s", bsd_strerror(E2BIG));
	else
		err = parse_line(run);
	if (err != 0) {
		run_end(run);
		return 0;
	}
	if (request->parsed != NULL)
		request->parsed(run, request->arg);
	err = run_go(run);
	if (err == -EINPROGRESS && run->background &&
	    run->op_next + 1 == run->op_count && request->destroying != NULL)
		request->destroying(run, request->arg);
	return err;

out_free:
	ifconfig_free(run);
	return -ENOMEM;
}

struct iface *
ifconfig_iface(const struct ifconfig_run *run)
{
	return ifc_iface(run);
}

int
ifconfig_exit(const struct ifconfig_run *run)
{
	return run->failed ? 1 : 0;
}

json_t *
ifconfig_out(const struct ifconfig_run *run)
{
	return json_incref(run->out);
}

uint32_t
ifconfig_next(const struct ifconfig_run *run)
{
	return run->next;
}

json_t *
ifconfig_error(const struct ifconfig_run *run)
{
	json_t *data;

	if (!run->failed)
		return NULL;
	data = rpc_error_data(run->err, run->detail);
	json_object_set_new(data, "word", json_integer(run->at));
	json_object_set(data, "done", run->out);
	if (run->helper != NULL)
		json_object_set(data, "helper", run->helper);
	return json_pack("{s:i,s:o,s:o}", "code", RPC_FAILED, "message",
	    info_json_text(run->message), "data", data);
}
