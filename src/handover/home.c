/* SPDX-License-Identifier: ISC */
/*
 * home.c - what a home knows of a thread of its own, and may take back
 *
 * In: how home's own moves ended, and what others say of later ones.  Out:
 * whether a place is news, and whether the thread or its result may come in.
 * What is not later than the latest known is refused, and so is everything
 * once the thread has ended: records of moves come and go (dest.c), this
 * stays as long as the thread is known here at all.  Of a thread that runs
 * here nobody else knows more.
 */
#include "handover/handover.h"

#include <psu_thread.h>

#include <stdbool.h>

void psu_home_born(struct psu_home *home)
{
	*home = (struct psu_home){.state = PSU_HOME_HERE};
}

static bool is_news(const struct psu_home *home, uint64_t generation)
{
	return generation > home->generation;
}

void psu_home_leaves(struct psu_home *home)
{
	home->state = PSU_HOME_LEAVING;
}

void psu_home_offers(struct psu_home *home)
{
	home->generation = home->own;
}

void psu_home_stayed(struct psu_home *home)
{
	home->state = PSU_HOME_HERE;
	home->generation = home->own;
}

bool psu_home_would_learn(const struct psu_home *home, uint64_t generation)
{
	/* the one that is under way; the first of others follows it */
	bool is_own = home->state == PSU_HOME_LEAVING &&
				  generation == home->own + 1;

	return home->state != PSU_HOME_HERE && home->state != PSU_HOME_ENDED &&
		   !is_own && is_news(home, generation);
}

bool psu_home_located(struct psu_home *home, uint64_t generation)
{
	if (!psu_home_would_learn(home, generation))
		return false;
	home->generation = generation;
	return true;
}

bool psu_home_left(struct psu_home *home, uint64_t generation)
{
	home->state = PSU_HOME_AWAY;
	if (!is_news(home, generation))
		return false;
	home->generation = generation;
	return true;
}

int psu_home_may_return(const struct psu_home *home, uint64_t generation)
{
	if (home->state == PSU_HOME_ENDED || !is_news(home, generation))
		return PSU_THREAD_E_REPLAYED;
	return home->state == PSU_HOME_AWAY ? 0 : PSU_THREAD_E_BUSY;
}

void psu_home_returned(struct psu_home *home, uint64_t generation)
{
	home->state = PSU_HOME_HERE;
	home->generation = home->own = generation;
}

void psu_home_ended(struct psu_home *home)
{
	home->state = PSU_HOME_ENDED;
}
