#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# system_tls.sh - which thread-locals are the system's own, as rows in C
#
# In: $CC, whose static archives a migratable program is linked with, and
# $READELF (default readelf).  Out: rows {name, size} of start/layout.c's
# table.  Archives that are not installed are left out.

set -euo pipefail
export LC_ALL=C

libraries=(c m crypto ssl sodium unwind unwind-x86_64 lzma gcc_eh gcc stdc++
    gomp)

list_archives() {
    local library path
    for library in "${libraries[@]}"; do
        # shellcheck disable=SC2086 # $CC is words
        path=$(${CC:-cc} -print-file-name="lib$library.a")
        [[ $path != */* ]] || printf '%s\n' "$path"
    done
}

# readelf complains of members without symbols, and of libm.a, which is a
# linker script.
list_archives | { xargs -d '\n' "${READELF:-readelf}" -sW 2>/dev/null || :; } |
    awk '$4 == "TLS" && $7 != "UND" { printf "{\"%s\", %s},\n", $8, $3 }' |
    sort -u
