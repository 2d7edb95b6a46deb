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
    local who hosts=() pids=()
    for who in b c d; do
        open_input
        start "$who" tests/journey/ring "$work/certs/$who"
        pids+=("$started" "$input_fd")
        await_port "$who" "$started"
        hosts+=("127.0.0.1:$port")
        rm "$input"
    done
    open_input
    start a tests/journey/ring "$work/certs/a" "${RING_HOPS-1000}" \
        "${hosts[@]}" home
    pids+=("$started" "$input_fd")
    await_line "$dir/a.out" '^(right|wrong)$' 120
    expect_lines a 1 right
    for ((i = 0; i < ${#pids[@]}; i += 2)); do
        echo quit >&"${pids[i + 1]}"
        await_end "${pids[i]}" 20
        expect_status "process $((i / 2))" 0
    done
    for who in a b c d; do
        expect_no_error "$who"
    done
}

run_case ring ring
finish
