/* SPDX-License-Identifier: ISC */
/*
 * line.c - the table of lines: take, put, wait
 *
 * All of it is guarded by the process's lock; sessions are opened without it.
 */
#include "journey/line.h"
#include "journey/callers.h"
#include "journey/keeper.h"
#include "journey/process.h"
#include "net/limits.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** A thread that waits for a line, first come first served. */
struct psu_line_waiter {
	struct psu_line_waiter *next;
	const struct psu_way *way;
	struct psu_line *line; /* that it was given */
	bool called;		   /* to look again: there is room for a new one */
	pthread_cond_t woken;
};

/* ---- the table */

static bool leads_to(const struct psu_line *line, const struct psu_way *way)
{
	if (line->session && !psu_way_may_end_at(way, &line->session->peer.digest))
		return false;
	if (psu_id_is_zero(&way->incarnation) || !line->session)
		return strcmp(line->name, way->name) == 0;
	return psu_id_equal(&line->session->hello.incarnation, &way->incarnation);
}

static struct psu_line *add(const char *name, struct psu_session *session)
{
	struct psu_process *process = psu_process_get();
	struct psu_line *line = calloc(1, sizeof(*line));

	if (!line)
		return NULL;
	line->session = session;
	snprintf(line->name, sizeof(line->name), "%s", name);
	line->next = process->lines;
	process->lines = line;
	return line;
}

static struct psu_line *find(const struct psu_session *session)
{
	struct psu_line *line = psu_process_get()->lines;

	while (line && line->session != session)
		line = line->next;
	return line;
}

static void drop(struct psu_line *line)
{
	struct psu_line **link = &psu_process_get()->lines;

	while (*link != line)
		link = &(*link)->next;
	*link = line->next;
	if (line->session)
		psu_keeper_look(&line->session->hello.incarnation);
	free(line);
}

static size_t count(const struct psu_way *way)
{
	size_t count = 0;

	for (struct psu_line *at = psu_process_get()->lines; at; at = at->next)
		count += leads_to(at, way);
	return count;
}

/** Whether one more may be opened: a server does not know at first that they
 * are all of one peer, and bears only so many strangers. */
static bool is_room(const struct psu_way *way)
{
	size_t opening = 0;

	for (struct psu_line *at = psu_process_get()->lines; at; at = at->next)
		opening += !at->session && leads_to(at, way);
	return opening < PSU_LINES_OPENING_MAX && count(way) < PSU_LINES_PEER_MAX;
}

bool psu_line_exists(const struct psu_place *place)
{
	struct psu_line *at = psu_process_get()->lines;

	while (at &&
		   !(at->session && psu_place_is(place, &at->session->peer.digest,
										 &at->session->hello.incarnation)))
		at = at->next;
	return at;
}

/* ---- waiting */

static void enqueue(struct psu_line_waiter *waiter)
{
	struct psu_line_waiter **link = &psu_process_get()->line_waiters;

	while (*link)
		link = &(*link)->next;
	*link = waiter;
}

static void dequeue(struct psu_line_waiter *waiter)
{
	struct psu_line_waiter **link = &psu_process_get()->line_waiters;

	while (*link != waiter)
		link = &(*link)->next;
	*link = waiter->next;
}

/** Whoever has waited longest for a line like this one; NULL: nobody. */
static struct psu_line_waiter *first_waiter(const struct psu_line *line)
{
	struct psu_line_waiter *waiter = psu_process_get()->line_waiters;

	while (waiter &&
		   (waiter->line || waiter->called || !leads_to(line, waiter->way)))
		waiter = waiter->next;
	return waiter;
}

/** Wait for a line, or until it is worth looking again; false: @deadline has
 * passed. */
static bool wait_for_line(struct psu_line_waiter *waiter, int64_t deadline)
{
	bool in_time = true;

	waiter->called = false;
	while (!waiter->line && !waiter->called && in_time)
		in_time = psu_process_wait_for(&waiter->woken, deadline);
	return waiter->line || waiter->called;
}

void psu_line_look_again(const struct psu_id *incarnation)
{
	struct psu_line_waiter *at = psu_process_get()->line_waiters;

	/* who has not said yet which process it is, is none that is waited for */
	if (psu_id_is_zero(incarnation))
		return;
	for (; at; at = at->next)
		if (!at->line && psu_id_equal(&at->way->incarnation, incarnation)) {
			at->called = true;
			pthread_cond_signal(&at->woken);
		}
}

/** There is room for another line like this one. */
static void tell_room(const struct psu_line *line)
{
	struct psu_line_waiter *waiter = first_waiter(line);

	if (waiter) {
		waiter->called = true;
		pthread_cond_signal(&waiter->woken);
	}
}

/** A line is of no use any more. */
static void give_up(struct psu_line *line)
{
	tell_room(line);
	drop(line);
}

/** To whoever waits for such a line, or idle.  False: there are idle ones
 * enough. */
static bool hand_on(struct psu_line *line)
{
	struct psu_line_waiter *waiter = first_waiter(line);

	line->session->reused = true;
	if (waiter) {
		waiter->line = line;
		pthread_cond_signal(&waiter->woken);
		return true;
	}
	if (!psu_line_may_idle(line))
		return false;
	line->idle = true;
	psu_line_watch(line);
	return true;
}

/* ---- take */

/** Whether a request can be sent on an idle line; if something has come
 * instead, the watch looks into it. */
static bool is_usable(const struct psu_line *line)
{
	return psu_session_is_quiet(line->session) &&
		   psu_clock_now_ms() - line->session->opened_ms < PSU_LINE_AGE_MS;
}

static struct psu_line *take_idle(const struct psu_way *way)
{
	struct psu_line *line = psu_process_get()->lines;

	while (line && !(line->idle && leads_to(line, way) && is_usable(line)))
		line = line->next;
	if (line) {
		line->idle = false;
		psu_line_unwatch(line);
	}
	return line;
}

/** Somebody was called: wait until that session turns, or a second; who does
 * not turn may be busy, or dead.  False: nobody else is to be called. */
static bool wait_for_turn(struct psu_line_waiter *waiter, int64_t deadline)
{
	int64_t until = psu_clock_deadline(PSU_TURN_MS);

	if (waiter->way->has_endpoint)
		return wait_for_line(waiter, until);
	return wait_for_line(waiter, until < deadline ? until : deadline) ||
		   until < deadline;
}

/** Get an idle line, the right to open one, or one that somebody puts back or
 * turns.  Returns 0 or why not: NO_MEMORY, BUSY, HOME_UNREACHABLE. */
static int get(struct psu_line_waiter *waiter, int64_t deadline)
{
	const struct psu_way *way = waiter->way;
	bool dial = way->fresh && way->has_endpoint, room, called, call = true;

	do {
		if (!dial)
			waiter->line = take_idle(way);
		if (waiter->line)
			return 0;
		room = is_room(way);
		called = room && call && psu_callers_call(way);
		if (room && !called && way->has_endpoint) {
			waiter->line = add(way->name, NULL);
			return waiter->line ? 0 : PSU_THREAD_E_NO_MEMORY;
		}
		if (way->at_once && !called && !count(way) &&
			!psu_callers_were_called(way))
			return PSU_THREAD_E_HOME_UNREACHABLE;
		if (called)
			call = wait_for_turn(waiter, deadline);
		else if (!wait_for_line(waiter, deadline))
			return room ? PSU_THREAD_E_HOME_UNREACHABLE : PSU_THREAD_E_BUSY;
	} while (!waiter->line);
	return 0;
}

/** The same, in a place in the queue that it keeps. */
static int get_in_turn(const struct psu_way *way, struct psu_line **line_out)
{
	struct psu_line_waiter waiter = {.way = way};
	int rc;

	psu_process_init_condition(&waiter.woken);
	enqueue(&waiter);
	rc = get(&waiter, psu_clock_deadline(PSU_LINE_MS));
	dequeue(&waiter);
	pthread_cond_destroy(&waiter.woken);
	*line_out = waiter.line;
	return rc;
}

static int tell_none(const struct psu_way *way, int code)
{
	if (code == PSU_THREAD_E_NO_MEMORY)
		return psu_error_set(code, "no memory for a session with %s: free some",
							 way->name);
	if (code == PSU_THREAD_E_BUSY)
		return psu_error_set(code,
							 "no session with %s within %d ms, %d are in use: "
							 "try again, or let fewer threads move at a time",
							 way->name, PSU_LINE_MS, PSU_LINES_PEER_MAX);
	return psu_error_set(code,
						 "no session with the home of the thread at %s can be "
						 "had: check that its program still runs and the "
						 "network works",
						 way->name);
}

int psu_line_take(const struct psu_way *way, struct psu_session **session_out)
{
	struct psu_session *session = NULL;
	struct psu_line *line;
	int rc;

	psu_process_lock();
	rc = get_in_turn(way, &line);
	if (!rc)
		session = line->session;
	psu_process_unlock();
	if (rc)
		return tell_none(way, rc);
	*session_out = session;
	if (session)
		return 0;
	rc = psu_line_open(way, &session);
	psu_process_lock();
	line->session = session;
	if (rc)
		give_up(line);
	else
		tell_room(line);
	psu_process_unlock();
	*session_out = session;
	return rc;
}

/* ---- put */

void psu_line_put(struct psu_session *session)
{
	struct psu_line *line;

	if (!session)
		return;
	psu_process_lock();
	line = find(session);
	assert(line);
	if (!session->broken && hand_on(line))
		session = NULL;
	else
		give_up(line);
	psu_process_unlock();
	psu_session_close(session);
}

void psu_line_adopt(const char *name, struct psu_session *session)
{
	struct psu_line *line;

	psu_process_lock();
	line = add(name, session);
	psu_process_unlock();
	if (line)
		psu_line_put(session);
	else
		psu_session_close(session);
}

struct psu_session *psu_line_seize(int fd)
{
	struct psu_line *line = psu_process_get()->lines;

	while (line && !(line->idle && line->session->fd == fd))
		line = line->next;
	if (!line || psu_session_is_quiet(line->session))
		return NULL;
	line->idle = false;
	return line->session;
}

void psu_line_disown(const struct psu_session *session)
{
	struct psu_line *line = find(session);

	assert(line);
	give_up(line);
}

void psu_line_close_idle(void)
{
	struct psu_line *line, *next;

	psu_process_lock();
	for (line = psu_process_get()->lines; line; line = next) {
		next = line->next;
		if (!line->idle)
			continue;
		psu_session_close(line->session);
		line->session = NULL;
		drop(line);
	}
	psu_process_unlock();
}
