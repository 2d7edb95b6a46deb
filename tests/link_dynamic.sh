#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# link_dynamic.sh COMPILER ARGUMENT... - link a program, in the profile dynamic
#
# With --migratable among the arguments the whole program, main included,
# becomes a shared library whose constructor is the first of all, as that of
# libpsu_thread.so is, and the program itself is nothing but its user: so that
# tests can use what libpsu_thread.so does not export.  Others are linked as
# ever.

set -eu
[[ " $* " == *" --migratable "* ]] || exec "$@"

parts=()
options=()
while (($#)); do
    case $1 in
    --migratable) ;;
    -o) output=$2 && shift ;;
    *.o | *.a | -l*) parts+=("$1") ;;
    *) options+=("$1") ;;
    esac
    shift
done
"${options[@]}" -o "$output.so" -shared -Wl,-soname,"${output##*/}.so" \
    -Wl,-z,initfirst -Wl,-z,now -Wl,-z,relro -Wl,--build-id=sha1 "${parts[@]}"
exec "${options[@]}" -o "$output" -pie -Wl,-rpath,"\$ORIGIN" "$output.so"
