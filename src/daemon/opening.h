/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A call that opens an interface for a program (tap.open, port.open): the
 * interface may have been made for it, and then it gets its host side first,
 * for which the call may have to wait.
 */
#pragma once

#include "control/rpc.h"

struct opening {
	const char *what; /* kind, for messages; a constant */
	/* The program's descriptor, owned; -1: it has it already, and then an
	 * interface that cannot be opened is destroyed. */
	int fd;
	bool made; /* the interface is new */
	/* The program's network namespace, where that is no vnet: a new
	 * interface has its host side there, or none where the daemon may not
	 * go.  Owned; -1: in the vnet of the call. */
	int netns_fd;
	/* What the answer says besides "name" and "fd"; or NULL. Consumes
	 * nothing, returns a new reference. */
	json_t *(*more)(const struct iface *ifp);
};

/**
 * opening_start() - answer @call when @ifp is complete
 * @o: copied; @o's descriptors are consumed
 *
 * On an error the descriptor is closed, which ends what lives by it.
 */
void opening_start(
    struct rpc_call *call, struct iface *ifp, const struct opening *o);
