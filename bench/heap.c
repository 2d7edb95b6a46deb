/* SPDX-License-Identifier: ISC */
/*
 * heap.c - how fast a heap moves, beside a push of as many bytes
 *
 *     heap RESULTS.json CERTS-HERE CERTS-THERE ROUNDS
 *
 * A thread that was born `here` has one block that it fills.  It goes there,
 * where its memory is new; it fills the block again and comes home, where the
 * memory has been used; and it goes there once more, changes one page of a
 * hundred, and comes home.  A move is timed from the call to the first
 * instruction at the other process.  HACKING.md tells how to read what comes
 * out.
 */
#include "heap.h"

#include <psu_thread.h>

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define PAGE_LEN 4096u
#define PROBE_TRIPS 400 /* in a round */

struct heap_results heap_results;

static char here[32], there[32];

/* ---- on the thread that moves: its times travel on its stack */

struct journey {
	size_t number, round;
	char here[32], there[32];
};

/** One page of @every with something else than before. */
static void fill(uint8_t *block, size_t len, size_t every)
{
	uint64_t value = bench_now_ns();

	for (size_t at = 0; at < len; at += every * PAGE_LEN)
		for (size_t i = 0; i < PAGE_LEN; i += sizeof(value)) {
			value = value * 6364136223846793005u + 1442695040888963407u;
			memcpy(block + at + i, &value, sizeof(value));
		}
}

static double move(const char *host)
{
	uint64_t called_ns = bench_now_ns();

	if (psu_thread_migrate(host) != 0)
		bench_fail("a move failed");
	return (double)(bench_now_ns() - called_ns) / 1e6;
}

/** What the library says it has received: said here, at home. */
static size_t received_len;

static void weigh(enum psu_thread_log_level level, const char *text,
				  void *unused)
{
	(void)level;
	(void)unused;
	sscanf(text, "Received %zu bytes", &received_len);
}

/** Pushes, into memory that is used, and new. */
static void measure_pushes(const uint8_t *block, size_t mib,
						   double ms[SCENE_COUNT])
{
	heap_push(WORD_PUSH_USED, mib, block); /* so that it is used */
	ms[PUSH_USED] = heap_push(WORD_PUSH_USED, mib, block);
	heap_push_reset_peak();
	heap_push(WORD_WARM, mib, NULL);
	ms[PUSH_NEW] = heap_push(WORD_PUSH_NEW, mib, block);
	heap_push(WORD_WARM, mib, NULL);
}

static void keep(const struct journey *journey, const double ms[SCENE_COUNT],
				 const size_t sent[SCENE_COUNT], const size_t grown[2])
{
	struct heap_result *kept = &heap_results.of[journey->number];
	size_t round = journey->round;

	for (int i = 0; i < SCENE_COUNT; i++) {
		kept->ms[i][round] = ms[i];
		kept->sent[i] = sent[i];
	}
	kept->extra[0][round] = (double)grown[0];
	/* there the heap itself is new */
	kept->extra[1][round] = (double)grown[1] - (double)kept->mib * MIB;
}

static void *visit(void *argument)
{
	struct journey journey = *(struct journey *)argument;
	size_t mib = heap_results.of[journey.number].mib, len = mib * MIB;
	size_t sent[SCENE_COUNT] = {0}, grown[2];
	double ms[SCENE_COUNT];
	uint8_t *block = psu_thread_aligned_alloc(PAGE_LEN, len);

	if (!block)
		bench_fail("no block");
	fill(block, len, 1);
	measure_pushes(block, mib, ms);
	heap_push_reset_peak();
	ms[MOVE_NEW] = move(journey.there);
	fill(block, len, 1);
	ms[MOVE_USED] = move(journey.here);
	sent[MOVE_USED] = received_len;
	heap_push_peak(grown);
	move(journey.there);
	fill(block, len, 100);
	ms[MOVE_CHANGED] = move(journey.here);
	sent[MOVE_CHANGED] = received_len;
	keep(&journey, ms, sent, grown);
	return NULL;
}

/* ---- a small move, while the largest heap moves */

static atomic_bool begun, enough; /* here */

static void *company(void *argument)
{
	struct journey journey = *(struct journey *)argument;
	size_t len = heap_results.of[LEN_COUNT - 1].mib * MIB;
	uint8_t *block = psu_thread_malloc(len);

	if (!block)
		bench_fail("no block");
	fill(block, len, 1);
	begun = true;
	while (!enough) {
		move(journey.there);
		move(journey.here);
	}
	return NULL;
}

static void *probe(void *p99_us)
{
	static double us[2 * PROBE_TRIPS]; /* here */
	volatile uint8_t luggage[7 << 10];
	char hosts[2][32];

	memcpy(hosts[0], there, sizeof(there));
	memcpy(hosts[1], here, sizeof(here));
	memset((void *)(uintptr_t)luggage, 1, sizeof(luggage));
	for (int i = 0; i < 2 * PROBE_TRIPS; i += 2) {
		double there_ms = move(hosts[0]), back_ms = move(hosts[1]);

		us[i] = there_ms * 1e3;
		us[i + 1] = back_ms * 1e3;
	}
	*(double *)p99_us = bench_quantile(us, 2 * PROBE_TRIPS, 0.99);
	return NULL;
}

/* ---- the rounds */

static struct psu_thread_handle *start(void *(*fn)(void *), void *argument)
{
	const struct psu_thread_attr attr = {
		.slot_len = heap_results.of[LEN_COUNT - 1].mib * MIB * 2};
	struct psu_thread_handle *thread;

	if (psu_thread_start(fn, argument, &attr, &thread) != 0)
		bench_fail("cannot start a thread");
	return thread;
}

static void join(struct psu_thread_handle *thread)
{
	if (psu_thread_join(thread, NULL, NULL) != 0)
		bench_fail("a thread is lost");
}

static void play_round(unsigned round)
{
	struct journey journey = {.round = round};
	struct psu_thread_handle *other;

	memcpy(journey.here, here, sizeof(here));
	memcpy(journey.there, there, sizeof(there));
	psu_thread_set_log(PSU_THREAD_LOG_DEBUG, weigh, NULL);
	for (size_t i = 0; i < LEN_COUNT; i++) {
		journey.number = i;
		join(start(visit, &journey));
	}
	psu_thread_set_log(PSU_THREAD_LOG_ERROR, NULL, NULL);
	join(start(probe, &heap_results.alone_us[round]));
	begun = enough = false;
	other = start(company, &journey);
	while (!begun)
		usleep(1000);
	join(start(probe, &heap_results.beside_us[round]));
	enough = true;
	join(other);
}

int main(int argc, char **argv)
{
	static const size_t mib[LEN_COUNT] = {1, 64, 256, 1024};
	struct bench_ports ports;
	double others_percent;

	heap_results.rounds = bench_pair_start(argc, argv, heap_push_serve, &ports);
	snprintf(here, sizeof(here), "127.0.0.1:%u", ports.here);
	snprintf(there, sizeof(there), "127.0.0.1:%u", ports.there);
	for (int i = 0; i < LEN_COUNT; i++)
		heap_results.of[i].mib = mib[i];
	heap_push_connect(ports.extra);
	for (unsigned round = 0; round < heap_results.rounds; round++)
		play_round(round);
	others_percent = bench_pair_end();
	heap_report_print(others_percent);
	return heap_report_write(argv[1], others_percent) ? 1 : 0;
}
