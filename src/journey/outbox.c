/* SPDX-License-Identifier: ISC */
/*
 * outbox.c - a bounded list of letters, one for each thread
 */
#include "journey/outbox.h"
#include "net/limits.h"

#include <assert.h>
#include <stdlib.h>

static size_t letter_len(const struct psu_letter *letter)
{
	return sizeof(*letter) + letter->head_len +
		   (letter->itinerary ? sizeof(*letter->itinerary) : 0);
}

void psu_letter_free(struct psu_letter *letter)
{
	if (letter) {
		free(letter->head);
		free(letter->itinerary);
	}
	free(letter);
}

/** Take out the letter that @link leads to. */
static struct psu_letter *take_out(struct psu_outbox *outbox,
								   struct psu_letter **link)
{
	struct psu_letter *letter = *link;

	assert(letter);
	*link = letter->next;
	letter->next = NULL;
	outbox->count--;
	outbox->len -= letter_len(letter);
	return letter;
}

static void put_in(struct psu_outbox *outbox, struct psu_letter **link,
				   struct psu_letter *letter)
{
	letter->next = *link;
	*link = letter;
	outbox->count++;
	outbox->len += letter_len(letter);
}

/** Of one thread only the latest letter is of use.  False: a later one than
 * @letter is there. */
static bool supersede(struct psu_outbox *outbox,
					  const struct psu_letter *letter)
{
	struct psu_letter **link = &outbox->oldest;

	while (*link && !psu_id_equal(&(*link)->thread, &letter->thread))
		link = &(*link)->next;
	if (*link && (*link)->generation > letter->generation)
		return false;
	if (*link)
		psu_letter_free(take_out(outbox, link));
	return true;
}

static struct psu_letter *make_room(struct psu_outbox *outbox)
{
	struct psu_letter *gone = NULL, **last = &gone;

	while (outbox->count > PSU_OUTBOX_MAX || outbox->len > PSU_OUTBOX_LEN_MAX) {
		*last = take_out(outbox, &outbox->oldest);
		last = &(*last)->next;
	}
	return gone;
}

struct psu_letter *psu_outbox_put(struct psu_outbox *outbox,
								  struct psu_letter *letter)
{
	struct psu_letter **link = &outbox->oldest;

	if (!supersede(outbox, letter)) {
		psu_letter_free(letter);
		return NULL;
	}
	while (*link)
		link = &(*link)->next;
	put_in(outbox, link, letter);
	return make_room(outbox);
}

struct psu_letter *psu_outbox_put_back(struct psu_outbox *outbox,
									   struct psu_letter *letter)
{
	if (!supersede(outbox, letter)) {
		psu_letter_free(letter);
		return NULL;
	}
	put_in(outbox, &outbox->oldest, letter);
	return make_room(outbox);
}

struct psu_letter *psu_outbox_take(struct psu_outbox *outbox,
								   const struct psu_id *home, int64_t now_ms)
{
	struct psu_letter **link = &outbox->oldest;

	while (*link && ((*link)->due_ms > now_ms ||
					 !psu_id_equal(&(*link)->home.incarnation, home)))
		link = &(*link)->next;
	return *link ? take_out(outbox, link) : NULL;
}

int64_t psu_outbox_due(const struct psu_outbox *outbox,
					   const struct psu_id *home)
{
	int64_t due_ms = INT64_MAX;

	for (const struct psu_letter *at = outbox->oldest; at; at = at->next)
		if (at->due_ms < due_ms && psu_id_equal(&at->home.incarnation, home))
			due_ms = at->due_ms;
	return due_ms;
}
