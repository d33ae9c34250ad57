/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ping(8), in three parts:
 *
 *   ping_options.c  the command line as FreeBSD's ping and ping6 read it
 *   ping_packet.c   echo requests, and what comes back; statistics. Pure: no
 *                   system call, no clock, so that it can be tested and fuzzed
 *   ping.c          sockets, the clock, print-outs
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PING_DATA_DEFAULT 56
#define PING_DATA_IPV6    8     /* what ping6 sends */
#define PING_DATA_MAX     65467 /* what fits an IPv4 packet with options */
#define PING_PATTERN_MAX  16
#define PING_HDR          8 /* ICMP's, and of an echo */
#define PING_STAMP        8 /* bytes of a time in the data */
#define PING_SEEN_BITS    65536

/* BSD's sysexits(3). */
#define PING_EX_USAGE   64
#define PING_EX_NOHOST  68
#define PING_EX_OSERR   71
#define PING_EX_NOPERM  77
#define PING_EX_NOREPLY 2

struct ping_options {
	int family; /* AF_INET, AF_INET6; AF_UNSPEC: the host's */
	const char *host;
	uint64_t count; /* 0: without end */
	uint64_t interval_ns;
	uint64_t timeout_s; /* of all; 0: none */
	uint64_t wait_ms;   /* of one reply */
	bool wait_given;
	uint32_t size; /* see size_given */
	uint32_t sweep_min, sweep_max, sweep_step;
	uint32_t preload;
	uint8_t pattern[PING_PATTERN_MAX];
	uint32_t pattern_len;        /* 0: counting bytes */
	int ttl, multicast_ttl, tos; /* -1: the system's */
	const char *source, *iface;
	bool bell, bell_missed, debug, dont_fragment, flood, names, no_loop,
	    quiet, quiet_errors, once, dont_route, verbose, sweep, count_given;
	bool size_given; /* else it is the family's */
};

/**
 * ping_options_parse() - a command line
 * @six:     ping6: IPv6 if nothing says otherwise
 * @message: what to print if it is refused ("" : the usage), ended by a NUL
 *
 * Uses getopt(3).  @o borrows @argv's strings.
 * Return: 0 or an exit status.
 */
int ping_options_parse(struct ping_options *o, int argc, char **argv, bool six,
    char *message, size_t size);

extern const char ping_usage[];

/* --- packets ---------------------------------------------------------------
 */

/**
 * ping_request() - write an echo request
 * @out:    room for PING_HDR + @size
 * @now_ns: goes into the data where it has room for it
 *
 * The checksum is computed for IPv4; for IPv6 the kernel does.
 */
void ping_request(const struct ping_options *o, int family, uint16_t id,
    uint16_t seq, uint32_t size, uint64_t now_ns, uint8_t *out);

enum ping_kind {
	PING_OTHER, /* not for us */
	PING_REPLY,
	PING_ERROR, /* about a request of ours */
};

struct ping_packet {
	enum ping_kind kind;
	uint16_t seq;
	uint8_t type, code;  /* of an error */
	uint8_t ttl;         /* IPv4; IPv6's comes from beside the packet */
	uint32_t icmp_len;   /* header and data */
	const uint8_t *data; /* of a reply; borrowed from the packet */
	uint32_t data_len;
	bool stamped;
	uint64_t sent_ns; /* when, if stamped */
	bool bad_checksum;
};

/**
 * ping_parse() - what came in
 * @packet: for IPv4 with its IP header, for IPv6 from ICMPv6's on
 *
 * Whatever does not belong to the requests of @id is PING_OTHER.
 */
void ping_parse(int family, uint16_t id, const uint8_t *packet, size_t len,
    struct ping_packet *out);

/** ping_error_text() - what an error means: "Destination Host Unreachable" */
const char *ping_error_text(int family, uint8_t type, uint8_t code);

/**
 * ping_wrong_byte() - compare a reply's data with what was sent
 *
 * Return: the place of the first wrong byte, or -1; @want: what was to be there
 */
int ping_wrong_byte(
    const struct ping_options *o, const struct ping_packet *p, uint8_t *want);

/* --- statistics ------------------------------------------------------------
 */

struct ping_stats {
	uint64_t sent, received, repeats, late;
	double min_ms, max_ms, sum_ms, sum2_ms; /* of the received */
	uint8_t seen[PING_SEEN_BITS / 8];
};

void ping_stats_add(struct ping_stats *s, double ms);
/** ping_stats_seen() - marks a number; true if it was marked */
bool ping_stats_seen(struct ping_stats *s, uint16_t seq);
/** ping_stats_sent() - a number is used (again) */
void ping_stats_sent(struct ping_stats *s, uint16_t seq);
/** ping_stats_text() - the lines at the end, without the first empty one */
void ping_stats_text(const struct ping_stats *s, const char *host, int family,
    bool timed, char *out, size_t size);
