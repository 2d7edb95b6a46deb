/* SPDX-License-Identifier: ISC */
/*
 * memory.c - read what another thread may unmap meanwhile
 *
 * In: addresses of memory that is not ours.  Out: copies.  Refused: what is
 * not there any more; a load of our own would be a crash then.
 */
#include "preflight/preflight.h"

#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

bool psu_memory_peek(uint64_t addr, void *bytes_out, size_t len)
{
	const struct iovec here = {bytes_out, len}, there = {(void *)addr, len};

	return process_vm_readv(getpid(), &here, 1, &there, 1, 0) == (ssize_t)len;
}

void *psu_memory_take(size_t len)
{
	void *bytes = mmap(NULL, len, PROT_READ | PROT_WRITE,
					   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return bytes == MAP_FAILED ? NULL : bytes;
}

void psu_memory_give(void *bytes, size_t len)
{
	if (bytes)
		munmap(bytes, len);
}
