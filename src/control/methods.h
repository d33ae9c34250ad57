/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The methods that need nothing but a net: rows for struct rpc_server.
 *
 *   ping {}                          "pong"
 *   rpc.methods {}                   [{"name","about","read_only","params":
 *                                    [{"name","type","optional","about"}]}]
 *   ifconfig {argv}                  {"out":[PART...]}     control/ifconfig.h
 *   sysctl {argv}                    {"out":[PART...],"exit"}  control/sysctl.h
 *   iface.list {group?}              [IFACE...] as seen from the vnet
 *   iface.get {name}                 IFACE
 *   iface.create {name, args?}       IFACE; name: kind, or kind and unit; args:
 *                                    ifconfig words
 *   iface.destroy {name}             null, when its netdev is gone
 *   bridge.get {name}                IFACE of a bridge
 *   bridge.addresses {name,static?}  [ADDRESS...], 4096 at most
 *   bridge.addresses {name,max,after?,static?}
 *                                    {"addresses":[ADDRESS...],"next":N?}
 *   bridge.addresses {name,cursor,max?,static?}
 *                                    {"addresses":[ADDRESS + "birth"...],
 *                                    "births":N,"cursor":TEXT?}; at first ""
 *   drops {name?}                    {"drops":[{"reason","count","text",
 *                                    "iface"}]}, largest first
 *   vnet.list {}                     [{"name","id","adopted","interfaces",
 *                                    "hosts"} + what the system says]
 *   vnet.create {name}, vnet.destroy {name}
 *   vnet.attach {name, what?, fds?}  what: process id or path
 *   pool.get {}                      see methods.c
 *   config.export {}                 {"text"}: rc.conf(5)
 *   config.apply {text?, name?, names?, dry_run?, fds?}   {"out":[PART...]};
 *                                    files as sealed memfds with their names,
 *                                    or one text; config.h. Its error's data
 *                                    has "errors": all of them
 *   events: notifications "event" with the params of control_event_json()
 *
 * Interface object (IFACE): the --json interface. Keys are stable; a key that
 * does not apply is absent, unless marked (null).
 *
 *   name        string    "tap0", as the asking vnet knows it
 *   kind        string    "tap"
 *   unit, index integer
 *   vnet        string    where it was created; "" is home
 *   away        string    vnet of the host side, if not the asking one
 *   host        object    (null: no host side) {"vnet","up","promisc"}
 *   flags       integer   BSD's flag word, with the bits below
 *   flag_names  [string]  "UP","BROADCAST",...
 *   metric      integer   always 0
 *   mtu         integer
 *   options     integer   BSD's IFCAP_* bits that hold; option_names [string]
 *   ether       string    "66:65:74:68:00:00"
 *   description string    if set
 *   user, usergroup  integer  whose it is, and who may plug into it, if it is
 *                         a user's, or shared (net/actor.h)
 *   macs        string    source addresses that may come in, if not any
 *   addresses   [object]  {"family":"inet"|"inet6","address","prefixlen",
 *                         "broadcast"?,"destination"?,"scopeid"?,
 *                         "flags":[string]?, "dynamic"?: nobody gave it by
 *                         hand}
 *   member_of   string    the bridge that has its stack side
 *   media       string    "autoselect"
 *   status      string    "active", "inactive", "no carrier"
 *   link        string    "unknown","down","up"
 *   wlan        object    words for a radio that were recorded: "wlanmode",
 *                         "ssid","mode","channel"; those that were given
 *   groups      [string]
 *   nd6         object    options, option_names: IPv6 of the host side, if
 *                         anything was said of it
 *   dhcp        object    if it was asked for: "state" ("bound", "asking",
 *                         "waiting" to be started again, "off": the host side
 *                         is down or away), "sync", "client",
 *                         "address","prefixlen","router"?,"server"?,"dns"?,
 *                         "lease_s","bound_ns" of a lease; "error"?: the last
 *                         words of a client that has ended
 *   drops_total integer   frames dropped for any reason
 *   counters    object    ipackets ibytes ierrors imcasts iqdrops opackets
 *                         obytes oerrors omcasts collisions noproto
 *   drops       object    reason name: count, those that are not 0
 *   created_ns, link_changed_ns   integer, monotonic
 *   KIND        object    what the kind's get() says, under the kind's name:
 *                         "feth":{"peer":...}, "bridge":{...}, "tap":{...}
 */
#pragma once

#include <jansson.h>

#include "control/rpc.h"
#include "control/sysctl.h"
#include "net/net.h"

/* Rows for rpc_server_options.tables. "sysctl" uses control_sysctl_tree. */
extern const struct rpc_method control_methods[];

/** control_set_sysctl_tree() - the tree that the method "sysctl" shows; before
 * the first request. Borrowed for ever. Default: sysctl_control_rows alone */
void control_set_sysctl_tree(const struct sysctl_tree *tree);

/** control_sysctl_tree() - that tree */
const struct sysctl_tree *control_sysctl_tree(void);

/* Rows of the configuration: config_methods.c. Need
 * rpc_server_options.config. */
extern const struct rpc_method control_config_methods[];

/** control_iface_json() - IFACE of @ifp as seen from @vnet (NULL: home).
 * Return: new reference, or NULL (no memory) */
json_t *control_iface_json(const struct iface *ifp, const struct vnet *vnet);

/** control_event_json() - params of an "event" notification: {"type":"link",
 * "time_ns","iface"?,"vnet"?,"other"?,"mac"?,"vlan"?,"changed":[...]?,
 * "reason"?,"count"?,"link"?,"text"?,"cause"?}. New reference or NULL */
json_t *control_event_json(const struct net_event *ev);

/** control_event_name() - "create", "destroy", "change", "link" ...; by number,
 * NULL past the last */
const char *control_event_name(uint32_t type);

/** control_param_iface() - the interface that the parameter "name" names; NULL:
 * there is none, the call was answered, and is gone */
struct iface *control_param_iface(struct rpc_call *call);

/** control_trace() - the method "trace" (trace.c) */
void control_trace(struct rpc_call *call);

/** control_version() - the program's version, "0.1.0" */
const char *control_version(void);
