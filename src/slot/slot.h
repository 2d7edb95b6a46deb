/* SPDX-License-Identifier: ISC */
/*
 * slot.h - iso-address slots: the same addresses on every host
 *
 * A slot is one contiguous range that a migratable thread owns for life.  It
 * lies in the window, in the zone of the host where the thread was born:
 *
 *     window   0x3000_0000_0000 ... 0x5000_0000_0000   256 zones of 128 GiB
 *     zone     1024 slots of 128 MiB; a longer one has several places
 *
 *     low                                                              high
 *     | guard | heap ->  | guard | <- travelling stack | guard | home zone |
 *      64 KiB   the rest   64 KiB   8 MiB, or as         64 KiB    1 MiB
 *                                   wanted at birth
 *
 * The home zone is the pthread's stack: glibc puts the thread control block
 * and the static thread-locals at its top, so that &errno, pthread_self() and
 * every __thread variable have the same address on every host.  Only heap
 * (heap/heap.h) and travelling stack travel; the library works, with its keys,
 * on the home zone's.
 */
#ifndef PSU_SLOT_H
#define PSU_SLOT_H

#include "report/report.h"

#include <stdbool.h>
#include <stdint.h>

#define PSU_WINDOW_ADDR UINT64_C(0x300000000000)
#define PSU_WINDOW_LEN (UINT64_C(32) << 40)
#define PSU_ZONE_LEN (UINT64_C(128) << 30)
#define PSU_SLOT_LEN (UINT64_C(128) << 20)
#define PSU_ZONE_SLOTS ((uint32_t)(PSU_ZONE_LEN / PSU_SLOT_LEN))
#define PSU_SLOT_LEN_MAX (UINT64_C(32) << 30)

#define PSU_SLOT_HOME_LEN (UINT64_C(1) << 20)
#define PSU_SLOT_STACK_LEN (UINT32_C(8) << 20) /* unless another is wanted */
#define PSU_SLOT_STACK_LEN_MIN (UINT32_C(64) << 10)
#define PSU_SLOT_STACK_LEN_MAX (UINT32_C(64) << 20)
#define PSU_SLOT_GUARD_LEN (UINT64_C(64) << 10)

/** Whether it points to where slots lie, and so to no memory of libc's. */
static inline bool psu_slot_window_holds(const void *pointer)
{
	return (uint64_t)pointer - PSU_WINDOW_ADDR < PSU_WINDOW_LEN;
}

/** A mapped slot; addr 0: none. */
struct psu_slot {
	uint64_t addr;
	uint64_t len;
	uint32_t stack_len; /* of the travelling stack, the same on every host */
	unsigned stacks[2]; /* what valgrind calls the stack and the home zone */
};

/** The address of slot number @slot of @zone. */
uint64_t psu_slot_addr(uint32_t zone, uint32_t slot);
/**
 * The length of slots that have room for @wanted bytes, or for what the
 * environment asks for ($PSU_THREAD_SLOT; 128 MiB).
 *
 * Returns 0 or PSU_THREAD_E_INVALID_ARGUMENT.
 */
PSU_MUST_CHECK int psu_slot_round_len(uint64_t wanted, uint64_t *len_out);
PSU_MUST_CHECK int psu_slot_usual_len(uint64_t *len_out);

/** Whether a slot can be @len bytes long: one to 256 times PSU_SLOT_LEN. */
bool psu_slot_len_valid(uint64_t len);
/** Whether a slot of a valid length can begin at @addr, a peer's number: it
 * lies in one zone. */
bool psu_slot_addr_valid(uint64_t addr, uint64_t len, uint32_t zone_count);
/** Whether a travelling stack may be @stack_len bytes long: whole pages, from
 * PSU_SLOT_STACK_LEN_MIN to _MAX. */
bool psu_slot_stack_len_valid(uint64_t stack_len);

/* Where its parts lie. */
uint64_t psu_slot_heap_low(const struct psu_slot *slot);
uint64_t psu_slot_heap_high(const struct psu_slot *slot);
uint64_t psu_slot_stack_low(const struct psu_slot *slot);
uint64_t psu_slot_stack_high(const struct psu_slot *slot);
uint64_t psu_slot_home_low(const struct psu_slot *slot);
uint64_t psu_slot_home_high(const struct psu_slot *slot);

/** The word at the top of its travelling stack, which goes along: what the
 * thread was started with.  The frames lie below it. */
uint64_t *psu_slot_argument(const struct psu_slot *slot);

/**
 * Take the slot's addresses, with its stack and home zone readable and
 * writable, never executable, and everything else inaccessible.
 *
 * @len        valid, see above
 * @stack_len  ditto
 *
 * Returns 0, PSU_THREAD_E_ADDRESS_IN_USE (something of this process lies
 * there), or PSU_THREAD_E_NO_MEMORY.
 */
PSU_MUST_CHECK int psu_slot_map(uint64_t addr, uint64_t len, uint32_t stack_len,
								struct psu_slot *slot_out);

/** Give everything back, and set the slot to none.  No thread may be on it. */
void psu_slot_unmap(struct psu_slot *slot);

/**
 * The thread has left its home: give the memory of its stack and heap back and
 * make them inaccessible, so that a stale pointer faults instead of reading old
 * data; the heap's not if it is kept (heap/heap.h).  psu_slot_thaw() makes the
 * stack usable again, zeroed; it fails with NO_MEMORY.
 */
void psu_slot_freeze(const struct psu_slot *slot, bool heap_kept);
PSU_MUST_CHECK int psu_slot_thaw(const struct psu_slot *slot);

#endif
