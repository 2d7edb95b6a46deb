/* SPDX-License-Identifier: ISC */
/*
 * manifest_system.c - which shared objects are the system's
 *
 * Their state belongs to the process and stays: locks, descriptors, malloc's
 * caches, a stream's buffer, a sanitizer's shadow.  So their thread-locals
 * stay, and a thread cannot leave while a function of theirs is among its
 * callers.  All other objects are the program's own, and their thread-locals
 * travel.
 */
#include "start/manifest.h"

#include <string.h>

/* Sonames up to a '.'; of those that end in '-' or '_', any that begin so:
 * libc-client.so is no part of libc.  NULL ends a list. */

static const char *const system_names[] = {
	/* glibc and its loader */
	"libc", "ld-linux-", "libm", "libmvec", "libpthread", "libdl", "librt",
	"libresolv", "libnsl", "libutil", "libanl", "libnss_", "libthread_db",
	/* this library, and what it is made of */
	"libpsu_thread", "libpsu_thread_malloc", "libssl", "libcrypto", "libsodium",
	"libunwind", "libunwind-",
	/* of compilers: unwinding, threads */
	"libgcc_s", "libgomp", "libomp", "libatomic", "libssp", NULL};

/* The system's too, but what they allocate is part of what their caller has:
 * containers, exceptions, streams of compressed data. */
static const char *const serving_names[] = {"libstdc++", "libc++", "libc++abi",
											"liblzma",	 "libz",   NULL};

static const char *const watcher_names[] = {
	"libasan",	   "liblsan",	 "libtsan", "libubsan",
	"libclang_rt", "vgpreload_", NULL};

static bool is_among(const char *const *names, const char *name)
{
	for (; *names; names++) {
		size_t len = strlen(*names);
		char last = (*names)[len - 1];

		if (strncmp(name, *names, len) == 0 &&
			(last == '-' || last == '_' || name[len] == '.'))
			return true;
	}
	return false;
}

bool psu_manifest_is_system(const char *name)
{
	return psu_manifest_keeps_memory(name) || is_among(serving_names, name);
}

bool psu_manifest_keeps_memory(const char *name)
{
	return is_among(system_names, name) || psu_manifest_is_watcher(name);
}

bool psu_manifest_is_watcher(const char *name)
{
	return is_among(watcher_names, name);
}
