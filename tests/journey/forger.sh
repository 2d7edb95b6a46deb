#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# forger.sh [CASE]... - who once had a thread cannot do much with a copy of it
#
# The thread's home is h.  It has been at b, which keeps a copy.

# The cases are called by name:
# shellcheck disable=SC2317
# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"

certs=$work/certs
make_certs "$certs" h=127.0.0.1 b=127.0.0.1 c=127.0.0.1 d=127.0.0.1
declare -A at=()

begin() { # who...
    local who
    for who; do
        start_told "$who" tests/journey/forger 1 "$certs/$who"
        await_port "$who" "$started"
        at[$who]=127.0.0.1:$port
    done
}

# The thread ends at last where it is, and its home gets the true result.
expect_true_end() { # who has it
    await_line "$dir/$1.out" '^It waits$' 20
    tell "$1" free
    await_line "$dir/h.out" "^Joined: 0, 42, $1\$" 20
    expect_lines h 0 'A copy runs'
    kill -0 "${pids[h]}" 2>/dev/null || wrong "h has ended"
}

# An end is of use to a home only.
end_of_guest() {
    begin h b c
    tell h start 0k1w "${at[b]}" "${at[c]}"
    await_line "$dir/c.out" '^It waits$' 20
    tell b end "${at[c]}" 3 loop
    await_line "$dir/b.out" '^ABORTED REPLAYED$' 20
    kill -0 "${pids[c]}" 2>/dev/null || wrong "c has ended"
    expect_true_end c
}

# What is said of a thread that runs at home is not true.
at_home() {
    begin h b c
    tell h start 0khw1w "${at[b]}" "${at[c]}"
    await_line "$dir/h.out" '^It waits$' 20
    tell b locate "${at[h]}" 1000 alien
    await_line "$dir/b.out" '^NOTED$' 20
    tell h list
    await_line "$dir/h.out" '^Listed$' 20
    expect_lines h 1 'State 1 at h after 2'
    tell h free
    expect_true_end c
}

# The copy would come home, or end, by a way that it has not gone.
forged() { # word, generation, way
    begin h b c
    tell h start 0kh1w "${at[b]}" "${at[c]}"
    await_line "$dir/c.out" '^It waits$' 20
    tell b "$1" "${at[h]}" "$2" "$3"
    await_line "$dir/b.out" '^ABORTED ITINERARY_INVALID$' 20
    await_error h ITINERARY_INVALID 5
    expect_true_end c
}

# It is said to have gone where it has not.
located() { # generation, way
    begin h b c
    tell h start 0kh1w "${at[b]}" "${at[c]}"
    await_line "$dir/c.out" '^It waits$' 20
    tell b locate "${at[h]}" "$1" "$2"
    await_line "$dir/b.out" '^REFUSED ITINERARY_INVALID$' 20
    await_error h ITINERARY_INVALID 5
    tell h list
    await_line "$dir/h.out" '^State 4 at c after 3$' 20
    expect_true_end c
}

# Another host takes the copy in and moves it on, in good faith: neither what it
# says of that is believed, nor the copy itself.
passed_on() {
    begin h b c d
    tell h start 0kh2wc0101h "${at[b]}" "${at[c]}" "${at[d]}"
    await_line "$dir/d.out" '^It waits$' 20
    tell b bring "${at[c]}" 2 true
    await_line "$dir/c.out" '^A copy runs$' 20
    await_line "$dir/c.out" '^It stays: ITINERARY_INVALID$' 20
    expect_lines h 0 'Joined.*'
    expect_true_end d
}

# Home believes a way that has gone over others.
far() { # steps
    begin h b c
    tell h start "$1" "${at[b]}" "${at[c]}" "${at[h]}"
    expect_true_end b
    expect_no_error h
}

start_case end-of-guest end_of_guest
start_case at-home at_home
start_case bring-loop forged bring 1000 loop
start_case end-loop forged end 1000 loop
await_cases
start_case bring-alien forged bring 1000 alien
start_case end-alien forged end 1000 alien
start_case bring-alien-short forged bring 5 alien
start_case end-true forged end 4 true
await_cases
start_case locate-loop located 1000 loop
start_case locate-alien located 1000 alien
start_case locate-alien-short located 5 alien
await_cases
start_case passed-on passed_on
start_case far-2 far 01h010w
start_case far-17 far 01010101010101010h01010101010101010w
start_case far-19 far 0101010101010101010h0101010101010101010w
finish
