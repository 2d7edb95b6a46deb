/* SPDX-License-Identifier: ISC */
/*
 * courier.c - one thread for each home with mail, which delivers that
 *
 * In: letters.  Out: none of them is forgotten without a line in the log: an
 * error if somebody may wait for the result in it, else for information.
 */
#include "journey/courier.h"
#include "journey/process.h"
#include "net/limits.h"
#include "state/locals.h"

#include <stdlib.h>

struct courier {
	struct courier *next;
	struct psu_id home;
	struct psu_letter *letter; /* in hand */
	int64_t resume_ms;		   /* home was not to be reached: not before */
};

/* All guarded by the process's lock. */
static struct psu_outbox outbox;
static struct courier *couriers;

/* ---- letters that are given up */

static void tell_dropped(const struct psu_letter *letter, const char *why)
{
	if (letter->joinable && letter->kind == PSU_LETTER_END)
		psu_error_set(PSU_THREAD_E_RESULT_DROPPED,
					  "the result of a thread of %s could not be told there: "
					  "%s: whoever waits for it must be told otherwise",
					  letter->home.name, why);
	else if (letter->kind == PSU_LETTER_END)
		psu_log(PSU_THREAD_LOG_INFO,
				"Dropped the result of a thread of %s that nobody waits for",
				letter->home.name);
	else
		psu_log(PSU_THREAD_LOG_INFO,
				"%s is not told where its thread has gone: %s",
				letter->home.name, why);
}

/** Those that an outbox has no room for. */
static void drop_all(struct psu_letter *letters)
{
	while (letters) {
		struct psu_letter *next = letters->next;

		tell_dropped(letters, "too many wait here to be told");
		psu_letter_free(letters);
		letters = next;
	}
}

/* ---- the couriers */

static int64_t pause_ms(unsigned tries)
{
	int64_t pause = PSU_REDIAL_FIRST_MS;

	while (tries-- > 1 && pause < PSU_REDIAL_LAST_MS)
		pause *= 2;
	return pause < PSU_REDIAL_LAST_MS ? pause : PSU_REDIAL_LAST_MS;
}

static void retire(struct courier *courier)
{
	struct courier **link = &couriers;

	while (*link != courier)
		link = &(*link)->next;
	*link = courier->next;
	free(courier);
}

/** Wait for the next letter that may be tried, and take it in hand; NULL: there
 * is no more mail for this home.  Lock held. */
static struct psu_letter *take_letter(struct courier *courier)
{
	for (;;) {
		int64_t due_ms = psu_outbox_due(&outbox, &courier->home);
		int64_t now_ms = psu_clock_now_ms();

		if (due_ms == INT64_MAX)
			return NULL;
		if (due_ms < courier->resume_ms)
			due_ms = courier->resume_ms;
		if (due_ms <= now_ms)
			break;
		psu_process_wait(psu_process_about(&couriers), due_ms);
	}
	return courier->letter = psu_outbox_take(&outbox, &courier->home,
											 psu_clock_now_ms());
}

/** The letter in hand has been tried.  Lock held.  Returns letters to drop. */
static struct psu_letter *settle(struct courier *courier,
								 enum psu_delivery delivery)
{
	struct psu_letter *letter = courier->letter, *gone = NULL;

	courier->letter = NULL;
	letter->tries++;
	letter->due_ms = psu_clock_deadline(pause_ms(letter->tries));
	if (delivery == PSU_DELIVERY_UNREACHED)
		courier->resume_ms = letter->due_ms;
	if (delivery == PSU_DELIVERY_UNREACHED ||
		delivery == PSU_DELIVERY_POSTPONED)
		gone = psu_outbox_put_back(&outbox, letter);
	else
		psu_letter_free(letter);
	psu_process_announce(psu_process_about(&outbox));
	return gone;
}

static void *deliver_mail(void *argument)
{
	struct courier *courier = argument;
	struct psu_letter *letter, *gone;
	enum psu_delivery delivery;

	psu_process_lock();
	while ((letter = take_letter(courier))) {
		psu_process_unlock();
		delivery = psu_courier_deliver(letter);
		if (delivery == PSU_DELIVERY_HOPELESS)
			tell_dropped(letter, psu_error_sentence());
		else if (delivery != PSU_DELIVERY_DONE && letter->tries == 0)
			psu_log(PSU_THREAD_LOG_INFO, "A letter to %s must wait: %s",
					letter->home.name, psu_error_sentence());
		psu_process_lock();
		gone = settle(courier, delivery);
		psu_process_unlock();
		drop_all(gone);
		psu_process_lock();
	}
	retire(courier);
	psu_process_unlock();
	return NULL;
}

/** Let there be a courier for that home.  Lock held.  False: there is none to
 * be had. */
static bool employ(const struct psu_id *home)
{
	struct courier *courier = couriers;

	while (courier && !psu_id_equal(&courier->home, home))
		courier = courier->next;
	if (courier)
		return true;
	courier = calloc(1, sizeof(*courier));
	if (!courier)
		return false;
	courier->home = *home;
	courier->next = couriers;
	couriers = courier;
	if (psu_process_spawn(deliver_mail, courier) == 0)
		return true;
	retire(courier);
	return false;
}

/** For each home that has mail, or as many as can be had: with the next letter
 * to any of them the others are tried again.  Lock held. */
static void employ_all(void)
{
	const struct psu_letter *at = outbox.oldest;

	while (at && employ(&at->home.incarnation))
		at = at->next;
}

void psu_courier_post(struct psu_letter *letter)
{
	struct psu_letter *gone;

	if (!letter)
		return;
	psu_process_lock();
	gone = psu_outbox_put(&outbox, letter);
	employ_all();
	psu_process_announce(psu_process_about(&couriers));
	psu_process_unlock();
	drop_all(gone);
}

/* ---- letters */

/** There is none. */
static void tell_unwritten(enum psu_letter_kind kind,
						   const struct psu_traveller *thread, const char *why)
{
	const struct psu_letter letter = {
		.kind = kind,
		.home = thread->home,
		.joinable = thread->joinable,
	};

	tell_dropped(&letter, why);
}

static struct psu_letter *new_letter(enum psu_letter_kind kind,
									 const struct psu_traveller *thread,
									 uint64_t generation)
{
	struct psu_letter *letter = calloc(1, sizeof(*letter));

	if (letter)
		letter->itinerary = malloc(sizeof(*letter->itinerary));
	if (!letter || !letter->itinerary) {
		free(letter);
		tell_unwritten(kind, thread, "no memory for a letter");
		return NULL;
	}
	letter->kind = kind;
	letter->home = thread->home;
	letter->thread = thread->id;
	letter->generation = generation;
	letter->joinable = thread->joinable;
	*letter->itinerary = thread->itinerary;
	return letter;
}

struct psu_letter *psu_courier_write_moved(const struct psu_traveller *thread,
										   uint64_t generation,
										   const struct psu_place *where)
{
	struct psu_letter *letter = new_letter(PSU_LETTER_LOCATION, thread,
										   generation);

	if (letter)
		letter->where = *where;
	return letter;
}

/** Its last state, and @result. */
static int write_end(struct psu_letter *letter,
					 const struct psu_traveller *thread, void *result)
{
	const struct psu_image image = {
		.kind = PSU_KIND_END,
		.result = (uint64_t)result,
		.locals = {thread->last_locals, psu_locals_len()},
		.exits = thread->exits,
	};
	/* it is said what becomes of the letter */
	bool before = psu_error_whisper(true);
	int rc = psu_image_encode(&image, &letter->head, &letter->head_len);

	psu_error_whisper(before);
	letter->slot_addr = thread->slot.addr;
	letter->slot_len = thread->slot.len;
	letter->stack_room = thread->slot.stack_len;
	return rc;
}

void psu_courier_tell_ended(struct psu_traveller *thread, void *result)
{
	struct psu_letter *letter;

	if (!thread->last_locals) {
		tell_unwritten(PSU_LETTER_END, thread, "no memory for a letter");
		return;
	}
	letter = new_letter(PSU_LETTER_END, thread, thread->generation + 1);
	if (letter && write_end(letter, thread, result) != 0) {
		tell_dropped(letter, psu_error_sentence());
		psu_letter_free(letter);
		return;
	}
	psu_courier_post(letter);
}

/* ---- whoever waits for the mail */

/** Whether the way to a home has been tried just now, in vain. */
static bool is_cut_off(const struct psu_id *home)
{
	const struct courier *courier = couriers;

	while (courier && !psu_id_equal(&courier->home, home))
		courier = courier->next;
	return courier && courier->resume_ms > psu_clock_now_ms();
}

static bool is_awaited(const struct psu_letter *letter)
{
	return letter->joinable ||
		   (letter->tries == 0 && !is_cut_off(&letter->home.incarnation));
}

/** Lock held. */
static bool has_awaited(void)
{
	for (const struct psu_letter *at = outbox.oldest; at; at = at->next)
		if (is_awaited(at))
			return true;
	for (const struct courier *at = couriers; at; at = at->next)
		if (at->letter && is_awaited(at->letter))
			return true;
	return false;
}

void psu_courier_linger(int64_t deadline)
{
	while (has_awaited() &&
		   psu_process_wait(psu_process_about(&outbox), deadline))
		continue;
}

void psu_courier_give_up(void)
{
	static const char why[] = "this process ends, and home has not answered";

	psu_process_lock();
	for (const struct courier *at = couriers; at; at = at->next)
		if (at->letter)
			tell_dropped(at->letter, why);
	for (const struct psu_letter *at = outbox.oldest; at; at = at->next)
		tell_dropped(at, why);
	psu_process_unlock();
}
