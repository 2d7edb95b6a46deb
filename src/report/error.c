/* SPDX-License-Identifier: ISC */
/*
 * error.c - codes and sentences of failures
 *
 * The one table of codes is PSU_THREAD_ERRORS in psu_thread.h.  The sentence
 * of a thread's last failure lies in the library's own thread-locals, which
 * never travel.
 */
#include "report/report.h"
#include "state/state.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(psu_local.sentence) >= PSU_ERROR_SENTENCE_LEN,
			   "state.h reserves room for the sentence");

const char *psu_thread_strerror(int code)
{
	if (code == 0)
		return "success";
	switch (code) {
#define SENTENCE(name, number, sentence)                                       \
	case number:                                                               \
		return sentence;
		PSU_THREAD_ERRORS(SENTENCE)
#undef SENTENCE
	default:
		return "unknown error code";
	}
}

const char *psu_error_name(int code)
{
	switch (code) {
#define NAME(name, number, sentence)                                           \
	case number:                                                               \
		return #name;
		PSU_THREAD_ERRORS(NAME)
#undef NAME
	default:
		return "UNKNOWN";
	}
}

bool psu_error_known(int code)
{
	switch (code) {
#define KNOWN(name, number, sentence) case number:
		PSU_THREAD_ERRORS(KNOWN)
#undef KNOWN
		return true;
	default:
		return false;
	}
}

static void keep(const char *format, va_list args)
{
	char sentence[sizeof(psu_local.sentence)];

	/* the one before may be a part of it */
	vsnprintf(sentence, sizeof(sentence), format, args);
	psu_log_clean(sentence);
	strcpy(psu_local.sentence, sentence);
	psu_local.told = false;
}

int psu_error_set(int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	keep(format, args);
	va_end(args);
	return psu_error_tell(code);
}

int psu_error_keep(int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	keep(format, args);
	va_end(args);
	return code;
}

int psu_error_tell(int code)
{
	if (!psu_local.told)
		psu_log(psu_local.whispering ? PSU_THREAD_LOG_DEBUG
									 : PSU_THREAD_LOG_ERROR,
				"%s: %s", psu_error_name(code), psu_local.sentence);
	psu_local.told = true;
	return code;
}

int psu_error_shortage(const char *act, const char *object)
{
	switch (errno) {
	case EMFILE:
		return psu_error_set(PSU_THREAD_E_SYSTEM,
							 "cannot %s %s: %m in this process: raise `ulimit "
							 "-n`, or close some",
							 act, object);
	case ENFILE:
		return psu_error_set(PSU_THREAD_E_SYSTEM,
							 "cannot %s %s: %m: raise the kernel's fs.file-max",
							 act, object);
	case ENOMEM:
	case ENOBUFS:
		return psu_error_set(PSU_THREAD_E_NO_MEMORY,
							 "cannot %s %s: %m: raise `ulimit -v`, or free "
							 "memory",
							 act, object);
	default:
		return 0;
	}
}

bool psu_error_whisper(bool on)
{
	bool before = psu_local.whispering;

	psu_local.whispering = on;
	return before;
}

bool psu_error_told(void)
{
	return psu_local.told;
}

void psu_error_restore(const char *sentence)
{
	psu_error_keep(0, "%s", sentence);
	psu_local.told = true;
}

void psu_error_clear(void)
{
	psu_local.sentence[0] = '\0';
}

const char *psu_error_sentence(void)
{
	return psu_local.sentence;
}

const char *psu_thread_errmsg(void)
{
	return psu_error_sentence();
}
