/* SPDX-License-Identifier: ISC */
/*
 * walk.c - make a frame chain, or say which frame cannot travel
 *
 * In: a stack and registers.  Out: one entry for each frame, up to the
 * library's own entry.  libunwind only proposes the next frame; each proposal
 * is checked here before it is used, so that hostile bytes can lead to an
 * error or to another chain, and to nothing else: every step climbs, and each
 * return address is one that a call of this program may have left.
 */
#include "walk/walk.h"
#include "walk/walk_foreign.h"
#include "walk/walk_memory.h"

#include <stdlib.h>
#include <string.h>

/** Longest form of an indirect call without its prefixes. */
#define CALL_LEN_MAX 7

#define FRAMES_FIRST 64

/** A walk under way. */
struct walk {
	struct psu_walk_memory memory;
	unw_cursor_t cursor;
	size_t number; /* of the frame that the walk stands at */
	uint64_t ip;   /* its return address */
	uint64_t cfa;  /* where it begins: the CFA of the frame before it */
	struct psu_walk_place place;
	bool left_program;	/* frames below are not the program's own: */
	unw_cursor_t below; /* this stands at the uppermost of them, */
	size_t below_number;
	struct psu_chain chain;
	size_t room; /* frames allocated */
};

/** Length of the indirect call (FF /2: Intel SDM vol. 2, "CALL" and §2.1.5)
 * that @code begins with; 0 if it is none.  Reads three bytes. */
static size_t indirect_call_len(const uint8_t *code)
{
	unsigned mod = code[1] >> 6;
	unsigned rm = code[1] & 7;
	bool sib = mod != 3 && rm == 4;
	size_t len = sib ? 3 : 2;

	if (code[0] != 0xff || (code[1] >> 3 & 7) != 2)
		return 0;
	if (mod == 1)
		return len + 1;
	if (mod == 2 || (mod == 0 && (rm == 5 || (sib && (code[2] & 7) == 5))))
		return len + 4;
	return len;
}

/** Whether the bytes before @ip can be a call instruction that ends there.
 * Prefixes stand before those that tell. */
static bool call_ends_at(const struct psu_segment *segment, uint64_t ip)
{
	uint8_t code[CALL_LEN_MAX + 1] = {0};
	size_t len = ip - segment->start;

	if (len > CALL_LEN_MAX)
		len = CALL_LEN_MAX;
	memcpy(code + CALL_LEN_MAX - len, (const void *)(ip - len), len);
	if (code[CALL_LEN_MAX - 5] == 0xe8)
		return true;
	for (len = 2; len <= CALL_LEN_MAX; len++)
		if (indirect_call_len(code + CALL_LEN_MAX - len) == len)
			return true;
	return false;
}

/** Say why the frame cannot travel; returns FRAME_UNKNOWN. */
static int refuse_frame(const struct walk *walk, const char *why)
{
	const struct psu_object *object =
		&walk->memory.manifest->objects[walk->place.object];

	return psu_error_set(PSU_THREAD_E_FRAME_UNKNOWN,
						 "cannot move the thread: frame %zu, which returns to "
						 "%s+0x%llx, %s",
						 walk->number, object->name,
						 (unsigned long long)(walk->ip - object->load_addr),
						 why);
}

/** Ask libunwind for the frame above; check all that it says. */
static int climb(struct walk *walk)
{
	unw_word_t ip, cfa;
	int rc = unw_step(&walk->cursor);

	if (rc == -UNW_EINVALIDIP)
		return refuse_frame(walk, "has no unwind table: compile that function "
								  "with -fasynchronous-unwind-tables and "
								  "link with -Wl,--eh-frame-hdr");
	if (rc == -UNW_ENOMEM)
		return psu_error_set(PSU_THREAD_E_NO_MEMORY,
							 "no memory to unwind the thread's stack: free "
							 "some");
	if (rc <= 0 || unw_get_reg(&walk->cursor, UNW_REG_IP, &ip) < 0 ||
		unw_get_reg(&walk->cursor, UNW_REG_SP, &cfa) < 0)
		return refuse_frame(walk, "does not unwind to the thread's start: "
								  "its stack is damaged or not its own");
	if (cfa <= walk->cfa || cfa > walk->memory.bounds.high ||
		cfa % sizeof(unw_word_t) != 0)
		return refuse_frame(walk, "has a caller outside the thread's stack: "
								  "the stack is damaged or not its own");
	walk->ip = ip;
	walk->cfa = cfa;
	return 0;
}

/** Whether a call of this program may have left the return address. */
static int check_return_address(struct walk *walk)
{
	if (!psu_walk_find_code(walk->memory.manifest, walk->ip, &walk->place))
		return psu_error_set(PSU_THREAD_E_FRAME_FOREIGN,
							 "cannot move the thread: frame %zu returns to "
							 "0x%llx, outside the program's own objects: do "
							 "not migrate below code that was generated or "
							 "loaded while the program ran",
							 walk->number, (unsigned long long)walk->ip);
	if (!call_ends_at(walk->place.segment, walk->ip))
		return refuse_frame(walk, "was not entered by a call: do not migrate "
								  "in a signal handler or a coroutine");
	return 0;
}

/** The frame below was called by the program and is not the program's. */
static int refuse_foreign(const struct walk *walk)
{
	const struct psu_frame *frame = &walk->chain.frames[walk->below_number];

	return psu_error_set(PSU_THREAD_E_FRAME_FOREIGN,
						 "cannot move the thread: frame %zu, which returns to "
						 "%s+0x%llx, is not the program's own code and may "
						 "hold a lock, a descriptor or memory that stays: do "
						 "not migrate in a callback but qsort's and "
						 "bsearch's, and link psu_thread after the program's "
						 "own archives",
						 walk->below_number,
						 walk->memory.manifest->objects[frame->object].name,
						 (unsigned long long)frame->return_offset);
}

/** Whether the function of the frame below may be among a thread's callers,
 * though it is not the program's own. */
static bool is_harmless_below(struct walk *walk)
{
	unw_proc_info_t info;

	return unw_get_proc_info(&walk->below, &info) >= 0 &&
		   psu_walk_holds_nothing(walk->memory.manifest, info.start_ip);
}

/** Of the library's own two are met: the first frame, psu_thread_migrate's or
 * psu_thread_check's, and the last. */
static bool is_ours(struct walk *walk)
{
	unw_proc_info_t info;

	if (walk->ip == (uint64_t)psu_state_entered)
		return true;
	return walk->number == 0 && unw_get_proc_info(&walk->cursor, &info) >= 0 &&
		   (info.start_ip == (uint64_t)psu_migrate_begin ||
			info.start_ip == (uint64_t)psu_check_begin);
}

/** Frames of libc and others lie together above one of the program's; the
 * uppermost of them tells what was called. */
static int check_owner(struct walk *walk)
{
	const struct psu_object *object =
		&walk->memory.manifest->objects[walk->place.object];

	if (!psu_walk_is_foreign(object, walk->ip) || is_ours(walk)) {
		if (walk->left_program && !is_harmless_below(walk))
			return refuse_foreign(walk);
		walk->left_program = false;
	} else if (walk->number == 0) {
		return psu_error_set(PSU_THREAD_E_FRAME_FOREIGN,
							 "cannot move the thread: its first frame, at "
							 "0x%llx, is neither psu_thread_migrate's nor the "
							 "program's own: install the same version on both "
							 "hosts",
							 (unsigned long long)walk->ip);
	} else if (!psu_walk_is_wrapper(object)) {
		walk->left_program = true;
		walk->below = walk->cursor;
		walk->below_number = walk->number;
	}
	return 0;
}

/** Append the frame; its length is not known before the next climb. */
static int add_frame(struct walk *walk)
{
	struct psu_chain *chain = &walk->chain;
	const struct psu_object *object =
		&walk->memory.manifest->objects[walk->place.object];
	struct psu_frame *frames;

	if (chain->count == PSU_CHAIN_FRAMES_MAX)
		return refuse_frame(walk, "is one frame too many for a move: migrate "
								  "at a lesser depth of recursion");
	if (chain->count == walk->room) {
		walk->room = walk->room ? 2 * walk->room : FRAMES_FIRST;
		frames = realloc(chain->frames, walk->room * sizeof(*frames));
		if (!frames)
			return psu_error_set(PSU_THREAD_E_NO_MEMORY,
								 "no memory to list the thread's %zu frames: "
								 "free some",
								 chain->count);
		chain->frames = frames;
	}
	chain->frames[chain->count++] = (struct psu_frame){
		.return_offset = walk->ip - object->load_addr,
		.object = (uint16_t)walk->place.object,
	};
	return 0;
}

static int begin_walk(struct walk *walk)
{
	const struct psu_stack_bounds *bounds = &walk->memory.bounds;
	unw_addr_space_t address_space = psu_walk_address_space();

	if (bounds->low != walk->memory.registers->rsp || bounds->low % 8 != 0 ||
		bounds->high % 8 != 0 || bounds->high <= bounds->low ||
		bounds->high - bounds->low > UINT32_MAX)
		return psu_error_set(PSU_THREAD_E_FRAME_UNKNOWN,
							 "cannot move the thread: its stack pointer "
							 "0x%llx is not a multiple of 8 inside its stack",
							 (unsigned long long)walk->memory.registers->rsp);
	if (!address_space ||
		unw_init_remote(&walk->cursor, address_space, &walk->memory) < 0)
		return psu_error_set(PSU_THREAD_E_NO_MEMORY,
							 "no memory to unwind the thread's stack: free "
							 "some");
	walk->ip = (uint64_t)psu_state_resume_point;
	walk->cfa = bounds->low;
	return climb(walk);
}

static int walk_frames(struct walk *walk)
{
	uint64_t bottom = walk->memory.bounds.low;
	int rc = begin_walk(walk);

	while (!rc) {
		struct psu_frame *frame;

		walk->number = walk->chain.count;
		rc = check_return_address(walk);
		if (!rc)
			rc = check_owner(walk);
		if (!rc)
			rc = add_frame(walk);
		if (rc)
			return rc;
		frame = &walk->chain.frames[walk->chain.count - 1];

		/* the library's own entry: the chain's end */
		if (walk->ip == (uint64_t)psu_state_entered) {
			frame->frame_len = (uint32_t)(walk->memory.bounds.high - bottom);
			return 0;
		}
		rc = climb(walk);
		if (!rc) {
			frame->frame_len = (uint32_t)(walk->cfa - bottom);
			bottom = walk->cfa;
		}
	}
	return rc;
}

int psu_walk_stack(const struct psu_manifest *manifest,
				   const struct psu_registers *registers,
				   const struct psu_stack_bounds *bounds,
				   struct psu_chain *chain_out)
{
	struct walk walk = {
		.memory = {manifest, registers, *bounds, false},
	};
	int rc = walk_frames(&walk);

	if (rc) {
		psu_chain_free(&walk.chain);
		return rc;
	}
	*chain_out = walk.chain;
	return 0;
}

static int read_register(struct walk *walk, unw_regnum_t number,
						 uint64_t *value_out)
{
	unw_word_t value;

	if (unw_get_reg(&walk->cursor, number, &value) < 0)
		return refuse_frame(walk, "does not tell its caller's registers: "
								  "compile it with "
								  "-fasynchronous-unwind-tables");
	*value_out = value;
	return 0;
}

int psu_walk_caller(const struct psu_manifest *manifest,
					const struct psu_registers *registers,
					const struct psu_stack_bounds *bounds,
					struct psu_registers *registers_out)
{
	struct walk walk = {
		.memory = {manifest, registers, *bounds, false},
	};
	struct psu_registers found = *registers;
	int rc = begin_walk(&walk);

	if (!rc)
		rc = check_return_address(&walk);
	if (!rc)
		rc = climb(&walk);
	if (!rc)
		rc = read_register(&walk, UNW_X86_64_RBX, &found.rbx);
	if (!rc)
		rc = read_register(&walk, UNW_X86_64_RBP, &found.rbp);
	if (!rc)
		rc = read_register(&walk, UNW_X86_64_R12, &found.r12);
	if (!rc)
		rc = read_register(&walk, UNW_X86_64_R13, &found.r13);
	if (!rc)
		rc = read_register(&walk, UNW_X86_64_R14, &found.r14);
	if (!rc)
		rc = read_register(&walk, UNW_X86_64_R15, &found.r15);
	if (!rc)
		*registers_out = found;
	return rc;
}

bool psu_walk_is_function(const struct psu_manifest *manifest, uint64_t addr)
{
	struct psu_walk_memory memory = {.manifest = manifest};
	unw_addr_space_t address_space = psu_walk_address_space();
	unw_proc_info_t info;

	return address_space &&
		   unw_get_proc_info_by_ip(address_space, addr, &info, &memory) == 0 &&
		   info.start_ip == addr;
}

void psu_chain_free(struct psu_chain *chain)
{
	free(chain->frames);
	*chain = (struct psu_chain){0};
}

bool psu_chain_equal(const struct psu_chain *a, const struct psu_chain *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (a->frames[i].return_offset != b->frames[i].return_offset ||
			a->frames[i].frame_len != b->frames[i].frame_len ||
			a->frames[i].object != b->frames[i].object)
			return false;
	return true;
}
