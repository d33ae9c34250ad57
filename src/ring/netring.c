/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rings: beginning. What runs for each packet is inline in netring.h.
 */
#include "ring/netring.h"

#include "base/assert.h"

static void
geometry_check(const void *page, uint32_t slots, uint32_t slot_size)
{
	ASSERT(((uintptr_t)page & (COAX_RING_SLOTS_AT - 1)) == 0);
	ASSERT(slots != 0 && (slots & (slots - 1)) == 0);
	ASSERT(slot_size % sizeof(uint32_t) == 0);
	ASSERT(COAX_RING_SLOTS_AT + slots * slot_size <= COAX_RING_PAGE);
}

int
netring_back_attach(
    struct netring_back *r, void *page, uint32_t slots, uint32_t slot_size)
{
	struct coax_ring *shared = page;
	uint32_t rsp, req;

	geometry_check(page, slots, slot_size);
	rsp = shm_load_acquire(&shared->rsp_prod);
	req = shm_load_acquire(&shared->req_prod);
	if (req - rsp > slots)
		return -EPROTO;
	*r = (struct netring_back){
		.shared = shared,
		.slots = slots,
		.slot_size = slot_size,
		.req_seen = rsp,
		.req_cons = rsp,
		.rsp_prod_pvt = rsp,
		.rsp_prod = rsp,
	};
	return 0;
}

void
netring_front_init(
    struct netring_front *r, void *page, uint32_t slots, uint32_t slot_size)
{
	struct coax_ring *shared = page;

	geometry_check(page, slots, slot_size);
	shm_store_relaxed(&shared->req_prod, 0);
	shm_store_relaxed(&shared->rsp_prod, 0);
	shm_store_relaxed(&shared->req_event, 1);
	shm_store_relaxed(&shared->rsp_event, 1);
	*r = (struct netring_front){
		.shared = shared,
		.slots = slots,
		.slot_size = slot_size,
	};
}
