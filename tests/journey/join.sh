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

# ---- away

serve() { # who...
    local who
    hosts=() servers=()
    for who; do
        keep_port
        PSU_THREAD_LISTEN=$kept start "$who" tests/journey/join "$who" \
            "$certs/$who" serve
        await_port "$who" "$started"
        servers+=("$started")
        hosts+=("$kept")
    done
}

# It ends at the host that the last step of the way leads to.
away() { # mode of the home, steps, result, host
    serve b c
    MODE=$1 home "$2" "${hosts[@]}"
    expect_status a 0
    expect_end 'a: object o destroyed' 'a: data s destroyed' \
        "a: joined: 0, $3, ended away, $4"
    expect_no_error a
    expect_no_error b
    expect_no_error c
    ! grep -q destroyed "$dir"/[bc].out || wrong "something was destroyed away"
}

# It comes home and ends there.
back() { # mode of the home, steps, result
    serve b c
    STACK_LEN=$((32 << 20)) MODE=$1 home "$2" "${hosts[@]}"
    expect_status a 0
    expect_end 'a: object o destroyed' 'a: data s destroyed' \
        "a: joined: 0, $3, ended here, a"
    expect_no_error a
    expect_no_error b
}

# It listens, and says that it cannot be dialled.
unaddressed() {
    export PSU_THREAD_ADDRESS=
    away 1 0.h.0r 42 b
}

# Its home has ended meanwhile, and another process answers there, or nobody
# can be asked.  One line says that its result is dropped.
orphan() { # mode of home, code that b logs (''), who answers (a), why it waits
    open_input
    serve b
    keep_port
    MODE=$1 PSU_THREAD_LISTEN=$kept start a tests/journey/join a \
        "$certs/a" 0wr "${hosts[@]}"
    home=$started
    await_line "$dir/b.err" 'Thread from a goes on here' 10
    kill -KILL "$home"
    await_end "$home" 10
    [[ $1 == 0 ]] || {
        PSU_THREAD_LISTEN=$kept start second tests/journey/join \
            "${3-a}" "$certs/${3-a}" serve
        await_port second "$started"
    }
    echo >&"$input_fd"
    if [[ ${2-} ]]; then
        await_error b "$2" 20
        expect_error b "$2" "could not be told there: [a-z].* has ended"
    else
        # it may come back yet: the result is kept
        await_line "$dir/b.err" "A letter to a must wait.*${4-}" 20
    fi
    [[ ! -s $dir/a.out ]] || wrong "a printed something"
}

# A client says where it is, though it listens nowhere.
orphan_of_a_braggart() {
    local PSU_THREAD_ADDRESS=127.0.0.1:1
    export PSU_THREAD_ADDRESS
    orphan 0 '' a 'no session with the home'
}

# Another host answers there: what it says of home proves nothing.
orphan_says_other() {
    orphan 1 '' c "'c' now"
    expect_no_error b
}

# The process that had the thread has died, long after it had taken it over;
# whoever answers there then knows that.
bereaved() { # steps, the last of its hosts, its number
    bereave "$@" "$2"
    await_end "$home" 30
    expect_status a 1
    expect_lines a 1 "a: joined: -95, 0, lost, $2"
    await_error a LOST_WITH_PEER 1
    # that it is silent, and that it is lost; the attempts between are no errors
    (($(grep -c '^\[error\]' "$dir/a.err") <= 2)) || wrong "a logs each attempt"
    await_line "$dir/a.err" "LOST_WITH_PEER: .* $2 .*start another" 1
}

bereave() { # the same, and who takes its port
    local victim
    open_input
    serve b c
    victim=${servers[$3]}
    MODE=0 start a tests/journey/join a "$certs/a" "$1" "${hosts[@]}"
    home=$started
    await_line "$dir/$2.err" 'Thread from . goes on here' 10
    [[ $2 == b ]] || await_line "$dir/b.err" 'Thread runs at' 10
    kill -KILL "$victim"
    await_end "$victim" 10
    PSU_THREAD_LISTEN=${hosts[$3]} start second tests/journey/join "$4" \
        "$certs/$4" serve
    await_port second "$started"
}

# Another host answers there.
bereaved_says_other() {
    bereave 0wr b 0 c
    await_line "$dir/a.err" "^\[debug\] WRONG_ADDRESSEE: .*'c' now" 20
    ! grep -q LOST_WITH_PEER "$dir/a.err" || wrong "a says that it is lost"
    [[ ! -s $dir/a.out ]] || wrong "a has joined it"
    kill "$home"
}

# Home does not take a word of where the thread is, for a while.
struck_off() {
    open_input
    serve b c
    cp -a "$certs/a" "$dir/a"
    MODE=1 start a tests/journey/join a "$dir/a" 0w1wr "${hosts[@]}"
    home=$started
    await_line "$dir/b.err" 'Thread from a goes on here' 10
    sed -i 's/\(^peer .*\/b .*\)direction=both/\1direction=receive/' \
        "$dir/a/peers"
    echo >&"$input_fd"
    await_line "$dir/b.err" 'A letter to a must wait: .*refuses this host' 20
    echo >&"$input_fd"
    expect_no_error b
    ! grep -q PROTOCOL "$dir/b.err" || wrong "b was surprised"
    await_end "$home" 20
    expect_status a 0
    expect_lines a 1 'a: joined: 0, 42, ended away, c'
}

# A thread that cannot go home goes on where it is.
stranded() { # code, run-time directory, who answers (a)
    open_input
    serve b
    keep_port
    PSU_THREAD_LISTEN=$kept start a tests/journey/join a "$certs/a" 0wh.r \
        "${hosts[@]}"
    home=$started
    await_line "$dir/b.err" 'Thread from a goes on here' 10
    kill -KILL "$home"
    await_end "$home" 10
    PSU_THREAD_LISTEN=$kept PSU_THREAD_RUNTIME=${2:-$work/run} \
        start second tests/journey/join "${3-a}" "$certs/${3-a}" serve
    await_port second "$started"
    echo >&"$input_fd"
    await_error b "$1" 20
    await_line "$dir/b.out" "is here$" 10
}

other_runtime() {
    mkdir -m 700 "$dir/run"
    stranded HOME_UNREACHABLE "$dir/run"
}

start_case here-return here r 42
start_case here-exit here x 43
start_case here-cancelled here c -1
start_case here-detached here Dr 42
start_case overdue overdue
start_case in-time in_time
start_case misuse misuse
await_cases
for mode in 1 0; do
    start_case "away-return-$mode" away $mode 0r 42 b
    start_case "away-exit-$mode" away $mode 0x 43 b
    start_case "away-cancelled-$mode" away $mode 0c -1 b
    start_case "loop-$mode" away $mode .0.h.0.h.0.r 42 b
    start_case "two-hops-$mode" away $mode 0.1r 42 c
    start_case "back-$mode" back $mode 0.h.r 42
    start_case "back-deep-$mode" back $mode dhr 42
    start_case "round-$mode" back $mode 0.1.h.x 43
    await_cases
done
start_case unaddressed unaddressed
start_case orphan orphan 1 RESULT_DROPPED
start_case orphan-of-a-client orphan 0
start_case orphan-of-a-braggart orphan_of_a_braggart
start_case bereaved bereaved 0wr b 0
start_case bereaved-farther bereaved 01wr c 1
start_case orphan-says-other orphan_says_other
start_case bereaved-says-other bereaved_says_other
start_case struck-off struck_off
start_case home-ended stranded HOME_ENDED
start_case home-elsewhere stranded WRONG_ADDRESSEE '' c
start_case home-unreachable other_runtime
finish
