/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coax drops, coax list and coax xen: tables of what the daemon has.
 */
#include "cli/cli.h"
#include "control/printout.h"

int
cli_drops(struct cli *cli, int argc, char **argv)
{
	json_t *params;

	cli_take_json(cli, &argc, argv);
	if (argc > 2 || (argc == 2 && argv[1][0] == '-'))
		return cli_usage(cli, "drops [--json] [interface]");
	params = json_object();
	if (argc == 2 &&
	    json_object_set_new(params, "name", json_string(argv[1])) < 0) {
		json_decref(params);
		return cli_error(cli, "%s: not UTF-8", argv[1]);
	}
	return cli_list_method(cli, "drops", params, printout_drops);
}

int
cli_list(struct cli *cli, int argc, char **argv)
{
	cli_take_json(cli, &argc, argv);
	if (argc > 1)
		return cli_usage(cli, "list [--json]");
	return cli_list_method(cli, "iface.list", NULL, printout_iface_table);
}

int
cli_xen(struct cli *cli, int argc, char **argv)
{
	cli_take_json(cli, &argc, argv);
	if (argc > 1)
		return cli_usage(cli, "xen [--json]");
	return cli_list_method(cli, "xen.list", NULL, printout_xen);
}
