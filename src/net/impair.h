/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An interface with a bad wire.
 *
 * Theory of operation
 *
 * The impairment of an interface lies between it and its wire, in both
 * directions, each with its own settings, seed and counters:
 *
 *     driver --iface_input()--> [ in ]  --> counters, capture, stack
 *     driver <----transmit----- [ out ] <-- capture <--iface_output()
 *
 * So it works with every kind, and the interface counts and captures what it
 * has received, and what it has sent, though it may then be lost.  What is
 * done, and how, is pipe/impair.h's; here are the frames, timers, drops.
 *
 * A frame is made plain first (checksums completed, super-frames segmented):
 * what a wire loses, delays, counts for its rate is frames of the MTU, and no
 * later checksum hides what was corrupted.
 *
 * Frames that wait are dropped when the interface goes down; they go on at once
 * when the impairment is taken away.
 */
#pragma once

#include "net/iface.h"
#include "pipe/impair.h"

/**
 * iface_impair() - change what @ifp's wire does
 * @change: borrowed; see impair_parse()
 *
 * What was not set yet has impair.h's presets, and a seed by chance.  A new
 * seed starts the sequence anew; other changes hold for what comes, and the
 * rate also for what waits.
 *
 * Return: 0, -EOPNOTSUPP (a bridge: no wire), -EINVAL (what is asked
 * contradicts itself; a sentence is in net->message) or -ENOMEM, with nothing
 * changed.
 */
int iface_impair(struct iface *ifp, const struct impair_change *change);

/** iface_impair_off() - a perfect wire again, one way or both */
void iface_impair_off(struct iface *ifp, bool in, bool out);

/** iface_impair_config() - of one direction (borrowed), or NULL */
const struct impair_config *iface_impair_config(
    const struct iface *ifp, enum impair_direction dir);

/** iface_impair_get() - objects "in" and "out" for the print-out; nothing if
 * there is no impairment */
void iface_impair_get(const struct iface *ifp, struct info *out);

/* --- for net/ ------------------------------------------------------------- */

/** impair_input() - frames from the wire; consumes all of @batch if it says
 * true: they come by iface_input_now() */
bool impair_input(struct iface *ifp, struct frame_batch *batch);
/** impair_output() - the same for frames to the wire, plain and fit for it;
 * they go to ops->transmit */
bool impair_output(struct iface *ifp, struct frame_batch *batch);
/** impair_wants_plain() - must what goes out be plain? */
bool impair_wants_plain(const struct iface *ifp);
/** impair_changed() - IFACE_CHANGED_* happened */
void impair_changed(struct iface *ifp, uint32_t what);
/** impair_destroy() - drops what waits */
void impair_destroy(struct iface *ifp);
