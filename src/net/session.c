/* SPDX-License-Identifier: ISC */
/*
 * session.c - open a session: authenticate, authorise, compare
 *
 * What a stranger sends is judged by TLS alone; a peer that TLS let in is
 * judged by the peers file; and only a peer of the same program, at the same
 * places and with the same guards is talked to.
 */
#include "net/session.h"
#include "net/limits.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/** Takes @fd over, also when it fails. */
static int new_session(const struct psu_session_context *context, int fd,
					   const char *dialled, const char *peer_name,
					   struct psu_session **session_out)
{
	struct psu_session *session = calloc(1, sizeof(*session));
	int rc;

	if (!session) {
		close(fd);
		return psu_error_set(PSU_THREAD_E_NO_MEMORY,
							 "no memory for a session with %s: free some",
							 peer_name);
	}
	session->fd = fd;
	session->server = dialled == NULL;
	session->opened_ms = psu_clock_now_ms();
	snprintf(session->peer_name, sizeof(session->peer_name), "%s", peer_name);
	rc = psu_tls_open(context->tls, fd, dialled, &session->ssl);
	if (rc) {
		session->broken = true;
		psu_session_close(session);
		return rc;
	}
	*session_out = session;
	return 0;
}

/** That a caller ends before it is known is its own affair, and no error. */
static int tell_no_handshake(const struct psu_session *session, int result)
{
	int wants = SSL_get_error(session->ssl, result);
	bool before = psu_error_whisper(false);
	int rc;

	psu_error_whisper(before ||
					  (session->server && psu_session_has_ended(wants)));
	rc = psu_tls_error(session->ssl, result, session->peer_name);
	psu_error_whisper(before);
	return rc;
}

static int shake_hands(struct psu_session *session)
{
	int64_t deadline = psu_clock_deadline(PSU_HANDSHAKE_MS);

	for (;;) {
		int result, wants;

		ERR_clear_error();
		result = SSL_do_handshake(session->ssl);
		wants = SSL_get_error(session->ssl, result);
		if (result == 1)
			break;
		if (wants != SSL_ERROR_WANT_READ && wants != SSL_ERROR_WANT_WRITE) {
			session->broken = true;
			return tell_no_handshake(session, result);
		}
		if (!psu_socket_wait(session->fd, wants == SSL_ERROR_WANT_WRITE,
							 deadline)) {
			session->broken = true;
			return psu_error_set(PSU_THREAD_E_HOST_SILENT,
								 "%s does not finish its TLS handshake within "
								 "%d ms: check that a psu_thread server "
								 "listens there",
								 session->peer_name, PSU_HANDSHAKE_MS);
		}
	}
	return psu_tls_exporter(session->ssl, &session->exporter);
}

int psu_session_judge(const struct psu_session_context *context,
					  struct psu_session *session, enum psu_session_right right,
					  struct psu_peer *peer_out)
{
	bool sending = right == PSU_RIGHT_RECEIVE;
	int rc = psu_trust_peer(context->trust, &session->peer, peer_out);

	if (rc)
		return rc;
	if (right != PSU_RIGHT_ANY &&
		!(sending ? peer_out->may_receive : peer_out->may_send))
		return psu_error_set(PSU_THREAD_E_DIRECTION_DENIED,
							 "'%s' may not %s threads: change its direction "
							 "in %s/peers if it should",
							 session->peer.name, sending ? "receive" : "send",
							 psu_trust_dir(context->trust));
	if (peer_out->pinned && !psu_digest_equal(&peer_out->pin, &session->key))
		return psu_error_set(PSU_THREAD_E_PIN_MISMATCH,
							 "'%s' has another key than the pin in %s/peers "
							 "says: find out why before you change the pin",
							 session->peer.name, psu_trust_dir(context->trust));
	if (psu_clock_now_ms() - session->opened_ms > PSU_SESSION_AGE_MS)
		return psu_error_set(PSU_THREAD_E_TLS_FAILED,
							 "the session with '%s' is too old: open another",
							 session->peer.name);
	return psu_tls_recheck(context->tls, session->ssl);
}

/* ---- hellos */

/** @entry  the peer's, as the peers file is now */
static int send_hello(const struct psu_session_context *context,
					  struct psu_session *session, const struct psu_peer *entry)
{
	struct psu_hello hello = context->hello;
	uint8_t payload[PSU_HELLO_LEN];

	hello.attest = entry->attest;
	psu_frame_put_hello(&hello, payload);
	return psu_session_send_frame(session, PSU_FRAME_HELLO, payload,
								  sizeof(payload));
}

int psu_session_recv_refusal(struct psu_session *session)
{
	int64_t deadline = psu_clock_deadline(PSU_MESSAGE_MS);
	uint8_t payload[PSU_REFUSED_LEN];
	struct psu_reader reader = {.at = payload,
								.end = payload + sizeof(payload)};
	int code, rc;

	rc = psu_session_recv(session, payload, sizeof(payload), deadline);
	if (rc)
		return rc;
	code = (int)(int32_t)psu_get_u32(&reader);
	if (!psu_error_known(code))
		code = PSU_THREAD_E_PROTOCOL;
	return psu_error_set(code,
						 "%s refuses this host: %s: see the log and the peers "
						 "file there",
						 session->peer_name, psu_thread_strerror(code));
}

int psu_session_unexpected(struct psu_session *session,
						   const struct psu_frame_header *header)
{
	session->broken = true;
	return psu_error_set(PSU_THREAD_E_PROTOCOL,
						 "%s sent a %s out of turn: install the same version "
						 "of the program on both hosts",
						 session->peer_name, psu_frame_name(header->type));
}

static int recv_hello(struct psu_session *session)
{
	int64_t deadline = psu_clock_deadline(PSU_FIRST_REQUEST_MS);
	struct psu_frame_header header;
	uint8_t payload[PSU_HELLO_LEN];
	int rc = psu_session_recv_header(session, &header, deadline);

	if (!rc && header.type == PSU_FRAME_REFUSED && !session->server)
		return psu_session_recv_refusal(session);
	if (!rc && header.type != PSU_FRAME_HELLO)
		return psu_session_unexpected(session, &header);
	if (!rc)
		rc = psu_session_recv(session, payload, sizeof(payload), deadline);
	if (!rc)
		rc = psu_frame_get_hello(session->peer_name, payload, &session->hello);
	return rc;
}

/* ---- same program, same places, same guards */

static int exchange_manifests(const struct psu_session_context *context,
							  struct psu_session *session)
{
	int64_t deadline = psu_clock_deadline(PSU_FIRST_REQUEST_MS);
	uint8_t bytes[PSU_MANIFEST_LEN_MAX];
	struct psu_manifest *theirs = calloc(1, sizeof(*theirs));
	struct psu_frame_header header;
	size_t len = psu_manifest_encode(context->manifest, bytes);
	int rc;

	if (!theirs)
		return psu_error_set(PSU_THREAD_E_NO_MEMORY,
							 "no memory for the objects of %s: free some",
							 session->peer_name);
	rc = psu_session_send_frame(session, PSU_FRAME_MANIFEST, bytes, len);
	if (!rc)
		rc = psu_session_recv_header(session, &header, deadline);
	if (!rc && (header.type != PSU_FRAME_MANIFEST ||
				header.payload_len > sizeof(bytes)))
		rc = psu_session_unexpected(session, &header);
	if (!rc)
		rc = psu_session_recv(session, bytes, header.payload_len, deadline);
	if (!rc)
		rc = psu_manifest_decode(bytes, header.payload_len, theirs);
	if (!rc)
		rc = psu_manifest_compare(context->manifest, theirs,
								  session->peer_name);
	free(theirs);
	if (!rc) /* the digests differed, but the lists do not */
		rc = psu_session_unexpected(session, &header);
	return rc;
}

static int compare_platforms(const struct psu_hello *here,
							 const struct psu_hello *there, const char *peer)
{
	if (here->page_len != there->page_len ||
		here->window_addr != there->window_addr ||
		here->slot_len != there->slot_len)
		return psu_error_set(PSU_THREAD_E_PLATFORM_MISMATCH,
							 "%s has other pages or slots than this host: "
							 "build both with the same version of psu_thread",
							 peer);
	if (here->isa_needed & ~there->isa_present)
		return psu_error_set(PSU_THREAD_E_CPU_MISMATCH,
							 "the processor of %s lacks instructions that this "
							 "program was built for: build it for an older "
							 "-march",
							 peer);
	if (!psu_digest_equal(&here->locale, &there->locale))
		return psu_error_set(PSU_THREAD_E_PLATFORM_MISMATCH,
							 "%s runs in another locale: set LANG and LC_ALL, "
							 "or what setlocale() is called with, alike on "
							 "both hosts",
							 peer);
	return 0;
}

static int compare_zones(const struct psu_hello *here,
						 const struct psu_hello *there,
						 const struct psu_peer *entry, const char *dir)
{
	if (here->zone_count != there->zone_count)
		return psu_error_set(PSU_THREAD_E_ZONE_MISMATCH,
							 "'%s' counts %u zones, this host %u: build both "
							 "with the same version of psu_thread",
							 entry->identity.name, there->zone_count,
							 here->zone_count);
	if (entry->zone != there->zone)
		return psu_error_set(PSU_THREAD_E_ZONE_MISMATCH,
							 "'%s' says that its zone is %u, but %s/peers "
							 "says %u: correct one of the two peers files",
							 entry->identity.name, there->zone, dir,
							 entry->zone);
	return 0;
}

static int compare(const struct psu_session_context *context,
				   struct psu_session *session, const struct psu_peer *entry)
{
	const struct psu_hello *here = &context->hello, *there = &session->hello;
	int rc;

	if (!psu_digest_equal(&here->program, &there->program))
		return exchange_manifests(context, session);
	rc = compare_platforms(here, there, session->peer_name);
	if (!rc)
		rc = compare_zones(here, there, entry, psu_trust_dir(context->trust));
	if (!rc && !psu_digest_equal(&here->guards, &there->guards))
		rc = psu_error_set(PSU_THREAD_E_GUARDS_DIFFER,
						   "%s does not share this deployment's stack guards: "
						   "give both hosts the same deployment.key and start "
						   "both programs again",
						   session->peer_name);
	return rc;
}

/* ---- the two sides */

static int open_client(const struct psu_session_context *context,
					   struct psu_session *session)
{
	struct psu_peer entry;
	int rc = shake_hands(session);

	if (!rc)
		rc = psu_tls_peer(session->ssl, &session->peer, &session->key);
	if (!rc)
		rc = psu_session_judge(context, session, PSU_RIGHT_ANY, &entry);
	if (!rc)
		rc = send_hello(context, session, &entry);
	if (!rc)
		rc = recv_hello(session);
	if (!rc)
		rc = compare(context, session, &entry);
	return rc;
}

int psu_session_dial(const struct psu_session_context *context,
					 const struct psu_endpoint *endpoint,
					 struct psu_session **session_out)
{
	struct psu_session *session = NULL;
	char name[PSU_PEER_NAME_LEN];
	int fd, rc = psu_socket_dial(endpoint, &fd);

	if (rc)
		return rc;
	psu_socket_name(endpoint, name);
	rc = new_session(context, fd, endpoint->host, name, &session);
	if (!rc)
		rc = open_client(context, session);
	if (rc) {
		psu_session_close(session);
		return psu_error_tell(rc);
	}
	*session_out = session;
	return 0;
}

int psu_session_authenticate(const struct psu_session_context *context, int fd,
							 const char *from, struct psu_session **session_out)
{
	struct psu_session *session = NULL;
	int rc = new_session(context, fd, NULL, from, &session);

	if (!rc)
		rc = shake_hands(session);
	if (!rc)
		rc = psu_tls_peer(session->ssl, &session->peer, &session->key);
	if (rc) {
		psu_session_close(session);
		return rc;
	}
	snprintf(session->peer_name, sizeof(session->peer_name), "%s (%s)",
			 session->peer.name, from);
	*session_out = session;
	return 0;
}

/** Whether the caller's process has ended, which is its own affair: one that
 * refuses us closes in due form (RFC 8446 §6.1), and that is news. */
static bool has_vanished(const struct psu_session *session, int code)
{
	return code == PSU_THREAD_E_CONNECTION_LOST &&
		   !(SSL_get_shutdown(session->ssl) & SSL_RECEIVED_SHUTDOWN);
}

int psu_session_greet(const struct psu_session_context *context,
					  struct psu_session *session)
{
	struct psu_peer entry;
	int rc = psu_session_judge(context, session, PSU_RIGHT_ANY, &entry);

	if (!rc) {
		rc = recv_hello(session);
		if (!rc || rc == PSU_THREAD_E_VERSION_MISMATCH) {
			int sent = send_hello(context, session, &entry);

			rc = rc ? rc : sent;
		}
	}
	if (!rc)
		rc = compare(context, session, &entry);
	/* not all of this can the caller see in our hello: it may have sent an
	 * OFFER meanwhile, and must hear that nobody has looked at it */
	if (rc) {
		if (!has_vanished(session, rc))
			psu_error_tell(rc);
		psu_session_refuse(session, rc);
	}
	return rc;
}

void psu_session_refuse(struct psu_session *session, int code)
{
	uint8_t payload[PSU_REFUSED_LEN], rest[256];
	struct psu_writer writer = {.at = payload,
								.end = payload + sizeof(payload)};
	int64_t deadline = psu_clock_deadline(PSU_REFUSED_MS);

	if (session->broken)
		return;
	psu_put_u32(&writer, (uint32_t)code);
	if (psu_session_send_frame(session, PSU_FRAME_REFUSED, payload,
							   sizeof(payload)) != 0)
		return;

	/* a reset would overtake the reason, if what the caller has sent
	 * meanwhile were left unread */
	shutdown(session->fd, SHUT_WR);
	while (psu_socket_wait(session->fd, false, deadline) &&
		   recv(session->fd, rest, sizeof(rest), 0) > 0)
		continue;
	session->broken = true;
}
