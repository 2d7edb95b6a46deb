#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# lua.sh [CASE]... - Lua scripts that move in mid-run, in Lua as Debian has it

# The cases are called by name:
# shellcheck disable=SC2317
# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"

carry=examples/lua/carry
scripts=$srcdir/examples/lua
certs=$work/certs
make_certs "$certs" a=127.0.0.1 b=127.0.0.1 c=127.0.0.1
declare -A at=() served=()

serve() { # who...
    local who
    for who; do
        PSU_THREAD_CERTS=$certs/$who start "$who" "$carry"
        served[$who]=$started
        await_port "$who" "$started"
        at[$who]=127.0.0.1:$port
    done
}

carry() { # script, its arguments...
    PSU_THREAD_CERTS=$certs/a run a "$carry" "$@"
}

leave() { # who...
    local who
    for who; do
        kill "${served[$who]}"
        await_end "${served[$who]}" 10
        expect_status "$who" 0
        expect_no_error "$who"
    done
}

# Nested calls, a pcall and a coroutine go there, and tables come back.
nested() {
    serve b
    carry "$scripts/nested.lua" "${at[b]}"
    expect_status a 0
    leave b
    expect_lines b 1 $'sum\t55\tat b'
    expect_lines b 1 $'caught\tfalse\tan error with a table\tof b\tat b'
    expect_lines a 1 $'trail\ta b a\t2 moves'
}

visit() {
    serve b c
    carry "$scripts/visit.lua" "${at[b]}" 127.0.0.1:1 "${at[c]}" "${at[b]}"
    expect_status a 0
    leave c
    expect_lines a 2 'b +[0-9.]+ +[0-9]+'
    expect_lines a 1 'c +[0-9.]+ +[0-9]+'
    expect_lines a 1 '127.0.0.1:1 +cannot connect .*'
}

# What nobody catches is said where it happened, and home hears of it.
uncaught() {
    serve b
    cat >"$dir/uncaught.lua" <<'END'
local function fall() error("nobody catches this, at " .. host()) end
assert(migrate(arg[1]))
fall()
END
    carry "$dir/uncaught.lua" "${at[b]}"
    expect_status a 1
    await_line "$dir/b.err" 'nobody catches this, at b$' 5
}

for name in nested visit uncaught; do
    start_case "$name" "$name"
done
finish
