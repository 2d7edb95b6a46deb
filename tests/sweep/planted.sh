#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# planted.sh - the sweep finds bugs that are planted in the handover
#
# usage: planted.sh [PLANT]...
#
# Each plant changes a copy of one source file, and a nomad is linked with it
# in the place of the library's.  Some cases that are known to meet it are
# played; one of them must bring the complaint.  A change that changes nothing
# is an error.  So is a complaint about what was not changed.

# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"

certs=$work/certs
make_certs "$certs" a=127.0.0.1 b=127.0.0.1
CC=${CC:-gcc}
read -ra user_flags <<<"$(flags --static --cflags --libs)"
rc=0

build_nomad() { # program, more objects
    $CC -std=gnu11 -D_GNU_SOURCE -O1 -w -o "$1" \
        "$srcdir/tests/sweep/nomad.c" "${@:2}" "${user_flags[@]}" \
        2>"$work/link.err" || {
        cat "$work/link.err"
        return 1
    }
}

plant() { # name, file, expression
    cp "$srcdir/src/handover/$2" "$work/$1.c"
    sed -i "$3" "$work/$1.c"
    ! cmp -s "$srcdir/src/handover/$2" "$work/$1.c" &&
        $CC -std=gnu11 -D_GNU_SOURCE -O1 -w -I"$srcdir/include" \
            -I"$srcdir/src" -c -o "$work/$1.o" "$work/$1.c" &&
        build_nomad "$work/$1" "$work/$1.o" && return
    echo "ERROR  $1: it cannot be planted"
    rc=1
    return 1
}

# Words after the last place at which it could happen, counted backwards.
play() { # program, shape, fault, where, how far from the end, when
    local total
    total=$(SWEEP_NOMAD=$1 tests/sweep/case "$work/events" "$certs" \
        "$2" "$3" "$4" 0 soon | sed -n 's/.*fired of \([0-9]*\),.*/\1/p')
    SWEEP_NOMAD=$1 timeout 100 tests/sweep/case "$work/events" "$certs" \
        "$2" "$3" "$4" $((total - $5)) "$6"
}

# Play until the complaint comes; by the true nomad it must not.
expect() { # name, complaint, shape, fault, where, when, how far from the end...
    local place line
    for place in "${@:7}"; do
        line=$(play "$work/$1" "$3" "$4" "$5" "$place" "$6")
        [[ $line == *"NOT OK: $2"* ]] || continue
        echo "found  $1: $line"
        line=$(play tests/sweep/nomad "$3" "$4" "$5" "$place" "$6")
        [[ $line == *"NOT OK"* ]] || return
        echo "ERROR  $1: without it: $line"
        rc=1
        return
    done
    echo "MISSED $1: $line"
    rc=1
}

try() { # name, file, expression, what expect() takes
    ((${#only[@]} == 0)) || [[ " ${only[*]} " == *" $1 "* ]] || return
    plant "$1" "$2" "$3" && expect "$1" "${@:4}"
}

# In doubt a broken line makes the source go on, after COMMIT too ...
in_doubt='/^static unsigned step_in_doubt/,/^}/'
broken="${in_doubt}s/source->may_ask = false;\$/"
go_on="${broken}return go_on(source, event->code, 0);/"
try goes-on-in-doubt source.c "$go_on" \
    "two copies" one reset in soon {10..300..40}
try goes-on-after-commit source.c "$go_on" \
    "two copies" two reset in soon {10..300..40}
# ... or believe that all went well.
end='return PSU_SOURCE_END;'
try believes source.c \
    "${broken}{ source->state = PSU_SOURCE_RUNNING_AT; $end }/" \
    "lost in silence" one reset out soon {100..900..100}
# Whoever answers in its place is taken for proof of its death.
lost='source->state = PSU_SOURCE_LOST_WITH;'
try any-answer-is-death source.c \
    "${in_doubt}s/^\tcase PSU_SOURCE_UNKNOWN:\$/&\n$lost\n$end/" \
    "client says it is lost" one usurp in soon {10..300..40}
# The thread starts although the move was cancelled.
try starts-cancelled dest.c \
    '/psu_dest_ready(/,/^}/s/return undo(record)/return begin(dest, record)/' \
    "two copies" full tear out soon {300..10000..1500}
# A CANCEL that comes before the offer leaves no tombstone.
try no-tombstone dest.c \
    '/^bury(/,/^}/s/record->code = code;/&record->migration.bytes[0] ^= 1;/' \
    "two copies" one tear out soon {600..1600..60}
exit $rc
