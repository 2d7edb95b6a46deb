/* SPDX-License-Identifier: ISC */
/*
 * story.h - what happened in one case of a sweep, and whether it may
 *
 * In: the file to which both processes and the driver append lines, which is
 * the order in which things happened.  Out: a complaint, or a known outcome.
 *
 *     start PID WHO                 client, server or second
 *     ready PID                     the process is set up
 *     thread PID NUMBER WHAT STEP RC
 *                                   the thread, in that process: begins,
 *                                   leaves, goes-on (RC of the move), beats,
 *                                   ends
 *     log PID CODE                  the library logged that error
 *     left PID                      that process knows that the thread runs
 *                                   elsewhere
 *     done PID RC                   psu_thread_create() returned
 *     joined PID RC RIGHT           psu_thread_join() returned; RIGHT: 1 if
 *                                   with the thread's result
 *     fired PID                     the fault has been set; PID is whom it
 *                                   hit, 0: a line
 *     persists 0                    it will not be mended
 *     kill PID                      the fault is that the process is killed
 *     settled 0                     all is known that will be
 */
#ifndef PSU_STORY_H
#define PSU_STORY_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#define STORY_CREW_MAX 3

struct story_process {
	pid_t pid;
	char who[8];
	bool ready, killed, left, done, in_doubt;
};

struct story {
	FILE *file;
	struct story_process crew[STORY_CREW_MAX];
	int crew_count;
	bool fired, persists;

	/* the thread */
	unsigned number; /* of its last line */
	pid_t at;		 /* who wrote that */
	char what[16];	 /* it said */
	bool ended, lost;
	char complaint[160]; /* the first; empty: all is well */
	char outcome[64];
};

/** Follow the file from its beginning; story_close().  False: no such file. */
bool story_open(struct story *story, const char *path);
void story_close(struct story *story);

/** Read the lines that are new. */
void story_read(struct story *story);

/** The process of that name or id; NULL if there is none. */
struct story_process *story_by_name(struct story *story, const char *who);
struct story_process *story_by_pid(struct story *story, pid_t pid);

/** Whether the thread has ended, is known to be lost, died with its process,
 * or is in doubt for good. */
bool story_thread_is_settled(struct story *story);

/** Whether who started it was told what became of it, as far as anybody can
 * tell. */
bool story_is_told(struct story *story);

/** Nothing more is waited for: say how it ended; with a complaint if that is
 * not one of the known outcomes, or is not true. */
void story_settle(struct story *story);

/** What comes to light otherwise. */
void story_complain(struct story *story, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
