/* SPDX-License-Identifier: ISC */
/*
 * check_targets.c - what a planted word points to
 */
#include "check.h"

#include <psu_thread.h>

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE ((size_t)4096)

static sem_t made, done; /* all zeros, as sem_init() makes them */

/** In the thread's own arena, or in the main one's: between others. */
static void *make_block(size_t len)
{
	void *blocks[] = {malloc(len), malloc(len), malloc(len)};

	memset(blocks[1], 1, len);
	return blocks[1];
}

static void block(void)
{
	target = make_block(100);
}

static void middle(void)
{
	target = (char *)make_block(100) + 40;
}

static void large(void)
{
	target = (char *)make_block(1 << 20) + 300000;
}

/** As often as tcache takes them, and more: fast bins, or others. */
static void free_many(size_t len, int which)
{
	void *blocks[20];

	for (int i = 0; i < 20; i++)
		blocks[i] = malloc(len);
	target = blocks[which];
	for (int i = 0; i < 20; i++)
		free(blocks[i]);
}

static void freed_first(void)
{
	free_many(100, 0);
}

static void freed_cached(void)
{
	free_many(100, 4);
}

static void freed_fast(void)
{
	free_many(100, 9);
}

static void freed_merged(void)
{
	free_many(3000, 12);
}

static void freed_last(void)
{
	free_many(3000, 19);
}

static void freed_large(void)
{
	free_many(1 << 20, 1);
}

static void *lend_stack(void *unused)
{
	volatile char local[64] = "";

	target = (void *)(uintptr_t)local;
	sem_post(&made);
	sem_wait(&done);
	return unused;
}

static __attribute__((noinline)) void go_deep(void)
{
	volatile char local[8192] = "";
	uint64_t addr = (uint64_t)local;

	/* the compiler need not know what this is about */
	__asm__("" : "+r"(addr));
	target = (void *)addr;
}

static void *lend_dead_stack(void *unused)
{
	go_deep();
	sem_post(&made);
	sem_wait(&done);
	return unused;
}

static void start_lender(void *(*fn)(void *))
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, fn, NULL) != 0)
		perror("pthread_create");
	sem_wait(&made);
	/* until it sleeps the kernel does not tell where its stack ends */
	usleep(20000);
}

static void stack(void)
{
	start_lender(lend_stack);
}

static void dead_stack(void)
{
	start_lender(lend_dead_stack);
}

static void *lend_slot(void *unused)
{
	target = psu_thread_malloc(100);
	sem_post(&made);
	sem_wait(&done);
	return unused;
}

static void slot(void)
{
	struct psu_thread_handle *thread;

	if (psu_thread_start(lend_slot, NULL, NULL, &thread) == 0)
		sem_wait(&made);
}

static void mapping(void)
{
	char *pages = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
					   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	target = pages + PAGE;
}

static void anonymous(void)
{
	char *pages = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE,
					   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	target = pages + 40 * PAGE;
}

static void file(void)
{
	int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	target = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
}

static void unmapped(void)
{
	file();
	munmap(target, PAGE);
}

static void guard(void)
{
	target = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void environment(void)
{
	extern char **environ;

	target = environ;
}

/* What is there as well, or in the own slot. */

static char global[100], *const pointers[] = {global};

static void program(void)
{
	target = (void *)(uintptr_t)pointers;
}

static void own(void)
{
	target = psu_thread_malloc(100);
}

static void stream(void)
{
	printf("a line\n");
	target = stdout->_IO_buf_base;
}

static void nothing(void)
{
	target = NULL;
}

static const struct {
	const char *name;
	void (*make)(void);
} targets[] = {
	{"block", block},
	{"middle", middle},
	{"large", large},
	{"freed-first", freed_first},
	{"freed-cached", freed_cached},
	{"freed-fast", freed_fast},
	{"freed-merged", freed_merged},
	{"freed-last", freed_last},
	{"freed-large", freed_large},
	{"stack", stack},
	{"dead-stack", dead_stack},
	{"slot", slot},
	{"mapping", mapping},
	{"anonymous", anonymous},
	{"file", file},
	{"unmapped", unmapped},
	{"guard", guard},
	{"environment", environment},
	{"program", program},
	{"own", own},
	{"stream", stream},
	{"nothing", nothing},
};

void (*find_target(const char *name))(void)
{
	for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++)
		if (strcmp(name, targets[i].name) == 0)
			return targets[i].make;
	return NULL;
}
