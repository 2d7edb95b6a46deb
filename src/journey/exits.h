/* SPDX-License-Identifier: ISC */
/*
 * exits.h - destructors of thread-locals, which travel with them
 *
 * C++ registers the destructor of a thread_local object when the object is
 * made (Itanium C++ ABI, "__cxa_thread_atexit").  libc would keep the list in
 * memory of this process and call it when the pthread ends, here, although
 * the thread has only left.  So the library keeps the list of a migratable
 * thread itself: of those objects that travel.
 */
#ifndef PSU_EXITS_H
#define PSU_EXITS_H

#include "image/image.h"
#include "slot/slot.h"

/** Call them, the last one first, with those that are registered meanwhile;
 * the list is empty then. */
void psu_exits_run(struct psu_exits *exits);

/** Let them run, too, if exit() is called by a migratable thread: before the
 * destructors of static objects that were made before setup.  Called once.
 * Returns 0 or PSU_THREAD_E_NO_MEMORY. */
PSU_MUST_CHECK int psu_exits_attend(void);

/** Drop the list: the thread has left with it. */
void psu_exits_clear(struct psu_exits *exits);

/**
 * Take an image's list over, in the place of @exits.  Every byte of it is
 * hostile: each function must be one of this program's, each object a
 * thread-local that travels, of the calling thread.
 *
 * Returns 0, PSU_THREAD_E_STATE_INVALID or NO_MEMORY.
 */
PSU_MUST_CHECK int psu_exits_restore(struct psu_exits *exits,
									 const struct psu_exits *image);

#endif
