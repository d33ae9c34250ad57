/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of kinds.  A new kind is one line here and its own file.
 */
#include "bridge/bridge.h"
#include "drv/drv.h"

const struct iface_ops *const drv_kinds[] = {
	&feth_ops,
	&epair_ops,
	&ether_ops,
	&gif_ops,
	&sock_ops,
	&tap_ops,
	&vether_ops,
	&xnb_ops,
	&vlan_ops,
	&bridge_ops,
	&lo_ops,
	NULL,
};
