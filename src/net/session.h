/* SPDX-License-Identifier: ISC */
/*
 * session.h - an authenticated connection to one peer, and frames over it
 *
 * Opening one is: TLS handshake → who is it → may it (peers file) → hellos →
 * same program, same places, same guards.  Only then does either side send
 * anything else.  A session has one owner at a time; nobody else reads or
 * writes it.
 */
#ifndef PSU_SESSION_H
#define PSU_SESSION_H

#include "net/frame.h"
#include "net/socket.h"
#include "net/tls.h"
#include "start/manifest.h"
#include "trust/trust.h"

#include <sys/uio.h>

/** Bytes of one TLS record, and of one copy. */
#define PSU_RECORD_LEN 16384
/** Room for how a peer is named in sentences, with its NUL. */
#define PSU_PEER_NAME_LEN PSU_SOCKET_NAME_LEN

/** What this process is, towards its peers. */
struct psu_session_context {
	struct psu_trust *trust;
	struct psu_tls *tls;
	const struct psu_manifest *manifest;
	struct psu_hello hello;
};

struct psu_session {
	int fd;
	SSL *ssl;
	bool server;					   /* the peer dialled us */
	bool broken;					   /* of no further use */
	bool reused;					   /* it was idle, or another's, before */
	char peer_name[PSU_PEER_NAME_LEN]; /* for sentences: what was dialled, or
										  the caller's identity */
	struct psu_identity peer;
	struct psu_digest key;	/* of its certificate's public key */
	struct psu_hello hello; /* what it said */
	struct psu_digest exporter;
	uint64_t offers;	/* made, or taken, on this session so far */
	uint64_t key_bytes; /* sent with the present traffic keys */
	bool held;			/* a header was received too early: */
	struct psu_frame_header held_header;
	int64_t opened_ms;
	int64_t watch_again_us; /* not before */
};

/**
 * Dial a host and open a session with it.
 *
 * @session_out  psu_session_close()
 *
 * Returns 0 or any code of opening: HOST_*, CERT_*, NAME_MISMATCH,
 * TLS_FAILED, PEER_NOT_LISTED (here, or there), DIRECTION_DENIED,
 * PIN_MISMATCH, VERSION_MISMATCH, BINARY_MISMATCH, LAYOUT_MISMATCH,
 * GUARDS_DIFFER, ZONE_MISMATCH, PLATFORM_MISMATCH, PROTOCOL, BUSY.
 */
PSU_MUST_CHECK int psu_session_dial(const struct psu_session_context *context,
									const struct psu_endpoint *endpoint,
									struct psu_session **session_out);

/**
 * The server's side, in two steps, since only the second is a peer's.
 *
 * @fd    of the connection; owned by the session from here on, even when this
 *        fails
 * @from  the caller's address, for sentences
 *
 * The first returns 0, CERT_*, TLS_FAILED, HOST_SILENT, CONNECTION_LOST,
 * PROTOCOL (no ALPN), NO_MEMORY; the second what psu_session_dial() returns
 * once it is connected, and it has told the caller.
 */
PSU_MUST_CHECK int
psu_session_authenticate(const struct psu_session_context *context, int fd,
						 const char *from, struct psu_session **session_out);
PSU_MUST_CHECK int psu_session_greet(const struct psu_session_context *context,
									 struct psu_session *session);
/** Tell an authenticated caller why it gets no session, or why its OFFER is
 * not even looked at; nothing can be sent afterwards. */
void psu_session_refuse(struct psu_session *session, int code);
/** The other side of it, when the frame's header has been received: says the
 * reason and returns its code, never 0. */
PSU_MUST_CHECK int psu_session_recv_refusal(struct psu_session *session);

/** A frame came that may not come now: says that, breaks the session, and
 * returns PROTOCOL. */
int psu_session_unexpected(struct psu_session *session,
						   const struct psu_frame_header *header);

/** Whether nothing more can be read because the peer's process has ended:
 * right after a call of TLS that has failed, of which SSL_get_error() says
 * @wants.  A failure to write may have its reason in what can be read still. */
bool psu_session_has_ended(int wants);

void psu_session_close(struct psu_session *session);

/** What a peer may do: send threads here, receive them, or at least one of
 * both. */
enum psu_session_right { PSU_RIGHT_SEND, PSU_RIGHT_RECEIVE, PSU_RIGHT_ANY };

/**
 * Judge the peer again, before each request: peers file, dates, CRL, age.
 *
 * @right    what it must be allowed to do
 * @peer_out its entry in the peers file, as it is now
 */
PSU_MUST_CHECK int psu_session_judge(const struct psu_session_context *context,
									 struct psu_session *session,
									 enum psu_session_right right,
									 struct psu_peer *peer_out);

/** Whether the connection stands and nothing has come: before an idle line is
 * used again, and between the frames of a body. */
bool psu_session_is_quiet(struct psu_session *session);

/** Look for what the peer will send at once, for PSU_WATCH_US at most, unless
 * other moves are under way here, or that was in vain a moment ago: then the
 * peer is far, or on this very processor. */
void psu_session_watch(struct psu_session *session);

/* ---- frames.  All return 0, CONNECTION_LOST, HOST_SILENT (deadline),
 * PROTOCOL, or a TLS code; after an error the session is broken.  Silence and
 * a closed connection are only kept (psu_error_keep()): the caller knows what
 * they mean. */

PSU_MUST_CHECK int psu_session_send(struct psu_session *session,
									const struct iovec *parts, size_t count,
									int64_t deadline);
/** A whole frame of stream 0, within PSU_MESSAGE_MS. */
PSU_MUST_CHECK int psu_session_send_frame(struct psu_session *session,
										  enum psu_frame_type type,
										  const void *payload, size_t len);
PSU_MUST_CHECK int psu_session_send_control(struct psu_session *session,
											const struct psu_control *control);

/** The deadline for @len bytes of body that begin now: a slow sender gets so
 * much time and no more. */
int64_t psu_session_body_deadline(uint64_t len);

/** Wait until @deadline for a frame to begin, then PSU_MESSAGE_MS for its
 * header. */
PSU_MUST_CHECK int psu_session_recv_header(struct psu_session *session,
										   struct psu_frame_header *header_out,
										   int64_t deadline);
/** Pass over a CALL: it is void when it crosses a request.  What is no CALL
 * will be received again. */
void psu_session_skip_call(struct psu_session *session);
/** Like psu_session_recv_header(), by who has asked something: a CALL does not
 * count. */
PSU_MUST_CHECK int psu_session_recv_answer(struct psu_session *session,
										   struct psu_frame_header *header_out,
										   int64_t deadline);
/** Wait until a frame begins, or the session is of no use; false: @wake_fd (-1:
 * none) is readable instead.  Also true when @deadline has passed. */
bool psu_session_await(struct psu_session *session, int wake_fd,
					   int64_t deadline);
PSU_MUST_CHECK int psu_session_recv(struct psu_session *session, void *out,
									size_t len, int64_t deadline);
/** At least one byte, and no more than one TLS record. */
PSU_MUST_CHECK int psu_session_recv_some(struct psu_session *session, void *out,
										 size_t len, int64_t deadline,
										 size_t *got_out);
/** The payload of a control frame whose header has been received. */
PSU_MUST_CHECK int
psu_session_recv_control(struct psu_session *session,
						 const struct psu_frame_header *header,
						 struct psu_control *control_out);

#endif
