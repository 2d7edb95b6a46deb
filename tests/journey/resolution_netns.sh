#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# resolution_netns.sh - names with several addresses, some of them dead, and
# hostile files in /etc, between the two hosts of hosts.sh.  Needs root.
#
# Those that end in 3 are b's, and nobody listens there; those from 4 on swallow
# what is sent there.  What is tried in turn must share its prefix with a's
# address to the same length, or getaddrinfo sorts it (RFC 6724, rule 9).

# The cases are called by name:
# shellcheck disable=SC2317
# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"
# shellcheck source=tests/journey/hosts.sh
. "${srcdir:-.}/tests/journey/hosts.sh"
# shellcheck source=tests/journey/config.sh
. "${srcdir:-.}/tests/journey/config.sh"

probe=tests/journey/probe
next_ms=$(limit PSU_CONNECT_NEXT_MS)
resolve_ms=$(limit PSU_RESOLVE_MS)
all_ms=$(limit PSU_CONNECT_MS)

# ---- the two hosts

cat >"$work/hosts.a" <<'END'
127.0.0.1 localhost
10.77.0.2 hostb plain
10.77.0.3 refused
10.77.0.2 refused
10.77.1.4 silent
10.77.1.2 silent
10.77.1.4 many
10.77.1.5 many
10.77.1.6 many
10.77.1.7 many
10.77.1.8 many
10.77.1.9 many
10.77.1.2 many
fd77::4 dual-silent
10.77.0.2 dual-silent
fd77::3 dual-refused
10.77.0.2 dual-refused
fd77::2 six
10.77.0.3 dead
10.77.0.4 dead
10.77.1.4 dead-late
10.77.1.3 dead-late
10.77.0.4 mute
10.77.0.5 mute
10.77.0.2 stranger
END
echo "127.0.0.1 localhost" >"$work/hosts.b"
echo "nameserver 127.0.0.1" >"$work/resolv.conf"
cat >"$work/nsswitch.conf" <<'END'
passwd: nis ldap systemd
hosts: mymachines myhostname mdns4_minimal [NOTFOUND=return] resolve nis db
services: db nis
END
make_hosts "$work/hosts.a" "$work/hosts.b"

add_addresses() {
    local way
    "${at_b[@]}" ip address add 10.77.0.3/24 dev psu &&
        "${at_b[@]}" ip address add 10.77.1.2/24 dev psu &&
        "${at_b[@]}" ip address add 10.77.1.3/24 dev psu &&
        "${at_a[@]}" ip route add 10.77.1.0/24 dev psu &&
        "${at_a[@]}" ip -6 address add fd77::1/64 dev psu nodad &&
        "${at_b[@]}" ip -6 address add fd77::2/64 dev psu nodad &&
        "${at_b[@]}" ip -6 address add fd77::3/64 dev psu nodad || return
    for way in 10.77.0.{4,5} 10.77.1.{4..9} fd77::4; do
        "${at_a[@]}" ip neighbour add "$way" lladdr 02:00:00:00:00:99 \
            nud permanent dev psu || return
    done
    "${at_a[@]}" mount --bind "$work/resolv.conf" /etc/resolv.conf
}
add_addresses 2>"$work/join.err" ||
    skip "addresses cannot be added: $(<"$work/join.err")"

certs=$work/certs
make_certs "$certs" a b=10.77.0.2,fd77::2,plain,refused,silent,many,\
dual-silent,dual-refused,six,dead,mute

# ---- parts of cases

serve() { # address to listen on, words before the command...
    start server "${at_b[@]}" env PSU_THREAD_LISTEN="$1" "${@:2}" "$probe" \
        serve - "$certs/b"
    server=$started
    await_port server "$server"
}

# In so many milliseconds.
arrive() { # host, at least, at most, words before the command...
    local begin ms
    begin=$(now_ms)
    run client "${at_a[@]}" "${@:4}" "$probe" go "$1" "$certs/a"
    ms=$(($(now_ms) - begin))
    expect_status client 0
    expect_no_error client
    await_end "$server" 10
    expect_status server 0
    expect_lines server 1 "After the move"
    ((ms >= $2 && ms <= $3)) || wrong "it took $ms ms, not $2 to $3"
}

# ---- several addresses

# The server has only its live ones.
move() { # address to listen on, host, at least, at most
    serve "$1"
    arrive "${@:2}"
}

refuse() { # code, pattern, host, at most
    local begin ms
    begin=$(now_ms)
    run client "${at_a[@]}" "$probe" go "$3" "$certs/a"
    ms=$(($(now_ms) - begin))
    expect_status client 1
    expect_lines client 1 "After the move"
    expect_error client "$1" "$2"
    ((ms <= $4)) || wrong "it took $ms ms, more than $4"
}

# What is dialled must stand in the certificate.
stranger() {
    serve 10.77.0.2
    refuse NAME_MISMATCH "not for 'stranger'" stranger 3000
}

# Asked twice, for a whole second each: its deadline is that at least.
silent_resolver() {
    local begin ms
    echo "nameserver 10.77.0.4" >"$work/resolv.conf"
    begin=$(now_ms)
    DEADLINES="RESOLVE=300" \
        refuse HOST_UNKNOWN "'nobody\.invalid'" nobody.invalid \
        $((2 * resolve_ms - 100))
    ms=$(($(now_ms) - begin))
    ((ms >= 1900)) || wrong "it took $ms ms, not 2000"
    echo "nameserver 127.0.0.1" >"$work/resolv.conf"
}

# ---- hostile files

bind() { # file, where
    "${at_a[@]}" mount --bind "$1" "$2" && "${at_b[@]}" mount --bind "$1" "$2"
}

hostile_nsswitch() {
    bind "$work/nsswitch.conf" /etc/nsswitch.conf ||
        wrong "nsswitch.conf cannot be put in place"
    trace server
    serve 10.77.0.2 "${traced[@]}"
    trace client
    arrive plain 0 20000 "${traced[@]}"
    expect_opened server "$certs/b" peers
    expect_opened client "$certs/a" /etc/hosts
    trace unknown
    run unknown "${at_a[@]}" "${traced[@]}" "$probe" go nobody "$certs/a"
    expect_error unknown HOST_UNKNOWN "'nobody'"
    expect_opened unknown "$certs/a" /etc/hosts /etc/resolv.conf 127.0.0.1
}

hostile_openssl() {
    local before after
    make_hostile "$dir/hostile" || wrong "no shared object can be made"
    serve 10.77.0.2
    before=$(agreed_at_b)
    kill "$server"
    await_end "$server" 10
    rm "$dir/server.port"
    bind "$dir/hostile/openssl.cnf" "$openssl_dir/openssl.cnf" ||
        wrong "openssl.cnf cannot be put in place"
    expect_bite "${at_b[@]}"
    serve 10.77.0.2
    after=$(agreed_at_b)
    [[ $before == *'New, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384'* ]] ||
        wrong "agreed on: $before"
    [[ $after == "$before" ]] || wrong "agreed on then: $after"
    arrive plain 0 10000
    [[ ! -e $loaded ]] || wrong "the spy was loaded"
}

# From a mount namespace that has not seen the hostile file.
agreed_at_b() {
    agreed_by_server 10.77.0.2:7310 "$certs/a" nsenter -t "$a" --net
}

openssl_dir=$(openssl version -d | sed 's/.*"\(.*\)"/\1/')

# ---- the table

run_case plain move 10.77.0.2 plain 0 3000
run_case refused-first move 10.77.0.2 refused 0 3000
run_case silent-first move 10.77.1.2 silent "$next_ms" "$all_ms"
run_case many-silent move 10.77.1.2 many "$((2 * next_ms))" "$all_ms"
run_case dual-silent move 10.77.0.2 dual-silent "$next_ms" "$all_ms"
run_case dual-refused move 10.77.0.2 dual-refused 0 3000
run_case six move '[::]' six 0 3000
run_case six-bare move '[::]' fd77::2 0 3000
run_case six-brackets move '[fd77::2]' '[fd77::2]' 0 3000
run_case six-port move '[fd77::2]' '[fd77::2]:7310' 0 3000
run_case dead refuse HOST_UNREACHABLE \
    '10\.77\.0\.3 \(Connection refused\), 10\.77\.0\.4 \(no answer\)' \
    dead $((all_ms + 3000))
run_case dead-late refuse HOST_UNREACHABLE \
    '10\.77\.1\.4 \(no answer\), 10\.77\.1\.3 \(Connection refused\)' \
    dead-late $((all_ms + 3000))
run_case mute refuse HOST_SILENT \
    '10\.77\.0\.4 \(no answer\), 10\.77\.0\.5 \(no answer\)' \
    mute $((all_ms + 3000))
run_case stranger stranger
run_case silent-resolver silent_resolver
run_case hostile-openssl hostile_openssl
untraced=$(why_untraced)
if [[ -z $untraced ]]; then
    run_case hostile-nsswitch hostile_nsswitch
else
    echo "# not traced: $untraced"
fi
finish
