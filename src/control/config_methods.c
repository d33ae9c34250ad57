/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config.apply and config.export: see methods.h and config.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/bsderr.h"
#include "control/config.h"
#include "control/methods.h"

static void
answer(struct rpc_call *call, struct config_run *run)
{
	json_t *errors = config_errors(run), *out = config_out(run), *data;
	const char *first = json_string_value(json_array_get(errors, 0));

	if (!config_failed(run)) {
		rpc_reply(call, json_pack("{s:o}", "out", out));
		json_decref(errors);
		return;
	}
	data = rpc_error_data(EINVAL, NULL);
	json_object_set(data, "errors", errors);
	json_object_set_new(data, "done", out);
	rpc_fail(call, RPC_FAILED, first != NULL ? first : "refused", data);
	json_decref(errors);
}

static void
apply_done(struct config_run *run, void *arg)
{
	answer(arg, run);
	config_free(run);
}

static void
apply_abandon(struct rpc_call *call)
{
	config_free(call->state);
}

/* The files of the call into @rc; false: answered. */
static bool
read_files(struct rpc_call *call, struct rcconf *rc)
{
	const struct rpc_server_options *o =
	    rpc_server_get_options(call->server);
	const json_t *names = json_object_get(call->params, "names");
	const char *text = rpc_param_str(call, "text");
	const char *name = rpc_param_str(call, "name");
	int err = 0;

	if (text != NULL)
		err = rcconf_parse(
		    rc, name != NULL ? name : "text", text, strlen(text));
	for (uint32_t i = 0; err != -ENOMEM && i < call->fd_count; i++) {
		const char *data;
		size_t len;

		name = json_string_value(json_array_get(names, i));
		err = o->map_fd != NULL ? o->map_fd(call->fds[i], &data, &len)
		                        : -EOPNOTSUPP;
		if (err != 0) {
			rpc_fail_errno(call, err, "descriptor %u", i);
			return false;
		}
		err = rcconf_parse(rc, name != NULL ? name : "file", data, len);
		o->unmap(data, len);
	}
	if (err != -ENOMEM)
		return true;
	rpc_fail(call, RPC_FAILED, bsd_strerror(ENOMEM),
	    rpc_error_data(ENOMEM, NULL));
	return false;
}

static void
do_apply(struct rpc_call *call)
{
	struct config_request request = {
		.config = rpc_server_get_options(call->server)->config,
		.vnet = call->vnet,
		.dry_run = rpc_param_bool(call, "dry_run", false),
		.cause = call->cause,
		.done = apply_done,
		.arg = call,
	};
	struct config_run *run;
	int err;

	if (call->fd_count == 0 && rpc_param_str(call, "text") == NULL) {
		rpc_fail_param(call, "text", "missing, and no descriptor came");
		return;
	}
	rcconf_init(&request.rc);
	/* Others wait while it is read. */
	if (call->vnet != call->net->home)
		request.rc.file_max = RCCONF_FILE_SMALL;
	if (!read_files(call, &request.rc)) {
		rcconf_fini(&request.rc);
		return;
	}
	err = config_apply(&request, &run);
	if (err == -EINPROGRESS) {
		call->state = run;
		call->abandon = apply_abandon;
	} else if (err == 0) {
		apply_done(run, call);
	} else {
		rpc_fail(call, RPC_FAILED, bsd_strerror(err),
		    rpc_error_data(err, NULL));
	}
}

static void
do_export(struct rpc_call *call)
{
	const struct config *config =
	    rpc_server_get_options(call->server)->config;
	struct config_settings s;
	struct text t = { 0 };
	json_t *text = NULL;
	bool own = call->vnet != call->net->home;
	int err;

	err = config_settings(
	    config, call->net, own ? call->vnet : NULL, false, &s);
	if (err == 0)
		config_text(&s, &t);
	config_settings_free(&s);
	if (err == 0 && text_ok(&t))
		text = json_string(text_str(&t));
	text_free(&t);
	if (text == NULL)
		rpc_fail(call, RPC_FAILED, bsd_strerror(ENOMEM),
		    rpc_error_data(ENOMEM, NULL));
	else
		rpc_reply(call, json_pack("{s:o}", "text", text));
}

/* clang-format off */
const struct rpc_method control_config_methods[] = {
	{ .name = "config.apply", .handler = do_apply,
	    .params = {
	        { .name = "text", .type = RPC_STRING, .optional = true,
	            .about = "a configuration, as rc.conf(5)" },
	        { .name = "name", .type = RPC_STRING, .optional = true,
	            .about = "of the text, for messages" },
	        { .name = "names", .type = RPC_STRINGS, .optional = true,
	            .about = "of the files that come as descriptors" },
	        { .name = "dry_run", .type = RPC_BOOLEAN, .optional = true,
	            .about = "only say what would change" } },
	    .about = "Makes the interfaces what files say, or nothing." },
	{ .name = "config.export", .flags = RPC_READ_ONLY,
	    .handler = do_export,
	    .about = "What there is, as rc.conf(5)." },
	{ .name = NULL },
};
/* clang-format on */
