/* SPDX-License-Identifier: ISC */
/*
 * preflight.c - look for words that point to what stays, and report them
 *
 * In: the calling thread, whose frames have been walked.  Out: nothing was
 * found, or a report, a log line for each word in it, and one error.
 */
#include "preflight/preflight.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int psu_preflight_strict(bool *strict_out)
{
	const char *text = getenv("PSU_THREAD_STRICT");

	if (text && strcmp(text, "0") != 0 && strcmp(text, "1") != 0)
		return psu_error_set(PSU_THREAD_E_INVALID_ARGUMENT,
							 "PSU_THREAD_STRICT=%s is neither 0 nor 1: set it "
							 "to 1 to have moves refused that would leave "
							 "something behind, or unset it",
							 text);
	*strict_out = text && *text == '1';
	return 0;
}

/** What found() is called with. */
struct finder {
	const struct psu_preflight_thread *thread;
	const struct psu_judge *judge;
	struct psu_thread_report *report;
};

static void found(const struct psu_word *word,
				  const struct psu_verdict *verdict, void *context)
{
	struct finder *finder = context;
	struct psu_thread_report *report = finder->report;
	struct psu_thread_finding *finding;

	report->found++;
	if (report->kept == PSU_THREAD_FINDINGS_MAX)
		return;
	finding = &report->findings[report->kept++];
	psu_tell_finding(finder->thread, &finder->judge->mappings, word, verdict,
					 finding);
	psu_log(PSU_THREAD_LOG_INFO, "%s: the word 0x%" PRIx64 " points to %s: %s",
			finding->where, finding->value, finding->what, finding->remedy);
}

static int conclude(const struct psu_thread_report *report)
{
	const struct psu_thread_finding *first = &report->findings[0];
	char more[48] = "";

	if (!report->found)
		return 0;
	if (report->found > 1)
		snprintf(more, sizeof(more), ", and %u words more do such",
				 report->found - 1);
	return psu_error_set(PSU_THREAD_E_POINTER_STAYS,
						 "the thread would leave something behind: %s: the "
						 "word 0x%" PRIx64 " points to %s%s: %s",
						 first->where, first->value, first->what, more,
						 first->remedy);
}

int psu_preflight_scan(const struct psu_preflight_thread *thread,
					   struct psu_thread_report *report_out)
{
	struct psu_judge *judge = psu_memory_take(sizeof(*judge));
	struct finder finder = {thread, judge, report_out};
	int rc;

	memset(report_out, 0, sizeof(*report_out));
	if (!judge)
		return psu_error_set(PSU_THREAD_E_NO_MEMORY,
							 "cannot look for pointers to what stays: %m: "
							 "raise `ulimit -v`, or free some");
	judge->manifest = thread->manifest;
	rc = psu_mappings_read(&judge->mappings);
	if (!rc) {
		psu_scan_thread(thread, judge, found, &finder);
		psu_chunks_free(&judge->chunks);
		rc = conclude(report_out);
	}
	psu_memory_give(judge, sizeof(*judge));
	return rc;
}
