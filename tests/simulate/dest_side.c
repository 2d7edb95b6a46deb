/* SPDX-License-Identifier: ISC */
/*
 * dest_side.c - a destination of the simulated world: restores, starts
 *
 * Does what src/handover/dest.c tells it.  A restored thread lies in the
 * slot, of which a process has one: it can be started once.
 */
#include "world.h"

#include <psu_thread.h>

#define FILLER 0xff /* marks the moves that crowd a table */

/** All processes of a host have its identity. */
static struct psu_digest peer_of(int host)
{
	return (struct psu_digest){.bytes = {(uint8_t)(1 + host)}};
}

/** Another run of the program: dead only if its lock is free. */
static struct message speak_of(const struct world *world, int proc,
							   const struct psu_id *incarnation)
{
	int other = world_process(incarnation);

	if (other != NOBODY && !world->procs[other].alive)
		return (struct message){.type = DEAD, .incarnation = *incarnation};
	return (struct message){.type = UNKNOWN,
							.incarnation = world_incarnation(proc)};
}

static void count_answer(struct world *world,
						 const struct psu_dest_answer *answer)
{
	if (answer->say == PSU_DEST_SAY_UNKNOWN)
		world->counts.unknown++;
	if (answer->say != PSU_DEST_SAY_ABORTED)
		return;
	if (answer->code == PSU_THREAD_E_REPLAYED)
		world->counts.replayed++;
	if (answer->code == PSU_THREAD_E_BUSY)
		world->counts.busy++;
}

/** What is restored for that move goes on, or is taken for the result. */
static void start(struct world *world, int proc, int m)
{
	struct process *process = &world->procs[proc];
	const struct move *move = &world->moves[m];

	if (!process->restored[m])
		world_violate(world, "started what is not restored");
	process->restored[m] = false;
	if (!move->is_end) {
		process->brought_by = m;
		world->generation = move->generation;
		world->places[move->generation] = proc;
		world_start(world, proc, m);
	}
	if (proc == HOME)
		world_home_returned(world, move);
}

/** Start, discard, say, as told; what was asked is in @asked. */
static void act(struct world *world, int proc, int line,
				const struct message *asked, struct psu_dest_answer answer)
{
	static const enum message_type types[] = {
		[PSU_DEST_SAY_PREPARED] = PREPARED,
		[PSU_DEST_SAY_RUNNING] = RUNNING,
		[PSU_DEST_SAY_ABORTED] = ABORTED,
		[PSU_DEST_SAY_UNKNOWN] = UNKNOWN,
	};
	struct process *process = &world->procs[proc];
	struct message message;

	count_answer(world, &answer);
	if (answer.start)
		start(world, proc, asked->move);
	if (answer.discard)
		process->restored[asked->move] = false;
	if (answer.say == PSU_DEST_SAY_NOTHING)
		return;
	message = answer.say == PSU_DEST_PROVE_DEATH
				  ? speak_of(world, proc, &asked->incarnation)
				  : (struct message){.type = types[answer.say],
									 .incarnation = world_incarnation(proc),
									 .token = answer.token,
									 .code = answer.code};
	message.move = asked->move;
	world_send(world, line, proc, &message);
}

/** Why what dest.c would take is refused all the same; 0 if it is not. */
static int judge(const struct world *world, int proc, const struct move *move)
{
	int code = 0;

	if (proc == HOME)
		code = psu_home_may_return(&world->home, move->generation);
	if (!code && !move->is_end && world_is_busy(world, proc))
		code = PSU_THREAD_E_ADDRESS_IN_USE;
	return code;
}

static void serve_offer(struct world *world, int proc, int line,
						const struct message *message)
{
	struct process *process = &world->procs[proc];
	const struct move *move = &world->moves[message->move];
	const struct psu_dest_offer offer = {
		.migration = world_migration(message->move),
		.thread = {.bytes = {1}},
		.generation = move->generation,
		.peer = peer_of(world_other(world, line, proc) % HOSTS),
		.incarnation = message->incarnation,
		.one_flight = move->source.one_flight,
		.is_end = move->is_end,
	};
	struct psu_dest_answer answer = psu_dest_offer(process->dest, &offer);
	int code = judge(world, proc, move);

	world->counts.repeated += answer.say == PSU_DEST_SAY_RUNNING;
	if (answer.receive && code) {
		answer = psu_dest_refuse(process->dest, &offer.migration, code);
	} else if (answer.receive) {
		process->restored[message->move] = true;
		process->receiving[message->move] = true;
		process->arrival[message->move] = line;
	}
	act(world, proc, line, message, answer);
}

/** The body of an admitted offer is complete: all checks are made. */
static void serve_last(struct world *world, int proc, int line,
					   const struct message *message)
{
	struct process *process = &world->procs[proc];
	struct psu_id migration = world_migration(message->move);

	if (!process->receiving[message->move] ||
		process->arrival[message->move] != line)
		return;
	process->receiving[message->move] = false;
	if (world_random(world, 8) == 0)
		act(world, proc, line, message,
			psu_dest_refuse(process->dest, &migration,
							PSU_THREAD_E_CHAIN_MISMATCH));
	else
		act(world, proc, line, message,
			psu_dest_ready(process->dest, &migration, ++world->token));
}

static void serve_location(struct world *world, int proc, int line,
						   const struct message *message)
{
	const struct message noted = {.type = NOTED,
								  .move = NOBODY,
								  .incarnation = world_incarnation(proc),
								  .generation = message->generation};

	world_home_located(world, message);
	world_send(world, line, proc, &noted);
}

/** Who has the thread tells home, too, once no source will have it go on. */
static void serve_forget(struct world *world, int proc, int line,
						 const struct message *message,
						 const struct psu_dest_request *request)
{
	struct psu_dest *dest = world->procs[proc].dest;
	const struct move *move = &world->moves[message->move];
	bool was_known = psu_dest_acknowledged(dest, &request->migration);

	act(world, proc, line, message, psu_dest_forget(dest, request));
	if (!was_known && psu_dest_acknowledged(dest, &request->migration) &&
		proc != HOME && move->from != HOME && !move->is_end)
		world_write(world, proc, move->generation, proc);
}

void world_serve(struct world *world, int proc, int line,
				 const struct message *message)
{
	struct psu_dest *dest = world->procs[proc].dest;
	const struct psu_dest_request request = {
		.migration = world_migration(message->move),
		.incarnation = message->incarnation,
		.peer = peer_of(world_other(world, line, proc) % HOSTS),
		.token = message->token,
	};

	if (message->type == OFFER)
		serve_offer(world, proc, line, message);
	else if (message->type == LAST)
		serve_last(world, proc, line, message);
	else if (message->type == LOCATION)
		serve_location(world, proc, line, message);
	else if (message->type == COMMIT)
		act(world, proc, line, message, psu_dest_commit(dest, &request));
	else if (message->type == STATUS)
		act(world, proc, line, message, psu_dest_status(dest, &request));
	else if (message->type == CANCEL)
		act(world, proc, line, message, psu_dest_cancel(dest, &request));
	else
		serve_forget(world, proc, line, message, &request);
}

void world_arrival_lost(struct world *world, int proc, int line)
{
	struct process *process = &world->procs[proc];

	for (int m = 0; m < world->move_count; m++) {
		struct psu_id migration = world_migration(m);
		const struct message message = {.move = m};

		if (!process->receiving[m] || process->arrival[m] != line)
			continue;
		process->receiving[m] = false;
		act(world, proc, line, &message,
			psu_dest_refuse(process->dest, &migration,
							PSU_THREAD_E_CONNECTION_LOST));
	}
}

void world_expire(struct world *world, int proc, int m)
{
	struct process *process = &world->procs[proc];
	struct psu_id migration = world_migration(m);
	const struct message message = {.move = m};
	struct psu_dest_answer answer;

	if (!process->alive)
		return;
	answer = psu_dest_expire(process->dest, &migration);
	if (answer.say == PSU_DEST_SAY_NOTHING)
		return;
	world_trace(world, "move %d: its reservation at %d expires", m, proc);
	world->counts.expired++;
	act(world, proc, process->arrival[m], &message, answer);
}

/** Where offers are bound to sessions, none can come when all have ended. */
void world_peer_gone(struct world *world, int proc, int host)
{
	const struct psu_digest peer = peer_of(host);

	for (int i = 0; i < world->line_count; i++)
		for (int end = 0; end < 2; end++)
			if (world->lines[i].end[end] == proc &&
				world->lines[i].end[1 - end] % HOSTS == host &&
				!world->lines[i].closed[end])
				return;
	if (!world->wild)
		psu_dest_peer_gone(world->procs[proc].dest, &peer);
}

static struct psu_id filler(int number)
{
	return (struct psu_id){
		.bytes = {FILLER, (uint8_t)(number >> 8), (uint8_t)number}};
}

/** All but up to two records of a peer are taken, for good. */
void world_crowd(struct world *world, int proc)
{
	struct process *process = &world->procs[proc];
	int host = world_other_host(world, proc);

	process->fillers = PSU_DEST_PEER_RECORDS_MAX - world_random(world, 3);
	for (int i = 0; i < process->fillers; i++) {
		const struct psu_dest_offer offer = {.migration = filler(i),
											 .thread = filler(i),
											 .generation = 1,
											 .peer = peer_of(host)};

		psu_dest_offer(process->dest, &offer);
	}
}

/** The moves that crowd the table come to an end. */
void world_thin_out(struct world *world, int proc)
{
	struct process *process = &world->procs[proc];

	for (int i = 0; i < process->fillers; i++) {
		const struct psu_id move = filler(i);

		psu_dest_refuse(process->dest, &move, PSU_THREAD_E_CONNECTION_LOST);
	}
	process->fillers = 0;
}
