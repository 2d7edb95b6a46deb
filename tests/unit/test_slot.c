/* SPDX-License-Identifier: ISC */
/*
 * test_slot.c - a slot takes its own addresses and no others, and gives
 * access to its two stacks alone; the reserve's pages come to lie under one
 */
#include "run_suite.h"

#include "slot/reserve.h"
#include "slot/slot.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE_LEN UINT64_C(4096)

/** What the kernel allows at @addr, as "rwxp"; "" if nothing is mapped. */
static const char *access_at(uint64_t addr)
{
	static char access[5];
	FILE *maps = fopen("/proc/self/maps", "r");
	uint64_t start, end;
	bool found = false;
	char line[512];

	ck_assert_ptr_nonnull(maps);
	while (!found && fgets(line, sizeof(line), maps))
		found = sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &start, &end,
					   access) == 3 &&
				addr >= start && addr < end;
	fclose(maps);
	return found ? access : "";
}

START_TEST(addresses)
{
	const uint64_t last = psu_slot_addr(255, PSU_ZONE_SLOTS - 1);

	ck_assert_uint_eq(psu_slot_addr(0, 0), UINT64_C(0x300000000000));
	ck_assert_uint_eq(psu_slot_addr(1, 2), UINT64_C(0x302010000000));
	ck_assert_uint_eq(last + PSU_SLOT_LEN, UINT64_C(0x500000000000));

	ck_assert(psu_slot_addr_valid(PSU_WINDOW_ADDR, PSU_SLOT_LEN, 256));
	ck_assert(psu_slot_addr_valid(last, PSU_SLOT_LEN, 256));
	ck_assert(!psu_slot_addr_valid(last, PSU_SLOT_LEN, 255));
	ck_assert(!psu_slot_addr_valid(last + PSU_SLOT_LEN, PSU_SLOT_LEN, 256));
	ck_assert(!psu_slot_addr_valid(PSU_WINDOW_ADDR - PSU_SLOT_LEN, PSU_SLOT_LEN,
								   256));
	ck_assert(!psu_slot_addr_valid(0, PSU_SLOT_LEN, 256));
	ck_assert(!psu_slot_addr_valid(0 - PSU_SLOT_LEN, PSU_SLOT_LEN, 256));
	for (uint64_t bit = 1; bit < PSU_SLOT_LEN; bit <<= 1)
		ck_assert(
			!psu_slot_addr_valid(PSU_WINDOW_ADDR + bit, PSU_SLOT_LEN, 256));
}
END_TEST

/** A longer slot has several places, and all of them lie in one zone. */
START_TEST(long_ones)
{
	const uint64_t last = psu_slot_addr(3, PSU_ZONE_SLOTS - 2);

	ck_assert(psu_slot_addr_valid(last, 2 * PSU_SLOT_LEN, 256));
	ck_assert(!psu_slot_addr_valid(last, 3 * PSU_SLOT_LEN, 256));
	ck_assert(!psu_slot_addr_valid(last, PSU_ZONE_LEN, 256));
	ck_assert(psu_slot_addr_valid(psu_slot_addr(3, 0), PSU_SLOT_LEN_MAX, 256));
	ck_assert(!psu_slot_len_valid(0));
	ck_assert(!psu_slot_len_valid(PSU_SLOT_LEN + PAGE_LEN));
	ck_assert(psu_slot_len_valid(PSU_SLOT_LEN));
	ck_assert(psu_slot_len_valid(PSU_SLOT_LEN_MAX));
	ck_assert(!psu_slot_len_valid(PSU_SLOT_LEN_MAX + PSU_SLOT_LEN));
}
END_TEST

START_TEST(lengths_wanted)
{
	static const struct {
		const char *text;
		uint64_t len; /* 0: refused */
	} cases[] = {
		{"1", 128 << 20},
		{"128M", 128 << 20},
		{"129M", 256 << 20},
		{"1G", 1 << 30},
		{"134217729", 256 << 20},
		{"32G", UINT64_C(32) << 30},
		{"33G", 0},
		{"0", 0},
		{"", 0},
		{"-1", 0},
		{" 1G", 0},
		{"1GB", 0},
		{"1g", 0},
		{"0x10M", 0},
		{"17179869185G", 0},
		{"18446744073709551616", 0},
		{"18446744073709551615", 0},
	};
	uint64_t len = 0;

	unsetenv("PSU_THREAD_SLOT");
	ck_assert_int_eq(psu_slot_usual_len(&len), 0);
	ck_assert_uint_eq(len, PSU_SLOT_LEN);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setenv("PSU_THREAD_SLOT", cases[i].text, 1);
		len = 0;
		ck_assert_int_eq(psu_slot_usual_len(&len),
						 cases[i].len ? 0 : PSU_THREAD_E_INVALID_ARGUMENT);
		ck_assert_uint_eq(len, cases[i].len);
	}
	ck_assert_int_eq(psu_slot_round_len(0, &len), 0);
	ck_assert_uint_eq(len, 0);
}
END_TEST

START_TEST(stack_lengths)
{
	ck_assert(!psu_slot_stack_len_valid(0));
	ck_assert(!psu_slot_stack_len_valid((64 << 10) - PAGE_LEN));
	ck_assert(psu_slot_stack_len_valid(64 << 10));
	ck_assert(!psu_slot_stack_len_valid((64 << 10) + 1));
	ck_assert(psu_slot_stack_len_valid(PSU_SLOT_STACK_LEN));
	ck_assert(psu_slot_stack_len_valid(64 << 20));
	ck_assert(!psu_slot_stack_len_valid((64 << 20) + PAGE_LEN));
	ck_assert(!psu_slot_stack_len_valid(UINT64_MAX - (PAGE_LEN - 1)));
}
END_TEST

static const uint32_t stack_lens[] = {
	PSU_SLOT_STACK_LEN_MIN, PSU_SLOT_STACK_LEN, PSU_SLOT_STACK_LEN_MAX};

START_TEST(parts)
{
	struct psu_slot slot;
	uint64_t addr = psu_slot_addr(7, 7);
	uint64_t low, high, home;

	ck_assert_int_eq(psu_slot_map(addr, PSU_SLOT_LEN, stack_lens[_i], &slot),
					 0);
	ck_assert_uint_eq(slot.addr, addr);
	low = psu_slot_stack_low(&slot);
	high = psu_slot_stack_high(&slot);
	home = psu_slot_home_low(&slot);
	ck_assert_uint_eq(high - low, stack_lens[_i]);
	ck_assert_uint_ge(home - high, 16 * PAGE_LEN);
	ck_assert_uint_eq(home + PSU_SLOT_HOME_LEN, addr + PSU_SLOT_LEN);

	ck_assert_str_eq(access_at(addr), "---p");
	ck_assert_str_eq(access_at(low - PAGE_LEN), "---p");
	ck_assert_str_eq(access_at(low), "rw-p");
	ck_assert_str_eq(access_at(high - PAGE_LEN), "rw-p");
	ck_assert_str_eq(access_at(high), "---p");
	ck_assert_str_eq(access_at(home - PAGE_LEN), "---p");
	ck_assert_str_eq(access_at(home), "rw-p");
	ck_assert_str_eq(access_at(addr + PSU_SLOT_LEN - PAGE_LEN), "rw-p");

	psu_slot_unmap(&slot);
	ck_assert_uint_eq(slot.addr, 0);
	ck_assert_str_eq(access_at(addr), "");
	ck_assert_str_eq(access_at(home), "");
	psu_slot_unmap(&slot); /* none: nothing happens */
}
END_TEST

/** Something lies at the slot's first, a middle, or its last page. */
START_TEST(addresses_in_use)
{
	static const uint64_t places[] = {0, PSU_SLOT_LEN / 2,
									  PSU_SLOT_LEN - PAGE_LEN};
	uint64_t addr = psu_slot_addr(9, 1);
	struct psu_slot slot = {0};
	char *page = mmap((void *)(addr + places[_i]), PAGE_LEN,
					  PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	ck_assert_ptr_ne(page, MAP_FAILED);
	strcpy(page, "mine");
	ck_assert_int_eq(
		psu_slot_map(addr, PSU_SLOT_LEN, PSU_SLOT_STACK_LEN, &slot),
		PSU_THREAD_E_ADDRESS_IN_USE);
	ck_assert_uint_eq(slot.addr, 0);
	ck_assert_str_eq(page, "mine");
	ck_assert_str_eq(access_at(addr + PSU_SLOT_LEN / 4), "");
	munmap(page, PAGE_LEN);
	ck_assert_int_eq(
		psu_slot_map(addr, PSU_SLOT_LEN, PSU_SLOT_STACK_LEN, &slot), 0);
	psu_slot_unmap(&slot);
}
END_TEST

START_TEST(frozen_and_thawed)
{
	struct psu_slot slot;
	char *bytes, *low;

	ck_assert_int_eq(
		psu_slot_map(psu_slot_addr(9, 2), PSU_SLOT_LEN, stack_lens[_i], &slot),
		0);
	low = (char *)psu_slot_stack_low(&slot);
	bytes = (char *)psu_slot_stack_high(&slot) - 8;
	strcpy(bytes, "secret");
	strcpy(low, "deep");
	psu_slot_freeze(&slot, false);
	ck_assert_str_eq(access_at((uint64_t)bytes), "---p");
	ck_assert_str_eq(access_at((uint64_t)low), "---p");
	ck_assert_str_eq(access_at(psu_slot_home_low(&slot)), "rw-p");
	ck_assert_int_eq(psu_slot_thaw(&slot), 0);
	ck_assert_str_eq(access_at((uint64_t)bytes), "rw-p");
	ck_assert_str_eq(bytes, "");
	ck_assert_str_eq(low, "");
	ck_assert_str_eq(access_at((uint64_t)low - PAGE_LEN), "---p");
	psu_slot_unmap(&slot);
}
END_TEST

/** How many pages of [@high - @len, @high) are there. */
static uint64_t count_present(uint64_t high, uint64_t len)
{
	unsigned char present[1024] = {0};
	uint64_t count = 0;

	ck_assert_uint_le(len / PAGE_LEN, sizeof(present));
	ck_assert_int_eq(mincore((void *)(high - len), len, present), 0);
	for (uint64_t i = 0; i < len / PAGE_LEN; i++)
		count += present[i] & 1;
	return count;
}

/** Take so much for a stack; returns how many of its pages came along. */
static uint64_t take(uint32_t number, uint64_t len)
{
	static const uint8_t empty[PSU_RESERVE_LEN];
	struct psu_slot slot;
	uint64_t high, count;

	ck_assert_int_eq(psu_slot_map(psu_slot_addr(11, number), PSU_SLOT_LEN,
								  PSU_SLOT_STACK_LEN, &slot),
					 0);
	high = psu_slot_stack_high(&slot);
	ck_assert_int_eq(psu_reserve_take(high - len + 8, high), 0);
	count = count_present(high, PSU_RESERVE_LEN);
	ck_assert_uint_eq(count, count_present(high, count * PAGE_LEN));

	/* and whatever lies there now is a stack: empty, writable, no more */
	ck_assert_mem_eq((void *)(high - len), empty, len);
	memset((void *)(high - len), 1, len);
	ck_assert_str_eq(access_at(high - len), "rw-p");
	ck_assert_str_eq(access_at(high), "---p");
	psu_slot_unmap(&slot);
	return count;
}

START_TEST(reserve)
{
	const uint64_t all = PSU_RESERVE_LEN / PAGE_LEN;

	/* none was laid in */
	ck_assert_uint_eq(take(0, 64 * PAGE_LEN), 0);

	/* less is not worth it; more than there is; what is left; none is */
	psu_reserve_fill();
	ck_assert_uint_eq(take(1, 7 * PAGE_LEN), 0);
	ck_assert_uint_eq(take(2, 64 * PAGE_LEN), 64);
	ck_assert_uint_eq(take(3, PSU_RESERVE_LEN), all - 64);
	ck_assert_uint_eq(take(4, 64 * PAGE_LEN), 0);

	/* what is made up for is fresh */
	psu_reserve_fill();
	ck_assert_uint_eq(take(5, 64 * PAGE_LEN), 64);
	psu_reserve_fill();
	ck_assert_uint_eq(take(6, PSU_RESERVE_LEN), all);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("slot");
	TCase *tcase = tcase_create("slot");

	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);
	tcase_add_test(tcase, addresses);
	tcase_add_test(tcase, long_ones);
	tcase_add_test(tcase, lengths_wanted);
	tcase_add_test(tcase, stack_lengths);
	tcase_add_loop_test(tcase, parts, 0, 3);
	tcase_add_loop_test(tcase, addresses_in_use, 0, 3);
	tcase_add_loop_test(tcase, frozen_and_thawed, 0, 3);
	tcase_add_test(tcase, reserve);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
