/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What would happen to a frame: `coax trace'.
 *
 * The frame goes through the very functions that all frames go through, but in
 * a copy: a net of its own with copies of the interface, its bridge, the
 * bridge's members and of what is known of the frame's addresses.  The copies
 * of drivers and hosts send nothing: they tell what they were given.  So
 * whatever decides about frames (bridge/, net/iface.c) is in a trace because it
 * is in the way of frames, and a new rule there has to be told of, not written
 * again.
 *
 * Steps are said through the tracer of the copy (net_trace()).  Who keeps
 * state of his own beside the interfaces and bridges must give the copy a state
 * of its own, or none (trace.c, "Copies"): spanning tree gets no BPDU, a wire
 * that is impaired lets the frame pass, and the trace says so.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/iface.h"

struct trace_request {
	struct iface *ifp; /* where it comes in */
	/* The host sends it there; false: it comes in from the wire.  A
	 * bridge has no wire: of it, the host sends always. */
	bool from_host;
	const uint8_t *data; /* borrowed */
	uint32_t len;        /* at most FRAME_LARGE_MAX */
};

/**
 * bridge_trace() - follow a frame
 * @out: the steps, as objects of the list that the caller has begun:
 *       { step iface text }, with more members of some:
 *       send, host  tags [{ tpid vlan }], length   a frame leaves
 *       drop        reason                         it ends (or one of its
 *                                                  copies)
 *
 * Nothing of the net changes.  Return: 0, -EMSGSIZE (@len) or -ENOMEM.
 */
int bridge_trace(const struct trace_request *request, struct info *out);
