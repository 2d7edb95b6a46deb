/* SPDX-License-Identifier: ISC */
/*
 * route.c - whose memory is to travel
 *
 * By name the objects of the program's start are told apart once, before main.
 * An object that is loaded later is never of interest: it is not in the
 * manifest, so the destination need not have it, and the name service and
 * iconv load theirs for the whole process.  Until the list is there no thread
 * can be migratable.
 */
#include "route/route.h"
#include "slot/slot.h"
#include "start/manifest.h"
#include "state/sanitizer.h"

#include <dlfcn.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>

/** Where an object whose memory travels has its segments. */
struct span {
	uint64_t start, end;
};

/* A program with more objects is refused at setup. */
static struct span spans[PSU_OBJECTS_MAX];
static size_t span_count;

static struct span measure(const struct dl_phdr_info *info)
{
	struct span span = {UINT64_MAX, 0};

	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		uint64_t start = info->dlpi_addr + header->p_vaddr;

		if (header->p_type != PT_LOAD)
			continue;
		if (start < span.start)
			span.start = start;
		if (start + header->p_memsz > span.end)
			span.end = start + header->p_memsz;
	}
	return span;
}

static int list_object(struct dl_phdr_info *info, size_t len, void *unused)
{
	const char *slash = strrchr(info->dlpi_name, '/');

	(void)len;
	(void)unused;
	if (!psu_manifest_keeps_memory(slash ? slash + 1 : info->dlpi_name) &&
		span_count < PSU_OBJECTS_MAX)
		spans[span_count++] = measure(info);
	return 0;
}

__attribute__((constructor)) static void list_objects(void)
{
	/* nor can their free() give back what is in a slot */
	if (!psu_sanitizer_has_malloc())
		dl_iterate_phdr(list_object, NULL);
}

/** Whether the calling thread is migratable, and not on its home stack: the
 * home zone has the thread control block, too. */
static bool is_travelling(void)
{
	const char *thread = __builtin_thread_pointer();
	uint64_t frame = (uint64_t)__builtin_frame_address(0);

	_Static_assert(PSU_WINDOW_ADDR % PSU_SLOT_HOME_LEN == 0 &&
					   PSU_SLOT_LEN % PSU_SLOT_HOME_LEN == 0,
				   "a home zone has one quotient");
	return psu_slot_window_holds(thread) &&
		   frame / PSU_SLOT_HOME_LEN != (uint64_t)thread / PSU_SLOT_HOME_LEN;
}

bool psu_route_travels(const void *caller)
{
	uint64_t addr = (uint64_t)caller;

	if (!is_travelling())
		return false;
	for (size_t i = 0; i < span_count; i++)
		if (addr - spans[i].start < spans[i].end - spans[i].start)
			return true;
	return false;
}

void *psu_route_original(const char *name, void *_Atomic *known)
{
	void *function = atomic_load_explicit(known, memory_order_relaxed);

	if (!function) {
		function = dlsym(RTLD_NEXT, name);
		atomic_store_explicit(known, function, memory_order_relaxed);
	}
	return function;
}
