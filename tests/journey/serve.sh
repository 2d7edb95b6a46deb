#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# serve.sh - where threads come and go: what is known of them, and an end to it
#
# Passed, if each process lists its threads and their states as they are, and
# a server that is told to stop takes in no more, and waits, but not for ever.

# The cases are called by name:
# shellcheck disable=SC2317
# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"
# shellcheck source=tests/journey/stations.sh
. "$srcdir/tests/journey/stations.sh"

# ---- what is known

# A thread knows its id, its home, and the host where it is.
questions() {
    local id
    station a 0
    station b 1
    tell b serve 0
    tell a start one .0. "127.0.0.1:${ports[b]}"
    await_said a 'one is [0-9]+ at a, home a'
    id=$(sed -n 's/^one is \([0-9]*\) at a.*/\1/p' "$dir/a.out")
    await_said b "one is $id at b, home .*"
    tell a start two . -
    await_said a 'two is [0-9]+ at a, home a'
    ! grep -q "^two is $id " "$dir/a.out" || wrong "two threads have one id"
}

running_and_ended() {
    station a 0
    tell a start one w
    await_listed a 'one running home=a host=a hops=0'
    tell a start two .
    await_said a 'two ends'
    await_listed a 'two ended home=a host=a hops=0'
    await_listed a 'listed 2'
    tell a count
    await_said a 'count 2 2 -1'
    await_error a INVALID_ARGUMENT 1
    tell a join two
    await_said a 'joined two: 0, end 1, a'
    await_listed a 'listed 1'
}

# A home that cannot be dialled stays connected with where its thread is, though
# it has idle sessions enough, to elsewhere.
stocked() {
    station a 0
    station b 1
    station c 1
    tell b serve 0
    tell a stock "127.0.0.1:${ports[c]}"
    await_said a stocked 20
    tell a start one 0w "127.0.0.1:${ports[b]}"
    await_said b 'one has come'
    tell b free
    tell a join one
    await_said a 'joined one: 0, end 2, b'
}

# The source holds its COMMIT back.
leaving_and_arriving() {
    station a 0
    station b 1
    tell b serve 0
    tell a hold
    tell a start one Aw "127.0.0.1:${ports[b]}"
    await_said a 'COMMIT is due'
    await_listed a "one leaving home=a host=127\.0\.0\.1:${ports[b]} hops=0"
    await_listed b 'one arriving home=.* host=b hops=0'
    tell a commit
    await_listed a 'one away home=a host=b hops=1'
    await_listed b 'one running home=.* host=b hops=1'
    await_listed b 'listed 1'
    tell b free
    await_listed b 'listed 0'
    await_listed a 'one ended home=a host=b hops=1'
}

# A session that no thread has used yet has ended meanwhile, unnoticed.
stale() {
    station a 0
    station b 1
    tell a ask "127.0.0.1:${ports[b]}"
    await_said a asked
    tell a blind
    await_said a 'cannot see'
    kill -KILL "${pids[b]}"
    await_end "${pids[b]}" 10
    rm "$dir/b.in" "$dir/b.port"
    PSU_THREAD_LISTEN=127.0.0.1:${ports[b]} station b 1
    tell b serve 0
    tell a start one A "127.0.0.1:${ports[b]}"
    await_said b 'one has come'
}

# The same of one that a thread with a large heap wants to go home by.
stale_home() {
    station a 1
    station b 1
    tell b serve 0
    tell a start one l0h0wh "127.0.0.1:${ports[b]}"
    await_said a 'one has come'
    await 10 eval "(( \$(grep -c '^one has come' $dir/b.out) == 2 ))" ||
        wrong "one has not come to b again"
    tell b blind
    await_said b 'cannot see'
    tell a sever
    await_said a severed
    tell b free
    await_said a 'one ends'
}

# ---- serving

# The source never says that it knows.
linger() {
    local begin
    DEADLINES="LINGER=700" station b 1
    station a 0
    tell a forget
    visit b
    begin=$(now_ms)
    tell b stop
    await_said b 'served: 0'
    expect_between "$begin" 600 4900
}

# The same of one that takes in a single thread.
linger_one() {
    local begin
    DEADLINES="LINGER=700" station b 1
    station a 0
    tell a forget
    tell b take
    begin=$(now_ms)
    tell a start one 0 "127.0.0.1:${ports[b]}"
    await_said b 'took: 0'
    expect_between "$begin" 600 4900
    expect_lines b 1 'one ends'
}

acknowledge() {
    local begin come
    DEADLINES="ACKNOWLEDGE=300" station b 1
    station c 1
    station a 0
    tell a forget
    tell b serve 0
    tell c serve 0
    begin=$(now_ms)
    tell a start one 01 "127.0.0.1:${ports[b]}" "127.0.0.1:${ports[c]}"
    await_said b 'one has come'
    come=$(now_ms)
    await_line "$dir/b.err" 'has not acknowledged its arrival$' 10
    expect_between "$begin" 300 20000
    expect_between "$come" 0 1800
    await_said c 'one ends'
}

expect_between() { # begin, milliseconds, milliseconds
    local took=$(($(now_ms) - $1))
    ((took >= $2 && took <= $3)) || wrong "that took $took ms"
}

fifty() {
    local i
    station a 0
    station b 1
    tell b serve 10000
    for ((i = 0; i < 50; i++)); do
        tell a start "t$i" 0w "127.0.0.1:${ports[b]}"
    done
    await_listed b 'listed 50'
    expect_lines b 50 't[0-9]+ has come'
    tell b free
    await_listed b 'listed 0'
    expect_lines b 50 't[0-9]+ ends'
    tell b stop
    await_said b 'served: 0'
}

# By SIGTERM: those here may end, those that come are told.
drain() {
    station a 0
    station b 1
    tell b serve 60000
    tell a start one 0w "127.0.0.1:${ports[b]}"
    tell a start two 0w "127.0.0.1:${ports[b]}"
    await_listed b 'listed 2'
    kill -TERM "${pids[b]}"
    await_line "$dir/b.err" '^\[info\] Stopping: 2 threads are here' 10
    tell a start three 0 "127.0.0.1:${ports[b]}"
    await_said a "three stays: $(strerror DRAINING)"
    await_error a DRAINING 1
    await_error b DRAINING 1
    ! grep -q '^served' "$dir/b.out" || wrong "b did not wait"
    tell b free
    await_said b 'served: 0'
    expect_lines b 2 '(one|two) ends'
    # SIGTERM is the process's again
    kill -TERM "${pids[b]}"
    await_end "${pids[b]}" 10
    expect_status b 143
}

# Home does not answer, and b ends: what it owes does not go in silence.
owes() {
    station a 0
    station b 1
    tell b serve 0
    tell a start one 0w "127.0.0.1:${ports[b]}"
    await_listed b 'listed 1'
    kill -STOP "${pids[a]}"
    tell b free
    await_said b 'one ends'
    await_listed b 'listed 0'
    tell b quit
    await_end "${pids[b]}" 10
    expect_status b 0
    expect_error b RESULT_DROPPED 'the result of a thread of a .* process ends'
}

stays() {
    station a 0
    station b 1
    tell b serve 300
    tell a start one 0w "127.0.0.1:${ports[b]}"
    tell a start two 0w "127.0.0.1:${ports[b]}"
    await_listed b 'listed 2'
    tell b stop
    await_said b 'served: 2'
    for name in one two; do
        await_line "$dir/b.err" \
            "^\[error\] DRAINING: thread '$name', .* a, stays and is running" 1
    done
}

# It serves again; a stop that was early is remembered; a second call and a
# client's are refused.
again() {
    station a 0
    station b 1
    tell a serve 0
    await_said a "served: $(number MODE_INVALID)"
    tell b stop
    tell b serve 0
    await_said b 'served: 0'
    tell b serve 0
    tell a start one 0 "127.0.0.1:${ports[b]}"
    await_said b 'one ends'
    await_listed b 'listed 0'
    tell b serve 0
    await_said b "served: $(number BUSY)"
    tell a start two 0 "127.0.0.1:${ports[b]}"
    await_said b 'two ends'
    await_listed b 'listed 0'
    tell b stop
    await 10 eval "(( \$(grep -c '^served: 0' $dir/b.out) == 2 ))" ||
        wrong "b did not stop a second time"
}

# Whoever served was cancelled; another one can.
cancelled() {
    station a 0
    station b 1
    tell b serve 0
    tell a start one 0 "127.0.0.1:${ports[b]}"
    await_said b 'one ends'
    tell b cancel
    await_said b 'cancelled'
    tell b serve 0
    tell a start two 0 "127.0.0.1:${ports[b]}"
    await_said b 'two ends'
    await_listed b 'listed 0'
    # SIGTERM stops that one
    kill -TERM "${pids[b]}"
    await_said b 'served: 0'
}

# SIGTERM is the program's own.
trapped() {
    station b 1
    tell b trap
    tell b serve 0
    tell b serve 0
    await_said b "served: $(number BUSY)"
    kill -TERM "${pids[b]}"
    await_said b SIGTERM
    ! grep -q '^served: 0' "$dir/b.out" || wrong "b has stopped"
    tell b stop
    await_said b 'served: 0'
    kill -TERM "${pids[b]}"
    await 10 eval "(( \$(grep -c '^SIGTERM' $dir/b.out) == 2 ))" ||
        wrong "b's handler is gone"
}

# Its address is none: nobody is served by what could not be set up.
set_up_again() {
    station a 0
    PSU_THREAD_ADDRESS=127.0.0.1:port station b 1
    await_said b "not set up: $(number INVALID_ARGUMENT)"
    tell a start one 0 "127.0.0.1:${ports[b]}"
    await_said a "one stays: $(strerror HOST_UNREACHABLE)"
    rm "$dir/b.port"
    tell b again
    await_port b "${pids[b]}"
    tell b serve 0
    tell a start two 0 "127.0.0.1:$port"
    await_said b 'two ends'
}

# With sessions in use, idle, turned, and half open.
forked() {
    local who stranger
    station a 0
    station b 1
    visit b
    tell a start one 0w "127.0.0.1:${ports[b]}"
    await_listed b 'listed 1'
    exec {stranger}<>"/dev/tcp/127.0.0.1/${ports[b]}"
    await 10 has_stranger b || wrong "b has no stranger"
    for who in a b; do
        tell "$who" fork
        await_said "$who" 'child has 0'
    done
    exec {stranger}>&-
}

# A caller's socket has a duplicate until it is known.
has_stranger() { # who
    [[ -n $(find "/proc/${pids[$1]}/fd" -lname 'socket:*' -printf '%l\n' |
        sort | uniq -d) ]]
}

# No thread can be had to tell a that one has ended, until another ends.
understaffed() {
    station a 0
    station b 1
    station c 0
    tell b serve 0
    tell a start one 0w "127.0.0.1:${ports[b]}"
    await_listed b 'listed 1'
    tell b poor
    tell b free
    await_said b 'too poor'
    tell c start two 0 "127.0.0.1:${ports[b]}"
    tell a join one
    tell c join two
    await_said c 'joined two: 0, end 2, b'
    await_said a 'joined one: 0, end 2, b'
}

for name in questions running_and_ended leaving_and_arriving stocked stale \
    stale_home linger linger_one acknowledge fifty drain owes stays again \
    cancelled trapped set_up_again understaffed forked; do
    start_case "$name" with_stations "$name"
done
finish
