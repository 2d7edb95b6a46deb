/* SPDX-License-Identifier: ISC */
/*
 * list.c - the tests of a travel program, of names.h
 *
 * Apart from the driver, which in dynamic programs lies in a shared library.
 */
#include "names.h"
#include "travel.h"

/* each file's travel() is compiled under a name of its own */
#define DECLARE(name) int travel_##name(void);
TRAVEL_TESTS(DECLARE)

#define ENTRY(name) {#name, travel_##name},
const struct travel_test travel_tests[] = {TRAVEL_TESTS(ENTRY){NULL, NULL}};
