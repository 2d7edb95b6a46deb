/* SPDX-License-Identifier: ISC */
/*
 * arrive.c - a thread comes to this host
 *
 * In: an OFFER from an authenticated peer.  Out: a thread that goes on here,
 * or a refusal with its code, and nothing left of it.  Nothing of the image
 * is interpreted before it is verified, and nothing is resumed before it is
 * checked.
 */
#include "journey/arrive.h"
#include "report/traffic.h"

void psu_arrive(struct psu_session *session,
				const struct psu_frame_header *header)
{
	struct psu_arrival arrival = {.session = session};
	int rc;

	psu_traffic_enter();
	rc = psu_arrive_recv_offer(&arrival, header);
	if (rc) {
		psu_session_refuse(session, rc);
	} else if (psu_arrive_admit(&arrival)) {
		rc = psu_arrive_take_place(&arrival);
		if (!rc)
			rc = psu_arrive_take_slot(&arrival);
		if (!rc)
			rc = psu_arrive_check_quota(&arrival);
		if (!rc)
			rc = psu_arrive_recv_body(&arrival);
		if (!rc)
			rc = psu_arrive_decode(&arrival);
		if (!rc)
			rc = psu_arrive_check(&arrival);
		if (!rc)
			rc = psu_arrive_await_opening(&arrival);
		if (!rc)
			rc = psu_arrive_recv_heap(&arrival);
		if (!rc)
			rc = psu_arrive_take_opening(&arrival);
		if (!rc)
			rc = psu_arrive_judge_again(&arrival);
		/* the thread itself answers, on its home stack */
		if (!rc)
			rc = psu_arrive_restore(&arrival);
		if (!rc)
			psu_arrive_hand_over(&arrival);
		else
			psu_arrive_refuse(&arrival, rc);
	}
	psu_arrive_fini(&arrival);
	psu_traffic_leave();
}
