/* SPDX-License-Identifier: ISC */
/*
 * crew.h - the processes of one case
 */
#ifndef PSU_CREW_H
#define PSU_CREW_H

#include <stdbool.h>
#include <sys/types.h>

struct crew_member {
	const char *who; /* NULL: not started */
	pid_t pid;
	int input_fd;	  /* its standard input: a line begins, the end ends it */
	unsigned port;	  /* that it listens on, 0: none */
	unsigned sockets; /* that it has when nothing is going on in it */
	bool gone;
};

struct crew_order {
	const char *who;
	const char *events; /* path; its other files have names behind that */
	const char *listen; /* PSU_THREAD_LISTEN */
	int ns_fd;			/* its network namespace, -1: ours */
	const char *const *argv;
};

/** False: it could not be started. */
bool crew_start(struct crew_member *member, const struct crew_order *order);

/** It has said that it is ready: read its port, count its sockets. */
void crew_is_ready(struct crew_member *member, const char *events);

/** Let it begin; let it end. */
void crew_begin(struct crew_member *member);
void crew_end_input(struct crew_member *member);

/** Whether it has no session left, in which a thread could still arrive. */
bool crew_is_at_rest(const struct crew_member *member);

/** End it if it runs still. */
void crew_kill(struct crew_member *member);

#endif
