/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Capabilities, limits, paths and randomness: see os/priv.h. Source:
 * capabilities(7), user_namespaces(7), machine-id(5), getrandom(2).
 */
#include "os/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/str.h"

#define PRIV_NOBODY 65534
#ifndef MOUNT_ATTR_RDONLY
#define MOUNT_ATTR_RDONLY 0x00000001
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

#define PRIV_TMP_PREFIX "/tmp/coax-"

static int
priv_capget(struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct hdr = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};

	return syscall(SYS_capget, &hdr, data) < 0 ? -errno : 0;
}

bool
priv_have_cap(int cap)
{
	struct __user_cap_data_struct data[2];

	ASSERT(cap >= 0 && cap < 64);
	if (priv_capget(data) < 0)
		return false;
	return (data[cap / 32].effective & (1u << cap % 32)) != 0;
}

int
priv_drop_caps(uint64_t keep)
{
	struct __user_cap_header_struct hdr = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];
	int err;

	err = priv_capget(data);
	if (err < 0)
		return err;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 &&
	    errno != EINVAL)
		return -errno;
	/* The bounding set first: it takes a capability to shrink it. */
	for (int cap = 0; cap < 64; cap++) {
		int set = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (set < 0)
			break; /* the kernel knows no more */
		if (set == 0 || (keep & (UINT64_C(1) << cap)) != 0)
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 &&
		    errno != EPERM) /* bounded already if we may not */
			return -errno;
	}
	for (int i = 0; i < 2; i++) {
		uint32_t mask = (uint32_t)(keep >> (32 * i));

		data[i].effective &= mask;
		data[i].permitted &= mask;
		data[i].inheritable &= mask;
	}
	return syscall(SYS_capset, &hdr, data) < 0 ? -errno : 0;
}

int
priv_caps_through_exec(void)
{
	struct __user_cap_header_struct hdr = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];
	int err = priv_capget(data);

	if (err < 0)
		return err;
	for (int i = 0; i < 2; i++)
		data[i].inheritable = data[i].permitted;
	if (syscall(SYS_capset, &hdr, data) < 0)
		return -errno;
	for (int cap = 0; cap < 64; cap++) {
		if ((data[cap / 32].permitted & (1u << cap % 32)) == 0)
			continue;
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return -errno;
	}
	return 0;
}

/* Mounts of the process's namespace, all of them; Linux 5.12. */
static void
mounts_read_only(void)
{
	/* struct mount_attr */
	const uint64_t attr[4] = { MOUNT_ATTR_RDONLY };

	(void)syscall(
	    SYS_mount_setattr, -1, "/", AT_RECURSIVE, attr, sizeof(attr));
}

int
priv_confine(uint64_t keep)
{
	struct __user_cap_header_struct hdr = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[2] = { 0 };
	int err;

	if (unshare(CLONE_NEWNS) == 0 &&
	    mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0)
		mounts_read_only();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return -errno;
	/* Who has no others' rights cannot change the user either. */
	if (syscall(SYS_setgroups, 0, NULL) == 0 &&
	    syscall(SYS_setresgid, PRIV_NOBODY, PRIV_NOBODY, PRIV_NOBODY) ==
	        0 &&
	    syscall(SYS_setresuid, PRIV_NOBODY, PRIV_NOBODY, PRIV_NOBODY) < 0)
		return -errno;
	/* Effective capabilities went with the user, permitted ones did not. */
	err = priv_capget(data);
	if (err < 0)
		return err;
	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted;
	if (syscall(SYS_capset, &hdr, data) < 0)
		return -errno;
	err = priv_drop_caps(keep);
	return err == 0 ? priv_caps_through_exec() : err;
}

int
priv_try_userns(void)
{
	int status;
	pid_t pid;

	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		/* Some systems give a user namespace without any rights. */
		if (unshare(CLONE_NEWUSER) < 0 || unshare(CLONE_NEWNET) < 0)
			_exit(errno & 0xff);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (!WIFEXITED(status))
		return -EPERM; /* a sandbox killed it */
	return -WEXITSTATUS(status);
}

int
priv_raise_nofile(uint64_t *limit)
{
	struct rlimit rl, high;
	int err = 0;

	if (getrlimit(RLIMIT_NOFILE, &rl) < 0)
		return -errno;
	high = rl;
	high.rlim_cur = high.rlim_max;
	if (rl.rlim_cur != high.rlim_cur) {
		if (setrlimit(RLIMIT_NOFILE, &high) < 0)
			err = -errno;
		else
			rl = high;
	}
	if (limit != NULL)
		*limit = rl.rlim_cur;
	return err;
}

/* 0 if a directory does not exist or is ours alone; else -EPERM. */
static int
priv_check_tmp(const char *dir)
{
	struct stat st;

	if (lstat(dir, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
	    (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return -EPERM;
	return 0;
}

int
priv_socket_path(char *buf, size_t size)
{
	const char *env = getenv("COAX_SOCKET");
	char path[PATH_MAX];
	int n, err;

	if (env != NULL && *env != '\0')
		return str_copy(buf, size, env);
	if (geteuid() == 0)
		return str_copy(buf, size, "/run/coax/coax.sock");
	env = getenv("XDG_RUNTIME_DIR");
	if (env != NULL && *env == '/') {
		n = snprintf(path, sizeof(path), "%s/coax/coax.sock", env);
	} else {
		n = snprintf(path, sizeof(path), PRIV_TMP_PREFIX "%lu",
		    (unsigned long)geteuid());
		err = priv_check_tmp(path);
		if (err < 0)
			return err;
		n = snprintf(path, sizeof(path),
		    PRIV_TMP_PREFIX "%lu/coax.sock", (unsigned long)geteuid());
	}
	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	return str_copy(buf, size, path);
}

int
priv_mkdir_for(const char *path, mode_t mode)
{
	char own_tmp[64], dir[PATH_MAX];
	struct stat st;

	(void)snprintf(own_tmp, sizeof(own_tmp), PRIV_TMP_PREFIX "%lu",
	    (unsigned long)geteuid());
	if (str_copy(dir, sizeof(dir), path) < 0)
		return -ENAMETOOLONG;
	/* Each prefix that ends before a slash, the root left out. */
	for (char *p = dir + (dir[0] == '/'); (p = strchr(p, '/')) != NULL;
	     p++) {
		int err = 0;

		*p = '\0';
		if (mkdir(dir, mode) < 0) {
			if (errno != EEXIST && errno != EROFS &&
			    errno != EACCES)
				return -errno;
			err = -errno;
		} else if (chmod(dir, mode) < 0) { /* whatever umask says */
			return -errno;
		}
		if (stat(dir, &st) < 0)
			return errno == ENOENT && err < 0 ? err : -errno;
		if (!S_ISDIR(st.st_mode))
			return -ENOTDIR;
		if (strcmp(dir, own_tmp) == 0 && priv_check_tmp(dir) < 0)
			return -EPERM;
		*p = '/';
	}
	return 0;
}

static int
priv_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

int
priv_machine_id(uint8_t id[16])
{
	static const char *const paths[] = {
		"/etc/machine-id",
		"/var/lib/dbus/machine-id",
	};
	char text[33] = { 0 };
	uint8_t out[16];
	ssize_t n = -1;

	for (size_t i = 0; i < 2 && n < 0; i++) {
		int fd = open(paths[i], O_RDONLY | O_CLOEXEC | O_NOCTTY);

		if (fd < 0)
			continue;
		n = read(fd, text, sizeof(text));
		close(fd);
	}
	if (n < 0)
		return -ENOENT;
	if (n < 32 || (n == 33 && text[32] != '\n'))
		return -EINVAL; /* "uninitialized" during the first boot */
	for (size_t i = 0; i < sizeof(out); i++) {
		int high = priv_hex_digit(text[2 * i]);
		int low = priv_hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		out[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(id, out, sizeof(out));
	return 0;
}

void
priv_random(void *buf, size_t size)
{
	uint8_t *p = buf;

	while (size > 0) {
		ssize_t n = getrandom(p, size, 0);

		ASSERT(n > 0 || errno == EINTR);
		if (n > 0) {
			p += n;
			size -= (size_t)n;
		}
	}
}

int
priv_group(const char *name, gid_t *gid)
{
	struct group *found, grp;
	char buf[4096];
	uint32_t number;
	int err;

	err = getgrnam_r(name, &grp, buf, sizeof(buf), &found);
	if (err == 0 && found != NULL) {
		*gid = grp.gr_gid;
		return 0;
	}
	if (str_u32(name, 10, 0, UINT32_MAX - 1, &number) == 0) {
		*gid = number;
		return 0;
	}
	return err == ERANGE ? -ERANGE : -ENOENT;
}
