/* SPDX-License-Identifier: ISC */
/*
 * log.c - one line at a time to stderr, or to the program's own function
 *
 * A line leaves in one write, so that lines of several threads never mix.
 * Nothing here touches stdio: its buffers and locks are the program's.
 */
#include "report/report.h"

#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define LINE_LEN 700

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static enum psu_thread_log_level log_level = PSU_THREAD_LOG_ERROR;
static psu_thread_log_fn *log_fn;
static void *log_context;
static bool log_silent;

static const char *level_name(enum psu_thread_log_level level)
{
	switch (level) {
	case PSU_THREAD_LOG_ERROR:
		return "error";
	case PSU_THREAD_LOG_INFO:
		return "info";
	default:
		return "debug";
	}
}

static void write_stderr(enum psu_thread_log_level level, const char *line)
{
	char text[LINE_LEN + 16];
	int len = snprintf(text, sizeof(text), "[%s] %s\n", level_name(level),
					   line);
	struct pollfd room = {.fd = STDERR_FILENO, .events = POLLOUT};

	/* a log that cannot be written is nobody's failure, and who fills a pipe
	 * that nobody reads must not stop the process: the line is lost */
	if (poll(&room, 1, 0) <= 0 || write(STDERR_FILENO, text, (size_t)len) < 0)
		return;
}

void psu_thread_set_log(enum psu_thread_log_level level, psu_thread_log_fn *fn,
						void *context)
{
	pthread_mutex_lock(&log_lock);
	log_level = level;
	log_fn = fn;
	log_context = context;
	pthread_mutex_unlock(&log_lock);
}

void psu_log_silence(bool silent)
{
	pthread_mutex_lock(&log_lock);
	log_silent = silent;
	pthread_mutex_unlock(&log_lock);
}

void psu_log_forked(void)
{
	pthread_mutex_init(&log_lock, NULL);
}

void psu_log(enum psu_thread_log_level level, const char *format, ...)
{
	char line[LINE_LEN];
	int cancel_state;
	va_list args;

	/* writing is a cancellation point: nobody may end here with the lock */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	pthread_mutex_lock(&log_lock);
	if (level <= log_level && !log_silent) {
		va_start(args, format);
		vsnprintf(line, sizeof(line), format, args);
		va_end(args);
		if (log_fn)
			log_fn(level, line, log_context);
		else
			write_stderr(level, line);
	}
	pthread_mutex_unlock(&log_lock);
	pthread_setcancelstate(cancel_state, NULL);
}
