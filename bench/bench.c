/* SPDX-License-Identifier: ISC */
/*
 * bench.c - how long a move takes, beside what it cannot do without
 *
 *     bench RESULTS.json CERTS-HERE CERTS-THERE ROUNDS
 *
 * Starts itself a second time, as `there`.  HACKING.md tells how to read what
 * comes out.
 */
#include "bench.h"
#include "journey/process.h"

#include <psu_thread.h>

#include <arpa/inet.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct bench_results bench_results = {
	.series =
		{
#define BENCH_SERIES_(name, word, often) {word, often, 0, {0}},
			BENCH_CONTENDERS(BENCH_SERIES_)},
};

/** Visits of each contender before its samples count, in each round. */
#define WARMUPS 3

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
static int be_there(const char *certs)
{
	if (psu_thread_setup_init(PSU_THREAD_SERVER, certs) != 0 ||
		psu_process_spawn(await_end_of_input, NULL) != 0)
		bench_fail("cannot set up");
	psu_phase_watched = true;
	printf("%u %u\n", bound_port(), bench_raw_serve());
	fflush(stdout);
	while (psu_thread_create(NULL, NULL) == 0)
		continue;
	bench_fail("cannot take a thread in");
}

/** Start the other process; returns what closes its input. */
static int start_other(const char *certs, pid_t *pid_out)
{
	int words[2], ports[2];
	unsigned port, raw_port;
	FILE *file;

	if (pipe(words) != 0 || pipe(ports) != 0)
		bench_fail("cannot make a pipe");
	*pid_out = fork();
	if (*pid_out == 0) {
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
	if (*pid_out < 0 || !file || fscanf(file, "%u %u", &port, &raw_port) != 2)
		bench_fail("the other process does not start");
	fclose(file);
	bench_move_init(bound_port(), port);
	bench_raw_connect(raw_port);
	return words[1];
}

/* ---- the rounds, on the thread that moves */

static void visit(enum bench_contender contender)
{
	struct bench_series *series = &bench_results.series[contender];
	bool moves = contender >= BENCH_MOVES;

	for (unsigned i = 0; i < WARMUPS + series->often; i++) {
		bool keep = i >= WARMUPS;

		if (moves) {
			bench_move_sample(contender, keep);
		} else {
			double us = bench_raw_sample(contender);

			if (keep)
				series->us[series->count++] = us;
		}
	}
}

static void *run(void *unused)
{
	(void)unused;
	bench_move_weigh();
	for (unsigned round = 0; round < bench_results.rounds; round++)
		for (int i = 0; i < BENCH_COUNT; i++)
			visit((enum bench_contender)i);
	return NULL;
}

static void run_rounds(void)
{
	struct psu_thread *thread;

	if (psu_thread_start(run, NULL, NULL, &thread) != 0 ||
		psu_thread_join(thread, NULL, NULL) != 0)
		bench_fail("cannot start the thread, or it is lost");
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

int main(int argc, char **argv)
{
	double busy, others;
	uint64_t begun;
	int words;
	pid_t pid;

	pin(argc == 3);
	setenv("PSU_THREAD_LISTEN", "127.0.0.1:0", 1);
	if (argc == 3)
		return be_there(argv[2]);
	if (argc != 5 || psu_thread_setup_init(PSU_THREAD_SERVER, argv[2]) != 0)
		bench_fail("usage: bench RESULTS.json HERE THERE ROUNDS;");
	bench_results.rounds = (unsigned)atoi(argv[4]);
	if (bench_results.rounds < 1 || bench_results.rounds > BENCH_ROUNDS_MAX)
		bench_fail("from 1 to 100 rounds are possible");
	psu_phase_watched = true;
	begun = bench_now_ns();
	busy = busy_s();
	words = start_other(argv[3], &pid);
	run_rounds();
	close(words);
	waitpid(pid, NULL, 0);
	others = busy_s() - busy - own_s(RUSAGE_SELF) - own_s(RUSAGE_CHILDREN);
	bench_results.others_percent = 50 * others /
								   ((double)(bench_now_ns() - begun) / 1e9);
	bench_report_print();
	return bench_report_write(argv[1]) ? 1 : 0;
}
