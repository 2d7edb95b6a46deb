/* SPDX-License-Identifier: ISC */
/*
 * line_open.c - open a session for a way, and see that it leads there
 */
#include "journey/line.h"
#include "journey/process.h"
#include "net/limits.h"

#include <sodium.h>

int psu_line_ask_after(struct psu_session *session,
					   const struct psu_id *incarnation, bool *dead_out)
{
	struct psu_control control = {
		.type = PSU_FRAME_STATUS,
		.incarnation = *incarnation,
	};
	struct psu_frame_header header;
	int rc;

	randombytes_buf(&control.migration, sizeof(control.migration));
	rc = psu_session_send_control(session, &control);
	if (!rc)
		rc = psu_session_recv_answer(session, &header,
									 psu_clock_deadline(PSU_ANSWER_MS));
	if (!rc)
		rc = psu_session_recv_control(session, &header, &control);
	if (rc)
		return psu_error_tell(rc);
	*dead_out = control.type == PSU_FRAME_DEAD &&
				psu_id_equal(&control.incarnation, incarnation);
	return 0;
}

/** Another host answers than the one that is asked for; its word counts for
 * nothing. */
static int tell_other_host(const struct psu_way *way,
						   const struct psu_session *session)
{
	return psu_error_set(PSU_THREAD_E_WRONG_ADDRESSEE,
						 "%s is '%s' now, and another host was asked for: let "
						 "the name lead there again",
						 way->name, session->peer.name);
}

/** Another process answers than the one that is asked for. */
static int tell_other(const struct psu_way *way, struct psu_session *session)
{
	bool dead = false;
	int rc = psu_line_ask_after(session, &way->incarnation, &dead);

	if (rc)
		return rc;
	if (dead)
		return PSU_LINE_DEAD;
	return psu_error_set(PSU_THREAD_E_HOME_UNREACHABLE,
						 "another process answers at %s than the one that was "
						 "asked for, which may live: let that one have its "
						 "port",
						 way->name);
}

int psu_line_open(const struct psu_way *way, struct psu_session **session_out)
{
	struct psu_session *session;
	int rc = psu_session_dial(&psu_process_get()->context, &way->endpoint,
							  &session);

	if (rc)
		return rc;
	if (!psu_way_may_end_at(way, &session->peer.digest))
		rc = tell_other_host(way, session);
	else if (!psu_id_is_zero(&way->incarnation) &&
			 !psu_id_equal(&way->incarnation, &session->hello.incarnation))
		rc = tell_other(way, session);
	if (rc)
		psu_session_close(session);
	else
		*session_out = session;
	return rc;
}
