/* SPDX-License-Identifier: ISC */
/*
 * line_watch.c - look after idle lines
 *
 * One thread waits for all of them.  What comes on an idle line is its end,
 * or a CALL: the peer wants to ask, and cannot dial us.  Then the line turns,
 * and a thread of its own follows the peer's requests.
 */
#include "journey/keeper.h"
#include "journey/line.h"
#include "journey/process.h"
#include "net/limits.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_MAX 64

/** On a thread of its own: who is slow here delays nobody. */
static void *attend(void *argument)
{
	struct psu_session *session = argument;
	struct psu_frame_header header;
	int64_t deadline = psu_clock_deadline(PSU_MESSAGE_MS);
	int rc;

	/* that a peer ends is its own affair; whoever needs the line will tell */
	psu_error_whisper(true);
	rc = psu_session_recv_header(session, &header, deadline);
	if (!rc && header.type != PSU_FRAME_CALL)
		rc = psu_session_unexpected(session, &header);
	if (!rc)
		rc = psu_session_send_frame(session, PSU_FRAME_TURN, NULL, 0);
	psu_error_whisper(false);
	if (rc)
		session->broken = true;
	if (rc)
		psu_line_put(session);
	else
		psu_serve_turned(session);
	return NULL;
}

static void look_into(int fd)
{
	struct psu_session *session;

	psu_process_lock();
	session = psu_line_seize(fd);
	psu_process_unlock();
	if (!session || psu_process_spawn(attend, session) == 0)
		return;
	session->broken = true;
	psu_line_put(session);
}

static void *watch(void *argument)
{
	int watch_fd = ((struct psu_process *)argument)->watch_fd;
	struct epoll_event events[EVENTS_MAX];
	int count;

	do {
		count = epoll_wait(watch_fd, events, EVENTS_MAX, -1);
		for (int i = 0; i < count; i++)
			look_into(events[i].data.fd);
	} while (count >= 0 || errno == EINTR);
	return NULL;
}

/** When there is something to look after for the first time. */
static bool begin(struct psu_process *process)
{
	if (process->watch_fd >= 0)
		return true;
	process->watch_fd = epoll_create1(EPOLL_CLOEXEC);
	if (process->watch_fd < 0)
		return false;
	if (psu_process_spawn(watch, process) == 0)
		return true;
	close(process->watch_fd);
	process->watch_fd = -1;
	return false;
}

/* A line that cannot be watched is usable still; its end shows when it is
 * taken. */

bool psu_line_may_idle(const struct psu_line *line)
{
	const struct psu_session *session = line->session;
	const struct psu_place place = {
		.identity = session->peer.digest,
		.incarnation = session->hello.incarnation,
	};
	size_t idle_count = 0;
	bool is_idle_there = false;

	for (struct psu_line *at = psu_process_get()->lines; at; at = at->next) {
		if (!at->idle)
			continue;
		idle_count++;
		if (psu_place_is(&place, &at->session->peer.digest,
						 &at->session->hello.incarnation))
			is_idle_there = true;
	}
	return idle_count < PSU_LINES_IDLE_MAX ||
		   (!is_idle_there && psu_keeper_is_visited(&place));
}

void psu_line_watch(struct psu_line *line)
{
	struct psu_process *process = psu_process_get();
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT,
		.data.fd = line->session->fd,
	};
	int operation = line->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	/* the kernel tells nothing of what OpenSSL has read: look at once */
	if (SSL_has_pending(line->session->ssl))
		event.events |= EPOLLOUT;
	if (begin(process) &&
		epoll_ctl(process->watch_fd, operation, event.data.fd, &event) == 0)
		line->watched = true;
}

void psu_line_unwatch(struct psu_line *line)
{
	/* as if it had told already: without that it tells of a failure for ever */
	struct epoll_event event = {
		.events = EPOLLONESHOT,
		.data.fd = line->session->fd,
	};

	if (line->watched)
		epoll_ctl(psu_process_get()->watch_fd, EPOLL_CTL_MOD, event.data.fd,
				  &event);
}

void psu_line_forked(void)
{
	struct psu_process *process = psu_process_get();

	for (struct psu_line *at = process->lines; at; at = at->next)
		if (at->session)
			close(at->session->fd);
	if (process->watch_fd >= 0)
		close(process->watch_fd);
}
