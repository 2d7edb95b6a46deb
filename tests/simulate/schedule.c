/* SPDX-License-Identifier: ISC */
/*
 * schedule.c - what happens next in a simulated world
 *
 * A schedule is a storm, in which anything may happen at any moment, and a
 * calm, in which lines are good and hosts have a listener: every move must
 * then end soon, unless the process that was promised the thread lives on
 * without its port; and mail must be delivered.
 */
#include "world.h"

#define STORM_MAX 900 /* events */
#define AFTERMATH 120 /* events after the thread's end or death */
#define CALM_ROUNDS 12
#define CALM_LINES 48 /* kept free for the calm */
#define SPARE 1		  /* processes of a host that only the calm starts */

static void deliver_any(struct world *world)
{
	int waiting = 0, line = 0, end = 0;

	for (int i = 0; i < world->line_count; i++)
		for (int e = 0; e < 2; e++)
			if (world->lines[i].to[e].count > 0 &&
				world_random(world, ++waiting) == 0) {
				line = i;
				end = e;
			}
	if (waiting > 0 &&
		(!world->lines[line].slow || world_random(world, 20) == 0))
		world_deliver(world, line, end);
}

static void dial_any(struct world *world)
{
	int proc = world_random(world, PROCS);

	world_dial(world, proc, world_other_host(world, proc));
}

/** Somebody with mail for the thread's home tries to deliver it. */
static void post_any(struct world *world)
{
	int proc = world_random(world, PROCS), line;

	for (int i = 0; i < PROCS && !world_has_mail(world, proc); i++)
		proc = (proc + 1) % PROCS;
	if (!world_has_mail(world, proc))
		return;
	if (world_random(world, 3) == 0)
		world_dial(world, proc, HOME % HOSTS);
	line = world_pick_line(world, proc);
	if (line != NOBODY && world->move_count < MOVES + ATTEMPTS - CALM_ROUNDS)
		world_post(world, proc, line);
}

/** The process that has the thread, or had it last, tends its moves; when it
 * has ended there is only mail. */
static void act_at_place(struct world *world)
{
	bool one_flight = world_random(world, 2) == 0;

	if (world->ended) {
		if (world->line_count > 0 && world_random(world, 4) == 0)
			world_break(world, world_random(world, world->line_count));
		else
			post_any(world);
		return;
	}
	if (world_random(world, 2) == 0)
		world_dial(world, world->place, world_other_host(world, world->place));
	world_depart(world, world->place, one_flight);
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
	int host = world_random(world, world->hosts);

	switch (world_random(world, 8)) {
	case 0:
		if (world_random(world, proc == world->place ? 12 : 3) == 0)
			world_crash(world, proc);
		break;
	case 1:
		if (world->born[host] < PROCS / HOSTS - SPARE)
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
	int proc = world->listens[world_random(world, world->hosts)];

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
	int kind = world_random(world, 36);

	if (move == NOBODY && world->move_count > 0)
		move = 0;
	if (kind < 15)
		deliver_any(world);
	else if (kind < 18)
		act_at_place(world);
	else if (kind < 21 && move != NOBODY)
		world_send_last(world, move);
	else if (kind < 23 && move != NOBODY && world->moves[move].wants_line)
		world_dial(world, world->moves[move].from, world->moves[move].to_host);
	else if (kind < 25 && line != NOBODY)
		world_notice(world, line, world_random(world, 2));
	else if (kind < 26 && line != NOBODY && move != NOBODY &&
			 !world->lines[line].broken)
		world_repeat(world, move, line);
	else if (kind == 26 &&
			 world_random(world, world->place == HOME ? 16 : 6) == 0)
		world_end_thread(world);
	else if (kind == 27 && world_random(world, 4) == 0)
		dial_any(world);
	else if (kind == 28)
		thin_out_listener(world);
	else if (kind > 31)
		post_any(world);
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
			for (int end = 0; end < 2; end++)
				while (world->lines[i].to[end].count > 0) {
					world_deliver(world, i, end);
					again = true;
				}
		for (int i = 0; i < world->line_count; i++)
			for (int end = 0; end < 2; end++)
				world_notice(world, i, end);
	}
}

/** Whether the process that was promised the thread is out of reach. */
static bool is_hidden(const struct world *world, const struct move *move)
{
	int promised = world_process(&move->source.incarnation);

	return promised != NOBODY && world->procs[promised].alive &&
		   world->listens[promised % HOSTS] != promised;
}

/** A good line of @proc to @other, or NOBODY. */
static int find_line(const struct world *world, int proc, int other)
{
	for (int i = 0; i < world->line_count; i++)
		if (!world->lines[i].broken &&
			(world->lines[i].end[0] == proc ||
			 world->lines[i].end[1] == proc) &&
			world_other(world, i, proc) == other)
			return i;
	return NOBODY;
}

/** Deliver to HOME, whoever of the two can dial the other; or hear of its
 * death from who listens in its place. */
static void post_calmly(struct world *world, int proc)
{
	int host = HOME % HOSTS, line = find_line(world, proc, HOME);

	if (line == NOBODY && world->listens[host] == HOME)
		world_dial(world, proc, host);
	else if (line == NOBODY && world->procs[HOME].alive &&
			 world->listens[proc % HOSTS] == proc)
		world_dial(world, HOME, proc % HOSTS);
	else if (line == NOBODY &&
			 find_line(world, proc, world->listens[host]) == NOBODY)
		world_dial(world, proc, host);
	line = find_line(world, proc, HOME);
	if (line == NOBODY)
		line = find_line(world, proc, world->listens[host]);
	if (line != NOBODY)
		world_post(world, proc, line);
}

static void expire_all(struct world *world)
{
	for (int m = 0; m < world->move_count; m++)
		for (int p = 0; p < PROCS; p++)
			world_expire(world, p, m);
}

static void calm(struct world *world)
{
	world->line_limit = LINES;
	for (int host = 0; host < world->hosts; host++)
		if (world->listens[host] == NOBODY)
			world_spawn(world, host);
	for (int p = 0; p < PROCS; p++)
		world_thin_out(world, p);
	for (int round = 0; round < CALM_ROUNDS; round++) {
		deliver_all(world);
		if (round == CALM_ROUNDS / 2)
			expire_all(world);
		for (int m = 0; m < world->move_count; m++) {
			struct move *move = &world->moves[m];

			world_send_last(world, m);
			if (move->wants_line && !world_is_over(move))
				world_dial(world, move->from, move->to_host);
			else if (round % 2 == 1)
				world_time_out(world, m);
			world_check(world);
		}
		for (int p = 0; p < PROCS && !world->violation; p++)
			if (world_has_mail(world, p))
				post_calmly(world, p);
	}
	deliver_all(world);
}

/** Mail stays only where HOME cannot be reached, as from its own host, which
 * is no peer of itself, or does not know yet what became of the thread. */
static void check_mail(struct world *world)
{
	bool doubt = false;

	for (int m = 0; m < world->move_count; m++) {
		const struct psu_id move = world_migration(m);

		doubt |= world->moves[m].from == HOME &&
				 world_is_held(&world->moves[m]);
		if (world->moves[m].is_end && world->procs[HOME].alive &&
			!psu_dest_acknowledged(world->procs[HOME].dest, &move))
			world_violate(world, "the record of an END stays for ever");
	}
	for (int p = 0; p < PROCS; p++) {
		if (!world_has_mail(world, p))
			continue;
		world->counts.undelivered++;
		if (p % HOSTS != HOME % HOSTS && !(doubt && world->procs[p].mail.end) &&
			(!world->procs[HOME].alive || find_line(world, p, HOME) != NOBODY))
			world_violate(world, "mail is not delivered on a good line");
	}
}

/** What is still not over, or still lies about, after the calm. */
static void check_rest(struct world *world)
{
	expire_all(world);
	for (int m = 0; m < world->move_count; m++) {
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
	check_mail(world);
	world_check(world);
}

void world_run(struct world *world, uint64_t seed)
{
	int events;

	world_begin(world, seed);
	world->line_limit = LINES - CALM_LINES;
	events = 20 + world_random(world, STORM_MAX - 19);
	for (int i = 0; i < events && !world->violation; i++) {
		storm_event(world);
		world_check(world);
		if (events > i + AFTERMATH &&
			(world->ended || !world->procs[world->place].alive))
			events = i + AFTERMATH;
	}
	if (!world->violation)
		calm(world);
	if (!world->violation)
		check_rest(world);
}
