/* SPDX-License-Identifier: ISC */
/*
 * handover.h - one owner, always: who may run a thread while it moves
 *
 * Two state machines, one for each side of a move, and what a home remembers
 * of each thread of its own.  They are pure: an event goes in, actions come
 * out; no I/O, no clock, no memory from the heap, no global.  journey/ drives
 * them over real sessions, tests/simulate/ over a hostile network of its own
 * making, and tests/model/handover.pml is the same protocol for a model
 * checker.
 *
 *     source                                    destination
 *     OFFER, BODY...        ----------------->  refuse, or restore and park
 *                           <-----------------  PREPARED {token, incarnation}
 *     COMMIT                ----------------->  start: ownership moves here
 *                           <-----------------  RUNNING
 *     FORGET                ----------------->
 *
 * In one flight the OFFER carries the COMMIT, names the incarnation that
 * the session's hello told, and the answer is RUNNING or ABORTED.
 */
#ifndef PSU_HANDOVER_H
#define PSU_HANDOVER_H

#include "bytes/bytes.h"
#include "net/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- the source of one move */

enum psu_source_state {
	PSU_SOURCE_FROZEN = 1,	 /* offered: the source may go on alone */
	PSU_SOURCE_IN_DOUBT,	 /* COMMIT has gone out: the source only asks */
	PSU_SOURCE_RUNNING_AT,	 /* the thread runs at the destination */
	PSU_SOURCE_NOT_MIGRATED, /* the thread goes on at the source */
	PSU_SOURCE_LOST_WITH	 /* the destination died while it owned it */
};

struct psu_source {
	enum psu_source_state state;
	bool one_flight;
	bool may_ask; /* a line is up, and STATUS was not asked on it yet */
	struct psu_id incarnation; /* named in all requests: who is promised the
								  thread; two flights: zero before PREPARED */
	uint64_t token;			   /* of that COMMIT, two flights only */
	int code;				   /* NOT_MIGRATED: why, never 0 */
};

enum psu_source_event_kind {
	/* what the destination says about this move */
	PSU_SOURCE_PREPARED = 1, /* incarnation, token */
	PSU_SOURCE_RUNNING,		 /* incarnation */
	PSU_SOURCE_ABORTED,		 /* incarnation, code */
	PSU_SOURCE_UNKNOWN,		 /* incarnation of the speaker */
	PSU_SOURCE_DEAD,		 /* incarnation of the dead */
	/* what happens at the source */
	PSU_SOURCE_SENDING_LAST, /* one flight: the last bytes go out now */
	PSU_SOURCE_LINE_BROKE,	 /* or could not be opened; code */
	PSU_SOURCE_LINE_OPENED,	 /* another session is open */
	PSU_SOURCE_TIMED_OUT	 /* no answer in time; code */
};

struct psu_source_event {
	enum psu_source_event_kind kind;
	struct psu_id incarnation;
	uint64_t token;
	int code;
};

/** What the source must do now, a set, done in this order. */
enum psu_source_action {
	PSU_SOURCE_SEND_COMMIT = 1,
	PSU_SOURCE_SEND_STATUS = 2,
	PSU_SOURCE_SEND_CANCEL = 4,
	PSU_SOURCE_SEND_FORGET = 8,
	PSU_SOURCE_DIAL = 16, /* open another session, after a pause */
	PSU_SOURCE_END = 32	  /* the state is final */
};

/** Begin a move, before a byte of it is sent.  @incarnation is the one that
 * the session's hello told: in one flight it is promised the thread, in two
 * flights the one that says PREPARED is. */
void psu_source_begin(struct psu_source *source, bool one_flight,
					  const struct psu_id *incarnation);

/**
 * Take one event; returns a set of psu_source_action, 0 for none.
 *
 * In doubt, a first TIMED_OUT on a line asks STATUS, the next gives the line
 * up; UNKNOWN does nothing, so the clock runs on.  A move that has ended
 * stays as it is.
 */
unsigned psu_source_step(struct psu_source *source,
						 const struct psu_source_event *event);

/* ---- the destination: one table per process */

enum psu_dest_state {
	PSU_DEST_ARRIVING = 1, /* admitted; its body is still on the way */
	PSU_DEST_PREPARED,	   /* parked, waits for COMMIT */
	PSU_DEST_RUNNING,	   /* was started here; may have ended or left */
	PSU_DEST_ABORTED,	   /* a tombstone: never to be started here */
	PSU_DEST_FORGOTTEN	   /* after FORGET: no answer, but never again */
};

struct psu_dest_record {
	struct psu_id migration;
	struct psu_id thread; /* zero in a tombstone of an unread offer */
	uint64_t generation;
	uint64_t token;
	int code; /* ABORTED: why */
	bool one_flight;
	bool is_end;
	enum psu_dest_state state; /* 0: a free record */
	/* dest_table.h; numbers of records, 0 for none */
	uint16_t peer;	  /* its number */
	uint16_t next[2]; /* with a like migration, thread id */
	uint16_t next_spent;
};

/** Whose records they are. */
struct psu_dest_peer {
	struct psu_digest digest;
	uint16_t count; /* 0: a free entry */
	uint16_t oldest_spent, newest_spent;
};

struct psu_dest {
	struct psu_id incarnation; /* of this process */
	size_t count;
	uint16_t unused; /* from here on no record was ever used */
	uint16_t free;	 /* the first that was, and is free */
	uint16_t unused_peers;
	uint16_t buckets[2][PSU_DEST_RECORDS_MAX];
	struct psu_dest_peer peers[PSU_DEST_PEERS_MAX];
	struct psu_dest_record records[PSU_DEST_RECORDS_MAX + 1]; /* not 0 */
};

/** What the statement of an OFFER says, once verified. */
struct psu_dest_offer {
	struct psu_id migration;
	struct psu_id thread;
	uint64_t generation;
	struct psu_digest peer;	   /* of the peer's identity */
	struct psu_id incarnation; /* named by a one-flight offer */
	bool one_flight;
	bool is_end; /* it brings a thread's result, not the thread */
};

/** What the destination must do now. */
enum psu_dest_action {
	PSU_DEST_SAY_NOTHING = 0,
	PSU_DEST_SAY_PREPARED, /* token */
	PSU_DEST_SAY_RUNNING,
	PSU_DEST_SAY_ABORTED, /* code */
	PSU_DEST_SAY_UNKNOWN,
	PSU_DEST_PROVE_DEATH /* DEAD if the incarnation's lock is free, else
							UNKNOWN */
};

struct psu_dest_answer {
	enum psu_dest_action say;
	bool receive; /* take the body in */
	bool start;	  /* let the parked thread go, before the answer */
	bool discard; /* undo what was restored for this move, if it still is */
	uint64_t token;
	int code;
};

/** Every request about a move names it; @peer is who asks.  A peer can only
 * touch moves of its own. */
struct psu_dest_request {
	struct psu_id migration;
	struct psu_id incarnation; /* zero: none was promised the thread yet */
	struct psu_digest peer;
	uint64_t token; /* COMMIT only */
};

void psu_dest_init(struct psu_dest *dest, const struct psu_id *incarnation);

/**
 * An OFFER whose statement is verified: admit it (receive), or not.  It is
 * bound to its session, by which it comes once.  Refused is what is not later
 * than what was started of that thread (REPLAYED), and anything of a thread of
 * which something is still arriving, whose end is not known yet (BUSY).
 *
 * Nobody asks about an END: its sender offers it anew, as another move, until
 * it hears RUNNING or REPLAYED.  So it is forgotten when it is taken.
 */
struct psu_dest_answer psu_dest_offer(struct psu_dest *dest,
									  const struct psu_dest_offer *offer);
/** Its thread, or result, is restored, nothing fallible is left.  @token is
 * fresh.  One flight: start; two: PREPARED; cancelled meanwhile: discard. */
struct psu_dest_answer psu_dest_ready(struct psu_dest *dest,
									  const struct psu_id *migration,
									  uint64_t token);
/** It was refused after it had been admitted, or its line broke before all
 * of it was there. */
struct psu_dest_answer psu_dest_refuse(struct psu_dest *dest,
									   const struct psu_id *migration,
									   int code);
/** The reservation ran out, by the destination's clock.  Nobody is told; the
 * source asks. */
struct psu_dest_answer psu_dest_expire(struct psu_dest *dest,
									   const struct psu_id *migration);

/* COMMIT, STATUS and CANCEL are answered, FORGET is not. */
struct psu_dest_answer psu_dest_commit(struct psu_dest *dest,
									   const struct psu_dest_request *request);
struct psu_dest_answer psu_dest_status(struct psu_dest *dest,
									   const struct psu_dest_request *request);
struct psu_dest_answer psu_dest_cancel(struct psu_dest *dest,
									   const struct psu_dest_request *request);
struct psu_dest_answer psu_dest_forget(struct psu_dest *dest,
									   const struct psu_dest_request *request);

/** The last session of @peer has ended and everything it sent was read: what
 * only guarded against late messages goes. */
void psu_dest_peer_gone(struct psu_dest *dest, const struct psu_digest *peer);

/** Whether the source of move @migration is known to know that the thread
 * runs here (its record is not RUNNING any more).  A thread that is given
 * away earlier (SENDING_LAST, or PREPARED taken) can be called lost, should
 * this process die, while it runs elsewhere. */
bool psu_dest_acknowledged(struct psu_dest *dest,
						   const struct psu_id *migration);

/** A move whose source is not known to know that; NULL: none.  Looks through
 * all records: for a server that ends. */
const struct psu_id *psu_dest_unacknowledged(const struct psu_dest *dest);

/* ---- the home of one thread: what it knows of the thread's moves */

enum psu_home_state {
	PSU_HOME_HERE = 1, /* it runs here */
	PSU_HOME_LEAVING,  /* it is frozen here: offered, in doubt, lost */
	PSU_HOME_AWAY,	   /* another process is known to have got it */
	PSU_HOME_ENDED	   /* it has ended, here or elsewhere */
};

/** The generation is of the last move that home knows to have succeeded, home's
 * own or one that LOCATION told of.  It falls only when that was not true. */
struct psu_home {
	enum psu_home_state state;
	uint64_t generation;
	uint64_t own; /* of the one by which it last came to be here */
};

/** The thread begins here. */
void psu_home_born(struct psu_home *home);

/** It is about to be offered by home. */
void psu_home_leaves(struct psu_home *home);

/** The offer is about to be whole: from now on, and not before, somebody can
 * have moved on from where home sends it, so that what has been said of later
 * moves is not true. */
void psu_home_offers(struct psu_home *home);

/** Home's own move has come to nothing: it goes on here, so that what has been
 * said of later moves is not true. */
void psu_home_stayed(struct psu_home *home);

/** Home's own move of @generation has succeeded.  Returns whether where it
 * went is the latest that is known: LOCATION of a later move may have
 * overtaken the answer. */
bool psu_home_left(struct psu_home *home, uint64_t generation);

/** Whether a LOCATION of that generation is news.  Of a thread that runs here
 * it is none, nor of a move that home itself has to do with. */
bool psu_home_would_learn(const struct psu_home *home, uint64_t generation);

/** LOCATION: the move of @generation has taken the thread somewhere.  Returns
 * whether that is news; NOTED is the answer in any case.  It does not end
 * home's doubt about its own move. */
bool psu_home_located(struct psu_home *home, uint64_t generation);

/**
 * Whether an OFFER with @generation, of the thread (MOVE) or of its result
 * (END), may be taken; asked when psu_dest_offer() would take it, under the
 * same lock: of one thread it takes one at a time.  0, or
 *   BUSY      home must hear first what became of its own move: try again
 *   REPLAYED  the thread is past that: for the sender of an END, home has it
 */
int psu_home_may_return(const struct psu_home *home, uint64_t generation);

/** The move of @generation, which may return, was started here. */
void psu_home_returned(struct psu_home *home, uint64_t generation);

/** It has ended here, or its END was taken. */
void psu_home_ended(struct psu_home *home);

#endif
