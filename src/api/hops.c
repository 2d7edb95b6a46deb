/* SPDX-License-Identifier: ISC */
/*
 * hops.c - psu_thread_hops(): where the calling thread has been
 */
#include "api/self.h"
#include "journey/process.h"
#include "journey/traveller.h"

_Static_assert(PSU_THREAD_HOST_LEN == PSU_NAME_LEN, "a host's name");

static void tell(const uint8_t link[PSU_SEALED_LEN], struct psu_thread_hop *hop)
{
	struct psu_trust *trust = psu_process_get()->trust;
	struct psu_statement statement;

	*hop = (struct psu_thread_hop){0};
	if (!psu_seal_read(link, &statement))
		return;
	hop->generation = statement.generation;
	hop->time_ms = statement.time_ms;
	psu_trust_name(trust, &statement.source, hop->from);
	psu_trust_name(trust, &statement.destination, hop->to);
}

long psu_thread_hops(struct psu_thread_hop *newest_out, size_t capacity)
{
	struct psu_traveller *self;
	int rc = psu_self_find("has an itinerary", &self);

	if (rc)
		return rc;
	if (capacity && !newest_out)
		return psu_error_set(PSU_THREAD_E_INVALID_ARGUMENT,
							 "psu_thread_hops has no place for %zu hops: pass "
							 "an array, or 0",
							 capacity);
	for (size_t i = 0; i < capacity && i < self->itinerary.count; i++)
		tell(self->itinerary.links[i], &newest_out[i]);
	return (long)self->generation;
}
