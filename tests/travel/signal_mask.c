/* SPDX-License-Identifier: ISC */
/*
 * signal_mask.c - the signal mask comes along: what was blocked stays
 * pending until it is unblocked behind the move, and nothing else is blocked
 */
#include "travel.h"

#include <pthread.h>
#include <signal.h>

static volatile sig_atomic_t delivered; /* of this process */

static void deliver(int signal_number)
{
	delivered = signal_number;
}

static void compare_masks(const sigset_t *wanted)
{
	sigset_t now;

	CHECK(pthread_sigmask(SIG_SETMASK, NULL, &now) == 0);
	for (int number = 1; number <= SIGRTMAX; number++)
		CHECK(sigismember(&now, number) == sigismember(wanted, number));
}

static void send_blocked(int signal_number)
{
	struct sigaction action = {.sa_handler = deliver};
	sigset_t set;

	sigemptyset(&action.sa_mask);
	CHECK(sigaction(signal_number, &action, NULL) == 0);
	delivered = 0;
	CHECK(pthread_kill(pthread_self(), signal_number) == 0);
	CHECK(delivered == 0);
	CHECK(sigpending(&set) == 0);
	CHECK(sigismember(&set, signal_number) == 1);

	sigemptyset(&set);
	sigaddset(&set, signal_number);
	CHECK(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
	CHECK(delivered == signal_number);
}

int travel(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigaddset(&mask, SIGWINCH);
	sigaddset(&mask, SIGRTMIN + 3);
	sigaddset(&mask, SIGRTMAX);
	CHECK(pthread_sigmask(SIG_SETMASK, &mask, NULL) == 0);
	compare_masks(&mask);

	MOVE();

	compare_masks(&mask);
	send_blocked(SIGUSR1);
	send_blocked(SIGRTMAX);
	sigdelset(&mask, SIGUSR1);
	sigdelset(&mask, SIGRTMAX);
	compare_masks(&mask);
	return 0;
}
