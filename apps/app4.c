/* SPDX-License-Identifier: ISC */
/*
 * app4.c - pointers into the stack stay valid across a move
 *
 * To a local, into an array, into a structure, and from one structure on the
 * stack to another.
 */
#include "app.h"

#include <stdio.h>

struct point {
	int x, y;
	const struct point *next;
};

static void show(const int *local, const int *element,
				 const struct point *point)
{
	app_print_hostname();
	printf("Local through its pointer: %d\n", *local);
	printf("Array element through its pointer: %d, and the next: %d\n",
		   element[0], element[1]);
	printf("Structure through its pointer: (%d, %d)\n", point->x, point->y);
	printf("Structure it points to: (%d, %d)\n", point->next->x,
		   point->next->y);
}

static void *travel(void *host)
{
	int local = 7, array[5] = {10, 20, 30, 40, 50};
	struct point second = {3, 4, NULL}, first = {1, 2, &second};
	int *to_local = &local, *to_element = &array[2], *to_field = &second.y;

	show(to_local, to_element, &first);
	app_move(host);

	/* what is written through a pointer must show in what it points to */
	*to_local += 1;
	to_element[1] += 1;
	*to_field += 1;
	show(&local, &array[2], &first);
	return NULL;
}

int main(int argc, char **argv)
{
	return app_main(argc, argv, travel);
}
