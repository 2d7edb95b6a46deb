/* SPDX-License-Identifier: ISC */
/*
 * digests.h - digests of a heap's pages, made beside their transfer
 *
 * On a thread of the library's own, while the pages are sent, or right behind
 * those that have come.
 */
#ifndef PSU_DIGESTS_H
#define PSU_DIGESTS_H

#include "heap/heap.h"
#include "seal/attest.h"

struct psu_digests;

/**
 * Begin.  The pages must not change, and map and pages must be there, until
 * psu_digests_free().
 *
 * @low  where the heap lies
 *
 * Returns 0, NO_MEMORY or SYSTEM.
 */
PSU_MUST_CHECK int psu_digests_begin(const struct psu_heap_map *map,
									 uint64_t low,
									 struct psu_digests **digests_out);
/** The first @len bytes of the pages that travel are there. */
void psu_digests_advance(struct psu_digests *digests, uint64_t len);
/** When they all are: wait for the last one.  Returns them, one behind the
 * other, and room for a signature (seal/attest.h): @digests' own. */
uint8_t *psu_digests_await(struct psu_digests *digests);
/** Also before all pages are there; NULL is none. */
void psu_digests_free(struct psu_digests *digests);

#endif
