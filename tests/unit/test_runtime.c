/* SPDX-License-Identifier: ISC */
/*
 * test_runtime.c - is the directory private, and a slot one process's alone?
 *
 * What is done as root is done on foreign directories too.
 */
#include "test_runtime.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ORDINARY_USER 65534

static void check_open_fails(int code, const char *part)
{
	struct psu_id id = make_id(1);
	struct psu_runtime *runtime = NULL;

	ck_assert_int_eq(psu_runtime_open(&host, &id, &runtime), code);
	ck_assert_ptr_null(runtime);
	ck_assert_msg(strstr(psu_error_sentence(), part) != NULL, "%s",
				  psu_error_sentence());
}

/* ---- the directory */

START_TEST(test_dir_is_made)
{
	struct stat status;

	ck_assert_int_eq(rmdir(dir), 0);
	psu_runtime_free(open_runtime(1));
	ck_assert_int_eq(stat(dir, &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0700);
}
END_TEST

START_TEST(test_dir_exposed)
{
	static const mode_t modes[] = {0710, 0701, 0750, 0755, 0777, 01777};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		ck_assert_int_eq(chmod(dir, modes[i]), 0);
		check_open_fails(PSU_THREAD_E_RUNTIME_DIR, "chmod 700");
	}
	ck_assert_int_eq(chmod(dir, 0700), 0);
	psu_runtime_free(open_runtime(1));
}
END_TEST

START_TEST(test_dir_foreign)
{
	if (geteuid() == 0)
		ck_assert_int_eq(chown(dir, ORDINARY_USER, ORDINARY_USER), 0);
	else
		setenv("PSU_THREAD_RUNTIME", "/", 1);
	check_open_fails(PSU_THREAD_E_RUNTIME_DIR, "belongs to user");
}
END_TEST

START_TEST(test_dir_not_one)
{
	char path[128];
	char longer[8192];

	snprintf(path, sizeof(path), "%s/link", dir);
	ck_assert_int_eq(symlink(dir, path), 0);
	setenv("PSU_THREAD_RUNTIME", path, 1);
	check_open_fails(PSU_THREAD_E_RUNTIME_DIR, "symbolic link");
	strcat(path, "//");
	setenv("PSU_THREAD_RUNTIME", path, 1);
	check_open_fails(PSU_THREAD_E_RUNTIME_DIR, "symbolic link");
	setenv("PSU_THREAD_RUNTIME", "/proc/self/status", 1);
	check_open_fails(PSU_THREAD_E_RUNTIME_DIR, "no directory");
	setenv("PSU_THREAD_RUNTIME", "/proc/nowhere/at/all", 1);
	check_open_fails(PSU_THREAD_E_RUNTIME_DIR, "cannot be made");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	setenv("PSU_THREAD_RUNTIME", longer, 1);
	check_open_fails(PSU_THREAD_E_RUNTIME_DIR, "");
}
END_TEST

/** Without PSU_THREAD_RUNTIME, as a user for whom /run is closed. */
START_TEST(test_dir_defaults)
{
	char path[128], last[64];
	bool made;

	if (geteuid() == 0) {
		ck_assert_int_eq(chown(dir, ORDINARY_USER, ORDINARY_USER), 0);
		ck_assert_int_eq(setuid(ORDINARY_USER), 0);
	}
	unsetenv("PSU_THREAD_RUNTIME");
	setenv("XDG_RUNTIME_DIR", dir, 1);
	psu_runtime_free(open_runtime(1));
	snprintf(path, sizeof(path), "%s/psu_thread/run-ab01%028d", dir, 0);
	ck_assert_int_eq(unlink(path), 0);

	/* one's own, but exposed: an error, not a reason to go elsewhere */
	snprintf(path, sizeof(path), "%s/psu_thread", dir);
	ck_assert_int_eq(chmod(path, 0755), 0);
	check_open_fails(PSU_THREAD_E_RUNTIME_DIR, path);

	/* none at all: the next one */
	snprintf(last, sizeof(last), "/tmp/psu_thread-%u", geteuid());
	made = access(last, F_OK) != 0;
	snprintf(path, sizeof(path), "%s/run-ab01%028d", last, 0);
	unlink(path);
	setenv("XDG_RUNTIME_DIR", "/proc", 1);
	psu_runtime_free(open_runtime(1));
	ck_assert_int_eq(unlink(path), 0);
	if (made) {
		snprintf(path, sizeof(path), "rm -r %s", last);
		ck_assert_int_eq(system(path), 0);
	}
}
END_TEST

/* ---- slots */

START_TEST(test_slots_in_one_process)
{
	struct psu_runtime *runtime = open_runtime(1);
	struct psu_runtime *other = open_runtime(2);
	bool seen[64] = {false};
	uint32_t slot = 0, first;

	for (size_t i = 0; i < 64; i++) {
		ck_assert_int_eq(
			psu_runtime_lock_slots(i % 3 ? runtime : other, 64, 1, &slot), 0);
		ck_assert_uint_lt(slot, 64);
		ck_assert(!seen[slot]);
		seen[slot] = true;
	}
	ck_assert_int_eq(psu_runtime_lock_slots(runtime, 64, 1, &slot),
					 PSU_THREAD_E_ZONE_FULL);
	ck_assert_int_eq(psu_runtime_lock_slots(runtime, 0, 1, &slot),
					 PSU_THREAD_E_ZONE_FULL);

	/* a larger zone has more */
	ck_assert_int_eq(psu_runtime_lock_slots(runtime, 65, 1, &slot), 0);
	ck_assert_uint_eq(slot, 64);
	psu_runtime_unlock_slots(runtime, slot, 1);

	/* what the other held is free when it is gone */
	psu_runtime_free(other);
	for (size_t i = 0; i < 22; i++)
		ck_assert_int_eq(psu_runtime_lock_slots(runtime, 64, 1, &slot), 0);
	ck_assert_int_eq(psu_runtime_lock_slots(runtime, 64, 1, &slot),
					 PSU_THREAD_E_ZONE_FULL);

	/* next-fit: a slot given back is the last to be given out again */
	psu_runtime_unlock_slots(runtime, 7, 1);
	psu_runtime_unlock_slots(runtime, 8, 1);
	ck_assert_int_eq(psu_runtime_lock_slots(runtime, 64, 1, &first), 0);
	psu_runtime_unlock_slots(runtime, first, 1);
	ck_assert_int_eq(psu_runtime_lock_slots(runtime, 64, 1, &slot), 0);
	ck_assert_uint_ne(first, slot);
	psu_runtime_free(runtime);
}
END_TEST

/** Several that follow one another, as long as there are such. */
START_TEST(test_slots_in_a_row)
{
	struct psu_runtime *runtime = open_runtime(1);
	struct psu_runtime *other = open_runtime(2);
	uint32_t first = 0, single = 0, count = 0;
	bool seen[64] = {false};

	ck_assert_int_eq(psu_runtime_lock_slots(other, 64, 1, &single), 0);
	seen[single] = true;
	while (psu_runtime_lock_slots(count % 2 ? runtime : other, 64, 5, &first) ==
		   0) {
		ck_assert_uint_le(first + 5, 64);
		for (uint32_t i = first; i < first + 5; i++) {
			ck_assert(!seen[i]);
			seen[i] = true;
		}
		count++;
	}
	/* the random start may cut two rows, and the single one too */
	ck_assert_uint_ge(count, 10);
	ck_assert_int_eq(psu_runtime_lock_slots(runtime, 64, 65, &first),
					 PSU_THREAD_E_ZONE_FULL);
	psu_runtime_free(other);
	ck_assert_int_eq(psu_runtime_lock_slots(runtime, 64, 5, &first), 0);
	psu_runtime_unlock_slots(runtime, first, 5);
	psu_runtime_free(runtime);
}
END_TEST

START_TEST(test_hosts_do_not_share)
{
	static const struct psu_digest another = {{9}};
	struct psu_runtime *runtime = open_runtime(1);
	struct psu_id id = make_id(2);
	struct psu_runtime *other;
	uint32_t slot;

	ck_assert_int_eq(psu_runtime_open(&another, &id, &other), 0);
	ck_assert_int_eq(psu_runtime_lock_slots(runtime, 1, 1, &slot), 0);
	ck_assert_int_eq(psu_runtime_lock_slots(other, 1, 1, &slot), 0);
	psu_runtime_free(other);
	psu_runtime_free(runtime);
}
END_TEST

#define CROWD_SLOTS 12
#define CROWD_PROCESSES 6
#define CROWD_THREADS 4
#define CROWD_ROUNDS 5000

struct crowd {
	atomic_uint owners[CROWD_SLOTS];
	atomic_uint granted, doubled, failed;
};

static struct crowd *crowd; /* shared by all processes */

static void *take_and_give(void *context)
{
	struct psu_runtime *runtime = context;
	uint32_t slot;
	int rc;

	for (int i = 0; i < CROWD_ROUNDS; i++) {
		rc = psu_runtime_lock_slots(runtime, CROWD_SLOTS, 1, &slot);
		if (rc == PSU_THREAD_E_ZONE_FULL)
			continue;
		if (rc || slot >= CROWD_SLOTS) {
			crowd->failed++;
			continue;
		}
		crowd->granted++;
		crowd->doubled += atomic_fetch_add(&crowd->owners[slot], 1) != 0;
		sched_yield();
		atomic_fetch_sub(&crowd->owners[slot], 1);
		psu_runtime_unlock_slots(runtime, slot, 1);
	}
	return NULL;
}

static void run_crowd_process(unsigned char number)
{
	struct psu_id id = make_id(number);
	struct psu_runtime *runtime;
	pthread_t threads[CROWD_THREADS];

	if (psu_runtime_open(&host, &id, &runtime) != 0)
		_exit(1);
	for (size_t i = 0; i < CROWD_THREADS; i++)
		if (pthread_create(&threads[i], NULL, take_and_give, runtime) != 0)
			_exit(1);
	for (size_t i = 0; i < CROWD_THREADS; i++)
		pthread_join(threads[i], NULL);
	psu_runtime_free(runtime);
	_exit(0);
}

static void run_crowd(unsigned char process_count)
{
	int status;

	crowd = mmap(NULL, sizeof(*crowd), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(crowd, MAP_FAILED);
	for (unsigned char i = 0; i < process_count; i++) {
		pid_t pid = fork();

		ck_assert_int_ge(pid, 0);
		if (pid == 0)
			run_crowd_process(i);
	}
	for (unsigned char i = 0; i < process_count; i++) {
		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_uint_eq(crowd->failed, 0);
	ck_assert_uint_eq(crowd->doubled, 0);
	ck_assert_uint_gt(crowd->granted, CROWD_ROUNDS);
}

START_TEST(test_slots_among_threads)
{
	run_crowd(1);
}
END_TEST

START_TEST(test_slots_among_processes)
{
	run_crowd(CROWD_PROCESSES);
}
END_TEST

int main(void)
{
	const TTest *directory[] = {test_dir_is_made,  test_dir_exposed,
								test_dir_foreign,  test_dir_not_one,
								test_dir_defaults, NULL};
	const TTest *slots[] = {
		test_slots_in_one_process,	test_slots_in_a_row,
		test_hosts_do_not_share,	test_slots_among_threads,
		test_slots_among_processes, NULL};
	Suite *suite = suite_create("runtime");

	add_case(suite, "directory", directory);
	add_case(suite, "slots", slots);
	return run_suite(suite);
}
