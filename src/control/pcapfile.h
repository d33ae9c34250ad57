/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the Ethernet frames of a capture file: pcap (with microseconds or
 * nanoseconds) and pcapng, in either byte order.
 *
 * The whole file is in memory; nothing is copied. What other interfaces than
 * Ethernet have captured is left out and counted.
 *
 * Source: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCAPFILE_IFACES_MAX 256 /* of a section whose link type is known */

struct pcapfile {
	const uint8_t *data; /* borrowed */
	size_t len, at;
	bool ng;     /* pcapng */
	bool little; /* byte order: of the file, or of the section */
	/* pcapng: the section's interfaces; true: Ethernet. */
	uint32_t iface_count;
	uint32_t snaplen; /* of the first; 0: none */
	bool ethernet[PCAPFILE_IFACES_MAX];
	uint64_t others; /* frames that were left out */
};

/**
 * pcapfile_open() - 0, -EINVAL (no capture file) or -EPROTONOSUPPORT (a pcap
 * file of another link type, whose number is in @type)
 */
int pcapfile_open(
    struct pcapfile *p, const void *data, size_t len, uint32_t *type);

/**
 * pcapfile_next() - the next frame, as far as it was captured
 * @frame: borrowed from the file
 * @whole: its length on the wire
 *
 * Return: 1, 0 (the end) or -EBADMSG (the rest cannot be read).
 */
int pcapfile_next(
    struct pcapfile *p, const uint8_t **frame, uint32_t *len, uint32_t *whole);
