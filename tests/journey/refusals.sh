#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# refusals.sh - each refusal that a user meets first, by real processes
#
# Passed, where a move is refused: whoever detects it logs one error with the
# code, what is wrong and what to do; the source logs no other; the thread goes
# on there; and the very same server takes in a good client's afterwards.

# The cases are called by name:
# shellcheck disable=SC2317
# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"

probe=tests/journey/probe
certs=$work/certs
make_certs "$certs" a=127.0.0.1 b=127.0.0.1 c=127.0.0.1 nameless
make_certs "$work/other" a=127.0.0.1 b=127.0.0.1
bad=$work/bad
"$srcdir/tests/certs/bad_certs.sh" "$bad" "$certs" || exit 99

# ---- parts of cases

serve() { # certs, what (serve), argument
    start server "$probe" "${2-serve}" "${3--}" "$1"
    server=$started
    await_port server "$server"
}

# The move is refused, and the thread goes on at the client.
refuse() { # code, pattern, certs, host, what (go)
    run client "$probe" "${5-go}" "$4" "$3"
    expect_status client 1
    expect_lines client 1 "Before the move"
    expect_lines client 1 "After the move"
    expect_error client "$1" "$2"
}

# The server takes in another's thread and ends.
serve_still() { # code of the only error that it logged; certs
    run good "$probe" go "127.0.0.1:$port" "$2"
    expect_status good 0
    expect_no_error good
    expect_lines good 1 "Before the move"
    await_end "$server" 10
    expect_status server 0
    expect_lines server 1 "After the move"
    expect_error server "$1"
}

# A good directory with something else in it.
alter() { # host, shell commands, with $1 for the directory
    cp -a "$certs/$1" "$dir/$1"
    (cd "$dir/$1" && eval "$2")
}

# openssl in the place of one of the sides
call_with_openssl() { # more words
    timeout 10 openssl s_client -connect "127.0.0.1:$port" -tls1_3 \
        -alpn psu-thread/1 -CAfile "$certs/a/ca.crt" -ign_eof "$@" \
        </dev/null >"$dir/openssl.log" 2>&1
}

answer_with_openssl() { # directory, CA, more words
    open_input
    start openssl openssl s_server -accept 127.0.0.1:0 "${protocol--tls1_3}" \
        -alpn psu-thread/1 -cert "$1/host.crt" -key "$1/host.key" \
        -CAfile "$2" -verify_return_error "${@:3}"
    await_openssl
}

# ---- nobody there

unknown() {
    refuse HOST_UNKNOWN "'name\.invalid'" "$certs/a" name.invalid
}

unreachable() { # how, code
    start stranger tests/journey/strangers "$1" "$dir/stranger.port"
    await_port stranger "$started"
    refuse "$2" "127\.0\.0\.1:$port" "$certs/a" \
        "127.0.0.1:$port"
}

# ---- certificates

foreign_server() {
    serve "$certs/b"
    refuse CERT_FOREIGN "127\.0\.0\.1:$port" "$work/other/a" "127.0.0.1:$port"
    serve_still CERT_FOREIGN "$certs/a"
}

bad_client() { # variant, code
    serve "$certs/b"
    call_with_openssl -cert "$bad/$1/host.crt" -key "$bad/$1/host.key"
    serve_still "$2" "$certs/a"
}

bad_server() { # variant, code, advice
    answer_with_openssl "$bad/$1" "$certs/b/ca.crt" -Verify 1
    refuse "$2" "127\.0\.0\.1:$port.*${3-}" "$certs/b" \
        "127.0.0.1:$port"
}

bad_own() { # variant, code, mode, advice
    refuse_start "$2" "$bad/$1/host\.crt.*${4-}" \
        apps/app1 127.0.0.1:0 "$3" "$bad/$1"
}

# The server does not trust our CA.
foreign_told() {
    answer_with_openssl "$certs/b" "$work/other/a/ca.crt" -Verify 1
    refuse CERT_FOREIGN "refused this host's certificate" "$certs/a" \
        "127.0.0.1:$port"
}

# Its own list does not have it yet.
revoked_client() {
    alter b "cp '$bad/crl-revoked.pem' crl.pem"
    serve "$dir/b"
    refuse CERT_REVOKED "refused this host's certificate" "$bad/revoked" \
        "127.0.0.1:$port"
    serve_still CERT_REVOKED "$certs/c"
}

revoked_server() {
    alter b "cp '$bad/crl-revoked.pem' crl.pem"
    serve "$bad/revoked"
    refuse CERT_REVOKED "127\.0\.0\.1:$port" "$dir/b" "127.0.0.1:$port"
    serve_still CERT_REVOKED "$certs/c"
}

# Its keys are not to be trusted: it is not to be renewed either.
revoked_own() { # mode
    alter a "cp '$bad/revoked'/host.* '$bad/crl-revoked.pem' . &&
        mv crl-revoked.pem crl.pem"
    refuse_start CERTS_INVALID "revoked.* --add" \
        apps/app1 127.0.0.1:0 "$1" "$dir/a"
}

missing_client() {
    serve "$certs/b"
    call_with_openssl
    serve_still CERT_MISSING "$certs/a"
}

wrong_name() {
    serve "$certs/nameless"
    refuse NAME_MISMATCH "nameless.*127\.0\.0\.1" "$certs/a" "127.0.0.1:$port"
    kill "$server"
    await_end "$server" 10
    expect_error server NAME_MISMATCH
}

# ---- peers files

unlisted_at_client() {
    serve "$certs/b"
    alter a "sed -i '/^peer .*\/b /d' peers"
    refuse PEER_NOT_LISTED "/b' .*$dir/a/peers" "$dir/a" \
        "127.0.0.1:$port"
    serve_still CONNECTION_LOST "$certs/a"
}

unlisted_at_server() {
    alter b "sed -i '/^peer .*\/a /d' peers"
    serve "$dir/b"
    refuse PEER_NOT_LISTED "127\.0\.0\.1:$port" "$certs/a" "127.0.0.1:$port"
    serve_still PEER_NOT_LISTED "$certs/c"
}

denied_at_client() {
    serve "$certs/b"
    alter a "sed -i \
        's/\(^peer .*\/b .*\)direction=both/\1direction=send/' peers"
    refuse DIRECTION_DENIED "'b'.*$dir/a/peers" "$dir/a" "127.0.0.1:$port"
    run good "$probe" go "127.0.0.1:$port" "$certs/a"
    expect_status good 0
    expect_no_error server
}

denied_at_server() {
    alter b "sed -i \
        's/\(^peer .*\/a .*\)direction=both/\1direction=receive/' peers"
    serve "$dir/b"
    refuse DIRECTION_DENIED "127\.0\.0\.1:$port" "$certs/a" "127.0.0.1:$port"
    serve_still DIRECTION_DENIED "$certs/c"
}

pinned() { # peer: in the file of the host that is altered, which is in $dir
    sed -i "s/^peer .*\/$1 .*/& pin=$(printf '5a%.0s' {1..32})/" peers
}

pin_at_client() {
    serve "$certs/b"
    alter a "pinned b"
    refuse PIN_MISMATCH "'b'.*$dir/a/peers" "$dir/a" "127.0.0.1:$port"
    serve_still CONNECTION_LOST "$certs/a"
}

pin_at_server() {
    alter b "pinned a"
    serve "$dir/b"
    refuse PIN_MISMATCH "127\.0\.0\.1:$port" "$certs/a" "127.0.0.1:$port"
    serve_still PIN_MISMATCH "$certs/c"
}

# ---- no TLS 1.3

plain_client() {
    serve "$certs/b"
    printf 'GET / HTTP/1.0\r\n\r\n' >"/dev/tcp/127.0.0.1/$port"
    await_line "$dir/server.err" TLS_FAILED 10
    serve_still TLS_FAILED "$certs/a"
}

older_server() {
    protocol=-tls1_2 answer_with_openssl "$certs/b" "$certs/a/ca.crt"
    refuse TLS_FAILED "127\.0\.0\.1:$port" "$certs/a" "127.0.0.1:$port"
}

# ---- programs and addresses

other_program() {
    start server apps/app1 127.0.0.1:0 1 "$certs/b"
    await_port server "$started"
    run client apps/app3 "127.0.0.1:$port" 0 "$certs/a"
    expect_status client 1
    expect_lines client 5 'Bar: Exit Value of A = .'
    expect_error client BINARY_MISMATCH "app[13]"
    run good apps/app1 "127.0.0.1:$port" 0 "$certs/a"
    expect_status good 0
    await_end "$started" 10
    expect_status server 0
    expect_error server BINARY_MISMATCH "app[13]"
}

other_guards() {
    serve "$certs/b"
    alter a "cp '$work/other/a/deployment.key' ."
    refuse GUARDS_DIFFER "deployment\.key" "$dir/a" "127.0.0.1:$port"
    serve_still GUARDS_DIFFER "$certs/a"
}

other_version() { # of the client or of the server
    if [[ $1 == client ]]; then
        serve "$certs/b"
        refuse VERSION_MISMATCH "127\.0\.0\.1:$port" "$certs/a" \
            "127.0.0.1:$port" go-otherwise
        serve_still VERSION_MISMATCH "$certs/a"
    else
        serve "$certs/b" serve-otherwise
        refuse VERSION_MISMATCH \
            "127\.0\.0\.1:$port speaks wire version 1, this host 0" \
            "$certs/a" "127.0.0.1:$port"
    fi
}

# What cannot be had with two processes of one machine.
other_machine() { # what, code
    serve "$certs/b"
    refuse "$2" "127\.0\.0\.1:$port" "$certs/a" "127.0.0.1:$port" "$1"
    serve_still "$2" "$certs/c"
}

# The client sees it first, and says no more to the server.
other_processor() {
    serve "$certs/b"
    refuse CPU_MISMATCH "127\.0\.0\.1:$port" "$certs/a" "127.0.0.1:$port" \
        go-demanding
    kill "$server"
}

# Only the server can see it.
other_zone() {
    alter b "sed -i 's/\(^peer .*\/a \)zone=0/\1zone=77/' peers"
    serve "$dir/b"
    refuse ZONE_MISMATCH "127\.0\.0\.1:$port" "$certs/a" "127.0.0.1:$port"
    serve_still ZONE_MISMATCH "$certs/c"
}

occupied() {
    local zone
    zone=$(sed -n 's/^self .* zone=//p' "$certs/a/peers")
    serve "$certs/b" serve-occupied "$zone"
    refuse ADDRESS_IN_USE "127\.0\.0\.1" "$certs/a" "127.0.0.1:$port"
    serve_still ADDRESS_IN_USE "$certs/c"
}

busy() {
    open_input
    serve "$certs/b" serve-late
    refuse BUSY "127\.0\.0\.1" "$certs/a" "127.0.0.1:$port"
    echo >&"$input_fd"
    serve_still BUSY "$certs/a"
}

# ---- calls

# The call fails, in a program that is otherwise all right.
misuse() { # what, code, host, lines that the program prints
    run client "$probe" "$1" "$3" "$certs/a"
    expect_status client 1
    expect_error client "$2"
    [[ $(wc -l <"$dir/client.out") == "$4" ]] ||
        wrong "client did not print $4 lines"
}

set_up_twice() {
    serve "$certs/b"
    misuse twice ALREADY_SET_UP "127.0.0.1:$port" 1
    await_end "$server" 10
    expect_status server 0
}

# ---- directories

exposed() { # file, host, mode
    alter "$2" "chmod 640 $1"
    refuse_start KEY_EXPOSED "chmod 600 $dir/$2/$1\$" apps/app1 127.0.0.1:0 \
        "$3" "$dir/$2"
}

incomplete() { # file, mode
    alter a "rm $1"
    refuse_start CERTS_INCOMPLETE "$dir/a/$1 .*keys/NAME" \
        apps/app1 127.0.0.1:0 "$2" "$dir/a"
}

# The directory of all hosts, in the place of one's.
all_hosts() {
    refuse_start CERTS_INCOMPLETE "one host's directory" \
        apps/app1 127.0.0.1:0 0 "$certs"
}

no_directory() {
    refuse_start CERTS_MISSING "'$dir/none'" apps/app1 127.0.0.1:0 "$1" \
        "$dir/none"
}

no_directory_named() {
    refuse_start CERTS_MISSING PSU_THREAD_CERTS apps/app1 127.0.0.1:0 0
}

no_directory_in_environment() {
    refuse_start CERTS_MISSING "'$dir/none'" \
        env PSU_THREAD_CERTS="$dir/none" apps/app1 127.0.0.1:0 0
}

both_names() { # file, its other name
    alter a "cp -p $1 $2"
    refuse_start CERTS_INVALID "$1 and $2" apps/app1 127.0.0.1:0 0 "$dir/a"
}

linked() { # file
    alter a "mv $1 real && ln -s real $1"
    refuse_start CERTS_INVALID "$dir/a/$1 is a symbolic link" \
        apps/app1 127.0.0.1:0 0 "$dir/a"
}

unknown_word() { # mode
    alter a "echo 'peer colour=blue' >>peers"
    refuse_start PEERS_INVALID "$dir/a/peers:[0-9]+: " \
        apps/app1 127.0.0.1:0 "$1" "$dir/a"
}

# With the names that cert-manager gives them.
cert_manager() {
    alter a "mv host.crt tls.crt && mv host.key tls.key"
    alter b "mv host.crt tls.crt && mv host.key tls.key"
    serve "$dir/b"
    run client "$probe" go "127.0.0.1:$port" "$dir/a"
    expect_status client 0
    await_end "$server" 10
    expect_status server 0
    expect_lines server 1 "After the move"
}

# ---- what the machine lacks

address_in_use() {
    serve "$certs/b"
    refuse_start LISTEN_FAILED "127\.0\.0\.1 port $port" \
        env PSU_THREAD_LISTEN="127.0.0.1:$port" apps/app1 127.0.0.1:0 1 \
        "$certs/c"
    kill "$server"
}

runtime_exposed() {
    mkdir -m 777 "$dir/run"
    chmod 777 "$dir/run"
    refuse_start RUNTIME_DIR "$dir/run" env PSU_THREAD_RUNTIME="$dir/run" \
        apps/app1 127.0.0.1:0 0 "$certs/a"
}

# A directory has the name of the zone's file.
runtime_obstructed() {
    local file
    mkdir -m 700 "$dir/run"
    PSU_THREAD_RUNTIME=$dir/run run first "$probe" nothing - "$certs/a"
    file=$(find "$dir/run" -name 'zone*')
    rm "$file"
    mkdir "$file"
    refuse_start SYSTEM "Is a directory" env PSU_THREAD_RUNTIME="$dir/run" \
        apps/app1 127.0.0.1:0 0 "$certs/a"
}

# The cases beside this one need slots too.
zone_full() {
    local -x PSU_THREAD_RUNTIME=$dir/run
    open_input
    start hoarder "$probe" hoard - "$certs/a"
    await_line "$dir/hoarder.out" '^All taken$' 10
    refuse_start ZONE_FULL 'of the 1024 slots .* no 1 in a row' "$probe" go \
        127.0.0.1:1 "$certs/a"
}

# Less than a slot.
no_memory() {
    # shellcheck disable=SC2016 # for the inner shell
    local limited=(bash -c 'ulimit -v 120000; exec "$@"' - "$probe")
    run usage "${limited[@]}"
    [[ $status == 2 ]] || {
        cannot NO_MEMORY "with a sanitizer no program starts in so little"
        return
    }
    refuse_start NO_MEMORY "ulimit -v" "${limited[@]}" go 127.0.0.1:1 \
        "$certs/a"
}

bad_mode() {
    refuse_start MODE_INVALID "mode $1 " apps/app1 127.0.0.1:0 "$1" "$certs/a"
}

# ---- the table

# Those that wait for a deadline run beside the others.
slow=(
    "unknown unknown"
    "mute unreachable mute HOST_SILENT"
    "full unreachable full HOST_SILENT"
    "busy busy"
)
quick=(
    "unreachable unreachable closed HOST_UNREACHABLE"
    "foreign-server foreign_server"
    "foreign-client bad_client foreign-ca CERT_FOREIGN"
    "impostor-client bad_client impostor-ca CERT_FOREIGN"
    "foreign-told foreign_told"
    "expired-own-client bad_own expired CERT_EXPIRED 0 --renew"
    "expired-own-server bad_own expired CERT_EXPIRED 1 --renew"
    "expired-server bad_server expired CERT_EXPIRED --renew"
    "expired-client bad_client expired CERT_EXPIRED"
    "early-own-client bad_own not-yet-valid CERT_NOT_YET_VALID 0"
    "early-own-server bad_own not-yet-valid CERT_NOT_YET_VALID 1"
    "early-server bad_server not-yet-valid CERT_NOT_YET_VALID"
    "early-client bad_client not-yet-valid CERT_NOT_YET_VALID"
    "revoked-own-client revoked_own 0"
    "revoked-own-server revoked_own 1"
    "revoked-server revoked_server"
    "revoked-client revoked_client"
    "two-names-server bad_server two-uris CERT_IDENTITY --add"
    "two-names-client bad_client two-uris CERT_IDENTITY"
    "plain-client plain_client"
    "older-server older_server"
    "missing-client missing_client"
    "wrong-name wrong_name"
    "unlisted-at-client unlisted_at_client"
    "unlisted-at-server unlisted_at_server"
    "denied-at-client denied_at_client"
    "denied-at-server denied_at_server"
    "pin-at-client pin_at_client"
    "pin-at-server pin_at_server"
    "other-program other_program"
    "other-guards other_guards"
    "other-version-client other_version client"
    "other-version-server other_version server"
    "other-pages other_machine go-elsewhere PLATFORM_MISMATCH"
    "other-processor other_processor"
    "other-zone other_zone"
    "occupied occupied"
    "outside misuse outside OUTSIDE_THREAD 127.0.0.1 2"
    "unprepared misuse unprepared NOT_SET_UP 127.0.0.1 0"
    "set-up-twice set_up_twice"
    "nowhere misuse nowhere INVALID_ARGUMENT - 2"
    "nothing misuse nothing INVALID_ARGUMENT - 0"
    "bad-port misuse go INVALID_ARGUMENT 127.0.0.1:73x0 2"
    "too-late misuse late SETUP_TOO_LATE 127.0.0.1 0"
    "forked misuse forked FORKED 127.0.0.1 0"
    "exposed-tls-key exposed host.key a 0"
    "exposed-sign-key exposed sign.key b 1"
    "exposed-deployment-key exposed deployment.key a 0"
    "cert-manager cert_manager"
    "two-certificates both_names host.crt tls.crt"
    "two-tls-keys both_names host.key tls.key"
    "linked linked host.key"
    "unknown-word-client unknown_word 0"
    "unknown-word-server unknown_word 1"
    "no-ca incomplete ca.crt 0"
    "no-crl incomplete crl.pem 1"
    "no-certificate incomplete host.crt 0"
    "no-tls-key incomplete host.key 1"
    "no-sign-key incomplete sign.key 0"
    "no-deployment-key incomplete deployment.key 1"
    "no-peers incomplete peers 0"
    "all-hosts all_hosts"
    "no-directory-client no_directory 0"
    "no-directory-server no_directory 1"
    "no-directory-named no_directory_named"
    "no-directory-in-environment no_directory_in_environment"
    "address-in-use address_in_use"
    "runtime-exposed runtime_exposed"
    "runtime-obstructed runtime_obstructed"
    "zone-full zone_full"
    "no-memory no_memory"
    "mode-2 bad_mode 2"
    "mode-minus-1 bad_mode -1"
)

# shellcheck disable=SC2086 # a row is words
for row in "${slow[@]}"; do
    start_case $row
done
# shellcheck disable=SC2086
for row in "${quick[@]}"; do
    run_case $row
done
finish
