/* SPDX-License-Identifier: ISC */
/*
 * keeper.c - stay connected with where this process's threads are
 *
 * While all is well nothing runs here: the sessions on which the threads left
 * are kept as lines.  When the last one is gone a thread dials again, until
 * there is one, no thread is there any more, or the process has died.
 */
#include "journey/keeper.h"
#include "journey/callers.h"
#include "journey/line.h"
#include "journey/locate.h"
#include "journey/process.h"
#include "journey/traveller.h"
#include "net/limits.h"

#include <stdlib.h>

struct psu_keeper {
	struct psu_keeper *next;
	struct psu_place place;
	struct psu_id thread; /* for which it was begun */
	bool silent;		  /* and that was told */
};

/* ---- what is known of the other process; all with the lock held */

bool psu_keeper_is_visited(const struct psu_place *place)
{
	struct psu_traveller *at = psu_process_get()->threads;

	while (at && !psu_locate_is_with(at, place))
		at = at->next;
	return at;
}

/** A line of ours, on which it may CALL, or a session on which it asks. */
static bool is_connected(const struct psu_place *place)
{
	return psu_line_exists(place) || psu_callers_know(place);
}

static bool is_kept(const struct psu_place *place)
{
	struct psu_keeper *at = psu_process_get()->keepers;

	while (at &&
		   !psu_place_is(&at->place, &place->identity, &place->incarnation))
		at = at->next;
	return at;
}

/** A thread of ours is where we have no session, and nobody sees to that. */
static bool is_neglected(const struct psu_traveller *thread)
{
	return psu_locate_is_with(thread, &thread->where) &&
		   !is_connected(&thread->where) && !is_kept(&thread->where);
}

static void list(struct psu_keeper *keeper, const struct psu_place *place)
{
	struct psu_process *process = psu_process_get();

	keeper->place = *place;
	keeper->next = process->keepers;
	process->keepers = keeper;
}

static void unlist(const struct psu_keeper *keeper)
{
	struct psu_keeper **link = &psu_process_get()->keepers;

	while (*link != keeper)
		link = &(*link)->next;
	*link = keeper->next;
}

/* ---- a keeper's own thread; without the lock */

/** Dial, and make the session a line.  Returns 0, PSU_LINE_DEAD, or why
 * not. */
static int connect_to(const struct psu_place *place)
{
	struct psu_session *session;
	struct psu_way way;
	bool dead;
	int rc;

	psu_way_to_place(place, &way);
	if (!way.has_endpoint)
		return psu_error_set(PSU_THREAD_E_HOST_UNREACHABLE,
							 "it has no address at which it could be dialled: "
							 "set PSU_THREAD_ADDRESS there");
	rc = psu_line_open(&way, &session);
	if (rc)
		return rc;
	/* a session without any request is soon closed there */
	rc = psu_line_ask_after(session, &place->incarnation, &dead);
	if (rc)
		psu_session_close(session);
	else
		psu_line_adopt(way.name, session);
	return rc;
}

/** Wait a while, or until something about that process changes.  True: it is
 * to be dialled (again). */
static bool is_wanted(const struct psu_keeper *keeper, int64_t pause_ms)
{
	const struct psu_id *incarnation = &keeper->place.incarnation;
	int64_t until = psu_clock_deadline(pause_ms);
	bool wanted;

	psu_process_lock();
	do
		wanted = psu_keeper_is_visited(&keeper->place) &&
				 !is_connected(&keeper->place);
	while (wanted &&
		   psu_process_wait(psu_process_about_move(incarnation), until));
	if (!wanted)
		unlist(keeper);
	psu_process_unlock();
	return wanted;
}

/** It has died; a thread that had left it meanwhile is not lost, and word of
 * that may still be on its way. */
static void tell_died(const struct psu_keeper *keeper)
{
	if (!is_wanted(keeper, PSU_KEEPER_GRACE_MS))
		return;
	/* who is heard to be there from now on gets a keeper of its own */
	psu_process_lock();
	psu_locate_died(&keeper->place);
	unlist(keeper);
	psu_process_unlock();
}

/** Whoever joins a thread that is there need not wait for ever. */
static void tell_silent(struct psu_keeper *keeper, int code)
{
	if (keeper->silent)
		return;
	keeper->silent = true;
	psu_process_lock();
	psu_locate_silent(&keeper->place, true);
	psu_process_unlock();
	psu_error_whisper(false);
	psu_error_set(code,
				  "the process at %s that has a thread of this one cannot be "
				  "asked after it: %s: it is tried again and again",
				  keeper->place.name, psu_error_sentence());
	psu_error_whisper(true);
}

static void tell_heard(const struct psu_keeper *keeper)
{
	psu_process_lock();
	psu_locate_silent(&keeper->place, false);
	psu_process_unlock();
	psu_log(PSU_THREAD_LOG_INFO, "The process at %s can be asked again",
			keeper->place.name);
}

static void keep_there(struct psu_keeper *keeper)
{
	int64_t pause_ms = 0;
	int rc = 0;

	/* who can dial us needs no line of ours for a short visit */
	if (*psu_process_get()->place.address)
		pause_ms = PSU_KEEPER_PAUSE_MS;
	/* what is tried again and again is no error */
	psu_error_whisper(true);
	while (is_wanted(keeper, pause_ms)) {
		rc = connect_to(&keeper->place);
		if (rc == PSU_LINE_DEAD) {
			psu_error_whisper(false);
			tell_died(keeper);
			break;
		}
		if (rc)
			tell_silent(keeper, rc);
		pause_ms = pause_ms ? 2 * pause_ms : PSU_REDIAL_FIRST_MS;
		if (pause_ms > PSU_REDIAL_LAST_MS)
			pause_ms = PSU_REDIAL_LAST_MS;
	}
	if (keeper->silent && rc != PSU_LINE_DEAD)
		tell_heard(keeper);
}

/** Its thread may have gone on while it dialled.  True: it is listed again. */
static bool follow(struct psu_keeper *keeper)
{
	struct psu_traveller *at;

	psu_process_lock();
	at = psu_process_get()->threads;
	while (at && !(psu_id_equal(&at->id, &keeper->thread) && is_neglected(at)))
		at = at->next;
	if (at)
		list(keeper, &at->where);
	psu_process_unlock();
	keeper->silent = false;
	return at;
}

static void *keep(void *argument)
{
	struct psu_keeper *keeper = argument;

	do
		keep_there(keeper);
	while (follow(keeper));
	free(keeper);
	return NULL;
}

/* ---- whether there is to be one; with the lock held */

/** The one that still dials where the thread has been, and nobody is any
 * more. */
static struct psu_keeper *find_behind(const struct psu_traveller *thread)
{
	struct psu_keeper *at = psu_process_get()->keepers;

	while (at && !(psu_id_equal(&at->thread, &thread->id) &&
				   !psu_keeper_is_visited(&at->place)))
		at = at->next;
	return at;
}

static void keep_connected(const struct psu_traveller *thread)
{
	struct psu_keeper *keeper = find_behind(thread);

	/* it will follow: where a thread is, others say, as often as they like */
	if (keeper) {
		psu_process_announce(
			psu_process_about_move(&keeper->place.incarnation));
		return;
	}
	keeper = calloc(1, sizeof(*keeper));
	if (!keeper)
		return;
	keeper->thread = thread->id;
	list(keeper, &thread->where);
	if (psu_process_spawn(keep, keeper) == 0)
		return;
	unlist(keeper);
	free(keeper);
}

void psu_keeper_look(const struct psu_id *incarnation)
{
	struct psu_traveller *at = psu_process_get()->threads;

	psu_process_announce(psu_process_about_move(incarnation));
	for (; at; at = at->next)
		if (psu_id_equal(&at->where.incarnation, incarnation) &&
			is_neglected(at))
			keep_connected(at);
}
