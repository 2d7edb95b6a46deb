/* SPDX-License-Identifier: ISC */
/*
 * scene_turn.c - what goes on while a case is played
 */
#include "scene.h"

#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/** How long nothing may happen before the events are looked at. */
#define GLANCE_MS 3
/** A fault is mended so much later: before the deadlines, which nomad.c has
 * set, have passed, and after. */
#define SOON_MS 100
#define LATE_MS 2500

/* ---- what happens by itself */

static void wait_for_anything(struct scene *scene)
{
	struct pollfd fds[1 + 2 * RELAY_FDS_MAX];
	struct signalfd_siginfo info;
	size_t count = 1;

	fds[0] = (struct pollfd){scene->signal_fd, POLLIN, 0};
	if (scene->has_cable) {
		cable_prepare(&scene->cable, fds + 1);
		count += 2;
	} else {
		count += relay_prepare(&scene->relays[0], fds + count);
		count += relay_prepare(&scene->relays[1], fds + count);
	}
	poll(fds, count, GLANCE_MS);
	if (read(scene->signal_fd, &info, sizeof(info)) < 0)
		return;
}

static void pass_on(struct scene *scene)
{
	if (scene->has_cable) {
		cable_work(&scene->cable);
		return;
	}
	relay_work(&scene->relays[0]);
	relay_work(&scene->relays[1]);
}

static void reap(struct scene *scene)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
		if (WIFSTOPPED(status)) {
			tracer_follow(&scene->tracer, pid, status);
			continue;
		}
		for (int who = 0; who < SCENE_CREW; who++)
			if (scene->crew[who].pid == pid)
				scene->crew[who].gone = true;
	}
}

/* ---- the fault */

static bool has_fired(const struct scene *scene)
{
	return scene->relays[0].has_cut || scene->relays[1].has_cut ||
		   scene->cable.is_cut || scene->tracer.fired;
}

/** Where new connections to the server lead. */
static void redirect(struct scene *scene, int who)
{
	scene->relays[0].target_port = who < 0 ? 0 : scene->crew[who].port;
}

/** Whether nobody comes who could tell what became of the thread. */
static bool is_for_good(const struct scene *scene)
{
	const struct scene_plan *plan = scene->plan;

	return plan->after == SCENE_NEVER || plan->kind == SCENE_USURP ||
		   (plan->kind == SCENE_KILL && strcmp(plan->verb, "go") != 0 &&
			scene->tracer.pid == scene->crew[SCENE_CLIENT].pid);
}

static void fire(struct scene *scene)
{
	const struct scene_plan *plan = scene->plan;
	bool of_server = scene->tracer.pid == scene->crew[SCENE_SERVER].pid;

	scene->fired_ms = scene_now_ms();
	if (plan->kind == SCENE_KILL)
		scene_note(scene, "kill", scene->tracer.pid);
	scene_note(scene, "fired", scene->tracer.pid);
	if (is_for_good(scene))
		scene_note(scene, "persists", 0);
	if (plan->kind == SCENE_USURP)
		redirect(scene, SCENE_SECOND);
	else if (plan->after == SCENE_NEVER ||
			 (plan->kind == SCENE_KILL && of_server))
		redirect(scene, -1);
	if (plan->after == SCENE_NEVER)
		scene->relays[1].target_port = 0;
}

static void mend(struct scene *scene)
{
	scene->mended = true;
	relay_release(&scene->relays[0]);
	relay_release(&scene->relays[1]);
	if (scene->has_cable)
		cable_mend(&scene->cable);
	if (scene->plan->kind == SCENE_STOP)
		kill(scene->tracer.pid, SIGCONT);
}

/** What a stall holds back comes when nobody waits for it any more. */
static bool is_late(struct scene *scene)
{
	const struct story_process *client = story_by_name(&scene->story, "client");

	return scene_now_ms() > scene->fired_ms + LATE_MS ||
		   (!scene->has_cable && client && client->done &&
			story_thread_is_settled(&scene->story));
}

/** In the place of a killed server another one comes, while it is needed. */
static void replace_server(struct scene *scene)
{
	if (scene->plan->kind != SCENE_KILL || scene->replaced ||
		scene->tracer.pid != scene->crew[SCENE_SERVER].pid ||
		!scene->crew[SCENE_SERVER].gone)
		return;
	scene->replaced = true;
	if (scene_start(scene, SCENE_SECOND) &&
		scene_await_ready(scene, SCENE_SECOND))
		redirect(scene, SCENE_SECOND);
}

static void follow_fault(struct scene *scene)
{
	enum scene_after after = scene->plan->after;

	if (!scene->fired_ms && has_fired(scene))
		fire(scene);
	if (!scene->fired_ms || after == SCENE_NEVER)
		return;
	replace_server(scene);
	if (scene->mended || (after == SCENE_LATE && !is_late(scene)))
		return;
	if (scene_now_ms() > scene->fired_ms + SOON_MS || after == SCENE_LATE)
		mend(scene);
}

void scene_turn(struct scene *scene)
{
	wait_for_anything(scene);
	reap(scene);
	pass_on(scene);
	story_read(&scene->story);
	follow_fault(scene);
}
