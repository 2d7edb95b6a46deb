/* SPDX-License-Identifier: ISC */
/*
 * route.h - what the tests of libpsu_thread_malloc.so share: main, in route.c
 */
#ifndef ROUTE_H
#define ROUTE_H

#include <psu_thread.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a thread can be told to do, by its name; a table ends without one. */
struct route_task {
	const char *name;
	void (*run)(void);
};
extern const struct route_task route_tasks[];

/** Move the calling thread to the host that was given, or home. */
void route_go(void);
void route_go_home(void);
/** Before any thread, in main. */
void route_prepare(void);

/** Whether it points to memory that travels. */
int route_in_slot(const void *pointer);

void route_wrong(const char *file, int line, const char *what);

#define CHECK(good)                                                            \
	do {                                                                       \
		if (!(good))                                                           \
			route_wrong(__FILE__, __LINE__, #good);                            \
	} while (0)

#ifdef __cplusplus
}
#endif

#endif
