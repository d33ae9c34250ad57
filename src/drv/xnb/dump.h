/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What dev.xnb.N tells of an interface.
 */
#pragma once

#include <stdint.h>

#include "net/net.h"

/** xnb_number() - N */
uint32_t xnb_number(const struct iface *ifp);
/** xnb_by_number() - the interface of that N, or NULL */
struct iface *xnb_by_number(const struct net *net, uint32_t number);
/** xnb_dump_rings() - its rings as text, "" if it has none. Owned: free(3);
 * NULL: no memory */
char *xnb_dump_rings(const struct iface *ifp);
