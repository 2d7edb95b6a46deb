/* SPDX-License-Identifier: ISC */
/*
 * way.h - where this process is, and the way to another one
 */
#ifndef PSU_WAY_H
#define PSU_WAY_H

#include "journey/line.h"
#include "trust/place.h"

/**
 * Find out where others find this process, if it listens: at
 * $PSU_THREAD_ADDRESS if that is set ("": nowhere), else at the address it
 * listens on, or, if that is all of them, at the host's name.
 *
 * @listen_fd  -1: it does not listen
 * @place      its incarnation is filled in
 *
 * Returns 0, INVALID_ARGUMENT or SYSTEM.
 */
PSU_MUST_CHECK int psu_way_here(const struct psu_identity *self, int listen_fd,
								struct psu_place *place);

/** The way to the process at @place. */
void psu_way_to(const struct psu_place *place, struct psu_way *way_out);

/** Whether that host, by the digest of its identity, is one that @way asks
 * for. */
bool psu_way_may_end_at(const struct psu_way *way,
						const struct psu_digest *host);

#endif
