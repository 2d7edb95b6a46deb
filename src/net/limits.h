/* SPDX-License-Identifier: ISC */
/*
 * limits.h - every deadline and every cap, in one place
 *
 * No wait of the library is without a deadline but these: a server's and the
 * library's own threads' for work; psu_thread_create's for the user's own
 * function, and psu_thread_join's for a thread without a time limit, wherever
 * that is; a husk's for the return of its thread, or for its end; and a frozen
 * thread's for word of a move in doubt, which psu_thread_resolve() ends.
 * Deadlines that the program can set are psu_limit_ms(); their defaults stand
 * in PSU_THREAD_WAITS.  README.md and FORMAT.md repeat what users and peers
 * notice of all these.
 */
#ifndef PSU_LIMITS_H
#define PSU_LIMITS_H

#include <psu_thread.h>

#include <stdint.h>

/** The deadline of @wait as it is set now, in milliseconds. */
int psu_limit_ms(enum psu_thread_wait wait);

/* ---- opening a session, both sides */

/** From the first byte to a complete handshake. */
#define PSU_HANDSHAKE_MS psu_limit_ms(PSU_THREAD_WAIT_HANDSHAKE)
/** From the handshake to both hellos, and to a client's first request. */
#define PSU_FIRST_REQUEST_MS psu_limit_ms(PSU_THREAD_WAIT_FIRST_REQUEST)
/** For the addresses of a name to answer a connect, together; and for one
 * while others are left: longer than TCP takes to send a lost SYN again. */
#define PSU_CONNECT_MS psu_limit_ms(PSU_THREAD_WAIT_CONNECT)
#define PSU_CONNECT_NEXT_MS 1500
/** For each question to a resolver, and how often it is asked. */
#define PSU_RESOLVE_MS psu_limit_ms(PSU_THREAD_WAIT_RESOLVE)
#define PSU_RESOLVE_TRIES 2
/** For a caller that was refused to close, so that it hears why. */
#define PSU_REFUSED_MS psu_limit_ms(PSU_THREAD_WAIT_REFUSED)

/* ---- a live session */

/** For the rest of a message whose first bytes have arrived. */
#define PSU_MESSAGE_MS psu_limit_ms(PSU_THREAD_WAIT_MESSAGE)
/** At any moment a body may have taken this long, and a second more for every
 * so many bytes of it that have come. */
#define PSU_BODY_GRACE_MS psu_limit_ms(PSU_THREAD_WAIT_BODY)
#define PSU_BODY_RATE_MIN (64u << 10)
/** An idle connection is probed every so many seconds, so often before it is
 * given up. */
#define PSU_KEEPALIVE_S 15
#define PSU_KEEPALIVE_TRIES 3
/** A session without any request is closed. */
#define PSU_IDLE_MS psu_limit_ms(PSU_THREAD_WAIT_IDLE)
/** A session takes no OFFER beyond this age. */
#define PSU_SESSION_AGE_MS 3600000
/** Bytes after which this side changes its traffic keys: 2^22 records of
 * 16 KiB. */
#define PSU_KEY_UPDATE_BYTES (UINT64_C(1) << 36)
/** Key updates that a peer may ask of us in one session. */
#define PSU_PEER_KEY_UPDATES_MAX 64

/* ---- a server's callers */

/** Connections that the kernel holds for accept. */
#define PSU_BACKLOG 1024
/** Pause of accept when the process is short of descriptors or memory. */
#define PSU_ACCEPT_PAUSE_MS 20
/** Callers who have not shown a good certificate yet; beyond that the oldest
 * of them is dropped for the new one. */
#define PSU_STRANGERS_MAX 64
/** Sessions with authenticated peers; beyond that new ones are refused. */
#define PSU_SESSIONS_MAX 256
/** And of these for one peer, so that none keeps the others out. */
#define PSU_PEER_SESSIONS_MAX 64
/** Bodies being received at the same time; more wait, PSU_OPENING_MS at most.
 */
#define PSU_BODIES_MAX 64
/** Of them from one peer. */
#define PSU_PEER_BODIES_MAX 16
/** Moves that a process remembers, and of them those of one peer.  A record
 * that only refuses what was read already makes room for a new one: the peer's
 * oldest, or in a full process another's; if there is none, an OFFER is refused
 * as BUSY and a CANCEL answered by UNKNOWN. */
#define PSU_DEST_RECORDS_MAX 4096
#define PSU_DEST_PEER_RECORDS_MAX 1024
/** Peers whose moves a process remembers: there are no more zones. */
#define PSU_DEST_PEERS_MAX 256

/* ---- a birth */

/** Slots that are tried for a new thread if guests have taken some. */
#define PSU_SLOT_TRIES 8

/* ---- a move */

/** Sessions on which a process asks, with one peer; more moves at a time wait
 * for one, for so long. */
#define PSU_LINES_PEER_MAX 16
#define PSU_LINE_MS psu_limit_ms(PSU_THREAD_WAIT_LINE)
/** Of them, those that are being opened at a time. */
#define PSU_LINES_OPENING_MAX 4
/** Of all peers, those that are kept while they are idle; and one with each
 * process that has a thread of this one. */
#define PSU_LINES_IDLE_MAX 64
/** When a peer's session does not turn by then, the peer is dialled, or if it
 * cannot be, its next session is called for. */
#define PSU_TURN_MS 1000
/** A home that can be dialled dials the process where its thread is after so
 * long. */
#define PSU_KEEPER_PAUSE_MS 1000
/** Word of a thread that has moved on may be so late when the process where it
 * was is known to have died. */
#define PSU_KEEPER_GRACE_MS 3000
/** A session older than this is not used again. */
#define PSU_LINE_AGE_MS (PSU_SESSION_AGE_MS - 60000)
/** Body up to which a move takes one flight. */
#define PSU_ONE_FLIGHT_LEN_MAX (64u << 10)
/** How long a side looks for the other's next bytes before it sleeps,
 * microseconds: a peer nearby needs no longer, and an idle processor takes a
 * good part of that to wake. */
#define PSU_WATCH_US 400
/** And not again on that session for so long if nothing came. */
#define PSU_WATCH_PAUSE_US 10000
/** How long the source waits for each answer of the destination. */
#define PSU_ANSWER_MS psu_limit_ms(PSU_THREAD_WAIT_ANSWER)
/** How long a destination holds a reservation for its COMMIT. */
#define PSU_RESERVATION_MS psu_limit_ms(PSU_THREAD_WAIT_RESERVATION)
/** An arriving thread's peer is judged again if that was so long ago when the
 * thread is to start. */
#define PSU_JUDGED_MS 500
/** A heap of so many bytes does not come in before the server is open for its
 * thread; a refusal does not wait for more of a body than that. */
#define PSU_LARGE_HEAP_LEN (1u << 20)
/** And so much of it is heard to its end, so that a source hears the answer. */
#define PSU_SKIPPED_LEN_MAX (16u << 20)
/** How long an arriving thread waits until the server takes one in. */
#define PSU_OPENING_MS psu_limit_ms(PSU_THREAD_WAIT_OPENING)
/** How long a thread that is lost is kept for psu_thread_resolve(), or, if it
 * had long been away, its husk for word that it was not there any more. */
#define PSU_LOST_KEPT_MS psu_limit_ms(PSU_THREAD_WAIT_LOST_KEPT)
/** Pauses between a source's attempts to reach a destination in doubt. */
#define PSU_REDIAL_FIRST_MS 50
#define PSU_REDIAL_LAST_MS 5000
/** After that psu_thread_create returns IN_DOUBT; the asking goes on. */
#define PSU_IN_DOUBT_MS psu_limit_ms(PSU_THREAD_WAIT_DOUBT)
/** How long a thread that leaves waits for the source of its last move to
 * hear of that move's success. */
#define PSU_ACKNOWLEDGE_MS psu_limit_ms(PSU_THREAD_WAIT_ACKNOWLEDGE)
/** How long a server stays, after its thread has ended, for a source that
 * has not heard yet that it had arrived. */
#define PSU_LINGER_MS psu_limit_ms(PSU_THREAD_WAIT_LINGER)

/* ---- letters to the homes of threads */

/** That wait to be delivered, and bytes of them; beyond that the oldest goes.
 * They are tried again after the pauses of a source in doubt. */
#define PSU_OUTBOX_MAX 1024
#define PSU_OUTBOX_LEN_MAX (16u << 20)

#endif
