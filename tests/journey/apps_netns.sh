#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# apps_netns.sh - the five apps between two hosts
#
# Two network, UTS and mount namespaces, joined by a cable: host names, hosts
# files and addresses of their own, the default port, nothing of this machine's
# touched.  Each namespace lives as long as one `sleep`.  Needs root.

# The cases are called by name:
# shellcheck disable=SC2317
# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"

((EUID == 0)) || skip "only root may make network namespaces"
for tool in ip unshare nsenter mount; do
    type -P $tool >/dev/null || skip "no command '$tool': install iproute2, \
util-linux and mount"
done
unset PSU_THREAD_LISTEN PSU_THREAD_PORT_FILE

# ---- the two hosts

# Make one; the id of its process is in $started.
make_host() { # name, hosts file
    # shellcheck disable=SC2016 # expanded by that sh
    unshare --net --uts --mount sh -c 'echo "$1" >/proc/sys/kernel/hostname &&
        mount --bind "$2" /etc/hosts && exec sleep 600' - "$@" \
        2>"$work/unshare.err" &
    started=$!
    await 10 eval "! kill -0 $started 2>/dev/null ||
        [[ \$(</proc/$started/comm) == sleep ]]"
    kill -0 $started 2>/dev/null ||
        skip "namespaces are not permitted: $(<"$work/unshare.err")"
}

# Join them: each one's end of the cable gets its address.
join_hosts() {
    ip link add psu netns "$a" type veth peer name psu netns "$b" &&
        "${at_a[@]}" ip address add 10.77.0.1/24 dev psu &&
        "${at_b[@]}" ip address add 10.77.0.2/24 dev psu &&
        "${at_a[@]}" ip link set psu up && "${at_b[@]}" ip link set psu up &&
        "${at_a[@]}" ip link set lo up && "${at_b[@]}" ip link set lo up
}

# Only a's file knows b, and by an address that only the two of them have.
printf '%s\n' "127.0.0.1 localhost" "10.77.0.2 hostb" >"$work/hosts.a"
printf '%s\n' "127.0.0.1 localhost" "10.77.0.1 hosta" >"$work/hosts.b"
make_host hosta "$work/hosts.a"
a=$started
at_a=(nsenter -t "$a" --net --uts --mount --wd="$PWD")
make_host hostb "$work/hosts.b"
b=$started
at_b=(nsenter -t "$b" --net --uts --mount --wd="$PWD")
join_hosts 2>"$work/join.err" ||
    skip "namespaces cannot be joined: $(<"$work/join.err")"

# ---- the cases

certs=$work/certs
make_certs "$certs" hosta hostb

listens() {
    grep -qs '^\[info\] Listening on all addresses, port 7310$' \
        "$dir/server.err"
}

go_once() { # app
    start server "${at_b[@]}" "apps/$1" 0.0.0.0 1 "$certs/hostb"
    await 10 listens || wrong "server does not listen on port 7310"
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
