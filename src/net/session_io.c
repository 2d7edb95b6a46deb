/* SPDX-License-Identifier: ISC */
/*
 * session_io.c - bytes and frames over a session, each with a deadline
 */
#include "net/limits.h"
#include "net/session.h"
#include "report/traffic.h"

#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int out_of_time(struct psu_session *session)
{
	session->broken = true;
	return psu_error_keep(PSU_THREAD_E_HOST_SILENT,
						  "%s does not answer in time: check that it is up and "
						  "the network works",
						  session->peer_name);
}

bool psu_session_has_ended(int wants)
{
	int error = errno;

	if (wants == SSL_ERROR_SYSCALL)
		return !error || error == ECONNRESET || error == EPIPE;
	return ERR_GET_REASON(ERR_peek_error()) ==
		   SSL_R_UNEXPECTED_EOF_WHILE_READING;
}

/** After a TLS call that did not finish: wait for what it wants.  0: try
 * again.  That nothing comes, or no more, is for the caller to report. */
static int wait_for_tls(struct psu_session *session, int result, bool reading,
						int64_t deadline)
{
	int wants = SSL_get_error(session->ssl, result);

	if (wants == SSL_ERROR_WANT_READ || wants == SSL_ERROR_WANT_WRITE) {
		if (psu_socket_wait(session->fd, wants == SSL_ERROR_WANT_WRITE,
							deadline))
			return 0;
		return out_of_time(session);
	}
	session->broken = true;
	if (wants == SSL_ERROR_ZERO_RETURN ||
		(reading && psu_session_has_ended(wants)))
		return psu_error_keep(PSU_THREAD_E_CONNECTION_LOST,
							  "%s closed the connection: see the log there",
							  session->peer_name);
	return psu_tls_error(session->ssl, result, session->peer_name);
}

/** Change our traffic keys now and then (RFC 8446 §5.5). */
static int count_bytes(struct psu_session *session, size_t len)
{
	session->key_bytes += len;
	if (session->key_bytes < PSU_KEY_UPDATE_BYTES)
		return 1;
	session->key_bytes = 0;
	return SSL_key_update(session->ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
}

static int send_bytes(struct psu_session *session, const uint8_t *bytes,
					  size_t len, int64_t deadline)
{
	while (len) {
		size_t sent = 0;
		int result;

		ERR_clear_error();
		result = SSL_write_ex(session->ssl, bytes, len, &sent);

		if (result == 1 && count_bytes(session, sent)) {
			bytes += sent;
			len -= sent;
			if (len)
				psu_traffic_give_way();
			continue;
		}
		result = wait_for_tls(session, result, false, deadline);
		if (result)
			return result;
	}
	return 0;
}

int psu_session_send(struct psu_session *session, const struct iovec *parts,
					 size_t count, int64_t deadline)
{
	uint8_t record[PSU_RECORD_LEN];
	size_t filled = 0;
	int rc = 0;

	/* small parts share a record; of large ones whole records are sent from
	 * where they lie */
	for (size_t i = 0; i < count; i++) {
		const uint8_t *at = parts[i].iov_base;
		size_t left = parts[i].iov_len;

		while (left) {
			size_t len = PSU_RECORD_LEN - filled;

			if (!filled && left >= PSU_RECORD_LEN) {
				len = left - left % PSU_RECORD_LEN;
				rc = send_bytes(session, at, len, deadline);
			} else {
				len = left < len ? left : len;
				memcpy(record + filled, at, len);
				filled += len;
				if (filled == PSU_RECORD_LEN) {
					rc = send_bytes(session, record, filled, deadline);
					filled = 0;
				}
			}
			if (rc)
				return rc;
			at += len;
			left -= len;
		}
	}
	return filled ? send_bytes(session, record, filled, deadline) : 0;
}

int psu_session_send_frame(struct psu_session *session,
						   enum psu_frame_type type, const void *payload,
						   size_t len)
{
	uint8_t bytes[PSU_FRAME_HEADER_LEN];
	const struct psu_frame_header header = {
		.payload_len = (uint32_t)len,
		.type = (uint8_t)type,
	};
	const struct iovec parts[] = {
		{bytes, sizeof(bytes)},
		{(void *)(uintptr_t)payload, len},
	};

	psu_frame_put_header(&header, bytes);
	return psu_session_send(session, parts, 2,
							psu_clock_deadline(PSU_MESSAGE_MS));
}

int psu_session_send_control(struct psu_session *session,
							 const struct psu_control *control)
{
	/* not by way of a record: a restored thread answers from a stack of which
	 * few pages are there */
	uint8_t frame[PSU_FRAME_HEADER_LEN + PSU_CONTROL_LEN];
	const struct psu_frame_header header = {
		.payload_len = PSU_CONTROL_LEN,
		.type = control->type,
	};

	psu_frame_put_header(&header, frame);
	psu_frame_put_control(control, frame + PSU_FRAME_HEADER_LEN);
	return send_bytes(session, frame, sizeof(frame),
					  psu_clock_deadline(PSU_MESSAGE_MS));
}

int psu_session_recv_some(struct psu_session *session, void *out, size_t len,
						  int64_t deadline, size_t *got_out)
{
	int result, rc = 0;

	do {
		ERR_clear_error();
		result = SSL_read_ex(session->ssl, out, len, got_out);
		if (result != 1)
			rc = wait_for_tls(session, result, true, deadline);
	} while (result != 1 && !rc);
	return rc;
}

int psu_session_recv(struct psu_session *session, void *out, size_t len,
					 int64_t deadline)
{
	uint8_t *at = out;
	int rc = 0;

	while (len && !rc) {
		size_t got = 0;

		rc = psu_session_recv_some(session, at, len, deadline, &got);
		at += got;
		len -= got;
	}
	return rc;
}

int64_t psu_session_body_deadline(uint64_t len)
{
	return psu_clock_deadline(PSU_BODY_GRACE_MS +
							  (int64_t)(len / PSU_BODY_RATE_MIN) * 1000);
}

int psu_session_recv_header(struct psu_session *session,
							struct psu_frame_header *header_out,
							int64_t deadline)
{
	uint8_t bytes[PSU_FRAME_HEADER_LEN];
	int rc = 0;

	if (session->held) {
		session->held = false;
		*header_out = session->held_header;
		return 0;
	}
	/* who sends without pause gets no more time for it */
	if (psu_clock_now_ms() >= deadline)
		rc = out_of_time(session);
	if (!rc)
		rc = psu_session_recv(session, bytes, 1, deadline);

	if (!rc)
		rc = psu_session_recv(session, bytes + 1, sizeof(bytes) - 1,
							  psu_clock_deadline(PSU_MESSAGE_MS));
	if (!rc)
		rc = psu_frame_get_header(bytes, header_out);
	if (rc)
		session->broken = true;
	return rc;
}

void psu_session_skip_call(struct psu_session *session)
{
	int64_t deadline = psu_clock_deadline(PSU_MESSAGE_MS);

	if (psu_session_recv_header(session, &session->held_header, deadline) == 0)
		session->held = session->held_header.type != PSU_FRAME_CALL;
}

int psu_session_recv_answer(struct psu_session *session,
							struct psu_frame_header *header_out,
							int64_t deadline)
{
	int rc;

	do
		rc = psu_session_recv_header(session, header_out, deadline);
	while (!rc && header_out->type == PSU_FRAME_CALL && !session->server);
	return rc;
}

bool psu_session_await(struct psu_session *session, int wake_fd,
					   int64_t deadline)
{
	return session->held || SSL_has_pending(session->ssl) ||
		   psu_socket_await(session->fd, wake_fd, deadline);
}

int psu_session_recv_control(struct psu_session *session,
							 const struct psu_frame_header *header,
							 struct psu_control *control_out)
{
	uint8_t payload[PSU_CONTROL_LEN];
	int rc;

	if (header->payload_len != PSU_CONTROL_LEN || header->stream != 0)
		rc = psu_session_unexpected(session, header);
	else
		rc = psu_session_recv(session, payload, sizeof(payload),
							  psu_clock_deadline(PSU_MESSAGE_MS));
	if (!rc)
		rc = psu_frame_get_control(header->type, payload, control_out);
	if (rc)
		session->broken = true;
	return rc;
}

bool psu_session_is_quiet(struct psu_session *session)
{
	struct pollfd poll_fd = {.fd = session->fd, .events = POLLIN};

	return !session->broken && !session->held &&
		   !SSL_has_pending(session->ssl) && poll(&poll_fd, 1, 0) == 0;
}

void psu_session_watch(struct psu_session *session)
{
	struct pollfd poll_fd = {.fd = session->fd, .events = POLLIN};
	int64_t now = psu_clock_now_us(), end = now + PSU_WATCH_US;

	if (now < session->watch_again_us || SSL_has_pending(session->ssl))
		return;
	while (psu_traffic_is_alone() && poll(&poll_fd, 1, 0) == 0) {
		now = psu_clock_now_us();
		if (now >= end) {
			session->watch_again_us = now + PSU_WATCH_PAUSE_US;
			return;
		}
	}
}

void psu_session_close(struct psu_session *session)
{
	if (!session)
		return;
	if (session->ssl && !session->broken)
		SSL_shutdown(session->ssl);
	SSL_free(session->ssl);
	close(session->fd);
	free(session);
}
