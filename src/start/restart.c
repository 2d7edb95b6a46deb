/* SPDX-License-Identifier: ISC */
/*
 * restart.c - start this very program once more, with the guards to use
 *
 * In: the deployment's key.  Out: a process whose guards are the deployment's.
 * Refused: a process that has threads already, or more rights than who
 * started it; a program linked without our entry point.
 */
#include "start/hazards.h"
#include "start/manifest.h"
#include "start/start.h"
#include "state/sanitizer.h"
#include "state/state.h"
#include "trust/trust.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/** One certificate directory may follow another (PSU_THREAD_CERTS, then the
 * argument of setup): two restarts; more would be a loop. */
#define RESTARTS_MAX 2

/** Longer than what Linux passes on in any case (6 MiB). */
#define COMMAND_LINE_LEN_MAX (8u << 20)

/** What setup needs of main's stack, and half as much again. */
#define MAIN_STACK_ROOM_MIN (48u << 10)

static bool guards_in_force(const uint8_t guards[PSU_GUARDS_LEN])
{
	uint64_t wanted[2], found[2];

	psu_guards_in_libc(guards, wanted);
	psu_state_guards(found);
	return sodium_memcmp(wanted, found, sizeof(wanted)) == 0;
}

/** Read a file of unknown length.  @len_out without the NUL put behind it. */
static char *read_whole(const char *path, size_t *len_out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0, room = 0;
	char *text = NULL;
	ssize_t got = -1;

	while (fd >= 0 && len < COMMAND_LINE_LEN_MAX) {
		if (room - len < 2) {
			char *more = realloc(text, room = room * 2 + 4096);

			if (!more)
				break;
			text = more;
		}
		got = read(fd, text + len, room - len - 1);
		if (got <= 0)
			break;
		len += (size_t)got;
	}
	if (fd >= 0)
		close(fd);
	if (got != 0) {
		free(text);
		return NULL;
	}
	text[len] = '\0';
	*len_out = len;
	return text;
}

/** The arguments as the program got them.  Both results belong to the caller;
 * the vector points into @text_out. */
static char **read_arguments(char **text_out)
{
	size_t len = 0, count = 0;
	char *text = read_whole("/proc/self/cmdline", &len), **arguments;

	for (size_t i = 0; text && i < len; i++)
		count += text[i] == '\0';
	arguments = text ? calloc(count + 1, sizeof(*arguments)) : NULL;
	if (!arguments) {
		free(text);
		return NULL;
	}
	for (size_t i = 0, at = 0; i < count; i++, at += strlen(text + at) + 1)
		arguments[i] = text + at;
	*text_out = text;
	return arguments;
}

/** The environment, with one variable more.  Caller frees the vector. */
static char **extend_environment(char *variable)
{
	size_t count = 0;
	char **extended;

	while (environ[count])
		count++;
	extended = calloc(count + 2, sizeof(*extended));
	if (!extended)
		return NULL;
	extended[0] = variable;
	memcpy(extended + 1, environ, count * sizeof(*environ));
	return extended;
}

/** A descriptor that survives exec and reads as what is handed over. */
static int hand_over(const uint8_t guards[PSU_GUARDS_LEN], bool randomize)
{
	struct psu_guards_handed handed = {
		.restarts = (uint8_t)(psu_guards_handed.restarts + 1),
		.randomize = randomize,
	};
	int fd = memfd_create("psu_thread guards", 0);

	memcpy(handed.bytes, guards, PSU_GUARDS_LEN);
	prctl(PR_GET_NAME, handed.name);
	if (fd >= 0 &&
		(write(fd, &handed, PSU_GUARDS_HANDED_LEN) != PSU_GUARDS_HANDED_LEN ||
		 lseek(fd, 0, SEEK_SET) != 0)) {
		close(fd);
		fd = -1;
	}
	sodium_memzero(&handed, sizeof(handed));
	return fd;
}

/** Let the objects of the restarted program lie where the loader puts them
 * one by one.  A static one lies where it was linked to, always. */
static int stop_randomizing(bool *was_on_out)
{
	int now = personality(0xffffffff);

	*was_on_out = false;
	if (psu_manifest_is_static() || (now >= 0 && now & ADDR_NO_RANDOMIZE))
		return 0;
	if (now < 0 || personality((unsigned)now | (unsigned)ADDR_NO_RANDOMIZE) < 0)
		return psu_error_set(PSU_THREAD_E_RESTART_FAILED,
							 "cannot switch address randomisation off for this "
							 "dynamic program: %m: allow personality(2), or "
							 "link it statically");
	*was_on_out = true;
	return 0;
}

/** Find the program's file: by its name, if that leads to it still, so that
 * the new process is called as this one; valgrind knows it by that only. */
static const char *find_program(char path[PATH_MAX])
{
	static const char self[] = "/proc/self/exe";
	ssize_t len = readlink(self, path, PATH_MAX - 1);
	int fd = open(self, O_PATH | O_CLOEXEC);
	struct stat running, named;
	bool same;

	path[len > 0 ? len : 0] = '\0';
	same = fd >= 0 && fstat(fd, &running) == 0 && stat(path, &named) == 0 &&
		   running.st_dev == named.st_dev && running.st_ino == named.st_ino;
	if (fd >= 0)
		close(fd);
	return same ? path : self;
}

/** Returns only if it fails. */
static int restart(const uint8_t guards[PSU_GUARDS_LEN])
{
	char variable[sizeof(PSU_GUARDS_VARIABLE) + 16];
	char path[PATH_MAX], *text = NULL, **arguments, **environment;
	bool randomize;
	int fd, rc = stop_randomizing(&randomize);

	if (rc)
		return rc;
	psu_sanitizer_prepare_restart();
	arguments = read_arguments(&text);
	environment = extend_environment(variable);
	fd = hand_over(guards, randomize);
	fflush(NULL);
	if (arguments && environment && fd >= 0) {
		snprintf(variable, sizeof(variable), "%s=%d", PSU_GUARDS_VARIABLE, fd);
		execve(find_program(path), arguments, environment);
	}
	rc = psu_error_set(PSU_THREAD_E_RESTART_FAILED,
					   "cannot restart this program to share the deployment's "
					   "stack guards: %m: make sure that /proc is mounted, "
					   "memfd_create and execve are allowed, and arguments "
					   "and environment fit");
	if (randomize)
		personality((unsigned)personality(0xffffffff) &
					~(unsigned)ADDR_NO_RANDOMIZE);
	if (fd >= 0)
		close(fd);
	free(environment);
	free(arguments);
	free(text);
	return rc;
}

/** Whether a restart can be tried, and may help. */
static int may_restart(void)
{
	struct stat tasks;

	if (getenv(PSU_GUARDS_VARIABLE))
		return psu_error_set(PSU_THREAD_E_RESTART_FAILED, PSU_GUARDS_VARIABLE
							 " is set and was not taken over from: unset it, "
							 "or, if it was not you who set it, this program "
							 "lacks the entry point psu_thread_entry: link it "
							 "with the flags of "
							 "`pkg-config --static --libs psu_thread`, or with "
							 "libpsu_thread.so");
	if (psu_guards_handed.restarts >= RESTARTS_MAX)
		return psu_error_set(PSU_THREAD_E_RESTART_FAILED,
							 "the deployment's stack guards are not in force "
							 "after %d restarts: link the program with "
							 "`pkg-config --static --libs psu_thread`",
							 RESTARTS_MAX);
	if (getauxval(AT_SECURE))
		return psu_error_set(PSU_THREAD_E_RESTART_FAILED,
							 "this program runs with more rights than its "
							 "user: remove its set-uid, set-gid bits and "
							 "capabilities");
	if (stat("/proc/self/task", &tasks) != 0)
		return psu_error_set(PSU_THREAD_E_RESTART_FAILED,
							 "cannot read /proc/self/task: %m: mount /proc");
	/* two links of any directory, and one for each thread */
	if (tasks.st_nlink > 3)
		return psu_error_set(PSU_THREAD_E_SETUP_TOO_LATE,
							 "other threads exist already: call "
							 "psu_thread_setup_init first in main, or set "
							 "PSU_THREAD_CERTS");
	return 0;
}

int psu_restart_check_stack(void)
{
	struct rlimit limit;
	uint64_t here = (uint64_t)&limit, top = getauxval(AT_EXECFN), room;

	/* the kernel puts the program's name above all else (execve(2)) */
	if (getrlimit(RLIMIT_STACK, &limit) != 0 || here >= top ||
		top - here >= limit.rlim_cur)
		return 0; /* not main's stack */
	room = limit.rlim_cur - (top - here);
	if (room >= MAIN_STACK_ROOM_MIN)
		return 0;
	return psu_error_set(PSU_THREAD_E_SYSTEM,
						 "the main stack has room for only %" PRIu64 " KiB "
						 "more: raise `ulimit -s` by %u",
						 room >> 10, MAIN_STACK_ROOM_MIN >> 10);
}

int psu_restart_if_needed(const uint8_t *deployment_key)
{
	uint8_t guards[PSU_GUARDS_LEN];
	struct psu_digest program;
	int rc = psu_manifest_program_digest(&program);

	if (rc)
		return rc;
	psu_guards_derive(deployment_key, &program, guards);
	if (!guards_in_force(guards)) {
		rc = may_restart();
		if (!rc)
			rc = restart(guards);
	}
	sodium_memzero(guards, sizeof(guards));
	return rc;
}

void psu_restart_early(void)
{
	uint8_t key[PSU_DEPLOYMENT_KEY_LEN];
	const char *dir;

	if (psu_hazards_thread_sanitizer())
		return; /* setup refuses it */
	dir = getenv("PSU_THREAD_CERTS");
	if (psu_guards_handed.found) {
		/* exec of /proc/self/exe has named the process "exe" */
		prctl(PR_SET_NAME, psu_guards_handed.name);
		return;
	}
	if (!dir || getauxval(AT_SECURE) || getenv(PSU_GUARDS_VARIABLE))
		return;
	psu_log_silence(true);
	if (psu_restart_check_stack() == 0 &&
		psu_trust_load_deployment_key(dir, key) == 0) {
		if (psu_restart_if_needed(key) != 0)
			psu_error_clear();
		sodium_memzero(key, sizeof(key));
	} else {
		psu_error_clear();
	}
	psu_log_silence(false);
}
