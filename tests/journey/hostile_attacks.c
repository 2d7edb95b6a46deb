/* SPDX-License-Identifier: ISC */
/*
 * hostile_attacks.c - attacks that take several steps, or a made-up stack
 */
#include "hostile.h"

#include "walk/walk_memory.h"

#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- a move that was started comes again */

/** Have records made of @count moves that nobody has offered, which make no
 * room for others.  Returns how many were. */
static int add_records(struct psu_session *session, int count)
{
	struct psu_control unknown = {0};
	int added = 0;

	for (int i = 0; i < count; i++) {
		randombytes_buf(&unknown.migration, sizeof(unknown.migration));
		added += strcmp(hostile_ask(session, PSU_FRAME_CANCEL, &unknown),
						"ABORTED CANCELLED") == 0;
	}
	return added;
}

/** Wait until nothing is said of a move any more: it was forgotten, or its
 * record has made room for another. */
static void await_forgotten(struct psu_session *session,
							struct psu_control *move)
{
	int64_t deadline = psu_clock_deadline(PSU_ANSWER_MS);

	while (strcmp(hostile_ask(session, PSU_FRAME_STATUS, move), "UNKNOWN") != 0)
		if (psu_clock_now_ms() > deadline) {
			hostile_say("It does not come again");
			return;
		}
}

void hostile_recycle(struct hostile_thread *thread)
{
	struct psu_session *bringer = hostile_dial(), *asker = hostile_dial(),
					   *other = hostile_dial();
	struct hostile_thread damaged = *thread;
	struct psu_control move, spent;
	uint8_t sealed[PSU_SEALED_LEN];
	int added;

	if (!bringer || !asker || !other)
		return;

	/* it is started, by then unseen by the session that brought it: this has
	 * had the time to begin to wait for its next frame */
	thread->flights = 2;
	hostile_offer(thread, bringer);
	hostile_say(hostile_recv(bringer, &move));
	added = add_records(asker, PSU_DEST_PEER_RECORDS_MAX - 2);
	hostile_say(hostile_ask(asker, PSU_FRAME_COMMIT, &move));
	hostile_ask(asker, PSU_FRAME_FORGET, &move);
	await_forgotten(asker, &move);

	/* with one more this peer has all its records; the next pushes out that of
	 * the move, and the one after it would push out this */
	damaged.lie = "digest";
	damaged.generation++;
	hostile_offer(&damaged, other);
	hostile_say(hostile_recv(other, &spent));
	added += add_records(asker, 1);
	printf("%d records\n", added);

	/* a new one takes its id, and is discarded before its body is there */
	thread->migration = &move.migration;
	hostile_sign(thread, other, sealed);
	if (hostile_send(other, PSU_FRAME_OFFER, sealed, sizeof(sealed)) != 0)
		return;
	await_forgotten(asker, &spent);
	hostile_say(hostile_ask(asker, PSU_FRAME_CANCEL, &move));

	/* whoever brought the first looks what has become of it */
	hostile_ask(bringer, PSU_FRAME_STATUS, &move);
	hostile_say("Ready");
}

/* ---- an offer that pauses */

/** Until what was judged before is judged again. */
static void outlast_judgement(void)
{
	int64_t deadline = psu_clock_deadline(PSU_JUDGED_MS);

	while (psu_clock_now_ms() < deadline)
		usleep(10000);
}

void hostile_pause(const struct hostile_thread *thread)
{
	const struct psu_frame_header header = {
		.payload_len = PSU_SEALED_LEN,
		.type = PSU_FRAME_OFFER,
		.stream = HOSTILE_STREAM,
	};
	struct psu_session *session = hostile_dial();
	uint8_t bytes[PSU_FRAME_HEADER_LEN], sealed[PSU_SEALED_LEN];
	const struct iovec begin = {bytes, sizeof(bytes)};
	const struct iovec rest = {sealed, sizeof(sealed)};
	struct psu_control answer;

	if (!session)
		return;
	hostile_sign(thread, session, sealed);
	psu_frame_put_header(&header, bytes);
	if (psu_session_send(session, &begin, 1,
						 psu_clock_deadline(PSU_MESSAGE_MS)) != 0)
		return;
	outlast_judgement(); /* the first has come by then */
	hostile_say("Begun");
	hostile_await_word();
	outlast_judgement();
	if (psu_session_send(session, &rest, 1,
						 psu_clock_deadline(PSU_MESSAGE_MS)) == 0)
		hostile_send_body(thread, session);
	hostile_say(hostile_recv(session, &answer));
	psu_session_close(session);
}

/* ---- a first frame in libc */

/** Where the first direct call in a function returns to. */
static uint64_t find_call(uint64_t function_addr)
{
	struct psu_walk_memory memory = {
		.manifest = &psu_process_get()->manifest,
	};
	unw_proc_info_t info;

	if (unw_get_proc_info_by_ip(psu_walk_address_space(), function_addr, &info,
								&memory) != 0)
		exit(EXIT_FAILURE);
	for (uint64_t at = info.start_ip; at + 5 < info.end_ip; at++)
		if (*(const uint8_t *)at == 0xe8)
			return at + 5;
	exit(EXIT_FAILURE);
}

/** How far above a return address, which a call has left on the stack, that of
 * the function itself lies. */
static size_t find_frame_len(const struct psu_image *image,
							 uint64_t return_addr)
{
	struct psu_registers registers = image->registers;
	uint64_t stack[64];
	struct psu_walk_memory memory = {
		.manifest = &psu_process_get()->manifest,
		.registers = &registers,
		.bounds = {(uint64_t)stack, (uint64_t)(stack + 64)},
	};
	unw_cursor_t cursor;
	unw_word_t cfa;

	for (size_t i = 0; i < 64; i++)
		stack[i] = return_addr;
	registers.rsp = memory.bounds.low;
	if (unw_init_remote(&cursor, psu_walk_address_space(), &memory) < 0 ||
		unw_step(&cursor) <= 0 || unw_step(&cursor) <= 0 ||
		unw_get_reg(&cursor, UNW_REG_SP, &cfa) < 0)
		exit(EXIT_FAILURE);
	return cfa - sizeof(*stack) - memory.bounds.low;
}

void hostile_enter_libc(struct psu_image *image)
{
	const struct psu_manifest *manifest = &psu_process_get()->manifest;
	uint64_t return_addr = find_call((uint64_t)getopt);
	size_t len = find_frame_len(image, return_addr);
	struct psu_chain *chain = &image->chain;
	struct psu_frame *frames = calloc(chain->count + 1, sizeof(*frames));
	uint8_t *stack = calloc(1, len + image->stack.len);
	struct psu_walk_place place;

	if (!frames || !stack || !psu_walk_find_code(manifest, return_addr, &place))
		exit(EXIT_FAILURE);
	memcpy(stack, &return_addr, sizeof(return_addr));
	memcpy(stack + len, image->stack.bytes, image->stack.len);
	image->stack = (struct psu_span){stack, len + image->stack.len};
	image->registers.rsp -= len;

	/* a frame ends above the return address of its function */
	memcpy(frames + 1, chain->frames, chain->count * sizeof(*frames));
	frames[0] = (struct psu_frame){
		.return_offset = return_addr -
						 manifest->objects[place.object].load_addr,
		.frame_len = (uint32_t)(len + sizeof(return_addr)),
		.object = (uint16_t)place.object,
	};
	frames[1].frame_len -= (uint32_t)sizeof(return_addr);
	free(chain->frames);
	chain->frames = frames;
	chain->count++;
}
