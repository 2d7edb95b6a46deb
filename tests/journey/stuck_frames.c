/* SPDX-License-Identifier: ISC */
/*
 * stuck_frames.c - below callers that cannot travel: functions of libc and
 * OpenSSL, generated code, code without unwind tables, a signal handler
 */
#include "stuck.h"
#include "stuck_bare.h"

#include <dirent.h>
#include <ftw.h>
#include <link.h>
#include <openssl/lhash.h>
#include <openssl/stack.h>
#include <pthread.h>
#include <search.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- libc calls back */

static int compare(const void *a, const void *b)
{
	stuck_try();
	return *(const char *)a - *(const char *)b;
}

static void visit(const void *node, VISIT when, int depth)
{
	(void)node;
	(void)when;
	(void)depth;
	stuck_try();
}

static int same(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

static void in_twalk(void)
{
	void *tree = NULL;

	/* of a leaf nothing is left to do behind the callback: no frame */
	tsearch("b", &tree, same);
	tsearch("a", &tree, same);
	twalk(tree, visit);
	tdelete("a", &tree, same);
	tdelete("b", &tree, same);
}

static void in_lsearch(void)
{
	char letters[4] = "ab";
	size_t count = 2;

	lsearch("c", letters, &count, 1, compare);
}

static int step(const char *path, const struct stat *status, int type,
				struct FTW *where)
{
	(void)path;
	(void)status;
	(void)type;
	(void)where;
	stuck_try();
	return 1;
}

static void in_nftw(void)
{
	nftw("/", step, 1, FTW_PHYS);
}

static int choose(const struct dirent *entry)
{
	(void)entry;
	stuck_try();
	return 0;
}

static void in_scandir(void)
{
	struct dirent **names;

	if (scandir("/", &names, choose, NULL) >= 0)
		free(names);
}

static void in_once(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, stuck_try);
}

static int look(struct dl_phdr_info *info, size_t len, void *context)
{
	(void)info;
	(void)len;
	(void)context;
	stuck_try();
	return 1;
}

static void in_phdr(void)
{
	dl_iterate_phdr(look, NULL);
}

static void sort(void)
{
	char letters[] = "sort";

	qsort(letters, sizeof(letters) - 1, 1, compare);
}

/** Of two foreign functions the inner one is harmless. */
static void in_qsort_in_once(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, sort);
}

/* ---- OpenSSL calls back */

/** By libc's qsort. */
static void in_sk_sort(void)
{
	OPENSSL_STACK *stack = OPENSSL_sk_new(compare);

	OPENSSL_sk_push(stack, "a");
	OPENSSL_sk_push(stack, "b");
	OPENSSL_sk_sort(stack);
	OPENSSL_sk_free(stack);
}

static void do_one(void *data)
{
	(void)data;
	stuck_try();
}

static unsigned long hash(const void *data)
{
	return *(const unsigned char *)data;
}

static void in_lh_doall(void)
{
	char letter[] = "a";
	OPENSSL_LHASH *table = OPENSSL_LH_new(hash, same);

	OPENSSL_LH_insert(table, letter);
	OPENSSL_LH_doall(table, do_one);
	OPENSSL_LH_free(table);
}

/* ---- code that the walker does not know */

/** Code that was made while the program ran calls back. */
static void in_generated(void)
{
	/* sub $8, %rsp; call *%rdi; add $8, %rsp; ret */
	static const uint8_t code[] = {0x48, 0x83, 0xec, 0x08, 0xff, 0xd7,
								   0x48, 0x83, 0xc4, 0x08, 0xc3};
	void *page = mmap(NULL, sizeof(code), PROT_READ | PROT_WRITE | PROT_EXEC,
					  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void (*call)(void (*)(void));

	if (page == MAP_FAILED)
		return;
	memcpy(page, code, sizeof(code));
	memcpy(&call, &page, sizeof(call));
	call(stuck_try);
	munmap(page, sizeof(code));
}

void stuck_in_assembly(void (*callback)(void));
__asm__(".pushsection .text\n"
		".globl stuck_in_assembly\n"
		".type stuck_in_assembly, @function\n"
		"stuck_in_assembly:\n"
		"	sub $8, %rsp\n"
		"	call *%rdi\n"
		"	add $8, %rsp\n"
		"	ret\n"
		".size stuck_in_assembly, . - stuck_in_assembly\n"
		".popsection\n");

static void in_assembly(void)
{
	stuck_in_assembly(stuck_try);
	__asm__ volatile("" ::: "memory"); /* not a tail call */
}

static void in_bare(void)
{
	stuck_in_bare(stuck_try);
	__asm__ volatile("" ::: "memory");
}

static void handle(int number)
{
	(void)number;
	stuck_try();
}

/** On the travelling stack. */
static void in_handler(void)
{
	struct sigaction action = {.sa_handler = handle};

	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
}

const struct stuck_predicament stuck_table[] = {
	{"twalk", in_twalk},
	{"lsearch", in_lsearch},
	{"nftw", in_nftw},
	{"scandir", in_scandir},
	{"once", in_once},
	{"phdr", in_phdr},
	{"qsort-in-once", in_qsort_in_once},
	{"sk-sort", in_sk_sort},
	{"lh-doall", in_lh_doall},
	{"generated", in_generated},
	{"assembly", in_assembly},
	{"bare", in_bare},
	{"handler", in_handler},
	{0},
};
