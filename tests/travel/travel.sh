#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# travel.sh PROGRAM [TEST...] - run travel tests, one hop and there and back,
# each between two processes of its own on loopback.  Passed: the test's line
# was printed once, and both processes ended with status 0.

set -u
program=$1
tests=("${@:2}")
((${#tests[@]})) || mapfile -t tests < <("$program" --list)

work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$work"' EXIT
certs=$work/certs
"${srcdir:-.}/certs/make-certs.sh" "$certs" a=127.0.0.1 b=127.0.0.1 \
    2>/dev/null || exit 99
export PSU_THREAD_RUNTIME=$work/run PSU_THREAD_LISTEN=127.0.0.1:0
mkdir -m 700 "$PSU_THREAD_RUNTIME"

await_port() { # file, pid
    for ((i = 0; i < 1000; i++)); do
        [[ ! -s $1 ]] || return 0
        kill -0 "$2" 2>/dev/null || return 1
        sleep 0.01
    done
    return 1
}

start() { # who, arguments...
    PSU_THREAD_PORT_FILE=$dir/$1.port timeout 60 "$program" "${@:2}" \
        <"$dir/input" >"$dir/$1.out" 2>"$dir/$1.err" {input}>&- &
}

run() { # test, back or nothing
    local serve go input status=0
    dir=$work/$1$2
    mkdir "$dir"
    mkfifo "$dir/input"
    exec {input}<>"$dir/input"
    start serve "$1" serve "$certs/b"
    serve=$!
    if await_port "$dir/serve.port" "$serve"; then
        start go "$1" go "$certs/a" "127.0.0.1:$(<"$dir/serve.port")" ${2:+"$2"}
        go=$!
        wait -n "$serve" "$go" || status=1
    else
        status=1
    fi
    # the thread has ended in one of the two: the other may go
    exec {input}>&-
    wait "$serve" || status=1
    wait "$go" || status=1
    [[ $(cat "$dir"/*.out | grep -c "^travel $1: ok$") == 1 ]] || status=1
    return $status
}

passed=0 failed=0
for back in "" back; do
    for test in "${tests[@]}"; do
        if run "$test" "$back"; then
            echo "ok $test $back"
            passed=$((passed + 1))
            grep -h '^#' "$dir"/*.out
        else
            echo "not ok $test $back"
            failed=$((failed + 1))
            tail -n 20 "$dir"/*.{out,err}
        fi
    done
done
echo "$passed passed, $failed failed"
((failed == 0))
