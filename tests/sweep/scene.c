/* SPDX-License-Identifier: ISC */
/*
 * scene.c - one case of a sweep, from its beginning to its end
 */
#include "scene.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/** For a process to be ready, for all to be known, and for all to be over. */
#define READY_MS 20000
#define KNOWN_MS 30000
#define REST_MS 20000
/** A doubt must last so long to be one, and a rest to be one. */
#define DOUBT_MS 300
#define STILL_MS 20

static const char *const names[] = {"client", "server", "second"};

int64_t scene_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * (int64_t)1000 + now.tv_nsec / 1000000;
}

void scene_note(struct scene *scene, const char *what, pid_t pid)
{
	dprintf(scene->events_fd, "%s %d\n", what, pid);
}

/* ---- begin */

/** The way from here to there, as the thread calls it. */
static void name_hosts(const struct scene *scene, char hosts_out[2][32])
{
	for (int i = 0; i < 2; i++)
		if (scene->has_cable)
			snprintf(hosts_out[i], 32, "%s:7310",
					 i ? CABLE_ADDRESS_0 : CABLE_ADDRESS_1);
		else
			snprintf(hosts_out[i], 32, "127.0.0.1:%u", scene->relays[i].port);
}

/** Where it goes then, if anywhere. */
static const char *name_home(const struct scene_plan *plan, const char *address)
{
	if (strcmp(plan->verb, "home") == 0)
		return "home";
	return strcmp(plan->verb, "round") == 0 ? address : NULL;
}

bool scene_start(struct scene *scene, int who)
{
	const struct scene_plan *plan = scene->plan;
	char certs[256], hosts[2][32];
	bool is_client = who == SCENE_CLIENT;
	const char *const argv[] = {
		plan->nomad,
		is_client ? plan->verb : "serve",
		plan->events,
		certs,
		is_client ? plan->luggage : NULL,
		hosts[0],
		name_home(plan, hosts[1]),
		NULL,
	};
	const struct crew_order order = {
		.who = names[who],
		.events = plan->events,
		.listen = !scene->has_cable ? "127.0.0.1:0"
				  : is_client		? CABLE_ADDRESS_0 ":7310"
									: CABLE_ADDRESS_1 ":7310",
		.ns_fd = scene->has_cable ? scene->cable.ns_fds[!is_client] : -1,
		.argv = argv,
	};

	snprintf(certs, sizeof(certs), "%s/%s", plan->certs, is_client ? "a" : "b");
	name_hosts(scene, hosts);
	return crew_start(&scene->crew[who], &order);
}

bool scene_await_ready(struct scene *scene, int who)
{
	struct crew_member *member = &scene->crew[who];
	int64_t end = scene_now_ms() + READY_MS;
	const struct story_process *process = NULL;

	while (!process || !process->ready) {
		if (member->gone || scene_now_ms() > end)
			return false;
		scene_turn(scene);
		process = story_by_pid(&scene->story, member->pid);
	}
	crew_is_ready(member, scene->plan->events);
	if (who != SCENE_CLIENT)
		crew_begin(member);
	return true;
}

static const enum relay_cut cuts[] = {
	[SCENE_RESET] = RELAY_RESET, [SCENE_FINISH] = RELAY_FINISH,
	[SCENE_STALL] = RELAY_STALL, [SCENE_TEAR] = RELAY_TEAR,
	[SCENE_USURP] = RELAY_RESET,
};

/** Make the fault ready. */
static bool arm(struct scene *scene)
{
	const struct scene_plan *plan = scene->plan;
	bool at_home = strncmp(plan->where, "home-", 5) == 0;
	const char *direction = plan->where + (at_home ? 5 : 0);
	struct relay *relay = &scene->relays[at_home];
	bool of_server = strcmp(plan->where, "server") == 0;

	switch (plan->kind) {
	case SCENE_NONE:
		break;
	case SCENE_RESET:
	case SCENE_FINISH:
	case SCENE_STALL:
	case SCENE_TEAR:
	case SCENE_USURP:
		relay->cut = cuts[plan->kind];
		relay->cut_direction = strcmp(direction, "in") == 0;
		relay->cut_at = plan->n;
		break;
	case SCENE_DROP:
		scene->cable.cuts_from[0] = strcmp(plan->where, "in") != 0;
		scene->cable.cuts_from[1] = strcmp(plan->where, "out") != 0;
		scene->cable.cut_at = plan->n;
		break;
	case SCENE_KILL:
	case SCENE_STOP:
		scene->tracer.signal = plan->kind == SCENE_KILL ? SIGKILL : SIGSTOP;
		scene->tracer.at = plan->n;
		return tracer_begin(&scene->tracer, scene->crew[of_server].pid);
	}
	return true;
}

static bool open_lines(struct scene *scene)
{
	if (!scene->has_cable)
		return relay_open(&scene->relays[0]) && relay_open(&scene->relays[1]);
	return cable_open(&scene->cable);
}

static bool open_files(struct scene *scene)
{
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	scene->signal_fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	scene->events_fd = open(scene->plan->events,
							O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC,
							0644);
	return scene->signal_fd >= 0 && scene->events_fd >= 0 &&
		   story_open(&scene->story, scene->plan->events);
}

bool scene_open(struct scene *scene, const struct scene_plan *plan)
{
	bool usurped = plan->kind == SCENE_USURP;

	*scene = (struct scene){
		.plan = plan,
		.has_cable = plan->kind == SCENE_DROP,
		.events_fd = -1,
		.signal_fd = -1,
		.relays = {{.listen_fd = -1}, {.listen_fd = -1}},
		.cable = {.ns_fds = {-1, -1}, .tun_fds = {-1, -1}},
	};
	if (!open_files(scene) || !open_lines(scene) ||
		!scene_start(scene, SCENE_CLIENT) ||
		!scene_start(scene, SCENE_SERVER) ||
		(usurped && !scene_start(scene, SCENE_SECOND)) ||
		!scene_await_ready(scene, SCENE_CLIENT) ||
		!scene_await_ready(scene, SCENE_SERVER) ||
		(usurped && !scene_await_ready(scene, SCENE_SECOND)))
		return false;
	scene->relays[0].target_port = scene->crew[SCENE_SERVER].port;
	scene->relays[1].target_port = scene->crew[SCENE_CLIENT].port;
	if (!arm(scene))
		return false;
	scene->begun_ms = scene_now_ms();
	crew_begin(&scene->crew[SCENE_CLIENT]);
	return true;
}

/* ---- play */

/** Whether all is known that will be. */
static bool is_known(struct scene *scene)
{
	struct story *story = &scene->story;
	const struct story_process *client = story_by_name(story, "client");
	bool told = client->killed || story_is_told(story);

	if (*story->complaint)
		return true;
	if (!told || !story_thread_is_settled(story)) {
		scene->over_ms = 0;
		return false;
	}
	if (!scene->over_ms)
		scene->over_ms = scene_now_ms();
	return !story->persists || scene_now_ms() > scene->over_ms + DOUBT_MS;
}

static bool is_still(const struct scene *scene)
{
	return scene->crew[SCENE_CLIENT].gone &&
		   crew_is_at_rest(&scene->crew[SCENE_SERVER]) &&
		   crew_is_at_rest(&scene->crew[SCENE_SECOND]) &&
		   (scene->has_cable || (!relay_is_busy(&scene->relays[0]) &&
								 !relay_is_busy(&scene->relays[1])));
}

/** Nothing is left in which a thread could be. */
static bool await_rest(struct scene *scene)
{
	int64_t now = scene_now_ms(), end = now + REST_MS, since = now;

	while (now < end && now < since + STILL_MS) {
		scene_turn(scene);
		now = scene_now_ms();
		if (!is_still(scene))
			since = now;
	}
	return now >= since + STILL_MS;
}

/** Whoever still waits for something will not get it; whatever is still under
 * way arrives. */
static void let_all_end(struct scene *scene)
{
	struct crew_member *client = &scene->crew[SCENE_CLIENT];

	if (scene->story.persists && !client->gone)
		kill(client->pid, SIGKILL);
	crew_end_input(client);
	relay_release(&scene->relays[0]);
	relay_release(&scene->relays[1]);
	if (scene->has_cable)
		cable_mend(&scene->cable);
}

void scene_play(struct scene *scene)
{
	int64_t end = scene->begun_ms + KNOWN_MS;

	while (!is_known(scene) && scene_now_ms() < end)
		scene_turn(scene);
	scene_note(scene, "settled", 0);
	story_read(&scene->story);
	let_all_end(scene);
	if (!await_rest(scene) && !scene->story.persists)
		story_complain(&scene->story, "the server does not come to rest");
	story_read(&scene->story);
}

/* ---- end */

uint64_t scene_total(const struct scene *scene)
{
	const struct relay *home = &scene->relays[1];

	switch (scene->plan->kind) {
	case SCENE_NONE:
		return 0;
	case SCENE_DROP:
		return scene->cable.messages;
	case SCENE_KILL:
	case SCENE_STOP:
		return scene->tracer.count;
	default:
		break;
	}
	if (strncmp(scene->plan->where, "home-", 5) == 0)
		return home->passed[home->cut_direction];
	return scene->relays[0].passed[scene->relays[0].cut_direction];
}

void scene_close(struct scene *scene)
{
	for (int who = 0; who < SCENE_CREW; who++)
		crew_kill(&scene->crew[who]);
	while (waitpid(-1, NULL, __WALL) > 0)
		continue;
	if (scene->has_cable) {
		cable_close(&scene->cable);
	} else {
		relay_close(&scene->relays[0]);
		relay_close(&scene->relays[1]);
	}
	story_close(&scene->story);
	close(scene->signal_fd);
	close(scene->events_fd);
}
