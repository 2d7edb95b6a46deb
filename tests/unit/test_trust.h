/* SPDX-License-Identifier: ISC */
/*
 * test_trust.h - what the tests of trust/ begin with: a directory of their
 * own to spoil, identities, and what the last sentence said
 */
#ifndef TEST_TRUST_H
#define TEST_TRUST_H

#include "../certs/deployment.h"
#include "run_suite.h"

#include "trust/trust.h"

#include <sodium.h>

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

/** The last failure's sentence must name all of these. */
static inline void said(const char *first, const char *second)
{
	const char *sentence = psu_error_sentence();

	ck_assert_msg(strstr(sentence, first) && strstr(sentence, second),
				  "'%s' and '%s' are not in: %s", first, second, sentence);
}

static inline struct psu_identity identity_of(const char *uri)
{
	struct psu_identity identity = {0};

	ck_assert_int_eq(psu_identity_parse(uri, strlen(uri), &identity), 0);
	return identity;
}

static inline struct psu_trust *load(const char *dir)
{
	struct psu_trust *trust = NULL;
	int code = psu_trust_load(dir, &trust);

	ck_assert_msg(code == 0, "%s", psu_error_sentence());
	return trust;
}

/** Loading work/a must fail, and the sentence must name these. */
static inline void load_fails(int expected, const char *first,
							  const char *second)
{
	struct psu_trust *trust = NULL;
	int code = psu_trust_load(in_top("work/a"), &trust);

	ck_assert_msg(code == expected, "%s instead of %s: %s",
				  psu_error_name(code), psu_error_name(expected),
				  psu_error_sentence());
	ck_assert_ptr_null(trust);
	said(first, second);
}

static inline struct psu_peer peer_of(struct psu_trust *trust, const char *name)
{
	char uri[PSU_IDENTITY_LEN];
	struct psu_identity identity;
	struct psu_peer peer = {0};

	snprintf(uri, sizeof(uri), "spiffe://psu-thread.internal/psu-thread/%s",
			 name);
	identity = identity_of(uri);
	ck_assert_msg(psu_trust_peer(trust, &identity, &peer) == 0, "%s",
				  psu_error_sentence());
	return peer;
}

/** Tests of directories: each begins with work/a and work/b as they were
 * made. */
static inline TCase *directory_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_unchecked_fixture(tcase, make_deployment, remove_deployment);
	tcase_add_checked_fixture(tcase, copy_hosts, NULL);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return tcase;
}

static inline int run_trust_suite(Suite *suite)
{
	psu_thread_set_log(PSU_THREAD_LOG_NONE, NULL, NULL);
	return sodium_init() < 0 ? EXIT_FAILURE : run_suite(suite);
}

#endif
