#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# hardship.sh - processes that are short of something, or not allowed it
#
# Passed, each time: it works, or setup fails, or the move fails and the thread
# goes on at the source; and whoever is short logs one error that says of what
# and what to do.  What needs root is left out without it, with the reason.

# The cases are called by name:
# shellcheck disable=SC2317
# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"

probe=tests/journey/probe
words=tests/journey/words
deny=tests/journey/deny
certs=$work/certs
make_certs "$certs" a=127.0.0.1,localhost b=127.0.0.1,localhost

# ---- parts of cases

limited() { # letter of ulimit, value, command...
    # shellcheck disable=SC2016 # expanded by that bash
    limited=(bash -c 'ulimit -S"$1" "$2" && exec "${@:3}"' - "$@")
}

serve() { # words before the command...
    rm -f "$dir"/server.*
    start server "$@" "$probe" serve - "$certs/b"
    server=$started
    await 10 eval "[[ -s $dir/server.port ]] || ! kill -0 $server 2>/dev/null"
    port=1
    [[ ! -s $dir/server.port ]] || port=$(<"$dir/server.port")
}

go() { # host, words before the command...
    rm -f "$dir"/client.*
    run client "${@:2}" "$probe" go "$1:$port" "$certs/a"
}

count_lines() { # file, pattern
    grep -Ecs -- "$2" "$dir/$1"
}

# One error, which says what is short; a server may have had several reasons.
expect_short() { # who, pattern, of what
    local count good
    count=$(count_lines "$1.err" '^\[error\]')
    good=$(grep -Es "^\[error\] ($2)" "$dir/$1.err" |
        grep -Ec '^\[error\] [A-Z_]+: [^:]+.*: [^:]+')
    if ((good != count || good == 0)) || [[ $1 == client && $good != 1 ]]; then
        wrong "$1 with $3 did not log an error like '$2', but \
$(grep '^\[error\]' "$dir/$1.err")"
    fi
}

# The thread that began goes on somewhere, once.
expect_one() { # with what
    local begun after
    begun=$(count_lines client.out '^Before the move$')
    after=$(($(count_lines client.out '^After the move$') +
        $(count_lines server.out '^After the move$')))
    [[ $begun == "$after" ]] || wrong "with $1: begun $begun, gone on $after"
}

end_server() {
    [[ -n $server ]] || return
    kill -TERM "$server" 2>/dev/null
    await_end "$server" 10
}

# Move with a client that is short of something; whether that worked is in
# $status.  The server that has taken a thread in has ended.
try_client() { # pattern, of what, words before the command...
    { [[ -n $server ]] && kill -0 "$server" 2>/dev/null; } || serve
    go localhost "${@:3}"
    case $status in
    0)
        await_end "$server" 10
        [[ $status == 0 ]] || wrong "with $2 the server ended with $status"
        status=0
        ;;
    1) expect_short client "$1" "$2" ;;
    *) wrong "the client with $2 ended with $status" ;;
    esac
    expect_one "$2"
}

# The same with a server.
try_server() { # pattern, of what, words before the command...
    local came
    serve "${@:3}"
    go 127.0.0.1
    came=$status
    if ((came == 0)); then
        await_end "$server" 10
        expect_one "$2"
    else
        await_complaint "$2"
        expect_one "$2"
        expect_short server "$1" "$2"
        expect_short client '' "$2"
        end_server
        [[ $status == [01] || $status == 143 ]] ||
            wrong "the server with $2 ended with $status"
    fi
    status=$came
}

# The server may log its reason a moment after the client has heard.
await_complaint() { # of what
    await 5 grep -qs '^\[error\]' "$dir/server.err" ||
        wrong "the server with $1 says nothing"
}

# ---- memory

short_of_memory="NO_MEMORY: |TLS_FAILED: .*ulimit -v"

# The smallest `ulimit -v`, in KiB, with which the program starts at all, and
# that with which its libraries do, so that certificates are read next.
find_least() {
    least=$(($(stat -c %s "$probe") / 1024 / 64 * 64))
    local said=
    for (( ; least < 100000; least += 64)); do
        limited v "$least" "$probe"
        said=$("${limited[@]}" 2>&1)
        [[ $said != usage:* ]] || break
    done 2>/dev/null
    for ((ready = least; ready < 100000; ready += 64)); do
        limited v "$ready" "$probe" go localhost:1 "$certs/a"
        said=$("${limited[@]}" 2>&1)
        [[ $said != *"$certs/a"* ]] || break
    done 2>/dev/null
}

# From what is too little to have certificates read up to what is enough.
memory() { # client or server, values in KiB...
    local kib worked=0
    server=
    for kib in "${@:2}"; do
        limited v "$kib"
        "try_$1" "$short_of_memory" "$kib KiB" "${limited[@]}"
        [[ $status != 0 ]] || worked=$((worked + 1))
    done
    end_server
    ((worked > 0)) || wrong "no amount of memory was enough"
    ((worked < $# - 1)) || wrong "every amount of memory was enough"
}

memory_client() {
    find_least
    local slot=$((ready + 131072))
    memory client "$least" $(seq "$ready" 80 $((ready + 640))) \
        $(seq $((slot - 512)) 320 $((slot + 6000))) $((slot + 20000))
}

memory_server() {
    find_least
    memory server "$least" $(seq "$ready" 80 $((ready + 640))) \
        $(seq $((ready + 1000)) 1000 $((ready + 8000))) \
        $(seq 100000 40000 340000) 600000
}

# ---- descriptors

descriptors() { # client or server
    local number worked=0
    server=
    for number in {3..14}; do
        limited n "$number"
        "try_$1" 'SYSTEM: .*ulimit -n|LISTEN_FAILED: .*open files' \
            "$number descriptors" "${limited[@]}"
        [[ $status != 0 ]] || worked=$((worked + 1))
    done
    end_server
    ((worked > 0 && worked < 12)) || wrong "$worked of 12 were enough"
}

# ---- stacks, locked memory, processes

# With so many bytes of environment.
stack() { # KiB or unlimited, status, bytes
    limited s "$1"
    server=
    try_client "SYSTEM: .*ulimit -s" "a stack of $1" \
        env -i PSU_THREAD_RUNTIME="$work/run" "BIG=$(printf "%$3s" x)" \
        "${limited[@]}"
    [[ $status == "$2" ]] || wrong "the client ended with $status"
    [[ $2 == 0 ]] || end_server
}

# Before main, too.
# How much of it the kernel leaves differs from start to start.
stack_early() {
    local i
    limited s 32
    for i in {1..12}; do
        run "client$i" env -i PSU_THREAD_CERTS="$certs/a" "${limited[@]}" \
            "$probe" go 127.0.0.1:1 "$certs/a"
        expect_status "client$i" 1
        expect_error "client$i" SYSTEM "the main stack.*ulimit -s"
    done
}

lock_nothing() {
    limited l 0
    server=
    try_client none "no locked memory" "${limited[@]}"
    [[ $status == 0 ]] || wrong "the client ended with $status"
}

# ---- words

random_text() { # bytes, seed
    awk -v len="$1" -v seed="$2" 'BEGIN { srand(seed)
        for (i = 0; i < len; i++) printf "%c", 97 + int(26 * rand()) }'
}

# The same words with and without a restart, before main and in setup.
same_words() { # program, variables of 64 KiB in the environment
    local words=$1
    local arguments=("" "two words" "" $'new\nline\n' $'\x01\x7f\x80\xff\xc3'
        "$(random_text 60000 1)" '*' "'\"\\" '-' "") environment=() i
    for ((i = 0; i < $2; i++)); do
        environment+=("V$i=$(random_text 65520 "$i")")
    done
    environment+=("EMPTY=" $'BYTES=\xff\n\x80' "PSU_THREAD_RUNTIME=$work/run")
    env -i "${environment[@]}" "$words" - "${arguments[@]}" >"$dir/plain"
    env -i "${environment[@]}" "$words" "$certs/a" "${arguments[@]}" \
        >"$dir/setup" 2>"$dir/setup.err"
    cmp -s "$dir/plain" "$dir/setup" || wrong "setup's restart changes words"
    environment+=("PSU_THREAD_CERTS=$certs/a")
    env -i "${environment[@]}" "$words" - "${arguments[@]}" >"$dir/plain"
    env -i "${environment[@]}" "$words" "$certs/a" "${arguments[@]}" \
        >"$dir/setup" 2>"$dir/setup.err"
    cmp -s "$dir/plain" "$dir/setup" || wrong "the early restart changes words"
    (($(stat -c %s "$dir/plain") > $2 * 65536)) || wrong "words are missing"
}

# So many that the restart's one variable more does not fit.
too_many_words() {
    local low=0 high=128000 middle
    limited s 512 # KiB, a fourth of them for words
    while ((high - low > 1)); do
        middle=$(((low + high) / 2))
        try_words "$middle"
        if ((status == 126)); then high=$middle; else low=$middle; fi
    done
    try_words "$low"
    expect_status client 1
    expect_error client RESTART_FAILED \
        "Argument list too long.*arguments and environment fit"
}

try_words() { # bytes
    rm -f "$dir"/client.*
    run client env -i PSU_THREAD_RUNTIME="$work/run" "${limited[@]}" \
        "$words" "$certs/a" "$(printf '%60000s' x)" "$(printf "%$1s" x)"
    : >"$dir/client.out"
}

# ---- denied calls

denied() { # error, calls, result (0: nothing changes), code, pattern
    server=
    try_client "$4: .*$5" "$1 from $2" "$deny" "$1" "$2"
    [[ $status == "$3" ]] || wrong "the client ended with $status"
    [[ $3 == 0 ]] || end_server
}

denied_server() { # error, calls, code, pattern
    server=
    try_server "$3: .*$4" "$1 from $2" "$deny" "$1" "$2"
    [[ $status == 1 ]] || wrong "the move did not fail"
}

# Only a dynamic program needs that one.
denied_dynamic() { # error
    run client "$deny" "$1" personality "${words}_dynamic" "$certs/a"
    expect_status client 1
    [[ ! -s $dir/client.out ]] || wrong "client printed something"
    expect_error client RESTART_FAILED "personality.*link it statically"
}

# ---- with other mounts and another user: only root

mounted() { # code, pattern, commands
    # shellcheck disable=SC2016 # expanded by that sh
    run client unshare --mount sh -c "$3"' && exec "$@"' - \
        "$probe" go 127.0.0.1:1 "$certs/a"
    expect_status client 1
    [[ ! -s $dir/client.out ]] || wrong "client printed something"
    expect_error client "$1" "$2"
}

one_process() {
    chmod 711 "$work"
    mkdir -m 700 "$dir/home" "$dir/home/run"
    cp -a "$certs/a" "$probe" "$dir/home"
    chown -R 65534:65534 "$dir/home" || wrong "no files for another user"
    limited u 1
    run client env PSU_THREAD_RUNTIME="$dir/home/run" setpriv --reuid=65534 \
        --regid=65534 --clear-groups "${limited[@]}" "$dir/home/probe" go \
        127.0.0.1:1 "$dir/home/a"
    expect_status client 1
    expect_error client NO_MEMORY "ulimit -u"
}

# ---- the table

run_case memory-client memory_client
run_case memory-server memory_server
run_case descriptors-client descriptors client
run_case descriptors-server descriptors server
run_case stack-32 stack 32 1 1
run_case stack-filled stack 128 1 100000
run_case stack-64 stack 64 0 1
run_case stack-unlimited stack unlimited 0 1
run_case stack-early stack_early
run_case lock-nothing lock_nothing
run_case words-64-kib same_words "$words" 1
run_case words-1-mib same_words "$words" 16
run_case words-dynamic same_words "${words}_dynamic" 1
run_case words-too-many too_many_words

"$deny" EPERM personality true 2>"$work/deny.err"
if (($? == 77)); then
    echo "# no call can be denied: $(<"$work/deny.err")"
else
    for error in EPERM ENOSYS; do
        run_case $error-nothing denied $error \
            personality,rseq,set_robust_list,userfaultfd,mlock 0 none none
        run_case $error-personality denied_dynamic $error
        run_case $error-memfd denied $error memfd_create 1 RESTART_FAILED \
            memfd_create
        run_case $error-execve denied $error execve 1 RESTART_FAILED execve
        run_case $error-getrandom denied $error getrandom 1 SYSTEM getrandom
        run_case $error-socket denied $error socket 1 SYSTEM seccomp
        run_case $error-socket-server denied_server $error socket \
            LISTEN_FAILED listen
    done
    run_case EPERM-clone3 denied EPERM clone3 1 SYSTEM 'clone3.*ENOSYS'
    run_case EPERM-clone3-server denied_server EPERM clone3 SYSTEM clone3
    run_case ENOSYS-clone3 denied ENOSYS clone3 0 none none
fi

if ((EUID != 0)); then
    echo "# only root may mount, and be another user"
elif ! unshare --mount true 2>"$work/unshare.err"; then
    echo "# namespaces are not permitted: $(<"$work/unshare.err")"
else
    run_case no-proc mounted RESTART_FAILED /proc \
        "mount -t tmpfs none /proc"
    run_case full-runtime mounted SYSTEM "No space.*room" \
        "mount -t tmpfs -o size=4k,mode=700 none $work/run &&
        head -c 4096 /dev/zero >$work/run/full"
    run_case fixed-runtime mounted SYSTEM "Read-only.*PSU_THREAD_RUNTIME" \
        "mount -t tmpfs -o ro,mode=700 none $work/run"
    run_case one-process one_process
fi
finish
