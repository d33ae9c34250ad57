/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fate of frames. See impair.h.
 *
 * Random bits are the splitmix64 sequence of the key, at a place that the
 * frame's number and the question determine: any of them can be had without
 * those before it.
 */
#include "pipe/impair.h"

#include "base/prng.h"

#define SPLITMIX_STEP 0x9e3779b97f4a7c15u
#define DIRECTION_MIX 0x6a09e667f3bcc909u /* any odd number */

/* The questions. */
enum lane {
	LANE_MOVE,
	LANE_LOSE,
	LANE_DUPLICATE,
	LANE_REORDER,
	LANE_CORRUPT,
	LANE_BIT,
	LANE_JITTER, /* and two more */
	LANES = LANE_JITTER + 3,
};

__extension__ typedef __int128 i128;

static uint64_t
draw(const struct impair_state *s, unsigned int lane)
{
	uint64_t at = s->key + (s->number * LANES + lane) * SPLITMIX_STEP;

	return prng_splitmix(&at);
}

struct impair_state
impair_begin(uint64_t seed, enum impair_direction dir)
{
	uint64_t mixed = dir == IMPAIR_OUT ? seed ^ DIRECTION_MIX : seed;

	return (struct impair_state){ .key = prng_splitmix(&mixed) };
}

/* Scales a deviation of @z / 2^16 by @by. */
static int64_t
scaled(int64_t z, uint64_t by)
{
	return (int64_t)((i128)z * (i128)by / 65536);
}

/* From -1 to 1, even. */
static int64_t
deviation_uniform(const struct impair_state *s)
{
	return (int64_t)(draw(s, LANE_JITTER) >> 47) - 65536;
}

/* The sum of twelve even numbers of 16 bits is as good as normal to 6
 * deviations, and its own deviation is 2^16. */
static int64_t
deviation_normal(const struct impair_state *s)
{
	int64_t sum = -6 * 65535;

	for (unsigned int i = 0; i < 3; i++) {
		uint64_t bits = draw(s, LANE_JITTER + i);

		for (; bits != 0; bits >>= 16)
			sum += (int64_t)(bits & 0xffff);
	}
	return sum;
}

static uint64_t
cube_root(uint64_t v)
{
	uint64_t root = 0;

	for (uint64_t bit = 1u << 21; bit != 0; bit >>= 1) {
		uint64_t t = root | bit;

		if (t * t * t <= v)
			root = t;
	}
	return root;
}

/* Pareto's with shape 3, moved to mean 0 and deviation 1: from -0.577 up, with
 * a long tail.  For an even u in (0, 1], x = u^(-1/3) has it; its mean is 3/2,
 * its deviation sqrt(3)/2. */
static int64_t
deviation_pareto(const struct impair_state *s)
{
	uint64_t u = (draw(s, LANE_JITTER) >> 32) + 1; /* of 2^32 */
	/* 2^10 * x, from (2^30 * 2^32) / u. */
	int64_t x = (int64_t)cube_root((UINT64_C(1) << 62) / u);

	/* 2^16 / 2^10 * 2 / sqrt(3) is 73.9008... */
	return (x - 1536) * 739008 / 10000;
}

static uint64_t
delay_of(const struct impair_config *c, const struct impair_state *s)
{
	int64_t deviation = 0, delay;

	if (c->jitter_ns == 0)
		return c->delay_ns;
	switch (c->dist) {
	case IMPAIR_UNIFORM:
		deviation = deviation_uniform(s);
		break;
	case IMPAIR_NORMAL:
		deviation = deviation_normal(s);
		break;
	case IMPAIR_PARETO:
		deviation = deviation_pareto(s);
		break;
	}
	delay = (int64_t)c->delay_ns + scaled(deviation, c->jitter_ns);
	return delay > 0 ? (uint64_t)delay : 0;
}

struct impair_fate
impair_fate(const struct impair_config *c, struct impair_state *s)
{
	struct impair_fate fate = { 0 };

	fate.lost = loss_step(
	    &c->loss, &s->in_bad, draw(s, LANE_MOVE), draw(s, LANE_LOSE));
	if (!fate.lost) {
		fate.duplicate = chance(draw(s, LANE_DUPLICATE), c->duplicate);
		fate.reorder = chance(draw(s, LANE_REORDER), c->reorder);
		fate.corrupt = chance(draw(s, LANE_CORRUPT), c->corrupt);
		fate.bits = draw(s, LANE_BIT);
		fate.delay_ns = fate.reorder ? 0 : delay_of(c, s);
	}
	s->number++;
	return fate;
}
