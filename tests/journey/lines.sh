#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# lines.sh [CASE]... - either side asks on a session that one has dialled
#
# lines.c says what the processes do; asking is a STATUS about a process.

# shellcheck disable=SC2317 # cases are called by name
# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"

make_certs "$work/certs" a=127.0.0.1 b=127.0.0.1

begin() {
    open_input
    server_fd=$input_fd
    start server tests/journey/lines serve "$work/certs/b"
    await_port server "$started"
    rm "$input"
    open_input
    client_fd=$input_fd
    start client tests/journey/lines go "$work/certs/a" "127.0.0.1:$port"
    await_line "$dir/client.out" '^[0-9a-f]{32}$' 10
    home=$(head -n 1 "$dir/client.out")
}

ask() { # file descriptor, word
    echo "$2" >&"$1"
}

# The server asks on what the client has dialled.
turn() {
    begin
    ask "$client_fd" go
    await_line "$dir/client.out" '^0 failed$' 20
    ask "$server_fd" "$home"
    await_line "$dir/server.out" '^0 failed$' 20
    ask "$client_fd" go
    await 20 expect_twice || wrong "the client did not ask twice in vain"
}

expect_twice() {
    [[ $(grep -c '^0 failed$' "$dir/client.out") == 2 ]]
}

# Both ask at the same time.
cross() {
    begin
    ask "$client_fd" go
    await_line "$dir/client.out" '^0 failed$' 20
    ask "$server_fd" "$home"
    ask "$client_fd" go
    await_line "$dir/server.out" '^0 failed$' 20
    await 20 expect_twice || wrong "the client did not ask twice in vain"
    expect_no_error server
    expect_no_error client
}

# A CALL that came while the line was in use, and has been read already.
read_ahead() {
    begin
    ask "$client_fd" read
    await_line "$dir/client.out" '^Held$' 10
    ask "$server_fd" "$home"
    await_line "$dir/client.out" '^Read$' 10
    await_line "$dir/server.out" '^0 failed$' 8
    expect_no_error server
    expect_no_error client
}

# A CALL that crosses a request is void, and is sent again.
void() {
    begin
    ask "$client_fd" hold
    await_line "$dir/client.out" '^Held$' 10
    ask "$server_fd" "$home"
    await_line "$dir/client.out" '^Crossed$' 10
    await_line "$dir/server.out" '^0 failed$' 8
    expect_no_error server
    expect_no_error client
}

# It cannot be asked: it has opened no session, or has ended.
unreachable() {
    begin
    ask "$server_fd" "$home"
    await_line "$dir/server.out" '^4 failed$' 20
    await_error server HOME_UNREACHABLE 10
}

# Which process it is a caller says itself: which host, its certificate.
elsewhere() {
    begin
    ask "$client_fd" keep
    await_line "$dir/client.out" '^Kept$' 10
    ask "$server_fd" "$home elsewhere"
    # nobody is called for, and so not waited for either
    await_line "$dir/server.out" '^4 failed$' 8
    ask "$client_fd" go
    await_line "$dir/client.out" '^0 failed$' 20
    ask "$server_fd" "$home"
    await_line "$dir/server.out" '^0 failed$' 20
    ask "$server_fd" "$home elsewhere"
    await 20 eval "(( \$(grep -c '^4 failed$' $dir/server.out) == 2 ))" ||
        wrong "the server asked another host"
    await_error server HOME_UNREACHABLE 10
    ! grep -q within "$dir/server.err" || wrong "it says that it has waited"
}

# At its address another process answers: it may have ended, or not.
ended() {
    local old
    open_input # for silence
    start old tests/journey/lines serve "$work/certs/a"
    old=$started
    await_line "$dir/old.out" '^[0-9a-f]{32}$' 10
    home=$(head -n 1 "$dir/old.out")
    start new tests/journey/lines serve "$work/certs/a"
    await_port new "$started"
    rm "$input"
    open_input
    start server tests/journey/lines serve "$work/certs/b"
    ask "$input_fd" "$home 127.0.0.1:$port"
    await_line "$dir/server.out" '^4 failed$' 20
    await_error server HOME_UNREACHABLE 10
    kill -KILL "$old"
    await_end "$old" 10
    ask "$input_fd" "$home 127.0.0.1:$port"
    await_line "$dir/server.out" '^It has died$' 20
}

# Two processes that listen: home, and one that asks it.
begin_two() {
    open_input
    home_fd=$input_fd
    start home tests/journey/lines serve "$work/certs/a"
    await_line "$dir/home.out" '^[0-9a-f]{32}$' 10
    home=$(head -n 1 "$dir/home.out")
    await_port home "$started"
    home_port=$port
    rm "$input"
    open_input
    server_fd=$input_fd
    start server tests/journey/lines serve "$work/certs/b"
    await_port server "$started"
}

# All lines to a home that lives are in use.
crowded() {
    DEADLINES="LINE=500" begin_two
    ask "$server_fd" "$home 127.0.0.1:$home_port fill"
    await_line "$dir/server.out" '^Failed after' 30
    expect_error server BUSY '16 .* in use'
}

# Who waits keeps its place when it is woken in vain.
in_order() {
    begin_two
    ask "$server_fd" "$home 127.0.0.1:$home_port order"
    await_line "$dir/server.out" '^Another is served$' 60
    [[ $(grep -m 1 served "$dir/server.out") == 'One is served' ]] ||
        wrong "who came later was served first"
}

# Home has a session here that it does not let go of, but can be dialled.
dialled() {
    DEADLINES="LINE=60000" begin_two
    ask "$home_fd" "- 127.0.0.1:$port keep"
    await_line "$dir/home.out" '^Kept$' 10
    ask "$server_fd" "$home 127.0.0.1:$home_port keep"
    await_line "$dir/server.out" '^Kept$' 30
    ask "$server_fd" "$home 127.0.0.1:$home_port"
    await_line "$dir/server.out" '^0 failed$' 30
    expect_no_error server
}

# Home, which cannot be dialled, does not let go of the one that is called for
# first; the other one turns.
busy() {
    begin
    ask "$client_fd" newer
    await_line "$dir/client.out" '^Kept$' 10
    ask "$server_fd" "$home nowhere keep"
    await_line "$dir/server.out" '^Kept$' 8
    expect_no_error server
}

run_case turn turn
run_case cross cross
run_case void void
run_case read read_ahead
run_case unreachable unreachable
run_case ended ended
run_case elsewhere elsewhere
run_case crowded crowded
run_case order in_order
run_case dialled dialled
run_case busy busy
finish
