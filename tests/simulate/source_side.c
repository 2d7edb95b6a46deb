/* SPDX-License-Identifier: ISC */
/*
 * source_side.c - a source of the simulated world: departs, asks, ends
 *
 * Does what src/handover/source.c tells it, and checks that the end it
 * reports is true.
 */
#include "world.h"

#include <psu_thread.h>

static const struct {
	unsigned action;
	enum message_type type;
} requests[] = {
	{PSU_SOURCE_SEND_COMMIT, COMMIT},
	{PSU_SOURCE_SEND_STATUS, STATUS},
	{PSU_SOURCE_SEND_CANCEL, CANCEL},
	{PSU_SOURCE_SEND_FORGET, FORGET},
};

void world_request(struct world *world, int m, enum message_type type, int line)
{
	const struct move *move = &world->moves[m];
	struct message message = {
		.type = type,
		.move = m,
		.incarnation = move->source.incarnation,
		.token = type == COMMIT ? move->source.token : 0,
	};

	if (line != NOBODY)
		world_send(world, line, move->from, &message);
}

static void count_end(struct world *world, const struct move *move)
{
	enum psu_source_state state = move->source.state;
	struct counts *counts = &world->counts;

	if (state == PSU_SOURCE_RUNNING_AT)
		counts->committed[move->source.one_flight]++;
	if (state == PSU_SOURCE_NOT_MIGRATED)
		counts->aborted[move->source.one_flight]++;
	if (state == PSU_SOURCE_LOST_WITH)
		counts->by_death++;
	else if (move->redialled && move->source.one_flight)
		counts->by_cancel++;
	else if (move->redialled)
		counts->by_commit++;
}

/** The move has ended, and the source says how. */
static void report(struct world *world, int m)
{
	struct move *move = &world->moves[m];
	int promised = world_process(&move->source.incarnation);

	count_end(world, move);
	switch (move->source.state) {
	case PSU_SOURCE_RUNNING_AT:
		world_trace(world, "  move %d: RUNNING_AT", m);
		if (move->by != promised)
			world_violate(world, "RUNNING_AT, but it was not started there");
		if (move->from == HOME)
			world_home_heard(world, move);
		else if (promised != HOME)
			world_write(world, move->from, move->generation, promised);
		break;
	case PSU_SOURCE_NOT_MIGRATED:
		world_trace(world, "  move %d: NOT_MIGRATED (%d)", m,
					move->source.code);
		if (move->source.code >= 0)
			world_violate(world, "NOT_MIGRATED with a code of success");
		if (move->from == HOME)
			psu_home_stayed(&world->home);
		world_start(world, move->from, m);
		break;
	case PSU_SOURCE_LOST_WITH:
		world_trace(world, "  move %d: LOST_WITH", m);
		world->lost = true;
		if (world->procs[promised].alive)
			world_violate(world, "LOST_WITH a process that lives");
		break;
	case PSU_SOURCE_FROZEN:
	case PSU_SOURCE_IN_DOUBT:
		world_violate(world, "END in a state that is not final");
	}
}

void world_feed(struct world *world, int m,
				const struct psu_source_event *event)
{
	struct move *move = &world->moves[m];
	unsigned actions = psu_source_step(&move->source, event);

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (actions & requests[i].action) {
			move->sent |= 1u << requests[i].type;
			world_request(world, m, requests[i].type, move->line);
		}
	if (actions & PSU_SOURCE_DIAL) {
		move->wants_line = true;
		move->line = NOBODY;
	}
	if (actions & PSU_SOURCE_END)
		report(world, m);
}

void world_answer(struct world *world, int proc, const struct message *message)
{
	static const enum psu_source_event_kind kinds[MESSAGE_TYPES] = {
		[PREPARED] = PSU_SOURCE_PREPARED, [RUNNING] = PSU_SOURCE_RUNNING,
		[ABORTED] = PSU_SOURCE_ABORTED,	  [UNKNOWN] = PSU_SOURCE_UNKNOWN,
		[DEAD] = PSU_SOURCE_DEAD,
	};
	const struct psu_source_event event = {
		.kind = kinds[message->type],
		.incarnation = message->incarnation,
		.token = message->token,
		.code = message->code,
	};

	if (message->move == NOBODY || world->moves[message->move].is_end) {
		world_mail_answer(world, proc, message);
		return;
	}
	if (world->moves[message->move].from != proc)
		return; /* read by another process of that host */
	world_feed(world, message->move, &event);
}

/** A session of @proc that it believes to be good, or NOBODY. */
int world_pick_line(struct world *world, int proc)
{
	int count = 0, picked = NOBODY;

	for (int i = 0; i < world->line_count; i++)
		for (int end = 0; end < 2; end++)
			if (world->lines[i].end[end] == proc &&
				!world->lines[i].closed[end] &&
				world_random(world, ++count) == 0)
				picked = i;
	return picked;
}

void world_depart(struct world *world, int proc, bool one_flight)
{
	struct process *from = &world->procs[proc];
	int m = world->move_count, line = world_pick_line(world, proc);
	struct move *move = &world->moves[m];
	struct psu_id promised, brought_by;

	if (m == MOVES || !from->runs || line == NOBODY)
		return;
	brought_by = world_migration(from->brought_by);
	if (from->brought_by != NOBODY && !world->hasty &&
		!psu_dest_acknowledged(from->dest, &brought_by))
		return;
	world->move_count++;
	from->runs = false;
	if (proc == HOME)
		psu_home_leaves(&world->home);
	*move = (struct move){
		.generation = world->generation + 1,
		.from = proc,
		.to_host = world_other(world, line, proc) % HOSTS,
		.line = line,
		.offer_line = line,
		.by = NOBODY,
	};
	promised = world_incarnation(world_other(world, line, proc));
	psu_source_begin(&move->source, one_flight, &promised);
	world_trace(world, "move %d: %d departs on line %d, %s", m, proc, line,
				one_flight ? "one flight" : "two flights");
	world_request(world, m, OFFER, line);
}

void world_send_last(struct world *world, int m)
{
	struct move *move = &world->moves[m];
	const struct psu_source_event event = {.kind = PSU_SOURCE_SENDING_LAST};

	if (move->gone || move->last_sent ||
		(move->source.state != PSU_SOURCE_FROZEN && !move->is_end))
		return;
	move->last_sent = true;
	if (move->from == HOME && !move->is_end)
		psu_home_offers(&world->home);
	if (move->source.one_flight)
		world_feed(world, m, &event);
	world_trace(world, "move %d: the last bytes", m);
	world_request(world, m, LAST, move->line);
}

void world_time_out(struct world *world, int m)
{
	struct move *move = &world->moves[m];
	const struct psu_source_event event = {.kind = PSU_SOURCE_TIMED_OUT,
										   .code = PSU_THREAD_E_HOST_SILENT};
	int line = move->line;

	if (world_is_over(move) || move->wants_line)
		return;
	world_trace(world, "move %d: timed out", m);
	world_feed(world, m, &event);
	if (move->wants_line && line != NOBODY && world_random(world, 2) == 0) {
		world_break(world, line);
		world_notice(world, line, world->lines[line].end[1] == move->from);
	}
}

/** Whether a line is of those two hosts. */
static bool is_between(const struct line *line, int host, int other)
{
	int first = line->end[0] % HOSTS, second = line->end[1] % HOSTS;

	return (first == host && second == other) ||
		   (first == other && second == host);
}

/*
 * Requests come again on any session of the two hosts, in any order.  An offer
 * comes again only where nothing binds it to its session (wild), or on that
 * very session by a mistake of the source (replays).
 */
void world_repeat(struct world *world, int m, int line)
{
	const struct move *move = &world->moves[m];
	bool offer = world_random(world, 2) == 0 && move->last_sent;

	if (!is_between(&world->lines[line], move->from % HOSTS, move->to_host))
		return;
	if (offer &&
		(world->wild || (world->replays && line == move->offer_line))) {
		world_trace(world, "move %d: its offer again, on line %d", m, line);
		world_request(world, m, OFFER, line);
		world_request(world, m, LAST, line);
		return;
	}
	for (enum message_type type = COMMIT; type <= FORGET; type++)
		if (move->sent & 1u << type && world_random(world, 2) == 0)
			world_request(world, m, type, line);
}

bool world_is_over(const struct move *move)
{
	return move->gone || (move->source.state != PSU_SOURCE_FROZEN &&
						  move->source.state != PSU_SOURCE_IN_DOUBT);
}
