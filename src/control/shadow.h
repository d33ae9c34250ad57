/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A shadow: a net in memory that is as another one is, to try changes on. The
 * same code runs on it as on the real one, so what it says of a change is what
 * the real one would say, as far as that does not depend on the system: host
 * sides and addresses are entries of lists, frames do not move, time stands.
 *
 * It has the real one's vnets, interfaces (also those that end with a
 * program), names, settings and sysctls, and goes on with its random numbers:
 * what is made by chance is the same on both. Learned addresses, counters and
 * the state of spanning tree are not copied.
 */
#pragma once

#include "net/net.h"

/** shadow_create() - @real is borrowed until shadow_destroy(). 0 or -ENOMEM */
int shadow_create(struct net *real, struct net **out);
/** shadow_destroy() - NULL is valid */
void shadow_destroy(struct net *shadow);

/* The order in which interfaces get their settings: what a member of a bridge
 * is, is said before the bridge is told, and what hangs on a bridge afterwards.
 */
#define SHADOW_RANKS 3
uint32_t shadow_rank(const struct iface *ifp);
