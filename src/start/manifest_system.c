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
 * libc-client.so is no part of libc. */
static const char *const system_names[] = {
	/* glibc and its loader */
	"libc", "ld-linux-", "libm", "libmvec", "libpthread", "libdl", "librt",
	"libresolv", "libnsl", "libutil", "libanl", "libnss_", "libthread_db",
	/* this library, and what it is made of */
	"libpsu_thread", "libssl", "libcrypto", "libsodium", "libunwind",
	"libunwind-", "liblzma", "libz",
	/* of compilers: unwinding, C++, threads */
	"libgcc_s", "libstdc++", "libc++", "libc++abi", "libgomp", "libomp",
	"libatomic", "libssp",
	/* of tools that watch a program */
	"libasan", "liblsan", "libtsan", "libubsan", "libclang_rt", "vgpreload_"};

bool psu_manifest_is_system(const char *name)
{
	for (size_t i = 0; i < sizeof(system_names) / sizeof(*system_names); i++) {
		size_t len = strlen(system_names[i]);
		char last = system_names[i][len - 1];

		if (strncmp(name, system_names[i], len) == 0 &&
			(last == '-' || last == '_' || name[len] == '.'))
			return true;
	}
	return false;
}
