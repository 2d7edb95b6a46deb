#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# sample.sh - a sample of the sweep, for `make check`
#
# The same cases each time; SWEEP_SEED=N draws others.

exec "${srcdir:-.}/tests/sweep/sweep.sh" sample
