/* SPDX-License-Identifier: ISC */
/*
 * launched.c - a program that tells how it was started, and moves
 *
 *     [LAUNCH_HOST=HOST:PORT] [LAUNCH_WAIT=1] LAUNCH_CERTS=DIR launched ...
 *
 * All is told by the environment, so that any argv is possible; without
 * LAUNCH_HOST it is the server.  With LAUNCH_WAIT it says "waiting" and reads
 * a line first.  Then it sets itself up, and prints argv and its name, each
 * in a line of its own with what is not printable as \xNN; then where its
 * thread is.
 */
#include <psu_thread.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

static int failed;

static void print(const char *what, const char *text)
{
	printf("%s <", what);
	for (; *text; text++)
		if (isprint((unsigned char)*text))
			putchar(*text);
		else
			printf("\\x%02x", (unsigned char)*text);
	printf(">\n");
}

static void *travel(void *host)
{
	puts("Before the move");
	if (psu_thread_migrate((const char *)host) != 0)
		failed = 1;
	puts("After the move");
	return NULL;
}

static void await_line(void)
{
	char line[16];

	puts("waiting");
	if (!fgets(line, sizeof(line), stdin))
		exit(2);
}

int main(int argc, char **argv)
{
	char *host = getenv("LAUNCH_HOST");
	char name[16] = "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (getenv("LAUNCH_WAIT"))
		await_line();
	unsetenv("LAUNCH_WAIT");
	if (psu_thread_setup_init(host ? PSU_THREAD_CLIENT : PSU_THREAD_SERVER,
							  getenv("LAUNCH_CERTS")) != 0)
		return 1;
	for (int i = 0; i < argc; i++)
		print("arg", argv[i]);
	if (argv[argc])
		puts("argv has no end");
	prctl(PR_GET_NAME, name);
	print("name", name);
	if (psu_thread_create(travel, host) != 0)
		failed = 1;
	return failed;
}
