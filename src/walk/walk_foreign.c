/* SPDX-License-Identifier: ISC */
/*
 * walk_foreign.c - is a frame the program's own, and if not, is it harmless?
 *
 * In: places in the program's code.  Out: verdicts; nothing is read there.
 */
#include "walk/walk_foreign.h"

#include <dlfcn.h>

/* Weak: a static program that does not sort need not have them.  By names of
 * our own, since libc's headers may define them inline. */
extern const char linked_qsort[] __asm__("qsort") __attribute__((weak));
extern const char linked_qsort_r[] __asm__("qsort_r") __attribute__((weak));
extern const char linked_bsearch[] __asm__("bsearch") __attribute__((weak));

bool psu_walk_is_foreign(const struct psu_object *object, uint64_t return_addr)
{
	/* a call may be the last instruction before the mark */
	return return_addr - 1 >= object->foreign_addr;
}

bool psu_walk_is_wrapper(const struct psu_object *object)
{
	return object->foreign_addr == 0 && psu_manifest_is_watcher(object->name);
}

/** Look it up as the program's own calls do, and in libc itself: another
 * object may put its own before libc's, and in an executable that is not PIE
 * the name stands for an entry of its PLT. */
static bool is_shared(const char *name, uint64_t function_addr)
{
	void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
	bool found = function_addr == (uint64_t)dlsym(RTLD_DEFAULT, name) ||
				 (libc && function_addr == (uint64_t)dlsym(libc, name));

	if (libc)
		dlclose(libc);
	return found;
}

bool psu_walk_holds_nothing(const struct psu_manifest *manifest,
							uint64_t function_addr)
{
	static const char *const names[] = {"qsort", "qsort_r", "bsearch"};
	const uint64_t linked[] = {(uint64_t)linked_qsort, (uint64_t)linked_qsort_r,
							   (uint64_t)linked_bsearch};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (function_addr == linked[i] ||
			(manifest->count > 1 && is_shared(names[i], function_addr)))
			return true;
	return false;
}
