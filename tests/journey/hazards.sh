#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# hazards.sh - programs of which no thread could leave are refused at start
#
# In: $CC, the built tree, psu_thread.pc.  One small program is built in each
# wrong way; setup must refuse it by its own code.  Where the tools to build
# it are missing, the log says so for codes_test.sh.

# The cases are called by name:
# shellcheck disable=SC2317
# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"

read -ra cc <<<"${CC:-cc}"
read -ra libs <<<"$(flags --static --libs)"
certs=$work/certs
make_certs "$certs" a=127.0.0.1 b=127.0.0.1

# ---- parts of cases

# Build it: compiler, words before the library, and behind it.
build() {
    # shellcheck disable=SC2086 # they are words
    "$1" "${cc[@]:1}" -O1 -I"$srcdir/include" $2 \
        "$srcdir/tests/journey/hazard.c" "${libs[@]}" ${3-} \
        -o "$dir/program" >>"$dir/build.log" 2>&1
}

# Build it with words that this compiler understands.
build_with() {
    build "${cc[0]}" "$@" || wrong "it does not build"
}

refuse_program() { # code, pattern, words before it...
    refuse_start "$1" "$2" "${@:3}" "$dir/program" 127.0.0.1:0 "$certs/a"
}

# It starts, and its thread-locals travel.
accept_program() {
    start server "$dir/program" serve "$certs/b"
    await_port server "$started"
    run client "$dir/program" "127.0.0.1:$port" "$certs/a"
    expect_status client 0
    await_end "$started" 10
    expect_status server 0
    expect_lines server 1 'Luggage 42 and 42'
    expect_no_error client
    expect_no_error server
}

# ---- compilers

plain() {
    build_with ""
    accept_program
}

# The first compiler that can: code, option, compilers...
foreign() {
    local compiler
    for compiler in "${@:3}"; do
        build "$compiler" "$2" || continue
        refuse_program "$1" "built with $2"
        return
    done
    cannot "$1" "no compiler here links a program with $2"
}

# A case of a dynamic program.
dynamic() { # function, arguments...
    read -ra libs <<<"$(flags --libs)"
    export LD_LIBRARY_PATH=$PWD
    "$@"
}

# The entry point would take the guards over.
no_entry() { # what else the linker is not told
    local word kept=()
    for word in "${libs[@]}"; do
        [[ $word == -Wl,-e,* || $word == "${1-}" ]] || kept+=("$word")
    done
    libs=("${kept[@]}")
    build_with ""
    refuse_program RESTART_FAILED psu_thread_entry
}

# ---- stacks

# How this machine's kernel is made to answer that query, in $answer, whether
# in the way of Linux 6.6 or in the older one.  False if it cannot be.
make_kernel_answer() { # query, features in hexadecimal
    local number
    build_with ""
    run traced strace -f -e trace=arch_prctl -o "$dir/trace" "$dir/program" \
        127.0.0.1:1 "$certs/a"
    grep -qs arch_prctl "$dir/trace" || {
        cannot SHADOW_STACK "strace cannot trace, or is not installed"
        return 1
    }
    number=$(grep arch_prctl "$dir/trace" | grep -n "$1" | cut -d: -f1)
    answer=(strace -o /dev/null -e
        inject=arch_prctl:retval=0:poke_exit=@arg2="$2":when="$number")
}

shadow_stack() { # query
    make_kernel_answer "$1" 01 || return 0
    refuse_program SHADOW_STACK "shadow stack" "${answer[@]}"
}

# The kernel knows them, and they are off.
shadow_stack_off() {
    make_kernel_answer 0x5005 02 || return 0
    run client "${answer[@]}" "$dir/program" 127.0.0.1:1 "$certs/a"
    expect_error client HOST_UNREACHABLE
}

executable() { # option
    build_with "$1"
    refuse_program EXECUTABLE_STACK "this program asks"
}

# A library's stack flags count as well.
library() {
    "${cc[@]}" -x c -shared -fPIC -Wl,-z,execstack -o "$dir/libasking.so" \
        - <<<'int asking;' || wrong "the library does not build"
    build_with "-Wl,--no-as-needed $dir/libasking.so"
    refuse_program EXECUTABLE_STACK "$dir/libasking\.so asks"
}

nested() {
    printf 'int main(void) { int f(void) { return 0; } return f(); }\n' |
        "${cc[@]}" -x c -fsyntax-only - 2>/dev/null || return 0
    build_with -DNESTED
    refuse_program EXECUTABLE_STACK "nested function"
}

# A program without a word on stacks: its header becomes one to be ignored.
silent() {
    local at
    build_with ""
    at=$(readelf -lW "$dir/program" | awk '
        /^  [A-Z]/ && $1 != "Type" { count++ }
        $1 == "GNU_STACK" { print 64 + 56 * (count - 1) }')
    printf '\0\0\0\0' | dd of="$dir/program" bs=1 seek="$at" conv=notrunc \
        status=none
    refuse_program EXECUTABLE_STACK "this program asks"
}

personality() {
    build_with -DEXECUTABLE
    refuse_program EXECUTABLE_STACK READ_IMPLIES_EXEC \
        env PSU_THREAD_CERTS="$certs/a"
}

# ---- thread-locals of an archive

# Which of the two lies in the archive; the other in an object.
pack() { # variable
    local other=() one=(-DMORE)
    [[ $1 == more_luggage ]] || other=(-DMORE) one=()
    "${cc[@]}" -c "${one[@]}" -o "$dir/one.o" "$srcdir/tests/journey/luggage.c"
    "${cc[@]}" -c "${other[@]}" -o "$dir/other.o" \
        "$srcdir/tests/journey/luggage.c"
    ar cr "$dir/libluggage.a" "$dir/one.o"
}

link_behind() {
    build_with "-DLUGGAGE $dir/other.o" "$dir/libluggage.a"
}

behind() { # variable
    pack "$1"
    link_behind
    refuse_program TLS_LAYOUT "'$1'.*put -lpsu_thread after"
}

# Nothing can be said of a stripped one: it starts.
behind_stripped() { # words for strip
    pack luggage
    link_behind
    strip "$@" "$dir/program"
    run client "$dir/program" 127.0.0.1:1 "$certs/a"
    expect_error client HOST_UNREACHABLE
}

# The program's source comes before the archive, which gives what it needs.
before() { # option
    pack luggage
    "${cc[@]}" -c -O1 -DLUGGAGE -I"$srcdir/include" -o "$dir/hazard.o" \
        "$srcdir/tests/journey/hazard.c"
    "${cc[@]}" "$dir/hazard.o" "$dir/other.o" "$dir/libluggage.a" \
        "${libs[@]}" "$1" -o "$dir/program" ||
        wrong "it does not build"
    accept_program
}

# ---- the table

cases_here=(
    "plain plain"
    "no-entry no_entry"
    "no-entry-linked no_entry -Wl,-u,psu_thread_entry"
    "safe-stack foreign SAFE_STACK -fsanitize=safe-stack ${cc[0]} clang"
    "split-stack foreign SPLIT_STACK -fsplit-stack ${cc[0]} gcc"
    "shadow-stack shadow_stack 0x5005"
    "shadow-stack-older shadow_stack 0x3001"
    "shadow-stack-off shadow_stack_off"
    "executable executable -Wl,-z,execstack"
    "nested nested"
    "dynamic-plain dynamic plain"
    "dynamic-safe-stack dynamic foreign SAFE_STACK -fsanitize=safe-stack \
        ${cc[0]} clang"
    "dynamic-split-stack dynamic foreign SPLIT_STACK -fsplit-stack \
        ${cc[0]} gcc"
    "thread-sanitizer dynamic foreign THREAD_SANITIZER -fsanitize=thread \
        ${cc[0]} gcc"
    "thread-sanitizer-clang dynamic foreign THREAD_SANITIZER \
        -fsanitize=thread clang"
    "dynamic-executable dynamic executable -Wl,-z,execstack"
    "dynamic-library dynamic library"
    "dynamic-personality dynamic personality"
    "silent silent"
    "personality personality"
    "behind-data behind luggage"
    "behind-bss behind more_luggage"
    "behind-stripped behind_stripped --strip-all"
    "behind-unmarked behind_stripped -N psu_state_tls_data_end"
    "before before -g"
    "before-without-debug before -Wl,--strip-debug"
    "before-without-locals before -Wl,--discard-all"
    "before-stripped before -Wl,--strip-all"
)
for row in "${cases_here[@]}"; do
    # shellcheck disable=SC2086 # a row is words
    run_case $row
done
finish
