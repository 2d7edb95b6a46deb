/* SPDX-License-Identifier: ISC */
/*
 * cable.h - two hosts in network namespaces, joined by a cable of our own
 *
 * Each namespace has a TUN device, and what one sends the other gets through
 * this process, packet by packet.  From a chosen message on, which is a packet
 * with TCP payload of either direction, the cable drops what goes in one or
 * both directions, until it is mended.
 */
#ifndef PSU_CABLE_H
#define PSU_CABLE_H

#include <poll.h>
#include <stdbool.h>

/** The hosts' addresses, by end. */
#define CABLE_ADDRESS_0 "10.77.0.1"
#define CABLE_ADDRESS_1 "10.77.0.2"

struct cable {
	int ns_fds[2];	/* of the two hosts */
	int tun_fds[2]; /* packets to and from each of them */
	unsigned messages;
	unsigned cut_at;   /* the message that is dropped first, from 1; 0: none */
	bool cuts_from[2]; /* whether what that end sends is dropped */
	bool is_cut;
};

/** False, with errno: not permitted, or not there. */
bool cable_open(struct cable *cable);
void cable_close(struct cable *cable);

/** What to wait for: two of them. */
void cable_prepare(const struct cable *cable, struct pollfd fds[2]);
void cable_work(struct cable *cable);
void cable_mend(struct cable *cable);

#endif
