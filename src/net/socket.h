/* SPDX-License-Identifier: ISC */
/*
 * socket.h - TCP sockets with deadlines
 *
 * All sockets are non-blocking and close-on-exec; every wait is a poll with a
 * deadline (report/clock.h).
 */
#ifndef PSU_SOCKET_H
#define PSU_SOCKET_H

#include "report/clock.h"
#include "report/report.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** "name", "address", "name:port" or "[v6]:port", taken apart. */
struct psu_endpoint {
	char host[256]; /* without brackets */
	char port[6];
};

/**
 * Take apart what a user wrote.  An address with more than one colon is IPv6
 * without a port; one with a zone ("fe80::1%eth0") is refused.  Returns 0 or
 * PSU_THREAD_E_INVALID_ARGUMENT.
 *
 * @default_port  used where @text names none
 */
PSU_MUST_CHECK int psu_socket_parse(const char *text, unsigned default_port,
									struct psu_endpoint *endpoint_out);

/** Room for a name with its port. */
#define PSU_SOCKET_NAME_LEN 300

/** "host:7310" or "[v6]:7310", for sentences. */
void psu_socket_name(const struct psu_endpoint *endpoint,
					 char name_out[PSU_SOCKET_NAME_LEN]);

/**
 * Resolve and connect; each address of the name is tried in turn, in the
 * order of RFC 6724, all within PSU_CONNECT_MS.
 *
 * @fd_out  a connected socket, closed by the caller
 *
 * Returns 0, INVALID_ARGUMENT (no host, port 0), HOST_UNKNOWN,
 * HOST_UNREACHABLE (nobody listens, or no route), HOST_SILENT (no answer),
 * SYSTEM or NO_MEMORY (this process gets no socket).
 */
PSU_MUST_CHECK int psu_socket_dial(const struct psu_endpoint *endpoint,
								   int *fd_out);

/**
 * Listen.
 *
 * @endpoint  address and port; an empty host is all addresses, IPv6 and IPv4
 * @fd_out    the listening socket, closed by the caller
 * @port_out  the port it got
 *
 * Returns 0, LISTEN_FAILED, SYSTEM or NO_MEMORY.
 */
PSU_MUST_CHECK int psu_socket_listen(const struct psu_endpoint *endpoint,
									 int *fd_out, unsigned *port_out);

/**
 * Accept one caller; waits for it.
 *
 * @peer_out  the caller's "address:port" or "[v6]:port", for sentences
 *
 * Returns 0, or PSU_THREAD_E_SYSTEM when the listening socket is of no use
 * any more (it was shut down).
 */
PSU_MUST_CHECK int psu_socket_accept(int listen_fd, int *fd_out, char *peer_out,
									 size_t peer_len);

/** Wait until @fd is ready to be read, or written.  False: the deadline has
 * passed. */
bool psu_socket_wait(int fd, bool writing, int64_t deadline);

/** Wait until @fd is readable, or the deadline has passed.  False: @wake_fd
 * (-1: none) is readable, and @fd is not. */
bool psu_socket_await(int fd, int wake_fd, int64_t deadline);

#endif
