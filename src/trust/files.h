/* SPDX-License-Identifier: ISC */
/*
 * files.h - the files of a certificate directory, opened with distrust
 *
 * In: a directory and which of its files.  Out: the file's bytes in guarded
 * memory, and a stamp by which a later change is noticed.  Refused, as OpenSSH
 * does, with the command that mends it: symbolic links, anything but regular
 * files, files of another user but root, keys that others may read, and
 * anything that others may write.
 */
#ifndef PSU_FILES_H
#define PSU_FILES_H

#include "report/report.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

enum psu_file_kind {
	PSU_FILE_CA,		 /* ca.crt */
	PSU_FILE_CRL,		 /* crl.pem */
	PSU_FILE_HOST,		 /* host.crt, or cert-manager's tls.crt */
	PSU_FILE_HOST_KEY,	 /* host.key, or tls.key */
	PSU_FILE_SIGN_KEY,	 /* sign.key */
	PSU_FILE_DEPLOYMENT, /* deployment.key */
	PSU_FILE_PEERS		 /* peers */
};

/** What tells one version of a file from the next. */
struct psu_file_stamp {
	struct stat status;
	bool settled; /* old enough that a later write shows in its times */
};

struct psu_file {
	char *text; /* sodium_malloc, with a NUL behind the last byte */
	size_t len; /* bytes, without that NUL */
	struct psu_file_stamp stamp;
};

/** "host.key"; "tls.key" where only that is there. */
const char *psu_files_name(const char *dir, enum psu_file_kind kind);

/**
 * Check and read one file.  sodium_init() must have been called.
 *
 * @dir       the directory, whose owner and mode are checked as well
 * @file_out  psu_files_free()
 *
 * Returns 0, CERTS_MISSING, CERTS_INCOMPLETE, KEY_EXPOSED, NO_MEMORY, or
 * CERTS_INVALID (also: under both its names), in the peers file's case
 * PEERS_INVALID.
 */
PSU_MUST_CHECK int psu_files_load(const char *dir, enum psu_file_kind kind,
								  struct psu_file *file_out);

/** Overwrite and release the bytes. */
void psu_files_free(struct psu_file *file);

/** Whether the file may be another one than when @stamp was taken.  A stamp
 * of zeros is of no file. */
bool psu_files_changed(const char *dir, enum psu_file_kind kind,
					   const struct psu_file_stamp *stamp);

#endif
