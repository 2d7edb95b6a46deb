/* SPDX-License-Identifier: ISC */
/*
 * start.c - psu_thread_start(): a new thread, which the caller does not wait
 * for
 *
 * What users know as a struct psu_thread_handle is the thread as this process
 * sees it, a struct psu_traveller.
 */
#include "journey/process.h"
#include "journey/traveller.h"

#include <stdio.h>
#include <string.h>

static int check(void *(*fn)(void *), const struct psu_thread_attr *attr,
				 struct psu_thread_handle **thread_out)
{
	if (!fn || !thread_out)
		return psu_error_set(PSU_THREAD_E_INVALID_ARGUMENT,
							 "psu_thread_start needs a function to run and a "
							 "place for the thread: pass both");
	if (attr->stack_len && (attr->stack_len < PSU_SLOT_STACK_LEN_MIN ||
							attr->stack_len > PSU_SLOT_STACK_LEN_MAX))
		return psu_error_set(PSU_THREAD_E_INVALID_ARGUMENT,
							 "a thread's stack cannot have %zu bytes: ask for "
							 "%u to %u",
							 attr->stack_len, PSU_SLOT_STACK_LEN_MIN,
							 PSU_SLOT_STACK_LEN_MAX);
	if (attr->name && strlen(attr->name) >= PSU_THREAD_NAME_LEN)
		return psu_error_set(PSU_THREAD_E_INVALID_ARGUMENT,
							 "'%s' is too long for a thread's name: use %d "
							 "bytes at most",
							 attr->name, PSU_THREAD_NAME_LEN - 1);
	return 0;
}

int psu_thread_start(void *(*fn)(void *), void *arg,
					 const struct psu_thread_attr *attr,
					 struct psu_thread_handle **thread_out)
{
	static const struct psu_thread_attr usual;
	struct psu_birth birth = {.fn = fn, .arg = arg, .joinable = true};
	struct psu_traveller *thread;
	int rc = psu_process_check();

	if (!attr)
		attr = &usual;
	if (!rc)
		rc = check(fn, attr, thread_out);
	if (rc)
		return rc;
	if (attr->name)
		snprintf(birth.name, sizeof(birth.name), "%s", attr->name);
	rc = psu_slot_round_len(attr->slot_len, &birth.slot_len);
	if (rc)
		return rc;
	birth.stack_len = (uint32_t)attr->stack_len;
	birth.limit_ms = attr->time_limit_ms;
	rc = psu_traveller_birth(&birth, &thread);
	if (!rc)
		*thread_out = (struct psu_thread_handle *)thread;
	return rc;
}
