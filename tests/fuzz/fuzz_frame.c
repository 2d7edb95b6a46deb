/* SPDX-License-Identifier: ISC */
/*
 * fuzz_frame.c - frame headers, and the fixed payloads behind them
 *
 * Input: a header, then the payload of its type.  What is accepted must be
 * put back to the very same bytes.
 */
#include "fuzz.h"
#include "net/frame.h"

#include <stdlib.h>
#include <string.h>

static void demand_same(const uint8_t *ours, const uint8_t *theirs, size_t len)
{
	if (memcmp(ours, theirs, len) != 0)
		abort();
}

static void try_control(uint8_t type, const uint8_t *payload)
{
	uint8_t again[PSU_CONTROL_LEN];
	struct psu_control control;

	if (psu_frame_get_control(type, payload, &control) != 0)
		return;
	psu_frame_put_control(&control, again);
	demand_same(again, payload, sizeof(again));
}

static void try_hello(const uint8_t *payload)
{
	uint8_t again[PSU_HELLO_LEN];
	struct psu_hello hello;

	if (psu_frame_get_hello("peer", payload, &hello) != 0)
		return;
	psu_frame_put_hello(&hello, again);
	demand_same(again, payload, sizeof(again));
}

static void try_location(const uint8_t *payload, size_t len)
{
	uint8_t again[PSU_LOCATION_LEN_MAX];
	struct psu_location location;

	if (psu_frame_get_location(payload, len, &location) != 0)
		return;
	if (psu_frame_put_location(&location, again) != len)
		abort();
	demand_same(again, payload, len);
}

static void try_compare(const uint8_t *payload)
{
	uint8_t again[PSU_COMPARE_LEN];
	struct psu_compare compare;

	if (psu_frame_get_compare(payload, &compare) != 0)
		return;
	psu_frame_put_compare(&compare, again);
	demand_same(again, payload, sizeof(again));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	uint8_t again[PSU_FRAME_HEADER_LEN];
	struct psu_frame_header header;

	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);
	if (len < PSU_FRAME_HEADER_LEN || psu_frame_get_header(bytes, &header) != 0)
		return 0;
	psu_frame_put_header(&header, again);
	demand_same(again, bytes, sizeof(again));
	bytes += PSU_FRAME_HEADER_LEN;
	len -= PSU_FRAME_HEADER_LEN;

	/* the payload need not be of the type that the header tells */
	if (len == PSU_CONTROL_LEN)
		try_control(header.type, bytes);
	if (len == PSU_HELLO_LEN)
		try_hello(bytes);
	if (len == PSU_COMPARE_LEN)
		try_compare(bytes);
	if (len >= PSU_LOCATION_LEN_MIN && len <= PSU_LOCATION_LEN_MAX)
		try_location(bytes, len);
	return 0;
}
