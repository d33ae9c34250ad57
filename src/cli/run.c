/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coax run -- COMMAND ...: a program with the preload library, so that its
 * /dev/tap, /dev/tapN and /dev/net/tun are coax's.
 *
 * coax tap NAME -- COMMAND ...: a program that inherits an open tap, for those
 * which no preload reaches. The descriptor is number 3, announced as systemd
 * does (LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES), and "{fd}" and "{name}" in the
 * arguments are replaced.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "base/util.h"
#include "cli/cli.h"
#include "coax/tap.h"
#include "control/bsderr.h"
#include "lib/plain.h"

#define SHIM      "libcoax-shim.so"
#define LISTEN_FD 3 /* SD_LISTEN_FDS_START */

/* The words from the command on, or NULL. */
static char **
command_of(int argc, char **argv, int i)
{
	if (i < argc && strcmp(argv[i], "--") == 0)
		i++;
	return i < argc ? argv + i : NULL;
}

/* Becomes the command. Return: exit status, as a shell has it. */
static int
become(const struct cli *cli, char **command)
{
	int status;

	(void)fflush(NULL);
	(void)execvp(command[0], command);
	status = errno == ENOENT ? 127 : 126;
	(void)cli_error(cli, "%s: %s", command[0], bsd_strerror(errno));
	return status;
}

/* The library: beside this program, or where it is installed relative to it,
 * else wherever the loader finds it. */
static void
find_shim(char *buf, size_t size)
{
	static const char *const places[] = { "", "/../" COAX_LIBDIR };
	char dir[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	char *slash;

	dir[n > 0 ? n : 0] = '\0';
	slash = strrchr(dir, '/');
	for (size_t i = 0; slash != NULL && i < ARRAY_LEN(places); i++) {
		struct sbuf b = sbuf_init(buf, size);

		*slash = '\0';
		sbuf_printf(&b, "%s%s/%s", dir, places[i], SHIM);
		if (sbuf_ok(&b) && access(buf, R_OK) == 0)
			return;
	}
	(void)str_copy(buf, size, SHIM);
}

/* NAME=VALUE, or VALUE before what NAME has now. */
static int
set_variable(const struct cli *cli, const char *name, const char *value,
    const char *separator)
{
	const char *old = separator != NULL ? getenv(name) : NULL;
	char *all = NULL;
	int err = 0;

	if (old == NULL || *old == '\0')
		old = separator = "";
	if (asprintf(&all, "%s%s%s", value, separator, old) < 0)
		return cli_error(cli, "out of memory");
	if (setenv(name, all, 1) < 0)
		err = cli_error(cli, "%s: %s", name, bsd_strerror(errno));
	free(all);
	return err;
}

/* The socket as an absolute path: the command may go elsewhere. */
static int
set_socket(const struct cli *cli)
{
	char path[108];
	char full[PATH_MAX];
	int err;

	if (cli->socket != NULL)
		err = str_copy(path, sizeof(path), cli->socket);
	else
		err = plain_socket_path(path, sizeof(path));
	if (err < 0)
		return cli_error(cli, "socket: %s", bsd_strerror(err));
	if (realpath(path, full) == NULL)
		return cli_error(cli, "%s: %s", path, bsd_strerror(errno));
	return set_variable(cli, "COAX_SOCKET", full, NULL);
}

/* The file that execvp(3) would execute, opened; or -1. */
static int
open_command(const char *name)
{
	const char *path = getenv("PATH");
	char file[PATH_MAX];
	int fd;

	if (strchr(name, '/') != NULL)
		return open(name, O_RDONLY | O_CLOEXEC);
	while (path != NULL && *path != '\0') {
		int len = (int)strcspn(path, ":");
		struct sbuf b = sbuf_init(file, sizeof(file));

		sbuf_printf(&b, "%.*s/%s", len, path, name);
		if (sbuf_ok(&b) && access(file, X_OK) == 0) {
			fd = open(file, O_RDONLY | O_CLOEXEC);
			if (fd >= 0)
				return fd;
		}
		path += len;
		if (*path == ':')
			path++;
	}
	return -1;
}

/* Is it an ELF program without a loader? */
static bool
is_static(int fd)
{
	Elf64_Ehdr eh;
	Elf64_Phdr ph;

	if (pread(fd, &eh, sizeof(eh), 0) != (ssize_t)sizeof(eh) ||
	    memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0 ||
	    eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_phentsize != sizeof(ph))
		return false;
	for (int i = 0; i < eh.e_phnum; i++) {
		off_t at = (off_t)eh.e_phoff + i * (off_t)sizeof(ph);

		if (pread(fd, &ph, sizeof(ph), at) != (ssize_t)sizeof(ph) ||
		    ph.p_type == PT_INTERP)
			return false;
	}
	return true;
}

/* Tells of what the loader will not preload into. */
static void
warn_unreachable(const struct cli *cli, const char *name)
{
	int fd = open_command(name);
	struct stat st;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && (st.st_mode & (S_ISUID | S_ISGID)) != 0 &&
	    geteuid() != 0)
		(void)cli_error(cli,
		    "%s is set-user-ID or set-group-ID: "
		    "it will not see coax's devices",
		    name);
	else if (is_static(fd))
		(void)cli_error(cli,
		    "%s is statically linked: "
		    "it will not see coax's devices",
		    name);
	(void)close(fd);
}

int
cli_run(struct cli *cli, int argc, char **argv)
{
	char **command = command_of(argc, argv, 1);
	char shim[PATH_MAX];
	struct coax *c;

	if (command == NULL || command[0][0] == '-')
		return cli_usage(cli, "run [--] command ...");
	c = cli_connect(cli);
	if (c == NULL)
		return 1;
	coax_close(c);
	find_shim(shim, sizeof(shim));
	if (strpbrk(shim, ": ") != NULL)
		return cli_error(cli,
		    "%s: the loader takes no path with a "
		    "blank or colon",
		    shim);
	if (set_socket(cli) != 0 ||
	    set_variable(cli, "LD_PRELOAD", shim, ":") != 0)
		return 1;
	warn_unreachable(cli, command[0]);
	return become(cli, command);
}

/* @word with each @from replaced by @to; owned, or NULL. */
static char *
replace(const char *word, const char *from, const char *to)
{
	size_t len = strlen(from);
	char *out = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&out, &size);

	if (f == NULL)
		return NULL;
	while (*word != '\0') {
		if (strncmp(word, from, len) == 0) {
			(void)fputs(to, f);
			word += len;
		} else {
			(void)fputc(*word++, f);
		}
	}
	if (fclose(f) != 0) {
		free(out);
		return NULL;
	}
	return out;
}

static int
hand_over(struct cli *cli, char **command, int fd, const char *name)
{
	char number[16], pid[16];
	struct sbuf b = sbuf_init(number, sizeof(number));
	struct sbuf p = sbuf_init(pid, sizeof(pid));
	char *word;

	/* Number 3 without close-on-exec, whatever it is now. */
	if (fd == LISTEN_FD ? fcntl(fd, F_SETFD, 0) < 0
	                    : dup2(fd, LISTEN_FD) < 0)
		return cli_error(cli, "%s: %s", name, bsd_strerror(errno));
	sbuf_printf(&b, "%d", LISTEN_FD);
	sbuf_printf(&p, "%d", (int)getpid());
	if (set_variable(cli, "LISTEN_FDS", "1", NULL) != 0 ||
	    set_variable(cli, "LISTEN_PID", pid, NULL) != 0 ||
	    set_variable(cli, "LISTEN_FDNAMES", name, NULL) != 0)
		return 1;
	for (int i = 0; command[i] != NULL; i++) {
		word = replace(command[i], "{fd}", number);
		command[i] =
		    word != NULL ? replace(word, "{name}", name) : NULL;
		free(word);
		if (command[i] == NULL)
			return cli_error(cli, "out of memory");
	}
	return become(cli, command);
}

int
cli_tap(struct cli *cli, int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "-";
	char **command = command_of(argc, argv, 2);
	char ifname[COAX_TAP_NAME_MAX];
	struct coax *c;
	int fd;

	if (command == NULL || name[0] == '-')
		return cli_usage(cli, "tap name [--] command ...");
	c = cli_connect(cli);
	if (c == NULL)
		return 1;
	/* As with ifconfig: the kind alone is a new one. */
	fd = coax_tap_call(c, strcmp(name, "tap") == 0 ? NULL : name, ifname);
	if (fd < 0) {
		fd = cli_refused(cli, c, fd);
		coax_close(c);
		return fd;
	}
	coax_close(c);
	return hand_over(cli, command, fd, ifname);
}
