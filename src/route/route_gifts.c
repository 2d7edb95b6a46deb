/* SPDX-License-Identifier: ISC */
/*
 * route_gifts.c - what of libc gives memory to its caller, who frees it
 *
 * libc itself allocates it in libc's heap.  So the work is done here, or what
 * libc has given is copied, where the caller's memory travels.
 */
#include "route/route.h"

#include <psu_thread.h>
#include <stdlib.h>
#include <string.h>

/** What getdelim() begins with. */
#define LINE_LEN 120

/** From what is malloc() here: a sanitizer's, perhaps, which has a free() but
 * no such function of its own. */
static void *allocate(const void *caller, size_t len)
{
	return psu_route_travels(caller) ? psu_thread_malloc(len) : malloc(len);
}

static void *copy(const void *caller, const void *from, size_t len)
{
	void *block = allocate(caller, len);

	return block ? memcpy(block, from, len) : NULL;
}

/** What libc has given, @used_len bytes in a block of @len, to whom it is
 * for. */
static void *pass_on(const void *caller, void *given, size_t used_len,
					 size_t len)
{
	void *block;

	if (!psu_route_travels(caller))
		return given;
	block = psu_thread_malloc(len);
	if (block)
		memcpy(block, given, used_len);
	free(given);
	return block;
}

static char *pass_text_on(const void *caller, char *text)
{
	size_t len = text ? strlen(text) + 1 : 0;

	return text ? pass_on(caller, text, len, len) : NULL;
}

/* ---- copies */

char *psu_route_strdup(const char *text)
{
	return copy(PSU_ROUTE_CALLER, text, strlen(text) + 1);
}

char *psu_route_strdup_too(const char *text)
{
	return copy(PSU_ROUTE_CALLER, text, strlen(text) + 1);
}

static char *copy_part(const void *caller, const char *text, size_t len)
{
	size_t text_len = strnlen(text, len);
	char *block = allocate(caller, text_len + 1);

	if (!block)
		return NULL;
	memcpy(block, text, text_len);
	block[text_len] = '\0';
	return block;
}

char *psu_route_strndup(const char *text, size_t len)
{
	return copy_part(PSU_ROUTE_CALLER, text, len);
}

char *psu_route_strndup_too(const char *text, size_t len)
{
	return copy_part(PSU_ROUTE_CALLER, text, len);
}

wchar_t *psu_route_wcsdup(const wchar_t *text)
{
	return copy(PSU_ROUTE_CALLER, text, (wcslen(text) + 1) * sizeof(*text));
}

/* ---- printed */

static int print(const void *caller, char **text_out, int flag,
				 const char *format, va_list arguments)
{
	static void *_Atomic known;
	int (*original)(char **, int, const char *,
					va_list) = psu_route_original("__vasprintf_chk", &known);
	int len = original(text_out, flag, format, arguments);

	if (len < 0)
		return len;
	*text_out = pass_on(caller, *text_out, (size_t)len + 1, (size_t)len + 1);
	return *text_out ? len : -1;
}

int psu_route_vasprintf(char **text_out, const char *format, va_list arguments)
{
	return print(PSU_ROUTE_CALLER, text_out, 0, format, arguments);
}

int psu_route_vasprintf_checked(char **text_out, int flag, const char *format,
								va_list arguments)
{
	return print(PSU_ROUTE_CALLER, text_out, flag, format, arguments);
}

int psu_route_asprintf(char **text_out, const char *format, ...)
{
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = print(PSU_ROUTE_CALLER, text_out, 0, format, arguments);
	va_end(arguments);
	return len;
}

int psu_route_asprintf_checked(char **text_out, int flag, const char *format,
							   ...)
{
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = print(PSU_ROUTE_CALLER, text_out, flag, format, arguments);
	va_end(arguments);
	return len;
}

/* ---- read */

/** libc lengthens the line by realloc(), so that it stays where it began. */
static ssize_t read_line(const void *caller, char **line, size_t *len, int end,
						 FILE *file)
{
	static void *_Atomic known;
	ssize_t (*original)(char **, size_t *, int,
						FILE *) = psu_route_original("__getdelim", &known);

	if (line && len && (!*line || !*len)) {
		char *block = allocate(caller, LINE_LEN);

		if (!block)
			return -1;
		*line = block;
		*len = LINE_LEN;
	}
	return original(line, len, end, file);
}

ssize_t psu_route_getdelim(char **line, size_t *len, int end, FILE *file)
{
	return read_line(PSU_ROUTE_CALLER, line, len, end, file);
}

ssize_t psu_route_getdelim_too(char **line, size_t *len, int end, FILE *file)
{
	return read_line(PSU_ROUTE_CALLER, line, len, end, file);
}

ssize_t psu_route_getline(char **line, size_t *len, FILE *file)
{
	return read_line(PSU_ROUTE_CALLER, line, len, '\n', file);
}

/* ---- paths */

static char *resolve(const void *caller, const char *path, char *resolved)
{
	static void *_Atomic known;
	char *(*original)(const char *, char *) = psu_route_original("realpath",
																 &known);
	char *text = original(path, resolved);

	return resolved ? text : pass_text_on(caller, text);
}

char *psu_route_realpath(const char *path, char *resolved)
{
	return resolve(PSU_ROUTE_CALLER, path, resolved);
}

char *psu_route_canonicalize(const char *path)
{
	return resolve(PSU_ROUTE_CALLER, path, NULL);
}

char *psu_route_getcwd(char *path, size_t len)
{
	static void *_Atomic known;
	char *(*original)(char *, size_t) = psu_route_original("getcwd", &known);
	char *text = original(path, len);

	if (path || !text)
		return text;
	/* 0: as long as it takes; else the caller may use all of it */
	if (!len)
		return pass_text_on(PSU_ROUTE_CALLER, text);
	return pass_on(PSU_ROUTE_CALLER, text, strlen(text) + 1, len);
}

char *psu_route_current_dir(void)
{
	static void *_Atomic known;
	char *(*original)(void) = psu_route_original("get_current_dir_name",
												 &known);

	return pass_text_on(PSU_ROUTE_CALLER, original());
}

char *psu_route_tempnam(const char *directory, const char *prefix)
{
	static void *_Atomic known;
	char *(*original)(const char *,
					  const char *) = psu_route_original("tempnam", &known);

	return pass_text_on(PSU_ROUTE_CALLER, original(directory, prefix));
}
