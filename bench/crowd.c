/* SPDX-License-Identifier: ISC */
/*
 * crowd.c - how long a move takes when others move, and how many go a second
 *
 *     crowd RESULTS.json CERTS-HERE CERTS-THERE ROUNDS
 *
 * Threads that were born `here` go there and home again, in a closed loop, on
 * stacks of 8 KiB.  A move is timed from the call to the first instruction at
 * the other process, both ways.  HACKING.md tells how to read what comes out.
 */
#include "pair.h"

#include <psu_thread.h>

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LUGGAGE_LEN (8u << 10)
#define LARGE_LUGGAGE_LEN (1u << 20)
#define CROWD_MAX 1000
#define CROWD_MOVES 4000u /* of all threads, in a round */
#define WARMUPS 10		  /* trips until its sessions are there */
#define PROBE_TRIPS 500	  /* in a round */
#define HOPS 1000
#define SAMPLES_MAX (BENCH_ROUNDS_MAX * CROWD_MOVES)

/** What is measured, in every round. */
#define SCENES(X)                                                              \
	X(ALONE, "1 in flight")                                                    \
	X(FEW, "8 in flight")                                                      \
	X(MANY, "64 in flight")                                                    \
	X(CROWD, "1000 in flight")                                                 \
	X(PROBE, "one alone")                                                      \
	X(AMONG, "one while 64 others move")                                       \
	X(BESIDE, "one while 1 MiB moves")                                         \
	X(YOUNG, "hop 1 or 2")                                                     \
	X(OLD, "hop 1,000 and above")

#define SCENE_ENUM(name, word) name,
enum scene { SCENES(SCENE_ENUM) SCENE_COUNT };

#define SCENE_WORD(name, word) word,
static const char *const scene_words[] = {SCENES(SCENE_WORD)};

static const unsigned in_flight[SCENE_COUNT] = {
	[ALONE] = 1, [FEW] = 8, [MANY] = 64, [CROWD] = CROWD_MAX};

/** Here: what came out.  Threads add to it when they are at home. */
static struct scene_results {
	size_t count;
	double us[SAMPLES_MAX];
	double per_s[BENCH_ROUNDS_MAX]; /* moves, of all threads */
	double median_us[BENCH_ROUNDS_MAX];
	double p99_us[BENCH_ROUNDS_MAX];
} results[SCENE_COUNT];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char here[32], there[32];
static unsigned rounds;

/* ---- a trip, on the thread that moves: its times travel on its stack */

struct trip {
	char here[32], there[32];
	enum scene scene;
	uint64_t called_ns[2];
	uint64_t first_ns[2];
};

static void move(struct trip *trip, bool home)
{
	trip->called_ns[home] = bench_now_ns();
	if (psu_thread_migrate(home ? trip->here : trip->there) != 0)
		bench_fail("a move failed");
	trip->first_ns[home] = bench_now_ns();
}

__attribute__((noinline)) static void go(struct trip *trip, size_t len)
{
	volatile uint8_t luggage[len];

	memset((void *)(uintptr_t)luggage, 1, len);
	move(trip, false);
	move(trip, true);
	if (luggage[0] + luggage[len - 1] != 2)
		bench_fail("the luggage is lost");
}

static struct trip begin(enum scene scene)
{
	struct trip trip = {.scene = scene};

	memcpy(trip.here, here, sizeof(here));
	memcpy(trip.there, there, sizeof(there));
	return trip;
}

static void keep(const struct trip *trip)
{
	struct scene_results *kept = &results[trip->scene];

	pthread_mutex_lock(&lock);
	for (int i = 0; i < 2 && kept->count < SAMPLES_MAX; i++)
		kept->us[kept->count++] =
			((double)trip->first_ns[i] - (double)trip->called_ns[i]) / 1e3;
	pthread_mutex_unlock(&lock);
}

/* ---- so many at the same time */

static void *trips(void *scene)
{
	struct trip trip = begin((enum scene)(uintptr_t)scene);
	unsigned count = CROWD_MOVES / 2 / in_flight[trip.scene];

	while (count--) {
		go(&trip, LUGGAGE_LEN);
		keep(&trip);
	}
	return NULL;
}

static struct psu_thread_handle *start(void *(*fn)(void *), enum scene scene)
{
	struct psu_thread_handle *thread;

	if (psu_thread_start(fn, (void *)(uintptr_t)scene, NULL, &thread) != 0)
		bench_fail("cannot start a thread");
	return thread;
}

static void join(struct psu_thread_handle *thread)
{
	if (psu_thread_join(thread, NULL, NULL) != 0)
		bench_fail("a thread is lost");
}

static void play_crowd(enum scene scene, unsigned round)
{
	static struct psu_thread_handle *threads[CROWD_MAX];
	uint64_t begun = bench_now_ns();

	for (unsigned i = 0; i < in_flight[scene]; i++)
		threads[i] = start(trips, scene);
	for (unsigned i = 0; i < in_flight[scene]; i++)
		join(threads[i]);
	results[scene].per_s[round] = CROWD_MOVES /
								  ((double)(bench_now_ns() - begun) / 1e9);
}

/* ---- one of them, while others move */

static atomic_bool enough; /* here */

static void *probe(void *scene)
{
	struct trip trip = begin((enum scene)(uintptr_t)scene);

	for (int i = 0; i < WARMUPS + PROBE_TRIPS; i++) {
		go(&trip, LUGGAGE_LEN);
		if (i >= WARMUPS)
			keep(&trip);
	}
	return NULL;
}

static void *company(void *scene)
{
	struct trip trip = begin((enum scene)(uintptr_t)scene);

	while (!enough)
		go(&trip, trip.scene == BESIDE ? LARGE_LUGGAGE_LEN : LUGGAGE_LEN);
	return NULL;
}

static void play_probe(enum scene scene)
{
	static const unsigned others[SCENE_COUNT] = {[AMONG] = 64, [BESIDE] = 1};
	struct psu_thread_handle *threads[64];

	enough = false;
	for (unsigned i = 0; i < others[scene]; i++)
		threads[i] = start(company, scene);
	join(start(probe, scene));
	enough = true;
	for (unsigned i = 0; i < others[scene]; i++)
		join(threads[i]);
}

/* ---- the first hops of a thread, and the thousandth */

static void *young(void *unused)
{
	struct trip trip = begin(YOUNG);

	(void)unused;
	go(&trip, LUGGAGE_LEN);
	keep(&trip);
	return NULL;
}

/** Samples of both in turn: what a round does to one it does to the other. */
static void *old(void *unused)
{
	struct trip trip = begin(OLD);

	(void)unused;
	for (int i = 0; i < HOPS; i += 2)
		go(&trip, LUGGAGE_LEN);
	for (int i = 0; i < PROBE_TRIPS; i++) {
		go(&trip, LUGGAGE_LEN);
		keep(&trip);
		join(start(young, YOUNG));
	}
	return NULL;
}

/* ---- the rounds */

static void play(enum scene scene, unsigned round)
{
	results[scene].per_s[round] = NAN;
	if (in_flight[scene])
		play_crowd(scene, round);
	else if (scene < YOUNG)
		play_probe(scene);
	else if (scene == OLD)
		join(start(old, OLD));
}

/** Samples from @before on are this round's. */
static void sum_up(enum scene scene, unsigned round, size_t before)
{
	struct scene_results *kept = &results[scene];
	const double *us = kept->us + before;

	kept->median_us[round] = bench_quantile(us, kept->count - before, 0.5);
	kept->p99_us[round] = bench_quantile(us, kept->count - before, 0.99);
}

static void play_round(unsigned round)
{
	size_t before[SCENE_COUNT];

	for (int i = 0; i < SCENE_COUNT; i++)
		before[i] = results[i].count;
	for (int i = 0; i < SCENE_COUNT; i++)
		play((enum scene)i, round);
	for (int i = 0; i < SCENE_COUNT; i++)
		sum_up((enum scene)i, round, before[i]);
}

/* ---- the verdict */

static double median_of(const double *values)
{
	return bench_quantile(values, rounds, 0.5);
}

#define GOAL_COUNT 3

static void find_goals(struct bench_goal goals_out[GOAL_COUNT])
{
	goals_out[0] = (struct bench_goal){"moves a second, 64 in flight",
									   median_of(results[MANY].per_s), 3000,
									   true};
	goals_out[1] = (struct bench_goal){
		"p99 while 1 MiB moves / p99 alone",
		bench_ratio(results[BESIDE].p99_us, results[PROBE].p99_us, rounds), 3,
		false};
	goals_out[2] = (struct bench_goal){
		"hop 1,000 / hop 1, medians",
		bench_ratio(results[OLD].median_us, results[YOUNG].median_us, rounds),
		1.05, false};
}

static void print(const struct bench_goal *goals, double others_percent)
{
	bench_print_head(rounds, others_percent);
	printf("%-26s %9s %9s %9s %9s   us until the first instruction\n", "",
		   "moves/s", "median", "p99", "samples");
	for (int i = 0; i < SCENE_COUNT; i++) {
		if (isnan(median_of(results[i].per_s)))
			printf("%-26s %9s", scene_words[i], "");
		else
			printf("%-26s %9.0f", scene_words[i], median_of(results[i].per_s));
		printf(" %9.1f %9.1f %9zu\n", median_of(results[i].median_us),
			   median_of(results[i].p99_us), results[i].count);
	}
	printf("\n");
	bench_print_goals(goals, GOAL_COUNT);
}

static void write_scenes(FILE *file)
{
	for (int i = 0; i < SCENE_COUNT; i++) {
		fprintf(file, "%s\n    \"%s\": {", i ? "," : "", scene_words[i]);
		if (!isnan(median_of(results[i].per_s)))
			fprintf(file, "\"moves_per_s\": %.1f, ",
					median_of(results[i].per_s));
		fprintf(file, "\"median\": %.3f, \"p99\": %.3f, \"samples\": %zu}",
				median_of(results[i].median_us), median_of(results[i].p99_us),
				results[i].count);
	}
}

static int write_results(const char *path, const struct bench_goal *goals,
						 double others_percent)
{
	FILE *file = bench_open_results(path, rounds, others_percent);

	if (!file)
		return -1;
	fprintf(file, "  \"scenes\": {");
	write_scenes(file);
	fprintf(file, "\n  },\n");
	return bench_end_results(file, goals, GOAL_COUNT);
}

int main(int argc, char **argv)
{
	struct bench_goal goals[GOAL_COUNT];
	struct bench_ports ports;
	double others_percent;

	rounds = bench_pair_start(argc, argv, NULL, &ports);
	snprintf(here, sizeof(here), "127.0.0.1:%u", ports.here);
	snprintf(there, sizeof(there), "127.0.0.1:%u", ports.there);
	for (unsigned round = 0; round < rounds; round++)
		play_round(round);
	others_percent = bench_pair_end();
	find_goals(goals);
	print(goals, others_percent);
	return write_results(argv[1], goals, others_percent) ? 1 : 0;
}
