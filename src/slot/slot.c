/* SPDX-License-Identifier: ISC */
/*
 * slot.c - map, freeze and unmap the addresses of one thread
 */
#include "slot/slot.h"
#include "state/sanitizer.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <sys/mman.h>

#define PAGE_LEN 4096

uint64_t psu_slot_addr(uint32_t zone, uint32_t slot)
{
	return PSU_WINDOW_ADDR + zone * PSU_ZONE_LEN + slot * PSU_SLOT_LEN;
}

bool psu_slot_len_valid(uint64_t len)
{
	return len > 0 && len <= PSU_SLOT_LEN_MAX && len % PSU_SLOT_LEN == 0;
}

bool psu_slot_addr_valid(uint64_t addr, uint64_t len, uint32_t zone_count)
{
	uint64_t zones_len = zone_count * PSU_ZONE_LEN;

	/* what lies below the window wraps */
	return addr - PSU_WINDOW_ADDR < zones_len && addr % PSU_SLOT_LEN == 0 &&
		   len <= PSU_ZONE_LEN - (addr - PSU_WINDOW_ADDR) % PSU_ZONE_LEN;
}

bool psu_slot_stack_len_valid(uint64_t stack_len)
{
	return stack_len >= PSU_SLOT_STACK_LEN_MIN &&
		   stack_len <= PSU_SLOT_STACK_LEN_MAX && stack_len % PAGE_LEN == 0;
}

uint64_t psu_slot_heap_low(const struct psu_slot *slot)
{
	return slot->addr + PSU_SLOT_GUARD_LEN;
}

uint64_t psu_slot_heap_high(const struct psu_slot *slot)
{
	return psu_slot_stack_low(slot) - PSU_SLOT_GUARD_LEN;
}

uint64_t psu_slot_home_low(const struct psu_slot *slot)
{
	return slot->addr + slot->len - PSU_SLOT_HOME_LEN;
}

uint64_t psu_slot_home_high(const struct psu_slot *slot)
{
	return slot->addr + slot->len;
}

uint64_t psu_slot_stack_high(const struct psu_slot *slot)
{
	return psu_slot_home_low(slot) - PSU_SLOT_GUARD_LEN;
}

uint64_t psu_slot_stack_low(const struct psu_slot *slot)
{
	return psu_slot_stack_high(slot) - slot->stack_len;
}

uint64_t *psu_slot_argument(const struct psu_slot *slot)
{
	/* frames begin at a multiple of 16 */
	return (uint64_t *)(psu_slot_stack_high(slot) - 16);
}

static int open_part(uint64_t low, uint64_t len)
{
	return mprotect((void *)low, len, PROT_READ | PROT_WRITE);
}

int psu_slot_map(uint64_t addr, uint64_t len, uint32_t stack_len,
				 struct psu_slot *slot_out)
{
	struct psu_slot slot = {.addr = addr, .len = len, .stack_len = stack_len};
	void *wanted = (void *)addr, *got;

	assert(psu_slot_len_valid(len) && psu_slot_stack_len_valid(stack_len));
	got = mmap(wanted, len, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
				   MAP_FIXED_NOREPLACE,
			   -1, 0);
	/* a kernel that does not know NOREPLACE takes it for a hint */
	if (got != MAP_FAILED && got != wanted) {
		munmap(got, len);
		got = MAP_FAILED;
		errno = EEXIST;
	}
	if (got == MAP_FAILED && errno == EEXIST)
		return psu_error_set(PSU_THREAD_E_ADDRESS_IN_USE,
							 "the addresses 0x%" PRIx64 " to 0x%" PRIx64
							 " are in use in this process: keep the range "
							 "0x300000000000 to 0x500000000000 free of other "
							 "mappings",
							 addr, addr + len);
	if (got == MAP_FAILED ||
		open_part(psu_slot_stack_low(&slot), stack_len) != 0 ||
		open_part(psu_slot_home_low(&slot), PSU_SLOT_HOME_LEN) != 0) {
		int rc = psu_error_set(PSU_THREAD_E_NO_MEMORY,
							   "cannot map a slot of %" PRIu64 " MiB: %m: "
							   "raise `ulimit -v`, or free memory",
							   len >> 20);

		if (got != MAP_FAILED)
			munmap(got, len);
		return rc;
	}
	/* another thread's frames may have been there */
	psu_sanitizer_unmark(psu_slot_stack_low(&slot), psu_slot_home_high(&slot));
	slot.stacks[0] = psu_sanitizer_add_stack(psu_slot_stack_low(&slot),
											 psu_slot_stack_high(&slot));
	slot.stacks[1] = psu_sanitizer_add_stack(psu_slot_home_low(&slot),
											 psu_slot_home_high(&slot));
	*slot_out = slot;
	return 0;
}

void psu_slot_unmap(struct psu_slot *slot)
{
	if (!slot->addr)
		return;
	munmap((void *)slot->addr, slot->len);
	psu_sanitizer_remove_stack(slot->stacks[0]);
	psu_sanitizer_remove_stack(slot->stacks[1]);
	slot->addr = 0;
}

void psu_slot_freeze(const struct psu_slot *slot, bool heap_kept)
{
	uint64_t first = heap_kept ? psu_slot_heap_high(slot)
							   : psu_slot_heap_low(slot);
	size_t len = psu_slot_stack_high(slot) - first;
	void *low = (void *)first;

	/* fresh pages, also in the place of locked ones.  That fails for lack of
	 * memory only, and then the old bytes merely stay */
	if (mmap(low, len, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
			 0) == MAP_FAILED)
		mprotect(low, len, PROT_NONE);
}

int psu_slot_thaw(const struct psu_slot *slot)
{
	if (open_part(psu_slot_stack_low(slot), slot->stack_len) != 0)
		return psu_error_set(PSU_THREAD_E_NO_MEMORY,
							 "cannot make a stack of %" PRIu32 " KiB usable: "
							 "%m: free memory, or raise its limit",
							 slot->stack_len >> 10);
	psu_sanitizer_unmark(psu_slot_stack_low(slot), psu_slot_stack_high(slot));
	return 0;
}
