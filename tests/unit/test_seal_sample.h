/* SPDX-License-Identifier: ISC */
/*
 * test_seal_sample.h - a good statement to begin with
 */
#ifndef TEST_SEAL_SAMPLE_H
#define TEST_SEAL_SAMPLE_H

#include "run_suite.h"

#include "seal/seal.h"
#include "trust/trust.h"

extern uint8_t public[PSU_SIGN_PUBLIC_LEN];
extern uint8_t secret[PSU_SIGN_SECRET_LEN];
extern struct psu_statement statement;
extern struct psu_expectation expected;
extern uint8_t sealed[PSU_SEALED_LEN];

/** The golden statement, sealed, and what a receiver expects of it. */
void sample_setup(void);

/** Verify, and check that a refusal gives nothing and says something. */
int sample_verify(const uint8_t *bytes, size_t len);

#endif
