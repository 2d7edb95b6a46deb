#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# resolution.sh - how hosts are named, what a program opens for it, and
# environments that would have OpenSSL do otherwise
#
# A static program must open no shared object, no gconv module, no locale, no
# openssl.cnf: expect_opened (config.sh) lists what it may.  That part needs
# strace and is left out, with the reason, where it does not work.

# The cases are called by name:
# shellcheck disable=SC2317
# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"
# shellcheck source=tests/journey/config.sh
. "${srcdir:-.}/tests/journey/config.sh"

probe=tests/journey/probe
certs=$work/certs
make_certs "$certs" a b=localhost,127.0.0.1,::1

# ---- parts of cases

serve() { # address to listen on, words before the command...
    PSU_THREAD_LISTEN=$1 start server "${@:2}" "$probe" serve - "$certs/b"
    server=$started
    await_port server "$server"
}

arrive() { # host, words before the command...
    run client "${@:2}" "$probe" go "$1" "$certs/a"
    expect_status client 0
    expect_lines client 1 "Before the move"
    await_end "$server" 10
    expect_status server 0
    expect_lines server 1 "After the move"
}

# ---- names and addresses

move() { # address to listen on, host
    serve "$1"
    arrive "$2:$port"
    expect_no_error client
    expect_no_error server
}

# One sentence each, and the thread goes on.
bad_host() { # code, host
    run client "$probe" go "$2" "$certs/a"
    expect_status client 1
    expect_lines client 1 "After the move"
    expect_error client "$1" "'"
}

# ---- what is opened

# By name, which /etc/hosts knows.
traced_move() {
    trace server
    serve 127.0.0.1:0 "${traced[@]}"
    trace client
    arrive "localhost:$port" "${traced[@]}"
    expect_opened server "$certs/b" /proc/self/exe peers
    expect_opened client "$certs/a" /proc/self/exe peers /etc/hosts
}

traced_unknown() {
    trace client
    run client "${traced[@]}" "$probe" go name.invalid "$certs/a"
    expect_status client 1
    expect_error client HOST_UNKNOWN "'name\.invalid'"
    expect_opened client "$certs/a" /etc/hosts /etc/resolv.conf
}

# ---- environments

make_hostile "$work/hostile" ||
    skip "no shared object can be made: $(tail -n 1 "$work/hostile/cc.err")"
hostile=(env "OPENSSL_CONF=$work/hostile/openssl.cnf"
    "OPENSSL_CONF_INCLUDE=$work/hostile" "OPENSSL_MODULES=$work/hostile"
    "OPENSSL_ENGINES=$work/hostile" "SSL_CERT_FILE=$certs/none"
    "SSL_CERT_DIR=$work/hostile" "SSLKEYLOGFILE=$work/hostile/keys")

expect_untouched() {
    [[ ! -e $loaded ]] || wrong "the spy was loaded"
    [[ ! -e $work/hostile/keys ]] || wrong "keys were logged"
}

hostile_move() {
    expect_bite "${hostile[@]}"
    traced=()
    [[ -n $untraced ]] || trace server
    serve 127.0.0.1:0 "${hostile[@]}" "${traced[@]}"
    [[ -n $untraced ]] || trace client
    arrive "127.0.0.1:$port" "${hostile[@]}" "${traced[@]}"
    expect_no_error client
    expect_no_error server
    expect_untouched
    [[ -n $untraced ]] || expect_opened server "$certs/b" peers
    [[ -n $untraced ]] || expect_opened client "$certs/a" peers
}

# The same is agreed on as without.
hostile_server() {
    local way before after
    for way in before after; do
        [[ $way == after ]] || serve 127.0.0.1:0
        [[ $way == before ]] || serve 127.0.0.1:0 "${hostile[@]}"
        printf -v "$way" '%s' "$(agreed_by_server "127.0.0.1:$port" "$certs/a")"
        kill "$server"
        await_end "$server" 10
        rm -f "$dir/server.port"
    done
    [[ $before == *'New, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384'* &&
        $before == *'Server Temp Key: X25519'* &&
        $before != *'TLS 1.2'* ]] || wrong "agreed on: $before"
    [[ $after == "$before" ]] || wrong "agreed on then: $after"
    expect_untouched
}

hostile_client() {
    local before after
    open_input
    before=$(agreed_by_client "$certs/b" "$certs/a")
    after=$(agreed_by_client "$certs/b" "$certs/a" "${hostile[@]}")
    [[ $before == *'CIPHER is TLS_AES_256_GCM_SHA384'* ]] ||
        wrong "agreed on: $before"
    [[ $after == "$before" ]] || wrong "agreed on then: $after"
    expect_untouched
}

# ---- the table

untraced=$(why_untraced)
if [[ -z $untraced ]]; then
    run_case traced-move traced_move
    run_case traced-unknown traced_unknown
else
    echo "# not traced: $untraced"
fi
run_case hostile-move hostile_move
run_case hostile-server hostile_server
run_case hostile-client hostile_client

run_case ipv4 move 127.0.0.1:0 127.0.0.1
run_case name move 127.0.0.1:0 localhost
if grep -qs '^0*1 ' /proc/net/if_inet6; then
    run_case ipv6 move '[::1]:0' '[::1]'
    run_case ipv6-of-any move '[::]:0' '[::1]'
    run_case ipv4-of-any move '[::]:0' 127.0.0.1
    run_case ipv4-of-all move :0 127.0.0.1
else
    echo "# no IPv6 on loopback"
fi

printf -v long '%300s' ''
number=0
for host in localhost: localhost:x localhost:65536 localhost:0 :7310 '[]:1' \
    '[::1' '[::1]7' '[::1]:' 'fe80::1%lo' '[fe80::1%lo]:7' "${long// /a}"; do
    run_case bad-$((number++)) bad_host INVALID_ARGUMENT "$host"
done
run_case unknown-name bad_host HOST_UNKNOWN name.invalid
run_case unknown-spaces bad_host HOST_UNKNOWN 'no name'
finish
