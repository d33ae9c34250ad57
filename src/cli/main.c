/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coax: the command line. The first word, or the name that the program was
 * called by, selects a row of the table.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cli/cli.h"
#include "control/methods.h"

static int cli_help(struct cli *cli, int argc, char **argv);
static int no_such_command(const struct cli *cli, const char *name);
static const struct cli_command *find_command(const char *name);

/* clang-format off */
static const struct cli_command commands[] = {
	{ "ifconfig", cli_ifconfig, true, "[-a] [interface [words ...]]",
	    "show and change interfaces, as ifconfig(8)" },
	{ "brconfig", cli_brconfig, true, "-a | bridge [command ...]",
	    "show and change bridges, as NetBSD's brconfig(8)" },
	{ "sysctl", cli_sysctl, true, "[-adehiNnoqTtWwx] [name[=value] ...]",
	    "show and change variables, as sysctl(8)" },
	{ "ipfw", cli_ipfw, true, "[-abcdDefhinNqStTv] command ... | file",
	    "packet filter and traffic shaper, as ipfw(8)" },
	{ "apply", cli_apply, false, "[-n] file ...",
	    "make the interfaces what rc.conf(5) files say; -n: only show" },
	{ "export", cli_export, false, "[--json]",
	    "what there is, as rc.conf(5)" },
	{ "list", cli_list, false, "[--json]",
	    "one line an interface" },
	{ "drops", cli_drops, false, "[--json] [interface]",
	    "every dropped frame, by interface and reason" },
	{ "xen", cli_xen, false, "[--json]",
	    "Xen's vifs that are served, and their state" },
	{ "trace", cli_trace, false,
	    "[--json] [--host] interface words ... | hex | file | -r file",
	    "what would happen to a frame, step by step" },
	{ "monitor", cli_monitor, false, "[--json] [type ...]",
	    "events as they happen" },
	{ "capture", cli_capture, false,
	    "interface [-w file | -] [-c count] [-s snaplen] [-B KiB] [-U] "
	    "[--in | --out] [--drops] [filter ...]",
	    "frames to a file, to a program, or as text" },
	{ "vnet", cli_vnet, false,
	    "create name | destroy name | list [--json] | "
	    "attach name pid|path",
	    "network stacks to attach interfaces to" },
	{ "jexec", cli_jexec, true, "vnet [command ...]",
	    "run a command in a vnet" },
	{ "lab", cli_lab, false, "[--uplink] [--] [command ...]",
	    "private namespaces with a daemon, for a command or shell" },
	{ "bsd-env", cli_bsd_env, false, "[--] [command ...]",
	    "a lab in which FreeBSD's test programs run" },
	{ "jail", cli_jail, true,
	    "-c|-m param[=value] ... | -r|-R jail ...",
	    "make, change and remove vnets, as jail(8)" },
	{ "jls", cli_jls, true, "[-dhNnqsv] [-j jail] [parameter ...]",
	    "list vnets, as jls(8)" },
	{ "kldload", cli_kldload, true, "[-nqv] file ...",
	    "is there that kind of interface? as kldload(8)" },
	{ "kldunload", cli_kldunload, true, "[-fv] name ...",
	    "the same; nothing is unloaded" },
	{ "kldstat", cli_kldstat, true,
	    "[-hqv] [-i id] [-n filename] [-m modname]",
	    "kinds of interfaces as modules, as kldstat(8)" },
	{ "ping", cli_ping, true, "[options] host",
	    "echo requests, as FreeBSD's ping(8)" },
	{ "ping6", cli_ping6, true, "[options] host",
	    "the same by IPv6" },
	{ "sed", cli_sed, true, "[-EalnrsuI] [-i extension] ...",
	    "sed(1) with BSD's options" },
	{ "run", cli_run, false, "[--] command ...",
	    "a program whose /dev/tap and /dev/net/tun are coax's" },
	{ "tap", cli_tap, false, "name [--] command ...",
	    "a program that inherits an open tap: {fd}, {name}" },
	{ "uplink", cli_uplink, false, "[bridge] [-- passt-option ...]",
	    "Internet access for a bridge, without root, by passt(1)" },
	{ "rpc", cli_rpc, false, "method [JSON]",
	    "call a method of the daemon; rpc.methods lists them" },
	{ "status", cli_status, false, "[--json]",
	    "the daemon: version, host, sockets" },
	{ "help", cli_help, false, "", "this list" },
	{ .name = NULL },
};
/* clang-format on */

static void
print_commands(FILE *f)
{
	(void)fputs("usage: coax [-S socket] [--json] command ...\n", f);
	for (const struct cli_command *k = commands; k->name != NULL; k++)
		(void)fprintf(f, "  %-10s %s\n", k->name, k->about);
}

static int
cli_help(struct cli *cli, int argc, char **argv)
{
	const struct cli_command *k;

	if (argc == 1) {
		print_commands(stdout);
		return 0;
	}
	k = find_command(argv[1]);
	if (k == NULL)
		return no_such_command(cli, argv[1]);
	(void)printf("usage: coax %s%s%s\n  %s\n", k->name,
	    k->args[0] != '\0' ? " " : "", k->args, k->about);
	return 0;
}

static const struct cli_command *
find_command(const char *name)
{
	for (const struct cli_command *k = commands; k->name != NULL; k++) {
		if (strcmp(k->name, name) == 0)
			return k;
	}
	return NULL;
}

static int
no_such_command(const struct cli *cli, const char *name)
{
	const struct cli_command *near = NULL;
	unsigned int best = 3;

	for (const struct cli_command *k = commands; k->name != NULL; k++) {
		unsigned int d = str_distance(name, k->name);

		if (d < best) {
			best = d;
			near = k;
		}
	}
	if (near != NULL)
		return cli_error(cli, "%s: no such command; is it \"%s\"?",
		    name, near->name);
	return cli_error(cli, "%s: no such command; see \"coax help\"", name);
}

int
main(int argc, char **argv)
{
	struct cli cli = { .program = "coax" };
	const char *base = argc > 0 ? strrchr(argv[0], '/') : NULL;
	const struct cli_command *k;
	int i;

	if (argc < 1)
		return 1;
	base = base != NULL ? base + 1 : argv[0];
	k = find_command(base);
	if (k != NULL && k->by_name) {
		cli.program = k->name;
		return k->run(&cli, argc, argv);
	}
	for (i = 1; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			cli.json = true;
		} else if (strcmp(argv[i], "--help") == 0 ||
		           strcmp(argv[i], "-h") == 0) {
			print_commands(stdout);
			return 0;
		} else if (strcmp(argv[i], "--version") == 0) {
			(void)printf("coax %s\n", control_version());
			return 0;
		} else if (strcmp(argv[i], "-S") == 0 && i + 1 < argc) {
			cli.socket = argv[++i];
		} else {
			print_commands(stderr);
			return 1;
		}
	}
	if (i == argc) {
		print_commands(stderr);
		return 1;
	}
	k = find_command(argv[i]);
	if (k == NULL)
		return no_such_command(&cli, argv[i]);
	if (k->by_name)
		cli.program = k->name;
	return k->run(&cli, argc - i, argv + i);
}
