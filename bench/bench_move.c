/* SPDX-License-Identifier: ISC */
/*
 * bench_move.c - real moves: there, and home again
 *
 * Only the way there counts.  What travels is a struct trip on the thread's
 * own stack; the results are globals of the process at home.
 */
#include "bench.h"
#include "journey/process.h"
#include "net/frame.h"
#include "seal/seal.h"

#include <psu_thread.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

struct trip {
	char here[32], there[32];
	uint64_t called_ns; /* just before the call */
	uint64_t first_ns;	/* just behind it */
};

/** Stacks; a body of 64 KiB goes in one flight, so with its head and the
 * frames around this one has to stay below it. */
static const size_t luggage_lens[BENCH_MOVE_COUNT] = {
	(8u << 10) - 512, (64u << 10) - 2048, 1u << 20, (8u << 10) - 512};

static unsigned ports[2];
static size_t weighed_len;

void bench_move_init(unsigned here_port, unsigned there_port)
{
	ports[0] = here_port;
	ports[1] = there_port;
}

static void move(const char *host)
{
	if (psu_thread_migrate(host) != 0)
		bench_fail("a move failed");
}

/** With so much more on the stack. */
__attribute__((noinline)) static void go(struct trip *trip, size_t len,
										 bool cold)
{
	volatile uint8_t luggage[len];

	memset((void *)(uintptr_t)luggage, 1, len);
	bench_raw_settle(cold);
	trip->called_ns = bench_now_ns();
	move(trip->there);
	trip->first_ns = bench_now_ns();
	if (luggage[0] + luggage[len - 1] != 2)
		bench_fail("the luggage is lost");
	move(trip->here);
}

static double since(const struct trip *trip, uint64_t ns)
{
	return ns ? ((double)ns - (double)trip->called_ns) / 1e3 : NAN;
}

static void keep_sample(enum bench_contender contender, const struct trip *trip)
{
	struct bench_series *series = &bench_results.series[contender];
	struct bench_move *kept =
		&bench_results.moves[bench_move_number(contender)];
	uint64_t there_ns[PSU_PHASE_COUNT];
	size_t at = series->count++;

	bench_raw_phases(there_ns);
	for (int i = 0; i < PSU_PHASE_COUNT; i++)
		kept->phase_us[i][at] = since(
			trip, i < PSU_PHASE_DEST ? psu_phase_began_ns[i] : there_ns[i]);
	kept->first_us[at] = since(trip, trip->first_ns);
	series->us[at] = kept->phase_us[PSU_PHASE_LEAVE][at];
}

void bench_move_sample(enum bench_contender contender, bool keep)
{
	struct trip trip = {.called_ns = 0};

	snprintf(trip.here, sizeof(trip.here), "127.0.0.1:%u", ports[0]);
	snprintf(trip.there, sizeof(trip.there), "127.0.0.1:%u", ports[1]);
	go(&trip, luggage_lens[bench_move_number(contender)],
	   contender == BENCH_COLD_8K);
	if (keep)
		keep_sample(contender, &trip);
}

/** What the library says it has sent, body and statement. */
static void weigh(enum psu_thread_log_level level, const char *line,
				  void *unused)
{
	(void)level;
	(void)unused;
	sscanf(line, "Sent %zu bytes", &weighed_len);
}

void bench_move_weigh(void)
{
	for (int i = 0; i < PSU_LINKS_MAX; i++) /* a whole itinerary */
		bench_move_sample(BENCH_WARM_8K, false);
	psu_thread_set_log(PSU_THREAD_LOG_DEBUG, weigh, NULL);
	for (int i = BENCH_MOVES; i < BENCH_COUNT; i++) {
		weighed_len = 0;
		bench_move_sample((enum bench_contender)i, false);
		if (!weighed_len)
			bench_fail("the library does not say what it has sent");
		bench_results.moves[i - BENCH_MOVES].sent_len =
			weighed_len + 2 * PSU_FRAME_HEADER_LEN;
	}
	psu_thread_set_log(PSU_THREAD_LOG_ERROR, NULL, NULL);
}
