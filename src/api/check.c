/* SPDX-License-Identifier: ISC */
/*
 * check.c - psu_thread_check()
 */
#include "api/self.h"
#include "journey/depart.h"

#include <errno.h>
#include <string.h>

/* Its own name may stand for an entry of an executable's PLT. */
int psu_check_begin(const char *host, struct psu_thread_report *report_out)
	__attribute__((alias("psu_thread_check"), visibility("hidden")));

int psu_thread_check(const char *host, struct psu_thread_report *report_out)
{
	int saved_errno = errno;
	struct psu_traveller *self;
	int rc;

	if (report_out)
		memset(report_out, 0, sizeof(*report_out));
	rc = psu_self_find_running("can be checked", &self);
	if (rc)
		return rc;
	if (host && !*host)
		return psu_error_set(PSU_THREAD_E_INVALID_ARGUMENT,
							 "psu_thread_check was given an empty name: pass a "
							 "host's, or NULL");
	self->saved_errno = saved_errno;
	self->target = host;
	self->report = report_out;
	return psu_state_capture(&self->registers, self, psu_depart_rehearse);
}
