/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which frames are lost: by themselves, or in bursts.
 *
 * A model has two states, good and bad (Gilbert, Elliott).  Before each frame
 * it goes from good to bad with probability p, and from bad to good with
 * probability r; then the frame is lost with the probability of the state.  So
 * a bad spell has 1/r frames on average, and of all frames
 *
 *     (p * bad + r * good) / (p + r)
 *
 * are lost.  Independent loss is the model that never leaves the good state.
 *
 * No randomness here: the caller passes what it has drawn.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/quantity.h"

/* Probabilities in parts in 10^9 (QUANTITY_WHOLE).  Zeroed: no loss. */
struct loss_model {
	uint32_t p, r;
	uint32_t good, bad;
};

/** chance() - true with probability @parts in 10^9, for an even draw */
static inline bool
chance(uint64_t draw, uint32_t parts)
{
	__extension__ unsigned __int128 scaled =
	    (unsigned __int128)draw * QUANTITY_WHOLE;

	return (uint64_t)(scaled >> 64) < parts;
}

/**
 * loss_step() - is the next frame lost?
 * @in_bad: the state; false at first
 * @move, @lose: 64 even random bits each
 */
static inline bool
loss_step(
    const struct loss_model *m, bool *in_bad, uint64_t move, uint64_t lose)
{
	if (chance(move, *in_bad ? m->r : m->p))
		*in_bad = !*in_bad;
	return chance(lose, *in_bad ? m->bad : m->good);
}
