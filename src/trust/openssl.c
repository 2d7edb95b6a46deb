/* SPDX-License-Identifier: ISC */
/*
 * openssl.c - was it a lack of memory?
 *
 * OpenSSL then returns what it returns for a bad file or a foreign
 * certificate; only its queue of errors tells the difference.
 */
#include "trust/openssl.h"

#include <openssl/err.h>

bool psu_openssl_starved(void)
{
	bool starved = false;
	unsigned long error;

	/* an empty queue may be one that there was no memory for */
	if (!ERR_peek_error()) {
		ERR_raise(ERR_LIB_USER, ERR_R_OPERATION_FAIL);
		starved = !ERR_peek_error();
	}
	while ((error = ERR_get_error()))
		starved = starved || ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE;
	return starved;
}
