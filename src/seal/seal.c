/* SPDX-License-Identifier: ISC */
/*
 * seal.c - sign a statement, and verify one
 *
 * In: a sealed statement as a peer sent it; every byte read here is hostile.
 * Out: a struct psu_verified, which nothing else can make.  Refused, in this
 * order: another length, a signature that is not the peer's, another layout,
 * sizes over the limits, and whatever is not about this very peer, host,
 * process, connection and program.  FORMAT.md, "Statement", is normative.
 */
#include "seal/seal.h"
#include "heap/heap.h"
#include "net/frame.h"
#include "slot/slot.h"

#include <assert.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

_Static_assert(crypto_sign_BYTES == PSU_SIGNATURE_LEN, "Ed25519");

struct psu_verified {
	struct psu_statement statement;
};

/** First in what is signed, so that no other signature of this key can be
 * taken for a statement; zeros behind the words. */
static const char domain[32] = "psu_thread statement";

#define BEGINNING_LEN (sizeof(domain) + 2)
#define RESERVED_LEN 12

static void encode(const struct psu_statement *statement,
				   uint8_t bytes_out[PSU_STATEMENT_LEN])
{
	struct psu_writer writer = {.at = bytes_out,
								.end = bytes_out + PSU_STATEMENT_LEN};

	psu_put_bytes(&writer, domain, sizeof(domain));
	psu_put_u16(&writer, PSU_WIRE_VERSION);
	psu_put_u8(&writer, statement->kind);
	psu_put_u8(&writer, statement->one_flight ? 1 : 2);
	psu_put_u8(&writer, statement->links);
	psu_put_bytes(&writer, statement->migration.bytes, 16);
	psu_put_bytes(&writer, statement->thread.bytes, 16);
	psu_put_u64(&writer, statement->generation);
	psu_put_u64(&writer, (uint64_t)statement->time_ms);
	psu_put_bytes(&writer, statement->previous.bytes, 32);
	psu_put_bytes(&writer, statement->incarnation.bytes, 16);
	psu_put_bytes(&writer, statement->source.bytes, 32);
	psu_put_bytes(&writer, statement->destination.bytes, 32);
	psu_put_bytes(&writer, statement->program.bytes, 32);
	psu_put_u64(&writer, statement->slot_addr);
	psu_put_u64(&writer, statement->slot_len);
	psu_put_u32(&writer, statement->stack_room);
	psu_put_u32(&writer, statement->head_len);
	psu_put_u32(&writer, statement->stack_len);
	psu_put_u64(&writer, statement->heap_len);
	psu_put_u64(&writer, statement->sequence);
	psu_put_u16(&writer, statement->stream);
	psu_put_bytes(&writer, statement->body.bytes, 32);
	psu_put_bytes(&writer, statement->exporter.bytes, 32);
	psu_put_u8(&writer, statement->attested ? 1 : 2);
	psu_put_zeros(&writer, RESERVED_LEN);
	assert(!writer.overflow && writer.at == writer.end);
}

int64_t psu_seal_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void psu_seal_sign(const struct psu_statement *statement, const uint8_t *secret,
				   uint8_t sealed_out[PSU_SEALED_LEN])
{
	encode(statement, sealed_out);
	crypto_sign_detached(sealed_out + PSU_STATEMENT_LEN, NULL, sealed_out,
						 PSU_STATEMENT_LEN, secret);
}

/** @fault: what is wrong with it, as the end of a sentence. */
static int malformed(const char *fault)
{
	return psu_error_set(PSU_THREAD_E_STATEMENT_INVALID,
						 "cannot take a thread in: its statement %s, though "
						 "the peer signed it: install the same psu_thread on "
						 "both hosts",
						 fault);
}

/** What it is, and whether the rest can be read at all. */
static int check_beginning(const uint8_t bytes[PSU_STATEMENT_LEN])
{
	struct psu_reader reader = {.at = bytes, .end = bytes + PSU_STATEMENT_LEN};
	char first[sizeof(domain)];
	unsigned version;

	psu_get_bytes(&reader, first, sizeof(first));
	version = psu_get_u16(&reader);
	if (memcmp(first, domain, sizeof(first)) != 0)
		return malformed("does not begin with \"psu_thread statement\"");
	if (version != PSU_WIRE_VERSION)
		return psu_error_set(PSU_THREAD_E_VERSION_MISMATCH,
							 "cannot take a thread in: its statement has wire "
							 "version %u, this host speaks %u: install the "
							 "same psu_thread on both hosts",
							 version, PSU_WIRE_VERSION);
	return 0;
}

/** The rest of it.  Returns what is wrong, as the end of a sentence, or NULL.
 */
static const char *decode(const uint8_t bytes[PSU_STATEMENT_LEN],
						  struct psu_statement *statement_out)
{
	struct psu_reader reader = {.at = bytes, .end = bytes + PSU_STATEMENT_LEN};
	unsigned flights, attested;

	psu_get_span(&reader, BEGINNING_LEN);
	statement_out->kind = psu_get_u8(&reader);
	flights = psu_get_u8(&reader);
	statement_out->one_flight = flights == 1;
	statement_out->links = psu_get_u8(&reader);
	psu_get_bytes(&reader, statement_out->migration.bytes, 16);
	psu_get_bytes(&reader, statement_out->thread.bytes, 16);
	statement_out->generation = psu_get_u64(&reader);
	statement_out->time_ms = (int64_t)psu_get_u64(&reader);
	psu_get_bytes(&reader, statement_out->previous.bytes, 32);
	psu_get_bytes(&reader, statement_out->incarnation.bytes, 16);
	psu_get_bytes(&reader, statement_out->source.bytes, 32);
	psu_get_bytes(&reader, statement_out->destination.bytes, 32);
	psu_get_bytes(&reader, statement_out->program.bytes, 32);
	statement_out->slot_addr = psu_get_u64(&reader);
	statement_out->slot_len = psu_get_u64(&reader);
	statement_out->stack_room = psu_get_u32(&reader);
	statement_out->head_len = psu_get_u32(&reader);
	statement_out->stack_len = psu_get_u32(&reader);
	statement_out->heap_len = psu_get_u64(&reader);
	statement_out->sequence = psu_get_u64(&reader);
	statement_out->stream = psu_get_u16(&reader);
	psu_get_bytes(&reader, statement_out->body.bytes, 32);
	psu_get_bytes(&reader, statement_out->exporter.bytes, 32);
	attested = psu_get_u8(&reader);
	statement_out->attested = attested == 1;
	psu_get_zeros(&reader, RESERVED_LEN);
	if (!psu_reader_done(&reader))
		return "has reserved bytes that are not zero";
	if (statement_out->kind != PSU_KIND_MOVE &&
		statement_out->kind != PSU_KIND_END)
		return "is about neither a move nor an end";
	if (flights != 1 && flights != 2)
		return "asks for neither one flight nor two";
	if (attested != 1 && attested != 2)
		return "says neither that its heap is signed nor that it is not";
	return NULL;
}

bool psu_seal_read(const uint8_t bytes[PSU_STATEMENT_LEN],
				   struct psu_statement *statement_out)
{
	struct psu_reader reader = {.at = bytes, .end = bytes + PSU_STATEMENT_LEN};
	const uint8_t *first = psu_get_span(&reader, sizeof(domain));

	return memcmp(first, domain, sizeof(domain)) == 0 &&
		   psu_get_u16(&reader) == PSU_WIRE_VERSION &&
		   !decode(bytes, statement_out);
}

/** What comes along and what does not, and whether a stack has room. */
static int check_luggage(const struct psu_statement *statement)
{
	if (!psu_slot_len_valid(statement->slot_len))
		return malformed("has a slot of no valid length");
	if (!psu_slot_stack_len_valid(statement->stack_room))
		return malformed("has a stack in a space of no valid size");
	if (statement->stack_len > statement->stack_room)
		return malformed("has a stack that its space does not hold");
	if (statement->heap_len % PSU_HEAP_PAGE_LEN ||
		statement->heap_len > statement->slot_len)
		return malformed("has a heap that is no pages, or over its slot");
	if (statement->kind == PSU_KIND_END && statement->heap_len)
		return malformed("has a heap, though the thread has ended");
	if (statement->kind == PSU_KIND_MOVE && statement->stack_len < 1)
		return malformed("has no stack");
	if (statement->kind == PSU_KIND_END && statement->stack_len != 0)
		return malformed("has a stack, though the thread has ended");
	if (statement->kind == PSU_KIND_END && !statement->one_flight)
		return malformed("ends a thread in two flights");
	if (statement->kind == PSU_KIND_END && statement->attested)
		return malformed("has a signed heap, though the thread has ended");
	return 0;
}

/** What no statement may say, whoever receives it. */
static int check_limits(const struct psu_statement *statement)
{
	if (psu_id_is_zero(&statement->migration) ||
		psu_id_is_zero(&statement->thread))
		return malformed("names no move or no thread");
	if (statement->generation == 0 || statement->generation == UINT64_MAX)
		return malformed("would commit no generation, or the last there is");
	if (statement->head_len < 1 || statement->head_len > PSU_HEAD_LEN_MAX)
		return malformed("has a head that is empty or over the limit");
	if (statement->links > PSU_LINKS_MAX)
		return malformed("has more links than the limit");
	return check_luggage(statement);
}

static int wrong_addressee(const char *why)
{
	return psu_error_set(PSU_THREAD_E_WRONG_ADDRESSEE,
						 "cannot take a thread in: %s: let the sender try "
						 "again, and look into it if that does not help",
						 why);
}

static int wrong_program(const struct psu_digest *here,
						 const struct psu_digest *there)
{
	char here_hex[17], there_hex[17];

	psu_bytes_hex(here->bytes, 8, here_hex);
	psu_bytes_hex(there->bytes, 8, there_hex);
	return psu_error_set(PSU_THREAD_E_BINARY_MISMATCH,
						 "cannot take a thread in: its statement is about "
						 "another program (manifest here %s, there %s): "
						 "install the same file on both hosts",
						 here_hex, there_hex);
}

static int check_expected(const struct psu_statement *statement,
						  const struct psu_expectation *expected)
{
	if (!psu_digest_equal(&statement->source, &expected->source))
		return wrong_addressee("its statement names another source than the "
							   "host that sent it");
	if (!psu_digest_equal(&statement->destination, &expected->destination))
		return wrong_addressee("its statement names another destination than "
							   "this host");
	if (psu_digest_equal(&statement->source, &statement->destination))
		return wrong_addressee("its statement names this host as source and "
							   "as destination");
	if (!psu_id_equal(&statement->incarnation, &expected->incarnation))
		return wrong_addressee("its statement names another process of this "
							   "host, which may have ended");
	if (!psu_digest_equal(&statement->exporter, &expected->exporter))
		return wrong_addressee("its statement was made for another "
							   "connection");
	if (!psu_digest_equal(&statement->program, &expected->program))
		return wrong_program(&expected->program, &statement->program);
	if (statement->sequence != expected->sequence)
		return psu_error_set(PSU_THREAD_E_REPLAYED,
							 "cannot take a thread in: its statement has the "
							 "sequence number %" PRIu64 ", the next on this "
							 "connection is %" PRIu64 ": let the sender try "
							 "again with a new statement",
							 statement->sequence, expected->sequence);
	return 0;
}

static int no_memory(void)
{
	return psu_error_set(PSU_THREAD_E_NO_MEMORY,
						 "cannot take a thread in: no memory for its "
						 "statement: free some on this host and try again");
}

int psu_seal_verify(const struct psu_untrusted *sealed,
					const struct psu_expectation *expected,
					struct psu_verified **verified_out)
{
	struct psu_statement statement;
	struct psu_verified *verified;
	const char *fault;
	int rc;

	/* nothing is looked at before the signature holds */
	if (sealed->len != PSU_SEALED_LEN)
		return psu_error_set(PSU_THREAD_E_STATEMENT_INVALID,
							 "cannot take a thread in: its sealed statement "
							 "has %zu bytes, not %d: install the same "
							 "psu_thread on both hosts",
							 sealed->len, PSU_SEALED_LEN);
	if (crypto_sign_verify_detached(sealed->bytes + PSU_STATEMENT_LEN,
									sealed->bytes, PSU_STATEMENT_LEN,
									expected->sign_public) != 0)
		return psu_error_set(PSU_THREAD_E_SIGNATURE_INVALID,
							 "cannot take a thread in: its statement is not "
							 "signed with the key that the peers file lists "
							 "for the sender: bring that entry up to date if "
							 "the sender has a new sign.key");

	/* what it says */
	rc = check_beginning(sealed->bytes);
	if (rc)
		return rc;
	fault = decode(sealed->bytes, &statement);
	rc = fault ? malformed(fault) : check_limits(&statement);
	if (!rc)
		rc = check_expected(&statement, expected);
	if (rc)
		return rc;

	/* the only place where trust is made */
	verified = malloc(sizeof(*verified));
	if (!verified)
		return no_memory();
	verified->statement = statement;
	*verified_out = verified;
	return 0;
}

void psu_verified_free(struct psu_verified *verified)
{
	free(verified);
}

const struct psu_statement *
psu_verified_statement(const struct psu_verified *verified)
{
	return &verified->statement;
}
