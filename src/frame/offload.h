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
 */
#pragma once

#include "base/drop.h"
#include "frame/frame.h"

/* What an output can take, or an input may hand in. */
#define OFFLOAD_CSUM     0x01u /* partial checksums (TCP, UDP; v4 and v6) */
#define OFFLOAD_TSO4     0x02u
#define OFFLOAD_TSO6     0x04u
#define OFFLOAD_TSO_ECN  0x08u /* TSO with CWR set */
#define OFFLOAD_USO      0x10u
#define OFFLOAD_ALL      0x1fu

/**
 * offload_check() - may this record be believed?
 * @f: frame with the record as it came from outside; on success the record is
 *     put in order: unknown flags cleared, csum_start/csum_offset verified
 *     against the parsed headers, hdr_len recomputed, a GSO frame without
 *     FRAME_CSUM_PARTIAL made partial (its sum is rebuilt per segment anyway),
 *     ECN modifier kept.  A partial sum of a protocol other than TCP/UDP
 *     (generic form: sum from csum_start to the end, stored at
 *     csum_start + csum_offset) is completed at once, in place, if @f has one
 *     reader.
 *
 * Return: 0; or the negative of nothing: a drop reason through @why and
 * -EBADMSG (DROP_RUNT, DROP_GIANT, DROP_BAD_OFFLOAD). The caller drops.
 */
int offload_check(struct frame *f, enum drop_reason *why);

/* Receives what offload_fit() makes; consumes the frame. */
typedef void offload_emit_fn(void *arg, struct frame *f);
/* Told of every frame that could not be made; @f is consumed. */
typedef void offload_drop_fn(
    void *arg, struct frame *f, enum drop_reason why);

struct offload_output {
	uint32_t caps; /* OFFLOAD_* that the output takes */
	uint32_t mtu;  /* payload limit of a frame without offload, in bytes after
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
 * a private copy.  Drops: DROP_MTU (frame or segment longer than mtu),
 * DROP_CSUM_UNKNOWN, DROP_GSO_UNSUPPORTED, DROP_NO_FRAME (the rest of a
 * super-frame counts once per missing segment).
 */
void offload_fit(struct frame *f, const struct offload_output *out);

/** offload_fits() - true if offload_fit() would emit @f unchanged */
bool offload_fits(const struct frame *f, uint32_t caps, uint32_t mtu);

/**
 * offload_complete() - complete a partial checksum in place
 * @f: sole reader (asserted), not GSO
 *
 * Clears FRAME_CSUM_PARTIAL.  A UDP sum of zero becomes 0xffff.
 * Return: 0, or -EBADMSG if the headers do not allow it.
 */
int offload_complete(struct frame *f);
