#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# frozen.sh - threads that are in doubt or lost, and the operator's word
#
# The destination is stopped or killed when it has been given a thread.  Passed,
# if the source keeps the thread frozen, and lets it go on, or drops it, as it
# is told, and not otherwise.

# The cases are called by name:
# shellcheck disable=SC2317
# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"
# shellcheck source=tests/journey/stations.sh
. "$srcdir/tests/journey/stations.sh"

export DEADLINES="ANSWER=1000"

# ---- parts of cases

# The thread does not go on at a.
expect_frozen() {
    expect_lines a 0 'one (stays|has come|ends).*'
}

end_by_sigkill() { # who
    kill -KILL "${pids[$1]}"
    await_end "${pids[$1]}" 10
}

# The source has given it away to a process that is stopped.
doubt() {
    station a 0
    station b 1
    visit b
    kill -STOP "${pids[b]}"
    tell a start one 0w "127.0.0.1:${ports[b]}"
    await_line "$dir/a.err" '^\[error\] IN_DOUBT: .* may or may not' 30
    await_listed a 'one in-doubt home=a host=b hops=0'
}

# What was said of the frozen thread, by its code.
expect_told() { # code, what, count
    local count
    count=$(grep -Ec "^\[error\] $1: .*$2.*psu_thread_resolve was told" \
        "$dir/a.err")
    [[ $count == "${3-1}" ]] || wrong "a said '$2' $count times"
}

# It never runs at b: the operator saw to that.
doubt_go_on() {
    doubt
    end_by_sigkill b
    tell a resolve one 1
    await_said a 'resolved: 0'
    await_said a "one stays: $(strerror IN_DOUBT)"
    await_listed a 'one running home=a host=a hops=0'
    expect_told IN_DOUBT 'goes on here'
    tell a resolve one 1
    await_said a "resolved: $(number THREAD_UNKNOWN)"
    await_error a THREAD_UNKNOWN 1
    tell a free
    tell a join one
    await_said a 'joined one: 0, end 1, a'
}

# It is at b, which has only stopped to say so.
doubt_give_up() {
    doubt
    tell a resolve one 2
    await_said a 'resolved: 0'
    await_listed a 'one (away|ended) home=a host=b hops=1'
    expect_told IN_DOUBT 'given up here'
    kill -CONT "${pids[b]}"
    await_said b 'one has come'
    expect_frozen
}

# Whoever joins it is told that nobody knows, and may join again.
doubt_join() {
    DEADLINES="ANSWER=1000 DOUBT=500" doubt
    tell a join one
    await_said a "joined one: $(number IN_DOUBT), end 4, b"
    kill -CONT "${pids[b]}"
    await_said b 'one has come'
    tell b free
    await_said b 'one ends.*'
    tell a join one
    await_said a 'joined one: 0, end 2, b'
}

# While nobody says whether it is at b it has gone on to c, and b tells that.
doubt_located() {
    station a 1
    DEADLINES="ACKNOWLEDGE=100" station b 1
    station c 1
    visit b # by which b has a line to a
    tell c serve 0
    tell b mute
    await_listed b 'listed 0' # it has obeyed
    tell a start one 01w "127.0.0.1:${ports[b]}" "127.0.0.1:${ports[c]}"
    await_line "$dir/a.err" '^\[error\] IN_DOUBT: .* may or may not' 30
    await_listed a 'one in-doubt home=a host=c hops=0'
    tell b speak
    await_line "$dir/a.err" 'Thread runs at' 30
    await_listed a 'one away home=a host=c hops=2'
    tell c free
    tell a join one
    await_said a 'joined one: 0, end 2, c'
}

# The process that has it has ended, and nobody there can prove that: who joins
# it is told so, and it can be given up.
silent() {
    DEADLINES="DOUBT=500" station a 0
    station b 1
    visit b
    tell a start one 0w "127.0.0.1:${ports[b]}"
    await_said b 'one has come'
    end_by_sigkill b
    # UNREACHABLE, or LOST if it died while it was dialled
    await_line "$dir/a.err" \
        '^\[error\] (HOST_UNREACHABLE|CONNECTION_LOST): .* at b that has ' 10
    await_listed a 'one in-doubt home=a host=b hops=1'
    tell a join one
    await_said a "joined one: $(number IN_DOUBT), end 4, b"
    tell a resolve one 1
    await_said a "resolved: $(number INVALID_ARGUMENT)"
    tell a resolve one 2
    await_said a 'resolved: 0'
    await_listed a 'one lost home=a host=b hops=1'
    tell a join one
    await_said a "joined one: $(number LOST_WITH_PEER), end 3, b"
    tell a join one
    await_said a "joined one: $(number INVALID_ARGUMENT), end 0, -"
}

# Decisions that are none; threads about which nothing can be decided.
resolve_refused() {
    doubt
    tell a resolve one 0
    tell a resolve one 3
    await_error a INVALID_ARGUMENT 10
    tell a start two w
    await_listed a 'two running .*'
    for name in zero two nobody; do
        tell a resolve "$name" 1
    done
    await 10 eval "(( \$(grep -c '^resolved:' $dir/a.out) == 5 ))"
    expect_lines a 2 "resolved: $(number INVALID_ARGUMENT)"
    expect_lines a 3 "resolved: $(number THREAD_UNKNOWN)"
    await_listed a 'one in-doubt .*'
    await_listed a 'two running .*'
    await_listed a 'zero ended .*'
}

# Whoever asks again is woken by the decision: no pause is slept out.
resolve_wakes() {
    local begin
    doubt
    end_by_sigkill b
    # nobody listens now, so that it only pauses: 5 s, before long
    await 30 is_listed a 'one in-doubt .*'
    await_refusals 7
    begin=$(now_ms)
    tell a resolve one 1
    await_said a 'one stays: .*'
    (($(now_ms) - begin < 1500)) || wrong "the pause was slept out"
}

# Attempts to dial, which are debug lines behind the first.
await_refusals() { # count
    await 30 eval "(( \$(grep -c HOST_UNREACHABLE $dir/a.err) >= $1 ))" ||
        wrong "a has not dialled $1 times"
}

# The destination's process is killed; another one can prove that.
lost() {
    doubt
    end_by_sigkill b
    rm "$dir/b.in" "$dir/b.port"
    PSU_THREAD_LISTEN=127.0.0.1:${ports[b]} station b 1
    await_line "$dir/a.err" '^\[error\] LOST_WITH_PEER: ' 30
}

lost_go_on() {
    lost
    await_listed a 'one lost home=a host=b hops=0'
    tell a resolve one 1
    await_said a "one stays: $(strerror LOST_WITH_PEER)"
    await_listed a 'one running home=a host=a hops=0'
    expect_told LOST_WITH_PEER 'goes on'
    tell a free
    tell a join one
    await_said a 'joined one: 0, end 1, a'
}

lost_give_up() {
    lost
    await_listed a 'one lost home=a host=b hops=0'
    tell a resolve one 2
    await_said a 'resolved: 0'
    await_line "$dir/a.err" \
        '^\[error\] LOST_WITH_PEER: .* is dropped, as psu_thread_resolve' 10
    expect_told LOST_WITH_PEER 'is dropped'
    tell a resolve one 1
    await_said a "resolved: $(number THREAD_UNKNOWN)"
    tell a join one
    await_said a "joined one: $(number LOST_WITH_PEER), end 3, b"
    await_listed a 'listed 1' # zero
    expect_frozen
}

# Nobody says a word.
lost_kept() {
    local begin
    export DEADLINES="ANSWER=1000 LOST_KEPT=700"
    lost
    begin=$(now_ms)
    await_line "$dir/a.err" 'is dropped after 700 ms' 10
    (($(now_ms) - begin < 3000)) || wrong "it was kept for longer"
    tell a join one
    await_said a "joined one: $(number LOST_WITH_PEER), end 3, b"
    await_listed a 'listed 1'
}

# Its process dies long after it had taken it over.  Nothing is kept here but a
# place, for a while.
lost_away() {
    local begin
    DEADLINES="LOST_KEPT=3000" station a 0
    station b 1
    tell b serve 0
    tell a start one 0w "127.0.0.1:${ports[b]}"
    await_listed a 'one away home=a host=b hops=1'
    begin=$(now_ms)
    end_by_sigkill b
    rm "$dir/b.in" "$dir/b.port"
    PSU_THREAD_LISTEN=127.0.0.1:${ports[b]} station b 1
    await_line "$dir/a.err" '^\[error\] LOST_WITH_PEER: ' 30
    await_listed a 'one lost home=a host=b hops=1'
    tell a resolve one 1
    await_said a "resolved: $(number THREAD_UNKNOWN)"
    tell a join one
    await_said a "joined one: $(number LOST_WITH_PEER), end 3, b"
    await_listed a 'listed 0'
    # PSU_KEEPER_GRACE_MS, and as long again
    (($(now_ms) - begin >= 6000)) || wrong "it was not kept"
}

# A thread that was refused is not lost, whatever the refusal says.
refused_as_lost() {
    DEADLINES="OPENING=100" station b 1
    station a 0
    tell b lie "$(number LOST_WITH_PEER)"
    tell a start one 0 "127.0.0.1:${ports[b]}"
    await_said a "one stays: $(strerror LOST_WITH_PEER)"
    await_said a 'one ends'
}

# The home that a guest wants to return to has stopped, and died, when it had
# been sent all of it; $1 takes its port.
return_to_dead_home() { # who
    station a 1
    station b 1
    tell a serve 0
    tell b serve 0
    tell a start one 0h0wh "127.0.0.1:${ports[b]}"
    await_said a 'one has come'
    await 10 eval "(( \$(grep -c '^one has come' $dir/b.out) == 2 ))" ||
        wrong "one has not come to b again"
    await_listed a 'one away home=a host=b hops=3'
    kill -STOP "${pids[a]}"
    tell b free
    await_line "$dir/b.err" '^\[error\] IN_DOUBT: .* may or may not' 30
    end_by_sigkill a
    rm "$dir/a.in" "$dir/a.port"
    PSU_THREAD_LISTEN=127.0.0.1:${ports[a]} station "$1" 1
}

home_lost() {
    return_to_dead_home a
    await_error b LOST_WITH_PEER 30
    await_listed b 'one lost home=a host=.* hops=3'
    (($(grep -c '^\[error\] LOST_WITH_PEER' "$dir/b.err") == 1)) ||
        wrong "b said more than once that it is lost"
    expect_lines b 0 'one ends'
}

# Another host has no say in it.
home_lost_says_other() {
    return_to_dead_home c
    await_line "$dir/b.err" '^\[debug\] WRONG_ADDRESSEE: .*another host' 30
    await_listed b 'one in-doubt home=a host=.* hops=3'
    ! grep -q LOST_WITH_PEER "$dir/b.err" || wrong "b says that it is lost"
}

# Home is in doubt still, and does not take the result; that it says to have
# ended is no proof.
result_refused() {
    station a 1
    station b 1
    tell b serve 0
    tell b mute
    tell a lie "$(number HOME_ENDED)"
    tell a start one 0 "127.0.0.1:${ports[b]}"
    await_said b 'one ends'
    await_line "$dir/b.err" '^\[debug\] HOME_ENDED: a refuses it' 30
    tell b speak
    tell a join one
    await_said a 'joined one: 0, end 2, b' 30
    ! grep -q RESULT_DROPPED "$dir/b.err" || wrong "b dropped the result"
}

# The process that has the thread lives; another with the same certificate has
# taken over its port.  That proves nothing, until the first one is killed.
second_incarnation() {
    station a 0
    station b 1
    visit b
    tell b deaf
    PSU_THREAD_LISTEN=127.0.0.1:${ports[b]} station second 1 b
    kill -STOP "${pids[b]}"
    tell a start one 0w "127.0.0.1:${ports[b]}"
    await_line "$dir/a.err" '^\[error\] IN_DOUBT: .* may or may not' 30
    await_silences 3
    kill -CONT "${pids[b]}"
    await_said b 'one has come' # after which a cannot hear it
    await_silences 6
    await_listed a 'one in-doubt home=a host=b hops=0'
    ! grep -q LOST_WITH_PEER "$dir/a.err" || wrong "a says that it is lost"
    expect_frozen
    expect_lines second 0 'one .*'
    end_by_sigkill b
    await_line "$dir/a.err" '^\[error\] LOST_WITH_PEER: ' 30
}

# As often a has waited for an answer in vain: UNKNOWN is none.
await_silences() { # count
    await 60 eval "(( \$(grep -c ' HOST_SILENT: \|^\[debug\] HOST_SILENT' \
        $dir/a.err) >= $1 ))" || wrong "a has not asked $1 times"
}

for name in doubt_go_on doubt_give_up doubt_join doubt_located silent \
    resolve_refused resolve_wakes lost_go_on lost_give_up lost_kept \
    lost_away refused_as_lost second_incarnation \
    home_lost home_lost_says_other result_refused; do
    start_case "$name" with_stations "$name"
done
finish
