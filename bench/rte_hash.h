/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DPDK's rte_hash as a table of addresses, for coax-bench. Only in builds with
 * -Ddpdk=enabled (libdpdk-dev).
 *
 * DPDK's headers and compiler flags stay in rte_hash.c.
 */
#pragma once

#include <stdint.h>

struct rte_table;

/* Starts DPDK once: no huge pages, no devices, no files. Exits if it cannot. */
void rte_table_init(void);

/* A table of @count keys with half as much room again, each key's value its
 * number modulo 32. Owned. */
struct rte_table *rte_table_create(const uint64_t *keys, uint32_t count);

/* Looks up @count (at most 64) keys at once; the sum of what was found. */
uint64_t rte_table_lookup(
    const struct rte_table *t, const uint64_t *keys, uint32_t count);

/* As a bridge would refresh sources: looks them up and writes @age where it is
 * another. */
void rte_table_refresh(
    struct rte_table *t, const uint64_t *keys, uint32_t count, uint32_t age);
