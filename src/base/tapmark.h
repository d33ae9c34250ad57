/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a tap's descriptor says of itself.
 *
 * An app's descriptor is a SOCK_SEQPACKET socket that any process may get, by
 * fork, exec or SCM_RIGHTS.  So that the preload library can tell it from all
 * other sockets without asking anybody, it has one of these numbers as its
 * SO_MAX_PACING_RATE, an option which every socket has and no Unix socket uses.
 * Which interface it is only the daemon knows, by the socket's SO_COOKIE.
 */
#pragma once

#define TAPMARK_TAP  0x63700a01u /* behaves as NetBSD's /dev/tap */
#define TAPMARK_TUN  0x63700a02u /* as Linux's /dev/net/tun, IFF_TAP */
#define TAPMARK_LINK 0x63700a03u /* no tap: a PF_LINK socket */
