/* SPDX-License-Identifier: ISC */
/*
 * registers.c - which kept registers can be loaded
 */
#include "state/state.h"

#include <string.h>

bool psu_state_wide_vectors;

void psu_state_init(void)
{
	__builtin_cpu_init();
	psu_state_wide_vectors = __builtin_cpu_supports("avx");
}

/* Intel SDM vol. 1 §8.1.10, figure 8-9: the 32-bit protected-mode layout that
 * fnstenv writes and fldenv reads. */
static uint16_t x87_word(const struct psu_registers *registers, size_t at)
{
	return (uint16_t)(registers->x87[at] | registers->x87[at + 1] << 8);
}

/** Of the calling processor: which bits of MXCSR may be set (SDM vol. 1
 * §11.6.6). */
static uint32_t mxcsr_mask(void)
{
	struct {
		uint8_t head[28];
		uint32_t mask;
		uint8_t rest[480];
	} area __attribute__((aligned(16)));

	memset(&area, 0, sizeof(area));
	__asm__ volatile("fxsave %0" : "+m"(area));
	return area.mask ? area.mask : 0xffbf;
}

bool psu_state_valid(const struct psu_registers *registers)
{
	uint16_t control = x87_word(registers, 0);
	uint16_t tags = x87_word(registers, 8);

	if (registers->mxcsr & ~mxcsr_mask())
		return false;
	/* psABI §3.2.1: at a call all x87 registers are empty; the control word's
	 * bit 6 reads as one, and bits 7, 13 to 15 as zero */
	return tags == 0xffff && (control & 0xe0c0) == 0x0040 &&
		   registers->rsp % 16 == 8;
}
