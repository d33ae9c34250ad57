/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libcoax: a tap, which is a descriptor that is a network card. coax_tap(3).
 *
 * The descriptor is one end of a SOCK_SEQPACKET pair: read(2) takes one frame,
 * cut to the buffer's size; write(2) sends one; select(2), poll(2), epoll(7),
 * FIONBIO, FIOASYNC and FIOSETOWN work on it as they are. It is passed on by
 * dup(2), fork(2), execve(2) and SCM_RIGHTS like any other, and when the last
 * one is closed, however that happens, the interface's link goes down, and an
 * interface that was made by opening it goes with it.
 */
#ifndef COAX_TAP_H
#define COAX_TAP_H

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/*
 * NetBSD's ioctl: _IOR('e', 0, struct ifreq). A plain socket does not know it;
 * coax_tap_ifname() does the same.
 */
#define TAPGIFNAME _IOR('e', 0, struct ifreq)

/*
 * NetBSD's ioctls of any socket that make and destroy interfaces, and of a
 * PF_LINK socket that deal with link-layer addresses. Linux knows none of them:
 * they work in a program under "coax run" (coax-run(1)).
 */
#define SIOCIFCREATE  _IOW('i', 122, struct ifreq)
#define SIOCIFDESTROY _IOW('i', 121, struct ifreq)
#define SIOCALIFADDR  _IOW('i', 31, struct if_laddrreq)
#define SIOCGLIFADDR  _IOWR('i', 32, struct if_laddrreq)
#define SIOCDLIFADDR  _IOW('i', 33, struct if_laddrreq)

#define AF_LINK 18 /* a number that Linux has no use for any more */
#define PF_LINK AF_LINK

/* An address; its octets are sdl_data[sdl_nlen] ... LLADDR() points there. */
struct sockaddr_dl {
	unsigned short sdl_family; /* AF_LINK */
	unsigned short sdl_index;
	unsigned char sdl_type;
	unsigned char sdl_nlen; /* length of the name before the address */
	unsigned char sdl_alen; /* 6 */
	unsigned char sdl_slen;
	char sdl_data[24];
};
#define LLADDR(sdl) ((sdl)->sdl_data + (sdl)->sdl_nlen)

struct if_laddrreq {
	char iflr_name[16]; /* IFNAMSIZ */
	unsigned int flags;
#define IFLR_PREFIX 0x8000      /* in: look for addr/prefixlen; out: filled */
#define IFLR_ACTIVE 0x4000      /* the one that is in use */
	unsigned int prefixlen; /* in bits */
	struct sockaddr_storage addr;
	struct sockaddr_storage dstaddr; /* not used */
};

#define COAX_TAP_NAME_MAX 16 /* room for an interface's name and its 0 */

/**
 * coax_tap_open() - open a tap, as open(2) of /dev/tap or /dev/tapN
 * @name:   "tap0", which exists; or NULL: a new one, of the lowest free unit,
 *          which lives until its last descriptor is closed
 * @ifname: the interface's name is written here on success; NULL: not wanted
 *
 * Asks the daemon of coax_connect(NULL).
 *
 * Return: descriptor, close-on-exec and blocking, owned by the caller; -ENXIO
 * (no such tap), -EBUSY (open already), -ENFILE (no more interfaces), -EMFILE,
 * or what coax_connect() returns (-ENOENT, -ECONNREFUSED: no daemon).
 * Threads: any.
 * Source: tap(4) of NetBSD.
 */
int coax_tap_open(const char *name, char ifname[COAX_TAP_NAME_MAX]);

/**
 * coax_tap_ifname() - the present name of an open tap, as TAPGIFNAME
 * @fd:     descriptor of coax_tap_open(), or one that was inherited
 * @ifname: written on success
 *
 * Asks the daemon of coax_connect(NULL), each time, since an interface can be
 * renamed.
 *
 * Return: 0, -EBADF, -ENOTSOCK, -ENXIO (not a tap of that daemon, or its
 * interface is gone) or what coax_connect() returns.
 * Threads: any.
 */
int coax_tap_ifname(int fd, char ifname[COAX_TAP_NAME_MAX]);

/**
 * coax_tap_next_size() - the size of the next frame, as tap(4)'s FIONREAD
 * @fd: descriptor of a tap
 *
 * (FIONREAD itself, on Linux, sums all frames that wait in the socket.)
 *
 * Return: bytes, 0 if no frame waits, or a negative errno (-EBADF, -ENOTSOCK).
 * Threads: any.
 */
ssize_t coax_tap_next_size(int fd);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
