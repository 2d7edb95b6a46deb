/* SPDX-License-Identifier: ISC */
/*
 * test_itinerary_hosts.c - keys, a peers file, and moves signed with them
 */
#include "test_itinerary_hosts.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define SPIFFE "spiffe://d.example/psu-thread/"

uint8_t publics[SIGNER_COUNT][PSU_SIGN_PUBLIC_LEN];
struct psu_peers *peers;
struct psu_itinerary itinerary;
struct psu_statement next;

static uint8_t secrets[SIGNER_COUNT][PSU_SIGN_SECRET_LEN];

struct psu_digest host(enum signer signer)
{
	static const char *const uris[] = {SPIFFE "a", SPIFFE "b", SPIFFE "c",
									   SPIFFE "d", SPIFFE "b"};
	struct psu_identity identity;

	ck_assert_int_eq(
		psu_identity_parse(uris[signer], strlen(uris[signer]), &identity), 0);
	return identity.digest;
}

void prepare(enum signer from, enum signer to)
{
	next.generation++;
	next.links = (uint8_t)itinerary.count;
	next.source = host(from);
	next.destination = host(to);
	psu_itinerary_previous(&itinerary, &next.previous);
}

void go(enum signer signer)
{
	uint8_t sealed[PSU_SEALED_LEN];

	psu_seal_sign(&next, secrets[signer], sealed);
	psu_itinerary_append(&itinerary, sealed);
}

void read_peers(const char *b_words)
{
	char text[1024], key[2][64];

	for (int i = 0; i < 2; i++)
		sodium_bin2base64(key[i], sizeof(key[i]), publics[i ? C : B],
						  PSU_SIGN_PUBLIC_LEN, sodium_base64_VARIANT_ORIGINAL);
	snprintf(text, sizeof(text),
			 "self id=" SPIFFE "a zone=0\n"
			 "peer id=" SPIFFE "b zone=1 sign=%s direction=both %s\n"
			 "peer id=" SPIFFE "c zone=2 sign=%s direction=both",
			 key[0], b_words, key[1]);
	psu_peers_free(peers);
	ck_assert_int_eq(psu_peers_parse(text, strlen(text), "p", &peers), 0);
}

void hosts_setup(void)
{
	ck_assert_int_ge(sodium_init(), 0);
	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);
	for (unsigned i = 0; i < SIGNER_COUNT; i++) {
		uint8_t seed[crypto_sign_SEEDBYTES] = {(uint8_t)i};

		crypto_sign_seed_keypair(publics[i], secrets[i], seed);
	}
	read_peers("");
	memset(&itinerary, 0, sizeof(itinerary));
	next = (struct psu_statement){.kind = PSU_KIND_MOVE, .thread = {{1}}};
}

void hosts_teardown(void)
{
	psu_peers_free(peers);
	peers = NULL;
}

void judged(int code, const char *words)
{
	ck_assert_msg((code == 0) == !words, "%s", psu_error_sentence());
	if (!words)
		return;
	ck_assert_int_eq(code, PSU_THREAD_E_ITINERARY_INVALID);
	ck_assert_msg(strstr(psu_error_sentence(), words), "'%s' is not in: %s",
				  words, psu_error_sentence());
}
