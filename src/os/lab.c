/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Labs: see os/lab.h. Source: namespaces(7), user_namespaces(7),
 * pid_namespaces(7), newuidmap(1).
 *
 * Order of events, C the caller, I the lab's init, on a socket pair:
 *   C clones I with new namespaces; I waits
 *   C writes I's id maps (newuidmap, or by itself) and tells I which kind
 *   I takes its ids and capabilities, mounts, brings lo up, tells 0 or an error
 *   I forks inside(); C passes signals on; I reaps
 *   inside ends; I ends the daemon, which removes what it has made outside of
 *   the lab's own file systems (a sock's path), and exits as inside did
 * A lab that fails to be set up with a user namespace is tried again without
 * one if the caller is root.
 */
#include "os/lab.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "base/util.h"
#include "os/clock.h"
#include "os/netns.h"
#include "os/priv.h"

#define DAEMON_END_NS UINT64_C(2000000000) /* it gets so long to end */
#define DAEMON_ASK_NS 20000000L

/* What the caller has made of the ids; sent to init as its go-ahead. */
enum lab_ids {
	LAB_IDS_NONE = 1, /* no user namespace */
	LAB_IDS_SAME,     /* all ids, unchanged: real root */
	LAB_IDS_ROOT,     /* root inside, with ranges */
	LAB_IDS_OWN,      /* one's own id only */
	LAB_IDS_ALONE,    /* one's own id only, which is root's inside */
};

/* What init reports. */
struct lab_report {
	int err; /* 0 or -errno */
	char what[96];
};

struct lab {
	const struct lab_options *o;
	int (*inside)(void *arg);
	void *arg;
	bool userns; /* of this attempt */
	sigset_t old_mask;
	struct sigaction old_chld;
	char why[256];
};

static int lab_fail(struct lab_report *rep, int err, const char *fmt, ...)
    COAX_PRINTF(3, 4);

static int
lab_fail(struct lab_report *rep, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(rep->what, sizeof(rep->what), fmt, ap);
	va_end(ap);
	rep->err = err;
	return err;
}

/* --- in the lab ---------------------------------------------------------- */

static int
lab_take_ids(enum lab_ids ids, struct lab_report *rep)
{
	int err;

	switch (ids) {
	case LAB_IDS_NONE:
	case LAB_IDS_SAME:
	case LAB_IDS_ALONE:
		return 0;
	case LAB_IDS_ROOT:
		if (setgroups(0, NULL) < 0)
			return lab_fail(rep, -errno, "setgroups");
		if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
			return lab_fail(rep, -errno, "becoming root inside");
		return 0;
	case LAB_IDS_OWN:
		err = priv_caps_through_exec();
		if (err < 0)
			return lab_fail(rep, err, "ambient capabilities");
		return 0;
	}
	COAX_UNREACHABLE();
}

/* Makes a directory below /run again that the environment names. */
static void
lab_runtime_dir(void)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");
	char path[PATH_MAX];
	int n;

	if (dir == NULL || !str_has_prefix(dir, "/run/"))
		return;
	n = snprintf(path, sizeof(path), "%s/x", dir);
	if (n < 0 || (size_t)n >= sizeof(path) || priv_mkdir_for(path, 0700))
		(void)unsetenv("XDG_RUNTIME_DIR");
}

static int
lab_mount(struct lab_report *rep)
{
	const unsigned long safe = MS_NOSUID | MS_NODEV | MS_NOEXEC;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return lab_fail(rep, -errno, "making mounts private");
	if (mount("proc", "/proc", "proc", safe, NULL) < 0)
		return lab_fail(rep, -errno, "mounting /proc");
	/* Containers may hide parts of /sys and then forbid a new one: it goes
	 * on showing the outer namespace's devices. */
	(void)mount("sysfs", "/sys", "sysfs", safe, NULL);
	if (mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") <
	    0)
		return lab_fail(rep, -errno, "mounting a tmpfs on /run");
	if (mkdir("/run/coax", 0700) < 0)
		return lab_fail(rep, -errno, "making /run/coax");
	if (mkdir("/run/lock", 0777) == 0)
		(void)chmod("/run/lock", 01777);
	lab_runtime_dir();
	return 0;
}

/* From the go-ahead to the moment when inside() can start. */
static int
lab_setup(int sock, enum lab_ids ids, struct lab_report *rep)
{
	struct pollfd p = { .fd = sock };
	int err;

	err = lab_take_ids(ids, rep);
	if (err < 0)
		return err;
	/* After the change of credentials, which would undo it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return lab_fail(rep, -errno, "PR_SET_PDEATHSIG");
	if (poll(&p, 1, 0) > 0 && (p.revents & POLLHUP))
		return lab_fail(rep, -ESRCH, "the caller has gone");
	err = lab_mount(rep);
	if (err < 0)
		return err;
	err = netns_lo_up(-1);
	if (err < 0)
		return lab_fail(rep, err, "bringing lo up");
	if (setenv("COAX_SOCKET", LAB_SOCKET, 1) < 0 ||
	    setenv("COAX_LAB", "1", 1) < 0)
		return lab_fail(rep, -ENOMEM, "environment");
	return 0;
}

/*
 * True for a signal that somebody has sent; the terminal's and the kernel's
 * reach the process group without us.
 */
static bool
lab_is_sent(const siginfo_t *info)
{
	return info->si_code <= 0;
}

/* Reaps everything that ends; true with @status when @pid has. */
static bool
lab_reap(pid_t pid, int *status)
{
	int st;
	pid_t ended;

	while ((ended = waitpid(-1, &st, WNOHANG)) > 0) {
		if (ended == pid) {
			*status = st;
			return true;
		}
	}
	return false;
}

static int
lab_exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
	                           : WEXITSTATUS(status);
}

/* Who listens at the lab's socket, or 0. */
static pid_t
lab_daemon(void)
{
	const struct sockaddr_un at = { AF_UNIX, LAB_SOCKET };
	struct ucred who = { 0 };
	socklen_t len = sizeof(who);
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (s < 0)
		return 0;
	if (connect(s, (const struct sockaddr *)&at, sizeof(at)) < 0 ||
	    getsockopt(s, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0)
		who.pid = 0;
	close(s);
	return who.pid;
}

/* The kernel will kill all that is left, at once; the daemon has something to
 * clean up first. */
static void
lab_end_daemon(void)
{
	const struct timespec pause = { .tv_nsec = DAEMON_ASK_NS };
	uint64_t end_ns = clock_now_ns() + DAEMON_END_NS;
	pid_t pid = lab_daemon();
	sigset_t chld;

	if (pid <= 1 || kill(pid, SIGTERM) < 0)
		return;
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	while (clock_now_ns() < end_ns) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (kill(pid, 0) < 0)
			return;
		(void)sigtimedwait(&chld, NULL, &pause);
	}
}

/* Process 1: starts inside(), reaps, ends as it did. */
static _Noreturn void
lab_init(struct lab *lab, int sock)
{
	struct lab_report rep = { 0 };
	uint8_t ids;
	sigset_t all;
	siginfo_t info;
	int status = 0, sig;
	pid_t pid;

	if (read(sock, &ids, sizeof(ids)) != (ssize_t)sizeof(ids))
		_exit(1);
	if (lab_setup(sock, ids, &rep) == 0) {
		pid = fork();
		if (pid < 0)
			(void)lab_fail(&rep, -errno, "fork");
	} else {
		pid = -1;
	}
	if (pid == 0) {
		close(sock);
		(void)sigaction(SIGCHLD, &lab->old_chld, NULL);
		(void)sigprocmask(SIG_SETMASK, &lab->old_mask, NULL);
		status = lab->inside(lab->arg);
		(void)fflush(NULL);
		_exit(status & 0xff);
	}
	if (write(sock, &rep, sizeof(rep)) < 0)
		_exit(1);
	close(sock);
	if (pid < 0)
		_exit(1);

	sigfillset(&all);
	for (;;) {
		sig = sigwaitinfo(&all, &info);
		if (sig == SIGCHLD) {
			if (!lab_reap(pid, &status))
				continue;
			lab_end_daemon();
			_exit(lab_exit_status(status));
		} else if (sig > 0 && lab_is_sent(&info)) {
			(void)kill(pid, sig);
		}
	}
}

/* --- the caller's side: ids ---------------------------------------------- */

static int
lab_write(pid_t pid, const char *file, const char *text)
{
	char path[64];
	size_t len = strlen(text);
	int fd, err = 0;

	(void)snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, len) != (ssize_t)len)
		err = errno != 0 ? -errno : -EIO;
	close(fd);
	return err;
}

/* Maps each id that we have to itself. */
static int
lab_map_same(pid_t pid, const char *file)
{
	char path[64], text[4096];
	unsigned long long first, count;
	struct sbuf b = sbuf_init(text, sizeof(text));
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/self/%s", file);
	f = fopen(path, "re");
	if (f == NULL)
		return -errno;
	while (fscanf(f, "%llu %*u %llu", &first, &count) == 2)
		sbuf_printf(&b, "%llu %llu %llu\n", first, first, count);
	fclose(f);
	if (!sbuf_ok(&b))
		return -E2BIG;
	return lab_write(pid, file, text);
}

/* The first range of a user in /etc/subuid or /etc/subgid. */
static bool
lab_sub_range(const char *file, uint32_t *start, uint32_t *count)
{
	const struct passwd *pw = getpwuid(getuid());
	char line[256], uid[16];
	bool found = false;
	FILE *f;

	(void)snprintf(uid, sizeof(uid), "%lu", (unsigned long)getuid());
	f = fopen(file, "re");
	if (f == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), f) != NULL) {
		char *p = line;
		const char *who = strsep(&p, ":");
		const char *from = strsep(&p, ":");
		const char *many = strsep(&p, ":\n");

		if (strcmp(who, uid) != 0 &&
		    (pw == NULL || strcmp(who, pw->pw_name) != 0))
			continue;
		found = str_u32(from, 10, 1, UINT32_MAX - 1, start) == 0 &&
		        str_u32(many, 10, 1, UINT32_MAX - 1, count) == 0;
	}
	fclose(f);
	return found;
}

/* Runs newuidmap or newgidmap: 0 inside is @own, 1 and on the range. */
static int
lab_map_tool(
    const char *tool, pid_t pid, uint32_t own, uint32_t start, uint32_t count)
{
	char words[4][16];
	const uint32_t values[4] = { (uint32_t)pid, own, start, count };
	int status;
	pid_t child;

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		(void)snprintf(words[i], sizeof(words[i]), "%lu",
		    (unsigned long)values[i]);
	child = fork();
	if (child < 0)
		return -errno;
	if (child == 0) {
		int null = open("/dev/null", O_RDWR);

		/* Its complaint would say nothing: there is another way. */
		if (null >= 0)
			(void)dup2(null, STDERR_FILENO);
		execlp(tool, tool, words[0], "0", words[1], "1", "1", words[2],
		    words[3], (char *)NULL);
		_exit(127);
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EPERM;
}

/* Writes the maps of @pid. Returns an enum lab_ids or -errno. */
static int
lab_map(const struct lab *lab, pid_t pid)
{
	uint32_t ustart, ucount, gstart, gcount;
	char text[64];
	bool alone;
	int err;

	if (!lab->userns)
		return LAB_IDS_NONE;
	if (lab->o->userns != LAB_USERNS_OWN_UID && priv_have_cap(CAP_SETUID) &&
	    priv_have_cap(CAP_SETGID) && geteuid() == 0) {
		err = lab_map_same(pid, "gid_map");
		if (err == 0)
			err = lab_map_same(pid, "uid_map");
		return err < 0 ? err : LAB_IDS_SAME;
	}
	if (lab->o->userns != LAB_USERNS_OWN_UID &&
	    lab_sub_range("/etc/subuid", &ustart, &ucount) &&
	    lab_sub_range("/etc/subgid", &gstart, &gcount) &&
	    lab_map_tool("newuidmap", pid, getuid(), ustart, ucount) == 0 &&
	    lab_map_tool("newgidmap", pid, getgid(), gstart, gcount) == 0)
		return LAB_IDS_ROOT;
	err = lab_write(pid, "setgroups", "deny");
	if (err < 0 && err != -ENOENT)
		return err;
	alone = lab->o->userns == LAB_USERNS_ROOT;
	(void)snprintf(text, sizeof(text), "%lu %lu 1\n",
	    alone ? 0ul : (unsigned long)getegid(), (unsigned long)getegid());
	err = lab_write(pid, "gid_map", text);
	if (err < 0)
		return err;
	(void)snprintf(text, sizeof(text), "%lu %lu 1\n",
	    alone ? 0ul : (unsigned long)geteuid(), (unsigned long)geteuid());
	err = lab_write(pid, "uid_map", text);
	if (err < 0)
		return err;
	return alone ? LAB_IDS_ALONE : LAB_IDS_OWN;
}

/* --- the caller's side: the rest ----------------------------------------- */

/* As fork(), with new namespaces for the child. */
static pid_t
lab_clone(unsigned long flags)
{
#if defined(__s390__)
	return (pid_t)syscall(SYS_clone, NULL, flags | SIGCHLD, 0, 0, 0);
#else
	return (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, 0, 0, 0);
#endif
}

static int
lab_waitpid(pid_t pid, int *status)
{
	while (waitpid(pid, status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* Waits for the lab's end, passing signals on. Exit status or -errno. */
static int
lab_wait(pid_t pid)
{
	siginfo_t info;
	int status, sig;
	sigset_t all;
	pid_t ended;

	sigfillset(&all);
	for (;;) {
		ended = waitpid(pid, &status, WNOHANG);
		if (ended < 0 && errno != EINTR)
			return -errno;
		if (ended == pid)
			return lab_exit_status(status);
		sig = sigwaitinfo(&all, &info);
		if (sig == SIGTSTP)
			(void)raise(SIGSTOP); /* until the shell goes on */
		else if (sig > 0 && sig != SIGCHLD && lab_is_sent(&info))
			(void)kill(pid, sig);
	}
}

/*
 * One attempt. Exit status, or -errno with lab->why; *@started tells whether
 * inside() has run.
 */
static int
lab_try(struct lab *lab, bool *started)
{
	unsigned long flags = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID;
	struct lab_report rep = { 0 };
	int pair[2], ids, err, status;
	uint8_t go;
	ssize_t n;
	pid_t pid;

	*started = false;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		(void)snprintf(lab->why, sizeof(lab->why), "socketpair: %s",
		    strerror(errno));
		return -errno;
	}
	if (lab->userns)
		flags |= CLONE_NEWUSER;
	pid = lab_clone(flags);
	if (pid < 0) {
		err = -errno;
		(void)snprintf(lab->why, sizeof(lab->why),
		    lab->userns ? "user namespaces are not permitted here: %s"
		                : "namespaces are not permitted here: %s",
		    strerror(-err));
		close(pair[0]);
		close(pair[1]);
		return err == -ENOSPC || err == -EINVAL || err == -EUSERS
		           ? -EPERM
		           : err;
	}
	if (pid == 0) {
		close(pair[0]);
		lab_init(lab, pair[1]);
	}
	close(pair[1]);
	ids = lab_map(lab, pid);
	if (ids < 0) {
		(void)lab_fail(&rep, ids, "mapping user ids");
	} else {
		go = (uint8_t)ids;
		n = send(pair[0], &go, sizeof(go), MSG_NOSIGNAL);
		if (n >= 0)
			n = recv(pair[0], &rep, sizeof(rep), 0);
		if (n != (ssize_t)sizeof(rep))
			(void)lab_fail(&rep, -EPROTO, "the lab's init died");
	}
	close(pair[0]);
	if (rep.err < 0) {
		(void)kill(pid, SIGKILL);
		(void)lab_waitpid(pid, &status);
		(void)snprintf(lab->why, sizeof(lab->why), "%.95s: %s",
		    rep.what, strerror(-rep.err));
		return rep.err;
	}
	*started = true;
	return lab_wait(pid);
}

/* Which attempts to make, in order. */
static int
lab_attempts(struct lab *lab)
{
	const bool root = priv_have_cap(CAP_SYS_ADMIN);
	bool started = false;
	int err;

	if (lab->o->userns != LAB_USERNS_NEVER) {
		lab->userns = true;
		err = lab_try(lab, &started);
		if (started || lab->o->userns == LAB_USERNS_OWN_UID || !root)
			return err;
	} else if (!root) {
		(void)snprintf(lab->why, sizeof(lab->why),
		    "a lab without a user namespace needs root");
		return -EPERM;
	}
	lab->userns = false;
	return lab_try(lab, &started);
}

int
lab_run(const struct lab_options *o, int (*inside)(void *arg), void *arg)
{
	static const struct lab_options defaults = { 0 };
	struct sigaction chld = { .sa_handler = SIG_DFL };
	struct lab lab = {
		.o = o != NULL ? o : &defaults,
		.inside = inside,
		.arg = arg,
	};
	pid_t foreground;
	sigset_t all;
	int result;

	(void)fflush(NULL); /* or both would print what is still buffered */
	foreground = tcgetpgrp(STDIN_FILENO);
	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &lab.old_mask);
	(void)sigaction(SIGCHLD, &chld, &lab.old_chld);

	result = lab_attempts(&lab);

	/* A shell inside took the terminal for a group that has gone. SIGTTOU
	 * is blocked. */
	if (foreground > 0 && foreground == getpgrp())
		(void)tcsetpgrp(STDIN_FILENO, foreground);
	(void)sigaction(SIGCHLD, &lab.old_chld, NULL);
	(void)sigprocmask(SIG_SETMASK, &lab.old_mask, NULL);
	if (result < 0 && lab.o->why != NULL && lab.o->why_size > 0)
		(void)snprintf(lab.o->why, lab.o->why_size, "%s", lab.why);
	return result;
}
