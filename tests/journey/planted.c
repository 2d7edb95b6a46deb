/* SPDX-License-Identifier: ISC */
/*
 * planted.c - set the library up, then use memory that nobody has written
 *
 *     planted CERTS
 *
 * For valgrind.sh: what watches a program must find that, after the restart
 * as ever.
 */
#include <psu_thread.h>

#include <stdlib.h>

int main(int argc, char **argv)
{
	int *numbers = malloc(4 * sizeof(*numbers));
	int status = EXIT_SUCCESS;

	if (argc != 2 || !numbers ||
		psu_thread_setup_init(PSU_THREAD_CLIENT, argv[1]) != 0)
		return EXIT_FAILURE;
	/* the compiler does not know what was there */
	__asm__ volatile("" : : "r"(numbers) : "memory");
	if (numbers[2] == 0x5eed)
		status = EXIT_FAILURE;
	free(numbers);
	return status;
}
