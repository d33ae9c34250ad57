/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kldload, kldunload, kldstat: what FreeBSD's scripts ask before they make an
 * interface.
 *
 * There are no modules. A module if_KIND is taken to be loaded exactly if the
 * daemon has that kind of interface, and so are the few others in others[] that
 * come with a kind; so a script that asks for what is not here learns it.
 * Loading and unloading change nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "base/util.h"
#include "cli/cli.h"
#include "control/text.h"

#define MODULES_MAX 64
#define NAME_SIZE   48

/* Modules that are not named after their kind, and the kind they stand for. */
static const struct {
	const char *module, *kind;
} others[] = {
	{ "bridgestp", "bridge" },
	{ "if_tuntap", "tap" },
};

struct modules {
	char names[MODULES_MAX][NAME_SIZE]; /* "if_bridge" */
	unsigned int count;
};

static void
add(struct modules *m, const char *prefix, const char *name)
{
	if (m->count < MODULES_MAX &&
	    strlen(prefix) + strlen(name) < sizeof(m->names[0]))
		(void)snprintf(m->names[m->count++], sizeof(m->names[0]),
		    "%s%s", prefix, name);
}

/* What the daemon has: ifconfig -C. 0 or the exit status. */
static int
ask(const struct cli *cli, struct modules *m)
{
	struct coax *c = cli_connect(cli);
	json_t *result = NULL, *part, *kind;
	size_t i, k;
	int status;

	if (c == NULL)
		return 1;
	status = cli_call(
	    cli, c, "ifconfig", json_pack("{s:[s]}", "argv", "-C"), &result);
	coax_close(c);
	json_array_foreach(json_object_get(result, "out"), i, part)
	{
		json_array_foreach(json_object_get(part, "kinds"), k, kind)
		{
			const char *name =
			    json_string_value(json_object_get(kind, "kind"));

			if (name == NULL)
				continue;
			add(m, "if_", name);
			for (size_t o = 0; o < ARRAY_LEN(others); o++)
				if (strcmp(others[o].kind, name) == 0)
					add(m, "", others[o].module);
		}
	}
	json_decref(result);
	return status;
}

/* A module's name or file, "/boot/kernel/if_bridge.ko": its place, or -1. */
static int
find(const struct modules *m, const char *what)
{
	const char *slash = strrchr(what, '/');
	const char *name = slash != NULL ? slash + 1 : what;
	size_t len = strlen(name);

	if (len > 3 && strcmp(name + len - 3, ".ko") == 0)
		len -= 3;
	for (unsigned int i = 0; i < m->count; i++)
		if (strlen(m->names[i]) == len &&
		    strncmp(m->names[i], name, len) == 0)
			return (int)i;
	return -1;
}

/* Each of the names must be a module. */
static int
check_names(struct cli *cli, char **names, bool quiet, const char *cannot)
{
	struct modules m = { .count = 0 };
	int status = ask(cli, &m);

	for (; status == 0 && *names != NULL; names++)
		if (find(&m, *names) < 0)
			status = quiet ? 1
			               : cli_error(cli,
			                     "can't %s %s: No such file or "
			                     "directory",
			                     cannot, *names);
	return status;
}

int
cli_kldload(struct cli *cli, int argc, char **argv)
{
	bool quiet = false;
	int opt;

	optind = 1;
	opterr = 0;
	while ((opt = getopt(argc, argv, "+nqv")) != -1) {
		if (opt == '?')
			return cli_usage(cli, "kldload [-nqv] file ...");
		quiet = quiet || opt == 'q';
	}
	if (optind == argc)
		return cli_usage(cli, "kldload [-nqv] file ...");
	return check_names(cli, argv + optind, quiet, "load");
}

int
cli_kldunload(struct cli *cli, int argc, char **argv)
{
	int opt;

	optind = 1;
	opterr = 0;
	while ((opt = getopt(argc, argv, "+fv")) != -1) {
		if (opt == '?')
			return cli_usage(cli, "kldunload [-fv] name ...");
	}
	if (optind == argc)
		return cli_usage(cli, "kldunload [-fv] name ...");
	return check_names(cli, argv + optind, false, "find file");
}

static void
print_file(const struct modules *m, unsigned int i, struct text *t)
{
	char file[NAME_SIZE + 4];

	(void)snprintf(file, sizeof(file), "%s.ko", m->names[i]);
	text_printf(t, "%2u %4d 0x%016x %8x %s\n", i + 2, 1, 0, 0, file);
}

static int
stat_module(struct cli *cli, const struct modules *m, const char *name,
    const char *file, bool quiet)
{
	struct text out = { 0 };
	int i = find(m, name != NULL ? name : file);

	if (i < 0 && quiet)
		return 1;
	if (i < 0)
		return cli_error(cli, "can't find %s %s: %s",
		    name != NULL ? "module" : "file",
		    name != NULL ? name : file, "No such file or directory");
	if (quiet)
		return 0;
	if (name != NULL) {
		text_puts(&out, "Id  Refs Name\n");
		text_printf(&out, "%3d %4d %s\n", i + 2, 1, m->names[i]);
	} else {
		text_puts(&out, "Id Refs Address                Size Name\n");
		print_file(m, (unsigned int)i, &out);
	}
	return cli_put(cli, &out);
}

int
cli_kldstat(struct cli *cli, int argc, char **argv)
{
	static const char usage[] =
	    "kldstat [-hqv] [-i id] [-n filename] [-m modname]";
	const char *name = NULL, *file = NULL;
	struct modules m = { .count = 0 };
	struct text out = { 0 };
	bool quiet = false;
	uint32_t id = 0;
	int opt, status;

	optind = 1;
	opterr = 0;
	while ((opt = getopt(argc, argv, "+dhi:m:n:qv")) != -1) {
		switch (opt) {
		case 'i':
			if (str_u32(optarg, 10, 1, UINT32_MAX, &id) != 0)
				return cli_usage(cli, usage);
			break;
		case 'm':
			name = optarg;
			break;
		case 'n':
			file = optarg;
			break;
		case 'q':
			quiet = true;
			break;
		case 'd':
		case 'h':
		case 'v':
			break;
		default:
			return cli_usage(cli, usage);
		}
	}
	if (optind != argc)
		return cli_usage(cli, usage);
	status = ask(cli, &m);
	if (status != 0)
		return status;
	if (name != NULL || file != NULL)
		return stat_module(cli, &m, name, file, quiet);
	if (id > m.count + 1)
		return cli_error(
		    cli, "can't stat file with id %u", (unsigned int)id);
	text_puts(&out, "Id Refs Address                Size Name\n");
	if (id <= 1)
		text_printf(
		    &out, "%2d %4u 0x%016x %8x kernel\n", 1, m.count + 1, 0, 0);
	for (unsigned int i = 0; i < m.count; i++)
		if (id == 0 || id == i + 2)
			print_file(&m, i, &out);
	return cli_put(cli, &out);
}
