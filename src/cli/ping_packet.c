/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Echo requests and what comes back, statistics. See ping.h. Source: RFC 792,
 * RFC 4443, RFC 1071.
 */
#include "cli/ping.h"

#include <math.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "base/str.h"
#include "base/util.h"

#define ICMP4_REPLY   0
#define ICMP4_REQUEST 8
#define ICMP6_REQUEST 128
#define ICMP6_REPLY   129

#define IP4_HDR_MIN    20
#define IP6_HDR        40
#define IP_PROTO_ICMP  1
#define IP_PROTO_ICMP6 58

/* RFC 1071 over all of it: 0 for a packet whose sum is right. */
static uint16_t
checksum(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (; len > 1; p += 2, len -= 2)
		sum += be16_get(p);
	if (len == 1)
		sum += (uint32_t)*p << 8;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Byte @i of the data behind the time. */
static uint8_t
fill(const struct ping_options *o, uint32_t i)
{
	return o->pattern_len != 0 ? o->pattern[i % o->pattern_len]
	                           : (uint8_t)i;
}

static uint32_t
stamp_len(uint32_t size)
{
	return size >= PING_STAMP ? PING_STAMP : 0;
}

void
ping_request(const struct ping_options *o, int family, uint16_t id,
    uint16_t seq, uint32_t size, uint64_t now_ns, uint8_t *out)
{
	uint32_t from = stamp_len(size);

	out[0] = family == AF_INET6 ? ICMP6_REQUEST : ICMP4_REQUEST;
	out[1] = 0;
	be16_put(out + 2, 0);
	be16_put(out + 4, id);
	be16_put(out + 6, seq);
	if (from != 0)
		be64_put(out + PING_HDR, now_ns);
	for (uint32_t i = from; i < size; i++)
		out[PING_HDR + i] = fill(o, i);
	if (family == AF_INET)
		be16_put(out + 2, checksum(out, PING_HDR + size));
}

/* The ICMP part of an IPv4 packet; its length, or 0. */
static size_t
ip4_payload(const uint8_t *packet, size_t len, size_t *at)
{
	size_t hdr;

	if (len < IP4_HDR_MIN || packet[0] >> 4 != 4 ||
	    packet[9] != IP_PROTO_ICMP)
		return 0;
	hdr = (size_t)(packet[0] & 15) * 4;
	if (hdr < IP4_HDR_MIN || hdr > len)
		return 0;
	*at = hdr;
	return len - hdr;
}

/* Is what an error quotes a request of ours?  Its number into @seq. */
static bool
quoted(int family, uint16_t id, const uint8_t *q, size_t len, uint16_t *seq)
{
	size_t at = IP6_HDR, left = 0;
	uint8_t request = ICMP6_REQUEST;

	if (family == AF_INET) {
		left = ip4_payload(q, len, &at);
		request = ICMP4_REQUEST;
	} else if (len >= IP6_HDR && q[0] >> 4 == 6 && q[6] == IP_PROTO_ICMP6) {
		left = len - IP6_HDR;
	}
	if (left < PING_HDR || q[at] != request || be16_get(q + at + 4) != id)
		return false;
	*seq = be16_get(q + at + 6);
	return true;
}

static bool
is_error(int family, uint8_t type)
{
	if (family == AF_INET6)
		return type < 128;
	return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

void
ping_parse(int family, uint16_t id, const uint8_t *packet, size_t len,
    struct ping_packet *out)
{
	struct ping_packet p = { .kind = PING_OTHER };
	size_t at = 0;

	*out = p;
	if (family == AF_INET) {
		len = ip4_payload(packet, len, &at);
		if (len != 0)
			p.ttl = packet[8];
	}
	if (len < PING_HDR)
		return;
	packet += at;
	p.type = packet[0];
	p.code = packet[1];
	p.icmp_len = (uint32_t)len;
	p.bad_checksum = family == AF_INET && checksum(packet, len) != 0;
	if (p.type == (family == AF_INET6 ? ICMP6_REPLY : ICMP4_REPLY)) {
		if (be16_get(packet + 4) != id)
			return;
		p.kind = PING_REPLY;
		p.seq = be16_get(packet + 6);
		p.data = packet + PING_HDR;
		p.data_len = (uint32_t)len - PING_HDR;
		p.stamped = p.data_len >= PING_STAMP;
		if (p.stamped)
			p.sent_ns = be64_get(p.data);
	} else if (is_error(family, p.type) &&
	           quoted(
	               family, id, packet + PING_HDR, len - PING_HDR, &p.seq)) {
		p.kind = PING_ERROR;
	} else {
		return;
	}
	*out = p;
}

int
ping_wrong_byte(
    const struct ping_options *o, const struct ping_packet *p, uint8_t *want)
{
	for (uint32_t i = stamp_len(p->data_len); i < p->data_len; i++) {
		*want = fill(o, i);
		if (p->data[i] != *want)
			return (int)i;
	}
	return -1;
}

const char *
ping_error_text(int family, uint8_t type, uint8_t code)
{
	static const struct {
		int family;
		uint8_t type;
		int code; /* -1: any */
		const char *text;
	} rows[] = {
		{ AF_INET, 3, 0, "Destination Net Unreachable" },
		{ AF_INET, 3, 1, "Destination Host Unreachable" },
		{ AF_INET, 3, 2, "Destination Protocol Unreachable" },
		{ AF_INET, 3, 3, "Destination Port Unreachable" },
		{ AF_INET, 3, 4, "frag needed and DF set" },
		{ AF_INET, 3, 5, "Source Route Failed" },
		{ AF_INET, 3, 13, "Communication prohibited by filter" },
		{ AF_INET, 3, -1, "Destination Unreachable" },
		{ AF_INET, 4, -1, "Source Quench" },
		{ AF_INET, 5, 0, "Redirect Network" },
		{ AF_INET, 5, 1, "Redirect Host" },
		{ AF_INET, 5, -1, "Redirect" },
		{ AF_INET, 11, 0, "Time to live exceeded" },
		{ AF_INET, 11, 1, "Frag reassembly time exceeded" },
		{ AF_INET, 11, -1, "Time exceeded" },
		{ AF_INET, 12, -1, "Parameter problem" },
		{ AF_INET6, 1, 0, "No Route to Destination" },
		{ AF_INET6, 1, 1, "Destination Administratively Unreachable" },
		{ AF_INET6, 1, 2, "Destination Unreachable Beyond Scope" },
		{ AF_INET6, 1, 3, "Destination Host Unreachable" },
		{ AF_INET6, 1, 4, "Destination Port Unreachable" },
		{ AF_INET6, 1, -1, "Destination Unreachable" },
		{ AF_INET6, 2, -1, "Packet too big" },
		{ AF_INET6, 3, 0, "Time to live exceeded" },
		{ AF_INET6, 3, 1, "Frag reassembly time exceeded" },
		{ AF_INET6, 3, -1, "Time exceeded" },
		{ AF_INET6, 4, -1, "Parameter problem" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].family == family && rows[i].type == type &&
		    (rows[i].code < 0 || rows[i].code == code))
			return rows[i].text;
	return "Bad ICMP type";
}

void
ping_stats_add(struct ping_stats *s, double ms)
{
	if (s->received == 0 || ms < s->min_ms)
		s->min_ms = ms;
	if (s->received == 0 || ms > s->max_ms)
		s->max_ms = ms;
	s->sum_ms += ms;
	s->sum2_ms += ms * ms;
	s->received++;
}

bool
ping_stats_seen(struct ping_stats *s, uint16_t seq)
{
	uint8_t bit = (uint8_t)(1u << seq % 8);
	bool was = (s->seen[seq / 8] & bit) != 0;

	s->seen[seq / 8] |= bit;
	return was;
}

void
ping_stats_sent(struct ping_stats *s, uint16_t seq)
{
	s->seen[seq / 8] &= (uint8_t) ~(1u << seq % 8);
	s->sent++;
}

void
ping_stats_text(const struct ping_stats *s, const char *host, int family,
    bool timed, char *out, size_t size)
{
	struct sbuf b = sbuf_init(out, size);

	sbuf_printf(&b,
	    "--- %s ping statistics ---\n"
	    "%llu packets transmitted, %llu packets received, ",
	    host, (unsigned long long)s->sent, (unsigned long long)s->received);
	if (s->repeats != 0)
		sbuf_printf(
		    &b, "+%llu duplicates, ", (unsigned long long)s->repeats);
	if (s->sent != 0 && s->received > s->sent)
		sbuf_puts(&b, "-- somebody's printing up packets!");
	else if (s->sent != 0)
		sbuf_printf(&b, "%.1f%% packet loss",
		    (double)(s->sent - s->received) * 100.0 / (double)s->sent);
	if (s->late != 0)
		sbuf_printf(&b, ", %llu packets out of wait time",
		    (unsigned long long)s->late);
	sbuf_puts(&b, "\n");
	if (s->received != 0 && timed) {
		double n = (double)s->received;
		double mean = s->sum_ms / n;
		double var = s->sum2_ms / n - mean * mean;

		sbuf_printf(&b,
		    "round-trip min/avg/max/%s = %.3f/%.3f/%.3f/%.3f ms\n",
		    family == AF_INET6 ? "std-dev" : "stddev", s->min_ms, mean,
		    s->max_ms, sqrt(var > 0 ? var : 0));
	}
}
