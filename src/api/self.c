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
