/* SPDX-License-Identifier: ISC */
/*
 * itinerary.c - extend, check and verify the chain of a thread's moves
 *
 * In: links as a peer sent them; every byte read here is hostile.  Out: the
 * word that they fit the statement, or one another and the peers file's keys.
 * Refused: a link too few or too many, another thread, a generation or a host
 * left out, a move of a host to itself, a hash or a signature that does not
 * fit.  FORMAT.md, "Itinerary", is normative.
 */
#include "seal/itinerary.h"
#include "bytes/sha256.h"

#include <inttypes.h>
#include <sodium.h>
#include <string.h>

void psu_itinerary_append(struct psu_itinerary *itinerary,
						  const uint8_t sealed[PSU_SEALED_LEN])
{
	if (itinerary->count < PSU_LINKS_MAX)
		itinerary->count++;
	memmove(itinerary->links[1], itinerary->links[0],
			(itinerary->count - 1) * sizeof(itinerary->links[0]));
	memcpy(itinerary->links[0], sealed, PSU_SEALED_LEN);
}

void psu_itinerary_previous(const struct psu_itinerary *itinerary,
							struct psu_digest *previous_out)
{
	*previous_out = (struct psu_digest){{0}};
	if (itinerary->count)
		psu_sha256(itinerary->links[0], PSU_SEALED_LEN, previous_out);
}

/** Of generation 0, which there is not, more than can be. */
static unsigned links_before(uint64_t generation)
{
	return generation > PSU_LINKS_MAX ? PSU_LINKS_MAX
									  : (unsigned)(generation - 1);
}

/** From one host to another, whoever says so. */
static bool read_move(const uint8_t sealed[PSU_SEALED_LEN],
					  struct psu_statement *move_out)
{
	return psu_seal_read(sealed, move_out) && move_out->kind == PSU_KIND_MOVE &&
		   !psu_digest_equal(&move_out->source, &move_out->destination);
}

/** What is wrong between a statement and the link before it, as the end of a
 * sentence; NULL: nothing. */
static const char *find_gap(const struct psu_statement *statement,
							const uint8_t before[PSU_SEALED_LEN])
{
	struct psu_statement link;
	struct psu_digest digest;

	psu_sha256(before, PSU_SEALED_LEN, &digest);
	if (!psu_digest_equal(&digest, &statement->previous))
		return "does not name the move before it";
	if (!read_move(before, &link))
		return "follows something that is no move";
	if (!psu_id_equal(&link.thread, &statement->thread))
		return "follows a move of another thread";
	if (link.generation != statement->generation - 1)
		return "does not follow the generation before it";
	if (!psu_digest_equal(&link.destination, &statement->source))
		return "comes from another host than the thread had moved to";
	return NULL;
}

/** The same of a statement and what came with it.  @before: NULL, nothing */
static const char *find_fault(const struct psu_statement *statement,
							  const uint8_t *before)
{
	static const struct psu_digest zeros;

	if (statement->links != links_before(statement->generation))
		return "has another number of links than its generation needs";
	if (before)
		return find_gap(statement, before);
	if (statement->generation == 1 &&
		!psu_digest_equal(&statement->previous, &zeros))
		return "is the first and names one before it";
	return NULL;
}

int psu_itinerary_check(const struct psu_itinerary *itinerary,
						const struct psu_statement *statement)
{
	const uint8_t *newest = itinerary->count ? itinerary->links[0] : NULL;
	const char *fault = find_fault(statement, newest);

	if (!fault)
		return 0;
	return psu_error_set(PSU_THREAD_E_ITINERARY_INVALID,
						 "cannot take a thread in: its move number %" PRIu64
						 " %s: look into the host that sent it",
						 statement->generation, fault);
}

/* ---- the whole of it */

static bool is_signed_with(const uint8_t sealed[PSU_SEALED_LEN],
						   const uint8_t sign_public[PSU_SIGN_PUBLIC_LEN])
{
	return crypto_sign_verify_detached(sealed + PSU_STATEMENT_LEN, sealed,
									   PSU_STATEMENT_LEN, sign_public) == 0;
}

/** Whether it is signed with a key that its source has, or once had. */
static bool is_signed_by(const uint8_t sealed[PSU_SEALED_LEN],
						 const struct psu_digest *source,
						 const struct psu_peers *peers,
						 const uint8_t own_public[PSU_SIGN_PUBLIC_LEN])
{
	const struct psu_peer *peer = psu_peers_find(peers, source);

	if (psu_digest_equal(source, &peers->self.digest) &&
		is_signed_with(sealed, own_public))
		return true;
	if (peer && is_signed_with(sealed, peer->sign_public))
		return true;
	for (size_t i = 0; i < peers->retired_count; i++)
		if (psu_digest_equal(&peers->retired[i].identity, source) &&
			is_signed_with(sealed, peers->retired[i].sign_public))
			return true;
	return false;
}

/** What is wrong with link number @at, which says @statement_out. */
static const char *find_flaw(const struct psu_itinerary *itinerary, unsigned at,
							 const struct psu_peers *peers,
							 const uint8_t own_public[PSU_SIGN_PUBLIC_LEN],
							 struct psu_statement *statement_out)
{
	const uint8_t *link = itinerary->links[at];
	bool oldest = at + 1 == itinerary->count;

	if (!read_move(link, statement_out))
		return "is no move";
	if (!is_signed_by(link, &statement_out->source, peers, own_public))
		return "is not signed with a key that the peers file has of its "
			   "source";
	if (oldest && statement_out->generation > 1 &&
		itinerary->count < PSU_LINKS_MAX)
		return "lacks those before it";
	return find_fault(statement_out, oldest ? NULL : itinerary->links[at + 1]);
}

/** @number: of the link, from 1; 0: it is the statement that they came with. */
static int disbelieve(const struct psu_itinerary *itinerary, unsigned number,
					  const struct psu_statement *statement, const char *flaw)
{
	return psu_error_set(PSU_THREAD_E_ITINERARY_INVALID,
						 "the itinerary is not to be believed: link %u of %u, "
						 "the move to generation %" PRIu64
						 ", %s: look into the hosts from there on, and list "
						 "retired keys as verify-only=",
						 number, itinerary->count, statement->generation, flaw);
}

int psu_itinerary_verify(const struct psu_itinerary *itinerary,
						 const struct psu_peers *peers,
						 const uint8_t own_public[PSU_SIGN_PUBLIC_LEN])
{
	for (unsigned at = 0; at < itinerary->count; at++) {
		struct psu_statement statement = {0};
		const char *flaw = find_flaw(itinerary, at, peers, own_public,
									 &statement);

		if (flaw)
			return disbelieve(itinerary, at + 1, &statement, flaw);
	}
	return 0;
}

/** Back to the one that is known, from @link on, which is verified and follows
 * the first @count, which are too. */
static int verify_since(const struct psu_itinerary *itinerary, unsigned count,
						struct psu_statement *link,
						const struct psu_made_move *known,
						const struct psu_peers *peers,
						const uint8_t own_public[PSU_SIGN_PUBLIC_LEN])
{
	const char *flaw = NULL;

	while (!psu_digest_equal(&link->previous, &known->digest)) {
		if (link->generation <= known->generation + 1)
			flaw = "does not follow the latest one that is known here";
		else if (count == itinerary->count)
			return 0;
		else
			flaw = find_flaw(itinerary, count++, peers, own_public, link);
		if (flaw)
			return disbelieve(itinerary, count, link, flaw);
	}
	return 0;
}

int psu_itinerary_verify_return(const struct psu_itinerary *itinerary,
								const struct psu_statement *statement,
								const struct psu_made_move *known,
								const struct psu_peers *peers,
								const uint8_t own_public[PSU_SIGN_PUBLIC_LEN])
{
	struct psu_statement link = *statement;

	return verify_since(itinerary, 0, &link, known, peers, own_public);
}

int psu_itinerary_verify_onward(const struct psu_itinerary *itinerary,
								const struct psu_made_move *known,
								const struct psu_peers *peers,
								const uint8_t own_public[PSU_SIGN_PUBLIC_LEN])
{
	struct psu_statement link = {0};
	const char *flaw = find_flaw(itinerary, 0, peers, own_public, &link);

	if (flaw)
		return disbelieve(itinerary, 1, &link, flaw);
	return verify_since(itinerary, 1, &link, known, peers, own_public);
}
