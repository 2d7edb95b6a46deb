#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# install.sh - is what `make install` puts in place all that a user needs?
#
# In: a built tree, the current directory; $srcdir (default .); $CC, $CXX.
# Installs under a temporary directory and looks at it as a user would: which
# files, which symbols, does the header compile alone, does a program that is
# built with pkg-config's flags have the marks of a migratable one, and does
# it reach the library.  Out: one line for each; exit status 0 or 1.

set -euo pipefail
export LC_ALL=C

srcdir=$(cd -- "${srcdir:-.}" && pwd)
cc=${CC:-cc}
cxx=${CXX:-c++}
work=$(mktemp -d)
dest=$work/dest
trap 'rm -rf -- "$work"' EXIT
passed=0
failed=0
unset MAKEFLAGS MFLAGS MAKELEVEL

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
    printf '%s\n' libpsu_thread.a libpsu_thread.so.0 make-certs.sh \
        psu_thread.h psu_thread.pc >"$work/wanted"
    find "$dest" -type f -printf '%f\n' | sort | diff -u "$work/wanted" -
}

# Global symbols that are not hidden: what a program can see.
same_exports() {
    readelf -sW "$(find "$dest" -name libpsu_thread.a)" |
        awk '$5 == "GLOBAL" && $6 == "DEFAULT" && $7 != "UND" { print $8 }' |
        sort | diff -u "$srcdir/tests/install/exports.txt" -
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
        pkg-config "$@" psu_thread
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
    # the linker remarks on getaddrinfo in static programs
    # shellcheck disable=SC2086 # $cc is words
    $cc -O2 "${cflags[@]}" "$srcdir/tests/install/hello.c" "${libs[@]}" \
        -Wl,--no-warnings -o "$work/hello"
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

main() {
    check 'make install' make install DESTDIR="$dest"
    check 'nothing but header, libraries and .pc' same_files
    check 'exports as in exports.txt' same_exports
    check 'nothing but public names is exported' only_public_names
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
    printf '%d passed, %d failed\n' "$passed" "$failed"
    ((failed == 0))
}

main
