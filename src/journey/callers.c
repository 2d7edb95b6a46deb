/* SPDX-License-Identifier: ISC */
/*
 * callers.c - the list of those who ask this process
 */
#include "journey/callers.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

void psu_callers_list(struct psu_process *process, struct psu_caller *caller)
{
	caller->next = process->callers;
	process->callers = caller;
}

void psu_callers_unlist(struct psu_process *process, struct psu_caller *caller)
{
	struct psu_caller **link = &process->callers;

	while (*link != caller)
		link = &(*link)->next;
	*link = caller->next;
}

/** Of a socket; 0: it is none. */
static ino_t inode_of(int fd)
{
	struct stat status;

	if (fstat(fd, &status) != 0 || !S_ISSOCK(status.st_mode))
		return 0;
	return status.st_ino;
}

void psu_callers_set_fd(struct psu_caller *caller, int fd)
{
	caller->fd = fd;
	caller->inode = inode_of(fd);
}

unsigned psu_callers_count(const struct psu_process *process, bool known)
{
	unsigned count = 0;

	for (struct psu_caller *at = process->callers; at; at = at->next)
		count += at->known == known && !at->dropped;
	return count;
}

void psu_callers_drop_oldest_stranger(struct psu_process *process)
{
	struct psu_caller *oldest = NULL;

	for (struct psu_caller *at = process->callers; at; at = at->next)
		if (!at->known && !at->dropped)
			oldest = at;
	if (!oldest)
		return;
	oldest->dropped = true;
	shutdown(oldest->drop_fd, SHUT_RDWR);
}

unsigned psu_callers_count_of(const struct psu_process *process,
							  const struct psu_digest *peer)
{
	unsigned count = 0;

	for (struct psu_caller *at = process->callers; at; at = at->next)
		count += at->known && psu_digest_equal(&at->peer, peer);
	return count;
}

void psu_callers_close_duplicate(struct psu_caller *caller)
{
	if (caller->drop_fd >= 0)
		close(caller->drop_fd);
	caller->drop_fd = -1;
}

static bool leads_to(const struct psu_way *way, const struct psu_caller *caller)
{
	return psu_id_equal(&caller->incarnation, &way->incarnation) &&
		   psu_way_may_end_at(way, &caller->peer);
}

/** The newest whose session may be called for, and was, or was not. */
static struct psu_caller *find(const struct psu_way *way, bool asked)
{
	struct psu_caller *at = psu_process_get()->callers;

	if (psu_id_is_zero(&way->incarnation))
		return NULL;
	while (at && (at->wake_fd < 0 || at->asked != asked || !leads_to(way, at)))
		at = at->next;
	return at;
}

bool psu_callers_call(const struct psu_way *way)
{
	struct psu_caller *caller = find(way, false);

	if (!caller)
		return false;
	caller->asked = true;
	eventfd_write(caller->wake_fd, 1);
	return true;
}

bool psu_callers_were_called(const struct psu_way *way)
{
	return find(way, true);
}

bool psu_callers_know(const struct psu_place *place)
{
	struct psu_caller *at = psu_process_get()->callers;

	while (at && !psu_place_is(place, &at->peer, &at->incarnation))
		at = at->next;
	return at;
}

void psu_callers_forked(void)
{
	struct psu_caller *at = psu_process_get()->callers;

	for (; at; at = at->next) {
		if (at->inode && inode_of(at->fd) == at->inode)
			close(at->fd);
		psu_callers_close_duplicate(at);
		if (at->wake_fd >= 0)
			close(at->wake_fd);
	}
}
