/* SPDX-License-Identifier: ISC */
/*
 * process.h - the one state of the library in a process
 *
 * Made by psu_thread_setup_init(), never unmade.  What changes afterwards is
 * guarded by the one lock, and every change that somebody may wait for is
 * announced, by a key that tells what it is about.
 */
#ifndef PSU_PROCESS_H
#define PSU_PROCESS_H

#include "handover/handover.h"
#include "net/limits.h"
#include "net/session.h"
#include "runtime/runtime.h"
#include "start/manifest.h"
#include "trust/place.h"

#include <pthread.h>
#include <semaphore.h>

struct psu_traveller;
struct psu_arrival;
struct psu_caller;
struct psu_line;
struct psu_keeper;
struct psu_line_waiter;

struct psu_process {
	/* constant after setup */
	int mode; /* PSU_THREAD_CLIENT or _SERVER */
	struct psu_trust *trust;
	struct psu_tls *tls;
	struct psu_runtime *runtime;
	struct psu_manifest manifest;
	struct psu_id incarnation;
	struct psu_place place; /* as others are told of it */
	struct psu_session_context context;
	uint64_t slot_len; /* of threads that ask for none */
	bool strict;	   /* moves are refused that leave something behind */
	int listen_fd;	   /* -1 in a client */
	sem_t stop_asked;  /* by psu_thread_stop() */

	/* guarded by the lock */
	struct psu_dest dest;				  /* moves that came here */
	struct psu_traveller *threads;		  /* on this host, or born here */
	unsigned foreign_count;				  /* of them, born elsewhere */
	struct psu_caller *callers;			  /* connections to the server */
	struct psu_arrival *arrivals;		  /* threads that are coming in */
	unsigned openings_count;			  /* threads that may still come in */
	struct psu_line *lines;				  /* sessions on which we ask */
	struct psu_line_waiter *line_waiters; /* the longest waiting first */
	int watch_fd;						  /* of idle lines; -1: none yet */
	struct psu_keeper *keepers;			  /* that dial where threads are */
	bool serving;						  /* any number of threads may */
	bool draining;						  /* none may any more */
	unsigned guests_count;				  /* taken in while serving */
};

/** The process's state, or NULL before setup has succeeded. */
struct psu_process *psu_process_get(void);

/**
 * Prepare everything; see psu_thread_setup_init().  All that is got is kept
 * until the process ends, or given back if this fails.
 */
PSU_MUST_CHECK int psu_process_init(int mode, const char *cert_path);

/** 0, NOT_SET_UP or FORKED: for every public call. */
PSU_MUST_CHECK int psu_process_check(void);

void psu_process_lock(void);
void psu_process_unlock(void);

/*
 * What a wait is about: a thread (the address of its slot), a move (its
 * migration id) or a process (its incarnation), or a variable that the lock
 * guards (its address).
 */
uint64_t psu_process_about_move(const struct psu_id *migration);
uint64_t psu_process_about(const void *field);
/** Tell all who wait for it that something has changed.  Lock held. */
void psu_process_announce(uint64_t about);
/** Wait for an announcement; it may have been about something else.  Lock
 * held.  False: @deadline (psu_clock_deadline()) has passed. */
bool psu_process_wait(uint64_t about, int64_t deadline);

/** Make a condition of the caller's own, to wait on instead. */
void psu_process_init_condition(pthread_cond_t *condition_out);
/** Wait on it.  Lock held.  False: @deadline has passed. */
bool psu_process_wait_for(pthread_cond_t *condition, int64_t deadline);

/** Start a thread of the library's own, which takes no signals, and let it
 * go.  0, PSU_THREAD_E_NO_MEMORY or PSU_THREAD_E_SYSTEM. */
PSU_MUST_CHECK int psu_process_spawn(void *(*fn)(void *), void *arg);

/** Say that pthread_create() failed with @error; returns the code. */
int psu_process_no_thread(int error);

/* ---- the server (serve.c) */

/** Open the socket that callers come to.  They wait until they are accepted. */
PSU_MUST_CHECK int psu_serve_listen(struct psu_process *process);

/** Begin to accept callers: the last act of setup, since they are served at
 * once.  0, PSU_THREAD_E_NO_MEMORY or PSU_THREAD_E_SYSTEM. */
PSU_MUST_CHECK int psu_serve_accept(struct psu_process *process);

/** Follow the peer's requests on a session that we have dialled and that has
 * turned, until it ends; closes it. */
void psu_serve_turned(struct psu_session *session);

#endif
