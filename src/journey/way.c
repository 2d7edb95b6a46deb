/* SPDX-License-Identifier: ISC */
/*
 * way.c - the way to another process
 *
 * What a peer says of a place has been checked to be text; that it is an
 * address shows here, and one that is none cannot be dialled.
 */
#include "journey/way.h"

#include <stdio.h>

void psu_way_to_endpoint(const struct psu_endpoint *endpoint,
						 struct psu_way *way_out)
{
	*way_out = (struct psu_way){.has_endpoint = true, .endpoint = *endpoint};
	psu_socket_name(endpoint, way_out->name);
}

void psu_way_to_place(const struct psu_place *place, struct psu_way *way_out)
{
	struct psu_endpoint endpoint;
	bool before = psu_error_whisper(true);

	if (*place->address &&
		psu_socket_parse(place->address, PSU_THREAD_DEFAULT_PORT, &endpoint) ==
			0) {
		psu_way_to_endpoint(&endpoint, way_out);
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
