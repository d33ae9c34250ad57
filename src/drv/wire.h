/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A wire between two interfaces: what feth and epair have in common.
 *
 * wire_send() puts frames into the inbox of the other end and calls
 * net_ready(); its poll hands them on by iface_input(), a batch at a time.
 * Nothing is copied: frames change hands, with their offload record, shared
 * ones too.  An inbox holds WIRE_INBOX_FRAMES frames and WIRE_INBOX_BYTES
 * bytes, so that a pair in a loop of bridges, or one whose receiver is slow,
 * cannot take the pool; what does not fit is the sender's drop.  A turn moves
 * the more the fuller the inbox is: a host's wake-up brings more frames than
 * the budget of a turn, and several may send to one end.
 *
 * The link of an end is up exactly while it has a peer.  A peer that goes away
 * leaves what it has sent already in the inbox: it still arrives.
 */
#pragma once

#include "frame/frame.h"
#include "net/net.h"

#define WIRE_INBOX_FRAMES 1024
#define WIRE_INBOX_BYTES  (4u << 20)
#define WIRE_TURN_MAX     4 /* budgets that a turn may move at most */

/* One end; the kinds' structs begin with it. */
struct wire {
	struct iface ifp;
	struct wire *peer;
	struct frame_ring inbox; /* from the peer */
};

static inline struct wire *
wire_of(struct iface *ifp)
{
	return (struct wire *)(void *)ifp;
}

/** wire_init() - an end without a peer. 0 or -ENOMEM */
int wire_init(struct wire *w);
/** wire_fini() - unpairs, drops what is on the way to @w */
void wire_fini(struct wire *w);

/** wire_pair() - connect two ends that have no peer; both links go up */
void wire_pair(struct wire *a, struct wire *b);
/** wire_unpair() - both links go down; nothing if there is no peer */
void wire_unpair(struct wire *w);

/** wire_blocked() - why nothing can be sent, or DROP_COUNT: it can */
enum drop_reason wire_blocked(const struct wire *w);
/** wire_send() - to the peer's inbox, or a drop; consumes all, counts */
void wire_send(struct wire *w, struct frame *const *frames, uint32_t count);
/** wire_poll() - ops->poll of an end */
bool wire_poll(struct iface *ifp, uint32_t budget);

/** wire_get_peer() - "peer": its name as the users of @w know it, or null */
void wire_get_peer(const struct wire *w, struct info *out);

/** wire_ring_drop() - drop all that waits in a ring of @ifp's */
void wire_ring_drop(
    struct iface *ifp, struct frame_ring *r, enum drop_reason why);
