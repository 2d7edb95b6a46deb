/* SPDX-License-Identifier: ISC */
/*
 * travel.h - what a travel test is written with
 *
 * A travel test is one file NAME.c or NAME.cc.  It defines travel(), which
 * runs in a migratable thread, calls MOVE() where it wants to be carried away,
 * and CHECKs its own state before and behind it.
 *
 * A run starts the same static program twice, `NAME serve CERTS` and
 * `NAME go CERTS HOST:PORT [back]`; travel() begins in the process that was
 * started as `go`.  Without `back` each MOVE() is one hop, to the other
 * process from wherever the thread is; with `back` each is two, there and
 * back again.  The run has succeeded when the two processes together printed
 * the line `travel NAME: ok` once on stdout and both ended with status 0.
 * Lines that begin with '#' are notes.  Tests link with -lm, for fenv.
 *
 * Covered, by name of the test:
 *
 *   the stack      alignment alloca deep_recursion int128 label_address
 *                  list_in_frames literals pointers struct_by_value varargs
 *                  vla bit_fields
 *   registers      avx callee_saved floating_point fp_environment
 *   the thread     cancel_self cancel_state errno_value self signal_mask
 *                  thread_local thread_name
 *   libc           bsearch_callback cleanup exit_atexit longjmp pthread_exit
 *                  qsort_callback siglongjmp stdout_pointer
 *   many moves     many_hops hops
 *   the heap       heap_blocks heap_lists heap_containers heap_qsort
 *                  heap_vector heap_vectors
 *   what stays     globals_stay heap_stays
 *   C++            containers destructors dynamic_type forced_unwind
 *                  function_objects throw_again throw_later
 *                  thread_local_object exit_thread_local unwinder
 *                  virtual_calls
 *
 * Documented as not travelling, and so of no use behind a MOVE(): contents
 * of ordinary and static variables (each process has its own), memory from
 * malloc and what libc keeps in it (a qsort of 1024 bytes and more, strdup,
 * getline, asprintf), open files and sockets, handlers of signals and of
 * atexit, held mutexes, other threads, thread-specific data, the tid and pid.
 * Nested functions whose address is taken need an executable stack: refused.
 */
#ifndef PSU_TRAVEL_H
#define PSU_TRAVEL_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The test: returns 0 when every check held.  Runs in the moving thread. */
int travel(void);

/** A test as the driver knows it. */
struct travel_test {
	const char *name;
	int (*run)(void);
};

/** All tests of this program; behind the last is one without a name. */
extern const struct travel_test travel_tests[];

/** One hop, whatever the run: to the other process from wherever we are.
 * Ends the process if the move fails, or if travel_process() is the same
 * afterwards. */
void travel_hop(void);

/** travel_hops_per_move() hops. */
void travel_move(void);

/** How many hops one MOVE() makes: 1, or 2 in a there-and-back run.  Travels
 * with the thread, as does the other process's address. */
int travel_hops_per_move(void);

/** Which process we are in: 0 the one started as `go`, 1 the one started as
 * `serve`.  An ordinary global, which does not travel. */
int travel_process(void);

/** Say what failed on stderr and end this process at once with status 1. */
void travel_fail(const char *file, int line, const char *what)
	__attribute__((noreturn));

/** Print `travel NAME: ok`.  The driver calls it when travel() has returned
 * 0; a test that ends otherwise (exit, pthread_exit) calls it itself, once,
 * as late as it can. */
void travel_passed(void);

/** What a thread that succeeded ends with, whether travel() returned or the
 * test called pthread_exit; a driver that learns results compares it. */
#define TRAVEL_RESULT ((void *)0x5eed)

#define MOVE() travel_move()
#define CHECK(cond) ((cond) ? (void)0 : travel_fail(__FILE__, __LINE__, #cond))

/** The compiler forgets what it knows of an integer or a pointer, so that it
 * must keep the value where it lives, across calls too. */
#define HIDE(value) __asm__ volatile("" : "+r"(value))

/** A function with a frame of its own. */
#define NOINLINE __attribute__((noinline))

#ifdef __cplusplus
}
#endif

#endif
