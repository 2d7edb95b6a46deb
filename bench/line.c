/* SPDX-License-Identifier: ISC */
/*
 * line.c - TCP and TLS, and nothing else
 */
#include "line.h"
#include "journey/process.h"
#include "pair.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

void bench_line_send(SSL *line, const void *bytes, size_t len)
{
	size_t sent;

	if (SSL_write_ex(line, bytes, len, &sent) != 1 || sent != len)
		bench_fail("cannot write to the raw connection");
}

bool bench_line_recv(SSL *line, void *bytes_out, size_t len)
{
	uint8_t *at = bytes_out;
	size_t got;

	while (len) {
		if (SSL_read_ex(line, at, len, &got) != 1)
			return false;
		at += got;
		len -= got;
	}
	return true;
}

void bench_line_ask(SSL *line, unsigned char word, void *answer_out, size_t len)
{
	bench_line_send(line, &word, 1);
	if (!bench_line_recv(line, answer_out, len))
		bench_fail("the other side is gone");
}

static SSL *shake_hands(int fd, const char *dialled)
{
	SSL *line;
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (psu_tls_open(psu_process_get()->tls, fd, dialled, &line) != 0 ||
		SSL_do_handshake(line) != 1)
		bench_fail("the raw handshake failed");
	SSL_clear_mode(line, SSL_MODE_ENABLE_PARTIAL_WRITE);
	return line;
}

unsigned bench_line_listen(void *(*serve)(void *))
{
	const struct psu_endpoint endpoint = {"127.0.0.1", "0"};
	static int listen_fd;
	unsigned port;

	if (psu_socket_listen(&endpoint, &listen_fd, &port) != 0 ||
		psu_process_spawn(serve, &listen_fd) != 0)
		bench_fail("cannot listen");
	return port;
}

SSL *bench_line_accept(int listen_fd)
{
	int fd = accept(listen_fd, NULL, NULL);

	return fd < 0 ? NULL : shake_hands(fd, NULL);
}

SSL *bench_line_dial(unsigned port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 ||
		connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		bench_fail("cannot connect");
	return shake_hands(fd, "127.0.0.1");
}

void bench_line_close(SSL *line)
{
	int fd = SSL_get_fd(line);

	SSL_free(line);
	close(fd);
}
