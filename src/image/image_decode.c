/* SPDX-License-Identifier: ISC */
/*
 * image_decode.c - the bytes of a verified head back into a thread at rest
 *
 * In: a verified body.  It is signed by a peer that may send threads, but
 * every byte read here is hostile all the same.  Out: an image of plain
 * values.  Refused: sections missing, twice, out of order or with another
 * length; bytes behind the last; values out of bounds; a second encoding of
 * any value.  Nothing is interpreted here.
 *
 * Left to journey/, which knows this program and the slot: registers (rsp,
 * MXCSR, x87) and the chain against the stack (arrive_steps.c);
 * thread_pointer, cleanup_head, the length of the thread-locals, the exits
 * (traveller.c); where the heap's pages belong (heap/heap_map.c).
 */
#include "image/section.h"

#include <stdlib.h>
#include <string.h>

static const char *section_name(enum psu_section type)
{
	switch (type) {
	case PSU_SECTION_REGISTERS:
		return "REGISTERS";
	case PSU_SECTION_THREAD:
		return "THREAD";
	case PSU_SECTION_CHAIN:
		return "CHAIN";
	case PSU_SECTION_LOCALS:
		return "LOCALS";
	case PSU_SECTION_EXITS:
		return "EXITS";
	case PSU_SECTION_HOME:
		return "HOME";
	case PSU_SECTION_HEAP:
		return "HEAP";
	default:
		return "END";
	}
}

static int invalid(enum psu_section type, const char *why)
{
	return psu_error_set(PSU_THREAD_E_IMAGE_INVALID,
						 "cannot take a thread in: section %s of its image "
						 "%s: the sender signed a broken image, install the "
						 "same psu_thread on both hosts",
						 section_name(type), why);
}

/** The next section, which must be a @type, as a reader of its own. */
static int get_section(struct psu_reader *head, enum psu_section type,
					   struct psu_reader *section_out)
{
	uint32_t found = psu_get_u32(head);
	uint32_t len = psu_get_u32(head);
	const uint8_t *at = psu_get_span(head, len);

	if (!at)
		return invalid(type, "is missing or cut short");
	if (found != type)
		return invalid(type, "is not in its place");
	*section_out = (struct psu_reader){.at = at, .end = at + len};
	return 0;
}

static int get_registers(struct psu_reader *head,
						 struct psu_registers *registers_out)
{
	struct psu_reader section;
	int rc = get_section(head, PSU_SECTION_REGISTERS, &section);

	if (rc)
		return rc;
	registers_out->rbx = psu_get_u64(&section);
	registers_out->rbp = psu_get_u64(&section);
	registers_out->r12 = psu_get_u64(&section);
	registers_out->r13 = psu_get_u64(&section);
	registers_out->r14 = psu_get_u64(&section);
	registers_out->r15 = psu_get_u64(&section);
	registers_out->rsp = psu_get_u64(&section);
	registers_out->mxcsr = psu_get_u32(&section);
	psu_get_bytes(&section, registers_out->x87, sizeof(registers_out->x87));
	if (!psu_reader_done(&section))
		return invalid(PSU_SECTION_REGISTERS, "has another length");
	return 0;
}

/** Whether it ends within its bytes, and zeros follow. */
static bool name_valid(const char name[PSU_THREAD_NAME_LEN])
{
	size_t len = strnlen(name, PSU_THREAD_NAME_LEN);

	if (len == PSU_THREAD_NAME_LEN)
		return false;
	for (size_t i = len; i < PSU_THREAD_NAME_LEN; i++)
		if (name[i])
			return false;
	return true;
}

static int get_thread(struct psu_reader *head, struct psu_image *image)
{
	struct psu_reader section;
	int rc = get_section(head, PSU_SECTION_THREAD, &section);

	if (rc)
		return rc;
	image->thread_pointer = psu_get_u64(&section);
	image->cleanup_head = psu_get_u64(&section);
	image->signal_mask = psu_get_u64(&section);
	image->saved_errno = (int32_t)psu_get_u32(&section);
	image->cancel_disabled = psu_get_u8(&section);
	image->cancel_asynchronous = psu_get_u8(&section);
	psu_get_bytes(&section, image->name, sizeof(image->name));
	if (!psu_reader_done(&section))
		return invalid(PSU_SECTION_THREAD, "has another length");
	if (image->cancel_disabled > 1 || image->cancel_asynchronous > 1)
		return invalid(PSU_SECTION_THREAD,
					   "has a cancel flag that is neither 0 nor 1");
	if (!name_valid(image->name))
		return invalid(PSU_SECTION_THREAD,
					   "has a name without end, or with bytes behind it");
	return 0;
}

/** One frame.  A faulty one marks the reader. */
static void get_frame(struct psu_reader *section, struct psu_frame *frame_out)
{
	frame_out->return_offset = psu_get_u64(section);
	frame_out->frame_len = psu_get_u32(section);
	frame_out->object = psu_get_u16(section);
	psu_get_zeros(section, 2);
	if (frame_out->object >= PSU_OBJECTS_MAX)
		section->bad = true;
}

/** @chain gets its memory here and keeps it on failure. */
static int get_chain(struct psu_reader *head, uint64_t stack_len,
					 struct psu_chain *chain)
{
	struct psu_reader section;
	uint64_t frames_len = 0;
	size_t count;
	int rc = get_section(head, PSU_SECTION_CHAIN, &section);

	if (rc)
		return rc;

	/* how many: no more memory than the section itself has bytes */
	count = psu_get_u32(&section);
	if (count < 1 || count > PSU_CHAIN_FRAMES_MAX ||
		(size_t)(section.end - section.at) != count * PSU_CHAIN_FRAME_LEN)
		return invalid(PSU_SECTION_CHAIN,
					   "has no frame, too many, or another length");
	chain->frames = malloc(count * sizeof(*chain->frames));
	if (!chain->frames)
		return psu_error_set(PSU_THREAD_E_NO_MEMORY,
							 "cannot take a thread in: no memory for its %zu "
							 "frames: free some on this host and try again",
							 count);
	chain->count = count;

	/* which; at most 2^19 lengths below 2^32: their sum cannot wrap */
	for (size_t i = 0; i < count; i++) {
		get_frame(&section, &chain->frames[i]);
		frames_len += chain->frames[i].frame_len;
		/* only the last, the library's own entry, may have no bytes */
		if (chain->frames[i].frame_len == 0 && i + 1 < count)
			section.bad = true;
	}
	if (!psu_reader_done(&section))
		return invalid(PSU_SECTION_CHAIN,
					   "has a frame without bytes, of an "
					   "object over the limit, or with its reserved bytes "
					   "not zero");
	if (frames_len != stack_len)
		return invalid(PSU_SECTION_CHAIN, "is not as long as the stack");
	return 0;
}

static int get_locals(struct psu_reader *head, struct psu_span *locals_out)
{
	struct psu_reader section;
	int rc = get_section(head, PSU_SECTION_LOCALS, &section);

	if (rc)
		return rc;
	locals_out->bytes = section.at;
	locals_out->len = (size_t)(section.end - section.at);
	return 0;
}

/** @exits gets its memory here and keeps it on failure. */
static int get_exits(struct psu_reader *head, struct psu_exits *exits)
{
	struct psu_reader section;
	size_t len;
	int rc = get_section(head, PSU_SECTION_EXITS, &section);

	if (rc)
		return rc;
	len = (size_t)(section.end - section.at);
	if (len % PSU_EXIT_LEN)
		return invalid(PSU_SECTION_EXITS, "has another length");
	if (len == 0)
		return 0;
	exits->list = malloc(len);
	if (!exits->list)
		return psu_error_set(PSU_THREAD_E_NO_MEMORY,
							 "cannot take a thread in: no memory for its %zu "
							 "destructors: free some on this host and try "
							 "again",
							 len / PSU_EXIT_LEN);
	exits->count = len / PSU_EXIT_LEN;
	for (size_t i = 0; i < exits->count; i++) {
		exits->list[i].function_addr = psu_get_u64(&section);
		exits->list[i].object_addr = psu_get_u64(&section);
	}
	return 0;
}

static int get_home(struct psu_reader *head, struct psu_image *image)
{
	struct psu_reader section;
	int rc = get_section(head, PSU_SECTION_HOME, &section);

	if (rc)
		return rc;
	image->joinable = psu_get_u8(&section);
	psu_place_get(&section, &image->home);
	if (!psu_reader_done(&section))
		return invalid(PSU_SECTION_HOME, "has another length, or names no "
										 "place");
	if (image->joinable > 1)
		return invalid(PSU_SECTION_HOME, "has a flag that is neither 0 nor 1");
	return 0;
}

/** @heap gets its memory here and keeps it on failure. */
static int get_runs(struct psu_reader *section, struct psu_heap_map *heap)
{
	size_t len = (size_t)(section->end - section->at);

	if (len % PSU_HEAP_RUN_LEN || len > PSU_HEAP_RUNS_MAX * PSU_HEAP_RUN_LEN)
		return invalid(PSU_SECTION_HEAP, "has another length");
	heap->run_count = len / PSU_HEAP_RUN_LEN;
	heap->runs = malloc((heap->run_count + 1) * sizeof(*heap->runs));
	if (!heap->runs)
		return psu_error_set(PSU_THREAD_E_NO_MEMORY,
							 "cannot take a thread in: no memory for the list "
							 "of its heap's pages: free some on this host and "
							 "try again");
	for (size_t i = 0; i < heap->run_count; i++) {
		struct psu_heap_run *run = &heap->runs[i];
		uint32_t gap = psu_get_u32(section), word = psu_get_u32(section);

		*run = (struct psu_heap_run){gap, word & (UINT32_MAX >> 1), word >> 31};
		if (!run->count || (i && !gap && run->kept == run[-1].kept))
			return invalid(PSU_SECTION_HEAP, "lists no pages, or cuts a run "
											 "in two");
	}
	return 0;
}

static int get_heap(struct psu_reader *head, uint64_t heap_len,
					struct psu_heap_map *heap)
{
	struct psu_reader section;
	int rc = get_section(head, PSU_SECTION_HEAP, &section);

	if (rc)
		return rc;
	heap->accessible[0] = psu_get_u32(&section);
	heap->accessible[1] = psu_get_u32(&section);
	if (section.bad)
		return invalid(PSU_SECTION_HEAP, "has another length");
	rc = get_runs(&section, heap);
	if (rc)
		return rc;
	if (psu_heap_map_len(heap) != heap_len)
		return invalid(PSU_SECTION_HEAP, "lists other pages than are stated");
	if (!heap->accessible[0] && (heap->accessible[1] || heap->run_count))
		return invalid(PSU_SECTION_HEAP, "has pages and no beginning");
	return 0;
}

static int get_end(struct psu_reader *head, uint64_t *result_out)
{
	struct psu_reader section;
	int rc = get_section(head, PSU_SECTION_END, &section);

	if (rc)
		return rc;
	*result_out = psu_get_u64(&section);
	if (!psu_reader_done(&section))
		return invalid(PSU_SECTION_END, "has another length");
	return 0;
}

/** What a thread has and the end of one has not. */
static int get_state(struct psu_reader *head, struct psu_image *image)
{
	int rc = get_registers(head, &image->registers);

	if (!rc)
		rc = get_thread(head, image);
	if (!rc)
		rc = get_chain(head, image->stack.len, &image->chain);
	return rc;
}

int psu_image_decode(const struct psu_verified_body *body,
					 struct psu_image *image_out)
{
	const struct psu_statement *statement = psu_verified_body_statement(body);
	const uint8_t *bytes = psu_verified_body_head(body);
	struct psu_reader head = {.at = bytes, .end = bytes + statement->head_len};
	struct psu_image image = {
		.kind = statement->kind,
		.stack = {psu_verified_body_stack(body), statement->stack_len},
	};
	bool ended = image.kind == PSU_KIND_END;
	int rc;

	rc = ended ? get_end(&head, &image.result) : get_state(&head, &image);
	if (!rc)
		rc = get_locals(&head, &image.locals);
	if (!rc)
		rc = get_exits(&head, &image.exits);
	if (!rc && !ended)
		rc = get_home(&head, &image);
	if (!rc && !ended)
		rc = get_heap(&head, statement->heap_len, &image.heap);
	if (!rc && !psu_reader_done(&head))
		rc = invalid(ended ? PSU_SECTION_EXITS : PSU_SECTION_HEAP,
					 "is followed by more bytes");
	if (rc) {
		psu_image_fini(&image);
		return rc;
	}
	*image_out = image;
	return 0;
}

void psu_image_fini(struct psu_image *image)
{
	psu_chain_free(&image->chain);
	psu_heap_map_free(&image->heap);
	free(image->exits.list);
	image->exits = (struct psu_exits){0};
}
