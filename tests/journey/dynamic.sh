#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# dynamic.sh - a program with libpsu_thread.so, between two processes
#
# It moves where all objects lie alike.  Where they do not, the move is refused
# with the first object that differs, both its addresses or what else tells
# them apart, and the thread goes on at the source.

# The cases are called by name:
# shellcheck disable=SC2317
# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"

app=tests/journey/app3_dynamic
certs=$work/certs
make_certs "$certs" a=127.0.0.1 b=127.0.0.1
host=$(uname -n)

moves() {
    start server "$app" 0.0.0.0 1 "$certs/b"
    await_port server "$started"

    # randomisation is off for the layout of this process, not for its children
    [[ $(</proc/"$started"/personality) == 00000000 ]] ||
        wrong "the server's personality is $(</proc/"$started"/personality)"

    run client "$app" "127.0.0.1:$port" 0 "$certs/a"
    expect_status client 0
    await_end "$started" 10
    expect_status server 0
    expect_golden app3 "$host" "$host"
}

# The client runs behind some words, the server without them.
refused() { # code, pattern, words...
    start server "$app" 0.0.0.0 1 "$certs/b"
    await_port server "$started"
    run client "${@:3}" "$app" "127.0.0.1:$port" 0 "$certs/a"
    expect_error client "$1" "$2"
    grep -qx 'Bar: Exit Value of A = 1' "$dir/client.out" ||
        wrong "the thread did not go on at the client"
    expect_error server "$1"
}

# Mapped while libraries are placed, a larger one pushes them down.
with_larger_cache() {
    cp /etc/ld.so.cache "$work/ld.so.cache" && truncate -s +8M \
        "$work/ld.so.cache"
    # shellcheck disable=SC2016 # expanded by that sh
    larger=(unshare --mount sh -c 'mount --bind "$0" /etc/ld.so.cache &&
        exec "$@"' "$work/ld.so.cache")
    "${larger[@]}" true 2>"$work/unshare.err"
}

run_case moves moves
if with_larger_cache; then
    run_case layout refused LAYOUT_MISMATCH \
        'lies at 0x[0-9a-f]+ here and at 0x[0-9a-f]+ at' "${larger[@]}"
else
    echo "# not done: no mount namespace here: $(<"$work/unshare.err")"
fi
# As a program of the loader's it lies where libraries do.
run_case loader refused LAYOUT_MISMATCH \
    'lies at 0x[0-9a-f]+ here and at 0x[0-9a-f]+ at' /lib64/ld-linux-x86-64.so.2
libm=$(ldconfig -p 2>/dev/null |
    sed -n 's/.*x86-64.* => \(.*libm\.so\.6\)$/\1/p')
run_case preload refused BINARY_MISMATCH 'libm.so.6 here' \
    env LD_PRELOAD="${libm:-/lib/x86_64-linux-gnu/libm.so.6}"
if grep -qw avx2 /proc/cpuinfo; then
    run_case processor refused CPU_MISMATCH 'libc.so.6 has chosen' \
        env GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-AVX512VL,-AVX512BW,-EVEX
else
    echo "# not done: this processor has no AVX2 to leave unused"
fi
finish
