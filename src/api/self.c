/* SPDX-License-Identifier: ISC */
/*
 * self.c - the calling thread, if it can migrate
 */
#include "api/self.h"
#include "journey/process.h"

int psu_self_find(const char *can, struct psu_traveller **self_out)
{
	int rc = psu_process_check();

	if (rc)
		return rc;
	if (!psu_local.self)
		return psu_error_set(PSU_THREAD_E_OUTSIDE_THREAD,
							 "only a thread that psu_thread_start or "
							 "psu_thread_create has started %s: call this from "
							 "its function",
							 can);
	*self_out = psu_local.self;
	return 0;
}

int psu_self_find_running(const char *can, struct psu_traveller **self_out)
{
	int rc = psu_self_find(can, self_out);

	if (!rc && psu_traveller_has_ended(*self_out, __builtin_frame_address(0)))
		rc = psu_error_set(PSU_THREAD_E_STACK_OUTSIDE_SLOT,
						   "the thread's function has returned: only before "
						   "that it %s, not in the destructor of a "
						   "thread-local",
						   can);
	return rc;
}
