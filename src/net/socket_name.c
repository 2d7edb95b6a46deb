/* SPDX-License-Identifier: ISC */
/*
 * socket_name.c - "host:port" as users write it, and back
 *
 * In: text of the user's.  Out: a host and a port, neither looked up yet.
 */
#include "net/socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
		(port &&
		 (!is_port(port) || !copy_part(endpoint.port, sizeof(endpoint.port),
									   port, strlen(port)))))
		return psu_error_set(PSU_THREAD_E_INVALID_ARGUMENT,
							 "'%s' is no host: write name, name:port, address "
							 "or [v6]:port",
							 text);
	/* no certificate can be for an address that means another host on each
	 * cable */
	if (strchr(endpoint.host, '%'))
		return psu_error_set(PSU_THREAD_E_INVALID_ARGUMENT,
							 "'%s' names a zone of this host: write a name, or "
							 "an address that needs no zone",
							 text);
	*endpoint_out = endpoint;
	return 0;
}

void psu_socket_name(const struct psu_endpoint *endpoint,
					 char name_out[PSU_SOCKET_NAME_LEN])
{
	snprintf(name_out, PSU_SOCKET_NAME_LEN,
			 strchr(endpoint->host, ':') ? "[%s]:%s" : "%s:%s", endpoint->host,
			 endpoint->port);
}
