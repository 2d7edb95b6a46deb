/* SPDX-License-Identifier: ISC */
/*
 * image.h - a thread at rest: all that travels, as plain values
 *
 * The source fills an image and encodes it; the destination decodes one from
 * bytes whose signature and digest are verified, and from nothing else.  An
 * image is not yet a thread: journey/ checks it against this program first.
 * The end of a thread, on its way home, is an image too, with little in it.
 * FORMAT.md, "Body", is the normative description.
 */
#ifndef PSU_IMAGE_H
#define PSU_IMAGE_H

#include "heap/heap.h"
#include "report/report.h"
#include "seal/seal.h"
#include "state/state.h"
#include "trust/place.h"
#include "walk/walk.h"

#define PSU_THREAD_NAME_LEN 16 /* as the kernel keeps it, with its NUL */

/** Bytes that lie somewhere else. */
struct psu_span {
	const uint8_t *bytes;
	size_t len;
};

/** A destructor of a thread-local (C++), to be called with its object when
 * the thread ends. */
struct psu_exit {
	uint64_t function_addr;
	uint64_t object_addr;
};

/** In the order in which they were registered. */
struct psu_exits {
	size_t count;
	struct psu_exit *list;
};

struct psu_image {
	enum psu_kind kind; /* of an end there is no more than the result, locals
						   and exits */
	struct psu_registers registers;
	uint64_t thread_pointer; /* the same on every host */
	uint64_t cleanup_head;	 /* innermost pthread_cleanup_push buffer in the
								stack, 0 if none */
	uint64_t signal_mask;	 /* bit n - 1: signal n is blocked */
	int32_t saved_errno;
	uint8_t cancel_disabled;		/* 0 or 1 */
	uint8_t cancel_asynchronous;	/* 0 or 1 */
	char name[PSU_THREAD_NAME_LEN]; /* NUL-terminated, zeros behind it */
	struct psu_chain chain;
	struct psu_span locals; /* the thread-locals that travel: state/locals.h */
	struct psu_exits exits;
	struct psu_place home;	  /* where the thread was born */
	uint8_t joinable;		  /* 0 or 1: its result may be wanted there */
	struct psu_heap_map heap; /* its pages come behind the stack */
	uint64_t result;		  /* what it ended with */
	struct psu_span stack;	  /* [rsp, end of the travelling stack) */
};

/**
 * Encode all that an image of its kind has but stack and heap, which travel as
 * they lie.
 *
 * @head_out  malloc()ed, owned by the caller
 *
 * Returns 0, PSU_THREAD_E_IMAGE_TOO_LARGE (over PSU_HEAD_LEN_MAX) or
 * PSU_THREAD_E_NO_MEMORY.
 */
PSU_MUST_CHECK int psu_image_encode(const struct psu_image *image,
									uint8_t **head_out, size_t *head_len_out);

/**
 * Decode a verified body of the kind that its statement says.  The image's
 * spans point into the body, which must outlive it; its chain, exits and heap
 * map are its own: psu_image_fini().
 *
 * Returns 0, PSU_THREAD_E_IMAGE_INVALID (with the section), NO_MEMORY.
 */
PSU_MUST_CHECK int psu_image_decode(const struct psu_verified_body *body,
									struct psu_image *image_out);
void psu_image_fini(struct psu_image *image);

#endif
