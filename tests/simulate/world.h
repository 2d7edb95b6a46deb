/* SPDX-License-Identifier: ISC */
/*
 * world.h - a few hosts, a thread that moves between them, and no mercy
 *
 * The world drives the shipped machines of src/handover/ as the journey does,
 * over lines of its own that lose, delay and break, between processes that
 * die and are born.  Whoever steers it (simulate.c) picks what happens next;
 * the world checks the promises of tests/model/handover.pml at every step.
 */
#ifndef WORLD_H
#define WORLD_H

#include "handover/handover.h"

#include <stdbool.h>
#include <stdint.h>

#define HOSTS 3	 /* at most, at least two */
#define PROCS 15 /* p % HOSTS is the host of process p */
#define LINES 96
#define QUEUE 48
#define MOVES 12	/* of the thread */
#define ATTEMPTS 24 /* to deliver its END: moves too, after the others */
#define NOBODY (-1)
#define HOME 0 /* the process in which the thread begins */

enum message_type {
	OFFER, /* the statement */
	LAST,  /* the end of its body */
	COMMIT,
	STATUS,
	CANCEL,
	FORGET,
	LOCATION, /* up to here requests */
	PREPARED,
	RUNNING,
	ABORTED,
	UNKNOWN,
	DEAD,
	NOTED,
	MESSAGE_TYPES
};

struct message {
	enum message_type type;
	int move; /* NOBODY: it is about mail */
	struct psu_id incarnation;
	uint64_t token;
	int code;
	uint64_t generation; /* LOCATION, NOTED */
	int where;			 /* LOCATION */
};

struct queue {
	int first, count;
	struct message items[QUEUE];
};

/** A session.  What was sent before it broke may still be read. */
struct line {
	int end[2];		/* who dialled, who was dialled: of two hosts */
	bool slow;		/* read seldom */
	bool broken;	/* nothing gets onto it any more */
	bool closed[2]; /* that end knows, and reads no more */
	struct queue to[2];
};

/** What a process has to tell the thread's home. */
struct mail {
	bool end;			 /* the thread's result; no LOCATION then */
	uint64_t generation; /* END's; of LOCATION, 0: there is none */
	int where;
};

struct process {
	bool alive;
	bool runs;		/* a copy of the thread runs here */
	int brought_by; /* the move that last started it here */
	struct psu_dest *dest;
	int fillers; /* moves that crowd its table */
	struct mail mail;
	bool restored[MOVES + ATTEMPTS];  /* the slot holds it, parked */
	bool receiving[MOVES + ATTEMPTS]; /* LAST is yet to be read */
	int arrival[MOVES + ATTEMPTS];	  /* the line of its OFFER */
};

/** A move; or an attempt to deliver an END, about which nobody asks. */
struct move {
	struct psu_source source; /* of an attempt only incarnation, one_flight */
	bool is_end;
	uint64_t generation;
	int from;  /* its source process */
	bool gone; /* which has died */
	int to_host;
	int line;		 /* the source's, or NOBODY */
	int offer_line;	 /* the one its OFFER went to */
	bool wants_line; /* told to DIAL */
	bool last_sent;
	bool redialled; /* a line was opened while in doubt */
	int by;			/* who went on after this call of migrate */
	unsigned sent;	/* requests sent, a set of 1 << type */
};

struct counts {
	uint64_t committed[2]; /* [one flight] */
	uint64_t aborted[2];
	uint64_t by_commit, by_cancel, by_death;
	uint64_t expired, repeated, replayed, busy, unknown, undecided, crashes;
	uint64_t returned, located, overtaken, delivered, had, undelivered;
};

struct world {
	uint64_t random;
	bool verbose;
	bool wild;	  /* offers are bound to no session: they come again on any */
	bool replays; /* a source sends its offer again on the same session */
	bool crowded; /* tables are nearly full of a peer's other moves */
	bool hasty;	  /* threads leave unacknowledged: lost may mean elsewhere */
	const char *violation; /* the promise that was broken, or NULL */
	int hosts;
	struct process procs[PROCS];
	int listens[HOSTS]; /* who has the host's port, or NOBODY */
	int born[HOSTS];
	struct line lines[LINES];
	int line_count, line_limit;
	struct move moves[MOVES + ATTEMPTS];
	int move_count;
	int place; /* the process the thread is in, or died in */
	uint64_t generation, token;
	bool ended, lost;
	struct psu_home home; /* what HOME knows; and where that move went */
	int known_place;
	int places[MOVES + 1];	/* in truth, by generation */
	uint64_t known_highest; /* that HOME ever knew */
	int results;			/* taken by HOME */
	struct counts counts;
};

/** A fresh world from a seed; @world's tables and counts are kept. */
void world_begin(struct world *world, uint64_t seed);
/** 0 to @below - 1. */
int world_random(struct world *world, int below);
void world_trace(const struct world *world, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void world_check(struct world *world);

/** One whole life of a world, from a seed (schedule.c). */
void world_run(struct world *world, uint64_t seed);

/* What can happen.  Each does nothing where it cannot happen. */
void world_spawn(struct world *world, int host);
void world_crash(struct world *world, int proc);
/** Open a session from @proc to whoever listens at @host, another one. */
void world_dial(struct world *world, int proc, int host);
void world_break(struct world *world, int line);
/** That end notices that the line broke. */
void world_notice(struct world *world, int line, int end);
/** That end reads the next message. */
void world_deliver(struct world *world, int line, int end);
void world_depart(struct world *world, int proc, bool one_flight);
void world_send_last(struct world *world, int move);
void world_time_out(struct world *world, int move);
void world_expire(struct world *world, int proc, int move);
/** Send once more what was sent once, over @line. */
void world_repeat(struct world *world, int move, int line);
void world_end_thread(struct world *world);
/** Try to deliver the mail of @proc, over @line. */
void world_post(struct world *world, int proc, int line);

/** Whether the move needs no more steps, or its source is dead. */
bool world_is_over(const struct move *move);

/* dest_side.c: requests at a destination. */
void world_serve(struct world *world, int proc, int line,
				 const struct message *message);
void world_arrival_lost(struct world *world, int proc, int line);
void world_peer_gone(struct world *world, int proc, int host);
void world_crowd(struct world *world, int proc);
void world_thin_out(struct world *world, int proc);

/* home_side.c: mail, and what HOME makes of it. */
/** @proc has a LOCATION: by that move the thread came to @where. */
void world_write(struct world *world, int proc, uint64_t generation, int where);
void world_mail_answer(struct world *world, int proc,
					   const struct message *message);
void world_home_heard(struct world *world, const struct move *move);
void world_home_located(struct world *world, const struct message *message);
/** The thread, or its result, was started at HOME. */
void world_home_returned(struct world *world, const struct move *move);
void world_check_home(struct world *world);
bool world_has_mail(const struct world *world, int proc);

/* source_side.c: answers at a source. */
void world_request(struct world *world, int move, enum message_type type,
				   int line);
int world_pick_line(struct world *world, int proc);
void world_answer(struct world *world, int proc, const struct message *message);
void world_feed(struct world *world, int move,
				const struct psu_source_event *event);

/* world.c, for both sides. */
void world_violate(struct world *world, const char *promise);
void world_start(struct world *world, int proc, int move);
void world_send(struct world *world, int line, int from,
				const struct message *message);
/** Any host that @proc is not of. */
int world_other_host(struct world *world, int proc);
/** Who is at the other end of a line of @proc. */
int world_other(const struct world *world, int line, int proc);
/** Its source lives and has the thread frozen: offered, in doubt or lost. */
bool world_is_held(const struct move *move);
bool world_is_busy(const struct world *world, int proc);
struct psu_id world_incarnation(int proc);
struct psu_id world_migration(int move);
int world_process(const struct psu_id *incarnation);
const char *world_name(enum message_type type);

#endif
