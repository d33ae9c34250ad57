/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libcoax-shim.so: /dev/tap, /dev/tapN and /dev/net/tun for programs that know
 * nothing of coax.  "coax run" preloads it; coax-run(1) says what works.
 *
 * This file has the functions of the C library that are taken over, and only
 * them: open and its variants, creat, fopen, stat and its variants, access,
 * socket, ioctl.
 * Each looks at its arguments and, nearly always, calls the original. Reading,
 * writing and waiting are never touched: the descriptor is a socket on which
 * they do what they do on a tap.
 *
 * There is nothing to initialise, no memory is taken, no lock held: a call may
 * come at any time, from any thread, before main(), after fork().  The
 * originals are looked up when they are first needed; two threads that do so at
 * once write the same pointer.
 *
 * Not taken over, hence out of reach: raw system calls, static programs,
 * set-user-ID programs (the loader ignores the preload), freopen(3) and
 * whatever else the C library opens for itself, paths written otherwise.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "coax/tap.h"
#include "shim/ioctls.h"

#define EXPORT __attribute__((visibility("default")))

/* Device numbers: NetBSD's of tap, Linux's of tun. */
#define TAP_MAJOR  169
#define TAP_CLONER 0xfffff
#define TUN_MAJOR  10
#define TUN_MINOR  200

/* The original of a function, in a static pointer of its type. */
#define REAL_OR(failed, name, ...)                          \
	static __typeof__(name) *real;                      \
	if (real == NULL && (real = find(#name)) == NULL) { \
		errno = ENOSYS;                             \
		return failed;                              \
	}                                                   \
	return real(__VA_ARGS__)
#define REAL(name, ...) REAL_OR(-1, name, __VA_ARGS__)

/* Variants that no header of ours declares. */
int __open(const char *path, int flags, ...);
int __open64(const char *path, int flags, ...);
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);
int __openat64_2(int dir, const char *path, int flags);
int __xstat(int version, const char *path, struct stat *st);
int __xstat64(int version, const char *path, struct stat64 *st);
int __lxstat(int version, const char *path, struct stat *st);
int __lxstat64(int version, const char *path, struct stat64 *st);
int __fxstatat(
    int version, int dir, const char *path, struct stat *st, int flags);
int __fxstatat64(
    int version, int dir, const char *path, struct stat64 *st, int flags);

/* The next one in the order of the loader. */
static void *
find(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

/* As the C library returns it. */
static int
result(int n)
{
	if (n >= 0)
		return n;
	errno = -n;
	return -1;
}

/* Does this path name one of ours? */
static enum shim_path
ours(const char *path, unsigned int *unit)
{
	enum shim_path what = shim_path(path, unit);

	return what != SHIM_PATH_NONE && shim_off() ? SHIM_PATH_NONE : what;
}

/* --- open -------------------------------------------------------------------
 */

/* The mode is there only if a file may be made. */
static mode_t
mode_of(int flags, va_list ap)
{
	if ((flags & O_CREAT) == 0 && (flags & O_TMPFILE) != O_TMPFILE)
		return 0;
	return (mode_t)va_arg(ap, unsigned int);
}

#define OPEN(name)                                                   \
	EXPORT int name(const char *path, int flags, ...)            \
	{                                                            \
		unsigned int unit;                                   \
		enum shim_path what = ours(path, &unit);             \
		mode_t mode;                                         \
		va_list ap;                                          \
                                                                     \
		if (what != SHIM_PATH_NONE)                          \
			return result(shim_open(what, unit, flags)); \
		va_start(ap, flags);                                 \
		mode = mode_of(flags, ap);                           \
		va_end(ap);                                          \
		REAL(name, path, flags, mode);                       \
	}

#define OPENAT(name)                                                 \
	EXPORT int name(int dir, const char *path, int flags, ...)   \
	{                                                            \
		unsigned int unit;                                   \
		enum shim_path what = ours(path, &unit);             \
		mode_t mode;                                         \
		va_list ap;                                          \
                                                                     \
		if (what != SHIM_PATH_NONE)                          \
			return result(shim_open(what, unit, flags)); \
		va_start(ap, flags);                                 \
		mode = mode_of(flags, ap);                           \
		va_end(ap);                                          \
		REAL(name, dir, path, flags, mode);                  \
	}

#define OPEN_2(name)                                                 \
	EXPORT int name(const char *path, int flags)                 \
	{                                                            \
		unsigned int unit;                                   \
		enum shim_path what = ours(path, &unit);             \
                                                                     \
		if (what != SHIM_PATH_NONE)                          \
			return result(shim_open(what, unit, flags)); \
		REAL(name, path, flags);                             \
	}

#define OPENAT_2(name)                                               \
	EXPORT int name(int dir, const char *path, int flags)        \
	{                                                            \
		unsigned int unit;                                   \
		enum shim_path what = ours(path, &unit);             \
                                                                     \
		if (what != SHIM_PATH_NONE)                          \
			return result(shim_open(what, unit, flags)); \
		REAL(name, dir, path, flags);                        \
	}

OPEN(open)
OPEN(open64)
OPEN(__open)
OPEN(__open64)
OPENAT(openat)
OPENAT(openat64)
OPEN_2(__open_2)
OPEN_2(__open64_2)
OPENAT_2(__openat_2)
OPENAT_2(__openat64_2)

/* Theirs would make a file of that name, for root. */
#define CREAT(name)                                                     \
	EXPORT int name(const char *path, mode_t mode)                  \
	{                                                               \
		unsigned int unit;                                      \
		enum shim_path what = ours(path, &unit);                \
                                                                        \
		if (what != SHIM_PATH_NONE)                             \
			return result(shim_open(                        \
			    what, unit, O_WRONLY | O_CREAT | O_TRUNC)); \
		REAL(name, path, mode);                                 \
	}

/* The flags of fopen(3)'s mode, or -EINVAL. */
static int
flags_of(const char *mode)
{
	int flags;

	switch (mode[0]) {
	case 'r':
		flags = O_RDONLY;
		break;
	case 'w':
		flags = O_WRONLY | O_CREAT | O_TRUNC;
		break;
	case 'a':
		flags = O_WRONLY | O_CREAT | O_APPEND;
		break;
	default:
		return -EINVAL;
	}
	for (mode++; *mode != '\0' && *mode != ','; mode++) {
		if (*mode == '+')
			flags = (flags & ~O_ACCMODE) | O_RDWR;
		else if (*mode == 'e')
			flags |= O_CLOEXEC;
		else if (*mode == 'x')
			flags |= O_EXCL;
	}
	return flags;
}

static FILE *
stream(enum shim_path what, unsigned int unit, const char *mode)
{
	int flags = flags_of(mode);
	int fd = result(flags < 0 ? flags : shim_open(what, unit, flags));
	FILE *f;
	int saved;

	if (fd < 0)
		return NULL;
	f = fdopen(fd, mode);
	if (f == NULL) {
		saved = errno;
		close(fd);
		errno = saved;
	}
	return f;
}

#define FOPEN(name)                                           \
	EXPORT FILE *name(const char *path, const char *mode) \
	{                                                     \
		unsigned int unit;                            \
		enum shim_path what = ours(path, &unit);      \
                                                              \
		if (what != SHIM_PATH_NONE)                   \
			return stream(what, unit, mode);      \
		REAL_OR(NULL, name, path, mode);              \
	}

CREAT(creat)
CREAT(creat64)
FOPEN(fopen)
FOPEN(fopen64)

/* --- stat -------------------------------------------------------------------
 */

static dev_t
device_of(enum shim_path what, unsigned int unit)
{
	if (what == SHIM_PATH_TUN)
		return makedev(TUN_MAJOR, TUN_MINOR);
	return makedev(TAP_MAJOR, what == SHIM_PATH_TAP ? TAP_CLONER : unit);
}

/* A character device that everybody may open: struct stat or stat64. */
#define FILL(out)                                                   \
	do {                                                        \
		__typeof__(*(out)) is = {                           \
			.st_mode = S_IFCHR | 0666,                  \
			.st_nlink = 1,                              \
			.st_rdev = device_of(what, unit),           \
			.st_blksize = 4096,                         \
		};                                                  \
                                                                    \
		is.st_ino = (unsigned int)is.st_rdev | 0x70000000;  \
		return result(shim_copy_out(out, &is, sizeof(is))); \
	} while (0)

#define STAT(name, type)                                   \
	EXPORT int name(const char *path, struct type *st) \
	{                                                  \
		unsigned int unit;                         \
		enum shim_path what = ours(path, &unit);   \
                                                           \
		if (what != SHIM_PATH_NONE)                \
			FILL(st);                          \
		REAL(name, path, st);                      \
	}

#define FSTATAT(name, type)                                                    \
	EXPORT int name(int dir, const char *path, struct type *st, int flags) \
	{                                                                      \
		unsigned int unit;                                             \
		enum shim_path what = ours(path, &unit);                       \
                                                                               \
		if (what != SHIM_PATH_NONE)                                    \
			FILL(st);                                              \
		REAL(name, dir, path, st, flags);                              \
	}

/* What programs call that were linked before glibc 2.33. */
#define XSTAT(name, type)                                               \
	EXPORT int name(int version, const char *path, struct type *st) \
	{                                                               \
		unsigned int unit;                                      \
		enum shim_path what = ours(path, &unit);                \
                                                                        \
		if (what != SHIM_PATH_NONE)                             \
			FILL(st);                                       \
		REAL(name, version, path, st);                          \
	}

#define FXSTATAT(name, type)                                    \
	EXPORT int name(int version, int dir, const char *path, \
	    struct type *st, int flags)                         \
	{                                                       \
		unsigned int unit;                              \
		enum shim_path what = ours(path, &unit);        \
                                                                \
		if (what != SHIM_PATH_NONE)                     \
			FILL(st);                               \
		REAL(name, version, dir, path, st, flags);      \
	}

STAT(stat, stat)
STAT(stat64, stat64)
STAT(lstat, stat)
STAT(lstat64, stat64)
FSTATAT(fstatat, stat)
FSTATAT(fstatat64, stat64)
XSTAT(__xstat, stat)
XSTAT(__xstat64, stat64)
XSTAT(__lxstat, stat)
XSTAT(__lxstat64, stat64)
FXSTATAT(__fxstatat, stat)
FXSTATAT(__fxstatat64, stat64)

EXPORT int
statx(
    int dir, const char *path, int flags, unsigned int mask, struct statx *stx)
{
	unsigned int unit;
	enum shim_path what = ours(path, &unit);

	if (what != SHIM_PATH_NONE) {
		dev_t dev = device_of(what, unit);

		struct statx is = {
			.stx_mask = STATX_BASIC_STATS,
			.stx_mode = S_IFCHR | 0666,
			.stx_nlink = 1,
			.stx_blksize = 4096,
			.stx_ino = (unsigned int)dev | 0x70000000,
			.stx_rdev_major = major(dev),
			.stx_rdev_minor = minor(dev),
		};

		return result(shim_copy_out(stx, &is, sizeof(is)));
	}
	REAL(statx, dir, path, flags, mask, stx);
}

/* --- access -----------------------------------------------------------------
 */

static int
access_of(int how)
{
	if ((how & ~(R_OK | W_OK | X_OK)) != 0)
		return result(-EINVAL);
	return (how & X_OK) != 0 ? result(-EACCES) : 0;
}

#define ACCESS(name)                                     \
	EXPORT int name(const char *path, int how)       \
	{                                                \
		unsigned int unit;                       \
                                                         \
		if (ours(path, &unit) != SHIM_PATH_NONE) \
			return access_of(how);           \
		REAL(name, path, how);                   \
	}

ACCESS(access)
ACCESS(euidaccess)
ACCESS(eaccess)

EXPORT int
faccessat(int dir, const char *path, int how, int flags)
{
	unsigned int unit;

	if (ours(path, &unit) != SHIM_PATH_NONE)
		return (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW |
		                    AT_EMPTY_PATH)) != 0
		           ? result(-EINVAL)
		           : access_of(how);
	REAL(faccessat, dir, path, how, flags);
}

/* --- sockets and ioctls -----------------------------------------------------
 */

EXPORT int
socket(int domain, int type, int protocol)
{
	if (domain == PF_LINK && !shim_off())
		return result(shim_socket_link(type));
	REAL(socket, domain, type, protocol);
}

EXPORT int
ioctl(int fd, unsigned long request, ...)
{
	static shim_ioctl_fn *real;
	va_list ap;
	void *arg;
	int saved = errno;
	int n;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (real == NULL && (real = find("ioctl")) == NULL)
		return result(-ENOSYS);
	n = shim_ioctl(fd, request, arg, real);
	if (n == SHIM_PASS) {
		errno = saved;
		return real(fd, request, arg);
	}
	if (n == 0)
		errno = saved;
	return result(n);
}
