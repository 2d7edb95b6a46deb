#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# ring.sh [CASE]... - one thread goes round four processes
#
# $RING_HOPS moves (1000), a multiple of four.

# shellcheck disable=SC2317 # cases are called by name
# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"

make_certs "$work/certs" a=127.0.0.1 b=127.0.0.1 c=127.0.0.1 d=127.0.0.1

ring() {
    local who hosts=()
    for who in b c d; do
        start_told "$who" tests/journey/ring "$work/certs/$who"
        await_port "$who" "$started"
        hosts+=("127.0.0.1:$port")
    done
    start_told a tests/journey/ring "$work/certs/a" "${RING_HOPS-1000}" \
        "${hosts[@]}" home
    await_line "$dir/a.out" '^(right|wrong)$' 120
    expect_lines a 1 right
    for who in a b c d; do
        tell "$who" quit
        await_end "${pids[$who]}" 20
        expect_status "$who" 0
        expect_no_error "$who"
    done
}

run_case ring ring
finish
