/* SPDX-License-Identifier: ISC */
/*
 * mappings.c - what this process has mapped
 *
 * In: /proc/self/maps (proc(5)).  Out: a list by address, as the kernel has
 * it.  Left out: what cannot be accessed, and the kernel's own, which programs
 * call by way of libc.  Nothing is allocated while it is read.
 */
#include "preflight/preflight.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool begins_with(const char *text, const char *word)
{
	return strncmp(text, word, strlen(word)) == 0;
}

/** False: it is left out. */
static bool take_name(const char *name, struct psu_mapping *mapping)
{
	mapping->kind = PSU_MAPPING_ANONYMOUS;
	mapping->path = "";
	if (strcmp(name, "[heap]") == 0)
		mapping->kind = PSU_MAPPING_BREAK;
	else if (strcmp(name, "[stack]") == 0)
		mapping->kind = PSU_MAPPING_STACK;
	else if (*name == '[')
		return begins_with(name, "[anon");
	else if (*name) {
		mapping->kind = PSU_MAPPING_FILE;
		mapping->path = name;
	}
	return true;
}

/** "start-end rwxp offset device inode   name" */
static bool take_line(char *line, struct psu_mapping *mapping_out)
{
	char *at;

	mapping_out->start = strtoull(line, &at, 16);
	if (*at++ != '-')
		return false;
	mapping_out->end = strtoull(at, &at, 16);
	if (*at++ != ' ' || begins_with(at, "---"))
		return false;
	for (int field = 0; field < 4; field++) {
		at += strcspn(at, " ");
		at += strspn(at, " ");
	}
	return take_name(at, mapping_out);
}

/** In a forked child the break is in several parts. */
static bool goes_on(const struct psu_mapping *mapping,
					const struct psu_mapping *next)
{
	return mapping->kind == PSU_MAPPING_BREAK &&
		   next->kind == PSU_MAPPING_BREAK && mapping->end == next->start;
}

size_t psu_mappings_parse(char *text, struct psu_mapping *list_out, size_t room)
{
	size_t count = 0;

	while (*text && count < room) {
		char *end = text + strcspn(text, "\n");
		char *next = *end ? end + 1 : end;

		*end = '\0';
		if (take_line(text, &list_out[count])) {
			if (count && goes_on(&list_out[count - 1], &list_out[count]))
				list_out[count - 1].end = list_out[count].end;
			else
				count++;
		}
		text = next;
	}
	return count;
}

/** False, with errno: it cannot be read, or there is more of it than room. */
static bool read_text(char text_out[PSU_MAPPINGS_TEXT_LEN])
{
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	size_t len = 0, room = PSU_MAPPINGS_TEXT_LEN - 1;
	ssize_t got;

	if (fd < 0)
		return false;
	do {
		got = read(fd, text_out + len, room - len);
		len += got > 0 ? (size_t)got : 0;
	} while (got > 0);
	close(fd);
	text_out[len] = '\0';
	if (!got && len == room)
		errno = EFBIG;
	return !got && len > 0 && len < room;
}

int psu_mappings_read(struct psu_mappings *mappings)
{
	if (!read_text(mappings->text))
		return psu_error_set(PSU_THREAD_E_SYSTEM,
							 "cannot look for pointers to what stays: "
							 "/proc/self/maps: %m: mount /proc, and let this "
							 "process read it");
	mappings->count = psu_mappings_parse(mappings->text, mappings->list,
										 PSU_MAPPINGS_MAX);
	return 0;
}

const struct psu_mapping *psu_mappings_find(const struct psu_mappings *mappings,
											uint64_t addr)
{
	size_t low = 0, high = mappings->count;

	/* the first that ends behind it */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (mappings->list[middle].end <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == mappings->count || addr < mappings->list[low].start)
		return NULL;
	return &mappings->list[low];
}
