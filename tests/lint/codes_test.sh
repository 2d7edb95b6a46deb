#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# codes_test.sh - has this run of the tests produced every error code?
#
# In: $srcdir; the logs of all other tests, in the build tree.  A code counts
# if a real process logged it, which the log of a journey test tells by
# "# produced: CODE" (lib.sh), that of a travel test by the line itself.
# "# cannot produce: CODE: why" excuses it on this machine.  Out: each code that
# nobody produced; exit status 0 or 1, or 77 if the tests have not all run.

set -euo pipefail
export LC_ALL=C

srcdir=${srcdir:-.}

# No real process can get into these: a unit test suffices.
declare -A unit_suffices=(
    # head_len: as many frames as may be and a home zone's thread-locals are
    # less than 10 MiB; it takes an image of another making
    [IMAGE_TOO_LARGE]=tests/unit/test_image.log
)

# Every code of the table.
list_codes() {
    sed -n 's/^\tX(\([A-Z_]*\), -[0-9]*,.*/\1/p' \
        "$srcdir/include/psu_thread.h"
}

require_logs() {
    local script log
    for script in "$srcdir"/tests/journey/*.sh; do
        # not what others only read
        [[ $(head -c 2 "$script") == '#!' ]] || continue
        log=tests/journey/$(basename "$script" .sh).log
        [[ -f $log && ! $log -ot libpsu_thread.a ]] || {
            echo "skipped: $log is missing or old: run all tests first"
            exit 77
        }
    done
}

main() {
    local code missing=0 count=0
    local -A produced=() excuses=()
    require_logs
    while read -r code; do
        produced[$code]=1
    done < <(sed -nE -e 's/^# produced: ([A-Z_]+)$/\1/p' \
        -e 's/^\[error\] ([A-Z_]+): .*: .*/\1/p' \
        tests/journey/*.log tests/travel/*.log)
    while IFS=' ' read -r code why; do
        excuses[${code%:}]=$why
    done < <(sed -n 's/^# cannot produce: //p' tests/journey/*.log)

    while read -r code; do
        count=$((count + 1))
        if [[ ${produced[$code]-} ]]; then
            continue
        elif [[ ${unit_suffices[$code]-} ]] &&
            grep -qs "^\[error\] $code: " "${unit_suffices[$code]}"; then
            echo "unit test    $code"
        elif [[ ${excuses[$code]-} ]]; then
            echo "not here     $code: ${excuses[$code]}"
        else
            echo "NOT PRODUCED $code"
            missing=$((missing + 1))
        fi
    done < <(list_codes)
    echo "$count codes, $missing of them not produced"
    ((count > 0 && missing == 0))
}

main
