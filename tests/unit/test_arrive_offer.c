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

/** @bytes  head and stack, and one more */
static void send_offer(struct psu_session *session, uint8_t *bytes)
{
	uint8_t frame[PSU_FRAME_HEADER_LEN + PSU_SEALED_LEN];
	uint8_t first[PSU_FRAME_HEADER_LEN], second[PSU_FRAME_HEADER_LEN];
	size_t first_len = offer.first.payload_len;
	size_t len = offer.statement.head_len + offer.statement.stack_len;
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
		psu_session_send(session, parts, 5, psu_socket_deadline(5000)), 0);
}

/** 0 for RUNNING, or the code of the refusal, or of what broke. */
static int recv_answer(struct psu_session *session)
{
	struct psu_frame_header header;
	struct psu_control control;
	int rc = psu_session_recv_header(session, &header,
									 psu_socket_deadline(10000));

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
		.stack_room = PSU_SLOT_STACK_LEN,
		.head_len = (uint32_t)head_len,
		.stack_len = (uint32_t)thread.image.stack.len,
		.sequence = session->offers++,
		.stream = offer.stream = 1,
		.exporter = session->exporter,
	};
	randombytes_buf(&offer.statement.migration, 16);
	randombytes_buf(&offer.statement.thread, 16);
	offer.first = (struct psu_frame_header){
		(uint32_t)(head_len + thread.image.stack.len), PSU_FRAME_BODY, 1};
}

int offer_try(struct psu_session *session, offer_change *image,
			  offer_change *statement)
{
	uint8_t *bytes = NULL;
	size_t len = 0, room;

	make_thread();
	image();
	ck_assert_int_eq(psu_image_encode(&thread.image, &bytes, &len), 0);
	state(session, len);
	psu_seal_digest(bytes, len, thread.stack, thread.image.stack.len,
					&offer.statement.body);
	statement();
	room = offer.statement.head_len + offer.statement.stack_len;
	if (room < len + thread.image.stack.len + 1)
		room = len + thread.image.stack.len + 1;
	/* a spoilt statement may announce more than there is */
	bytes = realloc(bytes, room);
	memset(bytes + len, 0, room - len);
	memcpy(bytes + len, thread.stack, thread.image.stack.len + 1);
	send_offer(session, bytes);
	free(bytes);
	psu_chain_free(&thread.image.chain);
	return recv_answer(session);
}
