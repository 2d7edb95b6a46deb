#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# apps.sh - the five apps between two processes on loopback
#
# Each side's output equals its golden file byte for byte, both end with
# status 0, and the log has the right manner.  Once more with PSU_THREAD_CERTS
# instead of the argument, with an unlimited stack, and with the old layout of
# addresses, which put libc's mappings elsewhere.

# The cases are called by name:
# shellcheck disable=SC2317
# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"

certs=$work/certs
make_certs "$certs" a=127.0.0.1 b=127.0.0.1
host=$(uname -n)

# The words of a wrapper go in front of both command lines.
go_once() { # app, wrapper...
    start server "${@:2}" "apps/$1" 0.0.0.0 1 "$certs/b"
    await_port server "$started"
    run client "${@:2}" "apps/$1" "127.0.0.1:$port" 0 "$certs/a"
    expect_both "$1"
}

by_environment() { # app
    start server env PSU_THREAD_CERTS="$certs/b" "apps/$1" 0.0.0.0 1
    await_port server "$started"
    run client env PSU_THREAD_CERTS="$certs/a" "apps/$1" "127.0.0.1:$port" 0
    expect_both "$1"
}

expect_both() { # app
    expect_status client 0
    await_end "$started" 10
    expect_status server 0
    expect_golden "$1" "$host" "$host"
}

run_all() { # suffix, function, wrapper...
    local app
    for app in app1 app2 app3 app4 app5; do
        run_case "$app$1" "$2" $app "${@:3}"
    done
}

run_all "" go_once
run_all -environment by_environment
if (ulimit -s unlimited) 2>/dev/null; then
    # shellcheck disable=SC2016 # expanded by that bash
    run_all -unlimited go_once bash -c 'ulimit -s unlimited; exec "$@"' -
else
    echo "# not done: ulimit -s unlimited is not permitted here"
fi
if setarch -L true 2>/dev/null; then
    run_all -compat go_once setarch -L
else
    echo "# not done: setarch -L is not permitted here"
fi
finish
