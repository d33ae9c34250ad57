/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bridge protocol data units as bytes and as numbers: IEEE 802.1D-2004 clause
 * 9.3, and the frame around them (clause 7.12, LLC).
 *
 * Decoding checks all that can be checked without knowing the receiver:
 * length, protocol, type, version, and times (see stp_bpdu_decode()).  Whether
 * a BPDU is the receiver's own is stp_receive()'s to see.
 *
 * Times on the wire count 1/256 s; here they are whole seconds, rounded to the
 * nearest, because the machines tick once a second.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STP_BPDU_CONFIG_LEN 35
#define STP_BPDU_RST_LEN    36
#define STP_BPDU_TCN_LEN    4
#define STP_BPDU_LEN_MAX    36
#define STP_LLC_LEN         3
#define STP_FRAME_LEN_MAX   (14 + STP_LLC_LEN + STP_BPDU_LEN_MAX)

enum stp_bpdu_type {
	STP_BPDU_CONFIG = 0x00,
	STP_BPDU_RST = 0x02,
	STP_BPDU_TCN = 0x80,
};

/* Flags, octet 5. */
#define STP_FLAG_TC         0x01u
#define STP_FLAG_PROPOSAL   0x02u
#define STP_FLAG_ROLE       0x0cu
#define STP_FLAG_LEARNING   0x10u
#define STP_FLAG_FORWARDING 0x20u
#define STP_FLAG_AGREEMENT  0x40u
#define STP_FLAG_TCA        0x80u

/* The port role in the flags of an RST BPDU, clause 9.3.3. */
enum stp_bpdu_role {
	STP_BPDU_ROLE_UNKNOWN = 0,
	STP_BPDU_ROLE_ALTERNATE = 1, /* or Backup */
	STP_BPDU_ROLE_ROOT = 2,
	STP_BPDU_ROLE_DESIGNATED = 3,
};

/* Clause 17.18: what a message says of time, in seconds. */
struct stp_times {
	uint16_t message_age;
	uint16_t max_age;
	uint16_t hello;
	uint16_t fwd_delay;
};

/* A bridge identifier is its priority (16 bits, the lower 12 the system id
 * extension) above its address (48 bits): it compares as the standard says. */
struct stp_bpdu {
	enum stp_bpdu_type type;
	uint8_t version;
	uint8_t flags; /* STP_FLAG_* as on the wire */
	uint64_t root_id;
	uint32_t root_path_cost;
	uint64_t bridge_id;
	uint16_t port_id;
	struct stp_times times;
};

/* Ranges that a BPDU's times must be in, seconds; for hello up to what 802.1D
 * of 1998 allowed. */
#define STP_MAX_AGE_MIN   6u
#define STP_MAX_AGE_MAX   40u
#define STP_HELLO_MIN     1u
#define STP_HELLO_MAX     2u
#define STP_HELLO_RX_MAX  10u
#define STP_FWD_DELAY_MIN 4u
#define STP_FWD_DELAY_MAX 30u

/**
 * stp_bpdu_decode() - read and check one BPDU (clause 9.3.4)
 * @data: from the protocol identifier on, behind the LLC header; borrowed
 * @len:  octets there are; more than the BPDU has are ignored
 * @out:  written only on success
 *
 * A version above 2 is read as far as version 2 goes.  Role "unknown" of an
 * RST BPDU stays so: it counts as designated (clause 9.2.9).
 *
 * Whether it is too old, stp_receive() sees.
 *
 * Differs: as FreeBSD since 2021, max age, hello time and forward delay must be
 * within their ranges: such times would be passed on to the whole network.
 *
 * Return: 0, -EBADMSG (too short), -EPROTONOSUPPORT (another protocol, type, or
 * an RST BPDU of a version below 2) or -ERANGE (times).
 */
int stp_bpdu_decode(const void *data, size_t len, struct stp_bpdu *out);

/**
 * stp_bpdu_encode() - write one BPDU
 * @bpdu: version is not used: it follows from the type
 * @out:  room for STP_BPDU_LEN_MAX octets
 *
 * Return: number of octets written: 35, 36 or 4.
 */
size_t stp_bpdu_encode(
    const struct stp_bpdu *bpdu, uint8_t out[STP_BPDU_LEN_MAX]);

/**
 * stp_frame_encode() - the Ethernet frame of a BPDU
 * @src:  address of the sending port, 6 octets
 * @bpdu: octets as of stp_bpdu_encode()
 * @len:  how many; at most STP_BPDU_LEN_MAX
 * @out:  room for STP_FRAME_LEN_MAX octets
 *
 * Return: length of the frame; not padded.
 */
size_t stp_frame_encode(const uint8_t src[6], const uint8_t *bpdu, size_t len,
    uint8_t out[STP_FRAME_LEN_MAX]);

/**
 * stp_frame_decode() - find the BPDU in an Ethernet frame
 * @frame: from the destination address on; the caller has compared that
 * @len:   octets there are
 * @bpdu:  points into @frame; written only on success
 * @bpdu_len: written only on success
 *
 * Return: 0, -EBADMSG (length field missing, or more than there is) or
 * -EPROTONOSUPPORT (another LLC).
 */
int stp_frame_decode(
    const void *frame, size_t len, const uint8_t **bpdu, size_t *bpdu_len);

static inline enum stp_bpdu_role
stp_bpdu_role(const struct stp_bpdu *b)
{
	return (enum stp_bpdu_role)((b->flags & STP_FLAG_ROLE) >> 2);
}
