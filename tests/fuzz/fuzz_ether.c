/* SPDX-License-Identifier: BSD-2-Clause */
/* ether_parse(): what it takes, it takes again after ether_format(). */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/ether.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t mac[ETH_ADDR_LEN], again[ETH_ADDR_LEN];
	char s[ETH_ADDR_STRLEN];
	char *text = malloc(size + 1);

	if (text == NULL)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (ether_parse(text, mac) == 0) {
		ASSERT(ether_parse(ether_format(mac, s), again) == 0);
		ASSERT(ether_equal(mac, again));
	}
	free(text);
	return 0;
}
