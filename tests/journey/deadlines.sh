#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# deadlines.sh - a wait ends when the program says so
#
# Each case sets one deadline to far less than it is by default, in the process
# that waits, and looks how long that takes then.  LINGER and ACKNOWLEDGE are in
# serve.sh, LOST_KEPT in frozen.sh, RESOLVE in resolution_netns.sh.

# The cases are called by name:
# shellcheck disable=SC2317
# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"

probe=tests/journey/probe
certs=$work/certs
make_certs "$certs" a=127.0.0.1 b=127.0.0.1 c=127.0.0.1
short_ms=700 # the deadlines that are set

# ---- parts of cases

serve() { # wait, what (serve)
    DEADLINES="$1=$short_ms" start server "$probe" "${2-serve}" - "$certs/b"
    server=$started
    await_port server "$server"
}

# Give or take the machine's load; the default is far away.
expect_short() { # who, ms
    ((${2:-0} >= short_ms - 100 && ${2:-0} <= short_ms + 2500)) ||
        wrong "$1 waited for ${2:-?} ms, not $short_ms"
}

# ... as it has said itself.
expect_said_short() { # who, whose wait that tells, what ended it
    expect_short "$2" \
        "$(sed -n "s/^$3 after \([0-9]*\) ms$/\1/p" "$dir/$1.out")"
}

expect_closed() { # who
    expect_said_short "$1" server Closed
    await_error server HOST_SILENT 1
}

# Run a client to its end, in $took_ms.
time_client() { # deadlines, what, host
    local begin
    begin=$(now_ms)
    DEADLINES=$1 run client "$probe" "$2" "$3" "$certs/a"
    took_ms=$(($(now_ms) - begin))
    expect_status client 1
    expect_lines client 1 "After the move"
}

# A client has sessions with a server, and does something to them.
ask_on_lines() { # what it does, server's deadlines, client's
    DEADLINES=$2 start_told server tests/journey/lines serve "$certs/b"
    await_port server "$started"
    DEADLINES=$3 start_told client \
        tests/journey/lines go "$certs/a" "127.0.0.1:$port"
    tell client "$1"
    await_line "$dir/client.out" '^(Failed|Closed) after' 20
}

# A client has a session with the server, which is stopped then.
stop_server() { # client's deadlines, what it does
    start server "$probe" serve - "$certs/b"
    server=$started
    await_port server "$server"
    open_input
    DEADLINES=$1 start client "$probe" "$2" "127.0.0.1:$port" "$certs/a"
    client=$started
    await_line "$dir/client.out" '^Warm$' 10
    kill -STOP "$server"
    begin=$(now_ms)
    echo >&"$input_fd"
}

# ---- the cases

handshake() {
    serve HANDSHAKE
    run stranger tests/journey/strangers silent "$port" 1
    expect_closed stranger
}

first_request() {
    serve FIRST_REQUEST
    run peer "$probe" dumb "127.0.0.1:$port" "$certs/a"
    expect_closed peer
}

body() {
    serve BODY
    run peer "$probe" stop-halfway "127.0.0.1:$port" "$certs/a"
    expect_closed peer
}

# An idle session is nobody's fault.
idle() {
    serve IDLE
    run peer "$probe" idle "127.0.0.1:$port" "$certs/a"
    expect_said_short peer server Closed
    expect_no_error server
}

message() {
    ask_on_lines begin "MESSAGE=$short_ms" ""
    expect_closed client
}

# It is short by default: here it is longer.
refused() {
    local short_ms=3000
    ask_on_lines stay "REFUSED=$short_ms" ""
    expect_said_short client server Closed
    expect_error server SIGNATURE_INVALID
}

connect() {
    start stranger tests/journey/strangers full "$dir/stranger.port"
    await_port stranger "$started"
    time_client "CONNECT=$short_ms" go "127.0.0.1:$port"
    expect_short client "$took_ms"
    expect_error client HOST_SILENT
}

opening() {
    open_input
    serve OPENING serve-late
    time_client "" go "127.0.0.1:$port"
    expect_short server "$took_ms"
    expect_error server BUSY
    expect_error client BUSY
}

# The thread was not given away yet.
answer() {
    stop_server "ANSWER=$short_ms" warm-heavy
    await_end "$client" 10
    expect_status client 1
    expect_short client $(($(now_ms) - begin))
    expect_error client HOST_SILENT "within $short_ms ms"
}

# The thread was, and nobody says what became of it.
doubt() {
    stop_server "ANSWER=1000 DOUBT=$short_ms" warm
    await_line "$dir/client.err" '^\[error\] IN_DOUBT: .* may or may not' 10
    begin=$(now_ms)
    await_end "$client" 10
    expect_status client 1
    expect_short client $(($(now_ms) - begin))
    expect_lines client 0 "After the move"
    await_error client IN_DOUBT 1
}

reservation() {
    open_input
    DEADLINES="RESERVATION=$short_ms" \
        start server tests/journey/hostile serve "$certs/b"
    await_port server "$started"
    start peer tests/journey/hostile commit "$certs/a" "127.0.0.1:$port"
    await_line "$dir/peer.out" '^PREPARED$' 10
    begin=$(now_ms)
    await_error server RESERVATION_EXPIRED 10
    expect_short server $(($(now_ms) - begin))
    expect_error server RESERVATION_EXPIRED "within $short_ms ms"
}

line() {
    ask_on_lines fill "" "LINE=$short_ms"
    expect_said_short client client Failed
    expect_error client BUSY "within $short_ms ms"
}

for name in handshake first_request body idle message refused connect opening \
    answer doubt reservation line; do
    start_case "$name" "$name"
done
finish
