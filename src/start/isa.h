/* SPDX-License-Identifier: ISC */
/*
 * isa.h - which instructions the program needs, and the processor has
 *
 * As bits of the psABI's micro-architecture levels (x86-64 psABI §3.1.1):
 * bit 0 baseline, bit 1 v2, bit 2 v3, bit 3 v4.
 */
#ifndef PSU_ISA_H
#define PSU_ISA_H

#include <stddef.h>
#include <stdint.h>

/**
 * What an object's property notes say in GNU_PROPERTY_X86_ISA_1_NEEDED; 0 if
 * they say nothing.
 *
 * @notes, @len  the object's PT_GNU_PROPERTY segment
 */
uint32_t psu_isa_needed(const void *notes, size_t len);

/** What this processor has. */
uint32_t psu_isa_present(void);

#endif
