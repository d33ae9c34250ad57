/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a client needs to know of the daemon's protocol and can be done without
 * a JSON library: also for the preload library, which must bring nothing into
 * other people's programs.
 */
#pragma once

#include <stddef.h>

/* The negative errno of a name as the daemon writes it; -EIO: unknown. */
int plain_errno(const char *name);

/* Where the control socket is for this user: as coax_connect(NULL). 0,
 * -ENAMETOOLONG or -EPERM; 108 bytes always do. */
int plain_socket_path(char *buf, size_t size);
