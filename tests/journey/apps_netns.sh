#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# apps_netns.sh - the five apps between two hosts
#
# Those of hosts.sh.  Needs root.

# The cases are called by name:
# shellcheck disable=SC2317
# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"
# shellcheck source=tests/journey/hosts.sh
. "${srcdir:-.}/tests/journey/hosts.sh"

# Only a's file knows b, and by an address that only the two of them have.
printf '%s\n' "127.0.0.1 localhost" "10.77.0.2 hostb" >"$work/hosts.a"
printf '%s\n' "127.0.0.1 localhost" "10.77.0.1 hosta" >"$work/hosts.b"
make_hosts "$work/hosts.a" "$work/hosts.b"

# ---- the cases

certs=$work/certs
make_certs "$certs" hosta hostb

go_once() { # app
    start server "${at_b[@]}" "apps/$1" 0.0.0.0 1 "$certs/hostb"
    await_server
    run client "${at_a[@]}" "apps/$1" hostb 0 "$certs/hosta"
    expect_status client 0
    await_end "$started" 10
    expect_status server 0
    expect_golden "$1" hosta hostb
}

# The hosts' names are nobody else's.
unknown_at_b() {
    run client "${at_b[@]}" apps/app1 hostc 0 "$certs/hosta"
    expect_status client 1
    expect_error client HOST_UNKNOWN "'hostc'"
}

for app in app1 app2 app3 app4 app5; do
    run_case $app go_once $app
done
run_case unknown unknown_at_b
finish
