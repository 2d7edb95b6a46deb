#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# doubt.sh - what becomes of a thread whose destination does not answer
#
# The server is stopped while the client has a session with it, so that the
# thread is given away and no answer comes.  Then the server is killed and
# another one takes its port, or it is let go on.  However it ends, never do
# two run the thread, and it is lost only where it must be, and said to be.

# The cases are called by name:
# shellcheck disable=SC2317
# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"

probe=tests/journey/probe
certs=$work/certs
make_certs "$certs" a=127.0.0.1 b=127.0.0.1 c=127.0.0.1

# ---- parts of cases

# Give a thread away to a stopped server: $client, $server, $port.
give_away() { # what
    keep_port
    PSU_THREAD_LISTEN=$kept start server "$probe" serve - "$certs/b"
    server=$started
    await_port server "$server"
    open_input
    start client "$probe" "$1" "127.0.0.1:$port" "$certs/a"
    client=$started
    await_line "$dir/client.out" '^Warm$' 10
    kill -STOP "$server"
    echo >&"$input_fd"
    await_line "$dir/client.err" '^\[debug\] Sent' 10
}

replace_server() { # runtime directory
    kill -KILL "$server"
    await_end "$server" 10
    PSU_THREAD_RUNTIME=$1 PSU_THREAD_LISTEN=$kept \
        start second "$probe" serve - "$certs/b"
    second=$started
    await_port second "$second"
}

# In how many processes the thread went on.
count_runs() {
    cat "$dir"/{client,server,second}.out 2>/dev/null |
        grep -c '^After the move$'
}

expect_runs() { # count
    local runs
    runs=$(count_runs)
    [[ $runs == "$1" ]] || wrong "the thread went on in $runs processes, not $1"
}

expect_good() { # server, its pid
    run good "$probe" go "127.0.0.1:$port" "$certs/c"
    expect_status good 0
    await_end "$2" 10
    expect_status "$1" 0
}

# ---- the cases

# The second server proves that the first is dead.
lost() {
    give_away warm
    replace_server "$PSU_THREAD_RUNTIME"
    await_end "$client" 30
    expect_status client 1
    await_error client LOST_WITH_PEER 1
    expect_runs 0
    expect_good second "$second"
}

# The second server has no evidence about the first.
unknown() {
    give_away warm
    mkdir -m 700 "$dir/run"
    replace_server "$dir/run"
    await_error client IN_DOUBT 30
    # long enough for several questions
    await_end "$client" 8
    expect_status client none
    ! grep -q LOST_WITH_PEER "$dir/client.err" ||
        wrong "client says that the thread is lost"
    expect_runs 0
    kill "$client"
}

# The server goes on when the client has long begun to ask.
late() {
    give_away warm
    await_line "$dir/client.err" '^\[error\] IN_DOUBT: .+: ' 40
    kill -CONT "$server"
    await_end "$client" 40
    if [[ $status == 0 ]]; then
        await_end "$server" 10
        expect_status server 0
        expect_runs 1
    else
        expect_status client 1
        expect_lines client 1 "After the move"
        expect_runs 1
        expect_good server "$server"
        expect_lines server 1 "After the move" # the good one's
    fi
}

# The server goes on while the client still listens on the same session.
in_time() {
    give_away warm
    await_line "$dir/client.err" '^\[error\] HOST_SILENT: .+: ' 30
    kill -CONT "$server"
    await_end "$client" 10
    expect_status client 0
    await_end "$server" 10
    expect_status server 0
    expect_lines server 1 "After the move"
    expect_runs 1
}

# Two flights: without PREPARED the thread was never given away.
not_given_away() {
    give_away warm-heavy
    await_end "$client" 30
    expect_status client 1
    expect_error client HOST_SILENT
    expect_lines client 1 "After the move"
    kill -CONT "$server"
    expect_good server "$server"
    expect_lines server 1 "After the move" # the good one's
}

start_case lost lost
start_case unknown unknown
start_case late late
start_case in-time in_time
start_case not-given-away not_given_away
finish
