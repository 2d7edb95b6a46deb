/* SPDX-License-Identifier: ISC */
/*
 * hostile_peer.c - frames and answers that ours would not send
 *
 * All is signed with this host's own keys and sent over good sessions: what
 * the other side refuses, it refuses for what it says.
 */
#include "hostile.h"

#include "state/locals.h"

#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Whether that is what it lies about. */
static bool lies(const char *lie, const char *what)
{
	return strcmp(lie, what) == 0;
}

/* ---- the image */

static uint8_t locals[4096];

static void fill(const struct psu_traveller *self, struct psu_image *image)
{
	const struct psu_stack_bounds bounds = {
		.low = self->registers.rsp,
		.high = psu_slot_stack_high(&self->slot),
	};

	if (psu_walk_stack(&psu_process_get()->manifest, &self->registers, &bounds,
					   &image->chain) != 0)
		exit(EXIT_FAILURE);
	image->kind = PSU_KIND_MOVE;
	image->home = self->home;
	image->registers = self->registers;
	image->thread_pointer = (uint64_t)psu_state_thread_pointer();
	psu_locals_save(locals);
	image->locals = (struct psu_span){locals, psu_locals_len()};
	image->stack = (struct psu_span){(const uint8_t *)bounds.low,
									 bounds.high - bounds.low};
}

void hostile_take(struct psu_traveller *self, const char *lie,
				  struct hostile_thread *thread_out)
{
	struct psu_image image = {0};

	fill(self, &image);
	image.registers.mxcsr ^= lies(lie, "state") ? 1u << 31 : 0;
	image.chain.frames[0].return_offset ^= lies(lie, "chain");
	if (lies(lie, "first-frame"))
		hostile_enter_libc(&image);
	*thread_out = (struct hostile_thread){
		.self = self,
		.kind = PSU_KIND_MOVE,
		.generation = self->generation + 1,
		.flights = 1,
		.lie = lie,
		.stack = image.stack.bytes,
		.stack_len = image.stack.len,
		.itinerary = self->itinerary,
	};
	if (psu_image_encode(&image, &thread_out->head, &thread_out->head_len) != 0)
		exit(EXIT_FAILURE);
	thread_out->head[0] ^= lies(lie, "image");
	psu_image_fini(&image);
}

void hostile_make_end(struct hostile_thread *thread, uint64_t result)
{
	const struct psu_image image = {
		.kind = PSU_KIND_END,
		.result = result,
		.locals = {locals, psu_locals_len()},
	};

	free(thread->head);
	if (psu_image_encode(&image, &thread->head, &thread->head_len) != 0)
		exit(EXIT_FAILURE);
	thread->kind = PSU_KIND_END;
	thread->stack_len = 0;
}

/* ---- frames */

int hostile_send(struct psu_session *session, enum psu_frame_type type,
				 const void *payload, size_t len)
{
	uint8_t bytes[PSU_FRAME_HEADER_LEN];
	const struct psu_frame_header header = {
		.payload_len = (uint32_t)len,
		.type = (uint8_t)type,
		.stream = HOSTILE_STREAM,
	};
	const struct iovec parts[] = {
		{bytes, sizeof(bytes)},
		{(void *)(uintptr_t)payload, len},
	};

	psu_frame_put_header(&header, bytes);
	return psu_session_send(session, parts, 2,
							psu_clock_deadline(PSU_MESSAGE_MS));
}

const char *hostile_recv(struct psu_session *session,
						 struct psu_control *answer_out)
{
	static __thread char words[100];
	struct psu_frame_header header;
	int rc = psu_session_recv_answer(session, &header,
									 psu_clock_deadline(PSU_ANSWER_MS + 5000));

	if (!rc && header.type == PSU_FRAME_REFUSED) {
		snprintf(words, sizeof(words), "REFUSED %s",
				 psu_error_name(psu_session_recv_refusal(session)));
		return words;
	}
	if (!rc && header.type == PSU_FRAME_NOTED)
		return "NOTED";
	if (!rc)
		rc = psu_session_recv_control(session, &header, answer_out);
	if (rc)
		return "nothing";
	snprintf(words, sizeof(words), "%s%s%s", psu_frame_name(header.type),
			 answer_out->code ? " " : "",
			 answer_out->code ? psu_error_name(answer_out->code) : "");
	return words;
}

void hostile_sign(const struct hostile_thread *thread,
				  struct psu_session *session,
				  uint8_t sealed_out[PSU_SEALED_LEN])
{
	struct psu_process *process = psu_process_get();
	struct psu_statement statement = {
		.kind = (uint8_t)thread->kind,
		.one_flight = thread->flights == 1,
		.links = (uint8_t)thread->itinerary.count,
		.thread = thread->self->id,
		.generation = thread->generation,
		.incarnation = session->hello.incarnation,
		.source = psu_trust_self(process->trust)->digest,
		.destination = session->peer.digest,
		.program = process->manifest.digest,
		.slot_addr = thread->self->slot.addr,
		.slot_len = thread->self->slot.len,
		.stack_room = thread->self->slot.stack_len,
		.head_len = (uint32_t)thread->head_len,
		.stack_len = (uint32_t)thread->stack_len,
		.sequence = session->offers++,
		.stream = HOSTILE_STREAM,
		.exporter = session->exporter,
	};

	if (thread->migration)
		statement.migration = *thread->migration;
	else
		randombytes_buf(&statement.migration, sizeof(statement.migration));
	psu_seal_digest(thread->head, thread->head_len, thread->stack,
					thread->stack_len, &statement.body);
	psu_itinerary_previous(&thread->itinerary, &statement.previous);
	statement.body.bytes[0] ^= lies(thread->lie, "digest");
	statement.destination.bytes[0] ^= lies(thread->lie, "destination");
	statement.sequence += lies(thread->lie, "sequence");
	statement.heap_len = lies(thread->lie, "heap");
	statement.previous.bytes[0] ^= lies(thread->lie, "previous");
	statement.generation += lies(thread->lie, "generation");
	if (lies(thread->lie, "links"))
		statement.links = 0;
	if (lies(thread->lie, "room"))
		statement.stack_room = PSU_SLOT_STACK_LEN_MAX;
	psu_seal_sign(&statement, psu_trust_sign_secret(process->trust),
				  sealed_out);
	sealed_out[PSU_SEALED_LEN - 1] ^= lies(thread->lie, "signature");
}

void hostile_send_body(const struct hostile_thread *thread,
					   struct psu_session *session)
{
	size_t links_len = lies(thread->lie, "links")
						   ? 0
						   : thread->itinerary.count * PSU_SEALED_LEN;
	int rc = links_len ? hostile_send(session, PSU_FRAME_BODY,
									  thread->itinerary.links, links_len)
					   : 0;

	if (!rc)
		rc = hostile_send(session, PSU_FRAME_BODY, thread->head,
						  thread->head_len);
	if (!rc && thread->stack_len)
		rc = hostile_send(session, PSU_FRAME_BODY, thread->stack,
						  thread->stack_len);
	if (rc)
		session->broken = true;
}

void hostile_offer(struct hostile_thread *thread, struct psu_session *session)
{
	const enum psu_frame_type type = lies(thread->lie, "frame")
										 ? PSU_FRAME_RUNNING
										 : PSU_FRAME_OFFER;

	hostile_sign(thread, session, thread->sealed);
	if (hostile_send(session, type, thread->sealed, PSU_SEALED_LEN) == 0)
		hostile_send_body(thread, session);
}

const char *hostile_ask(struct psu_session *session, enum psu_frame_type type,
						struct psu_control *about)
{
	const struct psu_control request = {
		.type = (uint8_t)type,
		.migration = about->migration,
		.incarnation = session->hello.incarnation,
		.token = about->token,
	};

	if (psu_session_send_control(session, &request) != 0)
		return "nothing";
	return type == PSU_FRAME_FORGET ? "" : hostile_recv(session, about);
}

/* ---- two hosts at one address */

static struct psu_session *
accept_session(const struct psu_session_context *context, int listen_fd)
{
	struct psu_session *session = NULL;
	char from[80];
	int fd;

	if (psu_socket_accept(listen_fd, &fd, from, sizeof(from)) != 0 ||
		psu_session_authenticate(context, fd, from, &session) != 0 ||
		psu_session_greet(context, session) != 0)
		exit(EXIT_FAILURE);
	return session;
}

/** The same program, in the same process, as another host. */
static void become(const char *certs, struct psu_session_context *context)
{
	if (psu_trust_load(certs, &context->trust) != 0 ||
		psu_tls_new(context->trust, &context->tls) != 0)
		exit(EXIT_FAILURE);
	context->hello.zone = psu_trust_zone(context->trust);
}

/** Whoever asks hears that the move was undone. */
static void lie(struct psu_session *session)
{
	struct psu_frame_header header;
	struct psu_control control;

	while (psu_session_recv_answer(session, &header,
								   psu_clock_deadline(PSU_ANSWER_MS)) == 0 &&
		   psu_session_recv_control(session, &header, &control) == 0) {
		control.type = PSU_FRAME_ABORTED;
		control.token = 0;
		control.code = PSU_THREAD_E_CANCELLED;
		if (psu_session_send_control(session, &control) != 0)
			return;
	}
}

int hostile_other(const char *certs)
{
	struct psu_session_context context = psu_process_get()->context;
	const struct psu_endpoint any = {.host = "127.0.0.1", .port = "0"};
	struct psu_session *session;
	uint8_t offer[1];
	unsigned port;
	int listen_fd;

	if (psu_socket_listen(&any, &listen_fd, &port) != 0)
		return EXIT_FAILURE;
	printf("Port %u\n", port);
	fflush(stdout);

	/* the offer may be here: who sent it cannot know */
	session = accept_session(&context, listen_fd);
	if (psu_session_recv(session, offer, 1,
						 psu_clock_deadline(PSU_ANSWER_MS)) != 0)
		return EXIT_FAILURE;
	session->broken = true;
	psu_session_close(session);
	become(certs, &context);
	for (;;) {
		session = accept_session(&context, listen_fd);
		hostile_say("Asked");
		lie(session);
		psu_session_close(session);
	}
}
