/* SPDX-License-Identifier: ISC */
/*
 * here.c - where others find this process
 *
 * In: the listening socket, $PSU_THREAD_ADDRESS.  Out: the place that is told
 * with every thread that is born here, and that leaves.
 */
#include "journey/here.h"
#include "net/socket.h"

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

int psu_here_find(const struct psu_identity *self, int listen_fd,
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
