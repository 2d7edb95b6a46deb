/* SPDX-License-Identifier: ISC */
/*
 * stuck_bare.c - compiled with -fno-asynchronous-unwind-tables, in an archive
 */
#include "stuck_bare.h"

void stuck_in_bare(void (*callback)(void))
{
	callback();
	__asm__ volatile("" ::: "memory"); /* not a tail call */
}
