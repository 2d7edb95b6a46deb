/* SPDX-License-Identifier: ISC */
/*
 * stuck_library.c - a shared object that is loaded while the program runs
 */
#include "stuck_library.h"

static __thread int count;

void stuck_call_back(void (*callback)(void))
{
	callback();
	__asm__ volatile("" ::: "memory"); /* not a tail call */
}

int stuck_count(void)
{
	return ++count;
}
