/* SPDX-License-Identifier: ISC */
/*
 * heap.c - a thread's own heap: full, misused, damaged, large, and old
 *
 *     heap serve CERTS           take in any number of threads
 *     heap idle CERTS            take in none
 *     heap go CERTS WHAT HOST    start a thread that does WHAT, and goes to
 *                                HOST somewhere in it
 */
#include <psu_thread.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

struct task {
	char what[16], host[64];
};

static int failed;

#define CHECK(good)                                                            \
	do {                                                                       \
		if (!(good)) {                                                         \
			printf("Wrong in line %d: %s\n", __LINE__, #good);                 \
			failed = 1;                                                        \
		}                                                                      \
	} while (0)

static void go(const struct task *task)
{
	int rc = psu_thread_migrate(task->host);

	if (rc)
		printf("It stays: %d\n", rc);
}

/* ---- misuse: it is said, and nothing comes of it */

static void misuse(const struct task *task)
{
	char *block = psu_thread_malloc(100), *large = psu_thread_malloc(MIB);
	char *gone = psu_thread_malloc(100);

	strcpy(block, "whole");
	psu_thread_free(gone);
	psu_thread_free(gone);
	psu_thread_free(block + 1);
	psu_thread_free(large + 4096);
	CHECK(psu_thread_usable_size(large + 8) == 0);
	CHECK(psu_thread_realloc(gone, 200) == NULL && errno == EINVAL);
	CHECK(psu_thread_aligned_alloc(24, 100) == NULL && errno == EINVAL);
	go(task);
	psu_thread_free(gone);
	CHECK(strcmp(block, "whole") == 0);
	psu_thread_free(block);
	psu_thread_free(large);
	psu_thread_free(NULL);
	CHECK(psu_thread_usable_size(NULL) == 0);
}

static char *_Atomic of_another;

static void lend(const struct task *task)
{
	of_another = psu_thread_malloc(100);
	strcpy(of_another, "mine");
	while (of_another)
		continue;
	(void)task;
}

static void take(const struct task *task)
{
	char *theirs;

	while (!(theirs = of_another))
		continue;
	psu_thread_free(theirs);
	CHECK(strcmp(theirs, "mine") == 0);
	of_another = NULL;
	(void)task;
}

/* ---- full, and with everything in use */

static void full(const struct task *task)
{
	unsigned char *blocks[400];
	unsigned count = 0;

	while ((blocks[count] = psu_thread_malloc(MIB)))
		memset(blocks[count], (int)count + 1, MIB), count++;
	CHECK(errno == ENOMEM);
	CHECK(strstr(psu_thread_errmsg(), "PSU_THREAD_SLOT") != NULL);
	CHECK(psu_thread_calloc(SIZE_MAX / 2, 3) == NULL && errno == ENOMEM);
	printf("Full with %u\n", count);
	go(task);
	for (unsigned i = 0; i < count; i++)
		for (size_t at = 0; at < MIB; at += 4095)
			CHECK(blocks[i][at] == (unsigned char)(i + 1));
	CHECK(psu_thread_malloc(MIB) == NULL);
	psu_thread_free(blocks[0]);
	CHECK(psu_thread_malloc(MIB) == blocks[0]);
}

/** Most of it was never touched, or is free again. */
static void sparse(const struct task *task)
{
	size_t len = 600 * MIB;
	char *zeros = psu_thread_calloc(1, len),
		 *gone = psu_thread_malloc(300 * MIB);

	CHECK(zeros && gone);
	if (!zeros || !gone)
		return;
	memset(gone, 1, 10 * MIB);
	for (size_t at = 0; at < len; at += 64 * MIB)
		zeros[at] = 'x';
	psu_thread_free(gone);
	go(task);
	for (size_t at = 0; at < len; at += 32 * MIB)
		CHECK(zeros[at] == (at % (64 * MIB) ? 0 : 'x'));
	zeros[len - 1] = 'y';
	gone = psu_thread_malloc(300 * MIB);
	CHECK(gone != NULL);
	go(task);
}

static int is_filled(const unsigned char *block, int fill)
{
	for (size_t at = 0; at < MIB; at += 4095)
		if (block[at] != (unsigned char)fill)
			return 0;
	return 1;
}

/** A tenth of it is of use, the rest is free or zeros; then it is all full. */
static void gigabyte(const struct task *task)
{
	unsigned char *blocks[1024];

	for (int i = 0; i < 1024; i++) {
		blocks[i] = psu_thread_malloc(MIB);
		CHECK(blocks[i] != NULL);
		memset(blocks[i], i % 255 + 1, MIB);
	}
	for (int i = 0; i < 1024; i++)
		if (i % 10 && i % 2)
			psu_thread_free(blocks[i]), blocks[i] = NULL;
		else if (i % 10)
			memset(blocks[i], 0, MIB);
	go(task);
	for (int i = 0; i < 1024; i++) {
		CHECK(!blocks[i] || is_filled(blocks[i], i % 10 ? 0 : i % 255 + 1));
		if (!blocks[i])
			blocks[i] = psu_thread_malloc(MIB);
		CHECK(blocks[i] != NULL);
		memset(blocks[i], i % 251 + 2, MIB);
	}
	if (psu_thread_migrate(PSU_THREAD_HOME) != 0)
		printf("Wrong: it does not come home\n");
	for (int i = 0; i < 1024; i++)
		CHECK(is_filled(blocks[i], i % 251 + 2));
}

/* ---- damaged: it stays where it is, and works as far as it did */

static void damaged(const struct task *task)
{
	char *block = psu_thread_malloc(100), *page;

	page = (char *)((uintptr_t)block & ~(uintptr_t)4095);
	memset(page, 0xff, 16);
	go(task);
	strcpy(block, "goes on");
	puts(block);
}

/* ---- many small ones, and long use */

struct node {
	struct node *next;
	uint64_t number;
};

static void many(const struct task *task)
{
	struct node *head = NULL;
	uint64_t count = 0;

	for (uint64_t i = 0; i < 1000000; i++) {
		struct node *node = psu_thread_malloc(sizeof(*node));

		*node = (struct node){head, i};
		head = node;
	}
	go(task);
	for (struct node *at = head; at; at = at->next)
		CHECK(at->number == 999999 - count++);
	CHECK(count == 1000000);
	while (head) {
		struct node *next = head->next;

		psu_thread_free(head);
		head = next;
	}
	go(task);
}

#define OLD_BLOCKS 2000

static void old(const struct task *task)
{
	char *blocks[OLD_BLOCKS] = {NULL};
	uint64_t random = 1;

	for (int hop = 0; hop < 1000; hop++) {
		for (int i = 0; i < 500; i++) {
			unsigned at = (unsigned)(random >> 33) % OLD_BLOCKS;

			psu_thread_free(blocks[at]);
			random = random * 6364136223846793005 + 1442695040888963407;
			blocks[at] = psu_thread_malloc(random >> 54);
			CHECK(blocks[at] != NULL);
			memset(blocks[at], 1, random >> 54);
		}
		if (psu_thread_migrate(hop % 2 ? PSU_THREAD_HOME : task->host) != 0)
			printf("Wrong: hop %d\n", hop);
	}
}

/* ---- home has kept what it left with */

static uint64_t *find_wrong(uint64_t *block, size_t count, uint64_t first)
{
	for (size_t i = 0; i < count; i++)
		if (block[i] != first + i)
			return &block[i];
	return NULL;
}

static void put(uint64_t *block, size_t count, uint64_t first)
{
	for (size_t i = 0; i < count; i++)
		block[i] = first + i;
}

static void move_home(void)
{
	if (psu_thread_migrate(PSU_THREAD_HOME) != 0)
		printf("Wrong: it does not come home\n");
}

/** Nobody lets it in: it stays as it is, and is not even sent. */
static void unwanted(const struct task *task)
{
	size_t count = 96 * MIB / sizeof(uint64_t);
	uint64_t *block = psu_thread_malloc(96 * MIB);

	put(block, count, 1);
	CHECK(psu_thread_migrate(task->host) == PSU_THREAD_E_BUSY);
	CHECK(!find_wrong(block, count, 1));
}

static void kept(const struct task *task)
{
	size_t count = 8 * MIB / sizeof(uint64_t);
	uint64_t *block = psu_thread_malloc(8 * MIB);

	put(block, count, 1);
	go(task);
	put(block + 5 * 512, 2 * 512, 1000000000); /* two pages, or three */
	move_home();
	CHECK(!find_wrong(block, 5 * 512, 1));
	CHECK(!find_wrong(block + 5 * 512, 2 * 512, 1000000000));
	CHECK(!find_wrong(block + 7 * 512, count - 7 * 512, 1 + 7 * 512));
	go(task);
	put(block, count, 2000000000);
	move_home();
	CHECK(!find_wrong(block, count, 2000000000));
	go(task);
	psu_thread_free(block);
	block = psu_thread_calloc(count, sizeof(uint64_t));
	block[count - 1] = 5;
	move_home();
	for (size_t i = 0; i < count - 1; i++)
		failed |= block[i] != 0;
	CHECK(!failed && block[count - 1] == 5);
}

static void *work(void *argument)
{
	static const struct {
		const char *name;
		void (*run)(const struct task *);
	} tasks[] = {
		{"misuse", misuse},		{"lend", lend},			{"take", take},
		{"full", full},			{"sparse", sparse},		{"damaged", damaged},
		{"many", many},			{"old", old},			{"kept", kept},
		{"unwanted", unwanted}, {"gigabyte", gigabyte},
	};
	struct task task = *(const struct task *)argument;

	for (size_t i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++)
		if (strcmp(task.what, tasks[i].name) == 0)
			tasks[i].run(&task);
	printf("Done: %s\n", failed ? "wrong" : task.what);
	return NULL;
}

/** What is no migratable thread has malloc()'s. */
static void outside(void)
{
	char *block = psu_thread_strdup("plain");

	CHECK((uintptr_t)block < 0x300000000000 ||
		  (uintptr_t)block >= 0x500000000000);
	block = psu_thread_realloc(block, 100000);
	CHECK(strcmp(block, "plain") == 0);
	CHECK(psu_thread_usable_size(block) >= 100000);
	psu_thread_free(block);
}

static int start(const struct task *task)
{
	const struct psu_thread_attr attr = {
		.slot_len = strcmp(task->what, "sparse") == 0	  ? 1000 * MIB
					: strcmp(task->what, "gigabyte") == 0 ? 1200 * MIB
														  : 0,
	};
	struct psu_thread_handle *threads[2] = {NULL};
	static const struct task lender = {.what = "lend"};
	int rc = 0;

	if (strcmp(task->what, "take") == 0)
		rc = psu_thread_start(work, (void *)&lender, NULL, &threads[1]);
	if (!rc)
		rc = psu_thread_start(work, (void *)task, &attr, &threads[0]);
	for (int i = 0; i < 2 && !rc && threads[i]; i++)
		rc = psu_thread_join(threads[i], NULL, NULL);
	return rc || failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct task task = {.what = ""};
	int serve = argc == 3;

	setvbuf(stdout, NULL, _IOLBF, 0);
	psu_thread_set_log(PSU_THREAD_LOG_DEBUG, NULL, NULL);
	if ((argc != 5 && !serve) || psu_thread_setup_init(serve, argv[2]) != 0)
		return EXIT_FAILURE;
	if (serve && strcmp(argv[1], "idle") == 0)
		return pause();
	if (serve)
		return psu_thread_serve(1000) ? EXIT_FAILURE : EXIT_SUCCESS;
	outside();
	snprintf(task.what, sizeof(task.what), "%s", argv[3]);
	snprintf(task.host, sizeof(task.host), "%s", argv[4]);
	return start(&task);
}
