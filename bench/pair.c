/* SPDX-License-Identifier: ISC */
/*
 * pair.c - two processes of one program on two CPUs, who else uses them, and
 * what comes out of both programs alike
 */
#include "pair.h"
#include "journey/process.h"

#include <psu_thread.h>

#include <arpa/inet.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int words_fd; /* ours; the other process ends when it is closed */
static pid_t other_pid;
static uint64_t begun_ns;
static double busy_before_s;

uint64_t bench_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void bench_fail(const char *what)
{
	fprintf(stderr, "bench: %s %s\n", what, psu_thread_errmsg());
	_exit(1);
}

/* ---- two processes on two CPUs */

/** Stay on the first CPU that this process may use, or on the last, which the
 * first process has not left to it. */
static void pin(bool last)
{
	cpu_set_t usable, one;
	size_t chosen = CPU_SETSIZE;

	memset(&usable, 0xff, sizeof(usable));
	if (last)
		sched_setaffinity(0, sizeof(usable), &usable);
	if (sched_getaffinity(0, sizeof(usable), &usable) != 0)
		bench_fail("cannot ask for CPUs");
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &usable) && (last || chosen == CPU_SETSIZE))
			chosen = cpu;
	CPU_ZERO(&one);
	CPU_SET(chosen, &one);
	if (sched_setaffinity(0, sizeof(one), &one) != 0)
		bench_fail("cannot choose a CPU");
}

static unsigned bound_port(void)
{
	struct sockaddr_in address = {.sin_port = 0};
	socklen_t len = sizeof(address);

	getsockname(psu_process_get()->listen_fd, (struct sockaddr *)&address,
				&len);
	return ntohs(address.sin_port);
}

static void set_up(const char *certs)
{
	setenv("PSU_THREAD_LISTEN", "127.0.0.1:0", 1);
	if (psu_thread_setup_init(PSU_THREAD_SERVER, certs) != 0)
		bench_fail("cannot set up");
}

static void *await_end_of_input(void *unused)
{
	char byte;

	(void)unused;
	while (read(STDIN_FILENO, &byte, 1) > 0)
		continue;
	exit(0); /* with a goodbye on each session */
}

/** The other process: take threads in until the first one closes its input,
 * which it told our ports. */
__attribute__((noreturn)) static void be_there(const char *certs,
											   unsigned (*serve)(void))
{
	pin(true);
	set_up(certs);
	if (psu_process_spawn(await_end_of_input, NULL) != 0)
		bench_fail("cannot set up");
	printf("%u %u\n", bound_port(), serve ? serve() : 0);
	fflush(stdout);
	if (psu_thread_serve(0) != 0)
		bench_fail("cannot take threads in");
	exit(0);
}

static void start_other(const char *certs, struct bench_ports *ports_out)
{
	int words[2], ports[2];
	FILE *file;

	if (pipe(words) != 0 || pipe(ports) != 0)
		bench_fail("cannot make a pipe");
	other_pid = fork();
	if (other_pid == 0) {
		dup2(words[0], STDIN_FILENO);
		dup2(ports[1], STDOUT_FILENO);
		close(words[1]);
		close(ports[0]);
		execl("/proc/self/exe", "bench", "there", certs, NULL);
		_exit(127);
	}
	close(words[0]);
	close(ports[1]);
	file = fdopen(ports[0], "r");
	if (other_pid < 0 || !file ||
		fscanf(file, "%u %u", &ports_out->there, &ports_out->extra) != 2)
		bench_fail("the other process does not start");
	fclose(file);
	words_fd = words[1];
}

/* ---- what others did meanwhile */

/** Seconds that all CPUs were busy since the machine was started. */
static double busy_s(void)
{
	unsigned long long user = 0, nice = 0, system = 0;
	FILE *file = fopen("/proc/stat", "re");

	if (!file || fscanf(file, "cpu %llu %llu %llu", &user, &nice, &system) != 3)
		bench_fail("cannot read /proc/stat");
	fclose(file);
	return (double)(user + nice + system) / (double)sysconf(_SC_CLK_TCK);
}

static double own_s(int who)
{
	struct rusage usage;

	getrusage(who, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		   (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* ---- both */

unsigned bench_pair_start(int argc, char **argv, unsigned (*serve)(void),
						  struct bench_ports *ports_out)
{
	int rounds = argc == 5 ? atoi(argv[4]) : 0;

	if (argc == 3)
		be_there(argv[2], serve);
	if (rounds < 1 || rounds > BENCH_ROUNDS_MAX) {
		fprintf(stderr,
				"usage: %s RESULTS.json CERTS-HERE CERTS-THERE ROUNDS (1 to "
				"%d)\n",
				argv[0], BENCH_ROUNDS_MAX);
		exit(2);
	}
	pin(false);
	set_up(argv[2]);
	begun_ns = bench_now_ns();
	busy_before_s = busy_s();
	start_other(argv[3], ports_out);
	ports_out->here = bound_port();
	return (unsigned)rounds;
}

double bench_pair_end(void)
{
	double others;

	close(words_fd);
	waitpid(other_pid, NULL, 0);
	others = busy_s() - busy_before_s - own_s(RUSAGE_SELF) -
			 own_s(RUSAGE_CHILDREN);
	return 50 * others / ((double)(bench_now_ns() - begun_ns) / 1e9);
}

/* ---- of all samples */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double bench_quantile(const double *values, size_t count, double share)
{
	double *sorted, value;

	if (!count || isnan(values[0]))
		return NAN;
	sorted = malloc(count * sizeof(*values));
	if (!sorted)
		bench_fail("no memory");
	memcpy(sorted, values, count * sizeof(*values));
	qsort(sorted, count, sizeof(*sorted), compare);
	value = sorted[(size_t)(share * (double)(count - 1) + 0.5)];
	free(sorted);
	return value;
}

double bench_ratio(const double *above, const double *below, size_t count)
{
	double values[BENCH_ROUNDS_MAX];

	for (size_t i = 0; i < count; i++)
		values[i] = above[i] / below[i];
	return bench_quantile(values, count, 0.5);
}

/* ---- what comes out */

void bench_print_head(unsigned rounds, double others_percent)
{
	printf("%u rounds; other processes used %.0f %% of two CPUs%s\n\n", rounds,
		   others_percent,
		   others_percent > BENCH_OTHERS_MAX ? ": DROP THIS RUN" : "");
}

void bench_print_goal(const char *word, double is, double target, bool at_least)
{
	bool reached = at_least ? is >= target : is <= target;

	printf("%-42s %8.2f, wanted at %s %.2f%s\n", word, is,
		   at_least ? "least" : "most", target, reached ? "" : ": MISSED");
}

FILE *bench_open_results(const char *path, unsigned rounds,
						 double others_percent)
{
	FILE *file = fopen(path, "we");
	struct utsname machine = {.release = ""};

	if (!file)
		return NULL;
	uname(&machine);
	fprintf(file,
			"{\n  \"unit\": \"microseconds\",\n  \"kernel\": \"%s\",\n"
			"  \"rounds\": %u,\n  \"others_percent\": %.1f,\n",
			machine.release, rounds, others_percent);
	return file;
}

void bench_write_goal(FILE *file, size_t number, const char *word, double is,
					  double target)
{
	fprintf(file, "%s\n    \"%s\": {\"is\": %.3f, \"to_reach\": %.2f}",
			number ? "," : "", word, is, target);
}

void bench_print_goals(const struct bench_goal *goals, size_t count)
{
	for (size_t i = 0; i < count; i++)
		bench_print_goal(goals[i].word, goals[i].is, goals[i].target,
						 goals[i].at_least);
}

int bench_end_results(FILE *file, const struct bench_goal *goals, size_t count)
{
	fprintf(file, "  \"goals\": {");
	for (size_t i = 0; i < count; i++)
		bench_write_goal(file, i, goals[i].word, goals[i].is, goals[i].target);
	fprintf(file, "\n  }\n}\n");
	return fclose(file);
}
