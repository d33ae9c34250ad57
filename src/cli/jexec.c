/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coax jexec VNET [COMMAND ...]: run a command (else a shell) in a vnet.
 *
 * The daemon hands out the vnet's namespace; this program enters it, gets /sys
 * of the new namespace where it may, and becomes the command. Of a vnet that
 * belongs to another user namespace it opens the namespaces itself.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "control/bsderr.h"
#include "os/netns.h"
#include "os/sock.h"

static const char jexec_usage[] = "jexec vnet [command ...]";

/* The descriptors to enter. 0 or the exit status. */
static int
open_vnet(struct cli *cli, const char *name, struct netns_enter_options *enter)
{
	struct coax *c = cli_connect(cli);
	unsigned int count = 0;
	json_t *params;
	int status = 0;
	int err;

	if (c == NULL)
		return 1;
	params = json_pack("{s:s}", "name", name);
	if (params == NULL) {
		coax_close(c);
		return cli_error(cli, "%s: not UTF-8", name);
	}
	err = coax_call(
	    c, "vnet.enter", params, NULL, 0, NULL, &enter->net_fd, 1, &count);
	if (err == 0 && count != 1)
		err = -EPROTO;
	if (err == -EACCES) {
		if (cli_open_vnet(c, name, &enter->user_fd, &enter->net_fd) ==
		    0)
			enter->enter_user = enter->user_fd >= 0;
		else
			status = cli_refused(cli, c, err);
	} else if (err == -ENOENT && coax_error_object(c) != NULL) {
		status = cli_error(cli, "vnet \"%s\" not found", name);
	} else if (err < 0) {
		status = cli_refused(cli, c, err);
	}
	coax_close(c);
	return status;
}

int
cli_jexec(struct cli *cli, int argc, char **argv)
{
	struct netns_enter_options enter = { .user_fd = -1, .net_fd = -1 };
	const char *shell = getenv("SHELL");
	char *shell_argv[2] = { NULL, NULL };
	char **command;
	int status, err;

	/* jexec -- NAME ... and, as getopt(3) has it, no options of ours. */
	if (argc > 1 && strcmp(argv[1], "--") == 0) {
		argc--;
		argv++;
	} else if (argc > 1 && argv[1][0] == '-') {
		return cli_usage(cli, jexec_usage);
	}
	if (argc < 2)
		return cli_usage(cli, jexec_usage);
	status = open_vnet(cli, argv[1], &enter);
	if (status != 0)
		return status;
	err = netns_enter(&enter);
	fd_close(&enter.user_fd);
	fd_close(&enter.net_fd);
	if (err < 0)
		return cli_error(cli, "vnet \"%s\": cannot enter: %s", argv[1],
		    bsd_strerror(err));
	command = argv + 2;
	if (argc == 2) {
		shell_argv[0] =
		    strdup(shell != NULL && *shell != '\0' ? shell : "/bin/sh");
		command = shell_argv;
	}
	(void)execvp(command[0], command);
	return cli_error(
	    cli, "execvp(): %s: %s", command[0], bsd_strerror(errno));
}
