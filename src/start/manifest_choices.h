/* SPDX-License-Identifier: ISC */
/*
 * manifest_choices.h - what an object has chosen for this processor
 *
 * glibc has several variants of memcpy, strlen, sin and others.  A thread may
 * carry the address of one, and must not come to a processor that lacks the
 * instructions of it.
 */
#ifndef PSU_MANIFEST_CHOICES_H
#define PSU_MANIFEST_CHOICES_H

#include <link.h>
#include <stdint.h>

/**
 * A digest of the variants that the object's STT_GNU_IFUNC symbols resolve
 * to; 0 if it has none.  Only changes with the processor and GLIBC_TUNABLES.
 *
 * @dynamic    its dynamic section
 * @load_addr  what its addresses are relative to
 */
uint32_t psu_manifest_choices(const ElfW(Dyn) * dynamic, uint64_t load_addr);

#endif
