/* SPDX-License-Identifier: ISC */
/*
 * words.c - say what words a program got, through the restart or without it
 *
 *     words CERTS|- [ARGUMENT]...
 *
 * Sets the library up with CERTS ("-": not at all), then writes the arguments
 * behind it and the environment, each with a NUL behind it.
 */
#include <psu_thread.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void put(const char *word)
{
	fwrite(word, strlen(word) + 1, 1, stdout);
}

int main(int argc, char **argv)
{
	if (argc < 2 || (strcmp(argv[1], "-") != 0 &&
					 psu_thread_setup_init(PSU_THREAD_CLIENT, argv[1]) != 0))
		return EXIT_FAILURE;
	for (int i = 2; i < argc; i++)
		put(argv[i]);
	put("environment:");
	for (char **at = environ; *at; at++)
		put(*at);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
