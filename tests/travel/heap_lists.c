/* SPDX-License-Identifier: ISC */
/*
 * heap_lists.c - linked lists and a tree of the thread's own heap
 *
 * Built before the move, walked, changed and freed after it.
 */
#include "travel.h"

#include <psu_thread.h>

#include <stdint.h>
#include <string.h>

struct node {
	struct node *left, *right;
	uint32_t key;
	char *text;
};

static struct node *insert(struct node *node, uint32_t key)
{
	if (!node) {
		node = psu_thread_calloc(1, sizeof(*node));
		CHECK(node != NULL);
		node->key = key;
		CHECK(psu_thread_asprintf(&node->text, "key %u", key) > 4);
	} else if (key < node->key) {
		node->left = insert(node->left, key);
	} else {
		node->right = insert(node->right, key);
	}
	return node;
}

/** In order; counts, and frees with @drop. */
static unsigned visit(struct node *node, uint32_t *last, int drop)
{
	unsigned count;
	char text[32];

	if (!node)
		return 0;
	count = visit(node->left, last, drop);
	CHECK(node->key >= *last);
	*last = node->key;
	snprintf(text, sizeof(text), "key %u", node->key);
	CHECK(strcmp(node->text, text) == 0);
	count += visit(node->right, last, drop) + 1;
	if (drop) {
		psu_thread_free(node->text);
		psu_thread_free(node);
	}
	return count;
}

/** Some numbers, all odd: no address of a block, for which one of 32 bits could
 * be taken by psu_thread_check(). */
static uint32_t draw(uint32_t *state)
{
	return (*state = *state * 1664525 + 1013904223) | 1;
}

int travel(void)
{
	struct node *root = NULL;
	uint32_t key = 1, last = 0;

	for (int i = 0; i < 1000; i++)
		root = insert(root, draw(&key));

	MOVE();

	CHECK(visit(root, &last, 0) == 1000);
	for (int i = 0; i < 1000; i++)
		root = insert(root, draw(&key));

	MOVE();

	last = 0;
	CHECK(visit(root, &last, 1) == 2000);
	return 0;
}
