#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# check.sh [CASE]... - what would stay behind is found, and nothing else is
#
# One word in each place points to each kind of memory in turn.  Then programs
# that are as they should be move with PSU_THREAD_STRICT=1.

# The cases are called by name:
# shellcheck disable=SC2317
# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"

check=tests/journey/check
certs=$work/certs
make_certs "$certs" a=127.0.0.1 b=127.0.0.1

number='0x[0-9a-f]+'
declare -A places=(
    [local]="1 target \\| addressed \\| \
frame [0-9]+, look_with_local[^+]*\\+$number, at \\+$number"
    [register]='2 target \| nowhere \| register r14'
    [thread-local]='3 target \| addressed \| thread-local planted_local\+0x8'
    [heap]="4 target \\| addressed \\| \
heap block of 224 bytes at $number, at \\+0x18"
)
block="libc's heap \\(a block of 104 bytes at $number\\) \\| allocate it .*"
large="libc's heap \\(a block of 10[0-9]{5} bytes at $number\\) .*"
map='\| .*map it anew after the move.*'
copy="\\| copy what it points to into a local or the thread's heap"
declare -A targets=(
    [block]=$block [middle]=$block [main-block]=$block
    [large]=$large [main-large]=$large
    [stack]="the stack of another thread \\(number [0-9]+\\) $copy"
    [environment]="the main thread's stack $copy"
    [slot]='the slot of another migratable thread \| give each thread a copy .*'
    [mapping]="the mapping /dev/zero.* $map"
    [file]="the mapping /etc/passwd $map"
    [anonymous]="an anonymous mapping \\([0-9]+ bytes at $number\\) $map"
)

finds() { # place, target
    run a "$check" "$1" "$2" "$certs/a"
    expect_status a 0
    expect_lines a 1 'Found 1: -110'
    expect_lines a 1 "${places[$1]} \\| ${targets[$2]}"
    expect_error a POINTER_STAYS "the word 0x[0-9a-f]+ points to "
    await_line "$dir/a.err" "^\[info\] .*: the word $number points to .*: " 1
}

# What is free, out of use or there as well, is no reason to stay.
passes() { # target
    run a "$check" local "$1" "$certs/a"
    expect_status a 0
    expect_lines a 1 'Found 0: 0'
    expect_no_error a
}

# ---- with a destination

travel() { # place, target, certificates of the server
    start b "$check" serve - "$3"
    await_port b "$started"
    run a "$check" "$1" "$2" "$certs/a" "127.0.0.1:$port"
    expect_status a 0
}

# The look opens the session by which the thread goes then.
there() {
    travel none nothing "$certs/b"
    expect_lines a 1 'Found 0: 0'
    expect_lines b 1 'Moved: 0'
}

nowhere() {
    keep_port
    run a "$check" none nothing "$certs/a" "$kept"
    expect_lines a 1 'Found 0: -31'
    expect_lines a 1 'Moved: -31'
}

not_allowed() {
    cp -a "$certs/a" "$dir/keys"
    sed -i 's/ direction=[a-z]*/ direction=send/' "$dir/keys/peers"
    start b "$check" serve - "$certs/b"
    await_port b "$started"
    run a "$check" none nothing "$dir/keys" "127.0.0.1:$port"
    expect_lines a 1 'Found 0: -43'
    expect_lines a 1 'Moved: -43'
}

# Without it the thread goes, with it it does not.
lax() {
    travel local block "$certs/b"
    expect_lines a 1 'Found 1: -110'
    expect_lines b 1 'Moved: 0'
}

strict() {
    local -x PSU_THREAD_STRICT=1
    travel local block "$certs/b"
    expect_lines a 1 'Found 1: -110'
    expect_lines a 1 'Moved: -110'
    (($(grep -c '^\[error\] POINTER_STAYS: ' "$dir/a.err") == 2)) ||
        wrong 'it is not said once by each'
}

odd() {
    PSU_THREAD_STRICT=yes run a "$check" none nothing "$certs/a"
    expect_status a 1
    expect_error a INVALID_ARGUMENT 'PSU_THREAD_STRICT=yes'
}

zero() {
    local -x PSU_THREAD_STRICT=0
    lax
}

# ---- no false alarms

# Another test, all of it, which takes longer than run() waits.
run_strictly() { # command...
    PSU_THREAD_STRICT=1 timeout -k 1 300 "$@" \
        </dev/null >"$dir/other.out" 2>"$dir/other.err"
    status=$?
}

strictly() { # command...
    run_strictly "$@"
    expect_status other 0
    ! grep -q POINTER_STAYS "$dir/other.out" ||
        wrong "it finds something: $(grep -m 1 POINTER_STAYS "$dir/other.out")"
}

# But for the one that is about what stays, and for one that has 20,000 numbers
# of 32 bits on its stack, of which now and then one is a block's address.
travels() { # program
    local tests
    mapfile -t tests < <("$1" --list | grep -vxE 'heap_stays|deep_recursion')
    strictly "$srcdir/tests/travel/travel.sh" "$1" "${tests[@]}"
}

stays() { # program
    run_strictly "$srcdir/tests/travel/travel.sh" "$1" heap_stays
    expect_status other 1
    await_line "$dir/other.out" 'POINTER_STAYS: ' 1
}

lua() {
    if [[ ! -x examples/lua/carry ]]; then
        echo "# not done: no Lua"
        return
    fi
    strictly "$srcdir/tests/journey/lua.sh"
}

for target in "${!targets[@]}"; do
    start_case "local-$target" finds local "$target"
    [[ $target != *[kt]* ]] || await_cases
done
await_cases
for place in register thread-local heap; do
    for target in block slot stack file; do
        start_case "$place-$target" finds "$place" "$target"
    done
    await_cases
done
for target in freed-first freed-cached freed-fast freed-merged freed-last \
    freed-large main-freed-cached main-freed-merged main-freed-large; do
    start_case "$target" passes "$target"
done
await_cases
for target in dead-stack main-middle unmapped guard program own stream \
    nothing; do
    start_case "$target" passes "$target"
done
for name in there nowhere not_allowed lax strict odd zero; do
    start_case "${name//_/-}" "$name"
done
await_cases
run_case apps strictly "$srcdir/tests/journey/apps.sh" app1 app2 app3 app4 app5
run_case lua lua
run_case travel-O0 travels tests/travel/O0.travel
run_case travel-O2 travels tests/travel/O2.travel
run_case travel-dynamic travels tests/travel/pie.travel
run_case travel-stays stays tests/travel/O2.travel
finish
