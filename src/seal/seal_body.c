/* SPDX-License-Identifier: ISC */
/*
 * seal_body.c - tie a body to a statement
 *
 * In: a verified statement, and bytes that came with it.  Out: a struct
 * psu_verified_body, which nothing else can make.  Refused: other bytes than
 * those whose digest was signed.
 */
#include "bytes/sha256.h"
#include "report/traffic.h"
#include "seal/seal.h"

#include <stdlib.h>

/** What is hashed at a time, some 15 us of work. */
#define DIGEST_PART_LEN (32u << 10)

struct psu_verified_body {
	struct psu_statement statement;
	const uint8_t *head;
	const uint8_t *stack;
};

void psu_seal_digest(const uint8_t *head, size_t head_len, const uint8_t *stack,
					 size_t stack_len, struct psu_digest *digest_out)
{
	struct psu_sha256 hash;

	psu_sha256_init(&hash);
	psu_sha256_update(&hash, head, head_len);
	for (; stack_len > DIGEST_PART_LEN; stack_len -= DIGEST_PART_LEN) {
		psu_sha256_update(&hash, stack, DIGEST_PART_LEN);
		stack += DIGEST_PART_LEN;
		psu_traffic_give_way();
	}
	psu_sha256_update(&hash, stack, stack_len);
	psu_sha256_final(&hash, digest_out);
}

int psu_seal_verify_body(const struct psu_verified *verified,
						 const uint8_t *head, const uint8_t *stack,
						 struct psu_verified_body **body_out)
{
	const struct psu_statement *statement = psu_verified_statement(verified);
	struct psu_verified_body *body;
	struct psu_digest digest;

	psu_seal_digest(head, statement->head_len, stack, statement->stack_len,
					&digest);
	if (!psu_digest_equal(&digest, &statement->body))
		return psu_error_set(PSU_THREAD_E_DIGEST_MISMATCH,
							 "cannot take a thread in: the body received is "
							 "not the one whose digest was signed: let the "
							 "sender try again, and suspect its memory if "
							 "that does not help");
	body = malloc(sizeof(*body));
	if (!body)
		return psu_error_set(PSU_THREAD_E_NO_MEMORY,
							 "cannot take a thread in: no memory for what is "
							 "known of its body: free some on this host and "
							 "try again");
	body->statement = *statement;
	body->head = head;
	body->stack = stack;
	*body_out = body;
	return 0;
}

void psu_verified_body_free(struct psu_verified_body *body)
{
	free(body);
}

const struct psu_statement *
psu_verified_body_statement(const struct psu_verified_body *body)
{
	return &body->statement;
}

const uint8_t *psu_verified_body_head(const struct psu_verified_body *body)
{
	return body->head;
}

const uint8_t *psu_verified_body_stack(const struct psu_verified_body *body)
{
	return body->stack;
}
