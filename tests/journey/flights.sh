#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# flights.sh [CASE]... - a move takes no more round trips than it must
#
# On a warm session one for a body of up to 64 KiB, which carries the COMMIT,
# two for a larger one; all of them on one connection.

# shellcheck disable=SC2317 # cases are called by name
# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"

make_certs "$work/certs" a=127.0.0.1 b=127.0.0.1

flights() {
    local server
    open_input
    start server tests/journey/flights serve "$work/certs/b"
    server=$started
    await_port server "$server"
    run client tests/journey/flights go "$work/certs/a" "$port"
    [[ $status == 0 ]] || wrong "the client ended with $status"
    expect_lines client 1 'warm 8 KiB: 1'
    expect_lines client 1 'warm 64 KiB: 1'
    expect_lines client 1 'warm 1 MiB: 2'
    expect_lines client 1 'connections: 1'
    echo 'end all' >&"$input_fd"
    await_end "$server" 10
    [[ $status == 0 ]] || wrong "the server ended with $status"
    expect_no_error client
    expect_no_error server
}

run_case flights flights
finish
