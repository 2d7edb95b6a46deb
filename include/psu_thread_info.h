/* SPDX-License-Identifier: ISC */
/*
 * psu_thread_info.h - what threads are about, and how long one waits for them
 *
 * The part of psu_thread.h, which includes it, that a program needs to see and
 * to decide what becomes of its threads.
 */
#ifndef PSU_THREAD_INFO_H
#define PSU_THREAD_INFO_H

#include <psu_thread.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * This host's name, as its certificate has it.  Valid in this process only:
 * copy it if the thread is to take it along.  NULL before setup, and in a
 * forked child.
 */
PSU_THREAD_EXPORT const char *psu_thread_host(void);

/**
 * The name of the host where the calling thread was started.  Valid until it
 * moves.  NULL if the caller is not a migratable thread.
 */
PSU_THREAD_EXPORT const char *psu_thread_home(void);

/** What a thread is known by, from its start to its end, on every host. */
struct psu_thread_id {
	unsigned char bytes[16]; /* random */
};

/* in C++ a function hides the constructor of a struct of its name */
#ifdef __cplusplus
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif

/** The id of the calling thread.  Returns 0, OUTSIDE_THREAD, NOT_SET_UP or
 * FORKED. */
PSU_THREAD_EXPORT PSU_THREAD_MUST_CHECK int
psu_thread_id(struct psu_thread_id *id_out);

#ifdef __cplusplus
#pragma GCC diagnostic pop
#endif

/** One move of a thread. */
struct psu_thread_hop {
	unsigned long long generation;	/* its number, from 1; 0: unreadable */
	long long time_ms;				/* since 1970, by the clock of from */
	char from[PSU_THREAD_HOST_LEN]; /* names of hosts; of one that the peers */
	char to[PSU_THREAD_HOST_LEN];	/* file does not list, 64 hex digits */
};

/**
 * Tell how often the calling thread has moved, and where it has been.  The
 * newest move was verified when the thread arrived; the older ones are the
 * word of the hosts that it came from.
 *
 * @newest_out  room for @capacity of them, the newest first; may be NULL if
 *              that is 0; a thread knows its newest 16 moves
 *
 * Returns the number of its moves, also where they do not all fit, or a
 * negative PSU_THREAD_E_*: OUTSIDE_THREAD, INVALID_ARGUMENT, NOT_SET_UP,
 * FORKED.  Filled are as many as the thread has made, as there is room for,
 * and as it knows.
 */
PSU_THREAD_EXPORT PSU_THREAD_MUST_CHECK long
psu_thread_hops(struct psu_thread_hop *newest_out, size_t capacity);

/** What a thread is about, as one process sees it. */
enum psu_thread_state {
	PSU_THREAD_STATE_RUNNING = 1,
	PSU_THREAD_STATE_ARRIVING, /* here, parked: the source may take it back */
	PSU_THREAD_STATE_LEAVING,  /* here, stopped */
	PSU_THREAD_STATE_AWAY,	   /* started here, and elsewhere now */
	PSU_THREAD_STATE_IN_DOUBT, /* a host may have it, and does not say; frozen
								  here, if its handover broke */
	PSU_THREAD_STATE_LOST,	   /* with the host that had it; frozen here, if
								  that had not said that it had it */
	PSU_THREAD_STATE_ENDED	   /* and was not joined yet */
};

struct psu_thread_info {
	struct psu_thread_id id;
	char name[16]; /* that it was started with, or has come here with */
	char home[PSU_THREAD_HOST_LEN];
	char host[PSU_THREAD_HOST_LEN]; /* where it is, may be, was lost, or ended;
									   LEAVING: what psu_thread_migrate got */
	enum psu_thread_state state;
	unsigned long hops;		/* moves, but for one under way */
	unsigned long since_ms; /* for how long it has been in this state */
};

/**
 * List the threads that are here or were started here, in no order.
 *
 * @list_out  room for @capacity of them; may be NULL if that is 0
 *
 * Returns how many there are, also where they do not all fit, or a negative
 * PSU_THREAD_E_*: INVALID_ARGUMENT, NOT_SET_UP, FORKED.
 */
PSU_THREAD_EXPORT PSU_THREAD_MUST_CHECK int
psu_thread_list(struct psu_thread_info *list_out, size_t capacity);

/** What is to become of a thread that is frozen here. */
enum psu_thread_decision {
	/** It does not run anywhere else and never will: it goes on here.
	 * psu_thread_migrate returns IN_DOUBT or LOST_WITH_PEER. */
	PSU_THREAD_GO_ON = 1,
	/** It runs where it was going, or is to be no more: what is here of it is
	 * dropped.  If it was frozen in doubt, psu_thread_join goes on waiting for
	 * its end there; if its host has it and is silent, it is LOST. */
	PSU_THREAD_GIVE_UP
};

/**
 * The operator's word about a thread of this process that is IN_DOUBT or LOST:
 * frozen here, or (only GIVE_UP) with a host that is silent.  The library
 * cannot check it: with GO_ON about a thread that does run at the destination
 * there are two of it.  What the destination has said by then is believed
 * instead.
 *
 * Returns 0: the thread goes on, or is dropped, at once, or, while a question
 * to its destination is under way, when that is answered or has waited long
 * enough.  Or a negative PSU_THREAD_E_*: THREAD_UNKNOWN (nothing is to decide
 * about one of that id), INVALID_ARGUMENT, NOT_SET_UP, FORKED.
 */
PSU_THREAD_EXPORT PSU_THREAD_MUST_CHECK int
psu_thread_resolve(const struct psu_thread_id *id,
				   enum psu_thread_decision decision);

/*
 * Every wait of the library: name, number, its deadline unless the program
 * sets another (milliseconds), and what is given up then.
 */
#define PSU_THREAD_WAITS(X)                                                    \
	X(RESOLVE, 1, 2000, "a name server's answer; it is asked twice")           \
	X(CONNECT, 2, 5000, "a host's answer to a connect, all its addresses")     \
	X(HANDSHAKE, 3, 5000, "a TLS handshake")                                   \
	X(FIRST_REQUEST, 4, 5000, "a new session's hello, and its first request")  \
	X(REFUSED, 5, 1000, "a refused caller's closing of its session")           \
	X(MESSAGE, 6, 5000, "the rest of a message that has begun")                \
	X(BODY, 7, 5000, "a thread's body, beside a second for each 64 KiB")       \
	X(IDLE, 8, 300000, "the next request on a session")                        \
	X(ANSWER, 9, 10000, "the destination's answer to a departing thread")      \
	X(RESERVATION, 10, 10000, "the COMMIT for an arrived thread")              \
	X(OPENING, 11, 5000, "a call of this server's that takes a thread in")     \
	X(ACKNOWLEDGE, 12, 2000, "word that the last move is known, on leaving")   \
	X(LINGER, 13, 5000,                                                        \
	  "the same, of a server, or a join, that has nothing else to do")         \
	X(DOUBT, 14, 60000, "word of a thread, in psu_thread_create and _join")    \
	X(LOST_KEPT, 15, 3600000, "psu_thread_resolve for a thread that is lost")  \
	X(LINE, 16, 10000, "one of a host's sessions, where all are in use")

#define PSU_THREAD_WAIT_ENUM_(name, number, ms, sentence)                      \
	PSU_THREAD_WAIT_##name = (number),
enum psu_thread_wait { PSU_THREAD_WAITS(PSU_THREAD_WAIT_ENUM_) };

/** The longest deadline that can be set: a day, in milliseconds. */
#define PSU_THREAD_DEADLINE_MAX_MS 86400000u

/**
 * Set how long this process waits.  Holds for waits that begin afterwards; may
 * be called at any time, also before psu_thread_setup_init().  (RESOLVE counts
 * in whole seconds.)  Peers need not have the same.
 *
 * @ms  1 to PSU_THREAD_DEADLINE_MAX_MS
 *
 * Returns 0 or PSU_THREAD_E_INVALID_ARGUMENT.
 */
PSU_THREAD_EXPORT PSU_THREAD_MUST_CHECK int
psu_thread_set_deadline(enum psu_thread_wait wait, unsigned ms);

#ifdef __cplusplus
}
#endif

#endif
