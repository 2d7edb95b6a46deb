/* SPDX-License-Identifier: ISC */
/*
 * walk_memory.h - what the unwinder may see, and nothing else
 *
 * libunwind asks for every byte, register and unwind table through these
 * accessors; they refuse what lies outside the stack's bounds and the
 * program's non-writable segments, and they write nothing.
 */
#ifndef PSU_WALK_MEMORY_H
#define PSU_WALK_MEMORY_H

#include "walk/walk.h"

#include <libunwind.h>

/** One walk: the accessors' argument. */
struct psu_walk_memory {
	const struct psu_manifest *manifest;
	const struct psu_registers *registers;
	struct psu_stack_bounds bounds;
	bool in_tables; /* libunwind reads an unwind table, not the stack */
};

/** Where a code address lies. */
struct psu_walk_place {
	size_t object; /* index in the manifest */
	const struct psu_segment *segment;
};

/** Find the executable segment that holds @addr.  Returns whether one does. */
bool psu_walk_find_code(const struct psu_manifest *manifest, uint64_t addr,
						struct psu_walk_place *place_out);

/** libunwind's address space with these accessors, one for the process; NULL
 * if memory is exhausted. */
unw_addr_space_t psu_walk_address_space(void);

#endif
