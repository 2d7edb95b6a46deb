/* SPDX-License-Identifier: ISC */
/*
 * deep_recursion.c - the move happens below 10,000 frames, and every one of
 * them finds its own values when the calls return
 */
#include "travel.h"

#define DEPTH 10000

static NOINLINE unsigned mix(unsigned depth)
{
	return (depth + 1) * 2654435761u;
}

/* Returns the number of frames below, this one included. */
static NOINLINE unsigned descend(unsigned depth, const unsigned *above)
{
	volatile unsigned in_memory = mix(depth) ^ 0xa5a5a5a5u;
	unsigned here = mix(depth);
	unsigned below = 0;

	HIDE(above);
	if (depth + 1 == DEPTH)
		MOVE();
	else
		below = descend(depth + 1, &here);
	CHECK(*above == mix(depth - 1));
	CHECK(here == mix(depth));
	CHECK(in_memory == (here ^ 0xa5a5a5a5u));
	return below + 1;
}

int travel(void)
{
	unsigned root = mix((unsigned)-1);

	CHECK(descend(0, &root) == DEPTH);
	return 0;
}
