/* SPDX-License-Identifier: ISC */
/*
 * hops.c - a thread knows how often it has moved, and where its newest moves
 * led, while it goes there and back
 */
#include "travel.h"

#include <psu_thread.h>

#include <string.h>

#define KNOWN 16 /* moves; see psu_thread_hops() */
#define ROOM (KNOWN + 2)
#define UNTOUCHED 4711

static const char *const names[] = {"a", "b"};

static void check_hop(const struct psu_thread_hop *hop, long generation)
{
	CHECK(hop->generation == (unsigned long long)generation);
	CHECK(strcmp(hop->from, names[(generation + 1) % 2]) == 0);
	CHECK(strcmp(hop->to, names[generation % 2]) == 0);
	CHECK(hop->time_ms > 1700000000000);
}

/** All that fit are told, and nothing is written behind them. */
static NOINLINE void check_hops(long moves, size_t room)
{
	struct psu_thread_hop hops[ROOM];
	size_t known = moves < KNOWN ? (size_t)moves : KNOWN;

	for (size_t i = 0; i < ROOM; i++)
		hops[i].generation = UNTOUCHED;
	CHECK(psu_thread_hops(hops, room) == moves);
	for (size_t i = 0; i < ROOM; i++)
		if (i < known && i < room)
			check_hop(&hops[i], moves - (long)i);
		else
			CHECK(hops[i].generation == UNTOUCHED);
}

int travel(void)
{
	CHECK(psu_thread_hops(NULL, 0) == 0);
	CHECK(psu_thread_hops(NULL, 1) == PSU_THREAD_E_INVALID_ARGUMENT);
	CHECK(psu_thread_id(NULL) == PSU_THREAD_E_INVALID_ARGUMENT);
	CHECK(psu_thread_migrate("") == PSU_THREAD_E_INVALID_ARGUMENT);
	CHECK(strstr(psu_thread_errmsg(), "empty name"));
	CHECK(travel_process() == 0);
	for (long moves = 1; moves <= 2 * KNOWN + 3; moves++) {
		travel_hop();
		check_hops(moves, ROOM);
		check_hops(moves, 3);
		CHECK(psu_thread_hops(NULL, 0) == moves);
	}
	return 0;
}
