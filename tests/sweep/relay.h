/* SPDX-License-Identifier: ISC */
/*
 * relay.h - a TCP line on loopback that can be cut before any byte
 *
 * Passes on what comes, until a chosen byte of a chosen direction, counted
 * over all its connections, is to go out; then that connection is cut.  Later
 * ones are as the line then is: good, dead, or leading elsewhere.
 */
#ifndef PSU_RELAY_H
#define PSU_RELAY_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum relay_direction {
	RELAY_OUT, /* from who dialled */
	RELAY_IN
};

enum relay_cut {
	RELAY_RESET,  /* both ends get a RST */
	RELAY_FINISH, /* both ends get a FIN */
	RELAY_STALL,  /* nothing more of that direction until relay_release() */
	RELAY_TEAR	  /* who dialled gets a RST; what it had sent by then reaches
					 the other after relay_release() */
};

#define RELAY_LINKS_MAX 64

/** One direction of a connection. */
struct relay_way {
	int from_fd, to_fd;
	uint8_t *bytes; /* received and not sent yet */
	size_t len;
	bool ended;	  /* nothing more comes */
	bool closed;  /* and that was passed on */
	bool stalled; /* by the cut */
};

struct relay_link {
	struct relay_way ways[2];
	bool open;
};

struct relay {
	int listen_fd;
	unsigned port;		  /* its own */
	unsigned target_port; /* where new connections lead; 0: nowhere */
	struct relay_link links[RELAY_LINKS_MAX];
	int link_count;
	uint64_t passed[2]; /* bytes, by direction */

	uint64_t cut_at; /* the byte that does not pass, from 1; 0: none */
	enum relay_direction cut_direction;
	enum relay_cut cut;
	bool has_cut;
};

/** False: it cannot listen. */
bool relay_open(struct relay *relay);
void relay_close(struct relay *relay);

#define RELAY_FDS_MAX (1 + 2 * RELAY_LINKS_MAX)

/** What to wait for; returns how many there are. */
size_t relay_prepare(struct relay *relay, struct pollfd *fds);
/** Pass on what can be passed on without waiting. */
void relay_work(struct relay *relay);

/** What a stall has held back goes on. */
void relay_release(struct relay *relay);
/** Whether anything is under way. */
bool relay_is_busy(const struct relay *relay);

#endif
