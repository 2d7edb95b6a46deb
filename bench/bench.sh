#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# bench.sh [ROUNDS] - run bench/bench, bench/crowd and bench/heap with
# certificates of their own, and leave bench/results.json, bench/crowd.json
# and bench/heap.json in the working directory

set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${srcdir:-.}/certs/make-certs.sh" "$work/certs" here=127.0.0.1 \
    there=127.0.0.1 2>/dev/null
export PSU_THREAD_RUNTIME=$work/run
mkdir -m 700 "$PSU_THREAD_RUNTIME"
unset PSU_THREAD_CERTS PSU_THREAD_PORT_FILE
mkdir -p bench

# files that are younger than this are read again at each request
# (src/trust/files.c), which is not what a deployment does
until (($(date +%s) - $(stat -c %Z "$work/certs/there/peers") > 3)); do
    sleep 0.1
done
bench/bench bench/results.json "$work/certs/here" "$work/certs/there" \
    "${1:-20}"
echo
bench/crowd bench/crowd.json "$work/certs/here" "$work/certs/there" "${1:-20}"
echo
bench/heap bench/heap.json "$work/certs/here" "$work/certs/there" \
    $(((${1:-20} + 3) / 4))
