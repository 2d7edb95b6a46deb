/* SPDX-License-Identifier: ISC */
/*
 * heap_stays.c - documents what does not travel: memory from malloc
 *
 * The pointer keeps its value; what it points to stays in the process that
 * allocated it and may be used only there.  The other process's own malloc
 * works as ever.
 */
#include "travel.h"

#include <stdint.h>
#include <string.h>

int travel(void)
{
	char *left_behind = malloc(100);
	char *fresh;
	uintptr_t value = (uintptr_t)left_behind;

	CHECK(left_behind != NULL);
	strcpy(left_behind, "stays");
	HIDE(value);
	HIDE(left_behind);

	MOVE();

	CHECK((uintptr_t)left_behind == value);
	fresh = malloc(100000);
	CHECK(fresh != NULL);
	memset(fresh, 'f', 100000);
	free(fresh);
	if (travel_hops_per_move() % 2 == 0) {
		CHECK(strcmp(left_behind, "stays") == 0);
		free(left_behind);
	}
	return 0;
}
