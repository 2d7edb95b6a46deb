/* SPDX-License-Identifier: ISC */
/*
 * depart_compare.c - leave out what the thread's home has kept of its heap
 *
 * In: a thread on its way home, whose heap's pages are listed, and a session
 * with its home.  Out: fewer pages that travel.  Home says a tag of each page
 * that it has; a few of them first, since it is not worth the time if most of
 * the heap has changed.  Whatever home says, the worst is a thread that is
 * spoilt there.
 */
#include "bytes/tag.h"
#include "journey/depart.h"
#include "net/limits.h"
#include "report/traffic.h"
#include "trust/credentials.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/** Pages that are looked at first; and how many of them, in percent, must be
 * as they were. */
#define SAMPLE_COUNT 64
#define SAME_PERCENT 20

/** What is asked, and what comes out. */
struct comparison {
	struct psu_session *session;
	const struct psu_heap_map *map;
	struct psu_compare request;
	struct psu_tagger *tagger;
	struct psu_heap_walk walk; /* of home's pages */
	bool begun;				   /* home has said how many it has */
	size_t next_run;		   /* of the map; a page below it is in no run */
	uint32_t run_first, run_end;
	uint32_t page_count; /* that there is room for */
	uint64_t *same;		 /* a bit for each page, from the low end */
	uint32_t asked, same_count;
};

/** Whether the page is one of those that are to travel.  Asked in order. */
static bool travels(struct comparison *comparison, uint32_t page)
{
	const struct psu_heap_map *map = comparison->map;

	while (page >= comparison->run_end &&
		   comparison->next_run < map->run_count) {
		const struct psu_heap_run *run = &map->runs[comparison->next_run++];

		comparison->run_first = comparison->run_end + run->gap;
		comparison->run_end = comparison->run_first + run->count;
	}
	return page >= comparison->run_first && page < comparison->run_end;
}

static void compare_page(struct comparison *comparison, uint32_t page,
						 const uint8_t tag[PSU_TAG_LEN])
{
	uint8_t own[PSU_TAG_LEN];

	if (!travels(comparison, page))
		return;
	comparison->asked++;
	if (!psu_tagger_tag(comparison->tagger, page,
						psu_heap_walk_page(&comparison->walk, page),
						PSU_HEAP_PAGE_LEN, own) ||
		memcmp(own, tag, sizeof(own)) != 0)
		return;
	comparison->same_count++;
	comparison->same[page / 64] |= UINT64_C(1) << page % 64;
}

/** The first words of each frame: how many pages home has. */
static bool take_counts(struct comparison *comparison,
						struct psu_reader *reader)
{
	struct psu_heap_walk *walk = &comparison->walk;
	uint32_t counts[2] = {psu_get_u32(reader), psu_get_u32(reader)};

	if (comparison->begun)
		return counts[0] == walk->counts[0] && counts[1] == walk->counts[1];
	comparison->begun = true;
	memcpy(walk->counts, counts, sizeof(counts));
	return counts[0] < walk->first &&
		   counts[1] <= comparison->page_count - walk->first;
}

/** And behind them as many tags as a frame has, or as are left. */
static bool take_tags(struct comparison *comparison, struct psu_reader *reader)
{
	struct psu_heap_walk *walk = &comparison->walk;
	uint32_t stride = comparison->request.stride;
	uint32_t left = psu_heap_walk_left(walk);
	uint32_t count = left / stride + (left % stride != 0);

	count = count < PSU_TAGS_MAX ? count : PSU_TAGS_MAX;
	if ((size_t)(reader->end - reader->at) != (size_t)count * PSU_TAG_LEN)
		return false;
	for (; count; count--) {
		uint32_t page = psu_heap_walk_next(walk, stride);

		compare_page(comparison, page, psu_get_span(reader, PSU_TAG_LEN));
		if (page % PSU_HEAP_PAUSE_PAGES == 0)
			psu_traffic_give_way();
	}
	return true;
}

static int recv_tags(struct comparison *comparison)
{
	uint8_t payload[PSU_TAGS_LEN_MIN + PSU_TAGS_MAX * PSU_TAG_LEN];
	struct psu_session *session = comparison->session;
	struct psu_reader reader = {.at = payload, .end = payload};
	struct psu_frame_header header;
	int rc = psu_session_recv_answer(session, &header,
									 psu_clock_deadline(PSU_ANSWER_MS));

	if (!rc && header.type == PSU_FRAME_REFUSED)
		return psu_session_recv_refusal(session);
	if (!rc && header.type != PSU_FRAME_TAGS)
		return psu_session_unexpected(session, &header);
	if (!rc)
		rc = psu_session_recv(session, payload, header.payload_len,
							  psu_clock_deadline(PSU_MESSAGE_MS));
	if (rc)
		return rc;
	reader.end += header.payload_len;
	if (take_counts(comparison, &reader) && take_tags(comparison, &reader))
		return 0;
	return psu_session_unexpected(session, &header);
}

/** Of every @stride'th page.  Each time under another key. */
static int ask(struct comparison *comparison, uint32_t stride)
{
	struct psu_compare *request = &comparison->request;
	uint8_t payload[PSU_COMPARE_LEN];
	int rc;

	request->stride = stride;
	randombytes_buf(request->key, sizeof(request->key));
	comparison->begun = false;
	comparison->walk.at = 0;
	comparison->next_run = 0;
	comparison->run_first = comparison->run_end = 0;
	comparison->asked = comparison->same_count = 0;
	rc = psu_tagger_new(psu_trust_library(psu_process_get()->trust),
						request->key, &comparison->tagger);
	if (rc)
		return rc;
	psu_frame_put_compare(request, payload);
	rc = psu_session_send_frame(comparison->session, PSU_FRAME_COMPARE, payload,
								sizeof(payload));
	while (!rc && (!comparison->begun || psu_heap_walk_left(&comparison->walk)))
		rc = recv_tags(comparison);
	psu_tagger_free(comparison->tagger);
	return rc;
}

/** A few of the pages, then all unless most of them have changed. */
static int compare(struct comparison *comparison)
{
	const uint32_t *accessible = comparison->map->accessible;
	uint32_t stride = (accessible[0] + accessible[1]) / SAMPLE_COUNT + 1;
	int rc = ask(comparison, stride);

	if (rc || comparison->same_count * 100 < comparison->asked * SAME_PERCENT ||
		!comparison->same_count)
		return rc;
	return ask(comparison, 1);
}

/** Whether the destination is the process that the thread was born in. */
static bool is_home(const struct psu_departure *departure)
{
	const struct psu_session *session = departure->session;

	return !departure->thread->born_here &&
		   psu_place_is(&departure->thread->home, &session->peer.digest,
						&session->hello.incarnation);
}

/** Compare, and keep the result in the departure. */
static int find_fewer(struct psu_departure *departure)
{
	const struct psu_slot *slot = &departure->thread->slot;
	uint64_t low = psu_slot_heap_low(slot), high = psu_slot_heap_high(slot);
	const struct psu_heap_map *map = &departure->heap;
	struct comparison comparison = {
		.session = departure->session,
		.map = map,
		.request = {.thread = departure->thread->id},
		.walk = psu_heap_walk(low, high, map->accessible),
		.page_count = (uint32_t)((high - low) / PSU_HEAP_PAGE_LEN),
	};
	int rc;

	comparison.same = calloc(comparison.page_count / 64 + 1, sizeof(uint64_t));
	if (!comparison.same)
		return 0; /* then all of it travels */
	rc = compare(&comparison);
	/* without memory for a shorter list all of it travels, too */
	if (!rc && comparison.request.stride == 1 &&
		!psu_heap_map_spare(map, comparison.same, &departure->fewer))
		departure->fewer.runs = NULL;
	free(comparison.same);
	return rc;
}

int psu_depart_compare(struct psu_departure *departure)
{
	bool was_fewer = departure->fewer.runs != NULL;
	int rc = 0;

	/* on another session it was another process, perhaps */
	psu_heap_map_free(&departure->fewer);
	if (is_home(departure) && !departure->session->hello.attest &&
		psu_heap_map_len(&departure->heap) >= PSU_HEAP_KEPT_LEN_MIN) {
		psu_traffic_enter();
		rc = find_fewer(departure);
		psu_traffic_leave();
	}
	if (!rc && (was_fewer || departure->fewer.runs))
		rc = psu_depart_encode(departure);
	return rc;
}
