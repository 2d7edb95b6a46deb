/* SPDX-License-Identifier: ISC */
/*
 * line.h - sessions on which this process asks
 *
 * A line carries one request at a time and has one owner at a time; several
 * moves at once to one peer take several lines, so that a large body delays
 * nobody's COMMIT.  Between requests a line is idle and is kept for the next
 * one.
 *
 * At first the side that dialled asks.  A process that wants to ask a thread's
 * home takes a session that home has opened, if one is to be had: it sends CALL
 * when that is idle, hears TURN, and from then on the session is a line of its
 * own.  So a home can be asked that listens nowhere; others are dialled else.
 *
 *     line_open.c    dial, for a way
 *     line_watch.c   notice on an idle line that the peer calls, or closes
 */
#ifndef PSU_LINE_H
#define PSU_LINE_H

#include "journey/way.h"
#include "net/session.h"

/** What is no error in itself, and for the caller to put into words: the
 * process that is asked for has died, as its own host says. */
#define PSU_LINE_DEAD 1

/**
 * Get a line: an idle one, else a caller's session that turns, else a new
 * session, else wait until somebody puts one back.
 *
 * @session_out  the caller's own until psu_line_put()
 *
 * Returns 0, PSU_LINE_DEAD, NO_MEMORY, BUSY (all lines are in use and none
 * comes back in time), HOME_UNREACHABLE (no line to the process that is asked
 * for), WRONG_ADDRESSEE (another host answers), or what psu_session_dial()
 * returns.
 */
PSU_MUST_CHECK int psu_line_take(const struct psu_way *way,
								 struct psu_session **session_out);

/** Give a line back: for whoever waits for one, or idle; a broken one is
 * closed.  NULL does nothing. */
void psu_line_put(struct psu_session *session);

/** A session of that process's own has begun, or has ended: whoever waits for
 * a line to it is to look again.  Lock held. */
void psu_line_look_again(const struct psu_id *incarnation);

/** Make an idle session a line.  @name  as in a way; "" if it was turned */
void psu_line_adopt(const char *name, struct psu_session *session);

/**
 * Ask the host at the other end after one of its processes.
 *
 * @dead_out  whether it is known to have died
 *
 * Returns 0, or what broke the session.
 */
PSU_MUST_CHECK int psu_line_ask_after(struct psu_session *session,
									  const struct psu_id *incarnation,
									  bool *dead_out);

/** Whether there is a line to that process, idle or not.  Lock held. */
bool psu_line_exists(const struct psu_place *place);

/** Say goodbye on all idle lines: at exit. */
void psu_line_close_idle(void);

/** In a forked child: close the descriptors. */
void psu_line_forked(void);

/* ---- between the files of this part */

struct psu_line {
	struct psu_line *next;		  /* of the process's list */
	struct psu_session *session;  /* NULL: is being opened */
	char name[PSU_PEER_NAME_LEN]; /* of the way that it was opened for */
	bool idle;
	bool watched; /* the watch knows its descriptor */
};

/** Open a session for @way (line_open.c).  Its owner is the caller.  Returns
 * what psu_line_take() does, but for the table's BUSY and NO_MEMORY. */
PSU_MUST_CHECK int psu_line_open(const struct psu_way *way,
								 struct psu_session **session_out);

/** Whether it may be kept, though there are idle ones enough: it is all that
 * connects us with a thread of ours (line_watch.c).  Lock held. */
bool psu_line_may_idle(const struct psu_line *line);

/** Look after an idle line, or do not any more (line_watch.c).  Lock held. */
void psu_line_watch(struct psu_line *line);
void psu_line_unwatch(struct psu_line *line);

/** The idle line with this descriptor is the caller's now.  NULL: there is
 * none, or nothing has come on it.  Lock held. */
struct psu_session *psu_line_seize(int fd);
/** A session in use is no line any more: the peer asks on it.  Lock held. */
void psu_line_disown(const struct psu_session *session);

#endif
