/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file of addresses that a daemon finds (coaxd --state): it is read and put
 * back into a few bridges, a little at a time; what is saved then must be
 * taken, and say the same once more.
 */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "bridge/bridge_impl.h"
#include "bridge/keep.h"
#include "drv/drv.h"

static void
make(struct net *net, const char *bridge, const char *member)
{
	struct iface *br, *ifp;

	ASSERT(net_iface_create(net, NULL, bridge, &br) == 0);
	ASSERT(net_iface_create(net, NULL, member, &ifp) == 0);
	ASSERT(bridge_add(br, ifp) == 0);
}

static struct net *
new_net(void)
{
	struct net_options o = {
		.pool = { .small_count = 64, .large_count = 64 },
		.kinds = drv_kinds,
		.hash_seed = 1,
		.now_ns = 1000000000,
	};
	struct net *net;

	ASSERT(net_create(&o, &net) == 0);
	make(net, "bridge0", "feth0");
	make(net, "bridge1", "feth1");
	return net;
}

/* All there is; to be freed. */
static char *
save(struct bridge_keep *k, size_t *len)
{
	size_t size = 0;
	char *text = NULL;
	size_t n;

	*len = 0;
	bridge_keep_save_begin(k, 1000);
	do {
		size = *len + BRIDGE_KEEP_PORTION_MIN;
		text = realloc(text, size);
		ASSERT(text != NULL);
		n = bridge_keep_save(k, text + *len, size - *len);
		*len += n;
	} while (n > 0);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bridge_keep_error e = { 0 };
	struct net *net = new_net(), *next;
	struct bridge_keep *k, *again;
	char *text = malloc(size + 1), *first, *second;
	size_t first_len, second_len;
	uint64_t left_out;
	uint32_t count;
	int err;

	ASSERT(text != NULL && bridge_keep_create(net, &k) == 0);
	if (size > 0)
		memcpy(text, data, size);
	err = bridge_keep_load(k, text, size, 1000, &e);
	free(text);
	if (err != 0) {
		ASSERT(e.text != NULL && bridge_keep_waiting(k) == 0);
		bridge_keep_destroy(k);
		net_destroy(net);
		return 0;
	}
	while (bridge_keep_restore(k, 3))
		;
	first = save(k, &first_len);
	count = bridge_keep_saved(k, &left_out);

	next = new_net();
	ASSERT(bridge_keep_create(next, &again) == 0);
	ASSERT(bridge_keep_load(again, first, first_len, 1000, &e) == 0);
	while (bridge_keep_restore(again, 3))
		;
	second = save(again, &second_len);
	ASSERT(bridge_keep_saved(again, &left_out) == count);
	free(first);
	free(second);
	bridge_keep_destroy(again);
	net_destroy(next);
	bridge_keep_destroy(k);
	net_destroy(net);
	return 0;
}
