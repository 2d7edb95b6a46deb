#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# route.sh [CASE]... - what malloc() gives travels, with libpsu_thread_malloc.so
#
# Dynamic programs, made with what pkg-config says: calls of libc's one by one,
# containers of C++, and Lua with its own allocator.

# The cases are called by name:
# shellcheck disable=SC2317
# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"

here=$srcdir/tests/journey
certs=$work/certs bin=$work/bin
mkdir "$bin"
make_certs "$certs" a=127.0.0.1 b=127.0.0.1

# ---- programs

malloc_flags() { # options of pkg-config..., package
    PKG_CONFIG_PATH=$build pkg-config --define-variable=libdir="$build" \
        --define-variable=includedir="$srcdir/include" "$@"
}

# Compile one source with the driver, and link.
build() { # program, compiler, source, package, flags...
    local cflags libs
    read -ra cflags <<<"-O2 -D_GNU_SOURCE $(malloc_flags --cflags "$4")"
    read -ra libs <<<"$(malloc_flags --libs "$4") -Wl,-rpath,$build"
    # shellcheck disable=SC2086 # a compiler is words
    {
        ${CC:-cc} "${cflags[@]}" -c "$here/route.c" -o "$1.driver.o" &&
            $2 "${cflags[@]}" "${@:5}" -c "$here/$3" -o "$1.o" &&
            $2 -o "$1" "$1.o" "$1.driver.o" "${@:5}" "${libs[@]}"
    } >"$1.log" 2>&1 || {
        cat "$1.log"
        exit 99
    }
}

build_library() { # file
    # shellcheck disable=SC2086
    ${CC:-cc} -O2 -fPIC -shared -Wl,-soname,"${1##*/}" \
        "$here/route_library.c" -o "$1" || exit 99
}

# ---- cases

travel() { # program, what
    start b "${preload[@]}" "$1" serve "$certs/b"
    b=$started
    await_port b "$b"
    run a "${preload[@]}" "$1" go "$certs/a" "$2" "127.0.0.1:$port"
    kill "$b"
    await_end "$b" 10
    expect_lines a 0 'Wrong.*'
    expect_lines b 0 'Wrong.*'
}
preload=()

moves() { # program, what, where it ends
    travel "$1" "$2"
    expect_status a 0
    expect_lines "$3" 1 "Done: $2"
    expect_no_error a
    expect_no_error b
}

# It asks for too much, too, at each host.
calls() { # program
    travel "$1" calls
    expect_status a 0
    expect_lines b 1 'Done: calls'
    expect_error a HEAP_FULL 'no [0-9]+ bytes are left'
    expect_error b HEAP_FULL 'no [0-9]+ bytes are left'
}

# Its log function allocates, too, on both stacks.
logs() {
    travel "$bin/calls" logs
    expect_status a 0
    expect_lines a 1 'Done: logs'
    expect_error a HEAP_MISUSED
}

other() {
    travel "$bin/calls" other
    expect_lines a 1 'Done: other'
    expect_error a HEAP_MISUSED 'belongs to another thread'
}

# The program does not name it: both hosts preload it, or none.
preloaded() {
    local preload=(env "LD_PRELOAD=$build/libpsu_thread_malloc.so.0")
    calls "$bin/plain"
}

preloaded_here() {
    start b "$bin/plain" serve "$certs/b"
    await_port b "$started"
    run a env LD_PRELOAD="$build/libpsu_thread_malloc.so.0" "$bin/plain" go \
        "$certs/a" file "127.0.0.1:$port"
    grep -q '^\[error\] BINARY_MISMATCH: .*libpsu_thread_malloc' "$dir/a.err" ||
        wrong 'a does not name what differs'
}

# valgrind's malloc() stands before ours: nothing travels, and nothing is freed
# that is not its own.
watched() {
    run a valgrind --error-exitcode=9 --trace-children=yes "$bin/calls" go \
        "$certs/a" watched 127.0.0.1:1
    expect_status a 0
    expect_lines a 0 'Wrong.*'
    expect_lines a 1 'Done: watched'
}

# Valgrind, which the library must know, cannot read what every compiler says.
can_watch() {
    command -v valgrind >/dev/null &&
        grep -q HAVE_VALGRIND_MEMCHECK_H=1 Makefile &&
        ! valgrind "$bin/calls" 2>&1 | grep -q 'debuginfo reader'
}

! readelf -sW "$build/libpsu_thread.so.0" | grep -q __asan_version_mismatch ||
    skip "a sanitizer's malloc() stands before all others"
build_library "$bin/route_library.so"
build_library "$bin/loaded.so"
export ROUTE_LIBRARY=$bin/loaded.so
# Compilers leave out calls of malloc() whose outcome they think they know.
with_library=(-fno-builtin "-Wl,-rpath,$bin" "$bin/route_library.so")
build "$bin/calls" "${CC:-cc}" route_calls.c psu_thread_malloc \
    "${with_library[@]}"
build "$bin/plain" "${CC:-cc}" route_calls.c psu_thread "${with_library[@]}"

start_case calls calls "$bin/calls"
start_case logs logs
start_case file moves "$bin/calls" file a
start_case loaded moves "$bin/calls" loaded a
start_case other other
start_case preloaded preloaded
start_case preloaded-here preloaded_here
if can_watch; then
    start_case watched watched
else
    echo "# not done: no valgrind that can read this"
fi
cxx=${CXX:-c++}
if command -v "${cxx%% *}" >/dev/null; then
    build "$bin/cxx" "$cxx" route_cxx.cc psu_thread_malloc
    start_case containers moves "$bin/cxx" containers a
    start_case exceptions moves "$bin/cxx" exceptions b
else
    echo "# not done: no C++ compiler"
fi
if pkg-config --exists lua5.4; then
    # shellcheck disable=SC2046 # words
    build "$bin/lua" "${CC:-cc}" route_lua.c psu_thread_malloc \
        $(pkg-config --cflags --libs lua5.4)
    start_case lua moves "$bin/lua" lua a
else
    echo "# not done: no Lua"
fi
finish
