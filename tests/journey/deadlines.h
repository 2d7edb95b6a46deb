/* SPDX-License-Identifier: ISC */
/*
 * deadlines.h - let a test's script set the deadlines of a program
 *
 * $DEADLINES is "WAIT=MS WAIT=MS...", with the names of PSU_THREAD_WAITS.
 */
#ifndef TEST_DEADLINES_H
#define TEST_DEADLINES_H

#include <psu_thread.h>

#include <stdlib.h>
#include <string.h>

static inline int set_deadline(const char *name, unsigned ms)
{
#define DEADLINE(wait, number, standard, sentence)                             \
	if (strcmp(name, #wait) == 0)                                              \
		return psu_thread_set_deadline(PSU_THREAD_WAIT_##wait, ms);
	PSU_THREAD_WAITS(DEADLINE)
#undef DEADLINE
	return PSU_THREAD_E_INVALID_ARGUMENT;
}

/** Ends the program if there is no such wait. */
static inline void set_deadlines(void)
{
	const char *text = getenv("DEADLINES");
	char *copy = strdup(text ? text : "");

	for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
		char *ms = strchr(word, '=');

		if (ms)
			*ms++ = '\0';
		if (!ms || set_deadline(word, (unsigned)atoi(ms)) != 0)
			exit(2);
	}
	free(copy);
}

#endif
