/* SPDX-License-Identifier: ISC */
/*
 * world.c - processes, lines and the promises of the simulated world
 */
#include "world.h"

#include <psu_thread.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *world_name(enum message_type type)
{
	static const char *const names[MESSAGE_TYPES] = {
		"OFFER",   "LAST",	   "COMMIT",   "STATUS",  "CANCEL",
		"FORGET",  "LOCATION", "PREPARED", "RUNNING", "ABORTED",
		"UNKNOWN", "DEAD",	   "NOTED"};

	return names[type];
}

void world_trace(const struct world *world, const char *format, ...)
{
	va_list args;

	if (!world->verbose)
		return;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

/** splitmix64. */
int world_random(struct world *world, int below)
{
	uint64_t z = world->random += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	z ^= z >> 31;
	return (int)((z >> 32) * (uint64_t)below >> 32);
}

struct psu_id world_incarnation(int proc)
{
	return (struct psu_id){.bytes = {[15] = (uint8_t)(proc + 1)}};
}

int world_process(const struct psu_id *incarnation)
{
	return incarnation->bytes[15] - 1;
}

struct psu_id world_migration(int move)
{
	return (struct psu_id){.bytes = {[15] = (uint8_t)(move + 1)}};
}

void world_violate(struct world *world, const char *promise)
{
	if (!world->violation)
		world->violation = promise;
	world_trace(world, "VIOLATION: %s", promise);
}

/* ---- the promises */

static int count_copies(const struct world *world)
{
	int copies = 0;

	for (int p = 0; p < PROCS; p++)
		copies += world->procs[p].runs;
	return copies;
}

bool world_is_held(const struct move *move)
{
	return !move->gone && !move->is_end &&
		   (move->source.state == PSU_SOURCE_FROZEN ||
			move->source.state == PSU_SOURCE_IN_DOUBT ||
			move->source.state == PSU_SOURCE_LOST_WITH);
}

void world_check(struct world *world)
{
	int copies = count_copies(world), last = world->move_count - 1;
	bool held = last >= 0 && world->moves[last].from == world->place &&
				world_is_held(&world->moves[last]);

	if (copies > 1)
		world_violate(world, "two copies run");
	if (copies > 0 && world->lost && !world->hasty)
		world_violate(world, "LOST_WITH, and a copy runs");
	if (copies == 0 && !world->ended && world->procs[world->place].alive &&
		!held)
		world_violate(world, "lost in silence");
	world_check_home(world);
}

/** The continuation of @move begins at @proc. */
void world_start(struct world *world, int proc, int m)
{
	world_trace(world, "  move %d: goes on at %d", m, proc);
	if (count_copies(world) > 0)
		world_violate(world, "a second copy is started");
	if (world->ended)
		world_violate(world, "started after its end");
	if (world->moves[m].by != NOBODY)
		world_violate(world, "a continuation is begun twice");
	world->procs[proc].runs = true;
	world->moves[m].by = proc;
	world->place = proc;
}

/** The slot of @proc is not free. */
bool world_is_busy(const struct world *world, int proc)
{
	const struct process *process = &world->procs[proc];

	for (int m = 0; m < world->move_count; m++)
		if (process->restored[m] ||
			(world->moves[m].from == proc && world_is_held(&world->moves[m])))
			return true;
	return process->runs;
}

/* ---- processes */

void world_spawn(struct world *world, int host)
{
	int proc = HOSTS * world->born[host] + host;
	struct process *process = &world->procs[proc];
	struct psu_dest *dest = process->dest;
	struct psu_id incarnation = world_incarnation(proc);

	if (proc >= PROCS)
		return;
	world->born[host]++;
	*process = (struct process){
		.alive = true, .brought_by = NOBODY, .dest = dest};
	psu_dest_init(dest, &incarnation);
	if (world->crowded && world_random(world, 2) == 0)
		world_crowd(world, proc);
	world->listens[host] = proc;
	world_trace(world, "process %d is born", proc);
}

static void shut(struct line *line, int end)
{
	line->broken = true;
	line->closed[end] = true;
	line->to[end].count = 0;
}

void world_crash(struct world *world, int proc)
{
	struct process *process = &world->procs[proc];
	int host = proc % HOSTS;

	if (!process->alive)
		return;
	world_trace(world, "process %d dies", proc);
	world->counts.crashes++;
	*process = (struct process){.dest = process->dest};
	for (int i = 0; i < world->line_count; i++)
		for (int end = 0; end < 2; end++)
			if (world->lines[i].end[end] == proc)
				shut(&world->lines[i], end);
	for (int m = 0; m < world->move_count; m++)
		if (world->moves[m].from == proc)
			world->moves[m].gone = true;
	if (world->listens[host] == proc)
		world->listens[host] = NOBODY;
}

/* ---- lines */

int world_other_host(struct world *world, int proc)
{
	return (proc % HOSTS + 1 + world_random(world, world->hosts - 1)) %
		   world->hosts;
}

int world_other(const struct world *world, int line, int proc)
{
	const int *end = world->lines[line].end;

	return end[0] == proc ? end[1] : end[0];
}

/** A new line to whoever listens; NOBODY if it cannot be had. */
static int open_line(struct world *world, int proc, int host)
{
	int other = world->listens[host], line = world->line_count;

	if (other == NOBODY || line == world->line_limit)
		return NOBODY;
	world->line_count++;
	memset(&world->lines[line], 0, sizeof(world->lines[line]));
	world->lines[line].slow = world_random(world, 3) == 0;
	world->lines[line].end[0] = proc;
	world->lines[line].end[1] = other;
	world_trace(world, "line %d: %d to %d", line, proc, other);
	return line;
}

void world_dial(struct world *world, int proc, int host)
{
	struct psu_source_event event = {.kind = PSU_SOURCE_LINE_BROKE,
									 .code = PSU_THREAD_E_HOST_UNREACHABLE};
	int line;

	if (!world->procs[proc].alive || proc % HOSTS == host)
		return;
	line = open_line(world, proc, host);
	if (line != NOBODY)
		event = (struct psu_source_event){
			.kind = PSU_SOURCE_LINE_OPENED,
			.incarnation = world_incarnation(world->listens[host])};
	for (int m = 0; m < world->move_count; m++) {
		struct move *move = &world->moves[m];

		if (move->from != proc || move->gone || !move->wants_line ||
			move->to_host != host)
			continue;
		move->redialled |= line != NOBODY;
		move->wants_line = false;
		move->line = line;
		world_feed(world, m, &event);
	}
}

void world_break(struct world *world, int at)
{
	struct line *line = &world->lines[at];

	if (line->broken)
		return;
	line->broken = true;
	for (int end = 0; end < 2; end++)
		if (world_random(world, 2) == 0)
			line->to[end].count = world_random(world, line->to[end].count + 1);
	world_trace(world, "line %d breaks", at);
}

void world_notice(struct world *world, int at, int end)
{
	struct line *line = &world->lines[at];
	int proc = line->end[end];
	const struct psu_source_event event = {
		.kind = PSU_SOURCE_LINE_BROKE, .code = PSU_THREAD_E_CONNECTION_LOST};

	if (!line->broken || line->closed[end])
		return;
	world_trace(world, "line %d: %d notices that it broke", at, proc);
	shut(line, end);
	for (int m = 0; m < world->move_count; m++) {
		struct move *move = &world->moves[m];

		if (move->from != proc || move->gone || move->line != at)
			continue;
		move->line = NOBODY;
		world_feed(world, m, &event);
	}
	world_arrival_lost(world, proc, at);
	world_peer_gone(world, proc, line->end[1 - end] % HOSTS);
}

void world_send(struct world *world, int at, int from,
				const struct message *message)
{
	struct line *line = &world->lines[at];
	struct queue *queue = &line->to[line->end[0] % HOSTS == from % HOSTS];
	int copies = message->type > LAST && world_random(world, 8) == 0 ? 2 : 1;

	if (queue->count + copies > QUEUE)
		world_break(world, at);
	if (line->broken)
		return;
	while (copies-- > 0) {
		queue->items[(queue->first + queue->count) % QUEUE] = *message;
		queue->count++;
	}
	world_trace(world, "  line %d: %d sends %s of move %d", at, from,
				world_name(message->type), message->move);
}

void world_deliver(struct world *world, int at, int end)
{
	struct line *line = &world->lines[at];
	struct queue *queue = &line->to[end];
	int proc = line->end[end];
	struct message message;

	if (queue->count == 0 || line->closed[end])
		return;
	message = queue->items[queue->first];
	queue->first = (queue->first + 1) % QUEUE;
	queue->count--;
	world_trace(world, "line %d: %d reads %s of move %d (%d)", at, proc,
				world_name(message.type), message.move,
				world_process(&message.incarnation));
	if (message.type <= LOCATION)
		world_serve(world, proc, at, &message);
	else
		world_answer(world, proc, &message);
}

void world_begin(struct world *world, uint64_t seed)
{
	world->random = seed;
	world->violation = NULL;
	world->line_count = 0;
	world->move_count = 0;
	world->place = HOME;
	world->generation = 0;
	psu_home_born(&world->home);
	world->known_place = HOME;
	world->known_highest = 0;
	world->places[0] = HOME;
	world->results = 0;
	world->token = 0;
	world->ended = false;
	world->lost = false;
	world->wild = world_random(world, 4) == 0;
	world->crowded = !world->wild && world_random(world, 2) == 0;
	world->replays = !world->wild && !world->crowded;
	world->hasty = world_random(world, 8) == 0;
	world->hosts = 2 + world_random(world, HOSTS - 1);
	for (int p = 0; p < PROCS; p++)
		world->procs[p] = (struct process){.dest = world->procs[p].dest};
	for (int host = 0; host < world->hosts; host++) {
		world->born[host] = 0;
		world_spawn(world, host);
	}
	world->procs[HOME].runs = true;
}
