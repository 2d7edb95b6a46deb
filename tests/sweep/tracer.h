/* SPDX-License-Identifier: ISC */
/*
 * tracer.h - count the system calls of a process, and end or stop it at one
 *
 * All its threads count together.  The calls are counted as they are entered:
 * a killed process has not made the last of them.
 */
#ifndef PSU_TRACER_H
#define PSU_TRACER_H

#include <stdbool.h>
#include <sys/types.h>

struct tracer {
	pid_t pid; /* 0: nobody */
	unsigned count;
	unsigned at; /* the call to act at, from 1; 0: none */
	int signal;	 /* SIGKILL or SIGSTOP */
	bool fired;
};

/** Begin with a process that is a child of ours.  False: not permitted. */
bool tracer_begin(struct tracer *tracer, pid_t pid);

/** One of its threads has stopped, as waitpid() tells: let it go on, or act.
 * True: it has acted. */
bool tracer_follow(struct tracer *tracer, pid_t tid, int status);

#endif
