/* SPDX-License-Identifier: ISC */
/*
 * locals.c - thread-locals, cleanup buffers and signal masks
 */
#include "state/locals.h"
#include "state/state.h"

#include <pthread.h>
#include <string.h>

/** A stretch of thread-locals that travel. */
struct piece {
	uint64_t offset; /* below the thread pointer, where it begins */
	size_t len;
};

static struct piece pieces[PSU_OBJECTS_MAX + 1];
static size_t piece_count;

static void add_piece(uint64_t offset, uint64_t end_offset)
{
	if (offset > end_offset)
		pieces[piece_count++] = (struct piece){.offset = offset,
											   .len = offset - end_offset};
}

/** Of the object that this library is linked into, what lies before the two
 * marks: in its initialised and in its zeroed part. */
static void add_marked(const struct psu_object *object)
{
	const char *pointer = psu_state_thread_pointer();

	add_piece(object->tls_offset,
			  (uint64_t)(pointer - &psu_state_tls_data_end));
	add_piece(object->tls_offset - object->tls_data_len,
			  (uint64_t)(pointer - &psu_state_tls_bss_end));
}

void psu_locals_init(const struct psu_manifest *manifest)
{
	piece_count = 0;
	for (size_t i = 0; i < manifest->count; i++) {
		const struct psu_object *object = &manifest->objects[i];

		if (psu_manifest_is_system(object->name))
			continue;
		if (psu_manifest_holds(object, psu_state_resume_point))
			add_marked(object);
		else
			add_piece(object->tls_offset, object->tls_offset - object->tls_len);
	}
}

size_t psu_locals_len(void)
{
	size_t len = 0;

	for (size_t i = 0; i < piece_count; i++)
		len += pieces[i].len;
	return len;
}

void psu_locals_save(uint8_t *bytes_out)
{
	const char *pointer = psu_state_thread_pointer();

	for (size_t i = 0; i < piece_count; i++) {
		memcpy(bytes_out, pointer - pieces[i].offset, pieces[i].len);
		bytes_out += pieces[i].len;
	}
}

void psu_locals_restore(const uint8_t *bytes)
{
	char *pointer = psu_state_thread_pointer();

	for (size_t i = 0; i < piece_count; i++) {
		memcpy(pointer - pieces[i].offset, bytes, pieces[i].len);
		bytes += pieces[i].len;
	}
}

bool psu_locals_piece(size_t number, uint64_t *addr_out, size_t *len_out)
{
	if (number >= piece_count)
		return false;
	*addr_out = (uint64_t)psu_state_thread_pointer() - pieces[number].offset;
	*len_out = pieces[number].len;
	return true;
}

bool psu_locals_travel(const void *variable)
{
	uint64_t offset = (uint64_t)(psu_state_thread_pointer() -
								 (const char *)variable);

	/* one that lies above the thread pointer wraps, and is in no piece */
	for (size_t i = 0; i < piece_count; i++)
		if (offset <= pieces[i].offset &&
			offset > pieces[i].offset - pieces[i].len)
			return true;
	return false;
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

int psu_locals_relink(uint64_t head, uint64_t low, uint64_t high, uint64_t base)
{
	const uint64_t buffer_len = sizeof(__pthread_unwind_buf_t);
	uint64_t links_left = (high - low) / buffer_len;

	while (head) {
		__pthread_unwind_buf_t *buffer = (void *)head;

		if (head < low || head > high - buffer_len ||
			head % _Alignof(__pthread_unwind_buf_t) || !links_left--)
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
