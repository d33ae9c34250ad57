/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kind's sysctls as rows: numbers with a range that hold for all its
 * interfaces (net.link.fake.max_mtu), or for those of a vnet.  They hang on
 * iface_ops; control/ puts them into its tree and knows no driver.
 */
#pragma once

#include <stdint.h>

struct net;
struct vnet;

struct iface_tunable {
	const char *name;  /* the whole name; NULL ends a table */
	const char *about; /* one line for `sysctl -d` */
	uint64_t min, max; /* checked before set is called */
	uint64_t (*get)(const struct net *net);
	/* 0 or -errno, nothing changed then. */
	int (*set)(struct net *net, uint64_t value);
	/* Instead of the two: of a value that each vnet has for itself. */
	uint64_t (*vnet_get)(const struct vnet *vnet);
	int (*vnet_set)(struct vnet *vnet, uint64_t value);
};
