/* SPDX-License-Identifier: ISC */
/*
 * place.c - one process of one host, to bytes and back
 *
 * Every byte read here is hostile: what a peer calls a host goes into
 * sentences and to the user.
 */
#include "trust/place.h"

#include <string.h>

bool psu_place_is(const struct psu_place *place, const struct psu_digest *host,
				  const struct psu_id *incarnation)
{
	return psu_digest_equal(&place->identity, host) &&
		   psu_id_equal(&place->incarnation, incarnation);
}

void psu_place_put(struct psu_writer *writer, const struct psu_place *place)
{
	psu_put_bytes(writer, place->identity.bytes, 32);
	psu_put_bytes(writer, place->incarnation.bytes, 16);
	psu_put_bytes(writer, place->name, sizeof(place->name));
	psu_put_bytes(writer, place->address, sizeof(place->address));
}

static void get_text(struct psu_reader *reader, char *text_out, size_t room)
{
	size_t len;

	psu_get_bytes(reader, text_out, room);
	len = strnlen(text_out, room);
	if (len == room)
		reader->bad = true;
	for (size_t i = 0; i < room; i++)
		if (i < len ? text_out[i] <= ' ' || text_out[i] > '~'
					: text_out[i] != '\0')
			reader->bad = true;
}

void psu_place_get(struct psu_reader *reader, struct psu_place *place_out)
{
	psu_get_bytes(reader, place_out->identity.bytes, 32);
	psu_get_bytes(reader, place_out->incarnation.bytes, 16);
	get_text(reader, place_out->name, sizeof(place_out->name));
	get_text(reader, place_out->address, sizeof(place_out->address));
	if (!*place_out->name || psu_id_is_zero(&place_out->incarnation))
		reader->bad = true;
}
