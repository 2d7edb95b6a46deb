/* SPDX-License-Identifier: ISC */
/*
 * heap.h - the parts of the bench of heaps
 */
#ifndef BENCH_HEAP_H
#define BENCH_HEAP_H

#include "pair.h"

#include <stddef.h>
#include <stdint.h>

#define MIB (1u << 20)

/** Blocks of as many lengths. */
#define LEN_COUNT 4
/** The longest one, MiB. */
#define LEN_MAX 1024u

/** What is measured of each length. */
#define SCENES(X)                                                              \
	X(PUSH_USED, "push, used memory")                                          \
	X(PUSH_NEW, "push, new memory")                                            \
	X(MOVE_NEW, "move, new memory")                                            \
	X(MOVE_USED, "move, used memory")                                          \
	X(MOVE_CHANGED, "return, 1 % changed")

#define SCENE_ENUM(name, word) name,
enum scene { SCENES(SCENE_ENUM) SCENE_COUNT };

/** Of one length. */
struct heap_result {
	size_t mib;
	double ms[SCENE_COUNT][BENCH_ROUNDS_MAX];
	size_t sent[SCENE_COUNT];		   /* bytes; 0: not asked */
	double extra[2][BENCH_ROUNDS_MAX]; /* peak memory beyond the heap's, here
										  and there, bytes */
};

/** Here: what came out. */
struct heap_results {
	unsigned rounds;
	struct heap_result of[LEN_COUNT];
	/* p99 of a small move, alone and while the longest heap moves */
	double alone_us[BENCH_ROUNDS_MAX], beside_us[BENCH_ROUNDS_MAX];
};

extern struct heap_results heap_results;

/* ---- pushes, and memory (heap_push.c) */

enum heap_word {
	WORD_PUSH_USED = 'u', /* and a length in MiB, and so many bytes */
	WORD_PUSH_NEW = 'n',
	WORD_WARM = 'w', /* and a length in MiB */
	WORD_RESET = 'r',
	WORD_PEAK = 'p' /* answered by bytes since the last WORD_RESET */
};

/** There: listen, and do what `here` says; the port. */
unsigned heap_push_serve(void);
/** Here: connect to that port. */
void heap_push_connect(unsigned port);
/** A word and a length, and so many bytes of the block unless it is NULL.
 * Returns how long it took until that was answered, ms. */
double heap_push(enum heap_word word, size_t mib, const uint8_t *block);
/** Here and there: forget the peak of memory in use. */
void heap_push_reset_peak(void);
/** How much more than then was in use, here and there, bytes. */
void heap_push_peak(size_t grown_out[2]);

/* ---- the verdict (heap_report.c) */

void heap_report_print(double others_percent);
/** 0, or -1: it could not be written. */
int heap_report_write(const char *path, double others_percent);

#endif
