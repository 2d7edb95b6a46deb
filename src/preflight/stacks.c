/* SPDX-License-Identifier: ISC */
/*
 * stacks.c - the stacks of other threads
 *
 * glibc has each thread's control block at the top of its stack, and in that,
 * equally far in all threads, the head of the robust mutexes, which the kernel
 * tells of any thread.  Where a thread's stack ends now the kernel tells while
 * it sleeps; of one that runs all of it counts.
 */
#include "preflight/preflight.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE_LEN 4096u

static uint64_t robust_head(pid_t tid)
{
	void *head = NULL;
	size_t len;

	return syscall(SYS_get_robust_list, tid, &head, &len) == 0 ? (uint64_t)head
															   : 0;
}

static void add_stack(struct psu_stacks *stacks, pid_t tid, uint64_t offset)
{
	uint64_t head = tid > 0 && tid != gettid() ? robust_head(tid) : 0;

	if (head && stacks->count < PSU_STACKS_MAX)
		stacks->list[stacks->count++] = (struct psu_stack){
			.tid = tid,
			.control_addr = head - offset,
		};
}

/** By system calls: what malloc() would be asked for might take the place of a
 * block that was just freed. */
static void read_stacks(struct psu_stacks *stacks)
{
	uint64_t offset = robust_head(0) - (uint64_t)psu_state_thread_pointer();
	int fd = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char entries[4096] __attribute__((aligned(8)));
	ssize_t len;

	stacks->read = true;
	while (fd >= 0 && (len = getdents64(fd, entries, sizeof(entries))) > 0)
		for (ssize_t at = 0; at < len;) {
			const struct dirent64 *entry = (const void *)(entries + at);

			add_stack(stacks, (pid_t)strtol(entry->d_name, NULL, 10), offset);
			at += entry->d_reclen;
		}
	if (fd >= 0)
		close(fd);
}

/** The main thread's is a mapping of its own; of others the top is known. */
static bool lies_in(const struct psu_stack *stack,
					const struct psu_mapping *mapping, uint64_t addr)
{
	uint64_t top = (stack->control_addr | (PAGE_LEN - 1)) + 1;

	if (mapping->kind == PSU_MAPPING_STACK)
		return stack->tid == getpid();
	return stack->tid != getpid() && addr < top && top > mapping->start &&
		   top <= mapping->end;
}

/** 0: all of its stack may be in use. */
static uint64_t read_stack_pointer(pid_t tid)
{
	char path[64], text[256] = "", *word;
	ssize_t len = 0;
	int fd;

	/* "number arguments... stack-pointer program-counter", or "running" */
	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", (int)tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		len = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	text[len > 0 ? len : 0] = '\0';
	word = strrchr(text, ' ');
	if (!word)
		return 0;
	*word = '\0';
	word = strrchr(text, ' ');
	return word ? strtoull(word, NULL, 16) : 0;
}

const struct psu_stack *psu_stacks_find(struct psu_stacks *stacks,
										const struct psu_mapping *mapping,
										uint64_t addr)
{
	struct psu_stack *nearest = NULL;

	if (!stacks->read)
		read_stacks(stacks);
	for (size_t i = 0; i < stacks->count; i++) {
		struct psu_stack *stack = &stacks->list[i];

		if (lies_in(stack, mapping, addr) &&
			(!nearest || stack->control_addr < nearest->control_addr))
			nearest = stack;
	}
	if (nearest && !nearest->live_known) {
		nearest->live_addr = read_stack_pointer(nearest->tid);
		nearest->live_known = true;
	}
	return nearest;
}
