/* SPDX-License-Identifier: ISC */
/*
 * dest_table.c - the records of a destination, and how they are found
 *
 * In: ids and digests that peers have chosen.  Out: records, which stay where
 * they are.  A number names a record, 0 none; a free one's next[BY_MOVE] is
 * the next free one.
 */
#include "handover/dest_table.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define BY_MOVE 0
#define BY_THREAD 1

void psu_dest_init(struct psu_dest *dest, const struct psu_id *incarnation)
{
	dest->incarnation = *incarnation;
	dest->count = 0;
	dest->unused = 1;
	dest->free = 0;
	memset(dest->buckets, 0, sizeof(dest->buckets));
	dest->unused_peers = 0;
}

/* ---- found by an id */

static const struct psu_id *id_of(const struct psu_dest_record *record,
								  int index)
{
	return index == BY_MOVE ? &record->migration : &record->thread;
}

/** The ids are random, or their peer's own fault. */
static uint16_t *bucket(struct psu_dest *dest, int index,
						const struct psu_id *id)
{
	uint64_t halves[2];

	memcpy(halves, id->bytes, sizeof(halves));
	halves[0] = (halves[0] ^ halves[1]) * 0x9e3779b97f4a7c15u;
	return &dest->buckets[index][(halves[0] >> 32) % PSU_DEST_RECORDS_MAX];
}

static void link_in(struct psu_dest *dest, struct psu_dest_record *record,
					int index)
{
	uint16_t *first = bucket(dest, index, id_of(record, index));

	record->next[index] = *first;
	*first = (uint16_t)(record - dest->records);
}

/** Nothing happens to one that is not linked in. */
static void link_out(struct psu_dest *dest,
					 const struct psu_dest_record *record, int index)
{
	uint16_t *link = bucket(dest, index, id_of(record, index));

	while (*link && &dest->records[*link] != record)
		link = &dest->records[*link].next[index];
	if (*link)
		*link = record->next[index];
}

/** The first record with that id, from the one with @number on. */
static struct psu_dest_record *search(struct psu_dest *dest, uint16_t number,
									  int index, const struct psu_id *id)
{
	for (; number; number = dest->records[number].next[index])
		if (psu_id_equal(id_of(&dest->records[number], index), id))
			return &dest->records[number];
	return NULL;
}

struct psu_dest_record *psu_dest_find(struct psu_dest *dest,
									  const struct psu_id *migration)
{
	return search(dest, *bucket(dest, BY_MOVE, migration), BY_MOVE, migration);
}

struct psu_dest_record *psu_dest_next(struct psu_dest *dest,
									  const struct psu_id *thread,
									  const struct psu_dest_record *record)
{
	return search(dest,
				  record ? record->next[BY_THREAD]
						 : *bucket(dest, BY_THREAD, thread),
				  BY_THREAD, thread);
}

/* ---- counted by peer */

const struct psu_digest *psu_dest_peer(const struct psu_dest *dest,
									   const struct psu_dest_record *record)
{
	return &dest->peers[record->peer].digest;
}

/** The peer's entry, or a free one made its own; NULL if there is none.  There
 * are few peers: they are looked through. */
static struct psu_dest_peer *enter(struct psu_dest *dest,
								   const struct psu_digest *peer)
{
	struct psu_dest_peer *free = NULL;

	for (size_t i = 0; i < dest->unused_peers; i++) {
		struct psu_dest_peer *entry = &dest->peers[i];

		if (entry->count == 0)
			free = entry;
		else if (psu_digest_equal(&entry->digest, peer))
			return entry;
	}
	if (!free && dest->unused_peers < PSU_DEST_PEERS_MAX)
		free = &dest->peers[dest->unused_peers++];
	if (free)
		*free = (struct psu_dest_peer){.digest = *peer};
	return free;
}

/* ---- come and go */

bool psu_dest_is_pending(const struct psu_dest_record *record)
{
	return record->state == PSU_DEST_ARRIVING ||
		   record->state == PSU_DEST_PREPARED;
}

static void drop(struct psu_dest *dest, struct psu_dest_record *record)
{
	link_out(dest, record, BY_MOVE);
	link_out(dest, record, BY_THREAD);
	record->state = 0;
	record->next[BY_MOVE] = dest->free;
	dest->free = (uint16_t)(record - dest->records);
	dest->peers[record->peer].count--;
	dest->count--;
}

/** Whose oldest spent record makes room for one of @peer: its own, but where
 * the process is full and it has none, that of the one with the most records;
 * NULL if no room is needed. */
static struct psu_dest_peer *choose(struct psu_dest *dest,
									struct psu_dest_peer *peer)
{
	struct psu_dest_peer *chosen = peer;

	if (peer->count < PSU_DEST_PEER_RECORDS_MAX &&
		dest->count < PSU_DEST_RECORDS_MAX)
		return NULL;
	if (peer->count == PSU_DEST_PEER_RECORDS_MAX || peer->oldest_spent)
		return peer;
	for (size_t i = 0; i < dest->unused_peers; i++) {
		struct psu_dest_peer *other = &dest->peers[i];

		if (other->oldest_spent &&
			(chosen == peer || other->count > chosen->count))
			chosen = other;
	}
	return chosen;
}

/** Whether one more record of the peer fits. */
static bool make_room(struct psu_dest *dest, struct psu_dest_peer *peer)
{
	struct psu_dest_peer *chosen = choose(dest, peer);
	struct psu_dest_record *oldest;

	if (!chosen)
		return true;
	if (chosen->oldest_spent == 0)
		return false;
	oldest = &dest->records[chosen->oldest_spent];
	chosen->oldest_spent = oldest->next_spent;
	drop(dest, oldest);
	return true;
}

struct psu_dest_record *psu_dest_add(struct psu_dest *dest,
									 const struct psu_id *migration,
									 const struct psu_digest *peer)
{
	struct psu_dest_peer *entry = enter(dest, peer);
	struct psu_dest_record *record;

	if (!entry || !make_room(dest, entry))
		return NULL;
	record = &dest->records[dest->free ? dest->free : dest->unused++];
	if (dest->free)
		dest->free = record->next[BY_MOVE];
	*record = (struct psu_dest_record){
		.migration = *migration,
		.peer = (uint16_t)(entry - dest->peers),
		.state = PSU_DEST_ABORTED,
	};
	link_in(dest, record, BY_MOVE);
	entry->count++;
	dest->count++;
	return record;
}

void psu_dest_admit(struct psu_dest *dest, struct psu_dest_record *record,
					const struct psu_dest_offer *offer)
{
	record->thread = offer->thread;
	record->generation = offer->generation;
	record->one_flight = offer->one_flight;
	record->is_end = offer->is_end;
	record->state = PSU_DEST_ARRIVING;
	link_in(dest, record, BY_THREAD);
}

void psu_dest_start(struct psu_dest *dest, struct psu_dest_record *record)
{
	struct psu_dest_record *other = psu_dest_next(dest, &record->thread, NULL);

	for (; other; other = psu_dest_next(dest, &record->thread, other))
		if (!psu_dest_is_pending(other))
			link_out(dest, other, BY_THREAD);
	record->state = PSU_DEST_RUNNING;
}

void psu_dest_spend(struct psu_dest *dest, struct psu_dest_record *record,
					enum psu_dest_state state)
{
	struct psu_dest_peer *peer = &dest->peers[record->peer];
	uint16_t number = (uint16_t)(record - dest->records);

	record->state = state;
	if (state == PSU_DEST_ABORTED)
		link_out(dest, record, BY_THREAD);
	if (peer->oldest_spent == 0)
		peer->oldest_spent = number;
	else
		dest->records[peer->newest_spent].next_spent = number;
	peer->newest_spent = number;
}

void psu_dest_peer_gone(struct psu_dest *dest, const struct psu_digest *peer)
{
	struct psu_dest_peer *entry = enter(dest, peer);

	if (!entry)
		return;
	entry->oldest_spent = 0;
	for (size_t i = 1; i < dest->unused; i++) {
		struct psu_dest_record *record = &dest->records[i];

		if (record->state != 0 && &dest->peers[record->peer] == entry &&
			!psu_dest_is_pending(record) && record->state != PSU_DEST_RUNNING)
			drop(dest, record);
	}
}

const struct psu_id *psu_dest_unacknowledged(const struct psu_dest *dest)
{
	for (size_t i = 1; i < dest->unused; i++)
		if (dest->records[i].state == PSU_DEST_RUNNING)
			return &dest->records[i].migration;
	return NULL;
}
