#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# strangers.sh - who is silent or slow keeps nobody out, and is shown out
#
# While many connections say nothing, or little, a good client gets in at once.
# Each of them is closed at its deadline; so is an authenticated peer that
# sends nothing, or half a thread; and the server then takes in a good client's.

# The cases are called by name:
# shellcheck disable=SC2317
# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"

probe=tests/journey/probe
strangers=tests/journey/strangers
certs=$work/certs
make_certs "$certs" a=127.0.0.1 b=127.0.0.1 c=127.0.0.1

serve() {
    start server "$probe" serve - "$certs/b"
    server=$started
    await_port server "$server"
}

# A good client gets in, and the server ends.
serve_still() {
    local begin
    begin=$(now_ms)
    run good "$probe" go "127.0.0.1:$port" "$certs/c"
    (($(now_ms) - begin <= 3000)) || wrong "good took more than 3 s"
    expect_status good 0
    expect_no_error good
    await_end "$server" 10
    expect_status server 0
    expect_lines server 1 "After the move"
}

# It says that it was closed at the limit, give or take the machine's load.
expect_closed() { # who, limit
    local ms max_ms
    max_ms=$(limit "$2")
    ms=$(sed -n 's/^Closed after \([0-9]*\) ms$/\1/p' \
        "$dir/$1.out")
    ((ms >= max_ms - 100 && ms <= max_ms + 2000)) ||
        wrong "$1 was closed after $ms ms, not $max_ms"
}

crowd() { # manner
    serve
    start strangers "$strangers" "$1" "$port" 200
    await_line "$dir/strangers.out" '^Ready$' 10
    serve_still
}

stranger() { # manner
    serve
    run stranger "$strangers" "$1" "$port" 1
    expect_closed stranger PSU_HANDSHAKE_MS
    serve_still
    expect_error server HOST_SILENT
}

peer() { # what, limit
    serve
    run peer "$probe" "$1" "127.0.0.1:$port" "$certs/a"
    expect_status peer 0
    expect_closed peer "$2"
    serve_still
    expect_error server HOST_SILENT
}

for manner in silent dribble promise; do
    start_case "one-$manner" stranger $manner
done
start_case dumb peer dumb PSU_FIRST_REQUEST_MS
start_case stop-halfway peer stop-halfway PSU_BODY_GRACE_MS
await_cases
for manner in silent dribble promise; do
    run_case "many-$manner" crowd $manner
done
finish
