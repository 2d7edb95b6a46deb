/* SPDX-License-Identifier: ISC */
/*
 * judge.c - does the memory that a word points to stay?
 *
 * In: a word, which may be anything, also what was a pointer once.  Out: what
 * it points to, if that is not at the destination, and in use as far as can be
 * told.
 */
#include "preflight/preflight.h"

#include <stdio.h>
#include <unistd.h>

#define PAGE_LEN 4096

/** The program's objects are there, at the same addresses, and the rest of
 * their last pages. */
static bool is_program(const struct psu_manifest *manifest, uint64_t value)
{
	for (size_t i = 0; i < manifest->count; i++)
		if (value >= manifest->objects[i].first_addr &&
			value < (manifest->objects[i].end_addr + PAGE_LEN - 1) / PAGE_LEN *
						PAGE_LEN)
			return true;
	return false;
}

/** Below 4 GiB, where libc's heap begins in a program at fixed addresses, many
 * a number looks like a pointer: there only the begin of a block counts. */
static bool may_be_number(uint64_t value, const struct psu_block *block)
{
	return value <= UINT32_MAX && value != block->addr;
}

extern char libc_in[] __asm__("_IO_2_1_stdin_");
extern char libc_out[] __asm__("_IO_2_1_stdout_");
extern char libc_err[] __asm__("_IO_2_1_stderr_");

static uint64_t buffer_of(const char *stream)
{
	return (uint64_t)((const FILE *)(const void *)stream)->_IO_buf_base;
}

/** What no program has a pointer to: the buffers of the three streams that
 * libc opens, which its functions leave behind on stacks. */
static bool is_stdio(const struct psu_block *block)
{
	return block->addr == buffer_of(libc_in) ||
		   block->addr == buffer_of(libc_out) ||
		   block->addr == buffer_of(libc_err);
}

static enum psu_stay judge_heap(struct psu_judge *judge, uint64_t value,
								struct psu_verdict *verdict)
{
	switch (psu_chunks_find(&judge->chunks, &judge->mappings, verdict->mapping,
							value, &verdict->block)) {
	case PSU_CHUNK_USED:
		return is_stdio(&verdict->block) ||
					   may_be_number(value, &verdict->block)
				   ? PSU_STAY_NOT
				   : PSU_STAY_HEAP;
	case PSU_CHUNK_FREE:
		return PSU_STAY_NOT;
	default:
		return PSU_STAY_ANONYMOUS;
	}
}

static enum psu_stay judge_mapping(struct psu_judge *judge, uint64_t value,
								   struct psu_verdict *verdict)
{
	enum psu_mapping_kind kind = verdict->mapping->kind;
	const struct psu_stack *stack = NULL;

	if (value - PSU_WINDOW_ADDR < PSU_WINDOW_LEN)
		return PSU_STAY_SLOT;
	if (kind == PSU_MAPPING_FILE)
		return PSU_STAY_FILE;
	if (kind != PSU_MAPPING_BREAK)
		stack = psu_stacks_find(&judge->stacks, verdict->mapping, value);
	if (!stack && kind != PSU_MAPPING_STACK)
		return judge_heap(judge, value, verdict);
	verdict->tid = stack ? stack->tid : getpid();
	return stack && value < stack->live_addr ? PSU_STAY_NOT : PSU_STAY_STACK;
}

void psu_judge_word(struct psu_judge *judge, uint64_t value,
					struct psu_verdict *verdict_out)
{
	*verdict_out = (struct psu_verdict){
		.stay = PSU_STAY_NOT,
		.mapping = psu_mappings_find(&judge->mappings, value),
	};
	/* a stale pointer may lie in what this look has mapped for itself */
	if (verdict_out->mapping && value - (uint64_t)judge >= sizeof(*judge) &&
		!is_program(judge->manifest, value))
		verdict_out->stay = judge_mapping(judge, value, verdict_out);
}
