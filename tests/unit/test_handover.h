/* SPDX-License-Identifier: ISC */
/*
 * test_handover.h - the moves, peers and processes of the handover's tests
 */
#ifndef TEST_HANDOVER_H
#define TEST_HANDOVER_H

#include "run_suite.h"

#include "handover/handover.h"

#include <psu_thread.h>

static const struct psu_id ME = {.bytes = {1}};
static const struct psu_id OTHER = {.bytes = {2}};
static const struct psu_id NONE = {.bytes = {0}};
#define TOKEN 7777u

#endif
