/* SPDX-License-Identifier: ISC */
/*
 * way.c - where this process is, and the way to another one
 *
 * What a peer says of a place has been checked to be text; that it is an
 * address shows here, and one that is none cannot be dialled.
 */
#include "journey/way.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/** Where a listening socket is: its address, or @name for all of them, and
 * its port.  A port alone (":7310") is of no use to others. */
static int find_endpoint(int listen_fd, const char *name,
						 struct psu_endpoint *endpoint_out)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	struct psu_endpoint endpoint;

	if (getsockname(listen_fd, (struct sockaddr *)&address, &len) != 0 ||
		getnameinfo((struct sockaddr *)&address, len, endpoint.host,
					sizeof(endpoint.host), endpoint.port, sizeof(endpoint.port),
					NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return psu_error_set(PSU_THREAD_E_SYSTEM,
							 "cannot learn the address of the listening "
							 "socket: set PSU_THREAD_ADDRESS to it");
	if (strcmp(endpoint.host, "::") == 0 ||
		strcmp(endpoint.host, "0.0.0.0") == 0)
		snprintf(endpoint.host, sizeof(endpoint.host), "%s", name);
	*endpoint_out = endpoint;
	return 0;
}

/** As others may dial it, or empty. */
static int find_address(int listen_fd, const char *name,
						char address[PSU_SOCKET_NAME_LEN])
{
	const char *text = getenv("PSU_THREAD_ADDRESS");
	struct psu_endpoint endpoint;
	int rc;

	if (text && !*text)
		return 0;
	rc = find_endpoint(listen_fd, name, &endpoint);
	if (!rc && text)
		rc = psu_socket_parse(text, (unsigned)strtoul(endpoint.port, NULL, 10),
							  &endpoint);
	if (!rc)
		psu_socket_name(&endpoint, address);
	return rc;
}

int psu_way_here(const struct psu_identity *self, int listen_fd,
				 struct psu_place *place)
{
	char address[PSU_SOCKET_NAME_LEN] = "";
	int rc = listen_fd >= 0 ? find_address(listen_fd, self->name, address) : 0;

	if (rc)
		return rc;
	place->identity = self->digest;
	memset(place->name, 0, sizeof(place->name));
	memset(place->address, 0, sizeof(place->address));
	snprintf(place->name, sizeof(place->name), "%s", self->name);
	if (strlen(address) < sizeof(place->address))
		memcpy(place->address, address, strlen(address));
	return 0;
}

void psu_way_to(const struct psu_place *place, struct psu_way *way_out)
{
	struct psu_endpoint endpoint;
	bool before = psu_error_whisper(true);

	if (*place->address &&
		psu_socket_parse(place->address, PSU_THREAD_DEFAULT_PORT, &endpoint) ==
			0) {
		psu_line_way(&endpoint, way_out);
	} else {
		*way_out = (struct psu_way){.has_endpoint = false};
		snprintf(way_out->name, sizeof(way_out->name), "%s", place->name);
	}
	psu_error_whisper(before);
	way_out->identity = place->identity;
	way_out->incarnation = place->incarnation;
}

bool psu_way_may_end_at(const struct psu_way *way,
						const struct psu_digest *host)
{
	static const struct psu_digest anyone;

	return psu_digest_equal(&way->identity, &anyone) ||
		   psu_digest_equal(&way->identity, host);
}
