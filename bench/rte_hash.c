/* SPDX-License-Identifier: BSD-2-Clause */
/* DPDK's rte_hash for coax-bench; see rte_hash.h. */
#include "rte_hash.h"

#include <rte_eal.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BULK_MAX 64

struct rte_table {
	struct rte_hash *hash;
	uint32_t *ages; /* by position */
};

void
rte_table_init(void)
{
	/* One thread, free to run wherever the other rows run. */
	static char args[][24] = { "coax-bench", "--no-huge", "-m", "1024",
		"--no-pci", "--no-shconf", "--no-telemetry", "--log-level", "1",
		"--lcores", "" };
	char *argv[sizeof(args) / sizeof(args[0])];
	static bool done;

	if (done)
		return;
	snprintf(args[10], sizeof(args[10]), "0@(0-%ld)",
	    sysconf(_SC_NPROCESSORS_ONLN) - 1);
	for (size_t i = 0; i < sizeof(args) / sizeof(args[0]); i++)
		argv[i] = args[i];
	if (rte_eal_init((int)(sizeof(args) / sizeof(args[0])), argv) < 0) {
		fprintf(stderr, "coax-bench: DPDK does not start\n");
		exit(1);
	}
	done = true;
}

struct rte_table *
rte_table_create(const uint64_t *keys, uint32_t count)
{
	static int number;
	char name[32];
	struct rte_hash_parameters p = {
		.entries = count * 3 / 2 < 2048 ? 2048 : count * 3 / 2,
		.key_len = sizeof(uint64_t),
		.hash_func = rte_hash_crc,
	};
	struct rte_table *t = calloc(1, sizeof(*t));

	snprintf(name, sizeof(name), "bench%d", number++);
	p.name = name;
	if (t != NULL) {
		t->hash = rte_hash_create(&p);
		t->ages = calloc(p.entries + 64, sizeof(*t->ages));
	}
	if (t == NULL || t->hash == NULL || t->ages == NULL) {
		fprintf(stderr, "coax-bench: no rte_hash of %u\n", count);
		exit(1);
	}
	for (uint32_t i = 0; i < count; i++)
		rte_hash_add_key_data(
		    t->hash, &keys[i], (void *)(uintptr_t)(i & 31));
	return t;
}

uint64_t
rte_table_lookup(
    const struct rte_table *t, const uint64_t *keys, uint32_t count)
{
	const void *pointers[BULK_MAX];
	void *values[BULK_MAX];
	uint64_t hits, sum = 0;

	for (uint32_t i = 0; i < count; i++)
		pointers[i] = &keys[i];
	rte_hash_lookup_bulk_data(t->hash, pointers, count, &hits, values);
	for (uint32_t i = 0; i < count; i++)
		sum += (uintptr_t)values[i];
	return sum + hits;
}

void
rte_table_refresh(
    struct rte_table *t, const uint64_t *keys, uint32_t count, uint32_t age)
{
	const void *pointers[BULK_MAX];
	int32_t positions[BULK_MAX];

	for (uint32_t i = 0; i < count; i++)
		pointers[i] = &keys[i];
	rte_hash_lookup_bulk(t->hash, pointers, count, positions);
	for (uint32_t i = 0; i < count; i++) {
		if (positions[i] >= 0 && t->ages[positions[i]] != age)
			t->ages[positions[i]] = age;
	}
}
