# SPDX-License-Identifier: ISC
# shellcheck shell=bash disable=SC2154 # after lib.sh
#
# hosts.sh - two hosts, a and b, for tests between them
#
# Two network, UTS and mount namespaces, joined by a cable: host names, hosts
# files and addresses of their own, the default port, nothing of this machine's
# touched.  Each namespace lives as long as one `sleep`.  Needs root.  Commands
# run there by "${at_a[@]}" and "${at_b[@]}".

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

make_hosts() { # hosts file of hosta, of hostb
    local tool
    ((EUID == 0)) || skip "only root may make network namespaces"
    for tool in ip unshare nsenter mount; do
        type -P $tool >/dev/null || skip "no command '$tool': install \
iproute2, util-linux and mount"
    done
    unset PSU_THREAD_LISTEN PSU_THREAD_PORT_FILE
    make_host hosta "$1"
    a=$started
    at_a=(nsenter -t "$a" --net --uts --mount --wd="$PWD")
    make_host hostb "$2"
    b=$started
    at_b=(nsenter -t "$b" --net --uts --mount --wd="$PWD")
    join_hosts 2>"$work/join.err" ||
        skip "namespaces cannot be joined: $(<"$work/join.err")"
}

# A server at b listens on the default port.
await_server() {
    await 10 grep -qs '^\[info\] Listening on all addresses, port 7310$' \
        "$dir/server.err" || wrong "server does not listen on port 7310"
}
