/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coax vnet create, destroy, list, attach.
 *
 * attach passes the namespace itself, and for a process a descriptor of it, as
 * far as this program may open them: the daemon may be in another PID or user
 * namespace, where the words alone mean something else or nothing.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "control/printout.h"

static const char vnet_usage[] =
    "vnet create name | destroy name | list [--json] | attach name pid|path";

static int
vnet_simple(struct cli *cli, const char *method, const char *name)
{
	json_t *params = json_pack("{s:s}", "name", name);
	struct coax *c;
	int status;

	if (params == NULL)
		return cli_error(cli, "%s: not UTF-8", name);
	c = cli_connect(cli);
	if (c == NULL) {
		json_decref(params);
		return 1;
	}
	status = cli_call(cli, c, method, params, NULL);
	coax_close(c);
	return status;
}

static int
vnet_attach(struct cli *cli, const char *name, const char *what)
{
	char absolute[PATH_MAX];
	unsigned int count;
	struct coax *c;
	json_t *params;
	int fds[2];
	int err;

	/* A path means the same to the daemon only if it is absolute. */
	if (strspn(what, "0123456789") != strlen(what) &&
	    realpath(what, absolute) != NULL)
		what = absolute;
	params = json_pack("{s:s, s:s}", "name", name, "what", what);
	if (params == NULL)
		return cli_error(cli, "not UTF-8");
	c = cli_connect(cli);
	if (c == NULL) {
		json_decref(params);
		return 1;
	}
	count = cli_open_what(what, fds);
	err = coax_call(
	    c, "vnet.attach", params, fds, count, NULL, NULL, 0, NULL);
	for (unsigned int i = 0; i < count; i++)
		(void)close(fds[i]);
	if (err < 0)
		err = cli_refused(cli, c, err);
	coax_close(c);
	return err;
}

int
cli_vnet(struct cli *cli, int argc, char **argv)
{
	cli_take_json(cli, &argc, argv);
	if (argc == 3 && strcmp(argv[1], "create") == 0)
		return vnet_simple(cli, "vnet.create", argv[2]);
	if (argc == 3 && strcmp(argv[1], "destroy") == 0)
		return vnet_simple(cli, "vnet.destroy", argv[2]);
	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return cli_list_method(cli, "vnet.list", NULL, printout_vnets);
	if (argc == 4 && strcmp(argv[1], "attach") == 0)
		return vnet_attach(cli, argv[2], argv[3]);
	return cli_usage(cli, vnet_usage);
}
