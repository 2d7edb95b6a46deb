#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# link.sh PROFILE COMPILER ARGUMENT... - link a program of this tree
#
# static   As ever; of what the linker says only its remark is left out that
#          getaddrinfo may load libraries: the library asks files and DNS,
#          which libc.a has.  (-Wl,--no-warnings would be shorter, and lets
#          undefined symbols pass.)
# dynamic  With --migratable among the arguments the whole program, main
#          included, becomes a shared library whose constructor is the first of
#          all, as that of libpsu_thread.so is, and the program itself is
#          nothing but its user: so that tests can use what libpsu_thread.so
#          does not export.

set -eu

drop_remark() {
    awk '/: in function `/ { held = held $0 "\n"; next }
        /statically linked applications requires/ { held = ""; next }
        { printf "%s%s\n", held, $0; held = "" }'
}

link_static() {
    "$@" 2>&1 | drop_remark >&2
    exit "${PIPESTATUS[0]}"
}

link_dynamic() {
    local parts=() options=() output
    [[ " $* " == *" --migratable "* ]] || exec "$@"
    while (($#)); do
        case $1 in
        --migratable) ;;
        -o) output=$2 && shift ;;
        *.o | *.a | -l*) parts+=("$1") ;;
        *) options+=("$1") ;;
        esac
        shift
    done
    "${options[@]}" -o "$output.so" -shared \
        -Wl,-soname,"${output##*/}.so" -Wl,-z,initfirst -Wl,-z,now \
        -Wl,-z,relro -Wl,--build-id=sha1 "${parts[@]}"
    exec "${options[@]}" -o "$output" -pie -Wl,-rpath,"\$ORIGIN" "$output.so"
}

"link_$1" "${@:2}"
