/* SPDX-License-Identifier: ISC */
/*
 * traveller.h - a migratable thread, as one process sees it
 *
 * A pthread on the home zone of a slot.  It either begins the user's function
 * (birth) or waits parked until an image is restored into its slot (arrival).
 * When the thread leaves, the pthread of its birth stays as a husk, since the
 * slot and its TCB must be there when the thread comes home; at other hosts
 * it ends.
 *
 *                  birth → RUNNING → ENDED
 *                           ▲│▲
 *     arrival → PARKED ─────┘│└──── the move failed
 *                  ▲         ▼
 *                  │      LEAVING, then perhaps IN_DOUBT, then perhaps LOST
 *                  │         │
 *                  └──────── AWAY (a husk, if born here), at last perhaps
 *                            LOST
 *
 * In doubt and lost it is frozen where psu_thread_migrate() was called, on its
 * home stack, with all that it has.
 *
 * The end of a thread that ended elsewhere arrives too: the husk takes its last
 * thread-locals over, and ends in its place, by itself, at home.
 */
#ifndef PSU_TRAVELLER_H
#define PSU_TRAVELLER_H

#include "handover/handover.h"
#include "image/image.h"
#include "seal/itinerary.h"
#include "slot/slot.h"
#include "state/state.h"
#include "trust/place.h"

#include <pthread.h>
#include <stdbool.h>

enum psu_stage {
	PSU_STAGE_PARKED = 1, /* arriving: restored, or about to be */
	PSU_STAGE_RUNNING,
	PSU_STAGE_LEAVING,	/* nothing is given away yet */
	PSU_STAGE_IN_DOUBT, /* leaving; the destination may or may not have it */
	PSU_STAGE_AWAY,
	PSU_STAGE_LOST, /* with who had it; frozen, unless given up */
	PSU_STAGE_ENDED
};

enum psu_order {
	PSU_ORDER_NONE = 0,
	PSU_ORDER_RESTORE, /* take the image's state over */
	PSU_ORDER_GO,	   /* resume */
	PSU_ORDER_QUIT	   /* forget it: end, or be a husk again */
};

/** An image to take over.  It belongs to who orders that, since the thread may
 * have run, ended and been freed before that one is awake. */
struct psu_restoration {
	const struct psu_image *image;
	void (*restored)(void *); /* to call then, with its argument */
	void *argument;
	pthread_cond_t done;
	int code; /* how that went; 1: not done yet */
};

/** What a thread is born with. */
struct psu_birth {
	void *(*fn)(void *);
	void *arg;
	uint64_t slot_len;				/* a valid one; 0: the usual */
	uint32_t stack_len;				/* rounded up to pages; 0: the usual */
	char name[PSU_THREAD_NAME_LEN]; /* "": its maker's */
	int64_t limit_ms;				/* from now; 0: none */
	bool joinable;					/* its result may be wanted */
};

struct psu_traveller {
	struct psu_traveller *next; /* of the process's list */
	struct psu_id id;
	struct psu_itinerary itinerary;
	struct psu_slot slot;
	struct psu_heap *heap; /* in the slot; NULL: it has none yet, or is away */
	uint32_t heap_kept[2]; /* a husk: pages that are left of it; zeros: none */
	uint32_t slot_number;  /* locked in the zone, if born here */
	bool born_here;
	pthread_t pthread;
	pid_t tid;				/* its kernel thread */
	struct psu_birth birth; /* of no use in a guest */

	/* the user's while the library works, or until the thread is resumed */
	struct psu_registers registers;
	int saved_errno;
	uint64_t signal_mask;
	int cancel_state;
	const char *target;				  /* of the migrate call under way */
	struct psu_thread_report *report; /* of the check under way; NULL: none is
										 wanted */
	uint64_t cleanup_base;	/* of the pthread_cleanup_push chain: ours */
	bool left;				/* the user's code is gone from the stack */
	bool in_hook;			/* of psu_thread_set_hooks() */
	struct psu_exits exits; /* of its thread-locals: exits.h */
	uint8_t *last_locals;	/* a guest that has ended: its thread-locals, to be
							   sent home; NULL: no memory for them */
	bool ended_away;		/* a husk that ends with @result, in the place of
							   the thread */
	uint64_t result;		/* also of one that has returned here */

	/* guarded by the process's lock; what changes only while the thread is
	 * parked, it reads itself without */
	enum psu_stage stage;
	bool compared;			/* a husk: its kept heap is being looked at */
	pthread_cond_t handoff; /* an order was given, or carried out */
	enum psu_order order;
	struct psu_restoration *restoration; /* what RESTORE is about */
	struct psu_place home;				 /* where it was born */
	bool joinable;						 /* its result may be wanted there */
	uint64_t generation;				 /* moves committed so far */
	char from[PSU_NAME_LEN];			 /* the host that it has come from */
	struct psu_id arrived_by; /* the move that brought it; zero: none */
	int64_t since_ms;		  /* in it, or lost; CLOCK_MONOTONIC */
	int64_t overdue_at;		  /* ditto; PSU_NEVER: it has no time limit */
	struct psu_home known;	  /* born here: how far it is known to be */
	struct psu_made_move latest_move; /* ditto, not here: the latest known */
	struct psu_place where;		  /* it is, may be or ended; no name: here */
	bool host_died;				  /* AWAY: and is lost with @where */
	int64_t silent_since_ms;	  /* AWAY: @where cannot be asked; 0: it can */
	char bound_for[PSU_NAME_LEN]; /* LEAVING: the host, as it was written */
	char name[PSU_THREAD_NAME_LEN]; /* that it had when it came to be here */
	int decision;	/* about this move, once frozen: 0, or one of
					   enum psu_thread_decision */
	bool given_up;	/* LOST, and not frozen any more */
	bool unclaimed; /* came in through an opening; nobody waits for it yet */
	bool is_guest;	/* psu_thread_serve()'s, whom nobody waits for either */
	bool reaped;	/* nobody waits for it any more: reaper.h */
	bool awaited;	/* by psu_thread_join() */
};

/**
 * Start a new thread of this host's zone.  It stays in the process's list
 * until psu_traveller_dispose().
 */
PSU_MUST_CHECK int psu_traveller_birth(const struct psu_birth *birth,
									   struct psu_traveller **thread_out);

/**
 * Make a parked thread in @slot, which is mapped and holds the image's stack
 * already.  Takes the slot over when it succeeds.
 */
PSU_MUST_CHECK int psu_traveller_admit(const struct psu_id *id,
									   struct psu_slot *slot,
									   struct psu_traveller **thread_out);

/** The thread of this process that owns the slot, or NULL.  Lock held. */
struct psu_traveller *psu_traveller_find(uint64_t slot_addr);
/** This process's own thread, wherever it is; NULL: none has that id.  Lock
 * held. */
struct psu_traveller *psu_traveller_find_own(const struct psu_id *id);

/** Let it be in @stage from now on.  Lock held. */
void psu_traveller_enter(struct psu_traveller *thread, enum psu_stage stage);

/** What its stage is called: "running". */
const char *psu_traveller_stage(const struct psu_traveller *thread);

/** The name of the host where it is, may be, was lost or ended.  Lock held. */
const char *psu_traveller_host(const struct psu_traveller *thread);

/** Let a husk, which is AWAY, be what an arrival restores into.  Lock held. */
void psu_traveller_recall(struct psu_traveller *husk);

/** Start routine of every thread's pthread; @argument is its traveller. */
void *psu_traveller_main(void *argument);

/** Whether the calling thread, @self, is past the end of the user's function,
 * as its @frame on the home stack tells. */
bool psu_traveller_has_ended(const struct psu_traveller *self,
							 const void *frame);

/** The calling thread, @self, works on its travelling stack from now on, or
 * on its home stack: for sanitizers, who do not see the switch. */
void psu_traveller_works_travelling(const struct psu_traveller *self);
void psu_traveller_works_at_home(const struct psu_traveller *self);

/** Let a parked thread take over an image and then call restored(argument), on
 * its home stack; waits until it has.  If it fails, it does not call.
 * @restoration  what to do; done and code are this function's own */
PSU_MUST_CHECK int psu_traveller_restore(struct psu_traveller *thread,
										 struct psu_restoration *restoration);
/** Let a restored thread go on, or a husk end with what it has taken over, of
 * a thread that ended at @host.  Lock held.  Cannot fail.
 * @statement  of the move that brought it */
void psu_traveller_go(struct psu_traveller *thread,
					  const struct psu_statement *statement, const char *host);
/** Undo an admission, or let a husk be one again.  Frees the former. */
void psu_traveller_withdraw(struct psu_traveller *thread);

/** The calling thread is about to leave for @host, as its user wrote it. */
void psu_traveller_set_out(struct psu_traveller *self, const char *host);
/** The calling thread is frozen here, IN_DOUBT or LOST: the destination may
 * have it or not, or has died with it.  It may be known to be farther already,
 * and is still in doubt until the destination's own answer. */
void psu_traveller_suspend(struct psu_traveller *self, enum psu_stage stage,
						   const struct psu_place *destination);
/** Wait for psu_thread_resolve()'s decision about the calling thread, which is
 * frozen.  0: @deadline has passed. */
int psu_traveller_await_decision(struct psu_traveller *self, int64_t deadline);
/** The calling thread has not been taken over, whatever came of the move: it
 * goes on. */
void psu_traveller_stay(struct psu_traveller *self);

/** The calling thread has been taken over by the destination (AWAY), or
 * was lost with it and is given up (LOST): drop all it has on this host and
 * become a husk, or end.  On the home stack of the thread; does not return. */
void psu_traveller_let_go(struct psu_traveller *self, enum psu_stage stage,
						  const struct psu_place *destination)
	__attribute__((noreturn));

/**
 * Wait until a thread has ended, or is lost; or, if @leaving is of interest,
 * has left.  Lock held.
 *
 * Returns 0 (ENDED, or AWAY), LOST_WITH_PEER, IN_DOUBT (since
 * PSU_IN_DOUBT_MS, as this call has seen it), OVERDUE (once); the code only.
 */
PSU_MUST_CHECK int psu_traveller_await(struct psu_traveller *thread,
									   bool leaving);

/** The thread of a husk, which is AWAY, is lost, and nobody asks for it any
 * more: let the husk end.  Lock held. */
void psu_traveller_give_up(struct psu_traveller *husk);

/** Wait until the source of the move that brought a thread here knows that it
 * did; no wait for a zero id, of a thread that no move has brought.  Lock held.
 * False: @deadline (psu_clock_deadline()) has passed. */
bool psu_traveller_await_known(const struct psu_id *migration,
							   int64_t deadline);

/**
 * Wait for the pthread of a thread that has ended, or has left a host that is
 * not its home, and free all it had here.  Returns what it returned.
 */
void *psu_traveller_dispose(struct psu_traveller *thread);

#endif
