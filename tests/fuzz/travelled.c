/* SPDX-License-Identifier: ISC */
/*
 * travelled.c - sign and verify a body with a key made here
 */
#include "travelled.h"
#include "slot/slot.h"

#include <sodium.h>
#include <stdlib.h>

static uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
static uint8_t secret_key[crypto_sign_SECRETKEYBYTES];

static void make_key(void)
{
	static const uint8_t seed[crypto_sign_SEEDBYTES];
	static bool made;

	if (made)
		return;
	if (sodium_init() < 0)
		abort();
	crypto_sign_seed_keypair(public_key, secret_key, seed);
	made = true;
}

struct psu_verified_body *travelled_body(const uint8_t *head, size_t head_len,
										 const struct psu_span *stack,
										 uint64_t heap_len)
{
	struct psu_statement statement = {.kind = stack->len ? PSU_KIND_MOVE
														 : PSU_KIND_END,
									  .one_flight = !stack->len,
									  .migration = {{1}},
									  .thread = {{1}},
									  .generation = 1,
									  .source = {{1}},
									  .slot_len = PSU_SLOT_LEN_MAX,
									  .stack_room = PSU_STACK_LEN_MAX,
									  .head_len = (uint32_t)head_len,
									  .stack_len = (uint32_t)stack->len,
									  .heap_len = heap_len};
	struct psu_expectation expected = {.sign_public = public_key,
									   .source = {{1}}};
	uint8_t sealed[PSU_SEALED_LEN];
	struct psu_untrusted untrusted = {sealed, sizeof(sealed)};
	struct psu_verified *verified = NULL;
	struct psu_verified_body *body = NULL;
	int code;

	make_key();
	psu_seal_digest(head, head_len, stack->bytes, stack->len, &statement.body);
	psu_seal_sign(&statement, secret_key, sealed);
	code = psu_seal_verify(&untrusted, &expected, &verified);
	if (code == PSU_THREAD_E_STATEMENT_INVALID)
		return NULL;
	if (code != 0 ||
		psu_seal_verify_body(verified, head, stack->bytes, &body) != 0)
		abort();
	psu_verified_free(verified);
	return body;
}
