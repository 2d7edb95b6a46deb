/* SPDX-License-Identifier: ISC */
/*
 * heap_map.c - which of a heap's pages travel
 *
 * In: a heap whose thread is stopped.  Out: the list of those pages that are
 * in use and not all zeros.
 */
#include "heap/heap_pages.h"
#include "report/traffic.h"

#include <stdlib.h>
#include <string.h>

bool psu_heap_page_is_zero(const void *page)
{
	const uint64_t *words = page;

	return !words[0] && memcmp(words, words + 1, PSU_HEAP_PAGE_LEN - 8) == 0;
}

/** A map under construction. */
struct survey {
	const struct psu_heap *heap;
	struct psu_heap_map map;
	uint32_t end;		/* of the last run */
	uint32_t gap_least; /* shorter gaps travel: else there are too many runs */
};

/** The page is to travel.  False: too many runs. */
static bool add_page(struct survey *survey, uint32_t page)
{
	struct psu_heap_map *map = &survey->map;
	uint32_t first = survey->heap->first, gap = page - survey->end;
	bool over_guard = survey->end <= first && page >= first;

	if (map->run_count && gap < survey->gap_least && !over_guard) {
		map->runs[map->run_count - 1].count += gap + 1;
	} else {
		if (map->run_count == PSU_HEAP_RUNS_MAX)
			return false;
		map->runs[map->run_count++] = (struct psu_heap_run){gap, 1, 0};
	}
	survey->end = page + 1;
	return true;
}

/** False: too many runs. */
static bool add_all(struct survey *survey)
{
	const struct psu_heap *heap = survey->heap;
	struct psu_heap_extent extent;
	uint64_t after = 0;

	survey->map.run_count = 0;
	survey->end = 0;
	while (psu_heap_next(heap, after, &extent)) {
		after = extent.addr + extent.len;
		for (uint64_t at = extent.addr; at < after; at += PSU_HEAP_PAGE_LEN) {
			uint32_t page = psu_heap_page_of(heap, (void *)at);

			if (!psu_heap_page_is_zero((const void *)at) &&
				!add_page(survey, page))
				return false;
			if (page % PSU_HEAP_PAUSE_PAGES == 0)
				psu_traffic_give_way();
		}
	}
	return true;
}

int psu_heap_survey(const struct psu_heap *heap, struct psu_heap_map *map_out)
{
	struct survey survey = {.heap = heap, .gap_least = 1};
	struct psu_heap_extent accessible[2];
	struct psu_heap_run *runs;

	psu_heap_accessible(heap, accessible);
	survey.map.accessible[0] = (uint32_t)(accessible[0].len /
										  PSU_HEAP_PAGE_LEN);
	survey.map.accessible[1] = (uint32_t)(accessible[1].len /
										  PSU_HEAP_PAGE_LEN);
	survey.map.runs = malloc(PSU_HEAP_RUNS_MAX * sizeof(*runs));
	if (!survey.map.runs)
		return psu_error_set(PSU_THREAD_E_NO_MEMORY,
							 "cannot move the thread: no memory to list its "
							 "heap's pages: free some on this host and try "
							 "again");
	while (!add_all(&survey))
		survey.gap_least *= 2;
	runs = realloc(survey.map.runs, (survey.map.run_count + 1) * sizeof(*runs));
	if (runs)
		survey.map.runs = runs;
	*map_out = survey.map;
	return 0;
}

void psu_heap_map_free(struct psu_heap_map *map)
{
	free(map->runs);
	*map = (struct psu_heap_map){.runs = NULL};
}

uint64_t psu_heap_map_len(const struct psu_heap_map *map)
{
	uint64_t count = 0;

	for (size_t i = 0; i < map->run_count; i++)
		count += map->runs[i].kept ? 0 : map->runs[i].count;
	return count * PSU_HEAP_PAGE_LEN;
}
