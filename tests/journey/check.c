/* SPDX-License-Identifier: ISC */
/*
 * check.c - plant one word in a thread, and look what psu_thread_check() finds
 *
 *     check PLACE TARGET CERTS [HOST]
 *     check serve - CERTS             take one thread in
 *
 * PLACE is where the word is: local, register, thread-local, heap, or none;
 * TARGET what it points to, a row of the table in check_targets.c.  With HOST
 * the thread looks there, too, and then moves there.
 */
#include "check.h"

#include <psu_thread.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* globals do not travel: what they hold is not found */
void *volatile target;
static char place[16], host[64];

/* ---- where the word is */

static struct psu_thread_report report; /* not in the thread */

static void tell(int rc)
{
	printf("Found %u: %d\n", report.found, rc);
	for (unsigned i = 0; i < report.kept; i++) {
		const struct psu_thread_finding *finding = &report.findings[i];

		printf("%d %s | %s | %s | %s | %s\n", (int)finding->place,
			   (uint64_t)target == finding->value ? "target" : "other",
			   finding->addr ? "addressed" : "nowhere", finding->where,
			   finding->what, finding->remedy);
	}
}

/** ... and then go there. */
static __attribute__((noinline)) int look(void)
{
	int rc = psu_thread_check(*host ? host : NULL, &report);

	tell(rc);
	if (*host)
		printf("Moved: %d\n", psu_thread_migrate(host));
	return rc;
}

static __attribute__((noinline)) int look_with_local(void)
{
	void *volatile kept = target;
	int rc = look();

	return kept == target ? rc : 1;
}

static __attribute__((noinline)) int look_with_register(void)
{
	register void *kept __asm__("r14") = target;
	int rc;

	__asm__ volatile("" : "+r"(kept));
	rc = psu_thread_check(NULL, &report);
	__asm__ volatile("" : "+r"(kept));
	tell(rc);
	return kept == target ? rc : 1;
}

__thread struct {
	uint64_t before;
	volatile uint64_t word;
} planted_local;

static int look_with_thread_local(void)
{
	int rc;

	planted_local.word = (uint64_t)target;
	rc = look();
	planted_local.word = 0;
	return rc;
}

/** Beside it: a block that is free again. */
static int look_with_heap(void)
{
	void **freed = psu_thread_malloc(200), **kept = psu_thread_malloc(200),
		 **more = psu_thread_calloc(1, 100000);
	int rc;

	memset(freed, 0, 200);
	memset(kept, 0, 200);
	freed[1] = more[5000] = target;
	kept[3] = target;
	psu_thread_free(freed);
	more[5000] = NULL;
	rc = look();
	kept[3] = NULL;
	return rc;
}

/* ---- the thread */

static int look_as_told(void)
{
	if (strcmp(place, "local") == 0)
		return look_with_local();
	if (strcmp(place, "register") == 0)
		return look_with_register();
	if (strcmp(place, "thread-local") == 0)
		return look_with_thread_local();
	if (strcmp(place, "heap") == 0)
		return look_with_heap();
	return look();
}

static void (*volatile make)(void);

/** A name that begins with main- is made by the main thread. */
static void choose(const char *name)
{
	int by_main = strncmp(name, "main-", 5) == 0;

	make = find_target(name + 5 * by_main);
	if (by_main && make) {
		make();
		make = NULL;
	}
}

/** Makes what is pointed to where nothing is left of it afterwards. */
static __attribute__((noinline)) void make_target(void)
{
	char below[4096];

	make();
	memset(below, 0, sizeof(below));
	__asm__ volatile("" : : "r"(below) : "memory");
}

static __attribute__((noinline)) void clear_below(void)
{
	char below[32768];

	memset(below, 0, sizeof(below));
	__asm__ volatile("" : : "r"(below) : "memory");
}

static void *travel(void *unused)
{
	int rc = psu_thread_check(NULL, NULL); /* takes memory for itself */

	if (rc)
		printf("Found already: %d\n", rc);
	if (make)
		make_target();
	clear_below();
	look_as_told();
	return unused;
}

int main(int argc, char **argv)
{
	int serves = argc > 1 && strcmp(argv[1], "serve") == 0;

	if (argc < 4)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	psu_thread_set_log(PSU_THREAD_LOG_INFO, NULL, NULL);
	if (psu_thread_setup_init(serves, argv[3]) != 0)
		return 1;
	if (serves)
		return psu_thread_create(NULL, NULL) != 0;
	snprintf(place, sizeof(place), "%s", argv[1]);
	snprintf(host, sizeof(host), "%s", argc > 4 ? argv[4] : "");
	choose(argv[2]);
	return psu_thread_create(travel, strdup("what it is started with")) != 0;
}
