/* SPDX-License-Identifier: ISC */
/*
 * way.h - the way to another process
 */
#ifndef PSU_WAY_H
#define PSU_WAY_H

#include "net/session.h"
#include "trust/place.h"

/** To whom a line is wanted. */
struct psu_way {
	char name[PSU_PEER_NAME_LEN]; /* "host:7310", or a home's host, for
									 sentences */
	bool has_endpoint;			  /* it can be dialled */
	struct psu_endpoint endpoint;
	struct psu_digest identity; /* only this host will do; zeros: whoever
								   answers */
	struct psu_id incarnation;	/* and only this process of it; zero: any */
	bool fresh;	  /* no idle line, if a new one can be dialled: the last one was
					 stale */
	bool at_once; /* do not wait for whoever has no session here and cannot be
					 dialled */
};

/** The way to whoever answers at @endpoint. */
void psu_way_to_endpoint(const struct psu_endpoint *endpoint,
						 struct psu_way *way_out);

/** The way to the process at @place. */
void psu_way_to_place(const struct psu_place *place, struct psu_way *way_out);

/** Whether that host, by the digest of its identity, is one that @way asks
 * for. */
bool psu_way_may_end_at(const struct psu_way *way,
						const struct psu_digest *host);

#endif
