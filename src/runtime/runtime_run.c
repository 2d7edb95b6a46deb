/* SPDX-License-Identifier: ISC */
/*
 * runtime_run.c - who lives and who has died
 *
 * A run file is locked before its boot id is written, and an empty one proves
 * nothing: so at no instant does a living process look dead.  Its length tells
 * more: a byte behind the boot id was put there by who first found the process
 * dead, and the file's time is then the time of that.
 */
#include "runtime/runtime_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define RUN_PREFIX "run-"
#define RUN_NAME_LEN (sizeof(RUN_PREFIX) - 1 + 32)
#define EVIDENCE_S (7 * 24 * 60 * 60)

static void name_run(const struct psu_id *incarnation,
					 char name_out[RUN_NAME_LEN + 1])
{
	memcpy(name_out, RUN_PREFIX, sizeof(RUN_PREFIX) - 1);
	psu_bytes_hex(incarnation->bytes, sizeof(incarnation->bytes),
				  name_out + sizeof(RUN_PREFIX) - 1);
}

static int read_boot_id(char boot_id_out[PSU_BOOT_ID_LEN])
{
	static const char path[] = "/proc/sys/kernel/random/boot_id";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		rc = psu_error_shortage("open", path);
	if (!rc &&
		(fd < 0 || read(fd, boot_id_out, PSU_BOOT_ID_LEN) != PSU_BOOT_ID_LEN))
		rc = psu_error_set(PSU_THREAD_E_SYSTEM,
						   "cannot read %s: %m: mount /proc", path);
	if (fd >= 0)
		close(fd);
	return rc;
}

int psu_runtime_begin_run(struct psu_runtime *runtime)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char name[RUN_NAME_LEN + 1];
	int rc = read_boot_id(runtime->boot_id);

	if (rc)
		return rc;
	name_run(&runtime->incarnation, name);
	runtime->run_fd = psu_runtime_open_file(runtime->dir_fd, name, O_EXCL);
	if (runtime->run_fd < 0)
		rc = psu_error_shortage("open", name);
	if (rc)
		return rc;

	/* another process that looks at the new file holds it for a moment */
	if (runtime->run_fd < 0 ||
		fcntl(runtime->run_fd, F_OFD_SETLKW, &lock) != 0 ||
		write(runtime->run_fd, runtime->boot_id, PSU_BOOT_ID_LEN) !=
			PSU_BOOT_ID_LEN)
		return psu_error_set(PSU_THREAD_E_SYSTEM,
							 "cannot make and lock %s in the run-time "
							 "directory: %m: use one with room on a local "
							 "file system",
							 name);
	return 0;
}

/** Whether the file was written by a process of this boot. */
static bool is_of_this_boot(const struct psu_runtime *runtime, int fd)
{
	char boot_id[PSU_BOOT_ID_LEN];

	return pread(fd, boot_id, sizeof(boot_id), 0) == PSU_BOOT_ID_LEN &&
		   memcmp(boot_id, runtime->boot_id, PSU_BOOT_ID_LEN) == 0;
}

/** Whether nobody holds a lock; takes none, so that two who ask at once get
 * the same answer. */
static bool is_free(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type == F_UNLCK;
}

bool psu_runtime_is_dead(struct psu_runtime *runtime,
						 const struct psu_id *incarnation)
{
	char name[RUN_NAME_LEN + 1];
	bool dead;
	int fd;

	/* of this very process, the lock is found taken like any other's */
	name_run(incarnation, name);
	fd = openat(runtime->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return false;
	dead = is_of_this_boot(runtime, fd) && is_free(fd);
	close(fd);
	return dead;
}

static void mark_dead(int fd)
{
	/* without room for it, the next sweep tries again */
	if (pwrite(fd, "\n", 1, PSU_BOOT_ID_LEN) < 0)
		return;
}

/** Whether a run file whose lock we hold may still be asked for; the first to
 * find a process of this boot dead leaves a mark. */
static bool is_evidence(const struct psu_runtime *runtime, int fd)
{
	bool this_boot = is_of_this_boot(runtime, fd);
	struct stat status;

	if (fstat(fd, &status) != 0)
		return true;
	if (!this_boot && status.st_size >= PSU_BOOT_ID_LEN)
		return false;
	if (this_boot && status.st_size == PSU_BOOT_ID_LEN) {
		mark_dead(fd);
		return true;
	}
	return status.st_mtime + EVIDENCE_S > time(NULL);
}

static void sweep_file(const struct psu_runtime *runtime, const char *name)
{
	int fd = openat(runtime->dir_fd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return;

	/* the name is never used again, so that the file we hold is the one
	 * that goes, or somebody else has removed it */
	if (psu_runtime_lock_range(fd, 0, 0) && !is_evidence(runtime, fd))
		unlinkat(runtime->dir_fd, name, 0);
	close(fd);
}

void psu_runtime_sweep(struct psu_runtime *runtime)
{
	int fd = openat(runtime->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char own_name[RUN_NAME_LEN + 1];
	const struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	name_run(&runtime->incarnation, own_name);
	while ((entry = readdir(dir)))
		if (strncmp(entry->d_name, RUN_PREFIX, sizeof(RUN_PREFIX) - 1) == 0 &&
			strcmp(entry->d_name, own_name) != 0)
			sweep_file(runtime, entry->d_name);
	closedir(dir);
}
