/* SPDX-License-Identifier: ISC */
/*
 * fuzz_peers.c - peers files
 *
 * Input: the text of a peers file.  Of what is accepted every entry must be
 * found, and must keep the promises that trust.h makes of a parsed file.
 */
#include "fuzz.h"
#include "trust/trust.h"

#include <stdlib.h>
#include <string.h>

static void check_identity(const struct psu_identity *identity)
{
	struct psu_identity again;
	size_t len = strnlen(identity->uri, sizeof(identity->uri));

	if (psu_identity_parse(identity->uri, len, &again) != 0 ||
		!psu_digest_equal(&again.digest, &identity->digest) ||
		strcmp(again.name, identity->name) != 0)
		abort();
}

/** It is of a host in the file. */
static void check_retired(const struct psu_peers *peers,
						  const struct psu_retired *retired)
{
	if (!psu_digest_equal(&retired->identity, &peers->self.digest) &&
		!psu_peers_find(peers, &retired->identity))
		abort();
}

static void check(const struct psu_peers *peers)
{
	for (size_t i = 0; i < peers->retired_count; i++)
		check_retired(peers, &peers->retired[i]);
	check_identity(&peers->self);
	if (peers->zone >= PSU_ZONE_COUNT)
		abort();
	for (size_t i = 0; i < peers->count; i++) {
		const struct psu_peer *peer = &peers->list[i];

		check_identity(&peer->identity);
		if (psu_peers_find(peers, &peer->identity.digest) != peer ||
			psu_digest_equal(&peer->identity.digest, &peers->self.digest) ||
			peer->zone >= PSU_ZONE_COUNT || peer->zone == peers->zone ||
			!(peer->may_send || peer->may_receive))
			abort();
		for (size_t j = 0; j < i; j++)
			if (peers->list[j].zone == peer->zone)
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct psu_peers *peers;

	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);
	if (psu_peers_parse((const char *)bytes, len, "peers", &peers) != 0)
		return 0;
	check(peers);
	psu_peers_free(peers);
	return 0;
}
