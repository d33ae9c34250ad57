/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the daemon is made of: one worker with its loop and net, the host, the
 * control sockets. main.c makes and ends it; methods.c answers for it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "control/rpc.h"
#include "control/sysctl.h"
#include "daemon/control.h"
#include "daemon/start.h"
#include "daemon/state.h"
#include "drv/host.h"
#include "net/net.h"
#include "os/loop.h"

#define DAEMON_SPIN_MAX_US 1000000 /* of -p */

struct daemon {
	struct loop *loop;
	struct net *net;
	struct host_system *host; /* NULL: none, see @host_why */
	char host_why[256];
	struct rpc_server *server;
	struct control *control;
	struct config *config;
	struct start start;  /* -f */
	struct state *state; /* --state, or NULL */
	struct xnb_xen *xen; /* NULL: none, see @xen_why */
	char xen_why[256];
	char path[108]; /* of the control socket */
	uint64_t started_ns;
	uint32_t spin_us;
	bool detached;
	bool no_xen;                     /* --no-xen */
	LIST_HEAD(, capturing) captures; /* captures.c's */
	uint32_t capture_count;
	int ready_fd; /* while its parent waits */
	bool failed;  /* it could not become what its files say */
};

/* Rows for rpc_server_options.tables; its user is the struct daemon. */
extern const struct rpc_method daemon_methods[];
extern const struct rpc_method daemon_tap_methods[];
extern const struct rpc_method daemon_port_methods[];
extern const struct rpc_method daemon_sock_methods[];
extern const struct rpc_method daemon_capture_methods[];
extern const struct rpc_method daemon_xen_methods[];

/* Serves the vifs of this machine, if it is a Xen, unless @off. */
void daemon_xen_start(struct daemon *d, bool off);

/* Ends the captures of all clients; before the net. */
void daemon_captures_end(struct daemon *d);

/* Rows for struct sysctl_tree; its user is the struct daemon. */
extern const struct sysctl_row daemon_sysctls[];
extern const struct sysctl_row daemon_xnb_sysctls[];
