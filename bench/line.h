/* SPDX-License-Identifier: ISC */
/*
 * line.h - a raw TLS connection between `here` and `there`, opened as the
 * library opens its own
 *
 * Whatever goes wrong ends the process.
 */
#ifndef BENCH_LINE_H
#define BENCH_LINE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

/** Listen, and have @serve called on a thread of its own, with the listening
 * descriptor.  Returns the port. */
unsigned bench_line_listen(void *(*serve)(void *));
/** The next caller; NULL: nobody calls any more. */
SSL *bench_line_accept(int listen_fd);
SSL *bench_line_dial(unsigned port);
void bench_line_close(SSL *line);

void bench_line_send(SSL *line, const void *bytes, size_t len);
/** False: the other side has closed. */
bool bench_line_recv(SSL *line, void *bytes_out, size_t len);
/** One word, and its answer. */
void bench_line_ask(SSL *line, unsigned char word, void *answer_out,
					size_t len);

#endif
