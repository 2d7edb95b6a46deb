/* SPDX-License-Identifier: ISC */
/*
 * test_arrive_spoil.c - all that may be wrong with an offer, and its code
 */
#include "test_arrive_spoil.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

const char *top;

int shell(const char *format, ...)
{
	char command[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	return system(command);
}

/* ---- what is spoilt: in the image, before it is encoded */

static void nothing(void)
{
}
static void rsp(void)
{
	thread.image.registers.rsp += 16;
}
static void mxcsr(void)
{
	thread.image.registers.mxcsr |= UINT32_C(1) << 31;
}
static void x87(void)
{
	thread.image.registers.x87[8] = 0;
}
static void frame_len(void)
{
	thread.image.chain.frames[0].frame_len -= 8;
	thread.image.chain.frames[1].frame_len += 8;
}
static void frame_offset(void)
{
	thread.image.chain.frames[1].return_offset ^= 1;
}
static void return_address(void)
{
	memset(thread.stack, 0, 8);
}
static void thread_pointer(void)
{
	thread.image.thread_pointer += 64;
}
static void locals(void)
{
	thread.image.locals.len++;
}
static struct psu_exit destructor;
static __thread char travelling[16];
static void with_exit(void)
{
	destructor.function_addr = (uint64_t)with_exit;
	destructor.object_addr = thread.image.thread_pointer -
							 (uint64_t)(psu_state_thread_pointer() -
										travelling);
	thread.image.exits = (struct psu_exits){1, &destructor};
}
static void exit_function(void)
{
	with_exit();
	destructor.function_addr++;
}
static void exit_object(void)
{
	with_exit();
	destructor.object_addr = thread.image.thread_pointer;
}
static void cleanup_head(void)
{
	thread.image.cleanup_head = thread.image.registers.rsp - 8;
}
static void cancel_flag(void)
{
	thread.image.cancel_disabled = 2;
}

#define ELSEWHERE (UINT64_C(1) << 44) /* below the window of slots */

static void rsp_elsewhere(void)
{
	thread.image.registers.rsp -= ELSEWHERE;
}

/* ---- in the statement, before it is signed */

static void slot_elsewhere(void)
{
	offer.statement.slot_addr -= ELSEWHERE;
}
static void no_slot(void)
{
	offer.statement.slot_addr += 4096;
}
static void slot_in_use(void)
{
	mmap((void *)offer.statement.slot_addr, 4096, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
}
static void sequence(void)
{
	offer.statement.sequence++;
}
static void ended(void)
{
	offer.statement.kind = PSU_KIND_END;
	offer.statement.stack_len = 0;
	offer.first.payload_len = offer.statement.head_len;
}
static void room_odd(void)
{
	offer.statement.stack_room += 8;
}
static void room_other(void)
{
	offer.statement.stack_room = PSU_SLOT_STACK_LEN_MIN;
}

/* of the itinerary, too */
static void moved_once(void)
{
	offer_moved(1);
}
static void moved_often(void)
{
	offer_moved(3 * PSU_LINKS_MAX);
}
static void moved_in_two_frames(void)
{
	offer_moved(2);
	offer.first.payload_len = 100;
}
static void moved_and_long(void)
{
	offer_moved(2);
	offer.statement.head_len += PSU_ONE_FLIGHT_LEN_MAX;
}
static void first_with_previous(void)
{
	offer.statement.previous.bytes[0] = 1;
}
static void no_links(void)
{
	offer.statement.generation = 2;
}
static void links_over(void)
{
	offer_moved(PSU_LINKS_MAX);
	offer.statement.links++;
}
static void other_previous(void)
{
	offer_moved(2);
	offer.statement.previous.bytes[31] ^= 1;
}
static void other_generation(void)
{
	offer_moved(2 * PSU_LINKS_MAX);
	offer.statement.generation++;
}
static void other_link(void)
{
	offer_moved(3);
	offer.itinerary.links[0][PSU_SEALED_LEN - 1] ^= 1;
}
static void other_thread(void)
{
	offer_moved(3);
	offer.statement.thread.bytes[0] ^= 1;
}

static void stream(void)
{
	offer.stream++;
}
static void long_flight(void)
{
	offer.statement.stack_len += PSU_ONE_FLIGHT_LEN_MAX;
}
static void source(void)
{
	offer.statement.source.bytes[0] ^= 1;
}
static void destination(void)
{
	offer.statement.destination = offer.statement.source;
}
static void incarnation(void)
{
	offer.statement.incarnation.bytes[0] ^= 1;
}
static void program(void)
{
	offer.statement.program.bytes[0] ^= 1;
}
static void exporter(void)
{
	offer.statement.exporter.bytes[0] ^= 1;
}
static void body_digest(void)
{
	offer.statement.body.bytes[0] ^= 1;
}
static void two_frames(void)
{
	offer.first.payload_len = 100;
}
static void body_stream(void)
{
	offer.first.stream++;
}
static void body_type(void)
{
	offer.first.type = PSU_FRAME_OFFER;
	offer.first.payload_len = PSU_SEALED_LEN;
}
static void body_len(void)
{
	offer.first.payload_len++;
}

/* ---- on host b's disk, while the session is open */

static void direction(void)
{
	shell("sed -i s/direction=both/direction=receive/ %s/b/peers", top);
}
static void listed(void)
{
	shell("sed -i /^peer/d %s/b/peers", top);
}
static void sign_key(void)
{
	shell("sed -i 's,sign=[^ ]*,sign=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPc"
		  "HURo=,' %s/b/peers",
		  top);
}

/* ---- the table */

#define E(name) PSU_THREAD_E_##name

const struct spoilt_offer spoilt_offers[] = {
	{nothing, nothing, 0},
	{nothing, two_frames, 0},
	{rsp, nothing, E(STATE_INVALID)},
	{mxcsr, nothing, E(STATE_INVALID)},
	{x87, nothing, E(STATE_INVALID)},
	{frame_len, nothing, E(CHAIN_MISMATCH)},
	{frame_offset, nothing, E(CHAIN_MISMATCH)},
	{return_address, nothing, E(FRAME_FOREIGN)},
	{thread_pointer, nothing, E(LAYOUT_MISMATCH)},
	{locals, nothing, E(IMAGE_INVALID)},
	{with_exit, nothing, 0},
	{exit_function, nothing, E(STATE_INVALID)},
	{exit_object, nothing, E(STATE_INVALID)},
	{cleanup_head, nothing, E(STATE_INVALID)},
	{cancel_flag, nothing, E(IMAGE_INVALID)},
	{rsp_elsewhere, slot_elsewhere, E(STATE_INVALID)},
	{nothing, no_slot, E(STATE_INVALID)},
	{nothing, slot_in_use, E(ADDRESS_IN_USE)},
	{nothing, sequence, E(REPLAYED)},
	{nothing, long_flight, E(STATEMENT_INVALID)},
	{nothing, stream, E(STATEMENT_INVALID)},
	{nothing, ended, E(REPLAYED)},
	{nothing, room_odd, E(STATEMENT_INVALID)},
	{nothing, room_other, 0},
	{nothing, moved_once, 0},
	{nothing, moved_often, 0},
	{nothing, moved_in_two_frames, 0},
	{nothing, moved_and_long, E(STATEMENT_INVALID)},
	{nothing, first_with_previous, E(ITINERARY_INVALID)},
	{nothing, no_links, E(ITINERARY_INVALID)},
	{nothing, links_over, E(STATEMENT_INVALID)},
	{nothing, other_previous, E(ITINERARY_INVALID)},
	{nothing, other_generation, E(ITINERARY_INVALID)},
	{nothing, other_link, E(ITINERARY_INVALID)},
	{nothing, other_thread, E(ITINERARY_INVALID)},
	{nothing, source, E(WRONG_ADDRESSEE)},
	{nothing, destination, E(WRONG_ADDRESSEE)},
	{nothing, incarnation, E(WRONG_ADDRESSEE)},
	{nothing, program, E(BINARY_MISMATCH)},
	{nothing, exporter, E(WRONG_ADDRESSEE)},
	{nothing, body_digest, E(DIGEST_MISMATCH)},
	{nothing, body_stream, E(CONNECTION_LOST)},
	{nothing, body_type, E(CONNECTION_LOST)},
	{nothing, body_len, E(CONNECTION_LOST)},
	{nothing, direction, E(DIRECTION_DENIED)},
	{nothing, listed, E(PEER_NOT_LISTED)},
	{nothing, sign_key, E(SIGNATURE_INVALID)},
};

const int spoilt_offers_count = sizeof(spoilt_offers) / sizeof(*spoilt_offers);
