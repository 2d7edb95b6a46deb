/* SPDX-License-Identifier: ISC */
/*
 * bench_report.c - medians, p99, ratios, and when each phase began
 *
 * A ratio is the median of the rounds' ratios, each of them made of that
 * round's medians, so that a machine that changes its pace does not bend it.
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double median(const struct bench_series *series)
{
	return bench_quantile(series->us, series->count, 0.5);
}

static double p99(const struct bench_series *series)
{
	return bench_quantile(series->us, series->count, 0.99);
}

static double median_of(unsigned round, enum bench_contender contender)
{
	const struct bench_series *series = &bench_results.series[contender];

	return bench_quantile(series->us + round * series->often, series->often,
						  0.5);
}

/* ---- ratios */

/** What the raw parts of a push of that size take. */
static double parts(unsigned round, enum bench_contender push)
{
	return median_of(round, push) + median_of(round, BENCH_SIGN) +
		   median_of(round, BENCH_VERIFY) + median_of(round, BENCH_CREATE);
}

static double warm_8k(unsigned round)
{
	return median_of(round, BENCH_WARM_8K) / parts(round, BENCH_PUSH_8K);
}

static double warm_64k(unsigned round)
{
	return median_of(round, BENCH_WARM_64K) / parts(round, BENCH_PUSH_64K);
}

/** Without @digests of the body's two digests, one on each side. */
static double two_flights(unsigned round, int digests)
{
	double digest = digests * median_of(round, BENCH_DIGEST_1M);

	return (median_of(round, BENCH_WARM_1M) - digest) /
		   (parts(round, BENCH_PUSH_1M) + median_of(round, BENCH_ECHO));
}

static double warm_1m(unsigned round)
{
	return two_flights(round, 2);
}

static double warm_1m_one(unsigned round)
{
	return two_flights(round, 1);
}

static double cold_8k(unsigned round)
{
	return median_of(round, BENCH_COLD_8K) /
		   (median_of(round, BENCH_HANDSHAKE) +
			median_of(round, BENCH_WARM_8K));
}

static double tail(enum bench_contender contender)
{
	const struct bench_series *series = &bench_results.series[contender];

	return p99(series) / median(series);
}

/** Of all rounds together: one of them has too few samples. */
static double tail_8k(unsigned unused)
{
	(void)unused;
	return tail(BENCH_WARM_8K) / tail(BENCH_PUSH_8K);
}

static const struct {
	const char *word;
	double (*of)(unsigned round);
	double target;
} ratios[] = {
	{"move 8 KiB / F", warm_8k, 1.25},
	{"move 64 KiB / F", warm_64k, 1.6},
	{"(move 1 MiB - 2 digests) / (F + E)", warm_1m, 1.3},
	{"(move 1 MiB - 1 digest) / (F + E)", warm_1m_one, 1.3},
	{"cold 8 KiB / (handshake + move 8 KiB)", cold_8k, 1.15},
	{"p99/median of move 8 KiB / of push 8 KiB", tail_8k, 1.5},
};

#define RATIO_COUNT (sizeof(ratios) / sizeof(*ratios))

static double ratio(size_t number)
{
	double values[BENCH_ROUNDS_MAX];

	for (unsigned round = 0; round < bench_results.rounds; round++)
		values[round] = ratios[number].of(round);
	return bench_quantile(values, bench_results.rounds, 0.5);
}

/** F, the least: medians of the rounds' sums. */
static double floor_us(enum bench_contender push)
{
	double values[BENCH_ROUNDS_MAX];

	for (unsigned round = 0; round < bench_results.rounds; round++)
		values[round] = parts(round, push);
	return bench_quantile(values, bench_results.rounds, 0.5);
}

/* ---- phases */

static const char *const phase_words[] = {
#define WORD(name, word) word,
	PSU_PHASES(WORD)};

/** The samples' median of when it began. */
static double phase_us(size_t move, int phase)
{
	return bench_quantile(bench_results.moves[move].phase_us[phase],
						  bench_results.series[BENCH_MOVES + move].count, 0.5);
}

static double first_us(size_t move, double share)
{
	return bench_quantile(bench_results.moves[move].first_us,
						  bench_results.series[BENCH_MOVES + move].count,
						  share);
}

/** When what follows it on its side begins; the last one ends nowhere, or
 * with the first instruction of the thread. */
static double phase_end_us(size_t move, int phase)
{
	int last = phase < PSU_PHASE_DEST ? PSU_PHASE_DEST : PSU_PHASE_COUNT;

	while (++phase < last)
		if (!isnan(phase_us(move, phase)))
			return phase_us(move, phase);
	return last == PSU_PHASE_COUNT ? first_us(move, 0.5) : NAN;
}

static void print_phases(void)
{
	printf("\nphase: begins, us after the call (lasts)\n%-10s", "");
	for (int i = BENCH_MOVES; i < BENCH_COUNT; i++)
		printf(" %18s", bench_results.series[i].word);
	for (int phase = 0; phase < PSU_PHASE_COUNT; phase++) {
		if (phase == 0 || phase == PSU_PHASE_DEST)
			printf("\n%s\n", phase ? "there" : "here");
		printf("  %-8s", phase_words[phase]);
		for (size_t move = 0; move < BENCH_MOVE_COUNT; move++) {
			double began = phase_us(move, phase);
			double lasted = phase_end_us(move, phase) - began;

			if (isnan(began))
				printf(" %18s", "-");
			else if (isnan(lasted))
				printf(" %8.1f          ", began);
			else
				printf(" %8.1f (%7.1f)", began, lasted);
		}
		printf("\n");
	}
}

/* ---- all of it */

void bench_report_print(void)
{
	bench_print_head(bench_results.rounds, bench_results.others_percent);
	printf("%-16s %9s %9s %9s   us\n", "", "median", "p99", "samples");
	for (int i = 0; i < BENCH_COUNT; i++)
		printf("%-16s %9.1f %9.1f %9zu\n", bench_results.series[i].word,
			   median(&bench_results.series[i]), p99(&bench_results.series[i]),
			   bench_results.series[i].count);
	printf("\n%-16s %9s %9s %9s   until the first instruction there\n", "",
		   "median", "p99", "bytes");
	for (size_t i = 0; i < BENCH_MOVE_COUNT; i++)
		printf("%-16s %9.1f %9.1f %9zu\n",
			   bench_results.series[BENCH_MOVES + i].word, first_us(i, 0.5),
			   first_us(i, 0.99), bench_results.moves[i].sent_len);
	printf("\nF = push + sign + verify + pthread_create: %.1f, %.1f, %.1f us; "
		   "E = echo\n",
		   floor_us(BENCH_PUSH_8K), floor_us(BENCH_PUSH_64K),
		   floor_us(BENCH_PUSH_1M));
	for (size_t i = 0; i < RATIO_COUNT; i++)
		bench_print_goal(ratios[i].word, ratio(i), ratios[i].target, false);
	print_phases();
}

static void write_contenders(FILE *file)
{
	for (int i = 0; i < BENCH_COUNT; i++) {
		const struct bench_series *series = &bench_results.series[i];

		fprintf(file,
				"%s\n    \"%s\": {\"median\": %.3f, \"p99\": %.3f, "
				"\"samples\": %zu",
				i ? "," : "", series->word, median(series), p99(series),
				series->count);
		if (i >= BENCH_MOVES)
			fprintf(file,
					", \"first_median\": %.3f, \"first_p99\": %.3f, "
					"\"sent_bytes\": %zu",
					first_us((size_t)i - BENCH_MOVES, 0.5),
					first_us((size_t)i - BENCH_MOVES, 0.99),
					bench_results.moves[i - BENCH_MOVES].sent_len);
		fprintf(file, "}");
	}
}

static void write_phases(FILE *file)
{
	for (size_t move = 0; move < BENCH_MOVE_COUNT; move++) {
		const char *comma = "";

		fprintf(file, "%s\n    \"%s\": {", move ? "," : "",
				bench_results.series[BENCH_MOVES + move].word);
		for (int phase = 0; phase < PSU_PHASE_COUNT; phase++)
			if (!isnan(phase_us(move, phase))) {
				fprintf(file, "%s\"%s\": %.3f", comma, phase_words[phase],
						phase_us(move, phase));
				comma = ", ";
			}
		fprintf(file, "}");
	}
}

int bench_report_write(const char *path)
{
	FILE *file = bench_open_results(path, bench_results.rounds,
									bench_results.others_percent);

	if (!file)
		return -1;
	fprintf(file, "  \"contenders\": {");
	write_contenders(file);
	fprintf(file, "\n  },\n  \"ratios\": {");
	for (size_t i = 0; i < RATIO_COUNT; i++)
		bench_write_goal(file, i, ratios[i].word, ratio(i), ratios[i].target);
	fprintf(file, "\n  },\n  \"phases_begin\": {");
	write_phases(file);
	fprintf(file, "\n  }\n}\n");
	return fclose(file);
}
