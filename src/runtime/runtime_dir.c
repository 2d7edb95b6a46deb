/* SPDX-License-Identifier: ISC */
/*
 * runtime_dir.c - find the one private directory for run-time files
 *
 * In: two environment variables.  Out: the descriptor of a directory that is
 * this user's, closed to others, and no symbolic link.  Whoever could write
 * there could make a living process look dead, so doubt is refusal.
 */
#include "runtime/runtime_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define WHY_LEN 160

struct candidate {
	char path[PATH_MAX];
	char why[WHY_LEN]; /* it cannot be used, and what to do */
	bool exposed;	   /* ours, but open to others */
};

static int check_private(int dir_fd, struct candidate *candidate)
{
	struct stat status;

	if (fstat(dir_fd, &status) != 0) {
		snprintf(candidate->why, WHY_LEN,
				 "%m: name another one in PSU_THREAD_RUNTIME");
		return -1;
	}
	if (status.st_uid != geteuid()) {
		snprintf(candidate->why, WHY_LEN,
				 "it belongs to user %u, not to user %u: name another one in "
				 "PSU_THREAD_RUNTIME",
				 status.st_uid, geteuid());
		return -1;
	}
	if (status.st_mode & 077) {
		candidate->exposed = true;
		snprintf(candidate->why, WHY_LEN,
				 "others can enter it (mode 0%o): name a directory of your own "
				 "in PSU_THREAD_RUNTIME, or, if this one is yours alone, "
				 "chmod 700 it",
				 status.st_mode & 07777);
		return -1;
	}
	return 0;
}

/** Returns a descriptor, or -1 and says why. */
static int open_private(struct candidate *candidate)
{
	int dir_fd;

	if (mkdir(candidate->path, 0700) != 0 && errno != EEXIST) {
		snprintf(candidate->why, WHY_LEN,
				 "it cannot be made (%m): name another one in "
				 "PSU_THREAD_RUNTIME");
		return -1;
	}
	dir_fd = open(candidate->path,
				  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir_fd < 0) {
		bool other = errno == ENOTDIR || errno == ELOOP;

		snprintf(candidate->why, WHY_LEN,
				 other ? "it is a symbolic link or no directory: name another "
						 "one in PSU_THREAD_RUNTIME"
					   : "it cannot be opened (%m): name another one in "
						 "PSU_THREAD_RUNTIME");
		return -1;
	}
	if (check_private(dir_fd, candidate) != 0) {
		close(dir_fd);
		return -1;
	}
	return dir_fd;
}

static int refuse(const struct candidate *candidate)
{
	return psu_error_set(PSU_THREAD_E_RUNTIME_DIR,
						 "cannot use %s for run-time files: %s",
						 candidate->path, candidate->why);
}

/** The @number-th place to look; false if the environment names none. */
static bool name_default(struct candidate *candidate, int number)
{
	const char *base = getenv("XDG_RUNTIME_DIR");
	int len;

	if (number == 0)
		len = snprintf(candidate->path, PATH_MAX, "/run/psu_thread");
	else if (number == 1 && base && *base == '/')
		len = snprintf(candidate->path, PATH_MAX, "%s/psu_thread", base);
	else if (number == 2)
		len = snprintf(candidate->path, PATH_MAX, "/tmp/psu_thread-%u",
					   geteuid());
	else
		return false;
	return len < PATH_MAX;
}

/* Both return 0, or a code and leave *dir_fd_out at -1. */

static int find_default(struct candidate *candidate, int *dir_fd_out)
{
	for (int number = 0; number < 3; number++) {
		if (!name_default(candidate, number))
			continue;
		*dir_fd_out = open_private(candidate);
		if (*dir_fd_out >= 0)
			return 0;
		if (candidate->exposed)
			break;
	}
	return refuse(candidate);
}

static int find_named(struct candidate *candidate, const char *name,
					  int *dir_fd_out)
{
	int len = snprintf(candidate->path, PATH_MAX, "%s", name);

	/* with a slash behind it, a symbolic link would be followed */
	while (len > 1 && len < PATH_MAX && name[len - 1] == '/')
		candidate->path[--len] = '\0';
	if (len < PATH_MAX)
		*dir_fd_out = open_private(candidate);
	else
		snprintf(candidate->why, WHY_LEN,
				 "its name is too long: name another one in "
				 "PSU_THREAD_RUNTIME");
	return *dir_fd_out >= 0 ? 0 : refuse(candidate);
}

int psu_runtime_find_dir(int *dir_fd_out)
{
	const char *name = getenv("PSU_THREAD_RUNTIME");
	struct candidate *candidate = calloc(1, sizeof(*candidate));
	int dir_fd = -1;
	int rc;

	if (!candidate)
		return psu_error_set(PSU_THREAD_E_NO_MEMORY,
							 "no memory to find the run-time directory: free "
							 "some");
	if (name && *name)
		rc = find_named(candidate, name, &dir_fd);
	else
		rc = find_default(candidate, &dir_fd);
	free(candidate);
	if (!rc)
		*dir_fd_out = dir_fd;
	return rc;
}
