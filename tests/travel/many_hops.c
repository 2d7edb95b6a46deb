/* SPDX-License-Identifier: ISC */
/*
 * many_hops.c - 200 hops in a loop, with a checksum that runs along in
 * locals; each process sees the thread arrive 100 times
 */
#include "travel.h"

#include <stdint.h>

#define HOP_COUNT 200

static int arrivals; /* a global: each process counts its own */

static uint32_t step(uint32_t sum, int hop)
{
	return (sum ^ (uint32_t)hop) * 16777619u;
}

int travel(void)
{
	int start = travel_process();
	uint32_t sum = 2166136261u, expected = sum;
	uint8_t trail[HOP_COUNT];

	for (int hop = 0; hop < HOP_COUNT; hop++) {
		trail[hop] = (uint8_t)sum;
		travel_hop();
		arrivals++;
		CHECK(travel_process() == (start + hop + 1) % 2);
		CHECK(arrivals == hop / 2 + 1);
		CHECK(trail[hop] == (uint8_t)sum);
		sum = step(sum, hop);
	}
	CHECK(travel_process() == start);
	CHECK(arrivals == HOP_COUNT / 2);
	for (int hop = 0; hop < HOP_COUNT; hop++) {
		CHECK(trail[hop] == (uint8_t)expected);
		expected = step(expected, hop);
	}
	CHECK(sum == expected);
	return 0;
}
