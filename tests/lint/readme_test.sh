#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# readme_test.sh - do README.md's program and commands work as they stand?
#
# In: a built tree, the current directory; $srcdir (default .).  Installs the
# library under a temporary directory, saves the C program of README.md there,
# which is examples/hello.c's, runs each block marked `sh` as it stands, and
# lets the program move between two processes on loopback.  Out: what failed;
# exit status 0 or 1.

set -euo pipefail
export LC_ALL=C
unset MAKEFLAGS MFLAGS MAKELEVEL PSU_THREAD_CERTS

srcdir=$(cd -- "${srcdir:-.}" && pwd)
work=$(mktemp -d)
server=
trap 'clean_up' EXIT

clean_up() {
    [[ -z $server ]] || kill "$server" 2>/dev/null || true
    rm -rf -- "$work"
}

fail() {
    printf 'README.md: %s\n' "$1"
    [[ ! -f $work/log ]] || tail -n 30 "$work/log"
    exit 1
}

# The fenced blocks of one language, each into a file NAME.N.
extract() { # language, name
    awk -v open="\`\`\`$1" -v name="$2" '
        $0 == open { inside = 1; out = name "." ++count; next }
        $0 == "```" { inside = 0 }
        inside { print > out }' "$srcdir/README.md"
}

run_blocks() {
    local block
    for block in "$work"/block.*; do
        (cd "$work/place" && bash -eu "$block") >"$work/log" 2>&1 ||
            fail "this does not work: $(<"$block")"
    done
}

# One that is dialled as 127.0.0.1, otherwise as README.md says.
move() {
    local i
    "$srcdir/certs/make-certs.sh" "$work/keys" hosta hostb=127.0.0.1 \
        2>"$work/log" || fail 'make-certs.sh failed'
    mkdir -m 700 "$work/run"
    export PSU_THREAD_RUNTIME=$work/run PSU_THREAD_LISTEN=127.0.0.1:0
    PSU_THREAD_CERTS=$work/keys/hostb PSU_THREAD_PORT_FILE=$work/port \
        timeout 60 "$work/place/hello" >"$work/hostb.out" 2>"$work/log" &
    server=$!
    for ((i = 0; i < 1000; i++)); do
        [[ ! -s $work/port ]] || break
        kill -0 "$server" 2>/dev/null || fail 'the server ended'
        sleep 0.02
    done
    PSU_THREAD_CERTS=$work/keys/hosta timeout 60 "$work/place/hello" \
        "127.0.0.1:$(<"$work/port")" >"$work/hosta.out" 2>"$work/log" ||
        fail 'the program failed at hosta'
    wait "$server" || fail 'the program failed at hostb'
    server=
    [[ $(<"$work/hosta.out") == 'before the move: '* &&
        $(<"$work/hostb.out") == 'after the move: '* &&
        $(cat "$work"/host?.out | wc -l) == 2 ]] ||
        fail "the program printed $(cat "$work"/host?.out)"
}

main() {
    local pc
    mkdir "$work/place"
    ln -s "$srcdir/certs" "$work/place/certs"
    make install DESTDIR="$work/dest" >"$work/log" 2>&1 ||
        fail 'make install failed'
    pc=$(find "$work/dest" -name psu_thread.pc)
    export PKG_CONFIG_SYSROOT_DIR=$work/dest PKG_CONFIG_PATH=${pc%/*}

    extract c "$work/program"
    mv "$work/program.1" "$work/place/hello.c"
    sed '1,/^ \*\/$/d' "$srcdir/examples/hello.c" |
        diff - "$work/place/hello.c" >"$work/log" ||
        fail 'its program is not examples/hello.c'
    extract sh "$work/block"
    run_blocks
    move
    printf '%d blocks and the program work\n' "$(find "$work" -name 'block.*' |
        wc -l)"
}

main
