/* SPDX-License-Identifier: ISC */
/*
 * list_in_frames.c - a doubly linked list whose 120 nodes lie in the frames
 * of 120 callers
 */
#include "travel.h"

#define NODE_COUNT 120

struct node {
	struct node *next; /* in the caller's frame */
	struct node *previous;
	int value;
};

/* The sum of all values, from the innermost node outwards and back. */
static NOINLINE int sum_both_ways(const struct node *node)
{
	const struct node *last = node;
	int sum = 0;

	for (; node != NULL; node = node->next) {
		sum += node->value;
		last = node;
	}
	for (; last != NULL; last = last->previous)
		sum += last->value;
	return sum;
}

static NOINLINE void grow(struct node *above, int value)
{
	struct node node = {above, NULL, value};

	if (above != NULL)
		above->previous = &node;
	if (value == NODE_COUNT) {
		CHECK(sum_both_ways(&node) == NODE_COUNT * (NODE_COUNT + 1));
		MOVE();
		CHECK(sum_both_ways(&node) == NODE_COUNT * (NODE_COUNT + 1));
	} else {
		grow(&node, value + 1);
		CHECK(node.value == -value);
		CHECK(node.previous == NULL);
	}
	CHECK(node.next == above);
	if (above != NULL) {
		CHECK(above->previous == &node);
		CHECK(above->value == value - 1);
		above->previous = NULL;
		above->value = -above->value;
	}
}

int travel(void)
{
	grow(NULL, 1);
	return 0;
}
