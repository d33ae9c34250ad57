/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Offloads in software: believe, complete, segment.
 *
 * A frame carries an offload record (frame/frame.h).  offload_check() decides
 * whether a record from outside may be believed.  offload_fit() makes a frame
 * fit what an output can take: it is the one place in coax where checksums
 * are completed and super-frames are segmented, on the way out, and only
 * when the output cannot take the frame as it is.
 *
 * Segmentation covers TCP over IPv4 and IPv6 and UDP (USO) through any number
 * of VLAN tags that parse (two and more), IPv4 options and IPv6 extension
 * headers.  The rules (IPv4 identification + i also with DF, FIN and PSH on
 * the last segment only, CWR on the first only) are those of RFC 9293,
 * RFC 3168, RFC 6864 and of the Linux kernel's software GSO.
 *
 * A frame that has passed offload_check() carries, where its sum is partial,
 * the pseudo-header's sum in the checksum field, as Linux and virtio have it:
 * an output that takes the frame whole can pass it on as it is.
 */
#pragma once

#include "base/drop.h"
#include "frame/frame.h"
#include "frame/parse.h"

/* What an output can take, or an input may hand in. */
#define OFFLOAD_CSUM4   0x01u /* partial checksums of TCP and UDP over IPv4 */
#define OFFLOAD_TSO4    0x02u
#define OFFLOAD_TSO6    0x04u
#define OFFLOAD_TSO_ECN 0x08u /* TSO with CWR set */
#define OFFLOAD_USO     0x10u
#define OFFLOAD_CSUM6   0x20u /* ... and over IPv6 */
#define OFFLOAD_CSUM_ANY                                    \
	0x40u /* ... behind tags and extension headers, too \
	       */
#define OFFLOAD_ALL 0x7fu

/* Outputs that are told where the sum is need not care what is before it. */
#define OFFLOAD_CSUM (OFFLOAD_CSUM4 | OFFLOAD_CSUM6 | OFFLOAD_CSUM_ANY)

#define OFFLOAD_SEGMENTS_MAX     2048 /* a super-frame with more is refused */
#define OFFLOAD_USO_SEGMENTS_MAX 64   /* the Linux kernel takes no more whole */

/**
 * offload_check() - may this record be believed?
 * @f: frame with the record as it came from outside, sole reader (asserted)
 *
 * On success the record is in order: unknown flags and fields without a
 * meaning are zero; a partial sum is TCP's or UDP's of an IP packet that is no
 * fragment, csum_start and csum_offset point at it and the field holds the
 * pseudo-header's sum; hdr_len is exact.  A GSO frame is partial (its sum is
 * rebuilt per segment anyway), of a type that agrees with its headers, has
 * FRAME_GSO_ECN exactly if CWR is set, and 2 to OFFLOAD_SEGMENTS_MAX segments:
 * with payload for one only it becomes an ordinary partial frame.  Stale length
 * fields of IP and UDP are put right: a kernel that takes the frame whole
 * computes with them.
 *
 * A partial sum elsewhere (another protocol, an inner packet of a tunnel) has
 * virtio's generic form and is completed at once, in place: the sum from
 * csum_start to the end, stored at csum_start + csum_offset.
 *
 * Refused among others: UFO, a GSO size of 0, a fragment, an IP packet that is
 * longer than the frame, a TCP data offset below 5, an offset that is not the
 * protocol's, SCTP (its sum is a CRC).
 *
 * Return: 0, or -EBADMSG with the reason in @why (DROP_RUNT, DROP_GIANT,
 * DROP_BAD_OFFLOAD). The caller drops; @f may have been written to.
 */
int offload_check(struct frame *f, enum drop_reason *why);

/**
 * offload_place() - where is the partial sum that a record speaks of?
 * @gso: a super-frame's, whose IP length may be stale
 * @p:   filled as parse_frame() does
 *
 * Return: 0 (TCP's or UDP's own, of an IP packet that is no fragment), 1
 * (elsewhere, in virtio's generic form, and may be completed), or -EBADMSG.
 */
int offload_place(const uint8_t *data, uint32_t len, bool gso,
    uint16_t csum_start, uint16_t csum_offset, struct parsed *p);

/**
 * offload_complete_at() - complete one that is elsewhere, in place
 * Return: 0, or -EBADMSG if it is not, or the headers do not allow it.
 */
int offload_complete_at(
    uint8_t *data, uint32_t len, uint16_t csum_start, uint16_t csum_offset);

/**
 * offload_blank() - the sender says that the checksum is blank, not where
 * @f: frame with a zero record, sole reader (asserted)
 *
 * Finds the transport header. TCP's and UDP's sum becomes partial, as
 * offload_check() has it; ICMP's, ICMPv6's and SCTP's, which senders do not
 * leave out, is completed at once. What is not IP stays as it is. (Behind more
 * than PARSE_TAGS_MAX tags nobody knows.)
 *
 * Return: 0; -EINPROGRESS for a fragment: its sum needs the others, too
 * (frame/frags.h); or -EBADMSG with the reason in @why (DROP_BAD_OFFLOAD: IP
 * contradicts the frame; DROP_CSUM_UNKNOWN: another protocol). The caller
 * drops.
 */
int offload_blank(struct frame *f, enum drop_reason *why);

/* Receives what offload_fit() makes; consumes the frame. */
typedef void offload_emit_fn(void *arg, struct frame *f);
/* Told of every frame that could not be made; consumes @f.  For a segment that
 * could not be made @f is the super-frame. */
typedef void offload_drop_fn(void *arg, struct frame *f, enum drop_reason why);

struct offload_output {
	uint32_t caps; /* OFFLOAD_* that the output takes; a super-frame needs
	                * what its sum needs, too */
	uint32_t mtu;  /* payload limit of a frame or segment, in bytes after
	                * the Ethernet header, tags not counted; 0: no limit */
	offload_emit_fn *emit;
	offload_drop_fn *drop;
	void *arg;
};

/**
 * offload_fit() - make a frame fit an output
 * @f:   consumed; its record has passed offload_check() or was made here
 * @out: borrowed
 *
 * Emits @f itself when it fits (the usual case, decided without touching the
 * data), a completed copy or the segments otherwise, in order.  A shared frame
 * is never written to: segments are fresh frames and a checksum is completed in
 * a private copy.  Drops: DROP_MTU (a frame longer than mtu, or a super-frame
 * whose segments are, once), DROP_CSUM_UNKNOWN, DROP_GSO_UNSUPPORTED,
 * DROP_NO_FRAME (the rest of a super-frame counts once per missing segment).
 *
 * Segments have complete checksums, or partial ones with a seed of their own
 * if the output takes OFFLOAD_CSUM.
 */
void offload_fit(struct frame *f, const struct offload_output *out);

/* offload_fits() for all but plain frames that are short enough. */
bool offload_fits_slow(const struct frame *f, uint32_t caps, uint32_t mtu);

/**
 * offload_fits() - true if offload_fit() would emit @f unchanged
 *
 * A super-frame fits only if its segments respect @mtu; a USO super-frame of
 * more than OFFLOAD_USO_SEGMENTS_MAX segments never fits.
 */
static inline bool
offload_fits(const struct frame *f, uint32_t caps, uint32_t mtu)
{
	/* len - 14 <= mtu, where 0 is no limit and wraps to the largest. */
	if ((f->off.flags & FRAME_CSUM_PARTIAL) == 0 &&
	    f->off.gso_type == FRAME_GSO_NONE && f->len - 15u <= mtu - 1u)
		return true;
	return offload_fits_slow(f, caps, mtu);
}

/**
 * offload_complete() - complete a partial checksum in place
 * @f: sole reader (asserted), not GSO
 *
 * Clears FRAME_CSUM_PARTIAL.  A UDP sum of zero becomes 0xffff.
 * Return: 0, or -EBADMSG if the headers do not allow it.
 */
int offload_complete(struct frame *f);

/**
 * offload_shift() - bytes were put in before the network header (a tag: 4), or
 * taken out (-4)
 *
 * Keeps the record's offsets right.  @bytes must not exceed what the offsets
 * have (asserted).
 */
void offload_shift(struct frame *f, int bytes);
