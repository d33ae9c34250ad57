/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What this process may do, where its files are, and what the system knows:
 * capabilities, limits, socket path, machine id, randomness.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* True if @cap (CAP_NET_ADMIN ... of <linux/capability.h>) is effective in the
 * calling thread. Over which namespaces, only trying tells. */
bool priv_have_cap(int cap);

/**
 * priv_drop_caps() - give capabilities up for good
 * @keep: bit n set: keep capability n, if there
 *
 * All sets of the calling thread, bounding and ambient too.
 * Return: 0 or -errno.
 */
int priv_drop_caps(uint64_t keep);

/** priv_caps_through_exec() - every capability survives execve(2), also of who
 * is not root. 0 or -errno */
int priv_caps_through_exec(void);

/**
 * priv_confine() - become as harmless as can be, for a program from others
 * @keep: as above: what the programs executed from here on may do
 *
 * From here on the process has a mount namespace of its own in which everything
 * is read-only, its user is nobody, and no program that it executes gains
 * anything.  Where there is only one user (a user namespace), or mounts
 * cannot be changed, that much is missing.  Only system calls: also for a child
 * of many threads.
 * Return: 0 or -errno.
 */
int priv_confine(uint64_t keep);

/*
 * Whether user namespaces can be made and used (tried in a child): 0, -EPERM,
 * -ENOSPC (limit), -EINVAL (kernel without them) or -errno.
 */
int priv_try_userns(void);

/* Raises RLIMIT_NOFILE to its hard limit. Return: 0 or -errno; @limit (may be
 * NULL) gets the limit in force, also on error. */
int priv_raise_nofile(uint64_t *limit);

/**
 * priv_socket_path() - where the control socket is
 * @buf, @size: result; 108 bytes always do
 *
 * COAX_SOCKET if set; else /run/coax/coax.sock for root,
 * $XDG_RUNTIME_DIR/coax/coax.sock otherwise, /tmp/coax-UID/coax.sock where that
 * is unset. Creates nothing; a /tmp/coax-UID that exists and is not a directory
 * of ours with mode 0700 is refused.
 * Return: 0, -ENAMETOOLONG or -EPERM (a stranger's /tmp/coax-UID).
 */
int priv_socket_path(char *buf, size_t size);

/**
 * priv_mkdir_for() - make the directories that a file will need
 * @path: of the file; borrowed
 * @mode: of directories that are made
 *
 * Existing ones stay as they are, except that /tmp/coax-UID must be ours and
 * closed to others (else -EPERM).
 * Return: 0, -EPERM, -ENAMETOOLONG, -ENOTDIR or -errno.
 */
int priv_mkdir_for(const char *path, mode_t mode);

/* /etc/machine-id (or dbus's); 0, -ENOENT or -EINVAL. */
int priv_machine_id(uint8_t id[16]);

/* Fills with randomness from the kernel; cannot fail. */
void priv_random(void *buf, size_t size);

/* The number of a group by name or number ("adm", "4"); -ENOENT or -errno. */
int priv_group(const char *name, gid_t *gid);
