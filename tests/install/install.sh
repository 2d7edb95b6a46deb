#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# install.sh - is what `make install` puts in place all that a user needs?
#
# In: a built tree, the current directory; $srcdir (default .); $CC, $CXX.
# Installs under a temporary directory and looks at it as a user would: which
# files, which symbols, does the header compile alone, does a program that is
# built with pkg-config's flags have the marks of a migratable one, does it
# reach the library, and do the examples move, as C and as C++.  Out: one line
# for each; exit status 0 or 1.

set -euo pipefail
export LC_ALL=C

srcdir=$(cd -- "${srcdir:-.}" && pwd)
cc=${CC:-cc}
cxx=${CXX:-c++}
work=$(mktemp -d)
dest=$work/dest
server=
trap '[[ -z $server ]] || kill "$server" 2>/dev/null; rm -rf -- "$work"' EXIT
passed=0
failed=0
unset MAKEFLAGS MFLAGS MAKELEVEL PSU_THREAD_CERTS

check() { # what, command...
    if "${@:2}" >"$work/log" 2>&1; then
        passed=$((passed + 1))
        printf 'ok      %s\n' "$1"
    else
        failed=$((failed + 1))
        printf 'not ok  %s\n' "$1"
        sed 's/^/        /' "$work/log"
    fi
}

# ---- what is installed

same_files() {
    printf '%s\n' libpsu_thread.a libpsu_thread.so.0 \
        libpsu_thread_malloc.so.0 make-certs.sh psu_thread.h psu_thread.hpp \
        psu_thread.pc psu_thread_check.h psu_thread_heap.h \
        psu_thread_info.h psu_thread_malloc.pc | sort >"$work/wanted"
    find "$dest" -type f -printf '%f\n' | sort | diff -u "$work/wanted" -
}

# Global symbols that are not hidden: what a program can see.
same_exports() {
    readelf -sW "$(find "$dest" -name libpsu_thread.a)" |
        awk '$5 == "GLOBAL" && $6 == "DEFAULT" && $7 != "UND" { print $8 }' |
        sort | diff -u "$srcdir/tests/install/exports.txt" -
}

# It has libc's names: each one more is one that libc has not any more.
same_malloc() {
    nm -D --defined-only "$(find "$dest" -name libpsu_thread_malloc.so.0)" |
        awk '{ print $3 }' | sort |
        diff -u "$srcdir/tests/install/exports_malloc.txt" -
}

# The C++ ABI's: destructors of thread-locals travel.
only_public_names() {
    ! grep -Ev '^(psu_thread_.*|__cxa_thread_atexit)$' \
        "$srcdir/tests/install/exports.txt"
}

# ---- a user's program

flags() {
    local pc
    pc=$(find "$dest" -name psu_thread.pc)
    PKG_CONFIG_SYSROOT_DIR=$dest PKG_CONFIG_PATH=${pc%/*} \
        pkg-config "$@" "${package:-psu_thread}"
}

compile_header() { # compiler, options...
    local cflags
    read -ra cflags <<<"$(flags --cflags)"
    printf '#include <psu_thread.h>\n' >"$work/alone.c"
    "$@" "${cflags[@]}" -Wall -Wextra -pedantic -Werror -fsyntax-only \
        "$work/alone.c"
}

build_program() {
    local cflags libs
    read -ra cflags <<<"$(flags --static --cflags)"
    read -ra libs <<<"$(flags --static --libs)"
    # shellcheck disable=SC2086 # $cc is words
    $cc -O2 "${cflags[@]}" "$srcdir/tests/install/hello.c" "${libs[@]}" \
        -o "$work/hello"
}

is_static() {
    local headers
    headers=$(readelf -lW "$work/hello")
    [[ $headers != *INTERP* && $headers != *DYNAMIC* ]]
}

is_at_fixed_addresses() {
    readelf -hW "$work/hello" | grep -q 'Type: *EXEC'
}

begins_in_library() {
    local entry symbol
    entry=$(readelf -hW "$work/hello" | awk '/Entry point/ { print $4 }')
    symbol=$(nm "$work/hello" | awk '$3 == "psu_thread_entry" { print $1 }')
    [[ -n $symbol ]] && ((entry == 16#$symbol))
}

has_plain_stack() {
    readelf -lW "$work/hello" | grep -q 'GNU_STACK .* RW '
}

has_relro() {
    readelf -lW "$work/hello" | grep -q GNU_RELRO
}

has_unwind_table() {
    readelf -lW "$work/hello" | grep -q GNU_EH_FRAME
}

reaches_library() {
    local said
    said=$("$work/hello" "$work/none" 2>/dev/null)
    grep -qx 'CERTS_MISSING: .*none.*' <<<"$said" || {
        printf '%s\n' "$said"
        return 1
    }
}

# Though it calls none of it itself, and before libc.
links_malloc() {
    local cflags libs
    read -ra cflags <<<"$(package=psu_thread_malloc flags --cflags)"
    read -ra libs <<<"$(package=psu_thread_malloc flags --libs)"
    # shellcheck disable=SC2086 # $cc is words
    $cc -O2 "${cflags[@]}" "$srcdir/examples/hello.c" -Wl,--as-needed \
        "${libs[@]}" -o "$work/routed"
    readelf -dW "$work/routed" | awk '
        /NEEDED.*\[libpsu_thread_malloc/ { found = 1 }
        /NEEDED.*\[libc\.so/ { exit !found }'
}

# ---- the examples, each between two processes

build_example() { # program, profile, compiler, options...
    local kind=() cflags libs
    [[ $2 == dynamic ]] || kind=(--static)
    read -ra cflags <<<"$(flags "${kind[@]}" --cflags)"
    read -ra libs <<<"$(flags "${kind[@]}" --libs)"
    [[ $2 == static ]] ||
        libs+=("-Wl,-rpath,$(dirname "$(find "$dest" -name libpsu_thread.so)")")
    "${@:3}" -O2 -Wall -Wextra -Werror "${cflags[@]}" \
        "$srcdir/examples/${1%%.*}.c" -x none "${libs[@]}" \
        -o "$work/$1"
}

prepare_hosts() {
    mkdir -m 700 "$work/run"
    export PSU_THREAD_RUNTIME=$work/run PSU_THREAD_LISTEN=127.0.0.1:0
    "$(find "$dest" -name make-certs.sh)" "$work/keys" hosta=127.0.0.1 \
        hostb=127.0.0.1
}

# Both hosts' output is in $work/hosta.out and $work/hostb.out.
move() { # program, hosts that hosta tries first...
    local i
    rm -f "$work/port"
    PSU_THREAD_CERTS=$work/keys/hostb PSU_THREAD_PORT_FILE=$work/port \
        timeout 60 "$work/$1" >"$work/hostb.out" &
    server=$!
    for ((i = 0; i < 1000; i++)); do
        [[ ! -s $work/port ]] || break
        kill -0 "$server" || return 1
        sleep 0.02
    done
    PSU_THREAD_CERTS=$work/keys/hosta timeout 60 "$work/$1" "${@:2}" \
        "127.0.0.1:$(<"$work/port")" >"$work/hosta.out" || return 1
    wait "$server" || return 1
    server=
}

expect_output() { # host, pattern of each line...
    local lines i
    mapfile -t lines <"$work/$1.out"
    printf '%s\n' "$1:" "${lines[@]}"
    ((${#lines[@]} == $# - 1)) || return 1
    for ((i = 0; i < ${#lines[@]}; i++)); do
        [[ ${lines[i]} =~ ^${*:i + 2:1}$ ]] || return 1
    done
}

moves_hello() { # program
    move "$1" && expect_output hosta 'before the move: .+' &&
        expect_output hostb 'after the move: .+'
}

moves_refused() { # program
    move "$1" 127.0.0.1:none 127.0.0.1:0 &&
        expect_output hosta '127.0.0.1:none refused: an argument is .*' \
            '    .*none.*: .*' '127.0.0.1:0 refused: .*' '    .*: .*' &&
        expect_output hostb 'At .* after 3 tries'
}

moves_deep() { # program
    move "$1" &&
        expect_output hosta '.+: 10000 frames, one leads to the next' &&
        expect_output hostb '.+: 10000 frames, one leads to the next' \
            '10000 calls have returned'
}

moves_offload() { # program
    move "$1" && expect_output hosta \
        '168 primes below 1000, and the thread ended at hosta' &&
        expect_output hostb
}

strictly() { # command...
    PSU_THREAD_STRICT=1 "$@"
}

check_examples() { # language, compiler, options...
    local example profile what
    for profile in static dynamic; do
        for example in hello refused deep offload; do
            what="$example.c, $1, $profile:"
            check "$what links" build_example "$example.$1.$profile" \
                "$profile" "${@:2}"
            check "$what moves" "moves_$example" "$example.$1.$profile"
            check "$what leaves nothing behind" strictly \
                "moves_$example" "$example.$1.$profile"
        done
    done
}

# Nothing but the library is named, which brings the others.
links_library_alone() {
    [[ $(flags --libs-only-l | xargs) == -lpsu_thread ]]
}

main() {
    check 'make install' make install DESTDIR="$dest"
    check 'nothing but header, libraries and .pc' same_files
    check 'exports as in exports.txt' same_exports
    check 'nothing but public names is exported' only_public_names
    check 'libpsu_thread_malloc.so exports as in exports_malloc.txt' same_malloc
    # shellcheck disable=SC2086 # $cc is words
    check 'the header compiles as C11' compile_header $cc -std=c11 -x c
    if command -v "${cxx%% *}" >/dev/null; then
        # shellcheck disable=SC2086
        check 'the header compiles as C++17' compile_header $cxx -std=c++17 \
            -x c++
    fi
    check 'a program links' build_program
    check 'it is static' is_static
    check 'it lies at fixed addresses' is_at_fixed_addresses
    check 'it begins at psu_thread_entry' begins_in_library
    check 'its stack is not executable' has_plain_stack
    check 'it has RELRO' has_relro
    check 'it has an unwind table' has_unwind_table
    check 'it runs and reports CERTS_MISSING' reaches_library
    check 'dynamic programs link it alone' links_library_alone
    check 'they link libpsu_thread_malloc.so before libc' links_malloc
    check 'make-certs.sh makes the keys of two hosts' prepare_hosts
    # shellcheck disable=SC2086
    check_examples C $cc -x c
    if command -v "${cxx%% *}" >/dev/null; then
        # shellcheck disable=SC2086
        check_examples C++ $cxx -x c++
    fi
    printf '%d passed, %d failed\n' "$passed" "$failed"
    ((failed == 0))
}

main
