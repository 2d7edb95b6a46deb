/* SPDX-License-Identifier: ISC */
/*
 * serve.c - accept the server's callers, authenticate, follow their requests
 *
 * One thread accepts and does no TLS; each caller has a thread of its own.
 */
#include "journey/arrive.h"
#include "journey/callers.h"
#include "journey/compare.h"
#include "journey/keeper.h"
#include "journey/line.h"
#include "journey/process.h"
#include "net/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- turning: a caller's session on which we want to ask */

/** Ask the caller for its session, unless it has been asked and has not had
 * the time to answer. */
static int call(struct psu_caller *caller, struct psu_session *session)
{
	eventfd_t count;

	if (eventfd_read(caller->wake_fd, &count) == 0)
		caller->wanted = true;
	/* who is called for may be on the point of ending */
	psu_error_whisper(caller->wanted);
	if (!caller->wanted || caller->called)
		return 0;
	caller->called = true;
	return psu_session_send_frame(session, PSU_FRAME_CALL, NULL, 0);
}

/* ---- one caller */

/** It is a peer now; false if there are too many already, of its own or of
 * all. */
static bool become_known(struct psu_caller *caller,
						 const struct psu_session *session)
{
	struct psu_process *process = psu_process_get();

	psu_process_lock();
	caller->peer = session->peer.digest;
	caller->known = psu_callers_count(process, true) < PSU_SESSIONS_MAX &&
					psu_callers_count_of(process, &caller->peer) <
						PSU_PEER_SESSIONS_MAX;
	caller->dropped = !caller->known;
	psu_callers_close_duplicate(caller);
	psu_process_unlock();
	return caller->known;
}

/** A request crosses a CALL, which is void then; FORGET asks nothing. */
static void follow_request(struct psu_caller *caller,
						   struct psu_session *session,
						   const struct psu_frame_header *header)
{
	if (header->type != PSU_FRAME_FORGET)
		caller->called = false;
	if (header->type == PSU_FRAME_OFFER)
		psu_arrive(session, header);
	else if (header->type == PSU_FRAME_COMPARE)
		psu_compare_answer(session);
	else
		psu_arrive_control(session, header);
}

/** Follow its requests until it closes, or does wrong.  True: until the
 * session has turned. */
static bool follow_requests(struct psu_caller *caller,
							struct psu_session *session, int64_t patience_ms)
{
	while (!session->broken) {
		struct psu_frame_header header;
		int64_t deadline = psu_clock_deadline(patience_ms);
		int64_t end = session->opened_ms + PSU_SESSION_AGE_MS;
		int rc;

		rc = call(caller, session);
		deadline = deadline < end ? deadline : end;
		if (!rc && !psu_session_await(session, caller->wake_fd, deadline))
			continue;
		if (!rc)
			rc = psu_session_recv_header(session, &header, deadline);
		/* it is usual only for one that has asked something before */
		if (rc == PSU_THREAD_E_HOST_SILENT &&
			patience_ms == PSU_FIRST_REQUEST_MS)
			psu_error_tell(rc);
		psu_error_whisper(false);
		if (rc)
			return false;
		if (header.type == PSU_FRAME_TURN && caller->called)
			return true;
		follow_request(caller, session, &header);
		patience_ms = PSU_IDLE_MS;
	}
	return false;
}

static int refuse_busy(struct psu_session *session)
{
	int rc = psu_error_set(PSU_THREAD_E_BUSY,
						   "%s gets no session: there are %d already, or %d "
						   "of its own: let it close some",
						   session->peer_name, PSU_SESSIONS_MAX,
						   PSU_PEER_SESSIONS_MAX);

	psu_session_refuse(session, rc);
	return rc;
}

/** From now on its session may be called for. */
static void become_callable(struct psu_caller *caller,
							const struct psu_session *session)
{
	int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	/* without one it is merely not called for */
	psu_process_lock();
	caller->incarnation = session->hello.incarnation;
	caller->wake_fd = wake_fd;
	psu_line_look_again(&caller->incarnation);
	psu_process_unlock();
}

/** Returns the session if it has turned. */
static struct psu_session *serve(struct psu_caller *caller)
{
	struct psu_process *process = psu_process_get();
	struct psu_session *session = NULL;
	int rc = psu_session_authenticate(&process->context, caller->fd,
									  caller->from, &session);

	if (rc)
		return NULL;
	if (become_known(caller, session))
		rc = psu_session_greet(&process->context, session);
	else
		rc = refuse_busy(session);
	if (!rc) {
		become_callable(caller, session);
		if (follow_requests(caller, session, PSU_FIRST_REQUEST_MS))
			return session;
	}
	psu_session_close(session);
	return NULL;
}

/** The caller's session has ended, or turned. */
static void forget(struct psu_caller *caller)
{
	struct psu_process *process = psu_process_get();

	psu_process_lock();
	psu_callers_unlist(process, caller);
	psu_callers_close_duplicate(caller);
	if (caller->known && !psu_callers_count_of(process, &caller->peer))
		psu_dest_peer_gone(&process->dest, &caller->peer);
	psu_line_look_again(&caller->incarnation);
	psu_keeper_look(&caller->incarnation);
	psu_process_unlock();
	if (caller->wake_fd >= 0)
		close(caller->wake_fd);
	free(caller);
}

static void *serve_caller(void *argument)
{
	struct psu_session *turned = serve(argument);

	/* at no time is there neither a caller nor a line */
	if (turned)
		psu_line_adopt("", turned);
	forget(argument);
	return NULL;
}

void psu_serve_turned(struct psu_session *session)
{
	struct psu_process *process = psu_process_get();
	struct psu_caller *caller = calloc(1, sizeof(*caller));

	psu_process_lock();
	if (caller) {
		psu_callers_set_fd(caller, session->fd);
		caller->wake_fd = caller->drop_fd = -1;
		caller->peer = session->peer.digest;
		caller->incarnation = session->hello.incarnation;
		caller->known = true;
		psu_callers_list(process, caller);
	}
	/* at no time is it neither a caller's session nor a line */
	psu_line_disown(session);
	psu_process_unlock();
	if (caller) {
		follow_requests(caller, session, PSU_IDLE_MS);
		forget(caller);
	}
	psu_session_close(session);
}

/* ---- accept */

/** Takes @fd over. */
static void take_caller(struct psu_process *process, int fd, const char *from)
{
	struct psu_caller *caller = calloc(1, sizeof(*caller));
	int drop_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (!caller || drop_fd < 0) {
		psu_error_shortage("serve", from);
		goto out;
	}
	psu_callers_set_fd(caller, fd);
	caller->drop_fd = drop_fd;
	caller->wake_fd = -1;
	snprintf(caller->from, sizeof(caller->from), "%s", from);
	psu_process_lock();
	if (psu_callers_count(process, false) >= PSU_STRANGERS_MAX)
		psu_callers_drop_oldest_stranger(process);
	psu_callers_list(process, caller);
	psu_process_unlock();
	if (psu_process_spawn(serve_caller, caller) == 0)
		return;
	psu_process_lock();
	psu_callers_unlist(process, caller);
	psu_process_unlock();
out:
	if (drop_fd >= 0)
		close(drop_fd);
	close(fd);
	free(caller);
}

static void *accept_callers(void *argument)
{
	struct psu_process *process = argument;
	char from[80];
	int fd;

	while (psu_socket_accept(process->listen_fd, &fd, from, sizeof(from)) == 0)
		take_caller(process, fd, from);
	return NULL;
}

/* ---- start */

/** Whole or not at all: a reader never sees half a number. */
static int write_port_file(const char *path, unsigned port)
{
	char temporary[4096];
	FILE *file = NULL;
	bool good = (size_t)snprintf(temporary, sizeof(temporary), "%s.%ld", path,
								 (long)getpid()) < sizeof(temporary);

	/* a new file: what lies there may be a link to another, or a FIFO */
	if (good) {
		unlink(temporary);
		file = fopen(temporary, "wxe");
	}
	good = file && fprintf(file, "%u\n", port) > 0;
	if (file && fclose(file) != 0)
		good = false;
	if (good && rename(temporary, path) == 0)
		return 0;
	return psu_error_set(PSU_THREAD_E_LISTEN_FAILED,
						 "cannot write the port to %s: %s: name another file "
						 "in PSU_THREAD_PORT_FILE",
						 path, strerror(errno));
}

int psu_serve_listen(struct psu_process *process)
{
	const char *listen_text = getenv("PSU_THREAD_LISTEN");
	const char *port_path = getenv("PSU_THREAD_PORT_FILE");
	struct psu_endpoint endpoint = {.host = ""};
	unsigned port;
	int rc = 0;

	snprintf(endpoint.port, sizeof(endpoint.port), "%d",
			 PSU_THREAD_DEFAULT_PORT);
	if (listen_text && strspn(listen_text, "0123456789") == strlen(listen_text))
		rc = psu_error_set(PSU_THREAD_E_INVALID_ARGUMENT,
						   "PSU_THREAD_LISTEN='%s' is no address: for a port "
						   "on all addresses write :%s",
						   listen_text, listen_text);
	else if (listen_text)
		rc = psu_socket_parse(listen_text, PSU_THREAD_DEFAULT_PORT, &endpoint);
	if (!rc)
		rc = psu_socket_listen(&endpoint, &process->listen_fd, &port);
	if (!rc && port_path)
		rc = write_port_file(port_path, port);
	if (!rc)
		psu_log(PSU_THREAD_LOG_INFO, "Listening on %s port %u",
				*endpoint.host ? endpoint.host : "all addresses,", port);
	return rc;
}

int psu_serve_accept(struct psu_process *process)
{
	return psu_process_spawn(accept_callers, process);
}
