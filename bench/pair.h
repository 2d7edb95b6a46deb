/* SPDX-License-Identifier: ISC */
/*
 * pair.h - two processes of one program, `here` and `there`, on two CPUs
 *
 * Each is a server with certificates of its own.  `there` takes threads in
 * until `here` ends.  And what bench.c and crowd.c print and write alike.
 */
#ifndef BENCH_PAIR_H
#define BENCH_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** Nanoseconds of CLOCK_MONOTONIC, which both processes share. */
uint64_t bench_now_ns(void);
/** Say what failed, with the library's last sentence, and end the process. */
void bench_fail(const char *what) __attribute__((noreturn));

/** What `there` was told, and `here` is told of it. */
struct bench_ports {
	unsigned here;	/* this process listens there for threads */
	unsigned there; /* and the other one */
	unsigned extra; /* what the program's own part of `there` listens at */
};

/**
 * main() of both: pin the process to its CPU, set the library up and start
 * the other process.  `there` never returns from it.
 *
 * @serve  there, when the library is set up: its result is @ports_out->extra
 *         here; NULL: nothing
 *
 * Arguments are RESULTS.json CERTS-HERE CERTS-THERE ROUNDS; returns ROUNDS.
 */
unsigned bench_pair_start(int argc, char **argv, unsigned (*serve)(void),
						  struct bench_ports *ports_out);
/** End the other process.  Returns what other programs used of two CPUs since
 * the start, percent; above BENCH_OTHERS_MAX a run says little. */
double bench_pair_end(void);

#define BENCH_OTHERS_MAX 10
#define BENCH_ROUNDS_MAX 100

/** The median of @above[i] / @below[i]: what bends a whole round does not bend
 * that. */
double bench_ratio(const double *above, const double *below, size_t count);
/** The value below which @share of them lies; not sorted in place.  NaN if
 * there is none, or the first one is NaN. */
double bench_quantile(const double *values, size_t count, double share);

/* ---- what both programs say, to the user and in RESULTS.json */

/** Whether the run counts. */
void bench_print_head(unsigned rounds, double others_percent);
/** What was wanted, and whether it @is so. */
void bench_print_goal(const char *word, double is, double target,
					  bool at_least);

/** Begin the file: what both tell; more members follow.  NULL: it could not
 * be written. */
FILE *bench_open_results(const char *path, unsigned rounds,
						 double others_percent);
/** What was to be reached. */
struct bench_goal {
	const char *word;
	double is, target;
	bool at_least; /* else at most */
};

/** All of them, as bench_print_goal() does. */
void bench_print_goals(const struct bench_goal *goals, size_t count);
/** The file's last member, and its end.  0, or not: it could not be written. */
int bench_end_results(FILE *file, const struct bench_goal *goals, size_t count);
/** One member of an object of goals, the @number'th, from 0. */
void bench_write_goal(FILE *file, size_t number, const char *word, double is,
					  double target);

#endif
