/* SPDX-License-Identifier: ISC */
/*
 * arrive_body.c - the body of an offered thread, at a pace and in its place
 *
 * The itinerary and the head go to memory of their own, the stack and the
 * heap's pages straight to where they will be: the latter only when the head,
 * which lists them, is verified.  Bodies come in only so many at a time, of all
 * peers and of each; one that is slower than PSU_BODY_RATE_MIN at any moment
 * after the first seconds is given up.
 */
#include "journey/arrive.h"
#include "net/limits.h"
#include "report/traffic.h"

#include <inttypes.h>
#include <stdlib.h>

/* ---- places */

/** Lock held. */
static bool is_place_free(const struct psu_digest *peer)
{
	unsigned count = 0, of_peer = 0;

	for (struct psu_arrival *at = psu_process_get()->arrivals; at;
		 at = at->next) {
		count++;
		of_peer += psu_digest_equal(&at->session->peer.digest, peer);
	}
	return count < PSU_BODIES_MAX && of_peer < PSU_PEER_BODIES_MAX;
}

int psu_arrive_take_place(struct psu_arrival *arrival)
{
	struct psu_process *process = psu_process_get();
	const struct psu_digest *peer = &arrival->session->peer.digest;
	int64_t deadline = psu_clock_deadline(PSU_OPENING_MS);
	bool in_time = true;

	psu_process_lock();
	while (!(arrival->placed = is_place_free(peer)) && in_time)
		in_time = psu_process_wait(psu_process_about(&process->arrivals),
								   deadline);
	if (arrival->placed) {
		arrival->next = process->arrivals;
		process->arrivals = arrival;
	}
	psu_process_unlock();
	if (arrival->placed)
		return 0;
	return psu_error_set(PSU_THREAD_E_BUSY,
						 "refused a thread from %s: for %lld ms %d have been "
						 "coming in, or %d from there: try again when they are "
						 "here",
						 arrival->session->peer_name, (long long)PSU_OPENING_MS,
						 PSU_BODIES_MAX, PSU_PEER_BODIES_MAX);
}

void psu_arrive_leave_place(struct psu_arrival *arrival)
{
	struct psu_process *process = psu_process_get();
	struct psu_arrival **link = &process->arrivals;

	if (!arrival->placed)
		return;
	psu_process_lock();
	while (*link != arrival)
		link = &(*link)->next;
	*link = arrival->next;
	psu_process_announce(psu_process_about(&process->arrivals));
	psu_process_unlock();
	arrival->placed = false;
}

/* ---- bytes */

static uint64_t itinerary_len(const struct psu_arrival *arrival)
{
	return (uint64_t)arrival->statement->links * PSU_SEALED_LEN;
}

/** Bytes of the body before the heap's pages. */
static uint64_t heap_at(const struct psu_arrival *arrival)
{
	const struct psu_statement *statement = arrival->statement;

	return itinerary_len(arrival) + statement->head_len + statement->stack_len;
}

/** Bytes of it that have not come yet. */
static uint64_t body_left(const struct psu_arrival *arrival)
{
	const struct psu_statement *statement = arrival->statement;

	return heap_at(arrival) + statement->heap_len +
		   (statement->attested ? psu_attest_len(statement->heap_len) : 0) -
		   arrival->body_at;
}

/** When the next bytes must be here, if it is not too slow. */
static int64_t deadline_of(struct psu_arrival *arrival)
{
	if (!arrival->body_begun_ms)
		arrival->body_begun_ms = psu_clock_now_ms();
	return arrival->body_begun_ms + PSU_BODY_GRACE_MS +
		   (int64_t)(arrival->body_at * 1000 / PSU_BODY_RATE_MIN);
}

/** @rc is why the next bytes of the body do not come. */
static int tell_stopped(const struct psu_arrival *arrival, int rc)
{
	if (psu_error_told())
		return rc;
	return psu_error_set(rc,
						 "%s stopped in the middle of a thread's body: it goes "
						 "on there",
						 arrival->session->peer_name);
}

/** The header of the next BODY frame, which is all that may come now. */
static int recv_header(struct psu_arrival *arrival)
{
	struct psu_session *session = arrival->session;
	struct psu_frame_header header;
	int rc = psu_session_recv_header(session, &header, deadline_of(arrival));

	if (rc)
		return tell_stopped(arrival, rc);
	if (header.type != PSU_FRAME_BODY ||
		header.stream != arrival->statement->stream ||
		header.payload_len > body_left(arrival)) {
		session->broken = true;
		return psu_error_set(PSU_THREAD_E_PROTOCOL,
							 "%s sent a %s that does not fit the statement: "
							 "install the same version on both hosts",
							 session->peer_name, psu_frame_name(header.type));
	}
	arrival->frame_left = header.payload_len;
	return 0;
}

/** The next @len bytes of the frame that is coming, to @out, or thrown away if
 * it is NULL. */
static int recv_of_frame(struct psu_arrival *arrival, uint8_t *out,
						 uint32_t len)
{
	uint8_t waste[PSU_RECORD_LEN];

	while (len) {
		size_t got = 0;
		int rc = psu_session_recv_some(arrival->session, out ? out : waste,
									   len < sizeof(waste) ? len
														   : sizeof(waste),
									   deadline_of(arrival), &got);

		if (rc)
			return tell_stopped(arrival, rc);
		if (out)
			out += got;
		arrival->body_at += got;
		arrival->frame_left -= (uint32_t)got;
		len -= (uint32_t)got;
		if (body_left(arrival))
			psu_traffic_give_way();
	}
	return 0;
}

/** The next @len bytes of the body, in whatever frames they come. */
static int recv_bytes(struct psu_arrival *arrival, uint8_t *out, uint64_t len)
{
	int rc = 0;

	while (!rc && len) {
		uint32_t part_len;

		if (!arrival->frame_left)
			rc = recv_header(arrival);
		if (rc)
			break;
		part_len = len < arrival->frame_left ? (uint32_t)len
											 : arrival->frame_left;
		rc = recv_of_frame(arrival, out, part_len);
		if (!rc && arrival->digests)
			psu_digests_advance(arrival->digests,
								arrival->body_at - heap_at(arrival));
		if (out)
			out += part_len;
		len -= part_len;
	}
	return rc;
}

int psu_arrive_recv_body(struct psu_arrival *arrival)
{
	const struct psu_statement *statement = arrival->statement;
	int rc;

	psu_phase_begin(PSU_PHASE_BODY);
	arrival->itinerary.count = statement->links;
	arrival->head = malloc(statement->head_len);
	if (!arrival->head)
		return psu_error_set(PSU_THREAD_E_NO_MEMORY,
							 "no memory for a thread of %" PRIu64 " bytes: "
							 "free some",
							 body_left(arrival));
	rc = recv_bytes(arrival, arrival->itinerary.links[0],
					itinerary_len(arrival));
	if (!rc)
		rc = recv_bytes(arrival, arrival->head, statement->head_len);
	if (!rc && statement->stack_len)
		rc = recv_bytes(arrival, psu_arrive_stack(arrival),
						statement->stack_len);
	return rc;
}

/** The memory of the heap, empty but for what was kept of it. */
static int open_heap(struct psu_arrival *arrival, uint64_t low, uint64_t high)
{
	uint32_t *kept = arrival->husk ? arrival->husk->heap_kept
								   : (uint32_t[2]){0};
	const struct psu_heap_map *heap = &arrival->image.heap;
	int rc = 0;

	if (heap->accessible[0])
		rc = psu_heap_open(heap, low, high, kept);
	else if (kept[0])
		rc = psu_heap_drop(low, high);
	kept[0] = kept[1] = 0;
	return rc;
}

static int recv_pages(struct psu_arrival *arrival, uint64_t low)
{
	const struct psu_heap_map *heap = &arrival->image.heap;
	uint64_t addr = low;
	int rc = 0;

	for (size_t i = 0; i < heap->run_count && !rc; i++) {
		uint64_t len = (uint64_t)heap->runs[i].count * PSU_HEAP_PAGE_LEN;

		addr += (uint64_t)heap->runs[i].gap * PSU_HEAP_PAGE_LEN;
		if (!heap->runs[i].kept)
			rc = recv_bytes(arrival, (uint8_t *)addr, len);
		addr += len;
	}
	return rc;
}

/** What follows an attested heap, once its pages are here. */
static int recv_attestation(struct psu_arrival *arrival)
{
	uint64_t heap_len = arrival->statement->heap_len;
	uint8_t *bytes = malloc(psu_attest_len(heap_len));
	int rc;

	if (!bytes)
		return psu_error_set(PSU_THREAD_E_NO_MEMORY,
							 "no memory for the digests of a heap: free some");
	rc = recv_bytes(arrival, bytes, psu_attest_len(heap_len));
	if (!rc)
		rc = psu_attest_verify(arrival->sealed, arrival->peer.sign_public,
							   psu_attest_chunks(heap_len),
							   psu_digests_await(arrival->digests), bytes);
	free(bytes);
	return rc;
}

int psu_arrive_recv_heap(struct psu_arrival *arrival)
{
	const struct psu_slot *slot = arrival->husk ? &arrival->husk->slot
												: &arrival->slot;
	const struct psu_heap_map *heap = &arrival->image.heap;
	uint64_t low = psu_slot_heap_low(slot), high = psu_slot_heap_high(slot);
	bool attested = arrival->statement->attested;
	int rc = open_heap(arrival, low, high);

	if (!rc && attested)
		rc = psu_digests_begin(heap, low, &arrival->digests);
	if (!rc)
		rc = recv_pages(arrival, low);
	if (!rc && attested)
		rc = recv_attestation(arrival);
	psu_digests_free(arrival->digests);
	arrival->digests = NULL;
	if (!rc && heap->accessible[0])
		rc = psu_heap_adopt(heap, low, high);
	if (!rc)
		psu_log(PSU_THREAD_LOG_DEBUG,
				"Received %" PRIu64 " bytes over the socket",
				arrival->body_at + PSU_SEALED_LEN);
	return rc;
}

bool psu_arrive_answers_early(const struct psu_arrival *arrival)
{
	return body_left(arrival) > PSU_LARGE_HEAP_LEN;
}

void psu_arrive_skip_body(struct psu_arrival *arrival)
{
	uint64_t left = body_left(arrival);
	bool much = left > PSU_SKIPPED_LEN_MAX;

	if (arrival->session->broken)
		return;
	if (recv_bytes(arrival, NULL, much ? PSU_SKIPPED_LEN_MAX : left) != 0 ||
		much)
		arrival->session->broken = true;
}
