/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What comes in at ping: any packet, of both families. The first byte chooses
 * the family and the pattern, the next two are the id that is waited for.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/assert.h"
#include "cli/ping.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ping_options o = { .pattern = { 0xab, 0xcd } };
	struct ping_packet p;
	uint8_t *packet, want;
	int family, at;

	if (size < 3)
		return 0;
	family = (data[0] & 1) != 0 ? AF_INET6 : AF_INET;
	o.pattern_len = (data[0] >> 1) & 3;
	/* On the heap, so that a read behind it is seen. */
	packet = malloc(size - 3 + 1);
	ASSERT(packet != NULL);
	memcpy(packet, data + 3, size - 3);
	ping_parse(
	    family, (uint16_t)(data[1] << 8 | data[2]), packet, size - 3, &p);
	if (p.kind == PING_REPLY) {
		ASSERT(p.data >= packet &&
		       p.data + p.data_len <= packet + size - 3);
		ASSERT(p.icmp_len == p.data_len + PING_HDR);
		at = ping_wrong_byte(&o, &p, &want);
		ASSERT(at < (int)p.data_len);
		ASSERT(at < 0 || p.data[at] != want);
	} else if (p.kind == PING_ERROR) {
		ASSERT(ping_error_text(family, p.type, p.code)[0] != '\0');
	}
	free(packet);
	return 0;
}
