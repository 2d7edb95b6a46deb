/* SPDX-License-Identifier: ISC */
/*
 * test_itinerary_hosts.h - a thread moves between hosts a, b and c
 *
 * Who judges is a.  Host b has a key that it has given up, host d is not in
 * the peers file.
 */
#ifndef TEST_ITINERARY_HOSTS_H
#define TEST_ITINERARY_HOSTS_H

#include "run_suite.h"

#include "seal/itinerary.h"

enum signer { A, B, C, D, B_BEFORE, SIGNER_COUNT };

extern uint8_t publics[SIGNER_COUNT][PSU_SIGN_PUBLIC_LEN];
extern struct psu_peers *peers;
extern struct psu_itinerary itinerary;
/** Of the next move; by default from where the thread is to the host behind
 * that in the order a, b, c. */
extern struct psu_statement next;

#define place(moves) ((enum signer)((moves) % 3))

void hosts_setup(void);
void hosts_teardown(void);
struct psu_digest host(enum signer signer);
/** Read the peers file; only so much of it as is about keys differs between
 * tests: more words about b. */
void read_peers(const char *b_words);
/** Say what may be sent now, from one host to another. */
void prepare(enum signer from, enum signer to);
/** Move the thread as @next says, signed by that host's key. */
void go(enum signer signer);
/** See that the code is that of an itinerary, with these words in the
 * sentence; NULL if it is to be good. */
void judged(int code, const char *words);

#endif
