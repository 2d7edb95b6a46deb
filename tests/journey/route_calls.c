/* SPDX-License-Identifier: ISC */
/*
 * route_calls.c - whose memory travels, call by call
 *
 * $ROUTE_LIBRARY is route_library.so once more, under another name.
 */
#include "route.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#define BLOCKS 40

char *library_copy(const char *text);

/** Older programs call these. */
char *strdup_too(const char *text) __asm__("__strdup");
char *strndup_too(const char *text, size_t len) __asm__("__strndup");

struct blocks {
	void *list[BLOCKS];
	int count;
};

static void keep(struct blocks *blocks, void *block)
{
	blocks->list[blocks->count++] = block;
}

__attribute__((format(printf, 1, 0))) static char *print(const char *format,
														 ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	CHECK(vasprintf(&text, format, arguments) >= 0);
	va_end(arguments);
	return text;
}

static char *read_line(void)
{
	FILE *file = tmpfile();
	char *line = NULL;
	size_t len = 0;

	for (int i = 0; i < 1000; i++)
		fputs("text ", file);
	fputs("end\n;", file);
	rewind(file);
	CHECK(getline(&line, &len, file) == 5004);
	CHECK(strcmp(line + 4995, "text end\n") == 0);
	CHECK(getdelim(&line, &len, ';', file) == 1);
	fclose(file);
	return line;
}

static void take_aligned(struct blocks *blocks)
{
	void *block = NULL;

	CHECK(posix_memalign(&block, 24, 100) == EINVAL);
	CHECK(posix_memalign(&block, 256, 100) == 0);
	CHECK((uintptr_t)block % 256 == 0);
	keep(blocks, block);
	keep(blocks, aligned_alloc(64, 128));
	keep(blocks, memalign(48, 100));
	CHECK((uintptr_t)blocks->list[blocks->count - 1] % 64 == 0);
	keep(blocks, valloc(100));
	keep(blocks, pvalloc(100));
	CHECK(malloc_usable_size(blocks->list[blocks->count - 1]) >= 4096);
	CHECK((uintptr_t)blocks->list[blocks->count - 1] % 4096 == 0);
}

static void take_text(struct blocks *blocks)
{
	char *text;

	keep(blocks, strdup("copy"));
	keep(blocks, strdup_too("copy"));
	keep(blocks, strndup("copying", 4));
	keep(blocks, strndup_too("copying", 4));
	CHECK(strcmp(blocks->list[blocks->count - 1], "copy") == 0);
	keep(blocks, wcsdup(L"wide"));
	CHECK(wcscmp(blocks->list[blocks->count - 1], L"wide") == 0);
	CHECK(asprintf(&text, "%d%c%d", 1, 0, 2) == 3);
	CHECK(memcmp(text, "1\0002", 4) == 0);
	keep(blocks, text);
	keep(blocks, print("%s %d", "text", 5));
	CHECK(strcmp(blocks->list[blocks->count - 1], "text 5") == 0);
	keep(blocks, read_line());
}

static void take_paths(struct blocks *blocks)
{
	char resolved[4096];

	keep(blocks, realpath("/proc/..", NULL));
	CHECK(strcmp(blocks->list[blocks->count - 1], "/") == 0);
	CHECK(realpath("/proc/..", resolved) == resolved);
	CHECK(realpath("/none/such", NULL) == NULL && errno == ENOENT);
	keep(blocks, canonicalize_file_name("/"));
	keep(blocks, getcwd(NULL, 0));
	CHECK(getcwd(resolved, sizeof(resolved)) == resolved);
	CHECK(strcmp(blocks->list[blocks->count - 1], resolved) == 0);
	keep(blocks, getcwd(NULL, 5000));
	CHECK(malloc_usable_size(blocks->list[blocks->count - 1]) >= 5000);
	CHECK(getcwd(NULL, 1) == NULL && errno == ERANGE);
	keep(blocks, get_current_dir_name());
	keep(blocks, tempnam(NULL, "route"));
}

static void take(struct blocks *blocks)
{
	char *block = malloc(10);

	strcpy(block, "long");
	block = realloc(block, 100000);
	CHECK(strcmp(block, "long") == 0);
	keep(blocks, block);
	keep(blocks, calloc(10, 10));
	keep(blocks, realloc(NULL, 10));
	keep(blocks, reallocarray(NULL, 10, 10));
	CHECK(reallocarray(NULL, SIZE_MAX / 2, 3) == NULL && errno == ENOMEM);
	CHECK(calloc(SIZE_MAX / 2, 3) == NULL && errno == ENOMEM);
	CHECK(realloc(malloc(10), 0) == NULL);
	keep(blocks, library_copy("of a library"));
	take_aligned(blocks);
	take_text(blocks);
	take_paths(blocks);
}

static void give_back(struct blocks *blocks)
{
	while (blocks->count)
		free(blocks->list[--blocks->count]);
}

/** They are all where they should be. */
static void check(const struct blocks *blocks, int in_slot)
{
	for (int i = 0; i < blocks->count; i++)
		if (!blocks->list[i] || route_in_slot(blocks->list[i]) != in_slot)
			printf("Wrong: block %d is %p\n", i, blocks->list[i]);
}

static void calls(void)
{
	struct blocks blocks = {.count = 0}, more = {.count = 0};

	take(&blocks);
	check(&blocks, 1);
	route_go();
	CHECK(strcmp(blocks.list[0], "long") == 0);
	blocks.list[0] = realloc(blocks.list[0], 200000);
	CHECK(strcmp(blocks.list[0], "long") == 0);
	take(&more);
	check(&more, 1);
	give_back(&blocks);
	give_back(&more);
}

/* ---- what stays */

static void *outside(void *unused)
{
	struct blocks blocks = {.count = 0};

	take(&blocks);
	check(&blocks, 0);
	give_back(&blocks);
	return unused;
}

static _Atomic int lines_at_home, lines_travelling;

static void log_line(enum psu_thread_log_level level, const char *line,
					 void *unused)
{
	char *copy = strdup(line);
	int on_slot = route_in_slot(&copy);
	int at_home = on_slot && (uintptr_t)&copy % (128u << 20) >= 127u << 20;

	(void)unused;
	CHECK(route_in_slot(copy) == (on_slot && !at_home));
	if (at_home)
		lines_at_home++;
	else if (on_slot)
		lines_travelling++;
	fprintf(stderr, "[%s] %s\n", level == PSU_THREAD_LOG_ERROR ? "error" : "-",
			copy);
	free(copy);
}

void route_prepare(void)
{
	pthread_t thread;

	psu_thread_set_log(PSU_THREAD_LOG_DEBUG, log_line, NULL);
	outside(NULL);
	CHECK(pthread_create(&thread, NULL, outside, NULL) == 0);
	pthread_join(thread, NULL);
}

static void logs(void)
{
	lines_at_home = lines_travelling = 0;
	free((char *)psu_thread_strdup("own") + 1);
	CHECK(lines_travelling == 1);
	route_go();
	route_go_home();
	CHECK(lines_at_home > 0);
}

/** A FILE and its buffer are libc's: at home they are there again. */
static void file(void)
{
	FILE *log = tmpfile();
	char *line = NULL;
	size_t len = 0;

	CHECK(log && !route_in_slot(log));
	fputs("before\n", log);
	route_go();
	route_go_home();
	fputs("after\n", log);
	rewind(log);
	CHECK(getline(&line, &len, log) == 7 && strcmp(line, "before\n") == 0);
	CHECK(route_in_slot(line));
	CHECK(getline(&line, &len, log) == 6 && strcmp(line, "after\n") == 0);
	free(line);
	CHECK(fclose(log) == 0);
}

static void loaded(void)
{
	void *library = dlopen(getenv("ROUTE_LIBRARY"), RTLD_NOW);
	char *(*copy)(const char *) = NULL, *block;

	if (library)
		copy = (char *(*)(const char *))dlsym(library, "library_copy");
	CHECK(copy && copy != library_copy);
	if (!copy)
		return;
	block = copy("of the process");
	CHECK(!route_in_slot(block));
	free(block);
	/* what the program itself asks for in between is its own */
	block = malloc(10);
	CHECK(route_in_slot(block));
	free(block);
	dlclose(library);
}

/* ---- by another thread */

static void *free_it(void *block)
{
	free(block);
	return NULL;
}

static void other(void)
{
	char *block = strdup("mine");
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, free_it, block) == 0);
	pthread_join(thread, NULL);
	CHECK(strcmp(block, "mine") == 0);
	free(block);
}

/** Under valgrind a migratable thread is as all others. */
static void watched(void)
{
	outside(NULL);
}

const struct route_task route_tasks[] = {
	{"calls", calls}, {"logs", logs},		{"file", file}, {"loaded", loaded},
	{"other", other}, {"watched", watched}, {NULL, NULL},
};
