/* SPDX-License-Identifier: ISC */
/*
 * hooks.c - psu_thread_set_hooks(), and the calls of what was set
 */
#include "api/hooks.h"
#include "journey/process.h"
#include "journey/traveller.h"

#include <errno.h>

/* guarded by the process's lock */
static struct psu_thread_hooks set;

void psu_thread_set_hooks(const struct psu_thread_hooks *hooks)
{
	psu_process_lock();
	set = hooks ? *hooks : (struct psu_thread_hooks){.context = NULL};
	psu_process_unlock();
}

/** The hooks that are set now, for a call by the calling thread.  It may be
 * cancelled at any instruction; not while it has the lock. */
static struct psu_thread_hooks begin(int *errno_out)
{
	struct psu_thread_hooks hooks;
	int state;

	*errno_out = errno;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	psu_process_lock();
	hooks = set;
	psu_process_unlock();
	psu_local.self->in_hook = true;
	pthread_setcancelstate(state, NULL);
	return hooks;
}

static void end(int saved_errno)
{
	psu_local.self->in_hook = false;
	errno = saved_errno;
}

void psu_hooks_departure(const char *host)
{
	int saved_errno;
	struct psu_thread_hooks hooks = begin(&saved_errno);

	if (hooks.on_departure)
		hooks.on_departure(host, hooks.context);
	end(saved_errno);
}

void psu_hooks_arrival(void)
{
	int saved_errno;
	struct psu_thread_hooks hooks = begin(&saved_errno);

	if (hooks.on_arrival)
		hooks.on_arrival(psu_local.self->from, hooks.context);
	end(saved_errno);
}

void psu_hooks_failed(const char *host, int code)
{
	int saved_errno;
	struct psu_thread_hooks hooks = begin(&saved_errno);

	if (hooks.on_failed)
		hooks.on_failed(host, code, hooks.context);
	end(saved_errno);
}
