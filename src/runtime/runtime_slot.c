/* SPDX-License-Identifier: ISC */
/*
 * runtime_slot.c - slots of the zone for one process at a time
 *
 * Two guards: the lock of a slot's byte keeps other processes away, the note
 * in memory this process's own threads.
 */
#include "runtime/runtime_files.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/** Have a note for each of @slot_count slots. */
static int note_slots(struct psu_runtime *runtime, uint32_t slot_count)
{
	bool *held;

	if (slot_count <= runtime->slots_noted)
		return 0;
	held = realloc(runtime->slots_held, slot_count * sizeof(*held));
	if (!held)
		return psu_error_set(PSU_THREAD_E_NO_MEMORY,
							 "no memory to note the %u slots of the zone: free "
							 "some",
							 slot_count);
	memset(held + runtime->slots_noted, 0,
		   (slot_count - runtime->slots_noted) * sizeof(*held));
	runtime->slots_held = held;
	runtime->slots_noted = slot_count;
	return 0;
}

/** How many slots from @first on none of this process's threads has, up to
 * @wanted. */
static uint32_t count_free(const struct psu_runtime *runtime, uint32_t first,
						   uint32_t wanted)
{
	uint32_t count = 0;

	while (count < wanted && !runtime->slots_held[first + count])
		count++;
	return count;
}

static int find_slots(struct psu_runtime *runtime, uint32_t slot_count,
					  uint32_t wanted, uint32_t *first_out)
{
	for (uint32_t i = 0; i < slot_count; i++) {
		uint32_t first = (uint32_t)(((uint64_t)runtime->next_slot + i) %
									slot_count);

		if (wanted > slot_count - first ||
			count_free(runtime, first, wanted) < wanted)
			continue;
		if (psu_runtime_lock_range(runtime->zone_fd, first, wanted)) {
			memset(runtime->slots_held + first, true, wanted);
			runtime->next_slot = first + wanted;
			*first_out = first;
			return 0;
		}
		if (errno != EAGAIN)
			return psu_error_set(PSU_THREAD_E_SYSTEM,
								 "cannot lock slot %u of the zone file: %m: "
								 "use a run-time directory on a local file "
								 "system",
								 first);
	}
	return psu_error_set(PSU_THREAD_E_ZONE_FULL,
						 "of the %u slots of this host's zone no %u in a row "
						 "are free: end some threads of this host's processes, "
						 "or give the deployment fewer and larger zones",
						 slot_count, wanted);
}

int psu_runtime_lock_slots(struct psu_runtime *runtime, uint32_t slot_count,
						   uint32_t wanted, uint32_t *first_out)
{
	int rc;

	pthread_mutex_lock(&runtime->slots_lock);
	rc = note_slots(runtime, slot_count);
	if (!rc)
		rc = find_slots(runtime, slot_count, wanted, first_out);
	pthread_mutex_unlock(&runtime->slots_lock);
	return rc;
}

void psu_runtime_unlock_slots(struct psu_runtime *runtime, uint32_t first,
							  uint32_t count)
{
	struct flock unlock = {
		.l_type = F_UNLCK,
		.l_whence = SEEK_SET,
		.l_start = first,
		.l_len = count,
	};

	pthread_mutex_lock(&runtime->slots_lock);
	assert(first + count <= runtime->slots_noted && runtime->slots_held[first]);
	fcntl(runtime->zone_fd, F_OFD_SETLK, &unlock);
	memset(runtime->slots_held + first, false, count);
	pthread_mutex_unlock(&runtime->slots_lock);
}
