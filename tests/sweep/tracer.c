/* SPDX-License-Identifier: ISC */
/*
 * tracer.c - count the system calls of a process, and end or stop it at one
 */
#include "tracer.h"

#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#define OPTIONS (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE)

/** A thread that ended meanwhile is no failure. */
static void seize(pid_t tid)
{
	if (ptrace(PTRACE_SEIZE, tid, NULL, (void *)OPTIONS) == 0)
		ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
}

bool tracer_begin(struct tracer *tracer, pid_t pid)
{
	char path[64];
	const struct dirent *entry;
	DIR *dir;

	tracer->pid = pid;
	if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)OPTIONS) != 0 ||
		ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) != 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (tid && tid != pid)
			seize(tid);
	}
	if (dir)
		closedir(dir);
	return dir != NULL;
}

static bool is_entry(pid_t tid)
{
	struct __ptrace_syscall_info info = {0};

	return ptrace(PTRACE_GET_SYSCALL_INFO, tid, (void *)sizeof(info), &info) >
			   0 &&
		   info.op == PTRACE_SYSCALL_INFO_ENTRY;
}

/** Count a call; true if it is the one. */
static bool count_call(struct tracer *tracer, pid_t tid)
{
	if (!is_entry(tid) || ++tracer->count != tracer->at || tracer->fired)
		return false;
	tracer->fired = true;
	kill(tracer->pid, tracer->signal);
	return true;
}

bool tracer_follow(struct tracer *tracer, pid_t tid, int status)
{
	int signal = WSTOPSIG(status), event = status >> 16;
	bool acts = false;

	if (signal == (SIGTRAP | 0x80)) {
		acts = count_call(tracer, tid);
		signal = 0;
	} else if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
		/* stopped by a signal, and to stay so */
		ptrace(PTRACE_LISTEN, tid, NULL, NULL);
		return false;
	} else if (event) {
		signal = 0;
	}
	ptrace(PTRACE_SYSCALL, tid, NULL, (void *)(intptr_t)signal);
	return acts;
}
