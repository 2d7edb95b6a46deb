/* SPDX-License-Identifier: ISC */
/*
 * simulate.c - millions of seeded schedules through the shipped handover
 *
 * In: --schedules N, --seed S, -v.  Out: exit status 0 and what was reached,
 * or 1 with the promise that broke and how to see it happen again.  Schedule
 * number i of seed S is schedule 0 of seed S + i.
 *
 * A schedule is a storm, in which anything may happen at any moment, and a
 * calm, in which lines are good and hosts have a listener: every move must
 * then end soon, unless the process that was promised the thread lives on
 * without its port.
 */
#include "world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define STORM_MAX 900 /* events */
#define AFTERMATH 80  /* events after the thread's end or death */
#define CALM_ROUNDS 12
#define CALM_LINES 24 /* kept free for the calm */
#define SPARE 1		  /* processes of a host that only the calm starts */

static void deliver_any(struct world *world)
{
	int waiting = 0, line = 0, host = 0;

	for (int i = 0; i < world->line_count; i++)
		for (int h = 0; h < 2; h++)
			if (world->lines[i].to[h].count > 0 &&
				world_random(world, ++waiting) == 0) {
				line = i;
				host = h;
			}
	if (waiting > 0 &&
		(!world->lines[line].slow || world_random(world, 20) == 0))
		world_deliver(world, line, host);
}

/** The process that has the thread, or had it last, tends its moves. */
static void act_at_home(struct world *world)
{
	bool one_flight = world_random(world, 2) == 0;

	if (world_random(world, 2) == 0)
		world_dial(world, world->home);
	world_depart(world, world->home, one_flight);
}

/** Any process, and often the one that was promised the thread. */
static int pick_victim(struct world *world, int move)
{
	int promised = move == NOBODY
					   ? NOBODY
					   : world_process(&world->moves[move].source.incarnation);

	if (promised == NOBODY || world_random(world, 3) == 0)
		return world_random(world, PROCS);
	return promised;
}

/** Something breaks. */
static void hurt(struct world *world, int move)
{
	int proc = pick_victim(world, move);
	int host = world_random(world, 2);

	switch (world_random(world, 8)) {
	case 0:
		if (world_random(world, proc == world->home ? 12 : 3) == 0)
			world_crash(world, proc);
		break;
	case 1:
		if (world->born[host] < PROCS / 2 - SPARE)
			world_spawn(world, host);
		break;
	case 2:
	case 3:
		if (world->line_count > 0)
			world_break(world, world_random(world, world->line_count));
		break;
	case 4:
	case 5:
		if (move != NOBODY)
			world_expire(world, proc, move);
		break;
	default:
		if (move != NOBODY)
			world_time_out(world, move);
	}
}

static void thin_out_listener(struct world *world)
{
	int proc = world->listens[world_random(world, 2)];

	if (world->crowded && proc != NOBODY && world_random(world, 4) == 0)
		world_thin_out(world, proc);
}

static void storm_event(struct world *world)
{
	int move = world->move_count > 0
				   ? world->move_count - 1 - world_random(world, 8) / 7
				   : NOBODY;
	int line = world->line_count > 0 ? world_random(world, world->line_count)
									 : NOBODY;
	int kind = world_random(world, 32);

	if (move == NOBODY && world->move_count > 0)
		move = 0;
	if (kind < 15)
		deliver_any(world);
	else if (kind < 18)
		act_at_home(world);
	else if (kind < 21 && move != NOBODY)
		world_send_last(world, move);
	else if (kind < 23 && move != NOBODY && world->moves[move].wants_line)
		world_dial(world, world->moves[move].from);
	else if (kind < 25 && line != NOBODY)
		world_notice(world, line, world_random(world, 2));
	else if (kind < 26 && line != NOBODY && move != NOBODY &&
			 !world->lines[line].broken)
		world_repeat(world, move, line);
	else if (kind == 26 && world_random(world, 8) == 0)
		world_end_thread(world);
	else if (kind == 27 && world_random(world, 4) == 0)
		world_dial(world, world_random(world, PROCS));
	else if (kind == 28)
		thin_out_listener(world);
	else if (kind > 28)
		hurt(world, move);
}

/** Everything that is on its way arrives; what broke is noticed. */
static void deliver_all(struct world *world)
{
	bool again = true;

	while (again) {
		again = false;
		for (int i = 0; i < world->line_count; i++)
			for (int host = 0; host < 2; host++)
				while (world->lines[i].to[host].count > 0) {
					world_deliver(world, i, host);
					again = true;
				}
		for (int i = 0; i < world->line_count; i++)
			for (int host = 0; host < 2; host++)
				world_notice(world, i, host);
	}
}

/** Whether the process that was promised the thread is out of reach. */
static bool is_hidden(const struct world *world, const struct move *move)
{
	int promised = world_process(&move->source.incarnation);

	return promised != NOBODY && world->procs[promised].alive &&
		   world->listens[promised & 1] != promised;
}

static void calm(struct world *world)
{
	world->line_limit = LINES;
	for (int host = 0; host < 2; host++)
		if (world->listens[host] == NOBODY)
			world_spawn(world, host);
	for (int p = 0; p < PROCS; p++)
		world_thin_out(world, p);
	for (int round = 0; round < CALM_ROUNDS; round++) {
		deliver_all(world);
		for (int m = 0; m < world->move_count; m++) {
			struct move *move = &world->moves[m];

			world_send_last(world, m);
			if (move->wants_line && !world_is_over(move))
				world_dial(world, move->from);
			else if (round % 2 == 1)
				world_time_out(world, m);
			world_check(world);
		}
	}
}

/** What is still not over, or still lies about, after the calm. */
static void check_rest(struct world *world)
{
	for (int m = 0; m < world->move_count; m++) {
		for (int p = 0; p < PROCS; p++)
			world_expire(world, p, m);
		if (world_is_over(&world->moves[m]))
			continue;
		world->counts.undecided++;
		if (!is_hidden(world, &world->moves[m]))
			world_violate(world, "a move does not end on a good line");
	}
	for (int p = 0; p < PROCS; p++)
		for (int m = 0; m < world->move_count; m++)
			if (world->procs[p].restored[m])
				world_violate(world, "a restored thread is never let go");
	world_check(world);
}

static void run_schedule(struct world *world, uint64_t seed)
{
	int events;

	world_begin(world, seed);
	world->line_limit = LINES - CALM_LINES;
	events = 20 + world_random(world, STORM_MAX - 19);
	for (int i = 0; i < events && !world->violation; i++) {
		storm_event(world);
		world_check(world);
		if (events > i + AFTERMATH &&
			(world->ended || !world->procs[world->home].alive))
			events = i + AFTERMATH;
	}
	if (!world->violation)
		calm(world);
	if (!world->violation)
		check_rest(world);
}

static void print_counts(const struct counts *counts)
{
	const struct {
		const char *what;
		uint64_t count;
	} rows[] = {
		{"committed, one flight", counts->committed[1]},
		{"committed, two flights", counts->committed[0]},
		{"aborted, one flight", counts->aborted[1]},
		{"aborted, two flights", counts->aborted[0]},
		{"doubt ended by CANCEL", counts->by_cancel},
		{"doubt ended by COMMIT", counts->by_commit},
		{"doubt ended by DEAD: lost", counts->by_death},
		{"left in doubt, no port", counts->undecided},
		{"reservations expired", counts->expired},
		{"offers refused: runs", counts->repeated},
		{"offers refused: replay", counts->replayed},
		{"offers refused: busy", counts->busy},
		{"answers UNKNOWN", counts->unknown},
		{"processes that died", counts->crashes},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		printf("%-26s %12" PRIu64 "\n", rows[i].what, rows[i].count);
}

struct options {
	uint64_t schedules, seed;
	bool verbose;
};

static bool parse(int argc, char **argv, struct options *options)
{
	for (int i = 1; i < argc; i++) {
		uint64_t *number = NULL;
		char *end;

		if (strcmp(argv[i], "-v") == 0) {
			options->verbose = true;
			continue;
		}
		if (strcmp(argv[i], "--schedules") == 0)
			number = &options->schedules;
		else if (strcmp(argv[i], "--seed") == 0)
			number = &options->seed;
		if (!number || ++i == argc)
			return false;
		*number = strtoull(argv[i], &end, 0);
		if (*end != '\0' || end == argv[i])
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	static struct world world;
	static struct psu_dest dests[PROCS];
	struct options options = {.schedules = 1000000};
	uint64_t violations = 0;

	if (getrandom(&options.seed, sizeof(options.seed), 0) < 0 ||
		!parse(argc, argv, &options)) {
		fprintf(stderr, "usage: %s [--schedules N] [--seed S] [-v]\n", argv[0]);
		return 2;
	}
	world.verbose = options.verbose;
	for (int p = 0; p < PROCS; p++)
		world.procs[p].dest = &dests[p];
	for (uint64_t i = 0; i < options.schedules && violations == 0; i++) {
		run_schedule(&world, options.seed + i);
		if (!world.violation)
			continue;
		violations++;
		printf("schedule %" PRIu64 " of seed %#" PRIx64 ": %s\n"
			   "see it: %s --seed %#" PRIx64 " --schedules 1 -v\n",
			   i, options.seed, world.violation, argv[0], options.seed + i);
	}
	print_counts(&world.counts);
	printf("%" PRIu64 " schedules, %" PRIu64 " violations (seed %#" PRIx64
		   ")\n",
		   options.schedules, violations, options.seed);
	return violations == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
