/* SPDX-License-Identifier: ISC */
/*
 * bsearch_callback.c - the comparison function of a bsearch in progress
 * moves, and the search finds its element
 */
#include "travel.h"

struct entry {
	int key;
	const char *word;
};

static __thread int comparisons; /* travels */

static int compare(const void *key, const void *element)
{
	const struct entry *entry = element;
	int wanted = *(const int *)key;

	if (++comparisons == 2)
		MOVE();
	CHECK(wanted == *(const int *)key);
	return (wanted > entry->key) - (wanted < entry->key);
}

int travel(void)
{
	struct entry entries[] = {
		{2, "two"},		{3, "three"},	  {5, "five"},		{7, "seven"},
		{11, "eleven"}, {13, "thirteen"}, {17, "seventeen"}};
	int key = 13;
	struct entry *found;

	found = bsearch(&key, entries, sizeof(entries) / sizeof(*entries),
					sizeof(*entries), compare);
	CHECK(found == &entries[5]);
	CHECK(found->word[0] == 't');
	CHECK(comparisons >= 2);
	return 0;
}
