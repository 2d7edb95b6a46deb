/* SPDX-License-Identifier: ISC */
/*
 * fuzz.h - the entry point that every fuzz target defines
 *
 * libFuzzer calls it (run.sh), or replay.c does (make check).  It aborts, or
 * a sanitizer does, when the code under test is wrong.
 */
#ifndef PSU_FUZZ_H
#define PSU_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/** @bytes are exactly @len long.  Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#endif
