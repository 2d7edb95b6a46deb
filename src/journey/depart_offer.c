/* SPDX-License-Identifier: ISC */
/*
 * depart_offer.c - sign the image for one session, and send it
 *
 *     OFFER   the sealed statement; its header goes out before the image is
 *             signed, so that the destination is awake when the rest comes
 *     BODY    head and stack, in frames of up to 1 MiB; the last of them
 *             gives the thread away if the move takes one flight
 */
#include "journey/depart.h"
#include "net/limits.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

/** All BODY frames of a statement name its stream. */
#define STREAM 1

/** Frames of the body: the last one is short, so that OFFER and body of a
 * small image share one TLS record, and so that little is on the way when the
 * thread is given away.  Between frames an early refusal is looked for. */
#define LAST_LEN (12u << 10)
#define CHUNK_LEN (256u << 10)

void psu_depart_drop_session(struct psu_departure *departure)
{
	if (departure->session)
		departure->session->broken = true;
	psu_line_put(departure->session);
	departure->session = NULL;
}

static int open_session(struct psu_departure *departure)
{
	struct psu_process *process = psu_process_get();
	struct psu_peer peer;
	int rc;

	psu_phase_begin(PSU_PHASE_OPEN);
	rc = psu_line_take(&departure->way, &departure->session);
	if (!rc)
		rc = psu_session_judge(&process->context, departure->session,
							   PSU_RIGHT_RECEIVE, &peer);
	if (rc)
		psu_depart_drop_session(departure);
	return rc;
}

static void sign(struct psu_departure *departure)
{
	struct psu_process *process = psu_process_get();
	struct psu_session *session = departure->session;
	const struct psu_image *image = &departure->image;
	struct psu_statement *statement = &departure->statement;

	psu_phase_begin(PSU_PHASE_SIGN);
	memcpy(departure->host, session->peer.name, sizeof(departure->host));
	*statement = (struct psu_statement){
		.kind = PSU_KIND_MOVE,
		.one_flight = departure->source.one_flight,
		.thread = departure->thread->id,
		.generation = departure->thread->generation + 1,
		.time_ms = psu_seal_now_ms(),
		.incarnation = session->hello.incarnation,
		.source = psu_trust_self(process->trust)->digest,
		.destination = session->peer.digest,
		.program = process->manifest.digest,
		.slot_addr = departure->thread->slot.addr,
		.stack_room = departure->thread->slot.stack_len,
		.head_len = (uint32_t)departure->head_len,
		.stack_len = (uint32_t)image->stack.len,
		.sequence = session->offers++,
		.stream = STREAM,
		.exporter = session->exporter,
	};
	randombytes_buf(&statement->migration, sizeof(statement->migration));
	psu_seal_digest(departure->head, departure->head_len, image->stack.bytes,
					image->stack.len, &statement->body);
	psu_seal_sign(statement, psu_trust_sign_secret(process->trust),
				  departure->sealed);
}

static size_t next_len(size_t left)
{
	if (left <= LAST_LEN)
		return left;
	return left - LAST_LEN < CHUNK_LEN ? left - LAST_LEN : CHUNK_LEN;
}

/** @offer, if any, and a BODY frame of @len bytes from position @at of the
 * body, which is head and stack, one behind the other. */
static int send_body(struct psu_departure *departure, const struct iovec *offer,
					 size_t at, size_t len, int64_t deadline)
{
	uint8_t header_bytes[PSU_FRAME_HEADER_LEN];
	const struct psu_frame_header header = {
		.payload_len = (uint32_t)len,
		.type = PSU_FRAME_BODY,
		.stream = STREAM,
	};
	size_t head_left = at < departure->head_len ? departure->head_len - at : 0;
	size_t of_head = len < head_left ? len : head_left;
	size_t stack_at = head_left ? 0 : at - departure->head_len;
	const uint8_t *stack = departure->image.stack.bytes + stack_at;
	const struct iovec parts[] = {
		*offer,
		{header_bytes, sizeof(header_bytes)},
		{departure->head + at, of_head},
		{(void *)(uintptr_t)stack, len - of_head},
	};

	psu_frame_put_header(&header, header_bytes);
	return psu_session_send(departure->session, parts, 4, deadline);
}

/** Before its last bytes go out the source stops being free to go on. */
static void give_away(struct psu_departure *departure)
{
	const struct psu_source_event event = {.kind = PSU_SOURCE_SENDING_LAST};

	if (departure->source.one_flight)
		psu_source_step(&departure->source, &event);
}

static int send_offer_header(struct psu_departure *departure)
{
	uint8_t bytes[PSU_FRAME_HEADER_LEN];
	const struct psu_frame_header header = {
		.payload_len = PSU_SEALED_LEN,
		.type = PSU_FRAME_OFFER,
		.stream = STREAM,
	};

	psu_frame_put_header(&header, bytes);
	return psu_session_send(departure->session,
							&(struct iovec){bytes, sizeof(bytes)}, 1,
							psu_socket_deadline(PSU_MESSAGE_MS));
}

/** Whether the destination has said something before it has got all. */
static bool is_unwanted(struct psu_session *session)
{
	if (psu_session_is_quiet(session))
		return false;
	psu_session_skip_call(session);
	return session->held || session->broken;
}

static int send_rest(struct psu_departure *departure)
{
	struct iovec offer = {departure->sealed, sizeof(departure->sealed)};
	size_t left = departure->head_len + departure->image.stack.len, at = 0;
	int64_t deadline = psu_session_body_deadline(left);

	psu_phase_begin(PSU_PHASE_SEND);
	while (left) {
		size_t len = next_len(left);
		int rc;

		if (len == left)
			give_away(departure);
		rc = send_body(departure, &offer, at, len, deadline);
		if (rc)
			return rc;
		offer.iov_len = 0;
		at += len;
		left -= len;
		if (left && is_unwanted(departure->session)) {
			departure->session->broken = true;
			return 0;
		}
	}
	return 0;
}

static int send_all(struct psu_departure *departure)
{
	int rc = send_offer_header(departure);

	if (rc)
		return rc;
	sign(departure);
	return send_rest(departure);
}

int psu_depart_offer(struct psu_departure *departure)
{
	size_t len = departure->head_len + departure->image.stack.len;
	bool may_be_stale;
	int rc;

	for (;;) {
		rc = open_session(departure);
		if (rc)
			return rc;
		assert(departure->session);
		may_be_stale = departure->session->offers > 0;
		psu_source_begin(&departure->source, len <= PSU_ONE_FLIGHT_LEN_MAX,
						 &departure->session->hello.incarnation);
		rc = send_all(departure);
		if (!rc || departure->source.state != PSU_SOURCE_FROZEN ||
			!may_be_stale)
			break;
		psu_depart_drop_session(departure);
		departure->way.fresh = true;
	}
	if (!rc)
		psu_log(PSU_THREAD_LOG_DEBUG, "Sent %zu bytes over the socket",
				len + PSU_SEALED_LEN);
	return rc;
}
