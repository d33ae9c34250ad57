/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coax lab [--uplink] [-- COMMAND ...]: private namespaces with a daemon in
 * them, and the BSD names of coax's commands first on the PATH. os/lab.h makes
 * the namespaces and ends everything inside with the command. With --uplink
 * bridge0 leads to where the caller is: uplink.h.
 *
 * coax bsd-env [-- COMMAND ...]: the same for FreeBSD's test programs. The user
 * is root inside, and on the PATH come, before all, the commands that stand for
 * what FreeBSD has and Linux has not, or has otherwise (jail, ping ...).
 *
 * coaxd and the names are found beside this very program, as they are in the
 * build directory; else where they are installed relative to it (../sbin,
 * ../libexec/coax/compat); else coaxd on the PATH.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "cli/cli.h"
#include "cli/uplink.h"
#include "control/bsderr.h"
#include "os/lab.h"

struct lab {
	struct cli *cli;
	bool bsd;           /* bsd-env */
	int uplink;         /* passt's socket, or -1 */
	char **command;     /* NULL: a shell */
	char dir[PATH_MAX]; /* of this program; "" if not known */
	char coaxd[PATH_MAX];
};

/* DIR/NAME into @buf if it can be executed (a directory: searched). */
static bool
find_beside(const char *dir, const char *name, char *buf, size_t size)
{
	struct sbuf b = sbuf_init(buf, size);

	sbuf_printf(&b, "%s/%s", dir, name);
	return dir[0] != '\0' && sbuf_ok(&b) && access(buf, X_OK) == 0;
}

static void
find_programs(struct lab *lab)
{
	ssize_t n = readlink("/proc/self/exe", lab->dir, sizeof(lab->dir) - 1);
	char *slash;

	lab->dir[n > 0 ? n : 0] = '\0';
	slash = strrchr(lab->dir, '/');
	if (slash != NULL)
		*slash = '\0';
	if (!find_beside(lab->dir, "coaxd", lab->coaxd, sizeof(lab->coaxd)) &&
	    !find_beside(
	        lab->dir, "../sbin/coaxd", lab->coaxd, sizeof(lab->coaxd)))
		(void)str_copy(lab->coaxd, sizeof(lab->coaxd), "coaxd");
}

/* The folder of names, or our own. */
static void
find_names(const struct lab *lab, const char *folder, char *buf, size_t size)
{
	char installed[64];

	(void)snprintf(
	    installed, sizeof(installed), "../libexec/coax/%s", folder);
	if (!find_beside(lab->dir, folder, buf, size) &&
	    !find_beside(lab->dir, installed, buf, size))
		(void)str_copy(buf, size, lab->dir);
}

/* PATH=compat:our directory:PATH, for bsd-env with its own before. */
static int
set_path(const struct lab *lab)
{
	const char *path = getenv("PATH");
	char compat[PATH_MAX], bsd[PATH_MAX];
	char *all = NULL;
	int err = 0;

	if (lab->dir[0] == '\0')
		return 0;
	if (path == NULL || *path == '\0')
		path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
		       "/sbin:/bin";
	find_names(lab, "compat", compat, sizeof(compat));
	find_names(lab, "bsd-env", bsd, sizeof(bsd));
	if (asprintf(&all, "%s%s%s:%s:%s", lab->bsd ? bsd : "",
	        lab->bsd ? ":" : "", compat, lab->dir, path) < 0)
		return -ENOMEM;
	if (setenv("PATH", all, 1) < 0)
		err = -errno;
	free(all);
	return err;
}

/*
 * FreeBSD asks for an address anew with a packet that is a second younger than
 * the last; Linux does it every second, for three: a test that waits for one
 * second would come too late. ms between two requests.
 */
#define BSD_RETRANS "net.link.host_retrans=200"

static int
set_bsd(const struct lab *lab)
{
	struct coax *c = cli_connect(lab->cli);
	int status;

	if (c == NULL)
		return 1;
	status = cli_call(lab->cli, c, "sysctl",
	    json_pack("{s:[s]}", "argv", BSD_RETRANS), NULL);
	coax_close(c);
	return status;
}

/* Starts coaxd, which detaches and returns when it is ready. */
static int
start_daemon(const struct lab *lab)
{
	char *argv[] = { (char *)(uintptr_t) "coaxd", (char *)(uintptr_t) "-d",
		(char *)(uintptr_t) "-S", (char *)(uintptr_t)LAB_SOCKET, NULL };
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return cli_error(
		    lab->cli, "cannot start coaxd: %s", bsd_strerror(errno));
	if (pid == 0) {
		(void)execvp(lab->coaxd, argv);
		(void)cli_error(
		    lab->cli, "%s: %s", lab->coaxd, bsd_strerror(errno));
		_exit(1);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return cli_error(lab->cli, "the daemon did not start");
}

static int
inside(void *arg)
{
	struct lab *lab = arg;
	const char *shell = getenv("SHELL");
	char *shell_argv[2] = { NULL, NULL };
	char **command = lab->command;
	int status;

	if (set_path(lab) < 0)
		return cli_error(lab->cli, "cannot set the PATH");
	if (start_daemon(lab) != 0)
		return 1;
	if (lab->bsd && set_bsd(lab) != 0)
		return 1;
	if (lab->uplink >= 0 &&
	    uplink_join(lab->cli, lab->uplink, "bridge0", false) != 0)
		return 1;
	if (command == NULL) {
		shell_argv[0] =
		    strdup(shell != NULL && *shell != '\0' ? shell : "/bin/sh");
		command = shell_argv;
	}
	(void)execvp(command[0], command);
	/* As a shell has it. */
	status = errno == ENOENT ? 127 : 126;
	(void)cli_error(lab->cli, "%s: %s", command[0], bsd_strerror(errno));
	return status;
}

static int
run_lab(struct cli *cli, int argc, char **argv, bool bsd)
{
	static struct lab lab;
	char why[256] = "";
	struct lab_options o = {
		.userns = bsd ? LAB_USERNS_ROOT : LAB_USERNS_AUTO,
		.why = why,
		.why_size = sizeof(why),
	};
	bool uplink = false;
	int i = 1;
	int status;

	if (!bsd && i < argc && strcmp(argv[i], "--uplink") == 0) {
		uplink = true;
		i++;
	}
	if (i < argc && strcmp(argv[i], "--") == 0)
		i++;
	else if (i < argc && argv[i][0] == '-')
		return cli_usage(
		    cli, bsd ? "bsd-env [--] [command ...]"
		             : "lab [--uplink] [--] [command ...]");
	lab.cli = cli;
	lab.bsd = bsd;
	lab.command = i < argc ? argv + i : NULL;
	find_programs(&lab);
	lab.uplink = -1;
	if (uplink && uplink_spawn(cli, NULL, &lab.uplink) != 0)
		return 1;
	(void)fflush(NULL);
	status = lab_run(&o, inside, &lab);
	if (lab.uplink >= 0)
		(void)close(lab.uplink);
	if (status < 0)
		return cli_error(cli, "no lab: %s",
		    why[0] != '\0' ? why : bsd_strerror(status));
	return status;
}

int
cli_lab(struct cli *cli, int argc, char **argv)
{
	return run_lab(cli, argc, argv, false);
}

int
cli_bsd_env(struct cli *cli, int argc, char **argv)
{
	return run_lab(cli, argc, argv, true);
}
