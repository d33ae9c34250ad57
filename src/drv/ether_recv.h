/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an ether reads from its packet socket: bytes behind a record of
 * offloads, and beside them the VLAN tag that the kernel has taken off. Nothing
 * of it is believed before it has been checked.
 *
 * Knows no interface: who calls counts what is lost.
 */
#pragma once

#include <linux/if_packet.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/drop.h"
#include "drv/recvslot.h"
#include "frame/frame.h"

#define ETHER_READ_MAX 32u /* packets in one call */

/* Room for one packet, and for what the kernel says beside it. */
struct ether_slot {
	struct frame_offload hdr;
	struct recv_slot room;
	struct iovec iov[3];
	struct sockaddr_ll from;
	_Alignas(8) uint8_t control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
};

/* A packet: a frame; or why there is none, and the frame, if there is one, to
 * be dropped for that reason. */
struct ether_packet {
	struct frame *f;      /* the caller's */
	enum drop_reason why; /* DROP_COUNT: it is good */
};

/**
 * ether_recv_take() - the packet that was read into a slot
 * @m:   as recvmsg(2) has left it, with control and flags
 * @len: how many bytes it had, those of the record with them
 *
 * The tag is put back, and the offsets of the record with it.
 */
struct ether_packet ether_recv_take(
    struct ether_slot *s, struct msghdr *m, uint32_t len);

/**
 * ether_recv() - read what has come
 * @want:  packets, 1 to ETHER_READ_MAX; so many @slots
 * @out:   written
 * @read:  how many were read into frames; fewer than @want: that was all
 * @bytes: their lengths are added
 *
 * Where the pool has no frame, one packet is taken off the socket and lost: so
 * the socket does not wake its reader for ever for what nobody can take, and
 * what is lost is counted.
 *
 * Return: how many of @out are used.
 */
uint32_t ether_recv(int fd, struct frame_pool *pool, struct ether_slot *slots,
    uint32_t want, struct ether_packet *out, uint32_t *read, uint64_t *bytes);
