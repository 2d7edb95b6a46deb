/* SPDX-License-Identifier: ISC */
/*
 * arrive_body.c - the body of an offered thread, at a pace and in its place
 *
 * The itinerary and the head go to memory of their own, the stack straight to
 * where it will be.
 * Bodies come in only so many at a time, of all peers and of each; one that
 * is slower than PSU_BODY_RATE_MIN at any moment after the first seconds is
 * given up.
 */
#include "journey/arrive.h"
#include "net/limits.h"
#include "report/traffic.h"

#include <inttypes.h>
#include <stdlib.h>

/** Bytes between two looks at the pace. */
#define PACE_LEN 16384

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

/** A body under way. */
struct body {
	struct psu_arrival *arrival;
	int64_t begun_ms;
	uint64_t len; /* of itinerary, head and stack */
	uint64_t at;  /* received so far */
};

static uint64_t itinerary_len(const struct psu_arrival *arrival)
{
	return (uint64_t)arrival->statement->links * PSU_SEALED_LEN;
}

static struct body begin_body(struct psu_arrival *arrival)
{
	const struct psu_statement *statement = arrival->statement;

	return (struct body){
		.arrival = arrival,
		.begun_ms = psu_clock_now_ms(),
		.len = itinerary_len(arrival) + statement->head_len +
			   statement->stack_len,
	};
}

/** When the next bytes must be here, if it is not too slow. */
static int64_t deadline_of(const struct body *body)
{
	return body->begun_ms + PSU_BODY_GRACE_MS +
		   (int64_t)(body->at * 1000 / PSU_BODY_RATE_MIN);
}

/** @rc is why the next bytes of the body do not come. */
static int tell_stopped(const struct body *body, int rc)
{
	if (psu_error_told())
		return rc;
	return psu_error_set(rc,
						 "%s stopped in the middle of a thread's body: it goes "
						 "on there",
						 body->arrival->session->peer_name);
}

/** The header of the next BODY frame, which is all that may come now. */
static int recv_header(const struct body *body, uint32_t *len_out)
{
	struct psu_session *session = body->arrival->session;
	struct psu_frame_header header;
	int rc = psu_session_recv_header(session, &header, deadline_of(body));

	if (rc)
		return tell_stopped(body, rc);
	if (header.type != PSU_FRAME_BODY ||
		header.stream != body->arrival->statement->stream ||
		header.payload_len > body->len - body->at) {
		session->broken = true;
		return psu_error_set(PSU_THREAD_E_PROTOCOL,
							 "%s sent a %s that does not fit the statement: "
							 "install the same version on both hosts",
							 session->peer_name, psu_frame_name(header.type));
	}
	*len_out = header.payload_len;
	return 0;
}

/** The next @len bytes, all to @out, or all thrown away if it is NULL. */
static int recv_bytes(struct body *body, uint8_t *out, uint64_t len)
{
	uint8_t waste[PACE_LEN];

	while (len) {
		size_t part_len = len < PACE_LEN ? len : PACE_LEN;
		int rc = psu_session_recv(body->arrival->session, out ? out : waste,
								  part_len, deadline_of(body));

		if (rc)
			return tell_stopped(body, rc);
		if (out)
			out += part_len;
		body->at += part_len;
		len -= part_len;
		if (len)
			psu_traffic_give_way();
	}
	return 0;
}

/** The next @len bytes to where they belong. */
static int recv_part(struct body *body, uint64_t len)
{
	struct psu_arrival *arrival = body->arrival;
	const struct {
		uint8_t *bytes;
		uint64_t len;
	} places[] = {
		{arrival->itinerary.links[0], itinerary_len(arrival)},
		{arrival->head, arrival->statement->head_len},
		{psu_arrive_stack(arrival), arrival->statement->stack_len},
	};
	uint64_t begin = 0;
	int rc = 0;

	for (int i = 0; i < 3 && !rc && len; begin += places[i++].len) {
		uint64_t skipped = body->at - begin, left;

		if (skipped >= places[i].len)
			continue;
		left = places[i].len - skipped;
		left = left < len ? left : len;
		rc = recv_bytes(body, places[i].bytes + skipped, left);
		len -= left;
	}
	return rc;
}

int psu_arrive_recv_body(struct psu_arrival *arrival)
{
	struct body body = begin_body(arrival);
	uint32_t len;
	int rc = 0;

	psu_phase_begin(PSU_PHASE_BODY);
	arrival->itinerary.count = arrival->statement->links;
	arrival->head = malloc(arrival->statement->head_len);
	if (!arrival->head)
		return psu_error_set(PSU_THREAD_E_NO_MEMORY,
							 "no memory for a thread of %" PRIu64 " bytes: "
							 "free some",
							 body.len);
	while (!rc && body.at < body.len) {
		rc = recv_header(&body, &len);
		if (!rc)
			rc = recv_part(&body, len);
	}
	arrival->body_read = true;
	if (!rc)
		psu_log(PSU_THREAD_LOG_DEBUG,
				"Received %" PRIu64 " bytes over the "
				"socket",
				body.len + PSU_SEALED_LEN);
	return rc;
}

void psu_arrive_skip_body(struct psu_arrival *arrival)
{
	struct body body = begin_body(arrival);
	uint32_t len;
	int rc = 0;

	if (arrival->body_read || arrival->session->broken)
		return;
	while (!rc && body.at < body.len) {
		rc = recv_header(&body, &len);
		if (!rc)
			rc = recv_bytes(&body, NULL, len);
	}
	arrival->body_read = true;
}
