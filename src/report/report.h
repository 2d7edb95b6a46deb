/* SPDX-License-Identifier: ISC */
/*
 * report.h - how the library tells what went wrong, and what it does
 *
 * Whoever detects a fault says so once: psu_error_set() keeps the sentence
 * for psu_thread_errmsg(), logs it as one line, and returns the code, so that
 * a check reads `return psu_error_set(PSU_THREAD_E_X, "...")`.
 */
#ifndef PSU_REPORT_H
#define PSU_REPORT_H

#include <psu_thread.h>

#include <stdbool.h>

#define PSU_MUST_CHECK __attribute__((warn_unused_result))
#define PSU_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/** Longest sentence kept, in bytes with its end; longer ones are cut. */
#define PSU_ERROR_SENTENCE_LEN 512

/**
 * Record a failure of the calling thread and log it as one error line.
 * Bytes that are not printable ASCII are replaced by '?', so that what a peer
 * sent cannot forge a line.  Returns @code.  Runs on any stack.
 */
int psu_error_set(int code, const char *format, ...) PSU_PRINTF(2, 3);

/** Like psu_error_set() without the log line: for what a caller may know
 * better words for.  Sooner or later one of them sets these, or tells. */
int psu_error_keep(int code, const char *format, ...) PSU_PRINTF(2, 3);

/** Log what was only kept; nothing if it is in the log.  Returns @code. */
int psu_error_tell(int code);

/**
 * Record a failure that only a lack of descriptors or memory explains, as
 * errno has it: "cannot @act @object".  Returns SYSTEM or NO_MEMORY, or 0 and
 * does nothing if errno tells another reason.
 */
int psu_error_shortage(const char *act, const char *object);

/** Let the calling thread's failures be debug lines from now on, or errors
 * again.  Returns which they were before. */
bool psu_error_whisper(bool on);

/** Whether the calling thread's last failure is in the log. */
bool psu_error_told(void);

/** The last sentence kept for the calling thread; "" if none. */
const char *psu_error_sentence(void);

/** Forget the calling thread's last failure. */
void psu_error_clear(void);

/** Let @sentence, which has been told before, be the last one again. */
void psu_error_restore(const char *sentence);

/** The name of a code without its prefix ("HOST_SILENT"); "UNKNOWN" if the
 * number is not in the table. */
const char *psu_error_name(int code);

/** Whether @code is a number of the table: what peers send is checked. */
bool psu_error_known(int code);

/** Log nothing, or again as before: for what is tried twice. */
void psu_log_silence(bool silent);

/** Have printable ASCII only in @text, parts of which are a peer's words:
 * nobody outside writes control characters into a log, not even those of UTF-8.
 */
void psu_log_clean(char *text);

/** In a forked child: another thread may have been logging meanwhile. */
void psu_log_forked(void);

/** Log one line at @level if that level is wanted. */
void psu_log(enum psu_thread_log_level level, const char *format, ...)
	PSU_PRINTF(2, 3);

#endif
