/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which frames belong together: a hash of what makes a flow, for spreading
 * frames over queues without changing their order in a flow.
 */
#pragma once

#include <stdint.h>

#include "frame/frame.h"

/**
 * flow_hash() - of addresses and, where they are, IP addresses, protocol and
 * ports
 *
 * All fragments of a packet are one flow: their ports do not count.
 */
uint64_t flow_hash(uint64_t seed, const struct frame *f);
