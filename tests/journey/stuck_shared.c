/* SPDX-License-Identifier: ISC */
/*
 * stuck_shared.c - with a library that was loaded while the program ran:
 * $STUCK_LIBRARY, made of stuck_library.c
 */
#include "stuck.h"
#include "stuck_library.h"

#include <dlfcn.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** A function of the library, or the end of the process. */
static void *find(const char *name, void **library_out)
{
	const char *path = getenv("STUCK_LIBRARY");
	void *library = path ? dlopen(path, RTLD_NOW) : NULL;
	void *function = library ? dlsym(library, name) : NULL;

	if (!function) {
		fprintf(stderr, "%s\n", dlerror());
		exit(EXIT_FAILURE);
	}
	*library_out = library;
	return function;
}

static void in_loaded(void)
{
	void *library, *function = find("stuck_call_back", &library);
	stuck_call_back_fn *call_back;

	memcpy(&call_back, &function, sizeof(call_back));
	call_back(stuck_try);
	dlclose(library);
}

static void with_loaded_locals(void)
{
	void *library, *function = find("stuck_count", &library);
	stuck_count_fn *count;

	memcpy(&count, &function, sizeof(count));
	count();
	stuck_try();
	dlclose(library);
}

static int same(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

static void visit(const void *node, VISIT when, int depth)
{
	(void)node;
	(void)when;
	(void)depth;
	stuck_try();
}

static void in_twalk(void)
{
	void *tree = NULL;

	tsearch("b", &tree, same);
	tsearch("a", &tree, same);
	twalk(tree, visit);
	tdelete("a", &tree, same);
	tdelete("b", &tree, same);
}

const struct stuck_predicament stuck_table[] = {
	{"loaded", in_loaded},
	{"loaded-locals", with_loaded_locals},
	{"twalk", in_twalk},
	{0},
};
