/* SPDX-License-Identifier: ISC */
/*
 * bench.c - how long a move takes, beside what it cannot do without
 *
 *     bench RESULTS.json CERTS-HERE CERTS-THERE ROUNDS
 *
 * Starts itself a second time, as `there`.  HACKING.md tells how to read what
 * comes out.
 */
#include "bench.h"

#include <psu_thread.h>

struct bench_results bench_results = {
	.series =
		{
#define BENCH_SERIES_(name, word, often) {word, often, 0, {0}},
			BENCH_CONTENDERS(BENCH_SERIES_)},
};

/** Visits of each contender before its samples count, in each round. */
#define WARMUPS 3

/* ---- the rounds, on the thread that moves */

static void visit(enum bench_contender contender)
{
	struct bench_series *series = &bench_results.series[contender];
	bool moves = contender >= BENCH_MOVES;

	for (unsigned i = 0; i < WARMUPS + series->often; i++) {
		bool keep = i >= WARMUPS;

		if (moves) {
			bench_move_sample(contender, keep);
		} else {
			double us = bench_raw_sample(contender);

			if (keep)
				series->us[series->count++] = us;
		}
	}
}

static void *run(void *unused)
{
	(void)unused;
	bench_move_weigh();
	for (unsigned round = 0; round < bench_results.rounds; round++)
		for (int i = 0; i < BENCH_COUNT; i++)
			visit((enum bench_contender)i);
	return NULL;
}

static void run_rounds(void)
{
	struct psu_thread_handle *thread;

	if (psu_thread_start(run, NULL, NULL, &thread) != 0 ||
		psu_thread_join(thread, NULL, NULL) != 0)
		bench_fail("cannot start the thread, or it is lost");
}

int main(int argc, char **argv)
{
	struct bench_ports ports;

	bench_results.rounds = bench_pair_start(argc, argv, bench_raw_serve,
											&ports);
	bench_move_init(ports.here, ports.there);
	bench_raw_connect(ports.extra);
	psu_phase_watched = true;
	run_rounds();
	bench_results.others_percent = bench_pair_end();
	bench_report_print();
	return bench_report_write(argv[1]) ? 1 : 0;
}
