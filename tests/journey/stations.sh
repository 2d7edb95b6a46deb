# SPDX-License-Identifier: ISC
# shellcheck shell=bash disable=SC2034,SC2154,SC2317
#
# stations.sh - processes that obey words (station.c), for serve.sh, frozen.sh
#
# Each has a pipe for the words, and says on its output what its threads do and
# what it knows of them.

certs=$work/certs
make_certs "$certs" a=127.0.0.1 b=127.0.0.1 c=127.0.0.1

# A code by its name, and its sentence.
number() { # name
    sed -n "s/^\tX($1, \(-[0-9]*\),.*/\1/p" "$srcdir/include/psu_thread.h"
}

strerror() { # code
    sed -n "s/^\tX($1, -[0-9]*, \"\(.*\)\").*/\1/p" \
        "$srcdir/include/psu_thread.h"
}

declare -A ports=()

# Start a process: a client, or a server, whose port is in ports[WHO].
# Another may listen where one did that has ended.
station() { # who, mode, certs' name (who)
    local -x PSU_THREAD_LISTEN=$PSU_THREAD_LISTEN
    if [[ $2 == 1 && $PSU_THREAD_LISTEN == *:0 ]]; then
        keep_port
        PSU_THREAD_LISTEN=$kept
    fi
    start_told "$1" tests/journey/station "$2" "$certs/${3-$1}"
    if [[ $2 == 1 ]]; then
        await_port "$1" "$started"
        ports[$1]=$port
    fi
}

# A case, and the end of its processes.
with_stations() { # function
    local who
    "$1"
    for who in "${!pids[@]}"; do
        kill -CONT "${pids[$who]}" 2>/dev/null
        tell "$who" quit
    done
}

await_said() { # who, line, seconds (10)
    await_line "$dir/$1.out" "^$2\$" "${3-10}"
}

# What it lists now, but for threads that move on meanwhile: until it is so.
await_listed() { # who, line
    await 10 is_listed "$@" || wrong "$1 does not list '$2'"
}

is_listed() { # who, line
    local before lines
    before=$(grep -c '^listed ' "$dir/$1.out")
    tell "$1" list
    await 10 eval "(( \$(grep -c '^listed ' $dir/$1.out) > $before ))"
    lines=$(awk -v from="$before" \
        '/^listed / { seen++ } seen >= from' "$dir/$1.out")
    grep -Eqx -- "$2" <<<"$lines"
}

# A first thread from a opens the session; by that its result comes home, and so
# a second one opens another, which is a's to ask on.
visit() { # who
    local name
    tell "$1" serve 0
    for name in nought zero; do
        tell a start $name 0 "127.0.0.1:${ports[$1]}"
        await_said "$1" "$name ends"
        await_listed a "$name ended .*"
    done
    tell a join nought
    await_said a 'joined nought: 0, .*'
}
