/* SPDX-License-Identifier: ISC */
/*
 * test_runtime_death.c - do real processes agree on who has died?
 *
 * Processes are forked, killed and waited for; pipes tell when each has come
 * so far.
 */
#include "test_runtime.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static bool is_dead(struct psu_runtime *runtime, unsigned char number)
{
	struct psu_id id = make_id(number);

	return psu_runtime_is_dead(runtime, &id);
}

static char *run_path(unsigned char number)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/run-ab%02x%028d", dir, number, 0);
	return path;
}

/* ---- life and death */

/** A process that holds a runtime and the one slot, until it is killed. */
struct holder {
	pid_t pid;
	int until; /* its forked child lives until this is closed */
};

static void hold(unsigned char number, const int ready[2], const int until[2],
				 int close_in_child)
{
	struct psu_runtime *runtime = open_runtime(number);
	uint32_t slot;
	char byte;

	ck_assert_int_eq(psu_runtime_lock_slots(runtime, 1, 1, &slot), 0);
	close(until[1]);
	if (close_in_child >= 0 && fork() == 0) {
		if (close_in_child)
			psu_runtime_forked(runtime);
		if (write(ready[1], "c", 1) == 1 && read(until[0], &byte, 1) == 0)
			_exit(0);
		_exit(1);
	}
	if (close_in_child < 0 && write(ready[1], "p", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/** @close_in_child: -1 for no child, 0 one that keeps what it inherited, 1
 * one that calls psu_runtime_forked(). */
static struct holder start_holder(unsigned char number, int close_in_child)
{
	struct holder holder;
	int ready[2], until[2];
	char byte;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(until, O_CLOEXEC), 0);
	holder.pid = fork();
	ck_assert_int_ge(holder.pid, 0);
	if (holder.pid == 0)
		hold(number, ready, until, close_in_child);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	holder.until = until[1];
	close(until[0]);
	return holder;
}

static void kill_holder(const struct holder *holder)
{
	int status;

	ck_assert_int_eq(kill(holder->pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(holder->pid, &status, 0), holder->pid);
	ck_assert(WIFSIGNALED(status));
}

START_TEST(test_death)
{
	struct holder holder = start_holder(2, -1);
	struct psu_runtime *runtime = open_runtime(1);
	uint32_t slot;

	ck_assert(!is_dead(runtime, 2));
	ck_assert_int_eq(psu_runtime_lock_slots(runtime, 1, 1, &slot),
					 PSU_THREAD_E_ZONE_FULL);
	kill_holder(&holder);
	ck_assert(is_dead(runtime, 2));
	ck_assert_int_eq(psu_runtime_lock_slots(runtime, 1, 1, &slot), 0);
	psu_runtime_free(runtime);

	/* an ended process is as dead as a killed one, and stays so */
	runtime = open_runtime(3);
	ck_assert(is_dead(runtime, 1));
	ck_assert(is_dead(runtime, 2));
	psu_runtime_free(runtime);
}
END_TEST

START_TEST(test_fork)
{
	struct holder keeping = start_holder(2, 0);
	struct holder closing;
	struct psu_runtime *runtime = open_runtime(1);
	uint32_t slot;

	/* what psu_runtime_forked() is for */
	kill_holder(&keeping);
	ck_assert(!is_dead(runtime, 2));
	ck_assert_int_eq(psu_runtime_lock_slots(runtime, 1, 1, &slot),
					 PSU_THREAD_E_ZONE_FULL);
	close(keeping.until);
	while (psu_runtime_lock_slots(runtime, 1, 1, &slot) != 0)
		sched_yield();
	psu_runtime_unlock_slots(runtime, slot, 1);

	closing = start_holder(3, 1);
	ck_assert(!is_dead(runtime, 3));
	kill_holder(&closing);
	ck_assert(is_dead(runtime, 3));
	ck_assert_int_eq(psu_runtime_lock_slots(runtime, 1, 1, &slot), 0);
	close(closing.until);
	psu_runtime_free(runtime);
}
END_TEST

START_TEST(test_forked_child_is_shut_out)
{
	struct psu_runtime *runtime = open_runtime(2);
	uint32_t slot;
	int fd;

	psu_runtime_free(runtime);
	runtime = open_runtime(1);
	ck_assert(is_dead(runtime, 2));
	psu_runtime_forked(runtime);
	ck_assert(!is_dead(runtime, 2));
	ck_assert_int_eq(psu_runtime_lock_slots(runtime, 4, 1, &slot),
					 PSU_THREAD_E_SYSTEM);

	/* what it has closed, it does not close again */
	fd = open("/dev/null", O_RDONLY);
	psu_runtime_free(runtime);
	ck_assert_int_ge(fcntl(fd, F_GETFD), 0);
	close(fd);
}
END_TEST

static void make_older(unsigned char number, time_t age)
{
	struct timespec times[2] = {{.tv_sec = time(NULL) - age}};

	times[1] = times[0];
	ck_assert_int_eq(utimensat(AT_FDCWD, run_path(number), times, 0), 0);
}

static void write_run_file(unsigned char number, const char *content,
						   time_t age)
{
	int fd = open(run_path(number), O_WRONLY | O_CREAT | O_EXCL, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, content, strlen(content)),
					 (ssize_t)strlen(content));
	close(fd);
	make_older(number, age);
}

static char *boot_id(void)
{
	static char text[64];
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");

	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(fgets(text, 37, file));
	fclose(file);
	return text;
}

#define OTHER_BOOT "00000000-0000-4000-8000-000000000000"

START_TEST(test_not_known_to_be_dead)
{
	struct psu_runtime *runtime = open_runtime(1);
	char target[128];

	ck_assert(!is_dead(runtime, 1)); /* this very one */
	ck_assert(!is_dead(runtime, 2)); /* no file */
	write_run_file(3, OTHER_BOOT, 0);
	ck_assert(!is_dead(runtime, 3));
	write_run_file(4, "", 0); /* made, but not locked yet */
	ck_assert(!is_dead(runtime, 4));
	write_run_file(5, "0123", 0);
	ck_assert(!is_dead(runtime, 5));
	write_run_file(6, boot_id(), 0);
	ck_assert(is_dead(runtime, 6));
	snprintf(target, sizeof(target), "%s", run_path(6));
	ck_assert_int_eq(symlink(target, run_path(7)), 0);
	ck_assert(!is_dead(runtime, 7));
	psu_runtime_free(runtime);
}
END_TEST

/* ---- the sweep */

#define DAY ((time_t)24 * 60 * 60)

static bool run_file_exists(unsigned char number)
{
	return access(run_path(number), F_OK) == 0;
}

START_TEST(test_sweep)
{
	char marked[64];
	struct psu_runtime *runtime;

	snprintf(marked, sizeof(marked), "%s\n", boot_id());
	write_run_file(2, OTHER_BOOT, 0);
	write_run_file(3, boot_id(), 30 * DAY); /* ran for 30 days, died now */
	write_run_file(4, marked, 8 * DAY);		/* was found dead 8 days ago */
	write_run_file(5, marked, 6 * DAY);
	write_run_file(6, "", 0);
	write_run_file(7, "", 8 * DAY);
	runtime = open_runtime(1);
	ck_assert(!run_file_exists(2));
	ck_assert(run_file_exists(3));
	ck_assert(!run_file_exists(4));
	ck_assert(run_file_exists(5));
	ck_assert(run_file_exists(6));
	ck_assert(!run_file_exists(7));
	ck_assert(is_dead(runtime, 3));
	ck_assert(is_dead(runtime, 5));
	psu_runtime_free(runtime);

	/* again: nobody's week begins anew, and the last run's file stays */
	runtime = open_runtime(8);
	ck_assert(run_file_exists(1));
	ck_assert(run_file_exists(3));
	ck_assert(run_file_exists(5));
	psu_runtime_free(runtime);

	/* the first sweep has noted when it found that one dead */
	make_older(3, 8 * DAY);
	psu_runtime_free(open_runtime(9));
	ck_assert(!run_file_exists(3));
}
END_TEST

START_TEST(test_sweep_spares_the_living)
{
	struct holder holder = start_holder(2, -1);
	int fd = open(run_path(2), O_RDWR);

	/* even with another boot's id, and old: locked is alive */
	ck_assert_int_eq(pwrite(fd, OTHER_BOOT, 36, 0), 36);
	close(fd);
	make_older(2, 30 * DAY);
	psu_runtime_free(open_runtime(1));
	ck_assert(run_file_exists(2));
	kill_holder(&holder);
	psu_runtime_free(open_runtime(3));
	ck_assert(!run_file_exists(2));
}
END_TEST

/** Many start at once, and each sweeps among the others' new files. */
START_TEST(test_sweep_in_a_crowd)
{
	int status;

	for (unsigned char i = 100; i < 200; i++)
		write_run_file(i, OTHER_BOOT, 0);
	for (unsigned char i = 0; i < 40; i++) {
		pid_t pid = fork();
		struct psu_runtime *runtime;
		struct psu_id id = make_id(i);

		ck_assert_int_ge(pid, 0);
		if (pid == 0)
			_exit(psu_runtime_open(&host, &id, &runtime) == 0 ? 0 : 1);
	}
	for (size_t i = 0; i < 40; i++) {
		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	for (unsigned char i = 0; i < 200; i++)
		ck_assert_int_eq(run_file_exists(i), i < 40);
}
END_TEST

START_TEST(test_descriptors)
{
	struct psu_runtime *runtime = open_runtime(1);
	DIR *fds = opendir("/proc/self/fd");
	const struct dirent *entry;
	struct psu_id id = make_id(1);
	struct psu_runtime *same;
	int count = 0;

	/* none survives an exec */
	while ((entry = readdir(fds))) {
		char link[512] = {0};

		if (readlinkat(dirfd(fds), entry->d_name, link, sizeof(link) - 1) > 0 &&
			strncmp(link, dir, strlen(dir)) == 0) {
			count++;
			ck_assert_int_eq(fcntl(atoi(entry->d_name), F_GETFD), FD_CLOEXEC);
		}
	}
	closedir(fds);
	ck_assert_int_eq(count, 3);

	/* an incarnation is one process's alone */
	ck_assert_int_eq(psu_runtime_open(&host, &id, &same), PSU_THREAD_E_SYSTEM);
	psu_runtime_free(runtime);
	psu_runtime_free(NULL);
}
END_TEST

int main(void)
{
	const TTest *death[] = {test_death, test_fork,
							test_forked_child_is_shut_out,
							test_not_known_to_be_dead, NULL};
	const TTest *sweep[] = {test_sweep, test_sweep_spares_the_living,
							test_sweep_in_a_crowd, test_descriptors, NULL};
	Suite *suite = suite_create("runtime_death");

	add_case(suite, "death", death);
	add_case(suite, "sweep", sweep);
	return run_suite(suite);
}
