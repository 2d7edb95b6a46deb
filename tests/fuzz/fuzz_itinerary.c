/* SPDX-License-Identifier: ISC */
/*
 * fuzz_itinerary.c - the moves that a thread made before
 *
 * Input: the 352 bytes of a statement, and links.  The statement is made to
 * name the newest of them, to get behind the hash.  Of what is accepted the
 * newest link must be the move before; nobody here has signed any of them.
 */
#include "fuzz.h"
#include "seal/itinerary.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static struct psu_peers *peers;

static void prepare(void)
{
	/* RFC 8032, section 7.1, test 1: the public key */
	static const char text[] =
		"self id=spiffe://d/psu-thread/a zone=0\n"
		"peer id=spiffe://d/psu-thread/b zone=1 direction=both "
		"sign=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n";

	if (peers)
		return;
	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);
	if (sodium_init() < 0 ||
		psu_peers_parse(text, sizeof(text) - 1, "peers", &peers) != 0)
		abort();
}

static void try_itinerary(const struct psu_itinerary *itinerary,
						  const struct psu_statement *statement)
{
	struct psu_statement link;

	if (psu_itinerary_check(itinerary, statement) != 0)
		return;
	if (statement->generation == 1 && itinerary->count == 0)
		return;
	if (!psu_seal_read(itinerary->links[0], &link) ||
		psu_digest_equal(&link.source, &link.destination) ||
		link.generation + 1 != statement->generation ||
		!psu_id_equal(&link.thread, &statement->thread) ||
		!psu_digest_equal(&link.destination, &statement->source))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct psu_itinerary itinerary = {0};
	struct psu_statement statement;
	size_t count;

	prepare();
	if (len < PSU_STATEMENT_LEN || !psu_seal_read(bytes, &statement))
		return 0;
	count = (len - PSU_STATEMENT_LEN) / PSU_SEALED_LEN;
	itinerary.count = (unsigned)(count < PSU_LINKS_MAX ? count : PSU_LINKS_MAX);
	statement.links = (uint8_t)itinerary.count;
	memcpy(itinerary.links, bytes + PSU_STATEMENT_LEN,
		   itinerary.count * PSU_SEALED_LEN);
	try_itinerary(&itinerary, &statement);
	psu_itinerary_previous(&itinerary, &statement.previous);
	try_itinerary(&itinerary, &statement);
	if (itinerary.count &&
		psu_itinerary_verify(&itinerary, peers, peers->list[0].sign_public) ==
			0)
		abort();
	return 0;
}
