/* SPDX-License-Identifier: ISC */
/*
 * unwinder.cc - what throws is libgcc's unwinder, though libunwind, which the
 * library uses, defines functions of the same names
 */
#include "travel.h"

#include <cstring>
#include <dlfcn.h>
#include <sys/auxv.h>

static NOINLINE void check_unwinder(void)
{
	Dl_info info;

	/* a static program, which has no interpreter: the linker would not have
	 * taken two definitions */
	if (getauxval(AT_BASE) == 0)
		return;
	/* the first of the libraries that defines it, in the order of binding */
	CHECK(dladdr(dlsym(RTLD_NEXT, "_Unwind_RaiseException"), &info) != 0);
	CHECK(std::strstr(info.dli_fname, "libgcc_s.so") ||
		  std::strstr(info.dli_fname, "libasan.so")); /* calls libgcc's */
}

int travel(void)
{
	check_unwinder();
	MOVE();
	check_unwinder();
	return 0;
}
