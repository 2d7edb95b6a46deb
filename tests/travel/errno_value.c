/* SPDX-License-Identifier: ISC */
/*
 * errno_value.c - errno keeps its value and its address, which compilers
 * keep across calls
 */
#include "travel.h"

#include <errno.h>

static NOINLINE int *errno_address(void)
{
	return &errno;
}

int travel(void)
{
	int *before = errno_address();

	errno = EXDEV;
	MOVE();
	CHECK(errno == EXDEV);
	CHECK(errno_address() == before);

	/* It is libc's errno, not only a word that kept its value. */
	CHECK(close(-1) == -1);
	CHECK(*before == EBADF);
	*before = 0;
	CHECK(errno == 0);
	return 0;
}
