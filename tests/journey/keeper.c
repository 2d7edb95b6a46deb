/* SPDX-License-Identifier: ISC */
/*
 * keeper.c - keep a port for processes that are to listen there in turn
 *
 * The number is written to $PSU_THREAD_PORT_FILE.  Who asks for a port of its
 * own is not given one that another socket is bound to (bind(2)); who asks for
 * this one gets it, since neither of them minds (SO_REUSEADDR, socket(7)).
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/** Returns its port, or 0. */
static unsigned keep(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(address);

	if (bind(fd, (struct sockaddr *)&address, len) != 0 ||
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
		getsockname(fd, (struct sockaddr *)&address, &len) != 0)
		return 0;
	return ntohs(address.sin_port);
}

int main(void)
{
	const char *path = getenv("PSU_THREAD_PORT_FILE");
	FILE *file = path ? fopen(path, "w") : NULL;
	unsigned port = keep();

	if (!file || !port || fprintf(file, "%u\n", port) < 0 || fclose(file) != 0)
		return 1;
	for (;;)
		pause();
}
