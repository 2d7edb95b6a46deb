/* SPDX-License-Identifier: ISC */
/*
 * home_side.c - the thread's home, and the mail that others have for it
 *
 * A process that has passed the thread on, or taken it in from another than
 * home, tells home where it is: LOCATION, until it is NOTED.  One in which it
 * has ended tells that: an END, each time as a new offer, until home takes it
 * or says that it has it.  Only the proof of home's death makes mail void. What
 * home believes is told by src/handover/home.c, and must be true.
 */
#include "world.h"

#include <psu_thread.h>

bool world_has_mail(const struct world *world, int proc)
{
	const struct mail *mail = &world->procs[proc].mail;

	return world->procs[proc].alive && (mail->end || mail->generation > 0);
}

void world_end_thread(struct world *world)
{
	struct process *place = &world->procs[world->place];

	if (!place->runs)
		return;
	world_trace(world, "the thread ends at %d", world->place);
	place->runs = false;
	world->ended = true;
	if (world->place != HOME) {
		place->mail = (struct mail){.end = true,
									.generation = world->generation + 1};
		return;
	}
	world->results++;
	psu_home_ended(&world->home);
}

void world_write(struct world *world, int proc, uint64_t generation, int where)
{
	struct mail *mail = &world->procs[proc].mail;

	if (mail->end || mail->generation > generation)
		return;
	mail->generation = generation;
	mail->where = where;
}

static void offer_end(struct world *world, int proc, int line)
{
	int m = world->move_count;

	if (m == MOVES + ATTEMPTS)
		return;
	world->move_count++;
	world->moves[m] = (struct move){
		.source = {.one_flight = true, .incarnation = world_incarnation(HOME)},
		.is_end = true,
		.generation = world->procs[proc].mail.generation,
		.from = proc,
		.to_host = HOME % HOSTS,
		.line = line,
		.offer_line = line,
		.by = NOBODY,
	};
	world_trace(world, "move %d: %d offers the END on line %d", m, proc, line);
	world_request(world, m, OFFER, line);
}

void world_post(struct world *world, int proc, int line)
{
	const struct mail *mail = &world->procs[proc].mail;
	int other = world_other(world, line, proc);
	struct message message = {.type = LOCATION,
							  .move = NOBODY,
							  .incarnation = world_incarnation(HOME),
							  .generation = mail->generation,
							  .where = mail->where};

	if (other % HOSTS != HOME % HOSTS)
		return;
	if (other == HOME && mail->end) {
		offer_end(world, proc, line);
		return;
	}
	if (other != HOME)
		message.type = STATUS;
	world_send(world, line, proc, &message);
}

void world_mail_answer(struct world *world, int proc,
					   const struct message *message)
{
	struct mail *mail = &world->procs[proc].mail;
	bool taken = message->type == RUNNING,
		 had = message->type == ABORTED &&
			   message->code == PSU_THREAD_E_REPLAYED;

	if (message->type == NOTED && !mail->end &&
		message->generation == mail->generation)
		mail->generation = 0;
	if (message->type == DEAD) {
		if (world->procs[HOME].alive)
			world_violate(world, "mail for a living home is dropped");
		*mail = (struct mail){0};
	}
	if (!mail->end || (!taken && !had))
		return;
	if (world->procs[HOME].alive && world->results == 0)
		world_violate(world, "home has not got the result that it has");
	world->counts.had += had;
	*mail = (struct mail){0};
}

void world_home_heard(struct world *world, const struct move *move)
{
	if (psu_home_left(&world->home, move->generation))
		world->known_place = world_process(&move->source.incarnation);
	else
		world->counts.overtaken++;
}

void world_home_located(struct world *world, const struct message *message)
{
	if (!psu_home_located(&world->home, message->generation)) {
		world->counts.overtaken++;
		return;
	}
	world->counts.located++;
	world->known_place = message->where;
}

void world_home_returned(struct world *world, const struct move *move)
{
	bool held = false;

	if (!move->is_end) {
		world->counts.returned++;
		psu_home_returned(&world->home, move->generation);
		world->known_place = HOME;
		return;
	}
	for (int m = 0; m < world->move_count; m++)
		held |= world->moves[m].from == HOME && world_is_held(&world->moves[m]);
	if (held)
		world_violate(world, "an END is taken for a thread that is here");
	if (++world->results > 1)
		world_violate(world, "a result is taken twice");
	world->counts.delivered++;
	psu_home_ended(&world->home);
}

void world_check_home(struct world *world)
{
	if (!world->procs[HOME].alive)
		return;
	if (world->home.generation < world->known_highest)
		world_violate(world, "home forgets a move");
	world->known_highest = world->home.generation;
	if (world->known_place != world->places[world->home.generation])
		world_violate(world, "home believes a wrong place");
}
