#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# join.sh - threads that are started, and joined by whoever started them
#
# Each process says who it is: a is the home of the thread.  Wherever the
# thread ends, its result comes to whoever joins it at home, and there its
# thread-local and its thread-specific data are destroyed, once.

# The cases are called by name:
# shellcheck disable=SC2317
# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"

certs=$work/certs
make_certs "$certs" a=127.0.0.1 b=127.0.0.1 c=127.0.0.1

# ---- parts of cases

home() { # steps, hosts...
    run a tests/journey/join a "$certs/a" "$@"
}

# What process a has printed, but for where the thread was.
expect_end() { # line...
    grep -Ev 'is here$' "$dir/a.out" | diff <(printf '%s\n' "$@") - ||
        wrong "a did not print: $*"
}

# ---- at home

here() { # step, result
    NAME=wanderer home ".$1"
    expect_status a 0
    expect_no_error a
    expect_lines a 1 "a: the thread 'wanderer' is here"
    expect_end 'a: object o destroyed' 'a: data s destroyed' \
        "a: joined: 0, $2, ended here, a"
}

# The limit is over while the thread waits; a second join waits on.
overdue() {
    open_input
    LIMIT_MS=100 start a tests/journey/join a "$certs/a" wr
    await_line "$dir/a.out" '^a: joined: -100, 0, not ended, a$' 10
    echo >&"$input_fd"
    await_end "$started" 10
    expect_status a 0
    expect_error a OVERDUE 'is at a '
    expect_lines a 1 'a: joined: 0, 42, ended here, a'
}

# It ends just in time.
in_time() {
    LIMIT_MS=30000 home r
    expect_status a 0
    expect_no_error a
}

misuse() {
    home misuse
    expect_status a 0
    await_error a INVALID_ARGUMENT 1
}

run_case here-return here r 42
run_case here-exit here x 43
run_case here-cancelled here c -1
run_case overdue overdue
run_case in-time in_time
run_case misuse misuse
finish
