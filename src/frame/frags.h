/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fragments of IP packets whose TCP or UDP sum is blank: it covers all of them,
 * so they are held until they are all there, the sum is put into the first,
 * and they go on as they came, in the order in which they came. (No packet is
 * put together: each fragment stays a frame.)
 *
 * Only a sender that leaves sums out and fragments afterwards needs this; the
 * fragments of everybody else have their sum, and are never looked at nor
 * touched.
 *
 * What is held is bounded: FRAGS_DATAGRAMS packets and FRAGS_BYTES of buffers,
 * each for FRAGS_NS at most. What overlaps, is cut, or has gone too long is
 * dropped with all that belongs to it.
 */
#pragma once

#include "base/drop.h"
#include "frame/frame.h"
#include "frame/parse.h"

#define FRAGS_DATAGRAMS 64
#define FRAGS_BYTES     (1u << 20)
#define FRAGS_NS        1000000000u

struct frags_datagram {
	bool used;
	uint8_t ip, proto; /* proto: of IPv4, whose key it is part of */
	uint32_t id;
	uint8_t addr[2 * 16]; /* source, destination */
	/* VLAN tags, without the priority. The same addresses elsewhere are
	 * somebody else's. */
	uint32_t tag[PARSE_TAGS_MAX];
	uint64_t since_ns;
	struct frame_queue pieces; /* in the order of their coming */
	uint32_t have;             /* bytes */
	uint32_t end; /* of the packet; 0: the last one is not there yet */
};

/* Zero it; then set the last three. */
struct frags {
	uint32_t count;
	uint64_t bytes; /* of buffers held */
	struct frags_datagram datagrams[FRAGS_DATAGRAMS];
	/* A frame goes on. Consumes it. */
	void (*emit)(void *arg, struct frame *f);
	/* A frame is lost. Consumes it. */
	void (*drop)(void *arg, struct frame *f, enum drop_reason why);
	void *arg;
};

/**
 * frags_input() - is this frame a fragment to be held?
 * @f:     consumed if the answer is true; sole reader (asserted)
 * @blank: its sender says that the sum is blank
 *
 * Return: true: it is held, or has gone on with all the others of its packet,
 * or was dropped (DROP_CSUM_UNKNOWN, DROP_FRAGMENTS); false: it is the
 * caller's.
 */
bool frags_input(struct frags *s, struct frame *f, bool blank, uint64_t now_ns);

/** frags_expire() - drop what is too old. Return: when to call again, or 0 */
uint64_t frags_expire(struct frags *s, uint64_t now_ns);

/** frags_clear() - drop all under @why */
void frags_clear(struct frags *s, enum drop_reason why);
