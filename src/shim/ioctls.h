/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ioctls that a program means for a tap, a tun or coax's interfaces.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define SHIM_PASS 1 /* not ours: the real ioctl */

typedef int shim_ioctl_fn(int fd, unsigned long request, ...);

/**
 * shim_ioctl() - one ioctl of the program
 * @arg:  the program's; may point anywhere
 * @real: the system's ioctl
 *
 * Return: SHIM_PASS; 0 or a negative errno.
 */
int shim_ioctl(int fd, unsigned long request, void *arg, shim_ioctl_fn *real);

enum shim_path {
	SHIM_PATH_NONE,
	SHIM_PATH_TAP,      /* /dev/tap */
	SHIM_PATH_TAP_UNIT, /* /dev/tapN */
	SHIM_PATH_TUN,      /* /dev/net/tun */
};

/* What a path names. @path may be NULL. @unit: N. */
enum shim_path shim_path(const char *path, unsigned int *unit);

/* Copies to where the program has said; 0 or -EFAULT. */
int shim_copy_out(void *to, const void *from, size_t len);

/* Is the library switched off? */
bool shim_off(void);

/* Opens one of them; descriptor or -errno. */
int shim_open(enum shim_path what, unsigned int unit, int flags);

/* A socket for SIOCALIFADDR and the like; descriptor or -errno. */
int shim_socket_link(int type);
