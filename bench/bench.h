/* SPDX-License-Identifier: ISC */
/*
 * bench.h - the parts of the bench
 *
 * Two processes of one program, `here` and `there`, pinned to different CPUs.
 * A thread that was born here visits every contender in every round; it goes
 * there and back itself, and does the raw parts when it is at home.
 */
#ifndef BENCH_H
#define BENCH_H

#include "pair.h"
#include "report/phase.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Every contender: name, word, how often in a round. */
#define BENCH_CONTENDERS(X)                                                    \
	/* raw, on a warm TLS connection, or none */                               \
	X(PUSH_8K, "push 8 KiB", 30)                                               \
	X(PUSH_64K, "push 64 KiB", 30)                                             \
	X(PUSH_1M, "push 1 MiB", 10)                                               \
	X(ECHO, "echo", 30)                                                        \
	X(SIGN, "sign", 30)                                                        \
	X(VERIFY, "verify", 30)                                                    \
	X(CREATE, "pthread_create", 30)                                            \
	X(DIGEST_1M, "digest 1 MiB", 10)                                           \
	X(HANDSHAKE, "handshake", 10)                                              \
	/* with the library */                                                     \
	X(WARM_8K, "move 8 KiB", 30)                                               \
	X(WARM_64K, "move 64 KiB", 30)                                             \
	X(WARM_1M, "move 1 MiB", 10)                                               \
	X(COLD_8K, "cold 8 KiB", 10)

#define BENCH_ENUM_(name, word, often) BENCH_##name,
enum bench_contender {
	BENCH_CONTENDERS(BENCH_ENUM_) BENCH_COUNT,
	BENCH_MOVES = BENCH_WARM_8K, /* from here on */
	BENCH_MOVE_COUNT = BENCH_COUNT - BENCH_MOVES
};

#define BENCH_OFTEN_MAX 30
#define BENCH_SAMPLES_MAX (BENCH_OFTEN_MAX * BENCH_ROUNDS_MAX)

/** What was measured of one contender, microseconds, in order of time. */
struct bench_series {
	const char *word;
	unsigned often;
	size_t count;
	double us[BENCH_SAMPLES_MAX]; /* moves: until RUNNING at the source */
};

/** And of a move besides. */
struct bench_move {
	size_t sent_len;					/* bytes of OFFER and BODY frames */
	double first_us[BENCH_SAMPLES_MAX]; /* until the first instruction there */
	/* when each phase began; NaN: it did not */
	double phase_us[PSU_PHASE_COUNT][BENCH_SAMPLES_MAX];
};

struct bench_results {
	unsigned rounds;
	struct bench_series series[BENCH_COUNT];
	struct bench_move moves[BENCH_MOVE_COUNT];
	double others_percent; /* of two CPUs, that other processes used */
};

extern struct bench_results bench_results;

/* ---- raw contenders, and words between the processes (bench_raw.c) */

/** There: listen, and serve whoever connects; the port. */
unsigned bench_raw_serve(void);
/** Here: connect to that port. */
void bench_raw_connect(unsigned port);
/** Here: one sample of a contender before BENCH_MOVES, microseconds. */
double bench_raw_sample(enum bench_contender contender);
/** Here: wait until the move before is over on both sides and there is an
 * opening; @cold: and no session from here any more. */
void bench_raw_settle(bool cold);
/** Here: when each phase began there last. */
void bench_raw_phases(uint64_t began_ns_out[PSU_PHASE_COUNT]);

/* ---- moves (bench_move.c) */

/** The number of a contender from BENCH_MOVES on. */
static inline size_t bench_move_number(enum bench_contender contender)
{
	return (size_t)contender - BENCH_MOVES;
}

/** Here, before the first move: the ports of both processes. */
void bench_move_init(unsigned here_port, unsigned there_port);
/** On the thread that moves: one sample; with @keep into the results. */
void bench_move_sample(enum bench_contender contender, bool keep);
/** On the thread that moves: find out how much each move sends. */
void bench_move_weigh(void);

/* ---- the verdict (bench_report.c) */

void bench_report_print(void);
/** 0, or -1: it could not be written. */
int bench_report_write(const char *path);

#endif
