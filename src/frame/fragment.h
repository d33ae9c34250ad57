/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IPv4 fragmentation (RFC 791, 3.2): one packet to several that fit.
 *
 * A fragment is fragmented again where it must be; options are repeated in
 * later pieces if they say so.  What follows the packet in the frame (padding)
 * is not carried on.  Headers before the packet, with their tags, are repeated
 * in each piece; the length of an 802.3 frame is put right.
 */
#pragma once

#include "frame/offload.h"

/**
 * fragment4() - send an IPv4 packet in pieces
 * @f:   consumed; plain (no super-frame); its IP header has been checked:
 *       version, lengths
 * @l3:  where the packet begins
 * @out: mtu is the limit of a piece, from the IP header on; emit and drop are
 *       called, caps are ignored
 *
 * A packet that fits is emitted as it is.  Drops: DROP_MTU_DF (it may not be
 * fragmented), DROP_MTU (no room for 8 bytes of data), DROP_CSUM_UNKNOWN (a
 * blank sum that cannot be completed), DROP_NO_FRAME.
 */
void fragment4(struct frame *f, uint32_t l3, const struct offload_output *out);
