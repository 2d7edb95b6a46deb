/* SPDX-License-Identifier: ISC */
/*
 * peers_value.h - words of the peers file, between its two files
 */
#ifndef PSU_PEERS_VALUE_H
#define PSU_PEERS_VALUE_H

#include "trust/trust.h"

/** A word, or its value behind the '='. */
struct psu_peers_word {
	const char *at; /* NULL: the word is missing */
	size_t len;
};

/** How far the file has been read. */
struct psu_peers_parser {
	const char *path;
	unsigned line;
	unsigned self_line;					/* 0: not met yet */
	unsigned zone_line[PSU_ZONE_COUNT]; /* 0: the zone is free */
	struct psu_peers *peers;
};

/** Say what is wrong with a word, and in which line; returns PEERS_INVALID. */
int psu_peers_refuse(const struct psu_peers_parser *parser,
					 struct psu_peers_word word, const char *why);
bool psu_peers_word_is(struct psu_peers_word word, const char *text);

/* ---- values; each returns 0 or PSU_THREAD_E_PEERS_INVALID */

PSU_MUST_CHECK int psu_peers_take_id(const struct psu_peers_parser *parser,
									 struct psu_peers_word value,
									 struct psu_identity *identity_out);
PSU_MUST_CHECK int psu_peers_take_zone(struct psu_peers_parser *parser,
									   struct psu_peers_word value,
									   uint32_t *zone_out);
PSU_MUST_CHECK int psu_peers_take_sign(const struct psu_peers_parser *parser,
									   struct psu_peers_word value,
									   uint8_t public_out[PSU_SIGN_PUBLIC_LEN]);
PSU_MUST_CHECK int
psu_peers_take_direction(const struct psu_peers_parser *parser,
						 struct psu_peers_word value, struct psu_peer *peer);
PSU_MUST_CHECK int psu_peers_take_pin(const struct psu_peers_parser *parser,
									  struct psu_peers_word value,
									  struct psu_peer *peer);
PSU_MUST_CHECK int psu_peers_take_attest(const struct psu_peers_parser *parser,
										 struct psu_peers_word value,
										 struct psu_peer *peer);
/** A number of threads, 1 at least. */
PSU_MUST_CHECK int
psu_peers_take_max_threads(const struct psu_peers_parser *parser,
						   struct psu_peers_word value, struct psu_peer *peer);
/** Bytes, as 512M or 4G. */
PSU_MUST_CHECK int
psu_peers_take_max_bytes(const struct psu_peers_parser *parser,
						 struct psu_peers_word value, struct psu_peer *peer);

#endif
