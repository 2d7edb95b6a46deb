/* SPDX-License-Identifier: ISC */
/*
 * tag.h - do two places hold the same bytes?
 *
 * A tag is AES-256-GMAC (NIST SP 800-38D) of some bytes and their number, by
 * OpenSSL: under a key that nobody knew who chose the bytes, other bytes have
 * another tag, but for one chance in 2^100.  It proves nothing to anybody
 * else.  On a processor with AES instructions it takes a seventh of what
 * SHA-256 does.
 */
#ifndef PSU_TAG_H
#define PSU_TAG_H

#include "report/report.h"

#include <openssl/types.h>
#include <stddef.h>
#include <stdint.h>

#define PSU_TAG_LEN 16
#define PSU_TAG_KEY_LEN 32

struct psu_tagger;

/** @library  of OpenSSL.  Returns 0 or NO_MEMORY. */
PSU_MUST_CHECK int psu_tagger_new(OSSL_LIB_CTX *library,
								  const uint8_t key[PSU_TAG_KEY_LEN],
								  struct psu_tagger **tagger_out);
void psu_tagger_free(struct psu_tagger *tagger);

/** False: OpenSSL fails. */
PSU_MUST_CHECK bool psu_tagger_tag(struct psu_tagger *tagger, uint32_t number,
								   const void *bytes, size_t len,
								   uint8_t tag_out[PSU_TAG_LEN]);

#endif
