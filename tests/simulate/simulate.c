/* SPDX-License-Identifier: ISC */
/*
 * simulate.c - millions of seeded schedules through the shipped handover
 *
 * In: --schedules N, --seed S, -v.  Out: exit status 0 and what was reached,
 * or 1 with the promise that broke and how to see it happen again.  Schedule
 * number i of seed S is schedule 0 of seed S + i.
 */
#include "world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static void print_counts(const struct counts *counts)
{
	const struct {
		const char *what;
		uint64_t count;
	} rows[] = {
		{"committed, one flight", counts->committed[1]},
		{"committed, two flights", counts->committed[0]},
		{"aborted, one flight", counts->aborted[1]},
		{"aborted, two flights", counts->aborted[0]},
		{"doubt ended by CANCEL", counts->by_cancel},
		{"doubt ended by COMMIT", counts->by_commit},
		{"doubt ended by DEAD: lost", counts->by_death},
		{"left in doubt, no port", counts->undecided},
		{"reservations expired", counts->expired},
		{"offers refused: runs", counts->repeated},
		{"offers refused: replay", counts->replayed},
		{"offers refused: busy", counts->busy},
		{"answers UNKNOWN", counts->unknown},
		{"processes that died", counts->crashes},
		{"came home", counts->returned},
		{"LOCATION: news", counts->located},
		{"LOCATION: overtaken", counts->overtaken},
		{"END: taken", counts->delivered},
		{"END: home had it", counts->had},
		{"mail not delivered", counts->undelivered},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		printf("%-26s %12" PRIu64 "\n", rows[i].what, rows[i].count);
}

struct options {
	uint64_t schedules, seed;
	bool verbose;
};

static bool parse(int argc, char **argv, struct options *options)
{
	for (int i = 1; i < argc; i++) {
		uint64_t *number = NULL;
		char *end;

		if (strcmp(argv[i], "-v") == 0) {
			options->verbose = true;
			continue;
		}
		if (strcmp(argv[i], "--schedules") == 0)
			number = &options->schedules;
		else if (strcmp(argv[i], "--seed") == 0)
			number = &options->seed;
		if (!number || ++i == argc)
			return false;
		*number = strtoull(argv[i], &end, 0);
		if (*end != '\0' || end == argv[i])
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	static struct world world;
	static struct psu_dest dests[PROCS];
	struct options options = {.schedules = 1000000};
	uint64_t violations = 0;

	if (getrandom(&options.seed, sizeof(options.seed), 0) < 0 ||
		!parse(argc, argv, &options)) {
		fprintf(stderr, "usage: %s [--schedules N] [--seed S] [-v]\n", argv[0]);
		return 2;
	}
	world.verbose = options.verbose;
	for (int p = 0; p < PROCS; p++)
		world.procs[p].dest = &dests[p];
	for (uint64_t i = 0; i < options.schedules && violations == 0; i++) {
		world_run(&world, options.seed + i);
		if (!world.violation)
			continue;
		violations++;
		printf("schedule %" PRIu64 " of seed %#" PRIx64 ": %s\n"
			   "see it: %s --seed %#" PRIx64 " --schedules 1 -v\n",
			   i, options.seed, world.violation, argv[0], options.seed + i);
	}
	print_counts(&world.counts);
	printf("%" PRIu64 " schedules, %" PRIu64 " violations (seed %#" PRIx64
		   ")\n",
		   options.schedules, violations, options.seed);
	return violations == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
