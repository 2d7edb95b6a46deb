/* SPDX-License-Identifier: ISC */
/*
 * peers_value.c - the values of words of the peers file
 *
 * In: a word behind its '='.  Out: what it says of a host.  Refused: what is no
 * such value, with its line and what to write instead.
 */
#include "trust/peers_value.h"

#include <sodium.h>
#include <string.h>

#define SHOWN_LEN 80 /* of a word, in a sentence */

/** Of max-bytes: many times what all slots together have. */
#define MAX_BYTES_MOST (UINT64_C(1) << 51)

int psu_peers_refuse(const struct psu_peers_parser *parser,
					 struct psu_peers_word word, const char *why)
{
	int shown = word.len < SHOWN_LEN ? (int)word.len : SHOWN_LEN;

	return psu_error_set(PSU_THREAD_E_PEERS_INVALID, "%s:%u: '%.*s' %s",
						 parser->path, parser->line, shown, word.at, why);
}

bool psu_peers_word_is(struct psu_peers_word word, const char *text)
{
	return word.len == strlen(text) && memcmp(word.at, text, word.len) == 0;
}

int psu_peers_take_id(const struct psu_peers_parser *parser,
					  struct psu_peers_word value,
					  struct psu_identity *identity_out)
{
	const struct psu_peers *peers = parser->peers;

	if (psu_identity_parse(value.at, value.len, identity_out))
		return psu_peers_refuse(parser, value,
								"is no identity: write "
								"id=spiffe://DOMAIN/psu-thread/NAME");
	if (psu_peers_find(peers, &identity_out->digest) ||
		(parser->self_line &&
		 psu_digest_equal(&peers->self.digest, &identity_out->digest)))
		return psu_peers_refuse(
			parser, value, "has an entry already: keep one line for each host");
	return 0;
}

int psu_peers_take_zone(struct psu_peers_parser *parser,
						struct psu_peers_word value, uint32_t *zone_out)
{
	uint32_t zone = 0;
	bool valid = value.len >= 1 && value.len <= 3 &&
				 (value.len == 1 || *value.at != '0');

	for (size_t i = 0; valid && i < value.len; i++) {
		valid = value.at[i] >= '0' && value.at[i] <= '9';
		zone = zone * 10 + (uint32_t)(value.at[i] - '0');
	}
	if (!valid || zone >= PSU_ZONE_COUNT)
		return psu_peers_refuse(parser, value,
								"is no zone: write zone=0 to zone=255");
	if (parser->zone_line[zone])
		return psu_error_set(PSU_THREAD_E_PEERS_INVALID,
							 "%s:%u: zone %u is taken by line %u: give each "
							 "host the zone that make-certs.sh gave it",
							 parser->path, parser->line, zone,
							 parser->zone_line[zone]);
	parser->zone_line[zone] = parser->line;
	*zone_out = zone;
	return 0;
}

int psu_peers_take_sign(const struct psu_peers_parser *parser,
						struct psu_peers_word value,
						uint8_t public_out[PSU_SIGN_PUBLIC_LEN])
{
	size_t len = 0;

	if (sodium_base642bin(public_out, PSU_SIGN_PUBLIC_LEN, value.at, value.len,
						  NULL, &len, NULL, sodium_base64_VARIANT_ORIGINAL) ||
		len != PSU_SIGN_PUBLIC_LEN ||
		!crypto_core_ed25519_is_valid_point(public_out))
		return psu_peers_refuse(
			parser, value,
			"is no Ed25519 public key: write the 44 characters that "
			"make-certs.sh printed");
	return 0;
}

int psu_peers_take_direction(const struct psu_peers_parser *parser,
							 struct psu_peers_word value, struct psu_peer *peer)
{
	bool both = psu_peers_word_is(value, "both");

	peer->may_send = both || psu_peers_word_is(value, "send");
	peer->may_receive = both || psu_peers_word_is(value, "receive");
	if (!peer->may_send && !peer->may_receive)
		return psu_peers_refuse(parser, value,
								"is no direction: write direction=send, "
								"direction=receive or direction=both");
	return 0;
}

int psu_peers_take_pin(const struct psu_peers_parser *parser,
					   struct psu_peers_word value, struct psu_peer *peer)
{
	size_t len = 0;

	if (!value.at)
		return 0;
	if (sodium_hex2bin(peer->pin.bytes, sizeof(peer->pin.bytes), value.at,
					   value.len, NULL, &len, NULL) ||
		len != sizeof(peer->pin.bytes))
		return psu_peers_refuse(
			parser, value,
			"is no pin: write pin= and 64 hexadecimal digits, the "
			"SHA-256 of the peer's public TLS key (DER)");
	peer->pinned = true;
	return 0;
}

int psu_peers_take_attest(const struct psu_peers_parser *parser,
						  struct psu_peers_word value, struct psu_peer *peer)
{
	peer->attest = value.at != NULL;
	if (!value.at || psu_peers_word_is(value, "full"))
		return 0;
	return psu_peers_refuse(
		parser, value, "is no attestation: write attest=full, or leave it out");
}

/** Digits only, up to @most, and not 0; else 0. */
static uint64_t number_of(const char *at, size_t len, uint64_t most)
{
	uint64_t number = 0;

	for (size_t i = 0; i < len; i++) {
		if (at[i] < '0' || at[i] > '9')
			return 0;
		number = number * 10 + (uint64_t)(at[i] - '0');
		if (number > most)
			return 0;
	}
	return number;
}

int psu_peers_take_max_threads(const struct psu_peers_parser *parser,
							   struct psu_peers_word value,
							   struct psu_peer *peer)
{
	if (value.at)
		peer->max_threads = (uint32_t)number_of(value.at, value.len,
												UINT32_MAX);
	if (!value.at || peer->max_threads)
		return 0;
	return psu_peers_refuse(parser, value,
							"is no number of threads: write max-threads=10, or "
							"another number, or leave it out for no limit");
}

int psu_peers_take_max_bytes(const struct psu_peers_parser *parser,
							 struct psu_peers_word value, struct psu_peer *peer)
{
	static const char units[] = "KMGT";
	const char *unit = NULL;
	unsigned shift;

	if (!value.at)
		return 0;
	if (value.len)
		unit = strchr(units, value.at[value.len - 1]);
	shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
	peer->max_bytes =
		number_of(value.at, value.len - (unit != NULL), MAX_BYTES_MOST >> shift)
		<< shift;
	if (peer->max_bytes)
		return 0;
	return psu_peers_refuse(parser, value,
							"is no number of bytes: write max-bytes=4G, or "
							"another number with K, M, G, T or nothing behind "
							"it, or leave it out for no limit");
}
