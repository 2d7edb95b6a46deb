/* SPDX-License-Identifier: ISC */
/*
 * strangers.c - connections of those who have no certificate
 *
 *     strangers silent|dribble|promise PORT COUNT
 *         Keep COUNT connections to 127.0.0.1:PORT that say nothing, or a
 *         ClientHello a byte at a time, or only that a record of 16 KiB
 *         follows.  One that the server closes is opened again, at most one
 *         per tick.  Says "Ready" when all stand, and how long each stood.
 *         One alone is not opened again.
 *     strangers closed|mute|full FILE
 *         A port that nobody listens on; or where connections are accepted
 *         and not answered; or where a full queue keeps them out.  Its number
 *         goes to FILE.
 *
 * Ports and crowds stay until they are ended.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define COUNT_MAX 1000
#define TICK_MS 10

static void fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct sockaddr_in loopback(unsigned short port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

static int open_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail("socket");
	return fd;
}

static int dial(unsigned short port)
{
	struct sockaddr_in address = loopback(port);
	int fd = open_socket();

	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		fail("connect");
	return fd;
}

/* ---- callers */

static const struct manner {
	const char *name;
	const char *bytes;
	int len; /* of which one is sent at each tick, or all at once */
	int at_once;
} manners[] = {
	{"silent", "", 0, 1},
	/* a record of 512 bytes, with a ClientHello of 508 */
	{"dribble", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11, 0},
	{"promise", "\x16\x03\x03\x40\x00", 5, 1},
};

static struct pollfd connections[COUNT_MAX];
static long long opened_ms[COUNT_MAX];
static int sent_len[COUNT_MAX];

static void open_one(int i, unsigned short port, const struct manner *manner)
{
	connections[i] = (struct pollfd){.fd = dial(port), .events = POLLIN};
	opened_ms[i] = now_ms();
	sent_len[i] = manner->at_once ? manner->len : 0;
	if (sent_len[i])
		send(connections[i].fd, manner->bytes, (size_t)manner->len,
			 MSG_NOSIGNAL);
}

static void close_one(int i)
{
	close(connections[i].fd);
	connections[i].fd = -1;
	printf("Closed after %lld ms\n", now_ms() - opened_ms[i]);
}

/** The bytes of the manner first, then zeros. */
static void send_byte(int i, const struct manner *manner)
{
	char byte = sent_len[i] < manner->len ? manner->bytes[sent_len[i]] : 0;

	send(connections[i].fd, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	sent_len[i]++;
}

static void call(const struct manner *manner, unsigned short port, int count)
{
	for (int i = 0; i < count; i++)
		open_one(i, port, manner);
	puts("Ready");
	while (count > 1 || connections[0].fd >= 0) {
		int reopened = 0;

		for (int i = 0; i < count; i++)
			if (connections[i].fd < 0 && !reopened) {
				open_one(i, port, manner);
				reopened = 1;
			}
		poll(connections, (nfds_t)count, 0);
		for (int i = 0; i < count; i++)
			if (connections[i].fd >= 0 && connections[i].revents)
				close_one(i);
			else if (connections[i].fd >= 0 && !manner->at_once)
				send_byte(i, manner);
		poll(NULL, 0, TICK_MS);
	}
}

/* ---- ports */

static unsigned short bind_any(int fd)
{
	struct sockaddr_in address = loopback(0);
	socklen_t len = sizeof(address);

	if (bind(fd, (struct sockaddr *)&address, len) != 0 ||
		getsockname(fd, (struct sockaddr *)&address, &len) != 0)
		fail("bind");
	return ntohs(address.sin_port);
}

static void tell_port(const char *path, unsigned short port)
{
	char temporary[4096];
	FILE *file;

	snprintf(temporary, sizeof(temporary), "%s.new", path);
	file = fopen(temporary, "w");
	if (!file || fprintf(file, "%u\n", port) < 0 || fclose(file) != 0 ||
		rename(temporary, path) != 0)
		fail(path);
}

/** Open connections until the queue takes no more. */
static void fill_queue(unsigned short port)
{
	struct sockaddr_in address = loopback(port);
	struct pollfd poll_fd = {.events = POLLOUT};

	do {
		poll_fd.fd = open_socket();
		fcntl(poll_fd.fd, F_SETFL, O_NONBLOCK);
		if (connect(poll_fd.fd, (struct sockaddr *)&address, sizeof(address)) !=
				0 &&
			errno != EINPROGRESS)
			fail("connect");
	} while (poll(&poll_fd, 1, 300) > 0);
}

static void occupy_port(const char *how, const char *path)
{
	int fd = open_socket();
	unsigned short port = bind_any(fd);

	if (strcmp(how, "closed") != 0 &&
		listen(fd, strcmp(how, "full") == 0 ? 0 : 16) != 0)
		fail("listen");
	if (strcmp(how, "full") == 0)
		fill_queue(port);
	tell_port(path, port);
	for (;;)
		if (strcmp(how, "mute") != 0 || accept(fd, NULL, NULL) < 0)
			pause();
}

int main(int argc, char **argv)
{
	int count = argc == 4 ? atoi(argv[3]) : 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < sizeof(manners) / sizeof(*manners); i++)
		if (count > 0 && count <= COUNT_MAX &&
			strcmp(argv[1], manners[i].name) == 0) {
			call(&manners[i], (unsigned short)atoi(argv[2]), count);
			return 0;
		}
	if (argc == 3)
		occupy_port(argv[1], argv[2]);
	fprintf(stderr, "usage: strangers MANNER PORT COUNT, or HOW FILE\n");
	return 2;
}
