/* SPDX-License-Identifier: ISC */
/*
 * pool.c - keep sessions warm between moves
 *
 * A session rests here while no move uses it; taking it out makes the taker
 * its owner.  One that has said anything meanwhile (a close, an alert) is of
 * no use.
 */
#include "journey/process.h"

#include <stdio.h>
#include <string.h>

struct psu_session *psu_pool_take(const char *name)
{
	struct psu_process *process = psu_process_get();
	struct psu_session *session = NULL;

	psu_process_lock();
	for (size_t i = 0; !session && i < PSU_POOL_MAX; i++)
		if (process->pool[i] && strcmp(process->pool_names[i], name) == 0) {
			session = process->pool[i];
			process->pool[i] = NULL;
		}
	psu_process_unlock();
	if (session && !psu_session_is_quiet(session)) {
		session->broken = true;
		psu_session_close(session);
		session = NULL;
	}
	return session;
}

/** A free place, if need be that of a session that is of no use any more;
 * PSU_POOL_MAX if there is none.  Lock held. */
static size_t find_place(struct psu_process *process)
{
	size_t at = 0;

	while (at < PSU_POOL_MAX && process->pool[at])
		at++;
	if (at < PSU_POOL_MAX)
		return at;
	for (at = 0; at < PSU_POOL_MAX; at++)
		if (!psu_session_is_quiet(process->pool[at])) {
			psu_session_close(process->pool[at]);
			process->pool[at] = NULL;
			break;
		}
	return at;
}

void psu_pool_put(const char *name, struct psu_session *session)
{
	struct psu_process *process = psu_process_get();
	size_t at;

	psu_process_lock();
	at = session && !session->broken ? find_place(process) : PSU_POOL_MAX;
	if (at < PSU_POOL_MAX) {
		snprintf(process->pool_names[at], sizeof(process->pool_names[at]), "%s",
				 name);
		process->pool[at] = session;
		session = NULL;
	}
	psu_process_unlock();
	psu_session_close(session);
}

void psu_pool_close(void)
{
	struct psu_process *process = psu_process_get();

	psu_process_lock();
	for (size_t i = 0; i < PSU_POOL_MAX; i++) {
		psu_session_close(process->pool[i]);
		process->pool[i] = NULL;
	}
	psu_process_unlock();
}
