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
#include <time.h>
#include <unistd.h>

int64_t psu_socket_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t psu_socket_deadline(int64_t ms)
{
	return psu_socket_now_ms() + ms;
}

bool psu_socket_wait(int fd, bool writing, int64_t deadline)
{
	struct pollfd poll_fd = {.fd = fd, .events = writing ? POLLOUT : POLLIN};

	for (;;) {
		int64_t left = deadline - psu_socket_now_ms();
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

/** Copy @len bytes as text; false if it does not fit. */
static bool copy_part(char *out, size_t out_len, const char *text, size_t len)
{
	if (len >= out_len)
		return false;
	memcpy(out, text, len);
	out[len] = '\0';
	return true;
}

static bool is_port(const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	return *text >= '0' && *text <= '9' && !*end && number <= 65535 &&
		   end - text <= 5;
}

int psu_socket_parse(const char *text, unsigned default_port,
					 struct psu_endpoint *endpoint_out)
{
	struct psu_endpoint endpoint;
	const char *host = text, *end, *port = NULL;

	if (*text == '[') {
		host = text + 1;
		end = strchr(host, ']');
		if (end && end[1])
			port = end[1] == ':' ? end + 2 : "";
	} else {
		end = strchr(text, ':');
		if (end && strchr(end + 1, ':'))
			end = NULL; /* a bare IPv6 address */
		port = end ? end + 1 : NULL;
		if (!end)
			end = text + strlen(text);
	}
	if (!port)
		snprintf(endpoint.port, sizeof(endpoint.port), "%u", default_port);
	if (!end ||
		!copy_part(endpoint.host, sizeof(endpoint.host), host,
				   (size_t)(end - host)) ||
		(port && (!is_port(port) || !copy_part(endpoint.port,
											   sizeof(endpoint.port), port,
											   strlen(port)))))
		return psu_error_set(PSU_THREAD_E_INVALID_ARGUMENT,
							 "'%s' is no host: write name, name:port, address "
							 "or [v6]:port",
							 text);
	*endpoint_out = endpoint;
	return 0;
}

void psu_socket_name(const struct psu_endpoint *endpoint,
					 char name_out[PSU_SOCKET_NAME_LEN])
{
	snprintf(name_out, PSU_SOCKET_NAME_LEN,
			 strchr(endpoint->host, ':') ? "[%s]:%s" : "%s:%s",
			 endpoint->host, endpoint->port);
}

/** Nothing is sent late, and a peer that has vanished is noticed. */
static void set_options(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
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
		_res.retrans = PSU_RESOLVE_TRY_S;
		_res.retry = PSU_RESOLVE_TRIES;
	}
	return getaddrinfo(*endpoint->host ? endpoint->host : NULL,
					   endpoint->port, &hints, list_out);
}

/** Connect to one address: 0, or an errno value, ETIMEDOUT for no answer. */
static int connect_one(const struct addrinfo *address, int *fd_out)
{
	int fd = socket(address->ai_family,
					SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error = 0;
	socklen_t len = sizeof(error);

	if (fd < 0)
		return errno;
	if (connect(fd, address->ai_addr, address->ai_addrlen) != 0)
		error = errno;
	if (error == EINPROGRESS) {
		if (!psu_socket_wait(fd, true, psu_socket_deadline(PSU_CONNECT_MS)))
			error = ETIMEDOUT;
		else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
			error = errno;
	}
	if (error) {
		close(fd);
		return error;
	}
	set_options(fd);
	*fd_out = fd;
	return 0;
}

int psu_socket_dial(const struct psu_endpoint *endpoint, int *fd_out)
{
	struct addrinfo *list = NULL;
	char name[PSU_SOCKET_NAME_LEN];
	int error = resolve(endpoint, 0, &list);

	psu_socket_name(endpoint, name);
	if (error)
		return psu_error_set(PSU_THREAD_E_HOST_UNKNOWN,
							 "cannot resolve '%s': %s: check the name, or add "
							 "it to DNS or /etc/hosts",
							 endpoint->host,
							 error == EAI_SYSTEM ? strerror(errno)
												 : gai_strerror(error));
	for (struct addrinfo *at = list; at; at = at->ai_next) {
		error = connect_one(at, fd_out);
		if (!error)
			break;
	}
	freeaddrinfo(list);
	if (error == ETIMEDOUT)
		return psu_error_set(PSU_THREAD_E_HOST_SILENT,
							 "%s does not answer: check that the host is up "
							 "and no firewall is in between",
							 name);
	if (error)
		return psu_error_set(PSU_THREAD_E_HOST_UNREACHABLE,
							 "cannot connect to %s: %s: start the server "
							 "there, or check address and port",
							 name, strerror(error));
	return 0;
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
		error = psu_error_set(PSU_THREAD_E_LISTEN_FAILED,
							  "cannot listen on %s port %s: %s: choose another "
							  "with PSU_THREAD_LISTEN=ADDRESS:PORT",
							  *endpoint->host ? endpoint->host : "any address",
							  endpoint->port,
							  error ? gai_strerror(error) : strerror(errno));
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
	int fd;

	/* what one caller did wrong, or a moment's lack of descriptors, is no
	 * reason to stop */
	do {
		fd = accept4(listen_fd, (struct sockaddr *)&address, &len,
					 SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && (errno == EMFILE || errno == ENFILE ||
					   errno == ENOBUFS || errno == ENOMEM))
			psu_socket_wait(-1, false,
							psu_socket_deadline(PSU_ACCEPT_PAUSE_MS));
	} while (fd < 0 && errno != EINVAL && errno != EBADF);
	if (fd < 0)
		return PSU_THREAD_E_SYSTEM;
	set_options(fd);
	getnameinfo((struct sockaddr *)&address, len, host, sizeof(host), port,
				sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(peer_out, peer_len, "%s:%s", host, port);
	*fd_out = fd;
	return 0;
}
