/* SPDX-License-Identifier: ISC */
/*
 * identity.c - spiffe://DOMAIN/psu-thread/NAME, taken apart
 *
 * In: bytes from a certificate or from the peers file; every byte read here
 * is hostile.  DOMAIN is of a-z 0-9 . _ -, NAME of A-Z a-z 0-9 . -, each
 * beginning with a letter or digit: one spelling per host, so that identities
 * may be compared byte by byte.  Everything else is refused.
 */
#include "trust/trust.h"
#include "bytes/sha256.h"

#include <string.h>

#define SCHEME "spiffe://"
#define SERVICE "/psu-thread/"

#define DIGITS "0123456789"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/** How many bytes from @at on are of @inner, the first being of @first. */
static size_t span(const char *at, const char *end, const char *first,
				   const char *inner)
{
	const char *from = at;

	/* strchr() finds a NUL in every string */
	if (at < end && *at && strchr(first, *at))
		for (at++; at < end && *at && strchr(inner, *at); at++)
			;
	return (size_t)(at - from);
}

static bool skip(const char **at, const char *end, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(end - *at) < len || memcmp(*at, text, len) != 0)
		return false;
	*at += len;
	return true;
}

int psu_identity_parse(const char *uri, size_t len,
					   struct psu_identity *identity_out)
{
	const char *at = uri;
	const char *end = uri + len;
	size_t domain_len;
	size_t name_len;

	if (len >= PSU_IDENTITY_LEN || !skip(&at, end, SCHEME))
		return PSU_THREAD_E_CERT_IDENTITY;
	domain_len = span(at, end, LOWER DIGITS, LOWER DIGITS "._-");
	at += domain_len;
	if (domain_len == 0 || !skip(&at, end, SERVICE))
		return PSU_THREAD_E_CERT_IDENTITY;
	name_len = span(at, end, UPPER LOWER DIGITS, UPPER LOWER DIGITS ".-");
	if (name_len == 0 || name_len >= PSU_NAME_LEN || at + name_len != end)
		return PSU_THREAD_E_CERT_IDENTITY;

	memset(identity_out, 0, sizeof(*identity_out));
	memcpy(identity_out->uri, uri, len);
	memcpy(identity_out->name, at, name_len);
	psu_sha256(uri, len, &identity_out->digest);
	return 0;
}

bool psu_identity_same_domain(const struct psu_identity *a,
							  const struct psu_identity *b)
{
	size_t a_len = strlen(a->uri) - strlen(a->name);
	size_t b_len = strlen(b->uri) - strlen(b->name);

	return a_len == b_len && memcmp(a->uri, b->uri, a_len) == 0;
}
