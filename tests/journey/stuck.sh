#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# stuck.sh - what cannot travel is refused before the thread leaves
#
# Passed: the move is refused with its code and one error line that says what
# holds the thread and what to do; the thread goes on at the source, gets out
# of there, and then moves.

# The cases are called by name:
# shellcheck disable=SC2317
# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"

certs=$work/certs
make_certs "$certs" a=127.0.0.1 b=127.0.0.1

# ---- programs that make does not make: their compiler may be missing

# Compile with the driver, and link; what fails is left for the case to find.
build() { # static or shared, program, compiler, source, flags, objects behind
    local cflags libs static=() linking=("-Wl,-rpath,$PWD")
    [[ $1 == shared ]] || static=(--static) linking=()
    read -ra cflags <<<"-O2 -D_GNU_SOURCE $(flags "${static[@]}" --cflags) $5"
    read -ra libs <<<"$(flags "${static[@]}" --libs) $5"
    # shellcheck disable=SC2086 # a compiler is words
    {
        ${CC:-cc} "${cflags[@]}" -c "$srcdir/tests/journey/stuck.c" \
            -o "$2.driver.o" &&
            $3 "${cflags[@]}" -c "$srcdir/tests/journey/$4" -o "$2.o" &&
            $3 -o "$2" "$2.o" "$2.driver.o" "${libs[@]}" "${linking[@]}" \
                "${@:6}"
    } >"$2.log" 2>&1 || cat "$2.log"
}

build_object() { # object, source, flags...
    # shellcheck disable=SC2086
    ${CC:-cc} -O2 "${@:3}" "$srcdir/tests/journey/$2" -o "$1"
}

# What is left out, and why.
omit() { # what, reason
    echo "omitted $1: $2"
}

# ---- the case

declare -A says=(
    [foreign]='frame [0-9]+, which returns to [^ ]+\+0x[0-9a-f]+, is not the'
    [libc]='frame [0-9]+, which returns to libc\.so\.6\+0x[0-9a-f]+, '
    [outside]='frame [0-9]+ returns to 0x[0-9a-f]+, outside the program'
    [bare]='frame [0-9]+, .* stuck_frames[^ ]*\+0x[0-9a-f]+, has no unwind'
    [uncalled]='frame [0-9]+, .* signal handler or a coroutine'
    [one]='robust mutexes \(1\)'
    [three]='robust mutexes \(3\)'
    [stack]='a stack of its own, at 0x[0-9a-f]+'
    [child]='forked'
    [caught]='being handled'
    [library]='thread-locals of stuck_library\.so'
    [flying]='1 C\+\+ exceptions are in flight'
)

# Refused from a predicament, and then not.
stuck() { # program, predicament, code, what its sentence says
    start server "$1" serve - "$certs/b"
    server=$started
    await_port server "$server"
    run client "$1" "$2" "127.0.0.1:$port" "$certs/a"
    expect_status client 0
    expect_lines client 1 "Before the move"
    expect_lines client 1 "Refused"
    expect_lines client 0 "Moved all the same|Stuck for good|After the move"
    expect_error client "$3" "${says[$4]}"
    await_end "$server" 10
    expect_status server 0
    expect_no_error server
    expect_lines server 1 "After the move"
}

# Refused while it ends, here.
ending() { # program, predicament
    start server "$1" serve - "$certs/b"
    await_port server "$started"
    run client "$1" "$2" "127.0.0.1:$port" "$certs/a"
    expect_status client 0
    expect_lines client 1 "Refused"
    expect_error client EXCEPTION_IN_FLIGHT "it is ending"
    expect_no_error server
    [[ ! -s $dir/server.out ]] || wrong "the thread came to the server"
}

# Refused behind its end, which was at the server, in the destructor of a
# thread-local, which runs at home.
ended() { # program, predicament
    start server "$1" serve - "$certs/b"
    server=$started
    await_port server "$server"
    run client "$1" "$2" "127.0.0.1:$port" "$certs/a"
    expect_status client 0
    expect_lines client 1 "Refused"
    expect_error client STACK_OUTSIDE_SLOT "function has returned"
    await_end "$server" 10
    expect_status server 0
    expect_lines server 1 "After the move"
    expect_no_error server
}

# ---- the table

frames=tests/journey/stuck_frames
state=tests/journey/stuck_state
table=(
    "twalk stuck $frames twalk FRAME_FOREIGN foreign"
    "lsearch stuck $frames lsearch FRAME_FOREIGN foreign"
    "nftw stuck $frames nftw FRAME_FOREIGN foreign"
    "scandir stuck $frames scandir FRAME_FOREIGN foreign"
    "once stuck $frames once FRAME_FOREIGN foreign"
    "phdr stuck $frames phdr FRAME_FOREIGN foreign"
    "qsort-in-once stuck $frames qsort-in-once FRAME_FOREIGN foreign"
    "sk-sort stuck $frames sk-sort FRAME_FOREIGN foreign"
    "lh-doall stuck $frames lh-doall FRAME_FOREIGN foreign"
    "generated stuck $frames generated FRAME_FOREIGN outside"
    "assembly stuck $frames assembly FRAME_UNKNOWN bare"
    "bare stuck $frames bare FRAME_UNKNOWN bare"
    "handler stuck $frames handler FRAME_UNKNOWN uncalled"
    "robust stuck $state robust ROBUST_MUTEX_HELD one"
    "three-robust stuck $state three-robust ROBUST_MUTEX_HELD three"
    "pending-robust stuck $state pending-robust ROBUST_MUTEX_HELD one"
    "signal-stack stuck $state signal-stack STACK_OUTSIDE_SLOT stack"
    "coroutine stuck $state coroutine STACK_OUTSIDE_SLOT stack"
    "inner-coroutine stuck $state inner-coroutine FRAME_UNKNOWN uncalled"
    "cancellation ending $state cancellation"
    "child stuck $state child FORKED child"
)

add_built() {
    local cxx=${CXX:-c++}

    # What is linked behind the library is not known for the program's own.
    build_object "$work/behind.o" stuck_bare.c -fno-pie -c
    build static "$work/stuck_behind" "${CC:-cc}" stuck_frames.c "" \
        "$work/behind.o"
    table+=("behind stuck $work/stuck_behind bare FRAME_FOREIGN foreign")

    # Libraries that are loaded at start, and later.
    build_object "$work/stuck_library.so" stuck_library.c -fPIC -shared
    build shared "$work/stuck_shared" "${CC:-cc}" stuck_shared.c ""
    export STUCK_LIBRARY=$work/stuck_library.so
    table+=(
        "shared-twalk stuck $work/stuck_shared twalk FRAME_FOREIGN libc"
        "loaded stuck $work/stuck_shared loaded FRAME_FOREIGN outside"
        "loaded-locals stuck $work/stuck_shared loaded-locals TLS_DYNAMIC \
            library"
    )

    if command -v "${cxx%% *}" >/dev/null; then
        add_exceptions static
        add_exceptions shared
    else
        omit "exceptions in flight" "no C++ compiler"
    fi

    if echo 'int main(void) { return 0; }' | ${CC:-cc} -static -fopenmp \
        -x c -o "$work/omp.try" - 2>/dev/null; then
        build static "$work/stuck_omp" "${CC:-cc}" stuck_omp.c -fopenmp
        table+=("parallel stuck $work/stuck_omp parallel FRAME_FOREIGN foreign")
    else
        omit "a frame of OpenMP's" "the compiler has no static run time for it"
    fi
}

add_exceptions() { # static or shared
    local where program=$work/stuck_cxx-$1
    build "$1" "$program" "${CXX:-c++}" stuck_cxx.cc ""
    for where in catch outer-catch; do
        table+=("$1-$where stuck $program $where EXCEPTION_IN_FLIGHT caught")
    done
    table+=("$1-unwinding stuck $program unwinding EXCEPTION_IN_FLIGHT flying"
        "$1-exit ending $program exit"
        "$1-thread-local ended $program thread-local")
}

# A tree with sanitizers is linked with a shared library of its own.
if [[ -e $frames.so ]]; then
    omit "what this script compiles" "this tree is --with-profile=dynamic"
else
    add_built
fi

# shellcheck disable=SC2086 # a row is words
for row in "${table[@]}"; do
    run_case $row
done
finish
