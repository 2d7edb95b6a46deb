/* SPDX-License-Identifier: ISC */
/*
 * manifest_system.c - which shared objects are the system's
 *
 * Their thread-locals belong to the process and stay: malloc's caches, a
 * stream's state, a sanitizer's shadow.  All other objects are the program's
 * own, and their thread-locals travel.
 */
#include "start/manifest.h"

#include <string.h>

/* A name matches if it begins so and a '.', a '-' or a '_' follows. */
static const char *const system_names[] = {
	/* glibc and its loader */
	"libc", "ld", "ld-linux", "libm", "libmvec", "libpthread", "libdl", "librt",
	"libresolv", "libnsl", "libutil", "libanl", "libnss", "libthread_db",
	/* this library, and what it is made of */
	"libpsu_thread", "libssl", "libcrypto", "libsodium", "libunwind",
	"liblzma", "libz",
	/* of compilers: unwinding, C++, threads */
	"libgcc_s", "libstdc++", "libc++", "libc++abi", "libgomp", "libomp",
	"libatomic", "libssp",
	/* of tools that watch a program */
	"libasan", "liblsan", "libtsan", "libubsan", "libclang_rt", "vgpreload"};

bool psu_manifest_is_system(const char *name)
{
	for (size_t i = 0; i < sizeof(system_names) / sizeof(*system_names); i++) {
		size_t len = strlen(system_names[i]);

		if (strncmp(name, system_names[i], len) == 0 && name[len] &&
			strchr(".-_", name[len]))
			return true;
	}
	return false;
}
