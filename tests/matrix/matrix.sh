#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# matrix.sh - all travel tests, built in the ways in which users build
#
# usage: matrix.sh [-j JOBS] [PATTERN]...
#
# In: a built tree with tests/travel/libtravel.so, the current directory;
# $srcdir (default .).  A row of the table below is a compiler with flags and
# linker's flags, and the profiles it is built in; PATTERNs choose of all
# ROW/PROFILE.  A static program's other flags come from pkg-config, as users'
# do.  The tests of each go one hop, and there and back.
# Out: a line for each with its time, and the log of one that failed; exit
# status 0, 1 if one failed, 77 if none did but a compiler or linker is missing.

set -euo pipefail
shopt -s inherit_errexit
export LC_ALL=C
unset MAKEFLAGS MFLAGS MAKELEVEL PSU_THREAD_CERTS

# name | compiler | its flags | flags of the linking step | profiles, or all
# Left out, with the reason:
#   clang-lto-lld/static  lld lays what it compiles behind all else, thread-
#                         locals too, where they cannot travel (TLS_LAYOUT)
readonly table='
O0            | gcc   | -O0 -fno-omit-frame-pointer  |               | all
O1            | gcc   | -O1 -fomit-frame-pointer     |               | all
O2            | gcc   | -O2 -fomit-frame-pointer     |               | all
O2-fp         | gcc   | -O2 -fno-omit-frame-pointer  |               | all
O3            | gcc   | -O3 -fomit-frame-pointer     |               | all
O2-pic        | gcc   | -O2 -fPIC                    |               | static
Os            | gcc   | -Os -fno-omit-frame-pointer  |               | all
ssp-all       | gcc   | -O2 -fstack-protector-all    |               | all
cf-protection | gcc   | -O2 -fcf-protection=full     |               | all
stack-clash   | gcc   | -O2 -fstack-clash-protection |               | all
fortify       | gcc   | -O2 -D_FORTIFY_SOURCE=3      |               | all
lto           | gcc   | -O2 -flto                    | -O2 -flto     | all
gold          | gcc   | -O2                          | -fuse-ld=gold | all
lld           | gcc   | -O2                          | -fuse-ld=lld  | all
clang-O0      | clang | -O0                          |               | all
clang-O2      | clang | -O2                          |               | all
clang-lto     | clang | -O2 -flto                    | -O2 -flto     | all
clang-lto-lld | clang | -O2 -flto           | -flto -fuse-ld=lld | pie no-pie
'

# Flags of a profile, beside pkg-config's.
declare -rA profile_cflags=([pie]=-fPIE [no-pie]=-fno-pie)
declare -rA profile_ldflags=([static]='' [pie]=-pie [no-pie]=-no-pie)
declare -rA cxx_of=([gcc]=g++ [clang]=clang++)

jobs=$(nproc)
if [[ ${1-} == -j ]]; then
    jobs=$2
    shift 2
fi
patterns=("${@:-*}")
build=$PWD
export srcdir
srcdir=$(cd -- "${srcdir:-.}" && pwd)
work=$(mktemp -d)
results=$work/results
: >"$results"
trap 'kill $(jobs -rp) 2>/dev/null || true; wait; rm -rf -- "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# ---- one row in one profile

flags() { # options of pkg-config...
    PKG_CONFIG_PATH=$build pkg-config --define-variable=libdir="$build" \
        --define-variable=includedir="$srcdir/include" "$@" psu_thread
}

# Set cc, cxx, cflags, ldflags and libs of a row; and driver, which in dynamic
# programs is in a library with what it uses of ours, which is not exported.
choose() { # compiler, its flags, linker's flags, profile
    cc=$1 cxx=${cxx_of[$1]} driver=
    if [[ $4 == static ]]; then
        read -ra cflags <<<"$(flags --static --cflags) $2"
        read -ra libs <<<"$(flags --static --libs)"
        driver=c/driver.o
    else
        read -ra cflags <<<"${profile_cflags[$4]} $(flags --cflags) $2"
        libs=("$build/tests/travel/libtravel.so"
            "-Wl,-rpath,$build/tests/travel")
    fi
    read -ra ldflags <<<"$3 ${profile_ldflags[$4]}"
    cflags+=(-D_GNU_SOURCE "-I$srcdir/src")
}

# Is there what the row needs?  Tried with a program of the same language,
# but without the library.
is_there() {
    printf 'int main(void) { return 0; }\n' >probe.c
    "$cc" "${cflags[@]}" "${ldflags[@]}" -o probe probe.c &&
        "$cxx" "${cflags[@]}" "${ldflags[@]}" -o probe -x c++ probe.c
}

compile() { # compiler, standard, source, object
    local name=${3##*/}
    "$1" -std="$2" "${cflags[@]}" -Dtravel="travel_${name%.*}" -c -o "$4" "$3"
}

build_tests() {
    local source name
    mkdir c cxx
    for source in "$srcdir"/tests/travel/*.c; do
        name=${source##*/}
        compile "$cc" gnu11 "$source" "c/${name%.c}.o"
    done
    for source in "$srcdir"/tests/travel/*.cc; do
        name=${source##*/}
        compile "$cxx" gnu++17 "$source" "cxx/${name%.cc}.o"
    done
    cflags+=(-DTRAVEL_CXX)
    compile "$cc" gnu11 "$srcdir/tests/travel/list.c" cxx/list.o
    [[ $driver ]] || rm c/driver.o
    "$cc" "${ldflags[@]}" -o c.travel c/*.o "${libs[@]}" -lm
    # shellcheck disable=SC2086 # none or one
    "$cxx" "${ldflags[@]}" -o cxx.travel cxx/*.o $driver "${libs[@]}"
}

# In a process of its own, in a directory of its own.
attend() { # compiler, its flags, linker's flags, profile
    choose "$@"
    is_there || return 77
    build_tests
    "$srcdir/tests/travel/travel.sh" ./c.travel
    "$srcdir/tests/travel/travel.sh" ./cxx.travel
}

report() { # name, seconds, exit status, log
    case $3 in
    0) printf 'ok      %-24s %3d s\n' "$1" "$2" ;;
    77)
        printf 'skipped %-24s %s\n' "$1" "$(grep -m 1 error "$4" ||
            tail -n 1 "$4")"
        ;;
    *)
        printf 'not ok  %-24s %3d s; of its log:\n' "$1" "$2"
        grep -vE '^(ok |#)' "$4" | tail -n 80
        ;;
    esac
    printf '%s\n' "$3" >>"$results"
}

run_row() { # name, compiler, its flags, linker's flags, profile
    local begun=$SECONDS status=0 dir=$work/$1
    mkdir -p "$dir"
    (
        cd "$dir"
        "$srcdir/tests/matrix/matrix.sh" --attend "$build" "${@:2}"
    ) >"$dir.log" 2>&1 || status=$?
    report "$1" $((SECONDS - begun)) "$status" "$dir.log"
    rm -rf -- "$dir"
}

# ---- all of them

is_wanted() { # name
    local pattern
    for pattern in "${patterns[@]}"; do
        # shellcheck disable=SC2053 # a pattern it is
        [[ $1 != $pattern ]] || return 0
    done
    return 1
}

count() { # exit status
    grep -cx "$1" "$results" || true
}

run_table() {
    local name compiler cflags ldflags profiles profile running=0
    while IFS='|' read -r name compiler cflags ldflags profiles; do
        for profile in ${profiles/all/static pie no-pie}; do
            is_wanted "${name// /}/$profile" || continue
            if ((running == jobs)); then
                wait -n
                running=$((running - 1))
            fi
            run_row "${name// /}/$profile" "${compiler// /}" "$cflags" \
                "$ldflags" "$profile" &
            running=$((running + 1))
        done
    done < <(grep '|' <<<"$table")
    wait
}

main() {
    local all skipped passed
    run_table
    all=$(wc -l <"$results")
    passed=$(count 0)
    skipped=$(count 77)
    printf '%d passed, %d failed, %d skipped, in %d s\n' "$passed" \
        $((all - passed - skipped)) "$skipped" "$SECONDS"
    ((passed + skipped == all && all > 0)) || return 1
    ((skipped == 0)) || return 77
}

if [[ ${1-} == --attend ]]; then
    build=$2
    attend "${@:3}"
    exit
fi
main
