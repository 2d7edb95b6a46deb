/* SPDX-License-Identifier: ISC */
/*
 * openssl.h - what OpenSSL's functions do not return
 */
#ifndef PSU_OPENSSL_H
#define PSU_OPENSSL_H

#include <stdbool.h>

/**
 * Empty the calling thread's queue of OpenSSL errors.  True: one of them was
 * a lack of memory, so that the verdict of the function that failed means
 * nothing.
 */
bool psu_openssl_starved(void);

#endif
