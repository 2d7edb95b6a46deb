/* SPDX-License-Identifier: ISC */
/*
 * locals.h - what of a thread lies neither in registers nor on its stack
 *
 * The program's thread-locals travel; libc's, OpenSSL's and ours lie behind
 * the marks (state_x86_64.S) in the same block and stay.  The rest is state
 * that libc and the kernel keep: errno, cancellation, cleanup buffers, name,
 * signal mask.  All functions act on the calling thread.
 */
#ifndef PSU_LOCALS_H
#define PSU_LOCALS_H

#include "report/report.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

/** The calling thread's thread-locals of the program. */
struct psu_locals {
	uint8_t *data; /* its part of .tdata */
	size_t data_len;
	uint8_t *bss; /* its part of .tbss */
	size_t bss_len;
};

/** Find where they lie.  Returns 0, or PSU_THREAD_E_SYSTEM if the program has
 * no PT_TLS header, which cannot be with this library linked in. */
PSU_MUST_CHECK int psu_locals_find(struct psu_locals *locals_out);

/**
 * The innermost buffer of pthread_cleanup_push(), as libc keeps it, and back.
 * The chain's last link points at a buffer of the home stack.
 */
uint64_t psu_locals_cleanup_head(void);
void psu_locals_set_cleanup_head(uint64_t head);

/**
 * Walk a chain of cleanup buffers in [low, high) and let its last link, which
 * points elsewhere, point at @base.  Every byte there is hostile on arrival:
 * there are no more links than buffers have room, each aligned and inside.
 *
 * @head  of the chain; 0 if it is empty
 *
 * Returns 0 or PSU_THREAD_E_STATE_INVALID.
 */
PSU_MUST_CHECK int psu_locals_relink(uint64_t head, uint64_t low,
									 uint64_t high, uint64_t base);

/** A signal mask as 64 bits, bit n - 1 for signal n, and back. */
uint64_t psu_locals_pack_mask(const sigset_t *mask);
void psu_locals_unpack_mask(uint64_t bits, sigset_t *mask_out);

#endif
