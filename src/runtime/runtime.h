/* SPDX-License-Identifier: ISC */
/*
 * runtime.h - what processes of one host agree on through files
 *
 * In $PSU_THREAD_RUNTIME, else /run/psu_thread, else
 * $XDG_RUNTIME_DIR/psu_thread, else /tmp/psu_thread-UID; owned by this user,
 * mode 0700, no symbolic link.  Two kinds of locks, both open-file-description
 * locks, which the kernel releases when the process dies:
 *
 *   zone-HOST    one byte a slot: who holds it may map the slot's addresses
 *   run-INC      held as long as the process of incarnation INC lives; holds
 *                the id of the boot in which it was made
 *
 * HOST is the hexadecimal digest of the host's identity, so that two hosts on
 * one machine never share a zone; INC is 32 hexadecimal digits.  A run file
 * outlives its process, as evidence; the next process to start removes those
 * of another boot and those that were found dead seven days ago.
 */
#ifndef PSU_RUNTIME_H
#define PSU_RUNTIME_H

#include "bytes/bytes.h"
#include "report/report.h"

struct psu_runtime;

/**
 * Find or make the directory, and take the lock of this process's incarnation.
 * A directory named by $PSU_THREAD_RUNTIME must be usable; of the others the
 * first usable one is taken.  One that is this user's own but open to others
 * is always refused.
 *
 * @host         digest of this host's identity
 * @incarnation  random, this process's alone
 * @runtime_out  psu_runtime_free(), which drops all locks and leaves the run
 *               file
 *
 * Returns 0, PSU_THREAD_E_RUNTIME_DIR (which directory, why, what to do),
 * PSU_THREAD_E_SYSTEM, PSU_THREAD_E_NO_MEMORY.
 */
PSU_MUST_CHECK int psu_runtime_open(const struct psu_digest *host,
									const struct psu_id *incarnation,
									struct psu_runtime **runtime_out);
void psu_runtime_free(struct psu_runtime *runtime);

/**
 * Lock free slots of the host's zone that follow one another, next-fit from a
 * random start.  Called by any thread.
 *
 * @slot_count  slots in the zone
 * @wanted      how many, 1 at least
 * @first_out   of them; unlock with psu_runtime_unlock_slots()
 *
 * Returns 0, PSU_THREAD_E_ZONE_FULL, PSU_THREAD_E_SYSTEM,
 * PSU_THREAD_E_NO_MEMORY.
 */
PSU_MUST_CHECK int psu_runtime_lock_slots(struct psu_runtime *runtime,
										  uint32_t slot_count, uint32_t wanted,
										  uint32_t *first_out);
void psu_runtime_unlock_slots(struct psu_runtime *runtime, uint32_t first,
							  uint32_t count);

/**
 * Whether the process of that incarnation is known to have died: its file
 * exists, was made since this machine booted, and its lock is free.  Anything
 * else, and any failure, is "not known".
 */
bool psu_runtime_is_dead(struct psu_runtime *runtime,
						 const struct psu_id *incarnation);

/** In a forked child: close the inherited descriptors, so that the child
 * does not keep its parent's locks alive.  Async-signal-safe. */
void psu_runtime_forked(struct psu_runtime *runtime);

#endif
