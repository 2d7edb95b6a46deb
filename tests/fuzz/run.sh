#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# run.sh - fuzz every target for a while
#
# usage: tests/fuzz/run.sh SECONDS [TARGET]...
#
# In: $srcdir (default .), the top of the source tree; $CLANG (default clang).
# Builds library and targets with libFuzzer, AddressSanitizer and UBSan in a
# temporary directory and fuzzes each target SECONDS long, from its committed
# corpus.  Out: what libFuzzer says of each target at its end.  Exit status 0;
# 1 if a target failed, its input kept; 77 where clang has no libFuzzer.

set -euo pipefail
export LC_ALL=C

seconds=${1:?usage: run.sh SECONDS [TARGET]...}
shift
targets=("$@")
(($#)) || targets=(seal itinerary image frame manifest peers heap)
srcdir=$(cd -- "${srcdir:-.}" && pwd)
cc=${CLANG:-clang}
# longest input worth trying: a little over what the decoder takes
declare -A max_len=([seal]=450 [itinerary]=7500 [image]=2048 [frame]=300
    [manifest]=10500 [peers]=4096 [heap]=8192)
flags=(-std=gnu11 -g -O1 -fno-omit-frame-pointer -D_GNU_SOURCE
    "-DPACKAGE_VERSION=\"fuzz\"" "-I$srcdir/include" "-I$srcdir/src"
    "-fsanitize=address,undefined" -fno-sanitize-recover=all)

work=$(mktemp -d)
keep=no
trap '[[ $keep == yes ]] || rm -rf -- "$work"' EXIT

skip() {
    printf 'skipped: %s\n' "$1"
    exit 77
}

printf '#include "fuzz.h"\n%s\n' \
    'int LLVMFuzzerTestOneInput(const uint8_t *b, size_t n)
     { (void)b; return (int)(n * 0); }' >"$work/probe.c"
command -v "$cc" >/dev/null || skip "there is no $cc here"
"$cc" "${flags[@]}" "-I$srcdir/tests/fuzz" -fsanitize=fuzzer "$work/probe.c" \
    -o "$work/probe" 2>/dev/null || skip "$cc cannot link libFuzzer"

# The whole library, as an archive: a target takes what it needs of it.
compile() { # source
    local object=$work/${1//\//_}.o own=(-fsanitize=fuzzer-no-link)
    # it runs before libc, and before any sanitizer
    [[ $1 != src/start/guards.c ]] ||
        own=(-fno-sanitize=all -fno-stack-protector)
    "$cc" "${flags[@]}" "${own[@]}" -c "$srcdir/$1" -o "$object"
}
# A table that the build makes; what is fuzzed never asks it.
mkdir "$work/start"
: >"$work/start/system_tls.inc"
flags+=("-I$work")
cd "$srcdir"
for source in src/*/*.c src/*/*.S; do
    compile "$source"
done
ar rcs "$work/library.a" "$work"/*.o

failed=0
for target in "${targets[@]}"; do
    "$cc" "${flags[@]}" -fsanitize=fuzzer "tests/fuzz/fuzz_$target.c" \
        tests/fuzz/travelled.c "$work/library.a" -lssl -lcrypto -lsodium \
        -lunwind-x86_64 -lunwind -llzma -o "$work/fuzz_$target"
    mkdir "$work/$target"
    if (cd "$work" && "./fuzz_$target" -max_total_time="$seconds" \
        -max_len="${max_len[$target]}" -timeout=10 -print_final_stats=1 \
        -artifact_prefix="$work/$target-" "$target" \
        "$srcdir/tests/fuzz/corpus/$target") >"$work/$target.log" 2>&1; then
        printf '%s: %s\n' "$target" \
            "$(grep -E '^(Done|stat::number_of_exec)' "$work/$target.log" |
                tr '\n' ' ')"
    else
        printf '%s: FAILED, the input is kept: %s\n' "$target" \
            "$(ls "$work/$target"-* 2>/dev/null || echo none)"
        tail -n 40 "$work/$target.log"
        failed=1
        keep=yes
    fi
done
exit "$failed"
