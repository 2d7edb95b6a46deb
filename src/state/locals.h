/* SPDX-License-Identifier: ISC */
/*
 * locals.h - what of a thread lies neither in registers nor on its stack
 *
 * The program's thread-locals travel, and those of its own shared objects;
 * libc's, OpenSSL's and ours stay.  In a static program they lie in one block,
 * and ours and libc's behind the marks (state_x86_64.S).  The rest is state
 * that libc and the kernel keep: errno, cancellation, cleanup buffers, name,
 * signal mask.  All functions act on the calling thread.
 */
#ifndef PSU_LOCALS_H
#define PSU_LOCALS_H

#include "report/report.h"
#include "start/manifest.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

/** Find out, once, in setup, which thread-locals travel: they lie equally far
 * below the thread pointer in all threads, on every host. */
void psu_locals_init(const struct psu_manifest *manifest);

/** Bytes of them. */
size_t psu_locals_len(void);
/** Copy them, one behind the other, and back. */
void psu_locals_save(uint8_t *bytes_out);
void psu_locals_restore(const uint8_t *bytes);

/** Where the calling thread has the stretch of them with that number, from 0.
 * False: there are no more. */
bool psu_locals_piece(size_t number, uint64_t *addr_out, size_t *len_out);

/** Whether @variable is one of them, of the calling thread. */
bool psu_locals_travel(const void *variable);

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
PSU_MUST_CHECK int psu_locals_relink(uint64_t head, uint64_t low, uint64_t high,
									 uint64_t base);

/** A signal mask as 64 bits, bit n - 1 for signal n, and back. */
uint64_t psu_locals_pack_mask(const sigset_t *mask);
void psu_locals_unpack_mask(uint64_t bits, sigset_t *mask_out);

#endif
