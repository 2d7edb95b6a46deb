/* SPDX-License-Identifier: ISC */
/*
 * hostile.h - a thread's image in the hands of a peer that lies
 */
#ifndef JOURNEY_HOSTILE_H
#define JOURNEY_HOSTILE_H

#include "journey/process.h"
#include "journey/traveller.h"
#include "net/limits.h"
#include "seal/seal.h"

#include <psu_thread.h>

struct hostile_thread {
	struct psu_traveller *self;
	uint64_t generation; /* to be claimed next */
	int flights;
	const char *lie; /* what is wrong with its offers, or "" */
	uint8_t *head;
	size_t head_len;
	const uint8_t *stack;
	size_t stack_len;
};

/** The image of the calling thread, whose registers are kept.  @lie: one of
 * state, chain, image; destination, sequence, heap, digest; signature, frame;
 * or "". */
void hostile_take(struct psu_traveller *self, const char *lie,
				  struct hostile_thread *thread_out);

/** Offer it, all of it; that this fails shows when the answer is received. */
void hostile_offer(const struct hostile_thread *thread,
				   struct psu_session *session);
/** Returns the answer in words.  @answer_out can be asked about. */
const char *hostile_recv(struct psu_session *session,
						 struct psu_control *answer_out);
/** Send a request about the move of @about, which gets the answer. */
const char *hostile_ask(struct psu_session *session, enum psu_frame_type type,
						struct psu_control *about);

/** Take an offer in as this host, and answer for it as that of @certs. */
int hostile_other(const char *certs);

void hostile_say(const char *what);

#endif
