/* SPDX-License-Identifier: ISC */
/*
 * image_encode.c - a thread at rest into the bytes of its head
 *
 * In: an image as journey/depart.c filled it.  Out: sections in a fixed
 * order, numbers big-endian, one encoding per value, no padding of any struct.
 * Refused: a head over PSU_HEAD_LEN_MAX.  The mirror of image_decode.c.
 */
#include "image/section.h"

#include <assert.h>
#include <stdlib.h>

static size_t heap_section_len(const struct psu_heap_map *heap)
{
	return PSU_SECTION_HEAP_LEN_MIN + heap->run_count * PSU_HEAP_RUN_LEN;
}

static size_t chain_len(const struct psu_chain *chain)
{
	return PSU_CHAIN_COUNT_LEN + chain->count * PSU_CHAIN_FRAME_LEN;
}

/** The whole head's length, or 0 if it is over the limit. */
static size_t head_len(const struct psu_image *image)
{
	size_t len;

	/* each alone first: the sum cannot wrap then */
	if (image->chain.count > PSU_CHAIN_FRAMES_MAX ||
		image->locals.len > PSU_HEAD_LEN_MAX ||
		image->exits.count > PSU_HEAD_LEN_MAX / PSU_EXIT_LEN)
		return 0;
	len = image->locals.len + image->exits.count * PSU_EXIT_LEN;
	if (image->kind == PSU_KIND_END)
		len += PSU_SECTION_END_COUNT * PSU_SECTION_HEADER_LEN +
			   PSU_SECTION_END_LEN;
	else
		len += PSU_SECTION_COUNT * PSU_SECTION_HEADER_LEN +
			   PSU_SECTION_REGISTERS_LEN + PSU_SECTION_THREAD_LEN +
			   chain_len(&image->chain) + PSU_SECTION_HOME_LEN +
			   heap_section_len(&image->heap);
	return len <= PSU_HEAD_LEN_MAX ? len : 0;
}

static void put_section(struct psu_writer *writer, enum psu_section type,
						size_t len)
{
	psu_put_u32(writer, type);
	psu_put_u32(writer, (uint32_t)len);
}

static void put_registers(struct psu_writer *writer,
						  const struct psu_registers *registers)
{
	put_section(writer, PSU_SECTION_REGISTERS, PSU_SECTION_REGISTERS_LEN);
	psu_put_u64(writer, registers->rbx);
	psu_put_u64(writer, registers->rbp);
	psu_put_u64(writer, registers->r12);
	psu_put_u64(writer, registers->r13);
	psu_put_u64(writer, registers->r14);
	psu_put_u64(writer, registers->r15);
	psu_put_u64(writer, registers->rsp);
	psu_put_u32(writer, registers->mxcsr);
	psu_put_bytes(writer, registers->x87, sizeof(registers->x87));
}

static void put_thread(struct psu_writer *writer, const struct psu_image *image)
{
	put_section(writer, PSU_SECTION_THREAD, PSU_SECTION_THREAD_LEN);
	psu_put_u64(writer, image->thread_pointer);
	psu_put_u64(writer, image->cleanup_head);
	psu_put_u64(writer, image->signal_mask);
	psu_put_u32(writer, (uint32_t)image->saved_errno);
	psu_put_u8(writer, image->cancel_disabled);
	psu_put_u8(writer, image->cancel_asynchronous);
	psu_put_bytes(writer, image->name, sizeof(image->name));
}

static void put_chain(struct psu_writer *writer, const struct psu_chain *chain)
{
	put_section(writer, PSU_SECTION_CHAIN, chain_len(chain));
	psu_put_u32(writer, (uint32_t)chain->count);
	for (size_t i = 0; i < chain->count; i++) {
		psu_put_u64(writer, chain->frames[i].return_offset);
		psu_put_u32(writer, chain->frames[i].frame_len);
		psu_put_u16(writer, chain->frames[i].object);
		psu_put_zeros(writer, 2);
	}
}

static void put_locals(struct psu_writer *writer, const struct psu_span *locals)
{
	put_section(writer, PSU_SECTION_LOCALS, locals->len);
	psu_put_bytes(writer, locals->bytes, locals->len);
}

static void put_exits(struct psu_writer *writer, const struct psu_exits *exits)
{
	put_section(writer, PSU_SECTION_EXITS, exits->count * PSU_EXIT_LEN);
	for (size_t i = 0; i < exits->count; i++) {
		psu_put_u64(writer, exits->list[i].function_addr);
		psu_put_u64(writer, exits->list[i].object_addr);
	}
}

static void put_home(struct psu_writer *writer, const struct psu_image *image)
{
	put_section(writer, PSU_SECTION_HOME, PSU_SECTION_HOME_LEN);
	psu_put_u8(writer, image->joinable);
	psu_place_put(writer, &image->home);
}

static void put_heap(struct psu_writer *writer, const struct psu_heap_map *heap)
{
	put_section(writer, PSU_SECTION_HEAP, heap_section_len(heap));
	psu_put_u32(writer, heap->accessible[0]);
	psu_put_u32(writer, heap->accessible[1]);
	for (size_t i = 0; i < heap->run_count; i++) {
		psu_put_u32(writer, heap->runs[i].gap);
		psu_put_u32(writer, heap->runs[i].count | heap->runs[i].kept << 31);
	}
}

static void put_end(struct psu_writer *writer, uint64_t result)
{
	put_section(writer, PSU_SECTION_END, PSU_SECTION_END_LEN);
	psu_put_u64(writer, result);
}

static void put_sections(struct psu_writer *writer,
						 const struct psu_image *image)
{
	if (image->kind == PSU_KIND_END) {
		put_end(writer, image->result);
	} else {
		put_registers(writer, &image->registers);
		put_thread(writer, image);
		put_chain(writer, &image->chain);
	}
	put_locals(writer, &image->locals);
	put_exits(writer, &image->exits);
	if (image->kind == PSU_KIND_MOVE) {
		put_home(writer, image);
		put_heap(writer, &image->heap);
	}
}

int psu_image_encode(const struct psu_image *image, uint8_t **head_out,
					 size_t *head_len_out)
{
	size_t len = head_len(image);
	struct psu_writer writer;
	uint8_t *head;

	if (len == 0)
		return psu_error_set(PSU_THREAD_E_IMAGE_TOO_LARGE,
							 "cannot move the thread: its %zu frames and %zu "
							 "bytes of thread-locals do not fit into %u bytes: "
							 "move it with fewer callers, or keep big arrays "
							 "out of __thread variables",
							 image->chain.count, image->locals.len,
							 PSU_HEAD_LEN_MAX);
	head = malloc(len);
	if (!head)
		return psu_error_set(PSU_THREAD_E_NO_MEMORY,
							 "cannot move the thread: no memory for %zu bytes "
							 "of its image: free some on this host and try "
							 "again",
							 len);
	writer = (struct psu_writer){.at = head, .end = head + len};
	put_sections(&writer, image);
	assert(!writer.overflow && writer.at == writer.end);
	*head_out = head;
	*head_len_out = len;
	return 0;
}
