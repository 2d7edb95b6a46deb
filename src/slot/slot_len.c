/* SPDX-License-Identifier: ISC */
/*
 * slot_len.c - how long slots are to be
 *
 * In: what the program or its user asks for.  Refused: what is no number of
 * bytes, MiB or GiB, and more than a slot can have.
 */
#include "slot/slot.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int psu_slot_round_len(uint64_t wanted, uint64_t *len_out)
{
	if (wanted > PSU_SLOT_LEN_MAX)
		return psu_error_set(PSU_THREAD_E_INVALID_ARGUMENT,
							 "a slot cannot have %llu bytes: ask for %llu at "
							 "most",
							 (unsigned long long)wanted,
							 (unsigned long long)PSU_SLOT_LEN_MAX);
	*len_out = (wanted + PSU_SLOT_LEN - 1) / PSU_SLOT_LEN * PSU_SLOT_LEN;
	return 0;
}

/** Digits, and M or G behind them or nothing.  False: it is something else. */
static bool parse(const char *text, uint64_t *len_out)
{
	unsigned long long number;
	unsigned shift;
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	number = strtoull(text, &end, 10);
	shift = *end == 'G' ? 30 : *end == 'M' ? 20 : 0;
	if (shift)
		end++;
	*len_out = (uint64_t)number << shift;
	return *end == '\0' && !errno && number > 0 && *len_out >> shift == number;
}

int psu_slot_usual_len(uint64_t *len_out)
{
	const char *text = getenv("PSU_THREAD_SLOT");
	uint64_t wanted = PSU_SLOT_LEN;

	if (text && !parse(text, &wanted))
		return psu_error_set(PSU_THREAD_E_INVALID_ARGUMENT,
							 "PSU_THREAD_SLOT=%s is no length of a slot: "
							 "write a number of bytes, or of M or G, as 4G",
							 text);
	return psu_slot_round_len(wanted, len_out);
}
