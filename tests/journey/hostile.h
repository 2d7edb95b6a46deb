/* SPDX-License-Identifier: ISC */
/*
 * hostile.h - a thread's image in the hands of a peer that lies
 */
#ifndef JOURNEY_HOSTILE_H
#define JOURNEY_HOSTILE_H

#include "image/image.h"
#include "journey/process.h"
#include "journey/traveller.h"
#include "net/limits.h"
#include "seal/seal.h"

#include <psu_thread.h>

/** Of all offers and bodies. */
#define HOSTILE_STREAM 1

struct hostile_thread {
	struct psu_traveller *self;
	enum psu_kind kind;
	uint64_t generation; /* to be claimed next */
	int flights;
	const char *lie;				/* what is wrong with its offers, or "" */
	const struct psu_id *migration; /* theirs; NULL: a new one for each */
	uint8_t *head;
	size_t head_len;
	const uint8_t *stack;
	size_t stack_len;
	struct psu_itinerary itinerary;
	uint8_t sealed[PSU_SEALED_LEN]; /* what was offered last */
};

/** The image of the calling thread, whose registers are kept.  @lie: one of
 * state, chain, image, first-frame; destination, sequence, heap, digest;
 * previous, links, generation, room; signature, frame; or "". */
void hostile_take(struct psu_traveller *self, const char *lie,
				  struct hostile_thread *thread_out);

/** Let it be the thread's end, with that result. */
void hostile_make_end(struct hostile_thread *thread, uint64_t result);

/** Let it stand in a function of libc, which the innermost of its own seems to
 * have called.  The new stack stays allocated. */
void hostile_enter_libc(struct psu_image *image);

struct psu_session *hostile_dial(void);
/** Send a frame.  Returns as psu_session_send(). */
int hostile_send(struct psu_session *session, enum psu_frame_type type,
				 const void *payload, size_t len);
/** State that the thread is to be moved on this session, now. */
void hostile_sign(const struct hostile_thread *thread,
				  struct psu_session *session,
				  uint8_t sealed_out[PSU_SEALED_LEN]);
void hostile_send_body(const struct hostile_thread *thread,
					   struct psu_session *session);
/** Offer it, all of it; that this fails shows when the answer is received. */
void hostile_offer(struct hostile_thread *thread, struct psu_session *session);
/** Returns the answer in words.  @answer_out can be asked about. */
const char *hostile_recv(struct psu_session *session,
						 struct psu_control *answer_out);
/** Send a request about the move of @about, which gets the answer. */
const char *hostile_ask(struct psu_session *session, enum psu_frame_type type,
						struct psu_control *about);

/** Have it started, push out the record of that move, and cancel another of
 * the same id. */
void hostile_recycle(struct hostile_thread *thread);
/** Offer it, and await a word between the first bytes and the rest. */
void hostile_pause(const struct hostile_thread *thread);

/** Take an offer in as this host, and answer for it as that of @certs. */
int hostile_other(const char *certs);

void hostile_say(const char *what);
void hostile_await_word(void);

#endif
