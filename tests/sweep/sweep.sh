#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# sweep.sh - one fault at every place of a move, and one owner after each
#
# usage: sweep.sh [all | sample] [ROW...]
#
# ROW is a pattern of the table below, as 'one reset *'.  Each row is one kind
# of fault, at each byte, system call or message of the move in turn: so many
# cases, each with processes of its own (case.c).  A sample takes some of each
# row, drawn by $SWEEP_SEED.  $SWEEP_JOBS (2) cases are played at a time, and
# $SWEEP_WAITING (16) of those that mostly wait.  $SWEEP_STRIDE is the distance
# of the bytes at which a long body is cut in its middle; at its ends it is
# each.  Out: what the cases of each row ended as; exit status 0 if all were
# known outcomes and true, and the faults have come often enough.  What failed
# is kept in ./sweep-failed.

# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"

seed=${SWEEP_SEED:-1}
jobs=${SWEEP_JOBS:-2}
waiting=${SWEEP_WAITING:-16}
stride=${SWEEP_STRIDE:-61}
what=all
if [[ ${only[0]-} == @(all|sample) ]]; then
    what=${only[0]}
    only=("${only[@]:1}")
fi

# shape, fault, where, when it is mended; how many of it are in a sample, and
# whether its cases mostly wait.
rows() {
    cat <<'END'
one reset out soon 40
one reset in soon 30
one reset out never 4 waits
one reset in never 4 waits
one finish out soon 30
one finish in soon 20
one finish out never 2 waits
one finish in never 2 waits
one stall out soon 8 waits
one stall in soon 8 waits
one stall out late 2 waits
one stall in late 2 waits
one tear out soon 20 waits
one tear in soon 10 waits
one tear out late 10 waits
one usurp out soon 4 waits
one usurp in soon 4 waits
one kill client soon 40
one kill server soon 40
one kill server never 4 waits
one stop client soon 6 waits
one stop server soon 6 waits
one stop client late 1 waits
one stop server late 2 waits
one drop out soon 2 waits
one drop in soon 2 waits
one drop both soon 2 waits
one drop out late 1 waits
one drop in late 1 waits
one drop both late 1 waits
one drop out never 1 waits
one drop in never 1 waits
one drop both never 1 waits
full reset out soon 15
full reset in soon 15
full tear out soon 15 waits
full tear out late 8 waits
full stall out soon 4 waits
full kill client soon 15
full kill server soon 15
two reset out soon 30
two reset in soon 30
two reset in never 4 waits
two finish out soon 15
two finish in soon 15
two finish in never 4 waits
two stall out soon 4 waits
two stall in soon 4 waits
two stall out late 2 waits
two stall in late 2 waits
two tear out soon 4 waits
two tear in soon 15 waits
two usurp in soon 4 waits
two kill client soon 40
two kill server soon 40
two kill server never 4 waits
two stop client soon 6 waits
two stop server soon 6 waits
two stop client late 2 waits
two stop server late 2 waits
two drop out soon 2 waits
two drop in soon 2 waits
two drop both soon 2 waits
two drop out late 1 waits
two drop in late 1 waits
two drop both late 1 waits
two drop out never 1 waits
two drop in never 1 waits
two drop both never 1 waits
result reset out soon 20
result reset in soon 20
result finish in soon 10
result stall in soon 2 waits
result kill client soon 20 waits
result kill server soon 20 waits
result drop out soon 1 waits
result drop in soon 1 waits
home reset out soon 20
home reset in soon 20
home finish out soon 10
home finish in soon 10
home stall out soon 4 waits
home stall in soon 4 waits
home tear out soon 10 waits
home tear in soon 10 waits
home kill client soon 20 waits
home kill server soon 20 waits
home kill server never 2 waits
home stop client soon 4 waits
home stop server soon 4 waits
home stop client late 1 waits
home stop server late 1 waits
home drop out soon 1 waits
home drop in soon 1 waits
home drop both soon 1 waits
home drop both late 1 waits
home drop both never 1 waits
home-two reset out soon 15
home-two reset in soon 15
home-two finish in soon 10
home-two tear in soon 8 waits
home-two kill client soon 15 waits
home-two kill server soon 15 waits
round reset home-out soon 15
round reset home-in soon 15
round kill client soon 15 waits
round kill server soon 15 waits
END
}

# ---- one case, in a shell of its own

play() { # shape, fault, where, n, when
    local events=$work/played/$BASHPID status=0
    mkdir -m 700 "$events" "$events/run"
    # of its own: each process that starts looks at what all others have left
    PSU_THREAD_RUNTIME=$events/run timeout -k 1 200 \
        tests/sweep/case "$events/events" "$certs" "$@" || status=$?
    if ((status)); then
        mkdir -p sweep-failed
        rm -rf "sweep-failed/$(tr ' ' - <<<"$*")"
        mv "$events" "sweep-failed/$(tr ' ' - <<<"$*")"
        ((status < 3)) || echo "$*: NOT OK: case ended with $status"
    else
        rm -rf "$events"
    fi
}
export -f play
export work

# ---- the cases of a row

# Bytes, system calls or messages by shape, fault and where: the fewest and the
# most of two runs.
declare -A counted=()

# At how many places it can happen, in $places, and how many of them are there
# in each run, in $sure: what two runs without it say.
count_places() { # shape, fault, where
    local fault=$2
    case $fault in
    finish | stall | tear | usurp) fault='reset' ;;
    stop) fault='kill' ;;
    esac
    if [[ ! ${counted[$1 $fault $3]-} ]]; then
        counted[$1 $fault $3]=$(
            {
                play "$1" "$fault" "$3" 0 soon
                play "$1" "$fault" "$3" 0 soon
            } | sed -n 's/.*not fired of \([0-9]*\),.*/\1/p' | sort -n |
                xargs
        )
    fi
    read -r sure places <<<"${counted[$1 $fault $3]}"
}

# Threads take turns in other ways each time: some calls more.
list_places() { # fault, how many
    case $1 in
    kill | stop) seq 1 $(($2 + $2 / 10)) ;;
    drop) seq 1 "$2" ;;
    *) seq 1 "$2" | awk -v n="$2" -v stride="$stride" \
        '$1 < 4000 || $1 > n - 2000 || $1 % stride == 0' ;;
    esac
}

draw() { # how many
    if [[ $what == sample ]]; then
        awk -v seed="$seed" 'BEGIN { srand(seed) }
            { printf "%.9f %s\n", rand(), $0 }' | sort | head -n "$1" |
            cut -d ' ' -f 2-
    else
        cat
    fi
}

list_cases() { # shape, fault, where, when, how many
    local sure places
    count_places "$1" "$2" "$3"
    if ((${places:-0} == 0)); then
        echo "$1 $2 $3 0 $4: NOT OK: no place" >>"$results"
        return
    fi
    echo "$1 $2 $3 $4: $sure" >>"$work/places"
    list_places "$2" "$places" | draw "$5" |
        sed "s/.*/$1 $2 $3 & $4/"
}

is_wanted() { # row
    local pattern
    for pattern in "${only[@]}"; do
        # shellcheck disable=SC2053 # a pattern
        [[ $1 != $pattern ]] || return 0
    done
    ((${#only[@]} == 0))
}

can_drop() {
    ((EUID == 0)) && [[ -c /dev/net/tun ]] && unshare --net true 2>/dev/null
}

# ---- the table of what they ended as

summarize() {
    sed -E 's/^([a-z-]+ [a-z]+ [a-z-]+) [0-9]+ ([a-z]+): /\1 \2: /
        s/: (NOT OK|cannot be played).*/: \1/
        s/: [^;]*; not fired.*/: not reached/
        s/; fired.*//' "$results" | sort | uniq -c |
        awk '{ count = $1; $1 = ""; at = index($0, ": ")
            row = substr($0, 2, at - 2); what = substr($0, at + 2)
            line[row] = line[row] (line[row] ? ", " : "") count " " what }
            END { for (row in line) print row ": " line[row] }' | sort
}

# A row, or a kind of fault, that hardly ever comes has tried nothing.  Judged
# is the first half of the places that were counted, which a shorter run has
# too.  Fewer than four cases say too little.
judge_rows() {
    awk 'FNR == NR { judged[$1 " " $2 " " $3 " " $4] = $5 / 2; next }
        { row = $1 " " $2 " " $3 " " $5; kind = "each " $2 ":" }
        !(row in judged) || $4 > judged[row] { next }
        { came = /; fired of/
            tried[row]++; fired[row] += came
            tried[kind]++; fired[kind] += came }
        END { for (what in tried)
            if (tried[what] >= 4 && 2 * fired[what] < tried[what])
                printf "%s NOT OK: it came in %d of %d cases\n", what,
                    fired[what], tried[what] }' "$work/places" "$results" |
        sort
}

main() {
    local cases shape fault where when count waits
    mkdir "$work/played"
    touch "$work"/list.{works,waits} "$work/places"
    make_certs "$certs" a=127.0.0.1,10.77.0.1 b=127.0.0.1,10.77.0.2
    can_drop || echo "# no network namespaces here: no rows of 'drop'"
    while read -r shape fault where when count waits; do
        is_wanted "$shape $fault $where $when" || continue
        [[ $fault != drop ]] || can_drop || continue
        list_cases "$shape" "$fault" "$where" "$when" "$count" \
            >>"$work/list.${waits:-works}"
    done < <(rows)
    echo "# seed $seed, $(cat "$work"/list.* | wc -l) cases"
    xargs -r -a "$work/list.works" -P "$jobs" -n 5 \
        bash -c 'play "$@"' - >>"$results" &
    xargs -r -a "$work/list.waits" -P "$waiting" -n 5 \
        bash -c 'play "$@"' - >>"$results"
    wait $!
    cases=$(wc -l <"$results")
    judge_rows >"$work/idle"
    cat "$work/idle" >>"$results"
    summarize
    grep 'NOT OK\|cannot be played' "$results" | head -n 50
    echo "$cases cases in $SECONDS s," \
        "$(grep -c 'NOT OK\|cannot be played' "$results") not ok"
    ((cases)) && ! grep -q 'NOT OK\|cannot be played' "$results"
}

certs=$work/certs
export certs
main
