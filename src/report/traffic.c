/* SPDX-License-Identifier: ISC */
/*
 * traffic.c - one number, and good manners
 */
#include "report/traffic.h"
#include "report/clock.h"
#include "state/state.h"

#include <sched.h>
#include <stdatomic.h>

static atomic_uint under_way;
static atomic_llong crowded_until_us;

void psu_traffic_enter(void)
{
	if (under_way++)
		crowded_until_us = psu_clock_now_us() + PSU_OF_LATE_US;
	psu_local.in_a_hurry = false;
}

void psu_traffic_leave(void)
{
	under_way--;
}

bool psu_traffic_is_alone(void)
{
	return under_way <= 1;
}

void psu_traffic_give_way(void)
{
	int64_t before = psu_clock_now_us();

	if (psu_local.in_a_hurry || before > crowded_until_us)
		return;
	sched_yield();
	psu_local.in_a_hurry = psu_clock_now_us() - before > PSU_GIVE_WAY_US;
}
