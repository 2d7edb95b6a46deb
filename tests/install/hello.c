/* SPDX-License-Identifier: ISC */
/*
 * hello.c - the smallest program that reaches the library
 *
 *     hello CERTS
 *
 * CERTS does not exist; prints "CERTS_MISSING: " and the library's sentence.
 */
#include <psu_thread.h>

#include <stdio.h>

int main(int argc, char **argv)
{
	int rc = psu_thread_setup_init(PSU_THREAD_CLIENT,
								   argc > 1 ? argv[1] : NULL);

	if (rc != PSU_THREAD_E_CERTS_MISSING)
		return 1;
	printf("CERTS_MISSING: %s\n", psu_thread_errmsg());
	return 0;
}
