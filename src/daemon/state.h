/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a daemon keeps across a restart (coaxd --state DIR): the addresses of
 * its bridges, static and learned (bridge/keep.h), in DIR/addresses.
 *
 * The file is replaced as a whole (written beside it, synchronized, renamed),
 * so a kill at any moment leaves the old one or the new one. It is written a
 * second after something has changed, but not more than every two, and less
 * often when it takes long; every minute as long as there are addresses, since
 * those that are seen live longer; and at the end. A page of a table at a time,
 * on the loop; what blocks is done on a helper thread.
 *
 * One daemon has DIR at a time: it holds flock(2) on it.
 */
#pragma once

#include <stddef.h>

struct loop;
struct net;
struct state;

/**
 * state_open() - take a directory; it is made if it is missing
 * @why: written on failure: a line without an end
 *
 * Return: 0 or -errno.
 */
int state_open(const char *dir, struct state **out, char *why, size_t why_size);

/** state_load() - read what an earlier daemon has left; what is wrong with it
 * is logged. 0 or -errno (no memory, no thread) */
int state_load(struct state *s, struct net *net, struct loop *loop);

/** state_begin() - the configuration is there: put back what has a bridge, and
 * keep what there is from here on */
void state_begin(struct state *s);

/** state_close() - the last save, if it has begun; before the net ends. NULL is
 * valid */
void state_close(struct state *s);
