#!/bin/sh
# SPDX-License-Identifier: ISC
#
# planted.sh - the simulation finds bugs that are planted in the handover
#
# Each plant changes a line or two in a copy of src/handover/*.c; 15,000
# schedules must find it.  Plants that need two changes leave out two rules
# that guard against the same: each alone is harmless, and the "harmless" lines
# show that too.  A change that changes nothing is an error.
#
# usage: planted.sh [SRCDIR]    the top of the source tree; default: found
# from $0.  Environment: CC (gcc).
set -u

CC=${CC:-gcc}
SCHEDULES=15000
SEED=1
here=$(cd "$(dirname "$0")" && pwd) || exit 1
top=$(cd "${1:-$here/../..}" && pwd) || exit 1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' INT TERM
found=0
missed=0

# build OBJECT SOURCE
build() {
	$CC -std=gnu11 -O1 -w -I"$top/include" -I"$top/src" -I"$here" \
		-c -o "$dir/$1" "$2"
}

# change FILE EXPRESSION: in the copy.
change() {
	cp "$dir/$1" "$dir/before" || exit 1
	sed "$2" "$dir/before" >"$dir/$1"
	if cmp -s "$dir/before" "$dir/$1"; then
		echo "ERROR   $name: nothing to change in $1: $2"
		exit 1
	fi
}

# try NAME FILE EXPRESSION [FILE EXPRESSION]...: run it, changed; its status.
try() {
	name=$1
	shift
	cp "$top"/src/handover/*.c "$dir" || exit 1
	while [ $# -gt 1 ]; do
		change "$1" "$2"
		shift 2
	done
	if ! { for file in "$dir"/*.c; do
		build "$(basename "$file" .c).o" "$file" || break
	done && $CC -o "$dir/simulate" "$dir"/*.o; }; then
		echo "ERROR   $name: does not compile"
		exit 1
	fi
	"$dir/simulate" --schedules "$schedules" --seed $SEED >"$dir/log" 2>&1
	status=$?
	what=$(sed -n 's/^schedule \([0-9]*\) of[^:]*: \(.*\)/\2 (schedule \1)/p' \
		"$dir/log")
	if [ $status -gt 1 ] || { [ $status -eq 1 ] && [ -z "$what" ]; }; then
		echo "ERROR   $name: the simulation itself failed ($status)"
		exit 1
	fi
	return $status
}

plant() {
	schedules=$SCHEDULES
	if try "$@"; then
		missed=$((missed + 1))
		echo "MISSED  $name"
	else
		found=$((found + 1))
		echo "found   $name: $what"
	fi
}

harmless() {
	schedules=5000
	if try "$@"; then
		echo "harmless $name"
	else
		missed=$((missed + 1))
		echo "BROKEN  $name alone: $what"
	fi
}

# within FUNCTION EXPRESSION: a sed expression for that function only.
within() {
	printf '/^\\([a-z].*[ *]\\)\\{0,1\\}%s(/,/^}/ {\n%s\n}' "$1" "$2"
}

for file in "$here"/*.c "$top/src/bytes/bytes.c"; do
	build "$(basename "$file" .c).o" "$file" || exit 1
done

harmless unchanged source.c 's/^#include <stdbool.h>$/& /'

# ---- the source

plant M_RESUME source.c "$(within step_in_doubt \
	's/return PSU_SOURCE_DIAL/return go_on(source, -1, 0)/')"
plant M_RESUME_AFTER_THE_LAST_BYTE source.c "$(within step_frozen \
	's/if (source->one_flight)$/if (false)/')"
plant M_RETARGET source.c "$(within step_in_doubt \
	's/may_ask = true;/& source->incarnation = event->incarnation;/')"
plant M_UNKNOWN_ABORTS source.c "$(within step_in_doubt \
	's/case PSU_SOURCE_UNKNOWN:/& return go_on(source, -1, 0);/')"
plant M_UNKNOWN_IS_DEAD source.c "$(within step_in_doubt \
	's/case PSU_SOURCE_UNKNOWN:/& source->state = PSU_SOURCE_LOST_WITH; \
		return PSU_SOURCE_END;/')"
plant M_FORGET_EARLY source.c "$(within step_frozen \
	's/SEND_COMMIT;/SEND_COMMIT | PSU_SOURCE_SEND_FORGET;/')"
plant M_NEVER_DIALS source.c "$(within step_in_doubt \
	's/return PSU_SOURCE_DIAL/return 0/')"
plant M_NEVER_ASKS_AGAIN source.c "$(within step_in_doubt \
	's/? PSU_SOURCE_SEND_CANCEL/? 0/')"
plant M_ABORTED_IS_RUNNING source.c "$(within take_answer \
	's/source->state = PSU_SOURCE_RUNNING_AT;/case PSU_SOURCE_ABORTED: &/
	s/^	case PSU_SOURCE_ABORTED:/	case 0:/')"

# ---- the destination

# The record is not found any more; its new ids are in the same buckets.
lose='{ struct psu_id *ids[] = {\&record->migration, \&record->thread}; \
	for (int i = 0; i < 2; i++) { \
		const struct psu_id id = *ids[i]; \
		memcpy(ids[i]->bytes, id.bytes + 8, 8); \
		memcpy(ids[i]->bytes + 8, id.bytes, 8); } }'
plant M_NO_TOMB dest.c "$(within bury "s/record->code = code;/& $lose/")"
plant M_STATUS_ABORTS dest.c "$(within psu_dest_status \
	's/SAY_UNKNOWN/SAY_ABORTED/')"
plant M_OFFER_ANY_INC dest.c "$(within psu_dest_offer \
	's/if (offer->one_flight &&/if (false \&\&/')"
plant M_CANCEL_STOPS dest.c "$(within psu_dest_cancel \
	's/if (!psu_dest_is_pending.*/if (record->state == PSU_DEST_FORGOTTEN)/')"
keep='s/return give_up(dest, record, \(.*\));/return (struct psu_dest_answer){ \
	.say = PSU_DEST_SAY_ABORTED, .code = \1};/'
plant M_CANCEL_KEEPS dest.c "$(within psu_dest_cancel "$keep")"
plant M_EXPIRE_KEEPS dest.c "$(within psu_dest_expire "$keep")"
plant M_LATE_START dest.c "$(within psu_dest_commit \
	's/if (!psu_dest_is_pending(record))/if (record->state == PSU_DEST_RUNNING)/
	s/record->state != PSU_DEST_PREPARED ||//')"
plant M_STARTS_CANCELLED dest.c "$(within psu_dest_ready \
	's/if (record->state .*/if (false)/')"
plant M_DROP_RECORD dest_table.c "$(within psu_dest_peer_gone \
	's/record->state != PSU_DEST_RUNNING/true/')"
plant M_GONE_DROPS_PENDING dest_table.c "$(within psu_dest_peer_gone \
	's/!psu_dest_is_pending(record)/true/')"
plant M_FORGET_DROPS_ID dest.c "$(within psu_dest_forget \
	"s/psu_dest_spend(.*/{ & $lose }/")"
plant M_FORGET_TOMB dest.c "$(within psu_dest_forget \
	"s/record->state == PSU_DEST_RUNNING)/record->state == PSU_DEST_ABORTED)/
	s/psu_dest_spend(.*/$lose/")"
plant M_LEAVE_EARLY dest.c "$(within psu_dest_acknowledged \
	's/return !record.*/return true;/')"
plant M_FULL_ABORTS dest.c "$(within bury \
	's/ANSWER(PSU_DEST_SAY_UNKNOWN)/ANSWER(PSU_DEST_SAY_ABORTED)/')"
plant M_EVICT_UNREAD dest.c "$(within bury \
	's/record->code = .*/& psu_dest_spend(dest, record, PSU_DEST_ABORTED);/')"

# ---- the home of the thread

plant M_TOGETHER dest.c "$(within judge 's/arriving = true/arriving = false/')"
plant M_BUSY_IS_REPLAYED dest.c "$(within judge 's/_E_BUSY/_E_REPLAYED/')"
plant M_DOUBT_IS_REPLAYED home.c "$(within psu_home_may_return \
	's/_E_BUSY/_E_REPLAYED/')"
plant M_DOUBT_IS_IGNORED home.c "$(within psu_home_may_return \
	's/PSU_THREAD_E_BUSY/0/')"
plant M_END_NOT_REPLAYED home.c "$(within psu_home_may_return \
	's/home->state == PSU_HOME_ENDED ||//')"
plant M_END_TWICE home.c "$(within psu_home_ended \
	's/PSU_HOME_ENDED/PSU_HOME_AWAY/')"
plant M_END_REMEMBERED dest.c "$(within begin \
	's/if (record->is_end)/if (false)/')"
plant M_OLD_LOCATION home.c "$(within psu_home_would_learn \
	's/is_news(home, generation)/true/')"
plant M_NO_LOCATION home.c "$(within psu_home_located \
	's/home->generation = generation;//')"
plant M_LEFT_IS_LATEST home.c "$(within psu_home_left \
	's/!is_news(home, generation)/false/')"
plant M_AT_ONCE_AWAY home.c "$(within psu_home_leaves \
	's/PSU_HOME_LEAVING/PSU_HOME_AWAY/')"
plant M_RETURN_NOT_NOTED home.c "$(within psu_home_returned \
	's/home->generation = home->own = generation;//')"

# ---- two rules that guard against the same

# No process answers for another, and no source believes such an answer; an
# offer that nothing binds to its session shows it even so.
any_answer=$(within take_answer \
	's/if (!psu_id_equal/if (false \&\& !psu_id_equal/')
any_cancel=$(within psu_dest_cancel \
	's/if (!psu_id_is_zero/if (false \&\& !psu_id_is_zero/')
plant M_ANSWER_ANY_INC source.c "$any_answer"
harmless M_CANCEL_ANY_INC dest.c "$any_cancel"
plant M_ANSWER_ANY_INC+M_CANCEL_ANY_INC \
	source.c "$any_answer" dest.c "$any_cancel"

# A COMMIT names the process that it is for, and the token that it gave.
no_token=$(within psu_dest_commit \
	's/record->token != request->token/false/')
any_commit=$(within psu_dest_commit \
	's/if (!psu_id_equal/if (false \&\& !psu_id_equal/')
harmless M_NO_TOKEN dest.c "$no_token"
harmless M_COMMIT_ANY_INC dest.c "$any_commit"
plant M_COMMIT_ANY_INC+M_NO_TOKEN dest.c "$any_commit" dest.c "$no_token"

# A move is known by its id while its record is kept, a thread by generation.
no_generation=$(within judge \
	's/record->generation >= offer->generation/false/')
no_ids=$(within psu_dest_find \
	's/return \(.*\);/struct psu_dest_record *record = \1; \
	return record \&\& record->state != PSU_DEST_FORGOTTEN ? record : NULL;/')
harmless M_NO_GENERATION dest.c "$no_generation"
harmless M_NO_IDS dest_table.c "$no_ids"
plant M_NO_GENERATION+M_NO_IDS \
	dest.c "$no_generation" dest_table.c "$no_ids"

# No move that home has not heard of is as old as one that it has.
harmless M_HOME_ANY_GENERATION home.c "$(within psu_home_may_return \
	's/|| !is_news(home, generation)//')"

# A reservation that expired is buried, and its token is of no other one.
no_grave=$(within psu_dest_expire "s/return give_up(.*/{ \\
	struct psu_dest_answer answer = give_up(dest, record, -1); $lose \\
	return answer; }/")
harmless M_EXPIRE_NO_TOMB dest.c "$no_grave"
plant M_NO_TOKEN+M_EXPIRE_NO_TOMB dest.c "$no_token" dest.c "$no_grave"

echo "$found found, $missed missed"
[ "$missed" -eq 0 ]
