/* SPDX-License-Identifier: ISC */
/*
 * runtime_files.h - what the parts of runtime/ share
 *
 * runtime.c opens and closes, runtime_dir.c finds the directory,
 * runtime_run.c keeps the run files, runtime_slot.c the zone's slots.
 */
#ifndef PSU_RUNTIME_FILES_H
#define PSU_RUNTIME_FILES_H

#include "runtime/runtime.h"

#include <pthread.h>

/** As the kernel writes it, without the newline. */
#define PSU_BOOT_ID_LEN 36

struct psu_runtime {
	int dir_fd;
	int zone_fd;
	int run_fd;
	struct psu_id incarnation;
	char boot_id[PSU_BOOT_ID_LEN];
	/* locks of one open file description do not exclude each other, so what
	 * this process holds is noted here */
	pthread_mutex_t slots_lock;
	bool *slots_held;
	uint32_t slots_noted; /* entries in slots_held */
	uint32_t next_slot;
};

/**
 * Find or make the directory.
 *
 * @dir_fd_out  closed by the caller
 *
 * Returns 0, PSU_THREAD_E_RUNTIME_DIR, PSU_THREAD_E_NO_MEMORY.
 */
PSU_MUST_CHECK int psu_runtime_find_dir(int *dir_fd_out);

/** Open a file of the directory, made if need be, with @flags besides.
 * Returns its descriptor, or -1 with errno. */
int psu_runtime_open_file(int dir_fd, const char *name, int flags);

/** Try to lock a range of bytes for writing.  Returns whether it is locked
 * now; errno is EAGAIN if somebody else has it. */
bool psu_runtime_lock_range(int fd, uint64_t start, uint64_t len);

/** Read the boot's id and make and lock the run file.  Returns 0 or SYSTEM. */
PSU_MUST_CHECK int psu_runtime_begin_run(struct psu_runtime *runtime);

/** Remove run files that are no evidence any more. */
void psu_runtime_sweep(struct psu_runtime *runtime);

#endif
