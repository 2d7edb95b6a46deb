/* SPDX-License-Identifier: ISC
 *
 * handover.pml - the handover of one thread, for the model checker Spin
 *
 * In: flags (-D...), listed below.  Out: "errors: 0" if the promises hold in
 * every reachable state, else a trail to the state in which one breaks.
 * check.sh runs all variants, which must hold, and all mutants, each of which
 * leaves out one rule and must fail.  By hand:
 *   spin -a [flags] handover.pml && gcc -DSAFETY -o pan pan.c && ./pan -m100000
 *   spin -t -p -g [the same flags] handover.pml       (read a trail)
 *
 * How to read it
 *
 *   Two hosts, A and B.  Processes 0, 2 are of A, processes 1, 3 of B; the
 *   number of a process is its incarnation.  The thread begins at process 0.
 *   A move (index m) is one attempt, with a migration id of its own: whoever
 *   runs the thread may offer it to the other host.  A second move is thus
 *   either the next try after a failed first one, with the same generation,
 *   or, after a good one, the way back, with the next generation.
 *   Source(m) is the source's part in move m, Dest(p, m) the part of process
 *   p as its destination, Process(p) birth and death of p.  Each option of
 *   their loops is one event: message in, state changed, messages out.
 *
 *   There are no connections and no queues.  A message once sent lies in a
 *   set, and every process of the host it was sent to may read it, at any
 *   later time, often or never, whatever became of its sender.  That holds
 *   more than any number of connections can do: loss, delay, repetition,
 *   every order, and what is still to be read from old connections.  As
 *   nothing need ever be read, a message is put into the set as soon as it
 *   could be sent.  BODY is part of the OFFER.
 *
 *   Nobody has a journal: a process that dies forgets everything.
 *
 * The promises
 *
 *   1. never two copies run, and nothing runs that has ended (each start);
 *   2. what comes after one call of migrate is begun at most once (each start);
 *   3. RUNNING_AT: it was started there.  NOT_MIGRATED: it goes on at the
 *      source.  LOST_WITH: that process really is dead, and no copy runs or
 *      ever will (with EARLY_LEAVE only the first half);
 *   4. never lost in silence: the thread runs, or has ended, or the process
 *      it was in crashed, or a live source holds it frozen and says so;
 *   5. nobody stays in doubt without need: at any moment, if the line were
 *      good now, one CANCEL to the process that listens ends the doubt,
 *      unless the process that promised lives on without its port.
 *
 *   That a crash is noticed where it happens is taken for granted.
 *
 *   With MAIL process 0 is also the thread's home, which learns where the
 *   thread has gone and gets its result, and there are more promises:
 *
 *   6. what home knows is true, and never becomes older;
 *   7. a result is taken once, and not while home holds the thread itself;
 *   8. a result is not dropped while home lives and has not got it;
 *   9. it is refused for nothing but a doubt that 5 ends, or an attempt that
 *      is just arriving.
 *
 * What bounds it
 *
 *   CRASHES=n   processes that crash (2)
 *   MOVES=n     moves, at most 3 (2)
 *   FLIGHTS=n   1: the OFFER carries the COMMIT; 2: it does not;
 *               3: each move chooses (3)
 *   Also: two processes a host, two reservations a process and move, one
 *   thread.  A host that reboots is a process that crashes.
 *
 * Variants, which hold
 *
 *   NO_SECOND    a process starts only after the one before it is dead
 *   NO_TOKEN     every PREPARED has the same token: the tombstones suffice
 *   KEEP_IDS     ids are refused for good, no generation is compared
 *   ONCE         a process reads an OFFER at most once, as it is bound to one
 *                session; then what only refuses a read one may go, a full
 *                process may keep nothing of what it refuses, and tombstones
 *                of unread ones go when the session has ended; no generation
 *                is compared
 *   EARLY_LEAVE  a thread may leave before its arrival was acknowledged;
 *                the price is promise 3
 *   LEAVE_ALONE  as EARLY_LEAVE and NO_SECOND, with all of promise 3
 *   MAIL         both sides of a move that succeeded tell home, if neither
 *                of them is home (LOCATION); and where the thread ends, not
 *                on home's host, its result is offered to home (END), twice
 *                if need be: as moves of their own, at any time, read again
 *                and again
 *
 * Mutants, which fail
 *
 *   M_RESUME            S goes on alone after it sent the COMMIT
 *   M_RETARGET          S sends a second COMMIT, for another PREPARED
 *   M_UNKNOWN_ABORTS    S takes UNKNOWN for ABORTED after the COMMIT
 *   M_ANSWER_ANY_INC    S takes ABORTED or RUNNING from any incarnation
 *   M_ANSWER_ANY_MOVE   S takes ABORTED for another move of the thread
 *   M_FORGET_EARLY      S sends FORGET before it has an answer
 *   M_NO_TOMB           D says ABORTED and keeps nothing
 *   M_FORGET_TOMB       D drops a tombstone on FORGET
 *   M_STATUS_ABORTS     D answers a STATUS for an unseen id with ABORTED
 *   M_OFFER_ANY_INC     D starts an offer that names another incarnation
 *   M_COMMIT_ANY_INC    D obeys a COMMIT that names another incarnation
 *   M_AMNESIA           D answers for another incarnation as for itself
 *   M_DEAD_UNPROVEN     D says DEAD without that incarnation's lock
 *   M_LATE_START        D starts the thread after its reservation expired
 *   M_NO_GENERATION     D does not compare generations
 *   M_DROP_RECORD       D drops the record when the thread has ended
 *   M_ONCE_REREAD       as ONCE; but an OFFER may be read again
 *   M_CANCEL_STOPS      D stops a thread that already runs, on CANCEL
 *   M_LEAVE_EARLY       as EARLY_LEAVE, with all of promise 3
 *   M_NOT_BUSY          as LEAVE_ALONE; a process takes a thread in while it
 *                       still holds it frozen itself
 *   M_END_TWICE         home forgets that it has taken a result
 *   M_END_TOGETHER      home begins to take one while another is arriving
 *   M_BUSY_REPLAYED     home says REPLAYED of one while another is arriving
 *   M_DOUBT_REPLAYED    home says REPLAYED while it is in doubt
 *   M_DOUBT_TAKES       home takes a result while it is in doubt
 *   M_HOME_REPLACED     another process at home's address is taken for its end
 *   M_OLD_LOCATION      home believes each LOCATION
 *   M_LEFT_IS_LATEST    home believes that its own move was the last
 *
 * REACH=n makes the model fail when it gets to the n-th of the situations
 * listed at REACHED: they show that a variant did not hold for want of
 * anything happening.
 */
#ifdef M_OLD_LOCATION
#define MOVES 3
#define FLIGHTS 1
#define CRASHES 0
#endif
#if defined(M_LEFT_IS_LATEST) || REACH == 10
#define EARLY_LEAVE 1
#endif
#if defined(M_END_TWICE) || defined(M_END_TOGETHER) ||			\
	defined(M_BUSY_REPLAYED) || defined(M_DOUBT_REPLAYED) ||	\
	defined(M_DOUBT_TAKES) || defined(M_HOME_REPLACED) ||		\
	defined(M_OLD_LOCATION) || defined(M_LEFT_IS_LATEST) ||		\
	REACH >= 9
#define MAIL 1
#endif

#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef MOVES
#define MOVES 2
#endif
#ifndef FLIGHTS
#define FLIGHTS 3
#endif
#ifdef M_LEAVE_EARLY
#define EARLY_LEAVE 1
#define ALL_OF_3 1
#endif
#if defined(LEAVE_ALONE) || defined(M_NOT_BUSY)
#define EARLY_LEAVE 1
#define NO_SECOND 1
#define ALL_OF_3 1
#endif
#ifdef M_ONCE_REREAD
#define ONCE 1
#endif

#define NPROC		4
#define NOBODY		NPROC
#define HOST(p)		((p) & 1)

/* what a source sends about a move */
#define OFFER		1	/* id, generation; one flight: incarnation */
#define COMMIT		2	/* id, token, incarnation */
#define STATUS		4	/* id, incarnation */
#define CANCEL		8	/* id, incarnation if a COMMIT was sent */
#define FORGET		16	/* id, incarnation */

/* what a process says about a move, with its own incarnation */
#define PREPARED	1	/* with token 1; shifted by one, with token 2 */
#define RUNNING		4
#define ABORTED		8
#define UNKNOWN		16
#define DEAD		32	/* said of the process, by another one */

/* a move, as its source sees it */
#define UNUSED		0
#define FROZEN		1	/* offered; the source may go on alone */
#define IN_DOUBT	2	/* COMMIT sent; the source only asks */
#define RUNNING_AT	3
#define NOT_MIGRATED	4
#define LOST_WITH	5
#define GONE		6	/* the source has crashed */

/* a move, as a process of the destination remembers it */
#define NO_RECORD	0
#define R_PREPARED	1
#define R_RUNNING	2	/* was started here; may have ended or left */
#define R_ABORTED	3	/* a tombstone: never to be started here */
#define R_FORGOTTEN	4	/* after FORGET: no answer, but the id refused */

byte state[3];			/* of each move, one of the above */
byte src[3];			/* its source */
byte gen[3];			/* the generation it would commit */
byte inc[3] = NOBODY;		/* the process that was sent the COMMIT */
byte tok[3];			/* the token of that COMMIT */
bool one[3];			/* one flight */
byte sent[3];			/* messages of the source, a set */
byte by[3] = NOBODY;		/* who went on after this call of migrate */

#define AT(p, m)	((m) * NPROC + (p))
byte record[3 * NPROC];
byte token[3 * NPROC];		/* the last one given out */
byte said[3 * NPROC];		/* messages of the destination, a set */
#ifdef ONCE
bool spent[3 * NPROC];		/* the OFFER will not be read there (again) */
#endif

bool alive[NPROC];
bool runs[NPROC];		/* a copy of the thread runs here */
byte committed[NPROC];		/* highest generation committed here */
byte listens[2];		/* the newest process of a host has the port */
byte home = 0;			/* where the thread is, or was when it died */
byte generation = 0;		/* of the thread */
bool ended = 0;			/* the thread has come to its end */
byte moves = 0, crashes = 0;
bool over = 0;
#ifdef MAIL
bool away = 0;			/* home knows that another process has it */
bool closed = 0;		/* home knows that it has ended */
byte known = 0;			/* the latest generation home knows of */
byte known_at = 0;		/* and where that took the thread */
byte places[4];			/* in truth, by generation */
bool located[3];		/* LOCATION about move m was sent */
byte ender = NOBODY;		/* who has the result for home */
byte end_gen = 0;		/* the END's generation */
bool offered[2];		/* an attempt to deliver it */
bool arriving[2];		/* admitted, neither taken nor refused yet */
bool has[2];			/* RUNNING or REPLAYED was said about it */
byte results = 0;		/* that home has taken */
#endif
#ifdef REACH
bool replay = 0, late = 0, told = 0, busy = 0;
#endif

#define SENT(m, msg)	(sent[m] & (msg))
#define SEND(m, msg)	sent[m] = sent[m] | (msg)
#define SAID(p, m, msg)	(said[AT(p, m)] & (msg))
#define SAY(p, m, msg)	said[AT(p, m)] = said[AT(p, m)] | (msg)

#define COPIES		(runs[0] + runs[1] + runs[2] + runs[3])
#define BORN(p)		((p) <= listens[HOST(p)])
#define LAST		(moves - 1)

/* p holds the thread frozen, as the source of move m */
#define HOLDS(p, m)	(src[m] == p && (state[m] == FROZEN ||		\
			state[m] == IN_DOUBT || state[m] == LOST_WITH))
#define HOLDS_ANY(p)	(HOLDS(p, 0) || HOLDS(p, 1) || HOLDS(p, 2))

/* home takes the thread back when it is away, and later than it knows */
#ifdef MAIL
#define RETURNS(p, m)	(p != 0 || (away && gen[m] > known))
#else
#define RETURNS(p, m)	true
#endif

/* the slot is not free */
#ifdef M_NOT_BUSY
#define BUSY(p)		runs[p]
#else
#define BUSY(p)		(runs[p] || HOLDS_ANY(p))
#endif

#if defined(M_NO_GENERATION) || defined(KEEP_IDS) || defined(ONCE)
#define REPLAY(p, m)	false
#else
#define REPLAY(p, m)	(gen[m] <= committed[p])
#endif

/* the source of the move that brought the thread to p knows that it did */
#ifdef EARLY_LEAVE
#define ACKNOWLEDGED(p)	true
#else
#define ACKNOWLEDGED(p)	(record[AT(p, 0)] != R_RUNNING &&		\
			record[AT(p, 1)] != R_RUNNING &&		\
			record[AT(p, 2)] != R_RUNNING)
#endif

#if defined(EARLY_LEAVE) && !defined(ALL_OF_3)
#define NO_COPY		true
#else
#define NO_COPY		(COPIES == 0)
#endif

#ifndef REACH
#define REACHED		false
#elif REACH == 1	/* there and back, and both sources know */
#define REACHED		(state[0] == RUNNING_AT && state[1] == RUNNING_AT \
			&& runs[0] && generation == 2)
#elif REACH == 2	/* a second try after a failed first one */
#define REACHED		(state[0] == NOT_MIGRATED && SENT(0, FORGET) &&	\
			state[1] == RUNNING_AT && gen[1] == 1)
#elif REACH == 3	/* lost, and known */
#define REACHED		(state[0] == LOST_WITH && by[0] == NOBODY)
#elif REACH == 4	/* lost after it had run, and known */
#define REACHED		(state[0] == LOST_WITH && by[0] == inc[0])
#elif REACH == 5	/* a late offer of move 0 after FORGET and the way back */
#define REACHED		(replay && runs[0] && generation == 2)
#elif REACH == 6	/* a COMMIT for a reservation that expired */
#define REACHED		(late && state[0] == NOT_MIGRATED)
#elif REACH == 7	/* a second process asked, while the first runs it */
#define REACHED		(told && runs[1] && state[0] == IN_DOUBT)
#elif REACH == 8	/* back at a process that is not the one it left */
#define REACHED		(runs[2] && state[1] == RUNNING_AT)
#elif REACH == 9	/* a result is taken that came while home was in doubt */
#define REACHED		(busy && results == 1 && ender == NOBODY && has[0])
#elif REACH == 10	/* home has heard of a later move before its own */
#define REACHED		(state[0] == IN_DOUBT && known == 2)
#endif

#define TRUE_REPORT(m)							\
	(state[m] != RUNNING_AT || by[m] == inc[m]) &&			\
	(state[m] != NOT_MIGRATED || by[m] == src[m]) &&		\
	(state[m] != LOST_WITH || (!alive[inc[m]] && NO_COPY))

#ifdef MAIL
#define HOME_DOUBTS(m)	(src[m] == 0 && state[m] == IN_DOUBT)
#define TRUE_HOME	(!alive[0] || known_at == places[known])
#define TRUE_MAIL							\
	(ender == NOBODY || !alive[0] || (!runs[0] && end_gen > known &&	\
	(away || closed || HOME_DOUBTS(0) || HOME_DOUBTS(1) ||		\
	HOME_DOUBTS(2)) && (!closed || results == 1)))
#else
#define TRUE_HOME	true
#define TRUE_MAIL	true
#endif

inline check()
{
	assert(COPIES <= 1);
	assert(TRUE_REPORT(0) && TRUE_REPORT(1) && TRUE_REPORT(2));
	assert(COPIES == 1 || ended || !alive[home] || HOLDS(home, LAST));
	assert(TRUE_HOME && TRUE_MAIL);
	assert(!(REACHED))
}

/* The continuation of move m begins at p. */
inline start(p, m)
{
	assert(COPIES == 0 && !ended);
	assert(by[m] == NOBODY);
	runs[p] = 1;
	home = p;
	by[m] = p
}

/* ------------------------------------------------------------------------
 * the source
 */
inline leave(p, m)
{
	runs[p] = 0;
	src[m] = p;
	gen[m] = generation + 1;
	SEND(m, OFFER);
	moves++
}

inline point_of_no_return(p, m)
{
	inc[m] = p;
	state[m] = IN_DOUBT;
	SEND(m, STATUS | CANCEL);
#ifdef M_FORGET_EARLY
	SEND(m, FORGET);
#endif
}

inline resume(m)
{
	state[m] = NOT_MIGRATED;
	start(src[m], m)
}

/* Two flights: only the OFFER leaves. */
inline offers(p)
{
	d_step {
		(FLIGHTS & 2) && moves == m && runs[p] ->
		leave(p, m);
		state[m] = FROZEN;
		check()
	}
}

/* One flight: it names process q, whose hello began some session. */
inline offers_at_once(p, q)
{
	d_step {
		(FLIGHTS & 1) && moves == m && runs[p] && ACKNOWLEDGED(p) &&
		HOST(p) != HOST(q) && BORN(q) ->
		leave(p, m);
		one[m] = 1;
		point_of_no_return(q, m);
		check()
	}
}

inline hears_prepared(p, t)
{
	d_step {
		state[m] == FROZEN && SAID(p, m, PREPARED << (t - 1)) &&
		ACKNOWLEDGED(src[m]) ->
		tok[m] = t;
		point_of_no_return(p, m);
		SEND(m, COMMIT);
		check()
	}
}

#ifdef MAIL
/* Home's own move, or a LOCATION: known is the latest. */
inline knows(m)
{
	assert(gen[m] > known && !runs[0]);
	known = gen[m];
	known_at = inc[m]
}

/* Home's own move has succeeded, or another's, who tells home; so does the
 * destination, not sooner: when it hears that the source knows. */
inline reports(m)
{
	if
	:: src[m] == 0 ->
		away = 1;
		if
#ifdef M_LEFT_IS_LATEST
		:: true -> knows(m)
#else
		:: gen[m] > known -> knows(m)
		:: else -> skip
#endif
		fi
	:: src[m] != 0 && inc[m] != 0 -> located[m] = 1
	:: else -> skip
	fi
}
#endif

/* An answer counts if the process that promised gave it, on this move. */
inline hears_answer(m)
{
	if
	:: state[m] == IN_DOUBT && SAID(inc[m], m, RUNNING) ->
		state[m] = RUNNING_AT;
#ifdef MAIL
		reports(m);
#endif
		SEND(m, FORGET)
	:: state[m] == IN_DOUBT && SAID(inc[m], m, ABORTED) ->
		SEND(m, FORGET);
		resume(m)
	:: state[m] == IN_DOUBT && SAID(inc[m], m, DEAD) ->
		state[m] = LOST_WITH
	fi
}

proctype Source(byte m) provided (!over)
{
end:
	do
	:: offers(0) :: offers(1) :: offers(2) :: offers(3)
	:: offers_at_once(0, 1) :: offers_at_once(0, 3)
	:: offers_at_once(1, 0) :: offers_at_once(1, 2)
	:: offers_at_once(2, 1) :: offers_at_once(2, 3)
	:: offers_at_once(3, 0) :: offers_at_once(3, 2)

	:: hears_prepared(0, 1) :: hears_prepared(0, 2)
	:: hears_prepared(1, 1) :: hears_prepared(1, 2)
	:: hears_prepared(2, 1) :: hears_prepared(2, 2)
	:: hears_prepared(3, 1) :: hears_prepared(3, 2)

	/* before the COMMIT: a time-out, any other answer, a broken line */
	:: d_step {
		state[m] == FROZEN ->
		SEND(m, CANCEL);
		resume(m);
		check()
	}

	/* after it: an answer.  UNKNOWN is none; no answer, no change. */
	:: atomic {
		state[m] == IN_DOUBT &&
		SAID(inc[m], m, RUNNING | ABORTED | DEAD) ->
		hears_answer(m);
		check()
	}
#ifdef M_RESUME
	:: d_step { state[m] == IN_DOUBT -> resume(m); check() }
#endif
#ifdef M_UNKNOWN_ABORTS
	:: d_step {
		state[m] == IN_DOUBT && (SAID(0, m, UNKNOWN) ||
		SAID(1, m, UNKNOWN) || SAID(2, m, UNKNOWN) ||
		SAID(3, m, UNKNOWN)) ->
		resume(m);
		check()
	}
#endif
#ifdef M_ANSWER_ANY_INC
	:: d_step {
		state[m] == IN_DOUBT && (SAID(0, m, ABORTED) ||
		SAID(1, m, ABORTED) || SAID(2, m, ABORTED) ||
		SAID(3, m, ABORTED)) ->
		resume(m);
		check()
	}
#endif
#ifdef M_ANSWER_ANY_MOVE
	:: d_step {
		state[m] == IN_DOUBT && (SAID(inc[m], 0, ABORTED) ||
		SAID(inc[m], 1, ABORTED)) ->
		resume(m);
		check()
	}
#endif
#ifdef M_RETARGET
	:: d_step {
		state[m] == IN_DOUBT && !one[m] && inc[m] == 1 &&
		SAID(3, m, PREPARED) ->
		inc[m] = 3;
		tok[m] = 1;
		check()
	}
#endif
	od
}

/* ------------------------------------------------------------------------
 * the destination
 */
#define REC		record[AT(p, m)]
#define ASKED		(alive[p] && state[m] != UNUSED && \
			HOST(p) != HOST(src[m]))

#if defined(M_AMNESIA)
#define FOR_ME		(inc[m] != NOBODY)
#define NAME		inc[m]		/* the request's field sent back */
#else
#define FOR_ME		(inc[m] == p)
#define NAME		p
#endif
#ifdef M_COMMIT_ANY_INC
#define COMMIT_FOR_ME	(inc[m] != NOBODY)
#else
#define COMMIT_FOR_ME	FOR_ME
#endif
#ifdef M_OFFER_ANY_INC
#define OFFER_FOR_ME	true
#else
#define OFFER_FOR_ME	(!one[m] || inc[m] == p)
#endif
#ifdef ONCE
#define OFFER_COMES	(SENT(m, OFFER) && !spent[AT(p, m)])
#else
#define OFFER_COMES	SENT(m, OFFER)
#endif

inline spend(p, m)
{
#ifdef M_ONCE_REREAD
	skip
#else
	spent[AT(p, m)] = 1
#endif
}

/* Make ABORTED true, then say so. */
inline abort(p, m)
{
#ifdef M_NO_TOMB
	REC = NO_RECORD;
#else
	REC = R_ABORTED;
#endif
	SAY(NAME, m, ABORTED)
}

inline begin(p, m)
{
	start(p, m);
	generation = gen[m];
	committed[p] = gen[m];
#ifdef MAIL
	places[generation] = p;
	if
	:: p == 0 -> away = 0; known = generation; known_at = 0
	:: else -> skip
	fi;
#endif
	REC = R_RUNNING;
	SAY(p, m, RUNNING)
}

/* A CANCEL names the process that was sent the COMMIT, or nobody. */
inline reads_cancel(p, m)
{
	if
	:: FOR_ME || inc[m] == NOBODY ->
		if
		:: REC == NO_RECORD || REC == R_PREPARED -> abort(p, m)
#ifdef M_CANCEL_STOPS
		:: REC == R_RUNNING -> runs[p] = 0; abort(p, m)
#endif
		:: else -> skip		/* RUNNING or ABORTED has been said */
		fi
	:: else -> speaks_of_another(p, m)
	fi
}

/* Asked about another incarnation: dead only if its lock can be taken. */
inline speaks_of_another(p, m)
{
	if
#ifdef M_DEAD_UNPROVEN
	:: inc[m] != NOBODY -> SAY(inc[m], m, DEAD)
#else
	:: inc[m] != NOBODY && !alive[inc[m]] -> SAY(inc[m], m, DEAD)
#endif
	:: else ->
		SAY(p, m, UNKNOWN);
#ifdef REACH
		told = 1
#endif
	fi
}

proctype Dest(byte p; byte m) provided (!over)
{
end:
	do
	/* OFFER, refused: policy, no room, busy, or a replay */
	:: d_step {
		ASKED && OFFER_COMES && OFFER_FOR_ME && REC == NO_RECORD ->
#ifdef REACH
		replay = replay || (REPLAY(p, m) && by[m] == p);
#endif
		abort(p, m);
		check()
	}
	/* OFFER, two flights: everything fallible is done, the thread parked */
	:: d_step {
		ASKED && OFFER_COMES && !one[m] && REC == NO_RECORD &&
		!REPLAY(p, m) && RETURNS(p, m) && !BUSY(p) && token[AT(p, m)] < 2 ->
#ifdef NO_TOKEN
		token[AT(p, m)] = 1;
#else
		token[AT(p, m)] = token[AT(p, m)] + 1;
#endif
		REC = R_PREPARED;
		SAY(p, m, PREPARED << (token[AT(p, m)] - 1));
		check()
	}
	/* OFFER, one flight */
	:: d_step {
		ASKED && OFFER_COMES && one[m] && OFFER_FOR_ME &&
		REC == NO_RECORD && !REPLAY(p, m) && RETURNS(p, m) &&
		!BUSY(p) ->
		begin(p, m);
		check()
	}
	/* COMMIT of this reservation */
	:: d_step {
		ASKED && SENT(m, COMMIT) && COMMIT_FOR_ME &&
#ifdef M_LATE_START
		(REC == R_PREPARED || REC == R_ABORTED) &&
#else
		REC == R_PREPARED &&
#endif
		tok[m] == token[AT(p, m)] ->
		begin(p, m);
		check()
	}
	/* COMMIT of none, or of another */
	:: d_step {
		ASKED && SENT(m, COMMIT) && FOR_ME && (REC == NO_RECORD ||
		(REC == R_PREPARED && tok[m] != token[AT(p, m)])) ->
		abort(p, m);
		check()
	}
	/* the reservation expires, by this process's own clock */
	:: d_step {
		ASKED && REC == R_PREPARED ->
#ifdef REACH
		late = late || (FOR_ME && SENT(m, COMMIT));
#endif
		abort(p, m);
		check()
	}
	/* STATUS changes nothing; of an unseen id nothing can be said */
	:: d_step {
		ASKED && SENT(m, STATUS) && FOR_ME &&
		(REC == NO_RECORD || REC == R_FORGOTTEN) ->
#ifdef M_STATUS_ABORTS
		SAY(p, m, ABORTED);
#else
		SAY(p, m, UNKNOWN);
#endif
		check()
	}
	:: d_step {
		ASKED && SENT(m, CANCEL) ->
		reads_cancel(p, m);
		check()
	}
	/* any request that names another incarnation */
	:: d_step {
		ASKED && inc[m] != NOBODY && !FOR_ME ->
		speaks_of_another(p, m);
		check()
	}
	/* FORGET: the answer goes, the id stays refused */
	:: d_step {
		ASKED && SENT(m, FORGET) && FOR_ME && REC == R_RUNNING ->
		REC = R_FORGOTTEN;
		check()
	}
#ifdef M_FORGET_TOMB
	:: d_step {
		ASKED && SENT(m, FORGET) && FOR_ME && REC == R_ABORTED ->
		REC = NO_RECORD;
		check()
	}
#endif
#ifdef ONCE
	/* no room: the OFFER is refused, nothing kept, and it comes once */
	:: d_step {
		ASKED && OFFER_COMES && OFFER_FOR_ME && REC == NO_RECORD ->
		spend(p, m);
		SAY(p, m, ABORTED);
		check()
	}
	/* what refuses an OFFER goes when it was read or its session is over */
	:: d_step {
		alive[p] && (REC == R_ABORTED || REC == R_FORGOTTEN) ->
		spend(p, m);
		REC = NO_RECORD;
		check()
	}
#endif
	/* the session ends, and the id goes too: now the generation guards */
#if !defined(KEEP_IDS) && !defined(ONCE)
	:: d_step {
		alive[p] && REC == R_FORGOTTEN ->
		REC = NO_RECORD;
		check()
	}
#endif
	od
}

/* ------------------------------------------------------------------------
 * birth and death
 */
inline source_dies(p, m)
{
	if
	:: src[m] == p && state[m] != UNUSED -> state[m] = GONE
	:: else -> skip
	fi
}

inline forgets_all(p, m)
{
	record[AT(p, m)] = NO_RECORD;
#ifdef ONCE
	spent[AT(p, m)] = 0;
#endif
	token[AT(p, m)] = 0
}

#ifdef MAIL
/* What is in home is forgotten, and what is in the thread's last process. */
inline home_dies(p)
{
	if
	:: p == 0 -> away = 0; arriving[0] = 0; arriving[1] = 0
	:: p == ender -> ender = NOBODY
	:: else -> skip
	fi
}

inline ends(p)
{
	if
	:: p == 0 -> results++; closed = 1
	:: HOST(p) != HOST(0) -> ender = p; end_gen = generation + 1
	:: else -> skip		/* no peer of home: its result is lost */
	fi
}
#endif

proctype Process(byte p) provided (!over)
{
end:
	do
	:: d_step {
		!BORN(p) && p == listens[HOST(p)] + 2 &&
#ifdef NO_SECOND
		!alive[p - 2] &&
#endif
		true ->
		alive[p] = 1;
		listens[HOST(p)] = p;
		check()
	}
	:: d_step {
		alive[p] && crashes < CRASHES ->
		crashes++;
		alive[p] = 0;
		runs[p] = 0;
		committed[p] = 0;
		forgets_all(p, 0);
		forgets_all(p, 1);
		forgets_all(p, 2);
		source_dies(p, 0);
		source_dies(p, 1);
		source_dies(p, 2);
#ifdef MAIL
		home_dies(p);
#endif
		check()
	}
	:: d_step {
		runs[p] ->
		runs[p] = 0;
		ended = 1;
#ifdef MAIL
		ends(p);
#endif
#ifdef M_DROP_RECORD
		record[AT(p, 0)] = NO_RECORD;
#endif
		check()
	}
	od
}

/* ------------------------------------------------------------------------
 * mail, and the home that reads it
 */
#ifdef MAIL
#if defined(M_DOUBT_TAKES)
#define MAY_TAKE(e)	(!closed && !arriving[1 - e])
#elif defined(M_END_TOGETHER)
#define MAY_TAKE(e)	(!closed && away)
#else
#define MAY_TAKE(e)	(!closed && away && !arriving[1 - e])
#endif
#if defined(M_BUSY_REPLAYED)
#define HAS(e)		(closed || arriving[1 - e])
#elif defined(M_DOUBT_REPLAYED)
#define HAS(e)		(closed || !away)
#else
#define HAS(e)		closed
#endif

#ifdef M_OLD_LOCATION
#define NEWS(m)		(gen[m] != known)
#else
#define NEWS(m)		(gen[m] > known)
#endif

/* An attempt to deliver the END: a move of its own. */
proctype End(byte e) provided (!over)
{
end:
	do
	:: d_step {
		ender != NOBODY && !offered[e] && (e == 0 || offered[0]) ->
		offered[e] = 1;
		check()
	}
	/* home reads the OFFER: RUNNING and REPLAYED end the matter */
	:: d_step {
		alive[0] && offered[e] && !arriving[e] &&
		(HAS(e) || end_gen <= known) ->
		has[e] = 1;
		check()
	}
	:: d_step {
		alive[0] && offered[e] && !arriving[e] && MAY_TAKE(e) &&
		end_gen > known ->
		arriving[e] = 1;
		check()
	}
#if REACH == 9
	:: d_step {
		alive[0] && offered[e] && HOME_DOUBTS(0) && !busy ->
		busy = 1;
		check()
	}
#endif
	/* it cannot be taken for some other reason */
	:: d_step {
		arriving[e] ->
		arriving[e] = 0;
		check()
	}
	:: d_step {
		arriving[e] ->
		assert(results == 0 && !runs[0] && !HOLDS_ANY(0));
		results++;
#ifndef M_END_TWICE
		closed = 1;
#endif
		arriving[e] = 0;
		has[e] = 1;
		check()
	}
	/* the answer; any other, and none, makes the next attempt */
	:: d_step {
		ender != NOBODY && has[e] ->
		assert(!alive[0] || results == 1);
		ender = NOBODY;
		check()
	}
	od
}

proctype Mail() provided (!over)
{
end:
	do
	/* DEAD is said of home by who answers in its place, if it is so */
	:: d_step {
		ender != NOBODY && alive[2] &&
#ifndef M_HOME_REPLACED
		!alive[0] &&
#endif
		true ->
		assert(!alive[0] || results == 1);
		ender = NOBODY;
		check()
	}
	/* LOCATION, NOTED or not */
	:: d_step {
		alive[0] && !closed && located[0] && NEWS(0) ->
		knows(0);
		check()
	}
	:: d_step {
		alive[0] && !closed && located[1] && NEWS(1) ->
		knows(1);
		check()
	}
	:: d_step {
		alive[0] && !closed && located[2] && NEWS(2) ->
		knows(2);
		check()
	}
	od
}
#endif

/* Promise 5: the line is good, one question, one answer, and all stops. */
proctype Settle(byte m) provided (!over)
{
	byte q;
end:
	d_step {
		state[m] == IN_DOUBT && alive[listens[1 - HOST(src[m])]] ->
		q = listens[1 - HOST(src[m])];
		reads_cancel(q, m);
		if
		:: SAID(inc[m], m, RUNNING | ABORTED | DEAD) -> hears_answer(m)
		:: else -> skip
		fi;
		assert(state[m] != IN_DOUBT || (q != inc[m] && alive[inc[m]]));
		check();
		over = 1	/* last: it stops this process too */
	}
}

init
{
	byte i;
	atomic {
		alive[0] = 1; listens[0] = 0; runs[0] = 1;
		alive[1] = 1; listens[1] = 1;
		for (i : 0 .. NPROC - 1) { run Process(i) };
		for (i : 0 .. MOVES - 1) {
			run Source(i);
			run Settle(i);
			run Dest(0, i);
			run Dest(1, i);
			run Dest(2, i);
			run Dest(3, i)
		};
#ifdef MAIL
		run End(0);
		run End(1);
		run Mail();
#endif
		i = 0
	}
}
