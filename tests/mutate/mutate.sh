#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# mutate.sh - do the tests that guard a check bite?
#
# usage: tests/mutate/mutate.sh [PATTERN]...    only mutants of such names
#
# In: $srcdir (default .), a source tree with its configure; *.mutants here, in
# the form that image.mutants describes.  Each mutant takes one check away in a
# copy of the tree; its test must pass without it and fail with it.  A test
# that hangs has failed.  Out: a line for each mutant, `N passed, M failed`;
# exit status 0 if all were found, 1 if one was not, or does not apply, or a
# test fails on the unchanged tree.

set -u
export LC_ALL=C
srcdir=$(cd -- "${srcdir:-.}" && pwd) || exit 1
patterns=("${@:-*}")
readonly limit_s=120 workers=2
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

die() {
    printf 'ERROR   %s\n' "$*"
    exit 1
}

# ---- the list

names=() files=() tests=() olds=() news=()

wanted() { # name
    local pattern
    for pattern in "${patterns[@]}"; do
        # shellcheck disable=SC2053 # a pattern
        [[ $1 == $pattern ]] && return
    done
    return 1
}

keep_mutant() {
    [[ $name ]] || return 0
    [[ $old ]] || die "$name: no text to change"
    ((replaced)) || new=$'0\n'
    if wanted "$name"; then
        names+=("$name") files+=("$file") tests+=("$test")
        olds+=("${old%$'\n'}") news+=("${new%$'\n'}")
    fi
    name='' old='' new='' replaced=0
}

read_list() {
    local list line file='' test='' name='' old='' new='' replaced=0
    for list in "$srcdir"/tests/mutate/*.mutants; do
        while IFS= read -r line; do
            case $line in
                '- '*) old+=${line:2}$'\n' ;;
                '+ '* | '+') new+=${line:2}$'\n' replaced=1 ;;
                'file '*) keep_mutant; file=${line:5} ;;
                'test '*) keep_mutant; test=${line:5} ;;
                'mutant '*) keep_mutant; name=${line:7} ;;
                '' | '#'*) ;;
                *) die "$list: '$line' is no line of a list" ;;
            esac
        done <"$list"
        keep_mutant
    done
}

# ---- the copies of the tree

# What the scripts of journeys run, by name.
readonly programs=(apps/app{1,3} tests/journey/stuck_{frames,state}
    tests/journey/{probe,strangers,hostile,words,deny,flights,hooks,station}
    tests/journey/{join,lines,forger,heap,keeper,check})

# Of them, and of the libraries, those that one script has to do with.
programs_of() { # script
    local text program
    text=$(cat "$srcdir/tests/journey/$1.sh" "$srcdir/tests/journey/lib.sh")
    [[ $text != */stations.sh* ]] ||
        text+=$(<"$srcdir/tests/journey/stations.sh")
    for program in "${programs[@]}"; do
        [[ ! $text =~ $program([^a-z_.]|$) ]] || echo "$program"
    done
    # for users' own command lines
    [[ ${text//flags()/} != *flags* ]] ||
        printf '%s\n' libpsu_thread.a libpsu_thread{,_malloc}.so
}

# What a test command needs to be made.
needs() { # command
    local word
    case $1 in
        travel/*) echo tests/travel/O2.travel ;;
        journey/*)
            word=${1#journey/}
            programs_of "${word%% *}"
            ;;
        *) for word in $1; do
            [[ $word != tests/* ]] || echo "$word"
        done ;;
    esac
}

# The command itself: travel/NAME is one travel test, journey/NAME a script.
command_of() { # command
    case $1 in
        travel/*) echo tests/travel/travel.sh tests/travel/O2.travel \
            "${1#travel/}" ;;
        journey/*) echo tests/"${1/ /.sh }" ;;
        *) echo "$1" ;;
    esac
}

build() { # worker, target...
    make -s -C "$work/$1" "${@:2}" >"$work/$1.log" 2>&1
}

run_test() { # worker, command
    { (cd "$work/$1" && srcdir=. TMPDIR=$work timeout -k 5 "$limit_s" \
        bash -c "$(command_of "$2")") >"$work/$1.log" 2>&1 </dev/null
    } 2>/dev/null # what this shell says of a crash
}

make_copies() {
    local command targets=()
    mkdir "$work/1" "$work/claims"
    tar -C "$srcdir" --exclude=.git --exclude=./build --exclude='*.o' \
        --exclude='*.a' --exclude='*.travel' --exclude=config.status \
        -cf - . | tar -C "$work/1" -xf - || die "cannot copy the tree"
    for command in "${commands[@]}"; do
        mapfile -t -O "${#targets[@]}" targets < <(needs "$command")
    done
    if ! { (cd "$work/1" && ./configure -q CFLAGS='-O1 -w' &&
        make -s clean) >"$work/1.log" 2>&1 &&
        build 1 -j"$workers" "${targets[@]}"; }; then
        tail "$work/1.log"
        die "the unchanged tree does not build"
    fi
    cp -a "$work/1" "$work/2"
}

# ---- one mutant

# The file's text with the one place changed, in $text.
change() { # text, old, new
    local after=${1#*"$2"}
    [[ $after != "$1" ]] || { why="not in the file"; return 1; }
    [[ $after != *"$2"* ]] || { why="more than once in the file"; return 1; }
    text=${1%"$2$after"}$3$after
}

try() { # worker, mutant's number
    local path=$work/$1/${files[$2]} text why before targets
    before=$(<"$path")
    if ! change "$before" "${olds[$2]}" "${news[$2]}"; then
        echo "STALE   ${names[$2]}: its text is $why, ${files[$2]}"
        return
    fi
    printf '%s\n' "$text" >"$path"
    mapfile -t targets < <(needs "${tests[$2]}")
    if ! build "$1" "${targets[@]}"; then
        echo "ERROR   ${names[$2]}: does not build: $(grep -m 1 error \
            "$work/$1.log")"
    elif run_test "$1" "${tests[$2]}"; then
        echo "MISSED  ${names[$2]}: ${tests[$2]} passes without it"
    else
        echo "found   ${names[$2]}"
    fi
    printf '%s\n' "$before" >"$path"
}

baseline() { # worker, command's number
    run_test "$1" "${commands[$2]}" && return
    tail "$work/$1.log"
    echo "ERROR   ${commands[$2]}: fails on the unchanged tree"
}

# Let each worker take the next job that nobody has taken.
work_through() { # function, count
    local worker i
    for ((worker = 1; worker <= workers; worker++)); do
        for ((i = 0; i < $2; i++)); do
            mkdir "$work/claims/$1-$i" 2>/dev/null || continue
            "$1" "$worker" "$i"
        done | tee -a "$work/results" &
    done
    wait
}

read_list
((${#names[@]})) || die "no mutant of such a name"
mapfile -t commands < <(printf '%s\n' "${tests[@]}" | sort -u)
make_copies
work_through baseline "${#commands[@]}"
[[ ! -s $work/results ]] || die "the tests must pass before they can fail"
work_through try "${#names[@]}"
failed=$(grep -cv '^found ' "$work/results")
grep -v '^found ' "$work/results" # again, at the end of a long log
echo "$((${#names[@]} - failed)) passed, $failed failed"
((failed == 0))
