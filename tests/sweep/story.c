/* SPDX-License-Identifier: ISC */
/*
 * story.c - the invariant: never two, never lost in silence
 *
 * Two copies of a thread go on from the same line of its diary, so that they
 * write the same number twice, at the same time or one after the other.  What
 * a process says of the thread must be true: it is lost only with a process
 * that was killed, and nothing more comes of it then; a move that failed goes
 * on where it began.
 */
#include "story.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

bool story_open(struct story *story, const char *path)
{
	*story = (struct story){.file = fopen(path, "re")};
	return story->file != NULL;
}

void story_close(struct story *story)
{
	if (story->file)
		fclose(story->file);
}

struct story_process *story_by_pid(struct story *story, pid_t pid)
{
	for (int i = 0; i < story->crew_count; i++)
		if (story->crew[i].pid == pid)
			return &story->crew[i];
	return NULL;
}

struct story_process *story_by_name(struct story *story, const char *who)
{
	for (int i = 0; i < story->crew_count; i++)
		if (strcmp(story->crew[i].who, who) == 0)
			return &story->crew[i];
	return NULL;
}

void story_complain(struct story *story, const char *format, ...)
{
	va_list list;

	if (*story->complaint)
		return;
	va_start(list, format);
	vsnprintf(story->complaint, sizeof(story->complaint), format, list);
	va_end(list);
}

static const char *name_of(struct story *story, pid_t pid)
{
	const struct story_process *process = story_by_pid(story, pid);

	return process ? process->who : "nobody";
}

/* ---- the end */

static bool is_killed(struct story *story, pid_t pid)
{
	const struct story_process *process = story_by_pid(story, pid);

	return process && process->killed;
}

static bool is_in_doubt(const struct story *story)
{
	for (int i = 0; i < story->crew_count; i++)
		if (story->crew[i].in_doubt && !story->crew[i].done)
			return story->persists;
	return false;
}

/** Whether a process that @pid may have sent the thread to was killed. */
static bool is_peer_dead(const struct story *story, pid_t pid)
{
	for (int i = 0; i < story->crew_count; i++)
		if (story->crew[i].pid != pid && story->crew[i].killed)
			return true;
	return false;
}

/** It was taken over, and whoever did that was killed before it wrote a
 * line. */
static bool died_arriving(struct story *story)
{
	const struct story_process *process = story_by_pid(story, story->at);

	return process && process->left && is_peer_dead(story, process->pid);
}

/** The client was killed before it had begun to run the thread. */
static bool is_stillborn(struct story *story)
{
	const struct story_process *client = story_by_name(story, "client");

	return !story->number && client && client->killed;
}

bool story_thread_is_settled(struct story *story)
{
	return story->ended || story->lost || is_killed(story, story->at) ||
		   is_stillborn(story) || died_arriving(story) ||
		   (strcmp(story->what, "leaves") == 0 && is_in_doubt(story));
}

bool story_is_told(struct story *story)
{
	const struct story_process *client = story_by_name(story, "client");

	return client->done ||
		   (story->persists && (client->in_doubt || client->left));
}

/** Who started the thread must have learnt what became of it. */
static void judge_client(struct story *story,
						 const struct story_process *client)
{
	if (!client)
		story_complain(story, "there is no client");
	else if (!client->killed && !story_is_told(story))
		story_complain(story, "the client was never told");
}

void story_settle(struct story *story)
{
	const struct story_process *client = story_by_name(story, "client");
	const char *who = name_of(story, story->at), *what = "lost in silence";

	judge_client(story, client);
	if (story->ended)
		what = "ended at";
	else if (story->lost)
		what = "lost, as is known, by";
	else if (is_stillborn(story))
		what = "died before it began with", who = "client";
	else if (is_killed(story, story->at))
		what = "died with";
	else if (died_arriving(story))
		what = "died with who took it from";
	else if (story_thread_is_settled(story))
		what = "in doubt at";
	else
		story_complain(story, "lost in silence: it %s at %s", story->what, who);
	snprintf(story->outcome, sizeof(story->outcome), "%s %s", what, who);
}

/* ---- the lines */

/** The second move leads home, where the first one may have left it. */
static bool is_home_already(struct story *story, pid_t pid, int step, int rc)
{
	return rc == 0 && step == 2 && strcmp(name_of(story, pid), "client") == 0;
}

static void read_thread(struct story *story, pid_t pid, const char *rest)
{
	char what[16];
	unsigned number;
	int step, rc;

	if (sscanf(rest, "%u %15s %d %d", &number, what, &step, &rc) != 4) {
		story_complain(story, "a line is spoilt: %s", rest);
		return;
	}
	if (number <= story->number)
		story_complain(story, "two copies: %s wrote line %u again, after %s",
					   name_of(story, pid), number, name_of(story, story->at));
	else if (number > story->number + 1)
		story_complain(story, "line %u is missing", story->number + 1);
	if (story->lost)
		story_complain(story, "it ran at %s when it was said to be lost",
					   name_of(story, pid));
	if (strcmp(what, "goes-on") == 0 && (rc == 0) == (pid == story->at) &&
		!is_home_already(story, pid, step, rc))
		story_complain(story, "the move returned %d at %s", rc,
					   name_of(story, pid));
	else if (strcmp(what, "goes-on") != 0 && number > 1 && pid != story->at)
		story_complain(story, "it came to %s without a move",
					   name_of(story, pid));
	if (story_by_pid(story, pid))
		story_by_pid(story, pid)->in_doubt = story_by_pid(story, pid)->left =
			false;
	story->number = number;
	story->at = pid;
	story->ended = strcmp(what, "ends") == 0;
	snprintf(story->what, sizeof(story->what), "%s", what);
}

static void read_log(struct story *story, struct story_process *process,
					 const char *code)
{
	if (strcmp(code, "IN_DOUBT") == 0)
		process->in_doubt = true;
	if (strcmp(code, "LOST_WITH_PEER") != 0)
		return;
	if (!is_peer_dead(story, process->pid))
		story_complain(story, "%s says it is lost, but nobody died",
					   process->who);
	story->lost = true;
}

static void read_start(struct story *story, pid_t pid, const char *who)
{
	struct story_process *process = &story->crew[story->crew_count];

	if (story->crew_count == STORY_CREW_MAX)
		return;
	story->crew_count++;
	process->pid = pid;
	snprintf(process->who, sizeof(process->who), "%.*s",
			 (int)sizeof(process->who) - 1, who);
}

/** 0 says that it has ended. */
static void read_joined(struct story *story, struct story_process *process,
						const char *rest)
{
	process->done = true;
	if (strcmp(rest, "0 0") == 0)
		story_complain(story, "its result is another");
	if (strncmp(rest, "0 ", 2) == 0 && !story->ended)
		story_complain(story, "it was joined before it had ended");
}

static void read_of_process(struct story *story, const char *kind,
							struct story_process *process, const char *rest)
{
	if (strcmp(kind, "ready") == 0)
		process->ready = true;
	else if (strcmp(kind, "log") == 0)
		read_log(story, process, rest);
	else if (strcmp(kind, "kill") == 0)
		process->killed = true;
	else if (strcmp(kind, "left") == 0)
		process->left = true;
	else if (strcmp(kind, "done") == 0)
		process->done = true;
	else if (strcmp(kind, "joined") == 0)
		read_joined(story, process, rest);
}

static void read_line(struct story *story, const char *line)
{
	char kind[16], rest[96] = "";
	int pid;

	if (sscanf(line, "%15s %d %95[^\n]", kind, &pid, rest) < 2) {
		story_complain(story, "a line is spoilt: %s", line);
	} else if (strcmp(kind, "start") == 0) {
		read_start(story, pid, rest);
	} else if (strcmp(kind, "thread") == 0) {
		read_thread(story, pid, rest);
	} else if (strcmp(kind, "fired") == 0) {
		story->fired = true;
	} else if (strcmp(kind, "persists") == 0) {
		story->persists = true;
	} else if (strcmp(kind, "settled") == 0) {
		story_settle(story);
	} else {
		struct story_process *process = story_by_pid(story, pid);

		if (process)
			read_of_process(story, kind, process, rest);
	}
}

void story_read(struct story *story)
{
	char line[160];
	long at = ftell(story->file);

	clearerr(story->file);
	while (fgets(line, sizeof(line), story->file) && strchr(line, '\n')) {
		read_line(story, line);
		at = ftell(story->file);
	}
	fseek(story->file, at, SEEK_SET);
}
