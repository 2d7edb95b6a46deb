/* SPDX-License-Identifier: ISC */
/*
 * cleanup.c - handlers pushed with pthread_cleanup_push before the move run
 * behind it, once each, last first: some by pop, some by pthread_exit
 */
#include "travel.h"

#include <pthread.h>
#include <string.h>

static __thread char ran[8]; /* travels */
static __thread int started_in;

static void note(void *letter)
{
	size_t len = strlen(ran);

	CHECK(len + 1 < sizeof(ran));
	ran[len] = *(const char *)letter;
}

static void note_last(void *letter)
{
	note(letter);
	CHECK(strcmp(ran, "EDCBA") == 0);
	CHECK((started_in + travel_hops_per_move()) % 2 == travel_process());
	travel_passed();
}

/* E is pushed and popped behind the move, D before and behind it. */
static NOINLINE void move_between(char *d, char *e)
{
	pthread_cleanup_push(note, d);
	MOVE();
	CHECK(ran[0] == '\0');
	pthread_cleanup_push(note, e);
	pthread_cleanup_pop(1);
	CHECK(strcmp(ran, "E") == 0);
	pthread_cleanup_pop(1);
	CHECK(strcmp(ran, "ED") == 0);
}

static NOINLINE void end_below(char *letters)
{
	char not_run = 'x';

	pthread_cleanup_push(note, &letters[1]);
	pthread_cleanup_push(note, &letters[2]);
	pthread_cleanup_push(note, &not_run);
	move_between(&letters[3], &letters[4]);
	pthread_cleanup_pop(0);
	pthread_exit(TRAVEL_RESULT);
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(0);
}

int travel(void)
{
	char letters[] = "ABCDE";

	started_in = travel_process();
	pthread_cleanup_push(note_last, &letters[0]);
	end_below(letters);
	pthread_cleanup_pop(0);
	travel_fail(__FILE__, __LINE__, "pthread_exit returned");
	return 1;
}
