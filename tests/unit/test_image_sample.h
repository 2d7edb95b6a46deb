/* SPDX-License-Identifier: ISC */
/*
 * test_image_sample.h - one image, its golden head, and where things lie in it
 */
#ifndef PSU_TEST_IMAGE_SAMPLE_H
#define PSU_TEST_IMAGE_SAMPLE_H

#include "image/image.h"

#include <check.h>

/** Of the sample's head as encoded: FORMAT.md, "Body". */
#define GOLDEN_LEN 657
#define CANCEL_AT 132
#define NAME_AT 134
#define COUNT_AT 158
#define FRAMES_AT 162
#define FRAME_LEN 16
#define LOCALS_AT 210
#define EXITS_AT 223
#define HOME_AT 247
#define HEAP_AT 625

extern struct psu_image image;
extern struct psu_frame frames[3]; /* the image's chain */
extern uint8_t *head;			   /* malloc()ed, the image encoded */
extern size_t head_len;

/** Fixture: all of the above as they should be, and the end of it. */
void sample_setup(void);
void sample_teardown(void);

/** Sign, verify and decode a head with the sample's stack; what is accepted
 * must encode to the very same bytes.  Returns what psu_image_decode() did. */
int sample_decode(const uint8_t *bytes, size_t len);
/** Decode the sample's head with one byte changed. */
int sample_decode_with(size_t at, uint8_t value);

#define refused(decoding)                                                      \
	ck_assert_int_eq((decoding), PSU_THREAD_E_IMAGE_INVALID)
#define accepted(decoding) ck_assert_int_eq((decoding), 0)

#endif
