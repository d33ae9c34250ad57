/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coax jexec VNET [COMMAND ...]: run a command (else a shell) in a vnet, which
 * is named or numbered.
 *
 * The daemon hands out the vnet's namespace; this program enters it, gets /sys
 * of the new namespace where it may, and becomes the command. Of a vnet that
 * belongs to another user namespace it opens the namespaces itself.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "cli/cli.h"
#include "control/bsderr.h"
#include "os/netns.h"
#include "os/sock.h"

static const char jexec_usage[] =
    "jexec [-l] [-d directory] [-u user | -U user] vnet [command ...]";

struct jexec {
	struct cli *cli;
	bool clean;            /* -l */
	const char *directory; /* -d, or NULL */
	const char *user;      /* -u or -U, or NULL */
};

int
cli_open_enter(
    const struct cli *cli, const char *name, struct netns_enter_options *enter)
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
	if (err == -EACCES &&
	    cli_open_vnet(c, name, &enter->user_fd, &enter->net_fd) == 0)
		enter->enter_user = enter->user_fd >= 0;
	else if (err == -ENOENT && coax_error_object(c) != NULL)
		status = cli_error(cli, "jail \"%s\" not found", name);
	else if (err < 0)
		status = cli_refused(cli, c, err);
	coax_close(c);
	return status;
}

/* -l: nothing of the caller's environment but TERM. */
static void
clean_environment(void)
{
	const char *term = getenv("TERM");
	char *kept = term != NULL ? strdup(term) : NULL;
	/* Without them there would be no BSD environment. */
	static const char *const keep[] = { "PATH", "COAX_SOCKET" };
	char *values[ARRAY_LEN(keep)];

	for (size_t i = 0; i < ARRAY_LEN(keep); i++) {
		const char *v = getenv(keep[i]);

		values[i] = v != NULL ? strdup(v) : NULL;
	}
	(void)clearenv();
	for (size_t i = 0; i < ARRAY_LEN(keep); i++) {
		if (values[i] != NULL)
			(void)setenv(keep[i], values[i], 1);
		free(values[i]);
	}
	if (kept != NULL)
		(void)setenv("TERM", kept, 1);
	free(kept);
}

/* The user, as -u, -U and -l have it. 0 or the exit status. */
static int
become(const struct jexec *j)
{
	const struct passwd *pw =
	    j->user != NULL ? getpwnam(j->user) : getpwuid(geteuid());

	if (j->user != NULL && pw == NULL)
		return cli_error(j->cli, "%s: no such user", j->user);
	if (j->user != NULL &&
	    (initgroups(pw->pw_name, pw->pw_gid) < 0 ||
	        setgid(pw->pw_gid) < 0 || setuid(pw->pw_uid) < 0))
		return cli_error(
		    j->cli, "%s: %s", j->user, bsd_strerror(errno));
	if (j->clean) {
		clean_environment();
		if (pw != NULL) {
			(void)setenv("HOME", pw->pw_dir, 1);
			(void)setenv("USER", pw->pw_name, 1);
			(void)setenv("SHELL",
			    pw->pw_shell[0] != '\0' ? pw->pw_shell : "/bin/sh",
			    1);
		}
	}
	if (j->directory == NULL && j->clean && pw != NULL &&
	    chdir(pw->pw_dir) < 0)
		return cli_error(
		    j->cli, "chdir: %s: %s", pw->pw_dir, bsd_strerror(errno));
	if (j->directory != NULL && chdir(j->directory) < 0)
		return cli_error(
		    j->cli, "chdir: %s: %s", j->directory, bsd_strerror(errno));
	return 0;
}

/* Leading options; index of the jail, or -1: usage. */
static int
parse(struct jexec *j, int argc, char **argv)
{
	int opt;

	optind = 1;
	opterr = 0;
	while ((opt = getopt(argc, argv, "+d:lu:U:")) != -1) {
		switch (opt) {
		case 'd':
			j->directory = optarg;
			break;
		case 'l':
			j->clean = true;
			break;
		case 'u':
		case 'U': /* the user database is the same */
			j->user = optarg;
			break;
		default:
			return -1;
		}
	}
	return optind < argc ? optind : -1;
}

int
cli_jexec(struct cli *cli, int argc, char **argv)
{
	struct netns_enter_options enter = { .user_fd = -1, .net_fd = -1 };
	struct jexec j = { .cli = cli };
	char *shell_argv[2] = { NULL, NULL };
	const char *shell;
	char **command;
	int at = parse(&j, argc, argv);
	int status, err;

	if (at < 0)
		return cli_usage(cli, jexec_usage);
	status = cli_open_enter(cli, argv[at], &enter);
	if (status != 0)
		return status;
	err = netns_enter(&enter);
	fd_close(&enter.user_fd);
	fd_close(&enter.net_fd);
	if (err < 0)
		return cli_error(cli, "vnet \"%s\": cannot enter: %s", argv[at],
		    bsd_strerror(err));
	if (j.clean || j.user != NULL || j.directory != NULL) {
		status = become(&j);
		if (status != 0)
			return status;
	}
	command = argv + at + 1;
	if (*command == NULL) {
		shell = getenv("SHELL");
		shell_argv[0] =
		    strdup(shell != NULL && *shell != '\0' ? shell : "/bin/sh");
		command = shell_argv;
	}
	(void)execvp(command[0], command);
	return cli_error(
	    cli, "execvp(): %s: %s", command[0], bsd_strerror(errno));
}
