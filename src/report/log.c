/* SPDX-License-Identifier: ISC */
/*
 * log.c - one line at a time to stderr, or to the program's own function
 *
 * A line leaves in one write, so that lines of several threads never mix.
 * Nothing here touches stdio: its buffers and locks are the program's.  What
 * the program's function has the library say in turn is dropped: it may not
 * know that its malloc() is the library's.
 */
#include "report/report.h"
#include "state/state.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
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

/** No SIGPIPE comes of it, which would end the process. */
static void write_quietly(const char *text, size_t len)
{
	const struct timespec at_once = {0};
	sigset_t broken_pipe, pending, before;
	bool was_pending;

	sigemptyset(&broken_pipe);
	sigaddset(&broken_pipe, SIGPIPE);
	sigpending(&pending);
	was_pending = sigismember(&pending, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
	if (write(STDERR_FILENO, text, len) < 0 && errno == EPIPE && !was_pending)
		sigtimedwait(&broken_pipe, NULL, &at_once);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void write_stderr(enum psu_thread_log_level level, const char *line)
{
	char text[LINE_LEN + 16];
	int len = snprintf(text, sizeof(text), "[%s] %s\n", level_name(level),
					   line);
	struct pollfd room = {.fd = STDERR_FILENO, .events = POLLOUT};

	/* a log that cannot be written is nobody's failure, and who fills a pipe
	 * that nobody reads must not stop the process: the line is lost */
	if (poll(&room, 1, 0) > 0)
		write_quietly(text, (size_t)len);
}

void psu_log_clean(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
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

	if (psu_local.logging)
		return;
	/* writing is a cancellation point: nobody may end here with the lock */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	pthread_mutex_lock(&log_lock);
	psu_local.logging = true;
	if (level <= log_level && !log_silent) {
		va_start(args, format);
		vsnprintf(line, sizeof(line), format, args);
		va_end(args);
		psu_log_clean(line);
		if (log_fn)
			log_fn(level, line, log_context);
		else
			write_stderr(level, line);
	}
	psu_local.logging = false;
	pthread_mutex_unlock(&log_lock);
	pthread_setcancelstate(cancel_state, NULL);
}
