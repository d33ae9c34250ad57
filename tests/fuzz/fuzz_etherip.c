/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What comes through a tunnel: any bytes, with every set of rules, must give a
 * frame that lies inside with a whole Ethernet header, or a reason; and any
 * frame, looked into layer by layer, must come to an end.
 *
 * The first byte has the rules.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/ether.h"
#include "frame/etherip.h"

static void
check_decap(uint8_t how, const uint8_t *data, size_t size)
{
	static const uint8_t far[4] = { 5, 6, 7, 8 };
	const struct etherip_rules rules = {
		.family = (how & 1) != 0 ? 4 : 6,
		.accept_reversed = (how & 2) != 0,
		.src = (how & 4) != 0 ? far : NULL,
	};
	enum drop_reason why = DROP_COUNT;
	int at = etherip_decap(data, size, &rules, &why);

	if (at < 0) {
		ASSERT(at == -EBADMSG);
		ASSERT(why == DROP_ETHERIP_SHORT ||
		       why == DROP_ETHERIP_VERSION ||
		       why == DROP_ETHERIP_STRANGER);
		return;
	}
	ASSERT((size_t)at + ETH_HDR_LEN <= size);
	ASSERT(at >= (rules.family == 4 ? 22 : 2));
	ASSERT(data[at - 2] >> 4 == 3 ||
	       (rules.accept_reversed && (data[at - 2] & 0xf) == 3));
	if (rules.family == 4 && rules.src != NULL)
		ASSERT(memcmp(data + 12, far, 4) == 0);
}

static void
check_layers(const uint8_t *data, size_t size)
{
	struct etherip_pair pair;
	int n;

	while ((n = etherip_next(data, size, &pair)) >= 0) {
		/* What has a layer is worth a look. */
		ASSERT(etherip_perhaps(data, size));
		ASSERT(pair.family == 4 || pair.family == 6);
		if (n == 0)
			return;
		ASSERT(n > ETH_HDR_LEN && (size_t)n + ETH_HDR_LEN <= size);
		data += n;
		size -= (size_t)n;
	}
	ASSERT(n == -ENOENT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy; /* of its own: an overrun is seen */

	if (size < 1)
		return 0;
	copy = malloc(size);
	if (copy == NULL)
		return 0;
	memcpy(copy, data + 1, size - 1);
	check_decap(data[0], copy, size - 1);
	check_layers(copy, size - 1);
	free(copy);
	return 0;
}
