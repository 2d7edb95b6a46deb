/* SPDX-License-Identifier: ISC */
/*
 * stuck_omp.c - below a function of the compiler's run time, libgomp
 */
#include "stuck.h"

static void in_parallel(void)
{
#pragma omp parallel num_threads(1)
	stuck_try();
}

const struct stuck_predicament stuck_table[] = {
	{"parallel", in_parallel},
	{0},
};
