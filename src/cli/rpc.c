/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coax rpc METHOD [JSON]: any method, its result as JSON; and coax status.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "control/printout.h"

int
cli_rpc(struct cli *cli, int argc, char **argv)
{
	json_t *params = NULL;
	json_error_t je;

	cli_take_json(cli, &argc, argv);
	if (argc < 2 || argc > 3)
		return cli_usage(cli, "rpc method [JSON]");
	if (argc == 3) {
		params = json_loads(argv[2], 0, &je);
		if (params == NULL)
			return cli_error(cli, "%s: %s", argv[2], je.text);
	}
	/* A listing that people ask for by hand is shown to people. */
	if (strcmp(argv[1], "rpc.methods") == 0)
		return cli_list_method(cli, argv[1], params, printout_methods);
	return cli_list_method(cli, argv[1], params, printout_json);
}

static void
print_status(const json_t *info, struct text *out)
{
	const json_t *host = json_object_get(info, "host");
	const char *why = json_string_value(json_object_get(host, "why"));
	const char *version =
	    json_string_value(json_object_get(info, "version"));
	const char *path = json_string_value(json_object_get(info, "socket"));

	text_printf(out, "coaxd %s, process %lld, %lld interfaces\n",
	    version != NULL ? version : "?",
	    (long long)json_integer_value(json_object_get(info, "pid")),
	    (long long)json_integer_value(json_object_get(info, "interfaces")));
	text_printf(out, "socket %s\n", path != NULL ? path : "?");
	if (json_is_true(json_object_get(host, "available")))
		text_printf(out, "host side: yes%s\n",
		    json_is_true(json_object_get(host, "io_uring"))
		        ? ", with io_uring"
		        : "");
	else
		text_printf(out, "host side: none: %s\n",
		    why != NULL ? why : "not available");
}

int
cli_status(struct cli *cli, int argc, char **argv)
{
	cli_take_json(cli, &argc, argv);
	if (argc > 1)
		return cli_usage(cli, "status [--json]");
	return cli_list_method(cli, "daemon.info", NULL, print_status);
}
