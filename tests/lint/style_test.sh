#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# style_test.sh - does the code keep the rules that can be measured?
#
# In: $srcdir (default .), the top of the source tree.  Out: each breach as
# file:line: what; exit status 0 or 1.  HACKING.md lists the rules.

set -euo pipefail
export LC_ALL=C

cd -- "${srcdir:-.}"
breaches=$(mktemp)
trap 'rm -f -- "$breaches"' EXIT

readonly line_max=80 function_max=60 file_max=400

# Of a checkout what git knows or would take, of a tarball all there is.
list_files() {
    if [[ -e .git ]] && command -v git >/dev/null &&
        git ls-files --cached >/dev/null 2>&1; then
        git ls-files --cached --others --exclude-standard
    else
        find . -type f -printf '%P\n'
    fi | while read -r file; do
        [[ ! -f $file ]] || printf '%s\n' "$file"
    done
}

files() { # extended regular expression of paths
    grep -E "$1" <<<"$all" || true
}

breach() {
    printf '%s\n' "$*" >>"$breaches"
}

# Lines that match, of files, are breaches; - for files: none.
forbid() { # what, extended regular expression, file...
    (($# == 2)) || grep -nE -- "$2" "${@:3}" /dev/null |
        sed "s/\$/ <- $1/" >>"$breaches" || true
}

# ---- rules for all text that we write

check_spdx() { # file...
    local file at
    for file; do
        at=1
        [[ $(head -c 2 "$file") != '#!' ]] || at=2
        sed -n "${at}p" "$file" |
            grep -qE '^(/\*|#|//) SPDX-License-Identifier: ISC( \*/)?$' ||
            breach "$file:$at: no SPDX-License-Identifier: ISC"
    done
}

check_lines() { # file...
    local file
    for file; do
        expand -t 4 "$file" | awk -v file="$file" -v max="$line_max" '
            { gsub(/[\200-\277]/, "") }
            length > max { print file ":" NR ": " length " columns" }
            ' >>"$breaches"
    done
    forbid 'trailing blanks' '[[:blank:]]+$' "$@"
    forbid 'unfinished' '\<(TO''DO|FIX''ME)\>' "$@"
}

# ---- rules for C

check_sizes() { # file...
    awk -v function_max="$function_max" -v file_max="$file_max" '
        FNR == 1 && name { end_file() }
        { name = FILENAME; lines = FNR }
        /^\{/ { begun = FNR }
        /^\}/ {
            if (begun && FNR - begun + 1 > function_max)
                print name ":" begun ": function of " FNR - begun + 1 " lines"
            begun = 0
        }
        function end_file() {
            if (lines > file_max)
                print name ":" lines ": file of " lines " lines"
        }
        END { end_file() }' "$@" >>"$breaches"
}

check_guards() { # header...
    local file
    for file; do
        awk -v file="$file" '
            /^#/ && ++count == 1 { wanted = "#define " $2; good = /^#ifndef/ }
            /^#/ && count == 2 { good = good && $0 == wanted; exit }
            END { if (!good || count < 2) print file ":1: no header guard" }
            ' "$file" >>"$breaches"
    done
}

# ---- what may not be there at all

check_keys() {
    local key='^-----BEGIN [A-Z ]*PRIVATE KEY-----$' file
    while read -r file; do
        breach "$file:1: a private key"
    done < <(tr '\n' '\0' <<<"$all" | xargs -0 grep -IlE -e "$key" -- || true)
    while read -r file; do
        breach "$file:1: a key file"
    done < <(files '\.key$')
}

main() {
    local scripts='\.sh$|^(quickstart|bootstrap|\.ci/run)$'
    local text code headers library
    all=$(list_files)
    mapfile -t text < <(files "\.([chS]|cc|py|pml|am|ac)\$|$scripts" |
        grep -vE '^(m4|build-aux|autom4te\.cache)/')
    mapfile -t code < <(files "\.([chS]|cc)\$|$scripts")
    mapfile -t headers < <(files '\.h$')
    mapfile -t library < <(files '^src/.*\.[ch]$')

    check_spdx "${text[@]}"
    check_lines "${code[@]}"
    mapfile -t code < <(files '\.([ch]|cc)$')
    check_sizes "${code[@]}"
    check_guards "${headers[@]}"
    forbid 'the library neither prints, exits nor aborts' \
        '^\s*([^*/[:blank:]].*)?\<((v?printf|puts|_?exit|abort) ?\(|stdout\>)' \
        "${library[@]}"
    check_keys

    cat "$breaches"
    printf '%d files, %d breaches\n' "${#text[@]}" "$(wc -l <"$breaches")"
    [[ ! -s $breaches ]]
}

main
