/* SPDX-License-Identifier: ISC */
/*
 * psu_thread.h - move a running thread to another host
 *
 * A function calls psu_thread_migrate("hostB") and goes on at hostB on the
 * next line, with its locals, its callers and its pointers.  Link with
 * `pkg-config --static --libs psu_thread`; the same file must run on both
 * hosts.  README.md tells what travels and what does not.
 */
#ifndef PSU_THREAD_H
#define PSU_THREAD_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define PSU_THREAD_EXPORT __attribute__((visibility("default")))
#define PSU_THREAD_MUST_CHECK __attribute__((warn_unused_result))
#else
#define PSU_THREAD_EXPORT
#define PSU_THREAD_MUST_CHECK
#endif

/** The port a server listens on, and a client dials, unless told otherwise. */
#define PSU_THREAD_DEFAULT_PORT 7310

/** What a process does: start a thread of its own, or take one in. */
#define PSU_THREAD_CLIENT 0
#define PSU_THREAD_SERVER 1

/*
 * Every error: name, number, what it means.  The numbers travel in replies
 * between hosts and never change.  FORMAT.md repeats them.
 */
#define PSU_THREAD_ERRORS(X)                                                   \
	X(INVALID_ARGUMENT, -1, "an argument is not valid")                        \
	X(MODE_INVALID, -2, "the mode is neither 0 (client) nor 1 (server)")       \
	X(NOT_SET_UP, -3, "psu_thread_setup_init has not succeeded yet")           \
	X(ALREADY_SET_UP, -4, "psu_thread_setup_init was called before")           \
	X(SETUP_TOO_LATE, -5, "setup must come before other threads exist")        \
	X(RESTART_FAILED, -6, "the program could not restart itself")              \
	X(NO_MEMORY, -7, "memory is exhausted")                                    \
	X(SYSTEM, -8, "the operating system refused a request")                    \
	X(OUTSIDE_THREAD, -9, "the caller is not a migratable thread")             \
	X(FORKED, -10, "a forked child cannot use its parent's threads")           \
	X(CERTS_MISSING, -11, "the certificate directory is missing")              \
	X(CERTS_INCOMPLETE, -12, "a file of the certificate directory is missing") \
	X(KEY_EXPOSED, -13, "a key file can be read or replaced by others")        \
	X(CERTS_INVALID, -14, "a file of the certificate directory is not valid")  \
	X(PEERS_INVALID, -15, "the peers file is not valid")                       \
	X(RUNTIME_DIR, -16, "no private directory for run-time files")             \
	X(ZONE_FULL, -17, "every slot of this host's zone is taken")               \
	X(LISTEN_FAILED, -18, "the server's address cannot be listened on")        \
	X(HOST_UNKNOWN, -30, "the host's name cannot be resolved")                 \
	X(HOST_UNREACHABLE, -31, "the host cannot be reached")                     \
	X(HOST_SILENT, -32, "the host did not answer in time")                     \
	X(CONNECTION_LOST, -33, "the connection broke")                            \
	X(TLS_FAILED, -34, "no TLS 1.3 session could be agreed on")                \
	X(CERT_FOREIGN, -35, "a certificate is not of this deployment")            \
	X(CERT_EXPIRED, -36, "a certificate has expired")                          \
	X(CERT_NOT_YET_VALID, -37, "a certificate is not valid yet")               \
	X(CERT_REVOKED, -38, "a certificate has been revoked")                     \
	X(CERT_MISSING, -39, "the peer showed no certificate")                     \
	X(CERT_IDENTITY, -40, "a certificate does not name exactly one host")      \
	X(NAME_MISMATCH, -41, "the certificate is for another host")               \
	X(PEER_NOT_LISTED, -42, "the peers file does not list the peer")           \
	X(DIRECTION_DENIED, -43, "the peers file does not allow this direction")   \
	X(PIN_MISMATCH, -44, "the peer's key is not the pinned one")               \
	X(PROTOCOL, -45, "a message breaks the protocol")                          \
	X(VERSION_MISMATCH, -46, "the hosts speak different wire versions")        \
	X(BUSY, -47, "the destination takes no more threads now")                  \
	X(BINARY_MISMATCH, -60, "the hosts run different programs")                \
	X(LAYOUT_MISMATCH, -61, "the program lies at different addresses")         \
	X(GUARDS_DIFFER, -62, "the hosts do not share the deployment's guards")    \
	X(ZONE_MISMATCH, -63, "the hosts disagree about their zones")              \
	X(PLATFORM_MISMATCH, -64, "the hosts differ in pages, slots or locale")    \
	X(CPU_MISMATCH, -65, "a processor lacks what the program uses")            \
	X(TLS_LAYOUT, -66, "a thread-local lies where it cannot travel")           \
	X(SHADOW_STACK, -67, "the program runs with shadow stacks")                \
	X(SAFE_STACK, -68, "the program is built with -fsanitize=safe-stack")      \
	X(SPLIT_STACK, -69, "the program is built with -fsplit-stack")             \
	X(EXECUTABLE_STACK, -70, "the program's stacks are executable")            \
	X(THREAD_SANITIZER, -71, "the program is built with -fsanitize=thread")    \
	X(ADDRESS_IN_USE, -80, "the thread's addresses are taken over there")      \
	X(STACK_OUTSIDE_SLOT, -81, "the caller runs on a foreign stack")           \
	X(FRAME_UNKNOWN, -82, "a caller's frame cannot be unwound")                \
	X(FRAME_FOREIGN, -83, "a caller lies outside the program")                 \
	X(IMAGE_TOO_LARGE, -84, "the thread is larger than a move may be")         \
	X(STATEMENT_INVALID, -85, "the signed statement is malformed")             \
	X(SIGNATURE_INVALID, -86, "the signature does not verify")                 \
	X(WRONG_ADDRESSEE, -87, "the statement is for another host or session")    \
	X(DIGEST_MISMATCH, -88, "the image is not the one that was signed")        \
	X(REPLAYED, -89, "this move, or a later one, has been seen before")        \
	X(IMAGE_INVALID, -90, "the image is malformed")                            \
	X(CHAIN_MISMATCH, -91, "the stack does not unwind to the signed chain")    \
	X(STATE_INVALID, -92, "a register or address is out of bounds")            \
	X(CANCELLED, -93, "the move was cancelled before it took place")           \
	X(RESERVATION_EXPIRED, -94, "the destination's reservation ran out")       \
	X(LOST_WITH_PEER, -95, "the destination died while it had the thread")     \
	X(IN_DOUBT, -96, "whether the destination has the thread is not known")    \
	X(EXCEPTION_IN_FLIGHT, -97, "a C++ exception is being handled")            \
	X(ROBUST_MUTEX_HELD, -98, "the thread holds a robust mutex")               \
	X(TLS_DYNAMIC, -99, "thread-locals of a later loaded library are in use")  \
	X(OVERDUE, -100, "the thread has not ended within its time limit")         \
	X(DRAINING, -101, "the server is stopping and takes no more threads")      \
	X(HOME_UNREACHABLE, -102, "the thread's home cannot be reached")           \
	X(HOME_ENDED, -103, "the process that is the thread's home has ended")     \
	X(RESULT_DROPPED, -104, "a thread's result could not be delivered")        \
	X(ITINERARY_INVALID, -105, "the thread's itinerary does not fit the move") \
	X(THREAD_UNKNOWN, -106, "no such thread, or it is not in doubt")           \
	X(HEAP_FULL, -107, "the thread's heap has no room for that")               \
	X(HEAP_MISUSED, -108, "that is no block of the calling thread's heap")     \
	X(HEAP_DAMAGED, -109, "the thread's heap is overwritten")                  \
	X(POINTER_STAYS, -110, "the thread points to memory that stays")           \
	X(ATTEST_MISSING, -111, "the destination demands a signed heap")           \
	X(OVER_QUOTA, -112, "the source has its share of the destination")

#define PSU_THREAD_ERROR_ENUM_(name, number, sentence)                         \
	PSU_THREAD_E_##name = (number),
enum psu_thread_error { PSU_THREAD_ERRORS(PSU_THREAD_ERROR_ENUM_) };

/**
 * Prepare this process to send or to take in threads.  Must be main's first
 * act: the program restarts itself once, with the same arguments, so that all
 * hosts of a deployment share their stack guards.  (With PSU_THREAD_CERTS in
 * its environment it does so before main.)
 *
 * @mode       PSU_THREAD_CLIENT (0) or PSU_THREAD_SERVER (1); a server listens
 *             from here on (PSU_THREAD_LISTEN=ADDR:PORT narrows it, port 0
 *             picks one, PSU_THREAD_PORT_FILE names a file that gets it)
 * @cert_path  directory with this host's certificates and keys, as
 *             certs/make-certs.sh makes it; NULL means $PSU_THREAD_CERTS
 *
 * Returns 0, or a negative PSU_THREAD_E_*; psu_thread_errmsg() says more.
 */
PSU_THREAD_EXPORT PSU_THREAD_MUST_CHECK int
psu_thread_setup_init(int mode, const char *cert_path);

/** A thread that was started here, wherever it is now. */
struct psu_thread_handle;

/** How a thread is started; all zeros: as usual. */
struct psu_thread_attr {
	size_t stack_len;		/* bytes, 64 KiB to 64 MiB; 0: 8 MiB */
	const char *name;		/* up to 15 bytes; NULL: its maker's */
	unsigned time_limit_ms; /* from its start, for psu_thread_join(); 0: none */
	size_t slot_len;		/* bytes of address space for its heap and all else,
							   up to 32 GiB; 0: $PSU_THREAD_SLOT, or 128 MiB */
};

/** How a thread ended, as far as it is known. */
enum psu_thread_end {
	PSU_THREAD_ENDED_HERE = 1, /* at home */
	PSU_THREAD_ENDED_AWAY,	   /* at another host */
	PSU_THREAD_LOST,		   /* with the host that had it */
	PSU_THREAD_DOUBTFUL		   /* a host may have it, and does not say */
};

/** Room for a host's name with its NUL. */
#define PSU_THREAD_HOST_LEN 65

struct psu_thread_outcome {
	enum psu_thread_end end;		/* 0 if it has not ended: OVERDUE */
	char host[PSU_THREAD_HOST_LEN]; /* where it ended, was lost, or may be; as
									   its certificate names it */
};

/**
 * Run @fn(@arg) in a new migratable thread and return at once.  It may end at
 * any host; psu_thread_join() has its result here.
 *
 * @arg         passed to @fn; what it points to does not travel
 * @attr        NULL: as usual
 * @thread_out  of this process; goes to psu_thread_join() once
 *
 * Returns 0, or a negative PSU_THREAD_E_*: INVALID_ARGUMENT, ZONE_FULL,
 * NO_MEMORY, SYSTEM, NOT_SET_UP, FORKED.
 */
PSU_THREAD_EXPORT PSU_THREAD_MUST_CHECK int
psu_thread_start(void *(*fn)(void *), void *arg,
				 const struct psu_thread_attr *attr,
				 struct psu_thread_handle **thread_out);

/**
 * Wait until a thread has ended, wherever that is, and free what it has here.
 *
 * @result_out   what its function returned, or pthread_exit()'s value, or
 *               PTHREAD_CANCELED; NULL: not wanted
 * @outcome_out  how and where it ended; also written with LOST_WITH_PEER,
 *               IN_DOUBT and OVERDUE; NULL: not wanted
 *
 * Returns 0 when it has ended, and LOST_WITH_PEER when the host that had it is
 * known to have died with it, or it was given up: then @thread is free.  After
 * IN_DOUBT and OVERDUE it may be joined again: IN_DOUBT when for a minute no
 * host has said that it has it, and OVERDUE, said once, when its time limit is
 * over; nothing is done to the thread.  Else INVALID_ARGUMENT (@thread is none,
 * was joined, is being joined, or is the caller), NOT_SET_UP or FORKED.
 *
 * @result_out is one word, as it was where the thread ended: what it points to
 * must be something at home.
 *
 * Of a thread that came home and ended here it waits for up to 5 s until the
 * host that had it knows that it came: whoever has joined it may end the
 * process.
 */
PSU_THREAD_EXPORT PSU_THREAD_MUST_CHECK int
psu_thread_join(struct psu_thread_handle *thread, void **result_out,
				struct psu_thread_outcome *outcome_out);

/**
 * Client: run @fn(@arg) in a new migratable thread; return when it has ended
 * here or has left.  Server: wait for one thread from another host, run it to
 * its end (or until it leaves), and return; @fn and @arg are not used.
 *
 * @fn   what the thread runs; its result is logged where the thread ends
 * @arg  passed to @fn; what it points to does not travel
 *
 * Returns 0, or a negative PSU_THREAD_E_*.  LOST_WITH_PEER tells that the
 * destination took the thread over and died before it could answer; IN_DOUBT,
 * after a minute, that it does not say whether it has it: the thread stays
 * frozen here and the destination is asked as long as this process lives.
 */
PSU_THREAD_EXPORT PSU_THREAD_MUST_CHECK int
psu_thread_create(void *(*fn)(void *), void *arg);

/** The host at which the calling thread was born, as a destination. */
#define PSU_THREAD_HOME ((const char *)0)

/**
 * Server: take in threads from other hosts, any number at the same time, and
 * run them to their ends, or until they leave.  Returns after psu_thread_stop()
 * or SIGTERM, which is handled here while this call runs if the program has
 * left it at SIG_DFL.  Then no more threads are taken in (their sources are
 * told DRAINING), and those that are here have @drain_ms to end or leave; for
 * each that stays there is an error line, since it is lost if the process ends
 * then.  What is to be told to other hosts takes up to PSU_THREAD_WAIT_LINGER
 * more.
 *
 * Returns how many stay, or a negative PSU_THREAD_E_*: MODE_INVALID (of a
 * client), BUSY (it runs already), NO_MEMORY, NOT_SET_UP, FORKED.
 */
PSU_THREAD_EXPORT PSU_THREAD_MUST_CHECK int psu_thread_serve(unsigned drain_ms);

/**
 * Let psu_thread_serve() stop; if it does not run, the next one stops at once.
 * Before psu_thread_setup_init() it does nothing.  May be called by any thread,
 * and in a signal handler.
 */
PSU_THREAD_EXPORT void psu_thread_stop(void);

/**
 * Move the calling thread to @host and go on there.
 *
 * @host  "name", "address", "name:port" or "[v6]:port", not kept; or
 *        PSU_THREAD_HOME, the process that started it, which need not listen
 *        for that, since the session by which the thread came will do
 *
 * Returns 0 on the destination, also if the thread is at home already.  On
 * failure a negative PSU_THREAD_E_* at the source, where the thread goes on as
 * if nothing had been.  While the answer of the destination is in doubt, and
 * while the thread is known to be lost with it, the call does not return
 * anywhere: psu_thread_resolve() can decide that.
 */
PSU_THREAD_EXPORT PSU_THREAD_MUST_CHECK int
psu_thread_migrate(const char *host);

/**
 * What the program wants to be told when one of its threads moves; NULL: not
 * that.  Each runs in the moving thread, on its own stack, as the code around
 * psu_thread_migrate() does, and must return; it may not migrate itself.  The
 * hooks of the process where they run are called.
 */
struct psu_thread_hooks {
	/** At the source, before anything is captured: close and flush what stays
	 * behind.  @host is what psu_thread_migrate() was given. */
	void (*on_departure)(const char *host, void *context);
	/** At the destination, before psu_thread_migrate() returns 0: reopen files,
	 * reseed generators.  @from names the source, as its certificate does. */
	void (*on_arrival)(const char *from, void *context);
	/** At the source, before psu_thread_migrate() returns @code: the thread
	 * goes on there. */
	void (*on_failed)(const char *host, int code, void *context);
	void *context; /* passed to each; of this process */
};

/**
 * Set the hooks of this process.  Call it before threads come and go.
 *
 * @hooks  copied; NULL: none any more
 */
PSU_THREAD_EXPORT void
psu_thread_set_hooks(const struct psu_thread_hooks *hooks);

/** One sentence for @code (0 or PSU_THREAD_E_*).  Static, never NULL. */
PSU_THREAD_EXPORT const char *psu_thread_strerror(int code);

/**
 * What, where, why and what to do now: the sentence of the calling thread's
 * last failure in this process, "" if there was none.  Valid until the
 * thread's next call into the library; it does not travel.
 */
PSU_THREAD_EXPORT const char *psu_thread_errmsg(void);

/** The library's version, as "0.1.0".  Static. */
PSU_THREAD_EXPORT const char *psu_thread_version(void);

/** How much the log tells; each level includes the ones before it. */
enum psu_thread_log_level {
	PSU_THREAD_LOG_NONE = 0,
	PSU_THREAD_LOG_ERROR = 1, /* refusals and failures; the default */
	PSU_THREAD_LOG_INFO = 2,
	PSU_THREAD_LOG_DEBUG = 3
};

/** Takes one line of the log, without a newline; may be called by any thread
 * that is in the library, one at a time.  It must not call back into the
 * library, nor wait for a thread that may be in a call of it: lines are logged
 * under the library's locks. */
typedef void psu_thread_log_fn(enum psu_thread_log_level level,
							   const char *line, void *context);

/**
 * Choose what is logged and where.
 *
 * @level    lines above it are dropped
 * @fn       gets each line; NULL writes "[level] line" to stderr
 * @context  passed to @fn
 */
PSU_THREAD_EXPORT void psu_thread_set_log(enum psu_thread_log_level level,
										  psu_thread_log_fn *fn, void *context);

#ifdef __cplusplus
}
#endif

#include <psu_thread_check.h>
#include <psu_thread_heap.h>
#include <psu_thread_info.h>

#endif
