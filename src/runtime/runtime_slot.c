/* SPDX-License-Identifier: ISC */
/*
 * runtime_slot.c - a slot of the zone for one process at a time
 *
 * Two guards: the lock of the slot's byte keeps other processes away, the note
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

static int find_slot(struct psu_runtime *runtime, uint32_t slot_count,
					 uint32_t *slot_out)
{
	for (uint32_t i = 0; i < slot_count; i++) {
		uint32_t slot = (uint32_t)(((uint64_t)runtime->next_slot + i) %
								   slot_count);

		if (runtime->slots_held[slot])
			continue;
		if (psu_runtime_lock_range(runtime->zone_fd, slot, 1)) {
			runtime->slots_held[slot] = true;
			runtime->next_slot = slot + 1;
			*slot_out = slot;
			return 0;
		}
		if (errno != EAGAIN)
			return psu_error_set(PSU_THREAD_E_SYSTEM,
								 "cannot lock slot %u of the zone file: %m: "
								 "use a run-time directory on a local file "
								 "system",
								 slot);
	}
	return psu_error_set(PSU_THREAD_E_ZONE_FULL,
						 "all %u slots of this host's zone are taken by "
						 "processes of this host: end some threads, or give "
						 "the deployment fewer and larger zones",
						 slot_count);
}

int psu_runtime_lock_slot(struct psu_runtime *runtime, uint32_t slot_count,
						  uint32_t *slot_out)
{
	int rc;

	pthread_mutex_lock(&runtime->slots_lock);
	rc = note_slots(runtime, slot_count);
	if (!rc)
		rc = find_slot(runtime, slot_count, slot_out);
	pthread_mutex_unlock(&runtime->slots_lock);
	return rc;
}

void psu_runtime_unlock_slot(struct psu_runtime *runtime, uint32_t slot)
{
	struct flock unlock = {
		.l_type = F_UNLCK,
		.l_whence = SEEK_SET,
		.l_start = slot,
		.l_len = 1,
	};

	pthread_mutex_lock(&runtime->slots_lock);
	assert(slot < runtime->slots_noted && runtime->slots_held[slot]);
	fcntl(runtime->zone_fd, F_OFD_SETLK, &unlock);
	runtime->slots_held[slot] = false;
	pthread_mutex_unlock(&runtime->slots_lock);
}
