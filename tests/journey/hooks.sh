#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# hooks.sh - each hook runs where and when it should, and nowhere else
#
# A thread goes from a to b, tries a host where nobody listens, and goes on to
# c.  Passed, if each process was told of what happened in it, in order.

# The cases are called by name:
# shellcheck disable=SC2317
# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"

hooks=tests/journey/hooks
certs=$work/certs
make_certs "$certs" a=127.0.0.1 b=127.0.0.1 c=127.0.0.1
unreachable=$(sed -n 's/.*HOST_UNREACHABLE, \(-[0-9]*\),.*/\1/p' \
    "$srcdir/include/psu_thread.h")

# ---- parts of cases

serve() { # who, manner (serve)
    start "$1" "$hooks" "${2-serve}" "$certs/$1"
    await_port "$1" "$started"
}

expect_output() { # who, line...
    printf '%s\n' "${@:2}" | cmp -s - "$dir/$1.out" ||
        wrong "$1 printed something else"
}

# ---- the cases

# Also within a hook a move is refused, each time.
tour() {
    local nowhere=127.0.0.1:1 b c
    serve b
    b=$started b_port=$port
    serve c
    c=$started
    run a "$hooks" go "$certs/a" 'no host' "127.0.0.1:$b_port" "$nowhere" \
        "127.0.0.1:$port"
    expect_status a 0
    await_end "$b" 10
    expect_status b 0
    await_end "$c" 10
    expect_status c 0
    expect_output a "a: departure for no host" \
        "a: failure to reach no host: $(code_in a 1)" \
        "Migrate returned $(code_in a 1)" \
        "a: departure for 127.0.0.1:$b_port"
    expect_output b "b: arrival from a" "Migrate returned 0" \
        "b: departure for $nowhere" \
        "b: failure to reach $nowhere: $unreachable" \
        "Migrate returned $unreachable" \
        "b: departure for 127.0.0.1:$port"
    expect_output c "c: arrival from b" "Migrate returned 0"
    await_error b INVALID_ARGUMENT 1
    await_error b HOST_UNREACHABLE 1
}

# Whichever code a name gets that cannot be resolved here: it is negative.
code_in() { # who, line number of "Migrate returned"
    sed -n 's/^Migrate returned \(-[0-9]*\)$/\1/p' "$dir/$1.out" |
        sed -n "$2p"
}

# What was set and then dropped is not called.
bare() {
    serve b bare
    run a "$hooks" go "$certs/a" "127.0.0.1:$port" ""
    expect_status a 0
    await_end "$started" 10
    expect_status b 0
    expect_output a "a: departure for 127.0.0.1:$port"
    expect_output b "Migrate returned 0"
    expect_error a INVALID_ARGUMENT "hook cannot move"
}

start_case tour tour
start_case bare bare
finish
