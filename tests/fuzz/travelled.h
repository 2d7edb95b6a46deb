/* SPDX-License-Identifier: ISC */
/*
 * travelled.h - a body as a destination gets it, for tests of what comes next
 *
 * There is no way around signature and digest, not even for tests: a key is
 * made, and the body is stated, signed and verified with it.
 */
#ifndef PSU_TRAVELLED_H
#define PSU_TRAVELLED_H

#include "image/image.h"

/**
 * @stack     must outlive the result, and @head too
 * @heap_len  bytes of the heap that is stated
 *
 * Returns the verified body, psu_verified_body_free(); NULL if a statement
 * about such lengths is refused.  Aborts if anything else fails.
 */
struct psu_verified_body *travelled_body(const uint8_t *head, size_t head_len,
										 const struct psu_span *stack,
										 uint64_t heap_len);

#endif
