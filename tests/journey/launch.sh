#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
# shellcheck disable=SC2317 # run_case calls them
#
# launch.sh - however a program was started, it is restarted alike, and moves
#
# usage: launch.sh [CASE]...
#
# In: a built tree, the current directory; $srcdir, $CC.  Builds launched.c as
# a user would, statically and dynamically.  In each case one of two hosts, or
# both, are started in some way; argv and name are to be what they were, and
# the thread is to move.  The restart happens in setup in half of the cases,
# and before main in the others.

# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"
srcdir=$(cd -- "$srcdir" && pwd)
certs=$work/certs
make_certs "$certs" a=127.0.0.1 b=127.0.0.1
profile=
read -ra cc <<<"${CC:-cc}"

# The object file comes first, as it should, or last.
build_program() { # profile, program, first or last
    local kind=() cflags libs object=$work/$1.o
    [[ $1 == dynamic ]] || kind=(--static)
    read -ra cflags <<<"$(flags "${kind[@]}" --cflags)"
    read -ra libs <<<"$(flags "${kind[@]}" --libs)"
    [[ $1 == static ]] || libs+=("-Wl,-rpath,$build")
    "${cc[@]}" -O2 -D_GNU_SOURCE "${cflags[@]}" -c -o "$object" \
        "$srcdir/tests/journey/launched.c" || return
    if [[ $3 == first ]]; then
        "${cc[@]}" "$object" "${libs[@]}" -o "$2"
    else
        "${cc[@]}" "${libs[@]}" "$object" -o "$2"
    fi
}

# ---- a move, with one side started in some way

# The environment of a host: half of the cases restart before main.
host_env=()
set_host() { # host
    local variable=LAUNCH_CERTS
    ((early == 0)) || variable=PSU_THREAD_CERTS
    host_env=(env "$variable=$certs/$1")
}

serve() { # command...
    set_host b
    start server "${host_env[@]}" "$@"
    server=$started
    await_port server "$server"
}

go() { # command...
    set_host a
    run client "${host_env[@]}" LAUNCH_HOST="127.0.0.1:$port" "$@"
}

expect_moved() {
    expect_status client 0
    await_end "$server" 10
    expect_status server 0
    expect_lines client 1 'Before the move'
    expect_lines server 1 'After the move'
}

expect_told() { # host, name, argv as printed...
    local lines wanted=("${@:3}")
    wanted=("${wanted[@]/#/arg <}")
    wanted=("${wanted[@]/%/>}" "name <$2>")
    mapfile -t lines < <(grep -E '^(arg|name|argv) ' "$dir/$1.out")
    [[ ${lines[*]} == "${wanted[*]}" ]] ||
        wrong "$1 is told: ${lines[*]} instead of ${wanted[*]}"
}

# Both sides alike; copies of the program, since its name matters.
started_as() { # file's name, name as printed, argv[0] as printed, command...
    cp "$program" "$dir/$1"
    cd "$dir" || exit
    serve "${@:4}"
    go "${@:4}"
    expect_moved
    expect_told client "${@:2:2}"
    expect_told server "${@:2:2}"
}

# ---- the cases

by_path() {
    PATH=$dir:$PATH started_as found found found found
}

by_link() {
    ln -s real "$dir/link"
    started_as real link ./link ./link
}

by_other_name() { # argv[0]
    # shellcheck disable=SC2016 # for the other shell
    started_as plain plain "$1" bash -c 'exec -a "$0" ./plain' "$1"
}

with_arguments() {
    serve "$program" '' 'two words' $'new\nline' -- '' $'\xff' '*'
    go "$program" '' ''
    expect_moved
    expect_told server "${program##*/}" "$program" '' 'two words' \
        'new\x0aline' -- '' '\xff' '*'
    expect_told client "${program##*/}" "$program" '' ''
}

# The file is there no more when the program restarts itself.
deleted_before() {
    cp "$program" "$dir/mine"
    open_input
    early=0
    serve "$program"
    set_host a
    start client "${host_env[@]}" LAUNCH_WAIT=1 LAUNCH_HOST="127.0.0.1:$port" \
        "$dir/mine"
    await_line "$dir/client.out" '^waiting$' 10
    rm "$dir/mine"
    echo >&"$input_fd"
    await_end "$started" 20
    expect_moved
    expect_told client mine "$dir/mine"
}

# It goes when the program is up: the other host has a copy of its own.
deleted_later() {
    cp "$program" "$dir/mine"
    serve "$dir/mine"
    rm "$dir/mine"
    go "$program"
    expect_moved
    expect_told server mine "$dir/mine"
}

stripped() {
    strip -o "$dir/stripped" "$program" || wrong 'strip failed'
    serve "$dir/stripped"
    go "$dir/stripped"
    expect_moved
}

# The ELF header, which is loaded, tells where the sections were.
one_stripped() {
    strip -o "$dir/stripped" "$program" || wrong 'strip failed'
    serve "$program"
    go "$dir/stripped"
    expect_status client 1
    expect_error client BINARY_MISMATCH stripped
    expect_lines client 1 'After the move'
    : >"$dir/client.out"
    go "$program"
    expect_moved
}

# Either it works, or the linker names what it has not found.
other_order() {
    if build_program "$profile" "$dir/other" last 2>"$dir/linker.err"; then
        serve "$dir/other"
        go "$dir/other"
        expect_moved
    else
        grep -q 'undefined reference to .psu_thread_create' "$dir/linker.err" ||
            wrong 'the linker does not name what is missing'
    fi
}

for profile in static dynamic; do
    program=$work/$profile
    build_program "$profile" "$program" first 2>"$work/linker.err" || {
        cat "$work/linker.err"
        exit 99
    }
    for early in 0 1; do
        at=$profile-$( ((early)) && echo early || echo setup)
        run_case "here-$at" started_as plain plain ./plain ./plain
        run_case "path-$at" by_path
        run_case "link-$at" by_link
        run_case "other-name-$at" by_other_name other
        run_case "login-name-$at" by_other_name -plain
        run_case "no-name-$at" by_other_name ''
        run_case "long-name-$at" started_as a-name-longer-than-15 \
            a-name-longer-t ./a-name-longer-than-15 ./a-name-longer-than-15
        run_case "spaces-$at" started_as 'a b' 'a b' './a b' './a b'
        run_case "newline-$at" started_as $'a\nb' 'a\x0ab' './a\x0ab' $'./a\nb'
        run_case "arguments-$at" with_arguments
        run_case "deleted-later-$at" deleted_later
    done
    early=0
    run_case "deleted-before-$profile" deleted_before
    run_case "stripped-$profile" stripped
    run_case "one-stripped-$profile" one_stripped
    run_case "order-$profile" other_order
done
finish
