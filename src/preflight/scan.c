/* SPDX-License-Identifier: ISC */
/*
 * scan.c - every aligned word of what travels
 *
 * In: the calling thread's frames but for the library's own, its callee-saved
 * registers, its thread-locals that travel, and the blocks of its heap.  Out:
 * those that point to what stays.  Most words are no pointers, and most of
 * these point into the own slot: so two comparisons let them pass.
 */
#include "preflight/preflight.h"
#include "state/locals.h"

#include <unistd.h>

/** A scan under way. */
struct scan {
	struct psu_judge *judge;
	uint64_t low, len;			  /* everything mapped lies in there */
	uint64_t slot_addr, slot_len; /* the thread's own */
	uint64_t argument;			  /* what the thread was started with */
	struct psu_block own;
	struct psu_word word;
	psu_scan_found *found;
	void *context;
};

static void scan_word(struct scan *scan, uint64_t addr, uint64_t value)
{
	struct psu_verdict verdict;

	if (value == scan->argument || value - scan->own.addr < scan->own.len)
		return;
	psu_judge_word(scan->judge, value, &verdict);
	if (verdict.stay == PSU_STAY_NOT)
		return;
	scan->word.addr = addr;
	scan->word.value = value;
	scan->found(&scan->word, &verdict, scan->context);
}

static void scan_range(struct scan *scan, uint64_t addr, uint64_t len)
{
	const uint64_t *at = (const uint64_t *)((addr + 7) & ~UINT64_C(7));
	const uint64_t *end = (const uint64_t *)((addr + len) & ~UINT64_C(7));

	for (; at < end; at++)
		if (*at - scan->low < scan->len &&
			*at - scan->slot_addr >= scan->slot_len)
			scan_word(scan, (uint64_t)at, *at);
}

/** The first frame is the library's, and so is the last. */
static void scan_frames(struct scan *scan,
						const struct psu_preflight_thread *thread)
{
	const struct psu_chain *chain = thread->chain;
	uint64_t addr = thread->stack_addr + chain->frames[0].frame_len;

	scan->word.place = PSU_THREAD_FOUND_STACK;
	for (size_t i = 1; i + 1 < chain->count; i++) {
		scan->word.frame = i;
		scan->word.frame_addr = addr;
		scan_range(scan, addr, chain->frames[i].frame_len);
		addr += chain->frames[i].frame_len;
	}
}

static void scan_registers(struct scan *scan,
						   const struct psu_registers *registers)
{
	const struct {
		const char *name;
		uint64_t value;
	} list[] = {
		{"rbx", registers->rbx}, {"rbp", registers->rbp},
		{"r12", registers->r12}, {"r13", registers->r13},
		{"r14", registers->r14}, {"r15", registers->r15},
	};

	scan->word.place = PSU_THREAD_FOUND_REGISTER;
	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++) {
		scan->word.name = list[i].name;
		if (list[i].value - scan->slot_addr >= scan->slot_len)
			scan_word(scan, 0, list[i].value);
	}
}

static void scan_locals(struct scan *scan)
{
	uint64_t addr;
	size_t len;

	scan->word.place = PSU_THREAD_FOUND_THREAD_LOCAL;
	for (size_t i = 0; psu_locals_piece(i, &addr, &len); i++)
		scan_range(scan, addr, len);
}

static void scan_heap(struct scan *scan, const struct psu_heap *heap)
{
	struct psu_heap_extent block = {0};

	scan->word.place = PSU_THREAD_FOUND_HEAP;
	while (psu_heap_next_block(heap, block.addr, &block)) {
		scan->word.block = (struct psu_block){block.addr, block.len};
		scan_range(scan, block.addr, block.len);
	}
}

void psu_scan_thread(const struct psu_preflight_thread *thread,
					 struct psu_judge *judge, psu_scan_found *found,
					 void *context)
{
	const struct psu_mappings *mappings = &judge->mappings;
	struct scan scan = {
		.judge = judge,
		.low = mappings->list[0].start,
		.len = mappings->list[mappings->count - 1].end -
			   mappings->list[0].start,
		.slot_addr = thread->slot->addr,
		.slot_len = thread->slot->len,
		.argument = *psu_slot_argument(thread->slot),
		.own = thread->own,
		.found = found,
		.context = context,
	};

	scan_frames(&scan, thread);
	scan_registers(&scan, &thread->registers);
	scan_locals(&scan);
	if (thread->heap)
		scan_heap(&scan, thread->heap);
}
