/* SPDX-License-Identifier: ISC */
/*
 * scene.h - one case of a sweep: who plays, what goes wrong, what is waited for
 */
#ifndef PSU_SCENE_H
#define PSU_SCENE_H

#include "cable.h"
#include "crew.h"
#include "relay.h"
#include "story.h"
#include "tracer.h"

#include <stdint.h>

enum scene_kind {
	SCENE_NONE,
	SCENE_RESET,
	SCENE_FINISH,
	SCENE_STALL,
	SCENE_TEAR,
	SCENE_USURP, /* reset, and another process answers from then on */
	SCENE_KILL,
	SCENE_STOP,
	SCENE_DROP
};

/** When it is mended. */
enum scene_after { SCENE_SOON, SCENE_LATE, SCENE_NEVER };

struct scene_plan {
	const char *nomad;	/* the program */
	const char *events; /* the file that is written */
	const char *certs;
	const char *verb; /* of nomad.c: what the client does */
	const char *luggage;
	enum scene_kind kind;
	const char *where;
	unsigned n; /* 0: it does not happen, but what could be is counted */
	enum scene_after after;
};

enum { SCENE_CLIENT, SCENE_SERVER, SCENE_SECOND, SCENE_CREW };

struct scene {
	const struct scene_plan *plan;
	int events_fd, signal_fd;
	struct crew_member crew[SCENE_CREW];
	struct relay relays[2]; /* to the server, and home */
	struct cable cable;
	bool has_cable;
	struct tracer tracer;
	struct story story;
	int64_t begun_ms, fired_ms; /* 0: not yet */
	int64_t over_ms;			/* since when all is known */
	bool mended;
	bool replaced; /* the second has the server's place */
};

int64_t scene_now_ms(void);

/** Set everything up and let it begin.  False: it cannot be done here. */
bool scene_open(struct scene *scene, const struct scene_plan *plan);
void scene_close(struct scene *scene);

/** Play it to its end. */
void scene_play(struct scene *scene);

/** How many places there were at which it could have happened. */
uint64_t scene_total(const struct scene *scene);

/* ---- the parts (scene_turn.c) */

/** Add a line to the events. */
void scene_note(struct scene *scene, const char *what, pid_t pid);
/** Wait a little for anything to happen, and let it; set the fault, and mend
 * it, when its time has come. */
void scene_turn(struct scene *scene);

bool scene_start(struct scene *scene, int who);
/** Wait until a process is ready, and let it begin.  False: it ended. */
bool scene_await_ready(struct scene *scene, int who);

#endif
