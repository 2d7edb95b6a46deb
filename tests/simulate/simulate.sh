#!/bin/sh
# SPDX-License-Identifier: ISC
# A smaller number of schedules for make check; `make simulate` runs the whole.
exec tests/simulate/simulate --schedules 80000
