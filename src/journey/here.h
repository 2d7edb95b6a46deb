/* SPDX-License-Identifier: ISC */
/*
 * here.h - where others find this process
 */
#ifndef PSU_HERE_H
#define PSU_HERE_H

#include "trust/place.h"
#include "trust/trust.h"

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
PSU_MUST_CHECK int psu_here_find(const struct psu_identity *self, int listen_fd,
								 struct psu_place *place);

#endif
