/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coax uplink [BRIDGE] [-- OPTION ...]: rootless Internet access for a bridge.
 *
 * passt(1) translates between Ethernet and the sockets of the namespace that it
 * runs in; it needs no privilege. It gets one end of a socket pair, the daemon
 * the other, which becomes a sock(4) on the bridge. No path, no port, nothing
 * to be cleaned up: passt ends when the interface is destroyed, and the
 * interface when passt ends.
 *
 * Whether passt has started is known by its PID file, which is a pipe: the
 * number, or nothing and the end. It gives up being root before it opens the
 * file, so the pipe is open to anybody (who cannot reach it).
 */
#include "cli/uplink.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "control/bsderr.h"

#define PASST    "passt"
#define OURS_MAX 16
#define SAID_MAX 4096

/* What the child needs. */
struct passt {
	char **options;
	int sock, pid_pipe, said_pipe;
};

/* Never returns. */
static _Noreturn void
passt_exec(const struct passt *p)
{
	char sock[16], pid_file[32];
	const char *ours[] = { PASST, "-f", "-q", "-m", "1500", "-F", sock,
		"-P", pid_file };
	size_t count = 0;
	char **argv;
	int null;

	snprintf(sock, sizeof(sock), "%d", p->sock);
	snprintf(pid_file, sizeof(pid_file), "/dev/fd/%d", p->pid_pipe);
	while (p->options != NULL && p->options[count] != NULL)
		count++;
	argv = calloc(ARRAY_LEN(ours) + count + 1, sizeof(*argv));
	null = open("/dev/null", O_RDWR);
	if (argv == NULL || null < 0)
		_exit(1);
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		argv[i] = (char *)(uintptr_t)ours[i];
	for (size_t i = 0; i < count; i++)
		argv[ARRAY_LEN(ours) + i] = p->options[i];
	(void)dup2(null, 0);
	(void)dup2(null, 1);
	(void)dup2(p->said_pipe, 2);
	(void)fcntl(p->sock, F_SETFD, 0);
	(void)fcntl(p->pid_pipe, F_SETFD, 0);
	/* What it says later nobody hears, and it is not to die of that. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)execvp(argv[0], argv);
	(void)fprintf(stderr, "%s%s\n", bsd_strerror(errno),
	    errno == ENOENT ? " (is it installed?)" : "");
	_exit(127);
}

/* A grandchild, so that nobody has to wait for it. */
static int
passt_start(const struct passt *p)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		(void)setsid();
		pid = fork();
		if (pid == 0)
			passt_exec(p);
		_exit(pid < 0);
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return 0;
}

/* Everything until the end of a pipe, or what fits. */
static size_t
read_all(int fd, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (
	    len < size - 1 && ((n = read(fd, buf + len, size - 1 - len)) > 0 ||
	                          (n < 0 && errno == EINTR)))
		len += n > 0 ? (size_t)n : 0;
	buf[len] = '\0';
	return len;
}

/* Passes on what passt said when it failed, but for complaints about the system
 * log, and not its usage. Return: 1. */
static int
passt_failed(const struct cli *cli, int said_fd)
{
	char said[SAID_MAX], *line, *save = NULL;
	bool any = false;

	(void)read_all(said_fd, said, sizeof(said));
	for (line = strtok_r(said, "\n", &save);
	     line != NULL && strstr(line, "Usage") == NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		if (strstr(line, "syslog") != NULL)
			continue;
		(void)cli_error(cli, "%s: %s", PASST, line);
		any = true;
	}
	if (!any)
		(void)cli_error(cli, "%s: it did not start", PASST);
	return 1;
}

int
uplink_spawn(const struct cli *cli, char **options, int *fd_out)
{
	int socks[2] = { -1, -1 }, pids[2] = { -1, -1 }, said[2] = { -1, -1 };
	struct passt p = { .options = options };
	char number[32];
	int status;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socks) < 0 ||
	    pipe2(pids, O_CLOEXEC) < 0 || fchmod(pids[1], 0666) < 0 ||
	    pipe2(said, O_CLOEXEC) < 0) {
		status = cli_error(cli, "uplink: %s", bsd_strerror(errno));
		goto out;
	}
	p.sock = socks[1];
	p.pid_pipe = pids[1];
	p.said_pipe = said[1];
	status = passt_start(&p);
	if (status < 0) {
		status = cli_error(cli, "uplink: %s", bsd_strerror(status));
		goto out;
	}
	(void)close(socks[1]);
	(void)close(pids[1]);
	(void)close(said[1]);
	socks[1] = pids[1] = said[1] = -1;
	status = 0;
	if (read(pids[0], number, sizeof(number)) <= 0)
		status = passt_failed(cli, said[0]);

out:
	for (int i = 0; i < 2; i++) {
		if (pids[i] >= 0)
			(void)close(pids[i]);
		if (said[i] >= 0)
			(void)close(said[i]);
		if (socks[i] >= 0 && (i == 1 || status != 0))
			(void)close(socks[i]);
	}
	if (status == 0)
		*fd_out = socks[0];
	return status;
}

/* An ifconfig line. */
static int
ifconfig(struct cli *cli, struct coax *c, json_t *argv)
{
	return cli_call(
	    cli, c, "ifconfig", json_pack("{s:o}", "argv", argv), NULL);
}

int
uplink_join(struct cli *cli, int fd, const char *bridge, bool show)
{
	struct coax *c = cli_connect(cli);
	json_t *result = NULL;
	const char *name;
	int status;

	if (c == NULL) {
		(void)close(fd);
		return 1;
	}
	status = coax_call(
	    c, "sock.open", json_object(), &fd, 1, &result, NULL, 0, NULL);
	(void)close(fd); /* the daemon has its own */
	if (status < 0) {
		status = cli_refused(cli, c, status);
		coax_close(c);
		return status;
	}
	name = json_string_value(json_object_get(result, "name"));
	status = ifconfig(cli, c, json_pack("[s,s]", name, "up"));
	if (status == 0 && bridge != NULL)
		status = ifconfig(cli, c,
		    json_pack(
		        "[s,s,s,s,s]", bridge, "create", "addm", name, "up"));
	if (status != 0)
		(void)ifconfig(cli, c, json_pack("[s,s]", name, "destroy"));
	else if (show)
		(void)puts(name);
	json_decref(result);
	coax_close(c);
	return status;
}

/* One that is there must be a bridge. 0 or 1, said. */
static int
bridge_check(const struct cli *cli, struct coax *c, const char *name)
{
	json_t *iface = NULL;
	const char *kind;
	int status = 0;

	if (coax_call(c, "iface.get", json_pack("{s:s}", "name", name), NULL, 0,
	        &iface, NULL, 0, NULL) < 0)
		return 0; /* it is made */
	kind = json_string_value(json_object_get(iface, "kind"));
	if (kind != NULL && strcmp(kind, "bridge") != 0)
		status = cli_error(cli, "uplink: %s is no bridge", name);
	json_decref(iface);
	return status;
}

int
cli_uplink(struct cli *cli, int argc, char **argv)
{
	const char *bridge = NULL;
	int i = 1, fd, status;
	struct coax *c;

	if (i < argc && argv[i][0] != '-')
		bridge = argv[i++];
	if (i < argc && strcmp(argv[i], "--") != 0)
		return cli_usage(cli, "uplink [bridge] [-- passt-option ...]");
	/* Not to start passt in vain. */
	c = cli_connect(cli);
	if (c == NULL)
		return 1;
	status = bridge != NULL ? bridge_check(cli, c, bridge) : 0;
	coax_close(c);
	if (status != 0)
		return status;
	status = uplink_spawn(cli, i < argc ? argv + i + 1 : NULL, &fd);
	if (status != 0)
		return status;
	return uplink_join(cli, fd, bridge, true);
}
