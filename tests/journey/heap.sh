#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# heap.sh [CASE]... - a thread's own heap goes along, and what may not, is said

# The cases are called by name:
# shellcheck disable=SC2317
# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"

heap=tests/journey/heap
certs=$work/certs
make_certs "$certs" a=127.0.0.1 b=127.0.0.1

travel() { # what
    start b "$heap" serve "$certs/b"
    b=$started
    await_port b "$b"
    run a "$heap" go "$certs/a" "$1" "127.0.0.1:$port"
    expect_status a 0
    kill "$b"
    await_end "$b" 10
    expect_lines a 0 'Wrong.*'
    expect_lines b 0 'Wrong.*'
}

expect_done() { # who, what
    expect_lines "$1" 1 "Done: $2"
}

misuse() {
    travel misuse
    expect_done b misuse
    expect_complaints a 5
    expect_complaints b 1
}

expect_complaints() { # who, count
    (($(grep -c '^\[error\] HEAP_MISUSED: ' "$dir/$1.err") == $2)) ||
        wrong "$1 does not complain $2 times"
}

of_another() {
    travel take
    expect_done a take
    expect_error a HEAP_MISUSED 'belongs to another thread'
}

full() {
    travel full
    expect_done b full
    await_error a HEAP_FULL 1
    [[ $(sed -n 's/^Full with //p' "$dir/a.out") -gt 110 ]] ||
        wrong 'it was full early'
}

# What is sent is little more than what is in use.
sparse() {
    travel sparse
    expect_done b sparse
    (($(sent a) < 8 << 20)) || wrong "a sent $(sent a) bytes"
}

# A tenth of 1 GiB is sent, and the map of all pages; then all of it.
gigabyte() {
    local free_kib
    free_kib=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB$/\1/p' /proc/meminfo)
    if ((free_kib < 4 << 20)); then
        echo "skipped: a heap of 1 GiB, with $free_kib KiB of memory free"
        return
    fi
    travel gigabyte
    expect_done a gigabyte
    (($(sent a) > 103 << 20 && $(sent a) < 108 << 20)) ||
        wrong "a sent $(sent a) bytes"
    (($(sent b) > 1 << 30)) || wrong "b sent $(sent b) bytes"
}

sent() { # who
    sed -n 's/^\[debug\] Sent \([0-9]*\) bytes.*/\1/p' "$dir/$1.err" | tail -n 1
}

longer() {
    export PSU_THREAD_SLOT=300M
    travel full
    [[ $(sed -n 's/^Full with //p' "$dir/a.out") -gt 370 ]] ||
        wrong 'the slot is not longer'
}

damaged() {
    travel damaged
    expect_done a damaged
    expect_lines a 1 'goes on'
    expect_error a HEAP_DAMAGED 'beyond the end of a block'
}

many() {
    travel many
    expect_done b many
}

# The same blocks in another order for ever do not need more and more.
old() {
    travel old
    expect_done a old
    (($(sent a) < 2 * $(sent_first))) ||
        wrong "the first was $(sent_first), the last $(sent a)"
}

sent_first() { # of those in which everything is in use
    sed -n 's/^\[debug\] Sent \([0-9]*\) bytes.*/\1/p' "$dir/a.err" |
        sed -n 20p
}

# Home has the pages that have not changed: there, everything changes, then
# nearly nothing is left.
kept() {
    local sent
    travel kept
    expect_done a kept
    mapfile -t sent < <(sed -n 's/^\[debug\] Sent \([0-9]*\) bytes.*/\1/p' \
        "$dir/b.err")
    ((${#sent[@]} == 3 && sent[0] < 65536 && sent[1] > 8 << 20 &&
        sent[2] < 262144)) || wrong "b sent ${sent[*]} bytes"
}

# The same blocks, signed; of what home has kept nothing is left out.
attested() { # what, who is done
    local who sent
    for who in a b; do
        cp -a "$certs/$who" "$dir/$who"
        sed -i '/^peer /s/$/ attest=full/' "$dir/$who/peers"
    done
    certs=$dir travel "$1"
    expect_done "$2" "$1"
    ! grep -Eq '(ATTEST|DIGEST|SIGNATURE)_' "$dir"/[ab].err ||
        wrong "its heap was not signed well"
    [[ $1 != kept ]] ||
        (($(grep -c 'Sent 8[0-9]\{6\} bytes' "$dir/b.err") == 2)) ||
        wrong "b has not sent all of it"
}

# It is refused before it has come.
unwanted() {
    start b "$heap" idle "$certs/b"
    await_port b "$started"
    run a "$heap" go "$certs/a" unwanted "127.0.0.1:$port"
    expect_status a 0
    expect_done a unwanted
    expect_lines a 0 'Wrong.*'
    expect_error b BUSY 'try again when it does'
    ! grep -q '^\[debug\] Received' "$dir/b.err" || wrong "b has received it"
    kill "$started"
}

odd() {
    PSU_THREAD_SLOT=lots run a "$heap" go "$certs/a" none 127.0.0.1:1
    expect_status a 1
    expect_error a INVALID_ARGUMENT 'PSU_THREAD_SLOT=lots'
}

for name in misuse of_another damaged odd unwanted; do
    start_case "${name//_/-}" "$name"
done
await_cases
for name in full longer sparse many old kept; do
    start_case "$name" "$name"
done
await_cases
start_case gigabyte gigabyte
await_cases
for name in full sparse many; do
    start_case "attested-$name" attested "$name" b
done
start_case attested-kept attested kept a
finish
