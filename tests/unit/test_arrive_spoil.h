/* SPDX-License-Identifier: ISC */
/*
 * test_arrive_spoil.h - all that may be wrong with an offer, and its code
 */
#ifndef TEST_ARRIVE_SPOIL_H
#define TEST_ARRIVE_SPOIL_H

#include "test_arrive_offer.h"

extern const char *top; /* certificates, a runtime directory, the port */

/** Run a command; returns as system(). */
__attribute__((format(printf, 1, 2))) int shell(const char *format, ...);

struct spoilt_offer {
	offer_change *image, *statement;
	int code; /* of the refusal; 0: it is good */
};

extern const struct spoilt_offer spoilt_offers[];
extern const int spoilt_offers_count;

#endif
