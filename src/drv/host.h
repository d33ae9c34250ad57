/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host: every interface as a Linux netdev of the same name, vnets as
 * network namespaces.  This is the struct net_system of a real machine.
 *
 * Theory of operation
 *
 * A netdev is a TAP with offloads (os/tun.h) and one descriptor.  What the
 * host sends is read in batches and enters by iface_host_input() (a vether's:
 * iface_input(), its host is its wire); what is for the host is gathered and
 * written at the end of the loop's round, together with the next reads
 * (os/iobatch.h).
 *
 * State follows in both directions: up and down, MTU, address, name.  What
 * coax changes it sets on the netdev at once; what others change on the netdev
 * comes as an rtnetlink event.  An event is a hint only: the netdev's present
 * state is read and compared with what was last known of it, so neither an
 * echo nor a stale event can start a loop.  A change that coax refuses is set
 * back, with a notice.
 *
 * What takes milliseconds (removing netdevs, moving them) is done on a helper
 * thread, removals in groups.  A name stays reserved until its netdev has
 * gone; whoever wants it meanwhile waits.
 *
 * Of a vnet that was created here the namespace is held by a descriptor and
 * ends with it.  Of an adopted one nothing is held that would keep it alive:
 * its identity, how to find it again (process or path), and a pidfd.
 *
 * Nothing outlives the process: TAPs are not persistent and namespaces have no
 * name in the file system.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/net.h"

struct host_system;
struct loop;

struct host_options {
	struct loop *loop;       /* borrowed until host_system_destroy() */
	bool no_uring;           /* plain read and write only */
	const char *dhcp_script; /* path; NULL: no DHCP */
	const char *dhcp_client; /* use only this one of the names that
	                          * host_dhcp.c knows (borrowed); NULL: any */
};

/**
 * host_system_create() - see whether there can be a host, and get it ready
 * @o:    borrowed
 * @out:  owned; host_system_destroy()
 * @why:  on error one line for people; @size bytes
 *
 * The calling thread's network namespace becomes home.
 * Return: 0, -EPERM (no CAP_NET_ADMIN), -ENOENT (no /dev/net/tun) or -errno.
 */
int host_system_create(const struct host_options *o, struct host_system **out,
    char *why, size_t size);

/** host_system_ops() - what net_create() wants in its options */
void host_system_ops(struct host_system *hs, struct net_system *out);

/** host_system_bind() - after net_create(); @net is borrowed until the end */
void host_system_bind(struct host_system *hs, struct net *net);

/**
 * host_system_shutdown() - remove every netdev and namespace, in groups
 * @deadline_ns: on the clock of clock_now_ns()
 *
 * Interfaces lose their host sides; before net_destroy().
 * Return: 0, or -ETIMEDOUT (the end of the process removes the rest).
 */
int host_system_shutdown(struct host_system *hs, uint64_t deadline_ns);

/** host_system_destroy() - after net_destroy(), or without a net; NULL is
 * allowed */
void host_system_destroy(struct host_system *hs);

/** host_uses_uring() - for print-outs */
bool host_uses_uring(const struct host_system *hs);

/*
 * The functions below are for a net whose system is a host_system's:
 * -EOPNOTSUPP or NULL otherwise.
 */

/** host_vnet_of() - the vnet whose namespace a descriptor is; NULL: none, or a
 * guest */
struct vnet *host_vnet_of(struct net *net, int netns_fd);

/**
 * host_vnet_open() - a vnet's namespace, for jexec
 * Return: descriptor (owned), -EACCES (only a helper of that side can enter),
 * -ENXIO (it has ended) or -errno.
 */
int host_vnet_open(struct net *net, struct vnet *vnet);

/**
 * host_attach_guest() - make @ifp's host side in the namespace of its program
 * @netns_fd: borrowed
 *
 * If that is no vnet it becomes a guest (net_vnet_guest()), named after its
 * number.  Return: as net_host_attach(); -EPERM or -EACCES: not in there.
 */
int host_attach_guest(
    struct net *net, struct iface *ifp, int netns_fd, struct net_wait *w);

/** host_netdev_index() - the number of an adopted interface's netdev, in its
 * vnet; 0: it is not there now */
int host_netdev_index(const struct iface *ifp);
/** host_netdev_set() - change an adopted netdev at once. 0 or -errno, with
 * net_error() */
struct rtnl_change;
int host_netdev_set(struct iface *ifp, const struct rtnl_change *c);
/** host_bury_tap() - close a TAP of ours in the background */
void host_bury_tap(struct net *net, int fd);

/** host_vnet_check() - see whether an adopted vnet's namespace has ended, where
 * a socket of ours in it keeps the kernel from telling; the core hears of it
 * from the loop */
void host_vnet_check(struct net *net, struct vnet *vnet);

/** host_needs_helper() - can netdevs come into @vnet only by host_give()? */
bool host_needs_helper(const struct net *net, const struct vnet *vnet);

/**
 * host_give() - take a TAP that a client's helper made in @vnet
 * @vnet:   adopted
 * @tun_fd: TAP with IFF_NO_PI and IFF_VNET_HDR of @ifp's name; consumed on
 *          success
 *
 * It takes the place of @ifp's present host side, if there is one.  Up, down
 * and MTU are then the affair of that side.
 * Return: 0, -EINVAL (not such a TAP, or of another name), -EEXIST (the name is
 * taken there), -ENXIO (dead vnet) or -errno.
 */
int host_give(
    struct net *net, struct iface *ifp, struct vnet *vnet, int tun_fd);
