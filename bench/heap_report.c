/* SPDX-License-Identifier: ISC */
/*
 * heap_report.c - medians of the rounds, ratios, and what was to be reached
 */
#include "heap.h"

#define SCENE_WORD(name, word) word,
static const char *const scene_words[] = {SCENES(SCENE_WORD)};

static double median(const double *values)
{
	return bench_quantile(values, heap_results.rounds, 0.5);
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

#define GOAL_COUNT 10

/** A push into such memory beside a move into it, of each length but the
 * first. */
static struct bench_goal *find_ratios(struct bench_goal *at, bool used,
									  double target)
{
	static const char *const words[2][LEN_COUNT] = {
		{"", "push / move, 64 MiB, new memory",
		 "push / move, 256 MiB, new memory", "push / move, 1 GiB, new memory"},
		{"", "push / move, 64 MiB, used memory",
		 "push / move, 256 MiB, used memory",
		 "push / move, 1 GiB, used memory"},
	};

	for (size_t i = 1; i < LEN_COUNT; i++) {
		const struct heap_result *of = &heap_results.of[i];

		*at++ = (struct bench_goal){
			words[used][i],
			bench_ratio(of->ms[used ? PUSH_USED : PUSH_NEW],
						of->ms[used ? MOVE_USED : MOVE_NEW],
						heap_results.rounds),
			target, true};
	}
	return at;
}

static void find_goals(struct bench_goal goals_out[GOAL_COUNT])
{
	struct bench_goal *at = find_ratios(goals_out, true, 0.95);

	at = find_ratios(at, false, 1.2);
	*at++ = (struct bench_goal){"bytes sent with 1 % changed, percent",
								changed(), 5, false};
	*at++ = (struct bench_goal){"memory beside the heap here, % of allowed",
								extra(0), 100, false};
	*at++ = (struct bench_goal){"memory beside the heap there, % of allowed",
								extra(1), 100, false};
	*at++ = (struct bench_goal){"p99 of 8 KiB while 1 GiB moves / alone",
								bench_ratio(heap_results.beside_us,
											heap_results.alone_us,
											heap_results.rounds),
								3, false};
}

void heap_report_print(double others_percent)
{
	struct bench_goal goals[GOAL_COUNT];

	find_goals(goals);
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
	bench_print_goals(goals, GOAL_COUNT);
}

int heap_report_write(const char *path, double others_percent)
{
	FILE *file = bench_open_results(path, heap_results.rounds, others_percent);
	struct bench_goal goals[GOAL_COUNT];

	if (!file)
		return -1;
	find_goals(goals);
	fprintf(file, "  \"milliseconds\": {");
	for (size_t i = 0; i < LEN_COUNT; i++) {
		fprintf(file, "%s\n    \"%zu MiB\": {", i ? "," : "",
				heap_results.of[i].mib);
		for (int scene = 0; scene < SCENE_COUNT; scene++)
			fprintf(file, "%s\"%s\": %.3f", scene ? ", " : "",
					scene_words[scene], median(heap_results.of[i].ms[scene]));
		fprintf(file, "}");
	}
	fprintf(file, "\n  },\n");
	return bench_end_results(file, goals, GOAL_COUNT);
}
