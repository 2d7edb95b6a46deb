/* SPDX-License-Identifier: ISC */
/*
 * heap_report.c - medians of the rounds, ratios, and what was to be reached
 */
#include "heap.h"

#include <math.h>

#define SCENE_WORD(name, word) word,
static const char *const scene_words[] = {SCENES(SCENE_WORD)};

static double median(const double *values)
{
	return bench_quantile(values, heap_results.rounds, 0.5);
}

/** Of the rounds' ratios. */
static double ratio(size_t len, enum scene push, enum scene move)
{
	double values[BENCH_ROUNDS_MAX];

	for (unsigned i = 0; i < heap_results.rounds; i++)
		values[i] = heap_results.of[len].ms[push][i] /
					heap_results.of[len].ms[move][i];
	return median(values);
}

static double used_64(void)
{
	return ratio(1, PUSH_USED, MOVE_USED);
}
static double used_256(void)
{
	return ratio(2, PUSH_USED, MOVE_USED);
}
static double used_1024(void)
{
	return ratio(3, PUSH_USED, MOVE_USED);
}
static double new_64(void)
{
	return ratio(1, PUSH_NEW, MOVE_NEW);
}
static double new_256(void)
{
	return ratio(2, PUSH_NEW, MOVE_NEW);
}
static double new_1024(void)
{
	return ratio(3, PUSH_NEW, MOVE_NEW);
}

static double changed(void)
{
	return 100.0 * (double)heap_results.of[2].sent[MOVE_CHANGED] /
		   (double)heap_results.of[2].sent[MOVE_USED];
}

/** In percent of what is allowed: 4 MiB and 1 % of the heap. */
static double extra(int side)
{
	double most = 0;

	for (size_t i = 0; i < LEN_COUNT; i++) {
		double allowed = (double)MIB *
						 (4 + (double)heap_results.of[i].mib / 100);
		double percent = 100 * median(heap_results.of[i].extra[side]) / allowed;

		most = percent > most ? percent : most;
	}
	return most;
}

static double extra_here(void)
{
	return extra(0);
}
static double extra_there(void)
{
	return extra(1);
}

/** Of the rounds' ratios. */
static double beside(void)
{
	double values[BENCH_ROUNDS_MAX];

	for (unsigned i = 0; i < heap_results.rounds; i++)
		values[i] = heap_results.beside_us[i] / heap_results.alone_us[i];
	return median(values);
}

static const struct {
	const char *word;
	double (*of)(void);
	double target;
	bool at_least;
} goals[] = {
	{"push / move, 64 MiB, used memory", used_64, 0.95, true},
	{"push / move, 256 MiB, used memory", used_256, 0.95, true},
	{"push / move, 1 GiB, used memory", used_1024, 0.95, true},
	{"push / move, 64 MiB, new memory", new_64, 1.2, true},
	{"push / move, 256 MiB, new memory", new_256, 1.2, true},
	{"push / move, 1 GiB, new memory", new_1024, 1.2, true},
	{"bytes sent with 1 % changed, percent", changed, 5, false},
	{"memory beside the heap here, % of allowed", extra_here, 100, false},
	{"memory beside the heap there, % of allowed", extra_there, 100, false},
	{"p99 of 8 KiB while 1 GiB moves / alone", beside, 3, false},
};

#define GOAL_COUNT (sizeof(goals) / sizeof(*goals))

void heap_report_print(double others_percent)
{
	bench_print_head(heap_results.rounds, others_percent);
	printf("%-20s", "median ms, (MiB/s)");
	for (size_t i = 0; i < LEN_COUNT; i++)
		printf(" %10zu MiB     ", heap_results.of[i].mib);
	for (int scene = 0; scene < SCENE_COUNT; scene++) {
		printf("\n%-20s", scene_words[scene]);
		for (size_t i = 0; i < LEN_COUNT; i++) {
			double ms = median(heap_results.of[i].ms[scene]);

			printf(" %10.2f (%6.0f)", ms,
				   (double)heap_results.of[i].mib * 1e3 / ms);
		}
	}
	printf("\n\n%-20s %10.1f us alone, %.1f us while 1 GiB moves\n",
		   "p99 of 8 KiB", median(heap_results.alone_us),
		   median(heap_results.beside_us));
	for (size_t i = 0; i < GOAL_COUNT; i++)
		bench_print_goal(goals[i].word, goals[i].of(), goals[i].target,
						 goals[i].at_least);
}

int heap_report_write(const char *path, double others_percent)
{
	FILE *file = bench_open_results(path, heap_results.rounds, others_percent);

	if (!file)
		return -1;
	fprintf(file, "  \"milliseconds\": {");
	for (size_t i = 0; i < LEN_COUNT; i++) {
		fprintf(file, "%s\n    \"%zu MiB\": {", i ? "," : "",
				heap_results.of[i].mib);
		for (int scene = 0; scene < SCENE_COUNT; scene++)
			fprintf(file, "%s\"%s\": %.3f", scene ? ", " : "",
					scene_words[scene], median(heap_results.of[i].ms[scene]));
		fprintf(file, "}");
	}
	fprintf(file, "\n  },\n  \"goals\": {");
	for (size_t i = 0; i < GOAL_COUNT; i++)
		bench_write_goal(file, i, goals[i].word, goals[i].of(),
						 goals[i].target);
	fprintf(file, "\n  }\n}\n");
	return fclose(file);
}
