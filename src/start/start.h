/* SPDX-License-Identifier: ISC */
/*
 * start.h - one pair of guards for all processes of a deployment
 *
 * A stack that travels carries the stack protector's canary, and jump buffers
 * mangled with the pointer guard.  So both hosts must have the same two, and
 * the whole process must, since libc's own pointers are mangled with them.
 * The program therefore restarts itself once, with the deployment's bytes in
 * an inherited descriptor, and takes them over before anything is mangled:
 *
 *     static   at its entry point (entry_x86_64.S), before libc, which makes
 *              both guards from the kernel's 16 random bytes (AT_RANDOM)
 *     dynamic  in the first constructor of all, that of libpsu_thread.so
 *
 * A dynamic program is restarted without address randomisation, too, since
 * its objects must lie where they lie on the other host.
 */
#ifndef PSU_START_H
#define PSU_START_H

#include "bytes/bytes.h"
#include "report/report.h"

#define PSU_GUARDS_LEN 16
#define PSU_COMM_LEN 16 /* with its NUL, prctl(2) */

/** Names the descriptor; read and removed by the entry point. */
#define PSU_GUARDS_VARIABLE "PSU_THREAD_GUARDS_FD"

/** What the restarted program is handed. */
struct psu_guards_handed {
	uint8_t bytes[PSU_GUARDS_LEN];
	uint8_t restarts;		 /* how often it has restarted itself, 1 or 2 */
	uint8_t randomize;		 /* 1: its children are to be randomised again */
	char name[PSU_COMM_LEN]; /* the process's, as the kernel knows it */
	uint8_t found; /* only in memory: 1 if something was handed over */
};

/** Bytes of it in the descriptor. */
#define PSU_GUARDS_HANDED_LEN offsetof(struct psu_guards_handed, found)

/** Set before any other code of the library runs. */
extern struct psu_guards_handed psu_guards_handed
	__attribute__((visibility("hidden")));

/**
 * The deployment's guards for this program: HKDF-SHA-256 (RFC 5869) of
 * deployment.key and the program's digest.
 */
void psu_guards_derive(const uint8_t *deployment_key,
					   const struct psu_digest *program,
					   uint8_t guards_out[PSU_GUARDS_LEN]);

/** What glibc makes of the 16 bytes: eight of canary, the first of them zero
 * so that no string runs over it, then eight of pointer guard. */
void psu_guards_in_libc(const uint8_t bytes[PSU_GUARDS_LEN],
						uint64_t guards_out[2]);

/** A keyed digest of the guards in force in this process, for the hello; who
 * has not the deployment's key learns nothing from it. */
void psu_guards_digest(const uint8_t *deployment_key,
					   struct psu_digest *digest_out);

/**
 * Make sure that the deployment's guards are in force: return at once if they
 * are, else restart the program.
 *
 * @deployment_key  32 bytes
 *
 * Returns 0, SETUP_TOO_LATE (another thread exists), RESTART_FAILED (set-uid,
 * no /proc, the entry point is not linked in, or restarting did not help),
 * SYSTEM.
 */
PSU_MUST_CHECK int psu_restart_if_needed(const uint8_t *deployment_key);

/**
 * Before main, when the environment says where the keys are: restart now, so
 * that setup need not be main's first act.  What fails here is not reported:
 * setup tries again and says why.
 */
void psu_restart_early(void);

/** Whether main's stack may grow as far as setup needs: below, it would end in
 * a fault.  Returns 0 or SYSTEM. */
PSU_MUST_CHECK int psu_restart_check_stack(void);

#endif
