/* SPDX-License-Identifier: ISC */
/*
 * siglongjmp.c - sigsetjmp keeps the signal mask before the move, siglongjmp
 * brings it back behind it
 */
#include "travel.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>

static void change_mask(int how, int signal_number)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal_number);
	CHECK(pthread_sigmask(how, &set, NULL) == 0);
}

static int is_blocked(int signal_number)
{
	sigset_t set;

	CHECK(pthread_sigmask(SIG_BLOCK, NULL, &set) == 0);
	return sigismember(&set, signal_number);
}

static NOINLINE void move_and_jump(sigjmp_buf *place)
{
	change_mask(SIG_UNBLOCK, SIGUSR2);
	change_mask(SIG_BLOCK, SIGUSR1);
	MOVE();
	CHECK(!is_blocked(SIGUSR2));
	CHECK(is_blocked(SIGUSR1));
	siglongjmp(*place, 7);
}

int travel(void)
{
	sigjmp_buf place;
	volatile int jumped = 0;

	change_mask(SIG_BLOCK, SIGUSR2);
	change_mask(SIG_UNBLOCK, SIGUSR1);
	int value = sigsetjmp(place, 1);

	if (value == 0)
		move_and_jump(&place);
	jumped++;
	CHECK(value == 7);
	CHECK(jumped == 1);
	CHECK(is_blocked(SIGUSR2));
	CHECK(!is_blocked(SIGUSR1));
	return 0;
}
