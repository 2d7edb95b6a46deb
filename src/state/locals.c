/* SPDX-License-Identifier: ISC */
/*
 * locals.c - thread-locals, cleanup buffers and signal masks
 */
#include "state/locals.h"
#include "state/state.h"

#include <elf.h>
#include <link.h>
#include <pthread.h>
#include <sys/auxv.h>

static const ElfW(Phdr) *find_tls_header(void)
{
	const ElfW(Phdr) *headers = (const void *)getauxval(AT_PHDR);
	size_t count = getauxval(AT_PHNUM);

	for (size_t i = 0; headers && i < count; i++)
		if (headers[i].p_type == PT_TLS)
			return &headers[i];
	return NULL;
}

int psu_locals_find(struct psu_locals *locals_out)
{
	const ElfW(Phdr) *tls = find_tls_header();
	uint8_t *start, *bss;

	if (!tls || !tls->p_align)
		return psu_error_set(PSU_THREAD_E_SYSTEM,
							 "this program has no thread-locals: link it with "
							 "`pkg-config --static --libs psu_thread`");

	/* the executable's block ends at the thread pointer (psABI §3.4.6,
	 * "TLS variant II"), its size rounded up to its alignment */
	start = (uint8_t *)psu_state_thread_pointer() -
			((tls->p_memsz + tls->p_align - 1) & ~(tls->p_align - 1));
	bss = start + tls->p_filesz;
	locals_out->data = start;
	locals_out->data_len = (size_t)((uint8_t *)&psu_state_tls_data_end - start);
	locals_out->bss = bss;
	locals_out->bss_len = (size_t)((uint8_t *)&psu_state_tls_bss_end - bss);
	return 0;
}

/* libc has no call that reads or sets the chain's head, but the two that
 * pthread_cleanup_push and _pop expand to move it by one link, which lies in
 * the buffer's first private word (glibc, nptl: pthread_unwind_buf). */

uint64_t psu_locals_cleanup_head(void)
{
	__pthread_unwind_buf_t probe = {0};

	__pthread_register_cancel(&probe);
	__pthread_unregister_cancel(&probe);
	return (uint64_t)probe.__pad[0];
}

void psu_locals_set_cleanup_head(uint64_t head)
{
	__pthread_unwind_buf_t probe = {0};

	probe.__pad[0] = (void *)head;
	__pthread_unregister_cancel(&probe);
}

int psu_locals_relink(uint64_t head, uint64_t low, uint64_t high,
					  uint64_t base)
{
	const uint64_t buffer_len = sizeof(__pthread_unwind_buf_t);
	uint64_t links_left = (high - low) / buffer_len;

	while (head) {
		__pthread_unwind_buf_t *buffer = (void *)head;

		if (head < low || head > high - buffer_len || head % 8 ||
			!links_left--)
			return psu_error_set(PSU_THREAD_E_STATE_INVALID,
								 "the thread's chain of pthread_cleanup_push "
								 "buffers leaves its stack or has no end: do "
								 "not migrate while a foreign one is pushed");
		head = (uint64_t)buffer->__pad[0];
		if (head < low || head >= high) {
			buffer->__pad[0] = (void *)base;
			return 0;
		}
	}
	return 0;
}

uint64_t psu_locals_pack_mask(const sigset_t *mask)
{
	uint64_t bits = 0;

	for (int signal = 1; signal <= 64; signal++)
		if (sigismember(mask, signal) == 1)
			bits |= UINT64_C(1) << (signal - 1);
	return bits;
}

void psu_locals_unpack_mask(uint64_t bits, sigset_t *mask_out)
{
	sigemptyset(mask_out);
	for (int signal = 1; signal <= 64; signal++)
		if (bits >> (signal - 1) & 1)
			sigaddset(mask_out, signal);
}
