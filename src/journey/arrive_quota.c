/* SPDX-License-Identifier: ISC */
/*
 * arrive_quota.c - how much of this host a peer's threads may have
 *
 * Counted are those of its threads that are guests here, and that are coming
 * in, each with all of its slot, since that is what it may come to use.
 */
#include "journey/arrive.h"

#include <inttypes.h>
#include <string.h>

struct share {
	uint64_t threads;
	uint64_t bytes; /* of their slots */
};

/** What the peer has already.  Of those that come in at the same time the
 * older ones count.  Lock held. */
static struct share share_of(const struct psu_arrival *arrival)
{
	const struct psu_session *session = arrival->session;
	struct share share = {0, 0};

	for (const struct psu_traveller *at = psu_process_get()->threads; at;
		 at = at->next)
		if (!at->born_here && strcmp(at->from, session->peer.name) == 0) {
			share.threads++;
			share.bytes += at->slot.len;
		}
	for (const struct psu_arrival *at = arrival->next; at; at = at->next)
		if (psu_digest_equal(&at->session->peer.digest,
							 &session->peer.digest) &&
			!psu_traveller_find(at->statement->slot_addr)) {
			share.threads++;
			share.bytes += at->statement->slot_len;
		}
	return share;
}

int psu_arrive_check_quota(const struct psu_arrival *arrival)
{
	const struct psu_peer *peer = &arrival->peer;
	uint64_t len = arrival->statement->slot_len;
	struct share share;

	if (arrival->husk || arrival->statement->kind == PSU_KIND_END)
		return 0;
	psu_process_lock();
	share = share_of(arrival);
	psu_process_unlock();
	if (peer->max_threads && share.threads >= peer->max_threads)
		return psu_error_set(PSU_THREAD_E_OVER_QUOTA,
							 "refused a thread from %s: %" PRIu64 " of its "
							 "threads are here: let one end or leave, or raise "
							 "max-threads in the peers file",
							 arrival->session->peer_name, share.threads);
	if (peer->max_bytes && share.bytes + len > peer->max_bytes)
		return psu_error_set(PSU_THREAD_E_OVER_QUOTA,
							 "refused a thread from %s: the slots of its "
							 "threads have %" PRIu64 " MiB here, and this one "
							 "has %" PRIu64 ": let some end or leave, or raise "
							 "max-bytes in the peers file",
							 arrival->session->peer_name, share.bytes >> 20,
							 len >> 20);
	return 0;
}
