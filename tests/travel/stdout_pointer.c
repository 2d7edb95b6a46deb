/* SPDX-License-Identifier: ISC */
/*
 * stdout_pointer.c - a FILE pointer to stdout in a local writes to the
 * stdout of the process where the thread is now
 */
#include "travel.h"

int travel(void)
{
	FILE *out = stdout;

	HIDE(out);
	CHECK(fprintf(out, "# written before the move\n") > 0);
	MOVE();
	CHECK(out == stdout);
	CHECK(fileno(out) == STDOUT_FILENO);
	CHECK(fprintf(out, "# written behind it, by process %d\n",
				  travel_process()) > 0);
	CHECK(fflush(out) == 0);
	CHECK(ferror(out) == 0);
	return 0;
}
