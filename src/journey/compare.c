/* SPDX-License-Identifier: ISC */
/*
 * compare.c - tell where a thread is which pages of its heap are left here
 *
 *     COMPARE  ------------------>   a key
 *              <------------------   TAGS, as many frames as it takes
 *
 * In: a request of the host that has a thread of this one.  Out: a tag for
 * each page that was kept when it left, or for some; to any other host, that
 * nothing was kept.  The pages stay as they are until the thread is back.
 */
#include "journey/compare.h"
#include "bytes/tag.h"
#include "net/limits.h"
#include "report/traffic.h"
#include "trust/credentials.h"

/** Whether that host has it, and something was kept.  Lock held. */
static bool is_for(const struct psu_traveller *husk,
				   const struct psu_session *session)
{
	return husk->stage == PSU_STAGE_AWAY && !husk->compared &&
		   husk->heap_kept[0] &&
		   psu_place_is(&husk->where, &session->peer.digest,
						&session->hello.incarnation);
}

/** The husk that it is about, which nobody else uses until release(); NULL: it
 * has kept nothing, or that is none of the peer's business.  A thread can be
 * on its way back before its pthread here has got as far as being a husk. */
static struct psu_traveller *claim(const struct psu_session *session,
								   const struct psu_id *id)
{
	int64_t deadline = psu_clock_deadline(PSU_OPENING_MS);
	struct psu_traveller *own;

	psu_process_lock();
	while ((own = psu_traveller_find_own(id)) &&
		   own->stage == PSU_STAGE_LEAVING &&
		   psu_process_wait(own->slot.addr, deadline))
		continue;
	if (own && !is_for(own, session))
		own = NULL;
	if (own)
		own->compared = true;
	psu_process_unlock();
	return own;
}

static void release(struct psu_traveller *husk)
{
	if (!husk)
		return;
	psu_process_lock();
	husk->compared = false;
	psu_process_announce(husk->slot.addr);
	psu_reaper_look();
	psu_process_unlock();
}

/** Of the next pages, in one frame.  True: there are more. */
static bool send_some(struct psu_session *session, struct psu_heap_walk *walk,
					  struct psu_tagger *tagger, uint32_t stride)
{
	uint8_t payload[PSU_TAGS_LEN_MIN + PSU_TAGS_MAX * PSU_TAG_LEN];
	struct psu_writer writer = {.at = payload,
								.end = payload + sizeof(payload)};

	psu_put_u32(&writer, walk->counts[0]);
	psu_put_u32(&writer, walk->counts[1]);
	while (writer.at < writer.end && psu_heap_walk_left(walk)) {
		uint32_t page = psu_heap_walk_next(walk, stride);
		void *bytes = psu_heap_walk_page(walk, page);

		psu_heap_settle(bytes);
		if (!psu_tagger_tag(tagger, page, bytes, PSU_HEAP_PAGE_LEN, writer.at))
			session->broken = true;
		writer.at += PSU_TAG_LEN;
		if (page % PSU_HEAP_PAUSE_PAGES == 0)
			psu_traffic_give_way();
	}
	if (session->broken ||
		psu_session_send_frame(session, PSU_FRAME_TAGS, payload,
							   (size_t)(writer.at - payload)) != 0)
		session->broken = true;
	return psu_heap_walk_left(walk) && !session->broken;
}

static void send_tags(struct psu_session *session,
					  const struct psu_traveller *husk,
					  const struct psu_compare *compare)
{
	static const uint32_t none[2];
	const uint32_t *kept = husk ? husk->heap_kept : none;
	uint64_t low = husk ? psu_slot_heap_low(&husk->slot) : 0;
	uint64_t high = husk ? psu_slot_heap_high(&husk->slot) : 0;
	struct psu_heap_walk walk = psu_heap_walk(low, high, kept);
	struct psu_tagger *tagger = NULL;

	if (psu_tagger_new(psu_trust_library(psu_process_get()->trust),
					   compare->key, &tagger) != 0 ||
		!psu_heap_hold(low, high, kept, true))
		session->broken = true;
	while (!session->broken &&
		   send_some(session, &walk, tagger, compare->stride))
		continue;
	/* also what could be made accessible in part only */
	if (!psu_heap_hold(low, high, kept, false))
		session->broken = true;
	psu_tagger_free(tagger);
}

void psu_compare_answer(struct psu_session *session)
{
	uint8_t payload[PSU_COMPARE_LEN];
	struct psu_compare compare;
	struct psu_traveller *husk;
	struct psu_peer peer;
	int rc = psu_session_recv(session, payload, sizeof(payload),
							  psu_clock_deadline(PSU_MESSAGE_MS));

	if (!rc)
		rc = psu_frame_get_compare(payload, &compare);
	if (rc) {
		session->broken = true;
		psu_error_tell(rc);
		return;
	}
	rc = psu_session_judge(&psu_process_get()->context, session, PSU_RIGHT_SEND,
						   &peer);
	if (rc) {
		psu_session_refuse(session, rc);
		return;
	}
	psu_traffic_enter();
	husk = claim(session, &compare.thread);
	send_tags(session, husk, &compare);
	release(husk);
	psu_traffic_leave();
}
