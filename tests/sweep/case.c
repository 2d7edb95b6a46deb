/* SPDX-License-Identifier: ISC */
/*
 * case.c - play one case of a sweep and judge it
 *
 *     case EVENTS CERTS SHAPE KIND WHERE N AFTER
 *     case judge EVENTS
 *
 * In: which journey, what goes wrong where, at which byte, system call or
 * message, and when it is mended; SWEEP_NOMAD, a program in nomad's place. Out:
 * one line with the outcome, or what is not as it may be; exit status 0, 1, or
 * 2 if it cannot be played here.
 */
#include "scene.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Bodies of more than 64 KiB go in two flights, smaller ones in one, which may
 * be of several records. */
static const struct {
	const char *name, *verb, *luggage;
} shapes[] = {
	{"one", "go", "0"},		 {"full", "go", "60000"},
	{"two", "go", "66000"},	 {"result", "result", "0"},
	{"home", "home", "0"},	 {"home-two", "home", "66000"},
	{"round", "round", "0"},
};

static const char *const kinds[] = {
	[SCENE_NONE] = "none",	 [SCENE_RESET] = "reset", [SCENE_FINISH] = "finish",
	[SCENE_STALL] = "stall", [SCENE_TEAR] = "tear",	  [SCENE_USURP] = "usurp",
	[SCENE_KILL] = "kill",	 [SCENE_STOP] = "stop",	  [SCENE_DROP] = "drop"};

static const char *const afters[] = {
	[SCENE_SOON] = "soon", [SCENE_LATE] = "late", [SCENE_NEVER] = "never"};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static int find(const char *const *words, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(words[i], word) == 0)
			return (int)i;
	return -1;
}

static bool read_plan(char **argv, struct scene_plan *plan)
{
	int kind = find(kinds, COUNT(kinds), argv[4]);
	int after = find(afters, COUNT(afters), argv[7]);
	const char *nomad = getenv("SWEEP_NOMAD");
	size_t shape = 0;

	while (shape < COUNT(shapes) && strcmp(shapes[shape].name, argv[3]) != 0)
		shape++;
	if (kind < 0 || after < 0 || shape == COUNT(shapes))
		return false;
	*plan = (struct scene_plan){
		.nomad = nomad ? nomad : "tests/sweep/nomad",
		.events = argv[1],
		.certs = argv[2],
		.luggage = shapes[shape].luggage,
		.verb = shapes[shape].verb,
		.kind = (enum scene_kind)kind,
		.where = argv[5],
		.n = (unsigned)strtoul(argv[6], NULL, 10),
		.after = (enum scene_after)after,
	};
	return true;
}

static int report(const struct story *story)
{
	if (!*story->complaint) {
		printf("%s", story->outcome);
		return 0;
	}
	printf("NOT OK: %s", story->complaint);
	return 1;
}

static int play(const struct scene_plan *plan)
{
	static struct scene scene;
	int status = 2;

	if (scene_open(&scene, plan)) {
		scene_play(&scene);
		status = report(&scene.story);
		printf("; %s of %llu, %lld ms\n",
			   scene.fired_ms ? "fired" : "not fired",
			   (unsigned long long)scene_total(&scene),
			   (long long)(scene_now_ms() - scene.begun_ms));
	} else {
		printf("cannot be played: %m\n");
	}
	scene_close(&scene);
	return status;
}

static int judge(const char *path)
{
	struct story story;
	int status;

	if (!story_open(&story, path))
		return 2;
	story_read(&story);
	if (!*story.outcome)
		story_settle(&story);
	status = report(&story);
	putchar('\n');
	story_close(&story);
	return status;
}

int main(int argc, char **argv)
{
	struct scene_plan plan;

	if (argc == 3 && strcmp(argv[1], "judge") == 0)
		return judge(argv[2]);
	if (argc != 8 || !read_plan(argv, &plan)) {
		fprintf(stderr, "usage: case EVENTS CERTS SHAPE KIND WHERE N AFTER\n"
						"       case judge EVENTS\n");
		return 2;
	}
	printf("%s %s %s %s %s: ", argv[3], argv[4], argv[5], argv[6], argv[7]);
	return play(&plan);
}
