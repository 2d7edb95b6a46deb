/* SPDX-License-Identifier: ISC */
/*
 * section.h - the sections of an encoded head, for its two codecs only
 *
 *     | type u32 | length u32 | payload |  one behind the other, no gaps
 *
 * in this order: of a thread REGISTERS, THREAD, CHAIN, LOCALS, EXITS, HOME,
 * HEAP; of the end of one END, LOCALS, EXITS.
 *
 * FORMAT.md, "Body", is normative.
 */
#ifndef PSU_IMAGE_SECTION_H
#define PSU_IMAGE_SECTION_H

#include "image/image.h"

enum psu_section {
	PSU_SECTION_REGISTERS = 1,
	PSU_SECTION_THREAD,
	PSU_SECTION_CHAIN,
	PSU_SECTION_LOCALS,
	PSU_SECTION_EXITS,
	PSU_SECTION_HOME,
	PSU_SECTION_END,
	PSU_SECTION_HEAP
};

#define PSU_SECTION_COUNT 7		/* of a thread */
#define PSU_SECTION_END_COUNT 3 /* of an end */
#define PSU_SECTION_HEADER_LEN 8
#define PSU_SECTION_REGISTERS_LEN 88
#define PSU_SECTION_THREAD_LEN 46
#define PSU_SECTION_HOME_LEN (1 + PSU_PLACE_LEN)
#define PSU_SECTION_END_LEN 8
#define PSU_SECTION_HEAP_LEN_MIN 8
#define PSU_CHAIN_COUNT_LEN 4
#define PSU_CHAIN_FRAME_LEN 16
#define PSU_EXIT_LEN 16
#define PSU_HEAP_RUN_LEN 8

#endif
