/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * jail and jls: FreeBSD's way to make vnets and list them.
 *
 * A jail is a vnet here: a network stack and nothing else. There is no other
 * root directory, no limit, no user of its own; parameters that ask for such
 * are taken and have no effect (ignored[]), so that scripts go on. A jail's
 * number (JID) is the vnet's id.
 *
 *   -c   vnet.create, `ifconfig IF vnet NAME' for each vnet.interface, and the
 *        command; what fails undoes all of it
 *   -m   the interfaces of one that exists
 *   -r   its processes get SIGTERM, after ten seconds SIGKILL; vnet.destroy,
 *        which sends interfaces home; -R: SIGKILL at once
 */
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "base/util.h"
#include "cli/cli.h"
#include "control/bsderr.h"
#include "control/printout.h"
#include "control/text.h"
#include "os/clock.h"
#include "os/netns.h"
#include "os/sock.h"

#define INTERFACES_MAX 1024
#define STOP_TIMEOUT   (10 * CLOCK_NS_PER_SEC) /* FreeBSD's stop.timeout */

static const char jail_usage[] =
    "jail [-iqv] -c|-m [-n name] param[=value] ... [command=command ...]\n"
    "       jail [-qv] -r|-R jail ... | *";
static const char jls_usage[] =
    "jls [-dhNnqsv] [-j jail] [--json] [parameter ...]";

struct jail {
	struct cli *cli;
	struct coax *c;
	bool create, modify, quiet, verbose, print_id;
	bool persist, vnet, kill_at_once;
	const char *name;
	const char *ifs[INTERFACES_MAX];
	unsigned int if_count;
	char **command; /* NULL-ended, or NULL */
};

/* What a jail can have elsewhere. */
static const char *const ignored[] = { "allow.*", "noallow.*", "children.*",
	"cpuset.*", "devfs_ruleset", "dying", "enforce_statfs", "exec.clean",
	"exec.jail_user", "exec.stop", "exec.poststop", "exec.prestop",
	"exec.timeout", "host", "host.*", "interface", "ip4", "ip4.*", "ip6",
	"ip6.*", "ip_hostname", "linux", "linux.*", "mount", "mount.*", "noip4",
	"noip6", "os*", "parent", "path", "securelevel", "stop.timeout",
	"sysvmsg", "sysvsem", "sysvshm", "depend" };

/* True if 0, no, false or nothing is not what is asked for. */
static bool
value_true(const char *value)
{
	return value == NULL ||
	       (strcmp(value, "0") != 0 && strcmp(value, "false") != 0 &&
	           strcmp(value, "no") != 0);
}

/* vnet.interface: one or more, with commas between them. */
static int
add_interfaces(struct jail *j, char *value)
{
	char *word;

	while ((word = strsep(&value, ", ")) != NULL) {
		if (*word == '\0')
			continue;
		if (j->if_count == INTERFACES_MAX)
			return cli_error(j->cli, "too many interfaces");
		j->ifs[j->if_count++] = word;
	}
	return 0;
}

/* PARAM or PARAM=VALUE. 0 or the exit status. */
static int
take_param(struct jail *j, char *word)
{
	char *value = strchr(word, '=');

	if (value != NULL)
		*value++ = '\0';
	if (strcmp(word, "name") == 0 || strcmp(word, "jid") == 0) {
		if (value == NULL || *value == '\0')
			return cli_error(j->cli, "%s: value required", word);
		j->name = value;
	} else if (strcmp(word, "persist") == 0) {
		j->persist = value_true(value);
	} else if (strcmp(word, "nopersist") == 0) {
		j->persist = false;
	} else if (strcmp(word, "vnet") == 0) {
		j->vnet = value == NULL || strcmp(value, "new") == 0;
	} else if (strcmp(word, "vnet.interface") == 0) {
		if (value == NULL)
			return cli_error(j->cli, "%s: value required", word);
		return add_interfaces(j, value);
	} else {
		for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
			if (fnmatch(ignored[i], word, 0) == 0)
				return 0;
		return cli_error(j->cli, "unknown parameter: %s", word);
	}
	return 0;
}

static int
take_params(struct jail *j, char **argv)
{
	int status = 0;

	for (; *argv != NULL && status == 0; argv++) {
		if (str_has_prefix(*argv, "command=")) {
			*argv += strlen("command=");
			j->command = **argv != '\0' ? argv : NULL;
			break;
		}
		status = take_param(j, *argv);
	}
	return status;
}

/* A call about the jail; what is refused begins with its name. */
static int
jail_call(struct jail *j, const char *method, const char *name)
{
	int err = coax_call(j->c, method, json_pack("{s:s}", "name", name),
	    NULL, 0, NULL, NULL, 0, NULL);

	return err < 0 ? cli_refused(j->cli, j->c, err) : 0;
}

/* ifconfig IF vnet NAME, as jail(8) runs it. */
static int
move_interface(struct jail *j, const char *name)
{
	struct cli as_ifconfig = *j->cli;
	json_t *argv = json_pack("[s, s, s]", name, "vnet", j->name);
	int err;

	as_ifconfig.program = "ifconfig";
	if (argv == NULL)
		return cli_error(j->cli, "%s: not UTF-8", name);
	err = coax_call(j->c, "ifconfig", json_pack("{s:o}", "argv", argv),
	    NULL, 0, NULL, NULL, 0, NULL);
	if (err == 0)
		return 0;
	(void)cli_refused(&as_ifconfig, j->c, err);
	return cli_error(
	    j->cli, "%s: ifconfig %s vnet %s: failed", j->name, name, j->name);
}

/* The lowest number above all that there are: FreeBSD names a jail without a
 * name by its JID. */
static int
choose_name(struct jail *j, char *name, size_t size)
{
	json_t *list, *row;
	json_int_t id = 0;
	size_t i;

	if (cli_call(j->cli, j->c, "vnet.list", NULL, &list) != 0)
		return 1;
	json_array_foreach(list, i, row) id =
	    COAX_MAX(id, json_integer_value(json_object_get(row, "id")));
	json_decref(list);
	(void)snprintf(name, size, "%lld", (long long)id + 1);
	j->name = name;
	return 0;
}

static void
print_id(struct jail *j)
{
	json_t *row = cli_vnet_row(j->c, j->name);

	if (j->print_id && row != NULL)
		(void)printf("%lld\n",
		    (long long)json_integer_value(json_object_get(row, "id")));
	json_decref(row);
	if (j->verbose && !j->quiet)
		(void)printf(
		    "%s: %s\n", j->name, j->create ? "created" : "modified");
	(void)fflush(stdout);
}

/* The command of a jail, to its end. 0 or the exit status. */
static int
run_command(struct jail *j)
{
	struct netns_spawn_options o = { .enter = {
		                             .user_fd = -1, .net_fd = -1 } };
	int status, err;
	pid_t pid;

	status = cli_open_enter(j->cli, j->name, &o.enter);
	if (status != 0)
		return status;
	o.argv = j->command;
	err = netns_spawn(&o, &pid, NULL);
	fd_close(&o.enter.user_fd);
	fd_close(&o.enter.net_fd);
	if (err < 0)
		return cli_error(j->cli, "%s: %s: %s", j->name, j->command[0],
		    bsd_strerror(err));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return cli_error(
			    j->cli, "%s: %s", j->name, bsd_strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return cli_error(j->cli, "%s: %s: failed", j->name, j->command[0]);
}

/* The processes in a namespace, but for this one: signals them (0: none) and
 * says how many there are. */
static unsigned int
signal_all(json_int_t netns, int sig)
{
	DIR *dir = opendir("/proc");
	unsigned int count = 0;
	struct dirent *e;
	char path[64];
	struct stat st;
	uint32_t pid;

	while (dir != NULL && (e = readdir(dir)) != NULL) {
		if (str_u32(e->d_name, 10, 1, INT32_MAX, &pid) < 0 ||
		    (pid_t)pid == getpid())
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%u/ns/net", pid);
		if (stat(path, &st) < 0 || st.st_ino != (ino_t)netns)
			continue;
		count++;
		if (sig != 0)
			(void)kill((pid_t)pid, sig);
	}
	if (dir != NULL)
		(void)closedir(dir);
	return count;
}

static void
end_processes(const struct jail *j, json_int_t netns)
{
	uint64_t end = clock_now_ns() + STOP_TIMEOUT;
	struct timespec pause = { .tv_nsec = 10 * CLOCK_NS_PER_MSEC };

	if (!j->kill_at_once && signal_all(netns, SIGTERM) > 0) {
		while (signal_all(netns, 0) > 0 && clock_now_ns() < end)
			(void)nanosleep(&pause, NULL);
	}
	while (signal_all(netns, SIGKILL) > 0 &&
	       clock_now_ns() < end + STOP_TIMEOUT)
		(void)nanosleep(&pause, NULL);
}

static int
remove_one(struct jail *j, const char *name)
{
	json_t *row = cli_vnet_row(j->c, name);
	const char *real = json_string_value(json_object_get(row, "name"));
	json_int_t netns = json_integer_value(json_object_get(row, "netns"));
	int status;

	if (row == NULL || real == NULL) {
		json_decref(row);
		return j->quiet ? 1
		                : cli_error(j->cli, "\"%s\" not found", name);
	}
	/* An adopted namespace is its owner's. */
	if (netns != 0 && !json_is_true(json_object_get(row, "adopted")))
		end_processes(j, netns);
	status = jail_call(j, "vnet.destroy", real);
	if (status == 0 && j->verbose && !j->quiet)
		(void)printf("%s: removed\n", real);
	json_decref(row);
	return status;
}

static int
remove_all(struct jail *j)
{
	json_t *list, *row;
	int status;
	size_t i;

	status = cli_call(j->cli, j->c, "vnet.list", NULL, &list);
	if (status != 0)
		return status;
	json_array_foreach(list, i, row)
	{
		const char *name =
		    json_string_value(json_object_get(row, "name"));

		if (name != NULL && *name != '\0' && remove_one(j, name) != 0)
			status = 1;
	}
	json_decref(list);
	return status;
}

static int
remove_jails(struct jail *j, char **names)
{
	int status = 0;

	for (; *names != NULL; names++) {
		if (strcmp(*names, "*") == 0 ? remove_all(j) != 0
		                             : remove_one(j, *names) != 0)
			status = 1;
	}
	return status;
}

static int
make_jail(struct jail *j)
{
	char number[24];
	json_t *row = NULL;
	int status = 0;

	if (j->name == NULL && j->create)
		status = choose_name(j, number, sizeof(number));
	else if (j->name == NULL)
		return cli_error(j->cli, "no jail specified");
	if (status != 0)
		return status;
	row = cli_vnet_row(j->c, j->name);
	if (row != NULL && j->create && !j->modify) {
		json_decref(row);
		return cli_error(j->cli, "jail \"%s\" already exists", j->name);
	}
	if (row == NULL && !j->create)
		return cli_error(j->cli, "\"%s\" not found", j->name);
	if (row != NULL)
		j->create = false;
	json_decref(row);
	if (j->create && !j->vnet)
		return cli_error(j->cli,
		    "%s: a jail is a network stack here: vnet is required",
		    j->name);
	if (j->create && !j->persist && j->command == NULL)
		return cli_error(
		    j->cli, "%s: persist or command is required", j->name);
	if (j->create)
		status = jail_call(j, "vnet.create", j->name);
	if (status != 0)
		return status;
	for (unsigned int i = 0; i < j->if_count && status == 0; i++)
		status = move_interface(j, j->ifs[i]);
	if (status == 0)
		print_id(j);
	if (status == 0 && j->command != NULL)
		status = run_command(j);
	if (j->create && (status != 0 || !j->persist))
		(void)remove_one(j, j->name);
	return status;
}

int
cli_jail(struct cli *cli, int argc, char **argv)
{
	struct jail j = { .cli = cli };
	bool remove = false;
	int opt, status;

	optind = 1;
	opterr = 0;
	while ((opt = getopt(argc, argv, "+cdhilmn:qRrv")) != -1) {
		switch (opt) {
		case 'c':
			j.create = true;
			break;
		case 'm':
			j.modify = true;
			break;
		case 'R':
			j.kill_at_once = true;
			remove = true;
			break;
		case 'r':
			remove = true;
			break;
		case 'i':
			j.print_id = true;
			break;
		case 'n':
			j.name = optarg;
			break;
		case 'q':
			j.quiet = true;
			break;
		case 'v':
			j.verbose = true;
			break;
		case 'd': /* dying jails: there are none */
		case 'h': /* names of hosts are not resolved */
		case 'l': /* the command's environment is the caller's */
			break;
		default:
			return cli_usage(cli, jail_usage);
		}
	}
	argv += optind;
	if (remove == (j.create || j.modify) || (remove && *argv == NULL))
		return cli_usage(cli, jail_usage);
	if (!remove) {
		status = take_params(&j, argv);
		if (status != 0)
			return status;
	}
	j.c = cli_connect(cli);
	if (j.c == NULL)
		return 1;
	status = remove ? remove_jails(&j, argv) : make_jail(&j);
	coax_close(j.c);
	return status;
}

/* --- jls ------------------------------------------------------------------ */

static const struct jls_param {
	const char *name;
	const char *key; /* of the row, or NULL: @value */
	const char *value;
} jls_params[] = {
	{ "jid", "id", NULL },
	{ "name", "name", NULL },
	{ "path", NULL, "/" },
	{ "host.hostname", "name", NULL },
	{ "vnet", NULL, "new" },
	{ "persist", NULL, "true" },
	{ "dying", NULL, "false" },
	{ "parent", NULL, "0" },
	{ "ip4.addr", NULL, "" },
	{ "ip6.addr", NULL, "" },
};

struct jls {
	struct cli *cli;
	bool names, name_column, head, verbose;
	const char *jail;
	const struct jls_param *params[ARRAY_LEN(jls_params) * 4];
	unsigned int count;
};

static void
jls_value(const json_t *row, const struct jls_param *p, struct text *t)
{
	const json_t *v = p->key != NULL ? json_object_get(row, p->key) : NULL;

	if (json_is_integer(v))
		text_printf(t, "%lld", (long long)json_integer_value(v));
	else if (json_is_string(v))
		text_puts(t, json_string_value(v));
	else
		text_puts(t, p->value != NULL ? p->value : "");
}

/* The parameters that were named, in a line. */
static void
jls_line(const struct jls *l, const json_t *row, struct text *t)
{
	for (unsigned int i = 0; i < l->count; i++) {
		text_puts(t, i > 0 ? " " : "");
		if (l->names)
			text_printf(t, "%s=", l->params[i]->name);
		jls_value(row, l->params[i], t);
	}
	text_puts(t, "\n");
}

/* As jls without parameters has it. */
static void
jls_table_line(const struct jls *l, const json_t *row, struct text *t)
{
	const char *name = json_string_value(json_object_get(row, "name"));
	long long id = json_integer_value(json_object_get(row, "id"));

	if (l->verbose) {
		text_printf(t, "%6lld  %-29.29s %.74s\n", id, name, "/");
		text_printf(t, "        %-29.29s %.74s\n", name, "ACTIVE");
		text_printf(t, "        0\n");
	} else if (l->name_column) {
		text_printf(t, " %-15.15s %-15.15s %-29.29s %.74s\n", name, "",
		    name, "/");
	} else {
		text_printf(
		    t, "%6lld  %-15.15s %-29.29s %.74s\n", id, "", name, "/");
	}
}

static void
jls_head(const struct jls *l, struct text *t)
{
	if (l->count > 0) {
		for (unsigned int i = 0; i < l->count; i++)
			text_printf(
			    t, "%s%s", i > 0 ? " " : "", l->params[i]->name);
		text_puts(t, "\n");
	} else if (l->verbose) {
		text_puts(t, "   JID  Hostname                      Path\n"
		             "        Name                          State\n"
		             "        CPUSetID\n");
	} else if (l->name_column) {
		text_puts(t, " JID             IP Address      Hostname"
		             "                      Path\n");
	} else {
		text_puts(t, "   JID  IP Address      Hostname"
		             "                      Path\n");
	}
}

static int
jls_print(struct jls *l, const json_t *list)
{
	struct text out = { 0 };
	bool found = false;
	json_t *row;
	size_t i;

	if (l->head)
		jls_head(l, &out);
	json_array_foreach(list, i, row)
	{
		const char *name =
		    json_string_value(json_object_get(row, "name"));

		if (name == NULL || *name == '\0' ||
		    (l->jail != NULL && !cli_vnet_is(row, l->jail)))
			continue;
		found = true;
		if (l->count > 0)
			jls_line(l, row, &out);
		else
			jls_table_line(l, row, &out);
	}
	if (l->jail != NULL && !found) {
		text_free(&out);
		return cli_error(l->cli, "jail \"%s\" not found", l->jail);
	}
	return cli_put(l->cli, &out);
}

/* A parameter by its name; "all" is each. 0 or the exit status. */
static int
jls_take(struct jls *l, const char *name)
{
	bool all = strcmp(name, "all") == 0, found = false;

	for (size_t i = 0; i < ARRAY_LEN(jls_params); i++) {
		if (!all && strcmp(jls_params[i].name, name) != 0)
			continue;
		if (l->count == ARRAY_LEN(l->params))
			return cli_error(l->cli, "too many parameters");
		l->params[l->count++] = &jls_params[i];
		found = true;
	}
	return found ? 0 : cli_error(l->cli, "unknown parameter: %s", name);
}

int
cli_jls(struct cli *cli, int argc, char **argv)
{
	struct jls l = { .cli = cli };
	json_t *list = NULL;
	struct coax *c;
	int opt, status;
	bool head = false;

	cli_take_json(cli, &argc, argv);
	optind = 1;
	opterr = 0;
	while ((opt = getopt(argc, argv, "+dhNnqsvj:")) != -1) {
		switch (opt) {
		case 'j':
			l.jail = optarg;
			break;
		case 'h':
			head = true;
			break;
		case 'N':
			l.name_column = true;
			break;
		case 'n':
		case 's':
			l.names = true;
			break;
		case 'v':
			l.verbose = true;
			break;
		case 'd': /* dying jails: there are none */
		case 'q': /* no value needs quotes */
			break;
		default:
			return cli_usage(cli, jls_usage);
		}
	}
	for (argv += optind; *argv != NULL; argv++) {
		status = jls_take(&l, *argv);
		if (status != 0)
			return status;
	}
	if (l.names && l.count == 0)
		(void)jls_take(&l, "all");
	l.head = l.count == 0 || head;
	c = cli_connect(cli);
	if (c == NULL)
		return 1;
	status = cli_call(cli, c, "vnet.list", NULL, &list);
	coax_close(c);
	if (status != 0)
		return status;
	if (cli->json) {
		struct text out = { 0 };

		printout_json(list, &out);
		status = cli_put(cli, &out);
	} else {
		status = jls_print(&l, list);
	}
	json_decref(list);
	return status;
}
