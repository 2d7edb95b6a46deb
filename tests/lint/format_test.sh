#!/usr/bin/env bash
# SPDX-License-Identifier: ISC
#
# format_test.sh - does FORMAT.md say what the code does?
#
# usage: tests/lint/format_test.sh            compare
#        tests/lint/format_test.sh --errors   print the table of errors
#        tests/lint/format_test.sh --frames   print the table of frames
#
# In: $srcdir (default .), the top of the source tree; $CC (default cc).
# Compiles a small program with the headers and src/net/frame.c, which tells
# errors, frames (by asking the decoder about every length) and constants, and
# compares that with the tables of FORMAT.md; checks that the rows of each
# layout follow one another without a gap.  Out: what differs; exit status 0,
# 1, or 77 where there is no compiler.

set -euo pipefail
export LC_ALL=C

srcdir=$(cd -- "${srcdir:-.}" && pwd)
format=$srcdir/FORMAT.md
cc=${CC:-cc}
command -v "${cc%% *}" >/dev/null || { echo "skipped: no $cc here"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

# Rows of FORMAT.md that begin with the name of a constant and its value.
constants() {
    sed -nE 's/^\| (PSU_[A-Z0-9_]+) \| ([0-9]+) \|.*/\1 \2/p' "$format"
}

# ---- what the code says

write_probe() {
    cat <<'END'
#include "image/section.h"
#include "net/frame.h"
#include "net/limits.h"
#include "seal/attest.h"
#include "slot/slot.h"
#include "start/manifest.h"
#include "trust/trust.h"
#include <stdio.h>
#include <string.h>

int psu_error_set(int code, const char *format, ...)
{
	(void)format;
	return code;
}

bool psu_error_known(int code)
{
	return code < 0;
}

static void tell_errors(void)
{
#define TELL(name, number, sentence)                                           \
	printf("| %d | %s | %s |\n", number, #name, sentence);
	PSU_THREAD_ERRORS(TELL)
}

static int header_is_good(uint8_t type, uint32_t len, uint16_t stream)
{
	struct psu_frame_header header = {len, type, stream}, got;
	uint8_t bytes[PSU_FRAME_HEADER_LEN];

	psu_frame_put_header(&header, bytes);
	return psu_frame_get_header(bytes, &got) == 0;
}

/* whether a control payload is good with one byte set, beside the code -1
 * that an ABORTED must have */
static int control_is_good(uint8_t type, size_t at)
{
	uint8_t payload[PSU_CONTROL_LEN] = {0};
	struct psu_control got;

	if (type == PSU_FRAME_ABORTED || at == 40)
		memset(payload + 40, 0xff, 4);
	if (at != 40)
		payload[at] = 1;
	return psu_frame_get_control(type, payload, &got) == 0;
}

static void tell_frame(uint8_t type)
{
	static const char *const senders[] = {"nobody", "either", "server",
										  "client", "source", "destination"};
	uint32_t min = UINT32_MAX, max = 0;
	char carries[64] = "";

	for (uint32_t len = 0; len <= 2 * PSU_FRAME_PAYLOAD_MAX; len++)
		if (header_is_good(type, len, 0)) {
			min = len < min ? len : min;
			max = len;
		}
	if (header_is_good(type, min, 1))
		strcat(carries, ", stream");
	if (control_is_good(type, 0))
		strcat(carries, ", control");
	if (control_is_good(type, 32))
		strcat(carries, ", token");
	if (control_is_good(type, 40))
		strcat(carries, ", code");
	if (control_is_good(type, 44))
		strcat(carries, ", ttl_ms");
	printf("| %d | %s | %s | %u | %u | %s |\n", type, psu_frame_name(type),
		   senders[psu_frame_sender(type)], min, max,
		   *carries ? carries + 2 : "-");
}

static void tell_frames(void)
{
	for (int type = 0; type < 256; type++)
		if (strcmp(psu_frame_name((uint8_t)type), "?") != 0)
			tell_frame((uint8_t)type);
}

static void tell_constants(void)
{
END
    while read -r name _; do
        printf '\tprintf("%%s %%llu\\n", "%s", (unsigned long long)(%s));\n' \
            "$name" "$name"
    done < <(constants)
    cat <<'END'
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 1;
	if (strcmp(argv[1], "errors") == 0)
		tell_errors();
	else if (strcmp(argv[1], "frames") == 0)
		tell_frames();
	else
		tell_constants();
	return 0;
}
END
}

write_probe >"$work/probe.c"
# CC may be a command with arguments
# shellcheck disable=SC2086
$cc -std=gnu11 -O2 -I"$srcdir/include" -I"$srcdir/src" "$work/probe.c" \
    "$srcdir/src/net/frame.c" "$srcdir/src/net/limits.c" \
    "$srcdir/src/bytes/bytes.c" "$srcdir/src/trust/place.c" -o "$work/probe"

case ${1:-} in
--errors) "$work/probe" errors; exit ;;
--frames) "$work/probe" frames; exit ;;
esac

# ---- what FORMAT.md says

failures=0

compare() { # what, the document's file, the code's file
    [[ -s $2 ]] || { echo "FORMAT.md has no $1"; failures=1; }
    diff -u --label "FORMAT.md, $1" --label "the code" "$2" "$3" || failures=1
}

grep -E '^\| -[0-9]+ \|' "$format" >"$work/errors" || true
"$work/probe" errors >"$work/errors.code"
compare errors "$work/errors" "$work/errors.code"

grep -E '^\| [0-9]+ \| [A-Z]+ \| (either|server|client|source|destination) \|' \
    "$format" >"$work/frames" || true
"$work/probe" frames >"$work/frames.code"
compare frames "$work/frames" "$work/frames.code"

constants >"$work/constants"
"$work/probe" constants >"$work/constants.code"
compare constants "$work/constants" "$work/constants.code"

# Layouts: "| at | bytes | field |" rows, from 0 to "| LEN | 0 | end NAME |".
awk -F ' *[|] *' '
    function complain(text) { print "FORMAT.md:" FNR ": " text; bad = 1 }
    FNR == NR { split($0, pair, " "); value[pair[1]] = pair[2]; next }
    $2 == "at" && $3 == "bytes" { inside = 1; next_at = 0; layouts++; next }
    !inside || $2 ~ /^-/ { next }
    $2 !~ /^[0-9]+$/ { complain("the layout has no end"); inside = 0; next }
    $2 != next_at { complain("at " $2 ", but the row before ends at " next_at) }
    $4 ~ /^end( |$)/ {
        name = substr($4, 5)
        if (name != "" && value[name] != $2)
            complain("ends at " $2 ", but " name " is " value[name])
        inside = 0
        next
    }
    { next_at = $2 + $3 }
    END { if (!layouts) complain("there are no layouts"); exit bad }
' "$work/constants" "$format" || failures=1

exit "$failures"
