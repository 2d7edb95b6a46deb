#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# hostile.sh - a peer that may send threads, and lies, gets no further
#
# What it says and is not true is refused, also of where a thread has been.  It
# cannot take all sessions, start a thread again that was at home, end the
# process by offers that come to nothing, have a thread started after it was
# struck off the list, take back one that was started, or answer for another
# host, or for a process of another.  And who knocks before a server is ready
# does not end it.

# The cases are called by name:
# shellcheck disable=SC2317
# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"
# shellcheck source=tests/journey/stations.sh
. "$srcdir/tests/journey/stations.sh"

hostile=tests/journey/hostile

serve() { # certificates, if not those of b
    start server "$hostile" serve "${1-$certs/b}"
    server=$started
    await_port server "$server"
}

expect_alive() { # who, pid
    kill -0 "$2" 2>/dev/null || wrong "$1 has ended"
}

crowd() {
    open_input
    serve
    start crowd "$hostile" crowd "$certs/a" "127.0.0.1:$port"
    await_line "$dir/crowd.out" '^Ready$' 60
    expect_lines crowd 1 "$(limit PSU_PEER_SESSIONS_MAX) sessions"
    run good "$hostile" move "$certs/c" "127.0.0.1:$port"
    await_line "$dir/server.out" '^A thread runs$' 10
}

# The thread of `home` is sent to whoever $1 is, who plays with it.
send_away() { # twice, wave or back; the lie, if any
    open_input
    start taker "$hostile" "$1" "$certs/a" "$dir/home.port" ${2+"$2"}
    await_port taker "$started"
    taker=$started
    start home "$hostile" home "$certs/b" "127.0.0.1:$port"
    home=$started
}

twice() {
    send_away twice
    await_line "$dir/home.out" '^A thread runs$' 10
    # while the second offer waits for it to leave, it ends
    await 10 eval "(( \$(grep -c Offered $dir/taker.out) == 2 ))" ||
        wrong "it was not offered twice"
    echo >&"$input_fd"
    await_line "$dir/home.out" '^It has ended$' 10
    # or it had ended before
    await_line "$dir/taker.out" '^ABORTED (REPLAYED|BUSY)$' 10
    expect_lines home 1 'A thread runs'
    expect_alive home "$home"
}

# Home believes no other way than the one that the thread has come.
back() { # what, code
    send_away back "$1"
    await_line "$dir/taker.out" "^ABORTED $2\$" 10
    await_line "$dir/taker.out" '^RUNNING$' 10
    await_line "$dir/home.out" '^A thread runs$' 10
    expect_error home "$2"
    expect_lines home 1 'A thread runs'
}

wave() {
    send_away wave
    await_end "$taker" 60
    expect_status taker 0
    expect_lines taker 1 '0 of [0-9]+ offers had another end'
    expect_lines home 0 'A thread runs'
    expect_alive home "$home"
}

# Start a peer, strike it off the list when it has said that line, and let it
# go on.
strike_off() { # role, line
    cp -rp "$certs/b" "$dir/b"
    open_input
    serve "$dir/b"
    start peer "$hostile" "$1" "$certs/a" "127.0.0.1:$port"
    await_line "$dir/peer.out" "^$2\$" 10
    grep -v '^peer .*/a ' "$certs/b/peers" >"$dir/peers"
    chmod 600 "$dir/peers"
    mv "$dir/peers" "$dir/b/peers"
    echo >&"$input_fd"
}

struck_off() {
    strike_off commit PREPARED
    await_line "$dir/peer.out" '^ABORTED CANCELLED$' 10
    await_line "$dir/server.err" 'PEER_NOT_LISTED' 1
    expect_lines server 0 'A thread runs'
}

# The server takes in a good thread, and has taken in no other.
serve_still() { # code of the only error that it logged
    expect_error server "$1"
    expect_lines server 0 'A thread runs'
    run good "$hostile" move "$certs/c" "127.0.0.1:$port"
    expect_status good 0
    await_line "$dir/server.out" '^A thread runs$' 10
}

# Its offer has begun by then.
struck_off_late() {
    strike_off pause Begun
    await_line "$dir/peer.out" '^(ABORTED|REFUSED) PEER_NOT_LISTED$' 10
    serve_still PEER_NOT_LISTED
}

# A later move with the same id does not take back that it was started.
recycled() {
    serve
    run peer "$hostile" recycle "$certs/a" "127.0.0.1:$port"
    printf '%s\n' PREPARED RUNNING 'ABORTED DIGEST_MISMATCH' \
        "$(($(limit PSU_DEST_PEER_RECORDS_MAX) - 1)) records" \
        'ABORTED CANCELLED' Ready | cmp -s - "$dir/peer.out" ||
        wrong "the move was not taken back"
    await_line "$dir/server.err" '^\[info\] Thread from a goes on here$' 10
    run good "$hostile" move "$certs/c" "127.0.0.1:$port"
    expect_status good 0
    await 10 eval "(( \$(grep -c '^A thread runs\$' $dir/server.out) == 2 ))" ||
        wrong "the good thread does not run"
    expect_alive server "$server"
}

# What is not true, or not allowed, is refused.
lie() { # what, code, the answer that tells it, if any
    serve
    run liar "$hostile" lie "$certs/a" "127.0.0.1:$port" "$1"
    expect_lines liar 1 "${3-nothing}${3+ $2}"
    serve_still "$2"
}

# Nobody says COMMIT.
expired() {
    open_input
    serve
    start peer "$hostile" commit "$certs/a" "127.0.0.1:$port"
    await_line "$dir/peer.out" '^PREPARED$' 10
    await_line "$dir/server.err" RESERVATION_EXPIRED 20
    serve_still RESERVATION_EXPIRED
}

# Who was offered the thread says that it has not taken it.
cancelled() {
    start other "$hostile" other "$certs/b" "$certs/b"
    await_line "$dir/other.out" '^Port [0-9]+$' 10
    port=$(sed -n 's/^Port //p' "$dir/other.out")
    run source "$hostile" move "$certs/a" "127.0.0.1:$port"
    expect_lines source 1 'It goes on at the source'
    await_error source CANCELLED 1
}

other() {
    open_input
    start other "$hostile" other "$certs/b" "$certs/c"
    await_line "$dir/other.out" '^Port [0-9]+$' 10
    port=$(sed -n 's/^Port //p' "$dir/other.out")
    start source "$hostile" move "$certs/a" "127.0.0.1:$port"
    await_error source WRONG_ADDRESSEE 20
    await_line "$dir/other.out" '^Asked$' 1
    expect_lines source 0 'It goes on at the source'
    expect_alive source "$started"
}

# Connect without pause until the input ends.
knock() { # port
    while :; do
        (: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null || :
    done
}

early() {
    local knockers=()
    open_input
    keep_port
    PSU_THREAD_LISTEN=$kept serve
    kill "$server"
    await_end "$server" 10
    for ((i = 0; i < 4; i++)); do
        knock "$port" &
        knockers+=("$!")
    done
    for ((i = 0; i < 30; i++)); do
        rm -f "$dir/server.port"
        PSU_THREAD_LISTEN=$kept start server "$hostile" serve \
            "$certs/b"
        server=$started
        await 10 eval "[[ -s $dir/server.port ]] ||
            ! kill -0 $server 2>/dev/null"
        kill "$server" 2>/dev/null
        await_end "$server" 10
        expect_status server 143
    done
    kill "${knockers[@]}"
}

# A thread of a waits at b.
wait_at_b() { # mode of a, steps, another host
    station a "$1"
    station b 1
    tell b serve 0
    tell a start one "$2" "127.0.0.1:${ports[b]}" "${3-}"
    await_said b 'one has come'
}

# c says in its HELLO that it is the process of another host.
pose() { # who
    tell "$1" name
    await_line "$dir/$1.out" '^named ' 10
    tell c pose "$(sed -n 's/^named //p' "$dir/$1.out")"
}

# ... and has the newest session with b, which b may call for.
pose_as_home() { # steps of the thread
    wait_at_b 0 "$1"
    station c 0
    pose a
    tell c ask "127.0.0.1:${ports[b]}"
    await_said c asked
    tell b free
}

# It gets no result that is owed to that.
poser_of_home() {
    pose_as_home 0w
    tell a join one
    await_said a 'joined one: 0, end 2, b' 20
    expect_no_error b
    expect_no_error c
}

# Nor the thread, when that goes home.
poser_on_the_way() {
    pose_as_home 0wh
    tell a join one
    await_said a 'joined one: 0, end 1, a' 20
    expect_no_error b
    expect_no_error c
}

# Who takes a thread over as if it were its home, is not: that is told.
poser_is_host() {
    station c 1
    tell c serve 0
    wait_at_b 0 0w1w "127.0.0.1:${ports[c]}"
    pose a
    tell b free
    await_said c 'one has come'
    await_listed a 'one away home=a host=c hops=2'
}

# b has died, and another process answers there: home learns that.
learn_of_death() {
    kill -KILL "${pids[b]}"
    await_end "${pids[b]}" 10
    PSU_THREAD_LISTEN=127.0.0.1:${ports[b]} start_told second \
        tests/journey/station 1 "$certs/b"
    await_port second "$started"
    tell a join one
    await_said a "joined one: $(number LOST_WITH_PEER), end 3, b" 30
}

# It has gone on from there, and where to is told by who has it.
told_by_next() {
    station c 1
    tell c serve 0
    wait_at_b 1 0w1w "127.0.0.1:${ports[c]}"
    tell b reticent
    tell b free
    await_said c 'one has come'
    await_listed a 'one away home=a host=c hops=2'
    kill -KILL "${pids[b]}"
    tell c free
    tell a join one
    await_said a 'joined one: 0, end 2, c' 20
}

# Who has joined a thread may end: where that came from knows it by then.
joined_home() {
    DEADLINES='ANSWER=1000' wait_at_b 1 0wh
    tell a mute
    tell a join one
    tell b free
    await_line "$dir/b.err" '^\[error\] IN_DOUBT: ' 30
    ! grep -q '^joined' "$dir/a.out" || wrong 'a has joined it already'
    tell a speak
    await_said a 'joined one: 0, end 1, a' 20
}

# b does not know that c has it, c dies, and b has it go on: home takes its end.
guest_goes_on() {
    station a 1
    DEADLINES='ANSWER=1000' station b 1
    station c 1
    tell b serve 0
    tell c serve 0
    tell c mute
    tell a start one 0w1w "127.0.0.1:${ports[b]}" "127.0.0.1:${ports[c]}"
    await_said b 'one has come'
    tell b free
    await_said c 'one has come'
    await_line "$dir/b.err" '^\[error\] IN_DOUBT: ' 30
    kill -KILL "${pids[c]}"
    await_end "${pids[c]}" 10
    PSU_THREAD_LISTEN=127.0.0.1:${ports[c]} start_told second \
        tests/journey/station 1 "$certs/c"
    await_line "$dir/b.err" '^\[error\] LOST_WITH_PEER: ' 30
    tell b resolve one 1
    await_said b 'one stays: .*'
    await_said b 'one ends'
    tell a join one
    await_said a 'joined one: 0, end 2, b' 20
}

# Who asks home, and says that it is b's process, hides nothing.
poser_asks() {
    wait_at_b 1 0w
    station c 0
    pose b
    tell c ask "127.0.0.1:${ports[a]}"
    await_said c asked
    learn_of_death
}

# Home has a thread at b, and one at c that says it is b's process.
wait_at_both() {
    wait_at_b 0 0w
    station c 1
    tell c serve 0
    pose b
    tell a start other 0w "127.0.0.1:${ports[c]}"
    await_said c 'other has come'
}

# Nor does who is asked by home, for having another of its threads.
poser_is_asked() {
    wait_at_both
    learn_of_death
}

# Nor does it when it is dialled in vain.
poser_is_silent() {
    wait_at_both
    kill -KILL "${pids[c]}"
    await_end "${pids[c]}" 10
    # UNREACHABLE, or LOST if it died while it was dialled
    await_line "$dir/a.err" \
        '^\[error\] (HOST_UNREACHABLE|CONNECTION_LOST): .* at c that' 20
    learn_of_death
}

# What its own host says of it does not count for that of another.
poser_is_dead() {
    local own
    mkdir -m 700 "$dir/run"
    PSU_THREAD_RUNTIME=$dir/run station c 1
    tell c name
    await_line "$dir/c.out" '^named ' 10
    own=$(sed -n 's/^named //p' "$dir/c.out")
    tell c serve 0
    wait_at_b 0 0w
    pose b
    tell a start other 0w "127.0.0.1:${ports[c]}"
    await_said c 'other has come'
    kill -KILL "${pids[c]}"
    await_end "${pids[c]}" 10
    own=$(find "$dir/run" -name "run-$own")
    cp -p "$own" "${own%-*}-$(sed -n 's/^named //p' "$dir/b.out")"
    PSU_THREAD_LISTEN=127.0.0.1:${ports[c]} PSU_THREAD_RUNTIME=$dir/run \
        start_told second tests/journey/station 1 "$certs/c"
    tell a join other
    await_said a "joined other: $(number LOST_WITH_PEER), end 3, c" 30
    await_listed a 'one away home=a host=b hops=1'
}

# Home dials where its thread is said to be at last, and not each time.
flood() {
    local before
    DEADLINES="HANDSHAKE=1000" wait_at_b 0 0w
    before=$(count_tasks)
    tell b flood 200 "$certs/c"
    await_said b 'flooded: OK' 30
    (($(count_tasks) <= before + 3)) || wrong "home has $(count_tasks) threads"
    await_listed a 'one in-doubt home=a host=b .*'
}

# What b says next does not follow from what it has said.
forked() {
    wait_at_b 0 0w
    tell b flood 2 "$certs/c"
    await_said b 'flooded: OK'
    tell b flood 3 "$certs/c"
    await_said b 'flooded: ITINERARY_INVALID'
}

# The thread has been home since, and leaves again.
outdated() {
    station c 1
    tell c serve 0
    wait_at_b 1 0wh1 "127.0.0.1:${ports[c]}"
    tell b keep
    kill -STOP "${pids[c]}"
    tell b free
    await_listed a 'one leaving home=a host=127.* hops=2'
    tell b flood 3 "$certs/c"
    await_said b 'flooded: OK'
    kill -CONT "${pids[c]}"
    tell a join one
    await_said a 'joined one: 0, end 2, c' 20
}

count_tasks() {
    find "/proc/${pids[a]}/task" -mindepth 1 -maxdepth 1 | wc -l
}

for name in crowd twice struck_off other expired cancelled; do
    start_case "$name" "$name"
done
start_case struck-off-late struck_off_late
await_cases
run_case lie-signature lie signature SIGNATURE_INVALID REFUSED
run_case lie-heap lie heap STATEMENT_INVALID REFUSED
run_case lie-destination lie destination WRONG_ADDRESSEE REFUSED
run_case lie-sequence lie sequence REPLAYED REFUSED
run_case lie-digest lie digest DIGEST_MISMATCH ABORTED
run_case lie-image lie image IMAGE_INVALID ABORTED
run_case lie-chain lie chain CHAIN_MISMATCH ABORTED
run_case lie-state lie state STATE_INVALID ABORTED
run_case lie-frame lie frame PROTOCOL
run_case long-flight lie flight STATEMENT_INVALID REFUSED
run_case first-frame lie first-frame FRAME_FOREIGN ABORTED
run_case recycled recycled
run_case wave wave
run_case other-previous back previous ITINERARY_INVALID
run_case other-links back links ITINERARY_INVALID
run_case other-generation back generation ITINERARY_INVALID
run_case other-room back room STATE_INVALID
for name in poser_of_home poser_on_the_way poser_is_host \
    poser_asks poser_is_asked poser_is_silent poser_is_dead \
    flood forked outdated told_by_next guest_goes_on \
    joined_home; do
    start_case "${name//_/-}" with_stations "$name"
done
await_cases
run_case early early
finish
