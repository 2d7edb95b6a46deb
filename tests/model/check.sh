#!/bin/sh
# SPDX-License-Identifier: ISC
#
# check.sh - run the model of the handover through Spin, exhaustively
#
# Every variant must hold, every mutant that the model's head lists must break
# a promise, and every situation of REACH must be reached.  One line a run;
# exit status 0 if all went so, 1 if not, 77 if a tool is missing.
#
# Environment: CC (gcc), PSU_MODEL_JOBS (2: how many run at once).
set -u

CC=${CC:-gcc}
JOBS=${PSU_MODEL_JOBS:-2}

# "want name flags": the costly ones first, so that they do not run alone at
# the end.  ONCE and MAIL have more states than the others; one crash keeps
# them short.  With EARLY_LEAVE more can happen to mail.
list_runs() {
	echo "hold ONCE -DONCE -DCRASHES=1"
	echo "hold MAIL -DMAIL -DEARLY_LEAVE -DCRASHES=1"
	echo "hold MAIL_HOPS -DMAIL -DMOVES=3 -DFLIGHTS=1 -DCRASHES=0"
	echo "hold plain"
	for name in EARLY_LEAVE NO_TOKEN KEEP_IDS NO_SECOND LEAVE_ALONE; do
		echo "hold $name -D$name"
	done
	sed -n 's/^ \*   \(M_[A-Z_]*\) .*/\1/p' "$MODEL" |
		while read -r name; do
			echo "fail $name -D$name"
		done
	for number in 1 2 3 4 5 6 7 8 9 10; do
		echo "reach REACH=$number -DREACH=$number"
	done
}

# run_one DIR MODEL CC WANT NAME FLAGS...: one line on stdout.
run_one() {
	dir=$1 model=$2 cc=$3 want=$4 name=$5
	shift 5
	level=-O0
	[ "$want" = hold ] && level=-O2
	mkdir "$dir/$name" && cd "$dir/$name" || exit 1
	if ! spin -a "$@" "$model" >log 2>&1 ||
		! $cc $level -w -DSAFETY -DMEMLIM=3000 -o pan pan.c >>log 2>&1; then
		echo "FAILED  $want $name: cannot be built: $(tail -n 1 log)"
		return
	fi
	./pan -m100000 >log 2>&1
	states=$(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' log)
	if grep -q 'assertion violated' log; then
		got=broken
	elif grep -q 'errors: 0$' log && ! grep -qi 'not completed\|too small' log
	then
		got=held
	else
		got="neither held nor broken: $(head -n 1 log)"
	fi
	case $want/$got in
	hold/held) echo "passed  $name holds in all $states states" ;;
	fail/broken) echo "passed  $name breaks a promise, as it must" ;;
	reach/broken) echo "passed  $name is reached" ;;
	*) echo "FAILED  $want $name: $got ($states states)" ;;
	esac
	rm -rf "${dir:?}/$name"
}

if [ "${1-}" = --one ]; then
	shift
	run_one "$@"
	exit 0
fi

for tool in spin "${CC%% *}"; do
	if ! command -v "$tool" >/dev/null 2>&1; then
		echo "skipped: $tool is not installed"
		exit 77
	fi
done
here=$(cd "$(dirname "$0")" && pwd) || exit 1
MODEL=$here/handover.pml
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM

list_runs >"$dir/runs"
xargs -P "$JOBS" -L 1 sh "$here/check.sh" --one "$dir" "$MODEL" "$CC" \
	<"$dir/runs" | tee "$dir/results"
passed=$(grep -c '^passed' "$dir/results")
failed=$(($(wc -l <"$dir/runs") - passed))
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
