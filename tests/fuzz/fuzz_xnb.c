/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A front end that does anything to its rings, keys and state, one move after
 * the other: xnb_play.h.
 */
#include "xnb_play.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init(data, size);
	struct st *s = play_begin();

	while (rd_left(&r) > 0)
		play_move(s, &r);
	play_turn(s);
	play_end(s);
	return 0;
}
