/* SPDX-License-Identifier: ISC */
/*
 * peers.c - the peers file: who may exchange threads with this host
 *
 * In: the file's text.  Out: this host's own entry and its peers.  One entry
 * a line, comment lines begin with '#', words are separated by blanks:
 *
 *     self id=IDENTITY zone=N [verify-only=BASE64]...
 *     peer id=IDENTITY zone=N sign=BASE64 direction=send|receive|both
 *          [pin=HEX] [attest=full] [verify-only=BASE64]...
 *                                                     (on the same line)
 *
 * Refused: everything else, each with its line and what to write instead.
 */
#include "trust/trust.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define LINE_LEN_MAX 1024
#define SHOWN_LEN 80 /* of a word, in a sentence */

struct word {
	const char *at; /* NULL: the word is missing */
	size_t len;
};

enum key { ID, ZONE, SIGN, DIRECTION, PIN, ATTEST, VERIFY_ONLY, KEY_COUNT };
static const char *const key_names[KEY_COUNT] = {
	"id", "zone", "sign", "direction", "pin", "attest", "verify-only"};

struct parser {
	const char *path;
	unsigned line;
	unsigned self_line;					/* 0: not met yet */
	unsigned zone_line[PSU_ZONE_COUNT]; /* 0: the zone is free */
	struct psu_peers *peers;
};

static int refuse(const struct parser *parser, struct word word,
				  const char *why)
{
	int shown = word.len < SHOWN_LEN ? (int)word.len : SHOWN_LEN;

	return psu_error_set(PSU_THREAD_E_PEERS_INVALID, "%s:%u: '%.*s' %s",
						 parser->path, parser->line, shown, word.at, why);
}

static int no_memory(const struct parser *parser)
{
	return psu_error_set(PSU_THREAD_E_NO_MEMORY,
						 "no memory for the entries of %s: free some",
						 parser->path);
}

static bool word_is(struct word word, const char *text)
{
	return word.len == strlen(text) && memcmp(word.at, text, word.len) == 0;
}

/** Take the next word off a line; empty at its end. */
static struct word next_word(struct word *line)
{
	struct word word;

	while (line->len && (*line->at == ' ' || *line->at == '\t')) {
		line->at++;
		line->len--;
	}
	word = (struct word){line->at, 0};
	while (line->len && *line->at != ' ' && *line->at != '\t') {
		line->at++;
		line->len--;
		word.len++;
	}
	return word;
}

/* ---- values */

static int take_id(const struct parser *parser, struct word value,
				   struct psu_identity *identity_out)
{
	const struct psu_peers *peers = parser->peers;

	if (psu_identity_parse(value.at, value.len, identity_out))
		return refuse(parser, value,
					  "is no identity: write "
					  "id=spiffe://DOMAIN/psu-thread/NAME");
	if (psu_peers_find(peers, &identity_out->digest) ||
		(parser->self_line &&
		 psu_digest_equal(&peers->self.digest, &identity_out->digest)))
		return refuse(parser, value,
					  "has an entry already: keep one line for each host");
	return 0;
}

static int take_zone(struct parser *parser, struct word value,
					 uint32_t *zone_out)
{
	uint32_t zone = 0;
	bool valid = value.len >= 1 && value.len <= 3 &&
				 (value.len == 1 || *value.at != '0');

	for (size_t i = 0; valid && i < value.len; i++) {
		valid = value.at[i] >= '0' && value.at[i] <= '9';
		zone = zone * 10 + (uint32_t)(value.at[i] - '0');
	}
	if (!valid || zone >= PSU_ZONE_COUNT)
		return refuse(parser, value, "is no zone: write zone=0 to zone=255");
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

static int take_sign(const struct parser *parser, struct word value,
					 uint8_t public_out[PSU_SIGN_PUBLIC_LEN])
{
	size_t len = 0;

	if (sodium_base642bin(public_out, PSU_SIGN_PUBLIC_LEN, value.at, value.len,
						  NULL, &len, NULL, sodium_base64_VARIANT_ORIGINAL) ||
		len != PSU_SIGN_PUBLIC_LEN ||
		!crypto_core_ed25519_is_valid_point(public_out))
		return refuse(parser, value,
					  "is no Ed25519 public key: write the 44 characters that "
					  "make-certs.sh printed");
	return 0;
}

static int take_direction(const struct parser *parser, struct word value,
						  struct psu_peer *peer)
{
	bool both = word_is(value, "both");

	peer->may_send = both || word_is(value, "send");
	peer->may_receive = both || word_is(value, "receive");
	if (!peer->may_send && !peer->may_receive)
		return refuse(parser, value,
					  "is no direction: write direction=send, "
					  "direction=receive or direction=both");
	return 0;
}

static int take_pin(const struct parser *parser, struct word value,
					struct psu_peer *peer)
{
	size_t len = 0;

	if (!value.at)
		return 0;
	if (sodium_hex2bin(peer->pin.bytes, sizeof(peer->pin.bytes), value.at,
					   value.len, NULL, &len, NULL) ||
		len != sizeof(peer->pin.bytes))
		return refuse(parser, value,
					  "is no pin: write pin= and 64 hexadecimal digits, the "
					  "SHA-256 of the peer's public TLS key (DER)");
	peer->pinned = true;
	return 0;
}

static int take_attest(const struct parser *parser, struct word value,
					   struct psu_peer *peer)
{
	peer->attest = value.at != NULL;
	if (!value.at || word_is(value, "full"))
		return 0;
	return refuse(parser, value,
				  "is no attestation: write attest=full, or leave it out");
}

/** The key before a word's first '=', or KEY_COUNT; and the value behind. */
static enum key split_word(struct word word, struct word *value_out)
{
	const char *sign = memchr(word.at, '=', word.len);
	struct word name = {word.at, sign ? (size_t)(sign - word.at) : 0};
	enum key key = 0;

	while (key < KEY_COUNT && !word_is(name, key_names[key]))
		key++;
	if (key < KEY_COUNT)
		*value_out = (struct word){sign + 1, word.len - name.len - 1};
	return key;
}

/** Every retired key in the words of @line, for the host @identity. */
static int take_retired(const struct parser *parser, struct word line,
						const struct psu_digest *identity)
{
	struct psu_peers *peers = parser->peers;

	for (struct word value, word; (word = next_word(&line)).len;) {
		struct psu_retired *more;
		int rc;

		if (split_word(word, &value) != VERIFY_ONLY)
			continue;
		more = realloc(peers->retired,
					   (peers->retired_count + 1) * sizeof(*more));
		if (!more)
			return no_memory(parser);
		peers->retired = more;
		rc = take_sign(parser, value, more[peers->retired_count].sign_public);
		if (rc)
			return rc;
		more[peers->retired_count++].identity = *identity;
	}
	return 0;
}

/* ---- lines */

/** Sort the words behind the first one by their keys. */
static int take_words(const struct parser *parser, struct word line,
					  struct word values[KEY_COUNT])
{
	for (struct word value, word; (word = next_word(&line)).len;) {
		enum key key = split_word(word, &value);

		if (key == KEY_COUNT)
			return refuse(parser, word,
						  "is unknown: the words are id= zone= sign= "
						  "direction= pin= attest= verify-only=");
		if (values[key].at && key != VERIFY_ONLY)
			return refuse(parser, word, "is given twice: keep one of them");
		values[key] = value;
	}
	return 0;
}

static int take_self(struct parser *parser, struct word line)
{
	struct psu_peers *peers = parser->peers;
	struct word values[KEY_COUNT] = {{0}};
	struct word first = line;
	int rc;

	if (parser->self_line)
		return refuse(parser, next_word(&first),
					  "is there a second time: a host has one entry of its "
					  "own");
	rc = take_words(parser, line, values);
	if (rc)
		return rc;
	if (!values[ID].at || !values[ZONE].at || values[SIGN].at ||
		values[DIRECTION].at || values[PIN].at || values[ATTEST].at)
		return refuse(parser, line,
					  "is not this host's entry: write self id=... zone=...");
	rc = take_id(parser, values[ID], &peers->self);
	if (!rc)
		rc = take_zone(parser, values[ZONE], &peers->zone);
	if (!rc)
		rc = take_retired(parser, line, &peers->self.digest);
	parser->self_line = parser->line;
	return rc;
}

static int take_peer(struct parser *parser, struct word line)
{
	struct word values[KEY_COUNT] = {{0}};
	struct psu_peer peer = {0};
	int rc = take_words(parser, line, values);

	if (rc)
		return rc;
	if (!values[ID].at || !values[ZONE].at || !values[SIGN].at ||
		!values[DIRECTION].at)
		return refuse(parser, line,
					  "lacks a word: write peer id=... zone=... sign=... "
					  "direction=...");
	rc = take_id(parser, values[ID], &peer.identity);
	if (!rc)
		rc = take_zone(parser, values[ZONE], &peer.zone);
	if (!rc)
		rc = take_sign(parser, values[SIGN], peer.sign_public);
	if (!rc)
		rc = take_direction(parser, values[DIRECTION], &peer);
	if (!rc)
		rc = take_pin(parser, values[PIN], &peer);
	if (!rc)
		rc = take_attest(parser, values[ATTEST], &peer);
	if (!rc)
		rc = take_retired(parser, line, &peer.identity.digest);
	if (!rc) /* there is room: its zone was free */
		parser->peers->list[parser->peers->count++] = peer;
	return rc;
}

static int take_line(struct parser *parser, struct word line)
{
	struct word rest = line;
	struct word first;

	if (line.len > LINE_LEN_MAX)
		return refuse(parser, line,
					  "... is too long: a line has up to 1024 "
					  "bytes");
	if (memchr(line.at, '\0', line.len))
		return refuse(parser, line, "... has a NUL byte: write plain text");
	if (memchr(line.at, '\r', line.len))
		return refuse(parser, line,
					  "... has a carriage return: save the file with Unix "
					  "line ends");
	first = next_word(&rest);
	if (first.len == 0 || *first.at == '#')
		return 0;
	if (word_is(first, "self"))
		return take_self(parser, rest);
	if (word_is(first, "peer"))
		return take_peer(parser, rest);
	return refuse(parser, first,
				  "is unknown: an entry begins with self or "
				  "peer, a comment with #");
}

/* ---- the file */

static int check_whole(const struct parser *parser)
{
	const struct psu_peers *peers = parser->peers;

	if (!parser->self_line)
		return psu_error_set(PSU_THREAD_E_PEERS_INVALID,
							 "%s has no entry of this host: write self id=... "
							 "zone=..., as make-certs.sh does",
							 parser->path);
	for (size_t i = 0; i < peers->count; i++)
		if (!psu_identity_same_domain(&peers->self, &peers->list[i].identity))
			return psu_error_set(PSU_THREAD_E_PEERS_INVALID,
								 "%s: '%s' is of another trust domain than "
								 "this host, '%s': remove its line",
								 parser->path, peers->list[i].identity.uri,
								 peers->self.uri);
	return 0;
}

static struct psu_peers *peers_new(void)
{
	struct psu_peers *peers = calloc(1, sizeof(*peers));

	/* every entry has a zone of its own */
	if (peers)
		peers->list = calloc(PSU_ZONE_COUNT, sizeof(*peers->list));
	if (peers && !peers->list) {
		free(peers);
		peers = NULL;
	}
	return peers;
}

int psu_peers_parse(const char *text, size_t len, const char *path,
					struct psu_peers **peers_out)
{
	struct parser parser = {.path = path, .peers = peers_new()};
	const char *end = text + len;
	int rc = 0;

	if (!parser.peers)
		return no_memory(&parser);
	while (!rc && text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		struct word line = {text, (size_t)((stop ? stop : end) - text)};

		parser.line++;
		rc = take_line(&parser, line);
		text = stop ? stop + 1 : end;
	}
	if (!rc)
		rc = check_whole(&parser);
	if (rc)
		psu_peers_free(parser.peers);
	else
		*peers_out = parser.peers;
	return rc;
}

void psu_peers_free(struct psu_peers *peers)
{
	if (peers) {
		free(peers->list);
		free(peers->retired);
	}
	free(peers);
}

const struct psu_peer *psu_peers_find(const struct psu_peers *peers,
									  const struct psu_digest *identity)
{
	for (size_t i = 0; i < peers->count; i++)
		if (psu_digest_equal(&peers->list[i].identity.digest, identity))
			return &peers->list[i];
	return NULL;
}
