/* SPDX-License-Identifier: ISC */
/*
 * migrate.c - psu_thread_migrate(), the one frame of ours that travels
 *
 * Behind psu_state_capture() this function may go on in another process, on
 * another host: nothing that was read before it is used after it.
 */
#include "api/hooks.h"
#include "api/self.h"
#include "journey/depart.h"
#include "journey/process.h"
#include "state/state.h"

#include <errno.h>

/* Its own name may stand for an entry of an executable's PLT. */
int psu_migrate_begin(const char *host)
	__attribute__((alias("psu_thread_migrate"), visibility("hidden")));

int psu_thread_migrate(const char *host)
{
	int saved_errno = errno;
	struct psu_traveller *self;
	int rc = psu_self_find_running("can migrate", &self);

	if (rc)
		return rc;
	if (host && !*host)
		return psu_error_set(PSU_THREAD_E_INVALID_ARGUMENT,
							 "psu_thread_migrate was given an empty name: pass "
							 "a host's, or PSU_THREAD_HOME");
	if (!host && self->born_here)
		return 0;
	if (self->in_hook)
		return psu_error_set(PSU_THREAD_E_INVALID_ARGUMENT,
							 "a hook cannot move its thread to %s: let it "
							 "return, and migrate behind the call that ran it",
							 host ? host : "its home");
	psu_hooks_departure(host);
	self->saved_errno = saved_errno;
	self->target = host;
	rc = psu_state_capture(&self->registers, self, psu_depart);

	if (rc == 0)
		psu_hooks_arrival();
	else
		psu_hooks_failed(host, rc);
	return rc;
}
