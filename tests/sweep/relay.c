/* SPDX-License-Identifier: ISC */
/*
 * relay.c - a TCP line on loopback that can be cut before any byte
 */
#include "relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in loopback(unsigned port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

bool relay_open(struct relay *relay)
{
	struct sockaddr_in address = loopback(0);
	socklen_t len = sizeof(address);

	*relay = (struct relay){0};
	relay->listen_fd = socket(AF_INET,
							  SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (relay->listen_fd < 0 ||
		bind(relay->listen_fd, (struct sockaddr *)&address, len) != 0 ||
		listen(relay->listen_fd, RELAY_LINKS_MAX) != 0 ||
		getsockname(relay->listen_fd, (struct sockaddr *)&address, &len) != 0)
		return false;
	relay->port = ntohs(address.sin_port);
	return true;
}

/* ---- connections */

/** Both ends at once; a reset leaves no time for what lies in buffers. */
static void close_link(struct relay_link *link, bool reset)
{
	const struct linger hard = {.l_onoff = reset, .l_linger = 0};

	for (int way = 0; way < 2; way++) {
		int fd = link->ways[way].from_fd;

		setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		close(fd);
		free(link->ways[way].bytes);
	}
	*link = (struct relay_link){.open = false};
}

static void take_link(struct relay *relay, int fd)
{
	struct sockaddr_in address = loopback(relay->target_port);
	struct relay_link *link = &relay->links[relay->link_count];
	int on = 1, target_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (relay->link_count == RELAY_LINKS_MAX || !relay->target_port ||
		target_fd < 0 ||
		connect(target_fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		close(fd);
		close(target_fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(target_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	relay->link_count++;
	link->open = true;
	link->ways[RELAY_OUT] = (struct relay_way){.from_fd = fd,
											   .to_fd = target_fd};
	link->ways[RELAY_IN] = (struct relay_way){.from_fd = target_fd,
											  .to_fd = fd};
}

void relay_close(struct relay *relay)
{
	for (int i = 0; i < relay->link_count; i++)
		if (relay->links[i].open)
			close_link(&relay->links[i], true);
	close(relay->listen_fd);
}

bool relay_is_busy(const struct relay *relay)
{
	for (int i = 0; i < relay->link_count; i++)
		if (relay->links[i].ways[0].len || relay->links[i].ways[1].len)
			return true;
	return false;
}

/* ---- bytes */

/** @dry_out  set when there is nothing more for now */
static void recv_some(struct relay_way *way, bool *dry_out)
{
	uint8_t bytes[65536], *all;
	ssize_t len = recv(way->from_fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (len > 0) {
		all = realloc(way->bytes, way->len + (size_t)len);
		if (!all)
			abort();
		memcpy(all + way->len, bytes, (size_t)len);
		way->bytes = all;
		way->len += (size_t)len;
		return;
	}
	*dry_out = true;
	if (len == 0 || (errno != EAGAIN && errno != EINTR))
		way->ended = true;
}

/** How much may go out before the cut. */
static size_t allowed_len(const struct relay *relay,
						  enum relay_direction direction, size_t len)
{
	uint64_t left = relay->cut_at - 1 - relay->passed[direction];

	if (!relay->cut_at || relay->has_cut || direction != relay->cut_direction)
		return len;
	return left < len ? (size_t)left : len;
}

/** False: the line behind it is dead. */
static bool send_some(struct relay *relay, struct relay_way *way,
					  enum relay_direction direction)
{
	size_t len = allowed_len(relay, direction, way->len);
	ssize_t sent = 0;

	if (len)
		sent = send(way->to_fd, way->bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0)
		return errno == EAGAIN || errno == EINTR;
	relay->passed[direction] += (uint64_t)sent;
	way->len -= (size_t)sent;
	if (way->len)
		memmove(way->bytes, way->bytes + sent, way->len);
	return true;
}

/** Whether the next byte is the one that does not pass. */
static bool is_cut_here(const struct relay *relay, const struct relay_way *way,
						enum relay_direction direction)
{
	return way->len && !allowed_len(relay, direction, way->len);
}

/** Who dialled is out of it; what it has sent is not lost yet. */
static void tear(struct relay_link *link, enum relay_direction direction)
{
	struct relay_way *out = &link->ways[RELAY_OUT];
	struct relay_way *in = &link->ways[RELAY_IN];
	const struct linger hard = {.l_onoff = 1, .l_linger = 0};

	while (!out->ended)
		recv_some(out, &out->ended);
	setsockopt(out->from_fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(out->from_fd);
	out->from_fd = in->to_fd = -1;
	out->stalled = direction == RELAY_OUT;
	in->ended = in->closed = true;
	in->len = 0;
}

static void cut(struct relay *relay, struct relay_link *link,
				enum relay_direction direction)
{
	relay->has_cut = true;
	if (relay->cut == RELAY_STALL)
		link->ways[direction].stalled = true;
	else if (relay->cut == RELAY_TEAR)
		tear(link, direction);
	else
		close_link(link, relay->cut == RELAY_RESET);
}

static void work_way(struct relay *relay, struct relay_link *link,
					 enum relay_direction direction)
{
	struct relay_way *way = &link->ways[direction];
	bool dry;

	if (!way->ended)
		recv_some(way, &dry);
	if (way->stalled)
		return;
	if (way->len && !send_some(relay, way, direction)) {
		close_link(link, true);
	} else if (is_cut_here(relay, way, direction)) {
		cut(relay, link, direction);
	} else if (way->ended && !way->len && !way->closed) {
		shutdown(way->to_fd, SHUT_WR);
		way->closed = true;
	}
}

void relay_work(struct relay *relay)
{
	int fd;

	while ((fd = accept4(relay->listen_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		take_link(relay, fd);
	for (int i = 0; i < relay->link_count; i++) {
		struct relay_link *link = &relay->links[i];

		if (link->open)
			work_way(relay, link, RELAY_OUT);
		if (link->open)
			work_way(relay, link, RELAY_IN);
		if (link->open && link->ways[0].closed && link->ways[1].closed)
			close_link(link, false);
	}
}

void relay_release(struct relay *relay)
{
	for (int i = 0; i < relay->link_count; i++) {
		relay->links[i].ways[RELAY_OUT].stalled = false;
		relay->links[i].ways[RELAY_IN].stalled = false;
	}
}

size_t relay_prepare(struct relay *relay, struct pollfd *fds)
{
	size_t count = 0;

	fds[count++] = (struct pollfd){relay->listen_fd, POLLIN, 0};
	for (int i = 0; i < relay->link_count; i++)
		for (int way = 0; relay->links[i].open && way < 2; way++) {
			struct relay_way *in = &relay->links[i].ways[way];
			struct relay_way *out = &relay->links[i].ways[1 - way];
			short events = in->ended ? 0 : POLLIN;

			if (out->len && !out->stalled)
				events |= POLLOUT;
			if (events)
				fds[count++] = (struct pollfd){in->from_fd, events, 0};
		}
	return count;
}
