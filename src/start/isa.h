/* SPDX-License-Identifier: ISC */
/*
 * isa.h - which instructions the program needs, and the processor has
 *
 * As bits of the psABI's micro-architecture levels (x86-64 psABI §3.1.1):
 * bit 0 baseline, bit 1 v2, bit 2 v3, bit 3 v4.
 */
#ifndef PSU_ISA_H
#define PSU_ISA_H

#include <stdint.h>

/** From the executable's GNU_PROPERTY_X86_ISA_1_NEEDED note; 0 if it has
 * none: then it says nothing. */
uint32_t psu_isa_needed(void);

uint32_t psu_isa_present(void);

#endif
