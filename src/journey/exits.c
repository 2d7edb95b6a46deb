/* SPDX-License-Identifier: ISC */
/*
 * exits.c - keep, run and restore a thread's list of destructors
 */
#include "journey/exits.h"
#include "journey/process.h"
#include "journey/traveller.h"
#include "state/locals.h"
#include "walk/walk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* glibc's, for all that are none of ours; and the ABI's, which compilers
 * call, in the place of libstdc++'s. */
int __cxa_thread_atexit_impl(void (*function)(void *), void *object, void *dso);
PSU_THREAD_EXPORT int __cxa_thread_atexit(void (*function)(void *),
										  void *object, void *dso);

static bool append(struct psu_exits *exits, struct psu_exit exit)
{
	struct psu_exit *list = reallocarray(exits->list, exits->count + 1,
										 sizeof(*list));

	if (!list)
		return false;
	exits->list = list;
	exits->list[exits->count++] = exit;
	return true;
}

int __cxa_thread_atexit(void (*function)(void *), void *object, void *dso)
{
	struct psu_traveller *self = psu_local.self;
	const struct psu_exit exit = {(uint64_t)function, (uint64_t)object};

	/* what stays is destroyed where it is */
	if (!self || !psu_locals_travel(object))
		return __cxa_thread_atexit_impl(function, object, dso);
	return append(&self->exits, exit) ? 0 : -1;
}

void psu_exits_run(struct psu_exits *exits)
{
	while (exits->count) {
		struct psu_exit last = exits->list[--exits->count];

		((void (*)(void *))last.function_addr)((void *)last.object_addr);
	}
	psu_exits_clear(exits);
}

static void run_own(void)
{
	if (psu_local.self)
		psu_exits_run(&psu_local.self->exits);
}

int psu_exits_attend(void)
{
	if (atexit(run_own) == 0)
		return 0;
	return psu_error_set(PSU_THREAD_E_NO_MEMORY,
						 "no memory for a function to be called at exit: free "
						 "some");
}

void psu_exits_clear(struct psu_exits *exits)
{
	free(exits->list);
	exits->list = NULL;
	exits->count = 0;
}

int psu_exits_restore(struct psu_exits *exits, const struct psu_exits *image)
{
	const struct psu_manifest *manifest = &psu_process_get()->manifest;

	psu_exits_clear(exits);
	for (size_t i = 0; i < image->count; i++) {
		const struct psu_exit *exit = &image->list[i];

		if (!psu_walk_is_function(manifest, exit->function_addr) ||
			!psu_locals_travel((const void *)exit->object_addr))
			return psu_error_set(PSU_THREAD_E_STATE_INVALID,
								 "the thread brings a destructor at 0x%" PRIx64
								 " for 0x%" PRIx64 ", which is no function, or "
								 "no thread-local, of this program: install "
								 "the same version on both hosts",
								 exit->function_addr, exit->object_addr);
		if (!append(exits, *exit))
			return psu_error_set(PSU_THREAD_E_NO_MEMORY,
								 "no memory for a thread's %zu destructors: "
								 "free some",
								 image->count);
	}
	return 0;
}
