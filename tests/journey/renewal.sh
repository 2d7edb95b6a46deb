#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# renewal.sh - a host whose certificate was renewed is the same host
#
# Passed: old and new certificate are taken by a peer that has not heard of
# the renewal, and by one that runs meanwhile; and a host that has expired,
# and is told so, starts again after what the sentence says was done.

# The cases are called by name:
# shellcheck disable=SC2317
# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"

certs=$work/certs
host=$(uname -n)
make_certs "$certs" a=127.0.0.1 b=127.0.0.1
bad=$work/bad
"$srcdir/tests/certs/bad_certs.sh" "$bad" "$certs" || exit 99

# ---- parts of cases

# Renew hosts of a copy of the deployment, $dir/certs.
renew() { # hosts...
    "$srcdir/certs/make-certs.sh" --renew "$dir/certs" "$@" \
        >"$dir/renew.out" 2>&1 || wrong "--renew failed: $(<"$dir/renew.out")"
}

serve() { # certs
    start server apps/app3 127.0.0.1:0 1 "$1"
    await_port server "$started"
}

move() { # certs of the client
    run client apps/app3 "127.0.0.1:$port" 0 "$1"
    expect_status client 0
    expect_no_error client
    await_end "$started" 10
    expect_status server 0
    expect_no_error server
    expect_golden app3 "$host" "$host"
}

# ---- cases

# Neither side has the other's new files.
renewed() { # whose certificate is new
    cp -a "$certs" "$dir/certs"
    renew "$1"
    ! cmp -s "$dir/certs/$1/host.crt" "$certs/$1/host.crt" ||
        wrong "the certificate of $1 is the old one"
    if [[ $1 == a ]]; then
        serve "$certs/b"
        move "$dir/certs/a"
    else
        serve "$dir/certs/b"
        move "$certs/a"
    fi
}

# The server has its old certificate, and then reads the new list.
meanwhile() {
    cp -a "$certs" "$dir/certs"
    serve "$dir/certs/b"
    renew
    move "$dir/certs/a"
}

expired() { # mode
    cp -a "$certs" "$dir/certs"
    cp "$bad"/expired/host.* "$dir/certs/a"
    refuse_start CERT_EXPIRED 'run certs/make-certs\.sh --renew' \
        apps/app3 127.0.0.1:0 "$1" "$dir/certs/a"
    rm "$dir"/client.*
    renew a
    if [[ $1 == 0 ]]; then
        serve "$certs/b"
        move "$dir/certs/a"
    else
        serve "$dir/certs/a"
        move "$certs/b"
    fi
}

run_case renewed-client renewed a
run_case renewed-server renewed b
run_case meanwhile meanwhile
run_case expired-client expired 0
run_case expired-server expired 1
finish
