#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# crowd.sh [CASE]... - many threads move at the same time
#
# crowd.c says what the processes do.  $CROWD_ROUNDS are the rounds of the
# case both_ways (10), $CROWD_SOAK those of the soak (10).

# shellcheck disable=SC2317 # cases are called by name
# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"

make_certs "$work/certs" a=127.0.0.1 b=127.0.0.1 c=127.0.0.1

# A process; its port, if it listens, is in ports[WHO].
declare -A ports=()
crowd() { # who, host, rounds, threads, client (optional)
    start_told "$1" tests/journey/crowd "$work/certs/$2" "${@:3}"
    [[ -n ${5-} ]] || await_port "$1" "$started"
    [[ -n ${5-} ]] || ports[$1]=127.0.0.1:$port
}

await_count() { # who, lines, pattern
    await 300 eval "(( \$(grep -c '$3' $dir/$1.out) >= $2 ))" ||
        wrong "$1 did not say '$3' $2 times"
}

# A case, and the end of its processes.
with_crowds() { # function
    local who
    "$1"
    for who in "${!inputs[@]}"; do
        tell "$who" quit
    done
    for who in "${!inputs[@]}"; do
        await_end "${pids[$who]}" 20
        expect_status "$who" 0
    done
}

# 100 of each of two servers, between them.
both_ways() {
    crowd a a "${CROWD_ROUNDS-10}" 100
    crowd b b "${CROWD_ROUNDS-10}" 100
    tell a "${ports[b]}"
    tell b "${ports[a]}"
    await_count a 1 ' are right$'
    await_count b 1 ' are right$'
    expect_lines a 1 '100 of 100 are right'
    expect_lines b 1 '100 of 100 are right'
    expect_no_error a
    expect_no_error b
}

# To a client that listens nowhere they come home all the same.
no_port() {
    crowd b b 10 20
    crowd a a 10 20 client
    tell a "${ports[b]}"
    await_count a 1 ' are right$'
    expect_lines a 1 '20 of 20 are right'
    expect_no_error a
    expect_no_error b
}

# $CROWD_MEET threads (1000), born in eight processes of two hosts, are
# at one server at the same time.
meeting() {
    local i each=$((${CROWD_MEET-1000} / 8)) hosts=(a c)
    MEET=$((8 * each)) crowd b b 1 1
    for ((i = 0; i < 8; i++)); do
        crowd "home$i" "${hosts[i % 2]}" 1 "$each" client
        tell "home$i" "${ports[b]}"
    done
    for ((i = 0; i < 8; i++)); do
        await_count "home$i" 1 ' are right$'
        expect_lines "home$i" 1 "$each of $each are right"
        expect_no_error "home$i"
    done
    expect_no_error b
}

# After the first rounds nothing grows any more.
soak() {
    local who first last i room=2048 # KiB
    # a sanitizer's shadow of slots that were not used before
    [[ -z ${ASAN_OPTIONS-} ]] || room=$((1 << 20))
    crowd b b "${CROWD_SOAK-10}" 50
    crowd a a "${CROWD_SOAK-10}" 50
    for ((i = 1; i <= 4; i++)); do
        tell a "${ports[b]}"
        await_count a "$i" '^50 of 50 are right$'
        tell a state
        tell b state
        await_count a "$i" descriptors
        await_count b "$i" descriptors
    done
    for who in a b; do
        mapfile -t states < <(grep descriptors "$dir/$who.out")
        read -r first last < <(echo "${states[1]//[^0-9 ]/}" \
            "${states[3]//[^0-9 ]/}" | awk -v room="$room" '{
                for (i = 1; i <= 3; i++) if ($(i + 4) > $i + 8) bad = 1
                if ($8 > $4 + room) bad = 1
                print bad + 0, "x" }')
        [[ $first == 0 ]] || wrong "$who grows: ${states[*]}"
        [[ $last == x ]] || wrong "$who says nothing of its state"
    done
    expect_no_error a
    expect_no_error b
}

run_case both_ways with_crowds both_ways
run_case no_port with_crowds no_port
run_case meeting with_crowds meeting
run_case soak with_crowds soak
finish
