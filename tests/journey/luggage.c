/* SPDX-License-Identifier: ISC */
/*
 * luggage.c - thread-locals of an archive, of .tdata and of .tbss
 */
#ifndef MORE
extern __thread int luggage;

__thread int luggage = 1;
#else
extern __thread int more_luggage;

__thread int more_luggage;
#endif
