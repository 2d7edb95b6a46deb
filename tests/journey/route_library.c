/* SPDX-License-Identifier: ISC */
/*
 * route_library.c - somebody's library, which knows nothing of psu_thread
 */
#include <stdlib.h>
#include <string.h>

char *library_copy(const char *text);

char *library_copy(const char *text)
{
	char *copy = malloc(100);

	/* so that malloc() returns here, and not to the caller */
	return copy ? strcpy(copy, text) : NULL;
}
