/* SPDX-License-Identifier: ISC */
/*
 * psu_thread_check.h - what would a thread miss at another host?
 *
 * Included by psu_thread.h.
 */
#ifndef PSU_THREAD_CHECK_H
#define PSU_THREAD_CHECK_H

#include <psu_thread.h>

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where a word lies that points to memory which does not travel. */
enum psu_thread_finding_place {
	PSU_THREAD_FOUND_STACK = 1,	   /* in a caller's frame */
	PSU_THREAD_FOUND_REGISTER,	   /* that a callee must keep */
	PSU_THREAD_FOUND_THREAD_LOCAL, /* in one that travels */
	PSU_THREAD_FOUND_HEAP		   /* in a block of psu_thread_malloc()'s */
};

/** Such a word. */
struct psu_thread_finding {
	enum psu_thread_finding_place place;
	uint64_t addr;	  /* of the word; 0: a register */
	uint64_t value;	  /* where it points */
	char where[128];  /* "frame 1, walk_tree+0x31, at +0x18" */
	char what[160];	  /* "libc's heap (a block of 112 bytes)" */
	char remedy[128]; /* "allocate it with psu_thread_malloc()" */
};

/** Findings of a report, at most; there may be more words. */
#define PSU_THREAD_FINDINGS_MAX 16

struct psu_thread_report {
	unsigned found; /* words */
	unsigned kept;	/* of them, the first ones, here: */
	struct psu_thread_finding findings[PSU_THREAD_FINDINGS_MAX];
};

/**
 * Look whether the calling thread could move now, and for words of its stack,
 * callee-saved registers, thread-locals and heap that point to memory which
 * stays: libc's heap, other threads' stacks and slots, mappings that are no
 * part of the program.  Nothing moves.  (PSU_THREAD_STRICT=1 has each
 * psu_thread_migrate() look first, and refuse.)
 *
 * A word is what it is taken for if it is in use; the library cannot see
 * whether it is: a dead local, or what an uninitialised array was given, counts
 * too.  The thread function's argument does not, nor what was freed.
 *
 * @host        a destination, as for psu_thread_migrate(): a session is opened
 *              to it, so that names, certificates, peers, program and
 *              processors are judged as well; NULL: none
 * @report_out  NULL: not wanted.  It holds the words that it names: a report
 *              on the stack is found by a later look, if what it tells of is
 *              still there
 *
 * Returns 0: nothing was found.  POINTER_STAYS: see the report, and the log at
 * level INFO.  Or what psu_thread_migrate() would return, with an empty report.
 */
PSU_THREAD_EXPORT PSU_THREAD_MUST_CHECK int
psu_thread_check(const char *host, struct psu_thread_report *report_out);

#ifdef __cplusplus
}
#endif

#endif
