/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A way out for a bridge: passt(1) at a socket of the daemon's, started where
 * the caller is.
 */
#pragma once

#include "cli/cli.h"

/**
 * uplink_spawn() - start passt in the caller's network namespace
 * @options: passt's own, after ours; ended by NULL; or NULL
 * @fd_out:  the other end of its socket; it ends with that one's last close
 *
 * Returns when passt has started.  Return: 0 or the exit status, with a
 * message.
 */
int uplink_spawn(const struct cli *cli, char **options, int *fd_out);

/**
 * uplink_join() - give the daemon the socket, and a bridge its interface
 * @fd:     consumed
 * @bridge: made if it does not exist; NULL: none
 * @show:   print the interface's name
 *
 * Return: 0 or the exit status, with a message; then passt has ended.
 */
int uplink_join(struct cli *cli, int fd, const char *bridge, bool show);
