/* SPDX-License-Identifier: ISC */
/*
 * runtime.c - open and close what processes of one host agree on
 */
#include "runtime/runtime_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define ZONE_PREFIX "zone-"

int psu_runtime_open_file(int dir_fd, const char *name, int flags)
{
	return openat(dir_fd, name,
				  O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
}

bool psu_runtime_lock_range(int fd, uint64_t start, uint64_t len)
{
	struct flock lock = {
		.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = (off_t)start,
		.l_len = (off_t)len,
	};

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return true;
	if (errno == EACCES)
		errno = EAGAIN;
	return false;
}

static int explain_zone(const char *name)
{
	int rc = psu_error_shortage("open", name);

	if (!rc)
		rc = psu_error_set(PSU_THREAD_E_SYSTEM,
						   "cannot open %s in the run-time directory: %m: "
						   "make the directory writable for this user, or name "
						   "another in PSU_THREAD_RUNTIME",
						   name);
	return rc;
}

static int open_zone(struct psu_runtime *runtime, const struct psu_digest *host)
{
	char name[sizeof(ZONE_PREFIX) + 2 * sizeof(host->bytes)] = ZONE_PREFIX;

	psu_bytes_hex(host->bytes, sizeof(host->bytes), name + strlen(name));
	runtime->zone_fd = psu_runtime_open_file(runtime->dir_fd, name, 0);
	if (runtime->zone_fd < 0)
		return explain_zone(name);
	if (getrandom(&runtime->next_slot, sizeof(runtime->next_slot), 0) !=
		sizeof(runtime->next_slot))
		return psu_error_set(PSU_THREAD_E_SYSTEM,
							 "the kernel gives no random numbers: %m: allow "
							 "this process getrandom");
	return 0;
}

int psu_runtime_open(const struct psu_digest *host,
					 const struct psu_id *incarnation,
					 struct psu_runtime **runtime_out)
{
	struct psu_runtime *runtime = calloc(1, sizeof(*runtime));
	int rc;

	if (!runtime)
		return psu_error_set(PSU_THREAD_E_NO_MEMORY,
							 "no memory to open the run-time directory: free "
							 "some");
	runtime->dir_fd = runtime->zone_fd = runtime->run_fd = -1;
	runtime->incarnation = *incarnation;
	pthread_mutex_init(&runtime->slots_lock, NULL);
	rc = psu_runtime_find_dir(&runtime->dir_fd);
	if (!rc)
		rc = open_zone(runtime, host);
	if (!rc)
		rc = psu_runtime_begin_run(runtime);
	if (rc) {
		psu_runtime_free(runtime);
		return rc;
	}
	psu_runtime_sweep(runtime);
	*runtime_out = runtime;
	return 0;
}

/** Nothing but system calls: a forked child does this too. */
static void close_all(struct psu_runtime *runtime)
{
	int *fds[] = {&runtime->run_fd, &runtime->zone_fd, &runtime->dir_fd};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

void psu_runtime_free(struct psu_runtime *runtime)
{
	if (!runtime)
		return;
	close_all(runtime);
	pthread_mutex_destroy(&runtime->slots_lock);
	free(runtime->slots_held);
	free(runtime);
}

void psu_runtime_forked(struct psu_runtime *runtime)
{
	close_all(runtime);
}
