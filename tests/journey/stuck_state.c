/* SPDX-License-Identifier: ISC */
/*
 * stuck_state.c - with what the kernel or libc keeps for the thread on this
 * host: robust mutexes, another stack, a parent process
 */
#include "stuck.h"

#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define OTHER_STACK_LEN (64u << 10)

static char other_stack[OTHER_STACK_LEN] __attribute__((aligned(16)));

/* ---- robust mutexes */

static void init_robust(pthread_mutex_t *mutex, int protocol)
{
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setprotocol(&attributes, protocol);
	pthread_mutex_init(mutex, &attributes);
	pthread_mutexattr_destroy(&attributes);
}

static void with_robust(void)
{
	static pthread_mutex_t mutex;

	init_robust(&mutex, PTHREAD_PRIO_NONE);
	pthread_mutex_lock(&mutex);
	stuck_try();
	pthread_mutex_unlock(&mutex);
}

/** Three, of two kinds, the last one with priority inheritance. */
static void with_three_robust(void)
{
	static pthread_mutex_t mutexes[3];

	for (int i = 0; i < 3; i++) {
		init_robust(&mutexes[i],
					i % 2 ? PTHREAD_PRIO_NONE : PTHREAD_PRIO_INHERIT);
		pthread_mutex_lock(&mutexes[i]);
	}
	stuck_try();
	for (int i = 0; i < 3; i++)
		pthread_mutex_unlock(&mutexes[i]);
}

/** As in a handler of a signal that came in the middle of a lock. */
static void with_pending_robust(void)
{
	static struct robust_list element;
	struct robust_list_head *head;
	size_t len;

	if (syscall(SYS_get_robust_list, 0, &head, &len) != 0)
		return;
	head->list_op_pending = &element;
	stuck_try();
	head->list_op_pending = NULL;
}

/* ---- other stacks */

static void handle(int number)
{
	(void)number;
	stuck_try();
}

static void on_signal_stack(void)
{
	const stack_t stack = {.ss_sp = other_stack, .ss_size = OTHER_STACK_LEN};
	const stack_t none = {.ss_flags = SS_DISABLE};
	struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};

	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	sigaltstack(&none, NULL);
}

static void run_coroutine(char *stack)
{
	static ucontext_t here, there;

	getcontext(&there);
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = OTHER_STACK_LEN;
	there.uc_link = &here;
	makecontext(&there, stuck_try, 0);
	swapcontext(&here, &there);
}

static void in_coroutine(void)
{
	run_coroutine(other_stack);
}

/** Its stack lies in the slot, inside a frame. */
static void in_inner_coroutine(void)
{
	char stack[OTHER_STACK_LEN] __attribute__((aligned(16)));

	run_coroutine(stack);
}

/* ---- the thread's end */

static void clean_up(void *unused)
{
	(void)unused;
	stuck_try();
}

static void in_cancellation(void)
{
	pthread_cleanup_push(clean_up, NULL);
	pthread_cancel(pthread_self());
	pthread_testcancel();
	pthread_cleanup_pop(0);
}

/* ---- a child */

static void in_child(void)
{
	pid_t child = fork();

	if (child == 0) {
		stuck_try();
		fflush(stdout);
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

const struct stuck_predicament stuck_table[] = {
	{"robust", with_robust},
	{"three-robust", with_three_robust},
	{"pending-robust", with_pending_robust},
	{"signal-stack", on_signal_stack},
	{"coroutine", in_coroutine},
	{"inner-coroutine", in_inner_coroutine},
	{"cancellation", in_cancellation},
	{"child", in_child},
	{0},
};
