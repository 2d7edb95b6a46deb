/* SPDX-License-Identifier: ISC */
/*
 * isa.c - read the program's property note, ask the processor
 */
#include "start/isa.h"

#include <cpuid.h>
#include <elf.h>
#include <link.h>
#include <string.h>

#define ISA_1_NEEDED 0xc0008002 /* GNU_PROPERTY_X86_ISA_1_NEEDED */

/* In the low word of XCR0: SSE and AVX state, AVX-512 state. */
#define XCR0_AVX 0x6
#define XCR0_AVX512 0xe6

/** The property's value in the descriptor of one property note; entries are
 * aligned to 8 (psABI §A.2.1, "program property"). */
static uint32_t find_property(const unsigned char *entries, size_t len)
{
	while (len >= 8) {
		uint32_t type, value_len, value;
		size_t used;

		memcpy(&type, entries, 4);
		memcpy(&value_len, entries + 4, 4);
		used = 8 + ((value_len + 7u) & ~(size_t)7);
		if (used > len)
			return 0;
		memcpy(&value, entries + 8, value_len < 4 ? 0 : 4);
		if (type == ISA_1_NEEDED && value_len == 4)
			return value;
		entries += used;
		len -= used;
	}
	return 0;
}

uint32_t psu_isa_needed(const void *notes, size_t len)
{
	const ElfW(Nhdr) *note = notes;

	if (len < sizeof(*note) + 4 || len - sizeof(*note) - 4 < note->n_descsz)
		return 0;
	return find_property((const unsigned char *)(note + 1) + 4, note->n_descsz);
}

static uint32_t enabled_state(void)
{
	uint32_t low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

uint32_t psu_isa_present(void)
{
	const unsigned v2 = bit_SSE3 | bit_SSSE3 | bit_CMPXCHG16B | bit_SSE4_1 |
						bit_SSE4_2 | bit_POPCNT;
	const unsigned v3 = bit_FMA | bit_MOVBE | bit_OSXSAVE | bit_AVX | bit_F16C;
	const unsigned v3_more = bit_AVX2 | bit_BMI | bit_BMI2;
	const unsigned v4 = bit_AVX512F | bit_AVX512DQ | bit_AVX512CD |
						bit_AVX512BW | bit_AVX512VL;
	unsigned a, b, c, d, more = 0, extended = 0;
	uint32_t present = 1, state = 0;

	if (!__get_cpuid(1, &a, &b, &c, &d))
		return present;
	if (c & bit_OSXSAVE)
		state = enabled_state();
	__get_cpuid_count(7, 0, &a, &more, &extended, &d);
	if ((c & v2) == v2)
		present |= 2;
	if (present & 2 && (c & v3) == v3 && (more & v3_more) == v3_more &&
		(state & XCR0_AVX) == XCR0_AVX)
		present |= 4;
	if (present & 4 && (more & v4) == v4 &&
		(state & XCR0_AVX512) == XCR0_AVX512)
		present |= 8;
	return present;
}
