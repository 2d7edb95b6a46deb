/* SPDX-License-Identifier: ISC */
/*
 * socket.c - dial, listen, accept, wait
 */
#include "net/socket.h"
#include "net/limits.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool psu_socket_wait(int fd, bool writing, int64_t deadline)
{
	struct pollfd poll_fd = {.fd = fd, .events = writing ? POLLOUT : POLLIN};

	for (;;) {
		int64_t left = deadline - psu_clock_now_ms();
		int ready;

		/* even if it is ready: who sends without pause gets no more time */
		if (left <= 0)
			return false;
		ready = poll(&poll_fd, 1, left > INT32_MAX ? -1 : (int)left);
		if (ready > 0)
			return true;
		if (ready == 0 || errno != EINTR)
			return false;
	}
}

bool psu_socket_await(int fd, int wake_fd, int64_t deadline)
{
	struct pollfd poll_fds[] = {
		{.fd = fd, .events = POLLIN},
		{.fd = wake_fd, .events = POLLIN},
	};
	int ready;

	do {
		int64_t left = deadline - psu_clock_now_ms();

		if (left <= 0)
			return true;
		ready = poll(poll_fds, 2, left > INT32_MAX ? -1 : (int)left);
	} while (ready < 0 && errno == EINTR);
	return ready <= 0 || poll_fds[0].revents;
}

/** Nothing is sent late, and a peer that has vanished is noticed. */
static void set_options(int fd)
{
	int on = 1, idle_s = PSU_KEEPALIVE_S, tries = PSU_KEEPALIVE_TRIES;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &idle_s, sizeof(idle_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &tries, sizeof(tries));
}

static int resolve(const struct psu_endpoint *endpoint, int flags,
				   struct addrinfo **list_out)
{
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = flags | AI_NUMERICSERV,
	};

	/* this thread's resolver only */
	if (res_init() == 0) {
		_res.retrans = (PSU_RESOLVE_MS + 999) / 1000;
		_res.retry = PSU_RESOLVE_TRIES;
	}
	errno = 0; /* of a lack of descriptors nothing else tells */
	return getaddrinfo(*endpoint->host ? endpoint->host : NULL, endpoint->port,
					   &hints, list_out);
}

/** The name is not resolved, for the reason that getaddrinfo() gave. */
static int explain_resolve(const char *host, int error)
{
	int rc = psu_error_shortage("resolve", host);

	if (rc)
		return rc;
	return psu_error_set(
		PSU_THREAD_E_HOST_UNKNOWN,
		"cannot resolve '%s': %s: check the name, or add it "
		"to DNS or /etc/hosts",
		host, error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
}

/** No socket at all, by errno. */
static int explain_socket(const char *name)
{
	int rc = psu_error_shortage("make a socket to", name);

	if (!rc)
		rc = psu_error_set(PSU_THREAD_E_SYSTEM,
						   "cannot make a socket to %s: %m: allow this process "
						   "to use the network (socket, seccomp)",
						   name);
	return rc;
}

/** Connect: 0, or an errno value, ETIMEDOUT for no answer in time. */
static int connect_to(int fd, const struct addrinfo *address, int64_t ms)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (connect(fd, address->ai_addr, address->ai_addrlen) != 0)
		error = errno;
	if (error != EINPROGRESS)
		return error;
	if (!psu_socket_wait(fd, true, psu_clock_deadline(ms)))
		return ETIMEDOUT;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		return errno;
	return error;
}

/** What became of the addresses of a name. */
struct tries {
	char reasons[200]; /* of each, for the sentence */
	int error;		   /* the one that tells most; 0 before the first */
};

/** That nobody listens tells more than that nobody answers, and that more
 * than that there is no way there. */
static void note_failure(struct tries *tries, const struct addrinfo *address,
						 bool only, int error)
{
	const char *reason = error == ETIMEDOUT ? "no answer" : strerror(error);
	size_t len = strlen(tries->reasons);
	char host[64] = "?";

	if (!tries->error || error == ECONNREFUSED ||
		(error == ETIMEDOUT && tries->error != ECONNREFUSED))
		tries->error = error;
	getnameinfo(address->ai_addr, address->ai_addrlen, host, sizeof(host), NULL,
				0, NI_NUMERICHOST);
	if (only) /* the sentence names it already */
		snprintf(tries->reasons, sizeof(tries->reasons), "%s", reason);
	else
		snprintf(tries->reasons + len, sizeof(tries->reasons) - len,
				 "%s%s (%s)", len ? ", " : "", host, reason);
}

/** The addresses in turn, each with a share of the time.  Returns 0, or a
 * code whose sentence is set, or 1: all have failed. */
static int try_all(const struct addrinfo *list, const char *name,
				   struct tries *tries, int *fd_out)
{
	int64_t deadline = psu_clock_deadline(PSU_CONNECT_MS);
	int64_t count = 0;

	for (const struct addrinfo *at = list; at; at = at->ai_next)
		count++;
	for (const struct addrinfo *at = list; at; at = at->ai_next, count--) {
		int64_t ms = (deadline - psu_clock_now_ms()) / count;
		int fd = socket(at->ai_family,
						SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		int error = fd < 0 ? errno : 0;

		if (fd < 0 && error != EAFNOSUPPORT)
			return explain_socket(name);
		if (count > 1 && ms > PSU_CONNECT_NEXT_MS)
			ms = PSU_CONNECT_NEXT_MS;
		if (!error)
			error = connect_to(fd, at, ms);
		if (!error) {
			*fd_out = fd;
			return 0;
		}
		if (fd >= 0)
			close(fd);
		note_failure(tries, at, !list->ai_next, error);
	}
	return 1;
}

int psu_socket_dial(const struct psu_endpoint *endpoint, int *fd_out)
{
	struct addrinfo *list = NULL;
	char name[PSU_SOCKET_NAME_LEN];
	struct tries tries = {.error = 0};
	int error, rc;

	psu_socket_name(endpoint, name);
	if (!*endpoint->host || strtoul(endpoint->port, NULL, 10) == 0)
		return psu_error_set(PSU_THREAD_E_INVALID_ARGUMENT,
							 "'%s' cannot be dialled: write a host, and a port "
							 "from 1 to 65535",
							 name);
	error = resolve(endpoint, 0, &list);
	if (error)
		return explain_resolve(endpoint->host, error);
	rc = try_all(list, name, &tries, fd_out);
	freeaddrinfo(list);
	if (rc == 0)
		set_options(*fd_out);
	if (rc <= 0)
		return rc;
	if (tries.error == ETIMEDOUT)
		return psu_error_set(PSU_THREAD_E_HOST_SILENT,
							 "cannot connect to %s: %s: check that the host is "
							 "up and no firewall is in between",
							 name, tries.reasons);
	return psu_error_set(PSU_THREAD_E_HOST_UNREACHABLE,
						 "cannot connect to %s: %s: start the server there, or "
						 "check address and port",
						 name, tries.reasons);
}

static int listen_on(const struct addrinfo *address)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1, off = 0;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 &&
		listen(fd, PSU_BACKLOG) == 0)
		return fd;
	close(fd);
	return -1;
}

static unsigned bound_port(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in ipv4;
		struct sockaddr_in6 ipv6;
	} address = {.ipv6 = {0}};
	socklen_t len = sizeof(address);

	if (getsockname(fd, &address.any, &len) != 0)
		return 0;
	return ntohs(address.any.sa_family == AF_INET6 ? address.ipv6.sin6_port
												   : address.ipv4.sin_port);
}

static int explain_listen(const struct psu_endpoint *endpoint, int error)
{
	const char *host = *endpoint->host ? endpoint->host : "any address";
	int rc = psu_error_shortage("listen on", host);

	if (rc)
		return rc;
	return psu_error_set(PSU_THREAD_E_LISTEN_FAILED,
						 "cannot listen on %s port %s: %s: choose another with "
						 "PSU_THREAD_LISTEN=ADDRESS:PORT",
						 host, endpoint->port,
						 error && error != EAI_SYSTEM ? gai_strerror(error)
													  : strerror(errno));
}

int psu_socket_listen(const struct psu_endpoint *endpoint, int *fd_out,
					  unsigned *port_out)
{
	struct addrinfo *list = NULL;
	int error = resolve(endpoint, AI_PASSIVE, &list), fd = -1;

	/* IPv6 first: it takes IPv4 too, where the machine has both */
	for (int family = 0; !error && fd < 0 && family < 2; family++)
		for (struct addrinfo *at = list; fd < 0 && at; at = at->ai_next)
			if ((at->ai_family == AF_INET6) == (family == 0))
				fd = listen_on(at);
	if (fd < 0)
		error = explain_listen(endpoint, error);
	if (list)
		freeaddrinfo(list);
	if (fd < 0)
		return error;
	*fd_out = fd;
	*port_out = bound_port(fd);
	return 0;
}

int psu_socket_accept(int listen_fd, int *fd_out, char *peer_out,
					  size_t peer_len)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	char host[64] = "?", port[8] = "?";
	bool told = false;
	int fd, error;

	/* what one caller did wrong, or a moment's lack of descriptors, is no
	 * reason to stop; the latter is said once */
	do {
		fd = accept4(listen_fd, (struct sockaddr *)&address, &len,
					 SOCK_NONBLOCK | SOCK_CLOEXEC);
		error = fd < 0 ? errno : 0;
		if (error == EMFILE || error == ENFILE || error == ENOBUFS ||
			error == ENOMEM) {
			if (!told)
				psu_error_shortage("accept", "a caller");
			told = true;
			psu_socket_wait(-1, false, psu_clock_deadline(PSU_ACCEPT_PAUSE_MS));
		}
	} while (fd < 0 && error != EINVAL && error != EBADF);
	if (fd < 0)
		return PSU_THREAD_E_SYSTEM;
	set_options(fd);
	getnameinfo((struct sockaddr *)&address, len, host, sizeof(host), port,
				sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(peer_out, peer_len, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host,
			 port);
	*fd_out = fd;
	return 0;
}
