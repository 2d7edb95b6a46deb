/* SPDX-License-Identifier: ISC */
/*
 * peers.c - the peers file: who may exchange threads with this host
 *
 * In: the file's text.  Out: this host's own entry and its peers.  One entry
 * a line, comment lines begin with '#', words are separated by blanks:
 *
 *     self id=IDENTITY zone=N [verify-only=BASE64]...
 *     peer id=IDENTITY zone=N sign=BASE64 direction=send|receive|both
 *          [pin=HEX] [attest=full] [max-threads=N] [max-bytes=N[K|M|G|T]]
 *          [verify-only=BASE64]...                    (on the same line)
 *
 * Refused: everything else, each with its line and what to write instead.
 */
#include "trust/peers_value.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define LINE_LEN_MAX 1024

enum key {
	ID,
	ZONE,
	SIGN,
	DIRECTION,
	PIN,
	ATTEST,
	MAX_THREADS,
	MAX_BYTES,
	VERIFY_ONLY,
	KEY_COUNT
};
static const char *const key_names[KEY_COUNT] = {
	"id",	  "zone",		 "sign",	  "direction",	"pin",
	"attest", "max-threads", "max-bytes", "verify-only"};

static int no_memory(const struct psu_peers_parser *parser)
{
	return psu_error_set(PSU_THREAD_E_NO_MEMORY,
						 "no memory for the entries of %s: free some",
						 parser->path);
}

/** Take the next word off a line; empty at its end. */
static struct psu_peers_word next_word(struct psu_peers_word *line)
{
	struct psu_peers_word word;

	while (line->len && (*line->at == ' ' || *line->at == '\t')) {
		line->at++;
		line->len--;
	}
	word = (struct psu_peers_word){line->at, 0};
	while (line->len && *line->at != ' ' && *line->at != '\t') {
		line->at++;
		line->len--;
		word.len++;
	}
	return word;
}

/* ---- words */

/** The key before a word's first '=', or KEY_COUNT; and the value behind. */
static enum key split_word(struct psu_peers_word word,
						   struct psu_peers_word *value_out)
{
	const char *sign = memchr(word.at, '=', word.len);
	struct psu_peers_word name = {word.at, sign ? (size_t)(sign - word.at) : 0};
	enum key key = 0;

	while (key < KEY_COUNT && !psu_peers_word_is(name, key_names[key]))
		key++;
	if (key < KEY_COUNT)
		*value_out = (struct psu_peers_word){sign + 1, word.len - name.len - 1};
	return key;
}

/** Every retired key in the words of @line, for the host @identity. */
static int take_retired(const struct psu_peers_parser *parser,
						struct psu_peers_word line,
						const struct psu_digest *identity)
{
	struct psu_peers *peers = parser->peers;

	for (struct psu_peers_word value, word; (word = next_word(&line)).len;) {
		struct psu_retired *more;
		int rc;

		if (split_word(word, &value) != VERIFY_ONLY)
			continue;
		more = realloc(peers->retired,
					   (peers->retired_count + 1) * sizeof(*more));
		if (!more)
			return no_memory(parser);
		peers->retired = more;
		rc = psu_peers_take_sign(parser, value,
								 more[peers->retired_count].sign_public);
		if (rc)
			return rc;
		more[peers->retired_count++].identity = *identity;
	}
	return 0;
}

/* ---- lines */

/** Sort the words behind the first one by their keys. */
static int take_words(const struct psu_peers_parser *parser,
					  struct psu_peers_word line,
					  struct psu_peers_word values[KEY_COUNT])
{
	for (struct psu_peers_word value, word; (word = next_word(&line)).len;) {
		enum key key = split_word(word, &value);

		if (key == KEY_COUNT)
			return psu_peers_refuse(
				parser, word,
				"is unknown: the words are id= zone= sign= "
				"direction= pin= attest= max-threads= max-bytes= "
				"verify-only=");
		if (values[key].at && key != VERIFY_ONLY)
			return psu_peers_refuse(parser, word,
									"is given twice: keep one of them");
		values[key] = value;
	}
	return 0;
}

static int take_self(struct psu_peers_parser *parser,
					 struct psu_peers_word line)
{
	struct psu_peers *peers = parser->peers;
	struct psu_peers_word values[KEY_COUNT] = {{0}};
	struct psu_peers_word first = line;
	int rc;

	if (parser->self_line)
		return psu_peers_refuse(
			parser, next_word(&first),
			"is there a second time: a host has one entry of its "
			"own");
	rc = take_words(parser, line, values);
	if (rc)
		return rc;
	if (!values[ID].at || !values[ZONE].at || values[SIGN].at ||
		values[DIRECTION].at || values[PIN].at || values[ATTEST].at ||
		values[MAX_THREADS].at || values[MAX_BYTES].at)
		return psu_peers_refuse(
			parser, line,
			"is not this host's entry: write self id=... zone=...");
	rc = psu_peers_take_id(parser, values[ID], &peers->self);
	if (!rc)
		rc = psu_peers_take_zone(parser, values[ZONE], &peers->zone);
	if (!rc)
		rc = take_retired(parser, line, &peers->self.digest);
	parser->self_line = parser->line;
	return rc;
}

static int take_peer(struct psu_peers_parser *parser,
					 struct psu_peers_word line)
{
	struct psu_peers_word values[KEY_COUNT] = {{0}};
	struct psu_peer peer = {0};
	int rc = take_words(parser, line, values);

	if (rc)
		return rc;
	if (!values[ID].at || !values[ZONE].at || !values[SIGN].at ||
		!values[DIRECTION].at)
		return psu_peers_refuse(
			parser, line,
			"lacks a word: write peer id=... zone=... sign=... "
			"direction=...");
	rc = psu_peers_take_id(parser, values[ID], &peer.identity);
	if (!rc)
		rc = psu_peers_take_zone(parser, values[ZONE], &peer.zone);
	if (!rc)
		rc = psu_peers_take_sign(parser, values[SIGN], peer.sign_public);
	if (!rc)
		rc = psu_peers_take_direction(parser, values[DIRECTION], &peer);
	if (!rc)
		rc = psu_peers_take_pin(parser, values[PIN], &peer);
	if (!rc)
		rc = psu_peers_take_attest(parser, values[ATTEST], &peer);
	if (!rc)
		rc = psu_peers_take_max_threads(parser, values[MAX_THREADS], &peer);
	if (!rc)
		rc = psu_peers_take_max_bytes(parser, values[MAX_BYTES], &peer);
	if (!rc)
		rc = take_retired(parser, line, &peer.identity.digest);
	if (!rc) /* there is room: its zone was free */
		parser->peers->list[parser->peers->count++] = peer;
	return rc;
}

static int take_line(struct psu_peers_parser *parser,
					 struct psu_peers_word line)
{
	struct psu_peers_word rest = line;
	struct psu_peers_word first;

	if (line.len > LINE_LEN_MAX)
		return psu_peers_refuse(parser, line,
								"... is too long: a line has up to 1024 "
								"bytes");
	if (memchr(line.at, '\0', line.len))
		return psu_peers_refuse(parser, line,
								"... has a NUL byte: write plain text");
	if (memchr(line.at, '\r', line.len))
		return psu_peers_refuse(
			parser, line,
			"... has a carriage return: save the file with Unix "
			"line ends");
	first = next_word(&rest);
	if (first.len == 0 || *first.at == '#')
		return 0;
	if (psu_peers_word_is(first, "self"))
		return take_self(parser, rest);
	if (psu_peers_word_is(first, "peer"))
		return take_peer(parser, rest);
	return psu_peers_refuse(parser, first,
							"is unknown: an entry begins with self or "
							"peer, a comment with #");
}

/* ---- the file */

static int check_whole(const struct psu_peers_parser *parser)
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
	struct psu_peers_parser parser = {.path = path, .peers = peers_new()};
	const char *end = text + len;
	int rc = 0;

	if (!parser.peers)
		return no_memory(&parser);
	while (!rc && text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		struct psu_peers_word line = {text,
									  (size_t)((stop ? stop : end) - text)};

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
