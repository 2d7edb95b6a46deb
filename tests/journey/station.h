/* SPDX-License-Identifier: ISC */
/*
 * station.h - between the files of a station
 */
#ifndef TEST_STATION_H
#define TEST_STATION_H

#include <pthread.h>
#include <stdbool.h>

/** Of this process, whichever thread comes by. */
struct gate {
	pthread_mutex_t lock;
	pthread_cond_t opened;
	bool open;
};

#define GATE(is_open)                                                          \
	{                                                                          \
		PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, is_open           \
	}

static inline void set_gate(struct gate *gate, bool open)
{
	pthread_mutex_lock(&gate->lock);
	gate->open = open;
	pthread_cond_broadcast(&gate->opened);
	pthread_mutex_unlock(&gate->lock);
}

static inline void pass(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	while (!gate->open)
		pthread_cond_wait(&gate->opened, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
}

/** Obey a word of station_wrong.c; false: it is none. */
bool do_wrong(char **words, int count);

#endif
