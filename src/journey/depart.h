/* SPDX-License-Identifier: ISC */
/*
 * depart.h - one attempt to leave, step by step
 *
 *     may it leave → walk the frames → fill → encode → sign → hand over
 *     → let go
 */
#ifndef PSU_DEPART_H
#define PSU_DEPART_H

#include "journey/line.h"
#include "journey/parcel.h"
#include "journey/process.h"
#include "journey/traveller.h"
#include "report/phase.h"

#include <signal.h>

struct psu_departure {
	struct psu_traveller *thread;
	struct psu_way way;
	sigset_t mask; /* the thread's, while all signals are blocked */
	int cancel_state, cancel_type;

	struct psu_heap_map heap;  /* its pages that may have to travel */
	struct psu_heap_map fewer; /* without what home has kept; no runs: all */
	struct psu_image image;
	uint8_t *locals; /* a copy of the thread-locals that travel */
	uint8_t *head;	 /* the encoded image without its stack */
	size_t head_len;
	struct psu_parcel parcel; /* all that goes out */

	struct psu_session *session;  /* NULL: none is open */
	struct psu_place destination; /* who is offered the thread */
	struct psu_source source;	  /* whose thread it is */
	bool asked_again;			  /* the session is not the one of the OFFER */
	int64_t pause_ms;			  /* before the next attempt to dial */
	int decision;		 /* psu_thread_resolve()'s, while in doubt; 0: none */
	enum psu_stage gone; /* AWAY or LOST: the thread is not to go on here */
};

/**
 * What psu_thread_migrate() does, on the thread's home stack.  Returns a
 * negative code if the thread goes on here; does not return if it has left.
 */
int psu_depart(struct psu_traveller *self);

/**
 * What psu_thread_check() does, on the thread's home stack: all that comes
 * before a thread is offered, and a scan for what it would leave behind.
 *
 * Returns what psu_thread_check() does.
 */
int psu_depart_rehearse(struct psu_traveller *self);

/**
 * Whether the calling thread has anything that cannot go along, but for its
 * frames, which the walk judges.  On its home stack.
 *
 * @manifest  this process's own
 *
 * Returns 0, STACK_OUTSIDE_SLOT, ROBUST_MUTEX_HELD, EXCEPTION_IN_FLIGHT (also
 * in a thread that is ending), TLS_DYNAMIC, or SYSTEM if the robust mutexes
 * cannot be learnt.
 */
PSU_MUST_CHECK int psu_depart_check(const struct psu_traveller *self,
									const struct psu_manifest *manifest);

/**
 * Offer the encoded image to the endpoint and follow the handover to its end,
 * however long the outcome stays in doubt, or until it is decided by
 * psu_thread_resolve().  A thread that is lost stays frozen in here, too, until
 * that is decided or PSU_LOST_KEPT_MS have passed.
 *
 * Returns why the thread goes on here, or anything if @departure->gone says
 * that it does not.
 */
PSU_MUST_CHECK int psu_depart_hand_over(struct psu_departure *departure);

/** Make head and parcel of the image, anew if there are fewer pages now.
 * Returns what psu_image_encode() does. */
PSU_MUST_CHECK int psu_depart_encode(struct psu_departure *departure);

/**
 * On the session: if this is the thread's home, learn which pages it has kept,
 * and encode the image without them.
 *
 * Returns 0, what sending and receiving return, or NO_MEMORY.
 */
PSU_MUST_CHECK int psu_depart_compare(struct psu_departure *departure);

/** Open a session that the thread can be offered on.  Returns 0, HOME_ENDED, or
 * what psu_line_take() does. */
PSU_MUST_CHECK int psu_depart_open_session(struct psu_departure *departure);

/** The session, if there is one, is of no use any more. */
void psu_depart_drop_session(struct psu_departure *departure);

/**
 * Open a session and send OFFER and body; the source machine has begun.
 * An idle line that proves stale is replaced by a fresh session.
 */
PSU_MUST_CHECK int psu_depart_offer(struct psu_departure *departure);

#endif
