#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# valgrind.sh - the apps' journeys under valgrind's memcheck, on both sides
#
# Passed: both processes ended as ever and memcheck saw no error, through the
# restart, the move and the end; and it finds the one that is planted behind
# setup.  Memcheck replaces malloc, so that programs must be dynamic: all five
# apps where they are (--with-profile=dynamic), else one built for that.

# The cases are called by name:
# shellcheck disable=SC2317
# shellcheck source=tests/journey/lib.sh
. "${srcdir:-.}/tests/journey/lib.sh"

type -P valgrind >/dev/null || skip "no command 'valgrind': install it"
grep -q HAVE_VALGRIND_MEMCHECK_H=1 Makefile ||
    skip "configured without valgrind/memcheck.h: configure again"

certs=$work/certs
make_certs "$certs" a=127.0.0.1 b=127.0.0.1
host=$(uname -n)

# Its exit status tells; leaks are AddressSanitizer's to find.
watched() { # who
    memcheck=(valgrind --quiet --trace-children=yes --error-exitcode=99
        --log-file="$dir/$1.valgrind.%p")
}

# Remarks on system calls that it does not know are no errors.
expect_clean() { # who
    local remarks="WARNING: unhandled|write your own handler|README_MISSING"
    remarks+="|consider this a bug|it at http"
    ! grep -Ehv "$remarks" "$dir/$1".valgrind.* >"$dir/$1.found" || {
        wrong "memcheck found errors in the $1"
        head -n 30 "$dir/$1.found" >>"$dir/$1.err"
    }
}

# Twenty times slower than without, so that a busy machine may be too slow for
# the library's deadlines: that is no fault of memory, and is tried again.
moves() { # app, program
    local try
    for try in 1 2 3; do
        rm -f "$dir"/*.{port,out,err,valgrind.*}
        watched server
        start server "${memcheck[@]}" "$2" 0.0.0.0 1 "$certs/b"
        await 60 test -s "$dir/server.port" || wrong "server does not listen"
        port=$(<"$dir/server.port")
        watched client
        run client "${memcheck[@]}" "$2" "127.0.0.1:$port" 0 "$certs/a"
        await_end "$started" 20
        ! grep -Eqs 'HOST_SILENT|CONNECTION_LOST' "$dir"/*.err || continue
        break
    done
    ((try == 1)) || echo "# attempt $try"
    expect_status server 0
    expect_clean server
    expect_clean client
    expect_golden "$1" "$host" "$host"
}

planted() {
    watched planted
    run planted "${memcheck[@]}" tests/journey/planted "$certs/a"
    expect_status planted 99
    grep -qs uninitialised "$dir"/planted.valgrind.* ||
        wrong "memcheck did not find the planted error"
}

if [[ $(readelf -lW apps/app1) == *INTERP* ]]; then
    for app in app1 app2 app3 app4 app5; do
        run_case $app moves $app apps/$app
    done
else
    run_case app3 moves app3 tests/journey/app3_dynamic
fi
run_case planted planted
finish
