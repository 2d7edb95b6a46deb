/* SPDX-License-Identifier: ISC */
/*
 * parcel.c - sign what goes to another host, for one session, and send it
 *
 *     OFFER   the sealed statement; its header goes out before that is
 *             signed, so that the destination is awake when the rest comes
 *     BODY    itinerary, head, stack and the heap's pages, with their digests
 *             if they are wanted, in frames of up to 1 MiB; the last of them
 *             gives a thread away if its move takes one flight
 */
#include "journey/parcel.h"
#include "journey/process.h"
#include "net/limits.h"
#include "report/phase.h"
#include "report/traffic.h"

#include <sodium.h>
#include <string.h>

/** All BODY frames of a statement name its stream. */
#define STREAM 1

/** Frames of the body: the last one is short, so that OFFER and body of a
 * small image share one TLS record, and so that little is on the way when the
 * thread is given away.  Between frames an early refusal is looked for. */
#define LAST_LEN (PSU_RECORD_LEN - PSU_SEALED_LEN - PSU_FRAME_HEADER_LEN)
#define CHUNK_LEN ((256u << 10) - PSU_FRAME_HEADER_LEN) /* whole records */

/** Itinerary, head and stack; and pieces that one frame takes at most. */
#define FIXED_PARTS 3
#define FRAME_PARTS 64

/** What is still to be sent. */
struct body {
	struct psu_parcel *parcel;
	struct iovec fixed[FIXED_PARTS], part; /* the rest of the one in hand */
	unsigned next_fixed;
	const struct psu_heap_run *next_run, *runs_end;
	uint64_t run_end; /* of the one before */
	uint64_t left;	  /* bytes in all */
};

static uint64_t heap_len(const struct psu_parcel *parcel)
{
	return parcel->heap ? psu_heap_map_len(parcel->heap) : 0;
}

size_t psu_parcel_len(const struct psu_parcel *parcel)
{
	return parcel->head.len + parcel->stack.len + heap_len(parcel);
}

static size_t attestation_len(const struct psu_parcel *parcel)
{
	return parcel->digests ? psu_attest_len(heap_len(parcel)) : 0;
}

static void sign(struct psu_parcel *parcel, struct psu_session *session)
{
	struct psu_process *process = psu_process_get();
	struct psu_statement *statement = &parcel->statement;

	psu_phase_begin(PSU_PHASE_SIGN);
	*statement = (struct psu_statement){
		.kind = (uint8_t)parcel->kind,
		.one_flight = parcel->one_flight,
		.thread = parcel->thread,
		.generation = parcel->generation,
		.links = (uint8_t)parcel->itinerary->count,
		.time_ms = psu_seal_now_ms(),
		.incarnation = session->hello.incarnation,
		.source = psu_trust_self(process->trust)->digest,
		.destination = session->peer.digest,
		.program = process->manifest.digest,
		.slot_addr = parcel->slot_addr,
		.slot_len = parcel->slot_len,
		.stack_room = parcel->stack_room,
		.head_len = (uint32_t)parcel->head.len,
		.stack_len = (uint32_t)parcel->stack.len,
		.heap_len = heap_len(parcel),
		.sequence = session->offers++,
		.stream = STREAM,
		.exporter = session->exporter,
		.attested = parcel->digests != NULL,
	};
	randombytes_buf(&statement->migration, sizeof(statement->migration));
	psu_itinerary_previous(parcel->itinerary, &statement->previous);
	psu_seal_digest(parcel->head.bytes, parcel->head.len, parcel->stack.bytes,
					parcel->stack.len, &statement->body);
	psu_seal_sign(statement, psu_trust_sign_secret(process->trust),
				  parcel->sealed);
}

/** Of the next frame, behind @offer_len bytes of the OFFER. */
static size_t next_len(uint64_t left, size_t offer_len)
{
	size_t len = CHUNK_LEN - offer_len;

	if (left <= LAST_LEN)
		return left;
	return left - LAST_LEN < len ? left - LAST_LEN : len;
}

static struct iovec part_of(const void *bytes, size_t len)
{
	return (struct iovec){(void *)(uintptr_t)bytes, len};
}

static struct body begin_body(struct psu_parcel *parcel)
{
	struct body body = {
		.fixed = {part_of(parcel->itinerary->links,
						  parcel->statement.links * (size_t)PSU_SEALED_LEN),
				  part_of(parcel->head.bytes, parcel->head.len),
				  part_of(parcel->stack.bytes, parcel->stack.len)},
		.parcel = parcel,
		.run_end = parcel->heap_addr,
	};

	if (parcel->heap) {
		body.next_run = parcel->heap->runs;
		body.runs_end = parcel->heap->runs + parcel->heap->run_count;
	}
	body.left = body.fixed[0].iov_len + psu_parcel_len(parcel);
	body.left += attestation_len(parcel);
	return body;
}

/** The last part: a digest of each chunk of the heap, signed. */
static struct iovec attest(const struct psu_parcel *parcel)
{
	uint8_t *bytes = psu_digests_await(parcel->digests);

	psu_attest_sign(parcel->sealed, psu_attest_chunks(heap_len(parcel)),
					psu_trust_sign_secret(psu_process_get()->trust), bytes);
	return part_of(bytes, attestation_len(parcel));
}

/** Take the next part in hand, if it travels.  There is one. */
static void take_part(struct body *body)
{
	const struct psu_heap_run *run;

	if (body->next_fixed < FIXED_PARTS) {
		body->part = body->fixed[body->next_fixed++];
		return;
	}
	if (body->next_run == body->runs_end) {
		body->part = attest(body->parcel);
		return;
	}
	run = body->next_run++;
	body->run_end += (uint64_t)run->gap * PSU_HEAP_PAGE_LEN;
	if (!run->kept)
		body->part = (struct iovec){(void *)body->run_end,
									(size_t)run->count * PSU_HEAP_PAGE_LEN};
	body->run_end += (uint64_t)run->count * PSU_HEAP_PAGE_LEN;
}

/** The next bytes, @len of them unless they lie in too many places.  Returns
 * how many. */
static size_t take_bytes(struct body *body, size_t len,
						 struct iovec parts_out[FRAME_PARTS])
{
	size_t taken = 0;

	for (int i = 0; i < FRAME_PARTS; i++) {
		size_t of_part;

		while (taken < len && !body->part.iov_len)
			take_part(body);
		of_part = body->part.iov_len < len - taken ? body->part.iov_len
												   : len - taken;
		parts_out[i] = (struct iovec){body->part.iov_base, of_part};
		body->part.iov_base = (uint8_t *)body->part.iov_base + of_part;
		body->part.iov_len -= of_part;
		taken += of_part;
	}
	body->left -= taken;
	return taken;
}

/** @offer, if any, and a BODY frame of @parts, @len bytes together. */
static int send_body(struct psu_session *session, const struct iovec *offer,
					 const struct iovec parts[FRAME_PARTS], size_t len,
					 int64_t deadline)
{
	uint8_t header_bytes[PSU_FRAME_HEADER_LEN];
	const struct psu_frame_header header = {
		.payload_len = (uint32_t)len,
		.type = PSU_FRAME_BODY,
		.stream = STREAM,
	};
	struct iovec all[2 + FRAME_PARTS] = {
		*offer,
		{header_bytes, sizeof(header_bytes)},
	};

	psu_frame_put_header(&header, header_bytes);
	memcpy(&all[2], parts, FRAME_PARTS * sizeof(*parts));
	return psu_session_send(session, all, 2 + FRAME_PARTS, deadline);
}

static int send_offer_header(struct psu_session *session)
{
	uint8_t bytes[PSU_FRAME_HEADER_LEN];
	const struct psu_frame_header header = {
		.payload_len = PSU_SEALED_LEN,
		.type = PSU_FRAME_OFFER,
		.stream = STREAM,
	};

	psu_frame_put_header(&header, bytes);
	return psu_session_send(session, &(struct iovec){bytes, sizeof(bytes)}, 1,
							psu_clock_deadline(PSU_MESSAGE_MS));
}

/** Whether the destination has said something before it has got all. */
static bool is_unwanted(struct psu_session *session)
{
	if (psu_session_is_quiet(session))
		return false;
	psu_session_skip_call(session);
	return session->held || session->broken;
}

static int send_rest(struct psu_parcel *parcel, struct psu_session *session,
					 void (*last)(void *), void *argument)
{
	struct iovec offer = {parcel->sealed, sizeof(parcel->sealed)};
	struct body body = begin_body(parcel);
	int64_t deadline = psu_session_body_deadline(body.left);

	psu_phase_begin(PSU_PHASE_SEND);
	while (body.left) {
		struct iovec parts[FRAME_PARTS];
		size_t len = take_bytes(&body, next_len(body.left, offer.iov_len),
								parts);
		int rc;

		if (!body.left && last)
			last(argument);
		rc = send_body(session, &offer, parts, len, deadline);
		if (rc)
			return rc;
		offer.iov_len = 0;
		if (body.left && is_unwanted(session)) {
			session->broken = true;
			return 0;
		}
	}
	return 0;
}

/** If the destination wants it: the heap's digests are made from here on. */
static int begin_attestation(struct psu_parcel *parcel,
							 const struct psu_session *session)
{
	int rc;

	if (parcel->kind != PSU_KIND_MOVE || !session->hello.attest)
		return 0;
	rc = psu_digests_begin(parcel->heap, parcel->heap_addr, &parcel->digests);
	if (!rc)
		psu_digests_advance(parcel->digests, heap_len(parcel));
	return rc;
}

int psu_parcel_send(struct psu_parcel *parcel, struct psu_session *session,
					void (*last)(void *), void *argument)
{
	int rc;

	psu_traffic_enter();
	rc = begin_attestation(parcel, session);
	if (!rc)
		rc = send_offer_header(session);
	if (!rc) {
		sign(parcel, session);
		rc = send_rest(parcel, session, last, argument);
	}
	if (!rc)
		psu_log(PSU_THREAD_LOG_DEBUG, "Sent %zu bytes over the socket",
				psu_parcel_len(parcel) +
					PSU_SEALED_LEN * (1u + parcel->statement.links) +
					attestation_len(parcel));
	psu_digests_free(parcel->digests);
	parcel->digests = NULL;
	psu_traffic_leave();
	return rc;
}

int psu_parcel_recv_answer(const struct psu_parcel *parcel,
						   struct psu_session *session, bool refusable,
						   struct psu_control *control_out)
{
	int64_t deadline = psu_clock_deadline(PSU_ANSWER_MS);
	struct psu_frame_header header;
	int rc;

	psu_traffic_enter();
	psu_session_watch(session);
	psu_traffic_leave();
	do {
		rc = psu_session_recv_answer(session, &header, deadline);
		if (!rc && header.type == PSU_FRAME_REFUSED && refusable) {
			control_out->type = header.type;
			return 0;
		}
		if (!rc)
			rc = psu_session_recv_control(session, &header, control_out);
	} while (!rc && (control_out->type < PSU_FRAME_PREPARED ||
					 control_out->type > PSU_FRAME_DEAD ||
					 !psu_id_equal(&control_out->migration,
								   &parcel->statement.migration)));
	return rc;
}
