/* SPDX-License-Identifier: ISC */
/*
 * reserve.c - fresh pages for the stacks of arriving threads
 *
 * One mapping for life.  Its upper part is given away page by page from the
 * end, with the mapping left in place (MREMAP_DONTUNMAP), and filled again.
 */
#include "slot/reserve.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/mman.h>

#define PAGE_LEN UINT64_C(4096)
#define TAKEN_LEN_MIN (8 * PAGE_LEN)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t reserve_addr; /* 0: not mapped yet */
static uint64_t left_len;	  /* of it that is there */

static void map_once(void)
{
	void *got;

	if (reserve_addr)
		return;
	got = mmap(NULL, PSU_RESERVE_LEN, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (got != MAP_FAILED)
		reserve_addr = (uint64_t)got;
}

void psu_reserve_fill(void)
{
	pthread_mutex_lock(&lock);
	map_once();
	/* before Linux 5.14, or short of memory, there is none */
	if (reserve_addr && left_len < PSU_RESERVE_LEN &&
		madvise((void *)(reserve_addr + left_len), PSU_RESERVE_LEN - left_len,
				MADV_POPULATE_WRITE) == 0)
		left_len = PSU_RESERVE_LEN;
	pthread_mutex_unlock(&lock);
}

static bool move(uint64_t from, uint64_t to, uint64_t len)
{
	return mremap((void *)from, len, len,
				  MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
				  (void *)to) != MAP_FAILED;
}

int psu_reserve_take(uint64_t low, uint64_t high)
{
	uint64_t len;
	int rc = 0;

	low -= low % PAGE_LEN;
	pthread_mutex_lock(&lock);
	len = high - low < left_len ? high - low : left_len;
	if (len < TAKEN_LEN_MIN)
		len = 0;
	if (len && move(reserve_addr + left_len - len, high - len, len))
		left_len -= len;
	else if (len && errno != EINVAL) /* valgrind's: nothing has happened */
		rc = psu_error_set(PSU_THREAD_E_NO_MEMORY,
						   "cannot move %llu bytes of memory to a thread's "
						   "stack: %m: free memory, or raise its limits",
						   (unsigned long long)len);
	pthread_mutex_unlock(&lock);
	return rc;
}
