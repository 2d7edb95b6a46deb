/* SPDX-License-Identifier: ISC */
/*
 * place.h - one process of one host, as hosts tell each other of it
 *
 * The home of a thread, or where it has gone.  FORMAT.md, "Places", is the
 * normative description.
 */
#ifndef PSU_PLACE_H
#define PSU_PLACE_H

#include "bytes/bytes.h"
#include "trust/trust.h"

/** Longest address told, with its NUL; a longer one is not told. */
#define PSU_ADDRESS_LEN 256
#define PSU_PLACE_LEN (32 + 16 + PSU_NAME_LEN + PSU_ADDRESS_LEN)

struct psu_place {
	struct psu_digest identity;	   /* of the host */
	struct psu_id incarnation;	   /* of the process */
	char name[PSU_NAME_LEN];	   /* of the host; "": nowhere */
	char address[PSU_ADDRESS_LEN]; /* "host:7310"; "": it cannot be dialled */
};

/** Whether it is that process of that host.  What a process calls itself counts
 * among those of its own host only. */
bool psu_place_is(const struct psu_place *place, const struct psu_digest *host,
				  const struct psu_id *incarnation);

void psu_place_put(struct psu_writer *writer, const struct psu_place *place);
/** The reader is bad afterwards if name or incarnation is missing, or a text
 * has no end, bytes behind it, or others than printable ASCII in it.  Every
 * byte read here is hostile. */
void psu_place_get(struct psu_reader *reader, struct psu_place *place_out);

#endif
