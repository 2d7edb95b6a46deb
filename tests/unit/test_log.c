/* SPDX-License-Identifier: ISC */
/*
 * test_log.c - the log never stops the process that writes it
 */
#include "run_suite.h"

#include "report/report.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINE "a line that nobody reads"

/** Standard error is a full pipe; what was logged is lost, and the caller
 * goes on. */
START_TEST(full_pipe)
{
	char zeros[4096] = {0};
	int fds[2], flags;

	ck_assert_int_eq(pipe(fds), 0);
	flags = fcntl(fds[1], F_GETFL);
	ck_assert_int_eq(fcntl(fds[1], F_SETFL, flags | O_NONBLOCK), 0);
	while (write(fds[1], zeros, sizeof(zeros)) > 0)
		continue;
	ck_assert_int_eq(fcntl(fds[1], F_SETFL, flags), 0);
	ck_assert_int_eq(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	psu_log(PSU_THREAD_LOG_ERROR, LINE);
}
END_TEST

/** With a reader it gets through, whole. */
START_TEST(read_pipe)
{
	char text[100] = "";
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	psu_log(PSU_THREAD_LOG_ERROR, LINE);
	ck_assert_int_gt(read(fds[0], text, sizeof(text) - 1), 0);
	ck_assert_str_eq(text, "[error] " LINE "\n");
}
END_TEST

/** A pipe that nobody can read: no signal is sent, and one that waits is left
 * alone. */
START_TEST(broken_pipe)
{
	sigset_t set, pending;
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	close(fds[0]);
	psu_log(PSU_THREAD_LOG_ERROR, LINE);

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	psu_log(PSU_THREAD_LOG_ERROR, LINE);
	sigpending(&pending);
	ck_assert(!sigismember(&pending, SIGPIPE));
	pthread_kill(pthread_self(), SIGPIPE);
	psu_log(PSU_THREAD_LOG_ERROR, LINE);
	sigpending(&pending);
	ck_assert(sigismember(&pending, SIGPIPE));
}
END_TEST

static char last_line[100];

static void keep_line(enum psu_thread_log_level level, const char *line,
					  void *context)
{
	(void)level;
	(void)context;
	snprintf(last_line, sizeof(last_line), "%s", line);
}

/** A name of a peer's begins no line of its own. */
START_TEST(control_characters)
{
	psu_thread_set_log(PSU_THREAD_LOG_ERROR, keep_line, NULL);
	psu_log(PSU_THREAD_LOG_ERROR, "%s", "a\n[error]\033\x7f\x1f b\xc3\xa4~");
	ck_assert_str_eq(last_line, "a?[error]??? b??~");
}
END_TEST

static int entered[2], leave[2];

static void dwell(enum psu_thread_log_level level, const char *line,
				  void *context)
{
	char byte = 0;

	(void)level;
	(void)line;
	(void)context;
	if (write(entered[1], &byte, 1) != 1 || read(leave[0], &byte, 1) != 1)
		_exit(EXIT_FAILURE);
}

static void *log_one(void *unused)
{
	psu_log(PSU_THREAD_LOG_ERROR, LINE);
	return unused;
}

/** A child is forked while another thread logs: it can log all the same. */
START_TEST(forked)
{
	pthread_t thread;
	int status;
	char byte;
	pid_t child;

	ck_assert(pipe(entered) == 0 && pipe(leave) == 0);
	psu_thread_set_log(PSU_THREAD_LOG_ERROR, dwell, NULL);
	ck_assert_int_eq(pthread_create(&thread, NULL, log_one, NULL), 0);
	ck_assert_int_eq(read(entered[0], &byte, 1), 1);
	child = fork();
	if (child == 0) {
		psu_log_forked();
		psu_thread_set_log(PSU_THREAD_LOG_ERROR, NULL, NULL);
		psu_log(PSU_THREAD_LOG_ERROR, LINE);
		_exit(EXIT_SUCCESS);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, EXIT_SUCCESS);
	ck_assert_int_eq(write(leave[1], &byte, 1), 1);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}
END_TEST

static void test_cancel(enum psu_thread_log_level level, const char *line,
						void *context)
{
	(void)level;
	(void)line;
	(void)context;
	pthread_testcancel();
}

static void *log_cancelled(void *unused)
{
	pthread_cancel(pthread_self());
	psu_log(PSU_THREAD_LOG_ERROR, LINE);
	pthread_testcancel();
	return unused;
}

/** Who is cancelled ends behind the line, and the next one can be written. */
START_TEST(cancelled)
{
	pthread_t thread;
	void *result;

	psu_thread_set_log(PSU_THREAD_LOG_ERROR, test_cancel, NULL);
	ck_assert_int_eq(pthread_create(&thread, NULL, log_cancelled, NULL), 0);
	ck_assert_int_eq(pthread_join(thread, &result), 0);
	ck_assert_ptr_eq(result, PTHREAD_CANCELED);
	psu_log(PSU_THREAD_LOG_ERROR, LINE);
}
END_TEST

static unsigned line_count;

static void fail_again(enum psu_thread_log_level level, const char *line,
					   void *context)
{
	(void)level;
	(void)line;
	(void)context;
	line_count++;
	psu_error_set(PSU_THREAD_E_HEAP_FULL, "and once more");
}

/** What the function has the library say is lost; what comes then is not. */
START_TEST(fails_itself)
{
	psu_thread_set_log(PSU_THREAD_LOG_ERROR, fail_again, NULL);
	psu_log(PSU_THREAD_LOG_ERROR, LINE);
	psu_log(PSU_THREAD_LOG_ERROR, LINE);
	ck_assert_uint_eq(line_count, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log");
	TCase *cases = tcase_create("log");

	tcase_add_test(cases, full_pipe);
	tcase_add_test(cases, read_pipe);
	tcase_add_test(cases, broken_pipe);
	tcase_add_test(cases, control_characters);
	tcase_add_test(cases, forked);
	tcase_add_test(cases, cancelled);
	tcase_add_test(cases, fails_itself);
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
