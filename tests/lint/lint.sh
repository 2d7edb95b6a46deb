#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# lint.sh - does the tree keep the rules that need no program to run?
#
# In: $srcdir (default .), a git checkout; the current directory, a built tree.
# The lint tests of `make check`, layout by .clang-format, shellcheck on all
# scripts.  Out: what each has to say, and a line for each; exit status 0, 1 if
# one failed, 77 if none did but a tool is missing.

set -uo pipefail
export LC_ALL=C
srcdir=$(cd -- "${srcdir:-.}" && pwd) || exit 1
export srcdir
failed=0
skipped=0

step() { # what, command...
    local status=0
    "${@:2}" || status=$?
    case $status in
    0) printf 'ok      %s\n' "$1" ;;
    77) printf 'skipped %s\n' "$1" && skipped=1 ;;
    *) printf 'not ok  %s\n' "$1" && failed=1 ;;
    esac
}

# Other versions lay out some places otherwise.
find_formatter() {
    local command
    for command in clang-format-14 clang-format; do
        if "$command" --version 2>/dev/null | grep -q 'version 14\.'; then
            printf '%s\n' "$command"
            return
        fi
    done
    return 1
}

check_layout() {
    local formatter
    formatter=$(find_formatter) || {
        echo 'there is no clang-format 14: install clang-format-14'
        return 77
    }
    git ls-files -z -- '*.c' '*.h' '*.cc' '*.hpp' |
        xargs -0 -r "$formatter" --dry-run -Werror
}

check_scripts() {
    command -v shellcheck >/dev/null || {
        echo 'there is no shellcheck: install it'
        return 77
    }
    git ls-files -z -- '*.sh' quickstart bootstrap .ci/run |
        xargs -0 -r shellcheck
}

git -C "$srcdir" rev-parse >/dev/null 2>&1 || {
    echo 'skipped: the source tree is not a git checkout'
    exit 77
}
step 'style' "$srcdir/tests/lint/style_test.sh"
step 'FORMAT.md' "$srcdir/tests/lint/format_test.sh"
step 'README.md' "$srcdir/tests/lint/readme_test.sh"
cd "$srcdir" || exit 1
step 'layout: make format' check_layout
step 'shellcheck' check_scripts
((failed == 0)) || exit 1
((skipped == 0)) || exit 77
