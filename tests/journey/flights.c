/* SPDX-License-Identifier: ISC */
/*
 * flights.c - how often a move goes to and fro
 *
 *     flights serve CERTS            takes in as many threads as `go` sends;
 *                                    each ends at a byte from stdin
 *     flights go CERTS PORT          sends them there, through a relay of its
 *                                    own, and says for each of them how often
 *                                    the server answered: one flight, two
 *
 * The relay sees nothing but bytes.  A flight is whatever goes one way before
 * something comes back.
 */
#include "journey/line.h"
#include "journey/process.h"
#include "net/socket.h"

#include <psu_thread.h>

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct {
	const char *name;
	size_t len; /* of its stack, about */
} moves[] = {
	{"cold 8 KiB", 8u << 10},
	{"warm 8 KiB", 8u << 10},
	{"warm 64 KiB", (64u << 10) - 2048}, /* with its head: a body of 64 */
	{"warm 1 MiB", 1u << 20},
};

#define MOVE_COUNT (sizeof(moves) / sizeof(*moves))

static char relay_address[32];

/* guarded by the lock */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t passed = PTHREAD_COND_INITIALIZER;
static unsigned connections, answers;
static bool server_spoke; /* last */
static bool closed;

static void fail(const char *what)
{
	fprintf(stderr, "flights: %s: %s\n", what, psu_thread_errmsg());
	_exit(1);
}

/* ---- the relay */

static bool pass_on(int from_fd, int to_fd, bool from_server)
{
	char bytes[65536];
	ssize_t len = recv(from_fd, bytes, sizeof(bytes), 0);

	if (len <= 0)
		return false;
	pthread_mutex_lock(&lock);
	answers += from_server && !server_spoke;
	pthread_mutex_unlock(&lock);
	for (ssize_t at = 0, sent; at < len; at += sent) {
		sent = send(to_fd, bytes + at, (size_t)(len - at), MSG_NOSIGNAL);
		if (sent < 0)
			return false;
	}
	pthread_mutex_lock(&lock);
	server_spoke = from_server;
	pthread_cond_broadcast(&passed);
	pthread_mutex_unlock(&lock);
	return true;
}

static void relay_one(int client_fd, int server_fd)
{
	struct pollfd fds[] = {{client_fd, POLLIN, 0}, {server_fd, POLLIN, 0}};
	bool open = true;

	while (open && poll(fds, 2, -1) > 0) {
		if (fds[0].revents)
			open = pass_on(client_fd, server_fd, false);
		if (open && fds[1].revents)
			open = pass_on(server_fd, client_fd, true);
	}
	close(client_fd);
	close(server_fd);
	pthread_mutex_lock(&lock);
	closed = true;
	pthread_cond_broadcast(&passed);
	pthread_mutex_unlock(&lock);
}

static int listen_fd;
static struct psu_endpoint server_endpoint = {.host = "127.0.0.1"};

static void *relay(void *unused)
{
	int client_fd, server_fd;

	(void)unused;
	while ((client_fd = accept(listen_fd, NULL, NULL)) >= 0) {
		pthread_mutex_lock(&lock);
		connections++;
		pthread_mutex_unlock(&lock);
		if (psu_socket_dial(&server_endpoint, &server_fd) != 0)
			fail("cannot reach the server");
		relay_one(client_fd, server_fd);
	}
	return NULL;
}

static void start_relay(const char *server_port)
{
	const struct psu_endpoint endpoint = {"127.0.0.1", "0"};
	pthread_t thread;
	unsigned port;

	snprintf(server_endpoint.port, sizeof(server_endpoint.port), "%s",
			 server_port);
	if (psu_socket_listen(&endpoint, &listen_fd, &port) != 0 ||
		pthread_create(&thread, NULL, relay, NULL) != 0)
		fail("cannot start the relay");
	snprintf(relay_address, sizeof(relay_address), "127.0.0.1:%u", port);
}

/* ---- the threads */

static void *travel(void *argument)
{
	size_t len = *(const size_t *)argument;
	volatile char luggage[len];
	char byte;

	memset((void *)(uintptr_t)luggage, 1, len);
	if (psu_thread_migrate(relay_address) != 0)
		fail("a move failed");
	/* its result would go home by the way that is looked at */
	if (read(STDIN_FILENO, &byte, 1) != 1)
		fail("no word");
	return (void *)(uintptr_t)luggage[len - 1];
}

/** The source's last word, that it has heard: with it the move is over. */
static unsigned await_last_word(void)
{
	unsigned count;

	pthread_mutex_lock(&lock);
	while (server_spoke)
		pthread_cond_wait(&passed, &lock);
	count = answers;
	pthread_mutex_unlock(&lock);
	return count;
}

/** While the relay is there to pass it on. */
static void say_goodbye(void)
{
	psu_line_close_idle();
	pthread_mutex_lock(&lock);
	while (!closed)
		pthread_cond_wait(&passed, &lock);
	pthread_mutex_unlock(&lock);
}

static int go(const char *server_port)
{
	unsigned before = 0;

	start_relay(server_port);
	for (size_t i = 0; i < MOVE_COUNT; i++) {
		size_t len = moves[i].len;
		unsigned now;

		if (psu_thread_create(travel, &len) != 0)
			fail("a thread did not leave");
		now = await_last_word();
		printf("%s: %u\n", moves[i].name, now - before);
		before = now;
	}
	printf("connections: %u\n", connections);
	say_goodbye();
	return 0;
}

static void *take_in(void *unused)
{
	if (psu_thread_create(NULL, NULL) != 0)
		fail("no thread came");
	return unused;
}

static int serve(void)
{
	pthread_t threads[MOVE_COUNT];

	for (size_t i = 0; i < MOVE_COUNT; i++)
		if (pthread_create(&threads[i], NULL, take_in, NULL) != 0)
			fail("no thread");
	for (size_t i = 0; i < MOVE_COUNT; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

int main(int argc, char **argv)
{
	bool server = argc == 3;

	if (argc < 3 ||
		psu_thread_setup_init(server ? PSU_THREAD_SERVER : PSU_THREAD_CLIENT,
							  argv[2]) != 0)
		fail("cannot set up");
	return server ? serve() : go(argv[3]);
}
