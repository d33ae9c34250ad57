/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Life of an application: the plan on the shadow, the difference, the net, and
 * the way back. See config.h.
 *
 * One run at a time; those that come meanwhile are queued and begin when it
 * ends. A run is in one of these states, in this order:
 *
 *   queued                waits for another
 *   commands, next        on the net, one after the other; one that must wait
 *                         for the system is waited for (line, vnet_wait)
 *   undoing, undo_round   the same with the commands that take it back
 *   leases                done; nobody is held any more, and the next may
 *                         begin, but who asked waits for what SYNCDHCP waits
 *                         for
 *   ended
 */
#include "control/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "control/bsderr.h"
#include "control/config_impl.h"
#include "control/info_json.h"
#include "control/shadow.h"

struct config_run {
	struct config_request request; /* vnet, cause are not valid */
	struct config *config;
	struct net *net;
	uint32_t vnet_id;
	bool home;
	char cause[64];
	struct rcconf rc;
	struct config_plan plan;
	struct config_commands commands; /* for the net */
	size_t next;                     /* of these */
	struct config_before *before;
	struct config_commands undo; /* of this round */
	uint32_t undo_round;
	bool begun, undoing, held, ended, failed;
	struct ifconfig_run *line; /* under way */
	struct net_wait vnet_wait, lease_wait;
	uint32_t *leases; /* indexes of interfaces that wait for one; owned */
	size_t lease_count, lease_next;
	bool lease_waited; /* for the next, with lease_wait.err */
	json_t *out, *errors;
	TAILQ_ENTRY(config_run) link;
};

/* --- the object -------------------------------------------------------------
 */

static void
put_preset(void *arg, const char *name, const char *value, bool of_vnet)
{
	(void)of_vnet;
	json_object_set_new(arg, name, info_json_text(value));
}

int
config_create(const struct config_options *options, struct config **out)
{
	struct sysctl_request request = {
		.net = options->net, .tree = options->tree, .home = true
	};
	struct config *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return -ENOMEM;
	c->options = *options;
	c->presets = json_object();
	TAILQ_INIT(&c->waiting);
	if (c->presets == NULL ||
	    sysctl_each(&request, put_preset, c->presets) != 0) {
		json_decref(c->presets);
		free(c);
		return -ENOMEM;
	}
	*out = c;
	return 0;
}

void
config_destroy(struct config *c)
{
	if (c == NULL)
		return;
	ASSERT(c->running == NULL && TAILQ_EMPTY(&c->waiting));
	json_decref(c->presets);
	free(c);
}

/* --- commands
 * ------------------------------------------------------------------
 */

struct config_command *
config_command_add(struct config_commands *c, const char *vnet)
{
	struct config_command *grown;

	if (c->count == c->room) {
		size_t room = c->room != 0 ? 2 * c->room : 64;

		grown = reallocarray(c->list, room, sizeof(*grown));
		if (grown == NULL) {
			c->no_memory = true;
			return NULL;
		}
		c->list = grown;
		c->room = room;
	}
	grown = &c->list[c->count];
	*grown = (struct config_command){ .vnet = strdup(vnet) };
	if (grown->vnet == NULL) {
		c->no_memory = true;
		return NULL;
	}
	c->count++;
	return grown;
}

void
config_commands_free(struct config_commands *c)
{
	for (size_t i = 0; i < c->count; i++) {
		free(c->list[i].vnet);
		free(c->list[i].name);
		free(c->list[i].value);
		json_decref(c->list[i].argv);
	}
	free(c->list);
	*c = (struct config_commands){ 0 };
}

/* --- errors
 * ---------------------------------------------------------------------
 */

static void
fail(struct config_run *run, const char *text)
{
	run->failed = true;
	json_array_append_new(run->errors, info_json_text(text));
}

static void
fail_memory(struct config_run *run)
{
	fail(run, bsd_strerror(ENOMEM));
}

static const char *
error_text(const json_t *error, const char *key)
{
	const char *s = json_string_value(json_object_get(error, key));

	return s != NULL ? s : "";
}

void
config_line_message(const struct ifconfig_run *line, char *text, size_t size)
{
	json_t *e = ifconfig_error(line);
	const char *message = error_text(e, "message");
	const char *detail = error_text(json_object_get(e, "data"), "detail");

	snprintf(text, size, "%.200s%s%.150s%s", message,
	    *detail != '\0' ? " (" : "", detail, *detail != '\0' ? ")" : "");
	json_decref(e);
}

/* --- the difference
 * ------------------------------------------------------------ */

static const struct config_setting *
setting_find(const json_t *index, const struct config_settings *s,
    const char *vnet, const char *name)
{
	char key[512];
	const json_t *at;

	snprintf(key, sizeof(key), "%s %s", vnet, name);
	at = json_object_get(index, key);
	return at != NULL ? &s->list[json_integer_value(at)] : NULL;
}

static json_t *
settings_index(const struct config_settings *s)
{
	json_t *index = json_object();
	char key[512];

	for (size_t i = 0; i < s->count; i++) {
		snprintf(key, sizeof(key), "%s %s", s->list[i].vnet,
		    s->list[i].name);
		json_object_set_new(index, key, json_integer((json_int_t)i));
	}
	return index;
}

static void
put_difference(json_t *list, const char *vnet, const char *name,
    const char *old, const char *new)
{
	json_t *o = json_pack("{s:s,s:s}", "vnet", vnet, "name", name);

	if (old != NULL)
		json_object_set_new(o, "old", info_json_text(old));
	if (new != NULL)
		json_object_set_new(o, "new", info_json_text(new));
	json_array_append_new(list, o);
}

/* Sysctls outside of the net are not set on its shadow. */
static void
put_sysctl_differences(struct config_run *run, json_t *list)
{
	for (size_t i = 0; i < run->commands.count; i++) {
		const struct config_command *c = &run->commands.list[i];
		struct sysctl_request request = { .net = run->net,
			.vnet = net_vnet_find(run->net, c->vnet),
			.tree = run->config->options.tree,
			.home = run->home };
		json_t *old = NULL, *e;
		char text[SYSCTL_STRING_MAX];
		bool there = false;
		size_t k;

		if (c->value == NULL)
			continue;
		json_array_foreach(list, k, e) there =
		    there ||
		    strcmp(json_string_value(json_object_get(e, "name")),
		        c->name) == 0;
		if (there || sysctl_get(&request, c->name, &old) != 0)
			continue;
		if (json_is_string(old))
			snprintf(
			    text, sizeof(text), "%s", json_string_value(old));
		else
			snprintf(text, sizeof(text), "%lld",
			    json_is_integer(old)
			        ? (long long)json_integer_value(old)
			        : (long long)json_is_true(old));
		put_difference(list, c->vnet, c->name, text, c->value);
		json_decref(old);
	}
}

/* Part "difference"; its length. */
static size_t
put_differences(struct config_run *run, const struct config_settings *before,
    const struct config_settings *after)
{
	json_t *was = settings_index(before), *is = settings_index(after);
	json_t *list = json_array();
	size_t count;

	for (size_t i = 0; i < after->count; i++) {
		const struct config_setting *e = &after->list[i], *old;

		old = setting_find(was, before, e->vnet, e->name);
		if (old == NULL || strcmp(old->value, e->value) != 0)
			put_difference(list, e->vnet, e->name,
			    old != NULL ? old->value : NULL, e->value);
	}
	for (size_t i = 0; i < before->count; i++) {
		const struct config_setting *e = &before->list[i];

		if (setting_find(is, after, e->vnet, e->name) == NULL)
			put_difference(list, e->vnet, e->name, e->value, NULL);
	}
	put_sysctl_differences(run, list);
	count = json_array_size(list);
	json_array_append_new(run->out,
	    json_pack("{s:s,s:o}", "part", "difference", "settings", list));
	json_decref(was);
	json_decref(is);
	return count;
}

/* --- on the shadow
 * --------------------------------------------------------------- */

static struct vnet *
own_vnet(const struct config_run *run)
{
	struct vnet *v;

	TAILQ_FOREACH (v, &run->net->vnets, link)
		if (v->id == run->vnet_id)
			return v;
	return NULL;
}

static void
put_notices(struct config_run *run, const json_t *lines)
{
	json_t *line;
	size_t i;

	json_array_foreach(lines, i, line) json_array_append_new(
	    run->out, json_pack("{s:s,s:O}", "part", "notice", "text", line));
}

/* In the order of the files. */
static int
error_compare(const void *pa, const void *pb)
{
	const struct rc_error *a = pa, *b = pb;

	if (a->where.file != b->where.file)
		return a->where.file < b->where.file ? -1 : 1;
	if (a->where.line != b->where.line)
		return a->where.line < b->where.line ? -1 : 1;
	return strcmp(a->text, b->text);
}

static void
put_errors(struct config_run *run)
{
	qsort(run->rc.errors, run->rc.error_count, sizeof(run->rc.errors[0]),
	    error_compare);
	for (uint32_t i = 0; i < run->rc.error_count; i++)
		fail(run, run->rc.errors[i].text);
	if (run->rc.error_count == RCCONF_ERRORS_MAX)
		fail(run, "there may be more errors");
}

/* 0: there is something to do on the net; 1: there is not; -EINVAL, -ENOMEM. */
static int
try_out(struct config_run *run, struct net *shadow, struct vnet *vnet)
{
	struct config_trial trial = {
		.shadow = shadow,
		.tree = run->config->options.tree,
		.rc = &run->rc,
		.plan = &run->plan,
		.vnet = vnet->name,
		.home = run->home,
		.commands = &run->commands,
	};
	struct config_settings before, after = { 0 };
	struct vnet *own = net_vnet_find(shadow, vnet->name);
	struct vnet *only = run->home ? NULL : own;
	int err;

	err = config_settings(run->config, shadow, only, true, &before);
	if (err == 0)
		err = config_plan(&run->rc, shadow, own, run->home, &run->plan);
	trial.notices = run->plan.notices;
	/* Also after errors: all that can be found are told at once. */
	if (err == 0 || err == -EINVAL)
		err = config_trial(&trial);
	if (err == 0)
		err = config_settings(run->config, shadow, only, true, &after);
	if (err == 0)
		err = put_differences(run, &before, &after) == 0;
	config_settings_free(&before);
	config_settings_free(&after);
	return err;
}

static int
prepare(struct config_run *run)
{
	struct vnet *vnet = own_vnet(run);
	struct net *shadow;
	int err;

	if (vnet == NULL) {
		fail(run, "the vnet is gone");
		return -ENXIO;
	}
	err = shadow_create(run->net, &shadow);
	if (err != 0)
		return err;
	log_hold(true);
	err = try_out(run, shadow, vnet);
	log_hold(false);
	shadow_destroy(shadow);
	if (err == -EINVAL)
		put_errors(run);
	else
		put_notices(run, run->plan.notices);
	return err;
}

/* --- on the net
 * -------------------------------------------------------------------- */

static void run_go(struct config_run *run);

static void
hold(struct config_run *run, bool on)
{
	const struct config_options *o = &run->config->options;

	if (run->held == on)
		return;
	run->held = on;
	if (o->hold != NULL)
		o->hold(o->arg, on);
}

/* "FILE:LINE: VARIABLE: what", of a command that the system refused. */
static void
command_failed(
    struct config_run *run, const struct config_command *c, const char *what)
{
	const char *name = c->name;
	char text[512];

	if (c->argv != NULL)
		name = json_string_value(json_array_get(c->argv, 0));
	snprintf(text, sizeof(text), "%.96s:%u: %.64s: %.64s: %.256s",
	    run->rc.files[c->where.file], c->where.line, c->variable,
	    name != NULL ? name : "", what);
	fail(run, text);
}

/* The end of a command. While undoing, errors do not matter: what counts is
 * what it is like in the end. */
static void
command_end(struct config_run *run, const char *what)
{
	const struct config_command *c = run->undoing
	                                     ? &run->undo.list[run->next]
	                                     : &run->commands.list[run->next];

	run->next++;
	if (what == NULL)
		return;
	if (run->undoing) {
		log_debug("taking a configuration back: %s", what);
		return;
	}
	command_failed(run, c, what);
	json_array_clear(run->out); /* it will not have changed anything */
	run->undoing = true;
	run->undo_round = 0;
	run->next = 0;
}

static void
lease_add(struct config_run *run, const struct iface *ifp)
{
	uint32_t *grown;

	if (ifp == NULL)
		return;
	grown = reallocarray(
	    run->leases, run->lease_count + 1, sizeof(*run->leases));
	if (grown == NULL)
		return; /* then nobody waits */
	run->leases = grown;
	run->leases[run->lease_count++] = ifp->index;
}

static void
line_end(struct config_run *run)
{
	struct ifconfig_run *line = run->line;
	char text[384];

	run->line = NULL;
	if (!run->undoing && run->commands.list[run->next].sync)
		lease_add(run, ifconfig_iface(line));
	if (ifconfig_exit(line) != 0)
		config_line_message(line, text, sizeof(text));
	command_end(run, ifconfig_exit(line) != 0 ? text : NULL);
	ifconfig_free(line);
}

static void
line_done(struct ifconfig_run *line, void *arg)
{
	struct config_run *run = arg;

	ASSERT(run->line == line);
	line_end(run);
	run_go(run);
}

static void
vnet_done(struct net_wait *w, int err)
{
	struct config_run *run = CONTAINER_OF(w, struct config_run, vnet_wait);

	command_end(run, err != 0 ? bsd_strerror(err) : NULL);
	run_go(run);
}

/* 0 or -EINPROGRESS. */
static int
do_line(
    struct config_run *run, const struct config_command *c, struct vnet *vnet)
{
	size_t count = json_array_size(c->argv);
	const char **argv = calloc(count + 1, sizeof(*argv));
	struct ifconfig_request request = {
		.net = run->net,
		.vnet = vnet,
		.home = vnet == run->net->home,
		.argc = (uint32_t)count,
		.argv = argv,
		.cause = run->cause,
		.long_line = true,
		.no_wait = true,
		.done = line_done,
		.arg = run,
	};
	int err;

	if (argv == NULL) {
		command_end(run, bsd_strerror(ENOMEM));
		return 0;
	}
	for (size_t i = 0; i < count; i++)
		argv[i] = json_string_value(json_array_get(c->argv, i));
	err = ifconfig_start(&request, &run->line);
	free(argv);
	if (err == -EINPROGRESS)
		return err;
	if (err != 0)
		command_end(run, bsd_strerror(err));
	else
		line_end(run);
	return 0;
}

static int
do_vnet(struct config_run *run, const struct config_command *c)
{
	struct vnet *v = net_vnet_find(run->net, c->name);
	int err;

	run->net->message[0] = '\0';
	if (!c->destroy) {
		err = v == NULL ? net_vnet_create(run->net, c->name, &v) : 0;
	} else {
		run->vnet_wait.done = vnet_done;
		err = v != NULL ? net_vnet_destroy(v, &run->vnet_wait) : 0;
		if (err == -EINPROGRESS)
			return err;
	}
	command_end(run, err == 0                       ? NULL
	                 : run->net->message[0] != '\0' ? run->net->message
	                                                : bsd_strerror(err));
	return 0;
}

static int
do_command(struct config_run *run, const struct config_command *c)
{
	struct vnet *vnet = net_vnet_find(run->net, c->vnet);
	struct sysctl_request request = { .net = run->net,
		.vnet = vnet,
		.tree = run->config->options.tree,
		.home = run->home };
	int err;

	if (vnet == NULL) {
		command_end(run, "the vnet is gone");
		return 0;
	}
	if (c->argv != NULL)
		return do_line(run, c, vnet);
	if (c->value == NULL)
		return do_vnet(run, c);
	err = sysctl_set(&request, c->name, c->value);
	command_end(run, err != 0 ? bsd_strerror(err) : NULL);
	return 0;
}

/* The next command, or NULL: all are done. */
static const struct config_command *
next_command(struct config_run *run)
{
	struct text why = { 0 };
	char text[512];

	if (!run->undoing)
		return run->next < run->commands.count
		           ? &run->commands.list[run->next]
		           : NULL;
	while (run->next >= run->undo.count) {
		config_commands_free(&run->undo);
		run->next = 0;
		if (config_undo(
		        run->before, run->net, run->undo_round++, &run->undo))
			continue;
		if (!config_same(run->before, run->net, &why)) {
			snprintf(text, sizeof(text),
			    "not all could be taken back: %.400s",
			    text_str(&why));
			fail(run, text);
		}
		text_free(&why);
		return NULL;
	}
	return &run->undo.list[run->next];
}

static void config_next(struct config *config);
static void lease_done(struct net_wait *w, int err);

static void
run_end(struct config_run *run)
{
	struct config *config = run->config;

	hold(run, false);
	run->ended = true;
	if (config->running == run)
		config->running = NULL;
}

/* After the end. 0, or -EINPROGRESS: a lease is waited for. */
static int
run_leases(struct config_run *run)
{
	const struct net_system *sys = &run->net->system;
	char text[128];

	for (; run->lease_next < run->lease_count; run->lease_next++) {
		struct iface *ifp =
		    net_iface_by_index(run->net, run->leases[run->lease_next]);
		int err = run->lease_wait.err;

		if (ifp == NULL)
			continue;
		if (!run->lease_waited && sys->dhcp_wait != NULL) {
			run->lease_wait.done = lease_done;
			err = sys->dhcp_wait(sys->arg, ifp, &run->lease_wait);
		}
		if (err == -EINPROGRESS)
			return err;
		run->lease_waited = false;
		if (err != -ETIMEDOUT)
			continue;
		snprintf(text, sizeof(text),
		    "%s: no lease so far; it goes on asking", ifp->name);
		json_array_append_new(run->out,
		    json_pack("{s:s,s:s}", "part", "notice", "text", text));
	}
	return 0;
}

static void
lease_done(struct net_wait *w, int err)
{
	struct config_run *run = CONTAINER_OF(w, struct config_run, lease_wait);

	w->err = err;
	run->lease_waited = true;
	if (run_leases(run) == 0)
		run->request.done(run, run->request.arg);
}

/* Runs until something must be waited for. Return: 0 (it has ended) or
 * -EINPROGRESS. */
static int
run_commands(struct config_run *run)
{
	const struct config_command *c;

	while ((c = next_command(run)) != NULL)
		if (do_command(run, c) == -EINPROGRESS)
			return -EINPROGRESS;
	run_end(run);
	return run->failed ? 0 : run_leases(run);
}

/* After a wait. */
static void
run_go(struct config_run *run)
{
	struct config *config = run->config;

	if (run_commands(run) == 0)
		run->request.done(run, run->request.arg);
	config_next(config);
}

/* 0 (it has ended) or -EINPROGRESS. */
static int
run_begin(struct config_run *run)
{
	int err;

	run->begun = true;
	run->config->running = run;
	err = prepare(run);
	if (err == 0 && !run->request.dry_run) {
		err = config_before_create(run->config, run->net, &run->before);
		if (err == 0) {
			hold(run, true);
			return run_commands(run);
		}
	}
	if (err == -ENOMEM)
		fail_memory(run);
	run_end(run);
	return 0;
}

static void
config_next(struct config *config)
{
	struct config_run *run;

	while (config->running == NULL &&
	       (run = TAILQ_FIRST(&config->waiting)) != NULL) {
		TAILQ_REMOVE(&config->waiting, run, link);
		if (run_begin(run) == 0)
			run->request.done(run, run->request.arg);
	}
}

int
config_apply(const struct config_request *request, struct config_run **out)
{
	struct config *config = request->config;
	struct net *net = config->options.net;
	const struct vnet *vnet =
	    request->vnet != NULL ? request->vnet : net->home;
	struct config_run *run = calloc(1, sizeof(*run));
	int err;

	if (run != NULL) {
		run->out = json_array();
		run->errors = json_array();
	}
	if (run == NULL || run->out == NULL || run->errors == NULL) {
		struct rcconf rc = request->rc;

		rcconf_fini(&rc);
		config_free(run);
		return -ENOMEM;
	}
	run->request = *request;
	run->rc = request->rc;
	run->config = config;
	run->net = net;
	run->vnet_id = vnet->id;
	run->home = vnet == net->home;
	snprintf(run->cause, sizeof(run->cause), "%s",
	    request->cause != NULL ? request->cause : "configuration");
	*out = run;
	if (run->rc.error_count > 0) {
		put_errors(run);
		run->ended = true;
		return 0;
	}
	if (config->running != NULL) {
		TAILQ_INSERT_TAIL(&config->waiting, run, link);
		return -EINPROGRESS;
	}
	err = run_begin(run);
	config_next(config);
	return err;
}

bool
config_failed(const struct config_run *run)
{
	return run->failed;
}

json_t *
config_out(const struct config_run *run)
{
	return json_incref(run->out);
}

json_t *
config_errors(const struct config_run *run)
{
	return json_incref(run->errors);
}

void
config_free(struct config_run *run)
{
	if (run == NULL)
		return;
	if (run->config != NULL && !run->ended) {
		/* The net ends before it: what it waited for was called off. */
		if (run->begun)
			run->config->running = NULL;
		else
			TAILQ_REMOVE(&run->config->waiting, run, link);
		ifconfig_free(run->line);
	}
	rcconf_fini(&run->rc);
	config_plan_free(&run->plan);
	config_commands_free(&run->commands);
	config_commands_free(&run->undo);
	config_before_destroy(run->before);
	free(run->leases);
	json_decref(run->out);
	json_decref(run->errors);
	free(run);
}
