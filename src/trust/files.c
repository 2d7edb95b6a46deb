/* SPDX-License-Identifier: ISC */
/*
 * files.c - the files of a certificate directory, opened with distrust
 *
 * Everything is checked on the opened descriptors, never on names, so that
 * nothing can be exchanged between the check and the use.  Sizes are bounded
 * before memory is taken.
 */
#include "trust/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* File times advance in steps of a clock tick, on some systems of a second. */
#define SETTLE_S 2

struct rule {
	const char *name;
	const char *other_name; /* as cert-manager calls it, or NULL */
	off_t len_max;			/* bytes */
	bool secret;			/* nobody else may read it */
	int invalid;			/* the code for what is not as it should be */
};

static const struct rule rules[] = {
	[PSU_FILE_CA] = {"ca.crt", NULL, 16 << 10, false,
					 PSU_THREAD_E_CERTS_INVALID},
	[PSU_FILE_CRL] = {"crl.pem", NULL, 4 << 20, false,
					  PSU_THREAD_E_CERTS_INVALID},
	[PSU_FILE_HOST] = {"host.crt", "tls.crt", 16 << 10, false,
					   PSU_THREAD_E_CERTS_INVALID},
	[PSU_FILE_HOST_KEY] = {"host.key", "tls.key", 4 << 10, true,
						   PSU_THREAD_E_CERTS_INVALID},
	[PSU_FILE_SIGN_KEY] = {"sign.key", NULL, 4 << 10, true,
						   PSU_THREAD_E_CERTS_INVALID},
	[PSU_FILE_DEPLOYMENT] = {"deployment.key", NULL, 4 << 10, true,
							 PSU_THREAD_E_CERTS_INVALID},
	[PSU_FILE_PEERS] = {"peers", NULL, 1 << 20, false,
						PSU_THREAD_E_PEERS_INVALID},
};

static bool exists(const char *dir, const char *name)
{
	char path[PATH_MAX];
	struct stat status;

	if (!name)
		return false;
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return lstat(path, &status) == 0;
}

const char *psu_files_name(const char *dir, enum psu_file_kind kind)
{
	const struct rule *rule = &rules[kind];

	return exists(dir, rule->other_name) && !exists(dir, rule->name)
			   ? rule->other_name
			   : rule->name;
}

/** What holds for the directory and for every file in it. */
static int check_owner_and_mode(const char *path, const struct stat *status,
								bool secret)
{
	if (status->st_uid != geteuid() && status->st_uid != 0)
		return psu_error_set(PSU_THREAD_E_KEY_EXPOSED,
							 "%s belongs to user %u, who is neither the user "
							 "of this program (%u) nor root: run: chown %u %s",
							 path, status->st_uid, geteuid(), geteuid(), path);
	if (secret && (status->st_mode & 077))
		return psu_error_set(PSU_THREAD_E_KEY_EXPOSED,
							 "%s has mode %04o, so that others can get at the "
							 "key: run: chmod 600 %s",
							 path, status->st_mode & 07777, path);
	if (status->st_mode & 022)
		return psu_error_set(PSU_THREAD_E_KEY_EXPOSED,
							 "%s has mode %04o, so that others can change it: "
							 "run: chmod go-w %s",
							 path, status->st_mode & 07777, path);
	return 0;
}

static int explain_open_dir(const char *dir)
{
	int rc = psu_error_shortage("open", dir);

	if (!rc)
		rc = psu_error_set(PSU_THREAD_E_CERTS_MISSING,
						   "the certificate directory '%s' cannot be opened: "
						   "%m: make one with certs/make-certs.sh, and pass "
						   "it as cert_path or in PSU_THREAD_CERTS",
						   dir);
	return rc;
}

static int open_dir(const char *dir, int *fd_out)
{
	struct stat status;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc;

	if (fd < 0 || fstat(fd, &status) < 0) {
		rc = explain_open_dir(dir);
		goto out;
	}
	rc = check_owner_and_mode(dir, &status, false);
	if (rc)
		goto out;
	*fd_out = fd;
	fd = -1;
out:
	if (fd >= 0)
		close(fd);
	return rc;
}

static int explain_open(const struct rule *rule, const char *path)
{
	int rc = psu_error_shortage("open", path);

	if (rc)
		return rc;
	switch (errno) {
	case ENOENT:
		return psu_error_set(PSU_THREAD_E_CERTS_INCOMPLETE,
							 "%s is missing: pass one host's directory, "
							 "whole, as certs/make-certs.sh made it "
							 "(keys/NAME)",
							 path);
	case ELOOP:
		return psu_error_set(rule->invalid,
							 "%s is a symbolic link, which may be turned to "
							 "another file: put the file itself there",
							 path);
	default:
		return psu_error_set(rule->invalid,
							 "%s cannot be opened: %m: run: chown %u %s; "
							 "chmod 600 %s",
							 path, geteuid(), path, path);
	}
}

static int check_file(const struct rule *rule, const char *path,
					  const struct stat *status)
{
	if (!S_ISREG(status->st_mode))
		return psu_error_set(rule->invalid,
							 "%s is no regular file: put the file itself there",
							 path);
	if (status->st_size > rule->len_max)
		return psu_error_set(rule->invalid,
							 "%s has %lld bytes, more than %lld: put the right "
							 "file there",
							 path, (long long)status->st_size,
							 (long long)rule->len_max);
	return check_owner_and_mode(path, status, rule->secret);
}

static struct psu_file_stamp stamp_of(const struct stat *status)
{
	struct psu_file_stamp stamp = {.status = *status};
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	stamp.settled = now.tv_sec - status->st_ctim.tv_sec > SETTLE_S;
	return stamp;
}

/** Read the file, which is not longer than it was found to be. */
static int read_file(int fd, const struct rule *rule, const char *path,
					 struct psu_file *file_out)
{
	size_t room = (size_t)file_out->stamp.status.st_size;
	char *text = sodium_malloc(room + 1);
	size_t len = 0;
	ssize_t n = 1;

	if (!text)
		return psu_error_set(PSU_THREAD_E_NO_MEMORY,
							 "no memory for %zu bytes of %s: free some", room,
							 path);
	while (n > 0 && len < room) {
		n = read(fd, text + len, room - len);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			len += (size_t)n;
	}
	if (n < 0) {
		int rc = psu_error_set(rule->invalid,
							   "%s cannot be read: %m: put the file there "
							   "again",
							   path);
		sodium_free(text);
		return rc;
	}
	text[len] = '\0';
	file_out->text = text;
	file_out->len = len;
	return 0;
}

int psu_files_load(const char *dir, enum psu_file_kind kind,
				   struct psu_file *file_out)
{
	const struct rule *rule = &rules[kind];
	const char *name = psu_files_name(dir, kind);
	struct psu_file file = {0};
	char path[PATH_MAX];
	struct stat status;
	int dir_fd = -1;
	int fd = -1;
	int rc;

	rc = open_dir(dir, &dir_fd);
	if (rc)
		return rc;
	if (name == rule->name && exists(dir, rule->other_name)) {
		rc = psu_error_set(rule->invalid,
						   "%s has both %s and %s, which mean the same: "
						   "remove one of them",
						   dir, rule->name, rule->other_name);
		goto out;
	}
	snprintf(path, sizeof(path), "%s/%s", dir, name);

	/* O_NONBLOCK: a FIFO in the file's place must not stop us */
	fd = openat(dir_fd, name,
				O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) < 0) {
		rc = explain_open(rule, path);
		goto out;
	}
	rc = check_file(rule, path, &status);
	if (rc)
		goto out;
	file.stamp = stamp_of(&status);
	rc = read_file(fd, rule, path, &file);
	if (!rc)
		*file_out = file;
out:
	if (fd >= 0)
		close(fd);
	close(dir_fd);
	return rc;
}

void psu_files_free(struct psu_file *file)
{
	sodium_free(file->text); /* overwrites */
	file->text = NULL;
	file->len = 0;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool psu_files_changed(const char *dir, enum psu_file_kind kind,
					   const struct psu_file_stamp *stamp)
{
	const struct stat *then = &stamp->status;
	char path[PATH_MAX];
	struct stat now;

	snprintf(path, sizeof(path), "%s/%s", dir, rules[kind].name);
	return !stamp->settled || lstat(path, &now) < 0 ||
		   now.st_dev != then->st_dev || now.st_ino != then->st_ino ||
		   now.st_size != then->st_size ||
		   !same_time(&now.st_mtim, &then->st_mtim) ||
		   !same_time(&now.st_ctim, &then->st_ctim);
}
