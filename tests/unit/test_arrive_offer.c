/* SPDX-License-Identifier: ISC */
/*
 * test_arrive_offer.c - host a offers a thread to this process, host b
 */
#include "test_arrive_offer.h"

#include <sodium.h>
#include <string.h>

struct psu_session_context host_a;
struct psu_endpoint server = {.host = "127.0.0.1"};
struct offer offer;

struct psu_session *offer_dial(void)
{
	struct psu_session *session = NULL;

	ck_assert_int_eq(psu_session_dial(&host_a, &server, &session), 0);
	return session;
}

void offer_moved(unsigned count)
{
	struct psu_statement link = {
		.kind = PSU_KIND_MOVE,
		.destination = psu_trust_self(host_a.trust)->digest,
	};
	uint8_t sealed[PSU_SEALED_LEN];

	link.thread = offer.statement.thread;
	for (link.generation = 1; link.generation <= count; link.generation++) {
		psu_seal_sign(&link, psu_trust_sign_secret(host_a.trust), sealed);
		psu_itinerary_append(&offer.itinerary, sealed);
	}
	offer.statement.generation = count + 1;
	offer.statement.links = (uint8_t)offer.itinerary.count;
	psu_itinerary_previous(&offer.itinerary, &offer.statement.previous);
}

static size_t itinerary_len(void)
{
	return offer.itinerary.count * sizeof(offer.itinerary.links[0]);
}

/** @bytes  itinerary, head and stack, and one more */
static void send_offer(struct psu_session *session, uint8_t *bytes)
{
	uint8_t frame[PSU_FRAME_HEADER_LEN + PSU_SEALED_LEN];
	uint8_t first[PSU_FRAME_HEADER_LEN], second[PSU_FRAME_HEADER_LEN];
	size_t first_len = offer.first.payload_len;
	size_t len = itinerary_len() + offer.statement.head_len +
				 offer.statement.stack_len;
	size_t left = first_len < len ? len - first_len : 0;
	const struct psu_frame_header header = {PSU_SEALED_LEN, PSU_FRAME_OFFER,
											offer.stream};
	const struct psu_frame_header rest = {(uint32_t)left, PSU_FRAME_BODY, 1};
	const struct iovec parts[] = {
		{frame, sizeof(frame)},	   {first, sizeof(first)},
		{bytes, first_len},		   {second, left ? sizeof(second) : 0},
		{bytes + first_len, left},
	};

	psu_frame_put_header(&header, frame);
	psu_seal_sign(&offer.statement, psu_trust_sign_secret(host_a.trust),
				  frame + PSU_FRAME_HEADER_LEN);
	psu_frame_put_header(&offer.first, first);
	psu_frame_put_header(&rest, second);
	ck_assert_int_eq(
		psu_session_send(session, parts, 5, psu_clock_deadline(5000)), 0);
}

/** 0 for RUNNING, or the code of the refusal, or of what broke. */
static int recv_answer(struct psu_session *session)
{
	struct psu_frame_header header;
	struct psu_control control;
	int rc = psu_session_recv_header(session, &header,
									 psu_clock_deadline(10000));

	if (rc)
		return rc;
	if (header.type == PSU_FRAME_REFUSED)
		return psu_session_recv_refusal(session);
	rc = psu_session_recv_control(session, &header, &control);
	if (!rc && header.type == PSU_FRAME_RUNNING) {
		control.type = PSU_FRAME_FORGET;
		return psu_session_send_control(session, &control);
	}
	return rc ? rc : control.code;
}

/** The statement that is right for the thread as it is. */
static void state(struct psu_session *session, size_t head_len)
{
	offer.statement = (struct psu_statement){
		.kind = PSU_KIND_MOVE,
		.one_flight = true,
		.generation = 1,
		.incarnation = session->hello.incarnation,
		.source = psu_trust_self(host_a.trust)->digest,
		.destination = session->peer.digest,
		.program = host_a.manifest->digest,
		.slot_addr = thread.slot_addr,
		.slot_len = PSU_SLOT_LEN,
		.stack_room = PSU_SLOT_STACK_LEN,
		.head_len = (uint32_t)head_len,
		.stack_len = (uint32_t)thread.image.stack.len,
		.sequence = session->offers++,
		.stream = offer.stream = 1,
		.exporter = session->exporter,
	};
	offer.itinerary.count = 0;
	randombytes_buf(&offer.statement.migration, 16);
	randombytes_buf(&offer.statement.thread, 16);
	offer.first = (struct psu_frame_header){
		(uint32_t)(head_len + thread.image.stack.len), PSU_FRAME_BODY, 1};
}

int offer_try(struct psu_session *session, offer_change *image,
			  offer_change *statement)
{
	const struct psu_span *stack = &thread.image.stack;
	uint8_t *head = NULL, *bytes;
	size_t len = 0, room, before;

	make_thread();
	image();
	ck_assert_int_eq(psu_image_encode(&thread.image, &head, &len), 0);
	state(session, len);
	psu_seal_digest(head, len, thread.stack, stack->len, &offer.statement.body);
	statement();

	/* a spoilt statement may announce more than there is */
	before = itinerary_len();
	room = offer.statement.head_len + offer.statement.stack_len;
	if (room < len + stack->len + 1)
		room = len + stack->len + 1;
	bytes = calloc(1, before + room);
	memcpy(bytes, offer.itinerary.links, before);
	memcpy(bytes + before, head, len);
	memcpy(bytes + before + len, thread.stack, stack->len + 1);
	offer.first.payload_len += (uint32_t)before;
	send_offer(session, bytes);
	free(bytes);
	free(head);
	psu_chain_free(&thread.image.chain);
	return recv_answer(session);
}
