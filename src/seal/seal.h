/* SPDX-License-Identifier: ISC */
/*
 * seal.h - the signed statement about an image, and trust as a type
 *
 *     struct psu_untrusted      bytes from a peer
 *        | psu_seal_verify()        the signature is this peer's, the statement
 *        v                          is about this very connection and host
 *     struct psu_verified       a statement one may act on
 *        | psu_seal_verify_body()   the body is the one that was signed
 *        v
 *     struct psu_verified_body  bytes one may decode
 *
 * The statement has a fixed layout (FORMAT.md, "Statement"): there is no
 * parser in front of the signature.
 */
#ifndef PSU_SEAL_H
#define PSU_SEAL_H

#include "bytes/bytes.h"
#include "report/report.h"

#define PSU_STATEMENT_LEN 352
#define PSU_SIGNATURE_LEN 64
#define PSU_SEALED_LEN (PSU_STATEMENT_LEN + PSU_SIGNATURE_LEN)

/** Statements of older moves that come with one, at most. */
#define PSU_LINKS_MAX 16

/** Longest encoded head, and longest stack, of an image. */
#define PSU_HEAD_LEN_MAX (10u << 20)
#define PSU_STACK_LEN_MAX (64u << 20)

/** What comes. */
enum psu_kind {
	PSU_KIND_MOVE = 1, /* a thread, which goes on */
	PSU_KIND_END	   /* the end of one, for its home: it has no stack */
};

/** What a source states about one attempt to move a thread, or its end. */
struct psu_statement {
	uint8_t kind;			 /* enum psu_kind */
	bool one_flight;		 /* this OFFER carries the COMMIT */
	uint8_t links;			 /* statements of older moves that come along */
	struct psu_id migration; /* of this attempt */
	struct psu_id thread;	 /* for life */
	uint64_t generation;	 /* the one this move would commit */
	int64_t time_ms;		 /* of signing, since 1970, by the source's clock */
	struct psu_digest previous; /* of the sealed statement of the move before;
								   zeros: there was none */
	struct psu_id incarnation;	/* of the destination, from its hello */
	struct psu_digest source;	/* digests of the two identities */
	struct psu_digest destination;
	struct psu_digest program;	/* of the manifest */
	uint64_t slot_addr;			/* lowest address of the slot */
	uint64_t slot_len;			/* its length */
	uint32_t stack_room;		/* of the travelling stack's space there */
	uint32_t head_len;			/* of the body's encoded part */
	uint32_t stack_len;			/* of the stack behind it */
	uint64_t heap_len;			/* of the heap's pages behind that */
	uint64_t sequence;			/* OFFERs before it on this connection */
	uint16_t stream;			/* that every BODY frame of it names */
	struct psu_digest body;		/* SHA-256 of head, then stack */
	struct psu_digest exporter; /* of this very connection, RFC 9266 */
	bool attested;				/* seal/attest.h: it follows the heap */
};

struct psu_untrusted {
	const uint8_t *bytes;
	size_t len;
};

/** What the receiver knows by itself and the statement must repeat. */
struct psu_expectation {
	const uint8_t *sign_public;	   /* of the TLS peer, from the peers file */
	struct psu_digest source;	   /* the TLS peer's identity */
	struct psu_digest destination; /* this host */
	struct psu_id incarnation;	   /* this process */
	struct psu_digest program;
	struct psu_digest exporter;
	uint64_t sequence;
};

/** The clock of time_ms. */
int64_t psu_seal_now_ms(void);

/** Sign.  @secret as crypto_sign_detached() takes it.  Cannot fail. */
void psu_seal_sign(const struct psu_statement *statement, const uint8_t *secret,
				   uint8_t sealed_out[PSU_SEALED_LEN]);

/**
 * Read a statement as it is laid out, whoever signed it.  Every byte read here
 * is hostile.  False, without a sentence: it is no statement of this version.
 */
PSU_MUST_CHECK bool psu_seal_read(const uint8_t bytes[PSU_STATEMENT_LEN],
								  struct psu_statement *statement_out);

struct psu_verified;
struct psu_verified_body;

/**
 * Verify a sealed statement: first the signature, then every field.
 * Every byte read here is hostile.
 *
 * @verified_out  psu_verified_free()
 *
 * Returns 0, STATEMENT_INVALID (length, domain string, reserved bytes, zero
 * ids, sizes that are zero or over the limits or do not go with the kind),
 * VERSION_MISMATCH, SIGNATURE_INVALID, WRONG_ADDRESSEE (source, destination,
 * incarnation or exporter are not these, or source and destination are one
 * host), BINARY_MISMATCH (program), REPLAYED (sequence), NO_MEMORY.
 */
PSU_MUST_CHECK int psu_seal_verify(const struct psu_untrusted *sealed,
								   const struct psu_expectation *expected,
								   struct psu_verified **verified_out);
void psu_verified_free(struct psu_verified *verified);
const struct psu_statement *
psu_verified_statement(const struct psu_verified *verified);

/** The digest that a statement carries of its body.  Cannot fail. */
void psu_seal_digest(const uint8_t *head, size_t head_len, const uint8_t *stack,
					 size_t stack_len, struct psu_digest *digest_out);

/**
 * Check that a received body is the one stated.  The bytes must not change
 * afterwards and must outlive the result.
 *
 * @head   head_len bytes of the statement
 * @stack  stack_len bytes of the statement
 *
 * Returns 0, PSU_THREAD_E_DIGEST_MISMATCH, NO_MEMORY.
 */
PSU_MUST_CHECK int psu_seal_verify_body(const struct psu_verified *verified,
										const uint8_t *head,
										const uint8_t *stack,
										struct psu_verified_body **body_out);
void psu_verified_body_free(struct psu_verified_body *body);
const struct psu_statement *
psu_verified_body_statement(const struct psu_verified_body *body);
const uint8_t *psu_verified_body_head(const struct psu_verified_body *body);
const uint8_t *psu_verified_body_stack(const struct psu_verified_body *body);

#endif
