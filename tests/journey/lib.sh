# SPDX-License-Identifier: ISC
# shellcheck shell=bash disable=SC2034,SC2317 # for the scripts
#
# lib.sh - what the journey tests share: processes, ports, lines, verdicts
#
# usage of each of them: NAME.sh [CASE]...    only these cases
#
# A case is a function that runs in a subshell with a directory $dir of its
# own.  It starts processes by `start WHO COMMAND...`, whose output is in
# $dir/WHO.out and $dir/WHO.err, and says with `wrong` what is not as it should
# be.  Its processes are ended with it, by their ids.

set -u
srcdir=${srcdir:-.}
build=$PWD
export LC_ALL=C PSU_THREAD_LISTEN=127.0.0.1:0
unset PSU_THREAD_CERTS
work=$(mktemp -d)
mkdir -m 700 "$work/run"
export PSU_THREAD_RUNTIME=$work/run
results=$work/results
: >"$results"
cases=() # processes of cases in the background
count=0  # of cases
only=("$@")
trap 'end_processes; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

end_processes() {
    local pid
    for pid in $(jobs -rp); do
        kill -TERM "$pid" 2>/dev/null
        kill -CONT "$pid" 2>/dev/null
        timeout 5 tail --pid="$pid" -s 0.05 -f /dev/null ||
            kill -KILL "$pid" 2>/dev/null
    done
}

skip() { # reason
    echo "skipped: $1"
    exit 77
}

make_certs() { # directory, hosts...
    "$srcdir/certs/make-certs.sh" "$@" >"$work/make-certs.log" 2>&1 && return
    cat "$work/make-certs.log"
    exit 99
}

# What pkg-config says to users, of this tree as it is built.
flags() { # options of pkg-config...
    pkg-config --define-variable=libdir="$build" \
        --define-variable=includedir="$srcdir/include" "$@" \
        "$build/psu_thread.pc"
}

# ---- cases

# In a subshell: the case, then its verdict.
follow_case() { # name, function, arguments...
    trap end_processes EXIT
    trap 'exit 1' HUP INT TERM
    "${@:2}" 2>"$dir/case.err"
    if ((${#complaints[@]} == 0)); then
        echo "ok $1" | tee -a "$results"
        return
    fi
    {
        echo "not ok $1"
        printf '# %s\n' "${complaints[@]}"
        tail -n 20 "$dir"/*.out "$dir"/*.err 2>/dev/null | sed 's/^/#   /'
    } | tee -a "$results"
}

# Whether the user wants that case; then it gets its directory.
begin_case() { # name
    ((${#only[@]} == 0)) || [[ " ${only[*]} " == *" $1 "* ]] || return
    count=$((count + 1)) dir=$work/$1 complaints=()
    mkdir "$dir"
}

run_case() { # name, function, arguments...
    if begin_case "$1"; then (follow_case "$@"); fi
}

# The same in the background; finish() waits for it.
start_case() {
    begin_case "$1" || return
    follow_case "$@" &
    cases+=("$!")
}

wrong() { # what
    complaints+=("$1")
}

await_cases() {
    ((${#cases[@]} == 0)) || wait "${cases[@]}"
}

# Count the verdicts and exit.
finish() {
    local passed failed
    await_cases
    passed=$(grep -c '^ok ' "$results")
    failed=$((count - passed))
    echo "$passed passed, $failed failed"
    ((failed == 0 && passed > 0))
    exit
}

# ---- processes

# Start a command in the background; its id is in $started.  It reads from
# $input, if that is set.
start() { # who, command...
    PSU_THREAD_PORT_FILE=$dir/$1.port "${@:2}" \
        <"${input:-/dev/null}" >>"$dir/$1.out" 2>>"$dir/$1.err" &
    started=$!
}

# Make a pipe through which words can be given to what is started.
open_input() {
    input=$dir/input
    mkfifo "$input"
    exec {input_fd}<>"$input"
}

# Start a command with a pipe of its own, by which it can be told words; its id
# is in pids[WHO] too.
declare -A inputs=() pids=()
start_told() { # who, command...
    local input=$dir/$1.in fd
    mkfifo "$input"
    exec {fd}<>"$input"
    inputs[$1]=$fd
    start "$@"
    pids[$1]=$started
}

tell() { # who, words...
    echo "${@:2}" >&"${inputs[$1]}"
}

# Run a command to its end, 30 s at most; its status is in $status.
run() { # who, command...
    PSU_THREAD_PORT_FILE=$dir/$1.port timeout -k 1 30 "${@:2}" \
        </dev/null >>"$dir/$1.out" 2>>"$dir/$1.err"
    status=$?
}

# Wait until a process has ended, and set $status.
await_end() { # pid, seconds
    timeout "$2" tail --pid="$1" -s 0.02 -f /dev/null || {
        status=none
        return
    }
    wait "$1"
    status=$?
}

# Wait until a command succeeds.
await() { # seconds, command...
    local end=$((SECONDS + $1 + 1))
    until "${@:2}"; do
        ((SECONDS < end)) || return 1
        sleep 0.02
    done
}

# Wait for the port of a process that listens; it is in $port.
await_port() { # who, pid
    port=
    await 10 eval "[[ -s $dir/$1.port ]] || ! kill -0 $2 2>/dev/null"
    if [[ -s $dir/$1.port ]]; then
        port=$(<"$dir/$1.port")
    else
        wrong "$1 does not listen"
    fi
}

# A port for processes that listen there in turn: nobody else is given it
# while none of them does.  It is in $kept, with its address.
keep_port() {
    start keeper tests/journey/keeper
    await_port keeper "$started"
    rm -f "$dir/keeper.port"
    kept=127.0.0.1:$port
}

# The same for `openssl s_server -accept 127.0.0.1:0`, started as openssl.
await_openssl() {
    await 10 read_openssl_port || wrong "openssl s_server does not listen"
}

read_openssl_port() {
    port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$dir/openssl.out")
    [[ -n $port ]]
}

await_line() { # file, pattern, seconds
    await "$3" grep -Eqs -- "$2" "$1" || wrong "no line '$2' in ${1##*/}"
}

# ---- expectations

expect_status() { # who, status
    [[ $status == "$2" ]] || wrong "$1 ended with $status instead of $2"
}

# For tests/lint/codes_test.sh, which counts the codes: this one was in the
# log of a real process.
produced() { # code
    echo "# produced: $1"
}

# ... and this one cannot be had here.
cannot() { # code, why
    echo "# cannot produce: $1: $2"
}

# Exactly one error line, of that code, which says what and what to do.  A
# process that is still there may be about to log it.
expect_error() { # who, code, pattern
    local lines
    await 5 grep -q '^\[error\]' "$dir/$1.err"
    mapfile -t lines < <(grep '^\[error\]' "$dir/$1.err")
    ((${#lines[@]} == 1)) ||
        wrong "$1 logged ${#lines[@]} errors instead of one"
    [[ ${lines[0]-} =~ ^"[error] $2: "[^:]+.*": "[^:]+ ]] ||
        wrong "$1 did not log $2 and what to do"
    [[ ${lines[0]-} =~ ${3-} ]] || wrong "$1's error does not match '$3'"
    [[ ${lines[0]-} != "[error] $2: "* ]] || produced "$2"
}

# Such an error line, among others.
await_error() { # who, code, seconds
    await "$3" grep -Eqs "^\[error\] $2: .*: " "$dir/$1.err" || {
        wrong "$1 did not log $2"
        return
    }
    produced "$2"
}

# A command is refused before anything has begun.
refuse_start() { # code, pattern, command...
    run client "${@:3}"
    expect_status client 1
    [[ ! -s $dir/client.out ]] || wrong "client printed something"
    expect_error client "$1" "$2"
}

expect_no_error() { # who
    ! grep -q '^\[error\]' "$dir/$1.err" || wrong "$1 logged an error"
}

expect_lines() { # who, count, pattern: of its output
    local count
    await 5 has_lines "$@"
    [[ $count == "$2" ]] || wrong "$1 printed '$3' $count times, not $2"
}

has_lines() {
    count=$(grep -Ecx -- "$3" "$dir/$1.out")
    ((count >= $2))
}

# Both sides of an app: what they print, and the manner of their logs.
expect_golden() { # app, name of the client's host, of the server's
    local who
    for who in client server; do
        sed "s/@A@/$2/; s/@B@/$3/" "$srcdir/tests/journey/golden/$1.$who" |
            cmp -s - "$dir/$who.out" || wrong "$who's output is not $1.$who"
        ! grep -Evqx '\[(info|debug)\] [A-Z].*' "$dir/$who.err" ||
            wrong "$who logged something else than info and debug lines"
        expect_logged $who "\[info\] Setting up $who"
    done
    expect_logged client '\[debug\] Sent [0-9]+ bytes over the socket'
    expect_logged server '\[debug\] Thread exited with value: 0'
}

expect_logged() { # who, line
    [[ $(grep -Ecx -- "$2" "$dir/$1.err") == 1 ]] ||
        wrong "$1 did not log '$2' once"
}

# A limit of the library's, by its name.
limit() {
    local value wait
    value=$(sed -n "s/^#define $1 //p" "$srcdir/src/net/limits.h")
    wait=${value#psu_limit_ms(PSU_THREAD_WAIT_} wait=${wait%)}
    [[ $value == "$wait" ]] ||
        value=$(sed -n "s/^\tX($wait, [0-9]*, \([0-9]*\),.*/\1/p" \
            "$srcdir/include/psu_thread_info.h")
    echo "$value"
}

# The clock, in milliseconds.
now_ms() {
    echo $((${EPOCHREALTIME/[.,]/} / 1000))
}
