/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TAP devices of the Linux kernel: the host side of an interface.
 *
 * Every device is made with IFF_TAP, IFF_NO_PI and IFF_VNET_HDR: each read and
 * write begins with TUN_HDR_LEN bytes of struct virtio_net_hdr, which has the
 * layout of struct frame_offload on a machine whose byte order is the header's.
 * It lives as long as the descriptor (never persistent), in the network
 * namespace in which /dev/net/tun was opened: call netns_run() to have it
 * elsewhere (then the descriptor pins that namespace), or move it by
 * rtnl_link_set().
 *
 * When the netdev goes (deleted, or its namespace has ended) the descriptor
 * gives EPOLLERR without end and EBADFD: take it out of the loop, then
 * tun_attach() makes the netdev again on the same descriptor, in the namespace
 * of its opener, or close it. Closing and deleting block for about 18 ms: use
 * os/jobs.h.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#define TUN_HDR_LEN 10 /* bytes before each frame */
#define TUN_MTU_MIN 68 /* what the kernel takes */
#define TUN_MTU_MAX 65521

struct tun {
	int fd;              /* non-blocking, close-on-exec; owned */
	char name[IFNAMSIZ]; /* at creation: a rename is not followed */
	uint32_t caps; /* OFFLOAD_* (frame/offload.h) it takes and gives */
};

/**
 * tun_open() - make a TAP device in the calling thread's network namespace
 * @name: of a netdev that does not exist; or with "%d" for the lowest number
 * @out:  written on success; close(out->fd) removes the device
 *
 * The device is down, with carrier, a random address and MTU 1500.
 * Return: 0, -EEXIST (name taken, by any netdev), -EINVAL (name not allowed),
 * -EPERM (no CAP_NET_ADMIN over the namespace), -ENOENT or -ENODEV (no
 * /dev/net/tun), -EACCES (not permitted to open it) or -errno.
 */
int tun_open(const char *name, struct tun *out);

/*
 * Only opens /dev/net/tun, without a device: for a helper that hands the
 * descriptor on. Non-blocking, owned; or -errno.
 */
int tun_open_unattached(void);

/**
 * tun_attach() - make the netdev of an open descriptor (again)
 * @t:    t->fd open; a stranger's or one whose netdev has gone; name and caps
 *        are written on success
 * @name: as for tun_open()
 *
 * Header size and offloads are set anew. Errors as tun_open(), and -EEXIST also
 * if the descriptor has a netdev already.
 */
int tun_attach(struct tun *t, const char *name);

/**
 * tun_adopt() - take over a descriptor that has its netdev already
 * @fd: owned on success, else the caller's still; checked to be a TAP with
 *      IFF_NO_PI and IFF_VNET_HDR
 *
 * Sets header size, offloads, non-blocking and close-on-exec.
 * Return: 0, -EINVAL (another kind of tun), -ENOTTY (no tun at all), -EBADFD
 * (without netdev) or -errno.
 */
int tun_adopt(int fd, struct tun *out);

/**
 * tun_set_offload() - say what we take on reads
 * @fd:   TAP
 * @want: OFFLOAD_*; OFFLOAD_USO is tried and left out where the kernel lacks it
 *        (before 6.2)
 * @got:  what is set
 *
 * tun_open(), tun_attach(), tun_adopt() have set OFFLOAD_ALL as far as it goes.
 * Return: 0 or -errno.
 */
int tun_set_offload(int fd, uint32_t want, uint32_t *got);

/* The netdev's present name, after renaming too; 0, -EBADFD or -errno. */
int tun_get_name(int fd, char name[IFNAMSIZ]);

/* Carrier. Works also when the netdev is in another namespace. 0 or -errno. */
int tun_set_carrier(int fd, bool on);

/* The netdev's address, wherever it is. 0, -EADDRNOTAVAIL or -errno. */
int tun_set_mac(int fd, const uint8_t mac[6]);
int tun_get_mac(int fd, uint8_t mac[6]);

/* Whether the netdev outlives the descriptor; off from the start. */
int tun_set_persist(int fd, bool on);

/* IFF_* features of the kernel's TUN driver (TUNGETFEATURES). 0 or -errno. */
int tun_get_features(int fd, uint32_t *features);
