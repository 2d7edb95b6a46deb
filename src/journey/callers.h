/* SPDX-License-Identifier: ISC */
/*
 * callers.h - who asks this process, on which session
 *
 * Strangers, who have shown no good certificate yet, are few, and the oldest
 * makes room for the newest, so that who is silent or slow keeps nobody out.
 * The process's lock is held in all of these.
 */
#ifndef PSU_CALLERS_H
#define PSU_CALLERS_H

#include "journey/process.h"
#include "journey/way.h"

#include <sys/types.h>

struct psu_caller {
	struct psu_caller *next; /* older ones */
	int fd;		 /* of the connection: the session's, once that is begun */
	ino_t inode; /* of its socket: the number @fd may be another file's once the
					session has closed it */
	int drop_fd; /* to drop a stranger by: a duplicate, since the session may
					have closed its own; -1: no stranger */
	char from[80];
	bool known;				   /* it has shown a good certificate */
	bool dropped;			   /* it made room for another, or found none */
	struct psu_digest peer;	   /* whom it has proved to be */
	struct psu_id incarnation; /* and which process; zero: not yet */
	int wake_fd;			   /* readable: its session is wanted; -1: none */
	bool asked;				   /* that has been written */

	/* its own thread's */
	bool wanted; /* somebody here wants to ask on its session */
	bool called; /* and it was sent CALL, and no request since */
};

void psu_callers_list(struct psu_process *process, struct psu_caller *caller);
void psu_callers_unlist(struct psu_process *process, struct psu_caller *caller);

/** The caller's connection is @fd. */
void psu_callers_set_fd(struct psu_caller *caller, int fd);

/** How many are known, or strangers, and not dropped. */
unsigned psu_callers_count(const struct psu_process *process, bool known);

/** Wake the thread of the oldest stranger with a dead socket. */
void psu_callers_drop_oldest_stranger(struct psu_process *process);

/** How many sessions of that host there are. */
unsigned psu_callers_count_of(const struct psu_process *process,
							  const struct psu_digest *peer);

/** It is no stranger any more, or has ended. */
void psu_callers_close_duplicate(struct psu_caller *caller);

/** Call for the session of a caller that @way leads to, and that was not called
 * before; if it turns, it becomes a line.  False: no such caller is here. */
bool psu_callers_call(const struct psu_way *way);

/** Whether one was called before, and may turn yet: it may be busy for long. */
bool psu_callers_were_called(const struct psu_way *way);

/** Whether there is a session on which that process asks. */
bool psu_callers_know(const struct psu_place *place);

/** In a forked child: close the descriptors. */
void psu_callers_forked(void);

#endif
